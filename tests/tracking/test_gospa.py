"""GOSPA and OSPA over many times: the same as one time after another, by hand, and quick."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.tracking.gospa import gospa, gospa_over_time, ospa

seeds = st.integers(0, 2**32 - 1)


def made_up(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A few points in a box three cut-offs wide, some of them absent: x, alive, y, held."""
    rng = np.random.default_rng(seed)
    times, n, m = rng.integers(0, 5), rng.integers(0, 5), rng.integers(0, 5)
    x, y = rng.uniform(0, 30, (times, n, 3)), rng.uniform(0, 30, (times, m, 3))
    return x, rng.random((times, n)) < 0.7, y, rng.random((times, m)) < 0.7


@given(seeds)
def test_a_series_is_one_time_after_another(seed):
    x, alive, y, held = made_up(seed)
    at, _ = np.nonzero(held)
    found = gospa_over_time(x, alive, at, y[held], 10.0)
    for i in range(len(x)):
        one = gospa(x[i, alive[i]], y[i, held[i]], 10.0)
        assert found.distance[i] == pytest.approx(one.distance, abs=1e-12)
        assert found.distance[i] ** 2 == pytest.approx(
            found.localisation[i] + found.missed[i] + found.false[i], abs=1e-9
        )
        assert (found.missed[i], found.false[i]) == (one.missed, one.false)
        assert found.ospa[i] == pytest.approx(ospa(x[i, alive[i]], y[i, held[i]], 10.0), abs=1e-9)
        given_to = found.assigned[i, alive[i]]
        assert ((given_to >= 0) == (one.assigned >= 0)).all()
        mine = given_to[given_to >= 0]
        assert (y[held][mine] == y[i, held[i]][one.assigned[one.assigned >= 0]]).all()
        assert (found.assigned[i, ~alive[i]] == -1).all()


def test_parts_by_hand():
    """c = 10, p = 2; one pair 3 apart; then nobody to track; then a miss; then a pair at the cut-off."""
    x = np.zeros((4, 1, 3))
    alive = np.array([[True], [False], [True], [True]])
    y = np.array([[3.0, 0, 0], [0.0, 0, 0], [0.0, 10.0, 0]])
    found = gospa_over_time(x, alive, np.array([0, 1, 3]), y, 10.0)
    assert found.localisation.tolist() == [9.0, 0.0, 0.0, 0.0]
    assert found.missed.tolist() == [0.0, 0.0, 50.0, 50.0]
    assert found.false.tolist() == [0.0, 50.0, 0.0, 50.0]
    assert found.ospa.tolist() == [3.0, 10.0, 10.0, 10.0]
    assert found.assigned.tolist() == [[0], [-1], [-1], [-1]]


def test_rows_out_of_order_are_refused():
    with pytest.raises(ValueError, match="order"):
        gospa_over_time(np.zeros((2, 1, 3)), np.ones((2, 1), bool), np.array([1, 0]), np.zeros((2, 3)))


def test_a_raid_of_twenty_is_quick():
    """301 frames of 20 targets and 20 tracks: 0.01 CPU s here, 0.1 asked for."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2e5, (301, 20, 3))
    at = np.repeat(np.arange(301), 20)
    y = x.reshape(-1, 3) + 100 * rng.normal(size=(6020, 3))
    start = time.process_time()
    found = gospa_over_time(x, np.ones((301, 20), bool), at, y)
    assert time.process_time() - start < 0.1
    assert (found.assigned == np.arange(6020).reshape(301, 20)).mean() > 0.99

"""The sorted window finds exactly the pairs that trying all pairs finds; existence by Bayes' rule."""

from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noroshi.tracking.associate import existence, shown
from noroshi.tracking.columns import DETECTION_WIDTH, SCAN_WIDTH, M
from noroshi.tracking.gating import edges, order_by
from noroshi.tracking.maintain import survive
from noroshi.tracking.measurement import LOOK, READY, RHO, Z_SENSOR, distance, look, prepare


def scene(seed: int, tracks: int, detections: int, spread: float, radar: bool):
    """View rows of tracks about a direction, and ready detections near them and at random."""
    rng = np.random.default_rng(seed)
    scan = np.zeros(SCAN_WIDTH)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    scan[M : M + 9] = q.ravel()
    view, ready = np.empty((tracks, LOOK)), np.empty((detections, READY))
    seen = np.empty((tracks, 3))
    for i in range(tracks):
        az, el, rho = rng.normal(0, spread), rng.normal(0, spread), rng.uniform(5e5, 4e6)
        u = np.array([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)])
        a = rng.normal(size=(3, 3)) * rng.choice([50.0, 500.0, 20e3])
        look(rho * q @ u, a @ a.T + np.eye(3), scan, view[i])
        seen[i] = az, el, rho
    for j in range(detections):
        near = np.array([rng.normal(0, spread), rng.normal(0, spread), 1e6])
        if rng.random() < 0.7:
            near = seen[rng.integers(tracks)]
        row = np.empty(DETECTION_WIDTH)
        row[:4] = *(near + rng.normal(size=3) * (2e-4, 2e-4, 300.0)), 0.0
        row[4:] = 5e-5, rng.choice([5e-5, 1e-3]), 20.0 if radar else inf, inf
        prepare(scan, row, ready[j])
    return scan, view, ready[np.argsort(ready[:, Z_SENSOR])].copy()


def found(view, scan, ready, gate, each):
    n = len(view)
    row, column = np.empty(n * each + 1, np.int64), np.empty(n * each + 1, np.int64)
    gain, first = np.empty(n * each + 1), np.empty(n + 1, np.int64)
    count, lost = edges(view, n, scan, ready, gate, each, row, column, gain, first)
    return (
        list(zip(row[:count].tolist(), column[:count].tolist(), gain[:count].tolist(), strict=True)),
        lost,
        first,
    )


@pytest.mark.parametrize("radar", [False, True])
@pytest.mark.parametrize("spread", [1e-3, 0.1, 0.8])
@pytest.mark.parametrize("seed", range(6))
def test_the_window_misses_no_pair(seed, spread, radar):
    scan, view, ready = scene(seed, 30, 120, spread, radar)
    view[3, RHO] = -1.0  # out of this sensor's sight: never paired
    pairs, lost, first = found(view, scan, ready, 16.0, 120)
    want = {
        (i, j): distance(view[i], ready[j])[1]
        for i in range(30)
        for j in range(120)
        if i != 3 and distance(view[i], ready[j])[0] < 16.0
    }
    assert lost == 0
    assert {(i, j): value for i, j, value in pairs} == want
    assert len(want) > 10
    assert first[-1] == len(pairs)


def test_no_room_keeps_the_likeliest_and_counts_the_rest():
    scan, view, ready = scene(1, 3, 400, 1e-4, False)
    every, _, _ = found(view, scan, ready, 1e6, 400)
    kept, lost, _ = found(view, scan, ready, 1e6, 5)
    assert lost == len(every) - len(kept) > 0
    for i in range(3):
        values = sorted((v for a, _, v in every if a == i), reverse=True)
        assert sorted((v for a, _, v in kept if a == i), reverse=True) == values[:5]


@given(st.lists(st.floats(-1, 1), max_size=200))
@settings(deadline=None, max_examples=50)
def test_sorting_keeps_the_order_of_equals(values):
    order, key = np.arange(len(values)), np.array(values, float)
    order_by(order, key)
    assert key.tolist() == sorted(values)
    assert order.tolist() == sorted(range(len(values)), key=lambda i: values[i])


# r' = P(target | what was seen), written out over the three events: no target, target missed, target detected
@given(st.floats(0.001, 0.999), st.floats(0.05, 0.99), st.floats(1e-6, 1.0))
@settings(deadline=None)
def test_existence_follows_bayes(r, p, alone):
    none, missed = 1.0 - r, r * (1.0 - p)
    after = (1.0 - alone) + alone * missed / (none + missed)
    score = existence(log(r / (1.0 - r)), p, alone)
    want = min(log(after / (1.0 - after)), 20.0) if after < 1.0 else 20.0
    # 1 - after loses digits as after nears 1: 1e-16 / (1 - after) of them
    assert score == pytest.approx(want, abs=1e-9 + 1e-14 / max(1.0 - after, 1e-12))


def test_a_target_that_may_cease_loses_odds():
    # r 0.9, kept 0.99: 0.891
    assert survive(log(9.0), 0.99) == pytest.approx(log(0.891 / 0.109), abs=1e-12)


def test_what_a_look_shows():
    assert shown(0.1, 1.0) == pytest.approx(log(0.9 / 0.5))
    assert shown(0.1, 0.0) == pytest.approx(log(0.1 / 0.5))
    assert shown(0.6, 1.0) == 0.0  # a sensor that misses more than half shows nothing

"""The bound of a run: against the plain recursion where time steps agree, closed forms, and what cannot be known."""

from __future__ import annotations

import numpy as np
import pytest

from noroshi.constants import EARTH_MU
from noroshi.tables import Phase
from noroshi.tracking import bound, nominal

R0 = np.array([7.0e6, 0.0, 0.0])


def still(n: int) -> np.ndarray:
    return np.tile(R0, (n, 1))


def looks(n: int, sigma_m: float = 100.0) -> np.ndarray:
    out = np.zeros((n, 6, 6))
    out[:, range(3), range(3)] = 1 / sigma_m**2
    return out


def test_a_coast_is_a_fall_without_acceleration_beyond_gravity():
    """The gravity gradient by differences of the two-body acceleration (1e-7); an acceleration that was is gone."""
    phase = np.array([Phase.BOOST, Phase.COAST, Phase.COAST, Phase.REENTRY], np.int8)
    f, q = nominal.motion(still(4), phase, 1.0)

    def pull(r):
        return -EARTH_MU * r / np.linalg.norm(r) ** 3

    gradient = np.stack([(pull(R0 + e) - pull(R0 - e)) / 2e3 for e in 1e3 * np.eye(3)], 1)
    assert f[1:, 3:6, :3] == pytest.approx(np.tile(gradient, (3, 1, 1)), rel=1e-6, abs=1e-12)
    assert f[1, :3, 6:] == pytest.approx(np.eye(3) / 2)  # thrust acts until the end of the step
    assert not f[1:3, 6:].any()
    assert not f[2:, :6, 6:].any()
    assert f[3, 6:, 6:] == pytest.approx(np.eye(3))
    assert not q[1:3, 6:].any()
    assert q[1, 3, 3] == pytest.approx(nominal.JERK_PSD[Phase.BOOST] / 3 + nominal.COAST_PSD)
    assert q[2, 3, 3] == pytest.approx(nominal.COAST_PSD)


def test_looks_on_the_samples_are_the_plain_recursion():
    n = 40
    t = np.arange(n) + 5.0
    phase = np.full(n, Phase.GLIDE, np.int8)
    known = np.ones((2, n), bool)
    known[1, 10:20] = False  # a node that heard nothing for ten seconds
    found = nominal.nominal_bound(t, still(n), phase, t, looks(n), known)
    f, q = nominal.motion(still(n), phase, 1.0)
    prior = np.diag(np.repeat([nominal.PRIOR_M, nominal.PRIOR_M_S, nominal.PRIOR_M_S2], 3) ** 2)
    for node in range(2):
        measured = np.zeros((n, 9, 9))
        measured[known[node], :6, :6] = looks(n)[known[node]]
        cov = bound.recursion(f, q, measured, prior)
        assert found.position_m[node] == pytest.approx(
            np.sqrt(np.trace(cov[:, :3, :3], axis1=1, axis2=2)), rel=1e-9
        )
    assert (found.position_m[1, 10:20] > found.position_m[0, 10:20]).all()
    assert found.position_m[0, 0] == pytest.approx(100 * np.sqrt(3), rel=1e-6)


def test_looks_between_samples_count_from_where_they_were():
    """Two looks one second apart at 100 m, neither on the grid: velocity to sqrt(2) 100 m/s an axis (coast: no noise
    worth naming), position at the later sample extrapolated from them by 0.2 s."""
    t = np.array([0.0, 1.0, 2.0])
    phase = np.full(3, Phase.COAST, np.int8)
    found = nominal.nominal_bound(t, still(3), phase, np.array([0.8, 1.8]), looks(2), np.ones((1, 2), bool))
    assert found.velocity_m_s[0, 2] == pytest.approx(np.sqrt(3) * np.sqrt(2) * 100, rel=2e-3)
    assert found.position_m[0, 2] == pytest.approx(np.sqrt(3) * 100 * np.sqrt(1.2**2 + 0.2**2), rel=2e-3)


def test_one_line_of_sight_says_nothing_along_it():
    t = np.arange(5.0)
    phase = np.full(5, Phase.BOOST, np.int8)
    measured = bound.information(
        still(5), np.zeros((5, 3)), bound.Stations(np.tile([8.0e6, 0, 0], (5, 1)), 5e-5, 5e-5)
    )
    found = nominal.nominal_bound(t, still(5), phase, t, measured, np.ones((1, 5), bool))
    assert (found.position_m[0] > 0.99 * nominal.PRIOR_M).all()


def test_detections_after_the_end_and_no_samples():
    t = np.arange(3.0)
    phase = np.full(3, Phase.BOOST, np.int8)
    known = np.ones((1, 1), bool)
    late = nominal.nominal_bound(t, still(3), phase, np.array([9.0]), looks(1), known)
    none = nominal.nominal_bound(t, still(3), phase, np.empty(0), looks(0), np.ones((1, 0), bool))
    assert (late.position_m == none.position_m).all()
    empty = nominal.nominal_bound(t[:0], still(0), phase[:0], np.array([9.0]), looks(1), known)
    assert empty.position_m.shape == (1, 0)

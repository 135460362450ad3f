"""Walker patterns against their definition."""

import numpy as np
import pytest

from noroshi.errors import ScenarioError
from noroshi.orbits.kepler import osculating_state
from noroshi.orbits.walker import walker

A = 7.378e6


def test_delta_by_hand():
    # Walker 1984, i: T/P/F = 15/3/1: nodes every 120 deg, 5 a plane every 72 deg, phase step 360 F/T = 24 deg
    e = walker("delta", 15, 3, 1.0, A, np.deg2rad(65.0))
    np.testing.assert_allclose(np.rad2deg(e.raan), np.repeat([0.0, 120.0, 240.0], 5))
    np.testing.assert_allclose(np.rad2deg(e.mean_anomaly[:5]), [0, 72, 144, 216, 288], atol=1e-12)
    np.testing.assert_allclose(np.rad2deg(e.mean_anomaly[[0, 5, 10]]), [0.0, 24.0, 48.0], atol=1e-12)
    assert (e.e == 0).all()
    assert (e.argp == 0).all()


def test_star_by_hand():
    # 28 in 4 planes over half a turn; F = 2 (half of P) shifts every other plane by half a slot: 360/7/2 deg
    e = walker("star", 28, 4, 2.0, A, np.deg2rad(80.0), raan_rad=0.1, phase_rad=0.2)
    np.testing.assert_allclose(np.rad2deg(e.raan[::7] - 0.1), [0.0, 45.0, 90.0, 135.0])
    np.testing.assert_allclose(
        np.rad2deg(e.mean_anomaly[::7] - 0.2), np.array([0.0, 0.5, 1.0, 1.5]) * 360 / 7, atol=1e-12
    )
    # fractional phasing
    e = walker("star", 28, 4, 0.5, A, np.deg2rad(80.0))
    np.testing.assert_allclose(np.rad2deg(e.mean_anomaly[7]), 0.5 * 360 / 28, atol=1e-12)


@pytest.mark.parametrize(("satellites", "planes", "phasing"), [(15, 3, 1.0), (24, 8, 5.0), (28, 4, 3.0)])
def test_a_delta_pattern_looks_the_same_from_every_satellite(satellites, planes, phasing):
    # the defining symmetry, for whole F: in a revolution every satellite meets the others at the same
    # distances. In steps of a T-th of a turn the phases of all planes fall on one grid, so the sets must
    # agree to rounding
    def met(phasing):
        e = walker("delta", satellites, planes, phasing, A, 1.0)
        squares = []
        for k in range(satellites):
            turned = e._replace(mean_anomaly=e.mean_anomaly + 2 * np.pi * k / satellites)
            r = np.asarray(osculating_state(turned)[0]) / A
            squares.append(np.sum((r[:, None] - r[None]) ** 2, axis=-1))
        return np.sort(np.concatenate(squares, axis=1), axis=1)

    distances = met(phasing)
    np.testing.assert_allclose(distances, np.broadcast_to(distances[0], distances.shape), atol=1e-12)
    # a phasing that is not whole breaks it where the last plane meets the first
    assert np.ptp(met(phasing + 0.5), axis=0).max() > 1e-3


def test_first_satellite_is_where_the_file_says():
    e = walker("delta", 1, 1, 0.0, A, 1.0, raan_rad=5.0, phase_rad=7.0)
    assert (e.raan[0], e.mean_anomaly[0]) == (5.0, pytest.approx(7.0 - 2 * np.pi))


@pytest.mark.parametrize(
    ("pattern", "satellites", "planes"),
    [("delta", 28, 5), ("star", 0, 1), ("star", 4, 0)],
)
def test_patterns_that_cannot_be(pattern, satellites, planes):
    with pytest.raises(ScenarioError) as caught:
        walker(pattern, satellites, planes, 0.0, A, 1.0)
    assert caught.value.remedy

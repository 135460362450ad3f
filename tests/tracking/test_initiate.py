"""Triangulation against the exact Cramer-Rao bounds (V-506..508)."""

from __future__ import annotations

import numpy as np
import pytest

from noroshi.tracking.initiate import closest, triangulation_covariance

SIGMA = 50e-6


def rss(directions, distance):
    n = len(directions)
    cov = triangulation_covariance(np.array(directions), np.full(n, distance), np.full(n, SIGMA))
    return np.sqrt(np.trace(cov))


# V-506: R 2000 km, 50 urad; to the 0.1 m that are printed
@pytest.mark.parametrize(
    ("psi", "metres"),
    [(5, 1624.2), (10, 817.5), (20, 419.5), (45, 212.1), (90, 158.1), (120, 178.0), (175, 1624.2)],
)
def test_two_sensors(psi, metres):
    a = np.radians(psi)
    assert rss([[1.0, 0.0, 0.0], [np.cos(a), np.sin(a), 0.0]], 2e6) == pytest.approx(metres, abs=0.1)


# V-507: N evenly on a cone of 45 deg half-angle
@pytest.mark.parametrize(
    ("n", "metres"), [(3, 124.7), (4, 108.0), (5, 96.6), (6, 88.2), (8, 76.4), (12, 62.4)]
)
def test_cone(n, metres):
    a = 2 * np.pi * np.arange(n) / n
    s = np.sqrt(0.5)
    assert rss(np.stack([s * np.cos(a), s * np.sin(a), np.full(n, s)], 1), 2e6) == pytest.approx(
        metres, abs=0.1
    )


# V-508: baseline 300 km, range 3000 km from its middle, at an angle to it: the range (line from the middle) sigma
@pytest.mark.parametrize(("angle", "metres"), [(90.0, 2126.6), (45.0, 3001.9)])
def test_far_target(angle, metres):
    target = 3e6 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
    lines = np.array([target - [side * 150e3, 0.0, 0.0] for side in (1, -1)])
    distance = np.linalg.norm(lines, axis=1)
    cov = triangulation_covariance(lines / distance[:, None], distance, np.full(2, SIGMA))
    along = target / 3e6
    assert np.sqrt(along @ cov @ along) == pytest.approx(metres, abs=0.1)


def test_parallel_lines_are_refused():
    z = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    with pytest.raises(np.linalg.LinAlgError, match="parallel"):
        triangulation_covariance(z, np.full(2, 1e6), np.full(2, SIGMA))
    assert closest(np.zeros(3), z[0], np.array([0.0, 1e5, 0.0]), z[1])[0] < 0.0


def test_closest_points_of_skew_lines():
    # along x at z = 0 and along y at z = 7, crossing over (3, 4)
    sa, za = np.array([0.0, 4.0, 0.0]), np.array([1.0, 0.0, 0.0])
    sb, zb = np.array([3.0, 0.0, 7.0]), np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(closest(sa, za, sb, zb), (3.0, 4.0, 7.0, 0.0), atol=1e-12)

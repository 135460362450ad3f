"""Triangulation against the reference table (V-506 to V-508), and covariance against closed forms and trials."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.errors import PhysicsError
from noroshi.sensors.triangulation import (
    covariance,
    information,
    range_sigma_far,
    range_sigma_of_two,
    rss,
    rss_of_cone,
    rss_of_two,
)

R, SIGMA = 2e6, 50e-6  # 2000 km, 50 urad: 100 m across


def pair(psi: float) -> np.ndarray:
    return np.array([[np.cos(psi / 2), s * np.sin(psi / 2), 0.0] for s in (1.0, -1.0)])


@pytest.mark.parametrize(
    ("psi_deg", "expected_m"),
    [
        (5, 1624.2),
        (10, 817.5),
        (20, 419.5),
        (30, 291.5),
        (45, 212.1),
        (60, 178.0),
        (90, 158.1),
        (120, 178.0),
        (150, 291.5),
        (175, 1624.2),
    ],
)
def test_two_sensors(psi_deg, expected_m):
    psi = np.deg2rad(psi_deg)
    # 0.1 m: the reference is rounded to that (V-506)
    assert rss(covariance(pair(psi), R, SIGMA)) == pytest.approx(expected_m, abs=0.1)
    assert rss_of_two(R * SIGMA, psi) == pytest.approx(expected_m, abs=0.1)


@given(psi=st.floats(0.05, np.pi - 0.05))
def test_components_of_two_sensors(psi):
    cov = covariance(pair(psi), R, SIGMA)
    expected = [1 / np.sin(psi / 2), 1 / np.cos(psi / 2), 1.0]  # along the bisector, across, out of plane
    np.testing.assert_allclose(np.sqrt(np.diag(cov)), 100.0 / np.sqrt(2) * np.array(expected), rtol=1e-9)
    assert rss(cov) == pytest.approx(rss_of_two(100.0, psi), rel=1e-9)


@pytest.mark.parametrize(
    ("count", "expected_m"), [(3, 124.7), (4, 108.0), (5, 96.6), (6, 88.2), (8, 76.4), (12, 62.4)]
)
def test_sensors_round_a_cone(count, expected_m):
    turn = 2 * np.pi * np.arange(count) / count
    u = np.stack([np.cos(turn), np.sin(turn), np.ones(count)], axis=-1)
    assert rss(covariance(u, R, SIGMA)) == pytest.approx(expected_m, abs=0.1)  # V-507
    assert rss_of_cone(R * SIGMA, count) == pytest.approx(expected_m, abs=0.1)


@pytest.mark.parametrize(("angle_deg", "exact_m", "far_m"), [(90, 2126.6, 2121.3), (45, 3001.9, 3000.0)])
def test_a_far_target(angle_deg, exact_m, far_m):
    angle = np.deg2rad(angle_deg)
    assert range_sigma_of_two(300e3, 3e6, 50e-6, angle) == pytest.approx(exact_m, abs=0.1)  # V-508
    assert range_sigma_far(300e3, 3e6, 50e-6, angle) == pytest.approx(far_m, abs=0.1)


def test_a_radar_alone_fixes_a_point_and_a_range_helps_lines():
    line = np.array([[1.0, 0.0, 0.0]])
    cov = covariance(line, R, SIGMA, 10.0)
    np.testing.assert_allclose(cov, np.diag([10.0**2, 100.0**2, 100.0**2]), rtol=1e-9)
    lines = np.vstack([line, [[0.0, 1.0, 0.0]]])
    both = covariance(lines, R, SIGMA, [10.0, np.inf])
    assert np.all(np.linalg.eigvalsh(covariance(lines, R, SIGMA) - both) > -1e-9)
    assert both[0, 0] == pytest.approx(1 / (1 / 10.0**2 + 1 / 100.0**2), rel=1e-9)


def test_the_covariance_is_that_of_least_squares_on_drawn_lines():
    rng = np.random.default_rng(1)
    sensors = np.array([[3e6, 0.0, 0.0], [0.0, 2e6, 1e6], [-1e6, -1e6, 2e6]])
    distance = np.linalg.norm(sensors, axis=-1)
    u = -sensors / distance[:, None]
    project = np.eye(3) - u[:, :, None] * u[:, None, :]
    weight = project / (distance * SIGMA)[:, None, None] ** 2
    n = 20_000
    # a line displaced across itself by R sigma: noise is the projected normal draw
    off = np.einsum("sij,nsj->nsi", project, rng.standard_normal((n, 3, 3))) * (distance * SIGMA)[:, None]
    found = np.einsum("sij,nsj->ni", weight, off) @ np.linalg.inv(weight.sum(axis=0))
    # 5 sigma of a standard deviation from n trials
    spread = np.sqrt(np.diag(covariance(u, distance, SIGMA)))
    np.testing.assert_allclose(found.std(axis=0), spread, rtol=5 / np.sqrt(2 * n))


@pytest.mark.parametrize("lines", [np.array([[1.0, 0, 0]]), np.array([[1.0, 0, 0], [-2.0, 0, 0]])])
def test_parallel_lines_fix_nothing(lines):
    with pytest.raises(PhysicsError, match="parallel"):
        covariance(lines, R, SIGMA)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((np.zeros((1, 3)), R, SIGMA), "direction"),
        ((np.ones((1, 3)), -1.0, SIGMA), "range_m"),
        ((np.ones((1, 3)), R, 0.0), "sigma_angle_rad"),
        ((np.ones((1, 3)), R, SIGMA, float("nan")), "sigma_range_m"),
    ],
)
def test_impossible_looks_are_refused(arguments, what):
    with pytest.raises(PhysicsError, match=what):
        information(*arguments)


def test_closed_forms_refuse_what_they_do_not_cover():
    with pytest.raises(PhysicsError):
        rss_of_two(100.0, np.pi)
    with pytest.raises(PhysicsError):
        rss_of_cone(100.0, 2)
    with pytest.raises(PhysicsError):
        rss_of_cone(100.0, 3, 0.0)

"""The integrator against closed forms: free flight between two points of a sphere, and what must not change."""

from __future__ import annotations

import numpy as np
import pytest

from noroshi.constants import EARTH_J2, EARTH_MEAN_RADIUS_M, EARTH_MU, EARTH_RADIUS_M, EARTH_RATE_RAD_S
from noroshi.earth import itrs_from_geodetic
from noroshi.targets.integrate import EARTH, SPHERE, coast_controls, height, integrate, unpowered_batch

# Minimum-energy free flight on a sphere (Wheelon, ARS J. 29, 1959, in the form v^2 = (2 mu/R) s/(1+s),
# gamma = (pi - phi)/4): range km, speed km/s, angle deg, apogee km, time s
MINIMUM_ENERGY = [
    (300, 1.6965, 44.326, 74.11, 251.03),
    (1000, 3.0161, 42.752, 239.94, 474.36),
    (3000, 4.8650, 38.255, 655.21, 895.04),
    (5500, 6.0752, 32.634, 1040.52, 1315.79),
    (10000, 7.1981, 22.517, 1319.48, 1930.96),
]


@pytest.mark.parametrize("row", MINIMUM_ENERGY, ids=lambda row: f"{row[0]} km")
def test_minimum_energy_flights_land_where_and_when_they_must(row: tuple) -> None:
    """Impact by partial step included. From phi itself the speed is exact, so 1e-6, not the table's four digits."""
    reach, speed, angle, apogee, time = row
    phi = reach * 1e3 / EARTH_MEAN_RADIUS_M
    s = np.sin(phi / 2)
    v, gamma = np.sqrt(2 * EARTH_MU / EARTH_MEAN_RADIUS_M * s / (1 + s)), (np.pi - phi) / 4
    assert (v / 1e3, np.rad2deg(gamma)) == (pytest.approx(speed, abs=6e-5), pytest.approx(angle, abs=6e-4))
    start = np.array([EARTH_MEAN_RADIUS_M, 0, 0, v * np.sin(gamma), v * np.cos(gamma), 0])
    arc = integrate(
        np.tile(start, (4, 1)),
        0.0,
        1.0,
        coast_controls(2100),
        unpowered_batch(0.0, 4),
        SPHERE,
        free_after_s=30.0,
    )
    flown = np.arctan2(arc.end[0, 1], arc.end[0, 0])
    assert flown == pytest.approx(phi, rel=1e-8)
    assert arc.t_end[0] == pytest.approx(time, abs=0.006)  # printed to 0.01 s
    assert height(arc.states[0, :, :3], SPHERE).max() / 1e3 == pytest.approx(apogee, abs=0.006)
    assert abs(height(arc.end[:, :3], SPHERE)).max() < 1e-6
    assert arc.t[arc.steps[0]] < arc.t_end[0] <= arc.t[arc.steps[0]] + 1.0


def test_the_jacobi_constant_of_the_rotating_earth_is_kept() -> None:
    """v^2/2 - w^2 (x^2 + y^2)/2 + U with J2 does not change in free flight; 1e-12 of it in 1000 s at 1 s steps."""
    r = itrs_from_geodetic(0.7, 2.2, 200e3)
    start = np.concatenate([r, [-3000.0, 2500.0, 5000.0]])
    arc = integrate(np.tile(start, (4, 1)), 0.0, 1.0, coast_controls(1000), unpowered_batch(0.0, 4), EARTH)
    x, y, z, *v = arc.states[0].T
    d = np.sqrt(x * x + y * y + z * z)
    shape = 1 - EARTH_J2 * (EARTH_RADIUS_M / d) ** 2 * (1.5 * (z / d) ** 2 - 0.5)
    jacobi = (
        0.5 * (np.array(v) ** 2).sum(0) - 0.5 * EARTH_RATE_RAD_S**2 * (x * x + y * y) - EARTH_MU / d * shape
    )
    assert np.ptp(jacobi) < 1e-12 * abs(jacobi[0])


def test_a_switch_inside_a_step_would_cost_an_order() -> None:
    """Why switches sit on the grid: the same flight with the switch half a step off is wrong by the lost impulse."""
    from noroshi.targets.integrate import Controls

    start = np.concatenate([itrs_from_geodetic(0.7, 2.2, 30e3), [-1500.0, -1000.0, 500.0]])

    def fly(on_until: float, step: float) -> np.ndarray:
        count = round(60 / step)
        lift = np.where((np.arange(count) + 0.5) * step < on_until, 2.6, 0.0)
        held = Controls(np.zeros(count), lift, np.zeros(count))
        arc = integrate(np.tile(start, (4, 1)), 0.0, step, held, unpowered_batch(1 / 5000, 4), EARTH)
        return arc.states[0, -1, :3]

    on_grid = np.linalg.norm(fly(20.0, 2.0) - fly(20.0, 0.25))
    off_grid = np.linalg.norm(fly(20.5, 2.0) - fly(20.5, 0.25))
    assert on_grid < 0.1
    assert off_grid > 100 * on_grid

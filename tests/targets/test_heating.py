"""Heating correlations at published points, and skins that radiate exactly what they receive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from noroshi.atmosphere import density
from noroshi.constants import EARTH_MEAN_RADIUS_M, EARTH_MU, STEFAN_BOLTZMANN
from noroshi.errors import PhysicsError
from noroshi.targets import heating
from noroshi.targets.integrate import SPHERE

ANGLE = np.deg2rad(11.3)


def test_fluxes_at_the_reference_point_are_in_watts_per_square_metre() -> None:
    """V-401, the unit trap: rho 1e-3 kg/m3, 5 km/s, nose 0.1 m. 1e-6: the figures are typed with seven digits."""
    assert heating.sutton_graves(1e-3, 5000.0, 0.1) == pytest.approx(2.176875e6, rel=1e-6)
    assert heating.stagnation(1e-3, 5000.0, 0.1) == pytest.approx(2.2875e6, rel=1e-6)
    # 255.31 W/cm2; five digits typed
    assert heating.brandis_johnston(1e-3, 5000.0, 0.1) == pytest.approx(255.31e4, rel=1e-4)


def test_three_stagnation_formulas_agree_about_a_capsule() -> None:
    """Independent fits of one quantity. 30 %: they part by 5 and 24 % here; a slip of units would be a power of ten."""
    rho, speed, radius = 1e-4, 7000.0, 1.0
    reference = heating.sutton_graves(rho, speed, radius)
    assert heating.stagnation(rho, speed, radius) == pytest.approx(reference, rel=0.3)
    assert heating.brandis_johnston(rho, speed, radius) == pytest.approx(reference, rel=0.3)


@pytest.mark.parametrize(
    ("speed", "rho", "stagnation_k", "one_metre_k", "rear_k"),
    # V-402: speed, US 1976 density at its height, T_stag, T(1 m), T(3.5 m)
    [
        (6000.0, float(density(49_240.0)), 3322, 1404, 1094),
        (4000.0, float(density(39_180.0)), 2759, 1183, 927),
        (2500.0, float(density(31_790.0)), 1946, 895, 709),
    ],
)
def test_skin_temperatures_of_the_reference_glider(
    speed: float, rho: float, stagnation_k: int, one_metre_k: int, rear_k: int
) -> None:
    """1 K: the table is rounded to it, and its heights to 0.1 km (0.1 % in temperature)."""
    nose = heating.skin_temperature(heating.stagnation(rho, speed, 0.034), speed, 0.85)
    front = heating.skin_temperature(heating.laminar_plate(rho, speed, 1.0, ANGLE), speed, 0.85)
    rear = heating.skin_temperature(heating.laminar_plate(rho, speed, 3.5, np.deg2rad(7.6)), speed, 0.85)
    assert nose == pytest.approx(stagnation_k, abs=1.0)
    assert front == pytest.approx(one_metre_k, abs=1.0)
    assert rear == pytest.approx(rear_k, abs=1.0)


@given(st.floats(-9, -1), st.floats(1000, 8000), st.floats(0.02, 3), st.floats(0.05, 1))
def test_a_skin_radiates_what_it_receives(
    log_rho: float, speed: float, radius: float, emissivity: float
) -> None:
    """The flux comes from the hot-wall formula, not from the equation that was solved. 1e-9: rounding of T^4."""
    rho = 10.0**log_rho
    t = heating.skin_temperature(heating.stagnation(rho, speed, radius), speed, emissivity)
    received = heating.stagnation(rho, speed, radius, t)
    radiated = emissivity * STEFAN_BOLTZMANN * t**4
    # near the adiabatic wall 1 - hw/h0 loses digits: measure against the cold-wall flux
    assert abs(received - radiated) <= 1e-9 * heating.stagnation(rho, speed, radius)
    assert t <= heating.cold_wall_temperature(heating.stagnation(rho, speed, radius), emissivity)


@given(st.floats(-6, 0), st.floats(1000, 4000), st.floats(0.1, 5))
def test_a_turbulent_skin_radiates_what_it_receives(log_rho: float, speed: float, x: float) -> None:
    rho = 10.0**log_rho
    t = heating.skin_temperature_turbulent(rho, speed, x, ANGLE, 0.85)
    received = heating.turbulent_plate(rho, speed, x, ANGLE, t)
    scale = received / (1.0 - 1.11 * 1000.0 * t / (0.5 * speed**2))
    assert abs(received - 0.85 * STEFAN_BOLTZMANN * t**4) <= 1e-9 * scale


def test_turbulence_heats_more_and_the_more_the_denser_the_air() -> None:
    def ratio(h: float) -> float:
        rho = float(density(h))
        laminar = heating.skin_temperature(heating.laminar_plate(rho, 3500.0, 2.0, ANGLE), 3500.0, 0.85)
        return float(heating.skin_temperature_turbulent(rho, 3500.0, 2.0, ANGLE, 0.85) / laminar)

    assert ratio(20e3) > ratio(40e3) > ratio(60e3) > 1.0


def test_the_slope_of_a_skin_temperature_is_that_of_the_implicit_function() -> None:
    import noroshi._jax  # noqa: F401

    # isort: split
    import jax

    def of_speed(speed):
        return heating.skin_temperature(heating.stagnation(1e-4, speed, 0.1), speed, 0.85)

    slope = jax.grad(of_speed)(jax.numpy.float64(4000.0))
    # 1e-6: central differences over 1 m/s of a function that changes over kilometres per second
    assert float(slope) == pytest.approx((of_speed(4001.0) - of_speed(3999.0)) / 2.0, rel=1e-6)
    assert float(of_speed(jax.numpy.float64(4000.0))) == pytest.approx(float(of_speed(4000.0)), rel=1e-12)


def test_without_air_or_speed_a_skin_is_cold_and_not_nan() -> None:
    t = heating.skin_temperature(np.array([0.0, 0.0, 1e5]), np.array([0.0, 7000.0, 0.0]), 0.85)
    assert np.all(np.isfinite(t))
    assert np.all(t < 1.0)


def test_temperature_falls_along_the_body() -> None:
    # 2^-0.05 = 0.96594, by hand: ln 2 x 0.05 = 0.034657
    assert heating.along_body(1000.0, 2.0) == pytest.approx(965.94, abs=0.01)
    assert heating.along_body(1000.0, 3.5, 3.5) == 1000.0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: heating.brandis_johnston(1e-3, 2900.0, 0.1), "nearest is 3000"),
        (lambda: heating.brandis_johnston(1e-3, np.array([4e3, 9.6e3]), 0.1), "nearest is 9500"),
        (lambda: heating.sutton_graves(1e-3, 900.0, 0.1), "1000 to 12000"),
        (lambda: heating.laminar_plate(1e-3, 9000.0, 1.0, 0.2), "nearest is 8000"),
        (lambda: heating.turbulent_plate(1e-3, 4500.0, 1.0, 0.2, 600.0), "nearest is 4000"),
        (lambda: heating.turbulent_plate(1e-3, 3500.0, 1.0, 0.2, 0.0), "kelvin"),
        (lambda: heating.skin_temperature_turbulent(1e-3, 5000.0, 1.0, 0.2, 0.8), "nearest is 4000"),
        (lambda: heating.sutton_graves(0.0, 5000.0, 0.1), "above 0"),
        (lambda: heating.sutton_graves(1e-3, float("nan"), 0.1), "does not hold"),
        (lambda: heating.stagnation(1e-3, 5000.0, 0.0), "above 0"),
        (lambda: heating.laminar_plate(1e-3, 5000.0, -1.0, 0.2), "above 0"),
        (lambda: heating.laminar_plate(1e-3, 5000.0, 1.0, 11.3), "radians"),
        (lambda: heating.skin_temperature(-1.0, 5000.0, 0.85), "0 or more"),
        (lambda: heating.skin_temperature(1e5, -1.0, 0.85), "0 or more"),
        (lambda: heating.skin_temperature(1e5, 5000.0, 1.2), "at most 1"),
        (lambda: heating.along_body(1000.0, 0.0), "above 0"),
    ],
)
def test_figures_outside_a_formula_are_refused_with_the_nearest_inside(call, says: str) -> None:
    with pytest.raises(PhysicsError) as caught:
        call()
    assert says in str(caught.value)


def test_the_hayabusa_capsule_peaks_where_it_was_seen_to() -> None:
    """V-404, a bracket: planar flight (spherical Earth without rotation, drag only) with published, unverified inputs.

    Peak at 54.1 km by our reference run, observed hottest (spectra) at 55.95 km: within 3 km of both. The temperature
    is an upper bound, not a prediction: a cold wall without ablation, about 500 K above the 3250 to 3310 K observed.
    """
    mass, area, drag, radius, emissivity = 16.3, np.pi * 0.2**2, 1.2, 0.2, 0.9
    beta = mass / (drag * area)

    def air(h: float) -> float:
        # above 84 km the reference run falls off with 5.9 km
        return float(density(h)) if h <= 84e3 else float(density(84e3)) * np.exp(-(h - 84e3) / 5.9e3)

    def rate(_: float, state: np.ndarray) -> list[float]:
        r, speed, angle = state
        gravity = EARTH_MU / r**2
        pressure = 0.5 * air(r - EARTH_MEAN_RADIUS_M) * speed**2
        return [
            speed * np.sin(angle),
            -pressure / beta - gravity * np.sin(angle),
            (speed / r - gravity / speed) * np.cos(angle),
        ]

    def slow(_: float, state: np.ndarray) -> float:
        return state[1] - 1500.0

    slow.terminal = True
    start = [EARTH_MEAN_RADIUS_M + 200e3, 11_700.0, np.deg2rad(-12.4)]
    flight = solve_ivp(rate, (0.0, 300.0), start, rtol=1e-8, atol=1e-3, max_step=0.25, events=slow)
    h, speed = flight.y[0] - SPHERE.radius_m, flight.y[1]
    flux = heating.sutton_graves(np.array([air(x) for x in h]), speed, radius)
    peak = int(np.argmax(flux))
    temperature = heating.cold_wall_temperature(flux, emissivity)
    assert h[peak] == pytest.approx(54.1e3, abs=3e3)
    assert h[peak] == pytest.approx(55.95e3, abs=3e3)  # of the hottest spectrum observed, 3250 K
    # the reference run's figures; 2 %: its sphere and step are not ours
    assert flux[peak] == pytest.approx(10.29e6, rel=0.02)
    assert temperature[peak] == pytest.approx(3769.0, rel=0.01)
    assert 300.0 < temperature[peak] - 3308.0 < 700.0  # above the observed, by about 500 K
    at_42 = float(np.interp(-42e3, -h, temperature))
    assert at_42 == pytest.approx(3016.0, rel=0.02)

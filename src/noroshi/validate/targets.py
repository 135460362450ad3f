"""V-3xx: targets."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from noroshi.atmosphere import air
from noroshi.constants import EARTH_MEAN_RADIUS_M
from noroshi.errors import FlightError
from noroshi.targets import ellipse, glide, published
from noroshi.targets.equilibrium import (
    Glider,
    equilibrium,
    glide_range,
    glide_time,
    level_turn,
    required_lift_parameter,
)
from noroshi.targets.integrate import SPHERE, Controls, integrate, unpowered_batch
from noroshi.targets.models import GlideFlight

Found = dict[str, Any]

# HTV-2-like (physics of Wright's public program): constant lift-to-drag ratio, 2663 lb/ft2
LIFT_TO_DRAG, BETA_KG_M2 = 2.6, 13_001.8
GLIDER = Glider(LIFT_TO_DRAG, BETA_KG_M2)
SPEEDS_KM_S = (7.0, 6.1, 5.5, 5.0, 4.0, 3.0)
END_M_S = 1000.0
MIDDLE_M = EARTH_MEAN_RADIUS_M + 45e3


def v_301(height_km: float) -> Found:
    found = air(np.float64(1e3 * height_km))
    return {
        "temperature": found.temperature_k,
        "pressure": found.pressure_pa,
        "density": found.density_kg_m3,
        "sound": found.sound_m_s,
    }


def v_302(range_km: float) -> Found:
    found = ellipse.minimum_energy_flight(1e3 * range_km)
    return {
        "speed": found.speed_m_s / 1e3,
        "angle": np.rad2deg(found.angle_rad),
        "apogee": found.apogee_m / 1e3,
        "time": found.time_s,
    }


def v_303(range_km: float, angle_deg: float) -> Found:
    found = ellipse.flight_at_angle(1e3 * range_km, np.deg2rad(angle_deg))
    return {"speed": found.speed_m_s / 1e3, "apogee": found.apogee_m / 1e3, "time": found.time_s / 60.0}


def v_304(flight: str, apogee_km: float, range_km: float) -> Found:
    found = ellipse.free_flight(1e3 * apogee_km, 1e3 * range_km)
    longest = ellipse.minimum_energy_range(found.speed_m_s)
    return {"kepler": found.time_s, "minimum_energy_range": None if longest is None else longest / 1e3}


def v_304_residual(flight: str, apogee_km: float, range_km: float, reported_s: float) -> Found:
    residual = ellipse.published_time_residual(1e3 * apogee_km, 1e3 * range_km, reported_s)
    return {"residual": residual, "consistent": ellipse.consistent(residual)}


def v_304_fit(
    flight: str,
    apogee_km: float,
    range_km: float,
    reported_s: float,
    rounding_s: float,
    azimuth_deg: float | str,
    boost_s: list[float],
) -> Found:
    report = published.Report(
        apogee_m=1e3 * apogee_km,
        range_m=1e3 * range_km,
        time_s=reported_s,
        time_rounding_s=rounding_s,
        launch_lat_rad=np.deg2rad(39.2),  # Sunan, whence all of these were reported to come
        launch_lon_rad=np.deg2rad(125.7),
        azimuth_rad=None if isinstance(azimuth_deg, str) else np.deg2rad(azimuth_deg),
    )
    return {"fits": published.fit(report, (boost_s[0], boost_s[1])).fits}


class _Glide(NamedTuple):
    """A glide over the sphere: time [s], speed [m/s], height [m] and distance [m] at every second."""

    time: np.ndarray
    speed: np.ndarray
    height: np.ndarray
    distance: np.ndarray

    def at(self, speed_m_s: float) -> tuple[float, float, float]:
        """Time, height and distance when the speed first falls to a value."""
        k = int(np.argmax(self.speed < speed_m_s))
        share = (self.speed[k - 1] - speed_m_s) / (self.speed[k - 1] - self.speed[k])

        def between(x: np.ndarray) -> float:
            return float(x[k - 1] + share * (x[k] - x[k - 1]))

        return between(self.time), between(self.height), between(self.distance)


@cache
def _glides() -> dict[float, _Glide]:
    """All speeds of V-305 in one batch: level from equilibrium, flown down to the end speed."""
    starts = []
    for speed in SPEEDS_KM_S:
        r = EARTH_MEAN_RADIUS_M + _level_height(1e3 * speed)
        starts.append([r, 0.0, 0.0, 0.0, 1e3 * speed, 0.0])
    count = 3600
    held = Controls(np.zeros(count), np.full(count, LIFT_TO_DRAG), np.zeros(count))
    arc = integrate(np.array(starts), 0.0, 1.0, held, unpowered_batch(1.0 / BETA_KG_M2, len(starts)), SPHERE)
    flown = {}
    for speed, states, steps in zip(SPEEDS_KM_S, arc.states, arc.steps, strict=True):
        path = states[: steps + 1]
        radius = np.linalg.norm(path[:, :3], axis=1)
        distance = EARTH_MEAN_RADIUS_M * np.unwrap(np.arctan2(path[:, 1], path[:, 0]))
        flown[speed] = _Glide(
            arc.t[: steps + 1], np.linalg.norm(path[:, 3:], axis=1), radius - EARTH_MEAN_RADIUS_M, distance
        )
    return flown


def _level_height(speed_m_s: float) -> float:
    found = equilibrium(GLIDER, speed_m_s, *_OVER_SPHERE, SPHERE)
    assert found is not None
    return found.height_m


_OVER_SPHERE = (np.array([EARTH_MEAN_RADIUS_M, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))


def v_305(speed_km_s: float) -> Found:
    flown = _glides()[speed_km_s]
    time, _, distance = flown.at(END_M_S)
    return {
        "height": flown.height[0] / 1e3,
        "range": distance / 1e3,
        "time": time,
        "analytic_range": glide_range(LIFT_TO_DRAG, 1e3 * speed_km_s, END_M_S, MIDDLE_M) / 1e3,
        "analytic_time": glide_time(LIFT_TO_DRAG, 1e3 * speed_km_s, END_M_S, MIDDLE_M),
    }


def v_305_ratio(speed_km_s: float) -> Found:
    found = v_305(speed_km_s)
    return {
        "range_ratio": found["analytic_range"] / found["range"],
        "time_ratio": found["analytic_time"] / found["time"],
    }


def v_305_history(speed_km_s: float) -> Found:
    time, height, distance = _glides()[6.1].at(1e3 * speed_km_s)
    return {"time": time, "height": height / 1e3, "range": distance / 1e3}


def v_306() -> Found:
    time, _, distance = _glides()[6.1].at(END_M_S)
    return {"range": distance / 1e3, "time": time / 60.0}


def v_307(bank_deg: float, speed_km_s: float) -> Found:
    r = EARTH_MEAN_RADIUS_M + _level_height(1e3 * speed_km_s)
    lateral, radius = level_turn(1e3 * speed_km_s, np.deg2rad(bank_deg), r)
    return {"lateral": lateral, "radius": radius / 1e3}


def v_308(height_km: float, speed_km_s: float) -> Found:
    flight = GlideFlight(
        launch_lat_rad=0.9,
        launch_lon_rad=2.6,
        launch_height_m=0.0,
        azimuth_rad=3.3,
        boost_s=200.0,
        mass_fraction=0.9,
        vertical_s=10.0,
        glide_speed_m_s=1e3 * speed_km_s,
        lift_to_drag=LIFT_TO_DRAG,
        ballistic_coefficient_kg_m2=BETA_KG_M2,
        bank_times_s=(),
        bank_rad=(),
        end_speed_m_s=END_M_S,
        density_factor=1.0,
        glide_height_m=1e3 * height_km,
    )
    try:
        glide.fly(flight, 1.0)
        refused = False
    except FlightError:
        refused = True
    return {
        "needed": required_lift_parameter(1e3 * height_km, 1e3 * speed_km_s, EARTH_MEAN_RADIUS_M),
        "refused": refused,
    }

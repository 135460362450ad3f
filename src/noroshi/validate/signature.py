"""V-4xx: signatures and backgrounds."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from noroshi.atmosphere import air, density
from noroshi.constants import EARTH_MEAN_RADIUS_M, SUN_TEMPERATURE_K
from noroshi.radiometry import (
    BANDS,
    SUN_SOLID_ANGLE_SR,
    photon_radiance,
    radiance,
    reflected_sun,
    sun_irradiance,
    total_radiance,
)
from noroshi.targets import heating
from noroshi.targets.equilibrium import Glider, equilibrium
from noroshi.targets.integrate import SPHERE, coast_controls, integrate, unpowered_batch
from noroshi.targets.radiators import GliderShape
from noroshi.targets.signature import intensity, of_glider

Found = dict[str, Any]


def v_401(density_kg_m3: float, speed_m_s: float, nose_m: float) -> Found:
    flow = (density_kg_m3, speed_m_s, nose_m)
    return {
        "sutton_graves": heating.sutton_graves(*flow),
        "cold_wall": heating.stagnation(*flow),
        "brandis_johnston": heating.brandis_johnston(*flow) / 1e4,
    }


SHAPE = GliderShape()
OVERHEAD = np.array([0.0, 0.0, 1.0])


def v_402(speed_km_s: float) -> Found:
    speed = 1e3 * speed_km_s
    glider = Glider(lift_to_drag=2.6, ballistic_coefficient_kg_m2=13_001.8)
    place, heading = np.array([EARTH_MEAN_RADIUS_M, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    level = equilibrium(glider, speed, place, heading, SPHERE)
    assert level is not None
    around = air(level.height_m)
    rho = around.density_kg_m3

    def skin(flux: float) -> float:
        return heating.skin_temperature(flux, speed, SHAPE.emissivity)

    return {
        "height": level.height_m / 1e3,
        "mach": speed / around.sound_m_s,
        "stagnation": skin(heating.stagnation(rho, speed, SHAPE.nose_radius_m)),
        "skin_1m": skin(heating.laminar_plate(rho, speed, 1.0, SHAPE.front_angle_rad)),
        "skin_3_5m": skin(heating.laminar_plate(rho, speed, 3.5, SHAPE.rear_angle_rad)),
        **{
            name: intensity(of_glider(BANDS[name], np.array([speed]), np.array([level.height_m])), OVERHEAD)[
                0
            ]
            / 1e3
            for name in ("swir", "water", "mwir", "lwir")
        },
    }


def v_403(fast_km_s: float, slow_km_s: float) -> Found:
    fast, slow = v_402(fast_km_s), v_402(slow_km_s)
    return {name: fast[name] / slow[name] for name in ("swir", "lwir")}


@cache
def _hayabusa() -> Found:
    """The capsule from 200 km down over a sphere without rotation: 16.3 kg, 0.40 m across, Cd 1.2, nose 0.2 m."""
    speed, angle, emissivity, nose = 11_700.0, np.deg2rad(-12.4), 0.9, 0.2
    drag = 1.2 * np.pi * 0.2**2 / 16.3
    start = [EARTH_MEAN_RADIUS_M + 200e3, 0.0, 0.0, speed * np.sin(angle), speed * np.cos(angle), 0.0]
    step = 0.25
    arc = integrate(
        np.array([start]), 0.0, step, coast_controls(round(400 / step)), unpowered_batch(drag, 1), SPHERE
    )
    path = arc.states[0, : arc.steps[0] + 1]
    h = np.linalg.norm(path[:, :3], axis=1) - EARTH_MEAN_RADIUS_M
    v = np.linalg.norm(path[:, 3:], axis=1)
    fast = v > heating.STAGNATION_RANGE_M_S[0]
    flux = heating.sutton_graves(density(h[fast]), v[fast], nose)
    k = int(np.argmax(flux))
    low = int(np.argmax(h[fast] < 42e3))
    return {
        "peak_heating": flux[k] / 1e6,
        "peak_height": h[k] / 1e3,
        "speed": v[k],
        "cold_wall": heating.cold_wall_temperature(flux[k], emissivity),
        "at_42_km": heating.cold_wall_temperature(flux[low], emissivity),
    }


def v_404() -> Found:
    return _hayabusa()


def v_405(temperature_k: float) -> Found:
    return {_key(name): radiance(band, temperature_k) for name, band in BANDS.items()}


def v_406() -> Found:
    found: Found = {_key(name): sun_irradiance(band) for name, band in BANDS.items()}
    return {**found, "total": total_radiance(SUN_TEMPERATURE_K) * SUN_SOLID_ANGLE_SR}


def v_406_reflected(albedo: float) -> Found:
    return {_key(name): reflected_sun(band, albedo, 1.0) for name, band in BANDS.items()}


def v_407(temperature_k: float) -> Found:
    return {_key(name): photon_radiance(band, temperature_k) for name, band in BANDS.items()}


def _key(name: str) -> str:
    return name.replace("-", "_")

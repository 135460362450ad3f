"""V-4xx: signatures and backgrounds."""

from __future__ import annotations

from typing import Any

from noroshi.constants import SUN_TEMPERATURE_K
from noroshi.radiometry import (
    BANDS,
    SUN_SOLID_ANGLE_SR,
    photon_radiance,
    radiance,
    reflected_sun,
    sun_irradiance,
    total_radiance,
)

Found = dict[str, Any]


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

"""V-5xx: sensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from noroshi.radiometry import band_named, photon_radiance
from noroshi.sensors import focal_plane, infrared, triangulation
from noroshi.sensors.focal_plane import FocalPlane, Scene

Found = dict[str, Any]

RANGE_M, SIGMA_RAD = 2_000e3, 50e-6


def v_501(
    band: str,
    quantum_efficiency: float,
    integration_s: float,
    background_k: float,
    intensity_w_sr: float,
    range_km: float,
) -> Found:
    plane = FocalPlane(
        band=band_named(band),
        aperture_m=0.20,
        focal_m=0.60,
        pitch_m=15e-6,
        pixels_across=1000,
        pixels_along=1000,
        integration_s=integration_s,
        quantum_efficiency=quantum_efficiency,
        optics_transmission=0.7,
        box_fraction=0.7,
        read_noise_e=50.0,
    )
    photons = photon_radiance(band_named(band), background_k)
    irradiance = infrared.irradiance(intensity_w_sr, 1e3 * range_km)
    return {
        "signal": focal_plane.signal_electrons(plane, irradiance),
        "background": focal_plane.background_electrons(plane, photons),
        "snr": focal_plane.snr(plane, irradiance, Scene(photons)),
        "nei": focal_plane.nei_without_clutter(plane, photons),
    }


def v_503_gauss(threshold: float, snr: float) -> Found:
    return {
        "p_false_alarm": infrared.p_false_alarm(threshold),
        "p_detect": infrared.p_detect(snr, threshold, 1.0),
    }


def v_506(separation_deg: float) -> Found:
    half = np.deg2rad(separation_deg) / 2.0
    lines = np.array([[np.cos(half), np.sin(half), 0.0], [np.cos(half), -np.sin(half), 0.0]])
    return {"rss": triangulation.rss(triangulation.covariance(lines, RANGE_M, SIGMA_RAD))}


def v_507(sensors: int) -> Found:
    angle = 2.0 * np.pi * np.arange(sensors) / sensors
    level = np.sqrt(0.5)
    lines = np.stack([level * np.cos(angle), level * np.sin(angle), np.full(sensors, level)], axis=-1)
    return {"rss": triangulation.rss(triangulation.covariance(lines, RANGE_M, SIGMA_RAD))}


def v_508(aspect_deg: float) -> Found:
    figures = (300e3, 3_000e3, SIGMA_RAD, np.deg2rad(aspect_deg))
    return {
        "exact": triangulation.range_sigma_of_two(*figures),
        "approximate": triangulation.range_sigma_far(*figures),
    }


def v_509(range_km: float) -> Found:
    return {"irradiance": infrared.irradiance(1000.0, 1e3 * range_km)}

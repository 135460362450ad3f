"""V-5xx: sensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from noroshi.radiometry import band_named, photon_radiance
from noroshi.sensors import focal_plane, horizon, infrared, radar_equation, swerling, triangulation
from noroshi.sensors.focal_plane import FocalPlane, Scene
from noroshi.sensors.radar_equation import RadarDesign

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


# Inputs of V-502; losses as a ratio
RADAR = RadarDesign(
    average_power_w=81e3,
    aperture_m2=9.2,
    efficiency=0.8,
    frequency_hz=9.5e9,
    dwell_s=0.1,
    losses=6.3,
    noise_temperature_k=500.0,
    bandwidth_hz=1e6,
)


def v_502(rcs_m2: float, snr: float) -> Found:
    return {"range": radar_equation.range_for_snr(RADAR, rcs_m2, snr) / 1e3}


def v_502_scaling() -> Found:
    large, small = (radar_equation.range_for_snr(RADAR, rcs, 20.0) for rcs in (1.0, 0.01))
    return {"range_ratio": large / small, "gain": 10.0 * np.log10(radar_equation.gain(RADAR))}


def v_503(snr: float) -> Found:
    return {"p_detect": swerling.p_detect(1, snr, 1, 1e-6)}


def v_503_gauss(threshold: float, snr: float) -> Found:
    return {
        "p_false_alarm": infrared.p_false_alarm(threshold),
        "p_detect": infrared.p_detect(snr, threshold, 1.0),
    }


def v_504(radar: str, sensor_m: float, k: float, target_km: float) -> Found:
    return {"range": horizon.ground_range(sensor_m, 1e3 * target_km, k=k) / 1e3}


def v_504_elevation(target_km: float) -> Found:
    found = horizon.ground_range(0.0, 1e3 * target_km, elevation_min_rad=np.deg2rad(3.0), k=4.0 / 3.0)
    return {"range": found / 1e3}


def v_504_time(radar: str, sensor_m: float, speed_km_s: float) -> Found:
    away = horizon.ground_range(sensor_m, 40e3, k=4.0 / 3.0)
    return {"time": horizon.time_to_overhead(away, 1e3 * speed_km_s)}


def v_505(range_km: float, k: float) -> Found:
    found = horizon.rise(1e3 * range_km, 20.0, k)
    return {"ground_range": found.ground_range_m / 1e3, "time_left": found.time_left_s}


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

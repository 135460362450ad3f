"""V-2xx: what the ellipsoid hides. The rest of the group joins with the coverage capability."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import root_scalar

from noroshi.constants import EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M
from noroshi.earth import earth_behind_margin, itrs_from_geodetic, occlusion_margin


def limb(
    sensor_lat_deg: float,
    sensor_lon_deg: float,
    sensor_km: float,
    target_km: float,
    along: str,
    shell_km: float = 0.0,
) -> dict[str, Any]:
    sensor = _place(sensor_lat_deg, sensor_lon_deg, sensor_km)

    def target(degrees: float) -> np.ndarray:
        return _place(0.0, degrees, target_km) if along == "longitude" else _place(degrees, 0.0, target_km)

    start = sensor_lat_deg if along == "latitude" else sensor_lon_deg
    away = -1.0 if start > 45.0 else 1.0

    def edge(margin: Any, least: float, most: float) -> float:
        return root_scalar(
            lambda x: margin(sensor, target(x)),
            bracket=(start + away * least, start + away * most),
            xtol=1e-11,
        ).root

    visible = edge(lambda s, t: occlusion_margin(s, t, 1e3 * shell_km), 30.0, 45.0)
    return {"visible_to": visible, "earth_behind_to": edge(earth_behind_margin, 15.0, 30.0)}


def v_204() -> dict[str, Any]:
    sensor, target = _place(20.0, 130.0, 1000.0), _place(40.0, 150.0, 40.0)
    return {
        "occlusion_margin": occlusion_margin(sensor, target),
        "background_margin": earth_behind_margin(sensor, target),
        "range": np.linalg.norm(sensor - target) / 1e3,
    }


def v_205(pairs: int) -> dict[str, Any]:
    """Satellites of 300 to 2000 km and targets of 1 to 120 km, up to 70 deg apart."""
    rng = np.random.default_rng(205)
    lat, lon = rng.uniform(-np.pi / 2, np.pi / 2, pairs), rng.uniform(-np.pi, np.pi, pairs)
    azimuth, away = rng.uniform(0.0, 2.0 * np.pi, pairs), rng.uniform(0.0, 1.2, pairs)
    end = np.arcsin(np.sin(lat) * np.cos(away) + np.cos(lat) * np.sin(away) * np.cos(azimuth))
    east = np.arctan2(np.sin(azimuth) * np.sin(away) * np.cos(lat), np.cos(away) - np.sin(lat) * np.sin(end))
    sensor = itrs_from_geodetic(lat, lon, rng.uniform(300e3, 2000e3, pairs))
    target = itrs_from_geodetic(end, lon + east, rng.uniform(1e3, 120e3, pairs))
    margin = occlusion_margin(sensor, target)
    return {
        "disagreements": int(np.sum((margin < 0.0) != _blocked(sensor, target))),
        "asymmetries": int(np.sum(occlusion_margin(target, sensor) != margin)),
    }


def _blocked(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether the segment meets the ellipsoid: the quadratic of the ray, solved directly."""
    axes = np.array([EARTH_RADIUS_M, EARTH_RADIUS_M, EARTH_POLAR_RADIUS_M])
    start, way = a / axes, (b - a) / axes
    square, mixed, rest = (way * way).sum(1), (start * way).sum(1), (start * start).sum(1) - 1.0
    inside = mixed * mixed - square * rest
    first = (-mixed - np.sqrt(np.maximum(inside, 0.0))) / square
    return (inside > 0.0) & (first > 0.0) & (first < 1.0)


def _place(lat_deg: float, lon_deg: float, height_km: float) -> np.ndarray:
    return itrs_from_geodetic(np.deg2rad(lat_deg), np.deg2rad(lon_deg), np.float64(1e3 * height_km))

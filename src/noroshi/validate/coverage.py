"""V-2xx: what the ellipsoid hides, and constellations on a sphere that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import cbrt, gcd, pi
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar, root_scalar

from noroshi.constants import (
    EARTH_MEAN_RADIUS_M,
    EARTH_MU,
    EARTH_POLAR_RADIUS_M,
    EARTH_RADIUS_M,
    EARTH_RATE_RAD_S,
)
from noroshi.coverage import closed_form
from noroshi.coverage.figures import overall
from noroshi.coverage.limits import Figures, Limit, quality, table
from noroshi.coverage.models import SPHERE, WGS84, Body
from noroshi.coverage.points import fibonacci
from noroshi.coverage.rosette import ranges, rosette, worst_range
from noroshi.earth import earth_behind_margin, itrs_from_geodetic, occlusion_margin
from noroshi.orbits.ephemeris import Group, Mean
from noroshi.orbits.walker import Pattern, walker
from noroshi.survey import Network, Window, shell, survey
from noroshi.time import epoch_from_utc


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


def v_207(orbits: str) -> dict[str, Any]:
    """Circular orbits on mean elements; at random: planes of every inclination and phase."""
    closed = closed_form.mean_fold(288, closed_form.horizon_half_angle(1000e3, 40e3, 0.0))
    elements = walker("delta", 288, 12, 1, EARTH_RADIUS_M + 1000e3, np.deg2rad(60.0))
    if orbits == "at random":
        rng = np.random.default_rng(207)
        turn = rng.uniform(0.0, 2.0 * np.pi, (2, 288))
        elements = elements._replace(
            i=np.arccos(rng.uniform(-1.0, 1.0, 288)), raan=turn[0], mean_anomaly=turn[1]
        )
    found = _day(Mean(_names(288), elements), SPHERE)
    return {"closed_form": closed, "counted": found["mean_fold"]}


def v_208() -> dict[str, Any]:
    epoch = epoch_from_utc(_EPOCH)
    found = _day(shell(_names(288), "delta", 12, 1, 1000e3, np.deg2rad(60.0), epoch, "sgp4"), WGS84)
    shares = found["fraction_at_least"]
    return {**found, "at_least_1": shares["1"], "at_least_2": shares["2"]}


_EPOCH = "2026-11-22T00:00:00Z"


def _day(group: Group, body: Body) -> dict[str, Any]:
    """The figures of a day of samples every minute over 10,000 Fibonacci points at 40 km, the body alone in the way."""
    count = len(group.names)
    network = Network((group,), table([Limit()] * count), quality([Figures(1e-6)] * count))
    window = Window(epoch_from_utc(_EPOCH), 60.0, 86400.0)
    return overall(survey(network, fibonacci(10_000, 40e3), window, body=body).coverage)


def _names(count: int) -> tuple[str, ...]:
    return tuple(str(k) for k in range(count))


def _place(lat_deg: float, lon_deg: float, height_km: float) -> np.ndarray:
    return itrs_from_geodetic(np.deg2rad(lat_deg), np.deg2rad(lon_deg), np.float64(1e3 * height_km))


def v_209(satellites: int, planes: int, harmonic: str, inclination_deg: float) -> dict[str, Any]:
    pattern = rosette(satellites, planes, float(Fraction(harmonic)))
    i, deg = np.deg2rad(inclination_deg), np.deg2rad(1.0)

    def worst(inclination: float) -> float:
        return worst_range(*pattern, inclination)

    best = minimize_scalar(worst, bounds=(i - deg, i + deg), method="bounded", options={"xatol": 1e-5})
    return {"worst_range": np.rad2deg(worst(i)), "worst_range_at_best": np.rad2deg(best.fun)}


def v_210(planes: int, per_plane: int, spacing_deg: float) -> dict[str, Any]:
    """Planes a spacing apart, every other one half a slot on."""
    plane, slot = np.repeat(np.arange(planes), per_plane), np.tile(np.arange(per_plane), planes)
    phase = 2.0 * pi * (slot + plane / 2.0) / per_plane
    worst = np.rad2deg(worst_range(plane * np.deg2rad(spacing_deg), phase, pi / 2))
    by_streets = closed_form.streets(planes, per_plane)
    half_angle = np.rad2deg(by_streets.half_angle)
    return {
        "worst_range": worst,
        "streets_half_angle": half_angle,
        "streets_spacing": np.rad2deg(by_streets.spacing),
        "streets_bound_it": bool(half_angle >= worst),
    }


def v_211(fold: int) -> dict[str, Any]:
    """Every rosette of 3 satellites, 4, ... at inclinations 15 deg apart, until one's footprints stay below 90 deg."""
    satellites = max(3, fold)
    while not any(_covers(raan, phase, i, fold) for raan, phase, i in _rosettes(satellites)):
        satellites += 1
    return {"satellites": satellites}


def _rosettes(satellites: int) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    for per_plane in (q for q in range(1, satellites + 1) if satellites % q == 0):
        for multiple in (k for k in range(satellites) if per_plane == 1 or gcd(k, per_plane) == 1):
            pattern = rosette(satellites, satellites // per_plane, multiple / per_plane)
            for inclination_deg in range(15, 91, 15):
                yield *pattern, np.deg2rad(inclination_deg)


def _covers(raan: np.ndarray, phase: np.ndarray, inclination: float, fold: int) -> bool:
    """Whether the worst range is below 90 deg for certain; most patterns fail at one of a few moments."""
    few = pi * np.arange(12) / 12
    if ranges(raan, phase, inclination, few, fold).max() > pi / 2 - 1e-3:
        return False
    return worst_range(raan, phase, inclination, fold, 1e-3) + 1e-3 < pi / 2


def v_212(
    satellites: int, planes: int, harmonic: str, inclination_deg: float, sidereal_h: float
) -> dict[str, Any]:
    pattern = rosette(satellites, planes, float(Fraction(harmonic)))
    worst = worst_range(*pattern, np.deg2rad(inclination_deg))
    rate = EARTH_RATE_RAD_S * 24.0 / sidereal_h
    height = cbrt(EARTH_MU / rate**2) - EARTH_RADIUS_M
    return {
        "worst_range": np.rad2deg(worst),
        "least_elevation": np.rad2deg(closed_form.elevation_at(worst, height)),
        "height_in_radii": height / EARTH_RADIUS_M,
    }


def v_213(planes: int, per_plane: int, altitude_km: float, elevation_deg: float) -> dict[str, Any]:
    star = closed_form.streets(planes, per_plane)
    footprint = closed_form.elevation_half_angle(1e3 * altitude_km, np.deg2rad(elevation_deg))
    return {
        "streets_half_angle": np.rad2deg(star.half_angle),
        "streets_spacing": np.rad2deg(star.spacing),
        "seam": np.rad2deg(star.seam),
        "footprint": np.rad2deg(footprint),
    }


def v_214(altitude_km: float, elevation_deg: float) -> dict[str, Any]:
    half_angle = float(
        closed_form.elevation_half_angle(
            1e3 * altitude_km, np.deg2rad(elevation_deg), radius_m=EARTH_MEAN_RADIUS_M
        )
    )
    planes, per_plane = closed_form.fewest_streets(half_angle)
    estimate = closed_form.beste_estimate(half_angle)
    return {
        "half_angle": np.rad2deg(half_angle),
        "satellites": planes * per_plane,
        "planes": planes,
        "per_plane": per_plane,
        "estimate": estimate,
        "estimate_share": estimate / (planes * per_plane),
    }


LATITUDES_DEG = (0.0, 30.0, 45.0, 60.0, 75.0)


def v_215(
    planes: int, per_plane: int, inclination_deg: float, limit: str, altitude_km: float, target_km: float
) -> dict[str, Any]:
    half_angle = _footprint(limit, altitude_km, target_km)
    mean = closed_form.mean_fold_by_latitude(
        np.deg2rad(LATITUDES_DEG), planes * per_plane, np.deg2rad(inclination_deg), half_angle
    )
    return {"half_angle": np.rad2deg(half_angle), "mean_count": mean}


def v_216(
    planes: int,
    per_plane: int,
    pattern: Pattern,
    inclination_deg: float,
    limit: str,
    altitude_km: float,
    target_km: float,
) -> dict[str, Any]:
    i, a = np.deg2rad(inclination_deg), EARTH_MEAN_RADIUS_M + 1e3 * altitude_km
    star = walker(
        pattern, planes * per_plane, planes, planes / 2, a, i
    )  # planes half a slot apart, counted on
    seen = closed_form.fraction_by_latitude(
        np.deg2rad(LATITUDES_DEG), star.raan, star.mean_anomaly, i, _footprint(limit, altitude_km, target_km)
    )
    return {"at_least_1": 100.0 * seen[:, 0], "at_least_2": 100.0 * seen[:, 1]}


def _footprint(limit: str, altitude_km: float, target_km: float) -> float:
    heights = {"altitude_m": 1e3 * altitude_km, "target_m": 1e3 * target_km, "radius_m": EARTH_MEAN_RADIUS_M}
    if limit == "limb":
        return float(closed_form.horizon_half_angle(**heights))
    return float(closed_form.elevation_half_angle(elevation_rad=np.deg2rad(float(limit)), **heights))


def v_217(altitude_km: float, target_km: float) -> dict[str, Any]:
    heights = {"altitude_m": 1e3 * altitude_km, "target_m": 1e3 * target_km, "radius_m": EARTH_MEAN_RADIUS_M}
    half_angle = closed_form.horizon_half_angle(**heights)
    return {
        "half_angle": np.rad2deg(half_angle),
        "share": 100.0 * closed_form.share_of_sphere(half_angle),
        "slant": closed_form.slant_range(half_angle, **heights) / 1e3,
    }


def v_218(altitude_km: float) -> dict[str, Any]:
    """A tenth of the sphere for four: a fortieth each."""
    fewest = [v_214(altitude_km, elevation_deg)["satellites"] for elevation_deg in (0.0, 5.0)]
    sphere = {"altitude_m": 1e3 * altitude_km, "radius_m": EARTH_MEAN_RADIUS_M}
    half_angle = closed_form.half_angle_of_share(0.1 / 4)
    return {
        "to_the_horizon": fewest[0],
        "to_5_deg": fewest[1],
        "forty_between": bool(fewest[0] <= 40 <= fewest[1]),
        "half_angle": np.rad2deg(half_angle),
        "elevation": np.rad2deg(closed_form.elevation_at(half_angle, **sphere)),
        "slant": closed_form.slant_range(half_angle, **sphere) / 1e3,
    }

"""V-0xx: time and frames against the published test set."""

from __future__ import annotations

from typing import Any

import erfa
import numpy as np

from noroshi.constants import EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M
from noroshi.earth import geodetic_from_itrs, itrs_from_geodetic, occlusion_margin
from noroshi.frames import (
    celestial,
    earth_rotation_angle,
    itrs_from_gcrs,
    mean_sidereal_time,
    rotate,
)
from noroshi.time import (
    EarthOrientation,
    Epoch,
    epoch_from_utc,
    julian_tt,
    load_earth_orientation,
    tai_minus_utc,
)

NOW = np.zeros(1)
ORBIT_M = 7_378_000.0
DAY = np.arange(0.0, 86_401.0, 60.0)


def v_001(ut1_day: float, ut1_fraction: float) -> dict[str, Any]:
    return {"angle": earth_rotation_angle(Epoch(ut1_day, ut1_fraction), NOW, _ut1_is_tt(ut1_fraction))[0]}


def v_002(ut1_day: float, ut1_fraction: float) -> dict[str, Any]:
    return {"angle": mean_sidereal_time(Epoch(ut1_day, ut1_fraction), NOW, _ut1_is_tt(ut1_fraction))[0]}


def v_003(day: float, fraction: float) -> dict[str, Any]:
    rotation = earth_rotation_angle(Epoch(day, fraction), NOW, _ut1_is_tt(fraction))[0]
    apparent = rotation - erfa.eo06a(day, fraction)
    return {"mean": apparent - erfa.ee06a(day, fraction), "apparent": apparent}


def v_004(mjd: float, xp_rad: float, yp_rad: float) -> dict[str, Any]:
    m = itrs_from_gcrs(Epoch(2400000.5, mjd), NOW, _ut1_is_tt(mjd, xp_rad, yp_rad))[0]
    return {"row_1": m[0], "row_2": m[1], "row_3": m[2]}


def v_005(lon_rad: float, lat_rad: float, height_m: float) -> dict[str, Any]:
    return {"r_itrs": itrs_from_geodetic(lat_rad, lon_rad, height_m)}


def v_006(x_m: float, y_m: float, z_m: float) -> dict[str, Any]:
    lat, lon, height = geodetic_from_itrs(np.array([x_m, y_m, z_m]))
    return {"lon": lon, "lat": lat, "height": height}


def v_007(utc_day: float, utc_fraction: float) -> dict[str, Any]:
    # the instant as noroshi keeps it (TT), less the constant between TT and TAI
    year, month, day, fraction = erfa.jd2cal(utc_day, utc_fraction)
    seconds = fraction * 86_400.0
    clock = f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:.12f}"
    epoch = epoch_from_utc(f"{int(year)}-{int(month):02d}-{int(day):02d}T{clock}Z")
    tai_day = utc_day
    return {"tai_day": tai_day, "tai_fraction": (epoch.day - tai_day) + (epoch.fraction - 32.184 / 86_400.0)}


def v_007_leap(mjd_utc: float) -> dict[str, Any]:
    return {"offset": tai_minus_utc(mjd_utc)}


def v_008(mjd: float) -> dict[str, Any]:
    angle = mean_sidereal_time(Epoch(2400000.5, mjd), NOW, _ut1_is_tt(mjd))[0]
    return {"angle": np.rad2deg(angle)}


def v_009(utc: str) -> dict[str, Any]:
    epoch = epoch_from_utc(utc)
    exact = erfa.c2i06a(*julian_tt(epoch, DAY))
    coarse = erfa.c2i00b(*julian_tt(epoch, DAY))
    near = celestial(epoch, DAY)

    def worst(other: np.ndarray) -> float:
        return float(
            max(np.linalg.norm((other - exact) @ (ORBIT_M * axis), axis=-1).max() for axis in np.eye(3))
        )

    return {"hourly_nodes": worst(near), "iau_2000b": worst(coarse)}


def v_010(utc: str) -> dict[str, Any]:
    rng = np.random.default_rng(10)
    m = itrs_from_gcrs(epoch_from_utc(utc), DAY, load_earth_orientation())
    sensor, target = (rng.normal(size=(len(DAY), 3)) for _ in range(2))
    sensor *= (7.4e6 / np.linalg.norm(sensor, axis=1))[:, None]
    target *= (6.5e6 / np.linalg.norm(target, axis=1))[:, None]
    turned = rotate(m, sensor), rotate(m, target)
    there = np.linalg.norm(sensor - target, axis=1)
    here = np.linalg.norm(turned[0] - turned[1], axis=1)
    margin = np.abs(_margin_about(m[:, 2], sensor, target) - occlusion_margin(*turned)).max()
    return {"range_difference": np.abs(there - here).max(), "margin_difference": margin}


def _margin_about(pole: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The occlusion margin in any axes: the ellipsoid's axis is `pole`, the rest of it is round."""

    def scaled(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        along = (r * pole).sum(1)[:, None]
        s = (r - along * pole) / EARTH_RADIUS_M + along * pole / EARTH_POLAR_RADIUS_M
        return s, np.sqrt((s * s).sum(1) - 1.0)

    (sa, wa), (sb, wb) = scaled(a), scaled(b)
    return (sa * sb).sum(1) + wa * wb - 1.0


def _ut1_is_tt(mjd: float, xp_rad: float = 0.0, yp_rad: float = 0.0) -> EarthOrientation:
    """Earth orientation of one day with which UT1 equals TT, as the published tests have it."""
    dut1 = 32.184 + float(tai_minus_utc(mjd))
    return EarthOrientation(*(np.array([value]) for value in (mjd, dut1, xp_rad, yp_rad)))

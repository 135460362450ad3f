"""Figures of orbit design in closed form: Sun-synchronous inclination, Kozai mean motion, time in shadow."""

from __future__ import annotations

from typing import Any

import numpy as np

from noroshi.constants import EARTH_J2, EARTH_MU, EARTH_RADIUS_M
from noroshi.errors import PhysicsError

SUN_RATE_RAD_S = 2.0 * np.pi / (365.2422 * 86400.0)  # of the mean Sun: one tropical year

# WGS-72, the constants inside SGP4 and so of every TLE (Hoots and Roehrich 1980; AIAA 2006-6753); never elsewhere
WGS72_RADIUS_M = 6_378_135.0
WGS72_MU = 3.986008e14  # m3/s2
WGS72_J2 = 1.082616e-3


def sun_synchronous_inclination(a_m: float, e: float = 0.0) -> float:
    """Inclination [rad] at which J2 turns the node with the mean Sun (first order, as `kepler.secular_rates`).

    Raises PhysicsError above the highest orbit that can (12,352 km of radius when circular).
    """
    if not (0.0 <= e < 1.0) or not a_m * (1.0 - e) > EARTH_RADIUS_M:
        raise PhysicsError(
            f"a semi-major axis of {a_m / 1e3:,.0f} km with eccentricity {e:g} meets the ground",
            remedy=f"raise the perigee above {EARTH_RADIUS_M / 1e3:,.0f} km from the centre",
        )
    k = 1.5 * np.sqrt(EARTH_MU) * EARTH_J2 * EARTH_RADIUS_M**2 / (1.0 - e * e) ** 2
    cosine = -SUN_RATE_RAD_S * a_m**3.5 / k
    if cosine < -1.0:
        highest = (k / SUN_RATE_RAD_S) ** (2.0 / 7.0)
        raise PhysicsError(
            f"no orbit of semi-major axis {a_m / 1e3:,.0f} km keeps up with the Sun",
            remedy=f"stay below {np.floor(highest / 1e3):,.0f} km",
        )
    return float(np.arccos(cosine))


def semi_major_axis_from_kozai(mean_motion_rad_s: Any, e: Any, inclination_rad: Any) -> Any:
    """Semi-major axis [m] behind a TLE's mean motion, which is Kozai's (Hoots and Roehrich 1980, SGP4; WGS-72)."""
    n = np.asarray(mean_motion_rad_s, np.float64)
    naive = (WGS72_MU / (n * n)) ** (1.0 / 3.0)
    shape = (3.0 * np.cos(inclination_rad) ** 2 - 1.0) / (1.0 - np.asarray(e) ** 2) ** 1.5
    pull = 0.75 * WGS72_J2 * WGS72_RADIUS_M**2 * shape  # k2 times 3/2
    d = pull / naive**2
    middle = naive * (1.0 - d * (1.0 / 3.0 + d * (1.0 + 134.0 / 81.0 * d)))
    d = pull / middle**2
    brouwer = n / (1.0 + d)
    return (WGS72_MU / (brouwer * brouwer)) ** (1.0 / 3.0)


def kozai_from_semi_major_axis(a_m: Any, e: Any, inclination_rad: Any) -> Any:
    """Kozai's mean motion [rad/s] that `semi_major_axis_from_kozai` turns back into a_m (WGS-72)."""
    a = np.asarray(a_m, np.float64)
    n = np.sqrt(WGS72_MU / a**3)
    for _ in range(5):  # each takes the error, at most a part in 1e3, down by about as much
        n = n * (semi_major_axis_from_kozai(n, e, inclination_rad) / a) ** 1.5
    return n


def eclipse_fraction(a_m: Any, beta_rad: Any) -> Any:
    """Share of a circular orbit in the cylinder behind a sphere of the equatorial radius.

    beta: angle between the Sun and the orbit's plane. Zero beyond `eclipse_beta`.
    """
    _above_ground(a_m)
    # where it enters: the foot of the tangent, cos u = sqrt(1 - (Re/a)^2) / cos beta, u from the point behind
    edge = np.sqrt(1.0 - (EARTH_RADIUS_M / np.asarray(a_m)) ** 2)
    return np.arccos(np.minimum(edge / np.maximum(np.cos(beta_rad), 1e-300), 1.0)) / np.pi


def eclipse_beta(a_m: Any) -> Any:
    """beta* [rad]: with the Sun further than this from its plane a circular orbit has no eclipse (cylinder)."""
    _above_ground(a_m)
    return np.arcsin(EARTH_RADIUS_M / np.asarray(a_m))


def _above_ground(a_m: Any) -> None:
    if not np.all(np.asarray(a_m) > EARTH_RADIUS_M):
        raise PhysicsError(
            f"a circular orbit of radius {np.min(a_m) / 1e3:,.0f} km is inside the Earth",
            remedy=f"use more than {EARTH_RADIUS_M / 1e3:,.0f} km",
        )

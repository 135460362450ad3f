"""Free flight over a sphere without rotation or air: the closed forms that published flights are judged by.

Surface to surface on one Kepler ellipse (R = 6371 km); Bate, Mueller & White, Fundamentals of Astrodynamics
(1971), chapter 6. The real flight is `targets.ballistic`.
"""

from __future__ import annotations

from math import acos, asin, atan, cos, degrees, pi, sin, sqrt, tan
from typing import NamedTuple

from noroshi.constants import EARTH_MEAN_RADIUS_M, EARTH_MU
from noroshi.errors import FlightError

# A report is consistent when it is longer than free fall alone by boost and drag, with a minute of rounding:
# 13 public flights of 2017-2024 lie at 34-233 s, one disputed report at -23 s (docs/theory/targets.md)
RESIDUAL_MIN_S, RESIDUAL_MAX_S = 30.0, 280.0


class Ellipse(NamedTuple):
    """The ellipse of one apogee height and surface range."""

    semi_major_m: float
    eccentricity: float
    time_s: float  # surface to surface
    speed_m_s: float  # at the surface
    angle_rad: float  # of the path above the horizontal, at the surface
    apogee_m: float  # above the sphere


def free_flight(apogee_m: float, range_m: float) -> Ellipse:
    """The ellipse with this apogee height that meets the sphere at two points `range_m` apart along it."""
    if not (apogee_m > 0.0 and 0.0 < range_m < 2.0 * pi * EARTH_MEAN_RADIUS_M):
        raise FlightError(
            f"no free flight has an apogee of {apogee_m / 1e3:g} km and a range of {range_m / 1e3:g} km",
            remedy="give an apogee above the ground and a range between 0 and 40,030 km",
        )
    surface = EARTH_MEAN_RADIUS_M
    top = surface + apogee_m
    half = range_m / (2.0 * surface)
    e = (top - surface) / (top - surface * cos(half))
    a = top / (1.0 + e)
    anomaly = pi - half  # true anomaly at launch
    eccentric = 2.0 * atan(sqrt((1.0 - e) / (1.0 + e)) * tan(anomaly / 2.0))
    time = 2.0 * sqrt(a**3 / EARTH_MU) * (pi - eccentric + e * sin(eccentric))
    speed = sqrt(EARTH_MU * (2.0 / surface - 1.0 / a))
    level = sqrt(EARTH_MU * a * (1.0 - e * e)) / surface  # angular momentum / radius
    return Ellipse(a, e, time, speed, acos(min(1.0, level / speed)), apogee_m)


def minimum_energy_flight(range_m: float) -> Ellipse:
    """The slowest flight over a range [m]: v^2 = (2 mu/R) s/(1 + s), angle (pi - phi)/4, s = sin(phi/2).

    Raises FlightError from half the circumference on, where the shorter way round is the other one.
    """
    if not 0.0 < range_m < pi * EARTH_MEAN_RADIUS_M:
        raise FlightError(
            f"no flight over {range_m / 1e3:g} km has a least energy",
            remedy="give a range between 0 and 20,015 km; beyond, the way round the other side is shorter",
        )
    return flight_at_angle(range_m, (pi - range_m / EARTH_MEAN_RADIUS_M) / 4.0)


def flight_at_angle(range_m: float, angle_rad: float) -> Ellipse:
    """The flight over a range [m] whose path leaves the surface at an angle above the horizontal [rad].

    v^2 = (mu/R) s / (cos g sin(g + phi/2)), s = sin(phi/2). Smaller angles than (pi - phi)/4 are depressed
    flights, larger ones lofted. Raises FlightError for an angle that no ellipse has: not between 0 and
    pi/2 - phi/4, where the speed of escape is reached.
    """
    half = range_m / (2.0 * EARTH_MEAN_RADIUS_M)
    steepest = (pi - half) / 2.0
    if not (0.0 < half < pi and 0.0 < angle_rad < steepest):
        fits = 0.0 < half < pi
        raise FlightError(
            f"no flight leaves at {degrees(angle_rad):g} deg and comes down {range_m / 1e3:g} km away",
            remedy=f"the angle must lie between 0 and {degrees(steepest):.2f} deg"
            if fits
            else "give a range between 0 and 40,030 km",
        )
    surface = EARTH_MEAN_RADIUS_M
    q = sin(half) / (cos(angle_rad) * sin(angle_rad + half))  # v^2 R / mu
    a = surface / (2.0 - q)
    e = sqrt(max(0.0, 1.0 - q * (2.0 - q) * cos(angle_rad) ** 2))
    return free_flight(a * (1.0 + e) - surface, range_m)


def minimum_energy_range(speed_m_s: float) -> float | None:
    """Longest range [m] of a surface speed; None above circular speed, where every range can be had."""
    q = speed_m_s**2 * EARTH_MEAN_RADIUS_M / EARTH_MU
    if q >= 1.0:
        return None
    return 2.0 * EARTH_MEAN_RADIUS_M * asin(q / (2.0 - q))


def published_time_residual(apogee_m: float, range_m: float, reported_s: float) -> float:
    """Reported time of flight minus free-flight time [s]: boost, drag and rounding, or a contradiction."""
    return reported_s - free_flight(apogee_m, range_m).time_s


def consistent(residual_s: float) -> bool:
    """Whether a residual of `published_time_residual` fits a boost phase, drag and rounding to the minute."""
    return RESIDUAL_MIN_S <= residual_s <= RESIDUAL_MAX_S


class Burnout(NamedTuple):
    """Free flight from a burn-out back to its own radius."""

    angle_rad: float  # of the path above the horizontal
    range_angle_rad: float  # at the centre of the Earth


def longest_from_burnout(speed_m_s: float, radius_m: float) -> Burnout | None:
    """The path angle of the longest free flight at a burn-out speed and radius; None at circular speed or above.

    sin(Psi/2) = Q/(2 - Q), angle = (pi - Psi)/4 with Q = v^2 r/mu (Bate, Mueller & White, chapter 6).
    """
    q = speed_m_s**2 * radius_m / EARTH_MU
    if q >= 1.0:
        return None
    angle = 2.0 * asin(q / (2.0 - q))
    return Burnout((pi - angle) / 4.0, angle)

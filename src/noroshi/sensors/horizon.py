"""How far a radar sees over a smooth sphere: straight rays, the effective Earth, and rays bent by real-like air.

Heights and ground ranges are above and along a sphere of 6371 km; ground ranges count from below the sensor. With
factor k the Earth has radius k R and rays are straight: k = 1 without air, k = 4/3 for the air of the lowest 10 km or
so. `air` instead bends the ray by Bouguer's law, n r cos e = constant, in air of exponentially falling refractivity.
Plain numbers or NumPy arrays. Not for terrain, ducts, or the ellipsoid (the looks of a scenario use that).
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sqrt, tan
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import root_scalar

from noroshi.constants import EARTH_MEAN_RADIUS_M, EARTH_MU
from noroshi.errors import PhysicsError
from noroshi.sensors.models import Refraction
from noroshi.targets.ellipse import Ellipse, free_flight, minimum_energy_flight

FOUR_THIRDS = 4.0 / 3.0
_TOP_M = 100e3  # refractivity there is below 1e-6 of its surface value: rays run straight above
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_HEIGHTS = 300  # of the table by which looks are judged; interpolation errs by less than 1 urad (tested)


class Air(NamedTuple):
    """Refractive index of still air by height: 1 + surface exp(-height / scale)."""

    surface: float
    scale_m: float


# CRPL exponential reference atmosphere (Bean & Thayer 1959): 313 N-units at the surface, 0.1439 per km. Known second
# hand, not read in the original: unverified
REFERENCE_AIR = Air(313e-6, 1e3 / 0.1439)


class Rise(NamedTuple):
    """Where a missile comes over the horizon of a radar at its impact point."""

    ground_range_m: float  # to the impact point
    time_left_s: float  # until impact
    height_m: float
    flight: Ellipse


def ground_range(
    sensor_height_m: Any,
    target_height_m: Any,
    *,
    elevation_min_rad: float | None = None,
    k: float = 1.0,
    air: Air | None = None,
) -> Any:
    """Ground range [m] at which a target is at the horizon, or at the lowest elevation (apparent, at the sensor).

    Over the horizon d = k R (acos(kR/(kR+h1)) + acos(kR/(kR+h2))); with a lowest elevation e
    d = k R (acos((kR+h1) cos e/(kR+h2)) - e), and 0 for targets that never stand so high. With `air`, k must be 1.
    Errors: PhysicsError for heights below the ground, k of 0 or less, an elevation above 90 deg or below the horizon.
    """
    low, high = _heights(sensor_height_m, target_height_m)
    _check(k, air)
    if elevation_min_rad is None:
        level = np.zeros_like(low)
        return _plain(
            EARTH_MEAN_RADIUS_M
            * (_climb(level, low * 0.0, low, k, air) + _climb(level, low * 0.0, high, k, air))
        )
    if not -pi / 2 <= elevation_min_rad < pi / 2:
        raise PhysicsError(
            f"no beam stands at {np.rad2deg(elevation_min_rad):g} deg",
            remedy="choose an elevation from the horizon, about 0, to less than 90 deg",
        )
    return _plain(
        EARTH_MEAN_RADIUS_M * _central_angle(np.full_like(low, elevation_min_rad), low, high, k, air)
    )


def dip(sensor_height_m: Any, *, k: float = 1.0, air: Air | None = None) -> Any:
    """How far the horizon lies below the horizontal [rad], as the sensor sees it."""
    low, _ = _heights(sensor_height_m, 0.0)
    _check(k, air)
    surface = _index(0.0, air) * k * EARTH_MEAN_RADIUS_M
    return _plain(np.arccos(np.minimum(surface / (_index(low, air) * (k * EARTH_MEAN_RADIUS_M + low)), 1.0)))


def elevation_bias(
    elevation_rad: Any, sensor_height_m: Any, target_height_m: Any, *, k: float = 1.0, air: Air | None = None
) -> Any:
    """How much higher a target seems than it is [rad], for one seen at an apparent elevation; 0 without air.

    A target no higher than the sensor is 0, since a ray that starts upwards does not come down again.
    Errors: PhysicsError where the ray meets the ground before it climbs to the target.
    """
    low, high = _heights(sensor_height_m, target_height_m)
    _check(k, air)
    apparent = np.broadcast_to(np.float64(elevation_rad), low.shape)
    angle = _central_angle(apparent, low, high, k, air)
    r1, r2 = EARTH_MEAN_RADIUS_M + low, EARTH_MEAN_RADIUS_M + high
    true = np.arctan2(r2 * np.cos(angle) - r1, r2 * np.sin(angle))
    return _plain(np.where(high > low, apparent - true, 0.0))


def lowest_elevation(
    elevation_rad: float, sensor_height_m: float, target_height_m: np.ndarray, refraction: Refraction
) -> np.ndarray:
    """True elevation [rad] of targets that appear at `elevation_rad` (-inf: at the horizon), by their height.

    What the look compares with straight-line elevations. Exponential air is tabulated by height.
    """
    k, air = {
        Refraction.NONE: (1.0, None),
        Refraction.FOUR_THIRDS: (FOUR_THIRDS, None),
        Refraction.EXPONENTIAL: (1.0, REFERENCE_AIR),
    }[refraction]
    sensor = max(sensor_height_m, 0.0)  # the sphere has no ground below its own
    apparent = -float(dip(sensor, k=k, air=air)) if np.isneginf(elevation_rad) else float(elevation_rad)
    above = np.maximum(np.nan_to_num(target_height_m, nan=0.0, posinf=0.0) - sensor, 0.0)
    if air is None:
        return apparent - elevation_bias(apparent, sensor, sensor + above, k=k)
    steps = np.concatenate([[0.0], np.geomspace(1.0, max(float(above.max(initial=0.0)), 2.0), _HEIGHTS)])
    bias = elevation_bias(apparent, sensor, sensor + steps, air=air)
    return apparent - np.interp(np.log1p(above), np.log1p(steps), bias)


def time_to_overhead(ground_range_m: Any, ground_speed_m_s: Any) -> Any:
    """Time [s] from a ground range to overhead at a speed over ground; PhysicsError where it does not move."""
    if not np.all(np.asarray(ground_speed_m_s) > 0.0):
        raise PhysicsError("a target that does not move never comes", remedy="choose a speed above 0")
    return ground_range_m / ground_speed_m_s


def rise(
    range_m: float,
    sensor_height_m: float = 0.0,
    k: float = 1.0,
    *,
    air: Air | None = None,
    apogee_m: float | None = None,
) -> Rise:
    """Where a missile in free flight over this range first rises above the horizon of a radar at the impact point.

    Of least energy, unless an apogee is given; sphere without rotation. From the launch on in view: the whole flight.
    Errors: PhysicsError where no flight has the range, or heights or k are impossible.
    """
    half = _half(range_m)
    flight = minimum_energy_flight(range_m) if apogee_m is None else free_flight(apogee_m, range_m)
    e = flight.eccentricity
    parameter = flight.semi_major_m * (1.0 - e * e)

    def height(left: float) -> float:
        return max(parameter / (1.0 - e * cos(half - left)) - EARTH_MEAN_RADIUS_M, 0.0)

    def in_view(left: float) -> float:
        seen = ground_range(sensor_height_m, height(left), k=k, air=air)
        return float(seen) / EARTH_MEAN_RADIUS_M - left

    left = 2.0 * half
    if in_view(left) < 0.0:
        # from the launch on: the first place in view, then the crossing just before it
        first = next(a for a in np.linspace(2.0 * half, 0.0, 65) if in_view(float(a)) >= 0.0)
        left = _root(in_view, float(first), min(float(first) + half / 32.0, 2.0 * half))
    eccentric = [_eccentric_anomaly(e, pi - half + along) for along in (2.0 * half - left, 2.0 * half)]
    mean = [x - e * np.sin(x) for x in eccentric]
    time = sqrt(flight.semi_major_m**3 / EARTH_MU) * (mean[1] - mean[0])
    return Rise(left * EARTH_MEAN_RADIUS_M, float(time), height(left), flight)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(root_scalar(function, bracket=(low, high), method="brentq", xtol=1e-12).root)


def _half(range_m: float) -> float:
    if not 0.0 < range_m < pi * EARTH_MEAN_RADIUS_M:
        raise PhysicsError(
            f"no minimum-energy flight has a range of {range_m / 1e3:g} km",
            remedy=f"choose more than 0 and less than half-way round, {pi * EARTH_MEAN_RADIUS_M / 1e3:.0f} km",
        )
    return range_m / (2.0 * EARTH_MEAN_RADIUS_M)


def _eccentric_anomaly(e: float, true: float) -> float:
    """Eccentric anomaly in the same half turn as the true one (from 0 to 2 pi)."""
    x = 2.0 * np.arctan(sqrt((1.0 - e) / (1.0 + e)) * tan(true / 2.0)) if abs(true - pi) > 1e-15 else pi
    return float(x % (2.0 * pi))


def _heights(sensor: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.broadcast_arrays(np.float64(sensor), np.float64(target))
    if not (
        np.isfinite(low).all() and np.isfinite(high).all() and (low >= 0.0).all() and (high >= 0.0).all()
    ):
        raise PhysicsError(
            "a height lies below the ground or nowhere", remedy="choose finite heights of 0 or more"
        )
    return low, high


def _check(k: float, air: Air | None) -> None:
    if not 0.0 < k < np.inf:
        raise PhysicsError(f"an effective Earth has no factor {k:g}", remedy="choose 1 (no air) or 4/3")
    if air is not None and k != 1.0:
        raise PhysicsError(
            f"both air and an effective Earth of {k:g} bend the ray",
            remedy="leave k at 1 with air, or air out",
        )
    if air is not None and not (0.0 <= air.surface * EARTH_MEAN_RADIUS_M < air.scale_m * (1.0 + air.surface)):
        raise PhysicsError(
            f"air of {air.surface * 1e6:g} N-units falling over {air.scale_m:g} m traps rays along the ground",
            remedy=f"choose a scale above {air.surface * EARTH_MEAN_RADIUS_M:.0f} m",
        )


def _index(h: Any, air: Air | None) -> Any:
    return 1.0 if air is None else 1.0 + air.surface * np.exp(-h / air.scale_m)


def _central_angle(e: np.ndarray, low: np.ndarray, high: np.ndarray, k: float, air: Air | None) -> np.ndarray:
    """Angle at the Earth's centre between the sensor and a higher target, for a ray of apparent elevation e.

    A ray that starts downwards passes its lowest point first.
    """
    radius = k * EARTH_MEAN_RADIUS_M
    level = _index(low, air) * (radius + low) * np.cos(e)
    surface = _index(0.0, air) * radius
    if (
        (e < 0.0) & (level < surface * (1.0 - 1e-12))
    ).any():  # the allowance: rounding of a ray along the horizon
        raise PhysicsError(
            "a beam that starts so far below the horizontal meets the ground",
            remedy="choose an elevation no lower than the horizon (`dip`)",
        )
    up = _climb(np.maximum(e, 0.0), low, np.maximum(high, low), k, air)
    if not (e < 0.0).any():
        return up
    turn = _lowest_point(np.maximum(level, surface), low, radius, air)
    flat = np.zeros_like(e)
    down = _climb(flat, turn, low, k, air) + _climb(flat, turn, np.maximum(high, turn), k, air)
    return np.where(e >= 0.0, up, np.where(high >= turn, down, 0.0))


def _lowest_point(level: np.ndarray, low: np.ndarray, radius: float, air: Air | None) -> np.ndarray:
    """Height at which the index times the radius equals `level`, between the ground and `low`."""
    h = low.copy()
    for _ in range(30):
        excess = _index(h, air) * (radius + h) - level
        slope = 1.0 if air is None else _index(h, air) - (_index(h, air) - 1.0) * (radius + h) / air.scale_m
        h = np.clip(h - excess / slope, 0.0, low)
        if np.max(np.abs(excess), initial=0.0) < 1e-7:
            break
    return h


def _climb(e: np.ndarray, low: np.ndarray, high: np.ndarray, k: float, air: Air | None) -> np.ndarray:
    """Central angle [rad, on the real Earth] of a ray that starts at height `low`, elevation e >= 0, up to `high`."""
    radius = k * EARTH_MEAN_RADIUS_M
    level = _index(low, air) * (radius + low) * np.cos(e)
    if air is None:
        return k * _straight(level, radius + low, radius + high)
    # d(angle) = level dr / (r sqrt(m^2 - level^2)) with m = n r; in s = sqrt(m^2 - level^2) the root at the turning
    # point is gone: d(angle) = level ds / (r m dm/dr)
    base, top = np.minimum(low, _TOP_M), np.minimum(high, _TOP_M)
    foot = _index(base, air) * (radius + base) * np.sin(e)
    m_top = _index(top, air) * (radius + top)
    head = np.sqrt(np.maximum((m_top - level) * (m_top + level), 0.0))
    foot = np.where(top > base, foot, head)
    middle, half = 0.5 * (head + foot)[..., None], 0.5 * (head - foot)[..., None]
    s = middle + half * _NODES
    m = np.hypot(s, level[..., None])
    h = m - radius - air.surface * radius
    for _ in range(30):  # Newton from below; m grows everywhere since `_check` refused air that traps
        index = _index(h, air)
        slope = index - (index - 1.0) * (radius + h) / air.scale_m
        step = (index * (radius + h) - m) / slope
        h = h - step
        if np.max(np.abs(step), initial=0.0) < 1e-6:
            break
    index = _index(h, air)
    slope = index - (index - 1.0) * (radius + h) / air.scale_m
    angle = np.sum(_WEIGHTS * level[..., None] / ((radius + h) * m * slope), axis=-1) * half[..., 0]
    bent = np.where(top > base, angle, 0.0)
    start, end = np.maximum(low, _TOP_M), np.maximum(high, _TOP_M)
    return bent + _straight(level, radius + start, radius + end)


def _straight(level: Any, r1: Any, r2: Any) -> Any:
    """Central angle of a straight line of impact parameter `level` from radius r1 out to r2."""
    # atan2 of the legs keeps the digits that acos loses where the line grazes
    leg1 = np.sqrt(np.maximum((r1 - level) * (r1 + level), 0.0))
    leg2 = np.sqrt(np.maximum((r2 - level) * (r2 + level), 0.0))
    return np.arctan2(leg2, level) - np.arctan2(leg1, level)


def _plain(value: np.ndarray) -> Any:
    return float(value) if np.ndim(value) == 0 else value

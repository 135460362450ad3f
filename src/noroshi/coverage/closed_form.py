"""Constellation geometry in closed form: footprints, folds and streets of coverage on a sphere that stands still.

For estimates and for checking the counts; what the ellipsoid really hides is counted elsewhere.
"""

from __future__ import annotations

from math import acos, ceil, cos, pi
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64
from numpy.typing import ArrayLike
from scipy.optimize import root_scalar

from noroshi.constants import EARTH_RADIUS_M
from noroshi.errors import PhysicsError

_ROUNDING = 1e-9  # satellites of a street: a footprint that fits exactly must not need one more
# nodes between two kinks: they leave 1e-9 of one satellite (tested at 1e-8 against 400)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


class Streets(NamedTuple):
    """A star of polar planes whose satellites cover the whole sphere at every moment. Radians."""

    half_angle: float  # the least that does
    half_width: float  # of the street that one plane covers without a gap
    spacing: float  # between planes that move the same way
    seam: float  # between the first and the last plane, which pass each other


def horizon_half_angle(
    altitude_m: ArrayLike,
    target_m: ArrayLike = 0.0,
    grazing_m: ArrayLike = 0.0,
    radius_m: float = EARTH_RADIUS_M,
) -> Float64[np.ndarray, "*n"]:
    """Central angle [rad] from below the satellite to the farthest target whose line of sight clears a height.

    The tangent touches the sphere of `radius_m + grazing_m`: acos(touch / satellite) + acos(touch / target).
    Heights in metres, broadcast. PhysicsError: a satellite not above the target, or a target below the tangent.
    """
    satellite, target = _radii(altitude_m, target_m, radius_m)
    touch = radius_m + np.asarray(grazing_m, np.float64)
    if np.any(touch > target) or np.any(touch < radius_m):
        raise PhysicsError(
            f"no target at {_say(target_m, 1e3)} km is on a line that clears {_say(grazing_m, 1e3)} km",
            remedy="use a grazing height from 0 to the target's height",
        )
    return np.arccos(touch / satellite) + np.arccos(touch / target)


def elevation_half_angle(
    altitude_m: ArrayLike,
    elevation_rad: ArrayLike,
    target_m: ArrayLike = 0.0,
    radius_m: float = EARTH_RADIUS_M,
) -> Float64[np.ndarray, "*n"]:
    """Central angle [rad] from below the satellite to a target that sees it at an elevation.

    acos(target cos(e) / satellite) - e, the sine rule in the triangle of satellite, target and centre. Elevation
    from 0 to below pi/2. PhysicsError as `horizon_half_angle`, or for the elevation.
    """
    satellite, target = _radii(altitude_m, target_m, radius_m)
    e = np.asarray(elevation_rad, np.float64)
    if not np.all((e >= 0.0) & (e < pi / 2)):
        raise PhysicsError(
            f"no elevation of {_say(e, pi / 180)} deg",
            remedy="use 0 to less than 90 deg above the target's horizon",
        )
    return np.arccos(target * np.cos(e) / satellite) - e


def elevation_at(
    half_angle_rad: ArrayLike,
    altitude_m: ArrayLike,
    target_m: ArrayLike = 0.0,
    radius_m: float = EARTH_RADIUS_M,
) -> Float64[np.ndarray, "*n"]:
    """Elevation [rad] of a satellite that is a central angle away; below 0 past a raised target's horizontal.

    PhysicsError: an angle at which the sphere is in between.
    """
    satellite, target = _in_sight(half_angle_rad, altitude_m, target_m, radius_m)
    return np.arctan2(np.cos(half_angle_rad) - target / satellite, np.sin(half_angle_rad))


def slant_range(
    half_angle_rad: ArrayLike,
    altitude_m: ArrayLike,
    target_m: ArrayLike = 0.0,
    radius_m: float = EARTH_RADIUS_M,
) -> Float64[np.ndarray, "*n"]:
    """Distance [m] from the satellite to a target a central angle away. PhysicsError as `elevation_at`."""
    satellite, target = _in_sight(half_angle_rad, altitude_m, target_m, radius_m)
    # the half-angle form of the cosine rule: no digits lost for near targets
    return np.hypot(
        satellite - target, 2.0 * np.sqrt(satellite * target) * np.sin(np.asarray(half_angle_rad) / 2.0)
    )


def share_of_sphere(half_angle_rad: ArrayLike) -> Float64[np.ndarray, "*n"]:
    """Share of the sphere inside a cap: (1 - cos) / 2. PhysicsError: no angle from 0 to pi."""
    half = np.asarray(half_angle_rad, np.float64)
    if not np.all((half >= 0.0) & (half <= pi)):
        raise PhysicsError(f"no cap of {_say(half, pi / 180)} deg", remedy="use a half-angle of 0 to 180 deg")
    return np.sin(half / 2.0) ** 2


def half_angle_of_share(share: ArrayLike) -> Float64[np.ndarray, "*n"]:
    """Half-angle [rad] of the cap that is a share of the sphere. PhysicsError: no share from 0 to 1."""
    part = np.asarray(share, np.float64)
    if not np.all((part >= 0.0) & (part <= 1.0)):
        raise PhysicsError(f"no share of {_say(part)}", remedy="use a share of the sphere from 0 to 1")
    return 2.0 * np.arcsin(np.sqrt(part))


def mean_fold(satellites: int, half_angle_rad: ArrayLike) -> Float64[np.ndarray, "*n"]:
    """Satellites in sight, averaged over the whole sphere, wherever the satellites are: the caps' areas add up."""
    return _count(satellites) * share_of_sphere(half_angle_rad)


def mean_fold_by_latitude(
    lat_rad: Float[ArrayLike, "lat"], satellites: int, inclination_rad: float, half_angle_rad: float
) -> Float64[np.ndarray, "lat"]:
    """Satellites in sight at each latitude, averaged over longitude and one orbit: exact for any phasing.

    A circular orbit's satellite at declination d is seen from a share acos(x) / pi of the parallel,
    x = (cos(half-angle) - sin(lat) sin(d)) / (cos(lat) cos(d)) held to -1 to 1; that share is averaged over the
    argument of latitude u, sin d = sin(i) sin(u). Between its kinks (where x leaves -1 to 1) the integral is by
    Gauss and Legendre over the angle t of u = middle - half cos(t), which takes the square roots out of their ends.
    """
    n = _count(satellites)
    lat = np.atleast_1d(np.asarray(lat_rad, np.float64))
    _check_cap(half_angle_rad)
    tilt = abs(np.sin(inclination_rad))
    # the edge of the cap touches the parallel where d = lat +- half-angle, and past a pole where pi - d is
    with np.errstate(divide="ignore", invalid="ignore"):
        touch = np.sin(lat[:, None] + np.array([-half_angle_rad, half_angle_rad])) / tilt
    kink = np.arcsin(np.clip(np.nan_to_num(touch), -1.0, 1.0))
    ends = np.sort(np.column_stack([np.full(len(lat), -pi / 2), kink, np.full(len(lat), pi / 2)]), axis=1)
    middle, half = (ends[:, 1:] + ends[:, :-1]) / 2.0, (ends[:, 1:] - ends[:, :-1]) / 2.0
    t = (_NODES + 1.0) * pi / 2.0
    u = middle[..., None] - half[..., None] * np.cos(t)
    share = parallel_half_width(lat[:, None, None], np.arcsin(tilt * np.sin(u)), half_angle_rad) / pi
    # u and pi - u have the same declination, so half an orbit, of length pi, stands for all of it
    return n * np.sum(share * half[..., None] * np.sin(t) * _WEIGHTS * pi / 2.0, axis=(1, 2)) / pi


def fraction_by_latitude(
    lat_rad: Float[ArrayLike, "lat"],
    raan_rad: Float[np.ndarray, "sat"],
    phase_rad: Float[np.ndarray, "sat"],
    inclination_rad: float,
    half_angle_rad: float,
    folds: int = 2,
    phases: int = 240,
) -> Float64[np.ndarray, "lat fold"]:
    """Share of each parallel that at least 1, 2, ... satellites see, averaged over `phases` moments of one orbit.

    Circular orbits of one period, over a sphere that stands still. Each satellite sees an arc of the parallel; the
    arcs' ends in order give the lengths seen by each number of them, so nothing is sampled in longitude.
    """
    lat = np.atleast_1d(np.asarray(lat_rad, np.float64))
    _check_cap(half_angle_rad)
    u = phase_rad + 2.0 * pi * np.arange(phases)[:, None] / phases
    declination = np.arcsin(np.sin(inclination_rad) * np.sin(u))
    right_ascension = raan_rad + np.arctan2(np.cos(inclination_rad) * np.sin(u), np.cos(u))
    at_least = np.arange(1, folds + 1)
    return np.stack(
        [_on_parallel(phi, declination, right_ascension, half_angle_rad, at_least) for phi in lat]
    )


def _on_parallel(
    lat: float,
    declination: Float[np.ndarray, "moment sat"],
    right_ascension: Float[np.ndarray, "moment sat"],
    half_angle: float,
    at_least: np.ndarray,
) -> Float64[np.ndarray, "fold"]:
    turn = 2.0 * pi
    width = parallel_half_width(lat, declination, half_angle)
    part = (width > 0.0) & (width < pi)
    start, end = np.mod(right_ascension - width, turn), np.mod(right_ascension + width, turn)
    # at longitude 0: all that see the whole parallel, and arcs that run over it
    at_zero = np.sum((width >= pi) | (part & (start > end)), axis=1)
    place = np.concatenate([start, end], axis=1)
    step = np.concatenate([part, -part.astype(int)], axis=1)
    order = np.argsort(place, axis=1)
    place = np.take_along_axis(place, order, axis=1)
    seen = at_zero[:, None] + np.cumsum(np.take_along_axis(step, order, axis=1), axis=1)
    # before the first end as many see as after the last
    length = np.diff(place, axis=1, append=place[:, :1] + turn)
    return np.array([np.sum(length * (seen >= k)) for k in at_least]) / (turn * len(place))


def parallel_half_width(
    lat_rad: ArrayLike, declination_rad: ArrayLike, half_angle_rad: float
) -> Float64[np.ndarray, "*n"]:
    """Half the length in longitude [rad] of a parallel's arc inside a cap: 0 outside of it, pi all round."""
    above = np.cos(half_angle_rad) - np.sin(lat_rad) * np.sin(declination_rad)
    # at a pole the parallel is a point: all of it is inside, or nothing
    across = np.maximum(np.cos(lat_rad) * np.cos(declination_rad), 1e-300)
    return np.arccos(np.clip(above / across, -1.0, 1.0))


def street_half_width(half_angle_rad: float, per_plane: int) -> float:
    """Half-width [rad] of the street that one plane covers at every moment: cos c = cos(half-angle) / cos(pi / Q).

    PhysicsError: satellites too few or footprints too small to touch.
    """
    _check_footprint(half_angle_rad)
    if _count(per_plane) * half_angle_rad < pi * (1.0 - _ROUNDING):
        raise PhysicsError(
            f"{per_plane} footprints of {_say(half_angle_rad, pi / 180)} deg leave gaps along their plane",
            remedy=f"use {ceil(pi / half_angle_rad)} satellites in a plane, or {180 / per_plane:.4g} deg",
        )
    return _half_width(half_angle_rad, per_plane)


def _half_width(half_angle: float, per_plane: int) -> float:
    return acos(min(1.0, cos(half_angle) / cos(pi / per_plane)))


def streets(planes: int, per_plane: int) -> Streets:
    """The least footprint with which a polar star of P planes of Q satellites covers the sphere at every moment.

    Neighbours that move the same way keep their phase, half a slot apart, so a footprint fills the notch between two
    of the next street: spacing half-angle + c. Across the seam nothing keeps its phase: 2 c. Half round the equator:
    (P - 1) half-angle + (P + 1) c = pi. Exact where P + Q is odd; where it is even the notches beside the seam
    meet off the equator, planes are nearer there, and a little less is enough (`rosette.worst_range` says how much).
    PhysicsError: fewer than 2 planes or 3 satellites, or P > Q: footprints that touch along a plane are too many.
    Source: Ballard 1980, IEEE TAES 16(5), table II (after Walker and Beste).
    """
    if _count(planes) < 2 or _count(per_plane) < 3 or planes > per_plane:
        raise PhysicsError(
            f"no streets of {planes} planes of {per_plane} satellites",
            remedy="use at least 2 planes, and at least 3 satellites and no fewer than planes in each",
        )

    def left_open(half_angle: float) -> float:
        return (planes - 1) * half_angle + (planes + 1) * _half_width(half_angle, per_plane) - pi

    half_angle = float(root_scalar(left_open, bracket=(pi / per_plane, pi / 2), xtol=1e-14).root)
    c = _half_width(half_angle, per_plane)
    return Streets(half_angle, c, half_angle + c, 2.0 * c)


def fewest_streets(half_angle_rad: float) -> tuple[int, int]:
    """Planes and satellites per plane of the smallest polar star that covers the sphere at every moment.

    By `streets`, over every number of planes; of two as small, the one with fewer planes. PhysicsError: a half-angle
    that is not between 0 and 90 deg.
    """
    _check_footprint(half_angle_rad)
    best: tuple[int, int] | None = None
    for planes in range(2, ceil(pi / half_angle_rad) + 2):  # more planes than that need no street at all
        c = max(0.0, (pi - (planes - 1) * half_angle_rad) / (planes + 1))
        if c >= half_angle_rad:
            continue  # not even a street of touching satellites is as wide
        per_plane = max(3, ceil(pi / acos(cos(half_angle_rad) / cos(c)) - _ROUNDING))
        if best is None or planes * per_plane < best[0] * best[1]:
            best = planes, per_plane
    assert best is not None  # the last number of planes always does
    return best


def beste_estimate(half_angle_rad: float) -> float:
    """About how many satellites of a polar star cover the sphere: 4 / (1 - cos), not a whole number.

    Twice as many as caps without overlap. Beste 1978, IEEE TAES AES-14, 466, abstract: not checked in the paper.
    """
    _check_footprint(half_angle_rad)
    return 2.0 / float(share_of_sphere(half_angle_rad))


def _radii(altitude_m: ArrayLike, target_m: ArrayLike, radius_m: float) -> tuple[np.ndarray, np.ndarray]:
    altitude, target = np.asarray(altitude_m, np.float64), np.asarray(target_m, np.float64)
    if not np.all((altitude > 0.0) & (target >= 0.0) & (altitude > target) & np.isfinite(altitude)):
        raise PhysicsError(
            f"no satellite at {_say(altitude, 1e3)} km over a target at {_say(target, 1e3)} km",
            remedy="heights are from the surface up, the satellite's above 0 and above the target's",
        )
    return radius_m + altitude, radius_m + target


def _in_sight(
    half_angle: ArrayLike, altitude_m: ArrayLike, target_m: ArrayLike, radius_m: float
) -> tuple[np.ndarray, np.ndarray]:
    limit = horizon_half_angle(altitude_m, target_m, 0.0, radius_m)
    half = np.asarray(half_angle, np.float64)
    if not np.all((half >= 0.0) & (half <= limit + 1e-12)):
        raise PhysicsError(
            f"a target {_say(half, pi / 180)} deg away is behind the sphere",
            remedy=f"the horizon is {_say(limit, pi / 180)} deg away",
        )
    return _radii(altitude_m, target_m, radius_m)


def _check_cap(half_angle: float) -> None:
    if not 0.0 < half_angle < pi:
        raise PhysicsError(
            f"no footprint of {_say(half_angle, pi / 180)} deg",
            remedy="use a half-angle of 0 to 180 deg, both excluded",
        )


def _check_footprint(half_angle: float) -> None:
    if not 0.0 < half_angle < pi / 2:
        raise PhysicsError(
            f"no satellite has a footprint of {_say(half_angle, pi / 180)} deg on the ground",
            remedy="use a half-angle of 0 to 90 deg, both excluded",
        )


def _count(number: int) -> int:
    if number < 1:
        raise PhysicsError(f"no constellation of {number}", remedy="use 1 or more")
    return number


def _say(value: ArrayLike, unit: float = 1.0) -> str:
    """Values for a message: one as it is, many as their span."""
    shown = np.asarray(value, np.float64) / unit
    if shown.size == 1:
        return f"{shown.item():.6g}"
    return f"{shown.min():.6g} to {shown.max():.6g}"

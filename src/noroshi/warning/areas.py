"""Distances from points to listed areas, in one local plane per area.

A point of the ellipsoid is drawn at its azimuth from the area's centre and at its arc length from there
(azimuthal equidistant). Against geodesics of geographiclib a length of 50 km is right to 18 m within 300 km
of the centre and to 50 m within 500 km, and a straight edge of 460 km bends 0.1 km from the geodesic. Farther
away distances are only never small where they should be large.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import noroshi._jax  # noqa: F401  (the cache folder before Numba)

# isort: split
import numpy as np
from jaxtyping import Float, Float64
from numba import njit

from noroshi.constants import EARTH_MEAN_RADIUS_M
from noroshi.earth import enu_from_itrs, geodetic_from_itrs, itrs_from_geodetic
from noroshi.warning.models import Area


class Plane(NamedTuple):
    """An area in its own plane: x east, y north [m] about its centre."""

    centre_itrs: Float64[np.ndarray, "3"]
    axes_itrs: Float64[np.ndarray, "3 3"]  # rows east, north, up at the centre
    corners: Float64[np.ndarray, "corner 2"]  # anticlockwise; one only: a circle
    normals: Float64[np.ndarray, "corner 3"]  # the ellipsoid's unit normals at the corners, ITRS
    radius_m: float  # of the circle; 0 for a polygon


def plane(area: Area) -> Plane:
    """The area's plane. The centre of a polygon is the mean direction of its corners."""
    r = itrs_from_geodetic(area.lat_rad, area.lon_rad, np.zeros_like(area.lat_rad))
    lat, lon, _ = (
        geodetic_from_itrs(np.mean(r, axis=0)) if len(r) > 1 else (area.lat_rad[0], area.lon_rad[0], 0.0)
    )
    lat, lon = np.float64(lat), np.float64(lon)
    centre = np.asarray(itrs_from_geodetic(lat, lon, np.float64(0.0)))
    axes = np.asarray(enu_from_itrs(lat, lon))
    corners = project(centre, axes, r)
    normals = np.asarray(enu_from_itrs(area.lat_rad, area.lon_rad))[:, 2]
    if len(corners) > 1 and _twice_area(corners) < 0:
        corners, normals = corners[::-1], normals[::-1]
    return Plane(
        centre, axes, np.ascontiguousarray(corners), np.ascontiguousarray(normals), float(area.radius_m)
    )


def is_convex(area: Area) -> bool:
    """Whether the polygon has three corners or more and turns one way only (a circle always is)."""
    if len(area.lat_rad) == 1:
        return area.radius_m > 0
    corners = plane(area).corners
    if len(corners) < 3:
        return False
    edge = np.roll(corners, -1, 0) - corners
    after = np.roll(edge, -1, 0)
    turn = edge[:, 0] * after[:, 1] - edge[:, 1] * after[:, 0]
    total = np.sum(np.arctan2(turn, np.sum(edge * after, 1)))
    return bool(np.all(turn > 0) and np.isclose(total, 2 * np.pi))


def distances(
    areas: Sequence[Area], lat: Float[np.ndarray, "point"], lon: Float[np.ndarray, "point"]
) -> Float64[np.ndarray, "point area"]:
    """Distance from each point of the ellipsoid to each area [m], 0 inside; nan stays nan."""
    r = np.asarray(itrs_from_geodetic(lat, lon, np.zeros_like(lat)))
    out = np.empty((len(lat), len(areas)))
    for k, area in enumerate(areas):
        p = plane(area)
        out[:, k] = _distances(project(p.centre_itrs, p.axes_itrs, r), p.corners, p.radius_m)
    return out


def project(
    centre_itrs: Float[np.ndarray, "3"],
    axes_itrs: Float[np.ndarray, "3 3"],
    r_itrs: Float[np.ndarray, "point 3"],
) -> Float64[np.ndarray, "point 2"]:
    """Plane coordinates of points on (or tangent to) the ellipsoid."""
    out = np.empty((len(r_itrs), 2))
    for k in range(len(r_itrs)):
        x, y, z = r_itrs[k] - centre_itrs
        out[k] = plane_point(axes_itrs, x, y, z)
    return out


@njit(cache=True, nogil=True)
def plane_point(axes: np.ndarray, x: float, y: float, z: float) -> tuple[float, float]:
    """Plane coordinates of the point at the ITRS offset (x, y, z) from the centre.

    The chord is turned into an arc of the mean sphere: for 500 km that adds 130 m, so the radius does not
    matter.
    """
    east = axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z
    north = axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z
    level = np.hypot(east, north)
    if level == 0.0:
        return 0.0, 0.0
    half = np.sqrt(x * x + y * y + z * z) / (2 * EARTH_MEAN_RADIUS_M)
    scale = 2 * EARTH_MEAN_RADIUS_M * np.arcsin(min(half, 1.0)) / level
    return east * scale, north * scale


@njit(cache=True, nogil=True)
def point_distance(x: float, y: float, corners: np.ndarray, radius: float) -> float:
    """Distance in the plane from (x, y) to the circle or the anticlockwise convex polygon, 0 inside."""
    n = len(corners)
    if n == 1:
        return max(np.hypot(x - corners[0, 0], y - corners[0, 1]) - radius, 0.0)
    inside = True
    best = np.inf
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        ex, ey = corners[j, 0] - corners[i, 0], corners[j, 1] - corners[i, 1]
        px, py = x - corners[i, 0], y - corners[i, 1]
        if ex * py - ey * px < 0.0:
            inside = False
        along = (px * ex + py * ey) / (ex * ex + ey * ey)
        along = min(max(along, 0.0), 1.0)
        dx, dy = px - along * ex, py - along * ey
        best = min(best, dx * dx + dy * dy)
    return 0.0 if inside else np.sqrt(best)


@njit(cache=True, nogil=True)
def _distances(points: np.ndarray, corners: np.ndarray, radius: float) -> np.ndarray:
    out = np.empty(len(points))
    for k in range(len(points)):
        if np.isnan(points[k, 0]):
            out[k] = np.nan
        else:
            out[k] = point_distance(points[k, 0], points[k, 1], corners, radius)
    return out


def _twice_area(corners: np.ndarray) -> float:
    x, y = corners.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))

"""Points in rows of latitude and bins of longitude, so that whole stretches are decided at once.

Everything here lives in the axes that turn the ellipsoid into the unit sphere (docs/theory/coverage.md): a sensor sees
the points within a cap of that sphere, and a cap cuts a row of latitude in one interval of longitude.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int

from noroshi.coverage.models import Body, Points

POINTS_PER_BIN = 4.0  # measured for 10,000 points: no faster from 2 to 8
INSIDE = 1e-9  # of the radius: 6 mm
ROW_ASPECT = 2.2  # height of a row over the width of a bin; no faster from 1.5 to 3


class Layout(NamedTuple):
    """Points sorted by row, then by longitude. Lengths with a dash are in units of the body's radii."""

    order: Int[np.ndarray, "point"]  # place in the caller's order of each sorted point
    r_itrs: Float64[np.ndarray, "3 point"]  # [m]
    scaled: Float64[np.ndarray, "4 point"]  # x', y', z' and sqrt(|.|^2 - 1), 0 inside the body
    up: Float64[np.ndarray, "3 point"]  # unit normal of the body there
    low: Float64[np.ndarray, "row"]  # least and greatest scaled latitude of a row's points [rad]
    high: Float64[np.ndarray, "row"]
    ends: Float64[np.ndarray, "row 4"]  # tangent and secant of the two, secants at most 1e12
    middle: Float64[np.ndarray, "row"]  # of its longitudes [rad]
    half: Float64[np.ndarray, "row"]  # of the span of its longitudes [rad]; pi: all round
    per_rad: Float64[np.ndarray, "row"]  # bins per radian
    first_bin: Int[np.ndarray, "row+1"]  # of each row
    start: Int[np.ndarray, "bin+1"]  # first sorted point of each bin
    reach_rad: Float64[np.ndarray, "2"]  # see `reach`


def itrs(points: Points, body: Body) -> Float64[np.ndarray, "point 3"]:
    """Positions [m] on the body, ITRS."""
    sin, cos = np.sin(points.lat_rad), np.cos(points.lat_rad)
    e2 = 1.0 - (body.pole_m / body.equator_m) ** 2
    n = body.equator_m / np.sqrt(1.0 - e2 * sin * sin)
    level = (n + points.height_m) * cos
    return np.stack(
        [
            level * np.cos(points.lon_rad),
            level * np.sin(points.lon_rad),
            (n * (1.0 - e2) + points.height_m) * sin,
        ],
        axis=-1,
    )


def up_itrs(points: Points) -> Float64[np.ndarray, "point 3"]:
    """Unit normals of the body at the points (latitudes are geodetic), ITRS."""
    cos = np.cos(points.lat_rad)
    return np.stack(
        [cos * np.cos(points.lon_rad), cos * np.sin(points.lon_rad), np.sin(points.lat_rad)], axis=-1
    )


def layout(points: Points, body: Body) -> Layout:
    """Sort the points of a fixed grid. A grid of equal latitudes gets a row for each, if they are not too many."""
    r = itrs(points, body)
    scaled = r / [body.equator_m, body.equator_m, body.pole_m]
    radius = np.linalg.norm(scaled, axis=-1)
    lat = np.arcsin(np.clip(scaled[:, 2] / radius, -1.0, 1.0))
    lon = np.arctan2(scaled[:, 1], scaled[:, 0])
    row = _rows(lat, lon)
    order = []
    first_bin, start = [0], []
    low, high, middle, half, per_rad = [], [], [], [], []
    placed = 0
    for members in np.split(np.argsort(row, kind="stable"), np.flatnonzero(np.diff(np.sort(row))) + 1):
        centre, span = _span(lon[members])
        away = np.mod(lon[members] - centre + np.pi, 2.0 * np.pi) - np.pi
        bins = max(1, round(len(members) / POINTS_PER_BIN))
        scale = bins / (2.0 * span)
        at = np.clip(((away + span) * scale).astype(np.int64), 0, bins - 1)
        inside = np.lexsort((away, at))
        order.append(members[inside])
        start.append(placed + np.searchsorted(at[inside], np.arange(bins)))
        placed += len(members)
        first_bin.append(first_bin[-1] + bins)
        low.append(lat[members].min())
        high.append(lat[members].max())
        middle.append(centre)
        half.append(span)
        per_rad.append(scale)
    by = np.concatenate(order)
    w = np.sqrt(np.maximum(radius * radius - 1.0, 0.0))
    return Layout(
        by,
        np.ascontiguousarray(r[by].T),
        np.ascontiguousarray(np.column_stack([scaled, w])[by].T),
        np.ascontiguousarray(up_itrs(points)[by].T),
        np.array(low),
        np.array(high),
        np.stack([f for at in (low, high) for f in _tangent_secant(np.array(at))], axis=-1),
        np.array(middle),
        np.array(half),
        np.array(per_rad),
        np.array(first_bin, np.int64),
        np.append(np.concatenate(start), placed).astype(np.int64),
        reach(radius),
    )


def reach(radius: Float64[np.ndarray, "point"]) -> Float64[np.ndarray, "2"]:
    """Least and greatest acos(1 / |r'|) [rad]: a sensor sees as much farther than its own limb is away.

    Where a point lies in the body (any deeper than rounding), which has no limb, the least is -pi: nothing is sure.
    """
    each = np.arccos(np.minimum(1.0 / radius, 1.0))
    return np.array([each.min() if radius.min() > 1.0 - INSIDE else -np.pi, each.max()])


def _rows(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Row number of each point: one per latitude where the grid has few, else equal steps of latitude."""
    height = max(np.ptp(lat), 1e-9)
    _, width = _span(lon)
    area = 2.0 * width * max(abs(np.sin(lat.max()) - np.sin(lat.min())), 1e-12)
    bin_width = np.sqrt(POINTS_PER_BIN * area / (ROW_ASPECT * len(lat)))
    rows = int(np.clip(height / (ROW_ASPECT * bin_width), 1, len(lat)))
    levels = np.unique(np.round(lat, 12))
    if len(levels) <= 2 * rows:
        return np.searchsorted(levels, np.round(lat, 12))
    return np.minimum(((lat - lat.min()) / height * rows).astype(np.int64), rows - 1)


def _span(lon: np.ndarray) -> tuple[float, float]:
    """Middle and half-width of the shortest stretch of longitudes that holds all of them; pi: all round."""
    at = np.sort(lon)
    gap = np.diff(np.append(at, at[0] + 2.0 * np.pi))
    widest = int(np.argmax(gap))
    if gap[widest] < 0.5 * np.pi:
        return 0.0, np.pi
    span = 2.0 * np.pi - gap[widest]
    begin = at[(widest + 1) % len(at)]
    return float(begin + 0.5 * span), float(0.5 * span + 1e-9)


def _tangent_secant(lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    secant = 1.0 / np.maximum(np.cos(lat), 1e-12)
    return np.sin(lat) * secant, secant

"""Areas bounded by rings on the globe: edges straight in longitude and latitude, over the dateline and the poles.

The conventions are those of GeoJSON (RFC 7946), with the readings of docs/theory/coverage-grids.md for what real files
hold beside it. Whether a place lies inside is decided along its meridian: the edges between it and the north pole are
counted, and an even count means: on the pole's side. Nothing special happens at longitude 180.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from noroshi.errors import DataError

TURN = 2.0 * np.pi
SAME = 1e-9  # rad, 6 mm on the ground: positions this close are one
CLEAR = 1e-12  # rad: an edge this close to another's end touches it and does not cross
STEEP = 1e-15  # rad: no edge is followed in longitude that spans less
SHARE_MIN = 1e-14  # of the sphere, 5 m2: less is no area but rounding
LONGITUDE_MAX = np.deg2rad(540.0)  # a file that counts longitudes on past 180 goes round once at most


class Ring(NamedTuple):
    """A closed line, as steps of less than half a turn; vertices of long edges that were split are added."""

    lon: Float64[np.ndarray, "vertex"]  # -pi to pi; the last is the first
    lat: Float64[np.ndarray, "vertex"]
    step: Float64[np.ndarray, "edge"]  # in longitude, east positive
    edge: Int[np.ndarray, "edge"]  # which of the ring as it was given, counted from 1
    north: bool  # the north pole is inside
    share: float  # of the sphere's area, what is inside


class Area(NamedTuple):
    """A polygon: what is inside the outer ring and in no hole."""

    outer: Ring
    holes: tuple[Ring, ...]
    share: float  # of the sphere's area
    where: str  # for messages


def wrap(lon: Float[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
    """Longitudes from -pi up to, not including, pi; those already there stay as they are to the bit."""
    lon = np.asarray(lon, np.float64)
    turned = (lon + np.pi) % TURN - np.pi
    return np.where((lon >= -np.pi) & (lon < np.pi), lon, np.where(turned >= np.pi, -np.pi, turned))


def area(rings: Sequence[Float[np.ndarray, "_ 2"]], where: str = "polygon") -> Area:
    """The polygon of an outer ring and its holes, each closed, longitude and latitude [rad].

    Raises DataError: fewer than four positions, not closed, not on the globe, crossing itself or another ring, a hole
    outside. No area is no error here: real files hold such polygons among others.
    """
    if not len(rings):
        raise DataError("has no ring", where=where, remedy="a polygon has an outer ring and may have holes")
    read = [_ring(np.asarray(ring, np.float64), k, f"{where}, ring {k + 1}") for k, ring in enumerate(rings)]
    _refuse_crossings(read, where)
    outer, holes = read[0], tuple(read[1:])
    for number, hole in enumerate(holes, 2):
        if not _inside(outer, hole.lat, hole.lon).any():
            raise DataError(
                f"ring {number} is no hole: it lies outside ring 1",
                where=where,
                remedy="make it a polygon of its own (MultiPolygon); "
                "a belt around the Earth is cut at longitude 180 instead of having a hole at the pole",
            )
    share = max(outer.share - sum(hole.share for hole in holes), 0.0)
    return Area(outer, holes, share, where)


def contains(
    one: Area, lat: Float[np.ndarray, "point"], lon: Float[np.ndarray, "point"]
) -> Bool[np.ndarray, "point"]:
    """Whether places (latitude, longitude in -pi to pi [rad]) lie inside."""
    inside = _inside(one.outer, lat, lon)
    for hole in one.holes:
        inside &= ~_inside(hole, lat, lon)
    return inside


class Bounds(NamedTuple):
    """A box around an area [rad]."""

    south: float
    north: float
    west: float
    width: float  # eastward; a whole turn: all longitudes


def bounds(one: Area) -> Bounds:
    """The least box of latitudes and the ring's own longitudes that holds the area."""
    ring = one.outer
    if _turns(ring.step):  # one of the poles is inside
        south = -np.pi / 2 if not ring.north else float(ring.lat.min())
        return Bounds(south, np.pi / 2 if ring.north else float(ring.lat.max()), -np.pi, TURN)
    lon = np.cumsum(np.append(ring.lon[0], ring.step))
    west, width = float(lon.min()), float(np.ptp(lon))
    return Bounds(float(ring.lat.min()), float(ring.lat.max()), west, min(width, TURN))


def _inside(
    ring: Ring, lat: Float[np.ndarray, "point"], lon: Float[np.ndarray, "point"]
) -> Bool[np.ndarray, "point"]:
    order = np.argsort(lon, kind="stable")
    x, y = lon[order], lat[order]
    odd = np.zeros(len(x), bool)
    # An edge holds longitudes from its western end up to its eastern one, which belongs to the next: a meridian through
    # a vertex meets the line once. Over the dateline it is two pieces.
    east = ring.step > 0
    west_end = np.where(east, ring.lon[:-1], ring.lon[1:])
    east_end = np.where(east, ring.lon[1:], ring.lon[:-1])
    first, last = np.searchsorted(x, west_end), np.searchsorted(x, east_end)
    over = west_end > east_end
    slope = np.divide(
        np.diff(ring.lat), ring.step, out=np.zeros(len(ring.step)), where=np.abs(ring.step) > STEEP
    )
    for k in np.flatnonzero(over | (first < last)):
        pieces = ((first[k], len(x)), (0, last[k])) if over[k] else ((first[k], last[k]),)
        for a, b in pieces:
            if a < b:
                odd[a:b] ^= ring.lat[k] + wrap(x[a:b] - ring.lon[k]) * slope[k] > y[a:b]
    inside = np.empty(len(x), bool)
    inside[order] = odd ^ ring.north
    return inside


def _ring(given: np.ndarray, index: int, where: str) -> Ring:
    _refuse_bad_positions(given, where)
    given = np.where(np.abs(given) < CLEAR, 0.0, given)  # next to nothing is nothing: slopes by it are none
    lon, lat = given.T
    keep = np.append(True, np.any(np.diff(given, axis=0) != 0.0, axis=1))  # repeated positions are no edges
    edge = np.arange(1, len(lon))[keep[1:]]
    lon, lat = lon[keep], lat[keep]
    pairs = np.stack([wrap(lon)[:-1], lat[:-1], wrap(lon)[1:], lat[1:]], axis=1)
    if len(np.unique(np.round(pairs / SAME), axis=0)) < len(pairs):  # to rounding
        raise DataError(
            "goes along the same edge twice", where=where, remedy="a ring goes round once: correct it"
        )
    wanted = -1.0 if index else 1.0  # RFC 7946, 3.1.6: outer rings counterclockwise, holes clockwise
    step = _steps(lon, lat, wanted) if len(lon) > 1 else np.zeros(0)
    turns = _turns(step)
    if abs(turns) > 1:
        raise DataError(
            f"goes round the Earth {abs(turns)} times and so crosses itself", where=where, remedy="correct it"
        )
    inner = _integral(lat, step) / (
        2.0 * TURN
    )  # share of the sphere, on the left of a line that does not wind
    north = False
    if turns:
        mean = -2.0 * inner * turns  # sine of the line's latitude
        north = (
            mean > 0.0 if abs(mean) > SAME else turns * wanted > 0.0
        )  # the smaller side; if alike, the left
        share = 0.5 * (1.0 - mean if north else 1.0 + mean)
    else:
        share = abs(inner)
    real = np.abs(step) + np.abs(np.diff(lat)) > CLEAR  # not from -180 to 180, the same place
    real = np.append(real, True)
    lon, lat, step, edge = _split(wrap(lon)[real], lat[real], step[real[:-1]], edge[real[:-1]])
    return Ring(lon, lat, step, edge, bool(north), float(share))


def _refuse_bad_positions(given: np.ndarray, where: str) -> None:
    if given.ndim != 2 or given.shape[1] != 2:
        raise DataError("is no list of positions", where=where, remedy="give [longitude, latitude] pairs")
    if len(given) < 4:
        raise DataError(
            f"has {len(given)} positions",
            where=where,
            remedy="a ring has at least four, the last as the first",
        )
    wrong = ~np.isfinite(given).all(axis=1)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise DataError(f"position {k + 1} is not a finite number", where=where, remedy="correct the file")
    wrong = np.abs(given[:, 1]) > np.pi / 2 * (1 + 1e-12)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise DataError(
            f"position {k + 1} has a latitude of {np.rad2deg(given[k, 1]):g} degrees",
            where=where,
            remedy="positions are [longitude, latitude] in degrees, longitude first",
        )
    wrong = np.abs(given[:, 0]) > LONGITUDE_MAX
    if wrong.any():
        k = int(np.argmax(wrong))
        raise DataError(
            f"position {k + 1} has a longitude of {np.rad2deg(given[k, 0]):g} degrees",
            where=where,
            remedy="longitudes are in degrees, -180 to 180 or counted on past 180 by a turn at most",
        )
    gap = given[-1] - given[0]
    if abs(wrap(gap[:1])[0]) > SAME or abs(gap[1]) > SAME:
        raise DataError(
            f"is not closed: it starts at {_place(*given[0])} and ends at {_place(*given[-1])}",
            where=where,
            remedy="repeat the first position at the end",
        )


def _steps(lon: np.ndarray, lat: np.ndarray, wanted: float) -> np.ndarray:
    """How far each edge goes in longitude: as written, or the short way over the dateline."""
    written = np.diff(lon)
    size = np.abs(written)
    short = wrap(written)
    vertical = size < SAME
    beside = np.roll(vertical, 1) | np.roll(vertical, -1)
    whole = (np.abs(size - TURN) < SAME) & beside  # the whole parallel: the ring runs along that meridian too
    wide = (size > np.pi + SAME) & ~whole
    step = np.where(wide, short, written)
    unclear = wide & (size < 0.75 * TURN - SAME)
    if unclear.any():
        literal = np.where(unclear, written, step)
        if _turns(literal) == 0 and wanted * _integral(lat, literal) > SAME:
            return literal
    return step


def _turns(step: np.ndarray) -> int:
    return round(float(step.sum()) / TURN)


def _integral(lat: np.ndarray, step: np.ndarray) -> float:
    """Minus the integral of sin(latitude) d(longitude): the solid angle on the left of a ring that does not wind.

    Exact for edges straight in longitude and latitude.
    """
    half = 0.5 * np.diff(lat)
    return -float(np.sum(step * np.sin(lat[:-1] + half) * np.sinc(half / np.pi)))


def _split(
    lon: np.ndarray, lat: np.ndarray, step: np.ndarray, edge: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The same line with no edge of half a turn or more."""
    parts = 1 + (np.abs(step) / (0.9 * np.pi)).astype(int)
    start = np.repeat(np.arange(len(step)), parts)
    at = (np.arange(len(start)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[start]
    x = np.append(wrap(lon[:-1][start] + at * step[start]), lon[-1])
    y = np.append(lat[:-1][start] + at * np.diff(lat)[start], lat[-1])
    x[-1], y[-1] = x[0], y[0]  # to the bit
    return x, y, step[start] / parts[start], edge[start]


class _Lines(NamedTuple):
    """Edges as lines of the plane; those over the dateline stand twice, a turn apart, so that all meet who do."""

    x1: np.ndarray
    y1: np.ndarray
    x2: np.ndarray
    y2: np.ndarray
    ring: np.ndarray  # counted from 0
    index: np.ndarray  # of the edge in its ring
    edges: np.ndarray  # of that ring
    back_x: np.ndarray  # from its first end to the one before
    back_y: np.ndarray


def _lines(ring: Ring, number: int) -> _Lines:
    x1, x2 = ring.lon[:-1], ring.lon[:-1] + ring.step
    over = np.flatnonzero((x2 >= np.pi) | (x2 < -np.pi))
    shift = np.append(np.zeros(len(x1)), -TURN * np.sign(x2[over]))
    index = np.append(np.arange(len(x1)), over)
    return _Lines(
        x1[index] + shift,
        ring.lat[:-1][index],
        x2[index] + shift,
        ring.lat[1:][index],
        np.full(len(index), number),
        index,
        np.full(len(index), len(x1)),
        -np.roll(ring.step, 1)[index],
        -np.roll(np.diff(ring.lat), 1)[index],
    )


def _refuse_crossings(rings: list[Ring], where: str) -> None:
    parts = [_lines(ring, k) for k, ring in enumerate(rings)]
    p = _Lines(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    for i, j in _near_pairs(p):
        apart = np.abs(p.index[i] - p.index[j])
        neighbours = (p.ring[i] == p.ring[j]) & ((apart <= 1) | (apart == p.edges[i] - 1))
        cross = ~neighbours & _opposite(p, i, j) & _opposite(p, j, i)
        cross |= _through_vertex(p, i, j) | _through_vertex(p, j, i)
        if cross.any():
            a, b = int(i[np.argmax(cross)]), int(j[np.argmax(cross)])
            if (p.ring[a], p.index[a]) > (p.ring[b], p.index[b]):
                a, b = b, a
            raise DataError(
                f"{_edge(rings, p, a)} crosses {_edge(rings, p, b)} at {_meeting(p, a, b)}",
                where=where,
                remedy="put the positions in order around the area, and cut it in two where it must touch itself",
            )


def _near_pairs(p: _Lines) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of lines whose boxes touch, each once: sorted by one end, every edge meets those that start in it."""
    if not len(p.x1):
        return
    # wider by what counts as touching, so that a vertex beside a level edge is not missed
    boxes = [(np.minimum(a, b) - CLEAR, np.maximum(a, b) + CLEAR) for a, b in ((p.x1, p.x2), (p.y1, p.y2))]
    crowding = [np.sum(high - low) / max(high.max() - low.min(), SAME) for low, high in boxes]
    if crowding[1] < crowding[0]:
        boxes.reverse()
    (low, high), (low2, high2) = boxes
    order = np.argsort(low, kind="stable")
    after = np.searchsorted(
        low[order], high[order], side="right"
    )  # of the sorted edges, those before it overlap
    i = np.arange(len(order))
    distance = 1
    while True:
        i = i[i + distance < after[i]]
        if not len(i):
            return
        a, b = order[i], order[i + distance]
        meet = (low2[a] <= high2[b]) & (low2[b] <= high2[a])
        if meet.any():
            yield a[meet], b[meet]
        distance += 1


def _opposite(p: _Lines, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Whether the ends of lines j lie clearly on opposite sides of lines i."""
    dx, dy = p.x2[i] - p.x1[i], p.y2[i] - p.y1[i]
    least = CLEAR * np.hypot(dx, dy)
    one = dx * (p.y1[j] - p.y1[i]) - dy * (p.x1[j] - p.x1[i])
    two = dx * (p.y2[j] - p.y1[i]) - dy * (p.x2[j] - p.x1[i])
    return ((one > least) & (two < -least)) | ((one < -least) & (two > least))


def _through_vertex(p: _Lines, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Whether the ring passes from one side of lines i to the other at the first end of lines j.

    That end lies on i, or is its first end too; then i goes on from there to its own vertex before.
    """
    dx, dy = p.x2[i] - p.x1[i], p.y2[i] - p.y1[i]
    length = np.hypot(dx, dy)
    ox, oy = p.x1[j] - p.x1[i], p.y1[j] - p.y1[i]
    along = dx * ox + dy * oy
    within = (np.abs(dx * oy - dy * ox) <= CLEAR * length) & (along > CLEAR * length)
    within &= along < length * (length - CLEAR)
    same = (np.hypot(ox, oy) <= CLEAR) & ((p.index[i] != p.index[j]) | (p.ring[i] != p.ring[j]))
    touch = np.flatnonzero(within | same)
    found = np.zeros(len(i), bool)
    if len(touch):
        i, j, dx, dy, same = i[touch], j[touch], dx[touch], dy[touch], same[touch]
        on = np.arctan2(dy, dx)
        behind = np.where(same, np.arctan2(p.back_y[i], p.back_x[i]), on + np.pi)
        sector = (behind - on) % TURN
        ahead = (np.arctan2(p.y2[j] - p.y1[j], p.x2[j] - p.x1[j]) - on) % TURN
        back = (np.arctan2(p.back_y[j], p.back_x[j]) - on) % TURN
        clear = np.all(
            [(a > SAME) & (a < TURN - SAME) & (np.abs(a - sector) > SAME) for a in (ahead, back)], axis=0
        )
        found[touch] = clear & ((ahead < sector) != (back < sector))
    return found


def _edge(rings: list[Ring], p: _Lines, k: int) -> str:
    ring = rings[p.ring[k]]
    return f"edge {ring.edge[p.index[k]]} of ring {p.ring[k] + 1}"


def _meeting(p: _Lines, a: int, b: int) -> str:
    dx, dy = p.x2[a] - p.x1[a], p.y2[a] - p.y1[a]
    ex, ey = p.x2[b] - p.x1[b], p.y2[b] - p.y1[b]
    s = ((p.x1[b] - p.x1[a]) * ey - (p.y1[b] - p.y1[a]) * ex) / ((dx * ey - dy * ex) or np.inf)
    return _place(wrap(p.x1[a : a + 1] + s * dx)[0], p.y1[a] + s * dy)


def _place(lon: float, lat: float) -> str:
    x, y = (round(float(np.rad2deg(angle)), 6) + 0.0 for angle in (lon, lat))  # + 0: no -0
    return f"longitude {x:.9g}, latitude {y:.9g}"

"""Where targets are looked for: grids over the Earth or an area of it, sites, and a path.

One measure of area for all of them: that of the sphere of geodetic latitudes, dA = cos(latitude) d(latitude)
d(longitude). On it the Fibonacci lattice has equal weights and a latitude/longitude cell the difference of two sines,
so grids agree with each other and with published spherical results. Ellipsoidal (authalic) area differs from it by
-0.45 % at the equator to +0.90 % at the poles, which moves an average over latitudes by less than that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, UInt64

from noroshi.constants import EARTH_MEAN_RADIUS_M
from noroshi.coverage.area import SHARE_MIN, TURN, Bounds, area, bounds, contains, wrap
from noroshi.coverage.models import Points
from noroshi.errors import DataError, ScenarioError

COUNT_MAX = 20_000_000  # points; more do not fit in memory with their figures
WORK_MAX = 1_000_000_000  # lattice points to go through: a minute
CHUNK = 1 << 20
SPHERE_M2 = 2.0 * TURN * EARTH_MEAN_RADIUS_M**2
GOLDEN = np.uint64(0x61C8864680B583EB)  # the golden angle, 1 - 1/phi of a turn, in units of 2**-64 turns


class Density(NamedTuple):
    """How fine a grid over an area is: by one of the two."""

    spacing_m: float | None = None  # one point for each square of this side
    count: int | None = None  # about so many in the area


USUAL = Density(count=2_000)  # 0.05 % of the area each


def fibonacci(count: int, height_m: float) -> Points:
    """The golden-angle lattice: z = 1 - (2 i + 1) / count, longitude i times the golden angle; equal weights.

    asin z is taken as the geodetic latitude. For odd counts it is the grid of Swinbank & Purser 2006 (Q. J. R.
    Meteorol. Soc. 132, 1769).
    """
    _refuse_count(count)
    lat, lon = _lattice(np.arange(count, dtype=np.uint64), count)
    return _even(f"fibonacci:{count}", lat, lon, height_m)


def latlon(rows: int, columns: int, height_m: float) -> Points:
    """Cell centres, south to north and west to east from -180; weights are the cells' areas."""
    if rows < 1 or columns < 1:
        raise ScenarioError(
            f"a grid of {rows} x {columns} cells has none", remedy="give rows x columns, as in latlon:90x180"
        )
    _refuse_count(rows * columns)
    edges = np.linspace(-np.pi / 2, np.pi / 2, rows + 1)
    centre = 0.5 * (edges[1:] + edges[:-1])
    # sin(north) - sin(south), without its loss of digits at the poles
    share = np.cos(centre) * np.sin(0.5 * np.pi / rows) / columns
    lon = (np.arange(columns) + 0.5) * (TURN / columns) - np.pi
    lat = np.repeat(centre, columns)
    return Points(
        f"latlon:{rows}x{columns}",
        lat,
        np.tile(lon, rows),
        np.full(lat.shape, float(height_m)),
        np.repeat(share, columns),
    )


def box(
    south: float, north: float, west: float, east: float, height_m: float, density: Density = USUAL
) -> Points:
    """Fibonacci points between two latitudes and, eastward, two longitudes [rad]; west > east crosses 180.

    Raises ScenarioError where there is no area or no point in it.
    """
    if not all(map(np.isfinite, (south, north, west, east))):
        raise ScenarioError("the box has a bound that is no number", remedy="give four angles")
    if not -np.pi / 2 <= south < north <= np.pi / 2:
        raise ScenarioError(
            f"the box goes from latitude {np.rad2deg(south):g} to {np.rad2deg(north):g} degrees",
            remedy="give the southern latitude first, both within -90 to 90",
        )
    width = east - west if east > west else east - west + TURN
    if not 0.0 < width <= TURN * (1.0 + 1e-12) or west == east:
        raise ScenarioError(
            "the box has no width", remedy="give the western longitude first; the whole circle is -180 to 180"
        )
    share = (np.sin(north) - np.sin(south)) * width / (2.0 * TURN)
    total = _total(density, share, "the box")

    def inside(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        return (lat >= south) & (lat < north) & (((lon - west) % TURN < width) | (width >= TURN))

    lat, lon = _lattice(_pick(total, Bounds(south, north, west, width), inside, "the box"), total)
    if not len(lat):
        raise _empty(ScenarioError, "the box", "", share, total)
    return _even("box", lat, lon, height_m)


def polygon(
    polygons: Sequence[Sequence[Float[np.ndarray, "_ 2"]]],
    height_m: float,
    density: Density = USUAL,
    where: Sequence[str] = (),
) -> Points:
    """Fibonacci points inside one or more polygons; places in several count once.

    A polygon is its outer ring and then its holes, each closed, longitude and latitude [rad], read as
    `coverage.area` says. `where` names each in messages. Raises DataError.
    """
    if not len(polygons):
        raise DataError("has no polygon", where=where[0] if where else "", remedy="give one or more")
    names = list(where) or [f"polygon {k}" for k in range(1, len(polygons) + 1)]
    areas = [area(rings, name) for rings, name in zip(polygons, names, strict=True)]
    share = min(sum(one.share for one in areas), 1.0)
    if share < SHARE_MIN:
        raise DataError(
            "encloses no area",
            where=names[0] if len(names) == 1 else "",
            remedy="give positions around an area; a side of 180 degrees of longitude or more needs one in between",
        )
    total = _total(density, share, "the area")
    found = [
        _pick(total, bounds(one), lambda lat, lon, one=one: contains(one, lat, lon), one.where)
        for one in areas
    ]
    lat, lon = _lattice(np.unique(np.concatenate(found)), total)
    if not len(lat):
        raise _empty(DataError, "the area", names[0] if len(names) == 1 else "", share, total)
    return _even("polygon", lat, lon, height_m)


def sites(
    names: Sequence[str],
    lat: Float[np.ndarray, "site"],
    lon: Float[np.ndarray, "site"],
    height_m: Float[np.ndarray, "site"],
) -> Points:
    """Places of their own, of equal weight: latitude, longitude [rad], height [m]."""
    lat, lon, height_m = _places(lat, lon, height_m)
    if len(names) != len(lat):
        raise DataError(f"has {len(names)} names for {len(lat)} sites", remedy="name every site once")
    return Points("sites", lat, lon, height_m, np.full(len(lat), 1.0 / len(lat)), tuple(names))


def trajectory(
    t: Float[np.ndarray, "time"],
    lat: Float[np.ndarray, "time"],
    lon: Float[np.ndarray, "time"],
    height_m: Float[np.ndarray, "time"],
) -> Points:
    """One moving target: where it is at each t [s past the epoch], rising; every sample has the same weight."""
    t = np.asarray(t, np.float64)
    lat, lon, height_m = _places(lat, lon, height_m)
    if t.shape != lat.shape:
        raise DataError(f"has {t.size} times for {len(lat)} places", remedy="give one place for each time")
    if not np.isfinite(t).all() or np.any(np.diff(t) <= 0.0):
        raise DataError("has times that do not rise", remedy="sort by time and remove what is double")
    return Points("trajectory", lat, lon, height_m, np.full(len(t), 1.0 / len(t)), t=t)


def _even(kind: str, lat: np.ndarray, lon: np.ndarray, height_m: float) -> Points:
    count = len(lat)
    return Points(kind, lat, lon, np.full(count, float(height_m)), np.full(count, 1.0 / count))


def _places(
    lat: np.ndarray, lon: np.ndarray, height: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lat, lon, height = (np.asarray(values, np.float64) for values in (lat, lon, height))
    if not lat.size or not lat.shape == lon.shape == height.shape == (lat.size,):
        raise DataError(
            "holds no places", remedy="give one latitude, longitude and height for each place, at least one"
        )
    fine = np.isfinite(lat) & np.isfinite(lon) & np.isfinite(height) & (np.abs(lat) <= np.pi / 2)
    if not fine.all():
        k = int(np.argmin(fine))
        raise DataError(
            f"place {k + 1} (latitude {np.rad2deg(lat[k]):g}, longitude {np.rad2deg(lon[k]):g} degrees, "
            f"height {height[k]:g} m) is none on the Earth",
            remedy="latitudes lie within -90 to 90 degrees, and every value is a number",
        )
    return lat, wrap(lon), height


def _refuse_count(count: int) -> None:
    if count < 1:
        raise ScenarioError(f"a grid of {count} points has none", remedy="ask for one point at least")
    if count > COUNT_MAX:
        raise ScenarioError(
            f"a grid of {count:,} points is too fine", remedy=f"ask for {COUNT_MAX:,} at most"
        )


def _lattice(
    index: UInt64[np.ndarray, "point"], count: int
) -> tuple[Float64[np.ndarray, "point"], Float64[np.ndarray, "point"]]:
    """Latitude and longitude [rad] of points of the lattice, north to south.

    Whole turns drop out of the 64-bit product, so longitudes keep their digits at any index; and latitudes come from
    the exact 1 - z and 1 + z, so they keep theirs at the poles.
    """
    below = 2.0 * index.astype(np.float64) + 1.0
    lat = np.arctan2(count - below, np.sqrt(below * (2.0 * count - below)))
    with np.errstate(over="ignore"):
        turned = (index * GOLDEN).view(np.int64)
    return lat, wrap(turned * (TURN / 2.0**64))


def _total(density: Density, share: float, what: str) -> int:
    """Points of the lattice over the whole Earth that has this density over a share of it."""
    spacing, count = density
    if spacing is not None:
        if not spacing > 0.0 or not np.isfinite(spacing):
            raise ScenarioError(f"a spacing of {spacing:g} m makes no grid", remedy="give a length above 0")
        expected, total = share * SPHERE_M2 / spacing**2, SPHERE_M2 / spacing**2
    else:
        expected = count or 0
        if expected < 1:
            raise ScenarioError(f"a grid of {expected} points has none", remedy="ask for one point at least")
        total = expected / share
    if expected > COUNT_MAX or total > 2.0**62:
        least = _nice(np.sqrt(share * SPHERE_M2 / COUNT_MAX))
        raise ScenarioError(
            f"so fine a grid has {expected:,.0f} points in {what}",
            remedy=f"ask for {COUNT_MAX:,} at most, or a spacing of {least:g} m or more",
        )
    return max(round(total), 1)


def _pick(
    total: int, around: Bounds, inside: Callable[[np.ndarray, np.ndarray], np.ndarray], what: str
) -> UInt64[np.ndarray, "point"]:
    """Which points of the lattice of `total` are in a box and have `inside(lat, lon)`, rising."""
    spare = 2 + int(total * 4e-16)  # rounding of the sines
    first = max(int(0.5 * total * (1.0 - np.sin(around.north))) - spare, 0)
    stop = min(int(0.5 * total * (1.0 - np.sin(around.south))) + spare, total)
    part = around.width / TURN
    if (stop - first) * part > WORK_MAX:
        raise ScenarioError(
            f"so fine a grid has {(stop - first) * part:,.0f} points in the box around {what}",
            remedy=f"space it {np.sqrt((stop - first) * part / WORK_MAX) + 0.1:.1f} times wider",
        )
    rows = int(CHUNK / max(part, 1e-9))
    found = []
    for a in range(first, stop, rows):
        index = _between(a, min(a + rows, stop), around.west, part)
        found.append(index[inside(*_lattice(index, total))])
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def _between(first: int, stop: int, west: float, part: float) -> UInt64[np.ndarray, "point"]:
    """Which of consecutive points are within `part` of a turn east of `west`; a few beside them too.

    Every F-th point, F a Fibonacci number, moves by less than 1/(2 F) of a turn at a time. With F the root of how many
    there are, each of the F sequences passes the arc at most once or twice, and where is a division: a small area
    costs the root of its latitudes' points, not all of them.
    """
    if part >= 1.0:
        return np.arange(first, stop, dtype=np.uint64)
    stride, after = 1, 2
    while stride * stride < stop - first:
        stride, after = after, stride + after
    start = np.arange(first, min(first + stride, stop), dtype=np.uint64)
    with np.errstate(over="ignore"):
        move = float((np.array([stride], np.uint64) * GOLDEN).view(np.int64)[0]) / 2.0**64
        at = (start * GOLDEN).astype(np.float64) / 2.0**64 - (west / TURN) % 1.0
    length = (stop - 1 - start.astype(np.int64)) // stride + 1  # of each sequence
    found = []
    for turn in (-2, -1, 0, 1):
        ends = np.sort([(turn - at) / move, (turn + part - at) / move], axis=0)
        low = np.clip(np.floor(ends[0]), 0, length).astype(np.int64)
        many = np.clip(np.ceil(ends[1]) + 1, low, length).astype(np.int64) - low
        step = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
        found.append(np.repeat(start, many) + (step * stride).astype(np.uint64))
    return np.unique(np.concatenate(found))


def _empty(
    kind: type[DataError] | type[ScenarioError], what: str, where: str, share: float, total: int
) -> DataError | ScenarioError:
    km2 = share * SPHERE_M2 / 1e6
    finer = _nice(np.sqrt(share * SPHERE_M2 / 100.0)) / 1e3
    return kind(
        f"no point of the grid lies in {what}: {km2:.3g} km2 hold {share * total:.2g} points on average",
        where=where,
        remedy=f"make the grid finer: a spacing of {finer:g} km gives about a hundred",
    )


def _nice(value: float) -> float:
    """Two digits of it."""
    return float(f"{value:.1e}")

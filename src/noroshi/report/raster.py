"""Heat maps as small pictures: every cell of a map takes the value of the points in it, or of the nearest one.

A picture costs the page the same whether ten thousand points lie behind it or a hundred thousand.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int, UInt8
from scipy.spatial import KDTree

from noroshi.report.maps import Frame

ROWS = 240  # of a picture of the whole Earth; a region's has as many columns as twice this
REACH = 0.75  # of the usual distance to the fourth neighbour: half a diagonal of a square cell is 0.71 of its side
SHADES = 126  # more the eye does not tell apart; two further colours say "not asked" and "no figure"

# cividis (Nuñez, Anderton, Renslow 2018, doi:10.1371/journal.pone.0199239) at eleven equal steps, as Vega has it
CIVIDIS = (
    "#002051",
    "#083169",
    "#2c456e",
    "#4c566d",
    "#66676f",
    "#7f7c75",
    "#938e78",
    "#a9a177",
    "#c5b66d",
    "#e7cf58",
    "#fce647",
)


class Cells(NamedTuple):
    """The cells of a map, row by row from its north-west corner, and the points that colour them."""

    frame: Frame
    rows: int
    columns: int
    of_point: Int[np.ndarray, "point"]  # the cell that a point lies in; -1: off the map
    nearest: Int[np.ndarray, "cell"]  # the nearest point; -1: none near enough, nothing was asked there


def unit_vectors(lat_rad: np.ndarray, lon_rad: np.ndarray) -> Float64[np.ndarray, "point 3"]:
    """Directions of latitudes and longitudes, taken as on a sphere: for who is nearest, not for distances."""
    flat = np.cos(lat_rad)
    return np.stack([flat * np.cos(lon_rad), flat * np.sin(lon_rad), np.sin(lat_rad)], -1)


def reach(places: Float64[np.ndarray, "point 3"], tree: KDTree) -> float:
    """How far [chord on the unit sphere] a point of a grid speaks for the places about it."""
    apart = tree.query(places, k=min(5, len(places)))[0][:, -1]
    return REACH * float(np.median(apart))


def cover_all(lat_rad: np.ndarray, lon_rad: np.ndarray) -> bool:
    """Whether the points lie all over the Earth: no place is out of every point's reach."""
    if len(lat_rad) < 30:
        return False
    places = unit_vectors(lat_rad, lon_rad)
    tree = KDTree(places)
    lat, lon = np.meshgrid(np.deg2rad(np.arange(-87.5, 90, 5)), np.deg2rad(np.arange(0, 360, 5)))
    far = tree.query(unit_vectors(lat.ravel(), lon.ravel()))[0].max()
    return bool(far <= 1.5 * reach(places, tree))


class Lattice(NamedTuple):
    """Points at equal steps of longitude and latitude [deg]: each fills a rectangle."""

    west: float  # the first column's middle
    south: float
    dx: float
    dy: float


def lattice(x: np.ndarray, y: np.ndarray) -> Lattice | None:
    """The steps that the points stand on; None: they do not, or leave most of it empty."""
    steps = []
    distinct = [np.unique(np.round(v, 6)) for v in (x, y)]
    if min(len(v) for v in distinct) < 2 or len(distinct[0]) * len(distinct[1]) > 4 * len(x):
        return None
    for v in distinct:
        step = float(np.diff(v).min())
        count = (v - v[0]) / step
        if np.abs(count - np.round(count)).max() > 0.01:
            return None
        steps.append(step)
    return Lattice(float(distinct[0][0]), float(distinct[1][0]), steps[0], steps[1])


def _in_rectangles(
    grid: Lattice, x: np.ndarray, y: np.ndarray, lon: np.ndarray, lat: np.ndarray
) -> np.ndarray:
    """The point whose rectangle each place lies in; -1: none."""

    def place(at_x: np.ndarray, at_y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.floor((at_x - grid.west) / grid.dx + 0.5).astype(int), np.floor(
            (at_y - grid.south) / grid.dy + 0.5
        ).astype(int)

    column, row = place(x, y)
    held = np.full((row.max() + 1, column.max() + 1), -1)
    held[row, column] = np.arange(len(x))
    column, row = place(lon, lat)
    inside = (row >= 0) & (row < held.shape[0]) & (column >= 0) & (column < held.shape[1])
    return np.where(inside, held[np.where(inside, row, 0), np.where(inside, column, 0)], -1)


def divide(frame: Frame, x: np.ndarray, y: np.ndarray, *, everywhere: bool) -> Cells:
    """Cut a map into cells and give each its points. x, y: of the points, degrees on the map's own axes.

    Cells out of every point's reach stay empty, unless the points are `everywhere`.
    """
    columns = 2 * ROWS
    rows = max(1, round(columns * frame.height / frame.width))
    column = np.floor((x - frame.west) / (frame.east - frame.west) * columns).astype(int)
    row = np.floor((frame.north - y) / (frame.north - frame.south) * rows).astype(int)
    # a point on the last edge belongs to the last cell
    column, row = np.where(x == frame.east, columns - 1, column), np.where(y == frame.south, rows - 1, row)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    lon = frame.west + (np.arange(columns) + 0.5) * (frame.east - frame.west) / columns
    lat = frame.north - (np.arange(rows) + 0.5) * (frame.north - frame.south) / rows
    lat, lon = np.meshgrid(np.deg2rad(lat), np.deg2rad(lon), indexing="ij")
    grid = lattice(x, y)
    if grid is not None and not everywhere:
        nearest = _in_rectangles(grid, x, y, np.rad2deg(lon).ravel(), np.rad2deg(lat).ravel())
        return Cells(frame, rows, columns, np.where(inside, row * columns + column, -1), nearest)
    places = unit_vectors(np.deg2rad(y), np.deg2rad(x))
    tree = KDTree(places)
    distance, nearest = tree.query(unit_vectors(lat.ravel(), lon.ravel()))
    if not everywhere:
        nearest = np.where(distance <= reach(places, tree), nearest, -1)
    return Cells(frame, rows, columns, np.where(inside, row * columns + column, -1), np.asarray(nearest))


def fill(
    cells: Cells, values: np.ndarray, weight: np.ndarray, how: Literal["mean", "max"]
) -> tuple[Float64[np.ndarray, "cell"], np.ndarray]:
    """Each cell's value (nan: its points have none) and whether it was asked for at all.

    Of several points in a cell: their weighted mean, or the greatest.
    """
    known = (cells.of_point >= 0) & np.isfinite(values)
    at, v, w = cells.of_point[known], values[known], weight[known]
    count = cells.rows * cells.columns
    if how == "max":
        own = np.full(count, -np.inf)
        np.maximum.at(own, at, v)
    else:
        share = np.bincount(at, w, count)
        own = np.divide(np.bincount(at, w * v, count), share, out=np.full(count, -np.inf), where=share > 0)
    asked = cells.nearest >= 0
    filled = np.where(own > -np.inf, own, np.where(asked, values[cells.nearest], np.nan))
    return filled, asked | (own > -np.inf)


def shade(values: np.ndarray, low: float, high: float, *, log: bool = False) -> Float64[np.ndarray, "cell"]:
    """Where values stand between low and high, 0 to 1; on a log scale both are positive."""
    if log:
        values, low, high = np.log(np.maximum(values, low)), np.log(low), np.log(high)
    return np.clip((values - low) / (high - low), 0.0, 1.0) if high > low else np.zeros_like(values)


def ramp(*, reverse: bool = False) -> list[str]:
    """The colour scale, from low to high."""
    return list(CIVIDIS[::-1] if reverse else CIVIDIS)


def picture(cells: Cells, share: np.ndarray, asked: np.ndarray, *, reverse: bool = False) -> str:
    """A PNG as a data address: `share` 0 to 1 in colour; nan: see-through, for a hatch below; not asked: white."""
    stops = np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in ramp(reverse=reverse)], float)
    steps = np.linspace(0, len(stops) - 1, SHADES)
    colours = np.stack([np.interp(steps, np.arange(len(stops)), stops[:, k]) for k in range(3)], -1)
    palette = np.concatenate([[[255.0] * 3], [[255.0] * 3], colours]).round().astype(np.uint8)
    index = np.full(share.shape, 1, np.uint8)
    known = np.isfinite(share)
    index[known] = 2 + np.round(share[known] * (SHADES - 1)).astype(np.uint8)
    index[~asked] = 0
    return "data:image/png;base64," + b64encode(png(index.reshape(cells.rows, -1), palette, clear=1)).decode()


def png(index: UInt8[np.ndarray, "row column"], palette: UInt8[np.ndarray, "colour 3"], clear: int) -> bytes:
    """A picture of indexed colours, one of them see-through (PNG specification, third edition, W3C 2025)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows, columns = index.shape
    head = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), index], 1)  # each line names its filter: 0, none
    alpha = bytes(0 if k == clear else 255 for k in range(clear + 1))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"PLTE", palette.tobytes())
        + chunk(b"tRNS", alpha)
        + chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
        + chunk(b"IEND", b"")
    )

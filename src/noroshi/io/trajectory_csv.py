"""Recorded trajectories as CSV: time, geodetic latitude, longitude and height, one row each."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from noroshi.earth import itrs_from_geodetic
from noroshi.errors import DataError
from noroshi.targets.models import Record

COLUMNS = ("t_s", "latitude_deg", "longitude_deg", "height_m")
LIMITS = {"latitude_deg": (-90.0, 90.0), "longitude_deg": (-180.0, 360.0), "height_m": (-1e3, 1e8)}
SPEED_MAX_M_S = 12_000.0  # a little above escape speed: faster rows are misread units or damaged digits
MANY_BYTES = 200_000_000
UNITS = "seconds, degrees and metres above the WGS-84 ellipsoid"


def read_trajectory_csv(path: Path | str) -> Record:
    """One trajectory, ITRS, from a CSV with the columns t_s, latitude_deg, longitude_deg, height_m in any order.

    Other columns are ignored; so are blank lines and lines that begin with #. Any damage raises DataError with
    file, line and remedy: missing columns, a short row, what is no finite number, values beyond their range,
    times out of order, speeds above 12 km/s between rows.
    """
    return parse_trajectory_csv(read_bytes(path), str(path))


def read_bytes(path: Path | str) -> bytes:
    """A file's bytes; DataError where it cannot be read."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="check the path and permissions"
        ) from None
    if len(data) > MANY_BYTES:
        raise DataError(
            f"{len(data) / 1e6:.0f} MB is no trajectory", where=str(path), remedy="name the right file"
        )
    return data


def decode(data: bytes, where: str) -> str:
    """UTF-8 text; DataError for anything else."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            "is not a text file (UTF-8)", where=f"{where}:{line}", remedy="name a CSV or an OEM in KVN form"
        ) from None
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise DataError(
            "holds binary data", where=f"{where}:{line}", remedy="name a CSV or an OEM in KVN form"
        )
    return text


def parse_trajectory_csv(data: bytes, where: str) -> Record:
    """As `read_trajectory_csv`, from the bytes of a file called `where` in messages."""
    lines = decode(data, where).splitlines()
    kept = [
        (n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    if not kept:
        raise DataError("is empty", where=where, remedy=f"give the columns {', '.join(COLUMNS)}")
    order = _columns(_cells(kept[0][1]), f"{where}:{kept[0][0]}")
    if len(kept) < 3:
        raise DataError(
            "has fewer than two rows", where=where, remedy="a trajectory needs two points at least"
        )
    rows = np.array([_row(line, order, f"{where}:{n}") for n, line in kept[1:]])
    numbers = [n for n, _ in kept[1:]]
    t, lat, lon, h = rows.T
    r = itrs_from_geodetic(np.deg2rad(lat), np.deg2rad(lon), h)
    check_order(t, numbers, where)
    _check_speed(t, r, numbers, where)
    return Record(
        Path(where).stem,
        where,
        "ITRS",
        math.nan,
        math.nan,
        t - t[0],
        r,
        None,
        "spline",
        3,
        (0.0, t[-1] - t[0]),
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line]), [])]


def _columns(header: list[str], where: str) -> list[int]:
    """Where each needed column stands."""
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise DataError(
            f"has no column {missing[0]!r} (its columns: {', '.join(header)[:200]})",
            where=where,
            remedy=f"name the columns {', '.join(COLUMNS)}: {UNITS}",
        )
    for name in COLUMNS:
        if header.count(name) > 1:
            raise DataError(f"has two columns {name!r}", where=where, remedy="keep one of them")
    return [header.index(name) for name in COLUMNS]


def _row(line: str, order: list[int], where: str) -> list[float]:
    cells = _cells(line)
    if len(cells) <= max(order):
        raise DataError(
            f"row has {len(cells)} values, the header asks for more",
            where=where,
            remedy="the file may be cut off: complete or delete the row",
        )
    values = []
    for name, k in zip(COLUMNS, order, strict=True):
        value = finite(cells[k], name, where)
        low, high = LIMITS.get(name, (-math.inf, math.inf))
        if not low <= value <= high:
            raise DataError(
                f"{name} = {value:g} is outside {low:g} to {high:g}", where=where, remedy=f"units are {UNITS}"
            )
        values.append(value)
    return values


def finite(text: str, name: str, where: str) -> float:
    """A finite number; DataError otherwise. Digits grouped by underscores are refused."""
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f"{name} = {text[:40]!r} is not a number", where=where, remedy="correct or delete the row"
        )
    return value


def check_order(t: np.ndarray, lines: list[int], where: str) -> None:
    """Times must ascend strictly."""
    back = np.flatnonzero(np.diff(t) <= 0.0)
    if len(back):
        k = int(back[0]) + 1
        what = "repeats the time of the row before" if t[k] == t[k - 1] else "is earlier than the row before"
        raise DataError(
            what, where=f"{where}:{lines[k]}", remedy="sort the rows by time and keep one for each"
        )


def _check_speed(t: np.ndarray, r: np.ndarray, lines: list[int], where: str) -> None:
    speed = np.linalg.norm(np.diff(r, axis=0), axis=1) / np.diff(t)
    fast = np.flatnonzero(speed > SPEED_MAX_M_S)
    if len(fast):
        k = int(fast[0])
        raise DataError(
            f"moves at {speed[k] / 1e3:.3g} km/s since the row before",
            where=f"{where}:{lines[k + 1]}",
            remedy=f"units are {UNITS}",
        )

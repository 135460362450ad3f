"""Places from CSV: name,latitude_deg,longitude_deg[,height_m], one a line; every mistake with its line and column."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from noroshi.errors import DataError
from noroshi.io.read import file_bytes

COLUMNS = ("name", "latitude_deg", "longitude_deg")
HEIGHT = "height_m"
HEIGHT_MAX_M = 1e9
SIZE_MAX = 50_000_000  # bytes


class Sites(NamedTuple):
    """Places with their names."""

    names: tuple[str, ...]
    lat_rad: Float64[np.ndarray, "site"]  # geodetic
    lon_rad: Float64[np.ndarray, "site"]
    height_m: Float64[np.ndarray, "site"]  # above the ellipsoid; nan: not said


def read_sites(path: Path | str) -> Sites:
    """The places of a file, in its order. Raises DataError."""
    return parse_sites(file_bytes(path), str(path))


def parse_sites(data: bytes, where: str) -> Sites:
    """As `read_sites`, of bytes."""
    form = f"the first line names the columns: {','.join(COLUMNS)}[,{HEIGHT}]"
    if len(data) > SIZE_MAX:
        raise DataError("is too large for a list of sites", where=where, remedy="use a grid or a polygon")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"is not text (byte {error.start})", where=where, remedy="save it as UTF-8") from None
    header: list[str] = []
    found: dict[str, tuple[float, float, float]] = {}
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = _header([cell.strip() for cell in row], where, reader.line_num, form)
                continue
            name, place = _site(header, row, where, reader.line_num)
            if name in found:
                raise _bad(f"names {name!r} again", where, reader.line_num, "name", "give every site its own")
            found[name] = place
    except csv.Error as error:
        raise DataError(
            f"is not CSV: {error}",
            where=f"{where}:{reader.line_num}",
            remedy="write plain comma-separated values",
        ) from None
    if not found:
        raise DataError(
            "holds no site", where=where, remedy=form if not header else "add a line for each site"
        )
    lat, lon, height = np.array(list(found.values())).T
    return Sites(tuple(found), np.deg2rad(lat), np.deg2rad(lon), height)


def _bad(what: str, where: str, line: int, column: str, remedy: str) -> DataError:
    return DataError(what, where=f"{where}:{line}, column {column}", remedy=remedy)


def _header(names: list[str], where: str, line: int, form: str) -> list[str]:
    for name in COLUMNS:
        if name not in names:
            raise _bad("is missing", where, line, name, form)
    for name in names:
        if names.count(name) > 1:
            raise _bad("stands twice", where, line, name, form)
        if name not in (*COLUMNS, HEIGHT) and name.lower().startswith(("height", "alt")):
            raise _bad(
                f"is not understood; heights are {HEIGHT}", where, line, name, "give metres as height_m"
            )
    return names


def _site(header: list[str], row: list[str], where: str, line: int) -> tuple[str, tuple[float, float, float]]:
    if len(row) != len(header):
        raise DataError(
            f"has {len(row)} values for {len(header)} columns",
            where=f"{where}:{line}",
            remedy="complete the line; a name with a comma stands in quotes",
        )
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    if not cells["name"]:
        raise _bad("is empty", where, line, "name", "name the site")
    lat = _number(cells, "latitude_deg", -90.0, 90.0, where, line)
    lon = _number(cells, "longitude_deg", -360.0, 360.0, where, line)
    height = _number(cells, HEIGHT, -1e4, HEIGHT_MAX_M, where, line) if cells.get(HEIGHT) else math.nan
    return cells["name"], (lat, lon, height)


def _number(cells: dict[str, str], column: str, least: float, most: float, where: str, line: int) -> float:
    try:
        value = float(cells[column])
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise _bad(
            f"{cells[column][:40]!r} is no number from {least:g} to {most:g}",
            where,
            line,
            column,
            "angles are in decimal degrees (south and west negative), heights in metres",
        )
    return value

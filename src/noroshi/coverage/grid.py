"""The text of grids and boxes: fibonacci:10000, latlon:90x180, box:20N-55N,120E-180E@200km, polygon:FILE, sites:FILE.

Text only: `io.points` reads the files and makes the points.
"""

from __future__ import annotations

import difflib
import math
import re
from typing import NamedTuple

from noroshi.coverage.points import USUAL, Density
from noroshi.errors import ScenarioError

FORMS = {
    "fibonacci": "fibonacci:10000",
    "latlon": "latlon:90x180 (rows x columns) or latlon:2 (degrees)",
    "box": "box:20N-55N,120E-180E, with @200km or :5000 (points) for its density",
    "polygon": "polygon:FILE.geojson, with @200km or :5000 (points) for its density",
    "sites": "sites:FILE.csv (name,latitude_deg,longitude_deg[,height_m])",
    "site": "site:35.7,139.7 (latitude, longitude in degrees)",
    "trajectory": "trajectory:FILE (CSV or OEM)",
}
BOX_FORM = "latitudes, then longitudes: 20N-55N,120E-180E, -35..20,150E-150W or global"

CELL_MIN_DEG = 0.01

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
# At the end only: a file's name may hold @ and a colon
_DENSITY = re.compile(r"(?P<rest>.+?)(?:@(?P<spacing>\s*[+-]?[\d.]+\s*[A-Za-z]*)|:(?P<count>[\d_]+))")
_SPACING = re.compile(rf"(?P<size>{_NUMBER})\s*(?P<unit>km|m)", re.IGNORECASE)
_RANGE = re.compile(
    rf"\s*(?P<a>{_NUMBER})\s*(?P<sa>[A-Za-z]?)\s*(?:-|\.\.)\s*(?P<b>{_NUMBER})\s*(?P<sb>[A-Za-z]?)\s*"
)
_ANGLE = re.compile(rf"\s*(?P<a>{_NUMBER})\s*(?P<sa>[A-Za-z]?)\s*")


class Grid(NamedTuple):
    """A grid as it was asked for; what its kind does not need is as it stands here."""

    kind: str  # a key of FORMS
    text: str
    rows: int = 0  # latlon
    columns: int = 0  # latlon
    count: int = 0  # fibonacci
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # south, north, west, east [rad]
    density: Density = USUAL  # box, polygon
    file: str = ""  # polygon, sites, trajectory
    place: tuple[float, float] = (0.0, 0.0)  # site: latitude, longitude [rad]


def parse(text: str) -> Grid:
    """The grid a text asks for. Raises ScenarioError, with the nearest kind where it is none."""
    text = text.strip()
    kind, found, rest = text.partition(":")
    kind, rest = kind.strip().lower(), rest.strip()
    if kind not in FORMS:
        close = difflib.get_close_matches(kind, FORMS, n=1)
        meant = f"did you mean {FORMS[close[0]]}? " if close else ""
        raise ScenarioError(
            f"{kind[:40]!r} is no kind of grid",
            where=_where(text),
            remedy=f"{meant}Kinds: {', '.join(FORMS)}",
        )
    if not found or not rest:
        raise ScenarioError("says nothing after its kind", where=_where(text), remedy=f"write {FORMS[kind]}")
    if kind == "fibonacci":
        return Grid(kind, text, count=_count(rest, text, kind))
    if kind == "latlon":
        rows, columns = _cells(rest, text)
        return Grid(kind, text, rows=rows, columns=columns)
    if kind == "box":
        rest, density = _density(rest, text, kind)
        return Grid(kind, text, box=parse_box(rest), density=density)
    if kind == "polygon":
        rest, density = _density(rest, text, kind)
        return Grid(kind, text, file=rest, density=density)
    if kind == "site":
        return Grid(kind, text, place=_place(rest, text))
    return Grid(kind, text, file=rest)


def parse_box(text: str) -> tuple[float, float, float, float]:
    """South, north, west, east [rad] of latitudes and longitudes in degrees; west > east crosses 180.

    Both longitudes are within -pi to pi; the whole circle is -pi to pi. Raises ScenarioError.
    """
    if text.strip().lower() == "global":
        return (-math.pi / 2, math.pi / 2, -math.pi, math.pi)
    parts = text.split(",")
    if len(parts) != 2:
        raise _bad(text, f"has {len(parts)} part{'s' * (len(parts) != 1)} between commas")
    if re.search("[EeWw]", parts[0]) and re.search("[NnSs]", parts[1]):
        raise _bad(text, "has longitudes first", f"write {parts[1].strip()},{parts[0].strip()}")
    south, north = _range(parts[0], "NS", 90.0, text)
    west, east = _range(parts[1], "EW", 360.0, text)
    if south >= north:
        what = "has no height" if south == north else f"goes from latitude {south:g} down to {north:g}"
        raise _bad(text, what, "give the southern latitude first, and two that differ")
    width = east - west if east > west else east - west + 360.0
    if east == west or not 0.0 < width <= 360.0:
        raise _bad(
            text,
            "has no width" if east == west or width == 0.0 else f"spans {east - west:g} degrees of longitude",
            "give the western longitude first; the whole circle is 180W-180E",
        )
    if width == 360.0:
        west, east = -180.0, 180.0
    else:
        west = (west + 180.0) % 360.0 - 180.0
        east = 180.0 - (180.0 - east) % 360.0
    return (math.radians(south), math.radians(north), math.radians(west), math.radians(east))


def _where(text: str) -> str:
    return f"grid {text[:80]!r}"


def _bad(text: str, what: str, remedy: str = "") -> ScenarioError:
    return ScenarioError(what, where=f"area {text.strip()[:80]!r}", remedy=remedy or f"write {BOX_FORM}")


def _range(text: str, letters: str, limit: float, whole: str) -> tuple[float, float]:
    match = _RANGE.fullmatch(text)
    if not match:
        raise _bad(whole, f"{text.strip()[:40]!r} is no range of degrees")
    return (
        _degrees(match["a"], match["sa"], letters, limit, whole),
        _degrees(match["b"], match["sb"], letters, limit, whole),
    )


def _degrees(number: str, letter: str, letters: str, limit: float, whole: str) -> float:
    """Degrees north or east of a number and the letter after it."""
    value = float(number)
    if letter:
        if letter.upper() not in letters:
            raise _bad(whole, f"{number}{letter} does not end in {letters[0]} or {letters[1]}")
        if number[0] in "+-":
            raise _bad(whole, f"{number}{letter} has a sign and a letter", "use one of the two")
        if letter.upper() in "SW":
            value = -value
    if abs(value) > limit:
        raise _bad(
            whole, f"{number}{letter} is beyond {limit:g} degrees", "latitudes end at 90, longitudes at 360"
        )
    return value


def _count(text: str, whole: str, kind: str) -> int:
    digits = text.strip().replace("_", "")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18 or int(digits) == 0:
        raise ScenarioError(
            f"{text.strip()[:40]!r} is no number of points",
            where=_where(whole),
            remedy=f"write {FORMS[kind]}",
        )
    return int(digits)


def _cells(text: str, whole: str) -> tuple[int, int]:
    rows, found, columns = text.lower().replace("×", "x").partition("x")
    if found:
        return _count(rows, whole, "latlon"), _count(columns, whole, "latlon")
    if not re.fullmatch(_NUMBER, text) or not CELL_MIN_DEG <= float(text) <= 180.0:
        raise ScenarioError(
            f"{text[:40]!r} is no size of cells", where=_where(whole), remedy=f"write {FORMS['latlon']}"
        )
    rows_wanted = 180.0 / float(text)
    count = max(round(rows_wanted), 1)
    if abs(rows_wanted - count) > 1e-9 * rows_wanted:
        near = f"latlon:{180.0 / count:.10g} or latlon:{count}x{2 * count}"
        raise ScenarioError(
            f"cells of {text} degrees do not fill 180", where=_where(whole), remedy=f"the nearest is {near}"
        )
    return count, 2 * count


def _density(text: str, whole: str, kind: str) -> tuple[str, Density]:
    match = _DENSITY.fullmatch(text)
    if not match:
        return text, USUAL
    if match["count"] is not None:
        return match["rest"].strip(), Density(count=_count(match["count"], whole, kind))
    spacing = _SPACING.fullmatch(match["spacing"].strip())
    if not spacing or not float(spacing["size"]) > 0.0:
        raise ScenarioError(
            f"{match['spacing'][:40]!r} after @ is no spacing",
            where=_where(whole),
            remedy="write a length with its unit, as in @200km or @500m",
        )
    return match["rest"].strip(), Density(
        spacing_m=float(spacing["size"]) * (1e3 if spacing["unit"].lower() == "km" else 1.0)
    )


def _place(text: str, whole: str) -> tuple[float, float]:
    parts = [_ANGLE.fullmatch(part) for part in text.split(",")]
    if len(parts) != 2 or not all(parts):
        raise ScenarioError("is no place", where=_where(whole), remedy=f"write {FORMS['site']}")
    lat, lon = parts
    assert lat
    assert lon
    return (
        math.radians(_degrees(lat["a"], lat["sa"], "NS", 90.0, text)),
        math.radians(_degrees(lon["a"], lon["sa"], "EW", 360.0, text)),
    )

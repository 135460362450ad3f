"""Areas from GeoJSON files (RFC 7946): the polygons they hold, as plain rings.

Here it is seen that the file is GeoJSON; whether its rings bound an area is seen by `coverage.area`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from noroshi.errors import DataError
from noroshi.io.read import file_bytes

SIZE_MAX = 200_000_000  # bytes
REMEDY = "give a GeoJSON file (RFC 7946) with a Polygon, a MultiPolygon, or features of them"
SAME_AS_WGS84 = ("CRS84", "EPSG::4326", "EPSG:4326")


class Polygon(NamedTuple):
    """One polygon as the file has it."""

    name: str  # properties.name of its feature; empty: none
    where: str  # file, feature and polygon, for messages
    rings: tuple[Float64[np.ndarray, "_ 2"], ...]  # longitude, latitude [rad]; the first is the outer one


def read_polygons(path: Path | str) -> list[Polygon]:
    """The polygons of a file, in its order. Raises DataError."""
    return parse_polygons(file_bytes(path), str(path))


def parse_polygons(data: bytes, where: str) -> list[Polygon]:
    """As `read_polygons`, of bytes."""
    if len(data) > SIZE_MAX:
        raise DataError("is too large for areas", where=where, remedy="simplify its outlines")
    try:
        whole = json.loads(data.decode("utf-8-sig"), parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise DataError(f"is not text (byte {error.start})", where=where, remedy=REMEDY) from None
    except json.JSONDecodeError as error:
        raise DataError(
            f"is not JSON: {error.msg}",
            where=f"{where}:{error.lineno}",
            remedy=f"correct it at column {error.colno}",
        ) from None
    except _NoNumber as error:
        raise DataError(
            f"holds {error.args[0]}, which is no number",
            where=where,
            remedy="correct the position that has it",
        ) from None
    except RecursionError:
        raise DataError("is nested too deeply", where=where, remedy=REMEDY) from None
    if not isinstance(whole, dict):
        raise DataError("is JSON but no GeoJSON object", where=where, remedy=REMEDY)
    _refuse_other_coordinates(whole, where)
    try:
        found = list(_polygons(whole, "", where))
    except RecursionError:
        raise DataError("is nested too deeply", where=where, remedy=REMEDY) from None
    if not found:
        raise DataError("holds no polygon", where=where, remedy=REMEDY)
    return found


class _NoNumber(Exception):
    """NaN or Infinity, which JSON has not but Python's reader takes."""


def _constant(text: str) -> float:
    raise _NoNumber(text)


def _refuse_other_coordinates(whole: dict[str, Any], where: str) -> None:
    """Files of before RFC 7946 may name other coordinates than longitude and latitude."""
    crs = whole.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not name.upper().endswith(SAME_AS_WGS84):
        raise DataError(
            f"is in the coordinates {str(name)[:60]!r}",
            where=where,
            remedy="convert it to longitude and latitude on WGS-84 (EPSG:4326)",
        )


def _polygons(item: Any, name: str, where: str) -> Iterator[Polygon]:
    kind = item.get("type") if isinstance(item, dict) else None
    if not isinstance(kind, str):
        raise DataError("is no GeoJSON object: it has no type", where=where, remedy=REMEDY)
    if kind == "FeatureCollection":
        for number, feature in enumerate(_list(item, "features", where), 1):
            yield from _polygons(feature, "", f"{where}, feature {number}")
    elif kind == "Feature":
        properties = item.get("properties")
        given = properties.get("name") if isinstance(properties, dict) else None
        name = given if isinstance(given, str) else ""
        if item.get("geometry") is not None:
            yield from _polygons(item["geometry"], name, f"{where} {name!r}" if name else where)
    elif kind == "GeometryCollection":
        for number, geometry in enumerate(_list(item, "geometries", where), 1):
            yield from _polygons(geometry, name, f"{where}, geometry {number}")
    elif kind == "MultiPolygon":
        for number, rings in enumerate(_list(item, "coordinates", where), 1):
            yield _polygon(rings, name, f"{where}, polygon {number}")
    elif kind == "Polygon":
        yield _polygon(_list(item, "coordinates", where), name, where)
    elif kind in ("Point", "MultiPoint"):
        raise DataError(
            f"is a {kind}, not an area", where=where, remedy="list places in a CSV: sites:FILE.csv"
        )
    elif kind in ("LineString", "MultiLineString"):
        raise DataError(f"is a {kind}, not an area", where=where, remedy="close it to a Polygon")
    elif kind == "Topology":
        raise DataError("is TopoJSON", where=where, remedy="convert it to GeoJSON")
    else:
        raise DataError(f"has the type {kind[:40]!r}, which is no area", where=where, remedy=REMEDY)


def _list(item: dict[str, Any], key: str, where: str) -> list[Any]:
    value = item.get(key)
    if not isinstance(value, list):
        raise DataError(f"lacks a list of {key}", where=where, remedy=REMEDY)
    return value


def _polygon(rings: Any, name: str, where: str) -> Polygon:
    if not isinstance(rings, list) or not rings:
        raise DataError("has no ring", where=where, remedy="a polygon has an outer ring and may have holes")
    return Polygon(name, where, tuple(_ring(ring, f"{where}, ring {k}") for k, ring in enumerate(rings, 1)))


def _ring(ring: Any, where: str) -> Float64[np.ndarray, "_ 2"]:
    if not isinstance(ring, list):
        raise DataError("is no list of positions", where=where, remedy="give [[longitude, latitude], ...]")
    for number, position in enumerate(ring, 1):
        if not isinstance(position, list) or len(position) < 2 or not all(map(_finite, position[:2])):
            raise DataError(
                f"position {number} is {json.dumps(position)[:40]}",
                where=where,
                remedy="a position is [longitude, latitude], numbers in degrees",
            )
    return np.deg2rad(np.array([position[:2] for position in ring], np.float64).reshape(-1, 2))


def _finite(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond float64
        return False

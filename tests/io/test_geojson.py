"""GeoJSON files: every form that holds areas, every damage by its place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.errors import DataError
from noroshi.io.geojson import parse_polygons, read_polygons

RING = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[2, 2], [2, 4], [4, 4], [4, 2], [2, 2]]
POLYGON = {"type": "Polygon", "coordinates": [RING, HOLE]}
MULTI = {"type": "MultiPolygon", "coordinates": [[RING], [HOLE]]}


def parse(whole: object) -> list:
    return parse_polygons(json.dumps(whole).encode(), "x.geojson")


def test_a_polygon_with_a_hole_is_read_in_radians() -> None:
    (one,) = parse(POLYGON)
    assert (one.name, one.where) == ("", "x.geojson")
    assert np.allclose(np.rad2deg(one.rings[0]), RING, atol=1e-12)
    assert np.allclose(np.rad2deg(one.rings[1]), HOLE, atol=1e-12)


def test_collections_are_taken_apart_with_names_and_places() -> None:
    """RFC 7946, sections 3.1.7, 3.1.8, 3.2 and 3.3; a feature may have no geometry."""
    found = parse(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": {"name": "Izu"}, "geometry": MULTI},
                {"type": "Feature", "properties": None, "geometry": None},
                {
                    "type": "Feature",
                    "properties": {"name": 5},
                    "geometry": {"type": "GeometryCollection", "geometries": [POLYGON, MULTI]},
                },
            ],
        }
    )
    assert [(one.name, one.where) for one in found] == [
        ("Izu", "x.geojson, feature 1 'Izu', polygon 1"),
        ("Izu", "x.geojson, feature 1 'Izu', polygon 2"),
        ("", "x.geojson, feature 3, geometry 1"),
        ("", "x.geojson, feature 3, geometry 2, polygon 1"),
        ("", "x.geojson, feature 3, geometry 2, polygon 2"),
    ]


def test_heights_in_positions_and_a_byte_order_mark_are_no_matter() -> None:
    high = {"type": "Polygon", "coordinates": [[[*position, 100.0] for position in RING]]}
    (one,) = parse_polygons(b"\xef\xbb\xbf" + json.dumps(high).encode(), "x")
    assert one.rings[0].shape == (5, 2)


def test_old_files_may_name_the_coordinates_they_have() -> None:
    for name in ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326"):
        assert parse(POLYGON | {"crs": {"type": "name", "properties": {"name": name}}})
    with pytest.raises(DataError, match="EPSG::3857"):
        parse(POLYGON | {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ('{"type": "Polygon",\n "coordinates": [}', r"x:2: is not JSON"),
        ("[1, 2]", "no GeoJSON object"),
        ("{}", "has no type"),
        ('{"type": "Point", "coordinates": [1, 2]}', r"is a Point, not an area(?s:.*)sites:FILE"),
        ('{"type": "LineString", "coordinates": []}', "is a LineString, not an area"),
        ('{"type": "Topology"}', "TopoJSON"),
        ('{"type": "Circle"}', "the type 'Circle'"),
        ('{"type": "Polygon"}', "lacks a list of coordinates"),
        ('{"type": "Polygon", "coordinates": []}', "has no ring"),
        ('{"type": "Polygon", "coordinates": [5]}', "ring 1: is no list of positions"),
        ('{"type": "Polygon", "coordinates": [[[1, 2], [1]]]}', r"ring 1: position 2 is \[1\]"),
        ('{"type": "Polygon", "coordinates": [[[1, "2"]]]}', r'position 1 is \[1, "2"\]'),
        ('{"type": "Polygon", "coordinates": [[[1, true]]]}', r"position 1 is \[1, true\]"),
        ('{"type": "Polygon", "coordinates": [[[1, null]]]}', r"position 1 is \[1, null\]"),
        ('{"type": "Polygon", "coordinates": [[[1, NaN]]]}', "holds NaN"),
        ('{"type": "Polygon", "coordinates": [[[1, 1e999]]]}', "position 1 is"),
        ('{"type": "Polygon", "coordinates": [[[1, 1%s]]]}' % ("0" * 400), "position 1 is"),
        ('{"type": "MultiPolygon", "coordinates": [[[[1, 2]]], 7]}', "polygon 2: has no ring"),
        ('{"type": "FeatureCollection", "features": []}', "holds no polygon"),
        ('{"type": "FeatureCollection", "features": [3]}', "feature 1: is no GeoJSON object"),
        ('{"type": "Feature", "geometry": {"type": "Point"}}', "is a Point"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_each_damage_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse_polygons(text.encode(), "x")
    assert caught.value.remedy


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_polygons(tmp_path / "none.geojson")
    (tmp_path / "bytes.geojson").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not text"):
        read_polygons(tmp_path / "bytes.geojson")


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["Polygon", "Feature", "type"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "coordinates", "geometry", "features", "crs"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(ANY)
def test_any_json_is_areas_or_an_error_of_ours(whole: object) -> None:
    try:
        assert parse(whole)
    except DataError as error:
        if not error.where.startswith("x.geojson"):
            raise

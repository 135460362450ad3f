"""The text of grids and areas: every form, and what is said of the ones that are none."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.coverage.grid import FORMS, parse, parse_box
from noroshi.coverage.points import USUAL, Density
from noroshi.errors import NoroshiError, ScenarioError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fibonacci:10000", {"count": 10_000}),
        ("Fibonacci: 10_000", {"count": 10_000}),
        ("latlon:90x180", {"rows": 90, "columns": 180}),
        ("latlon:2", {"rows": 90, "columns": 180}),
        ("latlon:0.5", {"rows": 360, "columns": 720}),
        ("box:global", {"box": tuple(np.deg2rad([-90, 90, -180, 180])), "density": USUAL}),
        ("box:20N-55N,120E-180E@200km", {"density": Density(spacing_m=200e3)}),
        ("box:20N-55N,120E-180E@500m", {"density": Density(spacing_m=500.0)}),
        ("box:20N-55N,120E-180E:5000", {"density": Density(count=5000)}),
        ("polygon:my area.geojson", {"file": "my area.geojson", "density": USUAL}),
        ("polygon:a@b.geojson@0.5 km", {"file": "a@b.geojson", "density": Density(spacing_m=500.0)}),
        (
            "polygon:C:/areas/japan.geojson:300",
            {"file": "C:/areas/japan.geojson", "density": Density(count=300)},
        ),
        ("sites:C:/radars.csv", {"file": "C:/radars.csv"}),
        ("trajectory:flight.oem", {"file": "flight.oem"}),
        ("site:35.7,139.7", {"place": tuple(np.deg2rad([35.7, 139.7]))}),
        ("site:35.7S,139.7W", {"place": tuple(np.deg2rad([-35.7, -139.7]))}),
        ("site:-35.7, -139.7", {"place": tuple(np.deg2rad([-35.7, -139.7]))}),
    ],
)
def test_every_form_is_understood(text: str, expected: dict) -> None:
    grid = parse(text)
    assert grid.kind == text.partition(":")[0].lower()
    assert grid.text == text
    for name, value in expected.items():
        assert getattr(grid, name) == value


@pytest.mark.parametrize("form", FORMS.values())
def test_the_forms_shown_as_remedies_are_forms(form: str) -> None:
    parse(form.partition(" ")[0].rstrip(","))


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("20N-55N,120E-180E", (20, 55, 120, 180)),
        ("20-55,120-180", (20, 55, 120, 180)),
        (" 20n - 55n , 120e - 180e ", (20, 55, 120, 180)),
        ("10S-20N,150E-150W", (-10, 20, 150, -150)),
        ("-10-20,150--150", (-10, 20, 150, -150)),
        ("-10..20,150..-150", (-10, 20, 150, -150)),
        ("-20--10,170E-190E", (-20, -10, 170, -170)),
        ("0-10,350-370", None),  # beyond 360
        ("0-10,350-10", (0, 10, -10, 10)),
        ("0-10,0-360", (0, 10, -180, 180)),
        ("0-10,180W-180E", (0, 10, -180, 180)),
        ("0-10,180E-150W", (0, 10, -180, -150)),
        ("90S-90N,10W-10E", (-90, 90, -10, 10)),
        ("20.5-.75e2,1-2", None),
        ("0.5-1.25,1-2", (0.5, 1.25, 1, 2)),
        ("Global", (-90, 90, -180, 180)),
    ],
)
def test_boxes_in_degrees(text: str, degrees: tuple[float, float, float, float] | None) -> None:
    if degrees is None:
        with pytest.raises(ScenarioError):
            parse_box(text)
    else:
        assert parse_box(text) == pytest.approx(tuple(np.deg2rad(degrees)), abs=1e-15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fibonaci:100", "did you mean fibonacci:10000"),
        ("lat-lon:2", "did you mean latlon"),
        ("hexagons", "is no kind of grid.*\n.*fibonacci, latlon, box"),
        ("", "is no kind of grid"),
        ("sites:", "says nothing after its kind"),
        ("fibonacci", "says nothing after its kind.*\n.*fibonacci:10000"),
        ("fibonacci:-5", "'-5' is no number of points"),
        ("fibonacci:0", "'0' is no number of points"),
        ("fibonacci:1e4", "'1e4' is no number of points"),
        ("fibonacci:" + "9" * 5000, "is no number of points"),
        ("latlon:7", "cells of 7 degrees do not fill 180.*\n.*26x52"),
        ("latlon:0", "is no size of cells"),
        ("latlon:0." + "0" * 309 + "1", "is no size of cells"),
        ("latlon:90x", "is no number of points"),
        ("box:20N-55N", "has 1 part between commas"),
        ("box:120E-180E,20N-55N", "longitudes first.*\n.*write 20N-55N,120E-180E"),
        ("box:55N-20N,120E-180E", "from latitude 55 down to 20.*\n.*southern latitude first"),
        ("box:20N-20N,120E-180E", "has no height"),
        ("box:20N-55N,120E-120E", "has no width"),
        ("box:20N-55N,180E-180W", "has no width"),
        ("box:20N-95N,120E-180E", "95N is beyond 90"),
        ("box:20E-55N,120E-180E", "20E does not end in N or S"),
        ("box:-20S-55N,120E-180E", "a sign and a letter"),
        ("box:20N,120E-180E", "'20N' is no range"),
        ("box:20N-55N,120E-180E@200", "'200' after @ is no spacing"),
        ("box:20N-55N,120E-180E@0km", "after @ is no spacing"),
        ("box:20N-55N,120E-180E@1.2.3km", "after @ is no spacing"),
        ("box:20N-55N,120E-180E:0", "'0' is no number of points"),
        ("site:35.7", "is no place"),
        ("site:135.7,35.0", "beyond 90"),
    ],
)
def test_what_is_no_grid_is_said_with_the_remedy(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match="(?s)" + message) as caught:
        parse(text)
    assert caught.value.where
    assert caught.value.remedy


@given(st.sampled_from(list(FORMS)), st.text(max_size=30))
def test_any_text_is_a_grid_or_an_error_of_ours(kind: str, rest: str) -> None:
    with suppress(NoroshiError):
        assert parse(f"{kind}:{rest}").kind == kind


@given(
    south=st.integers(-90, 89),
    height=st.integers(1, 180),
    west=st.integers(-180, 179),
    width=st.integers(1, 359),
)
def test_boxes_come_back_as_they_were_written(south: int, height: int, west: int, width: int) -> None:
    """Whatever side of 180: the box begins at its west and is as wide as it was said."""
    north, east = min(south + height, 90), (west + width + 180) % 360 - 180
    letters = "{}{}-{}{},{}{}-{}{}".format(
        *(part for value, (plus, minus) in zip((south, north, west, east), ("NS", "NS", "EW", "EW"), strict=True)
          for part in (abs(value), plus if value >= 0 else minus))
    )  # fmt: skip
    a, b, c, d = parse_box(letters)
    assert (a, b) == pytest.approx((np.deg2rad(south), np.deg2rad(north)))
    assert (c - np.deg2rad(west)) % (2 * np.pi) == pytest.approx(0, abs=1e-12)
    assert (d - c) % (2 * np.pi) == pytest.approx(np.deg2rad(width))

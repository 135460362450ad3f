"""Grids: published lattices, exact areas, and counts in boxes within a proven bound."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.constants import EARTH_MEAN_RADIUS_M
from noroshi.coverage.points import Density, box, fibonacci, latlon, polygon, sites, trajectory
from noroshi.errors import DataError, ScenarioError


def turn(lon: np.ndarray) -> np.ndarray:
    return (np.asarray(lon) + np.pi) % (2 * np.pi) - np.pi


def test_fibonacci_is_the_golden_angle_lattice() -> None:
    """Of the definition, in plain floating point; 1e-9: 10,000 golden angles are 2.4e4 rad, resolved to 4e-12."""
    made = fibonacci(10_000, 40e3)
    i = np.arange(10_000)
    assert np.abs(np.sin(made.lat_rad) - (1 - (2 * i + 1) / 10_000)).max() < 1e-15
    assert np.abs(turn(made.lon_rad - i * np.pi * (3 - 5**0.5))).max() < 1e-9
    assert made.lon_rad.min() >= -np.pi
    assert made.lon_rad.max() < np.pi
    assert made.weight.sum() == pytest.approx(1.0, abs=1e-12)
    assert (made.height_m == 40e3).all()
    assert made.kind == "fibonacci:10000"


def test_odd_counts_are_the_grid_of_swinbank_and_purser() -> None:
    """Q. J. R. Meteorol. Soc. 132 (2006) 1769, eqs 1-2: sin(lat) = 2 i / (2 N + 1), i = -N..N, a golden turn each."""
    made = fibonacci(2 * 50 + 1, 0.0)
    i = np.arange(50, -51, -1)
    assert np.sin(made.lat_rad) == pytest.approx(2 * i / 101, abs=1e-15)
    golden = (1 + 5**0.5) / 2
    assert np.abs(turn(np.diff(made.lon_rad) + 2 * np.pi / golden)).max() < 1e-12


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_smallest_lattices(count: int) -> None:
    made = fibonacci(count, 0.0)
    assert np.sin(made.lat_rad) == pytest.approx(
        {1: [0], 2: [0.5, -0.5], 3: [2 / 3, 0, -2 / 3]}[count], abs=1e-15
    )


def test_latlon_weights_are_exact_areas() -> None:
    """Weights average any zonal polynomial as its integral: 1, and sin^2 to the midpoint rule's (pi / 90)^2 / 12."""
    made = latlon(90, 180, 0.0)
    assert made.weight.sum() == pytest.approx(1.0, abs=1e-13)
    north = np.deg2rad(2.0)
    assert made.weight[-1] == pytest.approx(
        (1 - np.cos(north)) / 2 / 180, rel=1e-12
    )  # a cap of 2 degrees, shared
    assert made.weight @ np.sin(made.lat_rad) ** 2 == pytest.approx(1 / 3, abs=north**2)
    assert np.rad2deg(made.lat_rad[[0, -1]]) == pytest.approx([-89, 89])
    assert np.rad2deg(made.lon_rad[[0, 179]]) == pytest.approx([-179, 179])


def test_grids_agree_on_a_smooth_field() -> None:
    """One measure of area: a field of latitude and longitude has the same mean on both grids and in its closed form.

    f = sin(lat) + cos^2(lat) cos^2(lon); mean 1/3. 2e-4: midpoint error of 2-degree cells, (pi / 90)^2 / 6.
    """
    for made in (fibonacci(16_200, 0.0), latlon(90, 180, 0.0)):
        field = np.sin(made.lat_rad) + (np.cos(made.lat_rad) * np.cos(made.lon_rad)) ** 2
        assert made.weight @ field == pytest.approx(1 / 3, abs=2.1e-4)


@given(
    south=st.floats(-90, 80),
    height=st.floats(2, 180),
    west=st.floats(-180, 179.9),
    width=st.floats(2, 359.9),
    count=st.integers(2_000, 200_000),
)
def test_counts_in_boxes_follow_area_within_the_proven_discrepancy(
    south: float, height: float, west: float, width: float, count: int
) -> None:
    """Rows between two latitudes are consecutive multiples of the golden turn, so the count in a box departs from
    its area's share by at most 1 row and N D_N <= 3 + (1 / log phi + 1 / log 2) log N (Kuipers & Niederreiter 1974,
    theorem 2.3.4 with partial quotients 1)."""
    a, b, c, d = (
        np.deg2rad(x) for x in (south, min(south + height, 90), west, (west + width + 180) % 360 - 180)
    )
    d = float(d)
    share = (np.sin(b) - np.sin(a)) / 2 * np.deg2rad(width) / (2 * np.pi)
    spacing = float(np.sqrt(4 * np.pi * EARTH_MEAN_RADIUS_M**2 / count))
    bound = 4 + (1 / log((1 + 5**0.5) / 2) + 1 / log(2)) * log(count)
    if share * count < 1 + bound:
        return
    made = box(a, b, c, d, 0.0, Density(spacing_m=spacing))
    assert abs(len(made.lat_rad) - share * count) < bound + 1  # the count is rounded to a whole number too
    assert (made.lat_rad >= a).all()
    assert (made.lat_rad <= b).all()
    assert (np.mod(made.lon_rad - c, 2 * np.pi) < np.deg2rad(width) + 1e-9).all()


def test_a_box_is_a_part_of_the_global_lattice() -> None:
    whole = fibonacci(20_000, 0.0)
    spacing = float(np.sqrt(4 * np.pi * EARTH_MEAN_RADIUS_M**2 / 20_000))
    a, b, c, d = np.deg2rad([20, 55, 150, -150])
    part = box(a, b, c, d, 0.0, Density(spacing_m=spacing))
    lon = np.mod(np.rad2deg(whole.lon_rad), 360)
    here = (whole.lat_rad >= a) & (whole.lat_rad < b) & (lon >= 150) & (lon < 210)
    assert np.array_equal(part.lat_rad, whole.lat_rad[here])
    assert np.array_equal(part.lon_rad, whole.lon_rad[here])
    assert part.weight == pytest.approx(1 / here.sum())


def test_a_box_is_the_polygon_of_its_corners() -> None:
    """Edges straight in longitude and latitude run along parallels, so the two are the same area."""
    for west, east in ((120, 180), (150, 210), (-180, -120)):
        ring = np.deg2rad([[west, 20], [east, 20], [east, 55], [west, 55], [west, 20]])
        outline = polygon([[ring]], 0.0, Density(count=3000))
        plain = box(*np.deg2rad([20, 55, west, east]), 0.0, Density(count=3000))
        assert np.array_equal(outline.lat_rad, plain.lat_rad)
        assert np.array_equal(outline.lon_rad, plain.lon_rad)
        assert len(plain.lat_rad) == pytest.approx(3000, abs=40)  # the bound above


def test_the_whole_earth_is_every_point() -> None:
    whole = box(-np.pi / 2, np.pi / 2, -np.pi, np.pi, 0.0, Density(count=1000))
    assert np.array_equal(whole.lon_rad, fibonacci(1000, 0.0).lon_rad)
    ring = np.deg2rad([[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90.0]])
    assert np.array_equal(polygon([[ring]], 0.0, Density(count=1000)).lon_rad, whole.lon_rad)


def test_an_area_cut_at_180_has_the_points_of_the_uncut_one() -> None:
    ring = np.deg2rad([[170, -20], [190, -20], [195, 15], [165, 10], [170, -20]])
    cut = [
        np.deg2rad(
            [[170, -20], [180, -20], [180, 12.5], [165, 10], [170, -20]]
        ),  # the northern edge is at 12.5 there
        np.deg2rad([[-180, -20], [-170, -20], [-165, 15], [-180, 12.5], [-180, -20]]),
    ]
    whole = polygon([[ring]], 0.0, Density(spacing_m=50e3))
    parts = polygon([[half] for half in cut], 0.0, Density(spacing_m=50e3))
    assert np.array_equal(whole.lat_rad, parts.lat_rad)
    assert np.array_equal(whole.lon_rad, parts.lon_rad)


def test_places_in_several_polygons_count_once() -> None:
    ring = np.deg2rad([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0.0]])
    one = polygon([[ring]], 0.0, Density(spacing_m=50e3))
    assert np.array_equal(polygon([[ring], [ring]], 0.0, Density(spacing_m=50e3)).lat_rad, one.lat_rad)


def test_a_part_without_area_among_others_changes_nothing() -> None:
    """Natural Earth's countries at 1:110 million hold such a part."""
    ring = np.deg2rad([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0.0]])
    speck = np.deg2rad([[130.78, 42.22]] * 4)
    one = polygon([[ring]], 0.0)
    assert np.array_equal(polygon([[speck], [ring]], 0.0).lat_rad, one.lat_rad)
    with pytest.raises(DataError, match="no area"):
        polygon([[speck]], 0.0)


def test_a_small_area_far_from_the_first_point_is_filled_evenly() -> None:
    """1 km2 at 10 m: rows past 1e12 of the lattice keep their digits; each quarter holds a quarter."""
    ring = np.deg2rad([[139.0, 35.0], [139.011, 35.0], [139.011, 35.009], [139.0, 35.009], [139.0, 35.0]])
    made = polygon([[ring]], 0.0, Density(spacing_m=10.0))
    assert len(made.lat_rad) == pytest.approx(10_020, abs=110)  # 1.002 km2 on the sphere; the bound above
    east, north = made.lon_rad > np.deg2rad(139.0055), made.lat_rad > np.deg2rad(35.0045)
    for quarter in (east & north, east & ~north, ~east & north, ~east & ~north):
        assert quarter.sum() == pytest.approx(2505, abs=110)


def test_an_area_with_no_point_in_it_says_how_fine_the_grid_must_be() -> None:
    ring = np.deg2rad([[0, 0], [0.1, 0], [0.1, 0.1], [0, 0.1], [0, 0.0]])
    with pytest.raises(
        DataError, match=r"124 km2 hold 0\.0031 points.*\n.*1\.1 km gives about a hundred"
    ) as caught:
        polygon([[ring]], 0.0, Density(spacing_m=200e3), ["here.geojson"])
    assert caught.value.where == "here.geojson"
    assert len(polygon([[ring]], 0.0, Density(spacing_m=1.1e3)).lat_rad) == pytest.approx(102, abs=40)
    with pytest.raises(ScenarioError, match="no point of the grid lies in the box"):
        box(0.0, 0.001, 0.0, 0.001, 0.0, Density(spacing_m=200e3))


@pytest.mark.parametrize("density", [Density(spacing_m=0.5), Density(count=10**9), Density(spacing_m=1e-9)])
def test_too_fine_a_grid_is_refused_before_it_fills_memory(density: Density) -> None:
    with pytest.raises(ScenarioError, match=r"so fine a grid has"):
        box(0.0, 0.5, 0.0, 0.5, 0.0, density)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((0.5, 0.2, 0.0, 1.0), "southern latitude first"),
        ((0.0, 2.0, 0.0, 1.0), "within -90 to 90"),
        ((0.0, 0.5, 1.0, 1.0), "no width"),
        ((0.0, np.nan, 1.0, 2.0), "no number"),
    ],
)
def test_boxes_that_are_none(bounds: tuple[float, float, float, float], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        box(*bounds, 0.0)


@pytest.mark.parametrize(
    "made", [lambda: fibonacci(0, 0.0), lambda: latlon(0, 5, 0.0), lambda: latlon(10**5, 10**5, 0.0)]
)
def test_grids_of_none_or_of_too_many(made) -> None:
    with pytest.raises(ScenarioError):
        made()


def test_sites_and_a_path() -> None:
    lat, lon, height = np.array([0.1, -0.2]), np.array([3.5, -1.0]), np.array([0.0, 1e3])
    made = sites(("a", "b"), lat, lon, height)
    assert made.names == ("a", "b")
    assert made.lon_rad == pytest.approx([3.5 - 2 * np.pi, -1.0])
    assert made.weight == pytest.approx([0.5, 0.5])
    moving = trajectory(np.array([0.0, 60.0]), lat, lon, height)
    assert moving.t is not None
    assert moving.weight.sum() == pytest.approx(1.0)
    with pytest.raises(DataError, match="do not rise"):
        trajectory(np.array([60.0, 60.0]), lat, lon, height)
    with pytest.raises(DataError, match=r"place 2 .* is none"):
        sites(("a", "b"), np.array([0.1, 1.6]), lon, height)
    with pytest.raises(DataError, match="no places"):
        sites((), *(np.zeros(0),) * 3)

"""Distances to areas against geodesics of geographiclib."""

from __future__ import annotations

import numpy as np
import pytest

from noroshi.earth import destination, geodesic
from noroshi.warning import areas
from noroshi.warning.models import Area

BOX = Area("box", np.radians([41.5, 41.5, 45.5, 45.5]), np.radians([140.0, 145.5, 145.5, 140.0]), 0.0)
DISC = Area("disc", np.radians([43.0]), np.radians([142.5]), 150e3)


def polygon_distance(area: Area, lat: float, lon: float) -> float:
    """Oracle: least geodesic distance to points every kilometre or so along the geodesic edges."""
    best = np.inf
    corners = list(zip(area.lat_rad, area.lon_rad, strict=True))
    for (a, b), (c, d) in zip(corners, corners[1:] + corners[:1], strict=True):
        length, azimuth = geodesic(a, b, c, d)
        near = [destination(a, b, azimuth, s) for s in np.linspace(0, length, 120)]
        best = min(best, *(geodesic(lat, lon, p, q)[0] for p, q in near))
    return float(best)


@pytest.mark.parametrize("azimuth_deg", [10.0, 80.0, 150.0, 200.0, 260.0, 330.0])
@pytest.mark.parametrize("away_km", [350.0, 600.0])
def test_distance_to_a_polygon_is_geodesic(azimuth_deg, away_km):
    """0.5 km + 0.2 %: the sag of 450 km edges, and the oracle's own spacing of 4 km (0.1 km at 20 km off)."""
    lat, lon = destination(np.radians(43.5), np.radians(142.75), np.radians(azimuth_deg), away_km * 1e3)
    found = areas.distances([BOX], np.array([lat]), np.array([lon]))[0, 0]
    expected = polygon_distance(BOX, lat, lon)
    assert found == pytest.approx(expected, rel=2e-3, abs=500.0)


@pytest.mark.parametrize("away_km", [0.0, 100.0, 149.9, 150.1, 200.0, 500.0, 2000.0])
@pytest.mark.parametrize("azimuth_deg", [0.0, 45.0, 90.0, 200.0])
def test_distance_to_a_circle_is_geodesic(away_km, azimuth_deg):
    """From the centre the projection is exact but for the sphere's chord-to-arc: 1 m within 500 km."""
    lat, lon = destination(DISC.lat_rad[0], DISC.lon_rad[0], np.radians(azimuth_deg), away_km * 1e3)
    found = areas.distances([DISC], np.array([lat]), np.array([lon]))[0, 0]
    assert found == pytest.approx(max(away_km * 1e3 - 150e3, 0.0), abs=1.0 if away_km <= 500 else 500.0)


def test_inside_is_zero_whichever_way_the_corners_run():
    turned = BOX._replace(lat_rad=BOX.lat_rad[::-1], lon_rad=BOX.lon_rad[::-1])
    lat, lon = np.radians([43.0, 44.9, 46.2]), np.radians([142.0, 145.0, 142.0])
    found = areas.distances([BOX, turned], lat, lon)
    assert found[:2].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert found[2, 0] == pytest.approx(found[2, 1])
    assert found[2, 0] == pytest.approx(
        77e3, abs=5e3
    )  # 0.7 deg of latitude, less the northward sag of the edge


def test_an_area_across_the_date_line():
    area = Area(
        "across", np.radians([50.0, 50.0, 54.0, 54.0]), np.radians([177.0, -177.0, -177.0, 177.0]), 0.0
    )
    found = areas.distances([area], np.radians([52.0, 52.0, 52.0]), np.radians([179.9, -179.9, 170.0]))[:, 0]
    assert found[0] == found[1] == 0.0
    assert found[2] == pytest.approx(polygon_distance(area, np.radians(52.0), np.radians(170.0)), rel=5e-3)


def test_the_far_side_of_the_earth_is_far():
    found = areas.distances([BOX, DISC], np.radians([-43.0, 0.0]), np.radians([-37.5, -37.5]))
    assert np.all(found > 9e6)


def test_nan_stays_nan():
    assert np.isnan(areas.distances([BOX, DISC], np.array([np.nan]), np.array([0.0]))).all()


@pytest.mark.parametrize(
    ("lat", "lon", "convex"),
    [
        ([40, 40, 45, 45], [140, 145, 145, 140], True),
        ([40, 45, 40, 45], [140, 145, 145, 140], False),  # edges cross
        ([40, 40, 41, 45], [140, 145, 141, 140], False),  # dented
        ([40, 45], [140, 145], False),
        ([40, 40, 40], [140, 140, 140], False),
        ([42, 45, 45, 42, 40], [140, 141, 144, 145, 142], True),
    ],
)
def test_is_convex(lat, lon, convex):
    area = Area("a", np.radians(np.array(lat, float)), np.radians(np.array(lon, float)), 0.0)
    assert areas.is_convex(area) is convex


def test_a_circle_is_convex_if_it_has_a_radius():
    assert areas.is_convex(DISC)
    assert not areas.is_convex(DISC._replace(radius_m=0.0))


def test_a_star_turns_one_way_only_and_is_not_convex():
    order = [0, 2, 4, 1, 3]
    angle = np.radians(72.0) * np.array(order)
    star = Area("star", np.radians(43.0 + 2 * np.sin(angle)), np.radians(142.0 + 2 * np.cos(angle)), 0.0)
    assert not areas.is_convex(star)

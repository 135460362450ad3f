"""From the text of a grid to its points, through the files it names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from noroshi.coverage.grid import parse
from noroshi.coverage.models import Points
from noroshi.earth import geodetic_from_itrs, itrs_from_geodetic
from noroshi.errors import DataError, ScenarioError
from noroshi.frames import itrs_from_gcrs, rotate
from noroshi.io.points import read_points
from noroshi.time import epoch_from_utc, zero_earth_orientation

EPOCH = epoch_from_utc("2026-11-24T00:00:00Z")


def read(text: str, **more) -> Points:
    return read_points(parse(text), 40e3, EPOCH, **more)


@pytest.mark.parametrize(
    ("text", "count"),
    [("fibonacci:100", 100), ("latlon:10x20", 200), ("latlon:10", 648), ("site:35.7,139.7", 1)],
)
def test_grids_without_files(text: str, count: int) -> None:
    made = read(text)
    assert len(made.lat_rad) == count
    assert made.kind == text
    assert (made.height_m == 40e3).all()
    assert made.weight.sum() == pytest.approx(1.0, abs=1e-12)


def test_boxes_lie_where_they_were_said_to() -> None:
    made = read("box:10S-20N,150E-150W:500")
    lat, lon = np.rad2deg(made.lat_rad), np.rad2deg(made.lon_rad) % 360
    assert (lat.min(), lat.max(), lon.min(), lon.max()) == pytest.approx(
        (-10, 20, 150, 210), abs=2
    )  # the spacing
    assert -10 <= lat.min() < lat.max() <= 20
    assert 150 <= lon.min() < lon.max() <= 210


def test_polygons_and_their_mistakes_come_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.geojson"
    ring = [[170, -10], [-170, -10], [-170, 10], [170, 10], [170, -10]]
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    made = read(f"polygon:{file}@100km")
    assert len(made.lat_rad) == pytest.approx(
        491, abs=40
    )  # 4.91e6 km2 on the sphere; within the lattice's discrepancy
    assert (np.abs(made.lon_rad) >= np.deg2rad(170)).all()
    ring[1], ring[2] = ring[2], ring[1]
    feature = {
        "type": "Feature",
        "properties": {"name": "knot"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    file.write_text(json.dumps(feature))
    with pytest.raises(DataError, match=r"a\.geojson 'knot': edge 1 of ring 1 crosses edge 3"):
        read(f"polygon:{file}")


def test_sites_without_a_height_of_their_own_have_that_of_the_targets(tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    file.write_text("name,latitude_deg,longitude_deg,height_m\na,1,2,5\nb,3,4,\n")
    made = read(f"sites:{file}")
    assert made.names == ("a", "b")
    assert list(made.height_m) == [5.0, 40e3]


def test_a_recorded_path_has_the_rows_of_its_file_or_samples_in_step(tmp_path: Path) -> None:
    """A straight climb along a meridian at constant rates; the spline between rows 100 s apart: within a metre."""
    file = tmp_path / "p.csv"
    rows = [(t, 30 + 1e-3 * t, 179.95 + 2e-4 * t, 1e4 + 20.0 * t) for t in range(0, 1001, 100)]
    file.write_text(
        "t_s,latitude_deg,longitude_deg,height_m\n" + "\n".join(",".join(map(str, row)) for row in rows)
    )
    made = read(f"trajectory:{file}")
    assert made.t is not None
    t, lat, lon, height = np.array(rows).T
    assert np.array_equal(made.t, t)
    assert np.rad2deg(made.lat_rad) == pytest.approx(lat, abs=1e-9)
    assert np.rad2deg(made.lon_rad) % 360 == pytest.approx(lon, abs=1e-9)  # over the dateline
    assert made.height_m == pytest.approx(height, abs=1e-3)
    stepped = read(f"trajectory:{file}", step_s=60.0)
    assert stepped.t is not None
    assert np.array_equal(stepped.t, np.arange(0, 961, 60.0))
    assert stepped.height_m == pytest.approx(1e4 + 20.0 * stepped.t, abs=1.0)
    assert np.rad2deg(stepped.lat_rad) == pytest.approx(30 + 1e-3 * stepped.t, abs=1e-5)


def test_a_dated_path_is_turned_into_the_earths_axes_and_set_to_the_epoch(tmp_path: Path) -> None:
    """An OEM in GCRF from 20 s before the epoch; a constant velocity, so that its interpolation is exact."""
    file = tmp_path / "p.oem"
    r0, v = np.array([5000.0, 3000.0, 4500.0]), np.array([1.0, -2.0, 0.5])
    rows = [
        f"{stamp} " + " ".join(f"{x:.6f}" for x in (*(r0 + v * t), *v))
        for stamp, t in (
            ("2026-11-23T23:59:40", -20),
            ("2026-11-24T00:00:00", 0),
            ("2026-11-24T00:00:20", 20),
            ("2026-11-24T00:00:40", 40),
        )
    ]
    file.write_text(
        "CCSDS_OEM_VERS = 2.0\nMETA_START\nOBJECT_NAME = A\nCENTER_NAME = EARTH\nREF_FRAME = GCRF\nTIME_SYSTEM = UTC\n"
        "STOP_TIME = 2026-11-24T00:00:40\nMETA_STOP\n" + "\n".join(rows)
    )
    eop = zero_earth_orientation()
    made = read(f"trajectory:{file}", step_s=15.0, eop=eop)
    assert made.t is not None
    assert np.array_equal(made.t, [0.0, 15.0, 30.0])  # none before the epoch
    r_gcrs = 1e3 * (r0 + v * made.t[:, None])
    expected = rotate(itrs_from_gcrs(EPOCH, made.t, eop), r_gcrs)
    got = itrs_from_geodetic(made.lat_rad, made.lon_rad, made.height_m)
    assert np.abs(got - expected).max() < 1e-2  # m: times are kept to nanoseconds, text to millimetres
    assert read(f"trajectory:{file}", eop=eop).t == pytest.approx([0.0, 20.0, 40.0], abs=1e-6)
    late = epoch_from_utc("2026-11-25T00:00:00Z")
    with pytest.raises(DataError, match=r"useable from 2026-11-23T23:59:40Z to 2026-11-24T00:00:40Z"):
        read_points(parse(f"trajectory:{file}"), 0.0, late, eop=eop)
    assert geodetic_from_itrs(got)[2] == pytest.approx(made.height_m, abs=1e-3)


def test_too_long_a_step_for_a_path_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read(f"sites:{tmp_path / 'none.csv'}")
    with pytest.raises(ScenarioError, match="so fine a grid"):
        read("box:global@1m")


def test_reading_points_loads_neither_jax_nor_numba() -> None:
    code = "import sys, noroshi.io.points; sys.exit(any(m in sys.modules for m in ('jax', 'numba')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

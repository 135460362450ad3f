"""Shared test settings: shape checking on, real data where it lies beside the checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Numba asks for the package `coverage`; the folder tests/coverage must not be taken for it
sys.modules.setdefault("coverage", None)

settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("ci")

SHARED = Path(os.environ.get("NOROSHI_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, or a skip that says what is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data at {SHARED}; set NOROSHI_DATA to the folder")
    return SHARED


FILM = """\
schema = 1
name = "film"
epoch = "2026-11-24T00:00:00Z"
duration_s = 60
seed = 3
nations = [{ code = "JPN" }, { code = "USA" }]
nodes = [
  { nation = "JPN", name = "Tokyo", latitude_deg = 35.7, longitude_deg = 139.7, notional = "test" },
  { nation = "USA", name = "Guam", latitude_deg = 13.4, longitude_deg = 144.8, notional = "test" },
]
share = [{ from = "USA", to = "JPN", level = "detection" }]
areas = [{ name = "Izu", centre_deg = [33.0, 140.0], radius_km = 150, notional = "test" }]

[[layers]]
name = "leo"
owner = "USA"
sensor = "ir"
satellites = 60
planes = 6
phasing = 1
altitude_km = 1000
inclination_deg = 60
notional = "test"

[[infrared]]
name = "ir"
band = "mwir"
field_of_regard_deg = 70
range_max_km = 5000
nei_space_w_m2 = 1e-13
nei_earth_w_m2 = 1e-11
sigma_floor_urad = 50
pixel_urad = 100
false_alarms_per_scan = 0.02
notional = "test"

[[radars]]
name = "hachijo"
owner = "JPN"
latitude_deg = 33.1
longitude_deg = 139.8
range_max_km = 500
range_reference_km = 500
sigma_range_m = 30
sigma_angle_mrad = 1
notional = "test"

[[entry_points]]
name = "guam"
nation = "USA"
latitude_deg = 13.4
longitude_deg = 144.8
notional = "test"

[[targets]]
name = "rocket"
kind = "recorded"
file = "rocket.csv"
phase = "boost"
intensity_kw_sr = { mwir = { boost = 100 } }
notional = "test"
"""


@pytest.fixture(scope="session")
def film_text() -> tuple[str, str]:
    """A scenario that runs in a moment, and its data file rocket.csv: a replayed minute of climb seen by 60 satellites
    of one nation and a radar of another."""
    rows = (f"{t},{33 - 2e-5 * t * t:.6f},140,{20_000 + 400 * t + 10 * t * t}" for t in range(61))
    return FILM, "t_s,latitude_deg,longitude_deg,height_m\n" + "\n".join(rows) + "\n"


@pytest.fixture
def film(tmp_path: Path, film_text: tuple[str, str]) -> Path:
    """The file of that scenario, in a folder of its own with its data."""
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / "film.toml").write_text(film_text[0])
    (folder / "rocket.csv").write_text(film_text[1])
    return folder / "film.toml"

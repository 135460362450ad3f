"""Aircraft in scenario files: what is refused and why, and a run in which nothing impacts and nobody is warned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from noroshi.report import data, page
from noroshi.report.maps import PHASE_COLOURS
from noroshi.report.text import Say
from noroshi.scenario.load import load, parse
from noroshi.scenario.template import template
from noroshi.simulate import simulate
from noroshi.summary import facts
from noroshi.tables import Phase

POINTS = """\
[[targets.waypoints]]
latitude_deg = 34.0
longitude_deg = 139.0
[[targets.waypoints]]
latitude_deg = 34.2
longitude_deg = 140.0
speed_m_s = 220
[[targets.waypoints]]
latitude_deg = 33.6
longitude_deg = 140.6
altitude_km = 9
"""
LINER = f"""\
[[targets]]
name = "liner"
kind = "air"
altitude_km = 10
speed_m_s = 240
rcs_m2 = 20
notional = "example"
{POINTS}"""
AEW = """\
[[targets]]
name = "aew"
kind = "air"
launch_s = 10
height_m = 9000
speed_m_s = 180
rcs_m2 = 20
intensity_kw_sr = { mwir = { cruise = 0.001 } }
notional = "example"
racetrack = { latitude_deg = 33.9, longitude_deg = 140.5, length_km = 60, width_km = 20, heading_deg = 60 }
"""
RUN = """\
schema = 1
name = "air"
epoch = "2026-11-24T00:00:00Z"
duration_s = 240
seed = 3
nations = [{ code = "JPN" }]
nodes = [{ nation = "JPN", name = "Tokyo", latitude_deg = 35.7, longitude_deg = 139.7, notional = "test" }]
areas = [{ name = "Izu", centre_deg = [34.0, 140.0], radius_km = 150, notional = "test" }]
points = [{ name = "Miyake", latitude_deg = 34.08, longitude_deg = 139.53 }]
published = [
  { fact = "launch", utc = "2026-11-24T00:00:00Z", source = "example" },
  { fact = "impact", utc = "2026-11-24T00:10:00Z", source = "example" },
]

[[radars]]
name = "hachijo"
owner = "JPN"
latitude_deg = 33.1
longitude_deg = 139.8
range_max_km = 500
range_reference_km = 500
elevation_min_deg = 0
sigma_range_m = 30
sigma_angle_mrad = 1
scan_period_s = 2
notional = "test"
"""


def with_target(target: str) -> str:
    return template("base") + "\n" + target


def problems(target: str) -> list[str]:
    return [f"{p.what} | {p.remedy}" for p in parse(with_target(target))[1]]


def test_waypoints_and_racetracks_are_in_order() -> None:
    assert problems(LINER) == []
    assert problems(AEW) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (POINTS, "", "give waypoints, or a racetrack"),
        (POINTS, POINTS[: POINTS.index("[[", 5)], "needs two waypoints or more"),
        ("altitude_km = 10\n", "", r"needs height_m or altitude_km (waypoint 1 has none)"),
        ("altitude_km = 10\n", "altitude_km = 10\nheight_m = 10000\n", "not both"),
        ("altitude_km = 9\n", "altitude_km = 9\nheight_m = 9000\n", "not both"),
        ("speed_m_s = 240\n", "", "needs speed_m_s (waypoint 1 has none)"),
        ("speed_m_s = 220\n", "speed_m_s = 0\n", "greater than 0"),
        ("longitude_deg = 140.0", "longitude_deg = 139.0\n[[targets.waypoints]]\nlatitude_deg = 34.2\n"
         "longitude_deg = 139.0", "lies where the one before does"),
        ("latitude_deg = 33.6\nlongitude_deg = 140.6", "latitude_deg = 34.15\nlongitude_deg = 140.0",
         "the turns on it take"),
        ("latitude_deg = 33.6\nlongitude_deg = 140.6", "latitude_deg = -34.2\nlongitude_deg = 319.9", "antipode"),
        ("speed_m_s = 220\n", "speed_m_s = 220\naltitude_km = 1\n", "from 10,000 to 1,000 m at 15 m/s"),
        ("speed_m_s = 220\n", "speed_m_s = 900\n", "takes"),
        ("rcs_m2 = 20\n", "rcs_m2 = 20\nracetrack = { latitude_deg = 3, longitude_deg = 4, length_km = 5, "
         "width_km = 20 }\n", "give waypoints, or a racetrack"),
    ],
)  # fmt: skip
def test_contradictions_are_named(old: str, new: str, expected: str) -> None:
    assert LINER.count(old) == 1 or old.startswith("altitude_km = 10")
    found = problems(LINER.replace(old, new, 1))
    assert found
    assert expected in found[0]


def test_a_mistake_stands_at_its_waypoint() -> None:
    text = with_target(LINER.replace("altitude_km = 9\n", "altitude_km = 1\n"))
    (found,) = parse(text)[1]
    assert text.split("\n")[found.line - 1] == "altitude_km = 1"
    assert "change height by at most" in found.remedy


def test_a_narrow_racetrack_is_named_at_its_width() -> None:
    text = with_target(AEW.replace("width_km = 20", "width_km = 5"))
    found = parse(text)[1][0]
    line = text.split("\n")[found.line - 1]
    assert line[found.column - 1 :][: found.length] == "width_km"
    assert "more bank than 30 deg" in found.what


def test_what_is_not_a_phase_of_a_flight_is_refused() -> None:
    assert "cruise" in problems(AEW.replace("cruise =", "landed ="))[0]


def test_the_phase_has_a_name_and_a_colour() -> None:
    assert Phase.CRUISE == 6  # after those that runs on disk already use
    assert Phase.CRUISE in PHASE_COLOURS
    assert (Say("en")("phase_cruise"), Say("ja")("phase_cruise")) == ("cruise", "巡航")


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory):
    path: Path = tmp_path_factory.mktemp("air") / "air.toml"
    path.write_text(RUN + "\n" + LINER + "\n" + AEW)
    return simulate(load(str(path)))


def test_air_targets_run_end_to_end(flown) -> None:
    """Seen by a radar, tracked; still flying when the scenario ends, which is no mistake and no loss."""
    assert flown.truth.t_impact.tolist() == [240.0, 240.0]
    assert np.all(flown.truth.phase[10:] == Phase.CRUISE)
    assert flown.truth.phase[:10, 1].tolist() == [Phase.WAITING] * 10
    for name in ("liner", "aew"):
        node = flown.summary["nodes"]["JPN"]["targets"][name]
        assert node["custody_1"] > 0.95
        # radar noise of 1 mrad at 120 km is 120 m per axis and scan: a track does not get worse than two scans
        assert node["rmse_position_m"] < 400
    track = facts(flown.truth, flown.itrs_from_gcrs, 0)
    assert track.height_m == pytest.approx(10e3, abs=1e-3)
    assert flown.summary["targets"]["liner"]["passes"]["Miyake"]["distance_km"] < 10
    assert flown.truth.intensity_w_sr[20, 1].tolist() == [1.0]


def test_aircraft_neither_impact_nor_are_warned_of(flown) -> None:
    """Both fly over a listed area of 150 km, level at 9-10 km, and no node may take them for falling bodies."""
    for name in ("liner", "aew"):
        assert flown.summary["targets"][name]["kind"] == "air"
        assert flown.summary["targets"][name]["t_impact_s"] is None
        assert flown.summary["targets"][name]["t_burnout_s"] is None
        assert flown.summary["nodes"]["JPN"]["targets"][name]["t_warning_s"] is None
    assert flown.summary["published"]["impact"]["predicted_s"] is None
    assert flown.summary["nodes"]["JPN"]["warnings"]["issued"] == 0
    assert len(flown.warnings.t) == 0


def test_the_report_does_not_regret_a_warning_that_nobody_needed(flown) -> None:
    report = data.collect(flown, flown.summary, {"command": "", "versions": {}})
    assert page.sentence(report, Say("en")).startswith("Liner comes down nowhere")

"""Units turn into SI and radians here and only here: every conversion by hand."""

from __future__ import annotations

from math import pi
from pathlib import Path

import numpy as np
import pytest

from noroshi.constants import EARTH_RADIUS_M
from noroshi.errors import NoroshiError
from noroshi.orbits.ephemeris import Catalogued, Mean, Osculating, Sites
from noroshi.scenario import build
from noroshi.scenario.load import bundled, load, parse
from noroshi.scenario.schema import Scenario
from noroshi.scenario.template import template
from noroshi.sensors.models import Infrared, Radar
from noroshi.tables import Background
from noroshi.targets.models import BallisticFlight, GlideFlight

TEXT = """\
schema = 1
name = "units"
epoch = "2000-01-01T12:00:00Z"
duration_s = 10
step_s = 0.5
nations = [{ code = "JPN" }, { code = "USA" }]
nodes = [{ nation = "USA", name = "n", latitude_deg = 0, longitude_deg = 90, height_m = 1000, fusion_wait_s = 3, notional = "test" }]
layers = [
  { name = "a", owner = "USA", sensor = "ir", satellites = 12, planes = 3, altitude_km = 1200, inclination_deg = 90, raan_deg = 180, phase_deg = 45, notional = "test" },
  { name = "b", owner = "JPN", sensor = "ir", satellites = 2, planes = 1, altitude_km = 1200, inclination_deg = 90, elements = "osculating", notional = "test" },
]
entry_points = [{ name = "e", nation = "USA", latitude_deg = 90, longitude_deg = 0, elevation_min_deg = 18, processing_s = 0.3, notional = "test" }]
network = { link_range_max_km = 5000, link_grazing_height_km = 100, hop_ms = 7, fibre_detour = 1.5, fixed_ms = 30 }
share = [{ from = "JPN", to = "USA", level = "detection", delay_s = 4 }]
points = [{ name = "p", latitude_deg = -90, longitude_deg = 180 }]
areas = [
  { name = "c", centre_deg = [18, 36], radius_km = 50, notional = "test" },
  { name = "q", polygon_deg = [[0, 0], [0, 18], [36, 18]], notional = "test" },
]
warning = { corridor_km = 20, major_axis_max_km = 80, public_delay_s = 45, bank_limit_deg = 45, end_speed_km_s = 2, updates = 5, probability_min = 0.8, lift_to_drag = 2 }
tracker = { gate = 31.5, confirm_hits = 4 }

[[infrared]]
name = "ir"
band = "mwir"
field_of_regard_deg = 60
grazing_height_km = 25
cloud_top_km = 9
background = "space"
range_max_km = 4000
nei_space_w_m2 = 1e-12
nei_earth_w_m2 = 1e-11
sigma_floor_urad = 40
pixel_urad = 120
notional = "test"

[[radars]]
name = "r"
owner = "JPN"
latitude_deg = 36
longitude_deg = 144
height_m = 500
facing_deg = -90
field_azimuth_deg = 60
elevation_min_deg = 3
elevation_max_deg = 72
range_max_km = 1500
range_reference_km = 800
sigma_range_m = 25
sigma_angle_mrad = 1.5
beamwidth_deg = 1.8
notional = "test"

[[targets]]
name = "by range"
kind = "ballistic"
launch_s = 2
latitude_deg = 0
longitude_deg = 0
azimuth_deg = 90
range_km = 1000
apogee_km = 300
boost_s = 60
intensity_kw_sr = { mwir = { boost = 100, coast = 0.5 } }
notional = "test"

[[targets]]
name = "by point"
kind = "ballistic"
latitude_deg = 0
longitude_deg = 0
impact_latitude_deg = 9
impact_longitude_deg = 18
apogee_km = 300
boost_s = 60
notional = "test"

[[targets]]
name = "glider"
kind = "glide"
latitude_deg = 18
longitude_deg = 36
azimuth_deg = 45
boost_s = 100
glide_speed_km_s = 5.5
lift_to_drag = 2.5
ballistic_coefficient_kg_m2 = 9000
bank = [{ t_s = 200, deg = 36 }, { t_s = 300, deg = -18 }]
end_speed_km_s = 1.5
notional = "test"

[[targets]]
name = "film"
kind = "recorded"
file = "flight.csv"
phase = "boost"
notional = "test"
"""  # noqa: E501


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    found, problems = parse(TEXT)
    assert found is not None, problems
    return found


def test_time(scenario: Scenario) -> None:
    # 2000-01-01T12:00:00 UTC is 64.184 s of TT past J2000.0 = JD 2451545.0 TT (32 leap seconds, TT - TAI = 32.184 s)
    epoch = build.epoch(scenario)
    assert (epoch.day - 2451545.0 + epoch.fraction) * 86400 == pytest.approx(64.184, abs=1e-6)
    np.testing.assert_array_equal(build.grid(scenario), np.arange(21) * 0.5)


def test_satellites_and_sites(scenario: Scenario) -> None:
    a, b, sites = build.platforms(scenario)
    assert isinstance(a, Mean)
    assert isinstance(b, Osculating)
    assert isinstance(sites, Sites)
    assert a.names == tuple(f"a-{k:02d}" for k in range(1, 13))
    assert b.names == ("b-1", "b-2")
    np.testing.assert_allclose(a.elements.a, EARTH_RADIUS_M + 1.2e6, rtol=1e-15)
    np.testing.assert_allclose(a.elements.i, pi / 2, rtol=1e-15)
    # Walker delta: 3 planes 120 deg apart from 180 deg on, 4 satellites a plane, 90 deg apart from 45 deg on
    turns = np.mod(a.elements.raan - pi, 2 * pi).reshape(3, 4)
    np.testing.assert_allclose(turns, np.repeat([[0], [2 * pi / 3], [4 * pi / 3]], 4, axis=1), atol=1e-12)
    assert (sites.lat_rad[0], sites.lon_rad[0], sites.height_m[0]) == (pi / 5, pi * 0.8, 500.0)
    names = [sensor.name for sensor in build.sensors(scenario)]
    assert names == [*a.names, *b.names, "r"]
    assert [sensor.owner for sensor in build.sensors(scenario)] == [1] * 12 + [0] * 3


def test_sensors(scenario: Scenario) -> None:
    found = build.sensors(scenario)
    infrared, radar = found[0].model, found[-1].model
    assert isinstance(infrared, Infrared)
    assert isinstance(radar, Radar)
    assert infrared.field_cone_rad == pytest.approx(pi / 3, rel=1e-15)
    assert (infrared.grazing_height_m, infrared.cloud_top_m, infrared.range_max_m) == (25e3, 9e3, 4e6)
    assert infrared.background == Background.SPACE
    assert (infrared.sigma_floor_rad, infrared.pixel_rad) == pytest.approx((4e-5, 1.2e-4), rel=1e-15)
    assert (infrared.nei_space_w_m2, infrared.nei_earth_w_m2) == (1e-12, 1e-11)
    assert radar.facing_rad == pytest.approx(-pi / 2, rel=1e-15)
    assert radar.field_azimuth_rad == pytest.approx(pi / 3, rel=1e-15)
    assert (radar.elevation_min_rad, radar.elevation_max_rad) == pytest.approx((pi / 60, 0.4 * pi), rel=1e-15)
    assert (radar.range_max_m, radar.range_reference_m, radar.sigma_range_m) == (1.5e6, 8e5, 25.0)
    assert (radar.sigma_angle_rad, radar.beamwidth_rad) == pytest.approx((1.5e-3, pi / 100), rel=1e-15)


def test_network(scenario: Scenario) -> None:
    (node,) = build.nodes(scenario)
    # on the equator at 90 E and 1 km up: WGS-84 y axis, equatorial radius 6,378,137 m
    np.testing.assert_allclose(node.r_itrs, [0, 6_379_137.0, 0], atol=1e-8)
    assert (node.nation, node.fusion_wait_s) == ("USA", 3.0)
    (entry,) = build.entry_points(scenario)
    # the pole: WGS-84 polar radius 6,356,752.3142 m
    np.testing.assert_allclose(entry.r_itrs, [0, 0, 6_356_752.3142], atol=1e-4)
    np.testing.assert_allclose(entry.up_itrs, [0, 0, 1], atol=1e-15)
    assert (entry.elevation_min_rad, entry.processing_s) == (pytest.approx(pi / 10, rel=1e-15), 0.3)
    assert build.space_links(scenario) == pytest.approx((5e6, 1e5, 7e-3), rel=1e-15)
    assert build.ground_links(scenario) == pytest.approx((1.5, 0.03), rel=1e-15)
    assert build.rules(scenario) == (("JPN", "USA", "detection", 4.0),)


def test_targets(scenario: Scenario) -> None:
    by_range, by_point, glider, film = build.targets(scenario)
    assert isinstance(by_range.flight, BallisticFlight)
    # along the equator the geodesic is a circle of the equatorial radius
    assert by_range.flight.impact_lon_rad == pytest.approx(1e6 / EARTH_RADIUS_M, rel=1e-12)
    assert by_range.flight.impact_lat_rad == pytest.approx(0.0, abs=1e-15)
    assert (by_range.flight.apogee_m, by_range.flight.boost_s, by_range.t_launch) == (3e5, 60.0, 2.0)
    assert by_range.intensity_w_sr == {"mwir": {"boost": 1e5, "coast": 500.0}}
    assert isinstance(by_point.flight, BallisticFlight)
    ends = by_point.flight.impact_lat_rad, by_point.flight.impact_lon_rad
    assert ends == pytest.approx((pi / 20, pi / 10), rel=1e-15)
    g = glider.flight
    assert isinstance(g, GlideFlight)
    assert (g.launch_lat_rad, g.launch_lon_rad, g.azimuth_rad) == pytest.approx(
        (pi / 10, pi / 5, pi / 4), rel=1e-15
    )
    assert (g.glide_speed_m_s, g.end_speed_m_s) == (5500.0, 1500.0)
    assert g.bank_times_s == (200.0, 300.0)
    assert g.bank_rad == pytest.approx((pi / 5, -pi / 10), rel=1e-15)
    assert isinstance(film.flight, build.RecordedFlight)
    assert film.flight == (Path("flight.csv"), "boost")


def test_areas_points_and_rules(scenario: Scenario) -> None:
    circle, polygon = build.areas(scenario)
    assert (circle.lat_rad[0], circle.lon_rad[0], circle.radius_m) == pytest.approx((pi / 10, pi / 5, 5e4))
    np.testing.assert_allclose(polygon.lat_rad, [0, 0, pi / 5])
    np.testing.assert_allclose(polygon.lon_rad, [0, pi / 10, pi / 10])
    assert polygon.radius_m == 0.0
    assert build.points(scenario) == (("p", pytest.approx(-pi / 2), pytest.approx(pi)),)
    rule = build.warning_rule(scenario)
    assert (rule.corridor_m, rule.major_axis_max_m, rule.public_delay_s) == (2e4, 8e4, 45.0)
    assert (rule.bank_limit_rad, rule.end_speed_m_s, rule.updates) == (pytest.approx(pi / 4), 2e3, 5)
    config = build.tracker_config(scenario)
    assert (config.gate, config.confirm_hits) == (31.5, 4)
    plain, _ = parse(template("plain"))
    assert plain is not None
    assert config._replace(gate=0.0, confirm_hits=0) == build.tracker_config(plain)._replace(
        gate=0.0, confirm_hits=0
    )


def test_a_scenario_may_change_the_tracker() -> None:
    from noroshi.tracking.parameters import Motion
    from noroshi.tracking.state import settings

    given = """
[tracker]
ambiguity = 3.0
resolution_sigma = 2.0
sense = false
initiate_single = true
spawn_distance_m = 5000.0
spawn_sigma_m_s = 200.0
confirm_existence = 0.9
delete_existence = 0.01
delete_ghost = 4.0
merge_times = 5
survive_s = 300.0
time_sigma_s = 0.01

[[tracker.models]]
model = "singer"
role = "manoeuvring"
dwell_s = 60.0
tau_s = 8.0
sigma_m_s2 = 12.0

[[tracker.models]]
model = "ballistic"
role = "ballistic"
beta_kg_m2 = 2000.0
velocity_psd_m2_s3 = 1e-4

[[tracker.biases]]
sensor = 2
az_urad = 40.0
el_urad = 50.0
"""
    scenario, problems = parse(template("plain") + given)
    assert problems == []
    assert scenario is not None
    config = build.tracker_config(scenario)
    assert config.models == (
        Motion("singer", "manoeuvring", dwell_s=60.0, tau_s=8.0, sigma_m_s2=12.0),
        Motion("ballistic", "ballistic", beta_kg_m2=2000.0, velocity_psd_m2_s3=1e-4),
    )
    assert config.biases == ((2, pytest.approx(4e-5), pytest.approx(5e-5), 0.0),)
    assert (config.ambiguity, config.resolution_sigma, config.time_sigma_s) == (3.0, 2.0, 0.01)
    assert (config.spawn_distance_m, config.spawn_sigma_m_s, config.initiate_single) == (5000.0, 200.0, True)
    assert (config.confirm_existence, config.delete_existence, config.delete_ghost) == (0.9, 0.01, 4.0)
    assert (config.merge_times, config.survive_s, config.sense) == (5, 300.0, False)
    settings(config)  # the tracker takes it


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('[[tracker.models]]\nmodel = "singr"\nrole = "boost"', "no motion model is called 'singr'"),
        ('[[tracker.models]]\nmodel = "ballistic"\nrole = "cruise"', "no role is called 'cruise'"),
        ('[[tracker.models]]\nmodel = "glide"\nrole = "boost"', "glide needs tau_s"),
        ("[tracker]\nmodels = []", "models"),
        ("[tracker]\nconfirm_existence = 1.0", "confirm_existence"),
        ("[[tracker.biases]]\nsensor = -1\naz_urad = 1.0\nel_urad = 1.0", "sensor"),
    ],
)
def test_what_the_tracker_cannot_be_told(given: str, said: str) -> None:
    _, problems = parse(template("plain") + "\n" + given + "\n")
    assert any(said in str(p) for p in problems), problems


@pytest.mark.parametrize("name", list(bundled()))
def test_every_bundled_file_builds(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.title_ja
    sensors = build.sensors(scenario)
    names = [n for group in build.platforms(scenario) for n in group.names]
    assert names == [s.name for s in sensors]
    assert len(set(names)) == len(names)
    assert len(build.targets(scenario)) == len(scenario.targets)
    assert build.areas(scenario)


# ISS, epoch 2008-09-20: the example of the TLE article of CelesTrak; checksums hold
TLE = """\
ISS (ZARYA)
1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927
2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537
"""


def test_catalogued_satellites_by_name(tmp_path: Path) -> None:
    part = '[[satellites]]\nowner = "USA"\nsensor = "ir"\nfile = "iss.tle"\nnames = ["NAME"]\nnotional = "test"\n'
    (tmp_path / "iss.tle").write_text(TLE)
    (tmp_path / "flight.csv").write_text("")  # must be there; nobody reads it here

    def loaded(name: str) -> Scenario:
        (tmp_path / "units.toml").write_text(TEXT + part.replace("NAME", name))
        return load(str(tmp_path / "units.toml"))  # data files lie beside it, wherever the command is called

    good = loaded("ISS (ZARYA)")
    (group,) = [g for g in build.platforms(good) if isinstance(g, Catalogued)]
    assert group.names == ("ISS (ZARYA)",)
    assert [s.name for s in build.sensors(good)][-2:] == ["ISS (ZARYA)", "r"]
    assert build.targets(good)[-1].flight == (tmp_path / "flight.csv", "boost")
    bad = loaded("ISS")
    with pytest.raises(NoroshiError, match=r"iss.tle: holds no satellite 'ISS'\n.*ISS \(ZARYA\)"):
        build.sensors(bad)

"""The plain numbers behind the report, against the made-up run's own formulas."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_run import LAUNCH, MAJOR_M, MANIFEST, MINOR_M, SCENARIO, TURN, make_run, studied

from noroshi.earth import geodesic
from noroshi.report import data
from noroshi.report.data import Impact, Lane
from noroshi.results import Run
from noroshi.scenario.schema import Catalogue
from noroshi.summary import facts


@pytest.fixture(scope="module")
def run() -> Run:
    return make_run()


@pytest.fixture(scope="module")
def report(run: Run) -> data.Report:
    return data.collect(run, run.summary, MANIFEST)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9).filter(lambda x: sum(x) > 1e-3))
def test_printed_shares_sum_to_100(weights: list[float]) -> None:
    shares = [w / sum(weights) for w in weights]
    printed = data.printed_shares(shares)
    assert sum(round(10 * p) for p in printed) == 1000
    # largest remainders move no share by a whole unit of the last digit
    assert all(abs(p - 100 * s) < 0.1 + 1e-9 for p, s in zip(printed, shares, strict=True))


def test_the_map_begins_at_30_west() -> None:
    lon = np.deg2rad([-30.0, -30.1, 0.0, 150.0, 180.0, -179.0, -31.0])
    assert data.map_lon(lon) == pytest.approx([-30, 329.9, 0, 150, 180, 181, 329])


def test_lines_are_cut_at_the_edge_of_the_map_and_not_at_180() -> None:
    lon = data.map_lon(np.deg2rad([170.0, 179.0, -179.0, -170.0, -32.0, -31.0, -29.0, -28.0]))
    cut = data.pieces(lon, np.zeros(8))
    assert [piece[:, 0].round(6).tolist() for piece in cut] == [[170, 179, 181, 190, 328, 329], [-29, -28]]


def test_the_answer(report: data.Report) -> None:
    """JPN decides at 40 s, the public hears 20 s later; the flight stands in
    Midland (from 139.95 E) when its 1 s samples, 0.1 deg apart, first pass 139.95 E: at 100 s."""
    a = report.answer
    assert (a.nation, a.area, a.before) == ("JPN", "Midland", "pass")
    assert (a.t_public, a.t_before) == (60.0, 100.0)
    assert a.utc_public == "2026-01-01T00:01:10Z"
    assert a.published_by_launch == {"2026-01-01T00:01:00Z": 60.0, "2026-01-01T00:00:00Z": 120.0}
    assert data.fitting_launch(report.summary) == "2026-01-01T00:00:00Z"


def test_the_answer_is_of_the_node_that_the_cards_judge() -> None:
    """The first node's own warning counts, though another nation's came earlier; that one, where home never warned."""
    late = make_run(decided={"JPN": 55.0, "USA": 45.0})
    report = data.collect(late, late.summary, MANIFEST)
    assert (report.answer.nation, report.answer.t_public) == ("JPN", 75.0)
    assert next(c.value for c in report.cards if c.key == "warning_lead_s") == 25.0
    abroad = make_run(decided={"USA": 45.0})
    report = data.collect(abroad, abroad.summary, MANIFEST)
    assert (report.answer.nation, report.answer.t_public) == ("USA", 65.0)
    assert next(c.value for c in report.cards if c.key == "warning_lead_s") is None


def test_the_cards_judge_both_ways(report: data.Report) -> None:
    found = {card.key: (card.value, card.passed) for card in report.cards}
    assert found == {
        "custody_2": (0.8, True),
        "rmse_position_m": (pytest.approx(30.0), True),
        "latency_p95_s": (pytest.approx(0.25), False),  # 0.2 s required
        "warning_lead_s": (pytest.approx(40.0), True),
    }


def test_what_never_happened_fails_its_card() -> None:
    run = make_run(seen=False)
    cards = {card.key: card for card in data.collect(run, run.summary, MANIFEST).cards}
    assert cards["rmse_position_m"].value is None
    assert cards["rmse_position_m"].passed is False
    assert cards["warning_lead_s"].passed is False


def test_intervals_of_a_study(run: Run) -> None:
    cards = {card.key: card.spread for card in data.collect(run, studied(run), MANIFEST).cards}
    assert cards["custody_2"] == (0.7, 0.9, 10)
    assert cards["rmse_position_m"] == (20.0, None, 10)
    assert cards["warning_lead_s"] == (30.0, 40.0, 10)  # a later warning leaves less


def test_lanes(report: data.Report) -> None:
    expected = (Lane(0, 20, 0), Lane(20, 30, 1), Lane(30, 190, 2), Lane(190, 200, 0))
    assert report.lanes["JPN", "arrow"] == expected
    shown = sum(lane.end - lane.start for lane in expected if lane.sensors >= 2) / 200
    assert shown == report.summary["nodes"]["JPN"]["targets"]["arrow"]["custody_2"]


def test_nodes_that_share_a_second_share_an_event(report: data.Report) -> None:
    events = {(e.key, e.launch): e for e in report.events if e.who != ("truth",)}
    assert events["event_first_detection", None].who == ("JPN", "USA")
    assert [e.who for e in report.events if e.key == "event_warning"] == [("JPN",), ("USA",)]
    reported = events["event_impact", "2026-01-01T00:00:00Z"]
    assert (reported.low, reported.t, reported.high, reported.consistent) == (120.0, 180.0, 240.0, True)
    assert events["event_impact", "2026-01-01T00:01:00Z"].consistent is False
    assert events["event_public", "2026-01-01T00:00:00Z"].consistent is None


def test_losses(report: data.Report) -> None:
    """Of 600 looks 200 lie below the horizon, 70 too low, 16 are missed, 314 detected (see the made-up run)."""
    found = {loss.reason: (loss.of_all, loss.of_view) for loss in report.losses}
    assert found == {
        "below_horizon": (33.3, None),
        "below_grazing": (11.7, 17.5),
        "missed": (2.7, 4.0),
        "detected": (52.3, 78.5),
    }
    assert [loss.reason for loss in report.losses][-1] == "detected"


def test_the_sky_at_the_first_decision(run: Run) -> None:
    sky = data.sky(run)
    assert sky.t == 40.0
    assert sky.names == ("ring-0", "ring-1")
    assert sky.lon_deg == pytest.approx([150.0, -30.0])
    assert sky.lat_deg == pytest.approx([40.0, -30.0])
    assert sky.sees.tolist() == [True, False]
    assert data.sky(make_run(warned=False)).t == pytest.approx(100.0)


def test_satellite_tracks_need_no_catalogue_file(run: Run) -> None:
    """A run from a TLE file far from here is drawn from its ephemeris alone."""
    catalogue = Catalogue(owner="USA", sensor="eye", file="gone.tle", source="nowhere")
    scenario = run.scenario.model_copy(update={"layers": (), "satellites": (catalogue,)})
    assert set(data.satellite_tracks(replace(run, scenario=scenario))) == {"ring-0", "ring-1"}


def test_the_impact_of_nodes_that_agree_is_one(run: Run) -> None:
    flight = facts(run.truth, run.itrs_from_gcrs, 0)
    ((nations, impact),) = data.impacts(run, flight)
    assert nations == ("JPN", "USA")
    error = run.summary["nodes"]["JPN"]["targets"]["arrow"]["warning_impact_error_km"]
    assert np.hypot(impact.east_m, impact.north_m) == pytest.approx(error * 1e3)
    # the last sample stands 0.1 deg west of 150 E on 40 N: 85,394 m a degree (WGS-84 parallel: N cos(lat) pi/180)
    assert impact.east_m == pytest.approx(8539.4, abs=0.5)
    assert abs(impact.north_m) < 6  # the geodesic bulges poleward of the parallel


def test_the_ellipse_has_two_sigma_all_round() -> None:
    """Mahalanobis distance under the covariance with these axes: 2 everywhere, by definition of the ellipse."""
    impact = Impact(0.7, 2.5, 0.0, 0.0, MAJOR_M, MINOR_M, TURN)
    azimuth, distance = data.ellipse(impact)
    east, north = distance * np.sin(azimuth), distance * np.cos(azimuth)
    axis = np.array([np.sin(TURN), np.cos(TURN)])
    across = np.array([axis[1], -axis[0]])
    cov = MAJOR_M**2 * np.outer(axis, axis) + MINOR_M**2 * np.outer(across, across)
    points = np.stack([east, north], 1)
    squared = np.einsum("pi,ij,pj->p", points, np.linalg.inv(cov), points)
    assert squared == pytest.approx(np.full(len(squared), 4.0))


def test_a_radar_field_is_its_sector(run: Run) -> None:
    field = data.radar_fields(run)["dish"]
    assert field[0].tolist() == field[-1].tolist() == [140.0, 40.0]
    edge = np.deg2rad(field[1:-1])
    distance, azimuth = geodesic(np.deg2rad(40.0), np.deg2rad(140.0), edge[:, 1], edge[:, 0])
    assert distance == pytest.approx(np.full(len(edge), 1000e3), abs=1)
    assert np.mod(np.rad2deg(azimuth[[0, -1]]), 360) == pytest.approx([210, 330], abs=1e-6)


def test_round_times_along_the_flight(run: Run) -> None:
    flight = facts(run.truth, run.itrs_from_gcrs, 0)
    assert [t for t, _, _ in data.flight_marks(flight)] == [60, 120, 180]
    assert data.flight_marks(flight)[0][1:] == (pytest.approx(136.0), pytest.approx(40.0))


def test_flight_phases_join(run: Run) -> None:
    parts = data.flight_phases(facts(run.truth, run.itrs_from_gcrs, 0))
    assert [phase.name for phase, _ in parts] == ["BOOST", "COAST", "REENTRY"]
    for (_, a), (_, b) in pairwise(parts):
        assert a[-1].tolist() == b[0].tolist()


def test_every_source_and_reason_is_listed(run: Run) -> None:
    stated = re.findall(r'^(?:notional|source|reason) = "(.*)"$', SCENARIO, re.M)
    listed = [
        text
        for _, _, source, reason in data.assumptions(
            run.scenario.model_dump(by_alias=True, exclude_none=True)
        )
        for text in (source, reason)
        if text
    ]
    assert len(stated) > 10
    assert set(stated) == set(listed)


def test_the_launch_time_shifts_nothing(run: Run) -> None:
    """Times of the report count from the launch, not from the epoch."""
    assert LAUNCH > 0
    burnout = next(e for e in data.collect(run, run.summary, MANIFEST).events if e.key == "event_burnout")
    assert burnout.t == 30.0  # the first second without thrust

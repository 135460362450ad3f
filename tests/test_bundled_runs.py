"""Both bundled scenarios end to end, with honest bounds, and what must not change from run to run."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from noroshi.results import Run
from noroshi.scenario.load import load, parse
from noroshi.scenario.template import template
from noroshi.simulate import simulate
from noroshi.store import RUN_TABLES, table_columns
from noroshi.study.monte_carlo import without_sharing
from noroshi.tables import Notice, Phase
from noroshi.tracking.tracker import track

DOCUMENTED = (Path(__file__).parents[1] / "docs" / "reference" / "summary.md").read_text("utf-8")


@pytest.fixture(scope="module")
def hokkaido() -> Run:
    return simulate(load("hokkaido-2017"))


@pytest.fixture(scope="module")
def alone() -> Run:
    return simulate(without_sharing(load("hokkaido-2017")))


@pytest.fixture(scope="module")
def glide() -> Run:
    return simulate(load("glide-7600"))


def test_the_flight_of_2017(hokkaido: Run) -> None:
    """Inputs met by the solver; the rest predicted, within what the issue of this work asks for."""
    flown = hokkaido.summary["targets"]["hwasong-12"]
    assert flown["apogee_km"] == pytest.approx(550, abs=1)
    assert flown["range_km"] == pytest.approx(2700, abs=4)  # to the last 1 s sample above ground: 3 km/s
    assert 880 <= flown["t_impact_s"] <= 990
    assert flown["passes"]["Cape Erimo"]["distance_km"] < 50
    assert 520 <= flown["passes"]["Cape Erimo"]["t_s"] <= 620


def test_the_launch_minute_that_fits(hokkaido: Run) -> None:
    published = hokkaido.summary["published"]
    verdicts = {utc[11:16]: entry["consistent"] for utc, entry in published["launch"].items()}
    assert verdicts == {"20:57": True, "20:58": False}
    off = published["impact"]["by_launch"]["2017-08-28T20:58:00Z"]["difference_s"]
    assert off > 60  # more than the rounding of both minutes


def test_every_nation_knows_and_warns_with_sharing(hokkaido: Run) -> None:
    for nation in ("JPN", "USA", "AUS"):
        node = hokkaido.summary["nodes"][nation]
        target = node["targets"]["hwasong-12"]
        assert 0 < target["t_first_detection_s"] < 110  # above the cloud top, in view of the layer
        # burn-out at 150 s is the floor; three updates and a wait of 2 s follow; 230 s leaves room for bad luck
        assert 150 < target["t_warning_s"] < 230
        assert target["t_warning_public_s"] == target["t_warning_s"] + 60
        assert target["custody_2"] > 0.7
        assert target["rmse_position_m"] < 1000
        assert target["warning_impact_error_km"] < 30
        assert node["false_tracks"] <= 1
        assert node["false_warnings"] == 0
        assert node["latency_s"]["lost"] == 0.0
    areas = {hokkaido.scenario.areas[k].name for k in hokkaido.warnings.area}
    assert "Hokkaido" in areas
    assert "Miyagi" not in areas


def test_alone_each_nation_has_its_own_sensors_only(hokkaido: Run, alone: Run) -> None:
    shared, own = (run.summary["nodes"] for run in (hokkaido, alone))
    assert own["AUS"]["targets"]["hwasong-12"]["t_first_detection_s"] is None
    assert own["AUS"]["tracks"] == 0
    japan = own["JPN"]["targets"]["hwasong-12"]
    # the radars see it when it rises above their lowest beam
    assert 126 <= japan["t_first_detection_s"] <= 200
    gained = japan["t_warning_s"] - shared["JPN"]["targets"]["hwasong-12"]["t_warning_s"]
    assert 5 <= gained <= 80
    nations = {hokkaido.scenario.nations[k].code: k for k in range(3)}
    for n, node in enumerate(alone.scenario.nodes):
        bits = np.unique(alone.tracks.originators[alone.tracks.node == n])
        assert set(bits.tolist()) <= {1 << nations[node.nation]}


def test_another_node_of_the_layer_changes_the_answer(hokkaido: Run) -> None:
    scenario = load("hokkaido-2017")
    turned = scenario.model_copy(
        update={
            "layers": tuple(x.model_copy(update={"raan_deg": x.raan_deg + 20.0}) for x in scenario.layers)
        }
    )
    other = simulate(turned).summary
    before = hokkaido.summary["nodes"]["JPN"]["targets"]["hwasong-12"]
    after = other["nodes"]["JPN"]["targets"]["hwasong-12"]
    assert before["custody_2"] != after["custody_2"]
    assert (
        before["t_first_detection_s"] != after["t_first_detection_s"]
        or before["t_confirmed_s"] != after["t_confirmed_s"]
    )
    assert hokkaido.summary["targets"] == other["targets"]  # the flight does not care


def test_outcomes_of_looks_add_up(hokkaido: Run, glide: Run) -> None:
    for run in (hokkaido, glide):
        for part in (run.summary["looks"], run.summary["looks_in_view"]):
            assert sum(part.values()) == pytest.approx(1.0, abs=1e-12)
        counted = round(run.summary["looks"]["detected"] * len(run.looks.scan))
        assert counted == np.sum(run.detection_truth.target >= 0)


def test_a_glider_is_warned_of_by_reach(glide: Run) -> None:
    flown = glide.summary["targets"]["glider"]
    assert flown["range_km"] == pytest.approx(7600, abs=100)
    for nation in ("JPN", "USA", "AUS"):
        node = glide.summary["nodes"][nation]
        target = node["targets"]["glider"]
        assert target["custody_2"] > 0.7  # enough satellites for stereo most of the time
        assert target["t_warning_s"] > flown["t_burnout_s"]
        assert target["warning_impact_error_km"] is None
        assert target["rmse_position_m"] < 1000
        assert node["false_tracks"] <= 1
    issued = glide.warnings.notice == Notice.ISSUED
    assert glide.warnings.impact[issued].all()
    assert np.isnan(glide.warnings.lat_rad[issued]).all()
    # three nations contribute
    mine = (glide.tracks.node == 2) & np.isin(
        glide.tracks.track, glide.samples.track[glide.samples.node == 2]
    )
    assert np.bitwise_or.reduce(glide.tracks.originators[mine]) == 0b111


def test_the_tracker_never_reads_the_answer_sheet(hokkaido: Run) -> None:
    """Tracking gets scans and detections; with every answer changed the tracks are the same, bit for bit."""
    from noroshi.scenario import build

    run = hokkaido
    owner = np.array([sensor.owner for sensor in build.sensors(run.scenario)])
    arrived = run.deliveries.scan[(run.deliveries.node == 0) & np.isfinite(run.deliveries.t_arrival)]
    order = np.sort(arrived)
    run.detection_truth.target[:], kept = -1, run.detection_truth.target.copy()
    tracks, _ = track(build.tracker_config(run.scenario), run.scans, run.detections, order, 0, owner, 2.0)
    run.detection_truth.target[:] = kept
    mine = run.tracks.node == 0
    np.testing.assert_array_equal(tracks.mean, run.tracks.mean[mine])
    np.testing.assert_array_equal(tracks.cov, run.tracks.cov[mine])


def test_the_same_seed_gives_the_same_bytes(hokkaido: Run) -> None:
    again = simulate(load("hokkaido-2017"))
    assert json.dumps(again.summary, sort_keys=True) == json.dumps(hokkaido.summary, sort_keys=True)
    for name in RUN_TABLES:
        first, second = table_columns(name, hokkaido), table_columns(name, again)
        assert first.keys() == second.keys()
        for key, column in first.items():
            if isinstance(column, pa.Array):
                assert column.equals(second[key]), f"{name}.{key}"
            else:  # bytes, so that nan equals nan
                assert column.tobytes() == np.asarray(second[key]).tobytes(), f"{name}.{key}"
    other = simulate(load("hokkaido-2017"), seed=1)
    assert other.summary["nodes"] != hokkaido.summary["nodes"]


def test_every_number_of_the_summary_is_documented(hokkaido: Run) -> None:
    def names(value: object) -> set[str]:
        if not isinstance(value, dict):
            return set()
        return set(value) | {name for inner in value.values() for name in names(inner)}

    own = {"JPN", "USA", "AUS", "hwasong-12", "Cape Erimo", "impact", "pass_area:Hokkaido", "launch"}
    # keys under `published` are described as a whole
    summary = {k: v for k, v in hokkaido.summary.items() if k != "published"}
    for name in sorted(names(summary) - own):
        assert re.search(rf"`[^`]*\b{re.escape(name)}\b", DOCUMENTED), f"document {name}"


def test_tables_are_whole(hokkaido: Run) -> None:
    for name in RUN_TABLES:
        lengths = {len(column) for column in table_columns(name, hokkaido).values()}
        assert len(lengths) == 1, name
        assert lengths.pop() > 0, name
    for table in (hokkaido.tracks, hokkaido.warnings, hokkaido.deliveries):
        assert len({len(getattr(table, f.name)) for f in fields(table)}) == 1
    assert hokkaido.truth.phase.max() == Phase.LANDED


def test_a_users_own_scenario_runs() -> None:
    scenario, problems = parse(template("my-network"))
    assert problems == []
    assert scenario is not None
    run = simulate(scenario)
    target = run.summary["nodes"]["JPN"]["targets"]["example"]
    assert target["t_warning_s"] is not None
    assert run.summary["targets"]["example"]["range_km"] == pytest.approx(2000, abs=4)

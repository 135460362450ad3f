"""Scenarios at the edges of what the format allows: they run, and say `never` where nothing can happen."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from noroshi.report.page import render
from noroshi.scenario.load import load
from noroshi.simulate import simulate

MANIFEST = {
    "versions": {"noroshi": "0"},
    "scenario_sha256": "0" * 64,
    "seed": 3,
    "command": "noroshi run film.toml",
    "finished_utc": "2026-11-24T00:00:00Z",
}


def without(text: str, table: str) -> str:
    """The text without every table or array of tables of that name."""
    return re.sub(rf"(?ms)^\[\[{table}\]\]\n.*?(?=^\[\[|\Z)", "", text)


def layer_off(text: str) -> str:
    return without(without(text, "layers"), "infrared")


# the change, and which nations then have a track
CASES: dict[str, tuple[Any, set[str]]] = {
    "as it is": (lambda s: s, {"JPN", "USA"}),
    "no layer": (layer_off, {"JPN"}),
    "no radar": (lambda s: without(s, "radars"), {"JPN", "USA"}),
    "no sensor": (lambda s: without(layer_off(s), "radars"), set()),
    "no area": (lambda s: re.sub(r"(?m)^areas = .*\n", "", s), {"JPN", "USA"}),
    "no way down": (lambda s: without(s, "entry_points"), {"JPN"}),
    "no rule": (lambda s: re.sub(r"(?m)^share = .*\n", "", s), {"JPN", "USA"}),
    "owner without a node": (lambda s: re.sub(r"(?m)^  \{ nation = \"USA\".*\n", "", s), {"JPN"}),
    "nobody waits": (lambda s: s.replace('name = "Tokyo",', 'name = "Tokyo", fusion_wait_s = 0,'), {"USA"}),
    "too dim": (lambda s: s.replace("boost = 100", "boost = 0"), {"JPN"}),
    "late launch": (lambda s: s.replace('phase = "boost"', 'phase = "boost"\nlaunch_s = 40'), {"JPN", "USA"}),
    "one step": (lambda s: s.replace("duration_s = 60", "duration_s = 1"), set()),
    "half steps": (lambda s: s.replace("duration_s = 60", "duration_s = 60\nstep_s = 0.5"), {"JPN", "USA"}),
    "radar at the pole": (lambda s: s.replace("latitude_deg = 33.1", "latitude_deg = 90"), {"JPN", "USA"}),
}


@pytest.mark.parametrize("case", list(CASES))
def test_it_runs_and_reports(case: str, film: Path) -> None:
    change, tracking = CASES[case]
    text = film.read_text()
    film.write_text(change(text))
    assert case == "as it is" or film.read_text() != text
    run = simulate(load(str(film)))
    summary = run.summary
    json.dumps(summary, allow_nan=False)
    nodes = {nation: node["targets"]["rocket"] for nation, node in summary["nodes"].items()}
    assert {nation for nation, target in nodes.items() if target["t_confirmed_s"] is not None} == tracking
    for nation, target in nodes.items():
        if nation not in tracking:
            assert target["t_warning_s"] is None
            assert target["rmse_position_m"] is None
    total = sum(summary["looks"].values())
    assert total == (0.0 if not len(run.looks.scan) else pytest.approx(1.0, abs=1e-12))
    assert len(render(run, summary, MANIFEST)) > 1e5


def test_two_targets_in_one_place_are_still_two(film: Path) -> None:
    # exact twins: every detection could be of either, and a node should still come to two tracks or one, never more
    text = film.read_text()
    film.write_text(text + text[text.index("[[targets]]") :].replace('"rocket"', '"twin"'))
    summary = simulate(load(str(film))).summary
    for node in summary["nodes"].values():
        assert set(node["targets"]) == {"rocket", "twin"}
        assert 1 <= node["tracks"] <= 2
        assert node["false_tracks"] == 0

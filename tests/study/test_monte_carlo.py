"""Repetitions: what a spread means, what is reused, and that the number of workers changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.scenario.load import load
from noroshi.scenario.schema import Scenario
from noroshi.study import monte_carlo
from noroshi.study.monte_carlo import (
    Case,
    cases,
    phase_study,
    run_study,
    spread,
    statistics,
    study_key,
    vary_layer_phase,
    without_sharing,
)


@pytest.mark.parametrize(
    ("values", "p05", "median", "p95", "never"),
    [
        ([1.0, 2.0, 3.0], 1.0, 2.0, 3.0, 0),
        ([3.0, 1.0, 2.0], 1.0, 2.0, 3.0, 0),
        ([1.0, 2.0, None], 1.0, 2.0, None, 1),  # never counts as later than everything
        ([None, 1.0, None], 1.0, None, None, 2),
        ([None, None], None, None, None, 2),
        ([], None, None, None, 0),
        ([7.0], 7.0, 7.0, 7.0, 0),
        ([0, 0, 4], 0.0, 0.0, 4.0, 0),
        (list(range(101)), 5.0, 50.0, 95.0, 0),  # ranks by hand: 5 % of 0..100 is 5
    ],
)  # fmt: skip
def test_spread_by_hand(values: list[Any], p05: Any, median: Any, p95: Any, never: int) -> None:
    found = spread(values)
    assert found == {"p05": p05, "median": median, "p95": p95, "runs": len(values), "never": never}
    assert spread(iter(values)) == found


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=60))
def test_a_spread_holds_its_share_of_the_repetitions(values: list[float | None]) -> None:
    found = spread(values)
    padded = [np.inf if v is None else v for v in values]
    for key, share in (("p05", 0.05), ("median", 0.5), ("p95", 0.95)):
        bound = np.inf if found[key] is None else found[key]
        assert bound in padded  # a repetition that was, not a mixture of two
        # the definition: the least repetition that this share does not exceed
        assert sum(v <= bound for v in padded) >= share * len(values) - 1e-6
        assert sum(v < bound for v in padded) < share * len(values)
    order = [np.inf if found[key] is None else found[key] for key in ("p05", "median", "p95")]
    assert order == sorted(order)


def test_statistics_has_the_shape_of_a_summary() -> None:
    def summary(t: float | None, tracks: int) -> dict[str, Any]:
        return {"nodes": {"JPN": {"tracks": tracks, "targets": {"a": {"t_warning_s": t}}}}, "seed": 1}

    found = statistics([summary(10.0, 1), summary(None, 2), summary(30.0, 1)])
    assert list(found) == ["JPN"]
    assert found["JPN"]["tracks"] == {"p05": 1.0, "median": 1.0, "p95": 2.0, "runs": 3, "never": 0}
    assert found["JPN"]["targets"]["a"]["t_warning_s"]["never"] == 1
    assert found["JPN"]["targets"]["a"]["t_warning_s"]["median"] == 30.0


def test_phase_study_keeps_shared_and_alone_apart() -> None:
    def summary(t: float | None) -> dict[str, Any]:
        return {"nodes": {"JPN": {"targets": {"a": {"t_warning_s": t}}}}}

    found = {
        Case(k, share): summary(100.0 + k if share else None) for k in range(3) for share in (True, False)
    }
    study = phase_study(found)
    assert study["runs"] == 3
    assert study["shared"]["JPN"]["a"]["t_warning_s"] == spread([100.0, 101.0, 102.0])
    assert study["alone"]["JPN"]["a"]["t_warning_s"] == spread([None] * 3)


def test_layer_phases_differ_by_run_and_not_by_sharing() -> None:
    scenario = load("hokkaido-2017")
    turned = [vary_layer_phase(scenario, 5, run) for run in range(200)]
    angles = np.array([(s.layers[0].raan_deg, s.layers[0].phase_deg) for s in turned])
    assert len(np.unique(angles[:, 0])) == len(np.unique(angles[:, 1])) == 200
    assert ((angles >= 0) & (angles < 360)).all()
    # uniform: the mean of 200 draws has a sigma of 360 / sqrt(12 * 200) = 7.3 deg; 4 sigma fails once in 16,000
    assert np.all(np.abs(angles.mean(axis=0) - 180) < 4 * 7.35)
    assert vary_layer_phase(scenario, 5, 3) == turned[3]
    assert vary_layer_phase(scenario, 6, 3) != turned[3]
    # sharing is taken away after the turn: the same sky for both
    alone = without_sharing(turned[3])
    assert alone.layers == turned[3].layers
    assert alone.share == ()
    assert vary_layer_phase(without_sharing(scenario), 5, 3).layers == turned[3].layers
    # the layer turns as a whole: nothing else of it changes
    kept = {"raan_deg": 0.0, "phase_deg": 0.0}
    assert turned[3].layers[0].model_copy(update=kept) == scenario.layers[0].model_copy(update=kept)


def test_cases() -> None:
    assert cases(2, "seed") == [Case(0, True), Case(1, True)]
    assert cases(2, "layer-phase") == [Case(0, True), Case(0, False), Case(1, True), Case(1, False)]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """A stand-in for a repetition that notes its case and answers with a number of its own."""
    ran: list[Case] = []

    def summarise(scenario: Scenario, seed: int, vary: str, case: Case) -> dict[str, Any]:
        ran.append(case)
        return {"nodes": {"X": {"n": seed * 100 + case.run * 2 + case.share}}}

    monkeypatch.setattr(monte_carlo, "summarise_case", summarise)
    return ran


def study(scenario: Scenario, folder: Path, runs: int = 3, **more: Any) -> dict[Case, dict[str, Any]]:
    settings: dict[str, Any] = {
        "seed": 1,
        "vary": "layer-phase",
        "workers": 1,
        "version": "1",
    }
    return run_study(scenario, runs=runs, folder=folder, **(settings | more))


def test_finished_repetitions_are_not_run_again(tmp_path: Path, counted: list[Case]) -> None:
    scenario = load("hokkaido-2017")
    progress: list[tuple[int, int]] = []
    first = study(scenario, tmp_path, done=lambda *at: progress.append(at))
    assert list(first) == counted == cases(3, "layer-phase")
    assert progress == [(k, 6) for k in range(7)]
    counted.clear()
    assert study(scenario, tmp_path) == first
    assert counted == []
    more = study(scenario, tmp_path, runs=4)  # a longer study goes on from the shorter one
    assert counted == cases(4, "layer-phase")[6:]
    assert {case: more[case] for case in first} == first


def test_a_killed_study_loses_only_what_was_under_way(
    tmp_path: Path, counted: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load("hokkaido-2017")
    whole = study(scenario, tmp_path / "whole")
    counted.clear()
    plain = monte_carlo.summarise_case

    def killed(*arguments: Any) -> dict[str, Any]:
        if len(counted) == 4:
            raise KeyboardInterrupt
        return plain(*arguments)

    monkeypatch.setattr(monte_carlo, "summarise_case", killed)
    with pytest.raises(KeyboardInterrupt):
        study(scenario, tmp_path / "killed")
    monkeypatch.setattr(monte_carlo, "summarise_case", plain)
    # a part that was being written when the power went
    (part,) = (tmp_path / "killed").iterdir()
    (part / "00002-share.tmp").write_text('{"nodes": {"X"')
    counted.clear()
    assert study(scenario, tmp_path / "killed") == whole
    assert counted == cases(3, "layer-phase")[4:]


@pytest.mark.parametrize("change", ["scenario", "seed", "vary", "version"])
def test_another_study_reuses_nothing(tmp_path: Path, counted: list[Case], change: str) -> None:
    scenario = load("hokkaido-2017")
    study(scenario, tmp_path)
    counted.clear()
    if change == "scenario":
        study(scenario.model_copy(update={"duration_s": 1021.0}), tmp_path)
    else:
        study(scenario, tmp_path, **{change: {"seed": 2, "vary": "seed", "version": "2"}[change]})
    assert len(counted) == (3 if change == "vary" else 6)


def test_a_changed_data_file_makes_another_study(film: Path) -> None:
    scenario = load(str(film))
    key = study_key(scenario, 1, "seed", "1")
    assert study_key(scenario, 1, "seed", "1") == key
    data = film.parent / "rocket.csv"
    data.write_text(data.read_text().replace("140,20000", "140,20001"))
    assert study_key(scenario, 1, "seed", "1") != key


def test_repetitions_are_different_draws_of_the_same_scenario(film: Path, tmp_path: Path) -> None:
    scenario = load(str(film))
    found = study(scenario, tmp_path / "a", runs=2, vary="seed")
    assert found[Case(0, True)] != found[Case(1, True)]
    assert found[Case(0, True)] == monte_carlo.summarise_case(scenario, 1, "seed", Case(0, True))
    # over layer phases the pair with and without sharing has the same sky and the same luck: the owner of the layer,
    # who receives nothing from others, sees no difference
    found = study(scenario, tmp_path / "b", runs=1)
    shared, alone = found[Case(0, True)]["nodes"], found[Case(0, False)]["nodes"]
    assert shared["USA"] == alone["USA"]
    assert shared["JPN"] != alone["JPN"]

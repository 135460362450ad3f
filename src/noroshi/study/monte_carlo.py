"""Repeat a run over seeds or layer phases: in processes, resumable, the same result for any worker count."""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Literal, NamedTuple

from noroshi.random import stream
from noroshi.scenario.schema import Catalogue, Recorded, Scenario

Vary = Literal["seed", "layer-phase"]


class Case(NamedTuple):
    """One repetition: run number, and whether the nations share."""

    run: int
    share: bool


def vary_layer_phase(scenario: Scenario, seed: int, run: int) -> Scenario:
    """The scenario with every layer turned to a random node and phase, each layer as a whole.

    The first node is uniform over the pattern's period, 360 deg; so is the first satellite's phase.
    """
    layers = []
    for layer in scenario.layers:
        draw = stream(seed, run, "layer-phase", layer.name).uniform(0.0, 360.0, size=2)
        layers.append(layer.model_copy(update={"raan_deg": float(draw[0]), "phase_deg": float(draw[1])}))
    return scenario.model_copy(update={"layers": tuple(layers)})


def without_sharing(scenario: Scenario) -> Scenario:
    """The scenario with every release rule removed: each nation has its own sensors only."""
    return scenario.model_copy(update={"share": ()})


def cases(runs: int, vary: Vary) -> list[Case]:
    """The repetitions of a study. Over layer phases each is run with and without sharing, on equal draws."""
    sharing = (True, False) if vary == "layer-phase" else (True,)
    return [Case(run, share) for run in range(runs) for share in sharing]


def summarise_case(scenario: Scenario, seed: int, vary: Vary, case: Case) -> dict[str, Any]:
    """The summary of one repetition (this is what a worker process runs)."""
    from noroshi.simulate import simulate

    varied = vary_layer_phase(scenario, seed, case.run) if vary == "layer-phase" else scenario
    if not case.share:
        varied = without_sharing(varied)
    return simulate(varied, seed=seed, run=case.run).summary


def study_key(scenario: Scenario, seed: int, vary: Vary, version: str) -> str:
    """A name for a study's finished parts: changes with the scenario and its data files, the seed, what varies,
    the version."""
    parts = [*scenario.satellites, *scenario.targets]
    files = [Path(part.file) for part in parts if isinstance(part, Catalogue | Recorded)]
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()]
    text = json.dumps([scenario.model_dump(mode="json"), digests, seed, vary, version], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_study(
    scenario: Scenario,
    *,
    seed: int,
    runs: int,
    vary: Vary,
    workers: int,
    folder: Path,
    version: str,
    done: Callable[[int, int], None] = lambda finished, total: None,
) -> dict[Case, dict[str, Any]]:
    """Every repetition's summary. Finished ones lie in `folder` as JSON and are not run again.

    `done(finished, total)` is called as repetitions end. Interrupting loses only those under way.
    """
    parts = folder / study_key(scenario, seed, vary, version)
    parts.mkdir(parents=True, exist_ok=True)
    wanted = cases(runs, vary)
    found = {case: summary for case in wanted if (summary := _read_part(_part(parts, case))) is not None}
    missing = [case for case in wanted if case not in found]
    done(len(found), len(wanted))
    for case, summary in _each(scenario, seed, vary, missing, workers):
        _write_part(_part(parts, case), summary)
        found[case] = summary
        done(len(found), len(wanted))
    return {case: found[case] for case in wanted}


def _each(
    scenario: Scenario, seed: int, vary: Vary, missing: list[Case], workers: int
) -> Iterable[tuple[Case, dict[str, Any]]]:
    if workers <= 1 or len(missing) <= 1:
        for case in missing:
            yield case, summarise_case(scenario, seed, vary, case)
        return
    context = multiprocessing.get_context("forkserver")  # never fork a process that has started JAX
    with ProcessPoolExecutor(min(workers, len(missing)), mp_context=context) as pool:
        futures = {pool.submit(summarise_case, scenario, seed, vary, case): case for case in missing}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _part(parts: Path, case: Case) -> Path:
    return parts / f"{case.run:05d}-{'share' if case.share else 'alone'}.json"


def _read_part(path: Path) -> dict[str, Any] | None:
    """A finished repetition, or None: not there, or damaged since, and then to be run again."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _write_part(path: Path, summary: dict[str, Any]) -> None:
    partial = path.with_suffix(".tmp")
    partial.write_text(json.dumps(summary))
    os.replace(partial, path)


def spread(values: Iterable[float | None]) -> dict[str, float | int | None]:
    """Median and 5-95 % of the values that happened; `never` counts those that did not.

    Each is the least repetition that at least this share of them does not exceed (inverse of the empirical
    distribution), so always a repetition that was. A quantile that falls among the repetitions in which it never
    happened is null, not a number: with `never` counted as later than everything, the median of [1, 2, never] is
    2 and that of [1, never, never] is null.
    """
    values = list(values)
    happened = sorted(v for v in values if v is not None)
    padded = [*happened, *[None] * (len(values) - len(happened))]
    quantile = {}
    for name, q in (("p05", 0.05), ("median", 0.5), ("p95", 0.95)):
        rank = max(1, math.ceil(q * len(padded) - 1e-9))  # 0.05 * 20 is 1, whatever its last bit
        value = padded[rank - 1] if padded else None
        quantile[name] = None if value is None else float(value)
    return {**quantile, "runs": len(values), "never": len(values) - len(happened)}


def statistics(summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """Spread of every number of `nodes` over repetitions, in the shape of one summary's `nodes`."""
    return _spread_tree([summary["nodes"] for summary in summaries])


def _spread_tree(trees: list[Any]) -> Any:
    first = trees[0]
    if isinstance(first, dict):
        return {key: _spread_tree([tree[key] for tree in trees]) for key in first}
    return spread(trees)


def phase_study(found: dict[Case, dict[str, Any]]) -> dict[str, Any]:
    """`summary.phase_study`: the spread of t_warning_s per node and target, with and without sharing."""
    answer: dict[str, Any] = {"runs": len({case.run for case in found})}
    for name, share in (("shared", True), ("alone", False)):
        summaries = [summary for case, summary in found.items() if case.share == share]
        answer[name] = {
            nation: {
                target: {
                    "t_warning_s": spread(
                        s["nodes"][nation]["targets"][target]["t_warning_s"] for s in summaries
                    )
                }
                for target in summaries[0]["nodes"][nation]["targets"]
            }
            for nation in summaries[0]["nodes"]
        }
    return answer

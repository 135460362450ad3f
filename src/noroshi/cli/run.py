"""`noroshi run`: simulate a scenario, score it, write a run folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.table import Table

from noroshi.cli.console import check_report_can_be_built, console_for, provenance, stages
from noroshi.errors import NoroshiError
from noroshi.scenario.load import load, read_text
from noroshi.scenario.schema import Scenario


def run(
    scenario: str,
    /,
    *,
    runs: Annotated[
        int, Parameter(help="Repeat with this many seeds; adds medians and 5-95 % intervals.")
    ] = 1,
    vary: Annotated[
        Literal["seed", "layer-phase"],
        Parameter(help="What the repetitions vary. layer-phase: each with and without sharing."),
    ] = "seed",
    seed: Annotated[int | None, Parameter(help="Instead of the scenario's own seed.")] = None,
    share: Annotated[bool, Parameter(help="--no-share removes every release rule.")] = True,
    out: Annotated[
        Path | None, Parameter(help="Run folder (default: the next free runs/NAME-0001, -0002, ...).")
    ] = None,
    force: Annotated[bool, Parameter(help="Replace the run folder if it is there.", negative=())] = False,
    workers: Annotated[int | None, Parameter(help="Processes for --runs (default: the cores).")] = None,
    lang: Annotated[Literal["en", "ja"], Parameter(help="Language in which the report opens.")] = "en",
    as_json: Annotated[bool, Parameter(name="--json", help="Print summary.json.", negative=())] = False,
) -> None:
    """Simulate SCENARIO (a file, or the name of a bundled one), score it, and write a run folder.

    The folder holds scenario.toml, manifest.json, summary.json, tables/*.parquet and report.html. An interrupted
    --runs goes on where it stopped when the same command is given again.
    """
    from noroshi import store

    started = time.perf_counter()
    if runs < 1:
        raise NoroshiError("--runs must be at least 1", remedy="give the number of repetitions")
    if workers is not None and workers < 1:
        raise NoroshiError("--workers must be at least 1", remedy="leave it out to use every core")
    if seed is not None and seed < 0:
        raise NoroshiError("--seed must not be negative", remedy="give a whole number from 0 on")
    if vary == "layer-phase" and runs == 1:
        raise NoroshiError(
            "--vary layer-phase needs repetitions",
            remedy="add --runs 50 (each is run with and without sharing)",
        )
    console = console_for(as_json)
    given = load(scenario)
    text = read_text(scenario)
    if vary == "layer-phase" and not given.layers:
        raise NoroshiError("the scenario has no [[layers]] whose phase could vary", where=scenario)
    folder = out if out is not None else store.next_run_folder(Path("runs"), given.name)
    store.check_output(folder, force=force)
    check_report_can_be_built()

    seed = given.seed if seed is None else seed
    effective = given if share else given.model_copy(update={"share": ()})
    study_folder = folder.parent / f".{folder.name}.study"
    with stages(console) as stage:
        from noroshi.simulate import simulate

        result = simulate(effective, seed=seed, progress=stage)
        summary = result.summary | {"runs": runs}
        if runs > 1:
            summary |= _study(given, effective, seed, runs, vary, workers, study_folder, stage)
        stage("write", 0, 2)
        with store.whole_folder(folder) as part:
            manifest = _manifest(text, seed, started)
            (part / "scenario.toml").write_text(text, "utf-8")
            store.write_json(part / "summary.json", summary)
            store.write_tables(part / "tables", result)
            stage("write", 1, 2)
            from noroshi.report.page import render

            (part / "report.html").write_text(render(result, summary, manifest, lang=lang), "utf-8")
            store.write_json(part / "manifest.json", _manifest(text, seed, started))
        stage("write", 2, 2)
    shutil.rmtree(study_folder, ignore_errors=True)

    if as_json:
        sys.stdout.write(json.dumps(summary, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        return
    console.print(_closing_table(summary))
    for line in _spread_lines(summary):
        console.print(line)
    console.print(f"saved {folder}   next: open {folder / 'report.html'}")


def _study(
    given: Scenario,
    effective: Scenario,
    seed: int,
    runs: int,
    vary: Literal["seed", "layer-phase"],
    workers: int | None,
    folder: Path,
    stage: Any,
) -> dict[str, Any]:
    from noroshi.study import monte_carlo

    found = monte_carlo.run_study(
        given if vary == "layer-phase" else effective,
        seed=seed,
        runs=runs,
        vary=vary,
        workers=workers or os.cpu_count() or 1,
        folder=folder,
        version=version("noroshi"),
        done=lambda finished, total: stage("repeat", finished, total),
    )
    shared = [summary for case, summary in found.items() if case.share]
    added: dict[str, Any] = {"statistics": monte_carlo.statistics(shared)}
    if vary == "layer-phase":
        added["phase_study"] = monte_carlo.phase_study(found)
    return added


def _manifest(text: str, seed: int, started: float) -> dict[str, Any]:
    return provenance(started) | {"scenario_sha256": hashlib.sha256(text.encode()).hexdigest(), "seed": seed}


def _closing_table(summary: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, justify in (
        ("node", "left"),
        ("target", "left"),
        ("first seen", "right"),
        ("confirmed", "right"),
        ("warned", "right"),
        ("public", "right"),
        ("custody ≥2", "right"),
        ("longest gap", "right"),
        ("rms error", "right"),
        ("impact error", "right"),
    ):
        table.add_column(heading, justify=justify)  # pyright: ignore[reportArgumentType]
    for nation, node in summary["nodes"].items():
        for name, target in node["targets"].items():
            table.add_row(
                nation,
                name,
                _show(target["t_first_detection_s"], "T+{:.0f} s"),
                _show(target["t_confirmed_s"], "T+{:.0f} s"),
                _show(target["t_warning_s"], "T+{:.0f} s"),
                _show(target["t_warning_public_s"], "T+{:.0f} s"),
                _show(target["custody_2"], "{:.1%}"),
                _show(target["longest_gap_s"], "{:.0f} s"),
                _show(target["rmse_position_m"], "{:.0f} m"),
                _show(target["warning_impact_error_km"], "{:.1f} km"),
            )
    return table


def _spread_lines(summary: dict[str, Any]) -> list[str]:
    """When each node warned over the repetitions, a line each; none for a single run."""
    if "phase_study" in summary:
        study = summary["phase_study"]
        tables = {"shared": study["shared"], "alone": study["alone"]}
        title = f"over {study['runs']} layer phases, warned (median, 5-95 %):"
    elif "statistics" in summary:
        tables = {"": {nation: node["targets"] for nation, node in summary["statistics"].items()}}
        title = f"over {summary['runs']} seeds, warned (median, 5-95 %):"
    else:
        return []
    lines = [title]
    for name, nations in tables.items():
        for nation, targets in nations.items():
            for target, row in targets.items():
                s = row["t_warning_s"]
                low, middle, high = (_show(s[q], "T+{:.0f} s") for q in ("p05", "median", "p95"))
                never = f"; never in {s['never']} of {s['runs']}" if s["never"] else ""
                lines.append(
                    f"  {nation} {target} {name}: {middle} ({low} - {high}){never}".replace(" :", ":")
                )
    return lines


def _show(value: float | None, pattern: str) -> str:
    return "never" if value is None else pattern.format(value)

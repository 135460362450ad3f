"""`noroshi run`: simulate a scenario, score it, write a run folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from noroshi.errors import NoroshiError
from noroshi.scenario.load import load, read_text
from noroshi.scenario.schema import Scenario

PACKAGES = (
    "noroshi",
    "numpy",
    "scipy",
    "jax",
    "jaxlib",
    "numba",
    "sgp4",
    "pyerfa",
    "astropy-iers-data",
    "pyarrow",
)


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
    console = _console(as_json)
    given = load(scenario)
    text = read_text(scenario)
    if vary == "layer-phase" and not given.layers:
        raise NoroshiError("the scenario has no [[layers]] whose phase could vary", where=scenario)
    folder = out if out is not None else store.next_run_folder(Path("runs"), given.name)
    store.check_output(folder, force=force)
    _check_report_can_be_built()

    seed = given.seed if seed is None else seed
    effective = given if share else given.model_copy(update={"share": ()})
    study_folder = folder.parent / f".{folder.name}.study"
    with _stages(console) as stage:
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


def _console(as_json: bool) -> Console:
    """Where a person reads: standard error when standard output is for a script. Off a terminal, a wide line."""
    console = Console(stderr=as_json, highlight=False)
    return console if console.is_terminal else Console(stderr=as_json, highlight=False, width=120)


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


def _check_report_can_be_built() -> None:
    from noroshi.report.page import check_built

    check_built()


@contextlib.contextmanager
def _stages(console: Console) -> Iterator[Any]:
    """A progress bar per stage on a terminal; nothing elsewhere. Every stage is a place where Ctrl-C is heard.

    An interrupt that falls into a callback of a compiled library is swallowed there: it is noted, and raised again
    at the next stage.
    """
    interrupted = False

    def note(number: int, frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    bars = Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, Any] = {}

    def stage(name: str, finished: int, total: int) -> None:
        if interrupted:
            raise KeyboardInterrupt
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=total)
        bars.update(tasks[name], completed=finished, total=total)

    before = signal.signal(signal.SIGINT, note)
    try:
        with bars:
            yield stage
    finally:
        signal.signal(signal.SIGINT, before)


def _manifest(text: str, seed: int, started: float) -> dict[str, Any]:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "schema": 1,
        "command": " ".join(["noroshi", *sys.argv[1:]]),
        "scenario_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "seed": seed,
        "finished_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "wall_s": round(time.perf_counter() - started, 3),
        "cpu_s": round(sum(u.ru_utime + u.ru_stime for u in used), 3),
        "peak_memory_mb": round(max(u.ru_maxrss for u in used) / 1024, 1),
    }


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

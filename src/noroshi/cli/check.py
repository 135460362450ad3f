"""`noroshi check`: every mistake of a scenario file at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from noroshi.errors import NoroshiError, ScenarioError
from noroshi.io.tle_omm import read_satellites
from noroshi.io.trajectory import read_record
from noroshi.scenario.load import find, parse, read_text, render
from noroshi.scenario.schema import Recorded, Scenario


def check(
    scenario: str | None = None,
    /,
    *,
    schema: Annotated[bool, Parameter(help="Print the JSON Schema of scenario files.", negative=())] = False,
    as_json: Annotated[
        bool, Parameter(name="--json", help="Print the problems as JSON.", negative=())
    ] = False,
) -> None:
    """Say every mistake of SCENARIO (a file or a bundled name): line, caret, remedy. Exit code 2 if there is one."""
    if schema:
        sys.stdout.write(json.dumps(Scenario.model_json_schema(by_alias=True), indent=2) + "\n")
        return
    if scenario is None:
        raise NoroshiError("no scenario given", remedy="noroshi check my-scenario.toml")
    text = read_text(scenario)
    path = find(scenario)
    good, problems = parse(text, path.parent)
    if good is not None:
        _read_files(good, path.parent)
    if as_json:
        rows = [
            {"what": p.what, "remedy": p.remedy, "line": p.line, "column": p.column, "length": p.length}
            for p in problems
        ]
        sys.stdout.write(json.dumps({"ok": not rows, "problems": rows}, indent=2, ensure_ascii=False) + "\n")
        if rows:
            sys.exit(2)
        return
    if good is None:
        raise ScenarioError(render(problems, text, str(path)))
    console = Console(highlight=False)
    satellites = sum(layer.satellites for layer in good.layers)
    console.print(
        f"{good.name}: no mistakes. {len(good.nations)} nations, {satellites} satellites in layers, "
        f"{len(good.radars)} radars, {len(good.targets)} targets, {len(good.share)} release rules.",
        soft_wrap=True,
    )
    console.print(f"next: noroshi run {scenario}")


def _read_files(scenario: Scenario, folder: Path) -> None:
    """Read every data file the scenario names: a damaged one is a mistake too (DataError: file, line, remedy)."""
    for catalogue in scenario.satellites:
        read_satellites(folder / catalogue.file)
    for target in scenario.targets:
        if isinstance(target, Recorded):
            read_record(folder / target.file)

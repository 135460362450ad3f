"""The published record as data: what each V-id states, typed from its source, and how near is near enough.

One TOML file per group in the folder `record`. A case has `given` columns (inputs), `expect` columns (values) and
a `table` of both; every cell of an expected column is a value of its own, a list is one value per component.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

INDEPENDENT, CLOSED_FORM, REGRESSION, BRACKET = "independent", "closed-form", "regression", "bracket"
EVIDENCE = (INDEPENDENT, CLOSED_FORM, REGRESSION, BRACKET)
REPRODUCED = (INDEPENDENT, CLOSED_FORM)  # a value fitted to, or recorded from, our own models proves nothing
GROUPS = ("frames", "orbits", "coverage", "targets", "signature", "sensors", "tracking", "warning")


class Tolerance(NamedTuple):
    """How a value is compared: `kind` is relative, absolute, at_most, between or exact."""

    kind: str
    size: float = 0.0
    rounding: float = 0.0  # half the last digit that the record prints: allowed on top where it is larger
    low: float = 0.0
    high: float = 0.0

    def __str__(self) -> str:
        match self.kind:
            case "exact":
                return "exact"
            case "at_most":
                return "at most"
            case "between":
                return f"{self.low:g} to {self.high:g}"
        last = f" or {self.rounding:g}" if self.rounding else ""
        return f"{100 * self.size:g} %{last}" if self.kind == "relative" else f"{self.size:g}{last}"


class Value(NamedTuple):
    """One expected column."""

    unit: str
    tolerance: Tolerance
    evidence: str


class Line(NamedTuple):
    """One row of a case's table: inputs by name, expected values by name (a tuple: one per component)."""

    inputs: Mapping[str, Any]
    expected: Mapping[str, Any]


class Case(NamedTuple):
    """One V-id (or one table of it, where its columns differ)."""

    id: str
    group: str
    name: str
    function: str  # in the module of its group
    source: str
    provenance: str
    values: Mapping[str, Value]
    lines: Sequence[Line]


class Note(NamedTuple):
    """What the record holds without being a test: unverified from memory, context, or not built yet."""

    id: str
    item: str
    value: str
    settles: str


def cases(group: str) -> tuple[Case, ...]:
    """All cases of a group, in order of their ids."""
    return tuple(_case(group, raw) for raw in _read(group)["case"])


def unverified() -> tuple[Note, ...]:
    """What the sources leave unverified: never counted as reproduced."""
    return tuple(Note(**raw) for raw in _read("notes")["unverified"])


def not_built() -> tuple[Note, ...]:
    """V-ids whose capability is not in noroshi yet."""
    return tuple(Note(settles="", **raw) for raw in _read("notes")["not_built"])


def context() -> tuple[Note, ...]:
    """Trends and press statements: no number of ours to compare, or none that would prove anything."""
    return tuple(Note(**raw) for raw in _read("notes")["context"])


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("noroshi.validate") / "record" / f"{name}.toml").read_text("utf-8"))


def _case(group: str, raw: dict[str, Any]) -> Case:
    given, expect, fixed = raw["given"], raw["expect"], raw.get("fixed", {})
    values = {name: _value(raw, name) for name in expect}
    lines = []
    for row in raw["table"]:
        if len(row) != len(given) + len(expect):
            raise ValueError(f"{raw['id']}: row {row} has not {len(given) + len(expect)} cells")
        inputs = dict(zip(given, row, strict=False))
        stated = dict(zip(expect, row[len(given) :], strict=True))
        expected = {name: _cell(cell) for name, cell in stated.items() if cell != ""}
        lines.append(Line({**fixed, **inputs}, expected))
    function = raw.get("function", raw["id"].lower().replace("-", "_"))
    return Case(raw["id"], group, raw["name"], function, raw["source"], raw["provenance"], values, lines)


def _value(raw: dict[str, Any], name: str) -> Value:
    stated = raw["values"].get(name) or raw["values"]["*"]
    kinds = [kind for kind in ("relative", "absolute", "between", "at_most", "exact") if kind in stated]
    if len(kinds) != 1:
        raise ValueError(f"{raw['id']} {name}: exactly one tolerance, not {kinds}")
    kind, size = kinds[0], stated[kinds[0]]
    if kind == "between":
        tolerance = Tolerance(kind, low=size[0], high=size[1])
    else:
        number = 0.0 if isinstance(size, bool) else float(size)
        tolerance = Tolerance(kind, number, float(stated.get("rounding", 0.0)))
    evidence = stated.get("evidence", raw["evidence"])
    if evidence not in EVIDENCE:
        raise ValueError(f"{raw['id']}: {evidence!r} is no kind of evidence")
    return Value(stated.get("unit", ""), tolerance, evidence)


def _cell(cell: Any) -> Any:
    if cell == "none":
        return None
    return tuple(cell) if isinstance(cell, list) else cell

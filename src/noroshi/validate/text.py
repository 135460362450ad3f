"""The outcome for people and for scripts: JSON, Markdown, HTML, and a few lines for a terminal."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from noroshi.validate.recompute import Outcome, Row
from noroshi.validate.record import BRACKET, EVIDENCE, GROUPS, REGRESSION, REPRODUCED, Note

HEAD = ("id", "what", "inputs", "expected", "got", "error", "tolerance", "unit", "evidence", "")


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome with the keys that scripts rely on."""
    return {
        "rows": [_row(row) for row in outcome.rows],
        "counts": counts(outcome),
        "not_built": [note._asdict() for note in outcome.not_built],
        "unverified": [note._asdict() for note in outcome.unverified],
        "context": [note._asdict() for note in outcome.context],
    }


def _row(row: Row) -> dict[str, Any]:
    plain = row._asdict()
    plain["pass"] = plain.pop("passed")
    # a number that is none has no place in JSON
    lost = isinstance(row.got, float) and not math.isfinite(row.got)
    return {
        **plain,
        "inputs": dict(row.inputs),
        "got": None if lost else row.got,
        "error": None if lost else row.error,
        "tolerance": str(row.tolerance),
    }


def counts(outcome: Outcome) -> dict[str, int]:
    """How many values there are, pass, fail, and count as reproduced."""
    return {
        "values": len(outcome.rows),
        "ids": len({row.id for row in outcome.rows}),
        "passed": len(outcome.rows) - len(outcome.failed),
        "failed": len(outcome.failed),
        "reproduced": len(outcome.reproduced),
    }


def verdict(outcome: Outcome) -> str:
    """One sentence."""
    n = counts(outcome)
    if n["failed"]:
        names = ", ".join(dict.fromkeys(row.id for row in outcome.failed))
        return f"{n['failed']} of {n['values']} values are outside their tolerance: {names}."
    rest = n["passed"] - n["reproduced"]
    more = f" {rest} more pass as brackets or regressions, which prove less." if rest else ""
    return f"{n['reproduced']} of {n['values']} values from {n['ids']} ids are reproduced.{more}"


def number(value: Any, digits: int = 0) -> str:
    """A value as a person reads it; `digits` that count, or as many as it has."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | str):
        return str(value)
    if isinstance(value, list | tuple):
        return " to ".join(number(part) for part in value)
    return f"{value:.{digits}g}" if digits else f"{value:.15g}"


def _digits(value: Any) -> int:
    """How many digits of a stated value count."""
    mantissa = f"{value:.15g}".partition("e")[0] if isinstance(value, float) else ""
    return len(mantissa.strip("-0.").replace(".", ""))


def cells(row: Row) -> tuple[str, ...]:
    """One row of the table."""
    error = "" if row.error is None else f"{row.error:.2g}"
    inputs = ", ".join(f"{name} {number(value, 12)}" for name, value in row.inputs.items())
    return (
        row.id,
        row.name,
        inputs,
        number(row.expected),
        number(row.got, max(5, _digits(row.expected) + 1)),
        error,
        str(row.tolerance),
        row.unit,
        row.evidence,
        "pass" if row.passed else "FAIL",
    )


def lines(rows: Sequence[Row]) -> str:
    """Every value on a line of its own, under its id."""
    out = []
    for (number_, what), same in groupby(rows, key=_case_of):
        members = list(same)
        out.append(f"{number_}  {what}  ({members[0].evidence}: {members[0].source})")
        for row in members:
            _, name, inputs, expected, got, error, tolerance, unit, _, passed = cells(row)
            value = name.rsplit(": ", 1)[1]
            line = f"  {value:<18} {expected:>16} {got:>18} {error:>9} of {tolerance:<10} {unit:<9} {passed}  {inputs}"
            out.append(line.rstrip())
    return "\n".join(out)


def _case_of(row: Row) -> tuple[str, str]:
    return row.id, row.name.rsplit(": ", 1)[0]


MEANING = (
    "Every value is recomputed by the models that simulations use, through the functions that users call, and compared "
    "with a value typed from its source. *Independent*: measured, published, or computed by another program. "
    "*Closed-form*: follows from a formula and stated inputs. These two count as reproduced. *Bracket*: only a press "
    "statement or inputs that nobody verified to hold it against. *Regression*: fitted, recorded from runs of models "
    "like ours, or one of our models against another. Brackets and regressions must pass, and prove less. Sidereal "
    "times are our rotation angle less ERFA's equation of the origins."
)


def markdown(outcome: Outcome) -> str:
    """The page of results."""
    parts = [
        "# The published record, reproduced",
        "Written by `noroshi validate --report`; do not edit.",
        verdict(outcome),
        MEANING,
        _markdown_table(("evidence", "values", "pass"), _by_evidence(outcome)),
    ]
    for group, rows in _grouped(outcome.rows):
        parts.append(f"## {group}")
        for (number_, what), same in groupby(rows, key=_case_of):
            parts.append(_case_markdown(number_, what, list(same)))
    for title, notes, last in _notes(outcome):
        parts.append(f"## {title}")
        head = ("id", "what", "value", last)
        parts.append(_markdown_table(head, [(n.id, n.item, n.value, n.settles) for n in notes]))
    return "\n\n".join(parts) + "\n"


def _case_markdown(number_: str, what: str, rows: Sequence[Row]) -> str:
    first = rows[0]
    head = ("value", "inputs", "expected", "got", "error", "tolerance", "unit", "")
    body = []
    for row in rows:
        _, name, inputs, expected, got, error, tolerance, unit, _, passed = cells(row)
        body.append((name.rsplit(": ", 1)[1], inputs, expected, got, error, tolerance, unit, passed))
    evidence = ", ".join(dict.fromkeys(row.evidence for row in rows))
    source = f"Source: {first.source}. Provenance: {first.provenance}. Evidence: {evidence}."
    return f"### {number_} {what}\n\n{source}\n\n{_markdown_table(head, body)}"


def _markdown_table(head: Sequence[str], body: Sequence[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in body]
    return "\n".join(lines)


def page(outcome: Outcome) -> str:
    """The same as one HTML file without scripts."""
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>noroshi validate</title>",
        "<style>body{font:14px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem}"
        "table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{border:1px solid #ccc;padding:.15rem .5rem;"
        "text-align:left}.fail{background:#fdd}p{max-width:50rem}</style>",
        "<h1>The published record, reproduced</h1>",
        f"<p><b>{html.escape(verdict(outcome))}</b></p><p>{html.escape(MEANING.replace('*', ''))}</p>",
        _html_table(("evidence", "values", "pass"), _by_evidence(outcome)),
    ]
    for group, rows in _grouped(outcome.rows):
        parts.append(f"<h2>{html.escape(group)}</h2>")
        body = [(*cells(row)[:-1], row.source, row.provenance, cells(row)[-1]) for row in rows]
        parts.append(_html_table((*HEAD[:-1], "source", "provenance", ""), body))
    for title, notes, last in _notes(outcome):
        parts.append(f"<h2>{html.escape(title)}</h2>")
        parts.append(_html_table(("id", "what", "value", last), [tuple(note) for note in notes]))
    return "\n".join(parts) + "\n"


def _html_table(head: Sequence[str], body: Sequence[Sequence[Any]]) -> str:
    rows = ["<tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>"]
    for row in body:
        mark = " class='fail'" if row[-1] == "FAIL" else ""
        rows.append(f"<tr{mark}>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>")
    return "<table>" + "".join(rows) + "</table>"


def _by_evidence(outcome: Outcome) -> list[tuple[str, int, int]]:
    found = []
    for evidence in (*REPRODUCED, BRACKET, REGRESSION):
        rows = [row for row in outcome.rows if row.evidence == evidence]
        found.append((evidence, len(rows), sum(row.passed for row in rows)))
    return found


def _grouped(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    by_group: Mapping[str, list[Row]] = {
        group: [row for row in rows if row.group == group] for group in GROUPS
    }
    return [(group, members) for group, members in by_group.items() if members]


def _notes(outcome: Outcome) -> tuple[tuple[str, Sequence[Note], str], ...]:
    return (
        ("Unverified: from memory, never counted", outcome.unverified, "what would settle it"),
        ("Context: trends and press statements, not counted", outcome.context, "why"),
        ("Not built yet", outcome.not_built, ""),
    )


assert set(EVIDENCE) == {*REPRODUCED, BRACKET, REGRESSION}

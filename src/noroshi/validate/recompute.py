"""Every value of the record from noroshi's own models: expected, got, and whether they agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from noroshi.errors import NoroshiError
from noroshi.validate.record import (
    GROUPS,
    REPRODUCED,
    Case,
    Note,
    Tolerance,
    cases,
    context,
    not_built,
    unverified,
)


class Row(NamedTuple):
    """One value: what the record states and what noroshi computes."""

    id: str
    group: str
    name: str
    inputs: Mapping[str, Any]
    expected: Any
    got: Any
    unit: str
    tolerance: Tolerance
    passed: bool
    source: str
    provenance: str
    evidence: str

    @property
    def error(self) -> float | None:
        """got - expected, where both are numbers."""
        numbers = [
            x for x in (self.expected, self.got) if isinstance(x, int | float) and not isinstance(x, bool)
        ]
        if len(numbers) == 2:
            return float(self.got) - float(self.expected)
        return None

    @property
    def share(self) -> float | None:
        """Error as a share of what is allowed; None where nothing but the value itself is allowed."""
        if self.error is None:
            return None
        room = allowed(self.expected, self.tolerance)
        return abs(self.error) / room if room else None


@dataclass(frozen=True)
class Outcome:
    """All rows, and what is listed without being tested."""

    rows: Sequence[Row]
    not_built: Sequence[Note]
    unverified: Sequence[Note]
    context: Sequence[Note]

    @property
    def failed(self) -> list[Row]:
        return [row for row in self.rows if not row.passed]

    @property
    def reproduced(self) -> list[Row]:
        """Rows that pass and whose evidence is worth something."""
        return [row for row in self.rows if row.passed and row.evidence in REPRODUCED]


def recompute(
    groups: Sequence[str] = GROUPS,
    progress: Callable[[str], None] | None = None,
    ids: Container[str] | None = None,
) -> Outcome:
    """Recompute the groups' values, or those of `ids` among them; `progress` is told each id before its turn."""
    rows: list[Row] = []
    for group in groups:
        module = import_module(f"noroshi.validate.{group}")
        for case in cases(group):
            if ids is not None and case.id not in ids:
                continue
            if progress is not None:
                progress(case.id)
            rows.extend(_rows(case, getattr(module, case.function)))
    return Outcome(rows, not_built(), unverified(), context())


def _rows(case: Case, compute: Callable[..., Mapping[str, Any]]) -> Iterator[Row]:
    for line in case.lines:
        try:
            found = compute(**line.inputs)
        except NoroshiError as error:  # a model that refuses what the record states has not reproduced it
            found = dict.fromkeys(line.expected, f"refused: {error.what}")
        for name, expected in line.expected.items():
            value = case.values[name]
            for label, want, got in _components(name, expected, found[name]):
                yield Row(
                    case.id,
                    case.group,
                    f"{case.name}: {label}",
                    line.inputs,
                    want,
                    got,
                    value.unit,
                    value.tolerance,
                    agrees(want, got, value.tolerance),
                    case.source,
                    case.provenance,
                    value.evidence,
                )


def _components(name: str, expected: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(expected, tuple):
        parts = [found] * len(expected) if isinstance(found, str) else found
        for k, (want, got) in enumerate(zip(expected, parts, strict=True)):
            yield f"{name}[{k}]", want, _plain(got)
    else:
        yield name, expected, _plain(found)


def _plain(value: Any) -> Any:
    """A Python number, text or None of whatever a model returned."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.item() if hasattr(value, "item") else float(value)


def agrees(expected: Any, got: Any, tolerance: Tolerance) -> bool:
    """Whether a value is near enough; what is not finite never is."""
    if expected is None or got is None or isinstance(expected, bool | str) or tolerance.kind == "exact":
        return type(expected) is type(got) and expected == got
    if isinstance(got, str) or not math.isfinite(got):
        return False
    match tolerance.kind:
        case "at_most":
            return got <= expected
        case "between":
            return tolerance.low <= got <= tolerance.high
    room = allowed(expected, tolerance)
    return room is not None and abs(got - expected) <= room


def allowed(expected: Any, tolerance: Tolerance) -> float | None:
    """The largest error allowed, where the tolerance is one of size."""
    match tolerance.kind:
        case "relative":
            return max(tolerance.size * abs(expected), tolerance.rounding)
        case "absolute":
            return max(tolerance.size, tolerance.rounding)
    return None

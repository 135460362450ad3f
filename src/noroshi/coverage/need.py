"""What a constellation has to do, from one line of text: folds, stereo and gaps, over an area, at a height."""

from __future__ import annotations

import re
from typing import NamedTuple

from noroshi.errors import ScenarioError

EXAMPLE = "2-fold >= 99 % over 20N-55N,120E-180E at 40 km"
FOLD_MAX = 20

_NUMBER = r"(\d+\.?\d*|\.\d+)"
_WHOLE = re.compile(
    rf"(?P<clauses>.+?)\s+over\s+(?P<area>.+)\s+at\s+{_NUMBER}\s*(?P<unit>km|m)", re.IGNORECASE
)
_FOLD = re.compile(rf"(\d+)\s*-?\s*fold\s*>=\s*{_NUMBER}\s*%", re.IGNORECASE)
_STEREO = re.compile(rf"stereo\s*>=\s*{_NUMBER}\s*%", re.IGNORECASE)
_GAP = re.compile(rf"gap\s*<=\s*{_NUMBER}\s*(s|min|h)", re.IGNORECASE)
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


class Clause(NamedTuple):
    """One condition: a share of area and time, or for gaps of the area, that is held at least."""

    kind: str  # "fold", "stereo" or "gap"
    least: float  # share, 0 to 1; of gaps 1: everywhere
    fold: int = 0  # lines of sight, of "fold"
    gap_s: float = 0.0  # longest without one, of "gap"

    @property
    def name(self) -> str:
        """Short, as in `achieved_all`."""
        if self.kind == "fold":
            return f"{self.fold}-fold"
        return f"gap <= {self.gap_s:g} s" if self.kind == "gap" else self.kind


class Need(NamedTuple):
    """All of the clauses, everywhere in one area, for targets at one height."""

    text: str
    clauses: tuple[Clause, ...]  # the first is what designs are ranked by
    area: str  # "global", a box ("20N-55N,120E-180E") or any grid of places ("polygon:FILE", "sites:FILE")
    height_m: float

    @property
    def folds(self) -> int:
        """The highest fold asked for, at least 1."""
        return max((c.fold for c in self.clauses), default=1) or 1

    @property
    def gap_s(self) -> float | None:
        return next((c.gap_s for c in self.clauses if c.kind == "gap"), None)

    @property
    def stereo(self) -> bool:
        return any(c.kind == "stereo" for c in self.clauses)


def parse_need(text: str) -> Need:
    """Read "2-fold >= 99 % and gap <= 300 s over AREA at 40 km". Raises ScenarioError with an example.

    Clauses: N-fold >= P %, stereo >= P %, gap <= T s (or min, h), joined by "and". The area is read by whoever makes
    its points.
    """
    plain = " ".join(text.replace("≥", ">=").replace("≤", "<=").replace("–", "-").split())
    match = _WHOLE.fullmatch(plain)
    if not match:
        missing = [w for w in ("over", "at") if not re.search(rf"\b{w}\b", plain, re.IGNORECASE)]
        what = (
            f"has no {' and no '.join(repr(w) for w in missing)}" if missing else "does not end in a height"
        )
        raise _bad(text, what)
    clauses = tuple(
        _clause(one, text) for one in re.split(r"\s+and\s+", match["clauses"], flags=re.IGNORECASE)
    )
    kinds = [(c.kind, c.fold) for c in clauses]
    if len(set(kinds)) < len(kinds):
        raise _bad(text, "asks for the same thing twice")
    height = float(match[3]) * (1e3 if match["unit"].lower() == "km" else 1.0)
    return Need(plain, clauses, match["area"].strip(), height)


def _clause(text: str, whole: str) -> Clause:
    if found := _FOLD.fullmatch(text):
        fold = int(found[1])
        if not 1 <= fold <= FOLD_MAX:
            raise _bad(whole, f"asks for {fold}-fold coverage", f"1-fold to {FOLD_MAX}-fold can be asked for")
        return Clause("fold", _share(found[2], whole), fold=fold)
    if found := _STEREO.fullmatch(text):
        return Clause("stereo", _share(found[1], whole))
    if found := _GAP.fullmatch(text):
        gap = float(found[1]) * _SECONDS[found[2].lower()]
        if gap <= 0.0:
            raise _bad(whole, "asks for no gap at all", "write 1-fold >= 100 % for coverage without gaps")
        return Clause("gap", 1.0, gap_s=gap)
    raise _bad(whole, f"{text[:40]!r} is no condition")


def _share(percent: str, whole: str) -> float:
    share = float(percent) / 100.0
    if not 0.0 < share <= 1.0:
        raise _bad(whole, f"asks for {percent} %", "a share is above 0 and at most 100 %")
    return share


def _bad(text: str, what: str, remedy: str = "") -> ScenarioError:
    usual = f'write it as in "{EXAMPLE}"; conditions are N-fold >= P %, stereo >= P % and gap <= T s, joined by "and"'
    return ScenarioError(what, where=f"need {text.strip()[:80]!r}", remedy=remedy or usual)


def parse_values(text: str, what: str) -> tuple[float, ...]:
    """Numbers from "1000", "600,800,1000" or "600:1400:100" (first, last, step). Raises ScenarioError."""
    values: list[float] = []
    try:
        for part in text.split(","):
            ends = [float(x) for x in part.split(":")]
            if len(ends) == 1:
                values += ends
                continue
            first, last, step = ends
            if not (step > 0.0 and last >= first and (last - first) / step < 1000.0):
                raise ValueError
            values += [first + k * step for k in range(int((last - first) / step + 1e-9) + 1)]
        if not all(abs(v) < float("inf") for v in values):
            raise ValueError
    except ValueError:
        raise ScenarioError(
            f"{text[:60]!r} is no list of numbers",
            where=what,
            remedy="write one (1000), several (600,800,1000), or first:last:step (600:1400:100)",
        ) from None
    return tuple(sorted(set(values)))

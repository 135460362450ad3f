"""Release rules: what one nation may let another have. Pure, and deny by default."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from noroshi.network.models import LEVELS, Level, ShareRule


class Release(NamedTuple):
    """A permitted release: how long its review takes."""

    delay_s: float


def decide(rules: Sequence[ShareRule], originators: Iterable[str], to: str, level: Level) -> Release | None:
    """Whether a datum may go to nation `to` at `level`, and after how long; None: it may not.

    For *each* originator (every nation whose detections contributed), `to` itself apart, some rule from that
    nation to `to` must name this level or a higher one. Reviews run side by side: the longest counts; of several
    rules that permit, the quickest. A datum without originators, and the level "none", are never released.
    """
    names = frozenset(originators)
    if not names or level == "none":
        return None
    delays = [0.0]
    for nation in names - {to}:
        permitted = [
            rule.delay_s
            for rule in rules
            if rule.source == nation and rule.to == to and LEVELS.index(rule.level) >= LEVELS.index(level)
        ]
        if not permitted:
            return None
        delays.append(min(permitted))
    return Release(max(delays))

"""Whether a target keeps one track and a track one target: fragments, breaks, switches, latency, purity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int

from noroshi.tables import Contributions, DetectionTruth


class Continuity(NamedTuple):
    """How whole the tracking of each target was."""

    fragments: Int[np.ndarray, "target"]  # different tracks that the target was given
    breaks: Int[np.ndarray, "target"]  # times it was left without a track and later had one again
    switches: Int[np.ndarray, "target"]  # times its track was another than the one before, gap or not


class Purity(NamedTuple):
    """Of each track: whose detections it is made of."""

    track: Int[np.ndarray, "track"]
    target: Int[np.ndarray, "track"]  # from which most of them came; -1: none came from a target
    share: Float64[np.ndarray, "track"]  # of its detections that came from that target
    detections: Int[np.ndarray, "track"]


def continuity(assigned: Int[np.ndarray, "time target"]) -> Continuity:
    """assigned: number of the track that one-to-one assignment gives each target, -1: none."""
    fragments, breaks, switches = [], [], []
    for column in assigned.T:
        held = np.flatnonzero(column >= 0)
        numbers = column[held]
        fragments.append(len(np.unique(numbers)))
        breaks.append(int(np.sum(np.diff(held) > 1)))
        switches.append(int(np.sum(np.diff(numbers) != 0)))
    return Continuity(*(np.array(part, int) for part in (fragments, breaks, switches)))


def latency(
    t: Float[np.ndarray, "time"],
    assigned: Int[np.ndarray, "time target"],
    t_from: Float[np.ndarray, "target"],
) -> Float64[np.ndarray, "target"]:
    """Time from t_from (birth, or first detection) to the first time with a track; nan: never."""
    held = assigned >= 0
    first = t[np.argmax(held, axis=0)] if len(t) else np.full(held.shape[1], np.nan)
    return np.where(held.any(0), first - t_from, np.nan)


def purity(track: Int[np.ndarray, "row"], target: Int[np.ndarray, "row"]) -> Purity:
    """A row is one detection (of that target, -1: false alarm) that went into that track. Of two equal, the lower."""
    names, at = np.unique(track, return_inverse=True)
    total = np.bincount(at, minlength=len(names))
    real = target >= 0
    pairs, count = np.unique(np.stack([at[real], target[real]]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], -count, pairs[0]))
    first = order[np.unique(pairs[0][order], return_index=True)[1]]
    best, most = np.full(len(names), -1), np.zeros(len(names), int)
    best[pairs[0][first]], most[pairs[0][first]] = pairs[1][first], count[first]
    return Purity(names, best, most / np.maximum(total, 1), total)


def purity_of_node(contributions: Contributions, truth: DetectionTruth, node: int) -> Purity:
    """Purity of every track of one node, from the tables of a run."""
    mine = contributions.node == node
    order = np.argsort(truth.detection)
    row = np.searchsorted(truth.detection, contributions.detection[mine], sorter=order)
    return purity(contributions.track[mine], truth.target[order][row])

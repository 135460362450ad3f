"""The single integrated air picture's measures: is everything tracked, once, in the right place, by one number?

SIAP System Engineering Task Force, "Single Integrated Air Picture (SIAP) Metrics Implementation", technical report
2001-001, 2001. A track belongs to the nearest living target within the radius; a target may have several.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

RADIUS_M = 2000.0  # of association, as HGT-24's published figures have it


class Siap(NamedTuple):
    """J objects, JT of them tracked, N tracks, NA of them associated, summed over all times. nan: of nothing."""

    completeness: float  # JT / J
    ambiguity: float  # NA / JT: tracks for each tracked object; 1 is right
    spuriousness: float  # (N - NA) / N
    position_accuracy_m: float  # mean error of associated tracks
    velocity_accuracy_m_s: float
    track_number_changes_per_s: (
        float  # fewest changes of number that explain the coverage, per tracked second
    )
    longest_segment: float  # longest time of one number on each object, over the time the objects live


def associate(
    time: Int[np.ndarray, "row"],
    r: Float[np.ndarray, "row 3"],
    r_true: Float[np.ndarray, "time target 3"],
    alive: Bool[np.ndarray, "time target"],
    radius_m: float = RADIUS_M,
) -> Int[np.ndarray, "row"]:
    """Target of each track row: the nearest that lives at that time within the radius (inclusive), else -1."""
    best, nearest = np.full(len(time), radius_m), np.full(len(time), -1)
    for target in range(alive.shape[1]):
        d = np.linalg.norm(r - r_true[time, target], axis=1)
        nearer = alive[time, target] & ((d < best) | ((d == best) & (nearest < 0)))
        best[nearer], nearest[nearer] = d[nearer], target
    return nearest


def siap(
    time: Int[np.ndarray, "row"],
    track: Int[np.ndarray, "row"],
    r: Float[np.ndarray, "row 3"],
    v: Float[np.ndarray, "row 3"],
    r_true: Float[np.ndarray, "time target 3"],
    v_true: Float[np.ndarray, "time target 3"],
    alive: Bool[np.ndarray, "time target"],
    step_s: float,
    radius_m: float = RADIUS_M,
) -> Siap:
    """The measures over evenly spaced times, step_s apart. A row is one track at one time (its index)."""
    target = associate(time, r, r_true, alive, radius_m)
    on = target >= 0
    pairs = np.unique(np.stack([target[on], time[on]]), axis=1)
    objects, tracked = int(alive.sum()), pairs.shape[1]
    changes = longest = 0
    for one in np.unique(pairs[0]):
        mine = target == one
        changes += _changes(time[mine], track[mine])
        longest += _longest(time[mine], track[mine])
    position = np.linalg.norm(r[on] - r_true[time[on], target[on]], axis=1)
    velocity = np.linalg.norm(v[on] - v_true[time[on], target[on]], axis=1)
    return Siap(
        completeness=_over(tracked, objects),
        ambiguity=_over(int(on.sum()), tracked),
        spuriousness=_over(int((~on).sum()), len(on)),
        position_accuracy_m=_over(float(position.sum()), len(position)),
        velocity_accuracy_m_s=_over(float(velocity.sum()), len(velocity)),
        track_number_changes_per_s=_over(changes, tracked * step_s),
        longest_segment=_over(longest, objects),
    )


def _over(a: float, b: float) -> float:
    return a / b if b else np.nan


def _stretches(
    time: Int[np.ndarray, "row"], track: Int[np.ndarray, "row"]
) -> tuple[Int[np.ndarray, "stretch"], Int[np.ndarray, "stretch"]]:
    """First and last time of every stretch of consecutive times with one number."""
    order = np.lexsort((time, track))
    t, k = time[order], track[order]
    new = np.flatnonzero((np.diff(t) != 1) | (np.diff(k) != 0)) + 1
    return t[np.concatenate([[0], new])], t[np.concatenate([new - 1, [len(t) - 1]])]


def _longest(time: Int[np.ndarray, "row"], track: Int[np.ndarray, "row"]) -> int:
    """Times in the longest stretch."""
    first, last = _stretches(time, track)
    return int((last - first).max()) + 1


def _changes(time: Int[np.ndarray, "row"], track: Int[np.ndarray, "row"]) -> int:
    """Fewest changes of number that cover every tracked time; times without any track do not count.

    Greedy: at each time that is not yet covered, the stretch that reaches furthest.
    """
    _, at = np.unique(time, return_inverse=True)
    first, last = _stretches(at, track)
    reach = np.zeros(int(at.max()) + 1, int)
    np.maximum.at(reach, first, last)
    reach = np.maximum.accumulate(reach)
    picks, t = 0, 0
    while t < len(reach):
        t = int(reach[t]) + 1
        picks += 1
    return picks - 1

"""Late scans: a bounded memory of states and scans, so that one that comes late is tracked as if it had not.

The result is that of the same scans in order of event time, bit for bit; what was put out before and no longer holds
is put out again. Nothing is approximated: a state from before the late scan is brought back, and what came after it is
taken again. (Updates with out-of-sequence measurements that do without, as of Y. Bar-Shalom, IEEE Trans. AES-38,
769-778, 2002, hold for one model and for associations that do not change.)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import NamedTuple

import numpy as np

from noroshi.tracking.columns import SENSOR, T
from noroshi.tracking.kernel import Output, output
from noroshi.tracking.live import LiveScan, replay
from noroshi.tracking.state import CLOSED, Settings, State, copied

# States are kept an eighth of the depth apart (or of the scans that fit): a late scan repeats at most that much beyond
# its own lateness, for 2 MB a state of 256 tracks.
SNAPSHOTS = 8


class Revision(NamedTuple):
    """What a scan put out. It takes the place of all that was put out before for times from `since` on."""

    since: float  # s; inf: nothing was put out, and all that was holds
    rows: Output


@dataclass
class Buffer:
    """A tracker that waits for late scans, made by `buffer`, changed in place by `take` and `flush`."""

    settings: Settings
    state: State  # after the first `done` scans
    depth_s: float
    most: int
    snapshots: list[State]  # in order of their clocks; `scans` are what came after the first
    keys: list[tuple[float, float]] = field(default_factory=list)  # (time, sensor) of `scans`, ascending
    scans: list[LiveScan] = field(default_factory=list)
    done: int = 0
    newest: float = -inf  # s, event time
    late: int = 0  # scans refused: older than the buffer reaches
    repeated: int = 0  # refused: the sensor has reported at that time
    absurd: int = 0  # refused: no time or no sensor
    crowded: int = 0  # refused: `most` scans of the newest time wait already
    replayed: int = 0  # scans taken once more because of a late one


def buffer(state: State, settings: Settings, depth_s: float, most: int = 4096) -> Buffer:
    """A tracker that goes on from `state` (copied) and takes scans up to `depth_s` seconds older than the newest.

    most: scans kept at one time; when more come within `depth_s`, the buffer reaches less far back. So the memory is
    bounded: `most` scans with their detections, and 2 SNAPSHOTS + 3 states. Raises ValueError for a depth that is
    below 0 or infinite, and for most < 1.
    """
    if not 0.0 <= depth_s < inf or most < 1:
        raise ValueError(f"depth_s = {depth_s} must be finite and at least 0, most = {most} at least 1")
    return Buffer(settings, copied(state), float(depth_s), int(most), [copied(state)])


def take(b: Buffer, scan: LiveScan) -> Revision:
    """Take a scan, in place; what it put out, in arrays of its own.

    Scans of the newest time wait for a later one (before that they put out nothing anyway), so that the scans of one
    time are taken in order of sensor, however they come. A scan that cannot be taken is counted and changes nothing;
    of two that a sensor gives at one time, the first to come is taken.
    """
    nothing = Revision(inf, output(0, 0))
    if not (isfinite(scan.row[T]) and isfinite(scan.row[SENSOR])):
        b.absurd += 1
        return nothing
    t = float(scan.row[T])
    key = (t, int(scan.row[SENSOR]))
    if t < b.newest - b.depth_s or not _open(b.snapshots[0], t):
        b.late += 1
        return nothing
    at = bisect_left(b.keys, key)
    if at < len(b.keys) and b.keys[at] == key:
        b.repeated += 1
        return nothing
    if t == b.newest and len(b.keys) - b.done >= b.most:
        b.crowded += 1
        return nothing
    b.keys.insert(at, key)
    b.scans.insert(at, LiveScan(scan.row.copy(), int(scan.bits), scan.dets.copy(), scan.idents.copy()))
    if t > b.newest:
        b.newest = t
        rows = _advance(b, at)
        since = float(rows.t[0]) if len(rows.t) else inf
    elif t == b.newest and at >= b.done and _open(b.state, t):
        _forget(b)
        return nothing
    else:
        until = b.done + 1
        if not _open(b.state, t):
            while not _open(b.snapshots[-1], t):
                b.snapshots.pop()
            b.state = copied(b.snapshots[-1])
            b.done = _taken(b, b.state)
            b.replayed += until - 1 - b.done
        rows = _since(_advance(b, until), t)
        since = t
    _forget(b)
    return Revision(since, rows)


def flush(b: Buffer) -> Revision:
    """Take what waits and close its time: the end of a recording. A scan that comes after all is late, as any other."""
    rows = _advance(b, len(b.keys))
    _forget(b)
    return Revision(float(rows.t[0]) if len(rows.t) else inf, rows)


def settled(revisions: Sequence[Revision]) -> Output:
    """What holds, in the end, of all that was put out."""
    kept = [output(0, 0)]
    for revision in revisions:
        if revision.since == inf:
            continue
        while kept:
            old = _until(kept.pop(), revision.since)
            if len(old.t):
                kept.append(old)
                break
        kept.append(revision.rows)
    return Output(*(np.concatenate(column) for column in zip(*kept, strict=True)))


def _open(state: State, t: float) -> bool:
    """Whether a scan of time t can be taken from this state on."""
    now = state.clock[0]
    return bool(now < t or (now == t and state.counters[CLOSED] == 0))


def _taken(b: Buffer, state: State) -> int:
    """How many of the scans kept went into this state."""
    now = float(state.clock[0])
    return bisect_left(b.keys, (now, -inf) if state.counters[CLOSED] == 0 else (now, inf))


def _advance(b: Buffer, until: int) -> Output:
    """Take the scans up to `until`, whole times only, and close each time; keep a state now and then."""
    parts = [output(0, 0)]
    while b.done < until:
        begin = b.snapshots[-1].clock[0]
        first = _taken(b, b.snapshots[-1])
        end = b.done
        while end < until:
            now = b.keys[end][0]
            end = bisect_left(b.keys, (now, inf))
            if now - begin >= b.depth_s / SNAPSHOTS or end - first >= b.most / SNAPSHOTS:
                break
        parts.append(replay(b.state, b.settings, b.scans[b.done : end], True))
        b.done = end
        if b.keys[end - 1][0] - begin >= b.depth_s / SNAPSHOTS or end - first >= b.most / SNAPSHOTS:
            b.snapshots.append(copied(b.state))
    return Output(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _forget(b: Buffer) -> None:
    """Drop what no scan that may still come can need, and the oldest where there are too many."""
    while len(b.snapshots) > 1 and b.snapshots[1].clock[0] < b.newest - b.depth_s:
        b.snapshots.pop(0)
    while len(b.snapshots) > 1 and len(b.keys) - _taken(b, b.snapshots[0]) > b.most:
        b.snapshots.pop(0)
    if len(b.keys) - _taken(b, b.snapshots[0]) > b.most:
        b.snapshots[0] = copied(b.state)
    old = _taken(b, b.snapshots[0])
    del b.keys[:old], b.scans[:old]
    b.done -= old


def _since(out: Output, t: float) -> Output:
    rows, uses = out.t >= t, out.used_t >= t
    return Output(out.values[rows], out.ints[rows], out.t[rows], out.used[uses], out.used_t[uses])


def _until(out: Output, t: float) -> Output:
    rows, uses = out.t < t, out.used_t < t
    return Output(out.values[rows], out.ints[rows], out.t[rows], out.used[uses], out.used_t[uses])

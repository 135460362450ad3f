"""The tracker's step: one scan in, tracks changed in place; at the end of each event time, the picture of it.

`step` takes one scan. The first scan of a later time closes the time before it (as `close` does on demand):
tracks are started from what was left over, confirmed, merged, deleted, and their rows put out.
"""

from __future__ import annotations

from math import exp, isinf

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tables import Status
from noroshi.tracking.associate import take_scan
from noroshi.tracking.columns import SENSOR, T
from noroshi.tracking.lean import lean
from noroshi.tracking.maintain import confirm, hush, merge, name_cues, over, survive
from noroshi.tracking.mixture import advance, collapse
from noroshi.tracking.parameters import MU, ROLE, SPIN
from noroshi.tracking.start import start_tracks
from noroshi.tracking.state import (
    APART,
    CLOSED,
    CUES,
    EXPECTED,
    HITS,
    LATE,
    LEFT,
    LIVE,
    ORIGINATORS,
    REPEATED,
    ROW_COV,
    ROW_EXISTENCE,
    ROW_MODES,
    ROWS,
    SEEN,
    SHARED,
    STATUS,
    TRACK,
    USED,
    USED_OUT,
    Settings,
    State,
)
from noroshi.tracking.transition import carry

_TENTATIVE = int(Status.TENTATIVE)
_DELETED = int(Status.DELETED)


@njit(cache=True, nogil=True, error_model="numpy")
def close(state, settings):
    """End the current time: start, confirm, merge and delete tracks; put out one row for each, in place.

    Returns whether there was a time to close. A deleted track has a last row that says so.
    """
    c = state.counters
    c[ROWS] = 0
    c[USED_OUT] = 0
    if c[CLOSED] == 1 or isinf(state.clock[0]):
        return False
    c[CLOSED] = 1
    if c[LEFT] > 0:
        start_tracks(state, settings)
    n = c[LIVE]
    x = np.empty((n, 9))
    p = np.empty((n, 9, 9))
    for i in range(n):
        k = state.slots[i]
        if settings.sense:
            hush(state.weight[k], state.quiet[k], settings.motion, state.clock[0])
        collapse(state.mean[k], state.cov[k], state.weight[k], settings.motion, x[i], p[i], state.work)
        info = state.info[k]
        score = state.score[k]
        sigma2 = p[i, 0, 0] + p[i, 1, 1] + p[i, 2, 2]
        confirm(info, score, settings.confirm_hits, settings.confirm_of, settings.confirm_score, sigma2)
        missed_max = settings.delete_missed_tentative if info[STATUS] == _TENTATIVE else settings.delete_missed
        if over(
            info, score, missed_max, settings.delete_score, settings.delete_sigma, settings.speed_max,
            settings.motion[0, MU], settings.motion[0, SPIN], x[i], p[i],
        ):  # fmt: skip
            info[STATUS] = _DELETED
    if n > 1:
        merge(state, settings, n, x, p)
    if c[CUES] > 0:
        name_cues(state, settings, n, x, p)
    live = np.int64(0)
    for i in range(n):
        k = state.slots[i]
        info = state.info[k]
        row = state.row[i]
        q = ROW_COV
        for a in range(9):
            row[a] = x[i, a]
            for b in range(a, 9):
                row[q] = p[i, a, b]
                q += 1
        for m in range(3):
            row[ROW_MODES + m] = 0.0
        for m in range(len(settings.motion)):
            row[ROW_MODES + int(settings.motion[m, ROLE])] += state.weight[k, m]
        row[ROW_EXISTENCE] = 1.0 / (1.0 + exp(-state.score[k]))
        state.row_int[i, 0] = info[TRACK]
        state.row_int[i, 1] = info[STATUS]
        state.row_int[i, 2] = info[HITS]
        state.row_int[i, 3] = info[ORIGINATORS]
        info[HITS] = 0
        info[EXPECTED] = 0
        info[SHARED] = 0
        info[APART] = 0
        if info[STATUS] == _DELETED:
            info[TRACK] = -1
        else:
            state.slots[live] = k
            live += 1
    c[LIVE] = live
    state.clock[1] = state.clock[0]
    c[ROWS] = n
    for i in range(c[USED]):
        state.used_out[i, 0] = state.used[i, 0]
        state.used_out[i, 1] = state.used[i, 1]
    c[USED_OUT] = c[USED]
    c[USED] = 0
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def lean_state(state):
    """The state's arrays without owners (see `lean`)."""
    return State(
        lean(state.clock),
        lean(state.counters),
        lean(state.slots),
        lean(state.mean),
        lean(state.cov),
        lean(state.weight),
        lean(state.cross),
        lean(state.score),
        lean(state.quiet),
        lean(state.info),
        lean(state.seen),
        lean(state.left),
        lean(state.left_int),
        lean(state.used),
        lean(state.cue_mean),
        lean(state.cue_cov),
        lean(state.cue_track),
        lean(state.cue_time),
        lean(state.looks),
        lean(state.work),
        lean(state.row),
        lean(state.row_int),
        lean(state.used_out),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def lean_settings(s):
    """The settings' arrays without owners (see `lean`)."""
    return Settings(
        lean(s.motion),
        lean(s.bias),
        s.sense,
        s.gate,
        s.ambiguity,
        s.resolution,
        s.window,
        s.miss,
        s.height_min,
        s.height_max,
        s.speed_max,
        s.crossing_cos,
        s.single,
        s.spawn_distance,
        s.spawn_sigma,
        s.confirm_hits,
        s.confirm_of,
        s.confirm_score,
        s.delete_missed,
        s.delete_missed_tentative,
        s.delete_score,
        s.delete_sigma,
        s.survive,
        s.merge_times,
        s.cue_resolve,
        s.time_sigma,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def step(state, settings, scan, bits, dets, idents):
    """Take one scan, in place.

    scan: a row of `pack_scans`; bits: 1 << nation of the sensor's owner; dets: its rows of `pack_detections`;
    idents: their numbers. Returns whether an earlier time was closed by it (its rows then lie in the state). A scan
    older than the clock, or a second one of a sensor at one time, is refused and counted.
    """
    c = state.counters
    t = scan[T]
    now = state.clock[0]
    if not t >= now or (t == now and c[CLOSED] == 1):
        c[LATE] += 1
        return False
    closed = False
    if t > now:
        closed = close(state, settings)
        if not isinf(now):
            move(state, settings, t - now)
        state.clock[0] = t
        c[CLOSED] = 0
        c[SEEN] = 0
    else:
        for i in range(c[SEEN]):
            if state.seen[i] == int(scan[SENSOR]):
                c[REPEATED] += 1
                return False
    if c[SEEN] < len(state.seen):
        state.seen[c[SEEN]] = int(scan[SENSOR])
        c[SEEN] += 1
    take_scan(state, settings, scan, bits, dets, idents)
    return closed


@njit(cache=True, nogil=True, error_model="numpy")
def move(state, settings, t):
    """Predict everything by t > 0 seconds."""
    c = state.counters
    slots = state.slots[: c[LIVE]]
    advance(
        state.mean, state.cov, state.weight, state.cross, slots, settings.motion, settings.sense, t, state.work
    )
    kept = exp(-t / settings.survive)
    for i in range(len(slots)):
        state.score[slots[i]] = survive(state.score[slots[i]], kept)
    for q in range(c[CUES]):
        carry(state.cue_mean[q], state.cue_cov[q], t, settings.motion[0], state.work)

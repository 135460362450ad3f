"""The tracker's step: scans in, tracks changed in place; at the end of each event time, the picture of it.

The first scan of a later time closes the time before it: tracks are started from what was left over, confirmed,
merged, deleted, and their rows put out.
"""

from __future__ import annotations

from math import exp, isinf, log
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tables import Status
from noroshi.tracking.associate import is_young, take_scan, whole
from noroshi.tracking.columns import SENSOR, T
from noroshi.tracking.lean import lean, lean_settings, lean_state
from noroshi.tracking.maintain import confirm, hush, merge, name_cues, over, survive
from noroshi.tracking.mixture import advance, collapse
from noroshi.tracking.parameters import MU, ROLE, SPIN
from noroshi.tracking.start import start_tracks
from noroshi.tracking.state import (
    ABSURD,
    APART,
    CLOSED,
    CUES,
    EXISTENCE_MAX,
    EXPECTED,
    HITS,
    LATE,
    LEFT,
    LIVE,
    MISSED,
    ORIGINATORS,
    RECORD,
    REPEATED,
    ROW_COV,
    ROW_EXISTENCE,
    ROW_MODES,
    ROW_WIDTH,
    SEEN,
    SHARED,
    STATUS,
    TRACK,
    USED,
)
from noroshi.tracking.transition import carry

_TENTATIVE = int(Status.TENTATIVE)
_DELETED = int(Status.DELETED)

GAP_MAX_S = 3_600.0  # notional: after an hour without a scan no track means anything; all are given up
YOUNG_MISS = log(0.19)  # that not both of two sensors with P_D 0.9 see the target


class Output(NamedTuple):
    """Where finished rows go: one for each track at each closed time, and the detections that went into it."""

    values: Float64[np.ndarray, "row 58"]  # mean 9, covariance 45, modes 3, existence
    ints: Int64[np.ndarray, "row 4"]  # track, status, hits, originators
    t: Float64[np.ndarray, "row"]
    used: Int64[np.ndarray, "use 2"]  # track, detection
    used_t: Float64[np.ndarray, "use"]


def output(rows: int, uses: int) -> Output:
    """Empty room for so many rows and contributions."""
    return Output(
        np.empty((rows, ROW_WIDTH)),
        np.empty((rows, 4), np.int64),
        np.empty(rows),
        np.empty((uses, 2), np.int64),
        np.empty(uses),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _close(state, settings, out, rows, uses):
    """End the current time: start, confirm, merge and delete tracks; put out one row for each, from row `rows` on.

    A deleted track has a last row that says so.
    """
    state = lean_state(state)
    settings = lean_settings(settings)
    c = state.counters
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
        if (
            info[HITS] == 0
            and state.clock[0] - state.quiet[k, 1] > settings.window
            and is_young(info, state.cov[k, 0], settings.speed_max)
        ):  # what only points can feed, and none did
            info[EXPECTED] = 1
            info[MISSED] += 1
            state.score[k] += YOUNG_MISS
            state.quiet[k, 1] = state.clock[0]
        score = state.score[k]
        sigma2 = p[i, 0, 0] + p[i, 1, 1] + p[i, 2, 2]
        confirm(info, score, settings.confirm_hits, settings.confirm_of, settings.confirm_score, sigma2)
        missed_max = (
            settings.delete_missed_tentative if info[STATUS] == _TENTATIVE else settings.delete_missed
        )
        if state.quiet[k, RECORD] < settings.delete_record or over(
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
        row = out.values[rows + i]
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
        ints = out.ints[rows + i]
        ints[0] = info[TRACK]
        ints[1] = info[STATUS]
        ints[2] = info[HITS]
        ints[3] = info[ORIGINATORS]
        out.t[rows + i] = state.clock[0]
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
    for i in range(c[USED]):
        out.used[uses + i, 0] = state.used[i, 0]
        out.used[uses + i, 1] = state.used[i, 1]
        out.used_t[uses + i] = state.clock[0]
    uses = c[USED]
    c[USED] = 0
    return n, uses


@njit(cache=True, nogil=True, error_model="numpy")
def _move(state, settings, t):
    """Predict everything by t > 0 seconds."""
    state = lean_state(state)
    settings = lean_settings(settings)
    c = state.counters
    slots = state.slots[: c[LIVE]]
    if t > GAP_MAX_S:
        for i in range(len(slots)):
            state.info[slots[i], STATUS] = _DELETED  # its row at the end of this time says so
        c[CUES] = 0
        c[LEFT] = 0
        return
    advance(
        state.mean,
        state.cov,
        state.weight,
        state.cross,
        slots,
        settings.motion,
        settings.sense,
        t,
        state.work,
    )
    kept = exp(-t / settings.survive)
    surest = survive(EXISTENCE_MAX, kept)  # of nearly all
    for i in range(len(slots)):
        score = state.score[slots[i]]
        state.score[slots[i]] = surest if score == EXISTENCE_MAX else survive(score, kept)
    for q in range(c[CUES]):
        carry(state.cue_mean[q], state.cue_cov[q], t, settings.motion[0], state.work)


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    state, settings, first, order, scans, slices, bits, dets, idents, finish, out
) -> tuple[Any, Any, Any]:
    """Take the scans order[first:] in turn, in place: (next, rows, contributions) when done or `out` is nearly full.

    scans: rows of `pack_scans`; slices [scan, 2]: first and past-the-last of each one's rows in `dets` (of
    `pack_detections`) and `idents` (their numbers); bits [scan]: 1 << nation of the sensor's owner. A scan of a later
    time closes the time before it; `finish` closes the last one too. next > len(order): nothing is left to do. A scan
    older than the clock, a second one of a sensor at one time, or one that is no scan (associate.whole) is refused and
    counted. One call for a whole recording, or one for each scan as it comes: the same code, the same bits.
    """
    state = lean_state(state)
    settings = lean_settings(settings)
    scans = lean(scans)
    dets = lean(dets)
    idents = lean(idents)
    c = state.counters
    rows = np.int64(0)  # not plain 0: what is called with a literal is compiled once more for it
    uses = np.int64(0)
    n = first
    while n <= len(order):
        last = n == len(order)
        now = state.clock[0]
        s = np.int64(0) if last else order[n]
        t = np.inf if last else scans[s, T]
        if not last and not whole(scans[s]):
            c[ABSURD] += 1
            n += 1
            continue
        if not t >= now or (t == now and c[CLOSED] == 1):
            c[LATE] += 1
            n += 1
            continue
        if (t > now and c[CLOSED] == 0 and not isinf(now)) and (finish or not last):
            if rows + len(state.info) > len(out.t) or uses + len(state.used) > len(out.used_t):
                break
            added, contributed = _close(state, settings, out, rows, uses)
            rows += added
            uses += contributed
        n += 1
        if last:
            break
        if t > now:
            if not isinf(now):
                _move(state, settings, t - now)
            state.clock[0] = t
            c[CLOSED] = 0
            c[SEEN] = 0
        sensor = int(scans[s, SENSOR])
        repeated = False
        for i in range(c[SEEN]):
            if state.seen[i] == sensor:
                repeated = True
                break
        if repeated:
            c[REPEATED] += 1
            continue
        if c[SEEN] < len(state.seen):
            state.seen[c[SEEN]] = sensor
            c[SEEN] += 1
        a = slices[s, 0]
        b = slices[s, 1]
        take_scan(state, settings, scans[s], bits[s], dets[a:b], idents[a:b])
    return n, rows, uses

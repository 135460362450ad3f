"""The life of tracks at the end of a time: confirmed, given up, merged with their doubles, named after their cues."""

from __future__ import annotations

from math import exp, isinf, log, sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tables import Status
from noroshi.tracking.assign import linear_sum_assignment
from noroshi.tracking.gating import order_by
from noroshi.tracking.mixture import BALLISTIC, normalise
from noroshi.tracking.parameters import ROLE
from noroshi.tracking.state import (
    APART,
    CUES,
    EXPECTED,
    HISTORY,
    HITS,
    LINE,
    MERGED,
    MISSED,
    NEXT_TRACK,
    ORIGINATORS,
    SHARED,
    STATUS,
    TRACK,
    TWIN,
    TWIN_TIMES,
)
from noroshi.tracking.visible import height

_TENTATIVE = int(Status.TENTATIVE)
_CONFIRMED = int(Status.CONFIRMED)
_DELETED = int(Status.DELETED)

BELOW_GROUND_M = -10_000.0  # a track predicted this deep has come down
QUIET_S = 10.0  # notional, as the next: how long and how strongly silence speaks for burn-out
QUIET_MIN = 0.3
TWIN_DISTANCE = 16.0  # squared distance over position and velocity; chi-square 6 dof: 0.986
LINE_SIGMA_M = 30e3  # notional: a line track wider than this stays tentative, whatever its hits
CUE_DISTANCE = 60.0  # squared distance, 9 dof, from a cue to a track that may bear its name: 1e-9 lie beyond


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def survive(score, kept):
    """Log-odds that there is still a target, `kept` the chance that it goes on being one."""
    if score < -30.0:
        return score
    r = kept / (1.0 + exp(-score))
    return log(r / (1.0 - r)) if r < 1.0 else score


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def confirm(info, score, hits, of, score_min, sigma2):
    """Confirm a track by M-of-N hits and by existence; its history moves on. info: its row."""
    window = (1 << of) - 1
    if info[HITS] > 0 or info[EXPECTED]:
        info[HISTORY] = ((info[HISTORY] << 1) | (1 if info[HITS] > 0 else 0)) & window
    if info[STATUS] != _TENTATIVE:
        return
    bits = info[HISTORY]
    total = 0
    while bits > 0:
        total += bits & 1
        bits >>= 1
    if total < hits or score < score_min:
        return
    if info[LINE] and sigma2 > LINE_SIGMA_M**2:
        return
    info[STATUS] = _CONFIRMED


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def over(info, score, missed_max, score_min, sigma_max, speed_max, mu, spin, x, p):
    """Whether a track with mean x [9] and covariance p is to be given up. info: its row."""
    tentative = info[STATUS] == _TENTATIVE
    sigma2 = p[0, 0] + p[1, 1] + p[2, 2]
    for a in range(9):
        if not np.isfinite(x[a]) or not p[a, a] >= 0.0:
            return True
    if not np.isfinite(sigma2):
        return True
    if info[MISSED] >= missed_max or score < score_min:
        return True
    # a young track is wide by nature: blame it only where it was looked for in vain
    if sigma2 > sigma_max**2 and (not tentative or (info[EXPECTED] and info[HITS] == 0)):
        return True
    if mu > 0.0 and height(x[0], x[1], x[2]) < BELOW_GROUND_M:
        return True
    if tentative:
        u0 = x[3] + spin * x[1]
        u1 = x[4] - spin * x[0]
        speed = sqrt(u0 * u0 + u1 * u1 + x[5] * x[5])
        if speed - 3.0 * sqrt(p[3, 3] + p[4, 4] + p[5, 5]) > speed_max:
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def apart(xa, pa, xb, pb, width, limit):
    """Squared distance of two states over their first `width` components, as if independent; inf beyond `limit`."""
    low = np.zeros((9, 9))
    w = np.empty(9)
    d2 = 0.0
    for a in range(width):
        for b in range(a + 1):
            s = pa[a, b] + pb[a, b]
            for q in range(b):
                s -= low[a, q] * low[b, q]
            if a == b:
                if not s > 0.0:
                    return np.inf
                low[a, a] = sqrt(s)
            else:
                low[a, b] = s / low[b, b]
        w[a] = xa[a] - xb[a]
        for q in range(a):
            w[a] -= low[a, q] * w[q]
        w[a] /= low[a, a]
        d2 += w[a] * w[a]
        if d2 > limit:
            return np.inf
    return d2


@njit(cache=True, nogil=True, error_model="numpy")
def _absorb_double(state, one, two, x, p, i, j):
    """Keep the track in slot one (row i), with the surer of the two states; give up that in slot two (row j)."""
    if p[j, 0, 0] + p[j, 1, 1] + p[j, 2, 2] < p[i, 0, 0] + p[i, 1, 1] + p[i, 2, 2]:
        state.weight[one] = state.weight[two]
        state.mean[one] = state.mean[two]
        state.cov[one] = state.cov[two]
        state.cross[one] = state.cross[two]
        x[i] = x[j]
        p[i] = p[j]
    state.score[one] = max(state.score[one], state.score[two])
    state.info[one, MISSED] = min(state.info[one, MISSED], state.info[two, MISSED])
    state.info[one, ORIGINATORS] |= state.info[two, ORIGINATORS]
    state.info[two, STATUS] = _DELETED


@njit(cache=True, nogil=True, error_model="numpy")
def merge(state, settings, n, x, p):
    """Tracks alike for `merge_times` times running, fed by the same detections and never apart, are one.

    The elder number stays (a confirmed one before a tentative one), with the surer of the two states; the other gets
    DELETED. Only pairs near each other along x are compared.
    """
    order = np.arange(n)
    order_by(order, x[:n, 0].copy())
    widest = 0.0
    reach = np.empty(n)
    for i in range(n):
        reach[i] = 4.0 * sqrt(p[i, 0, 0])  # the root of TWIN_DISTANCE
        widest = max(widest, reach[i])
    partner = np.full(n, -1)
    nearest = np.full(n, np.inf)
    for a in range(n):
        i = order[a]
        for b in range(a + 1, n):
            j = order[b]
            dx = x[j, 0] - x[i, 0]
            if dx > reach[i] + widest:
                break
            dy = x[j, 1] - x[i, 1]
            dz = x[j, 2] - x[i, 2]
            if dx * dx > TWIN_DISTANCE * (p[i, 0, 0] + p[j, 0, 0]):
                continue
            if dy * dy > TWIN_DISTANCE * (p[i, 1, 1] + p[j, 1, 1]):
                continue
            if dz * dz > TWIN_DISTANCE * (p[i, 2, 2] + p[j, 2, 2]):
                continue
            d2 = apart(x[i], p[i], x[j], p[j], np.int64(6), TWIN_DISTANCE)
            if isinf(d2):
                continue
            young, elder = i, j
            ki, kj = state.slots[i], state.slots[j]
            sure_i = state.info[ki, STATUS] == _CONFIRMED
            sure_j = state.info[kj, STATUS] == _CONFIRMED
            if sure_i != sure_j:
                if sure_i:
                    young, elder = j, i
            elif state.info[ki, TRACK] < state.info[kj, TRACK]:
                young, elder = j, i
            twin = state.info[state.slots[young], TWIN]  # whom it was like before stays its partner
            settled = partner[young] >= 0 and twin == state.slots[partner[young]]
            if not settled and (d2 < nearest[young] or twin == state.slots[elder]):
                nearest[young] = d2
                partner[young] = elder
    for i in range(n):
        k = state.slots[i]
        info = state.info[k]
        if partner[i] < 0:
            info[TWIN] = -1
            continue
        other = state.slots[partner[i]]
        if info[TWIN] != other:
            info[TWIN] = other
            info[TWIN_TIMES] = 0
            continue
        if info[APART] == 1:
            info[TWIN_TIMES] = 0
        elif info[SHARED] == 1:
            info[TWIN_TIMES] += 1
        if info[TWIN_TIMES] < settings.merge_times:
            continue
        if info[STATUS] == _DELETED or state.info[other, STATUS] == _DELETED:
            continue
        _absorb_double(state, other, k, x, p, partner[i], i)
        state.counters[MERGED] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def name_cues(state, settings, n, x, p):
    """Settle the names of cues that are due: each goes to the track that its state, carried along, fits best.

    A cue that could be any of several targets is not believed at once: its track follows what it can, and only when
    the tracks have velocities of their own are cues and tracks matched, one to one, by their squared distance over
    all nine numbers. The tracks exchange numbers; a cue that fits none keeps the track it has.
    """
    c = state.counters
    due = 0
    for q in range(c[CUES]):
        if state.cue_time[q] <= state.clock[0]:
            due += 1
    if due == 0:
        return
    rows = c[CUES]
    cost = np.full((rows, n + rows), CUE_DISTANCE)
    for q in range(rows):
        for i in range(n):
            status = state.info[state.slots[i], STATUS]
            cost[q, i] = 1e6
            if status == _CONFIRMED:
                d2 = apart(state.cue_mean[q], state.cue_cov[q], x[i], p[i], np.int64(9), CUE_DISTANCE)
                if not isinf(d2):
                    cost[q, i] = d2
    winner = linear_sum_assignment(cost)
    bearer = np.full(rows, -1)  # row of the track that bears the name now
    for q in range(rows):
        for i in range(n):
            if state.info[state.slots[i], TRACK] == state.cue_track[q]:
                bearer[q] = i
    taken = np.zeros(n, np.bool_)
    for q in range(rows):
        if winner[q] < n:
            taken[winner[q]] = True
    for q in range(rows):  # first take the names away, then give them
        if winner[q] < n and bearer[q] >= 0 and winner[q] != bearer[q]:
            state.info[state.slots[bearer[q]], TRACK] = c[NEXT_TRACK]
            c[NEXT_TRACK] += 1
    for q in range(rows):
        if winner[q] < n and winner[q] != bearer[q]:
            k = state.slots[winner[q]]
            state.info[k, TRACK] = state.cue_track[q]
    c[CUES] = 0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def hush(weight, quiet, motion, now):
    """When every infrared sensor that should have seen the target loses it at once, it has probably burnt out.

    The weights of the hot models are multiplied by the chance of that many misses, at least 0.3 a time and only in the
    first seconds of silence: a cloud or a faint target looks the same, and motion must have its say.
    """
    lost = quiet[0]
    quiet[0] = 0.0
    since = now - quiet[1]
    if lost == 0.0 or since <= 0.0 or since > QUIET_S:
        return
    factor = max(exp(lost), QUIET_MIN)
    cold = False
    for m in range(len(motion)):
        if int(motion[m, ROLE]) == BALLISTIC:
            cold = True
    if not cold:
        return
    for m in range(len(motion)):
        if int(motion[m, ROLE]) != BALLISTIC:
            weight[m] *= factor
    normalise(weight)

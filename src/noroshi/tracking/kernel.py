"""The tracker's step: one scan in, tracks changed in place; at the end of each event time, the picture of it.

`step` takes one scan. The first scan of a later time closes the time before it (as `close` does on demand):
tracks are started from what was left over, confirmed, merged, deleted, and their rows put out.
"""

from __future__ import annotations

from math import cos, exp, isinf, log, sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.constants import EARTH_RATE_RAD_S
from noroshi.tables import Kind, Status
from noroshi.tracking.assign import assign_edges
from noroshi.tracking.columns import (
    AZ,
    CLUTTER,
    DETECTION_WIDTH,
    EL,
    KIND,
    P_DETECT,
    RANGE,
    RANGE_MAX,
    SCAN_WIDTH,
    SENSOR,
    SIGMA_AZ,
    SIGMA_EL,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    R,
    T,
)
from noroshi.tracking.initiate import add_ray, closest, invert3
from noroshi.tracking.measurement import direction, gate, sight, update
from noroshi.tracking.mixture import BALLISTIC, BOOST, MANOEUVRING, MODELS, advance, collapse, hit, normalise
from noroshi.tracking.motion import SIGMA, is_ballistic
from noroshi.tracking.state import (
    CLOSED,
    EXPECTED,
    HISTORY,
    HITS,
    LATE,
    LEFT,
    LEFT_DET,
    LEFT_WIDTH,
    LEFT_Z,
    LIVE,
    MISSED,
    NEXT_TRACK,
    ORIGINATORS,
    OVERFLOW_LEFT,
    OVERFLOW_TRACKS,
    OVERFLOW_USED,
    REPEATED,
    ROW_COV,
    ROWS,
    SEEN,
    SENSORS,
    STATUS,
    TRACK,
    USED,
    USED_OUT,
)
from noroshi.tracking.visible import height, in_view, occlusion_margin

_INFRARED = int(Kind.INFRARED)
_TENTATIVE = int(Status.TENTATIVE)
_CONFIRMED = int(Status.CONFIRMED)
_DELETED = int(Status.DELETED)

CLUTTER_MIN = 1e-30  # a scan said to be free of false alarms still gets a finite gain
BELOW_GROUND_M = -10_000.0  # a track predicted this deep has come down
QUIET_S = 10.0  # notional, as the next: how long and how strongly silence speaks for burn-out
QUIET_MIN = 0.3
TWIN_DISTANCE = 16.0  # squared distance over position and velocity; chi-square 6 dof: 0.986
TWIN_TIMES = 3


@njit(cache=True, nogil=True, error_model="numpy")
def _use(state, track, detection):
    c = state.counters
    if c[USED] == len(state.used):
        c[OVERFLOW_USED] += 1
        return
    state.used[c[USED], 0] = track
    state.used[c[USED], 1] = detection
    c[USED] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _keep(state, scan, bits, det, ident):
    """Keep an unassociated detection for initiation."""
    c = state.counters
    n = c[LEFT]
    if n == len(state.left):
        c[OVERFLOW_LEFT] += 1
        return
    row = state.left[n]
    for i in range(SCAN_WIDTH):
        row[i] = scan[i]
    for i in range(DETECTION_WIDTH):
        row[LEFT_DET + i] = det[i]
    direction(scan, det[AZ], det[EL], row[LEFT_Z:])
    state.left_int[n, 0] = ident
    state.left_int[n, 1] = bits
    c[LEFT] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _take(state, k, scan, bits, det, ident):
    """Give a detection to the track in slot k."""
    hit(state.mean[k], state.cov[k], state.weight[k], scan, det)
    state.info[k, HITS] += 1
    state.info[k, MISSED] = 0
    state.info[k, ORIGINATORS] |= bits
    if scan[KIND] == _INFRARED:
        state.quiet[k, 1] = scan[T]
    _use(state, state.info[k, TRACK], ident)


@njit(cache=True, nogil=True, error_model="numpy")
def _associate(state, settings, scan, bits, dets, idents):
    """One scan: gate, assign, update; count misses where the target should have been seen; keep the rest."""
    n = np.int64(0)  # a plain 0 would be compiled for apart
    slots = np.empty(len(state.info), np.int64)
    for k in range(len(state.info)):
        if state.info[k, LIVE]:
            slots[n] = k
            n += 1
    m = len(idents)
    if n == 0 and m == 0:
        return
    position = np.empty((n, 3))
    cov = np.empty((n, 3, 3))
    for i in range(n):
        k = slots[i]
        collapse(state.mean[k], state.cov[k], state.weight[k], position[i], cov[i])
    p = min(max(scan[P_DETECT], 1e-3), 1.0 - 1e-3)
    miss = log(1.0 - p)
    chosen = np.full(n, -1)
    gains = np.zeros((n, m))
    if n > 0 and m > 0:
        work = np.empty((8, 3))
        edge_row = np.empty(n * m, np.int64)
        edge_column = np.empty(n * m, np.int64)
        edge_gain = np.empty(n * m)
        edges = 0
        base = log(p) - miss - log(max(scan[CLUTTER], CLUTTER_MIN))
        for i in range(n):
            for j in range(m):
                d2, value = gate(position[i], cov[i], scan, dets[j], work)
                if d2 < settings.gate:
                    edge_row[edges] = i
                    edge_column[edges] = j
                    edge_gain[edges] = base + value
                    gains[i, j] = base + value
                    edges += 1
        chosen = assign_edges(n, m, edge_row[:edges], edge_column[:edges], edge_gain[:edges])
    free = np.ones(m, np.bool_)
    for i in range(n):
        k = slots[i]
        j = chosen[i]
        if j >= 0:
            free[j] = False
            state.info[k, EXPECTED] = 1
            state.score[k] += gains[i, j] + miss
            _take(state, k, scan, bits, dets[j], idents[j])
            for other in range(i):  # one sensor, one scan, two dots: two targets
                if chosen[other] >= 0:
                    state.twin[slots[other], k] = 0
        elif in_view(position[i], scan):
            state.info[k, EXPECTED] = 1
            state.score[k] += miss
            infrared = scan[KIND] == _INFRARED
            if infrared:
                state.quiet[k, 0] += miss
            # a known target that coasts is cold: that infrared does not see it says nothing against the track
            cold = infrared and state.info[k, STATUS] == _CONFIRMED and state.weight[k, BALLISTIC] > 0.5
            if not cold:
                state.info[k, MISSED] += 1
    for j in range(m):
        if free[j]:
            _keep(state, scan, bits, dets[j], idents[j])


@njit(cache=True, nogil=True, error_model="numpy")
def _sigma(det, distance):
    """Cross-range standard deviation (root mean square of the two axes) at a distance, m."""
    a = det[SIGMA_AZ] * cos(det[EL])
    return distance * sqrt(0.5 * (a * a + det[SIGMA_EL] * det[SIGMA_EL]))


@njit(cache=True, nogil=True, error_model="numpy")
def _pair(state, settings, i, j, out):
    """Miss in sigmas of two leftover lines of sight, inf where they cannot be one target.

    out [5]: meeting point (midway), distances along the rays.
    """
    si = state.left[i]
    sj = state.left[j]
    if si[SENSOR] == sj[SENSOR]:
        return np.inf
    zi = state.left[i, LEFT_Z:]
    zj = state.left[j, LEFT_Z:]
    ti, tj, miss, c = closest(si[R : R + 3], zi, sj[R : R + 3], zj)
    if ti <= 0.0 or tj <= 0.0 or abs(c) > settings.crossing_cos:
        return np.inf
    if ti > si[RANGE_MAX] or tj > sj[RANGE_MAX]:
        return np.inf
    moved = 0.5 * settings.speed_max * abs(si[T] - sj[T])
    a = _sigma(state.left[i, LEFT_DET:LEFT_Z], ti)
    b = _sigma(state.left[j, LEFT_DET:LEFT_Z], tj)
    ratio = miss / sqrt(a * a + b * b + moved * moved)
    if ratio > settings.miss:
        return np.inf
    for n in range(3):
        out[n] = 0.5 * (si[R + n] + ti * zi[n] + sj[R + n] + tj * zj[n])
    out[3] = ti
    out[4] = tj
    h = height(out[0], out[1], out[2])
    if h < settings.height_min or h > settings.height_max:
        return np.inf
    if occlusion_margin(si[R], si[R + 1], si[R + 2], out[0], out[1], out[2], 0.0) < 0.0:
        return np.inf
    if occlusion_margin(sj[R], sj[R + 1], sj[R + 2], out[0], out[1], out[2], 0.0) < 0.0:
        return np.inf
    return ratio


@njit(cache=True, nogil=True, error_model="numpy")
def _start(state, settings, position, cov):
    """A tentative track at a position: velocity that of the ground below +- half the top speed; its slot or -1."""
    k = -1
    for n in range(len(state.info)):
        if not state.info[n, LIVE]:
            k = n
            break
    if k < 0:
        state.counters[OVERFLOW_TRACKS] += 1
        return -1
    x = np.zeros(9)
    p = np.zeros((9, 9))
    x[3] = -EARTH_RATE_RAD_S * position[1]
    x[4] = EARTH_RATE_RAD_S * position[0]
    for a in range(3):
        x[a] = position[a]
        for b in range(3):
            p[a, b] = cov[a, b]
    active = 0
    for i in range(3):
        p[3 + i, 3 + i] = (0.5 * settings.speed_max) ** 2
    for m in range(MODELS):
        if settings.dwell[m] > 0.0:
            active += 1
    for m in range(MODELS):
        for a in range(9):
            state.mean[k, m, a] = x[a]
            for b in range(9):
                state.cov[k, m, a, b] = p[a, b]
        state.weight[k, m] = 1.0 / active if settings.dwell[m] > 0.0 else 0.0
        # a ballistic flight takes its own variance at the first prediction
        if not is_ballistic(settings.motion[m]):
            for i in range(6, 9):
                state.cov[k, m, i, i] = settings.motion[m, SIGMA] ** 2
    state.info[k, LIVE] = 1
    state.info[k, TRACK] = state.counters[NEXT_TRACK]
    state.counters[NEXT_TRACK] += 1
    state.info[k, STATUS] = _TENTATIVE
    state.info[k, HISTORY] = 0
    state.info[k, HITS] = 0
    state.info[k, EXPECTED] = 1
    state.info[k, MISSED] = 0
    state.score[k] = 0.0
    state.quiet[k, 0] = 0.0
    state.quiet[k, 1] = -np.inf
    state.info[k, ORIGINATORS] = 0
    for i in range(len(state.info)):
        state.twin[k, i] = 0
        state.twin[i, k] = 0
    return k


@njit(cache=True, nogil=True, error_model="numpy")
def _join(state, settings, k, used, sensors):
    """Let every other leftover of this time that fits join a new track, the nearest first, one for each sensor.

    Older leftovers that fit, allowing for the way since, are the same target seen before: set aside.
    """
    t = state.clock[0]
    x = np.empty(3)
    p = np.empty((3, 3))
    wide = np.empty((3, 3))
    work = np.empty((8, 3))
    while True:
        best = settings.gate
        chosen = -1
        collapse(state.mean[k], state.cov[k], state.weight[k], x, p)
        for i in range(state.counters[LEFT]):
            if used[i] or state.left[i, T] != t:
                continue
            known = False
            for s in range(len(sensors)):
                if sensors[s] == state.left[i, SENSOR]:
                    known = True
                if sensors[s] < 0:
                    break
            if known:
                continue
            d2, _value = gate(x, p, state.left[i], state.left[i, LEFT_DET:LEFT_Z], work)
            if d2 < best:
                best = d2
                chosen = i
        if chosen < 0:
            break
        _take(
            state,
            k,
            state.left[chosen],
            state.left_int[chosen, 1],
            state.left[chosen, LEFT_DET:LEFT_Z],
            state.left_int[chosen, 0],
        )
        used[chosen] = True
        for s in range(len(sensors)):
            if sensors[s] < 0:
                sensors[s] = int(state.left[chosen, SENSOR])
                break
    for i in range(state.counters[LEFT]):
        if used[i] or state.left[i, T] == t:
            continue
        moved = 0.5 * settings.speed_max * (t - state.left[i, T])
        for a in range(3):
            for b in range(3):
                wide[a, b] = p[a, b]
            wide[a, a] += moved * moved
        d2, _value = gate(x, wide, state.left[i], state.left[i, LEFT_DET:LEFT_Z], work)
        if d2 < settings.gate:
            used[i] = True


@njit(cache=True, nogil=True, error_model="numpy")
def _start_from_plot(state, settings, i, used):
    """A track from one radar plot (angles and range)."""
    scan = state.left[i]
    det = state.left[i, LEFT_DET:LEFT_Z]
    if isinf(det[SIGMA_RANGE]) or isinf(det[SIGMA_AZ]) or isinf(det[SIGMA_EL]):
        return
    x = np.empty(3)
    for n in range(3):
        x[n] = scan[R + n] + det[RANGE] * state.left[i, LEFT_Z + n]
    h = height(x[0], x[1], x[2])
    if h < settings.height_min or h > settings.height_max:
        return
    u = np.empty(3)
    e_az = np.empty(3)
    e_el = np.empty(3)
    rho = sight(x, scan, u, e_az, e_el)
    va = (rho * det[SIGMA_AZ] * cos(det[EL])) ** 2
    ve = (rho * det[SIGMA_EL]) ** 2
    vr = det[SIGMA_RANGE] ** 2
    p = np.empty((3, 3))
    for a in range(3):
        for b in range(3):
            p[a, b] = va * e_az[a] * e_az[b] + ve * e_el[a] * e_el[b] + vr * u[a] * u[b]
    k = _start(state, settings, x, p)
    if k < 0:
        return
    used[i] = True
    state.info[k, HITS] = 1
    state.info[k, ORIGINATORS] = state.left_int[i, 1]
    _use(state, state.info[k, TRACK], state.left_int[i, 0])
    if not isinf(det[SIGMA_RANGE_RATE]):
        rate = np.empty(DETECTION_WIDTH)
        for n in range(DETECTION_WIDTH):
            rate[n] = det[n]
        rate[SIGMA_AZ] = np.inf
        rate[SIGMA_EL] = np.inf
        rate[SIGMA_RANGE] = np.inf
        for m in range(MODELS):
            update(state.mean[k, m], state.cov[k, m], scan, rate)
    sensors = np.full(SENSORS, -1)
    sensors[0] = int(scan[SENSOR])
    _join(state, settings, k, used, sensors)


@njit(cache=True, nogil=True, error_model="numpy")
def _start_from_pair(state, settings, i, j, used):
    """A track from two lines of sight, i of this time, j of this or an earlier one."""
    out = np.empty(5)
    if isinf(_pair(state, settings, i, j, out)):
        return
    information = np.zeros((3, 3))
    vector = np.zeros(3)
    origin = out[0:3]
    from_origin = np.empty(3)
    for n in range(2):
        r = i if n == 0 else j
        scan = state.left[r]
        moved = 0.5 * settings.speed_max * (state.clock[0] - scan[T])
        sigma = _sigma(state.left[r, LEFT_DET:LEFT_Z], out[3 + n])
        for a in range(3):
            from_origin[a] = scan[R + a] - origin[a]
        add_ray(information, vector, from_origin, state.left[r, LEFT_Z:], sqrt(sigma * sigma + moved * moved))
    cov = np.empty((3, 3))
    if not invert3(information, cov):
        return
    x = np.empty(3)
    for a in range(3):
        x[a] = origin[a] + cov[a, 0] * vector[0] + cov[a, 1] * vector[1] + cov[a, 2] * vector[2]
    k = _start(state, settings, x, cov)
    if k < 0:
        return
    sensors = np.full(SENSORS, -1)
    state.quiet[k, 1] = state.clock[0]
    for n in range(2):
        r = i if n == 0 else j
        used[r] = True
        state.info[k, ORIGINATORS] |= state.left_int[r, 1]
        _use(state, state.info[k, TRACK], state.left_int[r, 0])
        if state.left[r, T] == state.clock[0]:
            state.info[k, HITS] += 1
            sensors[n] = int(state.left[r, SENSOR])
    _join(state, settings, k, used, sensors)


@njit(cache=True, nogil=True, error_model="numpy")
def _move(state, source, to):
    for i in range(LEFT_WIDTH):
        state.left[to, i] = state.left[source, i]
    state.left_int[to, 0] = state.left_int[source, 0]
    state.left_int[to, 1] = state.left_int[source, 1]


@njit(cache=True, nogil=True, error_model="numpy")
def _initiate(state, settings):
    """Start tracks from what this time has left over, with what the window before it left; forget the older."""
    t = state.clock[0]
    c = state.counters
    n = np.int64(0)
    fresh = False
    for i in range(c[LEFT]):
        if t - state.left[i, T] <= settings.window:
            if n != i:
                _move(state, i, n)
            if state.left[n, T] == t:
                fresh = True
            n += 1
    c[LEFT] = n
    if not fresh:
        return
    used = np.zeros(n, np.bool_)
    for i in range(n):
        if not used[i] and state.left[i, T] == t and state.left[i, KIND] != _INFRARED:
            _start_from_plot(state, settings, i, used)
    out = np.empty(5)
    pairs = 0
    ratio = np.empty(0)
    pair_i = np.empty(0, np.int64)
    pair_j = np.empty(0, np.int64)
    for sweep in range(2):  # count, then list
        pairs = 0
        for i in range(n):
            if used[i] or state.left[i, T] != t or state.left[i, KIND] != _INFRARED:
                continue
            for j in range(n):
                if used[j] or state.left[j, KIND] != _INFRARED or (state.left[j, T] == t and j >= i):
                    continue
                value = _pair(state, settings, i, j, out)
                if not isinf(value):
                    if sweep == 1:
                        ratio[pairs] = value
                        pair_i[pairs] = i
                        pair_j[pairs] = j
                    pairs += 1
        if pairs == 0:
            break
        if sweep == 0:
            ratio = np.empty(pairs)
            pair_i = np.empty(pairs, np.int64)
            pair_j = np.empty(pairs, np.int64)
    while True:  # the best pair of which neither is used, until none is left
        best = -1
        for q in range(pairs):
            if used[pair_i[q]] or used[pair_j[q]]:
                continue
            if best < 0 or ratio[q] < ratio[best]:
                best = q
        if best < 0:
            break
        i, j = pair_i[best], pair_j[best]
        _start_from_pair(state, settings, i, j, used)
        used[i] = True  # even where the start failed: not to be tried again
        used[j] = True
    m = np.int64(0)
    for i in range(n):
        if not used[i]:
            if m != i:
                _move(state, i, m)
            m += 1
    c[LEFT] = m


@njit(cache=True, nogil=True, error_model="numpy")
def _over(state, settings, k, x, p):
    """Whether the track in slot k, with mean x [9] and covariance p, is to be given up."""
    tentative = state.info[k, STATUS] == _TENTATIVE
    sigma2 = p[0, 0] + p[1, 1] + p[2, 2]
    if not np.isfinite(sigma2) or not np.isfinite(x[0]):
        return True
    limit = settings.delete_missed_tentative if tentative else settings.delete_missed
    if state.info[k, MISSED] >= limit:
        return True
    # a young track is wide by nature: blame it only where it was looked for in vain
    if sigma2 > settings.delete_sigma**2 and (
        not tentative or (state.info[k, EXPECTED] and state.info[k, HITS] == 0)
    ):
        return True
    if settings.mu > 0.0 and height(x[0], x[1], x[2]) < BELOW_GROUND_M:
        return True
    if tentative:
        u0 = x[3] + EARTH_RATE_RAD_S * x[1]
        u1 = x[4] - EARTH_RATE_RAD_S * x[0]
        speed = sqrt(u0 * u0 + u1 * u1 + x[5] * x[5])
        if speed - 3.0 * sqrt(p[3, 3] + p[4, 4] + p[5, 5]) > settings.speed_max:
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _same(xa, pa, xb, pb):
    """Squared distance of two tracks over position and velocity, as if independent; inf as soon as too far."""
    low = np.zeros((6, 6))
    w = np.empty(6)
    d2 = 0.0
    for a in range(6):
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
        if d2 > TWIN_DISTANCE:
            return np.inf
    return d2


@njit(cache=True, nogil=True, error_model="numpy")
def _copy_state(state, one, two, x_one, p_one, x_two, p_two):
    for m in range(MODELS):
        state.weight[one, m] = state.weight[two, m]
        for a in range(9):
            state.mean[one, m, a] = state.mean[two, m, a]
            for b in range(9):
                state.cov[one, m, a, b] = state.cov[two, m, a, b]
    for a in range(9):
        x_one[a] = x_two[a]
        for b in range(9):
            p_one[a, b] = p_two[a, b]


@njit(cache=True, nogil=True, error_model="numpy")
def _merge(state, slots, n, x, p):
    """Two tracks that look the same three times running, never seen apart by one sensor, are one: mark the other.

    The elder number stays, with the surer of the two states. Returns nothing; the one given up gets DELETED.
    """
    for i in range(n):
        a = slots[i]
        for j in range(i):
            b = slots[j]
            first, second = (b, a) if b < a else (a, b)
            if state.info[a, STATUS] == _DELETED or state.info[b, STATUS] == _DELETED:
                continue
            if state.info[a, HITS] == 0 and state.info[b, HITS] == 0:
                continue
            if isinf(_same(x[i], p[i], x[j], p[j])):
                state.twin[first, second] = 0
                continue
            state.twin[first, second] += 1
            if state.twin[first, second] < TWIN_TIMES:
                continue
            keep, drop = i, j
            one, two = a, b
            if state.info[b, STATUS] != state.info[a, STATUS]:
                if state.info[b, STATUS] == _CONFIRMED:
                    keep, drop, one, two = j, i, b, a
            elif state.info[b, TRACK] < state.info[a, TRACK]:
                keep, drop, one, two = j, i, b, a
            if p[drop, 0, 0] + p[drop, 1, 1] + p[drop, 2, 2] < p[keep, 0, 0] + p[keep, 1, 1] + p[keep, 2, 2]:
                _copy_state(state, one, two, x[keep], p[keep], x[drop], p[drop])
            state.score[one] = max(state.score[one], state.score[two])
            state.info[one, MISSED] = min(state.info[one, MISSED], state.info[two, MISSED])
            state.info[one, ORIGINATORS] |= state.info[two, ORIGINATORS]
            state.info[two, STATUS] = _DELETED


@njit(cache=True, nogil=True, error_model="numpy")
def _hush(state, settings, k):
    """When every infrared sensor that should have seen the target loses it at once, it has probably burnt out.

    The weights of the two hot models are multiplied by the chance of that many misses, at least 0.3 a time and
    only in the first seconds of silence: a cloud or a faint target looks the same, and motion must have its say.
    """
    lost = state.quiet[k, 0]
    state.quiet[k, 0] = 0.0
    since = state.clock[0] - state.quiet[k, 1]
    if lost == 0.0 or since <= 0.0 or since > QUIET_S or state.weight[k, BALLISTIC] == 0.0:
        return
    factor = max(exp(lost), QUIET_MIN)
    state.weight[k, BOOST] *= factor
    state.weight[k, MANOEUVRING] *= factor
    normalise(state.weight[k])


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
        _initiate(state, settings)
    n = np.int64(0)
    for k in range(len(state.info)):
        if state.info[k, LIVE]:
            n += 1
    slots = np.empty(n, np.int64)
    x = np.empty((n, 9))
    p = np.empty((n, 9, 9))
    window = (1 << settings.confirm_of) - 1
    i = 0
    for k in range(len(state.info)):
        if not state.info[k, LIVE]:
            continue
        slots[i] = k
        _hush(state, settings, k)
        collapse(state.mean[k], state.cov[k], state.weight[k], x[i], p[i])
        if state.info[k, HITS] > 0 or state.info[k, EXPECTED]:
            state.info[k, HISTORY] = (
                (state.info[k, HISTORY] << 1) | (1 if state.info[k, HITS] > 0 else 0)
            ) & window
        if state.info[k, STATUS] == _TENTATIVE:
            bits = state.info[k, HISTORY]
            total = 0
            while bits > 0:
                total += bits & 1
                bits >>= 1
            if total >= settings.confirm_hits:
                state.info[k, STATUS] = _CONFIRMED
        if _over(state, settings, k, x[i], p[i]):
            state.info[k, STATUS] = _DELETED
        i += 1
    if n > 1:
        _merge(state, slots, n, x, p)
    for i in range(n):
        k = slots[i]
        q = ROW_COV
        for a in range(9):
            state.row[i, a] = x[i, a]
            for b in range(a, 9):
                state.row[i, q] = p[i, a, b]
                q += 1
        for m in range(MODELS):
            state.row[i, q + m] = state.weight[k, m]
        state.row_int[i, 0] = state.info[k, TRACK]
        state.row_int[i, 1] = state.info[k, STATUS]
        state.row_int[i, 2] = state.info[k, HITS]
        state.row_int[i, 3] = state.info[k, ORIGINATORS]
        if state.info[k, STATUS] == _DELETED:
            state.info[k, LIVE] = 0
        state.info[k, HITS] = 0
        state.info[k, EXPECTED] = 0
    state.clock[1] = state.clock[0]
    c[ROWS] = n
    for i in range(c[USED]):
        state.used_out[i, 0] = state.used[i, 0]
        state.used_out[i, 1] = state.used[i, 1]
    c[USED_OUT] = c[USED]
    c[USED] = 0
    return True


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
    if t < now or (t == now and c[CLOSED] == 1):
        c[LATE] += 1
        return False
    closed = False
    if t > now:
        closed = close(state, settings)
        if not isinf(now):
            advance(
                state.mean,
                state.cov,
                state.weight,
                state.info,
                settings.motion,
                settings.dwell,
                t - now,
                settings.mu,
            )
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
    _associate(state, settings, scan, bits, dets, idents)
    return closed

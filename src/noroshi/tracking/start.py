"""New tracks from what a time has left over: two or more lines of sight, a radar plot, the line of one satellite."""

from __future__ import annotations

from math import cos, isinf, sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tables import Kind, Status
from noroshi.tracking.associate import note, use
from noroshi.tracking.columns import (
    EL,
    KIND,
    RANGE,
    RANGE_MAX,
    SENSOR,
    SIGMA_AZ,
    SIGMA_EL,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    R,
    T,
)
from noroshi.tracking.initiate import add_ray, closest, invert3
from noroshi.tracking.measurement import (
    LOOK,
    READY,
    VAR_AZ,
    VAR_DISTANCE,
    VAR_EL,
    absorb,
    distance,
    look,
    prepare,
    sight,
)
from noroshi.tracking.mixture import collapse_position, hit
from noroshi.tracking.parameters import SPIN
from noroshi.tracking.state import (
    EXPECTED,
    HITS,
    LEFT,
    LEFT_DET,
    LEFT_WIDTH,
    LEFT_Z,
    LIVE,
    NEXT_TRACK,
    ORIGINATORS,
    OVERFLOW_TRACKS,
    STATUS,
    TRACK,
    TWIN,
)
from noroshi.tracking.transition import prior
from noroshi.tracking.visible import height, occlusion_margin

_INFRARED = int(Kind.INFRARED)
_TENTATIVE = int(Status.TENTATIVE)
_CONFIRMED = int(Status.CONFIRMED)

START_SCORE = 0.0  # log-odds of a new track: even
LINE_SIGMA = 3.0  # two lines of one satellite must turn by more than this many sigmas to tell a direction of flight
PAIRS_MAX = 500  # candidate pairs of one time; more overflow


@njit(cache=True, nogil=True, error_model="numpy")
def _sigma(det, distance_m):
    """Cross-range standard deviation (root mean square of the two axes) at a distance, m."""
    a = det[SIGMA_AZ] * cos(det[EL])
    return distance_m * sqrt(0.5 * (a * a + det[SIGMA_EL] * det[SIGMA_EL]))


@njit(cache=True, nogil=True, error_model="numpy")
def begin(state, settings, position, cov):
    """A tentative track at a position [3] with its covariance [3, 3]; its slot or -1.

    Near a confirmed track it is believed to fly like that one, give or take `spawn_sigma`: members of a raid, parts of
    one object. Elsewhere its velocity is that of the ground below +- half the top speed.
    """
    c = state.counters
    k = -1
    for q in range(len(state.info)):
        if state.info[q, TRACK] < 0:
            k = q
            break
    if k < 0:
        c[OVERFLOW_TRACKS] += 1
        return -1
    near = settings.spawn_distance * settings.spawn_distance
    parent = -1
    for q in range(c[LIVE]):
        other = state.slots[q]
        if state.info[other, STATUS] != _CONFIRMED:
            continue
        d = 0.0
        for a in range(3):
            d += (state.mean[other, 0, a] - position[a]) ** 2
        if d < near:
            near = d
            parent = other
    extra = np.empty(3)
    var = np.empty(3)
    models = len(settings.motion)
    for m in range(models):
        x = state.mean[k, m]
        p = state.cov[k, m]
        for a in range(9):
            x[a] = 0.0
            for b in range(9):
                p[a, b] = 0.0
        for a in range(3):
            x[a] = position[a]
            for b in range(3):
                p[a, b] = cov[a, b]
        prior(settings.motion[m], extra, var)
        sigma = 0.5 * settings.speed_max
        if parent >= 0:
            sigma = settings.spawn_sigma
            for a in range(3, 6):
                x[a] = state.mean[parent, m, a]
        else:
            x[3] = -settings.motion[m, SPIN] * position[1]
            x[4] = settings.motion[m, SPIN] * position[0]
        for a in range(3):
            p[3 + a, 3 + a] = sigma * sigma
            x[6 + a] = extra[a]
            p[6 + a, 6 + a] = var[a]
        state.weight[k, m] = 1.0 / models if parent < 0 else state.weight[parent, m]
    state.cross[k] = 0.0
    info = state.info[k]
    info[:] = 0
    info[TRACK] = c[NEXT_TRACK]
    c[NEXT_TRACK] += 1
    info[STATUS] = _TENTATIVE
    info[EXPECTED] = 1
    info[TWIN] = -1
    state.score[k] = START_SCORE
    state.quiet[k, 0] = 0.0
    state.quiet[k, 1] = -np.inf
    q = c[LIVE]  # keep the slots in ascending order
    while q > 0 and state.slots[q - 1] > k:
        state.slots[q] = state.slots[q - 1]
        q -= 1
    state.slots[q] = k
    c[LIVE] += 1
    return k


@njit(cache=True, nogil=True, error_model="numpy")
def _give(state, k, i, used):
    """Give the leftover i to the track in slot k."""
    ready = np.empty(READY)
    prepare(state.left[i], state.left[i, LEFT_DET:LEFT_Z], ready)
    hit(state.mean[k], state.cov[k], state.weight[k], state.left[i], ready, state.work)
    note(state.info[k], state.quiet[k], state.left[i], state.left_int[i, 1])
    use(state.counters, state.used, state.info[k, TRACK], state.left_int[i, 0])
    used[i] = True


@njit(cache=True, nogil=True, error_model="numpy")
def _join(state, settings, k, used, sensors):
    """Let every other leftover of this time that fits join a new track, the nearest first, one for each sensor.

    Older leftovers that fit, allowing for the way since, are the same target seen before: set aside.
    """
    t = state.clock[0]
    x = np.empty(3)
    p = np.empty((3, 3))
    row = np.empty(LOOK)
    ready = np.empty(READY)
    while True:
        best = settings.gate
        winner = -1
        collapse_position(state.mean[k], state.cov[k], state.weight[k], x, p)
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
            look(x, p, state.left[i], row)
            prepare(state.left[i], state.left[i, LEFT_DET:LEFT_Z], ready)
            d2, _value = distance(row, ready)
            if d2 < best:
                best = d2
                winner = i
        if winner < 0:
            break
        _give(state, k, winner, used)
        for s in range(len(sensors)):
            if sensors[s] < 0:
                sensors[s] = int(state.left[winner, SENSOR])
                break
    for i in range(state.counters[LEFT]):
        if used[i] or state.left[i, T] == t:
            continue
        moved = 0.5 * settings.speed_max * (t - state.left[i, T])
        look(x, p, state.left[i], row)
        prepare(state.left[i], state.left[i, LEFT_DET:LEFT_Z], ready)
        ready[VAR_AZ] += (moved / row[0]) ** 2
        ready[VAR_EL] += (moved / row[0]) ** 2
        ready[VAR_DISTANCE] += moved * moved
        d2, _value = distance(row, ready)
        if d2 < settings.gate:
            used[i] = True


@njit(cache=True, nogil=True, error_model="numpy")
def _plot(state, settings, i, used):
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
    k = begin(state, settings, x, p)
    if k < 0:
        return
    used[i] = True
    state.info[k, HITS] = 1
    state.info[k, ORIGINATORS] = state.left_int[i, 1]
    use(state.counters, state.used, state.info[k, TRACK], state.left_int[i, 0])
    if not isinf(det[SIGMA_RANGE_RATE]):
        ready = np.empty(READY)
        prepare(scan, det, ready)
        ready[VAR_AZ] = np.inf
        ready[VAR_EL] = np.inf
        ready[VAR_DISTANCE] = np.inf
        for m in range(len(settings.motion)):
            absorb(state.mean[k, m], state.cov[k, m], scan, ready, state.work[0])
    sensors = np.full(64, -1)
    sensors[0] = int(scan[SENSOR])
    _join(state, settings, k, used, sensors)


@njit(cache=True, nogil=True, error_model="numpy")
def pair(state, settings, i, j, out):
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
def _from_pair(state, settings, i, j, used):
    """A track from two lines of sight, i of this time, j of this or an earlier one."""
    out = np.empty(5)
    if isinf(pair(state, settings, i, j, out)):
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
    k = begin(state, settings, x, cov)
    if k < 0:
        return
    sensors = np.full(64, -1)
    state.quiet[k, 1] = state.clock[0]
    for n in range(2):
        r = i if n == 0 else j
        used[r] = True
        state.info[k, ORIGINATORS] |= state.left_int[r, 1]
        use(state.counters, state.used, state.info[k, TRACK], state.left_int[r, 0])
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
def start_tracks(state, settings):
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
            _plot(state, settings, i, used)
    out = np.empty(5)
    ratio = np.empty(PAIRS_MAX)
    pair_i = np.empty(PAIRS_MAX, np.int64)
    pair_j = np.empty(PAIRS_MAX, np.int64)
    pairs = 0
    for i in range(n):
        if used[i] or state.left[i, T] != t or state.left[i, KIND] != _INFRARED:
            continue
        for j in range(n):
            if used[j] or state.left[j, KIND] != _INFRARED or (state.left[j, T] == t and j >= i):
                continue
            value = pair(state, settings, i, j, out)
            if not isinf(value) and pairs < PAIRS_MAX:
                ratio[pairs] = value
                pair_i[pairs] = i
                pair_j[pairs] = j
                pairs += 1
    order = np.argsort(ratio[:pairs])
    for q in order:  # the best pair of which neither is used, until none is left
        i, j = pair_i[q], pair_j[q]
        if used[i] or used[j]:
            continue
        _from_pair(state, settings, i, j, used)
        used[i] = True  # even where the start failed: not to be tried again
        used[j] = True
    m = np.int64(0)
    for i in range(n):
        if not used[i]:
            if m != i:
                _move(state, i, m)
            m += 1
    c[LEFT] = m

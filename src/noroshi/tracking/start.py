"""New tracks from what a time has left over: two or more lines of sight, a radar plot, the line of one satellite."""

from __future__ import annotations

from math import cos, isinf, sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.constants import EARTH_RADIUS_M
from noroshi.tables import Kind, Status
from noroshi.tracking.assign import assign_edges
from noroshi.tracking.associate import is_young, note, use
from noroshi.tracking.columns import (
    EL,
    KIND,
    P_DETECT,
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
from noroshi.tracking.initiate import (
    RAYS_MAX,
    Clusters,
    Limits,
    Pairs,
    Rays,
    candidate_pairs,
    invert3,
    select_clusters,
)
from noroshi.tracking.measurement import (
    LOOK,
    READY,
    VAR_AZ,
    VAR_DISTANCE,
    VAR_EL,
    distance,
    look,
    prepare,
    sight,
)
from noroshi.tracking.mixture import collapse_position, hit, take, widen
from noroshi.tracking.parameters import SPIN
from noroshi.tracking.state import (
    EXPECTED,
    HITS,
    LEFT,
    LEFT_DET,
    LEFT_WIDTH,
    LEFT_Z,
    LINE,
    LIVE,
    NEXT_TRACK,
    ORIGINATORS,
    OVERFLOW_EDGES,
    OVERFLOW_PAIRS,
    OVERFLOW_TRACKS,
    RECORD,
    STATUS,
    TRACK,
    TWIN,
)
from noroshi.tracking.transition import prior
from noroshi.tracking.visible import height

_INFRARED = int(Kind.INFRARED)
_TENTATIVE = int(Status.TENTATIVE)
_CONFIRMED = int(Status.CONFIRMED)

START_SCORE = 0.0  # log-odds of a new track: even
LINE_SIGMA = 3.0  # by so many sigmas two lines of one satellite may lie further apart than a target flies
FEED_EACH = 32  # points in the gate of a track without velocity, on average, before they overflow
PAIRS_MAX = 20_000  # candidate pairs of one time; more overflow


@njit(cache=True, nogil=True, error_model="numpy")
def begin(state, settings, position, cov):
    """A tentative track at a position [3] with its covariance [3, 3]; its slot or -1.

    Near a confirmed track it is believed to fly like that one, give or take `spawn_sigma`: members of a raid, parts of
    one object. Elsewhere its velocity is that of the ground below +- half the top speed. A wrong time tag puts it
    wrong by what it flies meanwhile, at half the top speed.
    """
    drift = 0.5 * settings.speed_max * settings.time_sigma
    c = state.counters
    k = np.int64(0)  # the first free slot: the slots in use are in ascending order
    above = c[LIVE]
    while k < above:
        q = (k + above) >> 1
        if state.slots[q] == q:
            k = q + 1
        else:
            above = q
    if k == len(state.info):
        c[OVERFLOW_TRACKS] += 1
        return -1
    near = settings.spawn_distance * settings.spawn_distance
    parent = -1
    for q in range(c[LIVE] if near > 0.0 else 0):
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
            p[a, a] += drift * drift
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
    state.quiet[k, RECORD] = 0.0
    q = c[LIVE]  # keep the slots in ascending order
    while q > 0 and state.slots[q - 1] > k:
        state.slots[q] = state.slots[q - 1]
        q -= 1
    state.slots[q] = k
    c[LIVE] += 1
    return k


@njit(cache=True, nogil=True, error_model="numpy")
def _give(state, settings, k, i, used):
    """Give the leftover i to the track in slot k."""
    ready = np.empty(READY)
    prepare(state.left[i], state.left[i, LEFT_DET:LEFT_Z], ready)
    hit(
        state.mean[k], state.cov[k], state.weight[k], state.cross[k], settings.bias, settings.time_sigma,
        state.left[i], ready, state.work,
    )  # fmt: skip
    note(state.info[k], state.quiet[k], state.left[i], state.left_int[i, 1], state.left[i, P_DETECT])
    use(state.counters, state.used, state.info[k, TRACK], state.left_int[i, 0])
    used[i] = True


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _near(brief, x, spread, gate, moved):
    """Whether a leftover may lie within the gate of a position x [3] whose covariance has the trace `spread`, m2.

    brief: its row of `_briefs`. Quick, and never wrong where it says no: the squared distance of a pair of angles is at
    least that of their miss by the sum of all variances.
    """
    d0 = x[0] - brief[0]
    d1 = x[1] - brief[1]
    d2 = x[2] - brief[2]
    along = d0 * brief[3] + d1 * brief[4] + d2 * brief[5]
    rho2 = d0 * d0 + d1 * d1 + d2 * d2
    wide = gate * (spread + rho2 * brief[6] + 2.0 * moved * moved)
    return isinf(brief[6]) or (along > 0.0 and rho2 - along * along <= 1.001 * wide + 1e-12 * rho2)


@njit(cache=True, nogil=True, error_model="numpy")
def _briefs(left, n, bias, out):
    """Of every leftover: sensor's place, direction, sum of its angles' variances and biases, time; into out [n, 8]."""
    for i in range(n):
        for a in range(3):
            out[i, a] = left[i, R + a]
            out[i, 3 + a] = left[i, LEFT_Z + a]
        out[i, 6] = left[i, LEFT_DET + SIGMA_AZ] ** 2 + left[i, LEFT_DET + SIGMA_EL] ** 2
        out[i, 6] += bias_of(bias, left[i], 0) + bias_of(bias, left[i], 1)
        out[i, 7] = left[i, T]


@njit(cache=True, nogil=True, error_model="numpy")
def _join(state, settings, k, used, sensors, briefs):
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
        winner = np.int64(-1)
        collapse_position(state.mean[k], state.cov[k], state.weight[k], x, p)
        spread = p[0, 0] + p[1, 1] + p[2, 2]
        for i in range(state.counters[LEFT]):
            if used[i] or briefs[i, 7] != t or not _near(briefs[i], x, spread, settings.gate, 0.0):
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
            widen(
                row, state.mean[k], state.weight[k], state.cross[k], settings.bias, settings.time_sigma,
                state.left[i],
            )  # fmt: skip
            prepare(state.left[i], state.left[i, LEFT_DET:LEFT_Z], ready)
            d2, _value = distance(row, ready)
            if d2 < best:
                best = d2
                winner = i
        if winner < 0:
            break
        _give(state, settings, k, winner, used)
        for s in range(len(sensors)):
            if sensors[s] < 0:
                sensors[s] = int(state.left[winner, SENSOR])
                break
    for i in range(state.counters[LEFT]):
        if used[i] or briefs[i, 7] == t:
            continue
        moved = 0.5 * settings.speed_max * (t - briefs[i, 7])
        if not _near(briefs[i], x, spread, settings.gate, moved):
            continue
        look(x, p, state.left[i], row)
        widen(
            row,
            state.mean[k],
            state.weight[k],
            state.cross[k],
            settings.bias,
            settings.time_sigma,
            state.left[i],
        )
        prepare(state.left[i], state.left[i, LEFT_DET:LEFT_Z], ready)
        ready[VAR_AZ] += (moved / row[0]) ** 2
        ready[VAR_EL] += (moved / row[0]) ** 2
        ready[VAR_DISTANCE] += moved * moved
        d2, _value = distance(row, ready)
        if d2 < settings.gate:
            used[i] = True


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def bias_of(bias, scan, part):
    """Variance of one part of the bias of a scan's sensor: 0 azimuth, 1 elevation, 2 range."""
    sensor = int(scan[SENSOR])
    return bias[sensor, part] if sensor < len(bias) else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _tilt(cross, bias, sensor, part, v):
    """Note that a bias put a new track's place off by v [3] for each unit: covariance -v B, every model alike.

    cross [model, sensor, 9, 3]. Truth less estimate is what counts, hence the sign.
    """
    for m in range(len(cross)):
        for a in range(3):
            cross[m, sensor, a, part] = -v[a] * bias[sensor, part]


@njit(cache=True, nogil=True, error_model="numpy")
def _tilt_cluster(state, settings, k, clusters, q, row):
    """Covariance of a track started where lines of sight meet with the biases of their sensors.

    The place is P sum_i (1 - z z') x_i / sigma_i^2 (initiate._solve): a line off by the angle b moves it by
    P e rho b / sigma_i^2. One line for each sensor, its bias in its sigma (_rays): among the lines of one place a bias
    is noise like any other, and P is what it says.
    """
    u = np.empty(3)
    axes = np.empty((2, 3))
    moved = np.empty(3)
    for n in range(clusters.size[q]):
        i = row[clusters.ray[q, n]]
        scan = state.left[i]
        sensor = int(scan[SENSOR])
        if sensor >= len(settings.bias):
            continue
        rho = sight(clusters.position[q], scan, u, axes[0], axes[1])
        late = 0.5 * settings.speed_max * (state.clock[0] - scan[T])
        sigma2 = (ray_sigma(scan, scan[LEFT_DET:LEFT_Z], settings.bias) * rho) ** 2 + late * late
        for part in range(2):
            for a in range(3):
                moved[a] = 0.0
                for b in range(3):
                    moved[a] += clusters.covariance[q, a, b] * axes[part, b] * rho / sigma2
            _tilt(state.cross[k], settings.bias, sensor, part, moved)


@njit(cache=True, nogil=True, error_model="numpy")
def ray_sigma(scan, det, bias):
    """Angle by which a line of sight may be off across, per axis: noise, and the bias of its sensor."""
    a = det[SIGMA_AZ] * cos(det[EL])
    b = det[SIGMA_EL]
    return sqrt(0.5 * (a * a + b * b + bias_of(bias, scan, 0) + bias_of(bias, scan, 1)))


@njit(cache=True, nogil=True, error_model="numpy")
def _plot(state, settings, i, used, briefs):
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
    va = (rho * det[SIGMA_AZ] * cos(det[EL])) ** 2 + rho * rho * bias_of(settings.bias, scan, 0)
    ve = (rho * det[SIGMA_EL]) ** 2 + rho * rho * bias_of(settings.bias, scan, 1)
    vr = det[SIGMA_RANGE] ** 2 + bias_of(settings.bias, scan, 2)
    p = np.empty((3, 3))
    for a in range(3):
        for b in range(3):
            p[a, b] = va * e_az[a] * e_az[b] + ve * e_el[a] * e_el[b] + vr * u[a] * u[b]
    k = begin(state, settings, x, p)
    if k < 0:
        return
    if int(scan[SENSOR]) < len(settings.bias):
        _tilt(state.cross[k], settings.bias, int(scan[SENSOR]), 0, rho * e_az)
        _tilt(state.cross[k], settings.bias, int(scan[SENSOR]), 1, rho * e_el)
        _tilt(state.cross[k], settings.bias, int(scan[SENSOR]), 2, u)
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
            take(
                state.mean[k, m], state.cov[k, m], state.cross[k, m], settings.bias, settings.time_sigma, scan,
                ready, state.work[0],
            )  # fmt: skip
    sensors = np.full(64, -1)
    sensors[0] = int(scan[SENSOR])
    _join(state, settings, k, used, sensors, briefs)


@njit(cache=True, nogil=True, error_model="numpy")
def _from_cluster(state, settings, clusters, q, row, used, briefs):
    """A track from a cluster of lines of sight, some of this time, some of an earlier one. row: of each ray in left."""
    k = begin(state, settings, clusters.position[q], clusters.covariance[q])
    if k >= 0 and len(settings.bias) > 0:
        _tilt_cluster(state, settings, k, clusters, q, row)
    sensors = np.full(64, -1)
    for n in range(clusters.size[q]):
        i = row[clusters.ray[q, n]]
        used[i] = True  # even where there was no slot: not to be tried again
        if k < 0:
            continue
        state.quiet[k, 1] = state.clock[0]
        state.info[k, ORIGINATORS] |= state.left_int[i, 1]
        use(state.counters, state.used, state.info[k, TRACK], state.left_int[i, 0])
        if state.left[i, T] == state.clock[0]:
            state.info[k, HITS] += 1
            sensors[n] = int(state.left[i, SENSOR])
    if k >= 0:
        _join(state, settings, k, used, sensors, briefs)


@njit(cache=True, nogil=True, error_model="numpy")
def _feed(state, settings, clusters, made, row, used):
    """Give points of this time, one to one, to tracks that have no velocity yet (see associate.is_young).

    Such a track is a point and kilometres of ignorance a second: the next line of sight of any neighbour would fit it,
    and another sensor's line of another neighbour as well. Where two lines meet is a place, and few places fit.
    """
    n = state.counters[LIVE]
    young = np.empty(n, np.int64)
    count = np.int64(0)
    for i in range(n):
        if is_young(state.info[state.slots[i]], state.cov[state.slots[i], 0], settings.speed_max):
            young[count] = state.slots[i]
            count += 1
    if count == 0 or made == 0:
        return
    x = np.empty(3)
    p = np.empty((3, 3))
    inverse = np.empty((3, 3))
    total = np.empty((3, 3))
    free = np.ones(made, np.bool_)
    for q in range(made):
        for r in range(clusters.size[q]):
            free[q] &= not used[row[clusters.ray[q, r]]]
    room = np.int64(FEED_EACH * (count + made))
    edge_track = np.empty(room, np.int64)
    edge_cluster = np.empty(room, np.int64)
    gain = np.empty(room)
    edges = np.int64(0)
    for i in range(count):
        k = young[i]
        collapse_position(state.mean[k], state.cov[k], state.weight[k], x, p)
        for q in range(made):
            far = clusters.position[q, 0] - x[0]
            if not free[q] or far * far > settings.gate * (p[0, 0] + clusters.covariance[q, 0, 0]):
                continue
            far = clusters.position[q, 1] - x[1]
            if far * far > settings.gate * (p[1, 1] + clusters.covariance[q, 1, 1]):
                continue
            for a in range(3):
                for b in range(3):
                    total[a, b] = p[a, b] + clusters.covariance[q, a, b]
            if not invert3(total, inverse):
                continue
            d2 = 0.0
            for a in range(3):
                for b in range(3):
                    d2 += (clusters.position[q, a] - x[a]) * inverse[a, b] * (clusters.position[q, b] - x[b])
            if d2 >= settings.gate:
                continue
            if edges == room:
                state.counters[OVERFLOW_EDGES] += 1
                continue
            edge_track[edges] = i
            edge_cluster[edges] = q
            gain[edges] = settings.gate - d2  # a track left alone gains nothing
            edges += 1
    winner = assign_edges(count, made, edge_track[:edges], edge_cluster[:edges], gain[:edges])
    for i in range(count):
        q = winner[i]
        if q >= 0:
            for r in range(clusters.size[q]):
                ray = row[clusters.ray[q, r]]
                if state.left[ray, T] == state.clock[0]:
                    _give(state, settings, young[i], ray, used)
                used[ray] = True


@njit(cache=True, nogil=True, error_model="numpy")
def _rays(left, n, row, bias):
    """The infrared leftovers as Rays; row [n]: where each lies in `left`, filled."""
    count = 0
    for i in range(n):
        if (
            left[i, KIND] == _INFRARED
            and left[i, LEFT_DET + SIGMA_AZ] < np.inf
            and left[i, LEFT_DET + SIGMA_EL] < np.inf
        ):
            row[count] = i
            count += 1
    rays = Rays(
        np.empty((count, 3)), np.empty((count, 3)), np.empty(count),
        np.empty(count, np.int64), np.empty(count), np.empty(count),
    )  # fmt: skip
    for q in range(count):
        one = left[row[q]]
        for a in range(3):
            rays.origin[q, a] = one[R + a]
            rays.direction[q, a] = one[LEFT_Z + a]
        rays.sigma_rad[q] = ray_sigma(one, one[LEFT_DET:LEFT_Z], bias)
        rays.sensor[q] = int(one[SENSOR])
        rays.t[q] = one[T]
        rays.range_max[q] = one[RANGE_MAX]
    return rays


@njit(cache=True, nogil=True, error_model="numpy")
def _lines(state, settings, n, used):
    """Tentative tracks along the line of one satellite, from two of its lines in a row.

    The range is believed to lie anywhere the line runs between the height limits and before the Earth. Two lines in a
    row, no further apart at that range than a target flies, make a start; the next ones show how it moves across.
    """
    t = state.clock[0]
    end = np.empty(2)
    cov = np.zeros((3, 3))
    x = np.empty(3)
    axes = np.empty((3, 3))
    for i in range(n):
        if used[i] or state.left[i, T] != t or state.left[i, KIND] != _INFRARED:
            continue
        det = state.left[i, LEFT_DET:LEFT_Z]
        sigma = sqrt(0.5 * ((det[SIGMA_AZ] * cos(det[EL])) ** 2 + det[SIGMA_EL] ** 2))  # of the turn: no bias
        z = state.left[i, LEFT_Z:]
        if not span(
            state.left[i], z, settings.height_min, settings.height_max, state.left[i, RANGE_MAX], end
        ):
            continue
        middle = 0.5 * (end[0] + end[1])
        best = -1
        for j in range(n):  # the nearest of the same sensor, a moment before
            if used[j] or state.left[j, T] >= t or state.left[j, SENSOR] != state.left[i, SENSOR]:
                continue
            w = state.left[j, LEFT_Z:]
            way = 0.0  # between the two lines' points at that range: the satellite itself moves
            for a in range(3):
                way += (state.left[i, R + a] - state.left[j, R + a] + middle * (z[a] - w[a])) ** 2
            if sqrt(way) > settings.speed_max * (t - state.left[j, T]) + LINE_SIGMA * sigma * middle:
                continue
            if best < 0 or state.left[j, T] > state.left[best, T]:
                best = j
        if best < 0:
            continue
        along = (end[1] - end[0]) ** 2 / 12.0
        across = (ray_sigma(state.left[i], det, settings.bias) * middle) ** 2
        for a in range(3):
            x[a] = state.left[i, R + a] + middle * z[a]
            for b in range(3):
                cov[a, b] = (along - across) * z[a] * z[b]
            cov[a, a] += across
        k = begin(state, settings, x, cov)
        if k < 0:
            return
        sensor = int(state.left[i, SENSOR])
        if sensor < len(settings.bias):
            sight(x, state.left[i], axes[0], axes[1], axes[2])
            _tilt(state.cross[k], settings.bias, sensor, 0, middle * axes[1])
            _tilt(state.cross[k], settings.bias, sensor, 1, middle * axes[2])
        used[i] = True
        used[best] = True
        state.info[k, LINE] = 1
        state.info[k, HITS] = 1
        state.info[k, ORIGINATORS] = state.left_int[i, 1]
        state.quiet[k, 1] = t
        use(state.counters, state.used, state.info[k, TRACK], state.left_int[i, 0])


@njit(cache=True, nogil=True, error_model="numpy")
def span(scan, z, height_min, height_max, range_max, end):
    """Where the line from a sensor along z [3] runs between two heights, before the Earth: end [2], m; False: nowhere.

    Heights are taken on the sphere that the ellipsoid touches below the line's lowest point: a few kilometres, small
    against the spread it serves for.
    """
    b = scan[R] * z[0] + scan[R + 1] * z[1] + scan[R + 2] * z[2]
    c2 = scan[R] ** 2 + scan[R + 1] ** 2 + scan[R + 2] ** 2
    low2 = c2 - b * b  # of the lowest point, from the centre
    radius = EARTH_RADIUS_M
    if low2 > 0.0:
        foot = sqrt(low2)
        radius = foot - height(scan[R] - b * z[0], scan[R + 1] - b * z[1], scan[R + 2] - b * z[2])
    top2 = (radius + height_max) ** 2 - low2
    if top2 <= 0.0:
        return False
    reach = sqrt(top2)
    end[0] = max(-b - reach, 0.0)
    end[1] = min(-b + reach, range_max)
    bottom2 = (radius + max(height_min, 0.0)) ** 2 - low2
    if bottom2 > 0.0:  # the line meets the lower shell: what lies beyond is hidden or too low
        root = sqrt(bottom2)
        if -b - root > 0.0:
            end[1] = min(end[1], -b - root)
        else:
            end[0] = max(end[0], -b + root)
    return end[1] > end[0] + 1.0


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
    briefs = np.empty((n, 8))
    _briefs(state.left, n, settings.bias, briefs)
    for i in range(n):
        if not used[i] and state.left[i, T] == t and state.left[i, KIND] != _INFRARED:
            _plot(state, settings, i, used, briefs)
    row = np.empty(n, np.int64)
    rays = _rays(state.left, n, row, settings.bias)
    room = min(PAIRS_MAX, len(rays.t) * len(rays.t))
    pairs = Pairs(
        np.empty((room, 2), np.int64),
        np.empty(room),
        np.empty(room),
        np.empty((room, 3)),
        np.empty((room, 2)),
    )
    limits = Limits(
        settings.miss, settings.crossing_cos, settings.height_min, settings.height_max, settings.speed_max
    )
    count, lost = candidate_pairs(rays, limits, t, pairs)
    c[OVERFLOW_PAIRS] += lost
    if count > 0:
        room = min(count, len(rays.t) // 2 + 1)
        clusters = Clusters(
            np.empty((room, RAYS_MAX), np.int64), np.empty(room, np.int64), np.empty((room, 3)),
            np.empty((room, 3, 3)), np.empty(room),
        )  # fmt: skip
        made, lost = select_clusters(rays, pairs, count, limits, settings.gate, t, clusters)
        c[OVERFLOW_PAIRS] += lost
        _feed(state, settings, clusters, made, row, used)
        for q in range(made):
            taken = False
            for i in range(clusters.size[q]):
                taken = taken or used[row[clusters.ray[q, i]]]
            if not taken:
                _from_cluster(state, settings, clusters, q, row, used, briefs)
    if settings.single:
        _lines(state, settings, n, used)
    m = np.int64(0)
    for i in range(n):
        if not used[i]:
            if m != i:
                _move(state, i, m)
            m += 1
    c[LEFT] = m

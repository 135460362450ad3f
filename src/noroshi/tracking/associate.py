"""One scan against the tracks: gate, associate, update; count the misses; keep what is left over."""

from __future__ import annotations

from math import exp, isinf, log, pi

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tables import Kind, Status
from noroshi.tracking.assign import associate, workspace
from noroshi.tracking.columns import (
    CLUTTER,
    DETECTION_WIDTH,
    EL,
    KIND,
    P_DETECT,
    RANGE_MAX,
    SCAN_WIDTH,
    R,
    T,
)
from noroshi.tracking.gating import edges, order_by
from noroshi.tracking.measurement import (
    LOOK,
    READY,
    RHO,
    VAR_AZ,
    VAR_EL,
    U,
    Z,
    absorb,
    distance,
    look,
    prepare,
)
from noroshi.tracking.mixture import BALLISTIC, collapse_position, hit, hit_shares, widen
from noroshi.tracking.parameters import ROLE
from noroshi.tracking.state import (
    ABSURD,
    APART,
    EDGES_EACH,
    EXISTENCE_MAX,
    EXPECTED,
    HITS,
    LEFT,
    LEFT_DET,
    LEFT_Z,
    LINE,
    LIVE,
    MISSED,
    ORIGINATORS,
    OVERFLOW_EDGES,
    OVERFLOW_LEFT,
    OVERFLOW_USED,
    RECORD,
    RECORD_MAX,
    SHARED,
    SOFT,
    STATUS,
    TRACK,
    TWIN,
    UNRESOLVED,
    USED,
)
from noroshi.tracking.visible import in_view

_INFRARED = int(Kind.INFRARED)
_CONFIRMED = int(Status.CONFIRMED)
_TENTATIVE = int(Status.TENTATIVE)
_DELETED = int(Status.DELETED)

CLUTTER_MIN = 1e-30  # a scan said to be free of false alarms still gets a finite gain
LEFT_EACH = 1024  # leftovers kept of one scan: a flood of false alarms leaves room for the other sensors
RANGE_SLACK_M = 20e3  # how far beyond a sensor's reach a track may seem to be and still be looked for
QUARTER_TURN = 0.5 * pi * (1.0 + 1e-12)
SWEEPS_MAX = 20  # of belief propagation
SHARE_USED = 0.1  # a smaller share of a detection is no contribution


# Small functions take the arrays they need: handing over a whole State costs more than most of them do.


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def use(counters, used, track, detection):
    """List a detection among the contributions of the current time."""
    if counters[USED] == len(used):
        counters[OVERFLOW_USED] += 1
        return
    used[counters[USED], 0] = track
    used[counters[USED], 1] = detection
    counters[USED] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def sound(det):
    """Whether a detection row can be used: finite where measured, every sigma above 0 (inf: not measured)."""
    for i in range(4):
        sigma = det[4 + i]
        if not sigma > 0.0:
            return False
        if not isinf(sigma) and not np.isfinite(det[i]):
            return False
    if not np.isfinite(det[0]) or not np.isfinite(det[1]):
        return False
    if abs(det[EL]) > QUARTER_TURN:
        return False
    return isinf(det[6]) or det[2] > 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def whole(scan):
    """Whether a scan row can be used: time, place and axes finite, the limits of its field numbers, clutter finite."""
    for i in range(len(scan)):  # noqa: SIM110  (compiled: no generators)
        if np.isnan(scan[i]) or (isinf(scan[i]) and i <= CLUTTER):
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _ranked(dets, at, key):
    """How many detections are sound; their numbers into `at`, by elevation, whatever the order in which they come."""
    good = np.int64(0)
    for j in range(len(dets)):
        if sound(dets[j]):
            at[good] = j
            key[good] = dets[j, EL]
            good += 1
    order_by(at[:good], key[:good])
    for i in range(1, good):  # equal elevations by all their numbers
        j = at[i]
        q = i
        while q > 0 and key[q - 1] == key[i] and _before(dets[j], dets[at[q - 1]]):
            at[q] = at[q - 1]
            q -= 1
        at[q] = j
    return good


@njit(cache=True, nogil=True, error_model="numpy")
def _before(a, b):
    """Whether detection row a comes before b by their numbers in turn."""
    for i in range(DETECTION_WIDTH):
        if a[i] != b[i]:
            return a[i] < b[i]
    return False


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _keep(row, scan, det, ready):
    """Write an unassociated detection with its scan and its direction into a row of State.left."""
    for i in range(SCAN_WIDTH):
        row[i] = scan[i]
    for i in range(DETECTION_WIDTH):
        row[LEFT_DET + i] = det[i]
    for i in range(3):
        row[LEFT_Z + i] = ready[Z + i]


@njit(cache=True, nogil=True, error_model="numpy")
def is_young(info, cov, speed_max):
    """Whether a track has a place but no velocity yet: wider, root mean square, than a quarter of the top speed."""
    if info[STATUS] != _TENTATIVE or info[LINE] == 1:
        return False
    return cov[3, 3] + cov[4, 4] + cov[5, 5] > 3.0 * (0.25 * speed_max) ** 2


@njit(cache=True, nogil=True, error_model="numpy")
def _claim(score, p):
    """ln of the odds that a track of this log-odds of existence gives a detection, `p` the chance if it exists."""
    if score == EXISTENCE_MAX:
        return log(p / (1.0 - p))
    chance = p / (1.0 + exp(-score))
    return log(chance / (1.0 - chance))


@njit(cache=True, nogil=True, error_model="numpy")
def existence(score, p, alone):
    """Log-odds of existence after a scan that left the track without a detection with probability `alone`.

    A track that has one exists; one that has none may still have been missed. D. Musicki and R. Evans, "Joint
    integrated probabilistic data association", IEEE Trans. AES-40, 2004.
    """
    odds = exp(score)
    missed = odds * (1.0 - p)  # exists and was missed, beside 1: does not exist
    share = alone / (1.0 + missed)
    if not share > 0.0:
        return EXISTENCE_MAX
    return min(log((1.0 - alone) / share + missed), EXISTENCE_MAX)


@njit(cache=True, nogil=True, error_model="numpy")
def shown(missed, hits):
    """What a look shows of a track: ln of its likelihood for a target, missed with chance `missed`, over a ghost's.

    A ghost lives on the detections of others: of two sensors that should see it, one does. hits: 1, or 0.
    """
    if missed > 0.5:
        return 0.0  # this sensor misses half of everything: its looks tell nothing
    return log((1.0 - missed) / 0.5) if hits > 0.0 else log(max(missed, 1e-3) / 0.5)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def note(info, quiet, scan, bits, found):
    """Note that a track got a detection, which shows so much (`shown`). info, quiet: the track's rows."""
    quiet[RECORD] = min(quiet[RECORD] + found, RECORD_MAX)
    info[HITS] += 1
    info[MISSED] = 0
    info[ORIGINATORS] |= bits
    info[EXPECTED] = 1
    if scan[KIND] == _INFRARED:
        quiet[1] = scan[T]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _miss(info, quiet, weight, motion, sense, scan, miss):
    """Note that a track was in view and got nothing; what its score loses by it. All but `scan`: the track's rows.

    A known target that coasts is cold: that infrared does not see it says nothing against the track.
    """
    info[EXPECTED] = 1
    dark = False
    if scan[KIND] == _INFRARED:
        dark = (
            sense and quiet[0] < 0.0
        )  # a target that goes dark is missed by all at once: one miss a time is evidence
        quiet[0] += miss
        if sense and info[STATUS] == _CONFIRMED:
            coasting = 0.0
            for m in range(len(motion)):
                if int(motion[m, ROLE]) == BALLISTIC:
                    coasting += weight[m]
            if coasting > 0.5:
                return 0.0
    info[MISSED] += 1
    if dark:
        return 0.0
    quiet[RECORD] += shown(exp(miss), 0.0)
    return miss


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def take_scan(state, settings, scan, bits, dets, idents):
    """One scan: gate, associate, update; count misses where the target should have been seen; keep the rest."""
    c = state.counters
    n = c[LIVE]
    m = len(idents)
    p = min(max(scan[P_DETECT], 1e-3), 1.0 - 1e-3)
    miss = log(1.0 - p)
    infrared = scan[KIND] == _INFRARED
    found = shown(1.0 - p, 1.0)
    doubtful = settings.time_sigma > 0.0 or len(settings.bias) > 0
    if m == 0:
        for i in range(n):
            k = state.slots[i]
            if infrared and is_young(state.info[k], state.cov[k, 0], settings.speed_max):
                continue  # points feed it, not lines (start._feed)
            if len(settings.motion) == 1:
                seen = in_view(state.mean[k, 0], scan)
            else:
                collapse_position(
                    state.mean[k], state.cov[k], state.weight[k], state.work[0, 0], state.work[1]
                )
                seen = in_view(state.work[0, 0], scan)
            if seen:
                state.score[k] += _miss(
                    state.info[k],
                    state.quiet[k],
                    state.weight[k],
                    settings.motion,
                    settings.sense,
                    scan,
                    miss,
                )
        return
    at = np.empty(m, np.int64)
    taken = np.empty(m)  # how much of each detection the tracks took; first a scratch to sort by
    good = _ranked(dets, at, taken)
    c[ABSURD] += m - good
    m = good
    ready = np.empty((m, READY))
    for j in range(m):
        prepare(scan, dets[at[j]], ready[j])
    view = state.looks
    reach = scan[RANGE_MAX] + RANGE_SLACK_M
    reach *= reach
    for i in range(n):
        k = state.slots[i]
        x = state.mean[k, 0]
        if len(settings.motion) > 1:
            x = state.work[0, 0]
            collapse_position(state.mean[k], state.cov[k], state.weight[k], x, state.work[1])
        gone = state.info[k, STATUS] == _DELETED
        if gone or (infrared and is_young(state.info[k], state.cov[k, 0], settings.speed_max)):
            view[i, RHO] = -1.0
            continue
        d0 = x[0] - scan[R]
        d1 = x[1] - scan[R + 1]
        d2 = x[2] - scan[R + 2]
        if d0 * d0 + d1 * d1 + d2 * d2 > reach:
            view[i, RHO] = -1.0
            continue
        if len(settings.motion) > 1:
            look(x, state.work[1], scan, view[i])
        else:
            look(x, state.cov[k, 0], scan, view[i])
        if doubtful:
            widen(
                view[i],
                state.mean[k],
                state.weight[k],
                state.cross[k],
                settings.bias,
                settings.time_sigma,
                scan,
            )
    each = min(EDGES_EACH, m)
    size = n * each
    edge_row = np.empty(size, np.int64)
    edge_column = np.empty(size, np.int64)
    edge_gain = np.empty(size)
    first = np.empty(n + 1, np.int64)
    count, lost = edges(view, n, scan, ready, settings.gate, each, edge_row, edge_column, edge_gain, first)
    c[OVERFLOW_EDGES] += lost
    if len(settings.motion) > 1:
        _contested(
            state.mean, state.cov, state.weight, state.slots, n, scan, ready, first, edge_column, edge_gain
        )
    clutter = log(max(scan[CLUTTER], CLUTTER_MIN))
    for i in range(n):  # a track that may not exist has less claim to a detection (Musicki and Evans, 2004)
        k = state.slots[i]
        base = _claim(state.score[k], p) - clutter
        if not infrared and is_young(state.info[k], state.cov[k, 0], settings.speed_max):
            # in clutter its second plot is always likelier false than true: it takes the best, and the third decides
            base = log(p) - miss - clutter
        for e in range(first[i], first[i + 1]):
            edge_gain[e] += base
    probability = np.empty(count)
    alone = np.empty(n)
    chosen = np.empty(n, np.int64)
    soft = np.empty(n, np.int64)
    c[SOFT] += associate(
        n, m, edge_row, edge_column, edge_gain, count, settings.ambiguity, np.int64(SWEEPS_MAX),
        probability, alone, chosen, soft, workspace(n, m, count),
    )  # fmt: skip
    place = state.work[0, 0]
    taker = np.empty(m, np.int64)
    for j in range(m):
        taken[j] = 0.0
        taker[j] = -1
    for i in range(n):
        if chosen[i] >= 0:
            taker[chosen[i]] = i
    columns = np.empty(each, np.int64)
    shares = np.empty(each)
    reference = np.empty(each)
    for i in range(n):
        k = state.slots[i]
        a, b = first[i], first[i + 1]
        if a == b:
            if view[i, RHO] >= 0.0 and in_view(_position(state.mean[k], state.weight[k], place), scan):
                state.score[k] += _miss(
                    state.info[k],
                    state.quiet[k],
                    state.weight[k],
                    settings.motion,
                    settings.sense,
                    scan,
                    miss,
                )
            continue
        # decided: one detection whole, or none; so a track still wide, which would smear itself over all it can reach
        if soft[i] == 0 or state.info[k, STATUS] != _CONFIRMED:
            j = chosen[i]
            if j >= 0:
                e = a
                while edge_column[e] != j:
                    e += 1
                gain = edge_gain[e]
                if not infrared and is_young(state.info[k], state.cov[k, 0], settings.speed_max):
                    gain += (
                        _claim(state.score[k], p) - log(p) + miss
                    )  # taken all the same, believed for what it is
                if (
                    state.score[k] + gain + miss > EXISTENCE_MAX
                ):  # what the next line comes to, without its cost
                    state.score[k] = EXISTENCE_MAX
                else:
                    exists = 1.0 / (1.0 + exp(-gain))  # of the pair: the detection is the track's
                    state.score[k] = existence(state.score[k], p, 1.0 - exists)
                taken[j] = 1.0
                if doubtful or len(settings.motion) > 1:
                    hit(
                        state.mean[k], state.cov[k], state.weight[k], state.cross[k], settings.bias,
                        settings.time_sigma, scan, ready[j], state.work,
                    )  # fmt: skip
                else:
                    absorb(state.mean[k, 0], state.cov[k, 0], scan, ready[j], state.work[0])
                note(state.info[k], state.quiet[k], scan, bits, found)
                use(c, state.used, state.info[k, TRACK], idents[at[j]])
            elif in_view(_position(state.mean[k], state.weight[k], place), scan):
                if _unresolved(settings.resolution, view, i, a, b, edge_column, edge_gain, taker, ready):
                    c[UNRESOLVED] += 1
                    state.info[k, EXPECTED] = 1
                else:
                    state.score[k] += _miss(
                        state.info[k],
                        state.quiet[k],
                        state.weight[k],
                        settings.motion,
                        settings.sense,
                        scan,
                        miss,
                    )
            continue
        q = 0
        base = _claim(state.score[k], p) - clutter
        for e in range(a, b):
            if probability[e] > 1e-6:
                j = edge_column[e]
                columns[q] = j
                shares[q] = probability[e]
                reference[q] = edge_gain[e] - base
                taken[j] += probability[e]
                if probability[e] > SHARE_USED:
                    use(c, state.used, state.info[k, TRACK], idents[at[j]])
                q += 1
        state.score[k] = existence(state.score[k], p, alone[i])
        if q > 0:
            hit_shares(
                state.mean[k], state.cov[k], state.weight[k], state.cross[k], settings.bias, settings.time_sigma,
                scan, ready, columns[:q], shares[:q], reference[:q], alone[i], state.work,
            )  # fmt: skip
        if alone[i] < 0.5:
            note(state.info[k], state.quiet[k], scan, bits, found)
        elif in_view(_position(state.mean[k], state.weight[k], place), scan):
            _miss(state.info[k], state.quiet[k], state.weight[k], settings.motion, settings.sense, scan, miss)
    _twins(state.info, state.slots[:n], first, edge_column, chosen)
    kept = 0
    for j in range(m):
        if taken[j] < 0.5:
            room = c[LEFT] < len(state.left) and kept < LEFT_EACH
            if not room:
                c[OVERFLOW_LEFT] += 1
                continue
            _keep(state.left[c[LEFT]], scan, dets[at[j]], ready[j])
            state.left_int[c[LEFT], 0] = idents[at[j]]
            state.left_int[c[LEFT], 1] = bits
            c[LEFT] += 1
            kept += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _contested(mean, cov, weight, slots, n, scan, ready, first, edge_column, edge_gain):
    """Weigh contested pairs by the mixture of the models' likelihoods, in place, where they were one Gaussian's.

    A gate must be as wide as the widest model; a choice between two detections must not: a few per cent of a model
    that may do anything would make both alike. Pairs that nothing competes with stay as they are.
    """
    degree = np.zeros(len(ready), np.int64)
    for e in range(first[n]):
        degree[edge_column[e]] += 1
    rows = np.empty((len(weight[0]), LOOK))
    for i in range(n):
        a, b = first[i], first[i + 1]
        if a == b or (b == a + 1 and degree[edge_column[a]] == 1):
            continue
        k = slots[i]
        for q in range(len(rows)):
            look(mean[k, q], cov[k, q], scan, rows[q])
        for e in range(a, b):
            best = -np.inf
            total = 0.0
            for q in range(len(rows)):
                _d2, value = distance(rows[q], ready[edge_column[e]])
                value += log(weight[k, q])
                if value > best:
                    total = total * exp(best - value) + 1.0
                    best = value
                else:
                    total += exp(value - best)
            if total > 0.0:
                edge_gain[e] = best + log(total)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _position(mean, weight, out):
    """Position of a track [3 or more]: of the mixture (into `out`), or of the only model."""
    if len(weight) == 1:
        return mean[0]
    for a in range(3):
        out[a] = 0.0
        for m in range(len(weight)):
            out[a] += weight[m] * mean[m, a]
    return out


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _unresolved(resolution, view, i, a, b, edge_column, edge_gain, taker, ready):
    """Whether the track of row i may hide in a detection that another track took, closer than the sensor resolves."""
    if resolution == 0.0:
        return False
    best = a
    for e in range(a, b):
        if edge_gain[e] > edge_gain[best]:
            best = e
    j = edge_column[best]
    other = taker[j]
    if other < 0 or other == i or view[other, RHO] < 0.0:
        return False
    apart = 0.0
    for q in range(3):
        apart += (view[i, U + q] - view[other, U + q]) ** 2
    return apart < resolution**2 * (ready[j, VAR_AZ] + ready[j, VAR_EL])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _twins(info, slots, first, edge_column, chosen):
    """What this scan says of tracks that may double each other: a detection for each, or one between them."""
    for i in range(len(slots)):
        k = slots[i]
        twin = info[k, TWIN]
        if twin < 0 or info[k, APART] == 1:
            continue
        other = -1
        for q in range(len(slots)):  # few tracks have a twin at all
            if slots[q] == twin:
                other = q
                break
        if other < 0:
            continue
        if chosen[i] >= 0 and chosen[other] >= 0:
            info[k, APART] = 1
        elif chosen[i] >= 0 or chosen[other] >= 0:
            mine, its = (i, other) if chosen[i] >= 0 else (other, i)
            for e in range(first[its], first[its + 1]):
                if edge_column[e] == chosen[mine]:
                    info[k, SHARED] = 1

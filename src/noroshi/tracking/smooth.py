"""Fixed-interval smoothing of recorded tracks: every state given all of the track's detections, earlier and later.

A Rauch-Tung-Striebel smoother in the form of A. E. Bryson and M. Frazier (1963) for interacting multiple models; the
derivation stands in docs/theory/smoothing.md. The forward pass is the tracker's mixture with the detections that the
tracker gave to the track; no association is done here.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import ceil, exp, inf, log, sqrt

import numpy as np
from jaxtyping import Float64, Int64
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.errors import DataError
from noroshi.tables import Contributions, Detections, Scans, Status, Tracks, unpack_covariance
from noroshi.tracking.columns import pack_detections, pack_scans
from noroshi.tracking.contributed import uses
from noroshi.tracking.measurement import update
from noroshi.tracking.mixture import (
    SHARE_MIN,
    WEIGHT_MIN,
    mix,
    normalise,
    transition_probabilities,
    weigh_sense,
)
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.parameters import ROLE, parameters
from noroshi.tracking.transition import export, meaning, prior, transition

STEP_MAX_S = 5.0  # longer gaps are taken in steps: gravity's gradient changes by 1.5 % in 5 s at 7 km/s
_N = 9
_WIDE = 2 * _N + 2  # of `_given`: a matrix, a right side of its own size and two columns
_FIXED = (
    1e-13  # a pivot that has lost all but this share of its diagonal is a component that the others determine
)
_CUT = 1e-9  # in units of the filtered variance: rounding of the adjoint information
_HALVINGS = 8
_FORGOTTEN = 1e-12  # a model with less smoothed weight is dropped from there backwards


@njit(cache=True, nogil=True, error_model="numpy")
def _copy(mean, cov, to_mean, to_cov):
    for i in range(_N):
        to_mean[i] = mean[i]
        for j in range(_N):
            to_cov[i, j] = cov[i, j]


@njit(cache=True, nogil=True, error_model="numpy")
def _multiply(a, b, out):
    """out = a b, all [9, 9]."""
    for i in range(_N):
        for j in range(_N):
            out[i, j] = 0.0
        for k in range(_N):
            v = a[i, k]
            if v != 0.0:
                for j in range(_N):
                    out[i, j] += v * b[k, j]


@njit(cache=True, nogil=True, error_model="numpy")
def _congruence(f, s, work, out):
    """out = f' s f for a symmetric s, exactly symmetric; all [9, 9]."""
    _multiply(s, f, work)
    for i in range(_N):
        for j in range(_N):
            out[i, j] = 0.0
    for k in range(_N):
        for i in range(_N):
            v = f[k, i]
            if v != 0.0:
                for j in range(_N):
                    out[i, j] += v * work[k, j]
    _symmetric(out)


@njit(cache=True, nogil=True, error_model="numpy")
def _symmetric(a):
    for i in range(_N):
        for j in range(i):
            v = 0.5 * (a[i, j] + a[j, i])
            a[i, j] = v
            a[j, i] = v


@njit(cache=True, nogil=True, error_model="numpy")
def _cholesky(p, low):
    """Lower factor of a covariance; a component without variance of its own gets a zero row and column."""
    for i in range(_N):
        for j in range(i + 1):
            s = p[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            if i == j:
                low[i, i] = sqrt(s) if s > _FIXED * p[i, i] else 0.0
            else:
                low[i, j] = s / low[j, j] if low[j, j] > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(low, b):
    """b <- (low low')^-1 b in place, b [9, n]; components without variance give 0."""
    n = b.shape[1]
    for i in range(_N):
        if low[i, i] == 0.0:
            for c in range(n):
                b[i, c] = 0.0
            continue
        for k in range(i):
            v = low[i, k]
            for c in range(n):
                b[i, c] -= v * b[k, c]
        v = 1.0 / low[i, i]
        for c in range(n):
            b[i, c] *= v
    for i in range(_N - 1, -1, -1):
        if low[i, i] == 0.0:
            continue
        for k in range(i + 1, _N):
            v = low[k, i]
            for c in range(n):
                b[i, c] -= v * b[k, c]
        v = 1.0 / low[i, i]
        for c in range(n):
            b[i, c] *= v


@njit(cache=True, nogil=True, error_model="numpy")
def _eliminate(a):
    """[A B] -> [. A^-1 B] in place by elimination with pivots, a [9, 20] with A [9, 9]; the determinant of A."""
    det = 1.0
    for k in range(_N):
        best = k
        top = abs(a[k, k])
        for i in range(k + 1, _N):
            if abs(a[i, k]) > top:
                best = i
                top = abs(a[i, k])
        if top == 0.0:
            return 0.0
        if best != k:
            det = -det
            for c in range(_WIDE):
                a[k, c], a[best, c] = a[best, c], a[k, c]
        det *= a[k, k]
        r = 1.0 / a[k, k]
        for c in range(_WIDE):
            a[k, c] *= r
        for i in range(k + 1, _N):
            v = a[i, k]
            if v != 0.0:
                for c in range(_WIDE):
                    a[i, c] -= v * a[k, c]
    for k in range(_N - 1, 0, -1):
        for i in range(k):
            v = a[i, k]
            for c in range(_N, _WIDE):
                a[i, c] -= v * a[k, c]
    return det


@njit(cache=True, nogil=True, error_model="numpy")
def _informs(a, p, low):
    """Whether the symmetric a [9, 9] takes no information away, up to rounding in units of the covariance p."""
    for i in range(_N):
        allowed = _CUT / p[i, i] if p[i, i] > 0.0 else inf
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            if i != j:
                low[i, j] = s / low[j, j] if low[j, j] > 0.0 else 0.0
            elif s < -allowed:
                return False
            else:
                low[i, i] = sqrt(s) if s > allowed else 0.0
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _take(mean, cov, weight, scans, dets, first, last, trial_mean, trial_cov, gain, trial):
    """Update the mixture with one scan's detections first..last-1 of this track, in place.

    Of several (a soft association names all that had a share) the one that the mixture finds likeliest counts.
    """
    models = len(weight)
    chosen = first
    best = -inf
    if last - first > 1:
        for d in range(first, last):
            top = -inf
            for m in range(models):
                _copy(mean[m], cov[m], trial_mean[m], trial_cov[m])
                trial[m] = update(trial_mean[m], trial_cov[m], scans[d], dets[d])
                top = max(top, trial[m])
            total = 0.0
            for m in range(models):
                total += weight[m] * exp(trial[m] - top)
            if top + log(total) > best:
                best = top + log(total)
                chosen = d
    for m in range(models):
        gain[m] = update(mean[m], cov[m], scans[chosen], dets[chosen])
        best = gain[m] if m == 0 else max(best, gain[m])
    for m in range(models):
        weight[m] *= exp(gain[m] - best)
    normalise(weight)


@njit(cache=True, nogil=True, error_model="numpy")
def _forward(
    motion,
    sense,
    times,
    scans,
    dets,
    group,
    filtered,
    filtered_cov,
    weight,
    ahead,
    ahead_cov,
    mixed,
    mixed_cov,
    f,
):
    """The mixture from the state at node 0 on; group [node, 2]: the rows of `scans` and `dets` used at each."""
    models = len(motion)
    chances = np.empty((models, models))
    mean0 = np.empty((models, _N))
    cov0 = np.empty((models, _N, _N))
    weight0 = np.empty(models)
    gain = np.empty(models)
    q = np.empty((_N, _N))
    half = np.empty((_N, _N))
    turned = np.empty((_N, _N))
    for n in range(1, len(times)):
        t = times[n] - times[n - 1]
        transition_probabilities(motion, t, chances)
        for m in range(models):
            weight[n, m] = weight[n - 1, m]
            _copy(filtered[n - 1, m], filtered_cov[n - 1, m], mixed[n, m], mixed_cov[n, m])
        if models > 1:
            mix(mixed[n], mixed_cov[n], weight[n], chances, motion, mean0, cov0, weight0)
        for m in range(models):
            for i in range(_N):
                ahead[n, m, i] = mixed[n, m, i]
            transition(ahead[n, m], t, motion[m], f[n, m], q)
            for i in range(_N):
                for j in range(_N):
                    turned[j, i] = f[n, m, i, j]
            _congruence(turned, mixed_cov[n, m], half, ahead_cov[n, m])
            for i in range(_N):
                for j in range(_N):
                    ahead_cov[n, m, i, j] += q[i, j]
            _copy(ahead[n, m], ahead_cov[n, m], filtered[n, m], filtered_cov[n, m])
        if sense and models > 1:
            weigh_sense(filtered[n], filtered_cov[n], weight[n], motion, min(t, 1.0))
        d = group[n, 0]
        while d < group[n, 1]:
            last = d + 1
            while last < group[n, 1] and scans[last, 0] == scans[d, 0] and scans[last, 2] == scans[d, 2]:
                last += 1
            _take(filtered[n], filtered_cov[n], weight[n], scans, dets, d, last, mean0, cov0, gain, weight0)
            d = last


@njit(cache=True, nogil=True, error_model="numpy")
def _before_update(prior_mean, prior_cov, mean, cov, pull, inform, low, y, work):
    """Adjoint relative to the state after a time's detections -> relative to that before them, in place.

    With Y = P-^-1 (P- - P): pull- = P-^-1 (x - x-) + (I - Y) pull, inform- = (I - Y) inform (I - Y)' + Y P-^-1.
    """
    _cholesky(prior_cov, low)
    step = np.empty((_N, 1))
    for i in range(_N):
        step[i, 0] = mean[i] - prior_mean[i]
        for j in range(_N):
            y[i, j] = prior_cov[i, j] - cov[i, j]
    _solve(low, y)
    _solve(low, step)
    keep = np.empty((_N, _N))  # (I - Y)'
    for i in range(_N):
        for j in range(_N):
            keep[i, j] = (1.0 if i == j else 0.0) - y[j, i]
    moved = np.empty(_N)
    for i in range(_N):
        v = step[i, 0]
        for j in range(_N):
            v += keep[j, i] * pull[j]
        moved[i] = v
    out = np.empty((_N, _N))
    _congruence(keep, inform, work, out)
    for i in range(_N):  # Y P-^-1 = (P-^-1 Y')'
        for j in range(_N):
            work[i, j] = y[j, i]
    _solve(low, work)
    for i in range(_N):
        pull[i] = moved[i]
        for j in range(_N):
            inform[i, j] = out[i, j] + 0.5 * (work[i, j] + work[j, i])


@njit(cache=True, nogil=True, error_model="numpy")
def _given(pull, inform, mean0, cov0, mean, cov, pull_out, inform_out, a, d, off):
    """One future's adjoint relative to N(mean0, cov0) -> relative to N(mean, cov); the change in log-evidence.

    -inf where rounding has left no sensible future. a [9, 20], d [9, 9], off [9]: scratch.
    """
    for i in range(_N):
        off[i] = mean0[i] - mean[i]
        for j in range(_N):
            d[i, j] = cov[i, j] - cov0[i, j]
    for i in range(_N):
        for j in range(_N):
            a[i, j] = 0.0
        a[i, i] = 1.0
        v = pull[i]
        for k in range(_N):
            w = inform[i, k]
            a[i, _N + k] = w
            v += w * off[k]
            for j in range(_N):
                a[i, j] += w * d[k, j]
        a[i, 2 * _N] = v
        a[i, 2 * _N + 1] = pull[i]
    det = _eliminate(a)
    if not det > 0.0:
        return -inf
    squares = 0.0
    for i in range(_N):
        pull_out[i] = a[i, 2 * _N]
        for j in range(_N):
            inform_out[i, j] = 0.5 * (a[i, _N + j] + a[j, _N + i])
    for i in range(_N):
        v = 2.0 * a[i, 2 * _N + 1]
        w = 0.0
        for j in range(_N):
            v += inform_out[i, j] * off[j]
            w += d[i, j] * a[j, 2 * _N + 1]
        squares += off[i] * v - pull[i] * w
    return -0.5 * (log(det) + squares)


@njit(cache=True, nogil=True, error_model="numpy")
def _backward(
    motion,
    times,
    group,
    filtered,
    filtered_cov,
    weight,
    ahead,
    ahead_cov,
    mixed,
    mixed_cov,
    f,
    smoothed,
    smoothed_cov,
):
    """Adjoints from the last node to the first; smoothed moments of every model and their weights, in place.

    `weight` [node, model] becomes the smoothed weights.
    """
    models = len(motion)
    nodes = len(times)
    pull = np.zeros((models, _N))
    inform = np.zeros((models, _N, _N))
    chances = np.empty((models, models))
    means = np.empty(models, np.int64)
    extras = np.empty((models, 3))
    variances = np.empty((models, 3))
    for m in range(models):
        means[m] = meaning(motion[m])
        prior(motion[m], extras[m], variances[m])
    pulls = np.empty((models, models, _N))
    informs = np.empty((models, models, _N, _N))
    joint = np.empty((models, models))
    mean = np.empty(_N)
    cov = np.empty((_N, _N))
    one = np.empty((_N, _N))
    two = np.empty((_N, _N))
    three = np.empty((_N, _N))
    moved = np.empty(_N)
    wide = np.empty((_N, _WIDE))
    for m in range(models):
        _copy(
            filtered[nodes - 1, m],
            filtered_cov[nodes - 1, m],
            smoothed[nodes - 1, m],
            smoothed_cov[nodes - 1, m],
        )
    for n in range(nodes - 1, 0, -1):
        transition_probabilities(motion, times[n] - times[n - 1], chances)
        for j in range(models):
            if weight[n, j] < _FORGOTTEN:
                continue
            if group[n, 1] > group[n, 0]:
                _before_update(
                    ahead[n, j],
                    ahead_cov[n, j],
                    filtered[n, j],
                    filtered_cov[n, j],
                    pull[j],
                    inform[j],
                    one,
                    two,
                    three,
                )
            for a in range(_N):
                v = 0.0
                for b in range(_N):
                    v += f[n, j, b, a] * pull[j, b]
                moved[a] = v
            for a in range(_N):
                pull[j, a] = moved[a]
            _congruence(f[n, j], inform[j], one, two)
            for a in range(_N):
                for b in range(_N):
                    inform[j, a, b] = two[a, b]
        top = -inf
        for j in range(models):
            for i in range(models):
                joint[i, j] = -inf
            if weight[n, j] < _FORGOTTEN:
                continue
            reach = 0.0
            for i in range(models):
                reach += chances[i, j] * weight[n - 1, i]
            alone = models == 1 or chances[j, j] * weight[n - 1, j] > (1.0 - SHARE_MIN) * reach
            for i in range(models):
                share = chances[i, j] * weight[n - 1, i] / reach
                if alone:
                    if i == j:
                        _copy(pull[j], inform[j], pulls[i, j], informs[i, j])
                        joint[i, j] = log(weight[n, j])
                        top = max(top, joint[i, j])
                    continue
                if share < SHARE_MIN:
                    continue
                for a in range(_N):
                    mean[a] = filtered[n - 1, i, a]
                    for b in range(_N):
                        cov[a, b] = filtered_cov[n - 1, i, a, b]
                if means[i] != means[j]:
                    for a in range(6, _N):
                        mean[a] = extras[j, a - 6]
                        for b in range(_N):
                            cov[a, b] = 0.0
                            cov[b, a] = 0.0
                        cov[a, a] = variances[j, a - 6]
                value = _given(
                    pull[j],
                    inform[j],
                    mixed[n, j],
                    mixed_cov[n, j],
                    mean,
                    cov,
                    pulls[i, j],
                    informs[i, j],
                    wide,
                    one,
                    moved,
                )
                if means[i] != means[j]:  # nothing that comes later tells of extras that were not handed on
                    for a in range(6, _N):
                        pulls[i, j, a] = 0.0
                        for b in range(_N):
                            informs[i, j, a, b] = 0.0
                            informs[i, j, b, a] = 0.0
                # not normalised for each j: where the mixture is far from the one Gaussian for which weight[n, j] was
                # found, its own evidence corrects that
                joint[i, j] = log(weight[n, j] * share) + value
                top = max(top, joint[i, j])
        for i in range(models):
            for j in range(models):
                joint[i, j] = exp(joint[i, j] - top) if joint[i, j] > -inf else 0.0
        grand = 0.0
        for i in range(models):
            total = 0.0
            for j in range(models):
                total += joint[i, j]
            weight[n - 1, i] = total
            grand += total
            for a in range(_N):
                pull[i, a] = 0.0
                for b in range(_N):
                    inform[i, a, b] = 0.0
                    one[a, b] = 0.0
            several = 0
            for j in range(models):
                if joint[i, j] > 0.0:
                    several += 1
                    v = joint[i, j] / total
                    for a in range(_N):
                        pull[i, a] += v * pulls[i, j, a]
                        for b in range(_N):
                            inform[i, a, b] += v * informs[i, j, a, b]
            if several > 1:
                for j in range(models):
                    if joint[i, j] > 0.0:
                        v = joint[i, j] / total
                        for a in range(_N):
                            d = v * (pulls[i, j, a] - pull[i, a])
                            for b in range(_N):
                                one[a, b] += d * (pulls[i, j, b] - pull[i, b])
            # moments after all detections, spread of the futures included
            for a in range(_N):
                for b in range(_N):
                    two[a, b] = inform[i, a, b] - one[a, b]
            _congruence(filtered_cov[n - 1, i], two, three, cov)
            for a in range(_N):
                v = filtered[n - 1, i, a]
                for b in range(_N):
                    v += filtered_cov[n - 1, i, a, b] * pull[i, b]
                    smoothed_cov[n - 1, i, a, b] = filtered_cov[n - 1, i, a, b] - cov[a, b]
                smoothed[n - 1, i, a] = v
            if several > 1:  # what is handed on backwards: no future may take information away
                share = 1.0
                for _ in range(_HALVINGS):
                    if _informs(two, filtered_cov[n - 1, i], three):
                        break
                    share *= 0.5
                    for a in range(_N):
                        for b in range(_N):
                            two[a, b] = inform[i, a, b] - share * one[a, b]
                else:
                    for a in range(_N):
                        for b in range(_N):
                            two[a, b] = inform[i, a, b]
                for a in range(_N):
                    for b in range(_N):
                        inform[i, a, b] = two[a, b]
        for i in range(models):
            weight[n - 1, i] = weight[n - 1, i] / grand if grand > 0.0 else weight[n, i]


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_states(motion, sense, times, scans, dets, group, mean, cov, weight):
    """Smoothed mixture of one track at its nodes: mean [node, model, 9], cov [node, model, 9, 9], weight [node, model].

    motion: rows of `parameters`; times [node], steps of at most a few seconds; scans, dets: rows of the detections
    used, in order; group [node, 2]: which of them belong to each node (node 0: none); mean [model, 9],
    cov [model, 9, 9], weight [model]: the mixture at node 0, everything up to then included.
    """
    models = len(motion)
    nodes = len(times)
    filtered = np.empty((nodes, models, _N))
    filtered_cov = np.empty((nodes, models, _N, _N))
    weights = np.empty((nodes, models))
    ahead = np.empty((nodes, models, _N))
    ahead_cov = np.empty((nodes, models, _N, _N))
    mixed = np.empty((nodes, models, _N))
    mixed_cov = np.empty((nodes, models, _N, _N))
    f = np.empty((nodes, models, _N, _N))
    smoothed = np.empty((nodes, models, _N))
    smoothed_cov = np.empty((nodes, models, _N, _N))
    for m in range(models):
        _copy(mean[m], cov[m], filtered[0, m], filtered_cov[0, m])
        weights[0, m] = weight[m]
    _forward(
        motion,
        sense,
        times,
        scans,
        dets,
        group,
        filtered,
        filtered_cov,
        weights,
        ahead,
        ahead_cov,
        mixed,
        mixed_cov,
        f,
    )
    _backward(
        motion, times, group, filtered, filtered_cov, weights, ahead, ahead_cov, mixed, mixed_cov, f,
        smoothed, smoothed_cov,
    )  # fmt: skip
    return smoothed, smoothed_cov, weights


@njit(cache=True, nogil=True, error_model="numpy")
def _collapse(motion, mean, cov, weight, out_mean, out_cov):
    """Moments of the mixture as position, velocity, acceleration: out_mean [9], out_cov [45] packed."""
    models = len(weight)
    x = np.empty((models, _N))
    p = np.empty((models, _N, _N))
    for a in range(_N):
        out_mean[a] = 0.0
    for m in range(models):
        export(mean[m], cov[m], motion[m], x[m], p[m])
        for a in range(_N):
            out_mean[a] += weight[m] * x[m, a]
    q = 0
    for a in range(_N):
        for b in range(a, _N):
            total = 0.0
            for m in range(models):
                total += weight[m] * (p[m, a, b] + (x[m, a] - out_mean[a]) * (x[m, b] - out_mean[b]))
            out_cov[q] = total
            q += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _smooth_row(
    motion, sense, times, row, scans, dets, group, mean, cov, modes, out_mean, out_cov, out_modes
):
    """One track from its first row's moments to all its rows', in place. row [node]: number of its row, -1 none.

    Where all models carry an acceleration they start from the row as it stands. Otherwise the row's acceleration is a
    mixture of theirs and of none, and each starts from its own prior for its extras, as a new track does.
    """
    models = len(motion)
    start = np.empty((models, _N))
    start_cov = np.empty((models, _N, _N))
    weight = np.empty(models)
    extras = np.empty(3)
    var = np.empty(3)
    alike = True
    for m in range(models):
        alike = alike and meaning(motion[m]) == 0
    total = 0.0
    for m in range(models):
        same = 0
        for k in range(models):
            if motion[k, ROLE] == motion[m, ROLE]:
                same += 1
        weight[m] = max(modes[int(motion[m, ROLE])] / same, WEIGHT_MIN)
        total += weight[m]
        for a in range(_N):
            start[m, a] = mean[a]
            for b in range(_N):
                start_cov[m, a, b] = cov[a, b]
        if not alike:
            prior(motion[m], extras, var)
            for a in range(6, _N):
                start[m, a] = extras[a - 6]
                for b in range(_N):
                    start_cov[m, a, b] = 0.0
                    start_cov[m, b, a] = 0.0
                start_cov[m, a, a] = var[a - 6]
    for m in range(models):
        weight[m] /= total
    x, p, w = smooth_states(motion, sense, times, scans, dets, group, start, start_cov, weight)
    for n in range(len(times)):
        k = row[n]
        if k < 0:
            continue
        _collapse(motion, x[n], p[n], w[n], out_mean[k], out_cov[k])
        for a in range(3):
            out_modes[k, a] = 0.0
        for m in range(models):
            out_modes[k, int(motion[m, ROLE])] += w[n, m]


def _starts(keys: Int64[np.ndarray, "row 2"]) -> list[tuple[int, int]]:
    """First and past-the-last position of every run of equal keys."""
    if len(keys) == 0:
        return []
    edges = np.flatnonzero(np.any(np.diff(keys, axis=0) != 0, axis=1)) + 1
    return list(pairwise([0, *edges.tolist(), len(keys)]))


def _nodes(
    t_row: Float64[np.ndarray, "row"], t_used: Float64[np.ndarray, "used"]
) -> tuple[Float64[np.ndarray, "node"], Int64[np.ndarray, "node"], Int64[np.ndarray, "node 2"]]:
    """Times of a track's nodes (rows, detections, steps in between), the row at each and the detections used there."""
    marks = np.union1d(t_row, t_used)
    parts = [marks[:1]]
    for a, b in pairwise(marks):
        steps = ceil((b - a) / STEP_MAX_S)
        parts.append(np.append(a + (b - a) / steps * np.arange(1, steps), b))
    times = np.concatenate(parts)
    row = np.full(len(times), -1)
    row[np.searchsorted(times, t_row)] = np.arange(len(t_row))
    group = np.stack(
        [np.searchsorted(t_used, times, "left"), np.searchsorted(t_used, times, "right")], axis=1
    )
    return times, row, group


def smooth(
    config: TrackerConfig, scans: Scans, detections: Detections, tracks: Tracks, contributions: Contributions
) -> Tracks:
    """Smoothed states of every track that was ever confirmed, at the times of its rows, its tentative ones included.

    The track's first row is where it starts: the detections up to then are in that row and are not used again. mean,
    cov and modes are replaced, all other columns kept. Sensor errors are taken as white; what the tracker concludes
    from silence (burn-out) and the shares of a soft association are not in the recorded tables and are not used.
    Raises DataError where the contributions do not belong to the tables.
    """
    motion = np.array([parameters(m) for m in config.models])
    sense = bool(config.sense)
    keys = np.stack([tracks.node, tracks.track], axis=1)
    confirmed = np.unique(keys[tracks.status == Status.CONFIRMED], axis=0)
    used = uses(scans, detections, contributions)
    scan_rows, det_rows = pack_scans(scans), pack_detections(detections)
    picked: list[Int64[np.ndarray, "row"]] = []
    means, covs, modes = tracks.mean.copy(), tracks.cov.copy(), tracks.modes.copy()
    order = np.lexsort((tracks.t, tracks.track, tracks.node))
    starts = _starts(keys[order])
    use_keys = np.stack([contributions.node, contributions.track], axis=1)
    use_order = np.lexsort((used.scan, used.t, contributions.track, contributions.node))
    use_starts = _starts(use_keys[use_order])
    use_of = {tuple(use_keys[use_order[a]]): use_order[a:b] for a, b in use_starts}
    wanted = {tuple(key) for key in confirmed}
    for a, b in starts:
        rows = order[a:b]
        key = tuple(keys[rows[0]])
        if key not in wanted:
            continue
        picked.append(rows)
        t_row = tracks.t[rows]
        if np.any(np.diff(t_row) <= 0.0):
            raise DataError(
                f"track {key[1]} of node {key[0]} has two rows for one time",
                where="tracks",
                remedy="give the rows of one run of the tracker",
            )
        mine = use_of.get(key, np.empty(0, np.int64))
        mine = mine[(used.t[mine] > t_row[0]) & (used.t[mine] <= t_row[-1])]
        times, row, group = _nodes(t_row, used.t[mine])
        x, p, w = means[rows], covs[rows], modes[rows]
        _smooth_row(
            motion, sense, times, row, scan_rows[used.scan[mine]], det_rows[used.detection[mine]], group,
            tracks.mean[rows[0]], unpack_covariance(tracks.cov[rows[0]]), tracks.modes[rows[0]], x, p, w,
        )  # fmt: skip
        means[rows], covs[rows], modes[rows] = x, p, w
    keep = np.sort(np.concatenate(picked)) if picked else np.empty(0, np.int64)
    kept = {name: getattr(tracks, name)[keep] for name in tracks.__dataclass_fields__}
    return replace(tracks, **{**kept, "mean": means[keep], "cov": covs[keep], "modes": modes[keep]})

"""Interacting multiple models of one track: a Gaussian and a weight for each motion model.

Method: H. A. P. Blom and Y. Bar-Shalom, IEEE Trans. AC-33, 780-783 (1988). Arrays of one track: mean [model, 9],
cov [model, 9, 9], weight [model]; `motion` holds a row of `parameters` for each model.
"""

from __future__ import annotations

from math import erf, exp, isinf, log, sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.constants import EARTH_RATE_RAD_S
from noroshi.tracking.columns import SENSOR
from noroshi.tracking.measurement import WIDTH, absorb
from noroshi.tracking.parameters import DWELL, ROLE, ROLES, SPIN
from noroshi.tracking.registration import PARTS, WORK, carry_considered, consider, look_biased
from noroshi.tracking.transition import carry, export, meaning, prior
from noroshi.tracking.visible import height

BOOST = ROLES["boost"]
BALLISTIC = ROLES["ballistic"]
MANOEUVRING = ROLES["manoeuvring"]

WEIGHT_MIN = 1e-6
SHARE_MIN = 1e-4  # smaller shares are left out of a mixing: they cost as much and change nothing
# of `weigh_sense`; notional: they tell the models apart and enter no estimate
CHANCE_MIN = 0.05  # what a model may lose in one second
SENSE_SPEED_M_S = 200.0  # slower than this, the direction of flight is uncertain
# kg/m2, above the 13 000 of the slenderest published glider (D. Wright's public HTV-2 model, L/D 2.6)
BALLISTIC_COEFFICIENT_MAX = 15_000.0
AIR_DENSITY_KG_M3 = 1.225  # sea level, US Standard Atmosphere 1976
AIR_SCALE_M = 7_160.0  # meets the 1976 standard at 60 km; within 35 % of it from 0 to 70 km


@njit(cache=True, nogil=True, error_model="numpy")
def transition_probabilities(motion, t, out):
    """Chance to go from model i (row) to model j in the time t, into `out` [model, model]; leavers share evenly."""
    models = len(motion)
    for i in range(models):
        dwell = motion[i, DWELL]
        stay = 1.0 if isinf(dwell) or models == 1 else exp(-t / dwell)
        for j in range(models):
            out[i, j] = stay if i == j else (1.0 - stay) / (models - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def mix(mean, cov, weight, chances, motion, mean0, cov0, weight0):
    """Mix the models before a prediction, in place. mean0, cov0, weight0: scratch of the same shapes.

    Models whose extras mean different things have none to hand on to each other: the receiver takes its own prior
    for that share, as unequal dimensions require (K. Granstrom, P. Willett, Y. Bar-Shalom, IEEE Trans. AES-51,
    2015), so that thrust after a coast is not ruled out by a falsely sure zero.
    """
    models = len(motion)
    for i in range(models):
        weight0[i] = weight[i]
        for a in range(WIDTH):
            mean0[i, a] = mean[i, a]
            for b in range(WIDTH):
                cov0[i, a, b] = cov[i, a, b]
    extra = np.empty(3)
    var = np.empty(3)
    d = np.empty(WIDTH)
    for j in range(models):
        total = 0.0
        for i in range(models):
            total += chances[i, j] * weight0[i]
        weight[j] = total
        if chances[j, j] * weight0[j] > (1.0 - SHARE_MIN) * total:
            continue
        kept = 0.0
        for i in range(models):
            if chances[i, j] * weight0[i] >= SHARE_MIN * total:
                kept += chances[i, j] * weight0[i]
        mine = meaning(motion[j])
        prior(motion[j], extra, var)
        for a in range(WIDTH):
            mean[j, a] = 0.0
            for b in range(WIDTH):
                cov[j, a, b] = 0.0
        for i in range(models):
            share = chances[i, j] * weight0[i]
            if share >= SHARE_MIN * total:
                width = WIDTH if meaning(motion[i]) == mine else 6
                for a in range(width):
                    mean[j, a] += share / kept * mean0[i, a]
                for a in range(width, WIDTH):
                    mean[j, a] += share / kept * extra[a - 6]
        for i in range(models):
            share = chances[i, j] * weight0[i]
            if share < SHARE_MIN * total:
                continue
            share /= kept
            for a in range(WIDTH):
                d[a] = mean0[i, a] - mean[j, a]
            if meaning(motion[i]) == mine:
                for a in range(WIDTH):
                    for b in range(WIDTH):
                        cov[j, a, b] += share * (cov0[i, a, b] + d[a] * d[b])
                continue
            for a in range(6, WIDTH):
                d[a] = extra[a - 6] - mean[j, a]
                cov[j, a, a] += share * var[a - 6]
            for a in range(WIDTH):
                for b in range(WIDTH):
                    handed = cov0[i, a, b] if a < 6 and b < 6 else 0.0
                    cov[j, a, b] += share * (handed + d[a] * d[b])


@njit(cache=True, nogil=True, error_model="numpy")
def mix_cross(cross, weight, chances, motion):
    """Mix the models' covariances with the biases [model, sensor, 9, 3] before a prediction, in place.

    weight: before `mix`, whose shares these are. A bias is 0 on average under every model, so that the spread of the
    models' means adds nothing; extras that a model takes from its prior know of no bias.
    """
    models = len(motion)
    before = cross.copy()
    for j in range(models):
        total = 0.0
        for i in range(models):
            total += chances[i, j] * weight[i]
        if chances[j, j] * weight[j] > (1.0 - SHARE_MIN) * total:
            continue
        kept = 0.0
        for i in range(models):
            if chances[i, j] * weight[i] >= SHARE_MIN * total:
                kept += chances[i, j] * weight[i]
        cross[j] = 0.0
        for i in range(models):
            share = chances[i, j] * weight[i]
            if share < SHARE_MIN * total:
                continue
            width = WIDTH if meaning(motion[i]) == meaning(motion[j]) else 6
            for q in range(cross.shape[1]):
                for a in range(width):
                    for c in range(PARTS):
                        cross[j, q, a, c] += share / kept * before[i, q, a, c]


@njit(cache=True, nogil=True, error_model="numpy")
def air_drag(x):
    """Drag, m/s2, that the slenderest body would feel in the state x: no more than an order of magnitude."""
    u = x[3] + EARTH_RATE_RAD_S * x[1]
    v = x[4] - EARTH_RATE_RAD_S * x[0]
    density = AIR_DENSITY_KG_M3 * exp(-max(height(x[0], x[1], x[2]), 0.0) / AIR_SCALE_M)
    return density * (u * u + v * v + x[5] * x[5]) / (2.0 * BALLISTIC_COEFFICIENT_MAX)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(mean, cov, weight, cross, slots, motion, sense, t, work):
    """Predict the tracks in `slots` by t > 0 seconds, in place: [slot, model, ...] arrays, work [5, 9, 9] scratch."""
    models = len(motion)
    biased = cross.shape[2] > 0
    if models > 1:
        chances = np.empty((models, models))
        transition_probabilities(motion, t, chances)
        mean0 = np.empty((models, WIDTH))
        cov0 = np.empty((models, WIDTH, WIDTH))
        weight0 = np.empty(models)
    for s in range(len(slots)):
        k = slots[s]
        if models > 1:
            if biased:
                mix_cross(cross[k], weight[k], chances, motion)
            mix(mean[k], cov[k], weight[k], chances, motion, mean0, cov0, weight0)
        for m in range(models):
            if biased:
                carry_considered(mean[k, m], cov[k, m], cross[k, m], t, motion[m], work)
            else:
                carry(mean[k, m], cov[k, m], t, motion[m], work)
        if sense and models > 1:
            weigh_sense(mean[k], cov[k], weight[k], motion, min(t, 1.0))


@njit(cache=True, nogil=True, error_model="numpy")
def normalise(weight):
    """Scale the weights to sum 1, none of them below 1e-6, in place."""
    total = 0.0
    for m in range(len(weight)):
        total += weight[m]
    low = 0.0
    for m in range(len(weight)):
        weight[m] = max(weight[m] / total, WEIGHT_MIN)
        low += weight[m]
    for m in range(len(weight)):
        weight[m] /= low


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_sense(mean, cov, weight, motion, power):
    """Weigh the models by what physics allows: thrust pushes, drag brakes, and no flight in the air is ballistic.

    Kinematics alone hardly separate the models: all are smooth. Each weight is multiplied by a chance (at least
    0.05; to the power of the seconds gone by, at most 1). Boost and manoeuvring: the chance that the model's own
    acceleration points along the velocity (boost) or against it; velocity relative to the turning Earth, or the
    vertical below 200 m/s. Ballistic: exp(-(d / 1 m/s2)^2), where d is the drag that even the slenderest body
    would feel there.
    """
    u = np.empty(3)
    for m in range(len(motion)):
        x = mean[m]
        role = int(motion[m, ROLE])
        if role == BALLISTIC:
            drag = air_drag(x)
            weight[m] *= max(exp(-drag * drag), CHANCE_MIN) ** power
            continue
        if meaning(motion[m]) != 0:
            continue
        u[0] = x[3] + motion[m, SPIN] * x[1]
        u[1] = x[4] - motion[m, SPIN] * x[0]
        u[2] = x[5]
        size = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2])
        if size < SENSE_SPEED_M_S:
            u[0], u[1], u[2] = x[0], x[1], x[2]
            size = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2])
        along = 0.0
        var = 0.0
        for i in range(3):
            u[i] /= size
            along += u[i] * x[6 + i]
        for i in range(3):
            for j in range(3):
                var += u[i] * cov[m, 6 + i, 6 + j] * u[j]
        if not var > 0.0:
            continue
        if role == MANOEUVRING:
            along = -along
        chance = 0.5 * (1.0 + erf(along / sqrt(2.0 * var)))
        weight[m] *= max(chance, CHANCE_MIN) ** power
    normalise(weight)


@njit(cache=True, nogil=True, error_model="numpy")
def take(mean, cov, cross, bias, time_sigma, scan, ready, work):
    """Update one Gaussian with one ready detection, in place; its log-likelihood. Biases and time tags are considered.

    mean [9], cov [9, 9], cross [sensor, 9, 3], bias [sensor, 3] variances; work [9, 9]: scratch.
    """
    if len(bias) == 0 and time_sigma == 0.0:
        return absorb(mean, cov, scan, ready, work)
    return consider(
        mean, cov, cross, bias, int(scan[SENSOR]), time_sigma, scan, ready, np.empty((WORK, WIDTH))
    )


@njit(cache=True, nogil=True, error_model="numpy")
def widen(row, mean, weight, cross, bias, time_sigma, scan):
    """Widen how a track lies for a sensor (a row of measurement.look) by what biases and time tags may add, in place.

    mean, weight, cross: of all models of the track.
    """
    if len(bias) == 0 and time_sigma == 0.0:
        return
    x = np.zeros(WIDTH)
    whole = np.zeros(cross.shape[1:])
    for m in range(len(weight)):
        for a in range(WIDTH):
            x[a] += weight[m] * mean[m, a]
        for q in range(len(whole)):
            for a in range(WIDTH):
                for c in range(PARTS):
                    whole[q, a, c] += weight[m] * cross[m, q, a, c]
    look_biased(row, x, whole, bias, int(scan[SENSOR]), time_sigma, scan)


@njit(cache=True, nogil=True, error_model="numpy")
def hit(mean, cov, weight, cross, bias, time_sigma, scan, ready, work):
    """Update all models of one track with one ready detection, in place, and weigh them by its likelihood."""
    models = len(weight)
    if models == 1:
        take(mean[0], cov[0], cross[0], bias, time_sigma, scan, ready, work[0])
        return
    value = np.empty(models)
    best = -np.inf
    for m in range(models):
        value[m] = log(weight[m]) + take(mean[m], cov[m], cross[m], bias, time_sigma, scan, ready, work[0])
        best = max(best, value[m])
    for m in range(models):
        weight[m] = max(exp(value[m] - best), 1e-300)
    normalise(weight)


@njit(cache=True, nogil=True, error_model="numpy")
def hit_shares(
    mean, cov, weight, cross, bias, time_sigma, scan, ready, columns, shares, reference, alone, work
):
    """Update one track with shares of several detections (probabilistic data association), in place.

    columns [n]: rows of `ready`; shares [n]: their association probabilities, `alone` that of none; reference [n]:
    log-likelihoods from which the shares were made. Each model weighs the events anew by its own likelihoods (Y.
    Bar-Shalom, K. C. Chang, H. A. P. Blom, 1989) and becomes the moment match of its hard updates, so that ranges
    and angles are linearised as well as in a hard update. work [5, 9, 9]: scratch.
    """
    models = len(weight)
    n = len(columns)
    x = work[1, 0]
    step = work[1, 1]
    p = work[2]
    total_p = work[3]
    biased = cross.shape[1] > 0
    lean = np.empty(cross.shape[1:])  # covariance with the biases after one event; after all
    total_lean = np.empty(cross.shape[1:])
    for m in range(models):
        sum_w = alone
        if biased:
            total_lean[:] = alone * cross[m]
        for a in range(WIDTH):
            step[a] = 0.0
            for b in range(WIDTH):
                total_p[a, b] = alone * cov[m, a, b]
        for e in range(n):
            for a in range(WIDTH):
                x[a] = mean[m, a]
                for b in range(WIDTH):
                    p[a, b] = cov[m, a, b]
            if biased:
                lean[:] = cross[m]
            value = take(x, p, lean, bias, time_sigma, scan, ready[columns[e]], work[0])
            w = shares[e]
            if models > 1:
                w *= exp(min(value - reference[e], 50.0))
            sum_w += w
            if biased:
                total_lean += w * lean
            for a in range(WIDTH):
                x[a] -= mean[m, a]
                step[a] += w * x[a]
            for a in range(WIDTH):
                for b in range(WIDTH):
                    total_p[a, b] += w * (p[a, b] + x[a] * x[b])
        if not sum_w > 1e-300:
            continue
        if biased:
            cross[m] = total_lean / sum_w  # the bias is 0 on average under every event: no spread adds to it
        for a in range(WIDTH):
            step[a] /= sum_w
            mean[m, a] += step[a]
        for a in range(WIDTH):
            for b in range(WIDTH):
                cov[m, a, b] = total_p[a, b] / sum_w - step[a] * step[b]
        weight[m] *= max(sum_w, 1e-300)
    if models > 1:
        normalise(weight)


@njit(cache=True, nogil=True, error_model="numpy")
def collapse_position(mean, cov, weight, x, p):
    """Position mean and covariance of the mixture into x [3] and p [3, 3]."""
    models = len(weight)
    for a in range(3):
        total = 0.0
        for m in range(models):
            total += weight[m] * mean[m, a]
        x[a] = total
    for a in range(3):
        for b in range(3):
            total = 0.0
            for m in range(models):
                total += weight[m] * (cov[m, a, b] + (mean[m, a] - x[a]) * (mean[m, b] - x[b]))
            p[a, b] = total


@njit(cache=True, nogil=True, error_model="numpy")
def collapse(mean, cov, weight, motion, x, p, work):
    """Position, velocity and acceleration of the mixture into x [9], p [9, 9]; work [5, 9, 9] scratch."""
    models = len(weight)
    if models == 1:
        export(mean[0], cov[0], motion[0], x, p)
        return
    for a in range(WIDTH):
        x[a] = 0.0
        for b in range(WIDTH):
            p[a, b] = 0.0
    one = work[4]
    for m in range(models):
        export(mean[m], cov[m], motion[m], work[3, 0], one)
        for a in range(WIDTH):
            x[a] += weight[m] * work[3, 0, a]
    for m in range(models):
        export(mean[m], cov[m], motion[m], work[3, 0], one)
        for a in range(WIDTH):
            work[3, 1, a] = work[3, 0, a] - x[a]
        for a in range(WIDTH):
            for b in range(WIDTH):
                p[a, b] += weight[m] * (one[a, b] + work[3, 1, a] * work[3, 1, b])

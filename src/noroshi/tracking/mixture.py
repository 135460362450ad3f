"""Interacting multiple models of one track: three Gaussians over (position, velocity, acceleration), three weights.

Method: H. A. P. Blom and Y. Bar-Shalom, IEEE Trans. AC-33, 780-783 (1988). Arrays of one track: mean [3, 9],
cov [3, 9, 9], weight [3]; models in the order boost, ballistic, manoeuvring. A model with dwell time 0 is off
(weight 0).
"""

from __future__ import annotations

from math import ceil, erf, exp, hypot, isinf, log, sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.constants import EARTH_RATE_RAD_S
from noroshi.tracking import motion as models
from noroshi.tracking.measurement import update
from noroshi.tracking.motion import COEFFICIENTS, SIGMA, is_ballistic
from noroshi.tracking.state import LIVE
from noroshi.tracking.visible import height

MODELS = 3
BOOST = 0
BALLISTIC = 1
MANOEUVRING = 2

STEP_MAX_S = 5.0  # longer gaps are taken in steps: gravity's gradient changes by 1.5 % in 5 s at 7 km/s
WEIGHT_MIN = 1e-6
# of `weigh_sense`; notional: they tell the models apart and enter no estimate
CHANCE_MIN = 0.05  # what a model may lose in one second
SENSE_SPEED_M_S = 200.0  # slower than this, the direction of flight is uncertain
# kg/m2, above the 13 000 of the slenderest published glider (D. Wright's public HTV-2 model, L/D 2.6)
BALLISTIC_COEFFICIENT_MAX = 15_000.0
AIR_FACTOR = 3.0  # a body of 5 000 kg/m2, or a lift-to-drag ratio of 3
AIR_DENSITY_KG_M3 = 1.225  # sea level, US Standard Atmosphere 1976
AIR_SCALE_M = 7_160.0  # meets the 1976 standard at 60 km; within 35 % of it from 0 to 70 km


@njit(cache=True, nogil=True, error_model="numpy")
def transition_probabilities(dwell, t, out):
    """Chance to go from model i (row) to model j in the time t, into `out` [3, 3]; leavers share evenly."""
    for i in range(MODELS):
        for j in range(MODELS):
            out[i, j] = 0.0
    active = 0
    for i in range(MODELS):
        if dwell[i] > 0.0:
            active += 1
    for i in range(MODELS):
        if not dwell[i] > 0.0:
            continue
        stay = 1.0 if isinf(dwell[i]) or active == 1 else exp(-t / dwell[i])
        for j in range(MODELS):
            if i == j:
                out[i, j] = stay
            elif dwell[j] > 0.0:
                out[i, j] = (1.0 - stay) / (active - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _mix(mean, cov, weight, chances, motion):
    """Mix the models before a prediction, in place.

    The ballistic model has no acceleration to hand on: a model that has one takes its own prior (mean 0, standard
    deviation sigma) for that share, as unequal dimensions require (K. Granstrom, P. Willett, Y. Bar-Shalom,
    IEEE Trans. AES-51, 2015), so that thrust after a coast is not ruled out by a falsely sure zero.
    """
    mean0 = np.empty((MODELS, 9))
    cov0 = np.empty((MODELS, 9, 9))
    weight0 = np.empty(MODELS)
    for i in range(MODELS):
        weight0[i] = weight[i]
        for a in range(9):
            mean0[i, a] = mean[i, a]
            for b in range(9):
                cov0[i, a, b] = cov[i, a, b]
    for j in range(MODELS):
        total = 0.0
        for i in range(MODELS):
            total += chances[i, j] * weight0[i]
        weight[j] = total
        if total == 0.0:
            continue
        carries = not is_ballistic(motion[j])
        share = np.empty(MODELS)
        for i in range(MODELS):
            share[i] = chances[i, j] * weight0[i] / total
        if share[j] == 1.0:
            continue
        for a in range(9):
            mean[j, a] = 0.0
            for b in range(9):
                cov[j, a, b] = 0.0
        for i in range(MODELS):
            if share[i] > 0.0:
                width = 6 if carries and is_ballistic(motion[i]) else 9
                for a in range(width):
                    mean[j, a] += share[i] * mean0[i, a]
        for i in range(MODELS):
            if share[i] == 0.0:
                continue
            width = 6 if carries and is_ballistic(motion[i]) else 9
            for a in range(9):
                da = (mean0[i, a] if a < width else 0.0) - mean[j, a]
                for b in range(a, 9):
                    db = (mean0[i, b] if b < width else 0.0) - mean[j, b]
                    p = cov0[i, a, b] if b < width else 0.0
                    if width == 6 and a == b and a >= 6:
                        p = motion[j, SIGMA] ** 2
                    cov[j, a, b] += share[i] * (p + da * db)
        for a in range(9):
            for b in range(a):
                cov[j, a, b] = cov[j, b, a]


@njit(cache=True, nogil=True, error_model="numpy")
def air_drag(x):
    """Drag, m/s2, that the slenderest body would feel in the state x: no more than an order of magnitude."""
    u = x[3] + EARTH_RATE_RAD_S * x[1]
    v = x[4] - EARTH_RATE_RAD_S * x[0]
    density = AIR_DENSITY_KG_M3 * exp(-max(height(x[0], x[1], x[2]), 0.0) / AIR_SCALE_M)
    return density * (u * u + v * v + x[5] * x[5]) / (2.0 * BALLISTIC_COEFFICIENT_MAX)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(mean, cov, weight, info, motion, dwell, t, mu):
    """Predict all live tracks [slot, ...] by t > 0 seconds, in place.

    What air can do to a body grows with dynamic pressure: in thick air the manoeuvring model's standard deviation is
    widened by three times `air_drag`, so that it follows a re-entry, whose drag doubles every two seconds.
    """
    n = ceil(t / STEP_MAX_S)
    h = t / n
    c = np.empty((MODELS, COEFFICIENTS))
    for m in range(MODELS):
        models.coefficients(motion[m], h, c[m])
    own = np.empty(motion.shape[1])
    chances = np.empty((MODELS, MODELS))
    transition_probabilities(dwell, h, chances)
    active = 0
    for m in range(MODELS):
        if dwell[m] > 0.0:
            active += 1
    for k in range(len(info)):
        if info[k, LIVE] == 0:
            continue
        for _ in range(n):
            if active > 1:
                _mix(mean[k], cov[k], weight[k], chances, motion)
            for m in range(MODELS):
                if weight[k, m] == 0.0:
                    continue
                if m == MANOEUVRING and mu > 0.0:
                    for i in range(len(own)):
                        own[i] = motion[m, i]
                    own[SIGMA] = hypot(motion[m, SIGMA], AIR_FACTOR * air_drag(mean[k, m]))
                    models.coefficients(own, h, c[m])
                models.predict(mean[k, m], cov[k, m], c[m], h, mu)
        if active == MODELS and mu > 0.0:
            weigh_sense(mean[k], cov[k], weight[k], min(t, 1.0))


@njit(cache=True, nogil=True, error_model="numpy")
def normalise(weight):
    """Scale the weights to sum 1, none of the active ones below 1e-6, in place."""
    total = 0.0
    for m in range(MODELS):
        total += weight[m]
    low = 0.0
    for m in range(MODELS):
        if weight[m] > 0.0:
            weight[m] = max(weight[m] / total, WEIGHT_MIN)
        low += weight[m]
    for m in range(MODELS):
        weight[m] /= low


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_sense(mean, cov, weight, power):
    """Weigh the models by what physics allows: thrust pushes, drag brakes, and no flight in the air is ballistic.

    Kinematics alone hardly separate the models: all are smooth. Each weight is multiplied by a chance (at least
    0.05; to the power of the seconds gone by, at most 1). Boost and manoeuvring: the chance that the model's own
    acceleration points along the velocity (boost) or against it; velocity relative to the turning Earth, or the
    vertical below 200 m/s. Ballistic: exp(-(d / 1 m/s2)^2), where d is the drag that even the slenderest body
    would feel there.
    """
    u = np.empty(3)
    for m in range(MODELS):
        if weight[m] == 0.0:
            continue
        x = mean[m]
        u[0] = x[3] + EARTH_RATE_RAD_S * x[1]
        u[1] = x[4] - EARTH_RATE_RAD_S * x[0]
        u[2] = x[5]
        size = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2])
        if m == BALLISTIC:
            drag = air_drag(x)
            weight[m] *= max(exp(-drag * drag), CHANCE_MIN) ** power
            continue
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
        if m == MANOEUVRING:
            along = -along
        chance = 0.5 * (1.0 + erf(along / sqrt(2.0 * var)))
        weight[m] *= max(chance, CHANCE_MIN) ** power
    normalise(weight)


@njit(cache=True, nogil=True, error_model="numpy")
def hit(mean, cov, weight, scan, det):
    """Update all models of one track with one detection, in place, and weigh them by its likelihood."""
    value = np.full(MODELS, -np.inf)
    best = -np.inf
    for m in range(MODELS):
        if weight[m] > 0.0:
            value[m] = log(weight[m]) + update(mean[m], cov[m], scan, det)
            best = max(best, value[m])
    for m in range(MODELS):
        if weight[m] > 0.0:
            weight[m] = max(exp(value[m] - best), 1e-300)
    normalise(weight)


@njit(cache=True, nogil=True, error_model="numpy")
def collapse(mean, cov, weight, out_mean, out_cov):
    """Mean and covariance of the mixture into out_mean, out_cov: as many leading components as fit there."""
    width = len(out_mean)
    for a in range(width):
        total = 0.0
        for m in range(MODELS):
            if weight[m] > 0.0:
                total += weight[m] * mean[m, a]
        out_mean[a] = total
    for a in range(width):
        for b in range(a, width):
            total = 0.0
            for m in range(MODELS):
                if weight[m] > 0.0:
                    spread = (mean[m, a] - out_mean[a]) * (mean[m, b] - out_mean[b])
                    total += weight[m] * (cov[m, a, b] + spread)
            out_cov[a, b] = total
            out_cov[b, a] = total

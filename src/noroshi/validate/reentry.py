"""Re-entry seen by a radar (S. Julier and J. Uhlmann, Proc. IEEE 92, 401-422, 2004), in the form of Aalto University's
EKF/UKF toolbox: V-601 of the record, and `python -m benchmarks.reentry`.

A body comes down in a plane through exponential air at 7 km/s; the radar on the ground measures range and azimuth ten
times a second for 200 s. Truth as published: Euler steps of 0.1 s with their noise. The filter is noroshi's own: the
motion model `ballistic` with that air, and the tracker's measurement update, all nine elements of its state. Expected:
mean over the runs of each run's RMSE of position 8.38 m (sd 0.72 m from run to run) for an extended Kalman filter.
NEES is 1.3, not 1, for two reasons, neither of which costs accuracy: Euler's step leaves a t^2/2 out of the position
(with it: 1.18), and the truth's noise enters the velocity at the end of each step, where the tracker assumes white
acceleration all along (the published filter, which shares both habits, has 0.99 on the same draws).
"""

from __future__ import annotations

import time
from math import atan2, exp, hypot, sqrt
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.random import stream
from noroshi.tracking.columns import (
    AZ,
    DETECTION_WIDTH,
    RANGE,
    SCAN_WIDTH,
    SIGMA_AZ,
    SIGMA_EL,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    M,
    R,
)
from noroshi.tracking.measurement import update
from noroshi.tracking.parameters import AIR_BASE, AIR_DENSITY, AIR_SCALE, J2, MU, SPIN, Motion, parameters
from noroshi.tracking.transition import carry

EXPECTED_M = 8.38
STEP_S = 0.1
STEPS = 2000

# The published numbers, in km and s
RADIUS = 6374.0
SCALE = 13.406
DRAG = 0.59783  # 1/km: deceleration DRAG e^a exp((RADIUS - r) / SCALE) |v| v
GM = 3.9860e5
START = np.array([6500.4, 349.14, -1.8093, -6.7967])
START_SIGMA = 1e-3  # of each of these, truth and filter
TRUE_A = 0.6932
VELOCITY_VAR = 2.4064e-5  # added in each step, km2/s2
A_VAR = 1e-6  # of the filter, in each step
SIGMA_RANGE_KM = 1e-3
SIGMA_AZ_RAD = 0.17e-3

BETA = 1000.0  # kg/m2, where a = 0: only its ratio to the density counts


class Result(NamedTuple):
    """Figures of a set of runs."""

    runs: int
    rmse_m: float  # of position: mean over the runs
    rmse_sd_m: float
    a_error: float  # of the drag exponent at the end: root mean square
    nees: float  # of position and velocity in the plane, by dimension, mean over runs and steps
    cpu_s: float  # compiling excluded


def model() -> Float64[np.ndarray, "18"]:
    """The product's ballistic motion with the published constants: ln beta = ln BETA - a, rho / (2 beta) as above."""
    motion = Motion(
        "ballistic",
        "ballistic",
        velocity_psd_m2_s3=1e6 * VELOCITY_VAR / STEP_S,
        beta_kg_m2=BETA,
        beta_sigma=1.0,
        beta_psd_1_s=A_VAR / STEP_S,
    )
    par = parameters(motion)
    par[[MU, J2, SPIN]] = 1e9 * GM, 0.0, 0.0
    par[[AIR_DENSITY, AIR_SCALE, AIR_BASE]] = 2.0 * BETA * 1e-3 * DRAG, 1e3 * SCALE, 1e3 * RADIUS
    return par


@njit(cache=True, nogil=True, error_model="numpy")
def fly(start, push, jitter, par, scan, det, x, p, work, error):
    """One run: error [step, 5] gets position and velocity errors in the plane and the NEES of these four; x, p move.

    start [4] true state in km and s; push [step, 2] and jitter [step, 2]: unit normal numbers of the truth's noise and
    of the measurements (range, azimuth).
    """
    s0, s1, w0, w1 = start[0], start[1], start[2], start[3]
    small = np.empty((4, 4))
    miss = np.empty(4)
    for k in range(len(push)):
        r = sqrt(s0 * s0 + s1 * s1)
        d = -DRAG * exp(TRUE_A + (RADIUS - r) / SCALE) * sqrt(w0 * w0 + w1 * w1)
        g = -GM / (r * r * r)
        a0 = d * w0 + g * s0
        a1 = d * w1 + g * s1
        s0 += STEP_S * w0
        s1 += STEP_S * w1
        w0 += STEP_S * a0 + sqrt(VELOCITY_VAR) * push[k, 0]
        w1 += STEP_S * a1 + sqrt(VELOCITY_VAR) * push[k, 1]
        det[RANGE] = 1e3 * (hypot(s0 - RADIUS, s1) + SIGMA_RANGE_KM * jitter[k, 0])
        det[AZ] = atan2(s1, s0 - RADIUS) + SIGMA_AZ_RAD * jitter[k, 1]
        carry(x, p, STEP_S, par, work)
        update(x, p, scan, det)
        miss[0] = x[0] - 1e3 * s0
        miss[1] = x[1] - 1e3 * s1
        miss[2] = x[3] - 1e3 * w0
        miss[3] = x[4] - 1e3 * w1
        for i in range(4):
            error[k, i] = miss[i]
            for j in range(4):
                small[i, j] = p[i + i // 2, j + j // 2]
        error[k, 4] = np.dot(miss, np.linalg.solve(small, miss))


def runs(n: int, seed: int = 0) -> Result:
    """Figures of n runs."""
    par = model()
    scan, det = np.zeros(SCAN_WIDTH), np.zeros(DETECTION_WIDTH)
    scan[R], scan[M : M + 9] = 1e3 * RADIUS, np.eye(3).ravel()
    det[[SIGMA_AZ, SIGMA_EL, SIGMA_RANGE]] = SIGMA_AZ_RAD, np.inf, 1e3 * SIGMA_RANGE_KM
    det[SIGMA_RANGE_RATE] = np.inf
    work, error = np.empty((4, 9, 9)), np.empty((STEPS, 5))
    rmse, a_error, nees = np.empty(n), np.empty(n), np.empty(n)

    def one(k: int) -> None:
        rng = stream(seed, k, "reentry")
        # nothing is known to move out of the plane, and nothing measures there
        x = np.array([*1e3 * START[:2], 0.0, *1e3 * START[2:], 0.0, np.log(BETA), 0.0, 0.0])
        p = np.diag([1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
        start = START + START_SIGMA * rng.standard_normal(4)
        push, jitter = rng.standard_normal((STEPS, 2)), rng.standard_normal((STEPS, 2))
        fly(start, push, jitter, par, scan, det, x, p, work, error)
        rmse[k] = np.sqrt((error[:, :2] ** 2).sum(axis=1).mean())
        a_error[k] = np.log(BETA) - x[6] - TRUE_A
        nees[k] = error[:, 4].mean() / 4.0

    one(0)  # compiles
    begin = time.process_time()
    for k in range(n):
        one(k)
    cpu = time.process_time() - begin
    sd = float(rmse.std(ddof=1)) if n > 1 else float("nan")
    return Result(n, float(rmse.mean()), sd, float(np.sqrt((a_error**2).mean())), float(nees.mean()), cpu)

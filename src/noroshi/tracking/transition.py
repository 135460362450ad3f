"""TEMPORARY stand-in of the chief until branch hmotion is merged."""
from __future__ import annotations

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401
from noroshi.tracking.motion import COEFFICIENTS, coefficients, predict
from noroshi.tracking.parameters import JERK_PSD, MU, SIGMA, TAU, VELOCITY_PSD


@njit(cache=True, nogil=True, error_model="numpy")
def meaning(par):
    return 0

@njit(cache=True, nogil=True, error_model="numpy")
def prior(par, mean, var):
    for i in range(3):
        mean[i] = 0.0
        var[i] = par[SIGMA] ** 2

@njit(cache=True, nogil=True, error_model="numpy")
def export(x, p, par, mean, cov):
    for a in range(9):
        mean[a] = x[a]
        for b in range(9):
            cov[a, b] = p[a, b]

@njit(cache=True, nogil=True, error_model="numpy")
def _times(f, p, out):
    for i in range(9):
        for j in range(9):
            out[i, j] = 0.0
        for k in range(9):
            c = f[i, k]
            if c != 0.0:
                for j in range(9):
                    out[i, j] += c * p[k, j]

@njit(cache=True, nogil=True, error_model="numpy")
def carry(x, p, t, par, work):
    if par[MU] == 0.0:
        f = work[0]
        q = work[1]
        for i in range(9):
            for j in range(9):
                f[i, j] = 0.0
                q[i, j] = 0.0
            f[i, i] = 1.0
        w = par[JERK_PSD]
        v = par[VELOCITY_PSD]
        h = 0.5 * t * t
        for i in range(3):
            f[i, 3 + i] = t
            f[i, 6 + i] = h
            f[3 + i, 6 + i] = t
            q[i, i] = w * t**5 / 20.0 + v * t**3 / 3.0
            q[i, 3 + i] = q[3 + i, i] = w * t**4 / 8.0 + v * h
            q[i, 6 + i] = q[6 + i, i] = w * t**3 / 6.0
            q[3 + i, 3 + i] = w * t**3 / 3.0 + v * t
            q[3 + i, 6 + i] = q[6 + i, 3 + i] = w * h
            q[6 + i, 6 + i] = w * t
            x[i] += t * x[3 + i] + h * x[6 + i]
            x[3 + i] += t * x[6 + i]
        _times(f, p, work[2])
        for i in range(9):
            for j in range(9):
                work[3, i, j] = work[2, j, i]
        _times(f, work[3], p)
        for i in range(9):
            for j in range(9):
                p[i, j] += q[i, j]
        for i in range(9):
            for j in range(i):
                p[i, j] = p[j, i]
        return
    c = np.empty(COEFFICIENTS)
    m = np.empty(4)
    m[0] = par[TAU]; m[1] = par[SIGMA]; m[2] = par[JERK_PSD]; m[3] = par[VELOCITY_PSD]
    coefficients(m, t, c)
    predict(x, p, c, t, par[MU])

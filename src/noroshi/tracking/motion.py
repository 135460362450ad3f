"""How a track moves between scans: gravity, and an acceleration beyond it that is a Gauss-Markov process.

State: position, velocity, acceleration beyond gravity (thrust, lift, drag), GCRS, SI. J2 is taken about the GCRS
z axis; the pole of date lies 20 arcsec per year away from it (0.10 deg in 2017, 0.15 deg in 2026), which tilts
the J2 term by less than 5e-5 m/s2: 5 m after 500 s.
"""

from __future__ import annotations

from math import exp, expm1, isinf, sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.constants import EARTH_J2, EARTH_RADIUS_M

# columns of a row of transition coefficients (see `coefficients`)
POSITION_FROM_ACCELERATION = 0
VELOCITY_FROM_ACCELERATION = 1
KEEP = 2  # share of the acceleration that is left after the step
Q_PP = 3
Q_PV = 4
Q_PA = 5
Q_VV = 6
Q_VA = 7
Q_AA = 8
KEEP_HALF = 9  # and after half the step
COEFFICIENTS = 10

_SERIES_BELOW = 0.1  # alpha T; the closed forms lose (alpha T)^-5 of their digits
_SERIES_TERMS = 8

# columns of a motion row
TAU = 0
SIGMA = 1
JERK_PSD = 2
VELOCITY_PSD = 3


@njit(cache=True, nogil=True, error_model="numpy")
def is_ballistic(motion):
    """Whether this model carries no acceleration from one step to the next."""
    return motion[TAU] == 0.0 or (motion[SIGMA] == 0.0 and motion[JERK_PSD] == 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def coefficients(motion, t, out):
    """Transition and noise coefficients of one axis over the time t, into `out` [10].

    tau = inf: constant acceleration, white jerk. tau finite: Singer, PSD 2 sigma^2 / tau
    (R. A. Singer, IEEE Trans. AES-6, 1970; closed forms as in Li and Jilkov's survey, 2003), plus `jerk_psd` as
    additional driving noise. Ballistic: the acceleration is redrawn (variance sigma^2), nothing carried over.
    `velocity_psd` is white acceleration on top.
    """
    for i in range(COEFFICIENTS):
        out[i] = 0.0
    w = motion[VELOCITY_PSD]
    if is_ballistic(motion):
        out[Q_AA] = motion[SIGMA] ** 2
    elif isinf(motion[TAU]):
        q = motion[JERK_PSD]
        out[POSITION_FROM_ACCELERATION] = t * t / 2.0
        out[VELOCITY_FROM_ACCELERATION] = t
        out[KEEP] = 1.0
        out[KEEP_HALF] = 1.0
        out[Q_PP] = q * t**5 / 20.0
        out[Q_PV] = q * t**4 / 8.0
        out[Q_PA] = q * t**3 / 6.0
        out[Q_VV] = q * t**3 / 3.0
        out[Q_VA] = q * t * t / 2.0
        out[Q_AA] = q * t
    else:
        a = 1.0 / motion[TAU]
        _singer(a, t, 2.0 * motion[SIGMA] ** 2 * a + motion[JERK_PSD], out)
    out[Q_PP] += w * t**3 / 3.0
    out[Q_PV] += w * t * t / 2.0
    out[Q_VV] += w * t


@njit(cache=True, nogil=True, error_model="numpy")
def _singer(a, t, q, out):
    x = a * t
    e = exp(-x)
    out[KEEP] = e
    out[KEEP_HALF] = exp(-0.5 * x)
    if x >= _SERIES_BELOW:
        out[POSITION_FROM_ACCELERATION] = (x + expm1(-x)) / (a * a)
        out[VELOCITY_FROM_ACCELERATION] = -expm1(-x) / a
        e2 = e * e
        out[Q_PP] = q * (1.0 - e2 + 2.0 * x + 2.0 * x**3 / 3.0 - 2.0 * x * x - 4.0 * x * e) / (2.0 * a**5)
        out[Q_PV] = q * (e2 + 1.0 - 2.0 * e + 2.0 * x * e - 2.0 * x + x * x) / (2.0 * a**4)
        out[Q_PA] = q * (1.0 - e2 - 2.0 * x * e) / (2.0 * a**3)
        out[Q_VV] = q * (4.0 * e - 3.0 - e2 + 2.0 * x) / (2.0 * a**3)
        out[Q_VA] = q * (e2 + 1.0 - 2.0 * e) / (2.0 * a * a)
        out[Q_AA] = q * (1.0 - e2) / (2.0 * a)
        return
    # impulse responses: order p (2 position, 1 velocity, 0 acceleration) is t^p sum_n (-x)^n u^(n+p) / (n+p)!,
    # u = s/t; their products integrate term by term
    factor = np.empty((3, _SERIES_TERMS))
    for p in range(3):
        c = 1.0
        for n in range(1, p + 1):
            c /= n
        for n in range(_SERIES_TERMS):
            factor[p, n] = c
            c *= -x / (n + p + 1)
    for n in range(_SERIES_TERMS):
        out[POSITION_FROM_ACCELERATION] += t * t * factor[2, n]
        out[VELOCITY_FROM_ACCELERATION] += t * factor[1, n]
    column = Q_PP
    for p in (2, 1, 0):
        for r in range(p, -1, -1):
            total = 0.0
            for n in range(_SERIES_TERMS):
                for m in range(_SERIES_TERMS - n):
                    total += factor[p, n] * factor[r, m] / (n + m + p + r + 1)
            out[column] = q * t ** (p + r + 1) * total
            column += 1


@njit(cache=True, nogil=True, error_model="numpy")
def gravity(r, mu, out):
    """Acceleration of a point mass with J2 about the z axis, m/s2, into `out` [3]."""
    r2 = r[0] * r[0] + r[1] * r[1] + r[2] * r[2]
    k = mu / (r2 * sqrt(r2))
    j = 1.5 * EARTH_J2 * EARTH_RADIUS_M * EARTH_RADIUS_M / r2
    s = 5.0 * r[2] * r[2] / r2
    out[0] = -k * r[0] * (1.0 + j * (1.0 - s))
    out[1] = -k * r[1] * (1.0 + j * (1.0 - s))
    out[2] = -k * r[2] * (1.0 + j * (3.0 - s))


@njit(cache=True, nogil=True, error_model="numpy")
def _mean(x, c, t, mu):
    """Runge-Kutta 4 step of position and velocity under gravity and the (decaying) acceleration, in place."""
    g = np.empty(3)
    p = np.empty(3)
    kv = np.empty((4, 3))
    kp = np.empty((4, 3))
    for stage in range(4):
        if stage == 0:
            h, keep = 0.0, 1.0
        elif stage < 3:
            h, keep = 0.5 * t, c[KEEP_HALF]
        else:
            h, keep = t, c[KEEP]
        for i in range(3):
            v = x[3 + i]
            p[i] = x[i]
            if stage > 0:
                p[i] += h * kp[stage - 1, i]
                v += h * kv[stage - 1, i]
            kp[stage, i] = v
        gravity(p, mu, g)
        for i in range(3):
            kv[stage, i] = g[i] + keep * x[6 + i]
    # the decaying acceleration has a closed integral: put it in place of what the rule made of it
    f = c[POSITION_FROM_ACCELERATION] - t * t / 6.0 * (1.0 + 2.0 * c[KEEP_HALF])
    w = c[VELOCITY_FROM_ACCELERATION] - t / 6.0 * (1.0 + 4.0 * c[KEEP_HALF] + c[KEEP])
    for i in range(3):
        x[i] += t / 6.0 * (kp[0, i] + 2.0 * kp[1, i] + 2.0 * kp[2, i] + kp[3, i]) + f * x[6 + i]
        x[3 + i] += t / 6.0 * (kv[0, i] + 2.0 * kv[1, i] + 2.0 * kv[2, i] + kv[3, i]) + w * x[6 + i]
        x[6 + i] *= c[KEEP]


@njit(cache=True, nogil=True, error_model="numpy")
def _transit(f, g, keep, t, grad, c0, c1, c2, c3, c4, c5, c6, c7, c8, out):
    """F times one column (position, velocity, acceleration parts c0..c8), into `out` [9].

    F = exp of the gravity gradient to first order: with G the gradient, position gains G (t^2/2 p + t^3/6 v +
    t^4/24 a), velocity G (t p + t^2/2 v + t^3/6 a). The next order is (n t)^4 / 24, 1e-10 for a 5 s step.
    """
    carried = 0.0 if keep == 0.0 else 1.0
    h = 0.5 * t * t
    s = h * t / 3.0
    q = s * t / 4.0 * carried
    w = s * carried
    for i in range(3):
        gp = grad[i, 0] * c0 + grad[i, 1] * c1 + grad[i, 2] * c2
        gv = grad[i, 0] * c3 + grad[i, 1] * c4 + grad[i, 2] * c5
        ga = grad[i, 0] * c6 + grad[i, 1] * c7 + grad[i, 2] * c8
        if i == 0:
            p, v, a = c0, c3, c6
        elif i == 1:
            p, v, a = c1, c4, c7
        else:
            p, v, a = c2, c5, c8
        out[i] = p + t * v + f * a + h * gp + s * gv + q * ga
        out[3 + i] = v + g * a + t * gp + h * gv + w * ga
        out[6 + i] = keep * a


@njit(cache=True, nogil=True, error_model="numpy")
def predict(mean, cov, c, t, mu):
    """Advance one Gaussian by t with the coefficients c of its motion model, in place.

    mean [9], cov [9, 9] (symmetric; the upper triangle is computed and mirrored), t a few seconds at most.
    """
    f = c[POSITION_FROM_ACCELERATION]
    g = c[VELOCITY_FROM_ACCELERATION]
    keep = c[KEEP]
    r2 = mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2]
    k = mu / (r2 * sqrt(r2))
    grad = np.empty((3, 3))  # of the point-mass term; J2 adds 0.2 % of it
    for i in range(3):
        for j in range(3):
            grad[i, j] = 3.0 * k * mean[i] * mean[j] / r2
        grad[i, i] -= k
    if keep == 0.0:
        for i in range(6, 9):
            mean[i] = 0.0
    _mean(mean, c, t, mu)

    half = np.empty((9, 9))  # rows: F times the columns of cov
    row = np.empty(9)
    for j in range(9):
        p = cov[j]
        _transit(f, g, keep, t, grad, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], half[j])
    for i in range(9):
        _transit(
            f, g, keep, t, grad,
            half[0, i], half[1, i], half[2, i], half[3, i], half[4, i], half[5, i], half[6, i], half[7, i], half[8, i],
            row,
        )  # fmt: skip
        for j in range(i, 9):
            cov[i, j] = row[j]
    for i in range(3):
        cov[i, i] += c[Q_PP]
        cov[i, 3 + i] += c[Q_PV]
        cov[i, 6 + i] += c[Q_PA]
        cov[3 + i, 3 + i] += c[Q_VV]
        cov[3 + i, 6 + i] += c[Q_VA]
        cov[6 + i, 6 + i] += c[Q_AA]
    for i in range(9):
        for j in range(i):
            cov[i, j] = cov[j, i]

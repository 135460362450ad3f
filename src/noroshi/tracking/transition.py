"""How a track moves between scans: the motion models as compiled functions, and what they have in common.

A model is one function (x, t, par, f, q) that moves the mean x [9] by t seconds, 0 < t <= 5, and fills f [9, 9], the
Jacobian of that motion, and q [9, 9], the noise it adds; par is a row of `parameters`. To add one: write the function,
add its line to `transition` (and to `meaning`, `prior` and `export` unless its three extras are an acceleration) and
its name to `parameters.MODELS`. Inertial frame, SI. J2 and the ellipsoid are taken about the frame's z axis: the pole
of date lies 0.10 deg from that of GCRS in 2017 and 0.15 deg in 2026, which tilts the J2 term by less than 5e-5 m/s2.
"""

from __future__ import annotations

from math import ceil, exp, expm1, hypot, inf, log, sqrt

import numpy as np
from numba import njit
from scipy.interpolate import CubicSpline

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.atmosphere import LOWEST_M, smooth_density
from noroshi.constants import EARTH_E2, EARTH_RADIUS_M
from noroshi.tracking.parameters import (
    AIR_BASE,
    AIR_DENSITY,
    AIR_SCALE,
    BETA,
    BETA_PSD,
    BETA_SIGMA,
    J2,
    JERK_PSD,
    KIND,
    MODELS,
    MU,
    SIGMA,
    SPIN,
    TAU,
    TURN_PSD,
    TURN_SIGMA,
    VELOCITY_PSD,
)

STEP_MAX_S = 5.0  # longer times are taken in steps: gravity's gradient changes by 1.5 % in 5 s at 7 km/s

# what the three extras of a state mean
ACCELERATION = 0
DRAG = 1
TURN = 2

_SINGER = MODELS["singer"]
_BALLISTIC = MODELS["ballistic"]
_GLIDE = MODELS["glide"]
_TURN = MODELS["coordinated-turn"]

_UNUSED_VAR = 1e-6  # of extras that a model does not use: small, yet a covariance can be inverted
_RADIUS_MIN_M = 1e6  # no track is so deep in the Earth; keeps gravity finite whatever a filter believes

# Air
_KNOT_M = 1_000.0  # between knots of the table: see test_air_is_the_standard_atmosphere for the error
_TABLE_TOP_M = 200e3  # above, the last slope goes on; drag is 1e-6 m/s2 there for 5 000 kg/m2 at 7 km/s
_FROZEN_M = (
    100e3  # no drag to learn from: 3 mm/s2 for 5 000 kg/m2 at 7 km/s, less than what else is not modelled
)
_FREE_M = 80e3  # drag is 0.1 m/s2 for the same body
_LN_BETA_MIN = 0.0  # 1 kg/m2, an inflated balloon
_LN_BETA_MAX = log(1e6)  # notional, a hundred times the densest body; further out drag no longer follows
_AIR_SIGMA_KG_M2 = (
    5_000.0  # what air can do to a body: drag of this one, or three times that of the slenderest glider
)
_EXPONENT_MAX = 20.0  # of an exponential atmosphere, below its base: keeps it finite

# Steps of Runge-Kutta's rule within a transition
_RATE_STEP = 0.25  # share by which drag or its growth may go on within one: leaves 1e-5 of it
_TURN_STEP = 0.25  # rad, or share of a memory: leaves x^5/120 = 1e-5 of it
_STEPS_MAX = 24
_DRAG_MIN_M_S2 = 1e-8  # 5 mm in 1000 s
_DRIFT_MIN_M = 0.05  # drag that moves a body less than this in the step needs no care
_TURN_MAX_RAD_S = 1.0  # notional; 9 g at 90 m/s. Faster turning is not followed
_AGILE_S = 0.5  # half the shortest time in which the direction of flight can turn by 1 rad

# Motion of the three extras that are an acceleration
_SERIES_BELOW = 0.3  # t/tau; the closed forms lose (t/tau)^-5 of their digits, 1e-12 here
_SERIES_TERMS = 10  # truncates at 1e-15


def _air_table():
    """Cubic spline of ln density over height, lowest power first: [4, interval]."""
    h = np.arange(LOWEST_M, _TABLE_TOP_M + 0.5 * _KNOT_M, _KNOT_M)
    return np.ascontiguousarray(CubicSpline(h / _KNOT_M, np.log(smooth_density(h))).c[::-1])


_AIR = _air_table()
_INTERVALS = _AIR.shape[1]


@njit(cache=True, nogil=True, error_model="numpy")
def standard_air(h):
    """Logarithm of the density [kg/m3] of the US Standard Atmosphere 1976 at height h [m], and its slope [1/m].

    Two continuous derivatives up to 200 km, from there on the last slope. Below -5 km: the value there.
    """
    x = (h - LOWEST_M) / _KNOT_M
    if not x > 0.0:
        return _AIR[0, 0], 0.0
    k = min(int(min(x, float(_INTERVALS))), _INTERVALS - 1)
    u = min(x - k, 1.0)
    slope = _AIR[1, k] + u * (2.0 * _AIR[2, k] + u * 3.0 * _AIR[3, k])
    value = _AIR[0, k] + u * (_AIR[1, k] + u * (_AIR[2, k] + u * _AIR[3, k]))
    return value + (x - k - u) * slope, slope / _KNOT_M


@njit(cache=True, nogil=True, error_model="numpy")
def altitude(x, y, z):
    """Height over WGS-84 along the radius [m] and its gradient (3). Within 1.2 m of the geodetic height to 200 km."""
    r = sqrt(max(x * x + y * y + z * z, _RADIUS_MIN_M * _RADIUS_MIN_M))
    s = z / r
    e = EARTH_E2 / (1.0 - EARTH_E2)
    w = 1.0 + e * s * s
    surface = EARTH_RADIUS_M / sqrt(w)
    tilt = surface / w * e * s / r
    return r - surface, x / r * (1.0 - tilt * s), y / r * (1.0 - tilt * s), s + tilt * (1.0 - s * s)


@njit(cache=True, nogil=True, error_model="numpy")
def air(x, y, z, par):
    """Logarithm of the density [kg/m3], its gradient [1/m] (3) and height [m] at a place.

    A stated exponential atmosphere counts distances from the centre; its height is given as 0, where nothing is
    frozen. Without gravity there is no Earth and, unless stated, no air.
    """
    if par[AIR_DENSITY] > 0.0:
        r = sqrt(max(x * x + y * y + z * z, 1.0))
        k = -1.0 / par[AIR_SCALE]
        power = (r - par[AIR_BASE]) * k
        if power > _EXPONENT_MAX:
            return log(par[AIR_DENSITY]) + _EXPONENT_MAX, 0.0, 0.0, 0.0, 0.0
        return log(par[AIR_DENSITY]) + power, k * x / r, k * y / r, k * z / r, 0.0
    if par[MU] == 0.0:
        return -inf, 0.0, 0.0, 0.0, 0.0
    h, gx, gy, gz = altitude(x, y, z)
    value, slope = standard_air(h)
    return value, slope * gx, slope * gy, slope * gz, h


@njit(cache=True, nogil=True, error_model="numpy")
def gravity(x, y, z, par):
    """Acceleration of a point mass with J2 about the z axis, m/s2 (3)."""
    r2 = max(x * x + y * y + z * z, _RADIUS_MIN_M * _RADIUS_MIN_M)
    k = -par[MU] / (r2 * sqrt(r2))
    j = 1.5 * par[J2] * EARTH_RADIUS_M * EARTH_RADIUS_M / r2
    s = 1.0 - 5.0 * z * z / r2
    return k * x * (1.0 + j * s), k * y * (1.0 + j * s), k * z * (1.0 + j * (s + 2.0))


@njit(cache=True, nogil=True, error_model="numpy")
def gradient(x, y, z, par):
    """Gradient of `gravity`, 1/s2, symmetric: xx, xy, xz, yy, yz, zz."""
    r2 = max(x * x + y * y + z * z, _RADIUS_MIN_M * _RADIUS_MIN_M)
    k = par[MU] / (r2 * sqrt(r2))
    j = 1.5 * par[J2] * EARTH_RADIUS_M * EARTH_RADIUS_M / r2
    s = z * z / r2
    # of the parts along the position: all, with z once, with z twice
    along = k / r2 * (3.0 + 5.0 * j * (1.0 - 7.0 * s))
    mixed = k / r2 * (3.0 + 5.0 * j * (3.0 - 7.0 * s))
    polar = k / r2 * (3.0 + 5.0 * j * (5.0 - 7.0 * s))
    level = -k * (1.0 + j * (1.0 - 5.0 * s))
    return (
        along * x * x + level,
        along * x * y,
        mixed * x * z,
        along * y * y + level,
        mixed * y * z,
        polar * z * z - k * (1.0 + j * (3.0 - 5.0 * s)),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _add_gradient(x, par, sign, a):
    """Add gravity's gradient to rows 3..5, columns 0..2 of a [9, 9]."""
    xx, xy, xz, yy, yz, zz = gradient(x[0], x[1], x[2], par)
    a[3, 0] += sign * xx
    a[3, 1] += sign * xy
    a[3, 2] += sign * xz
    a[4, 0] += sign * xy
    a[4, 1] += sign * yy
    a[4, 2] += sign * yz
    a[5, 0] += sign * xz
    a[5, 1] += sign * yz
    a[5, 2] += sign * zz


@njit(cache=True, nogil=True, error_model="numpy")
def markov(tau, t):
    """What a first-order Gauss-Markov acceleration does in t seconds, by unit spectral density of what drives it.

    Position and velocity from acceleration, the share kept after t and t/2, then the covariances pp, pv, pa, vv, va,
    aa. R. A. Singer, IEEE Trans. AES-6, 473-483 (1970); below t/tau = 0.3 the same as power series:
    1 - e^-2x + 2x - 2x^2 + 2x^3/3 - 4x e^-x = sum over n >= 5 of (4n - 2^n) (-x)^n / n!, and so on.
    """
    a = 1.0 / tau
    x = a * t
    e = exp(-x)
    half = exp(-0.5 * x)
    fv = -expm1(-x) / a
    va = 0.5 * fv * fv
    aa = -0.5 * expm1(-2.0 * x) / a
    if x >= _SERIES_BELOW:
        e2 = e * e
        fp = (x + expm1(-x)) / (a * a)
        pp = (1.0 - e2 + 2.0 * x + 2.0 * x**3 / 3.0 - 2.0 * x * x - 4.0 * x * e) / (2.0 * a**5)
        pv = (e2 + 1.0 - 2.0 * e + 2.0 * x * e - 2.0 * x + x * x) / (2.0 * a**4)
        pa = (1.0 - e2 - 2.0 * x * e) / (2.0 * a**3)
        vv = (4.0 * e - 3.0 - e2 + 2.0 * x) / (2.0 * a**3)
        return fp, fv, e, half, pp, pv, pa, vv, va, aa
    fp = pp = pv = pa = vv = 0.0
    term = 0.5  # (-x)^m / (m + 2)!
    two = 4.0  # 2^(m + 2)
    for m in range(_SERIES_TERMS):
        fp += term
        third = term / (m + 3)
        pa += third * (2.0 * two - 2.0 * (m + 3))
        vv += third * (2.0 * two - 4.0)
        fourth = third / (m + 4)
        pv += fourth * (4.0 * two - 2.0 - 2.0 * (m + 4))
        pp += fourth / (m + 5) * (8.0 * two - 4.0 * (m + 5))
        term *= -x / (m + 3)
        two *= 2.0
    h = 0.5 * t * t
    return 2.0 * h * fp, fv, e, half, h * t * h * 2.0 * pp, h * h * 2.0 * pv, h * t * pa, h * t * vv, va, aa


@njit(cache=True, nogil=True, error_model="numpy")
def _isotropic(q, pp, pv, pa, vv, va, aa):
    """Fill q with the same noise on every axis."""
    for i in range(9):
        for j in range(9):
            q[i, j] = 0.0
    for i in range(3):
        q[i, i] = pp
        q[i, 3 + i] = pv
        q[3 + i, i] = pv
        q[i, 6 + i] = pa
        q[6 + i, i] = pa
        q[3 + i, 3 + i] = vv
        q[3 + i, 6 + i] = va
        q[6 + i, 3 + i] = va
        q[6 + i, 6 + i] = aa


@njit(cache=True, nogil=True, error_model="numpy")
def _walk(q, f, t, psd):
    """Add the noise of a parameter (the seventh of the state) that walks with `psd`; f: its effect in the step.

    To lowest order in t, with b the mean acceleration per unit of the parameter: as white jerk along b.
    """
    q[6, 6] += psd * t
    half = 0.5 * psd * t
    for i in range(3):
        b = f[3 + i, 6]  # times t
        q[i, 6] += half * b * t / 3.0
        q[3 + i, 6] += half * b
        q[6, i] = q[i, 6]
        q[6, 3 + i] = q[3 + i, 6]
        for j in range(3):
            bb = half * b * f[3 + j, 6]
            q[i, j] += bb * t * t / 10.0
            q[i, 3 + j] += bb * t / 4.0
            q[3 + i, j] += bb * t / 4.0
            q[3 + i, 3 + j] += bb * 2.0 / 3.0


@njit(cache=True, nogil=True, error_model="numpy")
def _accelerate(x, t, par, f, fp, fv, keep, half):
    """Mean and Jacobian of an acceleration beyond gravity that decays to the share `keep`, on each axis alike.

    Mean: Nystrom's rule of order four (forces that do not depend on velocity), the acceleration's own part in closed
    form. Jacobian: with the gradient G half-way, position gains G (t^2/2 p + t^3/6 v + t^4/24 a), velocity
    G (t p + t^2/2 v + t^3/6 a); the next order is (t v/r)^4/24 = 1e-9 of it for 5 s in a low orbit.
    """
    for i in range(9):
        for j in range(9):
            f[i, j] = 0.0
    h = 0.5 * t * t
    for i in range(3):
        f[i, i] = 1.0
        f[i, 3 + i] = t
        f[i, 6 + i] = fp
        f[3 + i, 3 + i] = 1.0
        f[3 + i, 6 + i] = fv
        f[6 + i, 6 + i] = keep
    if par[MU] > 0.0:
        p0 = x[0] + 0.5 * t * x[3]
        p1 = x[1] + 0.5 * t * x[4]
        p2 = x[2] + 0.5 * t * x[5]
        q = 0.25 * h
        xx, xy, xz, yy, yz, zz = gradient(p0, p1, p2, par)
        for i in range(3):
            g0, g1, g2 = (xx, xy, xz) if i == 0 else (xy, yy, yz) if i == 1 else (xz, yz, zz)
            for b in range(3):
                c = 1.0 if b == 0 else t / 3.0 if b == 1 else h / 6.0
                d = 1.0 if b == 0 else t / 2.0 if b == 1 else h / 3.0
                f[i, 3 * b] += h * c * g0
                f[i, 3 * b + 1] += h * c * g1
                f[i, 3 * b + 2] += h * c * g2
                f[3 + i, 3 * b] += t * d * g0
                f[3 + i, 3 * b + 1] += t * d * g1
                f[3 + i, 3 * b + 2] += t * d * g2
        a0, a1, a2 = gravity(x[0], x[1], x[2], par)
        b0, b1, b2 = gravity(p0 + q * (a0 + x[6]), p1 + q * (a1 + x[7]), p2 + q * (a2 + x[8]), par)
        c0, c1, c2 = gravity(
            x[0] + t * x[3] + h * (b0 + half * x[6]),
            x[1] + t * x[4] + h * (b1 + half * x[7]),
            x[2] + t * x[5] + h * (b2 + half * x[8]),
            par,
        )
        x[0] += h / 3.0 * (a0 + 2.0 * b0)
        x[1] += h / 3.0 * (a1 + 2.0 * b1)
        x[2] += h / 3.0 * (a2 + 2.0 * b2)
    for i in range(3):
        x[i] += t * x[3 + i] + fp * x[6 + i]
        x[3 + i] += fv * x[6 + i]
        x[6 + i] *= keep
    if par[MU] > 0.0:
        x[3] += t / 6.0 * (a0 + 4.0 * b0 + c0)
        x[4] += t / 6.0 * (a1 + 4.0 * b1 + c1)
        x[5] += t / 6.0 * (a2 + 4.0 * b2 + c2)


@njit(cache=True, nogil=True, error_model="numpy")
def constant_acceleration(x, t, par, f, q):
    """Acceleration beyond gravity driven by white jerk. Extras: that acceleration."""
    _accelerate(x, t, par, f, 0.5 * t * t, t, 1.0, 1.0)
    w = par[JERK_PSD]
    v = par[VELOCITY_PSD]
    t2 = t * t
    t3 = t2 * t
    _isotropic(
        q,
        t3 * (w * t2 / 20.0 + v / 3.0),
        t2 * (w * t2 / 8.0 + v / 2.0),
        w * t3 / 6.0,
        t * (w * t2 / 3.0 + v),
        w * t2 / 2.0,
        w * t,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def singer(x, t, par, f, q):
    """Acceleration beyond gravity with a memory: first-order Gauss-Markov. Extras: that acceleration."""
    fp, fv, keep, half, pp, pv, pa, vv, va, aa = markov(par[TAU], t)
    _accelerate(x, t, par, f, fp, fv, keep, half)
    w = 2.0 * par[SIGMA] * par[SIGMA] / par[TAU] + par[JERK_PSD]
    v = par[VELOCITY_PSD]
    _isotropic(
        q, w * pp + v * t * t * t / 3.0, w * pv + v * t * t / 2.0, w * pa, w * vv + v * t, w * va, w * aa
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _add_product(w, a, b, first, last, out):
    """Add the rows first..last-1 of the product w a b to `out`, passing over zeros of a; all [9, 9].

    The nine sums of a row stay in registers, which the compiler cannot be sure of when they are array elements.
    """
    for i in range(first, last):
        s0, s1, s2, s3, s4, s5 = out[i, 0], out[i, 1], out[i, 2], out[i, 3], out[i, 4], out[i, 5]
        s6, s7, s8 = out[i, 6], out[i, 7], out[i, 8]
        for k in range(9):
            c = a[i, k]
            if c != 0.0:
                c *= w
                s0 += c * b[k, 0]
                s1 += c * b[k, 1]
                s2 += c * b[k, 2]
                s3 += c * b[k, 3]
                s4 += c * b[k, 4]
                s5 += c * b[k, 5]
                s6 += c * b[k, 6]
                s7 += c * b[k, 7]
                s8 += c * b[k, 8]
        out[i, 0], out[i, 1], out[i, 2], out[i, 3], out[i, 4], out[i, 5] = s0, s1, s2, s3, s4, s5
        out[i, 6], out[i, 7], out[i, 8] = s6, s7, s8


def _flow(slope, rows):
    """The flow of a model: moves x by t in n steps, and gives its Jacobian f.

    slope(x, par, scale, whole, rate, a) gives the rate of change [9] and, if `whole`, its Jacobian in rows 3..8 of a
    [9, 9]; only the first `rows` elements of the state change. Mean: Runge-Kutta's rule of order four. Jacobian: that
    of steps h with A linear in time, known at the start and half-way: I + h A_m + h^2/2 A_m^2 for what is driven, h^2
    (A_0/6 + A_m/3) + h^3/6 A_m^2 in the rows of position, which integrate it. Good to (h |A|)^3 / 6.
    """

    @njit(nogil=True, error_model="numpy")  # not cached by itself: it becomes part of the model that uses it
    def flow(x, t, n, par, scale, f):
        work = np.zeros((5, 9, 9))
        a, first, g, before, line = work[0], work[1], work[2], work[3], work[4]
        for i in range(3):
            a[i, 3 + i] = 1.0
        h = t / n
        for step in range(n):
            for stage in range(4):
                c = 0.0 if stage == 0 else h if stage == 3 else 0.5 * h
                w = h / 6.0 if stage == 0 or stage == 3 else h / 3.0
                keep = 0.0 if stage == 0 else 1.0
                for i in range(9):
                    line[0, i] = x[i] + c * line[1, i]
                slope(line[0], par, scale, stage == 0 or stage == 2, line[1], first if stage == 0 else a)
                for i in range(9):
                    line[2, i] = keep * line[2, i] + w * line[1, i]
            for i in range(9):
                x[i] += line[2, i]
            one = f if step == 0 else g
            for i in range(9):
                for j in range(9):
                    one[i, j] = 0.0
            _add_product(0.5 * h * h, a, a, np.int64(3), np.int64(rows), one)
            for i in range(3):
                for j in range(9):
                    one[i, j] = h * (one[3 + i, j] / 3.0 + h * (first[3 + i, j] / 6.0 + a[3 + i, j] / 3.0))
                one[i, 3 + i] += h
            for i in range(3, rows):
                for j in range(9):
                    one[i, j] += h * a[i, j]
            for i in range(9):
                one[i, i] += 1.0
            if step > 0:
                for i in range(9):
                    for j in range(9):
                        before[i, j] = f[i, j]
                        f[i, j] = 0.0
                _add_product(1.0, g, before, np.int64(0), np.int64(9), f)

    return flow


@njit(cache=True, nogil=True, error_model="numpy")
def _ln_beta(x):
    return min(max(x[6], _LN_BETA_MIN), _LN_BETA_MAX)


@njit(cache=True, nogil=True, error_model="numpy")
def _drag(x, par, scale, whole, out, a):
    """Drag [m/s2] into out[3:6], if `whole` its Jacobian into rows 3..5 of a; height [m].

    The density is multiplied by `scale`; 0 stands for air too thin to matter. Beyond the bounds of the ballistic
    coefficient the derivative is that at the bound, so that the way back is open.
    """
    w = par[SPIN]
    if scale == 0.0:
        for i in range(3, 6):
            out[i] = 0.0
            for j in range(7):
                a[i, j] = 0.0
        return inf
    ln_rho, g0, g1, g2, h = air(x[0], x[1], x[2], par)
    u0 = x[3] + w * x[1]
    u1 = x[4] - w * x[0]
    u2 = x[5]
    speed = sqrt(u0 * u0 + u1 * u1 + u2 * u2)
    k = 0.5 * scale * exp(ln_rho - _ln_beta(x))
    c = k / max(speed, 1e-3)
    for i in range(3):
        u = u0 if i == 0 else u1 if i == 1 else u2
        drag = -k * speed * u
        d0 = -c * u * u0
        d1 = -c * u * u1
        d2 = -c * u * u2
        if i == 0:
            d0 -= k * speed
        elif i == 1:
            d1 -= k * speed
        else:
            d2 -= k * speed
        out[3 + i] = drag
        if not whole:
            continue
        a[3 + i, 0] = drag * g0 - w * d1
        a[3 + i, 1] = drag * g1 + w * d0
        a[3 + i, 2] = drag * g2
        a[3 + i, 3] = d0
        a[3 + i, 4] = d1
        a[3 + i, 5] = d2
        a[3 + i, 6] = -drag
    return h


@njit(cache=True, nogil=True, error_model="numpy")
def _fade(h):
    """Share of learning and walking left to the ballistic coefficient at height h: 1 below 80 km, 0 above 100 km."""
    return min(max((_FROZEN_M - h) / (_FROZEN_M - _FREE_M), 0.0), 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _ballistic_slope(x, par, scale, whole, rate, a):
    h = _drag(x, par, scale, whole, rate, a)
    g0, g1, g2 = gravity(x[0], x[1], x[2], par)
    rate[3] += g0
    rate[4] += g1
    rate[5] += g2
    for i in range(3):
        rate[i] = x[3 + i]
        rate[6 + i] = 0.0
    if whole:
        _add_gradient(x, par, 1.0, a)
        fade = _fade(h)
        for i in range(3, 6):
            a[i, 6] *= fade


_ballistic_flow = _flow(_ballistic_slope, 6)


@njit(cache=True, nogil=True, error_model="numpy")
def _air_steps(x, t, par):
    """How many steps a transition through air needs, the factor on the density that keeps them stable, and height [m].

    Judged at the lower end of the straight way. Air that would stop the body in less than a step is taken thinner,
    and left out where drag is below 1e-8 m/s2.
    """
    w = par[SPIN]
    ln_rho, g0, g1, g2, h = air(x[0], x[1], x[2], par)
    u0 = x[3] + w * x[1]
    u1 = x[4] - w * x[0]
    u2 = x[5]
    speed = sqrt(u0 * u0 + u1 * u1 + u2 * u2)
    end = air(x[0] + t * x[3], x[1] + t * x[4], x[2] + t * x[5], par)
    rate = 0.5 * speed * exp(max(ln_rho, end[0]) - _ln_beta(x))
    if rate * speed < _DRAG_MIN_M_S2:
        return 1, 0.0, h
    if rate * speed * t * t < _DRIFT_MIN_M:
        return 1, 1.0, h
    growth = abs(g0 * u0 + g1 * u1 + g2 * u2)
    n = max(min(ceil(min((growth + rate) * t / _RATE_STEP, float(_STEPS_MAX))), _STEPS_MAX), 1)
    return n, min(1.0, n / (rate * t)), h


@njit(cache=True, nogil=True, error_model="numpy")
def ballistic(x, t, par, f, q):
    """Gravity with J2 and drag in air that turns with the Earth. Extras: ln of the ballistic coefficient, 0, 0.

    Above 100 km the ballistic coefficient is frozen: drag goes on, but nothing is learnt from it and nothing added to
    its variance (from 80 km on in part). In a stated exponential atmosphere nothing is frozen.
    """
    n, scale, h = _air_steps(x, t, par)
    _ballistic_flow(x, t, n, par, scale, f)
    v = par[VELOCITY_PSD]
    _isotropic(q, v * t * t * t / 3.0, v * t * t / 2.0, 0.0, v * t, 0.0, 0.0)
    psd = par[BETA_PSD] * _fade(h)
    if psd > 0.0:
        _walk(q, f, t, psd)


@njit(cache=True, nogil=True, error_model="numpy")
def _glide_slope(x, par, tau, whole, rate, a):
    """The acceleration e = x[6:9] turns as the air-relative velocity u does, and decays with the memory tau.

    e' = (u x u') x e / |u|^2 - e/tau = [u' (u.e) - u (u'.e)] / |u|^2 - e/tau, where u' = g + e - w x v. The divisor
    is |u|^2 + (u' / 2 per s)^2 + (1 m/s)^2: nothing turns faster than 1 rad/s, and 6e-6 slower than it should at 6
    km/s and 30 m/s2.
    """
    w = par[SPIN]
    g0, g1, g2 = gravity(x[0], x[1], x[2], par)
    for i in range(3):
        rate[i] = x[3 + i]
    rate[3] = g0 + x[6]
    rate[4] = g1 + x[7]
    rate[5] = g2 + x[8]
    e0, e1, e2 = x[6], x[7], x[8]
    u0 = x[3] + w * x[1]
    u1 = x[4] - w * x[0]
    u2 = x[5]
    d0 = rate[3] + w * x[4]
    d1 = rate[4] - w * x[3]
    d2 = rate[5]
    s = u0 * u0 + u1 * u1 + u2 * u2 + _AGILE_S * _AGILE_S * (d0 * d0 + d1 * d1 + d2 * d2) + 1.0
    ue = (u0 * e0 + u1 * e1 + u2 * e2) / s
    de = (d0 * e0 + d1 * e1 + d2 * e2) / s
    t0 = d0 * ue - u0 * de
    t1 = d1 * ue - u1 * de
    t2 = d2 * ue - u2 * de
    k = 1.0 / tau
    rate[6] = t0 - k * e0
    rate[7] = t1 - k * e1
    rate[8] = t2 - k * e2
    if not whole:
        return
    for i in range(3, 6):
        for j in range(9):
            a[i, j] = 0.0
        a[i, 3 + i] = 1.0
    _add_gradient(x, par, 1.0, a)
    for j in range(9):
        # what a change of element j does to u, u' and e, then to the turning
        du0 = 1.0 if j == 3 else w if j == 1 else 0.0
        du1 = 1.0 if j == 4 else -w if j == 0 else 0.0
        du2 = 1.0 if j == 5 else 0.0
        dd0 = a[3, j] + (w if j == 4 else 0.0)
        dd1 = a[4, j] - (w if j == 3 else 0.0)
        dd2 = a[5, j]
        de0 = 1.0 if j == 6 else 0.0
        de1 = 1.0 if j == 7 else 0.0
        de2 = 1.0 if j == 8 else 0.0
        ds = (
            2.0
            / s
            * (u0 * du0 + u1 * du1 + u2 * du2 + _AGILE_S * _AGILE_S * (d0 * dd0 + d1 * dd1 + d2 * dd2))
        )
        due = (du0 * e0 + du1 * e1 + du2 * e2 + u0 * de0 + u1 * de1 + u2 * de2) / s - ue * ds
        dde = (dd0 * e0 + dd1 * e1 + dd2 * e2 + d0 * de0 + d1 * de1 + d2 * de2) / s - de * ds
        a[6, j] = dd0 * ue + d0 * due - du0 * de - u0 * dde - k * de0
        a[7, j] = dd1 * ue + d1 * due - du1 * de - u1 * dde - k * de1
        a[8, j] = dd2 * ue + d2 * due - du2 * de - u2 * dde - k * de2


_glide_flow = _flow(_glide_slope, 9)


@njit(cache=True, nogil=True, error_model="numpy")
def _air_sigma(x, par):
    """What air can do to a body in the state x, m/s2: an order of magnitude."""
    u0 = x[3] + par[SPIN] * x[1]
    u1 = x[4] - par[SPIN] * x[0]
    return exp(air(x[0], x[1], x[2], par)[0]) * (u0 * u0 + u1 * u1 + x[5] * x[5]) / (2.0 * _AIR_SIGMA_KG_M2)


@njit(cache=True, nogil=True, error_model="numpy")
def glide(x, t, par, f, q):
    """Gravity with J2 and an aerodynamic acceleration that keeps its place relative to the airflow, with a memory.

    Extras: that acceleration. What air can do grows with dynamic pressure: sigma is widened by the drag of a body of 5
    000 kg/m2 (that of the slenderest glider times a lift-to-drag ratio of 3), so that a re-entry, whose drag doubles
    every two seconds, is followed. Memories shorter than a tenth of the step count as that.
    """
    tau = max(par[TAU], 0.1 * t)
    sigma = hypot(par[SIGMA], _air_sigma(x, par))
    u2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    e2 = x[6] * x[6] + x[7] * x[7] + x[8] * x[8]
    turn = sqrt(e2 / (u2 + _AGILE_S * _AGILE_S * e2 + 1.0))
    n = max(min(ceil(min(t * (1.0 / tau + turn) / _TURN_STEP, 2.0 * _STEPS_MAX)), 2 * _STEPS_MAX), 1)
    _glide_flow(x, t, n, par, tau, f)
    sigma = max(sigma, hypot(par[SIGMA], _air_sigma(x, par)))
    _, _, _, _, pp, pv, pa, vv, va, aa = markov(tau, t)
    w = 2.0 * sigma * sigma / tau + par[JERK_PSD]
    v = par[VELOCITY_PSD]
    _isotropic(
        q, w * pp + v * t * t * t / 3.0, w * pv + v * t * t / 2.0, w * pa, w * vv + v * t, w * va, w * aa
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(x, par, whole, out, a):
    """Total acceleration [m/s2] of a level turn into out[3:6], if `whole` its Jacobian into rows 3..5 of a.

    With n the vertical of the ellipsoid below and n' = its change along the way u over the ground: relative to the
    turning Earth u' = (n x n' + W n) x u, which keeps |u| and the climb n.u; inertial: + w x (u + v). Without gravity
    n is the z axis, and the Earth flat.
    """
    w = par[SPIN]
    turn = min(max(x[6], -_TURN_MAX_RAD_S), _TURN_MAX_RAD_S)
    round_ = 1.0 if par[MU] > 0.0 else 0.0
    k = 1.0 / (1.0 - EARTH_E2)
    u0 = x[3] + w * x[1]
    u1 = x[4] - w * x[0]
    u2 = x[5]
    n0, n1, n2 = 0.0, 0.0, 1.0
    m = 1.0
    if round_ > 0.0:
        m = max(sqrt(x[0] * x[0] + x[1] * x[1] + k * k * x[2] * x[2]), _RADIUS_MIN_M)
        n0 = x[0] / m
        n1 = x[1] / m
        n2 = k * x[2] / m
    s = round_ / m
    climb = n0 * u0 + n1 * u1 + n2 * u2
    c = n0 * u0 + n1 * u1 + k * n2 * u2
    p0 = (u0 - n0 * c) * s
    p1 = (u1 - n1 * c) * s
    p2 = (k * u2 - n2 * c) * s
    fall = p0 * u0 + p1 * u1 + p2 * u2
    out[3] = p0 * climb - n0 * fall + turn * (n1 * u2 - n2 * u1) - w * (u1 + x[4])
    out[4] = p1 * climb - n1 * fall + turn * (n2 * u0 - n0 * u2) + w * (u0 + x[3])
    out[5] = p2 * climb - n2 * fall + turn * (n0 * u1 - n1 * u0)
    if not whole:
        return
    for j in range(6):
        # what a change of element j does to the way u, the vertical n and its change p, then to the acceleration
        du0 = 1.0 if j == 3 else w if j == 1 else 0.0
        du1 = 1.0 if j == 4 else -w if j == 0 else 0.0
        du2 = 1.0 if j == 5 else 0.0
        dv0 = 1.0 if j == 3 else 0.0
        dv1 = 1.0 if j == 4 else 0.0
        dm0 = s if j == 0 else 0.0
        dm1 = s if j == 1 else 0.0
        dm2 = k * s if j == 2 else 0.0
        dm = n0 * dm0 + n1 * dm1 + n2 * dm2
        dn0 = dm0 - n0 * dm
        dn1 = dm1 - n1 * dm
        dn2 = dm2 - n2 * dm
        dc = dn0 * u0 + dn1 * u1 + k * dn2 * u2 + n0 * du0 + n1 * du1 + k * n2 * du2
        dp0 = (du0 - dn0 * c - n0 * dc) * s - p0 * dm
        dp1 = (du1 - dn1 * c - n1 * dc) * s - p1 * dm
        dp2 = (k * du2 - dn2 * c - n2 * dc) * s - p2 * dm
        dclimb = dn0 * u0 + dn1 * u1 + dn2 * u2 + n0 * du0 + n1 * du1 + n2 * du2
        dfall = dp0 * u0 + dp1 * u1 + dp2 * u2 + p0 * du0 + p1 * du1 + p2 * du2
        t0 = dn1 * u2 - dn2 * u1 + n1 * du2 - n2 * du1
        t1 = dn2 * u0 - dn0 * u2 + n2 * du0 - n0 * du2
        t2 = dn0 * u1 - dn1 * u0 + n0 * du1 - n1 * du0
        a[3, j] = dp0 * climb + p0 * dclimb - dn0 * fall - n0 * dfall + turn * t0 - w * (du1 + dv1)
        a[4, j] = dp1 * climb + p1 * dclimb - dn1 * fall - n1 * dfall + turn * t1 + w * (du0 + dv0)
        a[5, j] = dp2 * climb + p2 * dclimb - dn2 * fall - n2 * dfall + turn * t2
    a[3, 6] = n1 * u2 - n2 * u1
    a[4, 6] = n2 * u0 - n0 * u2
    a[5, 6] = n0 * u1 - n1 * u0


@njit(cache=True, nogil=True, error_model="numpy")
def _turn_slope(x, par, scale, whole, rate, a):
    _turn(x, par, whole, rate, a)
    for i in range(3):
        rate[i] = x[3 + i]
        rate[6 + i] = 0.0


_turn_flow = _flow(_turn_slope, 6)


@njit(cache=True, nogil=True, error_model="numpy")
def coordinated_turn(x, t, par, f, q):
    """Level flight over the turning Earth, constant in speed and climb. Extras: turn rate about the vertical, 0, 0.

    Speed is that relative to still air, which turns with the Earth; the rate is positive to the left. Gravity is
    carried by lift.
    """
    n = min(ceil(min(t * abs(x[6]), t * _TURN_MAX_RAD_S) / _TURN_STEP), _STEPS_MAX)
    _turn_flow(x, t, max(n, 1), par, 0.0, f)
    v = par[VELOCITY_PSD]
    _isotropic(q, v * t * t * t / 3.0, v * t * t / 2.0, 0.0, v * t, 0.0, 0.0)
    if par[TURN_PSD] > 0.0:
        _walk(q, f, t, par[TURN_PSD])


@njit(cache=True, nogil=True, error_model="numpy")
def transition(x, t, par, f, q):
    """Move the mean x [9] by t (0 < t <= 5 s) in place; its Jacobian into f [9, 9], the noise added into q [9, 9]."""
    kind = int(par[KIND])
    if kind == _SINGER:
        singer(x, t, par, f, q)
    elif kind == _BALLISTIC:
        ballistic(x, t, par, f, q)
    elif kind == _GLIDE:
        glide(x, t, par, f, q)
    elif kind == _TURN:
        coordinated_turn(x, t, par, f, q)
    else:
        constant_acceleration(x, t, par, f, q)


@njit(cache=True, nogil=True, error_model="numpy")
def carry(x, p, t, par, work):
    """Move one Gaussian by t >= 0 seconds, in place: mean x [9], covariance p [9, 9], symmetric to the last bit.

    work [4 or more, 9, 9]: scratch; work[0] is left as the Jacobian of the last step. Long times are taken in steps of
    at most 5 s.
    """
    if not t > 0.0:
        return
    n = ceil(t / STEP_MAX_S)
    h = t / n
    f = work[0]
    q = work[1]
    half = work[2]
    flip = work[3]
    for _ in range(n):
        transition(x, h, par, f, q)
        for i in range(9):
            for j in range(9):
                half[i, j] = 0.0
        _add_product(1.0, f, p, np.int64(0), np.int64(9), half)
        for i in range(9):
            for j in range(9):
                flip[i, j] = half[j, i]
        _add_product(1.0, f, flip, np.int64(0), np.int64(9), q)
        for i in range(9):
            for j in range(i, 9):
                p[i, j] = q[i, j]
                p[j, i] = q[i, j]


@njit(cache=True, nogil=True, error_model="numpy")
def meaning(par):
    """What a model's extras mean: ACCELERATION, DRAG or TURN. Models of one meaning may exchange them when mixed."""
    kind = int(par[KIND])
    return DRAG if kind == _BALLISTIC else TURN if kind == _TURN else ACCELERATION


@njit(cache=True, nogil=True, error_model="numpy")
def prior(par, mean, var):
    """What is believed of the three extras before anything is known, into mean [3] and var [3]."""
    kind = meaning(par)
    for i in range(3):
        mean[i] = 0.0
        var[i] = par[SIGMA] ** 2 if kind == ACCELERATION else _UNUSED_VAR
    if kind == DRAG:
        mean[0] = log(par[BETA])
        var[0] = par[BETA_SIGMA] ** 2
    elif kind == TURN:
        var[0] = par[TURN_SIGMA] ** 2


@njit(cache=True, nogil=True, error_model="numpy")
def export(x, p, par, mean, cov):
    """Position, velocity and acceleration beyond gravity (without gravity: all of it), into mean [9] and cov [9, 9].

    From a state x [9], p [9, 9] of the model. A ballistic body's acceleration is its drag; that of a level turn
    includes the lift that carries its weight. Covariance by the Jacobian, symmetric to the last bit.
    """
    for i in range(9):
        mean[i] = x[i]
        for j in range(9):
            cov[i, j] = p[i, j]
    kind = meaning(par)
    if kind == ACCELERATION:
        return
    a = np.zeros((9, 9))  # rows 3..5: the Jacobian of the acceleration
    rate = np.zeros(9)
    if kind == DRAG:
        _drag(x, par, 1.0, np.bool_(True), rate, a)
    else:
        _turn(x, par, np.bool_(True), rate, a)
        if par[MU] > 0.0:
            g0, g1, g2 = gravity(x[0], x[1], x[2], par)
            rate[3] -= g0
            rate[4] -= g1
            rate[5] -= g2
            _add_gradient(x, par, -1.0, a)
    for i in range(3):
        mean[6 + i] = rate[3 + i]
        for j in range(9):
            total = 0.0
            for k in range(9):
                total += a[3 + i, k] * p[k, j]
            a[6 + i, j] = total  # of the acceleration with the state
            if j < 6:
                cov[6 + i, j] = total
                cov[j, 6 + i] = total
    for i in range(3):
        for j in range(i, 3):
            total = 0.0
            for k in range(9):
                total += a[6 + i, k] * a[3 + j, k]
            cov[6 + i, 6 + j] = total
            cov[6 + j, 6 + i] = total

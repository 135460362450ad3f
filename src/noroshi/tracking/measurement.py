"""Extended Kalman updates: angles in the tangent plane, then range, then range rate; only one triangle computed.

Computing one triangle of the covariance and mirroring it keeps it exactly symmetric; the full product
P - K S K^T lets an antisymmetric rounding error grow until the covariance is no longer positive.
"""

from __future__ import annotations

from math import cos, inf, isinf, log, pi, sin, sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.tracking.columns import (
    AZ,
    EL,
    RANGE,
    RANGE_RATE,
    SIGMA_AZ,
    SIGMA_EL,
    SIGMA_RANGE,
    SIGMA_RANGE_RATE,
    M,
    R,
    V,
)

LOG_2PI = log(2.0 * pi)
_POLE = 1e-9  # cosine of elevation below which azimuth means nothing


@njit(cache=True, nogil=True, error_model="numpy")
def direction(scan, az, el, out):
    """Unit vector in GCRS of an azimuth and elevation in sensor axes, into `out` [3]."""
    x = cos(el) * cos(az)
    y = cos(el) * sin(az)
    z = sin(el)
    for i in range(3):
        out[i] = scan[M + 3 * i] * x + scan[M + 3 * i + 1] * y + scan[M + 3 * i + 2] * z


@njit(cache=True, nogil=True, error_model="numpy")
def sight(position, scan, u, e_az, e_el):
    """Range to a position, its direction and the unit vectors of growing azimuth and elevation there (GCRS)."""
    d0 = position[0] - scan[R]
    d1 = position[1] - scan[R + 1]
    d2 = position[2] - scan[R + 2]
    rho = sqrt(d0 * d0 + d1 * d1 + d2 * d2)
    x = (scan[M] * d0 + scan[M + 3] * d1 + scan[M + 6] * d2) / rho
    y = (scan[M + 1] * d0 + scan[M + 4] * d1 + scan[M + 7] * d2) / rho
    z = (scan[M + 2] * d0 + scan[M + 5] * d1 + scan[M + 8] * d2) / rho
    h = sqrt(x * x + y * y)
    ca, sa = (x / h, y / h) if h > _POLE else (1.0, 0.0)
    for i in range(3):
        m0 = scan[M + 3 * i]
        m1 = scan[M + 3 * i + 1]
        m2 = scan[M + 3 * i + 2]
        u[i] = m0 * x + m1 * y + m2 * z
        e_az[i] = -m0 * sa + m1 * ca
        e_el[i] = -m0 * z * ca - m1 * z * sa + m2 * h
    return rho


@njit(cache=True, nogil=True, error_model="numpy")
def gate(position, cov, scan, det, work):
    """Squared Mahalanobis distance and log-likelihood of one detection, from position alone.

    position [3], cov: any array whose upper-left 3 x 3 is the position covariance; work [8, 3]. Not measured
    components (sigma = inf) are left out. d2 = inf where the detection lies more than 60 deg from the track.
    """
    u = work[0]
    e_az = work[1]
    e_el = work[2]
    z = work[3]
    rows = work[4:7]
    y = work[7]
    rho = sight(position, scan, u, e_az, e_el)
    n = 0
    var0 = var1 = var2 = 0.0
    if not isinf(det[SIGMA_AZ]) or not isinf(det[SIGMA_EL]):
        direction(scan, det[AZ], det[EL], z)
        if z[0] * u[0] + z[1] * u[1] + z[2] * u[2] < 0.5:
            return inf, -inf
    if not isinf(det[SIGMA_AZ]):
        y[n] = e_az[0] * z[0] + e_az[1] * z[1] + e_az[2] * z[2]
        for i in range(3):
            rows[n, i] = e_az[i] / rho
        var0 = (det[SIGMA_AZ] * cos(det[EL])) ** 2
        n += 1
    if not isinf(det[SIGMA_EL]):
        y[n] = e_el[0] * z[0] + e_el[1] * z[1] + e_el[2] * z[2]
        for i in range(3):
            rows[n, i] = e_el[i] / rho
        if n == 0:
            var0 = det[SIGMA_EL] ** 2
        else:
            var1 = det[SIGMA_EL] ** 2
        n += 1
    if not isinf(det[SIGMA_RANGE]):
        y[n] = det[RANGE] - rho
        for i in range(3):
            rows[n, i] = u[i]
        if n == 0:
            var0 = det[SIGMA_RANGE] ** 2
        elif n == 1:
            var1 = det[SIGMA_RANGE] ** 2
        else:
            var2 = det[SIGMA_RANGE] ** 2
        n += 1
    if n == 0:
        return inf, -inf
    # Cholesky factor of S = H P H' + R and the whitened innovation, row by row
    l00 = l10 = l11 = l20 = l21 = 0.0
    d2 = 0.0
    log_det = 0.0
    w0 = w1 = 0.0
    for k in range(n):
        s0 = s1 = s2 = 0.0
        for i in range(3):
            ph = cov[i, 0] * rows[k, 0] + cov[i, 1] * rows[k, 1] + cov[i, 2] * rows[k, 2]
            s0 += rows[0, i] * ph
            if k >= 1:
                s1 += rows[1, i] * ph
            if k >= 2:
                s2 += rows[2, i] * ph
        if k == 0:
            pivot = s0 + var0
            l00 = sqrt(pivot)
            w0 = y[0] / l00
            d2 += w0 * w0
        elif k == 1:
            l10 = s0 / l00
            pivot = s1 + var1 - l10 * l10
            l11 = sqrt(pivot)
            w1 = (y[1] - l10 * w0) / l11
            d2 += w1 * w1
        else:
            l20 = s0 / l00
            l21 = (s1 - l20 * l10) / l11
            pivot = s2 + var2 - l20 * l20 - l21 * l21
            w2 = (y[2] - l20 * w0 - l21 * w1) / sqrt(pivot)
            d2 += w2 * w2
        log_det += log(pivot)
    return d2, -0.5 * (d2 + log_det + n * LOG_2PI)


@njit(cache=True, nogil=True, error_model="numpy")
def _mirror(cov):
    for i in range(9):
        for j in range(i):
            cov[i, j] = cov[j, i]


@njit(cache=True, nogil=True, error_model="numpy")
def _scalar(mean, cov, h, y, var):
    """One scalar update with the row h [9], in place; its log-likelihood."""
    ph = np.empty(9)
    s = var
    for i in range(9):
        total = 0.0
        for j in range(9):
            total += cov[i, j] * h[j]
        ph[i] = total
        s += h[i] * total
    for i in range(9):
        k = ph[i] / s
        mean[i] += k * y
        for j in range(i, 9):
            cov[i, j] -= k * ph[j]
    _mirror(cov)
    return -0.5 * (y * y / s + log(s) + LOG_2PI)


@njit(cache=True, nogil=True, error_model="numpy")
def update_angles(mean, cov, scan, det):
    """Tangent-plane update with azimuth and elevation together, in place; its log-likelihood."""
    u = np.empty(3)
    e_az = np.empty(3)
    e_el = np.empty(3)
    z = np.empty(3)
    rho = sight(mean, scan, u, e_az, e_el)
    direction(scan, det[AZ], det[EL], z)
    y0 = e_az[0] * z[0] + e_az[1] * z[1] + e_az[2] * z[2]
    y1 = e_el[0] * z[0] + e_el[1] * z[1] + e_el[2] * z[2]
    a = np.empty(9)
    b = np.empty(9)
    for i in range(9):
        a[i] = (cov[i, 0] * e_az[0] + cov[i, 1] * e_az[1] + cov[i, 2] * e_az[2]) / rho
        b[i] = (cov[i, 0] * e_el[0] + cov[i, 1] * e_el[1] + cov[i, 2] * e_el[2]) / rho
    s00 = (det[SIGMA_AZ] * cos(det[EL])) ** 2
    s01 = 0.0
    s11 = det[SIGMA_EL] ** 2
    for i in range(3):
        s00 += e_az[i] * a[i] / rho
        s01 += e_az[i] * b[i] / rho
        s11 += e_el[i] * b[i] / rho
    d = s00 * s11 - s01 * s01
    i00 = s11 / d
    i01 = -s01 / d
    i11 = s00 / d
    for i in range(9):
        k0 = a[i] * i00 + b[i] * i01
        k1 = a[i] * i01 + b[i] * i11
        mean[i] += k0 * y0 + k1 * y1
        for j in range(i, 9):
            cov[i, j] -= k0 * a[j] + k1 * b[j]
    _mirror(cov)
    d2 = y0 * y0 * i00 + 2.0 * y0 * y1 * i01 + y1 * y1 * i11
    return -0.5 * (d2 + log(d) + 2.0 * LOG_2PI)


@njit(cache=True, nogil=True, error_model="numpy")
def update(mean, cov, scan, det):
    """Update one Gaussian with one detection, in place; the log-likelihood of the detection.

    mean [9], cov [9, 9] symmetric. Angles first, then range and range rate, each linearised where the one before
    has left the state. Components with sigma = inf are skipped. The likelihood includes the range rate, which the
    gate does not use.
    """
    value = 0.0
    u = np.empty(3)
    e_az = np.empty(3)
    e_el = np.empty(3)
    h = np.zeros(9)
    if not isinf(det[SIGMA_AZ]) and not isinf(det[SIGMA_EL]):
        value += update_angles(mean, cov, scan, det)
    elif not isinf(det[SIGMA_AZ]) or not isinf(det[SIGMA_EL]):
        rho = sight(mean, scan, u, e_az, e_el)
        z = np.empty(3)
        direction(scan, det[AZ], det[EL], z)
        e = e_az if not isinf(det[SIGMA_AZ]) else e_el
        sigma = det[SIGMA_AZ] * cos(det[EL]) if not isinf(det[SIGMA_AZ]) else det[SIGMA_EL]
        y = 0.0
        for i in range(3):
            h[i] = e[i] / rho
            y += e[i] * z[i]
        value += _scalar(mean, cov, h, y, sigma * sigma)
    if not isinf(det[SIGMA_RANGE]):
        rho = sight(mean, scan, u, e_az, e_el)
        for i in range(3):
            h[i] = u[i]
        value += _scalar(mean, cov, h, det[RANGE] - rho, det[SIGMA_RANGE] ** 2)
    if not isinf(det[SIGMA_RANGE_RATE]):
        rho = sight(mean, scan, u, e_az, e_el)
        rate = 0.0
        for i in range(3):
            rate += u[i] * (mean[3 + i] - scan[V + i])
        for i in range(3):
            h[i] = (mean[3 + i] - scan[V + i] - u[i] * rate) / rho
            h[3 + i] = u[i]
        value += _scalar(mean, cov, h, det[RANGE_RATE] - rate, det[SIGMA_RANGE_RATE] ** 2)
    return value

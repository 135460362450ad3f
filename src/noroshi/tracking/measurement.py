"""Extended Kalman updates: angles in the tangent plane, then range, then range rate; always exactly symmetric.

The covariance falls by outer products of whitened gains, P - w w', whose two triangles round alike. The full product
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
WIDTH = 9  # of a state: position, velocity, three numbers of the model's own
HEMISPHERE = 0.5  # cosine: what lies further from a track than 60 deg is not its detection

# A detection made ready for a scan: direction in the frame, then values and variances (inf: not measured)
Z = 0  # 3 wide, the frame's axes
Y_SENSOR = (
    3  # sine of the azimuth side and of elevation: the sensor's y and z components, to sort and gate by
)
Z_SENSOR = 4
VAR_AZ = 5  # of the cross-range angle, not of azimuth itself
VAR_EL = 6
DISTANCE = 7
VAR_DISTANCE = 8
RATE = 9
VAR_RATE = 10
READY = 11

# How a track looks to a sensor (`look`)
RHO = 0
U = 1  # 3 wide
E_AZ = 4  # 3 wide
E_EL = 7  # 3 wide
S_AA = 10  # track's share of the innovation covariance: azimuth, elevation, range
S_AE = 11
S_EE = 12
S_AR = 13
S_ER = 14
S_RR = 15
LOOK = 16


@njit(cache=True, nogil=True, error_model="numpy")
def direction(scan, az, el, out):
    """Unit vector in GCRS of an azimuth and elevation in sensor axes, into `out` [3]."""
    x = cos(el) * cos(az)
    y = cos(el) * sin(az)
    z = sin(el)
    for i in range(3):
        out[i] = scan[M + 3 * i] * x + scan[M + 3 * i + 1] * y + scan[M + 3 * i + 2] * z


@njit(cache=True, nogil=True, error_model="numpy")
def prepare(scan, det, out):
    """Make one row of `pack_detections` ready for use with its scan, into `out` [READY]."""
    ce = cos(det[EL])
    x = ce * cos(det[AZ])
    y = ce * sin(det[AZ])
    z = sin(det[EL])
    for i in range(3):
        out[Z + i] = scan[M + 3 * i] * x + scan[M + 3 * i + 1] * y + scan[M + 3 * i + 2] * z
    out[Y_SENSOR] = y
    out[Z_SENSOR] = z
    out[VAR_AZ] = inf if isinf(det[SIGMA_AZ]) else (det[SIGMA_AZ] * ce) ** 2
    out[VAR_EL] = det[SIGMA_EL] ** 2
    out[DISTANCE] = det[RANGE]
    out[VAR_DISTANCE] = det[SIGMA_RANGE] ** 2
    out[RATE] = det[RANGE_RATE]
    out[VAR_RATE] = det[SIGMA_RANGE_RATE] ** 2


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
def look(position, cov, scan, out):
    """How a track lies for a sensor: geometry and its share of the innovation covariance, into `out` [LOOK].

    position [3], cov: any array whose upper-left 3 x 3 is the position covariance.
    """
    rho = sight(position, scan, out[U:E_AZ], out[E_AZ:E_EL], out[E_EL:S_AA])
    out[RHO] = rho
    aa = ae = ee = ar = er = rr = 0.0
    for i in range(3):
        pa = cov[i, 0] * out[E_AZ] + cov[i, 1] * out[E_AZ + 1] + cov[i, 2] * out[E_AZ + 2]
        pe = cov[i, 0] * out[E_EL] + cov[i, 1] * out[E_EL + 1] + cov[i, 2] * out[E_EL + 2]
        pu = cov[i, 0] * out[U] + cov[i, 1] * out[U + 1] + cov[i, 2] * out[U + 2]
        aa += out[E_AZ + i] * pa
        ae += out[E_EL + i] * pa
        ee += out[E_EL + i] * pe
        ar += out[U + i] * pa
        er += out[U + i] * pe
        rr += out[U + i] * pu
    square = rho * rho
    uncertain = rr / square  # second order, as in `_angles`
    out[S_AA] = aa / square * (1.0 + uncertain) + ar * ar / (square * square)
    out[S_AE] = ae / square * (1.0 + uncertain) + ar * er / (square * square)
    out[S_EE] = ee / square * (1.0 + uncertain) + er * er / (square * square)
    out[S_AR] = ar / rho
    out[S_ER] = er / rho
    out[S_RR] = rr


@njit(cache=True, nogil=True, error_model="numpy")
def distance(row, ready):
    """Squared Mahalanobis distance and log-likelihood of one ready detection for one `look`, from position alone.

    Components that were not measured (variance inf) are left out. d2 = inf where the detection lies more than 60 deg
    from the track, or has neither angles nor range.
    """
    z0, z1, z2 = ready[Z], ready[Z + 1], ready[Z + 2]
    has_az = not isinf(ready[VAR_AZ])
    has_el = not isinf(ready[VAR_EL])
    has_range = not isinf(ready[VAR_DISTANCE])
    if (has_az or has_el) and z0 * row[U] + z1 * row[U + 1] + z2 * row[U + 2] < HEMISPHERE:
        return inf, -inf
    y0 = row[E_AZ] * z0 + row[E_AZ + 1] * z1 + row[E_AZ + 2] * z2
    y1 = row[E_EL] * z0 + row[E_EL + 1] * z1 + row[E_EL + 2] * z2
    if has_az and has_el and not has_range:
        s00 = row[S_AA] + ready[VAR_AZ]
        s01 = row[S_AE]
        s11 = row[S_EE] + ready[VAR_EL]
        det = s00 * s11 - s01 * s01
        d2 = (s11 * y0 * y0 - 2.0 * s01 * y0 * y1 + s00 * y1 * y1) / det
        return d2, -0.5 * (d2 + log(det)) - LOG_2PI
    # Cholesky factor of S and the whitened innovation, component by component
    d2 = 0.0
    value = 0.0
    w0 = w1 = 0.0
    l10 = l20 = l21 = 0.0
    if has_az:
        s = row[S_AA] + ready[VAR_AZ]
        root = sqrt(s)
        w0 = y0 / root
        l10 = row[S_AE] / root
        l20 = row[S_AR] / root
        d2 += w0 * w0
        value -= 0.5 * (log(s) + LOG_2PI)
    if has_el:
        s = row[S_EE] + ready[VAR_EL] - l10 * l10
        root = sqrt(s)
        w1 = (y1 - l10 * w0) / root
        l21 = (row[S_ER] - l20 * l10) / root
        d2 += w1 * w1
        value -= 0.5 * (log(s) + LOG_2PI)
    if has_range:
        s = row[S_RR] + ready[VAR_DISTANCE] - l20 * l20 - l21 * l21
        w2 = (ready[DISTANCE] - row[RHO] - l20 * w0 - l21 * w1) / sqrt(s)
        d2 += w2 * w2
        value -= 0.5 * (log(s) + LOG_2PI)
    if not (has_az or has_el or has_range):
        return inf, -inf
    return d2, value - 0.5 * d2


@njit(cache=True, nogil=True, error_model="numpy")
def _scalar(mean, cov, h, y, var, w):
    """One scalar update with the row h [9], in place; its log-likelihood. w [9]: scratch."""
    s = var
    for i in range(WIDTH):
        total = 0.0
        for j in range(WIDTH):
            total += cov[i, j] * h[j]
        w[i] = total
        s += h[i] * total
    root = sqrt(s)
    for i in range(WIDTH):
        w[i] /= root
    white = y / root
    for i in range(WIDTH):
        mean[i] += w[i] * white
        for j in range(WIDTH):
            cov[i, j] -= w[i] * w[j]
    return -0.5 * (white * white + log(s) + LOG_2PI)


@njit(cache=True, nogil=True, error_model="numpy")
def _angles(mean, cov, scan, ready, work):
    """Tangent-plane update with both angles together, in place; its log-likelihood. work [4, 9]: scratch."""
    row = work[0]
    a = work[2]
    b = work[3]
    rho = sight(mean, scan, row[0:3], row[3:6], row[6:9])
    y0 = row[3] * ready[Z] + row[4] * ready[Z + 1] + row[5] * ready[Z + 2]
    y1 = row[6] * ready[Z] + row[7] * ready[Z + 1] + row[8] * ready[Z + 2]
    a0, a1, a2 = row[3] / rho, row[4] / rho, row[5] / rho
    b0, b1, b2 = row[6] / rho, row[7] / rho, row[8] / rho
    for i in range(WIDTH):
        a[i] = cov[0, i] * a0 + cov[1, i] * a1 + cov[2, i] * a2
        b[i] = cov[0, i] * b0 + cov[1, i] * b1 + cov[2, i] * b2
    s00 = a0 * a[0] + a1 * a[1] + a2 * a[2]
    s01 = b0 * a[0] + b1 * a[1] + b2 * a[2]
    s11 = b0 * b[0] + b1 * b[1] + b2 * b[2]
    # second order: an angle is cross-range over a range that is uncertain too (half the trace of products of Hessian
    # and covariance, A. H. Jazwinski, "Stochastic Processes and Filtering Theory", 1970, section 9.3)
    au = (a[0] * row[0] + a[1] * row[1] + a[2] * row[2]) / rho
    bu = (b[0] * row[0] + b[1] * row[1] + b[2] * row[2]) / rho
    uu = 0.0
    for i in range(3):
        uu += row[i] * (cov[i, 0] * row[0] + cov[i, 1] * row[1] + cov[i, 2] * row[2])
    uu /= rho * rho
    y0 += au
    y1 += bu
    s00 += s00 * uu + au * au + ready[VAR_AZ]
    s01 += s01 * uu + au * bu
    s11 += s11 * uu + bu * bu + ready[VAR_EL]
    l00 = sqrt(s00)
    l10 = s01 / l00
    l11 = sqrt(s11 - l10 * l10)
    i0 = 1.0 / l00
    i1 = 1.0 / l11
    for i in range(WIDTH):
        a[i] *= i0
        b[i] = (b[i] - l10 * a[i]) * i1
    w0 = y0 * i0
    w1 = (y1 - l10 * w0) * i1
    for i in range(WIDTH):
        mean[i] += a[i] * w0 + b[i] * w1
        for j in range(WIDTH):
            cov[i, j] -= a[i] * a[j] + b[i] * b[j]
    return -0.5 * (w0 * w0 + w1 * w1) - log(l00 * l11) - LOG_2PI


@njit(cache=True, nogil=True, error_model="numpy")
def absorb(mean, cov, scan, ready, work):
    """Update one Gaussian with one ready detection, in place; the log-likelihood of the detection.

    mean [9], cov [9, 9] symmetric, work [4, 9] scratch. Angles first, then range and range rate, each linearised where
    the one before has left the state. Components that were not measured are skipped. The likelihood includes the
    range rate, which the gate does not use.
    """
    has_az = not isinf(ready[VAR_AZ])
    has_el = not isinf(ready[VAR_EL])
    value = 0.0
    if has_az and has_el:
        value += _angles(mean, cov, scan, ready, work)
    if isinf(ready[VAR_DISTANCE]) and isinf(ready[VAR_RATE]) and has_az == has_el:
        return value
    row = work[0]
    h = work[1]
    for i in range(WIDTH):
        h[i] = 0.0
    if has_az != has_el:
        rho = sight(mean, scan, row[0:3], row[3:6], row[6:9])
        first = 3 if has_az else 6
        y = 0.0
        for i in range(3):
            h[i] = row[first + i] / rho
            y += row[first + i] * ready[Z + i]
        value += _scalar(mean, cov, h, y, ready[VAR_AZ] if has_az else ready[VAR_EL], work[2])
    if not isinf(ready[VAR_DISTANCE]):
        rho = sight(mean, scan, row[0:3], row[3:6], row[6:9])
        for i in range(3):
            h[i] = row[i]
        value += _scalar(mean, cov, h, ready[DISTANCE] - rho, ready[VAR_DISTANCE], work[2])
    if not isinf(ready[VAR_RATE]):
        rho = sight(mean, scan, row[0:3], row[3:6], row[6:9])
        rate = 0.0
        for i in range(3):
            rate += row[i] * (mean[3 + i] - scan[V + i])
        for i in range(3):
            h[i] = (mean[3 + i] - scan[V + i] - row[i] * rate) / rho
            h[3 + i] = row[i]
        value += _scalar(mean, cov, h, ready[RATE] - rate, ready[VAR_RATE], work[2])
    return value


@njit(cache=True, nogil=True, error_model="numpy")
def gate(position, cov, scan, det):
    """Squared Mahalanobis distance and log-likelihood of one detection row, from position alone (see `distance`)."""
    row = np.empty(LOOK)
    ready = np.empty(READY)
    look(position, cov, scan, row)
    prepare(scan, det, ready)
    return distance(row, ready)


@njit(cache=True, nogil=True, error_model="numpy")
def update(mean, cov, scan, det):
    """Update one Gaussian with one detection row, in place; the log-likelihood of the detection (see `absorb`)."""
    ready = np.empty(READY)
    prepare(scan, det, ready)
    return absorb(mean, cov, scan, ready, np.empty((4, WIDTH)))

"""Errors of a sensor that do not average: constant registration biases, considered or estimated, and wrong time tags.

Considering: S. F. Schmidt (1966). Estimating: the bias-free filter and its sensitivity (B. Friedland, IEEE Trans.
AC-14, 1969), fused over the targets that the sensors have in common. Derivations: docs/theory/registration.md. A
sensor's bias has three parts: azimuth across the line of sight (an angle on the sky), elevation, range.
"""

from __future__ import annotations

from math import ceil, isinf, log, sqrt
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.errors import ScenarioError
from noroshi.tables import Contributions, Detections, Scans, Status, Tracks
from noroshi.tracking.columns import SENSOR, V, pack_detections, pack_scans
from noroshi.tracking.contributed import uses
from noroshi.tracking.measurement import (
    DISTANCE,
    E_AZ,
    E_EL,
    LOG_2PI,
    RATE,
    READY,
    RHO,
    S_AA,
    S_AE,
    S_AR,
    S_EE,
    S_ER,
    S_RR,
    VAR_AZ,
    VAR_DISTANCE,
    VAR_EL,
    VAR_RATE,
    WIDTH,
    U,
    Z,
    prepare,
    sight,
)
from noroshi.tracking.models import Bias
from noroshi.tracking.parameters import Motion, parameters
from noroshi.tracking.transition import meaning, prior, transition

PARTS = 3  # of a bias: azimuth, elevation, range
_KINDS = 4  # azimuth, elevation, range, range rate: the order of update
STEP_MAX_S = 5.0  # longer gaps are taken in steps: gravity's gradient changes by 1.5 % in 5 s at 7 km/s
# what is believed of a target before its first detection when biases are estimated: next to nothing. Ten times what any
# first row is off by
START_POSITION_M = 1e5
START_VELOCITY_M_S = 1e4

# scratch of `consider`, rows of 9
_LINE = 0  # 4 rows: derivatives of the measured values
_TURNED = 4  # 4 rows: the same with the noise made independent
_BIAS = 8  # 4 rows, 3 used: and of the biases
_SMALL = 12  # residuals 4, made independent 4
_RATES = 13  # rates 4, variances 4
_LOW = 14  # 4 rows, 4 used: unit lower factor of the noise covariance
_GEOMETRY = 18  # line of sight and the two directions of growing angles
_AT = 19  # where the derivatives were taken
_GAIN = 20
WORK = 21


@njit(cache=True, nogil=True, error_model="numpy")
def timing_inflation(mean, scan, sigma_t_s, row, out):
    """Rates of azimuth (on the sky), elevation, range and range rate times the time tag's sigma, into `out` [4].

    A tag that is off by dt makes a measured vector y wrong by y' dt, all its parts together: its noise covariance grows
    by out out'. The rate of the range rate is its geometric part, (cross-range speed)^2 / range. mean [9]; row [9]:
    scratch, then line of sight and the directions of growing azimuth and elevation.
    """
    rho = sight(mean, scan, row[0:3], row[3:6], row[6:9])
    along = across_az = across_el = 0.0
    for i in range(3):
        w = mean[3 + i] - scan[V + i]
        along += row[i] * w
        across_az += row[3 + i] * w
        across_el += row[6 + i] * w
    out[0] = sigma_t_s * across_az / rho
    out[1] = sigma_t_s * across_el / rho
    out[2] = sigma_t_s * along
    out[3] = sigma_t_s * (across_az * across_az + across_el * across_el) / rho


@njit(cache=True, nogil=True, error_model="numpy")
def _lines(mean, scan, ready, work):
    """Derivatives and residuals of all four kinds at `mean`, into the scratch."""
    g = work[_GEOMETRY]
    rho = sight(mean, scan, g[0:3], g[3:6], g[6:9])
    y_az = y_el = rate = 0.0
    for i in range(3):
        y_az += g[3 + i] * ready[Z + i]
        y_el += g[6 + i] * ready[Z + i]
        rate += g[i] * (mean[3 + i] - scan[V + i])
    for i in range(3):
        work[_LINE, i] = g[3 + i] / rho
        work[_LINE + 1, i] = g[6 + i] / rho
        work[_LINE + 2, i] = g[i]
        work[_LINE + 3, i] = (mean[3 + i] - scan[V + i] - g[i] * rate) / rho
        for k in range(_KINDS):
            work[_LINE + k, 3 + i] = g[i] if k == 3 else 0.0
            work[_LINE + k, 6 + i] = 0.0
    work[_SMALL, 0] = y_az
    work[_SMALL, 1] = y_el
    work[_SMALL, 2] = ready[DISTANCE] - rho
    work[_SMALL, 3] = ready[RATE] - rate
    for i in range(WIDTH):
        work[_AT, i] = mean[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _noise(mean, scan, ready, sigma_t_s, work):
    """Factor the noise covariance of the measured kinds, R + r r', as L diag(d) L' with L unit lower, in the scratch.

    d goes where the variances stand (inf: not measured).
    """
    small = work[_RATES]
    if sigma_t_s > 0.0:
        timing_inflation(mean, scan, sigma_t_s, work[_GEOMETRY], small[0:4])
    else:
        for k in range(_KINDS):
            small[k] = 0.0
    small[4] = ready[VAR_AZ]
    small[5] = ready[VAR_EL]
    small[6] = ready[VAR_DISTANCE]
    small[7] = ready[VAR_RATE]
    for k in range(_KINDS):
        if isinf(small[4 + k]):
            continue
        d = small[4 + k] + small[k] * small[k]
        for j in range(k):
            v = 0.0
            if not isinf(small[4 + j]):
                v = small[k] * small[j]
                for i in range(j):
                    if not isinf(small[4 + i]):
                        v -= work[_LOW + k, i] * work[_LOW + j, i] * small[4 + i]
                v /= small[4 + j]
                d -= v * v * small[4 + j]
            work[_LOW + k, j] = v
        small[4 + k] = d


@njit(cache=True, nogil=True, error_model="numpy")
def _independent(mean, k, work):
    """Derivatives, bias coefficients and residual of kind k at `mean`, less what earlier kinds tell of its noise."""
    for i in range(k + 1):
        if isinf(work[_RATES, 4 + i]):
            continue
        y = work[_SMALL, i]
        for a in range(6):
            y -= work[_LINE + i, a] * (mean[a] - work[_AT, a])
        for a in range(WIDTH):
            work[_TURNED + i, a] = work[_LINE + i, a]
        for c in range(PARTS):
            work[_BIAS + i, c] = 1.0 if c == i else 0.0
        for j in range(i):
            v = work[_LOW + i, j]
            if v == 0.0 or isinf(work[_RATES, 4 + j]):
                continue
            y -= v * work[_SMALL, 4 + j]
            for a in range(WIDTH):
                work[_TURNED + i, a] -= v * work[_TURNED + j, a]
            for c in range(PARTS):
                work[_BIAS + i, c] -= v * work[_BIAS + j, c]
        work[_SMALL, 4 + i] = y


@njit(cache=True, nogil=True, error_model="numpy")
def consider(mean, cov, cross, bias, sensor, sigma_t_s, scan, ready, work):
    """Update one Gaussian with one ready detection of a sensor whose bias is considered; its log-likelihood. In place.

    mean [9], cov [9, 9] symmetric, cross [sensor, 9, 3]: covariance of the state with the biases; bias [sensor, 3]:
    their variances (a sensor without a row has none); sigma_t_s: of the scan's time tag; ready: see
    measurement.prepare; work [21, 9]: scratch. As measurement.absorb where all is 0: angles, then range and range rate,
    each linearised where the one before has left the state. Biases are never estimated: their mean stays 0, their
    variances stay.
    """
    _noise(mean, scan, ready, sigma_t_s, work)
    _lines(mean, scan, ready, work)
    w = work[_GAIN]
    own = sensor < len(bias)
    value = 0.0
    for k in range(_KINDS):
        var = work[_RATES, 4 + k]
        if isinf(var):
            continue
        if k >= 2:
            _lines(mean, scan, ready, work)
        _independent(mean, k, work)
        h = work[_TURNED + k]
        hb = work[_BIAS + k]
        s = var
        for a in range(WIDTH):
            v = 0.0
            for b in range(WIDTH):
                v += cov[a, b] * h[b]
            s += h[a] * v
            if own:
                for c in range(PARTS):
                    v += cross[sensor, a, c] * hb[c]
                    s += 2.0 * h[a] * cross[sensor, a, c] * hb[c]
            w[a] = v
        if own:
            for c in range(PARTS):
                s += hb[c] * hb[c] * bias[sensor, c]
        root = sqrt(s)
        y = work[_SMALL, 4 + k] / root
        for a in range(WIDTH):
            w[a] /= root
        for q in range(len(cross)):
            for c in range(PARTS):
                v = 0.0
                for a in range(WIDTH):
                    v += h[a] * cross[q, a, c]
                if q == sensor:
                    v += hb[c] * bias[q, c]
                v /= root
                if v != 0.0:
                    for a in range(WIDTH):
                        cross[q, a, c] -= w[a] * v
        for a in range(WIDTH):
            mean[a] += w[a] * y
            for b in range(WIDTH):
                cov[a, b] -= w[a] * w[b]
        value -= 0.5 * (y * y + log(s) + LOG_2PI)
    return value


@njit(cache=True, nogil=True, error_model="numpy")
def schmidt_update(mean, cov, cross, bias, sensor, sigma_t_s, scan, det):
    """As `consider`, from a row of `pack_detections`."""
    ready = np.empty(READY)
    prepare(scan, det, ready)
    return consider(mean, cov, cross, bias, sensor, sigma_t_s, scan, ready, np.empty((WORK, WIDTH)))


@njit(cache=True, nogil=True, error_model="numpy")
def carry_cross(cross, f, column):
    """Covariances with the biases [sensor, 9, 3] over a transition f [9, 9], in place; column [9]: scratch."""
    for q in range(len(cross)):
        for c in range(PARTS):
            for a in range(WIDTH):
                v = 0.0
                for b in range(WIDTH):
                    v += f[a, b] * cross[q, b, c]
                column[a] = v
            for a in range(WIDTH):
                cross[q, a, c] = column[a]


@njit(cache=True, nogil=True, error_model="numpy")
def look_biased(row, mean, cross, bias, sensor, sigma_t_s, scan):
    """Widen a track's share of the innovation covariance (a row of measurement.look) by biases and time tag, in place.

    mean [9], cross [sensor, 9, 3]: of the whole mixture (the mean of the models' own, by weight).
    """
    rho = row[RHO]
    if sensor < len(bias):
        aa = ee = rr = ae = ar = er = 0.0
        for i in range(3):
            az = cross[sensor, i, 0]
            el = cross[sensor, i, 1]
            distance = cross[sensor, i, 2]
            aa += row[E_AZ + i] * az
            ee += row[E_EL + i] * el
            rr += row[U + i] * distance
            ae += row[E_AZ + i] * el + row[E_EL + i] * az
            ar += row[E_AZ + i] / rho * distance + row[U + i] * az
            er += row[E_EL + i] / rho * distance + row[U + i] * el
        row[S_AA] += 2.0 * aa / rho + bias[sensor, 0]
        row[S_EE] += 2.0 * ee / rho + bias[sensor, 1]
        row[S_RR] += 2.0 * rr + bias[sensor, 2]
        row[S_AE] += ae / rho
        row[S_AR] += ar
        row[S_ER] += er
    if sigma_t_s > 0.0:
        along = az = el = 0.0
        for i in range(3):
            v = mean[3 + i] - scan[V + i]
            along += row[U + i] * v
            az += row[E_AZ + i] * v
            el += row[E_EL + i] * v
        az *= sigma_t_s / rho
        el *= sigma_t_s / rho
        along *= sigma_t_s
        row[S_AA] += az * az
        row[S_EE] += el * el
        row[S_RR] += along * along
        row[S_AE] += az * el
        row[S_AR] += az * along
        row[S_ER] += el * along


class Registration(NamedTuple):
    """Estimated biases: what a sensor's measured values are too large by."""

    sensor: Int64[np.ndarray, "part"]  # of each estimated part
    part: Int64[
        np.ndarray, "part"
    ]  # 0 azimuth across the line of sight [rad], 1 elevation [rad], 2 range [m]
    value: Float64[np.ndarray, "part"]
    cov: Float64[np.ndarray, "part part"]
    detections: int  # used
    tracks: int


@njit(cache=True, nogil=True, error_model="numpy")
def _path(par, times, nominal, scans, dets, group, slot, sigma_t_s, information, right, work):
    """Add what one target tells of the biases to the normal equations, in place.

    times [node], nominal [node, 9]: path about which all is linearised; group [node, 2]: rows of `scans` and `dets` of
    each node; slot [detection, 3]: column of each part of that sensor's bias, -1: none; information [column, column],
    right [column]; work [21, 9].
    """
    columns = len(right)
    off = np.zeros(WIDTH)  # departure from the nominal path, if no sensor had a bias
    cov = np.zeros((WIDTH, WIDTH))
    lean = np.zeros((WIDTH, columns))  # its derivative by the biases
    swing = np.empty(columns)
    f = np.empty((WIDTH, WIDTH))
    q = np.empty((WIDTH, WIDTH))
    half = np.empty((WIDTH, WIDTH))
    column = np.empty(WIDTH)
    ready = np.empty(READY)
    x = np.empty(WIDTH)
    extras = np.empty(3)
    var = np.empty(3)
    prior(par, extras, var)
    for i in range(3):
        cov[i, i] = START_POSITION_M**2
        cov[3 + i, 3 + i] = START_VELOCITY_M_S**2
        cov[6 + i, 6 + i] = var[i]
        off[6 + i] = extras[i] - nominal[0, 6 + i]
    for n in range(len(times)):
        if n > 0:
            steps = ceil((times[n] - times[n - 1]) / STEP_MAX_S)
            t = (times[n] - times[n - 1]) / steps
            for a in range(WIDTH):
                x[a] = nominal[n - 1, a]
            for _ in range(steps):
                transition(x, t, par, f, q)
                for a in range(WIDTH):
                    v = 0.0
                    for b in range(WIDTH):
                        v += f[a, b] * off[b]
                        half[a, b] = 0.0
                    column[a] = v
                for a in range(WIDTH):
                    off[a] = column[a]
                    for b in range(WIDTH):
                        v = f[a, b]
                        if v != 0.0:
                            for c in range(WIDTH):
                                half[a, c] += v * cov[b, c]
                for a in range(WIDTH):
                    for b in range(a, WIDTH):
                        v = q[a, b]
                        for c in range(WIDTH):
                            v += half[a, c] * f[b, c]
                        cov[a, b] = v
                        cov[b, a] = v
                for c in range(columns):
                    for a in range(WIDTH):
                        v = 0.0
                        for b in range(WIDTH):
                            v += f[a, b] * lean[b, c]
                        column[a] = v
                    for a in range(WIDTH):
                        lean[a, c] = column[a]
            for a in range(WIDTH):
                off[a] += x[a] - nominal[n, a]
        for d in range(group[n, 0], group[n, 1]):
            prepare(scans[d], dets[d], ready)
            _noise(nominal[n], scans[d], ready, sigma_t_s, work)
            _lines(nominal[n], scans[d], ready, work)
            for k in range(_KINDS):
                if isinf(work[_RATES, 4 + k]):
                    continue
                for a in range(WIDTH):
                    x[a] = nominal[n, a] + off[a]
                _independent(x, k, work)
                h = work[_TURNED + k]
                w = work[_GAIN]
                s = work[_RATES, 4 + k]
                for a in range(WIDTH):
                    v = 0.0
                    for b in range(WIDTH):
                        v += cov[a, b] * h[b]
                    w[a] = v
                    s += h[a] * v
                y = work[_SMALL, 4 + k]
                for c in range(columns):
                    v = 0.0
                    for a in range(WIDTH):
                        v += h[a] * lean[a, c]
                    swing[c] = v
                for c in range(PARTS):
                    if slot[d, c] >= 0:
                        swing[slot[d, c]] += work[_BIAS + k, c]
                for c in range(columns):
                    v = swing[c] / s
                    if v == 0.0:
                        continue
                    right[c] += v * y
                    for b in range(columns):
                        information[c, b] += v * swing[b]
                    for a in range(WIDTH):
                        lean[a, c] -= w[a] * v
                root = sqrt(s)
                for a in range(WIDTH):
                    off[a] += w[a] * y / s
                    w[a] /= root
                for a in range(WIDTH):
                    for b in range(WIDTH):
                        cov[a, b] -= w[a] * w[b]


def estimate(
    motion: Motion,
    biases: tuple[Bias, ...],
    scans: Scans,
    detections: Detections,
    tracks: Tracks,
    contributions: Contributions,
    time_sigma_s: float = 0.0,
) -> Registration:
    """The sensors' constant biases from the targets that they saw in common, with covariance.

    biases: what is believed of each sensor beforehand (sigma 0, or no entry: no bias); only relative biases can be told
    from common targets, and the priors share out what is common to all. motion: a model that covers what the targets
    do; one that is too loose costs accuracy, one that is too tight honesty. Every track that was ever confirmed is
    used, its rows serving as the path to linearise about and nothing else. Raises ScenarioError for an impossible
    prior, DataError where the contributions do not belong to the tables.
    """
    slots, sigma, owner, part = _parts(biases)
    par = parameters(motion)
    columns = len(sigma)
    # in units of the prior sigmas, so that radians and metres do not meet
    information, right = np.eye(columns), np.zeros(columns)
    scan_rows, det_rows = pack_scans(scans), pack_detections(detections)
    scan, det, t_used = uses(scans, detections, contributions)
    work = np.zeros((WORK, WIDTH))
    used = count = 0
    keys = np.stack([tracks.node, tracks.track], axis=1)
    extras, var = np.empty(3), np.empty(3)
    prior(par, extras, var)
    for node, track in np.unique(keys[tracks.status == Status.CONFIRMED], axis=0):
        rows = np.flatnonzero((tracks.node == node) & (tracks.track == track))
        rows = rows[np.argsort(tracks.t[rows], kind="stable")]
        t = tracks.t[rows]
        mine = np.flatnonzero((contributions.node == node) & (contributions.track == track))
        mine = mine[np.lexsort((scan[mine], t_used[mine]))]
        mine = mine[np.isin(t_used[mine], t)]
        if len(mine) == 0:
            continue
        nominal = tracks.mean[rows].copy()
        if meaning(par) != 0:
            nominal[:, 6:] = extras
        group = np.stack([np.searchsorted(t_used[mine], t, side) for side in ("left", "right")], axis=1)
        slot = slots[np.minimum(scan_rows[scan[mine], SENSOR].astype(np.int64), len(slots) - 1)]
        mine_information, mine_right = np.zeros((columns, columns)), np.zeros(columns)
        _path(
            par, t, nominal, scan_rows[scan[mine]], det_rows[det[mine]], group, slot, float(time_sigma_s),
            mine_information, mine_right, work,
        )  # fmt: skip
        information += mine_information * np.outer(sigma, sigma)
        right += mine_right * sigma
        used += len(mine)
        count += 1
    cov = np.linalg.inv(information)
    cov = 0.5 * (cov + cov.T)
    return Registration(owner, part, sigma * (cov @ right), cov * np.outer(sigma, sigma), used, count)


def _parts(
    biases: tuple[Bias, ...],
) -> tuple[
    Int64[np.ndarray, "sensor 3"],
    Float64[np.ndarray, "part"],
    Int64[np.ndarray, "part"],
    Int64[np.ndarray, "part"],
]:
    """Column of each part by sensor (last row: sensors without biases), prior sigmas, sensor and part of a column."""
    if len({b.sensor for b in biases}) < len(biases) or any(b.sensor < 0 for b in biases):
        raise ScenarioError(
            "every biased sensor needs one entry and a number of at least 0",
            where="[tracker] biases",
            remedy="give one Bias for each sensor",
        )
    slots = np.full((max((b.sensor for b in biases), default=-1) + 2, PARTS), -1)
    sigma, owner, part = [], [], []
    for b in biases:
        for c, value in enumerate((b.az_rad, b.el_rad, b.range_m)):
            if not 0.0 <= value < np.inf:
                raise ScenarioError(
                    f"the bias of sensor {b.sensor} has sigma {value}",
                    where="[tracker] biases",
                    remedy="give a finite sigma of at least 0",
                )
            if value > 0.0:
                slots[b.sensor, c] = len(sigma)
                sigma.append(value)
                owner.append(b.sensor)
                part.append(c)
    return slots, np.array(sigma, float), np.array(owner, np.int64), np.array(part, np.int64)

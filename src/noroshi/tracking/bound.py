"""The posterior Cramer-Rao bound: no tracker of a target that moves so and is seen so can have a smaller error.

Tichavsky, Muravchik, Nehorai, "Posterior Cramer-Rao bounds for discrete-time nonlinear filtering", IEEE Trans. Signal
Processing 46(5), 1998. Frame: any one inertial frame, GCRS in scenarios. Where detections are missed there are two
bounds (Hernandez, Ristic, Farina, Timmoneri, "A comparison of two Cramer-Rao bounds for nonlinear filtering with
Pd < 1", IEEE Trans. Signal Processing 52(9), 2004). `expected_information` counts each look with P_D: quick, but
optimistic, as the covariance is convex in the information (3 % of the error with two satellites at P_D 0.9).
`over_detections` is the mean of the bounds of the detection sequences that can happen: tighter. Both leave out false
alarms and wrong associations.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64

RUNS_AT_ONCE = 100  # bounds the memory of over_detections
POLE = 1e-9  # cosine of elevation below which azimuth means nothing


class Stations(NamedTuple):
    """What looks, from where and how sharply; every field broadcasts to [*step, sensor] or [*step, sensor, 3].

    Sensor axes and sigmas as in the tables Scans and Detections: sigma_az_rad is that of the azimuth angle itself, so
    across the line of sight it counts with the cosine of the elevation. inf: not measured.
    """

    r: Float[np.ndarray, "*step sensor 3"]
    sigma_az_rad: Float[np.ndarray, "*step sensor"] | float
    sigma_el_rad: Float[np.ndarray, "*step sensor"] | float
    p_detect: Float[np.ndarray, "*step sensor"] | float = 1.0
    sigma_range_m: Float[np.ndarray, "*step sensor"] | float = inf
    sigma_range_rate_m_s: Float[np.ndarray, "*step sensor"] | float = inf
    v: Float[np.ndarray, "*step sensor 3"] | float = 0.0  # used by range rate alone
    # rotation from sensor axes; None: both sigmas are the same and hold across the line of sight, wherever it points
    frame_from_sensor: Float[np.ndarray, "*step sensor 3 3"] | None = None


def information(
    r: Float[np.ndarray, "*look 3"], v: Float[np.ndarray, "*look 3"], stations: Stations
) -> Float64[np.ndarray, "*look 6 6"]:
    """Fisher information H' R^-1 H about position and velocity of one detection of a target at r, v.

    stations: one for each look, its fields broadcast to [*look] and [*look, 3].
    """
    d = r - stations.r
    rho = np.linalg.norm(d, axis=-1)
    u = d / rho[..., None]
    along = u[..., :, None] * u[..., None, :]
    across = np.eye(3) - along
    weight_az, weight_el, weight_range, weight_rate = (
        np.broadcast_to(1.0 / np.square(sigma), rho.shape)
        for sigma in (
            stations.sigma_az_rad,
            stations.sigma_el_rad,
            stations.sigma_range_m,
            stations.sigma_range_rate_m_s,
        )
    )
    out = np.zeros((*rho.shape, 6, 6))
    position = out[..., :3, :3]
    if stations.frame_from_sensor is None:
        if not np.array_equal(weight_az, weight_el):
            raise ValueError("angle sigmas that differ need frame_from_sensor")
        position += across * (weight_el / rho**2)[..., None, None]
    else:
        z = np.broadcast_to(stations.frame_from_sensor[..., :, 2], u.shape)
        up = np.einsum(
            "...ij,...j->...i", across, z
        )  # towards growing elevation, as long as the cosine of elevation
        cos2 = np.sum(up**2, -1)
        pole = cos2 < POLE**2
        cos2 = np.where(pole, 1.0, cos2)
        el = up[..., :, None] * up[..., None, :] / cos2[..., None, None]
        position += el * (weight_el / rho**2)[..., None, None]
        weight = np.where(pole, weight_el, weight_az / cos2)
        position += (across - el) * (weight / rho**2)[..., None, None]
    position += along * weight_range[..., None, None]
    if np.any(weight_rate):
        w = np.broadcast_to(v - stations.v, u.shape)
        h = np.concatenate([np.einsum("...ij,...j->...i", across, w) / rho[..., None], u], -1)
        out += h[..., :, None] * h[..., None, :] * weight_rate[..., None, None]
    return out


def expected_information(
    truth: Float[np.ndarray, "run step 9"], stations: Stations, visible: Bool[np.ndarray, "run step sensor"]
) -> Float64[np.ndarray, "step 9 9"]:
    """Mean over runs of the sum over sensors of P_D V H' R^-1 H: Monte Carlo over true flights.

    visible: whether a sensor could see that run's target at that step. Nothing is said of the last three numbers of the
    state (acceleration), whose rows are 0.
    """
    runs, steps = truth.shape[:2]
    chance = np.broadcast_to(stations.p_detect, visible.shape[1:])
    total = np.zeros((steps, 9, 9))
    for state, seen in zip(truth, visible, strict=True):  # run by run: [step, sensor, 6, 6] stays small
        each = information(state[:, None, :3], state[:, None, 3:6], stations)
        total[:, :6, :6] += np.einsum("ks,ksij->kij", seen * chance, each)
    return total / runs


def over_detections(
    truth: Float[np.ndarray, "run step 9"],
    stations: Stations,
    visible: Bool[np.ndarray, "run step sensor"],
    f: Float[np.ndarray, "*step 9 9"],
    q: Float[np.ndarray, "*step 9 9"],
    cov_0: Float[np.ndarray, "9 9"],
    rng: np.random.Generator,
) -> Float64[np.ndarray, "step 9 9"]:
    """Mean bound covariance over detection sequences, one drawn for each run's flight; arguments as `recursion`'s.

    The square root of its trace bounds the root mean square error over flights, noise and luck of detection.
    """
    total = 0.0
    chance = np.broadcast_to(stations.p_detect, visible.shape[1:])
    for first in range(0, len(truth), RUNS_AT_ONCE):
        some = slice(first, first + RUNS_AT_ONCE)
        hit = visible[some] & (rng.random(visible[some].shape) < chance)
        measured = np.zeros((*hit.shape[:2], 9, 9))
        for k, (state, row) in enumerate(zip(truth[some], hit, strict=True)):
            each = information(state[:, None, :3], state[:, None, 3:6], stations)
            measured[k, :, :6, :6] = np.einsum("ks,ksij->kij", row, each)
        start = np.broadcast_to(cov_0, (len(hit), 9, 9))
        total = total + recursion(f, q, measured, start).sum(0)
    return np.asarray(total) / len(truth)


def recursion(
    f: Float[np.ndarray, "*batch step d d"],
    q: Float[np.ndarray, "*batch step d d"],
    measured: Float[np.ndarray, "*batch step d d"],
    cov_0: Float[np.ndarray, "*batch d d"],
) -> Float64[np.ndarray, "*batch step d d"]:
    """Bound covariance after each step of a linear motion, in covariance form.

    f, q: transition and process noise that lead to each step (a single [d, d] serves all); measured: the expected
    information that each step adds; cov_0: what is known before the first transition. Exact for linear motion, with
    q or cov_0 singular too; for nonlinear motion that is known but for q, f along the true flight.
    P+ = (P-^-1 + J)^-1 is computed as (1 + P- J)^-1 P-.
    """
    *batch, steps, d, _ = measured.shape
    f = np.broadcast_to(f, (*f.shape[:-2], d, d) if f.ndim > 2 else (steps, d, d))
    q = np.broadcast_to(q, (*q.shape[:-2], d, d) if q.ndim > 2 else (steps, d, d))
    out = np.empty((*batch, steps, d, d))
    cov = np.broadcast_to(np.asarray(cov_0, float), (*batch, d, d))
    # metres beside m/s2: in units of the first guess the numbers are alike; a state known exactly keeps its own unit
    scale = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    scale = np.where(scale > 0.0, scale, 1.0)
    outer = scale[..., :, None] * scale[..., None, :]
    one = np.eye(d)
    for k in range(steps):
        step = f[..., k, :, :]
        cov = step @ cov @ np.swapaxes(step, -1, -2) + q[..., k, :, :]
        unit = cov / outer
        unit = np.linalg.solve(one + unit @ (measured[..., k, :, :] * outer), unit)
        cov = 0.5 * (unit + np.swapaxes(unit, -1, -2)) * outer
        out[..., k, :, :] = cov
    return out


class Terms(NamedTuple):
    """The expectations of the general recursion, one of each for each step."""

    d11: Float64[np.ndarray, "step d d"]
    d12: Float64[np.ndarray, "step d d"]
    d22: Float64[np.ndarray, "step d d"]


def terms(
    f: Float[np.ndarray, "run step d d"],
    q: Float[np.ndarray, "*step d d"],
    measured: Float[np.ndarray, "step d d"],
) -> Terms:
    """D11, D12, D22 of a nonlinear motion with additive Gaussian noise: f is its Jacobian along each run's true flight.

    Eq. 34-36 of the paper: D11 = E[F' Q^-1 F], D12 = -E[F'] Q^-1, D22 = Q^-1 + measured. q must not be singular.
    """
    inverse = np.linalg.inv(q)
    across = np.swapaxes(f, -1, -2) @ inverse
    d22 = np.broadcast_to(inverse, measured.shape) + measured
    return Terms((across @ f).mean(0), -across.mean(0), d22)


def general(given: Terms, information_0: Float[np.ndarray, "d d"]) -> Float64[np.ndarray, "step d d"]:
    """Bound information after each step of any motion: J <- D22 - D12' (J + D11)^-1 D12 (eq. 21 of the paper)."""
    out = np.empty_like(given.d22)
    j = information_0
    for k in range(len(out)):
        d12 = given.d12[k]
        j = given.d22[k] - d12.T @ np.linalg.solve(j + given.d11[k], d12)
        j = out[k] = 0.5 * (j + j.T)
    return out


def constant_acceleration(
    dt: Float[np.ndarray, "*step"] | float, jerk_psd_m2_s5: Float[np.ndarray, "*step"] | float
) -> tuple[Float64[np.ndarray, "*step 9 9"], Float64[np.ndarray, "*step 9 9"]]:
    """Transition and noise of position, velocity, acceleration [m, m/s, m/s2] under white jerk of PSD q [m2/s5].

    Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and Navigation", section 6.2.3.
    """
    t, psd = np.broadcast_arrays(np.asarray(dt, float), np.asarray(jerk_psd_m2_s5, float))
    f, q = np.zeros((*t.shape, 3, 3)), np.zeros((*t.shape, 3, 3))
    f[..., range(3), range(3)] = 1.0
    f[..., 0, 1] = f[..., 1, 2] = t
    f[..., 0, 2] = t**2 / 2
    q[..., 0, 0], q[..., 1, 1], q[..., 2, 2] = t**5 / 20, t**3 / 3, t
    q[..., 0, 1] = q[..., 1, 0] = t**4 / 8
    q[..., 0, 2] = q[..., 2, 0] = t**3 / 6
    q[..., 1, 2] = q[..., 2, 1] = t**2 / 2
    return _three_axes(f), _three_axes(q * psd[..., None, None])


def _three_axes(a: Float[np.ndarray, "*step n n"]) -> Float64[np.ndarray, "*step 3n 3n"]:
    """The same on x, y and z (a Kronecker product with the unit matrix)."""
    n = a.shape[-1]
    out = np.zeros((*a.shape[:-2], n, 3, n, 3))
    for axis in range(3):
        out[..., :, axis, :, axis] = a
    return out.reshape(*a.shape[:-2], 3 * n, 3 * n)

"""A recorded flight on the scenario's grid: interpolated as its file asks, never extrapolated."""

from __future__ import annotations

import math

import erfa
import numpy as np
from jaxtyping import Float, Float64
from scipy.interpolate import CubicSpline, KroghInterpolator

from noroshi import frames
from noroshi.errors import DataError
from noroshi.tables import Phase
from noroshi.targets.models import Record, Trajectory
from noroshi.time import DAY_S, EarthOrientation, Epoch, utc_text

TICK_S = 1e-6


def fly(
    record: Record, phase: str, epoch: Epoch, t_launch: float, step_s: float, eop: EarthOrientation
) -> Trajectory:
    """The record from `t_launch` [s past the epoch] to its end, every `step_s`, all of it in one phase.

    A record without dates (CSV) starts at t_launch. One with dates (OEM) is entered at the instant of t_launch, which
    must lie inside its useable span: DataError says the span otherwise. ITRS velocities are relative to the Earth.
    """
    dated = math.isfinite(record.day)
    offset = 0.0
    if dated:
        offset = float((epoch.day - record.day) + (epoch.fraction - record.fraction)) * DAY_S + t_launch
    first, last = record.useable
    if not first - TICK_S <= offset <= last - step_s + TICK_S:
        start, end = (utc_text(Epoch(record.day, record.fraction), t, 0) for t in (first, last))
        raise DataError(
            f"is useable from {start} to {end}, which does not hold the target's launch",
            where=record.where,
            remedy="move the scenario's epoch or the target's launch_s into it",
        )
    at = offset + step_s * np.arange(int((last - offset + TICK_S) / step_s) + 1)
    at = np.clip(at, first, last)
    r, v = states(record, np.append(at, last))
    r_itrs, v_itrs = to_itrs(record, epoch, np.append(at, last) - offset + t_launch, r, v, eop)
    flown = np.full(len(at), Phase[phase.upper()], np.int8)
    return Trajectory(
        t=at - offset,
        r_itrs=r_itrs[:-1],
        v_itrs=v_itrs[:-1],
        phase=flown,
        t_end=last - offset,
        r_end_itrs=r_itrs[-1],
    )


def states(
    record: Record, t: Float[np.ndarray, "time"]
) -> tuple[Float64[np.ndarray, "time 3"], Float64[np.ndarray, "time 3"]]:
    """Position and velocity at t [s after the first row], in the record's own frame."""
    if record.v is None:
        spline = CubicSpline(record.t, record.r)
        return spline(t), spline(t, 1)
    if record.method == "hermite":
        return _hermite(record.t, record.r, record.v, t, record.degree)
    return _lagrange(record.t, record.r, t, record.degree), _lagrange(record.t, record.v, t, record.degree)


def _hermite(
    x: np.ndarray, r: np.ndarray, v: np.ndarray, at: np.ndarray, degree: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hermite interpolation of odd degree on the (degree + 1)/2 rows around each point, and its slope."""
    count = min(max((degree + 1) // 2, 2), len(x))
    left = np.clip(np.searchsorted(x, at) - count // 2, 0, len(x) - count)
    position, velocity = np.empty((len(at), 3)), np.empty((len(at), 3))
    for first in np.unique(left):
        here, rows = left == first, slice(int(first), int(first) + count)
        unit = x[first + 1] - x[first]  # divided differences in seconds would overflow their digits
        both = np.stack([r[rows], v[rows] * unit], axis=1).reshape(-1, 3)
        polynomial = KroghInterpolator(np.repeat((x[rows] - x[first]) / unit, 2), both)
        s = (at[here] - x[first]) / unit
        position[here], velocity[here] = polynomial(s), polynomial.derivative(s) / unit
    return position, velocity


def _lagrange(x: np.ndarray, y: np.ndarray, at: np.ndarray, degree: int) -> np.ndarray:
    """Lagrange interpolation on the degree + 1 rows around each point."""
    count = degree + 1
    left = np.clip(np.searchsorted(x, at) - count // 2, 0, len(x) - count)
    index = left[:, None] + np.arange(count)
    nodes = x[index]
    weight = np.ones(nodes.shape)
    for j in range(count):
        for k in range(count):
            if k != j:
                weight[:, j] *= (at - nodes[:, k]) / (nodes[:, j] - nodes[:, k])
    return np.einsum("tj,tjc->tc", weight, y[index])


def to_itrs(
    record: Record,
    epoch: Epoch,
    t: Float[np.ndarray, "time"],
    r: Float[np.ndarray, "time 3"],
    v: Float[np.ndarray, "time 3"],
    eop: EarthOrientation,
) -> tuple[Float64[np.ndarray, "time 3"], Float64[np.ndarray, "time 3"]]:
    """From the record's frame to the ITRS at t [s past the epoch], velocities relative to the rotating Earth."""
    if record.frame == "ITRS":
        return r, v
    from_gcrs = frames.itrs_from_gcrs(epoch, t, eop)
    if record.frame == "EME2000":  # frame bias: 23 mas, 0.8 m in low orbit
        bias = np.broadcast_to(erfa.bp06(2451545.0, 0.0)[0], from_gcrs.shape)
        r, v = frames.rotate_back(bias, r), frames.rotate_back(bias, v)
    elif record.frame == "TEME":
        to_gcrs = np.swapaxes(from_gcrs, -1, -2) @ frames.itrs_from_teme(epoch, t, eop)
        r, v = frames.rotate(to_gcrs, r), frames.rotate(to_gcrs, v)
    return frames.state_itrs(from_gcrs, r, v)

"""Recorded trajectories on a grid: interpolation in the record's own axes, then the ITRS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import erfa
import numpy as np
from jaxtyping import Float, Float64
from scipy.interpolate import CubicSpline, KroghInterpolator

from noroshi import frames
from noroshi.errors import DataError
from noroshi.tables import Phase
from noroshi.targets.models import Record, Trajectory
from noroshi.time import EarthOrientation, Epoch

GAP_MAX_S = 1e-6  # between the useable spans of two segments


def fly(
    records: Sequence[Record], phase: Phase, step_s: float, eop: EarthOrientation, *, where: str = ""
) -> Trajectory:
    """A record (or the segments of one) on a grid of `step_s` from its first useable time; all in one phase.

    The Earth-fixed path is replayed from the target's launch time; the record's own dates serve only to turn
    inertial axes into the ITRS. Nothing is extrapolated, nor interpolated across segments or the gap between two.
    Raises DataError for gaps, and for inertial axes without a date.
    """
    where = where or records[0].where
    _check(records, where)
    start = records[0].useable[0]
    stop = _since(records[0], records[-1]) + records[-1].useable[1]
    t = step_s * np.arange(math.floor((stop - start) / step_s + 1e-9) + 1)
    if len(t) < 2:
        raise DataError(
            f"{stop - start:g} s of record are less than a step of {step_s:g} s",
            where=where,
            remedy="use a finer step_s",
        )
    at = np.append(t, stop - start) + start
    r, v = np.empty((len(at), 3)), np.empty((len(at), 3))
    for record in records:
        own = at - _since(records[0], record)
        # at a joint the later segment holds, as CCSDS 502.0-B asks
        inside = (own >= record.useable[0] - GAP_MAX_S) & (own <= record.useable[1] + GAP_MAX_S)
        own = np.clip(own[inside], *record.useable)
        r[inside], v[inside] = states_itrs(record, own, eop)
    return Trajectory(t, r[:-1], v[:-1], np.full(len(t), phase, np.int8), float(stop - start), r[-1])


def states_itrs(
    record: Record, t: Float[np.ndarray, "time"], eop: EarthOrientation
) -> tuple[Float64[np.ndarray, "time 3"], Float64[np.ndarray, "time 3"]]:
    """Position and velocity relative to the rotating Earth at t [s after the record's first row]."""
    r, v = interpolate(record, t)
    if record.frame == "ITRS":
        return r, v
    if not math.isfinite(record.day):
        raise DataError(
            f"{record.frame} axes without a date", where=record.where, remedy="give absolute times"
        )
    epoch = Epoch(record.day, record.fraction)
    if record.frame == "TEME":
        return frames.state_itrs(frames.itrs_from_teme(epoch, t, eop), r, v)
    if record.frame == "EME2000":
        r, v = r @ _eme2000_from_gcrs(), v @ _eme2000_from_gcrs()
    return frames.state_itrs(frames.itrs_from_gcrs(epoch, t, eop), r, v)


def interpolate(
    record: Record, t: Float[np.ndarray, "time"]
) -> tuple[Float64[np.ndarray, "time 3"], Float64[np.ndarray, "time 3"]]:
    """Position and velocity in the record's own axes, by the method it names; DataError outside its useable span.

    Hermite of degree 2n - 1 through n rows, Lagrange of degree n - 1 through n, taken as central as the record
    allows. Records without velocities get one cubic spline, so that the velocity has no steps.
    """
    first, last = record.useable
    if np.any((t < first - 1e-9) | (t > last + 1e-9)):
        raise DataError(
            f"is asked for times outside {first:g} to {last:g} s",
            where=record.where,
            remedy="shorten the scenario",
        )
    if record.v is None:
        spline = CubicSpline(record.t, record.r)
        return spline(t), spline(t, 1)
    hermite = record.method == "hermite"
    rows = (record.degree + 1) // 2 if hermite else record.degree + 1
    rows = min(max(rows, 2), len(record.t))
    interval = np.clip(np.searchsorted(record.t, t, "right") - 1, 0, len(record.t) - 2)
    start = np.clip(interval - (rows - 1) // 2, 0, len(record.t) - rows)
    r, v = np.empty((len(t), 3)), np.empty((len(t), 3))
    for k in np.unique(start):
        here, nodes = start == k, slice(int(k), int(k) + rows)
        r[here], v[here] = _through(record.t[nodes], record.r[nodes], record.v[nodes], t[here], hermite)
    return r, v


def _through(
    node: np.ndarray, r: np.ndarray, v: np.ndarray, t: np.ndarray, hermite: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Interpolating polynomials through rows; time is scaled to keep divided differences tame."""
    unit = node[1] - node[0]
    x, at = (node - node[0]) / unit, (t - node[0]) / unit
    if not hermite:
        return KroghInterpolator(x, r)(at), KroghInterpolator(x, v)(at)
    both = np.empty((2 * len(x), 3))
    both[::2], both[1::2] = r, v * unit
    polynomial = KroghInterpolator(np.repeat(x, 2), both)
    return polynomial(at), polynomial.derivative(at) / unit


def _since(first: Record, record: Record) -> float:
    """Seconds from the first record's first row to this one's."""
    if record is first:
        return 0.0
    return round(((record.day - first.day) + (record.fraction - first.fraction)) * 86400.0, 9)


def _check(records: Sequence[Record], where: str) -> None:
    for before, after in pairwise(records):
        gap = _since(before, after) + after.useable[0] - before.useable[1]
        if not abs(gap) <= GAP_MAX_S:
            raise DataError(
                f"segments leave {gap:g} s between them" if gap > 0 else f"segments overlap by {-gap:g} s",
                where=where,
                remedy="split the file: one unbroken trajectory a file",
            )


def _eme2000_from_gcrs() -> np.ndarray:
    """Frame bias: the mean equator and equinox of J2000 from the GCRS (IAU 2006; 23 mas, 0.8 m at 7000 km)."""
    bias, _, _ = erfa.bp06(2451545.0, 0.0)
    return bias

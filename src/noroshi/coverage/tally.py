"""What a sequence of samples adds up to, per point: folds, gaps, errors. Tallies of stretches of time join exactly.

All entries are whole numbers, so the tally of a day is the same bit for bit however the day was cut up and shared out
among threads, and a run that was stopped goes on from what it had.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import noroshi._jax  # noqa: F401  (the cache folder before Numba)

# isort: split
from jaxtyping import Float64, Int, Int32, Int64
from numba import njit

ERROR_BINS, BINS_PER_DECADE = 120, 20  # of position errors, from 1 m to 1,000 km: 12 % wide
FLAT = 1e-12  # least eigenvalue of the information over the greatest, about, below which it fixes no position
WEIGHT_UNIT = 2.0**40  # area shares in whole units, so that sums do not depend on their order


class Tally(NamedTuple):
    """Sums over samples per point (in the layout's order), and over points per sample of the stretch."""

    total: Int64[np.ndarray, "point"]  # of the folds
    least: Int32[np.ndarray, "point"]
    most: Int32[np.ndarray, "point"]
    at_least: Int32[np.ndarray, "point fold"]  # samples with at least 1, 2, ...
    paired: Int32[np.ndarray, "point"]  # samples with a stereo pair; no rows: not asked for
    first: Int64[np.ndarray, "point"]  # number of the first and last covered sample; -1: none
    last: Int64[np.ndarray, "point"]
    gaps: Int32[np.ndarray, "point"]  # runs of uncovered samples between covered ones
    longest: Int64[np.ndarray, "point"]  # the longest of those
    waits: Int64[np.ndarray, "point"]  # sum of g (g + 1) / 2 over those runs of g
    errors: Int32[np.ndarray, "point bin"]  # samples by position error, logarithmic; no rows: not asked for
    histogram: Int64[np.ndarray, "fold"]  # by fold, in units of area share times samples
    mean_at: Float64[np.ndarray, "sample"]
    least_at: Int32[np.ndarray, "sample"]
    share_at: Float64[np.ndarray, "sample fold"]


def empty(points: int, samples: int, sensors: int, folds: int, *, stereo: bool, errors: bool) -> Tally:
    """A tally of nothing yet."""
    return Tally(
        np.zeros(points, np.int64),
        np.full(points, np.iinfo(np.int32).max, np.int32),
        np.zeros(points, np.int32),
        np.zeros((points, folds), np.int32),
        np.zeros(points if stereo else 0, np.int32),
        np.full(points, -1, np.int64),
        np.full(points, -1, np.int64),
        np.zeros(points, np.int32),
        np.zeros(points, np.int64),
        np.zeros(points, np.int64),
        np.zeros((points if errors else 0, ERROR_BINS), np.int32),
        np.zeros(sensors + 1, np.int64),
        np.zeros(samples),
        np.zeros(samples, np.int32),
        np.zeros((samples, folds)),
    )


@njit(cache=True, nogil=True)
def add_sample(
    tally: Tally,
    number: int,
    begun: int,
    count: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Add one sample's counts; `number` of the sample, `begun` that of the tally's first.

    `weight`: area shares in whole units (int64).
    """
    points, folds = tally.at_least.shape
    summed, least, whole = 0, np.iinfo(np.int32).max, 0
    covered = np.zeros(folds, np.int64)
    for p in range(points):
        n, share = count[p], weight[p]
        tally.total[p] += n
        tally.least[p] = min(tally.least[p], n)
        tally.most[p] = max(tally.most[p], n)
        tally.histogram[n] += share
        summed += n * share
        whole += share
        least = min(least, n)
        for f in range(min(n, folds)):
            tally.at_least[p, f] += 1
            covered[f] += share
        if n > 0:
            if tally.last[p] >= 0:
                gap = number - tally.last[p] - 1
                if gap > 0:
                    tally.gaps[p] += 1
                    tally.longest[p] = max(tally.longest[p], gap)
                    tally.waits[p] += gap * (gap + 1) // 2
            else:
                tally.first[p] = number
            tally.last[p] = number
    at = number - begun
    tally.mean_at[at] = summed / whole
    tally.least_at[at] = least
    for f in range(folds):
        tally.share_at[at, f] = covered[f] / whole


@njit(cache=True, nogil=True)
def add_lines(tally: Tally, paired: np.ndarray, informed: np.ndarray) -> None:
    """Add one sample's stereo pairs and information, per point; no rows: not asked for."""
    for p in range(len(paired)):
        tally.paired[p] += paired[p]
    for p in range(len(informed)):
        error = position_error(informed[p])
        if error < np.inf:
            bin = int(BINS_PER_DECADE * np.log10(max(error, 1.0)))
            tally.errors[p, min(bin, ERROR_BINS - 1)] += 1


@njit(cache=True, nogil=True)
def position_error(j: np.ndarray) -> float:
    """Root of the summed variances [m] of the information xx, xy, xz, yy, yz, zz [1/m2]; inf where it fixes nothing.

    The trace of the inverse by Cholesky's factor: precise ranges beside coarse angles lose no more than they must.
    """
    xx, xy, xz = np.sqrt(max(j[0], 0.0)), j[1], j[2]
    if not xx > 0.0:
        return np.inf
    xy, xz = xy / xx, xz / xx
    yy = np.sqrt(max(j[3] - xy * xy, 0.0))
    if not yy > 0.0:
        return np.inf
    yz = (j[4] - xy * xz) / yy
    zz = np.sqrt(max(j[5] - xz * xz - yz * yz, 0.0))
    if not zz > 0.0:
        return np.inf
    a, b, c = 1.0 / xx, 1.0 / yy, 1.0 / zz
    ba = -xy * a * b
    cb = -yz * b * c
    ca = -(xz * a + yz * ba) * c
    variance = a * a + b * b + c * c + ba * ba + cb * cb + ca * ca
    return np.sqrt(variance) if variance * (j[0] + j[3] + j[5]) * FLAT < 1.0 else np.inf


def join(before: Tally, after: Tally) -> Tally:
    """The tally of two stretches, the second following the first."""
    gap = np.where((before.last >= 0) & (after.first >= 0), after.first - before.last - 1, 0)
    between = gap > 0
    return Tally(
        before.total + after.total,
        np.minimum(before.least, after.least),
        np.maximum(before.most, after.most),
        before.at_least + after.at_least,
        before.paired + after.paired,
        np.where(before.first >= 0, before.first, after.first),
        np.where(after.last >= 0, after.last, before.last),
        before.gaps + after.gaps + between.astype(np.int32),
        np.maximum(np.maximum(before.longest, after.longest), gap),
        before.waits + after.waits + gap * (gap + 1) // 2,
        before.errors + after.errors,
        before.histogram + after.histogram,
        np.concatenate([before.mean_at, after.mean_at]),
        np.concatenate([before.least_at, after.least_at]),
        np.concatenate([before.share_at, after.share_at]),
    )


def whole_units(weight: Float64[np.ndarray, "point"]) -> Int64[np.ndarray, "point"]:
    """Area shares in whole units; none vanishes."""
    return np.maximum(np.round(weight * WEIGHT_UNIT), 1.0).astype(np.int64)


def quantile(errors: Int[np.ndarray, "bin"], share: float) -> float:
    """Position error [m] that a share of the samples stays below, interpolated within its bin; nan without any."""
    summed = np.cumsum(errors, dtype=np.float64)
    if summed[-1] == 0:
        return np.nan
    bin = int(np.searchsorted(summed, share * summed[-1]))
    before = summed[bin - 1] if bin else 0.0
    inside = (share * summed[-1] - before) / (summed[bin] - before)
    return float(10.0 ** ((bin + inside) / BINS_PER_DECADE))


@njit(cache=True, nogil=True)
def add_counts(tally: Tally, first: int, counts: np.ndarray, weight: np.ndarray) -> None:
    """Add counts [time, point] of consecutive samples, which are all that this tally will hold."""
    for k in range(len(counts)):
        add_sample(tally, first + k, first, counts[k], weight)

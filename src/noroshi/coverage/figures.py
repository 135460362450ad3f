"""From a tally to the figures of a coverage study, and those as plain numbers for a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from noroshi.coverage.layout import Layout
from noroshi.coverage.models import Bands, Coverage, Points
from noroshi.coverage.tally import Tally, quantile

BAND_RAD = np.deg2rad(10.0)
PERCENTILES = (5, 25, 50, 75, 95)


def figures(
    points: Points,
    sensors: tuple[str, ...],
    t: np.ndarray,
    step_s: float,
    stereo_rad: float | None,
    tally: Tally,
    grid: Layout,
) -> Coverage:
    """The figures of a whole tally. A moving target's latitudes count by the sample, everything else by the place."""
    back = np.argsort(grid.order)
    samples = len(t)
    by_place = tally._fields[: tally._fields.index("histogram")]
    at = tally._replace(**{name: x[back] for name in by_place if len(x := getattr(tally, name))})
    leading = np.where(at.first >= 0, at.first, samples)
    trailing = np.where(at.last >= 0, samples - 1 - at.last, 0)
    edge = np.maximum(leading, trailing)
    longest = np.maximum(at.longest, edge)
    runs = at.gaps + (leading > 0) + (trailing > 0)
    uncovered = samples - at.at_least[:, 0]
    waits = at.waits + (leading * (leading + 1) + trailing * (trailing + 1)) // 2
    asked = len(tally.errors) > 0
    fixed = at.errors.sum(1) if asked else None
    share = tally.histogram / tally.histogram.sum()
    found = Coverage(
        points=points,
        sensors=sensors,
        t=t,
        step_s=step_s,
        stereo_rad=stereo_rad,
        mean_fold=at.total / samples,
        min_fold=at.least,
        max_fold=at.most,
        fraction_at_least=at.at_least / samples,
        stereo_fraction=None if stereo_rad is None else at.paired / samples,
        longest_gap_s=longest * step_s,
        gap_truncated=(longest > 0) & (longest == edge),
        gaps=runs,
        mean_gap_s=uncovered / np.maximum(runs, 1) * step_s,
        mean_response_s=waits / samples * step_s,
        first_look_s=np.where(at.first >= 0, t[np.maximum(at.first, 0)] - t[0], np.nan),
        error_median_m=_quantiles(at.errors, 0.5) if asked else None,
        error_95_m=_quantiles(at.errors, 0.95) if asked else None,
        error_fraction=None if fixed is None else fixed / samples,
        histogram=share[: int(np.flatnonzero(share).max()) + 1],
        mean_at=tally.mean_at,
        min_at=tally.least_at,
        fraction_at=tally.share_at,
        bands=Bands(*(np.empty(0) for _ in Bands._fields)),
    )
    return replace(found, bands=_bands(found, at))


def _quantiles(errors: np.ndarray, share: float) -> np.ndarray:
    return np.array([quantile(row, share) for row in errors])


def _bands(found: Coverage, at: Tally) -> Bands:
    """By latitude; of a moving target the samples, which have no gaps of their own: nan."""
    lat = found.points.lat_rad
    number = np.minimum(np.floor((lat + 0.5 * np.pi) / BAND_RAD), round(np.pi / BAND_RAD) - 1).astype(int)
    rows = []
    for band in np.unique(number):
        chosen = number == band
        weight = found.points.weight[chosen]
        south = band * BAND_RAD - 0.5 * np.pi
        if found.points.t is not None:
            fold = found.mean_at[chosen]
            row = (
                fold.mean(),
                fold.min(),
                fold.max(),
                found.fraction_at[chosen].mean(0),
                np.nan,
                np.nan,
                np.nan,
                np.nan,
            )
        else:
            row = (
                averaged(weight, found.mean_fold[chosen]),
                found.min_fold[chosen].min(),
                found.max_fold[chosen].max(),
                averaged(weight, found.fraction_at_least[chosen]),
                np.nan if found.stereo_fraction is None else averaged(weight, found.stereo_fraction[chosen]),
                found.longest_gap_s[chosen].max(),
                averaged(weight, found.mean_response_s[chosen]),
                quantile(weight @ at.errors[chosen], 0.5) if len(at.errors) else np.nan,
            )
        rows.append((south, south + BAND_RAD, weight.sum(), *row))
    south, north, weight, mean, least, most, *rest = (np.array(column) for column in zip(*rows, strict=True))
    return Bands(south, north, weight, mean, least.astype(int), most.astype(int), *rest)


def overall(found: Coverage) -> dict[str, Any]:
    """The figures over everything, under the names that `noroshi coverage --json` gives them."""
    weight = found.place_weight
    folds = np.arange(len(found.histogram))
    reached = np.cumsum(found.histogram)
    fractions = averaged(weight, found.fraction_at_least)
    worst = int(np.argmax(found.longest_gap_s))
    return {
        "mean_fold": float(averaged(weight, found.mean_fold)),
        "min_fold": int(found.min_fold.min()),
        "max_fold": int(found.max_fold.max()),
        "percentiles": {
            f"{p}": int(folds[min(np.searchsorted(reached, p / 100.0 - 1e-12), len(folds) - 1)])
            for p in PERCENTILES
        },
        "fraction_at_least": {f"{k + 1}": float(value) for k, value in enumerate(fractions)},
        "stereo_fraction": None
        if found.stereo_fraction is None
        else float(averaged(weight, found.stereo_fraction)),
        "longest_gap_s": float(found.longest_gap_s[worst]),
        "gap_truncated": bool(found.gap_truncated[found.longest_gap_s == found.longest_gap_s[worst]].any()),
        "mean_gap_s": _mean(found.mean_gap_s, weight * found.gaps),
        "mean_response_s": float(averaged(weight, found.mean_response_s)),
        "first_look_s": _mean(found.first_look_s, weight),
        "never_seen": float(averaged(weight, np.isnan(found.first_look_s).astype(float))),
        "error_median_m": None if found.error_median_m is None else _mean(found.error_median_m, weight),
        "error_95_m": None if found.error_95_m is None else _mean(found.error_95_m, weight),
        "error_fraction": None
        if found.error_fraction is None
        else float(averaged(weight, found.error_fraction)),
    }


def by_latitude(found: Coverage) -> list[dict[str, Any]]:
    """The bands, a dictionary each; latitudes in degrees."""
    b = found.bands
    return [
        {
            "south_deg": round(float(np.rad2deg(b.south_rad[k])), 9),
            "north_deg": round(float(np.rad2deg(b.north_rad[k])), 9),
            "weight": float(b.weight[k]),
            "mean_fold": float(b.mean_fold[k]),
            "min_fold": int(b.min_fold[k]),
            "max_fold": int(b.max_fold[k]),
            "fraction_at_least": {f"{n + 1}": float(x) for n, x in enumerate(b.fraction_at_least[k])},
            "stereo_fraction": _number(b.stereo_fraction[k]),
            "longest_gap_s": _number(b.longest_gap_s[k]),
            "mean_response_s": _number(b.mean_response_s[k]),
            "error_median_m": _number(b.error_m[k]),
        }
        for k in range(len(b.south_rad))
    ]


def averaged(weight: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Weighted mean over the places [place, ...]; of ones exactly 1, and never more than the greatest of them.

    Both sums run over arrays of one shape in one order, so that their rounding is the same.
    """
    share = weight.reshape(-1, *[1] * (value.ndim - 1))
    return (share * value).sum(0) / (share * np.ones_like(value)).sum(0)


def _mean(value: np.ndarray, weight: np.ndarray) -> float | None:
    """Weighted mean of the finite entries; None without any."""
    finite = np.isfinite(value) & (weight > 0.0)
    return float(np.average(value[finite], weights=weight[finite])) if finite.any() else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

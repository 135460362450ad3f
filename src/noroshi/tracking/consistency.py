"""Whether a tracker knows how wrong it is: NEES and NIS with their chi-square intervals."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64
from scipy.stats import chi2


def nees(
    error: Float[np.ndarray, "*rows d"], cov: Float[np.ndarray, "*rows d d"]
) -> Float64[np.ndarray, "*rows"]:
    """Normalised estimation error squared, e^T P^-1 e (not divided by d)."""
    scale = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))  # metres beside metres per second: equilibrate
    e = error / scale
    unit = cov / (scale[..., :, None] * scale[..., None, :])
    return np.sum(e * np.linalg.solve(unit, e[..., None])[..., 0], -1)


def nis(
    innovation: Float[np.ndarray, "*rows m"], s: Float[np.ndarray, "*rows m m"]
) -> Float64[np.ndarray, "*rows"]:
    """Normalised innovation squared, y^T S^-1 y (not divided by m), S = H P H' + R of the predicted track.

    A sensor whose mean NIS leaves `chi2_interval(m, looks)` is biased, or worse (better) than it says. The tables of a
    run keep a track after its update, not before, so this needs a tracker in hand: see docs/theory/scores.md.
    """
    return nees(innovation, s)


def chi2_interval(dimension: int, runs: int, probability: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the mean, over independent runs, of a chi-square value of this dimension.

    Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and Navigation", section 5.4.2.
    """
    tail = (1 - probability) / 2
    low, high = chi2.ppf([tail, 1 - tail], dimension * runs) / runs
    return float(low), float(high)


def share_inside(
    values: Float[np.ndarray, "*rows"], dimension: int, runs: int = 1, probability: float = 0.95
) -> float:
    """Share of the finite means (over `runs` independent runs, not divided by the dimension) inside their interval.

    Values of one run are correlated in time: their share still has the expectation `probability`, with a wider spread.
    nan without a finite value.
    """
    low, high = chi2_interval(dimension, runs, probability)
    good = values[np.isfinite(values)]
    return float(np.mean((good >= low) & (good <= high))) if len(good) else np.nan

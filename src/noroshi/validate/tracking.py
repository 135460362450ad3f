"""V-6xx: tracking."""

from __future__ import annotations

from typing import Any

import numpy as np

from noroshi.tracking import bound
from noroshi.tracking.consistency import chi2_interval
from noroshi.validate import reentry

Found = dict[str, Any]

STEPS = 4000  # steady to the last digit for every line of the record
STEP_S, SIGMA_M = 1.0, 30.0  # of V-603, whose gains depend on neither


def _steady(f: np.ndarray, q: np.ndarray, sigma_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Gain and covariance of position and velocity, position measured, long after the start: the bound's own."""
    h = np.array([1.0, 0.0])
    measured = np.broadcast_to(np.outer(h, h) / sigma_m**2, (STEPS, 2, 2))
    cov = bound.recursion(f, q, measured, np.eye(2) * 1e4 * sigma_m**2)[-1]
    return cov[:, 0] / sigma_m**2, cov


def v_601(runs: int) -> Found:
    return {"rmse": reentry.runs(runs).rmse_m}


def v_603(index: float) -> Found:
    sigma_w = index * SIGMA_M / STEP_S**2
    g = np.array([STEP_S**2 / 2, STEP_S])
    gain, cov = _steady(np.array([[1.0, STEP_S], [0.0, 1.0]]), sigma_w**2 * np.outer(g, g), SIGMA_M)
    return {"alpha": gain[0], "beta": gain[1] * STEP_S, "variance": cov[0, 0] / SIGMA_M**2}


def v_604(q: float, r: float) -> Found:
    gain, cov = _steady(
        np.array([[1.0, STEP_S], [0.0, 1.0]]), q * np.array([[1 / 3, 1 / 2], [1 / 2, 1.0]]), r
    )
    sigma = np.sqrt(np.diag(cov))
    return {
        "gain_position": gain[0],
        "gain_velocity": gain[1],
        "sigma_position": sigma[0],
        "sigma_velocity": sigma[1],
    }


def v_605(dimension: int, runs: int) -> Found:
    low, high = chi2_interval(dimension, runs)
    return {"low": low, "high": high}

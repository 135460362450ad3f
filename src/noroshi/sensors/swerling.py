"""Chance of detection of fluctuating targets: a square-law detector, n pulses added, Swerling cases 0 to 4.

`snr` is the mean of the whole dwell, the sum over its n pulses, each of which has snr / n. The added power y, in units
of one pulse's mean noise, is a gamma variable of shape n + j, where the whole number j counts the signal's share: it
is Poisson with mean x for a signal x that stands still, and for a gamma-distributed x (shape K, mean snr) negative
binomial. K is 1 where the target fluctuates from dwell to dwell (case 1), n from pulse to pulse (case 2), 2 and
2 n where one echo prevails (cases 3 and 4). So

    1 - P_d = sum_j w_j P(n + j, T),   P the regularised lower gamma function, T the threshold,

a series of positive terms that ends by itself once j passes T by some deviations: exact to rounding for any SNR.
Marcum, RAND RM-754 (1947); Swerling, RAND RM-1217 (1954); chi-square family: Swerling, RAND RM-4 and Weinstock (1956).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.special import gammainc, gammaincc, gammainccinv

from noroshi.errors import PhysicsError

CASES = (0, 1, 2, 3, 4)
PULSES_MAX = 10_000  # beyond, the series gets long and nobody adds so many pulses without coherence


def threshold(pulses: int, p_false_alarm: float) -> float:
    """Threshold on the added power of n pulses, in units of one pulse's mean noise; PhysicsError for bad figures."""
    _check(1, pulses)
    if not 0.0 < p_false_alarm < 1.0:
        raise PhysicsError(
            f"no threshold has a false-alarm probability of {p_false_alarm:g}",
            remedy="choose a little more than 0, e.g. 1e-12"
            if p_false_alarm <= 0.0
            else "choose less than 1, e.g. 0.1",
        )
    return float(gammainccinv(pulses, p_false_alarm))


def p_detect(case: int, snr: Any, pulses: int, p_false_alarm: float) -> Float64[np.ndarray, "..."]:
    """Probability of detection at the mean SNR of a dwell (a power ratio, any shape), to 1e-12 of absolute error.

    Errors: PhysicsError for a case, pulses, P_fa or SNR that cannot be.
    """
    level = threshold(pulses, p_false_alarm)
    snr = np.asarray(snr, np.float64)
    shape = _shape(case, pulses)
    if not (np.isfinite(snr) & (snr >= 0.0)).all():
        raise PhysicsError("SNR is a ratio of powers", remedy="choose 0 or more, not decibels")
    # P(n + j, T) falls below 1e-16 some 9 deviations past T (Chernoff bound of the Poisson law it stands for)
    last = max(level - pulses, 0.0) + 9.0 * np.sqrt(level + 80.0) + 80.0
    under = gammainc(pulses + np.arange(int(last)), level)
    # logarithms: with many pulses the first weights underflow, and the sum lies in later ones
    log_snr = np.log(np.maximum(snr, 1e-300))
    if np.isinf(shape):
        log_weight, log_ratio = -snr, log_snr
    else:
        log_weight, log_ratio = -shape * np.log1p(snr / shape), log_snr - np.log(shape + snr)
    missed = np.zeros(snr.shape)
    for j, below in enumerate(under):
        missed += np.exp(log_weight) * below
        log_weight = (
            log_weight + log_ratio + (0.0 if np.isinf(shape) else np.log(j + shape)) - np.log(j + 1.0)
        )
    return np.clip(1.0 - missed, 0.0, 1.0)


def measured_snr(
    case: int, u: Any, snr: Any, pulses: int, p_false_alarm: float
) -> Float64[np.ndarray, "..."]:
    """SNR of the dwell as measured, for the uniform draw u that made the detection (0 < u < P_d).

    The added power above the threshold, drawn from the gamma law of the same mean and variance, less the noise's
    mean n. That law is exact in case 2, in case 1 of one pulse and without a signal; elsewhere it is close (a few
    percent, tested), as Patnaik (1949) has it for case 0. Never below what the threshold lets through.
    """
    if not np.all((np.asarray(u) > 0.0) & (np.asarray(u) <= 1.0)):
        raise PhysicsError(
            "a draw outside (0, 1] made no detection", remedy="draw u uniformly above 0, up to P_d"
        )
    level, k = threshold(pulses, p_false_alarm), _shape(case, pulses)
    snr = np.asarray(snr, np.float64)
    mean, variance = pulses + snr, pulses + 2.0 * snr + snr * snr / k
    scale = variance / mean
    shape = mean / scale
    passed = np.minimum(u / p_detect(case, snr, pulses, p_false_alarm), 1.0) * gammaincc(shape, level / scale)
    return np.maximum(scale * gammainccinv(shape, passed), level) - pulses


def _shape(case: int, pulses: int) -> float:
    """Shape K of the signal's gamma law; infinite where it stands still."""
    _check(case, pulses)
    return (np.inf, 1.0, float(pulses), 2.0, 2.0 * pulses)[case]


def _check(case: int, pulses: int) -> None:
    if case not in CASES:
        raise PhysicsError(
            f"there is no Swerling case {case}", remedy="choose 0 (steady), 1, 2, 3 or 4; 1 is the usual one"
        )
    if not 1 <= pulses <= PULSES_MAX:
        raise PhysicsError(
            f"{pulses} pulses cannot be added", remedy=f"choose {max(1, min(pulses, PULSES_MAX))}"
        )

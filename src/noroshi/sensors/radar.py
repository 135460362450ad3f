"""Pulse radar: fourth-power law, Swerling 1 detection, range and angle noise.

`snr` and `p_detect` take JAX or NumPy arrays and belong to the dense physics; the rest is NumPy, for the irregular
rows of detections. SNR is a ratio of powers. One coherent dwell per scan; the target's radar cross section is
exponentially distributed from scan to scan (Swerling 1), so the received power is as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import noroshi._jax  # noqa: F401

# isort: split
from jax import numpy as jnp

ANGLE_SLOPE = 1.6  # of a monopulse difference pattern, the usual value: sigma = beamwidth / (1.6 sqrt(2 SNR))


def snr(rcs_m2: Any, range_m: Any, snr_reference: Any, rcs_reference_m2: Any, range_reference_m: Any) -> Any:
    """Mean SNR by the radar equation, scaled from one stated reference: proportional to RCS and to R^-4."""
    return snr_reference * (rcs_m2 / rcs_reference_m2) * (range_reference_m / range_m) ** 4


def p_detect(snr: Any, p_false_alarm: Any) -> Any:
    """Swerling 1, one dwell: P_d = P_fa^(1 / (1 + SNR)), SNR the mean (Swerling, RAND RM-1217, 1954)."""
    return jnp.exp(jnp.log(p_false_alarm) / (1.0 + snr))


def measured_snr(u: Any, snr: Any) -> Any:
    """SNR as measured, for the uniform draw u that made the detection (u < P_d).

    The power in units of noise is exponential with mean 1 + SNR; its upper tail at y is exp(-y / (1 + SNR)). So
    y = -(1 + SNR) ln u passes the threshold -ln P_fa exactly when u < P_d, and y - 1 estimates the SNR of this
    very echo. Without a target: snr = 0, u uniform below P_fa.
    """
    return -(1.0 + snr) * np.log(u) - 1.0


def sigma_angle(snr: Any, sigma_angle_rad: Any, beamwidth_rad: Any) -> Any:
    """Angle noise per axis [rad]: floor and thermal part in quadrature."""
    return np.hypot(sigma_angle_rad, beamwidth_rad / (ANGLE_SLOPE * np.sqrt(2.0 * snr)))


def sigma_range(snr: Any, sigma_range_m: Any, range_resolution_m: Any) -> Any:
    """Range noise [m]: floor and thermal part in quadrature."""
    return np.hypot(sigma_range_m, range_resolution_m / np.sqrt(2.0 * snr))

"""Pulse radar: fourth-power law, Swerling 1 detection, range and angle noise; what a design's dwell gives.

`snr` and `p_detect` take JAX or NumPy arrays and belong to the dense physics; the rest is NumPy, for the irregular
rows of detections. SNR is a ratio of powers. One coherent dwell per scan; the target's radar cross section is
exponentially distributed from scan to scan (Swerling 1), so the received power is as well. Other cases and added
pulses: `sensors.swerling`; where the reference comes from: `sensors.radar_equation`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import noroshi._jax  # noqa: F401

# isort: split
from jax import numpy as jnp

from noroshi.errors import PhysicsError
from noroshi.sensors import radar_equation, swerling
from noroshi.sensors.radar_equation import RadarDesign

ANGLE_SLOPE = 1.6  # of a monopulse difference pattern, the usual value: sigma = beamwidth / (1.6 sqrt(2 SNR))


class Performance(NamedTuple):
    """What one dwell gives on one target."""

    dwell_s: float
    snr: float  # mean power ratio
    p_detect: float
    error_range_m: float  # noise, floor and bias in quadrature, at the mean SNR
    error_angle_rad: float  # the same, per axis


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


def performance(
    design: RadarDesign,
    rcs_m2: float,
    range_m: float,
    p_false_alarm: float,
    *,
    case: int = 1,
    pulses: int = 1,
    floor_range_m: float = 0.0,
    floor_angle_rad: float = 0.0,
    bias_range_m: float = 0.0,
    bias_angle_rad: float = 0.0,
) -> Performance:
    """What one dwell of the design gives; `design._replace(dwell_s=search_dwell(...))` for one of a search."""
    if not 0.0 < range_m < np.inf:
        raise PhysicsError(
            f"no echo comes from a range of {range_m:g} m", remedy="choose a positive, finite range"
        )
    value = float(radar_equation.snr(design, rcs_m2, range_m))
    angle = sigma_angle(value, floor_angle_rad, radar_equation.beamwidth(design))
    distance = sigma_range(value, floor_range_m, radar_equation.range_resolution(design.bandwidth_hz))
    return Performance(
        design.dwell_s,
        value,
        float(swerling.p_detect(case, value, pulses, p_false_alarm)),
        float(np.hypot(distance, bias_range_m)),
        float(np.hypot(angle, bias_angle_rad)),
    )

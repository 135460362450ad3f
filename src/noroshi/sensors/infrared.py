"""Infrared point-target model: irradiance, signal-to-noise ratio, detection, angle noise.

`irradiance` and `p_detect` take JAX or NumPy arrays and belong to the dense physics; the rest is NumPy, for the
irregular rows of detections (their number changes from run to run, and JAX would compile for each). The signal
of a target of radiant intensity I at range R is the irradiance I / R^2 at the aperture; the noise is stated as an
equivalent irradiance (NEI) per kind of background, and their ratio is the signal-to-noise ratio of one exposure.
Noise is Gaussian with unit deviation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

import noroshi._jax  # noqa: F401

# isort: split
import jax.scipy.special


def irradiance(intensity_w_sr: Any, range_m: Any) -> Any:
    """Irradiance at the aperture [W/m^2] of a point source, without loss in the air on the way.

    Fair for targets above some 30 km seen from above outside the strong absorption bands; lower down the cloud
    top, not transmission, is what hides a target in this model.
    """
    return intensity_w_sr / range_m**2


def with_own_noise(snr: Any, noise_e: Any) -> Any:
    """Signal-to-noise ratio with the signal's own photon noise, from that without it.

    noise_e: electrons of the noise without a target; inf leaves the ratio as it is. With n = snr noise_e electrons
    of signal, n / sqrt(n + noise_e^2).
    """
    return snr / (1.0 + snr / noise_e) ** 0.5


def p_detect(snr: Any, threshold_snr: Any, p_detect_max: Any) -> Any:
    """Chance that signal plus unit Gaussian noise passes the threshold, at most `p_detect_max`.

    P_d = p_detect_max Q(threshold - SNR); p_detect_max < 1 stands for what is not noise (dead pixels, gaps).
    """
    return p_detect_max * jax.scipy.special.ndtr(snr - threshold_snr)


def p_false_alarm(threshold_snr: Any) -> Any:
    """Chance that noise alone passes the threshold, per pixel and exposure."""
    return ndtr(-threshold_snr)


def measured_snr(u: Any, snr: Any, p_detect_max: Any) -> Any:
    """Signal-to-noise ratio as measured, for the uniform draw u that made the detection (u < P_d).

    u / p_detect_max is the upper tail of the noise, so one draw decides the detection and what was measured:
    the result exceeds the threshold exactly when u < P_d. Without a target: snr = 0, u uniform below P_fa.
    """
    return snr - ndtri(u / p_detect_max)


def sigma_angle(snr: Any, sigma_floor_rad: Any, pixel_rad: Any) -> Any:
    """Angle noise per axis [rad]: centroid error of half a pixel over SNR, and the floor of the pointing."""
    return np.hypot(sigma_floor_rad, 0.5 * pixel_rad / snr)

"""From irradiance at the aperture to electrons, noise, range and false alarms of an infrared focal plane.

The chain of an electron-counting detector behind a telescope; one exposure unless `frames` says more. Irradiances
are band integrals at the aperture, after the air; backgrounds are photon radiances of the same band (see
`noroshi.sensors.background`). The photons of a target are counted at the energy of the band's middle, those of
the background by their own spectrum. Functions take NumPy or JAX arrays, and refuse impossible focal planes with
PhysicsError.
"""

from __future__ import annotations

from math import inf, isfinite, pi
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import ndtr, ndtri

from noroshi.errors import PhysicsError
from noroshi.radiometry import Band, photon_energy
from noroshi.random import stream

DIFFRACTION = 1.22  # first dark ring of a circular aperture, in wavelengths over its diameter (Airy)


class FocalPlane(NamedTuple):
    """A telescope and its detector in one band.

    `frame_residual` is the part of the mean background that the difference of two frames leaves as structure
    (scene and detector moved in between), 1 sigma. `full_well_e` inf: never full.
    """

    band: Band
    aperture_m: float  # diameter, unobscured
    focal_m: float
    pitch_m: float
    pixels_across: int
    pixels_along: int
    integration_s: float
    quantum_efficiency: float
    optics_transmission: float
    box_fraction: float  # of a point's light that falls on the pixels it is read from
    read_noise_e: float
    jitter_rad: float = 0.0  # line of sight between frames, 1 sigma per axis
    frame_residual: float = 0.0
    full_well_e: float = inf


class Scene(NamedTuple):
    """What lies behind a target, in photons of the band."""

    photon_radiance: Any  # photons/s/m2/sr
    photon_gradient: Any = 0.0  # rms |d radiance / d angle|, photons/s/m2/sr/rad


_BOUNDS = {
    "aperture_m": (0.0, inf),
    "focal_m": (0.0, inf),
    "pitch_m": (0.0, inf),
    "pixels_across": (0.0, inf),
    "pixels_along": (0.0, inf),
    "integration_s": (0.0, inf),
    "quantum_efficiency": (0.0, 1.0),
    "optics_transmission": (0.0, 1.0),
    "box_fraction": (0.0, 1.0),
}  # above the first, at most the second
_NOT_NEGATIVE = ("read_noise_e", "jitter_rad", "frame_residual")


def check(plane: FocalPlane) -> None:
    """Refuse figures that no focal plane has; PhysicsError names the nearest that one may have."""
    for name, (low, high) in _BOUNDS.items():
        value = getattr(plane, name)
        if not low < value <= high or not isfinite(value):
            nearest = f"at most {high:g}" if value > high and isfinite(high) else f"above {low:g}"
            raise PhysicsError(
                f"a focal plane with {name} = {value:g} is impossible", remedy=f"{name} is {nearest}"
            )
    for name in _NOT_NEGATIVE:
        value = getattr(plane, name)
        if not 0.0 <= value < inf:
            raise PhysicsError(
                f"a focal plane with {name} = {value:g} is impossible", remedy=f"{name} is at least 0"
            )
    if not plane.full_well_e > 0.0:
        raise PhysicsError(
            f"a full well of {plane.full_well_e:g} electrons holds none",
            remedy="full_well_e is above 0; leave it out for a well that is never full",
        )


def pixel_rad(plane: FocalPlane) -> float:
    """Angle that one pixel sees (IFOV) [rad]."""
    return plane.pitch_m / plane.focal_m


def diffraction_rad(plane: FocalPlane) -> float:
    """Angular radius of the first dark ring at the band's longest wavelength [rad].

    A pixel much smaller than this is allowed, but cannot hold the box_fraction one would wish: see the theory page.
    """
    return DIFFRACTION * plane.band.high_m / plane.aperture_m


def field_sr(plane: FocalPlane) -> float:
    """Solid angle that all pixels see at once [sr]."""
    return plane.pixels_across * plane.pixels_along * pixel_rad(plane) ** 2


def signal_electrons(plane: FocalPlane, irradiance_w_m2: Any) -> Any:
    """Electrons of a point source in one exposure, in the pixels it is read from, unlimited by the well."""
    _not_negative("an irradiance", irradiance_w_m2)
    gain = _gain(plane)
    return irradiance_w_m2 * gain * plane.box_fraction / photon_energy(plane.band)


def background_electrons(plane: FocalPlane, photon_radiance: Any) -> Any:
    """Electrons of an extended background (photons/s/m2/sr) in one pixel and exposure."""
    _not_negative("a radiance", photon_radiance)
    return photon_radiance * _gain(plane) * pixel_rad(plane) ** 2


def clutter_electrons(plane: FocalPlane, scene: Scene) -> Any:
    """Structure of the background in one pixel and exposure [electrons, 1 sigma].

    The gradient moved by the jitter, and the residual of frame differences; independent, so their squares add.
    """
    moved = background_electrons(plane, scene.photon_gradient) * plane.jitter_rad
    left = background_electrons(plane, scene.photon_radiance) * plane.frame_residual
    return (moved * moved + left * left) ** 0.5


def noise_electrons(plane: FocalPlane, scene: Scene, *, clutter: bool = True, frames: int = 1) -> Any:
    """Noise of a pixel without a target in the mean of `frames` exposures [electrons, 1 sigma].

    Photon and read noise fall with the root of the number; clutter does not, the scene being the same in each.
    """
    if frames < 1:
        raise PhysicsError(f"the mean of {frames} exposures is none", remedy="average one exposure or more")
    white = background_electrons(plane, scene.photon_radiance) + plane.read_noise_e**2
    structure = clutter_electrons(plane, scene) if clutter else 0.0
    return (white / frames + structure * structure) ** 0.5


def nei_without_clutter(plane: FocalPlane, photon_radiance: Any, *, frames: int = 1) -> Any:
    """Noise-equivalent irradiance [W/m2] against an even background: photon and read noise only."""
    scene = Scene(photon_radiance)
    return noise_electrons(plane, scene, clutter=False, frames=frames) / signal_electrons(plane, 1.0)


def nei_with_clutter(plane: FocalPlane, scene: Scene, *, frames: int = 1) -> Any:
    """Noise-equivalent irradiance [W/m2] with the structure of the background as further noise."""
    return noise_electrons(plane, scene, frames=frames) / signal_electrons(plane, 1.0)


def snr(plane: FocalPlane, irradiance_w_m2: Any, scene: Scene, *, frames: int = 1) -> Any:
    """Signal-to-noise ratio of a point source, its own photon noise included.

    A full well limits the signal to what the background leaves of it; PhysicsError where it leaves nothing.
    """
    xp = _namespace(irradiance_w_m2, scene.photon_radiance)
    signal = xp.minimum(signal_electrons(plane, irradiance_w_m2), _room(plane, scene))
    return signal / (signal / frames + noise_electrons(plane, scene, frames=frames) ** 2) ** 0.5


def saturates(plane: FocalPlane, irradiance_w_m2: Any, scene: Scene) -> Any:
    """Whether a point source and its background overfill a pixel within one exposure."""
    background = background_electrons(plane, scene.photon_radiance)
    return signal_electrons(plane, irradiance_w_m2) + background > plane.full_well_e


def irradiance_for(plane: FocalPlane, snr_required: Any, scene: Scene, *, frames: int = 1) -> Any:
    """Irradiance [W/m2] that gives a signal-to-noise ratio: the inverse of `snr`, unlimited by the well."""
    noise = noise_electrons(plane, scene, frames=frames)
    half = 0.5 * snr_required**2 / frames
    return (half + (half**2 + (snr_required * noise) ** 2) ** 0.5) / signal_electrons(plane, 1.0)


def range_for(
    plane: FocalPlane,
    intensity_w_sr: Any,
    snr_required: Any,
    scene: Scene,
    *,
    transmission: Any = 1.0,
    frames: int = 1,
) -> Any:
    """Largest range [m] at which a point source still has a signal-to-noise ratio.

    sqrt(I tau / E), with the E that gives the ratio with the signal's own noise. sqrt(I tau / (SNR NEI)) is its
    limit where the background's noise is the larger, and too far elsewhere.
    """
    return (intensity_w_sr * transmission / irradiance_for(plane, snr_required, scene, frames=frames)) ** 0.5


def threshold_for(p_false_alarm: Any) -> Any:
    """Threshold, in sigmas of Gaussian noise, that noise alone passes with a chance per pixel and frame."""
    if not np.all((np.asarray(p_false_alarm) > 0.0) & (np.asarray(p_false_alarm) < 1.0)):
        raise PhysicsError(
            f"no threshold has a chance of false alarm of {np.min(p_false_alarm):g}",
            remedy="choose a chance above 0 and below 1, such as 1e-6",
        )
    return -ndtri(p_false_alarm)


def false_alarms_per_frame(pixels: Any, threshold_snr: Any) -> Any:
    """Mean number of pixels that noise alone takes over the threshold in one frame."""
    return pixels * ndtr(-np.asarray(threshold_snr, np.float64))


def p_detect_at(snr_mean: Any, p_false_alarm: Any) -> Any:
    """Chance of detection at the threshold that gives a chance of false alarm per pixel and frame."""
    return ndtr(snr_mean - threshold_for(p_false_alarm))


def sigma_line_of_sight(
    snr_measured: Any, pixel_angle_rad: Any, attitude_rad: Any, centroid: float = 0.5
) -> Any:
    """White error of a line of sight per axis [rad]: centroid and attitude.

    `centroid` is the error in pixels at a ratio of 1, 0.5 to 1 by how well the point's image is sampled
    (order of magnitude). The registration bias is not in it: it does not average, see `registration_bias`.
    """
    return ((centroid * pixel_angle_rad / snr_measured) ** 2 + attitude_rad**2) ** 0.5


def registration_bias(sigma_rad: float, seed: int, run: int, sensor_name: str) -> Float64[np.ndarray, "3"]:
    """Rotation vector [rad, sensor axes] by which a sensor's axes are off for a whole run.

    Each component Gaussian with `sigma_rad`: every line of sight is off by a bias of that sigma per axis, wherever
    in the field it lies. Drawn from a stream of its own, so it changes no other draw.
    """
    return sigma_rad * stream(seed, run, "registration", sensor_name).standard_normal(3)


def frames_in(plane: FocalPlane, period_s: float) -> int:
    """Exposures of a staring sensor in one period, one after the other; PhysicsError where none fits."""
    check(plane)
    if plane.integration_s > period_s * (1.0 + 1e-12):
        raise PhysicsError(
            f"an exposure of {plane.integration_s:g} s does not fit into a period of {period_s:g} s",
            remedy=f"make integration_s at most {period_s:g}",
        )
    return int(period_s / plane.integration_s * (1.0 + 1e-12))


def dwell_max_s(plane: FocalPlane, regard_sr: float, period_s: float) -> float:
    """Longest time [s] that a scanning sensor can look at each point of a field of regard, once a period.

    The period shared out over the field by solid angle, without turning back or settling.
    """
    check(plane)
    return period_s * min(1.0, field_sr(plane) / regard_sr)


def integration_max_s(plane: FocalPlane, photon_radiance: float) -> float:
    """Longest exposure [s] in which a background fills half a well, the other half being the target's."""
    rate = background_electrons(plane, photon_radiance) / plane.integration_s
    return 0.5 * plane.full_well_e / rate if rate > 0.0 else inf


def _gain(plane: FocalPlane) -> float:
    """Electrons per (photon per square metre and second) at the aperture in one exposure."""
    check(plane)
    area = 0.25 * pi * plane.aperture_m**2
    return area * plane.optics_transmission * plane.quantum_efficiency * plane.integration_s


def _room(plane: FocalPlane, scene: Scene) -> Any:
    room = plane.full_well_e - background_electrons(plane, scene.photon_radiance)
    if _namespace(room) is np and not np.all(np.asarray(room) > 0.0):
        brightest = float(np.max(scene.photon_radiance))
        raise PhysicsError(
            f"the background alone fills the well of {plane.full_well_e:g} electrons",
            remedy=f"make integration_s at most {integration_max_s(plane, brightest):.2g}",
        )
    return room


def _not_negative(what: str, value: Any) -> None:
    """Refuse plain numbers that are negative or none; JAX arrays are let through."""
    if _namespace(value) is np and not np.all(np.asarray(value) >= 0.0):
        raise PhysicsError(f"{what} of {np.min(value):g} is impossible", remedy=f"{what} is 0 or more")


def _namespace(*values: Any) -> Any:
    if any(type(value).__module__.startswith("jax") for value in values):
        import jax.numpy as jnp

        return jnp
    return np

"""What the Earth and its limb shine with in a band, and how uneven that is: a few stated kinds of surface.

Radiance towards space = transmission x (emitted + reflected sunlight) + the air's own emission, for an even,
Lambertian, opaque surface (emissivity = 1 - albedo). Order of magnitude: seasons, partial cloud, glint and the
air's scattering are left out. Functions take NumPy arrays of angles and heights.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from noroshi.constants import SUN_TEMPERATURE_K
from noroshi.errors import PhysicsError
from noroshi.radiometry import band_named, photon_radiance, radiance, reflected_sun
from noroshi.sensors.transmission import limb_depth, slant_depth


class Surface(NamedTuple):
    """A kind of surface. Clutter: standard deviation over mean, and correlation length of a Gaussian field."""

    temperature_k: float
    top_m: float  # height above the sea
    albedo: dict[str, float]  # by band
    contrast: float
    length_m: float
    notional: str


def _albedo(swir: float, water: float, mwir: float, carbon_dioxide: float, lwir: float) -> dict[str, float]:
    return {"swir": swir, "water": water, "mwir": mwir, "carbon-dioxide": carbon_dioxide, "lwir": lwir}


# Unverified, set by hand to the order of magnitude: temperatures as of mid latitudes, albedo by what the material
# is known for, contrast and length only so that structured scenes come out rougher than plain ones.
SURFACES = {
    "ocean": Surface(
        288.0, 0.0, _albedo(0.03, 0.02, 0.03, 0.03, 0.01), 0.02, 10e3, "unverified: dark water, even"
    ),
    "land": Surface(
        293.0, 0.0, _albedo(0.25, 0.10, 0.10, 0.10, 0.04), 0.08, 3e3, "unverified: fields and woods"
    ),
    "desert": Surface(
        310.0, 0.0, _albedo(0.50, 0.30, 0.25, 0.25, 0.08), 0.08, 5e3, "unverified: bright dry sand by day"
    ),
    "snow": Surface(
        263.0, 0.0, _albedo(0.10, 0.03, 0.03, 0.03, 0.01), 0.05, 5e3, "unverified: dark beyond 1.4 um"
    ),
    "low-cloud": Surface(
        280.0, 2e3, _albedo(0.45, 0.15, 0.15, 0.15, 0.03), 0.15, 3e3, "unverified: water droplets, broken"
    ),
    "high-cloud": Surface(
        225.0, 11e3, _albedo(0.40, 0.30, 0.10, 0.10, 0.05), 0.20, 5e3, "unverified: thick ice cloud"
    ),
}

# Temperature of the air where each band's light comes from. Unverified: the troposphere's upper half where water or
# a window lets one see down, the stratosphere's upper part where carbon dioxide is opaque.
AIR_TEMPERATURE_K = {"swir": 240.0, "water": 230.0, "mwir": 250.0, "carbon-dioxide": 250.0, "lwir": 250.0}


class Radiance(NamedTuple):
    """Radiance of a background in a band."""

    w_m2_sr: Any
    photons_s_m2_sr: Any


def surface_named(name: str) -> Surface:
    """The surface of a name in SURFACES; PhysicsError for another."""
    if name not in SURFACES:
        raise PhysicsError(
            f"no background is known of a surface {name!r}", remedy=f"use one of: {', '.join(SURFACES)}"
        )
    return SURFACES[name]


def earth(band: str, surface: str, *, cos_sun: Any = -1.0, cos_view: Any = 1.0, air: bool = True) -> Radiance:
    """Radiance towards space of a surface and the air above it.

    cos_sun, cos_view: cosines of the zenith angles of the Sun (below 0: night) and of the sensor, at the surface.
    `air` False: none, neither loss nor emission. Errors: PhysicsError for an unknown band or surface.
    """
    wavelengths, kind = band_named(band), surface_named(surface)
    albedo = kind.albedo[band]
    sun = reflected_sun(wavelengths, albedo, np.asarray(cos_sun, np.float64))
    # in photons the Sun is a black body of its temperature too, so both kinds of radiance share one ratio
    sun_photons = (
        sun * photon_radiance(wavelengths, SUN_TEMPERATURE_K) / radiance(wavelengths, SUN_TEMPERATURE_K)
    )
    if air:
        through = np.exp(-slant_depth(band, kind.top_m, np.maximum(cos_view, 0.0)))
        in_and_out = through * np.exp(-slant_depth(band, kind.top_m, np.maximum(cos_sun, 0.0)))
    else:
        through = in_and_out = 1.0
    warm, cold = kind.temperature_k, AIR_TEMPERATURE_K[band]
    return Radiance(
        *(
            in_and_out * light
            + through * (1.0 - albedo) * black(wavelengths, warm)
            + (1.0 - through) * black(wavelengths, cold)
            for light, black in ((sun, radiance), (sun_photons, photon_radiance))
        )
    )


def limb(band: str, tangent_height_m: Any) -> Radiance:
    """Radiance of the air along a line that passes the Earth at a tangent height, with space behind.

    Thermal emission at one temperature per band, (1 - exp(-depth)) of a black body. Sunlight that the air
    scatters, and its glow by day, are left out: by day the limb is brighter than this. Deep space shines with none.
    """
    wavelengths = band_named(band)
    emitted = -np.expm1(-limb_depth(band, tangent_height_m))
    cold = AIR_TEMPERATURE_K[band]
    return Radiance(emitted * radiance(wavelengths, cold), emitted * photon_radiance(wavelengths, cold))


def clutter_gradient(mean_radiance: Any, surface: str, range_m: Any) -> Any:
    """Gradient |dL/dangle| of a background [units of radiance per rad], rms along one axis, seen from a range.

    For a Gaussian field of covariance (contrast L)^2 exp(-x^2 / 2 length^2) the slope has the deviation
    contrast L / length per metre; a radian spans `range_m` of it (seen squarely; foreshortening left out).
    """
    kind = surface_named(surface)
    return mean_radiance * kind.contrast / kind.length_m * range_m

"""Thermal radiation in a spectral band: Planck, the Sun, and its light reflected.

Band radiances are integrals over wavelength by Gauss-Legendre quadrature in its logarithm, good to 1e-9 for the
bands used here (tested). Functions of temperature take NumPy or JAX arrays; negative or absent temperatures in
plain numbers raise PhysicsError.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from noroshi.constants import (
    ASTRONOMICAL_UNIT_M,
    BOLTZMANN_J_K,
    LIGHT_M_S,
    PLANCK_J_S,
    STEFAN_BOLTZMANN,
    SUN_RADIUS_M,
    SUN_TEMPERATURE_K,
)
from noroshi.errors import PhysicsError

NODES = 48
SUN_SOLID_ANGLE_SR = np.pi * (SUN_RADIUS_M / ASTRONOMICAL_UNIT_M) ** 2


class Band(NamedTuple):
    """A spectral band: the wavelengths where it begins and ends [m]."""

    low_m: float
    high_m: float


# The bands that scenarios know by name; limits as in the open literature on missile warning
BANDS = {
    "swir": Band(1.4e-6, 3.0e-6),
    "water": Band(2.69e-6, 2.95e-6),  # around the 2.7 um band of water vapour and carbon dioxide
    "mwir": Band(3.0e-6, 5.0e-6),
    "carbon-dioxide": Band(4.2e-6, 4.45e-6),
    "lwir": Band(8.0e-6, 12.0e-6),
}


def band_named(name: str) -> Band:
    """The band of a name in BANDS; PhysicsError for another."""
    if name not in BANDS:
        raise PhysicsError(
            f"no wavelengths are known of band {name!r}",
            remedy=f"use one of: {', '.join(BANDS)}",
        )
    return BANDS[name]


def radiance(band: Band, temperature_k: Any) -> Any:
    """Radiance of a black body in a band [W/m2/sr]."""
    return _integral(band, temperature_k, 2.0 * PLANCK_J_S * LIGHT_M_S**2, 5)


def photon_radiance(band: Band, temperature_k: Any) -> Any:
    """Photon radiance of a black body in a band [photons/s/m2/sr]."""
    return _integral(band, temperature_k, 2.0 * LIGHT_M_S, 4)


def total_radiance(temperature_k: Any) -> Any:
    """Radiance of a black body over all wavelengths [W/m2/sr] (Stefan and Boltzmann)."""
    _warm(temperature_k)
    return STEFAN_BOLTZMANN * temperature_k**4 / np.pi


def photon_energy(band: Band) -> float:
    """Energy of a photon at the middle wavelength of a band [J]."""
    return PLANCK_J_S * LIGHT_M_S / (0.5 * (band.low_m + band.high_m))


def sun_irradiance(band: Band) -> float:
    """Irradiance of the Sun in a band at 1 au, outside the air [W/m2]: a black body of 5772 K."""
    return float(SUN_SOLID_ANGLE_SR * radiance(band, SUN_TEMPERATURE_K))


def reflected_sun(band: Band, albedo: Any, cos_zenith: Any) -> Any:
    """Radiance of a Lambertian surface in sunlight [W/m2/sr], without air; 0 with the Sun below its horizon."""
    if _namespace(albedo) is np and not np.all((np.asarray(albedo) >= 0.0) & (np.asarray(albedo) <= 1.0)):
        raise PhysicsError(f"an albedo of {albedo} is none", remedy="a surface sends back between 0 and 1")
    lit = 0.5 * (cos_zenith + abs(cos_zenith))
    return albedo / np.pi * sun_irradiance(band) * lit


def _integral(band: Band, temperature_k: Any, scale: float, power: int) -> Any:
    """Integral over the band of scale / (lambda^power (exp(h c / (lambda k T)) - 1))."""
    if not 0.0 < band.low_m < band.high_m:
        raise PhysicsError(
            f"a band from {band.low_m * 1e6:g} to {band.high_m * 1e6:g} um is none",
            remedy="a band begins above 0 and ends above its beginning",
        )
    xp = _namespace(temperature_k)
    _warm(temperature_k)
    x, w = np.polynomial.legendre.leggauss(NODES)
    half = 0.5 * np.log(band.high_m / band.low_m)
    wavelength = np.sqrt(band.low_m * band.high_m) * np.exp(half * x)
    weight = half * w * wavelength * scale / wavelength**power
    exponent = PLANCK_J_S * LIGHT_M_S / (BOLTZMANN_J_K * wavelength)
    with np.errstate(over="ignore"):
        return xp.sum(weight / xp.expm1(exponent / xp.asarray(temperature_k)[..., None]), axis=-1)


def _warm(temperature_k: Any) -> None:
    if _namespace(temperature_k) is np and not np.all(np.asarray(temperature_k) > 0.0):
        raise PhysicsError(
            f"a temperature of {np.min(temperature_k):g} K does not radiate",
            remedy="temperatures are in kelvin, above 0",
        )


def _namespace(value: Any) -> Any:
    if type(value).__module__.startswith("jax"):
        import jax.numpy as jnp

        return jnp
    return np

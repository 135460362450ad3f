"""How much infrared light comes through clear air between space and a height, by band: a small stated table.

An order of magnitude, not a radiative-transfer calculation: vertical optical depths of whole bands at ten heights,
ln(depth) linear in height between them, times a spherical air mass (exp(-depth x mass)). The average of a band full
of lines does not follow that law: where lines are saturated, long paths come out too dark. Clear air only; clouds
are the cloud top's. Functions take NumPy arrays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import erfcx

from noroshi.constants import EARTH_MEAN_RADIUS_M
from noroshi.radiometry import band_named

# Density of dry air falls by e over 7 to 8.5 km below 80 km (US Standard Atmosphere 1976). Water vapour's own 2 km
# would double the air mass at the horizon; its band is dark there either way.
SCALE_HEIGHT_M = 8_000.0

HEIGHTS_M = np.array([0.0, 5e3, 10e3, 15e3, 20e3, 30e3, 40e3, 50e3, 60e3, 80e3])


class Depths(NamedTuple):
    """Vertical optical depth from space down to each of HEIGHTS_M, and why the figures are assumed."""

    depth: tuple[float, ...]
    notional: str


# Every figure is unverified: set by hand to the order of magnitude, to be replaced by a radiative-transfer code's.
# Each wide band loses at least what the absorption core inside it loses of the band's width (tested).
TABLE = {
    "swir": Depths(
        (0.9, 0.45, 0.2, 0.12, 0.08, 0.03, 0.011, 0.004, 0.0014, 0.00014),
        "unverified: water vapour at 1.4, 1.9 and 2.7 um darkens about half of the band at the ground; above 15 km "
        "only the 2.7 um core remains, a sixth of the width",
    ),
    "water": Depths(
        (30.0, 8.0, 2.5, 1.0, 0.6, 0.2, 0.07, 0.025, 0.008, 0.0008),
        "unverified: opaque below the tropopause; above it carbon dioxide's 2.7 um lines and little water",
    ),
    "mwir": Depths(
        (0.7, 0.4, 0.22, 0.18, 0.16, 0.12, 0.06, 0.023, 0.0075, 0.0007),
        "unverified: half of the light at the ground; aloft the 4.26 um core, an eighth of the width",
    ),
    "carbon-dioxide": Depths(
        (100.0, 50.0, 25.0, 13.0, 7.0, 2.0, 0.6, 0.2, 0.06, 0.005),
        "unverified: the core of the 4.26 um band; well mixed, so opaque to some 30 km",
    ),
    "lwir": Depths(
        (0.5, 0.2, 0.1, 0.08, 0.06, 0.02, 0.004, 0.0008, 0.0002, 0.00001),
        "unverified: the window; water at the ground, ozone at 9.6 um up to 30 km",
    ),
}


def vertical_depth(band: str, height_m: Any) -> Any:
    """Optical depth straight down from space to a height; under the ground as on it. PhysicsError: unknown band."""
    band_named(band)
    h = np.maximum(np.asarray(height_m, np.float64), 0.0)
    ln = np.log(TABLE[band].depth)
    slope = (ln[-1] - ln[-2]) / (HEIGHTS_M[-1] - HEIGHTS_M[-2])  # goes on above the table
    return np.exp(np.interp(h, HEIGHTS_M, ln) + slope * np.maximum(h - HEIGHTS_M[-1], 0.0))


def air_mass(height_m: Any, cos_zenith: Any) -> Any:
    """Air on a straight slant path upwards from a height over that straight up, on a sphere.

    Chapman's function for an exponential atmosphere (1931) by its usual closed form
    sqrt(pi X / 2) exp(y^2) erfc(y), y = sqrt(X / 2) cos z, X = r / H: within 0.13 % of the integral (tested).
    1 / cos z for small angles, 35.4 along the horizon at the ground; refraction, left out, makes it 38. For
    cos_zenith < 0 see `slant_depth`; here it counts as the horizon.
    """
    x = (EARTH_MEAN_RADIUS_M + np.asarray(height_m, np.float64)) / SCALE_HEIGHT_M
    cos = np.maximum(cos_zenith, 0.0)
    return np.sqrt(0.5 * np.pi * x) * erfcx(np.sqrt(0.5 * x) * cos)


def slant_depth(band: str, height_m: Any, cos_zenith: Any) -> Any:
    """Optical depth from a point at a height out to space, at a zenith angle there.

    A path that first dips (cos_zenith < 0) runs twice from its lowest point to space, less the part behind the
    point; inf where it dips below the ground.
    """
    h = np.asarray(height_m, np.float64)
    cos = np.clip(cos_zenith, -1.0, 1.0)
    up = vertical_depth(band, h) * air_mass(h, np.abs(cos))
    lowest = (EARTH_MEAN_RADIUS_M + h) * np.sqrt(1.0 - cos * cos) - EARTH_MEAN_RADIUS_M
    dipping = np.where(lowest >= 0.0, limb_depth(band, lowest) - up, np.inf)
    return np.where(cos >= 0.0, up, dipping)


def limb_depth(band: str, tangent_height_m: Any) -> Any:
    """Optical depth of a path from space to space whose lowest point is at a tangent height."""
    return 2.0 * vertical_depth(band, tangent_height_m) * air_mass(tangent_height_m, 0.0)


def transmission(band: str, height_m: Any, cos_zenith: Any = 1.0) -> Any:
    """Part of a band's light that comes through clear air from a point at a height to space, 0 to 1."""
    return np.exp(-slant_depth(band, height_m, cos_zenith))

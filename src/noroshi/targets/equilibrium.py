"""Equilibrium glide: the height where lift carries what the speed does not, and its closed forms.

Lift balances weight less the relief of the curved path, k rho V^2/2 cos(bank) = g - V^2/r with k =
(L/D)/beta; the speed then falls by V' = -(g - V^2/r)/((L/D) cos(bank)) (Eggers, Allen & Neice, NACA TN 4046,
1957). The closed forms hold g and r fixed on a sphere without rotation.
"""

from __future__ import annotations

from math import asin, atanh, cos, log, sqrt, tan
from typing import NamedTuple

import noroshi._jax  # noqa: F401  (float64 before any array)

# isort: split
import jax
import numpy as np
from jaxtyping import Float
from scipy.optimize import root_scalar

from noroshi.atmosphere import LOWEST_M, TOP_M, density
from noroshi.constants import EARTH_MU
from noroshi.earth import geodetic_from_itrs, up_itrs
from noroshi.targets.integrate import EARTH, Planet, acceleration, unpowered

_free = jax.jit(lambda r, v, planet: acceleration(0.0, r, v, (0.0, 0.0, 0.0), unpowered(0.0), planet))


class Glider(NamedTuple):
    """What shapes an equilibrium glide besides the speed."""

    lift_to_drag: float
    ballistic_coefficient_kg_m2: float
    bank_rad: float = 0.0


class Equilibrium(NamedTuple):
    """A state of equilibrium glide: height [m] and path angle above the horizontal [rad], slightly negative."""

    height_m: float
    angle_rad: float


def equilibrium(
    glider: Glider,
    speed_m_s: float,
    place: Float[np.ndarray, "3"],
    heading: Float[np.ndarray, "3"],
    planet: Planet = EARTH,
) -> Equilibrium | None:
    """Height and path angle of equilibrium glide above a place, ITRS; None where lift has nothing to carry.

    Exact to the acceleration model: J2, Coriolis and centrifugal terms and the ellipsoid's curvature along the
    heading (a horizontal unit vector) are in. The angle follows the height as the speed falls, so that a glide
    started so does not skip. None also where the height would lie above 86 km or 5 km under ground.
    """

    def height_of(speed: float) -> float | None:
        return _height(glider, speed, place, heading, planet)

    middle, slow, fast = height_of(speed_m_s), height_of(0.999 * speed_m_s), height_of(1.001 * speed_m_s)
    if middle is None or slow is None or fast is None:
        return None
    slope = (fast - slow) / (0.002 * speed_m_s)
    weight = _weight(speed_m_s, middle, place, heading, planet)
    drag = weight / (glider.lift_to_drag * cos(glider.bank_rad))
    # V' = -drag - g sin(angle) and sin(angle) = slope V'/V
    gravity = EARTH_MU / float(place @ place)
    return Equilibrium(middle, asin(-slope * drag / (speed_m_s + slope * gravity)))


def _height(
    glider: Glider, speed: float, place: np.ndarray, heading: np.ndarray, planet: Planet
) -> float | None:
    carried = glider.lift_to_drag * cos(glider.bank_rad) / glider.ballistic_coefficient_kg_m2
    height = 40e3
    for _ in range(8):  # the weight hardly depends on height: each turn gains three digits
        weight = _weight(speed, height, place, heading, planet)
        rho = 2.0 * weight / (carried * speed * speed * planet.density_factor)
        if not density(TOP_M) < rho < density(LOWEST_M):
            return None
        before, height = height, height_of_density(rho)
        if abs(height - before) < 1e-4:
            break
    return height


def _weight(speed: float, height: float, place: np.ndarray, heading: np.ndarray, planet: Planet) -> float:
    """Downward acceleration that lift must balance in level flight [m/s2]."""
    up, base, curvature = _level(place, heading, height, planet)
    pull = np.asarray(_free(base + height * up, speed * heading, planet))
    return float(-(pull @ up) - speed * speed * curvature)


def _level(
    place: np.ndarray, heading: np.ndarray, height: float, planet: Planet
) -> tuple[np.ndarray, np.ndarray, float]:
    """Vertical, the ground point below, and the curvature [1/m] of level flight (Euler's formula)."""
    if planet.flattening == 0.0:
        up = place / np.linalg.norm(place)
        return up, planet.radius_m * up, 1.0 / (planet.radius_m + height)
    lat, lon, above = (float(x) for x in geodetic_from_itrs(place))
    up = up_itrs(lat, lon)
    e2 = planet.flattening * (2.0 - planet.flattening)
    scale = 1.0 - e2 * np.sin(lat) ** 2
    across = planet.radius_m / sqrt(scale)
    meridian = across * (1.0 - e2) / scale
    east = float(heading @ np.array([-np.sin(lon), np.cos(lon), 0.0]))
    curvature = east**2 / (across + height) + (1.0 - east**2) / (meridian + height)
    return up, place - above * up, curvature


def height_of_density(rho: float) -> float:
    """Height [m] of a density between those of -5 and 86 km [kg/m3]."""
    found = root_scalar(lambda h: float(np.log(density(h) / rho)), bracket=(LOWEST_M, TOP_M), xtol=1e-6)
    return float(found.root)


def required_lift_parameter(height_m: float, speed_m_s: float, radius_m: float) -> float:
    """(L/D)/beta [m2/kg] that glides in equilibrium at a height and speed; sphere of `radius_m`, no rotation."""
    r = radius_m + height_m
    weight = EARTH_MU / r**2 - speed_m_s**2 / r
    return 2.0 * weight / (float(density(height_m)) * speed_m_s**2)


def glide_range(lift_to_drag: float, start_m_s: float, end_m_s: float, r: float) -> float:
    """Distance flown at radius r [m] while the speed falls from start to end."""
    circular = EARTH_MU / r
    return 0.5 * r * lift_to_drag * log((1.0 - end_m_s**2 / circular) / (1.0 - start_m_s**2 / circular))


def glide_time(lift_to_drag: float, start_m_s: float, end_m_s: float, r: float) -> float:
    """Time in which the speed falls from start to end at radius r [s]."""
    circular = sqrt(EARTH_MU / r)
    gravity = EARTH_MU / r**2
    return lift_to_drag * circular / gravity * (atanh(start_m_s / circular) - atanh(end_m_s / circular))


def level_turn(speed_m_s: float, bank_rad: float, r: float) -> tuple[float, float]:
    """Lateral acceleration [m/s2] and turn radius [m] of a level turn in equilibrium at radius r [m]."""
    lateral = (EARTH_MU / r**2 - speed_m_s**2 / r) * tan(bank_rad)
    return lateral, speed_m_s**2 / lateral

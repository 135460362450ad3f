"""Heating of a body by the air, and the skin temperature at which it radiates what it receives.

Correlations of cold-wall heat flux in free-stream density and air-relative speed (continuum air, hypersonic speed),
and the radiative equilibrium of a skin without conduction, ablation or memory. Fair for minutes of glide; a blunt
capsule at its peak comes out some 500 K too hot. Where the flow turns turbulent, and the wake, are not modelled: a
factor of 2 to 3 in what is radiated.

Functions take NumPy or JAX arrays that broadcast. Plain numbers outside a correlation's range raise PhysicsError; JAX
arrays cannot be looked at and are not checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from noroshi.constants import STEFAN_BOLTZMANN
from noroshi.errors import PhysicsError

# Sutton & Graves, NASA TR R-376 (1971), as constant of the form used since; sqrt(kg)/m, flux in W/m2
SUTTON_GRAVES = 1.7415e-4
# The same form in Anderson, Hypersonic and High-Temperature Gas Dynamics, with its hot-wall factor, as Wright's
# public glide and heating program uses it. With SI units the flux is in W/m2, not W/cm2
STAGNATION = 1.83e-4
# Laminar and turbulent flat plate, same source
LAMINAR = 2.53e-5
TURBULENT = 3.89e-4
TURBULENT_WALL_K = 556.0
TURBULENT_RECOVERY = 1.11  # of the wall enthalpy in the turbulent hot-wall factor
# Brandis & Johnston (2014), branch of 3 to 9.5 km/s; flux in W/cm2
BRANDIS_JOHNSTON = 7.455e-9

WALL_J_KG_K = 1000.0  # enthalpy of air at the wall per kelvin (Wright's program)
ALONG_BODY = -0.05  # power of the distance in the fall of temperature along the body (Wright's program)

# Ranges of speed [m/s]. Ours, where no source states one: below 1 km/s (Mach 3) the hypersonic forms lose their
# meaning; above 12 km/s the hot air ahead heats by radiation too; the plate serves bodies below orbital speed
STAGNATION_RANGE_M_S = (1e3, 12e3)
PLATE_RANGE_M_S = (1e3, 8e3)
TURBULENT_RANGE_M_S = (1e3, 4e3)  # this branch, by its source
BRANDIS_JOHNSTON_RANGE_M_S = (3e3, 9.5e3)  # this branch, by its source
ANGLE_MAX_RAD = np.deg2rad(60.0)  # ours: steeper, the flow no longer runs along the plate

NEWTON = 10  # steps from an upper bound at most a factor 1.4 above the root: convergence is quadratic from the start


def sutton_graves(density_kg_m3: Any, speed_m_s: Any, nose_radius_m: Any) -> Any:
    """Cold-wall flux at the stagnation point of a blunt nose [W/m2], 1 to 12 km/s (Sutton & Graves 1971)."""
    _check_flow(density_kg_m3, speed_m_s, STAGNATION_RANGE_M_S, "the stagnation formula")
    _check_length(nose_radius_m, "nose radius")
    return SUTTON_GRAVES * (density_kg_m3 / nose_radius_m) ** 0.5 * speed_m_s**3


def stagnation(density_kg_m3: Any, speed_m_s: Any, nose_radius_m: Any, wall_k: Any = 0.0) -> Any:
    """Flux into a wall of temperature `wall_k` at the stagnation point [W/m2], 1 to 12 km/s; 0 K: cold wall."""
    _check_flow(density_kg_m3, speed_m_s, STAGNATION_RANGE_M_S, "the stagnation formula")
    _check_length(nose_radius_m, "nose radius")
    return stagnation_unchecked(density_kg_m3, speed_m_s, nose_radius_m) * _wall(speed_m_s, wall_k, 1.0)


def brandis_johnston(density_kg_m3: Any, speed_m_s: Any, nose_radius_m: Any) -> Any:
    """Cold-wall flux at the stagnation point [W/m2], 3 to 9.5 km/s (Brandis & Johnston 2014, given there in W/cm2)."""
    _check_flow(density_kg_m3, speed_m_s, BRANDIS_JOHNSTON_RANGE_M_S, "this branch of Brandis and Johnston")
    _check_length(nose_radius_m, "nose radius")
    return 1e4 * BRANDIS_JOHNSTON * density_kg_m3**0.4705 * speed_m_s**3.089 * nose_radius_m**-0.52


def laminar_plate(density_kg_m3: Any, speed_m_s: Any, x_m: Any, angle_rad: Any, wall_k: Any = 0.0) -> Any:
    """Laminar flux x_m behind the edge of a plate turned into the flow by an angle [W/m2], 1 to 8 km/s."""
    _check_flow(density_kg_m3, speed_m_s, PLATE_RANGE_M_S, "the laminar plate formula")
    _check_plate(x_m, angle_rad)
    return laminar_unchecked(density_kg_m3, speed_m_s, x_m, angle_rad) * _wall(speed_m_s, wall_k, 1.0)


def turbulent_plate(density_kg_m3: Any, speed_m_s: Any, x_m: Any, angle_rad: Any, wall_k: Any) -> Any:
    """Turbulent flux into a wall of temperature `wall_k` [W/m2], 1 to 4 km/s; the wall must be warmer than 0 K."""
    _check_flow(density_kg_m3, speed_m_s, TURBULENT_RANGE_M_S, "this branch of the turbulent plate formula")
    _check_plate(x_m, angle_rad)
    if _numbers(wall_k) and not np.all(np.asarray(wall_k) > 0.0):
        raise PhysicsError(f"a wall of {np.min(wall_k):g} K", remedy="temperatures are in kelvin, above 0")
    flux = _turbulent_556(density_kg_m3, speed_m_s, x_m, angle_rad)
    return flux * (wall_k / TURBULENT_WALL_K) ** -0.25 * _wall(speed_m_s, wall_k, TURBULENT_RECOVERY)


def skin_temperature(cold_flux_w_m2: Any, speed_m_s: Any, emissivity: Any) -> Any:
    """Temperature [K] where the skin radiates what it receives: eps sigma T^4 = q (1 - hw(T)/h0).

    `cold_flux_w_m2` is the cold-wall flux q of the stagnation or laminar form, h0 = V^2/2, hw = 1000 T J/kg.
    Differentiable in JAX through the implicit function. No radiation from the surroundings: without flux it tends to
    0 K.
    """
    _check_emissivity(emissivity)
    _check_flux(cold_flux_w_m2, speed_m_s)
    return _root(cold_flux_w_m2, _wall_limit(speed_m_s, 1.0), emissivity, 4.0)


def skin_temperature_turbulent(
    density_kg_m3: Any, speed_m_s: Any, x_m: Any, angle_rad: Any, emissivity: Any
) -> Any:
    """Radiative-equilibrium temperature [K] of a plate in turbulent flow, 1 to 4 km/s."""
    _check_flow(density_kg_m3, speed_m_s, TURBULENT_RANGE_M_S, "this branch of the turbulent plate formula")
    _check_plate(x_m, angle_rad)
    _check_emissivity(emissivity)
    # (T/556)^-0.25 goes to the side of the radiation, which makes it T^4.25
    flux = _turbulent_556(density_kg_m3, speed_m_s, x_m, angle_rad) * TURBULENT_WALL_K**0.25
    return _root(flux, _wall_limit(speed_m_s, TURBULENT_RECOVERY), emissivity, 4.25)


def cold_wall_temperature(cold_flux_w_m2: Any, emissivity: Any) -> Any:
    """Temperature [K] of a skin that radiates the whole cold-wall flux: the upper bound of `skin_temperature`."""
    _check_emissivity(emissivity)
    _check_flux(cold_flux_w_m2, 1.0)
    return (cold_flux_w_m2 / (emissivity * STEFAN_BOLTZMANN)) ** 0.25


def along_body(temperature_k: Any, x_m: Any, reference_m: float = 1.0) -> Any:
    """Temperature x_m behind the nose, from that at `reference_m`: T (x / reference)^-0.05 (Wright's program)."""
    _check_length(x_m, "distance behind the nose")
    return temperature_k * (x_m / reference_m) ** ALONG_BODY


def stagnation_unchecked(density_kg_m3: Any, speed_m_s: Any, nose_radius_m: Any) -> Any:
    """`stagnation` with a cold wall at any speed: for whole flights, whose slow parts hardly heat and count little."""
    return STAGNATION * (density_kg_m3 / nose_radius_m) ** 0.5 * speed_m_s**3


def laminar_unchecked(density_kg_m3: Any, speed_m_s: Any, x_m: Any, angle_rad: Any) -> Any:
    """`laminar_plate` with a cold wall at any speed: for whole flights, as above."""
    xp = _namespace(angle_rad)
    slope = xp.cos(angle_rad) ** 0.5 * xp.sin(angle_rad)
    return LAMINAR * slope * x_m**-0.5 * density_kg_m3**0.5 * speed_m_s**3.2


def _turbulent_556(density_kg_m3: Any, speed_m_s: Any, x_m: Any, angle_rad: Any) -> Any:
    """Turbulent flux into a wall of 556 K, before the factor for its enthalpy [W/m2]."""
    xp = _namespace(angle_rad)
    slope = xp.cos(angle_rad) ** 1.78 * xp.sin(angle_rad) ** 1.6
    return TURBULENT * slope * x_m**-0.2 * density_kg_m3**0.8 * speed_m_s**3.37


def _wall(speed_m_s: Any, wall_k: Any, recovery: float) -> Any:
    return 1.0 - wall_k / _wall_limit(speed_m_s, recovery)


def _wall_limit(speed_m_s: Any, recovery: float) -> Any:
    """Temperature of a wall that takes no more heat [K]."""
    return 0.5 * speed_m_s**2 / (WALL_J_KG_K * recovery)


def _root(flux: Any, limit_k: Any, emissivity: Any, power: float) -> Any:
    """T of eps sigma T^power = flux (1 - T / limit): one positive root, of a rising convex function.

    Scaled by the smaller of its two upper bounds, T = bound y: a y^power + b y = 1 with a, b <= 1 and the larger of
    both 1. Newton's method falls to the root from y = 1, always. The last step is taken on a root held fixed, which
    gives JAX the derivative of the implicit function.
    """
    xp = _namespace(flux, limit_k, emissivity)
    limit = xp.maximum(limit_k, 1e-6)  # without speed or flux: a temperature near 0, not 0/0
    cold = (xp.maximum(flux, 1e-12) / (emissivity * STEFAN_BOLTZMANN)) ** (1.0 / power)
    bound = xp.minimum(cold, limit)
    a, b = (bound / cold) ** power, bound / limit
    still_a, still_b, y = _still(a), _still(b), _still(xp.ones_like(a * b))

    for _ in range(NEWTON):
        y = y - (still_a * y**power + still_b * y - 1.0) / (power * still_a * y ** (power - 1.0) + still_b)
    slope = power * still_a * y ** (power - 1.0) + still_b
    return bound * (y - (a * y**power + b * y - 1.0) / slope)


def _still(value: Any) -> Any:
    if _numbers(value):
        return value
    from jax.lax import stop_gradient

    return stop_gradient(value)


def _namespace(*values: Any) -> Any:
    if not _numbers(*values):
        import jax.numpy as jnp

        return jnp
    return np


def _numbers(*values: Any) -> bool:
    """Whether all are plain numbers or NumPy arrays, which can be looked at."""
    return not any(type(value).__module__.startswith("jax") for value in values)


def _check_flow(density: Any, speed: Any, limits: tuple[float, float], name: str) -> None:
    if _numbers(density) and not np.all(np.asarray(density) > 0.0):
        raise PhysicsError(
            f"an air density of {np.min(density):g} kg/m3 heats nothing", remedy="densities are above 0"
        )
    if not _numbers(speed):
        return
    speeds = np.asarray(speed, np.float64)
    outside = ~((speeds >= limits[0]) & (speeds <= limits[1]))
    if outside.any():
        given = float(speeds[outside].flat[0])
        nearest = limits[1] if given > limits[1] else limits[0]
        raise PhysicsError(
            f"{name} does not hold at {given:g} m/s",
            remedy=f"it is good for {limits[0]:g} to {limits[1]:g} m/s; the nearest is {nearest:g} m/s",
        )


def _check_length(length: Any, name: str) -> None:
    if _numbers(length) and not np.all(np.asarray(length) > 0.0):
        raise PhysicsError(f"a {name} of {np.min(length):g} m", remedy="lengths are in metres, above 0")


def _check_plate(x: Any, angle: Any) -> None:
    _check_length(x, "distance behind the edge")
    angles = np.asarray(angle, np.float64) if _numbers(angle) else None
    if angles is not None and not np.all((angles > 0.0) & (angles <= ANGLE_MAX_RAD)):
        wrong = float(angles[~((angles > 0.0) & (angles <= ANGLE_MAX_RAD))].flat[0])
        raise PhysicsError(
            f"a plate turned into the flow by {np.rad2deg(wrong):g} deg has no such boundary layer",
            remedy="give an angle above 0 and at most 60 deg, in radians",
        )


def _check_emissivity(emissivity: Any) -> None:
    if _numbers(emissivity):
        given = np.asarray(emissivity, np.float64)
        if not np.all((given > 0.0) & (given <= 1.0)):
            raise PhysicsError(
                f"an emissivity of {np.min(given):g} to {np.max(given):g}",
                remedy="it lies above 0 and is at most 1",
            )


def _check_flux(flux: Any, speed: Any) -> None:
    if _numbers(flux) and not np.all(np.asarray(flux) >= 0.0):
        raise PhysicsError(
            f"a cold-wall flux of {np.min(flux):g} W/m2", remedy="a cold wall takes heat: give 0 or more"
        )
    if _numbers(speed) and not np.all(np.asarray(speed) >= 0.0):
        raise PhysicsError(f"a speed of {np.min(speed):g} m/s", remedy="speeds are 0 or more")

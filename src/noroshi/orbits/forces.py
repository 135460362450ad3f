"""Accelerations of satellites in the GCRS: zonal gravity, drag, Sun and Moon, pressure of sunlight (JAX).

`Forces` chooses what acts, `Surface` says how air and light grip a satellite, `Surroundings` holds where the
pole, the Sun and the Moon are during a run. Left out: the tesseral harmonics (2 km in a day in low orbit, 1.1 km at
10,000 km, 0.4 km at 42,164 km, mostly along the track, from the same osculating start: measured with Orekit and a
36 x 36 field), polar motion (1.3 m in a day at 1000 km), tides of the solid Earth, relativity, light reflected by
the Earth, winds, storms and seasons of the air.
"""

from __future__ import annotations

import noroshi._jax  # noqa: F401  isort: skip

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from noroshi.atmosphere import density
from noroshi.constants import (
    ASTRONOMICAL_UNIT_M,
    EARTH_J2,
    EARTH_MU,
    EARTH_RADIUS_M,
    EARTH_RATE_RAD_S,
    LIGHT_M_S,
    SUN_RADIUS_M,
)
from noroshi.earth import height_itrs
from noroshi.errors import PhysicsError
from noroshi.sky import moon_position, sun_position
from noroshi.time import Epoch

# EGM96, C30 and C40 unnormalised: J3 = -sqrt(7) C30, J4 = -3 C40
EARTH_J3 = -2.53265649e-6
EARTH_J4 = -1.61962159e-6

# IAU 2009 system (Luzum et al. 2011, Celest. Mech. Dyn. Astron. 110, 293): GM of the Sun; Moon over Earth
SUN_MU = 1.32712440041e20  # m3/s2
MOON_MU = 0.0123000371 * EARTH_MU

# IAU 2015 resolution B3: nominal irradiance of the Sun at 1 au, W/m2. Older books have 1367 and so 4.56e-6 N/m2
SUN_IRRADIANCE_W_M2 = 1361.0
SUN_PRESSURE_N_M2 = SUN_IRRADIANCE_W_M2 / LIGHT_M_S

NODE_S = 3600.0  # between exact positions of Sun and Moon; four of them make a cubic, good to 1 m (tested)
LOWEST_M = 100_000.0  # below this height a satellite that feels the air is on its way down


class Forces(NamedTuple):
    """What acts on a satellite besides the attraction of a point Earth."""

    j2: bool = True
    j3: bool = False
    j4: bool = False
    drag: bool = False
    sun: bool = False  # its tide
    moon: bool = False
    solar_pressure: bool = False


J2_ONLY = Forces()
ALL = Forces(True, True, True, True, True, True, True)


class Surface(NamedTuple):
    """How air and light grip a satellite: one number for all, or one per satellite.

    Area over mass 0.01 m2/kg is notional, of the order of small low-orbit satellites, and swings by several
    times with attitude and panels. Cd 2.2 is the usual round figure for compact bodies in free molecular flow
    (Vallado, section 8.6.2). Reflection 1 absorbs all, 2 is a mirror facing the Sun; 1.3 is notional.
    """

    area_to_mass_m2_kg: Any = 0.01
    drag_coefficient: Any = 2.2
    reflection: Any = 1.3


class Surroundings(NamedTuple):
    """Where pole, Sun and Moon are: what a step of the integration must know beyond the state."""

    pole: Float64[Any, "3"]  # unit, GCRS
    first: Float64[Any, ""]  # time of the first node [s past the elements' epoch]
    sun: Float64[Any, "node 3"]  # from the Earth's centre, GCRS [m], every NODE_S
    moon: Float64[Any, "node 3"]
    drag_m2_kg: Float64[Any, "#sat 1"]  # Cd A / m
    light_m2_kg: Float64[Any, "#sat 1"]  # Cr A / m


def surroundings(
    forces: Forces,
    surface: Surface,
    pole: Float[np.ndarray, "3"],
    epoch: Epoch | None,
    t: Float[np.ndarray, "time"],
) -> Surroundings:
    """Gather what the forces need for a run over t [s past the epoch] and from there to the epoch.

    Sun and Moon: ERFA epv00 and moon98, geometric positions. Raises PhysicsError where they are asked for
    without an epoch, or where the surface is impossible.
    """
    for name, value, low, high in (
        ("area_to_mass_m2_kg", surface.area_to_mass_m2_kg, 0.0, 100.0),  # a sail of 10 g/m2 at the top
        ("drag_coefficient", surface.drag_coefficient, 0.0, 10.0),
        ("reflection", surface.reflection, 0.0, 2.0),
    ):
        wrong = [x for x in np.ravel(value) if not low <= x <= high]
        if wrong:
            raise PhysicsError(
                f"{name} of {wrong[0]:g} is impossible",
                where="surface of a satellite",
                remedy=f"use {min(max(low, float(wrong[0])), high):g}, or another from {low:g} to {high:g}",
            )
    lit = forces.sun or forces.moon or forces.solar_pressure
    if lit and epoch is None:
        raise PhysicsError(
            "Sun and Moon are nowhere without a date", remedy="give the epoch, or leave them out"
        )
    start, end = (float(min(t.min(), 0.0)), float(max(t.max(), 0.0))) if len(t) else (0.0, 0.0)
    first = start - NODE_S
    nodes = first + NODE_S * np.arange(int(np.ceil((end - first) / NODE_S)) + 3)
    if lit and epoch is not None:
        sun, moon = sun_position(epoch, nodes), moon_position(epoch, nodes)
    else:
        sun = moon = np.zeros((4, 3))  # one shape, so that one compiled program serves every span
    area = np.atleast_1d(np.asarray(surface.area_to_mass_m2_kg, np.float64))[:, None]
    return Surroundings(
        jnp.asarray(pole),
        jnp.asarray(first),
        jnp.asarray(sun),
        jnp.asarray(moon),
        jnp.asarray(area * np.reshape(surface.drag_coefficient, (-1, 1))),
        jnp.asarray(area * np.reshape(surface.reflection, (-1, 1))),
    )


def acceleration(
    forces: Forces,
    around: Surroundings,
    r: Float[Array, "*n 3"],
    v: Float[Array, "*n 3"],
    t: Float[Array, ""],
) -> Float64[Array, "*n 3"]:
    """Acceleration [m/s2] at GCRS position [m], velocity [m/s] and t [s past the elements' epoch]."""
    a = gravity_j2(r, around.pole) if forces.j2 else gravity_point(r)
    if forces.j3:
        a = a + zonal_j3(r, around.pole)
    if forces.j4:
        a = a + zonal_j4(r, around.pole)
    if forces.drag:
        a = a + drag(r, v, around.pole, around.drag_m2_kg)
    if forces.sun or forces.solar_pressure:
        sun = position_at(around.sun, around.first, t)
        if forces.sun:
            a = a + tide(r, sun, SUN_MU)
        if forces.solar_pressure:
            a = a + solar_pressure(r, sun, around.light_m2_kg)
    if forces.moon:
        a = a + tide(r, position_at(around.moon, around.first, t), MOON_MU)
    return a


def gravity_point(r: Float[Array, "*n 3"]) -> Float64[Array, "*n 3"]:
    """Acceleration [m/s2] of the point Earth."""
    r2 = jnp.sum(r * r, axis=-1, keepdims=True)
    return -EARTH_MU / (r2 * jnp.sqrt(r2)) * r


def gravity_j2(r: Float[Array, "*n 3"], pole: Float[Array, "3"]) -> Float64[Array, "*n 3"]:
    """Acceleration [m/s2] of point mass and J2 about a unit pole, inertial axes (Vallado, section 8.7)."""
    r2 = jnp.sum(r * r, axis=-1, keepdims=True)
    along = jnp.sum(r * pole, axis=-1, keepdims=True)
    point = EARTH_MU / (r2 * jnp.sqrt(r2))
    k = 1.5 * EARTH_J2 * EARTH_RADIUS_M**2 / r2
    return -point * (r * (1.0 + k * (1.0 - 5.0 * along * along / r2)) + 2.0 * k * along * pole)


def zonal_j3(r: Float[Array, "*n 3"], pole: Float[Array, "3"]) -> Float64[Array, "*n 3"]:
    """Acceleration [m/s2] of J3 about a unit pole.

    Of any zonal term: (mu J / r^2)(R/r)^n (P'_(n+1)(u) r/|r| - P'_n(u) pole), u the sine of the latitude, from
    the gradient of the potential and (n + 1) P_n + u P'_n = P'_(n+1).
    """
    u, radial, scale = _zonal(r, pole, EARTH_J3, 3)
    u2 = u * u
    return scale * ((17.5 * u2 - 7.5) * u * radial - (7.5 * u2 - 1.5) * pole)


def zonal_j4(r: Float[Array, "*n 3"], pole: Float[Array, "3"]) -> Float64[Array, "*n 3"]:
    """Acceleration [m/s2] of J4 about a unit pole."""
    u, radial, scale = _zonal(r, pole, EARTH_J4, 4)
    u2 = u * u
    return scale * (((39.375 * u2 - 26.25) * u2 + 1.875) * radial - (17.5 * u2 - 7.5) * u * pole)


def _zonal(r: jax.Array, pole: jax.Array, j: float, n: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    r2 = jnp.sum(r * r, axis=-1, keepdims=True)
    radius = jnp.sqrt(r2)
    radial = r / radius
    return (
        jnp.sum(radial * pole, axis=-1, keepdims=True),
        radial,
        EARTH_MU * j / r2 * (EARTH_RADIUS_M / radius) ** n,
    )


def drag(
    r: Float[Array, "*n 3"],
    v: Float[Array, "*n 3"],
    pole: Float[Array, "3"],
    drag_m2_kg: Float[Array, "*#m 1"],
) -> Float64[Array, "*n 3"]:
    """Acceleration [m/s2] of air that turns with the Earth: -rho Cd A / (2 m) |u| u.

    Density of the US Standard Atmosphere 1976 at the height above the ellipsoid about the pole.
    """
    along = jnp.sum(r * pole, axis=-1)
    across = jnp.sqrt(jnp.maximum(jnp.sum(r * r, axis=-1) - along * along, 0.0))
    height = height_itrs(jnp.stack([across, jnp.zeros_like(along), along], axis=-1))
    u = v - jnp.cross(EARTH_RATE_RAD_S * pole, r)
    return -0.5 * density(height)[..., None] * drag_m2_kg * jnp.linalg.norm(u, axis=-1, keepdims=True) * u


def tide(r: Float[Array, "*n 3"], body: Float[Array, "*#n 3"], mu: float) -> Float64[Array, "*n 3"]:
    """Acceleration [m/s2] towards a far body at a position from the Earth's centre, less the Earth's own."""
    to = body - r
    near = jnp.sum(to * to, axis=-1, keepdims=True)
    far = jnp.sum(body * body, axis=-1, keepdims=True)
    return mu * (to / (near * jnp.sqrt(near)) - body / (far * jnp.sqrt(far)))


def solar_pressure(
    r: Float[Array, "*n 3"], sun: Float[Array, "*#n 3"], light_m2_kg: Float[Array, "*#m 1"]
) -> Float64[Array, "*n 3"]:
    """Acceleration [m/s2] of sunlight on a sphere, away from the Sun, falling as the square of its distance."""
    away = r - sun
    d2 = jnp.sum(away * away, axis=-1, keepdims=True)
    lit = sunlit_fraction(r, sun)[..., None]
    return lit * SUN_PRESSURE_N_M2 * light_m2_kg * ASTRONOMICAL_UNIT_M**2 / (d2 * jnp.sqrt(d2)) * away


def sunlit_fraction(r: Float[Array, "*n 3"], sun: Float[Array, "*#n 3"]) -> Float64[Array, "*n"]:
    """Share of the Sun's disc that the Earth leaves in view: conical shadow of a sphere of the equatorial radius.

    Both discs are taken as flat (Montenbruck and Gill 2000, section 3.4.2). The flattening would shift the
    shadow's edge by up to 21 km, three seconds of flight, over the poles; refraction is left out.
    """
    to = sun - r
    distance = jnp.sqrt(jnp.sum(to * to, axis=-1))
    radius = jnp.sqrt(jnp.sum(r * r, axis=-1))
    a = SUN_RADIUS_M / distance  # their angular radii
    b = jnp.arcsin(jnp.minimum(EARTH_RADIUS_M / radius, 1.0))
    c = jnp.arctan2(jnp.linalg.norm(jnp.cross(to, -r), axis=-1), -jnp.sum(to * r, axis=-1))
    partly = (c < a + b) & (c > jnp.abs(b - a))
    # where one disc is wholly in or out of the other a harmless angle stands in, for the slopes' sake
    between = jnp.where(partly, c, b)
    x = (between * between + a * a - b * b) / (2.0 * between)
    y = jnp.sqrt(jnp.maximum(a * a - x * x, 1e-30))
    covered = a * a * jnp.arctan2(y, x) + b * b * jnp.arctan2(y, between - x) - between * y
    whole = jnp.where(c >= a + b, 1.0, jnp.where(b >= a, 0.0, 1.0 - (b / a) ** 2))
    return jnp.where(partly, 1.0 - covered / (jnp.pi * a * a), whole)


def position_at(
    nodes: Float[Array, "node 3"], first: Float[Array, ""], t: Float[Array, ""]
) -> Float64[Array, "3"]:
    """Position at t by the cubic through the four nodes about it (Lagrange)."""
    at = (t - first) / NODE_S
    k = jnp.clip(jnp.floor(at).astype(int), 1, len(nodes) - 3)
    x = at - k
    weights = jnp.stack(
        [
            -x * (x - 1.0) * (x - 2.0) / 6.0,
            (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0,
            -(x + 1.0) * x * (x - 2.0) / 2.0,
            (x + 1.0) * x * (x - 1.0) / 6.0,
        ]
    )
    return weights @ jax.lax.dynamic_slice_in_dim(nodes, k - 1, 4)

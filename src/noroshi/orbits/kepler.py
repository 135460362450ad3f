"""Two-body motion with the secular drift of J2: mean elements in, positions out (JAX)."""

from __future__ import annotations

import noroshi._jax  # noqa: F401  isort: skip

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Float64

from noroshi.constants import EARTH_J2, EARTH_MU, EARTH_RADIUS_M
from noroshi.orbits.elements import Elements


@jax.custom_jvp
def eccentric_anomaly(mean_anomaly: Float[Array, "*n"], e: Float[Array, "*n"]) -> Float64[Array, "*n"]:
    """Solve Kepler's equation M = E - e sin E for E [rad], 0 <= e < 1, any M.

    Starter from the cubic that Mikkola (1987, Celest. Mech. 40, 329, eqs. 7-9) puts in place of the sine,
    good to 0.002 rad, then two Newton steps. Residual below 3e-12 rad up to e = 0.97 (tested), one part in
    1e15 for the near-circular orbits of sensing layers.
    """
    turns = jnp.round(mean_anomaly / (2.0 * jnp.pi))
    m = mean_anomaly - 2.0 * jnp.pi * turns
    x = _start(m, e)
    for _ in range(2):
        x = x - (x - e * jnp.sin(x) - m) / (1.0 - e * jnp.cos(x))
    return x + 2.0 * jnp.pi * turns


@eccentric_anomaly.defjvp
def _eccentric_anomaly_jvp(primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    """By the implicit function: no derivative runs through the starter."""
    mean_anomaly, e = primals
    x = eccentric_anomaly(mean_anomaly, e)
    return x, (tangents[0] + jnp.sin(x) * tangents[1]) / (1.0 - e * jnp.cos(x))


def _start(m: jax.Array, e: jax.Array) -> jax.Array:
    scale = 4.0 * e + 0.5
    alpha = (1.0 - e) / scale
    beta = 0.5 * m / scale
    root = jnp.sqrt(beta * beta + alpha**3)
    z = jnp.cbrt(jnp.abs(beta) + root)
    s = z - alpha / z
    s = jnp.sign(m) * (s - 0.078 * s**5 / (1.0 + e))
    return m + e * (3.0 * s - 4.0 * s**3)


def secular_rates(elements: Elements) -> tuple[Array, Array, Array]:
    """Rates [rad/s] of node, perigee and mean anomaly: two-body, first-order J2 (Vallado, section 9.6.1)."""
    a, e, i = (jnp.asarray(x) for x in (elements.a, elements.e, elements.i))
    n = jnp.sqrt(EARTH_MU / a**3)
    k = 1.5 * n * EARTH_J2 * (EARTH_RADIUS_M / (a * (1.0 - e * e))) ** 2
    sin2 = jnp.sin(i) ** 2
    return (
        -k * jnp.cos(i),
        k * (2.0 - 2.5 * sin2),
        n + k * jnp.sqrt(1.0 - e * e) * (1.0 - 1.5 * sin2),
    )


def propagate_mean(
    elements: Elements, t: Float[np.ndarray, "time"]
) -> tuple[Float64[Array, "time sat 3"], Float64[Array, "time sat 3"]]:
    """Position [m] and its time derivative [m/s], GCRS, of mean elements at t [s after their epoch].

    Two-body motion whose node, perigee and mean anomaly drift as J2 makes them; short-period terms are left
    out. Against numerical integration over a day at 1000 km and 60 deg (tested) that is 1.4 km rms, 2.2 km at
    most, after all six mean elements are fitted; 4 to 11 km rms where they are held circular though the
    satellite set out on an osculating circle, whose mean eccentricity is 3e-4 to 7e-4. For coverage and layer
    design.

    The drift is about the GCRS z axis, off which the true pole moves by 20 arcsec a year, 0.15 deg in 2026:
    up to 8.2 km along the track in a day (tested), 60 m in a quarter of an hour.

    Circular orbits (every e exactly 0) advance the argument of latitude itself, with no Kepler iteration.
    """
    e = elements.e
    circular = not isinstance(e, Tracer) and not np.any(np.asarray(e))
    propagate = _circular if circular else _elliptic
    return propagate(Elements(*(jnp.asarray(x) for x in elements)), jnp.asarray(t, jnp.float64))


@jax.jit
def _circular(elements: Elements, t: jax.Array) -> tuple[jax.Array, jax.Array]:
    node, perigee, anomaly = secular_rates(elements)
    u = elements.argp + elements.mean_anomaly + (perigee + anomaly) * t[:, None]
    a = jnp.broadcast_to(elements.a, u.shape)
    raan = elements.raan + node * t[:, None]
    x, y = a * jnp.cos(u), a * jnp.sin(u)
    rate = perigee + anomaly
    return _to_gcrs(x, y, -rate * y, rate * x, elements.i, raan, node)


@jax.jit
def _elliptic(elements: Elements, t: jax.Array) -> tuple[jax.Array, jax.Array]:
    node, perigee, anomaly = secular_rates(elements)
    a, e = elements.a, elements.e
    at = t[:, None]
    big = eccentric_anomaly(elements.mean_anomaly + anomaly * at, jnp.broadcast_to(e, (len(t), len(e))))
    cos, sin = jnp.cos(big), jnp.sin(big)
    b = a * jnp.sqrt(1.0 - e * e)
    big_rate = anomaly / (1.0 - e * cos)
    x, y = a * (cos - e), b * sin
    vx, vy = -a * sin * big_rate, b * cos * big_rate
    argp = elements.argp + perigee * at
    c, s = jnp.cos(argp), jnp.sin(argp)
    x, y, vx, vy = c * x - s * y, s * x + c * y, c * vx - s * vy, s * vx + c * vy
    return _to_gcrs(x, y, vx - perigee * y, vy + perigee * x, elements.i, elements.raan + node * at, node)


def _to_gcrs(
    x: jax.Array,
    y: jax.Array,
    vx: jax.Array,
    vy: jax.Array,
    i: jax.Array,
    raan: jax.Array,
    node_rate: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """From axes in the orbit plane (x to the ascending node), the plane turning about z at node_rate."""
    co, so, ci, si = jnp.cos(raan), jnp.sin(raan), jnp.cos(i), jnp.sin(i)
    rx, ry, rz = co * x - so * ci * y, so * x + co * ci * y, si * y
    ux, uy, uz = co * vx - so * ci * vy, so * vx + co * ci * vy, si * vy
    r = jnp.stack([rx, ry, rz], axis=-1)
    return r, jnp.stack([ux - node_rate * ry, uy + node_rate * rx, uz], axis=-1)


@jax.jit
def osculating_state(elements: Elements) -> tuple[Float64[Array, "sat 3"], Float64[Array, "sat 3"]]:
    """Position [m] and velocity [m/s] of osculating elements at their epoch."""
    a, e, i, raan, argp, mean_anomaly = (jnp.asarray(x) for x in elements)
    big = eccentric_anomaly(mean_anomaly, e)
    cos, sin = jnp.cos(big), jnp.sin(big)
    b = a * jnp.sqrt(1.0 - e * e)
    big_rate = jnp.sqrt(EARTH_MU / a**3) / (1.0 - e * cos)
    x, y, vx, vy = a * (cos - e), b * sin, -a * sin * big_rate, b * cos * big_rate
    c, s = jnp.cos(argp), jnp.sin(argp)
    return _to_gcrs(
        c * x - s * y, s * x + c * y, c * vx - s * vy, s * vx + c * vy, i, raan, jnp.zeros_like(raan)
    )

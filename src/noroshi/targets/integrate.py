"""Motion of one body over the rotating Earth: fixed-step RK4 on the ITRS equations, in JAX.

Gravity with J2, Coriolis and centrifugal terms, still co-rotating air, drag, lift and thrust (the vector
equation of a body in a rotating frame; drag and lift as in Vinh, Busemann & Culp 1980). What switches -
thrust, lift, bank - is held over a step and changes on grid times only: a switch inside a step would make
the scheme first order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import noroshi._jax  # noqa: F401  (float64 before any array)

# isort: split
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Bool, Float, Float64, Int

from noroshi.constants import (
    EARTH_FLATTENING,
    EARTH_J2,
    EARTH_MEAN_RADIUS_M,
    EARTH_MU,
    EARTH_RADIUS_M,
    EARTH_RATE_RAD_S,
)
from noroshi.earth import enu_from_itrs, height_itrs
from noroshi.targets.atmosphere import density

CHUNK = 256  # steps per compiled call: one program for flights of any length
NEWTON = 4  # iterations on the height of impact


class Planet(NamedTuple):
    """The Earth to fly over. `EARTH` is the real one; `SPHERE` serves the closed forms."""

    j2: float
    rate_rad_s: float
    flattening: float  # 0: heights above a sphere of the radius
    radius_m: float
    density_factor: float


class Body(NamedTuple):
    """What acts on a body besides gravity and bare drag, constant over a flight; axes [flight] or scalars.

    Thrust acceleration thrust0 / (1 - mass_fraction t / boost_s), along the launch site's axes turned from
    the vertical by `tilt` radians towards east and north: tilt(t) = (tilt_en s + bulge_en b), s rising
    smoothly from 0 at vertical_s to 1 at boost_s, b = 16 x^2 (1 - x)^2 between them.
    """

    thrust0: Any  # m/s2, at launch
    tilt_east: Any  # rad, at burn-out
    tilt_north: Any
    bulge_east: Any  # rad, extra tilt half-way
    bulge_north: Any
    boost_s: Any
    vertical_s: Any
    mass_fraction: Any
    east: Any  # launch site's axes in the ITRS, [..., 3]
    north: Any
    up: Any
    drag: Any  # 1 / ballistic coefficient of the empty body [m2/kg]


class Controls(NamedTuple):
    """What is held over each step: thrust on (1 or 0), lift-to-drag ratio, bank to the right [rad]; [step]."""

    thrust: Float64[np.ndarray, "step"]
    lift_to_drag: Float64[np.ndarray, "step"]
    bank_rad: Float64[np.ndarray, "step"]


EARTH = Planet(EARTH_J2, EARTH_RATE_RAD_S, EARTH_FLATTENING, EARTH_RADIUS_M, 1.0)
SPHERE = Planet(0.0, 0.0, 0.0, EARTH_MEAN_RADIUS_M, 1.0)


def launch_axes(lat_rad: float, lon_rad: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """East, north and up of a launch site, ITRS."""
    east, north, up = enu_from_itrs(lat_rad, lon_rad)
    return east, north, up


def unpowered(drag: float) -> Body:
    """A body without thrust; drag = 1 / ballistic coefficient [m2/kg]."""
    zero = np.zeros(3)
    return Body(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, zero, zero, zero, drag)


def unpowered_batch(drag: float, count: int) -> Body:
    """`count` bodies without thrust, for `integrate`."""
    return Body(*(np.repeat(np.asarray(field)[None], count, 0) for field in unpowered(drag)))


def acceleration(
    t: Any,
    r: Float[jax.Array, "3"],
    v: Float[jax.Array, "3"],
    control: tuple[Any, Any, Any],
    body: Body,
    planet: Planet,
) -> Float[jax.Array, "3"]:
    """Acceleration in the ITRS [m/s2] at t [s after launch]; control = thrust, lift-to-drag, bank."""
    thrust, lift_to_drag, bank = control
    x, y, z = r[0], r[1], r[2]
    w = planet.rate_rad_s
    r2 = x * x + y * y + z * z
    radius = jnp.sqrt(r2)
    pull = -EARTH_MU / (r2 * radius)
    bulge = 1.5 * planet.j2 * EARTH_RADIUS_M**2 / r2
    zz = 5.0 * z * z / r2
    gx = pull * (1.0 + bulge * (1.0 - zz))
    gz = pull * (1.0 + bulge * (3.0 - zz))
    gravity = jnp.stack([gx * x + w * w * x + 2.0 * w * v[1], gx * y + w * w * y - 2.0 * w * v[0], gz * z])

    rho = planet.density_factor * density(_height(r, planet))
    speed = jnp.sqrt(v @ v)
    used = body.mass_fraction * jnp.clip(t / body.boost_s, 0.0, 1.0)
    # the shape stays, the mass shrinks: m/(Cd A) reaches that of the empty body at burn-out
    drag = body.drag * (1.0 - body.mass_fraction) / (1.0 - used)
    pressure = 0.5 * rho * speed * drag  # drag acceleration per unit of velocity
    along = v / jnp.maximum(speed, 1e-3)
    lift_up = r - (r @ along) * along
    lift_up = lift_up / jnp.maximum(jnp.sqrt(lift_up @ lift_up), 1e-3)
    side = jnp.cross(along, lift_up)
    lift = lift_to_drag * pressure * speed * (jnp.cos(bank) * lift_up + jnp.sin(bank) * side)
    return gravity - pressure * v + lift + thrust * body.thrust0 / (1.0 - used) * _pointing(t, body)


def _height(r: Any, planet: Planet) -> Any:
    """Above the ellipsoid, or above the sphere where the planet has no flattening."""
    sphere = jnp.sqrt(jnp.sum(r * r, axis=-1)) - planet.radius_m
    return jnp.where(planet.flattening == 0.0, sphere, height_itrs(r))


def _pointing(t: Any, body: Body) -> Any:
    """Direction of thrust, unit vector, ITRS."""
    x = jnp.clip((t - body.vertical_s) / (body.boost_s - body.vertical_s), 0.0, 1.0)
    rise = x * x * (3.0 - 2.0 * x)  # no rate at either end
    hump = 16.0 * (x * (1.0 - x)) ** 2
    east = body.tilt_east * rise + body.bulge_east * hump
    north = body.tilt_north * rise + body.bulge_north * hump
    tilt2 = east * east + north * north
    tilt = jnp.sqrt(jnp.maximum(tilt2, 1e-24))
    level = jnp.sin(tilt) / tilt
    return jnp.cos(tilt) * body.up + level * (east * body.east + north * body.north)


def _step(t: Any, s: Any, h: Any, control: Any, body: Body, planet: Planet) -> Any:
    """One RK4 step of the state s = (r, v)."""

    def rate(time: Any, state: Any) -> Any:
        return jnp.concatenate([state[3:], acceleration(time, state[:3], state[3:], control, body, planet)])

    k1 = rate(t, s)
    k2 = rate(t + 0.5 * h, s + 0.5 * h * k1)
    k3 = rate(t + 0.5 * h, s + 0.5 * h * k2)
    k4 = rate(t + h, s + h * k3)
    return s + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def _path(s: Any, t: Any, h: Any, controls: Controls, body: Body, planet: Planet) -> Any:
    def step(carry: Any, control: Any) -> tuple[Any, Any]:
        k, state = carry
        state = _step(t + k * h, state, h, control, body, planet)
        return (k + 1.0, state), state

    return lax.scan(step, (0.0, s), tuple(controls))[1]


def _touch(s: Any, t: Any, h: Any, control: Any, body: Body, planet: Planet) -> Any:
    """Partial step to height 0: its length and the state there.

    Newton on the height, whose rate is the climb of the state reached. The loop holds one step only: that
    compiles in a second.
    """

    def newton(_: Any, carry: Any) -> Any:
        tau, _, correction = carry
        tau = jnp.clip(tau + correction, -h, 2.0 * h)
        reached = _step(t, s, tau, control, body, planet)
        climb = reached[3:] @ _vertical(reached[:3], planet)
        return tau, reached, -_height(reached[:3], planet) / jnp.minimum(climb, -1e-3)

    tau, reached, _ = lax.fori_loop(0, NEWTON + 1, newton, (0.0 * h, s, 0.5 * h))
    return tau, reached


def _vertical(r: Any, planet: Planet) -> Any:
    """Unit normal of the surface, near the ground."""
    n = r * jnp.array([1.0, 1.0, (1.0 - planet.flattening) ** -2])
    return n / jnp.sqrt(n @ n)


# for kernels of other modules that keep less than a path
step, touch, height_of = _step, _touch, _height

_paths = jax.jit(jax.vmap(_path, in_axes=(0, None, None, None, 0, None)))
_touches = jax.jit(jax.vmap(_touch, in_axes=(0, 0, None, 0, 0, None)))


class Arc(NamedTuple):
    """Flights over a uniform grid until each is down; batch first.

    `steps`: index of each flight's last grid time above ground; the states after it mean nothing. `t_end`, `end`:
    the impact, nan where still flying.
    """

    t: Float64[np.ndarray, "time"]
    states: Float64[np.ndarray, "flight time 6"]
    steps: Int[np.ndarray, "flight"]
    t_end: Float64[np.ndarray, "flight"]
    end: Float64[np.ndarray, "flight 6"]
    down: Bool[np.ndarray, "flight"]


def integrate(
    states: Float[np.ndarray, "flight 6"],
    t_start: float,
    step_s: float,
    controls: Controls,
    bodies: Body,
    planet: Planet = EARTH,
    *,
    free_after_s: float = 0.0,
) -> Arc:
    """Fly a batch (ITRS position and velocity relative to the Earth) until all are down or the controls end.

    Bodies' fields have a leading flight axis; controls are common. Ground ends a flight after `free_after_s` only,
    so that a launch pad does not.
    """
    count = len(controls.thrust)
    states = np.asarray(states, np.float64)
    t = t_start + step_s * np.arange(count + 1)
    out = np.empty((len(states), count + 1, 6))
    out[:, 0] = states
    at, stop = 0, count
    landed = np.zeros(len(states), bool)
    while at < count:
        held = min(CHUNK, count - at)
        part = Controls(*(np.resize(np.append(c[at : at + held], np.zeros(CHUNK)), CHUNK) for c in controls))
        path = np.asarray(_paths(out[:, at], t[at], step_s, part, bodies, planet))
        out[:, at + 1 : at + held + 1] = path[:, :held]
        free = t[at + 1 : at + held + 1] > free_after_s
        landed |= ((height(path[:, :held, :3], planet) < 0.0) & free).any(axis=1)
        landed |= ~np.isfinite(path[:, held - 1]).all(axis=1)
        at += held
        if landed.all():
            stop = at
            break
    t, out = t[: stop + 1], out[:, : stop + 1]
    below = (height(out[..., :3], planet) < 0.0) & (t > free_after_s)
    down = np.any(below, axis=1)
    steps = np.where(down, np.argmax(below, axis=1) - 1, stop)
    rows = np.arange(len(out))
    last = np.clip(steps, 0, max(stop - 1, 0))
    tau, end = _touches(
        out[rows, last], t[last], step_s, tuple(np.asarray(c)[last] for c in controls), bodies, planet
    )
    t_end = np.where(down, t[last] + np.asarray(tau), np.nan)
    return Arc(t, out, steps, t_end, np.where(down[:, None], np.asarray(end), np.nan), down)


def height(r: Float[np.ndarray, "*n 3"], planet: Planet = EARTH) -> Float64[np.ndarray, "*n"]:
    """Height above the planet's surface [m], NumPy."""
    if planet.flattening == 0.0:
        return np.sqrt(np.sum(r * r, axis=-1)) - planet.radius_m
    with np.errstate(invalid="ignore", over="ignore"):
        return height_itrs(r)


def coast_controls(steps: int) -> Controls:
    """No thrust and no lift for a number of steps."""
    zero = np.zeros(steps)
    return Controls(zero, zero, zero)

"""Motion of bodies over the rotating Earth: fixed-step RK4 on the ITRS equations, in JAX.

Gravity with J2, Coriolis and centrifugal terms, still co-rotating air, drag, lift and thrust (the vector
equation of a body in a rotating frame; drag and lift as in Vinh, Busemann & Culp 1980). What switches -
thrust, lift, bank - is held over a step and changes on grid times only: a switch inside a step would make
the scheme first order.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import noroshi._jax  # noqa: F401  (float64 before any array)

# isort: split
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Bool, Float, Float64, Int

from noroshi.atmosphere import smooth_density
from noroshi.constants import (
    EARTH_FLATTENING,
    EARTH_J2,
    EARTH_MEAN_RADIUS_M,
    EARTH_MU,
    EARTH_RADIUS_M,
    EARTH_RATE_RAD_S,
)
from noroshi.earth import enu_from_itrs, height_itrs
from noroshi.errors import FlightError

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
    """What is held over each step: thrust on (1 or 0), lift-to-drag ratio, bank to the right [rad].

    One for all flights [step], or each flight's own [step, flight].
    """

    thrust: Float64[np.ndarray, "step *flight"]
    lift_to_drag: Float64[np.ndarray, "step *flight"]
    bank_rad: Float64[np.ndarray, "step *flight"]


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
    r: Float[jax.Array, "3 *flight"],
    v: Float[jax.Array, "3 *flight"],
    control: tuple[Any, Any, Any],
    body: Body,
    planet: Planet,
    *,
    powered: bool = True,
) -> Float[jax.Array, "3 *flight"]:
    """Acceleration in the ITRS [m/s2] at t [s after launch]; control = thrust, lift-to-drag, bank.

    Components first, flights last: every operation then runs over all flights at once. `powered`: whether
    thrust is worked out at all.
    """
    return jnp.stack(_acceleration(t, tuple(r), tuple(v), control, body, planet, powered)[0])


def _acceleration(
    t: Any, r: Any, v: Any, control: tuple[Any, Any, Any], body: Body, planet: Planet, powered: bool
) -> tuple[tuple[Any, Any, Any], Any]:
    """Acceleration by component, and the height [m]."""
    thrust, lift_to_drag, bank = control
    x, y, z = r
    vx, vy, vz = v
    w = planet.rate_rad_s
    r2 = x * x + y * y + z * z
    radius = jnp.sqrt(r2)
    pull = -EARTH_MU / (r2 * radius)
    bulge = 1.5 * planet.j2 * EARTH_RADIUS_M**2 / r2
    zz = 5.0 * z * z / r2
    level = pull * (1.0 + bulge * (1.0 - zz)) + w * w
    ax = level * x + 2.0 * w * vy
    ay = level * y - 2.0 * w * vx
    az = pull * (1.0 + bulge * (3.0 - zz)) * z

    height = _height(x, y, z, radius, planet)
    rho = planet.density_factor * smooth_density(height)
    speed = jnp.sqrt(vx * vx + vy * vy + vz * vz)
    drag = body.drag
    if powered:
        used = body.mass_fraction * jnp.clip(t / body.boost_s, 0.0, 1.0)
        # the shape stays, the mass shrinks: m/(Cd A) reaches that of the empty body at burn-out
        drag = drag * (1.0 - body.mass_fraction) / (1.0 - used)
    pressure = 0.5 * rho * speed * drag  # drag acceleration per unit of velocity
    along = 1.0 / jnp.maximum(speed, 1e-3)
    nx, ny, nz = vx * along, vy * along, vz * along
    # lift: up is the part of the radius across the velocity, the side is along x up
    rn = x * nx + y * ny + z * nz
    ux, uy, uz = x - rn * nx, y - rn * ny, z - rn * nz
    length = 1.0 / jnp.maximum(jnp.sqrt(ux * ux + uy * uy + uz * uz), 1e-3)
    ux, uy, uz = ux * length, uy * length, uz * length
    lift = lift_to_drag * pressure * speed
    up, side = lift * jnp.cos(bank), lift * jnp.sin(bank)
    ax = ax - pressure * vx + up * ux + side * (ny * uz - nz * uy)
    ay = ay - pressure * vy + up * uy + side * (nz * ux - nx * uz)
    az = az - pressure * vz + up * uz + side * (nx * uy - ny * ux)
    if powered:
        push = thrust * body.thrust0 / (1.0 - used)
        px, py, pz = _pointing(t, body)
        ax, ay, az = ax + push * px, ay + push * py, az + push * pz
    return (ax, ay, az), height


def _height(x: Any, y: Any, z: Any, radius: Any, planet: Planet) -> Any:
    """Above the ellipsoid, or above the sphere where the planet has no flattening."""
    ellipsoid = height_itrs(jnp.stack([x, y, z], axis=-1))
    return jnp.where(planet.flattening == 0.0, radius - planet.radius_m, ellipsoid)


def _pointing(t: Any, body: Body) -> tuple[Any, Any, Any]:
    """Direction of thrust, unit vector, ITRS, by component."""
    x = jnp.clip((t - body.vertical_s) / (body.boost_s - body.vertical_s), 0.0, 1.0)
    rise = x * x * (3.0 - 2.0 * x)  # no rate at either end
    hump = 16.0 * (x * (1.0 - x)) ** 2
    east = body.tilt_east * rise + body.bulge_east * hump
    north = body.tilt_north * rise + body.bulge_north * hump
    tilt = jnp.sqrt(jnp.maximum(east * east + north * north, 1e-24))
    level, up = jnp.sin(tilt) / tilt, jnp.cos(tilt)

    def component(k: int) -> Any:
        return up * body.up[..., k] + level * (east * body.east[..., k] + north * body.north[..., k])

    return component(0), component(1), component(2)


State = tuple[Any, Any, Any, Any, Any, Any]  # position and velocity by component


def _step(
    t: Any, s: State, h: Any, control: Any, body: Body, planet: Planet, powered: bool
) -> tuple[State, Any]:
    """One RK4 step; the state after it and the height before it."""

    def rate(time: Any, state: State) -> tuple[State, Any]:
        a, height = _acceleration(time, state[:3], state[3:], control, body, planet, powered)
        return (*state[3:], *a), height

    def moved(by: Any, k: State) -> State:
        return tuple(x + by * dx for x, dx in zip(s, k, strict=True))  # type: ignore[return-value]

    k1, height = rate(t, s)
    k2, _ = rate(t + 0.5 * h, moved(0.5 * h, k1))
    k3, _ = rate(t + 0.5 * h, moved(0.5 * h, k2))
    k4, _ = rate(t + h, moved(h, k3))
    after = tuple(
        x + h / 6.0 * (a + 2.0 * b + 2.0 * c + d) for x, a, b, c, d in zip(s, k1, k2, k3, k4, strict=True)
    )
    return after, height  # type: ignore[return-value]


@partial(jax.jit, static_argnames="powered")
def _paths(
    s: Any, t: Any, h: Any, controls: Controls, body: Body, planet: Planet, powered: bool
) -> tuple[Any, Any]:
    """States after each step [flight, step, 6] and heights before each [flight, step], from s [flight, 6]."""

    def step(carry: Any, control: Any) -> tuple[Any, Any]:
        k, state = carry
        state, height = _step(t + k * h, state, h, control, body, planet, powered)
        return (k + 1.0, state), (state, height)

    columns = tuple(s[:, k] for k in range(6))
    _, (path, heights) = lax.scan(step, (0.0, columns), tuple(controls))
    return jnp.stack(path, axis=-1).swapaxes(0, 1), heights.T


@partial(jax.jit, static_argnames="powered")
def _touches(
    s: Any, t: Any, h: Any, control: Any, body: Body, planet: Planet, powered: bool
) -> tuple[Any, Any]:
    """Partial steps to height 0 from s [flight, 6]: their lengths and the states there.

    Newton on the height, whose rate is the climb of the state reached. The loop holds one step only: that
    compiles in a second.
    """
    start = tuple(s[:, k] for k in range(6))

    def newton(_: Any, carry: Any) -> Any:
        tau, _, correction = carry
        tau = jnp.clip(tau + correction, -h, 2.0 * h)
        reached, _ = _step(t, start, tau, control, body, planet, powered)
        x, y, z, vx, vy, vz = reached
        nz = z * (1.0 - planet.flattening) ** -2  # normal of the surface, near the ground
        climb = (vx * x + vy * y + vz * nz) / jnp.sqrt(x * x + y * y + nz * nz)
        above = _height(x, y, z, jnp.sqrt(x * x + y * y + z * z), planet)
        return tau, reached, -above / jnp.minimum(climb, -1e-3)

    zero = jnp.zeros_like(start[0])
    tau, reached, _ = lax.fori_loop(0, NEWTON + 1, newton, (zero, start, zero + 0.5 * h))
    return tau, jnp.stack(reached, axis=-1)


def step(t: Any, s: Any, h: Any, control: tuple[Any, Any, Any], body: Body, planet: Planet) -> Any:
    """One RK4 step of one powered flight s [6], for kernels that keep less than a path."""
    return jnp.stack(_step(t, tuple(s), h, control, body, planet, True)[0])


def touch(
    s: Any, t: Any, h: Any, control: tuple[Any, Any, Any], body: Body, planet: Planet
) -> tuple[Any, Any]:
    """Partial step of one flight s [6] to height 0: its length and the state there."""
    tau, end = _touches(s[None], t, h, control, body, planet, True)
    return tau[0], end[0]


def height_of(r: Float[jax.Array, "3"], planet: Planet) -> Any:
    """Height above the planet's surface [m], JAX."""
    x, y, z = r
    return _height(x, y, z, jnp.sqrt(x * x + y * y + z * z), planet)


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

    Bodies' fields have a leading flight axis; controls are common [step] or each flight's own [step, flight],
    and so may be the planet's density factor [flight]. Ground ends a flight after `free_after_s` only, so that a
    launch pad does not. A thousand flights are one call: see docs/theory/targets.md for its cost.
    """
    count = len(controls.thrust)
    states = np.asarray(states, np.float64)
    powered = bool(np.any(controls.thrust))
    if states.ndim != 2 or states.shape[1] != 6 or not count:
        raise FlightError(
            f"states of shape {states.shape} and {count} steps are no flights",
            remedy="give [flight, 6] and one step at least",
        )
    if not (np.isfinite(states).all() and step_s > 0.0 and all(np.isfinite(c).all() for c in controls)):
        raise FlightError(
            "a state or a control is not a number, or the step is not positive",
            remedy="give metres, m/s and radians, all finite; 1 s is the usual step",
        )
    t = t_start + step_s * np.arange(count + 1)
    path, heights = [states[:, None]], []
    landed = np.zeros(len(states), bool)
    at = 0
    while at < count:
        held = min(CHUNK, count - at)
        part = Controls(*(_chunk(c, at, held) for c in controls))
        after, above = _paths(path[-1][:, -1], t[at], step_s, part, bodies, planet, powered)
        path.append(np.asarray(after)[:, :held])
        heights.append(np.asarray(above)[:, :held])
        free = t[at : at + held] > free_after_s
        landed |= ((heights[-1] < 0.0) & free).any(axis=1) | ~np.isfinite(path[-1][:, -1]).all(axis=1)
        at += held
        if landed.all():
            break
    stop = at
    t, out = t[: stop + 1], np.concatenate(path, axis=1)
    heights.append(height(out[:, -1:, :3], planet))
    below = (np.concatenate(heights, axis=1) < 0.0) & (t > free_after_s)
    down = np.any(below, axis=1)
    steps = np.where(down, np.argmax(below, axis=1) - 1, stop)
    rows = np.arange(len(out))
    last = np.clip(steps, 0, max(stop - 1, 0))
    held_last = tuple(c[last] if c.ndim == 1 else c[last, rows] for c in map(np.asarray, controls))
    tau, end = _touches(out[rows, last], t[last], step_s, held_last, bodies, planet, powered)
    t_end = np.where(down, t[last] + np.asarray(tau), np.nan)
    return Arc(t, out, steps, t_end, np.where(down[:, None], np.asarray(end), np.nan), down)


def _chunk(control: np.ndarray, at: int, held: int) -> np.ndarray:
    """A chunk of a control, its end repeated: one compiled program serves flights of any length."""
    part = np.asarray(control, np.float64)[at : at + held]
    return part if held == CHUNK else np.concatenate([part, np.repeat(part[-1:], CHUNK - held, axis=0)])


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

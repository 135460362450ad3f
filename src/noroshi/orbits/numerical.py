"""Numerical orbits: RK4 under the forces that are asked for, osculating elements in (JAX)."""

from __future__ import annotations

import noroshi._jax  # noqa: F401  isort: skip

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from noroshi.constants import EARTH_MU
from noroshi.earth import height_itrs
from noroshi.errors import PhysicsError
from noroshi.orbits.elements import Elements
from noroshi.orbits.forces import J2_ONLY, LOWEST_M, Forces, Surface, Surroundings, acceleration, surroundings
from noroshi.orbits.kepler import osculating_state
from noroshi.time import Epoch

STEP_RAD = 0.005  # of travel at perigee: 5 s at 1000 km; a day there is then good to 2 cm (tested)
Z_AXIS = np.array([0.0, 0.0, 1.0])


def propagate_osculating(
    elements: Elements,
    t: Float[np.ndarray, "time"],
    pole: Float[np.ndarray, "3"] = Z_AXIS,
    step_rad: float = STEP_RAD,
    forces: Forces = J2_ONLY,
    epoch: Epoch | None = None,
    surface: Surface = Surface(),  # noqa: B008  a plain tuple
    names: Sequence[str] = (),
) -> tuple[Float64[Array, "time sat 3"], Float64[Array, "time sat 3"]]:
    """Position [m] and velocity [m/s], GCRS, of osculating elements at rising t [s after their epoch].

    RK4 from the elements' epoch, in equal steps between the given times, none longer than `step_rad` of
    travel at the fastest perigee. `pole`: the Earth's pole in the GCRS, whose bulge pulls, held over the run;
    leaving it at the z axis in 2026 (0.15 deg off) costs up to 8.2 km in a day at 1000 km altitude and 60 deg
    of inclination (tested). `forces` beyond J2 and their `surface`: see `orbits.forces`; Sun, Moon and sunlight
    need the `epoch`. Raises PhysicsError where drag brings a satellite below 100 km, by its name
    if `names` are given.
    """
    t = np.asarray(t, np.float64)
    r, v = osculating_state(Elements(*(jnp.asarray(x) for x in elements)))
    perigee = np.asarray(elements.a) * (1.0 - np.asarray(elements.e))
    rate = np.sqrt(EARTH_MU * (1.0 + np.asarray(elements.e)) / perigee**3)
    longest = step_rad / float(rate.max()) if len(perigee) else np.inf
    around = surroundings(forces, surface, pole, epoch, t)
    if not len(t) or not len(perigee):
        empty = jnp.zeros((len(t), len(perigee), 3))
        return empty, empty

    def steps(interval: float) -> int:
        return max(1, int(np.ceil(abs(interval) / longest)))

    start = jnp.asarray(t[0])
    if t[0]:
        r, v = _advance(forces, r, v, jnp.zeros(()), start, around, steps(t[0]))
    intervals = np.diff(t)
    r, v = _record(forces, r, v, start, jnp.asarray(intervals), around, steps(intervals.max(initial=0.0)))
    if forces.drag:
        _refuse_decay(np.asarray(r), t, names)
    return r, v


def _refuse_decay(r: np.ndarray, t: np.ndarray, names: Sequence[str]) -> None:
    # the heights of the GCRS z axis are off by 0.1 km at most; not a number, too, is one that fell through
    low = ~(height_itrs(r) > LOWEST_M)
    if low.any():
        at, satellite = np.argwhere(low)[0]
        raise PhysicsError(
            f"drag brings it below {LOWEST_M / 1e3:g} km within {t[at]:.0f} s",
            where=f"satellite {names[satellite] if names else satellite + 1}",
            remedy="raise the orbit, use a smaller area over mass, or end before",
        )


def _rk4_step(
    forces: Forces, r: jax.Array, v: jax.Array, t: jax.Array, h: jax.Array, around: Surroundings
) -> tuple[jax.Array, jax.Array]:
    """One classical Runge-Kutta step of length h [s]."""
    a1 = acceleration(forces, around, r, v, t)
    v2 = v + 0.5 * h * a1
    a2 = acceleration(forces, around, r + 0.5 * h * v, v2, t + 0.5 * h)
    v3 = v + 0.5 * h * a2
    a3 = acceleration(forces, around, r + 0.5 * h * v2, v3, t + 0.5 * h)
    v4 = v + h * a3
    a4 = acceleration(forces, around, r + h * v3, v4, t + h)
    return r + h / 6.0 * (v + 2.0 * v2 + 2.0 * v3 + v4), v + h / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)


@partial(jax.jit, static_argnames=("forces", "substeps"))
def _advance(
    forces: Forces,
    r: jax.Array,
    v: jax.Array,
    t: jax.Array,
    interval: jax.Array,
    around: Surroundings,
    substeps: int,
) -> tuple[jax.Array, jax.Array]:
    h = interval / substeps
    return jax.lax.fori_loop(
        0, substeps, lambda k, state: _rk4_step(forces, state[0], state[1], t + k * h, h, around), (r, v)
    )


@partial(jax.jit, static_argnames=("forces", "substeps"))
def _record(
    forces: Forces,
    r: jax.Array,
    v: jax.Array,
    t: jax.Array,
    intervals: jax.Array,
    around: Surroundings,
    substeps: int,
) -> tuple[jax.Array, jax.Array]:
    def forward(state: tuple[jax.Array, jax.Array, jax.Array], interval: jax.Array):
        r, v, t = state
        r, v = _advance(forces, r, v, t, interval, around, substeps)
        return (r, v, t + interval), (r, v)

    _, (later_r, later_v) = jax.lax.scan(forward, (r, v, t), intervals)
    return jnp.concatenate([r[None], later_r]), jnp.concatenate([v[None], later_v])

"""A booster of several stages, flown as stated: thrust, propellant, dropped masses, coasts, a pitch programme.

Same equation of motion as `targets.integrate`. Ignition, burn-out, staging and the knots of the pitch table split
the integration steps, so that nothing switches inside one and the scheme keeps its fourth order.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any, NamedTuple

import noroshi._jax  # noqa: F401  (float64 before any array)

# isort: split
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float64

from noroshi.constants import EARTH_MU, GRAVITY_M_S2
from noroshi.earth import itrs_from_geodetic
from noroshi.errors import FlightError, PhysicsError
from noroshi.tables import Phase
from noroshi.targets import boost
from noroshi.targets.integrate import (
    EARTH,
    Planet,
    acceleration,
    coast_controls,
    height,
    integrate,
    launch_axes,
    unpowered,
    unpowered_batch,
)
from noroshi.targets.launch import REENTRY_M
from noroshi.targets.models import Stage, StagedFlight, Trajectory

PAD = 256  # steps of one compiled program are a multiple of this
LONGEST_S = 4.0 * 3600.0  # of a free flight: 20,000 km of apogee take 3.5 h


class Burn(NamedTuple):
    """When a stage burns [s after launch], and the whole mass before and after [kg], its inert mass not yet dropped."""

    ignition_s: float
    burnout_s: float
    mass_start_kg: float
    mass_end_kg: float


class Ascent(NamedTuple):
    """The powered part on its own steps, uneven where events split them."""

    t: Float64[np.ndarray, "step"]
    states: Float64[np.ndarray, "step 6"]  # ITRS, velocity relative to the Earth
    mass_kg: Float64[np.ndarray, "step"]  # just before anything is dropped at that time


def burns(stages: Sequence[Stage], payload_kg: float) -> tuple[Burn, ...]:
    """Times and masses of every stage. Raises PhysicsError for figures that no stage has."""
    if not stages:
        raise PhysicsError("a booster has one stage at least", remedy="give [[targets.stages]]")
    if not payload_kg > 0.0:
        raise PhysicsError(f"a payload of {payload_kg:g} kg is none", remedy="give payload_kg above 0")
    for n, stage in enumerate(stages, 1):
        if not (
            min(stage.thrust_n, stage.propellant_kg, stage.burn_s) > 0.0 <= min(stage.inert_kg, stage.coast_s)
        ):
            raise PhysicsError(
                f"stage {n} has a thrust, propellant or burn that is not positive, or a negative mass or coast",
                remedy="thrust_kn, propellant_kg and burn_s are above 0, inert_kg and coast_s not below it",
            )
    t, mass = 0.0, payload_kg + sum(s.propellant_kg + s.inert_kg for s in stages)
    found = []
    for stage in stages:
        t += stage.coast_s
        found.append(Burn(t, t + stage.burn_s, mass, mass - stage.propellant_kg))
        t += stage.burn_s
        mass -= stage.propellant_kg + stage.inert_kg
    return tuple(found)


def ideal_delta_v(stages: Sequence[Stage], payload_kg: float) -> float:
    """Speed without gravity and air [m/s], by the rocket equation (Tsiolkovsky), stage by stage."""
    return sum(
        stage.thrust_n * stage.burn_s / stage.propellant_kg * log(b.mass_start_kg / b.mass_end_kg)
        for stage, b in zip(stages, burns(stages, payload_kg), strict=True)
    )


def fly(flight: StagedFlight, step_s: float) -> Trajectory:
    """The trajectory to the ground on a grid of `step_s`; phase BOOST while a stage burns.

    Raises PhysicsError for a booster that does not lift off or a pitch table out of order, FlightError for a flight
    that falls back while it burns, or does not come down.
    """
    fired = burns(flight.stages, flight.payload_kg)
    check(flight, step_s)
    end = fired[-1].burnout_s
    over = int(np.ceil(end / step_s - 1e-9))  # grid step that follows the last burn-out
    climb = ascend(flight, step_s / boost.inner_steps(step_s), over * step_s)
    low = int(np.argmin(height(climb.states[:, :3])))
    if not height(climb.states[low, :3]) > flight.launch_height_m - 1.0:
        raise FlightError(
            f"sinks below its launch site {climb.t[low]:.0f} s after launch",
            remedy="more thrust, a shorter coast or a later and smaller tilt would keep it up",
        )
    grid = step_s * np.arange(over + 1)
    at = np.searchsorted(climb.t, grid - 1e-9)
    inner = step_s / boost.inner_steps(step_s)
    energy = _energy(climb.states[at[-1]])
    if energy >= 0.0:
        raise FlightError("leaves the Earth", remedy="a heavier payload or less propellant brings it down")
    arc = integrate(
        np.tile(climb.states[at[-1]], (4, 1)),
        grid[-1],
        inner,
        coast_controls(int(LONGEST_S / inner)),
        unpowered_batch(1.0 / flight.ballistic_coefficient_kg_m2, 4),
        EARTH,
        free_after_s=end,
    )
    if not arc.down[0]:
        raise FlightError(
            f"is still up {LONGEST_S / 3600:g} h after burn-out: an orbit, or close to one",
            remedy="a heavier payload or less propellant brings it down",
        )
    each = boost.inner_steps(step_s)
    later = arc.states[0, each : int(arc.steps[0]) + 1 : each]
    states = np.concatenate([climb.states[at], later])
    t = step_s * np.arange(len(states))
    return Trajectory(
        t, states[:, :3], states[:, 3:], _phases(t, states, fired), float(arc.t_end[0]), arc.end[0, :3]
    )


def _energy(state: np.ndarray) -> float:
    """Specific energy in inertial axes; negative: bound."""
    spin = np.array([0.0, 0.0, EARTH.rate_rad_s])
    v = state[3:] + np.cross(spin, state[:3])
    return float(0.5 * v @ v - EARTH_MU / np.linalg.norm(state[:3]))


def check(flight: StagedFlight, step_s: float) -> None:
    """Refuse what needs no flight to be seen impossible; PhysicsError."""
    first = flight.stages[0]
    weight = GRAVITY_M_S2 * burns(flight.stages, flight.payload_kg)[0].mass_start_kg
    if first.coast_s > 0.0:
        raise PhysicsError("the first stage cannot coast on the pad", remedy="set its coast_s to 0")
    if first.thrust_n <= weight:
        raise PhysicsError(
            f"a thrust of {first.thrust_n / 1e3:g} kN does not lift a weight of {weight / 1e3:.0f} kN",
            remedy=f"the first stage needs more than {weight / 1e3:.0f} kN",
        )
    if not min(flight.drag_area_m2, flight.ballistic_coefficient_kg_m2) > 0.0 < step_s:
        raise PhysicsError(
            "drag area, ballistic coefficient and step are above 0",
            remedy="drag_area_m2 is Cd times the frontal area, 0.2 to 2 m2; re-entry bodies have 1,000 to 15,000 kg/m2",
        )
    pitch = flight.pitch
    knots = (pitch.vertical_s, *pitch.times_s)
    if (
        len(pitch.times_s) != len(pitch.tilt_rad)
        or pitch.vertical_s < 0.0
        or any(b <= a for a, b in itertools.pairwise(knots))
    ):
        raise PhysicsError(
            "the times of the pitch table do not follow the vertical rise in order",
            remedy="one tilt to each time, times increasing, the first after vertical_s",
        )


def ascend(flight: StagedFlight, step_s: float, until_s: float, planet: Planet = EARTH) -> Ascent:
    """From the pad to `until_s` in steps of at most `step_s`, split at every event."""
    fired = burns(flight.stages, flight.payload_kg)
    pitch = flight.pitch
    marks = [0.0, until_s, pitch.vertical_s, *pitch.times_s]
    marks += [x for b in fired for x in (b.ignition_s, b.burnout_s)]
    regular = step_s * np.arange(int(np.ceil(until_s / step_s - 1e-9)) + 1)
    t = np.unique(np.round(np.concatenate([regular, marks]), 9))
    t = t[t <= until_s + 1e-9]
    middle = 0.5 * (t[1:] + t[:-1])
    thrust, flow = np.zeros((2, len(middle)))
    mass = np.full(len(t), flight.payload_kg)
    for stage, b in reversed(list(zip(flight.stages, fired, strict=True))):
        before = t <= b.burnout_s + 1e-9
        used = stage.propellant_kg * np.clip((t - b.ignition_s) / stage.burn_s, 0.0, 1.0)
        mass = np.where(before, b.mass_start_kg - used, mass)
        on = (middle > b.ignition_s) & (middle < b.burnout_s)
        thrust[on], flow[on] = stage.thrust_n, stage.propellant_kg / stage.burn_s
    starts = np.where(_dropped(t[:-1], fired), _after(t[:-1], flight, fired), mass[:-1])
    knots = np.array([pitch.vertical_s, *pitch.times_s])
    tilts = np.array([0.0, *pitch.tilt_rad])
    tilt = np.interp(t, knots, tilts)
    follow = (middle > knots[-1]) if pitch.gravity_turn else np.zeros(len(middle), bool)
    released = middle > fired[-1].burnout_s
    # after the last burn-out the payload alone meets the air
    area = np.where(released, flight.payload_kg / flight.ballistic_coefficient_kg_m2, flight.drag_area_m2)
    rows = [
        t[:-1],
        np.diff(t),
        thrust,
        starts,
        flow,
        tilt[:-1],
        np.diff(tilt) / np.diff(t),
        follow.astype(float),
        area,
    ]
    padded = -len(middle) % PAD
    full = [np.concatenate([row, np.repeat(row[-1:], padded)]) for row in rows]
    full[1][len(middle) :] = 0.0  # steps without length
    start = np.concatenate(
        [
            itrs_from_geodetic(flight.launch_lat_rad, flight.launch_lon_rad, flight.launch_height_m),
            np.zeros(3),
        ]
    )
    east, north, up = launch_axes(flight.launch_lat_rad, flight.launch_lon_rad)
    level = np.sin(flight.azimuth_rad) * east + np.cos(flight.azimuth_rad) * north
    path = np.asarray(_climb(start, tuple(full), level, up, planet))
    return Ascent(t, np.concatenate([start[None], path[: len(middle)]]), mass)


def _dropped(t: np.ndarray, fired: Sequence[Burn]) -> np.ndarray:
    return np.isin(np.round(t, 9), np.round([b.burnout_s for b in fired], 9))


def _after(t: np.ndarray, flight: StagedFlight, fired: Sequence[Burn]) -> np.ndarray:
    """Mass just after the last burn-out that lies at or before each time."""
    out = np.zeros(len(t))
    for stage, b in zip(flight.stages, fired, strict=True):
        out = np.where(t >= b.burnout_s - 1e-9, b.mass_end_kg - stage.inert_kg, out)
    return out


def _climb(s0: Any, rows: Any, level: Any, up: Any, planet: Planet) -> Any:
    def one(s: Any, row: Any) -> Any:
        t0, h, thrust, mass0, flow, tilt0, turn, follow, area = row

        def rate(tau: Any, state: Any) -> Any:
            mass = mass0 - flow * tau
            tilt = tilt0 + turn * tau
            v = state[3:]
            along = v / jnp.maximum(jnp.sqrt(v @ v), 1e-3)
            fixed = jnp.cos(tilt) * up + jnp.sin(tilt) * level
            way = follow * along + (1.0 - follow) * fixed
            body = unpowered(0.0)._replace(drag=area / mass)
            pull = acceleration(t0 + tau, state[:3], v, (0.0, 0.0, 0.0), body, planet)
            return jnp.concatenate([v, pull + thrust / mass * way])

        k1 = rate(0.0, s)
        k2 = rate(0.5 * h, s + 0.5 * h * k1)
        k3 = rate(0.5 * h, s + 0.5 * h * k2)
        k4 = rate(h, s + h * k3)
        new = s + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        return new, new

    return lax.scan(one, s0, rows)[1]


_climb = jax.jit(_climb)


def _phases(t: np.ndarray, states: np.ndarray, fired: Sequence[Burn]) -> np.ndarray:
    down = (height(states[:, :3]) < REENTRY_M) & ((states[:, :3] * states[:, 3:]).sum(1) < 0.0)
    phase = np.where(down, Phase.REENTRY, Phase.COAST)
    for b in fired:
        phase = np.where((t >= b.ignition_s - 1e-9) & (t < b.burnout_s - 1e-9), Phase.BOOST, phase)
    return phase.astype(np.int8)

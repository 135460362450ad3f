"""Bank schedules that carry gliders over points of the ground: one constant bank per leg.

Leg by leg the bank is searched for whose path passes over the next point; it holds from the grid time at which
the last point was passed. What comes out is a plain bank schedule, flown like any other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from noroshi.earth import itrs_from_geodetic
from noroshi.errors import FlightError
from noroshi.targets.integrate import EARTH, Body, Controls, Planet, integrate

TRIES = 16  # banks flown at once; each round keeps the interval between two of them
ROUNDS = 4  # 90 deg / 15^4 = 0.002 deg: 100 m after 3000 km
AT_ONCE = 64  # flights per call of the integrator, times TRIES


class Legs(NamedTuple):
    """Solved legs of a batch; nan from the first point on that a flight cannot pass over."""

    bank_rad: Float64[np.ndarray, "flight leg"]
    t_s: Float64[
        np.ndarray, "flight leg+1"
    ]  # when each leg begins and the last ends, after the start, on the grid
    nearest_m: Float64[
        np.ndarray, "flight leg"
    ]  # least distance from the point over the ground, of all banks tried
    speed_m_s: Float64[np.ndarray, "flight leg"]  # there


def legs(
    states: Float[np.ndarray, "flight 6"],
    points_rad: Float[np.ndarray, "flight leg 2"],
    bodies: Body,
    lift_to_drag: Float[np.ndarray, "flight"],
    bank_limit_rad: Float[np.ndarray, "flight"],
    step_s: float,
    each: int,
    horizon_s: float,
    planet: Planet = EARTH,
    reach_m: float = 5_000.0,
) -> Legs:
    """Find each flight's legs from `states` (ITRS) over its points (latitude, longitude), in order.

    A leg is solved when its path passes the point within `reach_m`. Legs begin on the grid of `step_s`, which the
    integrator flies in `each` steps; each leg ends after `horizon_s` at the latest.
    """
    states = np.array(states, np.float64)
    if len(states) != len(points_rad):
        raise FlightError(
            f"{len(states)} flights have {len(points_rad)} rows of points",
            remedy="give each flight its own row",
        )
    if not (np.isfinite(states).all() and np.isfinite(points_rad).all()):
        raise FlightError(
            "a state or a point is not a number", remedy="give metres, m/s and radians, all finite"
        )
    flights, count = points_rad.shape[:2]
    found = Legs(*(np.full((flights, count + extra), np.nan) for extra in (0, 1, 0, 0)))
    found.t_s[:, 0] = 0.0
    factor = np.asarray(planet.density_factor)
    for first in range(0, flights, AT_ONCE):
        rows = np.arange(first, min(first + AT_ONCE, flights))
        for k in range(count):
            point = itrs_from_geodetic(points_rad[rows, k, 0], points_rad[rows, k, 1], 0.0)
            part = Body(*(np.asarray(field)[rows] for field in bodies))
            air = planet if factor.ndim == 0 else planet._replace(density_factor=factor[rows])
            leg = _leg(
                states[rows],
                point,
                part,
                lift_to_drag[rows],
                bank_limit_rad[rows],
                step_s,
                each,
                horizon_s,
                air,
            )
            found.nearest_m[rows, k], found.speed_m_s[rows, k] = leg.miss_m, leg.speed_m_s
            good = leg.miss_m <= reach_m
            found.bank_rad[rows, k] = np.where(good, leg.bank_rad, np.nan)
            found.t_s[rows, k + 1] = np.where(good, found.t_s[rows, k] + leg.passed_s, np.nan)
            states[rows] = leg.state
            rows = rows[good]
            if not len(rows):
                break
    return found


class _Leg(NamedTuple):
    bank_rad: np.ndarray
    miss_m: np.ndarray
    speed_m_s: np.ndarray
    passed_s: np.ndarray
    state: np.ndarray  # on the grid time nearest to the point


def _leg(
    states: np.ndarray,
    point: np.ndarray,
    bodies: Body,
    lift_to_drag: np.ndarray,
    limit: np.ndarray,
    step_s: float,
    each: int,
    horizon_s: float,
    planet: Planet,
) -> _Leg:
    flights = len(states)
    low, high = -limit, limit.copy()
    best = _Leg(
        np.zeros(flights), np.full(flights, np.inf), np.zeros(flights), np.zeros(flights), states.copy()
    )
    many = Body(*(np.repeat(np.asarray(field), TRIES, 0) for field in bodies))
    factor = np.asarray(planet.density_factor)
    if factor.ndim:
        planet = planet._replace(density_factor=np.repeat(factor, TRIES))
    steps = each * int(np.ceil(horizon_s / step_s))
    for _ in range(ROUNDS):
        share = np.linspace(0.0, 1.0, TRIES)
        bank = low[:, None] + (high - low)[:, None] * share
        held = Controls(
            np.zeros((steps, flights * TRIES)),
            np.tile(np.repeat(lift_to_drag, TRIES), (steps, 1)),
            np.tile(bank.ravel(), (steps, 1)),
        )
        arc = integrate(np.repeat(states, TRIES, 0), 0.0, step_s / each, held, many, planet)
        side, miss, at = _passing(arc.states[:, ::each], arc.steps // each, np.repeat(point, TRIES, 0))
        side, miss, at = (x.reshape(flights, TRIES) for x in (side, miss, at))
        rows = np.arange(flights)
        try_ = np.argmin(miss, axis=1)
        better = miss[rows, try_] < best.miss_m
        there = arc.states.reshape(flights, TRIES, *arc.states.shape[1:])[rows, try_, at[rows, try_] * each]
        best = _Leg(
            np.where(better, bank[rows, try_], best.bank_rad),
            np.where(better, miss[rows, try_], best.miss_m),
            np.where(better, np.linalg.norm(there[:, 3:], axis=1), best.speed_m_s),
            np.where(better, step_s * at[rows, try_], best.passed_s),
            np.where(better[:, None], there, best.state),
        )
        # between the nearest path and its neighbour on the other side of the point
        left, right = np.maximum(try_ - 1, 0), np.minimum(try_ + 1, TRIES - 1)
        crosses_left = np.sign(side[rows, left]) != np.sign(side[rows, try_])
        low = np.where(crosses_left, bank[rows, left], bank[rows, try_])
        high = np.where(crosses_left, bank[rows, try_], bank[rows, right])
    return best


def _passing(
    states: np.ndarray, last: np.ndarray, point: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Side of the point (positive: it lies to the right), distance over the ground [m], and grid index, when nearest.

    The distance is that between grid times: across the path where the point is passed, straight to it where the
    flight ends before.
    """
    r, v = states[..., :3], states[..., 3:]
    ground = np.linalg.norm(point, axis=-1)[:, None]
    up = r / np.linalg.norm(r, axis=-1, keepdims=True)
    away = ground * np.arccos(np.clip(np.einsum("ntc,nc->nt", up, point) / ground, -1.0, 1.0))
    away[np.arange(states.shape[1]) > last[:, None]] = np.inf
    at = np.argmin(away, axis=1)
    rows = np.arange(len(at))
    u, w = up[rows, at], v[rows, at]
    forward = w - np.sum(w * u, axis=-1, keepdims=True) * u
    forward /= np.linalg.norm(forward, axis=-1, keepdims=True)
    across = np.sum(point * np.cross(forward, u), axis=-1)
    nearest = away[rows, at]
    inside = (at > 0) & (at < last)
    return across, np.where(inside, np.minimum(nearest, np.abs(across)), nearest), at

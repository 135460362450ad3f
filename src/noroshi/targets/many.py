"""Many ballistic flights at once: batched Newton on their controls, one compiled program for all lanes.

The equations are those of `targets.ballistic`, which solves one flight; here only the outcome of a trial is kept
(apogee, impact, burn-out), not its path. Lanes are padded to powers of two, so that few programs are compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import noroshi._jax  # noqa: F401  (float64 before any array)

# isort: split
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float, Float64, Int

from noroshi.earth import enu_from_itrs, itrs_from_geodetic
from noroshi.errors import FlightError
from noroshi.targets import boost
from noroshi.targets.ellipse import free_flight
from noroshi.targets.integrate import CHUNK, EARTH, Body, Planet, height_of, step, touch
from noroshi.targets.launch import distance_of, guess, phases, site_of
from noroshi.targets.models import BallisticFlight, Trajectory

LANES_MIN = 32  # fewer share the program of 32: on a CPU they cost nearly the same
TOLERANCE_M = 0.01  # of apogee and impact together
GIVEN_UP_M = 1.0  # more is no solution
DIFFERENCES = np.array([1e-5, 1e-6, 1e-6])  # of thrust [m/s2] and tilt [rad]
LIMIT = np.array([5.0, 0.2, 0.2])  # largest change of one iteration


class Outcome(NamedTuple):
    """What becomes of flights with given controls; axes [flight]. nan where one does not come down in time."""

    apogee_m: Float64[np.ndarray, "flight"]
    t_end: Float64[np.ndarray, "flight"]
    r_end_itrs: Float64[np.ndarray, "flight 3"]
    burnout: Float64[np.ndarray, "flight 6"]  # ITRS position and velocity relative to the Earth
    lowest_m: Float64[np.ndarray, "flight"]  # least height until burn-out


class Solved(NamedTuple):
    """Controls of many flights and what becomes of them; axes [flight]."""

    unknowns: Float64[np.ndarray, "flight 3"]  # thrust at launch [m/s2], tilt to east and north [rad]
    miss_m: Float64[np.ndarray, "flight"]  # of apogee and impact together; inf where nothing flies
    fault: tuple[boost.Fault, ...]
    outcome: Outcome


class _Carry(NamedTuple):
    k: Any
    s: Any
    before: Any  # heights one step ago and now
    now: Any
    apogee: Any
    lowest: Any
    burnout: Any
    down: Any


def solve_controls(
    flights: Sequence[BallisticFlight],
    step_s: float,
    starts: Float[np.ndarray, "flight 3"] | None = None,
    planet: Planet = EARTH,
) -> Solved:
    """Thrust and tilt of every flight so that its apogee and impact are met, with what is wrong where they are not.

    `starts`: controls to begin from, of a neighbouring flight; otherwise a survey finds them. Raises FlightError
    for figures that no booster has; a flight that cannot be flown is not an error but a `fault`.
    """
    for flight in flights:
        boost.check(site_of(flight), step_s)
    if not flights:
        raise FlightError("no flights to solve", remedy="give one at least")
    inner = step_s / boost.inner_steps(step_s)
    away = np.array([distance_of(f) for f in flights])
    x = _guesses(flights, away) if starts is None else np.array(starts, np.float64)
    lanes = _lanes(flights, away, inner)
    goal = np.array([f.apogee_m for f in flights])
    aim, level = _impact(flights)
    many = len(flights)

    def residual(points: np.ndarray, who: np.ndarray) -> np.ndarray:
        """[flight, candidate, 3] of points [flight, candidate, 3]."""
        each = points.shape[1]
        out = _fly(points.reshape(-1, 3), np.repeat(who, each), lanes, inner, planet)
        off = (out.r_end_itrs.reshape(-1, each, 3) - aim[who, None]) @ level[who].transpose(0, 2, 1)
        return np.concatenate([(out.apogee_m.reshape(-1, each) - goal[who, None])[..., None], off], -1)

    x, miss = _newton(residual, x, many)
    outcome = _fly(x, np.arange(many), lanes, inner, planet)
    fault = tuple(_fault(f, x[i], float(miss[i]), outcome, i) for i, f in enumerate(flights))
    return Solved(x, miss, fault, outcome)


def solve_many(flights: Sequence[BallisticFlight], step_s: float) -> list[Trajectory | boost.Fault]:
    """`ballistic.rebuild` of many flights: their trajectories on grids of `step_s`, or what is wrong with one.

    All are flown in one compiled call. Memory: 48 bytes a flight and grid time of the longest.
    """
    solved = solve_controls(flights, step_s)
    good = [i for i, fault in enumerate(solved.fault) if fault is boost.Fault.NONE]
    found: list[Trajectory | boost.Fault] = list(solved.fault)
    if not good:
        return found
    chosen = [flights[i] for i in good]
    states = fly_many(chosen, solved.unknowns[good], float(solved.outcome.t_end[good].max()), step_s)
    for row, i in zip(states, good, strict=True):
        end = float(solved.outcome.t_end[i])
        kept = row[: int(np.ceil(end / step_s - 1e-12))]  # grid times above ground
        t = step_s * np.arange(len(kept))
        found[i] = Trajectory(
            t,
            kept[:, :3],
            kept[:, 3:],
            phases(t, kept, flights[i].boost_s),
            end,
            solved.outcome.r_end_itrs[i],
        )
    return found


def fly_many(
    flights: Sequence[BallisticFlight],
    unknowns: Float[np.ndarray, "flight 3"],
    until_s: float,
    step_s: float,
    planet: Planet = EARTH,
) -> Float64[np.ndarray, "flight time 6"]:
    """States of flights with known controls at 0, step_s, ... past `until_s`; under the ground they mean nothing."""
    each = boost.inner_steps(step_s)
    inner = step_s / each
    sites = [site_of(f) for f in flights]
    full = np.concatenate([unknowns, np.zeros((len(flights), 2))], axis=1)
    parts = [boost.bodies(s, row[None]) for s, row in zip(sites, full, strict=True)]
    body = Body(*(np.concatenate(field) for field in zip(*parts, strict=True)))
    cut = np.array([round(f.boost_s / inner) for f in flights])
    start = np.stack([boost.start(s) for s in sites])
    count = int(np.ceil(until_s / step_s / CHUNK)) * CHUNK
    path = _tracks(start, body, cut, inner, planet, count, each)
    return np.concatenate([start[:, None], np.asarray(path)], axis=1)


def _track(s0: Any, body: Body, cut: Any, h: Any, planet: Planet, count: int, each: int) -> Any:
    def one(n: Any, s: Any) -> Any:
        thrust = jnp.where(n < cut, 1.0, 0.0)
        return step(n * h, s, h, (thrust, 0.0, 0.0), body, planet)

    def to_grid(s: Any, k: Any) -> tuple[Any, Any]:
        s = lax.fori_loop(0, each, lambda i, state: one(k * each + i, state), s)
        return s, s

    return lax.scan(to_grid, s0, jnp.arange(count))[1]


_tracks = jax.jit(jax.vmap(_track, in_axes=(0, 0, 0, None, None, None, None)), static_argnums=(5, 6))


def _newton(residual: Any, x: np.ndarray, many: int) -> tuple[np.ndarray, np.ndarray]:
    """Damped Newton, every flight with its own damping; flights that are done leave the batch."""
    moves = np.vstack([np.zeros(3), np.diag(DIFFERENCES)])
    value = np.zeros((many, 3))
    jacobian = np.zeros((many, 3, 3))
    miss = np.full(many, np.inf)

    def evaluate(points: np.ndarray, who: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        f = residual(points[:, None] + moves, who)
        norm = np.where(np.isfinite(f).all((1, 2)), np.sqrt((f[:, 0] ** 2).sum(-1)), np.inf)
        return f[:, 0], ((f[:, 1:] - f[:, :1]) / DIFFERENCES[:, None]).transpose(0, 2, 1), norm

    all_of = np.arange(many)
    value, jacobian, miss = evaluate(x, all_of)
    history = [miss.copy()]
    open_ = np.isfinite(miss) & (miss >= TOLERANCE_M)
    share = np.ones(many)
    tries = np.zeros(many, int)
    for k in range(boost.ITERATIONS):
        who = np.flatnonzero(open_)
        if not len(who):
            break
        move = -np.linalg.pinv(jacobian[who]) @ value[who][..., None]
        move = move[..., 0]
        move = move / np.maximum(1.0, np.max(np.abs(move) / LIMIT, axis=1))[:, None]
        trial = x[who] + share[who, None] * move
        f, j, norm = evaluate(trial, who)
        better = norm < miss[who]
        good = who[better]
        x[good], value[good], jacobian[good], miss[good] = trial[better], f[better], j[better], norm[better]
        share[good], tries[good] = 1.0, 0
        bad = who[~better]
        share[bad] *= 0.5
        tries[bad] += 1
        history.append(miss.copy())
        stuck = np.zeros(many, bool)
        if k >= boost.PATIENCE:
            stuck = miss > 0.5 * history[-1 - boost.PATIENCE]
        open_ &= (miss >= TOLERANCE_M) & (tries < boost.HALVINGS) & ~stuck
    return x, miss


def _guesses(flights: Sequence[BallisticFlight], away: np.ndarray) -> Float64[np.ndarray, "flight 3"]:
    return np.array([guess(f, site_of(f), float(d)) for f, d in zip(flights, away, strict=True)])


class _Lanes(NamedTuple):
    """Constants of each flight, NumPy, axes [flight]."""

    start: np.ndarray
    body: Body  # its thrust and tilt are replaced
    cut: Int[np.ndarray, "flight"]  # inner steps to burn-out
    last: Int[np.ndarray, "flight"]  # and to giving up


def _lanes(flights: Sequence[BallisticFlight], away: np.ndarray, inner: float) -> _Lanes:
    sites = [site_of(f) for f in flights]
    parts = [boost.bodies(s, np.zeros((1, 5))) for s in sites]
    body = Body(*(np.concatenate(field) for field in zip(*parts, strict=True)))
    longest = [
        1.5 * free_flight(f.apogee_m, float(d)).time_s + 2.0 * f.boost_s + 900.0
        for f, d in zip(flights, away, strict=True)
    ]
    return _Lanes(
        np.stack([boost.start(s) for s in sites]),
        body,
        np.array([round(f.boost_s / inner) for f in flights]),
        np.ceil(np.array(longest) / inner).astype(int),
    )


def _impact(flights: Sequence[BallisticFlight]) -> tuple[np.ndarray, np.ndarray]:
    """Aim points [flight, 3] and their east and north [flight, 2, 3], ITRS."""
    aim = np.stack([itrs_from_geodetic(f.impact_lat_rad, f.impact_lon_rad, 0.0) for f in flights])
    return aim, np.stack([np.stack(enu_from_itrs(f.impact_lat_rad, f.impact_lon_rad)[:2]) for f in flights])


def _fly(x: np.ndarray, who: np.ndarray, lanes: _Lanes, inner: float, planet: Planet) -> Outcome:
    """The outcome of controls [lane, 3] of flights `who`."""
    count = len(x)
    padded = max(LANES_MIN, 1 << (count - 1).bit_length())
    pick = np.resize(np.arange(count), padded) if count < padded else np.arange(count)
    rows = who[pick]
    body = Body(*(np.asarray(field)[rows] for field in lanes.body))
    body = body._replace(
        thrust0=np.ascontiguousarray(x[pick, 0]),
        tilt_east=np.ascontiguousarray(x[pick, 1]),
        tilt_north=np.ascontiguousarray(x[pick, 2]),
    )
    found = _outcomes(lanes.start[rows], body, lanes.cut[rows], lanes.last[rows], inner, planet)
    return Outcome(*(np.asarray(field)[:count] for field in found))


def _outcome(s0: Any, body: Body, cut: Any, last: Any, h: Any, planet: Planet) -> Any:
    """One lane: to the ground or to `last`; vmapped, the loop runs until every lane is done."""
    height0 = height_of(s0[:3], planet)

    def going(c: _Carry) -> Any:
        return ~c.down & (c.k < last) & jnp.isfinite(c.now)

    def advance(c: _Carry) -> _Carry:
        thrust = jnp.where(c.k < cut, 1.0, 0.0)
        new = step(c.k * h, c.s, h, (thrust, 0.0, 0.0), body, planet)
        ahead = height_of(new[:3], planet)
        # the parabola of `ballistic.apogees` through the three heights around a peak
        second = ahead - 2.0 * c.now + c.before
        first = 0.5 * (ahead - c.before)
        top = c.now - 0.5 * first * first / jnp.minimum(second, -1e-12)
        peak = (c.now >= c.before) & (c.now > ahead)
        down = (c.k + 1 > cut) & (ahead < 0.0)
        return _Carry(
            c.k + jnp.where(down, 0, 1),
            jnp.where(down, c.s, new),
            c.now,
            ahead,
            jnp.where(peak, jnp.maximum(c.apogee, top), c.apogee),
            jnp.where(c.k < cut, jnp.minimum(c.lowest, ahead), c.lowest),
            jnp.where(c.k + 1 == cut, new, c.burnout),
            down,
        )

    zero = 0 * cut
    nothing = jnp.full(6, jnp.nan)
    c = lax.while_loop(
        going,
        advance,
        _Carry(zero, s0, height0, height0, height0 - jnp.inf, height0, nothing, zero > 0),
    )
    tau, end = touch(c.s, c.k * h, h, (0.0, 0.0, 0.0), body, planet)
    return (
        jnp.where(c.down, c.apogee, jnp.nan),
        jnp.where(c.down, c.k * h + tau, jnp.nan),
        jnp.where(c.down, end[:3], jnp.nan),
        c.burnout,
        c.lowest,
    )


_outcomes = jax.jit(jax.vmap(_outcome, in_axes=(0, 0, 0, 0, None, None)))


def _fault(flight: BallisticFlight, x: np.ndarray, miss: float, out: Outcome, i: int) -> boost.Fault:
    if not miss <= GIVEN_UP_M:
        return boost.Fault.UNSOLVED
    site = site_of(flight)
    path = np.stack([boost.start(site), out.burnout[i]])
    if out.lowest_m[i] < site.height_m - 1.0:
        return boost.Fault.WEAK
    return boost.fault_of(site, float(x[0]), path, rising=True)

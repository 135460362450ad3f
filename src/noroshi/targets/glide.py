"""A boost-glide flight: boost into equilibrium glide, a glide with a bank schedule, and the fall at its end.

The booster's thrust, final tilt and half-way tilt are solved so that it burns out at the wanted speed, at
the height of equilibrium glide there and with its slightly falling path, so that the glide starts without a
skip. A real booster climbs higher and its glider pulls up first; that part is left out, and with it some 100
s of warmer, higher flight. A bank that switches later excites the slow phugoid that such a switch does in
nature.
"""

from __future__ import annotations

from itertools import pairwise
from math import cos, sin, sqrt
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from noroshi.constants import EARTH_MEAN_RADIUS_M, EARTH_MU, EARTH_RATE_RAD_S, GRAVITY_M_S2
from noroshi.earth import enu_from_itrs, geodetic_from_itrs
from noroshi.errors import FlightError
from noroshi.tables import Phase
from noroshi.targets import boost, route
from noroshi.targets.equilibrium import (
    Equilibrium,
    Glider,
    equilibrium,
    glide_time,
    level_turn,
    required_lift_parameter,
)
from noroshi.targets.integrate import EARTH, Arc, Controls, Planet, integrate, unpowered_batch
from noroshi.targets.launch import site_of
from noroshi.targets.models import GlideFlight, Trajectory

TOLERANCE_M_S = 1e-4  # of speed, sink rate and height over 10 s together: a millimetre of height
MISS_MAX_M_S = 1e-2  # Newton ends far below this where it converges
HEIGHT_SCALE_S = 10.0
STATED_HEIGHT_M = 2_000.0  # a stated height further from equilibrium than this contradicts the other figures
BANK_MAX_RAD = np.deg2rad(85.0)  # notional: at 90 deg nothing carries the weight
WAYPOINT_MISS_M = 5_000.0  # farther from its ground track than this a waypoint counts as missed (notional)
BATCH = 4  # flights per compiled call: a point and three differences


class Flown(NamedTuple):
    """The flight with its controls."""

    trajectory: Trajectory
    thrust0_m_s2: float
    burnout_m_s2: float  # thrust acceleration just before burn-out
    tilt_rad: float  # of the thrust at burn-out
    bulge_rad: float  # extra tilt half-way
    burnout_height_m: float
    burnout_speed_m_s: float  # relative to the air
    burnout_angle_rad: float  # of the path above the horizontal
    t_glide_end: float  # s after launch: end speed reached, or the ground


def fly(flight: GlideFlight, step_s: float) -> Trajectory:
    """Boost, glide and fall on a grid of `step_s`.

    The glide ends on the first grid time with an air speed below `end_speed_m_s`; lift is dropped there, and
    the body falls to the ground with the same ballistic coefficient (phase REENTRY). Raises FlightError for
    figures that contradict each other, with the nearest value that would do.
    """
    return solve(flight, step_s).trajectory


def solve(flight: GlideFlight, step_s: float) -> Flown:
    """`fly`, with the controls found."""
    site = site_of(flight)
    boost.check(site, step_s)
    _check_facts(flight, step_s)
    fault, x, arc = _attempt(flight, step_s)
    if fault is not boost.Fault.NONE:
        raise _impossible(flight, step_s, fault, x)
    each = boost.inner_steps(step_s)
    inner = step_s / each
    cut = boost.on_grid(flight.boost_s, step_s, "boost_s") * each
    burnout = arc.states[0, cut]
    if flight.waypoints_rad:
        flight = over_waypoints(flight, burnout, step_s)
    glide = glide_arc(flight, burnout, inner, each)
    last = int(glide.steps[0]) if glide.down[0] else len(glide.t) - 1
    states = [arc.states[0, :cut], glide.states[0, : last + 1]]
    end, t_end, t_glide_end = glide.end[0], glide.t_end[0], glide.t_end[0]
    if not glide.down[0]:
        t_glide_end = glide.t[-1]
        fall = _fall(glide.states[0, -1], float(t_glide_end), inner, flight)
        states.append(fall.states[0, 1 : int(fall.steps[0]) + 1])
        end, t_end = fall.end[0], fall.t_end[0]
    path = np.concatenate(states)[::each]
    t = step_s * np.arange(len(path))
    phase = np.select(
        [t < flight.boost_s - 1e-9, t < t_glide_end - 1e-9], [Phase.BOOST, Phase.GLIDE], Phase.REENTRY
    )
    r, v = burnout[:3], burnout[3:]
    lat, lon, up_m = geodetic_from_itrs(r)
    speed = float(np.linalg.norm(v))
    climb = float(v @ enu_from_itrs(lat, lon)[2])
    return Flown(
        Trajectory(t, path[:, :3], path[:, 3:], phase.astype(np.int8), float(t_end), end[:3]),
        float(x[0]),
        boost.burnout_acceleration(site, float(x[0])),
        float(x[1]),
        float(x[2]),
        float(up_m),
        speed,
        float(np.arcsin(climb / speed)),
        float(t_glide_end),
    )


def planet_of(flight: GlideFlight) -> Planet:
    """The Earth with the flight's air."""
    return EARTH._replace(density_factor=flight.density_factor)


def bank_at(flight: GlideFlight, t: Float[np.ndarray, "step"]) -> Float64[np.ndarray, "step"]:
    """Bank angle [rad] held at t [s after launch]; none before the first entry."""
    k = np.searchsorted(np.asarray(flight.bank_times_s), t, "right")
    return np.append(0.0, flight.bank_rad)[k]


def over_waypoints(flight: GlideFlight, state: Float[np.ndarray, "6"], step_s: float) -> GlideFlight:
    """The flight with the bank schedule that carries it over its waypoints from burn-out (`state`, ITRS).

    One bank per leg, none after the last. Raises FlightError naming the first waypoint that every bank within
    the limit passes by more than WAYPOINT_MISS_M, with what would do.
    """
    found = route.legs(
        state[None],
        np.array(flight.waypoints_rad)[None],
        unpowered_batch(1.0 / flight.ballistic_coefficient_kg_m2, 1),
        np.array([flight.lift_to_drag]),
        np.array([flight.bank_limit_rad]),
        step_s,
        boost.inner_steps(step_s),
        1.2 * _expected_s(flight, state),
        planet_of(flight),
        WAYPOINT_MISS_M,
    )
    missed = np.flatnonzero(~np.isfinite(found.bank_rad[0]))
    if len(missed):
        k = int(missed[0])
        raise _astray(flight, k, float(found.nearest_m[0, k]), float(found.speed_m_s[0, k]), state)
    times, banks = flight.boost_s + found.t_s[0], np.append(found.bank_rad[0], 0.0)
    return flight._replace(
        bank_times_s=tuple(times.tolist()), bank_rad=tuple(banks.tolist()), waypoints_rad=()
    )


def _expected_s(flight: GlideFlight, state: np.ndarray) -> float:
    """Time of a level glide from a state to the end speed, a minute at least."""
    speed, r = float(np.linalg.norm(state[3:])), float(np.linalg.norm(state[:3]))
    fast = min(speed, 0.98 * sqrt(EARTH_MU / r))
    return max(glide_time(flight.lift_to_drag, fast, flight.end_speed_m_s, r), 60.0)


def _astray(flight: GlideFlight, k: int, miss_m: float, speed_m_s: float, state: np.ndarray) -> FlightError:
    if not np.isfinite(miss_m) or speed_m_s <= flight.end_speed_m_s:
        beside = f", {miss_m / 1e3:.0f} km from it at the nearest" if np.isfinite(miss_m) else ""
        return FlightError(
            f"the glide ends before it comes to waypoint {k + 1}{beside}",
            remedy="leave that waypoint out, move it nearer, lower end_speed, or start faster",
        )
    r = float(np.linalg.norm(state[:3]))
    _, radius = level_turn(speed_m_s, flight.bank_limit_rad, r)
    room = BANK_MAX_RAD - flight.bank_limit_rad > 1e-9
    more = f", or allow more bank (up to {np.rad2deg(BANK_MAX_RAD):.0f} deg)" if room else ""
    return FlightError(
        f"every constant bank of up to {np.rad2deg(flight.bank_limit_rad):.0f} deg passes waypoint {k + 1} by "
        f"{miss_m / 1e3:.0f} km or more (the tightest turn at {speed_m_s:.0f} m/s there has a radius of "
        f"{radius / 1e3:.0f} km)",
        remedy=f"move that waypoint by {miss_m / 1e3:.0f} km towards the path{more}, or add one before it",
    )


def glide_arc(flight: GlideFlight, state: Float[np.ndarray, "6"], inner: float, each: int) -> Arc:
    """Glide from burn-out (batch of one flight, repeated) to the grid time after the end speed, or the ground.

    `each`: integration steps of `inner` seconds per grid step.
    """
    count = each * int(np.ceil(1.2 * _expected_s(flight, state) / (inner * each)))
    while True:
        t = flight.boost_s + inner * (np.arange(count) + 0.5)
        held = Controls(np.zeros(count), np.full(count, flight.lift_to_drag), bank_at(flight, t))
        arc = _fly(state, flight.boost_s, inner, held, flight)
        speeds = np.linalg.norm(arc.states[0, ::each, 3:], axis=1)
        slow = np.flatnonzero(speeds < flight.end_speed_m_s)
        if len(slow) and slow[0] * each <= arc.steps[0]:
            stop = slow[0] * each
            return arc._replace(
                t=arc.t[: stop + 1], states=arc.states[:, : stop + 1], down=np.zeros(BATCH, bool)
            )
        if arc.down[0]:
            return arc
        count *= 2


def _fall(state: np.ndarray, t: float, inner: float, flight: GlideFlight) -> Arc:
    zero = np.zeros(int(np.ceil(1800.0 / inner)))  # a fall from 86 km takes minutes
    return _fly(state, t, inner, Controls(zero, zero, zero), flight)


def _fly(state: np.ndarray, t: float, inner: float, held: Controls, flight: GlideFlight) -> Arc:
    body = unpowered_batch(1.0 / flight.ballistic_coefficient_kg_m2, BATCH)
    return integrate(np.repeat(state[None], BATCH, 0), t, inner, held, body, planet_of(flight))


def _attempt(flight: GlideFlight, step_s: float) -> tuple[boost.Fault, Float64[np.ndarray, "3"], Arc]:
    """Solve the boost and judge it."""
    site = site_of(flight)
    x, arc, miss = _search(flight, site, step_s)
    if not miss < MISS_MAX_M_S:
        return boost.Fault.UNSOLVED, x, arc
    return boost.fault_of(site, float(x[0]), arc.states[0], rising=False), x, arc


def _search(
    flight: GlideFlight, site: boost.Site, step_s: float
) -> tuple[Float64[np.ndarray, "3"], Arc, float]:
    """Newton on thrust, final and half-way tilt towards a burn-out in equilibrium glide."""
    each = boost.inner_steps(step_s)
    inner = step_s / each
    held = boost.controls(site, boost.on_grid(site.boost_s, step_s, "boost_s") * each, inner)
    launch = boost.start(site)
    east, north = sin(flight.azimuth_rad), cos(flight.azimuth_rad)

    def run(x: np.ndarray) -> Arc:
        controls = np.column_stack(
            [x[:, 0], x[:, 1] * east, x[:, 1] * north, x[:, 2] * east, x[:, 2] * north]
        )
        states = np.repeat(launch[None], len(x), 0)
        bodies = boost.bodies(site, controls)
        return integrate(states, 0.0, inner, held, bodies, planet_of(flight), free_after_s=flight.boost_s)

    def residual(x: np.ndarray) -> np.ndarray:
        return np.array([_miss(flight, state) for state in run(x).states[:, -1]])

    x, miss = boost.newton(
        residual,
        _start(flight, site),
        steps=np.array([1e-5, 1e-6, 1e-6]),
        limit=np.array([5.0, 0.15, 0.15]),
        tolerance=TOLERANCE_M_S,
    )
    return x, run(np.repeat(x[None], BATCH, 0)), miss


def _glider(flight: GlideFlight) -> Glider:
    bank = float(bank_at(flight, np.array([flight.boost_s]))[0])
    return Glider(flight.lift_to_drag, flight.ballistic_coefficient_kg_m2, bank)


def _wanted(flight: GlideFlight, place: np.ndarray, heading: np.ndarray) -> Equilibrium | None:
    return equilibrium(_glider(flight), flight.glide_speed_m_s, place, heading, planet_of(flight))


def _miss(flight: GlideFlight, state: np.ndarray) -> np.ndarray:
    """Speed, height (over 10 s) and sink rate at burn-out less those of equilibrium glide there [m/s]."""
    r, v = state[:3], state[3:]
    if not np.isfinite(state).all():
        return np.full(3, np.nan)
    lat, lon, above = geodetic_from_itrs(r)
    up = enu_from_itrs(lat, lon)[2]
    climb = float(v @ up)
    level = v - climb * up
    wanted = _wanted(flight, r, level / np.linalg.norm(level))
    if wanted is None:
        return np.full(3, np.nan)
    speed = float(np.linalg.norm(v))
    return np.array(
        [
            speed - flight.glide_speed_m_s,
            (float(above) - wanted.height_m) / HEIGHT_SCALE_S,
            climb - speed * sin(wanted.angle_rad),
        ]
    )


def _start(flight: GlideFlight, site: boost.Site) -> Float64[np.ndarray, "3"]:
    """Controls whose airless burn-out is nearest to level flight at the wanted speed and height."""
    place = boost.start(site)[:3]
    found = _wanted(flight, place, _heading(flight))
    assert found is not None  # _check_facts saw to it
    burnout = boost.survey(
        site,
        GRAVITY_M_S2 * np.geomspace(0.9, 30.0, 36),
        np.deg2rad(np.arange(30.0, 151.0, 4.0)),
        np.deg2rad(np.arange(-60.0, 91.0, 5.0)),
    )
    speed = np.hypot(burnout.climb, burnout.level)
    above = burnout.radius - EARTH_MEAN_RADIUS_M
    miss = (
        (speed / flight.glide_speed_m_s - 1.0) ** 2
        + ((above - found.height_m) / 60e3) ** 2
        + (burnout.climb / flight.glide_speed_m_s / 0.3) ** 2
    )
    i, j, k = np.unravel_index(np.argmin(miss), miss.shape)
    return np.array([burnout.thrust0[i], burnout.tilt[j], burnout.bulge[k]])


def _heading(flight: GlideFlight) -> Float64[np.ndarray, "3"]:
    east, north, _ = enu_from_itrs(flight.launch_lat_rad, flight.launch_lon_rad)
    return sin(flight.azimuth_rad) * east + cos(flight.azimuth_rad) * north


def _check_facts(flight: GlideFlight, step_s: float) -> None:
    """Refuse figures that contradict each other before any flight."""
    if not (flight.lift_to_drag > 0.0 and flight.density_factor > 0.0):
        raise FlightError(
            f"lift-to-drag ratio {flight.lift_to_drag:g} and density factor {flight.density_factor:g} must be positive",
            remedy="gliders have lift-to-drag ratios of 1 to 4; the density factor is 1 by default",
        )
    if not 0.0 < flight.end_speed_m_s < flight.glide_speed_m_s:
        raise FlightError(
            f"a glide from {flight.glide_speed_m_s:g} m/s cannot end at {flight.end_speed_m_s:g} m/s",
            remedy="end_speed lies between 0 and glide_speed; 1 km/s is usual",
        )
    if flight.waypoints_rad and flight.bank_times_s:
        raise FlightError(
            "a glide has both waypoints and a bank schedule",
            remedy="give one of them; waypoints make the schedule",
        )
    if not 0.0 < flight.bank_limit_rad <= BANK_MAX_RAD:
        raise FlightError(
            f"a bank limit of {np.rad2deg(flight.bank_limit_rad):.0f} deg leaves no turn or no lift",
            remedy=f"give a limit above 0 and at most {np.rad2deg(BANK_MAX_RAD):.0f} deg",
        )
    times = flight.bank_times_s
    if len(times) != len(flight.bank_rad) or any(b <= a for a, b in pairwise(times)):
        raise FlightError("the bank schedule is not in order of time", remedy="sort its entries by t_s")
    for time in times:
        boost.on_grid(time, step_s, "bank t_s")
    if np.abs(flight.bank_rad).max(initial=0.0) > BANK_MAX_RAD:
        raise FlightError(
            f"a bank of {np.rad2deg(np.abs(flight.bank_rad).max()):.0f} deg leaves no lift to carry the glider",
            remedy=f"bank at most {np.rad2deg(BANK_MAX_RAD):.0f} deg to either side",
        )
    place, heading = boost.start(site_of(flight))[:3], _heading(flight)
    found = _wanted(flight, place, heading)
    if found is None or found.height_m < flight.launch_height_m:
        raise FlightError(
            f"no equilibrium glide at {flight.glide_speed_m_s:g} m/s: {_why_none(flight, place, heading)}",
            remedy=_speeds(flight, place, heading),
        )
    stated = flight.glide_height_m
    if stated is not None and abs(stated - found.height_m) > STATED_HEIGHT_M:
        needed = required_lift_parameter(stated, flight.glide_speed_m_s, EARTH_MEAN_RADIUS_M)
        given = flight.lift_to_drag / flight.ballistic_coefficient_kg_m2
        raise FlightError(
            f"a glide at {stated / 1e3:g} km and {flight.glide_speed_m_s:g} m/s needs (L/D)/beta = {needed:.3g} m2/kg, "
            f"but the glider has {given:.3g}",
            remedy=f"at this speed it glides at {found.height_m / 1e3:.1f} km; leave the height out",
        )


def _why_none(flight: GlideFlight, place: np.ndarray, heading: np.ndarray) -> str:
    r = float(np.linalg.norm(place)) + 86e3
    relief = flight.glide_speed_m_s + float(np.cross([0.0, 0.0, EARTH_RATE_RAD_S], place) @ heading)
    if relief > 0.95 * sqrt(EARTH_MU / r):
        return "it is close to orbital speed or beyond, where lift has nothing to carry"
    return "lift cannot carry the glider above ground"


def _speeds(flight: GlideFlight, place: np.ndarray, heading: np.ndarray) -> str:
    """The remedy for a speed without equilibrium: the speeds that have one."""

    def nearest_of(speeds: np.ndarray) -> float | None:
        for speed in sorted(speeds, key=lambda speed: abs(speed - flight.glide_speed_m_s)):
            at = equilibrium(_glider(flight), float(speed), place, heading, planet_of(flight))
            if at is not None and at.height_m >= flight.launch_height_m:
                return float(speed)
        return None

    about = nearest_of(np.arange(100.0, 9000.0, 100.0))
    if about is None:
        return "no speed has one with this lift-to-drag ratio and ballistic coefficient"
    nearest = nearest_of(about + np.arange(-100.0, 101.0, 10.0))
    return f"the nearest speed that has one with these figures is {nearest:g} m/s"


def _impossible(flight: GlideFlight, step_s: float, fault: boost.Fault, x: np.ndarray) -> FlightError:
    """The error for a boost that cannot reach the glide, with the nearest one that can."""

    def with_boost(boost_s: float) -> bool:
        if boost_s <= flight.vertical_s:
            return False
        return _attempt(flight._replace(boost_s=boost_s), step_s)[0] is boost.Fault.NONE

    burnout = boost.burnout_acceleration(site_of(flight), float(x[0]))
    boost_s = boost.nearest(with_boost, flight.boost_s, step_s)
    return FlightError(
        f"no boost of {flight.boost_s:g} s ends in equilibrium glide at {flight.glide_speed_m_s:g} m/s: "
        f"{fault.value.format(burnout=burnout)}",
        remedy=f"a boost of {boost_s:g} s, all else equal, works"
        if boost_s is not None
        else "check boost_s, mass_fraction and glide_speed",
    )

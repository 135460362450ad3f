"""The powered arc: launch bodies, and the damped Newton that finds their controls.

Thrust acceleration a0 / (1 - mass_fraction t / boost_s) is that of constant thrust and mass flow. The body
rises vertically, then tilts smoothly in the launch site's axes; see `integrate.Body`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from noroshi.constants import EARTH_MEAN_RADIUS_M, EARTH_MU, GRAVITY_M_S2
from noroshi.earth import itrs_from_geodetic
from noroshi.errors import FlightError
from noroshi.targets.integrate import Body, Controls, height, launch_axes

INNER_STEP_S = (
    0.5  # longest integration step: at 1 s a 5000 kg/m2 re-entry errs by 1 m, at 0.5 s by centimetres
)
BURNOUT_LIMIT_M_S2 = 25.0 * GRAVITY_M_S2  # notional: twice what public boosters reach just before burn-out
ITERATIONS = 40
HALVINGS = 5
PATIENCE = 6  # iterations in which the residual must halve at least


class Site(NamedTuple):
    """A launch site and what is known of the booster."""

    lat_rad: float
    lon_rad: float
    height_m: float
    boost_s: float
    vertical_s: float
    mass_fraction: float
    ballistic_coefficient_kg_m2: float


def inner_steps(step_s: float) -> int:
    """Integration steps per grid step."""
    return max(1, int(np.ceil(step_s / INNER_STEP_S - 1e-9)))


def check(site: Site, step_s: float) -> None:
    """Refuse a booster that cannot be: FlightError names the fact and a value that would do."""
    if not 0.0 < site.mass_fraction < 1.0:
        raise FlightError(
            f"mass_fraction {site.mass_fraction:g} is not a share",
            remedy="give the propellant share of the launch mass, between 0 and 1 (0.8 is usual)",
        )
    if not site.ballistic_coefficient_kg_m2 > 0.0:
        raise FlightError(
            f"ballistic coefficient {site.ballistic_coefficient_kg_m2:g} kg/m2 is not positive",
            remedy="re-entry bodies have 1,000 to 15,000 kg/m2",
        )
    if not step_s > 0.0:
        raise FlightError(f"a step of {step_s:g} s is not positive", remedy="1 s is usual")
    if not 0.0 <= site.vertical_s < site.boost_s:
        raise FlightError(
            f"a vertical rise of {site.vertical_s:g} s does not fit into a boost of {site.boost_s:g} s",
            remedy=f"shorten vertical_s, to {max(0.0, 0.1 * site.boost_s):g} s for example",
        )
    on_grid(site.boost_s, step_s, "boost_s")


def on_grid(value_s: float, step_s: float, name: str) -> int:
    """Number of steps in a duration; FlightError where it is not a whole number."""
    steps = round(value_s / step_s)
    if abs(steps * step_s - value_s) > 1e-9 * max(1.0, abs(value_s)):
        raise FlightError(
            f"{name} = {value_s:g} s is not on the grid of {step_s:g} s",
            remedy=f"phases switch on grid times only; use {steps * step_s:g} s or a finer step_s",
        )
    return steps


def start(site: Site) -> Float64[np.ndarray, "6"]:
    """At rest on the pad, ITRS."""
    return np.concatenate([itrs_from_geodetic(site.lat_rad, site.lon_rad, site.height_m), np.zeros(3)])


def bodies(site: Site, unknowns: Float[np.ndarray, "flight 5"]) -> Body:
    """Launch bodies: unknowns are thrust0 [m/s2], tilt east, north, bulge east, north [rad]."""
    count = len(unknowns)
    thrust0, tilt_east, tilt_north, bulge_east, bulge_north = (np.ascontiguousarray(c) for c in unknowns.T)
    east, north, up = (np.repeat(axis[None], count, 0) for axis in launch_axes(site.lat_rad, site.lon_rad))
    return Body(
        thrust0,
        tilt_east,
        tilt_north,
        bulge_east,
        bulge_north,
        np.full(count, site.boost_s),
        np.full(count, site.vertical_s),
        np.full(count, site.mass_fraction),
        east,
        north,
        up,
        np.full(count, 1.0 / site.ballistic_coefficient_kg_m2),
    )


def controls(site: Site, steps: int, step_s: float) -> Controls:
    """Thrust on while the middle of a step lies before burn-out; no lift."""
    zero = np.zeros(steps)
    return Controls((step_s * (np.arange(steps) + 0.5) < site.boost_s).astype(float), zero, zero)


def burnout_acceleration(site: Site, thrust0: float) -> float:
    """Thrust acceleration just before burn-out [m/s2]."""
    return thrust0 / (1.0 - site.mass_fraction)


class Fault(Enum):
    """Why a solved or unsolved boost cannot be flown; the value says it."""

    NONE = ""
    UNSOLVED = "no thrust and direction of the booster reach it"
    WEAK = "the booster would not lift off, or would sink back to the ground"
    HARD = "its acceleration just before burn-out would be {burnout:.0f} m/s2 (limit 245: 25 g)"
    EARLY = "the apogee would be reached before burn-out"


def fault_of(site: Site, thrust0: float, path: Float[np.ndarray, "step 6"], *, rising: bool) -> Fault:
    """What is wrong with a solved boost; `path` from the pad to burn-out, `rising`: it must still climb there."""
    if thrust0 <= GRAVITY_M_S2 or height(path[:, :3]).min() < site.height_m - 1.0:
        return Fault.WEAK
    if burnout_acceleration(site, thrust0) > BURNOUT_LIMIT_M_S2:
        return Fault.HARD
    if rising and path[-1, :3] @ path[-1, 3:] <= 0.0:
        return Fault.EARLY
    return Fault.NONE


def nearest(
    works: Callable[[float], bool], wanted: float, unit: float, ratio: float = 1.15, turns: int = 10
) -> float | None:
    """The value nearest to one that does not work that does, in whole units; None within the turns' reach.

    Steps away by `ratio` in both directions until one works, then halves the gap.
    """
    for k in range(1, turns + 1):
        for factor in (ratio**k, ratio**-k):
            good = max(unit, round(wanted * factor / unit) * unit)
            if works(good):
                bad = max(
                    unit, round(wanted * (factor * ratio if factor < 1.0 else factor / ratio) / unit) * unit
                )
                for _ in range(4):
                    middle = round(0.5 * (good + bad) / unit) * unit
                    if middle in (good, bad):
                        break
                    good, bad = (middle, bad) if works(middle) else (good, middle)
                return good
    return None


class Burnout(NamedTuple):
    """Planar burn-out states of a grid of controls: sphere, no air, inertial axes. Axes [thrust, tilt, bulge]."""

    thrust0: Float64[np.ndarray, "thrust"]
    tilt: Float64[np.ndarray, "tilt"]
    bulge: Float64[np.ndarray, "bulge"]
    radius: Float64[np.ndarray, "thrust tilt bulge"]
    angle: Float64[np.ndarray, "thrust tilt bulge"]  # down range, at the centre of the Earth
    climb: Float64[np.ndarray, "thrust tilt bulge"]
    level: Float64[np.ndarray, "thrust tilt bulge"]


def survey(
    site: Site,
    thrust0: Float[np.ndarray, "thrust"],
    tilt: Float[np.ndarray, "tilt"],
    bulge: Float[np.ndarray, "bulge"],
    carried_m_s: float = 0.0,
    steps: int = 80,
) -> Burnout:
    """Where whole ranges of controls lead: the map from which Newton starts.

    Only a start is needed, so gravity is a sphere's and a step is a mean acceleration. `carried_m_s`: the ground's
    own speed in the plane of flight.
    """
    a0, final, hump = thrust0[:, None, None], tilt[:, None], bulge
    x = np.zeros((len(thrust0), len(tilt), len(bulge)))
    y = np.full_like(x, EARTH_MEAN_RADIUS_M + site.height_m)
    u, w = np.full_like(x, carried_m_s), np.zeros_like(x)
    h = site.boost_s / steps
    for k in range(steps):
        t = (k + 0.5) * h
        s = np.clip((t - site.vertical_s) / (site.boost_s - site.vertical_s), 0.0, 1.0)
        angle = final * s * s * (3.0 - 2.0 * s) + hump * 16.0 * (s * (1.0 - s)) ** 2
        push = a0 / (1.0 - site.mass_fraction * t / site.boost_s)
        r3 = (x * x + y * y) ** 1.5
        ax = push * np.sin(angle) - EARTH_MU * x / r3
        ay = push * np.cos(angle) - EARTH_MU * y / r3
        x, y = x + h * u + 0.5 * h * h * ax, y + h * w + 0.5 * h * h * ay
        u, w = u + h * ax, w + h * ay
    r = np.hypot(x, y)
    return Burnout(thrust0, tilt, bulge, r, np.arctan2(x, y), (u * x + w * y) / r, (u * y - w * x) / r)


Residual = Callable[[Float[np.ndarray, "candidate n"]], Float64[np.ndarray, "candidate m"]]


def newton(
    residual: Residual,
    x: Float[np.ndarray, "n"],
    steps: Float[np.ndarray, "n"],
    limit: Float[np.ndarray, "n"],
    tolerance: float,
) -> tuple[Float64[np.ndarray, "n"], float]:
    """Solve residual(x) = 0 by damped Newton; the solution and what is left of the residual's norm.

    Each call evaluates a point and its n finite differences together, as one batch. `steps`: of the
    differences; `limit`: the largest change of one iteration. Candidates that do not fly have nan residuals.
    """
    n = len(x)
    moves = np.vstack([np.zeros(n), np.diag(steps)])

    def evaluate(point: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        values = residual(point + moves)
        norm = float(np.sqrt((values[0] ** 2).sum()))
        return values[0], (values[1:] - values[0]).T / steps, norm if np.isfinite(values).all() else np.inf

    value, jacobian, norm = evaluate(x)
    norms = [norm]
    for k in range(ITERATIONS):
        stuck = k >= PATIENCE and norm > 0.5 * norms[k - PATIENCE]
        if norm < tolerance or not np.isfinite(norm) or stuck:
            break
        move = np.linalg.lstsq(jacobian, -value, rcond=None)[0]
        move = move / max(1.0, float(np.max(np.abs(move) / limit)))
        for _ in range(HALVINGS):
            found = evaluate(x + move)
            if found[2] < norm:
                break
            move = 0.5 * move
        else:
            break
        x, (value, jacobian, norm) = x + move, found
        norms.append(norm)
    return x, norm

"""A ballistic flight rebuilt from what was published of it: launch and impact points, apogee, boost time.

Three controls of the booster (thrust, final tilt, direction) are solved so that the flight over the rotating
ellipsoid, drag on re-entry included, meets the apogee height and the impact point. Nothing else is fitted:
times, ground track and speeds are predictions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from noroshi.earth import enu_from_itrs, itrs_from_geodetic
from noroshi.errors import FlightError
from noroshi.targets import boost
from noroshi.targets.ellipse import free_flight
from noroshi.targets.integrate import EARTH, Arc, height, integrate
from noroshi.targets.launch import distance_of, guess, likely, phases, site_of
from noroshi.targets.models import BallisticFlight, Trajectory

TOLERANCE_M = 0.01  # of apogee and impact together
RANGE_MIN_M, RANGE_MAX_M = 10e3, 19_500e3  # beyond, the direction from launch to impact is not defined well


class Rebuilt(NamedTuple):
    """The solved flight with its controls."""

    trajectory: Trajectory
    thrust0_m_s2: float  # thrust acceleration at launch
    burnout_m_s2: float  # and just before burn-out
    tilt_rad: float  # of the thrust at burn-out, from the launch site's vertical
    azimuth_rad: float  # of that tilt, clockwise from north
    apogee_m: float
    miss_m: float  # of apogee and impact together
    burnout_height_m: float
    burnout_speed_m_s: float  # relative to the air


def rebuild(flight: BallisticFlight, step_s: float) -> Trajectory:
    """The trajectory with the flight's apogee and impact point (both to a centimetre), on a grid of `step_s`.

    Raises FlightError where no trajectory satisfies the facts, with the nearest value that one does.
    """
    return solve(flight, step_s).trajectory


def solve(flight: BallisticFlight, step_s: float) -> Rebuilt:
    """`rebuild`, with the controls found."""
    boost.check(site_of(flight), step_s)
    distance = distance_of(flight)
    _check_facts(flight, distance)
    fault, found = _attempt(flight, distance, step_s)
    if found is None or fault is not boost.Fault.NONE:
        raise _impossible(flight, distance, step_s, fault, found)
    unknowns, arc, miss = found
    return _rebuilt(flight, site_of(flight), unknowns, arc, miss, step_s)


Found = tuple[Float64[np.ndarray, "3"], Arc, float]


def _attempt(flight: BallisticFlight, distance: float, step_s: float) -> tuple[boost.Fault, Found | None]:
    """Solve a flight and judge its boost."""
    site = site_of(flight)
    found = _search(flight, site, distance, step_s)
    if found is None:
        return boost.Fault.UNSOLVED, None
    cut = round(flight.boost_s / step_s) * boost.inner_steps(step_s)
    return boost.fault_of(site, found[0][0], found[1].states[0, : cut + 1], rising=True), found


def _search(flight: BallisticFlight, site: boost.Site, distance: float, step_s: float) -> Found | None:
    """Newton on thrust and tilt; None where it does not converge."""
    inner = step_s / boost.inner_steps(step_s)
    # a flight that takes longer than this has not come near the wanted one
    longest = 1.5 * free_flight(flight.apogee_m, distance).time_s + 2.0 * flight.boost_s + 900.0
    controls = boost.controls(site, int(np.ceil(longest / inner)), inner)
    launch = boost.start(site)
    aim = itrs_from_geodetic(flight.impact_lat_rad, flight.impact_lon_rad, 0.0)
    level = enu_from_itrs(flight.impact_lat_rad, flight.impact_lon_rad)[:2]

    def fly(x: np.ndarray) -> Arc:
        full = np.concatenate([x, np.zeros((len(x), 2))], axis=1)
        states = np.repeat(launch[None], len(x), 0)
        bodies = boost.bodies(site, full)
        return integrate(states, 0.0, inner, controls, bodies, EARTH, free_after_s=flight.boost_s)

    def residual(x: np.ndarray) -> np.ndarray:
        arc = fly(x)
        miss = (arc.end[:, :3] - aim) @ level.T
        return np.column_stack([apogees(arc) - flight.apogee_m, miss])

    x, miss = boost.newton(
        residual,
        guess(flight, site, distance),
        steps=np.array([1e-5, 1e-6, 1e-6]),
        limit=np.array([5.0, 0.2, 0.2]),
        tolerance=TOLERANCE_M,
    )
    if miss > 1.0:
        return None
    return x, fly(np.repeat(x[None], 4, 0)), miss


def apogees(arc: Arc) -> Float64[np.ndarray, "flight"]:
    """Greatest height of each flight [m], between grid times by the climb's rate of change."""
    out = np.empty(len(arc.states))
    for i, (states, last) in enumerate(zip(arc.states, arc.steps, strict=True)):
        h = height(states[: last + 1, :3])
        k = int(np.clip(np.argmax(h), 1, max(last - 1, 1)))
        if not np.isfinite(h).all() or last < 2:
            out[i] = np.nan
            continue
        # parabola through three heights: its fourth-order error is under a millimetre at 1 s
        second = h[k + 1] - 2.0 * h[k] + h[k - 1]
        first = 0.5 * (h[k + 1] - h[k - 1])
        out[i] = h[k] - 0.5 * first * first / second if second < 0.0 else h[k]
    return out


def _rebuilt(
    flight: BallisticFlight, site: boost.Site, x: np.ndarray, arc: Arc, miss: float, step_s: float
) -> Rebuilt:
    each = boost.inner_steps(step_s)
    count = int(arc.steps[0]) // each + 1
    states = arc.states[0, : count * each : each]
    t = step_s * np.arange(count)
    cut = round(flight.boost_s / step_s)
    trajectory = Trajectory(
        t,
        states[:, :3],
        states[:, 3:],
        phases(t, states, flight.boost_s),
        float(arc.t_end[0]),
        arc.end[0, :3],
    )
    return Rebuilt(
        trajectory,
        float(x[0]),
        boost.burnout_acceleration(site, float(x[0])),
        float(np.hypot(x[1], x[2])),
        float(np.arctan2(x[1], x[2]) % (2.0 * np.pi)),
        float(apogees(arc)[0]),
        miss,
        float(height(states[cut, :3])),
        float(np.linalg.norm(states[cut, 3:])),
    )


def _check_facts(flight: BallisticFlight, distance: float) -> None:
    """Refuse what needs no integration to be seen impossible."""
    if not RANGE_MIN_M <= distance <= RANGE_MAX_M:
        raise FlightError(
            f"launch and impact are {distance / 1e3:.0f} km apart",
            remedy=f"ranges from {RANGE_MIN_M / 1e3:.0f} to {RANGE_MAX_M / 1e3:.0f} km can be flown",
        )
    if not flight.apogee_m > max(0.0, flight.launch_height_m):
        raise FlightError(
            f"the apogee, {flight.apogee_m / 1e3:g} km, is not above the launch site",
            remedy="apogee_km is the greatest height above the ellipsoid",
        )


def _impossible(
    flight: BallisticFlight,
    distance: float,
    step_s: float,
    fault: boost.Fault,
    found: Found | None,
) -> FlightError:
    """The error for facts that no trajectory joins, with the nearest apogee or boost that works."""
    burnout = boost.burnout_acceleration(site_of(flight), found[0][0]) if found is not None else 0.0
    why = fault.value.format(burnout=burnout)

    def works(other: BallisticFlight) -> bool:
        # most values tried are far off: the survey sees that without flying
        if not likely(other, site_of(other), distance):
            return False
        return _attempt(other, distance, step_s)[0] is boost.Fault.NONE

    def with_boost(boost_s: float) -> bool:
        return boost_s > flight.vertical_s and works(flight._replace(boost_s=boost_s))

    def with_apogee(apogee_m: float) -> bool:
        return works(flight._replace(apogee_m=apogee_m))

    offers = []
    boost_s = boost.nearest(with_boost, flight.boost_s, step_s)
    if boost_s is not None:
        offers.append(f"a boost of {boost_s:g} s")
    if fault in (boost.Fault.UNSOLVED, boost.Fault.EARLY):
        apogee_m = boost.nearest(with_apogee, flight.apogee_m, 1e3, ratio=1.3)
        if apogee_m is not None:
            offers.append(f"an apogee of {apogee_m / 1e3:g} km")
    offered = f"{' or '.join(offers)}, all else equal, works"
    return FlightError(
        f"no flight has an apogee of {flight.apogee_m / 1e3:g} km, a range of {distance / 1e3:.0f} km "
        f"and a boost of {flight.boost_s:g} s: {why}",
        remedy=offered if offers else "check apogee, range and boost time",
    )

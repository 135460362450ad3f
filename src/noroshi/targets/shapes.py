"""Minimum-energy, lofted and depressed flights between two points: the apogee that each shape has.

Energy is what the booster has given a kilogram by burn-out in the Earth's own axes, v^2/2 - mu/r - (w p)^2/2 less
that of the pad (p: distance from the axis): free flight keeps it, launch to the east needs less. Minimum energy is
the apogee where it is least for the given points and boost. Lofted flights have a multiple of that apogee, depressed
ones a share; either may state the path's angle above the horizontal at burn-out instead.
"""

from __future__ import annotations

from math import degrees
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float64

from noroshi.constants import EARTH_MU
from noroshi.earth import geodetic_from_itrs, up_itrs
from noroshi.errors import FlightError, PhysicsError
from noroshi.targets import boost, many
from noroshi.targets.ellipse import minimum_energy_flight
from noroshi.targets.integrate import EARTH, Planet
from noroshi.targets.launch import distance_of, site_of
from noroshi.targets.models import BallisticFlight

Shape = Literal["minimum-energy", "lofted", "depressed"]

# notional: twice the height and half of it are well away from the flat minimum and can be flown at most ranges
FACTORS: dict[str, float] = {"minimum-energy": 1.0, "lofted": 2.0, "depressed": 0.5}
SEARCH = np.geomspace(0.25, 4.0, 16)  # of the closed form's apogee
LOWEST_M = 100e3  # a search around the closed form near half the way round the Earth starts no lower
ANGLE_FACTORS = {"depressed": np.geomspace(0.1, 1.1, 12), "lofted": np.geomspace(0.9, 8.0, 12)}
APOGEE_MAX_M = 20_000e3  # as in the scenario format


class Flown(NamedTuple):
    """Flights of one pair of points by apogee; axes [apogee], those that can be flown."""

    apogee_m: Float64[np.ndarray, "apogee"]
    energy_j_kg: Float64[np.ndarray, "apogee"]
    angle_rad: Float64[
        np.ndarray, "apogee"
    ]  # of the path above the horizontal at burn-out, in the Earth's axes
    speed_m_s: Float64[np.ndarray, "apogee"]  # at burn-out, relative to the air
    unknowns: Float64[np.ndarray, "apogee 3"]


def shaped(
    flight: BallisticFlight,
    shape: Shape,
    step_s: float,
    *,
    apogee_factor: float | None = None,
    burnout_angle_rad: float | None = None,
) -> BallisticFlight:
    """The flight with the apogee of a shape; the one it comes with counts for nothing.

    `apogee_factor`: of the minimum-energy apogee, above 1 for lofted (2 if nothing is said), below 1 for depressed
    (0.5). Raises PhysicsError for a shape and figure that contradict each other, FlightError with the nearest
    figure that can be flown where this one cannot.
    """
    check(shape, apogee_factor, burnout_angle_rad)
    least = minimum_energy_apogee(flight, step_s)
    if burnout_angle_rad is not None:
        return flight._replace(apogee_m=_at_angle(flight, shape, least, burnout_angle_rad, step_s))
    factor = FACTORS[shape] if apogee_factor is None else apogee_factor
    if factor * least > APOGEE_MAX_M:
        raise FlightError(
            f"{factor:g} times the minimum-energy apogee of {least / 1e3:.0f} km is higher than "
            f"{APOGEE_MAX_M / 1e3:,.0f} km",
            remedy=f"apogee_factor = {np.floor(100 * APOGEE_MAX_M / least) / 100:g} is the largest taken",
        )
    if shape != "minimum-energy" and not len(fly_apogees(flight, [factor * least], step_s).apogee_m):
        raise _out_of_reach(flight, shape, least, factor, step_s)
    return flight._replace(apogee_m=factor * least)


def minimum_energy_apogee(flight: BallisticFlight, step_s: float, planet: Planet = EARTH) -> float:
    """The apogee [m] of the flight that needs least energy at burn-out, for its points and boost.

    Found among those that can be flown, to a thousandth: the energy is flat there. Raises FlightError where no
    apogee can.
    """
    centre = max(LOWEST_M, minimum_energy_flight(distance_of(flight)).apogee_m)
    coarse = fly_apogees(flight, centre * SEARCH, step_s, planet)
    if not len(coarse.apogee_m):
        site = site_of(flight)
        raise FlightError(
            f"no booster with a boost of {flight.boost_s:g} s flies {distance_of(flight) / 1e3:.0f} km, at any apogee "
            f"from {centre * SEARCH[0] / 1e3:.0f} to {centre * SEARCH[-1] / 1e3:.0f} km",
            remedy=_other_boost(flight, site, centre, step_s),
        )
    best = int(np.argmin(coarse.energy_j_kg))
    ratio = SEARCH[1] / SEARCH[0]
    around = coarse.apogee_m[best] * ratio ** np.linspace(-1.0, 1.0, 7)
    fine = fly_apogees(flight, around, step_s, planet, np.tile(coarse.unknowns[best], (7, 1)))
    x, y = np.log(fine.apogee_m), fine.energy_j_kg
    if not len(x):
        return float(coarse.apogee_m[best])
    k = int(np.argmin(y))
    if not 0 < k < len(x) - 1:  # the least of those that can be flown, at their edge
        return float(fine.apogee_m[k])
    bend, slope, _ = np.polyfit(x[k - 1 : k + 2] - x[k], y[k - 1 : k + 2] - y[k], 2)
    return float(np.exp(x[k] - 0.5 * slope / bend))


def fly_apogees(
    flight: BallisticFlight,
    apogees_m: Any,
    step_s: float,
    planet: Planet = EARTH,
    starts: Float64[np.ndarray, "apogee 3"] | None = None,
) -> Flown:
    """Solve a flight for many apogees at once; those that cannot be flown are left out."""
    flights = [flight._replace(apogee_m=float(a)) for a in apogees_m]
    solved = many.solve_controls(flights, step_s, starts, planet)
    if starts is not None and not any(f is boost.Fault.NONE for f in solved.fault):
        solved = many.solve_controls(flights, step_s, None, planet)
    good = np.array([f is boost.Fault.NONE for f in solved.fault])
    state = solved.outcome.burnout[good]
    r, v = state[:, :3], state[:, 3:]
    speed = np.linalg.norm(v, axis=1)
    lat, lon, _ = geodetic_from_itrs(r)
    climb = (np.asarray(up_itrs(lat, lon)) * v).sum(-1)
    pad = boost.start(site_of(flight))[None]
    energy = _energy(r, v, planet) - _energy(pad[:, :3], pad[:, 3:], planet)
    return Flown(
        np.array([f.apogee_m for f in flights])[good],
        energy,
        np.arcsin(np.clip(climb / speed, -1.0, 1.0)),
        speed,
        solved.unknowns[good],
    )


def _energy(r: np.ndarray, v: np.ndarray, planet: Planet) -> np.ndarray:
    spin = planet.rate_rad_s**2 * (r[:, 0] ** 2 + r[:, 1] ** 2)
    return 0.5 * (v * v).sum(1) - EARTH_MU / np.linalg.norm(r, axis=1) - 0.5 * spin


def check(shape: str | None, factor: float | None, angle: float | None) -> None:
    """Refuse a shape and figures that contradict each other: PhysicsError. The angle only counts as given or not."""
    if shape not in get_args(Shape):
        raise PhysicsError(f"{shape!r} is no shape", remedy=f"shapes are {', '.join(get_args(Shape))}")
    if factor is not None and angle is not None:
        raise PhysicsError("an apogee factor and a burn-out angle fix the same thing", remedy="give one")
    if shape == "minimum-energy" and (factor is not None or angle is not None):
        raise PhysicsError(
            "a minimum-energy flight has its own apogee",
            remedy='leave the factor and the angle out, or say shape = "lofted" or "depressed"',
        )
    if factor is None:
        return
    if shape == "lofted" and not factor > 1.0:
        raise PhysicsError(
            f"{factor:g} times the minimum-energy apogee is not lofted", remedy="2 is usual, 1.01 the least"
        )
    if shape == "depressed" and not 0.0 < factor < 1.0:
        raise PhysicsError(
            f"{factor:g} times the minimum-energy apogee is not depressed",
            remedy="0.5 is usual, 0.99 the most",
        )


def _at_angle(flight: BallisticFlight, shape: str, least: float, angle: float, step_s: float) -> float:
    """The apogee whose burn-out angle is the wanted one; the angle grows with the apogee."""
    tried = least * ANGLE_FACTORS[shape]
    flown = fly_apogees(flight, tried[tried <= APOGEE_MAX_M], step_s)
    middle = float(np.interp(np.log(least), np.log(flown.apogee_m), flown.angle_rad))
    if (angle > middle) != (shape == "lofted"):
        side = "more" if shape == "lofted" else "less"
        raise PhysicsError(
            f"{degrees(angle):.1f} deg at burn-out is not {shape}: minimum energy has {degrees(middle):.1f} deg",
            remedy=f"give {side} than {degrees(middle):.1f} deg",
        )
    a, b = float(flown.angle_rad.min()), float(flown.angle_rad.max())
    if not a <= angle <= b:
        near = a if angle < a else b
        raise FlightError(
            f"no flight burns out at {degrees(angle):.1f} deg",
            remedy=f"{degrees(near):.1f} deg, with an apogee of "
            f"{flown.apogee_m[int(np.argmin(abs(flown.angle_rad - near)))] / 1e3:.0f} km, can be flown",
        )
    order = np.argsort(flown.angle_rad)
    wanted = np.exp(np.interp(angle, flown.angle_rad[order], np.log(flown.apogee_m)[order]))
    # a straight line over a quarter in height errs by a per cent; one over a fiftieth by a thousandth of that
    near = fly_apogees(flight, wanted * np.linspace(0.98, 1.02, 5), step_s)
    if len(near.apogee_m) < 2:
        return float(wanted)
    line = np.polyfit(near.angle_rad - angle, np.log(near.apogee_m), min(2, len(near.apogee_m) - 1))
    return float(np.exp(line[-1]))


def _out_of_reach(
    flight: BallisticFlight, shape: str, least: float, factor: float, step_s: float
) -> FlightError:
    """The nearest factor that can be flown, to a hundredth."""
    good, bad = 1.0, factor
    for _ in range(2):
        tried = np.geomspace(good, bad, 10)[1:-1]
        flown = fly_apogees(flight, least * tried, step_s).apogee_m / least
        can = np.array([bool(np.isclose(flown, t, rtol=1e-9).any()) for t in tried])
        first = int(np.argmin(can)) if not can.all() else len(tried)
        edges = [good, *tried, bad]
        good, bad = float(edges[first]), float(edges[first + 1])
    # rounded towards the flights that work
    near = np.floor(good * 100) / 100 if shape == "lofted" else np.ceil(good * 100) / 100
    return FlightError(
        f"no {shape} flight has {factor:g} times the minimum-energy apogee, {factor * least / 1e3:.0f} km, with a "
        f"boost of {flight.boost_s:g} s",
        remedy=f"apogee_factor = {near:g}, an apogee of {near * least / 1e3:.0f} km, can be flown",
    )


def _other_boost(flight: BallisticFlight, site: boost.Site, apogee_m: float, step_s: float) -> str:
    """A remedy: the nearest of a dozen boosts that flies the closed form's apogee."""
    grid = step_s * np.unique(np.round(flight.boost_s * np.geomspace(0.2, 5.0, 13) / step_s))
    flights = [flight._replace(boost_s=float(b), apogee_m=apogee_m) for b in grid if b > site.vertical_s]
    solved = many.solve_controls(flights, step_s)
    works = [f.boost_s for f, fault in zip(flights, solved.fault, strict=True) if fault is boost.Fault.NONE]
    if not works:
        return "check the boost time and the points"
    return f"a boost of {min(works, key=lambda b: abs(np.log(b / flight.boost_s))):g} s can fly it"

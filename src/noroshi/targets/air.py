"""Aircraft and cruise missiles: flights through waypoints on the ellipsoid, thousands at once.

Legs are geodesics. A turn is an arc of a geodesic circle tangent to both legs, so the track never breaks and the
waypoint is passed on the inside (fly-by). Turns are level and of even speed; climbs and changes of speed lie on the
straight parts. Terrain, wind, roll-in and the Earth's turning under the aircraft are left out
(docs/theory/air.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import atan, degrees, inf, isfinite, pi, sqrt, tan
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from noroshi.constants import EARTH_E2, EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M, GRAVITY_M_S2
from noroshi.earth import _namespace, destination, enu_from_itrs, geodesic, itrs_from_geodetic
from noroshi.errors import FlightError
from noroshi.tables import Phase
from noroshi.targets.geodesic import Ahead, ahead
from noroshi.targets.models import AirFlight, Trajectory

# The smallest radius of curvature of the ellipsoid, along the meridian at the equator
CURVATURE_MIN_M = EARTH_RADIUS_M * (1.0 - EARTH_E2)
SAME_PLACE_M = 1.0  # notional: nearer waypoints give a leg no direction worth the name
LEG_MAX_M = 19_500e3  # as for ballistic flights: beyond, the direction is not defined well
# The speed on the circle counts as even below: its curvature differs by 1e-7 across this (docs/theory/air.md)
TURN_RADIUS_MAX_M = 300e3
TURN_MAX_RAD = np.radians(
    175.0
)  # notional: beyond, the arc of a fly-by turn begins 23 radii before the waypoint
VERTICAL_M_S2 = 1.0  # notional: 0.1 g, with which a climb is begun and ended
FIT_M = 1e-3  # turns that overlap by less count as touching
NEWTON, CENTRE_M = 12, 1e-4  # turn centres: iterations, and how far those of the two legs may lie apart


class Fault(NamedTuple):
    """Why a flight cannot be flown: number of the waypoint (from 0), its figure (AirFlight's field), and what helps."""

    waypoint: int
    field: str  # "place" or a field of AirFlight
    what: str
    remedy: str


class Route(NamedTuple):
    """Flights laid out in pieces, alternately straight and turn; those of flight k are k of `first`, `first + 1`, ...

    A straight piece starts `start_m` along the geodesic from (lat, lon) at `azimuth`. A turn lies `start_m` from its
    centre (lat, lon), first at `azimuth` from there, swept at `sweep_rad_s`.
    """

    flight: Int[np.ndarray, "piece"]  # number of the flight
    t: Float64[np.ndarray, "piece"]  # s after the flight's start
    lasts: Float64[np.ndarray, "piece"]  # s
    lat: Float64[np.ndarray, "piece"]
    lon: Float64[np.ndarray, "piece"]
    azimuth: Float64[np.ndarray, "piece"]
    start_m: Float64[np.ndarray, "piece"]
    speed: Float64[np.ndarray, "piece"]  # m/s, at the start
    gain: Float64[np.ndarray, "piece"]  # m/s2
    sweep_rad_s: Float64[np.ndarray, "piece"]  # right positive; 0: straight
    height: Float64[np.ndarray, "piece"]  # m, at the start
    climb: Float64[np.ndarray, "piece"]  # m/s, once begun
    ramp_s: Float64[np.ndarray, "piece"]  # for beginning it, and for ending it
    period: Float64[np.ndarray, "flight"]  # s of the whole route, one lap of a closed one
    t_end: Float64[np.ndarray, "flight"]  # s; inf: it goes round for ever


class AirStates(NamedTuple):
    """Where flights are and how they move, ITRS; before their start and after their end they rest there."""

    r_itrs: Float[Any, "flight time 3"]
    v_itrs: Float[Any, "flight time 3"]
    flying: Bool[Any, "flight time"]


def racetrack(
    lat_rad: float,
    lon_rad: float,
    heading_rad: float,
    length_m: float,
    width_m: float,
    height_m: float,
    speed_m_s: float,
    bank_limit_rad: float,
    *,
    turn: str = "right",
    laps: float = inf,
) -> AirFlight:
    """A holding pattern: two straight sides of `length_m` along the heading, `width_m` apart, joined by half circles.

    It starts at the beginning of the side that is flown along the heading, and turns right or left. The centre is
    (lat_rad, lon_rad).
    """
    out = (length_m + width_m) / 2  # the corners that the half circles cut
    ends = [destination(lat_rad, lon_rad, heading_rad + turned, out) for turned in (pi, 0.0)]
    # the axis' own direction at each end, seen towards the heading
    axis = [
        geodesic(*ends[0], lat_rad, lon_rad)[1],
        geodesic(*ends[1], lat_rad, lon_rad)[1] + pi,
    ]
    side = -pi / 2 if turn == "right" else pi / 2
    corners = [
        destination(*ends[end], axis[end] + across, width_m / 2)
        for end, across in ((0, side), (1, side), (1, -side), (0, -side))
    ]
    lat, lon = (tuple(float(corner[k]) for corner in corners) for k in (0, 1))
    return AirFlight(
        lat, lon, (height_m,) * 4, (speed_m_s,) * 4, bank_limit_rad, 1.0, 1.0, True, laps, width_m / 2
    )  # fmt: skip


def fly(flight: AirFlight, step_s: float, longest_s: float = inf) -> Trajectory:
    """The flight every `step_s` from its start to its end, at most `longest_s`; phase CRUISE throughout.

    Raises FlightError where it cannot be flown, or where neither it nor `longest_s` has an end.
    """
    laid = route([flight])
    t_end = float(min(laid.t_end[0], longest_s))
    if not isfinite(t_end):
        raise FlightError("goes round for ever", remedy="give it a number of laps, or a time to stop")
    t = step_s * np.arange(int(t_end / step_s + 1e-9) + 1)
    found = states(laid, np.append(t, t_end))
    r, v = found.r_itrs[0], found.v_itrs[0]
    phase = np.full(len(t), Phase.CRUISE, np.int8)
    return Trajectory(t=t, r_itrs=r[:-1], v_itrs=v[:-1], phase=phase, t_end=t_end, r_end_itrs=r[-1])


def fly_many(flights: Sequence[AirFlight], t: Float[Any, "time"]) -> AirStates:
    """Every flight at the same times t [s after its own start]. Raises FlightError for one that cannot be flown."""
    return states(route(flights), t)


def faults(flight: AirFlight) -> list[Fault]:
    """All that keeps a flight from being flown; empty: `fly` will."""
    return [fault for _, fault in _laid_out([flight])[1]]


def route(flights: Sequence[AirFlight]) -> Route:
    """Lay flights out. Raises FlightError (which flight, which waypoint, what would help) for the first bad one."""
    laid, wrong = _laid_out(flights)
    if laid is None:
        number, fault = wrong[0]
        which = f"flight {number + 1}, " if len(flights) > 1 else ""
        raise FlightError(f"{which}waypoint {fault.waypoint + 1}: {fault.what}", remedy=fault.remedy)
    return laid


def states(laid: Route, t: Float[Any, "time"]) -> AirStates:
    """Flights at times t [s after each one's start]: NumPy for NumPy times, JAX for JAX times (may be jitted)."""
    xp = _namespace(t)
    many = len(laid.period)
    flying = (t >= 0.0) & (t <= laid.t_end[:, None])
    clock = xp.clip(t, 0.0, laid.t_end[:, None])
    lap = xp.floor(clock / laid.period[:, None])
    lap = xp.where(
        clock == lap * laid.period[:, None], xp.maximum(lap - 1.0, 0.0), lap
    )  # a lap ends in its end
    clock = clock - lap * laid.period[:, None]
    # one search for all: each flight's clock starts where the last one's has stopped
    shift = np.concatenate([[0.0], np.cumsum(laid.period + 1.0)[:-1]])
    begun = xp.asarray(laid.t + shift[laid.flight])
    k = xp.searchsorted(begun, (clock + shift[:, None]).ravel(), side="right") - 1
    k = k.reshape(many, len(t))
    u = clock - xp.asarray(laid.t)[k]

    def at(column: np.ndarray) -> Any:
        return xp.asarray(column)[k]

    sweep, speed, gain, start, lasts = map(
        at, (laid.sweep_rad_s, laid.speed, laid.gain, laid.start_m, laid.lasts)
    )
    straight = sweep == 0.0
    place = ahead(
        at(laid.lat),
        at(laid.lon),
        at(laid.azimuth) + sweep * u,
        start + xp.where(straight, (speed + gain / 2 * u) * u, 0.0),
    )
    heading = place.azimuth + xp.sign(sweep) * (pi / 2)
    ramp, climb = at(laid.ramp_s), at(laid.climb)
    ending = xp.clip(u - (lasts - ramp), 0.0, ramp)
    begun_s = xp.clip(u, 0.0, ramp)
    full = xp.clip(u - ramp, 0.0, lasts - 2 * ramp)
    risen = begun_s**2 / (2 * ramp) + full + ending - ending**2 / (2 * ramp)
    height = at(laid.height) + climb * risen
    up = climb * xp.clip(xp.minimum(u, lasts - u) / ramp, 0.0, 1.0)
    r, v = _raised(xp, place, heading, speed + gain * u, height, up)
    return AirStates(r, xp.where(flying[..., None], v, 0.0), flying)


def _raised(xp: Any, place: Ahead, heading: Any, speed: Any, height: Any, up: Any) -> tuple[Any, Any]:
    """ITRS position and velocity `height` above a point that moves over the ellipsoid."""
    sin_lat, cos_lat, sin_lon, cos_lon = (f(x) for x in (place.lat, place.lon) for f in (xp.sin, xp.cos))
    w2 = 1.0 - EARTH_E2 * sin_lat * sin_lat
    prime = EARTH_RADIUS_M / xp.sqrt(w2)
    meridian = prime * (1.0 - EARTH_E2) / w2
    # the point below moves at `speed`; at height each component grows with its own radius of curvature
    north = speed * xp.cos(heading) * (1.0 + height / meridian)
    east = speed * xp.sin(heading) * (1.0 + height / prime)
    level, rise = (prime + height) * cos_lat, up * cos_lat - north * sin_lat
    r = xp.stack([level * cos_lon, level * sin_lon, (prime * (1.0 - EARTH_E2) + height) * sin_lat], axis=-1)
    v = xp.stack(
        [rise * cos_lon - east * sin_lon, rise * sin_lon + east * cos_lon, up * sin_lat + north * cos_lat],
        axis=-1,
    )
    return r, v


# --- laying out ------------------------------------------------------------------------------------------------


class _Legs(NamedTuple):
    """Waypoints of all flights in one row, and the legs between them."""

    flight: np.ndarray  # [leg]
    a: np.ndarray  # [leg] waypoint it leaves
    b: np.ndarray  # [leg] waypoint it goes to
    first: np.ndarray  # [flight] number of its first waypoint
    lat: np.ndarray  # [waypoint]
    lon: np.ndarray
    height: np.ndarray
    speed: np.ndarray
    length: np.ndarray  # [leg] m
    azimuth: np.ndarray  # [leg] where it leaves


def _laid_out(flights: Sequence[AirFlight]) -> tuple[Route | None, list[tuple[int, Fault]]]:
    """The route, or None and every fault with the number of its flight.

    Turns are solved only where every leg has a direction, and legs judged only where every turn has a size.
    """
    early = [(k, fault) for k, flight in enumerate(flights) for fault in _plain_faults(flight)]
    if early:
        return None, early
    legs = _legs(flights)
    wrong = list(_leg_faults(legs))
    if wrong:
        return None, wrong
    own = [flight for flight in flights for _ in flight.lat_rad]
    turn_at, into = _turning(legs)
    swing = np.zeros(len(legs.lat))
    swing[turn_at] = _swing(legs, into)
    radius = np.array([
        _radius(flight, speed, height) for flight, speed, height in zip(own, legs.speed, legs.height, strict=True)
    ])  # fmt: skip
    wrong = list(_turn_faults(legs, flights, own, turn_at, swing, radius))
    if wrong:
        return None, wrong
    cut = np.zeros(len(legs.lat))  # how far before and after a waypoint its turn begins and ends
    cut[turn_at] = _cut(radius[turn_at], swing[turn_at])
    wrong = list(_fit_faults(legs, flights, cut, turn_at))
    if wrong:
        return None, wrong
    before, after, centre = _centres(legs, turn_at, into, swing[turn_at], radius[turn_at])
    return _route(legs, flights, turn_at, into, swing, radius, before, after, centre)


def _plain_faults(flight: AirFlight) -> Iterator[Fault]:
    least = 3 if flight.closed else 2
    if len(flight.lat_rad) < least:
        yield Fault(
            0,
            "place",
            f"{len(flight.lat_rad)} waypoints make no {'closed ' if flight.closed else ''}route",
            f"give {least} waypoints or more",
        )
    for field in ("climb_limit_m_s", "acceleration_limit_m_s2"):
        if not getattr(flight, field) > 0:
            yield Fault(
                0, field, f"{field} = {getattr(flight, field):g} allows no change", "make it more than 0"
            )
    for k, speed in enumerate(flight.speed_m_s):
        if not (isfinite(speed) and speed > 0):
            yield Fault(k, "speed_m_s", f"cannot fly at {speed:g} m/s", "give a speed above 0")
    if not 0 < flight.bank_limit_rad < pi / 2:
        yield Fault(
            0,
            "bank_limit_rad",
            f"a bank limit of {degrees(flight.bank_limit_rad):g} deg allows no level turn",
            "give one between 0 and 90 deg",
        )


def _legs(flights: Sequence[AirFlight]) -> _Legs:
    count = np.array([len(f.lat_rad) for f in flights])
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    number = np.repeat(np.arange(len(flights)), count)
    closed = np.array([f.closed for f in flights])
    a = np.arange(len(number))
    last = a == (first + count - 1)[number]
    b = np.where(last, first[number], a + 1)
    kept = ~last | closed[number]
    lat, lon, height, speed = (
        np.concatenate([np.asarray(getattr(f, name), np.float64) for f in flights])
        for name in ("lat_rad", "lon_rad", "height_m", "speed_m_s")
    )
    a, b = a[kept], b[kept]
    length, azimuth = geodesic(lat[a], lon[a], lat[b], lon[b])
    return _Legs(number[kept], a, b, first, lat, lon, height, speed, length, azimuth)


def _leg_faults(legs: _Legs) -> Iterator[tuple[int, Fault]]:
    for k in np.flatnonzero((legs.length < SAME_PLACE_M) | (legs.length > LEG_MAX_M)).tolist():
        number, length = int(legs.flight[k]), legs.length[k]
        at = int(legs.b[k] - legs.first[number])
        if length < SAME_PLACE_M:
            fault = Fault(at, "place", "lies where the one before does", "leave one of the two out")
        else:
            fault = Fault(
                at,
                "place",
                f"{length / 1e3:,.0f} km from the one before: near the antipode the way is not defined",
                f"put a waypoint between; a leg may be {LEG_MAX_M / 1e3:,.0f} km long",
            )
        yield number, fault


def _turning(legs: _Legs) -> tuple[np.ndarray, np.ndarray]:
    """Waypoints at which there is a turn, and the legs [turn, 2] that end and begin there."""
    arrives = np.full(len(legs.lat), -1)
    leaves = np.full(len(legs.lat), -1)
    arrives[legs.b], leaves[legs.a] = np.arange(len(legs.b)), np.arange(len(legs.a))
    at = np.flatnonzero((arrives >= 0) & (leaves >= 0))
    return at, np.stack([arrives[at], leaves[at]], axis=-1)


def _level_axes(place: Ahead) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors ahead and to the right of a geodesic [..., 3], ITRS: they know no pole."""
    east, north = np.moveaxis(enu_from_itrs(place.lat, place.lon)[..., :2, :], -2, 0)
    sin_a, cos_a = np.sin(place.azimuth)[..., None], np.cos(place.azimuth)[..., None]
    return sin_a * east + cos_a * north, cos_a * east - sin_a * north


def _on_leg(legs: _Legs, leg: np.ndarray, distance: Any) -> Ahead:
    return ahead(legs.lat[legs.a[leg]], legs.lon[legs.a[leg]], legs.azimuth[leg], distance)


def _swing(legs: _Legs, into: np.ndarray) -> np.ndarray:
    """Change of heading at each turn, right positive."""
    along, right = _level_axes(_on_leg(legs, into[:, 0], legs.length[into[:, 0]]))
    then, _ = _level_axes(_on_leg(legs, into[:, 1], 0.0 * into[:, 1]))
    return np.arctan2(np.sum(right * then, axis=-1), np.sum(along * then, axis=-1))


def _radius(flight: AirFlight, speed: float, height: float) -> float:
    """Of the turn's circle on the ellipsoid: v^2 / (g tan bank) at height, where all is larger by 1 + h / rho."""
    if flight.turn_radius_m is not None:
        return flight.turn_radius_m
    return speed**2 * _growth(height) / (GRAVITY_M_S2 * tan(flight.bank_limit_rad))


def _growth(height: float) -> float:
    return 1.0 + max(height, 0.0) / CURVATURE_MIN_M


def _turn_faults(
    legs: _Legs,
    flights: Sequence[AirFlight],
    own: Sequence[AirFlight],
    turn_at: np.ndarray,
    swing: np.ndarray,
    radius: np.ndarray,
) -> Iterator[tuple[int, Fault]]:
    number = np.searchsorted(legs.first, turn_at, side="right") - 1
    steep = np.tan([f.bank_limit_rad for f in own])[turn_at] * GRAVITY_M_S2
    least = legs.speed[turn_at] ** 2 * (1 + np.maximum(legs.height[turn_at], 0) / CURVATURE_MIN_M) / steep
    bad = (np.abs(swing[turn_at]) > TURN_MAX_RAD) | (radius[turn_at] > TURN_RADIUS_MAX_M)
    for k in np.flatnonzero(bad | (radius[turn_at] < least * (1 - 1e-12))).tolist():
        w, n = int(turn_at[k]), int(number[k])
        flight, at, speed = flights[n], int(w - legs.first[n]), legs.speed[w]
        bank = degrees(flight.bank_limit_rad)
        if radius[w] < least[k]:
            fault = Fault(
                at,
                "turn_radius_m",
                f"a turn of {radius[w] / 1e3:.3g} km radius at {speed:g} m/s needs more bank than {bank:g} deg",
                f"make it {_up(least[k] / 1e3)} km or more, or fly at most at "
                f"{_down(speed * sqrt(radius[w] / least[k]))} m/s",
            )
        elif radius[w] > TURN_RADIUS_MAX_M:
            fault = Fault(
                at,
                "speed_m_s",
                f"at {speed:g} m/s and {bank:g} deg of bank a turn has {radius[w] / 1e3:,.0f} km radius",
                f"fly at most at {_down(speed * sqrt(TURN_RADIUS_MAX_M / radius[w]))} m/s, or allow "
                f"{_up(degrees(atan(tan(flight.bank_limit_rad) * radius[w] / TURN_RADIUS_MAX_M)))} deg of bank",
            )
        else:
            fault = Fault(
                at,
                "place",
                f"a turn back of {degrees(abs(swing[w])):.0f} deg cannot be flown past one waypoint",
                f"use two waypoints, {_up(2 * radius[w] / 1e3)} km or more apart",
            )
        yield n, fault


def _cut(radius: np.ndarray, swing: np.ndarray) -> np.ndarray:
    """Before and after a waypoint its turn takes this much of the legs, to the ellipsoid's flattening."""
    rho = EARTH_POLAR_RADIUS_M
    return rho * np.arctan(np.tan(np.abs(swing) / 2) * np.sin(radius / rho))


def _fit_faults(
    legs: _Legs, flights: Sequence[AirFlight], cut: np.ndarray, turn_at: np.ndarray
) -> Iterator[tuple[int, Fault]]:
    taken = cut[legs.a] + cut[legs.b]
    spare = legs.length - taken
    v1, v2 = legs.speed[legs.a], legs.speed[legs.b]
    h1, h2 = legs.height[legs.a], legs.height[legs.b]
    hardest, steepest = (
        np.array([getattr(flights[f], name) for f in legs.flight])
        for name in ("acceleration_limit_m_s2", "climb_limit_m_s")
    )
    # to the flattening, 0.3 %, a turn may yet fit: _route judges the rest
    crowded = spare < -0.01 * taken - FIT_M
    room = np.maximum(spare, 0.0)
    faster = np.abs(v2**2 - v1**2) > 2 * hardest * room * (1 + 1e-9)
    for k in np.flatnonzero(crowded).tolist():
        yield _crowded(legs, flights, k, taken[k])
    time = 2 * room / (v1 + v2)
    for k in np.flatnonzero(~crowded).tolist():
        n = int(legs.flight[k])
        at = int(legs.b[k] - legs.first[n])
        if faster[k]:
            need = abs(v2[k] ** 2 - v1[k] ** 2) / (2 * hardest[k])
            reach = v1[k] ** 2 + np.copysign(2 * hardest[k] * room[k], v2[k] - v1[k])
            word = "at most" if v2[k] > v1[k] else "at least"
            round_ = _down if v2[k] > v1[k] else _up
            yield (
                n,
                Fault(
                    at,
                    "speed_m_s",
                    f"from {v1[k]:g} to {v2[k]:g} m/s at {hardest[k]:g} m/s2 takes {need / 1e3:.3g} km; "
                    f"the straight part of the leg has {room[k] / 1e3:.3g} km",
                    f"fly {word} {round_(sqrt(reach))} m/s there, or make the leg "
                    f"{_up((need - room[k]) / 1e3)} km longer",
                ),
            )
            continue
        rise = abs(h2[k] - h1[k])
        if rise == 0:
            continue
        most = _rise_max(time[k], steepest[k])
        if rise > most * (1 + 1e-9):
            need = _time_for(rise, steepest[k])
            yield (
                n,
                Fault(
                    at,
                    "height_m",
                    f"from {h1[k]:,.0f} to {h2[k]:,.0f} m at {steepest[k]:g} m/s, begun and ended at "
                    f"{VERTICAL_M_S2:g} m/s2, takes {need:.0f} s; "
                    f"the straight part of the leg lasts {time[k]:.0f} s",
                    f"change height by at most {_down(most)} m, or make the leg "
                    f"{_up((need - time[k]) * (v1[k] + v2[k]) / 2e3)} km longer",
                ),
            )


def _crowded(legs: _Legs, flights: Sequence[AirFlight], k: int, taken: float) -> tuple[int, Fault]:
    n = int(legs.flight[k])
    flight, length = flights[n], legs.length[k]
    wide = tan(flight.bank_limit_rad) * taken / length
    speeds = sorted({float(legs.speed[legs.a[k]]), float(legs.speed[legs.b[k]])})
    slower = sqrt(float(length) / taken)
    if flight.turn_radius_m is not None:
        help_ = f"make turns of at most {_down(flight.turn_radius_m * length / taken / 1e3)} km radius"
    else:
        help_ = (
            f"fly at most at {' and '.join(_down(v * slower) for v in speeds)} m/s, or allow "
            f"{_up(degrees(atan(wide)))} deg of bank"
        )
    return n, Fault(
        int(legs.b[k] - legs.first[n]),
        "place",
        f"the leg to it is {length / 1e3:.4g} km long, but the turns on it take {taken / 1e3:.4g} km",
        f"place the two waypoints {_up(taken / 1e3)} km or more apart; or {help_}",
    )


def _up(value: float) -> str:
    return _rounded(value, np.ceil)


def _down(value: float) -> str:
    return _rounded(value, np.floor)


def _rounded(value: float, towards: Any) -> str:
    """Three digits, rounded to the safe side so that the remedy works as printed."""
    unit = 10.0 ** (np.floor(np.log10(max(value, 1e-9))) - 2)
    # the margin covers what the estimate leaves out (flattening) and the last bit
    return f"{towards(value / unit * (1 + (0.003 if towards is np.ceil else -0.003))) * unit:.6g}"


def _rise_max(time: float, rate: float) -> float:
    """Largest change of height in a time, begun and ended at VERTICAL_M_S2."""
    if time * VERTICAL_M_S2 < 2 * rate:
        return VERTICAL_M_S2 * time**2 / 4
    return rate * (time - rate / VERTICAL_M_S2)


def _time_for(rise: float, rate: float) -> float:
    """Shortest time for a change of height."""
    if rise < rate**2 / VERTICAL_M_S2:
        return 2 * sqrt(rise / VERTICAL_M_S2)
    return rise / rate + rate / VERTICAL_M_S2


def _centres(
    legs: _Legs, turn_at: np.ndarray, into: np.ndarray, swing: np.ndarray, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[Ahead, Ahead, np.ndarray]]:
    """Where each turn leaves its first leg (m before the waypoint) and joins its second (m after), and its centre.

    The centre lies square to both legs at the radius. Newton on the two distances, with the plane's derivatives:
    they are off by (radius / Earth radius)^2, so each step gains two digits or more. Where the legs nearly agree
    the two distances cannot be told apart, and both take half of the change.
    """
    before = after = _cut(radius, swing)
    side = np.sign(swing) * (pi / 2)
    for _ in range(NEWTON):
        leave = _on_leg(legs, into[:, 0], legs.length[into[:, 0]] - before)
        join = _on_leg(legs, into[:, 1], after)
        from_leave = ahead(leave.lat, leave.lon, leave.azimuth + side, radius)
        from_join = ahead(join.lat, join.lon, join.azimuth + side, radius)
        apart = _ground(from_leave) - _ground(from_join)
        axes = np.stack([_level_axes(leave)[0], _level_axes(join)[0]], axis=-1)
        step = (
            np.einsum("nij,nj->ni", np.linalg.pinv(axes, rcond=1e-3), apart) if len(apart) else apart[:, :2]
        )
        before, after = before + step[:, 0], after + step[:, 1]
    return before, after, (from_leave, from_join, np.linalg.norm(apart, axis=-1))


def _ground(place: Ahead) -> np.ndarray:
    return itrs_from_geodetic(place.lat, place.lon, 0.0 * place.lat)


def _route(
    legs: _Legs,
    flights: Sequence[AirFlight],
    turn_at: np.ndarray,
    into: np.ndarray,
    swing: np.ndarray,
    radius: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    centre: tuple[Ahead, Ahead, np.ndarray],
) -> tuple[Route | None, list[tuple[int, Fault]]]:
    from_leave, from_join, apart = centre
    count = len(legs.a)
    turn_of = np.full(count, -1)  # the turn at the end of each leg
    turn_of[into[:, 0]] = np.arange(len(turn_at))
    begins, ends = np.zeros(count), legs.length.copy()
    begins[into[:, 1]] = after
    ends[into[:, 0]] -= before
    room = ends - begins
    tight = [
        _crowded(legs, flights, k, legs.length[k] - room[k]) for k in np.flatnonzero(room < -FIT_M).tolist()
    ]
    if tight:
        return None, tight
    if np.any(apart > CENTRE_M):  # no route has been found that does this
        w = int(turn_at[np.argmax(apart)])
        n = int(np.searchsorted(legs.first, w, side="right") - 1)
        return None, [
            (n, Fault(int(w - legs.first[n]), "place", "no turn could be laid out", "move the waypoint"))
        ]
    room = np.maximum(room, 0.0)
    v1, v2 = legs.speed[legs.a], legs.speed[legs.b]
    time = 2 * room / (v1 + v2)
    climb, ramp = _climb(legs.height[legs.b] - legs.height[legs.a], time)

    # a turn's own angle and the length of its arc, both from the centre
    right = np.sign(swing[turn_at])
    first, last = from_leave.azimuth + pi, from_join.azimuth + pi
    # from the centre both azimuths point back; the meridians of the two solutions agree
    swept = np.mod(right * (last - first) + pi, 2 * pi) - pi
    swept = np.where(swept < -1e-6, swept + 2 * pi, np.maximum(swept, 0.0))
    # reduced length of the radius: the circle's length per radian, with the curvature at the centre
    w2 = 1.0 - EARTH_E2 * np.sin(from_leave.lat) ** 2
    root = w2 / EARTH_POLAR_RADIUS_M  # of the Gaussian curvature: w^2 / b
    per_radian = np.sin(radius[turn_at] * root) / root
    sweep = right * legs.speed[turn_at] / per_radian
    lasting = swept * per_radian / legs.speed[turn_at]

    def woven(straight: Any, turn: Any) -> np.ndarray:
        """Each leg's straight piece and the turn after it, alternately; of those that take time."""
        columns = np.zeros((count, 2))
        columns[:, 0] = straight
        columns[turn_of >= 0, 1] = np.asarray(turn)[turn_of[turn_of >= 0]]
        return columns.ravel()[kept]

    kept = slice(None)
    lasts = woven(time, lasting)
    kept = lasts > 0.0
    flight = np.repeat(legs.flight, 2)
    many = len(flights)
    period = np.bincount(flight, lasts, many)
    before_all = np.concatenate([[0.0], np.cumsum(lasts)[:-1]])
    start = before_all - before_all[np.searchsorted(flight, np.arange(many))][flight]
    laps = np.array([f.laps if f.closed else 1.0 for f in flights])
    return Route(
        flight=flight[kept],
        t=start[kept],
        lasts=lasts[kept],
        lat=woven(legs.lat[legs.a], from_leave.lat),
        lon=woven(legs.lon[legs.a], from_leave.lon),
        azimuth=woven(legs.azimuth, first),
        start_m=woven(begins, radius[turn_at]),
        speed=woven(v1, legs.speed[turn_at]),
        gain=woven((v2 - v1) / np.maximum(time, 1e-9), 0.0 * sweep),
        sweep_rad_s=woven(0.0, sweep),
        height=woven(legs.height[legs.a], legs.height[turn_at]),
        climb=woven(climb, 0.0 * sweep),
        ramp_s=woven(ramp, 0.0 * sweep + 1e-9),
        period=period,
        t_end=laps * period,
    ), []


def _climb(rise: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rate of climb [m/s] and the time for beginning it: the least rate that does it in the time."""
    root = np.sqrt(np.maximum((VERTICAL_M_S2 * time) ** 2 - 4 * VERTICAL_M_S2 * np.abs(rise), 0.0))
    # the smaller root of rate (time - rate / a) = rise, in the form that does not cancel
    rate = 2 * np.abs(rise) * VERTICAL_M_S2 / np.maximum(VERTICAL_M_S2 * time + root, 1e-9)
    ramp = np.clip(rate / VERTICAL_M_S2, 1e-9, np.maximum(time / 2, 1e-9))
    return rise / np.maximum(time - ramp, 1e-9), ramp

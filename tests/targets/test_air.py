"""Flights through waypoints: on their geodesics, at their speeds, in turns that the bank limit allows."""

from __future__ import annotations

import re
from math import inf, pi

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import assume, given
from hypothesis import strategies as st

from noroshi.constants import EARTH_E2, EARTH_RADIUS_M
from noroshi.earth import geodesic, geodetic_from_itrs, itrs_from_geodetic
from noroshi.errors import FlightError
from noroshi.tables import Phase
from noroshi.targets import air
from noroshi.targets.geodesic import ahead
from noroshi.targets.models import AirFlight

G = 9.80665
WGS84 = Geodesic.WGS84


def flight(*points, speed=240.0, height=10e3, bank=25.0, **more) -> AirFlight:
    """Waypoints (latitude, longitude[, height[, speed]]) in degrees."""
    full = [(*p, *(height, speed)[len(p) - 2 :]) for p in points]
    lat, lon, h, v = zip(*full, strict=True)
    limits = {"climb_limit_m_s": 15.0, "acceleration_limit_m_s2": 2.0} | more
    return AirFlight(
        tuple(np.radians(lat)), tuple(np.radians(lon)), h, v, bank_limit_rad=np.radians(bank), **limits
    )


DOGLEG = flight((35, 140, 3000.0, 200.0), (36, 141), (36.5, 143, 9000.0, 240.0), (35.5, 144, 500.0, 150.0))


def states(of: AirFlight, t) -> tuple[np.ndarray, np.ndarray]:
    found = air.states(air.route([of]), np.asarray(t, float))
    return found.r_itrs[0], found.v_itrs[0]


def off_line(r: np.ndarray, lat1: float, lon1: float, lat2: float, lon2: float) -> np.ndarray:
    """Distance [m] of positions from the geodesic between two points (degrees), by geographiclib."""
    line = WGS84.Inverse(lat1, lon1, lat2, lon2)
    lat, lon, _ = np.degrees(np.array(geodetic_from_itrs(r)))
    found = []
    for a, b in zip(lat, lon, strict=True):
        to = WGS84.Inverse(lat1, lon1, a, b)
        foot = WGS84.Direct(
            lat1, lon1, line["azi1"], to["s12"] * np.cos(np.radians(to["azi1"] - line["azi1"]))
        )
        found.append(WGS84.Inverse(a, b, foot["lat2"], foot["lon2"])["s12"])
    return np.array(found)


# --- the direct problem --------------------------------------------------------------------------------


def test_ahead_agrees_with_geographiclib_everywhere() -> None:
    rng = np.random.default_rng(1)
    lat, lon, azimuth = rng.uniform([-90, -180, -180], [90, 180, 180], (500, 3)).T
    distance = rng.uniform(0, 2e7, 500)
    lat[:6], azimuth[:6] = [90, -90, 0, 0, 90, 0], [30, 40, 90, -90, 180, 0]
    found = ahead(np.radians(lat), np.radians(lon), np.radians(azimuth), distance)
    r = itrs_from_geodetic(found.lat, found.lon, 0.0 * found.lat)
    for k in range(500):
        want = WGS84.Direct(lat[k], lon[k], azimuth[k], distance[k])
        there = itrs_from_geodetic(np.radians(want["lat2"]), np.radians(want["lon2"]), 0.0)
        # both round in double precision: 13 nm seen, a metre was asked for
        assert np.linalg.norm(r[k] - there) < 1e-7
        turned = (np.degrees(found.azimuth[k]) - want["azi2"] + 180) % 360 - 180
        assert abs(turned) * np.cos(np.radians(want["lat2"])) < 1e-12 * 180 / pi


# --- a straight flight ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ends", [((35, 140), (48, -122)), ((-10, 179), (5, -178)), ((80, 20), (81, -150)), ((0, 10), (0, 20))]
)
def test_a_transit_lies_on_the_geodesic_and_keeps_its_ground_speed(ends) -> None:
    """Across the Pacific, the date line, beside the pole, along the equator."""
    line = WGS84.Inverse(*ends[0], *ends[1])
    flown = air.fly(flight(*ends, height=0.0), 60.0)
    assert flown.t_end * 240 == pytest.approx(line["s12"], abs=1e-6)
    for t, r in zip(flown.t[::20], flown.r_itrs[::20], strict=True):
        want = WGS84.Direct(*ends[0], line["azi1"], 240 * t)
        there = itrs_from_geodetic(np.radians(want["lat2"]), np.radians(want["lon2"]), 0.0)
        assert np.linalg.norm(r - there) < 1e-6  # the azimuth of the inverse problem is good to 1e-15 rad
    assert np.linalg.norm(flown.v_itrs, axis=1) == pytest.approx(240.0, abs=1e-9)
    assert np.linalg.norm(flown.r_end_itrs - itrs_from_geodetic(*np.radians(ends[1]), 0.0)) < 1e-6
    assert set(flown.phase.tolist()) == {Phase.CRUISE}


def test_speed_at_height_grows_with_the_radius_of_curvature() -> None:
    """Closed form: 1 + h / a along the equator, 1 + h / M along a meridian (M = a (1 - e2) / (1 - e2 sin2)^1.5)."""
    _, east = states(flight((0, 10), (0, 20), height=20e3), [100.0])
    assert east[0, :2] @ east[0, :2] == pytest.approx((240 * (1 + 20e3 / EARTH_RADIUS_M)) ** 2, rel=1e-12)
    r, north = states(flight((40, 10), (50, 10), height=20e3), [1000.0])
    lat = geodetic_from_itrs(r)[0][0]
    m = EARTH_RADIUS_M * (1 - EARTH_E2) / (1 - EARTH_E2 * np.sin(lat) ** 2) ** 1.5
    assert np.linalg.norm(north) == pytest.approx(240 * (1 + 20e3 / m), rel=1e-12)


# --- turns, climbs, speeds -----------------------------------------------------------------------------


def test_velocity_is_the_derivative_of_position() -> None:
    """Within a piece; central differences over 0.1 s are off by v w2 dt2 / 6 = 3e-5 m/s, rounding by 1e-7."""
    laid, dt = air.route([DOGLEG]), 0.05
    inside = np.concatenate(
        [np.linspace(a + 0.1, a + n - 0.1, 40) for a, n in zip(laid.t, laid.lasts, strict=True)]
    )
    slope = (states(DOGLEG, inside + dt)[0] - states(DOGLEG, inside - dt)[0]) / (2 * dt)
    assert np.abs(slope - states(DOGLEG, inside)[1]).max() < 2e-4


def test_nothing_jumps_where_pieces_meet() -> None:
    laid = air.route([DOGLEG])
    seams, dt = laid.t[1:], 1e-6
    before, after = states(DOGLEG, seams - dt), states(DOGLEG, seams + dt)
    # 2 us at 240 m/s move 0.5 mm; the two solutions for a turn's centre agree to some nanometres
    assert np.linalg.norm(after[0] - before[0] - 2 * dt * before[1], axis=1).max() < 1e-6
    assert np.linalg.norm(after[1] - before[1], axis=1).max() < 2e-5  # 2 us of at most 5 m/s2, and rounding


def test_straight_parts_lie_on_the_legs() -> None:
    laid = air.route([DOGLEG])
    places = [(35, 140), (36, 141), (36.5, 143), (35.5, 144)]
    for k, piece in enumerate((0, 2, 4)):
        t = laid.t[piece] + laid.lasts[piece] * np.linspace(0, 1, 7)
        assert off_line(states(DOGLEG, t)[0], *places[k], *places[k + 1]).max() < 0.01  # asked: centimetres


def test_a_turn_is_a_coordinated_turn() -> None:
    """w = g tan(bank) / v: 240 m/s and 25 deg give 1.0917 deg/s; a waypoint is missed by R (1 / cos(half) - 1)."""
    level = flight((35, 140), (36, 141), (36, 143), height=0.0)
    laid = air.route([level])
    t = laid.t[1] + laid.lasts[1] * np.linspace(0.01, 0.99, 501)
    r, v = states(level, t)
    lat, lon, _ = geodetic_from_itrs(r)
    distance, _ = geodesic(lat, lon, *np.radians((36.0, 141.0)))
    assert np.degrees(np.abs(laid.sweep_rad_s[1])) == pytest.approx(1.09170, rel=1e-5)
    turned = np.degrees(np.arccos(v[0] @ v[-1] / 240**2)) / (t[-1] - t[0])
    assert turned == pytest.approx(1.09170, rel=1e-3)  # on a sphere of 6.4e6 m the axes tilt by d / R = 1e-3
    swing = np.abs(laid.sweep_rad_s[1]) * laid.lasts[1]
    radius = 240**2 / (G * np.tan(np.radians(25)))
    want = radius * (1 / np.cos(swing / 2) - 1)
    assert distance.min() == pytest.approx(
        want, rel=1e-4
    )  # plane geometry: (d / R)^2 = 3e-6; 0.2 s between points


def test_the_widest_turn_keeps_its_speed() -> None:
    """293 km of radius: the circle's curvature varies, and the speed with it, by 1e-7 (docs/theory/air.md)."""
    of = flight((40, 10), (48, 12), (48, 28), speed=1300.0, height=0.0, bank=30.5)
    laid, dt = air.route([of]), 0.5
    assert laid.start_m[1] > 290e3
    t = laid.t[1] + np.linspace(1, laid.lasts[1] - 1, 100)
    chord = np.linalg.norm(states(of, t + dt)[0] - states(of, t - dt)[0], axis=1) / (2 * dt)
    speed = chord * (1 + (laid.sweep_rad_s[1] * dt) ** 2 / 6)  # of the arc above its chord
    assert np.abs(speed / 1300 - 1).max() < 2e-7  # 1.1e-7 seen; the Earth's own curvature adds 2e-9


@pytest.mark.parametrize("height", [0.0, 20e3])
def test_the_bank_needed_at_height_is_the_limit_and_no_more(height: float) -> None:
    of = flight((35, 140), (36, 141), (35, 142), height=height)
    bank = banks(of)
    assert bank.max() <= np.radians(25) * (1 + 1e-6)
    # the radius is that of the ellipsoid's smallest curvature: at 20 km too wide by h / rho * 0.7 %
    assert bank.max() == pytest.approx(np.radians(25), rel=1e-3)


def banks(of: AirFlight, count: int = 400) -> np.ndarray:
    """Bank [rad] of level co-ordinated flight: horizontal acceleration across the path, from differences of v."""
    t_end, dt = float(air.route([of]).t_end[0]), 0.01
    t = np.linspace(2 * dt, t_end - 2 * dt, count)
    r, v = states(of, t)
    a = (states(of, t + dt)[1] - states(of, t - dt)[1]) / (2 * dt)
    lat, lon, _ = geodetic_from_itrs(r)
    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
    level = v - np.sum(v * up, 1)[:, None] * up
    right = np.cross(level, up) / np.linalg.norm(level, axis=1)[:, None]
    return np.arctan(np.abs(np.sum(a * right, 1)) / G)


def test_speed_and_height_change_on_the_straight_within_their_limits() -> None:
    t = np.arange(0, air.route([DOGLEG]).t_end[0], 0.5)
    r, v = states(DOGLEG, t)
    lat, lon, h = geodetic_from_itrs(r)
    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
    rate = np.sum(v * up, 1)
    speed = np.linalg.norm(v - rate[:, None] * up, axis=1)
    assert np.abs(rate).max() <= 15.0
    assert np.abs(np.diff(rate)).max() <= 0.5 * air.VERTICAL_M_S2 * (1 + 1e-6)
    assert np.abs(np.diff(speed)).max() <= 0.5 * 2.0
    assert h.min() >= 500 - 1e-6
    assert h.max() <= 10e3 + 1e-6
    assert (h[0], h[-1]) == (pytest.approx(3000, abs=1e-6), pytest.approx(500, abs=1.0))
    assert speed[0] == pytest.approx(200 * (1 + 3000 / 6.37e6), rel=1e-5)
    # closed form: a rise H in time T takes the rate that solves rate (T - rate / a) = H
    laid = air.route([DOGLEG])
    first = laid.climb[0]
    assert first * (laid.lasts[0] - first / air.VERTICAL_M_S2) == pytest.approx(7000)


def test_low_and_level_is_low_and_level() -> None:
    """A cruise missile keeps its height over the ellipsoid through every turn."""
    of = flight((35, 140), (35.4, 140.3), (35.6, 141), speed=250, height=60.0, bank=45)
    _, _, h = geodetic_from_itrs(air.fly(of, 1.0).r_itrs)
    assert np.abs(h - 60).max() < 1e-6


# --- patterns ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", ["right", "left"])
def test_a_racetrack_closes_and_takes_its_time(turn: str) -> None:
    of = air.racetrack(*np.radians((36, 150, 30)), 80e3, 30e3, 9e3, 200.0, np.radians(25), turn=turn)
    laid = air.route([of])
    lap = float(laid.period[0])
    # the plane's (2 L + pi W) / v; the sphere's excess over 110 by 30 km is 8e-5
    assert lap == pytest.approx((160e3 + pi * 30e3) / 200, rel=2e-4)
    r, v = states(of, [0.0, lap * (1 + 1e-9), 7 * lap * (1 + 1e-9)])
    assert np.linalg.norm(r - r[0], axis=1).max() < 1e-2  # 1e-9 of a lap is 2 mm at 200 m/s
    assert np.linalg.norm(v - v[0], axis=1).max() < 1e-4
    lat, lon, _ = geodetic_from_itrs(states(of, np.linspace(0, lap, 2000))[0])
    distance, azimuth = geodesic(*np.radians((36, 150)), lat, lon)
    along, across = distance * np.cos(azimuth - np.radians(30)), distance * np.sin(azimuth - np.radians(30))
    assert np.ptp(along) == pytest.approx(110e3, rel=1e-3)
    assert np.ptp(across) == pytest.approx(30e3, rel=1e-3)
    assert abs(along.max() + along.min()) < 50
    assert abs(across.max() + across.min()) < 50
    # it sets out along the heading, on the left of the axis for turns to the right
    assert across[0] * (1 if turn == "left" else -1) == pytest.approx(15e3, rel=1e-3)
    assert np.all(np.diff(along[:50]) > 0)
    assert banks(of._replace(laps=1), 900).max() < np.radians(25)


def test_a_circle_is_a_racetrack_without_length() -> None:
    of = air.racetrack(*np.radians((36, 150, 0)), 0.0, 40e3, 9e3, 200.0, np.radians(25))
    lat, lon, _ = geodetic_from_itrs(states(of, np.linspace(0, 630, 300))[0])
    distance, _ = geodesic(*np.radians((36, 150)), lat, lon)
    assert distance == pytest.approx(20e3, abs=1.0)  # four arcs whose centres lie within a metre


def test_laps_end_where_they_began_or_at_the_time_asked() -> None:
    of = air.racetrack(*np.radians((36, 150, 0)), 20e3, 20e3, 9e3, 200.0, np.radians(25), laps=2)
    flown = air.fly(of, 1.0)
    assert np.linalg.norm(flown.r_end_itrs - flown.r_itrs[0]) < 1e-3
    assert flown.t_end == pytest.approx(2 * (40e3 + pi * 20e3) / 200, rel=1e-3)
    assert air.fly(of._replace(laps=inf), 1.0, 500.0).t_end == 500.0
    with pytest.raises(FlightError, match="for ever"):
        air.fly(of._replace(laps=inf), 1.0)


# --- many at once --------------------------------------------------------------------------------------


def test_many_flights_are_each_as_if_alone_and_jax_agrees() -> None:
    import noroshi._jax  # noqa: F401

    # isort: split
    import jax
    import jax.numpy as jnp

    loop = air.racetrack(*np.radians((36, 150, 30)), 50e3, 30e3, 9e3, 200.0, np.radians(25))
    flights = [DOGLEG, loop, flight((0, 0), (1, 1)), flight((80, 0), (85, 90), (80, 180))]
    t = np.arange(-5.0, 3000.0, 7.0)
    many = air.fly_many(flights, t)
    for k, of in enumerate(flights):
        r, v = states(of, t)
        # the clocks of all flights share one axis of 1e4 s: the piece is the same, the time good to 1e-12 s
        assert np.abs(many.r_itrs[k] - r).max() < 1e-6
        assert np.abs(many.v_itrs[k] - v).max() < 1e-6
    assert np.all(many.v_itrs[~many.flying] == 0.0)
    assert many.flying[:, 0].tolist() == [False] * 4
    assert many.flying[:, -1].tolist() == [False, True, False, True]
    laid = air.route(flights)
    jitted = jax.jit(lambda x: air.states(laid, x))(jnp.asarray(t))
    assert np.abs(np.asarray(jitted.r_itrs) - many.r_itrs).max() < 1e-6
    assert np.abs(np.asarray(jitted.v_itrs) - many.v_itrs).max() < 1e-9


# --- what cannot be flown ------------------------------------------------------------------------------


def numbers(text: str) -> list[float]:
    return [float(x.replace(",", "")) for x in re.findall(r"\d[\d,]*\.?\d*(?:e[+-]?\d+)?", text)]


def test_turns_that_do_not_fit_say_what_would() -> None:
    of = flight((35, 140), (36, 140), (36, 140.1), (35, 140.1))
    (fault,) = air.faults(of)
    assert (fault.waypoint, fault.field) == (2, "place")
    assert "take 25" in fault.what
    assert "9.01" in fault.what
    distance, speed, bank = numbers(fault.remedy)
    assert air.faults(flight((35, 140), (36, 140), (36, 140.1), (35, 140.1), speed=speed)) == []
    assert air.faults(flight((35, 140), (36, 140), (36, 140.1), (35, 140.1), bank=bank)) == []
    apart = 140 + 0.1 * distance / 9.0181
    assert air.faults(flight((35, 140), (36, 140), (36, apart), (35, apart))) == []
    # and it is no wide margin: 2 % less does not do
    assert air.faults(flight((35, 140), (36, 140), (36, 140.1), (35, 140.1), speed=speed * 1.02))


def test_too_steep_too_hasty() -> None:
    (fault,) = air.faults(flight((35, 140, 1000.0), (35.1, 140, 9000.0)))
    assert (fault.waypoint, fault.field) == (1, "height_m")
    most, longer = numbers(fault.remedy)
    assert air.faults(flight((35, 140, 1000.0), (35.1, 140, 1000 + most))) == []
    assert air.faults(flight((35, 140, 1000.0), (35.1, 140, 1000 + 1.05 * most)))
    more = 0.1 * (1 + longer / 11.0)
    assert air.faults(flight((35, 140, 1000.0), (35 + more, 140, 9000.0))) == []
    (fault,) = air.faults(flight((35, 140, 1e3, 100.0), (35.01, 140, 1e3, 300.0)))
    assert (fault.waypoint, fault.field) == (1, "speed_m_s")
    fastest, longer = numbers(fault.remedy)
    assert air.faults(flight((35, 140, 1e3, 100.0), (35.01, 140, 1e3, fastest))) == []
    assert air.faults(flight((35, 140, 1e3, 100.0), (35.01, 140, 1e3, 1.05 * fastest)))
    assert air.faults(flight((35, 140, 1e3, 300.0), (35.01, 140, 1e3, 100.0)))[0].remedy.startswith(
        "fly at least"
    )


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (flight((35, 140), (35, 140)), "lies where the one before does"),
        (flight((10, 0), (-10, 179.9)), "antipode"),
        (flight((35, 140), (36, 140), (35, 140.0001)), "turn back of 180 deg"),
        (flight((35, 140), (36, 140), speed=0.0), "cannot fly at 0 m/s"),
        (flight((35, 140)), "1 waypoints make no route"),
        (flight((35, 140), (36, 140), closed=True), "2 waypoints make no closed route"),
        (flight((35, 140), (36, 140), bank=0.0), "bank limit"),
        (flight((35, 140), (36, 140), climb_limit_m_s=0.0), "climb_limit_m_s = 0"),
        (flight((0, 0), (20, 0), (20, 20), speed=1500.0, bank=10.0), "1,303 km radius"),
    ],
)
def test_bad_routes_are_refused(of: AirFlight, message: str) -> None:
    with pytest.raises(FlightError, match=message) as caught:
        air.fly(of, 1.0)
    assert caught.value.remedy
    with pytest.raises(FlightError, match="flight 2, waypoint"):
        air.fly_many([DOGLEG, of], np.zeros(1))


def test_a_narrow_racetrack_says_how_wide_it_must_be() -> None:
    def of(width: float, speed: float = 200.0) -> AirFlight:
        return air.racetrack(0.6, 2.4, 0.0, 50e3, width, 9e3, speed, np.radians(25))

    fault = air.faults(of(10e3))[0]
    assert fault.field == "turn_radius_m"
    radius, speed = numbers(fault.remedy)
    assert radius == pytest.approx(200**2 / (G * np.tan(np.radians(25))) / 1e3, rel=0.02)
    assert air.faults(of(2e3 * radius)) == []
    assert air.faults(of(10e3, speed)) == []


# --- any route -----------------------------------------------------------------------------------------


@st.composite
def routes(draw) -> AirFlight:
    """A walk of legs of 40-400 km anywhere, the poles included, turning by up to 150 deg each time."""
    lat, lon = draw(st.floats(-90, 90)), draw(st.floats(-180, 180))
    heading = draw(st.floats(-180, 180))
    points = []
    for _ in range(draw(st.integers(2, 6))):
        points.append((lat, lon, draw(st.floats(0, 12e3)), draw(st.floats(80, 300))))
        step = WGS84.Direct(lat, lon, heading, draw(st.floats(40e3, 400e3)))
        lat, lon = step["lat2"], step["lon2"]
        heading = step["azi2"] + draw(st.floats(-150, 150))
    return flight(*points, bank=draw(st.floats(15, 60)), climb_limit_m_s=200.0)


@given(routes())
def test_any_route_that_is_accepted_is_flown_as_promised(of: AirFlight) -> None:
    assume(not air.faults(of))
    flown = air.fly(of, 1.0)
    low, high = min(of.height_m), max(of.height_m)
    _, _, h = geodetic_from_itrs(flown.r_itrs)
    assert h.min() >= low - 1e-5
    assert h.max() <= high + 1e-5
    speed = np.linalg.norm(flown.v_itrs, axis=1)
    fastest = np.hypot(max(of.speed_m_s) * (1 + high / air.CURVATURE_MIN_M), 200.0)
    assert speed.max() <= fastest * (1 + 1e-9)
    steps = np.linalg.norm(np.diff(flown.r_itrs, axis=0), axis=1)
    # a step is at most the larger speed times 1 s; between, the speed changes by at most 2 m/s2
    assert np.all(steps <= np.maximum(speed[1:], speed[:-1]) + 2.0)
    assert np.all(steps >= 0.5 * min(of.speed_m_s))
    assert banks(of, 200).max() <= of.bank_limit_rad * (1 + 1e-5)
    laid = air.route([of])
    before, after = (states(of, laid.t[1:] + dt)[0] for dt in (-1e-6, 1e-6))
    assert np.linalg.norm(after - before, axis=1).max(initial=0.0) < 2e-3  # 2 us at 300 m/s, and 1 mm


# --- a recorded flight ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start_s", "stop_s", "every", "near_m"),
    [
        # long legs: between points 30 s apart the track sags by up to 80 m from the chord (81 m seen)
        (2400, 4200, 6, 150.0),
        # with turns: a fly-by cuts the corner of 20 s chords by up to R (1 / cos - 1), 400 m at 1 km (416 m seen)
        (1200, 2400, 4, 600.0),
    ],
)
def test_a_thinned_ads_b_track_is_flown_near_the_recorded_one(
    shared_data, start_s: int, stop_s: int, every: int, near_m: float
) -> None:
    """Perth 2019 (xoolive/traffic, OpenSky): 20-30 s waypoints; barometric heights stand for the ellipsoid's."""
    path = shared_data / "aircraft" / "calibration_perth.parquet"
    if not path.is_file():
        pytest.skip(f"no ADS-B tracks at {path}")
    from pyarrow.parquet import read_table

    row = {name: column.to_numpy() for name, column in zip(*_columns(read_table(path)), strict=True)}
    t = row["t_unix_s"] - row["t_unix_s"][0]
    kept = (t >= start_s) & (t <= stop_s)
    t, lat, lon = t[kept], np.radians(row["lat_deg"][kept]), np.radians(row["lon_deg"][kept])
    h, speed = row["alt_ft"][kept] * 0.3048, row["gs_kt"][kept] * 0.514444
    at = slice(None, None, every)
    of = AirFlight(
        *(tuple(map(float, x[at])) for x in (lat, lon, h, speed)),
        bank_limit_rad=np.radians(30),
        climb_limit_m_s=15.0,
        acceleration_limit_m_s2=10.0,
    )
    flown = air.fly(of, 1.0)
    last = (len(t) - 1) // every * every
    recorded = itrs_from_geodetic(lat[: last + 1], lon[: last + 1], h[: last + 1])
    away = np.linalg.norm(recorded[:, None] - flown.r_itrs, axis=-1).min(axis=1)
    assert away.max() < near_m
    assert np.median(away) < 60.0  # half a second of flight, the spacing of the flown points
    # stated speeds are rounded to 1 kt of 190 and cut corners are shorter: 0.8 % seen
    assert flown.t_end == pytest.approx(t[last] - t[0], rel=0.015)


def _columns(table):
    return table.column_names, table.columns

"""Glides over points of the ground: the points are met, and what cannot be met is said."""

from __future__ import annotations

import numpy as np
import pytest

from noroshi.earth import destination, geodesic, geodetic_from_itrs, itrs_from_geodetic
from noroshi.errors import FlightError
from noroshi.targets import glide
from noroshi.targets.integrate import EARTH, Controls, integrate, unpowered_batch
from noroshi.targets.models import GlideFlight
from noroshi.targets.route import legs

START = (np.deg2rad(52.0), np.deg2rad(150.0))


def flight(**change) -> GlideFlight:
    plain = GlideFlight(
        *START, 0.0, np.deg2rad(170.0), 240.0, 0.9, 10.0, 6000.0, 2.6, 13_000.0, (), (), 1000.0, 1.0
    )
    return plain._replace(**change)


def ground(trajectory) -> tuple[np.ndarray, np.ndarray]:
    lat, lon, _ = geodetic_from_itrs(trajectory.r_itrs)
    return lat, lon


def beside(lat: np.ndarray, lon: np.ndarray, k: int, right_m: float) -> tuple[float, float]:
    """A point to the right of the path at its k-th second."""
    _, azimuth = geodesic(lat[k], lon[k], lat[k + 10], lon[k + 10])
    found = destination(lat[k], lon[k], azimuth + np.pi / 2, right_m)
    return float(found[0]), float(found[1])


def test_a_glide_passes_over_its_waypoints():
    lat, lon = ground(glide.fly(flight(), 1.0))
    wanted = (beside(lat, lon, 700, 60e3), beside(lat, lon, 1200, -40e3))
    solved = glide.solve(flight(waypoints_rad=wanted), 1.0)
    lat, lon = ground(solved.trajectory)
    for point in wanted:
        # the ground track is sampled every second, 6 km: the nearest sample is at most 3 km along from the point
        distance = float(geodesic(lat, lon, *point)[0].min())
        assert distance < 3.3e3


def test_the_schedule_is_the_path():
    lat, lon = ground(glide.fly(flight(), 1.0))
    led = flight(waypoints_rad=(beside(lat, lon, 900, 50e3),))
    state = np.concatenate(
        [glide.solve(led, 1.0).trajectory.r_itrs[240], glide.solve(led, 1.0).trajectory.v_itrs[240]]
    )
    schedule = glide.over_waypoints(led, state, 1.0)
    assert schedule.waypoints_rad == ()
    assert schedule.bank_times_s[0] == 240.0
    assert schedule.bank_rad[-1] == 0.0
    assert 0.0 < schedule.bank_rad[0] < np.deg2rad(45.0)


def test_many_flights_find_their_legs_in_one_call():
    count = 20
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(-1.0, 1.0, count), rng.uniform(-3.0, 3.0, count)
    r = itrs_from_geodetic(lat, lon, np.full(count, 47e3))
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros(count)], axis=-1)
    states = np.concatenate([r, 5500.0 * east], axis=1)
    points = np.stack(destination(lat, lon, np.pi / 2 + rng.uniform(-0.05, 0.05, count), 2.5e6), axis=-1)
    bodies = unpowered_batch(1 / 13_000, count)
    found = legs(states, points[:, None], bodies, np.full(count, 2.6), np.full(count, 0.8), 1.0, 1, 700.0)
    assert np.isfinite(found.bank_rad).all()
    # flown again with the banks found, every one passes over its point: 100 m is what the search leaves
    held = Controls(
        np.zeros((700, count)), np.full((700, count), 2.6), np.tile(found.bank_rad[:, 0], (700, 1))
    )
    arc = integrate(states, 0.0, 1.0, held, bodies)
    for k in range(count):
        passed = int(found.t_s[k, 1])
        path = arc.states[k, passed - 1 : passed + 2, :3]
        normal = np.cross(path[0], path[2])
        target = itrs_from_geodetic(points[k, 0], points[k, 1], 0.0)
        assert abs(target @ normal / np.linalg.norm(normal)) < 500.0
    assert found.nearest_m.max() < 500.0


@pytest.mark.parametrize(
    ("change", "what", "help_"),
    [
        (
            {"waypoints_rad": ((np.deg2rad(35.0), np.deg2rad(175.0)),)},
            "passes waypoint 1",
            "or allow more bank",
        ),
        ({"waypoints_rad": ((np.deg2rad(-60.0), np.deg2rad(160.0)),)}, "ends before it comes", "end_speed"),
        (
            {"waypoints_rad": ((0.5, 2.6),), "bank_times_s": (300.0,), "bank_rad": (0.1,)},
            "both waypoints and a bank schedule",
            "one of them",
        ),
        ({"waypoints_rad": ((0.5, 2.6),), "bank_limit_rad": 1.6}, "bank limit", "85 deg"),
    ],
)
def test_what_cannot_be_flown_is_refused(change, what, help_):
    with pytest.raises(FlightError) as error:
        glide.fly(flight(**change), 1.0)
    assert what in error.value.what
    assert help_ in error.value.remedy


def test_each_flight_keeps_its_own_air_when_another_drops_out():
    # the first flight cannot pass its point and leaves the batch; the second must still fly in its own air
    lat, lon = np.zeros(2), np.array([0.0, 0.5])
    r = itrs_from_geodetic(lat, lon, np.full(2, 47e3))
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros(2)], axis=-1)
    states = np.concatenate([r, 5500.0 * east], axis=1)
    first = np.array(destination(lat, lon, np.array([0.0, np.pi / 2]), 2e6)).T
    second = np.array(destination(lat, lon, np.array([0.0, np.pi / 2 + 0.02]), 3e6)).T
    points = np.stack([first, second], axis=1)
    common = (np.full(2, 2.6), np.full(2, 0.8), 1.0, 1, 700.0)
    found = legs(
        states,
        points,
        unpowered_batch(1 / 13_000, 2),
        *common,
        EARTH._replace(density_factor=np.array([1.0, 1.3])),
    )
    assert not np.isfinite(found.bank_rad[0, 0])
    alone = legs(
        states[1:], points[1:], unpowered_batch(1 / 13_000, 1), *(c[1:] for c in common[:2]), *common[2:],
        EARTH._replace(density_factor=1.3),
    )  # fmt: skip
    np.testing.assert_allclose(found.bank_rad[1], alone.bank_rad[0], atol=1e-9)


def test_points_that_are_no_numbers_are_refused():
    state = np.ones((1, 6)) * 6.4e6
    figures = (unpowered_batch(1 / 13_000, 1), np.full(1, 2.6), np.full(1, 0.8), 1.0, 1, 100.0)
    with pytest.raises(FlightError, match="not a number"):
        legs(state, np.full((1, 1, 2), np.nan), *figures)
    with pytest.raises(FlightError, match="rows of points"):
        legs(np.repeat(state, 2, 0), np.zeros((1, 1, 2)), *figures)

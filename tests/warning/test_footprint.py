"""Glide footprints against the closed forms of equilibrium glide (V-305) and plain geometry."""

from __future__ import annotations

import numpy as np
import pytest

from noroshi.constants import EARTH_MEAN_RADIUS_M, EARTH_MU
from noroshi.earth import destination, geodesic, itrs_from_geodetic
from noroshi.warning import footprint
from noroshi.warning.areas import plane
from noroshi.warning.decide import normal_draws
from noroshi.warning.models import Area

RADIUS = EARTH_MEAN_RADIUS_M + 45e3  # of V-305
V305 = [
    (7000.0, 12831.0, 2720.2, 12994.0),
    (6100.0, 7485.3, 1910.0, 7569.2),
    (5500.0, 5430.6, 1556.5, 5500.5),
    (5000.0, 4158.9, 1314.5, 4222.7),
    (4000.0, 2348.4, 913.8, 2403.3),
    (3000.0, 1170.0, 578.2, 1215.3),
]
LIMIT = np.radians(60.0)


def level_glide(speed: float, **changes) -> footprint.Footprint:
    r, v = np.array([RADIUS, 0.0, 0.0]), np.array([0.0, speed, 0.0])
    return footprint.footprint(r, v, 2.6, LIMIT, 1000.0, **{"earth_rate_rad_s": 0.0, **changes})


@pytest.mark.parametrize(("speed", "range_km", "time_s", "flown_km"), V305)
def test_range_and_time_without_bank(speed, range_km, time_s, flown_km):
    """V-305, analytic columns (0.05 km: rounding; time by mid-point rule, 0.1 %), 3-DOF within 4 %."""
    reach = level_glide(speed)
    straight = len(reach.bank_rad) // 2
    assert reach.bank_rad[straight] == 0.0
    arc = RADIUS * reach.lon_rad[straight, -1]
    assert arc == pytest.approx(range_km * 1e3, abs=60.0)
    assert reach.t_s[straight, -1] == pytest.approx(time_s, rel=1e-3)
    assert arc == pytest.approx(flown_km * 1e3, rel=0.04)
    assert reach.lat_rad[straight] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("bank", [0, 3, 8, 12])
def test_banked_path_length_time_and_heading_change(bank):
    """Range and time shrink with cos b; heading changes by (L/D) sin b ln(v0/vf) (closed form on a sphere).

    Heading is measured against the great circle that continues each leg, so it is the sum of the kinks.
    """
    reach = level_glide(5000.0, steps=200)
    b, circular = reach.bank_rad[bank], np.sqrt(EARTH_MU / RADIUS)
    n = np.stack(
        [
            np.cos(reach.lat_rad[bank]) * np.cos(reach.lon_rad[bank]),
            np.cos(reach.lat_rad[bank]) * np.sin(reach.lon_rad[bank]),
            np.sin(reach.lat_rad[bank]),
        ],
        1,
    )
    legs = np.arccos(np.clip(np.sum(n[1:] * n[:-1], 1), -1, 1))
    length = RADIUS / 2 * 2.6 * np.cos(b) * np.log((1 - (1e3 / circular) ** 2) / (1 - (5e3 / circular) ** 2))
    assert np.sum(legs) * RADIUS == pytest.approx(length, rel=1e-6)
    g = EARTH_MU / RADIUS**2
    time = 2.6 * np.cos(b) * circular / g * (np.arctanh(5e3 / circular) - np.arctanh(1e3 / circular))
    assert reach.t_s[bank, -1] == pytest.approx(time, rel=1e-3)
    poles = np.cross(n[:-1], n[1:])
    poles /= np.linalg.norm(poles, axis=1)[:, None]
    kink = np.einsum("ni,ni->n", np.cross(poles[:-1], poles[1:]), n[1:-1])
    heading = -np.sum(np.arcsin(kink))  # positive to the right
    expected = 2.6 * np.sin(b) * np.log(5.0)
    # the first and last half turns have no kink: their share of the logarithm is half a step each
    edges = np.log(reach.speed_m_s[0] / reach.speed_m_s[1]) + np.log(
        reach.speed_m_s[-2] / reach.speed_m_s[-1]
    )
    assert heading == pytest.approx(expected - 2.6 * np.sin(b) * edges / 2, rel=1e-3)


def test_left_and_right_mirror_each_other_on_an_earth_that_stands_still():
    reach = level_glide(6100.0)
    assert reach.lat_rad == pytest.approx(-reach.lat_rad[::-1], abs=1e-12)
    assert np.all(reach.lat_rad[0, 1:6] > 0)  # negative bank: to the left, north of an eastward flight


def test_steps_are_fine_enough():
    """The default against eight times as many: 24 steps put the ends within 1.5 % of the longest range."""
    rough, fine = level_glide(6100.0), level_glide(6100.0, steps=8 * footprint.STEPS)
    for b in range(len(rough.bank_rad)):
        ends = rough.lat_rad[b, -1], rough.lon_rad[b, -1], fine.lat_rad[b, -1], fine.lon_rad[b, -1]
        assert geodesic(*ends)[0] < 0.015 * 7485e3


def test_the_turning_earth_carries_eastward_gliders_farther():
    """The Eotvos term: eastward inertial speed needs less lift, so less drag. First order by hand.

    At speed v relative to the Earth, g - (v + w r)^2 / r replaces g - v^2 / r; the integral of v dv / g_eff
    is done numerically here, with no path at all.
    """
    w, r = 7.292115e-5, RADIUS
    v = np.linspace(1000.0, 6100.0, 20001)
    for sign in (1, -1):
        lift = EARTH_MU / r**2 - (v + sign * w * r) ** 2 / r
        expected = np.trapezoid(2.6 * v / lift, v)
        reach = footprint.footprint(
            np.array([r, 0.0, 0.0]), np.array([0.0, sign * 6100.0, 0.0]), 2.6, LIMIT, 1000.0, steps=200
        )
        arc = abs(reach.lon_rad[6, -1]) * r
        assert arc == pytest.approx(expected, rel=2e-3)


def test_a_spent_glider_reaches_the_point_below_it_only():
    reach = footprint.footprint(np.array([RADIUS, 0.0, 0.0]), np.array([0.0, 900.0, 0.0]), 2.6, LIMIT, 1000.0)
    assert reach.lon_rad == pytest.approx(0.0, abs=1e-12)
    assert reach.t_s == pytest.approx(0.0, abs=1e-9)


def test_outline_goes_round_once():
    lat, lon = footprint.outline(level_glide(6100.0))
    assert len(lat) == 2 * (footprint.STEPS + 1) + footprint.BANKS - 2
    assert (lat[0], lon[0]) == (lat[-1], lon[-1]) == (0.0, 0.0)


def state(speed: float = 5000.0) -> tuple[np.ndarray, np.ndarray]:
    """Over (0, 0) at 45 km, flying east."""
    r = np.asarray(itrs_from_geodetic(np.float64(0.0), np.float64(0.0), np.float64(45e3)))
    return r[None], np.array([[0.0, speed, 0.0]])


def disc(azimuth_deg: float, distance_km: float, radius_km: float):
    lat, lon = destination(0.0, 0.0, np.radians(azimuth_deg), distance_km * 1e3)
    return plane(Area("disc", np.array([lat]), np.array([lon]), radius_km * 1e3))


@pytest.mark.parametrize(
    ("azimuth_deg", "distance_km", "radius_km", "reached"),
    [
        (90.0, 3000.0, 50.0, True),  # ahead, short of the range
        (90.0, 4400.0, 50.0, True),  # range 4159 km on a still Earth, 8 % more eastward on the turning one
        (90.0, 4700.0, 50.0, False),  # beyond it
        (270.0, 500.0, 50.0, False),  # behind, out of any turn
        (60.0, 2000.0, 50.0, True),  # to the left, between two paths
        (60.0, 1400.0, 20.0, False),  # inside the tightest turn (its radius is 2500 km at first)
        (110.0, 1900.0, 20.0, True),
        (0.0, 2500.0, 50.0, False),  # abeam, too far
        (90.0, 2000.0, 1.0, True),  # smaller than any cell
    ],
)
def test_reach_of_single_areas(azimuth_deg, distance_km, radius_km, reached):
    r, v = state()
    found = footprint.reach(
        [disc(azimuth_deg, distance_km, radius_km)],
        r,
        v,
        np.zeros((1, 6, 6)),
        normal_draws(32),
        2.6,
        LIMIT,
        1e3,
    )
    assert bool(found.mean[0, 0]) is reached
    assert found.probability[0, 0] == float(reached)
    assert bool(np.isfinite(found.earliest_s[0, 0])) is reached


def test_time_to_an_area_dead_ahead():
    """Straight glide to 2000 km less the disc's 50 km: time by quadrature of dv / drag along the equator."""
    w, r = 7.292115e-5, 6378137.0 + 45e3
    v = np.linspace(5000.0, 1000.0, 40001)
    lift = EARTH_MU / r**2 - (v + w * r) ** 2 / r
    slow = 2.6 / lift
    t = np.concatenate([[0.0], np.cumsum((slow[1:] + slow[:-1]) / 2 * -np.diff(v))])
    s = np.concatenate([[0.0], np.cumsum((slow[1:] * v[1:] + slow[:-1] * v[:-1]) / 2 * -np.diff(v))]) / r
    position, velocity = state()
    found = footprint.reach(
        [disc(90.0, 2000.0, 50.0)], position, velocity, np.zeros((1, 6, 6)), normal_draws(32), 2.6, LIMIT, 1e3
    )
    expected = np.interp((2000e3 - 50e3) / 6378137.0, s, t)
    # the earliest path may be a cell's corner: one step of 24, or 185 km, early
    assert expected - 45.0 < found.earliest_s[0, 0] < expected + 5.0


def test_probability_at_the_edge_of_the_range_is_one_half():
    """A small disc at the end of the straight path: only faster draws get there, half of them."""
    r, v = state()
    reach = footprint.footprint(r[0], v[0], 2.6, LIMIT, 1000.0)
    end = np.array([reach.lat_rad[6, -1]]), np.array([reach.lon_rad[6, -1]])
    edge = plane(Area("edge", *end, 1e3))
    spread = np.diag([0.0, 0.0, 0.0, 0.0, 100.0, 0.0])[None]
    found = footprint.reach([edge], r, v, spread, normal_draws(256), 2.6, LIMIT, 1e3)
    assert 0.45 <= found.probability[0, 0] <= 0.55


def test_a_changed_state_moves_the_fan_as_a_fan_of_its_own_would():
    """Shift, turn and stretch of the mean fan against fans of the changed states.

    1 %: the Earth turns under both, and the stretch is that of still air.
    """
    r, v = state()
    base = footprint.footprint(r[0], v[0], 2.6, LIMIT, 1000.0)
    for change in (
        np.array([0.0, 50e3, 0.0, 0.0, 0.0, 0.0]),
        np.array([0.0, 0.0, 0.0, 0.0, 0.0, 200.0]),
        np.array([0.0, 0.0, 0.0, 0.0, 100.0, 0.0]),
    ):
        own = footprint.footprint(r[0] + change[:3], v[0] + change[3:], 2.6, LIMIT, 1000.0)
        assert (
            geodesic(base.lat_rad[6, -1], base.lon_rad[6, -1], own.lat_rad[6, -1], own.lon_rad[6, -1])[0]
            > 40e3
        )
        target = plane(Area("end", own.lat_rad[6, -1:], own.lon_rad[6, -1:], 0.01 * 4700e3))
        spread = np.zeros((1, 6, 6))
        spread[0, :, 0] = change
        draws = np.array([[1.0, 0, 0, 0, 0, 0]])
        found = footprint.reach([target], r, v, spread, draws, 2.6, LIMIT, 1e3)
        assert found.probability[0, 0] == 1.0

"""Orbit design figures against the published and closed-form values V-105 to V-108."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.constants import EARTH_MU, EARTH_RADIUS_M
from noroshi.errors import PhysicsError
from noroshi.orbits.design import (
    eclipse_beta,
    eclipse_fraction,
    kozai_from_semi_major_axis,
    semi_major_axis_from_kozai,
    sun_synchronous_inclination,
)
from noroshi.orbits.elements import Elements
from noroshi.orbits.kepler import secular_rates

DAY_S = 86400.0


def circular(height_km: float, i: float) -> Elements:
    return Elements(*(np.array([x]) for x in (EARTH_RADIUS_M + height_km * 1e3, 0.0, i, 0.0, 0.0, 0.0)))


@pytest.mark.parametrize(
    ("height_km", "i_deg", "deg_per_day"),
    [(1000, 60, -2.992399), (1000, 80, -1.039249), (550, 53, -4.489193)],
)
def test_node_rates(height_km, i_deg, deg_per_day):
    # V-105, to its 1e-5
    node, _, _ = secular_rates(circular(height_km, np.deg2rad(i_deg)))
    assert np.rad2deg(float(node[0])) * DAY_S == pytest.approx(deg_per_day, rel=1e-5)


@given(st.floats(6.6e6, 4.3e7), st.floats(0.0, 0.7), st.floats(0.0, np.pi))
def test_kozai_there_and_back(a, e, i):
    # the inverse of the published equations by themselves; 1 um is rounding of 4.3e7 m
    n = kozai_from_semi_major_axis(a, e, i)
    assert semi_major_axis_from_kozai(n, e, i) == pytest.approx(a, abs=1e-6)


@pytest.mark.parametrize(("height_km", "minutes"), [(1000, 105.1187), (550, 95.6499)])
def test_periods(height_km, minutes):
    # V-105: two-body; the published figure has seven digits
    a = EARTH_RADIUS_M + height_km * 1e3
    assert 2 * np.pi * np.sqrt(a**3 / EARTH_MU) / 60.0 == pytest.approx(minutes, abs=1e-4)


@pytest.mark.parametrize(("height_km", "deg"), [(500, 97.4018), (800, 98.6031), (1000, 99.4793)])
def test_sun_synchronous_inclinations(height_km, deg):
    # V-106, to its 1e-3 deg
    found = sun_synchronous_inclination(EARTH_RADIUS_M + height_km * 1e3)
    assert np.rad2deg(found) == pytest.approx(deg, abs=1e-3)


@given(st.floats(6.8e6, 1.1e7), st.floats(0.0, 0.05))
def test_the_node_follows_the_sun(a, e):
    # 360 deg in a tropical year; the rate is the other module's, so only rounding of arccos near 180 deg is left
    i = sun_synchronous_inclination(a, e)
    node, _, _ = secular_rates(Elements(*(np.array([x]) for x in (a, e, i, 0.0, 0.0, 0.0))))
    assert float(node[0]) * 365.2422 * DAY_S == pytest.approx(2 * np.pi, rel=1e-9)


def test_no_orbit_keeps_up_beyond_its_limit():
    # (3/2 sqrt(mu) J2 R^2 / rate)^(2/7) = 12,352 km, where the orbit is equatorial and retrograde
    assert np.rad2deg(sun_synchronous_inclination(12_352e3)) > 179.0
    with pytest.raises(PhysicsError, match="keeps up") as caught:
        sun_synchronous_inclination(12_353e3)
    assert "12,352 km" in caught.value.remedy
    with pytest.raises(PhysicsError, match="ground"):
        sun_synchronous_inclination(7e6, 0.2)


def test_kozai_mean_motion():
    # V-107: to its metre; taken for a two-body mean motion it would be 7007.463 km
    n = 14.80 * 2 * np.pi / DAY_S
    assert semi_major_axis_from_kozai(n, 0.0, np.deg2rad(51.9)) == pytest.approx(7007.910e3, abs=1.0)
    naive = (3.986008e14 / n**2) ** (1 / 3)
    assert naive == pytest.approx(7007.463e3, abs=1.0)
    # sgp4's own conversion (Satrec.a, in Earth radii) over a table of orbits: the same algorithm, to rounding
    from sgp4.api import WGS72, Satrec

    for rev, e, i in ((15.5, 0.001, 0.9), (12.0, 0.1, 1.7), (2.0, 0.7, 1.1), (1.0027, 0.0003, 0.01)):
        satellite = Satrec()
        rate = rev * 2 * np.pi / 1440
        satellite.sgp4init(WGS72, "i", 1, 26000.0, 0.0, 0.0, 0.0, e, 0.0, i, 0.0, rate, 0.0)
        assert semi_major_axis_from_kozai(rate / 60, e, i) == pytest.approx(satellite.a * 6378135.0, rel=1e-9)


@pytest.mark.parametrize(
    ("height_km", "fraction", "beta_deg"),
    [(550, 0.37231, 67.016), (1000, 0.33234, 59.822), (1200, 0.31842, 57.315)],
)
def test_eclipses(height_km, fraction, beta_deg):
    # V-108, to its 1e-4; the angles are given to 1e-3 deg
    a = EARTH_RADIUS_M + height_km * 1e3
    assert eclipse_fraction(a, 0.0) == pytest.approx(fraction, abs=1e-4)
    assert np.rad2deg(eclipse_beta(a)) == pytest.approx(beta_deg, abs=1e-3)
    assert eclipse_fraction(a, eclipse_beta(a) + 1e-9) == 0.0
    assert eclipse_fraction(a, np.pi / 2) == 0.0


@given(st.floats(6.5e6, 5e7), st.floats(-1.5, 1.5))
def test_eclipse_fraction_by_counting(a, beta):
    # points of the orbit behind the Earth and within a radius of its axis; 2/20000 at each edge
    u = (np.arange(20000) + 0.5) * 2 * np.pi / 20000
    sun = np.array([np.cos(beta), 0.0, np.sin(beta)])
    r = a * np.stack([np.cos(u), np.sin(u), 0 * u], axis=-1)
    along = r @ sun
    counted = np.mean((along < 0) & (np.sum(r * r, axis=-1) - along**2 < EARTH_RADIUS_M**2))
    assert eclipse_fraction(a, beta) == pytest.approx(counted, abs=2e-4)


def test_orbits_inside_the_earth():
    for call in (lambda: eclipse_fraction(6.3e6, 0.0), lambda: eclipse_beta(np.array([7e6, 6e6]))):
        with pytest.raises(PhysicsError, match="inside the Earth"):
            call()

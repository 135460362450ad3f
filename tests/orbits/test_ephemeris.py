"""Groups of platforms joined into one table."""

import numpy as np
import pytest
from sgp4.api import WGS72, Satrec

from noroshi import frames
from noroshi.constants import EARTH_RATE_RAD_S
from noroshi.earth import itrs_from_geodetic
from noroshi.errors import ScenarioError
from noroshi.orbits import kepler, numerical, sgp4
from noroshi.orbits.ephemeris import Catalogued, Mean, Osculating, Sites, celestial_pole, ephemeris
from noroshi.orbits.walker import walker
from noroshi.time import epoch_from_utc, load_earth_orientation

EOP = load_earth_orientation()
EPOCH = epoch_from_utc("2017-08-28T20:57:00Z")
T = np.arange(0.0, 301.0, 10.0)
LAT, LON, H = np.deg2rad([40.88, -33.0]), np.deg2rad([140.34, 151.0]), np.array([60.0, 20.0])


def test_groups_keep_their_order_and_their_models():
    pattern = walker("star", 6, 2, 0.5, 7.378e6, np.deg2rad(80.0))
    satellite = Satrec()
    satellite.sgp4init(
        WGS72, "i", 7, 24711.5, 0.0, 0.0, 0.0, 1e-3, 0.0, 1.0, 0.0, 0.065, 0.0
    )  # 2017-08-27T12
    sats = tuple(f"leo-{k}" for k in range(6))
    made = ephemeris(
        [
            Sites(("shariki", "sydney"), LAT, LON, H),
            Mean(sats, pattern),
            Catalogued(("old",), (satellite,)),
            Osculating(tuple(s + "-o" for s in sats), pattern),
        ],
        EPOCH,
        T,
        EOP,
    )
    assert made.sensors == ("shariki", "sydney", *sats, "old", *(s + "-o" for s in sats))
    assert made.r_gcrs.shape == made.v_gcrs.shape == (31, 15, 3)
    np.testing.assert_array_equal(made.r_gcrs[:, 2:8], kepler.propagate_mean(pattern, T)[0])
    np.testing.assert_array_equal(made.r_gcrs[:, 8:9], sgp4.propagate([("old", satellite)], EPOCH, T, EOP)[0])
    np.testing.assert_array_equal(
        made.r_gcrs[:, 9:], numerical.propagate_osculating(pattern, T, celestial_pole(EPOCH))[0]
    )
    # every velocity is the derivative of its position: second differences leave a h^2 r''' / 6 of 0.15 m/s,
    # SGP4 metres per second
    gap = np.abs(made.v_gcrs[1:-1] - (made.r_gcrs[2:] - made.r_gcrs[:-2]) / 20.0).max(axis=(0, 2))
    assert np.delete(gap, 8).max() < 0.2
    assert gap[8] < 5.0


def test_sites_turn_with_the_earth():
    made = ephemeris([Sites(("a", "b"), LAT, LON, H)], EPOCH, T, EOP)
    fixed = frames.rotate(frames.itrs_from_gcrs(EPOCH, T, EOP), made.r_gcrs)
    np.testing.assert_allclose(
        fixed, np.broadcast_to(itrs_from_geodetic(LAT, LON, H), fixed.shape), atol=1e-6
    )
    # closed form: omega times the distance from the axis
    r = itrs_from_geodetic(LAT, LON, H)
    speed = np.linalg.norm(made.v_gcrs, axis=-1)
    np.testing.assert_allclose(speed, np.broadcast_to(EARTH_RATE_RAD_S * np.hypot(*r.T[:2]), speed.shape))


def test_two_of_a_name():
    site = Sites(("a",), LAT[:1], LON[:1], H[:1])
    with pytest.raises(ScenarioError, match="'a'"):
        ephemeris([site, site], EPOCH, T, EOP)


def test_nothing_to_place():
    made = ephemeris([], EPOCH, T, EOP)
    assert made.sensors == ()
    assert made.r_gcrs.shape == (31, 0, 3)

"""Frames, places and SGP4 against Skyfield: its own frames in Python, no ephemeris file."""

from __future__ import annotations

import numpy as np
import pytest

from noroshi import frames
from noroshi.earth import geodetic_from_itrs, itrs_from_geodetic
from noroshi.orbits.sgp4 import propagate
from noroshi.time import (
    MJD_ZERO,
    epoch_from_utc,
    julian_tt,
    julian_ut1,
    load_earth_orientation,
    pole,
    tai_minus_utc,
)

skyfield_api = pytest.importorskip("skyfield.api", reason="`make test-peers` installs it")
EOP = load_earth_orientation()
DATES = ["2003-11-26T17:30:00Z", "2017-08-28T20:57:00Z", "2026-06-01T12:00:00Z"]
# Vanguard 1, from the verification set of SGP4 (Vallado et al., AIAA 2006-6753)
LINES = (
    "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753",
    "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667",
)


def timescale(epoch, t):
    """Skyfield's clock with UT1 and pole of our table, as it takes them."""
    day, fraction = julian_tt(epoch, t)
    ut1_day, ut1_fraction = julian_ut1(epoch, t, EOP)
    delta_t = float(((day - ut1_day) + (fraction - ut1_fraction)) * 86400.0)
    clock = skyfield_api.load.timescale(builtin=True)
    clock.delta_t_function = lambda tt: delta_t + 0.0 * np.asarray(tt)
    x, y = pole(epoch, t, EOP)
    arcsec = np.rad2deg(1.0) * 3600.0
    clock.polar_motion_table = (np.array([0.0, 1e7]), np.full(2, x * arcsec), np.full(2, y * arcsec))
    return clock.tt_jd(float(day), float(fraction))


@pytest.mark.parametrize("text", DATES)
def test_gcrs_to_itrs(text):
    # Skyfield: IAU 2000A nutation, IAU 2006 precession, by way of the equinox. 0.2 mm seen
    from skyfield.framelib import itrs

    epoch = epoch_from_utc(text)
    theirs = itrs.rotation_at(timescale(epoch, 0.0))
    ours = frames.itrs_from_gcrs(epoch, np.zeros(1), EOP)[0]
    np.testing.assert_allclose(ours * 6.9e6, theirs * 6.9e6, rtol=0, atol=2e-3)


def test_geodetic():
    rng = np.random.default_rng(4)
    for lat, lon, h in zip(
        rng.uniform(-1.5, 1.5, 30), rng.uniform(-3.1, 3.1, 30), rng.uniform(0, 2e6, 30), strict=True
    ):
        place = skyfield_api.wgs84.latlon(np.rad2deg(lat), np.rad2deg(lon), elevation_m=h)
        r = itrs_from_geodetic(lat, lon, h)
        np.testing.assert_allclose(place.itrs_xyz.m, r, rtol=0, atol=1e-6)
        back = geodetic_from_itrs(place.itrs_xyz.m)
        np.testing.assert_allclose([*back], [lat, lon, h], rtol=0, atol=1e-4)


def test_sgp4_into_the_gcrs():
    # from the same element set: TEME to GCRS by way of ITRS (ours) and by the mean equinox of date (theirs);
    # 0.14 mm seen. UT1 and pole all but cancel in ours
    satellite = skyfield_api.EarthSatellite(*LINES, "vanguard", skyfield_api.load.timescale(builtin=True))
    epoch = epoch_from_utc("2000-06-28T00:00:00Z")
    t = np.arange(0.0, 86400.0, 7200.0)
    ours, speed = propagate([("vanguard", satellite.model)], epoch, t, EOP)
    assert tai_minus_utc(epoch.day - MJD_ZERO) == 32
    for k, at in enumerate(t):
        found = satellite.at(timescale(epoch, at))
        np.testing.assert_allclose(found.position.m, ours[k, 0], rtol=0, atol=2e-3)
        np.testing.assert_allclose(found.velocity.m_per_s, speed[k, 0], rtol=0, atol=1e-5)

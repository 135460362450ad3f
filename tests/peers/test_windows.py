"""Access windows against Skyfield's rise and set of the same element set, refined on Skyfield's own altitudes."""

from __future__ import annotations

import numpy as np
import pytest
from sgp4.api import Satrec

import noroshi._jax  # noqa: F401
from noroshi import frames
from noroshi.coverage import access
from noroshi.coverage.models import Behind, Limits, Points
from noroshi.earth import geodetic_from_itrs
from noroshi.orbits.ephemeris import Catalogued, Sites, ephemeris
from noroshi.time import epoch_from_utc, julian_tt, julian_ut1, load_earth_orientation, pole

skyfield_api = pytest.importorskip("skyfield.api", reason="`make test-peers` installs it")
EOP = load_earth_orientation()
EPOCH = epoch_from_utc("2020-02-14T07:00:00Z")
DAY_S = 86400.0
# of the International Space Station, 4 h 28 min of that day
ISS = (
    "1 25544U 98067A   20045.18587073  .00000950  00000-0  25302-4 0  9990",
    "2 25544  51.6443 242.0161 0004885 264.6060 207.3845 15.49165514212791",
)
LAT_DEG, LON_DEG, HEIGHT_M = 35.7, 139.7, 40.0
ELEVATION_DEG = 5.0


def clock():
    """Skyfield's clock with UT1 and pole of our table at the middle of the day, held over it."""
    at = DAY_S / 2
    day, fraction = julian_tt(EPOCH, at)
    ut1_day, ut1_fraction = julian_ut1(EPOCH, at, EOP)
    delta_t = float(((day - ut1_day) + (fraction - ut1_fraction)) * DAY_S)
    scale = skyfield_api.load.timescale(builtin=True)
    scale.delta_t_function = lambda tt: delta_t + 0.0 * np.asarray(tt)
    arcsec = np.rad2deg(1.0) * 3600.0
    x, y = pole(EPOCH, at, EOP)
    scale.polar_motion_table = (np.array([0.0, 1e7]), np.full(2, x * arcsec), np.full(2, y * arcsec))
    return scale


def test_rise_and_set():
    """Same passes, edges within a tenth of a millisecond; 21 us seen.

    Both are geometric: neither takes light time (up to 7 ms of rise and set), aberration or refraction. What is left is
    UT1 and pole held over the day in Skyfield's clock (0.5 ms of Earth rotation and less: 0.2 m, 30 us at 7 km/s) and
    the way from TEME (0.14 mm).
    """
    scale = clock()
    theirs = skyfield_api.EarthSatellite(*ISS, "iss", skyfield_api.load.timescale(builtin=True))
    site = skyfield_api.wgs84.latlon(LAT_DEG, LON_DEG, elevation_m=HEIGHT_M)
    day, fraction = (float(x) for x in julian_tt(EPOCH, 0.0))

    def altitude_deg(t):
        return (theirs - site).at(scale.tt_jd(day, fraction + np.asarray(t) / DAY_S)).altaz()[0].degrees

    at, kind = theirs.find_events(
        site, scale.tt_jd(day, fraction), scale.tt_jd(day, fraction + 1.0), altitude_degrees=ELEVATION_DEG
    )
    coarse = ((at.whole - day) + (at.tt_fraction - fraction)) * DAY_S  # to half a second

    def refined(rising):
        low, high = coarse[kind == 2 * (not rising)] + np.array([[-1.0], [1.0]])
        for _ in range(30):
            middle = 0.5 * (low + high)
            up = altitude_deg(middle) >= ELEVATION_DEG
            high, low = np.where(up == rising, middle, high), np.where(up == rising, low, middle)
        return high

    rises, sets = refined(True), refined(False)
    nodes = access.node_times(0.0, DAY_S)
    m = frames.itrs_from_gcrs(EPOCH, nodes, EOP)
    satellite = Catalogued(("iss",), (Satrec.twoline2rv(*ISS),))
    ours = ephemeris([satellite], EPOCH, nodes, EOP)
    lat, lon, height = (np.array([x]) for x in (np.deg2rad(LAT_DEG), np.deg2rad(LON_DEG), HEIGHT_M))
    one = np.ones(1)
    off = Limits(
        ground=one > 1.0, grazing_m=0 * one, range_max_m=np.inf * one, elevation_target_rad=-np.pi / 2 * one,
        cone_min_rad=0 * one, cone_max_rad=np.pi * one, behind=np.array([int(Behind.ANYTHING)]), sun_rad=0 * one,
        moon_rad=0 * one, elevation_min_rad=-np.pi / 2 * one, elevation_max_rad=np.pi / 2 * one, facing_rad=0 * one,
        azimuth_rad=np.pi * one,
    )  # fmt: skip
    limits = off._replace(elevation_target_rad=one * np.deg2rad(ELEVATION_DEG))
    points = Points("site", lat, lon, height, one)
    found = access.windows(limits, access.sensor_track(ours, m), points, np.zeros((1, 2), int), 0.0, DAY_S)
    assert len(rises) >= 4
    assert not found.start_truncated.any()
    np.testing.assert_allclose(found.t_start, rises, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.t_end, sets, rtol=0, atol=1e-4)
    # highest: flat, so theirs (to half a second) says less of the time than of the angle
    highest = np.rad2deg(found.elevation_highest_rad)
    np.testing.assert_allclose(altitude_deg(found.t_highest), highest, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.t_highest, coarse[kind == 1], rtol=0, atol=0.6)
    # the same from the other end: the site as the sensor, the satellite as a target on rows 7 s apart
    rows = np.arange(0.0, DAY_S + 1.0, 7.0)
    moving = ephemeris([satellite], EPOCH, rows, EOP)
    r = frames.rotate(frames.itrs_from_gcrs(EPOCH, rows, EOP), moving.r_gcrs)[:, 0]
    track = Points("iss", *geodetic_from_itrs(r), np.full(len(rows), 1.0 / len(rows)), (), rows)
    radar = off._replace(ground=one > 0.0, elevation_min_rad=one * np.deg2rad(ELEVATION_DEG))
    at_site = ephemeris([Sites(("site",), lat, lon, height)], EPOCH, nodes, EOP)
    again = access.windows(
        radar, access.sensor_track(at_site, m), track, np.zeros((1, 2), int), 0.0, rows[-1]
    )
    np.testing.assert_allclose(again.t_start, found.t_start, rtol=0, atol=1e-4)
    np.testing.assert_allclose(again.t_end, found.t_end, rtol=0, atol=1e-4)
    np.testing.assert_allclose(again.elevation_highest_rad, found.elevation_highest_rad, rtol=0, atol=2e-6)

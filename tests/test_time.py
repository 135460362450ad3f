"""Time scales against SOFA's test values and the IERS tables themselves."""

from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.errors import DataError, ScenarioError
from noroshi.time import (
    ARCSEC_RAD,
    DAY_S,
    TT_MINUS_TAI_S,
    epoch_from_utc,
    julian_tt,
    julian_ut1,
    julian_utc,
    leap_seconds,
    load_earth_orientation,
    pole,
    seconds_from_utc,
    tai_minus_utc,
    utc_text,
    zero_earth_orientation,
)


def test_utc_to_tai_of_sofa():
    # SOFA/ERFA test set, t_utctai: UTC 2453750.5 + 0.892100694 is TAI 2453750.5 + 0.8924826384444 (V-007);
    # 1e-13 of a day is what a fraction near one resolves, 8e-12 s
    epoch = epoch_from_utc("2006-01-15T21:24:37.4999616Z")
    assert epoch.day == 2453750.5
    assert epoch.fraction - TT_MINUS_TAI_S / DAY_S == pytest.approx(0.8924826384444139, abs=1e-13)


def test_leap_seconds_of_iers():
    # IERS Bulletin C 52: TAI - UTC is 37 s from 2017-01-01 (MJD 57754); the first step is 10 s on 1972-01-01
    start, value = leap_seconds()
    assert (start[0], value[0]) == (41317.0, 10.0)
    assert float(tai_minus_utc(57754.0)) == 37.0
    assert float(tai_minus_utc(57753.999)) == 36.0
    assert np.all(np.diff(start) > 0)
    assert len(start) == 28  # 27 leap seconds up to 2017, none announced since
    # beyond the table the last value holds
    assert float(tai_minus_utc(start[-1] + 40_000.0)) == value[-1]


def test_seconds_count_the_leap_second():
    epoch = epoch_from_utc("2016-12-31T23:59:59Z")
    assert seconds_from_utc(epoch, "2016-12-31T23:59:60Z") == 1.0
    assert seconds_from_utc(epoch, "2017-01-01T00:00:00Z") == 2.0
    assert utc_text(epoch, 1.25, 2) == "2016-12-31T23:59:60.25Z"
    assert utc_text(epoch, 1.9996) == "2017-01-01T00:00:00.000Z"  # rounding carries over the leap second
    assert utc_text(epoch, 2.0, 0) == "2017-01-01T00:00:00Z"


@given(
    st.integers(min_value=0, max_value=60 * 365 * 86_400_000),
    st.floats(min_value=-86400.0, max_value=86400.0),
)
def test_text_and_back(milliseconds, t):
    # any instant of 1973..2032 to the millisecond: written, read, the same to 1 us (rounding of text aside)
    moment = np.datetime64("1973-01-01T00:00:00.000") + np.timedelta64(milliseconds, "ms")
    text = f"{moment}Z"
    epoch = epoch_from_utc(text)
    assert utc_text(epoch, 0.0) == text
    assert seconds_from_utc(epoch, utc_text(epoch, t, 6)) == pytest.approx(t, abs=0.6e-6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2017-08-28",
        "2017-08-28T20:57:00",
        "2017-08-28 20:57:00Z",
        "2017-08-28T20:57:00+09:00",
        "2017-02-30T00:00:00Z",
        "2017-13-01T00:00:00Z",
        "2017-08-28T24:00:00Z",
        "2017-08-28T20:60:00Z",
        "2017-08-28T20:57:60Z",
        "2016-12-30T23:59:60Z",
        "2016-12-31T22:59:60Z",
        "1971-12-31T23:59:59Z",
        "0000-00-00T00:00:00Z",
        "２０１７-08-28T20:57:00Z",
        "nan",
    ],
)
def test_what_is_no_utc_time(text):
    with pytest.raises(ScenarioError) as caught:
        epoch_from_utc(text)
    assert caught.value.remedy


@given(st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", fullmatch=True))
def test_any_text_is_a_time_or_a_scenario_error(text):
    try:
        epoch = epoch_from_utc(text)
    except ScenarioError:
        return
    assert np.isfinite(epoch.fraction)


def test_utc_before_1972_is_refused():
    with pytest.raises(DataError):
        tai_minus_utc(np.array([41316.0, 50000.0]))


def test_julian_dates_keep_nanoseconds():
    # two-part dates: a nanosecond is 1.2e-14 days, a hundred times what a fraction resolves
    epoch = epoch_from_utc("2017-08-28T20:57:00Z")
    _, fraction = julian_tt(epoch, np.array([0.0, 1e-9]))
    assert np.diff(fraction)[0] * DAY_S == pytest.approx(1e-9, rel=0.02)
    day, fraction = julian_utc(epoch, np.array([0.0]))
    assert (day[0] - 2457993.5 + fraction[0]) * DAY_S == pytest.approx(20 * 3600 + 57 * 60, abs=1e-6)


def test_earth_orientation_agrees_with_c04():
    # Two IERS products made by different centres (finals2000A by USNO, C04 by Paris): C04 read here by
    # itself. Measured differences: 0.5 mas and 0.2 ms at most since 1996; a wrong column or sign would be off
    # by 100 mas
    eop = load_earth_orientation()
    text = (files("astropy_iers_data") / "data" / "eopc04.1962-now").read_text()
    rows = [line.split() for line in text.splitlines()[6:] if line[:4] in ("1999", "2017")]
    mjd, x, y, dut1 = (np.array([float(row[k]) for row in rows]) for k in (4, 5, 6, 7))
    at = np.searchsorted(eop.mjd_utc, mjd)
    np.testing.assert_array_equal(eop.mjd_utc[at], mjd)
    np.testing.assert_allclose(eop.dut1_s[at], dut1, atol=2e-4)
    np.testing.assert_allclose(eop.xp_rad[at], x * ARCSEC_RAD, atol=5e-4 * ARCSEC_RAD)
    np.testing.assert_allclose(eop.yp_rad[at], y * ARCSEC_RAD, atol=5e-4 * ARCSEC_RAD)
    assert np.all(np.diff(eop.mjd_utc) == 1.0)
    assert np.abs(eop.dut1_s).max() < 0.9  # the definition of UTC


def test_ut1_crosses_a_leap_second_smoothly():
    # UT1 knows no leap seconds: over 2016-12-31 24:00 it runs on at one second a second (to its 1.5 ms/day
    # drift)
    eop = load_earth_orientation()
    epoch = epoch_from_utc("2016-12-31T12:00:00Z")
    t = np.arange(0.0, 86401.0, 600.0)
    _, fraction = julian_ut1(epoch, t, eop)
    np.testing.assert_allclose(np.diff(fraction) * DAY_S, 600.0, atol=3e-5)
    # at 0h of the new year the table's own value: UT1 - UTC = +0.591 s (IERS Bulletin A of January 2017)
    epoch = epoch_from_utc("2017-01-01T00:00:00Z")
    day, fraction = julian_ut1(epoch, np.array([0.0]), eop)
    assert (day[0] - 2457754.5 + fraction[0]) * DAY_S == pytest.approx(0.5915, abs=1e-3)


def test_beyond_the_table_the_last_values_hold():
    eop = load_earth_orientation()
    epoch = epoch_from_utc("2060-01-01T00:00:00Z")
    t = np.array([0.0, 1e6])
    _, fraction = julian_ut1(epoch, t, eop)
    assert np.diff(fraction)[0] * DAY_S == pytest.approx(1e6, abs=1e-5)
    x, y = pole(epoch, t, eop)
    assert (x == eop.xp_rad[-1]).all()
    assert (y == eop.yp_rad[-1]).all()


def test_without_orientation_ut1_is_utc():
    epoch = epoch_from_utc("2026-11-22T06:00:00Z")
    day, fraction = julian_ut1(epoch, np.array([0.0]), zero_earth_orientation())
    assert (day[0] - 2461366.5 + fraction[0]) == pytest.approx(0.25, abs=1e-14)

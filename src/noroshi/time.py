"""Time scales: UTC text to TT seconds past an epoch, UT1 from Earth orientation data.

Inside, an instant is `t`, float64 seconds of TT past the scenario epoch; the epoch is a two-part Julian date,
so that nothing is lost (one float64 Julian date resolves 40 us only). Leap seconds and Earth orientation come
from the plain files of `astropy-iers-data`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import erfa
import numpy as np
from jaxtyping import Float, Float64

from noroshi.errors import DataError, ScenarioError

DAY_S = 86400.0
MJD_ZERO = 2400000.5
TT_MINUS_TAI_S = 32.184  # by definition
ARCSEC_RAD = np.pi / 648000.0

_UTC = re.compile(r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2}(?:\.\d+)?)[Zz]")


class Epoch(NamedTuple):
    """An instant as a two-part Julian date in TT: day + fraction."""

    day: float
    fraction: float


class EarthOrientation(NamedTuple):
    """UT1 and the pole by day: dut1_s = UT1 - UTC, pole x, y of the ITRS."""

    mjd_utc: Float64[np.ndarray, "day"]
    dut1_s: Float64[np.ndarray, "day"]
    xp_rad: Float64[np.ndarray, "day"]
    yp_rad: Float64[np.ndarray, "day"]


@cache
def leap_seconds() -> tuple[Float64[np.ndarray, "step"], Float64[np.ndarray, "step"]]:
    """First day (MJD, UTC) and TAI - UTC [s] of every step since 1972 (IERS Leap_Second.dat)."""
    text = _data("Leap_Second.dat").decode()
    rows = np.array(
        [[float(v) for v in line.split()] for line in text.splitlines() if line.strip()[:1].isdigit()]
    )
    return rows[:, 0], rows[:, 4]


def tai_minus_utc(mjd_utc: float | Float[np.ndarray, "*n"]) -> Float64[Any, "*n"]:
    """TAI - UTC [s] on a UTC date. After the table's last step its value holds; before 1972 is refused."""
    start, value = leap_seconds()
    if np.any(np.asarray(mjd_utc) < start[0]):
        raise DataError("UTC has whole leap seconds from 1972-01-01 on only", remedy="use a later date")
    return value[np.searchsorted(start, mjd_utc, "right") - 1]


def epoch_from_utc(text: str) -> Epoch:
    """The instant of an ISO 8601 UTC text such as `2017-08-28T20:57:00Z`.

    Raises ScenarioError for any other form, an impossible date, or one before 1972.
    """
    match = _UTC.fullmatch(text.strip())
    remedy = "write UTC as 2017-08-28T20:57:00Z"
    if match is None:
        raise ScenarioError(f"{text!r} is not a UTC time", remedy=remedy)
    year, month, day, hour, minute = (int(match[k]) for k in range(1, 6))
    second = float(match[6])
    try:
        np.datetime64(f"{match[1]}-{match[2]}-{match[3]}")
    except ValueError:
        raise ScenarioError(f"{text!r} is not a date", remedy=remedy) from None
    _, mjd = erfa.cal2jd(year, month, day)
    if mjd < leap_seconds()[0][0]:
        raise ScenarioError(
            f"{text!r} is before 1972, when UTC got its leap seconds", remedy="use a later date"
        )
    length = DAY_S + float(tai_minus_utc(mjd + 1) - tai_minus_utc(mjd))  # 86,401 s with a leap second
    of_day = hour * 3600 + minute * 60 + second
    last_minute = length > DAY_S and (hour, minute) == (23, 59)
    if hour > 23 or minute > 59 or second >= (61 if last_minute else 60):
        raise ScenarioError(f"{text!r} is not a time of day", remedy=remedy)
    tt_s = of_day + float(tai_minus_utc(mjd)) + TT_MINUS_TAI_S
    return Epoch(MJD_ZERO + mjd, tt_s / DAY_S)


def seconds_from_utc(epoch: Epoch, text: str) -> float:
    """TT seconds from the epoch to a UTC text."""
    then = epoch_from_utc(text)
    return round(((then.day - epoch.day) + (then.fraction - epoch.fraction)) * DAY_S, 9)


def julian_tt(
    epoch: Epoch, t: float | Float[np.ndarray, "*n"]
) -> tuple[Float64[Any, "*n"], Float64[Any, "*n"]]:
    """Two-part Julian date in TT of t [s past the epoch]."""
    fraction = epoch.fraction + np.asarray(t, np.float64) / DAY_S
    return np.full_like(fraction, epoch.day), fraction


def julian_utc(
    epoch: Epoch, t: float | Float[np.ndarray, "*n"]
) -> tuple[Float64[Any, "*n"], Float64[Any, "*n"]]:
    """Two-part quasi Julian date in UTC (days of a leap second are 86,401 s long, as in SOFA)."""
    day, fraction = julian_tt(epoch, t)
    tai = fraction - TT_MINUS_TAI_S / DAY_S
    return _utc_from_tai(day, tai)


def _utc_from_tai(day: Any, fraction: Any) -> tuple[Any, Any]:
    mjd = day - MJD_ZERO
    date = np.floor(mjd + fraction)
    # the UTC date can lag the TAI date by the leap seconds
    date = date - (((mjd - date) + fraction) * DAY_S < tai_minus_utc(date))
    offset = tai_minus_utc(date)
    length = DAY_S + tai_minus_utc(date + 1) - offset
    seconds = ((mjd - date) + fraction) * DAY_S - offset
    return date + MJD_ZERO, seconds / length


def utc_text(epoch: Epoch, t: float, digits: int = 3) -> str:
    """ISO 8601 UTC text of t [s past the epoch], rounded to `digits` decimals of a second."""
    day, fraction = julian_utc(epoch, t)
    date = float(day) - MJD_ZERO
    length = DAY_S + float(tai_minus_utc(date + 1) - tai_minus_utc(date))
    unit = 10**digits
    ticks = round(float(fraction) * length * unit)
    if ticks >= round(length) * unit:
        date, ticks, length = date + 1, ticks - round(length) * unit, DAY_S
    whole, part = divmod(ticks, unit)
    minute = min(whole // 60, 1439)  # a leap second is 23:59:60
    year, month, dom, _ = erfa.jd2cal(MJD_ZERO, date)
    tail = f".{part:0{digits}d}" if digits else ""
    clock = f"{minute // 60:02d}:{minute % 60:02d}:{whole - 60 * minute:02d}"
    return f"{year:04d}-{month:02d}-{dom:02d}T{clock}{tail}Z"


def julian_ut1(
    epoch: Epoch, t: float | Float[np.ndarray, "*n"], eop: EarthOrientation
) -> tuple[Float64[Any, "*n"], Float64[Any, "*n"]]:
    """Two-part Julian date in UT1."""
    day, fraction = julian_tt(epoch, t)
    mjd = day - MJD_ZERO + fraction
    # UT1 - TAI has no steps, so it can be interpolated across a leap second
    ut1_tai = np.interp(mjd, eop.mjd_utc, eop.dut1_s - tai_minus_utc(eop.mjd_utc))
    if len(eop.mjd_utc) == 1:
        ut1_tai = eop.dut1_s[0] - tai_minus_utc(np.floor(mjd))
    return day, fraction + (ut1_tai - TT_MINUS_TAI_S) / DAY_S


def pole(
    epoch: Epoch, t: float | Float[np.ndarray, "*n"], eop: EarthOrientation
) -> tuple[Float64[Any, "*n"], Float64[Any, "*n"]]:
    """Polar motion x, y [rad], linear between days, held beyond the table."""
    day, fraction = julian_tt(epoch, t)
    mjd = day - MJD_ZERO + fraction
    return np.interp(mjd, eop.mjd_utc, eop.xp_rad), np.interp(mjd, eop.mjd_utc, eop.yp_rad)


@cache
def load_earth_orientation() -> EarthOrientation:
    """Earth orientation since 1973 with a year of predictions (IERS finals2000A.all, Bulletin A).

    Read by columns of its fixed-width records (26 ms). Agrees with the IERS C04 series to 0.5 mas and 0.2 ms
    since 1996 (15 mm and 0.1 m on the ground), to 27 mas and 3 ms before (1 m). Beyond either end the end's
    UT1 - TAI and pole hold: UT1 then drifts off by up to half a second a year (0.2 km on the ground), so a
    run should state the table's last day.
    """
    record = np.frombuffer(_data("finals2000A.all"), np.uint8)
    width = int(np.flatnonzero(record == ord("\n"))[0]) + 1
    rows = record[: len(record) // width * width].reshape(-1, width)
    rows = rows[rows[:, 57] != ord(" ")]  # dates without a value yet

    def column(first: int, last: int) -> np.ndarray:
        return (
            np.ascontiguousarray(rows[:, first - 1 : last]).view(f"S{last - first + 1}")[:, 0].astype(float)
        )

    return EarthOrientation(
        column(8, 15), column(59, 68), column(19, 27) * ARCSEC_RAD, column(38, 46) * ARCSEC_RAD
    )


def zero_earth_orientation() -> EarthOrientation:
    """No orientation data: UT1 = UTC, pole at the origin. Costs up to about 0.4 km on the ground."""
    zero = np.zeros(1)
    return EarthOrientation(np.array([51544.0]), zero, zero, zero)


def _data(name: str) -> bytes:
    return (files("astropy_iers_data") / "data" / name).read_bytes()

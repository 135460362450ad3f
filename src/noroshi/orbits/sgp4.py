"""Catalogued satellites by SGP4/SDP4, from TEME to the GCRS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64
from sgp4.api import SGP4_ERRORS, WGS72, Satrec, SatrecArray

from noroshi import frames
from noroshi.constants import EARTH_RADIUS_M
from noroshi.errors import DataError
from noroshi.orbits.design import kozai_from_semi_major_axis
from noroshi.orbits.elements import Elements
from noroshi.time import (
    DAY_S,
    MJD_ZERO,
    TT_MINUS_TAI_S,
    EarthOrientation,
    Epoch,
    julian_tt,
    julian_utc,
    tai_minus_utc,
    utc_text,
)

SGP4_DAY_ZERO = 2433281.5  # Julian date from which sgp4init counts days: 1949-12-31T00:00
SATELLITE_NUMBER_MAX = 339_999  # Z9999 in the five characters of an element set


def propagate(
    satellites: Sequence[tuple[str, Satrec]],
    epoch: Epoch,
    t: Float[np.ndarray, "time"],
    eop: EarthOrientation,
) -> tuple[Float64[np.ndarray, "time sat 3"], Float64[np.ndarray, "time sat 3"]]:
    """Position [m] and velocity [m/s], GCRS, at t [s of TT past the epoch].

    SGP4 counts its minutes from each element set's own epoch; here they are minutes of TT, so that a leap
    second in between neither adds nor drops one. TEME turns into GCRS by way of the ITRS (Vallado et al.,
    AIAA 2006-6753, appendix C), so UT1 and the pole all but cancel. Accuracy is that of the element sets:
    about a kilometre at their epoch, growing by one to three a day. Raises DataError where SGP4 gives up
    (decayed, elements out of bounds), naming the satellite.
    """
    t = np.asarray(t, np.float64)
    shape = (len(satellites), len(t), 3)
    r, v = np.empty(shape), np.empty(shape)
    day, fraction = julian_tt(epoch, t)
    offset = np.array([_tt_minus_utc(*s) for s in satellites])
    for value in np.unique(offset):
        rows = np.flatnonzero(offset == value).tolist()
        group = SatrecArray([satellites[k][1] for k in rows])
        code, r_km, v_km = group.sgp4(day, fraction - value / DAY_S)
        if code.any():
            bad, at = (int(k) for k in np.argwhere(code)[0])
            raise DataError(
                f"SGP4 cannot carry it to {utc_text(epoch, float(t[at]))}: {SGP4_ERRORS[int(code[bad, at])]}",
                where=f"satellite {satellites[rows[bad]][0]}",
                remedy="use an element set closer to the scenario's epoch, or leave the satellite out",
            )
        r[rows], v[rows] = r_km * 1e3, v_km * 1e3
    from_teme, from_gcrs = frames.itrs_from_teme(epoch, t, eop), frames.itrs_from_gcrs(epoch, t, eop)
    # both turn with the Earth, so the way from one to the other is all but fixed (7e-12 rad/s of precession)
    gcrs_from_teme = np.swapaxes(from_gcrs, 1, 2) @ from_teme
    return (
        frames.rotate(gcrs_from_teme, np.swapaxes(r, 0, 1)),
        frames.rotate(gcrs_from_teme, np.swapaxes(v, 0, 1)),
    )


def from_mean_elements(elements: Elements, epoch: Epoch, names: Sequence[str]) -> tuple[Satrec, ...]:
    """Element sets without drag whose mean elements are these, at the epoch; one per satellite.

    `a` is Brouwer's mean semi-major axis, which SGP4 recovers from the mean motion of an element set (Kozai's);
    SGP4 then adds its short-period terms. Inclination and node are those of SGP4's own axes, TEME: the true
    equator of the epoch, from which a design's inclination is meant, and nearly its equinox. The equinox of
    the GCRS lies 0.33 deg away in 2026. Raises DataError, naming the satellite, where the perigee is below
    the equatorial radius or SGP4 refuses the elements at their epoch.
    """
    values = [np.asarray(x, np.float64) for x in elements]
    a, e, i, raan, argp, mean_anomaly = values
    refused = ~(np.isfinite(np.stack(values)).all(axis=0) & (e >= 0.0) & (a * (1.0 - e) >= EARTH_RADIUS_M))
    if refused.any():
        k = int(np.argmax(refused))
        raise DataError(
            f"mean elements a = {a[k] / 1e3:,.1f} km and e = {e[k]:g} are no orbit above the ground",
            where=f"satellite {names[k]}",
            remedy=f"keep a (1 - e) above {EARTH_RADIUS_M / 1e3:,.0f} km",
        )
    per_minute = 60.0 * kozai_from_semi_major_axis(a, e, i)
    date, _ = julian_utc(epoch, 0.0)
    offset = float(tai_minus_utc(float(date) - MJD_ZERO)) + TT_MINUS_TAI_S
    fraction = epoch.fraction - offset / DAY_S
    days = (epoch.day - SGP4_DAY_ZERO) + fraction
    records = []
    for k, name in enumerate(names):
        record = Satrec()
        numbers = (e[k], argp[k], i[k], mean_anomaly[k], per_minute[k], raan[k])
        number = 1 + k % SATELLITE_NUMBER_MAX  # means nothing here
        record.sgp4init(WGS72, "i", number, days, 0.0, 0.0, 0.0, *(float(x) for x in numbers))
        if record.error:
            raise DataError(
                f"SGP4 refuses its mean elements: {SGP4_ERRORS[record.error]}",
                where=f"satellite {name}",
                remedy="raise the perigee",
            )
        # sgp4init has its epoch from one float64, which holds 0.3 us: 2 mm of travel
        record.jdsatepoch, record.jdsatepochF = epoch.day, fraction
        records.append(record)
    return tuple(records)


def _tt_minus_utc(name: str, satellite: Satrec) -> float:
    """TT - UTC [s] at the epoch of an element set."""
    mjd = satellite.jdsatepoch - MJD_ZERO + satellite.jdsatepochF
    try:
        return float(tai_minus_utc(mjd)) + TT_MINUS_TAI_S
    except DataError as error:
        raise DataError(
            f"element set of {mjd:.0f} (MJD): {error.what}",
            where=f"satellite {name}",
            remedy="use an element set of 1972 or later",
        ) from None


AGE_MAX_DAYS = 30.0  # notional: SGP4 is kilometres off after days and of no use after months


def check_age(satellites: Sequence[tuple[str, Satrec]], epoch: Epoch) -> None:
    """Raise DataError naming a satellite whose elements are further than AGE_MAX_DAYS from the epoch."""
    for name, record in satellites:
        days = (epoch.day - record.jdsatepoch) + (
            epoch.fraction - record.jdsatepochF
        )  # TT - UTC is nothing here
        if abs(days) > AGE_MAX_DAYS:
            raise DataError(
                f"its elements are {abs(days):.0f} days {'older' if days > 0 else 'younger'} than the scenario's epoch",
                where=name,
                remedy=f"SGP4 needs elements within days; {AGE_MAX_DAYS:g} are accepted. Move the epoch or renew them",
            )

"""Catalogued satellites by SGP4/SDP4, from TEME to the GCRS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64
from sgp4.api import SGP4_ERRORS, Satrec, SatrecArray

from noroshi import frames
from noroshi.errors import DataError
from noroshi.time import (
    DAY_S,
    MJD_ZERO,
    TT_MINUS_TAI_S,
    EarthOrientation,
    Epoch,
    julian_tt,
    tai_minus_utc,
    utc_text,
)


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

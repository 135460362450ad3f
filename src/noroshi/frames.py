"""Celestial, terrestrial and SGP4 frames: GCRS, ITRS, TEME (IAU 2006/2000A by ERFA).

r_itrs = W(pole) R3(ERA(UT1)) C(TT) r_gcrs. The precession-nutation matrix C is smooth: it is computed at
nodes an hour apart or closer and interpolated linearly (under 2 mm at 7,400 km over a day); the Earth
rotation angle is exact at every time.
"""

from __future__ import annotations

import erfa
import numpy as np
from jaxtyping import Float, Float64

from noroshi.constants import EARTH_RATE_RAD_S
from noroshi.time import EarthOrientation, Epoch, julian_tt, julian_ut1, pole

NODE_S = 3600.0  # between exact precession-nutation matrices
_SPIN = np.array([0.0, 0.0, EARTH_RATE_RAD_S])


def itrs_from_gcrs(
    epoch: Epoch, t: Float[np.ndarray, "time"], eop: EarthOrientation
) -> Float64[np.ndarray, "time 3 3"]:
    """Rotations ITRS from GCRS at t [s of TT past the epoch] (IERS Conventions 2010, chapter 5)."""
    t = np.asarray(t, np.float64)
    return _pole_matrix(epoch, t, eop) @ _about_z(earth_rotation_angle(epoch, t, eop)) @ celestial(epoch, t)


def itrs_from_teme(
    epoch: Epoch, t: Float[np.ndarray, "time"], eop: EarthOrientation
) -> Float64[np.ndarray, "time 3 3"]:
    """Rotations ITRS from TEME, SGP4's own axes (Vallado et al., AIAA 2006-6753, appendix C).

    True equator, mean equinox: to the pseudo Earth-fixed frame by Greenwich mean sidereal time 1982, then the
    pole.
    """
    t = np.asarray(t, np.float64)
    return _pole_matrix(epoch, t, eop) @ _about_z(mean_sidereal_time(epoch, t, eop))


def earth_rotation_angle(
    epoch: Epoch, t: Float[np.ndarray, "time"], eop: EarthOrientation
) -> Float64[np.ndarray, "time"]:
    """Earth rotation angle [rad] at t [s of TT past the epoch] (IAU 2000)."""
    return erfa.era00(*julian_ut1(epoch, np.asarray(t, np.float64), eop))


def mean_sidereal_time(
    epoch: Epoch, t: Float[np.ndarray, "time"], eop: EarthOrientation
) -> Float64[np.ndarray, "time"]:
    """Greenwich mean sidereal time of 1982 [rad] at t: what SGP4's own axes turn by, and nothing else."""
    return erfa.gmst82(*julian_ut1(epoch, np.asarray(t, np.float64), eop))


def rotate(
    m: Float[np.ndarray, "time 3 3"], r: Float[np.ndarray, "time *n 3"]
) -> Float64[np.ndarray, "time *n 3"]:
    """m @ r for every vector of each time."""
    flat = r.reshape(len(r), -1, 3) if r.size else r.reshape(len(r), 0, 3)
    return (flat @ np.swapaxes(m, -1, -2)).reshape(r.shape)


def rotate_back(
    m: Float[np.ndarray, "time 3 3"], r: Float[np.ndarray, "time *n 3"]
) -> Float64[np.ndarray, "time *n 3"]:
    """m.T @ r for every vector of each time."""
    return rotate(np.swapaxes(m, -1, -2), r)


def state_itrs(
    m: Float[np.ndarray, "time 3 3"],
    r_gcrs: Float[np.ndarray, "time *n 3"],
    v_gcrs: Float[np.ndarray, "time *n 3"],
) -> tuple[Float64[np.ndarray, "time *n 3"], Float64[np.ndarray, "time *n 3"]]:
    """Position and velocity relative to the rotating Earth, from GCRS (m = itrs_from_gcrs).

    The spin is taken about the ITRS z axis; the true axis, half an arcsecond off at most, would change the
    velocity by up to 1 mm/s in low orbit.
    """
    r_itrs = rotate(m, r_gcrs)
    return r_itrs, rotate(m, v_gcrs) - np.cross(_SPIN, r_itrs)


def state_gcrs(
    m: Float[np.ndarray, "time 3 3"],
    r_itrs: Float[np.ndarray, "time *n 3"],
    v_itrs: Float[np.ndarray, "time *n 3"],
) -> tuple[Float64[np.ndarray, "time *n 3"], Float64[np.ndarray, "time *n 3"]]:
    """The inverse of `state_itrs`."""
    return rotate_back(m, r_itrs), rotate_back(m, v_itrs + np.cross(_SPIN, r_itrs))


def celestial(epoch: Epoch, t: Float[np.ndarray, "time"]) -> Float64[np.ndarray, "time 3 3"]:
    """Rotations CIRS from GCRS, precession and nutation, interpolated between nodes."""
    if not len(t):
        return np.empty((0, 3, 3))
    first, last = t.min(), t.max()
    intervals = max(1, int(np.ceil((last - first) / NODE_S)))
    nodes = np.linspace(first, max(last, first + 1.0), intervals + 1)
    exact = erfa.c2i06a(*julian_tt(epoch, nodes))
    at = (t - nodes[0]) / (nodes[1] - nodes[0])
    k = np.clip(at.astype(int), 0, intervals - 1)
    weight = (at - k)[:, None, None]
    return (1.0 - weight) * exact[k] + weight * exact[k + 1]


def _pole_matrix(epoch: Epoch, t: np.ndarray, eop: EarthOrientation) -> np.ndarray:
    x, y = pole(epoch, t, eop)
    return erfa.pom00(x, y, erfa.sp00(*julian_tt(epoch, t)))


def _about_z(angle: np.ndarray) -> np.ndarray:
    """Rotation of the axes by an angle about z."""
    c, s = np.cos(angle), np.sin(angle)
    m = np.zeros((len(angle), 3, 3))
    m[:, 0, 0] = m[:, 1, 1] = c
    m[:, 0, 1], m[:, 1, 0] = s, -s
    m[:, 2, 2] = 1.0
    return m

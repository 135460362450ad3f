"""Where and when a ballistic track comes down: free fall to the ellipsoid, with its first-order covariance.

The fall is integrated in the ITRS: point mass and J2, Coriolis and centrifugal terms, no drag (see `predict`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import noroshi._jax  # noqa: F401  (float64 before any array)

# isort: split
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float, Float64

from noroshi.constants import EARTH_J2, EARTH_MU, EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M, EARTH_RATE_RAD_S
from noroshi.earth import enu_from_itrs, geodetic_from_itrs, height_itrs, itrs_from_geodetic
from noroshi.tables import Tracks, unpack_covariance

POINTS = 33  # of the predicted ground track, equal steps of time from now to impact, both included
STEPS = 4 * (POINTS - 1)  # RK4 steps of a fall: 7 s each in 900 s, 31 s in 4000 s
FALL_MAX_S = 3 * 3600.0  # notional: longer arcs are near-orbital, and no first-order covariance holds on them
CHUNK = 512  # rows per compiled call: one shape for many rows, ...
CHUNK_SMALL = 32  # ... and one for few
RESIDUAL_MAX_M = 1.0  # height left at the impact point; Newton leaves micrometres where it converges


@dataclass(frozen=True)
class Predictions:
    """One row per row of `Tracks`: its free fall to height 0. All nan where there is none.

    Ground-track points are the geodetic sub-points at the fractions 0, 1/32, ... 1 of the time to impact. A
    Jacobian maps a change of the state (ITRS position, velocity relative to the Earth) at the row's time to metres
    east and north of such a point on the ground, for the perturbed flight at the same fraction of *its* time to
    impact: the last point stays an impact point, and a sampled track is never under ground.
    """

    t_impact: Float64[np.ndarray, "row"]  # s past the epoch
    sigma_t_s: Float64[np.ndarray, "row"]
    lat_rad: Float64[np.ndarray, "row"]
    lon_rad: Float64[np.ndarray, "row"]
    cov_en_m2: Float64[np.ndarray, "row 2 2"]  # east, north
    major_m: Float64[np.ndarray, "row"]  # 1-sigma half axes
    minor_m: Float64[np.ndarray, "row"]
    azimuth_rad: Float64[np.ndarray, "row"]  # of the major axis, clockwise from north, in [0, pi)
    track_t: Float64[np.ndarray, "row point"]
    track_lat_rad: Float64[np.ndarray, "row point"]
    track_lon_rad: Float64[np.ndarray, "row point"]
    track_height_m: Float64[np.ndarray, "row point"]
    track_jacobian: Float64[np.ndarray, "row point 2 6"]
    time_jacobian: Float64[np.ndarray, "row 6"]  # of the time to impact


class Fall(NamedTuple):
    """A predicted flight: times after the start and ITRS states; the last is at height 0."""

    t: Float64[np.ndarray, "step"]
    r_itrs: Float64[np.ndarray, "step 3"]
    v_itrs: Float64[np.ndarray, "step 3"]

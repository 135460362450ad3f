"""Could this scan have seen a target there? From what the Scans table says, with the exact WGS-84 geometry.

Positions are GCRS; the ellipsoid is taken about the GCRS z axis. The pole of date lies 0.1-0.15 deg away, which
moves heights by at most 40-55 m (flattening 21 km times the tilt).
"""

from __future__ import annotations

from math import asin, atan2, cos, hypot, pi, sin, sqrt

from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)
from noroshi.constants import EARTH_E2, EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M
from noroshi.tables import Background, Kind
from noroshi.tracking.columns import (
    AZIMUTH,
    BACKGROUND,
    CLOUD,
    COS_CONE,
    ELEVATION_MAX,
    ELEVATION_MIN,
    GRAZING,
    KIND,
    RANGE_MAX,
    M,
    R,
)

_INFRARED = int(Kind.INFRARED)
_SPACE = int(Background.SPACE)
HALF_PI = 0.5 * pi


@njit(cache=True, nogil=True, error_model="numpy")
def height(x, y, z):
    """Geodetic height above WGS-84, m (Bowring's parametric latitude, two rounds: below 1 um to 2000 km)."""
    p = hypot(x, y)
    beta = atan2(EARTH_RADIUS_M * z, EARTH_POLAR_RADIUS_M * p)
    lat = beta
    for _ in range(2):
        lat = atan2(
            z + EARTH_E2 * EARTH_RADIUS_M / sqrt(1.0 - EARTH_E2) * sin(beta) ** 3,
            p - EARTH_E2 * EARTH_RADIUS_M * cos(beta) ** 3,
        )
        beta = atan2(sqrt(1.0 - EARTH_E2) * sin(lat), cos(lat))
    s = sin(lat)
    return p * cos(lat) + z * s - EARTH_RADIUS_M * sqrt(1.0 - EARTH_E2 * s * s)


@njit(cache=True, nogil=True, error_model="numpy")
def occlusion_margin(ax, ay, az, bx, by, bz, raised):
    """>= 0 where the straight line from a to b clears the ellipsoid raised by `raised` (as noroshi.earth has it).

    A point inside the raised ellipsoid counts as lying on it.
    """
    e = EARTH_RADIUS_M + raised
    q = EARTH_POLAR_RADIUS_M + raised
    ax, ay, az = ax / e, ay / e, az / q
    bx, by, bz = bx / e, by / e, bz / q
    wa = sqrt(max(ax * ax + ay * ay + az * az - 1.0, 0.0))
    wb = sqrt(max(bx * bx + by * by + bz * bz - 1.0, 0.0))
    return ax * bx + ay * by + az * bz + wa * wb - 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def earth_behind(sx, sy, sz, tx, ty, tz):
    """Whether the line of sight goes on to hit the Earth behind the target (as noroshi.earth has it)."""
    e = EARTH_RADIUS_M
    q = EARTH_POLAR_RADIUS_M
    sx, sy, sz = sx / e, sy / e, sz / q
    tx, ty, tz = tx / e, ty / e, tz / q
    ws = sqrt(max(sx * sx + sy * sy + sz * sz - 1.0, 0.0))
    wt = sqrt(max(tx * tx + ty * ty + tz * tz - 1.0, 0.0))
    return sx * tx + sy * ty + sz * tz - ws * wt > 1.0 and ws > wt


@njit(cache=True, nogil=True, error_model="numpy")
def grazing_clear(sx, sy, sz, tx, ty, tz, raised):
    """Whether the line of sight stays above the height `raised` until it reaches the target.

    Still descending at the target: the lowest point is the target itself, whatever its height. Else the lowest
    point lies on the way and the target must be above the shell, and the line clear of it.
    """
    if occlusion_margin(sx, sy, sz, tx, ty, tz, 0.0) < 0.0:
        return False
    a2 = EARTH_RADIUS_M * EARTH_RADIUS_M
    b2 = EARTH_POLAR_RADIUS_M * EARTH_POLAR_RADIUS_M
    if ((tx - sx) * tx + (ty - sy) * ty) / a2 + (tz - sz) * tz / b2 <= 0.0:
        return True
    x, y, z = (
        tx / (EARTH_RADIUS_M + raised),
        ty / (EARTH_RADIUS_M + raised),
        tz / (EARTH_POLAR_RADIUS_M + raised),
    )
    if x * x + y * y + z * z < 1.0:
        return False
    return occlusion_margin(sx, sy, sz, tx, ty, tz, raised) >= 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def in_view(position, scan):
    """Whether a target at `position` [3] lies where this scan looks and can see. scan: a row of `pack_scans`."""
    sx, sy, sz = scan[R], scan[R + 1], scan[R + 2]
    px, py, pz = position[0], position[1], position[2]
    d0 = px - sx
    d1 = py - sy
    d2 = pz - sz
    rho = d0 * d0 + d1 * d1 + d2 * d2
    if rho > scan[RANGE_MAX] * scan[RANGE_MAX] or rho == 0.0:  # before the root: most sensors are far away
        return False
    rho = sqrt(rho)
    x = (scan[M] * d0 + scan[M + 3] * d1 + scan[M + 6] * d2) / rho
    if x < scan[COS_CONE]:
        return False
    z = (scan[M + 2] * d0 + scan[M + 5] * d1 + scan[M + 8] * d2) / rho
    if scan[ELEVATION_MIN] > -HALF_PI or scan[ELEVATION_MAX] < HALF_PI:
        elevation = asin(min(max(z, -1.0), 1.0))
        if elevation < scan[ELEVATION_MIN] or elevation > scan[ELEVATION_MAX]:
            return False
    if scan[AZIMUTH] < pi:
        y = (scan[M + 1] * d0 + scan[M + 4] * d1 + scan[M + 7] * d2) / rho
        if abs(atan2(y, x)) > scan[AZIMUTH]:
            return False
    if occlusion_margin(sx, sy, sz, px, py, pz, 0.0) < 0.0:
        return False
    if scan[KIND] != _INFRARED:
        return True
    if height(px, py, pz) < scan[CLOUD]:
        return False
    if not grazing_clear(sx, sy, sz, px, py, pz, scan[GRAZING]):
        return False
    return not (scan[BACKGROUND] == _SPACE and earth_behind(sx, sy, sz, px, py, pz))

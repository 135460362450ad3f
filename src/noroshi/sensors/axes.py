"""Sensor axes: where a sensor looks, and azimuth and elevation in its own frame.

A satellite's x is the geodetic nadir (the inward normal of the ellipsoid below, which geocentric nadir misses by
up to 0.19 deg), y the horizontal part of its inertial velocity, z = x cross y. A radar's x is its facing in the
horizontal plane, z the geodetic vertical, y = z cross x (to the left of the facing, so azimuth in sensor axes grows
anticlockwise seen from above). azimuth = atan2(y, x), elevation = asin(z).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64
from scipy.spatial.transform import Rotation

from noroshi.earth import geodetic_from_itrs
from noroshi.frames import rotate
from noroshi.sensors.models import Infrared, Radar
from noroshi.tables import Ephemeris


def itrs_from_sensor(
    sensors: Sequence[Infrared | Radar], ephemeris: Ephemeris, m: Float[np.ndarray, "time 3 3"]
) -> Float64[np.ndarray, "time sensor 3 3"]:
    """Rotations whose columns are the sensor's x, y, z in the ITRS, on the grid (m = itrs_from_gcrs)."""
    r = rotate(m, ephemeris.r_gcrs)
    lat, lon, _ = geodetic_from_itrs(r)
    sin_lat, cos_lat, sin_lon, cos_lon = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    up = np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], axis=-1)
    east = np.stack([-sin_lon, cos_lon, np.zeros_like(lon)], axis=-1)
    north = np.cross(up, east)
    axes = np.empty((*r.shape, 3))
    is_radar = np.array([isinstance(s, Radar) for s in sensors], bool)
    if is_radar.any():
        facing = np.array([s.facing_rad for s in sensors if isinstance(s, Radar)])[:, None]
        x = np.cos(facing) * north[:, is_radar] + np.sin(facing) * east[:, is_radar]
        z = up[:, is_radar]
        axes[:, is_radar] = np.stack([x, np.cross(z, x), z], axis=-1)
    if not is_radar.all():
        x = -up[:, ~is_radar]
        v = rotate(m, ephemeris.v_gcrs[:, ~is_radar])
        y = v - np.sum(v * x, axis=-1, keepdims=True) * x
        y /= np.linalg.norm(y, axis=-1, keepdims=True)
        axes[:, ~is_radar] = np.stack([x, y, np.cross(x, y)], axis=-1)
    return axes


def quaternion(m: Float[np.ndarray, "n 3 3"]) -> Float64[np.ndarray, "n 4"]:
    """Unit quaternions (w, x, y, z) of rotation matrices."""
    return Rotation.from_matrix(m).as_quat(scalar_first=True) if len(m) else np.empty((0, 4))


def azimuth_elevation(
    u: Float[np.ndarray, "*n 3"],
) -> tuple[Float64[np.ndarray, "*n"], Float64[np.ndarray, "*n"]]:
    """Azimuth and elevation [rad] of unit vectors in sensor axes."""
    return np.arctan2(u[..., 1], u[..., 0]), np.arcsin(np.clip(u[..., 2], -1.0, 1.0))


def direction(az: Float[np.ndarray, "*n"], el: Float[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n 3"]:
    """Unit vectors in sensor axes of azimuth and elevation [rad]."""
    return np.stack([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)], axis=-1)


def tangent_noise(
    u: Float[np.ndarray, "*n 3"], d_az: Float[np.ndarray, "*n"], d_el: Float[np.ndarray, "*n"]
) -> Float64[np.ndarray, "*n 3"]:
    """Unit vectors moved by angles [rad] along growing azimuth and growing elevation in the tangent plane."""
    level = np.hypot(u[..., 0], u[..., 1])
    safe = np.where(level > 0.0, level, 1.0)
    ca, sa = np.where(level > 0.0, u[..., 0] / safe, 1.0), u[..., 1] / safe
    e_az = np.stack([-sa, ca, np.zeros_like(sa)], axis=-1)
    e_el = np.stack([-u[..., 2] * ca, -u[..., 2] * sa, level], axis=-1)
    moved = u + d_az[..., None] * e_az + d_el[..., None] * e_el
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)

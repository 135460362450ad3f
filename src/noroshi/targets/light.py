"""The Sun and the Earth as a target sees them, in axes that its motion through the air defines.

Body axes: x along the velocity relative to the air, z in the plane of x and the vertical, away from the Earth, y
completes them. The vertical is the line from the Earth's centre: within 0.2 deg of the geodetic one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64

from noroshi.constants import EARTH_MEAN_RADIUS_M
from noroshi.sky import sun_position
from noroshi.time import Epoch

_STILL_M_S = 1e-3  # slower than this a body has no direction of flight


class Light(NamedTuple):
    """What shines on a body at each time."""

    sun_body: Float64[np.ndarray, "time 3"]  # unit vector to the Sun, body axes
    sunlit: Bool[np.ndarray, "time"]  # False in the Earth's shadow
    up_body: Float64[np.ndarray, "time 3"]  # unit vector away from the Earth's centre
    earth_ratio: Float64[np.ndarray, "time"]  # Earth's radius over the distance from its centre
    sun_cos: Float64[np.ndarray, "time"]  # cosine of the Sun's zenith angle on the ground below


def sun_gcrs(epoch: Epoch, t: Float[np.ndarray, "time"]) -> Float64[np.ndarray, "time 3"]:
    """Unit vectors from the Earth's centre to the Sun, GCRS, at t [s past the epoch] (ERFA epv00; no aberration)."""
    sun = sun_position(epoch, np.asarray(t, np.float64))
    return sun / np.linalg.norm(sun, axis=-1, keepdims=True)


def body_axes(
    r_itrs: Float[np.ndarray, "*n 3"], v_itrs: Float[np.ndarray, "*n 3"]
) -> Float64[np.ndarray, "*n 3 3"]:
    """Rotations body from ITRS (rows x, y, z) of bodies in still, co-rotating air.

    In vertical flight the plane of x and the vertical is none: then z points north, and a body without motion has
    x north.
    """
    up = r_itrs / np.linalg.norm(r_itrs, axis=-1, keepdims=True)
    speed = np.linalg.norm(v_itrs, axis=-1, keepdims=True)
    north = np.array([0.0, 0.0, 1.0]) - up[..., 2:] * up
    # over a pole: any horizontal direction
    north = np.where(np.linalg.norm(north, axis=-1, keepdims=True) > 1e-6, north, [1.0, 0.0, 0.0])
    north = north / np.linalg.norm(north, axis=-1, keepdims=True)
    x = np.where(speed > _STILL_M_S, v_itrs / np.maximum(speed, _STILL_M_S), north)
    z = up - np.sum(up * x, axis=-1, keepdims=True) * x
    level = north - np.sum(north * x, axis=-1, keepdims=True) * x
    z = np.where(np.linalg.norm(z, axis=-1, keepdims=True) > 1e-6, z, level)
    z = z / np.linalg.norm(z, axis=-1, keepdims=True)
    return np.stack([x, np.cross(z, x), z], axis=-2)


def light(
    r_itrs: Float[np.ndarray, "time 3"],
    v_itrs: Float[np.ndarray, "time 3"],
    sun_itrs: Float[np.ndarray, "time 3"],
) -> Light:
    """The light on a body, from its ITRS state and the direction to the Sun. Shadow: a cylinder of the mean Earth."""
    distance = np.linalg.norm(r_itrs, axis=-1)
    axes = body_axes(r_itrs, v_itrs)
    up = r_itrs / distance[:, None]
    cos = np.sum(up * sun_itrs, axis=-1)
    beside = distance * np.sqrt(np.maximum(1.0 - cos * cos, 0.0))
    return Light(
        sun_body=np.einsum("tij,tj->ti", axes, sun_itrs),
        sunlit=(cos > 0.0) | (beside > EARTH_MEAN_RADIUS_M),
        up_body=np.einsum("tij,tj->ti", axes, up),
        earth_ratio=np.minimum(EARTH_MEAN_RADIUS_M / distance, 1.0),
        sun_cos=cos,
    )

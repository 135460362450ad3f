"""Directions in which an infrared sensor may not look: close to the Sun, to the Moon, or to the bright limb.

Their places are those of `noroshi.sky`, one per minute, linear in between (1.2 m off for the Moon). A
Sun or Moon that the Earth hides from the sensor excludes nothing; refraction and the size of the disc are left
to the stated angle.
"""

from __future__ import annotations

from typing import Any

import noroshi._jax  # noqa: F401
from noroshi.constants import EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M
from noroshi.earth import occlusion_margin

# isort: split
from jax import numpy as jnp


def near_body(sensor: Any, line: Any, body: Any, within_rad: Any) -> Any:
    """Whether a line of sight passes within an angle of a body that the Earth does not hide from the sensor.

    All [..., 3] in the ITRS: the sensor's place, the line (of any length), the body's place. within_rad 0: never.
    """
    to_body = body - sensor
    cos = jnp.sum(line * to_body, axis=-1) / (
        jnp.sqrt(jnp.sum(line * line, axis=-1)) * jnp.sqrt(jnp.sum(to_body * to_body, axis=-1))
    )
    shines = occlusion_margin(sensor, body) >= 0.0
    return (within_rad > 0.0) & shines & (cos > jnp.cos(within_rad))


def limb_height(sensor: Any, above_rad: Any) -> Any:
    """Tangent height [m] of lines that pass an angle above the Earth's edge, seen from a place in the ITRS [..., 3].

    In the scaled axes that make the ellipsoid a sphere, so the angle is 0.3 % uneven. Up to the horizontal plane.
    """
    x, y, z = sensor[..., 0] / EARTH_RADIUS_M, sensor[..., 1] / EARTH_RADIUS_M, sensor[..., 2]
    radius = jnp.maximum(jnp.sqrt(x * x + y * y + (z / EARTH_POLAR_RADIUS_M) ** 2), 1.0)
    from_nadir = jnp.minimum(jnp.arcsin(1.0 / radius) + above_rad, 0.5 * jnp.pi)
    return jnp.where(above_rad > 0.0, EARTH_RADIUS_M * (radius * jnp.sin(from_nadir) - 1.0), 0.0)


def passes_below(sensor: Any, line: Any, height: Any) -> Any:
    """Whether a line of sight, continued for ever, comes below a height [m] above the ellipsoid; ITRS [..., 3].

    Axes of the ellipsoid longer by the height, as everywhere (`noroshi.earth`). A line that rises from a sensor
    above that height never does.
    """
    axes = jnp.stack(
        jnp.broadcast_arrays(EARTH_RADIUS_M + height, EARTH_RADIUS_M + height, EARTH_POLAR_RADIUS_M + height),
        axis=-1,
    )
    s, d = sensor / axes, line / axes
    nearest = jnp.maximum(-jnp.sum(s * d, axis=-1) / jnp.sum(d * d, axis=-1), 0.0)
    p = s + nearest[..., None] * d
    return jnp.sum(p * p, axis=-1) < 1.0

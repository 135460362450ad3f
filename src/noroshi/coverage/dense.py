"""Every pair put to the test, none left out: the same counts in JAX, for a GPU and as the yardstick of `count`.

On a CPU the loop runs over sensors and adds up over points, whose sums stay in the cache. On a GPU
one reduction over the sensors leaves nothing in memory either.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

import noroshi._jax  # noqa: F401

# isort: split
import jax
from jax import numpy as jnp
from jaxtyping import Int32

from noroshi.coverage.count import TOUCH2, Scene
from noroshi.coverage.layout import Layout
from noroshi.coverage.models import Quality


class _Sensors(NamedTuple):
    """Sensors at one time; entries [sensor], or numbers of one sensor."""

    x: Any  # place [m]
    y: Any
    z: Any
    xs: Any  # scaled, and sqrt(|.|^2 - 1)
    ys: Any
    zs: Any
    ws: Any
    nx: Any  # nadir
    ny: Any
    nz: Any
    limit: Any  # columns of Scene.limits, last axis


_PLACES = _Sensors._fields[:-1]


class _Targets(NamedTuple):
    """Points, entries [point]: place [m], scaled with sqrt(|.|^2 - 1), and normal."""

    r: Any  # [3, point]
    scaled: Any  # [4, point]
    up: Any  # [3, point]


def counts(
    scene: Scene, grid: Layout, quality: Quality, begin: int, end: int, precision: str = "float64"
) -> Int32[np.ndarray, "time point"]:
    """Sensors that see each point (in the layout's order) at times begin to end of the scene.

    precision: "float64", or "float32", which differs at the limb (4 counts in a million, as measured).
    """
    kind = np.dtype(precision)
    a, b = scene.axes
    r = scene.r_sensor[begin:end]
    scaled = r / [a, a, b]
    w = np.sqrt(np.maximum(np.sum(scaled * scaled, -1) - 1.0, 0.0))
    sensors = [
        *np.moveaxis(r, -1, 0),
        *np.moveaxis(scaled, -1, 0),
        w,
        *np.moveaxis(scene.nadir[begin:end], -1, 0),
    ]
    targets = _Targets(*(x.astype(kind) for x in (grid.r_itrs, grid.scaled, grid.up)))
    bodies = (
        [np.zeros((len(r), 3), kind)] * 2 if scene.plain else [scene.sun[begin:end], scene.moon[begin:end]]
    )
    gains = np.stack(quality[5:], -1)
    found = _counts(
        [x.astype(kind) for x in sensors],
        scene.limits.astype(kind),
        gains.astype(kind),
        [x.astype(kind) for x in bodies],
        targets,
        kind.type(a),
        kind.type(b),
        plain=scene.plain,
        wide=jax.default_backend() != "cpu",
    )
    return np.asarray(found)


@partial(jax.jit, static_argnames=("plain", "wide"))
def _counts(
    sensors: Any,
    limits: Any,
    gains: Any,
    bodies: Any,
    targets: _Targets,
    a: Any,
    b: Any,
    *,
    plain: bool,
    wide: bool,
) -> Any:
    def at(moment: Any) -> Any:
        places, sun, moon = moment

        def one(s: Any) -> Any:
            sensor = _Sensors(
                **{name: x[s] for name, x in zip(_PLACES, places, strict=True)}, limit=limits[s]
            )
            if plain:
                return _clear(sensor, targets)[1]
            return _within(sensor, gains[s], sun, moon, targets, a, b)

        if wide:
            return jnp.sum(jax.vmap(one)(jnp.arange(len(limits))), axis=0, dtype=jnp.int32)
        return jax.lax.fori_loop(
            0,
            len(limits),
            lambda s, n: n + one(s).astype(jnp.int32),
            jnp.zeros(targets.r.shape[1], jnp.int32),
        )

    return jax.lax.map(at, (sensors, *bodies))


def _clear(s: _Sensors, p: _Targets) -> tuple[Any, Any]:
    """Dot product of the scaled places, and whether the body does not part the pairs."""
    dot = s.xs * p.scaled[0] + s.ys * p.scaled[1] + s.zs * p.scaled[2]
    return dot, dot + s.ws * p.scaled[3] >= 1.0


def _within(s: _Sensors, gain: Any, sun: Any, moon: Any, p: _Targets, a: Any, b: Any) -> Any:
    """count._look and count._within, term by term."""
    (
        ground, grazing, range2, sin_up, cos_in, cos_out, behind_wanted, cos_sun, cos_moon,
        sin_low, sin_high, east, north, cos_field,
    ) = (s.limit[k] for k in range(14))  # fmt: skip
    gain_space, gain_earth, power, threshold = (gain[k] for k in range(4))
    dot, seen = _clear(s, p)
    dx, dy, dz = p.r[0] - s.x, p.r[1] - s.y, p.r[2] - s.z
    square = jnp.maximum(dx * dx + dy * dy + dz * dz, TOUCH2)
    each = 1.0 / jnp.sqrt(square)
    ux, uy, uz = dx * each, dy * each, dz * each
    down = ux * s.nx + uy * s.ny + uz * s.nz
    behind = (s.ws > p.scaled[3]) & (dot - s.ws * p.scaled[3] > 1.0)

    level = jnp.sqrt(s.nx * s.nx + s.ny * s.ny)
    ex = jnp.where(level > 0.0, s.ny / level, 0.0)
    ey = jnp.where(level > 0.0, -s.nx / level, 1.0)
    fx, fy = east * ex + north * s.nz * ey, east * ey - north * s.nz * ex
    fz = north * (ex * s.ny - ey * s.nx)
    ahead = ux * fx + uy * fy + uz * fz >= cos_field * jnp.sqrt(jnp.maximum(1.0 - down * down, 0.0))
    on_ground = (-down >= sin_low) & (-down <= sin_high) & ((cos_field <= -1.0) | ahead)

    high = (sin_up <= -1.0) | (-(ux * p.up[0] + uy * p.up[1] + uz * p.up[2]) >= sin_up)
    cone = (down >= cos_out) & (down <= cos_in)
    backdrop = ~(((behind_wanted == 1) & behind) | ((behind_wanted == 2) & ~behind))
    in_space = high & cone & backdrop & ((grazing <= 0.0) | _grazes_clear(s, p, dx, dy, dz, grazing, a, b))
    for body, cos_within in ((sun, cos_sun), (moon, cos_moon)):
        in_space &= ~_near(s, body, ux, uy, uz, cos_within, a, b)

    snr = jnp.where(behind, gain_earth, gain_space) * each**power
    return (
        seen
        & (square <= range2)
        & jnp.where(ground != 0.0, on_ground, in_space)
        & ((threshold <= 0.0) | (snr >= threshold))
    )


def _grazes_clear(s: _Sensors, p: _Targets, dx: Any, dy: Any, dz: Any, height: Any, a: Any, b: Any) -> Any:
    descending = (dx * p.r[0] + dy * p.r[1]) / (a * a) + dz * p.r[2] / (b * b) <= 0.0
    x, y, z = p.r[0] / (a + height), p.r[1] / (a + height), p.r[2] / (b + height)
    above = x * x + y * y + z * z - 1.0
    u, v, w = s.x / (a + height), s.y / (a + height), s.z / (b + height)
    root = jnp.sqrt(jnp.maximum(u * u + v * v + w * w - 1.0, 0.0) * jnp.maximum(above, 0.0))
    return descending | ((above >= 0.0) & (u * x + v * y + w * z + root >= 1.0))


def _near(s: _Sensors, body: Any, ux: Any, uy: Any, uz: Any, cos_within: Any, a: Any, b: Any) -> Any:
    bx, by, bz = body[0] - s.x, body[1] - s.y, body[2] - s.z
    x, y, z = body[0] / a, body[1] / a, body[2] / b
    w = jnp.sqrt(jnp.maximum(x * x + y * y + z * z - 1.0, 0.0))
    shines = s.xs * x + s.ys * y + s.zs * z + s.ws * w >= 1.0
    cos = (ux * bx + uy * by + uz * bz) / jnp.sqrt(bx * bx + by * by + bz * bz)
    return (cos_within <= 1.0) & shines & (cos > cos_within)

"""Coverage with soft edges, which has a gradient, and designs polished along it (JAX).

The figure that counts stays the one with hard edges (`coverage.count`): this one says which way to move
(docs/theory/coverage-gradients.md).
"""

from __future__ import annotations

import noroshi._jax  # noqa: F401  isort: skip

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64
from scipy.optimize import minimize

from noroshi.constants import EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M
from noroshi.earth import geodetic_from_itrs, height_itrs, occlusion_margin, up_itrs
from noroshi.errors import ScenarioError
from noroshi.orbits.elements import Elements
from noroshi.orbits.kepler import propagate_mean

WIDTH_RAD = (
    0.03  # notional: 190 km on the ground, an eighteenth of the way from nadir to the horizon at 1,000 km
)
PERIGEE_LEAST_M = EARTH_RADIUS_M + 150e3  # notional: lower ones come down within days
# how far polishing may move each element, either way; notional, but for the angles that are half a turn
REACH: Mapping[str, float] = {
    "a": 100e3,
    "e": 0.02,
    "i": np.deg2rad(10.0),
    "raan": np.pi,
    "argp": np.pi,
    "mean_anomaly": np.pi,
}


class Edges(NamedTuple):
    """Limits beside the ellipsoid, the same for all satellites; None: off. Angles as in `coverage.models.Limits`."""

    elevation_target_rad: float | None = None  # least, of the satellite above the point's horizon
    cone_max_rad: float | None = None  # from the geodetic nadir
    range_max_m: float | None = None


NO_EDGES = Edges()


class Polished(NamedTuple):
    """A design after polishing, and the smooth fraction at the start and after every step: it never falls."""

    elements: Elements
    history: Float64[np.ndarray, "step"]


def smooth_fraction(
    elements: Elements,
    m: Float[Any, "time 3 3"],
    t: Float[np.ndarray, "time"],
    r_points_itrs: Float[np.ndarray, "point 3"],
    weight: Float[np.ndarray, "point"],
    k: int,
    *,
    width_rad: float = WIDTH_RAD,
    edges: Edges = NO_EDGES,
) -> Float64[Array, ""]:
    """Expected share of area and time seen by at least k satellites, edges softened over `width_rad`.

    `elements` are mean elements (`kepler.propagate_mean`) at t = 0; m = itrs_from_gcrs at t [s]; weights add up to 1.
    Differentiable with respect to the elements; for `width_rad` to zero it goes to the share with hard edges. Of
    all pairs at all times: a few hundred points and some tens of times are plenty for a gradient.
    """
    if k < 1:
        raise ScenarioError(f"at least {k} satellites is no condition", remedy="use a fold of 1 or more")
    r_points_itrs = np.asarray(r_points_itrs, np.float64)
    lat, lon, _ = geodetic_from_itrs(r_points_itrs)
    r, _ = propagate_mean(elements, t)
    r_itrs = jnp.einsum("tij,tsj->tsi", jnp.asarray(m), r)
    return _fraction(r_itrs, r_points_itrs, up_itrs(lat, lon), jnp.asarray(weight), width_rad, edges, k)


def at_least(p: Float[Array, "sat *n"], k: int) -> Float64[Array, "*n"]:
    """Chance that at least k of independent events happen, each with its own p: Poisson's binomial distribution.

    Exact recursion over the events on the chances of 0 to k - 1 of them (Hong 2013, Comput. Stat. Data Anal. 59, 41).
    """
    start = jnp.zeros((k, *p.shape[1:])).at[0].set(1.0)

    def one_more(few: Any, chance: Any) -> tuple[Any, None]:
        fewer = jnp.concatenate([jnp.zeros_like(few[:1]), few[:-1]])
        return few + chance * (fewer - few), None

    few, _ = jax.lax.scan(one_more, start, p)
    return 1.0 - jnp.sum(few, axis=0)


def polish(
    elements: Elements,
    m: Float[np.ndarray, "time 3 3"],
    t: Float[np.ndarray, "time"],
    r_points_itrs: Float[np.ndarray, "point 3"],
    weight: Float[np.ndarray, "point"],
    k: int,
    *,
    free: Sequence[str] = ("raan", "mean_anomaly"),
    steps: int = 50,
    width_rad: float = WIDTH_RAD,
    edges: Edges = NO_EDGES,
    reach: Mapping[str, float] = REACH,
) -> Polished:
    """Move the free elements of every satellite to where `smooth_fraction` is locally greatest (L-BFGS-B).

    Each within `reach` of where it starts, perigees no lower than PERIGEE_LEAST_M (or where they start). Never
    returns less than it was given. Satellites in the very same place have the same gradient and stay together.
    Raises ScenarioError for a name that is no element.
    """
    unknown = [name for name in free if name not in Elements._fields]
    if unknown or not free:
        raise ScenarioError(
            f"{', '.join(unknown) or 'nothing'} cannot be polished",
            remedy=f"free one or more of {', '.join(Elements._fields)}",
        )
    start = Elements(*(np.asarray(x, np.float64) for x in elements))
    low, high = _bounds(start, free, reach)
    scale = np.concatenate([np.full(len(start.a), reach[name]) for name in free])
    origin = np.concatenate([getattr(start, name) for name in free])

    def moved(x: Any) -> Elements:
        values = jnp.split(jnp.asarray(origin + scale * x), len(free))
        return start._replace(**dict(zip(free, values, strict=True)))

    @jax.jit
    @jax.value_and_grad
    def loss(x: Any) -> Any:
        return -smooth_fraction(moved(x), m, t, r_points_itrs, weight, k, width_rad=width_rad, edges=edges)

    best, best_x = np.inf, np.zeros(len(origin))
    history: list[float] = []

    def evaluate(x: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal best, best_x
        value, slope = loss(x)
        if float(value) < best:
            best, best_x = float(value), x.copy()
        if not history:
            history.append(-best)
        return float(value), np.asarray(slope)

    minimize(
        evaluate,
        np.zeros(len(origin)),
        jac=True,
        method="L-BFGS-B",
        bounds=np.stack([(low - origin) / scale, (high - origin) / scale], axis=-1),
        options={"maxiter": steps},
        callback=lambda _: history.append(-best),
    )
    found = moved(best_x)
    return Polished(Elements(*(np.asarray(x) for x in found)), np.array(history))


def _bounds(
    start: Elements, free: Sequence[str], reach: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    low = {name: getattr(start, name) - reach[name] for name in free}
    high = {name: getattr(start, name) + reach[name] for name in free}
    perigee = np.minimum(PERIGEE_LEAST_M, start.a * (1.0 - start.e))
    if "a" in free:
        low["a"] = np.maximum(low["a"], perigee / (1.0 - start.e))
    if "e" in free:
        low["e"] = np.maximum(low["e"], 0.0)
        high["e"] = np.maximum(np.minimum(high["e"], 1.0 - perigee / low.get("a", start.a)), start.e)
    if "i" in free:
        low["i"], high["i"] = np.maximum(low["i"], 0.0), np.minimum(high["i"], np.pi)
    return np.concatenate([low[name] for name in free]), np.concatenate([high[name] for name in free])


@partial(jax.jit, static_argnames="k")
def _fraction(
    r_itrs: Any, r_points: Any, up: Any, weight: Any, width_rad: Any, edges: Edges, k: int
) -> jax.Array:
    # the height's gradient is the vertical
    nadir = -jax.grad(lambda r: jnp.sum(height_itrs(r)))(r_itrs)

    # time by time, each worked out again on the way back: no more than one time's pairs lie in memory
    @jax.checkpoint
    def at_one_time(total: Any, moment: Any) -> tuple[Any, None]:
        r, nadir = moment
        margins = _margins(r, nadir, r_points, up, edges)
        seen = jax.nn.sigmoid(margins[0] / width_rad)
        for margin in margins[1:]:
            seen = seen * jax.nn.sigmoid(margin / width_rad)
        return total + at_least(seen, k) @ weight, None

    total, _ = jax.lax.scan(at_one_time, jnp.zeros(()), (r_itrs, nadir))
    return total / len(r_itrs)


def _margins(r: Any, nadir: Any, r_points: Any, up: Any, edges: Edges) -> list[Any]:
    """How far inside each edge a pair is [sat, point]: zero on it, and about radians of the Earth's surface near it."""
    r, nadir = r[:, None], nadir[:, None]
    # by the angle from the limb the margin grows with the sum of both tangents' lengths
    out = [occlusion_margin(r, r_points) / (_tangent(r) + _tangent(r_points))]
    if all(edge is None for edge in edges):
        return out
    line = r - r_points
    distance = jnp.sqrt(jnp.sum(line * line, axis=-1))
    if edges.elevation_target_rad is not None:
        sine = jnp.sum(line * up, axis=-1) / distance
        out.append((sine - jnp.sin(edges.elevation_target_rad)) / jnp.cos(edges.elevation_target_rad))
    if edges.cone_max_rad is not None:
        cosine = -jnp.sum(line * nadir, axis=-1) / distance
        out.append((cosine - jnp.cos(edges.cone_max_rad)) / jnp.sin(edges.cone_max_rad))
    if edges.range_max_m is not None:
        out.append((edges.range_max_m - distance) / EARTH_RADIUS_M)
    return out


def _tangent(r: Any) -> Any:
    """Length of the tangent from r, in units of the scaled body's radius; zero on the ground and below."""
    x, y, z = r[..., 0] / EARTH_RADIUS_M, r[..., 1] / EARTH_RADIUS_M, r[..., 2] / EARTH_POLAR_RADIUS_M
    return jnp.sqrt(jnp.maximum(x * x + y * y + z * z - 1.0, 0.0))

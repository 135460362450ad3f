"""What a sensor sees of a target whose intensity depends on the direction."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
from jax import numpy as jnp

import noroshi._jax  # noqa: F401
from noroshi.frames import state_itrs
from noroshi.tables import Truth
from noroshi.targets.light import body_axes


class Facets(NamedTuple):
    """Intensities that depend on the direction (tables.Truth)."""

    isotropic_w_sr: Any  # [time, target, band]
    w_sr: Any  # [facet, time, target, band]
    normal_itrs: Any  # [facet, time, target, 3]


def signature(truth: Truth, m: np.ndarray) -> Any:
    """Intensities [time, target, band]; with their facets where they depend on the direction."""
    if truth.facet_normal is None or truth.facet_w_sr is None:
        return truth.intensity_w_sr
    # still, co-rotating air: the velocity relative to it is that relative to the Earth
    axes = body_axes(*state_itrs(m, truth.r_gcrs, truth.v_gcrs))
    normal = np.einsum("nfi,tnij->ftnj", truth.facet_normal, axes)
    return Facets(truth.intensity_w_sr, np.moveaxis(truth.facet_w_sr, -1, 0), normal)


def towards(band: Any, signature: Any, line: Any, distance: Any) -> Any:
    """Intensity [time, sensor, target] in the band (a number) of each sensor, towards it.

    `line`, `distance`: from sensor to target, ITRS, [time, sensor, target, 3] and without the last axis; JAX arrays.
    """

    def of_band(w_sr: Any) -> Any:
        bands = jnp.moveaxis(w_sr, -1, 0)  # [band, time, target]
        return jnp.moveaxis(bands[band], 0, 1)

    if not isinstance(signature, Facets):
        return of_band(signature)

    def add(total: Any, facet: Any) -> tuple[Any, None]:
        w_sr, normal = facet
        cos = -jnp.sum(line * normal[:, None], axis=-1) / distance
        return total + of_band(w_sr) * jnp.maximum(cos, 0.0), None

    # facet by facet: all at once would not fit into memory
    return jax.lax.scan(add, of_band(signature.isotropic_w_sr), (signature.w_sr, signature.normal_itrs))[0]

"""Keplerian elements of many satellites, and the Cartesian state they stand for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from noroshi.constants import EARTH_MU


class Elements(NamedTuple):
    """Keplerian elements at the scenario epoch, one entry per satellite; axes of the GCRS.

    NumPy arrays, or JAX arrays where somebody differentiates. Whether they are mean or osculating is not
    written in them: the propagator that they are given to decides.
    """

    a: Float64[Any, "sat"]  # semi-major axis [m]
    e: Float64[Any, "sat"]  # eccentricity, below 1
    i: Float64[Any, "sat"]  # inclination [rad]
    raan: Float64[Any, "sat"]  # right ascension of the ascending node [rad]
    argp: Float64[Any, "sat"]  # argument of perigee [rad]
    mean_anomaly: Float64[Any, "sat"]  # [rad]


def elements_from_state(r: Float[np.ndarray, "sat 3"], v: Float[np.ndarray, "sat 3"]) -> Elements:
    """Osculating elements of inertial positions [m] and velocities [m/s] on closed orbits.

    Where the orbit is circular or equatorial the undefined angle is set to zero and the next one takes it up
    (Vallado, Fundamentals of Astrodynamics and Applications, algorithm 9).
    """
    r, v = np.asarray(r, np.float64), np.asarray(v, np.float64)
    h = np.cross(r, v)
    radius = np.linalg.norm(r, axis=-1)
    a = 1.0 / (2.0 / radius - np.sum(v * v, axis=-1) / EARTH_MU)
    eccentric = np.cross(v, h) / EARTH_MU - r / radius[:, None]
    e = np.linalg.norm(eccentric, axis=-1)
    momentum = np.linalg.norm(h, axis=-1)
    node = np.stack([-h[:, 1], h[:, 0], np.zeros(len(h))], axis=-1)
    equatorial = np.hypot(node[:, 0], node[:, 1]) < 1e-12 * momentum
    node = np.where(equatorial[:, None], [1.0, 0.0, 0.0], node)
    node /= np.linalg.norm(node, axis=-1)[:, None]
    across = np.cross(h / momentum[:, None], node)

    def in_plane(x: np.ndarray) -> np.ndarray:
        return np.arctan2(np.sum(x * across, axis=-1), np.sum(x * node, axis=-1))

    circular = e < 1e-12
    argp = np.where(circular, 0.0, in_plane(eccentric))
    true = in_plane(r) - argp
    half = np.arctan2(np.sqrt(1.0 - e) * np.sin(true / 2.0), np.sqrt(1.0 + e) * np.cos(true / 2.0))
    mean = 2.0 * half - e * np.sin(2.0 * half)
    return Elements(
        a,
        e,
        np.arctan2(np.hypot(h[:, 0], h[:, 1]), h[:, 2]),
        np.mod(np.arctan2(node[:, 1], node[:, 0]), 2.0 * np.pi),
        np.mod(argp, 2.0 * np.pi),
        np.mod(mean, 2.0 * np.pi),
    )

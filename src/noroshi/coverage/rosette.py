"""Rosettes of circular orbits, and the worst range to the nearest satellites of any such pattern, at any moment."""

from __future__ import annotations

import noroshi._jax  # noqa: F401  isort: skip

from math import gcd, pi

import numpy as np
from jaxtyping import Float, Float64
from numba import njit

from noroshi.errors import PhysicsError

_TIE = 1e-10  # of a cosine: as near as the triple itself, not nearer


def rosette(
    satellites: int, planes: int, harmonic: float
) -> tuple[Float64[np.ndarray, "sat"], Float64[np.ndarray, "sat"]]:
    """Node and phase [rad] of every satellite of Ballard's rosette (N, P, m).

    Satellite i has its node at 2 pi i / P and the phase m times that, counted on over all N / P turns of the node;
    m is a multiple of P / N, or satellites of one plane would bunch up. The same as Walker's N/P/F with
    F = (m N / P) mod P. PhysicsError: planes that do not divide the satellites, or another m.
    Source: Ballard 1980, IEEE TAES 16(5), 656.
    """
    per_plane = _per_plane(satellites, planes)
    multiple = harmonic * per_plane
    if abs(multiple - round(multiple)) > 1e-9 or (per_plane > 1 and gcd(round(multiple), per_plane) != 1):
        raise PhysicsError(
            f"harmonic factor {harmonic:g} does not spread {per_plane} satellites evenly over a plane",
            remedy=f"use a whole multiple of 1/{per_plane} that has no factor in common with {per_plane}",
        )
    node = 2.0 * pi * np.arange(satellites) / planes
    return node, harmonic * node


def worst_range(
    raan_rad: Float[np.ndarray, "sat"],
    phase_rad: Float[np.ndarray, "sat"],
    inclination_rad: float,
    fold: int = 1,
    within_rad: float = 1e-5,
) -> float:
    """The farthest [rad] that any point of the sphere ever is from its `fold`-th nearest sub-satellite point.

    Circular orbits of one period and inclination over a sphere that stands still: footprints with this half-angle
    cover every point with `fold` satellites at every moment, smaller ones do not. At one moment the extremes are
    found exactly (`ranges`). Over the period: no satellite moves farther in angle than the phase does, so neither
    does the range, and intervals that cannot hold the worst are dropped until `within_rad` is certain; what is
    returned is at most that much too small. PhysicsError: a fold of none, or of more than the satellites.
    """
    if not 1 <= fold <= len(raan_rad):
        raise PhysicsError(
            f"{len(raan_rad)} satellites give no {fold}-fold coverage",
            remedy="use a fold from 1 to their number",
        )
    half = pi / 360.0
    moment = half + 2.0 * half * np.arange(180)  # after half an orbit the pattern is its own reflection
    found = ranges(raan_rad, phase_rad, inclination_rad, moment, fold)
    worst = found.max()
    while half > within_rad:
        moment = moment[found + half > worst + within_rad]
        half /= 2.0
        moment = np.concatenate([moment - half, moment + half])
        found = ranges(raan_rad, phase_rad, inclination_rad, moment, fold)
        worst = max(worst, found.max(initial=0.0))
    return float(worst)


def ranges(
    raan_rad: Float[np.ndarray, "sat"],
    phase_rad: Float[np.ndarray, "sat"],
    inclination_rad: float,
    moment_rad: Float[np.ndarray, "moment"],
    fold: int = 1,
) -> Float64[np.ndarray, "moment"]:
    """Range [rad] of the worst point from its `fold`-th nearest sub-satellite point, at each phase of the orbit.

    Where that range is largest, either three satellites are as far as the `fold`-th (the circumcentre of the three,
    or its antipode), or two, half-way round the far side, or one, at its antipode. Each of those points with fewer
    than `fold` satellites nearer than its own is a point with that range; the largest is the answer.
    """
    raan, phase, moment = (np.ascontiguousarray(x, np.float64) for x in (raan_rad, phase_rad, moment_rad))
    return _ranges(raan, phase, float(inclination_rad), moment, fold)


@njit(cache=True, nogil=True, error_model="numpy")
def _ranges(raan, phase, inclination, moment, fold):
    n = len(raan)
    r = np.empty((n, 3))
    out = np.empty(len(moment))
    for k in range(len(moment)):
        for i in range(n):
            u = phase[i] + moment[k]
            r[i, 0] = np.cos(raan[i]) * np.cos(u) - np.sin(raan[i]) * np.sin(u) * np.cos(inclination)
            r[i, 1] = np.sin(raan[i]) * np.cos(u) + np.cos(raan[i]) * np.sin(u) * np.cos(inclination)
            r[i, 2] = np.sin(u) * np.sin(inclination)
        worst = 1.0  # cosine of the range
        for a in range(n):
            worst = _if_worse(r, -r[a, 0], -r[a, 1], -r[a, 2], -1.0, worst, fold)
            for b in range(a):
                x, y, z = -r[a, 0] - r[b, 0], -r[a, 1] - r[b, 1], -r[a, 2] - r[b, 2]
                length = np.sqrt(x * x + y * y + z * z)
                if length > 1e-9:
                    worst = _if_worse(r, x / length, y / length, z / length, -length / 2.0, worst, fold)
                for c in range(b):
                    px, py, pz = r[b, 0] - r[a, 0], r[b, 1] - r[a, 1], r[b, 2] - r[a, 2]
                    qx, qy, qz = r[c, 0] - r[a, 0], r[c, 1] - r[a, 1], r[c, 2] - r[a, 2]
                    x, y, z = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
                    length = np.sqrt(x * x + y * y + z * z)
                    if length < 1e-9:
                        continue  # two of them in one place: other triples have the point
                    x, y, z = x / length, y / length, z / length
                    cosine = x * r[a, 0] + y * r[a, 1] + z * r[a, 2]
                    worst = _if_worse(r, x, y, z, cosine, worst, fold)
                    worst = _if_worse(r, -x, -y, -z, -cosine, worst, fold)
        out[k] = np.arccos(max(-1.0, min(1.0, worst)))
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _if_worse(r, x, y, z, cosine, worst, fold):
    """The cosine of this point's range if it is the worst so far and fewer than `fold` satellites are nearer."""
    if cosine >= worst:
        return worst
    nearer = 0
    for i in range(len(r)):
        if x * r[i, 0] + y * r[i, 1] + z * r[i, 2] > cosine + _TIE:
            nearer += 1
            if nearer >= fold:
                return worst
    return cosine


def _per_plane(satellites: int, planes: int) -> int:
    if planes < 1 or satellites < 1 or satellites % planes:
        raise PhysicsError(
            f"{satellites} satellites do not fill {planes} planes evenly",
            remedy="use satellites that are a multiple of the planes",
        )
    return satellites // planes

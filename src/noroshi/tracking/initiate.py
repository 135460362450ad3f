"""Where lines of sight meet: triangulation, its covariance, and whether two of them may start a track."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numba import njit

import noroshi._jax  # noqa: F401  (sets Numba's cache folder)


@njit(cache=True, nogil=True, error_model="numpy")
def closest(sa, za, sb, zb):
    """Distances along two rays (origins [3], unit vectors [3]) to their closest points, and the miss between.

    Returns (t_a, t_b, miss, c), c the cosine between the rays; parallel rays give negative distances.
    """
    c = za[0] * zb[0] + za[1] * zb[1] + za[2] * zb[2]
    den = 1.0 - c * c
    if den < 1e-12:
        return -1.0, -1.0, np.inf, c
    w0, w1, w2 = sa[0] - sb[0], sa[1] - sb[1], sa[2] - sb[2]
    aw = za[0] * w0 + za[1] * w1 + za[2] * w2
    bw = zb[0] * w0 + zb[1] * w1 + zb[2] * w2
    ta = (c * bw - aw) / den
    tb = (bw - c * aw) / den
    m0 = w0 + ta * za[0] - tb * zb[0]
    m1 = w1 + ta * za[1] - tb * zb[1]
    m2 = w2 + ta * za[2] - tb * zb[2]
    return ta, tb, sqrt(m0 * m0 + m1 * m1 + m2 * m2), c


@njit(cache=True, nogil=True, error_model="numpy")
def add_ray(information, vector, s, z, sigma):
    """Add a line of sight's (I - z z') / sigma^2 to the information, and that times s to the vector, in place.

    s [3]: a point on the line, relative to the local origin; sigma: cross-range standard deviation in metres.
    """
    w = 1.0 / (sigma * sigma)
    along = s[0] * z[0] + s[1] * z[1] + s[2] * z[2]
    for i in range(3):
        vector[i] += w * (s[i] - along * z[i])
        for j in range(3):
            information[i, j] -= w * z[i] * z[j]
        information[i, i] += w


@njit(cache=True, nogil=True, error_model="numpy")
def invert3(a, out):
    """Inverse of a symmetric 3 x 3 matrix into `out`; False where it is singular."""
    c00 = a[1, 1] * a[2, 2] - a[1, 2] * a[1, 2]
    c01 = a[0, 2] * a[1, 2] - a[0, 1] * a[2, 2]
    c02 = a[0, 1] * a[1, 2] - a[0, 2] * a[1, 1]
    det = a[0, 0] * c00 + a[0, 1] * c01 + a[0, 2] * c02
    if not det > 0.0:
        return False
    out[0, 0] = c00 / det
    out[0, 1] = out[1, 0] = c01 / det
    out[0, 2] = out[2, 0] = c02 / det
    out[1, 1] = (a[0, 0] * a[2, 2] - a[0, 2] * a[0, 2]) / det
    out[1, 2] = out[2, 1] = (a[0, 1] * a[0, 2] - a[0, 0] * a[1, 2]) / det
    out[2, 2] = (a[0, 0] * a[1, 1] - a[0, 1] * a[0, 1]) / det
    return True


def triangulation_covariance(
    directions: np.ndarray, ranges_m: np.ndarray, sigma_rad: np.ndarray
) -> np.ndarray:
    """Position covariance [3, 3] in m^2 of N >= 2 lines of sight (unit vectors [N, 3], same frame).

    Inverse of sum (I - z z') / (sigma r)^2, the exact Cramer-Rao bound for Gaussian angle errors
    (derived in docs/theory/tracking.md).
    """
    information = np.zeros((3, 3))
    vector = np.zeros(3)
    out = np.empty((3, 3))
    for z, r, sigma in zip(directions, ranges_m, sigma_rad, strict=True):
        add_ray(information, vector, np.zeros(3), z, float(r * sigma))
    if not invert3(information, out):
        raise np.linalg.LinAlgError("the lines of sight are parallel")
    return out

"""The direct geodesic problem on WGS-84 for whole arrays at once, NumPy or JAX (`earth.destination`: one by one)."""

from __future__ import annotations

from typing import Any, NamedTuple

from noroshi.constants import EARTH_E2, EARTH_FLATTENING, EARTH_POLAR_RADIUS_M
from noroshi.earth import _namespace

_N = EARTH_FLATTENING / (2.0 - EARTH_FLATTENING)  # third flattening


class Ahead(NamedTuple):
    """Where a geodesic has come to."""

    lat: Any  # rad
    lon: Any  # rad, not reduced to one turn
    azimuth: Any  # rad, of the geodesic there, clockwise from north


def ahead(lat: Any, lon: Any, azimuth: Any, distance: Any) -> Ahead:
    """The point and azimuth [rad] at a distance [m] along geodesics, broadcast.

    Karney 2013 (J. Geodesy 87, 43): equations 8-14 on the auxiliary sphere, series 17, 18, 21, 24 and 25 to sixth
    order in the expansion parameter. Within 20 nm of geographiclib (tested).
    """
    xp = _namespace(lat, lon, azimuth, distance)
    sin_b, cos_b = _reduced(xp, lat)
    sin_a, cos_a = xp.sin(azimuth), xp.cos(azimuth)
    sin_0 = sin_a * cos_b
    cos_0 = xp.hypot(cos_a, sin_a * sin_b)
    sigma1 = xp.arctan2(sin_b, cos_a * cos_b)
    omega1 = xp.arctan2(sin_0 * sin_b, cos_a * cos_b)
    k2 = EARTH_E2 / (1.0 - EARTH_E2) * cos_0 * cos_0
    root = xp.sqrt(1.0 + k2)
    e = k2 / (1.0 + root) ** 2
    start = _sines(xp, _length(e), sigma1)
    tau2 = sigma1 + start + distance / (EARTH_POLAR_RADIUS_M * _scale(e))
    sigma2 = tau2 + _sines(xp, _inverse_length(e), tau2)
    sin_s, cos_s = xp.sin(sigma2), xp.cos(sigma2)
    omega2 = xp.arctan2(sin_0 * sin_s, cos_s)
    longitude = _longitude(e)
    swing = sigma2 - sigma1 + _sines(xp, longitude, sigma2) - _sines(xp, longitude, sigma1)
    return Ahead(
        xp.arctan2(cos_0 * sin_s, (1.0 - EARTH_FLATTENING) * xp.hypot(cos_0 * cos_s, sin_0)),
        lon + omega2 - omega1 - EARTH_FLATTENING * sin_0 * _longitude_scale(e) * swing,
        xp.arctan2(sin_0, cos_0 * cos_s),
    )


def _reduced(xp: Any, lat: Any) -> tuple[Any, Any]:
    """Sine and cosine of the reduced latitude."""
    y, x = (1.0 - EARTH_FLATTENING) * xp.sin(lat), xp.cos(lat)
    length = xp.sqrt(y * y + x * x)
    return y / length, x / length


def _sines(xp: Any, c: tuple[Any, ...], angle: Any) -> Any:
    """Sum of c[k] sin(2 (k + 1) angle), by Clenshaw's recurrence."""
    twice = 2.0 * xp.cos(2.0 * angle)
    u1 = u2 = 0.0 * twice
    for value in reversed(c):
        u1, u2 = value + twice * u1 - u2, u1
    return u1 * xp.sin(2.0 * angle)


def _scale(e: Any) -> Any:
    """A1, equation 17."""
    q = e * e
    return (1.0 + q * (1 / 4 + q * (1 / 64 + q / 256))) / (1.0 - e)


def _length(e: Any) -> tuple[Any, ...]:
    """C1, equation 18."""
    q = e * e
    return (
        e * (-1 / 2 + q * (3 / 16 - q / 32)),
        q * (-1 / 16 + q * (1 / 32 - q * 9 / 2048)),
        e * q * (-1 / 48 + q * 3 / 256),
        q * q * (-5 / 512 + q * 3 / 512),
        e * q * q * (-7 / 1280),
        q * q * q * (-7 / 2048),
    )


def _inverse_length(e: Any) -> tuple[Any, ...]:
    """C1', equation 21."""
    q = e * e
    return (
        e * (1 / 2 + q * (-9 / 32 + q * 205 / 1536)),
        q * (5 / 16 + q * (-37 / 96 + q * 1335 / 4096)),
        e * q * (29 / 96 - q * 75 / 128),
        q * q * (539 / 1536 - q * 2391 / 2560),
        e * q * q * (3467 / 7680),
        q * q * q * (38081 / 61440),
    )


def _longitude_scale(e: Any) -> Any:
    """A3, equation 24."""
    n = _N
    return 1.0 - e * (
        (1 - n) / 2
        + e
        * ((1 / 4 + n / 8 - 3 / 8 * n * n) + e * ((1 + 3 * n + n * n) / 16 + e * (3 + 2 * n + e * 1.5) / 64))
    )


def _longitude(e: Any) -> tuple[Any, ...]:
    """C3, equation 25."""
    n = _N
    return (
        e
        * (
            (1 - n) / 4
            + e * ((1 - n * n) / 8 + e * ((3 + 3 * n - n * n) / 64 + e * ((5 + 2 * n) / 128 + e * 3 / 128)))
        ),
        e**2
        * ((2 - 3 * n + n * n) / 32 + e * ((3 - 2 * n - 3 * n * n) / 64 + e * ((3 + n) / 128 + e * 5 / 256))),
        e**3 * ((5 - 9 * n + 5 * n * n) / 192 + e * ((9 - 10 * n) / 384 + e * 7 / 512)),
        e**4 * ((7 - 14 * n) / 512 + e * 7 / 512),
        e**5 * (21 / 2560),
    )

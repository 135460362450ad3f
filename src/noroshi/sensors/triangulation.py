"""How well lines of sight and ranges fix a point: information, covariance, and closed forms to check a design by.

Errors are white, small and independent between sensors; a common bias is none of this and does not average.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from noroshi.errors import PhysicsError

FLAT = 1e-12  # smallest information over largest below which a direction counts as unseen


def information(
    direction: Float[np.ndarray, "sensor 3"],
    range_m: Any,
    sigma_angle_rad: Any,
    sigma_range_m: Any = np.inf,
) -> Float64[np.ndarray, "3 3"]:
    """Fisher information [1/m2] on a target's position of one look per sensor.

    direction: from sensor to target, of any length. sigma_angle_rad per axis across the line of sight;
    sigma_range_m inf: no range (infrared). Scalars stand for all sensors. J = sum (I - u u') / (R sigma)^2
    + u u' / sigma_R^2. Errors: PhysicsError for lengths and sigmas that are not positive.
    """
    direction = np.asarray(direction, np.float64)
    shape = len(direction)
    distance, angle, depth = (
        np.broadcast_to(np.asarray(v, np.float64), shape) for v in (range_m, sigma_angle_rad, sigma_range_m)
    )
    length = np.linalg.norm(direction, axis=-1)
    for what, value in (
        ("direction", length),
        ("range_m", distance),
        ("sigma_angle_rad", angle),
        ("sigma_range_m", depth),
    ):
        if not np.all(value > 0.0):
            raise PhysicsError(
                f"a look with {what} of {np.min(value):g} informs of nothing",
                remedy=f"{what} is above 0",
            )
    u = direction / length[:, None]
    along = u[:, :, None] * u[:, None, :]
    across = np.eye(3) - along
    return np.sum(across / (distance * angle)[:, None, None] ** 2 + along / depth[:, None, None] ** 2, axis=0)


def covariance(
    direction: Float[np.ndarray, "sensor 3"],
    range_m: Any,
    sigma_angle_rad: Any,
    sigma_range_m: Any = np.inf,
) -> Float64[np.ndarray, "3 3"]:
    """Covariance [m2] of the position that the looks of `information` fix (the bound of Cramer and Rao).

    Errors: PhysicsError where they fix none: one line without a range, or lines that are all parallel.
    """
    found = information(direction, range_m, sigma_angle_rad, sigma_range_m)
    values, axes = np.linalg.eigh(found)
    if not values[0] > FLAT * values[2]:
        raise PhysicsError(
            "the lines of sight are parallel and none has a range: they fix no point",
            remedy="add a sensor that looks from elsewhere (20 degrees apart at the target, better 30), or a range",
        )
    return (axes / values) @ axes.T


def rss(cov: Float[np.ndarray, "3 3"]) -> float:
    """Root of the summed variances of a position [m]."""
    return float(np.sqrt(np.trace(cov)))


def rss_of_two(cross_m: Any, separation_rad: Any) -> Any:
    """The same of two lines, each off by cross_m = R sigma, that meet at an angle at the target [m].

    cross_m sqrt(1/2 + 2 / sin(psi)^2): exact; least, 1.58 cross_m, where they cross squarely.
    """
    sin = np.sin(separation_rad)
    if np.any(np.abs(sin) < 1e-6):
        raise PhysicsError(
            "two lines of sight on one line fix no point", remedy="ask for 20 degrees between them at least"
        )
    return cross_m * np.sqrt(0.5 + 2.0 / (sin * sin))


def rss_of_cone(cross_m: Any, count: int, half_angle_rad: Any = 0.25 * np.pi) -> Any:
    """The same of three or more lines evenly round a cone whose tip is the target [m]; 45 deg: 2.16 / sqrt(n)."""
    if count < 3:
        raise PhysicsError(f"{count} lines make no even cone", remedy="use 3 or more, or rss_of_two")
    sin2 = np.sin(half_angle_rad) ** 2
    if np.any(sin2 < 1e-12):
        raise PhysicsError("lines on a cone without width are parallel", remedy="choose a half-angle above 0")
    return cross_m * np.sqrt((2.0 / (1.0 - 0.5 * sin2) + 1.0 / sin2) / count)


def range_sigma_of_two(
    baseline_m: float, range_m: float, sigma_angle_rad: float, angle_rad: float = 0.5 * np.pi
) -> float:
    """Range error of two angle sensors on a baseline, along the line from its middle to the target [m].

    `angle_rad` lies between baseline and that line: pi/2 is broadside. Exact, from the covariance.
    """
    target = range_m * np.array([np.cos(angle_rad), np.sin(angle_rad), 0.0])
    half = np.array([0.5 * baseline_m, 0.0, 0.0])
    lines = np.stack([target + half, target - half])
    u = target / range_m
    cov = covariance(lines, np.linalg.norm(lines, axis=-1), sigma_angle_rad)
    return float(np.sqrt(u @ cov @ u))


def range_sigma_far(baseline_m: Any, range_m: Any, sigma_angle_rad: Any, angle_rad: Any = 0.5 * np.pi) -> Any:
    """The same for a baseline short against the range: sqrt(2) sigma R^2 / (b sin(angle)) [m]."""
    return np.sqrt(2.0) * sigma_angle_rad * range_m**2 / (baseline_m * np.sin(angle_rad))

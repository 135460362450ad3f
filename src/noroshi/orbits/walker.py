"""Walker patterns: evenly spread circular orbits."""

from __future__ import annotations

from typing import Literal

import numpy as np

from noroshi.errors import ScenarioError
from noroshi.orbits.elements import Elements

Pattern = Literal["delta", "star"]


def walker(
    pattern: Pattern,
    satellites: int,
    planes: int,
    phasing: float,
    a_m: float,
    inclination_rad: float,
    raan_rad: float = 0.0,
    phase_rad: float = 0.0,
) -> Elements:
    """A Walker pattern i: T/P/F of circular orbits (Walker 1984, J. Brit. Interplanet. Soc. 37, 559).

    Plane p of P has its node at raan + spread p / P, spread a full turn ("delta") or half a turn ("star":
    planes of one seam, ascending beside descending). Satellite q of the T/P in it has the argument of
    latitude phase + 2 pi (q P/T + F p/T), F the phasing, fractional if wished: F = P/2 shifts every other
    plane by half a slot. Angles in radians, a_m in metres. Satellites are numbered plane by plane.
    """
    if planes < 1 or satellites < 1 or satellites % planes:
        raise ScenarioError(
            f"{satellites} satellites do not fill {planes} planes evenly",
            remedy="make `satellites` a multiple of `planes`",
        )
    per_plane = satellites // planes
    p = np.repeat(np.arange(planes), per_plane)
    q = np.tile(np.arange(per_plane), planes)
    turn = 2.0 * np.pi
    spread = turn if pattern == "delta" else np.pi
    zero = np.zeros(satellites)
    return Elements(
        zero + a_m,
        zero,
        zero + inclination_rad,
        np.mod(raan_rad + spread * p / planes, turn),
        zero,
        np.mod(phase_rad + turn * (q / per_plane + phasing * p / satellites), turn),
    )

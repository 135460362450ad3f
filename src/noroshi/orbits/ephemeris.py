"""All platforms of a scenario, satellites and ground sites, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import erfa
import numpy as np
from jaxtyping import Float
from sgp4.api import Satrec

from noroshi import frames
from noroshi.earth import itrs_from_geodetic
from noroshi.errors import ScenarioError
from noroshi.orbits import kepler, numerical, sgp4
from noroshi.orbits.elements import Elements
from noroshi.orbits.forces import J2_ONLY, Forces, Surface
from noroshi.tables import Ephemeris
from noroshi.time import EarthOrientation, Epoch, julian_tt


class Mean(NamedTuple):
    """Satellites on mean elements: two-body and secular J2."""

    names: tuple[str, ...]
    elements: Elements


class Osculating(NamedTuple):
    """Satellites on osculating elements: integrated under the forces named."""

    names: tuple[str, ...]
    elements: Elements
    forces: Forces = J2_ONLY
    surface: Surface = Surface()


class Catalogued(NamedTuple):
    """Satellites on TLE or OMM: SGP4."""

    names: tuple[str, ...]
    satellites: tuple[Satrec, ...]


class Sites(NamedTuple):
    """Places fixed to the Earth."""

    names: tuple[str, ...]
    lat_rad: Float[np.ndarray, "site"]
    lon_rad: Float[np.ndarray, "site"]
    height_m: Float[np.ndarray, "site"]


Group = Mean | Osculating | Catalogued | Sites


def ephemeris(
    groups: Sequence[Group], epoch: Epoch, t: Float[np.ndarray, "time"], eop: EarthOrientation
) -> Ephemeris:
    """Positions and velocities of every platform at rising t [s past the epoch], in the order of the groups.

    Elements refer to the scenario's epoch and to GCRS axes. Numerical orbits feel the Earth's zonal
    terms about the true pole of the epoch. The velocity of a site is that of the turning Earth.
    """
    names = tuple(name for group in groups for name in group.names)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ScenarioError(
            f"two platforms are called {doubled[0]!r}", remedy="give every sensor its own name"
        )
    t = np.asarray(t, np.float64)
    r, v = np.empty((len(t), len(names), 3)), np.empty((len(t), len(names), 3))
    first = 0
    for group in groups:
        part = slice(first, first + len(group.names))
        r[:, part], v[:, part] = _states(group, epoch, t, eop)
        first = part.stop
    return Ephemeris(names, t, r, v)


def _states(
    group: Group, epoch: Epoch, t: np.ndarray, eop: EarthOrientation
) -> tuple[np.ndarray, np.ndarray]:
    match group:
        case Mean():
            r, v = kepler.propagate_mean(group.elements, t)
        case Osculating():
            r, v = numerical.propagate_osculating(
                group.elements,
                t,
                celestial_pole(epoch),
                numerical.STEP_RAD,
                group.forces,
                epoch,
                group.surface,
                group.names,
            )
        case Catalogued():
            r, v = sgp4.propagate(list(zip(group.names, group.satellites, strict=True)), epoch, t, eop)
        case Sites():
            site = itrs_from_geodetic(group.lat_rad, group.lon_rad, group.height_m)
            fixed = np.broadcast_to(site, (len(t), *site.shape))
            r, v = frames.state_gcrs(frames.itrs_from_gcrs(epoch, t, eop), fixed, np.zeros_like(fixed))
    return np.asarray(r), np.asarray(v)


def celestial_pole(epoch: Epoch) -> np.ndarray:
    """The celestial intermediate pole of the epoch, unit vector in the GCRS (IAU 2006/2000A)."""
    return erfa.c2i06a(*julian_tt(epoch, 0.0))[2]

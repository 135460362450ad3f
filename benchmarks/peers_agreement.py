"""One case that every package counts, and how far two packages agree on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int
from sgp4.api import WGS72, Satrec, jday
from sgp4.exporter import export_tle

EPOCH = "2026-11-22T00:00:00Z"
ALTITUDE_KM = 1000.0
INCLINATION_DEG = 60.0
SATELLITES, PLANES, PHASING = 288, 12, 1


class Case(NamedTuple):
    """Who looks at what, when. Samples at 0, step, 2 step, ... past EPOCH."""

    lines: tuple[tuple[str, str], ...]  # element sets, one pair of lines a satellite
    lat_deg: Float64[np.ndarray, "point"]  # geodetic, WGS-84
    lon_deg: Float64[np.ndarray, "point"]  # -180 to 180
    step_s: float
    samples: int
    elevation_min_deg: (
        float  # of the satellite above the point's geodetic horizon; points lie on the ellipsoid
    )
    ut1_minus_utc_s: float  # for packages without tables of their own

    @property
    def duration_s(self) -> float:
        """From the first sample to one step after the last."""
        return self.step_s * self.samples

    @property
    def pairs(self) -> int:
        """Satellites times points times samples."""
        return len(self.lines) * len(self.lat_deg) * self.samples


class Windows(NamedTuple):
    """Stretches of time in which a satellite is in view of a point; seconds past EPOCH."""

    satellite: Int[np.ndarray, "window"]
    point: Int[np.ndarray, "window"]
    opens_s: Float64[np.ndarray, "window"]
    closes_s: Float64[np.ndarray, "window"]


class Disagreement(NamedTuple):
    """Where two answers differ."""

    number: int
    share: float
    worst_deg: (
        float  # how far from the limit, of all that differ, the satellite stood at most; nan: none differ
    )


def walker_lines() -> tuple[tuple[str, str], ...]:
    """Element sets of the Walker pattern 60: 288/12/1 at 1,000 km, circular, no drag.

    The mean motion is that of the Kepler orbit of this radius in WGS-72, the constants inside SGP4. TAT-C wants an
    international designator, so there is one.
    """
    day, fraction = jday(*(int(EPOCH[k:m]) for k, m in ((0, 4), (5, 7), (8, 10))), 0, 0, 0.0)
    a_km = 6378.137 + ALTITUDE_KM
    motion = np.sqrt(398600.8 / a_km**3) * 60.0  # rad/min
    turn = 2.0 * np.pi
    lines = []
    for k in range(SATELLITES):
        p, q = divmod(k, SATELLITES // PLANES)
        node = turn * p / PLANES
        anomaly = turn * (q / (SATELLITES // PLANES) + PHASING * p / SATELLITES) % turn
        record = Satrec()
        elements = (0.0, 0.0, 0.0, 0.0, 0.0, np.deg2rad(INCLINATION_DEG), anomaly, motion, node)
        record.sgp4init(WGS72, "i", k + 1, day + fraction - 2433281.5, *elements)
        record.classification, record.intldesg = "U", "26001A"
        lines.append(export_tle(record))
    return tuple(lines)


def fibonacci(points: int) -> tuple[Float64[np.ndarray, "point"], Float64[np.ndarray, "point"]]:
    """Latitude and longitude [deg] of a Fibonacci lattice over the whole Earth."""
    k = np.arange(points) + 0.5
    lat = np.rad2deg(np.arcsin(1.0 - 2.0 * k / points))
    lon = np.mod(180.0 * (1.0 + np.sqrt(5.0)) * k + 180.0, 360.0) - 180.0
    return lat, lon


def in_view(case: Case, windows: Windows) -> Bool[np.ndarray, "time satellite point"]:
    """Whether each sample lies in a window; a sample on an edge does."""
    seen = np.zeros((case.samples, len(case.lines), len(case.lat_deg)), bool)
    first = np.maximum(np.ceil(windows.opens_s / case.step_s), 0).astype(int)
    last = np.minimum(np.floor(windows.closes_s / case.step_s), case.samples - 1).astype(int)
    for s, p, a, b in zip(windows.satellite, windows.point, first, last, strict=True):
        seen[a : b + 1, s, p] = True
    return seen


def compare(
    seen: Bool[np.ndarray, "time satellite point"],
    reference: Bool[np.ndarray, "time satellite point"],
    above_limit_deg: Float64[np.ndarray, "time satellite point"],
) -> Disagreement:
    """How many samples differ, and how far from the limit the satellite stood there at most."""
    differ = seen != reference
    number = int(differ.sum())
    worst = float(np.abs(above_limit_deg[differ]).max()) if number else float("nan")
    return Disagreement(number, number / differ.size, worst)

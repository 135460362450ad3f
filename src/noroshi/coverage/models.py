"""What coverage is asked of and what it answers, as plain arrays in SI and radians."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from noroshi.constants import EARTH_POLAR_RADIUS_M, EARTH_RADIUS_M


class Behind(IntEnum):
    """What has to be behind a target, seen from the sensor."""

    ANYTHING = 0
    SPACE = 1
    EARTH = 2


class Body(NamedTuple):
    """The ellipsoid that hides and carries the targets; both radii alike: a sphere."""

    name: str
    equator_m: float
    pole_m: float


WGS84 = Body("wgs84", EARTH_RADIUS_M, EARTH_POLAR_RADIUS_M)
SPHERE = Body("sphere", EARTH_RADIUS_M, EARTH_RADIUS_M)


class Points(NamedTuple):
    """Where targets are looked for: fixed places, or one that moves.

    A moving target has one row per sample of time; everything else one row per place.
    """

    kind: str  # as it was asked for: "fibonacci:10000"
    lat_rad: Float64[np.ndarray, "point"]  # geodetic (on a sphere: geocentric)
    lon_rad: Float64[np.ndarray, "point"]  # -pi to pi
    height_m: Float64[np.ndarray, "point"]
    weight: Float64[np.ndarray, "point"]  # share of the area; they add up to 1
    names: tuple[str, ...] = ()  # of sites; empty: none
    t: Float64[np.ndarray, "point"] | None = None  # of a moving target [s past the epoch]; None: fixed


class Limits(NamedTuple):
    """What every sensor needs in order to see, one entry per sensor (see docs/theory/coverage.md).

    Angles at the sensor are from nadir for satellites; ground sensors have their own limits. A limit that is off has
    the value named.
    """

    ground: Bool[
        np.ndarray, "sensor"
    ]  # a site on the ground: its horizon and field count, not the satellites' limits
    grazing_m: Float64[
        np.ndarray, "sensor"
    ]  # lines that pass lower before the target see nothing; 0: the ground
    range_max_m: Float64[np.ndarray, "sensor"]  # inf: off
    elevation_target_rad: Float64[
        np.ndarray, "sensor"
    ]  # least, of the sensor above the target's horizon; -pi/2: off
    cone_min_rad: Float64[np.ndarray, "sensor"]  # from nadir; 0: off
    cone_max_rad: Float64[np.ndarray, "sensor"]  # from nadir; pi: off
    behind: Int[np.ndarray, "sensor"]  # Behind
    sun_rad: Float64[
        np.ndarray, "sensor"
    ]  # lines this close to a Sun that shines on the sensor see nothing; 0: off
    moon_rad: Float64[np.ndarray, "sensor"]
    elevation_min_rad: Float64[np.ndarray, "sensor"]  # of the target, at a ground sensor
    elevation_max_rad: Float64[np.ndarray, "sensor"]
    facing_rad: Float64[np.ndarray, "sensor"]  # azimuth of a ground sensor's field, clockwise from north
    azimuth_rad: Float64[np.ndarray, "sensor"]  # half-width of the field; pi: all round


class Quality(NamedTuple):
    """How well each sensor measures what it sees, and how bright that must be; gain inf: whatever its brightness."""

    floor_rad: Float64[np.ndarray, "sensor"]
    pixel_rad: Float64[np.ndarray, "sensor"]  # infrared: angle noise is hypot(floor, pixel / (2 snr))
    beam_rad: Float64[np.ndarray, "sensor"]  # radar: hypot(floor, beam / sqrt(2 snr))
    floor_m: Float64[np.ndarray, "sensor"]  # inf: no range
    cell_m: Float64[np.ndarray, "sensor"]  # range noise is hypot(floor, cell / sqrt(2 snr))
    gain_space: Float64[np.ndarray, "sensor"]  # snr at 1 m before space; inf: never a question
    gain_earth: Float64[np.ndarray, "sensor"]  # and before the Earth
    power: Float64[np.ndarray, "sensor"]  # snr falls with this power of the distance
    threshold: Float64[np.ndarray, "sensor"]  # least snr that is seen; 0: any


class Bands(NamedTuple):
    """Figures by latitude, one entry per band of equal width, south to north; bands without points are left out."""

    south_rad: Float64[np.ndarray, "band"]
    north_rad: Float64[np.ndarray, "band"]
    weight: Float64[np.ndarray, "band"]  # share of the area asked for
    mean_fold: Float64[np.ndarray, "band"]
    min_fold: Int[np.ndarray, "band"]
    max_fold: Int[np.ndarray, "band"]
    fraction_at_least: Float64[np.ndarray, "band fold"]  # column k: at least k + 1
    stereo_fraction: Float64[np.ndarray, "band"]  # nan: not asked for
    longest_gap_s: Float64[np.ndarray, "band"]
    mean_response_s: Float64[np.ndarray, "band"]  # wait for the next look from a random moment, averaged
    error_m: Float64[np.ndarray, "band"]  # median position error where there is one; nan: none


@dataclass(frozen=True)
class Coverage:
    """What a network covers: per place, over all, by latitude and by time. Area-weighted where it averages."""

    points: Points
    sensors: tuple[str, ...]
    t: Float64[np.ndarray, "time"]  # samples [s past the epoch]
    step_s: float
    stereo_rad: float | None  # least angle between two lines; None: not asked for
    # per place ("place" has one entry for a moving target)
    mean_fold: Float64[np.ndarray, "place"]
    min_fold: Int[np.ndarray, "place"]
    max_fold: Int[np.ndarray, "place"]
    fraction_at_least: Float64[np.ndarray, "place fold"]  # of the samples; column k: at least k + 1
    stereo_fraction: Float64[np.ndarray, "place"] | None
    longest_gap_s: Float64[np.ndarray, "place"]  # run of uncovered samples times the step; 0: none
    gap_truncated: Bool[np.ndarray, "place"]  # the longest run touches the first or last sample
    gaps: Int[np.ndarray, "place"]  # runs of uncovered samples
    mean_gap_s: Float64[np.ndarray, "place"]  # revisit: mean of those runs; 0: none
    mean_response_s: Float64[
        np.ndarray, "place"
    ]  # wait for the next look, from a sample at random; runs cut short count as they are
    first_look_s: Float64[np.ndarray, "place"]  # nan: never
    error_median_m: (
        Float64[np.ndarray, "place"] | None
    )  # position error over the samples that have one; nan: none has
    error_95_m: Float64[np.ndarray, "place"] | None
    error_fraction: Float64[np.ndarray, "place"] | None  # of the samples that fix a position
    # over everything
    histogram: Float64[np.ndarray, "fold"]  # share of area and time with exactly so many lines of sight
    # by time, area-weighted
    mean_at: Float64[np.ndarray, "time"]
    min_at: Int[np.ndarray, "time"]
    fraction_at: Float64[np.ndarray, "time fold"]
    # by latitude
    bands: Bands

    @property
    def place_weight(self) -> Float[np.ndarray, "place"]:
        """Area shares of the places; a moving target is one place."""
        return np.ones(1) if self.points.t is not None else self.points.weight

"""The two sensors of the first cut, as plain numbers in SI and radians (see docs/theory/sensors.md)."""

from __future__ import annotations

from enum import IntEnum
from math import inf
from typing import NamedTuple


class Refraction(IntEnum):
    """How a radar's beam bends: not at all, over an effective Earth, or in air of exponential refractivity."""

    NONE = 0
    FOUR_THIRDS = 1
    EXPONENTIAL = 2


class Infrared(NamedTuple):
    """A staring infrared sensor on a satellite, boresight at nadir, every target in its field at every scan."""

    band: str  # name of the spectral band; targets state their intensity in it
    field_cone_rad: float  # half-angle of the field of regard about nadir
    grazing_height_m: float  # lines of sight that pass lower than this (before the target) see nothing
    cloud_top_m: float  # targets below are hidden
    background: int  # tables.Background
    range_max_m: float
    nei_space_w_m2: float  # noise-equivalent irradiance with cold space behind the target
    nei_earth_w_m2: float  # and with the Earth behind it, clutter included
    threshold_snr: float
    p_detect_max: float
    sigma_floor_rad: float  # attitude and alignment, per axis
    pixel_rad: float  # per-axis angle noise is hypot(sigma_floor, pixel / (2 snr))
    false_alarms_per_scan: float
    p_detect_assumed: float  # what the tracker is told
    scan_period_s: float
    scan_offset_s: float
    processing_s: float  # exposure to message, on board
    # what follows leaves a sensor that states none of it as it was
    noise_space_e: float = inf  # electrons of the NEI, for the signal's own noise; inf: it has none
    noise_earth_e: float = inf
    snr_stated: float = 0.0  # above 0: SNR of whatever shines in the band at all, brightness apart
    transmission: bool = False  # whether clear air dims the target (noroshi.sensors.transmission)
    sun_exclusion_rad: float = 0.0  # lines of sight this close to the Sun see nothing; 0: no limit
    moon_exclusion_rad: float = 0.0
    limb_exclusion_m: float = 0.0  # nor do those with space behind that pass the Earth lower than this
    limb_exclusion_rad: float = 0.0  # the same as an angle above the Earth's edge; the higher of both counts
    registration_bias_rad: float = 0.0  # axes off by this for a whole run, 1 sigma; not in the stated noise


class Radar(NamedTuple):
    """A ground radar: fourth-power law from one stated reference range, detection by Swerling's cases.

    Elevations are those at which the radar sees a target: with refraction above where it stands.
    """

    facing_rad: float  # azimuth of the boresight, clockwise from north
    field_azimuth_rad: float  # half-width about the boresight; pi: all round
    elevation_min_rad: float
    elevation_max_rad: float
    range_max_m: float
    range_reference_m: float  # range at which rcs_reference_m2 gives snr_reference
    rcs_reference_m2: float
    snr_reference: float  # power ratio, not dB
    p_false_alarm: float  # per resolution cell: P_d = P_fa ** (1 / (1 + SNR))
    sigma_range_m: float  # floors, reached at high SNR
    sigma_angle_rad: float
    beamwidth_rad: float  # angle noise is hypot(sigma_angle, beamwidth / (1.6 sqrt(2 SNR)))
    range_resolution_m: float  # range noise is hypot(sigma_range, resolution / sqrt(2 SNR))
    false_alarms_per_scan: float
    p_detect_assumed: float
    scan_period_s: float
    scan_offset_s: float
    processing_s: float
    swerling: int = 1  # 0 steady, 1 to 4
    pulses: int = 1  # of a dwell, added without phase; SNR is always that of the whole dwell
    refraction: int = Refraction.NONE
    fixed: bool = (
        False  # snr_reference at every range and cross-section: performance that is stated, not computed
    )
    bias_range_m: float = 0.0  # 1 sigma of what a whole run's ranges are off by
    bias_angle_rad: float = 0.0  # the same of directions, per axis

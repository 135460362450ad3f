"""What limits a sensor's view, and how well it measures: from the models of a scenario, or the same for all."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log, pi
from typing import NamedTuple

import numpy as np

from noroshi.coverage.models import Behind, Limits, Quality
from noroshi.sensors.models import Infrared, Radar, Refraction
from noroshi.sensors.radar import ANGLE_SLOPE
from noroshi.tables import Background

P_SEEN = 0.5  # chance of detection from which a target of given brightness counts as seen


class Limit(NamedTuple):
    """The limits of one sensor, all off unless named (see `Limits`)."""

    ground: bool = False
    grazing_m: float = 0.0
    range_max_m: float = inf
    elevation_target_rad: float = -0.5 * pi
    cone_min_rad: float = 0.0
    cone_max_rad: float = pi
    behind: int = Behind.ANYTHING
    sun_rad: float = 0.0
    moon_rad: float = 0.0
    elevation_min_rad: float = -0.5 * pi
    elevation_max_rad: float = 0.5 * pi
    facing_rad: float = 0.0
    azimuth_rad: float = pi


class Figures(NamedTuple):
    """The quality of one sensor, angles of `sigma_rad` whatever is seen unless more is named (see `Quality`)."""

    floor_rad: float
    pixel_rad: float = 0.0
    beam_rad: float = 0.0
    floor_m: float = inf
    cell_m: float = 0.0
    gain_space: float = inf
    gain_earth: float = inf
    power: float = 2.0
    threshold: float = 0.0


def table(limits: Sequence[Limit]) -> Limits:
    """One column per limit."""
    return Limits(*(np.array(column) for column in zip(*limits, strict=True)))


def quality(figures: Sequence[Figures]) -> Quality:
    """One column per figure."""
    return Quality(*(np.array(column, np.float64) for column in zip(*figures, strict=True)))


def limit_of(sensor: Infrared | Radar) -> Limit:
    """The limits of a scenario's sensor. Not among them: cloud tops, bright limb, bent rays (see `unheeded`)."""
    if isinstance(sensor, Radar):
        return Limit(
            ground=True,
            range_max_m=sensor.range_max_m,
            elevation_min_rad=sensor.elevation_min_rad,
            elevation_max_rad=sensor.elevation_max_rad,
            facing_rad=sensor.facing_rad,
            azimuth_rad=sensor.field_azimuth_rad,
        )
    return Limit(
        grazing_m=sensor.grazing_height_m,
        range_max_m=sensor.range_max_m,
        cone_max_rad=sensor.field_cone_rad,
        behind=Behind.SPACE if sensor.background == Background.SPACE else Behind.ANYTHING,
        sun_rad=sensor.sun_exclusion_rad,
        moon_rad=sensor.moon_exclusion_rad,
    )


def figures_of(sensor: Infrared | Radar, intensity_w_sr: float | None, rcs_m2: float | None) -> Figures:
    """How well a scenario's sensor measures a target of that brightness.

    None: of the least brightness that it detects with a chance of one half, wherever the target is. Given: the
    noise follows the distance, and a target that is too faint is not seen. Radars by Swerling's first case.
    """
    if isinstance(sensor, Radar):
        threshold = log(sensor.p_false_alarm) / log(P_SEEN) - 1.0
        gain = inf
        if rcs_m2 is not None and not sensor.fixed:
            gain = sensor.snr_reference * rcs_m2 / sensor.rcs_reference_m2 * sensor.range_reference_m**4
        stated = sensor.snr_reference if sensor.fixed else threshold
        constant = gain == inf
        return Figures(
            floor_rad=float(np.hypot(sensor.sigma_angle_rad, _radar_noise(sensor.beamwidth_rad, stated)))
            if constant
            else sensor.sigma_angle_rad,
            beam_rad=0.0 if constant else sensor.beamwidth_rad / ANGLE_SLOPE,
            floor_m=float(np.hypot(sensor.sigma_range_m, sensor.range_resolution_m / np.sqrt(2.0 * stated)))
            if constant
            else sensor.sigma_range_m,
            cell_m=0.0 if constant else sensor.range_resolution_m,
            gain_space=gain,
            gain_earth=gain,
            power=4.0,
            threshold=0.0 if constant else threshold,
        )
    if intensity_w_sr is None or sensor.snr_stated > 0.0:
        snr = sensor.snr_stated or sensor.threshold_snr
        return Figures(float(np.hypot(sensor.sigma_floor_rad, 0.5 * sensor.pixel_rad / snr)))
    return Figures(
        sensor.sigma_floor_rad,
        pixel_rad=sensor.pixel_rad,
        gain_space=intensity_w_sr / sensor.nei_space_w_m2,
        gain_earth=intensity_w_sr / sensor.nei_earth_w_m2,
        threshold=sensor.threshold_snr,
    )


def _radar_noise(beamwidth_rad: float, snr: float) -> float:
    return beamwidth_rad / (ANGLE_SLOPE * np.sqrt(2.0 * snr))


def unheeded(sensors: Sequence[Infrared | Radar]) -> tuple[str, ...]:
    """What the models of these sensors know and coverage leaves out, in words."""
    infrared = [s for s in sensors if isinstance(s, Infrared)]
    radars = [s for s in sensors if isinstance(s, Radar)]
    found = []
    if any(s.cloud_top_m for s in infrared):
        found.append("cloud tops")
    if any(s.limb_exclusion_m or s.limb_exclusion_rad for s in infrared):
        found.append("limb exclusion")
    if any(s.transmission for s in infrared):
        found.append("transmission of the air")
    if any(s.noise_space_e < inf or s.noise_earth_e < inf for s in infrared):
        found.append("the signal's own photon noise")
    if any(s.registration_bias_rad for s in infrared) or any(
        s.bias_angle_rad or s.bias_range_m for s in radars
    ):
        found.append("registration bias")
    if any(s.refraction != Refraction.NONE for s in radars):
        found.append("refraction")
    return tuple(found)

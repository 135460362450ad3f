"""From opportunities to scans, looks and detections: the draws of luck, noise and false alarms.

A sensor scans on its own clock over the whole grid, whether or not a target flies: it cannot know, and a tracker
learns from empty scans. Luck belongs to the pair of sensor and target and to the grid time, so nothing that is
added, removed or rescheduled elsewhere changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int
from scipy.special import ndtr

from noroshi.errors import ScenarioError
from noroshi.frames import rotate, rotate_back
from noroshi.random import stream
from noroshi.sensors import infrared, radar, swerling
from noroshi.sensors.axes import azimuth_elevation, direction, itrs_from_sensor, quaternion, tangent_noise
from noroshi.sensors.focal_plane import registration_bias
from noroshi.sensors.models import Infrared, Radar
from noroshi.tables import (
    Background,
    Detections,
    DetectionTruth,
    Ephemeris,
    Kind,
    Looks,
    Opportunities,
    Reason,
    Scans,
    Truth,
)

_ON_GRID = 1e-6  # of a step: how far a scan time may lie from a grid time
_DRAWS = 5  # numbers per pair and grid time: detection, azimuth, elevation, range, place in the scan


class _Plots(NamedTuple):
    """Detections before they are put in order: one array per column, target -1 for false alarms."""

    scan: Int[np.ndarray, "n"]
    target: Int[np.ndarray, "n"]
    u: Float64[np.ndarray, "n 3"]  # measured direction, sensor axes
    range_m: Float64[np.ndarray, "n"]
    sigma_angle: Float64[np.ndarray, "n"]
    sigma_range: Float64[np.ndarray, "n"]
    snr: Float64[np.ndarray, "n"]
    place: Float64[np.ndarray, "n"]  # uniform; orders the detections of a scan


def observe(
    sensors: Sequence[Infrared | Radar],
    sensor_names: Sequence[str],
    target_names: Sequence[str],
    ephemeris: Ephemeris,
    truth: Truth,
    opportunities: Opportunities,
    m: Float[np.ndarray, "time 3 3"],
    seed: int,
    run: int,
) -> tuple[Looks, Scans, Detections, DetectionTruth]:
    """Scans of every sensor, one look of each scan at each live target, and what was detected (m = itrs_from_gcrs).

    Scans are numbered by time, then sensor, and cover the whole grid. A look succeeds when a uniform draw falls below
    its p_detect; the same draw fixes the measured SNR (`measured_snr` of the models), which sets the noise that
    is both drawn and stated. Names key the random streams; they must be unique.

    Errors: ScenarioError where a sensor's period or offset is no multiple of the grid step.
    """
    schedule = [_schedule(s, name, truth.t) for s, name in zip(sensors, sensor_names, strict=True)]
    sensor = np.repeat(np.arange(len(sensors)), [len(k) for k in schedule])
    time = np.concatenate([*schedule, np.empty(0, np.int64)])
    order = np.lexsort((sensor, time))
    sensor, time = sensor[order], time[order]
    axes = itrs_from_sensor(sensors, ephemeris, m)[time, sensor]
    scans = _scans(sensors, sensor, time, ephemeris, axes, m)
    looks, luck = _look(opportunities, truth, sensor, time, (seed, run), sensor_names, target_names)
    seen = np.flatnonzero(looks.reason == Reason.DETECTED)
    plots = _join(
        _registered(
            _echoes(
                sensors,
                looks,
                seen,
                luck[seen],
                time,
                ephemeris,
                truth,
                axes,
                m,
                _biases(sensors, sensor_names, seed, run),
            ),
            sensors,
            looks.sensor[seen],
            (seed, run),
            sensor_names,
        ),
        *(
            _clutter(s, np.flatnonzero(sensor == k), (seed, run), sensor_names[k])
            for k, s in enumerate(sensors)
        ),
    )
    detections, answer = _tables(plots)
    return looks, scans, detections, answer


def field_steradian(sensor: Infrared | Radar) -> float:
    """Solid angle of a sensor's field [sr]."""
    if isinstance(sensor, Infrared):
        return 2.0 * np.pi * (1.0 - np.cos(min(sensor.field_cone_rad, np.pi)))
    height = np.sin(sensor.elevation_max_rad) - np.sin(sensor.elevation_min_rad)
    return 2.0 * min(sensor.field_azimuth_rad, np.pi) * height


def _schedule(sensor: Infrared | Radar, name: str, t: np.ndarray) -> np.ndarray:
    """Grid numbers of a sensor's scans."""
    if len(t) == 0:
        return np.empty(0, np.int64)
    step = t[1] - t[0] if len(t) > 1 else 1.0
    steps = sensor.scan_period_s / step
    first = sensor.scan_offset_s / step
    for what, value in (("scan_period_s", steps), ("scan_offset_s", first)):
        if abs(value - round(value)) > _ON_GRID or value < 0:
            raise ScenarioError(
                f"{what} = {value * step:g} s does not lie on the grid of {step:g} s",
                where=f"sensor {name!r}",
                remedy="choose a multiple of the scenario's step_s, or a finer step_s",
            )
    if round(steps) < 1:
        raise ScenarioError(
            "scan_period_s must be positive", where=f"sensor {name!r}", remedy="choose a multiple of step_s"
        )
    return np.arange(round(first), len(t), round(steps), dtype=np.int64)


def _scans(
    sensors: Sequence[Infrared | Radar],
    sensor: np.ndarray,
    time: np.ndarray,
    ephemeris: Ephemeris,
    axes: np.ndarray,
    m: np.ndarray,
) -> Scans:
    gcrs_from_sensor = np.swapaxes(m[time], -1, -2) @ axes
    density = [
        s.false_alarms_per_scan / field_steradian(s) / (s.range_max_m if isinstance(s, Radar) else 1.0)
        for s in sensors
    ]
    space = int(Background.ANY)
    kind = [Kind.RADAR if isinstance(s, Radar) else Kind.INFRARED for s in sensors]
    return Scans(
        scan=np.arange(len(sensor)),
        sensor=sensor,
        kind=np.array(kind, np.int8)[sensor],
        t_event=ephemeris.t[time],
        r_gcrs=ephemeris.r_gcrs[time, sensor],
        v_gcrs=ephemeris.v_gcrs[time, sensor],
        q_gcrs_from_sensor=quaternion(gcrs_from_sensor),
        p_detect=_column(sensors, "p_detect_assumed")[sensor],
        clutter_density=np.array(density, np.float64)[sensor],
        field_cone_rad=_column(sensors, "field_cone_rad", np.pi)[sensor],
        field_azimuth_rad=_column(sensors, "field_azimuth_rad", np.pi)[sensor],
        field_elevation_min_rad=_column(sensors, "elevation_min_rad", -np.pi / 2)[sensor],
        field_elevation_max_rad=_column(sensors, "elevation_max_rad", np.pi / 2)[sensor],
        range_max_m=_column(sensors, "range_max_m")[sensor],
        grazing_height_m=_column(sensors, "grazing_height_m", 0.0)[sensor],
        cloud_top_m=_column(sensors, "cloud_top_m", 0.0)[sensor],
        background=_column(sensors, "background", space)[sensor].astype(np.int8),
    )


def _look(
    opportunities: Opportunities,
    truth: Truth,
    sensor: np.ndarray,
    time: np.ndarray,
    key: tuple[int, int],
    sensor_names: Sequence[str],
    target_names: Sequence[str],
) -> tuple[Looks, np.ndarray]:
    """Looks with their outcomes, and the draws [look, 5] (nan where the outcome needed none)."""
    scan, target = np.nonzero(truth.alive[time])
    at, by = time[scan], sensor[scan]
    reason = opportunities.reason[at, by, target]
    possible = np.flatnonzero(reason == Reason.MISSED)
    luck = np.full((len(scan), _DRAWS), np.nan)
    pair = by[possible] * len(target_names) + target[possible]
    by_pair = possible[np.argsort(pair, kind="stable")]
    pairs, starts = np.unique(np.sort(pair), return_index=True)
    for number, rows in zip(pairs, np.split(by_pair, starts)[1:], strict=True):
        s, k = divmod(int(number), len(target_names))
        # normal draws, five to a grid time, in order: a longer run begins with the numbers of a shorter one
        draws = stream(*key, "detect", sensor_names[s], target_names[k]).standard_normal(
            (at[rows[-1]] + 1, _DRAWS)
        )
        luck[rows] = draws[at[rows]]
    luck[:, [0, 4]] = ndtr(luck[:, [0, 4]])
    p = opportunities.p_detect[at, by, target]
    reason[possible[luck[possible, 0] < p[possible]]] = Reason.DETECTED
    return (
        Looks(scan, by, target, truth.t[at], reason, opportunities.snr[at, by, target]),
        luck,
    )


def _echoes(
    sensors: Sequence[Infrared | Radar],
    looks: Looks,
    seen: np.ndarray,
    luck: np.ndarray,
    time: np.ndarray,
    ephemeris: Ephemeris,
    truth: Truth,
    axes: np.ndarray,
    m: np.ndarray,
    bias: np.ndarray,
) -> _Plots:
    """What the successful looks measured."""
    scan, by, target = looks.scan[seen], looks.sensor[seen], looks.target[seen]
    at = time[scan]
    line = rotate(m[at], truth.r_gcrs[at, target] - ephemeris.r_gcrs[at, by])
    distance = np.linalg.norm(line, axis=-1)
    u = rotate_back(axes[scan], line / distance[:, None])
    off = bias[by].any(axis=-1)
    u[off] = _normal(u[off] + np.cross(bias[by[off]], u[off]))
    snr, sigma_angle, sigma_range = _quality(sensors, by, luck[:, 0], looks.snr[seen])
    u = tangent_noise(u, sigma_angle * luck[:, 1], sigma_angle * luck[:, 2])
    ranged = np.isfinite(sigma_range)
    range_m = np.where(ranged, distance + np.where(ranged, sigma_range, 0.0) * luck[:, 3], 0.0)
    return _Plots(scan, target, u, range_m, sigma_angle, sigma_range, snr, luck[:, 4])


def _registered(
    plots: _Plots,
    sensors: Sequence[Infrared | Radar],
    by: np.ndarray,
    key: tuple[int, int],
    sensor_names: Sequence[str],
) -> _Plots:
    """The plots as a radar that is not quite aligned reports them: one error per radar and run, in no sigma."""
    for number in np.unique(by):
        s, rows = sensors[number], by == number
        if isinstance(s, Radar) and (s.bias_range_m > 0.0 or s.bias_angle_rad > 0.0):
            off = stream(*key, "registration", sensor_names[int(number)]).standard_normal(3)
            across, upwards = (np.full(np.count_nonzero(rows), s.bias_angle_rad * off[k]) for k in (0, 1))
            plots.u[rows] = tangent_noise(plots.u[rows], across, upwards)
            plots.range_m[rows] += s.bias_range_m * off[2]
    return plots


def _measured(s: Radar, u: np.ndarray, snr: Any) -> np.ndarray:
    """SNR that a radar measures, for the draws u that made its detections."""
    if s.swerling == 1 and s.pulses == 1:
        return radar.measured_snr(u, snr)
    return swerling.measured_snr(s.swerling, u, snr, s.pulses, s.p_false_alarm)


def _biases(sensors: Sequence[Infrared | Radar], names: Sequence[str], seed: int, run: int) -> np.ndarray:
    """How far each sensor's axes are turned in this run [sensor, 3]; 0 for those that state no bias."""
    bias = np.zeros((len(sensors), 3))
    for k, s in enumerate(sensors):
        if isinstance(s, Infrared) and s.registration_bias_rad > 0.0:
            bias[k] = registration_bias(s.registration_bias_rad, seed, run, names[k])
    return bias


def _normal(u: np.ndarray) -> np.ndarray:
    return u / np.linalg.norm(u, axis=-1, keepdims=True)


def _quality(
    sensors: Sequence[Infrared | Radar], by: np.ndarray, u: np.ndarray, snr: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measured SNR, angle sigma and range sigma of detections made by the draws u at mean SNR `snr`."""
    measured, angle, distance = np.empty(len(by)), np.empty(len(by)), np.full(len(by), np.inf)
    for number in np.unique(by):
        s, rows = sensors[number], by == number
        if isinstance(s, Infrared):
            measured[rows] = infrared.measured_snr(u[rows], snr[rows], s.p_detect_max)
            angle[rows] = infrared.sigma_angle(measured[rows], s.sigma_floor_rad, s.pixel_rad)
        else:
            measured[rows] = _measured(s, u[rows], snr[rows])
            angle[rows] = radar.sigma_angle(measured[rows], s.sigma_angle_rad, s.beamwidth_rad)
            distance[rows] = radar.sigma_range(measured[rows], s.sigma_range_m, s.range_resolution_m)
    return measured, angle, distance


def _clutter(sensor: Infrared | Radar, scan: np.ndarray, key: tuple[int, int], name: str) -> _Plots:
    """False alarms of one sensor: Poisson per scan, uniform over its field (and in range)."""
    count = stream(*key, "clutter", name, "count").poisson(sensor.false_alarms_per_scan, len(scan))
    # five uniform numbers per false alarm, in (0, 1] so that logarithms stay finite
    u = 1.0 - stream(*key, "clutter", name, "place").random((int(count.sum()), _DRAWS))
    if isinstance(sensor, Infrared):
        cos = 1.0 - u[:, 0] * (1.0 - np.cos(min(sensor.field_cone_rad, np.pi)))
        sin, angle = np.sqrt(np.maximum(1.0 - cos * cos, 0.0)), 2.0 * np.pi * u[:, 1]
        where = np.stack([cos, sin * np.cos(angle), sin * np.sin(angle)], axis=-1)
        range_m, sigma_range = np.zeros(len(u)), np.full(len(u), np.inf)
        tail = infrared.p_false_alarm(sensor.threshold_snr)
        snr = infrared.measured_snr(tail * u[:, 3], 0.0, 1.0)
        sigma_angle = infrared.sigma_angle(snr, sensor.sigma_floor_rad, sensor.pixel_rad)
    else:
        low, high = np.sin(sensor.elevation_min_rad), np.sin(sensor.elevation_max_rad)
        azimuth = (2.0 * u[:, 1] - 1.0) * min(sensor.field_azimuth_rad, np.pi)
        where = direction(azimuth, np.arcsin(low + (high - low) * u[:, 0]))
        range_m = u[:, 2] * sensor.range_max_m
        snr = _measured(sensor, sensor.p_false_alarm * u[:, 3], 0.0)
        sigma_angle = radar.sigma_angle(snr, sensor.sigma_angle_rad, sensor.beamwidth_rad)
        sigma_range = radar.sigma_range(snr, sensor.sigma_range_m, sensor.range_resolution_m)
    scan = np.repeat(scan, count)
    return _Plots(scan, np.full(len(scan), -1), where, range_m, sigma_angle, sigma_range, snr, u[:, 4])


def _join(*plots: _Plots) -> _Plots:
    return _Plots(*(np.concatenate(column) for column in zip(*plots, strict=True)))


def _tables(plots: _Plots) -> tuple[Detections, DetectionTruth]:
    """Plots in order of scan and, inside a scan, of their random places; the answer sheet apart."""
    plots = _Plots(*(column[np.lexsort((plots.place, plots.scan))] for column in plots))
    number = np.arange(len(plots.scan))
    az, el = azimuth_elevation(plots.u)
    nothing = np.full(len(number), np.inf)
    return (
        Detections(
            detection=number,
            scan=plots.scan,
            az_rad=az,
            el_rad=el,
            range_m=plots.range_m,
            range_rate_m_s=np.zeros(len(number)),
            sigma_az_rad=plots.sigma_angle / np.hypot(plots.u[:, 0], plots.u[:, 1]),
            sigma_el_rad=plots.sigma_angle,
            sigma_range_m=plots.sigma_range,
            sigma_range_rate_m_s=nothing,
            snr=plots.snr,
        ),
        DetectionTruth(number, plots.target),
    )


def _column(sensors: Sequence[Infrared | Radar], name: str, default: float = np.nan) -> np.ndarray:
    """One parameter of every sensor, with what stands in where its kind has none."""
    return np.array([getattr(s, name, default) for s in sensors], np.float64)

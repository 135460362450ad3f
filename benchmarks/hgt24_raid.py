"""Raids of the HGT-24 kind, made anew: gliders, a Walker pattern of infrared satellites, their detections and cues.

The physics is that of the data's README (spherical Earth at rest, figures below); the code and the random streams are
ours, so equal seeds give other draws than the data's own generator. `write` gives the files other trackers read.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Float64, Int64

from noroshi.random import stream

# Every figure is of the README and HGT24_params.json of the HGT-24 data
EARTH_M = 6371e3
EARTH_MU = 3.986004418e14
FRAME_S = 1.0
FRAMES = 301
SATELLITES, PLANES, PHASING = 24, 4, 1
INCLINATION = np.radians(50.0)
ORBIT_M = EARTH_M + 1000e3
SIGMA_RAD = 50e-6
CONE_RAD = np.radians(10.0)
RANGE_MAX_M = 4500e3
P_DETECT = 0.9
HEIGHT_M, HEIGHT_SWING_M, HEIGHT_PERIOD_S = 40e3, 1500.0, 70.0
SPEED_M_S, SLOWING_M_S2 = 6000.0, 3.0
WEAVE_M_S2, WEAVE_PERIOD_S = 30.0, (60.0, 100.0)
START_LATITUDE, START_LONGITUDE = np.radians(38.0), np.radians(140.0)
HEADING, HEADING_SPREAD = np.radians(230.0), np.radians(5.0)
CUE_SIGMA = np.repeat([1000.0, 100.0, 30.0], 3)  # m, m/s, m/s2 on each axis

STATE = ("x_m", "y_m", "z_m", "vx_mps", "vy_mps", "vz_mps", "ax_mps2", "ay_mps2", "az_mps2")
SUBSTEP_S = 0.25  # of the flight: Runge-Kutta of fourth order is then within a millimetre after 300 s (tests)


class Raid(NamedTuple):
    """One draw. Detections are sorted by frame and sensor and shuffled inside."""

    truth: Float64[np.ndarray, "frame target 9"]  # position, velocity, acceleration
    visible: Bool[np.ndarray, "frame sensor target"]
    r_sensor: Float64[np.ndarray, "frame sensor 3"]
    yaw_rad: Float64[np.ndarray, "frame sensor"]
    pitch_rad: Float64[np.ndarray, "frame sensor"]
    frame: Int64[np.ndarray, "detection"]
    sensor: Int64[np.ndarray, "detection"]
    az_rad: Float64[np.ndarray, "detection"]
    el_rad: Float64[np.ndarray, "detection"]
    truth_id: Int64[np.ndarray, "detection"]  # -1: clutter
    cue: Float64[np.ndarray, "target 9"]


def make_raid(targets: int, box_m: float, clutter: float, seed: int, frames: int = FRAMES) -> Raid:
    """Gliders starting in a square of side box_m, each sensor's detections of them, `clutter` false alarms per scan.

    Only sensors that see a target report, as in the data. The same arguments give the same raid.
    """
    truth = glides(targets, box_m, seed, frames)
    r_sensor = satellites(frames)
    bore = truth[:, None, :, :3].mean(2) - r_sensor
    bore /= np.linalg.norm(bore, axis=-1, keepdims=True)
    yaw, pitch = np.arctan2(bore[..., 1], bore[..., 0]), np.arcsin(bore[..., 2])
    visible, u = in_view(r_sensor, sensor_axes(yaw, pitch), truth[..., :3])
    frame, sensor, az, el, truth_id = _detect(visible, u, clutter, seed)
    cue = truth[0] + CUE_SIGMA * stream(seed, 0, "hgt24", "cue").standard_normal((targets, 9))
    return Raid(truth, visible, r_sensor, yaw, pitch, frame, sensor, az, el, truth_id, cue)


def glides(
    targets: int, box_m: float, seed: int, frames: int = FRAMES
) -> Float64[np.ndarray, "frame target 9"]:
    """Flights over the sphere: speed falling evenly, height swinging, heading turned by a lateral weave.

    With r and d the unit vectors of place and course, and h the distance from the centre,
    r' = (v/h) d and d' = (a/v) (r x d) - (v/h) r; velocity and acceleration follow in closed form.
    """
    draw = stream(seed, 0, "hgt24", "flight")
    lat = START_LATITUDE + draw.uniform(-0.5, 0.5, targets) * box_m / EARTH_M
    lon = START_LONGITUDE + draw.uniform(-0.5, 0.5, targets) * box_m / EARTH_M / np.cos(lat)
    course = HEADING + draw.uniform(-1.0, 1.0, targets) * HEADING_SPREAD
    weave = 2 * np.pi / draw.uniform(*WEAVE_PERIOD_S, targets)
    weave_phase, swing_phase = draw.uniform(0.0, 2 * np.pi, (2, targets))
    swing = 2 * np.pi / HEIGHT_PERIOD_S

    def distance(t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        angle = swing * t + swing_phase
        low, high = HEIGHT_SWING_M * np.sin(angle), HEIGHT_SWING_M * np.cos(angle)
        return EARTH_M + HEIGHT_M + low, swing * high, -(swing**2) * low

    def flow(t: float, state: np.ndarray) -> np.ndarray:
        r, d = state
        speed = SPEED_M_S - SLOWING_M_S2 * t
        around = (speed / distance(t)[0])[:, None]
        turn = (WEAVE_M_S2 * np.sin(weave * t + weave_phase) / speed)[:, None]
        return np.stack([around * d, turn * np.cross(r, d) - around * r])

    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)
    east = np.stack([-np.sin(lon), np.cos(lon), 0.0 * lon], -1)
    ahead = np.cos(course)[:, None] * np.cross(up, east) + np.sin(course)[:, None] * east
    state = np.stack([up, ahead])
    truth = np.empty((frames, targets, 9))
    steps, h = round(FRAME_S / SUBSTEP_S), SUBSTEP_S
    for k in range(frames):
        t = k * FRAME_S
        speed = SPEED_M_S - SLOWING_M_S2 * t
        far, climb, climb_rate = (part[:, None] for part in distance(t))
        (r, d), (r_rate, d_rate) = state, flow(t, state)
        truth[k, :, :3] = far * r
        truth[k, :, 3:6] = climb * r + speed * d
        truth[k, :, 6:] = climb_rate * r + climb * r_rate - SLOWING_M_S2 * d + speed * d_rate
        for i in range(steps):
            s = t + i * h
            k1 = flow(s, state)
            k2 = flow(s + h / 2, state + h / 2 * k1)
            k3 = flow(s + h / 2, state + h / 2 * k2)
            k4 = flow(s + h, state + h * k3)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return truth


def satellites(frames: int = FRAMES) -> Float64[np.ndarray, "frame sensor 3"]:
    """Walker 50 deg: 24/4/1 on circular two-body orbits."""
    number = np.arange(SATELLITES)
    plane, slot = np.divmod(number, SATELLITES // PLANES)
    node = 2 * np.pi * plane / PLANES
    start = 2 * np.pi * (slot * PLANES + PHASING * plane) / SATELLITES
    u = start + np.sqrt(EARTH_MU / ORBIT_M**3) * FRAME_S * np.arange(frames)[:, None]
    x, y = np.cos(u), np.sin(u) * np.cos(INCLINATION)
    r = [np.cos(node) * x - np.sin(node) * y, np.sin(node) * x + np.cos(node) * y]
    return ORBIT_M * np.stack([*r, np.sin(u) * np.sin(INCLINATION)], -1)


def sensor_axes(yaw_rad: np.ndarray, pitch_rad: np.ndarray) -> np.ndarray:
    """Matrices sensor_from_frame: rows are the sensor's axes, x the boresight, y level; shape [..., 3, 3]."""
    cy, sy, cp, sp = np.cos(yaw_rad), np.sin(yaw_rad), np.cos(pitch_rad), np.sin(pitch_rad)
    rows = [[cp * cy, cp * sy, sp], [-sy, cy, 0.0 * cy], [-sp * cy, -sp * sy, cp]]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def in_view(
    r_sensor: Float64[np.ndarray, "frame sensor 3"],
    axes: Float64[np.ndarray, "frame sensor 3 3"],
    r_target: Float64[np.ndarray, "frame target 3"],
) -> tuple[Bool[np.ndarray, "frame sensor target"], Float64[np.ndarray, "frame sensor target 3"]]:
    """Who sees whom (in the cone, in range, the Earth not between), and the directions in sensor axes."""
    line = r_target[:, None] - r_sensor[:, :, None]
    far = np.linalg.norm(line, axis=-1)
    u = np.einsum("ksij,kstj->ksti", axes, line / far[..., None])
    # the line passes closest to the centre at this distance from the sensor, if it gets there at all
    nearest = np.clip(-np.einsum("ksi,ksti->kst", r_sensor, line) / far, 0.0, far)
    passing = r_sensor[:, :, None] + (nearest / far)[..., None] * line
    clear = np.linalg.norm(passing, axis=-1) > EARTH_M
    return (u[..., 0] > np.cos(CONE_RAD)) & (far < RANGE_MAX_M) & clear, u


def _detect(visible: np.ndarray, u: np.ndarray, clutter: float, seed: int) -> tuple[np.ndarray, ...]:
    """Frame, sensor, azimuth, elevation and target (-1: clutter) of every detection."""
    draw = stream(seed, 0, "hgt24", "detection")
    k, s, target = np.nonzero(visible & (draw.random(visible.shape) < P_DETECT))
    x, y, z = u[k, s, target].T
    seen = np.stack([np.arctan2(y, x), np.arcsin(z)]) + SIGMA_RAD * draw.standard_normal((2, len(k)))
    draw = stream(seed, 0, "hgt24", "clutter")
    active = np.argwhere(visible.any(2))
    count = draw.poisson(clutter, len(active))
    total = int(count.sum())
    c, around = draw.uniform(np.cos(CONE_RAD), 1.0, total), draw.uniform(0.0, 2 * np.pi, total)
    off = np.sqrt(1.0 - c**2)
    false = np.stack([np.arctan2(off * np.cos(around), c), np.arcsin(off * np.sin(around))])
    frame, sensor = np.repeat(active, count, axis=0).T
    frame, sensor = np.concatenate([k, frame]), np.concatenate([s, sensor])
    order = np.lexsort([draw.random(len(frame)), sensor, frame])
    az, el = np.concatenate([seen, false], 1)[:, order]
    truth_id = np.concatenate([target, np.full(total, -1)])[order]
    return frame[order], sensor[order], az, el, truth_id


def write(raid: Raid, prefix: str | Path) -> None:
    """The four Parquet files of the HGT-24 layout, PREFIX_detections.parquet and so on."""
    frames, targets = raid.truth.shape[:2]
    sensors = raid.r_sensor.shape[1]
    xyz = dict(zip(STATE[:3], raid.r_sensor.reshape(-1, 3).T, strict=True))
    tables = {
        "detections": {
            "frame": raid.frame.astype(np.int16),
            "sensor": raid.sensor.astype(np.int8),
            "az_rad": raid.az_rad,
            "el_rad": raid.el_rad,
            "truth_id": raid.truth_id.astype(np.int16),
        },
        "truth": {
            "frame": np.repeat(np.arange(frames), targets).astype(np.int16),
            "target": np.tile(np.arange(targets), frames).astype(np.int16),
            **dict(zip(STATE, raid.truth.reshape(-1, 9).T, strict=True)),
            "n_sensors_visible": raid.visible.sum(1).ravel().astype(np.int8),
        },
        "sensors": {
            "frame": np.repeat(np.arange(frames), sensors).astype(np.int16),
            "sensor": np.tile(np.arange(sensors), frames).astype(np.int8),
            **xyz,
            "yaw_rad": raid.yaw_rad.ravel(),
            "pitch_rad": raid.pitch_rad.ravel(),
            "active": raid.visible.any(2).ravel(),
        },
        "cue": {
            "target": np.arange(targets).astype(np.int16),
            **dict(zip(STATE, raid.cue.T, strict=True)),
        },
    }
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), f"{prefix}_{name}.parquet", compression="zstd")

"""Files of the HGT-24 layout as the tracker's tables; the answer sheet kept apart for scoring.

PREFIX_detections, _sensors, _truth and _cue.parquet, and perhaps a params.json beside them (see the data's README).
The columns `truth_id` (detections) and `active` (sensors) are never read: not by the tracker, not for anything else.
"""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from benchmarks import hgt24_raid
from benchmarks.hgt24_raid import STATE, Raid, sensor_axes
from noroshi.errors import DataError
from noroshi.tables import Background, Detections, Kind, Scans

REMEDY = "PREFIX is the part of the path before _detections.parquet, e.g. data/hgt24/HGT24_T20"
SECTORS = 16  # of the outer half of the field, see clutter_per_scan
CLUTTER_MIN = 0.01  # notional: no density is taken for 0, as its logarithm is needed


class Sensing(NamedTuple):
    """What the tracker is told of the sensors; as published where the files do not say otherwise."""

    frame_s: float = hgt24_raid.FRAME_S
    sigma_rad: float = hgt24_raid.SIGMA_RAD
    cone_rad: float = float(hgt24_raid.CONE_RAD)
    range_max_m: float = hgt24_raid.RANGE_MAX_M
    p_detect: float = hgt24_raid.P_DETECT
    clutter: float | None = None  # expected false alarms of a scan; None: estimated from the detections


class Case(NamedTuple):
    """One raid: what the tracker gets (scans of every sensor at every frame, detections, cue) and the truth."""

    name: str
    sensing: Sensing  # clutter filled in
    scans: Scans  # number frame * sensors + sensor, in this order
    detections: Detections
    cue: Float64[np.ndarray, "target 9"]  # track i starts from row i, at frame 0
    truth: Float64[np.ndarray, "frame target 9"]  # for scoring alone


def load(prefix: str | Path) -> Case:
    """The case of four files. Raises DataError, with the remedy, for what cannot be read as HGT-24."""
    prefix = str(prefix).removesuffix("_")
    sensors = _read(prefix, "sensors", ("frame", "sensor", *STATE[:3], "yaw_rad", "pitch_rad"))
    found = _read(prefix, "detections", ("frame", "sensor", "az_rad", "el_rad"))
    truth = _read(prefix, "truth", ("frame", "target", *STATE))
    cue = _read(prefix, "cue", ("target", *STATE))
    targets = len(cue["target"])
    order = np.lexsort([sensors["sensor"], sensors["frame"]])
    sensors = {name: column[order] for name, column in sensors.items()}
    frames, stations = _grid(prefix, "sensors", sensors["frame"], sensors["sensor"])
    order = np.lexsort([truth["target"], truth["frame"]])
    truth = {name: column[order] for name, column in truth.items()}
    if (found["frame"] >= frames).any() or (found["sensor"] >= stations).any():
        raise DataError(
            f"there is no scan for some detections: {frames} frames of {stations} sensors are known",
            where=f"{prefix}_detections.parquet",
            remedy="the four files must come from one raid",
        )
    if _grid(prefix, "truth", truth["frame"], truth["target"]) != (frames, targets):
        raise DataError(
            f"truth does not have {frames} frames of {targets} targets, as the sensors' and the cue's files do",
            where=f"{prefix}_truth.parquet",
            remedy="the four files must come from one raid",
        )
    return _case(
        Path(prefix).name,
        _sensing(prefix),
        np.stack([sensors[c] for c in STATE[:3]], 1).reshape(frames, stations, 3),
        sensors["yaw_rad"].reshape(frames, stations),
        sensors["pitch_rad"].reshape(frames, stations),
        (found["frame"], found["sensor"], found["az_rad"], found["el_rad"]),
        np.stack([cue[c] for c in STATE], 1)[np.argsort(cue["target"], kind="stable")],
        np.stack([truth[c] for c in STATE], 1).reshape(frames, targets, 9),
    )


def of_raid(raid: Raid, name: str, clutter: float | None = None) -> Case:
    """The case of a raid that never was a file. clutter None: estimated, as from files without params.json."""
    return _case(
        name,
        Sensing(clutter=clutter),
        raid.r_sensor,
        raid.yaw_rad,
        raid.pitch_rad,
        (raid.frame, raid.sensor, raid.az_rad, raid.el_rad),
        raid.cue,
        raid.truth,
    )


def clutter_per_scan(
    scan: np.ndarray, az_rad: np.ndarray, el_rad: np.ndarray, cone_rad: float = Sensing().cone_rad
) -> float:
    """Expected false alarms of a scan, from the detections of all scans that have any.

    False alarms fill the cone evenly; targets stand near the boresight and in a few directions. So: the median of the
    counts in the 16 sectors of the outer half (by solid angle) of the cone, times 32, over the scans. Within a tenth
    for 20 targets in 200 km and 5 per scan or more (tests); 100 targets that fill the field count for 15 more.
    """
    scans = len(np.unique(scan))
    if not scans:
        return 0.0
    y, z = np.sin(az_rad) * np.cos(el_rad), np.sin(el_rad)
    x = np.cos(az_rad) * np.cos(el_rad)
    outer = x < (1.0 + np.cos(cone_rad)) / 2
    sector = np.floor((np.arctan2(z, y) / (2 * np.pi) + 0.5) * SECTORS).astype(int) % SECTORS
    counts = np.bincount(sector[outer], minlength=SECTORS)
    return float(2 * SECTORS * (np.median(counts) + 0.5) / scans)


def _case(
    name: str,
    sensing: Sensing,
    r_sensor: np.ndarray,
    yaw: np.ndarray,
    pitch: np.ndarray,
    found: tuple[np.ndarray, ...],
    cue: np.ndarray,
    truth: np.ndarray,
) -> Case:
    frames, stations = yaw.shape
    frame, sensor, az, el = found
    scan = frame.astype(np.int64) * stations + sensor
    order = np.argsort(scan, kind="stable")
    scan, az, el = scan[order], az[order], el[order]
    if sensing.clutter is None:
        sensing = sensing._replace(clutter=clutter_per_scan(scan, az, el, sensing.cone_rad))
    n, k = frames * stations, len(scan)
    axes = sensor_axes(yaw, pitch).reshape(n, 3, 3)
    q = Rotation.from_matrix(np.swapaxes(axes, 1, 2)).as_quat()[:, [3, 0, 1, 2]]
    field_sr = 2 * np.pi * (1 - np.cos(sensing.cone_rad))
    scans = Scans(
        scan=np.arange(n),
        sensor=np.tile(np.arange(stations), frames),
        kind=np.full(n, int(Kind.INFRARED), np.int8),
        t_event=np.repeat(np.arange(frames) * sensing.frame_s, stations),
        r_gcrs=r_sensor.reshape(n, 3).copy(),
        v_gcrs=np.zeros((n, 3)),  # no range rate is measured
        q_gcrs_from_sensor=q,
        p_detect=np.full(n, sensing.p_detect),
        clutter_density=np.full(n, max(sensing.clutter or 0.0, CLUTTER_MIN) / field_sr),
        field_cone_rad=np.full(n, sensing.cone_rad),
        field_azimuth_rad=np.full(n, np.pi),
        field_elevation_min_rad=np.full(n, -np.pi / 2),
        field_elevation_max_rad=np.full(n, np.pi / 2),
        range_max_m=np.full(n, sensing.range_max_m),
        grazing_height_m=np.zeros(n),  # of the ellipsoid: within 7 km of the data's sphere
        cloud_top_m=np.full(n, -1e5),
        background=np.full(n, int(Background.ANY), np.int8),
    )
    detections = Detections(
        detection=np.arange(k),
        scan=scan,
        az_rad=az,
        el_rad=el,
        range_m=np.zeros(k),
        range_rate_m_s=np.zeros(k),
        sigma_az_rad=np.full(k, sensing.sigma_rad),
        sigma_el_rad=np.full(k, sensing.sigma_rad),
        sigma_range_m=np.full(k, inf),
        sigma_range_rate_m_s=np.full(k, inf),
        snr=np.full(k, 10.0),  # not in the data; no part of the tracker's sums
    )
    return Case(name, sensing, scans, detections, cue, truth)


def _read(prefix: str, table: str, columns: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Named columns and no others; numbers only, int64 or float64."""
    path = Path(f"{prefix}_{table}.parquet")
    if not path.is_file():
        raise DataError("there is no such file", where=str(path), remedy=REMEDY)
    try:
        have = pq.read_schema(path).names
        missing = [c for c in columns if c not in have]
        if missing:
            raise DataError(
                f"no column {', '.join(missing)}",
                where=str(path),
                remedy="the README of the HGT-24 data lists them",
            )
        read = pq.read_table(path, columns=list(columns))
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"cannot be read as Parquet: {error}", where=str(path), remedy="write it anew, or copy it whole"
        ) from None
    out = {}
    for name in columns:
        whole = name in ("frame", "sensor", "target")
        try:
            values = read[name].to_numpy().astype(np.float64)
        except (TypeError, ValueError):
            values = np.array([np.nan])
        bad = ~np.isfinite(values) | (whole & ((values < 0) | (values != np.floor(values))))
        if bad.any():
            kind = "whole numbers from 0" if whole else "numbers"
            raise DataError(
                f"column {name} has {int(bad.sum())} values that are no {kind}",
                where=str(path),
                remedy="the README of the HGT-24 data says what stands in each column",
            )
        out[name] = values.astype(np.int64) if whole else values
    if table == "detections":
        return out
    if not len(out[columns[0]]):
        raise DataError("the file has no rows", where=str(path), remedy=REMEDY)
    return out


def _grid(prefix: str, table: str, frame: np.ndarray, item: np.ndarray) -> tuple[int, int]:
    """Number of frames and items of sorted rows, when every item stands at every frame once."""
    frames, items = int(frame.max()) + 1, int(item.max()) + 1
    if len(frame) != frames * items or (frame * items + item != np.arange(len(frame))).any():
        raise DataError(
            f"{len(frame)} rows, not one for each of {frames} frames and {items} numbers",
            where=f"{prefix}_{table}.parquet",
            remedy="frames, sensors and targets are numbered from 0 without gaps",
        )
    return frames, items


def _sensing(prefix: str) -> Sensing:
    """From the params.json whose name begins as PREFIX does, and its entry for this raid if there is one."""
    path = Path(prefix)
    for file in sorted(path.parent.glob("*_params.json")):
        stem = file.name.removesuffix("params.json")
        if not path.name.startswith(stem):
            continue
        try:
            given = json.loads(file.read_text())
            return _given(given, path.name.removeprefix(stem))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(
                f"cannot be understood: {error!r}",
                where=str(file),
                remedy="write it as the data's generator does, or take it away: the published figures stand in for it",
            ) from None
    return Sensing()


def _given(given: dict[str, Any], raid: str) -> Sensing:
    usual, sensor = Sensing(), given.get("sensor", {})
    clutter = given.get("scenarios", {}).get(raid, {}).get("lambda")
    return Sensing(
        frame_s=float(given.get("dt", usual.frame_s)),
        sigma_rad=float(sensor.get("sigma_rad", usual.sigma_rad)),
        cone_rad=float(np.radians(sensor["fov_half_angle_deg"]))
        if "fov_half_angle_deg" in sensor
        else usual.cone_rad,
        range_max_m=float(sensor.get("max_range_m", usual.range_max_m)),
        p_detect=float(given.get("pd", usual.p_detect)),
        clutter=None if clutter is None else float(clutter),
    )

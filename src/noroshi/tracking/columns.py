"""Scans and detections as rows of numbers, the form that compiled code reads."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from noroshi.tables import Detections, Scans

# columns of a scan row
SENSOR = 0
KIND = 1
T = 2
R = 3  # 3 wide, GCRS
V = 6  # 3 wide, GCRS
M = 9  # 9 wide: rotation gcrs_from_sensor, row by row
P_DETECT = 18
CLUTTER = 19
COS_CONE = 20
AZIMUTH = 21
ELEVATION_MIN = 22
ELEVATION_MAX = 23
RANGE_MAX = 24
GRAZING = 25
CLOUD = 26
BACKGROUND = 27
SCAN_WIDTH = 28

# columns of a detection row
AZ = 0
EL = 1
RANGE = 2
RANGE_RATE = 3
SIGMA_AZ = 4
SIGMA_EL = 5
SIGMA_RANGE = 6
SIGMA_RANGE_RATE = 7
DETECTION_WIDTH = 8


def rotation_gcrs_from_sensor(q: Float64[np.ndarray, "scan 4"]) -> Float64[np.ndarray, "scan 3 3"]:
    """Rotation matrices of unit quaternions (w, x, y, z)."""
    w, x, y, z = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    m = np.empty((*w.shape, 3, 3))
    m[..., 0, 0] = 1.0 - 2.0 * (y * y + z * z)
    m[..., 0, 1] = 2.0 * (x * y - w * z)
    m[..., 0, 2] = 2.0 * (x * z + w * y)
    m[..., 1, 0] = 2.0 * (x * y + w * z)
    m[..., 1, 1] = 1.0 - 2.0 * (x * x + z * z)
    m[..., 1, 2] = 2.0 * (y * z - w * x)
    m[..., 2, 0] = 2.0 * (x * z - w * y)
    m[..., 2, 1] = 2.0 * (y * z + w * x)
    m[..., 2, 2] = 1.0 - 2.0 * (x * x + y * y)
    return m


def pack_scans(scans: Scans) -> Float64[np.ndarray, "scan 28"]:
    """Scan rows in table order."""
    rows = np.empty((len(scans.scan), SCAN_WIDTH))
    rows[:, SENSOR] = scans.sensor
    rows[:, KIND] = scans.kind
    rows[:, T] = scans.t_event
    rows[:, R : R + 3] = scans.r_gcrs
    rows[:, V : V + 3] = scans.v_gcrs
    rows[:, M : M + 9] = rotation_gcrs_from_sensor(scans.q_gcrs_from_sensor).reshape(-1, 9)
    rows[:, P_DETECT] = scans.p_detect
    rows[:, CLUTTER] = scans.clutter_density
    # a cone of 180 deg or more is no limit at all, whatever the rounding
    rows[:, COS_CONE] = np.where(scans.field_cone_rad >= np.pi, -2.0, np.cos(scans.field_cone_rad))
    rows[:, AZIMUTH] = scans.field_azimuth_rad
    rows[:, ELEVATION_MIN] = scans.field_elevation_min_rad
    rows[:, ELEVATION_MAX] = scans.field_elevation_max_rad
    rows[:, RANGE_MAX] = scans.range_max_m
    rows[:, GRAZING] = scans.grazing_height_m
    rows[:, CLOUD] = scans.cloud_top_m
    rows[:, BACKGROUND] = scans.background
    return rows


def pack_detections(detections: Detections) -> Float64[np.ndarray, "detection 8"]:
    """Detection rows in table order."""
    return np.stack(
        [
            detections.az_rad,
            detections.el_rad,
            detections.range_m,
            detections.range_rate_m_s,
            detections.sigma_az_rad,
            detections.sigma_el_rad,
            detections.sigma_range_m,
            detections.sigma_range_rate_m_s,
        ],
        axis=1,
    ).astype(np.float64)


def detection_slices(scans: Scans, detections: Detections) -> Int64[np.ndarray, "scan 2"]:
    """First and past-the-last detection row of every scan."""
    first = np.searchsorted(detections.scan, scans.scan, side="left")
    last = np.searchsorted(detections.scan, scans.scan, side="right")
    return np.stack([first, last], axis=1).astype(np.int64)

"""Which recorded detections went into which track: rows of the tables behind each contribution."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from noroshi.errors import DataError
from noroshi.tables import Contributions, Detections, Scans


class Uses(NamedTuple):
    """Rows of the scan and detection tables behind each contribution, and the time of the scan."""

    scan: Int64[np.ndarray, "use"]
    detection: Int64[np.ndarray, "use"]
    t: Float64[np.ndarray, "use"]


def uses(scans: Scans, detections: Detections, contributions: Contributions) -> Uses:
    """Rows behind the contributions, in their order. Raises DataError where one of them is in no table."""
    detection = _find(detections.detection, contributions.detection, "detection")
    scan = _find(scans.scan, detections.scan[detection], "scan")
    return Uses(scan, detection, scans.t_event[scan])


def _find(values: np.ndarray, wanted: np.ndarray, what: str) -> Int64[np.ndarray, "wanted"]:
    """Positions of `wanted` among the distinct `values`."""
    order = np.argsort(values, kind="stable")
    at = np.searchsorted(values, wanted, sorter=order)
    found = at < len(values)
    found[found] = values[order[at[found]]] == wanted[found]
    if not found.all():
        raise DataError(
            f"{what} {wanted[~found][0]} is not in its table",
            where="contributions",
            remedy="give the scans and detections that the tracks were made from",
        )
    return order[at]

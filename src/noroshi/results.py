"""One run in memory: the scenario, every table, and the summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from noroshi.scenario.schema import Scenario
from noroshi.tables import (
    Contributions,
    Deliveries,
    Detections,
    DetectionTruth,
    Ephemeris,
    Looks,
    NodeSamples,
    Opportunities,
    Samples,
    Scans,
    Tracks,
    Truth,
    Warnings,
)
from noroshi.warning.impact import Predictions


@dataclass(frozen=True)
class Run:
    """Everything one simulation made. Times are seconds of TT past `scenario.epoch`."""

    scenario: Scenario
    seed: int
    run: int
    ephemeris: Ephemeris
    truth: Truth
    itrs_from_gcrs: Float64[np.ndarray, "time 3 3"]
    opportunities: Opportunities
    looks: Looks
    scans: Scans
    detections: Detections
    detection_truth: DetectionTruth
    deliveries: Deliveries
    tracks: Tracks
    contributions: Contributions
    predictions: Predictions
    warnings: Warnings
    samples: Samples
    node_samples: NodeSamples
    summary: dict[str, Any]

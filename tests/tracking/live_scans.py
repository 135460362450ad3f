"""Scans of a small made-up raid, packed, for the tests of the tracker's live face."""

from __future__ import annotations

import numpy as np
from synthetic_scans import fly, layer, observe, place, radar

from noroshi.tracking.columns import detection_slices, pack_detections, pack_scans
from noroshi.tracking.live import LiveScan


def small_raid(seed=5, steps=14, targets=3, false_alarms=0.2, satellites=6):
    """(Scans, Detections) of free flights 2 km apart seen by some satellites and a radar, and the same as LiveScans."""
    t = np.arange(0.0, float(steps))
    r0, east, north, up = place(42.0, 140.0, 300e3)
    paths = [fly(r0 + 2000.0 * k * north, 2500.0 * east + 800.0 * up, t)[0] for k in range(targets)]
    sensors = layer(t, planes=8, false_alarms=false_alarms)
    seen = sorted(sensors, key=lambda s: float(np.linalg.norm(s.r[0] - r0)))[:satellites]
    seen.append(radar(t, 40.9, 140.3, 300, false_alarms=0.05))
    scans, detections, _ = observe(np.random.default_rng(seed), t, seen, np.stack(paths, 1))
    return scans, detections, live_scans(scans, detections)


def live_scans(scans, detections):
    rows, dets = pack_scans(scans), pack_detections(detections)
    slices = detection_slices(scans, detections)
    return [
        LiveScan(
            rows[k].copy(),
            1 << int(scans.sensor[k] % 2),
            dets[a:b].copy(),
            detections.detection[a:b].astype(np.int64),
        )
        for k, (a, b) in enumerate(slices)
    ]

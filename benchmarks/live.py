"""`python -m benchmarks.live [--json]`: CPU time of one frame when many targets are tracked live.

Gliders spread over a region that 24 satellites watch together, each with about as many detections a frame as there are
targets: P_D 0.9, the rest false. Tracks start from cues; then every frame is one call of the compiled kernel, with
initiation, confirmation and deletion on. Detections carry no identity. Prints the median and the 99th percentile of the
process's CPU time over the frames, for one model and for a mixture of three.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from benchmarks.hgt24_kernel import uncued_config
from benchmarks.hgt24_raid import CUE_SIGMA, EARTH_M, START_LATITUDE, START_LONGITUDE, glides
from noroshi.random import stream
from noroshi.tables import Kind, Status
from noroshi.tracking import state as fields
from noroshi.tracking.columns import (
    AZIMUTH,
    CLOUD,
    CLUTTER,
    COS_CONE,
    DETECTION_WIDTH,
    ELEVATION_MAX,
    ELEVATION_MIN,
    GRAZING,
    KIND,
    P_DETECT,
    RANGE_MAX,
    SCAN_WIDTH,
    SENSOR,
    M,
    R,
    T,
)
from noroshi.tracking.kernel import output, run
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.presets import default_config
from noroshi.tracking.state import cue, init, settings

# The scene is notional: as many satellites as HGT-24 has, so placed that all see all targets
SENSORS = 24
HEIGHT_M = 1_000e3
RING = np.radians((10.0, 14.0, 18.0))  # three rings about the region, angle at the Earth's centre
CONE_RAD = np.radians(60.0)
RANGE_MAX_M = 4_500e3
SIGMA_RAD = 50e-6
P_SEEN = 0.9
FRAME_S = 1.0
WARM_UP = 5  # frames before the count begins: velocities settle, the first false tracks come and go
SPACING_M = 40e3  # of the targets, whatever their number


class Scene(NamedTuple):
    """Scans of every sensor at every frame, packed, frame after frame; frame 0 is that of the cue."""

    scans: Float64[np.ndarray, "scan 28"]
    slices: Int64[np.ndarray, "scan 2"]
    dets: Float64[np.ndarray, "detection 8"]
    truth: Float64[np.ndarray, "frame target 9"]
    cue: Float64[np.ndarray, "target 9"]


def make_scene(targets: int, clutter: float, frames: int, seed: int = 1) -> Scene:
    """`targets` gliders and `clutter` false alarms per scan, evenly over the field's rectangle that holds the raid."""
    truth = glides(targets, SPACING_M * np.sqrt(targets), seed, frames)
    up = np.array(
        [
            np.cos(START_LATITUDE) * np.cos(START_LONGITUDE),
            np.cos(START_LATITUDE) * np.sin(START_LONGITUDE),
            np.sin(START_LATITUDE),
        ]
    )
    east = np.array([-np.sin(START_LONGITUDE), np.cos(START_LONGITUDE), 0.0])
    north = np.cross(up, east)
    number = np.arange(SENSORS)
    ring = RING[number % len(RING)][:, None]
    around = (2.0 * np.pi * number / SENSORS)[:, None]
    place = np.cos(ring) * up + np.sin(ring) * (np.cos(around) * east + np.sin(around) * north)
    place *= EARTH_M + HEIGHT_M  # at rest: how they move costs no time
    count = (frames - 1) * SENSORS
    scans = np.zeros((count, SCAN_WIDTH))
    slices = np.zeros((count, 2), np.int64)
    rows = []
    total = 0
    draw = stream(seed, 0, "live", "detection")
    for k in range(1, frames):
        centre = truth[k, :, :3].mean(0)
        for s in range(SENSORS):
            x = centre - place[s]
            x /= np.linalg.norm(x)
            y = np.cross(place[s], x)
            y /= np.linalg.norm(y)
            axes = np.stack([x, y, np.cross(x, y)])  # rows: the sensor's axes
            line = truth[k, :, :3] - place[s]
            far = np.linalg.norm(line, axis=1)
            u = line @ axes.T / far[:, None]
            sight = np.stack([np.arctan2(u[:, 1], u[:, 0]), np.arcsin(u[:, 2])], 1)
            nearest = np.linalg.norm(
                place[s] - np.sum(place[s] * line, 1)[:, None] / far[:, None] ** 2 * line, axis=1
            )
            clear = (np.sum(place[s] * line, 1) + far**2 < 0.0) | (nearest > EARTH_M)
            visible = (u[:, 0] > np.cos(CONE_RAD)) & (far < RANGE_MAX_M) & clear
            low, high = sight[visible].min(0), sight[visible].max(0)
            seen = sight[visible & (draw.random(targets) < P_SEEN)]
            seen = seen + SIGMA_RAD * draw.standard_normal(seen.shape)
            false = draw.uniform(low, high, (draw.poisson(clutter), 2))
            both = draw.permutation(np.concatenate([seen, false]))
            det = np.zeros((len(both), DETECTION_WIDTH))
            det[:, :2] = both
            det[:, 4:6] = SIGMA_RAD
            det[:, 6:] = np.inf
            q = (k - 1) * SENSORS + s
            row = scans[q]
            row[[SENSOR, KIND, T, P_DETECT]] = s, int(Kind.INFRARED), k * FRAME_S, P_SEEN
            row[R : R + 3] = place[s]
            row[M : M + 9] = axes.T.ravel()
            row[CLUTTER] = max(clutter, 0.01) / float(np.prod(high - low))
            row[[COS_CONE, AZIMUTH, RANGE_MAX]] = np.cos(CONE_RAD), np.pi, RANGE_MAX_M
            row[[ELEVATION_MIN, ELEVATION_MAX, GRAZING, CLOUD]] = -np.pi / 2, np.pi / 2, 0.0, -1e5
            slices[q] = total, total + len(det)
            total += len(det)
            rows.append(det)
    first = truth[0] + CUE_SIGMA * stream(seed, 0, "live", "cue").standard_normal((targets, 9))
    return Scene(scans, slices, np.concatenate(rows), truth, first)


def configuration(models: int, targets: int) -> TrackerConfig:
    """The settings of the uncued HGT-24 run; with three models those of a scenario, weighed by physics too."""
    config = uncued_config()._replace(max_tracks=2 * targets)
    if models == 3:
        config = config._replace(models=default_config().models, sense=True)
    return config


def measure(targets: int, models: int, frames: int, clutter: float, seed: int = 1) -> dict[str, Any]:
    """CPU seconds of the frames, and what they did."""
    scene = make_scene(targets, clutter, frames + WARM_UP + 1, seed)
    config = configuration(models, targets)
    state = init(config)
    cue(state, config, 0.0, scene.cue, np.tile(np.diag(CUE_SIGMA**2), (targets, 1, 1)))
    fixed = settings(config)
    room = output(
        2 * len(state.info), 2 * len(state.used)
    )  # the first call closes the time of the cue as well
    bits = np.ones(len(scene.scans), np.int64)
    idents = np.arange(len(scene.dets))
    took, uses, live, left = [], [], [], []
    for k in range(frames + WARM_UP):
        order = np.arange(k * SENSORS, (k + 1) * SENSORS)
        begin = time.process_time()
        _, count, used = run(
            state, fixed, 0, order, scene.scans, scene.slices, bits, scene.dets, idents, True, room
        )
        took.append(time.process_time() - begin)
        uses.append(used)
        live.append(count)
        left.append(int(scene.slices[order, 1].max() - scene.slices[order, 0].min()) - used)
    confirmed = room.ints[:count, 1] == int(Status.CONFIRMED)
    place = room.values[:count, :3][confirmed]
    gap = np.array([np.linalg.norm(place - x, axis=1).min() for x in scene.truth[-1, :, :3]])
    took = np.array(took[WARM_UP:])
    c = state.counters
    return {
        "targets": targets,
        "sensors": SENSORS,
        "models": models,
        "frames": frames,
        "detections_per_sensor": len(scene.dets) / len(scene.scans),
        "updates_per_frame": float(np.mean(uses[WARM_UP:])),
        "unused_detections_per_frame": float(np.mean(left[WARM_UP:])),
        "live_tracks": float(np.mean(live[WARM_UP:])),
        "cpu_median_s": float(np.median(took)),
        "cpu_p99_s": float(np.percentile(took, 99)),
        "targets_held": float(np.mean(gap < 1000.0)),
        "overflow_left": int(c[fields.OVERFLOW_LEFT]),
        "overflow_pairs": int(c[fields.OVERFLOW_PAIRS]),
        "overflow_tracks": int(c[fields.OVERFLOW_TRACKS]),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--targets", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--models", type=int, nargs="+", choices=(1, 3), default=[1, 3])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument(
        "--clutter", type=float, help="false alarms of a scan; a tenth of the targets if not given"
    )
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    given = parser.parse_args(arguments)
    found = []
    for targets in given.targets:
        for models in given.models:
            clutter = 0.1 * targets if given.clutter is None else given.clutter
            one = measure(targets, models, given.frames, clutter)
            found.append(one)
            if not given.json:
                print(
                    f"{targets} targets, {models} model(s): {1e3 * one['cpu_median_s']:.1f} ms median, "
                    f"{1e3 * one['cpu_p99_s']:.1f} ms 99th percentile of CPU a frame; "
                    f"{one['detections_per_sensor']:.0f} detections a sensor, {one['updates_per_frame']:.0f} updates, "
                    f"{one['unused_detections_per_frame']:.0f} left over, {one['live_tracks']:.0f} tracks, "
                    f"{100 * one['targets_held']:.1f} % of the targets held",
                    flush=True,
                )
    if given.json:
        print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

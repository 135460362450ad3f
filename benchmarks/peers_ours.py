"""noroshi's own part of the comparison: the whole work, the counting alone, and what is in view at each sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool

from benchmarks.peers_agreement import EPOCH, Case
from noroshi import frames
from noroshi.coverage.count import Scene, caps, columns, count_block, only_the_body
from noroshi.coverage.limits import Figures, Limit, quality, table
from noroshi.coverage.layout import itrs, layout
from noroshi.coverage.models import WGS84, Points
from noroshi.coverage.tally import empty, whole_units
from noroshi.io.tle_omm import parse_satellites
from noroshi.orbits.sgp4 import propagate
from noroshi.time import epoch_from_utc, load_earth_orientation

FOLDS = 4


class Ours(NamedTuple):
    """Two pieces of work to measure."""

    all: Callable[[], Any]  # from element sets and points to figures
    count: Callable[[], Any]  # the counting alone


def prepare(case: Case) -> Ours:
    """Work on one case; compiled and warm after a first call."""
    ready = _scene(case)
    return Ours(lambda: _count(*_scene(case), case), lambda: _count(*ready, case))


def _scene(case: Case):
    n = len(case.lat_deg)
    points = Points(
        f"fibonacci:{n}", np.deg2rad(case.lat_deg), np.deg2rad(case.lon_deg), np.zeros(n), np.full(n, 1 / n)
    )
    grid = layout(points, WGS84)
    text = "\n".join(line for pair in case.lines for line in pair)
    epoch, eop = epoch_from_utc(EPOCH), load_earth_orientation()
    t = case.step_s * np.arange(case.samples)
    r_gcrs, _ = propagate(parse_satellites(text.encode(), "pattern"), epoch, t, eop)
    r = frames.rotate(frames.itrs_from_gcrs(epoch, t, eop), r_gcrs)
    s = len(case.lines)
    elevation = np.deg2rad(case.elevation_min_deg) if case.elevation_min_deg else -0.5 * np.pi
    limits, q = table([Limit(elevation_target_rad=elevation)] * s), quality([Figures(1e-5)] * s)
    nadir = -r / np.linalg.norm(r, axis=-1, keepdims=True)
    scene = Scene(
        r,
        nadir,
        np.zeros((len(t), 3)),
        np.zeros((len(t), 3)),
        caps(limits, r, itrs(points, WGS84), WGS84, grid.reach_rad),
        columns(limits),
        np.array([WGS84.equator_m, WGS84.pole_m]),
        only_the_body(limits, q),
    )
    return scene, grid, q, whole_units(points.weight)


def _count(scene, grid, quality, weight, case, begin=0, end=None):
    end = case.samples if end is None else end
    tally = empty(len(weight), end - begin, scene.r_sensor.shape[1], FOLDS, stereo=False, errors=False)
    count_block(
        scene, grid, quality, np.zeros((0, 10)), 2.0, False, begin, begin, end, weight[grid.order], tally
    )
    return tally


def in_view(case: Case) -> Bool[np.ndarray, "time satellite point"]:
    """What the counting kernel counts, satellite by satellite and sample by sample."""
    seen = np.zeros((case.samples, len(case.lines), len(case.lat_deg)), bool)
    for s, pair in enumerate(case.lines):
        scene, grid, quality, weight = _scene(case._replace(lines=(pair,)))
        for k in range(case.samples):
            seen[k, s, grid.order] = _count(scene, grid, quality, weight, case, k, k + 1).total
    return seen

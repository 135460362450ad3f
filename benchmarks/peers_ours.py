"""noroshi's own part of the comparison: the survey, and what its counting kernel has in view at each sample."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from benchmarks.peers_agreement import EPOCH, Case
from noroshi import frames
from noroshi.coverage import count, tally
from noroshi.coverage.layout import itrs, layout
from noroshi.coverage.limits import Figures, Limit, quality, table
from noroshi.coverage.models import WGS84, Points
from noroshi.io.tle_omm import parse_satellites
from noroshi.orbits.ephemeris import Catalogued
from noroshi.orbits.sgp4 import propagate
from noroshi.survey import Network, Survey, Window, survey
from noroshi.time import epoch_from_utc, load_earth_orientation


def surveyed(case: Case) -> Survey:
    """All of the work: element sets and points read, satellites moved, everything counted and summed up."""
    names, records = zip(*_satellites(case), strict=True)
    limits, noise = _limits(case)
    network = Network((Catalogued(names, records),), limits, noise)
    return survey(network, _points(case), Window(epoch_from_utc(EPOCH), case.step_s, case.duration_s))


def in_view(case: Case) -> Bool[np.ndarray, "time satellite point"]:
    """What the kernel counts when it is given one satellite and one sample at a time."""
    points = _points(case)
    grid, r_points = layout(points, WGS84), itrs(points, WGS84)
    epoch, eop = epoch_from_utc(EPOCH), load_earth_orientation()
    t = case.step_s * np.arange(case.samples)
    r_gcrs, _ = propagate(_satellites(case), epoch, t, eop)
    r_itrs = frames.rotate(frames.itrs_from_gcrs(epoch, t, eop), r_gcrs)
    limits, noise = _limits(case._replace(lines=case.lines[:1]))
    weight = tally.whole_units(points.weight)[grid.order]
    still, dark = np.zeros((0, 10)), np.zeros((case.samples, 3))
    seen = np.zeros((case.samples, len(case.lines), len(case.lat_deg)), bool)
    for s in range(len(case.lines)):
        r = np.ascontiguousarray(r_itrs[:, s : s + 1])
        scene = count.Scene(
            r,
            np.zeros_like(r),  # only a cone and a site's field ask for it
            dark,
            dark,
            count.caps(limits, r, r_points, WGS84, grid.reach_rad),
            count.columns(limits),
            np.array([WGS84.equator_m, WGS84.pole_m]),
            count.only_the_body(limits, noise),
        )
        for k in range(case.samples):
            one = tally.empty(len(weight), 1, 1, 1, stereo=False, errors=False)
            count.count_block(scene, grid, noise, still, k, k, k + 1, weight, one)
            seen[k, s, grid.order] = one.total
    return seen


def _satellites(case: Case) -> list:
    return parse_satellites("\n".join(line for pair in case.lines for line in pair).encode(), "the pattern")


def _points(case: Case) -> Points:
    n = len(case.lat_deg)
    lat, lon = np.deg2rad(case.lat_deg), np.deg2rad(case.lon_deg)
    return Points(f"fibonacci:{n}", lat, lon, np.zeros(n), np.full(n, 1.0 / n))


def _limits(case: Case) -> tuple:
    """At 0 deg the ellipsoid itself is the limit: a point on it sees what is above its tangent plane."""
    limit = (
        Limit(elevation_target_rad=np.deg2rad(case.elevation_min_deg)) if case.elevation_min_deg else Limit()
    )
    return table([limit] * len(case.lines)), quality([Figures(1e-5)] * len(case.lines))

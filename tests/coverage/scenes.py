"""Geometry for the tests of the counting engine, and what plain NumPy makes of it, every pair put to the test."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from noroshi.coverage import count, tally
from noroshi.coverage.layout import itrs, layout
from noroshi.coverage.limits import Figures, Limit, quality, table
from noroshi.coverage.margins import up_itrs as vertical
from noroshi.coverage.margins import visible
from noroshi.coverage.models import WGS84, Body, Limits, Points, Quality

DEG = np.pi / 180.0
EARTH_M = WGS84.equator_m


class Case(NamedTuple):
    """Sensors [time, sensor, 3] looking at points; limits and noises all off and alike unless given."""

    r_sensor: np.ndarray
    points: Points
    body: Body = WGS84
    limits: Limits | None = None
    quality: Quality | None = None
    sun: np.ndarray | None = None
    moon: np.ndarray | None = None

    @property
    def all_limits(self) -> Limits:
        return self.limits or table([Limit()] * self.r_sensor.shape[1])

    @property
    def all_quality(self) -> Quality:
        return self.quality or quality([Figures(50e-6)] * self.r_sensor.shape[1])


def orbits(
    altitude_m, inclination_deg, planes: int, each: int, t: np.ndarray, turn: float = 0.0
) -> np.ndarray:
    """Circular orbits seen from the turning Earth [time, sensor, 3]: Kepler's motion, good enough to look from."""
    radius = EARTH_M + altitude_m
    node = turn + 2 * np.pi * np.repeat(np.arange(planes), each) / planes - 7.292e-5 * t[:, None]
    phase = (
        0.3 + 2 * np.pi * np.tile(np.arange(each), planes) / each + np.sqrt(3.986e14 / radius**3) * t[:, None]
    )
    c, s = np.cos(inclination_deg * DEG), np.sin(inclination_deg * DEG)
    return radius * np.stack(
        [
            np.cos(node) * np.cos(phase) - np.sin(node) * np.sin(phase) * c,
            np.sin(node) * np.cos(phase) + np.cos(node) * np.sin(phase) * c,
            np.sin(phase) * s,
        ],
        axis=-1,
    )


def sites(t: np.ndarray, *lat_lon_deg: tuple[float, float], body: Body = WGS84) -> np.ndarray:
    """Places on the ground at every time [time, sensor, 3]."""
    lat, lon = np.array(lat_lon_deg).T * DEG
    zero = np.zeros(len(lat))
    return np.repeat(itrs(Points("", lat, lon, zero, zero), body)[None], len(t), axis=0)


def scattered(lat, lon, height_m) -> Points:
    """Points anywhere, of equal weight."""
    lat, lon, height_m = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(x, float)) for x in (lat, lon, height_m))
    )
    return Points("sites", lat.copy(), lon.copy(), height_m.copy(), np.full(len(lat), 1.0 / len(lat)))


def seen(case: Case, times: slice = slice(None)) -> np.ndarray:
    """Which sensor sees which point when [time, sensor, point], by `margins.visible`."""
    sun, moon = (None if r is None else r[times] for r in (case.sun, case.moon))
    return visible(
        case.all_limits, case.r_sensor[times], itrs(case.points, case.body), body=case.body, sun_itrs=sun,
        moon_itrs=moon, quality=case.all_quality,
    )  # fmt: skip


def folds(case: Case) -> np.ndarray:
    """Sensors that see each point [time, point], by `margins.visible`, a time after the other."""
    return np.concatenate([seen(case, slice(k, k + 1)).sum(1) for k in range(len(case.r_sensor))])


def scene_of(case: Case, grid) -> count.Scene:
    """The case as the kernels take it."""
    r, limits = case.r_sensor, case.all_limits
    none = np.zeros((len(r), 3))
    return count.Scene(
        r,
        -vertical(r, case.body),
        none if case.sun is None else case.sun,
        none if case.moon is None else case.moon,
        count.caps(limits, r, itrs(case.points, case.body), case.body, grid.reach_rad),
        count.columns(limits),
        np.array([case.body.equator_m, case.body.pole_m]),
        count.only_the_body(limits, case.all_quality),
    )


def counted(
    case: Case,
    begin: int = 0,
    end: int | None = None,
    *,
    stereo_rad: float | None = None,
    errors: bool = False,
    number: int | None = None,
) -> tally.Tally:
    """What `count_block` makes of a stretch of the case, per point in the case's own order."""
    grid = layout(case.points, case.body)
    end = len(case.r_sensor) if end is None else end
    shape = {"stereo": stereo_rad is not None, "errors": errors}
    found = tally.empty(len(grid.order), end - begin, case.r_sensor.shape[1], 4, **shape)
    scene, none = scene_of(case, grid), np.zeros((0, 10))
    count.count_block(
        scene, grid, case.all_quality, none, begin if number is None else number, begin, end,
        tally.whole_units(case.points.weight)[grid.order], found,
    )  # fmt: skip
    stereo_cos = 2.0 if stereo_rad is None else np.cos(stereo_rad)
    count.line_block(scene, grid, case.all_quality, none, stereo_cos, errors, begin, end, found)
    back = np.argsort(grid.order)
    return tally.Tally(*(x[back] if len(x) else x for x in found[:11]), *found[11:])


def counts(case: Case) -> np.ndarray:
    """The kernel's count at every point and time [time, point]: each sample in a block of its own."""
    return np.stack([counted(case, k, k + 1).total for k in range(len(case.r_sensor))])

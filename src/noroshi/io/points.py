"""The points of a grid that was asked for by text, with the files it names."""

from __future__ import annotations

import math

import erfa
import numpy as np

from noroshi.coverage import points
from noroshi.coverage.grid import Grid
from noroshi.coverage.models import Points
from noroshi.errors import DataError
from noroshi.io.geojson import read_polygons
from noroshi.io.sites import read_sites
from noroshi.io.trajectory import read_record
from noroshi.targets.models import Record
from noroshi.targets.recorded import states, to_itrs
from noroshi.time import DAY_S, EarthOrientation, Epoch, load_earth_orientation, utc_text

TICK_S = 1e-6
SAMPLES_MOST = 10_000_000


def read_points(
    grid: Grid,
    height_m: float,
    epoch: Epoch,
    step_s: float | None = None,
    eop: EarthOrientation | None = None,
) -> Points:
    """The points of a grid at a height [m]; sites with a height of their own and trajectories keep theirs.

    A trajectory without dates (CSV) starts at the epoch. With `step_s` it is interpolated as its file asks at the
    multiples of it past the epoch that it covers, so that its samples are those of the sensors; without, it has the
    rows of its file. Raises DataError, ScenarioError.
    """
    made = _made(grid, height_m, epoch, step_s, eop)
    return made._replace(kind=grid.text)


def _made(
    grid: Grid, height_m: float, epoch: Epoch, step_s: float | None, eop: EarthOrientation | None
) -> Points:
    if grid.kind == "fibonacci":
        return points.fibonacci(grid.count, height_m)
    if grid.kind == "latlon":
        return points.latlon(grid.rows, grid.columns, height_m)
    if grid.kind == "box":
        return points.box(*grid.box, height_m, grid.density)
    if grid.kind == "polygon":
        found = read_polygons(grid.file)
        return points.polygon(
            [one.rings for one in found], height_m, grid.density, [one.where for one in found]
        )
    if grid.kind == "site":
        lat, lon = grid.place
        name = grid.text.partition(":")[2].strip()
        return points.sites((name,), *(np.array([value]) for value in (lat, lon, height_m)))
    if grid.kind == "sites":
        listed = read_sites(grid.file)
        height = np.where(np.isnan(listed.height_m), height_m, listed.height_m)
        return points.sites(listed.names, listed.lat_rad, listed.lon_rad, height)
    return _path(read_record(grid.file), epoch, step_s, eop)


def _path(record: Record, epoch: Epoch, step_s: float | None, eop: EarthOrientation | None) -> Points:
    dated = math.isfinite(record.day)
    start = 0.0  # of the record [s past the epoch]
    if dated:
        start = float((record.day - epoch.day) + (record.fraction - epoch.fraction)) * DAY_S
    first, last = (start + edge for edge in record.useable)
    if step_s is None:
        t = start + record.t
        t = t[(t >= max(first, 0.0) - TICK_S) & (t <= last + TICK_S)]
    else:
        begin, end = max(math.ceil((first - TICK_S) / step_s), 0), math.floor((last + TICK_S) / step_s) + 1
        if end - begin > SAMPLES_MOST:
            raise DataError(
                f"has {end - begin:.3g} samples, more than {SAMPLES_MOST:,}",
                where=record.where,
                remedy="make the step longer",
            )
        t = step_s * np.arange(begin, end)
    if not len(t):
        span = (
            f"from {utc_text(epoch, first, 0)} to {utc_text(epoch, last, 0)}" if dated else f"for {last:g} s"
        )
        raise DataError(
            f"is useable {span}, which holds no sample of the time looked at",
            where=record.where,
            remedy="move the epoch before its end" if dated else "make the step shorter",
        )
    r, v = states(record, np.clip(t - start, *record.useable))
    if record.frame != "ITRS":
        eop = load_earth_orientation() if eop is None else eop
        r, v = to_itrs(record, epoch, t, r, v, eop)
    lon, lat, height = erfa.gc2gd(1, r)  # 1: WGS-84; `earth` would load JAX
    return points.trajectory(t, lat, lon, height)

"""The same coverage by other packages, each by the fastest of its own calls that we found.

Every tool is started once (import, tables, virtual machine: `start`), then asked (`work`: from element sets and points
to its own answer) and its answer read at the samples (`seen`). Only `work` counts as its cost.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool

from benchmarks.peers_agreement import EPOCH, Case, Windows, in_view

START = datetime.fromisoformat(EPOCH.replace("Z", "+00:00"))


class Tool(NamedTuple):
    """One call of one package."""

    name: str
    version: str
    call: str  # as in the table
    finds_windows: bool  # otherwise it looks at the samples themselves
    start: Callable[[Case], Any]
    work: Callable[[Any, Case], Any]
    seen: Callable[[Any, Case, Any], Bool[np.ndarray, "time satellite point"]]


def tools(elevation_min_deg: float) -> Iterator[Tool]:
    """All of them; TAT-C's call for many points knows no other limit than the horizon."""
    # as it comes; the fastest that finds every pass a sample meets; the fastest whose answer is still about right
    for step, tolerance, adaptive in ((60.0, 0.001, False), (60.0, 0.1, True), (120.0, 0.1, True)):
        work = partial(brahe_accesses, step_s=step, tolerance_s=tolerance, adaptive=adaptive)
        call = f"`location_accesses`, step {step:g} s, {'adaptive, ' if adaptive else ''}edges to {tolerance:g} s"
        yield Tool("brahe", version("brahe"), call, True, brahe_start, work, brahe_seen)
    if elevation_min_deg == 0.0:
        call = "`collect_observations`, all points at once, field of regard 180°"
        yield Tool("TAT-C", version("tatc"), call, True, tatc_start, tatc_observations, tatc_seen)
    else:
        call = "`compute_access_periods`, point by point"
        yield Tool("TAT-C", version("tatc"), call, True, tatc_start, tatc_periods, tatc_periods_seen)
    call = "`ElevationDetector` on `TLEPropagator`, adaptable interval, equinox-based ITRF, edges to 1 ms"
    yield Tool("Orekit (jcc)", version("orekit-jcc"), call, True, orekit_start, orekit_events, orekit_seen)
    call = "`find_events`"
    yield Tool(
        "Skyfield", version("skyfield"), call, True, skyfield_start, skyfield_events, skyfield_windows_seen
    )
    call = "`(satellite - place).at(t).altaz()`"
    yield Tool("Skyfield", version("skyfield"), call, False, skyfield_start, skyfield_loop, as_it_is)
    call = "`(satellite.at(t) - place.at(t)).altaz()`, positions kept"
    yield Tool("Skyfield", version("skyfield"), call, False, skyfield_start, skyfield_kept, as_it_is)
    call = "elevations, float64, broadcast; positions by `sgp4`"
    yield Tool("NumPy", version("numpy"), call, False, lambda case: None, numpy_elevations, as_it_is)


def as_it_is(_: Any, case: Case, seen: Any) -> Any:
    """The answer of a tool that looks at the samples."""
    return seen


# --- brahe ---


def brahe_start(case: Case) -> Any:
    """brahe with the Earth orientation that noroshi has."""
    import astropy_iers_data
    import brahe

    table = brahe.FileEOPProvider.from_standard_file(astropy_iers_data.IERS_A_FILE, True, "Hold")
    brahe.set_global_eop_provider(table)
    return brahe


def brahe_accesses(bh: Any, case: Case, *, step_s: float, tolerance_s: float, adaptive: bool) -> Any:
    """Its access windows. `adaptive` leaps three quarters of an orbit after each."""
    satellites = [bh.SGPPropagator.from_tle(*pair, 60.0).with_id(k) for k, pair in enumerate(case.lines)]
    places = [
        bh.PointLocation(float(lon), float(lat), 0.0).with_id(k)
        for k, (lat, lon) in enumerate(zip(case.lat_deg, case.lon_deg, strict=True))
    ]
    start = _brahe_epoch(bh)
    config = bh.AccessSearchConfig(
        initial_time_step=step_s, time_tolerance=tolerance_s, adaptive_step=adaptive
    )
    above = bh.ElevationConstraint(case.elevation_min_deg, None)
    return bh.location_accesses(places, satellites, start, start + case.duration_s, above, config=config)


def _brahe_epoch(bh: Any) -> Any:
    return bh.Epoch.from_datetime(START.year, START.month, START.day, 0, 0, 0.0, 0.0, bh.TimeSystem.UTC)


def brahe_seen(bh: Any, case: Case, found: Any) -> Any:
    """Its windows at the samples."""
    start = _brahe_epoch(bh)
    return in_view(
        case,
        Windows(
            np.array([w.satellite_id for w in found], int),
            np.array([w.location_id for w in found], int),
            np.array([w.window_open - start for w in found], float),
            np.array([w.window_close - start for w in found], float),
        ),
    )


# --- TAT-C ---


def tatc_start(case: Case) -> Any:
    """TAT-C's calls."""
    import tatc.analysis
    import tatc.schemas
    from shapely.geometry import Point

    return SimpleNamespace(analysis=tatc.analysis, schemas=tatc.schemas, Point=Point)


def _tatc_satellites(tatc: Any, case: Case) -> list[Any]:
    s = tatc.schemas
    orbits = [s.GeneralPerturbationsOrbit.from_tle(list(pair)) for pair in case.lines]
    eye = s.Instrument(name="horizon", field_of_regard=180.0)
    return [s.Satellite(name=str(k), orbit=orbit, instruments=[eye]) for k, orbit in enumerate(orbits)]


def _tatc_points(tatc: Any, case: Case) -> list[Any]:
    return [tatc.Point(lon, lat) for lat, lon in zip(case.lat_deg, case.lon_deg, strict=True)]


def tatc_observations(tatc: Any, case: Case) -> Any:
    """Its observations; with a field of regard of 180 deg they are what rises above the horizon."""
    satellites, points = _tatc_satellites(tatc, case), _tatc_points(tatc, case)
    return tatc.analysis.collect_observations(
        points, satellites, START, START + timedelta(0, case.duration_s)
    )


def tatc_seen(tatc: Any, case: Case, found: Any) -> Any:
    """Its observations at the samples."""
    place = {(p.x, p.y): k for k, p in enumerate(_tatc_points(tatc, case))}
    return in_view(
        case,
        Windows(
            found.satellite.astype(int).to_numpy(),
            np.array([place[p.x, p.y] for p in found.geometry], int),
            (found.start - START).dt.total_seconds().to_numpy(),
            (found.end - START).dt.total_seconds().to_numpy(),
        ),
    )


def tatc_periods(tatc: Any, case: Case) -> list[tuple[int, int, Any]]:
    """Its access periods, one pair after the other."""
    end = START + timedelta(0, case.duration_s)
    return [
        (
            s,
            p,
            tatc.analysis.compute_access_periods(point, satellite, START, end, case.elevation_min_deg),
        )
        for s, satellite in enumerate(_tatc_satellites(tatc, case))
        for p, point in enumerate(_tatc_points(tatc, case))
    ]


def tatc_periods_seen(tatc: Any, case: Case, found: list[tuple[int, int, Any]]) -> Any:
    """Its access periods at the samples."""
    rows = [
        (s, p, (w.left - START).total_seconds(), (w.right - START).total_seconds())
        for s, p, periods in found
        for w in periods
    ]
    return in_view(case, _windows(rows))


# --- Orekit ---


def orekit_start(case: Case) -> Any:
    """The virtual machine in this process, Earth orientation as noroshi has it, an ITRF close to SGP4's frame."""
    import astropy_iers_data
    import orekit_jcc

    orekit_jcc.initVM()
    import org.orekit.bodies as bodies
    import org.orekit.data as data
    import org.orekit.frames as frames
    import org.orekit.propagation.analytical.tle as tle
    import org.orekit.propagation.events as events
    import org.orekit.propagation.events.handlers as handlers
    import org.orekit.propagation.events.intervals as intervals
    import org.orekit.time as clock
    import org.orekit.utils as utils
    from java.io import File

    kept = tempfile.TemporaryDirectory(prefix="orekit-")  # read when first asked for; gone with the handle
    folder = Path(kept.name)
    eop = folder / "Earth-Orientation-Parameters" / "IAU-2000"
    eop.mkdir(parents=True)
    (eop / "finals2000A.all").write_bytes(Path(astropy_iers_data.IERS_A_FILE).read_bytes())
    leaps = Path(orekit_jcc.__file__).parent / "resources" / "orekit-data" / "UTC-TAI.history"
    (folder / leaps.name).write_bytes(leaps.read_bytes())
    crawler = data.DirectoryCrawler(File(str(folder)))
    data.DataContext.getDefault().getDataProvidersManager().addProvider(crawler)
    # by the equinox, with the conventions of 1996, SGP4's TEME is two rotations away; the ITRF of 2010 costs half more
    itrf = frames.FramesFactory.getITRFEquinox(utils.IERSConventions.IERS_1996, True)
    earth = bodies.OneAxisEllipsoid(6378137.0, 1.0 / 298.257223563, itrf)
    start = clock.AbsoluteDate(EPOCH.removesuffix("Z"), clock.TimeScalesFactory.getUTC())
    return SimpleNamespace(
        bodies=bodies,
        frames=frames,
        tle=tle,
        events=events,
        handlers=handlers,
        intervals=intervals,
        earth=earth,
        start=start,
        tables=kept,
    )


def orekit_events(o: Any, case: Case) -> list[tuple[int, int, bool, Any]]:
    """Rises and sets of every pair; one detector at a time, so that each keeps its own long steps."""
    end = o.start.shiftedBy(float(case.duration_s))
    limit = math.radians(case.elevation_min_deg)
    low, high = limit + math.radians(-5.0), limit + math.radians(15.0)  # Orekit's own, about a horizon
    places = []
    for k, (lat, lon) in enumerate(zip(case.lat_deg, case.lon_deg, strict=True)):
        point = o.bodies.GeodeticPoint(math.radians(lat), math.radians(lon), 0.0)
        place = o.frames.TopocentricFrame(o.earth, point, str(k))
        interval = o.intervals.ElevationDetectionAdaptableIntervalFactory.getAdaptableInterval(
            place, low, high, 60.0
        )
        detector = o.events.ElevationDetector(place).withConstantElevation(limit)
        places.append((place, detector.withMaxCheck(interval).withThreshold(1e-3)))
    found = []
    for s, pair in enumerate(case.lines):
        propagator = o.tle.TLEPropagator.selectExtrapolator(o.tle.TLE(*pair))
        first = propagator.propagate(o.start)
        for p, (place, detector) in enumerate(places):
            record = o.handlers.RecordAndContinue()
            propagator.clearEventsDetectors()
            propagator.addEventDetector(detector.withHandler(record))
            propagator.propagate(o.start, end)
            up = place.getElevation(first.getPosition(), first.getFrame(), o.start) >= limit
            found.append((s, p, up, record))
    return found


def orekit_seen(o: Any, case: Case, found: list[tuple[int, int, bool, Any]]) -> Any:
    """Its rises and sets at the samples."""
    rows = []
    for s, p, up, record in found:
        opens = 0.0 if up else None
        for event in record.getEvents():
            at = event.getState().getDate().durationFrom(o.start)
            if event.isIncreasing():
                opens = at
            elif opens is not None:
                rows.append((s, p, opens, at))
                opens = None
        if opens is not None:
            rows.append((s, p, opens, case.duration_s))
    return in_view(case, _windows(rows))


# --- Skyfield ---


def skyfield_start(case: Case) -> Any:
    """Skyfield's clock with the UT1 that noroshi has (its own tables are as old as the package)."""
    from skyfield import api

    leap_seconds = 37.0  # TAI - UTC since 2017
    return SimpleNamespace(
        api=api, clock=api.load.timescale(delta_t=32.184 + leap_seconds - case.ut1_minus_utc_s, builtin=True)
    )


def _skyfield_case(sky: Any, case: Case) -> tuple[list[Any], list[Any]]:
    satellites = [sky.api.EarthSatellite(*pair, None, sky.clock) for pair in case.lines]
    places = [
        sky.api.wgs84.latlon(float(lat), float(lon))
        for lat, lon in zip(case.lat_deg, case.lon_deg, strict=True)
    ]
    return satellites, places


def _skyfield_times(sky: Any, case: Case) -> Any:
    seconds = case.step_s * np.arange(case.samples)
    return sky.clock.utc(START.year, START.month, START.day, 0, 0, seconds)


def skyfield_events(sky: Any, case: Case) -> list[tuple[int, int, Any, Any, bool]]:
    """Rises, culminations and sets of every pair, and whether it is up at the start."""
    satellites, places = _skyfield_case(sky, case)
    start = sky.clock.utc(START.year, START.month, START.day)
    end = sky.clock.utc(START.year, START.month, START.day, 0, 0, case.duration_s)
    found = []
    for s, satellite in enumerate(satellites):
        for p, place in enumerate(places):
            times, kinds = satellite.find_events(place, start, end, case.elevation_min_deg)
            up = bool((satellite - place).at(start).altaz()[0].degrees >= case.elevation_min_deg)
            found.append((s, p, times, kinds, up))
    return found


def skyfield_windows_seen(sky: Any, case: Case, found: list[tuple[int, int, Any, Any, bool]]) -> Any:
    """Its rises and sets at the samples."""
    start = sky.clock.utc(START.year, START.month, START.day)
    rows = []
    for s, p, times, kinds, up in found:
        opens = 0.0 if up else None
        for at, kind in zip((times.tt - start.tt) * 86400.0 if len(kinds) else (), kinds, strict=True):
            if kind == 0:
                opens = float(at)
            elif kind == 2 and opens is not None:
                rows.append((s, p, opens, float(at)))
                opens = None
        if opens is not None:
            rows.append((s, p, opens, case.duration_s))
    return in_view(case, _windows(rows))


def skyfield_loop(sky: Any, case: Case) -> Any:
    """Elevations at the samples as its manual shows them, pair by pair."""
    satellites, places = _skyfield_case(sky, case)
    t = _skyfield_times(sky, case)
    seen = np.empty((case.samples, len(satellites), len(places)), bool)
    for s, satellite in enumerate(satellites):
        for p, place in enumerate(places):
            seen[:, s, p] = (satellite - place).at(t).altaz()[0].degrees >= case.elevation_min_deg
    return seen


def skyfield_kept(sky: Any, case: Case) -> Any:
    """Elevations at the samples, every position computed once."""
    satellites, places = _skyfield_case(sky, case)
    t = _skyfield_times(sky, case)
    seen = np.empty((case.samples, len(satellites), len(places)), bool)
    there = [satellite.at(t) for satellite in satellites]
    for p, place in enumerate(places):
        here = place.at(t)
        for s, at in enumerate(there):
            seen[:, s, p] = (at - here).altaz()[0].degrees >= case.elevation_min_deg
    return seen


# --- NumPy ---


def numpy_elevations(_: Any, case: Case) -> Any:
    """What one writes without a package: SGP4, sidereal time, elevations by broadcast, one satellite at a time."""
    return numpy_elevation_deg(case) >= case.elevation_min_deg


def numpy_elevation_deg(case: Case) -> Any:
    """Elevation [deg] of every satellite at every point and sample, on WGS-84; the pole's motion is left out."""
    from sgp4.api import Satrec, SatrecArray, jday

    day, zero = jday(START.year, START.month, START.day, 0, 0, 0.0)
    fraction = zero + case.step_s * np.arange(case.samples) / 86400.0
    group = SatrecArray([Satrec.twoline2rv(*pair) for pair in case.lines])
    code, r_teme_km, _ = group.sgp4(np.full_like(fraction, day), fraction)
    if code.any():
        raise RuntimeError("SGP4 gave up")
    # Greenwich mean sidereal time of 1982 (Vallado et al., AIAA 2006-6753, appendix C), seconds of time
    century = ((day - 2451545.0) + fraction + case.ut1_minus_utc_s / 86400.0) / 36525.0
    seconds = 67310.54841 + century * (
        876600.0 * 3600.0 + 8640184.812866 + century * (0.093104 - 6.2e-6 * century)
    )
    angle = np.deg2rad(np.mod(seconds, 86400.0) / 240.0)
    cos, sin = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(r_teme_km, -1, 0)
    r_km = np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=-1)
    lat, lon = np.deg2rad(case.lat_deg), np.deg2rad(case.lon_deg)
    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    e2 = (2.0 - 1.0 / 298.257223563) / 298.257223563
    normal_km = 6378.137 / np.sqrt(1.0 - e2 * np.sin(lat) ** 2)
    place_km = normal_km[:, None] * up * [1.0, 1.0, 1.0 - e2]
    elevation = np.empty((case.samples, len(case.lines), len(lat)))
    for s in range(len(case.lines)):
        way = r_km[s][:, None, :] - place_km
        elevation[:, s] = np.rad2deg(np.arcsin((way * up).sum(-1) / np.linalg.norm(way, axis=-1)))
    return elevation


def _windows(rows: list[tuple[int, int, float, float]]) -> Windows:
    s, p, opens, closes = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Windows(np.array(s, int), np.array(p, int), np.array(opens, float), np.array(closes, float))

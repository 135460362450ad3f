"""`noroshi coverage`: where, how often and by how many a target is seen; how many satellites a need takes."""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import dataclass, field
from math import isfinite, radians
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from cyclopts import Group, Parameter
from rich.console import Console
from rich.table import Table

from noroshi.cli.console import check_report_can_be_built, console_for, provenance, stages
from noroshi.errors import ScenarioError

if TYPE_CHECKING:
    from noroshi.constellation import Found
    from noroshi.coverage.limits import Limit
    from noroshi.coverage.models import Points
    from noroshi.survey import Network, Survey, Window
    from noroshi.time import Epoch

KM, MICRO, KILO = 1e3, 1e-6, 1e3
EPOCH = "2026-11-22T00:00:00Z"  # of constellations that have none of their own
AGE_NOTED_DAYS = 3.0  # notional: element sets are kilometres off by then
SAMPLES_MOST, SATELLITES_MOST, PAIRS_MOST = 10_000_000, 100_000, 50_000
SHOWN = 20  # windows in the terminal; all are in the file

_WALKER = re.compile(r"(?P<i>[\d.]+):(?P<t>\d+)/(?P<p>\d+)/(?P<f>[\d.]+)")
_WHO = Group("What looks", sort_key=1)
_WHERE = Group("Where and when", sort_key=2)
_LIMITS = Group("Limits of --walker and --tle satellites", sort_key=3)
_WHAT = Group("Figures", sort_key=4)
_NEED = Group("How many satellites?", sort_key=5)
_FILES = Group("Output", sort_key=6)


@dataclass
class Study:
    """What was asked for, in SI, and what has to be said about it."""

    network: Network
    points: Points
    window: Window
    propagator: str
    constraints: dict[str, Any]
    described: list[str]  # what the network is made of
    notes: list[str] = field(default_factory=list)
    scenario: str | None = None


def coverage(
    scenario: Annotated[str | None, Parameter(group=_WHO, help="A scenario, for its sensors.")] = None,
    /,
    *,
    walker: Annotated[
        list[str] | None,
        Parameter(
            group=_WHO, negative=(), help="Walker pattern, inclination:T/P/F: 60:288/12/1. Repeatable."
        ),
    ] = None,
    altitude_km: Annotated[
        list[str] | None,
        Parameter(
            group=_WHO,
            negative=(),
            help="Above the equator, one for all or one per --walker. --need: 600:1400:100.",
        ),
    ] = None,
    pattern: Annotated[
        Literal["delta", "star"] | None,
        Parameter(
            group=_WHO, help="Planes over the full circle (delta, the usual) or the half. --need: both."
        ),
    ] = None,
    tle: Annotated[
        list[Path] | None,
        Parameter(group=_WHO, negative=(), help="File of element sets, TLE or OMM. Repeatable."),
    ] = None,
    propagator: Annotated[
        Literal["sgp4", "j2"], Parameter(group=_WHO, help="What moves --walker satellites.")
    ] = "sgp4",
    grid: Annotated[
        str,
        Parameter(
            group=_WHERE,
            help="fibonacci:10000, latlon:90x180, box:20N-55N,120E-180E, polygon:FILE, sites:FILE, site:35.7,139.7, "
            "trajectory:FILE.",
        ),
    ] = "fibonacci:10000",
    target_altitude_km: Annotated[float, Parameter(group=_WHERE, help="Height of the targets.")] = 40.0,
    step_s: Annotated[float, Parameter(group=_WHERE, help="Between samples.")] = 60.0,
    duration_s: Annotated[float, Parameter(group=_WHERE, help="Samples are taken before it.")] = 86400.0,
    epoch: Annotated[
        str | None,
        Parameter(
            group=_WHERE, help=f"ISO 8601 UTC. Default: the scenario's, the latest of --tle, or {EPOCH}."
        ),
    ] = None,
    earth: Annotated[
        Literal["wgs84", "sphere"], Parameter(group=_WHERE, help="What hides the targets.")
    ] = "wgs84",
    grazing_height_km: Annotated[
        float, Parameter(group=_LIMITS, help="Lines passing lower before the target see nothing.")
    ] = 0.0,
    range_max_km: Annotated[float | None, Parameter(group=_LIMITS, help="Farthest target.")] = None,
    elevation_min_deg: Annotated[
        float | None, Parameter(group=_LIMITS, help="Of the satellite above the target's horizon.")
    ] = None,
    off_nadir_min_deg: Annotated[float, Parameter(group=_LIMITS, help="Least angle from nadir.")] = 0.0,
    off_nadir_max_deg: Annotated[
        float | None, Parameter(group=_LIMITS, help="Half-angle of the field of regard.")
    ] = None,
    background: Annotated[
        Literal["any", "space", "earth"], Parameter(group=_LIMITS, help="What must be behind the target.")
    ] = "any",
    sun_exclusion_deg: Annotated[
        float, Parameter(group=_LIMITS, help="Lines this close to the Sun see nothing.")
    ] = 0.0,
    stereo_deg: Annotated[
        float,
        Parameter(
            group=_WHAT, help="Least angle between two lines of sight at the target; 0: not asked for."
        ),
    ] = 20.0,
    sigma_urad: Annotated[
        float | None,
        Parameter(
            group=_WHAT, help="Angle noise of --walker and --tle satellites, per axis: adds position errors."
        ),
    ] = None,
    errors: Annotated[
        bool, Parameter(group=_WHAT, negative=(), help="Position errors by the scenario's sensors.")
    ] = False,
    intensity_kw_sr: Annotated[
        float | None, Parameter(group=_WHAT, help="Of the target, for a scenario's infrared sensors.")
    ] = None,
    rcs_m2: Annotated[
        float | None, Parameter(group=_WHAT, help="Of the target, for a scenario's radars.")
    ] = None,
    windows: Annotated[
        str | None,
        Parameter(
            group=_WHAT,
            help="Access windows to the millisecond, of these SENSOR@PLACE (* and ? allowed): *@*.",
        ),
    ] = None,
    need: Annotated[
        str | None,
        Parameter(
            group=_NEED, help='"2-fold >= 99 % over 20N-55N,120E-180E at 40 km": the fewest satellites.'
        ),
    ] = None,
    search: Annotated[
        Literal["walker"], Parameter(group=_NEED, help="Kind of constellation looked for.")
    ] = "walker",
    inclination_deg: Annotated[
        str | None, Parameter(group=_NEED, help="Looked at: 55, 50,60 or 40:70:5. Default: from the area.")
    ] = None,
    satellites_max: Annotated[int, Parameter(group=_NEED, help="Most satellites looked at.")] = 200,
    planes_max: Annotated[int | None, Parameter(group=_NEED, help="Most planes looked at.")] = None,
    lost: Annotated[
        str, Parameter(group=_NEED, help="Numbers of satellites lost at once, besides one plane.")
    ] = "1,2",
    time_limit_s: Annotated[float, Parameter(group=_NEED, help="Of the search.")] = 60.0,
    engine: Annotated[
        Literal["auto", "culled", "dense"],
        Parameter(
            group=_FILES,
            help="What counts. dense: every pair, in JAX. auto: dense on a GPU.",
        ),
    ] = "auto",
    threads: Annotated[int | None, Parameter(group=_FILES, help="Default: the cores.")] = None,
    out: Annotated[
        Path | None,
        Parameter(group=_FILES, help="Folder for report, tables and NetCDF; an interrupted study goes on."),
    ] = None,
    force: Annotated[
        bool, Parameter(group=_FILES, negative=(), help="Replace the folder if it is there.")
    ] = False,
    lang: Annotated[
        Literal["en", "ja"], Parameter(group=_FILES, help="Language in which the report opens.")
    ] = "en",
    as_json: Annotated[
        bool, Parameter(group=_FILES, name="--json", negative=(), help="Print the figures.")
    ] = False,
) -> None:
    """Where, how often and by how many sensors a target is seen, what the gaps are; how many satellites a need takes.

    Of a scenario's sensors, of Walker patterns, of catalogued satellites, or of all these together.
    """
    started, cpu = time.perf_counter(), time.process_time()
    from noroshi.coverage.limits import Figures
    from noroshi.coverage.models import SPHERE, WGS84

    _check_numbers(
        step_s=step_s, duration_s=duration_s, target_altitude_km=target_altitude_km, stereo_deg=stereo_deg,
        sigma_urad=sigma_urad, intensity_kw_sr=intensity_kw_sr, rcs_m2=rcs_m2, time_limit_s=time_limit_s,
        threads=threads, satellites_max=satellites_max, planes_max=planes_max,
    )  # fmt: skip
    limit, stated = _limit(
        grazing_height_km, range_max_km, elevation_min_deg, off_nadir_min_deg, off_nadir_max_deg, background,
        sun_exclusion_deg,
    )  # fmt: skip
    body = WGS84 if earth == "wgs84" else SPHERE
    figures = Figures(1.0 * MICRO if sigma_urad is None else sigma_urad * MICRO)
    console = console_for(as_json)
    if out is not None:
        from noroshi import store

        store.check_output(out, force=force)
        check_report_can_be_built()
    with stages(console) as stage:
        found = None
        if need is not None:
            if scenario or walker or tle:
                raise ScenarioError(
                    "--need looks for a constellation of its own",
                    remedy="give --altitude-km (and --inclination-deg) to choose from; no scenario, --walker or --tle",
                )
            found, study = _searched(
                need, altitude_km, inclination_deg, pattern, satellites_max, planes_max, lost, limit, stated, body,
                propagator, epoch, stereo_deg, step_s, duration_s, time_limit_s, threads, stage,
            )  # fmt: skip
        else:
            study = _asked(
                scenario, walker, altitude_km, pattern, tle, propagator, epoch, limit, stated, figures,
                None if intensity_kw_sr is None else intensity_kw_sr * KILO, rcs_m2, grid, target_altitude_km,
                step_s, duration_s,
            )  # fmt: skip
        from noroshi.survey import survey

        result = survey(
            study.network,
            study.points,
            study.window,
            body=body,
            stereo_rad=radians(stereo_deg) if stereo_deg > 0.0 else None,
            errors=errors or sigma_urad is not None,
            engine=engine,
            threads=threads,
            save=None if out is None else out.parent / f".{out.name}.survey.npz",
            progress=stage,
        )
        passes = None
        if windows is not None:
            stage("windows", 0, 1)
            passes = _windows(study, windows, body)
            stage("windows", 1, 1)
        summary = _summary(
            study,
            result,
            grid if found is None else found.need.area,
            target_altitude_km,
            duration_s,
            body.name,
        )
        summary |= {"stereo_deg": stereo_deg if stereo_deg > 0.0 else None}
        if found is not None:
            from noroshi.coverage.design import as_json as design_json

            summary |= design_json(found) | {"target_altitude_km": found.need.height_m / KM}
        if passes is not None:
            summary["windows"] = [_plain(row) for row in _rows(passes)]
        summary |= {
            "wall_s": round(time.perf_counter() - started, 3),
            "cpu_s": round(time.process_time() - cpu, 3),
        }
        if out is not None:
            _write(out, result, summary, passes, found, study, started, lang)
    for note in study.notes:
        Console(stderr=True, highlight=False).print(f"note: {note}", markup=False, soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        return
    _print(console, summary, found is not None, out)


# --- what is asked


def _check_numbers(**values: float | None) -> None:
    may_be_zero = {"stereo_deg", "target_altitude_km"}
    for name, value in values.items():
        flag = f"--{name.replace('_', '-')}"
        if value is None:
            continue
        if not isfinite(value) or value < 0.0 or (value == 0.0 and name not in may_be_zero):
            raise ScenarioError(f"{flag} {value:g} makes no sense", remedy=f"give {flag} a number above 0")
    assert values["step_s"] is not None
    assert values["duration_s"] is not None
    assert values["stereo_deg"] is not None
    assert values["target_altitude_km"] is not None
    if values["duration_s"] / values["step_s"] > SAMPLES_MOST:
        raise ScenarioError(
            f"{values['duration_s'] / values['step_s']:.3g} samples are more than {SAMPLES_MOST:,}",
            remedy="make --step-s longer or --duration-s shorter",
        )
    if values["stereo_deg"] > 90.0:
        raise ScenarioError(
            f"no two lines are {values['stereo_deg']:g} deg apart and at most 180 minus it",
            remedy="choose --stereo-deg from 0 to 90; 20 is usual",
        )
    if values["target_altitude_km"] > 100_000.0:
        raise ScenarioError("targets are not that high", remedy="give --target-altitude-km in km")


def _limit(
    grazing_km: float,
    range_km: float | None,
    elevation_deg: float | None,
    inner_deg: float,
    outer_deg: float | None,
    background: str,
    sun_deg: float,
) -> tuple[Limit, dict[str, Any]]:
    """The limits of flagged satellites, and those that are on as they were given."""
    from noroshi.coverage.limits import Limit
    from noroshi.coverage.models import Behind

    for flag, value, low, high in (
        ("--grazing-height-km", grazing_km, 0.0, 200.0),
        ("--range-max-km", range_km, 1e-3, 500_000.0),
        ("--elevation-min-deg", elevation_deg, -90.0, 89.999),
        ("--off-nadir-min-deg", inner_deg, 0.0, 180.0),
        ("--off-nadir-max-deg", outer_deg, 1e-6, 180.0),
        ("--sun-exclusion-deg", sun_deg, 0.0, 180.0),
    ):
        if value is not None and not low <= value <= high:
            raise ScenarioError(
                f"{flag} {value:g} is out of bounds", remedy=f"choose from {low:g} to {high:g}"
            )
    if outer_deg is not None and inner_deg >= outer_deg:
        raise ScenarioError(
            f"nothing lies between {inner_deg:g} and {outer_deg:g} deg from nadir",
            remedy="make --off-nadir-min-deg smaller than --off-nadir-max-deg",
        )
    limit = Limit(
        grazing_m=grazing_km * KM,
        range_max_m=np.inf if range_km is None else range_km * KM,
        elevation_target_rad=-0.5 * np.pi if elevation_deg is None else radians(elevation_deg),
        cone_min_rad=radians(inner_deg),
        cone_max_rad=np.pi if outer_deg is None else radians(outer_deg),
        behind={"any": Behind.ANYTHING, "space": Behind.SPACE, "earth": Behind.EARTH}[background],
        sun_rad=radians(sun_deg),
    )
    given = {
        "grazing_height_km": grazing_km or None,
        "range_max_km": range_km,
        "elevation_min_deg": elevation_deg,
        "off_nadir_min_deg": inner_deg or None,
        "off_nadir_max_deg": outer_deg,
        "background": None if background == "any" else background,
        "sun_exclusion_deg": sun_deg or None,
    }
    return limit, {"occlusion": "exact"} | {k: v for k, v in given.items() if v is not None}


def _asked(
    scenario: str | None,
    walker: list[str] | None,
    altitude_km: list[str] | None,
    pattern: Literal["delta", "star"] | None,
    tle: list[Path] | None,
    propagator: Literal["sgp4", "j2"],
    epoch_utc: str | None,
    limit: Limit,
    stated: dict[str, Any],
    figures: Any,
    intensity_w_sr: float | None,
    rcs_m2: float | None,
    grid: str,
    target_altitude_km: float,
    step_s: float,
    duration_s: float,
) -> Study:
    """The network of scenario, patterns and catalogues together, over the grid."""
    from noroshi.coverage import limits
    from noroshi.coverage.grid import parse
    from noroshi.io.points import read_points
    from noroshi.survey import Network, Window, shell

    spec = parse(grid)
    shells = _shells(walker, altitude_km)
    catalogues = _catalogues(tle)
    groups: list[Any] = []
    limits_of: list[Any] = []
    quality_of: list[Any] = []
    notes: list[str] = []
    constraints = dict(stated)
    described: list[str] = []
    loaded = None
    if scenario is not None:
        from noroshi.scenario import build
        from noroshi.scenario.load import load

        loaded = load(scenario)
    at = _epoch(epoch_utc, loaded, catalogues, notes)
    if loaded is not None:
        sensors = build.sensors(loaded)
        groups += build.platforms(loaded)
        limits_of += [limits.limit_of(s.model) for s in sensors]
        quality_of += [limits.figures_of(s.model, intensity_w_sr, rcs_m2) for s in sensors]
        left = limits.unheeded([s.model for s in sensors])
        if left:
            notes.append(f"the scenario's sensors state more than coverage heeds: {', '.join(left)}")
        if intensity_w_sr is None and any(not limits_of[k].ground for k in range(len(sensors))):
            notes.append("brightness is no limit: --intensity-kw-sr makes it one")
        constraints["scenario"] = "each sensor's own"
        described.append(f"scenario {loaded.name}")
        idle = next((k for k in stated if k != "occlusion"), None)
        if idle is not None and not shells and not catalogues:
            raise ScenarioError(
                f"--{idle.replace('_', '-')} limits --walker and --tle satellites, and there are none",
                remedy="change the scenario's [[infrared]] sensors instead",
            )
    for group in groups:
        _check_ages(group, at, notes)
    for k, (inclination, satellites, planes, phasing, altitude) in enumerate(shells):
        described.append(
            f"{pattern or 'delta'} {inclination:g}:{satellites}/{planes}/{phasing:g}, {altitude:g} km"
        )
        digits = len(str(satellites))
        names = tuple(f"w{k + 1}-{n + 1:0{digits}d}" for n in range(satellites))
        groups.append(
            shell(
                names,
                pattern or "delta",
                planes,
                phasing,
                altitude * KM,
                radians(inclination),
                at,
                propagator,
            )
        )
    for path, group in zip(tle or [], catalogues, strict=True):
        _check_ages(group, at, notes)
        described.append(path.name)
        groups.append(group)
    flagged = sum(len(g.names) for g in groups) - len(limits_of)
    limits_of += [limit] * flagged
    quality_of += [figures] * flagged
    names = [name for group in groups for name in group.names]
    twice = (
        next((name for name in names if names.count(name) > 1), None)
        if len(set(names)) < len(names)
        else None
    )
    if twice is not None:
        raise ScenarioError(f"two sensors are called {twice!r}", remedy="leave one of them out")
    if not names:
        raise ScenarioError(
            "nothing that looks is named",
            remedy="give a scenario, --walker 60:288/12/1 --altitude-km 1000, --tle FILE, or --need for a search",
        )
    network = Network(tuple(groups), limits.table(limits_of), limits.quality(quality_of))
    points = read_points(spec, target_altitude_km * KM, at, step_s)
    if points.t is not None:
        notes.append("a trajectory is looked at during its own times; --duration-s does not matter")
    moved = "scenario" if loaded is not None and not flagged else propagator if shells else "sgp4"
    return Study(
        network, points, Window(at, step_s, duration_s), moved, constraints, described, notes, scenario
    )


def _shells(
    walker: list[str] | None, altitude_km: list[str] | None
) -> list[tuple[float, int, int, float, float]]:
    """Inclination [deg], T, P, F, altitude [km] of every --walker."""
    altitudes = []
    for text in altitude_km or []:
        try:
            altitudes.append(float(text))
        except ValueError:
            raise ScenarioError(
                f"--altitude-km {text[:40]!r} is no number",
                remedy="give kilometres above the equator, such as 1000 (a list or range only with --need)",
            ) from None
    walker = walker or []
    if walker and len(altitudes) not in (1, len(walker)):
        raise ScenarioError(
            f"--walker is given {len(walker)} times and --altitude-km {len(altitudes)} times",
            remedy="give --altitude-km once, or once for each --walker",
        )
    if altitudes and not walker:
        raise ScenarioError(
            "--altitude-km without a pattern", remedy="add --walker 60:288/12/1, or --need for a search"
        )
    shells = []
    for k, text in enumerate(walker):
        match = _WALKER.fullmatch(text.strip())
        try:
            if not match:
                raise ValueError
            inclination, phasing = float(match["i"]), float(match["f"])
        except ValueError:
            raise ScenarioError(
                f"--walker {text[:40]!r} is no pattern",
                remedy="write inclination:satellites/planes/phasing, such as 60:288/12/1",
            ) from None
        satellites, planes = int(match["t"]), int(match["p"])
        altitude = altitudes[k if len(altitudes) > 1 else 0]
        if not 0.0 <= inclination <= 180.0:
            raise ScenarioError(f"no orbit is inclined by {inclination:g} deg", remedy="choose from 0 to 180")
        if not 1 <= satellites <= SATELLITES_MOST:
            raise ScenarioError(f"{satellites} satellites", remedy=f"choose from 1 to {SATELLITES_MOST:,}")
        if planes < 1 or satellites % planes:
            near = [p for p in range(1, satellites + 1) if satellites % p == 0]
            close = sorted(sorted(near, key=lambda p: abs(p - planes))[:3])
            raise ScenarioError(
                f"{satellites} satellites do not fill {planes} planes evenly",
                where=f"--walker {text}",
                remedy=f"planes that divide {satellites}: {', '.join(map(str, close))}",
            )
        if not 150.0 <= altitude <= 400_000.0:
            raise ScenarioError(
                f"--altitude-km {altitude:g} is no orbit that lasts a day",
                remedy="choose from 150 to 400,000 km",
            )
        shells.append((inclination, satellites, planes, phasing, altitude))
    return shells


def _catalogues(tle: list[Path] | None) -> list[Any]:
    from noroshi.io.tle_omm import read_satellites
    from noroshi.orbits.ephemeris import Catalogued

    groups = []
    for path in tle or []:
        found = read_satellites(path)
        groups.append(Catalogued(tuple(n for n, _ in found), tuple(s for _, s in found)))
    return groups


def _epoch(utc: str | None, loaded: Any, catalogues: list[Any], notes: list[str]) -> Epoch:
    """As given; else the scenario's; else that of the latest element set; else EPOCH."""
    from noroshi.time import epoch_from_utc

    if utc is not None:
        return epoch_from_utc(utc)
    if loaded is not None:
        return epoch_from_utc(loaded.epoch)
    sets = [s for group in catalogues for s in group.satellites]
    if not sets:
        return epoch_from_utc(EPOCH)
    latest = max(sets, key=lambda s: s.jdsatepoch + s.jdsatepochF)
    # to the second: that is what is written down, and what --epoch takes
    day = np.datetime64("2000-01-01T12:00:00", "s") + np.timedelta64(
        round((latest.jdsatepoch - 2451545.0 + latest.jdsatepochF) * 86400.0), "s"
    )
    text = f"{day}Z"
    notes.append(f"the epoch is that of the latest element set, {text}; --epoch changes it")
    return epoch_from_utc(text)


def _check_ages(group: Any, at: Epoch, notes: list[str]) -> None:
    """Refuse element sets that are of no use at the epoch; mention those that are days away from it."""
    from noroshi.orbits.ephemeris import Catalogued
    from noroshi.orbits.sgp4 import check_age

    if not isinstance(group, Catalogued):
        return
    check_age(tuple(zip(group.names, group.satellites, strict=True)), at)
    days = np.array([(at.day - s.jdsatepoch) + (at.fraction - s.jdsatepochF) for s in group.satellites])
    worst = int(np.argmax(np.abs(days)))
    if abs(days[worst]) > AGE_NOTED_DAYS:
        notes.append(
            f"the element set of {group.names[worst]} is {abs(days[worst]):.1f} days from the epoch: "
            "SGP4 is kilometres off by then; renew it or move --epoch"
        )


def _searched(
    text: str,
    altitude_km: list[str] | None,
    inclination_deg: str | None,
    pattern: Literal["delta", "star"] | None,
    satellites_max: int,
    planes_max: int | None,
    lost: str,
    limit: Limit,
    stated: dict[str, Any],
    body: Any,
    propagator: Literal["sgp4", "j2"],
    epoch_utc: str | None,
    stereo_deg: float,
    step_s: float,
    duration_s: float,
    time_limit_s: float,
    threads: int | None,
    stage: Any,
) -> tuple[Found, Study]:
    """The search's answer, and the study of its winner over the area of the need."""
    from noroshi import constellation
    from noroshi.coverage.design import SearchSpace
    from noroshi.coverage.need import parse_need, parse_values
    from noroshi.survey import Window

    need = parse_need(text)
    if not altitude_km:
        raise ScenarioError(
            "--need has no altitude to choose from", remedy="give --altitude-km 1000, 600,800 or 600:1400:100"
        )
    altitudes = tuple(KM * a for each in altitude_km for a in parse_values(each, "--altitude-km"))
    inclinations = () if inclination_deg is None else parse_values(inclination_deg, "--inclination-deg")
    numbers = parse_values(lost, "--lost") if lost.strip() else ()
    if any(n != int(n) or n < 1 for n in numbers):
        raise ScenarioError(f"--lost {lost!r} are no numbers of satellites", remedy="write --lost 1,2")
    if not stereo_deg > 0.0 and need.stereo:
        raise ScenarioError(
            "a need for stereo, and --stereo-deg 0", remedy="leave --stereo-deg out, or make it 20"
        )
    at = _epoch(epoch_utc, None, [], [])
    found = constellation.search(
        need,
        SearchSpace(
            altitudes,
            tuple(np.deg2rad(inclinations).tolist()),
            (pattern,) if pattern else ("delta", "star"),
            satellites_most=satellites_max,
            planes_most=planes_max,
        ),
        limit,
        at,
        body=body,
        stereo_rad=radians(stereo_deg or 20.0),
        propagator=propagator,
        duration_s=duration_s,
        lost=tuple(int(n) for n in numbers),
        time_limit_s=time_limit_s,
        threads=threads,
        progress=stage,
    )
    network = constellation.network(found.best.design, limit, at, propagator)
    points = constellation.area(need, 4 * constellation.CHECK_POINTS, at)
    best = found.best.design
    described = (
        f"{best.pattern} {np.rad2deg(best.inclination_rad):g}:{best.satellites}/{best.planes}/{best.phasing}, "
        f"{best.altitude_m / KM:g} km"
    )
    return found, Study(
        network, points, Window(at, step_s, duration_s), propagator, dict(stated), [described]
    )


# --- what is answered


def _summary(
    study: Study, result: Survey, grid: str, target_altitude_km: float, duration_s: float, earth: str
) -> dict[str, Any]:
    from noroshi.coverage.figures import by_latitude, overall
    from noroshi.time import utc_text

    moving = study.points.t is not None
    return {
        "schema": 1,
        "pairs": result.pairs,
        **overall(result.coverage),
        "ns_per_pair": round(result.kernel_cpu_s / max(result.pairs_now, 1) * 1e9, 4),
        "line_ns_per_pair": round(result.line_cpu_s / max(result.pairs_now, 1) * 1e9, 4),
        "constraints": study.constraints,
        "propagator": study.propagator,
        "earth": earth,
        "engine": result.engine,
        "sensors": len(study.network.names),
        "network": study.described,
        "places": len(result.coverage.mean_fold),
        "samples": len(result.coverage.t),
        "grid": grid,
        "target_altitude_km": target_altitude_km,
        "epoch": utc_text(study.window.epoch, 0.0),
        "step_s": study.window.step_s,
        "duration_s": float(result.coverage.t[-1] - result.coverage.t[0]) if moving else duration_s,
        "by_latitude": by_latitude(result.coverage),
        "notes": study.notes,
    }


def _windows(study: Study, wanted: str, body: Any) -> dict[str, np.ndarray]:
    """Columns of the access windows of the pairs that match SENSOR@PLACE."""
    from fnmatch import fnmatchcase

    from noroshi import frames
    from noroshi.coverage.access import node_times, sky_track, windows
    from noroshi.sky import sky
    from noroshi.survey import positions
    from noroshi.time import load_earth_orientation, utc_text

    sensor_like, found, place_like = wanted.partition("@")
    places = study.points.names or tuple(
        str(k) for k in range(1 if study.points.t is not None else len(study.points.weight))
    )
    names = study.network.names
    sensors = [k for k, name in enumerate(names) if fnmatchcase(name, sensor_like)]
    targets = [k for k, name in enumerate(places) if fnmatchcase(name, place_like)]
    if not found or not sensors or not targets:
        raise ScenarioError(
            f"--windows {wanted[:60]!r} matches no pair",
            remedy=f"write SENSOR@PLACE with * and ? as wanted; sensors: {', '.join(names[:3])} ..., "
            f"places: {', '.join(places[:3])} ...",
        )
    if len(sensors) * len(targets) > PAIRS_MOST:
        raise ScenarioError(
            f"{len(sensors) * len(targets):,} pairs are more than {PAIRS_MOST:,}",
            remedy="ask for fewer: --windows 'w1-0*@tokyo', or a grid of sites",
        )
    start, end = 0.0, study.window.duration_s
    if study.points.t is not None:
        start, end = float(study.points.t[0]), float(study.points.t[-1])
    nodes, eop, epoch = node_times(start, end), load_earth_orientation(), study.window.epoch
    track = positions(study.network, epoch, nodes, body, eop)
    bodies = None
    if study.network.limits.sun_rad.any() or study.network.limits.moon_rad.any():
        bodies = sky_track(sky(epoch, nodes), nodes, frames.itrs_from_gcrs(epoch, nodes, eop))
    pairs = np.array([(s, p) for p in targets for s in sensors])
    net = study.network
    w = windows(
        net.limits, track, study.points, pairs, start, end, body=body, sky=bodies, quality=net.quality
    )
    return {
        "sensor": np.array([names[k] for k in w.sensor], dtype=object),
        "place": np.array([places[k] for k in w.point], dtype=object),
        "start_utc": np.array([utc_text(epoch, float(t)) for t in w.t_start], dtype=object),
        "end_utc": np.array([utc_text(epoch, float(t)) for t in w.t_end], dtype=object),
        "t_start_s": w.t_start,
        "t_end_s": w.t_end,
        "duration_s": w.duration_s,
        "opened_by": np.array([str(x) for x in w.opened_by], dtype=object),
        "closed_by": np.array([str(x) for x in w.closed_by], dtype=object),
        "start_truncated": np.asarray(w.start_truncated, bool),
        "end_truncated": np.asarray(w.end_truncated, bool),
        "t_highest_s": w.t_highest,
        "elevation_highest_deg": np.rad2deg(w.elevation_highest_rad),
        "range_least_m": w.range_least_m,
    }


def _rows(columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in row.items()}


def _write(
    out: Path,
    result: Survey,
    summary: dict[str, Any],
    passes: dict[str, np.ndarray] | None,
    found: Found | None,
    study: Study,
    started: float,
    lang: Literal["en", "ja"],
) -> None:
    """coverage.json, manifest.json, tables/*.parquet, coverage.nc and report.html: all or nothing."""
    from noroshi import store
    from noroshi.coverage.design import as_json as design_json
    from noroshi.io.coverage import tables, write_netcdf, write_parquet
    from noroshi.report.coverage_page import render

    manifest = provenance(started) | {"scenario": study.scenario}
    columns = tables(result.coverage) | ({} if passes is None else {"windows": passes})
    kept = ("grid", "epoch", "step_s", "target_altitude_km", "propagator", "earth")
    with store.whole_folder(out) as part:
        store.write_json(part / "coverage.json", summary)
        write_parquet(part / "tables", columns)
        write_netcdf(part / "coverage.nc", columns, {key: summary[key] for key in kept})
        design = None if found is None else design_json(found)
        (part / "report.html").write_text(
            render(result.coverage, summary, manifest, design=design, lang=lang), "utf-8"
        )
        store.write_json(part / "manifest.json", provenance(started) | {"scenario": study.scenario})


def _print(console: Console, summary: dict[str, Any], designed: bool, out: Path | None) -> None:
    # captured first: rich would leave with exit code 1 where the reader of a pipe has gone
    with console.capture() as page:
        _lines(console, summary, designed, out)
    sys.stdout.write(page.get())
    sys.stdout.flush()


def _lines(console: Console, s: dict[str, Any], designed: bool, out: Path | None) -> None:
    if designed:
        _design_lines(console, s)
    lines = Table(box=None, pad_edge=False, show_header=False)
    lines.add_column()
    lines.add_column(justify="right")
    shares = s["fraction_at_least"]
    p = s["percentiles"]
    lines.add_row("lines of sight, mean", f"{s['mean_fold']:.4f}")
    lines.add_row("  least .. most", f"{s['min_fold']} .. {s['max_fold']}")
    lines.add_row("  5, 50, 95 % of area and time", f"{p['5']}, {p['50']}, {p['95']}")
    for k, share in shares.items():
        lines.add_row(f"seen by at least {k}", _percent(share))
    if s["stereo_fraction"] is not None:
        lines.add_row(f"by two at least {s['stereo_deg']:g} deg apart", _percent(s["stereo_fraction"]))
    cut = " (cut by the window)" if s["gap_truncated"] else ""
    lines.add_row("longest gap, worst place" + cut, f"{s['longest_gap_s']:g} s")
    lines.add_row("wait for the next look, mean", f"{s['mean_response_s']:.1f} s")
    if s["error_median_m"] is not None:
        lines.add_row(
            "position error, median (95 %)", f"{s['error_median_m']:.0f} m ({s['error_95_m']:.0f} m)"
        )
    console.print(lines)
    if s["notes"] is not None and s.get("windows") is not None:
        table = Table("sensor", "place", "start", "end", "s", "opened, closed by", box=None, pad_edge=False)
        for w in s["windows"][:SHOWN]:
            table.add_row(
                w["sensor"], w["place"], w["start_utc"], w["end_utc"], f"{w['duration_s']:.3f}",
                f"{w['opened_by']}, {w['closed_by']}",
            )  # fmt: skip
        console.print(table)
        if len(s["windows"]) > SHOWN:
            console.print(f"... and {len(s['windows']) - SHOWN} more windows: --json or --out")
    limits = ", ".join(f"{k} {v}" for k, v in s["constraints"].items())
    who = f"{s['sensors']} sensors ({'; '.join(s['network'])})"
    console.print(
        f"{s['pairs']:.4g} pairs: {who}, {s['places']} places, {s['samples']} samples; {limits}; {s['propagator']}, "
        f"{s['earth']}. {s['wall_s']:.1f} s, {s['cpu_s']:.1f} s of CPU, {s['ns_per_pair']:.2f} ns per pair counted.",
        soft_wrap=True,
    )
    if out is None:
        console.print("next: the same with --out DIR for report, maps, tables and NetCDF", soft_wrap=True)
    else:
        console.print(f"saved {out}   next: open {out / 'report.html'}", soft_wrap=True)


def _design_lines(console: Console, s: dict[str, Any]) -> None:
    searched = s["searched"]
    console.print(
        f"{s['satellites']} satellites meet the need: {s['pattern']} {s['inclination_deg']:g}:{s['satellites']}/"
        f"{s['planes']}/{s['phasing']} at {s['altitude_km']:g} km, achieved {_percent(s['achieved'])}"
        f"{'' if searched.get('exhaustive') else ' (the search was not exhaustive)'}.",
        soft_wrap=True,
    )
    front = Table(
        "satellites", "planes", "phasing", "altitude km", "inclination", "achieved", box=None, pad_edge=False
    )
    for row in s["front"]:
        front.add_row(
            str(row["satellites"]), str(row["planes"]), f"{row['phasing']:g}", f"{row['altitude_km']:g}",
            f"{row['inclination_deg']:g}", _percent(row["achieved"]),
        )  # fmt: skip
    console.print(front)
    for row in s["robustness"]:
        console.print(
            f"without {row['lost']}: {_percent(row['worst'])} at worst, {_percent(row['mean'])} on average "
            f"({row['cases']} cases{'' if row['exhaustive'] else ', a sample'})",
            soft_wrap=True,
        )


def _percent(share: float | None) -> str:
    if share is None:
        return "-"
    return "100 %" if share == 1.0 else f"{100.0 * min(share, 0.999999):.4f} %"

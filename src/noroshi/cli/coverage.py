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

INTERRUPTED = 130
KM, MICRO, KILO = 1e3, 1e-6, 1e3
EPOCH = "2026-11-22T00:00:00Z"  # of constellations that have none of their own
ALTITUDES_LOOKED = (
    "600:1400:200"  # notional: the low orbits that proposals name, in steps that a minute goes through
)
GRID, HEIGHT_KM, SATELLITES_LOOKED, TIME_LIMIT_S, LOST = "fibonacci:10000", 40.0, 200, 60.0, "1,2"
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

    @property
    def places(self) -> tuple[str, ...]:
        """Names of the places; without any, their numbers."""
        count = 1 if self.points.t is not None else len(self.points.weight)
        return self.points.names or tuple(str(k) for k in range(count))


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
            help=f"Above the equator, one for all or one per --walker. --need: {ALTITUDES_LOOKED}, its default.",
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
        str | None,
        Parameter(
            group=_WHERE,
            help="fibonacci:10000, latlon:90x180, box:20N-55N,120E-180E, polygon:FILE, sites:FILE, site:35.7,139.7, "
            f"trajectory:FILE. Default: {GRID}.",
        ),
    ] = None,
    target_altitude_km: Annotated[
        float | None, Parameter(group=_WHERE, help=f"Height of the targets. Default: {HEIGHT_KM:g}.")
    ] = None,
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
            help="Access windows to the millisecond, of these SENSOR@PLACE, wildcards allowed: w1-0?@tokyo.",
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
    satellites_max: Annotated[
        int | None, Parameter(group=_NEED, help=f"Most satellites looked at. Default: {SATELLITES_LOOKED}.")
    ] = None,
    planes_max: Annotated[int | None, Parameter(group=_NEED, help="Most planes looked at.")] = None,
    lost: Annotated[
        str | None,
        Parameter(group=_NEED, help="Numbers of satellites lost at once, besides one plane. Default: 1,2."),
    ] = None,
    time_limit_s: Annotated[
        float | None, Parameter(group=_NEED, help=f"Of the search. Default: {TIME_LIMIT_S:g}.")
    ] = None,
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
    _check_numbers(
        step_s=step_s, duration_s=duration_s, target_altitude_km=target_altitude_km, stereo_deg=stereo_deg,
        sigma_urad=sigma_urad, intensity_kw_sr=intensity_kw_sr, rcs_m2=rcs_m2, time_limit_s=time_limit_s,
        threads=threads, satellites_max=satellites_max, planes_max=planes_max,
    )  # fmt: skip
    _check_flags(
        need=need, scenario=scenario, walker=walker, tle=tle, pattern=pattern, grid=grid, errors=errors,
        propagator=propagator, target_altitude_km=target_altitude_km, sigma_urad=sigma_urad,
        intensity_kw_sr=intensity_kw_sr, rcs_m2=rcs_m2, inclination_deg=inclination_deg,
        satellites_max=satellites_max, planes_max=planes_max, lost=lost, time_limit_s=time_limit_s,
    )  # fmt: skip
    ignored = [
        flag
        for flag, given in (("--grid", grid), ("--target-altitude-km", target_altitude_km))
        if given is not None
    ]
    grid, height_km = grid or GRID, HEIGHT_KM if target_altitude_km is None else target_altitude_km
    save = None if out is None else out.parent / f".{out.name}.survey.npz"
    console = console_for(as_json)
    try:
        with stages(console) as stage:
            from noroshi.coverage.limits import Figures
            from noroshi.coverage.models import SPHERE, WGS84
            from noroshi.survey import survey

            if out is not None:
                from noroshi import store

                store.check_output(out, force=force)
                check_report_can_be_built()
            limit, stated = _limit(
                grazing_height_km, range_max_km, elevation_min_deg, off_nadir_min_deg, off_nadir_max_deg, background,
                sun_exclusion_deg,
            )  # fmt: skip
            body = WGS84 if earth == "wgs84" else SPHERE
            noise = Figures(1.0 * MICRO if sigma_urad is None else sigma_urad * MICRO)
            found = None
            if need is not None:
                found, study = _searched(
                    need, altitude_km, inclination_deg, pattern, satellites_max or SATELLITES_LOOKED, planes_max,
                    LOST if lost is None else lost, ignored, limit, stated, noise, body, propagator, epoch, stereo_deg,
                    step_s, duration_s, time_limit_s or TIME_LIMIT_S, threads, stage,
                )  # fmt: skip
                grid, height_km = found.need.area, found.need.height_m / KM
            else:
                study = _asked(
                    scenario, walker, altitude_km, pattern, tle, propagator, epoch, limit, stated, noise,
                    None if intensity_kw_sr is None else intensity_kw_sr * KILO, rcs_m2, grid, height_km, step_s,
                    duration_s,
                )  # fmt: skip
            pairs = None if windows is None else _pairs(study, windows)
            result = survey(
                study.network,
                study.points,
                study.window,
                body=body,
                stereo_rad=radians(stereo_deg) if stereo_deg > 0.0 else None,
                errors=errors or sigma_urad is not None,
                engine=engine,
                threads=threads,
                save=save,
                progress=stage,
            )
            if result.discarded:
                study.notes.append(
                    "an interrupted study of something else lay under this --out, and has been dropped"
                )
            passes = None
            if pairs is not None:
                stage("windows", 0, 1)
                passes = _windows(study, pairs, body)
                stage("windows", 1, 1)
            summary = _summary(study, result, grid, height_km, duration_s, body.name) | {
                "stereo_deg": stereo_deg if stereo_deg > 0.0 else None,
                "sigma_urad": sigma_urad,
                "intensity_kw_sr": intensity_kw_sr,
                "rcs_m2": rcs_m2,
            }
            if found is not None:
                from noroshi.coverage.design import as_json as design_json

                summary |= design_json(found)
            if passes is not None:
                summary["windows"] = [_plain(row) for row in _rows(passes)]
            summary |= {
                "wall_s": round(time.perf_counter() - started, 3),
                "cpu_s": round(time.process_time() - cpu, 3),
            }
            if out is not None:
                _write(out, result, summary, passes, found, study, started, lang)
    except KeyboardInterrupt:
        if save is not None and save.is_file():
            raise
        Console(stderr=True, highlight=False).print("interrupted; nothing was written, nothing is kept.")
        sys.exit(INTERRUPTED)
    if save is not None:
        save.unlink(missing_ok=True)
    for note in study.notes:
        Console(stderr=True, highlight=False).print(f"note: {note}", markup=False, soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        return
    _print(console, summary, found is not None, out)


# --- what is asked


def _check_flags(**given: Any) -> None:
    """Refuse flags that would do nothing, rather than let somebody believe that they did."""

    def refuse(flag: str, why: str, remedy: str) -> None:
        if given[flag] not in (None, False):
            raise ScenarioError(f"--{flag.replace('_', '-')} {why}", remedy=remedy)

    searching, flagged = given["need"] is not None, bool(given["walker"] or given["tle"])
    if searching:
        if given["scenario"] or flagged:
            raise ScenarioError(
                "--need looks for a constellation of its own",
                remedy="give --altitude-km (and --inclination-deg) to choose from; no scenario, --walker or --tle",
            )
    else:
        for flag in ("inclination_deg", "satellites_max", "planes_max", "lost", "time_limit_s"):
            refuse(flag, "belongs to a search", "add --need, or leave it out")
        if not given["walker"]:
            refuse("pattern", "arranges --walker satellites, and there are none", "leave it out")
            if given["propagator"] == "j2":
                raise ScenarioError(
                    "--propagator j2 moves --walker satellites, and there are none",
                    remedy="leave it out: a scenario says how its satellites move, element sets take SGP4",
                )
    if not given["scenario"]:
        for flag in ("intensity_kw_sr", "rcs_m2"):
            refuse(flag, "is for the sensors of a scenario", "name one, or leave it out")
    if flagged or searching:
        if given["errors"] and given["sigma_urad"] is None:
            raise ScenarioError(
                "--errors does not know how well --walker and --tle satellites measure",
                remedy="give their angle noise: --sigma-urad 20",
            )
    elif given["scenario"]:
        refuse(
            "sigma_urad",
            "is for --walker and --tle satellites",
            "take --errors: the scenario has its own noise",
        )


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
    if (values["target_altitude_km"] or 0.0) > 100_000.0:
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
        given = {"intensity_kw_sr": intensity_w_sr and intensity_w_sr / KILO, "rcs_m2": rcs_m2}
        constraints |= {key: value for key, value in given.items() if value is not None}
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
    lowest = min((altitude for *_, altitude in shells), default=np.inf)
    if target_altitude_km > lowest:
        notes.append(f"the targets, {target_altitude_km:g} km up, are above satellites at {lowest:g} km")
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
    ignored: list[str],
    limit: Limit,
    stated: dict[str, Any],
    noise: Any,
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
    notes = []
    if not altitude_km:
        altitude_km = [ALTITUDES_LOOKED]
        notes.append(f"no --altitude-km was given: {ALTITUDES_LOOKED} km (from:to:step) was looked at")
    if ignored:
        notes.append(f"{' and '.join(ignored)} did nothing: the need names area and height itself")
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
    network = constellation.network(found.best.design, limit, at, propagator, noise)
    points = constellation.area(need, 4 * constellation.CHECK_POINTS, at)
    best = found.best.design
    described = (
        f"{best.pattern} {np.rad2deg(best.inclination_rad):g}:{best.satellites}/{best.planes}/{best.phasing}, "
        f"{best.altitude_m / KM:g} km"
    )
    return found, Study(
        network, points, Window(at, step_s, duration_s), propagator, dict(stated), [described], notes
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
        "ns_per_pair": _each(result.kernel_cpu_s, result.pairs_now),
        "line_ns_per_pair": _each(result.line_cpu_s, result.pairs_now),
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


def _each(cpu_s: float, pairs: int) -> float | None:
    """CPU [ns] per pair; None where an interrupted run had counted all of them."""
    return round(cpu_s / pairs * 1e9, 4) if pairs else None


def _pairs(study: Study, wanted: str) -> list[tuple[int, int]]:
    """The pairs (sensor, place) that match SENSOR@PLACE; refused here, before anything is counted."""
    from fnmatch import fnmatchcase

    sensor_like, found, place_like = wanted.partition("@")
    names, places = study.network.names, study.places
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
    return [(s, p) for p in targets for s in sensors]


def _windows(study: Study, pairs: list[tuple[int, int]], body: Any) -> dict[str, np.ndarray]:
    """Columns of the access windows of the pairs."""
    from noroshi import frames
    from noroshi.coverage.access import node_times, sky_track, windows
    from noroshi.sky import sky
    from noroshi.survey import positions
    from noroshi.time import load_earth_orientation, utc_text

    names, places = study.network.names, study.places
    start, end = 0.0, study.window.duration_s
    if study.points.t is not None:
        start, end = float(study.points.t[0]), float(study.points.t[-1])
    nodes, eop, epoch = node_times(start, end), load_earth_orientation(), study.window.epoch
    track = positions(study.network, epoch, nodes, body, eop)
    bodies = None
    if study.network.limits.sun_rad.any() or study.network.limits.moon_rad.any():
        bodies = sky_track(sky(epoch, nodes), nodes, frames.itrs_from_gcrs(epoch, nodes, eop))
    net = study.network
    w = windows(
        net.limits,
        track,
        study.points,
        np.array(pairs),
        start,
        end,
        body=body,
        sky=bodies,
        quality=net.quality,
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
        store.write_json(part / "manifest.json", manifest)


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
    speed = "" if s["ns_per_pair"] is None else f", {s['ns_per_pair']:.2f} ns per pair counted"
    who = f"{s['sensors']} sensors ({'; '.join(s['network'])})"
    console.print(
        f"{s['pairs']:.4g} pairs: {who}, {s['places']} places, {s['samples']} samples; {limits}; {s['propagator']}, "
        f"{s['earth']}. {s['wall_s']:.1f} s, {s['cpu_s']:.1f} s of CPU{speed}.",
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
        "pattern", "satellites", "planes", "phasing", "altitude km", "inclination", "achieved", "meets the need",
        box=None, pad_edge=False,
    )  # fmt: skip
    for row in s["front"]:
        shown = (row["pattern"], row["satellites"], row["planes"], row["phasing"], row["altitude_km"])
        front.add_row(
            *(x if isinstance(x, str) else f"{x:g}" for x in (*shown, row["inclination_deg"])),
            _percent(row["achieved"]),
            "yes" if row["meets"] else "no",
        )
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

"""What a scenario must satisfy beyond each field's own bounds: known names, different names, times on the grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from noroshi.errors import NoroshiError, PhysicsError
from noroshi.radiometry import BANDS
from noroshi.scenario.infrared import contradictions
from noroshi.scenario.locate import Path as KeyPath
from noroshi.scenario.schema import Air, Ballistic, Glide, Recorded, Scenario, satellite_names
from noroshi.time import epoch_from_utc

ON_GRID = 1e-6  # of a step
STEPS_MAX = 100_000  # a day at one second, and some; dense tables are [time, sensor, target]


class Mistake(NamedTuple):
    """What is wrong at a path of the file, and the remedy."""

    path: KeyPath
    what: str
    remedy: str


def mistakes(s: Scenario) -> list[Mistake]:
    """All contradictions of a scenario whose fields are each in order."""
    return [
        *_names(s),
        *_references(s),
        *_grid(s),
        *_dates(s),
        *_beams(s),
        *_infrared(s),
        *_radars(s),
        *_air(s),
        *_tracker(s),
        *_boosters(s),
    ]


def missing_files(s: Scenario, folder: Path) -> list[Mistake]:
    """Data files that are not there; relative ones are looked for in `folder`."""
    named: list[tuple[KeyPath, str]] = [
        *((("satellites", k, "file"), c.file) for k, c in enumerate(s.satellites)),
        *((("targets", k, "file"), t.file) for k, t in enumerate(s.targets) if isinstance(t, Recorded)),
    ]
    return [
        Mistake(path, f"there is no file {file!r}", f"it is looked for in the scenario's folder, {folder}")
        for path, file in named
        if not (folder / file).is_file()
    ]


def _names(s: Scenario) -> Iterator[Mistake]:
    yield from _twice("nations", [n.code for n in s.nations], "code")
    yield from _twice("nodes", [n.nation for n in s.nodes], "nation")
    yield from _twice("infrared", [i.name for i in s.infrared], "name")
    yield from _twice("entry_points", [e.name for e in s.entry_points], "name")
    yield from _twice("targets", [t.name for t in s.targets], "name")
    yield from _twice("areas", [a.name for a in s.areas], "name")
    yield from _twice("points", [p.name for p in s.points], "name")
    yield from _twice("layers", [layer.name for layer in s.layers], "name")
    yield from _twice("radars", [r.name for r in s.radars], "name")
    satellites = {name: layer.name for layer in s.layers for name in satellite_names(layer)}
    for k, radar in enumerate(s.radars):
        if radar.name in satellites:
            yield Mistake(
                ("radars", k, "name"),
                f"{radar.name!r} is also the name of a satellite of layer {satellites[radar.name]!r}",
                "give each sensor its own name",
            )


def _twice(table: str, names: list[str], key: str) -> Iterator[Mistake]:
    for k, name in enumerate(names):
        if name in names[:k]:
            yield Mistake((table, k, key), f"{name!r} is used twice in [[{table}]]", "give each its own name")


def _references(s: Scenario) -> Iterator[Mistake]:
    nations = [n.code for n in s.nations]
    infrared = [i.name for i in s.infrared]
    for table, key, owners in (
        ("nodes", "nation", [n.nation for n in s.nodes]),
        ("layers", "owner", [layer.owner for layer in s.layers]),
        ("satellites", "owner", [c.owner for c in s.satellites]),
        ("radars", "owner", [r.owner for r in s.radars]),
        ("entry_points", "nation", [e.nation for e in s.entry_points]),
        ("share", "from", [r.source for r in s.share]),
        ("share", "to", [r.to for r in s.share]),
    ):
        yield from _unknown(table, key, owners, nations, "nation", "list it in [[nations]]")
    for table, used in (
        ("layers", [x.sensor for x in s.layers]),
        ("satellites", [x.sensor for x in s.satellites]),
    ):
        yield from _unknown(table, "sensor", used, infrared, "infrared sensor", "describe it in [[infrared]]")
    modelled = [target for target in s.targets if target.signature is not None]
    bands = {band for target in s.targets for band in target.intensity_kw_sr}
    bands = sorted(bands.union(BANDS if modelled else ()))
    for k, sensor in enumerate(s.infrared):
        used = sensor.name in [x.sensor for x in (*s.layers, *s.satellites)]
        unknown = [t.name for t in modelled if sensor.band not in (*BANDS, *t.intensity_kw_sr)]
        if used and unknown:
            yield Mistake(
                ("infrared", k, "band"),
                f"no wavelengths are known of band {sensor.band!r}, in which the signature of {unknown[0]!r} is wanted",
                f"use one of {', '.join(BANDS)}, or state the target's intensity_kw_sr in this band",
            )
        elif used and sensor.band not in bands:
            yield Mistake(
                ("infrared", k, "band"),
                f"no target has an intensity in band {sensor.band!r}",
                "state it in the targets' intensity_kw_sr" + _close(sensor.band, bands),
            )
    places = {"pass": [p.name for p in s.points], "pass_area": [a.name for a in s.areas]}
    for k, fact in enumerate(s.published):
        what, _, name = fact.fact.partition(":")
        if what in places and name not in places[what]:
            table = "points" if what == "pass" else "areas"
            yield Mistake(
                ("published", k, "fact"),
                f"{name!r} is not listed in [[{table}]]",
                "list it there" + _close(name, places[what]),
            )
    facts = [f.fact for f in s.published if f.fact != "launch"]
    if facts and not any(f.fact == "launch" for f in s.published):
        yield Mistake(
            ("published", 0, "fact"), "no launch time was published", 'add one with fact = "launch"'
        )
    for k, fact in enumerate(s.published):
        if fact.fact != "launch" and fact.fact in [f.fact for f in s.published[:k]]:
            yield Mistake(("published", k, "fact"), f"{fact.fact!r} is stated twice", "keep one")
    node_nations = [n.nation for n in s.nodes]
    for k, rule in enumerate(s.share):
        if rule.to in nations and rule.to not in node_nations and rule.level != "none":
            yield Mistake(
                ("share", k, "to"), f"{rule.to} has no node to receive anything", "add it to [[nodes]]"
            )


def _boosters(s: Scenario) -> Iterator[Mistake]:
    """Stages and shapes that physics or their own figures forbid, as the flight itself would say it."""
    for k, target in enumerate(s.targets):
        if not isinstance(target, Ballistic) or (target.stages is None and target.shape is None):
            continue
        # the models load JAX: only for scenarios that need them
        from noroshi.scenario.build import booster
        from noroshi.targets import shapes, staging

        try:
            if target.stages is not None:
                staging.check(booster(target), s.step_s)
            else:
                shapes.check(target.shape, target.apogee_factor, target.burnout_angle_deg)
        except PhysicsError as error:
            yield Mistake(
                ("targets", k, "stages" if target.stages is not None else "shape"), error.what, error.remedy
            )


def _unknown(
    table: str, key: str, used: Iterable[str], known: list[str], what: str, remedy: str
) -> Iterator[Mistake]:
    for k, name in enumerate(used):
        if name not in known:
            yield Mistake((table, k, key), f"{name!r} is not a known {what}", remedy + _close(name, known))


def _close(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""


def _grid(s: Scenario) -> Iterator[Mistake]:
    if s.duration_s / s.step_s > STEPS_MAX:
        yield Mistake(
            ("step_s",) if s.step_s < 1 else ("duration_s",),
            f"{s.duration_s / s.step_s:,.0f} steps are more than {STEPS_MAX:,}",
            "make step_s longer, or duration_s shorter",
        )
    times: list[tuple[KeyPath, float]] = [(("duration_s",), s.duration_s)]
    for table, sensors in (("infrared", s.infrared), ("radars", s.radars)):
        for k, sensor in enumerate(sensors):
            times.append(((table, k, "scan_period_s"), sensor.scan_period_s))
            times.append(((table, k, "scan_offset_s"), sensor.scan_offset_s))
    for k, target in enumerate(s.targets):
        times.append((("targets", k, "launch_s"), target.launch_s))
        if isinstance(target, Ballistic | Glide):
            boost_s = target.boost_s  # a staged booster has none: its events split the steps
            if boost_s is not None:
                times.append((("targets", k, "boost_s"), boost_s))
            if boost_s is not None and target.vertical_s >= boost_s:
                yield Mistake(
                    ("targets", k, "boost_s"),
                    f"a vertical rise of {target.vertical_s:g} s does not fit into a boost of {boost_s:g} s",
                    f"shorten vertical_s, to {0.1 * boost_s:g} s for example",
                )
        if isinstance(target, Glide):
            times += [(("targets", k, "bank", j, "t_s"), b.t_s) for j, b in enumerate(target.bank)]
        if target.launch_s >= s.duration_s:
            yield Mistake(
                ("targets", k, "launch_s"),
                f"launched at {target.launch_s:g} s, but the scenario ends at {s.duration_s:g} s",
                "launch earlier, or make duration_s longer",
            )
    for path, value in times:
        steps = value / s.step_s
        if abs(steps - round(steps)) > ON_GRID:
            yield Mistake(
                path,
                f"{value:g} s does not lie on the grid of step_s = {s.step_s:g} s",
                f"make it a multiple of {s.step_s:g}, e.g. {max(1, round(steps)) * s.step_s:g}",
            )


def _dates(s: Scenario) -> Iterator[Mistake]:
    times: list[tuple[KeyPath, str | None]] = [(("epoch",), s.epoch)]
    for k, fact in enumerate(s.published):
        times += [(("published", k, "utc"), fact.utc), (("published", k, "until_utc"), fact.until_utc)]
    for path, text in times:
        try:
            if text is not None:
                epoch_from_utc(text)
        except NoroshiError as error:
            yield Mistake(path, error.what, error.remedy)
    for k, fact in enumerate(s.published):
        # texts of one form: the earlier instant is the smaller text
        if fact.until_utc is not None and fact.until_utc < fact.utc:
            yield Mistake(
                ("published", k, "until_utc"), f"ends before it begins, at {fact.utc}", "swap the two times"
            )


def _beams(s: Scenario) -> Iterator[Mistake]:
    for k, radar in enumerate(s.radars):
        if radar.elevation_min_deg >= radar.elevation_max_deg:
            yield Mistake(
                ("radars", k, "elevation_min_deg"),
                f"lowest beam {radar.elevation_min_deg:g} deg is not below the highest, {radar.elevation_max_deg:g}",
                "make elevation_min_deg smaller than elevation_max_deg",
            )


def _radars(s: Scenario) -> Iterator[Mistake]:
    """Designs that cannot be, or cannot do all of it in time; stated chances below the false alarms'."""
    for k, radar in enumerate(s.radars):
        if radar.stated is not None and radar.stated.p_detect <= radar.p_false_alarm:
            yield Mistake(
                ("radars", k, "stated", "p_detect"),
                f"a chance of detection of {radar.stated.p_detect:g} is not above that of a false alarm, "
                f"{radar.p_false_alarm:g}",
                f"choose more than {radar.p_false_alarm:g}, or a smaller p_false_alarm",
            )
        if radar.design is None or radar.elevation_min_deg >= radar.elevation_max_deg:
            continue
        if (radar.tracks is None) == (radar.mode == "track"):
            what = (
                "without a number of tracks" if radar.tracks is None else "with tracks, but not in mode track"
            )
            yield Mistake(
                ("radars", k, "mode" if radar.tracks is None else "tracks"),
                f"a radar {what} shares its time in no known way",
                'give mode = "track" and tracks, or neither',
            )
        elif radar.design.dwell_s is None and radar.mode is None:
            yield Mistake(
                ("radars", k, "design"),
                "the time on a target is unknown",
                'give dwell_s, or say by mode = "scan" or "track" how scan_period_s is shared',
            )
        else:
            from noroshi.scenario.build import radar_design  # heavy, and few files have a design

            try:
                radar_design(radar)
            except PhysicsError as error:
                yield Mistake(("radars", k, "design"), error.what, error.remedy)


def _infrared(s: Scenario) -> Iterator[Mistake]:
    for k, part in enumerate(s.infrared):
        for key, what, remedy in contradictions(part):
            yield Mistake(("infrared", k, *key), what, remedy)


def _air(s: Scenario) -> Iterator[Mistake]:
    """Routes that cannot be flown."""
    for k, target in enumerate(s.targets):
        if not isinstance(target, Air):
            continue
        from noroshi.scenario.build import air_flight  # only where there is a route: a check starts fast
        from noroshi.targets.air import faults

        for fault in faults(air_flight(target)):
            place: KeyPath = ("waypoints", fault.waypoint)
            if target.racetrack is not None:
                place = ("racetrack", "width_km")
            elif fault.field in ("speed_m_s", "height_m"):
                given = target.waypoints[fault.waypoint]
                key = "altitude_km" if fault.field == "height_m" and given.height_m is None else fault.field
                place = (*place, key)
            yield Mistake(("targets", k, *place), fault.what, fault.remedy)


def _tracker(s: Scenario) -> Iterator[Mistake]:
    """Where the file gives both of two figures; against the tracker's defaults `tracking.state.settings` checks."""
    t = s.tracker
    if t.confirm_hits is not None and t.confirm_of is not None and t.confirm_hits > t.confirm_of:
        yield Mistake(
            ("tracker", "confirm_hits"),
            f"{t.confirm_hits} hits cannot be had in {t.confirm_of} updates",
            "make confirm_hits at most confirm_of",
        )
    low, high = t.initiate_height_min_m, t.initiate_height_max_m
    if low is not None and high is not None and low >= high:
        yield Mistake(
            ("tracker", "initiate_height_min_m"),
            f"no height lies between {low:g} and {high:g} m",
            "make initiate_height_min_m smaller than initiate_height_max_m",
        )

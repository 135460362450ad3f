"""`noroshi track`: tracks from anybody's recorded detections; with the truth beside them, scores too."""

from __future__ import annotations

import json
import sys
import time
from math import isfinite, radians
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from cyclopts import Group, Parameter
from rich.console import Console
from rich.table import Table

from noroshi.cli.console import console_for, provenance, stages
from noroshi.errors import NoroshiError

if TYPE_CHECKING:
    from noroshi.io.detections import Defaults, Recording
    from noroshi.tracking.models import TrackerConfig
    from noroshi.tracking.recorded import Judged, Tracked
    from noroshi.tracking.registration import Registration
    from noroshi.tracking.screen import Screened

MICRO, KM = 1e-6, 1e3
SHOWN = 20  # tracks in the terminal; all are in the files
SCHEMA = 1

_READ = Group("What the recording itself does not say", sort_key=1)
_OUT = Group("Output", sort_key=2)


def track(
    recording: Path,
    /,
    *,
    config: Annotated[
        str, Parameter(help="space-infrared, radar, air, or a TOML file that changes settings of one.")
    ] = "space-infrared",
    frame: Annotated[
        Literal["gcrs", "itrs", "enu"],
        Parameter(
            group=_READ, help="Of x_m, y_m, z_m: inertial, fixed to the Earth, or east-north-up at --origin."
        ),
    ] = "gcrs",
    origin: Annotated[
        str | None,
        Parameter(group=_READ, help="Of --frame enu: latitude, longitude in degrees, height in m."),
    ] = None,
    angles: Annotated[
        Literal["sensor", "topocentric"] | None,
        Parameter(
            group=_READ,
            help="az and el in sensor axes, or azimuth from north and elevation. Default: sensor where an attitude is "
            "given.",
        ),
    ] = None,
    epoch: Annotated[str | None, Parameter(group=_READ, help="UTC of t_s = 0, ISO 8601.")] = None,
    sites: Annotated[
        Path | None,
        Parameter(group=_READ, help="CSV name,latitude_deg,longitude_deg,height_m: where sensors stand."),
    ] = None,
    sigma_angle_urad: Annotated[
        float | None, Parameter(group=_READ, help="Of angles, per axis across the line of sight.")
    ] = None,
    sigma_range_m: Annotated[float | None, Parameter(group=_READ, help="Of ranges.")] = None,
    sigma_range_rate_m_s: Annotated[float | None, Parameter(group=_READ, help="Of range rates.")] = None,
    p_detect: Annotated[
        float, Parameter(group=_READ, help="Chance that a target in the field is detected.")
    ] = 0.9,
    false_alarms: Annotated[float, Parameter(group=_READ, help="Expected in one scan.")] = 1.0,
    range_max_km: Annotated[float | None, Parameter(group=_READ, help="Beyond it no sensor sees.")] = None,
    beam_deg: Annotated[
        float | None,
        Parameter(
            group=_READ, help="A turning radar's beam: one time saw only so much of azimuth about its plots."
        ),
    ] = None,
    most: Annotated[
        int | None,
        Parameter(group=_READ, help="A scan with more detections is a flood, and left out. Default: 10000."),
    ] = None,
    smooth: Annotated[
        bool,
        Parameter(
            group=_OUT,
            negative=(),
            help="Smooth the tracks too: what all detections, later ones too, tell of each time.",
        ),
    ] = False,
    biases: Annotated[
        bool,
        Parameter(
            group=_OUT,
            negative=(),
            help="Estimate what sensors are constantly off by, from targets that two or more saw.",
        ),
    ] = False,
    out: Annotated[
        Path | None, Parameter(group=_OUT, help="Folder (default: the next free runs/NAME-0001, -0002, ...).")
    ] = None,
    force: Annotated[
        bool, Parameter(group=_OUT, negative=(), help="Replace the folder if it is there.")
    ] = False,
    table_format: Annotated[
        Literal["parquet", "csv"], Parameter(group=_OUT, name="--format", help="Of the tables.")
    ] = "parquet",
    as_json: Annotated[
        bool, Parameter(group=_OUT, name="--json", negative=(), help="Print summary.json.")
    ] = False,
) -> None:
    """Track the detections of RECORDING, a file or folder; no scenario and no truth are needed.

    CSV or Parquet with documented columns, CCSDS TDM, a run folder, or FOLDER/PREFIX of a benchmark. The output
    folder holds tracks, contributions and summary.json. What makes no sense is refused row by row, and counted.
    """
    started = time.perf_counter()
    _check_numbers(
        sigma_angle_urad=sigma_angle_urad, sigma_range_m=sigma_range_m, sigma_range_rate_m_s=sigma_range_rate_m_s,
        range_max_km=range_max_km, beam_deg=beam_deg, most=most,
    )  # fmt: skip
    if not 0.0 < p_detect <= 1.0:
        raise NoroshiError("--p-detect must be above 0 and at most 1", remedy="0.9 is the default")
    if not (isfinite(false_alarms) and false_alarms >= 0.0):
        raise NoroshiError("--false-alarms must be at least 0", remedy="1 is the default")
    console = console_for(as_json)
    with stages(console) as stage:
        from noroshi import store
        from noroshi.io.detections import Defaults, read_answers, read_recording
        from noroshi.io.sites import read_sites
        from noroshi.tracking.configuration import configuration
        from noroshi.tracking.screen import MOST, screen

        settings = configuration(config)
        given = Defaults(
            frame=frame,
            origin=_origin(origin, frame),
            angles=angles,
            epoch=epoch,
            sigma_angle_rad=None if sigma_angle_urad is None else sigma_angle_urad * MICRO,
            sigma_range_m=sigma_range_m,
            sigma_range_rate_m_s=sigma_range_rate_m_s,
            p_detect=p_detect,
            false_alarms_per_scan=false_alarms,
            range_max_m=np.inf if range_max_km is None else range_max_km * KM,
            beam_rad=None if beam_deg is None else radians(beam_deg),
            sites=None if sites is None else read_sites(sites),
        )
        name = recording.resolve().stem if recording.is_file() else recording.resolve().name
        folder = out if out is not None else store.next_run_folder(Path("runs"), f"{name}-tracks")
        store.check_output(folder, force=force)
        stage("read", 0, 1)
        read = read_recording(recording, given)
        stage("read", 1, 1)
        stage("screen", 0, 1)
        screened = screen(read.scans, read.detections, sensors=len(read.sensors), most=most or MOST)
        stage("screen", 1, 1)
        if not len(screened.detections.detection):
            raise NoroshiError(
                f"none of {read.rows} detections is usable ({_listed(_refused(read, screened))})",
                where=str(recording),
                remedy="see docs/reference/track.md for columns and units",
            )
        stage("track", 0, 1)
        from noroshi.tracking.recorded import judge, registration, smoothed, track_recording

        tracked = track_recording(settings, screened)
        stage("track", 1, 1)
        after = None
        if smooth:
            stage("smooth", 0, 1)
            after = smoothed(settings, screened, tracked)
            stage("smooth", 1, 1)
        judged = judged_after = None
        if read.truth is not None:
            stage("score", 0, 1)
            answers = read_answers(recording)
            judged = judge(tracked, screened.scans, screened.detections, read.truth, answers)
            if after is not None:
                judged_after = judge(after, screened.scans, screened.detections, read.truth, answers)
            stage("score", 1, 1)
        summary = _summary(read, screened, tracked, judged, settings, given, config)
        summary["smoothed_scores"] = None if judged_after is None else _scores(read, judged_after)
        summary["biases"] = None
        if biases:
            stage("biases", 0, 1)
            summary["biases"] = _biases(read, registration(settings, screened, tracked))
            stage("biases", 1, 1)
        stage("write", 0, 1)
        with store.whole_folder(folder) as part:
            _write(part, read, tracked, after, judged, table_format)
            store.write_json(part / "summary.json", summary)
            store.write_json(part / "manifest.json", provenance(started) | {"recording": str(recording)})
        stage("write", 1, 1)
    if as_json:
        sys.stdout.write(json.dumps(summary, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        return
    _print(console, summary)
    console.print(
        f"saved {folder}   next: noroshi track --help for other settings; columns: docs/reference/track.md"
    )


def _check_numbers(**given: float | None) -> None:
    for name, value in given.items():
        if value is not None and not (isfinite(value) and value > 0):
            raise NoroshiError(f"--{name.replace('_', '-')} must be above 0", remedy=f"{value} was given")


def _origin(text: str | None, frame: str) -> tuple[float, float, float] | None:
    if text is None:
        return None
    if frame != "enu":
        raise NoroshiError("--origin does nothing without --frame enu", remedy="give both, or neither")
    parts = text.split(",")
    try:
        lat, lon, height = (float(part) for part in parts) if len(parts) == 3 else (*map(float, parts), 0.0)
    except ValueError:
        lat = lon = height = float("nan")
    if not (abs(lat) <= 90 and abs(lon) <= 360 and abs(height) < 1e6):
        raise NoroshiError(
            f"--origin {text} is no place", remedy="write LATITUDE,LONGITUDE,HEIGHT_M: 35.7,139.7,40"
        )
    return radians(lat), radians(lon), height


# --- what came of it


def _refused(read: Recording, screened: Screened) -> dict[str, int]:
    """Rows by reason, those of the file and those of the screen."""
    both = dict(read.refused)
    for reason, count in screened.refused.items():
        both[reason] = both.get(reason, 0) + count
    return both


def _summary(
    read: Recording,
    screened: Screened,
    tracked: Tracked,
    judged: Judged | None,
    settings: TrackerConfig,
    given: Defaults,
    config: str,
) -> dict[str, Any]:
    """summary.json: the same for the same recording and settings; no times of day, no host, no durations."""
    from noroshi.tables import Status
    from noroshi.time import utc_text
    from noroshi.tracking.configuration import described

    t = screened.scans.t_event
    tracks = tracked.tracks
    numbers, start = np.unique(tracks.track, return_index=True)
    rows = []
    hits = {
        int(k): int(n)
        for k, n in zip(*np.unique(tracked.contributions.track, return_counts=True), strict=True)
    }
    for number in numbers.tolist():
        mine = np.flatnonzero(tracks.track == number)
        sure = mine[tracks.status[mine] == Status.CONFIRMED]
        if not len(sure):
            continue
        last = sure[-1]
        rows.append(
            {
                "track": number,
                "t_start_s": float(tracks.t[mine[0]]),
                "t_confirmed_s": float(tracks.t[sure[0]]),
                "t_end_s": float(tracks.t[last]),
                "deleted": bool((tracks.status[mine] == Status.DELETED).any()),
                "hits": hits.get(number, 0),
                "speed_m_s": _speed(tracks.mean[last], read.turns),
                "sigma_position_m": float(np.sqrt(tracks.cov[last, [0, 9, 17]].sum())),
            }
        )
    refused = _refused(read, screened)
    used = len(screened.detections.detection)
    return {
        "schema": SCHEMA,
        "name": read.name,
        "epoch_utc": None if read.epoch is None else utc_text(read.epoch, 0.0, 6),
        "sensors": list(read.sensors),
        "detections": {"rows": read.rows, "used": used, "associated": len(tracked.contributions.detection)},
        "scans": {
            "used": len(t),
            "empty": int(len(t) - len(np.unique(screened.detections.scan))),
            "backwards": screened.backwards,
            "t_first_s": float(t[0]),
            "t_last_s": float(t[-1]),
        },
        "refused": refused,
        "notes": [*read.notes, *tracked.complaints],
        "tracks": {"started": len(start), "confirmed": len(rows)},
        "counts": tracked.counts,
        "confirmed": rows,
        "config": {"name": config, **described(settings)},
        "assumed": {
            key: value
            for key, value in described(given).items()
            if key not in ("sites", "origin") and value is not None
        },
        "scores": None if judged is None or read.truth is None else _scores(read, judged),
    }


def _speed(mean: np.ndarray, turns: bool) -> float:
    """Speed relative to the Earth below where it is known how that lies, else in the frame."""
    from noroshi.constants import EARTH_RATE_RAD_S

    carried = EARTH_RATE_RAD_S * np.array([-mean[1], mean[0], 0.0]) if turns else np.zeros(3)
    return float(np.linalg.norm(mean[3:6] - carried))


def _biases(read: Recording, found: Registration) -> dict[str, Any]:
    """What the sensors are off by, with sigmas; `one_sensor` where there is nothing to compare."""
    names = ("azimuth_rad", "elevation_rad", "range_m")
    sigma = np.sqrt(np.diag(found.cov))
    return {
        "detections": found.detections,
        "tracks": found.tracks,
        "one_sensor": len(np.unique(found.sensor)) < 2,
        "found": [
            {
                "sensor": read.sensors[int(s)],
                "part": names[int(part)],
                "value": float(value),
                "sigma": float(sigma[k]),
            }
            for k, (s, part, value) in enumerate(zip(found.sensor, found.part, found.value, strict=True))
        ],
    }


def _scores(read: Recording, judged: Judged) -> dict[str, Any]:
    from noroshi.tracking.consistency import chi2_interval
    from noroshi.tracking.score import DIMENSION
    from noroshi.tracking.siap import RADIUS_M

    assert read.truth is not None
    s = judged.samples
    targets = {}
    for k, (name, one) in enumerate(zip(read.truth.targets, judged.node.targets, strict=True)):
        mine = s.track[s.target == k]
        targets[name] = {
            "t_confirmed_s": _number(one.t_confirmed_s),
            "completeness": _number(float(np.mean(mine >= 0)) if len(mine) else np.nan),
            "track_numbers": len(np.unique(mine[mine >= 0])),
            "breaks": one.breaks,
            "switches": one.switches,
            "confirm_latency_s": _number(one.confirm_latency_s),
            "purity": _number(one.purity),
            "rmse_position_m": _number(one.rmse_position_m),
            "rmse_velocity_m_s": _number(one.rmse_velocity_m_s),
            "nees": _number(one.nees_mean),
        }
    held = s.track >= 0
    low, high = (edge / DIMENSION for edge in chi2_interval(DIMENSION, 1))
    nees = s.nees[np.isfinite(s.nees)]
    return {
        "targets": targets,
        "completeness": _number(float(np.mean(held)) if len(held) else np.nan),
        "rmse_position_m": _number(_rms(s.error_position_m[held])),
        "rmse_velocity_m_s": _number(_rms(s.error_velocity_m_s[held])),
        "nees": _number(float(nees.mean()) if len(nees) else np.nan),
        "nees_interval": {"low": low, "high": high, "inside": _number(judged.node.nees_inside)},
        "false_tracks": judged.node.false_tracks,
        "purity": _number(judged.node.purity),
        "ospa_m": _number(judged.node.ospa_m),
        "siap": {"radius_m": RADIUS_M} | {k: _number(v) for k, v in judged.node.siap._asdict().items()},
        "gospa_m": _number(judged.node.gospa_m),
        "gospa_parts": {key: _number(value) for key, value in judged.parts._asdict().items()},
    }


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2))) if len(values) else float("nan")


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _write(
    folder: Path, read: Recording, tracked: Tracked, after: Tracked | None, judged: Judged | None, kind: str
) -> None:
    """Tracks (smoothed ones too) and contributions, and samples where there is truth, as Parquet or CSV."""
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    from noroshi.store import columns_table

    extra = {"tracks": _places(read, tracked)}
    tables = {"tracks": tracked.tracks, "contributions": tracked.contributions}
    if after is not None:
        tables["tracks_smoothed"] = after.tracks
        extra["tracks_smoothed"] = _places(read, after)
    if judged is not None:
        tables["samples"] = judged.samples
    for name, table in tables.items():
        whole = columns_table(name.removesuffix("_smoothed"), table, extra.get(name, {}))
        if kind == "csv":
            pacsv.write_csv(whole, folder / f"{name}.csv")
        else:
            pq.write_table(whole, folder / f"{name}.parquet", compression="zstd")


def _places(read: Recording, tracked: Tracked) -> dict[str, np.ndarray]:
    """Geodetic position of every row of tracks, where it is known how the Earth lies."""
    if not read.turns or not len(tracked.tracks.t):
        return {}
    from noroshi.earth import geodetic_from_itrs
    from noroshi.frames import rotate
    from noroshi.io.detections import earth_axes

    m = earth_axes(read.epoch, tracked.tracks.t)
    lat, lon, height = geodetic_from_itrs(rotate(m, tracked.tracks.mean[:, :3]))
    return {"latitude_deg": np.rad2deg(lat), "longitude_deg": np.rad2deg(lon), "height_m": height}


# --- what a person reads


def _listed(refused: dict[str, int]) -> str:
    return (
        ", ".join(f"{reason} {count:,}" for reason, count in sorted(refused.items())) or "the file has none"
    )


def _print(console: Console, summary: dict[str, Any]) -> None:
    from noroshi.tracking.screen import REASONS

    for note in summary["notes"]:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    d, s = summary["detections"], summary["scans"]
    console.print(
        f"{d['used']:,} of {d['rows']:,} detections used, {d['associated']:,} in tracks; {s['used']:,} scans of "
        f"{len(summary['sensors'])} sensors, {s['empty']:,} empty, T+{s['t_first_s']:.1f} to {s['t_last_s']:.1f} s"
    )
    if s["backwards"]:
        console.print(f"{s['backwards']:,} scans came after a later one: sorted")
    if summary["refused"]:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("refused", justify="right")
        table.add_column("reason")
        table.add_column("")
        for reason, count in sorted(summary["refused"].items(), key=lambda item: -item[1]):
            table.add_row(f"{count:,}", reason, REASONS[reason])
        console.print(table)
    rows = summary["confirmed"]
    console.print(f"{len(rows)} confirmed tracks of {summary['tracks']['started']} started")
    if rows:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("track", "start", "confirmed", "end", "hits", "speed", "sigma"):
            table.add_column(heading, justify="right")
        for row in rows[:SHOWN]:
            table.add_row(
                str(row["track"]),
                f"T+{row['t_start_s']:.1f} s",
                f"T+{row['t_confirmed_s']:.1f} s",
                f"T+{row['t_end_s']:.1f} s",
                f"{row['hits']:,}",
                f"{row['speed_m_s']:,.0f} m/s",
                f"{row['sigma_position_m']:,.0f} m",
            )
        console.print(table)
        if len(rows) > SHOWN:
            console.print(f"... and {len(rows) - SHOWN} more in summary.json")
    counts = {name: count for name, count in summary["counts"].items() if count}
    if counts:
        listed = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
        console.print(listed, markup=False, soft_wrap=True)
    if summary["scores"] is not None:
        _print_scores(console, summary["scores"])
    if summary["smoothed_scores"] is not None:
        console.print("smoothed:")
        _print_scores(console, summary["smoothed_scores"])
    if summary["biases"] is not None:
        _print_biases(console, summary["biases"])


def _print_biases(console: Console, biases: dict[str, Any]) -> None:
    console.print(
        f"biases of the sensors from {biases['detections']:,} detections in {biases['tracks']:,} tracks (measured too "
        "large by):",
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("sensor", "part", "bias", "sigma"):
        table.add_column(heading, justify="right" if heading in ("bias", "sigma") else "left")
    for row in biases["found"]:
        part, unit = row["part"].split("_")
        scale, text = (1e6, "{:,.1f} urad") if unit == "rad" else (1.0, "{:,.1f} m")
        table.add_row(row["sensor"], part, *(text.format(scale * row[key]) for key in ("value", "sigma")))
    console.print(table)
    if biases["one_sensor"]:
        console.print("one sensor alone: little but the targets' own motion tells its bias", soft_wrap=True)


def _print_scores(console: Console, scores: dict[str, Any]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("target", "confirmed", "completeness", "rms error", "rms velocity", "NEES/6"):
        table.add_column(heading, justify="left" if heading == "target" else "right")
    for name, row in list(scores["targets"].items())[:SHOWN]:
        table.add_row(
            name,
            _show(row["t_confirmed_s"], "after {:.1f} s"),
            _show(row["completeness"], "{:.1%}"),
            _show(row["rmse_position_m"], "{:,.1f} m"),
            _show(row["rmse_velocity_m_s"], "{:,.1f} m/s"),
            _show(row["nees"], "{:.2f}"),
        )
    console.print(table)
    parts = scores["gospa_parts"]
    console.print(
        f"false tracks {scores['false_tracks']}, GOSPA {_show(scores['gospa_m'], '{:,.0f} m')} (rms "
        f"{_show(parts['rms_m'], '{:,.0f}')}: localisation {_show(parts['localisation_m'], '{:,.0f}')}, missed "
        f"{_show(parts['missed_m'], '{:,.0f}')}, false {_show(parts['false_m'], '{:,.0f}')})"
    )
    picture, interval = scores["siap"], scores["nees_interval"]
    console.print(
        f"within {picture['radius_m']:,.0f} m: {_show(picture['completeness'], '{:.1%}')} of targets tracked, "
        f"{_show(picture['ambiguity'], '{:.2f}')} tracks each, {_show(picture['spuriousness'], '{:.1%}')} spurious, "
        f"longest segment {_show(picture['longest_segment'], '{:.1%}')}; NEES/6 {_show(scores['nees'], '{:.2f}')}, "
        f"{_show(interval['inside'], '{:.0%}')} within {interval['low']:.2f}-{interval['high']:.2f} (95 % expected)"
        + ("" if scores["purity"] is None else f"; purity {scores['purity']:.1%}"),
        soft_wrap=True,
    )


def _show(value: float | None, pattern: str) -> str:
    return "-" if value is None else pattern.format(value)

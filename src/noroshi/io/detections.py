"""Recorded detections of any sensor network as Scans and Detections: CSV, Parquet, CCSDS TDM, run folders.

What the columns mean stands in docs/reference/track.md. The answers in a file (`truth_id`, `active`) are never read.
Vectors come out in the GCRS where times are UTC. Otherwise in an inertial frame: the one of the file, or, for
positions on the Earth, the Earth's axes at t = 0, from which it turns uniformly about z.
"""

from __future__ import annotations

import json
import tomllib
from difflib import get_close_matches
from math import inf
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float, Float64
from scipy.interpolate import CubicHermiteSpline, CubicSpline
from scipy.spatial.transform import Rotation

from noroshi import frames
from noroshi.constants import EARTH_RATE_RAD_S
from noroshi.earth import enu_from_itrs, geodetic_from_itrs, itrs_from_geodetic
from noroshi.errors import DataError, NoroshiError
from noroshi.io.columns import Columns, read_columns, require
from noroshi.io.sites import Sites
from noroshi.io.tdm import read_tdm
from noroshi.tables import Background, Detections, DetectionTruth, Kind, Phase, Scans, Truth
from noroshi.time import (
    DAY_S,
    MJD_ZERO,
    TT_MINUS_TAI_S,
    Epoch,
    epoch_from_utc,
    load_earth_orientation,
    seconds_from_utc,
    tai_minus_utc,
)

TIME = ("t_s",)
POSITION = ("x_m", "y_m", "z_m", "latitude_rad", "longitude_rad", "height_m")
VELOCITY = ("vx_m_s", "vy_m_s", "vz_m_s")
ATTITUDE = ("qw", "qx", "qy", "qz", "yaw_rad", "pitch_rad", "facing_rad")
SETTINGS = (
    "p_detect",
    "false_alarms_per_scan",
    "clutter_density",
    "field_cone_rad",
    "field_azimuth_rad",
    "field_elevation_min_rad",
    "field_elevation_max_rad",
    "range_max_m",
    "grazing_height_m",
    "cloud_top_m",
)
SENSOR = (*TIME, *POSITION, *VELOCITY, *ATTITUDE, *SETTINGS)
MEASURED = (
    "az_rad",
    "el_rad",
    "ra_rad",
    "dec_rad",
    "ux",
    "uy",
    "uz",
    "range_m",
    "range_rate_m_s",
    "sigma_az_rad",
    "sigma_el_rad",
    "sigma_angle_rad",
    "sigma_range_m",
    "sigma_range_rate_m_s",
    "snr",
)
SENSOR_TEXTS = ("utc", "sensor", "kind")
TRUTH = (*TIME, *POSITION, *VELOCITY)
ANSWERS = ("truth_id", "active", "target")  # of benchmarks: dropped, whatever else is read

FIELD = {  # where a file says nothing: the whole sphere, any height, no cloud
    "field_cone_rad": np.pi,
    "field_azimuth_rad": np.pi,
    "field_elevation_min_rad": -np.pi / 2,
    "field_elevation_max_rad": np.pi / 2,
    "grazing_height_m": 0.0,
    "cloud_top_m": -1e5,
}
UNIT_VECTOR_OFF = 1e-3  # a direction whose length is further from 1 is none; closer ones are rounded numbers
SAME_TIME_S = 1e-6
NADIR_ABOVE_M = 100e3  # the usual edge of space: sensors above look down, those below look up
STEMS = ("detections", "sensors", "truth")
ENDINGS = (".parquet", ".pq", ".csv")


class Defaults(NamedTuple):
    """What a recording itself does not say. sigma None: it must."""

    frame: Literal["gcrs", "itrs", "enu"] = "gcrs"  # of x_m, y_m, z_m and unit vectors
    origin: tuple[float, float, float] | None = None  # of enu: geodetic latitude, longitude [rad], height [m]
    angles: Literal["sensor", "topocentric"] | None = None  # None: sensor where an attitude is given
    epoch: str | None = None  # UTC of t_s = 0
    sigma_angle_rad: float | None = None
    sigma_range_m: float | None = None
    sigma_range_rate_m_s: float | None = None
    p_detect: float = 0.9  # notional
    false_alarms_per_scan: float = 1.0  # notional
    range_max_m: float = inf
    beam_rad: float | None = None  # of a turning radar: width in azimuth of what one time saw
    sites: Sites | None = None  # where sensors stand that a file only names


class Recording(NamedTuple):
    """A recording in the tracker's terms. Rows refused here are counted by the reasons of noroshi.tracking.screen."""

    name: str
    scans: Scans
    detections: Detections  # `detection` is the row of the file, from 0
    sensors: tuple[str, ...]  # names of the numbers in `scans.sensor`
    epoch: Epoch | None  # of t = 0; None: the file has no UTC
    turns: bool  # whether it is known how the Earth lies in the frame
    truth: Truth | None
    rows: int
    refused: dict[str, int]
    notes: tuple[str, ...]


def earth_axes(epoch: Epoch | None, t: Float[np.ndarray, "time"]) -> Float64[np.ndarray, "time 3 3"]:
    """Rotations ITRS from the recording's frame at t; without an epoch the Earth turns uniformly from t = 0."""
    unique, back = np.unique(np.where(np.isfinite(t), t, 0.0), return_inverse=True)
    if epoch is not None:
        return frames.itrs_from_gcrs(epoch, unique, load_earth_orientation())[back]
    angle = EARTH_RATE_RAD_S * unique
    m = np.zeros((len(unique), 3, 3))
    m[:, 0, 0] = m[:, 1, 1] = np.cos(angle)
    m[:, 0, 1], m[:, 1, 0] = np.sin(angle), -np.sin(angle)
    m[:, 2, 2] = 1.0
    return m[back]


def read_recording(path: Path | str, given: Defaults | None = None) -> Recording:
    """The recording at a path: a file of detections (CSV, Parquet, TDM), a folder, or FOLDER/PREFIX of a benchmark.

    Raises DataError for what cannot be read or understood; single rows that make no sense are counted, not raised.
    """
    given = given or Defaults()
    path = Path(path)
    if path.is_dir() and (path / "tables" / "scans.parquet").is_file():
        return _run_folder(path, given)
    if path.is_dir():
        found = _in_folder(path)
        if isinstance(found, str):
            return _benchmark(path, found, given)
        detections, sensors, truth = found
        return _assembled(path.resolve().name, detections, sensors, truth, given)
    if path.is_file():
        return _assembled(path.stem, [path], None, None, given)
    if path.parent.is_dir() and _table(path.parent, f"{path.name}_detections"):
        return _benchmark(path.parent, path.name, given)
    raise DataError(
        "no such file or folder",
        where=str(path),
        remedy="give a file of detections, or a folder that holds them",
    )


# --- where things lie


def _table(folder: Path, stem: str) -> Path | None:
    found = [folder / f"{stem}{ending}" for ending in ENDINGS if (folder / f"{stem}{ending}").is_file()]
    if len(found) > 1:
        raise DataError(
            f"holds {' and '.join(p.name for p in found)}",
            where=str(folder),
            remedy="leave one of them there",
        )
    return found[0] if found else None


def _in_folder(folder: Path) -> tuple[list[Path], Path | None, Path | None] | str:
    """Files of detections, of sensors and of truth; or the only prefix of a benchmark."""
    plain = _table(folder, "detections")
    messages = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".tdm", ".kvn"))
    if plain is not None or messages:
        chosen = [plain] if plain is not None else messages
        return chosen, _table(folder, "sensors"), _table(folder, "truth")
    ends = tuple(f"_detections{ending}" for ending in ENDINGS)
    prefixes = sorted(
        {p.name[: p.name.rindex("_detections")] for p in folder.iterdir() if p.name.endswith(ends)}
    )
    if len(prefixes) == 1:
        return prefixes[0]
    if prefixes:
        raise DataError(
            f"holds {len(prefixes)} recordings: {', '.join(prefixes)}",
            where=str(folder),
            remedy=f"give one of them, such as {folder / prefixes[0]}",
        )
    raise DataError(
        "holds no recording",
        where=str(folder),
        remedy="it needs detections.csv or detections.parquet, *.tdm, or the tables/ of a run folder",
    )


def _benchmark(folder: Path, prefix: str, given: Defaults) -> Recording:
    """PREFIX_detections, PREFIX_sensors and PREFIX_truth, settings beside them where there are any."""
    parts: dict[str, Path | None] = {stem: _table(folder, f"{prefix}_{stem}") for stem in STEMS}
    step, told = 1.0, {}
    for end in range(len(prefix), 0, -1):  # HGT24_T20 -> HGT24_params.json
        file = folder / f"{prefix[:end].rstrip('_')}_params.json"
        if file.is_file():
            step, told = _parameters(file, prefix)
            break
    given = given._replace(**{k: v for k, v in told.items() if k in Defaults._fields and _unsaid(given, k)})
    notes = [f"settings from {file.name}"] if told else []
    detections, sensors = parts["detections"], parts["sensors"]
    assert detections is not None
    if sensors is None:
        raise DataError(
            f"lacks {prefix}_sensors", where=str(folder), remedy="restore the file beside the detections"
        )
    found = _framed(read_columns(detections, (*SENSOR, *MEASURED, "frame"), SENSOR_TEXTS), step)
    places = _framed(read_columns(sensors, (*SENSOR, "frame"), SENSOR_TEXTS), step)
    for name in ("field_cone_rad", "range_max_m"):
        if name in told and name not in places.values:
            places.values[name] = np.full(places.rows, told[name])
    truth = None
    if parts["truth"] is not None:
        truth = _framed(read_columns(parts["truth"], (*TRUTH, "frame"), ("utc", "target")), step)
    return assemble(prefix, found, places, truth, given, notes)


def _unsaid(given: Defaults, name: str) -> bool:
    return getattr(given, name) == Defaults._field_defaults[name]


def _parameters(file: Path, prefix: str) -> tuple[float, dict[str, float]]:
    """Frame time and sensor settings of a benchmark in the layout of HGT-24."""
    try:
        p = json.loads(file.read_text("utf-8"))
        sensor = p["sensor"]
        raid = p["scenarios"].get(prefix[len(file.name.removesuffix("_params.json")) :].lstrip("_"), {})
        told = {
            "sigma_angle_rad": float(sensor["sigma_rad"]),
            "field_cone_rad": float(np.deg2rad(sensor["fov_half_angle_deg"])),
            "range_max_m": float(sensor["max_range_m"]),
            "p_detect": float(p["pd"]),
        }
        if "lambda" in raid:
            told["false_alarms_per_scan"] = float(raid["lambda"])
        return float(p["dt"]), told
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"is not understood ({type(error).__name__}: {error})",
            where=str(file),
            remedy="restore it, or move it away and give --sigma-angle-urad and the rest yourself",
        ) from None


def _framed(columns: Columns, step_s: float) -> Columns:
    if "frame" in columns.values:
        columns.values.setdefault("t_s", columns.values.pop("frame") * step_s)
    return columns


def _assembled(
    name: str, files: list[Path], sensors: Path | None, truth: Path | None, given: Defaults
) -> Recording:
    known = (*SENSOR, *MEASURED)
    notes: list[str] = []
    if _is_tdm(files[0]):
        found, notes = _from_tdm(files, given)
        given = given._replace(angles=given.angles or "topocentric")
    else:
        found = read_columns(files[0], known, SENSOR_TEXTS)
    places = None if sensors is None else read_columns(sensors, SENSOR, SENSOR_TEXTS)
    answers = None if truth is None else read_columns(truth, TRUTH, ("utc", "target"))
    return assemble(name, found, places, answers, given, notes)


def _is_tdm(path: Path) -> bool:
    if path.suffix.lower() in (".tdm", ".kvn"):
        return True
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"CCSDS_TDM_VERS")
    except OSError:
        return False


def _from_tdm(files: list[Path], given: Defaults) -> tuple[Columns, list[str]]:
    """The observations of tracking data messages as the columns of one file."""
    parts, notes = [], []
    for path in files:
        found, said = read_tdm(path)
        parts.append(found)
        notes += [note for note in said if note not in notes]
    joined = {field: np.concatenate([getattr(p, field) for p in parts]) for field in parts[0]._fields}
    values = {"utc": joined["utc"], "sensor": joined["station"]}
    radec = joined["radec"].astype(bool)
    if radec.any() and not radec.all():
        raise DataError(
            "mixes ANGLE_TYPE AZEL and RADEC",
            where=str(files[0]),
            remedy="give the two kinds one after the other",
        )
    one, two = ("ra_rad", "dec_rad") if radec.any() else ("az_rad", "el_rad")
    values |= {one: joined["angle_1_rad"], two: joined["angle_2_rad"]}
    values |= {
        name: joined[name] for name in ("range_m", "range_rate_m_s") if np.isfinite(joined[name]).any()
    }
    site = {name: joined[name] for name in ("latitude_rad", "longitude_rad", "height_m")}
    if np.isfinite(site["latitude_rad"]).all():
        values |= site
    elif np.isfinite(site["latitude_rad"]).any() and given.sites is None:
        lost = sorted(set(joined["station"][~np.isfinite(site["latitude_rad"])]))
        raise DataError(
            f"does not say where {lost[0]!r} stands",
            where=str(files[0]),
            remedy="give --sites with its position",
        )
    return Columns(values, len(radec), (), str(files[0])), notes


# --- our own run folder


def _run_folder(folder: Path, given: Defaults) -> Recording:
    """Every scan and detection of a run of noroshi, whoever owns the sensor, and its truth. No answer sheet."""
    tables = folder / "tables"
    scans = Scans(**_fields(tables / "scans.parquet", Scans))
    detections = Detections(**_fields(tables / "detections.parquet", Detections))
    epoch, name = None, folder.resolve().name
    try:
        epoch = epoch_from_utc(str(tomllib.loads((folder / "scenario.toml").read_text("utf-8"))["epoch"]))
    except (OSError, ValueError, KeyError, NoroshiError) as error:
        raise DataError(
            f"scenario.toml does not give the epoch ({error})",
            where=str(folder),
            remedy="restore the run folder",
        ) from None
    sensors = _dictionary(tables / "ephemeris.parquet", "sensor")
    count = int(scans.sensor.max(initial=-1)) + 1
    names = sensors if len(sensors) >= count else tuple(str(k) for k in range(count))
    truth = _run_truth(tables / "truth.parquet") if (tables / "truth.parquet").is_file() else None
    return Recording(
        name,
        scans,
        detections,
        names,
        epoch,
        True,
        truth,
        len(detections.scan),
        {},
        ("all sensors of all nations",),
    )


def _columns_of(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"is no whole Parquet file: {str(error).splitlines()[0][:150]}",
            where=str(path),
            remedy="it may have been cut short; make the run again",
        ) from None


def _fields(path: Path, kind: type) -> dict[str, np.ndarray]:
    """The columns of a table that noroshi wrote, vectors put together again."""
    table = _columns_of(path)
    out = {}
    for name in kind.__dataclass_fields__:
        suffixes = {"q_gcrs_from_sensor": "wxyz", "r_gcrs": "xyz", "v_gcrs": "xyz"}.get(name, "")
        wanted = [f"{name}_{s}" for s in suffixes] or [name]
        missing = [column for column in wanted if column not in table.column_names]
        if missing:
            raise DataError(f"lacks the column {missing[0]!r}", where=str(path), remedy="make the run again")
        parts = [table[column].to_numpy() for column in wanted]
        out[name] = np.stack(parts, 1) if suffixes else parts[0]
    return out


def _dictionary(path: Path, column: str) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    values = _columns_of(path)[column].combine_chunks()
    return tuple(values.dictionary.to_pylist()) if isinstance(values, pa.DictionaryArray) else ()


def read_answers(path: Path | str) -> DetectionTruth | None:
    """Which target every detection of a run folder came from; for scores only. None: the recording does not say."""
    file = Path(path) / "tables" / "detection_truth.parquet"
    return DetectionTruth(**_fields(file, DetectionTruth)) if file.is_file() else None


def _run_truth(path: Path) -> Truth:
    table = _columns_of(path)
    names = _dictionary(path, "target")
    number = table["target"].combine_chunks().indices.to_numpy()
    t, at = np.unique(table["t"].to_numpy(), return_inverse=True)
    r, v = np.zeros((2, len(t), len(names), 3))
    alive = np.zeros((len(t), len(names)), bool)
    for k, axis in enumerate("xyz"):
        r[at, number, k] = table[f"r_gcrs_{axis}"].to_numpy()
        v[at, number, k] = table[f"v_gcrs_{axis}"].to_numpy()
    alive[at, number] = table["alive"].to_numpy(zero_copy_only=False)
    return _truth_table(names, t, r, v, alive)


# --- from columns to tables


def assemble(
    name: str,
    found: Columns,
    places: Columns | None,
    answers: Columns | None,
    given: Defaults,
    notes: list[str] | None = None,
) -> Recording:
    """A recording from the columns of detections, of sensors (None: they stand with the detections) and of truth."""
    notes = [*(notes or []), *_unused(found, places, answers)]
    if not found.rows and (places is None or not _has_time(places) or not places.rows):
        raise DataError("holds no detection", where=found.where, remedy="add a line for each detection")
    timed = places is not None and _has_time(places)
    clocks = [found, *([places] if places is not None and timed else []), *([answers] if answers else [])]
    times, epoch = _times(clocks, given)
    refused: dict[str, int] = {}
    fit = np.isfinite(times[0])
    _count(refused, "time", ~fit)
    names, number, place_number = _numbers(found, places)
    _count(refused, "unknown_sensor", fit & (number < 0))
    fit &= number >= 0

    if places is not None and timed:
        scan_t, scan_sensor, source, rows = times[1], place_number, places, np.arange(places.rows)
    else:
        scan_t, scan_sensor, rows = _deduced(times[0], number, fit)
        source = found
        if places is not None:
            source, rows = places, _only_row(places, place_number, names)[scan_sensor]
        notes.append("scans are those with a detection: what was looked at in vain is not known")
    at = {key: values[rows] for key, values in source.values.items()}
    if given.sites is not None and not _positioned(at):
        at |= _from_sites(given.sites, [names[k] for k in scan_sensor])
    scan_of = _match(scan_t, scan_sensor, times[0], number)
    lost = fit & (scan_of < 0)
    _count(refused, "no_sensor_state", lost)
    fit &= ~lost
    if lost.any():
        notes.append("detections without a row of sensors at their time: sensors needs one for every scan")

    base, r, v, on_earth = _states(at, scan_t, scan_sensor, epoch, given, source)
    form = _form(found, at, given, on_earth)
    facing = at.get("facing_rad", np.zeros(len(scan_t)))
    sector = given.beam_rad is not None and form == "topocentric" and not timed and not _attitude(at)
    if sector:
        facing = np.zeros(len(scan_t))
        rows_fit = np.flatnonzero(fit)[::-1]  # the first row of a scan is written last
        facing[scan_of[rows_fit]] = np.nan_to_num(found.values["az_rad"][rows_fit])
    axes = _axes(at, form, base, r, scan_t, epoch, facing)
    az, el, crooked = _angles(form, found, scan_of, base, r, scan_t, epoch, axes, facing, _attitude(at))
    _count(refused, "unit_vector", fit & crooked)
    fit &= ~crooked
    measured = _measured(found, form, az, el, given)
    kind = _kinds(at, scan_sensor, number[fit], measured["sigma_range_m"][fit])
    keep = np.flatnonzero(fit)
    settings = _settings(at, kind, measured, given)
    if sector and given.beam_rad is not None:
        settings["field_azimuth_rad"][:] = 0.5 * given.beam_rad
        settings["clutter_density"] *= 2.0 * np.pi / given.beam_rad
    scans = Scans(
        scan=np.arange(len(scan_t)),
        sensor=scan_sensor,
        kind=kind,
        t_event=scan_t,
        r_gcrs=r,
        v_gcrs=v,
        q_gcrs_from_sensor=_quaternions(axes),
        background=np.full(len(scan_t), Background.ANY, np.int8),
        **settings,
    )
    detections = Detections(
        detection=keep, scan=scan_of[keep], **{key: values[keep] for key, values in measured.items()}
    )
    notes += _said(form, epoch, on_earth)
    truth = None if answers is None else _truth(answers, times[-1], given, epoch)
    return Recording(
        name,
        scans,
        detections,
        names,
        epoch,
        epoch is not None or on_earth,
        truth,
        found.rows,
        refused,
        tuple(notes),
    )


def _unused(*parts: Columns | None) -> list[str]:
    ignored = list(dict.fromkeys(column for part in parts if part is not None for column in part.ignored))
    answers = [column for column in ignored if column in ANSWERS]
    others = [column for column in ignored if column not in ANSWERS]
    notes = [f"not read, for they are answers: {', '.join(answers)}"] if answers else []
    if others:
        notes.append(f"columns not used: {', '.join(others[:8])}{' ...' if len(others) > 8 else ''}")
    return notes


def _said(form: str, epoch: Epoch | None, on_earth: bool) -> list[str]:
    notes = []
    if epoch is None and on_earth:
        notes.append("no UTC: the frame is that of the Earth's axes at t = 0, from which it turns uniformly")
    elif epoch is None:
        notes.append("no UTC: positions are taken as inertial, centred on the Earth, z along its axis")
    if form == "topocentric":
        notes.append(
            "azimuth is from north, clockwise, elevation above the ellipsoid; no refraction is taken out"
        )
    return notes


def _count(refused: dict[str, int], reason: str, bad: np.ndarray) -> None:
    if bad.any():
        refused[reason] = refused.get(reason, 0) + int(bad.sum())


def _has_time(columns: Columns) -> bool:
    return columns.has("t_s") or columns.has("utc")


# time


def _times(parts: list[Columns], given: Defaults) -> tuple[list[np.ndarray], Epoch | None]:
    """Seconds of every file past one epoch, nan where there is none; the epoch, or None without any UTC."""
    for part in parts:
        require(part, ("t_s",), ("utc",))
    dated = [part.has("utc") for part in parts]
    if not any(dated) and given.epoch is None:
        return [_plausible(part.values["t_s"]) for part in parts], None
    if given.epoch is not None:
        epoch = epoch_from_utc(given.epoch)
    elif not all(dated):
        bare = next(part for part, has in zip(parts, dated, strict=True) if not has)
        raise DataError(
            "has t_s where another file has utc", where=bare.where, remedy="give --epoch, the UTC of t_s = 0"
        )
    else:
        some = next((text for part in parts for text in part.values["utc"] if text), None)
        if some is None:
            raise DataError("has no time in any row", where=parts[0].where, remedy="fill the column utc")
        epoch = _first(parts, _epoch(str(some), parts[0].where))
    return [
        _plausible(_seconds(part, epoch) if has else part.values["t_s"])
        for part, has in zip(parts, dated, strict=True)
    ], epoch


def _epoch(text: str, where: str) -> Epoch:
    try:
        return epoch_from_utc(_utc(text))
    except NoroshiError as error:
        raise DataError(error.what, where=f"{where}, column utc", remedy=error.remedy) from None


def _first(parts: list[Columns], near: Epoch) -> Epoch:
    """The earliest instant of the column utc of all files."""
    first, text, where = np.inf, "", ""
    for part in parts:
        t = _plausible(_seconds(part, near))
        if np.isfinite(t).any() and np.nanmin(t) < first:
            k = int(np.nanargmin(t))
            first, text, where = float(t[k]), str(part.values["utc"][k]), part.where
    return _epoch(text, where) if text else near


def _plausible(t: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(t) < 1e11, t, np.nan)  # 3,000 years


def _utc(text: str) -> str:
    text = text.strip().replace(" ", "T").removesuffix("+00:00").removesuffix("Z").removesuffix("z")
    return (text if "." not in text or text.count(":") < 2 else text.rstrip("0").rstrip(".")) + "Z"


def _seconds(part: Columns, epoch: Epoch) -> np.ndarray:
    """Seconds past the epoch of the column utc (an empty cell: nan)."""
    texts, back = np.unique(part.values["utc"].astype(str), return_inverse=True)
    bare = np.array([_utc(text)[:-1] if text else "NaT" for text in texts])
    try:
        then = bare.astype("datetime64[ns]")
        day = then.astype("datetime64[D]")
        known = ~np.isnat(then)
        mjd = day.astype(np.int64) + 40587.0
        mjd[~known] = epoch.day - MJD_ZERO
        tt = (then - day).astype(np.int64) * 1e-9 + tai_minus_utc(mjd) + TT_MINUS_TAI_S
        t = np.round((mjd - (epoch.day - MJD_ZERO)) * DAY_S + (tt - epoch.fraction * DAY_S), 9)
        t[~known] = np.nan
    except ValueError:  # not a time, or a leap second: one by one
        t = np.empty(len(texts))
        for k, text in enumerate(texts):
            try:
                t[k] = seconds_from_utc(epoch, bare[k] + "Z") if text else np.nan
            except NoroshiError as error:
                row = int(np.argmax(back == k))
                raise DataError(
                    error.what, where=f"{part.row(row)}, column utc", remedy=error.remedy
                ) from None
    return t[back]


# sensors and scans


def _numbers(found: Columns, places: Columns | None) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names of the sensors; the number of each row of detections (-1: not among them) and of sensors."""
    source = places if places is not None else found
    words = source.values.get("sensor")
    if words is None:
        if places is not None and places.rows > 1 and not _has_time(places):
            require(places, ("sensor",))
        words = np.full(source.rows, "0", object)
    unique = [str(w) for w in np.unique(words.astype(str)) if w]
    order = sorted(unique, key=lambda w: (not w.isdecimal(), int(w) if w.isdecimal() else 0, w))
    names = tuple(order)
    known = {w: k for k, w in enumerate(names)}
    mine = np.array([known.get(str(w), -1) for w in words], np.int64).reshape(-1)
    if places is None:
        return names, mine, mine
    called = found.values.get("sensor")
    if called is None:
        if len(names) != 1:
            require(found, ("sensor",))
        return names, np.zeros(found.rows, np.int64), mine
    return names, np.array([known.get(str(w), -1) for w in called], np.int64).reshape(-1), mine


def _deduced(t: np.ndarray, number: np.ndarray, fit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, sensor and first row of every (time, sensor) that has a detection."""
    rows = np.flatnonzero(fit)
    rows = rows[np.lexsort((rows, number[rows], t[rows]))]
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(t[rows]) != 0.0) | (np.diff(number[rows]) != 0)
    first = rows[new]
    return t[first], number[first], first


def _only_row(places: Columns, number: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """The one row of each sensor in a file without times."""
    twice = np.flatnonzero(np.bincount(number[number >= 0], minlength=len(names)) > 1)
    if len(twice):
        raise DataError(
            f"has several rows of the sensor {names[twice[0]]!r} but no time",
            where=places.where,
            remedy="add t_s or utc, or keep one row for each sensor",
        )
    row = np.full(len(names), -1, np.int64)
    row[number[number >= 0]] = np.flatnonzero(number >= 0)
    return row


def _match(scan_t: np.ndarray, scan_sensor: np.ndarray, t: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The scan of each detection, equal in sensor and time to a microsecond; -1: none."""
    both = np.concatenate([scan_t, t])
    tick = np.where(np.isfinite(both), np.round(np.nan_to_num(both) / SAME_TIME_S), np.nan)
    _, tick = np.unique(tick, return_inverse=True, equal_nan=True)
    width = int(max(scan_sensor.max(initial=0), number.max(initial=0))) + 2
    key = tick * width + np.concatenate([scan_sensor, number]) + 1
    scans, wanted = key[: len(scan_t)], key[len(scan_t) :]
    good = np.isfinite(scan_t) & (scan_sensor >= 0)
    order = np.flatnonzero(good)[np.argsort(scans[good], kind="stable")]
    place = np.searchsorted(scans[order], wanted)
    out = np.full(len(t), -1, np.int64)
    inside = (place < len(order)) & np.isfinite(t) & (number >= 0)
    hit = order[place[inside]]
    out[inside] = np.where(scans[hit] == wanted[inside], hit, -1)
    return out


def _positioned(at: dict[str, np.ndarray]) -> bool:
    return "latitude_rad" in at or "x_m" in at


def _from_sites(sites: Sites, names: list[str]) -> dict[str, np.ndarray]:
    known = {name: k for k, name in enumerate(sites.names)}
    missing = sorted({name for name in names if name not in known})
    if missing:
        raise DataError(
            f"the sites do not name {missing[0]!r}",
            where="--sites",
            remedy=f"its names are {', '.join(sites.names[:6])}; add the line",
        )
    k = np.array([known[name] for name in names], np.int64)
    height = np.nan_to_num(sites.height_m)
    return {"latitude_rad": sites.lat_rad[k], "longitude_rad": sites.lon_rad[k], "height_m": height[k]}


# positions and attitudes


def _states(
    at: dict[str, np.ndarray],
    t: np.ndarray,
    sensor: np.ndarray,
    epoch: Epoch | None,
    given: Defaults,
    source: Columns,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """Rotation of the file's axes into the frame, position and velocity there, and whether they are the Earth's."""
    geodetic = "latitude_rad" in at
    if not geodetic:
        require(source, ("x_m", "y_m", "z_m"), ("latitude_rad", "longitude_rad"))
    on_earth = geodetic or given.frame != "gcrs"
    n = len(t)
    own = np.broadcast_to(np.eye(3), (n, 3, 3))
    if geodetic:
        if "longitude_rad" not in at:
            require(source, ("latitude_rad", "longitude_rad"))
        lat = np.where(np.abs(at["latitude_rad"]) <= np.pi / 2, at["latitude_rad"], np.nan)
        r = itrs_from_geodetic(lat, at["longitude_rad"], at.get("height_m", np.zeros(n)))
    else:
        r = np.stack([at["x_m"], at["y_m"], at["z_m"]], 1)
        if given.frame == "enu":
            if given.origin is None:
                raise DataError(
                    "has positions in a local frame",
                    where=source.where,
                    remedy="give --origin LAT,LON,HEIGHT_M",
                )
            lat, lon, height = given.origin
            local = enu_from_itrs(lat, lon)  # rows east, north, up
            r = itrs_from_geodetic(lat, lon, height) + r @ local
            own = np.broadcast_to(local.T, (n, 3, 3))
    velocity = all(name in at for name in VELOCITY)
    v = np.stack([at[name] for name in VELOCITY], 1) if velocity else _rates(r, t, sensor)
    if velocity and given.frame == "enu" and not geodetic:
        v = frames.rotate(own, v)
    if not on_earth:
        return own, r, v, False
    m = earth_axes(epoch, t)
    r, v = frames.state_gcrs(m, r, v)
    return np.swapaxes(m, 1, 2) @ own, r, v, True


def _rates(r: np.ndarray, t: np.ndarray, sensor: np.ndarray) -> np.ndarray:
    """Velocities by differences of each sensor's positions, 0 for one that has a single row."""
    v = np.zeros_like(r)
    order = np.lexsort((t, sensor))
    good = order[np.isfinite(t[order]) & np.isfinite(r[order]).all(1)]
    for rows in np.split(good, np.flatnonzero(np.diff(sensor[good])) + 1):
        at, first = np.unique(t[rows], return_index=True)
        if len(at) > 1:
            v[rows] = np.gradient(r[rows[first]], at, axis=0)[np.searchsorted(at, t[rows])]
    return v


def _attitude(at: dict[str, np.ndarray]) -> bool:
    return all(k in at for k in ("qw", "qx", "qy", "qz")) or all(k in at for k in ("yaw_rad", "pitch_rad"))


def _form(found: Columns, at: dict[str, np.ndarray], given: Defaults, on_earth: bool) -> str:
    """How directions are given: unit, radec, sensor, topocentric, or none."""
    forms = [
        form
        for form, names in (
            ("unit", ("ux", "uy", "uz")),
            ("radec", ("ra_rad", "dec_rad")),
            ("az", ("az_rad", "el_rad")),
        )
        if any(name in found.values for name in names)
    ]
    if len(forms) > 1:
        raise DataError(
            "gives directions in more than one way",
            where=found.where,
            remedy="keep az and el, ra and dec, or ux, uy and uz",
        )
    if not forms:
        require(found, ("az_rad", "el_rad"), ("ra_rad", "dec_rad"), ("ux", "uy", "uz"), ("range_m",))
        return "none"
    if forms[0] == "az":
        lost = [name for name in ("az_rad", "el_rad") if not found.has(name)]
        # a radar may lack one of the two, but not by a slip of the pen
        if lost and (not found.has("range_m") or get_close_matches(lost[0], found.ignored, 1, 0.5)):
            require(found, ("az_rad", "el_rad"))
        if given.angles is not None:
            form = given.angles
        else:
            form = "sensor" if _attitude(at) or "facing_rad" in at else "topocentric"
        if form == "sensor" and not _attitude(at) and "facing_rad" not in at:
            raise DataError(
                "has az and el in sensor axes, but the sensor's attitude is not given",
                where=found.where,
                remedy="add qw, qx, qy, qz, or yaw_rad and pitch_rad, or facing_rad; or give --angles topocentric",
            )
        if form == "topocentric" and not on_earth and _undated(given, found):
            raise DataError(
                "has az and el without an attitude, and positions that are not on the Earth",
                where=found.where,
                remedy="add the attitude (qw, qx, qy, qz or yaw_rad, pitch_rad), --frame itrs, or times in UTC",
            )
        return form
    require(found, ("ra_rad", "dec_rad") if forms[0] == "radec" else ("ux", "uy", "uz"))
    return forms[0]


def _undated(given: Defaults, found: Columns) -> bool:
    """Whether nothing says how the Earth lies in an inertial frame."""
    return given.epoch is None and not found.has("utc")


def _axes(
    at: dict[str, np.ndarray],
    form: str,
    base: np.ndarray,
    r: np.ndarray,
    t: np.ndarray,
    epoch: Epoch | None,
    facing: np.ndarray,
) -> np.ndarray:
    """Rotations [scan, 3, 3] of sensor axes into the frame."""
    if all(k in at for k in ("qw", "qx", "qy", "qz")):
        q = np.stack([at["qw"], at["qx"], at["qy"], at["qz"]], 1)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return base @ _rotations(q)
    if all(k in at for k in ("yaw_rad", "pitch_rad")):
        y, p = at["yaw_rad"], at["pitch_rad"]
        with np.errstate(invalid="ignore"):
            cy, sy, cp, sp = np.cos(y), np.sin(y), np.cos(p), np.sin(p)
        columns = [[cp * cy, cp * sy, sp], [-sy, cy, 0.0 * y], [-sp * cy, -sp * sy, cp]]
        return base @ np.moveaxis(np.array(columns), (0, 1), (2, 1))
    east, north, up, high = _horizon(r, t, epoch)
    if form in ("sensor", "topocentric") or "facing_rad" in at:
        with np.errstate(invalid="ignore"):
            x = np.cos(facing)[:, None] * north + np.sin(facing)[:, None] * east
        return np.stack([x, np.cross(up, x), up], axis=-1)
    x = np.where(high[:, None], -up, up)  # boresight nadir in space, zenith on the ground
    return np.stack([x, np.cross(north, x), north], axis=-1)


def _horizon(
    r: np.ndarray, t: np.ndarray, epoch: Epoch | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """East, north, up (geodetic) at positions of the frame, in the frame; and whether they lie in space."""
    m = earth_axes(epoch, t)
    r_itrs = frames.rotate(m, np.where(np.isfinite(r), r, 1e7))
    lat, lon, height = geodetic_from_itrs(r_itrs)
    local = np.swapaxes(m, 1, 2) @ np.swapaxes(enu_from_itrs(lat, lon), 1, 2)  # columns east, north, up
    return local[..., 0], local[..., 1], local[..., 2], height > NADIR_ABOVE_M


def _rotations(q: np.ndarray) -> np.ndarray:
    w, x, y, z = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (1, 2))


def _quaternions(m: np.ndarray) -> np.ndarray:
    """Unit quaternions (w, x, y, z) of rotation matrices; nan where a matrix is not finite."""
    q = np.full((len(m), 4), np.nan)
    good = np.isfinite(m).all((1, 2))
    if good.any():
        q[good] = Rotation.from_matrix(m[good]).as_quat(scalar_first=True)
    return q


# what was measured


def _angles(
    form: str,
    found: Columns,
    scan_of: np.ndarray,
    base: np.ndarray,
    r: np.ndarray,
    t: np.ndarray,
    epoch: Epoch | None,
    axes: np.ndarray,
    facing: np.ndarray,
    attitude: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Azimuth and elevation in sensor axes, nan where not measured, and rows whose unit vector is none.

    What is absurd (an elevation of 100 deg) stays as it is, for the tracker's screen to refuse.
    """
    n = found.rows
    crooked = np.zeros(n, bool)
    if form == "none" or not len(axes):
        return np.full(n, np.nan), np.full(n, np.nan), crooked
    at = np.maximum(scan_of, 0)
    if form in ("sensor", "topocentric"):
        az = found.values.get("az_rad", np.full(n, np.nan))
        el = found.values.get("el_rad", np.full(n, np.nan))
        if form == "sensor":
            return az, el, crooked
        if not attitude:
            turned = facing[at] - az
            with np.errstate(invalid="ignore"):
                whole = np.where(
                    np.abs(az) <= 2 * np.pi, turned - 2 * np.pi * np.round(turned / (2 * np.pi)), az
                )
            return whole, el, crooked
        east, north, up, _ = _horizon(r, t, epoch)
        with np.errstate(invalid="ignore"):
            level = np.cos(el)[:, None] * (np.cos(az)[:, None] * north[at] + np.sin(az)[:, None] * east[at])
            u = level + np.sin(el)[:, None] * up[at]
        return *_seen(u, axes[at], az, el), crooked
    if form == "radec":
        az, el = found.values["ra_rad"], found.values["dec_rad"]
        with np.errstate(invalid="ignore"):
            u = np.stack([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)], 1)
        return *_seen(u, axes[at], az, el), crooked
    u = np.stack([found.values[k] for k in ("ux", "uy", "uz")], 1)
    with np.errstate(invalid="ignore", over="ignore"):
        length = np.linalg.norm(u, axis=1)
        crooked = ~np.isnan(u).all(1) & ~(np.abs(length - 1.0) <= UNIT_VECTOR_OFF)
        u = np.einsum("nij,nj->ni", base[at], u / length[:, None])
    nothing = np.where(np.isfinite(length), 0.0, np.nan)
    return *_seen(u, axes[at], nothing, nothing), crooked


def _seen(u: np.ndarray, axes: np.ndarray, az: np.ndarray, el: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Azimuth and elevation of directions in sensor axes; where az and el make no sense, those themselves."""
    x, y, z = np.einsum("nij,ni->jn", axes, u)
    with np.errstate(invalid="ignore"):
        sense = np.isfinite(az) & np.isfinite(el) & (np.abs(el) <= np.pi / 2) & (np.abs(az) <= 2 * np.pi)
        new_az, new_el = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
    half = np.isnan(az) | np.isnan(el)  # half a direction is none in other axes
    keep_az, keep_el = np.where(half, np.nan, az), np.where(half, np.nan, el)
    return np.where(sense, new_az, keep_az), np.where(sense, new_el, keep_el)


def _measured(
    found: Columns, form: str, az: np.ndarray, el: np.ndarray, given: Defaults
) -> dict[str, np.ndarray]:
    """The measured columns of Detections, sigma inf where a value is nan."""
    n = found.rows
    nothing = np.full(n, np.nan)
    out = {
        "az_rad": az,
        "el_rad": el,
        "range_m": found.values.get("range_m", nothing),
        "range_rate_m_s": found.values.get("range_rate_m_s", nothing),
    }

    def filled(name: str, default: float | None, needed: bool, flag: str) -> np.ndarray:
        column = found.values.get(name)
        if column is None and default is None:
            if needed:
                raise DataError(
                    f"does not say how good its measurements are: no {name}",
                    where=found.where,
                    remedy=f"add the column {name}, or give {flag}",
                )
            return nothing
        if column is None:
            return np.full(n, default)
        return column if default is None else np.where(np.isnan(column), default, column)

    own = found.has("sigma_az_rad") and found.has("sigma_el_rad") and form in ("sensor", "topocentric")
    if own:
        sigma_az, sigma_el = found.values["sigma_az_rad"], found.values["sigma_el_rad"]
    else:
        if form in ("radec", "unit") and found.has("sigma_az_rad") and not found.has("sigma_angle_rad"):
            raise DataError(
                "gives sigma_az for directions that are not in sensor axes",
                where=found.where,
                remedy="give sigma_angle_rad, the same across the line of sight in every direction",
            )
        needed = bool(np.isfinite(az).any() or np.isfinite(el).any())
        sigma_el = filled("sigma_angle_rad", given.sigma_angle_rad, needed, "--sigma-angle-urad")
        with np.errstate(invalid="ignore"):
            level = np.where(np.isfinite(el), np.cos(np.clip(el, -np.pi / 2, np.pi / 2)), 1.0)
        sigma_az = sigma_el / np.maximum(level, 1e-9)
    out["sigma_az_rad"], out["sigma_el_rad"] = sigma_az, sigma_el
    for name, default in (
        ("range_m", given.sigma_range_m),
        ("range_rate_m_s", given.sigma_range_rate_m_s),
    ):
        flag = f"--sigma-{name.replace('_', '-')}"
        out[f"sigma_{name}"] = filled(f"sigma_{name}", default, bool(np.isfinite(out[name]).any()), flag)
    for name in ("az_rad", "el_rad", "range_m", "range_rate_m_s"):
        out[f"sigma_{name}"] = np.where(np.isnan(out[name]), inf, out[f"sigma_{name}"])
    out["snr"] = found.values.get("snr", np.full(n, np.nan))
    return out


def _kinds(
    at: dict[str, np.ndarray], sensor: np.ndarray, number: np.ndarray, sigma_range: np.ndarray
) -> np.ndarray:
    """Kind of each scan: as said, else a radar where its sensor has ever measured a range."""
    ranging = np.unique(number[~np.isposinf(sigma_range)])
    kind = np.where(np.isin(sensor, ranging), Kind.RADAR, Kind.INFRARED).astype(np.int8)
    words = at.get("kind")
    if words is None:
        return kind
    for word in np.unique(words.astype(str)):
        if word and word.upper() not in Kind.__members__:
            raise DataError(
                f"no kind of sensor is called {word!r}", where="column kind", remedy="use infrared or radar"
            )
        if word:
            kind[words == word] = Kind[word.upper()]
    return kind


def _settings(
    at: dict[str, np.ndarray], kind: np.ndarray, measured: dict[str, np.ndarray], given: Defaults
) -> dict[str, np.ndarray]:
    n = len(kind)

    def column(name: str, default: float) -> np.ndarray:
        values = at.get(name)
        return np.full(n, default) if values is None else np.where(np.isnan(values), default, values)

    out = {name: column(name, default) for name, default in FIELD.items()}
    out["p_detect"] = column("p_detect", given.p_detect)
    out["range_max_m"] = column("range_max_m", given.range_max_m)
    alarms = column("false_alarms_per_scan", given.false_alarms_per_scan)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        cone = 2 * np.pi * (1 - np.cos(np.minimum(out["field_cone_rad"], np.pi)))
        heights = np.sin(out["field_elevation_max_rad"]) - np.sin(out["field_elevation_min_rad"])
        volume = np.minimum(cone, 2 * np.minimum(out["field_azimuth_rad"], np.pi) * heights)
        ranges = measured["range_m"]
        seen = ranges[np.isfinite(ranges) & (ranges > 0.0) & (ranges < 1e9)]
        reach = np.where(np.isfinite(out["range_max_m"]), out["range_max_m"], seen.max(initial=1.0))
        density = alarms / np.where(kind == Kind.RADAR, volume * reach, volume)
    out["clutter_density"] = column("clutter_density", np.nan)
    out["clutter_density"] = np.where(np.isnan(out["clutter_density"]), density, out["clutter_density"])
    return out


# truth


def _truth(answers: Columns, t: np.ndarray, given: Defaults, epoch: Epoch | None) -> Truth:
    """Every target on the times of all, interpolated inside its own span; velocities by spline where not given."""
    good = np.isfinite(t)
    base = {name: values for name, values in answers.values.items()}
    names_of = answers.values.get("target", np.full(answers.rows, "0", object)).astype(str)
    names, number = np.unique(names_of, return_inverse=True)
    number = number.reshape(-1)
    _, r, v, _ = _states(base, t, number, epoch, given, answers)
    own = all(name in base for name in VELOCITY)
    good &= np.isfinite(r).all(1) & np.isfinite(v).all(1)
    if not good.any():
        raise DataError(
            "has no usable row", where=answers.where, remedy="give times and positions of targets"
        )
    times = np.unique(t[good])
    shape = (len(times), len(names), 3)
    r_all, v_all, alive = np.zeros(shape), np.zeros(shape), np.zeros(shape[:2], bool)
    for k in range(len(names)):
        rows = np.flatnonzero(good & (number == k))
        at, first = np.unique(t[rows], return_index=True)
        rows = rows[first]
        if not len(rows):
            continue
        here = (times >= at[0]) & (times <= at[-1])
        alive[here, k] = True
        if len(at) == 1:
            r_all[here, k], v_all[here, k] = r[rows], v[rows]
            continue
        curve = CubicHermiteSpline(at, r[rows], v[rows]) if own else CubicSpline(at, r[rows])
        r_all[here, k], v_all[here, k] = curve(times[here]), curve(times[here], 1)
        exact = np.searchsorted(times, at)
        r_all[exact, k] = r[rows]
        if own:
            v_all[exact, k] = v[rows]
    return _truth_table(tuple(str(n) for n in names), times, r_all, v_all, alive)


def _truth_table(
    names: tuple[str, ...], t: np.ndarray, r: np.ndarray, v: np.ndarray, alive: np.ndarray
) -> Truth:
    first, last = np.full(len(names), np.nan), np.full(len(names), np.nan)
    for k in range(len(names)):
        at = np.flatnonzero(alive[:, k])
        if len(at):
            first[k], last[k] = t[at[0]], t[at[-1]]
    return Truth(
        targets=names,
        bands=(),
        t=t,
        r_gcrs=r,
        v_gcrs=v,
        phase=np.full(alive.shape, Phase.CRUISE, np.int8),
        alive=alive,
        intensity_w_sr=np.zeros((*alive.shape, 0)),
        rcs_m2=np.zeros(len(names)),
        t_launch=first,
        t_impact=last,
    )

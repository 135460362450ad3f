"""Recorded flights from files: CSV (t_s, latitude_deg, longitude_deg, height_m) and CCSDS OEM 2.0 in KVN.

Every damage (a missing or repeated column, a number that is none, times out of order, a frame or time system that is
not understood, a file cut short) is a DataError with file, line and remedy.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import erfa
import numpy as np

from noroshi.errors import DataError, ScenarioError
from noroshi.io.read import file_bytes
from noroshi.targets.models import Record
from noroshi.time import DAY_S, TT_MINUS_TAI_S, Epoch, epoch_from_utc, tai_minus_utc

COLUMNS = ("t_s", "latitude_deg", "longitude_deg", "height_m")
HEIGHT_MAX_M = 1e9
FRAMES = {
    "GCRF": "GCRS",
    "GCRS": "GCRS",
    "ICRF": "GCRS",  # with CENTER_NAME EARTH: the axes of the GCRS
    "EME2000": "EME2000",
    "J2000": "EME2000",
    "TEME": "TEME",
    "ITRF": "ITRS",
    "ITRF2000": "ITRS",
    "ITRF-97": "ITRS",
    "ITRF2008": "ITRS",
    "ITRF2014": "ITRS",
    "ITRF2020": "ITRS",
}
SIZE_MAX = 200_000_000  # bytes
KM = 1e3
SPEED_MAX_M_S = 20e3  # notional: nothing bound to the Earth is as fast, kilometres read as metres are


def read_record(path: Path | str) -> Record:
    """The record of a file, CSV or OEM told apart by content. Raises DataError."""
    return parse_record(file_bytes(path, "the path is relative to the scenario file"), str(path))


def parse_record(data: bytes, where: str) -> Record:
    """As `read_record`, of bytes."""
    if len(data) > SIZE_MAX:
        raise DataError("is too large for one flight", where=where, remedy="cut it to the flight")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"is not text (byte {error.start})", where=where, remedy="give a CSV or an OEM in KVN"
        ) from None
    lines = text.splitlines()
    first = next((line.strip() for line in lines if line.strip()), "")
    if not first:
        raise DataError("is empty", where=where, remedy="give a CSV or an OEM in KVN")
    if first.startswith("<"):
        raise DataError("is XML; OEM is read as KVN only", where=where, remedy="convert it to KVN")
    return _oem(lines, where) if first.startswith("CCSDS_OEM_VERS") else _csv(lines, where)


def _bad(what: str, where: str, line: int, remedy: str) -> DataError:
    return DataError(what, where=f"{where}:{line}", remedy=remedy)


def _number(text: str, where: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _bad(
            f"{text.strip()[:40]!r} is not a number", where, line, "correct or remove the line"
        ) from None
    if not math.isfinite(value):
        raise _bad(f"{text.strip()!r} is not a finite number", where, line, "correct or remove the line")
    return value


def _csv(lines: list[str], where: str) -> Record:
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error as error:
        raise DataError(
            f"is not CSV: {error}", where=where, remedy="write plain comma-separated values"
        ) from None
    start = next(k for k, row in enumerate(rows) if row)
    header = [name.strip() for name in rows[start]]
    missing = [name for name in COLUMNS if name not in header]
    if missing or len(set(header)) < len(header):
        what = f"lacks the column {missing[0]!r}" if missing else "names a column twice"
        raise _bad(what, where, start + 1, f"the first line names the columns: {', '.join(COLUMNS)}")
    at = [header.index(name) for name in COLUMNS]
    values = []
    for number, row in enumerate(rows[start + 1 :], start + 2):
        if not row:
            continue
        if len(row) != len(header):
            raise _bad(f"has {len(row)} values for {len(header)} columns", where, number, "complete the line")
        t, lat, lon, height = (_number(row[k], where, number) for k in at)
        if abs(lat) > 90 or abs(lon) > 360:
            raise _bad("is no place on the Earth", where, number, "latitude and longitude are in degrees")
        if not -1e4 < height < HEIGHT_MAX_M:
            raise _bad(
                f"has a height of {height:g} m", where, number, "height_m is in metres above the ellipsoid"
            )
        if values and t <= values[-1][0]:
            raise _bad(f"t_s = {t:g} does not come after {values[-1][0]:g}", where, number, "sort by t_s")
        values.append((t, lat, lon, height))
    if len(values) < 4:
        raise DataError(f"has {len(values)} rows", where=where, remedy="a flight needs at least four")
    t, lat, lon, height = np.array(values).T
    r = erfa.gd2gc(1, np.deg2rad(lon), np.deg2rad(lat), height)  # 1: WGS-84
    speed = np.linalg.norm(np.diff(r, axis=0), axis=1) / np.diff(t)
    if speed.max() > SPEED_MAX_M_S:
        k = int(np.argmax(speed > SPEED_MAX_M_S))
        raise DataError(
            f"moves at {speed[k] / 1e3:.3g} km/s from t_s = {t[k]:g} to {t[k + 1]:g}",
            where=where,
            remedy="units are seconds, degrees and metres; remove rows that are wrong",
        )
    t = t - t[0]
    return Record(
        Path(where).stem, where, "ITRS", math.nan, math.nan, t, r, None, "spline", 3, (0.0, float(t[-1]))
    )


def _oem(lines: list[str], where: str) -> Record:
    meta, data = _oem_parts(lines, where)
    _expect(meta, "CENTER_NAME", ("EARTH",), where)
    frame = FRAMES.get(_value(meta, "REF_FRAME", where)[0].upper())
    if frame is None:
        text, line = _value(meta, "REF_FRAME", where)
        raise _bad(f"REF_FRAME {text} is not understood", where, line, f"use one of {', '.join(FRAMES)}")
    system, line = _value(meta, "TIME_SYSTEM", where)
    if system.upper() not in ("UTC", "TAI", "TT"):
        raise _bad(f"TIME_SYSTEM {system} is not understood", where, line, "use UTC, TAI or TT")
    states = list(_states(data, system.upper(), where))
    if len(states) < 2:
        raise DataError(f"has {len(states)} states", where=where, remedy="a flight needs at least two")
    epoch = states[0][0]
    t = np.array([_between(epoch, then) for then, _ in states])
    values = np.array([numbers for _, numbers in states]) * KM
    first, last = (
        _between(epoch, _instant(*_value(meta, key, where), system.upper(), where))
        if key in meta
        else fallback
        for key, fallback in (("USEABLE_START_TIME", 0.0), ("USEABLE_STOP_TIME", float(t[-1])))
    )
    stop, line = _value(meta, "STOP_TIME", where)
    if abs(_between(epoch, _instant(stop, line, system.upper(), where)) - t[-1]) > 1e-3:
        raise _bad("STOP_TIME is not that of the last state", where, line, "the file may have been cut short")
    method = meta.get("INTERPOLATION", ("LAGRANGE", 0))[0].lower()
    if method not in ("lagrange", "hermite", "linear"):
        raise _bad(
            f"INTERPOLATION {method} is not understood", where, meta["INTERPOLATION"][1], "use LAGRANGE"
        )
    degree = 7
    if "INTERPOLATION_DEGREE" in meta:
        text, line = meta["INTERPOLATION_DEGREE"]
        if not text.isdigit() or not 1 <= int(text) <= 15:
            raise _bad(
                f"INTERPOLATION_DEGREE {text} is not understood", where, line, "use a number from 1 to 15"
            )
        degree = int(text)
    degree = 1 if method == "linear" else min(degree, len(t) - 1)
    name = _value(meta, "OBJECT_NAME", where)[0]
    useable = (max(first, 0.0), min(last, float(t[-1])))
    kind = "hermite" if method == "hermite" else "lagrange"
    return Record(
        name, where, frame, epoch.day, epoch.fraction, t, values[:, :3], values[:, 3:], kind, degree, useable
    )


def _oem_parts(lines: list[str], where: str) -> tuple[dict[str, tuple[str, int]], list[tuple[int, str]]]:
    """Metadata with line numbers, and the data lines of the one segment."""
    meta: dict[str, tuple[str, int]] = {}
    data: list[tuple[int, str]] = []
    section = "header"
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("COMMENT"):
            continue
        if text == "META_START":
            if section != "header":
                raise _bad(
                    "has a second segment", where, number, "give a file with one object and one segment"
                )
            section = "meta"
        elif text == "META_STOP":
            if section != "meta":
                raise _bad("META_STOP without META_START", where, number, "restore the metadata block")
            section = "data"
        elif text == "COVARIANCE_START":
            section = "covariance"  # not used
        elif text == "COVARIANCE_STOP":
            section = "data"
        elif section in ("header", "meta"):
            key, found, value = text.partition("=")
            if not found:
                raise _bad(f"{text[:40]!r} is no KEY = VALUE", where, number, "restore the line")
            if section == "meta":
                meta[key.strip()] = (value.strip(), number)
        elif section == "data":
            data.append((number, text))
    if section not in ("data",):
        raise DataError(
            "ends inside its metadata or covariance", where=where, remedy="the file was cut short"
        )
    return meta, data


def _value(meta: dict[str, tuple[str, int]], key: str, where: str) -> tuple[str, int]:
    if key not in meta or not meta[key][0]:
        raise DataError(
            f"lacks {key} in its metadata", where=where, remedy="add it between META_START and META_STOP"
        )
    return meta[key]


def _expect(meta: dict[str, tuple[str, int]], key: str, wanted: tuple[str, ...], where: str) -> None:
    text, line = _value(meta, key, where)
    if text.upper() not in wanted:
        raise _bad(f"{key} is {text}", where, line, f"only {', '.join(wanted)} is understood")


def _states(data: list[tuple[int, str]], system: str, where: str) -> Iterator[tuple[Epoch, list[float]]]:
    before: Epoch | None = None
    for number, text in data:
        parts = text.split()
        if len(parts) not in (7, 10):
            raise _bad(
                f"has {len(parts)} values", where, number, "a state is a time, x y z [km] and vx vy vz [km/s]"
            )
        now = _instant(parts[0], number, system, where)
        if before is not None and _between(before, now) <= 0:
            raise _bad(f"{parts[0]} does not come after the state before", where, number, "sort by time")
        before = now
        numbers = [_number(part, where, number) for part in parts[1:7]]
        radius = math.dist((0, 0, 0), numbers[:3])
        if not 6000.0 < radius < 2e6:
            raise _bad(f"lies {radius:g} km from the Earth's centre", where, number, "positions are in km")
        yield now, numbers


def _instant(text: str, line: int, system: str, where: str) -> Epoch:
    """The instant of an OEM time in its time system."""
    try:
        if system == "UTC":
            return epoch_from_utc(text.removesuffix("Z") + "Z")
        as_utc = epoch_from_utc(text.removesuffix("Z") + "Z")  # read as if UTC, then take the offset back out
    except (ScenarioError, DataError):
        raise _bad(f"{text[:40]!r} is not a time", where, line, "write 2020-06-01T12:00:00.000") from None
    mjd = np.floor(as_utc.day - 2400000.5)
    offset = float(tai_minus_utc(mjd)) + (TT_MINUS_TAI_S if system == "TT" else 0.0)
    return Epoch(as_utc.day, as_utc.fraction - offset / DAY_S)


def _between(a: Epoch, b: Epoch) -> float:
    return round(float((b.day - a.day) + (b.fraction - a.fraction)) * DAY_S, 9)

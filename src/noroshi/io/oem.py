"""Orbit ephemeris messages (CCSDS 502.0-B, OEM versions 1.0 and 2.0, KVN form)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import erfa
import numpy as np

from noroshi.errors import DataError, ScenarioError
from noroshi.io.trajectory_csv import check_order, decode, finite, parse_trajectory_csv, read_bytes
from noroshi.targets.models import Record
from noroshi.time import DAY_S, MJD_ZERO, TT_MINUS_TAI_S, Epoch, epoch_from_utc

VERSIONS = ("1.0", "2.0")
REQUIRED = ("OBJECT_NAME", "CENTER_NAME", "REF_FRAME", "TIME_SYSTEM", "START_TIME", "STOP_TIME")
# ICRF is read as the axes of the GCRS, centred on the Earth
FRAMES = {"GCRF": "GCRS", "ICRF": "GCRS", "EME2000": "EME2000", "TEME": "TEME"}
_ITRF = re.compile(r"ITRF(-?\d{2}|\d{4})?")
TIME_SYSTEMS = ("UTC", "TAI", "TT")
RADIUS_MIN_KM, RADIUS_MAX_KM = 6_000.0, 1e6  # of the Earth's surface less a margin; beyond the Moon
SPEED_MAX_KM_S = 20.0  # notional: no Earth-bound body comes near it, metres per second do
DEGREE_MAX = 11
_DATE = re.compile(r"(\d{4})-(?:(\d{2})-(\d{2})|(\d{3}))T(\d{2}:\d{2}:\d{2}(?:\.\d*)?)Z?")


class _Segment(NamedTuple):
    """A metadata block and its data lines, each with its line number."""

    meta: dict[str, tuple[str, int]]
    start: int
    rows: list[tuple[int, str]]


def read_trajectory(path: Path | str) -> tuple[Record, ...]:
    """Recorded trajectory of one object: the segments of an OEM, or one CSV; the content tells which."""
    data = read_bytes(path)
    where = str(path)
    head = decode(data[:4096].rpartition(b"\n")[0] or data[:4096], where) if data else ""
    if any(line.split("=")[0].strip() == "CCSDS_OEM_VERS" for line in head.splitlines()):
        return parse_oem(data, where)
    if "<oem" in head:
        raise DataError("is an OEM in XML form", where=where, remedy="convert it to KVN form")
    return (parse_trajectory_csv(data, where),)


def read_oem(path: Path | str) -> tuple[Record, ...]:
    """The segments of an OEM file in order, positions in metres.

    Frames GCRF, ICRF, EME2000, ITRF and TEME about the Earth; time systems UTC, TAI and TT. Accelerations and
    covariances are skipped. Any damage raises DataError with file, line and remedy.
    """
    return parse_oem(read_bytes(path), str(path))


def parse_oem(data: bytes, where: str) -> tuple[Record, ...]:
    """As `read_oem`, from the bytes of a file called `where` in messages."""
    segments = _segments(decode(data, where), where)
    if not segments:
        raise DataError("has no META_START", where=where, remedy="the file may be cut off; fetch it again")
    records = tuple(_record(segment, where) for segment in segments)
    names = {record.name for record in records}
    if len(names) > 1:
        raise DataError(
            f"holds {len(names)} objects ({', '.join(sorted(names))})",
            where=where,
            remedy="split it: one object a file",
        )
    return records


def _segments(text: str, where: str) -> list[_Segment]:
    """Cut the message into segments; structure only."""
    segments: list[_Segment] = []
    state, opened, version = "header", 0, False
    for n, raw in enumerate(text.splitlines(), 1):
        line, place = raw.strip(), f"{where}:{n}"
        if not line or line.split()[0] == "COMMENT":
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not version:
            if key != "CCSDS_OEM_VERS" or value not in VERSIONS:
                raise DataError(
                    f"begins with {line[:60]!r}",
                    where=place,
                    remedy=f"an OEM begins with CCSDS_OEM_VERS = {' or '.join(VERSIONS)}",
                )
            version = True
        elif line == "META_START":
            if state in ("meta", "covariance"):
                raise DataError(
                    f"META_START inside the block of line {opened}", where=place, remedy="close that block"
                )
            segments.append(_Segment({}, n, []))
            state, opened = "meta", n
        elif line == "META_STOP" and state == "meta":
            state = "data"
        elif line == "COVARIANCE_START" and state == "data":
            state, opened = "covariance", n
        elif line == "COVARIANCE_STOP" and state == "covariance":
            state = "data"
        elif state == "meta" and equals:
            if key in segments[-1].meta:
                raise DataError(f"gives {key} twice", where=place, remedy="keep one of them")
            segments[-1].meta[key] = (value, n)
        elif state == "data" and not equals:
            segments[-1].rows.append((n, line))
        elif state != "covariance" and not (state == "header" and equals):
            raise DataError(
                f"{line[:60]!r} does not belong here",
                where=place,
                remedy="an OEM is metadata, then data lines",
            )
    if state in ("meta", "covariance"):
        raise DataError(
            f"the block of line {opened} is not closed",
            where=where,
            remedy="the file is cut off; fetch it again",
        )
    return segments


def _record(segment: _Segment, where: str) -> Record:
    meta, place = segment.meta, f"{where}:{segment.start}"
    for key in REQUIRED:
        if not meta.get(key, ("", 0))[0]:
            raise DataError(
                f"metadata lacks {key}", where=place, remedy="every segment needs it (CCSDS 502.0-B)"
            )
    if meta["CENTER_NAME"][0].upper() != "EARTH":
        raise _unknown(meta, "CENTER_NAME", where, "only EARTH is supported")
    frame = _frame(meta, where)
    system = meta["TIME_SYSTEM"][0].upper()
    if system not in TIME_SYSTEMS:
        raise _unknown(meta, "TIME_SYSTEM", where, f"use {', '.join(TIME_SYSTEMS)}")
    if len(segment.rows) < 2:
        raise DataError(
            "the segment has fewer than two data lines", where=place, remedy="the file may be cut off"
        )
    first = _instant(segment.rows[0][1].split()[0], system, f"{where}:{segment.rows[0][0]}")
    t, states = [], []
    for n, line in segment.rows:
        words, at = line.split(), f"{where}:{n}"
        if len(words) not in (7, 10):
            raise DataError(
                f"data line has {len(words)} entries",
                where=at,
                remedy="a line is the epoch, position and velocity (7 entries), or acceleration too (10)",
            )
        t.append(_seconds(first, _instant(words[0], system, at)))
        states.append([finite(word, "number", at) for word in words[1:7]])
    check_order(np.array(t), [n for n, _ in segment.rows], where)
    states = np.array(states)
    _check_units(states, [n for n, _ in segment.rows], where)
    useable = _span(meta, first, system, t, where)
    method, degree = _interpolation(meta, where)
    return Record(
        meta["OBJECT_NAME"][0],
        where,
        frame,
        first.day,
        first.fraction,
        np.array(t),
        1e3 * states[:, :3],
        1e3 * states[:, 3:],
        method,
        degree,
        useable,
    )


def _frame(meta: dict[str, tuple[str, int]], where: str) -> str:
    name = meta["REF_FRAME"][0].upper()
    frame = "ITRS" if _ITRF.fullmatch(name) else FRAMES.get(name)
    if frame is None:
        raise _unknown(meta, "REF_FRAME", where, f"use {', '.join(FRAMES)} or ITRF")
    return frame


def _interpolation(meta: dict[str, tuple[str, int]], where: str) -> tuple[str, int]:
    """Method and degree as asked for; by default Hermite of degree 7, which the velocities allow."""
    method = meta.get("INTERPOLATION", ("HERMITE", 0))[0].upper()
    if method not in ("HERMITE", "LAGRANGE", "LINEAR"):
        raise _unknown(meta, "INTERPOLATION", where, "use HERMITE, LAGRANGE or LINEAR")
    text, line = meta.get("INTERPOLATION_DEGREE", ("7" if method == "HERMITE" else "5", 0))
    if not text.isdigit() or not 1 <= int(text) <= DEGREE_MAX:
        raise DataError(
            f"INTERPOLATION_DEGREE = {text[:40]!r}", where=f"{where}:{line}", remedy=f"use 1 to {DEGREE_MAX}"
        )
    return ("lagrange", 1) if method == "LINEAR" else (method.lower(), int(text))


def _span(
    meta: dict[str, tuple[str, int]], first: Epoch, system: str, t: list[float], where: str
) -> tuple[float, float]:
    """First and last t that may be used: the data's, cut to the useable span where one is given."""
    span = [t[0], t[-1]]
    for k, (key, useable) in enumerate(
        (("START_TIME", "USEABLE_START_TIME"), ("STOP_TIME", "USEABLE_STOP_TIME"))
    ):
        bound, line = meta[key]
        stated = _seconds(first, _instant(bound, system, f"{where}:{line}"))
        if abs(stated - span[k]) > 1e-3:
            raise DataError(
                f"{key} is {abs(stated - span[k]):g} s from the {'last' if k else 'first'} data line",
                where=f"{where}:{line}",
                remedy="data lines are missing or the file was edited; fetch it again",
            )
        if meta.get(useable, ("", 0))[0]:
            text, line = meta[useable]
            given = _seconds(first, _instant(text, system, f"{where}:{line}"))
            span[k] = max(span[k], given) if k == 0 else min(span[k], given)
    if not span[1] > span[0]:
        raise DataError(
            "the useable span is empty", where=where, remedy="correct USEABLE_START_TIME and _STOP_TIME"
        )
    return float(span[0]), float(span[1])


def _check_units(states: np.ndarray, lines: list[int], where: str) -> None:
    radius, speed = np.linalg.norm(states[:, :3], axis=1), np.linalg.norm(states[:, 3:], axis=1)
    bad = np.flatnonzero((radius < RADIUS_MIN_KM) | (radius > RADIUS_MAX_KM) | (speed > SPEED_MAX_KM_S))
    if len(bad):
        k = int(bad[0])
        raise DataError(
            f"a body {radius[k]:.6g} km from the Earth's centre at {speed[k]:.4g} km/s",
            where=f"{where}:{lines[k]}",
            remedy="OEM positions are kilometres from the centre, velocities kilometres per second",
        )


def _unknown(meta: dict[str, tuple[str, int]], key: str, where: str, remedy: str) -> DataError:
    value, line = meta[key]
    return DataError(f"{key} = {value[:40]!r} is not supported", where=f"{where}:{line}", remedy=remedy)


def _instant(text: str, system: str, where: str) -> Epoch:
    """A calendar or day-of-year time in a time system, as TT."""
    match = _DATE.fullmatch(text)
    remedy = "write times as 2020-06-01T12:00:00.000 or 2020-153T12:00:00.000"
    if match is None:
        raise DataError(f"{text[:40]!r} is not a time", where=where, remedy=remedy)
    date = f"{match[1]}-{match[2]}-{match[3]}"
    try:
        if match[4]:
            day = int(match[4])
            found = np.datetime64(f"{match[1]}-01-01") + np.timedelta64(day - 1, "D")
            date = str(found)
            if day < 1 or not date.startswith(match[1]):
                raise ValueError
        clock = match[5].rstrip(".")
        if system == "UTC":
            return epoch_from_utc(f"{date}T{clock}Z")
        np.datetime64(date)
        hour, minute, second = (float(part) for part in clock.split(":"))
        if hour > 23 or minute > 59 or second >= 60.0:
            raise ValueError
    except (ScenarioError, ValueError):
        raise DataError(f"{text[:40]!r} is not a time", where=where, remedy=remedy) from None
    year, month, dom = (int(part) for part in date.split("-"))
    _, mjd = erfa.cal2jd(year, month, dom)
    of_day = 3600.0 * hour + 60.0 * minute + second + (TT_MINUS_TAI_S if system == "TAI" else 0.0)
    return Epoch(MJD_ZERO + float(mjd), of_day / DAY_S)


def _seconds(first: Epoch, then: Epoch) -> float:
    return round(((then.day - first.day) + (then.fraction - first.fraction)) * DAY_S, 9)

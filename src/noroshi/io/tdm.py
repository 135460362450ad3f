"""CCSDS Tracking Data Messages (503.0-B-2, KVN): angles, range and range rate of stations, read and written.

Read: ANGLE_TYPE AZEL (azimuth from north by east, elevation above the local horizon) and RADEC (in EME2000, ICRF or
GCRF), ANGLE_1, ANGLE_2, RANGE, DOPPLER_INSTANTANEOUS; times in UTC. The standard leaves it to the partners where a
station stands and whether a two-way range is halved: stations come from a file of sites or from comments of the form
`COMMENT SITE name = latitude_deg longitude_deg height_m`, and ranges are taken as the distance.
"""

from __future__ import annotations

import math
import re
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

from noroshi.constants import LIGHT_M_S
from noroshi.errors import DataError
from noroshi.io.read import file_bytes

SIZE_MAX = 500_000_000  # bytes
INERTIAL = ("EME2000", "J2000", "ICRF", "GCRF", "GCRS")  # 23 mas apart at most: 0.1 urad
USED = {
    "ANGLE_1": "angle_1_rad",
    "ANGLE_2": "angle_2_rad",
    "RANGE": "range_m",
    "DOPPLER_INSTANTANEOUS": "range_rate_m_s",
}
CORRECTIONS = {
    "ANGLE_1": "CORRECTION_ANGLE_1",
    "ANGLE_2": "CORRECTION_ANGLE_2",
    "RANGE": "CORRECTION_RANGE",
    "DOPPLER_INSTANTANEOUS": "CORRECTION_DOPPLER",
}
_SITE = re.compile(r"SITE\s+(.+?)\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s*$")
_CALENDAR = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d*)?")
_ORDINAL = re.compile(r"(\d{4})-(\d{3})T(\d{2}:\d{2}:\d{2}(?:\.\d*)?)")

Meta = dict[str, tuple[str, int]]  # value and line of each keyword


class Observations(NamedTuple):
    """What stations measured, one row an instant; nan: not measured, or not said."""

    station: np.ndarray  # text
    utc: np.ndarray  # text, ISO 8601 with Z
    radec: Bool[
        np.ndarray, "row"
    ]  # the angles are right ascension and declination, not azimuth and elevation
    angle_1_rad: Float64[np.ndarray, "row"]
    angle_2_rad: Float64[np.ndarray, "row"]
    range_m: Float64[np.ndarray, "row"]
    range_rate_m_s: Float64[np.ndarray, "row"]
    latitude_rad: Float64[np.ndarray, "row"]  # of the station, geodetic
    longitude_rad: Float64[np.ndarray, "row"]
    height_m: Float64[np.ndarray, "row"]


class Segment(NamedTuple):
    """One block of metadata and its data lines, with their numbers."""

    meta: Meta
    data: list[tuple[int, str, str]]  # line, keyword, rest
    sites: dict[str, tuple[float, float, float]]
    line: int


def read_tdm(path: Path | str) -> tuple[Observations, list[str]]:
    """The observations of a message, and what a reader should know of it. Raises DataError with file and line."""
    return parse_tdm(file_bytes(path), str(path))


def parse_tdm(data: bytes, where: str) -> tuple[Observations, list[str]]:
    """As `read_tdm`, of bytes."""
    if len(data) > SIZE_MAX:
        raise DataError(f"is {len(data) / 1e6:.0f} MB", where=where, remedy="split it by time")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"is not text (byte {error.start})", where=where, remedy="give a TDM in KVN"
        ) from None
    if text.lstrip().startswith("<"):
        raise DataError("is XML; TDM is read as KVN only", where=where, remedy="convert it to KVN")
    notes: list[str] = []
    unused: set[str] = set()
    sites: dict[str, tuple[float, float, float]] = {}
    rows: list[tuple[object, ...]] = []
    for segment in _segments(text.splitlines(), where):
        sites |= segment.sites
        rows += _observations(segment, sites, where, notes, unused)
    if not rows:
        raise DataError(
            "holds no angle, range or range rate", where=where, remedy=f"data lines are {', '.join(USED)}"
        )
    if unused:
        notes.append(f"data not used: {', '.join(sorted(unused))}")
    station, utc, radec, *numbers = zip(*rows, strict=True)
    one, two, distance, rate, lat, lon, height = (np.array(column, np.float64) for column in numbers)
    found = Observations(
        np.array(station, object),
        np.array(utc, object),
        np.array(radec, bool),
        one,
        two,
        distance,
        rate,
        lat,
        lon,
        height,
    )
    return found, list(dict.fromkeys(notes))


def tdm_text(found: Observations, *, originator: str, created_utc: str) -> str:
    """A message in KVN with a segment for each station and kind of angles, sites as comments."""
    lines = [
        "CCSDS_TDM_VERS = 2.0",
        f"CREATION_DATE = {created_utc.removesuffix('Z')}",
        f"ORIGINATOR = {originator}",
    ]
    keys = np.array([f"{r:d} {s}" for r, s in zip(found.radec, found.station, strict=True)], object)
    for key in dict.fromkeys(keys):
        rows = np.flatnonzero(keys == key)
        rows = rows[np.argsort(found.utc[rows].astype(str), kind="stable")]
        k = rows[0]
        name, radec = str(found.station[k]), bool(found.radec[k])
        lines += ["META_START"]
        if math.isfinite(found.latitude_rad[k]):
            lat, lon = math.degrees(found.latitude_rad[k]), math.degrees(found.longitude_rad[k])
            lines += [f"COMMENT SITE {name} = {lat!r} {lon!r} {float(found.height_m[k])!r}"]
        lines += [
            "TIME_SYSTEM = UTC",
            f"PARTICIPANT_1 = {name}",
            "PARTICIPANT_2 = UNKNOWN",
            "MODE = SEQUENTIAL",
        ]
        ranging = np.isfinite(found.range_m[rows]).any() or np.isfinite(found.range_rate_m_s[rows]).any()
        lines += [f"PATH = {'1,2,1' if ranging else '2,1'}", f"ANGLE_TYPE = {'RADEC' if radec else 'AZEL'}"]
        lines += ["REFERENCE_FRAME = EME2000"] if radec else []
        lines += ["RANGE_UNITS = km"] if np.isfinite(found.range_m[rows]).any() else []
        lines += ["META_STOP", "DATA_START"]
        for keyword, field in USED.items():
            scale = 180.0 / math.pi if field.endswith("_rad") else 1e-3
            for row in rows:
                value = getattr(found, field)[row]
                if not math.isnan(value):
                    lines.append(
                        f"{keyword} = {str(found.utc[row]).removesuffix('Z')} {float(value * scale)!r}"
                    )
        lines += ["DATA_STOP"]
    return "\n".join(lines) + "\n"


def _bad(what: str, where: str, line: int, remedy: str) -> DataError:
    return DataError(what, where=f"{where}:{line}", remedy=remedy)


def _segments(lines: list[str], where: str) -> list[Segment]:
    """The segments of a message, its frame checked."""
    first = next(((k, text.strip()) for k, text in enumerate(lines, 1) if text.strip()), None)
    if first is None:
        raise DataError("is empty", where=where, remedy="give a TDM in KVN")
    if not first[1].startswith("CCSDS_TDM_VERS"):
        raise _bad("does not begin with CCSDS_TDM_VERS", where, first[0], "give a TDM in KVN")
    version = first[1].partition("=")[2].strip()
    if version not in ("1.0", "2.0"):
        raise _bad(f"CCSDS_TDM_VERS {version} is not understood", where, first[0], "use version 1.0 or 2.0")
    found: list[Segment] = []
    section = "header"
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        if text.startswith("COMMENT"):
            if section != "header" and found:
                _site(text[len("COMMENT") :].strip(), found[-1], where, number)
            continue
        if text in ("META_START", "META_STOP", "DATA_START", "DATA_STOP"):
            section = _next(section, text, where, number)
            if text == "META_START":
                found.append(Segment({}, [], {}, number))
            continue
        key, has, value = (part.strip() for part in text.partition("="))
        if not has or not key:
            raise _bad(f"{text[:40]!r} is no KEY = VALUE", where, number, "restore the line")
        if section == "meta":
            if key in found[-1].meta:
                raise _bad(f"{key} stands twice in one block", where, number, "leave one of them")
            found[-1].meta[key] = (value, number)
        elif section == "data":
            found[-1].data.append((number, key, value))
        elif section != "header":
            raise _bad(f"{key} stands outside any block", where, number, f"put it after {section.upper()}")
    if section not in ("header", "data_stop"):
        raise DataError("ends inside a segment", where=where, remedy="the file was cut short")
    return found


def _next(section: str, text: str, where: str, line: int) -> str:
    """The section after a delimiter, or DataError where it may not stand."""
    before = {
        "META_START": ("header", "data_stop"),
        "META_STOP": ("meta",),
        "DATA_START": ("meta_stop",),
        "DATA_STOP": ("data",),
    }[text]
    if section not in before:
        raise _bad(
            f"{text} does not follow here",
            where,
            line,
            "a segment is META_START, META_STOP, DATA_START, DATA_STOP",
        )
    return {"META_START": "meta", "META_STOP": "meta_stop", "DATA_START": "data", "DATA_STOP": "data_stop"}[
        text
    ]


def _site(text: str, segment: Segment, where: str, line: int) -> None:
    match = _SITE.match(text)
    if match is None:
        return
    try:
        lat, lon, height = (float(match[k]) for k in (2, 3, 4))
    except ValueError:
        lat = lon = height = math.nan
    if not (abs(lat) <= 90 and abs(lon) <= 360 and abs(height) < 1e9):
        raise _bad(
            "is no place on the Earth",
            where,
            line,
            "write COMMENT SITE name = latitude_deg longitude_deg height_m",
        )
    segment.sites[match[1]] = (math.radians(lat), math.radians(lon), height)


def _choice(
    meta: Meta, key: str, wanted: tuple[str, ...], where: str, remedy: str, needed: int | None = None
) -> str:
    """The value of a keyword in capitals, one of those understood; "" where it is not given and need not be."""
    if key not in meta:
        if needed is not None:
            raise _bad(f"the segment lacks {key}", where, needed, remedy)
        return ""
    value, line = meta[key]
    if value.upper() not in wanted:
        raise _bad(f"{key} = {value[:40]} is not understood", where, line, remedy)
    return value.upper()


def _station(meta: Meta, where: str, start: int) -> tuple[str, tuple[str, ...]]:
    """Who received, and the path of the signal as participant numbers."""
    if "PATH" not in meta:
        raise _bad(
            "the segment lacks PATH", where, start, "say the way of the signal: PATH = 2,1, the receiver last"
        )
    text, line = meta["PATH"]
    path = tuple(part.strip() for part in text.split(","))
    if len(path) not in (2, 3):
        raise _bad(
            f"PATH = {text} is not understood", where, line, "two participants, or three on a two-way path"
        )
    for part in path:
        if f"PARTICIPANT_{part}" not in meta:
            raise _bad(
                f"PATH names participant {part}, which is not given", where, line, f"add PARTICIPANT_{part}"
            )
    return meta[f"PARTICIPANT_{path[-1]}"][0], path


def _observations(
    segment: Segment,
    sites: dict[str, tuple[float, float, float]],
    where: str,
    notes: list[str],
    unused: set[str],
) -> list[tuple[object, ...]]:
    meta = segment.meta
    _choice(meta, "TIME_SYSTEM", ("UTC",), where, "only UTC is read: convert the times", segment.line)
    _choice(meta, "MODE", ("SEQUENTIAL",), where, "differenced data are not read")
    station, path = _station(meta, where, segment.line)
    wanted = [(line, key, rest) for line, key, rest in segment.data if key in USED]
    unused |= {key for _, key, _ in segment.data if key not in USED}
    has = {key for _, key, _ in wanted}
    kind = ""
    if has & {"ANGLE_1", "ANGLE_2"}:
        kind = _choice(meta, "ANGLE_TYPE", ("AZEL", "RADEC"), where, "use AZEL or RADEC", segment.line)
    if kind == "RADEC":
        _choice(meta, "REFERENCE_FRAME", INERTIAL, where, f"use one of {', '.join(INERTIAL)}", segment.line)
    if wanted:
        _choice(meta, "TIMETAG_REF", ("RECEIVE",), where, "only times of reception are read")
    scale = _scales(meta, has, path, where, notes)
    shift = _corrections(meta, has, where)
    rows: dict[str, dict[str, float]] = {}
    for line, key, rest in wanted:
        if key not in scale:
            continue
        parts = rest.split()
        if len(parts) != 2:
            raise _bad(f"{key} has {len(parts)} values", where, line, f"write {key} = TIME VALUE")
        utc = _utc(parts[0], where, line)
        try:
            value = float(parts[1])
        except ValueError:
            raise _bad(
                f"{parts[1][:40]!r} is not a number", where, line, "correct or remove the line"
            ) from None
        row = rows.setdefault(utc, {})
        if key in row:
            raise _bad(f"{key} stands twice at {parts[0]}", where, line, "remove one of the lines")
        row[key] = (value + shift.get(key, 0.0)) * scale[key]
    place = sites.get(station, (math.nan, math.nan, math.nan))
    return [
        (station, utc, kind == "RADEC", *(row.get(key, math.nan) for key in USED), *place)
        for utc, row in rows.items()
    ]


def _scales(
    meta: Meta, has: set[str], path: tuple[str, ...], where: str, notes: list[str]
) -> dict[str, float]:
    """What each keyword is multiplied by to be SI; keywords that cannot be used are left out, and noted."""
    scale = {"ANGLE_1": math.pi / 180.0, "ANGLE_2": math.pi / 180.0}
    two_way = len(path) == 3
    if has & {"RANGE", "DOPPLER_INSTANTANEOUS"} and two_way and path[0] != path[2]:
        notes.append("range and range rate of three-way paths are not used")
        return scale
    scale["DOPPLER_INSTANTANEOUS"] = 1e3
    if "RANGE" not in has:
        return scale
    modulus, line = meta.get("RANGE_MODULUS", ("0", 0))
    if modulus.strip("0.+eE"):
        raise _bad(f"RANGE_MODULUS = {modulus}: the range is ambiguous", where, line, "resolve it first")
    unit = _choice(meta, "RANGE_UNITS", ("KM", "S"), where, "use km or s") or "KM"
    if unit == "S" and two_way:
        raise _bad(
            "a two-way range in seconds may be the whole time or half of it",
            where,
            meta["RANGE_UNITS"][1],
            "give it in km, as the distance",
        )
    if two_way:
        notes.append("two-way ranges are taken as the distance, not as the whole way")
    scale["RANGE"] = 1e3 if unit == "KM" else LIGHT_M_S
    return scale


def _corrections(meta: Meta, has: set[str], where: str) -> dict[str, float]:
    """What is still to be added to the values of each keyword, in their own unit."""
    found = {key: meta[name] for key, name in CORRECTIONS.items() if key in has and name in meta}
    if not found:
        return {}
    line = next(iter(found.values()))[1]
    if (
        _choice(
            meta, "CORRECTIONS_APPLIED", ("YES", "NO"), where, "say CORRECTIONS_APPLIED = YES or NO", line
        )
        == "YES"
    ):
        return {}
    out = {}
    for key, (text, at) in found.items():
        try:
            out[key] = float(text)
        except ValueError:
            raise _bad(f"{text[:40]!r} is not a number", where, at, "correct the value") from None
    return out


def _utc(text: str, where: str, line: int) -> str:
    """ISO 8601 UTC with Z of a calendar (2024-05-01T..) or day-of-year (2024-122T..) time."""
    bare = text.removesuffix("Z")
    ordinal = _ORDINAL.fullmatch(bare)
    if ordinal is not None:
        year, day = int(ordinal[1]), int(ordinal[2])
        then = date(year, 1, 1) + timedelta(days=day - 1) if year and 1 <= day <= 366 else date.min
        if then.year == year:
            return f"{then.isoformat()}T{ordinal[3]}".rstrip(".") + "Z"
    elif _CALENDAR.fullmatch(bare):
        return bare.rstrip(".") + "Z"
    raise _bad(
        f"{text[:40]!r} is not a time", where, line, "write 2024-05-01T12:00:00.000 or 2024-122T12:00:00.000"
    )

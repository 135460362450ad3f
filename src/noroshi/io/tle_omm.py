"""Catalogued satellites from files: two- and three-line element sets, CCSDS OMM as KVN and XML.

Strict on purpose. The SGP4 library takes what it can from a damaged line and flies something else; here every
column and every key is checked first, and what is wrong is named with its line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from sgp4.api import SGP4_ERRORS, WGS72, Satrec

from noroshi.errors import DataError
from noroshi.io.read import file_bytes

RENEW = "fetch the file again from its source; it was damaged or edited by hand"
REV_PER_DAY_MAX = 17.05  # a satellite at sea level (WGS-72): nothing orbits faster

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_EPOCH = re.compile(r"(\d{4})-(?:(\d{2})-(\d{2})|(\d{3}))T(\d{2}):(\d{2}):(\d{2}(?:\.\d*)?)Z?")
_DAY_ZERO = date(1949, 12, 31).toordinal()  # SGP4 counts its days from here

# Columns of a TLE (first to last, counted from 1) and what may stand there
# (https://celestrak.org/NORAD/documentation/tle-fmt.php)
_LINE_1 = (
    ("catalogue number", 3, 7, re.compile(r"[A-HJ-NP-Z ]?[ 0-9]*\d")),
    ("classification", 8, 8, re.compile(r"[UCS ]")),
    ("international designator", 10, 17, re.compile(r"[A-Z0-9 ]*")),
    ("epoch", 19, 32, re.compile(r"\d\d[ 0-9]{2}\d\.\d{8}")),
    ("first derivative of mean motion", 34, 43, re.compile(r"[ +-][ 0]?\.\d{8}")),
    ("second derivative of mean motion", 45, 52, re.compile(r"[ +-][ \d]{4}\d[+-]\d")),
    ("drag term B*", 54, 61, re.compile(r"[ +-][ \d]{4}\d[+-]\d")),
    ("ephemeris type", 63, 63, re.compile(r"[0-4 ]")),
    ("element set number", 65, 68, re.compile(r"[ \d]{3}\d")),
)
_LINE_2 = (
    ("catalogue number", 3, 7, re.compile(r"[A-HJ-NP-Z ]?[ 0-9]*\d")),
    ("inclination", 9, 16, re.compile(r"[ \d]{2}\d\.\d{4}")),
    ("right ascension of the node", 18, 25, re.compile(r"[ \d]{2}\d\.\d{4}")),
    ("eccentricity", 27, 33, re.compile(r"\d{7}")),
    ("argument of perigee", 35, 42, re.compile(r"[ \d]{2}\d\.\d{4}")),
    ("mean anomaly", 44, 51, re.compile(r"[ \d]{2}\d\.\d{4}")),
    ("mean motion", 53, 63, re.compile(r"[ \d]\d\.\d{8}")),
    ("revolution number", 64, 68, re.compile(r"[ \d]{5}")),
)
_BLANKS = {1: (2, 9, 18, 33, 44, 53, 62, 64), 2: (2, 8, 17, 26, 34, 43, 52)}


class _Entry(NamedTuple):
    """One value of an OMM and where it stood."""

    text: str
    line: int
    unit: str


def read_satellites(path: Path | str) -> list[tuple[str, Satrec]]:
    """All satellites of a file as (name, SGP4 record), in the file's order.

    TLE (two lines, or three with a name), OMM in KVN or XML; which one is told by the content. Any damage
    raises DataError with file, line and remedy; a name that a two-line file lacks is the catalogue number.
    """
    return parse_satellites(file_bytes(path, "check the path and permissions"), str(path))


def parse_satellites(data: bytes, where: str) -> list[tuple[str, Satrec]]:
    """As `read_satellites`, from the bytes of a file called `where` in messages."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _bad("is not text", where, line, "give a TLE or OMM file in UTF-8 or ASCII") from None
    strange = re.search(r"[^\x20-\x7e\n\r\t\x85\xa0-\U0010ffff]", text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        raise _bad(f"holds the control character {strange[0]!r}", where, line, RENEW)
    lines = text.splitlines()
    first = next((line.strip() for line in lines if line.strip() and not _is_remark(line)), "")
    if not first:
        raise DataError("holds no satellites", where=where, remedy="give a TLE or OMM file with some")
    if first.startswith("<"):
        records = _xml_records(text, where)
    elif "=" in first and not re.match(r"[012] ", first):
        records = _kvn_records(lines, where)
    elif first[0] in "[{" or ("," in first and "NORAD_CAT_ID" in first):
        raise DataError("is JSON or CSV", where=where, remedy="ask the source for TLE, or OMM as KVN or XML")
    else:
        return list(_read_tle(lines, where))
    return [_from_omm(record, start, where) for start, record in records]


def _is_remark(line: str) -> bool:
    return line.lstrip().startswith("#") or line.split(None, 1)[:1] == ["COMMENT"]


def _bad(what: str, where: str, line: int, remedy: str) -> DataError:
    return DataError(what, where=f"{where}:{line}", remedy=remedy)


# --- TLE ---


def _read_tle(lines: list[str], where: str) -> Iterator[tuple[str, Satrec]]:
    name, name_at, one, one_at = "", 0, "", 0
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip()
        if not line or line.startswith("#"):
            continue
        if one:
            if not line.startswith("2 "):
                raise _bad("line 2 of the element set is missing", where, number, RENEW)
            yield _from_tle(name, one, line, where, one_at, number)
            name, one = "", ""
        elif line.startswith("1 "):
            one, one_at = line, number
        elif line.startswith("2 "):
            raise _bad("line 2 of an element set without its line 1", where, number, RENEW)
        elif name:
            raise _bad("neither a TLE nor an OMM: expected line 1 of an element set", where, number, RENEW)
        else:
            name, name_at = line.removeprefix("0 ").strip(), number
            if not name:
                raise _bad("a name line without a name", where, number, RENEW)
    if one:
        raise _bad("the file ends before line 2 of the element set", where, one_at, RENEW)
    if name:
        raise _bad(f"the file ends after the name {name[:40]!r}", where, name_at, RENEW)


def _from_tle(name: str, one: str, two: str, where: str, one_at: int, two_at: int) -> tuple[str, Satrec]:
    for line, at, number, columns in ((one, one_at, 1, _LINE_1), (two, two_at, 2, _LINE_2)):
        _check_line(line, where, at, number, columns)
    if one[2:7] != two[2:7]:
        raise _bad(f"catalogue number {two[2:7]} follows {one[2:7]} in line 1", where, two_at, RENEW)
    year, day = int(one[18:20]), float(one[20:32])
    full = year + (2000 if year < 57 else 1900)
    if not 1.0 <= day < 366.0 + (full % 4 == 0):  # 1957..2056 has no exception to the fourth year
        raise _bad(f"epoch day {day} is not a day of {full}", where, one_at, RENEW)
    if one[62] not in " 02":
        raise _bad(f"ephemeris type {one[62]} is not SGP4", where, one_at, "use SGP4 element sets (type 0)")
    if float(two[8:16]) > 180.0:
        raise _bad(f"inclination {two[8:16].strip()} is above 180 degrees", where, two_at, RENEW)
    for label, first, last in (("node", 17, 25), ("argument of perigee", 34, 42), ("mean anomaly", 43, 51)):
        if float(two[first:last]) > 360.0:
            raise _bad(f"{label} {two[first:last].strip()} is above 360 degrees", where, two_at, RENEW)
    _check_motion(float(two[52:63]), where, two_at)
    satellite = Satrec.twoline2rv(one, two, WGS72)
    label = name or one[2:7].strip()
    _check_flies(label, satellite, where, one_at)
    return label, satellite


def _check_line(
    line: str, where: str, at: int, number: int, columns: tuple[tuple[str, int, int, re.Pattern[str]], ...]
) -> None:
    if len(line) != 69:
        raise _bad(f"line {number} of the element set has {len(line)} characters, not 69", where, at, RENEW)
    digits = line[:68]
    total = sum(int(c) for c in digits if c in "0123456789") + digits.count("-")
    if line[68] != str(total % 10):
        raise _bad(f"checksum is {line[68]!r} but the line adds up to {total % 10}", where, at, RENEW)
    for name, first, last, pattern in columns:
        field = line[first - 1 : last]
        if not pattern.fullmatch(field):
            raise _bad(f"{name} {field!r} (columns {first}-{last}) is malformed", where, at, RENEW)
    for column in _BLANKS[number]:
        if line[column - 1] != " ":
            raise _bad(f"column {column} should be blank", where, at, RENEW)


# --- OMM ---


def _kvn_records(lines: list[str], where: str) -> list[tuple[int, dict[str, _Entry]]]:
    """Key = value [unit], one message after another, each from its CCSDS_OMM_VERS on."""
    records: list[tuple[int, dict[str, _Entry]]] = []
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or _is_remark(line):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not re.fullmatch(r"[A-Z][A-Z0-9_]*", key):
            raise _bad(f"{line[:40]!r} is not KEY = value", where, number, RENEW)
        if key == "CCSDS_OMM_VERS":
            records.append((number, {}))
        if not records:
            raise _bad(f"starts with {key}, not CCSDS_OMM_VERS", where, number, "give a whole OMM file")
        record = records[-1][1]
        if key in record and not key.startswith("USER_DEFINED"):
            raise _bad(f"{key} stands twice", where, number, RENEW)
        unit = re.search(r"\s*\[([^\[\]]*)\]$", value)
        record[key] = _Entry(value[: unit.start()] if unit else value, number, unit[1] if unit else "")
    return records


def _xml_records(text: str, where: str) -> list[tuple[int, dict[str, _Entry]]]:
    """Leaf elements of every <omm>, alone or inside an <ndm>."""
    records: list[tuple[int, dict[str, _Entry]]] = []
    open_tags: list[str] = []
    chunks: list[str] = []
    units = ""
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True

    def local(tag: str) -> str:
        return tag.rpartition(":")[2]

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal units
        tag = local(tag)
        if tag == "omm":
            records.append((parser.CurrentLineNumber, {}))
            version = attributes.get("version", "")
            records[-1][1]["CCSDS_OMM_VERS"] = _Entry(version, parser.CurrentLineNumber, "")
        elif not open_tags and tag != "ndm":
            raise _bad(f"is XML of <{tag}>, not <omm>", where, parser.CurrentLineNumber, "give an OMM file")
        open_tags.append(tag)
        chunks.clear()
        units = attributes.get("units", "")

    def end(tag: str) -> None:
        tag = open_tags.pop()
        if not records or not tag.isupper() or tag in ("COMMENT", "USER_DEFINED"):
            return
        if tag in records[-1][1]:
            raise _bad(f"<{tag}> stands twice", where, parser.CurrentLineNumber, RENEW)
        records[-1][1][tag] = _Entry("".join(chunks).strip(), parser.CurrentLineNumber, units)

    def doctype(*_: object) -> None:
        raise _bad("declares a document type", where, parser.CurrentLineNumber, "remove the DOCTYPE")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = chunks.append
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise _bad(
            f"is broken XML: {expat.errors.messages[error.code]}", where, error.lineno, RENEW
        ) from None
    if not records:
        raise DataError("holds no <omm>", where=where, remedy="give an OMM file")
    return records


_FIXED = {
    "CCSDS_OMM_VERS": ("2.0", "3.0"),
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4"),
}
_UNITS = {
    "MEAN_MOTION": "rev/day",
    "MEAN_MOTION_DOT": "rev/day**2",
    "MEAN_MOTION_DDOT": "rev/day**3",
    "BSTAR": "1/er",
    "ECCENTRICITY": "",
    "INCLINATION": "deg",
    "RA_OF_ASC_NODE": "deg",
    "ARG_OF_PERICENTER": "deg",
    "MEAN_ANOMALY": "deg",
}


def _from_omm(record: dict[str, _Entry], start: int, where: str) -> tuple[str, Satrec]:
    """SGP4 record of one message (CCSDS 502.0-B, section 4); keys that SGP4 does not need are passed over."""

    def entry(key: str) -> _Entry:
        found = record.get(key)
        if found is None:
            raise _bad(f"the message has no {key}", where, start, f"add {key}, or fetch the file again")
        return found

    def number(key: str) -> float:
        text, line, unit = entry(key)
        if unit and unit.lower() != _UNITS[key]:
            raise _bad(f"{key} is in {unit}", where, line, f"give it in {_UNITS[key] or 'no unit'}")
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(value):
            raise _bad(f"{key} = {text[:40]!r} is not a finite number", where, line, RENEW)
        return value

    def whole(key: str, largest: int) -> int:
        if key not in record:
            return 0
        text, line, _ = record[key]
        if not re.fullmatch(r"\d{1,9}", text) or int(text) > largest:
            raise _bad(f"{key} = {text[:40]!r} is not a whole number up to {largest}", where, line, RENEW)
        return int(text)

    def angle(key: str, largest: float) -> float:
        value = number(key)
        if not 0.0 <= value <= largest:
            raise _bad(f"{key} = {value:g} is outside 0..{largest:g} degrees", where, entry(key).line, RENEW)
        return math.radians(value)

    for key, allowed in _FIXED.items():
        text, line, _ = entry(key)
        if text.upper() not in allowed:
            raise _bad(f"{key} is {text[:40]!r}", where, line, f"this reader knows {' or '.join(allowed)}")
    name, designator = entry("OBJECT_NAME"), entry("OBJECT_ID")
    if not name.text:
        raise _bad("OBJECT_NAME is empty", where, name.line, "give the satellite a name")
    kind = whole("EPHEMERIS_TYPE", 9)
    if kind not in (0, 2):  # 0: unstated, 2: SGP4
        line = record["EPHEMERIS_TYPE"].line
        raise _bad(f"EPHEMERIS_TYPE {kind} is not SGP4", where, line, "use SGP4 element sets (type 0 or 2)")
    e = number("ECCENTRICITY")
    if not 0.0 <= e < 1.0:
        raise _bad(f"ECCENTRICITY = {e:g} is outside 0..1", where, entry("ECCENTRICITY").line, RENEW)
    motion = number("MEAN_MOTION")
    _check_motion(motion, where, entry("MEAN_MOTION").line)
    entry("NORAD_CAT_ID")
    catalogue = whole("NORAD_CAT_ID", 999_999_999)
    satellite = Satrec()
    satellite.classification = record.get("CLASSIFICATION_TYPE", _Entry("U", 0, "")).text[:1] or "U"
    # the record has room for 8 characters, as in a TLE: 2007-052A is 07052A
    satellite.intldesg = designator.text[2:].replace("-", "")[:8]
    satellite.ephtype = kind
    satellite.elnum = whole("ELEMENT_SET_NO", 999_999_999)
    satellite.revnum = whole("REV_AT_EPOCH", 999_999_999)
    per_minute = 2.0 * math.pi / 1440.0  # rad/min of one rev/day
    satellite.sgp4init(
        WGS72,
        "i",
        catalogue
        if catalogue <= 339_999
        else 0,  # the record holds five characters (alpha-5); the name tells
        _epoch_days(entry("EPOCH"), where),
        number("BSTAR"),
        number("MEAN_MOTION_DOT") * per_minute / 1440.0,
        number("MEAN_MOTION_DDOT") * per_minute / 1440.0**2,
        e,
        angle("ARG_OF_PERICENTER", 360.0),
        angle("INCLINATION", 180.0),
        angle("MEAN_ANOMALY", 360.0),
        motion * per_minute,
        angle("RA_OF_ASC_NODE", 360.0),
    )
    _check_flies(name.text, satellite, where, start)
    return name.text, satellite


def _epoch_days(entry: _Entry, where: str) -> float:
    """Days since 1949-12-31 of a CCSDS time, calendar or day-of-year form."""
    match = _EPOCH.fullmatch(entry.text)
    remedy = "write it as 2026-07-21T04:06:53.604864"
    if match is None:
        raise _bad(f"EPOCH {entry.text[:40]!r} is not a time", where, entry.line, remedy)
    year, month, day, of_year, hour, minute, second = match.groups()
    try:
        if of_year is None:
            ordinal = date(int(year), int(month), int(day)).toordinal()
        else:
            ordinal = date(int(year), 1, 1).toordinal() + int(of_year) - 1
            if date.fromordinal(ordinal).year != int(year):
                raise ValueError
    except (ValueError, OverflowError):
        raise _bad(f"EPOCH {entry.text} is not a date", where, entry.line, remedy) from None
    leap = hour == "23" and minute == "59"
    if int(hour) > 23 or int(minute) > 59 or float(second) >= 60 + leap or not 1957 <= int(year) <= 2056:
        raise _bad(f"EPOCH {entry.text} is not a time of 1957..2056", where, entry.line, remedy)
    return ordinal - _DAY_ZERO + (int(hour) * 3600 + int(minute) * 60 + float(second)) / 86400.0


def _check_motion(rev_per_day: float, where: str, line: int) -> None:
    if not 0.0 < rev_per_day <= REV_PER_DAY_MAX:
        raise _bad(f"mean motion {rev_per_day:g} rev/day is no orbit", where, line, RENEW)


def _check_flies(name: str, satellite: Satrec, where: str, line: int) -> None:
    """SGP4 must be able to place the satellite at its own epoch."""
    code, r, v = satellite.sgp4_tsince(0.0)
    if code or not all(math.isfinite(x) for x in (*r, *v)):
        why = SGP4_ERRORS.get(code, "the position is not finite")
        raise _bad(f"SGP4 refuses {name!r} at its epoch: {why}", where, line, RENEW)

"""Recorded flights: real CCSDS files and launches, damage of every kind, interpolation that never extrapolates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.errors import DataError
from noroshi.io.trajectory import parse_record, read_record
from noroshi.targets.recorded import fly, states, to_itrs
from noroshi.time import Epoch, epoch_from_utc, load_earth_orientation

CSV = "t_s,latitude_deg,longitude_deg,height_m\n" + "".join(
    f"{t},{30 + t / 100},140,{1000 * t}\n" for t in range(10)
)
OEM = """CCSDS_OEM_VERS = 2.0
CREATION_DATE = 2020-06-01T00:00:00
ORIGINATOR = TEST
META_START
OBJECT_NAME = THING
OBJECT_ID = 2020-001A
CENTER_NAME = EARTH
REF_FRAME = GCRF
TIME_SYSTEM = UTC
START_TIME = 2020-06-01T12:00:00
STOP_TIME = 2020-06-01T12:02:00
META_STOP
2020-06-01T12:00:00 7000 0 0 0 7.5 0
2020-06-01T12:01:00 6985.6 449.7 0 -0.48 7.48 0
2020-06-01T12:02:00 6942.6 897.6 0 -0.96 7.44 0
"""


def test_csv_is_read_in_degrees_and_metres() -> None:
    record = parse_record(CSV.encode(), "x.csv")
    assert (record.frame, record.useable, len(record.t)) == ("ITRS", (0.0, 9.0), 10)
    assert np.isnan(record.day)
    assert np.linalg.norm(record.r[1] - record.r[0]) == pytest.approx(1495, abs=10)  # 1 km up, 1,109 m north


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("height_m", "height_km", "height_m"),
        ("3,30.03", "nan,30.03", "finite"),
        ("3,30.03", "2,30.03", "does not come after"),
        ("3,30.03", "3,95", "no place"),
        ("140,3000", "140,3000,7", "5 values"),
        ("140,3000", "140", "3 values"),
        ("140,3000", "140,x", "not a number"),
        ("140,3000", "140,3e12", "height"),
        ("latitude_deg", "longitude_deg", "latitude_deg"),
        ("3,30.03", "3,-30.03", "km/s"),
    ],
)
def test_each_damage_of_a_csv_is_named(old: str, new: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        parse_record(CSV.replace(old, new, 1).encode(), "x.csv")
    assert "x.csv" in str(error.value)
    assert error.value.remedy


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("REF_FRAME = GCRF", "REF_FRAME = MARS", "REF_FRAME"),
        ("CENTER_NAME = EARTH", "CENTER_NAME = MOON", "CENTER_NAME"),
        ("TIME_SYSTEM = UTC", "TIME_SYSTEM = GPS", "TIME_SYSTEM"),
        ("OBJECT_NAME = THING\n", "", "OBJECT_NAME"),
        ("META_STOP\n", "", "KEY = VALUE"),
        ("2020-06-01T12:01:00", "2020-06-01T11:01:00", "does not come after"),
        ("2020-06-01T12:01:00", "2020-13-01T12:01:00", "not a time"),
        ("6985.6 449.7", "6985600 449700", "km"),
        ("6985.6 449.7", "NaN 449.7", "finite"),
        ("6985.6 449.7 0 -0.48 7.48 0", "6985.6 449.7", "values"),
        ("2020-06-01T12:02:00 6942.6 897.6 0 -0.96 7.44 0\n", "", "STOP_TIME"),
        ("META_STOP\n", "META_STOP\nMETA_START\n", "second segment"),
    ],
)
def test_each_damage_of_an_oem_is_named(old: str, new: str, message: str) -> None:
    assert old in OEM
    with pytest.raises(DataError, match=message) as error:
        parse_record(OEM.replace(old, new, 1).encode(), "x.oem")
    assert error.value.remedy


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"<oem/>", b"a,b\n1,2\n", OEM[:200].encode()])
def test_what_is_no_flight_is_refused(data: bytes) -> None:
    with pytest.raises(DataError):
        parse_record(data, "x")


@given(st.sampled_from([CSV, OEM]), st.data())
def test_damaged_files_are_read_or_refused_never_crash(text: str, data: st.DataObject) -> None:
    raw = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "drop"])):
            case "flip":
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[at:]
            case "insert":
                raw[at:at] = data.draw(st.binary(max_size=8))
            case "drop":
                del raw[at : at + 8]
        if not raw:
            break
    try:
        record = parse_record(bytes(raw), "x")
    except DataError as error:
        assert error.remedy  # noqa: PT017
    else:
        assert np.isfinite(record.r).all()
        assert (np.diff(record.t) > 0).all()


def test_a_time_system_shifts_by_its_offset() -> None:
    # 2020: TAI - UTC = 37 s, TT - UTC = 69.184 s
    utc, tai, tt = (
        parse_record(OEM.replace("TIME_SYSTEM = UTC", f"TIME_SYSTEM = {name}").encode(), "x")
        for name in ("UTC", "TAI", "TT")
    )
    seconds = [86400 * ((r.day - utc.day) + (r.fraction - utc.fraction)) for r in (tai, tt)]
    assert seconds == pytest.approx([-37.0, -69.184], abs=1e-6)


@pytest.mark.parametrize(("name", "metres"), [("LEO_60s", 0.02), ("MEO_60s", 1e-3), ("GEO_60s", 1e-3)])
def test_real_oem_without_every_second_state(shared_data: Path, name: str, metres: float) -> None:
    # Lagrange over 120 s of a low orbit, seven intervals wide: centimetres; the file's own 60 s is 2^8 times better
    record = read_record(shared_data / "orbits" / "oem_omm" / "oem" / f"{name}.oem")
    half = record._replace(t=record.t[::2], r=record.r[::2], v=record.v[::2])
    r, v = states(half, record.t[1::2])
    assert np.abs(r - record.r[1::2]).max() < metres
    assert np.abs(v - record.v[1::2]).max() < metres


def test_a_real_flight_on_the_grid_and_not_a_second_more(shared_data: Path) -> None:
    record = read_record(shared_data / "orbits" / "oem_omm" / "oem" / "LEO_60s.oem")
    epoch = epoch_from_utc("2020-06-01T12:10:00Z")
    eop = load_earth_orientation()
    flown = fly(record, "coast", epoch, 30.0, 1.0, eop)
    assert (len(flown.t), flown.t_end) == (3600 - 630 + 1, pytest.approx(2970.0, abs=1e-9))
    at_row, _ = to_itrs(record, epoch, np.array([60.0]), record.r[11:12], record.v[11:12], eop)
    np.testing.assert_allclose(flown.r_itrs[30], at_row[0], atol=1e-6)  # a state of the file itself
    for early in (epoch_from_utc("2020-06-01T11:00:00Z"), epoch_from_utc("2020-06-01T13:00:00Z")):
        with pytest.raises(DataError, match="useable from 2020-06-01T12:00:00Z to 2020-06-01T13:00:00Z"):
            fly(record, "coast", early, 0.0, 1.0, eop)


def test_eme2000_is_a_frame_bias_from_gcrs() -> None:
    # IAU 2006 frame bias (Capitaine & Wallace 2006): xi0 = -16.617 mas, da0 = -14.6 mas move the x axis by 22.1 mas in
    # all: 0.750 m at 7,000 km; the digits of the published angles leave 1 mm
    gcrs, eme = (parse_record(OEM.replace("GCRF", name).encode(), "x") for name in ("GCRF", "EME2000"))
    epoch, eop = Epoch(gcrs.day, gcrs.fraction), load_earth_orientation()
    a = fly(gcrs, "coast", epoch, 0.0, 60.0, eop).r_itrs[0]
    b = fly(eme, "coast", epoch, 0.0, 60.0, eop).r_itrs[0]
    assert np.linalg.norm(a - b) == pytest.approx(0.7507, abs=1e-3)


@pytest.mark.parametrize(("degree", "metres"), [(3, 6.0), (5, 0.02), (7, 1e-4)])
def test_hermite_of_the_degree_asked_for(degree: int, metres: float) -> None:
    """A circular orbit in 120 s rows, closed form. The rest term w^n h^n R / (n! 2^n) with n = degree + 1 gives
    5.5 m for a cubic, 6 mm and 16 um for the others at mid-interval; near the ends they are less central."""
    radius, rate = 7e6, 1.1e-3

    def circle(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        c, s, zero = np.cos(rate * t), np.sin(rate * t), np.zeros_like(t)
        return radius * np.column_stack([c, s, zero]), radius * rate * np.column_stack([-s, c, zero])

    rows = np.arange(0.0, 2401.0, 120.0)
    record = parse_record(OEM.encode(), "x")._replace(
        t=rows, r=circle(rows)[0], v=circle(rows)[1], method="hermite", degree=degree, useable=(0.0, 2400.0)
    )
    t = np.linspace(0.0, 2400.0, 997)
    r, v = states(record, t)
    assert np.abs(r - circle(t)[0]).max() < metres
    assert np.abs(v - circle(t)[1]).max() < metres * 0.05


def test_velocity_is_that_of_the_positions(shared_data: Path) -> None:
    record = read_record(shared_data / "orbits" / "oem_omm" / "oem" / "LEO_60s.oem")
    # the file's own velocities differ from the motion of its positions by up to 20 mm/s, so they are left out here
    flown = fly(
        record._replace(v=None),
        "coast",
        Epoch(record.day, record.fraction),
        0.0,
        1.0,
        load_earth_orientation(),
    )
    middle = (flown.r_itrs[2:] - flown.r_itrs[:-2]) / 2
    # central difference over 2 s: r''' h^2 / 6 = 1.8 mm/s in low orbit
    np.testing.assert_allclose(flown.v_itrs[1:-1], middle, atol=3e-3)


def test_webcast_telemetry_has_no_place_and_is_refused_with_the_columns(shared_data: Path) -> None:
    with pytest.raises(DataError, match="latitude_deg"):
        read_record(shared_data / "launches" / "tess_stage2.csv")

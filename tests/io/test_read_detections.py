"""Recorded detections: units, frames, kinds of angles, sensors, truth, and files that are damaged."""

from __future__ import annotations

import re
from math import pi, radians
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.spatial.transform import Rotation

from noroshi import frames
from noroshi.earth import enu_from_itrs, itrs_from_geodetic
from noroshi.errors import DataError, NoroshiError
from noroshi.io import detections as module
from noroshi.io.detections import Defaults, read_recording
from noroshi.io.sites import Sites
from noroshi.tables import Kind
from noroshi.time import epoch_from_utc, load_earth_orientation
from noroshi.tracking.columns import rotation_gcrs_from_sensor
from noroshi.tracking.screen import REASONS, screen

LAT, LON, HEIGHT = radians(35.0), radians(139.0), 50.0
UTC = "2024-05-01T12:00:00Z"


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def lines(found):
    """Directions of a recording's detections in its frame, and where they start."""
    scans, d = found.scans, found.detections
    u = np.stack(
        [np.cos(d.el_rad) * np.cos(d.az_rad), np.cos(d.el_rad) * np.sin(d.az_rad), np.sin(d.el_rad)], 1
    )
    m = rotation_gcrs_from_sensor(scans.q_gcrs_from_sensor)[d.scan]
    return np.einsum("nij,nj->ni", m, u), scans.r_gcrs[d.scan]


def gcrs(r_itrs):
    m = frames.itrs_from_gcrs(epoch_from_utc(UTC), np.zeros(1), load_earth_orientation())
    return frames.rotate_back(m, np.atleast_2d(r_itrs))[0]


# one target 100 km east-north-east of a station, 30 km up, as every way of giving directions has it
STATION = itrs_from_geodetic(LAT, LON, HEIGHT)
ENU = enu_from_itrs(LAT, LON)
LOCAL = np.array([90e3, 40e3, 30e3])
TARGET = STATION + ENU.T @ LOCAL
U = gcrs(TARGET - STATION) / np.linalg.norm(LOCAL)
AZ, EL = np.arctan2(LOCAL[0], LOCAL[1]), np.arcsin(LOCAL[2] / np.linalg.norm(LOCAL))
Q = Rotation.from_euler("zyx", [0.3, -0.2, 0.1])  # sensor axes in the ITRS
IN_SENSOR = Q.inv().apply((TARGET - STATION) / np.linalg.norm(LOCAL))
SENSOR_AZ, SENSOR_EL = np.arctan2(IN_SENSOR[1], IN_SENSOR[0]), np.arcsin(IN_SENSOR[2])
X, Y, Z = gcrs(STATION)
GEODETIC = f"{np.degrees(LAT)!r},{np.degrees(LON)!r},{HEIGHT}".replace("np.float64(", "").replace(")", "")
PLACE = "latitude_deg,longitude_deg,height_m"
ITRS_U = (TARGET - STATION) / np.linalg.norm(LOCAL)
QW, QX, QY, QZ = Q.as_quat(scalar_first=True)

WAYS = {
    "topocentric": (f"{PLACE},az_rad,el_rad", f"{GEODETIC},{AZ},{EL}", Defaults()),
    "topocentric degrees": (
        f"{PLACE},az_deg,el_deg",
        f"{GEODETIC},{np.degrees(AZ)},{np.degrees(EL)}",
        Defaults(),
    ),
    "topocentric with a facing": (
        f"{PLACE},facing_deg,az_rad,el_rad",
        f"{GEODETIC},70,{AZ},{EL}",
        Defaults(angles="topocentric"),
    ),
    "facing": (f"{PLACE},facing_rad,az_rad,el_rad", f"{GEODETIC},0.5,{0.5 - AZ},{EL}", Defaults()),
    "radec": (
        f"{PLACE},ra_rad,dec_rad",
        f"{GEODETIC},{np.arctan2(U[1], U[0])},{np.arcsin(U[2])}",
        Defaults(),
    ),
    "radec, inertial position": (
        "x_m,y_m,z_m,ra_rad,dec_rad",
        f"{X},{Y},{Z},{np.arctan2(U[1], U[0])},{np.arcsin(U[2])}",
        Defaults(),
    ),
    "unit vector": ("x_m,y_m,z_m,ux,uy,uz", f"{X},{Y},{Z},{U[0]},{U[1]},{U[2]}", Defaults()),
    "unit vector, km": (
        "x_km,y_km,z_km,ux,uy,uz",
        f"{X / 1e3},{Y / 1e3},{Z / 1e3},{U[0]},{U[1]},{U[2]}",
        Defaults(),
    ),
    "unit vector, ITRS": (
        "x_m,y_m,z_m,ux,uy,uz",
        ",".join(map(str, [*STATION, *ITRS_U])),
        Defaults(frame="itrs"),
    ),
    "unit vector, ENU": (
        "x_m,y_m,z_m,ux,uy,uz",
        ",".join(map(str, [0, 0, 0, *(LOCAL / np.linalg.norm(LOCAL))])),
        Defaults(frame="enu", origin=(LAT, LON, HEIGHT)),
    ),
    "attitude, ITRS": (
        "x_m,y_m,z_m,qw,qx,qy,qz,az_rad,el_rad",
        ",".join(map(str, [*STATION, QW, QX, QY, QZ, SENSOR_AZ, SENSOR_EL])),
        Defaults(frame="itrs"),
    ),
    "topocentric beside an attitude": (
        "x_m,y_m,z_m,qw,qx,qy,qz,az_rad,el_rad",
        ",".join(map(str, [*STATION, QW, QX, QY, QZ, AZ, EL])),
        Defaults(frame="itrs", angles="topocentric"),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_giving_a_direction_is_the_same_line(tmp_path, way):
    header, row, given = WAYS[way]
    file = write(
        tmp_path, "d.csv", f"utc,{header},sigma_angle_urad\n{UTC},{row},50\n".replace("np.float64", "")
    )
    found = read_recording(file, given)
    u, r = lines(found)
    # float64 in metres from the Earth's centre, text of 17 digits: nanometres and 1e-15 rad; margins of a thousand
    np.testing.assert_allclose(r[0], [X, Y, Z], atol=1e-6)
    np.testing.assert_allclose(u[0], U, atol=1e-12)
    assert found.detections.sigma_el_rad[0] == pytest.approx(50e-6)
    across = found.detections.sigma_az_rad[0] * np.cos(found.detections.el_rad[0])
    assert across == pytest.approx(50e-6)
    assert found.refused == {}
    assert found.turns
    assert np.isposinf(found.detections.sigma_range_m[0])
    assert found.scans.kind[0] == Kind.INFRARED


def test_stations_turn_with_the_earth_with_and_without_utc(tmp_path):
    head = f"{PLACE},az_rad,el_rad,range_m,sigma_angle_rad,sigma_range_m"
    rows = "".join(f"{t},{GEODETIC},1,0.5,1e5,1e-3,10\n" for t in (0, 100))
    bare = read_recording(write(tmp_path, "a.csv", f"t_s,{head}\n{rows}"))
    # no UTC: GCRS axes are the Earth's at t = 0, and w = 7.292115e-5 rad/s about z
    turn = 7.292115e-5 * 100
    c, s = np.cos(turn), np.sin(turn)
    np.testing.assert_allclose(bare.scans.r_gcrs[0], STATION, atol=1e-6)
    np.testing.assert_allclose(bare.scans.r_gcrs[1], [[c, -s, 0], [s, c, 0], [0, 0, 1]] @ STATION, atol=1e-6)
    np.testing.assert_allclose(bare.scans.v_gcrs[0], np.cross([0, 0, 7.292115e-5], STATION), atol=1e-9)
    assert any("turns uniformly" in note for note in bare.notes)
    dated = read_recording(tmp_path / "a.csv", Defaults(epoch=UTC))
    np.testing.assert_allclose(dated.scans.r_gcrs[0], [X, Y, Z], atol=1e-6)
    assert dated.epoch == epoch_from_utc(UTC)
    assert (dated.scans.kind == Kind.RADAR).all()


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01T12:00:01.5Z",
        "2024-05-01T12:00:01.500",
        "2024-05-01 12:00:01.5+00:00",
        "2024-05-01t12:00:01.5z",
    ],
)
def test_times_in_several_spellings(tmp_path, text):
    head = f"utc,{PLACE},az_rad,el_rad,sigma_angle_rad"
    file = write(tmp_path, "a.csv", f"{head}\n{UTC},{GEODETIC},1,0.5,1e-3\n{text},{GEODETIC},1,0.5,1e-3\n")
    np.testing.assert_allclose(read_recording(file).scans.t_event, [0.0, 1.5], atol=1e-9)


def test_a_leap_second_is_a_second(tmp_path):
    head = f"utc,{PLACE},az_rad,el_rad,sigma_angle_rad"
    times = ["2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"]
    file = write(tmp_path, "a.csv", head + "\n" + "".join(f"{t},{GEODETIC},1,0.5,1e-3\n" for t in times))
    np.testing.assert_allclose(read_recording(file).scans.t_event, [0, 1, 2], atol=1e-9)
    file.write_text(head + "\n" + "".join(f"{t},{GEODETIC},1,0.5,1e-3\n" for t in (times[0], times[2])))
    np.testing.assert_allclose(read_recording(file).scans.t_event, [0, 2], atol=1e-9)


def folder_of(tmp_path, *, sensors, detections, truth=None):
    folder = tmp_path / "rec"
    folder.mkdir(exist_ok=True)
    write(folder, "sensors.csv", sensors)
    write(folder, "detections.csv", detections)
    if truth is not None:
        write(folder, "truth.csv", truth)
    return folder


def test_sensors_with_times_are_scans_empty_ones_too(tmp_path):
    rows = "".join(f"{t},{s},7e6,{k},0,1,0,0,0,0.2\n" for t in range(4) for k, s in enumerate(("b", "a")))
    folder = folder_of(
        tmp_path,
        sensors=f"t_s,sensor,x_m,y_m,z_m,qw,qx,qy,qz,field_cone_rad\n{rows}",
        detections="t_s,sensor,az_rad,el_rad,sigma_angle_rad\n0,a,0,0,1e-5\n2.0000004,b,0,0,1e-5\n,b,0,0,1e-5\n"
        "1,c,0,0,1e-5\n1.5,a,0,0,1e-5\n",
    )
    found = read_recording(folder)
    assert found.sensors == ("a", "b")
    assert len(found.scans.scan) == 8
    assert found.refused == {"time": 1, "unknown_sensor": 1, "no_sensor_state": 1}
    assert set(found.refused) <= set(REASONS)
    np.testing.assert_array_equal(found.detections.detection, [0, 1])
    np.testing.assert_array_equal(found.scans.sensor[found.detections.scan], [0, 1])
    np.testing.assert_array_equal(found.scans.t_event[found.detections.scan], [0, 2])
    # one false alarm in the cap of 0.2 rad: 1 / (2 pi (1 - cos 0.2)) per steradian
    np.testing.assert_allclose(found.scans.clutter_density, 1 / (2 * pi * (1 - np.cos(0.2))))


def test_sensors_without_times_stand_still(tmp_path):
    folder = folder_of(
        tmp_path,
        sensors=f"sensor,{PLACE},range_max_km,p_detect,kind\n1,{GEODETIC},400,0.8,radar\n10,{GEODETIC},300,,\n2,"
        f"{GEODETIC},,,\n",
        detections="t_s,sensor,az_rad,el_rad,range_m,sigma_angle_rad,sigma_range_m\n0,2,1,.5,1e5,1e-3,10\n"
        "0,1,1,.5,,1e-3,10\n5,10,1,.5,1e5,1e-3,10\n",
    )
    found = read_recording(folder, Defaults(p_detect=0.7))
    assert found.sensors == ("1", "2", "10")  # numbers in their order
    np.testing.assert_array_equal(found.scans.sensor, [0, 1, 2])
    np.testing.assert_allclose(found.scans.range_max_m, [4e5, np.inf, 3e5])
    np.testing.assert_allclose(found.scans.p_detect, [0.8, 0.7, 0.7])
    assert (found.scans.kind == Kind.RADAR).all()
    assert any("in vain" in note for note in found.notes)


def test_a_turning_radar_saw_only_its_beam(tmp_path):
    head = f"t_s,{PLACE},az_deg,el_deg,range_m,sigma_angle_rad,sigma_range_m"
    file = write(
        tmp_path, "a.csv", f"{head}\n0,{GEODETIC},90,1,1e5,1e-3,10\n1,{GEODETIC},200,1,1e5,1e-3,10\n"
    )
    found = read_recording(file, Defaults(beam_rad=radians(4)))
    np.testing.assert_allclose(found.scans.field_azimuth_rad, radians(2))
    np.testing.assert_allclose(found.detections.az_rad, 0.0, atol=1e-12)
    u, _ = lines(found)
    whole, _ = lines(read_recording(file))
    np.testing.assert_allclose(u, whole, atol=1e-12)


def test_positions_from_sites(tmp_path):
    file = write(tmp_path, "a.csv", "t_s,sensor,az_rad,el_rad,sigma_angle_rad\n0,n,1,.5,1e-3\n")
    sites = Sites(("n",), np.array([LAT]), np.array([LON]), np.array([HEIGHT]))
    np.testing.assert_allclose(
        read_recording(file, Defaults(sites=sites)).scans.r_gcrs[0], STATION, atol=1e-6
    )
    with pytest.raises(DataError, match="do not name 'n'"):
        read_recording(file, Defaults(sites=sites._replace(names=("m",))))


def test_truth_on_its_own_times_and_never_beyond_them(tmp_path):
    t = np.arange(0, 21, 2.0)
    rows = "".join(f"{x},one,{7e6 + 10 * x**2},{100 * x},0\n" for x in t)
    rows += "".join(f"{x},two,8e6,0,{5 * x}\n" for x in (5.0, 7.0, 9.0, 11.0))
    folder = folder_of(
        tmp_path,
        sensors="t_s,sensor,x_m,y_m,z_m\n0,a,7e6,0,0\n",
        detections="t_s,sensor,ra_rad,dec_rad,sigma_angle_rad,truth_id\n0,a,0,0,1e-5,3\n",
        truth=f"t_s,target,x_m,y_m,z_m\n{rows}",
    )
    found = read_recording(folder)
    truth = found.truth
    assert truth is not None
    assert truth.targets == ("one", "two")
    np.testing.assert_allclose(truth.t_launch, [0, 5])
    np.testing.assert_allclose(truth.t_impact, [20, 11])
    k = int(np.searchsorted(truth.t, 7.0))
    assert truth.alive[k].all()
    # a parabola and a straight line: the cubic spline has both exactly
    np.testing.assert_allclose(truth.r_gcrs[k], [[7e6 + 490, 700, 0], [8e6, 0, 35]], atol=1e-6)
    np.testing.assert_allclose(truth.v_gcrs[k], [[140, 100, 0], [0, 0, 5]], atol=1e-6)
    assert not truth.alive[0, 1]
    assert any("truth_id" in note for note in found.notes)


def test_the_answers_change_nothing(tmp_path):
    head = f"t_s,sensor,{PLACE},az_rad,el_rad,sigma_angle_rad"
    plain = write(tmp_path, "a.csv", f"{head}\n0,a,{GEODETIC},1,.5,1e-3\n")
    told = write(tmp_path, "b.csv", f"{head},truth_id,active\n0,a,{GEODETIC},1,.5,1e-3,7,1\n")
    one, two = read_recording(plain), read_recording(told)
    for a, b in ((one.scans, two.scans), (one.detections, two.detections)):
        for name in a.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert not {"truth_id", "active", "target"} & {*module.SENSOR, *module.MEASURED, *module.SENSOR_TEXTS}


def test_csv_and_parquet_are_the_same(tmp_path):
    rng = np.random.default_rng(4)
    n = 50
    columns = {
        "t_s": np.repeat(np.arange(10.0), 5),
        "sensor": np.tile(np.arange(5), 10).astype(np.int8),
        **{name: rng.uniform(6e6, 7e6, n) for name in ("x_m", "y_m", "z_m")},
        "ra_rad": rng.uniform(0, 6, n),
        "dec_rad": rng.uniform(-1, 1, n),
        "sigma_angle_rad": np.full(n, 1e-5),
    }
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    names = list(columns)
    rows = "".join(",".join(repr(columns[c][k].item()) for c in names) + "\n" for k in range(n))
    one, two = (
        read_recording(tmp_path / "d.parquet"),
        read_recording(write(tmp_path, "d.csv", f"{','.join(names)}\n{rows}")),
    )
    for name in one.detections.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one.detections, name), getattr(two.detections, name))
    stamps = np.datetime64("2024-05-01T12:00:00", "ns") + (columns["t_s"] * 1e9).astype("timedelta64[ns]")
    del columns["t_s"]
    pq.write_table(pa.table({"utc": stamps, **columns}), tmp_path / "u.parquet")
    np.testing.assert_allclose(
        read_recording(tmp_path / "u.parquet").scans.t_event, one.scans.t_event, atol=1e-9
    )


GOOD = (
    f"t_s,sensor,{PLACE},az_rad,el_rad,sigma_angle_rad\n0,a,{GEODETIC},1,.5,1e-3\n1,a,{GEODETIC},1,.5,1e-3\n"
)


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("\n1,a,", "\n1,a,9,", "d.csv:3", "values for"),
        ("\n1,a", "\nzwei,a", "d.csv:3, column t_s", "'zwei' is not a number"),
        ("\n1,a", '\n"1,a', "d.csv", "CSV"),
        ("t_s,", "time,", "d.csv", "lacks the column 't_s'"),
        ("t_s,", "ts,", "d.csv", "did you mean 't_s' by 'ts'"),
        ("el_rad", "elev_rad", "d.csv", "did you mean 'el_rad'"),
        ("latitude_deg", "lat_deg", "d.csv", "did you mean 'latitude"),
        ("height_m", "az_deg", "d.csv", "twice"),
        ("sigma_angle_rad", "sigma", "d.csv", "--sigma-angle-urad"),
        ("az_rad,el_rad", "ra_rad,el_rad", "d.csv", "more than one way"),
        ("az_rad,el_rad", "ux,uy", "d.csv", "lacks the column 'uz'"),
        ("az_rad,el_rad", "a,b", "d.csv", "lacks the column"),
    ],
)
def test_damaged_csv(tmp_path, old, new, where, said):
    assert old in GOOD
    file = write(tmp_path, "d.csv", GOOD.replace(old, new, 1))
    with pytest.raises(DataError) as error:
        read_recording(file)
    assert error.value.where.removeprefix(f"{tmp_path}/").startswith(where)
    assert said in str(error.value)


def test_other_damage(tmp_path):
    for name, data, said in (
        ("a.csv", b"", "empty"),
        ("b.csv", b"\n1\n", "no header"),
        ("c.csv", GOOD.splitlines()[0].encode(), "no detection"),
        ("d.csv", b"t_s,\xff\n", "not CSV"),
        ("e.csv", GOOD.replace("a,", "\xe9,").encode("latin-1"), "not CSV"),
        ("f.parquet", b"PAR1 nonsense", "Parquet"),
        ("g.parquet", b"", "empty"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=said):
            read_recording(tmp_path / name)
    pq.write_table(pa.table({"t_s": [0.0] * 1000}), tmp_path / "whole.parquet")
    data = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="no whole Parquet"):
        read_recording(tmp_path / "cut.parquet")
    for path in (tmp_path / "absent.csv", tmp_path / "none" / "x"):
        with pytest.raises(DataError, match="no such file"):
            read_recording(path)
    (tmp_path / "hollow").mkdir()
    with pytest.raises(DataError, match="no recording"):
        read_recording(tmp_path / "hollow")
    pq.write_table(pa.table({"t_s": [["a"]]}), tmp_path / "odd.parquet")
    with pytest.raises(DataError, match="give it as numbers"):
        read_recording(tmp_path / "odd.parquet")


def test_contradictions_are_said(tmp_path):
    bare = "t_s,x_m,y_m,z_m,az_rad,el_rad,sigma_angle_rad\n0,7e6,0,0,0,0,1e-5\n"
    file = write(tmp_path, "a.csv", bare)
    with pytest.raises(DataError, match="without an attitude"):
        read_recording(file)
    with pytest.raises(DataError, match="attitude is not given"):
        read_recording(file, Defaults(angles="sensor"))
    with pytest.raises(DataError, match="--origin"):
        read_recording(file, Defaults(frame="enu"))
    folder = folder_of(
        tmp_path,
        sensors="t_s,sensor,x_m,y_m,z_m\n0,a,7e6,0,0\n",
        detections=f"utc,sensor,ra_rad,dec_rad,sigma_angle_rad\n{UTC},a,0,0,1e-5\n",
    )
    with pytest.raises(DataError, match="--epoch"):
        read_recording(folder)
    assert len(read_recording(folder, Defaults(epoch=UTC)).detections.scan) == 1
    write(folder, "sensors.csv", "sensor,x_m,y_m,z_m\na,7e6,0,0\na,7e6,0,0\n")
    with pytest.raises(DataError, match="several rows"):
        read_recording(folder)
    write(folder, "detections.parquet", "x")
    with pytest.raises(DataError, match="leave one"):
        read_recording(folder)
    bad = write(tmp_path, "b.csv", bare.replace("t_s", "utc").replace("\n0,", "\n2024-99-01T00:00:00Z,"))
    with pytest.raises(NoroshiError, match="2024-99"):
        read_recording(bad)


def test_absurd_values_are_left_to_the_screen(tmp_path):
    cells = ["1,.5,1e5", "1,9,1e5", "inf,.5,1e5", "1,.5,-3", "1,.5,inf", ",,", "1,.5,", ",,1e5"]
    rows = "".join(f"{k},{GEODETIC},{cell},1e-3,10\n" for k, cell in enumerate(cells))
    head = f"t_s,{PLACE},az_rad,el_rad,range_m,sigma_angle_rad,sigma_range_m"
    found = read_recording(write(tmp_path, "d.csv", f"{head}\n{rows}"))
    assert found.refused == {}
    passed = screen(found.scans, found.detections)
    assert passed.refused == {"out_of_bounds": 2, "not_finite": 2, "nothing_measured": 1}
    np.testing.assert_array_equal(passed.detections.detection, [0, 6, 7])
    text = f"t_s,{PLACE},ux,uy,uz,sigma_angle_rad\n"
    for k, cell in enumerate(["1,0,0", "1.0004,0,0", "1.1,0,0", "nan,0,1", "inf,0,0", "0,0,0"]):
        text += f"{k},{GEODETIC},{cell},1e-5\n"
    found = read_recording(write(tmp_path, "u.csv", text), Defaults(frame="itrs"))
    assert found.refused == {"unit_vector": 4}
    np.testing.assert_array_equal(found.detections.detection, [0, 1])


def test_hgt24_folder(shared_data):
    found = read_recording(shared_data / "hgt24" / "HGT24_T5")
    assert len(found.sensors) == 24
    assert len(found.scans.scan) == 301 * 24
    assert len(found.detections.scan) == found.rows == 6960
    np.testing.assert_allclose(found.detections.sigma_el_rad, 50e-6)
    np.testing.assert_allclose(found.scans.clutter_density, 5 / (2 * pi * (1 - np.cos(radians(10)))))
    assert found.truth is not None
    # true detections lie within 5 sigma of the truth; 3,246 of 6,960 are true (README of the data)
    u, r = lines(found)
    t = found.scans.t_event[found.detections.scan].astype(int)
    to = found.truth.r_gcrs[t] - r[:, None]
    off = np.linalg.norm(np.cross(u[:, None], to / np.linalg.norm(to, axis=-1, keepdims=True)), axis=-1).min(
        1
    )
    # 5 sigma of two angles: chance 4e-6 each of being beyond; clutter in so small a circle: 5e-4 expected a scan
    assert 3246 - 2 <= int((off < 250e-6).sum()) <= 3246 + 12
    with pytest.raises(DataError, match="holds 3 recordings: HGT24_T1, HGT24_T20, HGT24_T5"):
        read_recording(shared_data / "hgt24")


def test_every_column_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "track.md").read_text("utf-8")
    for name in {*module.SENSOR, *module.MEASURED, *module.SENSOR_TEXTS, *module.TRUTH}:
        assert re.search(rf"`{name}`", page), f"document {name}"
    for reason in REASONS:
        assert f"`{reason}`" in page, f"document {reason}"

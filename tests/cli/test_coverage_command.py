"""`noroshi coverage` as a user meets it: the figures of the issue, every way to name sensors and places, mistakes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.io import netcdf_file

from noroshi.cli.main import main

SMALL = ("--walker", "60:24/4/1", "--altitude-km", "1000", "--grid", "fibonacci:400", "--duration-s", "7200")
KEYS = {
    "pairs", "mean_fold", "min_fold", "max_fold", "fraction_at_least", "stereo_fraction", "longest_gap_s",
    "gap_truncated", "wall_s", "cpu_s", "ns_per_pair", "constraints", "propagator", "earth", "by_latitude",
}  # fmt: skip


def asked(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict:
    """The JSON of a study."""
    with pytest.raises(SystemExit) as end:
        main(["coverage", *map(str, arguments), "--json"])
    assert not end.value.code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The message of a mistake: exit code 2, nothing on standard output."""
    with pytest.raises(SystemExit) as end:
        main(["coverage", *map(str, arguments)])
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "help:" in said.err
    return said.err


def test_the_command_of_the_issue(capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(
        capsys, "--walker", "60:288/12/1", "--altitude-km", "1000", "--target-altitude-km", "40",
        "--grid", "fibonacci:10000", "--step-s", "60", "--duration-s", "86400",
    )  # fmt: skip
    assert set(found) >= KEYS
    assert found["pairs"] == 288 * 10_000 * 1440
    assert found["mean_fold"] == pytest.approx(28.5522, abs=0.002)  # the issue; V-208
    assert (found["min_fold"], found["max_fold"]) == (16, 39)  # V-208
    assert found["fraction_at_least"] == {"1": 1.0, "2": 1.0, "3": 1.0, "4": 1.0}
    assert found["longest_gap_s"] == 0.0
    assert found["gap_truncated"] is False
    assert found["constraints"] == {"occlusion": "exact"}
    assert (found["propagator"], found["earth"]) == ("sgp4", "wgs84")
    assert [b["south_deg"] for b in found["by_latitude"]] == [-90.0 + 10.0 * k for k in range(18)]
    weights = [b["weight"] for b in found["by_latitude"]]
    means = [b["mean_fold"] for b in found["by_latitude"]]
    assert np.dot(weights, means) == pytest.approx(found["mean_fold"], rel=1e-12)


def test_a_sphere(capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(
        capsys, "--walker", "60:288/12/1", "--altitude-km", "1000", "--grid", "fibonacci:2000", "--earth", "sphere",
        "--propagator", "j2", "--duration-s", "14400", "--stereo-deg", "0",
    )  # fmt: skip
    # V-207, to the 0.05 % that it allows a Walker pattern
    assert found["mean_fold"] == pytest.approx(28.3621, rel=5e-4)
    assert (found["propagator"], found["earth"]) == ("j2", "sphere")
    assert found["stereo_fraction"] is None


def test_every_grid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    across = tmp_path / "across.geojson"  # the dateline
    across.write_text('{"type":"Polygon","coordinates":[[[170,-9],[-170,-9],[-170,9],[170,9],[170,-9]]]}')
    sites = tmp_path / "sites.csv"
    sites.write_text("name,latitude_deg,longitude_deg\ntokyo,35.7,139.7\npole,90,0\n")
    path = tmp_path / "path.csv"
    path.write_text(
        "t_s,latitude_deg,longitude_deg,height_m\n0,30,140,50000\n400,33,143,60000\n800,37,147,60000\n1200,40,150,50000\n"
    )
    who = SMALL[:4]
    for text, places in (
        ("fibonacci:50", 50),
        ("latlon:10x20", 200),
        ("latlon:30", 72),
        ("box:20N-55N,150E-150W:100", None),
        (f"polygon:{across}:100", None),
        (f"sites:{sites}", 2),
        ("site:-35.3,149.1", 1),
    ):
        found = asked(capsys, *who, "--grid", text, "--duration-s", "3600")
        assert found["places"] == places or (places is None and 80 <= found["places"] <= 120), text
        assert found["pairs"] == 24 * found["places"] * 60
        assert found["grid"] == text
    moving = asked(capsys, *who, "--grid", f"trajectory:{path}")
    assert (moving["places"], moving["samples"]) == (1, 21)  # every minute from 0 to 1,200 s, both ends
    assert moving["pairs"] == 24 * 21


def test_limits_take_views_away(capsys: pytest.CaptureFixture[str]) -> None:
    free = asked(capsys, *SMALL)["mean_fold"]
    limits = {
        "range_max_km": 2500, "elevation_min_deg": 10, "off_nadir_max_deg": 50, "off_nadir_min_deg": 30,
        "grazing_height_km": 20, "sun_exclusion_deg": 40,
    }  # fmt: skip
    seen = {}
    for name, value in limits.items():
        found = asked(capsys, *SMALL, f"--{name.replace('_', '-')}", str(value))
        seen[name] = found["mean_fold"]
        assert 0.0 < seen[name] < free, name
        assert found["constraints"] == {"occlusion": "exact", name: value}
    # every target that is seen has either space or the Earth behind it
    behind = [asked(capsys, *SMALL, "--background", where)["mean_fold"] for where in ("space", "earth")]
    assert sum(behind) == pytest.approx(free, rel=1e-12)


def test_mixed_networks(capsys: pytest.CaptureFixture[str]) -> None:
    grid = ("--grid", "box:20N-60N,120E-160E:200", "--duration-s", "3600", "--target-altitude-km", "300")
    patterns = (
        "--walker",
        "60:24/4/1",
        "--walker",
        "0:3/1/0",
        "--altitude-km",
        "1000",
        "--altitude-km",
        "35786",
    )
    both = asked(capsys, *patterns, *grid)
    apart = [
        asked(capsys, "--walker", w, "--altitude-km", a, *grid)["mean_fold"]
        for w, a in (("60:24/4/1", "1000"), ("0:3/1/0", "35786"))
    ]
    assert both["mean_fold"] == pytest.approx(sum(apart), rel=1e-12)
    scenario = asked(capsys, "hokkaido-2017", *grid)
    assert scenario["sensors"] == 32  # 28 satellites and 4 radars
    assert scenario["propagator"] == "scenario"
    more = asked(capsys, "hokkaido-2017", "--walker", "0:3/1/0", "--altitude-km", "35786", *grid)
    assert more["sensors"] == 35
    # the same geostationary ring at the scenario's own epoch adds up
    ring = asked(capsys, "--walker", "0:3/1/0", "--altitude-km", "35786", "--epoch", scenario["epoch"], *grid)
    assert more["mean_fold"] == pytest.approx(scenario["mean_fold"] + ring["mean_fold"], rel=1e-12)


def test_brightness_and_noise(capsys: pytest.CaptureFixture[str]) -> None:
    grid = (
        "hokkaido-2017",
        "--grid",
        "box:30N-45N,130E-150E:50",
        "--duration-s",
        "1800",
        "--target-altitude-km",
        "300",
    )
    any_brightness = asked(capsys, *grid, "--errors")
    bright = asked(capsys, *grid, "--errors", "--intensity-kw-sr", "1000", "--rcs-m2", "1")
    faint = asked(capsys, *grid, "--errors", "--intensity-kw-sr", "0.02", "--rcs-m2", "0.001")
    assert faint["mean_fold"] < bright["mean_fold"] <= any_brightness["mean_fold"]
    assert 0.0 < bright["error_median_m"] < any_brightness["error_median_m"]
    halved = [asked(capsys, *SMALL, "--sigma-urad", str(sigma))["error_median_m"] for sigma in (50.0, 25.0)]
    # errors scale with the noise; both are read from bins 12 % wide
    assert halved[0] / halved[1] == pytest.approx(2.0, rel=0.02)


def test_element_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from noroshi.io.tle_omm import read_satellites  # what the file says is what is looked with

    file = tmp_path / "one.tle"
    # Vanguard 1 of the published verification set (AIAA 2006-6753), epoch of 2000-06-27
    file.write_text(
        "VANGUARD\n"
        "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n"
        "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667\n"
    )
    assert len(read_satellites(file)) == 1
    found = asked(capsys, "--tle", file, "--grid", "fibonacci:50", "--duration-s", "600")
    assert found["epoch"].startswith("2000-06-27T18:50:2")
    assert any("latest element set" in note for note in found["notes"])
    late = asked(
        capsys,
        "--tle",
        file,
        "--grid",
        "fibonacci:50",
        "--duration-s",
        "600",
        "--epoch",
        "2000-07-04T00:00:00Z",
    )
    assert any("days from the epoch" in note for note in late["notes"])
    said = refused(capsys, "--tle", file, "--epoch", "2001-07-04T00:00:00Z")
    assert "VANGUARD" in said
    assert "days older" in said


def checksum(line: str) -> str:
    """The last digit of a line: digits add up, a minus counts one."""
    return str(sum(int(c) if c.isdigit() else c == "-" for c in line) % 10)


def test_a_decayed_satellite_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "low.tle"
    # 33334 of the verification set decays within hours of its epoch
    lines = (
        "1 33334U 78066F   06174.85818871  .00000620  00000-0  10000-3 0  680",
        "2 33334  68.4714 236.1303 5602877 123.7484 302.5767  0.00001000 6752",
    )
    file.write_text("\n".join(["GONE", *(line + checksum(line) for line in lines)]) + "\n")
    said = refused(capsys, "--tle", file, "--grid", "fibonacci:50")
    assert "GONE" in said


def test_windows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sites = tmp_path / "sites.csv"
    sites.write_text("name,latitude_deg,longitude_deg\ntokyo,35.7,139.7\ncanberra,-35.3,149.1\n")
    arguments = (*SMALL[:4], "--grid", f"sites:{sites}", "--duration-s", "20000", "--elevation-min-deg", "5",
                 "--target-altitude-km", "0")  # fmt: skip
    found = asked(capsys, *arguments, "--windows", "w1-0?@tokyo")
    rows = found["windows"]
    assert rows
    assert {w["place"] for w in rows} == {"tokyo"}
    assert {w["sensor"] for w in rows} <= {f"w1-0{k}" for k in range(1, 10)}
    # the windows of all pairs, sampled as the counting samples, are the folds
    every = asked(capsys, *arguments, "--windows", "*@*")["windows"]
    t = np.arange(0.0, 20000.0, 60.0)
    inside = sum(np.sum((t >= w["t_start_s"]) & (t <= w["t_end_s"])) for w in every)
    assert inside / (2 * len(t)) == pytest.approx(found["mean_fold"], rel=1e-12)
    said = refused(capsys, *arguments, "--windows", "tokyo")
    assert "SENSOR@PLACE" in said


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "study"
    found = asked(capsys, *SMALL, "--sigma-urad", "20", "--out", out, "--windows", "w1-01@0")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study"]
    assert json.loads((out / "coverage.json").read_text())["mean_fold"] == found["mean_fold"]
    places = pq.read_table(out / "tables/places.parquet").to_pydict()
    assert np.average(places["mean_fold"], weights=places["weight"]) == pytest.approx(
        found["mean_fold"], rel=1e-12
    )
    assert max(places["longest_gap_s"]) == found["longest_gap_s"]
    times = pq.read_table(out / "tables/times.parquet").to_pydict()
    assert times["t_s"] == list(np.arange(0.0, 7200.0, 60.0))
    assert np.mean(times["mean_fold"]) == pytest.approx(
        found["mean_fold"], rel=1e-9
    )  # whole weights of 1 in 2^40
    histogram = pq.read_table(out / "tables/histogram.parquet").to_pydict()
    assert np.dot(histogram["fold"], histogram["share"]) == pytest.approx(found["mean_fold"], rel=1e-9)
    assert pq.read_table(out / "tables/windows.parquet").num_rows == len(found["windows"])
    with netcdf_file(str(out / "coverage.nc"), mmap=False) as file:
        assert np.array_equal(file.variables["places_mean_fold"][:], places["mean_fold"])
        assert file.variables["places_longest_gap_s"].units == b"s"
    page = (out / "report.html").read_text()
    assert len(page) < 2_000_000
    assert "60:24/4/1" in page
    assert "already exists" in refused(capsys, *SMALL, "--out", out)


def test_a_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "found"
    text = "1-fold >= 99 % over global at 0 km"
    arguments = ("--need", text, "--search", "walker", "--altitude-km", "8000", "--inclination-deg", "50,55",
                 "--step-s", "600", "--lost", "1", "--stereo-deg", "0")  # fmt: skip
    found = asked(capsys, *arguments, "--out", out, "--sigma-urad", "20")
    doubled = asked(capsys, *arguments, "--sigma-urad", "40")
    # errors scale with the noise; both are read from bins 12 % wide
    assert doubled["error_median_m"] / found["error_median_m"] == pytest.approx(2.0, rel=0.02)
    assert set(found) >= {"satellites", "planes", "phasing", "altitude_km", "achieved", "searched", *KEYS}
    assert found["need"] == text
    # 5 cover all of the sphere from where each sees 69.15 deg (Ballard 1980, table I); 8,000 km gives 63.7 deg (V-217)
    assert 5 <= found["satellites"] <= 7
    assert found["achieved"] >= 0.99
    assert found["searched"]["exhaustive"] is True
    assert {"designs_evaluated", "time_limit_s"} <= set(found["searched"])
    looks = found["recheck"]["looks"]
    assert looks[-1]["points"] >= 3.9 * looks[0]["points"]  # four times finer
    assert looks[-1]["meets"] is True
    front = found["front"]
    assert any(row["meets"] and row["satellites"] == found["satellites"] for row in front)
    assert not any(row["meets"] and row["satellites"] < found["satellites"] for row in front)
    assert {row["lost"] for row in found["robustness"]} >= {"1 satellite"}
    assert (out / "report.html").is_file()


def test_the_search_of_the_issue(capsys: pytest.CaptureFixture[str]) -> None:
    need = "2-fold >= 99 % over 20N-55N,120E-180E at 40 km"
    found = asked(
        capsys, "--need", need, "--search", "walker", "--lost", "1", "--stereo-deg", "0", "--grid", "latlon:5",
        "--step-s", "300",
    )  # fmt: skip
    assert found["achieved"] >= 0.99
    assert found["searched"]["altitude_km"] == [
        600.0,
        800.0,
        1000.0,
        1200.0,
        1400.0,
    ]  # its default, and said so
    assert [note for note in found["notes"] if "600:1400:200" in note]
    assert [note for note in found["notes"] if "--grid did nothing" in note]
    assert found["searched"]["exhaustive"] is True
    # what the day-long check found of every T/P/F: no outside value is known, a search that misses it got worse
    assert (found["satellites"], found["altitude_km"]) == (18, 1400.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing that looks is named"),
        (("--walker", "60:288/13/1", "--altitude-km", "1000"), "planes that divide 288"),
        (("--walker", "60-288", "--altitude-km", "1000"), "60:288/12/1"),
        (("--walker", "60:12/3/1"), "--altitude-km"),
        (("--walker", "60:12/3/1", "--altitude-km", "50"), "no orbit"),
        (("--walker", "60:12/3/1", "--altitude-km", "nan"), "no orbit"),
        (("--walker", "190:12/3/1", "--altitude-km", "1000"), "inclined"),
        (("--altitude-km", "1000"), "--walker"),
        ((*SMALL, "--step-s", "0"), "--step-s"),
        ((*SMALL, "--step-s", "nan"), "--step-s"),
        ((*SMALL[:4], "--duration-s", "-5"), "--duration-s"),
        ((*SMALL[:4], "--duration-s", "1e12"), "samples"),
        ((*SMALL, "--stereo-deg", "120"), "20 is usual"),
        ((*SMALL, "--off-nadir-min-deg", "60", "--off-nadir-max-deg", "50"), "nadir"),
        ((*SMALL, "--range-max-km", "-1"), "--range-max-km"),
        ((*SMALL, "--epoch", "yesterday"), "2017-08-28T20:57:00Z"),
        ((*SMALL, "--threads", "0"), "--threads"),
        (
            ("--walker", "60:12/3/1", "--altitude-km", "1000", "--grid", "fibonaci:10"),
            "did you mean fibonacci",
        ),
        (("--tle", "missing.tle"), "cannot be read"),
        (("no-such-scenario",), "bundled"),
        (("hokkaido-2017", "--range-max-km", "3000"), "[[infrared]]"),
        (("--need", "2-fold >= 99 %", "--altitude-km", "1000"), "over 20N-55N"),
        (("--need", "1-fold >= 9 % over global at 40 km", *SMALL[:4]), "no scenario"),
        (("--need", "1-fold >= 9 % over global at 40 km", "--altitude-km", "1000", "--lost", "x"), "--lost"),
        ((*SMALL, "--errors"), "--sigma-urad 20"),
        ((*SMALL, "--satellites-max", "9"), "--need"),
        ((*SMALL, "--rcs-m2", "1"), "scenario"),
        (("hokkaido-2017", "--sigma-urad", "1"), "--errors"),
        (("hokkaido-2017", "--pattern", "star"), "--walker"),
        (("hokkaido-2017", "--propagator", "j2"), "--walker"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(capsys, *arguments)


def test_bad_polygons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bow, empty = tmp_path / "bow.geojson", tmp_path / "empty.geojson"
    bow.write_text('{"type":"Polygon","coordinates":[[[0,0],[10,10],[10,0],[0,10],[0,0]]]}')
    empty.write_text('{"type":"FeatureCollection","features":[]}')
    assert "crosses" in refused(capsys, *SMALL[:4], "--grid", f"polygon:{bow}")
    refused(capsys, *SMALL[:4], "--grid", f"polygon:{empty}")


def test_windows_are_looked_up_before_counting(capsys: pytest.CaptureFixture[str]) -> None:
    # a day over 100,000 places would take minutes
    began = time.process_time()
    said = refused(
        capsys,
        *SMALL[:4],
        "--grid",
        "fibonacci:100000",
        "--duration-s",
        "8640000",
        "--windows",
        "w9*@nowhere",
    )
    assert "matches no pair" in said
    assert time.process_time() - began < 20.0


def test_a_trajectory_of_too_many_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "path.csv"
    rows = [f"{t},{30 + t / 100},{140 + t / 100},50000" for t in range(0, 1200, 200)]
    path.write_text("\n".join(["t_s,latitude_deg,longitude_deg,height_m", *rows]) + "\n")
    said = refused(
        capsys, *SMALL[:4], "--grid", f"trajectory:{path}", "--step-s", "0.00001", "--duration-s", "10"
    )
    assert "samples" in said


def test_an_interrupted_study_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "new" / "long"  # its folder is not there yet
    arguments = [
        sys.executable, "-m", "noroshi.cli.main", "coverage", "--walker", "60:2000/40/1", "--altitude-km", "600",
        "--grid", "fibonacci:40000", "--duration-s", "86400", "--stereo-deg", "0", "--json",
    ]  # fmt: skip
    environment = {**os.environ, "NO_COLOR": "1"}
    save = out.parent / ".long.survey.npz"
    process = subprocess.Popen(
        [*arguments, "--out", out], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    began = time.monotonic()
    while not save.is_file() and process.poll() is None and time.monotonic() - began < 120.0:
        time.sleep(0.1)
    if process.poll() is not None:
        pytest.fail(f"ended before anything was saved: {process.communicate()[1].decode()}")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"goes on" in said
    assert not out.exists()
    assert save.is_file()
    with np.load(save) as held:
        done = int(held["done"])
    assert 0 < done < 1440
    again = subprocess.run(
        [*arguments, "--out", out], env=environment, capture_output=True, text=True, timeout=300
    )
    assert again.returncode == 0, again.stderr
    assert not save.exists()
    whole = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=300)
    first, second = (json.loads(done.stdout) for done in (again, whole))
    for key in (
        "mean_fold",
        "min_fold",
        "max_fold",
        "percentiles",
        "fraction_at_least",
        "longest_gap_s",
        "by_latitude",
    ):
        assert first[key] == second[key], key

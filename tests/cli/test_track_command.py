"""`noroshi track` as a user meets it: real and made-up recordings, what is refused and said, what is written."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from noroshi.cli.main import main
from noroshi.earth import enu_from_itrs, itrs_from_geodetic
from noroshi.errors import ScenarioError
from noroshi.io.tdm import Observations, tdm_text
from noroshi.tracking.configuration import configuration, described
from noroshi.tracking.presets import NAMES, preset

LAT, LON, HEIGHT = np.radians(35.0), np.radians(139.0), 50.0
HEAD = "t_s,sensor,latitude_deg,longitude_deg,height_m,az_rad,el_rad,range_m,sigma_angle_rad,sigma_range_m"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Commands are given in a folder of their own."""
    monkeypatch.chdir(tmp_path)


def shown(*arguments) -> str:
    """What a command that goes well prints."""
    text = StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        main(["track", *map(str, arguments)])
    return text.getvalue()


def run(*arguments) -> dict:
    """The summary that --json prints."""
    return json.loads(shown(*arguments, "--json"))


def refused(capsys, *arguments) -> str:
    """The message of a user's mistake: exit code 2, no traceback, nothing on standard output."""
    with pytest.raises(SystemExit) as end:
        main(["track", *map(str, arguments)])
    said = capsys.readouterr()
    assert end.value.code == 2
    assert "Traceback" not in said.err
    assert said.out == ""
    return said.err


def plots(n=60, seed=1, step=2.0, sigma=1e-3, sigma_range=30.0):
    """Rows of an aircraft's plots by one radar at HEIGHT: straight at 220 m/s, 9 km up, 60 km off; and where it was."""
    rng = np.random.default_rng(seed)
    t = step * np.arange(n)
    local = np.stack([-30e3 + 200.0 * t, 50e3 + 90.0 * t, np.full(n, 9e3)], 1)
    rho = np.linalg.norm(local, axis=1)
    az = np.arctan2(local[:, 0], local[:, 1]) + sigma * rng.normal(size=n)
    el = np.arcsin(local[:, 2] / rho) + sigma * rng.normal(size=n)
    r = rho + sigma_range * rng.normal(size=n)
    place = f"35.0,139.0,{HEIGHT}"
    rows = [
        f"{t[k]},tokyo,{place},{az[k]:.9f},{el[k]:.9f},{r[k]:.3f},{sigma},{sigma_range}" for k in range(n)
    ]
    itrs = itrs_from_geodetic(LAT, LON, HEIGHT) + local @ enu_from_itrs(LAT, LON)
    return t, rows, itrs


def write(name: str, head: str, rows) -> Path:
    file = Path(name)
    file.parent.mkdir(exist_ok=True)
    file.write_text(head + "\n" + "\n".join(rows) + "\n")
    return file


def truth_rows(t, itrs):
    return [f"{t[k]},liner,{itrs[k, 0]:.4f},{itrs[k, 1]:.4f},{itrs[k, 2]:.4f}" for k in range(len(t))]


def test_a_file_alone_is_enough():
    _, rows, _ = plots()
    write("plots.csv", HEAD, rows)
    said = shown("plots.csv", "--config", "air")
    assert "60 of 60 detections used" in said
    assert "1 confirmed tracks of 1 started" in said
    assert "saved runs/plots-tracks-0001" in said
    folder = Path("runs/plots-tracks-0001")
    assert sorted(p.name for p in folder.iterdir()) == [
        "contributions.parquet",
        "manifest.json",
        "summary.json",
        "tracks.parquet",
    ]
    tracks = pq.read_table(folder / "tracks.parquet")
    assert np.isfinite(tracks["mean_0"].to_numpy()).all()
    last = tracks["status"].to_numpy() == 1
    # 9 km above the plane of the horizon at 67 km: 350 m of curvature more; 3 sigma of elevation are 0.2 km
    assert tracks["height_m"].to_numpy()[last][-1] == pytest.approx(9.4e3, abs=0.3e3)
    one = json.loads((folder / "summary.json").read_text())["confirmed"][0]
    assert one["hits"] == 60
    assert one["t_confirmed_s"] <= 6.0
    assert one["speed_m_s"] == pytest.approx(np.hypot(200, 90), abs=15)  # over the Earth, not through space


def test_with_truth_scores_too():
    t, rows, itrs = plots()
    write("rec/detections.csv", HEAD, rows)
    write("rec/truth.csv", "t_s,target,x_m,y_m,z_m", truth_rows(t, itrs))
    # the truth's axes are those of the Earth, as the radar's
    found = run("rec", "--config", "air", "--frame", "itrs")
    scores = found["scores"]
    liner = scores["targets"]["liner"]
    assert scores["false_tracks"] == 0
    assert liner["completeness"] > 0.95
    assert liner["track_numbers"] == 1
    # one plot is good to 60 m across in two axes and 30 m along: 90 m; a filtered straight flight is better
    assert liner["rmse_position_m"] < 90.0
    # 60 correlated updates of one run: NEES/6 of a filter whose manoeuvring model is in reserve lies below 1
    assert 0.1 < liner["nees"] < 1.5
    parts = scores["gospa_parts"]
    assert parts["rms_m"] ** 2 == pytest.approx(
        parts["localisation_m"] ** 2 + parts["missed_m"] ** 2 + parts["false_m"] ** 2
    )


def test_every_refusal_is_counted_and_the_track_lives_on():
    t, rows, itrs = plots()
    place = f"tokyo,35.0,139.0,{HEIGHT}"
    bad = [
        f"4,{place},nan,nan,,1e-3,30",
        f"4,{place},inf,0.1,5e4,1e-3,30",
        f"4,{place},1,9,5e4,1e-3,30",
        f"4,{place},1,0.1,-5,1e-3,30",
        f"4,{place},1,0.1,5e12,1e-3,30",
        f"4,{place},1,0.1,5e4,0,30",
        f"4,{place},1,0.1,5e4,1e-3,-30",
        f",{place},1,0.1,5e4,1e-3,30",
        rows[10],
        "3000,nowhere,95,139,0,1,0.1,5e4,1e-3,30",
    ]
    write("rec/detections.csv", HEAD, [*rows[30:], *bad, *rows[:30]])  # and time goes backwards
    write("rec/truth.csv", "t_s,target,x_m,y_m,z_m", truth_rows(t, itrs))
    found = run("rec", "--config", "air", "--frame", "itrs", "--out", "out")
    assert found["refused"] == {
        "nothing_measured": 1,
        "not_finite": 1,
        "out_of_bounds": 3,
        "sigma": 2,
        "time": 1,
        "duplicate": 1,
        "scan_state": 1,
        "scan_refused": 1,
    }
    detections = sum(n for reason, n in found["refused"].items() if not reason.startswith("scan_s"))
    assert detections + found["detections"]["used"] == found["detections"]["rows"] == 70
    assert found["tracks"]["confirmed"] == 1
    tracks = pq.read_table("out/tracks.parquet")
    assert all(np.isfinite(tracks[c].to_numpy()).all() for c in tracks.column_names)
    said = shown("rec", "--config", "air", "--frame", "itrs")
    for reason in found["refused"]:
        assert reason in said


def test_a_flood_of_false_alarms():
    t, rows, _ = plots()
    rng = np.random.default_rng(2)
    az, el, r = rng.uniform(-3, 3, 100_000), rng.uniform(0, 1.5, 100_000), rng.uniform(1e3, 2e5, 100_000)
    place = f"{t[30]},tokyo,35.0,139.0,{HEIGHT}"
    flood = [f"{place},{az[k]:.7f},{el[k]:.7f},{r[k]:.2f},0.001,30" for k in range(100_000)]
    write("plots.csv", HEAD, rows + flood)
    found = run("plots.csv", "--config", "air")
    assert found["refused"] == {"flood": 100_001}  # the true plot of that scan went with it
    assert found["tracks"]["confirmed"] == 1
    assert found["confirmed"][0]["hits"] == 59


def test_order_of_rows_changes_nothing():
    _, rows, _ = plots()
    clutter = [f"{4 * k},tokyo,35.0,139.0,50,{0.1 * k},0.2,{3e4 + 100 * k},1e-3,30" for k in range(20)]
    every = rows + clutter
    mixed = [every[k] for k in np.random.default_rng(3).permutation(len(every))]
    write("one.csv", HEAD, every)
    write("two.csv", HEAD, mixed)
    for name in ("one", "two"):
        run(f"{name}.csv", "--config", "air", "--out", f"{name}-out")
    assert pq.read_table("one-out/tracks.parquet").equals(pq.read_table("two-out/tracks.parquet"))
    run("one.csv", "--config", "air", "--out", "again")
    for file in ("summary.json", "tracks.parquet", "contributions.parquet"):
        assert (Path("one-out") / file).read_bytes() == (Path("again") / file).read_bytes()


def test_csv_tables_and_folders_are_whole_or_not_there(capsys):
    _, rows, _ = plots()
    write("plots.csv", HEAD, rows)
    run("plots.csv", "--config", "air", "--format", "csv", "--out", "out")
    assert {"tracks.csv", "contributions.csv"} < {p.name for p in Path("out").iterdir()}
    assert pacsv.read_csv("out/tracks.csv").num_rows >= 60
    before = (Path("out") / "summary.json").read_bytes()
    assert "already exists" in refused(capsys, "plots.csv", "--out", "out")
    write("bad.csv", HEAD, ["1,2"])
    assert "bad.csv:2" in refused(capsys, "bad.csv", "--out", "out", "--force")
    assert (Path("out") / "summary.json").read_bytes() == before
    assert sorted(p.name for p in Path().iterdir()) == ["bad.csv", "out", "plots.csv"]


def test_nothing_usable_is_a_mistake(capsys):
    write("plots.csv", HEAD, ["1,tokyo,35.0,139.0,50,1,9,5e4,1e-3,30"] * 3)
    said = refused(capsys, "plots.csv")
    assert "none of 3 detections is usable (out_of_bounds 3)" in said
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config", "aer"], "did you mean air"),
        (["--config", "none.toml"], "cannot be read"),
        (["--sigma-angle-urad", "0"], "--sigma-angle-urad must be above 0"),
        (["--p-detect", "1.5"], "--p-detect"),
        (["--false-alarms", "-1"], "--false-alarms"),
        (["--origin", "1,2"], "--frame enu"),
        (["--frame", "enu", "--origin", "91,2,3"], "no place"),
        (["--frame", "enu", "--origin", "a"], "no place"),
        (["--sites", "none.csv"], "cannot be read"),
        (["--epoch", "yesterday"], "not a UTC time"),
        (["--frame", "moon"], "moon"),
    ],
)
def test_flags_that_make_no_sense(capsys, arguments, said):
    _, rows, _ = plots(5)
    write("plots.csv", HEAD, rows)
    assert said in refused(capsys, "plots.csv", *arguments)
    assert not Path("runs").exists()


def test_a_configuration_from_a_file(capsys):
    _, rows, _ = plots()
    write("plots.csv", HEAD, rows)
    Path("mine.toml").write_text('preset = "air"\nconfirm_hits = 5\ngate = 16\n')
    found = run("plots.csv", "--config", "mine.toml")
    assert found["config"]["confirm_hits"] == 5
    assert found["config"]["gate"] == 16.0
    assert found["config"]["max_tracks"] == preset("air").max_tracks
    assert found["confirmed"][0]["t_confirmed_s"] == pytest.approx(8.0)  # the fifth plot
    for text, said in (
        ("confirm_hit = 5", "did you mean confirm_hits"),
        ("confirm_hits = 5.5", "confirm_hits = 5.5 is no such value"),
        ("gate = true", "gate = True"),
        ("gate = -1", "gate"),
        ('preset = "aer"', "did you mean air"),
        ("preset = 3", "not a name"),
        ("gate = ", "not TOML"),
    ):
        Path("mine.toml").write_text(text + "\n")
        assert said in refused(capsys, "plots.csv", "--config", "mine.toml")


@pytest.mark.parametrize("name", NAMES)
def test_presets_are_settings_that_a_tracker_takes(name):
    from noroshi.tracking.state import settings

    settings(preset(name))
    assert json.dumps(described(preset(name)), allow_nan=False)
    with pytest.raises(ScenarioError, match=re.escape(NAMES[0])):
        configuration("nothing-like-it")


def test_the_documented_example_runs():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "track.md").read_text("utf-8")
    block = re.search(r"```csv\n(.*?)```", page, re.S)
    assert block is not None
    Path("plots.csv").write_text(block[1])
    found = run("plots.csv", "--config", "air")
    assert found["detections"] == {"rows": 3, "used": 3, "associated": 3}
    assert found["tracks"]["confirmed"] == 1
    toml = re.search(r"```toml\n(.*?)```", page, re.S)
    assert toml is not None
    Path("mine.toml").write_text(toml[1])
    assert run("plots.csv", "--config", "mine.toml")["config"]["confirm_hits"] == 4


def test_every_key_of_the_summary_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "track.md").read_text("utf-8")
    t, rows, itrs = plots()
    write("rec/detections.csv", HEAD, rows)
    write("rec/truth.csv", "t_s,target,x_m,y_m,z_m", truth_rows(t, itrs))
    found = run("rec", "--config", "air", "--frame", "itrs", "--biases")
    keys = {*found, *found["detections"], *found["scans"], *found["tracks"], *found["confirmed"][0]}
    keys |= {*found["scores"], *found["scores"]["targets"]["liner"], *found["scores"]["gospa_parts"]}
    keys |= {*found["scores"]["siap"], *found["scores"]["nees_interval"], *found["counts"]}
    keys |= {*found["biases"], *found["biases"]["found"][0]}
    for key in keys:
        assert re.search(rf"\b{key}\b", page), f"document {key}"
    for name in NAMES:
        assert f"`{name}`" in page


def test_tracking_data_messages():
    t, rows, _ = plots()
    cells = np.array([row.split(",")[5:8] for row in rows], float).T
    n = len(t)
    nan = np.full(n, np.nan)
    utc = np.array([f"2024-05-01T12:{int(x) // 60:02d}:{int(x) % 60:02d}Z" for x in t], object)
    name = np.full(n, "TOKYO", object)
    found = Observations(name, utc, np.zeros(n, bool), cells[0], cells[1], cells[2], nan, nan, nan, nan)
    Path("pass.tdm").write_text(tdm_text(found, originator="TEST", created_utc="2024-05-02T00:00:00Z"))
    Path("sites.csv").write_text(f"name,latitude_deg,longitude_deg,height_m\nTOKYO,35,139,{HEIGHT}\n")
    sigma = ("--sigma-angle-urad", 1000, "--sigma-range-m", 30, "--config", "air")
    by_sites = run("pass.tdm", "--sites", "sites.csv", *sigma, "--out", "a")
    assert by_sites["epoch_utc"] == "2024-05-01T12:00:00.000000Z"
    assert by_sites["tracks"]["confirmed"] == 1
    assert by_sites["confirmed"][0]["hits"] == n
    at = dict(latitude_rad=np.full(n, LAT), longitude_rad=np.full(n, LON), height_m=np.full(n, HEIGHT))
    Path("told.tdm").write_text(
        tdm_text(found._replace(**at), originator="TEST", created_utc="2024-05-02T00:00:00Z")
    )
    assert run("told.tdm", *sigma)["confirmed"] == by_sites["confirmed"]


def test_hgt24_without_cue_or_truth_in_the_tracker(shared_data):
    found = run(shared_data / "hgt24" / "HGT24_T5", "--out", "out")
    assert found["detections"]["rows"] == found["detections"]["used"] == 6960
    assert found["refused"] == {}
    scores = found["scores"]
    for target in scores["targets"].values():
        assert target["t_confirmed_s"] <= 15.0
        assert target["completeness"] > 0.95
        # cued and with true motion 153 m (README of the data); uncued and mixed models within half as much again
        assert target["rmse_position_m"] < 230.0
    assert scores["completeness"] > 0.95
    # without the truth and the parameters beside it the tracks are the same
    shutil.copytree(
        shared_data / "hgt24", "bare", ignore=lambda d, names: [n for n in names if "T5_" not in n]
    )
    (Path("bare") / "HGT24_T5_truth.parquet").unlink()
    (Path("bare") / "HGT24_T5_cue.parquet").unlink()
    flags = ["--sigma-angle-urad", 50, "--false-alarms", 5, "--range-max-km", 4500]
    table = pq.read_table("bare/HGT24_T5_sensors.parquet")
    field = np.full(table.num_rows, np.radians(10.0))
    pq.write_table(table.append_column("field_cone_rad", [field]), "bare/HGT24_T5_sensors.parquet")
    blind = run("bare", *flags, "--out", "blind")
    assert blind["scores"] is None
    one, two = pq.read_table("blind/tracks.parquet"), pq.read_table("out/tracks.parquet")
    assert one["track"].equals(two["track"])
    for name in (
        "mean_0",
        "mean_3",
    ):  # 50 urad and 5e-5 rad differ in the last bit; over 300 updates a millimetre
        np.testing.assert_allclose(one[name].to_numpy(), two[name].to_numpy(), atol=1e-3)


def test_a_real_aircraft_seen_by_a_made_up_radar(shared_data):
    """A calibration aircraft at Sydney: hard turns, positions that lag, 5 s between plots."""
    flight = pq.read_table(shared_data / "aircraft" / "calibration_sydney.parquet").slice(0, 600)
    t = flight["t_unix_s"].to_numpy()
    utc = np.datetime_as_string((t * 1e9).astype(np.int64).astype("datetime64[ns]"), unit="ms")
    lat, lon = (np.radians(flight[c].to_numpy()) for c in ("lat_deg", "lon_deg"))
    height = flight["alt_ft"].to_numpy() * 0.3048
    at = np.radians([-33.95, 151.0])
    local = (itrs_from_geodetic(lat, lon, height) - itrs_from_geodetic(*at, 30.0)) @ enu_from_itrs(*at).T
    rho = np.linalg.norm(local, axis=1)
    rng = np.random.default_rng(7)
    az = np.arctan2(local[:, 0], local[:, 1]) + 1e-3 * rng.normal(size=len(t))
    el = np.arcsin(local[:, 2] / rho) + 1e-3 * rng.normal(size=len(t))
    r = rho + 30.0 * rng.normal(size=len(t))
    seen = rng.random(len(t)) < 0.9
    rows = [f"{utc[k]}Z,syd,{az[k]:.8f},{el[k]:.8f},{r[k]:.2f}" for k in np.flatnonzero(seen)]
    for k in range(len(t)):
        rows += [
            f"{utc[k]}Z,syd,{rng.uniform(-3, 3):.8f},{rng.uniform(0, 0.3):.8f},{rng.uniform(1e3, 1e5):.2f}"
            for _ in range(rng.poisson(0.5))
        ]
    write("rec/detections.csv", "utc,sensor,az_rad,el_rad,range_m", rows)
    # every look is a row, those without a plot too
    head = "utc,sensor,latitude_deg,longitude_deg,height_m,range_max_m,field_elevation_min_rad,false_alarms_per_scan"
    write("rec/sensors.csv", head, [f"{u}Z,syd,-33.95,151.0,30,1e5,-0.02,0.5" for u in utc])
    where = [f"{u}Z,7c1a89,{x!r},{y!r},{h!r}" for u, x, y, h in zip(
        utc, np.degrees(lat).tolist(), np.degrees(lon).tolist(), height.tolist(), strict=True)]  # fmt: skip
    write("rec/truth.csv", "utc,target,latitude_deg,longitude_deg,height_m", where)
    found = run("rec", "--config", "air", "--sigma-angle-urad", 1000, "--sigma-range-m", 30)
    scores = found["scores"]
    assert found["scans"]["used"] == 600
    assert scores["completeness"] > 0.95
    assert scores["false_tracks"] <= 2  # 300 false plots in 50 minutes
    assert scores["targets"]["7c1a89"]["track_numbers"] <= 7  # breaks in turns of 1 g within a step
    # Over every second, most of them between plots: an unforeseen turn of 25 m/s2 (the greatest here) is 310 m in 5 s
    assert scores["rmse_position_m"] < 310.0


def test_a_run_folder(film, tmp_path):
    from noroshi import store
    from noroshi.scenario.load import load
    from noroshi.simulate import simulate

    result = simulate(load(str(film)))
    folder = tmp_path / "run"
    store.write_tables(folder / "tables", result) if folder.mkdir() is None else None
    shutil.copy(film, folder / "scenario.toml")
    found = run(folder, "--out", "out")
    assert found["epoch_utc"] == "2026-11-24T00:00:00.000000Z"
    assert found["detections"]["rows"] == len(result.detections.detection)
    assert found["refused"] == {}
    assert set(found["sensors"]) == set(result.ephemeris.sensors)
    assert found["scores"]["targets"]["rocket"]["completeness"] > 0.8
    assert found["scores"]["purity"] > 0.9  # a run folder says where every detection came from
    assert found["scores"]["targets"]["rocket"]["confirm_latency_s"] < 30.0
    # JPN is given every detection of both nations: the same scans, the same tracker, the same tracks
    node = result.tracks.node == 0
    mine = pq.read_table("out/tracks.parquet")
    assert mine.num_rows == node.sum()
    np.testing.assert_allclose(mine["mean_0"].to_numpy(), result.tracks.mean[node, 0], rtol=1e-9)
    (folder / "scenario.toml").unlink()
    with pytest.raises(SystemExit):
        main(["track", str(folder)])
    data = (folder / "tables" / "scans.parquet").read_bytes()
    shutil.copy(film, folder / "scenario.toml")
    (folder / "tables" / "scans.parquet").write_bytes(data[:500])
    with pytest.raises(SystemExit) as end:
        main(["track", str(folder)])
    assert end.value.code == 2


def test_reading_is_light():
    code = "import sys, noroshi.io.detections as d, noroshi.tracking.screen as s\n"
    code += "sys.exit(bool({'jax', 'numba'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_smoothed_tracks_stand_beside_the_others():
    t, rows, itrs = plots()
    write("rec/detections.csv", HEAD, rows)
    write("rec/truth.csv", "t_s,target,x_m,y_m,z_m", truth_rows(t, itrs))
    flags = ("--config", "air", "--frame", "itrs")
    found = run("rec", *flags, "--smooth", "--out", "out")
    plain = run("rec", *flags, "--out", "plain")
    assert plain["smoothed_scores"] is None
    assert found["scores"] == plain["scores"]
    assert pq.read_table("out/tracks.parquet").equals(pq.read_table("plain/tracks.parquet"))
    tracks, smoothed = (pq.read_table(f"out/{name}.parquet") for name in ("tracks", "tracks_smoothed"))
    assert smoothed.column_names == tracks.column_names
    assert smoothed["t"].equals(tracks["t"])  # one track, confirmed: all of its rows
    # a straight flight: what comes later tells as much as what came before, in the middle of the pass
    assert found["smoothed_scores"]["rmse_position_m"] < 0.8 * found["scores"]["rmse_position_m"]
    assert found["smoothed_scores"]["rmse_velocity_m_s"] < 0.8 * found["scores"]["rmse_velocity_m_s"]
    middle = slice(20, 40)
    sigma = [np.sqrt(table["cov_0"].to_numpy()[middle]) for table in (tracks, smoothed)]
    assert np.all(sigma[1] < sigma[0])
    assert "smoothed:" in shown("rec", *flags, "--smooth")


def test_scores_of_the_whole_picture():
    t, rows, itrs = plots()
    write("rec/detections.csv", HEAD, rows)
    write("rec/truth.csv", "t_s,target,x_m,y_m,z_m", truth_rows(t, itrs))
    flags = ("--config", "air", "--frame", "itrs")
    scores = run("rec", *flags)["scores"]
    assert scores["siap"]["ambiguity"] == 1.0
    assert scores["siap"]["spuriousness"] == 0.0
    assert scores["siap"]["completeness"] == pytest.approx(scores["completeness"])
    assert scores["purity"] is None  # nobody says which plot came from what
    interval = scores["nees_interval"]
    # chi-square, 6 degrees of freedom, 2.5 % and 97.5 %: 1.237 and 14.449 (tables), divided by 6
    assert interval["low"] == pytest.approx(1.237 / 6, abs=1e-3)
    assert interval["high"] == pytest.approx(14.449 / 6, abs=1e-3)
    assert 0.5 < interval["inside"] <= 1.0
    said = shown("rec", *flags)
    assert "1.00 tracks each, 0.0% spurious" in said
    assert "(95 % expected)" in said
    assert "purity" not in said


def test_counts_say_what_became_of_doubtful_looks():
    # two aircraft 100 m apart with one plot between them: one of them hides in it
    _, rows, _ = plots()
    Path("mine.toml").write_text('preset = "air"\nresolution_sigma = 4.0\ninitiate_window_s = 1.0\n')
    beside = [
        ",".join([*r.split(",")[:7], f"{float(r.split(',')[7]) + 400.0:.3f}", "1e-3", "30"]) for r in rows
    ]
    write("plots.csv", HEAD, rows[:30] + beside[:20])
    found = run("plots.csv", "--config", "mine.toml")
    assert found["counts"]["unresolved_looks"] > 0
    assert found["counts"]["late_scans"] == 0
    assert "unresolved looks" in shown("plots.csv", "--config", "mine.toml")


def test_biases_of_the_sensors_are_found(capsys):
    t = 2.0 * np.arange(60)
    rng = np.random.default_rng(11)
    rows = []
    at = {"tokyo": (35.0, 139.0), "chiba": (35.3, 139.9)}
    origin = itrs_from_geodetic(LAT, LON, HEIGHT)
    path = (
        np.stack([-30e3 + 200.0 * t, 50e3 + 90.0 * t, np.full(len(t), 9e3)], 1) @ enu_from_itrs(LAT, LON)
        + origin
    )
    for name, (lat, lon) in at.items():
        place = np.radians([lat, lon])
        local = (path - itrs_from_geodetic(*place, HEIGHT)) @ enu_from_itrs(*place).T
        rho = np.linalg.norm(local, axis=1)
        az = np.arctan2(local[:, 0], local[:, 1]) + 1e-3 * rng.normal(size=len(t))
        el = np.arcsin(local[:, 2] / rho) + 1e-3 * rng.normal(size=len(t))
        r = rho + 10.0 * rng.normal(size=len(t)) + (120.0 if name == "chiba" else 0.0)
        rows += [
            f"{t[k]},{name},{lat},{lon},{HEIGHT},{az[k]:.9f},{el[k]:.9f},{r[k]:.3f},1e-3,10"
            for k in range(len(t))
        ]
    write("plots.csv", HEAD, rows)
    # tokyo is known to be right; chiba's range may be off by 200 m
    Path("mine.toml").write_text(
        'preset = "air"\ngate = 100.0\n[[biases]]\nsensor = 0\nrange_m = 200.0\n'
        "[[biases]]\nsensor = 1\nrange_m = 1e-3\n"
    )
    found = run("plots.csv", "--config", "mine.toml", "--biases")
    assert found["sensors"] == ["chiba", "tokyo"]
    assert found["config"]["biases"][0] == {"sensor": 0, "az_rad": 0.0, "el_rad": 0.0, "range_m": 200.0}
    one = found["biases"]["found"][0]
    assert (one["sensor"], one["part"]) == ("chiba", "range_m")
    assert one["value"] == pytest.approx(120.0, abs=4.0 * one["sigma"])
    assert one["sigma"] < 30.0
    assert not found["biases"]["one_sensor"]
    said = shown("plots.csv", "--config", "mine.toml", "--biases")
    assert "biases of the sensors from" in said
    Path("mine.toml").write_text('preset = "air"\n[[biases]]\nsensor = 0\nrange = 200.0\n')
    assert "no setting is called biases[1].range" in refused(capsys, "plots.csv", "--config", "mine.toml")
    write("one.csv", HEAD, [r for r in rows if "tokyo" in r])
    assert "one sensor alone" in shown("one.csv", "--config", "air", "--biases")

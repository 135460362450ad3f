"""The HGT-24 benchmark: its files, its raids, its scores, its command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks import dense, hgt24, hgt24_raid
from benchmarks.hgt24_data import clutter_per_scan, load, of_raid
from benchmarks.hgt24_kernel import cued_config, track_cued, track_uncued, uncued_config
from benchmarks.hgt24_raid import CUE_SIGMA, SIGMA_RAD, glides, make_raid, sensor_axes, write
from benchmarks.hgt24_score import Picture, confirmed_at, cued_scores, lost_targets, uncued_scores

from noroshi.errors import DataError

SCRIPT = Path(hgt24.__file__)


def same(a, b):
    """Equal to the last bit, nan like nan."""
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def same_case(a, b):
    tables = [(a.scans, b.scans), (a.detections, b.detections)]
    columns = [(getattr(x, name), getattr(y, name)) for x, y in tables for name in x.__dataclass_fields__]
    return all(same(x, y) for x, y in [*columns, (a.cue, b.cue), (a.truth, b.truth)])


@pytest.fixture(scope="module")
def raid():
    return make_raid(3, 60e3, 5.0, 4, frames=60)


@pytest.fixture
def prefix(raid, tmp_path):
    write(raid, tmp_path / "HGT24_T3")
    return tmp_path / "HGT24_T3"


def changed(prefix, to, table, column, change):
    """Copies of the four files with one column changed."""
    for name in ("detections", "sensors", "truth", "cue"):
        rows = pq.read_table(f"{prefix}_{name}.parquet")
        if name == table:
            values = change(rows[column].to_numpy(zero_copy_only=False))
            rows = rows.set_column(rows.column_names.index(column), column, pa.array(values))
        pq.write_table(rows, f"{to}_{name}.parquet")
    return to


# --- the loader ---


def test_the_answers_change_no_bit(prefix, tmp_path):
    """`truth_id` and `active` shuffled, falsified or gone: the same tables, the same tracks."""
    rng = np.random.default_rng(0)
    answers = [
        ("detections", "truth_id", rng.permutation),
        ("detections", "truth_id", lambda v: np.full_like(v, -1)),
        ("sensors", "active", rng.permutation),
        ("sensors", "active", np.logical_not),
    ]
    plain = load(prefix)
    tracks = [way(plain, config, 0) for way, config in ways()]
    for n, answer in enumerate(answers):
        case = load(changed(prefix, tmp_path / f"{n}_T3", *answer))
        assert same_case(case, plain)
        for (way, config), before in zip(ways(), tracks, strict=True):
            after = way(case, config, 0)
            assert same(after.picture.mean, before.picture.mean)
            assert same(after.picture.cov, before.picture.cov)
            assert after.updates == before.updates
    for table, column in (("detections", "truth_id"), ("sensors", "active")):
        rows = pq.read_table(f"{prefix}_{table}.parquet").drop_columns([column])
        pq.write_table(rows, f"{prefix}_{table}.parquet")
    assert same_case(load(prefix), plain)


def ways():
    return (track_cued, cued_config()), (track_uncued, uncued_config())


def test_a_timed_call_leaves_the_start_as_it_was(raid):
    once, thrice = (track_cued(of_raid(raid, "x"), cued_config(), calls) for calls in (0, 2))
    assert same(once.picture.mean, thrice.picture.mean)
    assert once.updates == thrice.updates


def test_files_say_what_the_raid_was(raid, prefix):
    assert same_case(load(prefix), of_raid(raid, "x"))


def test_every_sensor_scans_at_every_frame(raid):
    scans = of_raid(raid, "x").scans
    assert len(scans.scan) == 60 * 24
    assert (scans.sensor == np.tile(np.arange(24), 60)).all()
    assert (scans.t_event == np.repeat(np.arange(60.0), 24)).all()


def test_order_of_sensor_truth_and_cue_rows_does_not_matter(prefix):
    plain = load(prefix)
    rng = np.random.default_rng(0)
    for table in ("sensors", "truth", "cue"):
        rows = pq.read_table(f"{prefix}_{table}.parquet")
        pq.write_table(rows.take(rng.permutation(len(rows))), f"{prefix}_{table}.parquet")
    assert same_case(load(prefix), plain)


def test_params_beside_the_files(prefix):
    sensor = {"sigma_rad": 4e-5, "fov_half_angle_deg": 9.0, "max_range_m": 4e6}
    given = {"dt": 1.0, "pd": 0.8, "sensor": sensor, "scenarios": {"T3": {"lambda": 7}}}
    file = prefix.with_name("HGT24_params.json")
    file.write_text(json.dumps(given))
    case = load(prefix)
    assert case.sensing == (1.0, 4e-5, np.radians(9.0), 4e6, 0.8, 7.0)
    assert (case.detections.sigma_az_rad == 4e-5).all()
    # solid angle of a cone
    assert case.scans.clutter_density[0] == pytest.approx(7 / (2 * np.pi * (1 - np.cos(np.radians(9.0)))))
    given["scenarios"] = {"T20": {"lambda": 7}}  # another raid: what is not listed is estimated
    file.write_text(json.dumps(given))
    assert load(prefix).sensing.clutter == pytest.approx(5.0, abs=1.5)
    file.write_text("{")
    with pytest.raises(DataError, match="cannot be understood"):
        load(prefix)


def test_files_that_are_none(prefix, tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        load(tmp_path / "nothing")
    with pytest.raises(DataError, match="az_rad has 1 values"):
        load(changed(prefix, tmp_path / "a", "detections", "az_rad", lambda v: np.append(v[:-1], np.nan)))
    with pytest.raises(DataError, match="sensor has 1 values"):
        load(changed(prefix, tmp_path / "b", "detections", "sensor", lambda v: np.append(v[:-1], -1)))
    with pytest.raises(DataError, match="no scan"):
        load(changed(prefix, tmp_path / "c", "detections", "frame", lambda v: v + 1000))
    with pytest.raises(DataError, match="not one for each"):
        load(changed(prefix, tmp_path / "d", "sensors", "frame", lambda v: np.append(v[:-1], 0)))
    rows = pq.read_table(f"{prefix}_cue.parquet")
    pq.write_table(rows.slice(0, 2), f"{prefix}_cue.parquet")
    with pytest.raises(DataError, match="one raid"):
        load(prefix)
    pq.write_table(rows.drop_columns(["x_m"]), f"{prefix}_cue.parquet")
    with pytest.raises(DataError, match="no column x_m"):
        load(prefix)
    Path(f"{prefix}_cue.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        load(prefix)


@pytest.mark.parametrize("clutter", [1.0, 5.0, 20.0, 50.0])
def test_clutter_estimated_from_the_detections(clutter):
    found = of_raid(make_raid(20, 200e3, clutter, 2), "x").detections
    # median of 16 sectors, each a 32nd of 730 scans: sd 1.25 sqrt(2 clutter / 730); five of them, and a tenth for
    # targets that stray into the outer half
    tolerance = 5 * 1.25 * np.sqrt(2 * clutter / 730) + 0.1 * clutter
    assert clutter_per_scan(found.scan, found.az_rad, found.el_rad) == pytest.approx(clutter, abs=tolerance)


def test_no_clutter_still_has_a_logarithm():
    case = of_raid(make_raid(2, 60e3, 0.0, 2, frames=30), "x", 0.0)
    assert (case.scans.clutter_density > 0.0).all()


# --- the raids ---


def test_statistics_of_the_raids():
    """Against the README of the data: 2.39 satellites per target, 50 urad, P_D 0.9, 5 false alarms per sensor."""
    raids = [make_raid(20, 200e3, 5.0, seed) for seed in (11, 12, 13)]
    for r in raids:
        per_target = r.visible.sum(1)
        # geometry, not luck: the published T1, T5 and T20 have 2.389, 2.395, 2.392
        assert per_target.mean() == pytest.approx(2.39, abs=0.02)
        assert per_target.min() >= 2
        assert per_target.max() <= 3
        true = r.truth_id >= 0
        k, s, j = r.frame[true], r.sensor[true], r.truth_id[true]
        assert r.visible[k, s, j].all()
        axes = sensor_axes(r.yaw_rad, r.pitch_rad)
        u = np.einsum("nij,nj->ni", axes[k, s], r.truth[k, j, :3] - r.r_sensor[k, s])
        az, el = np.arctan2(u[:, 1], u[:, 0]), np.arctan2(u[:, 2], np.hypot(u[:, 0], u[:, 1]))
        off = np.stack([r.az_rad[true] - az, r.el_rad[true] - el])
        n = off.size
        # five standard deviations of each estimate: wrong once in a million
        assert off.std() == pytest.approx(SIGMA_RAD, rel=5 / np.sqrt(2 * n))
        assert abs(off.mean()) < 5 * SIGMA_RAD / np.sqrt(n)
        looks = int(r.visible.sum())
        assert true.sum() / looks == pytest.approx(0.9, abs=5 * np.sqrt(0.09 / looks))
        active = int(r.visible.any(2).sum())
        assert (~true).sum() / active == pytest.approx(5.0, abs=5 * np.sqrt(5.0 / active))
        assert np.asarray(r.visible.any(2))[r.frame, r.sensor].all(), "only sensors that see a target report"
        x = np.cos(r.az_rad[~true]) * np.cos(r.el_rad[~true])
        share = (1 - x) / (1 - np.cos(np.radians(10.0)))  # uniform in the cone: uniform in the cosine
        assert share.max() <= 1.0 + 1e-12
        assert share.mean() == pytest.approx(0.5, abs=5 / np.sqrt(12 * len(share)))


def test_a_raid_is_its_arguments():
    a, b, c = (make_raid(2, 1e5, 5.0, seed, frames=5) for seed in (1, 1, 2))
    assert all(same(x, y) for x, y in zip(a, b, strict=True))
    assert not same(a.truth, c.truth)


def test_cues_are_drawn_about_the_truth():
    raid = make_raid(300, 1e5, 0.0, 3, frames=1)
    z = (raid.cue - raid.truth[0]) / CUE_SIGMA
    assert (z**2).mean() == pytest.approx(1.0, abs=5 * np.sqrt(2 / z.size))


def test_flights(monkeypatch):
    x = glides(20, 200e3, 5)
    height = np.linalg.norm(x[..., :3], axis=-1) - 6371e3
    assert (np.abs(height - 40e3) <= 1500.0 + 1e-6).all()
    level = np.cross(x[..., :3], x[..., 3:6])
    speed = np.linalg.norm(level, axis=-1) / np.linalg.norm(x[..., :3], axis=-1)
    np.testing.assert_allclose(
        speed, np.broadcast_to(6000.0 - 3.0 * np.arange(301)[:, None], speed.shape), rtol=1e-9
    )
    # central differences over 1 s miss the third derivative / 6: 2.5 m/s3 and (2 pi / 60 s)^2 30 m/s2 at most
    assert np.abs((x[2:, :, :3] - x[:-2, :, :3]) / 2 - x[1:-1, :, 3:6]).max() < 3.5 / 6
    assert np.abs((x[2:, :, 3:6] - x[:-2, :, 3:6]) / 2 - x[1:-1, :, 6:]).max() < 0.4 / 6
    # weave 30 m/s2, slowing 3 m/s2, fall round the Earth 5.6 m/s2, swing up to 12 m/s2
    assert 31.0 < np.linalg.norm(x[..., 6:], axis=-1).max() < 36.0
    monkeypatch.setattr(hgt24_raid, "SUBSTEP_S", 0.125)
    assert np.abs(glides(20, 200e3, 5) - x)[..., :3].max() < 1e-3


def test_start_box():
    x = glides(2000, 10e3, 5, frames=1)[0, :, :3]
    up = x.mean(0) / np.linalg.norm(x.mean(0))
    across = x - (x @ up)[:, None] * up
    assert (
        np.linalg.norm(across, axis=1).max() < 10e3 / np.sqrt(2) + 200.0
    )  # half a diagonal; the mean is off a little
    assert across.std(0).max() < 10e3 / np.sqrt(12) * 1.1


# --- the scores ---


def straight(targets=2, frames=41, apart=20e3):
    x = np.zeros((frames, targets, 9))
    x[..., 1] = apart * np.arange(targets)
    x[..., 0] = 6000.0 * np.arange(frames)[:, None]
    x[..., 3] = 6000.0
    return x


def picture(mean):
    return Picture(mean, np.broadcast_to(np.diag(CUE_SIGMA**2), (*mean.shape, 9)))


def test_scores_of_a_constant_error():
    truth = straight()
    mean = truth.copy()
    mean[..., 1] += 300.0
    mean[..., 4] += 40.0
    for scores in (cued_scores(truth, picture(mean)), uncued_scores(truth, picture(mean))):
        assert scores["rmse_position_m"] == pytest.approx(300.0)
        assert scores["rmse_velocity_m_s"] == pytest.approx(40.0)
        assert scores["nees"] == pytest.approx((0.3**2 + 0.4**2) / 9)
        assert scores["gospa_m"] == pytest.approx(300.0 * np.sqrt(2))
        assert (scores["lost_identity"], scores["lost_target"], scores["false_tracks"]) == (0, 0, 0)
        siap = scores["siap"]
        assert (siap["completeness"], siap["ambiguity"], siap["spuriousness"]) == (1.0, 1.0, 0.0)
        assert siap["position_accuracy_m"] == pytest.approx(300.0)
        assert siap["velocity_accuracy_m_s"] == pytest.approx(40.0)


def test_tracks_that_change_places_lose_their_names_only():
    truth = straight(3)
    mean = truth.copy()
    mean[30:, :2] = truth[30:, 1::-1]
    cued, uncued = cued_scores(truth, picture(mean)), uncued_scores(truth, picture(mean))
    assert (cued["lost_identity"], cued["lost_target"]) == (2, 0)
    assert cued["rmse_position_m"] == 0.0  # of the one that stayed
    assert uncued["lost_identity"] == 0
    assert cued["gospa_m"] == uncued["gospa_m"] == 0.0


def test_a_track_that_ends_and_a_false_one():
    truth = straight()
    mean = np.concatenate([truth, truth[:, :1] + 1e6], 1)
    mean[25:, 1] = np.nan
    mean[:22, 2] = np.nan
    cued, uncued = cued_scores(truth, picture(mean)), uncued_scores(truth, picture(mean))
    for scores in (cued, uncued):
        assert (scores["lost_identity"], scores["lost_target"], scores["false_tracks"]) == (1, 1, 1)
    # frames 20, 25, ..., 40: nothing wrong, then four with one missed and one false at c^2 / 2 each
    assert cued["gospa_m"] == pytest.approx(4 / 5 * 5000.0)
    # 21 frames of 2 targets, 16 of them with one track; tracks: one throughout, one for 5 frames, one false for 19
    assert cued["siap"]["completeness"] == pytest.approx((2 * 21 - 16) / (2 * 21))
    assert cued["siap"]["spuriousness"] == pytest.approx(19 / (21 + 5 + 19))


def test_no_track_at_all():
    truth = straight()
    none = picture(np.full((41, 0, 9), np.nan))
    scores = uncued_scores(truth, none)
    assert (scores["lost_identity"], scores["lost_target"], scores["false_tracks"]) == (2, 2, 0)
    assert scores["rmse_position_m"] is None
    assert scores["siap"]["completeness"] == 0.0
    assert scores["siap"]["spuriousness"] is None
    assert np.isinf(confirmed_at(truth, none)).all()


def test_every_target_needs_a_track_of_its_own():
    truth = straight(2, 1, apart=600.0)[0]
    assert lost_targets(truth, truth[:1]) == 1
    # the track between both belongs to the one that has no other: the most pairs, not the nearest
    between, beyond = truth[:1] + 0.0, truth[:1] + 0.0
    between[0, 1], beyond[0, 1] = 590.0, 1500.0
    assert lost_targets(truth, np.concatenate([between, beyond])) == 0
    assert lost_targets(truth, np.empty((0, 9))) == 2
    truth[1, 1] = 1001.0
    assert lost_targets(truth, truth[:1]) == 1


def test_when_targets_are_confirmed():
    truth = straight()
    mean = truth.copy()
    mean[:7, 1] = np.nan
    assert confirmed_at(truth, picture(mean)).tolist() == [0.0, 7.0]


def test_too_few_frames():
    truth = straight(frames=20)
    with pytest.raises(DataError, match="too few"):
        cued_scores(truth, picture(truth))


def test_floor_of_the_cues():
    truth = np.repeat(straight(3, apart=4e3)[:1], 2, 0)
    truth[1, :, 1] *= 1.5  # 6 km from one to the next, at the end
    cue = truth[0].copy()
    assert dense.floor(truth, cue) == (0, 0)
    assert dense.floor(truth, cue[[1, 0, 2]]) == (2, 2)
    truth[1] = truth[0]  # 4 km: wrong, but not lost
    assert dense.floor(truth, cue[[1, 0, 2]]) == (2, 0)
    # places alone deceive; the speeds, 9 sigmas apart, do not
    truth[:, :, 4] = 900.0 * np.arange(3)
    cue = truth[0].copy()
    cue[:, 1] = cue[[1, 0, 2], 1]
    assert dense.floor(truth, cue) == (0, 0)
    assert dense.floor(truth, cue, 3) == (2, 0)


# --- the command ---


def test_json_of_one_prefix_and_of_two(prefix, capsys):
    assert hgt24.main([str(prefix), "--json"]) == 0
    one = json.loads(capsys.readouterr().out)
    for way in ("cued", "uncued"):
        assert tuple(one[way]) == (
            "cpu_s",
            "compile_s",
            "updates_per_cpu_s",
            "rmse_position_m",
            "rmse_velocity_m_s",
            "lost_identity",
            "lost_target",
            "false_tracks",
            "gospa_m",
            "nees",
            "siap",
        )
        assert one[way]["lost_target"] == 0
        assert one[way]["cpu_s"] > 0.0
    assert hgt24.main([str(prefix), str(prefix), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2


def test_table_has_the_peers_rows(prefix, tmp_path, capsys):
    for name in ("detections", "sensors", "truth", "cue"):
        Path(f"{prefix}_{name}.parquet").rename(tmp_path / f"HGT24_T20_{name}.parquet")
    assert hgt24.main([str(tmp_path / "HGT24_T20")]) == 0
    text = capsys.readouterr().out
    assert "Stone Soup EKF GNN, Joseph" in text
    assert "695.5" in text
    assert "noroshi, cued" in text
    assert "noroshi, uncued" in text


def test_peers_of_a_new_draw_are_said_to_be_another():
    assert "another draw" in hgt24.peers("HGT24_T20_s7", 20)[1]
    assert hgt24.peers("HGT24_T7", 7) == ([], "")


def test_bad_prefix_from_another_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "nothing", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "nothing_sensors.parquet" in done.stderr
    assert "help:" in done.stderr
    assert "Traceback" not in done.stderr


# --- the published files ---


def test_published_satellites_and_geometry(shared_data):
    sensors = pq.read_table(shared_data / "hgt24" / "HGT24_T20_sensors.parquet")
    r = np.stack([sensors[c].to_numpy() for c in hgt24_raid.STATE[:3]], 1).reshape(301, 24, 3)
    assert np.abs(r - hgt24_raid.satellites()).max() < 1e-6  # rounding
    case = load(shared_data / "hgt24" / "HGT24_T20")
    visible = hgt24_raid.in_view(
        r,
        sensor_axes(*(sensors[c].to_numpy().reshape(301, 24) for c in ("yaw_rad", "pitch_rad"))),
        case.truth[..., :3],
    )[0]
    assert (visible.any(2) == sensors["active"].to_numpy(zero_copy_only=False).reshape(301, 24)).all()
    truth = pq.read_table(shared_data / "hgt24" / "HGT24_T20_truth.parquet")
    assert (visible.sum(1).ravel() == truth["n_sensors_visible"].to_numpy()).all()


@pytest.mark.parametrize("raid", ["T5", "T20"])
def test_published_raids_without_cue(shared_data, raid):
    """The figures that are asked for: all confirmed within 15 s, none lost, GOSPA within a tenth of cued."""
    case = load(shared_data / "hgt24" / f"HGT24_{raid}")
    cued, own = track_cued(case, cued_config(), 0), track_uncued(case, uncued_config(), 0)
    assert confirmed_at(case.truth, own.picture).max() <= 15
    a, b = cued_scores(case.truth, cued.picture), uncued_scores(case.truth, own.picture)
    assert b["lost_target"] == 0
    assert b["false_tracks"] <= 1
    assert b["gospa_m"] <= 1.1 * a["gospa_m"]

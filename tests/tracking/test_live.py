"""Live, batch and replay are one code: the same bits, in threads too, whatever the order inside a scan."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from live_scans import small_raid

from noroshi.tables import Status
from noroshi.tracking import live
from noroshi.tracking.kernel import Output, output
from noroshi.tracking.live import LiveScan
from noroshi.tracking.presets import default_config
from noroshi.tracking.state import init, settings
from noroshi.tracking.tracker import track

HARD = default_config()
SOFT = HARD._replace(ambiguity=3.0, resolution_sigma=3.0, time_sigma_s=1e-3)


@pytest.fixture(scope="module")
def raid():
    return small_raid()


def one_by_one(scans, config):
    """Every scan in turn, then the end; (what came out, the state)."""
    state, number = init(config), settings(config)
    out = live.room(state)
    parts = []
    for scan in scans:
        parts.append(
            [
                column.copy()
                for column in live.step(state, number, scan.row, scan.bits, scan.dets, scan.idents, out)
            ]
        )
    parts.append([column.copy() for column in live.close(state, number, out)])
    assert not len(live.close(state, number, out).t), "what is closed stays closed"
    return Output(*(np.concatenate(column) for column in zip(*parts, strict=True))), state


def same(a, b):
    for one, two in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("config", [HARD, SOFT], ids=["hard", "soft"])
def test_live_is_batch(raid, config):
    scans, detections, rows = raid
    got, _ = one_by_one(rows, config)
    owners = np.arange(int(scans.sensor.max()) + 1) % 2
    tracks, found = track(config, scans, detections, np.arange(len(rows)), 0, owners, 0.0)
    assert (tracks.status == Status.CONFIRMED).sum() > 20
    np.testing.assert_array_equal(got.t, tracks.t)
    np.testing.assert_array_equal(got.values[:, :9], tracks.mean)
    np.testing.assert_array_equal(got.values[:, 9:54], tracks.cov)
    np.testing.assert_array_equal(got.values[:, 54:57], tracks.modes)
    np.testing.assert_array_equal(got.values[:, 57], tracks.existence)
    for k, column in enumerate((tracks.track, tracks.status, tracks.hits, tracks.originators)):
        np.testing.assert_array_equal(got.ints[:, k], column)
    np.testing.assert_array_equal(got.used, np.stack([found.track, found.detection], 1))
    np.testing.assert_array_equal(got.used_t, found.t)


def test_replay_of_a_recording_is_live(raid, tmp_path):
    _, _, rows = raid
    want, _ = one_by_one(rows, SOFT)
    counts = [len(s.idents) for s in rows]
    packed = {
        "rows": np.array([s.row for s in rows]),
        "bits": np.array([s.bits for s in rows]),
        "counts": np.array(counts),
        "dets": np.concatenate([s.dets for s in rows]),
        "idents": np.concatenate([s.idents for s in rows]),
    }
    np.savez(tmp_path / "heard.npz", **packed)
    with np.load(tmp_path / "heard.npz") as heard:
        from_npz = {name: heard[name] for name in heard.files}
    columns = {f"d{k}": packed["dets"][:, k] for k in range(8)} | {"ident": packed["idents"]}
    pq.write_table(pa.table(columns), tmp_path / "dets.parquet")
    read = pq.read_table(tmp_path / "dets.parquet")
    dets = np.stack([read[f"d{k}"].to_numpy() for k in range(8)], 1)
    from_parquet = {**packed, "dets": dets, "idents": read["ident"].to_numpy()}  # read-only, too
    for heard in (from_npz, from_parquet):
        ends = np.cumsum(heard["counts"])
        again = [
            LiveScan(
                heard["rows"][k], int(heard["bits"][k]), heard["dets"][e - n : e], heard["idents"][e - n : e]
            )
            for k, (n, e) in enumerate(zip(heard["counts"], ends, strict=True))
        ]
        state = init(SOFT)
        same(live.replay(state, settings(SOFT), again, True), want)
        same(one_by_one(again, SOFT)[0], want)


def test_threads_change_no_bit():
    raids = [small_raid(seed=k, steps=8)[2] for k in range(4)] * 3
    serial = [one_by_one(rows, SOFT)[0] for rows in raids]
    with ThreadPoolExecutor(8) as pool:
        threaded = list(pool.map(lambda rows: one_by_one(rows, SOFT)[0], raids))
    for a, b in zip(serial, threaded, strict=True):
        same(a, b)


@pytest.mark.parametrize("config", [HARD, SOFT], ids=["hard", "soft"])
def test_the_order_inside_a_scan_changes_no_bit(raid, config):
    _, _, rows = raid
    want, state = one_by_one(rows, config)
    rng = np.random.default_rng(1)
    for _ in range(3):
        orders = [rng.permutation(len(s.idents)) for s in rows]
        shuffled = [s._replace(dets=s.dets[o], idents=s.idents[o]) for s, o in zip(rows, orders, strict=True)]
        got, other = one_by_one(shuffled, config)
        same(got, want)  # the numbers went with their detections
        for name, a, b in zip(state._fields, state, other, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)
    # other numbers: all the same but the numbers listed
    renamed = [s._replace(idents=s.idents + 10_000) for s in rows]
    got, _ = one_by_one(renamed, config)
    same(got[:3], want[:3])
    np.testing.assert_array_equal(got.used[:, 1], want.used[:, 1] + 10_000)


def test_too_little_room_is_said(raid):
    _, _, rows = raid
    state, number = init(HARD), settings(HARD)
    out = live.room(state)
    live.step(state, number, rows[0].row, rows[0].bits, rows[0].dets, rows[0].idents, out)
    with pytest.raises(ValueError, match="room"):
        live.close(state, number, output(1, 1))
    assert state.clock[0] == 0.0
    live.close(state, number, out)  # nothing was lost

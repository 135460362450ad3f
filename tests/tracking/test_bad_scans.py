"""Bad input at the kernel's door: refused and counted, or survived; never a NaN in a row."""

from __future__ import annotations

import tracemalloc
from math import inf, nan
from time import process_time

import numpy as np
import pytest
from live_scans import small_raid
from synthetic_scans import fly, place

from noroshi.errors import ScenarioError
from noroshi.tables import Status
from noroshi.tracking import live
from noroshi.tracking import state as states
from noroshi.tracking.columns import (
    AZ,
    CLOUD,
    CLUTTER,
    COS_CONE,
    EL,
    KIND,
    P_DETECT,
    RANGE,
    RANGE_MAX,
    SENSOR,
    SIGMA_AZ,
    SIGMA_EL,
    SIGMA_RANGE,
    M,
    R,
    T,
    V,
)
from noroshi.tracking.live import LiveScan
from noroshi.tracking.presets import default_config
from noroshi.tracking.state import cue, init, settings

CONFIG = default_config()
SOFT = CONFIG._replace(ambiguity=3.0)
STEPS = 14


@pytest.fixture(scope="module")
def raid():
    return small_raid(steps=STEPS)[2]


def through(scans, config=CONFIG, state=None):
    state = init(config) if state is None else state
    out = live.replay(state, settings(config), scans, True)
    assert np.isfinite(out.values).all()
    live_slots = state.slots[: state.counters[states.LIVE]]
    for column in (state.mean, state.cov, state.weight, state.score):
        assert np.isfinite(column[live_slots]).all()
    return out, state.counters


def last_confirmed(out):
    return int(((out.t == out.t.max()) & (out.ints[:, 1] == int(Status.CONFIRMED))).sum())


def same(a, b):
    for one, two in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, two)


BAD_DETECTIONS = [
    (AZ, nan), (AZ, inf), (EL, nan), (EL, -inf), (SIGMA_AZ, nan), (SIGMA_AZ, 0.0), (SIGMA_AZ, -1e-4),
    (SIGMA_EL, 0.0), (SIGMA_EL, -inf), (SIGMA_RANGE, 0.0), (SIGMA_RANGE, nan),
]  # fmt: skip


@pytest.mark.parametrize("config", [CONFIG, SOFT], ids=["hard", "soft"])
@pytest.mark.parametrize(("column", "value"), BAD_DETECTIONS)
def test_a_detection_that_is_none_is_dropped_and_counted(raid, config, column, value):
    # a bad one beside the good ones of every scan: the tracks are those without it
    want, _ = through(raid, config)
    dirty = []
    for s in raid:
        bad = np.full(8, inf)
        bad[:4] = 0.1, 0.1, 1e6, 0.0
        bad[4:6] = 1e-4
        bad[column] = value
        dirty.append(s._replace(dets=np.vstack([bad, s.dets]), idents=np.concatenate([[-7], s.idents])))
    got, counters = through(dirty, config)
    same(got, want)
    assert counters[states.ABSURD] == len(raid)


def test_a_range_that_is_none(raid):
    bad = np.array([0.1, 0.1, nan, nan, 1e-4, 1e-4, 10.0, inf])
    for value, sigma, refused in ((nan, 10.0, 1), (-5.0, 10.0, 1), (0.0, 10.0, 1), (nan, inf, 0)):
        bad[RANGE], bad[SIGMA_RANGE] = value, sigma
        _, counters = through(
            [s._replace(dets=bad[None].copy(), idents=np.zeros(1, np.int64)) for s in raid[:7]]
        )
        assert counters[states.ABSURD] == 7 * refused


PLACES = [SENSOR, KIND, T, R, R + 2, V + 1, M, M + 8, P_DETECT, CLUTTER]
LIMITS = [COS_CONE, RANGE_MAX, CLOUD]  # an infinite one is no limit at all, and no mistake


@pytest.mark.parametrize(
    ("column", "value"), [*[(c, nan) for c in PLACES + LIMITS], *[(c, inf) for c in PLACES]]
)
def test_a_scan_that_is_none_is_refused_and_counted(raid, column, value):
    want, _ = through(raid)
    dirty = []
    for s in raid:
        row = s.row.copy()
        row[column] = value
        dirty += [s._replace(row=row), s]
    got, counters = through(dirty)
    same(got, want)
    assert counters[states.ABSURD] == len(raid)
    assert counters[states.LATE] == counters[states.REPEATED] == 0


def test_time_that_goes_backwards(raid):
    want, _ = through(raid)
    for back in (1e-9, 1.0, 1e9):
        dirty = []
        for s in raid:
            row = s.row.copy()
            row[T] -= back
            row[SENSOR] += 50
            dirty += [s, s._replace(row=row)]
        got, counters = through(dirty)
        same(got, want)
        assert counters[states.LATE] == len(raid)


def test_a_leap_in_time(raid):
    # a clock that jumps by a year: whatever was tracked is lost, nothing may break
    row = raid[-1].row.copy()
    row[T] += 3e7
    through([*raid, raid[-1]._replace(row=row)])


def test_time_that_all_but_stands_still(raid):
    rows = []
    for k, s in enumerate(raid):
        row = s.row.copy()
        row[T] = k * 1e-12
        rows.append(s._replace(row=row))
    through(rows)


def test_empty_scans(raid):
    nothing = [s._replace(dets=s.dets[:0], idents=s.idents[:0]) for s in raid]
    out, counters = through(nothing)
    assert len(out.t) == 0
    assert not counters[: states.COUNTERS][[states.ABSURD, states.LATE, states.REPEATED, states.LEFT]].any()
    assert len(through([])[0].t) == 0


def test_more_sensors_than_can_be_remembered(raid):
    # 1200 sensors at one time; the last 176 are not checked for repeats, but tracked with
    eye = next(s for s in raid if s.row[KIND] == 0)
    scans = []
    for k in range(1200):
        row = eye.row.copy()
        row[SENSOR] = k * 1_000_003 + 5
        scans.append(eye._replace(row=row))
    _, counters = through(scans)
    assert counters[states.SEEN] == states.SENSORS
    assert counters[states.REPEATED] == 0


def test_a_flood_of_false_alarms(raid):
    want, _ = through(raid)
    rng = np.random.default_rng(3)
    n = 100_000
    eye = next(k for k, s in enumerate(raid) if s.row[KIND] == 0 and s.row[T] == 8.0)
    flood = np.full((n, 8), inf)
    flood[:, 0] = rng.uniform(-np.pi, np.pi, n)
    flood[:, 1] = rng.uniform(-1.5, 1.5, n)
    flood[:, 2:4] = 0.0
    flood[:, 4:6] = 50e-6
    s = raid[eye]
    row = s.row.copy()
    row[CLUTTER] = n / (4 * np.pi)
    dirty = list(raid)
    dirty[eye] = s._replace(
        row=row, dets=np.vstack([s.dets, flood]), idents=np.concatenate([s.idents, -np.arange(n) - 1])
    )
    through(raid)  # compiled
    tracemalloc.start()
    before = process_time()
    got, counters = through(dirty)
    took = process_time() - before
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert last_confirmed(got) == last_confirmed(want)
    assert counters[states.OVERFLOW_LEFT] > 90_000
    assert took < 5.0  # 0.2 s by measurement; a machine at work may be some times slower
    assert peak < 500e6  # the flood itself is 6 MB, packed a few times over


@pytest.mark.parametrize("config", [CONFIG, SOFT], ids=["hard", "soft"])
@pytest.mark.parametrize(
    ("column", "value"), [(P_DETECT, 0.0), (P_DETECT, 1.0), (CLUTTER, 0.0), (CLUTTER, 1e300)]
)
def test_certainties(raid, config, column, value):
    scans = []
    for s in raid:
        row = s.row.copy()
        row[column] = value
        scans.append(s._replace(row=row))
    out, _ = through(scans, config)
    if value <= 1.0:
        assert last_confirmed(out) >= 2


def test_a_sensor_where_the_track_is():
    t = np.arange(0.0, 6.0)
    r0, east, _, up = place(42.0, 140.0, 300e3)
    r, v, _ = fly(r0, 2500.0 * east + 800.0 * up, t)
    for config in (CONFIG, SOFT, CONFIG._replace(models=CONFIG.models[:1])):
        for offset in (0.0, 1e-9, 1.0):
            state = init(config)
            mean = np.concatenate([r[0], v[0], np.zeros(3)])
            cue(state, config, 0.0, mean[None], np.diag(np.repeat([100.0, 10.0, 1.0], 3) ** 2)[None])
            scans = []
            for k in range(1, 6):
                row = small_raid(steps=2)[2][0].row.copy()
                row[[SENSOR, T]] = 0, t[k]
                row[R : R + 3] = r[k] if k > 1 else state.mean[0, 0, :3] + offset
                det = np.array([0.3, 0.2, 0.0, 0.0, 5e-5, 5e-5, inf, inf])
                plot = np.array([0.3, 0.2, 5.0, 0.0, 5e-4, 5e-4, 10.0, 1.0])
                scans.append(LiveScan(row, 1, np.stack([det, plot]), np.array([0, 1])))
            through(scans, config, state)
            # exactly there: the state's own numbers as the sensor's place, no time gone by
            state = init(config)
            cue(state, config, 0.0, mean[None], np.diag(np.repeat([100.0, 10.0, 1.0], 3) ** 2)[None])
            row[T] = 0.0
            row[R : R + 3] = mean[:3] + offset
            through([LiveScan(row, 1, np.stack([det, plot]), np.array([0, 1]))], config, state)


@pytest.mark.parametrize(
    "given",
    [
        {"max_tracks": 10**8},
        {"delete_missed": 10**23},
        {"merge_times": 0},
        {"ambiguity": np.inf},
        {"initiate_miss": np.nan},
        {"initiate_crossing_min_rad": np.nan},
        {"spawn_sigma_m_s": 0.0},
    ],
    ids=str,
)
def test_settings_no_tracker_can_work_with_are_refused_before_anything_is_made(given):
    with pytest.raises(ScenarioError, match=next(iter(given))):
        init(default_config()._replace(**given))

"""Late scans: whatever the order in which scans come, the tracks are those of their order in time, bit for bit."""

from __future__ import annotations

from functools import cache
from math import inf, nan

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from live_scans import small_raid

from noroshi.tracking import live
from noroshi.tracking.columns import SENSOR, T
from noroshi.tracking.presets import default_config
from noroshi.tracking.reorder import SNAPSHOTS, buffer, flush, settled, take
from noroshi.tracking.state import cue, init, settings

CONFIG = default_config()._replace(max_tracks=32)
NUMBER = settings(CONFIG)
DEPTH_S = 4.0


@cache
def heard():
    """The scans, those of odd sensors half a second later than the rest, in order of time and sensor."""
    scans = []
    for s in small_raid(steps=12)[2]:
        row = s.row.copy()
        if row[SENSOR] % 2:
            row[T] += 0.5
        scans.append(s._replace(row=row))
    return sorted(scans, key=lambda s: (s.row[T], s.row[SENSOR]))


@cache
def in_order():
    state = init(CONFIG)
    return live.replay(state, NUMBER, heard(), True), state


def same(a, b):
    for one, two in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, two)


def same_state(a, b):
    for name, one, two in zip(a._fields, a, b, strict=True):
        if name not in ("looks", "work"):  # scratch
            np.testing.assert_array_equal(one, two, err_msg=name)


def through(b, scans):
    said = [take(b, scan) for scan in scans]
    return [*said, flush(b)]


def test_in_order_nothing_is_put_out_twice():
    b = buffer(init(CONFIG), NUMBER, DEPTH_S)
    said = through(b, heard())
    same(settled(said), in_order()[0])
    same_state(b.state, in_order()[1])
    assert sum(len(r.rows.t) for r in said) == len(in_order()[0].t)
    assert b.replayed == b.late == b.repeated == b.absurd == b.crowded == 0


@hypothesis_settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_delays_within_the_buffer_change_nothing(data):
    scans = heard()
    n = len(scans)
    kind = data.draw(st.sampled_from(["some", "all", "sensor"]))
    delay = np.zeros(n)
    if kind == "sensor":  # one sensor behind by a constant
        late = data.draw(st.integers(0, 6))
        delay[[int(s.row[SENSOR]) == late for s in scans]] = data.draw(st.floats(0.0, DEPTH_S))
    else:
        share = 0.1 if kind == "some" else 1.0
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
        delay = np.where(rng.random(n) < share, rng.uniform(0.0, DEPTH_S, n), 0.0)
    times = np.array([s.row[T] for s in scans]) + delay
    arrivals = list(np.argsort(times, kind="stable"))
    twice = data.draw(st.lists(st.integers(0, n - 1), max_size=4))
    for k in twice:  # a scan comes again, at once or a little later
        arrivals.insert(min(arrivals.index(k) + 1 + k % 3, len(arrivals)), k)
    b = buffer(init(CONFIG), NUMBER, DEPTH_S)
    said = through(b, [scans[k] for k in arrivals])
    same(settled(said), in_order()[0])
    same_state(b.state, in_order()[1])
    assert b.late + b.repeated == len(
        twice
    )  # one that came again so late that it fell out of the buffer is late
    assert b.absurd == b.crowded == 0


def test_a_revision_says_from_when_on():
    scans = heard()
    k = next(i for i, s in enumerate(scans) if s.row[T] == 5.0 and len(s.idents) > 0)
    b = buffer(init(CONFIG), NUMBER, DEPTH_S)
    until = next(i for i, s in enumerate(scans) if s.row[T] == 8.0)
    before = [take(b, s) for i, s in enumerate(scans[:until]) if i != k]
    assert [r.since for r in before if r.since < inf] == sorted(r.since for r in before if r.since < inf)
    revision = take(b, scans[k])
    assert revision.since == 5.0
    assert revision.rows.t.min() == 5.0
    assert revision.rows.t.max() == 7.0  # 7.5, the newest, waits
    assert b.replayed > 0
    rest = [take(b, s) for s in scans[until:]]
    same(settled([*before, revision, *rest, flush(b)]), in_order()[0])


def test_what_is_too_late_changes_nothing_and_is_counted():
    scans = heard()
    late = next(s for s in scans if s.row[T] == 5.0)
    b = buffer(init(CONFIG), NUMBER, DEPTH_S)
    for s in scans:
        if s is not late and s.row[T] <= 9.5:
            take(b, s)
    keys, clock = list(b.keys), b.state.clock[0]
    assert take(b, late).since == inf
    assert (b.late, b.keys, b.state.clock[0]) == (1, keys, clock)
    for column in (T, SENSOR):
        row = late.row.copy()
        row[column] = nan
        assert take(b, late._replace(row=row)).since == inf
    row = late.row.copy()
    row[T] = inf
    take(b, late._replace(row=row))
    assert b.absurd == 3
    # no depth at all: the newest time still waits for all its sensors, in any order
    b = buffer(init(CONFIG), NUMBER, 0.0)
    rng = np.random.default_rng(0)
    shuffled = sorted(scans, key=lambda s: (s.row[T], rng.random()))
    same(settled(through(b, shuffled)), in_order()[0])
    assert b.late == 0


def test_a_late_scan_of_the_time_that_was_flushed():
    scans = heard()
    b = buffer(init(CONFIG), NUMBER, DEPTH_S)
    said = [take(b, s) for s in scans[:-1]]
    said += [flush(b), take(b, scans[-1]), flush(b)]
    same(settled(said), in_order()[0])


def test_memory_is_bounded():
    scans = heard()
    one = sum(column.nbytes for column in b.state) if (b := buffer(init(CONFIG), NUMBER, 1e6, most=20)) else 0
    assert one > 0
    rng = np.random.default_rng(4)
    for start in range(0, 600, 12):  # the same flight again and again, 600 s
        for s in scans:
            row = s.row.copy()
            row[T] += start
            take(b, s._replace(row=row))
            assert len(b.scans) == len(b.keys) <= 20
            assert len(b.snapshots) <= 2 * SNAPSHOTS + 3
            assert 0 <= b.done <= len(b.keys)
        if rng.random() < 0.2:
            take(b, scans[0])
    assert b.late > 0
    # more sensors at one time than fit: refused and counted
    b = buffer(init(CONFIG), NUMBER, DEPTH_S, most=3)
    for s in scans[:7]:
        row = s.row.copy()
        row[T] = 0.0
        row[SENSOR] = len(b.keys) + b.crowded
        take(b, s._replace(row=row))
    assert len(b.keys) == 3
    assert b.crowded == 4


def test_a_cued_tracker_can_wait_too():
    scans = [s for s in heard() if s.row[T] < 6.0]
    means = live.replay(init(CONFIG), NUMBER, scans, True).values[-1:, :9]

    def cued():
        state = init(CONFIG)
        cue(state, CONFIG, 0.0, means, np.eye(9)[None] * 1e6)
        return state

    want = live.replay(cued(), NUMBER, scans, True)
    shuffled = [scans[k] for k in np.argsort(np.arange(len(scans)) + np.arange(len(scans)) * 7 % 5)]
    same(settled(through(buffer(cued(), NUMBER, DEPTH_S), shuffled)), want)


@pytest.mark.parametrize(("depth", "most"), [(-1.0, 10), (inf, 10), (nan, 10), (1.0, 0)])
def test_a_buffer_without_bounds_is_refused(depth, most):
    with pytest.raises(ValueError, match="depth_s"):
        buffer(init(CONFIG), NUMBER, depth, most)

"""SIAP, continuity and purity: cases small enough to count by hand."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.tables import Contributions, DetectionTruth
from noroshi.tracking import consistency, continuity
from noroshi.tracking.siap import Siap, associate, siap


def rows(held: dict[int, dict[int, float]]) -> tuple[np.ndarray, ...]:
    """Time, track, position, velocity of tracks on a line: held[track][time] = x. Velocity is x / 100 along y."""
    flat = sorted((t, track, x) for track, at in held.items() for t, x in at.items())
    t, track, x = (np.array(c) for c in zip(*flat, strict=True)) if flat else (np.empty(0),) * 3
    zero = np.zeros(len(t))
    return (
        t.astype(int),
        track.astype(int),
        np.stack([x, zero, zero], 1),
        np.stack([zero, x / 100, zero], 1),
    )


def truth(*targets: float, times: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets that stand still at x, position and velocity [time, target, 3], alive."""
    r = np.zeros((times, len(targets), 3))
    r[..., 0] = targets
    return r, np.zeros_like(r), np.ones((times, len(targets)), bool)


def test_siap_by_hand():
    """Two targets 10 km apart for six seconds; the second lives for the last three only.

    Track 1 on target 0 at 0-2, 100 m off; track 2 takes over at 2-4, 200 m off; track 7 is 3 km from everything.
    J = 6 + 3; JT = 5; rows: 3 + 3 + 2; NA = 6; one change in 5 s; longest 3 s of 9.
    """
    at, track, r, v = rows(
        {1: {0: 100.0, 1: 100.0, 2: 100.0}, 2: {2: 200.0, 3: 200.0, 4: 200.0}, 7: {4: 7e3, 5: 7e3}}
    )
    r_true, v_true, alive = truth(0.0, 10e3, times=6)
    alive[:3, 1] = False
    found = siap(at, track, r, v, r_true, v_true, alive, 1.0, 2000.0)
    assert found == pytest.approx((5 / 9, 6 / 5, 2 / 8, 150.0, 1.5, 1 / 5, 3 / 9))
    half = siap(at, track, r, v, r_true, v_true, alive, 0.5, 2000.0)
    assert half.track_number_changes_per_s == pytest.approx(2 / 5)


def test_a_track_belongs_to_the_nearest_living_target_within_the_radius():
    r_true, _, alive = truth(0.0, 1000.0, times=4)
    alive[3, 1] = False
    at = np.arange(4)
    r = np.array([[400.0, 0, 0], [600.0, 0, 0], [2500.0, 0, 0], [1000.0, 0, 0]])
    assert associate(at, r, r_true, alive, 1500.0).tolist() == [0, 1, 1, 0]
    assert associate(at, r, r_true, alive, 1499.0).tolist() == [0, 1, -1, 0]


@pytest.mark.parametrize(
    ("held", "changes", "longest"),
    [
        ({1: [0, 1, 2, 3]}, 0, 4),
        ({1: [0, 1], 2: [2, 3]}, 1, 2),
        ({1: [0, 1], 2: [1, 2, 3]}, 1, 3),
        ({1: [0, 1, 2, 3], 2: [1, 2]}, 0, 4),  # the second explains nothing new
        ({1: [0, 3], 2: [1, 2]}, 2, 2),  # there and back
        ({1: [0, 3]}, 0, 1),  # a gap without any track is no change, but breaks the stretch
        ({1: [0], 2: [1], 3: [2], 4: [0, 1, 2]}, 0, 3),
        ({5: [0, 1, 2], 6: [2, 3, 4], 7: [1, 2, 3]}, 1, 3),
    ],
)
def test_changes_of_number(held, changes, longest):
    at, track, r, v = rows({k: dict.fromkeys(t, 0.0) for k, t in held.items()})
    times = max(at) + 1
    found = siap(at, track, r, v, *truth(0.0, times=times), 1.0)
    tracked = len(np.unique(at))
    assert found.track_number_changes_per_s == pytest.approx(changes / tracked)
    assert found.longest_segment == pytest.approx(longest / times)


def test_siap_of_nothing():
    nothing = rows({})
    r_true, v_true, alive = truth(0.0, times=3)
    found = siap(*nothing, r_true, v_true, alive, 1.0)
    assert (found.completeness, found.longest_segment) == (0.0, 0.0)
    assert np.isnan([found.ambiguity, found.spuriousness, found.position_accuracy_m]).all()
    empty = siap(*rows({3: {0: 0.0}}), r_true, v_true, np.zeros_like(alive), 1.0)
    assert empty.spuriousness == 1.0
    assert np.isnan(empty.completeness)


@given(st.integers(0, 2**32 - 1))
def test_siap_keeps_its_ranges_and_knows_no_names(seed):
    """Shares lie in 0..1, ambiguity at 1 or above; other numbers for the tracks change nothing."""
    rng = np.random.default_rng(seed)
    times, n, m = rng.integers(1, 8), rng.integers(1, 4), rng.integers(1, 4)
    r_true = rng.uniform(0, 6e3, (times, n, 3))
    alive = rng.random((times, n)) < 0.8
    held = rng.random((times, m)) < 0.8
    at, track = np.nonzero(held)
    r = rng.uniform(0, 6e3, (len(at), 3))
    found = siap(at, track, r, r, r_true, r_true, alive, 1.0, 3000.0)
    for share in (found.completeness, found.spuriousness, found.longest_segment):
        assert np.isnan(share) or 0.0 <= share <= 1.0
    assert np.isnan(found.ambiguity) or found.ambiguity >= 1.0
    assert np.isnan(found.longest_segment) or found.longest_segment <= found.completeness
    assert np.isnan(found.position_accuracy_m) or found.position_accuracy_m <= 3000.0
    again = siap(at, rng.permutation(m)[track] + 100, r, r, r_true, r_true, alive, 1.0, 3000.0)
    assert again == pytest.approx(found, nan_ok=True)


def test_a_raid_of_twenty_is_quick():
    """301 frames of 20 targets and 20 tracks: 0.015 CPU s here; with GOSPA, 0.1 asked for."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2e5, (301, 20, 3))
    at, track = np.repeat(np.arange(301), 20), np.tile(np.arange(20), 301)
    start = time.process_time()
    found = siap(at, track, x.reshape(-1, 3), x.reshape(-1, 3), x, x, np.ones((301, 20), bool), 1.0, 10.0)
    assert time.process_time() - start < 0.1
    assert found == Siap(1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


# --- continuity ---------------------------------------------------------------------------------------


def test_fragments_breaks_and_switches():
    assigned = np.array(
        [
            [-1, 4, 9],
            [3, 4, 9],
            [3, -1, 2],
            [-1, -1, 9],
            [3, 5, 9],
            [-1, -1, 9],
        ]
    )
    found = continuity.continuity(assigned)
    assert found.fragments.tolist() == [1, 2, 2]
    assert found.breaks.tolist() == [1, 1, 0]
    assert found.switches.tolist() == [0, 1, 2]
    t = np.arange(10.0, 16.0)
    first = continuity.latency(t, assigned, np.array([9.0, 10.0, 10.0]))
    assert first.tolist() == [2.0, 0.0, 0.0]
    assert np.isnan(continuity.latency(t, np.full((6, 1), -1), np.zeros(1))).all()
    assert continuity.continuity(np.empty((0, 2), int)).fragments.tolist() == [0, 0]


def test_purity_by_hand():
    """Track 8: three of target 1, one of 0, one false alarm; track 3: two and two, the lower wins; 5: false alarms."""
    track = np.array([8, 8, 8, 8, 8, 3, 3, 3, 3, 5, 5])
    target = np.array([1, 1, 0, -1, 1, 2, 0, 0, 2, -1, -1])
    found = continuity.purity(track, target)
    assert found.track.tolist() == [3, 5, 8]
    assert found.target.tolist() == [0, -1, 1]
    assert found.share.tolist() == [0.5, 0.0, 0.6]
    assert found.detections.tolist() == [4, 2, 5]
    assert len(continuity.purity(np.empty(0, int), np.empty(0, int)).track) == 0


def test_purity_from_tables():
    contributions = Contributions(
        node=np.array([0, 1, 0, 0]),
        track=np.array([1, 1, 1, 1]),
        t=np.zeros(4),
        detection=np.array([7, 5, 6, 5]),
    )
    answers = DetectionTruth(np.array([7, 6, 5]), np.array([0, 0, -1]))  # in no order
    found = continuity.purity_of_node(contributions, answers, 0)
    assert found.share.tolist() == pytest.approx([2 / 3])
    assert continuity.purity_of_node(contributions, answers, 1).share.tolist() == [0.0]


# --- consistency --------------------------------------------------------------------------------------


def test_nis_of_honest_and_biased_innovations():
    """20 000 looks, 2 dimensions: mean 2 within 5 sigma (chance 6e-7); a bias of one sigma in one of them adds 1."""
    rng = np.random.default_rng(0)
    a = np.array([[3e-5, 0.0], [2e-5, 5e-5]])
    y = rng.normal(size=(20_000, 2)) @ a.T
    s = np.broadcast_to(a @ a.T, (20_000, 2, 2))
    assert np.mean(consistency.nis(y, s)) == pytest.approx(2.0, abs=5 * np.sqrt(4 / 20_000))
    biased = np.mean(consistency.nis(y + a[:, 0], s))
    assert biased == pytest.approx(3.0, abs=5 * np.sqrt(8 / 20_000))
    low, high = consistency.chi2_interval(2, 20_000)
    assert not low <= biased <= high


def test_share_inside():
    """Chi-square values lie in their 95 % interval 95 times in a hundred (20 000 draws, 5 sigma: 0.8 %)."""
    values = np.random.default_rng(1).chisquare(6, 20_000)
    assert consistency.share_inside(values, 6) == pytest.approx(0.95, abs=0.008)
    assert consistency.share_inside(np.array([np.nan, 6.0, 100.0]), 6) == 0.5
    assert np.isnan(consistency.share_inside(np.array([np.nan]), 6))

"""Metrics against hand cases and published chi-square intervals; scores of small made-up runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.constants import EARTH_MU
from noroshi.tables import Deliveries, Detections, DetectionTruth, Phase, Scans, Status, Tracks, Truth
from noroshi.tracking import score

# --- metrics ------------------------------------------------------------------------------------------


def at(*x: float) -> np.ndarray:
    return np.array([[v, 0.0, 0.0] for v in x]).reshape(-1, 3)


def test_gospa_by_hand():
    """c = 10, p = 2: one pair 3 apart (9), one miss and one false (50 each): sqrt(109)."""
    found = score.gospa(at(0.0, 100.0), at(3.0, 500.0), c=10.0)
    assert (found.localisation, found.missed, found.false) == (9.0, 50.0, 50.0)
    assert found.distance == pytest.approx(np.sqrt(109.0))
    assert found.assigned.tolist() == [0, -1]


def test_gospa_leaves_pairs_at_the_cut_off_unassigned():
    """A pair c apart costs c**2, the same as a miss and a false one: it is not called an assignment."""
    found = score.gospa(at(0.0), at(10.0), c=10.0)
    assert found.assigned.tolist() == [-1]
    assert found.distance == pytest.approx(10.0)


def test_gospa_finds_the_best_of_all_assignments():
    """Greedy by distance would pair 0 with 1 (1 apart) and leave 2.5 apart: 1 + 6.25; best is 2.25 + 1 ..."""
    x, y = at(0.0, 2.5), at(1.0, -1.5)
    found = score.gospa(x, y, c=100.0)
    assert found.assigned.tolist() == [1, 0]
    assert found.localisation == pytest.approx(1.5**2 + 1.5**2)


def test_gospa_with_alpha_one_is_unnormalised_ospa():
    """alpha = 1 (Rahmathullah et al. 2017, after definition 1): OSPA without the division by max(n, m)."""
    x, y = at(0.0, 50.0, 90.0), at(2.0, 49.0)
    g, o = score.gospa(x, y, 10.0, 2.0, 1.0), score.ospa(x, y, 10.0, 2.0)
    assert g.distance == pytest.approx(o * np.sqrt(3))


def test_gospa_of_empty_sets():
    assert score.gospa(at(), at()).distance == 0.0
    assert score.gospa(at(1.0, 2.0), at(), 10.0).distance == pytest.approx(np.sqrt(2 * 50.0))
    assert score.gospa(at(), at(1.0), 10.0).false == 50.0


def test_ospa_by_hand():
    """c = 10, p = 1: (3 + 10) / 2 and, for p = 2, sqrt((9 + 100) / 2)."""
    assert score.ospa(at(0.0, 100.0), at(3.0), 10.0, 1.0) == pytest.approx(6.5)
    assert score.ospa(at(0.0, 100.0), at(3.0), 10.0, 2.0) == pytest.approx(np.sqrt(54.5))
    assert score.ospa(at(), at()) == 0.0
    assert score.ospa(at(), at(1.0), 10.0) == 10.0


points = st.lists(st.tuples(*[st.floats(-30, 30)] * 3), max_size=4).map(lambda p: np.array(p).reshape(-1, 3))


@given(points, points, points)
def test_gospa_is_a_metric(x, y, z):
    """Symmetry, identity, triangle inequality (proved in the paper, proposition 1)."""
    xy, yx = score.gospa(x, y, 10.0), score.gospa(y, x, 10.0)
    assert xy.distance == pytest.approx(yx.distance, abs=1e-9)
    assert score.gospa(x, x, 10.0).distance == 0.0
    assert xy.distance <= score.gospa(x, z, 10.0).distance + score.gospa(z, y, 10.0).distance + 1e-9
    assert xy.distance**2 == pytest.approx(xy.localisation + xy.missed + xy.false)


@pytest.mark.parametrize(
    ("dimension", "runs", "low", "high"),
    [
        (2, 1, 0.025, 3.689),
        (2, 50, 0.742, 1.296),
        (3, 1, 0.072, 3.116),
        (3, 100, 0.846, 1.166),
        (4, 500, 0.939, 1.063),
        (6, 1, 0.206, 2.408),
        (6, 50, 0.846, 1.166),
        (6, 1000, 0.965, 1.036),
        (9, 1, 0.300, 2.114),
        (9, 1000, 0.971, 1.029),
    ],
)
def test_chi_square_intervals_per_dimension(dimension, runs, low, high):
    """95 % intervals of mean NEES over its dimension: chi-square quantiles, to the printed digits."""
    found = np.array(score.chi2_interval(dimension, runs)) / dimension
    assert found == pytest.approx([low, high], abs=6e-4)


@pytest.mark.parametrize(
    ("dimension", "runs", "low", "high"),
    [(4, 500, 3.756, 4.252), (9, 500, 8.632, 9.376), (6, 1000, 5.787, 6.217)],
)
def test_v605_anees_bounds(dimension, runs, low, high):
    """V-605: exact chi-square quantiles, to the printed digits."""
    assert score.chi2_interval(dimension, runs) == pytest.approx((low, high), abs=6e-4)


def test_nees_of_normal_errors_has_mean_dimension():
    """20 000 draws, 6 dimensions of very different units: mean 6 within 5 sigma (chance 6e-7)."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(6, 6)) * np.array([1e4, 1e4, 1e4, 1.0, 1.0, 1.0])[:, None]
    error = rng.normal(size=(20_000, 6)) @ a.T
    found = score.nees(error, np.broadcast_to(a @ a.T, (20_000, 6, 6)))
    assert np.mean(found) == pytest.approx(6.0, abs=5 * np.sqrt(12 / 20_000))
    assert found[:3] == pytest.approx(np.sum(np.linalg.solve(a, error[:3].T) ** 2, 0), rel=1e-6)


# --- custody and gaps ---------------------------------------------------------------------------------


def test_custody_counts_distinct_sensors_in_the_open_closed_window():
    t = np.arange(0.0, 8.0)
    sensor = np.array([4, 4, 9, 4])
    t_event = np.array([1.0, 2.0, 2.5, 6.0])
    # sensor 4: [1, 5) and [6, ..); sensor 9: 3, 4, 5
    assert score.custody(t, sensor, t_event).tolist() == [0, 1, 1, 2, 2, 1, 1, 1]


def test_custody_on_grids_that_are_not_exact_in_binary():
    """0.1 s grids: an event exactly 3 s old is out, one exactly now is in, whatever the rounding."""
    t = 0.1 * np.arange(100)
    for event in 0.1 * np.arange(0, 60, 7):
        count = score.custody(t, np.zeros(1, int), np.array([event]))
        assert count.sum() == 30
        assert count[round(event / 0.1)] == 1


def test_longest_gap():
    """3 s of custody after each event: 10 to 12 is none, 12 to 20 leaves 5, 20 to the end at 22 none."""
    assert score.longest_gap(np.array([10.0, 20.0, 12.0]), 22.0) == pytest.approx(5.0)
    assert score.longest_gap(np.array([10.0]), 22.0) == pytest.approx(9.0)
    assert score.longest_gap(np.array([10.0, 11.0]), 12.0) == 0.0
    assert np.isnan(score.longest_gap(np.empty(0), 22.0))


# --- whole runs ---------------------------------------------------------------------------------------

R0 = np.array([7.0e6, 0.0, 0.0])
V0 = np.array([0.0, 7546.0, 0.0])


def circle(t: np.ndarray, ahead_m: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A circular orbit, which is a flight known exactly at any time."""
    w = np.sqrt(EARTH_MU / 7.0e6**3)
    u = w * t + ahead_m / 7.0e6
    r = 7.0e6 * np.stack([np.cos(u), np.sin(u), 0 * u], -1)
    return r, 7.0e6 * w * np.stack([-np.sin(u), np.cos(u), 0 * u], -1)


def flights(launches: list[float], impacts: list[float], end: float = 60.0) -> Truth:
    t = np.arange(0.0, end + 1)
    pairs = [circle(t, 50e3 * k) for k in range(len(launches))]
    alive = (t[:, None] >= launches) & (t[:, None] <= impacts)
    return Truth(
        targets=tuple(f"t{k}" for k in range(len(launches))),
        bands=("mwir",),
        t=t,
        r_gcrs=np.stack([p[0] for p in pairs], 1),
        v_gcrs=np.stack([p[1] for p in pairs], 1),
        phase=np.where(alive, Phase.COAST, Phase.LANDED).astype(np.int8),
        alive=alive,
        intensity_w_sr=np.ones((len(t), len(launches), 1)),
        rcs_m2=np.ones(len(launches)),
        t_launch=np.array(launches, float),
        t_impact=np.array(impacts, float),
    )


def follow(
    t: np.ndarray, offset: np.ndarray, *, node=0, track=0, ahead_m=0.0, status=None, latency=0.5
) -> Tracks:
    """A track that is off by `offset` (position, velocity), claiming 100 m and 5 m/s per axis."""
    r, v = circle(t, ahead_m)
    rows = len(t)
    full = np.tile(np.diag([1e4] * 3 + [25.0] * 3 + [1.0] * 3), (rows, 1, 1))
    i, j = np.triu_indices(9)
    return Tracks(
        node=np.full(rows, node),
        track=np.full(rows, track),
        t=t,
        t_node=t + latency,
        mean=np.concatenate([r + offset[:3], v + offset[3:], np.zeros((rows, 3))], 1),
        cov=full[:, i, j],
        status=np.full(rows, Status.CONFIRMED, np.int8) if status is None else np.array(status, np.int8),
        modes=np.tile([0.0, 1.0, 0.0], (rows, 1)),
        existence=np.ones(rows),
        hits=np.ones(rows, int),
        originators=np.ones(rows, int),
    )


def together(*tracks: Tracks) -> Tracks:
    return Tracks(*(np.concatenate([getattr(t, n) for t in tracks]) for n in Tracks.__dataclass_fields__))


def observe(events: list[tuple[float, int, int]], arrive: dict[int, list[bool]]):
    """Scans with one detection each (time, sensor, target; target -1: clutter) and who gets them."""
    n = len(events)
    one, zero = np.ones(n), np.zeros(n)
    scans = Scans(
        scan=np.arange(n) + 10,
        sensor=np.array([e[1] for e in events], int),
        kind=np.zeros(n, np.int8),
        t_event=np.array([e[0] for e in events], float),
        r_gcrs=np.zeros((n, 3)),
        v_gcrs=np.zeros((n, 3)),
        q_gcrs_from_sensor=np.tile([1.0, 0, 0, 0], (n, 1)),
        **{name: one for name in ("p_detect", "clutter_density", "field_cone_rad", "field_azimuth_rad")},
        **{name: one for name in ("field_elevation_min_rad", "field_elevation_max_rad", "range_max_m")},
        grazing_height_m=zero,
        cloud_top_m=zero,
        background=np.zeros(n, np.int8),
    )
    detections = Detections(
        detection=np.arange(n) + 100,
        scan=scans.scan,
        **{
            name: one
            for name in ("az_rad", "el_rad", "range_m", "range_rate_m_s", "sigma_az_rad", "sigma_el_rad")
        },
        **{name: one for name in ("sigma_range_m", "sigma_range_rate_m_s", "snr")},
    )
    order = np.arange(n)[::-1]  # the answer sheet need not be in the order of the detections
    answers = DetectionTruth(detections.detection[order], np.array([e[2] for e in events], int)[order])
    nodes = np.repeat(list(arrive), n).astype(int)
    here = np.concatenate([np.array(a, bool) for a in arrive.values()]) if arrive else np.empty(0, bool)
    t_event = np.tile(scans.t_event, len(arrive))
    deliveries = Deliveries(
        scan=np.tile(scans.scan, len(arrive)),
        node=nodes,
        t_event=t_event,
        t_released=t_event,
        t_arrival=np.where(here, t_event + 0.8, np.inf),
        hops=np.zeros(len(nodes), int),
        why=np.zeros(len(nodes), np.int8),
    )
    return deliveries, scans, detections, answers


EVENTS = [(float(t), t % 2, 0) for t in range(12, 41)] + [(15.0, 7, -1)]


def test_a_good_track_of_one_target():
    """10 s to 50 s; seen by two sensors in turn from 12 s to 40 s; tracked from 15 s to 45 s."""
    truth = flights([10.0], [50.0])
    offset = np.array([30.0, 0, 0, 0, 2.0, 0])
    t = np.arange(15.0, 46.0)
    found = score.score(1, follow(t, offset), *observe(EVENTS, {0: [True] * 30}), truth)
    target = found.nodes[0].targets[0]
    assert len(found.samples.t) == 41
    assert target.t_first_detection_s == 2.0
    assert target.t_confirmed_s == 5.5  # the node had it half a second later
    # seen at samples 12..42, and by both sensors at 13..41
    assert target.custody_1 == pytest.approx(31 / 41)
    assert target.custody_2 == pytest.approx(29 / 41)
    assert target.longest_gap_s == pytest.approx(7.0)
    good = (found.samples.t >= 15) & (found.samples.t <= 45)
    assert found.samples.error_position_m[good] == pytest.approx(30.0, abs=1e-6)
    assert found.samples.error_velocity_m_s[good] == pytest.approx(2.0, abs=1e-6)
    assert found.samples.sigma_position_m[good] == pytest.approx(np.sqrt(3e4))
    assert found.samples.nees[good] == pytest.approx((30**2 / 1e4 + 2**2 / 25) / 6)
    assert target.nees_mean == pytest.approx((30**2 / 1e4 + 2**2 / 25) / 6)
    # after its last row the track is carried on as it flies: 2 m/s more error each second
    late = found.samples.t == 48.0
    assert found.samples.error_position_m[late] == pytest.approx(30.0, abs=7.0)
    assert np.isnan(found.samples.nees[late]).all()
    # misses before 15 s: GOSPA is c / sqrt 2; 30 m while tracked
    assert found.nodes[0].gospa_m > (5 * 5000 / np.sqrt(2) + 31 * 30.0) / 41 - 1
    assert (found.nodes[0].tracks, found.nodes[0].false_tracks) == (1, 0)


def test_a_detection_that_does_not_arrive_is_no_custody():
    truth = flights([10.0], [50.0])
    found = score.score(
        2,
        follow(np.arange(15.0, 16.0), np.zeros(6)),
        *observe(EVENTS, {0: [False] * 30, 1: [True] * 30}),
        truth,
    )
    blind, seeing = found.nodes[0].targets[0], found.nodes[1].targets[0]
    assert np.isnan(blind.t_first_detection_s)
    assert np.isnan(blind.longest_gap_s)
    assert blind.custody_1 == 0.0
    assert seeing.custody_1 > 0.7
    assert np.isnan(seeing.t_confirmed_s)
    assert np.isnan(seeing.rmse_position_m)


def test_clutter_is_no_detection_and_a_track_of_nothing_is_false():
    truth = flights([10.0], [50.0])
    tracks = together(
        follow(np.arange(15.0, 46.0), np.zeros(6)),
        follow(np.arange(20.0, 30.0), np.array([80e3, 0, 0, 0, 0, 0]), track=5),
        follow(np.arange(20.0, 30.0), np.zeros(6), track=6, status=[Status.TENTATIVE] * 10),
    )
    only_clutter = [(15.0, 7, -1)]
    found = score.score(1, tracks, *observe(only_clutter, {0: [True]}), truth)
    assert found.nodes[0].targets[0].custody_1 == 0.0
    assert (found.nodes[0].tracks, found.nodes[0].false_tracks) == (2, 1)


def test_two_targets_keep_their_own_tracks_and_times():
    """50 km apart, launched at 10 s and 20.5 s (off the grid): each sample grid starts at its launch."""
    truth = flights([10.0, 20.5], [40.0, 50.5])
    t = np.arange(12.0, 55.0)
    tracks = together(follow(t, np.zeros(6), track=3, ahead_m=50e3), follow(t, np.zeros(6), track=8))
    found = score.score(1, tracks, *observe([(30.0, 0, 1)], {0: [True]}), truth)
    first, second = (found.samples.target == k for k in (0, 1))
    assert found.samples.t[second][0] == 20.5
    assert set(found.samples.track[first]) == {-1, 8}
    assert set(found.samples.track[second]) == {3}
    assert found.nodes[0].targets[1].t_first_detection_s == pytest.approx(9.5)
    # truth between grid times (Hermite) meets the state carried on for half a second; the ends have one
    # live grid time each, and half a second of straight flight misses g t^2 / 2
    error = found.samples.error_position_m[second]
    assert np.nanmax(error[1:-1]) < 1e-3
    assert error[[0, -1]] == pytest.approx(EARTH_MU / 7.0e6**2 / 8, rel=0.01)
    assert np.isnan(found.samples.nees[second]).all()


def test_a_deleted_track_ends_at_once():
    truth = flights([0.0], [50.0])
    status = [Status.CONFIRMED] * 10 + [Status.DELETED]
    found = score.score(
        1,
        follow(np.arange(10.0, 21.0), np.zeros(6), status=status),
        *observe([(1.0, 0, 0)], {0: [True]}),
        truth,
    )
    assert found.samples.t[found.samples.track >= 0].tolist() == list(range(10, 20))


def test_a_stale_track_ends_after_ten_seconds():
    truth = flights([0.0], [50.0])
    found = score.score(
        1, follow(np.arange(10.0, 21.0), np.zeros(6)), *observe([(1.0, 0, 0)], {0: [True]}), truth
    )
    assert found.samples.t[found.samples.track >= 0].tolist() == list(range(10, 31))
    # ten seconds of point-mass flight in one step
    assert np.nanmax(found.samples.error_position_m) < 0.5


def test_of_two_tracks_on_one_target_the_nearer_is_assigned():
    truth = flights([0.0], [50.0])
    t = np.arange(10.0, 41.0)
    tracks = together(
        follow(t, np.array([900.0, 0, 0, 0, 0, 0]), track=1),
        follow(t, np.array([100.0, 0, 0, 0, 0, 0]), track=2),
    )
    found = score.score(1, tracks, *observe([(1.0, 0, 0)], {0: [True]}), truth)
    assert set(found.samples.track) == {-1, 2}
    assert found.nodes[0].false_tracks == 1


def test_no_tracks_no_detections_no_target():
    none = follow(np.empty(0), np.zeros(6))
    found = score.score(2, none, *observe([], {}), flights([0.0], [50.0]))
    assert found.nodes[1].gospa_m == pytest.approx(5000 / np.sqrt(2))
    assert len(found.samples.t) == 102
    never = replace(flights([0.0], [50.0]), t_launch=np.array([np.inf]), t_impact=np.array([np.inf]))
    found = score.score(1, none, *observe([], {}), never)
    assert len(found.samples.t) == 0
    assert np.isnan(found.nodes[0].gospa_m)

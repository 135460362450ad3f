"""The warning rule: kinds of track, probabilities, streaks, notices, and that ignorance never hurries it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warning_flights import burnout, diagonal, fall, make_tracks, rotations

from noroshi.constants import EARTH_MU, EARTH_RATE_RAD_S
from noroshi.earth import destination, geodesic, itrs_from_geodetic
from noroshi.tables import Notice, Status, TrackKind, Tracks, Warnings
from noroshi.warning import decide, impact
from noroshi.warning.models import Area, WarningRule

RULE = WarningRule(0.9, 50e3, 100e3, 3, 60.0, np.radians(60.0), 2.6, 1000.0)
STATE = burnout(4700.0, 150e3, 38.6)  # V-802, second case: down after 941.083 s at 27.0868 N 151.6894 E
END, END_LAT, END_LON, _ = fall(STATE)
AHEAD = STATE[3:] / np.linalg.norm(STATE[3:])


def around(lat: float, lon: float, radius_km: float, name: str = "area") -> Area:
    return Area(name, np.array([lat]), np.array([lon]), radius_km * 1e3)


def coast(t: np.ndarray, sigma_r: float = 100.0, sigma_v: float = 5.0, **changes) -> Tracks:
    _, _, _, states = fall(STATE, t_eval=t)
    return make_tracks(t, states, diagonal(sigma_r, sigma_v, len(t)), **changes)


def warn(tracks: Tracks, areas: list[Area], rule: WarningRule = RULE) -> Warnings:
    m = rotations(tracks.t)
    return decide.decide(tracks, impact.predict(tracks, m), areas, rule, m)


IMPACT = around(END_LAT, END_LON, 60.0)


def path_point(t: float) -> tuple[float, float]:
    """Sub-point of the true flight, by the oracle."""
    found = impact.predict(coast(np.array([t])), rotations(np.array([t])))
    return float(found.track_lat_rad[0, 0]), float(found.track_lon_rad[0, 0])


# --- what a track is -----------------------------------------------------------------------------------


def kind_of(acceleration, sigma=0.5, modes=(0.0, 1.0, 0.0), height=60e3, speed=5000.0) -> TrackKind:
    """A state flying along y at the equator; acceleration: along velocity, up, across."""
    state = np.array([[6378137.0 + height, 0, 0, 0, speed, 0]])
    a = np.array([acceleration[1], acceleration[0], acceleration[2]], float)
    track = make_tracks(
        np.zeros(1), state, diagonal(100.0, 5.0, 1), acceleration=a, acceleration_sigma=sigma, modes=modes
    )
    return TrackKind(int(decide.track_kind(track.modes, track.mean, track.cov)[0]))


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (TrackKind.BALLISTIC, dict(acceleration=(0, 0, 0), height=400e3)),
        (TrackKind.BOOST, dict(acceleration=(30, 0, 0), modes=(1, 0, 0))),
        (TrackKind.BOOST, dict(acceleration=(30, 0, 0), modes=(0, 0, 1))),  # whatever model carries it
        (TrackKind.UNKNOWN, dict(acceleration=(0, 0, 0), sigma=10.0)),  # not shown: may thrust
        (TrackKind.UNKNOWN, dict(acceleration=(4, 0, 0), sigma=1.0)),
        (TrackKind.UNKNOWN, dict(acceleration=(0, 0, 0), modes=(0.9, 0.1, 0.0))),
        # glide at 5 km/s: drag (g - v^2/r) / (L/D) = 5.7 / 2.6
        (TrackKind.GLIDE, dict(acceleration=(-2.2, 5.7, 0), modes=(0, 0.1, 0.9), sigma=1.0)),
        (TrackKind.GLIDE, dict(acceleration=(-4.4, 5.7, 9.9), modes=(0, 0, 1), sigma=1.0)),  # banked 60 deg
        # the models say one thing and the lift another: neither
        (TrackKind.UNKNOWN, dict(acceleration=(-2.2, 5.7, 0), modes=(0, 0.9, 0.1), sigma=1.0)),
        # just after burn-out inside the air, as an infrared tracker has it
        (TrackKind.BALLISTIC, dict(acceleration=(0, 0, 0), modes=(0, 0.998, 0.002), sigma=0.9, height=77e3)),
        (TrackKind.BALLISTIC, dict(acceleration=(-2.2, 5.7, 0), modes=(0, 0, 1), sigma=1.0, height=120e3)),
        # re-entry: 30 m/s2 of drag, a little apparent lift
        (TrackKind.BALLISTIC, dict(acceleration=(-30, 3.0, 2.0), modes=(0, 0, 1), sigma=1.0, height=30e3)),
        # lift neither shown nor ruled out
        (TrackKind.UNKNOWN, dict(acceleration=(-2.2, 5.7, 0), modes=(0, 0, 1), sigma=3.0)),
        (TrackKind.UNKNOWN, dict(acceleration=(-30, 3, 2), modes=(0, 0, 1), sigma=15.0, height=30e3)),
    ],
)
def test_track_kind(expected, changes):
    assert kind_of(**changes) == expected


@pytest.mark.parametrize(
    ("expected", "slope", "changes"),
    [
        (TrackKind.UNKNOWN, 0.0, dict(acceleration=(0, 9.8, 0))),  # wings carry it
        (TrackKind.UNKNOWN, 0.0, dict(acceleration=(0, 0, 0), acceleration_sigma=2.0)),  # they may
        (TrackKind.UNKNOWN, -0.05, dict(acceleration=(0, 9.8, 0))),  # an airliner's descent: 3 deg
        (TrackKind.BALLISTIC, 0.0, dict(acceleration=(0, 0, 0))),  # nothing carries it, at the top of its arc
        (TrackKind.BALLISTIC, -0.7, dict(acceleration=(0, 0, 0), acceleration_sigma=2.0)),  # steep: it falls
        # no more is known of the path than of the lift
        (TrackKind.UNKNOWN, -0.7, dict(acceleration=(0, 0, 0), acceleration_sigma=2.0, sigma_v=200.0)),
    ],
)
def test_what_flies_level_low_down_is_not_falling(expected, slope, changes):
    """At 10 km and 300 m/s over the ground, along the equator; slope: sine of the path."""
    r = 6378137.0 + 10e3
    east = 300 * np.sqrt(1 - slope**2) + EARTH_RATE_RAD_S * r
    changes = {"acceleration_sigma": 0.5} | changes
    a = np.array(changes.pop("acceleration"), float)[[1, 0, 2]]
    cov = diagonal(100.0, changes.pop("sigma_v", 5.0), 1)
    track = make_tracks(
        np.zeros(1),
        np.array([[r, 0, 0, 300 * slope, east, 0]]),
        cov,
        acceleration=a,
        modes=(0, 0.5, 0.5),
        **changes,
    )
    assert decide.track_kind(track.modes, track.mean, track.cov)[0] == expected


def test_a_state_of_nothing_is_unknown():
    assert kind_of((0, 0, 0), speed=0.0) == TrackKind.UNKNOWN
    assert kind_of((np.nan, 0, 0)) == TrackKind.UNKNOWN


@given(
    a=st.tuples(*[st.floats(-20, 20)] * 3),
    sustained=st.tuples(*[st.floats(-10, 10)] * 3),
    sigma=st.floats(0.01, 5.0),
    weights=st.tuples(*[st.floats(0.01, 1.0)] * 3),
    height=st.floats(5e3, 200e3),
)
def test_a_larger_covariance_never_makes_one_kind_of_another(a, sustained, sigma, weights, height):
    """Whatever is shown with ten times the sigma is shown with the sigma itself; else it is UNKNOWN."""
    state = np.array([[6378137.0 + height, 0, 0, 0, 5000.0, 0]])
    modes = np.array(weights) / np.sum(weights)

    def kind(scale: float) -> int:
        track = make_tracks(
            np.zeros(1), state, diagonal(1.0, 1.0, 1), acceleration=np.array(a),
            acceleration_sigma=scale * sigma, modes=tuple(modes),
        )  # fmt: skip
        window = np.array([sustained]), np.eye(3)[None] * (0.5 * scale * sigma) ** 2
        return int(decide.track_kind(track.modes, track.mean, track.cov, *window)[0])

    assert kind(10.0) in (TrackKind.UNKNOWN, kind(1.0))


def test_sustained_acceleration_of_free_fall_is_nothing_and_of_a_glide_its_lift():
    """Closed form: level flight at constant speed needs g - v^2/r upwards; in orbit nothing is left.

    0.02 m/s2: J2 is not in the gravity used, and the trapezoid of 1 s steps is exact to 1e-4.
    """
    t = np.arange(100.0, 150.0)
    fallen, cov = decide.sustained_acceleration(coast(t, 100.0, 6.0))
    assert np.isnan(fallen[:30]).all()
    assert np.linalg.norm(fallen[30:], axis=1).max() < 0.02
    assert cov[30:] == pytest.approx(np.broadcast_to(np.eye(3) * 2 * 36.0 / 900.0, (20, 3, 3)))
    flown = glider(50)
    a, _ = decide.sustained_acceleration(flown)
    r = 6378137.0 + 45e3
    lift = EARTH_MU / r**2 - (5000.0 + EARTH_RATE_RAD_S * r) ** 2 / r
    # a mean over 30 s of turning: the chord of 0.025 rad is shorter by 1e-4
    assert np.linalg.norm(a[30:], axis=1) == pytest.approx(lift, rel=1e-3)


def test_sustained_acceleration_keeps_tracks_apart_and_needs_no_even_steps():
    first, second = coast(np.arange(100.0, 150.0)), glider(50, track=9)
    both = Tracks(
        *(np.concatenate([getattr(first, n), getattr(second, n)]) for n in first.__dataclass_fields__)
    )
    mixed = np.random.default_rng(0).permutation(len(both.t))
    shuffled = Tracks(*(getattr(both, n)[mixed] for n in both.__dataclass_fields__))
    a, _ = decide.sustained_acceleration(shuffled)
    alone, _ = decide.sustained_acceleration(second)
    assert a[np.argsort(mixed)][50:] == pytest.approx(alone, nan_ok=True)
    thinned = Tracks(*(getattr(second, n)[::3] for n in second.__dataclass_fields__))
    assert decide.sustained_acceleration(thinned)[0][-1] == pytest.approx(alone[48], rel=1e-2)


def test_a_glide_that_no_single_state_shows_is_found_over_half_a_minute():
    """What an infrared tracker gives: acceleration 0 +- 6 m/s2, velocities good to 25 m/s."""
    flown = glider(60)
    rng = np.random.default_rng(3)
    mean = flown.mean.copy()
    mean[:, 3:6] += rng.normal(size=(60, 3)) * 25.0
    mean[:, 6:] = rng.normal(size=(60, 3)) * 6.0
    i, j = np.triu_indices(9)
    full = np.diag([200.0**2] * 3 + [25.0**2] * 3 + [36.0] * 3)
    track = replace(flown, mean=mean, cov=np.tile(full[i, j], (60, 1)))
    kind = decide.track_kind(track.modes, track.mean, track.cov, *decide.sustained_acceleration(track))
    # lift 5.2 against a sigma of 1.2 must exceed 0.5 + 2 sigma: 2.3 sigma to spare, 0.99 each; 20 of 30 asked
    assert not np.any(kind[:30] == TrackKind.GLIDE)
    assert np.sum(kind[30:] == TrackKind.GLIDE) >= 20
    assert not np.any(kind == TrackKind.BALLISTIC)


# --- draws and factors ---------------------------------------------------------------------------------


def test_draws_are_standard_normal_pairs():
    z = decide.normal_draws(128)
    assert z[0::2] == pytest.approx(-z[1::2])
    assert z.T @ z / 128 == pytest.approx(np.eye(6), abs=1e-12)
    # chi-square with 6 degrees of freedom: median 5.348, upper decile 10.645; 64 pairs: 3.5 sd = 0.22, 0.13
    squared = np.sum(z**2, 1)
    assert np.mean(squared < 5.348) == pytest.approx(0.5, abs=0.1)
    assert np.mean(squared < 10.645) == pytest.approx(0.9, abs=0.06)


def test_cholesky_of_regular_and_of_singular_covariances():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(5, 6, 6))
    cov = a @ a.transpose(0, 2, 1)
    assert decide.cholesky(cov) == pytest.approx(np.linalg.cholesky(cov), rel=1e-9)
    flat = np.zeros((1, 6, 6))
    flat[0, :2, :2] = [[4.0, 2.0], [2.0, 1.0]]
    factor = decide.cholesky(flat)
    assert factor @ factor.transpose(0, 2, 1) == pytest.approx(flat)


# --- probabilities -------------------------------------------------------------------------------------


def threat_of(tracks: Tracks, areas: list[Area], corridor_m: float = 50e3) -> decide.Threat:
    m = rotations(tracks.t)
    found = impact.predict(tracks, m)
    spread = decide.cholesky(impact.covariances_itrs(diagonal_of(tracks), m))
    planes = [decide.plane(a) for a in areas]
    return decide.ballistic_threat(tracks.t, found, spread, planes, corridor_m, np.isfinite(found.t_impact))


def diagonal_of(tracks: Tracks) -> np.ndarray:
    return decide.unpack_covariance(tracks.cov)[:, :6, :6]


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_probability_of_falling_in_a_disc_is_that_of_the_normal_law(scale):
    """A disc about the mean against 200 000 pseudo-random draws of the linear ellipse.

    64 random draws would scatter by 0.06 (1 sigma); these, more even, are held to 0.09.
    """
    tracks = coast(np.array([100.0]), 200.0, 20.0)
    found = impact.predict(tracks, rotations(tracks.t))
    radius = scale * float(found.major_m[0])
    expected = np.random.default_rng(5).multivariate_normal([0, 0], found.cov_en_m2[0], 200_000)
    expected = np.mean(np.hypot(*expected.T) < radius)
    area = around(float(found.lat_rad[0]), float(found.lon_rad[0]), radius / 1e3)
    assert threat_of(tracks, [area]).probability[0, 0, 1] == pytest.approx(expected, abs=0.09)


def test_probability_of_passing_by_is_that_of_the_cross_track_error():
    """A small disc abeam of the path, at the corridor's width from it: half of the draws come nearer."""
    lat, lon = path_point(500.0)
    ahead = path_point(510.0)
    _, azimuth = geodesic(lat, lon, *ahead)
    tracks = coast(np.array([100.0]), 100.0, 20.0)
    for offset_km, low, high in ((60.0, 0.45, 0.55), (40.0, 0.85, 1.0), (80.0, 0.0, 0.15)):
        area = around(*destination(lat, lon, azimuth + np.pi / 2, offset_km * 1e3), 10.0)
        p = threat_of(tracks, [area]).probability[0, 0, 0]
        assert low <= p <= high


def test_times_of_passing_bound_the_stay_in_the_corridor():
    """With a sure track: first and last time of the oracle's sub-point within 50 + 10 km of the centre."""
    lat, lon = path_point(500.0)
    found = threat_of(coast(np.array([100.0]), 1.0, 0.001), [around(lat, lon, 10.0)])
    seconds = np.arange(440.0, 560.0, 1.0)
    near = [t for t in seconds if geodesic(lat, lon, *path_point(t))[0] <= 60e3]
    assert found.t_earliest[0, 0, 0] == pytest.approx(near[0], abs=1.5)
    assert found.t_latest[0, 0, 0] == pytest.approx(near[-1], abs=1.5)
    assert found.mean[0, 0].tolist() == [True, False]


def test_times_of_impact_are_those_of_the_normal_law():
    tracks = coast(np.array([100.0]), 200.0, 10.0)
    sigma = float(impact.predict(tracks, rotations(tracks.t)).sigma_t_s[0])
    found = threat_of(tracks, [around(END_LAT, END_LON, 400.0)])
    assert found.t_earliest[0, 0, 1] == pytest.approx(END - 1.645 * sigma, abs=0.3 * sigma)
    assert found.t_latest[0, 0, 1] == pytest.approx(END + 1.645 * sigma, abs=0.3 * sigma)


def test_an_area_behind_is_not_threatened():
    lat, lon = path_point(20.0)
    assert threat_of(coast(np.array([300.0])), [around(lat, lon, 50.0)]).probability.max() == 0.0


# --- notices -------------------------------------------------------------------------------------------


def test_issued_at_the_third_update_with_the_public_delay():
    found = warn(coast(np.arange(100.0, 106.0)), [IMPACT])
    assert found.notice.tolist() == [Notice.ISSUED] * 2
    assert found.impact.tolist() == [False, True]  # it passes within the corridor, and falls there
    assert found.t == pytest.approx([102.7, 102.7])
    assert found.t_public == pytest.approx([162.7, 162.7])
    assert found.supersedes.tolist() == [-1, -1]
    assert geodesic(END_LAT, END_LON, found.lat_rad[1], found.lon_rad[1])[0] < 1.0
    assert found.t_earliest[1] < END < found.t_latest[1]
    assert np.all(found.probability >= 0.9)
    assert 0 < found.minor_m[1] < found.major_m[1] < 10e3


def test_the_number_of_updates_is_the_rule():
    one = warn(coast(np.arange(100.0, 106.0)), [IMPACT], RULE._replace(updates=1))
    six = warn(coast(np.arange(100.0, 106.0)), [IMPACT], RULE._replace(updates=7))
    assert one.t[0] == pytest.approx(100.7)
    assert len(six.t) == 0


def test_rows_without_a_detection_are_no_updates():
    tracks = coast(np.arange(100.0, 106.0))
    tracks = replace(tracks, hits=np.array([1, 0, 1, 0, 1, 1]))
    assert warn(tracks, [IMPACT]).t[0] == pytest.approx(104.7)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: dict(status=np.where(np.arange(6) == 2, Status.TENTATIVE, Status.CONFIRMED)),
        lambda: dict(acceleration=np.where(np.arange(6) == 2, 20.0, 0.0)[:, None] * AHEAD),
    ],
)
def test_a_row_that_fails_restarts_the_count(spoil):
    found = warn(coast(np.arange(100.0, 106.0), **spoil()), [IMPACT])
    assert found.t[0] == pytest.approx(105.7)


def test_thrust_that_cannot_be_ruled_out_prevents_a_warning():
    assert len(warn(coast(np.arange(100.0, 106.0), acceleration_sigma=10.0), [IMPACT]).t) == 0


def test_a_wide_ellipse_prevents_a_warning_however_large_the_area():
    """sigma_v 80 m/s: major axis 112 km (V-803 scaled), and the area holds all of it."""
    area = around(END_LAT, END_LON, 500.0)
    tracks = coast(np.arange(0.0, 6.0), 200.0, 80.0)
    assert threat_of(tracks, [area]).probability[0, 0, 1] > 0.99
    assert len(warn(tracks, [area]).t) == 0
    assert len(warn(tracks, [area], RULE._replace(major_axis_max_m=130e3)).t) == 2


def test_areas_off_the_path_are_spared():
    lat, lon = destination(END_LAT, END_LON, 0.3, 300e3)
    assert len(warn(coast(np.arange(100.0, 106.0)), [around(lat, lon, 50.0)]).t) == 0


def test_passing_over_is_not_impact():
    found = warn(coast(np.arange(100.0, 106.0)), [around(*path_point(500.0), 20.0)])
    assert found.impact.tolist() == [False]


def jump(t: np.ndarray, at: float, change: np.ndarray) -> Tracks:
    """A coasting track whose estimate changes by a velocity at one time (a better look, say)."""
    tracks = coast(t)
    mean = tracks.mean.copy()
    mean[t >= at, 3:6] += change
    return replace(tracks, mean=mean)


def test_a_moved_impact_is_revised_once_and_not_within_ten_seconds():
    """30 m/s along the velocity: some 40 km (V-802: 1.39 km per m/s at burn-out), still inside the area."""
    along = 30.0 * AHEAD
    area = around(END_LAT, END_LON, 150.0)
    late = warn(jump(np.arange(100.0, 140.0), 120.0, along), [area])
    rows = late.impact
    assert late.notice[rows].tolist() == [Notice.ISSUED, Notice.REVISED]
    assert late.t[rows] == pytest.approx([102.7, 120.7])
    assert late.revision[rows].tolist() == [0, 1]
    assert late.supersedes[rows][1] == np.flatnonzero(rows)[0]
    moved = geodesic(
        *late.lat_rad[rows][[0]], *late.lon_rad[rows][[0]], *late.lat_rad[rows][[1]], *late.lon_rad[rows][[1]]
    )
    assert moved[0] > 25e3
    soon = warn(jump(np.arange(100.0, 140.0), 105.0, along), [area])
    assert soon.t[soon.impact] == pytest.approx([102.7, 112.7])


def test_an_estimate_that_leaves_the_area_is_withdrawn_and_may_come_back():
    """100 m/s for ten rows: 130 km off a disc of 60 km; withdrawn at the third, issued again."""
    tracks = jump(np.arange(100.0, 140.0), 120.0, 100.0 * AHEAD)
    back = coast(np.arange(100.0, 140.0))
    tracks = replace(tracks, mean=np.where((tracks.t >= 130.0)[:, None], back.mean, tracks.mean))
    found = warn(tracks, [IMPACT])
    rows = found.impact
    assert found.notice[rows].tolist() == [Notice.ISSUED, Notice.WITHDRAWN, Notice.ISSUED]
    assert found.t[rows] == pytest.approx([102.7, 122.7, 132.7])
    assert found.revision[rows].tolist() == [0, 1, 2]
    index = np.flatnonzero(rows)
    assert found.supersedes[rows].tolist() == [-1, index[0], index[1]]
    assert found.probability[rows][1] < 0.5


def test_a_track_deleted_before_the_time_is_withdrawn_and_after_it_is_not():
    status = np.full(20, Status.CONFIRMED)
    status[-1] = Status.DELETED
    early = warn(coast(np.arange(100.0, 120.0), status=status), [IMPACT])
    assert early.notice[early.impact].tolist() == [Notice.ISSUED, Notice.WITHDRAWN]
    over = around(*path_point(110.0), 10.0)
    late = warn(coast(np.arange(95.0, 115.0), status=status), [over])
    assert late.notice.tolist() == [Notice.ISSUED]


def test_a_warning_stands_once_the_target_has_passed():
    """The path ahead no longer meets the area, and that is no reason to withdraw."""
    found = warn(coast(np.arange(60.0, 200.0)), [around(*path_point(110.0), 10.0)])
    assert found.notice.tolist() == [Notice.ISSUED]


def test_reentry_drag_does_not_replace_an_impact_by_a_glide():
    """The manoeuvring model takes over at 30 m/s2 of drag: the warning stands, with no glide notice."""
    t = np.arange(880.0, 935.0)
    tracks = coast(t)
    drag = -30.0 * tracks.mean[:, 3:6] / np.linalg.norm(tracks.mean[:, 3:6], axis=1)[:, None]
    low = t > 915.0
    mean = tracks.mean.copy()
    mean[low, 6:] = drag[low] + np.array([1.0, 1.0, 1.0])
    modes = np.where(low[:, None], [0.0, 0.1, 0.9], [0.0, 1.0, 0.0])
    found = warn(replace(tracks, mean=mean, modes=modes), [IMPACT])
    assert Notice.WITHDRAWN not in found.notice
    assert np.isfinite(found.lat_rad).all()


def test_nodes_and_tracks_are_apart_and_notices_in_order_of_time():
    a = coast(np.arange(100.0, 106.0), node=0, track=7)
    b = coast(np.arange(98.0, 104.0), node=1, track=7)
    both = Tracks(*(np.concatenate([getattr(a, n), getattr(b, n)]) for n in a.__dataclass_fields__))
    found = warn(both, [IMPACT])
    assert found.node.tolist() == [1, 1, 0, 0]
    assert np.all(np.diff(found.t) >= 0)


def test_nodes_with_equal_tracks_decide_alike_and_as_if_alone():
    """Equal rows are judged once; one node has the same states with another past, tentative at first."""
    t = np.arange(100.0, 110.0)
    late = np.where(np.arange(10) < 4, Status.TENTATIVE, Status.CONFIRMED)
    parts = [coast(t, node=0, status=late), coast(t, node=1), coast(t, node=2)]
    both = Tracks(*(np.concatenate([getattr(p, n) for p in parts]) for n in parts[0].__dataclass_fields__))
    found = warn(both, [IMPACT])
    for node, part in enumerate(parts):
        alone, mine = warn(part, [IMPACT]), found.node == node
        assert found.t[mine] == pytest.approx(alone.t)
        assert found.probability[mine].tolist() == alone.probability.tolist()
        assert found.t_earliest[mine].tolist() == alone.t_earliest.tolist()
    assert found.t[found.node == 0][0] == pytest.approx(106.7)


def test_no_tracks_and_no_areas():
    empty = make_tracks(np.empty(0), np.empty((0, 6)), np.empty((0, 6, 6)))
    assert len(warn(empty, [IMPACT]).t) == 0
    assert len(warn(coast(np.arange(100.0, 106.0)), []).t) == 0


# --- gliders -------------------------------------------------------------------------------------------


def glider(rows: int, azimuth_deg: float = 90.0, **changes) -> Tracks:
    """Level flight along the equator at 5 km/s over ground, 45 km up, lift and drag of L/D 2.6."""
    t = np.arange(0.0, rows)
    r = 6378137.0 + 45e3
    angle = 5000.0 / r * t + EARTH_RATE_RAD_S * t  # inertial longitude
    speed = 5000.0 + EARTH_RATE_RAD_S * r
    up = np.stack([np.cos(angle), np.sin(angle), 0 * t], 1)
    ahead = np.stack([-np.sin(angle), np.cos(angle), 0 * t], 1)
    lift = EARTH_MU / r**2 - speed**2 / r
    return make_tracks(
        t, np.concatenate([r * up, speed * ahead], 1), diagonal(200.0, 10.0, rows), acceleration=lift * up -
        lift / 2.6 * ahead, acceleration_sigma=1.0, modes=(0.0, 0.05, 0.95), **changes,
    )  # fmt: skip


def test_a_glider_warns_what_it_can_reach_and_has_no_impact_point():
    ahead = around(*destination(0.0, 0.0, np.radians(90.0), 3000e3), 100.0)
    behind = around(*destination(0.0, 0.0, np.radians(270.0), 1000e3), 100.0)
    found = warn(glider(20), [ahead, behind])
    assert found.area.tolist() == [0]
    assert found.impact.tolist() == [True]
    # a glider after 10 s of gliding, then three updates
    assert found.t == pytest.approx([12.7])
    assert np.isnan(found.lat_rad).all()
    assert np.isnan(found.major_m).all()
    # 2900 km at 5 km/s and slowing: no sooner than 580 s, no later than twice that
    assert 580.0 < found.t_earliest[0] < found.t_latest[0] < 1200.0


def test_a_glide_shorter_than_ten_seconds_says_nothing():
    ahead = around(*destination(0.0, 0.0, np.radians(90.0), 3000e3), 100.0)
    assert len(warn(glider(9), [ahead]).t) == 0


# --- the property --------------------------------------------------------------------------------------


def first_issue(found: Warnings) -> dict[tuple[int, int, bool], float]:
    out: dict[tuple[int, int, bool], float] = {}
    for k in np.flatnonzero(found.notice == Notice.ISSUED):
        out.setdefault((int(found.node[k]), int(found.area[k]), bool(found.impact[k])), float(found.t[k]))
    return out


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_hundredfold_covariance_never_makes_a_warning_earlier(seed):
    """Random tracks: wandering means, shrinking full covariances, areas on and off the path, both kinds."""
    rng = np.random.default_rng(seed)
    t = np.arange(60.0, 72.0)
    if rng.random() < 0.3:
        tracks = glider(16)
        areas = [
            around(
                *destination(0.0, 0.0, rng.uniform(0.5, 2.6), rng.uniform(500e3, 5000e3)),
                rng.uniform(20, 300),
            )
            for _ in range(3)
        ]
    else:
        tracks = coast(t)
        base = path_point(float(rng.choice([120.0, 400.0, 700.0])))
        areas = [
            around(END_LAT, END_LON, rng.uniform(10, 300)),
            around(*destination(*base, rng.uniform(0, 6.3), rng.uniform(0, 150e3)), rng.uniform(5, 100)),
            Area("box", base[0] + np.array([-1, -1, 1, 1]) * rng.uniform(0.002, 0.03),
                 base[1] + np.array([-1, 1, 1, -1]) * rng.uniform(0.002, 0.03), 0.0),
        ]  # fmt: skip
    rows = len(tracks.t)
    a = rng.normal(size=(6, 6)) * np.array([300.0] * 3 + [10.0] * 3)[:, None] * 10 ** rng.uniform(-1.5, 1)
    cov = np.einsum("n,ij->nij", np.geomspace(1.0, rng.uniform(0.05, 1.0), rows), a @ a.T)
    full = np.zeros((rows, 9, 9))
    full[:, :6, :6] = cov
    full[:, 6:, 6:] = np.eye(3) * rng.uniform(0.01, 2.0) ** 2
    i, j = np.triu_indices(9)
    mean = tracks.mean.copy()
    mean[:, :6] += np.einsum("ij,nj->ni", a, rng.normal(size=(rows, 6))) * rng.uniform(0, 1)
    tracks = replace(tracks, mean=mean, cov=full[:, i, j])
    sharp = first_issue(warn(tracks, areas))
    blunt = first_issue(warn(replace(tracks, cov=100.0 * tracks.cov), areas))
    for key, when in blunt.items():
        assert key in sharp
        assert sharp[key] <= when


def test_the_property_is_not_empty():
    """Among such tracks some do warn with either covariance, or the property would hold of nothing."""
    sharp = first_issue(warn(coast(np.arange(100.0, 106.0)), [around(END_LAT, END_LON, 300.0)]))
    blunt = first_issue(warn(coast(np.arange(100.0, 106.0), 1000.0, 50.0), [around(END_LAT, END_LON, 300.0)]))
    assert sharp == blunt
    assert len(blunt) == 2


def test_positions_of_areas_are_on_the_ellipsoid():
    """The helper above gives sub-points: height 0 by construction (guards the other tests' geometry)."""
    lat, lon = path_point(500.0)
    r = itrs_from_geodetic(np.float64(lat), np.float64(lon), np.float64(0.0))
    assert 6.356e6 < np.linalg.norm(r) < 6.379e6

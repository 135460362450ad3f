"""Access windows against closed forms of circular orbits and brute-force scans of directly propagated positions."""

from typing import NamedTuple

import numpy as np
import pytest

import noroshi._jax  # noqa: F401
from noroshi import frames
from noroshi.constants import EARTH_MU, EARTH_RADIUS_M
from noroshi.coverage import access
from noroshi.coverage.layout import itrs as place_itrs
from noroshi.coverage.margins import Scene, elevation, pick, visible
from noroshi.coverage.models import SPHERE, WGS84, Behind, Limits, Points, Quality
from noroshi.errors import ScenarioError
from noroshi.orbits.elements import Elements
from noroshi.orbits.ephemeris import Mean, Sites, ephemeris
from noroshi.orbits.kepler import propagate_mean
from noroshi.sky import sky
from noroshi.time import epoch_from_utc, load_earth_orientation

DEG = np.pi / 180.0
A = EARTH_RADIUS_M + 1000e3
RATE = np.sqrt(EARTH_MU / A**3)
EPOCH = epoch_from_utc("2026-06-01T12:00:00Z")
EOP = load_earth_orientation()


def limits_of(count: int = 1, **stated) -> Limits:
    """Limits that are all off but those stated."""
    off = {
        "ground": False,
        "grazing_m": 0.0,
        "range_max_m": np.inf,
        "elevation_target_rad": -np.pi / 2,
        "cone_min_rad": 0.0,
        "cone_max_rad": np.pi,
        "behind": int(Behind.ANYTHING),
        "sun_rad": 0.0,
        "moon_rad": 0.0,
        "elevation_min_rad": -np.pi / 2,
        "elevation_max_rad": np.pi / 2,
        "facing_rad": 0.0,
        "azimuth_rad": np.pi,
    }
    return Limits(**{name: np.full(count, stated.get(name, value)) for name, value in off.items()})


def points_at(lat_deg, lon_deg, height_m, t=None) -> Points:
    lat, lon, height = np.broadcast_arrays(
        *(np.atleast_1d(np.float64(x)) for x in (lat_deg, lon_deg, height_m))
    )
    return Points("test", lat * DEG, lon * DEG, height.copy(), np.full(len(lat), 1.0 / len(lat)), (), t)


def circle(t: np.ndarray, phase: float = 0.0) -> np.ndarray:
    """A satellite over the equator of a world that does not turn, at longitude 0 when t = phase / RATE."""
    u = RATE * t - phase
    return A * np.stack([np.cos(u), np.sin(u), 0.0 * u], axis=-1)[:, None]


def pass_half_arc(height_m: float, elevation_rad: float | None = None) -> float:
    """Central angle at which a satellite of radius A comes to the horizon, or to an elevation, of a place."""
    b = EARTH_RADIUS_M + height_m
    if elevation_rad is None:
        return np.arccos(EARTH_RADIUS_M / A) + np.arccos(EARTH_RADIUS_M / b)
    return np.arccos(b * np.cos(elevation_rad) / A) - elevation_rad


@pytest.mark.parametrize("height_m", [0.0, 40e3])
@pytest.mark.parametrize("elevation_deg", [None, 10.0])
def test_overhead_pass_on_a_sphere(height_m, elevation_deg):
    # duration 2 arc / n, highest at 90 deg right overhead, least range a - b. 3 us: two edges bisected to 1 us each
    # and the rounding of a target on the ground (1e-8 rad at 1e-3 rad/s is 10 us)
    e = None if elevation_deg is None else elevation_deg * DEG
    arc = pass_half_arc(height_m, e)
    limits = limits_of(elevation_target_rad=-np.pi / 2 if e is None else e)
    t = access.node_times(0.0, 6000.0)
    track = access.Track(t, circle(t, phase=RATE * 2000.0))
    found = access.windows(limits, track, points_at(0, 0, height_m), [[0, 0]], 0.0, 6000.0, body=SPHERE)
    tolerance = 3e-5 if height_m == 0.0 and e is None else 3e-6
    assert len(found.t_start) == 1
    assert found.t_start[0] == pytest.approx(2000.0 - arc / RATE, abs=tolerance)
    assert found.t_end[0] == pytest.approx(2000.0 + arc / RATE, abs=tolerance)
    assert found.duration_s[0] == pytest.approx(2.0 * arc / RATE, abs=tolerance)
    cause = "occlusion" if e is None else "elevation_target"
    assert (found.opened_by[0], found.closed_by[0]) == (cause, cause)
    assert not found.start_truncated[0]
    assert not found.end_truncated[0]
    # straight overhead the elevation has a corner, found to the bracket of 1 us: 8e-6 rad at 7 km/s and 1,000 km
    assert found.t_highest[0] == pytest.approx(2000.0, abs=2e-6)
    assert found.elevation_highest_rad[0] == pytest.approx(np.pi / 2, abs=2e-8)
    assert found.range_least_m[0] == pytest.approx(1000e3 - height_m, abs=1e-3)


@pytest.mark.parametrize("duration_s", [0.005, 0.05, 1.0, 4.0, 9.0, 30.0])
@pytest.mark.parametrize("middle_s", [1000.0, 1003.3, 1007.5])
def test_grazing_passes(duration_s, middle_s):
    # a place so far off the track that the pass lasts just so long: cos(offset) cos(n T / 2) = cos(arc); samples are
    # 10 s apart. Positions off by 1e-7 m and cosines rounded to 1e-16 move the highest margin, some n^2 T^2 / 8, by
    # 2e-14, and T by half of that share: 20 us for 5 ms, less for more; 2 us of bisection besides
    height_m = 40e3
    arc = pass_half_arc(height_m)
    offset = np.arccos(np.cos(arc) / np.cos(0.5 * RATE * duration_s))
    t = access.node_times(0.0, 3000.0)
    track = access.Track(t, circle(t, phase=RATE * middle_s))
    points = points_at([offset / DEG, arc / DEG * (1.0 + 1e-12)], [0, 0], height_m)
    found = access.windows(limits_of(), track, points, [[0, 0], [0, 1]], 0.0, 3000.0, body=SPHERE)
    assert found.point.tolist() == [0]  # the other stays below the horizon by 6 um
    assert found.duration_s[0] == pytest.approx(duration_s, abs=3e-6 + 1e-7 / duration_s)
    assert 0.5 * (found.t_start[0] + found.t_end[0]) == pytest.approx(middle_s, abs=1e-4)


@pytest.mark.parametrize("gap_s", [0.02, 2.0, 7.0])
def test_short_gaps(gap_s):
    # the cone that must not be looked into, wider than the pass's least angle off nadir: a gap in the middle. Half of
    # it spans n T / 2 of arc: the nadir angle to the place there follows from the sides of the triangle
    offset, height_m = 5 * DEG, 0.0
    b = EARTH_RADIUS_M + height_m
    central = np.arccos(np.cos(offset) * np.cos(0.5 * RATE * gap_s))
    nadir = np.arctan2(b * np.sin(central), A - b * np.cos(central))
    t = access.node_times(0.0, 3000.0)
    track = access.Track(t, circle(t, phase=RATE * 1204.0))
    points = points_at(5.0, 0.0, height_m)
    found = access.windows(limits_of(cone_min_rad=nadir), track, points, [[0, 0]], 0.0, 3000.0, body=SPHERE)
    assert found.closed_by.tolist() == ["cone_min", "occlusion"]
    assert found.opened_by.tolist() == ["occlusion", "cone_min"]
    # 1e-16 of cosine over the gap's own n^2 T^2 / 8, some 1e-10 for 20 ms: 1e-6 of it; two edges of 1 us
    assert found.t_start[1] - found.t_end[0] == pytest.approx(gap_s, abs=3e-6 + 1e-7 / gap_s)


@pytest.mark.parametrize("overlap_s", [0.002, 0.1])
def test_two_constraints_that_overlap_for_a_moment(overlap_s):
    # a site that may not look higher than 20 deg nor further than a little beyond that place of the orbit: two slivers
    # between two constraints, neither of which turns there; no sample falls into them
    arc = pass_half_arc(0.0, 20 * DEG)
    late = arc + RATE * overlap_s
    reach = np.sqrt(A**2 + EARTH_RADIUS_M**2 - 2 * A * EARTH_RADIUS_M * np.cos(late))
    limits = limits_of(ground=True, elevation_max_rad=20 * DEG, range_max_m=reach)
    t = access.node_times(0.0, 3000.0)
    # the site is the sensor, the satellite the moving target, given as rows 1 s apart
    site = np.broadcast_to([EARTH_RADIUS_M, 0.0, 0.0], (len(t), 1, 3))
    rows = np.arange(0.0, 3001.0)
    lon = RATE * rows - RATE * 1504.0
    points = points_at(0.0, np.mod(lon + np.pi, 2 * np.pi) / DEG - 180.0, 1000e3, t=rows)
    found = access.windows(limits, access.Track(t, site), points, [[0, 0]], 0.0, 3000.0, body=SPHERE)
    assert found.opened_by.tolist() == ["range", "elevation_max"]
    assert found.closed_by.tolist() == ["elevation_max", "range"]
    np.testing.assert_allclose(found.duration_s, overlap_s, rtol=0, atol=4e-6)
    np.testing.assert_allclose(found.t_start, 1504.0 + np.array([-late, arc]) / RATE, rtol=0, atol=3e-6)


def test_edges_on_the_ends_of_the_span():
    # the span starts at the very edge of a pass, ends inside the next, and starts inside one
    arc = pass_half_arc(40e3)
    t = access.node_times(-1000.0, 9000.0)
    track = access.Track(t, circle(t, phase=RATE * 500.0))
    edge, period = 500.0 - arc / RATE, 2 * np.pi / RATE
    points = points_at(0, 0, 40e3)

    def between(start, end):
        return access.windows(limits_of(), track, points, [[0, 0]], start, end, body=SPHERE)

    first = between(edge, 500.0 + period)
    assert len(first.t_start) == 2
    assert first.t_start[0] == pytest.approx(edge, abs=1e-5)
    assert first.end_truncated.tolist() == [False, True]
    assert first.closed_by.tolist() == ["occlusion", "end"]
    inside = between(500.0, 501.0)
    assert inside.start_truncated.tolist() == inside.end_truncated.tolist() == [True]
    assert (inside.t_start[0], inside.t_end[0]) == (500.0, 501.0)
    assert inside.opened_by[0] == "start"
    assert inside.t_highest[0] == pytest.approx(500.0, abs=2e-6)
    after = 500.0 + arc / RATE
    assert len(between(after + 1e-3, after + 1000.0).t_start) == 0
    just = between(after - 5e-3, after + 1000.0)
    assert just.duration_s[0] == pytest.approx(5e-3, abs=3e-6)
    assert len(between(500.0, 500.0).t_start) == 0


def test_all_day_and_never():
    # a geostationary satellite over 0 E sees 10 E all day and 170 E never
    t = access.node_times(0.0, 86400.0, 300.0)
    r = np.broadcast_to([42164e3, 0.0, 0.0], (len(t), 1, 3))
    points = points_at([0.0, 0.0], [10.0, 170.0], 0.0)
    found = access.windows(limits_of(), access.Track(t, r), points, [[0, 0], [0, 1]], 0.0, 86400.0)
    assert found.point.tolist() == [0]
    assert (found.t_start[0], found.t_end[0]) == (0.0, 86400.0)
    assert found.start_truncated[0]
    assert found.end_truncated[0]


LAYER = Elements(
    np.array([A, EARTH_RADIUS_M + 550e3, 26_560e3, 7.0e6, 26_600e3]),
    np.array([0.0, 0.0, 0.0, 0.01, 0.70]),
    np.array([60.0, 97.6, 55.0, 45.0, 63.4]) * DEG,
    np.array([10.0, 80.0, 200.0, 300.0, 150.0]) * DEG,
    np.array([0.0, 0.0, 0.0, 40.0, 270.0]) * DEG,
    np.array([0.0, 100.0, 200.0, 300.0, 20.0]) * DEG,
)
SITES = Sites(
    ("a", "b"), np.array([36.0, 69.0]) * DEG, np.array([140.0, 20.0]) * DEG, np.array([20.0, 500.0])
)
NAMES = tuple("vwxyz")
# every constraint, each on some sensor; the last two are ground sites
EVERY = limits_of(7)._replace(
    ground=np.array([False] * 5 + [True] * 2),
    grazing_m=np.array([60e3, 0, 100e3, 0, 0, 0, 0.0]),
    range_max_m=np.array([np.inf, 2500e3, np.inf, 4000e3, 36_000e3, 900e3, 3000e3]),
    elevation_target_rad=np.array([-90, 5, -90, -90, 20, -90, -90]) * DEG,
    cone_min_rad=np.array([0, 10, 0, 30, 0, 0, 0]) * DEG,
    cone_max_rad=np.array([180, 60, 14, 180, 180, 180, 180]) * DEG,
    behind=np.array([Behind.SPACE, Behind.EARTH, 0, 0, 0, 0, 0], np.int64),
    sun_rad=np.array([30, 0, 0, 25, 0, 0, 0]) * DEG,
    moon_rad=np.array([45, 0, 20, 20, 0, 0, 0]) * DEG,
    elevation_min_rad=np.array([-90] * 5 + [10, -90]) * DEG,
    elevation_max_rad=np.array([90] * 5 + [70, 90]) * DEG,
    facing_rad=np.array([0] * 5 + [0, 150]) * DEG,
    azimuth_rad=np.array([180] * 5 + [60, 130]) * DEG,
)
# satellite y sees to 3,500 km before space and to 2,000 km before the Earth; the second radar to 2,500 km
QUALITY = Quality(
    *(np.zeros(7) for _ in range(5)),
    gain_space=np.array([np.inf] * 3 + [3500e3**2, np.inf, np.inf, 2500e3**4]),
    gain_earth=np.array([np.inf] * 3 + [2000e3**2, np.inf, np.inf, 2500e3**4]),
    power=np.array([2.0] * 5 + [4.0] * 2),
    threshold=np.array([0.0] * 3 + [1.0, 0.0, 0.0, 1.0]),
)
PLACES = points_at([10.0, -35.0, 62.0, 80.0], [30.0, 120.0, -150.0, 10.0], [300e3, 0.0, 40e3, 150e3])
FLIGHT_T = np.arange(300.0, 2101.0, 5.0)


def flight(t: np.ndarray) -> Points:
    """A target that climbs, crosses 30 deg of latitude near both sites, and comes down."""
    share = (t - 300.0) / 1800.0
    return points_at(30.0 + 42.0 * share, 138.0 - 125.0 * share**2, 50e3 + 900e3 * share * (1.0 - share), t=t)


def platforms(t):
    """All seven at times, ITRS, propagated to each of them."""
    m = frames.itrs_from_gcrs(EPOCH, t, EOP)
    table = ephemeris([Mean(NAMES, LAYER), SITES], EPOCH, t, EOP)
    return access.sensor_track(table, m), access.sky_track(sky(EPOCH, t), t, m)


class Scan(NamedTuple):
    """Everything propagated to each of these times, not interpolated (but Sun and Moon, minute by minute)."""

    t: np.ndarray
    r_itrs: np.ndarray
    bodies: np.ndarray

    def seen(self, sensor: int, places: np.ndarray) -> np.ndarray:
        """All constraints compared, for places [3] or [time, 3]."""
        return np.concatenate(
            [
                visible(
                    pick(EVERY, np.array([sensor])),
                    self.r_itrs[part, [sensor]][:, None],
                    places[part, None] if places.ndim == 2 else places[None],
                    sun_itrs=self.bodies[part, 0],
                    moon_itrs=self.bodies[part, 1],
                    quality=Quality(*(column[[sensor]] for column in QUALITY)),
                )[:, 0, 0]
                for part in np.array_split(np.arange(len(self.t)), len(self.t) // 50_000 + 1)
            ]
        )


def scan(t: np.ndarray) -> Scan:
    track, bodies = platforms(t)
    return Scan(t, track.r_itrs, bodies.r_itrs)


def within(found: access.Windows, rows: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether times lie in one of these windows, and whether they are a millisecond or more from all edges."""
    start, end = found.t_start[rows], found.t_end[rows]
    inside = np.zeros(len(t), bool)
    for a, b in zip(start, end, strict=True):
        inside |= (t >= a) & (t <= b)
    clear = np.ones(len(t), bool)
    for edge in np.r_[start, end]:
        clear &= np.abs(t - edge) > 1e-3
    return inside, clear


@pytest.fixture(scope="module")
def day():
    t = access.node_times(0.0, 86400.0)
    track, bodies = platforms(t)
    pairs = np.array([(s, p) for s in range(5) for p in range(4)])
    return access.windows(EVERY, track, PLACES, pairs, 0.0, 86400.0, sky=bodies, quality=QUALITY), pairs


def test_every_constraint_opens_and_closes_some_window(day):
    found, _ = day
    assert set(found.opened_by) >= {
        "occlusion", "grazing", "range", "elevation_target", "cone_min", "cone_max", "background", "sun", "moon",
        "brightness",
    }  # fmt: skip
    assert set(found.closed_by) >= set(found.opened_by) - {"start"}


def test_edges_against_a_scan_at_a_millisecond(day):
    # some edges of every kind: 40 ms on either side scanned at 1 ms on directly propagated positions. Interpolation
    # (13 um) and the Sun and Moon held on nodes a minute apart (1.2 m in 4e8 m) leave the scan's own step of 1 ms
    found, _ = day
    rng = np.random.default_rng(7)
    edges = [(found.opened_by, found.t_start, True), (found.closed_by, found.t_end, False)]
    for cause, at, opens in edges:
        for label in set(cause) - {"start", "end"}:
            rows = np.flatnonzero((cause == label) & (found.duration_s > 0.05))
            for k in rng.choice(rows, min(3, len(rows)), replace=False):
                t = at[k] + 1e-3 * (np.arange(-40, 40) + 0.5)
                seen = scan(t).seen(found.sensor[k], place_itrs(PLACES, WGS84)[found.point[k]])
                assert seen[:40].all() == (not opens), (label, k)
                assert seen[40:].all() == opens, (label, k)
                assert seen.sum() == 40, (label, k)


def test_count_against_a_scan(day):
    # a quarter of a second over the day on directly propagated positions, for the pair of every satellite with most
    # windows: the same answer at all 1.7 million samples a millisecond or more from an edge, and the same count
    found, _ = day
    at = scan(np.arange(0.0, 86400.0, 0.25))
    for sensor in range(5):
        point = np.bincount(found.point[found.sensor == sensor]).argmax()
        mine = np.flatnonzero((found.sensor == sensor) & (found.point == point))
        seen = at.seen(sensor, place_itrs(PLACES, WGS84)[point])
        inside, clear = within(found, mine, at.t)
        assert seen.any()
        np.testing.assert_array_equal(inside[clear], seen[clear])
        assert np.count_nonzero(np.diff(np.r_[0, seen.astype(np.int8)]) == 1) == len(mine)


def test_moving_target_and_ground_sites():
    # rows 5 s apart through a cubic spline, against the flight's own formula: the spline is off by under 10 mm (5 s,
    # fourth derivative of the path), 2 us at the speeds here; so all samples a millisecond off the edges agree
    track, bodies = platforms(access.node_times(0.0, 3600.0))
    points = flight(FLIGHT_T)
    pairs = np.array([(s, 0) for s in range(7)])
    found = access.windows(EVERY, track, points, pairs, 0.0, 3600.0, sky=bodies, quality=QUALITY)
    assert {"azimuth", "elevation_min"} <= set(found.opened_by) | set(found.closed_by)
    assert {5, 6} <= set(found.sensor)
    assert found.t_start.min() >= 300.0
    assert found.t_end.max() <= 2100.0
    at = scan(np.arange(300.0, 2100.0, 0.05))
    for sensor in range(7):
        inside, clear = within(found, np.flatnonzero(found.sensor == sensor), at.t)
        seen = at.seen(sensor, place_itrs(flight(at.t), WGS84))
        np.testing.assert_array_equal(inside[clear], seen[clear])


def test_highest_and_nearest(day):
    # sampled at 1 s on directly propagated positions: nothing higher or nearer, and the figure is met at its time
    found, _ = day
    rng = np.random.default_rng(8)
    for k in rng.choice(len(found.t_start), 8, replace=False):
        t = np.linspace(found.t_start[k], found.t_end[k], int(found.duration_s[k]) + 3)
        t = np.r_[t, found.t_highest[k]]
        sensor = frames.rotate(
            frames.itrs_from_gcrs(EPOCH, t, EOP), ephemeris([Mean(NAMES, LAYER), SITES], EPOCH, t, EOP).r_gcrs
        )[:, found.sensor[k]]
        target = place_itrs(PLACES, WGS84)[found.point[k]]
        limits = pick(EVERY, np.full(len(t), found.sensor[k]))
        height = elevation(limits, Scene(sensor, np.broadcast_to(target, sensor.shape)))
        assert height[-1] == pytest.approx(found.elevation_highest_rad[k], abs=1e-9)
        assert height.max() <= found.elevation_highest_rad[k] + 1e-9
        ranges = np.linalg.norm(sensor - target, axis=1)
        assert ranges.min() >= found.range_least_m[k] - 1e-3
        assert ranges.min() <= found.range_least_m[k] + 30.0  # 0.5 s off at 7 km/s and 500 km and more: 12 m


def test_blocks_and_order_change_nothing(day, monkeypatch):
    found, pairs = day
    monkeypatch.setattr(access, "_SAMPLES", 30_000)
    monkeypatch.setattr(access, "_BLOCK", 1000)
    track, bodies = platforms(access.node_times(0.0, 86400.0))
    chosen = pairs[[14, 2, 6]]
    again = access.windows(EVERY, track, PLACES, chosen, 0.0, 86400.0, sky=bodies, quality=QUALITY)
    rows = np.concatenate(
        [np.flatnonzero((found.sensor == s) & (found.point == p)) for s, p in chosen.tolist()]
    )
    for name, mine, theirs in zip(found._fields, again, found, strict=True):
        np.testing.assert_array_equal(mine, theirs[rows], err_msg=name)


@pytest.mark.parametrize(("row", "bound_m"), [(0, 1e-5), (1, 1e-5), (3, 1e-5), (4, 2e-5)])
def test_interpolation(row, bound_m):
    # 30 s nodes against direct propagation. The remainder (n h)^8 / 8! of 7,000 km is 1e-8 m in low orbit; the hourly
    # nodes of precession leave corners of some um
    one = Elements(*(column[[row]] for column in LAYER))

    nodes = access.node_times(0.0, 86400.0)
    t = np.sort(np.r_[0.0, 86400.0, nodes[40], np.random.default_rng(9).uniform(0.0, 86400.0, 20_000)])
    both = np.r_[
        nodes, t
    ]  # at once: precession then has the same nodes for both, else it alone is off by 0.1 mm
    r = frames.rotate(frames.itrs_from_gcrs(EPOCH, both, EOP), np.asarray(propagate_mean(one, both)[0]))
    track = access.Track(nodes, r[: len(nodes)])
    got = access.interpolate(track, np.zeros(len(t), np.int64), t)
    assert np.linalg.norm(got - r[len(nodes) :, 0], axis=1).max() < bound_m


def test_what_tracks_must_be():
    t = access.node_times(0.0, 600.0)
    points = points_at(0, 0, 0.0)
    with pytest.raises(ScenarioError, match="reach from"):
        access.windows(limits_of(), access.Track(t, circle(t)), points, [[0, 0]], 0.0, 6000.0)
    uneven = np.r_[t[:-1], t[-1] + 1.0]
    with pytest.raises(ScenarioError, match="uneven"):
        access.windows(limits_of(), access.Track(uneven, circle(uneven)), points, [[0, 0]], 0.0, 600.0)
    with pytest.raises(ScenarioError, match="too few"):
        access.windows(limits_of(), access.Track(t[:5], circle(t[:5])), points, [[0, 0]], 0.0, 10.0)
    backwards = points_at([0.0, 1.0], 0.0, 0.0, t=np.array([10.0, 0.0]))
    with pytest.raises(ScenarioError, match="order of time"):
        access.windows(limits_of(), access.Track(t, circle(t)), backwards, [[0, 0]], 0.0, 600.0)
    with pytest.raises(ScenarioError, match="Sun"):
        access.windows(
            limits_of(sun_rad=0.1), access.Track(t, circle(t)), points, [[0, 0]], 0.0, 600.0, body=WGS84
        )
    none = access.windows(limits_of(), access.Track(t, circle(t)), points, np.empty((0, 2), int), 0.0, 600.0)
    assert all(len(column) == 0 for column in none)

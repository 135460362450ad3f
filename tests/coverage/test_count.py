"""The counting kernel against every pair put to the test in plain NumPy: equal at every point, sensor by sensor, sample
by sample. No tolerance anywhere: both compare the same quantities in float64, and no random pair comes within the few
1e-16 of rounding of an edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import DEG, EARTH_M, Case, counted, counts, folds, orbits, scattered, seen, sites

from noroshi.coverage import points as grids
from noroshi.coverage.layout import itrs
from noroshi.coverage.limits import Figures, Limit, quality, table
from noroshi.coverage.margins import Constraint, Scene, margins, pick, reach_of
from noroshi.coverage.models import SPHERE, WGS84, Behind, Body
from noroshi.sensors.triangulation import covariance, rss

T = np.arange(4) * 613.0
LEO = orbits(1000e3, 60.0, 4, 6, T)

RING = np.array([[170, 10], [-165, -5], [-150, 30], [175, 45], [170, 10]]) * DEG  # over the dateline
PLACES = {
    "fibonacci": grids.fibonacci(1500, 40e3),
    "fibonacci on the ground": grids.fibonacci(700, 0.0),
    "latlon": grids.latlon(18, 36, 40e3),
    "rows at the poles": scattered(
        np.repeat([-90.0, -60.0, 0.0, 89.999, 90.0], 12) * DEG, np.tile(np.arange(-180, 180, 30), 5) * DEG, 40e3
    ),
    "small box": grids.box(30 * DEG, 34 * DEG, 138 * DEG, 142 * DEG, 40e3, grids.Density(count=400)),
    "polygon over the dateline": grids.polygon([[RING]], 40e3, grids.Density(count=500)),
    "sites and both poles": scattered(
        np.array([90.0, -90.0, 0.0, 35.7, -33.9]) * DEG, np.array([0.0, 77.0, 180.0, 139.7, 151.2]) * DEG, 0.0
    ),
    "one point": scattered(35 * DEG, -180 * DEG, 40e3),
    "mixed heights": grids.fibonacci(900, 0.0)._replace(height_m=np.random.default_rng(1).uniform(0.0, 1500e3, 900)),
    "below the surface": grids.fibonacci(900, -100.0),
    "far below the surface": grids.fibonacci(900, -3000.0),
}  # fmt: skip
OVER_POLES = np.array(
    [[[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]] * len(T)
) * (EARTH_M + 800e3)  # fmt: skip
NETWORKS = {
    "leo": LEO,
    "polar": np.concatenate([orbits(700e3, 90.0, 3, 7, T), OVER_POLES], axis=1),
    "mixed": np.concatenate(
        [LEO, orbits(20_200e3, 55.0, 3, 3, T), orbits(35_786e3, 0.0, 1, 4, T), orbits(200e3, 97.0, 2, 9, T)],
        axis=1,
    ),
}


@pytest.mark.parametrize("body", [WGS84, SPHERE], ids=lambda b: b.name)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("places", PLACES)
def test_every_count_of_a_plain_view(places: str, network: str, body: Body):
    case = Case(NETWORKS[network], PLACES[places], body)
    np.testing.assert_array_equal(counts(case), folds(case))


def _angle(low: float, high: float):
    return st.floats(low, high, allow_nan=False).map(lambda deg: deg * DEG)


LATITUDE = st.one_of(_angle(-90, 90), st.sampled_from([-0.5 * np.pi, 0.0, 0.5 * np.pi, 0.3]))
LONGITUDE = st.one_of(_angle(-180, 180), st.sampled_from([-np.pi, np.pi, 0.0, 0.5 * np.pi]))


@st.composite
def plain_views(draw: st.DrawFn) -> Case:
    """A few sensors anywhere over a cloud of points of any size and place, bunched over poles and dateline too."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    number = draw(st.integers(1, 300))
    lat0, lon0, spread = draw(LATITUDE), draw(LONGITUDE), draw(st.sampled_from([1e-4, 0.05, 0.5, 4.0]))
    lat = np.clip(lat0 + spread * rng.uniform(-1, 1, number), -0.5 * np.pi, 0.5 * np.pi)
    if draw(st.booleans()):
        lat = np.round(lat, draw(st.integers(1, 2)))  # rows of equal latitude
    lon = (lon0 + spread * rng.uniform(-1, 1, number) + np.pi) % (2 * np.pi) - np.pi
    height = draw(st.sampled_from([-3000.0, 0.0, 40e3])) + rng.uniform(
        0, draw(st.sampled_from([0.0, 2e6])), number
    )
    body = draw(st.sampled_from([WGS84, SPHERE]))
    places = st.tuples(LATITUDE, LONGITUDE, st.sampled_from([5e3, 150e3, 1000e3, 36_000e3]))
    sensors = np.array(draw(st.lists(places, min_size=1, max_size=5)))
    r = itrs(scattered(*sensors.T), body)
    return Case(r[None], scattered(lat, lon, height), body)


@given(plain_views())
def test_every_count_of_any_plain_view(case: Case):
    np.testing.assert_array_equal(counts(case), folds(case))


RADARS = sites(T, (90.0, 0.0), (35.0, 139.0), (-54.0, -70.0), (12.0, 179.9))
SUN = np.array([[1.2e11, 0.8e11, 0.3e11]] * len(T))
MOON = np.array([[-2.5e8, 2.0e8, -1.0e8]] * len(T))
ALL = {
    "grazing_m": 60e3,
    "range_max_m": 4200e3,
    "elevation_target_rad": 3 * DEG,
    "cone_min_rad": 15 * DEG,
    "cone_max_rad": 62 * DEG,
    "behind": int(Behind.EARTH),
    "sun_rad": 40 * DEG,
    "moon_rad": 25 * DEG,
}
LIMITS = {name: {name: value} for name, value in ALL.items()} | {
    "all": ALL,
    "before space": {"behind": int(Behind.SPACE), "grazing_m": 80e3},
    "wide cone": {"cone_max_rad": 100 * DEG},
    "high cone": {"cone_min_rad": 40 * DEG},
    "steep": {"elevation_target_rad": 60 * DEG},
    "below the horizon": {"elevation_target_rad": -5 * DEG},
    "elevation, range and cone": {"elevation_target_rad": 10 * DEG, "range_max_m": 3000e3, "cone_max_rad": 50 * DEG},
    "range of nothing": {"range_max_m": 0.0},
    "range that just reaches the ground": {"range_max_m": 1010e3},
}  # fmt: skip


@pytest.mark.parametrize("body", [WGS84, SPHERE], ids=lambda b: b.name)
@pytest.mark.parametrize(
    "places", ["fibonacci", "latlon", "mixed heights", "polygon over the dateline", "far below the surface"]
)
@pytest.mark.parametrize("limit", LIMITS)
def test_every_count_under_limits(limit: str, places: str, body: Body):
    r = np.concatenate([LEO, NETWORKS["mixed"][:, -14:], OVER_POLES], axis=1)
    case = Case(r, PLACES[places], body, table([Limit(**LIMITS[limit])] * r.shape[1]), None, SUN, MOON)
    expected = folds(case)
    np.testing.assert_array_equal(counts(case), expected)
    if limit != "range of nothing" and places == "mixed heights":
        # the limit takes something away, and not everything
        assert 0 < expected.sum() < folds(case._replace(limits=None)).sum()


def test_every_count_of_a_mixed_network():
    # satellites of several kinds and radars whose fields lie over north, or all round, or nowhere
    kinds = [Limit(), Limit(**ALL), Limit(range_max_m=2500e3), Limit(elevation_target_rad=12 * DEG)]
    radars = [
        Limit(ground=True, range_max_m=3000e3),
        Limit(ground=True, range_max_m=3000e3, facing_rad=5 * DEG, azimuth_rad=60 * DEG, elevation_min_rad=3 * DEG),
        Limit(ground=True, facing_rad=350 * DEG, azimuth_rad=120 * DEG, elevation_max_rad=50 * DEG),
        Limit(ground=True, range_max_m=0.0),
    ]  # fmt: skip
    r = np.concatenate([NETWORKS["mixed"], RADARS], axis=1)
    limits = table([kinds[k % len(kinds)] for k in range(r.shape[1] - len(radars))] + radars)
    for places in ("fibonacci", "mixed heights", "sites and both poles"):
        case = Case(r, PLACES[places], WGS84, limits, None, SUN, MOON)
        np.testing.assert_array_equal(counts(case), folds(case))
        by_radar = seen(case)[:, -len(radars) :].sum((0, 2))
        assert by_radar[3] == 0
        assert places == "sites and both poles" or (by_radar[:3] > 0).all()


def test_every_count_of_faint_targets():
    # brightness: seen before space to 4,000 km and before the Earth to 400 km (infrared), to 2,000 km (radar)
    n = LEO.shape[1]
    infrared = Figures(
        50e-6, pixel_rad=1e-4, gain_space=5 * 4000e3**2, gain_earth=5 * 400e3**2, threshold=5.0
    )
    radar = Figures(
        1e-3, beam_rad=0.01, gain_space=20 * 2000e3**4, gain_earth=20 * 2000e3**4, power=4.0, threshold=20.0
    )
    r = np.concatenate([LEO, RADARS[:, 1:3]], axis=1)
    limits = table([Limit()] * n + [Limit(ground=True)] * 2)
    case = Case(r, PLACES["mixed heights"], WGS84, limits, quality([infrared] * n + [radar] * 2))
    expected = folds(case)
    np.testing.assert_array_equal(counts(case), expected)
    assert 0 < expected.sum() < folds(case._replace(quality=None)).sum()


@given(plain_views(), st.data())
def test_every_count_of_any_limited_view(case: Case, data: st.DataObject):
    """Range, elevation and cone over any geometry: where the kernel decides stretches at once."""
    limit = st.tuples(
        st.one_of(st.just(np.inf), st.floats(1e5, 4e7)),
        st.one_of(st.just(-0.5 * np.pi), _angle(-10, 80)),
        st.one_of(st.just(np.pi), _angle(1, 120)),
    ).map(lambda x: Limit(range_max_m=x[0], elevation_target_rad=x[1], cone_max_rad=x[2]))
    limits = data.draw(st.lists(limit, min_size=case.r_sensor.shape[1], max_size=case.r_sensor.shape[1]))
    # one block for sensors that come nearer and go away, as on eccentric orbits
    r = np.concatenate([case.r_sensor * scale for scale in (1.0, data.draw(st.floats(0.99, 4.0)), 1.1)])
    case = case._replace(limits=table(limits), r_sensor=r)
    np.testing.assert_array_equal(counts(case), folds(case))


def stereo_by_pairs(case: Case, angle: float) -> np.ndarray:
    """Whether any two lines of sight are far enough apart [time, point], by all pairs."""
    line = itrs(case.points, case.body) - case.r_sensor[:, :, None]
    line /= np.linalg.norm(line, axis=-1, keepdims=True)
    cos = np.einsum("tapx,tbpx->tabp", line, line)
    both = (see := seen(case))[:, :, None] & see[:, None]
    return ((np.abs(cos) <= np.cos(angle)) & both).any((1, 2))


def paired(case: Case, angle: float) -> np.ndarray:
    return np.stack([counted(case, k, k + 1, stereo_rad=angle).paired for k in range(len(case.r_sensor))])


@pytest.mark.parametrize(
    "limits", [{}, {"elevation_target_rad": 10 * DEG, "range_max_m": 3500e3}], ids=["plain", "limited"]
)
@pytest.mark.parametrize("degrees", [20.0, 60.0, 85.0])
def test_stereo_is_that_of_all_pairs(degrees: float, limits: dict):
    r = orbits(1000e3, 60.0, 4, 8, T)
    case = Case(r, PLACES["mixed heights"], WGS84, table([Limit(**limits)] * r.shape[1]))
    expected = stereo_by_pairs(case, degrees * DEG)
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(paired(case, degrees * DEG), expected)
    np.testing.assert_array_equal(counts(case), folds(case))


def test_stereo_behind_many_parallel_lines():
    # 14 satellites a few km apart fill what is kept per point before the one that makes the pair comes; without it none
    rng = np.random.default_rng(4)
    bunch = np.array([EARTH_M + 36_000e3, 0.0, 0.0]) + rng.uniform(-5e3, 5e3, (1, 14, 3))
    aside = np.array([[[EARTH_M + 20_000e3, 18_000e3, 0.0]]])
    points = grids.fibonacci(300, 40e3)
    for r in (bunch, np.concatenate([bunch, aside], axis=1)):
        case = Case(r, points)
        expected = stereo_by_pairs(case, 20 * DEG)
        np.testing.assert_array_equal(paired(case, 20 * DEG), expected)
        assert expected.any() == (r is not bunch)


def test_lines_that_face_each_other_are_no_pair():
    # on the sphere's equator, a target between two sensors at its height, 15 degrees away to either side
    radius = EARTH_M + 500e3
    angle = np.array([-15.0, 15.0]) * DEG
    r = radius * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)[None]
    case = Case(r, scattered(0.0, 0.0, 500e3), SPHERE)
    # the chords lean 7.5 degrees below the target's horizon each: 165 degrees apart, folded 15
    assert paired(case, 14.99 * DEG)[0, 0] == 1
    assert paired(case, 15.01 * DEG)[0, 0] == 0


def looked_at(case: Case, k: int, p: int) -> tuple[np.ndarray, ...]:
    """Directions, ranges, angle and range noises of the sensors that see a point, from the stated formulas."""
    q, limits = case.all_quality, case.all_limits
    see = np.flatnonzero(seen(case, slice(k, k + 1))[0, :, p])
    target = itrs(case.points, case.body)[p]
    line = target - case.r_sensor[k, see]
    distance = np.linalg.norm(line, axis=-1)
    wants_space = pick(limits, see)._replace(
        behind=np.full(len(see), int(Behind.SPACE)), ground=np.zeros(len(see), bool)
    )
    scene = Scene(case.r_sensor[k, see], np.broadcast_to(target, (len(see), 3)), case.body)
    earth = margins(wants_space, scene, [Constraint.BACKGROUND])[Constraint.BACKGROUND] < 0.0
    snr = np.where(earth, q.gain_earth[see], q.gain_space[see]) / distance ** q.power[see]
    angle = np.sqrt(
        q.floor_rad[see] ** 2 + (q.pixel_rad[see] / (2 * snr)) ** 2 + q.beam_rad[see] ** 2 / (2 * snr)
    )
    return line, distance, angle, np.hypot(q.floor_m[see], q.cell_m[see] / np.sqrt(2 * snr))


def test_position_errors_are_those_of_triangulation():
    # every sample's bin is that of sensors.triangulation's covariance (whose own tests are against closed forms)
    t = T[:2]
    n = 40
    r = np.concatenate([orbits(1000e3, 60.0, 5, 8, t), RADARS[:2, 1:2]], axis=1)
    infrared = Figures(
        50e-6, pixel_rad=1e-4, gain_space=5 * 4000e3**2, gain_earth=5 * 2500e3**2, threshold=5.0
    )
    stated = Figures(80e-6)
    radar = Figures(
        1e-3, beam_rad=0.01, floor_m=30.0, cell_m=40.0, gain_space=20 * 2000e3**4, gain_earth=20 * 2000e3**4, power=4.0,
        threshold=20.0,
    )  # fmt: skip
    limits = table([Limit()] * n + [Limit(ground=True)])
    near_radar = scattered([36 * DEG, 30 * DEG], [140 * DEG, 135 * DEG], [200e3, 40e3])
    for points in (grids.fibonacci(60, 40e3), near_radar):
        case = Case(r, points, WGS84, limits, quality([infrared, stated] * (n // 2) + [radar]))
        fixed = 0
        for k in range(len(t)):
            found = counted(case, k, k + 1, errors=True).errors
            for p in range(len(points.lat_rad)):
                line, distance, angle, depth = looked_at(case, k, p)
                expected = np.zeros(120, int)
                if len(line) > 1 or np.isfinite(depth).any():
                    sigma = rss(covariance(line, distance, angle, depth))
                    expected[int(20 * np.log10(max(sigma, 1.0)))] = 1
                    fixed += 1
                np.testing.assert_array_equal(found[p], expected)
        assert fixed > len(points.lat_rad)


def test_a_single_line_fixes_nothing():
    # one infrared line leaves the range open
    case = Case(np.array([[[EARTH_M + 1000e3, 0.0, 0.0]]]), scattered(0.0, 0.0, 40e3))
    assert counted(case, errors=True).total[0] == 1
    assert counted(case, errors=True).errors.sum() == 0


def test_reach_of_no_brightness_is_endless():
    # what the comparisons above rest on: without a threshold brightness is no limit
    assert np.isinf(reach_of(quality([Figures(1e-5)])).space_m).all()


@pytest.mark.parametrize("limit", [Limit(), Limit(range_max_m=1e8)], ids=["plain", "limited"])
def test_points_in_the_body_are_sure_of_nothing(limit: Limit):
    # they have no limb of their own and are seen less far than the sensor's: 14.1 deg from 200 km for the surface, less
    # by 0.1 deg for 3 km below it; a grid fine enough to tell lies across
    box = (-0.6 * DEG, 0.6 * DEG, 13.5 * DEG, 14.7 * DEG)
    case = Case(
        np.array([[[EARTH_M + 200e3, 0.0, 0.0]]]),
        grids.box(*box, -3000.0, grids.Density(count=4000)),
        WGS84,
        table([limit]),
    )
    expected = folds(case)
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(counts(case), expected)


def test_a_range_reaches_farthest_between_the_ends_of_an_eccentric_orbit():
    # targets at 2,000 km, range 3,000 km: widest seen from sqrt(8378^2 - 3000^2) = 7,823 km, and not from perigee or
    # apogee, so that the block's cap must not be made of those two alone
    radius = np.array([6878e3, 7823e3, 42_000e3])
    r = radius[:, None, None] * np.array([[1.0, 0.0, 0.0]])
    case = Case(r, grids.fibonacci(20_000, 2000e3), SPHERE, table([Limit(range_max_m=3000e3)]))
    expected = folds(case)
    assert expected[1].sum() > expected[0].sum() > 0 == expected[2].sum()
    np.testing.assert_array_equal(counts(case), expected)


@pytest.mark.parametrize("height_m", [200e3, 1000e3, 20_000e3])
def test_every_count_of_caps_beyond_a_quarter_turn(height_m: float):
    # from geostationary height targets above some 75 km are seen beyond 90 deg: what lies outside is the cap then
    t = np.linspace(0.0, 86400.0, 40)
    r = np.concatenate([orbits(35_786e3, angle, 1, 1, t) for angle in (0.0, 30.0, 60.0)], axis=1)
    case = Case(r, grids.fibonacci(300, height_m))
    assert np.array_equal(counts(case), folds(case))

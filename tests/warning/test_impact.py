"""Impact prediction against DOP853 and the published-in-project rows V-801 to V-803."""

from __future__ import annotations

import numpy as np
import pytest
from warning_flights import V802, burnout, diagonal, fall, make_tracks, rotations

from noroshi.constants import EARTH_RADIUS_M, EARTH_RATE_RAD_S
from noroshi.earth import geodesic, height_itrs
from noroshi.tables import Tracks
from noroshi.warning import impact


def one_each(states: np.ndarray, cov: np.ndarray | None = None) -> Tracks:
    rows = len(states)
    return make_tracks(np.zeros(rows), states, np.zeros((rows, 6, 6)) if cov is None else cov)


def at_zero(rows: int) -> np.ndarray:
    return np.tile(np.eye(3), (rows, 1, 1))


@pytest.mark.parametrize(
    ("speed", "height", "gamma", "psi"),
    [(2800.0, 80e3, 43.0556, 7.7775), (4700.0, 150e3, 38.6208, 25.5166), (6800.0, 250e3, 25.6748, 77.3009)],
)
def test_free_flight_angle_is_the_longest_at_the_best_gamma(speed, height, gamma, psi):
    """V-801 (Bate, Mueller, White, chapter 6): free flight on r = 6378.137 km + h, best and range angle.

    On the equator the ground has the radius of the table; with J2 off, taking the Earth's turning out again
    gives the inertial angle. Linear interpolation between 1 s steps is right to 3 m, 3e-5 deg.
    """

    def angle(gamma_deg: float) -> float:
        g, r0 = np.radians(gamma_deg), EARTH_RADIUS_M + height
        inertial = np.array([speed * np.sin(g), speed * np.cos(g), 0.0])
        path = impact.fall_path(
            np.array([r0, 0.0, 0.0]), inertial - np.array([0.0, EARTH_RATE_RAD_S * r0, 0.0]), 1.0, j2=0.0
        )
        assert path is not None
        radius = np.linalg.norm(path.r_itrs, axis=1)
        turn = np.unwrap(np.arctan2(path.r_itrs[:, 1], path.r_itrs[:, 0])) + EARTH_RATE_RAD_S * path.t
        down = np.flatnonzero((radius[:-1] > r0) & (radius[1:] <= r0))[-1]
        s = (radius[down] - r0) / (radius[down] - radius[down + 1])
        return float(np.degrees(turn[down] + s * (turn[down + 1] - turn[down])))

    assert angle(gamma) == pytest.approx(psi, abs=1e-4)
    assert angle(gamma) > max(angle(gamma - 0.5), angle(gamma + 0.5))


def test_v802_time_point_and_sensitivities():
    """V-802 (computed there by DOP853 at 1e-12, GMST 0): tolerances are the table's."""
    states = np.array([burnout(*case) for case in V802])
    found = impact.predict(one_each(states), at_zero(3))
    assert found.t_impact == pytest.approx([483.623, 941.083, 1936.832], abs=1e-3)
    assert np.degrees(found.lat_rad) == pytest.approx([36.8408, 27.0868, -9.5340], abs=1e-4)
    assert np.degrees(found.lon_rad) == pytest.approx([134.9105, 151.6894, -170.7419], abs=1e-4)
    plain = impact.predict(one_each(states), at_zero(3), j2=0.0)
    moved = [
        geodesic(a, b, c, d)[0]
        for a, b, c, d in zip(plain.lat_rad, plain.lon_rad, found.lat_rad, found.lon_rad, strict=True)
    ]
    assert moved == pytest.approx([1691.0, 4823.0, 9350.0], rel=5e-3)
    along = np.zeros((3, 6))
    along[:, 3:] = states[:, 3:] / np.linalg.norm(states[:, 3:], axis=1)[:, None]
    metres = np.linalg.norm(np.einsum("nij,nj->ni", found.track_jacobian[:, -1], along), axis=1)
    assert metres == pytest.approx([603.0, 1391.0, 4535.0], rel=5e-3)


@pytest.mark.parametrize("case", V802)
def test_agrees_with_dop853_in_the_inertial_frame(case):
    """Own oracle, other frame, other integrator. 0.1 m: RK4 of 128 steps is worst on the longest flight."""
    state = burnout(*case)
    t, lat, lon, _ = fall(state)
    found = impact.predict(one_each(state[None]), at_zero(1))
    assert found.t_impact[0] == pytest.approx(t, abs=1e-4)
    assert geodesic(lat, lon, found.lat_rad[0], found.lon_rad[0])[0] < 0.1


def test_a_later_row_of_the_same_flight_predicts_the_same_impact():
    """The rotation belongs to the row's own time: any point of one flight gives the same impact."""
    t = np.array([0.0, 100.0, 500.0, 900.0])
    end, lat, lon, states = fall(burnout(*V802[1]), t_eval=t)
    found = impact.predict(make_tracks(t, states, diagonal(1.0, 1.0, 4)), rotations(t))
    assert found.t_impact == pytest.approx(end, abs=1e-4)
    for k in range(4):
        assert geodesic(lat, lon, found.lat_rad[k], found.lon_rad[k])[0] < 0.1
    assert np.all(np.diff(found.major_m) < 0)


@pytest.mark.parametrize(
    ("case", "sigma_v", "major_km", "minor_km", "sigma_t"),
    [
        (0, 5.0, 3.1, 2.3, 1.20),
        (1, 5.0, 7.0, 3.9, 1.94),
        (2, 5.0, 22.7, 5.2, 5.58),
        (0, 50.0, 30.6, 22.9, 11.9),
        (1, 50.0, 69.9, 39.4, 19.3),
        (2, 50.0, 227.0, 51.6, 55.8),
    ],
)
def test_v803_linear_ellipse(case, sigma_v, major_km, minor_km, sigma_t):
    """V-803: 2 %, the table's tolerance, covers its rounding to two figures."""
    found = impact.predict(one_each(burnout(*V802[case])[None], diagonal(200.0, sigma_v, 1)), at_zero(1))
    assert found.major_m[0] == pytest.approx(major_km * 1e3, rel=0.02)
    assert found.minor_m[0] == pytest.approx(minor_km * 1e3, rel=0.02)
    assert found.sigma_t_s[0] == pytest.approx(sigma_t, rel=0.02)


@pytest.mark.parametrize("case", [0, 1, 2])
def test_v803_linear_ellipse_holds_nine_in_ten_samples(case):
    """V-803: 4000 samples at 50 m/s, each flown on its own; 0.88-0.92 is 4 standard deviations."""
    state, rng = burnout(*V802[case]), np.random.default_rng(803)
    cov = diagonal(200.0, 50.0, 1)
    flown = impact.predict(one_each(rng.multivariate_normal(state, cov[0], 4000)), at_zero(4000))
    mean = impact.predict(one_each(state[None], cov), at_zero(1))
    east, north = east_north(mean, flown.lat_rad, flown.lon_rad)
    offset = np.stack([east, north], 1)
    squared = np.einsum("ni,ij,nj->n", offset, np.linalg.inv(mean.cov_en_m2[0]), offset)
    assert 0.88 < np.mean(squared < -2 * np.log(0.1)) < 0.92  # chi-square with 2 degrees of freedom


def east_north(mean: impact.Predictions, lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    polar = [geodesic(mean.lat_rad[0], mean.lon_rad[0], a, b) for a, b in zip(lat, lon, strict=True)]
    s, azimuth = np.array([(p[0], p[1]) for p in polar]).T
    return s * np.sin(azimuth), s * np.cos(azimuth)


def test_jacobians_are_those_of_flights_flown_apart():
    """Central differences of whole flights, at every eighth point: second order cancels."""
    state = burnout(*V802[1])
    step = np.array([100.0] * 3 + [0.1] * 3)
    up, down = state + np.diag(step), state - np.diag(step)
    flown = impact.predict(one_each(np.concatenate([state[None], up, down])), at_zero(13))
    # predicted Jacobians are of the ITRS state; at GMST 0 a change of position also changes ITRS velocity
    turn = np.eye(6)
    turn[3, 1], turn[4, 0] = EARTH_RATE_RAD_S, -EARTH_RATE_RAD_S
    jacobian, time_jacobian = flown.track_jacobian[0] @ turn, flown.time_jacobian[0] @ turn
    for point in (0, 8, 16, 24, 32):
        for k in range(6):
            a, b = 1 + k, 7 + k
            s, azimuth = geodesic(
                flown.track_lat_rad[b, point], flown.track_lon_rad[b, point],
                flown.track_lat_rad[a, point], flown.track_lon_rad[a, point],
            )  # fmt: skip
            slope = np.array([s * np.sin(azimuth), s * np.cos(azimuth)]) / (2 * step[k])
            scale = np.abs(jacobian[point, :, k]).max() + 1e-3
            assert slope == pytest.approx(jacobian[point, :, k], abs=2e-3 * scale)
    slopes = (flown.t_impact[1:7] - flown.t_impact[7:13]) / (2 * step)
    assert slopes == pytest.approx(time_jacobian, rel=1e-3, abs=1e-7)


def test_ellipse_of_a_known_covariance():
    """3 km along azimuth 30 deg and 1 km across: closed form."""
    a = np.radians(30.0)
    axes = np.array([[np.sin(a), -np.cos(a)], [np.cos(a), np.sin(a)]])
    major, minor, azimuth = impact.ellipse(axes @ np.diag([9e6, 1e6]) @ axes.T)
    assert (major, minor, azimuth) == (pytest.approx(3e3), pytest.approx(1e3), pytest.approx(a))


def test_states_that_do_not_come_down_are_nan_and_harm_no_other_row():
    good = burnout(*V802[0])
    orbit = np.array([7e6, 0.0, 0.0, 0.0, 7546.0, 0.0])
    escape = np.array([7e6, 0.0, 0.0, 0.0, 12e3, 0.0])
    buried = good * np.array([0.98, 0.98, 0.98, 1, 1, 1])
    broken = np.full(6, np.nan)
    found = impact.predict(one_each(np.stack([orbit, good, escape, buried, broken])), at_zero(5))
    assert np.isnan(found.t_impact).tolist() == [True, False, True, True, True]
    for name in ("lat_rad", "major_m", "sigma_t_s", "track_t", "track_jacobian"):
        assert np.isnan(getattr(found, name)[[0, 2, 3, 4]]).all()
    alone = impact.predict(one_each(good[None]), at_zero(1))
    assert found.t_impact[1] == pytest.approx(alone.t_impact[0], rel=1e-12)


def test_no_rows_at_all():
    found = impact.predict(one_each(np.empty((0, 6))), at_zero(0))
    assert found.track_jacobian.shape == (0, impact.POINTS, 2, 6)


def test_many_rows_and_few_agree():
    """The padded shapes are an affair of speed only; XLA may order sums otherwise, hence 1e-9."""
    rng = np.random.default_rng(1)
    states = burnout(*V802[1]) + rng.normal(size=(600, 6)) * np.array([500.0] * 3 + [20.0] * 3)
    many = impact.predict(one_each(states, diagonal(100.0, 5.0, 600)), at_zero(600))
    few = impact.predict(one_each(states[:7], diagonal(100.0, 5.0, 7)), at_zero(7))
    assert many.t_impact[:7] == pytest.approx(few.t_impact, rel=1e-9)
    assert many.major_m[:7] == pytest.approx(few.major_m, rel=1e-9)


def test_the_whole_path_of_one_row():
    state = burnout(*V802[1])
    r, v = impact.states_itrs(state[None], np.eye(3)[None])
    path = impact.fall_path(r[0], v[0], 10.0)
    assert path is not None
    found = impact.predict(one_each(state[None]), at_zero(1))
    assert path.t[-1] == pytest.approx(found.t_impact[0], abs=1e-9)
    assert np.diff(path.t) == pytest.approx(path.t[1])
    assert abs(float(height_itrs(path.r_itrs[-1]))) < 1e-3
    middle = len(path.t) // 2
    _, _, _, states = fall(state, t_eval=path.t[[middle]])
    r_mid, v_mid = impact.states_itrs(states, rotations(path.t[[middle]]))
    assert np.linalg.norm(path.r_itrs[middle] - r_mid[0]) < 0.1
    assert np.linalg.norm(path.v_itrs[middle] - v_mid[0]) < 1e-3
    assert impact.fall_path(np.array([7e6, 0.0, 0.0]), np.array([0.0, 7100.0, 0.0])) is None

"""Motion models against closed forms, independent integration and their own differences."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from noroshi import atmosphere
from noroshi.constants import (
    EARTH_E2,
    EARTH_FLATTENING,
    EARTH_J2,
    EARTH_MU,
    EARTH_RADIUS_M,
    EARTH_RATE_RAD_S,
)
from noroshi.tracking import transition as models
from noroshi.tracking.parameters import AIR_BASE, AIR_DENSITY, AIR_SCALE, MU, Motion, parameters
from noroshi.tracking.visible import height

SPIN = np.array([0.0, 0.0, EARTH_RATE_RAD_S])

CA = Motion("constant-acceleration", "boost", sigma_m_s2=50.0, jerk_psd_m2_s5=5.0, velocity_psd_m2_s3=0.1)
SINGER = Motion(
    "singer", "manoeuvring", tau_s=20.0, sigma_m_s2=15.0, jerk_psd_m2_s5=0.2, velocity_psd_m2_s3=0.1
)
BALLISTIC = Motion(
    "ballistic", "ballistic", beta_kg_m2=5000.0, beta_sigma=0.7, beta_psd_1_s=1e-3, velocity_psd_m2_s3=0.01
)
GLIDE = Motion("glide", "manoeuvring", tau_s=40.0, sigma_m_s2=15.0, velocity_psd_m2_s3=0.1)
TURN = Motion(
    "coordinated-turn", "manoeuvring", turn_sigma_rad_s=0.05, turn_psd_rad2_s3=1e-5, velocity_psd_m2_s3=0.5
)
ALL = (CA, SINGER, BALLISTIC, GLIDE, TURN)
names = [m.model for m in ALL]


def place(height_m, lat=0.6, lon=2.3):
    """Point above a place of the ellipsoid, with its east, north and up."""
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    n = EARTH_RADIUS_M / np.sqrt(1.0 - EARTH_E2 * np.sin(lat) ** 2)
    r = (n + height_m) * up - np.array([0.0, 0.0, n * EARTH_E2 * np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    return r, east, np.cross(up, east), up


def state(motion, height_m, u_enu, extras):
    """State from height, velocity over the ground (east, north, up) and extras (an acceleration: east, north, up)."""
    r, east, north, up = place(height_m)
    axes = np.stack([east, north, up], axis=1)
    e = axes @ extras if models.meaning(parameters(motion)) == models.ACCELERATION else np.array(extras)
    return np.concatenate([r, axes @ np.array(u_enu) + np.cross(SPIN, r), e])


CASES = [
    (CA, state(CA, 200e3, (3e3, -2e3, 1e3), (10.0, -20.0, 5.0))),
    (SINGER, state(SINGER, 60e3, (5e3, 1e3, -100.0), (10.0, -20.0, 5.0))),
    (BALLISTIC, state(BALLISTIC, 300e3, (4e3, 2e3, -2e3), (np.log(3000.0), 0.0, 0.0))),
    (BALLISTIC, state(BALLISTIC, 70e3, (4e3, 2e3, -3e3), (np.log(3000.0), 0.0, 0.0))),
    (BALLISTIC, state(BALLISTIC, 25e3, (2e3, 1e3, -2e3), (np.log(500.0), 0.0, 0.0))),
    (GLIDE, state(GLIDE, 45e3, (4e3, 3e3, -50.0), (-3.0, 4.0, 12.0))),
    (TURN, state(TURN, 10e3, (200.0, 120.0, 5.0), (0.04, 0.0, 0.0))),
    (TURN, state(TURN, 300.0, (250.0, -80.0, -10.0), (-0.14, 0.0, 0.0))),
]
case_names = [f"{m.model}-{i}" for i, (m, _) in enumerate(CASES)]


def move(motion, x, t, par=None):
    """One transition of a copy: mean, Jacobian, noise."""
    par = parameters(motion) if par is None else par
    x, f, q = np.array(x), np.full((9, 9), np.nan), np.full((9, 9), np.nan)
    models.transition(x, t, par, f, q)
    return x, f, q


def travel(motion, x, t, par=None):
    """Mean after a long time."""
    x = np.array(x)
    models.carry(x, np.eye(9), t, parameters(motion) if par is None else par, np.empty((4, 9, 9)))
    return x


# --- the same physics, written again -------------------------------------------------------------------------------


def pull(r):
    """Gravity with J2, as minus the gradient of the potential written by its Legendre polynomial, by components."""
    d = np.linalg.norm(r)
    s = r[2] / d
    k = 1.5 * EARTH_J2 * EARTH_MU * EARTH_RADIUS_M**2 / d**4
    return -EARTH_MU * r / d**3 + k * ((5.0 * s * s - 1.0) * r / d - 2.0 * s * np.array([0.0, 0.0, 1.0]))


def wind(r, v):
    """Velocity relative to the air."""
    return v - np.cross(SPIN, r)


def resist(r, v, beta):
    """Drag in the standard atmosphere over the geodetic height."""
    u = wind(r, v)
    return -atmosphere.smooth_density(np.array(height(*r))) / (2.0 * beta) * np.linalg.norm(u) * u


def rates(motion):
    """The equation of motion of a model, for an ODE solver."""

    def rate(_, x):
        r, v, e = x[:3], x[3:6], x[6:]
        zero = np.zeros(3)
        if motion.model == "constant-acceleration":
            return np.concatenate([v, pull(r) + e, zero])
        if motion.model == "singer":
            return np.concatenate([v, pull(r) + e, -e / motion.tau_s])
        if motion.model == "ballistic":
            return np.concatenate([v, pull(r) + resist(r, v, np.exp(e[0])), zero])
        u = wind(r, v)
        if motion.model == "glide":
            du = pull(r) + e - np.cross(SPIN, v)
            return np.concatenate([v, pull(r) + e, np.cross(np.cross(u, du) / (u @ u), e) - e / motion.tau_s])
        # the vertical of the ellipsoid is the gradient of x^2 + y^2 + z^2 / (1 - e^2); how it turns along the way is
        # taken by differences
        normal = lambda p: (m := p / np.array([1.0, 1.0, 1.0 - EARTH_E2])) / np.linalg.norm(m)  # noqa: E731
        up = normal(r)
        dup = (normal(r + 0.5 * u) - normal(r - 0.5 * u)) / 1.0
        du = np.cross(np.cross(up, dup) + e[0] * up, u)
        return np.concatenate([v, du + np.cross(SPIN, u) + np.cross(SPIN, v), zero])

    return rate


def solve(motion, x, t):
    """Independent integration to 1e-11."""
    return solve_ivp(rates(motion), (0.0, t), x, method="DOP853", rtol=1e-11, atol=1e-7).y[:, -1]


# --- means -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("motion", "x"), CASES, ids=case_names)
@pytest.mark.parametrize("t", [1.0, 5.0])
def test_mean_is_that_of_an_independent_integration(motion, x, t):
    # a step of RK4 over 5 s at orbital speed leaves centimetres; within air the steps leave 1e-5 of the drag (100 m/s2
    # at most here), and the table of the standard 1e-4 of it, the height along the radius 1 m in 7 km: 1.5e-4
    want = solve(motion, x, t)
    got, _, _ = move(motion, x, t)
    drag = np.linalg.norm(resist(x[:3], x[3:6], np.exp(x[6]))) if motion.model == "ballistic" else 0.0
    share = 5e-4 * drag
    if motion.model == "coordinated-turn":  # 1e-5 of the way for each 0.25 rad
        share = 4e-5 * abs(x[6]) * np.linalg.norm(wind(x[:3], x[3:6]))
    np.testing.assert_allclose(got[:3], want[:3], rtol=0, atol=0.01 + share * t * t)
    np.testing.assert_allclose(got[3:6], want[3:6], rtol=0, atol=0.003 + share * t)
    np.testing.assert_allclose(got[6:], want[6:], rtol=0, atol=1e-3)


def test_a_flight_in_space_for_500_s():
    # 100 steps of 5 s: decimetres. Up to 700 km and down to 550 km
    x = state(CA, 200e3, (5e3, -2e3, 3e3), (0.0, 0.0, 0.0))
    want = solve(CA, x, 500.0)
    free = np.concatenate([x[:6], [np.log(5e3), 0.0, 0.0]])
    for got in (travel(CA, x, 500.0), travel(BALLISTIC, free, 500.0)):
        drag = 0.5  # m: what air does to the ballistic body above 200 km, 1e-6 m/s2 for 500 s and more
        assert np.linalg.norm(got[:3] - want[:3]) < 0.1 + drag


def test_a_steep_entry_from_space_to_the_ground():
    # 120 km to the ground in some 60 s at steps of 1 s and 5 s; drag reaches 700 m/s2 for 1 000 kg/m2. The way through
    # the air may differ by 5e-4 of the 5 km/s that drag takes, for some seconds
    x = state(BALLISTIC, 120e3, (3e3, 0.0, -5e3), (np.log(1000.0), 0.0, 0.0))
    want = solve(BALLISTIC, x, 30.0)
    for step in (1.0, 5.0):
        y = x.copy()
        for _ in range(int(30 / step)):
            y = move(BALLISTIC, y, step)[0]
        assert np.linalg.norm(y[:3] - want[:3]) < 15.0
        assert np.linalg.norm(y[3:6] - want[3:6]) < 3.0


def test_a_level_turn_stays_level_and_keeps_its_speed():
    # a whole circle at 3 deg/s and then 1 000 km straight on. Height: the vertical taken is that of the surface, 5e-6
    # rad off at 10 km, so 5 m at most after 1 000 km. Speed over the ground: to the (0.13 rad)^6 / 144 that each of
    # the circle's 48 steps leaves
    x = state(TURN, 10e3, (180.0, 150.0, 0.0), (np.deg2rad(3.0), 0.0, 0.0))
    speed = np.linalg.norm(wind(x[:3], x[3:6]))
    y = travel(TURN, x, 120.0)
    assert abs(height(*y[:3]) - 10e3) < 0.2
    turned = np.array(
        [[np.cos(a := -EARTH_RATE_RAD_S * 120.0), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1.0]]
    )
    # back over the same ground: RK4 leaves 3e-7 of the way for each 0.13 rad, 0.4 m if they add up
    assert np.linalg.norm(turned @ y[:3] - x[:3]) < 0.5
    y[6] = 0.0
    far = travel(TURN, y, 4000.0)
    assert abs(height(*far[:3]) - 10e3) < 5.0
    assert np.linalg.norm(wind(far[:3], far[3:6])) == pytest.approx(speed, rel=3e-6)


def test_flat_turn_is_the_closed_form():
    # Bar-Shalom, Li, Kirubarajan (2001), section 11.7.1: x += v sin(wT)/w, y += v (1 - cos(wT))/w
    motion = TURN._replace(gravity=False)
    for w, t in ((0.05, 5.0), (-0.4, 5.0), (0.0, 2.0), (0.7, 1.0)):
        x = np.array([1e3, 2e3, 3e3, 100.0, 0.0, 7.0, w, 0.0, 0.0])
        got, _, _ = move(motion, x, t)
        along, left = (t, 0.0) if w == 0.0 else (np.sin(w * t) / w, (1.0 - np.cos(w * t)) / w)
        want = [
            1e3 + 100 * along,
            2e3 + 100 * left,
            3e3 + 7 * t,
            100 * np.cos(w * t),
            100 * np.sin(w * t),
            7.0,
        ]
        # RK4 leaves 0.25^5 / 120 = 8e-6 of the way for each step of at most 0.25 rad, and they add up
        np.testing.assert_allclose(got[:6], want, rtol=0, atol=4e-5 * 100 * t)


def test_a_glide_carries_its_lift_round():
    # a steady bank: lift to the left of a level flight turns with it. Without gravity and memory loss this is a circle
    motion = GLIDE._replace(gravity=False, tau_s=1e9)
    x = np.array([0.0, 0.0, 0.0, 3000.0, 0.0, 0.0, 0.0, 30.0, 0.0])
    got = travel(motion, x, 100.0)
    angle = 30.0 / 3000.0 * 100.0  # 1 rad on a radius of 300 km
    # the bound on agility slows the turn by (0.5 * 30 / 3000)^2 = 2.5e-5: 7 m
    want = 300e3 * np.array([np.sin(angle), 1.0 - np.cos(angle)])
    assert np.linalg.norm(got[:2] - want) < 10.0
    np.testing.assert_allclose(got[6:8], 30.0 * np.array([-np.sin(angle), np.cos(angle)]), atol=2e-3)
    assert np.linalg.norm(got[3:6]) == pytest.approx(3000.0, rel=2.5e-5)


# --- air -------------------------------------------------------------------------------------------------------------


def test_air_is_the_standard_atmosphere():
    # knots at every km: 2e-4 of the density (3e-3 within 2 km of the standard's kinks, where layers meet);
    # slopes to 2 % (the standard's own slope jumps there)
    h = np.arange(-5e3, 200e3, 97.0)
    got = np.array([models.standard_air(z) for z in h])
    error = np.abs(np.expm1(got[:, 0] - np.log(atmosphere.density(h))))
    kinks = np.array([11.019, 20.063, 32.162, 47.350, 51.413, 71.802, 86.0, *np.arange(90, 201, 5)]) * 1e3
    near = np.abs(h[:, None] - kinks).min(axis=1) < 2e3
    assert error[~near & (h < 86e3)].max() < 2e-4
    assert error[h < 84e3].max() < 3e-3
    assert error.max() < 0.03
    slope = (models.standard_air(40_001.0)[0] - models.standard_air(39_999.0)[0]) / 2.0
    assert models.standard_air(40_000.0)[1] == pytest.approx(slope, rel=1e-6)
    # published rows (NOAA-S/T 76-1562, table I): density at 0, 30, 60, 80 km
    for z, rho in ((0.0, 1.2250), (30e3, 1.8410e-2), (60e3, 3.0968e-4), (80e3, 1.8458e-5)):
        assert np.exp(models.standard_air(z)[0]) == pytest.approx(rho, rel=3e-4)


@pytest.mark.parametrize("h", [-1e6, -5e3, 0.0, 199e3, 201e3, 1e6, 1e9])
def test_air_goes_on_beyond_its_table(h):
    value, slope = models.standard_air(h)
    assert np.isfinite(value)
    assert slope <= 0.0
    assert value < 1.0


@pytest.mark.parametrize("lat", [0.0, 0.4, 0.8, 1.2, np.pi / 2])
def test_height_along_the_radius(lat):
    for h in (0.0, 50e3, 200e3):
        r, *_ = place(h, lat)
        got = models.altitude(*r)
        assert abs(got[0] - height(*r)) < 1.2
        steps = 10.0 * np.eye(3)
        slope = [(models.altitude(*(r + d))[0] - models.altitude(*(r - d))[0]) / 20.0 for d in steps]
        np.testing.assert_allclose(got[1:], slope, atol=1e-7)


# --- Jacobians -------------------------------------------------------------------------------------------------------

# central differences: what each element of the state is moved by
MOVES = np.array([50.0] * 3 + [0.5] * 3 + [0.5] * 3)


def differences(function, x, moves=MOVES):
    out = []
    for i in range(9):
        step = np.zeros(9)
        step[i] = moves[i]
        out.append((function(x + step) - function(x - step)) / (2.0 * moves[i]))
    return np.stack(out, axis=1)


def moves_of(motion):
    moves = MOVES.copy()
    if motion.model == "ballistic":
        moves[6:] = 1e-3
    if motion.model == "coordinated-turn":
        moves[6:] = 1e-4
    return moves


def scale_of(motion):
    """What a filter may be uncertain by, to compare elements of unlike units with."""
    scale = np.repeat([1e3, 100.0, 10.0], 3)
    if models.meaning(parameters(motion)) != models.ACCELERATION:
        scale[6:] = 1.0
    if motion.model == "coordinated-turn":
        scale[:7] = 100.0, 100.0, 100.0, 10.0, 10.0, 10.0, 0.05
    return scale


# how fast each case's Jacobian changes, 1/s: gravity on the way; growth of the air; memory and turning; turn rate
QUICKNESS = (0.003, 0.003, 0.003, 0.5, 0.5, 0.03, 0.04, 0.14)


@pytest.mark.parametrize(
    ("motion", "x", "quick"), [(*c, q) for c, q in zip(CASES, QUICKNESS, strict=True)], ids=case_names
)
@pytest.mark.parametrize("t", [0.2, 1.0, 5.0])
def test_jacobian_is_that_of_the_motion(motion, x, quick, t):
    # good to the second order of h |A|, in steps h of which that is 0.25 at most; an eighth of its square was never
    # reached. Relative to the largest share that a row has in what a filter may be uncertain by
    moves, scale = moves_of(motion), scale_of(motion)
    _, f, _ = move(motion, x, t)
    want = differences(lambda y: move(motion, y, t)[0], x, moves)
    if motion.model == "ballistic" and height(*x[:3]) > 100e3:
        want[:, 6] = np.eye(9)[6]  # frozen
    share = np.abs(f - want) * scale
    size = (np.abs(want) * scale).max(axis=1, keepdims=True)
    assert (share / size).max() < 1e-6 + min(quick * t, 0.25) ** 2 / 8.0


def test_gravity_gradient():
    par = parameters(CA)
    x = CASES[0][1]
    want = differences(lambda y: np.array(models.gravity(*y[:3], par)), x, np.full(9, 100.0))[:, :3]
    got = np.zeros((3, 3))
    got[np.triu_indices(3)] = models.gradient(*x[:3], par)
    got += np.triu(got, 1).T
    np.testing.assert_allclose(got, want, atol=1e-9 * np.abs(want).max())  # (100 m / r)^2 = 2e-10
    assert abs(np.trace(got)) < 1e-12 * np.abs(got).max() * 1e3  # Laplace
    np.testing.assert_allclose(models.gravity(*x[:3], par), pull(x[:3]), rtol=1e-13)


# --- noise -----------------------------------------------------------------------------------------------------------


def van_loan(a, w, t):
    """Transition and noise of x' = a x + w: C. F. Van Loan, IEEE Trans. AC-23, 395-404 (1978)."""
    n = len(a)
    big = expm(np.block([[-a, w], [np.zeros((n, n)), a.T]]) * t)
    f = big[n:, n:].T
    return f, f @ big[:n, n:]


def chain(tau):
    return np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0 / tau]])


@pytest.mark.parametrize("tau", [2.0, 3.3, 3.4, 8.0, 20.0, 60.0, 500.0])
@pytest.mark.parametrize("t", [0.1, 1.0, 4.9])
def test_singer_is_van_loan(tau, t):
    motion = SINGER._replace(tau_s=tau, gravity=False)
    psd = np.diag([0.0, 0.1, 2.0 * 15.0**2 / tau + 0.2])
    want_f, want_q = van_loan(chain(tau), psd, t)
    x = np.arange(1.0, 10.0)
    got_x, f, q = move(motion, x, t)
    np.testing.assert_allclose(f, np.kron(want_f, np.eye(3)), rtol=1e-11, atol=1e-12)
    # expm itself loses some 1e-9 of the smallest elements
    np.testing.assert_allclose(q, np.kron(want_q, np.eye(3)), rtol=3e-8, atol=1e-300)
    np.testing.assert_allclose(got_x, f @ x, rtol=1e-13)


def test_singer_series_meets_its_closed_form():
    # either side of t/tau = 0.3 all ten numbers join: 1e-9 apart in t/tau, and 1e-11 of rounding
    below, above = (np.array(models.markov(10.0, x * 10.0)) for x in (0.3 - 1e-10, 0.3 + 1e-10))
    np.testing.assert_allclose(below, above, rtol=1e-8)


def test_singer_tends_to_constant_acceleration():
    # textbook form: q [[T^5/20, T^4/8, T^3/6], [., T^3/3, T^2/2], [., ., T]]; alpha T = 2e-9 apart
    t, psd, tau = 2.0, 3.0, 1e9
    want = psd * np.array(
        [[t**5 / 20, t**4 / 8, t**3 / 6], [t**4 / 8, t**3 / 3, t**2 / 2], [t**3 / 6, t**2 / 2, t]]
    )
    ca = Motion("constant-acceleration", "boost", jerk_psd_m2_s5=psd, gravity=False)
    near = Motion("singer", "boost", tau_s=tau, sigma_m_s2=np.sqrt(psd * tau / 2.0), gravity=False)
    np.testing.assert_allclose(move(ca, np.zeros(9), t)[2], np.kron(want, np.eye(3)), rtol=1e-14)
    np.testing.assert_allclose(move(near, np.zeros(9), t)[2], np.kron(want, np.eye(3)), rtol=1e-8)


@pytest.mark.parametrize(("motion", "x"), [CASES[3], CASES[4], CASES[6]], ids=["70 km", "25 km", "turn"])
def test_noise_of_a_walking_parameter(motion, x):
    # the integral of Phi(t, s) W Phi(t, s)' by Gauss's rule, Phi from this model's own Jacobians (tested above); the
    # product's Q is to lowest order in |A| t (0.35 at most): a fifth of the largest element
    t = 1.0
    w = np.diag(
        [0.0] * 3
        + [motion.velocity_psd_m2_s3] * 3
        + [motion.beta_psd_1_s + motion.turn_psd_rad2_s3, 0.0, 0.0]
    )
    want = np.zeros((9, 9))
    for node, weight in zip(*np.polynomial.legendre.leggauss(6), strict=True):
        s = 0.5 * t * (1.0 + node)
        phi = move(motion, move(motion, x, s)[0], t - s)[1]
        want += 0.5 * t * weight * phi @ w @ phi.T
    _, _, q = move(motion, x, t)
    size = np.sqrt(np.outer(np.diag(want), np.diag(want)))
    size[7:] = size[:, 7:] = 1.0
    assert (np.abs(q - want) / size).max() < 0.2
    assert np.linalg.eigvalsh(q).min() > -1e-9 * np.abs(q).max()


def test_glide_noise_widens_with_the_air():
    # sigma at 20 km and 3 km/s: rho u^2 / (2 * 5000), 0.0889 kg/m3 (NOAA-S/T 76-1562) -> 80 m/s2; at 100 km the stated
    motion = GLIDE._replace(sigma_m_s2=10.0, velocity_psd_m2_s3=0.0)
    for h, air in ((20e3, 8.8910e-2 * 3000.0**2 / 1e4), (100e3, 0.0)):
        _, _, q = move(motion, state(motion, h, (3e3, 0.0, 0.0), (0.0, 0.0, 0.0)), 0.1)
        sigma2 = q[6, 6] / (1.0 - np.exp(-2.0 * 0.1 / motion.tau_s))
        assert np.sqrt(sigma2) == pytest.approx(
            np.hypot(10.0, air), rel=3e-3
        )  # falls by gravity: 3 m of 7 km


# --- the ballistic coefficient ---------------------------------------------------------------------------------------


def test_ballistic_coefficient_is_frozen_in_space():
    x = state(BALLISTIC, 120e3, (4e3, 2e3, -1e3), (np.log(3000.0), 0.0, 0.0))
    p = np.diag([1e4] * 3 + [1e2] * 3 + [0.5, 1e-6, 1e-6])
    y, got = x.copy(), p.copy()
    models.carry(y, got, 10.0, parameters(BALLISTIC), np.empty((4, 9, 9)))
    assert got[6, 6] == 0.5
    assert not got[6, :6].any()
    # drag goes on: 5 m more slowly than without, for air of 2e-8 kg/m3 at 120 km
    light, heavy = (travel(BALLISTIC, np.r_[x[:6], np.log(b), 0, 0], 30.0) for b in (100.0, 1e6))
    assert 0.5 < np.linalg.norm(light[:3] - heavy[:3]) < 500.0


@pytest.mark.parametrize("ln_beta", [-300.0, -5.0, 0.0, 5.0, 13.0, 20.0, 300.0])
@pytest.mark.parametrize("height_m", [-100e3, 0.0, 10e3, 40e3, 90e3])
def test_absurd_bodies_do_no_harm(ln_beta, height_m):
    # a filter may believe anything for a moment: nothing overflows, no body is thrown faster than it was
    x = state(BALLISTIC, height_m, (3e3, 1e3, -6e3), (ln_beta, 0.0, 0.0))
    for t in (0.01, 1.0, 5.0):
        y, f, q = move(BALLISTIC, x, t)
        for a in (y, f, q):
            assert np.isfinite(a).all()
        assert np.linalg.norm(wind(y[:3], y[3:6])) < np.linalg.norm(wind(x[:3], x[3:6])) + 10.0 * t + 1.0


def test_exponential_atmosphere():
    # straight down through exponential air without gravity: v = v0 exp(-(rho - rho0) H / (2 beta)) (H. J. Allen and
    # A. J. Eggers, NACA TR-1381, 1958)
    base, scale, rho0, beta = 6374e3, 7e3, 1.2, 2000.0
    par = parameters(BALLISTIC._replace(gravity=False, beta_psd_1_s=0.0))
    par[[AIR_DENSITY, AIR_SCALE, AIR_BASE]] = rho0, scale, base
    x = np.array([base + 60e3, 0.0, 0.0, -7000.0, 0.0, 0.0, np.log(beta), 0.0, 0.0])
    y = travel(BALLISTIC, x, 8.0, par)
    rho = rho0 * np.exp(-(np.array([x[0], y[0]]) - base) / scale)
    want = -7000.0 * np.exp(-(rho[1] - rho[0]) * scale / (2.0 * beta))
    assert y[3] > -6500.0  # it was braked
    assert y[3] == pytest.approx(want, rel=1e-5)


# --- carry, prior, export --------------------------------------------------------------------------------------------


def spread(motion, seed=1):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(9, 9)) * scale_of(motion)[:, None]
    p = a @ a.T
    return 0.5 * (p + p.T)


@pytest.mark.parametrize(("motion", "x"), CASES, ids=case_names)
def test_carry_is_the_dense_product(motion, x):
    p = spread(motion)
    for t in (0.7, 12.0):
        n = int(np.ceil(t / 5.0))
        y, want = x.copy(), p.copy()
        for _ in range(n):
            y, f, q = move(motion, y, t / n)
            want = f @ want @ f.T + q
        z, got = x.copy(), p.copy()
        models.carry(z, got, t, parameters(motion), np.full((4, 9, 9), np.nan))
        np.testing.assert_array_equal(z, y)
        scale = np.sqrt(np.outer(np.diag(want), np.diag(want)))
        assert (np.abs(got - want) / scale).max() < 1e-12  # the same sums in another order
        np.testing.assert_array_equal(got, got.T)


def test_no_time_changes_nothing():
    for motion, x in CASES:
        p = spread(motion)
        y, got = x.copy(), p.copy()
        models.carry(y, got, 0.0, parameters(motion), np.empty((4, 9, 9)))
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(got, p)


@pytest.mark.parametrize(("motion", "x"), CASES, ids=case_names)
def test_3000_carries_keep_the_covariance(motion, x):
    # gravity would carry a body round or into the Earth: it is set back each time, its covariance held by a measurement
    # of position to 50 m, so that nothing hides a growing antisymmetric part
    par, work = parameters(motion), np.empty((4, 9, 9))
    p = np.diag(scale_of(motion) ** 2)
    for _ in range(3000):
        y = x.copy()
        models.carry(y, p, 1.0, par, work)
        assert (p == p.T).all()
        for i in range(3):
            w = p[i] / np.sqrt(p[i, i] + 50.0**2)
            p -= np.outer(w, w)
    scaled = p / np.outer(scale_of(motion), scale_of(motion))
    assert np.linalg.eigvalsh(scaled).min() > -1e-12
    assert np.isfinite(p).all()


@pytest.mark.parametrize(("motion", "want"), list(zip(ALL, (0, 0, 1, 0, 2), strict=True)), ids=names)
def test_meaning(motion, want):
    assert models.meaning(parameters(motion)) == want


def test_prior():
    mean, var = np.empty(3), np.empty(3)
    for motion in (CA, SINGER, GLIDE):
        models.prior(parameters(motion), mean, var)
        np.testing.assert_array_equal(mean, 0.0)
        np.testing.assert_allclose(var, motion.sigma_m_s2**2)
    models.prior(parameters(BALLISTIC), mean, var)
    np.testing.assert_allclose(mean, [np.log(5000.0), 0.0, 0.0])
    assert var[0] == pytest.approx(0.49)
    models.prior(parameters(TURN), mean, var)
    np.testing.assert_array_equal(mean, 0.0)
    assert var[0] == pytest.approx(0.05**2)
    assert 0.0 < var[1] == var[2] < 1e-5


def shown(motion, x, p=None):
    mean, cov = np.empty(9), np.empty((9, 9))
    models.export(x, np.eye(9) if p is None else p, parameters(motion), mean, cov)
    return mean, cov


@pytest.mark.parametrize(("motion", "x"), CASES, ids=case_names)
def test_export_covariance_is_that_of_the_differences(motion, x):
    p = spread(motion)
    j = differences(lambda y: shown(motion, y)[0], x, moves_of(motion) * 0.1)
    mean, cov = shown(motion, x, p)
    want = j @ p @ j.T
    scale = np.sqrt(np.outer(np.diag(want), np.diag(want)))
    # central differences of drag: (5 m / 7 km)^2 / 6 and (0.05 / 2000)^2; rounding of 1e-9 of positions
    assert (np.abs(cov - want) / scale).max() < 1e-5
    np.testing.assert_array_equal(cov, cov.T)
    np.testing.assert_array_equal(mean[:6], x[:6])


@pytest.mark.parametrize(("motion", "x"), CASES, ids=case_names)
def test_export_is_the_acceleration_beyond_gravity(motion, x):
    mean, _ = shown(motion, x)
    want = rates(motion)(0.0, x)[3:6] - pull(x[:3])
    # the height that drag is taken at is 1 m off at most: 1.5e-4
    np.testing.assert_allclose(mean[6:], want, rtol=3e-4, atol=1e-6)


def test_flat_turn_shows_its_whole_acceleration():
    x = np.array([0.0, 0.0, 0.0, 100.0, 0.0, 0.0, 0.1, 0.0, 0.0])
    np.testing.assert_allclose(shown(TURN._replace(gravity=False), x)[0][6:], [0.0, 10.0, 0.0])


# --- for any state ---------------------------------------------------------------------------------------------------

any_model = st.sampled_from(ALL)
speed = st.floats(-8e3, 8e3)


@given(
    any_model,
    st.booleans(),
    st.floats(-200e3, 2000e3),
    st.tuples(speed, speed, speed),
    st.tuples(*[st.floats(-300.0, 300.0)] * 3),
    st.floats(1e-3, 20.0),
)
def test_any_state_stays_finite_and_its_covariance_a_covariance(motion, heavy, h, u, extras, t):
    motion = motion._replace(gravity=heavy)
    x = state(motion, h, u, extras)
    p = spread(motion)
    models.carry(x, p, t, parameters(motion), np.empty((4, 9, 9)))
    mean, cov = shown(motion, x, p)
    for a in (x, p, mean, cov):
        assert np.isfinite(a).all()
    assert (p == p.T).all()
    assert (cov == cov.T).all()
    assert (np.diag(p) > 0.0).all()


@given(any_model, st.floats(0.0, 2 * np.pi), st.floats(0.1, 5.0))
def test_turning_the_frame_about_the_pole_turns_the_answer(motion, angle, t):
    # nothing in a model knows where the x axis is
    x = dict(zip(names, (CASES[i][1] for i in (0, 1, 3, 5, 6)), strict=True))[motion.model]
    c, s = np.cos(angle), np.sin(angle)
    m = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    big = np.kron(np.eye(3), m)
    if models.meaning(parameters(motion)) != models.ACCELERATION:
        big[6:, 6:] = np.eye(3)
    y, f, q = move(motion, x, t)
    y2, f2, q2 = move(motion, big @ x, t)
    np.testing.assert_allclose(y2, big @ y, rtol=1e-10, atol=1e-6)
    scale = scale_of(motion)
    np.testing.assert_allclose(f2 * scale, big @ f @ big.T * scale, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(q2, big @ q @ big.T, rtol=1e-6, atol=1e-6 * np.abs(q).max())


@given(any_model, st.floats(0.5, 4.0))
def test_half_a_step_twice_is_a_step(motion, t):
    # the flow is one: means to RK4's error, Jacobians to second order as above
    x = dict(zip(names, (CASES[i][1] for i in (0, 1, 3, 5, 6)), strict=True))[motion.model]
    y, f, _ = move(motion, x, t)
    y1, f1, _ = move(motion, x, 0.5 * t)
    y2, f2, _ = move(motion, y1, 0.5 * t)
    np.testing.assert_allclose(y2, y, rtol=0, atol=0.02)
    scale = scale_of(motion)
    size = (np.abs(f) * scale).max(axis=1, keepdims=True)
    assert (np.abs(f2 @ f1 - f) * scale / size).max() < 2e-3


def test_a_frame_without_gravity_has_no_place():
    for motion in (CA, SINGER, GLIDE, TURN):
        motion = motion._replace(gravity=False)
        par = parameters(motion)
        assert par[MU] == 0.0
        x = np.array([1e5, 2e5, 3e5, 100.0, 200.0, 5.0, 0.02, 0.0, 0.0])
        shift = np.r_[np.full(3, 5e6), np.zeros(6)]
        np.testing.assert_allclose(
            move(motion, x + shift, 2.0)[0], move(motion, x, 2.0)[0] + shift, rtol=1e-12
        )


def test_the_ellipsoid_is_wgs84():
    # surface radius at the pole and the equator, from the same constants by another way
    assert -models.altitude(0.0, 0.0, 6e6)[0] + 6e6 == pytest.approx(
        EARTH_RADIUS_M * (1 - EARTH_FLATTENING), abs=1e-6
    )
    assert -models.altitude(6e6, 0.0, 0.0)[0] + 6e6 == pytest.approx(EARTH_RADIUS_M, abs=1e-6)
    assert parameters(CA._replace(tau_s=inf))[MU] == EARTH_MU

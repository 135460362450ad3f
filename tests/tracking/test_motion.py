"""Motion models against closed forms and independent integration."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from synthetic_scans import gravity

from noroshi.constants import EARTH_MU
from noroshi.tracking import motion
from noroshi.tracking.mixture import advance, transition_probabilities
from noroshi.tracking.state import LIVE


def coefficients(tau=inf, sigma=0.0, jerk=0.0, velocity=0.0, t=1.0):
    out = np.empty(motion.COEFFICIENTS)
    motion.coefficients(np.array([tau, sigma, jerk, velocity]), t, out)
    return out


def noise(c):
    q = np.zeros((3, 3))
    q[np.triu_indices(3)] = c[[motion.Q_PP, motion.Q_PV, motion.Q_PA, motion.Q_VV, motion.Q_VA, motion.Q_AA]]
    return q + np.triu(q, 1).T


def van_loan(a, w, t):
    """Transition and noise of x' = a x + w: C. F. Van Loan, IEEE Trans. AC-23, 395-404 (1978)."""
    n = len(a)
    big = expm(np.block([[-a, w], [np.zeros((n, n)), a.T]]) * t)
    f = big[n:, n:].T
    return f, f @ big[:n, n:]


@pytest.mark.parametrize("tau", [2.0, 8.0, 20.0, 60.0, 500.0])
@pytest.mark.parametrize("t", [0.1, 1.0, 4.9])
def test_singer_is_van_loan(tau, t):
    a = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0 / tau]])
    f, q = van_loan(a, np.diag([0.0, 0.0, 2.0 * 10.0**2 / tau]), t)
    c = coefficients(tau=tau, sigma=10.0, t=t)
    got = [c[motion.POSITION_FROM_ACCELERATION], c[motion.VELOCITY_FROM_ACCELERATION], c[motion.KEEP]]
    np.testing.assert_allclose(got, f[:, 2], rtol=1e-11)
    # the closed form is used down to alpha T = 0.1, where it has lost about 1e-16 * 0.1^-5 = 1e-11 of q11;
    # expm itself loses some 1e-9 of the smallest elements
    np.testing.assert_allclose(noise(c), q, rtol=3e-8)


def test_singer_tends_to_constant_acceleration():
    # textbook form: q [[T^5/20, T^4/8, T^3/6], [., T^3/3, T^2/2], [., ., T]]; alpha T = 2e-9 apart
    t, q, tau = 2.0, 3.0, 1e9
    c = coefficients(tau=tau, sigma=np.sqrt(q * tau / 2.0), t=t)
    want = q * np.array(
        [[t**5 / 20, t**4 / 8, t**3 / 6], [t**4 / 8, t**3 / 3, t**2 / 2], [t**3 / 6, t**2 / 2, t]]
    )
    np.testing.assert_allclose(noise(c), want, rtol=1e-8)
    np.testing.assert_allclose(noise(coefficients(jerk=q, t=t)), want, rtol=1e-14)


def test_ballistic_carries_no_acceleration():
    mean = np.array([6.8e6, 1e5, 2e6, -1e3, 5e3, 2e3, 3.0, -4.0, 5.0])
    cov = np.diag(np.repeat([1e4, 1e2, 9.0], 3))
    still = mean.copy()
    still[6:] = 0.0
    for x in (mean, still):
        motion.predict(x, cov.copy(), coefficients(velocity=1e-4), 1.0, EARTH_MU)
    np.testing.assert_array_equal(mean, still)
    p = cov.copy()
    motion.predict(mean, p, coefficients(velocity=1e-4), 1.0, EARTH_MU)
    assert not p[6:].any()
    assert not p[:, 6:].any()


def test_mean_is_that_of_an_independent_integration():
    # free flight for 500 s in 5 s steps against DOP853 at 1e-12: RK4 at h = 5 s is good to centimetres
    x = np.array([5.2e6, 2.4e6, 3.6e6, -2500.0, 3000.0, 3500.0, 0.0, 0.0, 0.0])
    rate = lambda _, y: np.concatenate([y[3:], gravity(y[:3])])  # noqa: E731
    want = solve_ivp(rate, (0.0, 500.0), x[:6], method="DOP853", rtol=1e-12, atol=1e-6).y[:, -1]
    p = np.eye(9)
    c = coefficients(velocity=0.0, t=5.0)
    for _ in range(100):
        motion.predict(x, p, c, 5.0, EARTH_MU)
    assert np.linalg.norm(x[:3] - want[:3]) < 0.1
    assert np.linalg.norm(x[3:6] - want[3:]) < 1e-3


def test_covariance_is_the_jacobian_of_the_mean():
    # central differences of the mean give F; steps of 100 m, 1 m/s, 1 m/s2. F P F' + Q must follow to the size of
    # what the gradient leaves out (J2 and its change within the step: 0.2 % and 0.5 % of G t^2 / 2 = 2e-5)
    t = 5.0
    c = coefficients(tau=20.0, sigma=10.0, t=t)
    x = np.array([5.2e6, 2.4e6, 3.6e6, -2500.0, 3000.0, 3500.0, 8.0, -20.0, 15.0])
    step = np.repeat([100.0, 1.0, 1.0], 3)
    f = np.empty((9, 9))
    for i in range(9):
        ends = []
        for sign in (1.0, -1.0):
            y = x.copy()
            y[i] += sign * step[i]
            motion.predict(y, np.eye(9), c, t, EARTH_MU)
            ends.append(y)
        f[:, i] = (ends[0] - ends[1]) / (2.0 * step[i])
    rng = np.random.default_rng(1)
    a = rng.normal(size=(9, 9)) * np.repeat([300.0, 30.0, 5.0], 3)[:, None]
    p = a @ a.T
    got = p.copy()
    motion.predict(x.copy(), got, c, t, EARTH_MU)
    want = f @ p @ f.T + np.kron(noise(c), np.eye(3))
    scale = np.sqrt(np.outer(np.diag(want), np.diag(want)))
    assert np.abs((got - want) / scale).max() < 1e-6
    np.testing.assert_array_equal(got, got.T)


def test_a_long_gap_is_taken_in_steps():
    # without gravity the models are linear: 12 s at once (in three steps) = 12 steps of 1 s
    p0 = np.diag(np.repeat([1e4, 1e2, 9.0], 3))
    x0 = np.array([7e6, 0.0, 0.0, 0.0, 3e3, 0.0, 1.0, 2.0, 3.0])
    results = []
    for steps in (1, 12):
        mean = np.tile(x0, (1, 3, 1))
        cov = np.tile(p0, (1, 3, 1, 1))
        weight = np.array([[0.0, 0.0, 1.0]])
        info = np.zeros((1, 8), np.int64)
        info[0, LIVE] = 1
        models = np.array([[inf, 30.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1e-4], [20.0, 10.0, 0.0, 0.0]])
        for _ in range(steps):
            advance(mean, cov, weight, info, models, np.array([0.0, 0.0, inf]), 12.0 / steps, 0.0)
        results.append((mean[0, 2], cov[0, 2]))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-12)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-9, atol=1e-9)


def test_transition_probabilities():
    out = np.empty((3, 3))
    transition_probabilities(np.array([100.0, 400.0, 50.0]), 2.0, out)
    np.testing.assert_allclose(out.sum(axis=1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(np.diag(out), np.exp([-2 / 100, -2 / 400, -2 / 50]), rtol=1e-15)
    transition_probabilities(np.array([100.0, 0.0, 50.0]), 2.0, out)  # the second model is off
    assert out[0, 1] == out[2, 1] == 0.0
    np.testing.assert_allclose(out[[0, 2]].sum(axis=1), 1.0, rtol=1e-15)

"""Measurement updates against full matrices, numerical derivatives and published steady states."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from noroshi.tracking.columns import DETECTION_WIDTH, SCAN_WIDTH, M, R, V
from noroshi.tracking.measurement import gate, sight, update
from noroshi.tracking.parameters import Motion, parameters
from noroshi.tracking.transition import carry


def scan_row(r, v=(0.0, 0.0, 0.0), rotation=None):
    row = np.zeros(SCAN_WIDTH)
    row[R : R + 3] = r
    row[V : V + 3] = v
    row[M : M + 9] = (np.eye(3) if rotation is None else rotation).ravel()
    return row


def detection(az=0.0, el=0.0, distance=0.0, rate=0.0, sigmas=(inf, inf, inf, inf)):
    row = np.empty(DETECTION_WIDTH)
    row[:4] = az, el, distance, rate
    row[4:] = sigmas
    return row


def rotation(rng):
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


def measure(x, scan):
    """Azimuth, elevation, range, range rate of a state, by the definitions of tables.Scans."""
    d = scan[M : M + 9].reshape(3, 3).T @ (x[:3] - scan[R : R + 3])
    rho = np.linalg.norm(d)
    rate = (x[:3] - scan[R : R + 3]) @ (x[3:6] - scan[V : V + 3]) / rho
    return np.array([np.arctan2(d[1], d[0]), np.arcsin(d[2] / rho), rho, rate])


def jacobian(x, scan):
    out = np.empty((4, 9))
    for i in range(9):
        step = np.zeros(9)
        step[i] = 10.0 if i < 3 else 1.0
        out[:, i] = (measure(x + step, scan) - measure(x - step, scan)) / (2.0 * step[i])
    return out


def state(rng, scale=(300.0, 30.0, 5.0)):
    x = np.concatenate([rng.normal(size=3) * 1e6, rng.normal(size=3) * 3e3, rng.normal(size=3) * 10.0])
    a = rng.normal(size=(9, 9)) * np.repeat(scale, 3)[:, None]
    return x, a @ a.T + np.diag(np.repeat(scale, 3))


def test_sight_gives_the_directions_of_growing_angles():
    rng = np.random.default_rng(2)
    for _ in range(50):
        x, _ = state(rng)
        scan = scan_row(rng.normal(size=3) * 3e6, rotation=rotation(rng))
        u, e_az, e_el = np.empty(3), np.empty(3), np.empty(3)
        rho = sight(x, scan, u, e_az, e_el)
        basis = np.stack([e_az, e_el, u])
        np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-14)
        h = jacobian(x, scan)
        el = measure(x, scan)[1]
        np.testing.assert_allclose(h[0, :3] * np.cos(el) * rho, e_az, atol=1e-6)
        np.testing.assert_allclose(h[1, :3] * rho, e_el, atol=1e-6)


def second_order(x, p, scan):
    """What the uncertain range adds to a pair of angles, across the line of sight: covariance [2, 2] and mean [2].

    The angle of azimuth is e.d / |d|, whose Hessian is -(e u' + u e') / rho^2: half the trace of the products.
    """
    u, e_az, e_el = np.empty(3), np.empty(3), np.empty(3)
    rho = sight(x, scan, u, e_az, e_el)
    hessians = [-(np.outer(e, u) + np.outer(u, e)) / rho**2 for e in (e_az, e_el)]
    q = p[:3, :3]
    cov = np.array([[0.5 * np.trace(a @ q @ b @ q) for b in hessians] for a in hessians])
    return cov, np.array([0.5 * np.trace(a @ q) for a in hessians])


@pytest.mark.parametrize("parts", [(0, 1), (0, 1, 2), (0, 1, 2, 3), (2,), (0,), (1, 2), (2, 3)])
def test_update_is_the_textbook_one(parts):
    # one joint update with the full Jacobian by differences; noise-free, so that the sequential form linearises
    # at the same place. Angles through a tangent plane differ in second order: y^2 ~ (3e-5)^2
    rng = np.random.default_rng(3)
    x, p = state(rng)
    scan = scan_row([2e6, -1e6, 1.5e6], v=(100.0, 7000.0, 0.0), rotation=rotation(rng))
    z = measure(x, scan)
    sigma = np.array([1e-4, 2e-4, 20.0, 3.0])
    given = np.full(4, inf)
    given[list(parts)] = sigma[list(parts)]
    h = jacobian(x, scan)[list(parts)]
    noise = np.diag(sigma[list(parts)] ** 2)
    shift = np.zeros(len(parts))
    if parts[:2] == (0, 1):  # both angles: second-order terms of the uncertain range
        across = np.array([np.cos(z[1]), 1.0])
        cov, mean = second_order(x, p, scan)
        noise[:2, :2] += cov / np.outer(across, across)
        shift[:2] = -mean / across
    s = h @ p @ h.T + noise
    k = p @ h.T @ np.linalg.inv(s)
    joseph = (np.eye(9) - k @ h) @ p @ (np.eye(9) - k @ h).T + k @ noise @ k.T
    got_x, got_p = x.copy(), p.copy()
    value = update(got_x, got_p, scan, detection(*z, sigmas=given))
    np.testing.assert_allclose(got_x, x + k @ shift, atol=1e-5)
    scale = np.sqrt(np.outer(np.diag(p), np.diag(p)))
    assert np.abs((got_p - joseph) / scale).max() < 1e-6
    np.testing.assert_array_equal(got_p, got_p.T)
    want = -0.5 * (np.linalg.slogdet(s)[1] + len(parts) * np.log(2 * np.pi))
    if set(parts) & {0}:  # the likelihood is per radian across the line of sight, not of azimuth
        want -= np.log(np.cos(z[1]))
    assert value == pytest.approx(want, abs=1e-4)


def test_gate_is_the_distance_of_the_innovation():
    rng = np.random.default_rng(4)
    x, p = state(rng)
    scan = scan_row([2e6, -1e6, 1.5e6], rotation=rotation(rng))
    sigma = np.array([1e-4, 2e-4, 20.0, inf])
    z = measure(x, scan)
    shift = np.array([3e-4, -2e-4, 50.0, 0.0])
    h = jacobian(x, scan)[:3]
    s = h @ p @ h.T + np.diag(sigma[:3] ** 2)
    d2, _ = gate(x, p, scan, detection(*(z + shift), sigmas=sigma))
    assert d2 == pytest.approx(
        shift[:3] @ np.linalg.solve(s, shift[:3]), rel=2e-3
    )  # tangent plane: order shift
    far = z.copy()
    far[0] += np.pi  # the far side has the same tangent-plane coordinates: must not pass
    assert gate(x, p, scan, detection(*far, sigmas=(1e-4, 2e-4, inf, inf)))[0] == inf


def test_triangle_is_joseph_over_3000_updates_in_poor_geometry():
    # measured elsewhere: the unsymmetrised full form fails after 45-180 frames; two satellites 3 degrees apart, 50 urad
    model = parameters(
        Motion("constant-acceleration", "boost", sigma_m_s2=30.0, jerk_psd_m2_s5=5.0, gravity=False)
    )
    work = np.empty((5, 9, 9))
    f, q = np.eye(9), np.zeros((9, 9))
    for i in range(3):
        f[i, 3 + i] = f[3 + i, 6 + i] = 1.0
        f[i, 6 + i] = 0.5
    one = np.array([[1 / 20, 1 / 8, 1 / 6], [1 / 8, 1 / 3, 1 / 2], [1 / 6, 1 / 2, 1.0]]) * 5.0
    q = np.kron(one, np.eye(3))
    rng = np.random.default_rng(5)
    x = np.array([6.4e6, 0.0, 0.0, 0.0, 3e3, 0.0, 0.0, 0.0, 0.0])
    p = np.diag(np.repeat([1e3, 1e2, 30.0], 3) ** 2)
    joseph = p.copy()
    sensors = [np.array([7.4e6, 2.0e6 + a, 5e5]) for a in (0.0, 1.2e5)]
    worst = 0.0
    for _ in range(1600):
        carry(x, p, 1.0, model, work)
        joseph = f @ joseph @ f.T + q
        for s in sensors:
            scan = scan_row(s + np.array([0.0, x[1], 0.0]), rotation=rotation(rng))  # sensors keep abreast
            z = measure(x, scan)
            sigma = np.array([50e-6 / np.cos(z[1]), 50e-6])
            u, e_az, e_el = np.empty(3), np.empty(3), np.empty(3)
            rho = sight(x, scan, u, e_az, e_el)
            h = np.zeros((2, 9))
            h[:, :3] = np.stack([e_az, e_el]) / rho
            noise = np.eye(2) * 50e-6**2 + second_order(x, joseph, scan)[0]
            k = np.linalg.solve(h @ joseph @ h.T + noise, h @ joseph).T
            a = np.eye(9) - k @ h
            joseph = a @ joseph @ a.T + k @ noise @ k.T
            update(x, p, scan, detection(z[0], z[1], sigmas=(*sigma, inf, inf)))
            scale = np.sqrt(np.outer(np.diag(joseph), np.diag(joseph)))
            worst = max(worst, np.abs((p - joseph) / scale).max())
    assert worst < 1e-6
    np.testing.assert_array_equal(p, p.T)
    assert np.linalg.eigvalsh(p)[0] > 0.0


# V-604, DARE in closed form: near-constant velocity with white acceleration, T = 1 s; gains and steady sigmas (the
# solution of the Riccati equation, six digits given)
@pytest.mark.parametrize(
    ("q", "sigma", "gains", "sigmas"),
    [
        (1.0, 100.0, (0.131877, 0.00931731), (36.3148, 3.69512)),
        (5.0, 40.0, (0.284211, 0.0472953), (21.3246, 5.24847)),
    ],
)
def test_steady_state_of_near_constant_velocity(q, sigma, gains, sigmas):
    model = parameters(Motion("constant-acceleration", "boost", velocity_psd_m2_s3=q, gravity=False))
    work = np.empty((5, 9, 9))
    x = np.array([7e6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    p = np.diag(np.repeat([1e3, 1e2, 0.0], 3) ** 2)
    scan = scan_row([0.0, 0.0, 0.0])
    for _ in range(400):
        carry(x, p, 1.0, model, work)
        s = p[0, 0] + sigma**2
        got = p[0, 0] / s, p[0, 3] / s
        update(x, p, scan, detection(distance=7e6, sigmas=(inf, inf, sigma, inf)))
    np.testing.assert_allclose(got, gains, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt([p[0, 0], p[3, 3]]), sigmas, rtol=1e-5)

"""The Cramer-Rao bound against closed forms, Riccati steady states, and the HGT-24 geometry's measured bound."""

from __future__ import annotations

from math import inf

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.linalg import solve_discrete_are

from noroshi.sensors import triangulation
from noroshi.tracking import bound
from noroshi.tracking.bound import Stations

SIGMA, RANGE = 50e-6, 2_000e3


def steady(f: np.ndarray, q: np.ndarray, h: np.ndarray, r: float, steps: int = 4000) -> np.ndarray:
    """Bound of a scalar measurement long after the start."""
    d = len(f)
    measured = np.broadcast_to(h[:, None] * h[None] / r, (steps, d, d))
    return bound.recursion(f, q, measured, np.eye(d) * 1e4 * r)[-1]


@pytest.mark.parametrize(("index", "alpha", "beta"), [(0.1, 0.36, 0.08), (1.0, 0.75, 0.5)])
def test_v603_kalata(index, alpha, beta):
    """V-603 (P. R. Kalata, "The tracking index", IEEE Trans. AES-20, 1984): piecewise constant acceleration."""
    t, sigma = 2.0, 30.0
    sigma_w = index * sigma / t**2
    g = np.array([t**2 / 2, t])
    f = np.array([[1.0, t], [0.0, 1.0]])
    p = steady(f, sigma_w**2 * np.outer(g, g), np.array([1.0, 0.0]), sigma**2)
    assert p[:, 0] / sigma**2 == pytest.approx([alpha, beta / t], rel=1e-9)


@pytest.mark.parametrize(
    ("q", "r", "gain", "sigma"),
    [
        (1.0, 100.0, (0.131877, 0.00931731), (36.3148, 3.69512)),
        (5.0, 40.0, (0.284211, 0.0472953), (21.3246, 5.24847)),
    ],
)
def test_v604_constant_velocity(q, r, gain, sigma):
    """V-604: nearly constant velocity, T = 1 s; and the Riccati solver of another library to 1e-9."""
    f = np.array([[1.0, 1.0], [0.0, 1.0]])
    noise = q * np.array([[1 / 3, 1 / 2], [1 / 2, 1.0]])
    h = np.array([1.0, 0.0])
    p = steady(f, noise, h, r**2)
    assert p[:, 0] / r**2 == pytest.approx(gain, rel=1e-5)
    assert np.sqrt(np.diag(p)) == pytest.approx(sigma, rel=1e-5)
    ahead = solve_discrete_are(f.T, h[:, None], noise, np.array([[r**2]]))
    assert p == pytest.approx(np.linalg.inv(np.linalg.inv(ahead) + np.outer(h, h) / r**2), rel=1e-9)


def test_the_general_form_of_a_linear_motion_is_the_covariance_form():
    """And with the Jacobians of several runs that differ, D11 is a mean of squares, not the square of a mean."""
    f, q = bound.constant_acceleration(1.0, 5.0)
    rng = np.random.default_rng(1)
    h = rng.normal(size=(50, 9, 2)) * 1e-2
    measured = h @ h.transpose(0, 2, 1)
    start = np.diag(np.repeat([1e3, 100.0, 30.0], 3) ** 2)
    p = bound.recursion(f, q, measured, start)
    j = bound.general(bound.terms(np.broadcast_to(f, (3, 50, 9, 9)), q, measured), np.linalg.inv(start))
    assert np.linalg.inv(j) == pytest.approx(p, rel=1e-6, abs=1e-6)
    one = bound.terms(np.array([[[[2.0]]], [[[4.0]]]]), np.eye(1), np.zeros((1, 1, 1)))
    assert (one.d11.item(), one.d12.item(), one.d22.item()) == (10.0, -3.0, 1.0)


def test_batches_are_what_each_would_be_alone():
    f, q = bound.constant_acceleration(np.full((4, 6), 1.0), np.arange(24.0).reshape(4, 6))
    rng = np.random.default_rng(2)
    h = rng.normal(size=(4, 6, 9, 3))
    measured = h @ h.transpose(0, 1, 3, 2)
    start = np.tile(np.eye(9), (4, 1, 1)) * np.arange(1, 5)[:, None, None]
    together = bound.recursion(f, q, measured, start)
    for k in range(4):
        assert bound.recursion(f[k], q[k], measured[k], start[k]) == pytest.approx(together[k], rel=1e-12)


@pytest.mark.parametrize("separation_deg", [5.0, 45.0, 90.0, 150.0])
def test_two_lines_of_sight(separation_deg):
    """R sigma sqrt(1/2 + 2 / sin^2 psi), and the same again with its velocity unknown but for one look each."""
    half = np.radians(separation_deg) / 2
    lines = np.array([[np.cos(half), np.sin(half), 0.0], [np.cos(half), -np.sin(half), 0.0]])
    found = bound.information(np.zeros(3), np.zeros(3), Stations(-RANGE * lines, SIGMA, SIGMA)).sum(0)
    assert not found[3:].any()
    rss = np.sqrt(np.trace(np.linalg.inv(found[:3, :3])))
    assert rss == pytest.approx(triangulation.rss_of_two(RANGE * SIGMA, 2 * half), rel=1e-9)
    assert np.linalg.inv(found[:3, :3]) == pytest.approx(
        triangulation.covariance(lines, RANGE, SIGMA), rel=1e-9, abs=1e-6
    )


def measure(x: np.ndarray, place: np.ndarray, speed: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Azimuth, elevation, range, range rate, written out as the tables define them."""
    d = m.T @ (x[:3] - place)
    rho = np.linalg.norm(d)
    rate = (x[:3] - place) @ (x[3:] - speed) / rho
    return np.array([np.arctan2(d[1], d[0]), np.arcsin(d[2] / rho), rho, rate])


@pytest.mark.parametrize("measured", [(0, 1), (0, 1, 2), (0, 1, 2, 3), (2, 3), (1,)])
def test_information_is_the_jacobian_of_the_measurement(measured):
    """Numerical derivatives of azimuth, elevation, range and range rate, to the error of the differences (1e-6)."""
    rng = np.random.default_rng(3)
    m, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    place, speed = rng.normal(size=3) * 1e6, rng.normal(size=3) * 1e3
    x = np.concatenate([rng.normal(size=3) * 1e6, rng.normal(size=3) * 1e3])
    sigma = np.array([2e-3, 1e-3, 30.0, 5.0])
    given = np.where(np.isin(range(4), measured), sigma, inf)
    step = np.repeat([10.0, 1.0], 3)
    h = np.stack(
        [
            (measure(x + e, place, speed, m) - measure(x - e, place, speed, m)) / (2 * np.abs(e).sum())
            for e in np.diag(step)
        ],
        1,
    )
    expected = h.T @ np.diag(1 / given**2) @ h
    stations = Stations(place, given[0], given[1], 1.0, given[2], given[3], speed, m)
    found = bound.information(x[:3], x[3:], stations)
    scale = np.sqrt(np.diag(expected))
    scale = np.where(scale > 0, scale, 1.0)
    assert found / np.outer(scale, scale) == pytest.approx(expected / np.outer(scale, scale), abs=1e-5)


def test_angle_sigmas_that_differ_need_axes():
    with pytest.raises(ValueError, match="frame_from_sensor"):
        bound.information(np.ones(3), np.zeros(3), Stations(np.zeros(3), 1e-3, 2e-3))


def test_what_is_overhead_has_no_azimuth():
    """At the pole of the sensor's axes both directions across count with the elevation's sigma: no nan, no infinity."""
    stations = Stations(np.zeros(3), 1e-3, 2e-3, frame_from_sensor=np.eye(3))
    found = bound.information(np.array([0.0, 0.0, 1e3]), np.zeros(3), stations)
    assert found[:3, :3] == pytest.approx(np.diag([0.25, 0.25, 0.0]))


def test_no_look_leaves_the_prediction_and_detection_probability_scales():
    truth = np.full((3, 4, 9), 1e6)
    stations = Stations(np.zeros((2, 3)), SIGMA, SIGMA, np.array([0.5, 1.0]))
    seen = np.ones((3, 4, 2), bool)
    both = bound.expected_information(truth, stations, seen)
    seen[..., 1] = False
    seen[0] = False
    one = bound.expected_information(truth, stations, seen)
    assert one == pytest.approx(both * (0.5 * 2 / 3) / 1.5, rel=1e-12)
    f, q = bound.constant_acceleration(2.0, 3.0)
    p = bound.recursion(f, q, np.zeros((1, 9, 9)), np.eye(9))
    assert p[0] == pytest.approx(f @ f.T + q, rel=1e-12)


def test_hgt24_geometry(shared_data):
    """The T1 sensors of HGT-24, truth drawn from white jerk of 5 m2/s5 (tracking.md section 8, its figures measured).

    t = 31 and 61 s: 101.4 and 111.7 m, to the spread of 100 runs (four other seeds of 500: 101.41-101.42,
    111.67-111.72). Mean of frames 20-300: 117.9; flights then lie 1700 km apart, four other seeds of 500 runs give
    115.9 to 117.6, so 5 %.
    """
    table = pq.read_table(shared_data / "hgt24" / "HGT24_T1_sensors.parquet")
    s = {name: table[name].to_numpy().reshape(301, 24) for name in table.column_names}
    places = np.stack([s["x_m"], s["y_m"], s["z_m"]], -1)[1:]
    y, p = s["yaw_rad"][1:], s["pitch_rad"][1:]
    axes = [
        [np.cos(p) * np.cos(y), -np.sin(y), -np.sin(p) * np.cos(y)],
        [np.cos(p) * np.sin(y), np.cos(y), -np.sin(p) * np.sin(y)],
        [np.sin(p), 0 * y, np.cos(p)],
    ]
    m = np.moveaxis(np.array(axes), (0, 1), (-2, -1))
    first = pq.read_table(shared_data / "hgt24" / "HGT24_T1_truth.parquet").to_pydict()
    names = ["x_m", "y_m", "z_m", "vx_mps", "vy_mps", "vz_mps", "ax_mps2", "ay_mps2", "az_mps2"]
    runs = 100
    f, q = bound.constant_acceleration(1.0, 5.0)
    x = np.empty((runs, 301, 9))
    x[:, 0] = [first[name][0] for name in names]
    noise = np.random.default_rng(5).normal(size=(runs, 301, 9)) @ np.linalg.cholesky(q).T
    for k in range(1, 301):
        x[:, k] = x[:, k - 1] @ f.T + noise[:, k]
    stations = Stations(places, SIGMA, SIGMA, 0.9, frame_from_sensor=m)
    active = np.broadcast_to(s["active"].astype(bool)[1:], (runs, 300, 24))
    measured = bound.expected_information(x[:, 1:], stations, active)
    cov = bound.recursion(f, q, measured, np.diag(np.repeat([1e3, 100.0, 30.0], 3) ** 2))
    found = np.sqrt(np.trace(cov[:, :3, :3], axis1=1, axis2=2))
    assert found[30] == pytest.approx(101.4, abs=0.15)
    assert found[60] == pytest.approx(111.7, abs=0.3)
    assert found[19:].mean() == pytest.approx(117.9, rel=0.05)


def test_the_bound_over_detection_sequences_lies_above_that_of_expected_information():
    """Convexity (Hernandez et al. 2004); by hand for one step, position known to 1, looks of variance 1, P_D 0.5:
    half of 1 and half of 1/2 against 1/(1 + 0.5). 4000 draws of a spread of 0.25: 0.02 is five sigma."""
    truth = np.full((4000, 1, 9), 0.0)
    stations = Stations(np.array([[0.0, 0.0, -1.0]]), 1.0, 1.0, 0.5)
    seen = np.ones((4000, 1, 1), bool)
    still = (np.eye(9), np.zeros((9, 9)))
    p = bound.over_detections(truth, stations, seen, *still, np.eye(9), np.random.default_rng(0))
    quick = bound.recursion(*still, bound.expected_information(truth, stations, seen), np.eye(9))
    assert p[0, 0, 0] == pytest.approx(0.75, abs=0.02)
    assert quick[0, 0, 0] == pytest.approx(2 / 3, rel=1e-12)
    assert p[0, 2, 2] == 1.0  # along the line of sight nothing is learnt

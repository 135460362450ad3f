"""Biases considered and estimated, and wrong time tags: against full matrices and by Monte Carlo."""

from __future__ import annotations

from dataclasses import fields, replace
from math import inf

import numpy as np
import pytest
from scipy.stats import chi2

from noroshi.errors import DataError, ScenarioError
from noroshi.tables import Contributions, Detections, Scans, Status, Tracks
from noroshi.tracking.columns import DETECTION_WIDTH, SCAN_WIDTH, SENSOR, M, R, T, V
from noroshi.tracking.measurement import LOOK, S_AA, S_AE, S_AR, S_EE, S_ER, S_RR, look, update
from noroshi.tracking.models import Bias
from noroshi.tracking.parameters import Motion, parameters
from noroshi.tracking.registration import (
    carry_cross,
    estimate,
    look_biased,
    schmidt_update,
    timing_inflation,
)
from noroshi.tracking.transition import transition

MOTION = Motion("constant-acceleration", "boost", sigma_m_s2=10.0, jerk_psd_m2_s5=0.5)
PAR = parameters(MOTION)
START = np.array([6.6e6, 2e5, 3e5, 3000.0, -1000.0, 500.0, 0.0, 0.0, 0.0])
SPREAD = np.repeat([500.0, 50.0, 10.0], 3)


def scan_row(sensor, t, r, v=(0.0, 0.0, 0.0), rotation=None):
    row = np.zeros(SCAN_WIDTH)
    row[SENSOR], row[T] = sensor, t
    row[R : R + 3], row[V : V + 3] = r, v
    row[M : M + 9] = (np.eye(3) if rotation is None else rotation).ravel()
    return row


def measure(x, scan):
    """Azimuth, elevation, range, range rate of a state, by the definitions of tables.Scans."""
    d = scan[M : M + 9].reshape(3, 3).T @ (x[:3] - scan[R : R + 3])
    rho = np.linalg.norm(d)
    rate = (x[:3] - scan[R : R + 3]) @ (x[3:6] - scan[V : V + 3]) / rho
    return np.array([np.arctan2(d[1], d[0]), np.arcsin(d[2] / rho), rho, rate])


def sky(values):
    """The same with azimuth measured across the line of sight."""
    return values * np.array([np.cos(values[1]), 1.0, 1.0, 1.0])


def jacobian(x, scan):
    """Derivatives of azimuth across the line of sight, elevation, range, range rate."""
    out = np.empty((4, 9))
    for i in range(9):
        step = np.zeros(9)
        step[i] = 10.0 if i < 3 else 1.0
        out[:, i] = (measure(x + step, scan) - measure(x - step, scan)) / (2.0 * step[i])
    out[0] *= np.cos(measure(x, scan)[1])
    return out


def detection(values, sigma):
    """A row with these values; sigma of azimuth is across the line of sight."""
    row = np.empty(DETECTION_WIDTH)
    row[:4] = values
    row[4:] = sigma
    row[4] /= np.cos(values[1])
    return row


def rotation(rng):
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


def spread(rng):
    a = rng.normal(size=(9, 12)) * SPREAD[:, None]
    return a @ a.T / 12


@pytest.mark.parametrize("parts", [(0, 1), (0, 1, 2), (0, 1, 2, 3), (2,), (0,), (1, 2), (2, 3)])
def test_without_bias_it_is_the_usual_update(parts):
    rng = np.random.default_rng(1)
    sigma = np.full(4, inf)
    sigma[list(parts)] = np.array([1e-4, 2e-4, 20.0, 3.0])[list(parts)]
    for sensors in (0, 2):
        scan = scan_row(1, 0.0, [7.5e6, 1e6, 2e5], [0.0, 7e3, 0.0], rotation(rng))
        x, p = START.copy(), spread(rng)
        det = detection(measure(START + SPREAD * rng.normal(size=9), scan), sigma)
        want_x, want_p = x.copy(), p.copy()
        want = update(want_x, want_p, scan, det)
        cross = np.zeros((sensors, 9, 3))
        value = schmidt_update(x, p, cross, np.zeros((sensors, 3)), 1, 0.0, scan, det)
        # rounding: angles in turn here, together there
        assert np.abs((x - want_x) / SPREAD).max() < 1e-9
        assert np.abs((p - want_p) / np.outer(SPREAD, SPREAD)).max() < 1e-9
        assert value == pytest.approx(want, abs=1e-9)
        np.testing.assert_array_equal(p, p.T)
        np.testing.assert_array_equal(cross, 0.0)


def test_it_is_the_schmidt_filter_in_joseph_form_over_many_steps():
    # the full covariance of state and biases, the biases' gain set to nought, in the form that holds for any gain;
    # ranges and azimuths of two biased sensors and one without, noise-free so that both linearise in the same places
    rng = np.random.default_rng(2)
    bias = np.array([[1e-4, 2e-4, 50.0], [0.0, 0.0, 0.0], [3e-4, 1e-4, 0.0]]) ** 2
    places = np.array([[7.5e6, 1e6, 2e5], [6.5e6, -9e5, 3e5], [6.9e6, 8e5, -8e5], [7.0e6, 0.0, 1.2e6]])
    turns = [rotation(rng) for _ in places]
    x, p, cross = START.copy(), spread(rng), np.zeros((3, 9, 3))
    full = np.zeros((18, 18))
    full[:9, :9] = p
    full[range(9, 18), range(9, 18)] = bias.ravel()
    f, q, column = np.empty((9, 9)), np.empty((9, 9)), np.empty(9)
    for step in range(40):
        transition(x, 1.0, PAR, f, q)
        p = f @ p @ f.T + q
        p = 0.5 * (p + p.T)
        carry_cross(cross, f, column)
        full_f = np.eye(18)
        full_f[:9, :9] = f
        full = full_f @ full @ full_f.T
        full[:9, :9] += q
        for s, (place, turn) in enumerate(zip(places, turns, strict=True)):
            scan = scan_row(s, step, place, rotation=turn)
            part = (step + s) % 3
            sigma = np.full(4, inf)
            sigma[part] = (1e-4, 1e-4, 20.0)[part]
            h = np.zeros(18)
            h[:9] = jacobian(x, scan)[part]
            if s < 3:
                h[9 + 3 * s + part] = 1.0
            schmidt_update(x, p, cross, bias, s, 0.0, scan, detection(measure(x, scan), sigma))
            k = full @ h / (h @ full @ h + sigma[part] ** 2)
            k[9:] = 0.0
            a = np.eye(18) - np.outer(k, h)
            full = a @ full @ a.T + sigma[part] ** 2 * np.outer(k, k)
    scale = np.sqrt(np.diag(full))
    scale[scale == 0.0] = 1.0
    # 1e-6: derivatives by differences
    assert np.abs((p - full[:9, :9]) / np.outer(scale[:9], scale[:9])).max() < 1e-6
    got = cross.transpose(1, 0, 2).reshape(9, 9)
    assert np.abs((got - full[:9, 9:]) / np.outer(scale[:9], scale[9:])).max() < 1e-6
    assert np.abs(got / np.outer(scale[:9], scale[9:])).max() > 0.3  # there was something to compare
    np.testing.assert_array_equal(p, p.T)


def test_timing_inflation_is_the_rate_of_what_is_measured():
    rng = np.random.default_rng(3)
    x = START.copy()
    scan = scan_row(0, 0.0, [7.5e6, 1e6, 2e5], [1e3, 7e3, -2e3], rotation(rng))
    out = np.empty(4)
    timing_inflation(x, scan, 0.02, np.empty(9), out)
    moved = []
    for t in (-1.0, 1.0):
        y, later = x.copy(), scan.copy()
        y[:3] += t * x[3:6]
        later[R : R + 3] += t * scan[V : V + 3]
        moved.append(measure(y, later))
    rate = (moved[1] - moved[0]) / 2.0
    rate[0] *= np.cos(measure(x, scan)[1])
    np.testing.assert_allclose(out, 0.02 * rate, rtol=1e-4)  # third derivatives over +-1 s


@pytest.mark.parametrize("parts", [(0, 1), (0, 1, 2), (0, 1, 2, 3), (1,), (0, 2, 3)])
def test_a_time_tag_is_noise_common_to_all_parts(parts):
    # one joint update with R + r r'
    rng = np.random.default_rng(4)
    scan = scan_row(0, 0.0, [7.5e6, 1e6, 2e5], [1e3, 7e3, -2e3], rotation(rng))
    x, p = START.copy(), spread(rng)
    sigma = np.full(4, inf)
    parts = list(parts)
    sigma[parts] = np.array([5e-5, 5e-5, 20.0, 3.0])[parts]
    rates = np.empty(4)
    timing_inflation(x, scan, 0.02, np.empty(9), rates)
    r = np.diag(sigma[parts] ** 2) + np.outer(rates[parts], rates[parts])
    h = jacobian(x, scan)[parts]
    s = h @ p @ h.T + r
    want = p - p @ h.T @ np.linalg.solve(s, h @ p)
    cross = np.zeros((0, 9, 3))
    value = schmidt_update(x, p, cross, np.zeros((0, 3)), 0, 0.02, scan, detection(measure(x, scan), sigma))
    assert np.abs((p - want) / np.outer(SPREAD, SPREAD)).max() < 1e-6  # derivatives by differences
    assert value == pytest.approx(-0.5 * (np.linalg.slogdet(s)[1] + len(parts) * np.log(2 * np.pi)), abs=1e-4)


def test_the_gate_knows_of_biases_and_time_tags():
    rng = np.random.default_rng(5)
    scan = scan_row(1, 0.0, [7.5e6, 1e6, 2e5], [1e3, 7e3, -2e3], rotation(rng))
    p = spread(rng)
    bias = np.array([[1e-4, 1e-4, 10.0], [2e-4, 1e-4, 50.0]]) ** 2
    cross = rng.normal(size=(2, 9, 3)) * 0.1 * SPREAD[:, None] * np.sqrt(bias)[:, None, :]
    row = np.empty(LOOK)
    look(START, p, scan, row)
    look_biased(row, START, cross, bias, 1, 0.01, scan)
    h = jacobian(START, scan)[:3]
    rates = np.empty(4)
    timing_inflation(START, scan, 0.01, np.empty(9), rates)
    hc = h @ cross[1]
    want = h @ p @ h.T + hc + hc.T + np.diag(bias[1]) + np.outer(rates[:3], rates[:3])
    got = np.array(
        [
            [row[S_AA], row[S_AE], row[S_AR]],
            [row[S_AE], row[S_EE], row[S_ER]],
            [row[S_AR], row[S_ER], row[S_RR]],
        ]
    )
    scale = np.sqrt(np.diag(want))
    assert np.abs((got - want) / np.outer(scale, scale)).max() < 1e-6


# Monte Carlo: targets that move as the model says, satellites that pass by

ORBITS = [  # position and velocity at t = 0; straight lines will do
    (np.array([7.5e6, -4e5, 2e5]), np.array([0.0, 7e3, 1e3])),
    (np.array([7.1e6, 1.2e6, 3e5]), np.array([1e3, 0.0, 7e3])),
    (np.array([7.2e6, -7e5, -8e5]), np.array([-1e3, 5e3, 5e3])),
    (np.array([7.4e6, 2e5, 1.3e6]), np.array([0.0, -5e3, 5e3])),
]


def flight(rng, steps, start=START, wobble=1.0):
    """States of a target at whole seconds, the first drawn about `start`."""
    x = start + SPREAD * rng.normal(size=9)
    f, q = np.empty((9, 9)), np.empty((9, 9))
    out = [x.copy()]
    for _ in range(steps - 1):
        transition(x, 1.0, PAR, f, q)
        values, vectors = np.linalg.eigh(q)
        x = x + wobble * vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.normal(size=9))
        out.append(x.copy())
    return np.array(out)


def observed(rng, x, sensor, t, bias=(0.0, 0.0, 0.0), tag=0.0, sigma=(50e-6, 50e-6, inf, inf), turn=None):
    """Scan and detection of a satellite's look made `tag` seconds after the time written on it."""
    r, v = ORBITS[sensor]
    rows = [scan_row(sensor, t, r + v * s, v, turn) for s in (t, t + tag)]
    y = x.copy()
    y[:3] += tag * x[3:6]
    values = measure(y, rows[1])
    sigma = np.asarray(sigma)
    noise = np.where(np.isinf(sigma), 0.0, sigma) * rng.normal(size=4) + np.array([*bias, 0.0])
    noise[0] /= np.cos(values[1])
    return rows[0], detection(values + noise, sigma)


def filtered(rng, runs, bias_sigma, tag_sigma, told_bias, told_tag):
    """NEES over position and velocity at the end of `runs` filters of 30 s, all four satellites every second."""
    turns = [rotation(rng) for _ in ORBITS]
    told = np.tile(told_bias, (len(ORBITS), 1)) ** 2
    f, q, column = np.empty((9, 9)), np.empty((9, 9)), np.empty(9)
    out = np.empty(runs)
    for run in range(runs):
        truth = flight(rng, 30)
        biases = rng.normal(size=(len(ORBITS), 3)) * bias_sigma
        x, p, cross = START.copy(), np.diag(SPREAD**2), np.zeros((len(ORBITS), 9, 3))
        for n in range(1, 30):
            transition(x, 1.0, PAR, f, q)
            p = f @ p @ f.T + q
            p = 0.5 * (p + p.T)
            carry_cross(cross, f, column)
            for s in range(len(ORBITS)):
                tag = tag_sigma * rng.normal()
                scan, det = observed(rng, truth[n], s, float(n), biases[s], tag, turn=turns[s])
                schmidt_update(x, p, cross, told, s, told_tag, scan, det)
        e = (x - truth[-1])[:6]
        out[run] = e @ np.linalg.solve(p[:6, :6], e)
    return out


def bounds(dof):
    """Where the mean of chi-square / dof lies but for a chance of 1e-6."""
    return chi2.ppf([5e-7, 1.0 - 5e-7], dof) / dof


def test_considered_biases_keep_the_filter_honest():
    sigma = np.array([200e-6, 200e-6, 0.0])
    low, high = bounds(6 * 120)
    assert low < filtered(np.random.default_rng(6), 120, sigma, 0.0, sigma, 0.0).mean() / 6.0 < high
    # four times the noise in every line of sight, taken for white: too sure by an order of magnitude
    assert filtered(np.random.default_rng(6), 40, sigma, 0.0, 0.0 * sigma, 0.0).mean() / 6.0 > 5.0


def test_considered_time_tags_keep_the_filter_honest():
    # 20 ms at 7 km/s: 140 m, as much again as 50 urad at 1000 km and more
    none = np.zeros(3)
    low, high = bounds(6 * 120)
    assert low < filtered(np.random.default_rng(7), 120, none, 0.02, none, 0.02).mean() / 6.0 < high
    assert filtered(np.random.default_rng(7), 40, none, 0.02, none, 0.0).mean() / 6.0 > 1.5


# estimation


def blank(table, count, **columns):
    """A table with these columns and noughts in all others."""
    return table(**{f.name: columns.get(f.name, np.zeros(count, np.int64)) for f in fields(table)})


def record(rng, biases, steps=40, targets=3, kinds=None, tag_sigma=0.0):
    """Tables of a few targets seen by all sensors every second; the tracks' rows are off by a few hundred metres."""
    scans, dets, uses, of_tracks = [], [], [], []
    for k in range(targets):
        place = START + np.array([0.0, 1.5e5 * k, -1e5 * k, 0.0, 400.0 * k, 0.0, 0.0, 0.0, 0.0])
        truth = flight(rng, steps, place)
        off = np.concatenate(
            [rng.normal(size=3) * 300.0, rng.normal(size=3) * 20.0, rng.normal(size=3) * 3.0]
        )
        of_tracks.append((np.full(steps, k), np.arange(float(steps)), truth + off))
        for n in range(steps):
            for s in range(len(biases)):
                sigma = (50e-6, 50e-6, inf, inf) if kinds is None else kinds[s]
                tag = tag_sigma * rng.normal()
                scan, det = observed(rng, truth[n], s, float(n), biases[s], tag, sigma)
                uses.append((k, float(n), len(dets)))
                scans.append(scan)
                dets.append(det)
    packed, rows = np.array(scans), np.array(dets)
    count = len(scans)
    scan_table = blank(
        Scans, count, scan=np.arange(count), sensor=packed[:, SENSOR].astype(np.int64), t_event=packed[:, T],
        r_gcrs=packed[:, R : R + 3], v_gcrs=packed[:, V : V + 3],
        q_gcrs_from_sensor=np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
    )  # fmt: skip
    names = ["az_rad", "el_rad", "range_m", "range_rate_m_s"]
    columns = dict(zip(names + [f"sigma_{n}" for n in names], rows.T, strict=True))
    detections = blank(Detections, count, detection=np.arange(count), scan=np.arange(count), **columns)
    track, t, mean = (np.concatenate(c) for c in zip(*of_tracks, strict=True))
    tracks = blank(
        Tracks, len(t), track=track, t=t, mean=mean, status=np.full(len(t), Status.CONFIRMED, np.int8)
    )
    track, t, detection = (np.array(c) for c in zip(*uses, strict=True))
    return scan_table, detections, tracks, blank(Contributions, count, track=track, t=t, detection=detection)


def test_a_bias_of_200_urad_is_found_among_four_satellites():
    rng = np.random.default_rng(8)
    biases = np.zeros((4, 3))
    biases[2, :2] = 200e-6, -200e-6
    prior = tuple(Bias(s, 300e-6, 300e-6) for s in range(4))
    out = estimate(MOTION, prior, *record(rng, biases))
    assert out.tracks == 3
    assert out.detections == 3 * 40 * 4
    np.testing.assert_array_equal(out.sensor, np.repeat(np.arange(4), 2))
    np.testing.assert_array_equal(out.part, np.tile([0, 1], 4))
    want = np.array([biases[s, c] for s, c in zip(out.sensor, out.part, strict=True)])
    sigma = np.sqrt(np.diag(out.cov))
    assert np.abs((out.value - want) / sigma).max() < 4.5  # chance 5e-5; deterministic
    assert sigma.max() < 60e-6
    assert np.all(np.abs(out.value[4:6]) > 2.0 * np.abs(np.delete(out.value, [4, 5])).max())


def test_a_range_bias_of_50_m_is_found_by_two_other_radars():
    rng = np.random.default_rng(9)
    biases = np.zeros((3, 3))
    biases[1, 2] = 50.0
    kinds = [(200e-6, 200e-6, 10.0, inf)] * 3
    out = estimate(
        MOTION, tuple(Bias(s, 0.0, 0.0, 100.0) for s in range(3)), *record(rng, biases, kinds=kinds)
    )
    np.testing.assert_array_equal(out.part, 2)
    sigma = np.sqrt(np.diag(out.cov))
    assert np.abs((out.value - biases[:, 2]) / sigma).max() < 4.5
    assert sigma.max() < 20.0
    # and with the other two known. They give two coordinates of three to 10 m / sqrt(40); the third comes from angles:
    # 200 urad at 1000 km and 120 looks at each of three targets, 200 m / sqrt(360) = 10 m
    sure = estimate(MOTION, (Bias(1, 0.0, 0.0, 100.0),), *record(rng, biases, kinds=kinds))
    assert sure.value[0] == pytest.approx(50.0, abs=4.5 * np.sqrt(sure.cov[0, 0]))
    assert sure.cov[0, 0] < 12.0**2


@pytest.mark.parametrize("tag_sigma", [0.0, 0.02])
def test_estimated_biases_are_as_good_as_they_say(tag_sigma):
    # NEES of all eight angles over independent runs, biases drawn from what is believed of them
    rng = np.random.default_rng(10)
    prior = tuple(Bias(s, 200e-6, 200e-6) for s in range(4))
    runs, total, bound = 60, 0.0, np.zeros(8)
    for _ in range(runs):
        biases = np.zeros((4, 3))
        biases[:, :2] = 200e-6 * rng.normal(size=(4, 2))
        tables = record(rng, biases, steps=20, targets=2, tag_sigma=tag_sigma)
        out = estimate(MOTION, prior, *tables, time_sigma_s=tag_sigma)
        e = out.value - biases[:, :2].ravel()
        total += e @ np.linalg.solve(out.cov, e)
        bound += np.sqrt(np.diag(out.cov)) / runs
    low, high = bounds(8 * runs)
    assert low < total / (8 * runs) < high
    assert bound.max() < 200e-6  # all of them were learnt about


def test_estimation_needs_only_what_belongs_together():
    rng = np.random.default_rng(11)
    biases = np.zeros((2, 3))
    scans, detections, tracks, used = record(rng, biases, steps=5, targets=1)
    out = estimate(MOTION, (), scans, detections, tracks, used)
    assert out.value.shape == (0,)
    tentative = replace(tracks, status=np.zeros(len(tracks.t), np.int8))
    prior = (Bias(1, 1e-4, 1e-4),)
    out = estimate(MOTION, prior, scans, detections, tentative, used)
    assert (out.tracks, out.detections) == (0, 0)
    np.testing.assert_array_equal(out.value, 0.0)
    np.testing.assert_allclose(out.cov, np.eye(2) * 1e-8)
    with pytest.raises(ScenarioError, match="one entry"):
        estimate(MOTION, prior + prior, scans, detections, tracks, used)
    with pytest.raises(ScenarioError, match="sigma -1"):
        estimate(MOTION, (Bias(0, -1.0, 0.0),), scans, detections, tracks, used)
    wrong = replace(used, detection=np.full(len(used.t), 99999))
    with pytest.raises(DataError, match="detection 99999"):
        estimate(MOTION, prior, scans, detections, tracks, wrong)

"""The smoother against batch least squares, the textbook recursion, all mode sequences, and by Monte Carlo."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise, product
from math import inf
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2
from synthetic_scans import boost_flight, layer, observe

from noroshi.errors import DataError
from noroshi.tables import Contributions, Detections, Scans, Status, Tracks, unpack_covariance
from noroshi.tracking import smooth as smoothing
from noroshi.tracking.columns import DETECTION_WIDTH, SCAN_WIDTH, M, R, T
from noroshi.tracking.measurement import update
from noroshi.tracking.mixture import transition_probabilities
from noroshi.tracking.parameters import Motion, parameters
from noroshi.tracking.presets import default_config
from noroshi.tracking.smooth import smooth, smooth_states
from noroshi.tracking.tracker import track
from noroshi.tracking.transition import meaning, prior, transition

# a rise from 220 km of height, seen from all round
SENSORS = np.array([[7.5e6, 0.0, 2e5], [6.5e6, 1.2e6, 3e5], [6.9e6, -8e5, 5e5]])
SIGMA = 50e-6
START = np.array([6.6e6, 2e5, 3e5, 3000.0, -1000.0, 500.0, 0.0, 0.0, 0.0])
SPREAD = np.diag(np.repeat([300.0, 50.0, 10.0], 3) ** 2)


def steady(jerk_psd_m2_s5, dwell_s=30.0, role="boost", gravity=False):
    """Constant acceleration."""
    return Motion(
        "constant-acceleration",
        role,
        dwell_s=dwell_s,
        sigma_m_s2=30.0,
        jerk_psd_m2_s5=jerk_psd_m2_s5,
        gravity=gravity,
    )


def free(velocity_psd_m2_s3, dwell_s=30.0):
    """Ballistic: its extras mean something else."""
    return Motion("ballistic", "ballistic", dwell_s=dwell_s, velocity_psd_m2_s3=velocity_psd_m2_s3)


def rows(*motions):
    return np.array([parameters(m) for m in motions])


def moved(x, t, par):
    f, q = np.empty((9, 9)), np.empty((9, 9))
    y = x.copy()
    transition(y, t, par, f, q)
    return y, f, q


def handed(rng, motion, mode, x):
    """The state with extras drawn from what the model believes of them."""
    extras, var = np.empty(3), np.empty(3)
    prior(motion[mode], extras, var)
    return np.concatenate([x[:6], extras + np.sqrt(var) * rng.normal(size=3)])


def scan_row(sensor, t, r):
    row = np.zeros(SCAN_WIDTH)
    row[0], row[T] = sensor, t
    row[R : R + 3] = r
    row[M : M + 9] = np.eye(3).ravel()
    return row


def look(rng, x, sensor, t):
    """A scan row and a detection row of a satellite's look at the state x."""
    d = x[:3] - SENSORS[sensor]
    az, el = np.arctan2(d[1], d[0]), np.arcsin(d[2] / np.linalg.norm(d))
    s = SIGMA / np.cos(el)
    det = np.array([az + s * rng.normal(), el + SIGMA * rng.normal(), 0.0, 0.0, s, SIGMA, inf, inf])
    return scan_row(sensor, t, SENSORS[sensor]), det


def flight(rng, motion, times, p_detect=0.8):
    """A target that switches between the models as they say: states, modes, scan rows, detection rows, groups."""
    models = len(motion)
    chances = np.empty((models, models))
    mode = rng.integers(models)
    x = START + np.sqrt(np.diag(SPREAD)) * rng.normal(size=9)
    states, modes, scans, dets, group = [x], [mode], [], [], [[0, 0]]
    if meaning(motion[mode]) != 0:
        x = handed(rng, motion, mode, x)
    for t0, t in pairwise(times):
        transition_probabilities(motion, t - t0, chances)
        before, mode = mode, rng.choice(models, p=chances[mode])
        if meaning(motion[mode]) != meaning(motion[before]):
            x = handed(rng, motion, mode, x)
        x, _, q = moved(x, t - t0, motion[mode])
        values, vectors = np.linalg.eigh(q)
        x = x + vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.normal(size=9))
        first = len(scans)
        for sensor in range(len(SENSORS)):
            if rng.random() < p_detect:
                scan, det = look(rng, x, sensor, t)
                scans.append(scan)
                dets.append(det)
        group.append([first, len(scans)])
        states.append(x)
        modes.append(mode)
    shape = (len(scans),)
    return (
        np.array(states),
        np.array(modes),
        np.array(scans).reshape(*shape, SCAN_WIDTH),
        np.array(dets).reshape(*shape, DETECTION_WIDTH),
        np.array(group),
    )


def begin(motion, mean=START, cov=SPREAD):
    """The same Gaussian for every model and even weights."""
    models = len(motion)
    means, covs = np.repeat(mean[None], models, 0), np.repeat(cov[None], models, 0)
    for m in range(models):
        if meaning(motion[m]) != 0:
            means[m], covs[m] = given_over(motion[m], mean, cov)
    return means, covs, np.full(models, 1.0 / models)


def given_over(par, mean, cov):
    """A Gaussian with the extras that the model believes in."""
    extras, var = np.empty(3), np.empty(3)
    prior(par, extras, var)
    out = np.zeros((9, 9))
    out[:6, :6] = cov[:6, :6]
    out[range(6, 9), range(6, 9)] = var
    return np.concatenate([mean[:6], extras]), out


def forward(motion, times, scans, dets, group, mean, cov, weight):
    """The filter's mixture at every node, and its predictions: from the smoother's own forward pass."""
    nodes, models = len(times), len(motion)
    x, p, w = np.empty((nodes, models, 9)), np.empty((nodes, models, 9, 9)), np.empty((nodes, models))
    x[0], p[0], w[0] = mean, cov, weight
    a, b, c, d, f = np.empty_like(x), np.empty_like(p), np.empty_like(x), np.empty_like(p), np.empty_like(p)
    smoothing._forward(motion, False, times, scans, dets, group, x, p, w, a, b, c, d, f)
    return x, p, w


def collapse(x, p, w):
    mean = np.einsum("...m,...ma->...a", w, x)
    d = x - mean[..., None, :]
    return mean, np.einsum("...m,...mab->...ab", w, p + d[..., :, None] * d[..., None, :])


def textbook(motion, times, scans, dets, group, mean, cov):
    """Extended Kalman filter along one sequence of models and the recursion of Rauch, Tung and Striebel (1965).

    States, covariances and log-likelihood. motion: the row in force up to each node.
    """
    xs, ps, ahead, cov_ahead, across = [mean.copy()], [cov.copy()], [mean], [cov], [np.eye(9)]
    value = 0.0
    for n in range(1, len(times)):
        x, p, keep = xs[-1], ps[-1], np.ones(9)
        if n > 1 and meaning(motion[n]) != meaning(motion[n - 1]):
            keep[6:] = 0.0
            x, p = given_over(motion[n], x, p)
        x, f, q = moved(x, times[n] - times[n - 1], motion[n])
        p = f @ p @ f.T + q
        p = 0.5 * (p + p.T)
        ahead.append(x.copy())
        cov_ahead.append(p.copy())
        across.append((ps[-1] * keep) @ f.T)
        for d in range(*group[n]):
            value += update(x, p, scans[d], dets[d])
        xs.append(x)
        ps.append(p)
    for n in range(len(times) - 2, -1, -1):
        live = np.diag(cov_ahead[n + 1]) > 0.0
        g = across[n + 1][:, live] @ np.linalg.inv(cov_ahead[n + 1][np.ix_(live, live)])
        xs[n] = xs[n] + g @ (xs[n + 1] - ahead[n + 1])[live]
        ps[n] = ps[n] + g @ (ps[n + 1] - cov_ahead[n + 1])[np.ix_(live, live)] @ g.T
    return np.array(xs), np.array(ps), value


def off(x, p, want_x, want_p):
    """Largest difference of means and covariances in units of the wanted sigmas."""
    s = np.sqrt(np.einsum("...ii->...i", want_p))
    return np.abs((x - want_x) / s).max(), np.abs((p - want_p) / (s[..., :, None] * s[..., None, :])).max()


def test_one_linear_model_is_batch_least_squares():
    # ranges from a sensor on the x axis of a target on it: exactly linear. The batch normal equations over the whole
    # path [node x 3] with the process noise and the start as observations; a gap of 4 nodes; uneven steps
    rng = np.random.default_rng(1)
    par = rows(steady(2.0))
    times = np.cumsum([0.0, 1.0, 0.5, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 3.0, 1.0, 0.5])
    mean, cov = np.zeros(9), np.diag(np.array([50.0, 3.0, 3.0, 20.0, 1.0, 1.0, 4.0, 1.0, 1.0]) ** 2)
    mean[[0, 3]] = 2e4, 100.0
    n = len(times)
    axis = [0, 3, 6]
    information, right = np.zeros((3 * n, 3 * n)), np.zeros(3 * n)
    information[:3, :3] += np.linalg.inv(cov[np.ix_(axis, axis)])
    nominal = [mean]  # unknowns are what the path departs from this one, for the sake of rounding
    for k in range(1, n):
        x, f, q = moved(nominal[-1], times[k] - times[k - 1], par[0])
        nominal.append(x)
        a = np.hstack([-f[np.ix_(axis, axis)], np.eye(3)])
        at = slice(3 * k - 3, 3 * k + 3)
        information[at, at] += a.T @ np.linalg.inv(q[np.ix_(axis, axis)]) @ a
    scans, dets, group = [], [], [[0, 0]]
    for k in range(1, n):
        first = len(scans)
        if not 5 <= k <= 8:
            measured, sigma = 2e4 + 90.0 * times[k] + 20.0 * rng.normal(), 20.0
            scans.append(scan_row(0, times[k], np.zeros(3)))
            dets.append([0.0, 0.0, measured, 0.0, inf, inf, sigma, inf])
            information[3 * k, 3 * k] += sigma**-2
            right[3 * k] += (measured - nominal[k][0]) / sigma**2
        group.append([first, len(scans)])
    want_p = np.linalg.inv(information)
    want_x = np.linalg.solve(information, right).reshape(n, 3) + np.array(nominal)[:, axis]
    x, p, w = smooth_states(
        par, False, times, np.array(scans), np.array(dets), np.array(group), mean[None], cov[None], np.ones(1)
    )
    blocks = np.array([want_p[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] for k in range(n)])
    # 1e-8 sigma: rounding in the batch's 36 x 36 normal equations, whose condition is 1e8 or so
    assert max(off(x[:, 0][:, axis], p[:, 0][:, axis][:, :, axis], want_x, blocks)) < 1e-8
    np.testing.assert_array_equal(w, 1.0)


def test_one_model_is_the_textbook_recursion():
    rng = np.random.default_rng(2)
    par = rows(steady(5.0))
    times = np.concatenate([np.arange(40.0), [50.0, 51.0, 55.0]])
    _, _, scans, dets, group = flight(rng, par, times)
    x, p, _ = smooth_states(par, False, times, scans, dets, group, *begin(par))
    want_x, want_p, _ = textbook(np.repeat(par, len(times), 0), times, scans, dets, group, START, SPREAD)
    # the same linearisation, so rounding alone: the inverse of a covariance of condition 1e9 or so
    assert max(off(x[:, 0], p[:, 0], want_x, want_p)) < 1e-8
    np.testing.assert_array_equal(p, np.swapaxes(p, -1, -2))


def test_a_future_is_the_same_whatever_it_is_told_relative_to():
    # L(x) = exp(pull' x - x' information x / 2): products with two Gaussians by full inverses
    rng = np.random.default_rng(3)
    scale = np.repeat([100.0, 10.0, 1.0], 3)
    for rank in (2, 9):
        means, covs = rng.normal(size=(2, 9)) * scale, []
        for _ in range(2):
            a = rng.normal(size=(9, 12)) * scale[:, None]
            covs.append(a @ a.T / 12)
        h = rng.normal(size=(rank, 9)) / scale
        information, z = h.T @ h, rng.normal(size=9) * scale
        adjoint = []
        for mean, cov in zip(means, covs, strict=True):
            s = np.linalg.inv(np.eye(9) + information @ cov)
            evidence = 0.5 * np.log(np.linalg.det(s)) - 0.5 * (z - mean) @ s @ information @ (z - mean)
            adjoint.append((s @ information @ (z - mean), s @ information, evidence))
        pull, inform = np.empty(9), np.empty((9, 9))
        change = smoothing._given(
            adjoint[0][0], adjoint[0][1], means[0], covs[0], means[1], covs[1], pull, inform,
            np.empty((9, 20)), np.empty((9, 9)), np.empty(9),
        )  # fmt: skip
        # 1e-9: rounding times the condition of the matrices drawn (1e3 to 1e5)
        np.testing.assert_allclose(pull * scale, adjoint[1][0] * scale, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(
            inform * np.outer(scale, scale), adjoint[1][1] * np.outer(scale, scale), rtol=1e-9, atol=1e-9
        )
        assert change == pytest.approx(adjoint[1][2] - adjoint[0][2], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kinds", ["same extras", "other extras"])
def test_two_models_are_close_to_all_mode_sequences(kinds, seed):
    # 2^8 sequences of modes, each with its own textbook smoother, weighed by chance and likelihood: the exact answer
    rng = np.random.default_rng([4, seed])
    first = steady(1.0, 8.0) if kinds == "same extras" else free(1e-2, 8.0)
    par = rows(first, steady(400.0, 8.0, gravity=kinds != "same extras"))
    times = np.arange(9.0)
    _, _, scans, dets, group = flight(rng, par, times)
    chances = np.empty((2, 2))
    transition_probabilities(par, 1.0, chances)
    start, start_cov, weight = begin(par)
    values, means, covs, modes = [], [], [], []
    for sequence in product(range(2), repeat=len(times) - 1):
        # the mode at node 0 enters by the chances alone: both start from one Gaussian, extras apart
        mode = sequence[0]
        chain = par[[mode, *sequence]]
        x, p, value = textbook(chain, times, scans, dets, group, start[mode], start_cov[mode])
        chance = np.log(0.5 * chances[:, mode].sum())
        values.append(value + chance + sum(np.log(chances[a, b]) for a, b in pairwise(sequence)))
        means.append(x[1:])
        covs.append(p[1:])
        modes.append(sequence)
    share = np.exp(np.array(values) - max(values))
    share /= share.sum()
    six = slice(0, 6)
    want_x, want_p = collapse(
        np.moveaxis(np.array(means), 0, 1)[..., six], np.moveaxis(np.array(covs), 0, 1)[..., six, six], share
    )
    x, p, w = smooth_states(par, False, times, scans, dets, group, start, start_cov, weight)
    got_x, got_p = collapse(x[1:, :, six], p[1:, :, six, six], w[1:])
    x, p, w_filter = forward(par, times, scans, dets, group, start, start_cov, weight)
    filter_x, _ = collapse(x[1:, :, six], p[1:, :, six, six], w_filter[1:])
    sigma = np.sqrt(np.einsum("nii->ni", want_p))
    rms = np.sqrt((((got_x - want_x) / sigma) ** 2).mean())
    rms_filter = np.sqrt((((filter_x - want_x) / sigma) ** 2).mean())
    ratio = np.exp(np.log(np.einsum("nii->ni", got_p) / sigma**2).mean())
    chance = np.abs(w[1:, 1] - share @ np.array(modes)).mean()
    # a Gaussian for each model instead of 2^8: over 12 seeds of either kind 0.02 to 0.21 sigma rms (the filter is 1.3
    # to 3.1 away from it), variances 0.90 to 1.16 of the exact ones, weights within 0.16 on average
    assert rms < 0.3
    assert rms < rms_filter / 4.0
    assert 0.8 < ratio < 1.25
    assert chance < 0.2


def test_switching_targets_are_smoothed_consistently_and_better():
    rng = np.random.default_rng(5)
    par = rows(free(1e-2), steady(5.0, gravity=True), steady(300.0, role="manoeuvring", gravity=True))
    times = np.arange(60.0)
    picked = [15, 30, 45]  # s apart: more than the smoother's memory of a few seconds
    runs = 150
    nees, squares, wrong = [], [], []
    larger = 0
    for _ in range(runs):
        states, modes, scans, dets, group = flight(rng, par, times)
        start = begin(par)
        x, p, w = smooth_states(par, False, times, scans, dets, group, *start)
        six = slice(0, 6)
        mean, cov = collapse(x[:, :, six], p[:, :, six, six], w)
        error = mean - states[:, six]
        nees.append(np.einsum("na,na->n", error, np.linalg.solve(cov, error[..., None])[..., 0])[picked])
        x, p, w_filter = forward(par, times, scans, dets, group, *start)
        mean, cov_filter = collapse(x[:, :, six], p[:, :, six, six], w_filter)
        before = mean - states[:, six]
        inside = slice(5, 55)
        squares.append(
            [
                (e[inside, part] ** 2).sum(1).mean()
                for e in (before, error)
                for part in (slice(3), slice(3, 6))
            ]
        )
        wrong.append([1.0 - v[np.arange(60), modes][inside].mean() for v in (w_filter, w)])
        larger += (
            np.einsum("nii->n", cov[:, :3, :3]) > 1.001 * np.einsum("nii->n", cov_filter[:, :3, :3])
        ).sum()
    # chance 1e-6 of a consistent smoother outside, each of three times
    low, high = chi2.ppf([5e-7, 1 - 5e-7], 6 * runs) / (6 * runs)
    value = np.mean(nees, axis=0) / 6.0
    assert np.all((low < value) & (value < high)), value
    squares, wrong = np.array(squares), np.array(wrong)
    for one in (squares[:, [0, 2]], squares[:, [1, 3]], wrong):
        gain = one[:, 0] - one[:, 1]
        assert gain.mean() > 5.0 * gain.std() / np.sqrt(runs)  # chance 3e-7 without any gain
    # a future may split a track's belief in two and so widen it; rare
    assert larger < 0.01 * runs * len(times)


def test_one_model_never_gets_less_sure():
    rng = np.random.default_rng(6)
    par = rows(steady(5.0))
    times = np.arange(50.0)
    _, _, scans, dets, group = flight(rng, par, times)
    _, p, _ = smooth_states(par, False, times, scans, dets, group, *begin(par))
    _, p_filter, _ = forward(par, times, scans, dets, group, *begin(par))
    s = np.sqrt(np.einsum("nmii->nmi", p_filter))[:, 0]
    gained = (p_filter - p)[:, 0] / (s[:, :, None] * s[:, None, :])
    assert np.linalg.eigvalsh(gained).min() > -1e-9  # rounding
    assert np.linalg.eigvalsh(p[:, 0] / (s[:, :, None] * s[:, None, :])).min() > 0.0


def test_without_detections_smoothing_changes_nothing():
    rng = np.random.default_rng(7)
    par = rows(free(1e-2), steady(5.0, gravity=True), steady(300.0, gravity=True))
    times = np.arange(40.0)
    _, _, scans, dets, group = flight(rng, par, times)
    group = np.minimum(group, group[20, 1])  # the last 19 s are a coast
    x, p, w = smooth_states(
        par, False, times, scans[: group[-1, 1]], dets[: group[-1, 1]], group, *begin(par)
    )
    want_x, want_p, want_w = forward(par, times, scans, dets, group, *begin(par))
    np.testing.assert_allclose(x[20:], want_x[20:], rtol=1e-13)
    np.testing.assert_allclose(p[20:], want_p[20:], rtol=1e-13)
    np.testing.assert_allclose(w[20:], want_w[20:], atol=3e-4)  # shares below 1e-4 are left out, each time
    assert np.abs(x[:20] - want_x[:20])[..., :3].max() > 10.0


# the tables


def blank(table, count, **columns):
    """A table with these columns and noughts in all others."""
    given = {f.name: columns.get(f.name, np.zeros(count, np.int64)) for f in fields(table)}
    return table(**given)


def tables(rng, motions, tracks, times):
    par = rows(*motions)
    scans, dets, of_rows, uses = [], [], [], []
    for number in range(tracks):
        _, _, scan_rows, det_rows, group = flight(rng, par, times)
        uses += [(number, row[T], len(dets) + k) for k, row in enumerate(scan_rows)]
        scans += list(scan_rows)
        dets += list(det_rows)
        x, p, w = forward(par, times, scan_rows, det_rows, group, *begin(par))
        mean, cov = np.empty((len(times), 9)), np.empty((len(times), 45))
        for n in range(len(times)):
            smoothing._collapse(par, x[n], p[n], w[n], mean[n], cov[n])
        roles = np.zeros((len(times), 3))
        for m, row in enumerate(par):
            roles[:, int(row[1])] += w[:, m]
        of_rows.append((np.full(len(times), number), times, mean, cov, roles))
    count = len(scans)
    packed, rows_of = np.array(scans), np.array(dets)
    turn = np.tile([1.0, 0.0, 0.0, 0.0], (count, 1))
    scan_table = blank(
        Scans, count, scan=np.arange(count) + 100, sensor=packed[:, 0].astype(np.int64), t_event=packed[:, T],
        r_gcrs=packed[:, R : R + 3], v_gcrs=np.zeros((count, 3)), q_gcrs_from_sensor=turn,
    )  # fmt: skip
    names = ["az_rad", "el_rad", "range_m", "range_rate_m_s"]
    columns = dict(zip(names + [f"sigma_{n}" for n in names], rows_of.T, strict=True))
    detection_table = blank(
        Detections, count, detection=np.arange(count) + 7, scan=scan_table.scan, snr=np.ones(count), **columns
    )
    track, t, mean, cov, modes = (np.concatenate(c) for c in zip(*of_rows, strict=True))
    order = np.lexsort((track, t))
    track_table = blank(
        Tracks, len(t), track=track[order], t=t[order], t_node=t[order] + 2.0, mean=mean[order], cov=cov[order],
        modes=modes[order], status=np.where(t[order] < 3.0, Status.TENTATIVE, Status.CONFIRMED).astype(np.int8),
    )  # fmt: skip
    track, t, detection = zip(*uses, strict=True)
    used = blank(
        Contributions, len(uses), track=np.array(track), t=np.array(t), detection=np.array(detection) + 7
    )
    config: Any = SimpleNamespace(models=motions, sense=False)
    return config, scan_table, detection_table, track_table, used


MOTIONS = (free(1e-2), steady(5.0, gravity=True))


def pick(table, rows):
    return replace(table, **{f.name: getattr(table, f.name)[rows] for f in fields(table)})


def same(one, two):
    for f in fields(one):
        np.testing.assert_array_equal(getattr(one, f.name), getattr(two, f.name), err_msg=f.name)


def test_tables_keep_their_rows_and_get_surer():
    config, scans, detections, tracks, used = tables(np.random.default_rng(8), MOTIONS, 3, np.arange(30.0))
    out = smooth(config, scans, detections, tracks, used)
    for name in ("node", "track", "t", "t_node", "status", "hits", "originators"):
        np.testing.assert_array_equal(getattr(out, name), getattr(tracks, name))
    trace = lambda table: np.einsum("nii->n", unpack_covariance(table.cov)[:, :3, :3])  # noqa: E731
    inner = (tracks.t > 0.0) & (tracks.t < 29.0)
    assert np.all(trace(out)[inner] < trace(tracks)[inner])
    np.testing.assert_allclose(out.modes.sum(axis=1), 1.0, atol=1e-12)
    # the last row has no future: it is the filter's, whose extras at the start have long been forgotten
    last = tracks.t == 29.0
    sigma = np.sqrt(np.einsum("nii->ni", unpack_covariance(tracks.cov[last])))
    assert np.abs((out.mean - tracks.mean)[last] / sigma).max() < 0.05


def test_a_track_does_not_depend_on_the_others():
    config, scans, detections, tracks, used = tables(np.random.default_rng(9), MOTIONS, 3, np.arange(20.0))
    out = smooth(config, scans, detections, tracks, used)
    alone = smooth(config, scans, detections, pick(tracks, tracks.track == 1), pick(used, used.track == 1))
    same(alone, pick(out, out.track == 1))
    rng = np.random.default_rng(10)
    shuffled = smooth(config, scans, detections, tracks, pick(used, rng.permutation(len(used.track))))
    same(shuffled, out)


def test_tracks_never_confirmed_and_empty_tables():
    config, scans, detections, tracks, used = tables(np.random.default_rng(11), MOTIONS, 2, np.arange(6.0))
    status = np.where(tracks.track == 0, Status.TENTATIVE, tracks.status).astype(np.int8)
    out = smooth(config, scans, detections, replace(tracks, status=status), used)
    assert set(out.track) == {1}
    assert len(out.t) == 6
    nothing = smooth(config, scans, detections, pick(tracks, slice(0, 0)), pick(used, slice(0, 0)))
    assert len(nothing.t) == 0
    assert nothing.cov.shape == (0, 45)


def test_one_row_is_left_as_it_is():
    config, scans, detections, tracks, used = tables(
        np.random.default_rng(12), (steady(5.0),), 1, np.arange(5.0)
    )
    one = pick(tracks, tracks.t == 4.0)
    out = smooth(config, scans, detections, one, used)  # detections up to the row are in it
    np.testing.assert_allclose(out.mean, one.mean, rtol=1e-14)
    np.testing.assert_allclose(out.cov, one.cov, rtol=1e-14)


def test_detections_in_the_first_row_are_not_used_twice():
    config, scans, detections, tracks, used = tables(np.random.default_rng(13), MOTIONS, 1, np.arange(12.0))
    late = pick(tracks, tracks.t >= 5.0)
    same(
        smooth(config, scans, detections, late, used),
        smooth(config, scans, detections, late, pick(used, used.t > 5.0)),
    )


def test_a_gap_is_bridged_from_both_sides():
    # the textbook recursion over the very same steps (at most 5 s each)
    config, scans, detections, tracks, used = tables(
        np.random.default_rng(14), (steady(5.0),), 1, np.arange(40.0)
    )
    dark = (tracks.t > 12.0) & (tracks.t < 27.0)
    rows_left = pick(tracks, ~dark)
    seen = (used.t <= 12.0) | (used.t >= 27.0)
    out = smooth(config, scans, detections, rows_left, pick(used, seen))
    every = smooth(config, scans, detections, tracks, pick(used, seen))
    np.testing.assert_allclose(
        out.mean[:, :6], every.mean[~dark][:, :6], rtol=1e-9
    )  # steps of 5 s or 1 s: linear
    sigma = np.sqrt(np.einsum("nii->n", unpack_covariance(every.cov)[:, :3, :3]))
    middle = np.argmax(sigma[5:35]) + 5
    assert 15.0 < every.t[middle] < 24.0  # least sure in the middle of the gap, not at its end
    ahead = np.sqrt(np.einsum("nii->n", unpack_covariance(tracks.cov)[:, :3, :3]))
    assert sigma[middle] > 1.5 * ahead[10]


def test_the_likeliest_of_several_detections_of_a_scan_counts():
    config, scans, detections, tracks, used = tables(np.random.default_rng(15), MOTIONS, 1, np.arange(15.0))
    clean = smooth(config, scans, detections, tracks, used)
    # a false alarm 2 mrad off beside every detection, that had a share in a soft update
    twice = np.repeat(np.arange(len(detections.scan)), 2)
    both = pick(detections, twice)
    shift = np.where(np.arange(len(twice)) % 2, 2e-3, 0.0)
    both = replace(both, detection=np.arange(len(twice)) + 7, az_rad=both.az_rad + shift)
    uses = pick(used, twice)
    same(smooth(config, scans, both, tracks, replace(uses, detection=both.detection)), clean)


def test_tables_that_do_not_belong_together_are_refused():
    config, scans, detections, tracks, used = tables(np.random.default_rng(16), MOTIONS, 1, np.arange(5.0))
    with pytest.raises(DataError, match="detection 7 is not in its table"):
        smooth(config, scans, pick(detections, slice(1, None)), tracks, used)
    with pytest.raises(DataError, match="scan 100 is not in its table"):
        smooth(config, pick(scans, slice(1, None)), detections, tracks, used)
    with pytest.raises(DataError, match="two rows for one time"):
        smooth(config, scans, detections, pick(tracks, np.arange(5).repeat(2)), used)


def test_a_boost_is_rebuilt_from_the_tracker_s_own_tables():
    # 70 s of rising thrust, burn-out, free flight, seen by 28 satellites; the tracker's default models. The mixture is
    # far from one Gaussian about burn-out: a coast since the boost must be ruled out there, not carried back
    t = np.arange(300.0)
    r, v, _ = boost_flight(t)
    sensors = layer(t, raan_deg=100.0)
    scans, detections, _ = observe(np.random.default_rng(3), t, sensors, r[:, None])
    config = default_config()
    tracks, used = track(
        config, scans, detections, np.arange(len(scans.scan)), 0, np.zeros(len(sensors), int), 2.0
    )
    out = smooth(config, scans, detections, tracks, used)
    assert set(out.track) == {0}
    at = out.t.astype(int)
    rms = []
    for table in (tracks, out):
        error = np.concatenate([table.mean[:, :3] - r[at], table.mean[:, 3:6] - v[at]], axis=1)[5:]
        cov = unpack_covariance(table.cov)[5:, :6, :6]
        nees = np.einsum("na,na->n", error, np.linalg.solve(cov, error[..., None])[..., 0]).mean() / 6.0
        rms.append(
            (np.sqrt((error[:, :3] ** 2).sum(1).mean()), np.sqrt((error[:, 3:] ** 2).sum(1).mean()), nees)
        )
    # measured: 105 -> 45 m, 29 -> 2.9 m/s, NEES/6 0.7 -> 1.2 (one flight, all of its rows correlated)
    assert rms[1][0] < 0.6 * rms[0][0]
    assert rms[1][1] < 0.3 * rms[0][1]
    assert 0.3 < rms[1][2] < 2.5
    assert out.modes[out.t == 140.0, 0] > 0.99
    assert out.modes[out.t == 160.0, 1] > 0.99

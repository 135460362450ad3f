"""Registration biases and wrong time tags in the whole tracker, tables in and tables out, by Monte Carlo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2
from synthetic_scans import boost_flight, fly, layer, observe, place, satellite

from noroshi.constants import EARTH_RADIUS_M
from noroshi.errors import ScenarioError
from noroshi.tables import Status, unpack_covariance
from noroshi.tracking.models import Bias
from noroshi.tracking.parameters import Motion
from noroshi.tracking.presets import default_config
from noroshi.tracking.registration import estimate
from noroshi.tracking.state import init, settings
from noroshi.tracking.tracker import track

NUMBERS = np.array([3, 0, 17, 40])  # of the four satellites: sparse, and not in their order
SIGMA = 50e-6
BIAS = 200e-6
STEPS = 40
T = np.arange(float(STEPS))
WIDE = {"cone": np.pi, "range_max": 1e8, "grazing": 0.0, "cloud": -1e5, "p_detect": 0.999, "sigma": SIGMA}
SENSORS = [
    satellite(T, EARTH_RADIUS_M + 1e6, np.radians(80), np.radians(140 + a), np.radians(42 + b), **WIDE)
    for a, b in ((-20, -8), (12, 10), (25, -12), (-9, 14))
]
# free flight as it is, and next to no noise beside it: 60 mm of position in the 40 s
COAST = Motion("ballistic", "ballistic", velocity_psd_m2_s3=1e-7)
CONFIG = default_config()._replace(models=(COAST,), sense=False)
CONSIDERED = tuple(Bias(int(n), BIAS, BIAS) for n in NUMBERS)
# a tracker that knows of no bias would start no track at all with the usual gates
LOOSE = CONFIG._replace(gate=1e4, initiate_miss=100.0)


def path(k=0):
    """Free flight 300 km above 42 N 140 E; others beside it."""
    r0, east, north, up = place(42.0 + 0.9 * k, 140.0 - 1.1 * k, 300e3)
    r, v, _ = fly(r0, 2500.0 * east + (600.0 - 300.0 * k) * north + 1200.0 * up, T)
    return r, v


def recording(rng, paths, biases, tag_sigma=0.0):
    """Scans and detections of the four satellites: biases [4, 2] across and up, every scan's own time tag."""
    r, v = (np.stack(column, 1) for column in zip(*paths, strict=True))
    scans, detections, target = observe(rng, T, SENSORS, r)
    step, s = np.divmod(detections.scan, len(SENSORS))
    tag = tag_sigma * rng.normal(size=len(scans.scan))[detections.scan]
    seen = r[step, target] - np.stack([x.r for x in SENSORS])[s, step]
    seen += tag[:, None] * (v[step, target] - np.stack([x.v for x in SENSORS])[s, step])
    d = np.einsum("kji,kj->ki", np.stack([x.axes for x in SENSORS])[s, step], seen)
    el = np.arcsin(d[:, 2] / np.linalg.norm(d, axis=1))
    across, upwards = SIGMA * rng.normal(size=(2, len(el))) + biases[s].T
    detections = replace(
        detections,
        az_rad=np.arctan2(d[:, 1], d[:, 0]) + across / np.cos(el),
        el_rad=el + upwards,
        sigma_az_rad=SIGMA / np.cos(el),
    )
    return replace(scans, sensor=NUMBERS[scans.sensor]), detections


def tracked(config, scans, detections):
    order = np.lexsort((scans.sensor, scans.t_event))
    return track(config, scans, detections, order, 0, np.zeros(NUMBERS.max() + 1, int), 0.0)


def last_nees(config, runs, seed, bias_sigma=0.0, tag_sigma=0.0):
    """NEES over position and velocity of the track nearest to the target at the end; nan: none."""
    r, v = path()
    out = np.full(runs, np.nan)
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        scans, detections = recording(
            rng, [(r, v)], bias_sigma * rng.normal(size=(len(SENSORS), 2)), tag_sigma
        )
        tracks, _ = tracked(config, scans, detections)
        rows = np.flatnonzero((tracks.t == T[-1]) & (tracks.status == Status.CONFIRMED))
        if not len(rows):
            continue
        errors = tracks.mean[rows, :6] - np.concatenate([r[-1], v[-1]])
        best = np.argmin(np.linalg.norm(errors[:, :3], axis=1))
        e, p = errors[best], unpack_covariance(tracks.cov[rows[best]])[:6, :6]
        out[run] = e @ np.linalg.solve(p, e)
    return out


def inside(nees):
    """Whether the mean of independent chi-square values of 6 degrees of freedom is one, but for a chance of 1e-5."""
    low, high = chi2.ppf([5e-6, 1.0 - 5e-6], 6 * len(nees)) / len(nees)
    return low < nees.mean() < high  # nan: a run without a track is no good either


def test_considered_biases_keep_the_tracker_honest():
    # from the first pair of lines on: what starts a track is as biased as what feeds it
    assert inside(last_nees(CONFIG._replace(biases=CONSIDERED), 60, 1, BIAS))


def test_biases_that_nobody_told_of_make_it_far_too_sure():
    nees = last_nees(LOOSE, 20, 2, BIAS)
    assert np.isfinite(nees).all()
    # 40 looks average noise of 50 urad to 8; a bias of 200 is 25 times that, in some direction of six
    assert nees.mean() / 6 > 10.0


def test_considered_time_tags_keep_the_tracker_honest():
    # 20 ms at a relative speed of 7-9 km/s: 160 m, as much again as 50 urad at 2000-3000 km
    assert inside(last_nees(CONFIG._replace(time_sigma_s=0.02), 60, 3, tag_sigma=0.02))
    # 1.34 is the 1e-5 bound of 360 degrees of freedom
    assert last_nees(LOOSE, 60, 3, tag_sigma=0.02).mean() / 6 > 1.4


def test_without_errors_nothing_changes():
    t = np.arange(0.0, 60.0)
    r, _, _ = boost_flight(t)
    scans, detections, _ = observe(np.random.default_rng(4), t, layer(t, false_alarms=0.05), r[:, None, :])
    order = np.arange(len(scans.scan))
    config = default_config()._replace(ambiguity=3.0)
    run = lambda c: track(c, scans, detections, order, 0, np.zeros(28, int), 0.0)  # noqa: E731
    want, used = run(config)
    got, mine = run(config._replace(biases=tuple(Bias(s, 0.0, 0.0) for s in range(28))))
    for table, same in ((want, got), (used, mine)):
        for name in table.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(table, name), getattr(same, name))
    # and errors too small to matter change nothing that matters: the angles are taken one after the other, not together
    got, _ = run(config._replace(biases=(Bias(9, 1e-12, 1e-12),), time_sigma_s=1e-12))
    np.testing.assert_array_equal(got.track, want.track)
    sigma = np.sqrt(unpack_covariance(want.cov)[:, range(9), range(9)])
    assert np.max(np.abs(got.mean - want.mean) / sigma) < 1e-3
    np.testing.assert_allclose(np.sqrt(unpack_covariance(got.cov)[:, range(9), range(9)]), sigma, rtol=1e-3)


def test_biases_are_found_from_the_trackers_own_output():
    rng = np.random.default_rng(5)
    biases = np.zeros((4, 2))
    biases[2] = BIAS, -BIAS
    prior = tuple(Bias(int(n), 300e-6, 300e-6) for n in NUMBERS)
    config = CONFIG._replace(biases=prior)
    scans, detections = recording(rng, [path(k) for k in range(3)], biases)
    tracks, used = tracked(config, scans, detections)
    found = estimate(COAST, prior, scans, detections, tracks, used)
    assert found.tracks >= 3
    sigma = np.sqrt(np.diag(found.cov))
    want = np.array(
        [biases[np.flatnonzero(s == NUMBERS)[0], c] for s, c in zip(found.sensor, found.part, strict=True)]
    )
    assert np.abs((found.value - want) / sigma).max() < 4.5  # chance 5e-5; deterministic
    own = found.sensor == NUMBERS[2]
    assert np.all(np.abs(found.value[own]) > 4.5 * sigma[own])
    # corrected for, they leave the tracker with next to none
    shift = np.zeros((41, 2))
    shift[found.sensor, found.part] = found.value
    of = scans.sensor[detections.scan]
    better = replace(
        detections,
        az_rad=detections.az_rad - shift[of, 0] / np.cos(detections.el_rad),
        el_rad=detections.el_rad - shift[of, 1],
    )
    again = estimate(COAST, prior, scans, better, tracks, used)
    assert np.abs(again.value).max() < 0.1 * BIAS


def test_a_bias_that_is_none_is_refused():
    for bias in (Bias(0, -1e-6, 0.0), Bias(-1, 1e-6, 0.0), Bias(0, np.inf, 0.0), Bias(5000, 1e-6, 0.0)):
        with pytest.raises(ScenarioError, match="a bias needs"):
            settings(CONFIG._replace(biases=(bias,)))
    with pytest.raises(ScenarioError, match="every sensor once"):
        settings(CONFIG._replace(biases=(Bias(1, 1e-6, 0.0), Bias(1, 0.0, 1e-6))))
    assert init(CONFIG._replace(biases=(Bias(7, 1e-6, 0.0),))).cross.shape[2] == 8

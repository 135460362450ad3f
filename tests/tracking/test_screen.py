"""The tracker's screen: every reason of refusal, counts that add up, order, memory, and no NaN in any track."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields, replace

import numpy as np
import pytest

from noroshi.tables import Detections, Scans
from noroshi.tracking.screen import MOST, REASONS, screen


def scans(n=4, sensors=2):
    """Two ground sensors looking about, one scan a second each."""
    full = lambda value: np.full(n, float(value))  # noqa: E731
    return Scans(
        scan=np.arange(n),
        sensor=np.arange(n) % sensors,
        kind=np.ones(n, np.int8),
        t_event=np.arange(n) // sensors * 1.0,
        r_gcrs=np.tile([6.4e6, 0.0, 0.0], (n, 1)),
        v_gcrs=np.zeros((n, 3)),
        q_gcrs_from_sensor=np.tile([1.0, 0.0, 0.0, 0.0], (n, 1)),
        p_detect=full(0.9),
        clutter_density=full(1e-6),
        field_cone_rad=full(np.pi),
        field_azimuth_rad=full(np.pi),
        field_elevation_min_rad=full(-np.pi / 2),
        field_elevation_max_rad=full(np.pi / 2),
        range_max_m=full(np.inf),
        grazing_height_m=full(0.0),
        cloud_top_m=full(-1e5),
        background=np.zeros(n, np.int8),
    )


def detections(scan):
    n = len(scan)
    return Detections(
        detection=np.arange(n),
        scan=np.array(scan),
        az_rad=np.linspace(0.1, 0.5, n),
        el_rad=np.full(n, 0.2),
        range_m=np.full(n, 1e5),
        range_rate_m_s=np.full(n, 10.0),
        sigma_az_rad=np.full(n, 1e-3),
        sigma_el_rad=np.full(n, 1e-3),
        sigma_range_m=np.full(n, 30.0),
        sigma_range_rate_m_s=np.full(n, 1.0),
        snr=np.full(n, np.nan),
    )


def changed(table, **cells):
    """The table with its first row's cells changed."""
    columns = {f.name: np.array(getattr(table, f.name)) for f in fields(table)}
    for name, value in cells.items():
        columns[name][0] = value
    return type(table)(**columns)


NAN, INF = np.nan, np.inf
BAD_DETECTIONS = [
    ("not_finite", {"az_rad": NAN}),
    ("not_finite", {"el_rad": INF}),
    ("not_finite", {"range_m": -INF}),
    ("not_finite", {"range_rate_m_s": NAN}),
    ("out_of_bounds", {"el_rad": 1.6}),
    ("out_of_bounds", {"az_rad": -7.0}),
    ("out_of_bounds", {"range_m": 0.0}),
    ("out_of_bounds", {"range_m": -5.0}),
    ("out_of_bounds", {"range_m": 2e9}),
    ("out_of_bounds", {"range_rate_m_s": 1e6}),
    ("sigma", {"sigma_az_rad": 0.0}),
    ("sigma", {"sigma_el_rad": -1e-3}),
    ("sigma", {"sigma_range_m": NAN}),
    ("sigma", {"sigma_range_rate_m_s": -INF}),
    ("sigma", {"sigma_el_rad": 1e-300}),
    (
        "nothing_measured",
        dict.fromkeys(("sigma_az_rad", "sigma_el_rad", "sigma_range_m", "sigma_range_rate_m_s"), INF),
    ),
    ("no_scan", {"scan": 77}),
    ("no_scan", {"scan": -1}),
]
BAD_SCANS = [
    ("scan_time", {"t_event": NAN}),
    ("scan_time", {"t_event": INF}),
    ("scan_state", {"r_gcrs": [NAN, 0, 0]}),
    ("scan_state", {"r_gcrs": [1e30, 0, 0]}),
    ("scan_state", {"v_gcrs": [0, INF, 0]}),
    ("scan_state", {"v_gcrs": [0, 1e9, 0]}),
    ("scan_state", {"q_gcrs_from_sensor": [0, 0, 0, 0]}),
    ("scan_state", {"q_gcrs_from_sensor": [NAN, 0, 0, 1]}),
    ("scan_settings", {"p_detect": 1.5}),
    ("scan_settings", {"p_detect": NAN}),
    ("scan_settings", {"clutter_density": -1.0}),
    ("scan_settings", {"clutter_density": INF}),
    ("scan_settings", {"field_cone_rad": NAN}),
    ("scan_settings", {"field_elevation_min_rad": 2.0}),
    ("scan_settings", {"range_max_m": 0.0}),
    ("unknown_sensor", {"sensor": 5}),
    ("unknown_sensor", {"sensor": -1}),
]


@pytest.mark.parametrize(("reason", "cells"), BAD_DETECTIONS)
def test_a_bad_detection_goes_and_is_counted(reason, cells):
    found = screen(scans(), changed(detections([0, 1, 2, 3]), **cells), sensors=2)
    assert found.refused == {reason: 1}
    assert sorted(found.detections.detection) == [1, 2, 3]
    assert len(found.scans.scan) == 4  # the look itself stays


@pytest.mark.parametrize(("reason", "cells"), BAD_SCANS)
def test_a_bad_scan_goes_with_its_detections(reason, cells):
    found = screen(changed(scans(), **cells), detections([0, 0, 1, 2, 3]), sensors=2)
    assert found.refused == {reason: 1, "scan_refused": 2}
    assert sorted(found.detections.detection) == [2, 3, 4]
    assert (np.diff(found.scans.scan) == 1).all()


def test_every_reason_is_explained():
    used = {reason for reason, _ in BAD_DETECTIONS + BAD_SCANS}
    assert used <= set(REASONS)


def test_good_tables_pass_unchanged():
    s, d = scans(), detections([0, 1, 1, 2, 3])
    found = screen(s, d, sensors=2)
    assert found.refused == {}
    assert found.backwards == 0
    for f in fields(s):
        np.testing.assert_array_equal(getattr(found.scans, f.name), getattr(s, f.name))
    for f in fields(d):
        np.testing.assert_array_equal(getattr(found.detections, f.name), getattr(d, f.name))


def test_duplicates():
    d = detections([1, 1, 2])
    again = Detections(**{f.name: np.concatenate([getattr(d, f.name)] * 2) for f in fields(d)})
    again = replace(again, detection=np.arange(6))
    found = screen(scans(), again)
    assert found.refused == {"duplicate": 3}
    assert sorted(found.detections.detection) == [0, 1, 2]
    s = changed(scans(), sensor=0, t_event=1.0)  # the same sensor at the same time as scan 2
    assert screen(s, detections([0, 1, 2])).refused == {"scan_duplicate": 1, "scan_refused": 1}


def test_time_going_backwards_is_sorted_and_counted():
    s = scans(6)
    s = replace(s, t_event=np.array([0.0, 2.0, 1.0, 5.0, 4.0, 6.0]))
    found = screen(s, detections([0, 1, 2, 3, 4, 5]))
    assert found.backwards == 2
    assert found.refused == {}
    assert (np.diff(found.scans.t_event) > 0).all()
    # the detections went with their scans
    np.testing.assert_array_equal(found.detections.detection, [0, 2, 1, 4, 3, 5])


def test_order_of_the_input_means_nothing():
    rng = np.random.default_rng(1)
    s, d = scans(20), detections(np.repeat(np.arange(20), 5))
    d = replace(d, az_rad=rng.uniform(-3, 3, 100))
    one = screen(s, d)
    p, q = rng.permutation(20), rng.permutation(100)
    mixed_s = Scans(**{f.name: getattr(s, f.name)[p] for f in fields(s)})
    mixed_d = Detections(**{f.name: getattr(d, f.name)[q] for f in fields(d)})
    two = screen(mixed_s, mixed_d)
    for a, b in ((one.scans, two.scans), (one.detections, two.detections)):
        for f in fields(a):
            np.testing.assert_array_equal(getattr(a, f.name), getattr(b, f.name))


def test_what_is_not_measured_becomes_harmless():
    d = changed(detections([0, 1]), az_rad=NAN, sigma_az_rad=INF, range_m=-1.0, sigma_range_m=1e12)
    found = screen(scans(), d)
    assert found.refused == {}
    assert found.detections.az_rad[0] == 0.0
    assert found.detections.range_m[0] == 0.0
    assert np.isposinf(found.detections.sigma_range_m[0])  # a range known to a million km is not known


def test_a_flood_blinds_its_sensor_and_memory_stays_bounded():
    rng = np.random.default_rng(2)
    n = 100_000
    d = detections(np.concatenate([np.zeros(n, int), [1, 2, 3]]))
    d = replace(d, az_rad=rng.uniform(-3, 3, n + 3))
    tracemalloc.start()
    found = screen(scans(), d)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.refused == {"flood": n}
    assert len(found.scans.scan) == 3
    np.testing.assert_array_equal(found.detections.detection, [n, n + 1, n + 2])
    np.testing.assert_array_equal(found.detections.scan, [0, 1, 2])
    assert peak < 300 * 8 * n  # a few copies of eleven columns, never a matrix
    assert screen(scans(), detections(np.zeros(MOST, int))).refused == {}


def test_empty_tables():
    none = detections([])
    found = screen(scans(), none)
    assert len(found.scans.scan) == 4
    assert len(found.detections.detection) == 0
    assert screen(scans(0), none).refused == {}
    assert screen(scans(0), detections([0, 1])).refused == {"no_scan": 2}


def test_garbage_never_reaches_a_track():
    """Every kind of damage at once, in a stream with a target: the tracker ends with finite tracks, and one target."""
    from noroshi.tracking.presets import preset
    from noroshi.tracking.recorded import track_recording

    rng = np.random.default_rng(3)
    n = 60
    s = replace(scans(n, 1), r_gcrs=np.tile([6.378137e6 + 100, 0.0, 0.0], (n, 1)))
    t = s.t_event
    # a target passing overhead at 300 m/s, on a level line through 20 km of height
    p = np.stack([np.full(n, 20e3), -9e3 + 300.0 * t, np.full(n, 40e3)], 1)
    rho = np.linalg.norm(p, axis=1)
    true = detections(np.arange(n))
    true = replace(
        true,
        az_rad=np.arctan2(p[:, 1], p[:, 0]) + 1e-3 * rng.normal(size=n),
        el_rad=np.arcsin(p[:, 2] / rho) + 1e-3 * rng.normal(size=n),
        range_m=rho + 30 * rng.normal(size=n),
        sigma_range_rate_m_s=np.full(n, INF),
    )
    rubbish = detections(rng.integers(-2, n + 2, 3000))
    values = np.array([NAN, INF, -INF, 0.0, -1.0, 1e300, 1e-320, 1.0])
    columns = {
        f.name: rng.choice(values, 3000)
        for f in fields(rubbish)
        if f.name not in ("detection", "scan", "snr")
    }
    # rubbish that would be a valid plot is no rubbish: its elevation is out of bounds
    rubbish = replace(
        rubbish, **{**columns, "el_rad": np.full(3000, 9.0), "sigma_el_rad": np.full(3000, 1e-3)}
    )
    both = Detections(
        **{f.name: np.concatenate([getattr(true, f.name), getattr(rubbish, f.name)]) for f in fields(true)}
    )
    both = replace(both, detection=np.arange(n + 3000))
    found = screen(s, both, sensors=1)
    assert len(found.detections.detection) + sum(found.refused.values()) == n + 3000
    assert sorted(found.detections.detection) == list(range(n))
    tracked = track_recording(preset("air"), found)
    assert np.isfinite(tracked.tracks.mean).all()
    assert np.isfinite(tracked.tracks.cov).all()
    confirmed = np.unique(tracked.tracks.track[tracked.tracks.status == 1])
    assert len(confirmed) == 1

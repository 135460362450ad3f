"""A tentative track along the line of one satellite: it holds the target until another sensor sees it too."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_scans import boost_flight, observe, place, satellite

from noroshi.constants import EARTH_RADIUS_M
from noroshi.tables import Status, unpack_covariance
from noroshi.tracking.columns import SCAN_WIDTH, R
from noroshi.tracking.presets import default_config
from noroshi.tracking.start import span
from noroshi.tracking.tracker import track

SECOND_SEES_AT = 60.0


def scene(single: bool):
    """Tracks of a flight that one satellite sees from the start and a second from 60 s on; and the flight."""
    t = np.arange(0.0, 120.0)
    r, _, _ = boost_flight(t + 90.0)
    up = place(39.2, 125.7)[3]
    lon = np.arctan2(up[1], up[0])
    sensors = [
        satellite(t, EARTH_RADIUS_M + 1000e3, np.radians(60.0), lon - np.radians(shift), np.radians(35.0))
        for shift in (30.0, 5.0)
    ]
    scans, detections, _ = observe(np.random.default_rng(3), t, sensors, r[:, None])
    late = (scans.sensor[np.searchsorted(scans.scan, detections.scan)] == 1) & (
        scans.t_event[np.searchsorted(scans.scan, detections.scan)] < SECOND_SEES_AT
    )
    keep = np.flatnonzero(~late)
    found = type(detections)(**{n: getattr(detections, n)[keep] for n in detections.__dataclass_fields__})
    # scans of the second satellite before it sees do not exist at all: nothing is missed by it
    rows = np.flatnonzero(~((scans.sensor == 1) & (scans.t_event < SECOND_SEES_AT)))
    assert set(scans.sensor[rows]) == {0, 1}
    config = default_config()._replace(initiate_single=single, initiate_height_max_m=400e3)
    tracks, _ = track(config, scans, found, rows, 0, np.zeros(2, int), 0.0)
    return tracks, r, scans.t_event[found.scan]


def test_one_satellite_holds_a_tentative_track_and_the_second_confirms_it():
    tracks, r, seen = scene(True)
    assert seen.min() < SECOND_SEES_AT - 20.0
    alone = tracks.t < SECOND_SEES_AT
    assert (tracks.status[alone] != Status.CONFIRMED).all(), "a line alone is no place"
    held = np.unique(tracks.t[alone & (tracks.status == Status.TENTATIVE)])
    # two looks in a row make a start (both come with 0.81 a second), and it is held from then on
    assert held.min() <= seen.min() + 5.0
    assert np.array_equal(held, np.arange(held.min(), SECOND_SEES_AT))
    # the target lies where the track believes it to be: on the line, within the spread in range (chi-square, 3
    # degrees of freedom; 21.1 is passed by chance once in 10 000, and the spread is wide and uniform, not Gaussian)
    rows = np.flatnonzero(alone & (tracks.status == Status.TENTATIVE) & (tracks.t > held.min() + 5.0))
    error = tracks.mean[rows, :3] - r[tracks.t[rows].astype(int)]
    cov = unpack_covariance(tracks.cov[rows])[:, :3, :3]
    d2 = np.einsum("ki,kij,kj->k", error, np.linalg.inv(cov), error)
    assert np.median(d2) < 21.1
    confirmed = tracks.t[tracks.status == Status.CONFIRMED]
    assert SECOND_SEES_AT <= confirmed.min() <= SECOND_SEES_AT + 10.0
    last = np.flatnonzero((tracks.status == Status.CONFIRMED) & (tracks.t == tracks.t.max()))
    assert len(last) == 1
    assert (
        np.linalg.norm(tracks.mean[last[0], :3] - r[-1]) < 500.0
    )  # two satellites, 50 urad at 1500 km: 150 m a look


def test_without_the_option_one_satellite_starts_nothing():
    tracks, _, _ = scene(False)
    assert not (tracks.t < SECOND_SEES_AT).any()


def line(height_m: float, tilt_rad: float):
    """A satellite above the equator and a line tilted from nadir."""
    scan = np.zeros(SCAN_WIDTH)
    scan[R] = EARTH_RADIUS_M + height_m
    return scan, np.array([-np.cos(tilt_rad), np.sin(tilt_rad), 0.0])


def test_span_of_a_line_between_two_heights():
    end = np.empty(2)
    scan, down = line(1000e3, 0.0)
    assert span(scan, down, 0.0, 100e3, 4.5e6, end)
    assert end == pytest.approx(
        [900e3, 1000e3], abs=1.0
    )  # straight down: heights and ranges are the same thing
    assert span(scan, down, 0.0, 100e3, 950e3, end)
    assert end[1] == 950e3, "no further than the sensor sees"
    limb = np.arcsin((EARTH_RADIUS_M + 50e3) / (EARTH_RADIUS_M + 1000e3))
    scan, past = line(1000e3, limb)
    assert span(scan, past, 0.0, 100e3, 1e7, end)
    half = np.sqrt((EARTH_RADIUS_M + 100e3) ** 2 - (EARTH_RADIUS_M + 50e3) ** 2)  # chord of the upper shell
    middle = np.sqrt((EARTH_RADIUS_M + 1000e3) ** 2 - (EARTH_RADIUS_M + 50e3) ** 2)
    assert end == pytest.approx(
        [middle - half, middle + half], abs=200.0
    )  # the equator is round: rounding of height
    scan, away = line(1000e3, np.radians(120.0))
    assert not span(scan, away, 0.0, 100e3, 1e7, end), "a line to the sky meets no such height"

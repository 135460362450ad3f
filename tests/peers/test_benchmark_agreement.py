"""What `make bench-peers` calls agreement: worked out by hand on cases of a few samples."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.peers_agreement import (
    ALTITUDE_KM,
    EPOCH,
    SATELLITES,
    Case,
    Windows,
    compare,
    fibonacci,
    in_view,
    walker_lines,
)
from sgp4.api import Satrec

from noroshi.io.tle_omm import parse_satellites
from noroshi.orbits.sgp4 import propagate
from noroshi.orbits.walker import walker
from noroshi.time import epoch_from_utc, load_earth_orientation

CASE = Case((("", ""),) * 2, np.zeros(3), np.zeros(3), 60.0, 5, 0.0, 0.0)


def windows(*rows: tuple[int, int, float, float]) -> Windows:
    s, p, opens, closes = zip(*rows, strict=True)
    return Windows(np.array(s), np.array(p), np.array(opens), np.array(closes))


@pytest.mark.parametrize(
    ("opens", "closes", "samples"),
    [
        (60.0, 120.0, [1, 2]),  # a sample on an edge is in
        (60.001, 119.999, []),  # between two samples: no sample meets it
        (-500.0, 1.0, [0]),  # begun before the first sample
        (200.0, 9e9, [4]),  # goes on after the last
        (-9.0, -1.0, []),
        (241.0, 300.0, []),
    ],
)
def test_samples_in_a_window(opens, closes, samples):
    seen = in_view(CASE, windows((1, 2, opens, closes)))
    assert seen.shape == (5, 2, 3)
    assert np.argwhere(seen).tolist() == [[k, 1, 2] for k in samples]


def test_two_windows_of_a_pair_add_up():
    seen = in_view(CASE, windows((0, 0, 0.0, 10.0), (0, 0, 170.0, 190.0), (1, 0, 0.0, 0.0)))
    assert np.argwhere(seen).tolist() == [[0, 0, 0], [0, 1, 0], [3, 0, 0]]


def test_disagreement():
    reference = in_view(CASE, windows((0, 0, 0.0, 130.0)))  # samples 0 to 2
    other = in_view(CASE, windows((0, 0, 50.0, 190.0)))  # 1 to 3
    above = np.zeros((5, 2, 3))
    above[:, 0, 0] = [0.1, 20.0, 20.0, -0.3, -20.0]
    found = compare(other, reference, above)
    assert found.number == 2
    assert found.share == 2 / 30
    assert found.worst_deg == 0.3
    same = compare(reference, reference, above)
    assert (same.number, same.share) == (0, 0.0)
    assert np.isnan(same.worst_deg)


def test_the_pattern_is_the_walker_pattern():
    """Against noroshi's own pattern: at the epoch SGP4's mean elements and its positions differ by its short-period
    terms, 3/4 J2 Re^2/a times a few: 10 km in all; a satellite in a wrong slot would be hundreds off."""
    lines = walker_lines()
    text = "\n".join(line for pair in lines for line in pair)
    satellites = parse_satellites(text.encode(), "pattern")
    assert len(satellites) == SATELLITES
    r, _ = propagate(satellites, epoch_from_utc(EPOCH), np.zeros(1), load_earth_orientation())
    radius = np.linalg.norm(r[0], axis=-1)
    assert np.abs(radius / 1e3 - 6378.137 - ALTITUDE_KM).max() < 15.0
    pattern = walker("delta", 288, 12, 1, 7378137.0, np.deg2rad(60.0))
    records = [Satrec.twoline2rv(*pair) for pair in lines]
    # a TLE keeps 1e-4 deg
    np.testing.assert_allclose([s.nodeo for s in records], pattern.raan, rtol=0, atol=1e-6)
    along = np.array([s.mo for s in records]) - pattern.mean_anomaly
    assert np.abs(np.sin(along)).max() < 1e-6
    assert np.cos(along).min() > 0.0


def test_lattice():
    # even: each octant-like half holds half of the points, and the mean of sin^2 of latitude is 1/3
    lat, lon = fibonacci(10_000)
    assert (lat > 0).sum() == 5_000
    assert np.mean(np.sin(np.deg2rad(lat)) ** 2) == pytest.approx(1 / 3, abs=1e-4)
    assert -180.0 <= lon.min() < -179.9
    assert 179.9 < lon.max() < 180.0
    assert abs(np.exp(1j * np.deg2rad(lon)).mean()) < 1e-3

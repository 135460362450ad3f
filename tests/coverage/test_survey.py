"""Surveys of moving networks against plain NumPy on the same positions, and bit for bit alike however cut up."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scenes import DEG, EARTH_M, Case, folds, scattered, seen

from noroshi import frames, survey
from noroshi.coverage import points as grids
from noroshi.coverage.figures import overall
from noroshi.coverage.layout import itrs
from noroshi.coverage.limits import Figures, Limit, quality, table
from noroshi.coverage.models import SPHERE, WGS84, Bands, Body, Points
from noroshi.errors import NoroshiError, OutputError
from noroshi.orbits.ephemeris import Mean, Sites, ephemeris
from noroshi.orbits.walker import walker
from noroshi.sky import sky
from noroshi.survey import Network, Window
from noroshi.time import epoch_from_utc, load_earth_orientation

EPOCH = epoch_from_utc("2026-11-24T00:00:00Z")
N = 20
GROUP = Mean(tuple(f"s{k}" for k in range(N)), walker("delta", N, 4, 1, EARTH_M + 1200e3, 55 * DEG))
SITES = Sites(("north", "south"), np.array([40.0, -30.0]) * DEG, np.array([141.0, 20.0]) * DEG, np.zeros(2))
LIMITS = [Limit(sun_rad=30 * DEG, moon_rad=10 * DEG, elevation_target_rad=4 * DEG)] * N + [
    Limit(ground=True, range_max_m=3500e3, facing_rad=350 * DEG, azimuth_rad=70 * DEG, elevation_min_rad=3 * DEG)
] * 2  # fmt: skip
LIMITED = Network(
    (GROUP, SITES), table(LIMITS), quality([Figures(50e-6)] * N + [Figures(1e-3, floor_m=30.0)] * 2)
)
PLAIN = Network((GROUP,), table([Limit()] * N), quality([Figures(50e-6)] * N))
POINTS = grids.fibonacci(250, 40e3)
WINDOW = Window(EPOCH, 120.0, 50 * 120.0)


def case_of(network: Network, t: np.ndarray, points: Points, body: Body) -> Case:
    """Where the survey's sensors are, put together here from the functions that move them."""
    eop = load_earth_orientation()
    m = frames.itrs_from_gcrs(EPOCH, t, eop)
    parts = [frames.rotate(m, ephemeris([GROUP], EPOCH, t, eop).r_gcrs)]
    if len(network.groups) > 1:
        zero = np.zeros(2)
        there = itrs(Points("", SITES.lat_rad, SITES.lon_rad, SITES.height_m, zero), body)
        parts.append(np.repeat(there[None], len(t), axis=0))
    places = sky(EPOCH, t)
    sun, moon = (frames.rotate(m, x) for x in (places.sun_gcrs, places.moon_gcrs))
    return Case(np.concatenate(parts, axis=1), points, body, network.limits, network.quality, sun, moon)


@pytest.mark.parametrize("body", [WGS84, SPHERE], ids=lambda b: b.name)
@pytest.mark.parametrize("network", [PLAIN, LIMITED], ids=["plain", "limited"])
def test_figures_are_those_of_every_pair(network: Network, body: Body):
    found = survey.survey(network, POINTS, WINDOW, body=body).coverage
    expected = folds(case_of(network, WINDOW.t, POINTS, body))
    np.testing.assert_array_equal(found.t, np.arange(50) * 120.0)
    np.testing.assert_array_equal(found.mean_fold, expected.sum(0) / 50)
    np.testing.assert_array_equal(found.min_fold, expected.min(0))
    np.testing.assert_array_equal(found.max_fold, expected.max(0))
    for k in range(4):
        np.testing.assert_array_equal(found.fraction_at_least[:, k], (expected > k).sum(0) / 50)
    np.testing.assert_array_equal(found.min_at, expected.min(1))
    np.testing.assert_allclose(found.mean_at, expected.mean(1), rtol=1e-13)
    # shares in whole units of 2**-40
    share = np.bincount(expected.ravel()) / expected.size
    np.testing.assert_allclose(found.histogram, share, rtol=1e-13)
    dense = survey.survey(network, POINTS, WINDOW, body=body, engine="dense").coverage
    assert_same(dense, found)


def test_a_moving_target_is_counted_where_it_is():
    t = np.arange(0.0, 1800.0, 30.0)
    points = Points(
        "trajectory", 30 * DEG + 4e-4 * t, -170 * DEG - 5e-4 * t, 100e3 + 500.0 * t, np.full(60, 1 / 60), t=t
    )
    points.lon_rad[:] = (points.lon_rad + np.pi) % (2 * np.pi) - np.pi
    for network in (PLAIN, LIMITED):
        case = case_of(network, t, points, WGS84)
        see = np.array([
            seen(Case(case.r_sensor[[k]], scattered(*(x[[k]] for x in points[1:4])), WGS84, network.limits,
                      network.quality, case.sun[[k]], case.moon[[k]]))[0, :, 0]
            for k in range(len(t))
        ])  # fmt: skip
        each = see.sum(1)
        # a position is fixed by two lines of sight, or by a radar, which has a range
        fixed = (each > 1) | see[:, N:].any(1)
        found = survey.survey(network, points, WINDOW, stereo_rad=20 * DEG, errors=True)
        np.testing.assert_array_equal(found.coverage.min_at, each)
        assert found.coverage.mean_fold == [np.mean(each)]
        assert found.pairs == len(network.names) * len(t)
        assert 0 < found.coverage.stereo_fraction[0] <= found.coverage.fraction_at_least[0, 1]
        assert found.coverage.error_fraction[0] == fixed.mean()
        assert overall(found.coverage)["mean_fold"] == np.mean(each)


def assert_same(a: NamedTuple, b: NamedTuple) -> None:
    """All figures of two coverages alike, bit for bit."""
    for name in a.__dataclass_fields__:
        one, other = getattr(a, name), getattr(b, name)
        if isinstance(one, Bands):
            for field, x, y in zip(Bands._fields, one, other, strict=True):
                np.testing.assert_array_equal(x, y, err_msg=field)
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=name)
        elif not isinstance(one, Points):
            assert one == other, name


ASKED = {"stereo_rad": 20 * DEG, "errors": True}


def test_threads_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    whole = survey.survey(LIMITED, POINTS, WINDOW, threads=1, **ASKED).coverage
    for threads, block in ((2, 240), (3, 7), (2, 1)):
        monkeypatch.setattr(survey, "BLOCK_STATES", block * len(LIMITED.names))
        assert_same(survey.survey(LIMITED, POINTS, WINDOW, threads=threads, **ASKED).coverage, whole)


def interrupted(save: Path, after: int, network: Network = LIMITED, **asked) -> None:
    """A survey that its user stops at a sample, as Ctrl-C does."""

    def stop(name: str, finished: int, total: int) -> None:
        if finished >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        survey.survey(network, POINTS, WINDOW, save=save, threads=2, progress=stop, **asked)


def test_an_interrupted_survey_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    whole = survey.survey(LIMITED, POINTS, WINDOW, **ASKED)
    monkeypatch.setattr(survey, "BLOCK_STATES", 8 * len(LIMITED.names))
    save = tmp_path / "kept.npz"
    interrupted(save, 16, **ASKED)
    interrupted(save, 30, **ASKED)
    assert save.is_file()
    at = []
    again = survey.survey(
        LIMITED, POINTS, WINDOW, save=save, progress=lambda _, done, total: at.append(done), **ASKED
    )
    assert at[0] == 32
    assert again.pairs_now == again.pairs * 18 // 50
    assert again.pairs == whole.pairs == whole.pairs_now
    assert_same(again.coverage, whole.coverage)
    # all of it is kept until the caller has written what follows: windows, files
    assert [path.name for path in tmp_path.iterdir()] == ["kept.npz"]
    whole_again = survey.survey(LIMITED, POINTS, WINDOW, save=save, **ASKED)
    assert whole_again.pairs_now == 0
    assert_same(whole_again.coverage, whole.coverage)


def test_what_was_kept_of_another_survey_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(survey, "BLOCK_STATES", 8 * len(LIMITED.names))
    save = tmp_path / "kept.npz"
    whole = survey.survey(LIMITED, POINTS, WINDOW).coverage
    other = LIMITED._replace(limits=table([Limit(range_max_m=2000e3)] * (N + 2)))
    for network, asked in ((LIMITED, {"stereo_rad": 0.3}), (LIMITED, {"folds": 3}), (other, {})):
        interrupted(save, 16, network, **asked)
        again = survey.survey(LIMITED, POINTS, WINDOW, save=save)
        assert again.pairs_now == again.pairs
        assert again.discarded
        assert_same(again.coverage, whole)


@pytest.mark.parametrize("damage", [b"", b"noise", None], ids=["empty", "noise", "cut short"])
def test_a_damaged_file_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: bytes | None):
    monkeypatch.setattr(survey, "BLOCK_STATES", 8 * len(LIMITED.names))
    save = tmp_path / "kept.npz"
    interrupted(save, 16)
    save.write_bytes(save.read_bytes()[:-700] if damage is None else damage)
    again = survey.survey(LIMITED, POINTS, WINDOW, save=save)
    assert again.pairs_now == again.pairs
    assert_same(again.coverage, survey.survey(LIMITED, POINTS, WINDOW).coverage)


def test_what_cannot_be_saved_is_the_users_to_put_right(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(survey, "SAVE_S", -1.0)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be saved"):
        survey.survey(LIMITED, POINTS, WINDOW, save=tmp_path / "file" / "kept.npz")


def test_what_cannot_be_surveyed():
    with pytest.raises(NoroshiError, match="no sample"):
        survey.survey(PLAIN, POINTS, Window(EPOCH, 60.0, 0.0))
    with pytest.raises(NoroshiError, match="no sensor"):
        survey.survey(Network((), table([Limit()]), quality([Figures(1.0)])), POINTS, WINDOW)
    moving = POINTS._replace(t=60.0 * np.arange(len(POINTS.weight)))
    with pytest.raises(NoroshiError, match="dense"):
        survey.survey(PLAIN, moving, WINDOW, engine="dense")


def test_samples_of_a_window():
    # t = 0, step, ... < duration, whatever the rounding of duration over step
    assert len(Window(EPOCH, 60.0, 86400.0).t) == 1440
    assert len(Window(EPOCH, 0.1, 0.3).t) == 3
    assert len(Window(EPOCH, 60.0, 86401.0).t) == 1441

"""The truth table: launch on the grid, phases, frames, and what sensors can see."""

from __future__ import annotations

import numpy as np
import pytest

from noroshi import frames
from noroshi.constants import EARTH_RATE_RAD_S
from noroshi.earth import itrs_from_geodetic
from noroshi.errors import FlightError
from noroshi.tables import Phase
from noroshi.targets.models import Target, Trajectory
from noroshi.targets.truth import truth
from noroshi.time import epoch_from_utc, zero_earth_orientation

T = np.arange(0.0, 60.0)
M = frames.itrs_from_gcrs(epoch_from_utc("2017-08-28T20:57:00Z"), T, zero_earth_orientation())
PHASES = np.array([Phase.BOOST] * 4 + [Phase.COAST] * 10 + [Phase.REENTRY] * 6, np.int8)


def target(t_launch: float = 10.0, **change) -> Target:
    """Straight up and down again over 20 s, impact a moment after the last grid time."""
    t = np.arange(20.0)
    r = itrs_from_geodetic(np.full(20, 0.7), np.full(20, 2.0), 1e3 * t * (19.4 - t))
    v = np.gradient(r, axis=0)
    flown = Trajectory(t, r, v, PHASES, 19.4, r[-1])
    intensity = {"mwir": {"boost": 1e5, "coast": 50.0, "reentry": 5e3}, "swir": {"boost": 2e5}}
    return Target("one", flown, t_launch, intensity, 0.5)._replace(**change)


def test_a_target_waits_flies_and_rests() -> None:
    table = truth([target()], T, M)
    assert table.bands == ("mwir", "swir")
    assert (table.phase[:10, 0] == Phase.WAITING).all()
    assert (table.phase[10:30, 0] == PHASES).all()
    assert (table.phase[30:, 0] == Phase.LANDED).all()
    assert np.flatnonzero(table.alive[:, 0]).tolist() == list(range(10, 30))
    assert (table.t_launch[0], table.t_impact[0]) == (10.0, pytest.approx(29.4))
    assert table.intensity_w_sr[12, 0].tolist() == [1e5, 2e5]
    assert table.intensity_w_sr[20, 0].tolist() == [50.0, 0.0]  # swir is named for the boost only
    assert table.intensity_w_sr[[5, 40], 0].max() == 0.0
    assert table.rcs_m2.tolist() == [0.5]


def test_states_are_celestial_and_carry_the_rotation_of_the_earth() -> None:
    one = target()
    table = truth([one], T, M)
    r, v = frames.state_itrs(M, table.r_gcrs, table.v_gcrs)
    np.testing.assert_allclose(r[10:30, 0], one.trajectory.r_itrs, atol=1e-6)
    np.testing.assert_allclose(v[10:30, 0], one.trajectory.v_itrs, atol=1e-8)
    # at rest on the pad: only the Earth's spin, omega times the distance from the axis
    speed = np.linalg.norm(table.v_gcrs[0, 0])
    axis = np.hypot(*one.trajectory.r_itrs[0, :2])
    assert speed == pytest.approx(EARTH_RATE_RAD_S * axis, rel=1e-9)


def test_the_order_of_bands_can_be_given_and_targets_keep_theirs() -> None:
    table = truth([target(), target(0.0, name="two", intensity_w_sr={})], T, M, bands=("swir", "lwir"))
    assert table.targets == ("one", "two")
    assert table.intensity_w_sr[12, 0].tolist() == [2e5, 0.0]
    assert table.intensity_w_sr[:, 1].max() == 0.0
    assert table.alive[0].tolist() == [False, True]


def test_no_targets_is_a_table_too() -> None:
    table = truth([], T, M)
    assert table.r_gcrs.shape == (60, 0, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"t_launch": 10.3}, "not on the grid"),
        ({"intensity_w_sr": {"mwir": {"burn": 1.0}}}, "burn"),
        ({"intensity_w_sr": {"mwir": {"waiting": 1.0}}}, "waiting"),
    ],
)
def test_mistakes_name_the_target(change: dict, message: str) -> None:
    with pytest.raises(FlightError, match=message) as error:
        truth([target()._replace(**change)], T, M)
    assert error.value.where == "one"


def test_a_trajectory_on_another_grid_is_refused() -> None:
    with pytest.raises(FlightError, match="in steps of 1 s on a grid of 2 s"):
        truth([target()], T[::2], M[::2])

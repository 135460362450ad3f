"""Many flights in one call against each flown alone."""

from __future__ import annotations

import numpy as np
import pytest

from noroshi.earth import destination
from noroshi.errors import FlightError
from noroshi.targets import ballistic, boost, many
from noroshi.targets.models import BallisticFlight, Trajectory

SUNAN = (float(np.deg2rad(39.2)), float(np.deg2rad(125.7)))


def flight(apogee_km: float, range_km: float, boost_s: float, azimuth: float = 1.3) -> BallisticFlight:
    lat, lon = destination(*SUNAN, azimuth, 1e3 * range_km)
    return BallisticFlight(*SUNAN, 0.0, float(lat), float(lon), 1e3 * apogee_km, boost_s, 5000.0, 0.8, 10.0)


@pytest.mark.parametrize("step_s", [1.0, 2.0])
def test_many_flights_are_those_rebuilt_one_by_one(step_s: float) -> None:
    """Different boosts, lengths and directions together; both solvers stop within a centimetre of the facts."""
    facts = [flight(550, 2700, 150.0), flight(2111, 700, 120.0, 4.0), flight(150, 500, 60.0, 2.5)]
    for one, found in zip(facts, many.solve_many(facts, step_s), strict=True):
        alone = ballistic.rebuild(one, step_s)
        assert isinstance(found, Trajectory)
        np.testing.assert_array_equal(found.t, alone.t)
        np.testing.assert_allclose(found.r_itrs, alone.r_itrs, atol=0.02)
        np.testing.assert_allclose(found.r_end_itrs, alone.r_end_itrs, atol=0.02)
        np.testing.assert_array_equal(found.phase, alone.phase)
        assert found.t_end == pytest.approx(alone.t_end, abs=1e-4)


def test_one_that_cannot_be_flown_does_not_spoil_the_others() -> None:
    wrong, right, hard = many.solve_many(
        [flight(40, 2700, 150.0), flight(550, 2700, 150.0), flight(550, 2700, 30.0)], 1.0
    )
    assert wrong is boost.Fault.UNSOLVED
    assert hard is boost.Fault.HARD
    assert isinstance(right, Trajectory)
    assert many.solve_many([flight(40, 2700, 150.0)], 1.0) == [boost.Fault.UNSOLVED]


def test_figures_that_are_none() -> None:
    with pytest.raises(FlightError):
        many.solve_many([flight(550, 2700, 150.5)], 1.0)  # off the grid
    with pytest.raises(FlightError, match="no flights"):
        many.solve_many([], 1.0)

"""Published flights judged with their boost time and the rounding of the report."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from noroshi.earth import destination
from noroshi.errors import PhysicsError
from noroshi.targets import ballistic, many
from noroshi.targets.ellipse import consistent
from noroshi.targets.models import BallisticFlight
from noroshi.targets.published import Report, fit

SUNAN = (float(np.deg2rad(39.2)), float(np.deg2rad(125.7)))
# Boost windows: 250 s for liquid and 170 s for solid ICBMs (IEEE Spectrum 2005-03, quoting the APS study of 2003),
# a fifth either way, in whole seconds; 120-180 s for the single-stage Hwasong-12 is an assumption
LIQUID, SOLID, SINGLE = (200.0, 300.0), (136.0, 204.0), (120.0, 180.0)
TOWARDS_HOKKAIDO = float(np.deg2rad(72.9))


def window(name: str) -> tuple[float, float]:
    if "-12" in name:
        return SINGLE
    return SOLID if "-18" in name or "-19" in name else LIQUID


def from_sunan(apogee_km: float, range_km: float, time_s: float, **more: float) -> Report:
    place = {"launch_lat_rad": SUNAN[0], "launch_lon_rad": SUNAN[1], "azimuth_rad": TOWARDS_HOKKAIDO}
    return Report(1e3 * apogee_km, 1e3 * range_km, time_s, **(place | more))


def test_two_reports_of_one_flight() -> None:
    """2022-03-24: 68 min (KCNA, 4052 s) is less than free fall alone; 71 min (Japan) is a boost of 3-5 min."""
    kcna, japan = (
        fit(from_sunan(6248.5, 1090, t, apogee_rounding_m=100.0), LIQUID) for t in (4052.0, 4260.0)
    )
    assert not kcna.fits
    assert "less than free fall alone" in kcna.reason
    assert kcna.residual_s == pytest.approx(-22.7, abs=1.0)  # computed elsewhere, to 1 s
    assert kcna.gap_s < -150
    assert japan.fits
    assert japan.gap_s == 0.0
    assert japan.implied_boost_s is not None
    assert LIQUID[0] < japan.implied_boost_s < LIQUID[1]


def test_over_hokkaido_is_too_short_for_its_boost_where_free_fall_alone_lets_it_pass() -> None:
    report = from_sunan(550, 2700, 840.0, apogee_rounding_m=10e3, range_rounding_m=100e3)
    found = fit(report, SINGLE)
    assert consistent(found.residual_s)  # the closed form's criterion, 30..280 s
    assert not found.fits
    assert found.gap_s < 0
    assert found.reported_s == (810.0, 870.0)
    assert "too short" in found.reason


def test_every_published_report_is_judged(shared_data: Path) -> None:
    """All rows, towards the Sea of Japan and with whole minutes; flagged: the two reports above and no other."""
    with (shared_data / "flights" / "flights.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 13
    flagged = []
    for row in rows:
        figures = (float(row[key]) for key in ("apogee_km", "range_km", "reported_time_s"))
        found = fit(from_sunan(*figures), window(row["name"]))
        assert found.residual_s == pytest.approx(float(row["residual_s"]), abs=1.0)
        assert found.predicted_s is not None
        assert found.fits == (found.gap_s == 0.0)
        if not found.fits:
            flagged.append((row["date"], row["reporter"]))
    assert flagged == [("2017-08-29", "press"), ("2022-03-24", "KCNA")]


def test_the_boost_of_a_flight_is_found_again() -> None:
    """A flight flown with 165 s is reported exactly; the line between 120 and 180 s finds its boost to a second."""
    lat, lon = destination(*SUNAN, TOWARDS_HOKKAIDO, 2_700e3)
    flown = ballistic.solve(
        BallisticFlight(*SUNAN, 0.0, float(lat), float(lon), 700e3, 165.0, 5000.0, 0.8, 10.0), 1.0
    )
    time = flown.trajectory.t_end
    inside = fit(from_sunan(700, 2700, time, time_rounding_s=1.0), SINGLE)
    outside = fit(from_sunan(700, 2700, time, time_rounding_s=1.0), (190.0, 220.0))
    assert inside.fits
    assert inside.implied_boost_s == pytest.approx(165.0, abs=1.0)
    assert not outside.fits
    assert outside.gap_s < 0
    assert outside.implied_boost_s == pytest.approx(165.0, abs=1.0)
    assert "165 s would explain it" in outside.reason


def test_without_a_direction_the_earth_is_at_rest() -> None:
    # eastward flights run ahead of the turning ground and take longer, westward ones less; neither by more than 30 s
    somewhere = fit(Report(550e3, 2700e3, 840.0), (120.0, 180.0)).predicted_s
    assert somewhere is not None
    by_direction = {
        degrees: fit(
            Report(
                550e3,
                2700e3,
                840.0,
                launch_lat_rad=SUNAN[0],
                launch_lon_rad=SUNAN[1],
                azimuth_rad=np.deg2rad(degrees),
            ),
            (120.0, 180.0),
        ).predicted_s
        for degrees in (90.0, 270.0)
    }
    east, west = by_direction[90.0], by_direction[270.0]
    assert east is not None
    assert west is not None
    assert west[0] < somewhere[0] < east[0] < west[0] + 60.0
    assert west[1] < somewhere[1] < east[1]


def test_over_hokkaido_is_flagged_without_its_direction_too() -> None:
    assert not fit(Report(550e3, 2700e3, 840.0), (120.0, 180.0)).fits
    assert not fit(Report(6248.5e3, 1090e3, 4080.0), (150.0, 300.0)).fits
    assert fit(Report(6248.5e3, 1090e3, 4260.0), (150.0, 300.0)).fits


def test_no_booster_could_fly_it() -> None:
    found = fit(from_sunan(60, 2700, 500.0), SINGLE)
    assert not found.fits
    assert found.predicted_s is None
    assert found.implied_boost_s is None
    assert "no flight has this apogee and range" in found.reason


@pytest.mark.parametrize(
    ("change", "boost"),
    [
        ({}, (180.0, 120.0)),
        ({}, (5.0, 120.0)),
        ({"time_rounding_s": -1.0}, SINGLE),
        ({"apogee_rounding_m": 3e6}, SINGLE),
        ({"launch_lon_rad": None}, SINGLE),
    ],
)
def test_figures_that_are_none(change: dict[str, float], boost: tuple[float, float]) -> None:
    with pytest.raises(PhysicsError) as error:
        fit(from_sunan(1000, 4000, 1200.0, **change), boost)
    assert error.value.remedy


def test_many_flights_are_those_solved_one_by_one() -> None:
    """Both meet their facts to a centimetre: their impact times agree to what a centimetre is at 1 km/s and more."""
    flights = []
    for apogee_km, range_km, boost_s in ((550, 2700, 150.0), (2111, 700, 120.0), (150, 500, 60.0)):
        lat, lon = destination(*SUNAN, 1.3, 1e3 * range_km)
        flights.append(
            BallisticFlight(*SUNAN, 0.0, float(lat), float(lon), 1e3 * apogee_km, boost_s, 5000.0, 0.8, 10.0)
        )
    together = many.solve_controls(flights, 1.0)
    for i, flight in enumerate(flights):
        alone = ballistic.solve(flight, 1.0)
        assert together.outcome.t_end[i] == pytest.approx(alone.trajectory.t_end, abs=1e-4)
        assert together.outcome.apogee_m[i] == pytest.approx(flight.apogee_m, abs=0.02)
        assert together.unknowns[i, 0] == pytest.approx(alone.thrust0_m_s2, abs=1e-6)


@pytest.mark.parametrize(
    "figures", [(1e8, 1090e3, 4052.0), (6e6, 3e7, 4052.0), (np.nan, 1e6, 900.0), (5e5, 1e6, -5.0)]
)
def test_figures_beyond_any_flight_are_refused_at_once(figures):
    with pytest.raises(PhysicsError) as error:
        fit(Report(*figures), (150.0, 300.0))
    assert error.value.remedy

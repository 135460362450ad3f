"""Does a published flight agree with itself? The reported time against flights that were really flown.

The closed form (`ellipse.published_time_residual`) leaves the boost, the drag and the Earth's rotation in one
residual of 30-280 s. Here the flight is solved, all three included, at both ends of what may be the boost time and of
the rounding of apogee and range; a report fits when its time, rounded as it is, meets the times so found.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from noroshi.earth import destination
from noroshi.errors import PhysicsError
from noroshi.targets import boost, many
from noroshi.targets.ellipse import free_flight
from noroshi.targets.integrate import EARTH, Planet
from noroshi.targets.launch import site_of
from noroshi.targets.models import BallisticFlight

STEP_S = 1.0
APOGEE_MAX_M, RANGE_MAX_M = (
    20_000e3,
    19_500e3,
)  # as scenarios have them: beyond, a flight takes hours to solve
# Where the direction is not known the Earth is held at rest: eastward flights take longer than that, westward ones
# less, 20 s either way for 2,700 km from 40 N
AT_REST = EARTH._replace(rate_rad_s=0.0)


class Report(NamedTuple):
    """What was said of a flight. A rounding is the unit of the report: the value lies within half of it either way.

    Without a direction the flight is judged over an Earth at rest, as the closed form does; without a place, from
    the equator.
    """

    apogee_m: float
    range_m: float
    time_s: float  # launch to impact
    time_rounding_s: float = 60.0
    apogee_rounding_m: float = 0.0
    range_rounding_m: float = 0.0
    launch_lat_rad: float | None = None
    launch_lon_rad: float | None = None
    azimuth_rad: float | None = None


class Fit(NamedTuple):
    """A report judged. Intervals are (least, greatest)."""

    fits: bool
    reason: str  # one sentence with the figures
    predicted_s: tuple[float, float] | None  # of the flights solved; None: none can be flown
    reported_s: tuple[float, float]  # with its rounding
    gap_s: float  # from predicted to reported where they do not meet, negative: reported is shorter; else 0
    residual_s: float  # reported less free fall alone (closed form)
    implied_boost_s: (
        float | None
    )  # whose time is the reported one, at the reported apogee and range; None: no boost


def fit(
    report: Report,
    boost_window_s: tuple[float, float],
    *,
    ballistic_coefficient_kg_m2: float = 5000.0,  # notional: between blunt and slender re-entry bodies
    mass_fraction: float = 0.8,  # notional, as in the scenario format
    vertical_s: float = 10.0,
) -> Fit:
    """Judge a report, given the least and greatest boost time [s, whole seconds].

    Raises PhysicsError for a window or rounding that is none, FlightError for figures that no booster has.
    """
    _check(report, boost_window_s, vertical_s)
    assumed = (ballistic_coefficient_kg_m2, mass_fraction, vertical_s)
    low, high = boost_window_s
    apogees = _ends(report.apogee_m, report.apogee_rounding_m)
    ranges = _ends(report.range_m, report.range_rounding_m)
    corners = [
        *product(apogees, ranges, (low, high)),
        *product([report.apogee_m], [report.range_m], (low, high)),
    ]
    flights = [_flight(report, *corner, assumed) for corner in corners]
    solved = many.solve_controls(flights, STEP_S, planet=_planet(report))
    good = np.array([f is boost.Fault.NONE for f in solved.fault])
    times = np.where(good, solved.outcome.t_end, np.nan)

    reported = _ends(report.time_s, report.time_rounding_s)
    reported = (reported[0], reported[-1])
    residual = report.time_s - free_flight(report.apogee_m, report.range_m).time_s
    if not good.any():
        why = solved.fault[-1].value.format(
            burnout=boost.burnout_acceleration(site_of(flights[-1]), solved.unknowns[-1, 0])
        )
        return Fit(
            False,
            f"no flight has this apogee and range with a boost of {low:g} to {high:g} s: {why}",
            None,
            reported,
            float("nan"),
            residual,
            None,
        )
    predicted = float(np.nanmin(times)), float(np.nanmax(times))
    gap = min(0.0, reported[1] - predicted[0]) + max(0.0, reported[0] - predicted[1])
    implied = _implied(report, times[-2:], boost_window_s, assumed)
    return Fit(
        gap == 0.0, _reason(gap, predicted, reported, boost_window_s, residual, implied), predicted, reported, gap,
        residual, implied,
    )  # fmt: skip


def _check(report: Report, window: tuple[float, float], vertical_s: float) -> None:
    low, high = window
    figures = {"apogee": (report.apogee_m, APOGEE_MAX_M), "range": (report.range_m, RANGE_MAX_M)}
    for name, (value, most) in figures.items():
        if not 10e3 <= value <= most:
            raise PhysicsError(
                f"{name} of {value / 1e3:g} km", remedy=f"from 10 to {most / 1e3:,.0f} km can be judged"
            )
    if not 0.0 < report.time_s < float("inf"):
        raise PhysicsError(
            f"a flight of {report.time_s:g} s", remedy="give the time from launch to impact in seconds"
        )
    if not vertical_s < low <= high:
        raise PhysicsError(
            f"a boost of {low:g} to {high:g} s is no window",
            remedy=f"give the shorter boost first, above the vertical rise of {vertical_s:g} s",
        )
    roundings = report.time_rounding_s, report.apogee_rounding_m, report.range_rounding_m
    if not all(0.0 <= r < 2.0 * v for r, v in zip(roundings, (report.time_s, *report[:2]), strict=True)):
        raise PhysicsError(
            "a rounding is negative, or larger than twice its figure",
            remedy="give the unit of the report: 60 s for whole minutes",
        )
    if (report.launch_lat_rad is None) != (report.launch_lon_rad is None):
        raise PhysicsError("a launch place has a latitude and a longitude", remedy="give both or neither")


def _ends(value: float, rounding: float) -> tuple[float, ...]:
    return (value - 0.5 * rounding, value + 0.5 * rounding) if rounding > 0.0 else (value,)


def _planet(report: Report) -> Planet:
    return AT_REST if report.azimuth_rad is None else EARTH


def _flight(
    report: Report,
    apogee_m: float,
    range_m: float,
    boost_s: float,
    assumed: tuple[float, float, float],
) -> BallisticFlight:
    lat = 0.0 if report.launch_lat_rad is None else report.launch_lat_rad
    lon = 0.0 if report.launch_lon_rad is None else report.launch_lon_rad
    end = destination(lat, lon, 0.0 if report.azimuth_rad is None else report.azimuth_rad, range_m)
    coefficient, share, vertical = assumed
    return BallisticFlight(
        lat, lon, 0.0, float(end[0]), float(end[1]), apogee_m, boost_s, coefficient, share, vertical
    )


def _implied(
    report: Report,
    at: np.ndarray,  # time of the flights with the shortest and the longest boost [s]
    window: tuple[float, float],
    assumed: tuple[float, float, float],
) -> float | None:
    """The boost time whose flight takes the reported time: nearly linear, so one solution more refines the line."""
    ends = np.array(window)
    if not np.isfinite(at).all():
        return None
    # the slope of every flight looked at lies between 0.6 and 0.9 s per second of boost
    slope = (at[1] - at[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else 0.75
    line = ends[0] + (report.time_s - at[0]) / slope
    if ends[0] <= line <= ends[1]:
        return float(line)
    near = max(round(line / STEP_S) * STEP_S, 0.0)
    if near <= assumed[2]:
        return None
    flight = _flight(report, report.apogee_m, report.range_m, near, assumed)
    solved = many.solve_controls([flight], STEP_S, planet=_planet(report))
    if solved.fault[0] is not boost.Fault.NONE:
        return None
    other = float(solved.outcome.t_end[0])
    end = 0 if line < ends[0] else 1
    return float(near + (report.time_s - other) * (ends[end] - near) / (at[end] - other))


def _reason(
    gap: float,
    predicted: tuple[float, float],
    reported: tuple[float, float],
    window: tuple[float, float],
    residual: float,
    implied: float | None,
) -> str:
    flown = f"flights with a boost of {window[0]:g} to {window[1]:g} s take {predicted[0]:.0f} to {predicted[1]:.0f} s"
    said = f"{reported[0]:.0f} to {reported[1]:.0f} s"
    if gap == 0.0:
        return f"{flown}; the report says {said}"
    if residual < 0.0:
        return f"{flown}; the report says {said}, {-residual:.0f} s less than free fall alone"
    how = f"{-gap:.0f} s too short" if gap < 0.0 else f"{gap:.0f} s too long"
    boosted = (
        f"a boost of {implied:.0f} s would" if implied is not None else "no boost that could be flown would"
    )
    return f"{flown}; the report says {said}, {how}: {boosted} explain it"

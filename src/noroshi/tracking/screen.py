"""What a tracker must not be fed: impossible scans and detections are taken out, each with its reason, and counted.

Pure columns in, columns out; whoever made the tables (simulation, files, a live node) can call it. The order that
comes out is canonical, by time, sensor and measured values, so that permuting the input changes nothing.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Bool, Int64

from noroshi.tables import Detections, Scans

RANGE_MAX_M = 1e9  # beyond any orbit about the Earth; the Moon is at 3.8e8
RATE_MAX_M_S = 1e5  # notional: nothing bound to the Sun passes the Earth at more than 72 km/s
SIGMA_MIN_RAD = (
    1e-12  # notional: smaller than any instrument's and than float64 keeps of an angle after a rotation
)
SIGMA_MIN_M = 1e-6  # float64 resolves 1e-9 m at 7,000 km; a thousand times that
SIGMA_MAX_RAD = np.pi  # wider than the circle: nothing is known
MOST = 10_000  # detections of one scan: twice the largest live scan that is aimed at; more is a flood

# name: what it means. The last four are for those who make the tables (noroshi.io.detections)
REASONS = {
    "not_finite": "a measured value is NaN or infinite",
    "out_of_bounds": "elevation beyond a right angle, azimuth beyond a turn, range not in 0..1e9 m, rate above 1e5 m/s",
    "sigma": "a standard deviation is NaN, zero or negative",
    "nothing_measured": "no component is measured",
    "no_scan": "belongs to no scan",
    "duplicate": "the same values again in one scan",
    "flood": f"one of more than {MOST:,} detections of one scan: the whole scan is left out",
    "scan_refused": "its scan is refused",
    "scan_time": "a scan's time is NaN or infinite",
    "scan_state": "a scan's sensor position, velocity or attitude is NaN, infinite or absurd",
    "scan_settings": "a scan's detection probability, clutter or field of view is impossible",
    "scan_duplicate": "a second scan of one sensor at one time",
    "unknown_sensor": "its sensor is not known",
    "time": "has no usable time",
    "unit_vector": "its direction is no unit vector",
    "no_sensor_state": "its sensor has no row at its time",
}
SCAN_REASONS = ("scan_time", "scan_state", "scan_settings", "scan_duplicate")

Table = TypeVar("Table", Scans, Detections)


class Screened(NamedTuple):
    """What may go to a tracker, and what was kept from it."""

    scans: Scans  # sorted by time, then sensor
    detections: Detections  # sorted by scan, then by measured values
    order: Int64[np.ndarray, "scan"]  # 0, 1, 2, ...: rows of `scans` in the order of `track`
    refused: dict[str, int]  # rows by reason, those that occurred; scans by SCAN_REASONS and unknown_sensor
    backwards: int  # scans that came after a later one: sorted, not refused


def screen(scans: Scans, detections: Detections, *, sensors: int | None = None, most: int = MOST) -> Screened:
    """Scans and detections without what is impossible; nothing else changes but their order.

    A scan with more than `most` detections is left out altogether: its sensor is blinded, so what it does not see
    means nothing either. Components that are not measured (sigma inf, or wider than a circle or 1e9 m) get the value
    0. sensors: how many there are; a scan of another one is refused.
    """
    refused: dict[str, int] = {}

    def count(reason: str, bad: np.ndarray) -> None:
        if bad.any():
            refused[reason] = refused.get(reason, 0) + int(bad.sum())

    good = np.ones(len(scans.scan), bool)
    for reason, bad in _bad_scans(scans, sensors):
        count(reason, bad & good)
        good &= ~bad
    with np.errstate(invalid="ignore"):
        backwards = int(np.sum(_late(scans.t_event[good])))
    keep = np.flatnonzero(good)
    keep = keep[np.lexsort((scans.scan[keep], scans.sensor[keep], scans.t_event[keep]))]
    twin = np.zeros(len(keep), bool)
    twin[1:] = (np.diff(scans.t_event[keep]) == 0.0) & (np.diff(scans.sensor[keep]) == 0)
    count("scan_duplicate", twin)
    keep = keep[~twin]

    place = _place(scans.scan, detections.scan)  # row of each detection's scan; -1: none
    wanted = np.full(len(scans.scan) + 1, -1, np.int64)
    wanted[keep] = np.arange(len(keep))
    rank = wanted[place]  # of the scan in the new order; the last entry answers -1
    fit = np.ones(len(rank), bool)
    clean = _without_unmeasured(detections)
    for reason, bad in (
        ("no_scan", place < 0),
        ("scan_refused", (place >= 0) & (rank < 0)),
        *_bad_detections(clean),
    ):
        count(reason, bad & fit)
        fit &= ~bad
    rows = np.flatnonzero(fit)
    values = [clean.range_rate_m_s[rows], clean.range_m[rows], clean.el_rad[rows], clean.az_rad[rows]]
    sigmas = [clean.sigma_az_rad, clean.sigma_el_rad, clean.sigma_range_m, clean.sigma_range_rate_m_s]
    by = np.lexsort((clean.detection[rows], *(s[rows] for s in sigmas), *values, rank[rows]))
    rows = rows[by]
    again = np.zeros(len(rows), bool)
    if len(rows) > 1:
        again[1:] = rank[rows[1:]] == rank[rows[:-1]]
        for column in (clean.az_rad, clean.el_rad, clean.range_m, clean.range_rate_m_s, *sigmas):
            again[1:] &= column[rows[1:]] == column[rows[:-1]]
    count("duplicate", again)
    rows = rows[~again]

    held = np.bincount(rank[rows], minlength=len(keep))
    flooded = held > most
    count("flood", flooded[rank[rows]])
    rows = rows[~flooded[rank[rows]]]
    keep = keep[~flooded]
    number = np.cumsum(~flooded) - 1
    out_scans = replace(_taken(scans, keep), scan=np.arange(len(keep)))
    out = replace(_taken(clean, rows), scan=number[rank[rows]])
    return Screened(out_scans, out, np.arange(len(keep)), refused, backwards)


def _bad_scans(scans: Scans, sensors: int | None) -> list[tuple[str, Bool[np.ndarray, "scan"]]]:
    known = scans.sensor >= 0
    if sensors is not None:
        known &= scans.sensor < sensors
    q = scans.q_gcrs_from_sensor
    with np.errstate(invalid="ignore", over="ignore"):
        far = np.abs(scans.r_gcrs).max(1, initial=0.0) > RANGE_MAX_M
        fast = np.abs(scans.v_gcrs).max(1, initial=0.0) > RATE_MAX_M_S
        length = np.linalg.norm(q, axis=1)
        still = np.isfinite(scans.r_gcrs).all(1) & np.isfinite(scans.v_gcrs).all(1) & np.isfinite(q).all(1)
        state = ~still | far | fast | ~((length > 0.5) & (length < 2.0))
        settings = ~(
            (scans.p_detect >= 0.0)
            & (scans.p_detect <= 1.0)
            & (scans.clutter_density >= 0.0)
            & np.isfinite(scans.clutter_density)
            & (scans.field_cone_rad > 0.0)
            & (scans.field_azimuth_rad > 0.0)
            & (scans.field_elevation_min_rad <= scans.field_elevation_max_rad)
            & (scans.range_max_m > 0.0)
            & np.isfinite(scans.grazing_height_m)
            & np.isfinite(scans.cloud_top_m)
        )
    return [
        ("unknown_sensor", ~known),
        ("scan_time", ~np.isfinite(scans.t_event)),
        ("scan_state", state),
        ("scan_settings", settings),
    ]


def _bad_detections(d: Detections) -> list[tuple[str, Bool[np.ndarray, "detection"]]]:
    components = (
        (d.az_rad, d.sigma_az_rad, SIGMA_MIN_RAD, -2.0 * np.pi, 2.0 * np.pi),
        (
            d.el_rad,
            d.sigma_el_rad,
            SIGMA_MIN_RAD,
            -np.pi / 2 - 1e-12,
            np.pi / 2 + 1e-12,
        ),  # the rounding of asin
        (d.range_m, d.sigma_range_m, SIGMA_MIN_M, np.nextafter(0.0, 1.0), RANGE_MAX_M),
        (d.range_rate_m_s, d.sigma_range_rate_m_s, SIGMA_MIN_M, -RATE_MAX_M_S, RATE_MAX_M_S),
    )
    none = np.ones(len(d.detection), bool)
    finite, inside, sure = none.copy(), none.copy(), none.copy()
    for value, sigma, least, low, high in components:
        measured = ~np.isposinf(sigma)
        none &= ~measured
        with np.errstate(invalid="ignore"):
            sure &= ~measured | (sigma >= least)
            finite &= ~measured | np.isfinite(value)
            inside &= ~measured | ((value >= low) & (value <= high))
    return [("nothing_measured", none), ("sigma", ~sure), ("not_finite", ~finite), ("out_of_bounds", ~inside)]


def _without_unmeasured(d: Detections) -> Detections:
    """The same with value 0 and sigma inf wherever a sigma says that nothing is known."""
    changed = {}
    for value, sigma, most in (
        ("az_rad", "sigma_az_rad", None),
        ("el_rad", "sigma_el_rad", SIGMA_MAX_RAD),
        ("range_m", "sigma_range_m", RANGE_MAX_M),
        ("range_rate_m_s", "sigma_range_rate_m_s", RANGE_MAX_M),
    ):
        width = getattr(d, sigma)
        with np.errstate(invalid="ignore"):
            if most is None:  # an azimuth near the pole is worth what it is across the line of sight
                nothing = (
                    width * np.abs(np.cos(np.where(np.isfinite(d.el_rad), d.el_rad, 0.0))) > SIGMA_MAX_RAD
                )
            else:
                nothing = width > most
        nothing |= np.isposinf(width)
        changed[sigma] = np.where(nothing, np.inf, width)
        changed[value] = np.where(nothing, 0.0, getattr(d, value))
    return replace(d, **changed)


def _late(t: np.ndarray) -> np.ndarray:
    return t[1:] < np.maximum.accumulate(t)[:-1] if len(t) > 1 else np.zeros(0, bool)


def _place(scan: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Row of each wanted scan number, -1 where there is none (the first row of a number used twice)."""
    order = np.argsort(scan, kind="stable")
    at = np.searchsorted(scan[order], wanted)
    inside = at < len(scan)
    row = np.full(len(wanted), -1, np.int64)
    row[inside] = order[at[inside]]
    row[inside] = np.where(scan[row[inside]] == wanted[inside], row[inside], -1)
    return row


def _taken(table: Table, rows: np.ndarray) -> Table:
    return type(table)(**{f.name: getattr(table, f.name)[rows] for f in fields(table)})

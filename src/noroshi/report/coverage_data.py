"""What the coverage report says, as plain numbers: sentence, cards, charts and tables read from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float64

from noroshi.coverage.models import Coverage
from noroshi.report import data, maps, raster
from noroshi.report.maps import Frame
from noroshi.report.raster import Cells

Kind = Literal["globe", "region", "sites", "moving"]
EXACT = 1e-9  # sums of area weights are only so exact: a share this close to 0 or 1 is 0 or 1
LIST_MOST = 40  # sites that a chart or table of the page holds; all are in the files beside it
SPAN_MOST = 180.0  # a region wider than this is drawn on the map of the whole Earth's width


@dataclass(frozen=True)
class Study:
    """The plain numbers of one coverage report; x and y are the points on the axes of its map [deg]."""

    coverage: Coverage
    summary: dict[str, Any]
    design: dict[str, Any] | None
    kind: Kind
    frame: Frame
    cells: Cells | None  # None: sites and moving targets have symbols instead
    x: Float64[np.ndarray, "point"]
    y: Float64[np.ndarray, "point"]
    fold: (
        int | None
    )  # "seen by at least so many" of which the share varies most from place to place; None: none varies
    card_fold: int  # the least such number of which the share is below one, else the greatest there is


def collect(coverage: Coverage, summary: dict[str, Any], design: dict[str, Any] | None) -> Study:
    """Gather a coverage report. `summary` and `design` as `noroshi.report.coverage_page.render` takes them."""
    points = coverage.points
    kind = kind_of(coverage)
    x, y, frame = _frame(points.lon_rad, points.lat_rad, kind)
    cells = raster.divide(frame, x, y, everywhere=kind == "globe") if kind in ("globe", "region") else None
    shares = [
        float(summary["fraction_at_least"][key]) for key in sorted(summary["fraction_at_least"], key=int)
    ]
    below = [k for k, share in enumerate(shares, 1) if share < 1.0 - EXACT]
    return Study(
        coverage=coverage,
        summary=summary,
        design=design,
        kind=kind,
        frame=frame,
        cells=cells,
        x=x,
        y=y,
        fold=_telling_fold(coverage),
        card_fold=below[0] if below else len(shares),
    )


def kind_of(coverage: Coverage) -> Kind:
    """What was asked: a target that moves, sites with names, the whole Earth, or a part of it."""
    points = coverage.points
    if points.t is not None:
        return "moving"
    if points.names:
        return "sites"
    return "globe" if raster.cover_all(points.lat_rad, points.lon_rad) else "region"


def _telling_fold(coverage: Coverage) -> int | None:
    weight, shares = coverage.place_weight, coverage.fraction_at_least
    variance = weight @ (shares - weight @ shares) ** 2
    best = int(np.argmax(variance))
    return best + 1 if np.ptp(shares[:, best]) > EXACT else None


def _frame(
    lon_rad: np.ndarray, lat_rad: np.ndarray, kind: Kind
) -> tuple[Float64[np.ndarray, "point"], Float64[np.ndarray, "point"], Frame]:
    """The points on the map's axes and the map: regions that 30 W would cut in two are drawn whole."""
    x, y = data.map_lon(lon_rad), np.rad2deg(lat_rad)
    if kind == "globe":
        return x, y, maps.globe()
    ordered = np.sort(x)
    apart = np.diff(np.append(ordered, ordered[0] + 360.0))
    widest = int(np.argmax(apart))
    span = 360.0 - float(apart[widest])
    west_end = data.WEST_DEG
    if widest < len(x) - 1 and span <= SPAN_MOST:
        start = float(ordered[widest + 1]) - 360.0
        west_end = start + span / 2 - 180.0
        x = np.mod(x - west_end, 360.0) + west_end
    margin = 6.0 if kind in ("sites", "moving") else float(np.clip(0.06 * (np.ptp(x) + np.ptp(y)), 0.5, 5.0))
    return x, y, maps.frame_about(x, y, margin=margin, west_end=west_end)


def quantiles(values: np.ndarray, weight: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """For each share the least value that at least so much of the weight does not exceed; nan is beyond every value."""
    order = np.argsort(values)  # nan comes last
    total = np.cumsum(weight[order])
    at = np.searchsorted(total, np.array(shares) * total[-1] * (1 - EXACT))
    return values[order][np.minimum(at, len(order) - 1)].tolist()


def known_mean(values: np.ndarray, weight: np.ndarray) -> float:
    """The weighted mean of the places that have a figure; nan: none has."""
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weight[known])) if known.any() else np.nan


def exceeded(
    values: np.ndarray, weight: np.ndarray
) -> tuple[Float[np.ndarray, "step"], Float[np.ndarray, "step"]]:
    """Steps of the share of the weight whose value is greater than x: the x, rising from 0, and the share from each."""
    steps, at = np.unique(values, return_inverse=True)
    share = np.bincount(at, weight, len(steps))
    left = np.maximum(weight.sum() - np.cumsum(share), 0.0) / weight.sum()
    return np.concatenate([[0.0], steps]), np.concatenate(
        [[float(share[steps > 0].sum() / weight.sum())], left]
    )

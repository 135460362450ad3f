"""Made-up coverage for the tests of its report: a few satellites about a sphere, counted in plain NumPy.

The physics is rough on purpose (a sphere that turns once a day, the ground as the only obstacle, an error that
shrinks with the root of the number of lines of sight); the figures are made from the counts by the definitions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import noroshi._jax  # noqa: F401  (first: 64-bit numbers)
from noroshi.coverage.figures import overall
from noroshi.coverage.models import Bands, Coverage, Points

RADIUS_M = 6_371_000.0
GM = 3.986e14
FOLDS = 4
MANIFEST = {
    "command": "noroshi coverage --walker 60:24/6/1 --altitude-km 1000",
    "finished_utc": "2026-01-02T03:04:05Z",
    "versions": {"noroshi": "0.1.0", "numpy": "2.0.0"},
}


def fibonacci(count: int) -> Points:
    """Points of equal area all over the Earth."""
    k = np.arange(count)
    lat = np.arcsin(1 - 2 * (k + 0.5) / count)
    lon = np.mod(2 * np.pi * k * (np.sqrt(5) - 1) / 2 + np.pi, 2 * np.pi) - np.pi
    return Points(f"fibonacci:{count}", lat, lon, np.full(count, 40e3), np.full(count, 1 / count))


def box(south: float, north: float, west: float, east: float, step: float = 2.0) -> Points:
    """Cells of latitude and longitude [deg] with their area as weight; east may be beyond 180."""
    lat, lon = np.meshgrid(np.arange(south + step / 2, north, step), np.arange(west + step / 2, east, step))
    lat, lon = np.deg2rad(lat.ravel()), np.mod(np.deg2rad(lon.ravel()) + np.pi, 2 * np.pi) - np.pi
    weight = np.cos(lat) / np.cos(lat).sum()
    return Points(f"polygon:{step:g}deg", lat, lon, np.full(lat.shape, 40e3), weight)


def towns() -> Points:
    """Sites with names."""
    names = ("Wakkanai", "Niigata", "Yonaguni", "Guam", "Hilo", "Darwin")
    places = [(45.4, 141.7), (37.9, 139.0), (24.5, 123.0), (13.4, 144.8), (19.7, -155.1), (-12.5, 130.8)]
    lat, lon = np.deg2rad(np.array(places)).T
    return Points("sites", lat, lon, np.zeros(len(names)), np.full(len(names), 1 / len(names)), names)


def flight(t: np.ndarray) -> Points:
    """A target that flies from the Sea of Japan to Hawaii, across the antimeridian."""
    share = t / t[-1]
    lat = np.deg2rad(40 - 20 * share)
    lon = np.mod(np.deg2rad(132 + 73 * share) + np.pi, 2 * np.pi) - np.pi
    return Points("trajectory", lat, lon, np.full(t.shape, 60e3), np.full(t.shape, 1 / len(t)), t=t)


def satellites(
    t: np.ndarray, count: int, planes: int, altitude_m: float, inclination_deg: float
) -> np.ndarray:
    """Positions [time, satellite, 3] of a Walker delta in a frame that turns with the sphere."""
    k = np.arange(count)
    plane = k // (count // planes)
    node = 2 * np.pi * plane / planes
    a = RADIUS_M + altitude_m
    along = 2 * np.pi * (k % (count // planes)) / (count // planes) + 2 * np.pi * plane / count
    u = along + np.sqrt(GM / a**3) * t[:, None]
    i = np.deg2rad(inclination_deg)
    turned = node - 2 * np.pi * t[:, None] / 86_164
    x = np.cos(turned) * np.cos(u) - np.sin(turned) * np.sin(u) * np.cos(i)
    y = np.sin(turned) * np.cos(u) + np.cos(turned) * np.sin(u) * np.cos(i)
    return a * np.stack([x, y, np.sin(u) * np.sin(i)], -1)


def folds(points: Points, t: np.ndarray, r: np.ndarray) -> np.ndarray:
    """How many satellites each place has above the ground's edge, [time, place]."""
    flat = np.cos(points.lat_rad)
    up = np.stack([flat * np.cos(points.lon_rad), flat * np.sin(points.lon_rad), np.sin(points.lat_rad)], -1)
    a = np.linalg.norm(r[0, 0])
    reach = np.arccos(RADIUS_M / a) + np.arccos(RADIUS_M / (RADIUS_M + points.height_m))
    least = np.cos(reach) * a
    counted = np.empty((len(t), 1 if points.t is not None else len(up)), int)
    for n in range(len(t)):
        at = up[n : n + 1] if points.t is not None else up
        counted[n] = (r[n] @ at.T >= (least[n] if points.t is not None else least)).sum(0)
    return counted


def tally(
    points: Points,
    t: np.ndarray,
    fold: np.ndarray,
    sensors: int,
    *,
    stereo: bool = False,
    error: bool = False,
) -> Coverage:
    """Every figure from the counts [time, place]."""
    step = float(t[1] - t[0]) if len(t) > 1 else 60.0
    weight = np.ones(1) if points.t is not None else points.weight
    least = np.stack([fold >= k + 1 for k in range(FOLDS)], -1)
    places = fold.shape[1]
    longest, cut = np.zeros(places), np.zeros(places, bool)
    gaps, total, squares = np.zeros(places, int), np.zeros(places), np.zeros(places)
    for p in range(places):
        hidden = np.concatenate([[0], (fold[:, p] == 0).astype(int), [0]])
        starts, ends = np.flatnonzero(np.diff(hidden) == 1), np.flatnonzero(np.diff(hidden) == -1)
        runs = (ends - starts) * step
        if len(runs):
            worst = runs == runs.max()
            longest[p], gaps[p], total[p] = runs.max(), len(runs), runs.sum()
            cut[p] = bool((worst & ((starts == 0) | (ends == len(t)))).any())
            squares[p] = sum(n * (n + 1) / 2 for n in ends - starts) * step
    first = np.where(least[..., 0].any(0), t[least[..., 0].argmax(0)], np.nan)
    mean_gap = np.divide(total, gaps, out=np.zeros(places), where=gaps > 0)
    response = squares / len(t)
    pair = fold >= 2
    fixes = [2000.0 / np.sqrt(fold[pair[:, p], p]) for p in range(places)]
    median = np.array([np.median(f) if len(f) else np.nan for f in fixes])
    upper = np.array([np.quantile(f, 0.95) if len(f) else np.nan for f in fixes])
    stereo_fraction = (fold >= 3).mean(0) if stereo else None
    histogram = np.zeros(fold.max() + 1)
    for k in range(len(histogram)):
        histogram[k] = ((fold == k).mean(0) * weight).sum()
    return Coverage(
        points=points,
        sensors=tuple(f"sat-{k}" for k in range(sensors)),
        t=t,
        step_s=step,
        stereo_rad=np.deg2rad(20.0) if stereo else None,
        mean_fold=fold.mean(0),
        min_fold=fold.min(0),
        max_fold=fold.max(0),
        fraction_at_least=least.mean(0),
        stereo_fraction=stereo_fraction,
        longest_gap_s=longest,
        gap_truncated=cut,
        gaps=gaps,
        mean_gap_s=mean_gap,
        mean_response_s=response,
        first_look_s=first,
        error_median_m=median if error else None,
        error_95_m=upper if error else None,
        error_fraction=pair.mean(0) if error else None,
        histogram=histogram,
        mean_at=fold @ weight,
        min_at=fold.min(1),
        fraction_at=np.einsum("tpk,p->tk", least, weight),
        bands=bands(
            points, weight, fold, least, stereo_fraction, longest, response, median if error else None
        ),
    )


def bands(
    points: Points,
    weight: np.ndarray,
    fold: np.ndarray,
    least: np.ndarray,
    stereo: np.ndarray | None,
    longest: np.ndarray,
    response: np.ndarray,
    error: np.ndarray | None,
) -> Bands:
    """Ten degrees each; a moving target has the one band of where it starts."""
    lat = np.rad2deg(points.lat_rad[: len(weight)])
    edges = np.arange(-90.0, 91.0, 10.0)
    held = [(s, s + 10.0, np.flatnonzero((lat >= s) & (lat < s + 10.0))) for s in edges[:-1]]
    held = [band for band in held if len(band[2])]

    def mean(values: np.ndarray) -> np.ndarray:
        return np.array([np.average(values[p], axis=0, weights=weight[p]) for _, _, p in held])

    blank = np.full(len(held), np.nan)
    errors = blank.copy()
    for n, (_, _, p) in enumerate(held):
        if error is not None and np.isfinite(error[p]).any():
            errors[n] = np.nanmedian(error[p])
    return Bands(
        south_rad=np.deg2rad([s for s, _, _ in held]),
        north_rad=np.deg2rad([n for _, n, _ in held]),
        weight=np.array([weight[p].sum() for _, _, p in held]),
        mean_fold=mean(fold.mean(0)),
        min_fold=np.array([fold[:, p].min() for _, _, p in held]),
        max_fold=np.array([fold[:, p].max() for _, _, p in held]),
        fraction_at_least=mean(least.mean(0)),
        stereo_fraction=blank if stereo is None else mean(stereo),
        longest_gap_s=np.array([longest[p].max() for _, _, p in held]),
        mean_response_s=mean(response),
        error_m=errors,
    )


def make_coverage(
    kind: str,
    *,
    sensors: int = 24,
    stereo: bool = False,
    error: bool = False,
    count: int = 1500,
    steps: int = 120,
) -> Coverage:
    """Coverage of `globe`, `region` (over the antimeridian), `atlantic` (over 30 W), `sites` or `moving`."""
    t = np.arange(steps) * 60.0
    points = {
        "globe": lambda: fibonacci(count),
        "region": lambda: box(20, 56, 120, 200),
        "atlantic": lambda: box(30, 60, -60, 0),
        "sites": towns,
        "moving": lambda: flight(t),
    }[kind]()
    r = satellites(t, sensors, 6, 1_000e3, 60.0)
    return tally(points, t, folds(points, t, r), sensors, stereo=stereo, error=error)


def summarise(coverage: Coverage, **more: Any) -> dict[str, Any]:
    """The headline figures as `noroshi coverage --json` has them."""
    places = len(coverage.place_weight)
    return (
        overall(coverage)
        | {
            "pairs": len(coverage.sensors) * places * len(coverage.t),
            "wall_s": 0.41,
            "cpu_s": 0.78,
            "ns_per_pair": 0.19,
            "constraints": {"grazing_height_km": 0.0, "range_max_km": 5000.0, "background": "any"},
            "propagator": "sgp4",
            "earth": "wgs84",
            "step_s": coverage.step_s,
            "duration_s": coverage.step_s * len(coverage.t),
            "epoch": "2026-01-01T00:00:00Z",
            "grid": coverage.points.kind,
            "target_altitude_km": 40.0,
            "notes": [],
        }
        | more
    )


DESIGN = {
    "need": "2-fold >= 99 % over 20N-55N,120E-180E at 40 km",
    "satellites": 60,
    "planes": 6,
    "phasing": 1,
    "altitude_km": 1200.0,
    "inclination_deg": 55.0,
    "achieved": 0.9953,
    "searched": {
        "pattern": ["delta", "star"],
        "planes": "every divisor",
        "designs_evaluated": 1240,
        "exhaustive": False,
        "altitude_km": [800, 1000, 1200],
        "fewest_by_altitude_km": {"1200": 60},
        "time_s": 12.5,
        "stopped_by": "time limit",
    },
    "front": [
        {
            "satellites": n,
            "planes": 6,
            "phasing": 1,
            "altitude_km": a,
            "inclination_deg": 55.0,
            "achieved": share,
        }
        for n, a, share in (
            (24, 1200.0, 0.61),
            (30, 1200.0, 0.74),
            (36, 1200.0, 0.86),
            (42, 1000.0, 0.91),
            (48, 1200.0, 0.966),
            (54, 800.0, 0.981),
            (60, 1200.0, 0.9953),
            (72, 1000.0, 0.9997),
        )
    ],
    "robustness": [
        {"lost": "1 satellite", "worst": 0.987, "mean": 0.991, "cases": 60, "exhaustive": True},
        {"lost": "2 satellites", "worst": 0.9712, "mean": 0.984, "cases": 500, "exhaustive": False},
        {"lost": "one plane", "worst": 0.902, "mean": 0.913, "cases": 6, "exhaustive": True},
    ],
}

"""The search for a constellation, with its area read, its winner surveyed for a day, and satellites taken from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from noroshi import frames
from noroshi.coverage import count, dense, design, losses, points
from noroshi.coverage.design import Check, Found, Outcome, Progress, SearchSpace
from noroshi.coverage.grid import parse, parse_box
from noroshi.coverage.layout import layout
from noroshi.coverage.limits import Figures, Limit, quality, table
from noroshi.coverage.models import SPHERE, WGS84, Body, Points
from noroshi.coverage.need import Clause, Need
from noroshi.coverage.pattern import Design
from noroshi.earth import geodetic_from_itrs, up_itrs
from noroshi.errors import ScenarioError
from noroshi.io.points import read_points
from noroshi.orbits.elements import Elements
from noroshi.orbits.ephemeris import Catalogued, Mean, ephemeris
from noroshi.sky import sky
from noroshi.survey import Network, Propagator, Window, shell, survey
from noroshi.time import EarthOrientation, Epoch, load_earth_orientation

NO_NOISE = Figures(1e-6)  # where nothing asks for position errors
CHECK_POINTS, CHECK_STEP_S = 500, 60.0  # of the day-long check; then four times the points and half the step
LOSS_POINTS, LOSS_SAMPLES = 300, 220_000  # points, and points times moments, at which losses are looked at
STEREO_CASES = 60  # losses for which stereo is counted again, of each kind


def search(
    need: Need,
    space: SearchSpace,
    limit: Limit,
    epoch: Epoch,
    *,
    body: Body = WGS84,
    stereo_rad: float = np.deg2rad(20.0),
    propagator: Propagator = "sgp4",
    duration_s: float = 86400.0,
    lost: Sequence[int] = (1, 2),
    time_limit_s: float = 60.0,
    threads: int | None = None,
    seed: int = 0,
    eop: EarthOrientation | None = None,
    progress: Progress = lambda name, finished, total: None,
) -> Found:
    """The fewest satellites of a Walker pattern that meet the need, checked for a day and robbed of satellites.

    lost: how many satellites are lost at once, for the robustness of the winner. The time limit is that of the search;
    the compiler and the losses come on top. Raises NoroshiError where nothing meets the need, ScenarioError where the
    area or the altitudes make no sense.
    """
    low = [a for a in space.altitudes_m if a <= max(need.height_m, 0.0) or a < 100e3]
    if low or not space.altitudes_m:
        raise ScenarioError(
            f"an altitude of {low[0] / 1e3:g} km is no orbit above the targets"
            if low
            else "no altitude is given",
            remedy="give altitudes of 100 km or more, above the targets: --altitude-km 600:1400:100",
        )
    eop = eop or load_earth_orientation()
    stereo = stereo_rad if need.stereo else None

    def check(one: Design) -> Check:
        """The day itself, twice; the finer one decides."""
        looks = []
        for finer in (1, 2):
            places = area(need, CHECK_POINTS * finer**2, epoch)
            window = Window(epoch, CHECK_STEP_S / finer, duration_s)
            made = survey(
                network(one, limit, epoch, propagator), places, window, body=body, stereo_rad=stereo, folds=need.folds,
                engine="culled", threads=threads, eop=eop,
            ).coverage  # fmt: skip
            outcome = _outcome(one, need, made)
            looks.append((outcome, len(places.weight), window.step_s))
            if not outcome.meets:
                break
        outcome = looks[-1][0]
        return Check(
            outcome,
            {
                "propagator": propagator,
                "earth": body.name,
                "duration_s": duration_s,
                "looks": [
                    {
                        "points": n,
                        "step_s": step,
                        "achieved": o.shares[0],
                        "achieved_all": design.every(o, need),
                        "meets": o.meets,
                    }
                    for o, n, step in looks
                ],
            },
        )

    found = design.search(
        need, area(need, 4 * CHECK_POINTS, epoch), space, limit, body, check, stereo_rad=stereo_rad,
        time_limit_s=time_limit_s, threads=threads, seed=seed, progress=progress,
    )  # fmt: skip
    progress("losses", 0, 1)
    return replace(
        found, robustness=_robustness(found, limit, epoch, body, stereo_rad, propagator, lost, eop, seed)
    )


def area(need: Need, number: int, epoch: Epoch) -> Points:
    """About so many points of a need's area, of equal weight, at its height."""
    text = need.area
    density = points.Density(count=number)
    if text.lower() == "global":
        return points.fibonacci(number, need.height_m)
    kind = text.partition(":")[0].strip().lower()
    if ":" not in text:
        return points.box(*parse_box(text), need.height_m, density)
    if kind in ("polygon", "box"):
        return read_points(parse(text)._replace(density=density), need.height_m, epoch)
    if kind in ("site", "sites"):
        return read_points(parse(text), need.height_m, epoch)
    raise ScenarioError(
        f"{text[:60]!r} is no area to cover",
        where=f"need {need.text[:80]!r}",
        remedy="name global, a box (20N-55N,120E-180E), polygon:FILE or sites:FILE",
    )


def network(
    one: Design, limit: Limit, epoch: Epoch, propagator: Propagator, figures: Figures = NO_NOISE
) -> Network:
    """The satellites of a design, all alike."""
    per_plane = one.satellites // one.planes
    names = tuple(f"{k // per_plane + 1}-{k % per_plane + 1}" for k in range(one.satellites))
    group = shell(
        names, one.pattern, one.planes, one.phasing, one.altitude_m, one.inclination_rad, epoch, propagator
    )
    return Network((group,), table([limit] * one.satellites), quality([figures] * one.satellites))


def _outcome(one: Design, need: Need, made: Any) -> Outcome:
    weight, shares, gap = made.place_weight, [], None
    for clause in need.clauses:
        if clause.kind == "fold":
            shares.append(float(weight @ made.fraction_at_least[:, clause.fold - 1]))
        elif clause.kind == "stereo":
            shares.append(float(weight @ made.stereo_fraction))
        else:
            gap = float(made.longest_gap_s.max())
            shares.append(float(weight @ (made.longest_gap_s <= clause.gap_s)))
    met = all(s >= c.least - 1e-12 for s, c in zip(shares, need.clauses, strict=True))
    return Outcome(one, tuple(min(s, 1.0) for s in shares), gap, met)  # weights add up to 1 but for rounding


def _robustness(
    found: Found,
    limit: Limit,
    epoch: Epoch,
    body: Body,
    stereo_rad: float,
    propagator: Propagator,
    lost: Sequence[int],
    eop: EarthOrientation,
    seed: int,
) -> tuple[dict[str, Any], ...]:
    """Every clause after losses, a row for each kind of loss; the first clause's rows first."""
    one, rows = found.best.design, []
    whole = network(one, limit, epoch, propagator)
    gap = found.need.gap_s
    step = 120.0 if gap is None else float(np.clip(gap / 4.0, 1.0, 120.0))
    window = Window(epoch, step, 86400.0)
    places = area(found.need, max(min(LOSS_POINTS, LOSS_SAMPLES // len(window.t)), 20), epoch)
    seen = None
    if any(c.kind != "stereo" for c in found.need.clauses):
        seen = sights(whole, places, window, body, eop)

    def stereo_without(gone: tuple[int, ...]) -> float:
        kept = np.setdiff1d(np.arange(one.satellites), gone)
        made = survey(
            _part(whole, kept),
            places,
            window,
            body=body,
            stereo_rad=stereo_rad,
            folds=1,
            engine="culled",
            eop=eop,
        ).coverage
        return float(made.place_weight @ made.stereo_fraction)

    for clause in found.need.clauses:
        pairs, most = None, losses.CASES_MOST
        if clause.kind == "stereo":
            share, most = stereo_without, STEREO_CASES
        else:
            assert seen is not None
            if clause.kind == "fold":
                share, pairs = losses.fold_without(seen, clause.fold), losses.fold_pairs(seen, clause.fold)
            else:
                share, most = losses.gaps_without(seen, clause.gap_s, step), 500
        made = losses.after_losses(
            one.satellites, one.planes, lost, share, pairs=pairs, cases_most=most, seed=seed
        )
        first = not rows
        rows += [_row(loss, clause, first=first, points=len(places.weight), step=step) for loss in made]
    return tuple(rows)


def _row(loss: losses.Loss, clause: Clause, *, first: bool, points: int, step: float) -> dict[str, Any]:
    return {
        "lost": loss.lost if first else f"{loss.lost} ({clause.name})",
        "clause": clause.name,
        "worst": loss.worst,
        "mean": loss.mean,
        "cases": loss.cases,
        "exhaustive": loss.exhaustive,
        "worst_case": list(loss.worst_case),
        "points": points,
        "step_s": step,
    }


def _part(whole: Network, kept: np.ndarray) -> Network:
    group = whole.groups[0]
    names = tuple(group.names[int(k)] for k in kept)
    if isinstance(group, Catalogued):
        part: Mean | Catalogued = Catalogued(names, tuple(group.satellites[int(k)] for k in kept))
    else:
        assert isinstance(group, Mean)
        part = Mean(names, Elements(*(x[kept] for x in group.elements)))
    return Network(
        (part,),
        type(whole.limits)(*(x[kept] for x in whole.limits)),
        type(whole.quality)(*(x[kept] for x in whole.quality)),
    )


def sights(whole: Network, places: Points, window: Window, body: Body, eop: EarthOrientation) -> np.ndarray:
    """Which satellite sees which place when: bool [sat, time, point], points in the layout's order."""
    t, grid = window.t, layout(places, body)
    m = frames.itrs_from_gcrs(window.epoch, t, eop)
    r = frames.rotate(m, ephemeris(whole.groups, window.epoch, t, eop).r_gcrs)
    plain = count.only_the_body(whole.limits, whole.quality)
    nadir, sun, moon = np.zeros_like(r), np.zeros((len(t), 3)), np.zeros((len(t), 3))
    if not plain:
        lat, lon, _ = geodetic_from_itrs(r)
        nadir = (
            -np.asarray(up_itrs(lat, lon))
            if body != SPHERE
            else -r / np.linalg.norm(r, axis=-1, keepdims=True)
        )
        at = sky(window.epoch, t)
        sun, moon = frames.rotate(m, at.sun_gcrs), frames.rotate(m, at.moon_gcrs)
    columns = count.columns(whole.limits)
    axes = np.array([body.equator_m, body.pole_m])
    out = np.empty((len(whole.names), len(t), len(grid.order)), bool)
    for s in range(len(out)):
        one = type(whole.quality)(*(x[s : s + 1] for x in whole.quality))
        scene = count.Scene(
            r[:, s : s + 1],
            nadir[:, s : s + 1],
            sun,
            moon,
            np.full(1, np.pi),
            columns[s : s + 1],
            axes,
            plain,
        )
        out[s] = dense.counts(scene, grid, one, 0, len(t)) > 0
    return out

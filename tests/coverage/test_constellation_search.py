"""The search for the fewest satellites: against exact geometry, published optima and plain NumPy."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from noroshi.constants import EARTH_RADIUS_M
from noroshi.coverage import design, losses, pattern
from noroshi.coverage.closed_form import mean_fold_by_latitude, streets
from noroshi.coverage.design import Check, Outcome, SearchSpace
from noroshi.coverage.limits import Limit
from noroshi.coverage.models import SPHERE, WGS84, Behind
from noroshi.coverage.need import parse_need
from noroshi.coverage.pattern import Design
from noroshi.coverage.points import Density, box, fibonacci
from noroshi.coverage.rosette import worst_range
from noroshi.errors import NoroshiError
from noroshi.orbits.walker import walker

GLOBE = fibonacci(2000, 0.0)


def altitude_of(half_angle_deg: float) -> float:
    """Altitude whose horizon on the ground is that far away."""
    return EARTH_RADIUS_M * (1.0 / np.cos(np.deg2rad(half_angle_deg)) - 1.0)


def exact_range_deg(d: Design, fold: int = 1, within_deg: float = 0.01) -> float:
    """Worst range to the fold-th nearest sub-satellite point, ever: the extremes at circumcentres (Ballard)."""
    e = walker(d.pattern, d.satellites, d.planes, d.phasing, 7e6, d.inclination_rad)
    return float(
        np.rad2deg(worst_range(e.raan, e.mean_anomaly, d.inclination_rad, fold, np.deg2rad(within_deg)))
    )


def exact_check(half_angle_deg: float, fold: int):
    """A last check that is exact: continuous coverage of the sphere or not."""

    def check(d: Design) -> Check:
        meets = exact_range_deg(d, fold) <= half_angle_deg
        return Check(Outcome(d, (1.0 if meets else 0.9999,), None, meets), {})

    return check


def look(need: str, half_angle_deg: float, inclinations: list[float], patterns=("delta",), most: int = 40):
    asked = parse_need(need)
    space = SearchSpace((altitude_of(half_angle_deg),), tuple(np.deg2rad(inclinations)), patterns, 1, most)
    return design.search(
        asked, GLOBE, space, Limit(), SPHERE, exact_check(half_angle_deg, asked.folds), threads=2
    )


# --- published optima


def test_ballards_five_satellites_are_found_above_their_altitude_and_not_below() -> None:
    # Ballard 1980, IEEE TAES 16(5), table I: 5 satellites, (5, 5, 1) at 43.66 deg, R = 69.15 deg
    above = look("1-fold >= 100 % over global at 0 km", 69.25, [43.66])
    d = above.best.design
    assert (d.satellites, d.planes, d.phasing) == (5, 5, 1)
    assert above.searched["exhaustive"] is True
    # 6/2/1 needs 68.794 deg at this inclination (exact, by `worst_range`), so below 69.15 deg six are the answer
    below = look("1-fold >= 100 % over global at 0 km", 69.0, [43.66])
    d = below.best.design
    assert (d.satellites, d.planes, d.phasing) == (6, 2, 1)


@pytest.mark.parametrize(("fold", "half_angle_deg", "satellites"), [(1, 81.3, 5), (2, 81.3, 7), (3, 84.0, 9)])
def test_fewest_satellites_for_k_fold_cover_of_the_world(
    fold: int, half_angle_deg: float, satellites: int
) -> None:
    # Ballard 1980, abstract: 5, 7, 9 for 1-, 2-, 3-fold, N >= 2 V + 3 (V: fold) at any altitude
    found = look(f"{fold}-fold >= 100 % over global at 0 km", half_angle_deg, list(range(50, 71, 5)), most=12)
    assert found.best.design.satellites == satellites
    assert found.searched["exhaustive"] is True


def test_even_stars_need_more_than_streets_of_coverage() -> None:
    # V-214: streets with a narrower seam cover from 1,000 km (30.18 deg) with 4 x 8. Walker's star spaces its planes
    # evenly: its best phasing of 4 x 8 needs 31.14 deg (exact), so 32 is too few
    reach = float(np.rad2deg(np.arccos(EARTH_RADIUS_M / (EARTH_RADIUS_M + 1000e3))))
    assert np.rad2deg(streets(4, 8).half_angle) < reach
    assert min(exact_range_deg(Design("star", 32, 4, f, 0.0, pi / 2)) for f in range(4)) > reach + 0.9
    found = look("1-fold >= 100 % over global at 0 km", reach, [90.0], ("star",))
    assert (found.best.design.satellites, found.best.design.planes) == (36, 4)
    assert exact_range_deg(found.best.design) < reach


def test_samples_tell_covered_from_uncovered_as_exact_geometry_does() -> None:
    # every pattern of up to 8 satellites at 55 deg whose worst range is not within 0.3 deg of the horizon's 66 deg
    where = pattern.setting(GLOBE, Limit(), SPHERE, 1, None)
    told = []
    for d, phasings in design.designs(SearchSpace((0.0,), (0.0,)), (np.deg2rad(55.0),), 8):
        d = d._replace(altitude_m=altitude_of(66.0))
        seen = pattern.views(where, d.pattern, d.satellites, d.planes, design.FINE)
        found = pattern.sums(where, seen, d, np.arange(phasings), np.zeros(2))
        for f in range(phasings):
            needed = exact_range_deg(d._replace(phasing=f), within_deg=0.05)
            if abs(needed - 66.0) > 0.3:
                told.append((found.shares[f, 0] == 1.0, needed < 66.0))
    assert len(told) >= 12
    assert {covered for covered, _ in told} == {True, False}
    assert all(covered == truly for covered, truly in told)


# --- the sampled rectangle against the whole


def positions(d: Design, phase: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Walker's pattern, plainly: [sample, satellite, 3], each sample with its own phase and turn of the nodes."""
    e = walker(d.pattern, d.satellites, d.planes, d.phasing, EARTH_RADIUS_M + d.altitude_m, d.inclination_rad)
    node, u = e.raan + turn[:, None], e.mean_anomaly + phase[:, None]
    level = np.sin(u) * np.cos(e.i)
    unit = [np.cos(node) * np.cos(u) - np.sin(node) * level, np.sin(node) * np.cos(u) + np.cos(node) * level]
    return e.a[0] * np.stack([*unit, np.sin(u) * np.sin(e.i)], axis=-1)


@pytest.mark.parametrize(
    "d",
    [
        Design("delta", 20, 4, 3, 1200e3, np.deg2rad(50.0)),
        Design("delta", 18, 18, 14, 1400e3, np.deg2rad(55.0)),
        Design("star", 24, 4, 2, 1000e3, np.deg2rad(80.0)),
    ],
)
def test_shares_are_those_of_random_moments_and_longitudes(d: Design) -> None:
    # plain NumPy over all phases and all turns of the Earth, 150,000 of them, no symmetry used
    draw, n = np.random.default_rng(1), 150_000
    height = 40e3
    area = box(*np.deg2rad([20.0, 55.0, 120.0, 180.0]), height, Density(count=2000))
    stereo_rad = np.deg2rad(20.0)
    s = positions(d, draw.uniform(0.0, 2.0 * pi, n), draw.uniform(0.0, 2.0 * pi, n))
    lat = draw.choice(area.lat_rad, n)
    p = (EARTH_RADIUS_M + height) * np.stack([np.cos(lat), 0.0 * lat, np.sin(lat)], axis=-1)
    # seen: the line of sight stays outside the sphere
    away = s - p[:, None]
    length = np.linalg.norm(away, axis=-1)
    along = -np.einsum("nk,nsk->ns", p, away) / length
    nearest2 = np.sum(p * p, -1)[:, None] - along**2
    seen = (along <= 0.0) | (nearest2 >= EARTH_RADIUS_M**2)
    count = seen.sum(1)
    unit = np.where(seen[..., None], away / length[..., None], np.nan)
    cosine = np.abs(np.einsum("nsk,ntk->nst", unit, unit))
    paired = (np.where(np.isnan(cosine), 1.0, cosine) <= np.cos(stereo_rad)).any((1, 2))
    expected = np.array([(count >= 1).mean(), (count >= 2).mean(), (count >= 3).mean(), paired.mean()])

    where = pattern.setting(area, Limit(), SPHERE, 3, stereo_rad)
    views = pattern.views(where, d.pattern, d.satellites, d.planes, design.FINE)
    found = pattern.sums(where, views, d, np.array([d.phasing]), np.zeros(4))
    assert found.whole.all()
    # 4.5 sigma of the random samples (7 in a million), and 1e-3 for the even ones (8e-4 was the worst measured)
    tolerance = 4.5 * np.sqrt(expected * (1.0 - expected) / n) + 1e-3
    assert np.all(np.abs(found.shares[0] - expected) <= tolerance)
    assert 0.01 < expected[2] < 0.99  # something is decided


def test_longest_gaps_are_those_of_many_days() -> None:
    # 10 days in steps of 20 s at 60 places, the area's edges in latitude among them, plainly; the window of one slot
    # and 1.5 gaps has to hold as long a gap
    d = Design("delta", 8, 2, 1, 1400e3, np.deg2rad(45.0))
    height, step = 40e3, 20.0
    area = box(*np.deg2rad([20.0, 55.0, 120.0, 180.0]), height, Density(count=2000))
    phase_rate, node_rate = pattern.rates(d)
    t = np.arange(0.0, 10.0 * 86400.0, step)
    s = positions(d, phase_rate * t, node_rate * t)
    satellite = EARTH_RADIUS_M + d.altitude_m
    reach = np.arccos(EARTH_RADIUS_M / satellite) + np.arccos(EARTH_RADIUS_M / (EARTH_RADIUS_M + height))
    longest = 0.0
    for k in np.argsort(area.lat_rad)[np.linspace(0, 1999, 60).astype(int)]:
        lat, lon = area.lat_rad[k], area.lon_rad[k]
        p = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
        covered = (s @ p >= satellite * np.cos(reach)).any(1)
        longest = max(longest, step * (np.diff(np.flatnonzero(covered)) - 1).max(initial=0))
    where = pattern.setting(area, Limit(), SPHERE, 1, None)
    seen = pattern.passing_views(where, d, 1000.0, step, 1024)
    found = pattern.sums(where, seen, d, np.array([d.phasing]), np.zeros(2), np.inf, step)
    # a run of samples is its length to within a step, and neither finds the very longest
    assert abs(found.longest_s[0] - longest) <= 2.0 * step
    assert 300.0 < longest < 1000.0


def test_mean_fold_is_the_closed_form() -> None:
    where = pattern.setting(GLOBE, Limit(), SPHERE, 1, None)
    latitudes = pattern.latitude_views(where)
    lat = np.array([one.lat_rad[0] for one, _ in latitudes])
    for half_angle, inclination in ((30.0, 60.0), (20.0, 40.0), (37.0, 90.0), (60.0, 30.0)):
        found = pattern.mean_fold(latitudes, altitude_of(half_angle), np.deg2rad(inclination))
        expected = mean_fold_by_latitude(lat, 1, np.deg2rad(inclination), np.deg2rad(half_angle))
        # what the search's bound allows for; 3.2e-4 was the worst
        assert np.all(np.abs(found - expected) <= design.MEAN_SLACK)


# --- what is left out


def test_altitudes_searched_together_or_alone_give_the_same() -> None:
    need = parse_need("2-fold >= 95 % over 20N-55N,120E-180E at 40 km")
    area = box(*np.deg2rad([20.0, 55.0, 120.0, 180.0]), 40e3, Density(count=1000))
    inclinations = tuple(np.deg2rad([40.0, 50.0, 60.0]))

    def check(d: Design) -> Check:
        return Check(Outcome(d, (1.0,), None, True), {})

    def fewest(altitudes: tuple[float, ...]) -> dict[str, int]:
        space = SearchSpace(altitudes, inclinations, ("delta",))
        found = design.search(need, area, space, Limit(), WGS84, check, threads=2)
        assert found.searched["exhaustive"] is True
        return found.searched["fewest_by_altitude_km"]

    together = fewest((600e3, 1000e3, 1400e3))
    assert together == fewest((600e3,)) | fewest((1000e3,)) | fewest((1400e3,))
    assert together["600"] > together["1400"]


def test_higher_is_taken_for_better_only_where_it_is() -> None:
    plain = parse_need("2-fold >= 99 % over global at 0 km")
    assert design.rises_with_altitude(
        plain, Limit(grazing_m=50e3, elevation_target_rad=0.1, cone_max_rad=1.0)
    )
    for limit in (
        Limit(range_max_m=3e6),
        Limit(cone_min_rad=0.2),
        Limit(behind=Behind.SPACE),
        Limit(behind=Behind.EARTH),
    ):
        assert not design.rises_with_altitude(plain, limit)
    for text in ("stereo >= 90 % over global at 0 km", "1-fold >= 9 % and gap <= 9 s over global at 0 km"):
        assert not design.rises_with_altitude(parse_need(text), Limit())


def test_every_pattern_is_gone_through_once() -> None:
    space = SearchSpace((0.0,), tuple(np.deg2rad([50.0, 90.0])))
    listed = [
        d._replace(phasing=f) for d, n in design.designs(space, space.inclinations_rad, 12) for f in range(n)
    ]
    assert len(listed) == len(set(listed))
    # 12 has divisors 1, 2, 3, 4, 6, 12, which add up to 28 phasings at 50 deg; at 90 deg P // 2 + 1 of each, 19;
    # the star of one plane is the delta's
    assert len(listed) == 28 + 19 + 27 + 18
    few = SearchSpace((0.0,), (1.0,), ("delta",), planes_most=3)
    assert {d.planes for d, _ in design.designs(few, few.inclinations_rad, 12)} == {1, 2, 3}


# --- how it ends


def search_globe(check, *, most: int = 40, limit_s: float = 60.0, altitude_m: float = 1400e3):
    need = parse_need("1-fold >= 90 % over global at 0 km")
    space = SearchSpace((altitude_m,), tuple(np.deg2rad([60.0])), ("delta",), 1, most)
    return design.search(need, GLOBE, space, Limit(), SPHERE, check, threads=2, time_limit_s=limit_s)


def yes(d: Design) -> Check:
    return Check(Outcome(d, (0.95,), None, True), {})


def test_a_design_that_fails_the_last_check_is_passed_over() -> None:
    first = search_globe(yes).best.design

    def check(d: Design) -> Check:
        return Check(Outcome(d, (0.5,), None, False), {}) if d == first else yes(d)

    found = search_globe(check)
    assert found.best.design != first
    assert found.best.design.satellites >= first.satellites
    assert all(not o.meets for o in found.front if o.design == first)
    assert all(o.meets == (o.design == found.best.design) for o in found.front)


def test_an_interrupt_ends_with_what_was_found() -> None:
    need = parse_need("1-fold >= 90 % over global at 0 km")
    space = SearchSpace((1000e3, 1400e3), (np.deg2rad(60.0),), ("delta",))
    calls = []

    def check(d: Design) -> Check:
        calls.append(d)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return yes(d)

    found = design.search(need, GLOBE, space, Limit(), SPHERE, check, threads=2)
    assert found.best.design == calls[0]
    assert found.searched["stopped_by"] == "interrupt"
    assert found.searched["altitudes_without_answer_km"] == [1000.0]

    def at_once(d: Design) -> Check:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search_globe(at_once)


def test_without_time_it_says_so() -> None:
    with pytest.raises(NoroshiError, match="nothing found") as refused:
        search_globe(yes, limit_s=0.0)
    assert "--time-limit-s" in refused.value.remedy


def test_too_few_satellites_is_said_before_anything_is_searched() -> None:
    # a cap of 34.9 deg is 9 % of the sphere, so 90 % cannot be had of fewer than 10
    with pytest.raises(NoroshiError, match="up to 9 satellites can meet it: even on average"):
        search_globe(yes, most=9)


def test_json_has_the_names_of_the_issue() -> None:
    made = design.as_json(search_globe(yes))
    assert {"satellites", "planes", "phasing", "altitude_km", "achieved", "searched", "front", "need"} <= set(
        made
    )
    assert made["altitude_km"] == 1400.0
    assert made["inclination_deg"] == 60.0


# --- losses


def test_pairs_of_losses_are_those_counted_again() -> None:
    seen = np.random.default_rng(2).random((7, 11, 13)) < 0.4
    for fold in (1, 2, 3):
        pairs = losses.fold_pairs(seen, fold)
        for s in range(7):
            for t in range(7):
                left = np.delete(seen, [s, t], axis=0)
                assert pairs[s, t] == pytest.approx((left.sum(0) >= fold).mean(), abs=1e-15)


def test_losses_over_all_cases_and_over_a_sample() -> None:
    seen = np.random.default_rng(3).random((6, 9, 10)) < 0.5
    share = losses.fold_without(seen, 2)
    one, two, three, plane = losses.after_losses(6, 3, [1, 2, 3], share, pairs=losses.fold_pairs(seen, 2))
    every = [(np.delete(seen, s, axis=0).sum(0) >= 2).mean() for s in range(6)]
    assert (one.cases, two.cases, three.cases, plane.cases) == (6, 15, 20, 3)
    assert (one.worst, one.mean) == pytest.approx((min(every), np.mean(every)))
    assert plane.worst == pytest.approx(
        min((np.delete(seen, [2 * p, 2 * p + 1], axis=0).sum(0) >= 2).mean() for p in range(3))
    )
    assert one.worst >= two.worst >= three.worst
    assert all(loss.exhaustive for loss in (one, two, three, plane))
    sampled = losses.after_losses(6, 3, [3], share, cases_most=5)[0]
    assert (sampled.cases, sampled.exhaustive) == (5, False)


def test_gaps_after_losses() -> None:
    seen = np.random.default_rng(4).random((3, 40, 8)) < 0.3
    share = losses.gaps_without(seen, 50.0, 10.0)
    for lost in ((0,), (0, 2)):
        left = np.delete(seen, lost, axis=0).any(0)
        runs = [max(map(len, "".join("01"[int(c)] for c in column).split("1"))) for column in left.T]
        assert share(lost) == np.mean([10.0 * run <= 50.0 for run in runs])

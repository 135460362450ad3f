"""The fewest satellites that meet a need: Walker patterns gone through from few to many, what cannot do it left out.

What is looked at, what is left out and why that is sound: docs/theory/coverage-design.md.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil, floor, pi
from typing import Any, NamedTuple

import numpy as np

from noroshi.coverage import pattern
from noroshi.coverage.limits import Limit
from noroshi.coverage.models import Behind, Body, Points
from noroshi.coverage.need import Need
from noroshi.coverage.pattern import Design, Setting, Views
from noroshi.errors import NoroshiError
from noroshi.orbits.walker import Pattern

COARSE, FINE = (
    4096,
    65536,
)  # samples of a pattern's rectangle: of all designs, and of those that the coarse leave
SIGMAS = (
    2.0  # short of the need that rules a design out, in the scatter of random samples; even ones scatter less
)
MEAN_SLACK = 1e-3  # more than the error of one satellite's sampled mean fold (3e-4 was the worst measured)
STAR_LEAST_RAD = np.deg2rad(75.0)  # of the usual inclinations: a star's planes meet at the poles
PROBES = 150  # designs tried at random for a first answer, of each number of satellites
PROBE_SHARE = 0.3  # of the time limit, at most, for that
GAP_PLACES, GAP_STEPS = 256, 10.0  # places that gaps are looked for at; samples of the gap allowed
FRONT_MOST = 30

Progress = Callable[[str, int, int], None]


class SearchSpace(NamedTuple):
    """Which patterns are looked at: all T/P/F of these numbers of satellites, at every altitude and inclination."""

    altitudes_m: tuple[float, ...]
    inclinations_rad: tuple[float, ...] = ()  # none: `usual_inclinations` of the area
    patterns: tuple[Pattern, ...] = ("delta", "star")
    satellites_least: int = 1
    satellites_most: int = 200
    planes_most: int | None = None


class Outcome(NamedTuple):
    """A design and what it achieves: a share for each clause of the need."""

    design: Design
    shares: tuple[float, ...]
    gap_s: float | None  # longest; None: not asked for
    meets: bool


@dataclass(frozen=True)
class Found:
    """The fewest satellites that were found to meet a need, and how that was found."""

    need: Need
    best: Outcome  # as the last check found it
    search: Outcome  # the same design in the search's own samples
    front: tuple[Outcome, ...]  # no other has fewer satellites, a lower altitude and more coverage
    searched: dict[str, Any]
    recheck: dict[str, Any] = field(default_factory=dict)
    robustness: tuple[dict[str, Any], ...] = ()


class Check(NamedTuple):
    """A design looked at directly: day-long, over the area itself."""

    outcome: Outcome
    figures: dict[str, Any]  # for the reader: grid, step, duration, what was achieved


def usual_inclinations(lat_rad: np.ndarray) -> tuple[float, ...]:
    """Every 5 deg from half the area's highest latitude to 15 deg above it, and 90 deg; a heuristic.

    Circular orbits dwell near their highest latitude, which should lie in the area or just beyond it.
    """
    highest = float(np.rad2deg(np.max(np.abs(lat_rad))))
    low, high = 5 * floor(0.5 * highest / 5.0), min(5 * ceil((highest + 15.0) / 5.0), 90)
    return tuple(np.deg2rad(sorted({*range(max(low, 5), high + 1, 5), 90})).tolist())


def designs(
    space: SearchSpace, inclinations: tuple[float, ...], satellites: int
) -> Iterator[tuple[Design, int]]:
    """Every pattern of so many satellites, at altitude 0, phasing 0, with the number of its phasings.

    At 90 deg the phasings F and P - F are reflections of each other and only one of them is given.
    """
    for kind in space.patterns:
        for planes in range(1, satellites + 1):
            if satellites % planes or (space.planes_most and planes > space.planes_most):
                continue
            if kind == "star" and planes == 1 and "delta" in space.patterns:
                continue  # one plane is one plane
            for inclination in inclinations:
                if kind == "star" and not space.inclinations_rad and inclination < STAR_LEAST_RAD - 1e-9:
                    continue
                phasings = planes // 2 + 1 if abs(inclination - 0.5 * pi) < 1e-9 else planes
                yield Design(kind, satellites, planes, 0, 0.0, inclination), phasings


def rises_with_altitude(need: Need, limit: Limit) -> bool:
    """Whether what a satellite sees at one altitude is within what it sees from higher up, below the same direction."""
    return (
        all(c.kind == "fold" for c in need.clauses)
        and limit.range_max_m == np.inf
        and limit.cone_min_rad <= 0.0
        and limit.behind == Behind.ANYTHING
    )


def search(
    need: Need,
    points: Points,
    space: SearchSpace,
    limit: Limit,
    body: Body,
    check: Callable[[Design], Check],
    *,
    stereo_rad: float | None = None,
    time_limit_s: float = 60.0,
    threads: int | None = None,
    seed: int = 0,
    progress: Progress = lambda name, finished, total: None,
) -> Found:
    """The fewest satellites that meet the need, as far as the space and the time go.

    points: of the area, equal weights. check: the last word on a design. Raises NoroshiError where nothing that
    meets the need was found, with the nearest miss. An interrupt (KeyboardInterrupt) ends the search with what it
    has.
    """
    where = pattern.setting(points, limit, body, need.folds, stereo_rad if need.stereo else None)
    inclinations = space.inclinations_rad or usual_inclinations(where.lat_rad)
    return _Search(need, where, space, inclinations, check, time_limit_s, threads, seed, progress).run()


class _Search:
    """The state of one search."""

    def __init__(
        self,
        need: Need,
        where: Setting,
        space: SearchSpace,
        inclinations: tuple[float, ...],
        check: Callable[[Design], Check],
        time_limit_s: float,
        threads: int | None,
        seed: int,
        progress: Progress,
    ) -> None:
        self.need, self.where, self.space, self.inclinations = need, where, space, inclinations
        self.check, self.progress, self.seed = check, progress, seed
        self.threads = threads or os.cpu_count() or 1
        self.time_limit_s, self.begun = time_limit_s, time.monotonic()
        self.stop = threading.Event()
        self.altitudes = tuple(sorted(set(space.altitudes_m), reverse=True))
        self.rises = rises_with_altitude(need, where.limit)
        self.by_folds = all(c.kind == "fold" for c in need.clauses)
        self.views: dict[tuple[Any, ...], Views] = {}
        self.fewest: dict[tuple[float, float], int] = {}
        self.kept: dict[tuple[int, float], Outcome] = {}  # best of each number of satellites and altitude
        self.reached: dict[float, float] = {}  # most of the first clause by fewer satellites, by altitude
        self.answers: dict[float, tuple[Check, Outcome]] = {}  # by altitude
        self.checked: dict[Design, Check] = {}
        self.numbers: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.complete = space.satellites_least - 1  # every design of so many or fewer was looked at

    def run(self) -> Found:
        most = self.space.satellites_most
        interrupted = False
        try:
            self._bound()  # compiles, too: that takes none of the time limit
            self.begun = time.monotonic()
            first = min(self.fewest.values())
            if first > most:
                raise self._hopeless(first)
            self.complete = max(self.complete, first - 1)
            with ThreadPoolExecutor(self.threads) as pool:
                try:
                    self._probe(pool, first)
                    self._go_through(pool, first)
                except BaseException:
                    self.stop.set()
                    raise
        except KeyboardInterrupt:
            interrupted = True
        if not self.answers:
            if interrupted:
                raise KeyboardInterrupt
            raise self._nothing()
        return self._found(interrupted)

    # --- the stages

    def _bound(self) -> None:
        """The fewest satellites of each altitude and inclination whose lines of sight could be enough on average.

        At least k lines of sight for a share of the time needs k times that share on average (Markov's inequality), at
        each latitude; and T satellites give T times what one gives.
        """
        t = np.arange(1, self.space.satellites_most + 1)
        latitudes = pattern.latitude_views(self.where)
        for altitude in self.altitudes:
            for inclination in self.inclinations:
                seen = pattern.mean_fold(latitudes, altitude, inclination)
                mean = seen + MEAN_SLACK
                fewest = self.space.satellites_least
                for c in self.need.clauses:
                    if c.kind == "gap":
                        enough = t >= (1 if np.all(seen > 0.0) else np.inf)
                    else:
                        k = 2 if c.kind == "stereo" else c.fold
                        enough = np.minimum(t[:, None] * mean / k, 1.0).mean(1) >= c.least - 1e-12
                    at = int(np.argmax(enough)) + 1 if enough.any() else self.space.satellites_most + 1
                    fewest = max(fewest, at)
                self.fewest[altitude, inclination] = fewest

    def _probe(self, pool: ThreadPoolExecutor, first: int) -> None:
        """A first answer, by designs drawn at random: up in steps of a tenth until one meets the need, then down."""
        satellites, answer = first, None
        while satellites <= self.space.satellites_most and not self._late(PROBE_SHARE):
            if self._probe_one(pool, satellites):
                answer = satellites
                break
            satellites = max(satellites + 1, round(satellites * 1.1))
        misses = 0
        while answer is not None and answer > first and misses < 3 and not self._late(PROBE_SHARE):
            satellites = answer - 1 - misses
            if satellites < first:
                break
            if self._probe_one(pool, satellites):
                answer, misses = satellites, 0
            else:
                misses += 1

    def _probe_one(self, pool: ThreadPoolExecutor, satellites: int) -> bool:
        draw = np.random.default_rng((self.seed, satellites))
        every = [
            (d, f)
            for d, phasings in designs(self.space, self.inclinations, satellites)
            for f in range(phasings)
        ]
        some = [every[k] for k in draw.permutation(len(every))[:PROBES]]
        altitudes = self.altitudes[:1] if self.rises else self.altitudes
        jobs = [(d, np.array([f]), altitudes) for d, f in some]
        good = [o for found in pool.map(lambda job: self._look(*job), jobs) for o in found or () if o.meets]
        self._settle(good, PROBE_SHARE)
        return any(self._solved(altitude, satellites + 1) <= satellites for altitude in altitudes)

    def _go_through(self, pool: ThreadPoolExecutor, first: int) -> None:
        """Every design, from few satellites to many, until each altitude has its fewest."""
        most = self.space.satellites_most
        for satellites in range(first, most + 1):
            open_at = tuple(a for a in self.altitudes if self._solved(a, most) >= satellites)
            if not open_at:
                return
            self.progress("satellites", satellites, most)
            jobs = [
                (d, np.arange(phasings), open_at)
                for d, phasings in designs(self.space, self.inclinations, satellites)
            ]
            results = list(pool.map(lambda job: self._look(*job), jobs))
            outcomes = [o for found in results for o in found or ()]
            self._keep(outcomes)
            settled = self._settle([o for o in outcomes if o.meets])
            if not settled or any(found is None for found in results) or self.stop.is_set():
                return
            self.complete = satellites
            if self._late():
                return

    def _look(
        self, design: Design, phasings: np.ndarray, altitudes: tuple[float, ...]
    ) -> list[Outcome] | None:
        """Outcomes of a design's phasings at the altitudes, high to low; None: the time is up."""
        outcomes: list[Outcome] = []
        for k, altitude in enumerate(altitudes):
            if self._late() or self.stop.is_set():
                return None
            if self.fewest[altitude, design.inclination_rad] > design.satellites:
                self._add("by_mean", len(phasings))
                if self.rises:
                    self._add("by_mean", len(phasings) * (len(altitudes) - 1 - k))
                    break
                continue
            one = design._replace(altitude_m=altitude)
            found = self._evaluate(one, phasings)
            outcomes += found
            if self.rises:
                kept = np.array([o.design.phasing for o in found if o.meets], np.int64)
                self._add("by_altitude", (len(phasings) - len(kept)) * (len(altitudes) - 1 - k))
                phasings = kept
                if not len(phasings):
                    break
        return outcomes

    def _evaluate(self, design: Design, phasings: np.ndarray) -> list[Outcome]:
        """Those phasings that coarse samples do not rule out, in fine ones; without any, the nearest miss."""
        self._add("evaluated", len(phasings))
        if all(c.kind == "gap" for c in self.need.clauses):
            longest, within = self._gaps(design, phasings)
            return [
                Outcome(design._replace(phasing=int(f)), (float(w),), float(gap), w == 1.0)
                for f, gap, w in zip(phasings, longest, within, strict=True)
            ]
        coarse, whole = self._shares(design, phasings, COARSE)
        passed = [k for k in range(len(phasings)) if whole[k] and self._enough(coarse[k], COARSE)]
        outcomes = [self._refine(design._replace(phasing=int(phasings[k]))) for k in passed]
        if not passed and self.by_folds:
            k = int(np.argmax(np.where(whole, coarse[:, self._column(0)], -1.0)))
            if whole[k]:
                miss = design._replace(phasing=int(phasings[k]))
                outcomes = [Outcome(miss, self._by_clause(coarse[k], None), None, False)]
        return outcomes

    def _refine(self, design: Design) -> Outcome:
        """A design in fine samples; whether they rule it out."""
        self._add("refined", 1)
        phasings, gap, within = np.array([design.phasing]), None, None
        found, whole = self._shares(design, phasings, FINE)
        good = bool(whole[0]) and self._enough(found[0], FINE)
        if good and self.need.gap_s is not None:
            gap, within = (float(x[0]) for x in self._gaps(design, phasings))
            good = within == 1.0
        return Outcome(design, self._by_clause(found[0], within), gap, good)

    def _gaps(self, design: Design, phasings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Longest gaps [s], and the shares of the places without a longer one than is allowed."""
        gap = self.need.gap_s or 0.0
        step = float(np.clip(gap / GAP_STEPS, 1.0, 60.0))
        seen = pattern.passing_views(self.where, design, gap, step, GAP_PLACES)
        found = pattern.sums(self.where, seen, design, phasings, np.zeros(self.where.folds + 1), gap, step)
        return found.longest_s, found.within

    def _keep(self, outcomes: list[Outcome]) -> None:
        """The best of one number of satellites, at each altitude, for the front."""
        for o in outcomes:
            key = (o.design.satellites, o.design.altitude_m)
            if key not in self.kept or _rank(o) > _rank(self.kept[key]):
                self.kept[key] = o
        for (_, altitude), o in self.kept.items():
            self.reached[altitude] = max(self.reached.get(altitude, 0.0), o.shares[0])

    def _settle(self, good: list[Outcome], share: float = 1.0) -> bool:
        """Put designs of one number of satellites that meet the need in the samples to the last check, best first.

        At each altitude until one passes, or until the time is up and there is an answer; whether none was left out.
        """
        for altitude in reversed(self.altitudes):
            here = (o for o in good if o.design.altitude_m == altitude)
            for outcome in sorted(here, key=self._margin, reverse=True):
                old = self.answers.get(altitude)
                if old is not None and self._order(outcome) >= self._order(old[1]):
                    break
                if self._late(share) and (self.answers or share < 1.0):
                    return False
                if outcome.design not in self.checked:
                    self.checked[outcome.design] = self.check(outcome.design)
                made = self.checked[outcome.design]
                if made.outcome.meets:
                    self.answers[altitude] = (made, outcome)
                    break
        return True

    def _order(self, outcome: Outcome) -> tuple[int, float, float]:
        """The less, the better: fewer satellites, then a lower altitude, then more to spare."""
        return outcome.design.satellites, outcome.design.altitude_m, -self._margin(outcome)

    # --- what they need

    def _add(self, name: str, number: int) -> None:
        with self.lock:
            self.numbers[name] += number

    def _shares(self, design: Design, phasings: np.ndarray, samples: int) -> tuple[np.ndarray, np.ndarray]:
        key = (design.pattern, design.satellites // design.planes, design.planes, samples)
        if key not in self.views:
            if len(self.views) > 400:
                self.views.clear()
            self.views[key] = pattern.views(
                self.where, design.pattern, design.satellites, design.planes, samples
            )
        floors = np.zeros(self.where.folds + 1)
        for k, clause in enumerate(self.need.clauses):
            if clause.kind != "gap":
                floors[self._column(k)] = clause.least - SIGMAS * _scatter(clause.least, samples)
        if samples == COARSE and self.by_folds:
            # a miss that reaches no more than fewer satellites do is of no interest
            floors[self._column(0)] = min(floors[self._column(0)], self.reached.get(design.altitude_m, 0.0))
        found = pattern.sums(self.where, self.views[key], design, phasings, floors)
        return found.shares, found.whole

    def _column(self, clause: int) -> int:
        c = self.need.clauses[clause]
        return self.where.folds if c.kind == "stereo" else max(c.fold, 1) - 1

    def _enough(self, row: np.ndarray, samples: int) -> bool:
        return all(
            row[self._column(k)] >= c.least - SIGMAS * _scatter(c.least, samples) - 1e-12
            for k, c in enumerate(self.need.clauses)
            if c.kind != "gap"
        )

    def _by_clause(self, row: np.ndarray, within: float | None) -> tuple[float, ...]:
        return tuple(
            (0.0 if within is None else within) if c.kind == "gap" else float(row[self._column(k)])
            for k, c in enumerate(self.need.clauses)
        )

    def _margin(self, outcome: Outcome) -> float:
        """What is to spare in the clause that has the least to spare."""
        return min(share - c.least for share, c in zip(outcome.shares, self.need.clauses, strict=True))

    def _repeats(self, altitude: float) -> bool:
        """Whether a satellite comes by at the same longitudes each day, within a degree or so: 1 to 4 orbits a day."""
        for inclination in self.inclinations:
            phase, node = pattern.rates(Design("delta", 1, 1, 0, altitude, inclination))
            if round(phase / -node) <= 4 and abs(phase / -node - round(phase / -node)) < 0.01:
                return True
        return False

    def _late(self, share: float = 1.0) -> bool:
        return time.monotonic() - self.begun > share * self.time_limit_s

    # --- what comes out

    def _found(self, interrupted: bool) -> Found:
        made, outcome = min(self.answers.values(), key=lambda answer: self._order(answer[1]))
        exhaustive = self.complete >= outcome.design.satellites - 1
        searched = self._searched(interrupted, exhaustive)
        return Found(self.need, made.outcome, outcome, self._front(), searched, recheck=made.figures)

    def _front(self) -> tuple[Outcome, ...]:
        """Designs that no other beats in satellites, altitude and coverage at once.

        Those that went to the last check have its values, and only they can meet the need; the others are near
        misses at their values in the samples.
        """
        listed = {**self.kept, **{(o.design.satellites, a): o for a, (_, o) in self.answers.items()}}
        found = [
            self.checked[o.design].outcome if o.design in self.checked else o._replace(meets=False)
            for o in listed.values()
        ]
        found = [o for o in found if o.shares[0] > 0.0]
        front = [o for o in found if not any(_beats(other, o) for other in found)]
        front.sort(key=lambda o: (-o.meets, o.design.satellites, o.design.altitude_m))
        return tuple(front[:FRONT_MOST])

    def _solved(self, altitude: float, otherwise: int) -> int:
        return self.answers[altitude][1].design.satellites if altitude in self.answers else otherwise

    def _searched(self, interrupted: bool, exhaustive: bool) -> dict[str, Any]:
        space = self.space
        unsolved = [a for a in self.altitudes if a not in self.answers]
        return {
            "pattern": list(space.patterns),
            "satellites": [space.satellites_least, space.satellites_most],
            "planes": "every divisor" + (f" up to {space.planes_most}" if space.planes_most else ""),
            "phasing": "every whole number",
            "altitude_km": [a / 1e3 for a in reversed(self.altitudes)],
            "inclination_deg": [round(float(np.rad2deg(i)), 6) for i in self.inclinations],
            "inclination_usual": not space.inclinations_rad,
            "star_inclination_min_deg": None if space.inclinations_rad else float(np.rad2deg(STAR_LEAST_RAD)),
            "exhaustive": exhaustive,
            "exhaustive_up_to_satellites": self.complete,
            "designs_evaluated": self.numbers["evaluated"],
            "designs_refined": self.numbers["refined"],
            "designs_checked": len(self.checked),
            "left_out_by_mean_fold": self.numbers["by_mean"],
            "left_out_by_higher_altitude": self.numbers["by_altitude"],
            "samples": [COARSE, FINE],
            "fewest_by_altitude_km": {
                f"{a / 1e3:g}": self._solved(a, 0) for a in reversed(self.altitudes) if a in self.answers
            },
            "altitudes_without_answer_km": [a / 1e3 for a in reversed(unsolved)],
            "ground_tracks_repeat_km": [a / 1e3 for a in reversed(self.altitudes) if self._repeats(a)],
            "sun_and_moon": "only in the last check"
            if self.where.limit.sun_rad or self.where.limit.moon_rad
            else "no limit",
            "time_limit_s": self.time_limit_s,
            "time_s": round(time.monotonic() - self.begun, 3),
            "stopped_by": "interrupt" if interrupted else "time limit" if self._late() else None,
        }

    def _hopeless(self, first: int) -> NoroshiError:
        return NoroshiError(
            f"no pattern of up to {self.space.satellites_most} satellites can meet it:"
            " even on average they see too little",
            where=f"need {self.need.text!r}",
            remedy="allow more satellites, higher altitudes or other inclinations, or ask for less",
        )

    def _nothing(self) -> NoroshiError:
        misses = sorted(self.kept.values(), key=lambda o: -o.shares[0])
        near = ""
        if misses:
            d = misses[0].design
            near = (
                f"; the nearest, {name(d)}, reaches {100.0 * misses[0].shares[0]:.2f} %"
                f" of {self.need.clauses[0].name}"
            )
        late = self._late()
        return NoroshiError(
            f"nothing found that meets it, among all patterns of up to {self.complete} satellites{near}",
            where=f"need {self.need.text!r}",
            remedy="allow more time (--time-limit-s)"
            if late
            else "allow more satellites or higher altitudes, or ask for less",
        )


def name(design: Design) -> str:
    """As Walker writes it: inclination:T/P/F, with the altitude."""
    d = design
    kind = "" if d.pattern == "delta" else "star "
    return (
        f"{kind}{np.rad2deg(d.inclination_rad):g}:{d.satellites}/{d.planes}/{d.phasing}"
        f" at {d.altitude_m / 1e3:g} km"
    )


def _scatter(share: float, samples: int) -> float:
    """Standard deviation of a share in random samples; what the even samples here stay within twice of."""
    return float(np.sqrt(share * (1.0 - share) / samples))


def _rank(outcome: Outcome) -> tuple[bool, float]:
    return outcome.meets, outcome.shares[0]


def _beats(a: Outcome, b: Outcome) -> bool:
    of = [(o.design.satellites, o.design.altitude_m, -o.shares[0]) for o in (a, b)]
    return of[0] != of[1] and all(x <= y for x, y in zip(*of, strict=True))


def as_json(found: Found) -> dict[str, Any]:
    """The design under the names that `noroshi coverage --need --json` gives it."""
    return {
        "need": found.need.text,
        **_plain(found.best, found.need),
        "achieved_in_search": every(found.search, found.need),
        "searched": found.searched,
        "recheck": found.recheck,
        "front": [_plain(o, found.need) | {"meets": o.meets} for o in found.front],
        "robustness": list(found.robustness),
    }


def every(outcome: Outcome, need: Need) -> dict[str, float]:
    """Each clause's share by its name, and the longest gap where one was asked for."""
    found = {c.name: share for c, share in zip(need.clauses, outcome.shares, strict=True)}
    return found | ({} if outcome.gap_s is None else {"longest_gap_s": outcome.gap_s})


def _plain(outcome: Outcome, need: Need) -> dict[str, Any]:
    d = outcome.design
    return {
        "pattern": d.pattern,
        "satellites": d.satellites,
        "planes": d.planes,
        "phasing": d.phasing,
        "altitude_km": d.altitude_m / 1e3,
        "inclination_deg": round(float(np.rad2deg(d.inclination_rad)), 9),
        "achieved": outcome.shares[0],
        "achieved_all": every(outcome, need),
    }

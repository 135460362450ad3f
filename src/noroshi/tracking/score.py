"""How well each node knew each target: custody, GOSPA, errors, NEES. Scoring alone may read the truth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int
from scipy.optimize import linear_sum_assignment
from scipy.stats import chi2

from noroshi.constants import EARTH_MU
from noroshi.tables import (
    Deliveries,
    Detections,
    DetectionTruth,
    Samples,
    Scans,
    Status,
    Tracks,
    Truth,
    unpack_covariance,
)

CUTOFF_M = 5000.0  # of GOSPA, as the HGT-24 benchmark has it
CUSTODY_S = 3.0  # a detection keeps a target in custody so long
STEP_S = 1.0  # between samples
STALE_S = 10.0  # notional: a state older than this is no track (an ended run leaves no deletion behind)
TICK_S = 1e-6  # times closer than this are equal: grids of 0.1 s are not exact in binary


class Gospa(NamedTuple):
    """The metric, its three parts (they add up to distance ** p), and who goes with whom."""

    distance: float
    localisation: float
    missed: float
    false: float
    assigned: Int[np.ndarray, "x"]  # index of y, or -1


class TargetScore(NamedTuple):
    """One node on one target, over 1 s samples from launch to impact. Times after its launch; nan: never."""

    t_first_detection_s: float  # event time of the first of its detections that reached the node
    t_confirmed_s: float  # when the node had the first confirmed state that GOSPA assigns to it
    custody_1: float
    custody_2: float
    longest_gap_s: float  # nan when never detected
    rmse_position_m: float
    rmse_velocity_m_s: float
    nees_mean: float  # divided by 6


class NodeScore(NamedTuple):
    """One node: its targets in the order of `Truth.targets`, and its tracks."""

    targets: tuple[TargetScore, ...]
    tracks: int  # ever confirmed
    false_tracks: int  # confirmed and never assigned
    gospa_m: float  # time mean while a target is alive; nan without


class Scores(NamedTuple):
    """Samples of every node and target, and what they come to."""

    samples: Samples
    nodes: tuple[NodeScore, ...]


def gospa(
    x: Float[np.ndarray, "x d"],
    y: Float[np.ndarray, "y d"],
    c: float = CUTOFF_M,
    p: float = 2.0,
    alpha: float = 2.0,
) -> Gospa:
    """Generalised optimal sub-pattern assignment of estimates y to truths x.

    Rahmathullah, Garcia-Fernandez, Svensson, "Generalized optimal sub-pattern assignment metric", FUSION
    2017. alpha = 2 is the form in which every unassigned x is a miss and every unassigned y is false, at c**p
    / 2 each; for other alpha (0 < alpha < 2) all of the smaller set is assigned, at most at c.
    """
    n, m = len(x), len(y)
    assigned = np.full(n, -1)
    local = 0.0
    if n and m:
        d = np.minimum(np.linalg.norm(x[:, None] - y[None], axis=-1), c)
        rows, columns = linear_sum_assignment(d**p)
        keep = d[rows, columns] < c if alpha == 2 else np.ones(len(rows), bool)
        assigned[rows[keep]] = columns[keep]
        local = float(np.sum(d[rows[keep], columns[keep]] ** p))
    pairs = int(np.sum(assigned >= 0))
    missed, false = (n - pairs) * c**p / alpha, (m - pairs) * c**p / alpha
    return Gospa((local + missed + false) ** (1 / p), local, missed, false, assigned)


def ospa(
    x: Float[np.ndarray, "x d"], y: Float[np.ndarray, "y d"], c: float = CUTOFF_M, p: float = 2.0
) -> float:
    """Optimal sub-pattern assignment (Schuhmacher, Vo, Vo, IEEE TSP 56(8), 2008); 0 for two empty sets."""
    n, m = len(x), len(y)
    if not n or not m:
        return c if n or m else 0.0
    d = np.minimum(np.linalg.norm(x[:, None] - y[None], axis=-1), c)
    rows, columns = linear_sum_assignment(d**p)
    return float(((np.sum(d[rows, columns] ** p) + abs(n - m) * c**p) / max(n, m)) ** (1 / p))


def nees(
    error: Float[np.ndarray, "*rows d"], cov: Float[np.ndarray, "*rows d d"]
) -> Float64[np.ndarray, "*rows"]:
    """Normalised estimation error squared, e^T P^-1 e (not divided by d)."""
    scale = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))  # metres beside metres per second: equilibrate
    e = error / scale
    unit = cov / (scale[..., :, None] * scale[..., None, :])
    return np.sum(e * np.linalg.solve(unit, e[..., None])[..., 0], -1)


def chi2_interval(dimension: int, runs: int, probability: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the mean, over independent runs, of a chi-square value of this dimension.

    Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and Navigation", section 5.4.2.
    """
    tail = (1 - probability) / 2
    low, high = chi2.ppf([tail, 1 - tail], dimension * runs) / runs
    return float(low), float(high)


def score(
    nodes: int,
    tracks: Tracks,
    deliveries: Deliveries,
    scans: Scans,
    detections: Detections,
    detection_truth: DetectionTruth,
    truth: Truth,
) -> Scores:
    """Score every node on every target.

    A detection is available at a node when its scan arrives there at all. A track at a sample is its newest
    confirmed state no older than STALE_S, carried on to the sample under gravity and its own acceleration;
    where it has to be carried further than TICK_S, NEES is nan, as process noise is the tracker's secret.
    """
    grids = [sample_times(truth.t_launch[k], truth.t_impact[k]) for k in range(len(truth.targets))]
    union = np.unique(np.concatenate([*grids, np.empty(0)]))
    union = union[np.diff(union, prepend=-np.inf) > TICK_S]
    parts, results = [], []
    for node in range(nodes):
        events = _events(node, deliveries, scans, detections, detection_truth)
        follow = _follow(node, tracks, truth, union)
        targets = []
        for target, grid in enumerate(grids):
            at = np.searchsorted(union, grid - TICK_S)
            sensor, t_event = (column[events[2] == target] for column in events[:2])
            count = custody(grid, sensor, t_event)
            part = Samples(
                node=np.full(len(grid), node),
                target=np.full(len(grid), target),
                t=grid,
                sensors=count,
                track=follow.track[at, target],
                error_position_m=follow.error_r[at, target],
                error_velocity_m_s=follow.error_v[at, target],
                sigma_position_m=follow.sigma_r[at, target],
                nees=follow.nees[at, target],
            )
            parts.append(part)
            confirmed = follow.t_node[at, target][part.track >= 0]
            launch, impact = float(truth.t_launch[target]), float(truth.t_impact[target])
            targets.append(
                TargetScore(
                    t_first_detection_s=float(t_event.min() - launch) if len(t_event) else np.nan,
                    t_confirmed_s=float(confirmed[0] - launch) if len(confirmed) else np.nan,
                    custody_1=float(np.mean(count >= 1)) if len(count) else np.nan,
                    custody_2=float(np.mean(count >= 2)) if len(count) else np.nan,
                    longest_gap_s=longest_gap(t_event, impact),
                    rmse_position_m=_rms(part.error_position_m),
                    rmse_velocity_m_s=_rms(part.error_velocity_m_s),
                    nees_mean=_mean(part.nees),
                )
            )
        ever = np.unique(tracks.track[(tracks.node == node) & (tracks.status == Status.CONFIRMED)])
        false = np.setdiff1d(ever, follow.track)
        results.append(NodeScore(tuple(targets), len(ever), len(false), _mean(follow.gospa)))
    return Scores(_joined(parts), tuple(results))


def sample_times(t_launch: float, t_impact: float) -> Float64[np.ndarray, "sample"]:
    """Every second from launch to impact; none for a target that never flies or never lands."""
    if not np.isfinite(t_launch) or not np.isfinite(t_impact) or t_impact < t_launch:
        return np.empty(0)
    return t_launch + STEP_S * np.arange(int((t_impact - t_launch + TICK_S) / STEP_S) + 1)


def custody(
    t: Float[np.ndarray, "sample"], sensor: Int[np.ndarray, "event"], t_event: Float[np.ndarray, "event"]
) -> Int[np.ndarray, "sample"]:
    """How many distinct sensors have an event in (t - 3 s, t]."""
    count = np.zeros(len(t), np.int64)
    for one in np.unique(sensor):
        times = np.sort(t_event[sensor == one])
        newer = np.searchsorted(times, t - CUSTODY_S + TICK_S, "right")
        count += np.searchsorted(times, t + TICK_S, "right") > newer
    return count


def longest_gap(t_event: Float[np.ndarray, "event"], t_end: float) -> float:
    """Longest time without custody between the first event and the end; nan without an event."""
    times = np.sort(t_event[t_event <= t_end])
    if not len(times):
        return np.nan
    return float(max(0.0, np.max(np.diff(np.append(times, t_end)) - CUSTODY_S)))


class _Follow(NamedTuple):
    """What GOSPA says of one node, at each time of the union [time, target]."""

    track: np.ndarray
    t_node: np.ndarray
    error_r: np.ndarray
    error_v: np.ndarray
    sigma_r: np.ndarray
    nees: np.ndarray
    gospa: np.ndarray  # [time]; nan while no target is alive


def _events(
    node: int, deliveries: Deliveries, scans: Scans, detections: Detections, detection_truth: DetectionTruth
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sensor, event time and target of every true detection whose scan reached the node."""
    arrived = deliveries.scan[(deliveries.node == node) & np.isfinite(deliveries.t_arrival)]
    answer = np.argsort(detection_truth.detection)
    target = detection_truth.target[answer][
        np.searchsorted(detection_truth.detection, detections.detection, sorter=answer)
    ]
    chosen = np.isin(detections.scan, arrived) & (target >= 0)
    order = np.argsort(scans.scan)
    row = order[np.searchsorted(scans.scan, detections.scan[chosen], sorter=order)]
    return scans.sensor[row], scans.t_event[row], target[chosen]


def _follow(node: int, tracks: Tracks, truth: Truth, union: np.ndarray) -> _Follow:
    times, targets = len(union), len(truth.targets)
    out = _Follow(
        track=np.full((times, targets), -1),
        **{name: np.full((times, targets), np.nan) for name in _Follow._fields[1:-1]},
        gospa=np.full(times, np.nan),
    )
    mine = np.flatnonzero(tracks.node == node)
    names = np.unique(tracks.track[mine])
    held = np.full((times, len(names)), -1)  # row of the newest state, -1: none
    for k, name in enumerate(names):
        rows = mine[tracks.track[mine] == name]
        rows = rows[np.argsort(tracks.t[rows], kind="stable")]
        newest = np.searchsorted(tracks.t[rows], union + TICK_S, "right") - 1
        row = rows[np.maximum(newest, 0)]
        good = (newest >= 0) & (tracks.status[row] == Status.CONFIRMED) & (union - tracks.t[row] <= STALE_S)
        held[good, k] = row[good]
    r_true, v_true = truth_at(truth, union)
    alive = (union[:, None] >= truth.t_launch - TICK_S) & (union[:, None] <= truth.t_impact + TICK_S)
    at, column = np.nonzero(held >= 0)
    row = held[at, column]
    dt = union[at] - tracks.t[row]
    dt[np.abs(dt) < TICK_S] = 0.0
    r, v = _carried(tracks.mean[row], dt)
    begin = np.searchsorted(at, np.arange(times + 1))
    pairs: list[tuple[int, int, int]] = []  # time, target, entry
    for i in range(times):
        living = np.flatnonzero(alive[i])
        if not len(living):
            continue
        mine_now = slice(begin[i], begin[i + 1])
        found = gospa(r_true[i, living], r[mine_now])
        out.gospa[i] = found.distance
        pairs += [(i, int(living[j]), begin[i] + int(a)) for j, a in enumerate(found.assigned) if a >= 0]
    if pairs:
        i, j, entry = np.array(pairs).T
        cov = _carried_covariance(unpack_covariance(tracks.cov[row[entry]]), dt[entry])
        error = np.concatenate([r[entry] - r_true[i, j], v[entry] - v_true[i, j]], 1)
        out.track[i, j] = tracks.track[row[entry]]
        out.t_node[i, j] = tracks.t_node[row[entry]]
        out.error_r[i, j] = np.linalg.norm(error[:, :3], axis=1)
        out.error_v[i, j] = np.linalg.norm(error[:, 3:], axis=1)
        out.sigma_r[i, j] = np.sqrt(np.trace(cov[:, :3, :3], axis1=1, axis2=2))
        out.nees[i, j] = np.where(dt[entry] == 0.0, nees(error, cov) / 6, np.nan)
    return out


def truth_at(truth: Truth, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Truth off its grid: cubic Hermite between two live times, straight on from one at the ends."""
    last = len(truth.t) - 1
    below = np.clip(np.searchsorted(truth.t, t + TICK_S, "right") - 1, 0, last)
    above = np.minimum(below + 1, last)
    target = np.arange(len(truth.targets))
    low, high = truth.alive[below], truth.alive[above]
    # from one live neighbour: the lower where it lives, else the upper
    base = np.where(low, below[:, None], above[:, None])
    dt = (t[:, None] - truth.t[base])[..., None]
    r = truth.r_gcrs[base, target] + truth.v_gcrs[base, target] * dt
    v = truth.v_gcrs[base, target]
    width = np.where(above > below, truth.t[above] - truth.t[below], 1.0)[:, None, None]
    s = (t - truth.t[below])[:, None, None] / width
    r0, r1 = truth.r_gcrs[below], truth.r_gcrs[above]
    v0, v1 = truth.v_gcrs[below] * width, truth.v_gcrs[above] * width
    smooth = r0 + s * v0 + s**2 * (3 * (r1 - r0) - 2 * v0 - v1) + s**3 * (2 * (r0 - r1) + v0 + v1)
    slope = (v0 + 2 * s * (3 * (r1 - r0) - 2 * v0 - v1) + 3 * s**2 * (2 * (r0 - r1) + v0 + v1)) / width
    both = (low & high)[..., None]
    return np.where(both, smooth, r), np.where(both, slope, v)


def _carried(mean: np.ndarray, dt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """States after dt under point-mass gravity and a constant acceleration beyond it (0.5 m in 10 s)."""
    r, v, a = mean[:, :3], mean[:, 3:6], mean[:, 6:]
    h = dt[:, None]

    def pull(r: np.ndarray) -> np.ndarray:
        return -EARTH_MU * r / np.linalg.norm(r, axis=1, keepdims=True) ** 3 + a

    start = pull(r)
    ahead = r + v * h + start * h**2 / 2
    return ahead + (pull(ahead) - start) * h**2 / 6, v + (start + pull(ahead)) * h / 2


def _carried_covariance(cov: np.ndarray, dt: np.ndarray) -> np.ndarray:
    """Position-velocity covariance after dt, without process noise."""
    flow = np.tile(np.eye(9)[:6], (len(dt), 1, 1))
    for k in range(3):
        flow[:, k, k + 3] = flow[:, k + 3, k + 6] = dt
        flow[:, k, k + 6] = dt**2 / 2
    return flow @ cov @ flow.transpose(0, 2, 1)


def _joined(parts: list[Samples]) -> Samples:
    names = Samples.__dataclass_fields__
    if not parts:
        return Samples(
            **{
                name: np.empty(0, int if name in ("node", "target", "sensors", "track") else float)
                for name in names
            }
        )
    return Samples(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _mean(values: np.ndarray) -> float:
    good = values[np.isfinite(values)]
    return float(np.mean(good)) if len(good) else np.nan


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(_mean(values**2)))

"""How well each node knew each target: custody, GOSPA, errors, NEES. Scoring alone may read the truth."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float, Float64, Int

from noroshi.constants import EARTH_MU
from noroshi.tables import (
    Contributions,
    Deliveries,
    Detections,
    DetectionTruth,
    NodeSamples,
    Samples,
    Scans,
    Status,
    Tracks,
    Truth,
    unpack_covariance,
)
from noroshi.tracking import bound
from noroshi.tracking.columns import rotation_gcrs_from_sensor
from noroshi.tracking.consistency import chi2_interval, nees, share_inside
from noroshi.tracking.continuity import Purity, continuity, purity_of_node
from noroshi.tracking.gospa import CUTOFF_M, Gospa, gospa, gospa_over_time, ospa
from noroshi.tracking.nominal import nominal_bound
from noroshi.tracking.siap import Siap, siap

__all__ = [
    "CUTOFF_M",
    "Gospa",
    "NodeScore",
    "Scores",
    "TargetScore",
    "chi2_interval",
    "custody",
    "gospa",
    "longest_gap",
    "nees",
    "ospa",
    "sample_times",
    "score",
]

CUSTODY_S = 3.0  # a detection keeps a target in custody so long
STEP_S = 1.0  # between samples
STALE_S = 10.0  # notional: a state older than this is no track (an ended run leaves no deletion behind)
TICK_S = 1e-6  # times closer than this are equal: grids of 0.1 s are not exact in binary
DIMENSION = 6  # of NEES: position and velocity
WHOLE = ("node", "target", "targets", "sensors", "track", "tracks")  # columns of whole numbers

Table = TypeVar("Table", Samples, NodeSamples)


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
    nees_inside: (
        float  # share of samples inside the 95 % interval of one chi-square value of 6 degrees of freedom
    )
    confirm_latency_s: float  # from its first detection to its first confirmed track
    fragments: int  # different tracks that it was given
    breaks: int  # times it was left without a track and later had one again
    switches: int  # times its track was another than the one before
    purity: float  # of the detections in the tracks that are mostly its own, the share that are its own
    bound_position_m: float  # root mean square of the nominal Cramer-Rao bound over the samples of the errors
    bound_velocity_m_s: float


class NodeScore(NamedTuple):
    """One node: its targets in the order of `Truth.targets`, and its tracks."""

    targets: tuple[TargetScore, ...]
    tracks: int  # ever confirmed
    false_tracks: int  # confirmed and never assigned
    gospa_m: float  # time mean while a target is alive; nan without
    # time means of GOSPA squared and of its three parts, which add up to it
    gospa_squared_m2: float
    localisation_m2: float
    missed_m2: float
    false_m2: float
    ospa_m: float  # time mean, as gospa_m
    siap: Siap
    purity: float  # share of the detections in confirmed tracks that belong to the track's main target
    nees_mean: float  # over all targets, divided by 6
    nees_inside: float


class Scores(NamedTuple):
    """Samples of every node and target, of every node's whole picture, and what they come to."""

    samples: Samples
    node_samples: NodeSamples
    nodes: tuple[NodeScore, ...]


def score(
    nodes: int,
    tracks: Tracks,
    deliveries: Deliveries,
    scans: Scans,
    detections: Detections,
    detection_truth: DetectionTruth,
    truth: Truth,
    contributions: Contributions | None = None,
) -> Scores:
    """Score every node on every target.

    A detection is available at a node when its scan arrives there at all. A track at a sample is its newest
    confirmed state no older than STALE_S, carried on to the sample under gravity and its own acceleration;
    where it has to be carried further than TICK_S, NEES is nan, as process noise is the tracker's secret.
    Without `contributions` purity is nan.
    """
    grids = [sample_times(truth.t_launch[k], truth.t_impact[k]) for k in range(len(truth.targets))]
    union = np.unique(np.concatenate([*grids, np.empty(0)]))
    union = union[np.diff(union, prepend=-np.inf) > TICK_S]
    known = _events(nodes, deliveries, scans, detections, detection_truth)
    bounds = _bounds(grids, known, scans, detections, truth)
    r_true, v_true = truth_at(truth, union)
    parts, whole, results = [], [], []
    for node in range(nodes):
        follow = _follow(node, tracks, truth, union, r_true, v_true)
        ever = np.unique(tracks.track[(tracks.node == node) & (tracks.status == Status.CONFIRMED)])
        pure = _pure(node, contributions, detection_truth, ever)
        mine = known.arrived[node]
        targets = []
        for target, grid in enumerate(grids):
            at = np.searchsorted(union, grid - TICK_S)
            here = mine & (known.target == target)
            sensor, t_event = known.sensor[here], known.t_event[here]
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
                bound_position_m=bounds[target].position_m[node],
                bound_velocity_m_s=bounds[target].velocity_m_s[node],
            )
            parts.append(part)
            targets.append(_target_score(part, truth, target, t_event, follow.t_node[at, target], pure))
        false = np.setdiff1d(ever, follow.track)
        whole.append(_node_samples(node, union, follow))
        results.append(
            NodeScore(
                targets=tuple(targets),
                tracks=len(ever),
                false_tracks=len(false),
                gospa_m=_mean(follow.gospa),
                gospa_squared_m2=_mean(follow.gospa**2),
                localisation_m2=_mean(follow.localisation),
                missed_m2=_mean(follow.missed),
                false_m2=_mean(follow.false),
                ospa_m=_mean(follow.ospa),
                siap=follow.siap,
                purity=_pooled(pure),
                nees_mean=_mean(
                    np.concatenate([part.nees for part in parts[-len(grids) :]] or [np.empty(0)])
                ),
                nees_inside=share_inside(DIMENSION * follow.nees, DIMENSION),
            )
        )
    return Scores(_joined(Samples, parts), _joined(NodeSamples, whole), tuple(results))


def _target_score(
    part: Samples,
    truth: Truth,
    target: int,
    t_event: np.ndarray,
    t_node: np.ndarray,
    pure: Purity,
) -> TargetScore:
    """What the samples of one node and target come to; t_event: of its detections there, t_node: as _Follow has it."""
    launch, impact = float(truth.t_launch[target]), float(truth.t_impact[target])
    held = part.track >= 0
    whole = continuity(part.track[:, None])
    detected = float(t_event.min() - launch) if len(t_event) else np.nan
    confirmed = float(t_node[held][0] - launch) if held.any() else np.nan
    scored = held & np.isfinite(part.error_position_m)
    of_it = pure.target == target
    return TargetScore(
        t_first_detection_s=detected,
        t_confirmed_s=confirmed,
        custody_1=float(np.mean(part.sensors >= 1)) if len(held) else np.nan,
        custody_2=float(np.mean(part.sensors >= 2)) if len(held) else np.nan,
        longest_gap_s=longest_gap(t_event, impact),
        rmse_position_m=_rms(part.error_position_m),
        rmse_velocity_m_s=_rms(part.error_velocity_m_s),
        nees_mean=_mean(part.nees),
        nees_inside=share_inside(DIMENSION * part.nees, DIMENSION),
        confirm_latency_s=confirmed - detected,
        fragments=int(whole.fragments[0]),
        breaks=int(whole.breaks[0]),
        switches=int(whole.switches[0]),
        purity=_pooled(Purity(*(column[of_it] for column in pure))),
        bound_position_m=_rms(part.bound_position_m[scored]),
        bound_velocity_m_s=_rms(part.bound_velocity_m_s[scored]),
    )


def _pure(node: int, contributions: Contributions | None, truth: DetectionTruth, ever: np.ndarray) -> Purity:
    """Purity of a node's confirmed tracks; none without contributions."""
    if contributions is None:
        return Purity(*(np.empty(0, kind) for kind in (int, int, float, int)))
    pure = purity_of_node(contributions, truth, node)
    confirmed = np.isin(pure.track, ever)
    return Purity(*(column[confirmed] for column in pure))


def _pooled(pure: Purity) -> float:
    """Share over all detections of several tracks; nan: no detection."""
    total = pure.detections.sum()
    return float(np.sum(pure.share * pure.detections) / total) if total else np.nan


def _node_samples(node: int, union: np.ndarray, follow: _Follow) -> NodeSamples:
    some = np.isfinite(follow.gospa)
    return NodeSamples(
        node=np.full(int(some.sum()), node),
        t=union[some],
        targets=follow.targets[some],
        tracks=follow.tracks[some],
        gospa_m=follow.gospa[some],
        localisation_m2=follow.localisation[some],
        missed_m2=follow.missed[some],
        false_m2=follow.false[some],
    )


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
    """What GOSPA says of one node: [time, target] or [time] over the times of the union."""

    track: np.ndarray
    t_node: np.ndarray
    error_r: np.ndarray
    error_v: np.ndarray
    sigma_r: np.ndarray
    nees: np.ndarray
    gospa: np.ndarray  # [time], as all below; nan while no target is alive
    localisation: np.ndarray
    missed: np.ndarray
    false: np.ndarray
    ospa: np.ndarray
    targets: np.ndarray
    tracks: np.ndarray
    siap: Siap


class _Known(NamedTuple):
    """Every true detection, in the order of its event, and which nodes had its scan."""

    row: np.ndarray  # of Detections
    scan: np.ndarray  # row of Scans
    sensor: np.ndarray
    t_event: np.ndarray
    target: np.ndarray
    arrived: np.ndarray  # [node, event]


def _events(
    nodes: int, deliveries: Deliveries, scans: Scans, detections: Detections, detection_truth: DetectionTruth
) -> _Known:
    answer = np.argsort(detection_truth.detection)
    target = detection_truth.target[answer][
        np.searchsorted(detection_truth.detection, detections.detection, sorter=answer)
    ]
    chosen = np.flatnonzero(target >= 0)
    order = np.argsort(scans.scan)
    row = order[np.searchsorted(scans.scan, detections.scan[chosen], sorter=order)]
    sort = np.argsort(scans.t_event[row], kind="stable")
    chosen, row = chosen[sort], row[sort]
    there = np.isfinite(deliveries.t_arrival)
    arrived = [
        np.isin(detections.scan[chosen], deliveries.scan[there & (deliveries.node == node)])
        for node in range(nodes)
    ]
    return _Known(
        row=chosen,
        scan=row,
        sensor=scans.sensor[row],
        t_event=scans.t_event[row],
        target=target[chosen],
        arrived=np.array(arrived, bool).reshape(nodes, len(row)),
    )


class _Bound(NamedTuple):
    """Nominal bound of one target at its samples, for each node."""

    position_m: np.ndarray  # [node, sample]
    velocity_m_s: np.ndarray


def _bounds(
    grids: list[np.ndarray], known: _Known, scans: Scans, detections: Detections, truth: Truth
) -> list[_Bound]:
    """nan before the node's first detection. Nodes with the same detections share the work."""
    axes = rotation_gcrs_from_sensor(scans.q_gcrs_from_sensor)
    found = []
    for target, grid in enumerate(grids):
        own = _only(truth, target)
        some = np.flatnonzero(known.target == target)
        row, scan, t_event = known.row[some], known.scan[some], known.t_event[some]
        out = _Bound(*(np.full((len(known.arrived), len(grid)), np.nan) for _ in range(2)))
        found.append(out)
        if not len(grid) or not len(some):
            continue
        r, v = (state[:, 0] for state in truth_at(own, t_event))
        stations = bound.Stations(
            r=scans.r_gcrs[scan],
            v=scans.v_gcrs[scan],
            frame_from_sensor=axes[scan],
            sigma_az_rad=detections.sigma_az_rad[row],
            sigma_el_rad=detections.sigma_el_rad[row],
            sigma_range_m=detections.sigma_range_m[row],
            sigma_range_rate_m_s=detections.sigma_range_rate_m_s[row],
        )
        sets, which = np.unique(known.arrived[:, some], axis=0, return_inverse=True)
        phase = own.phase[np.clip(np.searchsorted(own.t, grid + TICK_S) - 1, 0, None), 0]
        least = nominal_bound(
            grid, truth_at(own, grid)[0][:, 0], phase, t_event, bound.information(r, v, stations), sets
        )
        out.position_m[:], out.velocity_m_s[:] = least.position_m[which], least.velocity_m_s[which]
        first = np.where(sets.any(1), t_event[np.argmax(sets, axis=1)], np.inf)[which]
        early = grid < first[:, None] - TICK_S
        out.position_m[early] = out.velocity_m_s[early] = np.nan
    return found


def _only(truth: Truth, target: int) -> Truth:
    """The columns of the truth that scoring reads, of one target."""
    one = [target]
    return replace(
        truth,
        targets=(truth.targets[target],),
        r_gcrs=truth.r_gcrs[:, one],
        v_gcrs=truth.v_gcrs[:, one],
        phase=truth.phase[:, one],
        alive=truth.alive[:, one],
    )


def _follow(
    node: int, tracks: Tracks, truth: Truth, union: np.ndarray, r_true: np.ndarray, v_true: np.ndarray
) -> _Follow:
    times, targets = len(union), len(truth.targets)
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
    alive = (union[:, None] >= truth.t_launch - TICK_S) & (union[:, None] <= truth.t_impact + TICK_S)
    at, column = np.nonzero(held >= 0)
    row = held[at, column]
    dt = union[at] - tracks.t[row]
    dt[np.abs(dt) < TICK_S] = 0.0
    r, v = _carried(tracks.mean[row], dt)
    found = gospa_over_time(r_true, alive, at, r)
    empty = ~alive.any(1)
    for part in found[:5]:
        part[empty] = np.nan
    flying = alive[at].any(1)
    out = _Follow(
        track=np.full((times, targets), -1),
        **{name: np.full((times, targets), np.nan) for name in _Follow._fields[1:6]},
        gospa=found.distance,
        localisation=found.localisation,
        missed=found.missed,
        false=found.false,
        ospa=found.ospa,
        targets=alive.sum(1),
        tracks=np.bincount(at, minlength=times),
        siap=siap(at[flying], column[flying], r[flying], v[flying], r_true, v_true, alive, STEP_S),
    )
    i, j = np.nonzero(found.assigned >= 0)
    if len(i):
        entry = found.assigned[i, j]
        cov = _carried_covariance(unpack_covariance(tracks.cov[row[entry]]), dt[entry])
        error = np.concatenate([r[entry] - r_true[i, j], v[entry] - v_true[i, j]], 1)
        out.track[i, j] = tracks.track[row[entry]]
        out.t_node[i, j] = tracks.t_node[row[entry]]
        out.error_r[i, j] = np.linalg.norm(error[:, :3], axis=1)
        out.error_v[i, j] = np.linalg.norm(error[:, 3:], axis=1)
        out.sigma_r[i, j] = np.sqrt(np.trace(cov[:, :3, :3], axis1=1, axis2=2))
        out.nees[i, j] = np.where(dt[entry] == 0.0, nees(error, cov) / DIMENSION, np.nan)
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


def _joined(table: type[Table], parts: list[Table]) -> Table:
    names = [field.name for field in fields(table)]
    if not parts:
        return table(**{name: np.empty(0, int if name in WHOLE else float) for name in names})
    return table(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _mean(values: np.ndarray) -> float:
    good = values[np.isfinite(values)]
    return float(np.mean(good)) if len(good) else np.nan


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(_mean(values**2)))

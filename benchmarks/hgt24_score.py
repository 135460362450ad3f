"""Scores of HGT-24 tracks, by the rules of the data's README and of tracking.md sections 7 and 9. Reads the truth.

Cued: track i belongs to target i. Uncued: tracks and targets are paired one to one at every frame by GOSPA.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64
from scipy.optimize import linear_sum_assignment

from noroshi.errors import DataError
from noroshi.tracking.consistency import nees
from noroshi.tracking.gospa import gospa
from noroshi.tracking.siap import siap

BURN_FRAMES = 20  # cued: scored from this frame on
UNCUED_FRAMES = 15  # uncued: scored after this frame
GOSPA_EVERY = 5
LOST_M = 5000.0  # a cued track further from its target than this at the end has lost it
OWN_M = 1000.0  # a target with no track of its own within this at the end is lost
SIAP_M = 2000.0  # a track this near to a target is on it, as in the peers' figures


class Picture(NamedTuple):
    """Confirmed live tracks at every frame; nan where a track is not live and confirmed."""

    mean: Float64[np.ndarray, "frame track 9"]
    cov: Float64[np.ndarray, "frame track 9 9"]

    @property
    def live(self) -> Bool[np.ndarray, "frame track"]:
        """Which tracks stand in the picture at each frame."""
        return np.isfinite(self.mean[..., 0])


def cued_scores(truth: Float64[np.ndarray, "frame target 9"], picture: Picture) -> dict[str, Any]:
    """Scores of tracks 0..targets-1, each started from the cue of its target; frames >= 20.

    RMSE and NEES over tracks that have not lost their target (`lost_identity`); a frame without the track counts in
    GOSPA and SIAP only. Raises DataError for fewer than 21 frames.
    """
    _long_enough(truth, BURN_FRAMES)
    targets = truth.shape[1]
    error = picture.mean[:, :targets] - truth
    kept = np.linalg.norm(error[-1, :, :3], axis=-1) <= LOST_M  # nan: gone
    frames = np.arange(BURN_FRAMES, len(truth))
    chosen = np.zeros(error.shape[:2], bool)
    chosen[frames] = kept & picture.live[frames, :targets]
    followed = _pairs(truth, picture)
    return {
        **_errors(error[chosen], picture.cov[:, :targets][chosen]),
        "lost_identity": int((~kept).sum()),
        **_common(truth, picture, followed, frames),
    }


def uncued_scores(truth: Float64[np.ndarray, "frame target 9"], picture: Picture) -> dict[str, Any]:
    """Scores of tracks that the tracker started itself; frames > 15.

    RMSE and NEES over the one-to-one pairs of GOSPA. `lost_identity`: targets that GOSPA, cut off at the same 5 km,
    gives no track at the last frame. Raises DataError for fewer than 17 frames.
    """
    _long_enough(truth, UNCUED_FRAMES + 1)
    frames = np.arange(UNCUED_FRAMES + 1, len(truth))
    followed = _pairs(truth, picture)
    at, target = np.nonzero(followed[frames] >= 0)
    track = followed[frames][at, target]
    error = picture.mean[frames[at], track] - truth[frames[at], target]
    return {
        **_errors(error, picture.cov[frames[at], track]),
        "lost_identity": int((followed[-1] < 0).sum()),
        **_common(truth, picture, followed, frames),
    }


def confirmed_at(
    truth: Float64[np.ndarray, "frame target 9"], picture: Picture
) -> Float64[np.ndarray, "target"]:
    """First frame at which GOSPA gives each target a track; inf: never."""
    had = _pairs(truth, picture) >= 0
    return np.where(had.any(0), had.argmax(0), np.inf)


def lost_targets(truth: Float64[np.ndarray, "target 9"], tracks: Float64[np.ndarray, "track 9"]) -> int:
    """Targets with no track of their own within 1 km: the most that can be paired one to one are not lost."""
    near = np.linalg.norm(truth[:, None, :3] - tracks[None, :, :3], axis=-1) <= OWN_M
    rows, columns = linear_sum_assignment(near.astype(float), maximize=True)
    return len(truth) - int(near[rows, columns].sum())


def siap_set(
    truth: np.ndarray, picture: Picture, frames: np.ndarray, frame_s: float = 1.0
) -> dict[str, float | None]:
    """The SIAP set (noroshi.tracking.siap) over these frames; None where there is nothing to divide by."""
    at, track = np.nonzero(picture.live[frames])
    mean = picture.mean[frames[at], track]
    there = truth[frames]
    alive = np.ones(there.shape[:2], bool)
    found = siap(
        at, track, mean[:, :3], mean[:, 3:6], there[..., :3], there[..., 3:6], alive, frame_s, SIAP_M
    )
    return {name: float(value) if np.isfinite(value) else None for name, value in found._asdict().items()}


def _pairs(truth: np.ndarray, picture: Picture) -> np.ndarray:
    """Track of each target at each frame by GOSPA, -1: none; [frame, target]."""
    followed = np.full(truth.shape[:2], -1)
    for k in range(len(truth)):
        live = np.flatnonzero(picture.live[k])
        assigned = gospa(truth[k, :, :3], picture.mean[k, live, :3]).assigned
        mine = assigned >= 0
        followed[k, mine] = live[assigned[mine]]
    return followed


def _common(truth: np.ndarray, picture: Picture, followed: np.ndarray, frames: np.ndarray) -> dict[str, Any]:
    ever = np.asarray(picture.live.any(0))
    distances = [
        gospa(truth[k, :, :3], picture.mean[k][picture.live[k], :3]).distance
        for k in frames
        if k % GOSPA_EVERY == 0
    ]
    return {
        "lost_target": lost_targets(truth[-1], picture.mean[-1][picture.live[-1]]),
        "false_tracks": int((ever & ~np.isin(np.arange(len(ever)), followed)).sum()),
        "gospa_m": float(np.mean(distances)),
        "siap": siap_set(truth, picture, frames),
    }


def _errors(error: np.ndarray, cov: np.ndarray) -> dict[str, float | None]:
    far = (error[:, :3] ** 2).sum(-1)
    fast = (error[:, 3:6] ** 2).sum(-1)
    return {
        "rmse_position_m": None if not len(far) else float(np.sqrt(far.mean())),
        "rmse_velocity_m_s": None if not len(fast) else float(np.sqrt(fast.mean())),
        "nees": None if not len(far) else float(nees(error, cov).mean() / error.shape[1]),
    }


def _long_enough(truth: np.ndarray, frames: int) -> None:
    if len(truth) <= frames:
        raise DataError(
            f"{len(truth)} frames are too few: scoring starts at frame {frames}",
            where="HGT-24",
            remedy="give a raid of at least 21 frames",
        )

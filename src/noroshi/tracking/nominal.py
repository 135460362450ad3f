"""The bound beside the error of a run: what the detections that reached a node could have told at best.

Nominal, as no flight is truly drawn from these motion models: an error below it is luck or a motion smoother than
stated, one far above it is the tracker's. The phase of flight is taken as known (a tracker has to find it out), the
detections as they fell (no P_D needed), each for what it is (no false alarms, no wrong associations).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int8

from noroshi.constants import EARTH_MU
from noroshi.tables import Phase
from noroshi.tracking import bound

# White jerk by phase [m2/s5]. Thrust grows by at most 1.5 m/s3 as a stage empties and turns by under a degree a second;
# 5 fitted HGT-24's weave of 30 m/s2 in 60-100 s and serves whatever else flies in air.
JERK_PSD = {Phase.BOOST: 2.0, Phase.REENTRY: 5.0, Phase.GLIDE: 5.0, Phase.CRUISE: 5.0}
# White acceleration of a coast [m2/s3]: harmonics above J2 (3e-5 m/s2 sustained) and the last of the air
COAST_PSD = 1e-4
# notional: before the first detection. Anywhere in view of a low satellite, faster than anything of interest but
# half of orbital speed, any thrust; two detections from two sides leave nothing of it
PRIOR_M, PRIOR_M_S, PRIOR_M_S2 = 1e6, 5e3, 30.0


class Bounds(NamedTuple):
    """Root of the summed variances."""

    position_m: Float64[np.ndarray, "*batch sample"]
    velocity_m_s: Float64[np.ndarray, "*batch sample"]


def motion(
    r: Float[np.ndarray, "sample 3"], phase: Int8[np.ndarray, "sample"], dt: float
) -> tuple[Float64[np.ndarray, "sample 9 9"], Float64[np.ndarray, "sample 9 9"]]:
    """Transition and noise that lead to each sample, along a true flight: gravity, and the phase's own motion.

    State: position, velocity, acceleration beyond gravity, which a coast has none of. The first entry leads nowhere
    (unit matrix, no noise).
    """
    n = len(r)
    gravity = np.zeros((n, 9, 9))
    rho = np.linalg.norm(r, axis=1)[:, None, None]
    gravity[:, 3:6, :3] = EARTH_MU / rho**3 * (3 * r[:, :, None] * r[:, None, :] / rho**2 - np.eye(3))
    gravity[:, :3, 3:6] = np.eye(3)
    coasts = phase == Phase.COAST
    psd = np.array([JERK_PSD.get(Phase(int(p)), 0.0) for p in phase])
    before = np.concatenate([[0], np.arange(n - 1)])  # what acts from one sample to the next is the former's
    a = gravity[before]
    a[:, 3:6, 6:] = np.where(coasts[before, None, None], 0.0, np.eye(3))
    f = np.eye(9) + a * dt + a @ a * dt**2 / 2
    _, q = bound.constant_acceleration(dt, psd[before])
    still = np.zeros((9, 9))
    still[:3, :3], still[3:6, 3:6] = np.eye(3) * dt**3 / 3, np.eye(3) * dt
    still[:3, 3:6] = still[3:6, :3] = np.eye(3) * dt**2 / 2
    q = q + COAST_PSD * still
    f[coasts, 6:] = 0.0
    q[coasts, 6:], q[coasts, :, 6:] = 0.0, 0.0
    f[0], q[0] = np.eye(9), 0.0
    return f, q


def nominal_bound(
    t: Float[np.ndarray, "sample"],
    r: Float[np.ndarray, "sample 3"],
    phase: Int8[np.ndarray, "sample"],
    t_event: Float[np.ndarray, "event"],
    measured: Float[np.ndarray, "event 6 6"],
    known: Bool[np.ndarray, "*batch event"],
) -> Bounds:
    """Bound of one flight at evenly spaced times, for each set of detections (`known`, a row for each node).

    t_event, measured: time and information about position and velocity of every detection, ascending. Each counts at
    the first sample that is not before it, carried there without process noise (under 1 s at 5 m2/s5: 0.5 m, 1.3 m/s).
    """
    n = len(t)
    batch = known.shape[:-1]
    if not n:
        return Bounds(np.empty((*batch, 0)), np.empty((*batch, 0)))
    out = np.zeros((*batch, n, 9, 9))
    step = float(t[1] - t[0]) if n > 1 else 1.0
    if len(t_event):
        at = np.maximum(np.ceil((t_event - t[0]) / step - 1e-6), 0).astype(int)
        inside = at < n
        at, lag = at[inside], (t_event[inside] - t[at[inside]])[:, None, None]
        known = known[..., inside]
        back = np.tile(np.eye(9)[:6], (len(at), 1, 1))
        back[:, :3, 3:6] = back[:, 3:, 6:] = lag * np.eye(3)
        back[:, :3, 6:] = lag**2 / 2 * np.eye(3)
        each = back.transpose(0, 2, 1) @ measured[inside] @ back
        for node in np.ndindex(*batch):
            rows = np.flatnonzero(known[node])
            if len(rows):
                steps, first = np.unique(at[rows], return_index=True)
                out[node][steps] = np.add.reduceat(each[rows], first, axis=0)
    f, q = motion(r, phase, step)
    prior = np.diag(np.repeat([PRIOR_M, PRIOR_M_S, PRIOR_M_S2], 3) ** 2)
    if phase[0] == Phase.COAST:
        prior[6:, 6:] = 0.0
    cov = bound.recursion(f, q, out, np.broadcast_to(prior, (*batch, 9, 9)))
    variance = np.maximum(np.diagonal(cov, axis1=-2, axis2=-1), 0.0)
    return Bounds(np.sqrt(variance[..., :3].sum(-1)), np.sqrt(variance[..., 3:6].sum(-1)))

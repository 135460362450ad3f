"""The motion models that a tracker may mix: their names and their numbers for compiled code."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from noroshi.constants import EARTH_J2, EARTH_MU, EARTH_RATE_RAD_S
from noroshi.errors import ScenarioError

# Number of each model for compiled code (see transition.transition). A new model is one function there and a name here.
MODELS = {
    "constant-acceleration": 0,  # white jerk
    "singer": 1,  # acceleration with a memory of tau_s
    "ballistic": 2,  # gravity with J2, drag with the ballistic coefficient as a state
    "glide": 3,  # gravity with J2, aerodynamic acceleration as a state
    "coordinated-turn": 4,  # constant speed, turn rate about the vertical as a state
}

# What a model's weight counts for in Tracks.modes
ROLES = {"boost": 0, "ballistic": 1, "manoeuvring": 2}

# columns of a model row (`parameters`)
KIND = 0
ROLE = 1
MU = 2  # m3/s2; 0: no gravity, and the frame is taken as inertial and flat
J2 = 3
SPIN = 4  # rad/s about z: how the air turns
TAU = 5
SIGMA = 6
JERK_PSD = 7
VELOCITY_PSD = 8
BETA = 9
BETA_SIGMA = 10
BETA_PSD = 11
TURN_SIGMA = 12
TURN_PSD = 13
AIR_DENSITY = (
    14  # kg/m3 at the base of an exponential atmosphere; 0: the standard atmosphere of transition.py
)
AIR_SCALE = 15  # m
AIR_BASE = 16  # m, distance from the centre where AIR_DENSITY holds
DWELL = 17
PARAMETERS = 18


class Motion(NamedTuple):
    """One motion model of the mixture. State: position, velocity and three numbers of the model's own.

    constant-acceleration: acceleration beyond gravity, driven by white jerk `jerk_psd_m2_s5`.
    singer: acceleration beyond gravity, first-order Gauss-Markov with `tau_s`, `sigma_m_s2` (plus the white jerk).
    ballistic: gravity with J2 and drag; ln of the ballistic coefficient m/(Cd A) about `beta_kg_m2`, believed to
    `beta_sigma` at first, walking with `beta_psd_1_s`. glide: as singer, the acceleration carried round with the
    velocity and its sigma widened by what air can do at that height and speed. coordinated-turn: turn rate about the
    local vertical, believed to `turn_sigma_rad_s`, walking with `turn_psd_rad2_s3`.
    `sigma_m_s2` is also what is believed of the acceleration before anything is known. `velocity_psd_m2_s3`: white
    acceleration on top, any model. `gravity=False`: kinematic, no gravity (mu = 0).
    """

    model: str
    role: str
    dwell_s: float = 100.0  # mean time a target stays in this mode; inf: for ever
    tau_s: float = inf
    sigma_m_s2: float = 0.0
    jerk_psd_m2_s5: float = 0.0
    velocity_psd_m2_s3: float = 0.0
    beta_kg_m2: float = 5_000.0
    beta_sigma: float = 1.0
    beta_psd_1_s: float = 0.0
    turn_sigma_rad_s: float = 0.0
    turn_psd_rad2_s3: float = 0.0
    gravity: bool = True


def parameters(motion: Motion) -> Float64[np.ndarray, "18"]:
    """The row of numbers that compiled code reads. Raises ScenarioError for an unknown name or an impossible value."""
    problems = []
    if motion.model not in MODELS:
        problems.append(f"no motion model is called {motion.model!r}: {', '.join(MODELS)}")
    if motion.role not in ROLES:
        problems.append(f"no role is called {motion.role!r}: {', '.join(ROLES)}")
    for name in Motion._fields:
        value = getattr(motion, name)
        if isinstance(value, str | bool):
            continue
        low = name in ("dwell_s", "tau_s", "beta_kg_m2")
        if not (value > 0.0 if low else value >= 0.0) or (
            np.isinf(value) and name not in ("dwell_s", "tau_s")
        ):
            problems.append(f"{name} = {value} must be {'above 0' if low else 'finite and at least 0'}")
    if motion.model in ("singer", "glide") and not problems and np.isinf(motion.tau_s):
        problems.append(f"{motion.model} needs a finite tau_s")
    if problems:
        raise ScenarioError(
            "; ".join(problems), where="[tracker] models", remedy="see noroshi.tracking.parameters.Motion"
        )
    row = np.zeros(PARAMETERS)
    row[KIND] = MODELS[motion.model]
    row[ROLE] = ROLES[motion.role]
    row[MU] = EARTH_MU if motion.gravity else 0.0
    row[J2] = EARTH_J2 if motion.gravity else 0.0
    row[SPIN] = EARTH_RATE_RAD_S if motion.gravity else 0.0
    row[TAU] = motion.tau_s
    row[SIGMA] = motion.sigma_m_s2
    row[JERK_PSD] = motion.jerk_psd_m2_s5
    row[VELOCITY_PSD] = motion.velocity_psd_m2_s3
    row[BETA] = motion.beta_kg_m2
    row[BETA_SIGMA] = motion.beta_sigma
    row[BETA_PSD] = motion.beta_psd_1_s
    row[TURN_SIGMA] = motion.turn_sigma_rad_s
    row[TURN_PSD] = motion.turn_psd_rad2_s3
    row[DWELL] = motion.dwell_s
    return row

"""Ready-made settings of the tracker; every figure is notional unless a source stands beside it."""

from __future__ import annotations

from difflib import get_close_matches

from noroshi.errors import ScenarioError
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.parameters import Motion

NAMES = ("space-infrared", "radar", "air")


def default_config() -> TrackerConfig:
    """Missiles and gliders seen by satellites and radars: the settings of a scenario."""
    return TrackerConfig(
        models=(
            # thrust grows by at most ~1.5 m/s3 as a stage empties and turns by under a degree a second; 30 m/s2 is
            # what is believed before anything is known of it (10-60 m/s2 fly)
            Motion("constant-acceleration", "boost", dwell_s=100.0, sigma_m_s2=30.0, jerk_psd_m2_s5=2.0),
            # 1e-4 m2/s3 covers harmonics above J2 (3e-5 m/s2 sustained) and the last of the air
            Motion("ballistic", "ballistic", dwell_s=400.0, velocity_psd_m2_s3=1e-4),
            # lift 4-10 m/s2 that may change sign in seconds, drag 1-4 m/s2 of a glider; the onset of re-entry
            Motion("glide", "manoeuvring", dwell_s=100.0, tau_s=20.0, sigma_m_s2=10.0),
        ),
        sense=True,
        gate=20.0,  # chi-square 2 dof: 0.99995, 3 dof: 0.9998
        ambiguity=3.0,  # a factor of 20 in likelihood between the best assignment and the next
        resolution_sigma=0.0,
        initiate_window_s=1.5,  # the next scan of a 1 Hz sensor, with any offset, still pairs
        initiate_miss=4.0,
        initiate_height_min_m=0.0,
        initiate_height_max_m=1_500_000.0,  # above the apogee of an intermediate-range flight
        initiate_speed_max_m_s=8_000.0,  # above circular speed nothing comes down
        initiate_crossing_min_rad=0.14,  # 8 deg: sigma along the bisector is 10 R sigma
        initiate_single=False,
        spawn_distance_m=0.0,
        spawn_sigma_m_s=500.0,
        confirm_hits=3,
        confirm_of=5,
        confirm_existence=0.0,
        delete_missed=150,  # 20 s with seven sensors looking: the gap between burn-out and a radar's first plot
        delete_missed_tentative=12,  # a dim start (p 0.3) survives 12 looks with 0.986; a ghost dies in seconds
        delete_existence=0.0,
        delete_ghost=0.0,
        delete_sigma_m=50_000.0,
        survive_s=10_000.0,
        merge_times=10,
        cue_resolve_s=0.0,
        time_sigma_s=0.0,
        biases=(),
        max_tracks=256,
    )


def radar() -> TrackerConfig:
    """The same targets seen by radars that see them cold: absence says more, single plots start tracks."""
    return default_config()._replace(
        delete_missed=8,  # p_detect 0.9: a target in view misses 8 looks in a row once in 1e8
        delete_missed_tentative=3,  # false plots do not repeat
        delete_sigma_m=20_000.0,
        # in clutter any two or three plots look like a flight: count what they weigh, too
        confirm_existence=0.999,
        delete_existence=0.01,
        # what flies together came from one object or one salvo: parts leave it at metres to tens of metres per second;
        # 10 km is 3 sigma of 0.1 deg at 2000 km, the coarsest of surveillance radars
        spawn_distance_m=10_000.0,
        spawn_sigma_m_s=100.0,
        initiate_height_min_m=-500.0,
        max_tracks=512,
    )


def air() -> TrackerConfig:
    """Aircraft and cruise missiles seen by radars: carried by wings, straight or in level turns."""
    return default_config()._replace(
        models=(
            # carried by wings, so constant acceleration, nearly undriven: turbulence, the turning of the vertical
            Motion(
                "constant-acceleration",
                "boost",
                dwell_s=120.0,
                sigma_m_s2=10.0,
                jerk_psd_m2_s5=0.02,
                velocity_psd_m2_s3=0.05,
            ),
            # a standard turn is 3 deg/s = 0.052 rad/s, put on or taken off within a few seconds
            Motion(
                "coordinated-turn",
                "manoeuvring",
                dwell_s=30.0,
                turn_sigma_rad_s=0.05,
                turn_psd_rad2_s3=1e-4,
                velocity_psd_m2_s3=1.0,
            ),
        ),
        sense=False,
        initiate_height_min_m=-500.0,  # below the ellipsoid by the geoid, and by the error of a low plot
        initiate_height_max_m=25_000.0,  # above the ceiling of aircraft
        initiate_speed_max_m_s=1_000.0,  # Mach 3
        delete_missed=6,
        delete_missed_tentative=3,
        delete_sigma_m=10_000.0,
        max_tracks=1024,
    )


def preset(name: str) -> TrackerConfig:
    """The configuration of this name. Raises ScenarioError for another one."""
    ready = {"space-infrared": default_config, "radar": radar, "air": air}
    if name in ready:
        return ready[name]()
    close = get_close_matches(name, NAMES, n=1, cutoff=0.5)
    remedy = f"did you mean {close[0]}?" if close else f"one of {', '.join(NAMES)}"
    raise ScenarioError(f"no configuration is called {name!r}", where="--config", remedy=remedy)

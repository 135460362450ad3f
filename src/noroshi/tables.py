"""The tables of a run: plain NumPy columns, one frozen dataclass each.

`t` is float64 seconds of TT past the scenario epoch; vectors are GCRS; angles are radians; lengths metres.
Axes are `[time, sensor, target, component]`. A table holds columns of equal length (or dense axes where it says
so); what is lost is a row with its reason, never a missing row. `t_arrival = inf` means never.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Int8


class Kind(IntEnum):
    """What a sensor measures."""

    INFRARED = 0  # angles only
    RADAR = 1  # angles and range


class Background(IntEnum):
    """What must lie behind a target for an infrared sensor to see it."""

    ANY = 0
    SPACE = 1


class Phase(IntEnum):
    """Phase of flight of a target."""

    WAITING = 0  # before launch
    BOOST = 1
    COAST = 2
    REENTRY = 3
    GLIDE = 4
    LANDED = 5  # or the end of what is known of it
    CRUISE = 6  # carried by wings under power: aircraft, cruise missiles


class Reason(IntEnum):
    """Outcome of one look of one sensor at one target; the first that applies, in the order of REASONS_IN_ORDER."""

    DETECTED = 0
    BELOW_HORIZON = 1  # the Earth is in between
    OUT_OF_FIELD = 2  # outside field of regard, or below the minimum elevation
    OUT_OF_RANGE = 3
    BELOW_CLOUD = 4  # infrared: target below the cloud top
    BELOW_GRAZING = 5  # infrared: line of sight passes below the minimum grazing height
    EARTH_BEHIND = 6  # infrared: Earth background, and the sensor needs space behind
    BELOW_THRESHOLD = 7  # in view, but too faint for any chance worth naming (p_detect < 1e-3)
    MISSED = 8  # in view and bright enough; the draw failed
    # numbers are never given anew, so later reasons stand here whatever their place in the order
    SUN_EXCLUSION = 9  # infrared: too close to the Sun
    MOON_EXCLUSION = 10  # infrared: too close to the Moon
    LIMB_EXCLUSION = 11  # infrared: space behind, but the line passes the Earth's limb too low


REASONS_IN_ORDER = (
    Reason.BELOW_HORIZON,
    Reason.OUT_OF_FIELD,
    Reason.OUT_OF_RANGE,
    Reason.BELOW_CLOUD,
    Reason.BELOW_GRAZING,
    Reason.EARTH_BEHIND,
    Reason.SUN_EXCLUSION,
    Reason.MOON_EXCLUSION,
    Reason.LIMB_EXCLUSION,
    Reason.BELOW_THRESHOLD,
    Reason.MISSED,
    Reason.DETECTED,
)


class Status(IntEnum):
    """Life of a track."""

    TENTATIVE = 0
    CONFIRMED = 1
    DELETED = 2


class TrackKind(IntEnum):
    """What a track's motion says it is."""

    UNKNOWN = 0
    BOOST = 1
    BALLISTIC = 2
    GLIDE = 3


class Notice(IntEnum):
    """Kind of a warning row."""

    ISSUED = 0
    REVISED = 1
    WITHDRAWN = 2


@dataclass(frozen=True)
class Ephemeris:
    """Every sensor's platform on the scenario grid (satellites and ground sites alike)."""

    sensors: tuple[str, ...]
    t: Float64[np.ndarray, "time"]
    r_gcrs: Float64[np.ndarray, "time sensor 3"]
    v_gcrs: Float64[np.ndarray, "time sensor 3"]


@dataclass(frozen=True)
class Truth:
    """Every target on the scenario grid. Where not `alive` the position is held and means nothing."""

    targets: tuple[str, ...]
    bands: tuple[str, ...]
    t: Float64[np.ndarray, "time"]
    r_gcrs: Float64[np.ndarray, "time target 3"]
    v_gcrs: Float64[np.ndarray, "time target 3"]
    phase: Int8[np.ndarray, "time target"]  # Phase
    alive: Bool[np.ndarray, "time target"]
    intensity_w_sr: Float64[np.ndarray, "time target band"]
    rcs_m2: Float64[np.ndarray, "target"]
    t_launch: Float64[np.ndarray, "target"]
    t_impact: Float64[np.ndarray, "target"]
    # Where intensity depends on the direction it is intensity_w_sr + sum of facet_w_sr max(0, normal.u), u the unit
    # vector to the sensor in body axes (targets.light). Facets that a target lacks are 0; None: no target has any
    facet_normal: Float64[np.ndarray, "target facet 3"] | None = None
    facet_w_sr: Float64[np.ndarray, "time target band facet"] | None = None


@dataclass(frozen=True)
class Opportunities:
    """Sensor x target at each time: what a look would give. Dense axes, the whole scenario grid."""

    t: Float64[np.ndarray, "time"]
    reason: Int8[np.ndarray, "time sensor target"]  # Reason; MISSED stands for "could be detected"
    snr: Float64[np.ndarray, "time sensor target"]
    p_detect: Float64[np.ndarray, "time sensor target"]  # 0 where the reason forbids it
    range_m: Float64[np.ndarray, "time sensor target"]


@dataclass(frozen=True)
class Looks:
    """One look: one scan of one sensor, at one live target, with its outcome."""

    scan: Int[np.ndarray, "look"]
    sensor: Int[np.ndarray, "look"]
    target: Int[np.ndarray, "look"]
    t_event: Float64[np.ndarray, "look"]
    reason: Int8[np.ndarray, "look"]  # Reason
    snr: Float64[np.ndarray, "look"]


@dataclass(frozen=True)
class Scans:
    """One scan of one sensor, empty ones too: all that a tracker must know of the sensor.

    Sensor axes: `q_gcrs_from_sensor` (w, x, y, z) turns sensor axes into GCRS. x is the boresight (nadir for a
    satellite, the horizontal facing of a radar), z completes "up"; azimuth = atan2(y, x), elevation = asin(z).
    A direction u is inside the field when acos(u_x) <= field_cone_rad, |azimuth| <= field_azimuth_rad and
    elevation lies in [field_elevation_min_rad, field_elevation_max_rad]. clutter_density: expected false
    alarms per steradian (infrared) or per steradian and metre (radar) in this scan.
    """

    scan: Int[np.ndarray, "scan"]
    sensor: Int[np.ndarray, "scan"]
    kind: Int8[np.ndarray, "scan"]  # Kind
    t_event: Float64[np.ndarray, "scan"]
    r_gcrs: Float64[np.ndarray, "scan 3"]
    v_gcrs: Float64[np.ndarray, "scan 3"]
    q_gcrs_from_sensor: Float64[np.ndarray, "scan 4"]
    p_detect: Float64[np.ndarray, "scan"]  # of a target in the field, as the tracker is to assume
    clutter_density: Float64[np.ndarray, "scan"]
    field_cone_rad: Float64[np.ndarray, "scan"]
    field_azimuth_rad: Float64[np.ndarray, "scan"]
    field_elevation_min_rad: Float64[np.ndarray, "scan"]
    field_elevation_max_rad: Float64[np.ndarray, "scan"]
    range_max_m: Float64[np.ndarray, "scan"]
    grazing_height_m: Float64[np.ndarray, "scan"]
    cloud_top_m: Float64[np.ndarray, "scan"]
    background: Int8[np.ndarray, "scan"]  # Background


@dataclass(frozen=True)
class Detections:
    """One detection. sigma = inf: not measured. Sorted by scan; shuffled inside a scan."""

    detection: Int[np.ndarray, "detection"]
    scan: Int[np.ndarray, "detection"]
    az_rad: Float64[np.ndarray, "detection"]
    el_rad: Float64[np.ndarray, "detection"]
    range_m: Float64[np.ndarray, "detection"]
    range_rate_m_s: Float64[np.ndarray, "detection"]
    sigma_az_rad: Float64[np.ndarray, "detection"]  # of the azimuth angle itself (cross-range sigma / cos el)
    sigma_el_rad: Float64[np.ndarray, "detection"]
    sigma_range_m: Float64[np.ndarray, "detection"]
    sigma_range_rate_m_s: Float64[np.ndarray, "detection"]
    snr: Float64[np.ndarray, "detection"]


@dataclass(frozen=True)
class DetectionTruth:
    """The answer sheet: which target a detection came from, -1 for a false alarm. Only scoring reads it."""

    detection: Int[np.ndarray, "detection"]
    target: Int[np.ndarray, "detection"]


@dataclass(frozen=True)
class Deliveries:
    """One scan (with all its detections) at one node. A scan that a rule withholds has no row at that node's
    tracker: t_arrival is inf and `why` says so."""

    scan: Int[np.ndarray, "delivery"]
    node: Int[np.ndarray, "delivery"]
    t_event: Float64[np.ndarray, "delivery"]
    t_released: Float64[np.ndarray, "delivery"]  # by the owner; inf: never
    t_arrival: Float64[np.ndarray, "delivery"]  # at the node; inf: lost
    hops: Int[np.ndarray, "delivery"]  # links between satellites on the way
    why: Int8[np.ndarray, "delivery"]  # noroshi.network.deliver.Why


@dataclass(frozen=True)
class Tracks:
    """One track of one node after one update time.

    mean = position, velocity, acceleration beyond gravity (thrust, lift, drag), GCRS. cov: upper triangle of the
    9 x 9 covariance, row by row (45 numbers). t is the time of the state, t_node when the node had it.
    """

    node: Int[np.ndarray, "row"]
    track: Int[np.ndarray, "row"]
    t: Float64[np.ndarray, "row"]
    t_node: Float64[np.ndarray, "row"]
    mean: Float64[np.ndarray, "row 9"]
    cov: Float64[np.ndarray, "row 45"]
    status: Int8[np.ndarray, "row"]  # Status
    modes: Float64[np.ndarray, "row 3"]  # weights: boost, ballistic, manoeuvring
    hits: Int[np.ndarray, "row"]  # detections used at this time
    originators: Int[np.ndarray, "row"]  # bit n: nation n of the scenario contributed, ever
    existence: Float64[np.ndarray, "row"]  # probability that there is a target


@dataclass(frozen=True)
class Contributions:
    """Which detection went into which track of which node, at which time."""

    node: Int[np.ndarray, "row"]
    track: Int[np.ndarray, "row"]
    t: Float64[np.ndarray, "row"]
    detection: Int[np.ndarray, "row"]


@dataclass(frozen=True)
class Warnings:
    """One notice of one node about one area."""

    node: Int[np.ndarray, "row"]
    t: Float64[np.ndarray, "row"]  # when the node decides
    t_public: Float64[np.ndarray, "row"]  # with the scenario's stated delay
    track: Int[np.ndarray, "row"]
    area: Int[np.ndarray, "row"]
    impact: Bool[np.ndarray, "row"]  # True: area of impact (or reach of a glider); False: area overflown
    notice: Int8[np.ndarray, "row"]  # Notice
    probability: Float64[np.ndarray, "row"]
    t_earliest: Float64[np.ndarray, "row"]  # of passing over, or impact
    t_latest: Float64[np.ndarray, "row"]
    lat_rad: Float64[np.ndarray, "row"]  # predicted impact point; nan: none (glide)
    lon_rad: Float64[np.ndarray, "row"]
    major_m: Float64[np.ndarray, "row"]  # 1-sigma axes of the impact ellipse; nan: none
    minor_m: Float64[np.ndarray, "row"]
    revision: Int[np.ndarray, "row"]
    supersedes: Int[np.ndarray, "row"]  # row index of the notice it replaces; -1: none


def unpack_covariance(cov: Float[np.ndarray, "*rows 45"]) -> Float64[np.ndarray, "*rows 9 9"]:
    """Full symmetric matrices from packed upper triangles [..., 45] -> [..., 9, 9]."""
    i, j = np.triu_indices(9)
    full = np.empty((*cov.shape[:-1], 9, 9))
    full[..., i, j] = cov
    full[..., j, i] = cov
    return full


@dataclass(frozen=True)
class Samples:
    """How one node did on one target at one second of its flight (made by scoring, which may read the truth)."""

    node: Int[np.ndarray, "row"]
    target: Int[np.ndarray, "row"]
    t: Float64[np.ndarray, "row"]
    sensors: Int[np.ndarray, "row"]  # distinct sensors whose detections, available here, lie in the last 3 s
    track: Int[np.ndarray, "row"]  # the node's confirmed track assigned by GOSPA; -1: none
    error_position_m: Float64[np.ndarray, "row"]  # nan without a track
    error_velocity_m_s: Float64[np.ndarray, "row"]
    sigma_position_m: Float64[np.ndarray, "row"]  # square root of the trace of the position covariance
    nees: Float64[np.ndarray, "row"]  # position and velocity, divided by 6
    # nominal Cramer-Rao bound from the detections that reached the node (tracking.nominal); nan before the first
    bound_position_m: Float64[np.ndarray, "row"]
    bound_velocity_m_s: Float64[np.ndarray, "row"]


@dataclass(frozen=True)
class NodeSamples:
    """How good one node's whole picture was at one second while a target flies: GOSPA and its parts.

    The parts add up to gospa_m squared; a missed target or false track counts as 12.5 km2 (half the cut-off squared).
    """

    node: Int[np.ndarray, "row"]
    t: Float64[np.ndarray, "row"]
    targets: Int[np.ndarray, "row"]  # in flight
    tracks: Int[np.ndarray, "row"]  # confirmed
    gospa_m: Float64[np.ndarray, "row"]
    localisation_m2: Float64[np.ndarray, "row"]
    missed_m2: Float64[np.ndarray, "row"]
    false_m2: Float64[np.ndarray, "row"]

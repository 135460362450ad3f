"""The scenario file: every key, its meaning, unit and bounds. A description of the file, not of the program.

`build.py` turns it into SI and radians. Unknown keys are errors. Whatever has a figure of its own (sensors, sites,
layers, areas) says where it comes from: `source`, or `notional` with the reason.
"""

from __future__ import annotations

from math import atan2, cos, pi, radians
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from noroshi.tracking.parameters import MODELS, ROLES

Latitude = Annotated[float, Field(ge=-90, le=90, description="geodetic latitude, degrees")]
Longitude = Annotated[float, Field(ge=-180, le=360, description="longitude, degrees east")]
Height = Annotated[float, Field(ge=-500, le=9000, description="height above the ellipsoid, metres")]
Degrees = Annotated[float, Field(ge=-360, le=360)]
Name = Annotated[str, Field(min_length=1, max_length=80, description="a name, unlike the others of its kind")]
Nation = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 3166 alpha-3 code")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4)]
Probability = Annotated[float, Field(ge=0, le=1)]
Utc = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", description="ISO 8601 UTC")]


class Part(BaseModel):
    """A table of the file: unknown keys are refused, values are not coerced, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Sourced(Part):
    """A table whose figures come from somewhere."""

    source: Words | None = Field(default=None, description="public source of the figures")
    notional: Words | None = Field(default=None, description="or the reason why they are assumed")

    @model_validator(mode="after")
    def _says_where_from(self) -> Self:
        if self.source is None and self.notional is None:
            raise ValueError(
                "needs `source` (where the figures come from) or `notional` (why they are assumed)"
            )
        return self


class NationPart(Part):
    """A nation of the network."""

    code: Nation


class NodePart(Sourced):
    """A nation's fusion centre."""

    nation: Nation
    name: Name
    latitude_deg: Latitude
    longitude_deg: Longitude
    height_m: Height = 0.0
    fusion_wait_s: float = Field(
        default=2.0, ge=0, le=60, description="a scan later than this after its event is lost"
    )


Force = Literal["j2", "j3", "j4", "drag", "sun", "moon", "solar-pressure"]


class Layer(Sourced):
    """A layer of satellites in a Walker pattern."""

    name: Name
    owner: Nation
    sensor: Name = Field(description="name of an [[infrared]] sensor")
    pattern: Literal["delta", "star"] = Field(
        default="delta", description="planes over the full circle (delta) or the half (star)"
    )
    satellites: int = Field(ge=1, le=5000, description="number of satellites, a multiple of planes")
    planes: int = Field(ge=1, le=500, description="number of orbital planes")
    phasing: float = Field(default=0.0, ge=0, le=5000, description="Walker F, may be fractional")
    altitude_km: float = Field(ge=200, le=40_000, description="above the equatorial radius")
    inclination_deg: float = Field(ge=0, le=180, description="of every plane")
    raan_deg: float = Field(default=0.0, ge=-360, le=360, description="node of the first plane")
    phase_deg: float = Field(
        default=0.0, ge=-360, le=360, description="argument of latitude of the first satellite"
    )
    elements: Literal["mean", "osculating"] = Field(default="mean", description="how the elements are meant")
    forces: tuple[Force, ...] = Field(
        default=("j2",), description="that act besides the point Earth; osculating elements only"
    )
    area_to_mass_m2_kg: float = Field(
        default=0.01, ge=0, le=100, description="that air and light push on; with drag or solar-pressure"
    )
    drag_coefficient: float = Field(default=2.2, gt=0, le=10, description="with drag")
    reflection: float = Field(
        default=1.3, ge=0, le=2, description="with solar-pressure: 1 absorbs light, 2 mirrors it"
    )

    @model_validator(mode="after")
    def _planes_share_evenly(self) -> Self:
        if self.satellites % self.planes:
            raise ValueError(f"{self.satellites} satellites cannot be shared evenly by {self.planes} planes")
        return self

    @model_validator(mode="after")
    def _forces_agree(self) -> Self:
        if len(set(self.forces)) < len(self.forces):
            raise ValueError(f"a force is named twice in {list(self.forces)}")
        if self.elements == "mean" and set(self.forces) != {"j2"}:
            raise ValueError('mean elements drift by J2 alone; forces need elements = "osculating"')
        for field, users in (
            ("area_to_mass_m2_kg", ("drag", "solar-pressure")),
            ("drag_coefficient", ("drag",)),
            ("reflection", ("solar-pressure",)),
        ):
            # by value: a stored scenario spells the defaults out
            changed = getattr(self, field) != type(self).model_fields[field].default
            if changed and not set(users) & set(self.forces):
                raise ValueError(
                    f"{field} does nothing here; name {' or '.join(users)} in forces, or leave it out"
                )
        return self


def satellite_names(layer: Layer) -> tuple[str, ...]:
    """The names of a layer's satellites, plane by plane: `leo-01`, `leo-02`, ..."""
    digits = len(str(layer.satellites))
    return tuple(f"{layer.name}-{k + 1:0{digits}d}" for k in range(layer.satellites))


class Catalogue(Sourced):
    """Satellites from a TLE or OMM file."""

    owner: Nation
    sensor: Name = Field(description="name of an [[infrared]] sensor")
    file: str = Field(min_length=1, description="path, relative to the scenario file")
    names: tuple[str, ...] = Field(default=(), description="these only; empty: all")


class FocalPlanePart(Part):
    """Telescope and detector, from which the NEI of both backgrounds and the pixel's angle follow."""

    aperture_m: float = Field(gt=0, le=10, description="diameter, unobscured")
    focal_m: float = Field(gt=0, le=100, description="focal length; pixel angle is pitch / focal length")
    pitch_um: float = Field(gt=0, le=1000, description="from pixel to pixel")
    pixels_across: int = Field(default=1024, ge=1, le=1_000_000, description="counts only with a mode")
    pixels_along: int = Field(
        default=1024, ge=1, le=1_000_000, description="counts only with a mode; scanning: rows in the scan"
    )
    integration_ms: float = Field(gt=0, le=600_000, description="of one exposure; scanning: dwell on a pixel")
    quantum_efficiency: float = Field(gt=0, le=1, description="electrons per photon")
    optics_transmission: float = Field(gt=0, le=1, description="of mirrors, lenses and filter together")
    box_fraction: float = Field(gt=0, le=1, description="of a point's light in the pixels it is read from")
    read_noise_e: float = Field(ge=0, le=1e6, description="electrons per pixel and exposure, 1 sigma")
    full_well_e: float | None = Field(
        default=None, gt=0, le=1e12, description="electrons; absent: never full"
    )
    jitter_urad: float = Field(
        default=0.0, ge=0, le=10_000, description="line of sight between frames, 1 sigma; makes clutter"
    )
    frame_residual: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="of the background left by frame differences, 1 sigma; clutter too",
    )
    mode: Literal["scanning", "staring"] | None = Field(
        default=None,
        description="scanning: one exposure of each point per period; staring: exposures fill the period; "
        "absent: one exposure per period wherever a target is (cued)",
    )
    surface: Name = Field(
        description="behind targets before the Earth: ocean, land, desert, snow, low-cloud or high-cloud"
    )
    sun_zenith_deg: float = Field(
        default=180.0, ge=0, le=180, description="at the surface, for the whole run; beyond 90: night"
    )
    limb_tangent_km: float = Field(
        default=100.0, ge=0, le=1000, description="tangent height whose limb stands for space behind targets"
    )


class StatedPart(Part):
    """An infrared sensor by its performance alone: brightness counts only as being above 0."""

    p_detect: float = Field(gt=0, le=1, description="of a target that shines in the band, in field and range")
    sigma_urad: float = Field(gt=0, le=10_000, description="angle noise per axis")
    range_max_km: float = Field(gt=0, le=100_000, description="farthest target")


class InfraredPart(Sourced):
    """An infrared sensor, described in exactly one way: by its NEI, by a `focal_plane`, or as `stated`."""

    name: Name
    band: Name = Field(description="in which the targets' intensity_kw_sr counts")
    field_of_regard_deg: float = Field(gt=0, le=180, description="half-angle about nadir")
    grazing_height_km: float = Field(
        default=0.0, ge=0, le=200, description="lines of sight that pass lower before the target see nothing"
    )
    cloud_top_km: float = Field(default=0.0, ge=0, le=25, description="targets below are hidden")
    background: Literal["any", "space"] = Field(
        default="any", description="space: sees no target with the Earth behind it"
    )
    range_max_km: float | None = Field(
        default=None, gt=0, le=100_000, description="farthest target; required unless `stated`"
    )
    nei_space_w_m2: float | None = Field(
        default=None,
        gt=0,
        le=1e-3,
        description="noise-equivalent irradiance with space behind the target; by NEI: required",
    )
    nei_earth_w_m2: float | None = Field(
        default=None,
        gt=0,
        le=1e-3,
        description="the same with the Earth behind, clutter included; by NEI: required",
    )
    focal_plane: FocalPlanePart | None = Field(
        default=None, description="telescope and detector, instead of the NEI"
    )
    stated: StatedPart | None = Field(default=None, description="performance alone, instead of the NEI")
    threshold_snr: float = Field(
        default=5.0, gt=0, le=100, description="signal-to-noise ratio that detects with probability one half"
    )
    p_detect_max: float = Field(
        default=0.98, gt=0, le=1, description="probability of detection of a bright target"
    )
    sigma_floor_urad: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="attitude and alignment, per axis; required unless `stated`",
    )
    pixel_urad: float | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="pixel; angle noise is hypot(floor, pixel / (2 SNR)); by NEI: required",
    )
    registration_bias_urad: float = Field(
        default=0.0, ge=0, le=10_000, description="axes off for a whole run, 1 sigma; trackers are not told"
    )
    transmission: bool = Field(
        default=False, description="whether clear air dims targets and, with a focal_plane, backgrounds"
    )
    sun_exclusion_deg: float = Field(
        default=0.0, ge=0, le=180, description="lines of sight this close to the Sun see nothing; 0: no limit"
    )
    moon_exclusion_deg: float = Field(default=0.0, ge=0, le=180, description="the same of the Moon")
    limb_exclusion_km: float = Field(
        default=0.0, ge=0, le=500, description="with space behind, lines passing the Earth lower see nothing"
    )
    limb_exclusion_deg: float = Field(
        default=0.0, ge=0, le=30, description="or as an angle above the Earth's edge"
    )
    false_alarms_per_scan: float = Field(default=0.0, ge=0, le=1000, description="mean number, Poisson")
    p_detect_assumed: float = Field(default=0.9, gt=0, lt=1, description="what trackers are told")
    scan_period_s: float = Field(default=1.0, gt=0, le=600, description="between scans, on the grid")
    scan_offset_s: float = Field(default=0.0, ge=0, le=600, description="of the first scan, on the grid")
    processing_s: float = Field(default=0.5, ge=0, le=600, description="event to message on board")


class RadarDesign(Part):
    """What a radar's reach, beamwidth and resolution are computed from, instead of being stated."""

    average_power_kw: float = Field(gt=0, le=1e5, description="radiated, mean over time")
    aperture_m2: float = Field(gt=0, le=1e5, description="area of the antenna, for sending and receiving")
    efficiency: float = Field(default=0.6, gt=0, le=1, description="effective area over area")
    frequency_ghz: float = Field(gt=0, le=300, description="carrier frequency")
    bandwidth_mhz: float = Field(gt=0, le=1e5, description="range resolution is c / (2 bandwidth)")
    losses_db: float = Field(ge=0, le=60, description="all losses together")
    noise_temperature_k: float = Field(gt=0, le=1e6, description="of the whole receiving system")
    dwell_s: float | None = Field(
        default=None, gt=0, le=600, description="time on a target; without it, mode says how time is shared"
    )


class RadarStated(Part):
    """A radar's performance as stated, whatever the target: nothing is computed from range or cross-section."""

    p_detect: float = Field(gt=0, lt=1, description="in view and in range")
    sigma_range_m: float = Field(gt=0, le=10_000, description="range noise")
    sigma_angle_mrad: float = Field(gt=0, le=100, description="angle noise, per axis")
    range_max_km: float = Field(gt=0, le=10_000, description="farthest target")


class RadarPart(Sourced):
    """A ground radar, described by its reference range, its design, or its stated performance."""

    name: Name
    owner: Nation
    latitude_deg: Latitude
    longitude_deg: Longitude
    height_m: Height = 0.0
    facing_deg: float = Field(default=0.0, ge=-360, le=360, description="boresight, clockwise from north")
    field_azimuth_deg: float = Field(default=180.0, gt=0, le=180, description="half-width; 180: all round")
    elevation_min_deg: float = Field(default=3.0, ge=0, le=89, description="lowest beam")
    elevation_max_deg: float = Field(default=90.0, gt=0, le=90, description="highest beam")
    range_max_km: float | None = Field(
        default=None, gt=0, le=10_000, description="farthest target; required but with stated"
    )
    range_reference_km: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="where rcs_reference_m2 gives snr_reference; required without design or stated",
    )
    rcs_reference_m2: float = Field(default=1.0, gt=0, le=1e6, description="cross-section at the reference")
    snr_reference: float = Field(default=20.0, gt=0, le=1e6, description="power ratio at the reference range")
    p_false_alarm: float = Field(
        default=1e-6,
        gt=0,
        lt=0.1,
        description="per resolution cell; Swerling 1: P_d = P_fa ^ (1 / (1 + SNR))",
    )
    sigma_range_m: float | None = Field(
        default=None, gt=0, le=10_000, description="range noise at high SNR; required but with stated"
    )
    sigma_angle_mrad: float | None = Field(
        default=None, gt=0, le=100, description="angle noise at high SNR, per axis; required but with stated"
    )
    beamwidth_deg: float = Field(
        default=1.0, ge=0, le=30, description="angle noise grows by beamwidth / (1.6 sqrt(2 SNR))"
    )
    range_resolution_m: float = Field(
        default=15.0, ge=0, le=10_000, description="range noise grows by resolution / sqrt(2 SNR)"
    )
    design: RadarDesign | None = Field(
        default=None, description="figures from which reach, beamwidth and resolution are computed"
    )
    stated: RadarStated | None = Field(default=None, description="performance instead of a reference range")
    swerling: int = Field(
        default=1, ge=0, le=4, description="fluctuation: 0 none, 1 and 3 by dwell, 2 and 4 by pulse"
    )
    pulses: int = Field(
        default=1, ge=1, le=1000, description="of a dwell, added without phase; SNR is that of the dwell"
    )
    refraction: Literal["none", "four-thirds", "exponential"] = Field(
        default="none", description="how beams bend: lowers the horizon and the field's true elevations"
    )
    mode: Literal["scan", "track"] | None = Field(
        default=None,
        description="of a design: each scan_period_s searches the field once (scan) or revisits `tracks` targets",
    )
    tracks: int | None = Field(
        default=None, ge=1, le=100_000, description="revisited every scan_period_s, with mode track"
    )
    bias_range_m: float = Field(
        default=0.0, ge=0, le=10_000, description="registration: sigma of an error that lasts for the run"
    )
    bias_angle_mrad: float = Field(default=0.0, ge=0, le=100, description="the same in angle, per axis")
    false_alarms_per_scan: float = Field(default=0.0, ge=0, le=1000, description="mean number, Poisson")
    p_detect_assumed: float = Field(default=0.9, gt=0, lt=1, description="what trackers are told")
    scan_period_s: float = Field(default=1.0, gt=0, le=600, description="between scans, on the grid")
    scan_offset_s: float = Field(default=0.0, ge=0, le=600, description="of the first scan, on the grid")
    processing_s: float = Field(default=0.2, ge=0, le=600, description="event to message")

    @model_validator(mode="after")
    def _is_described_once(self) -> Self:
        reference = {"range_reference_km", "rcs_reference_m2", "snr_reference"}
        computed = {"beamwidth_deg", "range_resolution_m"}
        figures = {"range_max_km", "sigma_range_m", "sigma_angle_mrad"}
        if self.stated is not None:
            described, needed = "stated", set()
            barred = reference | computed | figures | {"design", "swerling", "pulses", "mode", "tracks"}
        elif self.design is not None:
            described, needed, barred = "design", figures, reference | computed
        else:
            described, needed, barred = (
                "range_reference_km",
                figures | {"range_reference_km"},
                {"mode", "tracks"},
            )
        missing = sorted(name for name in needed if getattr(self, name) is None)
        if missing:
            hint = "" if described == "design" else "; or describe the radar by `design` or `stated`"
            raise ValueError(f"needs {', '.join(missing)}{hint}")
        # by value, not by what the file names: a stored scenario names every key
        fields = type(self).model_fields
        twice = sorted(name for name in barred if getattr(self, name) != fields[name].default)
        if twice:
            raise ValueError(f"is described by `{described}`, which leaves no room for {', '.join(twice)}")
        return self


def radar_range_max_km(radar: RadarPart) -> float:
    """How far a radar looks at most, however it is described [km]."""
    value = radar.range_max_km if radar.stated is None else radar.stated.range_max_km
    assert value is not None  # the schema has seen to it
    return value


class EntryPart(Sourced):
    """A ground station where a nation's satellites land their data."""

    name: Name
    nation: Nation
    latitude_deg: Latitude
    longitude_deg: Longitude
    height_m: Height = 0.0
    elevation_min_deg: float = Field(
        default=10.0, ge=0, le=89, description="lowest satellite that can land data"
    )
    processing_s: float = Field(default=0.2, ge=0, le=600, description="event to message")


class NetworkPart(Part):
    """Links between satellites of one owner, and on the ground."""

    link_range_max_km: float = Field(
        default=6500.0, gt=0, le=100_000, description="longest link between two satellites"
    )
    link_grazing_height_km: float = Field(
        default=80.0, ge=0, le=1000, description="links must clear the Earth raised by this"
    )
    hop_ms: float = Field(default=5.0, ge=0, le=60_000, description="per satellite passed")
    fibre_detour: float = Field(default=1.4, ge=1, le=5, description="cable length over geodesic length")
    fixed_ms: float = Field(default=20.0, ge=0, le=60_000, description="equipment at both ends")
    notional: str | None = Field(default=None, description="reason for the figures")


class SharePart(Part):
    """One release rule: what a nation lets another have. What no rule names stays at home."""

    source: Nation = Field(alias="from")
    to: Nation
    level: Literal["none", "cue", "track", "tracklet", "detection"] = Field(
        description="how much is shared; today none or detection"
    )
    delay_s: float = Field(default=0.0, ge=0, le=3600, description="review before release")

    @field_validator("level")
    @classmethod
    def _is_a_level_of_today(cls, level: str) -> str:
        if level not in ("none", "detection"):
            raise ValueError(f"level {level!r} joins later; today a rule is `none` or `detection`")
        return level

    @model_validator(mode="after")
    def _joins_two(self) -> Self:
        if self.source == self.to:
            raise ValueError("a nation needs no rule towards itself")
        return self


Phases = Literal["boost", "coast", "reentry", "glide", "cruise"]
Intensity = Annotated[float, Field(ge=0, le=1e6)]


class SignaturePart(Part):
    """What a model of a target's intensity has. Defaults and their sources: docs/theory/signature.md."""

    source: Words | None = Field(default=None, description="public source of the figures given")
    notional: Words | None = Field(default=None, description="or the reason why they are assumed")

    @model_validator(mode="after")
    def _says_where_own_figures_are_from(self) -> Self:
        own = [name for name in type(self).model_fields if isinstance(getattr(self, name), float)]
        given = sorted(self.model_fields_set.intersection(own))
        if given and self.source is None and self.notional is None:
            raise ValueError(
                f"gives {given[0]}: needs `source` (where it comes from) or `notional` (why it is assumed)"
            )
        return self


PlumeClass = Literal["long-range", "medium-range", "short-range", "none"]
Emissivity = Annotated[float, Field(gt=0, le=1)]
PlumeIntensity = Annotated[float, Field(gt=0, le=1e5)]


class GliderSignature(SignaturePart):
    """A glider's skin at radiative equilibrium, and a plume during boost."""

    kind: Literal["glider"] = Field(description="what radiates")
    plume_class: PlumeClass = Field(default="long-range", description="of the booster, order of magnitude")
    plume_kw_sr: PlumeIntensity | None = Field(
        default=None, description="instead: from the side, 2.69-2.95 um"
    )
    emissivity: Emissivity = Field(default=0.85, description="of the skin")
    nose_radius_m: float = Field(default=0.034, gt=0, le=1, description="of the nose")
    front_m: float = Field(
        default=2.9, gt=0, le=50, description="length of the front part, triangular in plan"
    )
    length_m: float = Field(default=3.67, gt=0, le=50, description="of front and rear together")
    half_plan_deg: float = Field(
        default=22.3, gt=0, le=80, description="half-angle of the front part in plan"
    )
    rear_width_m: float = Field(default=2.2, gt=0, le=50, description="of the rear part")
    front_angle_deg: float = Field(
        default=11.3, gt=0, le=60, description="upper side of the front to the flow"
    )
    rear_angle_deg: float = Field(default=7.6, gt=0, le=60, description="upper side of the rear to the flow")
    lower_angle_deg: float = Field(default=12.0, gt=0, le=60, description="lower side to the flow; notional")

    @model_validator(mode="after")
    def _has_a_front_and_a_rear(self) -> Self:
        if not self.nose_radius_m < self.front_m < self.length_m:
            raise ValueError(
                f"front_m = {self.front_m:g} does not lie between nose_radius_m = {self.nose_radius_m:g} and "
                f"length_m = {self.length_m:g}"
            )
        return self


class PlumeSignature(SignaturePart):
    """A rocket plume during boost, order of magnitude, and nothing after."""

    kind: Literal["plume"] = Field(description="what radiates")
    plume_class: Literal["long-range", "medium-range", "short-range"] = Field(
        default="medium-range", description="order of magnitude"
    )
    plume_kw_sr: PlumeIntensity | None = Field(
        default=None, description="instead: from the side, 2.69-2.95 um"
    )
    trough: float = Field(default=0.3, ge=0, le=1, description="share left between 70 and 90 km; notional")


class BodySignature(SignaturePart):
    """A coasting and re-entering body, and a plume during boost. Sizes by default are notional."""

    kind: Literal["body"] = Field(description="what radiates")
    plume_class: PlumeClass = Field(default="medium-range", description="of the booster, order of magnitude")
    plume_kw_sr: PlumeIntensity | None = Field(
        default=None, description="instead: from the side, 2.69-2.95 um"
    )
    shape: Literal["cone", "sphere"] = Field(default="cone", description="cone: with a cylinder behind it")
    radius_m: float = Field(default=0.4, gt=0, le=20, description="of the base or the sphere")
    nose_radius_m: float = Field(default=0.05, gt=0, le=10, description="of the cone's nose")
    half_angle_deg: float = Field(default=10.0, gt=0, le=60, description="of the cone")
    cylinder_m: float = Field(default=0.0, ge=0, le=50, description="length of the cylinder behind the cone")
    emissivity: Emissivity = Field(default=0.85, description="of the skin")
    reflectance: float = Field(default=0.15, ge=0, le=1, description="for sunlight and Earthshine, all bands")
    temperature_k: float = Field(default=300.0, gt=0, le=2000, description="outside the air")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        _reflects_what_is_left(self.emissivity, self.reflectance)
        if self.shape == "cone" and self.nose_radius_m >= self.radius_m:
            raise ValueError(
                f"nose_radius_m = {self.nose_radius_m:g} must be less than radius_m = {self.radius_m:g}"
            )
        return self


class AircraftSignature(SignaturePart):
    """A jet: skin, tailpipe and plume, order of magnitude. Figures absent are those of the class."""

    kind: Literal["aircraft"] = Field(description="what radiates")
    aircraft_class: Literal["fighter", "fighter-afterburner", "cruise-missile"] = Field(
        default="fighter", description="order of magnitude"
    )
    top_m2: float | None = Field(default=None, gt=0, le=1e4, description="area seen from above or below")
    side_m2: float | None = Field(default=None, gt=0, le=1e4, description="seen from the side")
    front_m2: float | None = Field(default=None, gt=0, le=1e4, description="seen from ahead or behind")
    tailpipe_m2: float | None = Field(default=None, gt=0, le=100, description="area of the hot tailpipe")
    tailpipe_k: float | None = Field(default=None, gt=0, le=3000, description="its temperature")
    plume_kw_sr: float | None = Field(default=None, ge=0, le=1e5, description="from the side, 3-5 um")
    emissivity: Emissivity = Field(default=0.9, description="of the skin")


class SatelliteSignature(SignaturePart):
    """A satellite as a warm diffuse sphere in sunlight and Earthshine. All defaults are notional."""

    kind: Literal["satellite"] = Field(description="what radiates")
    area_m2: float = Field(default=10.0, gt=0, le=1e5, description="mean cross-section")
    emissivity: Emissivity = Field(default=0.8, description="of the whole")
    reflectance: float = Field(default=0.2, ge=0, le=1, description="for sunlight and Earthshine, all bands")
    temperature_k: float = Field(default=290.0, gt=0, le=2000, description="of the whole")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        _reflects_what_is_left(self.emissivity, self.reflectance)
        return self


def _reflects_what_is_left(emissivity: float, reflectance: float) -> None:
    if emissivity + reflectance > 1.0 + 1e-9:
        raise ValueError(
            f"emissivity = {emissivity:g} leaves a reflectance of at most {1.0 - emissivity:.3g}, not {reflectance:g}"
        )


Signature = Annotated[
    GliderSignature | PlumeSignature | BodySignature | AircraftSignature | SatelliteSignature,
    Field(discriminator="kind"),
]


class TargetPart(Sourced):
    """What every target has."""

    name: Name
    launch_s: float = Field(default=0.0, ge=0, description="launch, seconds after the epoch, on the grid")
    rcs_m2: float = Field(default=0.5, gt=0, le=1e4, description="radar cross-section")
    intensity_kw_sr: dict[str, dict[Phases, Intensity]] = Field(
        default={}, description="radiant intensity by band and phase of flight; absent: 0"
    )
    signature: Signature | None = Field(
        default=None, description="model of the intensity, where intensity_kw_sr states none"
    )


class StagePart(Part):
    """One stage of a booster, in the order of burning."""

    thrust_kn: float = Field(gt=0, le=1e5, description="constant while it burns")
    propellant_kg: float = Field(gt=0, le=1e6, description="burnt at an even rate")
    burn_s: float = Field(gt=0.1, le=600, description="duration; need not lie on the grid")
    inert_kg: float = Field(ge=0, le=1e6, description="dropped at burn-out")
    coast_s: float = Field(default=0.0, ge=0, le=600, description="without thrust before its ignition")


class PitchPart(Part):
    """The tilt of the thrust from the launch site's vertical at a time; even changes between."""

    t_s: float = Field(gt=0, description="after launch, later than vertical_s")
    deg: float = Field(ge=0, le=180, description="from the vertical, towards azimuth_deg")


class Ballistic(TargetPart):
    """A ballistic flight rebuilt from published facts, or (with stages) flown as stated."""

    kind: Literal["ballistic"] = Field(description="what the flight is made from")
    latitude_deg: Latitude
    longitude_deg: Longitude
    height_m: Height = 0.0
    azimuth_deg: Degrees | None = Field(default=None, description="towards the impact point, with range_km")
    range_km: float | None = Field(
        default=None, gt=10, le=20_000, description="along the geodesic, with azimuth_deg"
    )
    impact_latitude_deg: Latitude | None = Field(default=None, description="instead of azimuth and range")
    impact_longitude_deg: Longitude | None = Field(default=None, description="the same, degrees east")
    apogee_km: float | None = Field(
        default=None, gt=10, le=20_000, description="height above the ellipsoid, or shape"
    )
    shape: Literal["minimum-energy", "lofted", "depressed"] | None = Field(
        default=None, description="instead of apogee_km: the apogee of a kind of flight"
    )
    apogee_factor: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="of the minimum-energy apogee, with shape; lofted 2, depressed 0.5 if absent",
    )
    burnout_angle_deg: float | None = Field(
        default=None, gt=0, lt=90, description="instead: path above the horizontal at burn-out, with shape"
    )
    boost_s: float | None = Field(
        default=None, gt=1, le=600, description="time to burn-out, on the grid; or stages"
    )
    ballistic_coefficient_kg_m2: float = Field(
        default=5000.0, gt=10, le=1e6, description="mass over drag area"
    )
    mass_fraction: float = Field(
        default=0.8, ge=0, lt=0.97, description="propellant share of the launch mass"
    )
    vertical_s: float = Field(default=10.0, ge=0, le=60, description="vertical rise before the pitch-over")

    stages: tuple[StagePart, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=6,
        description="a booster flown as stated, instead of boost_s, mass_fraction, apogee and impact",
    )
    payload_kg: float | None = Field(
        default=None, gt=0, le=1e5, description="above the last stage, with stages"
    )
    drag_area_m2: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="drag coefficient times frontal area of the booster, with stages",
    )
    pitch: tuple[PitchPart, ...] | None = Field(
        default=None, description="tilt by time after the vertical rise, with stages"
    )
    gravity_turn: bool | None = Field(
        default=None,
        description="after the pitch table thrust follows the velocity (true if absent), with stages",
    )

    @model_validator(mode="after")
    def _one_kind_of_flight(self) -> Self:
        staged = ("payload_kg", "drag_area_m2", "pitch", "gravity_turn")
        solved = (
            "range_km",
            "impact_latitude_deg",
            "impact_longitude_deg",
            "apogee_km",
            "shape",
            "apogee_factor",
        )
        solved += ("burnout_angle_deg", "boost_s")
        if self.stages is None:
            stray = next((name for name in staged if getattr(self, name) is not None), None)
            if stray is not None:
                raise ValueError(f"{stray} goes with [[targets.stages]], of which there are none")
            if (self.apogee_km is None) == (self.shape is None):
                raise ValueError("give apogee_km or shape, exactly one of them")
            if self.shape is None and (self.apogee_factor, self.burnout_angle_deg) != (None, None):
                raise ValueError(
                    'apogee_factor and burnout_angle_deg go with shape = "lofted" or "depressed"'
                )
            if self.boost_s is None:
                raise ValueError("boost_s is missing: the time to burn-out (or give [[targets.stages]])")
            return self
        stray = next((name for name in solved if getattr(self, name) is not None), None)
        if stray is None and "mass_fraction" in self.model_fields_set:
            stray = "mass_fraction"
        if stray is not None:
            raise ValueError(
                f"{stray} contradicts stages: a staged booster is flown as stated, the rest follows"
            )
        needed = next(
            (name for name in ("azimuth_deg", "payload_kg", "drag_area_m2") if getattr(self, name) is None),
            None,
        )
        if needed is not None:
            raise ValueError(f"{needed} is missing: a booster with stages needs it")
        return self

    @model_validator(mode="after")
    def _ends_somewhere(self) -> Self:
        if self.stages is not None:
            return self
        by_range = self.azimuth_deg is not None and self.range_km is not None
        by_point = self.impact_latitude_deg is not None and self.impact_longitude_deg is not None
        if by_range == by_point:
            raise ValueError("give azimuth_deg and range_km, or impact_latitude_deg and impact_longitude_deg")
        return self


class Bank(Part):
    """The bank angle from a time on."""

    t_s: float = Field(ge=0, description="after launch, on the grid")
    deg: float = Field(ge=-90, le=90, description="positive: to the right")


class GroundPoint(Part):
    """A point of the ground that the path leads over."""

    latitude_deg: Latitude
    longitude_deg: Longitude


class Glide(TargetPart):
    """A boost-glide flight."""

    kind: Literal["glide"] = Field(description="what the flight is made from")
    latitude_deg: Latitude
    longitude_deg: Longitude
    height_m: Height = 0.0
    azimuth_deg: Degrees = Field(description="of the launch, clockwise from north")
    boost_s: float = Field(gt=1, le=900, description="time to burn-out, on the grid")
    mass_fraction: float = Field(
        default=0.9, ge=0, lt=0.99, description="propellant share of the launch mass"
    )
    vertical_s: float = Field(default=10.0, ge=0, le=60, description="vertical rise before the pitch-over")
    glide_speed_km_s: float = Field(gt=0.5, le=7.8, description="relative to the air, at burn-out")
    lift_to_drag: float = Field(gt=0.1, le=6, description="constant")
    ballistic_coefficient_kg_m2: float = Field(gt=10, le=1e6, description="mass over drag area")
    glide_height_km: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="as a source states it: checked against equilibrium, never flown",
    )
    bank: tuple[Bank, ...] = Field(default=(), description="schedule; before its first time: no bank")
    waypoints: tuple[GroundPoint, ...] = Field(
        default=(), description="instead of bank: points to glide over, one constant bank per leg"
    )
    bank_limit_deg: float = Field(default=45.0, gt=0, le=85, description="largest bank towards waypoints")
    end_speed_km_s: float = Field(default=1.0, gt=0.1, le=7, description="the glide ends when slower")
    density_factor: float = Field(
        default=1.0, gt=0.1, le=10, description="air density over the standard atmosphere"
    )

    @model_validator(mode="after")
    def _banks_in_order(self) -> Self:
        times = [b.t_s for b in self.bank]
        if times != sorted(set(times)):
            raise ValueError("bank times must increase")
        if self.bank and self.waypoints:
            raise ValueError("give bank or waypoints: waypoints make their own schedule")
        return self


class Recorded(TargetPart):
    """A flight from a file."""

    kind: Literal["recorded"] = Field(description="what the flight is made from")
    file: str = Field(min_length=1, description="CSV or CCSDS OEM, relative to the scenario file")
    phase: Phases = Field(default="coast", description="phase of flight for its intensity")


Altitude = Annotated[float, Field(ge=-0.5, le=30, description="the same in kilometres")]
AirHeight = Annotated[float, Field(ge=-500, le=30_000, description="above the ellipsoid, not the ground")]
AirSpeed = Annotated[
    float, Field(gt=0, le=2000, description="over the ground, of the point below on the ellipsoid")
]


class Waypoint(Part):
    """A place that a flight passes on the inside of its turn."""

    latitude_deg: Latitude
    longitude_deg: Longitude
    height_m: AirHeight | None = Field(default=None, description="above the ellipsoid; default: the target's")
    altitude_km: Altitude | None = Field(default=None, description="the same in kilometres")
    speed_m_s: AirSpeed | None = Field(default=None, description="over the ground; default: the target's")

    @model_validator(mode="after")
    def _one_height(self) -> Self:
        if self.height_m is not None and self.altitude_km is not None:
            raise ValueError("give height_m or altitude_km, not both")
        return self


class Racetrack(Part):
    """A holding pattern: two straight sides joined by half circles."""

    latitude_deg: Latitude
    longitude_deg: Longitude
    length_km: float = Field(ge=0, le=1000, description="of a straight side; 0: a circle")
    width_km: float = Field(gt=0, le=600, description="between the sides, the diameter of the turns")
    heading_deg: Degrees = Field(default=0.0, description="of the side it starts on, clockwise from north")
    turn: Literal["right", "left"] = Field(default="right", description="which way round")
    laps: int | None = Field(default=None, ge=1, le=10_000, description="default: until the scenario ends")


class Air(TargetPart):
    """An aircraft or a cruise missile: through [[targets.waypoints]], or round a [targets.racetrack]."""

    kind: Literal["air"] = Field(description="what the flight is made from")
    waypoints: tuple[Waypoint, ...] = Field(default=(), description="two or more, in order; ends at the last")
    racetrack: Racetrack | None = Field(default=None, description="instead of waypoints")
    height_m: AirHeight | None = Field(default=None, description="above the ellipsoid, where none is given")
    altitude_km: Altitude | None = Field(default=None, description="the same in kilometres")
    speed_m_s: AirSpeed | None = Field(default=None, description="over the ground, where none is given")
    bank_limit_deg: float = Field(default=30.0, gt=0, le=80, description="of its turns")
    climb_limit_m_s: float = Field(default=15.0, gt=0, le=300, description="climbing or descending")
    acceleration_limit_m_s2: float = Field(default=2.0, gt=0, le=50, description="along the path")

    @model_validator(mode="after")
    def _has_a_route(self) -> Self:
        if bool(self.waypoints) == (self.racetrack is not None):
            raise ValueError("give waypoints, or a racetrack")
        if len(self.waypoints) == 1:
            raise ValueError("a route needs two waypoints or more")
        if self.height_m is not None and self.altitude_km is not None:
            raise ValueError("give height_m or altitude_km, not both")
        users = self.waypoints or (None,)
        if self.height_m is None and self.altitude_km is None:
            for k, w in enumerate(users):
                if w is None or (w.height_m is None and w.altitude_km is None):
                    raise ValueError(
                        f"needs height_m or altitude_km{f' (waypoint {k + 1} has none)' if w else ''}"
                    )
        for k, w in enumerate(users):
            if self.speed_m_s is None and (w is None or w.speed_m_s is None):
                raise ValueError(f"needs speed_m_s{f' (waypoint {k + 1} has none)' if w else ''}")
        return self


Target = Annotated[Ballistic | Glide | Recorded | Air, Field(discriminator="kind")]


class AreaPart(Sourced):
    """A listed area: a convex polygon, or a circle."""

    name: Name
    name_ja: str | None = Field(default=None, description="its name in the Japanese report")
    polygon_deg: tuple[tuple[Latitude, Longitude], ...] | None = Field(
        default=None, description="corners [latitude, longitude] in order, convex"
    )
    centre_deg: tuple[Latitude, Longitude] | None = Field(
        default=None, description="of a circle, [latitude, longitude]"
    )
    radius_km: float | None = Field(default=None, gt=0, le=2000, description="of a circle")

    @model_validator(mode="after")
    def _has_a_shape(self) -> Self:
        circle = self.centre_deg is not None and self.radius_km is not None
        if (self.polygon_deg is not None) == circle:
            raise ValueError("give polygon_deg, or centre_deg and radius_km")
        if self.polygon_deg is not None and not _is_convex(self.polygon_deg):
            raise ValueError(
                "polygon_deg must have three or more corners in order and turn one way only (convex)"
            )
        return self


def _is_convex(corners: tuple[tuple[float, float], ...]) -> bool:
    """Convex in the local plane: east scaled by the cosine of the mean latitude, across the date line too.

    All turns go the same way and add up to one turn: a pentagram turns one way too, but twice around.
    """
    n = len(corners)
    if n < 3:
        return False
    scale = cos(radians(sum(lat for lat, _ in corners) / n))
    lon0 = corners[0][1]
    points = [(((lon - lon0 + 180) % 360 - 180) * scale, lat) for lat, lon in corners]
    edges = [(points[(k + 1) % n][0] - points[k][0], points[(k + 1) % n][1] - points[k][1]) for k in range(n)]
    turns = [
        atan2(x0 * y1 - y0 * x1, x0 * x1 + y0 * y1)
        for (x0, y0), (x1, y1) in zip(edges, edges[1:] + edges[:1], strict=True)
    ]
    return (all(t > 0 for t in turns) or all(t < 0 for t in turns)) and abs(sum(turns)) < 3 * pi


class PointPart(Part):
    """A named point whose closest pass is reported."""

    name: Name
    name_ja: str | None = Field(default=None, description="its name in the Japanese report")
    latitude_deg: Latitude
    longitude_deg: Longitude
    source: Words | None = Field(default=None, description="public source of the coordinates")


class WarningPart(Part):
    """When a node warns an area."""

    probability_min: float = Field(
        default=0.9, gt=0.5, le=1, description="of passing over or falling into the area"
    )
    corridor_km: float = Field(
        default=50.0, ge=0, le=1000, description="the ground track may pass this far from the area"
    )
    major_axis_max_km: float = Field(
        default=100.0, gt=0, le=2000, description="1-sigma major axis of the impact ellipse"
    )
    updates: int = Field(
        default=3, ge=1, le=100, description="consecutive updates on which all conditions hold"
    )
    public_delay_s: float = Field(default=60.0, ge=0, le=3600, description="decision to siren")
    bank_limit_deg: float = Field(default=60.0, gt=0, lt=90, description="of a glider, for its footprint")
    lift_to_drag: float = Field(default=2.6, gt=0, le=6, description="assumed of a glider")
    end_speed_km_s: float = Field(default=1.0, gt=0.1, le=7, description="the glide ends when slower")
    notional: str | None = Field(default=None, description="reason for the figures")


class MotionPart(Part):
    """A motion model of the tracker (docs/theory/motion-models.md). What is left out has the default of that page."""

    model: Annotated[str, Field(json_schema_extra={"enum": list(MODELS)}, description="name of the model")]
    role: Annotated[
        str, Field(json_schema_extra={"enum": list(ROLES)}, description="what its weight counts for")
    ]
    dwell_s: float | None = Field(
        default=None, gt=0, le=1e9, description="mean time that a target stays in this mode"
    )
    tau_s: float | None = Field(
        default=None, gt=0, le=1e9, description="memory of the acceleration; `singer` and `glide` need it"
    )
    sigma_m_s2: float | None = Field(default=None, ge=0, le=1e4, description="of the acceleration, 1 sigma")
    jerk_psd_m2_s5: float | None = Field(default=None, ge=0, le=1e6, description="of white jerk, m2/s5")
    velocity_psd_m2_s3: float | None = Field(
        default=None, ge=0, le=1e6, description="of white acceleration, m2/s3"
    )
    beta_kg_m2: float | None = Field(
        default=None, gt=0, le=1e6, description="ballistic coefficient m/(Cd A) believed at first"
    )
    beta_sigma: float | None = Field(default=None, ge=0, le=10, description="of its logarithm")
    beta_psd_1_s: float | None = Field(
        default=None, ge=0, le=10, description="of the walk of its logarithm, 1/s"
    )
    turn_sigma_rad_s: float | None = Field(default=None, ge=0, le=10, description="of the turn rate")
    turn_psd_rad2_s3: float | None = Field(default=None, ge=0, le=10, description="of its walk, rad2/s3")
    gravity: bool | None = Field(default=None, description="false: a frame without gravity")

    @field_validator("model")
    @classmethod
    def _is_a_model(cls, value: str) -> str:
        return _one_of(value, tuple(MODELS), "motion model")

    @field_validator("role")
    @classmethod
    def _is_a_role(cls, value: str) -> str:
        return _one_of(value, tuple(ROLES), "role")

    @model_validator(mode="after")
    def _has_a_memory(self) -> Self:
        if self.model in ("singer", "glide") and self.tau_s is None:
            raise ValueError(f"{self.model} needs tau_s")
        return self


def _one_of(value: str, names: tuple[str, ...], what: str) -> str:
    if value not in names:
        raise ValueError(f"no {what} is called {value!r}: {', '.join(names)}")
    return value


class BiasPart(Part):
    """What the constant registration errors of a sensor may be; considered by the tracker, never corrected for."""

    sensor: int = Field(ge=0, le=1023, description="number of the sensor, as in scans.parquet")
    az_urad: float = Field(ge=0, le=1e5, description="across the azimuth, on the sky, 1 sigma")
    el_urad: float = Field(ge=0, le=1e5, description="in elevation, 1 sigma")
    range_m: float = Field(default=0.0, ge=0, le=1e6, description="in range, 1 sigma")


class TrackerPart(Part):
    """Overrides of the tracker's defaults (docs/theory/tracking.md); all optional."""

    models: list[MotionPart] | None = Field(
        default=None, min_length=1, max_length=8, description="the mixture of motion models, all of them"
    )
    sense: bool | None = Field(
        default=None,
        description="weigh the models by what physics allows of missiles, and by infrared silence",
    )
    gate: float | None = Field(default=None, gt=0, le=1000, description="squared Mahalanobis distance")
    ambiguity: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="assignments closer than this in log-likelihood are shared among the tracks; 0: never",
    )
    resolution_sigma: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="closer than so many sigmas, two targets may give one detection",
    )
    initiate_window_s: float | None = Field(
        default=None, gt=0, le=60, description="detections at most this far apart start a track"
    )
    initiate_miss: float | None = Field(
        default=None, gt=0, le=20, description="largest miss of two lines of sight, in sigmas"
    )
    initiate_height_min_m: float | None = Field(
        default=None, ge=-10_000, le=1e8, description="no track starts lower"
    )
    initiate_height_max_m: float | None = Field(
        default=None, ge=-10_000, le=1e8, description="no track starts higher"
    )
    initiate_single: bool | None = Field(
        default=None, description="start tentative tracks along the line of one satellite alone"
    )
    spawn_distance_m: float | None = Field(
        default=None,
        ge=0,
        le=1e6,
        description="so near a confirmed track, a new one is believed to fly like it; 0: off",
    )
    spawn_sigma_m_s: float | None = Field(
        default=None, gt=0, le=1e4, description="give or take this, 1 sigma"
    )
    confirm_hits: int | None = Field(default=None, ge=1, le=30, description="M of M-of-N")
    confirm_of: int | None = Field(default=None, ge=1, le=30, description="N of M-of-N")
    confirm_existence: float | None = Field(
        default=None, ge=0, lt=1, description="and the probability that there is a target, at least"
    )
    delete_missed: int | None = Field(
        default=None, ge=1, le=1000, description="expected looks missed in a row"
    )
    delete_missed_tentative: int | None = Field(
        default=None, ge=1, le=1000, description="the same before confirmation"
    )
    delete_existence: float | None = Field(
        default=None, ge=0, lt=1, description="dropped below this probability that there is a target"
    )
    delete_ghost: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="dropped when its looks are likelier for a ghost by exp(this); 0: never",
    )
    delete_sigma_m: float | None = Field(
        default=None, gt=0, description="position sigma beyond which a track is dropped"
    )
    survive_s: float | None = Field(
        default=None, gt=0, le=1e9, description="mean time that a target goes on being one"
    )
    merge_times: int | None = Field(
        default=None, ge=1, le=1000, description="alike for so many update times in a row: one track"
    )
    time_sigma_s: float | None = Field(default=None, ge=0, le=10, description="of the scans' time tags")
    biases: list[BiasPart] | None = Field(
        default=None, max_length=1024, description="registration errors to reckon with"
    )


class PublishedPart(Part):
    """What was really reported."""

    fact: str = Field(
        pattern=r"^(launch|warning_public|impact|pass:.+|pass_area:.+)$",
        description="launch, warning_public, impact, pass:POINT or pass_area:AREA",
    )
    utc: Utc
    until_utc: Utc | None = Field(default=None, description="end, where the report names two times")
    rounding_s: float = Field(default=30.0, ge=0, le=3600, description="the report may be off by this")
    alternative: bool = Field(
        default=False, description="a launch minute that was not published but may fit better"
    )
    tag: Literal["read", "secondary", "computed", "unverified"] = Field(
        default="read", description="how the fact is known"
    )
    source: Words = Field(description="who reported it")


class Requirement(Part):
    """What the report's cards are held against."""

    custody_2: Probability | None = Field(default=None, description="at least")
    rmse_position_m: float | None = Field(default=None, gt=0, description="at most")
    latency_p95_s: float | None = Field(default=None, gt=0, description="at most")
    warning_lead_s: float | None = Field(
        default=None, description="seconds between public warning and overflight or impact"
    )
    reason: str | None = Field(default=None, description="where the requirement comes from")


class Scenario(Part):
    """A whole scenario file."""

    model_config = ConfigDict(title="noroshi scenario")

    schema_version: Literal[1] = Field(alias="schema", description="version of this format")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$", description="lower case, digits, hyphens")
    title: str = Field(default="", description="one line, English")
    title_ja: str = Field(default="", description="the same in Japanese")
    epoch: Utc
    duration_s: float = Field(gt=0, le=86_400, description="length of the run")
    step_s: float = Field(default=1.0, ge=0.01, le=60, description="the grid: every event lies on it")
    seed: int = Field(default=0, ge=0, description="of every random draw")
    requirement: Requirement = Field(
        default_factory=Requirement, description="what the report's cards are held against"
    )
    nations: tuple[NationPart, ...] = Field(min_length=1, description="who takes part, at least one")
    nodes: tuple[NodePart, ...] = Field(min_length=1, description="who tracks and warns, at least one")
    layers: tuple[Layer, ...] = Field(default=(), description="satellites in Walker patterns")
    satellites: tuple[Catalogue, ...] = Field(default=(), description="satellites from TLE or OMM files")
    infrared: tuple[InfraredPart, ...] = Field(default=(), description="sensors of the satellites")
    radars: tuple[RadarPart, ...] = Field(default=(), description="ground radars")
    entry_points: tuple[EntryPart, ...] = Field(default=(), description="where satellite data lands")
    network: NetworkPart = Field(default_factory=NetworkPart, description="links in space and on the ground")
    share: tuple[SharePart, ...] = Field(
        default=(), description="release rules; what none names stays at home"
    )
    targets: tuple[Target, ...] = Field(min_length=1, description="what flies, at least one")
    areas: tuple[AreaPart, ...] = Field(default=(), description="areas to warn")
    points: tuple[PointPart, ...] = Field(default=(), description="places whose closest pass is reported")
    warning: WarningPart = Field(default_factory=WarningPart, description="when a node warns")
    tracker: TrackerPart = Field(
        default_factory=TrackerPart, description="overrides of the tracker's defaults"
    )
    published: tuple[PublishedPart, ...] = Field(default=(), description="what was really reported")

"""From the scenario file to what the models take: the only place that converts units."""

from __future__ import annotations

from math import log, radians
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from noroshi.constants import EARTH_RADIUS_M
from noroshi.earth import destination, itrs_from_geodetic, up_itrs
from noroshi.errors import ScenarioError
from noroshi.io.tle_omm import read_satellites
from noroshi.network.models import EntryPoint, GroundLinks, Node, ShareRule, SpaceLinks
from noroshi.scenario.infrared import infrared
from noroshi.scenario.schema import (
    Air,
    Ballistic,
    Glide,
    RadarPart,
    Scenario,
    radar_range_max_km,
    satellite_names,
)
from noroshi.scenario.signature import signature_model
from noroshi.sensors.models import Infrared, Radar, Refraction
from noroshi.sensors.radar_equation import (
    RadarDesign,
    beam_positions,
    beamwidth,
    check_capacity,
    check_design,
    check_reach,
    field_solid_angle,
    range_for_snr,
    range_resolution,
    ratio_from_db,
    search_dwell,
    track_dwell,
)
from noroshi.targets.models import (
    AirFlight,
    BallisticFlight,
    GlideFlight,
    Pitch,
    ShapedFlight,
    Stage,
    StagedFlight,
)
from noroshi.targets.signature import Model
from noroshi.time import Epoch, epoch_from_utc
from noroshi.tracking.models import TrackerConfig
from noroshi.warning.models import Area, WarningRule

KM = 1e3
KILO, MEGA, GIGA = 1e3, 1e6, 1e9
MILLI = 1e-3
_REFRACTION = {
    "none": Refraction.NONE,
    "four-thirds": Refraction.FOUR_THIRDS,
    "exponential": Refraction.EXPONENTIAL,
}


class Sensor(NamedTuple):
    """One sensor on its platform: sensor and platform share their number and name."""

    name: str
    owner: int  # number of the nation
    model: Infrared | Radar


class Point(NamedTuple):
    """A named place."""

    name: str
    lat_rad: float
    lon_rad: float


class RecordedFlight(NamedTuple):
    """A flight that lies in a file."""

    path: Path
    phase: str


Flight = BallisticFlight | ShapedFlight | StagedFlight | GlideFlight | RecordedFlight | AirFlight


class TargetPlan(NamedTuple):
    """A target before it has flown."""

    name: str
    flight: Flight
    t_launch: float
    intensity_w_sr: dict[str, dict[str, float]]  # band -> phase -> W/sr
    rcs_m2: float
    signature: Model | None = None


def epoch(scenario: Scenario) -> Epoch:
    """The scenario's epoch."""
    return epoch_from_utc(scenario.epoch)


def grid(scenario: Scenario) -> Float64[np.ndarray, "time"]:
    """Seconds past the epoch, from 0 to the duration in equal steps."""
    return np.arange(round(scenario.duration_s / scenario.step_s) + 1) * scenario.step_s


def nations(scenario: Scenario) -> tuple[str, ...]:
    """Codes of the nations; a nation's number is its place here."""
    return tuple(nation.code for nation in scenario.nations)


def platforms(scenario: Scenario):
    """Groups for `orbits.ephemeris`, in the order of `sensors`."""
    from noroshi.orbits.ephemeris import Catalogued, Mean, Osculating, Sites
    from noroshi.orbits.forces import Forces, Surface
    from noroshi.orbits.walker import walker

    groups = []
    for layer in scenario.layers:
        elements = walker(
            layer.pattern,
            layer.satellites,
            layer.planes,
            layer.phasing,
            EARTH_RADIUS_M + layer.altitude_km * KM,
            radians(layer.inclination_deg),
            radians(layer.raan_deg),
            radians(layer.phase_deg),
        )
        if layer.elements == "mean":
            groups.append(Mean(satellite_names(layer), elements))
            continue
        acting = Forces(*(name.replace("_", "-") in layer.forces for name in Forces._fields))
        surface = Surface(layer.area_to_mass_m2_kg, layer.drag_coefficient, layer.reflection)
        groups.append(Osculating(satellite_names(layer), elements, acting, surface))
    for catalogue in scenario.satellites:
        chosen = _catalogued(catalogue)
        groups.append(Catalogued(tuple(n for n, _ in chosen), tuple(s for _, s in chosen)))
    if scenario.radars:
        lat, lon, height = np.array(
            [(r.latitude_deg, r.longitude_deg, r.height_m) for r in scenario.radars]
        ).T
        groups.append(Sites(tuple(r.name for r in scenario.radars), np.deg2rad(lat), np.deg2rad(lon), height))
    return groups


def sensors(scenario: Scenario) -> tuple[Sensor, ...]:
    """Every sensor: layers' satellites plane by plane, catalogued satellites, then radars."""
    number = {code: k for k, code in enumerate(nations(scenario))}
    models = {part.name: infrared(part) for part in scenario.infrared}
    found = []
    for layer in scenario.layers:
        for name in satellite_names(layer):
            found.append(Sensor(name, number[layer.owner], models[layer.sensor]))
    for catalogue in scenario.satellites:
        for name, _ in _catalogued(catalogue):
            found.append(Sensor(name, number[catalogue.owner], models[catalogue.sensor]))
    for radar in scenario.radars:
        found.append(Sensor(radar.name, number[radar.owner], _radar(radar)))
    names = [sensor.name for sensor in found]
    twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
    if (
        twice is not None
    ):  # within the scenario file this has been checked; catalogues may add the same name again
        raise ScenarioError(
            f"two sensors are called {twice!r}",
            where="[[satellites]]",
            remedy="choose with `names` what is read from each file",
        )
    return tuple(found)


def _catalogued(catalogue):
    found = read_satellites(catalogue.file)
    if not catalogue.names:
        return found
    by_name = dict(found)
    missing = [name for name in catalogue.names if name not in by_name]
    if missing:
        raise ScenarioError(
            f"holds no satellite {missing[0]!r}",
            where=catalogue.file,
            remedy="names must be written as in the file: " + ", ".join(sorted(by_name)[:8]),
        )
    return [(name, by_name[name]) for name in catalogue.names]


def _radar(part: RadarPart) -> Radar:
    """SNR and errors from the reference range, from the design's figures, or as stated."""
    if part.stated is not None:
        sigma_range_m, sigma_angle_mrad = part.stated.sigma_range_m, part.stated.sigma_angle_mrad
        beamwidth_rad = range_resolution_m = 0.0
        range_reference_m = radar_range_max_km(part) * KM
        # the SNR at which P_fa^(1 / (1 + SNR)) is the stated chance: so detections have one, like all others
        snr_reference = log(part.p_false_alarm) / log(part.stated.p_detect) - 1.0
    else:
        assert part.sigma_range_m is not None  # the schema has seen to both
        assert part.sigma_angle_mrad is not None
        sigma_range_m, sigma_angle_mrad = part.sigma_range_m, part.sigma_angle_mrad
        snr_reference = part.snr_reference
        if part.design is not None:
            design = radar_design(part)
            range_reference_m = float(range_for_snr(design, part.rcs_reference_m2, snr_reference))
            beamwidth_rad, range_resolution_m = beamwidth(design), range_resolution(design.bandwidth_hz)
        else:
            assert part.range_reference_km is not None
            range_reference_m = part.range_reference_km * KM
            beamwidth_rad, range_resolution_m = radians(part.beamwidth_deg), part.range_resolution_m
    return Radar(
        facing_rad=radians(part.facing_deg),
        field_azimuth_rad=radians(part.field_azimuth_deg),
        elevation_min_rad=radians(part.elevation_min_deg),
        elevation_max_rad=radians(part.elevation_max_deg),
        range_max_m=radar_range_max_km(part) * KM,
        range_reference_m=range_reference_m,
        rcs_reference_m2=part.rcs_reference_m2,
        snr_reference=snr_reference,
        p_false_alarm=part.p_false_alarm,
        sigma_range_m=sigma_range_m,
        sigma_angle_rad=sigma_angle_mrad * MILLI,
        beamwidth_rad=beamwidth_rad,
        range_resolution_m=range_resolution_m,
        false_alarms_per_scan=part.false_alarms_per_scan,
        p_detect_assumed=part.p_detect_assumed,
        scan_period_s=part.scan_period_s,
        scan_offset_s=part.scan_offset_s,
        processing_s=part.processing_s,
        swerling=part.swerling,
        pulses=part.pulses,
        refraction=_REFRACTION[part.refraction],
        fixed=part.stated is not None,
        bias_range_m=part.bias_range_m,
        bias_angle_rad=part.bias_angle_mrad * MILLI,
    )


def radar_design(part: RadarPart) -> RadarDesign:
    """The design's figures, its dwell stated or shared out by the mode; for a radar that has a design.

    Errors: PhysicsError where they are impossible, or where a period does not hold what the mode wants of it, or a
    dwell no echo from the farthest range.
    """
    d = part.design
    assert d is not None
    period, reach = part.scan_period_s, radar_range_max_km(part) * KM
    design = check_design(
        RadarDesign(
            average_power_w=d.average_power_kw * KILO,
            aperture_m2=d.aperture_m2,
            efficiency=d.efficiency,
            frequency_hz=d.frequency_ghz * GIGA,
            dwell_s=d.dwell_s if d.dwell_s is not None else period,
            losses=ratio_from_db(d.losses_db),
            noise_temperature_k=d.noise_temperature_k,
            bandwidth_hz=d.bandwidth_mhz * MEGA,
        )
    )
    looks, what, shared = 1, "dwell", period
    if part.mode == "scan":
        field = field_solid_angle(
            radians(part.field_azimuth_deg), radians(part.elevation_min_deg), radians(part.elevation_max_deg)
        )
        looks, what = beam_positions(design, field), "beams"
        shared = search_dwell(design, field, period, reach) if d.dwell_s is None else shared
    elif part.mode == "track":
        assert part.tracks is not None  # `consistency` has seen to it
        looks, what = part.tracks, "tracks"
        shared = track_dwell(looks, period, reach) if d.dwell_s is None else shared
    if d.dwell_s is None:
        return check_design(design._replace(dwell_s=shared))
    check_capacity(d.dwell_s, looks, period, what)
    check_reach(d.dwell_s, reach)
    return design


def nodes(scenario: Scenario) -> tuple[Node, ...]:
    """Every nation's fusion centre, in the file's order."""
    return tuple(Node(n.nation, _place(n), n.fusion_wait_s) for n in scenario.nodes)


def entry_points(scenario: Scenario) -> tuple[EntryPoint, ...]:
    """Ground stations."""
    return tuple(
        EntryPoint(
            e.name,
            e.nation,
            _place(e),
            np.asarray(up_itrs(np.deg2rad(e.latitude_deg), np.deg2rad(e.longitude_deg))),
            radians(e.elevation_min_deg),
            e.processing_s,
        )
        for e in scenario.entry_points
    )


def _place(part) -> Float64[np.ndarray, "3"]:
    return np.asarray(
        itrs_from_geodetic(
            np.deg2rad(part.latitude_deg), np.deg2rad(part.longitude_deg), np.float64(part.height_m)
        )
    )


def space_links(scenario: Scenario) -> SpaceLinks:
    """What two satellites of one owner need to talk."""
    n = scenario.network
    return SpaceLinks(n.link_range_max_km * KM, n.link_grazing_height_km * KM, n.hop_ms * MILLI)


def ground_links(scenario: Scenario) -> GroundLinks:
    """Terrestrial links."""
    return GroundLinks(scenario.network.fibre_detour, scenario.network.fixed_ms * MILLI)


def rules(scenario: Scenario) -> tuple[ShareRule, ...]:
    """Release rules."""
    return tuple(ShareRule(r.source, r.to, r.level, r.delay_s) for r in scenario.share)


def targets(scenario: Scenario) -> tuple[TargetPlan, ...]:
    """Every target with the facts of its flight."""
    plans = []
    for target in scenario.targets:
        if isinstance(target, Ballistic):
            flight: Flight = booster(target) if target.stages else _ballistic(target)
        elif isinstance(target, Glide):
            flight = _glide(target)
        elif isinstance(target, Air):
            flight = air_flight(target)
        else:
            flight = RecordedFlight(Path(target.file), target.phase)
        intensity = {
            band: {phase: value * KM for phase, value in phases.items()}
            for band, phases in target.intensity_kw_sr.items()
        }
        plans.append(
            TargetPlan(
                target.name, flight, target.launch_s, intensity, target.rcs_m2, signature_model(target)
            )
        )
    return tuple(plans)


def bands(scenario: Scenario) -> tuple[str, ...]:
    """Bands in which intensities are needed: those that targets state, and those of sensors where one is modelled."""
    stated = [band for target in scenario.targets for band in target.intensity_kw_sr]
    if all(target.signature is None for target in scenario.targets):
        return tuple(dict.fromkeys(stated))
    used = {part.sensor for part in (*scenario.layers, *scenario.satellites)}
    return tuple(dict.fromkeys([*stated, *(p.band for p in scenario.infrared if p.name in used)]))


def _ballistic(target: Ballistic) -> BallisticFlight | ShapedFlight:
    lat, lon = radians(target.latitude_deg), radians(target.longitude_deg)
    if target.range_km is not None and target.azimuth_deg is not None:
        end = destination(lat, lon, radians(target.azimuth_deg), target.range_km * KM)
        impact_lat, impact_lon = float(end[0]), float(end[1])
    else:
        assert target.impact_latitude_deg is not None  # the schema has seen to it
        assert target.impact_longitude_deg is not None
        impact_lat, impact_lon = radians(target.impact_latitude_deg), radians(target.impact_longitude_deg)
    assert target.boost_s is not None
    facts = BallisticFlight(
        launch_lat_rad=lat,
        launch_lon_rad=lon,
        launch_height_m=target.height_m,
        impact_lat_rad=impact_lat,
        impact_lon_rad=impact_lon,
        apogee_m=0.0 if target.apogee_km is None else target.apogee_km * KM,
        boost_s=target.boost_s,
        ballistic_coefficient_kg_m2=target.ballistic_coefficient_kg_m2,
        mass_fraction=target.mass_fraction,
        vertical_s=target.vertical_s,
    )
    if target.shape is None:
        return facts
    angle = target.burnout_angle_deg
    return ShapedFlight(facts, target.shape, target.apogee_factor, None if angle is None else radians(angle))


def booster(target: Ballistic) -> StagedFlight:
    """The staged booster of a target that has stages."""
    assert target.stages is not None  # the schema has seen to these
    assert target.azimuth_deg is not None
    assert target.payload_kg is not None
    assert target.drag_area_m2 is not None
    pitch = target.pitch or ()
    return StagedFlight(
        launch_lat_rad=radians(target.latitude_deg),
        launch_lon_rad=radians(target.longitude_deg),
        launch_height_m=target.height_m,
        azimuth_rad=radians(target.azimuth_deg),
        stages=tuple(
            Stage(s.thrust_kn * KM, s.propellant_kg, s.burn_s, s.inert_kg, s.coast_s) for s in target.stages
        ),
        pitch=Pitch(
            target.vertical_s,
            tuple(p.t_s for p in pitch),
            tuple(radians(p.deg) for p in pitch),
            target.gravity_turn is not False,
        ),
        payload_kg=target.payload_kg,
        drag_area_m2=target.drag_area_m2,
        ballistic_coefficient_kg_m2=target.ballistic_coefficient_kg_m2,
    )


def _glide(target: Glide) -> GlideFlight:
    return GlideFlight(
        launch_lat_rad=radians(target.latitude_deg),
        launch_lon_rad=radians(target.longitude_deg),
        launch_height_m=target.height_m,
        azimuth_rad=radians(target.azimuth_deg),
        boost_s=target.boost_s,
        mass_fraction=target.mass_fraction,
        vertical_s=target.vertical_s,
        glide_speed_m_s=target.glide_speed_km_s * KM,
        lift_to_drag=target.lift_to_drag,
        ballistic_coefficient_kg_m2=target.ballistic_coefficient_kg_m2,
        bank_times_s=tuple(b.t_s for b in target.bank),
        bank_rad=tuple(radians(b.deg) for b in target.bank),
        end_speed_m_s=target.end_speed_km_s * KM,
        density_factor=target.density_factor,
        glide_height_m=None if target.glide_height_km is None else target.glide_height_km * KM,
        waypoints_rad=tuple((radians(p.latitude_deg), radians(p.longitude_deg)) for p in target.waypoints),
        bank_limit_rad=radians(target.bank_limit_deg),
    )


def air_flight(target: Air) -> AirFlight:
    """The route of an aircraft or cruise missile."""
    from noroshi.targets.air import racetrack

    def height(part) -> float:
        return part.altitude_km * KM if part.altitude_km is not None else part.height_m or 0.0

    bank, given = radians(target.bank_limit_deg), target.racetrack
    if given is not None:
        return racetrack(
            radians(given.latitude_deg),
            radians(given.longitude_deg),
            radians(given.heading_deg),
            given.length_km * KM,
            given.width_km * KM,
            height(target),
            target.speed_m_s or 0.0,
            bank,
            turn=given.turn,
            laps=float("inf") if given.laps is None else given.laps,
        )
    points = target.waypoints
    return AirFlight(
        lat_rad=tuple(radians(w.latitude_deg) for w in points),
        lon_rad=tuple(radians(w.longitude_deg) for w in points),
        height_m=tuple(
            height(target) if w.height_m is None and w.altitude_km is None else height(w) for w in points
        ),
        speed_m_s=tuple(w.speed_m_s or target.speed_m_s or 0.0 for w in points),
        bank_limit_rad=bank,
        climb_limit_m_s=target.climb_limit_m_s,
        acceleration_limit_m_s2=target.acceleration_limit_m_s2,
    )


def areas(scenario: Scenario) -> tuple[Area, ...]:
    """Listed areas."""
    found = []
    for area in scenario.areas:
        corners = np.deg2rad(
            np.array(area.polygon_deg if area.polygon_deg else [area.centre_deg], np.float64)
        )
        found.append(Area(area.name, corners[:, 0], corners[:, 1], (area.radius_km or 0.0) * KM))
    return tuple(found)


def points(scenario: Scenario) -> tuple[Point, ...]:
    """Named points."""
    return tuple(Point(p.name, radians(p.latitude_deg), radians(p.longitude_deg)) for p in scenario.points)


def warning_rule(scenario: Scenario) -> WarningRule:
    """When a node warns."""
    w = scenario.warning
    return WarningRule(
        probability_min=w.probability_min,
        corridor_m=w.corridor_km * KM,
        major_axis_max_m=w.major_axis_max_km * KM,
        updates=w.updates,
        public_delay_s=w.public_delay_s,
        bank_limit_rad=radians(w.bank_limit_deg),
        lift_to_drag=w.lift_to_drag,
        end_speed_m_s=w.end_speed_km_s * KM,
    )


def tracker_config(scenario: Scenario) -> TrackerConfig:
    """The tracker's defaults with the scenario's overrides."""
    from noroshi.tracking.models import Bias
    from noroshi.tracking.parameters import Motion
    from noroshi.tracking.presets import default_config

    given = scenario.tracker.model_dump(exclude_none=True)
    if "models" in given:
        given["models"] = tuple(Motion(**model) for model in given["models"])
    if "biases" in given:
        given["biases"] = tuple(
            Bias(b["sensor"], b["az_urad"] * 1e-6, b["el_urad"] * 1e-6, b["range_m"]) for b in given["biases"]
        )
    return default_config()._replace(**given)

"""From the scenario file to what the models take: the only place that converts units."""

from __future__ import annotations

from math import radians
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from noroshi.constants import EARTH_RADIUS_M
from noroshi.earth import destination, itrs_from_geodetic, up_itrs
from noroshi.errors import ScenarioError
from noroshi.io.tle_omm import read_satellites
from noroshi.network.models import EntryPoint, GroundLinks, Node, ShareRule, SpaceLinks
from noroshi.scenario.schema import Ballistic, Glide, InfraredPart, Scenario, satellite_names
from noroshi.sensors.models import Infrared, Radar
from noroshi.tables import Background
from noroshi.targets.models import BallisticFlight, GlideFlight, Pitch, ShapedFlight, Stage, StagedFlight
from noroshi.time import Epoch, epoch_from_utc
from noroshi.tracking.models import TrackerConfig
from noroshi.warning.models import Area, WarningRule

KM = 1e3
MILLI, MICRO = 1e-3, 1e-6


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


Flight = BallisticFlight | ShapedFlight | StagedFlight | GlideFlight | RecordedFlight


class TargetPlan(NamedTuple):
    """A target before it has flown."""

    name: str
    flight: Flight
    t_launch: float
    intensity_w_sr: dict[str, dict[str, float]]  # band -> phase -> W/sr
    rcs_m2: float


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
        groups.append((Mean if layer.elements == "mean" else Osculating)(satellite_names(layer), elements))
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
    models = {part.name: _infrared(part) for part in scenario.infrared}
    found = []
    for layer in scenario.layers:
        for name in satellite_names(layer):
            found.append(Sensor(name, number[layer.owner], models[layer.sensor]))
    for catalogue in scenario.satellites:
        for name, _ in _catalogued(catalogue):
            found.append(Sensor(name, number[catalogue.owner], models[catalogue.sensor]))
    for radar in scenario.radars:
        model = Radar(
            facing_rad=radians(radar.facing_deg),
            field_azimuth_rad=radians(radar.field_azimuth_deg),
            elevation_min_rad=radians(radar.elevation_min_deg),
            elevation_max_rad=radians(radar.elevation_max_deg),
            range_max_m=radar.range_max_km * KM,
            range_reference_m=radar.range_reference_km * KM,
            rcs_reference_m2=radar.rcs_reference_m2,
            snr_reference=radar.snr_reference,
            p_false_alarm=radar.p_false_alarm,
            sigma_range_m=radar.sigma_range_m,
            sigma_angle_rad=radar.sigma_angle_mrad * MILLI,
            beamwidth_rad=radians(radar.beamwidth_deg),
            range_resolution_m=radar.range_resolution_m,
            false_alarms_per_scan=radar.false_alarms_per_scan,
            p_detect_assumed=radar.p_detect_assumed,
            scan_period_s=radar.scan_period_s,
            scan_offset_s=radar.scan_offset_s,
            processing_s=radar.processing_s,
        )
        found.append(Sensor(radar.name, number[radar.owner], model))
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


def _infrared(part: InfraredPart) -> Infrared:
    return Infrared(
        band=part.band,
        field_cone_rad=radians(part.field_of_regard_deg),
        grazing_height_m=part.grazing_height_km * KM,
        cloud_top_m=part.cloud_top_km * KM,
        background=int(Background.SPACE if part.background == "space" else Background.ANY),
        range_max_m=part.range_max_km * KM,
        nei_space_w_m2=part.nei_space_w_m2,
        nei_earth_w_m2=part.nei_earth_w_m2,
        threshold_snr=part.threshold_snr,
        p_detect_max=part.p_detect_max,
        sigma_floor_rad=part.sigma_floor_urad * MICRO,
        pixel_rad=part.pixel_urad * MICRO,
        false_alarms_per_scan=part.false_alarms_per_scan,
        p_detect_assumed=part.p_detect_assumed,
        scan_period_s=part.scan_period_s,
        scan_offset_s=part.scan_offset_s,
        processing_s=part.processing_s,
    )


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
        else:
            flight = RecordedFlight(Path(target.file), target.phase)
        intensity = {
            band: {phase: value * KM for phase, value in phases.items()}
            for band, phases in target.intensity_kw_sr.items()
        }
        plans.append(TargetPlan(target.name, flight, target.launch_s, intensity, target.rcs_m2))
    return tuple(plans)


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
    from noroshi.tracking.tracker import default_config

    given = scenario.tracker.model_dump(exclude_none=True)
    return default_config()._replace(**given)

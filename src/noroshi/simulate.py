"""One run: scenario -> tables. The pipeline of the design, read from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from math import ceil
from typing import TypeVar

import numpy as np
from jaxtyping import Float64

from noroshi import frames
from noroshi.errors import FlightError, PhysicsError, ScenarioError
from noroshi.io.trajectory import read_record
from noroshi.network.deliver import deliver
from noroshi.network.models import Node
from noroshi.orbits.ephemeris import Catalogued, ephemeris
from noroshi.orbits.sgp4 import check_age
from noroshi.results import Run
from noroshi.scenario import build
from noroshi.scenario.schema import Scenario
from noroshi.sensors.detect import observe
from noroshi.sensors.look import opportunities
from noroshi.sky import sky
from noroshi.summary import summarise
from noroshi.tables import Contributions, Deliveries, Detections, Scans, Tracks
from noroshi.targets import air, ballistic, glide, recorded, shapes, staging
from noroshi.targets.light import sun_gcrs
from noroshi.targets.models import (
    AirFlight,
    BallisticFlight,
    GlideFlight,
    ShapedFlight,
    StagedFlight,
    Target,
    Trajectory,
)
from noroshi.targets.truth import truth
from noroshi.time import EarthOrientation, load_earth_orientation
from noroshi.tracking.models import TrackerConfig
from noroshi.tracking.score import score
from noroshi.tracking.tracker import track
from noroshi.warning.decide import decide
from noroshi.warning.impact import predict

Table = TypeVar("Table", Tracks, Contributions)
Progress = Callable[[str, int, int], None]


def simulate(
    scenario: Scenario,
    *,
    seed: int | None = None,
    run: int = 0,
    progress: Progress = lambda name, finished, total: None,
) -> Run:
    """Run a scenario once, from flights to scores.

    `seed` replaces the scenario's; `run` numbers repetitions of one seed. `progress(stage, finished, total)` is
    called as stages advance. The same scenario, seed and run give the same tables. Raises NoroshiError for
    impossible flights, bad files and bad schedules.
    """
    seed = scenario.seed if seed is None else seed
    epoch, t, eop = build.epoch(scenario), build.grid(scenario), load_earth_orientation()
    m = frames.itrs_from_gcrs(epoch, t, eop)

    plans = build.targets(scenario)
    flown = []
    for k, plan in enumerate(plans):
        progress("fly targets", k, len(plans))
        flown.append(_named(plan, scenario, eop))
    modelled = any(plan.signature is not None for plan in plans)
    true = truth(flown, t, m, build.bands(scenario), sun_gcrs(epoch, t) if modelled else None)
    progress("fly targets", len(plans), len(plans))

    sensors = build.sensors(scenario)
    progress("move sensors", 0, len(sensors))
    platforms = build.platforms(scenario)
    for group in platforms:
        if isinstance(group, Catalogued):
            check_age(tuple(zip(group.names, group.satellites, strict=True)), epoch)
    places = ephemeris(platforms, epoch, t, eop)
    progress("move sensors", len(sensors), len(sensors))

    progress("look", 0, 1)
    models = [sensor.model for sensor in sensors]
    chances = opportunities(models, places, true, m, sky(epoch, t))
    looks, scans, detections, answers = observe(
        models, places.sensors, true.targets, places, true, chances, m, seed, run
    )
    progress("look", 1, 1)

    progress("deliver", 0, 1)
    nodes = build.nodes(scenario)
    deliveries = deliver(
        scans,
        sensors=models,
        owners=[build.nations(scenario)[sensor.owner] for sensor in sensors],
        ephemeris=places,
        itrs_from_gcrs=m,
        nodes=nodes,
        entry_points=build.entry_points(scenario),
        space=build.space_links(scenario),
        ground=build.ground_links(scenario),
        rules=build.rules(scenario),
    )
    progress("deliver", 1, 1)

    owner = np.array([sensor.owner for sensor in sensors])
    parts = []
    for k, node in enumerate(nodes):
        progress("track", k, len(nodes))
        parts.append(
            track_node(k, node, build.tracker_config(scenario), scans, detections, deliveries, owner)
        )
    tracks = _joined(Tracks, [part[0] for part in parts])
    contributions = _joined(Contributions, [part[1] for part in parts])
    progress("track", len(nodes), len(nodes))

    progress("warn", 0, 1)
    m_rows = frames.itrs_from_gcrs(epoch, tracks.t, eop)
    predictions = predict(tracks, m_rows)
    warnings = decide(tracks, predictions, build.areas(scenario), build.warning_rule(scenario), m_rows)
    progress("warn", 1, 1)

    progress("score", 0, 1)
    scores = score(len(nodes), tracks, deliveries, scans, detections, answers, true, contributions)
    summary = summarise(
        scenario,
        seed=seed,
        itrs_from_gcrs=m,
        truth=true,
        looks=looks,
        scans=scans,
        detections=detections,
        deliveries=deliveries,
        tracks=tracks,
        warnings=warnings,
        samples=scores.samples,
        scores=scores.nodes,
    )
    progress("score", 1, 1)
    return Run(
        scenario=scenario,
        seed=seed,
        run=run,
        ephemeris=places,
        truth=true,
        itrs_from_gcrs=m,
        opportunities=chances,
        looks=looks,
        scans=scans,
        detections=detections,
        detection_truth=answers,
        deliveries=deliveries,
        tracks=tracks,
        contributions=contributions,
        predictions=predictions,
        warnings=warnings,
        samples=scores.samples,
        node_samples=scores.node_samples,
        summary=summary,
    )


def _named(plan: build.TargetPlan, scenario: Scenario, eop: EarthOrientation) -> Target:
    """`fly`, with the target's name in what goes wrong, and its whole flight inside the scenario."""
    try:
        target = fly(plan, scenario, eop)
    except (FlightError, PhysicsError) as error:
        raise type(error)(error.what, where=f"target {plan.name!r}", remedy=error.remedy) from None
    end = plan.t_launch + target.trajectory.t_end
    if end > scenario.duration_s and not isinstance(plan.flight, build.RecordedFlight):
        raise ScenarioError(
            f"flies until {end:.0f} s, but the scenario ends at {scenario.duration_s:g} s: what comes after would "
            "count as lost",
            where=f"target {plan.name!r}",
            remedy=f"make duration_s at least {ceil(end)}",
        )
    return target


def fly(plan: build.TargetPlan, scenario: Scenario, eop: EarthOrientation) -> Target:
    """One target's trajectory, by the model that its flight asks for."""
    flight = plan.flight
    if isinstance(flight, ShapedFlight):
        flight = shapes.shaped(
            flight.facts,
            flight.shape,
            scenario.step_s,
            apogee_factor=flight.apogee_factor,
            burnout_angle_rad=flight.burnout_angle_rad,
        )
    if isinstance(flight, BallisticFlight):
        trajectory: Trajectory = ballistic.rebuild(flight, scenario.step_s)
    elif isinstance(flight, StagedFlight):
        trajectory = staging.fly(flight, scenario.step_s)
    elif isinstance(flight, GlideFlight):
        trajectory = glide.fly(flight, scenario.step_s)
    elif isinstance(flight, AirFlight):  # it may fly on after the scenario's end
        trajectory = air.fly(flight, scenario.step_s, scenario.duration_s - plan.t_launch)
    else:
        trajectory = recorded.fly(
            read_record(flight.path), flight.phase, build.epoch(scenario), plan.t_launch, scenario.step_s, eop
        )
    return Target(plan.name, trajectory, plan.t_launch, plan.intensity_w_sr, plan.rcs_m2, plan.signature)


def track_node(
    number: int,
    node: Node,
    config: TrackerConfig,
    scans: Scans,
    detections: Detections,
    deliveries: Deliveries,
    owner: Float64[np.ndarray, "sensor"],
) -> tuple[Tracks, Contributions]:
    """What one node makes of the scans that reached it in time."""
    reached = deliveries.scan[(deliveries.node == number) & np.isfinite(deliveries.t_arrival)]
    rows = np.flatnonzero(np.isin(scans.scan, reached))
    order = rows[np.lexsort((scans.sensor[rows], scans.t_event[rows]))]
    # not screened: our own sensors make no impossible rows, and the tracker refuses what it cannot use by itself
    return track(config, scans, detections, order, number, owner, node.fusion_wait_s)


def _joined(table: type[Table], parts: list[Table]) -> Table:
    return table(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(table)})

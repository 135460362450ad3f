"""From a target's `signature` to the model that `targets.signature` takes."""

from __future__ import annotations

from math import radians
from typing import Any

from noroshi.scenario.schema import (
    AircraftSignature,
    BodySignature,
    GliderSignature,
    PlumeSignature,
    TargetPart,
)
from noroshi.targets.radiators import AIRCRAFT, PLUMES, Aircraft, Body, GliderShape, Model, Plume, Satellite

KILO = 1e3


def signature_model(target: TargetPart) -> Model | None:
    """The model of a target's radiant intensity; None where the file has none."""
    part = target.signature
    if part is None:
        return None
    if isinstance(part, GliderSignature):
        return Model(_glider(part, getattr(target, "density_factor", 1.0)), _plume(part))
    if isinstance(part, PlumeSignature):
        plume = _plume(part)
        return Model(None, None if plume is None else plume._replace(trough=part.trough))
    if isinstance(part, BodySignature):
        return Model(_body(part), _plume(part))
    if isinstance(part, AircraftSignature):
        return Model(_aircraft(part))
    return Model(Satellite(part.area_m2, part.emissivity, part.reflectance, part.temperature_k))


def _plume(part: GliderSignature | PlumeSignature | BodySignature) -> Plume | None:
    if part.plume_kw_sr is not None:
        return Plume(part.plume_kw_sr * KILO)
    return PLUMES.get(part.plume_class)


def _glider(part: GliderSignature, density_factor: float) -> GliderShape:
    return GliderShape(
        nose_radius_m=part.nose_radius_m,
        front_m=part.front_m,
        length_m=part.length_m,
        half_plan_rad=radians(part.half_plan_deg),
        rear_width_m=part.rear_width_m,
        front_angle_rad=radians(part.front_angle_deg),
        rear_angle_rad=radians(part.rear_angle_deg),
        lower_angle_rad=radians(part.lower_angle_deg),
        emissivity=part.emissivity,
        density_factor=density_factor,  # the air that it is flown in
    )


def _body(part: BodySignature) -> Body:
    return Body(
        shape=part.shape,
        radius_m=part.radius_m,
        nose_radius_m=part.nose_radius_m,
        half_angle_rad=radians(part.half_angle_deg),
        cylinder_m=part.cylinder_m,
        emissivity=part.emissivity,
        reflectance=part.reflectance,
        temperature_k=part.temperature_k,
    )


def _aircraft(part: AircraftSignature) -> Aircraft:
    own: dict[str, Any] = {
        name: getattr(part, name)
        for name in ("top_m2", "side_m2", "front_m2", "tailpipe_m2", "tailpipe_k")
        if getattr(part, name) is not None
    }
    if part.plume_kw_sr is not None:
        own["plume_w_sr"] = part.plume_kw_sr * KILO
    return AIRCRAFT[part.aircraft_class]._replace(emissivity=part.emissivity, **own)

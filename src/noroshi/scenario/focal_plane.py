"""What a focal plane of the file comes to: its noise against space and Earth, and whether it can be at all."""

from __future__ import annotations

from collections.abc import Iterator
from math import acos, cos, degrees, inf, pi, radians
from typing import NamedTuple

from noroshi.errors import NoroshiError
from noroshi.radiometry import band_named
from noroshi.scenario.schema import FocalPlanePart, InfraredPart
from noroshi.sensors.background import clutter_gradient, earth, limb, surface_named
from noroshi.sensors.focal_plane import (
    FocalPlane,
    Scene,
    background_electrons,
    dwell_max_s,
    field_sr,
    frames_in,
    integration_max_s,
    noise_electrons,
    pixel_rad,
    signal_electrons,
)

KM = 1e3
MILLI, MICRO = 1e-3, 1e-6
_ROUNDING = 1.0 + 1e-9


class Noise(NamedTuple):
    """What a focal plane comes to: NEI [W/m2], its noise [electrons, of all exposures of a scan], pixel [rad]."""

    nei_space: float
    nei_earth: float
    noise_space_e: float
    noise_earth_e: float
    pixel: float


def impossible(part: InfraredPart, plane: FocalPlanePart) -> Iterator[tuple[str, str, str]]:
    """What no focal plane can do: (key of its table, what, the nearest that one can). Its band has wavelengths."""
    exposure = "integration_ms"
    try:
        surface_named(plane.surface)
    except NoroshiError as error:
        yield "surface", error.what, error.remedy
        return
    longest_ms = part.scan_period_s / MILLI
    if plane.integration_ms > longest_ms * _ROUNDING:
        yield (
            exposure,
            f"an exposure of {plane.integration_ms:g} ms is longer than the scan period of {longest_ms:g} ms",
            f"make it at most {longest_ms:g}, or scan_period_s longer",
        )
        return
    model = _focal_plane(part, plane)
    regard_sr = 2.0 * pi * (1.0 - cos(radians(part.field_of_regard_deg)))
    seen = f"the pixels see {field_sr(model):.3g} sr at once, of {regard_sr:.3g} sr in the field of regard"
    if plane.mode == "scanning":
        dwell_ms = dwell_max_s(model, regard_sr, part.scan_period_s) / MILLI
        if plane.integration_ms > dwell_ms * _ROUNDING:
            yield (
                exposure,
                f"{seen}: a scan leaves {dwell_ms:.3g} ms for each point, not {plane.integration_ms:g}",
                f"make it at most {_down(dwell_ms):g}, or more pixels, a smaller field or a longer period",
            )
    if plane.mode == "staring" and field_sr(model) * _ROUNDING < regard_sr:
        cone = degrees(acos(max(-1.0, 1.0 - field_sr(model) / (2.0 * pi))))
        yield (
            "mode",
            f"{seen}: a staring sensor must see all of it",
            f"make field_of_regard_deg at most {_down(cone):g}, or give more or larger pixels, or another mode",
        )
    for name, scene in zip(("space", "Earth"), _scenes(part, plane), strict=True):
        if background_electrons(model, scene.photon_radiance) >= model.full_well_e:
            fits = _down(integration_max_s(model, float(scene.photon_radiance)) / MILLI)
            yield (
                exposure,
                f"the {name} behind a target alone fills the well of {model.full_well_e:g} electrons",
                f"make it at most {fits:g} (half a well), or full_well_e larger",
            )


def noise_of(part: InfraredPart, plane: FocalPlanePart) -> Noise:
    """NEI and pixel of a sensor whose figures `impossible` finds nothing against."""
    model = _focal_plane(part, plane)
    frames = frames_in(model, part.scan_period_s) if plane.mode == "staring" else 1
    space, ground = (float(noise_electrons(model, scene, frames=frames)) for scene in _scenes(part, plane))
    one = float(signal_electrons(model, 1.0))
    # the mean of several exposures has as much signal as one, and its photon noise falls with their number
    return Noise(space / one, ground / one, space * frames, ground * frames, pixel_rad(model))


def _focal_plane(part: InfraredPart, plane: FocalPlanePart) -> FocalPlane:
    return FocalPlane(
        band=band_named(part.band),
        aperture_m=plane.aperture_m,
        focal_m=plane.focal_m,
        pitch_m=plane.pitch_um * MICRO,
        pixels_across=plane.pixels_across,
        pixels_along=plane.pixels_along,
        integration_s=plane.integration_ms * MILLI,
        quantum_efficiency=plane.quantum_efficiency,
        optics_transmission=plane.optics_transmission,
        box_fraction=plane.box_fraction,
        read_noise_e=plane.read_noise_e,
        jitter_rad=plane.jitter_urad * MICRO,
        frame_residual=plane.frame_residual,
        full_well_e=inf if plane.full_well_e is None else plane.full_well_e,
    )


def _scenes(part: InfraredPart, plane: FocalPlanePart) -> tuple[Scene, Scene]:
    """Space and Earth behind a target: one of each for the whole run, seen straight down and from range_max_km."""
    assert part.range_max_km is not None  # a focal plane without it has been refused
    space = limb(part.band, plane.limb_tangent_km * KM).photons_s_m2_sr if part.transmission else 0.0
    sun = cos(radians(plane.sun_zenith_deg))
    ground = earth(part.band, plane.surface, cos_sun=sun, air=part.transmission).photons_s_m2_sr
    gradient = clutter_gradient(ground, plane.surface, part.range_max_km * KM)
    return Scene(space), Scene(ground, gradient)


def _down(value: float) -> float:
    """A figure to three digits, never more than it was."""
    rounded = float(f"{value:.3g}")
    return rounded if rounded <= value else float(f"{value * (1.0 - 5e-3):.3g}")

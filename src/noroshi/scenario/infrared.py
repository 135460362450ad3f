"""An infrared sensor of the file, described in one of three ways, as the model takes it."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, radians

from noroshi.errors import NoroshiError, ScenarioError
from noroshi.radiometry import band_named
from noroshi.scenario.schema import InfraredPart
from noroshi.sensors.models import Infrared
from noroshi.tables import Background

KM = 1e3
MICRO = 1e-6
_SURE = 8.0  # sigmas above the threshold: Q is 1 to 1e-15, so that p_detect alone decides

_NEI = ("nei_space_w_m2", "nei_earth_w_m2")
_NEEDED = {
    "nei": ("range_max_km", *_NEI, "sigma_floor_urad", "pixel_urad"),
    "focal_plane": ("range_max_km", "sigma_floor_urad"),
    "stated": (),
}
_INSTEAD = {
    "focal_plane": {
        "nei_space_w_m2": "it follows from the focal plane and the limb",
        "nei_earth_w_m2": "it follows from the focal plane and its surface",
        "pixel_urad": "it is pitch_um / focal_m",
    },
    "stated": {
        "range_max_km": "write it into `stated`",
        "nei_space_w_m2": "brightness does not count",
        "nei_earth_w_m2": "brightness does not count",
        "sigma_floor_urad": "write sigma_urad into `stated`",
        "pixel_urad": "write sigma_urad into `stated`",
        "threshold_snr": "p_detect stands for it",
        "p_detect_max": "p_detect stands for it",
        "transmission": "brightness does not count",
    },
}


def infrared(part: InfraredPart) -> Infrared:
    """The sensor in SI and radians. Raises ScenarioError where `contradictions` would find any."""
    for key, what, remedy in contradictions(part):
        raise ScenarioError(what, where=".".join((f"infrared {part.name!r}", *key)), remedy=remedy)
    range_km, floor, top, snr_stated = part.range_max_km, part.sigma_floor_urad, part.p_detect_max, 0.0
    if part.stated is not None:
        range_km, floor, top = part.stated.range_max_km, part.stated.sigma_urad, part.stated.p_detect
        snr_stated = part.threshold_snr + _SURE
        noise, pixel_rad = (inf, inf, inf, inf), 0.0
    elif part.focal_plane is not None:
        # here and below: the chain needs SciPy, which checking a file that states an NEI should not load
        from noroshi.scenario.focal_plane import noise_of

        *noise, pixel_rad = noise_of(part, part.focal_plane)
    else:
        assert part.nei_space_w_m2 is not None  # no contradictions
        assert part.nei_earth_w_m2 is not None
        assert part.pixel_urad is not None
        noise, pixel_rad = (part.nei_space_w_m2, part.nei_earth_w_m2, inf, inf), part.pixel_urad * MICRO
    nei_space, nei_earth, noise_space_e, noise_earth_e = noise
    assert range_km is not None
    assert floor is not None
    return Infrared(
        band=part.band,
        field_cone_rad=radians(part.field_of_regard_deg),
        grazing_height_m=part.grazing_height_km * KM,
        cloud_top_m=part.cloud_top_km * KM,
        background=int(Background.SPACE if part.background == "space" else Background.ANY),
        range_max_m=range_km * KM,
        nei_space_w_m2=nei_space,
        nei_earth_w_m2=nei_earth,
        threshold_snr=part.threshold_snr,
        p_detect_max=top,
        sigma_floor_rad=floor * MICRO,
        pixel_rad=pixel_rad,
        false_alarms_per_scan=part.false_alarms_per_scan,
        p_detect_assumed=part.p_detect_assumed,
        scan_period_s=part.scan_period_s,
        scan_offset_s=part.scan_offset_s,
        processing_s=part.processing_s,
        noise_space_e=noise_space_e,
        noise_earth_e=noise_earth_e,
        snr_stated=snr_stated,
        transmission=part.transmission,
        sun_exclusion_rad=radians(part.sun_exclusion_deg),
        moon_exclusion_rad=radians(part.moon_exclusion_deg),
        limb_exclusion_m=part.limb_exclusion_km * KM,
        limb_exclusion_rad=radians(part.limb_exclusion_deg),
        registration_bias_rad=part.registration_bias_urad * MICRO,
    )


def contradictions(part: InfraredPart) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """What is wrong with a sensor whose keys are each in order: (key, what, remedy)."""
    ways = [way for way in ("focal_plane", "stated") if getattr(part, way) is not None]
    if len(ways) > 1:
        yield (
            ("stated",),
            "the sensor is described twice, by focal_plane and as stated",
            "keep one of the two",
        )
        return
    way = ways[0] if ways else "nei"
    if way == "nei" and all(getattr(part, key) is None for key in _NEI):
        remedy = "give nei_space_w_m2 and nei_earth_w_m2, or a focal_plane table, or a stated one"
        yield (), f"nothing says how well sensor {part.name!r} sees", remedy
        return
    sound = True
    for key in _NEEDED[way]:
        if getattr(part, key) is None:
            sound = False
            yield (), f"{key} is missing", InfraredPart.model_fields[key].description or ""
    for key, instead in _INSTEAD.get(way, {}).items():
        if key in part.model_fields_set and getattr(part, key) is not False:
            yield (key,), f"{key} does not go with {way}: {instead}", "leave one of them out"
    if part.limb_exclusion_km and part.limb_exclusion_deg:
        yield (
            ("limb_exclusion_deg",),
            "the limb is excluded twice, in km and in degrees",
            "keep one of the two",
        )
    if part.focal_plane is not None or part.transmission:
        try:
            band_named(part.band)
        except NoroshiError as error:
            yield ("band",), error.what, error.remedy
            return
    if part.focal_plane is not None and sound:
        from noroshi.scenario.focal_plane import impossible

        for key, what, remedy in impossible(part, part.focal_plane):
            yield ("focal_plane", key), what, remedy

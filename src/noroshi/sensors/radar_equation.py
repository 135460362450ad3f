"""The radar range equation from design figures, and how a radar's time is shared among beams and tracks.

SNR is a ratio of powers, of one dwell integrated coherently with no loss but the stated ones. Plain numbers or NumPy
arrays for cross-section, range and SNR. Formulas: Skolnik, Introduction to Radar Systems, chapters 1 and 2.
"""

from __future__ import annotations

from math import ceil, floor, inf, isfinite, pi, radians, sqrt
from typing import Any, NamedTuple

import numpy as np

from noroshi.constants import BOLTZMANN_J_K, LIGHT_M_S
from noroshi.errors import PhysicsError

# Half-power width of a uniformly lit square of side d: 0.886 lambda / d. A circle of the same area: 3 % wider
BEAM_WIDENING = 0.886


class RadarDesign(NamedTuple):
    """What the range equation needs of a radar with one aperture for sending and receiving."""

    average_power_w: float
    aperture_m2: float
    efficiency: float  # of the aperture: effective over geometric area
    frequency_hz: float
    dwell_s: float  # time on the target, integrated as a whole
    losses: float  # power ratio >= 1, everything the other figures leave out
    noise_temperature_k: float  # of the whole receiving system
    bandwidth_hz: float


def check_design(design: RadarDesign) -> RadarDesign:
    """The design itself; PhysicsError where a figure is impossible, naming the nearest possible."""
    for name, value in design._asdict().items():
        if not (isfinite(value) and value > 0.0):
            raise PhysicsError(
                f"{name} = {value:g} of a radar", remedy=f"{name} must be positive and finite; 0 has no echo"
            )
    if design.efficiency > 1.0:
        raise PhysicsError(
            f"an aperture of efficiency {design.efficiency:g} catches more than falls on it",
            remedy="choose at most 1; 0.5 to 0.8 is usual",
        )
    if design.losses < 1.0:
        raise PhysicsError(
            f"losses of {design.losses:g} are a gain", remedy="choose a ratio of at least 1, that is 0 dB"
        )
    if design.bandwidth_hz > design.frequency_hz:
        raise PhysicsError(
            f"a bandwidth of {design.bandwidth_hz:g} Hz is wider than its carrier",
            remedy=f"choose at most the frequency, {design.frequency_hz:g} Hz; some percent of it is usual",
        )
    if design.bandwidth_hz * design.dwell_s < 1.0:
        raise PhysicsError(
            f"a dwell of {design.dwell_s:g} s has no room for a pulse of {design.bandwidth_hz:g} Hz",
            remedy=f"dwell at least {1.0 / design.bandwidth_hz:g} s, or widen the band",
        )
    if effective_area(design) * 4.0 * pi < wavelength(design.frequency_hz) ** 2:
        raise PhysicsError(
            f"an effective area of {effective_area(design):g} m2 at {design.frequency_hz / 1e9:g} GHz has no gain",
            remedy="choose an aperture of at least "
            f"{wavelength(design.frequency_hz) ** 2 / (4.0 * pi * design.efficiency):.3g} m2",
        )
    return design


def wavelength(frequency_hz: float) -> float:
    """Wavelength [m] in vacuum."""
    return LIGHT_M_S / frequency_hz


def effective_area(design: RadarDesign) -> float:
    """Effective area of the aperture [m2]."""
    return design.aperture_m2 * design.efficiency


def gain(design: RadarDesign) -> float:
    """Gain of the aperture on boresight, a power ratio: 4 pi A_e / lambda^2."""
    return 4.0 * pi * effective_area(design) / wavelength(design.frequency_hz) ** 2


def snr(design: RadarDesign, rcs_m2: Any, range_m: Any) -> Any:
    """Mean SNR of one dwell: P t G A_e rcs / ((4 pi)^2 R^4 k T L)."""
    if not (np.all(np.asarray(range_m) > 0.0) and np.all(np.asarray(rcs_m2) >= 0.0)):
        raise PhysicsError(
            "an echo from a range of 0 or less, or of a negative cross-section",
            remedy="choose a range above 0 m and a cross-section of 0 m2 or more",
        )
    return _reach(design) * rcs_m2 / np.float64(range_m) ** 4


def range_for_snr(design: RadarDesign, rcs_m2: Any, snr: Any) -> Any:
    """Range [m] at which a cross-section gives this mean SNR; PhysicsError where either is not positive."""
    if not (np.all(np.asarray(snr) > 0.0) and np.all(np.asarray(rcs_m2) > 0.0)):
        raise PhysicsError(
            "no range gives an SNR or a cross-section of zero or less",
            remedy="choose a positive ratio (20 detects a Swerling 1 target every second time at P_fa 1e-6)",
        )
    return (_reach(design) * rcs_m2 / snr) ** 0.25


def _reach(design: RadarDesign) -> float:
    """SNR times R^4 over the cross-section [m2]."""
    check_design(design)
    energy = design.average_power_w * design.dwell_s
    noise = BOLTZMANN_J_K * design.noise_temperature_k * design.losses
    return energy * gain(design) * effective_area(design) / ((4.0 * pi) ** 2 * noise)


def beamwidth(design: RadarDesign) -> float:
    """Half-power width of the beam on boresight [rad], the aperture taken as an evenly lit square of area A_e.

    A phased array that steers by an angle a widens it by 1 / cos a and loses gain; that is left out.
    """
    return BEAM_WIDENING * wavelength(design.frequency_hz) / sqrt(effective_area(design))


def range_resolution(bandwidth_hz: float) -> float:
    """Range resolution [m] of a bandwidth: c / (2 B). PhysicsError where it is not positive."""
    if not (isfinite(bandwidth_hz) and bandwidth_hz > 0.0):
        raise PhysicsError(
            f"a bandwidth of {bandwidth_hz:g} Hz resolves no range",
            remedy="choose a positive one; 1 MHz resolves 150 m",
        )
    return LIGHT_M_S / (2.0 * bandwidth_hz)


def echo_time(range_m: float) -> float:
    """Time [s] to a range and back."""
    return 2.0 * range_m / LIGHT_M_S


def beam_positions(design: RadarDesign, field_sr: float) -> int:
    """Beams that fill a field of this solid angle, one half-power width apart."""
    if not 0.0 < field_sr <= 4.0 * pi:
        raise PhysicsError(
            f"no field has {field_sr:g} sr", remedy="choose a solid angle above 0, at most 12.566 sr"
        )
    return ceil(field_sr / beamwidth(design) ** 2)


def search_dwell(design: RadarDesign, field_sr: float, frame_s: float, range_max_m: float = 0.0) -> float:
    """Dwell [s] that one beam gets when the field is searched once in every frame.

    Errors: PhysicsError where an echo from `range_max_m` does not come back within the dwell.
    """
    beams = beam_positions(design, field_sr)
    _positive("a frame", frame_s)
    need = echo_time(range_max_m)
    if frame_s / beams < need:
        fitting = floor(frame_s / need)
        smaller = f"or a field of {_down(fitting * beamwidth(design) ** 2)} sr or less, " if fitting else ""
        raise PhysicsError(
            f"{beams} beams in {frame_s:g} s leave {frame_s / beams:.3g} s each; an echo from "
            f"{range_max_m / 1e3:g} km needs {need:.3g} s",
            remedy=f"search in {_up(beams * need)} s or more, {smaller}"
            f"or to {_down(LIGHT_M_S * frame_s / beams / 2e3)} km",
        )
    return frame_s / beams


def track_dwell(tracks: int, revisit_s: float, range_max_m: float = 0.0) -> float:
    """Dwell [s] that each of so many tracks gets when each is revisited this often.

    Errors: PhysicsError where an echo from `range_max_m` does not come back within the dwell.
    """
    if tracks < 1:
        raise PhysicsError(f"{tracks} tracks need no time", remedy="choose one track or more")
    _positive("a revisit time", revisit_s)
    need = echo_time(range_max_m)
    if revisit_s / tracks < need:
        raise PhysicsError(
            f"{tracks} tracks in {revisit_s:g} s leave {revisit_s / tracks:.3g} s each; an echo from "
            f"{range_max_m / 1e3:g} km needs {need:.3g} s",
            remedy=f"follow {floor(revisit_s / need)} tracks at most, or revisit them every {_up(tracks * need)} s",
        )
    return revisit_s / tracks


def check_capacity(dwell_s: float, looks: int, period_s: float, what: str = "beams") -> None:
    """PhysicsError where so many dwells do not fit into a period; the remedy names what fits."""
    _positive("a dwell", dwell_s)
    _positive("a period", period_s)
    if looks * dwell_s > period_s * (1.0 + 1e-9):  # rounding of a dwell that was computed to fit exactly
        fitting = floor(period_s / dwell_s * (1.0 + 1e-9))
        raise PhysicsError(
            f"{looks} {what} of {dwell_s:g} s take {looks * dwell_s:.4g} s, longer than the period of {period_s:g} s",
            remedy=f"dwell {_down(period_s / looks)} s at most, or make the period {_up(looks * dwell_s)} s"
            + (f", or {fitting} {what}" if fitting else ""),
        )


def check_reach(dwell_s: float, range_max_m: float) -> None:
    """PhysicsError where an echo from a range does not come back within the dwell."""
    need = echo_time(range_max_m)
    if need > dwell_s:
        raise PhysicsError(
            f"an echo from {range_max_m / 1e3:g} km needs {need:.3g} s, longer than a dwell of {dwell_s:g} s",
            remedy=f"look no farther than {_down(LIGHT_M_S * dwell_s / 2e3)} km, or dwell {_up(need)} s or more",
        )


def ratio_from_db(db: float) -> float:
    """Power ratio of decibels."""
    return 10.0 ** (db / 10.0)


def field_solid_angle(azimuth_half_rad: float, elevation_min_rad: float, elevation_max_rad: float) -> float:
    """Solid angle [sr] of a sector; PhysicsError where its elevations are out of order or beyond the zenith."""
    if not -pi / 2.0 <= elevation_min_rad < elevation_max_rad <= radians(90.0):
        raise PhysicsError(
            f"no beam lies between {np.rad2deg(elevation_min_rad):g} and {np.rad2deg(elevation_max_rad):g} deg",
            remedy="choose the lower elevation below the upper one, and neither above 90 deg",
        )
    if not 0.0 < azimuth_half_rad < inf:
        raise PhysicsError(
            f"no sector has a half-width of {np.rad2deg(azimuth_half_rad):g} deg",
            remedy="choose more than 0, at most 180 deg",
        )
    return 2.0 * min(azimuth_half_rad, pi) * float(np.sin(elevation_max_rad) - np.sin(elevation_min_rad))


def _positive(what: str, value: float) -> None:
    if not (isfinite(value) and value > 0.0):
        raise PhysicsError(f"{what} of {value:g} is impossible", remedy="choose a positive, finite value")


def _up(value: float) -> str:
    """Three figures, rounded so that the stated value is feasible: upwards."""
    step = 10.0 ** (floor(np.log10(value)) - 2)
    return f"{ceil(value / step - 1e-9) * step:.6g}"


def _down(value: float) -> str:
    """The same, downwards."""
    step = 10.0 ** (floor(np.log10(value)) - 2)
    return f"{floor(value / step + 1e-9) * step:.6g}"

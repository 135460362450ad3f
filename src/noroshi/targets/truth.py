"""Flights placed on the scenario grid: the table `Truth`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from noroshi import frames
from noroshi.earth import height_itrs
from noroshi.errors import FlightError, PhysicsError
from noroshi.radiometry import BANDS, band_named
from noroshi.tables import Phase, Truth
from noroshi.targets.light import light
from noroshi.targets.models import Target
from noroshi.targets.signature import Signature, of_target

FLYING = (Phase.BOOST, Phase.COAST, Phase.REENTRY, Phase.GLIDE, Phase.CRUISE)


def truth(
    targets: Sequence[Target],
    t: Float[np.ndarray, "time"],
    itrs_from_gcrs: Float[np.ndarray, "time 3 3"],
    bands: Sequence[str] | None = None,
    sun_gcrs: Float[np.ndarray, "time 3"] | None = None,
) -> Truth:
    """Every target on the uniform grid t [s past the epoch], GCRS.

    A target is alive from launch to its last grid time above ground. Outside that it rests, with the
    rotating Earth, at its first or last place. `bands`: order of the intensity axis; by default those of the
    targets as they come, and all known ones where a target has a signature. `sun_gcrs`: unit vectors to the Sun, for
    signatures; without it nothing is reflected. Raises FlightError for a launch off the grid, a trajectory on another
    grid, or an unknown phase, PhysicsError for a signature with impossible figures or in a band of unknown wavelengths.
    """
    if bands is None:
        stated = [band for target in targets for band in target.intensity_w_sr]
        known = BANDS if any(target.signature is not None for target in targets) else ()
        bands = tuple(dict.fromkeys([*stated, *known]))
    count, many = len(t), len(targets)
    r = np.zeros((count, many, 3))
    v = np.zeros((count, many, 3))
    phase = np.zeros((count, many), np.int8)
    intensity = np.zeros((count, many, len(bands)))
    faces: dict[tuple[int, int], tuple[np.ndarray, Signature]] = {}  # by target and band
    for n, target in enumerate(targets):
        k = _rows(target, t)
        flight = target.trajectory
        flying = (k >= 0) & (k < len(flight.t))
        held = np.clip(k, 0, len(flight.t) - 1)
        r[:, n] = flight.r_itrs[held]
        v[:, n] = np.where(flying[:, None], flight.v_itrs[held], 0.0)
        outside = np.where(k < 0, Phase.WAITING, Phase.LANDED)
        phase[:, n] = np.where(flying, flight.phase[held], outside)
        for b, band in enumerate(bands):
            intensity[:, n, b] = _by_phase(target, band)[phase[:, n]]
        if target.signature is not None:
            modelled = _modelled(
                target, bands, flying, r[:, n], v[:, n], phase[:, n], itrs_from_gcrs, sun_gcrs
            )
            for b, (rows, signature) in modelled.items():
                intensity[rows, n, b] = signature.isotropic_w_sr
                faces[n, b] = rows, signature
    facet_normal, facet_w_sr = _facets(faces, intensity.shape)
    r_gcrs, v_gcrs = frames.state_gcrs(itrs_from_gcrs, r, v)
    launch = np.array([target.t_launch for target in targets], np.float64)
    duration = np.array([target.trajectory.t_end for target in targets], np.float64)
    return Truth(
        targets=tuple(target.name for target in targets),
        bands=tuple(bands),
        t=np.asarray(t, np.float64),
        r_gcrs=r_gcrs,
        v_gcrs=v_gcrs,
        phase=phase,
        alive=np.isin(phase, FLYING),
        intensity_w_sr=intensity,
        rcs_m2=np.array([target.rcs_m2 for target in targets], np.float64),
        t_launch=launch,
        t_impact=launch + duration,
        facet_normal=facet_normal,
        facet_w_sr=facet_w_sr,
    )


def _modelled(
    target: Target,
    bands: Sequence[str],
    flying: np.ndarray,
    r: np.ndarray,
    v: np.ndarray,
    phase: np.ndarray,
    m: np.ndarray,
    sun_gcrs: np.ndarray | None,
) -> dict[int, tuple[np.ndarray, Signature]]:
    """By band: the times of flight in which no intensity is stated, and the model's signature there."""
    assert target.signature is not None
    found = {}
    for b, name in enumerate(bands):
        stated = target.intensity_w_sr.get(name, {})
        if name not in BANDS and stated:
            continue  # what is stated for such a band is all there is
        given = [Phase[phase_name.upper()] for phase_name in stated]
        rows = np.flatnonzero(flying & ~np.isin(phase, given))
        shine = None
        if sun_gcrs is not None:
            shine = light(r[rows], v[rows], frames.rotate(m[rows], sun_gcrs[rows]))
        try:
            signature = of_target(
                target.signature,
                band_named(name),
                phase[rows],
                np.asarray(height_itrs(r[rows])),
                np.linalg.norm(v[rows], axis=-1),
                shine,
            )
        except PhysicsError as error:
            raise PhysicsError(error.what, where=f"target {target.name!r}", remedy=error.remedy) from None
        found[b] = rows, signature
    return found


def _facets(
    faces: dict[tuple[int, int], tuple[np.ndarray, Signature]], shape: tuple[int, ...]
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The facets of all targets side by side [target facet 3] and [time target band facet]; None without any."""
    most = max((len(signature.normal) for _, signature in faces.values()), default=0)
    if not most:
        return None, None
    normal, w_sr = np.zeros((shape[1], most, 3)), np.zeros((*shape, most))
    for (n, b), (rows, signature) in faces.items():
        count = len(signature.normal)
        normal[n, :count] = signature.normal
        w_sr[rows, n, b, :count] = signature.w_sr
    return normal, w_sr


def _rows(target: Target, t: np.ndarray) -> np.ndarray:
    """Row of the target's trajectory at each scenario time; below 0 before launch."""
    step = t[1] - t[0] if len(t) > 1 else 1.0
    offset = (t - target.t_launch) / step
    k = np.round(offset).astype(int)
    if np.abs(offset - k).max(initial=0.0) > 1e-6:
        raise FlightError(
            f"launch at {target.t_launch:g} s is not on the grid of {step:g} s",
            where=target.name,
            remedy="give launch_s as a multiple of step_s",
        )
    own = target.trajectory.t
    if len(own) > 1 and abs(own[1] - own[0] - step) > 1e-9:
        raise FlightError(
            f"trajectory in steps of {own[1] - own[0]:g} s on a grid of {step:g} s",
            where=target.name,
            remedy="rebuild the flight with the scenario's step_s",
        )
    return k


def _by_phase(target: Target, band: str) -> np.ndarray:
    """Radiant intensity [W/sr] by Phase; 0 in a phase or band that the target does not name."""
    table = np.zeros(len(Phase))
    for name, value in target.intensity_w_sr.get(band, {}).items():
        try:
            phase = Phase[name.upper()]
        except KeyError:
            phase = Phase.WAITING
        if phase not in FLYING:
            raise FlightError(
                f"intensity in {band} for an unknown phase {name!r}",
                where=target.name,
                remedy="phases are boost, coast, reentry, glide and cruise",
            )
        table[phase] = value
    return table

"""V-1xx: orbits."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from sgp4.api import WGS72, Satrec

from noroshi import frames
from noroshi.constants import EARTH_RADIUS_M
from noroshi.earth import itrs_from_geodetic
from noroshi.orbits import design, sgp4, sgp4_jax
from noroshi.orbits.elements import Elements
from noroshi.orbits.kepler import propagate_mean, secular_rates
from noroshi.orbits.numerical import propagate_osculating
from noroshi.targets.integrate import Controls, integrate, unpowered_batch
from noroshi.time import DAY_S, MJD_ZERO, TT_MINUS_TAI_S, Epoch, load_earth_orientation, tai_minus_utc

Found = dict[str, Any]


def v_101() -> Found:
    satellites = _verification_set()
    worst = 0.0
    for name, (_, rows) in satellites.items():
        r, _ = _teme(name, rows[:, 0])
        worst = max(worst, float(np.linalg.norm(r - 1e3 * rows[:, 1:4], axis=1).max()))
    states = sum(len(rows) for _, rows in satellites.values())
    return {"satellites": len(satellites), "states": states, "worst": 1e3 * worst}


def v_101_jax() -> Found:
    """The satellites that SGP4 alone carries, by our own SGP4, in its own axes."""
    near = {name: pair for name, pair in _verification_set().items() if pair[0].method == "n"}
    worst = 0.0
    for name, (satellite, rows) in near.items():
        r, _ = sgp4_jax.propagate_teme(sgp4_jax.element_sets([(name, satellite)]), rows[:, 0])
        worst = max(worst, float(np.linalg.norm(np.asarray(r)[:, 0] - 1e3 * rows[:, 1:4], axis=1).max()))
    states = sum(len(rows) for _, rows in near.values())
    return {"satellites": len(near), "states": states, "worst": 1e3 * worst}


def sgp4_state(satellite: str, minutes: float) -> Found:
    r, v = _teme(satellite, np.array([minutes]))
    return {"r": r[0] / 1e3, "v": v[0] / 1e3}


def v_105(altitude_km: float, inclination_deg: float) -> Found:
    node, _, _ = secular_rates(_circular(altitude_km, inclination_deg))
    return {"node_rate": np.rad2deg(float(node[0])) * DAY_S}


def v_105_period(altitude_km: float) -> Found:
    # where sin^2 i = 2/3 the bulge does not change the mean motion
    inclination = np.rad2deg(np.arcsin(np.sqrt(2.0 / 3.0)))
    _, _, rate = secular_rates(_circular(altitude_km, inclination))
    return {"period": 2.0 * np.pi / float(rate[0]) / 60.0}


def v_106(altitude_km: float) -> Found:
    return {"inclination": np.rad2deg(design.sun_synchronous_inclination(EARTH_RADIUS_M + 1e3 * altitude_km))}


def v_107(revolutions_per_day: float, inclination_deg: float) -> Found:
    mean_motion = revolutions_per_day * 2.0 * np.pi / DAY_S
    recovered = design.semi_major_axis_from_kozai(mean_motion, 0.0, np.deg2rad(inclination_deg))
    # where 3 cos^2 i = 1 the bulge does not change the mean motion, and Kozai's is Kepler's
    naive = design.semi_major_axis_from_kozai(mean_motion, 0.0, np.arccos(np.sqrt(1.0 / 3.0)))
    return {"recovered": recovered / 1e3, "naive": naive / 1e3}


def v_108(altitude_km: float) -> Found:
    a = EARTH_RADIUS_M + 1e3 * altitude_km
    return {"fraction": design.eclipse_fraction(a, 0.0), "beta_star": np.rad2deg(design.eclipse_beta(a))}


def v_109(against: str) -> Found:
    t = np.arange(0.0, DAY_S + 1.0, 600.0)
    worst = (0.0, 0.0)
    for start in np.deg2rad([0.0, 45.0, 90.0, 135.0]):
        elements = _circular(1000.0, 60.0, start)
        truth = (
            _by_sgp4(elements, t)
            if against == "SGP4"
            else np.asarray(propagate_osculating(elements, t)[0])[:, 0]
        )
        gap = np.linalg.norm(_fitted(truth, t, start) - truth, axis=1)
        worst = max(worst, (float(np.sqrt(np.mean(gap**2))), float(gap.max())))
    return {"rms": worst[0] / 1e3, "largest": worst[1] / 1e3}


def v_110(motion: str) -> Found:
    end = _orbit_end if motion == "orbit" else _glide_end
    coarse, middle, fine = (end(step) for step in (1.0, 0.5, 0.25))
    return {"ratio": np.linalg.norm(coarse - middle) / np.linalg.norm(middle - fine)}


def _orbit_end(scale: float) -> np.ndarray:
    """Ten minutes of orbit: over longer ones the energy's drift of fifth order takes over."""
    r, _ = propagate_osculating(_circular(1000.0, 60.0), np.array([0.0, 600.0]), step_rad=0.04 * scale)
    return np.asarray(r)[-1, 0]


def _glide_end(scale: float) -> np.ndarray:
    """128 s of glide at 45 km, inside one layer of the atmosphere, the bank switching half-way."""
    east = np.array([-np.sin(2.4), np.cos(2.4), 0.0])
    start = np.concatenate([itrs_from_geodetic(0.7, 2.4, np.float64(45e3)), 5500.0 * east])
    step = 16.0 * scale
    count = round(128.0 / step)
    bank = np.where((np.arange(count) + 0.5) * step < 64.0, 0.3, -0.3)
    held = Controls(np.zeros(count), np.full(count, 2.6), bank)
    return integrate(np.tile(start, (4, 1)), 0.0, step, held, unpowered_batch(1 / 13_000, 4)).states[
        0, -1, :3
    ]


def _circular(altitude_km: float, inclination_deg: float, start_rad: float = 0.0) -> Elements:
    values = (EARTH_RADIUS_M + 1e3 * altitude_km, 0.0, np.deg2rad(inclination_deg), 0.3, 0.0, start_rad)
    return Elements(*(np.array([value]) for value in values))


def _fitted(truth: np.ndarray, t: np.ndarray, start_rad: float) -> np.ndarray:
    """Positions of the circular mean elements that fit best: axis, inclination, node and place in the orbit."""

    def positions(x: np.ndarray) -> np.ndarray:
        values = (x[0] * EARTH_RADIUS_M, 0.0, x[1], x[2], 0.0, x[3])
        return np.asarray(propagate_mean(Elements(*(np.array([value]) for value in values)), t)[0])[:, 0]

    guess = np.array([1.0 + 1e6 / EARTH_RADIUS_M, np.deg2rad(60.0), 0.3, start_rad])
    found = least_squares(
        lambda x: (positions(x) - truth).ravel() / 1e3, guess, x_scale=[1e-4, 1e-3, 1e-3, 1e-3]
    )
    return positions(found.x)


def _by_sgp4(elements: Elements, t: np.ndarray) -> np.ndarray:
    """SGP4 on the same numbers as its own mean elements, without drag, in its own axes."""
    a, i, raan, u = (float(x[0]) for x in (elements.a, elements.i, elements.raan, elements.mean_anomaly))
    minute = np.sqrt(398_600.8e9 / a**3) * 60.0  # WGS-72
    satellite = Satrec()
    satellite.sgp4init(WGS72, "i", 1, 18_000.0, 0.0, 0.0, 0.0, 1e-7, 0.0, i, u, minute, raan)
    whole = np.full(len(t), satellite.jdsatepoch)
    code, r, _ = satellite.sgp4_array(whole, satellite.jdsatepochF + t / DAY_S)
    assert not code.any()
    return 1e3 * r


@cache
def _verification_set() -> dict[str, tuple[Satrec, np.ndarray]]:
    """Satellites of SGP4-VER.TLE with the states of tcppver.out: minutes, r [km], v [km/s] in TEME."""
    satellites: dict[str, Satrec] = {}
    for one, two in pairwise((files("sgp4") / "SGP4-VER.TLE").read_text().splitlines()):
        if one.startswith("1 ") and two.startswith("2 "):
            satellites.setdefault(one[2:7].strip().lstrip("0"), Satrec.twoline2rv(one, two[:69], WGS72))
    states: dict[str, list[list[float]]] = {}
    current = ""
    for line in (files("sgp4") / "tcppver.out").read_text().splitlines():
        words = line.split()
        if words[1:] == ["xx"]:
            current = words[0]
            states.setdefault(current, [])
        elif len(words) >= 7:
            states[current].append([float(word) for word in words[:7]])
    # 33334 has elements that SGP4 is meant to refuse
    return {name: (satellites[name], np.array(rows)) for name, rows in states.items() if name != "33334"}


def _teme(name: str, minutes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Our GCRS states turned back to SGP4's own axes, at minutes after the satellite's epoch."""
    satellite = _verification_set()[name][0]
    mjd = satellite.jdsatepoch - MJD_ZERO
    offset = float(tai_minus_utc(mjd + satellite.jdsatepochF)) + TT_MINUS_TAI_S
    epoch = Epoch(satellite.jdsatepoch, satellite.jdsatepochF + offset / DAY_S)
    eop, t = load_earth_orientation(), 60.0 * minutes
    r, v = sgp4.propagate([(name, satellite)], epoch, t, eop)
    back = np.swapaxes(frames.itrs_from_teme(epoch, t, eop), 1, 2) @ frames.itrs_from_gcrs(epoch, t, eop)
    return frames.rotate(back, r)[:, 0], frames.rotate(back, v)[:, 0]

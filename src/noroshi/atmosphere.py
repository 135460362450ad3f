"""The US Standard Atmosphere 1976: temperature, pressure, density and speed of sound by height.

Exact layers to 86 km (NOAA-S/T 76-1562, part 1: equations 23, 33, 42, 50). Above, the published table at
86-1000 km is interpolated, logarithms linear in geopotential height: within 1.4 % of the printed rows in between
from 150 km on (tested), 9 % below. The standard's own species equations are left out. It is one profile of
moderate solar activity: at 500 km the Harris-Priester model has 0.75 of it at night and 3.9 times it by day
(Montenbruck and Gill 2000, table 3.8). Beyond 1000 km the last slope continues.
Functions take NumPy or JAX arrays of geometric height [m]; heights under -5 km, where the standard starts,
count as -5 km.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from noroshi.constants import AIR_GAS_J_KG_K, AIR_HEAT_RATIO, GEOPOTENTIAL_RADIUS_M, GRAVITY_M_S2

TOP_M = 86_000.0  # of the exact layers
LOWEST_M = -5_000.0

# Layers of molecular-scale temperature (table 4): base [m geopotential], lapse [K/m]
_BASE_M = np.array([0.0, 11e3, 20e3, 32e3, 47e3, 51e3, 71e3])
_LAPSE = np.array([-6.5e-3, 0.0, 1e-3, 2.8e-3, 0.0, -2.8e-3, -2e-3])
_SEA_TEMPERATURE_K, _SEA_PRESSURE_PA = 288.15, 101_325.0

# Table I: geometric height [m], kinetic temperature [K], density [kg/m3]; steps chosen for the 1.4 %
_UPPER = np.array(
    [
        (90e3, 186.87, 3.416e-6),
        (95e3, 188.42, 1.393e-6),
        (100e3, 195.08, 5.604e-7),
        (110e3, 240.00, 9.708e-8),
        (120e3, 360.00, 2.222e-8),
        (130e3, 469.27, 8.152e-9),
        (140e3, 559.63, 3.831e-9),
        (150e3, 634.39, 2.076e-9),
        (160e3, 696.29, 1.233e-9),
        (170e3, 747.57, 7.815e-10),
        (180e3, 790.07, 5.194e-10),
        (200e3, 854.56, 2.541e-10),
        (220e3, 899.01, 1.367e-10),
        (240e3, 929.73, 7.858e-11),
        (270e3, 959.04, 3.738e-11),
        (300e3, 976.01, 1.916e-11),
        (340e3, 988.15, 8.503e-12),
        (380e3, 994.10, 4.013e-12),
        (420e3, 997.04, 1.975e-12),
        (460e3, 998.50, 1.002e-12),
        (500e3, 999.24, 5.215e-13),
        (550e3, 999.67, 2.384e-13),
        (600e3, 999.85, 1.137e-13),
        (650e3, 999.93, 5.712e-14),
        (700e3, 999.97, 3.070e-14),
        (750e3, 999.99, 1.788e-14),
        (800e3, 999.99, 1.136e-14),
        (850e3, 1000.00, 7.824e-15),
        (900e3, 1000.00, 5.759e-15),
        (950e3, 1000.00, 4.453e-15),
        (1000e3, 1000.00, 3.561e-15),
    ]
)


class Air(NamedTuple):
    """Still air at a height.

    Above 86 km pressure and speed of sound follow from density and temperature with the sea-level gas
    constant: the order of magnitude only.
    """

    temperature_k: Any
    pressure_pa: Any
    density_kg_m3: Any
    sound_m_s: Any


def geopotential(h: Any) -> Any:
    """Geopotential height [m] of a geometric height [m]."""
    return GEOPOTENTIAL_RADIUS_M * h / (GEOPOTENTIAL_RADIUS_M + h)


def _levels() -> tuple[np.ndarray, ...]:
    """Per level: base [m geopotential], ln density, temperature, a, decay of ln density, lapse.

    Within a level ln rho = ln rho_b - decay x with x = ln(1 + a dH)/a, or dH where a = lapse/T_b is zero: the
    hydrostatic layer of constant lapse and the isothermal one in one form, and the log-linear table as well.
    """
    temperature, pressure = [_SEA_TEMPERATURE_K], [_SEA_PRESSURE_PA]
    tops = np.append(_BASE_M[1:], geopotential(TOP_M))
    for base, top, lapse in zip(_BASE_M, tops, _LAPSE, strict=True):
        t, p, dh = temperature[-1], pressure[-1], top - base
        power = GRAVITY_M_S2 / AIR_GAS_J_KG_K
        fall = np.exp(-power * dh / t) if lapse == 0 else (t / (t + lapse * dh)) ** (power / lapse)
        temperature.append(t + lapse * dh)
        pressure.append(p * fall)
    t, p = np.array(temperature), np.array(pressure)
    base = np.concatenate([_BASE_M, [geopotential(TOP_M)], geopotential(_UPPER[:, 0])])
    log_density = np.concatenate([np.log(p / (AIR_GAS_J_KG_K * t)), np.log(_UPPER[:, 2])])
    t = np.concatenate([t, _UPPER[:, 1]])
    lapse = np.zeros(len(base))
    lapse[:7] = _LAPSE
    decay = (GRAVITY_M_S2 / AIR_GAS_J_KG_K + lapse) / t
    decay[7:-1] = -np.diff(log_density[7:]) / np.diff(base[7:])
    decay[-1] = decay[-2]
    slope = lapse.copy()  # of temperature
    slope[7:-1] = np.diff(t[7:]) / np.diff(base[7:])
    return base, log_density, t, lapse / t, decay, slope


_HB, _LOG_DENSITY, _T, _A, _DECAY, _SLOPE = _levels()
_A_SAFE = np.where(_A == 0.0, 1.0, _A)


def _namespace(h: Any) -> Any:
    if type(h).__module__.startswith("jax"):
        import jax.numpy as jnp

        return jnp
    return np


def density(h: Any) -> Any:
    """Density [kg/m3] at geometric height h [m]."""
    xp = _namespace(h)
    height = geopotential(xp.maximum(h, LOWEST_M))
    level, dh = _level(xp, height)
    return _density(xp, level, dh)


def air(h: Any) -> Air:
    """Temperature, pressure, density and speed of sound at geometric height h [m].

    The temperature is the molecular-scale one: equal to the kinetic one to 80 km, 0.04 % above it at 86 km.
    """
    xp = _namespace(h)
    height = geopotential(xp.maximum(h, LOWEST_M))
    level, dh = _level(xp, height)
    temperature = xp.asarray(_T)[level] + xp.asarray(_SLOPE)[level] * dh
    rho = _density(xp, level, dh)
    pressure = rho * AIR_GAS_J_KG_K * temperature
    return Air(temperature, pressure, rho, xp.sqrt(AIR_HEAT_RATIO * AIR_GAS_J_KG_K * temperature))


def _level(xp: Any, height: Any) -> tuple[Any, Any]:
    # counting comparisons beats a binary search on the few levels, and compiles to straight code
    level = xp.sum(xp.asarray(height)[..., None] >= xp.asarray(_HB[1:]), axis=-1)
    return level, height - xp.asarray(_HB)[level]


def _density(xp: Any, level: Any, dh: Any) -> Any:
    a, safe = xp.asarray(_A)[level], xp.asarray(_A_SAFE)[level]
    x = xp.where(a == 0.0, dh, xp.log1p(xp.where(a == 0.0, 0.0, a * dh)) / safe)
    return xp.exp(xp.asarray(_LOG_DENSITY)[level] - xp.asarray(_DECAY)[level] * x)

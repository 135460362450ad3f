"""Physical constants, SI and radians, each with its source."""

from __future__ import annotations

from math import sqrt

# WGS-84 (NIMA TR8350.2, 3rd edition, table 3.1)
EARTH_RADIUS_M = 6_378_137.0
EARTH_FLATTENING = 1.0 / 298.257223563
EARTH_POLAR_RADIUS_M = EARTH_RADIUS_M * (1.0 - EARTH_FLATTENING)
EARTH_E2 = EARTH_FLATTENING * (2.0 - EARTH_FLATTENING)
EARTH_MU = 3.986004418e14  # m3/s2
EARTH_RATE_RAD_S = 7.292115e-5  # rotation of the ITRS, for rotating-frame terms

# EGM96, C20 unnormalised: J2 = -sqrt(5) C20
EARTH_J2 = 1.08262668e-3

# The sphere of the closed-form checks only; real geometry is WGS-84
EARTH_MEAN_RADIUS_M = 6_371_000.0

# SI (CODATA 2018, exact)
LIGHT_M_S = 299_792_458.0
PLANCK_J_S = 6.62607015e-34
BOLTZMANN_J_K = 1.380649e-23

STEFAN_BOLTZMANN = 5.670374419e-8  # W/m2/K4, exact from the two above and c

# The Sun as a black body (IAU 2015 resolution B3 nominal values; IAU 2012 resolution B2)
SUN_TEMPERATURE_K = 5772.0
SUN_RADIUS_M = 6.957e8
ASTRONOMICAL_UNIT_M = 149_597_870_700.0

# US Standard Atmosphere 1976 (NOAA-S/T 76-1562)
GRAVITY_M_S2 = 9.80665
AIR_GAS_J_KG_K = 287.0528
AIR_HEAT_RATIO = 1.4
GEOPOTENTIAL_RADIUS_M = 6_356_766.0

# Group index of silica fibre at 1550 nm: light needs n times longer than in vacuum
FIBRE_INDEX = 1.468

CIRCULAR_SPEED_SURFACE_M_S = sqrt(EARTH_MU / EARTH_RADIUS_M)

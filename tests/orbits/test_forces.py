"""Each force against its closed form, and the whole model against DOP853 with forces written another way."""

from functools import partial

import erfa
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import noroshi._jax  # noqa: F401
from noroshi.atmosphere import density
from noroshi.constants import EARTH_J2, EARTH_MU, EARTH_RADIUS_M
from noroshi.errors import PhysicsError
from noroshi.orbits import forces as f
from noroshi.orbits.elements import Elements, elements_from_state
from noroshi.orbits.ephemeris import Osculating, celestial_pole, ephemeris
from noroshi.orbits.forces import ALL, J2_ONLY, Forces, Surface
from noroshi.orbits.kepler import osculating_state
from noroshi.orbits.numerical import Z_AXIS, propagate_osculating
from noroshi.time import Epoch, epoch_from_utc, julian_tt, load_earth_orientation

DAY_S = 86400.0
AU_M = 1.495978707e11
R, MU = 6378137.0, 3.986004418e14
J = {2: 1.08262668e-3, 3: -2.53265649e-6, 4: -1.61962159e-6}  # EGM96
EPOCH = epoch_from_utc("2026-11-22T00:00:00Z")
POLE = celestial_pole(EPOCH)


def orbits(*rows: tuple[float, ...]) -> Elements:
    return Elements(*(np.array(x) for x in zip(*rows, strict=True)))


def attraction(r: np.ndarray, degrees: tuple[int, ...]) -> np.ndarray:
    """Gradient of the potential, pole along z, by complex steps: Legendre series, no formula of acceleration."""

    def potential(x: np.ndarray) -> complex:
        radius = np.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
        series = [0.0] * 5
        for n in degrees:
            series[n] = J[n] * (R / radius) ** n
        return MU / radius * (1.0 - np.polynomial.legendre.legval(x[2] / radius, series))

    return np.array([potential(r + 1e-20j * axis).imag / 1e-20 for axis in np.eye(3)])


def axes_of(pole: np.ndarray) -> np.ndarray:
    """Rows: axes whose third is the pole."""
    x = np.cross([0.0, 1.0, 0.0], pole)
    x /= np.linalg.norm(x)
    return np.array([x, np.cross(pole, x), pole])


@pytest.mark.parametrize(
    ("forces", "degrees"),
    [
        (Forces(j2=False), ()),
        (Forces(), (2,)),
        (Forces(j2=False, j3=True), (3,)),
        (Forces(j2=False, j4=True), (4,)),
        (Forces(j3=True, j4=True), (2, 3, 4)),
    ],
)
def test_zonal_terms_are_the_slope_of_the_potential(forces, degrees):
    # complex steps have no truncation; constants agree to 9 digits
    rng = np.random.default_rng(5)
    r = rng.normal(size=(30, 3))
    r *= rng.uniform(6.5e6, 4e7, 30)[:, None] / np.linalg.norm(r, axis=1)[:, None]
    turn = axes_of(POLE)
    expected = np.array([attraction(turn @ x, degrees) @ turn for x in r])
    around = f.surroundings(forces, Surface(), POLE, None, np.zeros(1))
    found = f.acceleration(forces, around, jnp.asarray(r), jnp.zeros((30, 3)), jnp.zeros(()))
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=1e-14)


def averaged(a: float, e: float, i: float, argp: float, pull) -> tuple[float, np.ndarray]:
    """Node rate and rate of the eccentricity vector (axes: node, across) by Gauss, averaged over a Kepler orbit.

    4096 points evenly in eccentric anomaly, weighted by 1 - e cos E: exact to rounding for these forces.
    """
    big = np.arange(4096) * 2 * np.pi / 4096
    mean = big - e * np.sin(big)
    n = len(big)
    state = osculating_state(Elements(*(np.full(n, x) for x in (a, e, i, 0.0, argp)), mean))
    r, v = (np.asarray(x) for x in state)
    push = np.asarray(pull(jnp.asarray(r), jnp.asarray(Z_AXIS)))
    h = np.cross(r, v)
    normal = h / np.linalg.norm(h, axis=1)[:, None]
    weight = (1 - e * np.cos(big)) / n
    # r sin u is the distance from the node line in the plane: z / sin i
    node = np.sum(push * normal, axis=1) * r[:, 2] / np.sin(i) / (np.linalg.norm(h, axis=1) * np.sin(i))
    eccentric = (np.cross(push, h) + np.cross(v, np.cross(r, push))) / MU
    across = np.cross(normal[0], [1.0, 0.0, 0.0])
    return float(node @ weight), weight @ eccentric @ np.array([[1.0, 0.0, 0.0], across]).T


def without_centre(pull):
    return lambda r, pole: pull(r, pole) - f.gravity_point(r)


@pytest.mark.parametrize(("a", "e", "i"), [(7.378e6, 0.0, 1.0), (7.9e6, 0.1, 0.4), (2.66e7, 0.7, 1.1)])
def test_secular_node_rates(a, e, i):
    # J2: -3/2 n J2 (R/p)^2 cos i. J4: 15/32 n J4 (R/p)^4 cos i (8 + 12 e^2 - (14 + 21 e^2) sin^2 i) (Vallado,
    # section 9.6). J3: none. To rounding: 1e-9 are the digits of the constants
    n, ratio = np.sqrt(MU / a**3), R / (a * (1 - e * e))
    j2, _ = averaged(a, e, i, 0.7, without_centre(f.gravity_j2))
    assert j2 == pytest.approx(-1.5 * n * J[2] * ratio**2 * np.cos(i), rel=2e-9)
    j4, _ = averaged(a, e, i, 0.7, f.zonal_j4)
    closed = 15 / 32 * n * J[4] * ratio**4 * np.cos(i) * (8 + 12 * e**2 - (14 + 21 * e**2) * np.sin(i) ** 2)
    # on eccentric orbits J4 has a term in cos 2 argp besides; circular ones have none
    share = 2e-9 if e == 0 else 1.5 * e * e
    assert j4 == pytest.approx(closed, rel=share)


@pytest.mark.parametrize(
    ("a", "e", "i", "argp"), [(7.378e6, 0.01, 1.0, 0.3), (9e6, 0.2, 1.7, 2.5), (2.66e7, 0.7, 0.5, 0.0)]
)
def test_j3_moves_the_eccentricity(a, e, i, argp):
    # -3/2 n J3 (R/p)^3 (1 - e^2) sin i (1 - 5/4 sin^2 i) cos argp (long-period, first order: Kozai 1959), to rounding
    n, ratio = np.sqrt(MU / a**3), R / (a * (1 - e * e))
    _, rate = averaged(a, e, i, argp, f.zonal_j3)
    found = rate @ [np.cos(argp), np.sin(argp)]
    closed = -1.5 * n * J[3] * ratio**3 * (1 - e * e) * np.sin(i) * (1 - 1.25 * np.sin(i) ** 2) * np.cos(argp)
    assert found == pytest.approx(closed, rel=1e-8)


def test_j3_freezes_an_orbit():
    # e = -J3 R sin i / (2 J2 a) with the perigee at the northern apex: J2's and J3's turns of the perigee cancel, up to
    # e^2 (a millionth); 7130.982 km, 98.41 deg. The orbit's plane turns the vector by cos i times the node's rate
    a, i = 7130.982e3, np.deg2rad(98.41)
    e = -J[3] * R * np.sin(i) / (2 * J[2] * a)
    assert e == pytest.approx(1.035e-3, abs=1e-6)
    turns = []
    for pull in (without_centre(f.gravity_j2), f.zonal_j3):
        node, vector = averaged(a, e, i, np.pi / 2, pull)
        assert abs(vector[1]) < 1e-6 * abs(vector[0])  # it only turns
        turns.append(-vector[0] / e - node * np.cos(i))
    assert turns[1] == pytest.approx(-turns[0], rel=1e-5)


@pytest.mark.parametrize(
    ("height_m", "rho"), [(200e3, 2.541e-10), (500e3, 5.215e-13), (800e3, 1.136e-14)]
)  # table I of the standard
def test_drag_lowers_a_circle(height_m, rho):
    # over one revolution above the equator, point Earth: da/dt = -rho (Cd A / m) u^2 sqrt(a^3 / mu), u the speed
    # through air that turns with the Earth. 1e-4: the density has four digits. The scale height of 37 km against a fall
    # of 2.3 km at 200 km leaves 3 % (half of 2.3/37), which is why the surface is smaller there
    a = R + height_m
    area = 1e-5 if height_m < 300e3 else 1e-3
    n = np.sqrt(MU / a**3)
    t = np.array([0.0, 2 * np.pi / n])
    r, v = propagate_osculating(
        orbits((a, 0.0, 0.0, 0.0, 0.0, 0.0)),
        t,
        forces=Forces(j2=False, drag=True),
        surface=Surface(area, 2.0),
    )
    final = elements_from_state(np.asarray(r[-1]), np.asarray(v[-1])).a[0]
    free = propagate_osculating(orbits((a, 0.0, 0.0, 0.0, 0.0, 0.0)), t, forces=Forces(j2=False))
    start = elements_from_state(*(np.asarray(x[-1]) for x in free)).a[0]  # takes RK4's own drift out
    u = a * (n - 7.292115e-5)
    expected = -rho * 2.0 * area * u * u * np.sqrt(a**3 / MU) * t[1]
    assert final - start == pytest.approx(expected, rel=1e-3 if height_m < 300e3 else 2e-4)


def test_drag_takes_the_energy_that_it_takes():
    # power balance on an inclined, eccentric orbit: energy lost = integral of drag . v, by Simpson over 2 s
    e = orbits((6.73e6, 0.01, 1.2, 0.3, 0.2, 0.5))
    t = np.arange(0.0, 6001.0, 2.0)
    r, v = (np.asarray(x)[:, 0] for x in propagate_osculating(e, t, forces=Forces(j2=False, drag=True)))
    energy = 0.5 * np.sum(v * v, axis=1) - MU / np.linalg.norm(r, axis=1)
    push = np.asarray(f.drag(jnp.asarray(r), jnp.asarray(v), jnp.asarray(Z_AXIS), jnp.array([[0.022]])))
    power = np.sum(push * v, axis=1)
    assert (power < 0).all()
    work = 2.0 / 3 * (power[0] + power[-1] + 4 * power[1::2].sum() + 2 * power[2:-1:2].sum())
    assert energy[-1] - energy[0] == pytest.approx(work, rel=1e-4)  # 1 J/kg of 6e7 is the integrator's own


@pytest.mark.parametrize(("mu", "distance"), [(4.9028e12, 3.844e8), (1.32712e20, AU_M)])
def test_tides(mu, distance):
    # first order: 2 mu r / d^3 stretched along the line, mu r / d^3 squeezed across; next order is 3/2 r/d
    body, r = np.array([distance, 0.0, 0.0]), 4.2e7
    along, across = (np.asarray(f.tide(jnp.asarray(x), jnp.asarray(body), mu)) for x in np.eye(3)[:2] * r)
    share = 2.0 * r / distance
    assert along[0] == pytest.approx(2 * mu * r / distance**3, rel=share)
    assert across[1] == pytest.approx(-mu * r / distance**3, rel=share)
    assert abs(along[1]) < 1e-15


def test_sun_and_moon_where_they_were():
    # Meeus, Astronomical Algorithms, example 47.a: 1992-04-12 0h TD, distance 368,409.7 km, latitude -3.229126 deg
    # on the ecliptic of date; the IAU 2006 ecliptic is within 0.05 arcsec of his. moon98 is that theory
    moment = Epoch(2448724.5, 0.0)
    moon = f.moon_position(moment, np.zeros(1))[0]
    assert np.linalg.norm(moon) == pytest.approx(368_409.7e3, abs=100.0)
    ecliptic = erfa.ecm06(2448724.5, 0.0) @ moon
    assert np.rad2deg(np.arcsin(ecliptic[2] / np.linalg.norm(moon))) == pytest.approx(-3.229126, abs=2e-5)
    # the Sun: example 25.b, 1992-10-13 0h TD, 0.99760775 au, longitude 199.907372 deg with aberration of
    # 20.539 arcsec taken off here
    day = Epoch(2448908.5, 0.0)
    sun = f.sun_position(day, np.zeros(1))[0]
    assert np.linalg.norm(sun) / AU_M == pytest.approx(0.99760775, abs=1e-6)
    x, y, _ = erfa.ecm06(2448908.5, 0.0) @ sun
    assert np.rad2deg(np.arctan2(y, x)) % 360 == pytest.approx(199.907372, abs=1e-4)


@given(st.floats(-2 * DAY_S, 2 * DAY_S))
def test_positions_between_nodes(t):
    # the claim of the module: the cubic through hourly nodes is within a metre
    span = np.array([-2 * DAY_S, 2 * DAY_S])
    around = f.surroundings(ALL, Surface(), POLE, EPOCH, span)
    for nodes, exact in ((around.sun, f.sun_position), (around.moon, f.moon_position)):
        found = np.asarray(f.position_at(nodes, around.first, jnp.asarray(t)))
        assert np.linalg.norm(found - exact(EPOCH, np.array([t]))[0]) < 1.0


def test_pressure_of_sunlight():
    # 4.56e-6 N/m2 at 1 au (Montenbruck and Gill 2000, section 3.4, from 1367 W/m2); the Sun of IAU 2015 is 0.44 %
    # fainter. Inverse square; away from the Sun; doubled by a mirror
    r = jnp.array([[7e6, 0.0, 0.0]])
    sun = np.array([AU_M, 0.0, 0.0])
    at_one = np.asarray(f.solar_pressure(r + jnp.zeros(3), jnp.asarray(sun), jnp.array([[1.0]])))[0]
    assert -at_one[0] == pytest.approx(4.56e-6, rel=5e-3)
    assert -at_one[0] == pytest.approx(1361.0 / 299792458.0, rel=1e-4)  # 7,000 km nearer than 1 au
    at_half = np.asarray(f.solar_pressure(r, jnp.asarray(sun / 2), jnp.array([[2.0]])))[0]
    assert at_half[0] / at_one[0] == pytest.approx(8.0, rel=1e-3)
    assert np.abs(at_one[1:]).max() == 0.0


@pytest.mark.parametrize(("height_km", "fraction"), [(550, 0.37231), (1000, 0.33234), (1200, 0.31842)])
def test_shadow_of_a_point_sun_is_the_cylinder(height_km, fraction):
    # V-108 to its 1e-4: a Sun a thousand times as far is a point and throws a cylinder
    u = (np.arange(20000) + 0.5) * 2 * np.pi / 20000
    r = (R + height_km * 1e3) * np.stack([np.cos(u), np.sin(u), 0 * u], axis=-1)
    lit = np.asarray(f.sunlit_fraction(jnp.asarray(r), jnp.array([1000 * AU_M, 0.0, 0.0])))
    assert 1.0 - lit.mean() == pytest.approx(fraction, abs=1e-4)
    assert ((lit >= 0) & (lit <= 1)).all()


def covered(r: np.ndarray, sun: np.ndarray) -> float:
    """Sunlit share by the textbook area of two overlapping circles (law of cosines)."""
    to = sun - r
    distance, radius = np.linalg.norm(to), np.linalg.norm(r)
    a, b = 6.957e8 / distance, np.arcsin(R / radius)
    c = np.arccos(np.clip(-(to @ r) / distance / radius, -1, 1))
    if c >= a + b:
        return 1.0
    if c <= abs(b - a):
        return 0.0 if b > a else 1.0 - (b / a) ** 2
    p = np.arccos((c * c + a * a - b * b) / (2 * c * a)) * a * a
    q = np.arccos((c * c + b * b - a * a) / (2 * c * b)) * b * b
    kite = 0.5 * np.sqrt((-c + a + b) * (c + a - b) * (c - a + b) * (c + a + b))
    return 1.0 - (p + q - kite) / (np.pi * a * a)


@given(st.floats(6.6e6, 4e9), st.floats(0.0, 0.06))
def test_penumbra(radius, width):
    # the discs' overlap by another formula, from umbra through penumbra and beyond the umbra's tip at 1.4e9 m;
    # arccos near 0 costs half the digits, a part in 1e5 of the Sun's disc seen from near by
    edge = np.arcsin(R / radius)
    angle = np.pi - edge + (width - 0.03)
    r = radius * np.array([np.cos(angle), np.sin(angle), 0.0])
    sun = np.array([AU_M, 0.0, 0.0])
    lit, slope = jax.value_and_grad(lambda x: f.sunlit_fraction(x, jnp.asarray(sun)))(jnp.asarray(r))
    assert float(lit) == pytest.approx(covered(r, sun), abs=2e-5)
    assert np.isfinite(slope).all()


def rate(forces: Forces, surface: Surface, _t: float, y: np.ndarray) -> np.ndarray:
    """Right-hand side in plain NumPy: potentials, ERFA's heights and exact Sun and Moon at every call."""
    turn = axes_of(POLE)
    r, v = y[:3], y[3:]
    degrees = tuple(n for n, on in zip((2, 3, 4), forces[:3], strict=True) if on)
    a = attraction(turn @ r, degrees) @ turn
    if forces.drag:
        height = erfa.gc2gd(1, turn @ r)[2]
        u = v - np.cross(7.292115e-5 * POLE, r)
        drag = 0.5 * surface.drag_coefficient * surface.area_to_mass_m2_kg * density(float(height))
        a = a - drag * np.sqrt(u @ u) * u
    date = julian_tt(EPOCH, _t)
    sun = -AU_M * erfa.epv00(*date)[0]["p"]
    moon = AU_M * erfa.moon98(*date)["p"]
    for on, body, mu in ((forces.sun, sun, 1.32712440041e20), (forces.moon, moon, MU * 0.0123000371)):
        if on:
            # Battin's form of the difference, which does not cancel
            q = r @ (r - 2 * body) / (body @ body)
            shrink = q * (3 + 3 * q + q * q) / (1 + (1 + q) ** 1.5)
            a = a - mu / np.linalg.norm(r - body) ** 3 * (r + shrink * body)
    if forces.solar_pressure:
        away = r - sun
        push = 1361.0 / 299792458.0 * surface.reflection * surface.area_to_mass_m2_kg
        a = a + covered(r, sun) * push * (AU_M / np.linalg.norm(away)) ** 2 * away / np.linalg.norm(away)
    return np.concatenate([v, a])


@pytest.mark.parametrize(
    ("orbit", "forces", "hours", "longest_s"),
    [
        ((6.928e6, 0.001, 0.925, 0.3, 1.0, 0.5), ALL, 4.0, 15.0),
        ((7.378e6, 0.0, 1.047, 0.3, 1.0, 0.5), ALL._replace(solar_pressure=False), 4.0, np.inf),
        ((1.6378e7, 0.01, 0.96, 0.3, 1.0, 0.5), ALL, 12.0, 120.0),
        ((2.66e7, 0.72, 1.107, 1.0, 4.7, 0.2), Forces(j3=True, j4=True, sun=True, moon=True), 24.0, np.inf),
    ],
    ids=["550 km", "1000 km", "10000 km", "Molniya"],
)
def test_the_whole_against_dop853(orbit, forces, hours, longest_s):
    # DOP853 at 1e-12 is good to a millimetre here, where its steps are held short enough to meet every shadow's edge
    # (left free it jumps them: 0.6 m in a day at 10,000 km). 2 cm is what the step rule claims for a day
    surface = Surface(0.02, 2.2, 1.3)
    e = orbits(orbit)
    r0, v0 = (np.asarray(x)[0] for x in osculating_state(e))
    t = np.arange(0.0, hours * 3600.0 + 1.0, 1800.0)
    truth = solve_ivp(
        partial(rate, forces, surface),
        (0.0, t[-1]),
        np.concatenate([r0, v0]),
        "DOP853",
        t,
        rtol=1e-12,
        atol=1e-7,
        max_step=longest_s,
    ).y.T
    r, v = (np.asarray(x)[:, 0] for x in propagate_osculating(e, t, POLE, 0.005, forces, EPOCH, surface))
    gap = np.linalg.norm(r - truth[:, :3], axis=1).max()
    assert gap < 0.02  # seen: 8 mm at most
    assert np.linalg.norm(v - truth[:, 3:], axis=1).max() < 2e-5
    # and the forces are felt: without them the orbit is elsewhere by far more
    plain = np.asarray(propagate_osculating(e, t, POLE)[0])[:, 0]
    assert np.linalg.norm(plain - truth[:, :3], axis=1).max() > 20.0


@settings(max_examples=8)
@given(
    st.floats(6.9e6, 3e7),
    st.floats(0.0, 0.3),
    st.floats(0.05, 3.0),
    st.floats(0.0, 6.28),
    st.floats(0.0, 6.28),
)
def test_zonal_fields_keep_energy_and_polar_momentum(perigee, e, i, raan, argp):
    # both are integrals of any field that is steady and round about the pole; 1e-11 over half a day is RK4's own
    t = np.linspace(0.0, DAY_S / 2, 25)
    r, v = (
        np.asarray(x)[:, 0]
        for x in propagate_osculating(
            orbits((perigee / (1 - e), e, i, raan, argp, 0.5)), t, POLE, forces=Forces(j3=True, j4=True)
        )
    )
    radius = np.linalg.norm(r, axis=1)
    u = r @ POLE / radius
    shape = [np.polynomial.legendre.legval(u, [0.0] * n + [J[n]]) * (R / radius) ** n for n in (2, 3, 4)]
    energy = 0.5 * np.sum(v * v, axis=1) - MU / radius * (1 - sum(shape))
    momentum = np.cross(r, v) @ POLE
    np.testing.assert_allclose(energy / energy[0], 1.0, rtol=0, atol=2e-11)
    scale = np.linalg.norm(np.cross(r, v), axis=1).max()
    np.testing.assert_allclose(momentum / scale, momentum[0] / scale, rtol=0, atol=2e-11)


def test_satellites_with_their_own_surfaces():
    # per-satellite arrays act one by one, and the group passes them on
    e = orbits(*[(6.8e6, 0.0, 1.0, 0.0, 0.0, 0.0)] * 3)
    surface = Surface(np.array([0.0, 0.01, 0.04]), 2.2, np.array([1.0, 1.3, 1.3]))
    t = np.array([0.0, 6000.0])
    made = ephemeris([Osculating(("a", "b", "c"), e, ALL, surface)], EPOCH, t, load_earth_orientation())
    for k in range(3):
        one = Elements(*(x[k : k + 1] for x in e))
        mine = Surface(surface.area_to_mass_m2_kg[k], 2.2, surface.reflection[k])
        alone, _ = propagate_osculating(one, t, POLE, forces=ALL, epoch=EPOCH, surface=mine)
        np.testing.assert_allclose(made.r_gcrs[:, k], np.asarray(alone)[:, 0], atol=1e-6)
    gaps = np.linalg.norm(made.r_gcrs[1] - made.r_gcrs[1, 0], axis=1)
    assert gaps[2] == pytest.approx(4.0 * gaps[1], rel=0.05)  # drag rules, and it is linear


def test_backwards_and_later_starts():
    # the clock of Sun and Moon starts at the elements' epoch, whatever the grid
    e = orbits((4.2e7, 0.01, 0.2, 0.0, 0.0, 0.0))
    go = partial(propagate_osculating, e, pole=POLE, forces=ALL, epoch=EPOCH)
    whole = np.asarray(go(t=np.arange(-7200.0, 7201.0, 1800.0))[0])
    np.testing.assert_allclose(np.asarray(go(t=np.array([3600.0, 7200.0]))[0]), whole[[6, 8]], atol=1e-3)


def test_forces_without_what_they_need():
    e = orbits((7e6, 0.0, 1.0, 0.0, 0.0, 0.0))
    t = np.array([0.0, 60.0])
    for forces in (Forces(sun=True), Forces(moon=True), Forces(solar_pressure=True)):
        with pytest.raises(PhysicsError, match="without a date"):
            propagate_osculating(e, t, forces=forces)
    for surface, word in (
        (Surface(-0.01), "area_to_mass_m2_kg of -0.01"),
        (Surface(0.01, np.nan), "drag_coefficient of nan"),
        (Surface(0.01, 2.2, np.array([1.0, 3.0])), "reflection of 3"),
    ):
        with pytest.raises(PhysicsError, match=word) as caught:
            propagate_osculating(e, t, forces=Forces(drag=True), surface=surface)
        assert caught.value.remedy
    assert propagate_osculating(e, np.array([]), forces=ALL, epoch=EPOCH)[0].shape == (0, 1, 3)


def test_decay_is_named():
    # 110 km: a light body is down within hours; without air it would fly on
    e = orbits((7e6, 0.0, 1.0, 0.0, 0.0, 0.0), (R + 140e3, 0.0, 1.0, 0.0, 0.0, 0.0))
    t = np.arange(0.0, 7201.0, 60.0)
    with pytest.raises(PhysicsError, match=r"satellite 2: drag brings it below 100 km") as caught:
        propagate_osculating(e, t, forces=Forces(drag=True), surface=Surface(0.1))
    assert "raise the orbit" in caught.value.remedy
    assert np.isfinite(np.asarray(propagate_osculating(e, t)[0])).all()


def test_constants_are_the_models():
    # EGM96 fully normalised C20, C30, C40 (Lemoine et al. 1998): -484.165371736e-6, 957.254173792e-9, 539.873863789e-9
    assert pytest.approx(484.165371736e-6 * np.sqrt(5), rel=1e-8) == EARTH_J2
    assert pytest.approx(-957.254173792e-9 * np.sqrt(7), rel=1e-8) == f.EARTH_J3
    assert pytest.approx(-539.873863789e-9 * 3, rel=1e-8) == f.EARTH_J4
    assert (EARTH_RADIUS_M, EARTH_MU) == (R, MU)
    assert Forces() == J2_ONLY

"""Mean-element propagation against published J2 rates, closed forms and numerical integration."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import noroshi._jax  # noqa: F401
from noroshi.constants import EARTH_MU, EARTH_RADIUS_M
from noroshi.orbits.elements import Elements, elements_from_state
from noroshi.orbits.kepler import eccentric_anomaly, osculating_state, propagate_mean, secular_rates
from noroshi.orbits.numerical import propagate_osculating

DAY_S = 86400.0


def orbit(altitude_km: float, i_deg: float, e: float = 0.0, raan=0.3, argp=0.0, mean_anomaly=0.5) -> Elements:
    a = EARTH_RADIUS_M + altitude_km * 1e3
    return Elements(*(np.array([x]) for x in (a, e, np.deg2rad(i_deg), raan, argp, mean_anomaly)))


@pytest.mark.parametrize(
    ("e", "bound"), [(0.0, 1e-15), (0.01, 2e-15), (0.3, 1e-14), (0.7, 1e-12), (0.97, 3e-12)]
)
def test_keplers_equation_over_eccentricity(e, bound):
    # the residual itself, over three turns; bounds: rounding of angles near 10 up to e = 0.3, then what two
    # Newton steps leave of a starter that is off by 0.002 rad
    mean = jnp.linspace(-9.0, 9.0, 20001)
    big = eccentric_anomaly(mean, jnp.full_like(mean, e))
    assert float(jnp.abs(big - e * jnp.sin(big) - mean).max()) < bound
    assert bool(jnp.all(jnp.diff(big) > 0))


@given(st.floats(0.0, 0.99), st.floats(-1e5, 1e5))
def test_keplers_equation_anywhere(e, mean):
    big = float(eccentric_anomaly(jnp.float64(mean), jnp.float64(e)))
    # 3e-12 of the solver and the rounding of the large angle, which e near one makes a hundred times worse
    assert abs(big - e * np.sin(big) - mean) < 5e-12 + 1e-15 * abs(mean)


def test_keplers_equation_differentiates():
    # closed form: dE/dM = 1 / (1 - e cos E), dE/de = sin E / (1 - e cos E)
    mean, e = 0.4, 0.6
    big = float(eccentric_anomaly(jnp.float64(mean), jnp.float64(e)))
    by_mean, by_e = jax.grad(eccentric_anomaly, argnums=(0, 1))(jnp.float64(mean), jnp.float64(e))
    assert float(by_mean) == pytest.approx(1.0 / (1.0 - e * np.cos(big)), rel=1e-10)
    assert float(by_e) == pytest.approx(np.sin(big) / (1.0 - e * np.cos(big)), rel=1e-10)


@pytest.mark.parametrize(
    ("altitude_km", "i_deg", "degrees_per_day"),
    [(1000, 60, -2.992399), (1000, 80, -1.039249), (550, 53, -4.489193)],
)
def test_node_rate(altitude_km, i_deg, degrees_per_day):
    # V-105: -1.5 n J2 (Re/a)^2 cos i worked by hand; 1e-6 deg/day is its last digit
    node, _, _ = secular_rates(orbit(altitude_km, i_deg))
    assert np.rad2deg(float(node[0])) * DAY_S == pytest.approx(degrees_per_day, abs=1e-6)


@pytest.mark.parametrize(("altitude_km", "minutes"), [(1000, 105.1187), (550, 95.6499)])
def test_period(altitude_km, minutes):
    # V-105: two-body period, from the mean-anomaly rate with its J2 part taken off (zero where sin^2 i = 2/3)
    magic = np.rad2deg(np.arcsin(np.sqrt(2.0 / 3.0)))
    _, _, anomaly = secular_rates(orbit(altitude_km, magic))
    assert 2 * np.pi / float(anomaly[0]) / 60.0 == pytest.approx(minutes, abs=1e-4)


@pytest.mark.parametrize(("altitude_km", "i_deg"), [(500, 97.4018), (800, 98.6031), (1000, 99.4793)])
def test_sun_synchronous_inclination(altitude_km, i_deg):
    # V-106: the node turns once a tropical year; 1e-3 deg is the row's tolerance
    retrograde, _, _ = secular_rates(orbit(altitude_km, 180.0))
    needed = 2.0 * np.pi / 365.2422 / DAY_S
    assert np.rad2deg(np.arccos(-needed / float(retrograde[0]))) == pytest.approx(i_deg, abs=1e-3)


def test_critical_inclination_holds_the_perigee():
    # Molniya: 63.4349 deg (2 - 2.5 sin^2 i = 0)
    _, perigee, _ = secular_rates(orbit(500, 63.43494882, 0.7))
    assert abs(float(perigee[0])) < 1e-15


@pytest.mark.parametrize("e", [0.0, 0.001, 0.7])
def test_velocity_is_the_derivative(e):
    # central differences over 0.2 s: their own error is r''' h^2 / 6, below 1e-3 m/s even at a low perigee
    elements = orbit(800 if e < 0.5 else 20_000, 63.0, e, argp=1.0, mean_anomaly=6.0)
    t = np.arange(0.0, 3000.0, 0.1)
    r, v = (np.asarray(x) for x in propagate_mean(elements, t))
    np.testing.assert_allclose(v[1:-1], (r[2:] - r[:-2]) / 0.2, atol=1e-3)


def test_circular_orbits_are_the_limit_of_elliptic_ones():
    # the two programs must join: e = 1e-9 moves a satellite by 2 a e = 15 mm at most
    t = np.linspace(0.0, DAY_S, 500)
    exact, _ = propagate_mean(orbit(1000, 60), t)
    near, _ = propagate_mean(orbit(1000, 60, 1e-9), t)
    np.testing.assert_allclose(np.asarray(near), np.asarray(exact), atol=0.03)


def test_without_time_it_is_the_osculating_state():
    two = zip(orbit(700, 53, 0.02), orbit(9000, 110, 0.4, 2.0, 3.0, 4.0), strict=True)
    elements = Elements(*(np.concatenate(x) for x in two))
    r, v = propagate_mean(elements, np.zeros(1))
    r0, v0 = osculating_state(elements)
    np.testing.assert_allclose(np.asarray(r[0]), np.asarray(r0), atol=1e-8)
    # the drift of the node and perigee is in the first velocity and not in the second: at most 10 m/s
    gap = np.linalg.norm(np.asarray(v[0] - v0), axis=-1)
    assert np.all((gap > 0.1) & (gap < 10.0))


@given(
    st.floats(6.6e6, 4.3e7),
    st.floats(0.0, 0.9),
    st.floats(0.0, np.pi),
    st.floats(0.0, 6.28),
    st.floats(0.0, 6.28),
    st.floats(0.0, 6.28),
)
def test_elements_and_state_agree(a, e, i, raan, argp, mean_anomaly):
    # there and back: the state, not the angles, which are not defined on circular or equatorial orbits.
    # Angles of a nearly circular orbit come from differences of order e: 1e-16 / e of the radius, at worst
    # 1e-4
    elements = Elements(*(np.array([x]) for x in (a, e, i, raan, argp, mean_anomaly)))
    r, v = (np.asarray(x) for x in osculating_state(elements))
    found = elements_from_state(r, v)
    again, v_again = (np.asarray(x) for x in osculating_state(found))
    np.testing.assert_allclose(again, r, atol=1.0)
    np.testing.assert_allclose(v_again, v, atol=1e-3)
    assert found.a[0] == pytest.approx(a, rel=1e-10)
    # vis-viva
    assert np.sum(v * v) == pytest.approx(EARTH_MU * (2 / np.linalg.norm(r) - 1 / a), rel=1e-9)


@pytest.mark.parametrize(
    ("circular", "rms_m", "largest_m", "share"),
    [
        # V-109: 10.2 km rms and 13.4 km at most, to the row's 20 %. That is what a fit leaves which keeps the
        # mean orbit circular: between 4.0 and 10.7 km as the circle's starting point goes round (scanned),
        # nearly all of it the mean eccentricity of an osculating circle. Here the worst point, 90 deg from
        # the node
        (True, 10.2e3, 13.4e3, 0.2),
        # with the eccentricity fitted only the short-period terms stay. Their closed first-order amplitudes
        # (Kozai 1959) at 1000 km, 60 deg: radius 1.1 km, node 1.9 km, inclination 1.9 km; 1.4 km rms,
        # measured
        (False, 1.42e3, 2.24e3, 0.03),
    ],
)
def test_j2_secular_against_integration(circular, rms_m, largest_m, share):
    t = np.arange(0.0, DAY_S + 1.0, 300.0)
    truth = np.asarray(propagate_osculating(orbit(1000, 60, mean_anomaly=np.pi / 2), t)[0])[:, 0]
    free = np.array([0, 3, 4, 5] if circular else range(6))

    def positions(x):
        # (a, e cos w, e sin w, i, raan, argument of latitude) is regular near the circle
        e, argp = jnp.hypot(x[1], x[2]), jnp.arctan2(x[2], x[1])
        fields = (x[0] * EARTH_RADIUS_M, e, x[3], x[4], argp, x[5] - argp)
        return propagate_mean(Elements(*(f[None] for f in fields)), t)[0][:, 0].ravel()

    start = 1e-12 if circular else 3e-4
    x = jnp.array([1.0 + 1e6 / EARTH_RADIUS_M, start, start, np.deg2rad(60.0), 0.3, np.pi / 2])
    slope = jax.jit(jax.jacfwd(positions))
    for _ in range(8):
        step, *_ = jnp.linalg.lstsq(slope(x)[:, free], truth.ravel() - positions(x))
        x = x.at[free].add(step)
    gap = np.linalg.norm(np.asarray(positions(x)).reshape(-1, 3) - truth, axis=1)
    assert np.sqrt(np.mean(gap**2)) == pytest.approx(rms_m, rel=share)
    assert gap.max() == pytest.approx(largest_m, rel=share)


def test_osculating_numbers_are_not_mean_ones():
    # trap: osculating elements taken for mean ones run 814 km off in a day at worst (physics reference, 1000
    # km)
    t = np.arange(0.0, DAY_S + 1.0, 300.0)
    gaps = []
    for u in np.arange(8) * np.pi / 8:
        elements = orbit(1000, 60, mean_anomaly=u)
        r = (np.asarray(f(elements, t)[0])[:, 0] for f in (propagate_mean, propagate_osculating))
        gaps.append(np.linalg.norm(np.subtract(*r), axis=1).max())
    assert 0.5 * 814e3 < max(gaps) < 1.2 * 814e3


def test_derivative_with_respect_to_altitude():
    # differentiable through the drift: forward mode against central differences of 10 m
    t = np.array([0.0, 5000.0])
    elements = orbit(1000, 60, 0.01)

    def where(a):
        return propagate_mean(elements._replace(a=a), t)[0]

    slope = jax.jacfwd(where)(elements.a)[..., 0]
    difference = (where(elements.a + 10.0) - where(elements.a - 10.0)) / 20.0
    np.testing.assert_allclose(np.asarray(slope), np.asarray(difference), rtol=1e-5, atol=1e-6)

"""Sine and cosine against the C library's."""

import jax
import numpy as np
import pytest

from noroshi.orbits.sincos import sincos


@pytest.mark.parametrize("reach", [1.0, 10.0, 1e6])
def test_against_the_library(reach):
    # NumPy's are right to the last place, 1.1e-16 near 1; ours add one rounding
    x = np.concatenate(
        [np.random.default_rng(3).uniform(-reach, reach, 200_000), [0.0, np.pi / 4, -np.pi / 4]]
    )
    sin, cos = sincos(x)
    np.testing.assert_allclose(sin, np.sin(x), rtol=0, atol=2.3e-16)
    np.testing.assert_allclose(cos, np.cos(x), rtol=0, atol=2.3e-16)


def test_near_multiples_of_a_quarter_turn():
    # where the difference of x and the multiple is all that is left: sin(n pi in float64) is what pi's rounding leaves
    n = np.arange(1.0, 2000.0)
    np.testing.assert_allclose(sincos(n * np.pi)[0], np.sin(n * np.pi), rtol=0, atol=1e-17 * 2000)
    np.testing.assert_allclose(
        sincos(n * np.pi / 2)[1][::2], np.cos(n * np.pi / 2)[::2], rtol=0, atol=1e-17 * 2000
    )


def test_derivatives():
    x = np.linspace(-7.0, 7.0, 50)
    (_, _), (dsin, dcos) = jax.jvp(sincos, (x,), (np.ones(50),))
    np.testing.assert_allclose(dsin, np.cos(x), rtol=0, atol=2.3e-16)
    np.testing.assert_allclose(dcos, -np.sin(x), rtol=0, atol=2.3e-16)

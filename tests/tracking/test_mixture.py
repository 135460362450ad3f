"""The mixture of models: chances of a change of mode, and time taken in steps."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from noroshi.tracking.mixture import advance, transition_probabilities
from noroshi.tracking.parameters import Motion, parameters
from noroshi.tracking.presets import default_config


def rows(*models):
    return np.array([parameters(m) for m in models])


def test_chances_of_a_change_of_mode():
    models = default_config().models
    dwell = [m.dwell_s for m in models]
    out = np.empty((3, 3))
    transition_probabilities(rows(*models), 2.0, out)
    np.testing.assert_allclose(out.sum(axis=1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(np.diag(out), np.exp([-2.0 / d for d in dwell]), rtol=1e-15)
    # what leaves a mode goes to the others alike
    assert out[0, 1] == out[0, 2]
    # a mode for ever is never left
    transition_probabilities(rows(models[0], models[1]._replace(dwell_s=inf), models[2]), 2.0, out)
    np.testing.assert_array_equal(out[1], [0.0, 1.0, 0.0])
    one = np.empty((1, 1))
    transition_probabilities(rows(models[0]), 2.0, one)
    assert one[0, 0] == 1.0


def test_a_long_gap_is_taken_in_steps():
    # without gravity a Singer model is linear: 12 s at once (in three steps) = 12 steps of 1 s
    p0 = np.diag(np.repeat([1e4, 1e2, 9.0], 3))
    x0 = np.array([7e6, 0.0, 0.0, 0.0, 3e3, 0.0, 1.0, 2.0, 3.0])
    model = rows(Motion("singer", "manoeuvring", dwell_s=inf, tau_s=20.0, sigma_m_s2=10.0, gravity=False))
    results = []
    for steps in (1, 12):
        mean, cov, weight = x0[None, None].copy(), p0[None, None].copy(), np.ones((1, 1))
        for _ in range(steps):
            advance(
                mean, cov, weight, np.zeros((1, 1, 0, 9, 3)), np.zeros(1, np.int64), model, False,
                12.0 / steps, np.empty((5, 9, 9)),
            )  # fmt: skip
        results.append((mean[0, 0], cov[0, 0]))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-12)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("t", [0.5, 30.0])
def test_mixing_keeps_the_weights_and_the_mean_of_models_that_agree(t):
    # three models with one state and one covariance: mixing them gives that state again before it is moved
    models = rows(*default_config().models)
    mean = np.tile(np.array([7e6, 0.0, 0.0, 0.0, 7e3, 0.0, 0.0, 0.0, 0.0]), (1, 3, 1))
    mean[0, 1, 6] = np.log(5_000.0)
    cov = np.tile(np.diag(np.repeat([1e4, 1e2, 1.0], 3)), (1, 3, 1, 1))
    weight = np.array([[0.2, 0.3, 0.5]])
    chances = np.empty((3, 3))
    transition_probabilities(models, min(t, 5.0), chances)
    advance(
        mean,
        cov,
        weight,
        np.zeros((1, 3, 0, 9, 3)),
        np.zeros(1, np.int64),
        models,
        False,
        t,
        np.empty((5, 9, 9)),
    )
    assert weight.sum() == pytest.approx(1.0, rel=1e-12)
    if t < 5.0:
        np.testing.assert_allclose(weight[0], np.array([0.2, 0.3, 0.5]) @ chances, rtol=1e-12)
    # no push and hardly any air at 620 km: the three differ by what 5 s of it make of a prior without a mean, nothing
    assert np.linalg.norm(mean[0, :, :3] - mean[0, 0, :3], axis=1).max() < 1.0
    np.testing.assert_array_equal(cov[0], np.swapaxes(cov[0], 1, 2))

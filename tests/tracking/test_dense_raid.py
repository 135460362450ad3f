"""Raids: nobody's track stolen, no ghosts, cues named right; on draws of the HGT-24 kind made here."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.dense import floor
from benchmarks.hgt24_data import of_raid
from benchmarks.hgt24_kernel import cued_config, track_cued, track_uncued, uncued_config
from benchmarks.hgt24_raid import make_raid
from benchmarks.hgt24_score import confirmed_at, cued_scores, uncued_scores


# 20 targets in a 10-km box: the aims are means of at most 1 and 5 over 20 draws (benchmarks/dense.py measured 0 and
# 3.6); the mean of 5 draws of a number spread by 2 lies within 0.9 of the mean, one sigma
def test_a_dense_raid_keeps_its_targets_and_most_of_its_names():
    target, identity, wrong = [], [], []
    for seed in range(601, 606):
        case = of_raid(make_raid(20, 10e3, 5.0, seed), str(seed), 5.0)
        scores = cued_scores(case.truth, track_cued(case, cued_config(), calls=1).picture)
        target.append(scores["lost_target"])
        identity.append(scores["lost_identity"])
        wrong.append(floor(case.truth, case.cue).wrong)
    assert np.mean(target) <= 1.0
    assert np.mean(wrong) <= np.mean(identity) + 1.0, "nobody beats the floor by more than luck"
    assert np.mean(identity) <= 5.0 + 0.9


def test_settling_names_late_is_what_keeps_them():
    case = of_raid(make_raid(20, 10e3, 5.0, 601), "601", 5.0)
    lost = [
        cued_scores(case.truth, track_cued(case, cued_config()._replace(cue_resolve_s=s), calls=1).picture)
        for s in (0.0, 12.0)
    ]
    assert lost[1]["lost_identity"] < lost[0]["lost_identity"]
    assert lost[1]["lost_target"] <= 1


# these two draws had ghosts for minutes while young tracks took single lines of their neighbours
@pytest.mark.parametrize("seed", [201, 209])
def test_own_initiation_leaves_no_ghost(seed):
    case = of_raid(make_raid(20, 200e3, 5.0, seed), str(seed), 5.0)
    picture = track_uncued(case, uncued_config(), calls=1).picture
    scores = uncued_scores(case.truth, picture)
    cued = cued_scores(case.truth, track_cued(case, cued_config(), calls=1).picture)
    assert scores["false_tracks"] <= 1
    assert scores["lost_target"] == 0
    assert confirmed_at(case.truth, picture).max() <= 15.0
    assert scores["gospa_m"] <= 1.1 * cued["gospa_m"]

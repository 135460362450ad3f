"""Release rules: nothing leaves that no rule names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noroshi.network.models import LEVELS, ShareRule
from noroshi.network.release import decide

NATIONS = ("AUS", "JPN", "USA", "GBR")
nations = st.sampled_from(NATIONS)
levels = st.sampled_from(LEVELS)
rule = st.builds(ShareRule, source=nations, to=nations, level=levels, delay_s=st.floats(0, 100))
rules = st.lists(rule, max_size=8)
names = st.frozensets(nations, min_size=1)


def named(given_rules: list[ShareRule], source: str, to: str, level: str) -> bool:
    """The requirement in words: some rule from source to `to` at this level or a higher one."""
    return any(
        r.source == source
        and r.to == to
        and LEVELS.index(r.level) >= LEVELS.index(level)
        and r.level != "none"
        for r in given_rules
    )


@given(rules, names, nations, levels)
def test_released_exactly_when_every_originator_has_a_rule(
    given_rules: list[ShareRule], originators: frozenset[str], to: str, level: str
) -> None:
    wanted = level != "none" and all(named(given_rules, o, to, level) for o in originators - {to})
    assert (decide(given_rules, originators, to, level) is not None) == wanted  # pyright: ignore


@given(rules, names, nations, levels)
def test_a_removed_rule_never_releases_more_nor_sooner(
    given_rules: list[ShareRule], originators: frozenset[str], to: str, level: str
) -> None:
    before = decide(given_rules, originators, to, level)  # pyright: ignore
    for k in range(len(given_rules)):
        after = decide(given_rules[:k] + given_rules[k + 1 :], originators, to, level)  # pyright: ignore
        if after is not None:
            assert before is not None
            assert before.delay_s <= after.delay_s


@given(
    st.permutations([ShareRule("USA", "JPN", "detection", 3.0), ShareRule("USA", "JPN", "track", 1.0)]),
    levels,
)
def test_the_order_of_rules_does_not_matter(shuffled: list[ShareRule], level: str) -> None:
    expected = {"none": None, "cue": 1.0, "track": 1.0, "tracklet": 3.0, "detection": 3.0}[level]
    found = decide(shuffled, {"USA"}, "JPN", level)  # pyright: ignore
    assert (None if found is None else found.delay_s) == expected


@given(st.permutations([("USA", 5.0), ("JPN", 2.0)]))
def test_a_fused_datum_needs_every_originator_and_waits_for_the_slowest_review(
    pairs: list[tuple[str, float]],
) -> None:
    both = [ShareRule(source, "AUS", "detection", delay) for source, delay in pairs]
    found = decide(both, {"USA", "JPN"}, "AUS", "detection")
    assert found is not None
    assert found.delay_s == 5.0
    for k in range(2):
        assert decide(both[:k] + both[k + 1 :], {"USA", "JPN"}, "AUS", "detection") is None


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "none"])
def test_no_rules_release_nothing_but_a_nations_own(level: str) -> None:
    assert decide([], {"USA"}, "JPN", level) is None  # pyright: ignore
    assert decide([], {"JPN"}, "JPN", level) is not None  # pyright: ignore
    assert decide([], set(), "JPN", level) is None  # pyright: ignore


def test_onward_release_needs_the_originators_consent_not_the_senders() -> None:
    # A -> B and B -> C are allowed; what A saw may still not reach C through B
    chain = [ShareRule("USA", "JPN", "detection", 0.0), ShareRule("JPN", "AUS", "detection", 0.0)]
    assert decide(chain, {"USA"}, "JPN", "detection") is not None
    assert decide(chain, {"USA"}, "AUS", "detection") is None
    assert decide(chain, {"USA", "JPN"}, "AUS", "detection") is None

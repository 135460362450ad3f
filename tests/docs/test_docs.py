"""The documentation says what the code does: generated pages are fresh, every key and outcome is described."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from noroshi.network.deliver import Why
from noroshi.tables import Reason

DOCS = Path(__file__).parents[2] / "docs"
ROOT = DOCS.parent


def test_scenario_reference_is_fresh() -> None:
    generated = runpy.run_path(str(DOCS / "generate.py"))["page"]()
    assert (DOCS / "reference" / "scenario.md").read_text("utf-8") == generated, (
        "run: python docs/generate.py"
    )


@pytest.mark.parametrize("reason", Reason)
def test_every_outcome_of_a_look_is_documented(reason: Reason) -> None:
    assert f"`{reason.name.lower()}`" in (DOCS / "reference" / "summary.md").read_text("utf-8")


@pytest.mark.parametrize("why", Why)
def test_every_reason_of_a_delivery_is_documented(why: Why) -> None:
    assert f"`{why.name}`" in (DOCS / "theory" / "network.md").read_text("utf-8")


@pytest.mark.parametrize(
    "page", ["README.md", "README.ja.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/README.md"]
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for part in text.split("](")[1:]:
        target = part.split(")")[0].split("#")[0]
        if target and "://" not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"

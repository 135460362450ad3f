"""The page: one table behind sentence, cards, charts and tables; both languages; nothing fetched, nothing injected."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from make_run import MANIFEST, SCENARIO, make_run, studied

from noroshi.errors import NoroshiError
from noroshi.report import data, figures, page
from noroshi.report.text import EN, JA, Say
from noroshi.results import Run
from noroshi.scenario.schema import Scenario

built = pytest.mark.skipif(
    not all((page._STATIC / name).is_file() for name in page.PIECES),
    reason="the front end has not been built: run `make web`",
)


@pytest.fixture(scope="module")
def run() -> Run:
    return make_run()


@pytest.fixture(scope="module")
def text(run: Run) -> str:
    return page.render(run, studied(run), MANIFEST)


def main_of(text: str, lang: str) -> str:
    """The words of one language's part, tags, scripts and swatches taken out."""
    part = re.search(rf'<main id="main-{lang}".*?</main>', text, re.S)
    assert part is not None
    bare = re.sub(r"<script.*?</script>|<svg.*?</svg>", " ", part[0], flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", bare))


def specs_of(text: str, lang: str) -> str:
    part = re.search(rf'<main id="main-{lang}".*?</main>', text, re.S)
    assert part is not None
    return " ".join(re.findall(r'<script type="application/json" class="spec">(.*?)</script>', part[0], re.S))


def test_both_languages_have_every_word() -> None:
    assert EN.keys() == JA.keys()
    for key in EN:
        holes = [{name for _, name, _, _ in Formatter().parse(table[key]) if name} for table in (EN, JA)]
        assert holes[0] == holes[1], key
        assert EN[key], key


# units, symbols and proper names that Japanese text keeps in Latin letters
KEPT = (
    r"(?<![A-Za-z])(UTC|JST|km|Vega|Lite|BSD|Clause|Natural|Earth|world|atlas|ISC|JavaScript|runs|sha256|tables"
    r"|warnings|parquet|GOSPA|SIAP|NEES)(?![A-Za-z])"
)


def test_japanese_words_are_japanese() -> None:
    for key, words in JA.items():
        rest = re.sub(KEPT, "", re.sub(r"\{\w+\}", "", words))
        assert not re.search(r"[A-Za-z]{2,}", rest), (key, words)


@built
@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        (
            "en",
            "Japan could have warned the public in Midland of arrow at T+1 min (09:01:10 JST), 40 s before it "
            "passed over; the real public warning came at 09:02 JST: 2 min after the alternative launch minute, "
            "09:00 JST, which fits the flight, or 1 min after the reported launch minute, 09:01 JST, which does "
            "not fit the flight.",
        ),
        (
            "ja",
            "日本はarrowについて、中の国の住民へT+1分（日本時間09:01:10）に警報を出せた。上空通過の40秒前である。実際の警報は"
            "日本時間09:02で、飛行と整合する発射時刻（別の候補、日本時間09:00）の2分後、飛行と整合しない発射時刻（公表の時刻、"
            "日本時間09:01）の1分後だった。",
        ),
    ],
)
def test_the_sentence(run: Run, text: str, lang: Any, expected: str) -> None:
    report = data.collect(run, run.summary, MANIFEST)
    assert page.sentence(report, Say(lang)) == expected
    assert expected in main_of(text, lang)


@built
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_sentence_cards_charts_and_tables_agree(run: Run, text: str, lang: Any) -> None:
    """Each figure, as its card prints it, stands again where the page repeats it."""
    say = Say(lang)
    words, specs = main_of(text, lang), specs_of(text, lang)
    cards = {
        c.key: figures.card_value(c.key, c.value, say)
        for c in data.collect(run, studied(run), MANIFEST).cards
    }
    assert cards["custody_2"] == "80.0 %"
    assert cards["rmse_position_m"] == "30 m"
    for value in cards.values():
        assert value in words
    assert say("custody_2_short", share=cards["custody_2"]) in specs
    assert f"{say.label('JPN')}: {say('rms', value=cards['rmse_position_m'])}" in specs
    sentence = page.sentence(data.collect(run, run.summary, MANIFEST), say)
    assert cards["warning_lead_s"] in sentence
    public = say.seconds(run.summary["nodes"]["JPN"]["targets"]["arrow"]["t_warning_public_s"], sign=True)
    assert public in sentence
    assert say("event_label", who=say.label("JPN"), when=public) in specs  # timeline
    # waterfall chart and table
    for loss in ("78.5 %", "17.5 %", "4.0 %"):
        assert loss in specs
        assert loss in words
    assert words.count("100.0 %") == 2
    # the 95 % latency is where the curve of the home node reaches 95 %
    sets = json.loads(re.search(r'id="datasets">(.*?)</script>', text, re.S)[1])  # type: ignore[index]
    rows = zip(*sets["latency"].values(), strict=True)
    at = min(latency for node, latency, share in rows if node == "JPN" and share >= 0.95)
    assert f"{at:.2f}{say('unit_s')}" == cards["latency_p95_s"]


@built
def test_the_study_is_told(text: str) -> None:
    words = main_of(text, "en")
    assert "5–95 % of 10 layer phases: 70.0 % to 90.0 %" in words
    assert "5–95 % of 10 layer phases: 20 m to never" in words
    assert "5–95 % of 10 layer phases: 30 s to 40 s" in words
    assert re.search(r"United States\s+alone\s+T\+1 min\s+never\s+never\s+7/10", words)


@built
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_source_and_reason_is_on_the_page(text: str, lang: str) -> None:
    words = main_of(text, lang)
    for stated in re.findall(r'^(?:notional|source|reason) = "(.*)"$', SCENARIO, re.M):
        assert stated in words


@built
def test_the_banner_says_what_it_is(text: str) -> None:
    assert "NOTIONAL EXERCISE DATA" in text
    assert "訓練用・架空データ" in text


@built
def test_the_scenario_cannot_write_into_the_page(text: str) -> None:
    """The made-up title holds a tag and a `</script>`: both must come out as words."""
    assert "<b>flight</b>" not in text
    assert "Made-up &lt;b&gt;flight&lt;/b&gt; &lt;/script&gt; &amp; co." in text
    lowered = text.lower()
    assert lowered.count("<script") - lowered.count("</script") in (0, text.count("<\\/script"))
    assert Counter(re.findall(r"</?main", text)) == {"<main": 2, "</main": 2}


@built
def test_nothing_is_fetched_and_little_is_carried(text: str) -> None:
    assert len(text.encode()) < 2_000_000
    assert not re.search(r"<(?:link|img|iframe|script)[^>]+(?:src|href)=", text)
    assert "default-src 'none'" in text
    assert "unsafe-eval" not in text


@built
@pytest.mark.parametrize("how", [{"warned": False}, {"seen": False}])
def test_a_run_without_warnings_says_so(how: dict[str, bool]) -> None:
    run = make_run(**how)
    text = page.render(run, run.summary, MANIFEST, lang="ja")
    assert '<html lang="ja">' in text
    assert "No node could warn anybody of arrow; the real public warning came at" in main_of(text, "en")
    assert "どの国の拠点もarrowの警報を出せなかった" in main_of(text, "ja")
    assert "None." in main_of(text, "en")
    assert "✗ not met" in main_of(text, "en")


@built
def test_a_run_without_published_facts_asks_nothing_of_them(run: Run) -> None:
    text = page.render(run, run.summary | {"published": {}}, MANIFEST)
    assert "Published minutes" not in main_of(text, "en")
    assert "40 s before it passed over." in main_of(text, "en")


def test_without_its_front_end_it_says_what_to_do(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "_STATIC", tmp_path)
    with pytest.raises(NoroshiError, match=r"report\.js") as caught:
        page.render(run, run.summary, MANIFEST)
    assert "make web" in caught.value.remedy


def test_clocks_and_spans() -> None:
    en, ja = Say("en"), Say("ja")
    assert en.clock("2017-08-28T20:57:00Z") == "20:57 UTC (05:57 JST)"  # Japan is nine hours ahead of UTC
    assert Say("en", japan=False).local("2017-08-28T20:57:10Z", second=True) == "20:57:10 UTC"
    assert ja.local("2017-08-28T20:57:00Z") == "日本時間05:57"
    assert [en.seconds(t) for t in (0, 59.6, 65, 120, -3, None)] == [
        "0 s",
        "1 min",
        "1 min 05 s",
        "2 min",
        "−3 s",
        "never",
    ]
    assert en.seconds(217, sign=True) == "T+3 min 37 s"
    assert ja.seconds(217, sign=True) == "T+3分37秒"


def test_every_table_that_says_where_it_comes_from_has_a_name() -> None:
    """Wherever a scenario may hold `source` or `notional`, the report's list of assumptions names the table."""
    found: set[str] = set()

    def walk(node: Any, key: str) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                part = definitions[node["$ref"].rsplit("/", 1)[1]]
                if {"source", "notional"} & part.get("properties", {}).keys():
                    found.add(key)
                for name, inner in part.get("properties", {}).items():
                    walk(inner, name)
            for name, inner in node.items():
                if name != "$defs":
                    walk(inner, key)
        elif isinstance(node, list):
            for inner in node:
                walk(inner, key)

    schema = Scenario.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    for name, part in schema["properties"].items():
        walk(part, name)
    assert "signature" in found
    for name in found:
        assert f"part_{name}" in EN, name
        assert f"part_{name}" in JA, name

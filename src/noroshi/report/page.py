"""The report: one HTML file in two languages, no request to any host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Any, get_args

import numpy as np

from noroshi.errors import NoroshiError
from noroshi.report import data, figures
from noroshi.report.data import Report
from noroshi.report.text import Lang, Say
from noroshi.results import Run
from noroshi.scenario import build
from noroshi.tables import Notice, Reason
from noroshi.time import utc_text

WARNING_ROWS = 40  # in the page; all of them are in the table on disk
COAST_STRIDE_DEG = 60.0  # a wider map takes every third point of the coast
_HERE = files("noroshi") / "report"
_STATIC = _HERE / "static"


def check_built() -> None:
    """Raise NoroshiError with the remedy when the front-end pieces have not been built."""
    for name in ("report.js", "coast.json"):
        if not (_STATIC / name).is_file():
            raise NoroshiError(
                f"the report's {name} has not been built",
                remedy="in a checkout run `make web` once; a wheel has it",
            )


def render(run: Run, summary: dict[str, Any], manifest: dict[str, Any], *, lang: Lang = "en") -> str:
    """The page. `summary` may carry `statistics` and `phase_study`; `lang` is shown first, the other at a click."""
    check_built()
    report = data.collect(run, summary, manifest)
    script = (_STATIC / "report.js").read_text("utf-8").replace("</script", "<\\/script")
    style = (_HERE / "page.css").read_text("utf-8")
    mains = "".join(_main(report, Say(each), shown=each == lang) for each in get_args(Lang))
    buttons = "".join(
        f'<button type="button" data-to="{each}" aria-pressed="{str(each == lang).lower()}" lang="{each}">'
        f"{label}</button>"
        for each, label in (("en", "English"), ("ja", "日本語"))
    )
    banner = "".join(
        f'<span data-lang="{each}"{"" if each == lang else " hidden"}>'
        f"<b>{escape(Say(each)('banner'))}</b> — {escape(Say(each)('banner_more'))}</span>"
        for each in get_args(Lang)
    )
    # the inlined script may run, nothing may be fetched from anywhere, nothing may be evaluated from text
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(_title(report, Say(lang)))}</title><style>{style}</style></head><body>"
        f'<div class="banner">{banner}<nav aria-label="language">{buttons}</nav></div>{mains}'
        f'<script type="application/json" id="coast">{_json(_coast(report))}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


def _title(report: Report, say: Say) -> str:
    scenario = report.run.scenario
    title = scenario.title_ja if say.lang == "ja" and scenario.title_ja else scenario.title
    return title or scenario.name


def _coast(report: Report) -> list[dict[str, Any]]:
    """Coast rows inside the map's extent (x from 30 W to 330 E), thinned on wide maps."""
    west, east, south, north = figures.extent(report)
    step = 3 if east - west > COAST_STRIDE_DEG else 1
    rows = []
    piece = 0
    for line in json.loads((_STATIC / "coast.json").read_text("utf-8")):
        points = np.array(line[::step] + line[-1:])
        x = np.mod(points[:, 0] - data.WEST_DEG, 360.0) + data.WEST_DEG
        y = points[:, 1]
        near = (x > west - 2) & (x < east + 2) & (y > south - 2) & (y < north + 2)
        cut = np.concatenate([[True], (np.abs(np.diff(x)) > 180.0) | ~near[1:] | ~near[:-1]])
        for k in range(len(x)):
            piece += int(cut[k])
            if near[k]:
                rows.append({"x": round(float(x[k]), 2), "y": round(float(y[k]), 2), "piece": piece, "k": k})
    return rows


def _main(report: Report, say: Say, *, shown: bool) -> str:
    parts = [
        f"<h1>{escape(_title(report, say))}</h1>",
        f'<p class="under">{escape(_under(report, say))}</p>',
        f'<p class="answer"><b>{escape(say("answer"))}.</b> {escape(sentence(report, say))}</p>',
        _cards(report, say),
        _figure(say("map"), figures.chart_map(report, say), say("map_note")),
        _figure(say("timeline"), figures.chart_timeline(report, say), say("timeline_note")),
        _published(report, say),
        '<div class="grid">',
        _figure(say("custody"), figures.chart_custody(report, say)),
        _figure(say("error"), figures.chart_error(report, say)),
        _figure(say("latency"), figures.chart_latency(report, say)),
        _figure(say("waterfall"), figures.chart_waterfall(report, say), table=_losses(report, say)),
    ]
    if "phase_study" in report.summary:
        title = say("phase_study", runs=report.summary["phase_study"]["runs"])
        parts.append(
            _figure(title, figures.chart_phase_study(report, say), say("phase_note"), _study(report, say))
        )
    parts += [
        "</div>",
        _warnings(report, say),
        _assumptions(report, say),
        f"<section><h2>{escape(say('limits'))}</h2><p>{escape(say('limits_text'))}</p></section>",
        _provenance(report, say),
    ]
    hidden = "" if shown else " hidden"
    return f'<main data-lang="{say.lang}" lang="{say.lang}"{hidden}>{"".join(parts)}</main>'


def _under(report: Report, say: Say) -> str:
    m = report.manifest
    return (
        f"noroshi {m['versions']['noroshi']} · {say('scenario_hash')} {m['scenario_sha256'][:12]}… · "
        f"{say('seed')} {m['seed']} · {say('runs')} {report.summary['runs']} · {m['command']}"
    )


def sentence(report: Report, say: Say) -> str:
    """The answer in one sentence."""
    a = report.answer
    if a.nation is None or a.area is None or a.t_public is None or a.t_before is None:
        text = say("answer_never", target=a.target)
    else:
        area = next(x for x in report.run.scenario.areas if x.name == a.area)
        lead = a.t_before - a.t_public
        text = say(
            f"answer_{a.before}",
            nation=say.nation(a.nation),
            area=figures.point_name(area, say),
            target=a.target,
            t=say.seconds(a.t_public, sign=True),
            lead=say.seconds(lead) if lead >= 0 else f"−{say.seconds(lead)}",
        )
    utc = data.fitting_launch(report.summary)
    if a.t_published is not None and utc is not None:
        text += say("answer_published", t=say.seconds(a.t_published), utc=say.clock(utc))
    return text + say("answer_stop")


def card_value(key: str, value: float | None, say: Say) -> str:
    """A card's figure with its unit."""
    if value is None:
        return say("never")
    if key == "custody_2":
        return f"{value:.1%}"
    if key == "rmse_position_m":
        return f"{value:,.0f} m"
    if key == "latency_p95_s":
        return f"{value:.2f} s"
    return say.seconds(value) if value >= 0 else f"−{say.seconds(value)}"


def _cards(report: Report, say: Say) -> str:
    cards = []
    for card in report.cards:
        state = {True: "passed", False: "failed", None: ""}[card.passed]
        need = say("required_none")
        if card.required is not None:
            least = card.key in ("custody_2", "warning_lead_s")
            need = say(
                "required_min" if least else "required_max", value=card_value(card.key, card.required, say)
            )
        mark = f' · <span class="mark">{escape(say(state))}</span>' if state else ""
        interval = ""
        if card.low is not None and card.high is not None:
            low, high = card_value(card.key, card.low, say), card_value(card.key, card.high, say)
            interval = f"<p>{escape(say('interval', low=low, high=high))}</p>"
        cards.append(
            f'<div class="card {state}"><h2>{escape(say("card_" + card.key))}</h2>'
            f'<div class="value">{escape(card_value(card.key, card.value, say))}</div>'
            f"<p>{escape(need)}{mark}</p>{interval}</div>"
        )
    nation = say.nation(data.home(report.run))
    return f'<h2>{escape(say("cards", nation=nation))}</h2><div class="cards">{"".join(cards)}</div>'


def _figure(title: str, spec: dict[str, Any], note: str = "", table: str = "") -> str:
    wide = " wide" if spec["width"] == figures.WIDE else ""
    below = f'<p class="note">{escape(note)}</p>' if note else ""
    return (
        f'<figure class="vega{wide}"><figcaption>{escape(title)}</figcaption><div class="chart"></div>'
        f'<script type="application/json">{_json(spec)}</script>{below}{table}</figure>'
    )


def _table(
    head: list[str], rows: Iterator[list[str]] | list[list[str]], numbers: frozenset[int] = frozenset()
) -> str:
    def cell(tag: str, k: int, text: str) -> str:
        return f"<{tag}{' class=n' if k in numbers else ''}>{escape(text)}</{tag}>"

    body = "".join(
        "<tr>" + "".join(cell("td", k, text) for k, text in enumerate(row)) + "</tr>" for row in rows
    )
    heads = "".join(cell("th", k, text) for k, text in enumerate(head))
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _losses(report: Report, say: Say) -> str:
    rows, all_looks, view = [], report.summary["looks"], report.summary["looks_in_view"]
    for reason in Reason:
        name = reason.name.lower()
        if all_looks[name] > 0.0:
            share = f"{100 * view[name]:.1f} %" if name in view else "–"
            rows.append([say(f"reason_{name}"), f"{100 * all_looks[name]:.1f} %", share])
    rows.append([say("total"), f"{100 * sum(all_looks.values()):.1f} %", f"{100 * sum(view.values()):.1f} %"])
    return _table([say("outcome"), say("of_all"), say("of_view")], rows, frozenset({1, 2}))


def _study(report: Report, say: Say) -> str:
    study, target = report.summary["phase_study"], report.run.truth.targets[0]

    def row(nation: str, mode: str) -> list[str]:
        s = study[mode][nation][target]["t_warning_s"]
        return [
            say.nation(nation),
            say(mode),
            *(say.seconds(s[q]) for q in ("p05", "median", "p95")),
            f"{s['never']}/{s['runs']}",
        ]

    rows = [row(nation, mode) for nation in study["shared"] for mode in ("shared", "alone")]
    head = [say("node"), say("sharing"), "5 %", "50 %", "95 %", say("never")]
    return _table(head, rows, frozenset({2, 3, 4, 5}))


def _published(report: Report, say: Say) -> str:
    facts = report.summary["published"]
    if not facts:
        return ""
    verdicts, rows = [], []
    for utc, launch in facts["launch"].items():
        verdict = say("consistent" if launch["consistent"] else "inconsistent")
        text = say("launch_verdict", utc=say.clock(utc), verdict=verdict, tag=launch["tag"])
        verdicts.append(f"<li>{escape(text)}</li>")
    names = {"warning_public": say("event_public"), "impact": say("event_impact")}
    for fact, entry in facts.items():
        if fact == "launch":
            continue
        for utc, at in entry["by_launch"].items():
            reported = say.seconds(at["reported_s"], sign=True)
            if at["reported_until_s"] != at["reported_s"]:
                reported += f" – {say.seconds(at['reported_until_s'], sign=True)}"
            predicted = say.seconds(entry["predicted_s"], sign=entry["predicted_s"] is not None)
            if entry["predicted_until_s"] not in (None, entry["predicted_s"]):
                predicted += f" – {say.seconds(entry['predicted_until_s'], sign=True)}"
            if fact == "warning_public":
                difference, verdict = "–", say("not_compared")
            else:
                difference = "–" if at["difference_s"] is None else f"{at['difference_s']:+.0f} s"
                verdict = (
                    "–"
                    if at["consistent"] is None
                    else say("consistent" if at["consistent"] else "inconsistent")
                )
            rows.append(
                [
                    names.get(fact) or figures.event_name(fact, report, say),
                    say.clock(utc),
                    reported,
                    predicted,
                    difference,
                    verdict,
                    entry["tag"],
                ]
            )
    head = [say(k) for k in ("fact", "event_launch", "reported", "predicted", "difference", "verdict")] + [
        "tag"
    ]
    return (
        f"<section><h2>{escape(say('published'))}</h2><ul>{''.join(verdicts)}</ul>"
        f"{_table(head, rows, frozenset({4}))}</section>"
    )


def _warnings(report: Report, say: Say) -> str:
    run, w = report.run, report.run.warnings
    epoch = build.epoch(run.scenario)
    rows = []
    for r in range(min(len(w.t), WARNING_ROWS)):
        kind = say("impact") if w.impact[r] else say("overflown")
        if w.impact[r] and not np.isfinite(w.lat_rad[r]):
            kind = say("reach")
        size = f"{w.major_m[r] / 1e3:.1f} × {w.minor_m[r] / 1e3:.1f} km" if np.isfinite(w.major_m[r]) else "–"
        when = " – ".join(
            utc_text(epoch, float(t), 0)[11:] for t in (w.t_earliest[r], w.t_latest[r]) if np.isfinite(t)
        )
        rows.append(
            [
                figures.node_name(run.scenario, int(w.node[r]), say),
                utc_text(epoch, float(w.t[r]), 0)[11:],
                utc_text(epoch, float(w.t_public[r]), 0)[11:],
                figures.point_name(run.scenario.areas[int(w.area[r])], say),
                kind,
                say(f"notice_{Notice(int(w.notice[r])).name.lower()}"),
                f"{w.probability[r]:.2f}",
                when or "–",
                size,
            ]
        )
    head = [
        say(k) for k in ("node", "t", "t_public", "area", "kind", "notice", "probability", "when", "ellipse")
    ]
    body = _table(head, rows, frozenset({6})) if rows else f"<p>{escape(say('no_warnings'))}</p>"
    more = len(w.t) - WARNING_ROWS
    note = f'<p class="note">{escape(say("more_rows", count=more))}</p>' if more > 0 else ""
    return f'<section class="long"><h2>{escape(say("warnings"))}</h2>{body}{note}</section>'


def _assumptions(report: Report, say: Say) -> str:
    stated = report.run.scenario.model_dump(by_alias=True, exclude_none=True)
    rows = [[where, source or "–", notional or "–"] for where, source, notional in data.assumptions(stated)]
    reason = report.run.scenario.requirement.reason
    if reason:
        rows.insert(0, ["requirement", "–", reason])
    table = _table([say("where"), say("source"), say("notional")], rows)
    return f'<section class="long"><h2>{escape(say("assumptions"))}</h2>{table}</section>'


def _provenance(report: Report, say: Say) -> str:
    m = report.manifest
    rows = [
        [say("version"), ", ".join(f"{name} {v}" for name, v in m["versions"].items())],
        [say("scenario_hash"), m["scenario_sha256"]],
        [say("seed"), str(m["seed"])],
        [say("runs"), str(report.summary["runs"])],
        [say("command"), m["command"]],
        [say("finished"), m["finished_utc"]],
    ]
    body = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows)
    return (
        f"<section><h2>{escape(say('provenance'))}</h2><table>{body}</table>"
        f'<p class="note">{escape(say("third_party"))}</p></section>'
    )

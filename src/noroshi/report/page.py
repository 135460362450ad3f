"""The report: one HTML file in two languages, no request to any host."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from typing import Any, get_args

import numpy as np

from noroshi.errors import NoroshiError
from noroshi.report import data, figures, maps
from noroshi.report.data import Report
from noroshi.report.figures import card_value
from noroshi.report.text import Lang, Say
from noroshi.results import Run
from noroshi.scenario import build
from noroshi.tables import Notice
from noroshi.time import utc_text

WARNING_ROWS = 40  # the table shows the first; all are in tables/warnings.parquet
PIECES = ("report.js", "coast.json", "THIRD_PARTY_LICENSES.txt")
_HERE = files("noroshi") / "report"
_STATIC = _HERE / "static"

# the inlined script may run, nothing may be fetched from anywhere, nothing may be evaluated from text
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def check_built() -> None:
    """Raise NoroshiError with the remedy when the front-end pieces have not been built."""
    for name in PIECES:
        if not (_STATIC / name).is_file():
            raise NoroshiError(
                f"the report's {name} has not been built",
                remedy="in a checkout run `make web` once; a wheel has it",
            )


def render(run: Run, summary: dict[str, Any], manifest: dict[str, Any], *, lang: Lang = "en") -> str:
    """The page. `summary` may carry `statistics` and `phase_study`; `lang` is shown first, the other at a click.

    `manifest` holds `command`, `scenario_sha256`, `seed`, `finished_utc` and `versions` (name -> version).
    """
    check_built()
    report = data.collect(run, summary, manifest)
    japan = any(nation.code == "JPN" for nation in run.scenario.nations)
    mains = {each: _main(report, Say(each, japan=japan)) for each in get_args(Lang)}
    return document(_title(report, Say(lang)), mains, figures.datasets(report), lang)


def document(title: str, mains: dict[Lang, str], datasets: dict[str, maps.Columns], lang: Lang) -> str:
    """The file around the body of each language, `lang` shown first: banner, licences, long data sets, the script."""
    script = (_STATIC / "report.js").read_text("utf-8").replace("</script", "<\\/script")
    style = (_HERE / "page.css").read_text("utf-8")
    licences = (_STATIC / "THIRD_PARTY_LICENSES.txt").read_text("utf-8")
    body = "".join(
        f'<main id="main-{each}" tabindex="-1" data-lang="{each}" lang="{each}"'
        f"{'' if each == lang else ' hidden'}>{mains[each]}</main>"
        for each in get_args(Lang)
    )
    banner = _both(lang, lambda say: f"<b>{escape(say('banner'))}</b> — {escape(say('banner_more'))}")
    skip = _both(lang, lambda say: f'<a class="skip" href="#main-{say.lang}">{escape(say("skip"))}</a>')
    buttons = "".join(
        f'<button type="button" data-to="{each}" aria-pressed="{str(each == lang).lower()}" lang="{each}">'
        f"{label}</button>"
        for each, label in (("en", "English"), ("ja", "日本語"))
    )
    summary_of = _both(lang, lambda say: escape(say("licences")))
    no_script = _both(lang, lambda say: escape(say("no_script")))
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
        f'<header class="banner">{skip}{banner}<nav aria-label="Language / 言語">{buttons}</nav></header>'
        f'<noscript><p class="noscript">{no_script}</p></noscript>{body}'
        f'<details class="licences"><summary>{summary_of}</summary><pre>{escape(licences)}</pre></details>'
        f'<script type="application/json" id="datasets">{_json(datasets)}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def _both(shown: Lang, make: Any) -> str:
    return "".join(
        f'<span data-lang="{each}" lang="{each}"{"" if each == shown else " hidden"}>{make(Say(each))}</span>'
        for each in get_args(Lang)
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")


def _title(report: Report, say: Say) -> str:
    scenario = report.run.scenario
    title = scenario.title_ja if say.lang == "ja" and scenario.title_ja else scenario.title
    return title or scenario.name


def _main(report: Report, say: Say) -> str:
    several = len(report.flights) > 1
    target = f" · {report.run.truth.targets[0]}" if several else ""
    real = bool(report.summary["published"])
    region, world = maps.chart_region(report, say), maps.chart_world(report, say)
    timeline = figures.chart_timeline(report, say)
    impact = figures.chart_impact(report, say)
    latency = figures.chart_latency(report, say, figures.HALF if impact else figures.WIDE)
    sky = data.sky(report.run)
    moment = say("moment_warned" if report.answer.nation else "moment_half")
    parts = [
        f"<h1>{escape(_title(report, say))}</h1>",
        f'<p class="under">{escape(_under(report, say))}</p>',
        f'<p class="answer"><b>{escape(say("answer"))}.</b> {escape(sentence(report, say))}</p>',
        _cards(report, say),
        figure_html(
            say("map"),
            region[0],
            say("map_note") + (say("map_note_ellipse") if impact else ""),
            legend=region[1],
        ),
        figure_html(
            say("timeline" if real else "timeline_bare", target=target),
            timeline[0],
            say("timeline_note") if real else "",
            legend=timeline[1],
        ),
        _published(report, say),
        figure_html(say("custody"), figures.chart_custody(report, say), say("custody_note")),
        figure_html(
            say("world"),
            world[0],
            say("world_note", t=say.seconds(sky.t, sign=True), moment=moment),
            legend=world[1],
        ),
        _errors(report, say, target),
        _scores(report, say),
        '<div class="grid">' if impact else "",
        figure_html(say("impact_chart"), impact, say("impact_note")) if impact else "",
        figure_html(say("latency"), latency, say("latency_note")),
        "</div>" if impact else "",
        figure_html(
            say("waterfall"),
            figures.chart_waterfall(report, say),
            say("waterfall_note"),
            table=_losses(report, say),
        ),
    ]
    if "phase_study" in report.summary:
        title = say("phase_study", runs=report.summary["phase_study"]["runs"])
        chart = figures.chart_phase_study(report, say)
        parts.append(figure_html(title, chart, say("phase_note"), table=_study(report, say)))
    parts += [
        _warnings(report, say),
        _assumptions(report, say),
        f"<section><h2>{escape(say('limits'))}</h2><p>{escape(say('limits_text'))}</p></section>",
        _provenance(report, say),
    ]
    return "".join(parts)


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
        lands = report.summary["targets"][a.target]["t_impact_s"] is not None
        text = say("answer_never" if lands else "answer_aloft", target=a.target)
    else:
        area = next(x for x in report.run.scenario.areas if x.name == a.area)
        lead = a.t_before - a.t_public
        text = say(
            f"answer_{a.before}" if lead >= 0 else "answer_late",
            nation=say.nation(a.nation),
            area=maps.local_name(area, say),
            target=a.target,
            t=say.seconds(a.t_public, sign=True),
            clock=say.local(a.utc_public or "", second=True),
            lead=say.seconds(abs(lead)),
        )
    if a.utc_published is not None and a.published_by_launch:
        launches = report.summary["published"]["launch"]
        ways = [
            say(
                "answer_launch",
                span=say.seconds(t),
                utc=say.local(utc),
                reported=say("launch_alternative" if launches[utc]["alternative"] else "launch_reported"),
                verdict=say("answer_fits" if launches[utc]["consistent"] else "answer_misfits"),
            )
            for utc, t in sorted(
                a.published_by_launch.items(), key=lambda x: not launches[x[0]]["consistent"]
            )
        ]
        text += say(
            "answer_published", clock=say.local(a.utc_published), launches=say("answer_or").join(ways)
        )
    text += say("full_stop")
    return text[0].upper() + text[1:]


def _cards(report: Report, say: Say) -> str:
    cards = []
    for card in report.cards:
        state = {True: "passed", False: "failed", None: ""}[card.passed]
        need = say("required_none")
        if card.required is not None:
            bound = "required_min" if card.key in data.AT_LEAST else "required_max"
            need = say(bound, value=card_value(card.key, card.required, say))
        mark = f' · <span class="mark">{escape(say(state))}</span>' if state else ""
        interval = ""
        if card.spread is not None:
            low, high = (card_value(card.key, v, say) for v in (card.spread.low, card.spread.high))
            key = "interval_phase" if "phase_study" in report.summary else "interval"
            interval = f"<p>{escape(say(key, low=low, high=high, runs=card.spread.runs))}</p>"
        cards.append(
            f'<div class="card {state}"><h3>{escape(say("card_" + card.key))}</h3>'
            f'<div class="value">{escape(card_value(card.key, card.value, say))}</div>'
            f"<p>{escape(need)}{mark}</p>{interval}</div>"
        )
    nation = say.nation(data.home(report.run))
    return f'<h2>{escape(say("cards", nation=nation))}</h2><div class="cards">{"".join(cards)}</div>'


def figure_html(
    title: str, spec: dict[str, Any], note: str = "", table: str = "", legend: list[maps.Key] | None = None
) -> str:
    """A chart with its caption and legend, a note below, and a table beside it."""
    below = f'<p class="note">{escape(note)}</p>' if note else ""
    keys = "".join(f"<li>{_swatch(key)}{escape(key.words)}</li>" for key in legend or ())
    listed = f'<ul class="legend">{keys}</ul>' if keys else ""
    drawn = (
        '<div class="chart"></div>'
        f'<script type="application/json" class="spec">{_json(spec)}</script>'
        f"{listed}{below}"
    )
    if table:
        drawn = f'<div class="beside"><div>{drawn}</div>{table}</div>'
    return f'<figure class="vega"><figcaption>{escape(title)}</figcaption>{drawn}</figure>'


_SHAPES = {
    "line": '<path d="M1 7H23" fill="none" stroke="{c}" stroke-width="3"/>',
    "dash": '<path d="M1 7H23" fill="none" stroke="{c}" stroke-width="1.5" stroke-dasharray="3 2"/>',
    "area": '<rect x="2" y="2" width="20" height="10" fill="{c}" fill-opacity=".3" stroke="{c}" stroke-width="1.6"/>',
    "hatch": '<rect x="2" y="2" width="20" height="10" fill="{c}"/><path d="M5 12L11 2M11 12L17 2M17 12L22 4" '
    'stroke="#fff" stroke-width="2.4"/>',
    "circle": '<circle cx="12" cy="7" r="4.5" fill="{c}"/>',
    "circle-open": '<circle cx="12" cy="7" r="4" fill="#fff" stroke="{c}" stroke-width="1.6"/>',
    "square": '<rect x="8" y="3" width="8" height="8" fill="{c}"/>',
    "diamond": '<path d="M12 1L18 7L12 13L6 7Z" fill="{c}"/>',
    "triangle-up": '<path d="M12 2L18 12H6Z" fill="{c}"/>',
    "cross": '<path d="M10 2h4v3h3v4h-3v3h-4v-3h-3v-4h3z" fill="{c}"/>',
}


def _swatch(key: maps.Key) -> str:
    drawn = _SHAPES[key.mark].format(c=key.colour)
    return f'<svg viewBox="0 0 24 14" width="24" height="14" aria-hidden="true">{drawn}</svg>'


def table_html(
    head: list[str], rows: list[list[str]], numbers: frozenset[int] = frozenset(), *, sums: bool = False
) -> str:
    """A table; `numbers` are the columns set to the right, `sums` makes the last row one of totals."""

    def cell(tag: str, k: int, text: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{' class=n' if k in numbers else ''}>{escape(text)}</{tag}>"

    body = "".join(
        f"<tr{' class=sum' if sums and n == len(rows) - 1 else ''}>"
        + "".join(cell("td", k, text) for k, text in enumerate(row))
        + "</tr>"
        for n, row in enumerate(rows)
    )
    heads = "".join(cell("th", k, text) for k, text in enumerate(head))
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _errors(report: Report, say: Say, target: str) -> str:
    without = figures.trackless(report)
    missing = say("no_track", nodes=say.names(without)) if without else ""
    title, chart = say("error", target=target), figures.chart_error(report, say)
    if chart is None:
        return f"<section><h2>{escape(title)}</h2><p>{escape(missing)}</p></section>"
    return figure_html(title, chart, say("error_note") + missing)


def _scores(report: Report, say: Say) -> str:
    """GOSPA over time, the whole picture of each node, and each target of each node beside its bound."""
    chart = figures.chart_gospa(report, say)
    drawn = figure_html(say("gospa"), chart, say("gospa_note")) if chart else ""
    nodes = report.summary["nodes"]
    wholes, targets = [], []
    for node in report.run.scenario.nodes:
        of_node = nodes[node.nation]
        siap, nees = of_node["siap"], of_node["nees"]
        shares = [_share(siap[k]) for k in ("completeness", "spuriousness", "longest_segment")]
        wholes.append(
            [
                say.label(node.nation),
                shares[0],
                _plain(siap["ambiguity"], 2),
                shares[1],
                _plain(siap["position_accuracy_m"], 0),
                _plain(siap["velocity_accuracy_m_s"], 1),
                _plain(siap["track_number_changes_per_s"], 2, 60.0),
                shares[2],
                _share(of_node["purity"]),
                str(of_node["false_tracks"]),
                _plain(nees["mean"], 2),
                _share(nees["inside"]),
            ]
        )
        for name, of_target in of_node["targets"].items():
            targets.append(
                [
                    say.label(node.nation),
                    name,
                    *(_plain(of_target[k], 0) for k in ("rmse_position_m", "bound_position_m")),
                    *(_plain(of_target[k], 1) for k in ("rmse_velocity_m_s", "bound_velocity_m_s")),
                    say.seconds(of_target["confirm_latency_s"])
                    if of_target["confirm_latency_s"] is not None
                    else "–",
                    *(str(of_target[k]) for k in ("fragments", "breaks", "switches")),
                    _share(of_target["purity"]),
                    _plain(of_target["nees_mean"], 2),
                    _share(of_target["nees_inside"]),
                ]
            )
    some = nodes[data.home(report.run)]
    keys = (
        "completeness",
        "ambiguity",
        "spuriousness",
        "position_accuracy",
        "velocity_accuracy",
        "number_changes",
        "longest_segment",
        "purity",
        "false_tracks",
        "nees",
        "nees_inside",
    )
    whole = table_html([say(k) for k in ("node", *keys)], wholes, frozenset(range(1, 12)))
    keys = (
        "node",
        "target",
        "error_position",
        "bound_position",
        "error_velocity",
        "bound_velocity",
        "confirm_latency",
        "fragments",
        "breaks",
        "switches",
        "purity",
        "nees",
        "nees_inside",
    )
    each = table_html([say(k) for k in keys], targets, frozenset(range(2, 13)))
    picture_note = say("picture_note", radius=f"{some['siap']['radius_m'] / 1e3:g}")
    edges = {k: f"{some['nees'][k]:.2f}" for k in ("low", "high")}
    return (
        f"{drawn}<section><h2>{escape(say('picture'))}</h2>{whole}"
        f'<p class="note">{escape(picture_note)}</p></section>'
        f"<section><h2>{escape(say('per_target'))}</h2>{each}"
        f'<p class="note">{escape(say("bound_note", **edges))}</p></section>'
    )


def _plain(value: float | None, digits: int, times: float = 1.0) -> str:
    return "–" if value is None else f"{times * value:,.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _losses(report: Report, say: Say) -> str:
    rows = [
        [
            say(f"reason_{loss.reason}"),
            f"{loss.of_all:.1f} %",
            "–" if loss.of_view is None else f"{loss.of_view:.1f} %",
        ]
        for loss in report.losses
    ]
    totals = (sum(x.of_all for x in report.losses), sum(x.of_view or 0.0 for x in report.losses))
    rows.append([say("total"), *(f"{total:.1f} %" for total in totals)])
    return table_html([say("outcome"), say("of_all"), say("of_view")], rows, frozenset({1, 2}), sums=True)


def _study(report: Report, say: Say) -> str:
    study, target = report.summary["phase_study"], report.run.truth.targets[0]
    rows = []
    for node in report.run.scenario.nodes:
        for mode in ("shared", "alone"):
            s = study[mode][node.nation][target]["t_warning_s"]
            times = [say.seconds(s[q], sign=s[q] is not None) for q in ("p05", "median", "p95")]
            rows.append([say.label(node.nation), say(mode), *times, f"{s['never']}/{s['runs']}"])
    head = [say("node"), say("sharing"), "5 %", "50 %", "95 %", say("never")]
    return table_html(head, rows, frozenset({2, 3, 4, 5}))


def _published(report: Report, say: Say) -> str:
    facts = report.summary["published"]
    if not facts:
        return ""
    verdicts, rows = [], []
    for utc, launch in facts["launch"].items():
        if launch["consistent"] is None:
            continue
        text = say(
            "launch_verdict",
            mark="✓" if launch["consistent"] else "✗",
            utc=say.clock(utc),
            verdict=say("consistent" if launch["consistent"] else "inconsistent"),
            reported=say("launch_alternative" if launch["alternative"] else "launch_reported"),
            tag=say(f"tag_{launch['tag']}"),
        )
        verdicts.append(f"<li>{escape(text)}</li>")
    names = {"warning_public": "event_public", "impact": "event_impact"}
    for fact, entry in facts.items():
        if fact == "launch":
            continue
        for utc, at in entry["by_launch"].items():
            reported = say.seconds(at["reported_s"], sign=True)
            if at["reported_until_s"] != at["reported_s"]:
                reported += f" – {say.seconds(at['reported_until_s'], sign=True)}"
            t, until = entry["predicted_s"], entry["predicted_until_s"]
            if fact == "warning_public":
                t = until = report.answer.t_public  # of the node that the sentence speaks of
            predicted = say.seconds(t, sign=t is not None)
            if until != t:
                predicted += f" – {say.seconds(until, sign=True)}"
            difference, verdict = "–", "–"
            if fact == "warning_public":
                verdict = say("not_compared")
            elif at["consistent"] is not None:
                difference = (
                    f"{at['difference_s']:+.0f}{say('unit_s')}"
                    if round(at["difference_s"])
                    else f"0{say('unit_s')}"
                )
                verdict = "✓ " + say("consistent") if at["consistent"] else "✗ " + say("inconsistent")
            name = figures.event_name(names.get(fact, fact), report, say)
            row = [name, say.clock(utc), reported, predicted, difference, verdict, say(f"tag_{entry['tag']}")]
            rows.append(row)
    head = [say(k) for k in ("fact", "event_launch", "reported", "predicted", "difference", "verdict", "tag")]
    return (
        f"<section><h2>{escape(say('published'))}</h2><ul>{''.join(verdicts)}</ul>"
        f"{table_html(head, rows, frozenset({4}))}</section>"
    )


def _warnings(report: Report, say: Say) -> str:
    run, w = report.run, report.run.warnings
    epoch, launch = build.epoch(run.scenario), float(run.truth.t_launch[0])

    def clock(t: float) -> str:
        return utc_text(epoch, float(t), 0)[11:19]

    rows = []
    for r in range(min(len(w.t), WARNING_ROWS)):
        kind = say("impact") if w.impact[r] else say("overflown")
        if w.impact[r] and not np.isfinite(w.lat_rad[r]):
            kind = say("reach")
        size = f"{w.major_m[r] / 1e3:.1f} × {w.minor_m[r] / 1e3:.1f} km" if np.isfinite(w.major_m[r]) else "–"
        when = " – ".join(clock(t) for t in (w.t_earliest[r], w.t_latest[r]) if np.isfinite(t))
        rows.append(
            [
                figures.node_name(run.scenario, int(w.node[r]), say),
                say.seconds(float(w.t[r]) - launch, sign=True),
                clock(w.t[r]),
                clock(w.t_public[r]),
                maps.local_name(run.scenario.areas[int(w.area[r])], say),
                kind,
                say(f"notice_{Notice(int(w.notice[r])).name.lower()}"),
                f"{w.probability[r]:.2f}",
                when or "–",
                size,
            ]
        )
    keys = (
        "node",
        "after_launch",
        "t",
        "t_public",
        "area",
        "kind",
        "notice",
        "probability",
        "when",
        "ellipse",
    )
    head = [say(k) + (" (UTC)" if k in ("t", "t_public", "when") else "") for k in keys]
    body = table_html(head, rows, frozenset({7})) if rows else f"<p>{escape(say('no_warnings'))}</p>"
    more = len(w.t) - WARNING_ROWS
    note = f'<p class="note">{escape(say("more_rows", count=more))}</p>' if more > 0 else ""
    return f'<section class="long"><h2>{escape(say("warnings"))}</h2>{body}{note}</section>'


def _assumptions(report: Report, say: Say) -> str:
    scenario = report.run.scenario
    stated = scenario.model_dump(by_alias=True, exclude_none=True)
    local = {part.name: maps.local_name(part, say) for part in (*scenario.areas, *scenario.points)}
    facts = {"launch": "event_launch", "warning_public": "event_public", "impact": "event_impact"}
    rows = []
    for kind, name, source, reason in data.assumptions(stated):
        if kind == "published":
            name = figures.event_name(facts.get(name, name), report, say)
        where = f"{say(f'part_{kind}')}: {local.get(name, name)}" if name else say(f"part_{kind}")
        rows.append([where, source or "–", reason or "–"])
    table = table_html([say("where"), say("source"), say("notional")], rows)
    note = f'<p class="note">{escape(say("assumptions_note"))}</p>'
    return f'<section class="long"><h2>{escape(say("assumptions"))}</h2>{note}{table}</section>'


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
    note = f'<p class="note">{escape(say("third_party"))}</p>'
    return f"<section><h2>{escape(say('provenance'))}</h2>{facts_html(rows)}{note}</section>"


def facts_html(rows: list[list[str]]) -> str:
    """A table of names and what they are."""
    body = "".join(f'<tr><th scope="row">{escape(a)}</th><td>{escape(b)}</td></tr>' for a, b in rows)
    return f'<div class="scroll"><table>{body}</table></div>'

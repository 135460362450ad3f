"""The coverage report: one HTML file in two languages with maps, no request to any host."""

from __future__ import annotations

import re
from html import escape
from typing import Any, get_args

import numpy as np

from noroshi.coverage.models import Coverage
from noroshi.report import coverage_data, coverage_figures
from noroshi.report.coverage_data import EXACT, LIST_MOST, Study, known_mean, quantiles
from noroshi.report.coverage_figures import degrees, metres, percent, span
from noroshi.report.coverage_text import EN, speak
from noroshi.report.figures import HALF
from noroshi.report.maps import WIDE
from noroshi.report.page import check_built, document, facts_html, figure_html, table_html
from noroshi.report.text import Lang, Say

DESIGNS_MOST = 30
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def render(
    coverage: Coverage,
    summary: dict[str, Any],
    manifest: dict[str, Any],
    *,
    design: dict[str, Any] | None = None,
    lang: Lang = "en",
) -> str:
    """The page, `lang` shown first, the other at a click.

    `summary` holds the keys of `noroshi coverage --json` and `step_s`, `duration_s`, `epoch`, `grid`,
    `target_altitude_km`, `notes`; its `constraints` are a table, a list, or words. `manifest` holds `command`,
    `finished_utc` and `versions` (name -> version), and may name the `scenario`, its `scenario_sha256` and `seed`.
    `design` holds the `need` and the constellation found for it, and may hold `searched`, `front`, `robustness`.
    Raises NoroshiError when the front-end pieces have not been built.
    """
    check_built()
    study = coverage_data.collect(coverage, summary, design)
    mains = {each: _main(study, manifest, speak(each)) for each in get_args(Lang)}
    title = _title(study, manifest, speak(lang))
    return document(title, mains, coverage_figures.datasets(study), lang)


def _title(study: Study, manifest: dict[str, Any], say: Say) -> str:
    title = say(f"title_{study.kind}")
    return say("title_of", name=manifest["scenario"], title=title) if manifest.get("scenario") else title


def _main(study: Study, manifest: dict[str, Any], say: Say) -> str:
    return "".join(
        [
            f"<h1>{escape(_title(study, manifest, say))}</h1>",
            f'<p class="under">{escape(_under(study, manifest, say))}</p>',
            f'<p class="answer"><b>{escape(say("answer"))}.</b> {escape(sentence(study, say))}</p>',
            _cards(study, say),
            _design(study, say),
            _places(study, say),
            _alike(study, say),
            _latitudes(study, say),
            _times(study, say),
            _distributions(study, say),
            _asked(study, say),
            _text("method", "method_text", say),
            _text("limits", "coverage_limits", say),
            _notes(study, say),
            _provenance(study, manifest, say),
        ]
    )


def _under(study: Study, manifest: dict[str, Any], say: Say) -> str:
    c = study.coverage
    counts = say(
        "under_counts",
        sensors=f"{len(c.sensors):,}",
        places=say(f"count_{study.kind}", count=f"{len(c.points.weight):,}"),
        samples=f"{len(c.t):,}",
        step=span(c.step_s, say),
        epoch=study.summary["epoch"],
    )
    return f"noroshi {manifest['versions']['noroshi']} · {counts} · {manifest['command']}"


# --- sentence and cards ----------------------------------------------------------------------------------------


def sentence(study: Study, say: Say) -> str:
    """The answer in a few words: what was asked, how well it is seen, the longest gap."""
    s, kind = study.summary, study.kind
    height = s.get("target_altitude_km")
    up = say("at_height", height=f"{height:g}") if height is not None and kind != "moving" else ""
    count = f"{len(study.coverage.points.weight):,}"
    base = say({"sites": "base_sites", "moving": "base_time"}.get(kind, "base_area"))
    where = "" if kind == "sites" else say(f"sky_{kind}", count=count, **_extent(study, say)) + up
    seen = float(s["fraction_at_least"]["1"])
    facts = {
        "where": where,
        "count": count,
        "mean": f"{s['mean_fold']:.1f}",
        "least": s["min_fold"],
        "base": base,
    }
    key = "sites" if kind == "sites" else "seen"
    if s["max_fold"] == 0:
        text = say("seen_never", **facts)
    elif s["min_fold"] > 0:
        text = say(f"{key}_always", **facts)
    else:
        at = ""
        if kind == "sites":
            worst = int(np.argmax(study.coverage.longest_gap_s))
            at = say("gap_at", name=study.coverage.points.names[worst])
        gap = say("gap_cut" if s["gap_truncated"] else "gap_is", gap=span(s["longest_gap_s"], say), at=at)
        text = say(f"{key}_mostly", share=percent(seen), gap=gap, **facts)
    if s.get("stereo_fraction") is not None and study.coverage.stereo_rad is not None:
        angle = degrees(study.coverage.stereo_rad)
        text += say("stereo_is", angle=angle, share=percent(s["stereo_fraction"]), base=base)
    design = study.design
    if design is not None:
        text = (
            say(
                "design_is",
                satellites=design["satellites"],
                planes=design["planes"],
                altitude=f"{design['altitude_km']:g}",
                inclination=f"{design['inclination_deg']:g}°",
                need=design["need"],
                achieved=percent(design["achieved"]),
            )
            + text
        )
    return text


def _extent(study: Study, say: Say) -> dict[str, str]:
    """The least box of whole degrees (or tenths, for a small region) that holds the points, in words."""
    x, y = study.x, study.y
    tenths = 1.0 if max(np.ptp(x), np.ptp(y)) >= 5 else 10.0
    south, west = (np.floor(v.min() * tenths + EXACT) / tenths for v in (y, x))
    north, east = (np.ceil(v.max() * tenths - EXACT) / tenths for v in (y, x))

    def latitude(deg: float) -> str:
        return say("north_of" if deg >= 0 else "south_of", deg=f"{abs(deg):g}")

    def longitude(deg: float) -> str:
        wrapped = (deg + 180.0) % 360.0 - 180.0
        return say("west_of" if wrapped < 0 and wrapped > -180 else "east_of", deg=f"{abs(wrapped):g}")

    return {
        "south": latitude(south),
        "north": latitude(north),
        "west": longitude(west),
        "east": longitude(east),
    }


def _cards(study: Study, say: Say) -> str:
    s, c, k = study.summary, study.coverage, study.card_fold
    base = say({"sites": "of_sites", "moving": "of_time"}.get(study.kind, "of_area"))
    wait = float(c.place_weight @ c.mean_response_s)
    where = "card_gap_steps" if study.kind == "moving" else "card_gap_where"
    cards = [
        (
            say("card_fold"),
            f"{s['mean_fold']:.1f}",
            say("card_fold_range", low=s["min_fold"], high=s["max_fold"]),
        ),
        (say("card_least", k=k), percent(float(s["fraction_at_least"][str(k)])), base),
        (
            say("card_gap"),
            span(s["longest_gap_s"], say),
            say("card_gap_cut" if s["gap_truncated"] else where, step=span(c.step_s, say)),
        ),
    ]
    if s.get("stereo_fraction") is not None and c.stereo_rad is not None:
        angle = degrees(c.stereo_rad)
        cards.append((say("card_stereo", angle=angle), percent(s["stereo_fraction"]), base))
    elif c.error_median_m is not None and np.isfinite(c.error_median_m).any():
        mean = known_mean(c.error_median_m, c.place_weight)
        worst = metres(float(np.nanmax(c.error_median_m)))
        cards.append((say("card_error"), metres(mean), say("card_error_worst", worst=worst)))
    else:
        below = say("card_wait_worst", worst=span(float(c.mean_response_s.max()), say))
        if study.kind == "moving":
            below = say("card_first", t=span(float(c.first_look_s[0]), say))
        cards.append((say("card_wait"), span(wait, say), below))
    if study.design is not None:
        d = study.design
        below = say("card_planes", planes=d["planes"], phasing=d["phasing"])
        cards = [(say("card_satellites"), f"{d['satellites']:,}", below), *cards[:3]]
    body = "".join(
        f'<div class="card"><h3>{escape(head)}</h3><div class="value">{escape(value)}</div>'
        f"<p>{escape(below)}</p></div>"
        for head, value, below in cards
    )
    return f'<h2>{escape(say("headline"))}</h2><div class="cards">{body}</div>'


# --- design ----------------------------------------------------------------------------------------------------


def _design(study: Study, say: Say) -> str:
    design = study.design
    if design is None:
        return ""
    parts = []
    front = coverage_figures.chart_front(study, say)
    if front is not None:
        parts.append(figure_html(say("front"), front, say("front_note"), table=_front(study, say)))
    if design.get("robustness"):
        rows = [
            [
                _lost(one["lost"], say),
                percent(one["worst"]),
                percent(one["mean"]),
                f"{one['cases']:,} ({say('every_case' if one['exhaustive'] else 'drawn_cases')})",
            ]
            for one in design["robustness"]
        ]
        head = [say(key) for key in ("lost", "worst", "mean_case", "cases")]
        note = f'<p class="note">{escape(say("robustness_note"))}</p>'
        table = table_html(head, rows, frozenset({1, 2, 3}))
        parts.append(f"<section><h2>{escape(say('robustness'))}</h2>{table}{note}</section>")
    rows = [[say("need"), design["need"]]]
    for key, value in (design.get("searched") or {}).items():
        if value not in (None, [], {}):
            word = "searched_is_" if key == "stopped_by" else "searched_"
            rows.append([_known(f"searched_{key}", key, say), _found(value, word, say)])
    parts.append(f"<section><h2>{escape(say('searched'))}</h2>{facts_html(rows)}</section>")
    return "".join(parts)


def _front(study: Study, say: Say) -> str:
    assert study.design is not None
    front = sorted(study.design["front"], key=lambda one: (one["satellites"], -one["achieved"]))
    rows = [
        [
            f"{one['satellites']:,}",
            f"{one['planes']}",
            f"{one['phasing']}",
            f"{one['altitude_km']:g} km",
            f"{one['inclination_deg']:g}°",
            percent(one["achieved"]),
        ]
        for one in front[:DESIGNS_MOST]
    ]
    head = [say(k) for k in ("satellites", "planes", "phasing", "altitude", "inclination", "achieved")]
    more = ""
    if len(front) > DESIGNS_MOST:
        text = say("more_designs", shown=DESIGNS_MOST, count=len(front))
        more = f'<p class="note">{escape(text)}</p>'
    return f"<div>{table_html(head, rows, frozenset(range(6)))}{more}</div>"


def _lost(text: str, say: Say) -> str:
    count = re.fullmatch(r"(\d+) satellites?", text)
    if count is None:
        return say("lost_plane") if text == "one plane" else text
    n = int(count[1])
    return say("lost_satellite") if n == 1 else say("lost_satellites", count=n)


def _known(key: str, otherwise: str, say: Say) -> str:
    return say(key) if key in EN else otherwise.replace("_", " ")


def _found(value: Any, word: str, say: Say) -> str:
    """A value of the search in words: texts are translated where there is a word for them."""
    if isinstance(value, str):
        return _known(word + value.replace(" ", "_"), value, say)
    if isinstance(value, dict):
        return say("list_and").join(f"{key}: {_value(one, say)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return say("list_and").join(_found(one, word, say) for one in value)
    return _value(value, say)


def _value(value: Any, say: Say) -> str:
    if isinstance(value, bool):
        return say("yes" if value else "no")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return say("list_and").join(_value(one, say) for one in value)
    return str(value)


# --- maps and charts -------------------------------------------------------------------------------------------


def _places(study: Study, say: Say) -> str:
    if study.kind == "moving":
        spec, keys = coverage_figures.chart_moving_map(study, say)
        return figure_html(say("moving_map"), spec, say("moving_map_note") + say("map_true"), legend=keys)
    if study.kind == "sites":
        spec = coverage_figures.chart_sites_map(study, say)
        note = say("map_shown") + say("map_true")
        return figure_html(say("map_mean"), spec, note) + _sites(study, say)
    shown: list[coverage_figures.What] = [
        what for what in coverage_figures.MAPS if coverage_figures.chart_map(study, what, say) is not None
    ]
    # the first stands alone, and the last where it would have no neighbour
    wide = shown[:1] if len(shown) % 2 else [*shown[:1], *shown[-1:]]
    parts = []
    for what in shown:
        drawn = coverage_figures.chart_map(study, what, say, WIDE if what in wide else HALF)
        assert drawn is not None
        parts.append(figure_html(_map_title(study, what, say), drawn[0], drawn[2], legend=drawn[1]))
    return "".join(parts[:1]) + _grid(parts[1:])


def _map_title(study: Study, what: str, say: Say) -> str:
    angle = degrees(study.coverage.stereo_rad or 0.0)
    return say(f"map_{what}", k=study.fold, angle=angle)


def _alike(study: Study, say: Say) -> str:
    """In words, what would be a map of one colour."""
    c = study.coverage
    if study.kind not in ("globe", "region"):
        return ""
    said = []
    for what in coverage_figures.MAPS:
        values = coverage_figures.map_values(study, what)
        if values is None or coverage_figures.chart_map(study, what, say) is not None:
            continue
        known = values[np.isfinite(values)]
        one = float(known[0]) if len(known) else np.nan
        if what == "gap":
            said.append(say("same_gap", gap=span(one, say)) if one else say("same_gap_none"))
        elif what == "error":
            none = percent(float(c.place_weight @ ~np.isfinite(values)))
            key = "same_error_none" if not len(known) else "same_error"
            said.append(say(key, error=metres(one), none=none))
        elif what == "mean":
            said.append(say("same_mean", mean=f"{one:.1f}"))
        elif what == "stereo":
            said.append(say("same_stereo", share=percent(one), angle=degrees(c.stereo_rad or 0.0)))
        else:
            # of the folds that are full everywhere the highest says most; failing that, the first
            shares = c.fraction_at_least[0]
            full = [k for k, share in enumerate(shares, 1) if share > 1 - EXACT]
            k = full[-1] if full else 1
            said.append(say("same_least", k=k, share=percent(float(shares[k - 1]))))
    if not said:
        return ""
    listed = "".join(f"<li>{escape(text)}</li>" for text in said)
    return f"<section><h2>{escape(say('same'))}</h2><ul>{listed}</ul></section>"


def _grid(figures: list[str]) -> str:
    """Charts side by side in pairs; an odd one out at the end stands alone."""
    paired = figures[: len(figures) // 2 * 2]
    return (f'<div class="grid">{"".join(paired)}</div>' if paired else "") + "".join(figures[len(paired) :])


def _left_out(shares: np.ndarray, say: Say) -> str:
    """Which lines a chart of shares leaves out because they would lie on its edge."""
    full, none = coverage_figures.on_the_edge(shares)
    told = ""
    for key, folds in (("left_out_full", full), ("left_out_none", none)):
        if folds:
            told += say(key, folds=say("list_and").join(say("at_least", k=k) for k in folds))
    return told


def _latitudes(study: Study, say: Say) -> str:
    c = study.coverage
    if study.kind not in ("globe", "region"):
        return ""
    shares_note = say("shares_note") + _left_out(c.bands.fraction_at_least, say)
    charts = (
        ("by_latitude", coverage_figures.chart_latitude_fold(study, say), say("by_latitude_note")),
        ("shares_by_latitude", coverage_figures.chart_latitude_shares(study, say), shares_note),
        ("waits_by_latitude", coverage_figures.chart_latitude_waits(study, say), say("waits_note")),
        ("error_by_latitude", coverage_figures.chart_latitude_error(study, say), ""),
    )
    drawn = [figure_html(say(key), spec, note) for key, spec, note in charts if spec is not None]
    return _grid([*drawn, *_halves(study, say, beside=len(drawn))])


def _halves(study: Study, say: Say, beside: int = 0) -> list[str]:
    """The charts that every study has, side by side after `beside` others; one without a neighbour is wide."""
    gaps = coverage_figures.chart_gaps(study, say)
    count = beside + (1 if gaps is None else 2)
    widths = [HALF] * (count // 2 * 2) + [WIDE] * (count % 2)
    spec = coverage_figures.chart_histogram(study, say, widths[beside])
    drawn = [figure_html(say("histogram"), spec, say("histogram_note") + _percentiles(study, say))]
    if gaps is not None:
        c = study.coverage
        note = say("gaps_note_sites" if study.kind == "sites" else "gaps_note")
        cut = float(c.place_weight @ (c.gap_truncated & (c.longest_gap_s > 0)))
        note += say("gaps_note_cut", share=percent(cut)) if cut > EXACT else ""
        gaps = coverage_figures.chart_gaps(study, say, widths[beside + 1])
        assert gaps is not None
        drawn.append(figure_html(say("gaps"), gaps, note))
    return drawn


def _percentiles(study: Study, say: Say) -> str:
    """The percentiles of the number of sensors in view that the summary has."""
    stated = study.summary.get("percentiles") or {}
    listed = say("list_and").join(f"{p} %: {n}" for p, n in stated.items())
    return say("percentiles", listed=listed) if listed else ""


def _times(study: Study, say: Say) -> str:
    per = coverage_figures.samples_per_step(study)
    bins = say("over_time_note_bins", count=per) if per > 1 else ""
    if study.kind == "moving":
        spec = coverage_figures.chart_moving_over_time(study, say)
        note = say("moving_over_time_note") + bins
        drawn = figure_html(say("moving_over_time"), spec, note) if spec is not None else ""
        histogram = coverage_figures.chart_histogram(study, say)
        note, table = say("histogram_note") + _percentiles(study, say), _along(study, say)
        return drawn + figure_html(say("histogram_moving"), histogram, note, table=table)
    parts = []
    sites = study.kind == "sites"
    spec = coverage_figures.chart_over_time(study, say)
    if spec is not None:
        note = say("over_time_note_sites" if sites else "over_time_note") + bins
        parts.append(figure_html(say("over_time"), spec, note))
    spec = coverage_figures.chart_shares_over_time(study, say)
    if spec is not None:
        note = (say("shares_over_time_note") if per > 1 else "") + _left_out(study.coverage.fraction_at, say)
        parts.append(figure_html(say("sites_over_time" if sites else "shares_over_time"), spec, note))
    if sites:
        parts.append(_grid(_halves(study, say)))
    return "".join(parts)


def _sites(study: Study, say: Say) -> str:
    c = study.coverage
    folds = range(min(c.fraction_at_least.shape[1], 4))
    order = np.argsort(c.mean_fold, kind="stable")[:LIST_MOST]
    head = [
        say("site"),
        say("average"),
        say("lowest"),
        say("highest"),
        *(say("at_least", k=k + 1) for k in folds),
    ]
    if c.stereo_fraction is not None:
        head.append(say("row_stereo"))
    head += [say("row_gap"), say("row_wait"), say("row_first")]
    if c.error_median_m is not None:
        head.append(say("row_error"))
    rows = []
    for k in order:
        row = [c.points.names[k], f"{c.mean_fold[k]:.2f}", f"{c.min_fold[k]}", f"{c.max_fold[k]}"]
        row += [percent(float(c.fraction_at_least[k, n])) for n in folds]
        if c.stereo_fraction is not None:
            row.append(percent(float(c.stereo_fraction[k])))
        row += [span(float(v[k]), say) for v in (c.longest_gap_s, c.mean_response_s, c.first_look_s)]
        if c.error_median_m is not None:
            row.append(metres(float(c.error_median_m[k])))
        rows.append(row)
    note = say("sites_note")
    if len(c.points.names) > LIST_MOST:
        note += say("sites_note_some", count=LIST_MOST)
    table = table_html(head, rows, frozenset(range(1, len(head))))
    chart = figure_html(say("sites"), coverage_figures.chart_sites(study, say), note)
    return f'{chart}<section class="long"><h2>{escape(say("sites"))}</h2>{table}</section>'


def _along(study: Study, say: Say) -> str:
    """A moving target's figures over all samples."""
    c = study.coverage
    rows = [
        [say("row_mean"), f"{c.mean_fold[0]:.2f}"],
        [say("row_min"), f"{c.min_fold[0]}"],
        [say("row_max"), f"{c.max_fold[0]}"],
    ]
    rows += [
        [say("row_least", k=k + 1), percent(float(c.fraction_at_least[0, k]))]
        for k in range(min(c.fraction_at_least.shape[1], 4))
    ]
    if c.stereo_fraction is not None:
        rows.append([say("row_stereo"), percent(float(c.stereo_fraction[0]))])
    rows.append([say("row_gaps"), f"{c.gaps[0]}"])
    for key, value in (
        ("row_gap", c.longest_gap_s),
        ("row_mean_gap", c.mean_gap_s),
        ("row_wait", c.mean_response_s),
        ("row_first", c.first_look_s),
    ):
        rows.append([say(key), span(float(value[0]), say)])
    if c.error_median_m is not None and c.error_95_m is not None and c.error_fraction is not None:
        rows += [
            [say("row_error"), metres(float(c.error_median_m[0]))],
            [say("row_error_95"), metres(float(c.error_95_m[0]))],
            [say("row_fixed"), percent(float(c.error_fraction[0]))],
        ]
    return facts_html(rows)


def _distributions(study: Study, say: Say) -> str:
    """How the figures differ from place to place: mean, least, percentiles, most."""
    if study.kind == "moving":
        return ""
    c, weight = study.coverage, study.coverage.place_weight

    def number(v: float) -> str:
        return f"{v:.2f}"

    def whole(v: float) -> str:
        return f"{v:.0f}"

    def time(v: float) -> str:
        return span(v, say)

    rows: list[tuple[str, np.ndarray | None, Any]] = [
        (say("row_mean"), c.mean_fold, number),
        (say("row_min"), c.min_fold.astype(float), whole),
    ]
    rows += [
        (say("row_least", k=k + 1), c.fraction_at_least[:, k], percent)
        for k in range(min(c.fraction_at_least.shape[1], 4))
    ]
    rows += [
        (say("row_stereo"), c.stereo_fraction, percent),
        (say("row_gap"), c.longest_gap_s, time),
        (say("row_mean_gap"), c.mean_gap_s, time),
        (say("row_wait"), c.mean_response_s, time),
        (say("row_first"), c.first_look_s, time),
        (say("row_error"), c.error_median_m, metres),
        (say("row_error_95"), c.error_95_m, metres),
        (say("row_fixed"), c.error_fraction, percent),
    ]
    body = []
    for name, values, write in rows:
        if values is None:
            continue
        mean = known_mean(values, weight)
        average = f"{mean:.2f}" if write is whole else "–" if np.isnan(mean) else write(mean)
        spread = quantiles(values, weight, (0.0, *SHARES, 1.0))
        body.append([name, average, *(write(v) for v in spread)])
    head = [say("quantity"), say("average"), say("lowest")]
    head += [say("median") if share == 0.5 else f"{share:.0%}" for share in SHARES]
    head.append(say("highest"))
    note = say("figures_note_sites" if study.kind == "sites" else "figures_note")
    table = table_html(head, body, frozenset(range(1, len(head))))
    return (
        f'<section class="long"><h2>{escape(say("figures"))}</h2>{table}'
        f'<p class="note">{escape(note)}</p></section>'
    )


# --- what it rests on ------------------------------------------------------------------------------------------


def _asked(study: Study, say: Say) -> str:
    s, c = study.summary, study.coverage
    rows = [[say("asked_grid"), f"{s['grid']} ({len(c.points.weight):,})"]]
    if s.get("target_altitude_km") is not None and study.kind != "moving":
        rows.append([say("asked_height"), f"{s['target_altitude_km']:g} km"])
    times = say(
        "asked_times_are",
        samples=f"{len(c.t):,}",
        step=span(c.step_s, say),
        duration=span(float(s["duration_s"]), say),
        epoch=s["epoch"],
    )
    rows += [
        [say("asked_times"), times],
        [say("asked_sensors"), "; ".join([f"{len(c.sensors):,}", *s.get("network", ())])],
        [say("asked_propagator"), str(s["propagator"])],
        [say("asked_earth"), _known(f"earth_{s['earth']}", str(s["earth"]), say)],
    ]
    if c.stereo_rad is not None:
        rest = degrees(np.pi - c.stereo_rad)
        rows.append([say("asked_stereo"), say("asked_stereo_is", angle=degrees(c.stereo_rad), rest=rest)])
    rows += _constraints(s["constraints"], say)
    if s.get("sigma_urad") is not None:
        rows.append([say("constraint_sigma_urad"), f"{s['sigma_urad']:g}"])
    return f"<section><h2>{escape(say('asked'))}</h2>{facts_html(rows)}</section>"


def _constraints(stated: Any, say: Say) -> list[list[str]]:
    if isinstance(stated, dict):
        rows = []
        for key, value in stated.items():
            word = (
                _known(f"constraint_{value}", str(value), say)
                if isinstance(value, str)
                else _value(value, say)
            )
            rows.append([_known(f"constraint_{key}", key, say), word])
        return rows
    listed = [stated] if isinstance(stated, str) else list(stated or ())
    return [[say("asked_constraints"), say("list_and").join(str(one) for one in listed) or "–"]]


def _text(title: str, text: str, say: Say) -> str:
    return f"<section><h2>{escape(say(title))}</h2><p>{escape(say(text))}</p></section>"


def _notes(study: Study, say: Say) -> str:
    listed = "".join(f"<li>{escape(str(note))}</li>" for note in study.summary.get("notes") or ())
    return f"<section><h2>{escape(say('notes'))}</h2><ul>{listed}</ul></section>" if listed else ""


def _provenance(study: Study, manifest: dict[str, Any], say: Say) -> str:
    s = study.summary
    rows = [[say("version"), ", ".join(f"{name} {v}" for name, v in manifest["versions"].items())]]
    for key, word in (("scenario_sha256", "scenario_hash"), ("seed", "seed")):
        if manifest.get(key) is not None:
            rows.append([say(word), str(manifest[key])])
    each, lines = (f"{s.get(key) or 0.0:.3g}" for key in ("ns_per_pair", "line_ns_per_pair"))
    speed = say("speed_is", wall=f"{s['wall_s']:.3g}", cpu=f"{s['cpu_s']:.3g}", each=each, lines=lines)
    rows += [
        [say("command"), manifest["command"]],
        [say("finished"), manifest["finished_utc"]],
        [say("pairs"), f"{s['pairs']:,}"],
        [say("speed"), speed],
    ]
    note = f'<p class="note">{escape(say("third_party"))}</p>'
    return f"<section><h2>{escape(say('provenance'))}</h2>{facts_html(rows)}{note}</section>"

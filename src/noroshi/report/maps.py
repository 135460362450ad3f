"""The report's maps as Vega-Lite layers: plain longitude and latitude axes, the Pacific in the middle.

Longitudes run from 30 W to 330 E, so the antimeridian is an ordinary meridian and only lines across 30 W are cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from math import cos, hypot, pi, radians, sin
from typing import Any, NamedTuple

import numpy as np

from noroshi.earth import destination
from noroshi.report import data
from noroshi.report.data import Report
from noroshi.report.text import Say
from noroshi.summary import cruises
from noroshi.tables import Phase

Spec = dict[str, Any]
Columns = dict[str, list[Any]]

BLUE, SKY, ORANGE, VERMILION = "#0072B2", "#56B4E9", "#E69F00", "#D55E00"
GREEN, YELLOW, PINK, GREY, INK = (
    "#009E73",
    "#F0E442",
    "#CC79A7",
    "#8895a3",
    "#1b232c",
)  # Okabe-Ito, and two greys
NATION_COLOURS = (BLUE, ORANGE, PINK, YELLOW, SKY, VERMILION)
SHARED = GREEN  # several nations at once
PHASE_COLOURS = {
    Phase.BOOST: VERMILION,
    Phase.COAST: INK,
    Phase.REENTRY: PINK,
    Phase.GLIDE: INK,
    Phase.CRUISE: INK,
}

HALO = {
    "stroke": "white",
    "strokeWidth": 3.5,
    "strokeOpacity": 0.9,
    "aria": False,
}  # under words on a drawing

WIDE = 1080
MAP_WIDE = WIDE - 60  # the axes' room: the drawing as a whole is `WIDE` wide
MARGIN_DEG = 5.0
HEIGHT_MAX, HEIGHT_MIN = 680, 320
WORLD_SOUTH, WORLD_NORTH = -66.0, 84.0
COAST_SPACING_PX = 1.5  # closer points of the coast make no difference to the eye
COAST_ISLAND_PX = 2.5  # nor do islands smaller than this


class Frame(NamedTuple):
    """Extent of a map in degrees, and its size in pixels."""

    west: float
    east: float
    south: float
    north: float
    width: int
    height: int

    def pixel(self, lon: float, lat: float) -> tuple[float, float]:
        """Pixels right of and below the upper left corner."""
        x = (lon - self.west) * self.width / (self.east - self.west)
        return x, (self.north - lat) * self.height / (self.north - self.south)

    def degrees(self, x: float, y: float) -> tuple[float, float]:
        """Longitude and latitude of a pixel."""
        lon = self.west + x * (self.east - self.west) / self.width
        return round(lon, 3), round(self.north - y * (self.north - self.south) / self.height, 3)

    def holds(self, lon: float, lat: float) -> bool:
        """Whether a place is on the map."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north


class Key(NamedTuple):
    """One entry of a map's legend: how it is drawn, its colour, and the words."""

    mark: str  # "line", "dash", "area", or a Vega point shape
    colour: str
    words: str


class Place(NamedTuple):
    """A place with its symbol ("": none) and name; earlier ones go first where names would collide."""

    lon: float
    lat: float
    shape: str
    colour: str
    name: str
    filled: bool = True


def nation_colour(report: Report, nation: str) -> str:
    """A nation's colour, the same in every chart: nodes first, then the other nations."""
    nodes = [node.nation for node in report.run.scenario.nodes]
    rest = [n.code for n in report.run.scenario.nations if n.code not in nodes]
    return NATION_COLOURS[[*nodes, *rest].index(nation) % len(NATION_COLOURS)]


def nations_colour(report: Report, nations: tuple[str, ...]) -> str:
    """A nation's colour; green for several that share one figure."""
    return nation_colour(report, nations[0]) if len(nations) == 1 else SHARED


def region(report: Report) -> Frame:
    """The flights, areas, radars and points with a margin, true to scale at the middle latitude."""
    scenario = report.run.scenario
    lon = [data.map_lon(f.lon_rad) for f in report.flights]
    lat = [np.rad2deg(f.lat_rad) for f in report.flights]
    for part in (*scenario.radars, *scenario.points):
        lon.append(data.map_lon(np.array([radians(part.longitude_deg)])))
        lat.append(np.array([part.latitude_deg]))
    for k in range(len(scenario.areas)):
        outline = area_outline(report, k)
        lon.append(outline[:, 0])
        lat.append(outline[:, 1])
    return frame_about(np.concatenate(lon), np.concatenate(lat))


def frame_about(
    x: np.ndarray, y: np.ndarray, *, margin: float = MARGIN_DEG, west_end: float = data.WEST_DEG
) -> Frame:
    """Places [deg] with a margin, true to scale at the middle latitude; longitudes count on from `west_end`."""
    west, east = float(x.min()) - margin, float(x.max()) + margin
    south, north = max(float(y.min()) - margin, -85.0), min(float(y.max()) + margin, 85.0)
    scale = cos(radians((south + north) / 2))
    # a tall region gets more of the sea beside it, a flat one more above and below
    wider = max(0.0, MAP_WIDE * (north - south) / (HEIGHT_MAX * scale) - (east - west)) / 2
    west, east = max(west - wider, west_end), min(east + wider, west_end + 360.0)
    higher = max(0.0, HEIGHT_MIN * (east - west) * scale / MAP_WIDE - (north - south)) / 2
    south, north = max(south - higher, -85.0), min(north + higher, 85.0)
    height = round(MAP_WIDE * (north - south) / ((east - west) * scale))
    return Frame(west, east, south, north, MAP_WIDE, min(height, HEIGHT_MAX))


def world() -> Frame:
    """The whole Earth but its polar caps, centred on 150 E, degrees of equal size."""
    height = round(MAP_WIDE * (WORLD_NORTH - WORLD_SOUTH) / 360.0)
    return Frame(data.WEST_DEG, data.WEST_DEG + 360.0, WORLD_SOUTH, WORLD_NORTH, MAP_WIDE, height)


def globe() -> Frame:
    """The whole Earth with its polar caps, centred on 150 E, degrees of equal size."""
    return Frame(data.WEST_DEG, data.WEST_DEG + 360.0, -90.0, 90.0, MAP_WIDE, MAP_WIDE // 2)


def coast(frame: Frame) -> Columns:
    """Columns x, y, piece of the coastline on a map, thinned to what can be seen at its scale."""
    west_end = min(frame.west, data.WEST_DEG)
    columns: Columns = {"x": [], "y": [], "piece": []}
    number = 0
    digits = 2 if frame.east - frame.west < 90.0 else 1
    pixel = (frame.east - frame.west) / frame.width
    for flat in json.loads((files("noroshi") / "report" / "static" / "coast.json").read_text("utf-8")):
        line = np.array(flat).reshape(-1, 2)
        line[:, 0] = np.mod(line[:, 0] - west_end, 360.0) + west_end
        if np.ptp(line, axis=0).max() < COAST_ISLAND_PX * pixel:
            continue
        near = (
            (line[:, 0] > frame.west - 2)
            & (line[:, 0] < frame.east + 2)
            & (line[:, 1] > frame.south - 2)
            & (line[:, 1] < frame.north + 2)
        )
        if not near.any():
            continue
        cuts = np.flatnonzero((np.abs(np.diff(line[:, 0])) > 180.0) | (near[1:] != near[:-1])) + 1
        for part, inside in zip(np.split(line, cuts), np.split(near, cuts), strict=True):
            if not inside[0] or len(part) < 2:
                continue
            kept = _thin(part, COAST_SPACING_PX * pixel)
            columns["x"] += np.round(kept[:, 0], digits).tolist()
            columns["y"] += np.round(kept[:, 1], digits).tolist()
            columns["piece"] += [number] * len(kept)
            number += 1
    return columns


def satellite_columns(report: Report) -> Columns:
    """Columns x, y, piece of the satellites' ground tracks while the first target flies."""
    pieces = [piece for parts in data.satellite_tracks(report.run).values() for piece in parts]
    return {
        "x": [v for piece in pieces for v in np.round(piece[:, 0], 1).tolist()],
        "y": [v for piece in pieces for v in np.round(piece[:, 1], 1).tolist()],
        "piece": [n for n, piece in enumerate(pieces) for _ in piece],
    }


def _thin(line: np.ndarray, spacing: float) -> np.ndarray:
    """The line without the points that lie within `spacing` of the last one kept; both ends stay."""
    keep, (x, y) = [0], line[0]
    for k in range(1, len(line) - 1):
        if hypot(line[k, 0] - x, line[k, 1] - y) >= spacing:
            keep.append(k)
            x, y = line[k]
    return line[[*keep, len(line) - 1]]


def area_outline(report: Report, k: int) -> np.ndarray:
    """A listed area's outline [point, lon lat], closed."""
    area = report.run.scenario.areas[k]
    if area.polygon_deg is not None:
        corners = np.array([*area.polygon_deg, area.polygon_deg[0]])
        return np.stack([data.map_lon(np.deg2rad(corners[:, 1])), corners[:, 0]], 1)
    assert area.centre_deg is not None
    assert area.radius_km is not None
    lat, lon = (radians(v) for v in area.centre_deg)
    to_lat, to_lon = destination(lat, lon, np.linspace(0, 2 * np.pi, 49), area.radius_km * 1e3)
    return np.stack([data.map_lon(to_lon), np.rad2deg(to_lat)], 1)


def local_name(part: Any, say: Say) -> str:
    """The name of an area or point in the report's language, where the scenario has it."""
    return part.name_ja if say.lang == "ja" and part.name_ja else part.name


# --- drawing ---------------------------------------------------------------------------------------------------


def _axes(frame: Frame, say: Say) -> Spec:
    span = max(frame.east - frame.west, frame.north - frame.south)
    step = next((s for s in (1, 2, 5, 10) if span / s <= 24), 30)

    def axis(field: str, low: float, high: float, title: str, label: str) -> Spec:
        return {
            "field": field,
            "type": "quantitative",
            "scale": {"domain": [low, high], "nice": False, "zero": False},
            "axis": {
                "title": title,
                "labelExpr": label,
                "grid": True,
                "values": [v for v in range(-360, 361, step) if low <= v <= high and v < low + 360],
            },
        }

    wrapped = "((datum.value + 540) % 360 - 180)"
    east_west = f"abs({wrapped}) + '°' + (datum.value % 180 == 0 ? '' : {wrapped} < 0 ? 'W' : 'E')"
    north_south = "abs(datum.value) + '°' + (datum.value < 0 ? 'S' : datum.value > 0 ? 'N' : '')"
    return {
        "x": axis("x", frame.west, frame.east, say("longitude"), east_west),
        "y": axis("y", frame.south, frame.north, say("latitude"), north_south),
    }


def line_layer(rows: Spec, **mark: Any) -> Spec:
    """Lines from rows or columns of x, y, piece and k."""
    return {
        "data": rows,
        "mark": {"type": "line", "interpolate": "linear", "clip": True, **mark},
        "encoding": {
            "detail": {"field": "piece", "type": "nominal"},
            "order": {"field": "k", "type": "quantitative"},
        },
    }


def line_rows(pieces: Iterable[np.ndarray]) -> Spec:
    """Data of lines from their points [point, lon lat] in degrees."""
    return {
        "values": [
            {"x": round(float(p[0]), 2), "y": round(float(p[1]), 2), "piece": n, "k": k}
            for n, piece in enumerate(pieces)
            for k, p in enumerate(piece)
        ]
    }


def symbol_layers(places: list[Place]) -> Iterator[Spec]:
    """The symbols of those places that have one."""
    rows = [
        {
            "x": p.lon,
            "y": p.lat,
            "shape": p.shape,
            "colour": p.colour,
            "fill": p.colour if p.filled else "#fff",
        }
        for p in places
        if p.shape
    ]
    if rows:
        mark = {
            "type": "point",
            "size": 58,
            "opacity": 1,
            "strokeWidth": 1.6,
            "shape": {"expr": "datum.shape"},
            "stroke": {"expr": "datum.colour"},
            "fill": {"expr": "datum.fill"},
        }
        yield {"data": {"values": rows}, "mark": mark}


def name_layers(labels: list[Label]) -> Iterator[Spec]:
    """Names with a light edge, and the thin lines that lead to them."""
    if not labels:
        return
    led = [{"x": at.x, "y": at.y, "x2": at.from_x, "y2": at.from_y} for at in labels if at.led]
    if led:
        ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
        mark = {"type": "rule", "stroke": "#55616e", "strokeWidth": 0.7}
        yield {"data": {"values": led}, "mark": mark, "encoding": ends}
    rows = [{"x": at.x, "y": at.y, "text": at.text, "align": at.align} for at in labels]
    text = {"type": "text", "fontSize": 11, "align": {"expr": "datum.align"}, "baseline": "middle"}
    words = {"text": {"field": "text"}}
    for style in (
        HALO,
        {"fill": INK},
    ):
        yield {"data": {"values": rows}, "mark": {**text, **style}, "encoding": words}


class Label(NamedTuple):
    """A name and where it stands, in degrees; `led`: a thin line leads back to the place."""

    text: str
    x: float
    y: float
    align: str
    led: bool
    from_x: float
    from_y: float


LABEL_HEIGHT_PX = 14.0
_RINGS_PX = (10.0, 20.0, 34.0, 50.0, 70.0, 95.0, 125.0)
_DIRECTIONS = tuple(
    k * pi / 8 for k in (0, 8, 12, 4, 14, 2, 10, 6, 15, 1, 9, 7, 13, 3, 11, 5)
)  # right, left, up, ...


def text_width(text: str) -> float:
    """Width in pixels of a name at 11 px: full-width characters count twice."""
    return 6.1 * sum(1.9 if ord(c) > 0x2E80 else 1.0 for c in text)


def place_labels(places: list[Place], frame: Frame, paths: list[np.ndarray]) -> list[Label]:
    """Where each name can stand without touching a name, a symbol, the paths, or the frame.

    First come, first served, on rings round the place; where nothing is free a name may cross a path, and a name
    that finds no room at all is left out.
    """
    symbols = [frame.pixel(p.lon, p.lat) for p in places if p.shape]
    track = [frame.pixel(float(x), float(y)) for path in paths for x, y in path]
    boxes: list[tuple[float, float, float, float]] = []
    labels = []
    for place in places:
        x, y = frame.pixel(place.lon, place.lat)
        width = text_width(place.name)

        def free(box: tuple[float, float, float, float], over_paths: bool, own: tuple[float, float]) -> bool:
            inside = box[0] > 2 and box[1] < frame.width - 2 and box[2] > 2 and box[3] < frame.height - 2
            clear = not any(
                box[0] < b[1] and b[0] < box[1] and box[2] < b[3] and b[2] < box[3] for b in boxes
            )
            points = symbols if over_paths else symbols + track
            return (
                inside
                and clear
                and not any(
                    box[0] - 3 < px < box[1] + 3 and box[2] - 2 < py < box[3] + 2
                    for px, py in points
                    if (px, py) != own
                )
            )

        for over_paths in (False, True):
            spot = next(
                (
                    (left, align, lx, ly)
                    for left, align, lx, ly in _spots(x, y, width, bool(place.shape))
                    if free(_box(left, width, ly), over_paths, (x, y))
                ),
                None,
            )
            if spot is not None:
                left, align, lx, ly = spot
                boxes.append(_box(left, width, ly))
                at = frame.degrees(lx, ly)
                led = hypot(lx - x, ly - y) > 18.0
                labels.append(Label(place.name, *at, align, led, *frame.degrees(x, y)))
                break
    return labels


def _box(left: float, width: float, y: float) -> tuple[float, float, float, float]:
    return left, left + width, y - LABEL_HEIGHT_PX / 2, y + LABEL_HEIGHT_PX / 2


def _spots(x: float, y: float, width: float, symbol: bool) -> Iterator[tuple[float, str, float, float]]:
    """Left edge, alignment and anchor of every spot about a place, best first."""
    if not symbol:
        yield x - width / 2, "center", x, y
    for ring in _RINGS_PX:
        for direction in _DIRECTIONS:
            lx, ly = x + ring * cos(direction), y + ring * sin(direction)
            if cos(direction) > 0.3:
                yield lx, "left", lx, ly
            elif cos(direction) < -0.3:
                yield lx - width, "right", lx, ly
            else:
                yield lx - width / 2, "center", lx, ly + (3 if sin(direction) > 0 else -3)


# --- the two maps ----------------------------------------------------------------------------------------------


def chart_region(report: Report, say: Say) -> tuple[Spec, list[Key]]:
    """Flights by phase with round times, radar fields, areas and impact ellipses over the coastlines."""
    run, scenario = report.run, report.run.scenario
    frame = region(report)
    keys: list[Key] = []
    layers: list[Spec] = []
    warned = {int(a) for a in run.warnings.area.tolist()}
    for is_warned, colour in ((False, GREY), (True, VERMILION)):
        outlines = [area_outline(report, k) for k in range(len(scenario.areas)) if (k in warned) == is_warned]
        if outlines:
            keys.append(Key("area", colour, say("layer_warned" if is_warned else "layer_area")))
            look = {"filled": True, "fill": colour, "fillOpacity": 0.22 if is_warned else 0.1}
            width = 2.2 if is_warned else 1.0
            layers.append(line_layer(line_rows(outlines), stroke=colour, strokeWidth=width, **look))
    layers.append(line_layer({"name": "coast"}, stroke="#6b7785", strokeWidth=0.7))
    fields = data.radar_fields(run)
    for nation in dict.fromkeys(radar.owner for radar in scenario.radars):
        colour = nation_colour(report, nation)
        keys.append(Key("triangle-up", colour, say("layer_radar", nation=say.label(nation))))
        mine = [fields[radar.name] for radar in scenario.radars if radar.owner == nation]
        look = {"filled": True, "fill": colour, "fillOpacity": 0.05, "strokeOpacity": 0.75}
        layers.append(line_layer(line_rows(mine), stroke=colour, strokeWidth=0.9, strokeDash=[6, 3], **look))
    paths = []
    for phase, piece in (p for flight in report.flights for p in data.flight_phases(flight)):
        paths.append(piece)
        colour = PHASE_COLOURS.get(phase, INK)
        layers.append(line_layer(line_rows([piece]), stroke=colour, strokeWidth=2.8))
        key = Key("line", colour, say(f"phase_{phase.name.lower()}"))
        if len(piece) > 2 and key not in keys:
            keys.append(key)
    for nations, impact in data.impacts(run, report.flights[0]):
        colour = nations_colour(report, nations)
        keys.append(Key("line", colour, say("layer_ellipse", nation=say.names(nations))))
        layers.append(line_layer(line_rows([data.ellipse_outline(impact)]), stroke=colour, strokeWidth=1.4))
    places = _region_places(report, say, warned)
    if not all(cruises(flight) for flight in report.flights):
        keys.append(Key("cross", INK, say("layer_impact")))
    if scenario.points:
        keys.append(Key("circle", INK, say("layer_point")))
    shown = [place for place in places if frame.holds(place.lon, place.lat)]
    layers += symbol_layers(shown)
    layers += name_layers(place_labels(shown, frame, paths))
    return map_spec(frame, say, layers), keys


def _region_places(report: Report, say: Say, warned: set[int]) -> list[Place]:
    scenario = report.run.scenario
    places = []
    for flight, name in zip(report.flights, report.run.truth.targets, strict=True):
        if len(flight.t):
            x, y = data.map_lon(flight.lon_rad[[0, -1]]), np.rad2deg(flight.lat_rad[[0, -1]])
            end = say("end_of" if cruises(flight) else "impact_of", target=name)
            places.append(Place(float(x[1]), float(y[1]), "cross", INK, end))
            places.append(Place(float(x[0]), float(y[0]), "diamond", INK, say("launch_of", target=name)))
    for point in scenario.points:
        x = data.map_lon(np.array(radians(point.longitude_deg))).item()
        places.append(Place(x, point.latitude_deg, "circle", INK, local_name(point, say)))
    for radar in scenario.radars:
        x = data.map_lon(np.array(radians(radar.longitude_deg))).item()
        colour = nation_colour(report, radar.owner)
        places.append(Place(x, radar.latitude_deg, "triangle-up", colour, radar.name))
    for k in sorted(range(len(scenario.areas)), key=lambda k: k not in warned):
        middle = np.mean(area_outline(report, k)[:-1], axis=0)
        name = local_name(scenario.areas[k], say)
        name = say("warned_area", area=name) if k in warned else name
        places.append(Place(float(middle[0]), float(middle[1]), "", "", name))
    for flight in report.flights:
        for t, x, y in data.flight_marks(flight):
            places.append(Place(x, y, "circle", INK, say.seconds(t, sign=True), filled=False))
    return places


def chart_world(report: Report, say: Say) -> tuple[Spec, list[Key]]:
    """Satellites with their tracks during the flight, entry points and nodes; who sees it as the first node warns."""
    run, scenario = report.run, report.run.scenario
    frame = world()
    layers = [line_layer({"name": "coast_world"}, stroke="#9aa5b1", strokeWidth=0.6)]
    keys: list[Key] = []
    sky = data.sky(run)
    if sky.names:
        layers.append(line_layer({"name": "satellites"}, stroke=SKY, strokeWidth=0.9, opacity=0.8))
        keys.append(Key("line", SKY, say("layer_satellite")))
        keys.append(Key("circle-open", SKY, say("layer_idle")))
        keys.append(Key("circle", BLUE, say("layer_sees")))
    for flight in report.flights:
        for _, piece in data.flight_phases(flight):
            layers.append(line_layer(line_rows([piece]), stroke=INK, strokeWidth=2.4))
    keys.append(Key("line", INK, say("layer_flight")))
    inset = region(report)
    corners = np.array(
        [
            (inset.west, inset.south),
            (inset.east, inset.south),
            (inset.east, inset.north),
            (inset.west, inset.north),
            (inset.west, inset.south),
        ]
    )
    layers.append(line_layer(line_rows([corners]), stroke="#55616e", strokeWidth=0.8, strokeDash=[2, 2]))
    keys.append(Key("dash", "#55616e", say("layer_inset")))
    places = []
    for node in scenario.nodes:
        x = data.map_lon(np.array(radians(node.longitude_deg))).item()
        name = f"{say.label(node.nation)}: {node.name}"
        places.append(Place(x, node.latitude_deg, "diamond", nation_colour(report, node.nation), name))
    keys.append(Key("diamond", GREY, say("layer_node")))
    for entry in scenario.entry_points:
        x = data.map_lon(np.array(radians(entry.longitude_deg))).item()
        places.append(Place(x, entry.latitude_deg, "square", nation_colour(report, entry.nation), entry.name))
    if scenario.entry_points:
        keys.append(Key("square", GREY, say("layer_entry")))
    satellites = [
        Place(float(x), float(y), "circle", BLUE if sees else SKY, name if sees else "", bool(sees))
        for name, x, y, sees in zip(sky.names, sky.lon_deg, sky.lat_deg, sky.sees, strict=True)
    ]
    shown = [place for place in [*places, *satellites] if frame.holds(place.lon, place.lat)]
    layers += symbol_layers(shown)
    paths = [piece for flight in report.flights for _, piece in data.flight_phases(flight)]
    layers += name_layers([at for at in place_labels(shown, frame, paths) if at.text])
    return map_spec(frame, say, layers), keys


def map_spec(frame: Frame, say: Say, layers: list[Spec]) -> Spec:
    """A map: its layers on axes of longitude and latitude."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": frame.width,
        "height": frame.height,
        "encoding": _axes(frame, say),
        "layer": layers,
    }

"""The scenario that `noroshi init` writes: small, commented, and it runs."""

TEMPLATE = """\
# A small noroshi scenario: one lofted flight, one layer of infrared satellites, one nation. Run it: noroshi run {name}.toml
schema = 1
name = "{name}"
epoch = "2026-11-24T00:00:00Z"
duration_s = 900
nations = [{{ code = "JPN" }}]
nodes = [{{ nation = "JPN", name = "Tokyo", latitude_deg = 35.7, longitude_deg = 139.7, notional = "example" }}]
areas = [{{ name = "Mariana Islands", centre_deg = [15.2, 145.8], radius_km = 150, notional = "example" }}]

# 60 satellites in 6 planes; try fewer, or another altitude_km
layers = [{{ name = "leo", owner = "JPN", sensor = "ir", satellites = 60, planes = 6, phasing = 1, altitude_km = 1000, inclination_deg = 60, notional = "example" }}]
infrared = [{{ name = "ir", band = "mwir", field_of_regard_deg = 70, range_max_km = 5000, nei_space_w_m2 = 1e-13, nei_earth_w_m2 = 1e-11, sigma_floor_urad = 50, pixel_urad = 100, notional = "example" }}]
entry_points = [{{ name = "tokyo", nation = "JPN", latitude_deg = 35.7, longitude_deg = 139.7, notional = "example" }}]

[[targets]]
name = "example"
kind = "ballistic"
latitude_deg = 33.0           # a purely notional place at sea
longitude_deg = 140.0
azimuth_deg = 165
range_km = 2000
apogee_km = 450
boost_s = 120
intensity_kw_sr = {{ mwir = {{ boost = 100, coast = 0.02, reentry = 2 }} }}
notional = "example"
"""


def template(name: str) -> str:
    """The text of a new scenario called `name`."""
    return TEMPLATE.format(name=name)

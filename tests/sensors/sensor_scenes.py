"""Small scenes for sensor tests: GCRS and ITRS coincide, platforms and targets stand still."""

from __future__ import annotations

import numpy as np

from noroshi.earth import itrs_from_geodetic
from noroshi.sensors.models import Infrared, Radar
from noroshi.tables import Background, Ephemeris, Phase, Truth

INFRARED = Infrared(
    band="mwir",
    field_cone_rad=np.deg2rad(80),
    grazing_height_m=0.0,
    cloud_top_m=0.0,
    background=int(Background.ANY),
    range_max_m=1e7,
    nei_space_w_m2=1e-13,
    nei_earth_w_m2=1e-11,
    threshold_snr=5.0,
    p_detect_max=0.9,
    sigma_floor_rad=50e-6,
    pixel_rad=100e-6,
    false_alarms_per_scan=0.0,
    p_detect_assumed=0.8,
    scan_period_s=1.0,
    scan_offset_s=0.0,
    processing_s=0.5,
)
RADAR = Radar(
    facing_rad=0.0,
    field_azimuth_rad=np.pi,
    elevation_min_rad=np.deg2rad(5),
    elevation_max_rad=np.deg2rad(85),
    range_max_m=2e6,
    range_reference_m=1e6,
    rcs_reference_m2=0.1,
    snr_reference=20.0,
    p_false_alarm=1e-6,
    sigma_range_m=10.0,
    sigma_angle_rad=0.3e-3,
    beamwidth_rad=4e-3,
    range_resolution_m=15.0,
    false_alarms_per_scan=0.0,
    p_detect_assumed=0.9,
    scan_period_s=1.0,
    scan_offset_s=0.0,
    processing_s=0.2,
)


def place(lat_deg: float, lon_deg: float, height_m: float) -> np.ndarray:
    """ITRS (here also GCRS) position."""
    return np.asarray(itrs_from_geodetic(np.deg2rad(lat_deg), np.deg2rad(lon_deg), np.float64(height_m)))


def still(
    platforms: dict[str, np.ndarray], targets: dict[str, np.ndarray], times: int, intensity_w_sr: float = 1e5
) -> tuple[Ephemeris, Truth, np.ndarray]:
    """Ephemeris, truth and the (identity) rotations of things that stand still for `times` seconds."""
    t = np.arange(float(times))
    r = np.broadcast_to(np.array(list(platforms.values())), (times, len(platforms), 3)).copy()
    v = np.zeros_like(r)
    v[..., 2] = 1.0  # satellites "move" northwards: fixes their axes
    x = np.broadcast_to(np.array(list(targets.values())), (times, len(targets), 3)).copy()
    shape = (times, len(targets))
    truth = Truth(
        targets=tuple(targets),
        bands=("mwir",),
        t=t,
        r_gcrs=x,
        v_gcrs=np.zeros_like(x),
        phase=np.full(shape, Phase.BOOST, np.int8),
        alive=np.ones(shape, bool),
        intensity_w_sr=np.full((*shape, 1), intensity_w_sr),
        rcs_m2=np.full(len(targets), 0.1),
        t_launch=np.zeros(len(targets)),
        t_impact=np.full(len(targets), float(times)),
    )
    return Ephemeris(tuple(platforms), t, r, v), truth, np.broadcast_to(np.eye(3), (times, 3, 3)).copy()

"""Orekit, started once: its machine inside this process, its data from the packages installed and our constants."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from noroshi.time import Epoch, utc_text

# EGM96, zonal terms only, in the format of the International Centre for Global Earth Models: fully normalised
FIELD = """\
product_type gravity_field
modelname egm96-zonal
earth_gravity_constant 3.986004418e14
radius 6378137.0
max_degree 4
errors no
norm fully_normalized
tide_system tide_free
end_of_head
gfc 0 0 1.0 0.0
gfc 2 0 {c20:.15e} 0.0
gfc 3 0 {c30:.15e} 0.0
gfc 4 0 {c40:.15e} 0.0
"""


@pytest.fixture(scope="session")
def orekit(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Orekit's classes by name, with Earth orientation from the same tables as ours, and the zonal field."""
    package = pytest.importorskip("orekit_jcc", reason="`make test-peers` installs it")
    package.initVM()
    import org.hipparchus.geometry.euclidean.threed as threed
    import org.hipparchus.ode.nonstiff as nonstiff
    import org.orekit.bodies as bodies
    import org.orekit.data as data
    import org.orekit.forces.drag as drag
    import org.orekit.forces.gravity as gravity
    import org.orekit.forces.gravity.potential as potential
    import org.orekit.forces.radiation as radiation
    import org.orekit.frames as orekit_frames
    import org.orekit.models.earth.atmosphere as atmosphere
    import org.orekit.orbits as orbits
    import org.orekit.propagation as propagation
    import org.orekit.propagation.analytical.tle as tle
    import org.orekit.propagation.numerical as numerical
    import org.orekit.time as orekit_time
    import org.orekit.utils as utils
    from java.io import File

    from noroshi.constants import EARTH_J2
    from noroshi.orbits.forces import EARTH_J3, EARTH_J4

    folder = tmp_path_factory.mktemp("orekit")
    field = FIELD.format(c20=-EARTH_J2 / 5**0.5, c30=-EARTH_J3 / 7**0.5, c40=-EARTH_J4 / 3)
    (folder / "zonal.gfc").write_text(field)
    eop = folder / "Earth-Orientation-Parameters" / "IAU-2000"
    eop.mkdir(parents=True)
    (eop / "finals2000A.all").write_bytes(
        (files("astropy_iers_data") / "data" / "finals2000A.all").read_bytes()
    )
    providers = data.DataContext.getDefault().getDataProvidersManager()
    providers.addProvider(data.DirectoryCrawler(File(str(folder))))
    shipped = Path(package.__file__).parent / "resources" / "orekit-data"
    # leap seconds and DE-430; its gravity field stays out
    for part in (shipped, shipped / "DE-430-ephemerides"):
        for found in sorted(part.iterdir()):
            if found.is_file():
                (folder / found.name).symlink_to(found)
    potential.GravityFieldFactory.clearPotentialCoefficientsReaders()
    potential.GravityFieldFactory.addPotentialCoefficientsReader(
        potential.ICGEMFormatReader("zonal.gfc", True)
    )
    names = (threed, nonstiff, bodies, drag, gravity, potential, radiation, orekit_frames, atmosphere)
    classes = {}
    for module in (*names, tle, orbits, propagation, numerical, orekit_time, utils):
        classes |= {k: v for k, v in vars(module).items() if isinstance(v, type)}
    return SimpleNamespace(**classes)


@pytest.fixture(scope="session")
def date_of(orekit: SimpleNamespace):
    """Orekit's date of one of our epochs, by way of UTC text, good to a nanosecond."""

    def convert(epoch: Epoch, t: float = 0.0):
        text = utc_text(epoch, t, 9).removesuffix("Z")
        return orekit.AbsoluteDate(text, orekit.TimeScalesFactory.getUTC())

    return convert


def vector(v) -> np.ndarray:
    """A Vector3D as an array."""
    return np.array([v.getX(), v.getY(), v.getZ()])

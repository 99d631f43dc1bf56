"""An edge pays in memory only for the protocols that its devices speak."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHECK = """
import sys
import ems_edge.main
from ems_edge.drivers import make_drivers
make_drivers([{driver!r}])
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(",".join(sorted(loaded & {{"bacpypes3", "aiomqtt", "paho", "numpy"}})))
"""


@pytest.mark.parametrize(("driver", "loaded"), [("modbus", ""), ("mqtt", "aiomqtt,paho")])
def test_a_protocols_library_is_loaded_with_its_first_device(driver: str, loaded: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK.format(driver=driver)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == loaded

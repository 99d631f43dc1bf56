"""From a fresh clone, with every package cache empty, to a page whose values move."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from ems_stack.paths import REPOSITORY
from ems_stack.ports import Ports, variable

from ems_prove.browser import chromium, log_in, watch_point
from ems_prove.experiment import Outcome
from ems_prove.experiments.live_latency import POINT
from ems_prove.lab import Lab

AIM_SECONDS = 300.0


def measure(_: Lab) -> Outcome:
    """What is committed is cloned; the page is opened as the first demo account that was printed."""
    with tempfile.TemporaryDirectory(prefix="ems-first-start-") as place:
        clone = Path(place) / "ems"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        environment = _environment(Path(place))
        begun = time.monotonic()
        up = subprocess.run(["make", "up"], cwd=clone, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - begun
        try:
            if up.returncode:
                raise RuntimeError(f"make up failed:\n{up.stdout[-3000:]}\n{up.stderr[-3000:]}")
            moved = _values_move(up.stdout)
        finally:
            subprocess.run(["make", "reset"], cwd=clone, env={**environment, "FORCE": "1"}, check=False)
    return Outcome(
        f"{seconds:.0f} s to the URL table, {moved} changes of {POINT} seen in 20 s as a demo account",
        f"under {AIM_SECONDS:.0f} s, values that move",
        seconds < AIM_SECONDS and moved > 1,
    )


def _environment(place: Path) -> dict[str, str]:
    """This process's, with free ports and empty caches, and without the variables of a running stack."""
    caches = {
        name: str(place / "cache" / name.lower())
        for name in ("XDG_CACHE_HOME", "PIP_CACHE_DIR", "UV_CACHE_DIR", "npm_config_cache")
    }
    free = Ports.free()
    ports = {variable(name): str(getattr(free, name)) for name in free.__dataclass_fields__}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EMS_") and name != "VIRTUAL_ENV"}
    return {**kept, **caches, **ports}


def _values_move(printed: str) -> int:
    """How many changes the page shows in 20 s. The address and the login come from what was printed."""
    url = re.search(r"Web\s+(http://\S+)", printed)
    login = re.search(r"^\s*(\S+@\S+)\s+(\S+)", printed, re.MULTILINE)
    if url is None or login is None:
        raise RuntimeError(f"no address or login was printed:\n{printed[-3000:]}")
    with chromium() as browser:
        page = browser.new_page()
        log_in(page, url[1], login[1], login[2])
        page.locator("a[href^='/sites/']").first.click()
        watch_point(page, POINT)
        page.wait_for_timeout(20_000)
        return len(page.evaluate("window.__seen"))

"""What an edge needs that has nothing to do but its polls: 39 meters, 507 points, each 5 s, with backend and Redis."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml
from ems_stack import ports
from ems_stack.processes import inherited_environment
from ems_stack.services import BIN
from ems_stack.stack import Stack

from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.memory import Memory
from ems_prove.own_site import OwnSite, own_site
from ems_prove.waiting import eventually

METERS, POINTS_OF_A_METER = 39, 13
MINUTES = 3.0
AIM_MB = 80.0


def measure(lab: Lab) -> Outcome:
    memory = idle_edge(lab.stack, MINUTES)
    return Outcome(
        f"{METERS * POINTS_OF_A_METER} points polled each 5 s, after {MINUTES:g} min: "
        f"{memory.resident:.0f} MB resident "
        f"({memory.share:.0f} MB when shared pages are divided, {memory.own:.0f} MB of its own)",
        f"under {AIM_MB:.0f} MB resident",
        memory.resident < AIM_MB,
    )


def idle_edge(stack: Stack, minutes: float) -> Memory:
    """An edge of its own, which reads a simulator of its own: the ledgers of the stack's stay right."""
    with (
        tempfile.TemporaryDirectory(prefix="ems-memory-") as folder,
        _simulator() as port,
        stack.client("platform_admin") as client,
        own_site(stack, client, "Idle edge") as site,
    ):
        _meters(client, site, port)
        bootstrap = Path(folder) / "edge.yaml"
        bootstrap.touch(mode=0o600)
        bootstrap.write_text(yaml.safe_dump({"url": stack.url("backend"), "key": site.key, "store": "store"}))
        health = ports.free_ports(1)[0]
        with _running([str(BIN / "ems-edge"), "run", str(bootstrap), "--health-port", str(health)]) as edge:
            eventually("the edge", lambda: _ready(f"http://127.0.0.1:{health}/readyz"), 30)
            time.sleep(minutes * 60)  # how long it is idle is the experiment
            return Memory.of(edge.pid)


def _meters(client: httpx.Client, site: OwnSite, port: int) -> None:
    for number in range(1, METERS + 1):
        meter = {
            "edge": site.edge,
            "key": f"meter_{number}",
            "name": f"Meter {number}",
            "driver": "modbus",
            "profile": "stl_meter",
            "connection": {"host": "127.0.0.1", "port": port, "unit": 1},
            "poll_interval": 5,
        }
        client.post("/api/devices", json=meter).raise_for_status()


@contextmanager
def _simulator() -> Iterator[int]:
    """The Modbus port of one simulated site."""
    modbus, control, bacnet = ports.free_ports(3)
    command = [str(BIN / "ems-simulator"), "run", "--sites", "factory", "--modbus-port", str(modbus)]
    with _running([*command, "--control-port", str(control), "--bacnet-port", str(bacnet)]):
        yield modbus


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=inherited_environment(), stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _ready(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False

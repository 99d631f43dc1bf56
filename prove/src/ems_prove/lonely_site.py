"""A simulated site and its edge, and nothing else: no Redis, no backend, only the session that the edge has cached.

The simulator begins at a given instant and keeps its ledger; the edge polls each second and runs the rules it is given.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from ems_contract.control import ControlRule
from ems_contract.provisioning import Device, EdgeConfig, RedisAccess, SessionAnswer
from ems_simulator.sites import site as site_of

from ems_prove.ledger import Answer, read_ledger
from ems_prove.waiting import eventually

_NOWHERE = "127.0.0.1:1"
"""Nobody listens there."""


@dataclass(frozen=True)
class LonelySite:
    key: str
    folder: Path
    modbus_port: int

    def write(self, device: str, address: int, value: int) -> None:
        """One holding register, as somebody else on the site would: function 6. Raises OSError, ValueError."""
        unit = next(one.unit for one in site_of(self.key).devices if one.key == device)
        request = struct.pack(">HHHBBHh", 1, 0, 6, unit, 6, address, value)
        with socket.create_connection(("127.0.0.1", self.modbus_port), timeout=5) as connection:
            connection.sendall(request)
            answer = connection.recv(256)
        if answer[6:] != request[6:]:
            raise ValueError(f"{self.key}.{device} refused {value} at register {address}: {answer[6:].hex()}")

    def answers(self, since: float = 0) -> list[Answer]:
        profiles = {one.key: one.profile for one in site_of(self.key).devices}
        return read_ledger(self.folder / "ledger" / f"{self.key}.ndjson", profiles, since)


@contextmanager
def lonely_site(key: str, start: str, folder: Path) -> Iterator[LonelySite]:
    """The simulator alone. `start`: the simulated instant, ISO 8601."""
    command = [sys.executable, "-m", "ems_simulator", "run", "--sites", key, "--start", start, "--modbus-port", "0"]
    command += ["--bacnet-port", "0", "--control-port", "0", "--ledger", str(folder / "ledger")]
    with _process(command, folder / "simulator.log") as log:
        ready = eventually("the simulator", lambda: _line_of(log, "ready"), 60)
        yield LonelySite(key, folder, ready["modbus_ports"][key])


@contextmanager
def lonely_edge(site: LonelySite, rules: Sequence[ControlRule]) -> Iterator[None]:
    """An edge that was here before: its session is in the cache, and there is nobody to ask for a newer one."""
    store = site.folder / "store"
    store.mkdir(mode=0o700)
    devices = [
        Device(
            one.key, one.key, "modbus", one.profile, {"host": "127.0.0.1", "port": site.modbus_port, "unit": one.unit}
        )
        for one in site_of(site.key).devices
        if one.profile.startswith("stl_")
    ]
    config = EdgeConfig("cached", devices, poll_interval=1.0, rules=list(rules))
    access = RedisAccess(f"redis://{_NOWHERE}/0", "edge_1", "nobody-asks")
    session = SessionAnswer("edge_1", "Edge", "site_1", site.key, site_of(site.key).timezone, access, config)
    cache = store / "session.json"
    cache.write_bytes(msgspec.json.encode(session))
    cache.chmod(0o600)
    bootstrap = site.folder / "edge.yaml"
    bootstrap.write_text(f"url: http://{_NOWHERE}\nkey: ems_prove_nobody\nstore: store\n", encoding="utf-8")
    command = [sys.executable, "-m", "ems_edge", "run", str(bootstrap)]
    with _process(command, site.folder / "edge.log") as log:
        eventually("the edge's first poll", lambda: _line_of(log, "polling"), 60)
        yield


@contextmanager
def _process(command: Sequence[str], log: Path) -> Iterator[Path]:
    """Its output goes to `log`; SIGTERM at the end. Raises RuntimeError where it had ended by itself."""
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=os.environ.copy())
    try:
        yield log
        if child.poll() is not None:
            raise RuntimeError(f"{' '.join(command[2:4])} ended with {child.returncode}: {log.read_text()[-2000:]}")
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _line_of(log: Path, event: str) -> dict[str, dict[str, int]] | None:
    """The first log line of that event."""
    for line in log.read_text(encoding="utf-8").splitlines():
        if f'"{event}"' in line:
            found: dict[str, dict[str, int]] = json.loads(line)
            return found
    return None

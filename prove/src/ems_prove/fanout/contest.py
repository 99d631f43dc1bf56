"""One server, one load: start both, measure, end both."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ems_prove.fanout.drive import Phase
from ems_prove.fanout.load import Job, Report
from ems_prove.fanout.machine import allow_sockets, cores, on_core
from ems_prove.fanout.servers import Contestant, Running, Scene, running


class Crowd(msgspec.Struct, frozen=True):
    """How many clients, of how many sites, and the bytes of a batch. `sampled`: of each site's clients."""

    sites: int = 10
    clients: int = 100
    size: int = 250
    sampled: int = 3
    users: int = 10
    idle: float = 0.2


CROWD = Crowd()


def measure(contestant: Contestant, phases: Sequence[Phase], crowd: Crowd = CROWD) -> Report:
    """A fresh server, a fresh crowd, then each phase. Raises NoPeerError."""
    allow_sockets(crowd.sites * crowd.clients)
    with tempfile.TemporaryDirectory(prefix="ems-fanout-") as folder:
        scene = Scene(Path(folder), crowd.users, crowd.sites)
        with running(contestant, scene) as server:
            return load(server, phases, crowd)


def load(server: Running, phases: Sequence[Phase], crowd: Crowd) -> Report:
    """In a process of its own, on the other core."""
    job = Job(
        server.dialect,
        server.port,
        server.where,
        list(phases),
        dict(server.pids),
        list(server.tokens),
        crowd.sites,
        crowd.clients,
        crowd.size,
        crowd.sampled,
        crowd.idle,
    )
    pinned = cores()
    with on_core(pinned[1] if pinned else None):
        process = subprocess.Popen(
            [sys.executable, "-m", "ems_prove.fanout.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    answer, complaint = process.communicate(msgspec.json.encode(job))
    if process.returncode:
        raise RuntimeError(f"the load for the {server.dialect} server failed: {complaint.decode()[-2_000:]}")
    return msgspec.json.decode(answer, type=Report)

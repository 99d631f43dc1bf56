"""How many points a second the edge reads over Modbus TCP, against a plain loop of one request for each point.

Through the whole driver: requests, turns, decoding, reasons. The edge has one core, the server of the registers the
other; both programs read it in turns of the same run. And when one device hangs, how late are the others?
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from ems_prove.experiment import Outcome
from ems_prove.lab import Lab
from ems_prove.polling import INTERVAL, Jitter, Speed, Speeds

DEVICES = 50
SECONDS = 2.0
AIM_CONTIGUOUS, AIM_HOLES = 25.0, 8.0
AIM_LATE = 0.1
"""Of the interval."""


def measure(lab: Lab) -> Outcome:  # noqa: ARG001 -- no stack is needed
    return judged(speeds(DEVICES, SECONDS))


def judged(found: Speeds) -> Outcome:
    most = AIM_LATE * INTERVAL * 1000
    one = f"one device {_told(found.contiguous)}, with holes {_told(found.holes)}"
    late = f"late by {_late(found.quiet)}, while one of them hangs by {_late(found.hanging)}"
    return Outcome(
        f"{one}, {DEVICES} at once {_told(found.many)}; {late}",
        f"{AIM_CONTIGUOUS:g} times the plain loop, {AIM_HOLES:g} with holes, late by at most {most:g} ms",
        min(found.contiguous.ratio, found.many.ratio) >= AIM_CONTIGUOUS
        and found.holes.ratio >= AIM_HOLES
        and found.hanging.p99 <= most,
    )


def _told(speed: Speed) -> str:
    return f"{speed.driver:,.0f} points/s ({speed.ratio:.0f} times {speed.plain:,.0f})"


def _late(jitter: Jitter) -> str:
    return f"{jitter.p50:.0f} ms (p99 {jitter.p99:.0f})"


def speeds(devices: int, seconds: float) -> Speeds:
    with registers(devices) as ports:
        words = [sys.executable, "-m", "ems_prove.polling", str(seconds), *map(str, ports)]
        done = subprocess.run(_pinned(0, words), stdout=subprocess.PIPE, text=True, check=True)
    return msgspec.json.decode(done.stdout, type=Speeds)


def _pinned(core: int, words: Sequence[str]) -> list[str]:
    """The command on one core, where the system can do that (Linux)."""
    taskset = shutil.which("taskset")
    if taskset is None:
        return list(words)
    return [taskset, "-c", str(sorted(os.sched_getaffinity(0))[core]), *words]


@contextmanager
def registers(devices: int) -> Iterator[Sequence[int]]:
    """The ports of a server that has the other core to itself."""
    words = [sys.executable, "-m", "ems_prove.register_server", str(devices)]
    server = subprocess.Popen(_pinned(-1, words), stdout=subprocess.PIPE, text=True)
    try:
        if server.stdout is None:
            raise RuntimeError("a process with a pipe has one")
        yield [int(port) for port in server.stdout.readline().split()]
    finally:
        server.kill()
        server.communicate()

"""The load: one process that publishes to a broker and is every client of a server. A Job on stdin, a Report on stdout.

python -m ems_prove.fanout.load < job.json
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice

import msgspec

from ems_prove.fanout.batches import Batches
from ems_prove.fanout.connect import connect
from ems_prove.fanout.dialects import DIALECTS, Step
from ems_prove.fanout.drive import Drive, Figures, Phase
from ems_prove.fanout.machine import Busy, allow_sockets
from ems_prove.fanout.publishers import Publisher, Where
from ems_prove.fanout.receiver import Receiver, Sampled


class Job(msgspec.Struct, frozen=True):
    """`size` of a batch in bytes; `clients` of each site; of these, `sampled` are read to the last field.

    `pids`: whose CPU time is told, `server` among them; `idle`: seconds between the last client and the first batch.
    """

    dialect: str
    port: int
    where: Where
    phases: list[Phase]
    pids: dict[str, int]
    tokens: list[str]
    sites: int = 10
    clients: int = 100
    size: int = 250
    sampled: int = 1
    idle: float = 0.2


class Report(msgspec.Struct, frozen=True):
    """`connected`: clients per second, once each token has been seen. `resident`, bytes: before the first client came,
    and with all of them idle."""

    connected: float
    resident: tuple[int, int]
    figures: list[Figures]


def run(job: Job) -> Report:
    allow_sockets(job.sites * job.clients)
    dialect = DIALECTS[job.dialect]
    busy = Busy({**job.pids, "load": os.getpid()})
    before = busy.resident("server")

    def clients() -> Iterator[list[Step]]:
        for number in range(job.sites * job.clients):
            token = job.tokens[number % len(job.tokens)] if job.tokens else ""
            yield dialect.steps(job.port, f"site_{number // job.clients + 1}", token)

    crowd = clients()
    connected = connect(job.port, islice(crowd, len(job.tokens)))
    began = time.monotonic()
    connected += connect(job.port, crowd)
    connecting = time.monotonic() - began
    receiver = Receiver(connected)
    published: list[list[int]] = [[] for _ in range(job.sites)]
    sampled = []
    for number, client in enumerate(connected):
        if number % job.clients < job.sampled:
            one = Sampled(client.socket, dialect.listener(), published[number // job.clients])
            receiver.sample(number, one, client.begun)
            sampled.append(one)
    _rest(receiver, job.idle)
    resident = (before, busy.resident("server"))
    receiver.counts[:] = [0] * len(connected)
    publisher = Publisher(job.where)
    batches = [Batches(site + 1, job.size) for site in range(job.sites)]
    drive = Drive(publisher, receiver, sampled, batches, published, busy)
    gc.collect()
    gc.freeze()
    gc.disable()
    figures = [drive.run(phase) for phase in job.phases]
    publisher.close()
    receiver.close()
    return Report((len(connected) - len(job.tokens)) / connecting, resident, figures)


def _rest(receiver: Receiver, seconds: float) -> None:
    """Nothing is published; what is left of the greeting comes in."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        receiver.turn(0.05)


if __name__ == "__main__":
    report = run(msgspec.json.decode(sys.stdin.buffer.read(), type=Job))
    sys.stdout.buffer.write(msgspec.json.encode(report))

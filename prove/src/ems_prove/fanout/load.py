"""The load: one process that publishes to a broker and is every client of a server. A Job on stdin, a Report on stdout.

python -m ems_prove.fanout.load < job.json
"""

from __future__ import annotations

import gc
import os
import sys
import time

import msgspec

from ems_prove.fanout.batches import Batches
from ems_prove.fanout.connect import connecting
from ems_prove.fanout.dialects import DIALECTS, Step
from ems_prove.fanout.drive import Drive, Figures, Phase
from ems_prove.fanout.machine import Busy, allow_sockets
from ems_prove.fanout.publishers import Publisher, Where
from ems_prove.fanout.receiver import Receiver, Sampled

LISTEN = 0.5


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
    sampled: int = 3
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

    receiver = Receiver(job.sites * job.clients, job.size)
    published: list[list[int]] = [[] for _ in range(job.sites)]
    sampled: list[Sampled] = []
    # Spread over those of a site: many servers write to whoever came first first.
    spread = {int((number + 0.5) * job.clients / job.sampled) for number in range(job.sampled)}

    def arrive(places: range) -> None:
        """Who is there already is listened to meanwhile: a server may ask whether it is alive."""
        listened = time.monotonic()
        steps = ((place, _steps(job, place)) for place in places)
        for place, client in connecting(job.port, steps):
            site = place // job.clients
            read = place % job.clients in spread
            one = Sampled(client.socket, dialect.listener(), published[site]) if read else None
            receiver.add(place, client, one)
            sampled.extend([one] if one else [])
            if time.monotonic() - listened > LISTEN:
                _listen(receiver)
                listened = time.monotonic()

    first = len(job.tokens)
    arrive(range(first))
    began = time.monotonic()
    arrive(range(first, len(receiver.counts)))
    connected = (len(receiver.counts) - first) / (time.monotonic() - began)
    idle_until = time.monotonic() + job.idle
    while time.monotonic() < idle_until:
        receiver.turn(0.05)
    resident = (before, busy.resident("server"))
    receiver.begin()
    publisher = Publisher(job.where)
    batches = [Batches(site + 1, job.size) for site in range(job.sites)]
    drive = Drive(publisher, receiver, sampled, batches, published, busy)
    gc.collect()
    gc.freeze()
    gc.disable()
    figures = [drive.run(phase) for phase in job.phases]
    publisher.close()
    receiver.close()
    return Report(connected, resident, figures)


def _steps(job: Job, place: int) -> list[Step]:
    token = job.tokens[place % len(job.tokens)] if job.tokens else ""
    return DIALECTS[job.dialect].steps(job.port, f"site_{place // job.clients + 1}", token)


def _listen(receiver: Receiver) -> None:
    while receiver.turn(0):
        pass


if __name__ == "__main__":
    report = run(msgspec.json.decode(sys.stdin.buffer.read(), type=Job))
    sys.stdout.buffer.write(msgspec.json.encode(report))

"""The two ways to drive a server, and what is told of each.

Closed loop: about WORTH seconds of batches are outstanding at any time, never more, so the server is as busy as it can
be and nobody's bounded queue overflows. That gives its capacity. Open loop: a fixed rate, evenly spread, whatever the
server does. That gives the latency.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from ems_prove.experiment import percentile
from ems_prove.fanout.batches import Batches
from ems_prove.fanout.machine import Busy
from ems_prove.fanout.publishers import Publisher
from ems_prove.fanout.receiver import GONE, Receiver, Sampled

WORTH = 0.15
"""Seconds of batches outstanding in the closed loop."""
FEWEST, MOST = 4, 4_096
"""Batches outstanding for each site."""
STEP = 0.001
ADAPT = 0.1
FORGIVE = 1.0
DRAIN = 3.0
KEPT_UP = 0.98
_NS = 1_000_000_000


class Phase(msgspec.Struct, frozen=True):
    """Closed loop, or open with `rate` in deliveries/s, or with a `share` of what the closed loop before it has given.

    `warm_up` and `seconds` in s. A rate of 0 publishes nothing: whoever speaks then does so by himself.
    """

    seconds: float
    rate: float | None = None
    share: float | None = None
    warm_up: float = 1.0


class Figures(msgspec.Struct, frozen=True):
    """Of the measured seconds of one phase. Times in ms, rates per second, `busy` in cores.

    `asked`: the open loop's rate, which `offered` should be; 0 in the closed loop. `late`: how far behind its own
    schedule the publisher was, p99. `missing`: deliveries that had not come DRAIN seconds after the end. `lost` and
    `gaps` are those of the sampled clients, `doubled` also what anyone had too many. `goodbye`: why one was cut off.
    """

    deliveries: float
    bytes: float
    asked: float
    offered: float
    p50: float
    p99: float
    worst: float
    samples: int
    late: float
    missing: int
    lost: int
    doubled: int
    gaps: int
    disconnected: int
    goodbye: str
    busy: dict[str, float]

    @property
    def per_cpu(self) -> float:
        """Deliveries for each second of CPU time of the server: what a core of its own would give it, about."""
        return self.deliveries / max(0.01, self.busy["server"])

    @property
    def kept_up(self) -> bool:
        """Both the server and the load that drove it."""
        return self.deliveries >= KEPT_UP * max(self.asked, self.offered) and not self.disconnected


@dataclass
class _Mark:
    at: int
    deliveries: int
    bytes: int
    published: int
    busy: dict[str, float]


class Drive:
    """Sites `1..len(batches)`; client n watches site `n // clients_of_a_site + 1`. `published`: when, ns, by site."""

    def __init__(
        self,
        publisher: Publisher,
        receiver: Receiver,
        sampled: list[Sampled],
        batches: list[Batches],
        published: list[list[int]],
        busy: Busy,
    ) -> None:
        self._publisher = publisher
        self._receiver = receiver
        self._sampled = sampled
        self._batches = batches
        self._published = published
        self._busy = busy
        self._each = len(receiver.counts) // len(batches)
        self._forgiven = [0] * len(batches)
        self._late: list[int] = []
        self._capacity = 0.0
        self._told_missing = 0

    def run(self, phase: Phase) -> Figures:
        for one in self._sampled:
            one.heard.clear()
        before = self._faults()
        rate = phase.rate if phase.share is None else phase.share * self._capacity
        steps = self._closed() if rate is None else self._open(rate)
        self._until(time.monotonic() + phase.warm_up, steps)
        self._late.clear()
        begin = self._mark()
        self._until(time.monotonic() + phase.seconds, steps)
        end = self._mark()
        self._drain()
        figures = self._figures(rate or 0.0, begin, end, before)
        if rate is None:
            self._capacity = figures.deliveries
        return figures

    def _until(self, end: float, steps: Iterator[float]) -> None:
        """One step of publishing, then receiving until the next is due."""
        while (now := time.monotonic()) < end:
            due = min(next(steps), end)
            self._publisher.flush()
            self._receiver.turn(max(0.0, due - now))
            while time.monotonic() < due:
                self._receiver.turn(max(0.0, due - time.monotonic()))

    def _publish(self, site: int) -> None:
        batch = self._batches[site].next()
        self._published[site].append(time.monotonic_ns())
        self._publisher.queue(site + 1, batch)

    # Closed loop ----------------------------------------------------------------------------------------------

    def _outstanding(self, site: int) -> int:
        """Batches that the slowest client of the site does not have yet."""
        slowest = min(self._receiver.counts[site * self._each : (site + 1) * self._each])
        return max(0, len(self._published[site]) - self._forgiven[site] - slowest)

    def _closed(self) -> Iterator[float]:
        window, adapted, delivered = FEWEST, time.monotonic(), self._receiver.total
        moved = adapted
        while True:
            now = time.monotonic()
            for site in range(len(self._batches)):
                for _ in range(window - self._outstanding(site)):
                    self._publish(site)
            if now - adapted >= ADAPT:
                total = self._receiver.total
                rate = (total - delivered) / len(self._receiver.counts) / (now - adapted)
                window = max(FEWEST, min(MOST, 2 * window, round(rate * WORTH)))
                moved = now if total > delivered else moved
                adapted, delivered = now, total
                if now - moved > FORGIVE:  # lost on the way: they are told as missing, and it goes on without them
                    self._forgive()
                    moved = now
                self._publisher.listen()
            yield now + STEP

    def _forgive(self) -> None:
        for site in range(len(self._batches)):
            self._forgiven[site] += self._outstanding(site)

    # Open loop ------------------------------------------------------------------------------------------------

    def _open(self, rate: float) -> Iterator[float]:
        """Site after site, one batch each, evenly in time."""
        interval = self._each / rate if rate else float("inf")
        began, sent, sites = time.monotonic(), 0, len(self._batches)
        while True:
            now = time.monotonic()
            due = int((now - began) / interval)
            if sent < due:
                self._late.append(int((now - began - (sent + 1) * interval) * _NS))
            while sent < due:
                self._publish(sent % sites)
                sent += 1
            if sent % sites == 0:
                self._publisher.listen()
            yield max(min(began + (sent + 1) * interval, now + ADAPT), now + STEP)

    # The figures ----------------------------------------------------------------------------------------------

    def _mark(self) -> _Mark:
        published = sum(map(len, self._published))
        return _Mark(
            time.monotonic_ns(),
            self._receiver.total,
            self._receiver.bytes,
            published * self._each,
            self._busy.seconds(),
        )

    def _drain(self) -> None:
        """Until everything has come, or DRAIN seconds."""
        deadline = time.monotonic() + DRAIN
        while time.monotonic() < deadline and any(map(self._outstanding, range(len(self._batches)))):
            self._publisher.flush()
            self._receiver.turn(0.01)

    def _faults(self) -> tuple[int, int, int, int]:
        return (
            sum(one.lost for one in self._sampled),
            sum(one.doubled for one in self._sampled),
            sum(one.gaps for one in self._sampled),
            self._receiver.disconnected,
        )

    def _figures(self, asked: float, begin: _Mark, end: _Mark, before: tuple[int, int, int, int]) -> Figures:
        seconds = (end.at - begin.at) / _NS
        heard = [took for one in self._sampled for left, took in one.heard if begin.at <= left <= end.at]
        lost, doubled, gaps, disconnected = (now - then for now, then in zip(self._faults(), before, strict=True))
        owed = [len(self._published[n // self._each]) - count for n, count in enumerate(self._receiver.counts)]
        missing, surplus = sum(one for one in owed if one > 0), -sum(one for one in owed if -GONE // 2 < one < 0)
        since, self._told_missing = missing - self._told_missing, missing
        return Figures(
            deliveries=(end.deliveries - begin.deliveries) / seconds,
            bytes=(end.bytes - begin.bytes) / seconds,
            asked=asked,
            offered=(end.published - begin.published) / seconds,
            p50=percentile(heard, 0.5) / 1e6 if heard else -1.0,
            p99=percentile(heard, 0.99) / 1e6 if heard else -1.0,
            worst=max(heard, default=0) / 1e6,
            samples=len(heard),
            late=percentile(self._late, 0.99) / 1e6 if self._late else 0.0,
            missing=max(0, since),
            lost=lost,
            doubled=max(doubled, surplus),
            gaps=gaps,
            disconnected=disconnected,
            goodbye=self._receiver.goodbye,
            busy={name: (end.busy[name] - begin.busy[name]) / seconds for name in end.busy},
        )

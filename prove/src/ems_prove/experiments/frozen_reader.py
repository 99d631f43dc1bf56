"""One of 500 viewers stops reading. What do the others notice, when is it cut off, what does it cost, and does it hold
up the end of the process?

Rounds with and without a frozen one alternate, so that whatever else the machine does falls on both alike.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

from ems_stack.stack import Stack

from ems_prove.audience import PATIENCE, Tally, audience, caught_up, quiet_site, tokens
from ems_prove.experiment import Outcome, percentile
from ems_prove.lab import Lab
from ems_prove.live_service import LiveService, log_folder
from ems_prove.publisher import Publisher
from ems_prove.sockets import LiveSocket, open_socket, until_streaming
from ems_prove.waiting import until

VIEWERS, PAIRS = 500, 10
EVERY, POINTS = 0.05, 450
"""A batch of 450 values is about 10 kB: what the kernel holds for one client is full within two seconds."""
ROUND_SECONDS = 11.0
"""Less than a frozen reader is left alone, and long enough that no single batch decides the p99."""
RECEIVE_BUFFER = 4_096
AIM_RATIO, AIM_ABORT, AIM_SHUTDOWN, AIM_MEMORY_MB = 1.2, 15.0, 25.0, 4.0


@dataclass(frozen=True)
class Pair:
    """p99 of the others' time from publishing to receipt, s. `abort`: s from freezing until the service had let go of
    the connection. `memory`: MB that it held more at its most than in the round without."""

    without: float
    with_frozen: float
    abort: float
    memory: float

    @property
    def ratio(self) -> float:
        return self.with_frozen / self.without


@dataclass(frozen=True)
class Result:
    """`shutdown`: s from SIGTERM to the end of the process, with and without a frozen reader among the viewers."""

    pairs: list[Pair]
    tally: Tally
    shutdown: tuple[float, float]

    @property
    def ratio(self) -> float:
        return statistics.median(pair.ratio for pair in self.pairs)

    @property
    def abort(self) -> float:
        return max(pair.abort for pair in self.pairs)

    @property
    def memory(self) -> float:
        return statistics.median(pair.memory for pair in self.pairs)

    @property
    def met(self) -> bool:
        bounded = self.abort < AIM_ABORT and self.memory < AIM_MEMORY_MB and self.shutdown[0] < AIM_SHUTDOWN
        return self.ratio < AIM_RATIO and bounded and self.tally.clean and self.tally.gaps == 0


def measure(lab: Lab) -> Outcome:
    result = suffer(lab.stack, viewers=VIEWERS, pairs=PAIRS, seconds=ROUND_SECONDS)
    p99 = [statistics.median(1000 * value for value in side) for side in zip(*map(_sides, result.pairs), strict=True)]
    return Outcome(
        f"others' p99 {p99[0]:.0f} ms without and {p99[1]:.0f} ms with it, {result.ratio:.2f} times (median of "
        f"{len(result.pairs)} pairs, {VIEWERS} viewers), {result.tally.lost} of their batches lost; cut off after "
        f"{result.abort:.1f} s at most, {result.memory:+.1f} MB meanwhile; SIGTERM to the end "
        f"{result.shutdown[0]:.1f} s with it and {result.shutdown[1]:.1f} s without",
        f"{AIM_RATIO:g} times, cut off within {AIM_ABORT:.0f} s, less than {AIM_MEMORY_MB:.0f} MB, the end within "
        f"{AIM_SHUTDOWN:.0f} s",
        result.met,
    )


def suffer(stack: Stack, *, viewers: int, pairs: int, seconds: float) -> Result:
    """`seconds` of each round. Raises TimeoutError if a frozen reader is never cut off."""
    with quiet_site(stack, "Frozen reader") as site, log_folder() as folder:
        token = tokens(stack, 1)[0]
        with LiveService(stack, log=folder / "service.log") as service:
            measured, tally = asyncio.run(Rounds(stack, service, token, site.id).run(viewers, pairs, seconds))
            ends = []
            token = tokens(stack, 1)[0]  # the first one may be about to expire
            for frozen in (True, False):
                ends.append(asyncio.run(_end(stack, service, token, site.id, viewers, frozen=frozen)))
                service.start()
    return Result(measured, tally, (ends[0], ends[1]))


class Rounds:
    """`viewers` of one site, who stay; now and then one more comes and freezes."""

    def __init__(self, stack: Stack, service: LiveService, token: str, site: int) -> None:
        self._stack = stack
        self._service = service
        self._token = token
        self._site = site
        self._latencies: list[float] = []

    async def run(self, viewers: int, pairs: int, seconds: float) -> tuple[list[Pair], Tally]:
        async with Publisher(self._stack, self._site, EVERY, POINTS) as publisher:

            def heard(seq: int, now: float) -> None:
                self._latencies.append(now - publisher.at[seq])

            async with audience(self._service.door, [self._token], self._site, viewers, heard) as others:
                await self._round(seconds)  # warm
                measured = [await self._pair(seconds, frozen_first=number % 2 == 1) for number in range(pairs)]
                await caught_up(others, publisher)
                return measured, Tally.of(others, publisher)

    async def _pair(self, seconds: float, *, frozen_first: bool) -> Pair:
        without = None if frozen_first else await self._round(seconds)
        reader = await _freeze_one(self._service, self._token, self._site)
        frozen_at = time.monotonic()
        with_frozen = await self._round(seconds)
        port = reader.port
        await until("the frozen reader is cut off", lambda: port not in self._service.clients, 4 * AIM_ABORT, 0.1)
        abort = time.monotonic() - frozen_at
        reader.abort()
        if without is None:
            without = await self._round(seconds)
        return Pair(without[0], with_frozen[0], abort, with_frozen[1] - without[1])

    async def _round(self, seconds: float) -> tuple[float, float]:
        """The p99 of these seconds, and the most memory, MB."""
        self._latencies.clear()
        most = 0.0
        ended = time.monotonic() + seconds
        while time.monotonic() < ended:
            await asyncio.sleep(0.25)
            most = max(most, self._service.memory)
        return percentile(self._latencies, 0.99), most


async def _freeze_one(service: LiveService, token: str, site: int) -> LiveSocket:
    reader = await open_socket(service.door, token, site, receive_buffer=RECEIVE_BUFFER)
    await until_streaming([reader], PATIENCE)
    reader.freeze()
    return reader


async def _end(stack: Stack, service: LiveService, token: str, site: int, viewers: int, *, frozen: bool) -> float:
    """s from SIGTERM to the end of the process."""
    async with Publisher(stack, site, EVERY, POINTS), audience(service.door, [token], site, viewers):
        reader = await _freeze_one(service, token, site) if frozen else None
        await asyncio.sleep(ROUND_SECONDS / 2)  # until as much waits for it as may
        seconds = await asyncio.to_thread(service.terminate)
        if reader is not None:
            reader.abort()
    return seconds


def _sides(pair: Pair) -> tuple[float, float]:
    return pair.without, pair.with_frozen

"""An edge as the tests play it: keeps a batch until its receipt lists it, resends on evidence. And a Redis to kill."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import redis

from ems_contract import keys
from ems_contract.receipts import covers, parse_receipts
from ems_contract.telemetry import Reading
from telemetry.hot import Entry
from telemetry.streams import connect
from telemetry.tests.ledger import Ledger

PATIENCE = 30.0


def eventually(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait for a condition; fail naming it."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Player:
    """One boot of one edge."""

    def __init__(self, client: redis.Redis, ledger: Ledger, lane: keys.Lane = "stream") -> None:
        self.redis = client
        self.ledger = ledger
        self.stream = keys.telemetry_stream(ledger.site, ledger.edge, lane)
        self.unacked: dict[int, Entry] = {}
        self._sent: dict[int, bytes] = {}

    def send(self, *readings: Reading) -> int:
        """Make a batch and try to publish it; if Redis does not answer, `settle` will."""
        sent = self.ledger.batch(*readings)
        self.unacked[self.ledger.seq] = sent
        with contextlib.suppress(redis.RedisError):
            self._publish(self.ledger.seq)
        return self.ledger.seq

    def _publish(self, seq: int) -> None:
        identifier = self.redis.xadd(self.stream, {keys.STREAM_FIELD: self.unacked[seq].payload})
        assert isinstance(identifier, bytes)
        self._sent[seq] = identifier

    def settle(self, patience: float = PATIENCE) -> None:
        """Until every batch is listed as committed."""
        deadline = time.monotonic() + patience
        doubted: set[int] = set()
        while self.unacked:
            assert time.monotonic() < deadline, f"{len(self.unacked)} batches are not acknowledged"
            time.sleep(0.05)
            with contextlib.suppress(redis.RedisError):
                self._drop_listed()
                missing = self._missing()
                for seq in sorted(missing & doubted):
                    self._publish(seq)
                doubted = missing - doubted

    def _drop_listed(self) -> None:
        told = self.redis.get(keys.telemetry_acked(self.ledger.site, self.ledger.edge))
        ranges = parse_receipts(told.decode()).get(self.ledger.boot, []) if isinstance(told, bytes) else []
        for seq in list(self.unacked):
            if covers(ranges, seq):
                del self.unacked[seq]

    def _missing(self) -> set[int]:
        """Neither listed nor still in the stream."""
        there = {identifier for identifier, _ in self.redis.xrange(self.stream)}  # type: ignore[union-attr]  # sync client
        return {seq for seq in self.unacked if self._sent.get(seq) not in there}


class RedisProcess:
    """A redis-server that may be killed, frozen and started again; it persists nothing."""

    def __init__(self, place: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Does nothing if it runs."""
        if self._process is not None:
            return
        binary = shutil.which("redis-server")
        assert binary, "redis-server is not on the PATH"
        self._process = subprocess.Popen(
            [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._place)],
            stdout=subprocess.DEVNULL,
        )
        with connect(self.url) as client:
            eventually(lambda: _answers(client), "redis-server answers")

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


@contextlib.contextmanager
def own_redis(place: Path) -> Iterator[RedisProcess]:
    process = RedisProcess(place)
    process.start()
    try:
        yield process
    finally:
        process.kill()

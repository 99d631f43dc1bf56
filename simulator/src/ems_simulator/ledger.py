"""What a site answered, one JSON line for each answered read: the oracle against which history is checked.

{"t": ms, "device": key, "unit": n, "function": 3|4, "address": a, "count": n, "words": [...], "reads": counter|null}

A BACnet device has no registers: `function` is the service (12, 14, or 1 for a change that it told by itself), `count`
how many objects, `words` is empty, and `values` has what the answer carried: point name -> value in the point's unit,
null for a fault.

`t` is real time, even when the simulator's clock is not. `reads` is the counter that the answer carried, null if the
read did not cover it. The file is appended to, at most 100 ms late, and the counters go on after a restart.

MQTT devices have a file of their own, with one line for each message that the broker acknowledged:
{"t": ms, "device": key, "topic": ..., "payload": ..., "retained": bool}
"""

from __future__ import annotations

import asyncio
from io import FileIO
from pathlib import Path

import msgspec
import structlog
from msgspec import UNSET, UnsetType

_log = structlog.get_logger()
FLUSH_SECONDS = 0.05
RETRY_SECONDS = 1.0
_TAIL = 1 << 18


class Entry(msgspec.Struct, frozen=True):
    t: int
    device: str
    unit: int
    function: int
    address: int
    count: int
    words: list[int]
    reads: int | None
    values: dict[str, float | None] | UnsetType = UNSET


class Published(msgspec.Struct, frozen=True):
    """An MQTT message that the broker has acknowledged, in the ledger of a site's MQTT devices."""

    t: int
    device: str
    topic: str
    payload: str
    retained: bool


class Ledger:
    """One site's ledger file. Call `append` and `close` in the event loop. Without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        """Raises OSError when the file cannot be opened."""
        self.error: str | None = None
        self.counters: dict[str, int] = {}
        """The last `reads` of each device in the file."""
        self._pending = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._encoder = msgspec.json.Encoder()
        self._file: FileIO | None = None
        if path is not None:
            self._file = FileIO(path, "a+")
            self._recover(self._file)

    def append(self, entry: Entry | Published) -> None:
        if self._file is None:
            return
        self._pending += self._encoder.encode(entry) + b"\n"
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what is pending. A failure is logged, kept in `error`, and tried again; nothing is dropped."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._file is None:
            return
        try:
            while self._pending:
                del self._pending[: self._file.write(self._pending)]
        except OSError as error:
            if self.error is None:
                _log.error("ledger_not_written", file=self._file.name, error=str(error), remedy="free some disk space")
            self.error = str(error)
            self._timer = asyncio.get_running_loop().call_later(RETRY_SECONDS, self.flush)
        else:
            self.error = None

    def close(self) -> None:
        self.flush()
        if self._timer is not None:
            self._timer.cancel()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _recover(self, file: FileIO) -> None:
        """Cut a line that a crash left unfinished, and learn the counters."""
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
        torn = len(tail) - (tail.rfind(b"\n") + 1)
        if torn:
            file.truncate(size - torn)
        for line in tail.split(b"\n")[:-1]:
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.DecodeError:
                continue  # the first line of the tail may be cut
            if entry.reads is not None:
                self.counters[entry.device] = entry.reads

"""What waits to leave for one client, bounded in bytes. Pure: it writes to a wire and never waits.

Two classes of frames:
- telemetry may be left out. What does not fit is refused, its site is noted in `missed`, and the hub makes a gap and
  a fresh snapshot of it once the client has caught up.
- control (alerts, commands, grants, errors, heartbeats, pongs) is never left out. A client for whom even that does
  not fit any more is beyond help: `overflowed`, and the hub closes it as too slow.

The queue itself is the transport's own buffer, so a frame shared by a thousand clients exists once.
"""

from __future__ import annotations

from ems_realtime.wire import Wire

CONTROL_FACTOR = 2
"""Control frames may fill this many times the bound of telemetry."""


class Outbox:
    """`limit` in bytes; `now` in every call is the loop's clock, in seconds."""

    __slots__ = ("_drained", "_limit", "_progress", "_wire", "_written", "last_write", "missed", "overflowed")

    def __init__(self, wire: Wire, limit: int, now: float) -> None:
        self._wire = wire
        self._limit = limit
        self._written = 0
        self._drained = 0
        self._progress = now
        self.last_write = now
        self.missed: dict[int, int] = {}
        """Sites whose telemetry did not fit -> since when, ms since the epoch."""
        self.overflowed = False

    def telemetry(self, frames: bytes, now: float) -> bool:
        """False if it does not fit. Whatever its size, it fits when nothing else waits."""
        waiting = self._wire.buffered()
        if waiting and waiting + len(frames) > self._limit:
            return False
        self._write(frames, now)
        return True

    def control(self, frames: bytes, now: float) -> None:
        waiting = self._wire.buffered()
        if waiting and waiting + len(frames) > CONTROL_FACTOR * self._limit:
            self.overflowed = True
            return
        self._write(frames, now)

    def _write(self, frames: bytes, now: float) -> None:
        self._wire.write(frames)
        self._written += len(frames)
        self.last_write = now

    @property
    def waiting(self) -> int:
        """Bytes that the client has not taken yet."""
        return self._wire.buffered()

    def caught_up(self) -> bool:
        """The client has read enough that a snapshot is worth sending."""
        return self._wire.buffered() <= self._limit // 4

    def stalled(self, now: float, after: float) -> bool:
        """Nothing was taken for `after` seconds although bytes wait. To be asked about once a second."""
        waiting = self._wire.buffered()
        drained = self._written - waiting
        if not waiting or drained > self._drained:
            self._drained = drained
            self._progress = now
            return False
        return now - self._progress >= after

    def fault(self) -> int | None:
        """See `Wire`."""
        return self._wire.fault()

    def close(self, code: int, reason: str) -> None:
        self._wire.close(code, reason)

    def abort(self) -> None:
        self._wire.abort()

"""What is in flight: published to a stream, and listed by no receipt yet. Pure.

The evidence rule. A batch is lost from Redis when it is neither in its stream nor listed: the historian trims a stream
only behind what it committed, and then lists it. Between its trim and its list there is a moment, so a batch has to be
missing in two looks, GRACE seconds apart, before it is sent again. A wrong verdict costs a resend, which the receipt
makes harmless; it never costs a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ems_contract.keys import Lane
from ems_contract.receipts import Ranges, covers

from ems_edge.buffer import Name

GRACE = 2.0

StreamId = tuple[int, int]
"""A stream entry's id: ms and counter."""


def stream_id(text: bytes | str) -> StreamId:
    ms, _, counter = (text.decode() if isinstance(text, bytes) else text).partition("-")
    return int(ms), int(counter or 0)


@dataclass(slots=True)
class Flight:
    """`at` is None when nobody knows whether the stream took it (the connection broke)."""

    size: int
    lane: Lane
    at: StreamId | None
    since: float
    missing_since: float | None = None


class Window:
    """Times are monotonic seconds, sizes bytes."""

    def __init__(self, grace: float = GRACE) -> None:
        self._grace = grace
        self._flights: dict[Name, Flight] = {}
        self._bytes: dict[Lane, int] = {"stream": 0, "backfill": 0}

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, name: Name) -> bool:
        return name in self._flights

    def bytes_in(self, lane: Lane) -> int:
        return self._bytes[lane]

    @property
    def bytes(self) -> int:
        return sum(self._bytes.values())

    def put(self, name: Name, size: int, lane: Lane, at: StreamId | None, now: float) -> None:
        self.remove(name)
        self._flights[name] = Flight(size, lane, at, now)
        self._bytes[lane] += size

    def remove(self, name: Name) -> None:
        flight = self._flights.pop(name, None)
        if flight is not None:
            self._bytes[flight.lane] -= flight.size

    def settle(self, receipts: Mapping[str, Ranges]) -> list[Name]:
        """Forget what is listed."""
        listed = [name for name in self._flights if covers(receipts.get(name.boot, []), name.seq)]
        for name in listed:
            self.remove(name)
        return listed

    def surveyed(self, entries: Mapping[Name, tuple[Lane, StreamId]], started: float) -> None:
        """Both streams were read from end to end: `entries` is all that was in them when it `started`."""
        for name, flight in list(self._flights.items()):
            if flight.since >= started:
                continue  # sent meanwhile, perhaps behind what was read
            if name in entries:
                lane, at = entries[name]
                self.put(name, flight.size, lane, at, flight.since)
            else:
                flight.at = None

    def overdue(self, now: float) -> bool:
        """Whether anything has been in flight for so long that it is worth a look at the streams."""
        return any(now - flight.since >= self._grace for flight in self._flights.values())

    def judge(self, heads: Mapping[Lane, StreamId | None], now: float) -> list[Name]:
        """One look: `heads` are the ids of the streams' first entries, None for an empty one.

        Returns and forgets what has been missing in two looks, GRACE apart.
        """
        lost: list[Name] = []
        for name, flight in self._flights.items():
            head = heads[flight.lane]
            if flight.at is not None and head is not None and flight.at >= head:
                flight.missing_since = None
            elif flight.missing_since is None:
                flight.missing_since = now
            elif now - flight.missing_since >= self._grace:
                lost.append(name)
        for name in lost:
            self.remove(name)
        return lost

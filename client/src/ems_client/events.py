"""What a client yields. Times are ms since the epoch (UTC), values are in the unit of their point.

For each site: a `Snapshot` first, then `Telemetry` (or `Merged`, if an interval was asked for) without holes. Whatever
interrupts this is told by a `Gap`, always followed by another `Snapshot`; and what was really missed meanwhile, by a
`Hole` for each edge, which names the span to fetch from history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ems_contract.access import SiteGrant
from ems_contract.alerts import AlertEvent
from ems_contract.commands import CommandEvent
from ems_contract.control import ControlEvent
from ems_contract.frames import MergedBatch
from ems_contract.telemetry import Batch


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one point. `quality` is the reason where it is not good: bad if `value` is None, else uncertain."""

    site: str
    edge: str
    point: str
    ts: int
    value: float | None
    quality: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest value of every point of the site, one batch for each edge."""

    site: str
    batches: Sequence[Batch]

    def samples(self) -> Iterator[Sample]:
        return _samples(self.site, self.batches)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Batches as the edges made them, none of them twice. (What a Snapshot is too old to have comes after it again.)"""

    site: str
    batches: Sequence[Batch]

    def samples(self) -> Iterator[Sample]:
        return _samples(self.site, self.batches)


@dataclass(frozen=True, slots=True)
class Merged:
    """What came in one interval (ms): of each point its last sample. The others are in history."""

    site: str
    interval: int
    batches: Sequence[MergedBatch]

    def samples(self) -> Iterator[Sample]:
        return _samples(self.site, self.batches)


@dataclass(frozen=True, slots=True)
class Gap:
    """Live samples since `since` may be missing; a Snapshot follows as soon as one can be had.

    `reason`: the service's `interrupted`, `slow_reader` or `access_checked` (or one that is newer than this client),
    the client's `disconnected`, or `slow_consumer` when the program took its events too slowly.
    """

    site: str
    since: int
    reason: str


@dataclass(frozen=True, slots=True)
class Hole:
    """Samples of this edge from `start` to `end` (both inclusive) were taken and not seen live: history has them.

    It has them a moment later; what an edge could not send at once comes when it can. Samples at the rims were seen.
    """

    site: str
    edge: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Alert:
    site: str
    alert: AlertEvent


@dataclass(frozen=True, slots=True)
class Command:
    """One step of one command."""

    site: str
    command: CommandEvent


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that a local rule of an edge did."""

    site: str
    control: ControlEvent


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be seen now. `expires`: the token's end. `stale`: it could not be checked lately, so the last counts."""

    sites: Sequence[SiteGrant]
    expires: int
    stale: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A subscription that is not had. 404: no such site, or not for this token; asked again if a grant names it.

    429, without a site: more sites than the service follows for one client; those that have no snapshot are left out
    until others are let go.
    """

    site: str | None
    code: int
    message: str


class LinkState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    """Connected, but the service itself does not hear the sites at the moment."""
    WAITING = "waiting"
    """Until the next attempt."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class StateChange:
    """The link. `reason` is a sentence for people; `retry_in` (s) says when the next attempt is, while WAITING."""

    state: LinkState
    reason: str
    retry_in: float | None = None


Event = Snapshot | Telemetry | Merged | Gap | Hole | Alert | Command | Control | Grant | Refused | StateChange


def _samples(site: str, batches: Iterable[Batch | MergedBatch]) -> Iterator[Sample]:
    for batch in batches:
        for reading in batch.readings:
            reasons = reading.quality or {}
            for point, value in reading.values.items():
                yield Sample(site, batch.edge, point, reading.ts, value, reasons.get(point))

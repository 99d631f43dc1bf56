"""What `/metrics` tells, as data. Every name starts with `ems_realtime_`; units are base units and end the name.

Users, sites, edges and addresses are no labels here: their number has no bound, and a scrape is not access-checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ems_contract.frames import CloseCode

PREFIX = "ems_realtime_"


@dataclass(frozen=True)
class Counted:
    """A counter. `name` is without prefix and `_total`. `values` of the label are there from the first scrape, as 0."""

    name: str
    meaning: str
    label: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Timed:
    """A histogram of durations in seconds. `name` is without prefix and `_seconds`."""

    name: str
    meaning: str


COUNTERS: Mapping[str, Counted] = {
    # telemetry
    "batches": Counted("batches", "Batches heard from Redis and accepted, once for each process."),
    "dropped": Counted(
        "dropped",
        "Payloads heard from Redis and not forwarded, by reason.",
        "reason",
        ("alert", "batch", "command", "edge", "flood", "images", "utf8"),
    ),
    "ahead": Counted("batches_ahead", "Batches whose edge says that it will send them in the future: clocks differ."),
    "deliveries": Counted("deliveries", "Batches handed to sessions whole, one for each batch and session."),
    "merged": Counted("merged_frames", "Merged frames handed to sessions that asked for an interval."),
    "snapshots": Counted("snapshots", "Snapshots handed to sessions."),
    "bytes": Counted("sent_bytes", "Bytes handed to sessions, frames of every kind."),
    "gaps": Counted(
        "gaps", "Gap notices handed to sessions, by reason.", "reason", ("access_checked", "interrupted", "slow_reader")
    ),
    "fell_behind": Counted("fell_behind", "Times that a site's telemetry did not fit in a session's outbox."),
    # what is never left out
    "alerts": Counted("alerts", "Alert frames handed to sessions."),
    "commands": Counted("commands", "Frames of commands and of rules handed to sessions."),
    # sessions
    "opened": Counted("sessions_opened", "Handshakes accepted."),
    "refused": Counted(
        "handshakes_refused", "Handshakes refused, by reason.", "reason", ("origin", "query", "subprotocol")
    ),
    "closes": Counted(
        "closes",
        "Sessions closed by this service, by code.",
        "code",
        (*(str(int(code)) for code in CloseCode), "1002", "1007", "1011"),
    ),
    "left": Counted("sessions_left", "Sessions that ended without being closed here: the client left or was lost."),
    # access
    "validations": Counted(
        "validations",
        "Tokens presented to the backend, by outcome.",
        "outcome",
        ("failed", "garbled", "granted", "refused", "unreachable"),
    ),
    "turned_away": Counted(
        "validations_turned_away", "Tokens not presented: the backend is down, or too many wait for it."
    ),
    "grants_cached": Counted("grants_cached", "Grants taken from the cache instead."),
    # the service itself
    "interruptions": Counted("redis_interruptions", "Times that the subscription went deaf."),
    "errors": Counted("errors", "Faults of this service that cost one message or one session."),
}
"""What the code says -> what the world sees."""

TIMES: Mapping[str, Timed] = {
    "publish_to_write": Timed(
        "publish_to_write",
        "From the moment that the edge says it made the batch (the EDGE's clock, ms) until it is written to its site's "
        "last viewer; once for each batch.",
    ),
    "hear_to_write": Timed(
        "hear_to_write",
        "From reading the batch from Redis until it is written to its site's last viewer; once for each batch.",
    ),
    "redis_lag": Timed(
        "redis_lag",
        "Round trip of PING on the subscription itself, behind everything published before it; once a second while "
        "Redis is heard.",
    ),
    "validation": Timed("validation", "How long the backend took to answer for a token."),
    "loop_delay": Timed("loop_delay", "How much later than planned a timer of the event loop ran, once a second."),
}

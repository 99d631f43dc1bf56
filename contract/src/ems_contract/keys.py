"""The only place where a Redis name is spelled.

Hash tags (`{site_7}`) keep everything of one site in one Redis Cluster slot. Sites and edges are named
`site_<id>` and `edge_<id>` on the wire; a name comes from the key or the channel, never from a payload.
"""

from __future__ import annotations

import re
from typing import Literal, cast

Lane = Literal["stream", "backfill"]

LANES: tuple[Lane, Lane] = ("stream", "backfill")
STREAM_FIELD = "batch"
COMMAND_FIELD = "command"
EVENT_FIELD = "event"
"""The one field of a telemetry, commands or events stream entry: an encoded Batch, Command or EdgeEvent."""

TELEMETRY_PATTERN = "telemetry:site_*"
ALERTS_PATTERN = "alerts:site_*"
COMMANDS_PATTERN = "commands:site_*"
USERS_PATTERN = "user:*"

_SITE = re.compile(r"site_([1-9][0-9]{0,17})\Z")
_EDGE = re.compile(r"edge_([1-9][0-9]{0,17})\Z")
_STREAM = re.compile(r"telemetry:\{(site_[1-9][0-9]{0,17})\}:(edge_[1-9][0-9]{0,17}):(stream|backfill)\Z")
_EVENTS = re.compile(r"events:\{(site_[1-9][0-9]{0,17})\}:(edge_[1-9][0-9]{0,17})\Z")
_CHANNEL = re.compile(r"(telemetry|alerts|commands):(site_[1-9][0-9]{0,17})\Z")
_USER_CHANNEL = re.compile(r"user:([1-9][0-9]{0,17}):(permission_changed|events)\Z")


def site_name(site_id: int) -> str:
    return f"site_{site_id}"


def edge_name(edge_id: int) -> str:
    return f"edge_{edge_id}"


def _number(pattern: re.Pattern[str], name: str, what: str) -> int:
    found = pattern.match(name)
    if found is None:
        raise ValueError(f"{name!r} is not {what} name; expected {what.rsplit(maxsplit=1)[-1]}_<id>")
    return int(found[1])


def site_id(name: str) -> int:
    """`site_7` -> 7. Raises ValueError for anything else."""
    return _number(_SITE, name, "a site")


def edge_id(name: str) -> int:
    """`edge_3` -> 3. Raises ValueError for anything else."""
    return _number(_EDGE, name, "an edge")


# Telemetry ---------------------------------------------------------------------------------


def telemetry_stream(site: int, edge: int, lane: Lane = "stream") -> str:
    """Durable, at least once: exactly the batches that are not yet committed to history."""
    return f"telemetry:{{site_{site}}}:edge_{edge}:{lane}"


def telemetry_acked(site: int, edge: int) -> str:
    """What history has committed of this edge, as `receipt.format_receipts` writes it."""
    return f"telemetry:{{site_{site}}}:edge_{edge}:acked"


def telemetry_latest(site: int) -> str:
    """Hash: edge name -> the edge's whole current image, as an encoded Batch."""
    return f"telemetry:{{site_{site}}}:latest"


def telemetry_channel(site: int) -> str:
    """Pub/sub, at most once: every live batch of the site."""
    return f"telemetry:site_{site}"


def parse_stream(key: str) -> tuple[int, int, Lane]:
    """A telemetry stream's key -> (site id, edge id, lane). Raises ValueError."""
    found = _STREAM.match(key)
    if found is None:
        raise ValueError(f"{key!r} is not a telemetry stream")
    lane: Lane = "stream" if found[3] == "stream" else "backfill"
    return site_id(found[1]), edge_id(found[2]), lane


SiteChannel = Literal["telemetry", "alerts", "commands"]


def parse_site_channel(channel: str) -> tuple[SiteChannel, int]:
    """`telemetry:site_7`, `alerts:site_7` or `commands:site_7` -> (kind, site id). Raises ValueError."""
    found = _CHANNEL.match(channel)
    if found is None:
        raise ValueError(f"{channel!r} is not a site's channel")
    return cast("SiteChannel", found[1]), site_id(found[2])


# Alerts, commands, configuration -----------------------------------------------------------


def alerts_channel(site: int) -> str:
    return f"alerts:site_{site}"


def commands_stream(site: int, edge: int) -> str:
    """Stream, at least once: commands for one edge."""
    return f"commands:{{site_{site}}}:edge_{edge}"


def parse_events_stream(key: str) -> tuple[int, int]:
    """An events stream's key -> (site id, edge id). Raises ValueError."""
    found = _EVENTS.match(key)
    if found is None:
        raise ValueError(f"{key!r} is not an events stream")
    return site_id(found[1]), edge_id(found[2])


def edge_events_stream(site: int, edge: int) -> str:
    """Stream, at least once: what one edge tells of commands, rules and its configuration (an EdgeEvent each)."""
    return f"events:{{site_{site}}}:edge_{edge}"


def edge_status(site: int) -> str:
    """Hash: edge name -> how the edge is doing, as an encoded EdgeStatus."""
    return f"status:{{site_{site}}}"


def commands_channel(site: int) -> str:
    """Pub/sub: an encoded CommandEvent or ControlEvent, published by the backend once it is recorded."""
    return f"commands:site_{site}"


def config_changed_channel(edge: int) -> str:
    return f"edge:{edge}:config_changed"


# Access ------------------------------------------------------------------------------------


def permission_changed_channel(user: int) -> str:
    """Pub/sub: an encoded AccessEvent after every committed change of what the user may do."""
    return f"user:{user}:permission_changed"


def user_events_channel(user: int) -> str:
    return f"user:{user}:events"


def user_epoch(user: int) -> str:
    """Counter, raised at every change of access. A grant is valid only while its epoch is current."""
    return f"user:{user}:epoch"


def failures(limit: str, subject_hash: str) -> str:
    """How often somebody guessed wrong within one limit's window; the backend's own."""
    return f"django:failures:{limit}:{subject_hash}"


def grant(token_hash: str) -> str:
    """A cached grant, under the SHA-256 hex of the token (never the token itself)."""
    return f"grant:{token_hash}"


def parse_user_channel(channel: str) -> tuple[int, Literal["permission_changed", "events"]]:
    """`user:5:permission_changed` -> (5, "permission_changed"). Raises ValueError."""
    found = _USER_CHANNEL.match(channel)
    if found is None:
        raise ValueError(f"{channel!r} is not a user's channel")
    return int(found[1]), ("permission_changed" if found[2] == "permission_changed" else "events")


# Credentials -------------------------------------------------------------------------------


def edge_user(edge: int, key_prefix: str) -> str:
    """The Redis ACL user of one API key of one edge, so that two keys can live side by side."""
    return f"edge_{edge}_{key_prefix}"


def edge_acl(site: int, edge: int, redis_major: int = 7) -> list[str]:
    """ACL SETUSER rules of an edge, without the password: named commands on its own keys and nothing else.

    Each kind of key has its own commands (a selector, in brackets), so that an edge cannot make its stream's key
    something else than a stream. Redis 6 has neither selectors nor read-only keys: there an edge could overwrite its
    own receipt or spoil its own stream (it would only harm itself).

    No ACL sees the arguments of XADD: whoever has the key may trim the edge's own stream with it, or add an entry
    under a made-up id. Then the edge resends what is neither there nor committed, and the historian begins a stream
    with a made-up id anew.
    """
    # Not client|setinfo: Redis 7.0 does not know it and would refuse the whole rule; clients do without.
    talk = "ping time hello auth quit select client|setname publish subscribe unsubscribe".split()
    channels = [f"&{telemetry_channel(site)}", f"&{config_changed_channel(edge)}"]
    streams = [f"~{telemetry_stream(site, edge, lane)}" for lane in LANES]
    latest, acked = telemetry_latest(site), telemetry_acked(site, edge)
    commands, events, status = commands_stream(site, edge), edge_events_stream(site, edge), edge_status(site)
    writing, reading = "+xadd +xrange +xlen +xinfo|stream +xread", "+xrange +xread"
    if redis_major >= 7:
        return [
            *("reset", "on", "resetchannels", "-@all", *channels, *(f"+{word}" for word in talk)),
            f"({writing} {' '.join(streams)})",
            f"(+xadd +xlen +xinfo|stream ~{events})",
            f"(+hset %W~{latest} %W~{status})",
            f"(+get %R~{acked})",
            f"({reading} %R~{commands})",
        ]
    talk.remove("quit")  # Redis 6 always allows it and refuses the rule
    return [
        *("reset", "on", "resetchannels", "-@all", *streams, *channels),
        *(f"~{key}" for key in (latest, status, acked, commands, events)),
        *(f"+{word}" for word in talk),
        *(writing + " +hset +get").split(),
    ]

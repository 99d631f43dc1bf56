"""Streams that edges write and one reader empties. No Django.

What is in such a stream is exactly what is not recorded yet, so every read begins at 0 and nobody keeps a position.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import redis
import structlog

AHEAD_MS = 3_600_000
"""An entry's id is Redis's own time in ms. One so far ahead of ours was made up."""

Fields = Mapping[bytes, bytes]

log = structlog.get_logger()


class Entries(NamedTuple):
    """The oldest entries of one stream, in order: (id, fields)."""

    key: str
    entries: Sequence[tuple[bytes, Fields | None]]


def read(client: redis.Redis, names: Sequence[str], count: int, block: int | None = None) -> list[Entries]:
    """At most `count` of each stream; with `block` (ms) it waits until there is one. Raises redis.RedisError."""
    try:
        answer: Any = client.xread(dict.fromkeys(names, "0"), count=count, block=block)
    except redis.ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        others = _remove_what_is_no_stream(client, names)
        # Without it: whoever writes it again at once would otherwise hold up everyone for ever.
        return read(client, others, count, block) if others and len(others) < len(names) else []
    return [Entries(key.decode(), entries) for key, entries in answer or []]


def forget(client: redis.Redis, ids: Mapping[str, Sequence[bytes]]) -> None:
    """Delete what is recorded. Exactly these entries: Redis may have been wiped and filled again since they were read,
    and then a range of ids could hold others."""
    pipeline = client.pipeline(transaction=False)
    for key, members in ids.items():
        pipeline.xdel(key, *members)
    pipeline.execute()
    for key, members in ids.items():
        if _milliseconds(members[-1]) > time.time() * 1000 + AHEAD_MS:
            _begin_anew(client, key)


def _begin_anew(client: redis.Redis, key: str) -> None:
    """A made-up id stays the stream's highest, and Redis takes none below it: the edge, or the next one with a new
    key, could add nothing any more. So the stream goes once it is empty."""
    with client.pipeline() as pipeline:
        try:
            pipeline.watch(key)  # type: ignore[no-untyped-call]
            if pipeline.xlen(key):
                return  # whatever was added since has a higher id still, and leads here again
            pipeline.multi()
            pipeline.delete(key)
            pipeline.execute()
        except redis.WatchError:
            return
    log.warning("a stream held a made-up id; begun anew", key=key)


def _remove_what_is_no_stream(client: redis.Redis, names: Sequence[str]) -> list[str]:
    """An edge can write another type under its own stream's name; nobody else's stream may wait for that.

    Returns the other names.
    """
    others = []
    pipeline = client.pipeline(transaction=False)
    for name in names:
        pipeline.type(name)
    for name, kind in zip(names, pipeline.execute(), strict=True):
        if kind in (b"stream", b"none"):
            others.append(name)
        else:
            log.error("a stream's name held something else; removed", key=name, type=kind.decode())
            client.delete(name)
    return others


def _milliseconds(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])

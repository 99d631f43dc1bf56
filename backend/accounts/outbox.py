"""Relays the outbox of access changes: raises each user's epoch in Redis, says so, and only then forgets the row.

Database triggers write the rows, in the transaction of the change and whoever makes it; a NOTIFY on `CHANNEL` wakes the
worker. At least once: killed after Redis was told and before the rows are deleted, the next turn tells it again, which
costs open sockets one more question to the backend.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import redis
import structlog

from accounts.models import AccessChange
from config.redis import client
from ems_contract import PROTOCOL_VERSION, keys
from ems_contract.access import AccessEvent

CHANNEL = "access_changed"
AT_ONCE = 1_000

log = structlog.get_logger()


class Relay:
    """`run` is the worker's job. Raises redis.RedisError while Redis does not take it; the rows stay."""

    def __init__(self) -> None:
        self._told_without_epoch: set[int] = set()

    def run(self) -> None:
        while rows := list(AccessChange.objects.order_by("id")[:AT_ONCE]):
            self._tell(rows)
            AccessChange.objects.filter(pk__in=[row.pk for row in rows]).delete()
            self._told_without_epoch.clear()

    def _tell(self, rows: Sequence[AccessChange]) -> None:
        """Several changes of one user are one event; the last reason is the one that is told."""
        reasons = {row.user_id: row.reason for row in rows}
        try:
            epochs = _raise_epochs(list(reasons))
        except redis.exceptions.OutOfMemoryError:
            self._tell_without_epoch(rows)
            raise
        _publish([AccessEvent(PROTOCOL_VERSION, user, epochs[user], reason) for user, reason in reasons.items()])
        log.info("access changes told", users=len(reasons), changes=len(rows))

    def _tell_without_epoch(self, rows: Sequence[AccessChange]) -> None:
        """Redis is full: publishing needs no memory, and open sockets ask the backend whatever the event says. Once
        for each row; the epochs are raised as soon as there is room."""
        untold = {row.user_id: row.reason for row in rows if row.pk not in self._told_without_epoch}
        _publish([AccessEvent(PROTOCOL_VERSION, user, 0, reason) for user, reason in untold.items()])
        self._told_without_epoch.update(row.pk for row in rows)


def _raise_epochs(users: Sequence[int]) -> dict[int, int]:
    """A missing epoch begins at the time in ms, so that no number comes twice though Redis has lost its data."""
    now = time.time_ns() // 1_000_000
    pipeline = client().pipeline(transaction=False)
    for user in users:
        pipeline.set(keys.user_epoch(user), now, nx=True)
        pipeline.incr(keys.user_epoch(user))
    answers = pipeline.execute()
    return dict(zip(users, map(int, answers[1::2]), strict=True))


def _publish(events: Sequence[AccessEvent]) -> None:
    pipeline = client().pipeline(transaction=False)
    for event in events:
        pipeline.publish(keys.permission_changed_channel(event.user), msgspec.json.encode(event))
    pipeline.execute()

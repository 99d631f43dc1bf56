"""The audit log: who did what to what, what it was before and is after. Rows are added, never changed or deleted.

Rows are written by functions of the database (`migrations/0002_chain.py`): by a trigger for every change of an
audited table, by `audit.record` and `audit.denied` for everything else. The models here are for reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn
from uuid import UUID

from django.db import models
from django.utils import timezone

from config.guard import GuardedQuerySet


class AppendOnly(Exception):
    """An audit event was about to be changed or deleted."""

    def __init__(self) -> None:
        super().__init__("audit events are append-only: they can be neither changed nor deleted")


class Person(models.Model):
    """What a person was called: an e-mail address or a name. Events hold the key only, so a person can be erased.

    `key` commits to the words (`chain.PERSON_KEY`), so nobody can put other words in their place; without the salt,
    which an erasure deletes, nothing can be learned from it. One person has as many rows as they had names.
    """

    key = models.UUIDField(primary_key=True)
    user_id = models.BigIntegerField(null=True, db_index=True)
    text = models.CharField(max_length=254, db_index=True)
    salt = models.BinaryField(null=True)

    def __str__(self) -> str:
        return self.text


class AuditQuerySet(GuardedQuerySet["AuditEvent"]):
    """Events come with the words for the persons in them, in one more query."""

    def _fetch_all(self) -> None:
        fresh = self._result_cache is None
        super()._fetch_all()
        if fresh:
            rows: Any = self._result_cache  # with `values(...)` they are no events
            name_persons(row for row in rows if isinstance(row, AuditEvent))

    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class AuditEvent(models.Model):
    """`action` is `<noun>.<verb>`; `target_id` is the id of the noun's row.

    `actor` is an edge, a command or a user of the database; where a person acted it is empty and `actor_key` says who.
    `target` and `target_key` likewise. `before` and `after` hold the columns that changed; those that name a person
    are in `persons` instead, as `{"after.email": key}`. There are no foreign keys: a row outlives what it is about.
    """

    class Outcome(models.TextChoices):
        DONE = "done"
        DENIED = "denied"

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.DONE)
    actor_id = models.BigIntegerField(null=True)
    actor_key = models.UUIDField(null=True)
    actor = models.CharField(max_length=254, blank=True)
    organization_id = models.BigIntegerField(null=True)
    site_id = models.BigIntegerField(null=True)
    target = models.CharField(max_length=200, blank=True)
    target_key = models.UUIDField(null=True)
    target_id = models.BigIntegerField(null=True)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    details = models.JSONField(default=dict)
    persons = models.JSONField(default=dict)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["at", "id"], name="audit_at"),
            models.Index(fields=["organization_id", "at", "id"], name="audit_organization"),
            models.Index(fields=["site_id", "at", "id"], name="audit_site"),
            models.Index(fields=["actor_id", "at", "id"], name="audit_actor"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} by {self.actor_name or 'nobody'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    # With the persons' words ----------------------------------------------------------------------------------------

    _words: Mapping[str, str] | None = None

    @property
    def keys(self) -> set[str]:
        """Of every person in this event."""
        return {str(key) for key in (self.actor_key, self.target_key, *self.persons.values()) if key is not None}

    @property
    def actor_name(self) -> str:
        return self._word(self.actor_key) if self.actor_key else self.actor

    @property
    def target_name(self) -> str:
        return self._word(self.target_key) if self.target_key else self.target

    def told(self, part: str) -> dict[str, Any] | None:
        """`before`, `after` or `details`, with what names a person put back."""
        values: dict[str, Any] | None = getattr(self, part)
        prefix = f"{part}."
        named = {
            path.removeprefix(prefix): self._word(key) for path, key in self.persons.items() if path.startswith(prefix)
        }
        return {**(values or {}), **named} if named else values

    def _word(self, key: UUID | str) -> str:
        if self._words is None:
            name_persons([self])
        return (self._words or {}).get(str(key), "unknown person")


def name_persons(events: Iterable[AuditEvent]) -> None:
    """Give these events the words of their persons: one query for all of them."""
    events = list(events)
    keys = set[str]().union(*(event.keys for event in events))
    found = Person.objects.filter(key__in=keys).values_list("key", "text") if keys else ()
    words = {str(key): text for key, text in found}
    for event in events:
        event._words = words  # noqa: SLF001 - of this module's own class


class Seal(models.Model):
    """An event's place in the chain of its organization (0: of no organization). `hash`: see `chain.link`."""

    event = models.BigIntegerField(primary_key=True)
    organization = models.BigIntegerField()
    position = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "position"], name="audit_seal_position"),)

    def __str__(self) -> str:
        return f"event {self.event} is number {self.position} of organization {self.organization}"


class Unsealed(models.Model):
    """Ids of events that wait for the sealer; a trigger adds them, so a late commit is never passed over."""

    event = models.BigIntegerField(primary_key=True)

    class Meta:
        verbose_name_plural = "unsealed"

    def __str__(self) -> str:
        return f"event {self.event}"


class Flood(models.Model):
    """How often one caller was denied one thing within a minute. `event`: the last of them, as it would be stored."""

    caller = models.CharField(max_length=100)
    action = models.CharField(max_length=60)
    minute = models.DateTimeField()
    count = models.IntegerField()
    event = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["caller", "action", "minute"], name="audit_flood_of"),)

    def __str__(self) -> str:
        return f"{self.caller}: {self.count} times {self.action}"

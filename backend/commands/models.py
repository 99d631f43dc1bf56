"""Commands that people gave, what became of them, and what the rules on the edges did by themselves."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User
from ems_contract.commands import CommandState
from ems_contract.control import ControlAction
from ems_contract.points import MAX_KEY_LENGTH
from sites.models import Edge, Point, TenantRow

STATES = [(state.value, state.value) for state in CommandState]
ACTIONS = [(action.value, action.value) for action in ControlAction]
LONGEST_REASON = 40
LONGEST_DETAIL = 300


class Command(TenantRow):
    """Hold `point` at `value` (in its unit; null: give it back), until another command or for `lease` s.

    `uid` is its id everywhere outside of this database. While it is `requested` this row is its own outbox: it was not
    given to Redis yet, or that is not known. `requested` and `expires` count in Redis' time. `answered`: when its edge
    first said something about it; until then an end is only what the backend assumes.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    edge = models.ForeignKey(Edge, on_delete=models.SET_NULL, null=True, related_name="+")
    point = models.ForeignKey(Point, on_delete=models.CASCADE, related_name="commands")
    point_key = models.CharField(max_length=MAX_KEY_LENGTH)
    value = models.FloatField(null=True)
    lease = models.IntegerField(null=True)
    state = models.CharField(max_length=10, choices=STATES, default=CommandState.REQUESTED.value)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True, default="")
    detail = models.CharField(max_length=LONGEST_DETAIL, blank=True, default="")
    read_back = models.FloatField(null=True)
    requested = models.DateTimeField()
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    expires = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    answered = models.DateTimeField(null=True)
    entry = models.CharField(max_length=50, blank=True, default="")
    """Its entry in the edge's stream, while it is there."""

    class Meta:
        ordering = ("-requested", "-id")
        indexes = (
            models.Index(fields=["site", "-requested"], name="commands_of_site"),
            models.Index(fields=["point", "-requested"], name="commands_of_point"),
            models.Index(
                fields=["expires"], name="commands_unanswered", condition=models.Q(state__in=["requested", "sent"])
            ),
        )

    def __str__(self) -> str:
        return f"{self.point_key}: {'given back' if self.value is None else f'{self.value:g}'} ({self.state})"


class CommandStep(TenantRow):
    """One line of a command's history. `at` is the edge's time where the edge said so, within reason."""

    command = models.ForeignKey(Command, on_delete=models.CASCADE, related_name="history")
    state = models.CharField(max_length=10, choices=STATES)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.state} at {self.at:%Y-%m-%d %H:%M:%S}"


class ControlEvent(TenantRow):
    """One thing that a rule of an edge did. `event` is its id on the wire, unique for each edge."""

    edge = models.ForeignKey(Edge, on_delete=models.SET_NULL, null=True, related_name="+")
    event = models.CharField(max_length=64)
    rule = models.CharField(max_length=40)
    point_key = models.CharField(max_length=MAX_KEY_LENGTH)
    action = models.CharField(max_length=10, choices=ACTIONS)
    value = models.FloatField(null=True)
    input = models.FloatField(null=True)
    at = models.DateTimeField()
    detail = models.CharField(max_length=LONGEST_DETAIL, blank=True, default="")

    class Meta:
        ordering = ("-at", "-id")
        constraints = (models.UniqueConstraint(fields=["edge", "event"], name="control_event_once"),)
        indexes = (
            models.Index(fields=["site", "-at"], name="control_events_of_site"),
            models.Index(fields=["at"], name="control_events_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.rule} {self.action} {self.point_key}"

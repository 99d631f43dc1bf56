"""Commands go with their organization: into its export, and with its sites."""

from __future__ import annotations

import json

from accounts.organization_export import document
from commands.belongings import CommandBelongings
from commands.models import Command, CommandStep, ControlEvent
from commands.tests.conftest import Hear, Said, rule_event
from sites.models import Edge
from testing.cast import Cast


def test_they_are_counted_and_exported(cast: Cast, command: Command, says: Said, hear: Hear) -> None:
    says.event(rule_event())
    hear()
    assert CommandBelongings().counts(cast.alpha) == {"commands": 1, "control_events": 1}
    assert CommandBelongings().counts(cast.beta) == {"commands": 0, "control_events": 0}
    exported = json.loads(b"".join(document(cast.alpha)))
    (given,) = exported["commands"]
    assert (given["id"], given["value"], given["requested_by"]) == (str(command.uid), -20_000.0, cast.max.pk)
    assert [(step["command"], step["state"]) for step in exported["command_steps"]] == [
        (str(command.uid), "requested"),
        (str(command.uid), "sent"),
    ]
    assert exported["control_events"][0]["rule"] == "peak_shaving"


def test_they_outlive_their_edge_and_go_with_their_site(cast: Cast, command: Command) -> None:
    Edge.objects.all().delete()
    command.refresh_from_db()
    assert command.edge_id is None
    cast.own.delete()
    assert not Command.objects.exists()
    assert not CommandStep.objects.exists()
    assert not ControlEvent.objects.exists()

"""The commands and the control events of an organization that is exported or deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.belongings import Belongings, Row
from accounts.models import Organization
from commands.models import Command, CommandStep, ControlEvent
from sites.models import TenantRow

BLOCK = 2_000
_COMMAND = (
    *("uid", "site", "edge", "point", "point_key", "value", "lease", "state", "reason", "detail", "read_back"),
    *("requested", "requested_by", "expires", "lease_until"),
)
_STEP = ("command__uid", "state", "reason", "at")
_EVENT = ("event", "site", "edge", "rule", "point_key", "action", "value", "input", "at", "detail")


class CommandBelongings(Belongings):
    """They go with their sites."""

    def counts(self, organization: Organization) -> Mapping[str, int]:
        return {
            "commands": _of(Command, organization).count(),
            "control_events": _of(ControlEvent, organization).count(),
        }

    def sections(self, organization: Organization) -> Iterator[tuple[str, Iterable[Row]]]:
        yield "commands", map(_named, _rows(_of(Command, organization), *_COMMAND))
        yield "command_steps", map(_named, _rows(_of(CommandStep, organization), *_STEP))
        yield "control_events", _rows(_of(ControlEvent, organization), *_EVENT)


def _of[M: TenantRow](model: type[M], organization: Organization) -> QuerySet[M]:
    objects: Any = model.objects
    rows: QuerySet[M] = objects.opened("the organization's door was opened").filter(organization=organization)
    return rows


def _rows(rows: QuerySet[Any], *columns: str) -> Iterator[Row]:
    return rows.order_by("pk").values(*columns).iterator(BLOCK)


def _named(row: Row) -> Row:
    """With the command's id as everybody else knows it."""
    uid = row["uid"] if "uid" in row else row["command__uid"]
    rest = {name: value for name, value in row.items() if name not in ("uid", "command__uid")}
    return {"id" if "uid" in row else "command": str(uid), **rest}

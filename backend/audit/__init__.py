"""The audit log. Anyone may call `record`, `denied` and `erase_person`.

Changes of rows are recorded by triggers of the database (`audit.triggers.attach` in a migration); these functions are
for what is no change of a row. Who acts, the request and the address are known (`audit.context`) unless given.
"""

from __future__ import annotations

from typing import Any

import structlog

_LONGEST = 2_000


def record(
    action: str,
    *,
    actor_id: int | None = None,
    actor: str = "",
    organization_id: int | None = None,
    site_id: int | None = None,
    target: str = "",
    target_id: int | None = None,
    address: str | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    **details: Any,
) -> None:
    """Add one event, in the caller's transaction: it exists exactly if the change does.

    `action` is `<noun>.<verb>`, `actor` the e-mail, the edge's name or `command <name>` (by default whoever makes the
    request), `address` where the request came from. `before`, `after` and `details` are JSON values; never pass a
    secret. An e-mail address in any of them is kept apart, so that the person can be erased.
    """
    from django.core.serializers.json import DjangoJSONEncoder
    from django.db import connections

    event = _event(action, actor_id, actor, address)
    event.update(organization_id=organization_id, site_id=site_id, target=target, target_id=target_id)
    event.update(before=before, after=after, details=details)
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT audit_write(%s::jsonb)", [DjangoJSONEncoder().encode(_clean(event))])


def denied(
    action: str,
    *,
    actor_id: int | None = None,
    actor: str = "",
    organization_id: int | None = None,
    site_id: int | None = None,
    target: str = "",
    address: str | None = None,
    **details: Any,
) -> None:
    """Add an attempt that was refused. It stays when the request rolls back, and a flood of them is only counted.

    Arguments as for `record`. The caller, whose flood is counted, is the user or edge if known, else the address
    (IPv6: its /64, as many addresses as anybody likes).
    """
    from audit import denials
    from config.addresses import network_of

    event = _event(action, actor_id, actor, address)
    event.update(outcome="denied", organization_id=organization_id, site_id=site_id, target=target, details=details)
    known = structlog.contextvars.get_contextvars()
    caller = known.get("user") or known.get("edge") or network_of(event.get("address"))
    denials.store(_clean(event), str(caller))


def erase_person(user_id: int, email: str) -> int:
    """Replace every name of this person in the log by a pseudonym, and forget what it was made of.

    In the caller's transaction, after the user's own row was changed. The chain stays as it is. Returns how many names.
    """
    from django.db.models import Q

    from audit.models import Person

    names = Person.objects.filter(Q(user_id=user_id) | Q(text__iexact=email), salt__isnull=False)
    return names.update(text=f"erased person {user_id}", salt=None)


def _event(action: str, actor_id: int | None, actor: str, address: str | None) -> dict[str, Any]:
    from audit.context import acting

    event = acting()
    if actor_id is not None or actor:
        event.pop("actor_id", None)
        event.update(actor=actor, **({"actor_id": actor_id} if actor_id is not None else {}))
    if address is not None:
        event["address"] = address
    return {**event, "action": action}


def _clean(value: Any) -> Any:
    """What PostgreSQL cannot hold in a text is dropped, and nothing is longer than a reader wants."""
    if isinstance(value, str):
        return value[:_LONGEST].replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value

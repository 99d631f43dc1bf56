"""The audit log. Anyone may import its one recording function: `audit.record(...)`."""

from __future__ import annotations

from typing import Any

import structlog


def record(
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
    """Add one event, in the caller's transaction: it exists exactly if the change does.

    `action` is `<noun>.<verb>`, `actor` the e-mail or the edge's name (by default whoever makes the request),
    `address` where the request came from. `details` are JSON values; never pass a secret.
    """
    from django.contrib.auth import get_user_model  # models load after the apps

    from audit.models import AuditEvent

    context = structlog.contextvars.get_contextvars()
    if actor_id is None and not actor and "user" in context:
        actor_id = context["user"]
        actor = get_user_model()._base_manager.filter(pk=actor_id).values_list("email", flat=True).first() or ""
    AuditEvent.objects.create(
        action=action,
        actor_id=actor_id,
        actor=actor[:254],
        organization_id=organization_id,
        site_id=site_id,
        target=target[:200],
        address=address,
        request_id=context.get("request_id", ""),
        details=details,
    )

"""The audit log."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

import audit
from audit.models import AppendOnly, AuditEvent
from sites.models import SiteAccess
from testing.cast import Cast, ClientOf


def test_an_event_is_neither_changed_nor_deleted(db: None) -> None:
    audit.record("test.happened")
    event = AuditEvent.objects.get()
    event.action = "test.forged"
    attempts = (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(action="test.forged"),
    )
    for attempt in attempts:
        with pytest.raises(AppendOnly):
            attempt()
    assert AuditEvent.objects.get().action == "test.happened"


def test_an_event_goes_with_its_transaction(db: None) -> None:
    with transaction.atomic():
        audit.record("test.happened")
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_changes_of_access_are_recorded_with_before_and_after(cast: Cast) -> None:
    access = cast.bob.site_accesses.get()
    access.role = "operator"
    access.save()
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.action, event.target, event.site_id) == ("siteaccess.changed", "bob@example.com", cast.own.pk)
    assert event.organization_id == cast.alpha.pk
    assert event.details == {"before": "viewer", "after": "operator"}


def test_a_change_in_the_admin_names_who_made_it(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.root)
    access: SiteAccess = cast.bob.site_accesses.get()
    url = f"/admin/sites/siteaccess/{access.pk}/delete/"
    assert client.post(url, {"post": "yes"}, headers={"X-Request-ID": "admin-1"}).status_code == 302
    event = AuditEvent.objects.get(action="siteaccess.deleted")
    assert (event.actor_id, event.actor, event.request_id) == (cast.root.pk, "root@example.com", "admin-1")


def test_one_request_does_not_lend_its_name_to_the_next(cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.alice).get("/api/sites")
    cast.bob.site_accesses.get().delete()
    assert AuditEvent.objects.get(action="siteaccess.deleted").actor == ""


def test_markup_in_a_name_is_inert_in_the_admin(cast: Cast) -> None:
    audit.record("test.happened", target="<script>alert(1)</script>")
    client = Client()
    client.force_login(cast.root)
    page = client.get("/admin/audit/auditevent/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page

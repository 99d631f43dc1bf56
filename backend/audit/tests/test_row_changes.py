"""Every change of an audited row is an event, whoever made it and however."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from accounts.models import AccessToken, Membership, Organization, User
from audit.models import AuditEvent
from sites.models import Asset, Device, Edge, EdgeKey, Point, Site, SiteAccess
from testing.cast import Cast, edge_kit


def last(action: str) -> AuditEvent:
    event = AuditEvent.objects.filter(action=action).first()
    assert event is not None, [event.action for event in AuditEvent.objects.all()[:10]]
    return event


def test_a_change_has_only_the_columns_that_changed(cast: Cast) -> None:
    access = cast.bob.site_accesses.get()
    access.role = "operator"
    access.save()
    event = last("site_access.changed")
    assert (event.before, event.after) == ({"role": "viewer"}, {"role": "operator"})
    assert (event.target_name, event.target_id) == ("bob@example.com", access.pk)
    assert (event.organization_id, event.site_id) == (cast.alpha.pk, cast.own.pk)


def test_a_new_and_a_deleted_row_are_there_as_a_whole(cast: Cast) -> None:
    site = cast.other
    pk = site.pk
    created = last("site.created")
    assert created.after is not None
    assert created.before is None
    site.delete()
    deleted = last("site.deleted")
    assert deleted.before is not None
    assert (deleted.before["name"], deleted.before["timezone"], deleted.after) == ("Other", "Europe/Berlin", None)
    assert (deleted.organization_id, deleted.site_id, deleted.target_id, deleted.target) == (
        cast.alpha.pk,
        pk,
        pk,
        "Other",
    )


def test_bulk_changes_that_no_signal_sees_are_recorded_row_by_row(cast: Cast) -> None:
    SiteAccess.objects.filter(site=cast.own).update(role="viewer")
    changed = AuditEvent.objects.filter(action="site_access.changed")
    assert sorted(event.target_name for event in changed) == ["max@example.com", "olga@example.com"]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sites_siteaccess")
    assert AuditEvent.objects.filter(action="site_access.deleted").count() == 3


def test_an_update_that_changes_nothing_is_no_event(cast: Cast) -> None:
    before = AuditEvent.objects.count()
    cast.own.save()
    Site.objects.filter(pk=cast.own.pk).update(name=cast.own.name)
    assert AuditEvent.objects.count() == before


def test_columns_that_change_all_the_time_are_no_news(cast: Cast) -> None:
    kit = edge_kit(cast.own)
    before = AuditEvent.objects.count()
    EdgeKey.objects.update(last_used=kit.key.created)
    Edge.objects.update(software="9.9", last_session=kit.key.created)
    User.objects.update(last_login=kit.key.created)
    AccessToken.objects.update(last_used=kit.key.created)
    assert AuditEvent.objects.count() == before


def test_that_a_secret_changed_is_told_and_what_it_is_never(cast: Cast) -> None:
    cast.bob.set_password("a quite different passphrase")
    cast.bob.save()
    event = last("user.changed")
    assert (event.before, event.after, event.details) == ({}, {}, {"secrets_changed": ["password"]})
    edge_kit(cast.own)
    created = last("edge_key.created")
    assert created.after is not None
    assert "secret_hash" not in created.after
    assert "prefix" in created.after
    for whole in AuditEvent.objects.filter(action="user.created"):
        assert "password" not in (whole.after or {})


def test_a_password_in_a_connection_is_not_shown(cast: Cast) -> None:
    kit = edge_kit(cast.own)
    kit.device.connection = {"host": "10.0.0.5", "password": "hunter2hunter2"}
    kit.device.save()
    event = last("device.changed")
    assert event.after == {"connection": {"host": "10.0.0.5", "password": "[not shown]"}}
    assert "hunter2" not in str(AuditEvent.objects.values_list("details", "before", "after"))


@pytest.mark.parametrize(
    ("model", "noun"),
    [
        (User, "user"),
        (Organization, "organization"),
        (Membership, "membership"),
        (Site, "site"),
        (SiteAccess, "site_access"),
        (Asset, "asset"),
        (Edge, "edge"),
        (EdgeKey, "edge_key"),
        (Device, "device"),
        (Point, "point"),
    ],
)
def test_each_kind_of_row_is_audited_under_its_noun(cast: Cast, model: type, noun: str) -> None:
    edge_kit(cast.own)
    pks = set(model.objects.values_list("pk", flat=True))  # type: ignore[attr-defined]
    events = AuditEvent.objects.filter(action=f"{noun}.created")
    assert pks
    assert {event.target_id for event in events} == pks
    assert len(events) == len(pks)  # none is recorded twice


def test_an_event_goes_with_its_transaction(cast: Cast) -> None:
    before = AuditEvent.objects.count()
    with transaction.atomic():
        cast.own.name = "Renamed"
        cast.own.save()
        assert AuditEvent.objects.count() == before + 1
        transaction.set_rollback(True)
    assert AuditEvent.objects.count() == before

"""POST and DELETE /api/organizations/{id}/deletion, and the worker's job at the end of the grace period"""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from accounts.actions import organizations
from accounts.models import AccessToken, Membership, Organization, SystemSettings, User
from audit.models import AuditEvent
from ems_contract import keys
from sites import edge_redis
from sites.models import Device, Edge, EdgeKey, Point, Site, SiteAccess
from sites.removals import SiteRemoval
from telemetry import database
from telemetry.belongings import remove_history
from telemetry.hot import Entry, Window
from telemetry.ingest import ingest
from telemetry.rollups import DAY
from telemetry.tests.ledger import new_boot, payload, reading
from testing.cast import Cast, ClientOf, EdgeKit, edge_kit


def url(organization: Organization) -> str:
    return f"/api/organizations/{organization.pk}/deletion"


def due(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(delete_after=timezone.now() - timedelta(seconds=1))


def history_of(kit: EdgeKit) -> None:
    now = time.time_ns() // 1_000_000
    batch = payload([reading(now - 5_000, {kit.point.key: 1.0})], 1, new_boot(), kit.edge.pk)
    ingest(database.connection(), [Entry(kit.edge.site_id, kit.edge.pk, batch)], Window.at(now, 400 * DAY))


def test_a_dry_run_says_what_would_go_and_changes_nothing(cast: Cast, client_of: ClientOf) -> None:
    history_of(edge_kit(cast.own))
    for body in ({}, {"dry_run": True}, {"dry_run": True, "name": "whatever"}):
        answer = client_of(cast.root).post(url(cast.alpha), body, format="json")
        assert answer.status_code == 200
        assert answer.json()["dry_run"] is True
    assert answer.json()["would_delete"] == {
        "memberships": 4,
        "accounts_deactivated": 4,
        "access_tokens": 0,
        "sites": 2,
        "assets": 1,
        "edges": 1,
        "devices": 1,
        "points": 1,
        "site_accesses": 3,
        "invitations": 0,
        "commands": 0,
        "control_events": 0,
        "samples": 1,
    }
    cast.alpha.refresh_from_db()
    assert cast.alpha.delete_after is None


def test_it_is_asked_for_with_the_name_typed_and_waits_for_the_grace_period(cast: Cast, client_of: ClientOf) -> None:
    SystemSettings(deletion_grace_days=3).save()
    answer = client_of(cast.root).post(url(cast.alpha), {"dry_run": False, "name": "Alpha"}, format="json")
    assert answer.status_code == 200
    cast.alpha.refresh_from_db()
    assert cast.alpha.delete_after is not None
    assert timedelta(days=2.9) < cast.alpha.delete_after - timezone.now() < timedelta(days=3)
    organizations.delete_due()
    assert Organization.objects.filter(pk=cast.alpha.pk).exists()
    shown = client_of(cast.alice).get(f"/api/organizations/{cast.alpha.pk}").json()
    assert shown["delete_after"] == answer.json()["delete_after"]


@pytest.mark.parametrize("name", ["", "alpha", "Alpha ", "Beta", None])
def test_another_name_is_refused(cast: Cast, client_of: ClientOf, name: str | None) -> None:
    answer = client_of(cast.root).post(url(cast.alpha), {"dry_run": False, "name": name}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")
    cast.alpha.refresh_from_db()
    assert cast.alpha.delete_after is None


def test_it_can_be_cancelled_until_the_grace_period_is_over(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.root)
    body = {"dry_run": False, "name": "Alpha"}
    client.post(url(cast.alpha), body, format="json")
    again = client.post(url(cast.alpha), body, format="json")
    assert (again.status_code, again.json()["type"]) == (409, "urn:ems:problem:deletion_under_way")
    assert client.delete(url(cast.alpha)).status_code == 204
    assert client.delete(url(cast.alpha)).status_code == 204
    cast.alpha.refresh_from_db()
    assert cast.alpha.delete_after is None
    due(cast.alpha)
    assert client.delete(url(cast.alpha)).status_code == 409


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_only_platform_admins_ask_for_it(cast: Cast, client_of: ClientOf, name: str) -> None:
    client = client_of(cast.everyone()[name])
    assert client.post(url(cast.alpha), {"dry_run": False, "name": "Alpha"}, format="json").status_code == 403
    assert client.delete(url(cast.alpha)).status_code == 403
    assert client.delete(url(cast.beta)).status_code == 404


def test_after_it_nothing_of_the_organization_is_left_but_the_audit_log(cast: Cast) -> None:
    edge_kit(cast.own), edge_kit(cast.foreign)
    before = AuditEvent.objects.filter(organization_id=cast.alpha.pk).count()
    due(cast.alpha)
    organizations.delete_due()
    assert list(Organization.objects.values_list("name", flat=True)) == ["Beta"]
    assert list(Site.objects.all()) == [cast.foreign]
    assert not Membership.objects.filter(organization_id=cast.alpha.pk).exists()
    for rows in (Edge, EdgeKey, Device, Point, SiteAccess):
        assert set(rows._default_manager.values_list("organization_id", flat=True)) <= {cast.beta.pk}
    assert AuditEvent.objects.filter(organization_id=cast.alpha.pk).count() >= before


def test_people_who_were_only_there_are_disabled_and_others_are_not(cast: Cast, client_of: ClientOf) -> None:
    Membership.objects.create(user=cast.bob, organization=cast.beta)
    Membership.objects.create(user=cast.root, organization=cast.alpha)
    Membership.objects.create(user=cast.dev, organization=cast.alpha)
    service = User.objects.create_user("service@example.com", name="Service", is_service=True)
    Membership.objects.create(user=service, organization=cast.alpha)
    AccessToken.objects.create(
        user=service, organization=cast.alpha, name="x", prefix="p", secret_hash="h", expires=timezone.now()
    )
    client = client_of(cast.olga)
    due(cast.alpha)
    organizations.delete_due()
    active = set(User.objects.filter(is_active=True).values_list("name", flat=True))
    assert active == {"Bob", "Root", "Dev", "Charlie"}
    assert client.get("/api/auth/me").status_code == 401
    assert not AccessToken.objects.exists()


def test_its_edges_lose_their_redis_users_at_once(cast: Cast, clean_redis: redis.Redis) -> None:
    kit, foreign = edge_kit(cast.own), edge_kit(cast.foreign)
    for one in (kit, foreign):
        edge_redis.apply(one.key)
    due(cast.alpha)
    organizations.delete_due()
    assert {name for name in map(str, clean_redis.acl_users()) if name.startswith("edge_")} == {
        edge_redis.user_name(foreign.key)
    }


def test_one_that_fails_waits_unseen_and_holds_up_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is away, and Alpha has an edge that must lose its user there."""
    kit = edge_kit(cast.own)
    due(cast.alpha)
    due(cast.beta)
    with monkeypatch.context() as away:
        away.setattr(edge_redis, "client", lambda: redis.Redis(port=1, socket_connect_timeout=0.2))
        with pytest.raises(redis.RedisError):
            organizations.delete_due()
    assert list(Organization.objects.all()) == [cast.alpha]
    cast.alpha.refresh_from_db()
    assert cast.alpha.suspended is not None
    kit.key.refresh_from_db()
    assert kit.key.revoked is None, "a key that Redis still knows must not look revoked"
    organizations.delete_due()
    assert not Organization.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_its_history_follows_and_that_of_others_stays(cast: Cast, clean_redis: redis.Redis) -> None:
    kit, foreign = edge_kit(cast.own), edge_kit(cast.foreign)
    for one in (kit, foreign):
        history_of(one)
        clean_redis.xadd(keys.telemetry_stream(one.edge.site_id, one.edge.pk), {"batch": b"{}"})
        clean_redis.hset(keys.telemetry_latest(one.edge.site_id), "edge", "{}")
    due(cast.alpha)
    organizations.delete_due()
    remove_history()
    assert not SiteRemoval.objects.exists()
    connection = database.connection()
    for table in ("batch", "point"):
        rows = connection.execute(f"SELECT DISTINCT site FROM {table}").fetchall()  # noqa: S608
        assert rows == [(cast.foreign.pk,)]
    assert connection.execute("SELECT DISTINCT edge FROM receipt").fetchall() == [(foreign.edge.pk,)]
    left = {name.decode() for name in clean_redis.scan_iter("telemetry:*")}
    assert left == {keys.telemetry_stream(cast.foreign.pk, foreign.edge.pk), keys.telemetry_latest(cast.foreign.pk)}
    for statement in ("DELETE FROM batch", "DELETE FROM point", "DELETE FROM receipt"):
        connection.execute(statement)


def test_deleting_a_site_in_any_way_leaves_its_history_to_the_worker(cast: Cast) -> None:
    kit = edge_kit(cast.own)
    Site.objects.filter(pk=cast.own.pk).delete()
    assert list(SiteRemoval.objects.values_list("site_id", "edge_id")) == [
        (cast.own.pk, kit.edge.pk),
        (cast.own.pk, None),
    ]

"""Tenancy: nobody grants more than they hold, nor beyond their own sites; words are data; what ended is over."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import Membership, User
from sites.models import SiteAccess
from sites.tests.asking import code, fields, send
from testing.cast import Cast, ClientOf, edge_kit

HTML = "<img src=x onerror=alert(1)>\"'</script>=cmd|calc!A1"


def test_a_site_manager_adds_nobody_to_another_site(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.max)
    body = {"email": cast.bob.email, "role": "viewer"}
    answers = [
        send(client, "POST", "/api/site-access", {**body, "site": number})
        for number in (cast.other.pk, cast.foreign.pk, 999_999)
    ]
    assert all(fields(answer) == ["site"] for answer in answers)
    assert len({answer.content for answer in answers}) == 1
    SiteAccess.objects.create(site=cast.other, user=cast.max, role="viewer")
    answer = send(client, "POST", "/api/site-access", {**body, "site": cast.other.pk})
    assert code(answer) == (403, "permission_denied")
    assert not SiteAccess.objects.filter(site=cast.other, user=cast.bob).exists()


def test_a_site_manager_grants_no_more_than_they_hold(cast: Cast, client_of: ClientOf) -> None:
    client, row = client_of(cast.max), cast.bob.site_accesses.get()
    for role in ("site_manager", "org_admin", "platform_admin"):
        assert send(client, "PATCH", f"/api/site-access/{row.pk}", {"role": role}).status_code in (400, 403)
    row.refresh_from_db()
    assert row.role == "viewer"


def test_who_lost_the_role_meanwhile_grants_nothing_any_more(cast: Cast, client_of: ClientOf) -> None:
    client, row = client_of(cast.max), cast.bob.site_accesses.get()
    cast.max.site_accesses.all().delete()
    assert code(send(client, "PATCH", f"/api/site-access/{row.pk}", {"role": "operator"})) == (404, "not_found")


def test_a_stranger_is_not_brought_in_by_a_role(cast: Cast, client_of: ClientOf) -> None:
    """Only members of the organization, whatever the caller knows of them."""
    Membership.objects.create(user=cast.alice, organization=cast.beta, role="org_admin")
    body = {"site": cast.own.pk, "user": cast.charlie.pk, "role": "viewer"}
    assert fields(send(client_of(cast.alice), "POST", "/api/site-access", body)) == ["user"]


# Words are data -----------------------------------------------------------------------------------------------------


def test_html_in_a_name_is_stored_and_sent_as_it_is(cast: Cast, client_of: ClientOf) -> None:
    kit, client = edge_kit(cast.own), client_of(cast.max)
    for url in (
        f"/api/sites/{cast.own.pk}",
        f"/api/points/{kit.point.pk}",
        f"/api/assets/{kit.device.asset_id}",
        f"/api/edges/{kit.edge.pk}",
        f"/api/devices/{kit.device.pk}",
    ):
        answer = send(client, "PATCH", url, {"name": HTML})
        assert (answer.status_code, answer.json()["name"]) == (200, HTML)
        assert answer["Content-Type"] == "application/json"
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_html_in_a_refusal_is_data_too(cast: Cast, client_of: ClientOf) -> None:
    answer = send(client_of(cast.max), "PATCH", f"/api/sites/{cast.own.pk}", {HTML: HTML})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["X-Content-Type-Options"] == "nosniff"


# An access that ended, or is narrower -------------------------------------------------------------------------------


def test_a_suspended_organization_is_gone_for_its_own_people(cast: Cast, client_of: ClientOf) -> None:
    cast.alpha.suspended = timezone.now()
    cast.alpha.save()
    for user in (cast.alice, cast.max, cast.bob):
        assert code(client_of(user).get(f"/api/sites/{cast.own.pk}")) == (404, "not_found")
        assert client_of(user).get("/api/points").json()["count"] == 0
    assert client_of(cast.root).get(f"/api/sites/{cast.own.pk}").status_code == 200


def test_a_developer_sees_no_site(cast: Cast, client_of: ClientOf) -> None:
    edge_kit(cast.own)
    client = client_of(cast.dev)
    for name in ("sites", "site-access", "assets", "edges", "devices", "points"):
        assert client.get(f"/api/{name}").json()["count"] == 0


def test_deactivated_people_are_not_asked_again(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.alice)
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    assert client.get("/api/sites").status_code == 401

"""POST /api/auth/invitation and /api/auth/invitation/accept"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import access_tokens
from accounts.models import AccessToken, Membership, User
from audit.models import AuditEvent
from config.secret_hash import hash_secret
from ems_contract.tokens import format_access_token
from invitations.actions import acceptance
from invitations.actions.acceptance import BadInvitation
from invitations.models import Invitation
from invitations.tests.conftest import Deliver, invite
from sites.models import SiteAccess
from testing.cast import Cast, ClientOf

LOOK, ACCEPT = "/api/auth/invitation", "/api/auth/invitation/accept"
PASSWORD = "a long enough phrase"


def accept(client: APIClient, token: str, **more: Any) -> Any:
    return client.post(ACCEPT, {"token": token, **more}, format="json")


def new(client: APIClient, token: str) -> Any:
    return accept(client, token, name="Nina", password=PASSWORD)


@pytest.fixture
def token(cast: Cast, client_of: ClientOf, deliver: Deliver) -> str:
    """Of an invitation to new@example.com, as operator of the own site."""
    sites = [{"site": cast.own.pk, "role": "operator"}]
    assert invite(client_of(cast.alice), cast.alpha.pk, sites=sites).status_code == 201
    return deliver()


def invited(cast: Cast, client_of: ClientOf, deliver: Deliver, email: str, **more: Any) -> str:
    assert invite(client_of(cast.alice), cast.alpha.pk, email, **more).status_code == 201
    return deliver()


def test_the_link_tells_what_it_is_for(cast: Cast, client_of: ClientOf, token: str) -> None:
    answer = client_of().post(LOOK, {"token": token}, format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("expires")
    assert body == {
        "email": "new@example.com",
        "organization": "Alpha",
        "invited_by": "Alice",
        "role": "member",
        "has_account": False,
    }
    assert answer["Cache-Control"] == "no-store"


def test_a_new_account_is_made_and_logged_in_with_the_roles(cast: Cast, client_of: ClientOf, token: str) -> None:
    answer = new(client_of(), token)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["user"]["email"], body["user"]["name"]) == ("new@example.com", "Nina")
    assert "ems_refresh" in answer.cookies
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access']}")
    site = client.get(f"/api/sites/{cast.own.pk}").json()
    assert site["role"] == "operator"
    assert client.get(f"/api/sites/{cast.other.pk}").status_code == 404
    invitation = Invitation.objects.get()
    assert (invitation.state, invitation.accepted_by) == ("accepted", User.objects.get(email="new@example.com"))
    login = {"email": "new@example.com", "password": PASSWORD}
    assert client_of().post("/api/auth/login", login, format="json").status_code == 200


def test_the_link_is_good_once(client_of: ClientOf, token: str) -> None:
    assert new(client_of(), token).status_code == 201
    assert new(client_of(), token).json()["type"] == "urn:ems:problem:bad_invitation"


def test_unknown_expired_used_and_withdrawn_links_answer_byte_for_byte_alike(
    cast: Cast, client_of: ClientOf, token: str
) -> None:
    answers = [new(client_of(), "nonsense")]
    Invitation.objects.update(expires=timezone.now() - timedelta(seconds=1))
    answers.append(new(client_of(), token))
    Invitation.objects.update(expires=timezone.now() + timedelta(days=1), accepted=timezone.now())
    answers.append(new(client_of(), token))
    Invitation.objects.all().delete()
    answers.append(new(client_of(), token))
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1
    looks = [client_of().post(LOOK, {"token": text}, format="json") for text in ("nonsense", token)]
    assert {answer.content for answer in looks} == {answers[0].content}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name", "password"}),
        ({"name": "Nina"}, {"password"}),
        ({"password": PASSWORD}, {"name"}),
        ({"name": "Nina", "password": "password"}, {"password"}),
        ({"name": "Nina", "password": "new@example.com"}, {"password"}),
        ({"name": "a\nb", "password": PASSWORD}, {"name"}),
        ({"name": "Nina", "password": PASSWORD, "is_superuser": True}, {"is_superuser"}),
        ({"name": "Nina", "password": PASSWORD, "email": "x@example.com"}, {"email"}),
        ({"name": "Nina", "password": PASSWORD, "role": "org_admin"}, {"role"}),
    ],
)
def test_what_is_not_acceptable_is_named_and_the_link_stays_good(
    client_of: ClientOf, token: str, body: dict[str, Any], fields: set[str]
) -> None:
    answer = accept(client_of(), token, **body)
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == fields
    assert new(client_of(), token).status_code == 201


def test_who_has_an_account_accepts_logged_in(cast: Cast, client_of: ClientOf, deliver: Deliver) -> None:
    sites = [{"site": cast.own.pk, "role": "viewer"}]
    token = invited(cast, client_of, deliver, "Charlie@example.com", sites=sites)
    assert client_of().post(LOOK, {"token": token}, format="json").json()["has_account"] is True
    first = accept(client_of(), token, name="Not Charlie", password=PASSWORD)
    assert (first.status_code, first.json()["type"]) == (401, "urn:ems:problem:log_in_first")
    answer = accept(client_of(cast.charlie), token)
    assert answer.status_code == 200
    assert {row["name"] for row in answer.json()["organizations"]} == {"Alpha", "Beta"}
    assert client_of(cast.charlie).get(f"/api/sites/{cast.own.pk}").json()["role"] == "viewer"
    cast.charlie.refresh_from_db()
    assert (cast.charlie.name, cast.charlie.check_password(cast.password)) == ("Charlie", True)


def test_nobody_accepts_for_another_address(cast: Cast, client_of: ClientOf, deliver: Deliver) -> None:
    token = invited(cast, client_of, deliver, "charlie@example.com")
    for user in (cast.dev, cast.root, cast.alice):
        answer = accept(client_of(user), token)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:ems:problem:other_account")
    assert not cast.dev.memberships.exists()


def test_an_access_token_accepts_nothing(cast: Cast, client_of: ClientOf, deliver: Deliver) -> None:
    token = invited(cast, client_of, deliver, "charlie@example.com")
    parts = access_tokens.generate(cast.charlie.pk)
    AccessToken.objects.create(
        user=cast.charlie,
        name="Integration",
        prefix=parts.prefix,
        secret_hash=hash_secret(parts.secret),
        scopes=["read", "manage"],
        expires=timezone.now() + timedelta(hours=1),
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {format_access_token(parts)}")
    assert accept(client, token).status_code == 403


def test_a_disabled_account_is_told_so(cast: Cast, client_of: ClientOf, deliver: Deliver) -> None:
    token = invited(cast, client_of, deliver, "dev@example.com")
    User.objects.filter(pk=cast.dev.pk).update(is_active=False)
    answer = accept(client_of(), token, name="Dev", password=PASSWORD)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:ems:problem:account_disabled")


def test_an_invitation_takes_nothing_away(cast: Cast, client_of: ClientOf, deliver: Deliver) -> None:
    """Whoever became a member in another way meanwhile keeps the stronger roles."""
    sites = [{"site": cast.own.pk, "role": "viewer"}, {"site": cast.other.pk, "role": "operator"}]
    token = invited(cast, client_of, deliver, "dev@example.com", sites=sites)
    Membership.objects.create(user=cast.dev, organization=cast.alpha, role="org_admin")
    SiteAccess.objects.create(user=cast.dev, site=cast.own, role="site_manager")
    SiteAccess.objects.create(user=cast.dev, site=cast.other, role="viewer")
    assert accept(client_of(cast.dev), token).status_code == 200
    assert cast.dev.memberships.get().role == "org_admin"
    roles = dict(SiteAccess.objects.filter(user=cast.dev).values_list("site", "role"))
    assert roles == {cast.own.pk: "site_manager", cast.other.pk: "operator"}


def test_an_invitation_as_org_admin_raises_a_member(cast: Cast, client_of: ClientOf, deliver: Deliver) -> None:
    token = invited(cast, client_of, deliver, "dev@example.com", role="org_admin")
    Membership.objects.create(user=cast.dev, organization=cast.alpha)
    assert accept(client_of(cast.dev), token).status_code == 200
    assert cast.dev.memberships.get().role == "org_admin"


@pytest.mark.parametrize("lost", ["membership", "role", "account", "organization"])
def test_no_invitation_outlives_the_right_to_make_it(cast: Cast, client_of: ClientOf, token: str, lost: str) -> None:
    match lost:
        case "membership":
            Membership.objects.filter(user=cast.alice).delete()
        case "role":
            Membership.objects.filter(user=cast.alice).update(role="member")
        case "account":
            User.objects.filter(pk=cast.alice.pk).update(is_active=False)
        case _:
            client_of(cast.root).post(f"/api/organizations/{cast.alpha.pk}/suspend")
    answer = new(client_of(), token)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:ems:problem:bad_invitation")
    assert not User.objects.filter(email="new@example.com").exists()


def test_a_site_managers_invitation_ends_with_the_role_on_the_site(
    cast: Cast, client_of: ClientOf, deliver: Deliver
) -> None:
    sites = [{"site": cast.own.pk, "role": "operator"}]
    invite(client_of(cast.max), cast.alpha.pk, sites=sites)
    token = deliver()
    SiteAccess.objects.filter(user=cast.max).update(role="operator")
    assert new(client_of(), token).status_code == 403
    SiteAccess.objects.filter(user=cast.max).update(role="site_manager")
    assert new(client_of(), token).status_code == 201


def test_a_site_that_is_gone_does_not_spoil_it(cast: Cast, client_of: ClientOf, token: str) -> None:
    cast.own.delete()
    assert new(client_of(), token).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_the_link_at_once_one_gets_in(cast: Cast, client_of: ClientOf, token: str) -> None:
    together, told = threading.Barrier(2), []

    def run(name: str) -> None:
        together.wait(10)
        try:
            acceptance.do_accept_new(token, name, PASSWORD)
            told.append("in")
        except BadInvitation:
            told.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(name,)) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) == ["in", "refused"]
    assert User.objects.filter(email="new@example.com").count() == 1


def test_guessing_links_is_stopped(cast: Cast, client_of: ClientOf, settings: Any) -> None:
    settings.GUESSES = {**settings.GUESSES, "address": (3, 900)}
    answers = [client_of().post(LOOK, {"token": f"guess{index}"}, format="json") for index in range(4)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]


def test_the_token_is_in_no_table(token: str) -> None:
    assert token not in str(list(Invitation.objects.values()))
    assert Invitation.objects.get().token_hash == hash_secret(token)


def test_the_audit_log_says_who_invited_and_who_came(cast: Cast, client_of: ClientOf, token: str) -> None:
    assert new(client_of(), token).status_code == 201
    nina = User.objects.get(email="new@example.com")
    made = AuditEvent.objects.get(action="invitation.created")
    assert (made.actor_id, made.target_name, made.organization_id) == (cast.alice.pk, nina.email, cast.alpha.pk)
    entered = AuditEvent.objects.filter(action__in=["invitation.changed", "membership.created"], actor_id=nina.pk)
    assert entered.count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_auditevent e WHERE e::text LIKE %s", [f"%{token}%"])
        assert cursor.fetchone() == (0,)

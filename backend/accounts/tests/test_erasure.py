"""POST /api/users/{id}/erase: who somebody was is gone, what they did stays."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import AccessToken, LoginSession, Membership, PasswordReset, User
from invitations.models import Invitation
from sites.models import SiteAccess
from testing.cast import Cast, ClientOf


def url(user: User) -> str:
    return f"/api/users/{user.pk}/erase"


def body(user: User) -> dict[str, str]:
    return {"email": user.email}


def tables_naming(text: str) -> list[str]:
    """Every table of the database in which some row's text contains it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'django_migrations'"
        )
        names = [name for (name,) in cursor.fetchall()]
        found = []
        for name in names:
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{name}" t WHERE t::text ILIKE %s)', [f"%{text}%"])  # noqa: S608
            if cursor.fetchone() == (True,):
                found.append(name)
    return found


def test_the_person_becomes_a_pseudonym(cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.root).post(url(cast.bob), {"email": " BOB@example.com "}, format="json")
    assert answer.status_code == 200
    person = answer.json()
    assert (person["email"], person["name"]) == (f"erased-{cast.bob.pk}@erased.invalid", "Erased person")
    assert (person["is_active"], person["organizations"]) == (False, [])
    assert person["erased"] is not None


def test_every_right_and_credential_goes(cast: Cast, client_of: ClientOf) -> None:
    bob = client_of(cast.bob)
    TOTPDevice.objects.create(user=cast.bob, name="Authenticator")
    PasswordReset.objects.create(email=cast.bob.email, user=cast.bob)
    assert client_of(cast.root).post(url(cast.bob), body(cast.bob), format="json").status_code == 200
    assert bob.get("/api/auth/me").status_code == 401
    models: tuple[type[Model], ...] = (Membership, SiteAccess, LoginSession, AccessToken, TOTPDevice)
    for model in models:
        assert not model._default_manager.filter(user=cast.bob.pk).exists()
    assert not PasswordReset.objects.exists()
    erased = User.objects.get(pk=cast.bob.pk)
    assert not erased.has_usable_password()
    answer = client_of().post("/api/auth/login", {"email": cast.bob.email, "password": cast.password}, format="json")
    assert answer.status_code == 401


def test_no_table_names_the_person_any_more(cast: Cast, client_of: ClientOf) -> None:
    root = client_of(cast.root)
    client_of(cast.alice).patch(f"/api/users/{cast.bob.pk}", {"name": "Robertino"}, format="json")
    Invitation.objects.create(
        organization=cast.beta, email=cast.bob.email, invited_by=cast.charlie, expires=cast.beta.created
    )
    LogEntry.objects.create(
        user=cast.root,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(cast.bob.pk),
        object_repr=cast.bob.email,
        action_flag=CHANGE,
    )
    assert len(tables_naming("bob@example.com")) >= 3
    assert root.post(url(cast.bob), body(cast.bob), format="json").status_code == 200
    assert tables_naming("bob@example.com") == []
    assert tables_naming("Robertino") == []


def test_the_address_can_be_used_again(cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.root).post(url(cast.bob), body(cast.bob), format="json")
    assert User.objects.create_user("bob@example.com", name="Another Bob").pk != cast.bob.pk


@pytest.mark.parametrize("typed", ["", "bob", "alice@example.com", "erased"])
def test_the_address_must_be_typed_as_it_is(cast: Cast, client_of: ClientOf, typed: str) -> None:
    answer = client_of(cast.root).post(url(cast.bob), {"email": typed}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "email")
    cast.bob.refresh_from_db()
    assert cast.bob.erased is None


def test_nobody_erases_themselves_nor_anyone_twice(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.root)
    assert client.post(url(cast.root), body(cast.root), format="json").status_code == 403
    assert client.post(url(cast.bob), body(cast.bob), format="json").status_code == 200
    again = client.post(url(cast.bob), {"email": f"erased-{cast.bob.pk}@erased.invalid"}, format="json")
    assert (again.status_code, again.json()["type"]) == (409, "urn:ems:problem:already_erased")
    assert client.patch(f"/api/users/{cast.bob.pk}", {"is_active": True}, format="json").status_code == 403


@pytest.mark.parametrize("name", ["alice", "bob", "max", "dev"])
def test_only_platform_admins_erase(cast: Cast, client_of: ClientOf, name: str) -> None:
    client = client_of(cast.everyone()[name])
    assert client.post(url(cast.olga), body(cast.olga), format="json").status_code == 403

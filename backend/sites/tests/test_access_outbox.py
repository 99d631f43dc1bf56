"""Whoever changes access, and however, the outbox has a row for everyone concerned, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F, Model
from django.db.models.functions import Concat
from django.test import Client
from django.utils import timezone

from accounts import access_tokens, tokens
from accounts.models import AccessChange, AccessToken, LoginSession, Membership, Organization, User
from config.secret_hash import hash_secret
from sites.models import Site, SiteAccess
from testing.cast import Cast, ClientOf
from testing.cast import site as make_site

Change = Callable[[Cast], object]
TEAM = {"bob", "olga", "max"}


def _save(row: Model, **values: object) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def sql(text: str, *values: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def announced(cast: Cast, change: Change) -> set[str]:
    """The names of those whose access the change touches."""
    AccessChange.objects.all().delete()
    everyone = {user.pk: name for name, user in cast.everyone().items()}
    change(cast)
    return {everyone[user] for user in AccessChange.objects.values_list("user_id", flat=True)}


def access_token(user: User, **values: object) -> AccessToken:
    parts = access_tokens.generate(user.pk)
    fields = {"expires": timezone.now() + timedelta(days=1), **values}
    return AccessToken.objects.create(
        user=user, name="it", prefix=parts.prefix, secret_hash=hash_secret(parts.secret), **fields
    )


# One row at a time -------------------------------------------------------------------------------------------------

SAVED: dict[str, tuple[Change, set[str]]] = {
    "a role is granted": (
        lambda cast: SiteAccess.objects.create(user=cast.bob, site=cast.other, role="viewer"),
        {"bob"},
    ),
    "a role is changed": (lambda cast: _save(cast.bob.site_accesses.get(), role="operator"), {"bob"}),
    "a role is taken": (lambda cast: cast.bob.site_accesses.get().delete(), {"bob"}),
    "a role is handed over": (lambda cast: _save(cast.bob.site_accesses.get(), user=cast.dev), {"bob", "dev"}),
    "a membership begins": (lambda cast: Membership.objects.create(user=cast.dev, organization=cast.beta), {"dev"}),
    "a membership is changed": (lambda cast: _save(cast.bob.memberships.get(), role="org_admin"), {"bob"}),
    "a membership ends": (lambda cast: cast.bob.memberships.get().delete(), {"bob"}),
    "a membership is handed over": (lambda cast: _save(cast.bob.memberships.get(), user=cast.dev), {"bob", "dev"}),
    "an account is disabled": (lambda cast: _save(cast.bob, is_active=False), {"bob"}),
    "a platform admin is made": (lambda cast: _save(cast.bob, is_superuser=True), {"bob"}),
    "a developer is made": (lambda cast: _save(cast.bob, is_developer=True), {"bob"}),
    "a password is changed": (lambda cast: _save(cast.bob, password="!"), {"bob"}),
    "an account is deleted": (lambda cast: cast.bob.delete(), {"bob"}),
    "a site is made": (lambda cast: make_site(cast.alpha, "new"), {"alice", "root"}),
    "operators are allowed": (lambda cast: _save(cast.own, operators_may_control=True), {"alice", "root", *TEAM}),
    "a site is renamed": (lambda cast: _save(cast.own, name="Works"), {"alice", "root", *TEAM}),
    "a site moves": (lambda cast: _save(cast.other, organization=cast.beta), {"alice", "charlie", "root"}),
    "a site is deleted": (lambda cast: cast.own.delete(), {"alice", "root", *TEAM}),
    "an organization is suspended": (lambda cast: _save(cast.alpha, suspended=timezone.now()), {"alice", *TEAM}),
}


@pytest.mark.parametrize("change", SAVED)
def test_a_saved_change_is_announced_to_whom_it_concerns(cast: Cast, change: str) -> None:
    act, concerned = SAVED[change]
    assert announced(cast, act) == concerned


def test_the_end_of_a_suspension_is_announced(cast: Cast) -> None:
    _save(cast.alpha, suspended=timezone.now())
    assert announced(cast, lambda cast: _save(cast.alpha, suspended=None)) == {"alice", *TEAM}


# Past save() -------------------------------------------------------------------------------------------------------

BULK: dict[str, tuple[Change, set[str]]] = {
    "roles are granted with bulk_create": (
        lambda cast: SiteAccess.objects.bulk_create(
            SiteAccess(user=user, site=cast.other, organization=cast.alpha, role="viewer")
            for user in (cast.bob, cast.olga)
        ),
        {"bob", "olga"},
    ),
    "roles are changed with bulk_update": (
        lambda cast: SiteAccess.objects.bulk_update(
            [SiteAccess(pk=cast.bob.site_accesses.get().pk, role="operator")], ["role"]
        ),
        {"bob"},
    ),
    "roles are changed with update": (lambda cast: SiteAccess.objects.update(role="operator"), {"bob", "max"}),
    "roles are handed over with update": (
        lambda cast: SiteAccess.objects.filter(user=cast.bob).update(user=cast.dev),
        {"bob", "dev"},
    ),
    "roles are taken with delete": (lambda cast: SiteAccess.objects.all().delete(), TEAM),
    "memberships change with update": (
        lambda cast: Membership.objects.filter(organization=cast.alpha).update(role="org_admin"),
        TEAM,
    ),
    "memberships end with delete": (lambda cast: Membership.objects.all().delete(), {"alice", "charlie", *TEAM}),
    "accounts are disabled with update": (
        lambda cast: User.objects.filter(email__startswith="o").update(is_active=False),
        {"olga"},
    ),
    "people are renamed with update": (
        lambda cast: User.objects.filter(pk=cast.dev.pk).update(name=Concat(F("name"), F("name"))),
        {"dev"},
    ),
    "operators are allowed everywhere with update": (
        lambda cast: Site.objects.update(operators_may_control=True),
        {"alice", "charlie", "root", *TEAM},
    ),
    "organizations are suspended with update": (
        lambda cast: Organization.objects.filter(name="Beta").update(suspended=timezone.now()),
        {"charlie"},
    ),
    "a role is granted in SQL": (
        lambda cast: sql(
            "INSERT INTO sites_siteaccess (user_id, site_id, organization_id, role) VALUES (%s, %s, %s, 'viewer')",
            *(cast.dev.pk, cast.own.pk, cast.alpha.pk),
        ),
        {"dev"},
    ),
    "a role is taken in SQL": (
        lambda cast: sql("DELETE FROM sites_siteaccess WHERE user_id = %s", cast.bob.pk),
        {"bob"},
    ),
    "a membership changes in SQL": (
        lambda cast: sql("UPDATE accounts_membership SET role = 'member' WHERE user_id = %s", cast.alice.pk),
        {"alice"},
    ),
    "an account is disabled in SQL": (
        lambda cast: sql("UPDATE accounts_user SET is_active = false WHERE id = %s", cast.root.pk),
        {"root"},
    ),
}


@pytest.mark.parametrize("change", BULK)
def test_a_change_that_no_save_sees_is_announced_to_whom_it_concerns(cast: Cast, change: str) -> None:
    act, concerned = BULK[change]
    assert announced(cast, act) == concerned


API: dict[str, tuple[Callable[[Cast], tuple[User, str, str, dict[str, object]]], set[str]]] = {
    "a role is granted": (
        lambda cast: (
            cast.alice,
            "post",
            "site-access",
            {"site": cast.other.pk, "user": cast.bob.pk, "role": "viewer"},
        ),
        {"bob"},
    ),
    "a role is changed": (
        lambda cast: (cast.alice, "patch", f"site-access/{cast.bob.site_accesses.get().pk}", {"role": "operator"}),
        {"bob"},
    ),
    "a role is taken": (
        lambda cast: (cast.max, "delete", f"site-access/{cast.bob.site_accesses.get().pk}", {}),
        {"bob"},
    ),
    "a membership is raised": (
        lambda cast: (cast.alice, "patch", f"memberships/{cast.bob.memberships.get().pk}", {"role": "org_admin"}),
        {"bob"},
    ),
    "a member leaves": (lambda cast: (cast.bob, "delete", f"memberships/{cast.bob.memberships.get().pk}", {}), {"bob"}),
    "operators are allowed": (
        lambda cast: (cast.max, "patch", f"sites/{cast.own.pk}", {"operators_may_control": True}),
        {"alice", "root", *TEAM},
    ),
    "an organization is suspended": (
        lambda cast: (cast.root, "post", f"organizations/{cast.alpha.pk}/suspend", {}),
        {"alice", *TEAM},
    ),
    "an account is disabled": (
        lambda cast: (cast.root, "patch", f"users/{cast.bob.pk}", {"is_active": False}),
        {"bob"},
    ),
}


@pytest.mark.parametrize("change", API)
def test_a_change_over_the_api_is_announced_to_whom_it_concerns(cast: Cast, client_of: ClientOf, change: str) -> None:
    asked, concerned = API[change]

    def ask(cast: Cast) -> None:
        who, method, path, body = asked(cast)
        answer = getattr(client_of(who), method)(f"/api/{path}", body, format="json")
        assert answer.status_code < 300, answer.content

    assert announced(cast, ask) == concerned


def test_a_role_that_the_admin_takes_is_announced(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.root)
    address = f"/admin/sites/siteaccess/{cast.bob.site_accesses.get().pk}/delete/"
    assert announced(cast, lambda cast: browser.post(address, {"post": "yes"})) == {"bob"}
    assert not cast.bob.site_accesses.exists()


# Credentials -------------------------------------------------------------------------------------------------------


def test_a_session_that_ends_is_announced(cast: Cast) -> None:
    issued = tokens.start(cast.bob)
    assert announced(cast, lambda cast: tokens.end(str(issued.refresh))) == {"bob"}


def test_sessions_that_are_revoked_or_deleted_past_save_are_announced(cast: Cast) -> None:
    tokens.start(cast.bob)
    tokens.start(cast.olga)
    end = LoginSession.objects.filter(user=cast.bob)
    assert announced(cast, lambda cast: end.update(revoked=timezone.now())) == {"bob"}
    assert announced(cast, lambda cast: LoginSession.objects.all().delete()) == {"olga"}  # bob's had ended before


def test_a_login_and_a_change_of_nothing_are_not_announced(cast: Cast) -> None:
    def nothing(cast: Cast) -> None:
        tokens.start(cast.bob)
        User.objects.get(pk=cast.bob.pk).save()
        User.objects.update(last_login=timezone.now())
        cast.own.save()
        Site.objects.update(address="Somewhere 1")
        SiteAccess.objects.update(role=F("role"))
        Organization.objects.update(delete_after=timezone.now())
        AccessToken.objects.update(last_used=timezone.now())

    access_token(cast.bob)
    assert announced(cast, nothing) == set()


def test_sweeping_sessions_that_expired_long_ago_is_not_announced(cast: Cast) -> None:
    tokens.start(cast.bob)
    LoginSession.objects.update(expires=timezone.now() - timedelta(hours=2))
    assert announced(cast, lambda cast: LoginSession.objects.all().delete()) == set()


TOKEN_CHANGES: dict[str, Callable[[AccessToken], object]] = {
    "is revoked": lambda token: _save(token, revoked=timezone.now()),
    "is revoked with update": lambda token: AccessToken.objects.update(revoked=timezone.now()),
    "expires earlier": lambda token: _save(token, expires=timezone.now()),
    "is narrowed to a site": lambda token: _save(token, sites=[1]),
    "loses a scope": lambda token: _save(token, scopes=[]),
    "is deleted": lambda token: token.delete(),
}


@pytest.mark.parametrize("change", TOKEN_CHANGES)
def test_an_access_token_that_changes_is_announced(cast: Cast, change: str) -> None:
    token = access_token(cast.bob)
    assert announced(cast, lambda cast: TOKEN_CHANGES[change](token)) == {"bob"}


@pytest.mark.parametrize("fields", [{"password": "!"}, {"is_active": False}])
def test_a_new_password_and_the_end_of_an_account_end_every_session(cast: Cast, fields: dict[str, object]) -> None:
    for user in (cast.bob, cast.bob, cast.olga):
        tokens.start(user)
    User.objects.filter(pk=cast.bob.pk).update(**fields)
    assert not LoginSession.objects.filter(user=cast.bob, revoked=None).exists()
    assert LoginSession.objects.filter(user=cast.olga, revoked=None).count() == 1


# Around it ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "leave",
    [
        lambda cast: cast.bob.memberships.get().delete(),
        lambda cast: Membership.objects.filter(user=cast.bob).update(organization=cast.beta),
        lambda cast: sql("DELETE FROM accounts_membership WHERE user_id = %s", cast.bob.pk),
    ],
    ids=["deleted", "moved in bulk", "deleted in SQL"],
)
def test_who_leaves_an_organization_leaves_its_sites(cast: Cast, leave: Change) -> None:
    leave(cast)
    assert not SiteAccess.objects.filter(user=cast.bob).exists()
    assert SiteAccess.objects.count() == 2


def test_a_change_that_is_rolled_back_is_not_announced(cast: Cast) -> None:
    def regret(cast: Cast) -> None:
        with transaction.atomic():
            cast.bob.site_accesses.get().delete()
            transaction.set_rollback(True)

    assert announced(cast, regret) == set()


def test_however_many_roles_change_at_once_everyone_is_announced_once(cast: Cast) -> None:
    people = User.objects.bulk_create(User(email=f"p{n}@example.com", name="P") for n in range(2_000))
    SiteAccess.objects.bulk_create(
        SiteAccess(user=user, site=cast.own, organization=cast.alpha, role="viewer") for user in people
    )
    AccessChange.objects.all().delete()
    SiteAccess.objects.update(role="operator")
    assert AccessChange.objects.count() == 2_000 + 2  # olga was one already

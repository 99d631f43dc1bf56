"""GET /api/sites/{id}/access: who may do what, and why."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.access import Access
from accounts.models import Membership, User
from sites.explain import explain
from sites.grants import Roles
from sites.models import SiteAccess
from sites.tests.asking import code, fields
from testing.cast import Cast, ClientOf


def ask(cast: Cast, client_of: ClientOf, who: User, query: str = "") -> dict[str, Any]:
    body = client_of(who).get(f"/api/sites/{cast.own.pk}/access{query}").json()
    return {row["user"]["name"]: row for row in body["results"]}


def test_everyone_of_the_site_is_explained(cast: Cast, client_of: ClientOf) -> None:
    found = ask(cast, client_of, cast.max)
    assert {name: row["role"] for name, row in found.items()} == {
        "Alice": "org_admin",
        "Bob": "viewer",
        "Max": "site_manager",
        "Olga": "operator",
    }
    assert found["Bob"]["actions"] == ["view"]
    assert found["Alice"]["because"] == ["Org admin of Alpha."]
    assert found["Olga"]["because"] == [
        "Member of Alpha.",
        "Operator of this site.",
        "This site does not let operators control devices.",
    ]


def test_the_sites_own_setting_is_among_the_reasons(cast: Cast, client_of: ClientOf) -> None:
    cast.own.operators_may_control = True
    cast.own.save()
    olga = ask(cast, client_of, cast.alice)["Olga"]
    assert "control_devices" in olga["actions"]
    assert "This site lets operators control devices." in olga["because"]


def test_platform_admins_are_named_to_platform_admins_only(cast: Cast, client_of: ClientOf) -> None:
    assert "Root" not in ask(cast, client_of, cast.alice)
    assert ask(cast, client_of, cast.root)["Root"]["because"] == ["Platform admin."]


def test_a_member_without_a_role_is_explained_to_who_administers_them(cast: Cast, client_of: ClientOf) -> None:
    nina = User.objects.create_user("nina@example.com", name="Nina")
    Membership.objects.create(user=nina, organization=cast.alpha)
    row = ask(cast, client_of, cast.alice, f"?user={nina.pk}")["Nina"]
    assert (row["role"], row["actions"]) == (None, [])
    assert row["because"][-1] == "No role on this site, so the membership alone opens nothing here."


@pytest.mark.parametrize("number", ["999999", "abc", "-1", "1e3", "9" * 40, "٣", ""])
def test_a_stranger_and_nobody_are_refused_in_the_same_words(cast: Cast, client_of: ClientOf, number: str) -> None:
    client = client_of(cast.max)
    refused = client.get(f"/api/sites/{cast.own.pk}/access?user={number}")
    foreign = client.get(f"/api/sites/{cast.own.pk}/access?user={cast.charlie.pk}")
    assert fields(refused) == fields(foreign) == ["user"]
    assert refused.content == foreign.content


def test_only_who_manages_the_users_of_the_site_is_told(cast: Cast, client_of: ClientOf) -> None:
    url = f"/api/sites/{cast.own.pk}/access"
    assert code(client_of(cast.bob).get(url)) == (403, "permission_denied")
    assert code(client_of(cast.charlie).get(url)) == (404, "not_found")


def test_the_explanation_is_what_the_doors_decide(cast: Cast) -> None:
    """For everyone, on every site, in every state that changes what counts."""
    SiteAccess.objects.create(user=cast.charlie, site=cast.own, role="site_manager")
    SiteAccess.objects.create(user=cast.alice, site=cast.own, role="viewer")
    for state in ("as made", "deactivated", "suspended"):
        if state == "deactivated":
            User.objects.update(is_active=False)
        if state == "suspended":
            User.objects.update(is_active=True)
            for organization in (cast.alpha, cast.beta):
                organization.suspended = timezone.now()
                organization.save()
        for site in (cast.own, cast.other, cast.foreign):
            site.refresh_from_db()
            for one in explain(site, list(User.objects.all())):
                roles = Roles(Access.of(one.user))
                assert (one.role, one.actions) == (roles.on(site), roles.actions_on(site)), (state, one.user)
                assert one.because


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"is_active": False}, "The account is deactivated, so nothing of this counts."),
        ({}, "Not a member of Alpha, so the role on this site does not count."),
    ],
)
def test_a_role_that_does_not_count_says_why(
    cast: Cast, client_of: ClientOf, change: dict[str, object], words: str
) -> None:
    if change:
        User.objects.filter(pk=cast.bob.pk).update(**change)
    else:
        SiteAccess.objects.create(user=cast.charlie, site=cast.own, role="viewer")
    found = ask(cast, client_of, cast.alice)["Bob" if change else "Charlie"]
    assert (found["role"], found["actions"], found["because"][-1]) == (None, [], words)


def test_a_suspended_organization_is_explained_to_the_platform_admin(cast: Cast, client_of: ClientOf) -> None:
    cast.alpha.suspended = timezone.now()
    cast.alpha.save()
    alice = ask(cast, client_of, cast.root)["Alice"]
    assert (alice["role"], alice["because"][-1]) == (None, "Alpha is suspended, so its own people see nothing of it.")


def test_it_takes_the_same_number_of_queries_however_many_they_are(
    cast: Cast, client_of: ClientOf, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        user = User.objects.create_user(f"u{number}@example.com", name=f"U{number}")
        Membership.objects.create(user=user, organization=cast.alpha)
        SiteAccess.objects.create(user=user, site=cast.own, role="viewer")
    client = client_of(cast.alice)
    with django_assert_max_num_queries(9):
        assert client.get(f"/api/sites/{cast.own.pk}/access").json()["count"] == 34

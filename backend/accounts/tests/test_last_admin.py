"""Nobody locks the last admin out: neither of an organization nor of the platform, however many try at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.actions import memberships, users
from accounts.models import Membership, User
from accounts.rules import LastAdmin
from testing.cast import Cast, ClientOf

LAST = "urn:ems:problem:last_admin"


def test_the_last_org_admin_is_neither_removed_nor_demoted_nor_disabled(cast: Cast, client_of: ClientOf) -> None:
    membership = cast.alice.memberships.get()
    root, alice = client_of(cast.root), client_of(cast.alice)
    answers = [
        alice.patch(f"/api/memberships/{membership.pk}", {"role": "member"}, format="json"),
        alice.delete(f"/api/memberships/{membership.pk}"),
        root.delete(f"/api/memberships/{membership.pk}"),
        root.patch(f"/api/users/{cast.alice.pk}", {"is_active": False}, format="json"),
        root.post(f"/api/users/{cast.alice.pk}/erase", {"email": "alice@example.com"}, format="json"),
    ]
    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(409, LAST)] * 5
    assert "Alpha" in answers[0].json()["detail"]
    cast.alice.refresh_from_db()
    assert cast.alice.is_active
    assert cast.alice.memberships.get().role == "org_admin"


def test_with_another_admin_the_first_may_go(cast: Cast, client_of: ClientOf) -> None:
    Membership.objects.filter(user=cast.bob).update(role="org_admin")
    membership = cast.alice.memberships.get()
    client = client_of(cast.alice)
    assert client.patch(f"/api/memberships/{membership.pk}", {"role": "member"}, format="json").status_code == 200
    assert client.delete(f"/api/memberships/{membership.pk}").status_code == 204


@pytest.mark.parametrize("flag", ["is_active", "is_service"])
def test_an_admin_who_cannot_log_in_does_not_count(cast: Cast, client_of: ClientOf, flag: str) -> None:
    Membership.objects.filter(user=cast.bob).update(role="org_admin")
    User.objects.filter(pk=cast.bob.pk).update(**{flag: flag == "is_service"})
    answer = client_of(cast.alice).delete(f"/api/memberships/{cast.alice.memberships.get().pk}")
    assert answer.json()["type"] == LAST


def test_the_last_platform_admin_stays_one(cast: Cast) -> None:
    """Over the API it takes a second one to try, so the rule itself is asked."""
    for fields in ({"is_superuser": False}, {"is_active": False}):
        with pytest.raises(LastAdmin):
            users.do_change(cast.root, fields)
    with pytest.raises(LastAdmin):
        users.do_erase(cast.root)


def test_with_another_platform_admin_the_first_may_go(cast: Cast, client_of: ClientOf) -> None:
    User.objects.filter(pk=cast.dev.pk).update(is_superuser=True)
    answer = client_of(cast.dev).patch(f"/api/users/{cast.root.pk}", {"platform_admin": False}, format="json")
    assert (answer.status_code, answer.json()["platform_admin"]) == (200, False)


def at_once(*calls: Callable[[], object]) -> list[str]:
    """Each on a database connection of its own, all begun together -> what became of them."""
    together, told = threading.Barrier(len(calls)), ["lost"] * len(calls)

    def run(index: int, call: Callable[[], object]) -> None:
        try:
            together.wait(10)
            call()
            told[index] = "done"
        except LastAdmin:
            told[index] = "refused"
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index, call)) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(told)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(5))
def test_of_two_org_admins_who_remove_each_other_at_once_one_stays(cast: Cast, _: int) -> None:
    Membership.objects.filter(user=cast.bob).update(role="org_admin")
    alice, bob = cast.alice.memberships.get(), cast.bob.memberships.get()
    assert at_once(lambda: memberships.do_delete(alice), lambda: memberships.do_change_role(bob, "member")) == [
        "done",
        "refused",
    ]
    assert cast.alpha.memberships.filter(role="org_admin").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_org_admins_of_whom_one_is_disabled_and_one_leaves_at_once_one_stays(cast: Cast) -> None:
    Membership.objects.filter(user=cast.bob).update(role="org_admin")
    bob = cast.bob.memberships.get()
    assert at_once(lambda: users.do_change(cast.alice, {"is_active": False}), lambda: memberships.do_delete(bob)) == [
        "done",
        "refused",
    ]
    assert cast.alpha.memberships.filter(role="org_admin", user__is_active=True).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(5))
def test_of_two_platform_admins_who_demote_each_other_at_once_one_stays(cast: Cast, _: int) -> None:
    cast.dev.is_superuser = True
    cast.dev.save()
    demoted = {"is_superuser": False}
    told = at_once(lambda: users.do_change(cast.root, demoted), lambda: users.do_change(cast.dev, demoted))
    assert told == ["done", "refused"]
    assert User.objects.filter(is_superuser=True).count() == 1

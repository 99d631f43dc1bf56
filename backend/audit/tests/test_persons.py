"""Events hold a key where a person's name would stand, so a person can be erased and the chain stays."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

import audit
from audit.models import AuditEvent, Person
from audit.seal import seal
from audit.verify import verify
from testing.cast import Cast


def stored() -> str:
    """Everything that is in the events themselves."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT json_agg(e) FROM audit_auditevent e")
        rows: Any = cursor.fetchone()[0]
    return json.dumps(rows)


def test_no_event_holds_a_name_or_an_address_of_a_person(cast: Cast) -> None:
    cast.bob.name, cast.bob.email = "Robert", "robert@example.com"
    cast.bob.save()
    audit.record("login.failed", actor="typo@example.com", target="bob@example.com", tried="third@example.com")
    text = stored()
    assert "example.com" not in text
    assert "Robert" not in text
    changed = AuditEvent.objects.get(action="user.changed")
    assert changed.told("before") == {"name": "Bob", "email": "bob@example.com"}
    assert changed.told("after") == {"name": "Robert", "email": "robert@example.com"}
    failed = AuditEvent.objects.get(action="login.failed")
    assert (failed.actor_name, failed.target_name) == ("typo@example.com", "bob@example.com")
    assert failed.told("details") == {"tried": "third@example.com"}


def test_an_erased_person_is_nowhere_and_the_chain_holds(guarded: None, cast: Cast) -> None:
    audit.record("login.succeeded", actor_id=cast.bob.pk, actor=cast.bob.email)
    audit.record("login.failed", actor="Bob@Example.com")  # as somebody typed it
    seal()
    pseudonym = f"erased-{cast.bob.pk}@invalid"
    cast.bob.email, cast.bob.name = pseudonym, "Erased"
    cast.bob.save()
    assert audit.erase_person(cast.bob.pk, "bob@example.com") >= 4
    seal()
    said = {event.actor_name for event in AuditEvent.objects.filter(action__startswith="login.")}
    assert said == {f"erased person {cast.bob.pk}"}
    assert not Person.objects.filter(text__icontains="bob").exists()
    assert Person.objects.filter(text="alice@example.com").exists()
    assert verify([]).findings == []


def test_what_is_left_of_an_erased_person_says_nothing_about_them(cast: Cast) -> None:
    audit.erase_person(cast.bob.pk, cast.bob.email)
    left = Person.objects.filter(user_id=cast.bob.pk)
    assert left
    assert {(person.salt, person.text) for person in left} == {(None, f"erased person {cast.bob.pk}")}


def test_who_is_gone_is_still_named(cast: Cast) -> None:
    cast.bob.delete()
    gone = AuditEvent.objects.filter(action__endswith=".deleted")
    assert {event.action for event in gone} == {"user.deleted", "membership.deleted", "site_access.deleted"}
    assert {event.target_name for event in gone} == {"bob@example.com"}


def test_a_page_of_events_asks_for_its_persons_once(cast: Cast, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        names = [(event.actor_name, event.target_name) for event in AuditEvent.objects.all()]
    assert len(names) > 10

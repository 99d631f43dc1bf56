"""Events are added and never changed, whoever tries."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

import audit
from audit.models import AppendOnly, AuditEvent
from audit.seal import seal
from testing.cast import Cast


def test_the_product_itself_neither_changes_nor_deletes_an_event(db: None) -> None:
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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET action = 'test.forged'",
        "DELETE FROM audit_auditevent",
        "UPDATE audit_seal SET hash = ''",
        "DELETE FROM audit_seal",
        "DELETE FROM audit_person",
        "UPDATE audit_person SET text = 'somebody.else@example.com'",
        "UPDATE audit_person SET user_id = 1, text = 'erased person 1', salt = NULL",
        "TRUNCATE audit_auditevent",
        "TRUNCATE audit_seal",
        "TRUNCATE audit_person",
    ],
)
def test_the_database_refuses_it_to_everyone_even_the_owner(guarded: None, statement: str) -> None:
    audit.record("test.happened", target="ada@example.com")
    seal()
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        cursor.execute(statement)
    assert AuditEvent.objects.get().target_name == "ada@example.com"


def test_markup_in_a_name_is_inert_in_the_admin(cast: Cast) -> None:
    audit.record("test.happened", target="<script>alert(1)</script>")
    client = Client()
    client.force_login(cast.root)
    page = client.get("/admin/audit/auditevent/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page

"""Fixtures of the audit log's tests."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.fixture
def guarded(db: None) -> None:
    """As in production: the tables refuse a TRUNCATE too. It goes with the test's transaction."""
    with connection.cursor() as cursor:
        for table in ("audit_auditevent", "audit_seal", "audit_person"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER audit_no_truncate")

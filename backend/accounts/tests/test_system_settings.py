"""GET and PATCH /api/settings, and `SystemSettings.load()`"""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import SystemSettings
from audit.models import AuditEvent
from testing.cast import Cast, ClientOf

URL = "/api/settings"
DEFAULTS = {"require_two_factor": False, "support_email": "", "invitation_days": 7, "deletion_grace_days": 7}


def test_they_have_defaults_before_anyone_has_changed_one(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.root).get(URL).json() == DEFAULTS


def test_a_platform_admin_changes_some_and_the_others_stay(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.root)
    assert client.patch(URL, {"support_email": "help@example.com"}, format="json").status_code == 200
    answer = client.patch(URL, {"invitation_days": 3}, format="json").json()
    assert answer == {**DEFAULTS, "support_email": "help@example.com", "invitation_days": 3}
    assert SystemSettings.load().invitation_days == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("invitation_days", 0),
        ("invitation_days", 31),
        ("deletion_grace_days", 0),
        ("deletion_grace_days", 91),
        ("invitation_days", "soon"),
        ("support_email", "nobody"),
        ("support_email", "a@example.com\nBcc: b@example.com"),
        ("require_two_factor", "perhaps"),
        ("id", 2),
        ("debug", True),
    ],
)
def test_what_is_not_acceptable_is_refused_by_name(cast: Cast, client_of: ClientOf, field: str, value: object) -> None:
    answer = client_of(cast.root).patch(URL, {field: value}, format="json")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(("name", "status"), [("alice", 403), ("bob", 403), ("dev", 403), (None, 401)])
def test_nobody_else_sees_or_changes_them(cast: Cast, client_of: ClientOf, name: str | None, status: int) -> None:
    client = client_of(cast.everyone()[name]) if name else client_of()
    assert client.get(URL).status_code == status
    assert client.patch(URL, {"invitation_days": 3}, format="json").status_code == status


def test_there_is_one_row(db: None) -> None:
    SystemSettings(invitation_days=3).save()
    SystemSettings(invitation_days=4).save()
    assert SystemSettings.objects.get().invitation_days == 4
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_systemsettings (id, require_two_factor, support_email, invitation_days, "
            "deletion_grace_days) VALUES (2, false, '', 7, 7)"
        )


def test_a_change_is_audited_with_before_and_after(cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.root).patch(URL, {"require_two_factor": True, "invitation_days": 7}, format="json")
    event = AuditEvent.objects.get(action="settings.changed")
    assert (event.before, event.after) == ({"require_two_factor": False}, {"require_two_factor": True})

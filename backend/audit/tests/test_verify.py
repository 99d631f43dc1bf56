"""`verify_audit` names what an administrator of the database did to the log."""

# ruff: noqa: S608 - a forger's statements, about ids of this very test

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

import audit
from audit.anchors import Anchors, Head
from audit.models import AuditEvent, Seal
from audit.seal import heads, seal
from audit.verify import Finding, verify

ROWS = 2_000
FILL = """
INSERT INTO audit_auditevent
    (at, action, outcome, actor, organization_id, target, target_id, request_id, details, persons)
SELECT now() - make_interval(secs => n), 'test.happened', 'done', 'edge_3', nullif(n %% 3, 0), 'row ' || n, n,
    'r-' || n, '{"n": 1}', '{}'
FROM generate_series(1, %s) n
"""

Forge = Callable[[str], None]


@pytest.fixture
def log(guarded: None) -> list[int]:
    """2,000 sealed events in three chains; their ids in order."""
    with connection.cursor() as cursor:
        cursor.execute(FILL, [ROWS])
    while seal(batch=700):
        pass
    return list(AuditEvent.objects.order_by("id").values_list("id", flat=True))


@pytest.fixture
def forge(log: list[int]) -> Forge:
    """A statement as a database administrator can make it: with the triggers off."""

    def run(statement: str) -> None:
        with connection.cursor() as cursor:
            for table in ("audit_auditevent", "audit_seal", "audit_person"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(statement)
            for table in ("audit_auditevent", "audit_seal", "audit_person"):
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    return run


def place(event: int) -> tuple[int, int]:
    return Seal.objects.values_list("organization", "position").get(event=event)


def only(anchors: list[Head] | None = None) -> Finding:
    (finding,) = verify(anchors or []).findings
    return finding


def test_what_nobody_touched_is_clean(log: list[int]) -> None:
    verdict = verify(heads())
    assert (verdict.rows, verdict.chains, verdict.anchors, verdict.findings) == (ROWS, 3, 3, [])


@pytest.mark.parametrize(
    "change",
    [
        "target = 'forged'",
        "at = at + interval '1 microsecond'",
        "actor = 'edge_4'",
        "actor_id = 1",
        "organization_id = 1000",
        "details = '{}'",
        "before = '{}'",
        "outcome = 'denied'",
        "request_id = ''",
        "address = '192.0.2.7'",
        'persons = \'{"actor": "x"}\'',
        "site_id = 1",
        "target_id = 0",
        "actor_key = gen_random_uuid()",
    ],
)
def test_an_altered_event_is_named_and_nothing_else(log: list[int], forge: Forge, change: str) -> None:
    event = log[1_000]
    forge(f"UPDATE audit_auditevent SET {change} WHERE id = {event}")
    finding = only()
    assert (finding.what, finding.event) == ("altered", event)
    assert (finding.organization, finding.position) == place(event)


def test_a_deleted_event_is_named(log: list[int], forge: Forge) -> None:
    event = log[1_000]
    where = place(event)
    forge(f"DELETE FROM audit_auditevent WHERE id = {event}")
    finding = only()
    assert (finding.what, finding.event, (finding.organization, finding.position)) == ("missing", event, where)


def test_an_event_deleted_before_it_was_sealed_is_named(log: list[int], forge: Forge) -> None:
    audit.record("test.happened")
    event = AuditEvent.objects.values_list("id", flat=True)[0]
    forge(f"DELETE FROM audit_auditevent WHERE id = {event}")
    seal()
    finding = only()
    assert (finding.what, finding.event) == ("missing", event)


def test_events_deleted_with_their_seals_are_named_by_their_numbers(log: list[int], forge: Forge) -> None:
    organization, position = place(log[1_000])
    gone = (
        f"SELECT event FROM audit_seal WHERE organization = {organization} AND position IN ({position}, {position + 1})"
    )
    forge(f"DELETE FROM audit_auditevent WHERE id IN ({gone}); DELETE FROM audit_seal WHERE event IN ({gone})")
    findings = verify([]).findings
    assert [(f.what, f.position) for f in findings] == [("missing", position)]
    assert f"numbers {position} to {position + 1}" in findings[0].sentence


def test_an_event_put_in_past_the_log_is_named(log: list[int], forge: Forge) -> None:
    forge(
        "INSERT INTO audit_auditevent SELECT (jsonb_populate_record(e, jsonb_build_object('id', 900000000))).* "
        f"FROM audit_auditevent e WHERE id = {log[5]}"
    )
    finding = only()
    assert (finding.what, finding.event) == ("inserted", 900000000)


def test_two_events_that_changed_places_are_named(log: list[int], forge: Forge) -> None:
    one, two = log[300], log[600]
    (_, first), (_, second) = place(one), place(two)
    forge(
        f"UPDATE audit_seal SET event = -1 WHERE event = {one};"
        f"UPDATE audit_seal SET event = {one} WHERE event = {two};"
        f"UPDATE audit_seal SET event = {two} WHERE event = -1"
    )
    findings = verify([]).findings
    assert [(f.what, f.event, f.position) for f in findings] == [("reordered", two, first), ("reordered", one, second)]


def test_a_cut_off_end_is_found_by_the_anchors(log: list[int], forge: Forge) -> None:
    anchors = heads()
    organization, position = place(log[-1])
    gone = f"SELECT event FROM audit_seal WHERE organization = {organization} AND position > {position - 10}"
    forge(f"DELETE FROM audit_auditevent WHERE id IN ({gone}); DELETE FROM audit_seal WHERE event IN ({gone})")
    assert verify([]).findings == []
    finding = only(anchors)
    assert (finding.what, finding.organization, finding.position) == ("missing", organization, position - 9)


def test_a_whole_chain_that_is_gone_is_found_by_the_anchors(log: list[int], forge: Forge) -> None:
    anchors = heads()
    forge("DELETE FROM audit_auditevent WHERE organization_id = 2; DELETE FROM audit_seal WHERE organization = 2")
    finding = only(anchors)
    assert (finding.what, finding.organization, finding.position) == ("missing", 2, 1)


def test_a_chain_that_was_recomputed_is_found_by_the_anchors(log: list[int], forge: Forge) -> None:
    """The event is altered, and every hash after it as well: by itself the chain is whole."""
    early = [head for head in heads() if head.organization == 1]
    forge(
        f"UPDATE audit_auditevent SET target = 'forged' WHERE id = {log[600]};"
        "DELETE FROM audit_seal; INSERT INTO audit_unsealed SELECT id FROM audit_auditevent"
    )
    while seal():
        pass
    assert verify([]).findings == []
    finding = only(early)
    assert (finding.what, finding.organization) == ("rewritten", 1)


def test_other_words_for_a_person_are_found(log: list[int], forge: Forge) -> None:
    audit.record("login.succeeded", actor_id=7, actor="mallory@example.com")
    forge("UPDATE audit_person SET text = 'alice@example.com'")
    finding = only()
    assert finding.what == "renamed"
    assert "alice@example.com" in finding.sentence


def test_a_guard_that_is_off_or_gone_is_told(log: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_append_only")
        cursor.execute("ALTER TABLE sites_site DISABLE TRIGGER audit_row")
        cursor.execute("DROP TRIGGER audit_append_only ON audit_seal")
    assert sorted(f.sentence for f in verify([]).findings) == [
        "the trigger audit_append_only on audit_auditevent is switched off",
        "the trigger audit_append_only on audit_seal is gone",
        "the trigger audit_row on sites_site is switched off",
    ]


def test_an_event_that_waits_too_long_for_its_seal_is_told(log: list[int], forge: Forge) -> None:
    forge(
        f"DELETE FROM audit_seal WHERE event = {log[0]}; INSERT INTO audit_unsealed VALUES ({log[0]});"
        f"UPDATE audit_auditevent SET at = now() - interval '1 day' WHERE id = {log[0]}"
    )
    assert "not sealed" in [finding.what for finding in verify([]).findings]


def test_one_organization_alone_can_be_verified(log: list[int], forge: Forge) -> None:
    forge(f"UPDATE audit_auditevent SET target = 'forged' WHERE id = {log[0]}")  # of organization 1
    assert [finding.event for finding in verify([], only=1).findings] == [log[0]]
    verdict = verify(heads(), only=2)
    assert (verdict.findings, verdict.chains, verdict.anchors) == ([], 1, 1)


def test_the_command_names_it_and_ends_with_1(log: list[int], forge: Forge, settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_ANCHORS = tmp_path
    Anchors(tmp_path).write(heads(), now=1_000_000.0)
    clean = StringIO()
    call_command("verify_audit", stdout=clean)
    assert clean.getvalue().startswith("2,000 events in 3 chains against 3 anchors: 0 findings")
    forge(f"UPDATE audit_auditevent SET target = 'forged' WHERE id = {log[0]}")
    told = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("verify_audit", stdout=told)
    assert end.value.code == 1
    assert f"altered: event {log[0]}, number 1 of organization 1, is not what was recorded" in told.getvalue()


def test_the_command_says_when_the_anchors_are_spoilt(log: list[int], settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_ANCHORS = tmp_path
    (tmp_path / "anchors-2026-01.ndjson").write_text("nonsense\n")
    with pytest.raises(CommandError, match="line 1"):
        call_command("verify_audit")

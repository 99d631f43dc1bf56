"""The sealer: every committed event gets its place in the chain of its organization; nobody waits for anybody."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest
from django.db import connection

import audit
from audit.anchors import Anchors, BadAnchors, Head
from audit.chain import genesis, link
from audit.models import AuditEvent, Seal, Unsealed
from audit.seal import Sealer, heads, seal
from testing.cast import Cast

Other = psycopg.Connection[tuple[object, ...]]
WRITE = """SELECT audit_write('{"action": "test.happened", "organization_id": 7}')"""


def another() -> Other:
    return psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor})


def places() -> list[tuple[int, int, int]]:
    return list(Seal.objects.order_by("organization", "position").values_list("organization", "position", "event"))


def test_each_organization_has_a_chain_and_so_have_events_without_one(db: None) -> None:
    for organization in (7, None, 8, 7):
        audit.record("test.happened", organization_id=organization)
    ids = list(AuditEvent.objects.order_by("id").values_list("id", flat=True))
    seal()
    assert places() == [(0, 1, ids[1]), (7, 1, ids[0]), (7, 2, ids[3]), (8, 1, ids[2])]
    assert not Unsealed.objects.exists()


def test_a_chain_goes_on_where_it_ended(db: None) -> None:
    audit.record("test.happened", organization_id=7)
    (first,) = seal()
    audit.record("test.happened", organization_id=7)
    (second,) = seal()
    assert (first.position, second.position) == (1, 2)
    assert first.hash != second.hash
    assert heads() == [second]
    assert seal() == []


def test_a_backlog_is_sealed_in_batches(db: None) -> None:
    for _ in range(7):
        audit.record("test.happened", organization_id=7)
    assert [seal(batch=3)[0].position for _ in range(3)] == [3, 6, 7]


def test_links_of_two_organizations_are_never_the_same() -> None:
    assert genesis(1) != genesis(2)
    assert link(genesis(1), b"same") != link(genesis(2), b"same")


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_is_sealed_late_and_holds_nobody_up() -> None:
    with another() as slow:
        slow.execute(WRITE)  # has the lower id, and commits last
        with another() as quick:
            quick.execute("SET lock_timeout = '2s'")
            quick.execute(WRITE)
        assert [head.position for head in seal()] == [1]
        with another() as other:  # another writer, after the sealer
            other.execute("SET lock_timeout = '2s'")
            other.execute(WRITE)
    assert [head.position for head in seal()] == [3]
    ids = list(AuditEvent.objects.order_by("id").values_list("id", flat=True))
    assert [event for _, _, event in places()] == [ids[1], ids[0], ids[2]]


@pytest.mark.django_db(transaction=True)
def test_a_writer_does_not_wait_for_a_sealer_at_work() -> None:
    with another() as other:
        other.execute(WRITE)
    with another() as sealing:
        sealing.execute("SELECT pg_advisory_xact_lock(%s)", (0x5345414C,))
        sealing.execute("DELETE FROM audit_unsealed")
        with another() as writer:
            writer.execute("SET statement_timeout = '2s'")
            writer.execute(WRITE)
        sealing.rollback()
    assert seal()[0].position == 2


@pytest.mark.django_db(transaction=True)
def test_two_persons_named_at_once_hold_nobody_up() -> None:
    write = """SELECT audit_write('{"action": "test.happened", "target": "ada@example.com"}')"""
    with another() as one, another() as two:
        one.execute(write)
        two.execute("SET statement_timeout = '2s'")
        two.execute(write)
    assert [event.target_name for event in AuditEvent.objects.all()] == ["ada@example.com"] * 2


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_make_one_chain() -> None:
    with another() as other:
        for _ in range(200):
            other.execute(WRITE)

    def work() -> None:
        try:
            while seal(batch=10):
                pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [position for _, position, _ in places()] == list(range(1, 201))


def test_ends_of_chains_are_written_down_at_most_every_so_often(db: None, tmp_path: Path) -> None:
    anchors = Anchors(tmp_path / "anchors", every=60)
    audit.record("test.happened", organization_id=7)
    (first,) = seal()
    anchors.write([first], now=1_000_000.0)
    later = Head(7, 2, b"x" * 32)
    anchors.write([later], now=1_000_030.0)
    assert list(anchors.read()) == [first]
    anchors.write([later], now=1_000_061.0)
    anchors.write([later], now=1_000_200.0)
    assert list(anchors.read()) == [first, later]
    (file,) = (tmp_path / "anchors").iterdir()
    assert file.name == "anchors-1970-01.ndjson"


def test_the_job_seals_and_anchors_and_goes_on_after_a_restart(db: None, tmp_path: Path) -> None:
    audit.record("test.happened", organization_id=7)
    Sealer(Anchors(tmp_path)).run()
    audit.record("test.happened", organization_id=7)
    seal()  # by a worker that was killed before it could write down the end
    Sealer(Anchors(tmp_path, every=0)).run()
    assert [(head.organization, head.position) for head in Anchors(tmp_path).read()] == [(7, 1), (7, 2)]


def test_an_anchor_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "anchors-2026-01.ndjson").write_text('{"organization": 7}\n')
    with pytest.raises(BadAnchors, match=r"anchors-2026-01\.ndjson, line 1"):
        list(Anchors(tmp_path).read())


def test_an_anchor_that_is_still_being_written_is_not_read_yet(tmp_path: Path) -> None:
    (tmp_path / "anchors-2026-01.ndjson").write_text('{"organi')
    assert list(Anchors(tmp_path).read()) == []


def test_the_worker_seals(cast: Cast) -> None:
    from worker.jobs import JOBS

    (job,) = (job for job in JOBS if job.name == "audit log to seal")
    job.run()
    assert Seal.objects.count() == AuditEvent.objects.count()

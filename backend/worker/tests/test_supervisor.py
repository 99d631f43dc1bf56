"""Jobs take turns: at once when called, one worker each, again when they fail, and none disturbs another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, connections

from telemetry.tests.player import eventually
from worker.job import Job
from worker.supervisor import Supervisor

pytestmark = pytest.mark.django_db(transaction=True)
NEVER = 3600.0


@contextmanager
def working(*jobs: Job) -> Iterator[Supervisor]:
    supervisor = Supervisor(jobs)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        yield supervisor
    finally:
        supervisor.stopping.set()
        thread.join(10)
        assert not thread.is_alive()


class Turns:
    """A job's function that counts, and does what the test says first."""

    def __init__(self, act: Callable[[int], None] = lambda number: None) -> None:
        self.count = 0
        self._act = act

    def __call__(self) -> None:
        self.count += 1
        self._act(self.count)


def notify(channel: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [channel])


def state(supervisor: Supervisor, job: str) -> str:
    return str(supervisor.status.report()["jobs"][job]["state"])


def test_a_notification_calls_for_a_turn_at_once() -> None:
    turns = Turns()
    with working(Job("called", turns, NEVER, "a_channel")) as supervisor:
        eventually(lambda: state(supervisor, "called") == "waiting", "it waits after its first turn")
        notify("another_channel")
        notify("a_channel")
        eventually(lambda: turns.count == 2, "the second turn", 2)


def test_a_notification_that_comes_during_a_turn_calls_for_another() -> None:
    with_it = threading.Event()

    def during_the_first(number: int) -> None:
        if number == 1:
            notify("a_channel")
            with connection.cursor() as cursor:  # the notification arrives with this answer
                cursor.execute("SELECT 1")
            with_it.set()

    turns = Turns(during_the_first)
    with working(Job("called", turns, NEVER, "a_channel")):
        eventually(with_it.is_set, "the first turn")
        eventually(lambda: turns.count == 2, "the second turn", 2)


def test_without_a_call_a_turn_comes_when_it_is_due() -> None:
    turns = Turns()
    with working(Job("clock", turns, 0.05)):
        eventually(lambda: turns.count >= 3, "three turns")


def test_of_two_workers_one_does_the_job_and_the_other_takes_over() -> None:
    first, second = Turns(), Turns()
    with working(Job("shared", second, 0.05)) as follower:
        eventually(lambda: second.count > 0, "it is done by the only worker")
        with working(Job("shared", first, 0.05)) as leader:
            eventually(lambda: state(leader, "shared") == "standby", "the newer one stands by")
            assert leader.status.report()["status"] == "ready"
            assert first.count == 0
            follower.stopping.set()
            eventually(lambda: first.count > 0, "the newer one takes over")


def test_a_job_that_fails_is_told_and_tried_again_and_the_others_go_on() -> None:
    broken = threading.Event()
    broken.set()

    def fail(number: int) -> None:
        if broken.is_set():
            raise LookupError("no such thing\nand more")

    others = Turns()
    with working(Job("weak", Turns(fail), 0.05), Job("strong", others, 0.05)) as supervisor:
        eventually(lambda: "3 times" in supervisor.status.report().get("missing", {}).get("weak", ""), "it fails")
        report = supervisor.status.report()
        assert report["status"] == "not ready"
        assert report["missing"].keys() == {"weak"}
        assert report["missing"]["weak"].startswith("failing since 2")
        assert report["missing"]["weak"].endswith(": LookupError: no such thing")
        before = others.count
        eventually(lambda: others.count > before, "the other job goes on")
        broken.clear()
        eventually(lambda: supervisor.status.report()["status"] == "ready", "it recovers")


def test_a_job_whose_connection_dies_begins_again() -> None:
    turns = Turns()
    with working(Job("cut off", turns, NEVER, "a_channel")) as supervisor:
        eventually(lambda: state(supervisor, "cut off") == "waiting", "it waits")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        eventually(lambda: turns.count == 2, "it begins again")


def test_a_job_that_replaces_its_connection_has_lost_its_lock_and_begins_again() -> None:
    def replace(number: int) -> None:
        if number == 1:
            connections["default"].close()

    turns = Turns(replace)
    with working(Job("careless", turns, 0.05)):
        eventually(lambda: turns.count >= 3, "it goes on with a lock")


def test_names_of_jobs_are_unique() -> None:
    with pytest.raises(ValueError, match="same name"):
        Supervisor([Job("one", Turns(), 1), Job("one", Turns(), 1)])

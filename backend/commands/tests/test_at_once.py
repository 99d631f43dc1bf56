"""Several at the same moment: callers with one id, two writers, the worker beside the one who gives the command."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
import redis
from django.db import connections
from rest_framework.test import APIClient

from commands.actions.commands import send_left
from commands.models import Command
from commands.tests.conftest import URL, battery_on, body, in_stream
from testing.cast import ClientOf, make_cast

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], int]) -> list[int]:
    ready = Barrier(len(calls))

    def run(call: Callable[[], int]) -> int:
        try:
            ready.wait(10)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def give(client: APIClient, said: dict[str, Any]) -> int:
    return client.post(URL, said, format="json").status_code


def work() -> int:
    """The worker's job, again and again."""
    for _ in range(20):
        send_left()
    return 0


def test_each_command_is_recorded_and_sent_once_whoever_comes_at_the_same_moment(
    client_of: ClientOf, clean_redis: redis.Redis
) -> None:
    cast = make_cast()
    battery = battery_on(cast.own)
    same = body(battery.point, id=str(uuid.uuid4()))
    callers = [partial(give, client_of(cast.max), same) for _ in range(4)]
    callers += [partial(give, client_of(cast.alice), body(battery.point, value=value)) for value in (1.0, 2.0)]
    statuses = at_once(*callers, work)
    assert Counter(statuses) == {201: 3, 200: 3, 0: 1}
    sent = [message.id for message in in_stream(battery.edge, clean_redis)]
    assert len(sent) == len(set(sent))
    outcomes = {str(command.uid): command.state for command in Command.objects.all()}
    assert len(outcomes) == 3
    assert {uid for uid, state in outcomes.items() if state == "sent"} == set(sent)
    assert set(outcomes.values()) <= {"sent", "rejected"}, "one that had not left yet gives way to a newer one"

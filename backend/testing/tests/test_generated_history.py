"""The generated history of a sandbox takes the ordinary way, and the worker that sends it may be killed anywhere."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.conf import settings

from ems_contract import keys
from ems_contract.telemetry import Batch, decode_batch
from telemetry import store
from telemetry.tests import conftest as of_history
from telemetry.tests.player import eventually
from telemetry.tests.running import running
from testing import generated_history
from testing.cast import Cast, edge_kit
from testing.models import GeneratedHistory

MINUTES_A_DAY = 24 * 60

history_database = of_history.history_database


@pytest.fixture
def history(cast: Cast) -> GeneratedHistory:
    """Two days of the factory."""
    generated_history.schedule(edge_kit(cast.own).edge.pk, "factory", days=2)
    return GeneratedHistory.objects.get()


def stream(history: GeneratedHistory) -> str:
    return keys.telemetry_stream(history.edge.site_id, history.edge_id, "backfill")


def sent(clean_redis: redis.Redis, history: GeneratedHistory) -> list[Batch]:
    entries: Any = clean_redis.xrange(stream(history))
    return [decode_batch(fields[keys.STREAM_FIELD.encode()]) for _, fields in entries]


def test_it_reaches_history_whole_and_once(
    history: GeneratedHistory, clean_redis: redis.Redis, history_database: dict[str, Any]
) -> None:
    edges = [(history.edge.site_id, history.edge_id)]
    query = (
        "SELECT sum(samples), count(DISTINCT seq), min(ts_min), max(ts_max) FROM batch WHERE edge = %s",
        [history.edge_id],
    )

    def all_sent() -> bool:
        generated_history.send()
        history.refresh_from_db()
        return history.sent == history.batches == 48 and clean_redis.xlen(stream(history)) == 0

    with running(history_database, settings.REDIS_URL, edges):
        eventually(all_sent, "everything is sent and taken in")
    with store.connect(history_database) as connection, connection.cursor() as cursor:
        samples, batches, first, last = cursor.execute(*query).fetchall()[0]
    assert (batches, first, last) == (48, history.start, history.end - 60_000)
    assert samples == 2 * MINUTES_A_DAY * len(generated_history.points("factory"))


def test_what_is_in_flight_is_bounded(history: GeneratedHistory, clean_redis: redis.Redis) -> None:
    for _ in range(3):
        generated_history.send()
    entries: Any = clean_redis.xrange(stream(history))
    size = sum(len(fields[keys.STREAM_FIELD.encode()]) for _, fields in entries)
    assert 0 < size <= generated_history.IN_FLIGHT_BYTES + 2 * generated_history.BATCH_BYTES
    history.refresh_from_db()
    assert 0 < history.sent < history.batches


def test_each_turn_goes_on_where_the_last_one_ended(history: GeneratedHistory, clean_redis: redis.Redis) -> None:
    generated_history.send()
    first = sent(clean_redis, history)
    clean_redis.delete(stream(history))
    generated_history.send()
    both = first + sent(clean_redis, history)
    assert [batch.seq for batch in both] == list(range(1, len(both) + 1))
    times = [reading.ts for batch in both for reading in batch.readings]
    assert times == list(range(history.start, history.start + 60_000 * len(times), 60_000))


def test_a_batch_that_is_sent_again_is_the_same(history: GeneratedHistory, clean_redis: redis.Redis) -> None:
    generated_history.send()
    once = sent(clean_redis, history)
    clean_redis.delete(stream(history))
    GeneratedHistory.objects.update(sent=3)
    generated_history.send()
    again = {batch.seq: batch for batch in sent(clean_redis, history)}
    for batch in once[3:]:
        assert again[batch.seq] == batch


def test_a_deleted_edge_gets_nothing_more(history: GeneratedHistory, clean_redis: redis.Redis) -> None:
    name = stream(history)
    history.edge.delete()
    generated_history.send()
    assert not clean_redis.exists(name)


def test_its_points_are_those_of_the_samples(history: GeneratedHistory) -> None:
    batch = next(generated_history.batches(history))
    assert batch.readings[0].values.keys() == {point.key for point in generated_history.points("factory")}

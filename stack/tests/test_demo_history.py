"""The demo's past as batches: the same ones at every call, named so that a second load is a duplicate."""

from __future__ import annotations

from dataclasses import replace

from ems_contract.telemetry import decode_batch, encode_batch
from ems_stack.history_load import READINGS_PER_BATCH, STEP_MS, Job, batches

HOUR = 3_600_000
START = 1_760_000_400_000 // STEP_MS * STEP_MS
JOB = Job("factory", site=7, edge=3, start=START, end=START + 3 * HOUR, seed=1, in_flight_bytes=1, redis_url="")


def test_the_same_range_gives_the_same_bytes() -> None:
    assert [encode_batch(one) for one in batches(JOB)] == [encode_batch(one) for one in batches(JOB)]


def test_batches_are_numbered_from_one_and_hold_every_minute_once() -> None:
    made = list(batches(JOB))
    assert [one.seq for one in made] == [1, 2, 3]
    assert JOB.batches == 3
    stamps = [reading.ts for one in made for reading in one.readings]
    assert stamps == list(range(JOB.start, JOB.end, STEP_MS))


def test_a_range_that_is_no_whole_number_of_batches_ends_with_a_short_one() -> None:
    odd = replace(JOB, end=START + HOUR + 7 * STEP_MS)
    made = list(batches(odd))
    assert len(made) == odd.batches == 2
    assert [len(one.readings) for one in made] == [READINGS_PER_BATCH, 7]


def test_another_edge_or_range_is_another_boot() -> None:
    others = [replace(JOB, edge=4), replace(JOB, site=8), replace(JOB, end=JOB.end + STEP_MS), replace(JOB, seed=2)]
    assert len({JOB.boot, *(one.boot for one in others)}) == 5


def test_every_batch_is_one_that_history_accepts() -> None:
    for one in batches(JOB):
        assert decode_batch(encode_batch(one), edge="edge_3") == one


def test_credentials_are_not_in_a_jobs_repr() -> None:
    assert "secret" not in repr(replace(JOB, redis_url="redis://stack:secret@localhost/0"))

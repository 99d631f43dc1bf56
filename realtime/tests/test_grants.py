"""From a token to a grant: validated once, cached under its hash, void after a change of access."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from ems_contract import keys
from ems_contract.tokens import AccessTokenParts, format_access_token
from ems_realtime.grant_cache import GrantCache
from ems_realtime.grants import Grants, claimed_user
from ems_realtime.metrics import Metrics
from ems_realtime.settings import Settings
from ems_realtime.validation import RefusedError, UnavailableError, Validator
from hypothesis import given
from hypothesis import strategies as st
from realtime_support.backend import Backend
from realtime_support.batches import grant, now_ms, token
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess
from redis.asyncio import Redis

ALICE = token(1)


class Desk:
    def __init__(self, redis: RedisProcess, backend: Backend) -> None:
        self._client = Redis.from_url(redis.url, protocol=2, socket_timeout=1)
        self.metrics = Metrics()
        self._validators: list[Validator] = []
        self._backend = backend
        self.grants = self.another_process()

    def another_process(self) -> Grants:
        validator = Validator(self._backend.url, rate=50, timeout=2, metrics=self.metrics)
        self._validators.append(validator)
        return Grants(GrantCache(self._client), validator, ttl=300.0, metrics=self.metrics)

    async def aclose(self) -> None:
        for validator in self._validators:
            await validator.aclose()
        await self._client.aclose()


@pytest.fixture
async def desk(redis: RedisProcess, backend: Backend) -> AsyncIterator[Desk]:
    backend.answers[ALICE] = grant(1, [7])
    made = Desk(redis, backend)
    yield made
    await made.aclose()


def change_access(redis: RedisProcess, user: int) -> None:
    redis.admin.incr(keys.user_epoch(user))


async def test_many_ask_and_the_backend_is_asked_once(desk: Desk, backend: Backend) -> None:
    backend.gate.clear()
    asking = [asyncio.create_task(desk.grants.fetch(ALICE, 1)) for _ in range(500)]
    await until(lambda: backend.count, "the backend is asked")
    backend.gate.set()
    held = await asyncio.gather(*asking)
    assert {tuple(found.granted) for found in held} == {(7,)}
    assert backend.count == 1


async def test_another_process_takes_it_from_the_cache_under_the_hash(
    desk: Desk, backend: Backend, redis: RedisProcess
) -> None:
    first = await desk.grants.fetch(ALICE, 1)
    second = await desk.another_process().fetch(ALICE, 1)
    assert second == first
    assert backend.count == 1
    [cached] = redis.admin.keys("grant:*")
    assert len(cached) == len("grant:") + 64
    assert 290 < redis.admin.ttl(cached) <= 300
    assert ALICE.encode() not in redis.admin.get(cached)


async def test_a_cached_grant_never_outlives_its_token(desk: Desk, backend: Backend, redis: RedisProcess) -> None:
    backend.answers[ALICE] = grant(1, [7], expires_in=20)
    await desk.grants.fetch(ALICE, 1)
    [cached] = redis.admin.keys("grant:*")
    assert redis.admin.ttl(cached) <= 20


async def test_a_change_of_access_makes_the_cached_grant_void(
    desk: Desk, backend: Backend, redis: RedisProcess
) -> None:
    assert (await desk.grants.fetch(ALICE, 1)).epoch == 0
    backend.answers[ALICE] = grant(1, [8])
    change_access(redis, 1)
    held = await desk.grants.fetch(ALICE, 1)
    assert (held.epoch, set(held.granted)) == (1, {8})
    assert backend.count == 2


async def test_a_grant_validated_before_a_change_and_written_after_it_is_void(
    desk: Desk, backend: Backend, redis: RedisProcess
) -> None:
    backend.gate.clear()
    slow = asyncio.create_task(desk.grants.fetch(ALICE, 1))
    await until(lambda: backend.count, "the backend is asked")
    change_access(redis, 1)
    backend.gate.set()
    await slow
    assert redis.admin.keys("grant:*"), "the late write happened"
    await desk.another_process().fetch(ALICE, 1)
    assert backend.count == 2, "and nobody believed it"


async def test_a_question_put_before_a_change_answers_nobody_who_asks_after_it(desk: Desk, backend: Backend) -> None:
    backend.gate.clear()
    before = asyncio.create_task(desk.grants.fetch(ALICE, 1))
    await until(lambda: backend.count, "the backend is asked")
    after = asyncio.create_task(
        desk.grants.fetch(ALICE, 1, not_before=now_ms(), began_after=asyncio.get_running_loop().time())
    )
    await until(lambda: backend.count == 2, "the backend is asked again")
    backend.gate.set()
    await asyncio.gather(before, after)


@pytest.mark.parametrize("whose", [1, None])
async def test_an_answer_on_its_way_before_a_change_is_shared_with_nobody_who_comes_after_it(
    desk: Desk, backend: Backend, whose: int | None
) -> None:
    """They were not there to hear of the change, so the time that they ask for says nothing about it."""
    backend.gate.clear()
    before = asyncio.create_task(desk.grants.fetch(ALICE, 1))
    await until(lambda: backend.count == 1, "the backend is asked")
    desk.grants.distrust(2)
    companion = asyncio.create_task(desk.grants.fetch(ALICE, 1))
    desk.grants.distrust(whose)
    after = [asyncio.create_task(desk.grants.fetch(ALICE, 1)) for _ in range(10)]
    await until(lambda: backend.count == 2, "the backend is asked again, once for all")
    backend.gate.set()
    await asyncio.gather(before, companion, *after)
    assert backend.count == 2


async def test_a_token_that_claims_another_user_is_refused(desk: Desk, backend: Backend, redis: RedisProcess) -> None:
    forged = token(2)
    backend.answers[forged] = grant(1, [7])
    with pytest.raises(RefusedError):
        await desk.grants.fetch(forged, 2)
    assert not redis.admin.keys("grant:*")


@pytest.mark.parametrize(("status", "meant"), [(401, 401), (403, 403), (400, 401), (431, 401)])
async def test_a_refusal_is_final(desk: Desk, backend: Backend, status: int, meant: int) -> None:
    backend.answers[ALICE] = status
    with pytest.raises(RefusedError) as caught:
        await desk.grants.fetch(ALICE, 1)
    assert caught.value.status == meant


@pytest.mark.parametrize("answer", [500, 502, 503, 404, 429, {"user": "nobody"}, {}])
async def test_no_clear_answer_is_no_refusal(desk: Desk, backend: Backend, answer: Any) -> None:
    backend.answers[ALICE] = answer
    with pytest.raises(UnavailableError):
        await desk.grants.fetch(ALICE, 1)


async def test_a_backend_that_is_down_is_not_asked_by_everyone(desk: Desk, backend: Backend) -> None:
    backend.failing = 503
    tokens = [token(1, serial) for serial in range(100)]
    answers = await asyncio.gather(*(desk.grants.fetch(each, 1) for each in tokens), return_exceptions=True)
    assert {type(answer) for answer in answers} == {UnavailableError}
    assert backend.count < 10


async def test_without_redis_tokens_are_validated_without_an_epoch(
    mortal_redis: RedisProcess, backend: Backend
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    desk = Desk(mortal_redis, backend)
    mortal_redis.kill()
    held = await desk.grants.fetch(ALICE, 1)
    assert (held.epoch, set(held.granted)) == (None, {7})
    await desk.aclose()
    mortal_redis.start()


async def test_validations_are_paced(redis: RedisProcess, backend: Backend) -> None:
    validator = Validator(backend.url, rate=Settings.validations_per_second, timeout=2, metrics=Metrics())
    tokens = [token(1, serial) for serial in range(80)]
    backend.answers |= {each: grant(1, [7]) for each in tokens}
    async with contextlib.aclosing(validator):
        await asyncio.gather(*(validator.validate(each) for each in tokens))
    assert backend.busiest_second() <= 50


def test_the_claimed_user_is_read_from_the_payload() -> None:
    assert claimed_user(token(12)) == 12
    header, _, signature = token(12).split(".")
    for payload, user in [({"user_id": 5}, 5), ({"sub": "6"}, 6), ({"user_id": "7", "sub": "8"}, 7)]:
        part = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
        assert claimed_user(f"{header}.{part}.{signature}") == user


def test_the_claimed_user_is_read_from_an_access_token() -> None:
    text = format_access_token(AccessTokenParts(12, "0123456789ab", "s" * 43))
    assert claimed_user(text) == 12
    for broken in (text[:-1], text + "x", text.replace("emt_12_", "emt_0_"), text.replace("emt", "ems"), text + "\n"):
        assert claimed_user(broken) is None


async def test_an_action_of_a_newer_backend_spoils_no_grant_and_passes_through_the_cache(
    desk: Desk, backend: Backend
) -> None:
    backend.answers[ALICE] = grant(1, [7], actions=("view", "invented_later"))
    first = await desk.grants.fetch(ALICE, 1)
    assert list(first.granted[7].actions) == ["view", "invented_later"]
    assert await desk.another_process().fetch(ALICE, 1) == first
    assert backend.count == 1


@pytest.mark.parametrize(
    "payload", [{}, {"user_id": None}, {"user_id": True}, {"user_id": "-1"}, {"user_id": [1]}, [], 5, "x"]
)
def test_a_payload_without_a_user_is_no_token(payload: Any) -> None:
    part = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    assert claimed_user(f"h.{part}.s") is None


@given(st.text() | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*"))
def test_no_text_makes_the_reader_of_claims_fail(text: str) -> None:
    user = claimed_user(text)
    assert user is None or user > 0

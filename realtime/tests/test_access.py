"""An open session: renewal, a fresh token in band, revocation, and a backend that is down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import msgspec
import pytest
from ems_contract import keys
from ems_contract.access import AccessEvent
from ems_contract.tokens import AccessTokenParts, format_access_token
from realtime_support.backend import Backend
from realtime_support.batches import batch, grant, token
from realtime_support.deadline import until
from realtime_support.redis_process import RedisProcess
from realtime_support.running import Running
from realtime_support.viewer import Viewer

ALICE = token(1)
ALERT = {"v": 1, "id": "a", "state": "raised", "severity": "info", "ts": 1, "rule": "r", "message": "m"}
COMMAND = {"v": 1, "type": "command", "id": "c", "point": "battery.power", "state": "verified", "ts": 1}


@pytest.fixture
def service(redis: RedisProcess, backend: Backend, start: Callable[..., Running]) -> Running:
    backend.answers[ALICE] = grant(1, [7, 8])
    return start(redis, recheck_limit=1.0)


def publish(redis: RedisProcess, site: int, seq: int) -> None:
    redis.admin.hset(keys.telemetry_latest(site), "edge_1", batch(seq))
    redis.admin.publish(keys.telemetry_channel(site), batch(seq))


def change_access(redis: RedisProcess, user: int = 1) -> None:
    """As the backend does, after its commit."""
    epoch = redis.admin.incr(keys.user_epoch(user))
    event = AccessEvent(1, user, epoch, "role changed")
    redis.admin.publish(keys.permission_changed_channel(user), msgspec.json.encode(event))


# A change of access ------------------------------------------------------------------------------------------------


async def test_no_frame_of_a_site_follows_its_revocation(
    service: Running, redis: RedisProcess, backend: Backend
) -> None:
    async with await Viewer.login(service.url, ALICE, 7, 8) as viewer:
        publish(redis, 7, 1)
        await viewer.next("telemetry")
        backend.answers[ALICE] = grant(1, [8])
        backend.gate.clear()
        change_access(redis)
        await until(lambda: backend.count == 2, "the backend is asked again")
        before = len(viewer.frames)
        for seq in range(2, 30):  # while the answer is on its way, and after it
            publish(redis, 7, seq)
            redis.admin.publish(keys.alerts_channel(7), json.dumps(ALERT))
            redis.admin.publish(keys.commands_channel(7), json.dumps(COMMAND))
            if seq == 15:
                backend.gate.set()
                changed = await viewer.next("grant")
                assert [site["site"] for site in changed["sites"]] == ["site_8"]
        gap = await viewer.next("gap")
        assert (gap["site"], gap["reason"]) == ("site_8", "access_checked")
        await viewer.next("snapshot")
        publish(redis, 8, 1)
        await viewer.next("telemetry")
        assert all(frame.get("site") != "site_7" for frame in viewer.frames[before:])
        await viewer.subscribe(7)
        assert (await viewer.next("error"))["code"] == 404


async def test_a_revocation_takes_less_than_a_second(service: Running, redis: RedisProcess, backend: Backend) -> None:
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        backend.answers[ALICE] = grant(1, [8])
        change_access(redis)
        await viewer.next("grant", seconds=1.0)


async def test_nothing_left_closes_the_session(service: Running, redis: RedisProcess, backend: Backend) -> None:
    viewer = await Viewer.login(service.url, ALICE, 7)
    backend.answers[ALICE] = grant(1, [])
    change_access(redis)
    assert await viewer.closed() == 4410


@pytest.mark.parametrize("status", [401, 403])
async def test_a_revoked_user_is_closed(service: Running, redis: RedisProcess, backend: Backend, status: int) -> None:
    viewer = await Viewer.login(service.url, ALICE, 7)
    backend.answers[ALICE] = status
    change_access(redis)
    assert await viewer.closed() == 4410


async def test_other_users_are_left_alone(service: Running, redis: RedisProcess, backend: Backend) -> None:
    bob = token(2)
    backend.answers[bob] = grant(2, [7])
    async with await Viewer.login(service.url, bob, 7) as viewer, await Viewer.login(service.url, ALICE, 7) as alice:
        change_access(redis)
        await alice.next("grant")
        assert backend.count_by_token() == {ALICE: 2, bob: 1}
        assert "grant" not in viewer.types()


async def test_a_change_while_the_first_token_is_validated_is_not_missed(
    service: Running, redis: RedisProcess, backend: Backend
) -> None:
    """The session in the doorway: it hears of the change and asks again before it lets anyone in."""
    backend.gate.clear()
    viewer = await Viewer.connect(service.url)
    await viewer.send(type="auth", token=ALICE)
    await until(lambda: backend.count == 1, "the backend is asked")
    change_access(redis)
    await until(lambda: service.service._hub.sessions_of(1)[0].recheck.__self__._version == 1, "it is heard")
    backend.answers[ALICE] = grant(1, [8])
    backend.gate.set()
    welcome = await viewer.next("welcome")
    assert [site["site"] for site in welcome["sites"]] == ["site_8"]
    assert backend.count == 2
    await viewer.close()


async def test_a_socket_that_comes_just_after_a_change_waits_for_no_answer_from_before_it(
    service: Running, redis: RedisProcess, backend: Backend
) -> None:
    """It was not there to hear of the change, and the question that another socket put before it is still open."""
    backend.gate.clear()
    early = await Viewer.connect(service.url)
    await early.send(type="auth", token=ALICE)
    await until(lambda: backend.count == 1, "the backend is asked")
    change_access(redis)
    await until(lambda: service.service._hub.sessions_of(1)[0].recheck.__self__._version == 1, "it is heard")
    late = await Viewer.connect(service.url)
    await late.send(type="auth", token=ALICE)
    await until(lambda: backend.count == 2, "the backend is asked again, though the first answer is not there")
    backend.answers[ALICE] = 403
    backend.gate.set()
    assert await late.closed() == 4403
    assert await early.closed() == 4403


async def test_a_change_that_redis_was_too_full_to_count_voids_what_is_cached_all_the_same(
    service: Running, redis: RedisProcess, backend: Backend
) -> None:
    viewer = await Viewer.login(service.url, ALICE, 7)
    backend.answers[ALICE] = 403
    event = AccessEvent(1, 1, 0, "role changed")
    redis.admin.publish(keys.permission_changed_channel(1), msgspec.json.encode(event))
    assert await viewer.closed() == 4410
    again = await Viewer.connect(service.url)
    await again.send(type="auth", token=ALICE)
    assert await again.closed() == 4403


async def test_a_change_that_cannot_be_looked_up_closes_the_session(
    service: Running, redis: RedisProcess, backend: Backend
) -> None:
    """Fail closed: after a change the old grant proves nothing, and nothing is sent while it is in doubt."""
    viewer = await Viewer.login(service.url, ALICE, 7)
    backend.failing = 503
    change_access(redis)
    await until(lambda: backend.count == 2, "the backend is asked")
    before = len(viewer.frames)
    publish(redis, 7, 1)
    assert await viewer.closed() == 1013
    assert [frame["type"] for frame in viewer.frames[before:]] in ([], ["heartbeat"])


async def test_a_change_during_a_short_restart_of_the_backend_is_survived(
    service: Running, redis: RedisProcess, backend: Backend
) -> None:
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        backend.failing = 503
        change_access(redis)
        await until(lambda: backend.count == 2, "the backend is asked")
        backend.failing = None
        await viewer.next("grant")
        await viewer.next("snapshot")


async def test_many_changes_in_a_row_end_in_the_last_state(
    service: Running, redis: RedisProcess, backend: Backend
) -> None:
    async with await Viewer.login(service.url, ALICE, 7, 8) as viewer:
        for number in range(50):
            backend.answers[ALICE] = grant(1, [8] if number == 49 else [7, 8])
            change_access(redis)
        while [site["site"] for site in (await viewer.next("grant"))["sites"]] != ["site_8"]:
            pass
        await viewer.send(type="ping")
        await viewer.next("pong")
        publish(redis, 8, 1)
        await viewer.next("telemetry")


async def test_an_access_token_streams_and_its_revocation_closes_its_sockets_only(
    service: Running, redis: RedisProcess, backend: Backend
) -> None:
    integrator = format_access_token(AccessTokenParts(1, "0123456789ab", "s" * 43))
    backend.answers[integrator] = grant(1, [7], expires_in=86_400)
    async with await Viewer.login(service.url, ALICE, 7) as person:
        machine = await Viewer.login(service.url, integrator, 7)
        publish(redis, 7, 1)
        await machine.next("telemetry")
        backend.answers[integrator] = 401
        change_access(redis)
        assert await machine.closed() == 4410
        await person.next("grant")
        await person.next("snapshot")
        publish(redis, 7, 2)
        await person.next("telemetry")


async def test_an_action_of_a_newer_backend_is_handed_on(service: Running, backend: Backend) -> None:
    backend.answers[ALICE] = grant(1, [7], actions=("view", "invented_later"))
    async with await Viewer.connect(service.url) as viewer:
        await viewer.send(type="auth", token=ALICE)
        assert (await viewer.next("welcome"))["sites"][0]["actions"] == ["view", "invented_later"]


# A fresh token in band -----------------------------------------------------------------------------------------------


async def test_a_fresh_token_renews_the_session(service: Running, redis: RedisProcess, backend: Backend) -> None:
    fresh = token(1, 2)
    backend.answers[fresh] = grant(1, [7], expires_in=1_200)
    async with await Viewer.login(service.url, ALICE, 7, 8) as viewer:
        await viewer.send(type="auth", token=fresh)
        changed = await viewer.next("grant")
        assert changed["stale"] is False
        assert changed["expires"] == backend.answers[fresh]["expires"]  # type: ignore[index]
        publish(redis, 8, 1)
        publish(redis, 7, 1)
        assert (await viewer.next("telemetry"))["site"] == "site_7"


async def test_a_token_that_is_repeated_puts_no_question_to_the_backend(service: Running, backend: Backend) -> None:
    """Or a few sessions of one user could hold up every other session's renewal."""
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        for _ in range(5):
            await viewer.send(type="auth", token=ALICE)
            await viewer.next("grant")
        assert backend.count == 1


async def test_a_token_of_another_user_is_a_bad_message(service: Running, backend: Backend) -> None:
    backend.answers[token(2)] = grant(2, [9])
    viewer = await Viewer.login(service.url, ALICE, 7)
    await viewer.send(type="auth", token=token(2))
    assert await viewer.closed() == 4400


async def test_a_fresh_token_that_is_refused_ends_the_session(service: Running) -> None:
    viewer = await Viewer.login(service.url, ALICE, 7)
    await viewer.send(type="auth", token=token(1, 99))
    assert await viewer.closed() == 4401


# Time ----------------------------------------------------------------------------------------------------------------


async def test_the_token_in_hand_is_validated_again_and_again(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7, 8])
    service = start(redis, grant_ttl=1.0)
    async with await Viewer.login(service.url, ALICE, 7, 8) as viewer:
        assert (await viewer.next("grant"))["stale"] is False
        backend.answers[ALICE] = grant(1, [7])
        changed = await viewer.next("grant")
        assert [site["site"] for site in changed["sites"]] == ["site_7"]
        publish(redis, 8, 1)
        publish(redis, 7, 1)
        assert (await viewer.next("telemetry"))["site"] == "site_7"


@pytest.mark.parametrize(("status", "code"), [(401, 4401), (403, 4410)])
async def test_a_renewal_that_is_refused_closes(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running], status: int, code: int
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    viewer = await Viewer.login(start(redis, grant_ttl=1.0).url, ALICE, 7)
    backend.answers[ALICE] = status
    assert await viewer.closed() == code


async def test_an_expired_token_ends_the_session(service: Running, backend: Backend) -> None:
    backend.answers[ALICE] = grant(1, [7], expires_in=0.5)
    viewer = await Viewer.login(service.url, ALICE, 7)
    backend.answers[ALICE] = 401
    assert await viewer.closed() == 4401


# The backend is down -------------------------------------------------------------------------------------------------


async def test_an_open_session_outlives_the_backend_marked_stale(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis, grant_ttl=1.0, stale_retry=0.2)
    async with await Viewer.login(service.url, ALICE, 7) as viewer:
        backend.stop()
        assert (await viewer.next("grant"))["stale"] is True
        publish(redis, 7, 1)
        await viewer.next("telemetry")
        assert service.get("/readyz").json()["backend"] == "unreachable"
        fresh = token(1, 2)
        await viewer.send(type="auth", token=fresh)  # held until somebody can say what it is worth
        backend.answers |= {fresh: grant(1, [7]), ALICE: 401}
        backend.start()
        assert (await viewer.next("grant"))["stale"] is False
        publish(redis, 7, 2)
        await viewer.next("telemetry")
        assert viewer.seen["site_7", "edge_1"] == [1, 2]
        assert viewer.types().count("grant") == 2


async def test_a_stale_grant_ends_at_its_limit(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    viewer = await Viewer.login(start(redis, grant_ttl=1.0, stale_retry=0.2, stale_limit=2.0).url, ALICE, 7)
    backend.stop()
    assert await viewer.closed() == 1013
    assert "grant" in viewer.types()


async def test_a_new_connection_needs_a_cached_grant_for_that_very_token(
    service: Running, redis: RedisProcess, backend: Backend
) -> None:
    other = token(1, 2)
    backend.answers[other] = grant(1, [7])
    async with await Viewer.login(service.url, ALICE):
        backend.stop()
    async with await Viewer.login(service.url, ALICE, 7):
        pass
    without = await Viewer.connect(service.url)
    await without.send(type="auth", token=other)
    assert await without.closed() == 1013
    redis.admin.incr(keys.user_epoch(1))
    void = await Viewer.connect(service.url)
    await void.send(type="auth", token=ALICE)
    assert await void.closed() == 1013


async def test_a_backend_restarted_again_and_again_drops_nobody_and_no_live_frame(
    redis: RedisProcess, backend: Backend, start: Callable[..., Running]
) -> None:
    backend.answers[ALICE] = grant(1, [7])
    service = start(redis, grant_ttl=0.3, stale_retry=0.1)
    viewers = await asyncio.gather(*(Viewer.login(service.url, ALICE, 7) for _ in range(40)))
    for seq in range(1, 9):
        backend.stop()
        publish(redis, 7, seq)
        await until(lambda seq=seq: all(v.seen.get(("site_7", "edge_1"), [0])[-1] == seq for v in viewers), "frames")
        backend.start()
    for viewer in viewers:
        assert viewer.socket.close_code is None
        assert viewer.seen["site_7", "edge_1"] == list(range(1, 9))
    await asyncio.gather(*(viewer.close() for viewer in viewers))


async def test_two_hundred_sockets_at_once_cost_one_validation_for_each_token(
    service: Running, backend: Backend
) -> None:
    tokens = [token(user) for user in range(1, 5)]
    backend.answers |= {each: grant(user, [7]) for user, each in enumerate(tokens, 1)}
    viewers = await asyncio.gather(*(Viewer.login(service.url, tokens[n % 4], 7) for n in range(200)))
    assert backend.count_by_token() == dict.fromkeys(tokens, 1)
    await asyncio.gather(*(viewer.close() for viewer in viewers))

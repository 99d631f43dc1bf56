"""Tokens: fetched for each connection, renewed in band, never seen anywhere else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from client_support.people import ALICE
from ems_client import EndReason, Grant, LinkState, LiveClient, LiveEndedError, StateChange, TokenUnavailableError
from ems_client.tokens import Tokens
from realtime_support.backend import Backend
from realtime_support.batches import grant, token
from realtime_support.running import Running

Follow = Callable[..., Any]


async def test_a_fresh_token_is_sent_before_the_old_one_ends(
    service: Running, follow: Follow, backend: Backend
) -> None:
    first, second = token(1, 1), token(1, 2)
    backend.answers |= {first: grant(1, [7], expires_in=1.8), second: grant(1, [7])}
    tokens = iter([first, second])

    async def fetch() -> str:
        return next(tokens)

    program = await follow(service.url, "site_7", token=fetch)
    one, other = await program.next(Grant), await program.next(Grant)
    assert other.expires > one.expires
    assert sum(isinstance(event, StateChange) for event in program.events) == 2, "the link stayed open"


async def test_an_expired_token_is_replaced_and_the_program_goes_on(
    service: Running, follow: Follow, backend: Backend
) -> None:
    tokens = iter([token(1, 66), ALICE])  # the backend has never heard of the first
    program = await follow(service.url, "site_7", token=lambda: next(tokens))
    refused = await program.next(StateChange, when=lambda change: change.state is LinkState.WAITING)
    assert "UNAUTHENTICATED" in refused.reason
    await program.next(Grant)


async def test_a_fixed_token_that_is_not_accepted_ends_it(service: Running, follow: Follow) -> None:
    program = await follow(service.url, token=token(1, 66))
    error = await program.ended()
    assert isinstance(error, LiveEndedError)
    assert (error.reason, error.code) == (EndReason.UNAUTHENTICATED, 4401)


@pytest.mark.parametrize("fault", [TokenUnavailableError("not yet"), ConnectionResetError("no answer")])
async def test_a_token_that_cannot_be_had_now_is_asked_for_later(
    service: Running, follow: Follow, fault: Exception
) -> None:
    asked = count()

    async def fetch() -> str:
        if next(asked) == 0:
            raise fault
        return ALICE

    program = await follow(service.url, token=fetch)
    waiting = await program.next(StateChange, when=lambda change: change.state is LinkState.WAITING)
    assert str(fault) in waiting.reason
    await program.next(Grant)


async def test_a_token_source_that_is_broken_ends_the_program_with_its_own_error(
    service: Running, follow: Follow
) -> None:
    program = await follow(service.url, token=lambda: {}["token"])
    assert isinstance(await program.ended(), KeyError)


async def test_it_does_so_in_the_middle_of_a_session_too(service: Running, follow: Follow, backend: Backend) -> None:
    first = token(1, 1)
    backend.answers[first] = grant(1, [7], expires_in=1.8)
    tokens = iter([first])

    def fetch() -> str:
        if (found := next(tokens, None)) is None:
            raise LookupError("the vault is empty")
        return found

    program = await follow(service.url, "site_7", token=fetch)
    error = await program.ended()
    assert isinstance(error, LookupError)


async def test_a_token_that_never_comes_is_not_waited_for_and_asked_for_anew(
    service: Running, follow: Follow, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ems_client.live.CONNECT_TIMEOUT", 0.3)
    monkeypatch.setattr("ems_client.link.REAUTH_RETRY", 0.4)
    first, second = token(1, 1), token(1, 2)
    backend.answers |= {first: grant(1, [7], expires_in=3.0), second: grant(1, [7])}
    asked, given_up = count(), asyncio.Event()

    async def fetch() -> str:
        if (number := next(asked)) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                given_up.set()
        return second if number else first

    program = await follow(service.url, "site_7", token=fetch)
    await program.next(Grant)
    await program.next(Grant)
    assert given_up.is_set()


async def test_no_token_is_written_anywhere(
    service: Running, follow: Follow, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    program = await follow(service.url, "site_7")
    await program.next(Grant)
    await program.live.close()
    said = caplog.text + "".join(capsys.readouterr()) + repr(program.live) + repr(Tokens(ALICE)) + repr(program.events)
    assert ALICE not in said
    assert ALICE not in str(vars(program.live))


@pytest.mark.parametrize("nothing", ["", "  \n"])
async def test_an_empty_token_is_named(nothing: str) -> None:
    with pytest.raises(ValueError, match="token: it is empty"):
        await Tokens(lambda: nothing).fetch()


async def test_a_coroutine_is_awaited_and_blanks_around_a_token_do_not_count() -> None:
    async def fetch() -> str:
        await asyncio.sleep(0)
        return f" {ALICE}\n"

    assert await Tokens(fetch).fetch() == ALICE
    assert not Tokens(fetch).fixed
    assert Tokens(ALICE).fixed


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8001/ws",
        "localhost:8001",
        "ws://",
        "ws://host:port/ws",
        "wss://host/ws?token=emt_1_secret",
        "wss://user:emt_1_secret@host/ws",
        "wss://host/ws#emt_1_secret",
    ],
)
def test_a_url_that_is_none_or_carries_a_secret_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="url:") as refused:
        LiveClient(url, token=ALICE)
    assert "secret" not in str(refused.value)


def test_the_path_of_the_service_need_not_be_written() -> None:
    live = LiveClient("wss://ems.example.com", token=ALICE)
    assert repr(live) == "LiveClient('wss://ems.example.com/ws', connecting)"

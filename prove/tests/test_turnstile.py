"""What counts the questions to Django: it must miss none, wherever the bytes were cut, and change nothing."""

from __future__ import annotations

import asyncio
import functools

from ems_prove.turnstile import QUESTION, Turnstile, busiest
from ems_prove.waiting import until


def test_the_busiest_second_is_found_wherever_it_begins() -> None:
    assert busiest([]) == 0
    assert busiest([0.0, 0.4, 0.8, 1.2, 1.3, 5.0]) == 4
    assert busiest([1.0, 2.0, 3.0]) == 1


def test_every_question_is_passed_on_and_counted_even_cut_in_two() -> None:
    asyncio.run(ask_through_a_turnstile())


async def ask_through_a_turnstile() -> None:
    heard = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1_000):
            heard.extend(data)
            writer.write(b"yes")
        writer.close()

    backend = await asyncio.start_server(answer, "127.0.0.1", 0)
    turnstile = Turnstile(f"http://127.0.0.1:{backend.sockets[0].getsockname()[1]}")
    port = int((await turnstile.start()).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = QUESTION + b" HTTP/1.1\r\n\r\n"
    for part in (request + b"GET /healthz HTTP/1.1\r\n\r\n" + request[:7], request[7:], request):
        whole = len(heard) + len(part)
        writer.write(part)
        await until("it is passed on", functools.partial(lambda wanted: len(heard) == wanted, whole), 10)
    assert (await reader.readexactly(3), len(turnstile.passed)) == (b"yes", 3)
    writer.close()
    await turnstile.stop()
    backend.close()
    await backend.wait_closed()

"""Two probes over a real socket."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from ems_edge.health import serve


async def test_ready_names_what_is_missing_and_echoes_the_request_id() -> None:
    missing = {"redis": "no answer in 5 s"}
    async with serve(0, lambda: missing) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.get("/readyz", headers={"X-Request-ID": "abc-1"})
        assert answer.status_code == 503
        assert answer.json() == {"status": "not ready", "not_ready": missing}
        assert answer.headers["x-request-id"] == "abc-1"
        missing = {}
        answer = await client.get("/readyz?verbose")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
        assert len(answer.headers["x-request-id"]) == 32
        answer = await client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
        assert (await client.get("/")).status_code == 404
        assert (await client.post("/healthz")).status_code == 405
        assert (await client.head("/readyz")).status_code == 200


@pytest.mark.parametrize(
    "junk", [b"", b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 50_000]
)
async def test_junk_is_dropped_and_the_next_one_is_answered(junk: bytes) -> None:
    async with serve(0, dict) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(junk)
        writer.write_eof()
        async with asyncio.timeout(5):
            assert await _all(reader) == b""
        writer.close()
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200


async def _all(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_a_taken_port_says_how_to_choose_another() -> None:
    async with serve(0, dict) as port:
        with pytest.raises(OSError, match="address already in use; choose a free one with --health-port"):
            async with serve(port, dict):
                pass

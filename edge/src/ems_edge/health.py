"""`GET /healthz`: the process is alive. `GET /readyz`: 503 and the reasons while something it needs is not there."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable

import h11
import msgspec

DEADLINE = 5.0
_MAX_ID = 64


@contextlib.asynccontextmanager
async def serve(port: int, not_ready: Callable[[], dict[str, str]], host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Serve while the context is open; the port it serves on (0 asks for any free one). OSError for a taken port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError, h11.RemoteProtocolError):
            async with asyncio.timeout(DEADLINE):
                await _answer(reader, writer, not_ready)
        writer.close()

    try:
        server = await asyncio.start_server(handle, host, port)
    except OSError as error:
        raise OSError(f"health port: {error.strerror or error}; choose a free one with --health-port") from None
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, not_ready: Callable[[], dict[str, str]]
) -> None:
    """One request for each connection; probes do not need more."""
    http = h11.Connection(h11.SERVER)
    request: h11.Request | None = None
    while request is None:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(4096))
        elif isinstance(event, h11.Request):
            request = event
        else:
            return
    status, body = _respond(request, not_ready)
    content = msgspec.json.encode(body)
    given = dict(request.headers).get(b"x-request-id", b"")
    request_id = given if given and len(given) <= _MAX_ID else uuid.uuid4().hex.encode()
    headers = [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"%d" % len(content)),
        (b"Connection", b"close"),
        (b"X-Request-ID", request_id),
    ]
    response = h11.Response(status_code=status, headers=headers)
    data = [http.send(response)]
    if request.method != b"HEAD":
        data.append(http.send(h11.Data(data=content)))
    writer.write(b"".join(part for part in data if part))
    await writer.drain()


def _respond(request: h11.Request, not_ready: Callable[[], dict[str, str]]) -> tuple[int, dict[str, object]]:
    path = request.target.partition(b"?")[0]
    if request.method not in (b"GET", b"HEAD"):
        return 405, {"status": "only GET is answered here"}
    if path == b"/healthz":
        return 200, {"status": "alive"}
    if path == b"/readyz":
        reasons = not_ready()
        return (503, {"status": "not ready", "not_ready": reasons}) if reasons else (200, {"status": "ready"})
    return 404, {"status": "there are /healthz and /readyz"}

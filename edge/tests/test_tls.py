"""The edge forwards to a Redis in the cloud over TLS: what it cannot verify it does not speak to."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import trustme
from edge_support.devices import endpoint, meter
from edge_support.edge_process import EdgeProcess, standalone
from edge_support.redis_process import RedisProcess
from edge_support.waiting import until
from ems_contract import keys
from ems_contract.provisioning import RedisAccess


@contextlib.asynccontextmanager
async def tls_before(port: int, authority: trustme.CA) -> AsyncIterator[int]:
    """A TLS endpoint before a plain one, as a cloud's load balancer is."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, back), carry(there, writer))

    server = await asyncio.start_server(join, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@contextlib.asynccontextmanager
async def running(folder: Path, server: RedisProcess, authority: trustme.CA) -> AsyncIterator[EdgeProcess]:
    plain = server.edge_user()
    async with endpoint({1: meter()}) as devices, tls_before(server.port, authority) as port:
        access = RedisAccess(f"rediss://127.0.0.1:{port}/0", plain.username, plain.password)
        edge = EdgeProcess(standalone(folder, access, devices.port, 0.2, {"grid_meter": 1}))
        await edge.start()
        try:
            yield edge
        finally:
            await edge.terminate()


async def test_batches_arrive_through_tls_that_the_machine_trusts(
    tmp_path: Path, redis_server: RedisProcess, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with running(tmp_path, redis_server, authority) as edge:
        await until(lambda: redis_server.admin.xlen(keys.telemetry_stream(1, 1)), "a batch", 20)
        assert (await edge.ready())["status"] == "ready"


async def test_a_certificate_that_nobody_vouches_for_is_refused_and_said(
    tmp_path: Path, redis_server: RedisProcess, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "another.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "another.pem"))
    async with running(tmp_path, redis_server, authority) as edge:
        await until(lambda: b"certificate verify failed" in edge.log.lower(), "the refusal in the log", 20)
        assert "certificate" in msgspec.json.encode(await edge.ready()).decode().lower()
        assert not redis_server.admin.keys("telemetry:*")

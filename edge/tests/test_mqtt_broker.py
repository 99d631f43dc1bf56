"""What can happen to a connection with a broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trustme
from edge_support.broker import PASSWORD, USER, Broker
from edge_support.mqtt import PLUG, Watcher, device, driver, linked, reads, reasons
from edge_support.waiting import free_port, until
from ems_contract.points import Reason
from ems_edge.driver import WriteError
from ems_edge.drivers.mqtt import Connection

STATE = json.dumps({"power": 1250.5, "energy": {"total": 3.185}})


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = Broker(tmp_path / "broker")
    yield started
    started.kill()


class Line:
    """Between edge and broker: may be cut, or swallow what the edge says."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.port = 0
        self.deaf = False
        self.swallowed = b""
        self._writers: list[asyncio.StreamWriter] = []

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        self._writers += [writer, back]
        await asyncio.gather(self._carry(reader, back, True), self._carry(there, writer, False))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, edge: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if edge and self.deaf:
                    self.swallowed += data
                else:
                    writer.write(data)
        writer.close()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@contextlib.asynccontextmanager
async def line(to: int) -> AsyncIterator[Line]:
    made = Line(to)
    server = await asyncio.start_server(made.join, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.cut()
        await server.wait_closed()


async def test_a_broker_that_is_killed_and_comes_back(broker: Broker) -> None:
    async with driver() as made:
        plug, watcher = device(made, broker), Watcher()
        plug.watch(watcher)
        await linked(plug)
        await broker.say("plug/state", STATE)
        await broker.say("plug/relay", "ON")
        await reads(plug, "relay", 1.0)
        broker.kill()
        await reads(plug, "power", Reason.CONNECTION_LOST)
        await until(lambda: watcher.of("power")[-1:] == [Reason.CONNECTION_LOST], "it is told")
        with pytest.raises(WriteError, match="no connection to the broker"):
            await plug.write("relay", 0.0)
        broker.start()
        await reads(plug, "power", 1250.5)  # still young
        assert (await plug.read())["relay"] is Reason.NOT_POLLED  # a change may have been missed
        await broker.say("plug/relay", "OFF")
        await reads(plug, "relay", 0.0)


async def test_a_broker_that_hangs_is_noticed(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ems_edge.drivers.mqtt_link.KEEPALIVE", 1)
    monkeypatch.setattr("ems_edge.drivers.mqtt_link.ANSWER", 0.5)
    async with driver() as made:
        plug = device(made, broker)
        await linked(plug)
        broker.freeze()
        with pytest.raises(WriteError, match=r"plug.relay was not written: the broker did not acknowledge") as silent:
            await plug.write("relay", 1.0)
        assert silent.value.reason is Reason.TIMEOUT
        await reads(plug, "power", Reason.CONNECTION_LOST)
        broker.thaw()
        await linked(plug)


async def test_what_was_missed_while_the_line_was_cut_comes_with_the_subscription(broker: Broker) -> None:
    async with line(broker.port) as cable, driver() as made:
        plug = device(made, broker, port=cable.port)
        await linked(plug)
        await broker.say("plug/relay", "ON", retain=True)
        await reads(plug, "relay", 1.0)
        cable.cut()
        await broker.say("plug/relay", "OFF", retain=True)
        await reads(plug, "relay", 0.0)


async def test_a_retained_message_does_not_get_younger_by_reconnecting(broker: Broker) -> None:
    async with line(broker.port) as cable, driver() as made:
        plug = device(made, broker, port=cable.port, timeout=1.2)
        await linked(plug)
        await broker.say("plug/state", STATE, retain=True)
        await reads(plug, "power", 1250.5)
        began = time.monotonic()
        while time.monotonic() - began < 1.1:
            cable.cut()
            await reads(plug, "power", Reason.CONNECTION_LOST)
            await linked(plug)
        await reads(plug, "power", Reason.TIMEOUT, 0.8)


async def test_a_message_that_is_delivered_twice_is_one_value(broker: Broker) -> None:
    """The broker repeats what was not acknowledged (QoS 1), and what it keeps of it comes again."""
    async with line(broker.port) as cable, driver() as made:
        plug, watcher = device(made, broker, port=cable.port), Watcher()
        plug.watch(watcher)
        await linked(plug)
        cable.deaf = True
        await broker.say("plug/relay", "ON", retain=True)
        await until(lambda: watcher.of("relay") == [1.0], "the first delivery")
        await until(lambda: cable.swallowed[:1] == b"\x40", "its acknowledgement, which is lost")
        cable.deaf = False
        cable.cut()
        await until(lambda: watcher.of("relay") == [1.0, Reason.CONNECTION_LOST, 1.0], "the second delivery")


async def test_a_command_whose_acknowledgement_is_lost_is_not_said_to_be_done(broker: Broker) -> None:
    async with line(broker.port) as cable, broker.listening("plug/relay/set") as heard, driver() as made:
        plug = device(made, broker, port=cable.port)
        await linked(plug)
        cable.deaf = True
        writing = asyncio.create_task(plug.write("relay", 1.0))
        await until(lambda: cable.swallowed, "the command on its way")
        cable.cut()
        with pytest.raises(WriteError, match="the connection broke before the broker had acknowledged it"):
            await writing
        cable.deaf = False
        await linked(plug)
        await plug.write("relay", 0.0)
        await until(lambda: heard == ["OFF"], "only what was not given up")


@pytest.mark.parametrize(("username", "password"), [(USER, "wrong"), ("nobody", PASSWORD), (None, None)])
async def test_a_broker_that_refuses_the_credentials_is_told_so(
    tmp_path: Path, username: str | None, password: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    secured = Broker(tmp_path / "broker", secured=True)
    given = {"username": username, "password": password} if username else {}
    try:
        async with driver() as made:
            plug = device(made, secured, **given)
            await until(lambda: "connected" not in plug._link.problem, "an answer")
            assert "username" in plug._link.problem
            with pytest.raises(WriteError, match="username") as refused:
                await plug.write("relay", 1.0)
            assert refused.value.reason is Reason.CONNECTION_LOST
            assert reasons(await plug.read()) == {Reason.CONNECTION_LOST}
            assert "wrong" not in plug._link.problem
        told = capsys.readouterr()
        assert "username" in told.out + told.err
        assert PASSWORD not in told.out + told.err
    finally:
        secured.kill()


async def test_the_right_credentials_are_let_in_and_shown_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secured = Broker(tmp_path / "broker", secured=True)
    try:
        async with driver() as made:
            plug = device(made, secured, username=USER, password=PASSWORD)
            await linked(plug)
            shown = [repr(part) for part in (plug, plug._link, plug._link.broker, Connection("h", password=PASSWORD))]
        told = capsys.readouterr()
        assert not [text for text in (*shown, told.out, told.err, caplog.text) if PASSWORD in text]
    finally:
        secured.kill()


async def test_a_certificate_is_trusted_by_its_authority_and_by_nothing_else(tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    for name, ca in (("ours", authority), ("theirs", stranger)):
        ca.cert_pem.write_to_path(str(tmp_path / name))
    secure = Broker(tmp_path / "broker", authority=authority)
    try:
        async with driver() as made:
            plug = device(made, secure, tls=True, ca_file=str(tmp_path / "ours"))
            await linked(plug)
            problems = {
                device(made, secure, tls=True)._link: "certificate",
                device(made, secure, tls=True, ca_file=str(tmp_path / "theirs"))._link: "certificate",
                device(made, secure, tls=True, ca_file=str(tmp_path / "nowhere"))._link: "ca_file",
                device(made, secure, tls=True, ca_file=str(tmp_path / "ours"), host="localhost")._link: "localhost",
            }
            for link, word in problems.items():
                await until(lambda link=link, word=word: word in link.problem, f"the problem {word}")
                assert not link.up
    finally:
        secure.kill()


class Nobody:
    """Only a port."""

    def __init__(self, port: int) -> None:
        self.port = port


async def test_who_does_not_speak_mqtt_is_no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent, babbling, refusing, absent: the driver goes on trying, leaves no socket behind, and can be closed."""
    monkeypatch.setattr("ems_edge.drivers.mqtt_link.ANSWER", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"\x20\x02\x00\x00")
        await reader.read(4096)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)
        await reader.read()
        writer.close()

    for stranger in (silent, babbling):
        server = await asyncio.start_server(stranger, "127.0.0.1", 0)
        async with driver() as made:
            plug = device(made, Nobody(server.sockets[0].getsockname()[1]))
            await until(lambda link=plug._link: link.problem != "not connected yet", "a problem")
            assert reasons(await plug.read()) <= {Reason.CONNECTION_LOST}
        server.close()
        await server.wait_closed()
    async with driver() as made:
        plug = device(made, Nobody(free_port()))
        await until(lambda: "refused" in plug._link.problem, "nobody there")


async def test_a_topic_that_the_broker_refuses_is_said_to_be_refused() -> None:
    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lets in, and refuses every subscription."""
        await reader.read(4096)
        writer.write(b"\x20\x02\x00\x00")
        asked = await reader.read(4096)
        topics = 4
        writer.write(bytes([0x90, 2 + topics, asked[2], asked[3]]) + b"\x80" * topics)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    async with driver() as made:
        plug = device(made, Nobody(server.sockets[0].getsockname()[1]), PLUG)
        await reads(plug, "power", Reason.DEVICE_EXCEPTION)
    server.close()
    await server.wait_closed()

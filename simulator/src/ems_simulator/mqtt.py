"""The MQTT devices of a site, each on a connection of its own to a broker that somebody else runs."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiomqtt
import structlog

from ems_simulator.clock import wall_ms
from ems_simulator.faults import FaultKind, Faults
from ems_simulator.ledger import Ledger, Published
from ems_simulator.mqtt_devices import Gadget, Message

_log = structlog.get_logger()
_LOOK = 0.05
"""How often a device looks whether a second has passed or a fault has come, s."""
_RETRY = 0.5
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Broker:
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def broker_of(url: str, password: str | None) -> Broker:
    """`mqtt://user@host:port`. Raises ValueError, also for a password in it: an address is seen by everybody."""
    parts = urlsplit(url)
    if parts.password is not None:
        raise ValueError("an address holds no password; set EMS_MQTT_PASSWORD")
    if parts.scheme != "mqtt" or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(f"{url!r} is no broker's address; write mqtt://host:1883 or mqtt://user@host:1883")
    return Broker(parts.hostname, parts.port or 1883, parts.username, password)


class MqttSite:
    """The gadgets of one site. `now` is simulated time in ms, and brings the site up to it."""

    def __init__(
        self, broker: Broker, gadgets: list[Gadget], faults: Faults, ledger: Ledger, now: Callable[[], int], seed: int
    ) -> None:
        self.gadgets = {gadget.key: gadget for gadget in gadgets}
        self.broker = broker
        self._faults = faults
        self._ledger = ledger
        self._now = now
        self._garbler = random.Random(seed)  # noqa: S311 (noise, not a secret)
        self._connected: set[str] = set()
        self._said: dict[str, Message] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._live(gadget)) for gadget in self.gadgets.values()]

    async def close(self) -> None:
        """Every device says that it goes, as far as the broker still listens."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._ledger.close()

    def listed(self) -> list[dict[str, str]]:
        """Which devices these are, for those who want to read them: `base` is the variable of the profile's topics."""
        return [{"key": gadget.key, "profile": gadget.profile, "base": gadget.base} for gadget in self.gadgets.values()]

    def reset_counters(self, device: str | None) -> None:
        """Of one device, or of all."""
        for key, gadget in self.gadgets.items():
            if device in (None, key):
                gadget.reset_counters()

    @property
    def not_ready(self) -> str | None:
        away = [key for key in self.gadgets if key not in self._connected and not self._cut(key)]
        return f"{', '.join(away)} cannot reach the broker {self.broker.host}:{self.broker.port}" if away else None

    def _cut(self, key: str) -> bool:
        return self._faults.on(FaultKind.LINK_CUT, key) is not None

    async def _live(self, gadget: Gadget) -> None:
        while True:
            if not self._cut(gadget.key):
                try:
                    await self._connection(gadget)
                except (aiomqtt.MqttError, OSError) as error:
                    _log.warning("broker_lost", device=gadget.key, broker=self.broker.host, error=str(error))
                    await asyncio.sleep(_RETRY)
            await asyncio.sleep(_LOOK)

    async def _connection(self, gadget: Gadget) -> None:
        """Until the link is cut or lost. Raises MqttError, OSError."""
        client = aiomqtt.Client(
            self.broker.host,
            self.broker.port,
            username=self.broker.username,
            password=self.broker.password,
            identifier=gadget.base,
            will=aiomqtt.Will(gadget.will.topic, gadget.will.payload, 1, gadget.will.retain),
            timeout=_TIMEOUT,
        )
        async with client:
            await client.subscribe([(topic, 1) for topic in gadget.commands])
            await self._say(client, gadget, gadget.greeting())
            self._connected.add(gadget.key)
            listening = asyncio.create_task(self._listen(client, gadget))
            try:
                await self._speak(client, gadget, listening)
                if not listening.done():
                    _hang_up(client)
                await listening  # until the connection's end, which it raises
            except asyncio.CancelledError:
                with contextlib.suppress(aiomqtt.MqttError):
                    await client.publish(gadget.will.topic, gadget.will.payload, qos=1, retain=gadget.will.retain)
                raise
            except aiomqtt.MqttError:
                if not self._cut(gadget.key):
                    raise
            finally:
                self._connected.discard(gadget.key)
                listening.cancel()

    async def _speak(self, client: aiomqtt.Client, gadget: Gadget, listening: asyncio.Task[None]) -> None:
        """What it has to say in each second, until the link is cut or the broker gone."""
        last = self._now() // 1000
        while not listening.done() and not self._cut(gadget.key):
            second = self._now() // 1000
            if second > last:
                said, last = gadget.tick(last, second), second
                await self._say(client, gadget, said)
            await asyncio.wait([listening], timeout=_LOOK)

    async def _listen(self, client: aiomqtt.Client, gadget: Gadget) -> None:
        async for message in client.messages:
            if (slow := self._faults.on(FaultKind.SLOW_ANSWER, gadget.key)) is not None:
                await asyncio.sleep(slow.delay)
            self._now()
            text = message.payload.decode(errors="replace")
            await self._say(client, gadget, gadget.told(message.topic.value, text))

    async def _say(self, client: aiomqtt.Client, gadget: Gadget, messages: list[Message]) -> None:
        """Publish, as the active faults have it; in the ledger once the broker has acknowledged it."""
        for meant in messages:
            message = meant
            if self._faults.on(FaultKind.STUCK, gadget.key) is not None:
                message = self._said.setdefault(meant.topic, meant)
            garbage = self._faults.on(FaultKind.GARBAGE, gadget.key)
            if garbage is not None and not message.retain:
                message = message._replace(payload=self._garbled(message.payload, garbage.style))
            at = wall_ms()
            await client.publish(message.topic, message.payload, qos=1, retain=message.retain)
            if garbage is None:
                self._said[message.topic] = message
            if garbage is None or garbage.style == "words":
                self._ledger.append(
                    Published(int(at), gadget.key, message.topic, message.payload, retained=message.retain)
                )

    def _garbled(self, payload: str, style: str) -> str:
        """Words: whole messages with random numbers; frames: what is no message at all."""
        if style == "words":
            return _NUMBER.sub(lambda _: str(self._garbler.randrange(-99_999, 99_999)), payload)
        half = payload[: len(payload) // 2]
        return self._garbler.choice([half, "", "null", "[" * 5_000, '{"a":NaN}', "\x00\x01", half + "}" * 9])


def _hang_up(client: aiomqtt.Client) -> None:
    """As a cable that is pulled: without a farewell, so that the broker speaks the last will."""
    open_socket = client._client.socket()  # noqa: SLF001 -- aiomqtt only knows polite ways
    if isinstance(open_socket, socket.socket):
        open_socket.shutdown(socket.SHUT_RDWR)

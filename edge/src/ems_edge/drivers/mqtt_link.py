"""One connection to one broker, shared by all devices that are reached with the same credentials.

It connects when the first device joins, again after a loss, and not before a growing pause has passed. Each connection
begins without a past (a clean session, then every subscription anew): what a broker had queued while the edge was away
would look like news. What a topic says must hold now comes as a retained message, or is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Protocol

import aiomqtt
import structlog
from ems_contract.points import Reason
from paho.mqtt.reasoncodes import ReasonCode

from ems_edge.drivers.mqtt_broker import Broker, Newest, sentence, trust
from ems_edge.drivers.mqtt_payload import Payload
from ems_edge.drivers.mqtt_source import Ask

log = structlog.get_logger()

BACKOFF_FIRST = 0.2
BACKOFF_LAST = 10.0
STEADY = 30.0
"""A connection that lasted so long, s, was a good one: after it the pauses begin again with the shortest."""
KEEPALIVE = 10
"""s without traffic before the broker is pinged; a dead one is noticed after twice that."""
ANSWER = 5.0
"""How long the broker may take for a connection, a subscription or an acknowledgement, s."""
_SUBSCRIBE_AT_ONCE = 100

Heard = Callable[[str, Payload, bool], None]
"""A message: its topic, what it says, and whether the broker had kept it (retained). Must not raise."""


class LinkError(Exception):
    """A message that was not delivered, or nobody knows."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Member(Protocol):
    """Who uses a link. Both are called in the event loop, and must not raise."""

    topics: dict[str, Heard]
    """What to subscribe: topic (`+` may stand for a level, `#` for all that follow) -> whom to tell."""
    asks: tuple[Ask, ...]

    def linked(self, up: bool) -> None:
        """The connection was made (and everything subscribed), or lost."""

    def refused(self, topic: str) -> None:
        """The broker does not let us subscribe it."""


class Link:
    """`up`: connected and subscribed. `problem` says why it is not, for people."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.up = False
        self.problem = "not connected yet"
        self._id = broker.client_id or f"ems-edge-{uuid.uuid4().hex[:8]}"
        self._members: list[Member] = []
        self._exact: dict[str, list[Heard]] = {}
        self._patterns: list[tuple[str, Heard]] = []
        self._client: aiomqtt.Client | None = None
        self._ended: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._side: set[asyncio.Task[None]] = set()
        self._connecting = self._closing = False
        self._tried = asyncio.Event()

    def join(self, member: Member) -> None:
        """Call it in the event loop. The first one starts the connection."""
        self._members.append(member)
        for topic, heard in member.topics.items():
            if "+" in topic or "#" in topic:
                self._patterns.append((topic, heard))
            else:
                self._exact.setdefault(topic, []).append(heard)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"mqtt {self.broker}")
        elif self._client is not None:
            self._aside(self._admit(self._client, [member]))

    async def close(self) -> None:
        if self._task is None:
            return
        self._closing = True
        if self._connecting:  # in a thread, which cannot be stopped and would leave its socket behind
            await asyncio.wait([self._task], timeout=1.0)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def publish(self, topic: str, payload: str) -> None:
        """Returns once the broker has acknowledged it (QoS 1). Raises LinkError.

        The very first connection is waited for; one that was lost is not.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER):
                await self._tried.wait()
        client, ended = self._client, self._ended
        if client is None or ended is None or not self.up:
            raise LinkError(Reason.CONNECTION_LOST, f"no connection to the broker {self.broker}: {self.problem}")
        sending = asyncio.ensure_future(client.publish(topic, payload, qos=1))
        try:
            await asyncio.wait((sending, ended), return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise LinkError(Reason.CONNECTION_LOST, "the connection broke before the broker had acknowledged it")
            sending.result()
        except aiomqtt.MqttError as error:
            raise LinkError(Reason.TIMEOUT, f"the broker did not acknowledge it: {error}") from None
        finally:
            sending.cancel()

    def ask(self, asks: Iterable[Ask]) -> None:
        """Send them as soon as possible; what cannot be sent now is sent at the next connection."""
        if self.up and self._client is not None:
            self._aside(self._ask_once(self._client, list(asks)))

    async def _run(self) -> None:
        backoff = 0.0
        while not self._closing:
            began = time.monotonic()
            try:
                await self._session()
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                self._lost(sentence(error))
            if time.monotonic() - began > STEADY:
                backoff = 0.0
            backoff = min(max(backoff * 2, BACKOFF_FIRST), BACKOFF_LAST)
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311 -- jitter

    async def _session(self) -> None:
        """One connection, from its beginning to its end. Raises MqttError, OSError, ValueError."""
        broker, self._connecting = self.broker, True
        client = aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=self._id,
            clean_session=True,
            keepalive=KEEPALIVE,
            timeout=ANSWER,
            queue_type=Newest,
            tls_context=await asyncio.to_thread(trust, broker.ca_file) if broker.tls else None,
        )
        try:
            async with client:
                self._connecting = False
                if not self._closing:
                    await self._talk(client)
        finally:
            self._connecting = False
            # aiomqtt keeps the socket of a connection that was refused, or never answered.
            client._client.disconnect()  # noqa: SLF001

    async def _talk(self, client: aiomqtt.Client) -> None:
        self._client, self._ended = client, asyncio.get_running_loop().create_future()
        try:
            await self._admit(client, list(self._members))
            self._aside(self._ask_again(client))
            async for message in client.messages:
                self._hear(message)
        finally:
            self._client, ended = None, self._ended
            ended.set_result(None)
            for task in self._side:
                task.cancel()

    async def _admit(self, client: aiomqtt.Client, members: list[Member]) -> None:
        """Subscribe what they want, tell them that they are connected, and send what they ask."""
        topics = list(dict.fromkeys(topic for member in members for topic in member.topics))
        for at in range(0, len(topics), _SUBSCRIBE_AT_ONCE):
            part = topics[at : at + _SUBSCRIBE_AT_ONCE]
            codes: Sequence[object] = await client.subscribe([(topic, 1) for topic in part])
            for topic, code in zip(part, codes, strict=True):
                if isinstance(code, ReasonCode) and code.is_failure:
                    log.warning("the broker refuses a topic", broker=str(self.broker), topic=topic)
                    for member in members:
                        if topic in member.topics:
                            member.refused(topic)
        if not self.up:
            self.up, self.problem = True, ""
            self._tried.set()
            log.info("connected to the broker", broker=str(self.broker), topics=len(topics))
        for member in members:
            member.linked(True)
        await self._ask_once(client, [ask for member in members for ask in member.asks])

    def _lost(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("no connection to the broker", broker=str(self.broker), problem=problem)
        self.problem = problem
        self._tried.set()
        if self.up:
            self.up = False
            for member in self._members:
                member.linked(False)

    def _hear(self, message: aiomqtt.Message) -> None:
        payload = Payload(message.payload)
        for heard in self._exact.get(message.topic.value, ()):
            heard(message.topic.value, payload, message.retain)
        for pattern, heard in self._patterns:
            if message.topic.matches(pattern):
                heard(message.topic.value, payload, message.retain)

    async def _ask_once(self, client: aiomqtt.Client, asks: Iterable[Ask]) -> None:
        for ask in dict.fromkeys(asks):
            await client.publish(ask.topic, ask.payload, qos=1)

    async def _ask_again(self, client: aiomqtt.Client) -> None:
        """Those that are to be repeated. Devices that ask the same share one message."""
        now = time.monotonic()
        due: dict[Ask, float] = {}
        while True:
            asks = {ask: ask.every for member in self._members for ask in member.asks if ask.every is not None}
            due = {ask: due.get(ask, now + every) for ask, every in asks.items()}
            await asyncio.sleep(min([1.0, *(at - now for at in due.values())]))
            now = time.monotonic()
            for ask in [ask for ask, at in due.items() if at <= now]:
                due[ask] = now + asks[ask]
                await client.publish(ask.topic, ask.payload, qos=1)

    def _aside(self, work: Coroutine[None, None, None]) -> None:
        """Beside the listening, and no longer than this connection."""
        task = asyncio.create_task(_quietly(work))
        self._side.add(task)
        task.add_done_callback(self._side.discard)


async def _quietly(work: Coroutine[None, None, None]) -> None:
    """A connection that breaks is noticed, and told, where it is listened to."""
    with contextlib.suppress(aiomqtt.MqttError):
        await work

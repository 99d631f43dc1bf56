"""A broker: where it is, who is trusted, what waits from it, and what is wrong with it in words."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import dataclass, field

import aiomqtt

MOST_TOPICS = 50_000
_BAD_CREDENTIALS, _NOT_AUTHORISED = 134, 135


@dataclass(frozen=True, slots=True)
class Broker:
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: str | None = None
    client_id: str | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Newest(asyncio.Queue[aiomqtt.Message]):
    """Of each topic only the newest message waits: who falls behind skips what is past, and never the last."""

    def _init(self, maxsize: int) -> None:  # noqa: ARG002 -- as asyncio's own queues, it is bounded by the topics
        self._queue: OrderedDict[str, aiomqtt.Message] = OrderedDict()

    def _put(self, item: aiomqtt.Message) -> None:
        self._queue[item.topic.value] = item
        if len(self._queue) > MOST_TOPICS:
            self._queue.popitem(last=False)

    def _get(self) -> aiomqtt.Message:
        return self._queue.popitem(last=False)[1]


def trust(ca_file: str | None) -> ssl.SSLContext:
    """The certificates of `ca_file`, or those that the system trusts. The broker's name must be the certificate's."""
    context = ssl.create_default_context(cafile=ca_file)
    context.sslsocket_class = _ClosingSocket
    return context


class _ClosingSocket(ssl.SSLSocket):
    """paho leaves a socket open whose handshake failed."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def sentence(error: Exception) -> str:
    """What is wrong, for people; it never holds a password."""
    code = getattr(error.rc, "value", None) if isinstance(error, aiomqtt.MqttCodeError) else None
    if code == _BAD_CREDENTIALS:
        return "the broker refuses the username or the password"
    if code == _NOT_AUTHORISED:
        return "the broker does not let this username in (not authorised)"
    if isinstance(error, aiomqtt.MqttError) and error.__cause__ is not None:
        return "the connection was lost"
    if isinstance(error, FileNotFoundError):
        return "the file that ca_file names is not there"
    return f"{error}" or type(error).__name__

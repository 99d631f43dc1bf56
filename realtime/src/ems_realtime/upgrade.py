"""From an HTTP request to a WebSocket, or to a refusal: bytes in, bytes out. Pure, and gone when it is over."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import unquote

from starlette.types import Scope
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

RawHeaders = Iterable[tuple[bytes, bytes]]


class Upgrade:
    def __init__(self) -> None:
        self._protocol = ServerProtocol()
        self._response: Response | None = None
        """What will be said, as far as it is known."""

    def hear(self, data: bytes) -> Request | None:
        """A whole request. None if it is not one for a WebSocket: then `refused` has the answer."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            assert isinstance(event, Request)  # noqa: S101 -- a server's parser begins with one
            self._response = self._protocol.accept(event)
            return event if self._response.status_code == HTTPStatus.SWITCHING_PROTOCOLS else None
        return None

    def accepted(self, subprotocol: str | None, headers: RawHeaders) -> bytes:
        """The answer that makes it a WebSocket. No extension is ever agreed to."""
        response = self._response
        assert response is not None  # noqa: S101 -- only what was heard can be accepted
        del response.headers["Date"]
        for name, value in _readable(headers):
            response.headers[name] = value
        if subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        return self._said(response)

    def begin_refusal(self, status: int, headers: RawHeaders) -> None:
        """Another answer than `refused` would give by itself."""
        self._response = Response(status, HTTPStatus(status).phrase, Headers(_readable(headers)))

    def add_to_refusal(self, body: bytes) -> None:
        assert self._response is not None  # noqa: S101 -- it was begun
        self._response.body += body

    def refused(self, status: int | None = None) -> bytes:
        """`status`: with nothing more to say; without it, what is known of the answer."""
        if status is not None:
            self._response = self._protocol.reject(status, "")
        response = self._response
        if response is None:
            return b"".join(self._protocol.data_to_send())
        for name, value in (("Date", formatdate(usegmt=True)), ("Connection", "close")):
            response.headers.setdefault(name, value)
        return self._said(response)

    def _said(self, response: Response) -> bytes:
        self._protocol.send_response(response)
        return b"".join(self._protocol.data_to_send())


def scope_of(request: Request, root: str) -> Scope:
    """ASGI's scope, as far as the request tells it."""
    path, _, query = request.path.partition("?")
    offered = ",".join(request.headers.get_all("Sec-WebSocket-Protocol"))
    return {
        "type": "websocket",
        "http_version": "1.1",
        "root_path": root,
        "path": root + unquote(path),
        "raw_path": (root + path).encode("ascii"),
        "query_string": query.encode("ascii"),
        "headers": [
            (name.encode("ascii"), value.encode("latin-1", "surrogateescape"))
            for name, value in request.headers.raw_items()
        ],
        "subprotocols": [name.strip() for name in offered.split(",")] if offered else [],
    }


def _readable(headers: RawHeaders) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]

"""The backend as this service sees it: a real HTTP server that answers contract Grants."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from realtime_support.redis_process import free_port


class _Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def die(self) -> None:
        """As a process that is killed: nothing listens, and every connection is cut."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Backend:
    """`answers`: token -> a grant, or a status that refuses it. Every validation is noted in `asked`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.answers: dict[str, dict[str, Any] | int] = {}
        self.asked: list[tuple[float, str]] = []
        self.failing: int | None = None
        self.gate = threading.Event()
        """Answers wait for it; set unless a test holds them back."""
        self.gate.set()
        self._server: _Server | None = None
        self.start()

    @property
    def count(self) -> int:
        return len(self.asked)

    def busiest_second(self) -> int:
        times = sorted(at for at, _ in self.asked)
        return max((sum(start <= at < start + 1 for at in times) for start in times), default=0)

    def count_by_token(self) -> Counter[str]:
        return Counter(token for _, token in self.asked)

    def start(self) -> None:
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path == "/healthz":
                    self._answer(200, {"status": "ok"})
                    return
                token = self.headers.get("authorization", "").removeprefix("Bearer ")
                backend.asked.append((time.monotonic(), token))
                backend.gate.wait(30)
                found = backend.failing or backend.answers.get(token, 401)
                if isinstance(found, int):
                    self._answer(found, {"status": found})
                else:
                    self._answer(200, found)

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                try:
                    self.send_response(status)
                    self.send_header("content-type", "application/json")
                    self.send_header("content-length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = _Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Connections are refused from now on."""
        if self._server is not None:
            self._server.die()
            self._server = None

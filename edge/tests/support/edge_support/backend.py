"""The backend's two endpoints, as an edge sees them: a real HTTP server on loopback."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from ems_contract.provisioning import EdgeConfig, PointsReport, RedisAccess, SessionAnswer, SessionRequest

KEY = "ems_abc123_thesecretthatnobodysees"


class Backend:
    """`answer` is what a session gives; `status` other than 200 refuses instead; everything asked is kept."""

    def __init__(self, redis: RedisAccess, config: EdgeConfig) -> None:
        self.answer = SessionAnswer("edge_1", "Edge one", "site_1", "Site one", "Europe/Berlin", redis, config)
        self.status = 200
        self.raw: bytes | None = None
        self.sessions: list[SessionRequest] = []
        self.reports: list[PointsReport] = []
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        backend = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                backend._serve(self, "/api/edge/session")

            def do_PUT(self) -> None:
                backend._serve(self, "/api/edge/points")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class says so
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _serve(self, request: BaseHTTPRequestHandler, path: str) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        status, content = self._respond(request, path, body)
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.write(content)
        request.close_connection = True

    def _respond(self, request: BaseHTTPRequestHandler, path: str, body: bytes) -> tuple[int, bytes]:
        if request.path != path:
            return 404, b"{}"
        if request.headers["Authorization"] != f"Bearer {KEY}":
            return 401, b'{"title": "Unauthorized", "detail": "no such key"}'
        if self.status != 200:
            return self.status, b'{"title": "Refused", "detail": "the key was revoked"}'
        if path == "/api/edge/points":
            self.reports.append(msgspec.json.decode(body, type=PointsReport))
            return 204, b""
        self.sessions.append(msgspec.json.decode(body, type=SessionRequest))
        return 200, self.raw if self.raw is not None else msgspec.json.encode(self.answer)

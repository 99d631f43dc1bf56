"""`/healthz` and `/readyz` of a process that serves nothing else: the historian, the worker."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol


class Reporting(Protocol):
    def report(self) -> dict[str, Any]:
        """`{"status": "ready" | "not ready", "missing"?: {part: why}, ...}`; called from the server's threads."""
        ...


class HealthServer:
    """GET /healthz: the process is alive. GET /readyz: the report, with 200, or 503 and what is missing.

    Raises OSError if the port cannot be used.
    """

    def __init__(self, status: Reporting, host: str, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/healthz":
                    self._answer(HTTPStatus.OK, {"status": "ok"})
                elif self.path == "/readyz":
                    report = status.report()
                    ready = report["status"] == "ready"
                    self._answer(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE, report)
                else:
                    self._answer(HTTPStatus.NOT_FOUND, {"status": "there are /healthz and /readyz"})

            def _answer(self, code: HTTPStatus, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
                """Health checks are not news."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

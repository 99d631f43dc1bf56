"""What the historian says about itself: problems by name, counters. Shared by its threads and its health server."""

from __future__ import annotations

import json
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog

STALLED_SECONDS = 15.0

log = structlog.get_logger()


class Status:
    """`fail` and `recover` log only when something changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: dict[str, str] = {"historian": "starting"}
        self._counters: dict[str, int] = {}
        self._facts: dict[str, Any] = {}
        self._turned = time.monotonic()

    def fail(self, name: str, why: str) -> None:
        with self._lock:
            news = self._problems.get(name) != why
            self._problems[name] = why
        if news:
            log.error("not ready", part=name, error=why)

    def recover(self, *names: str) -> None:
        with self._lock:
            ended = [name for name in names if self._problems.pop(name, None) is not None]
        for name in ended:
            log.info("ready", part=name)

    def turn(self) -> None:
        """The main loop is alive."""
        self._turned = time.monotonic()

    def count(self, **amounts: int) -> None:
        with self._lock:
            for name, amount in amounts.items():
                self._counters[name] = self._counters.get(name, 0) + amount

    def note(self, **facts: Any) -> None:
        with self._lock:
            self._facts.update(facts)

    def report(self) -> dict[str, Any]:
        silent = time.monotonic() - self._turned
        with self._lock:
            missing = dict(self._problems)
            if silent > STALLED_SECONDS:
                missing["historian"] = f"has not turned for {silent:.0f} s"
            return {
                "status": "not ready" if missing else "ready",
                **({"missing": missing} if missing else {}),
                **self._facts,
                "counters": dict(self._counters),
            }


class HealthServer:
    """GET /healthz: the process is alive. GET /readyz: 503 and what is missing, or 200; both with the counters."""

    def __init__(self, status: Status, host: str, port: int) -> None:
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

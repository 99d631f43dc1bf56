"""Stands in for the backend: answers `GET /api/validate-token` for tokens that it made itself."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
from ems_contract.access import Action, Grant, GrantUser, SiteGrant

HOURS = 2


class Issuer:
    """`tokens`: one for each of `users` people, each of whom may view `sites` sites. `asked`: validations so far."""

    def __init__(self, port: int, users: int, sites: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.tokens = [_token(user) for user in range(1, users + 1)]
        self.asked = 0
        self._grants = {token: _grant(user, sites) for user, token in enumerate(self.tokens, start=1)}

    def answer(self, path: str, token: str) -> tuple[int, bytes]:
        if path != "/api/validate-token":
            return 200, b"{}"
        self.asked += 1
        grant = self._grants.get(token)
        return (200, grant) if grant else (401, b"{}")


@contextmanager
def serving(port: int, users: int, sites: int) -> Iterator[Issuer]:
    issuer = Issuer(port, users, sites)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            status, body = issuer.answer(self.path, token)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class calls it so
            """Nothing: a token is nobody's business."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _token(user: int) -> str:
    """Shaped like a JWT; nobody checks its signature, because only this issuer is asked about it."""

    def part(content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256'})}.{part({'user_id': str(user)})}.c2lnbmF0dXJl"


def _grant(user: int, sites: int) -> bytes:
    actions = [Action.VIEW.value]
    granted = [SiteGrant(f"site_{site}", f"Site {site}", 1, "viewer", actions) for site in range(1, sites + 1)]
    expires = int(time.time() + HOURS * 3_600) * 1_000
    return msgspec.json.encode(Grant(GrantUser(user, f"user{user}@example.com", f"User {user}"), granted, expires))

"""A client of the REST API that is logged in, and stays so."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import httpx

_RENEW_BEFORE = 60.0


class LoggedIn(httpx.Auth):
    """Adds the access token to each request and logs in again before it expires."""

    def __init__(self, base_url: str, email: str, password: str) -> None:
        self._login = f"{base_url}/api/auth/login"
        self._credentials = {"email": email, "password": password}
        self._token = ""
        self._expires = 0.0
        self._lock = threading.Lock()

    def token(self) -> str:
        """A valid access token. Raises httpx.HTTPError."""
        with self._lock:
            if time.time() > self._expires - _RENEW_BEFORE:
                answer = httpx.post(self._login, json=self._credentials, timeout=10, trust_env=False)
                answer.raise_for_status()
                body = answer.json()
                self._token, self._expires = str(body["access"]), float(body["expires"]) / 1000
            return self._token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.token()}"
        yield request


def logged_in(base_url: str, email: str, password: str) -> httpx.Client:
    """Relative paths go to the backend, e.g. `client.get("/api/sites")`."""
    return httpx.Client(
        base_url=base_url, auth=LoggedIn(base_url, email, password), timeout=30, trust_env=False, follow_redirects=False
    )

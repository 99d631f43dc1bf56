"""Where the token comes from: a program gives one, or says how to get one."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

TokenSource = str | Callable[[], str | Awaitable[str]]
"""An access token (`emt_...`, or a login's JWT), or a function that gets one. The function is called for every
connection and again before a token ends, so it should fetch a fresh one or return one that is still good for minutes.
It must not block: make it a coroutine function if it asks somebody."""


class Tokens:
    def __init__(self, source: TokenSource) -> None:
        self.fixed = isinstance(source, str)
        """There is only this one."""
        self._source = source

    def __repr__(self) -> str:
        return "Tokens('[redacted]')"

    async def fetch(self) -> str:
        """Raises what the source raises, and ValueError for what cannot be a token."""
        found = self._source if isinstance(self._source, str) else self._source()
        token = await found if inspect.isawaitable(found) else found
        if not token.strip():
            raise ValueError("token: it is empty; give an access token, or a function that returns one")
        return token.strip()

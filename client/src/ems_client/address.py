"""The two addresses that a program names: the service's, and the one that it says to come from. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit


def checked_url(url: str) -> str:
    """The value stays out of the messages: it may carry a secret. Raises ValueError."""
    try:
        parts = urlsplit(url)
        readable = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError("url: not a URL; write it like wss://ems.example.com/ws") from None
    if not readable or parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError("url: not a WebSocket's URL; write it like wss://ems.example.com/ws")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("url: write the address only; the token goes into `token`, never into a URL")
    return parts._replace(path=parts.path if parts.path not in ("", "/") else "/ws").geturl()


def checked_origin(origin: str) -> str:
    """Raises ValueError."""
    parts = urlsplit(origin)
    plain = origin.isprintable() and " " not in origin and parts.path in ("", "/") and not parts.query
    if not plain or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("origin: write scheme, host and port only, such as https://ems.example.com")
    return origin.rstrip("/")

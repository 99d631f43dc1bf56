"""URLs in the environment -> what Django wants. Pure; a bad one raises `BadEnvironment` with the remedy."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit


class BadEnvironment(Exception):
    """Every problem found, one per line: variable, what is wrong, what to do."""


def database(url: str, variable: str) -> dict[str, Any]:
    """`postgresql://user:pw@host:port/db` or `postgresql://user@/db?host=/socket/dir` -> Django's settings."""
    remedy = f"{variable}: write postgresql://user:password@host:5432/name or postgresql://user@/name?host=/socket/dir"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadEnvironment(f"{remedy} (the port or host cannot be read)") from error
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in ("postgresql", "postgres") or not name or "/" in name:
        raise BadEnvironment(remedy)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = options.pop("host", None) or unquote(parts.hostname or "")
    port_text = options.pop("port", None) or str(port or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port_text,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def without_credentials(redis_url: str) -> str:
    """`redis://user:pw@host:6379/0` -> `redis://host:6379/0`."""
    parts = urlsplit(redis_url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def mailer(url: str) -> dict[str, Any]:
    """`console://`, `smtp://user:pw@host:587` (STARTTLS), `smtps://user:pw@host:465` (TLS) -> an entry of MAILERS.

    `?starttls=0` speaks plainly to a relay that is close by, and is refused together with a password. Raises
    BadEnvironment with the remedy.
    """
    remedy = "write smtp://user:password@host:587, smtps://user:password@host:465 or console://"
    parts = split(url)
    if parts is not None and parts.scheme == "console" and not parts.netloc:
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts is None or parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise BadEnvironment(f"is not an address for e-mail: {remedy}, with the password percent-encoded")
    query = parse_qs(parts.query)
    plain = query.pop("starttls", ["1"])[-1] == "0"
    if query:
        raise BadEnvironment("has an unknown option: only ?starttls=0 is known")
    if plain and (parts.password or parts.scheme == "smtps"):
        raise BadEnvironment("would send the password in clear: remove starttls=0")
    options: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or (465 if parts.scheme == "smtps" else 587),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": parts.scheme == "smtps",
        "use_tls": parts.scheme == "smtp" and not plain,
        "timeout": 10,
    }
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


def split(url: str) -> SplitResult | None:
    """None where host or port cannot be read, as with a `/` in a password that is not percent-encoded."""
    try:
        parts = urlsplit(url)
        readable = parts.port is None or parts.port > 0
    except ValueError:
        return None
    return parts if readable else None


def is_origin(text: str) -> bool:
    parts = split(text)
    if parts is None:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not parts.path and "*" not in text

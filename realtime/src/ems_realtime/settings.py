"""What the service needs from its environment, and the bounds it works within.

Every variable is read once, at start. A wrong one ends the start with a sentence that names it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ems_contract import limits

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?\Z|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?\Z")


class SettingsError(ValueError):
    """A variable is missing or wrong; the message names it and says what is expected."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Times in seconds, sizes in bytes."""

    redis_url: str
    backend_url: str
    origins: frozenset[str]
    allow_no_origin: bool = False
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For is believed; without any, the peer's own address counts."""

    max_sites: int = limits.MAX_SITES
    max_messages: int = limits.MAX_MESSAGES_PER_SECOND
    """Client frames per second of one session, sustained; three times as many in a burst."""
    max_sockets_per_user: int = limits.MAX_SOCKETS_PER_USER
    max_sockets_per_address: int = limits.MAX_SOCKETS_PER_ADDRESS
    max_message_bytes: int = limits.MAX_MESSAGE_BYTES

    auth_timeout: float = limits.AUTH_SECONDS
    heartbeat: float = limits.HEARTBEAT_SECONDS
    tick: float = 0.02
    """The longest a batch waits for company when the service is busy."""
    outbox_bytes: int = 1_048_576
    stall_timeout: float = limits.STALL_SECONDS
    """A reader that takes nothing for this long while bytes wait is closed as too slow."""
    drain: float = 5.0

    grant_ttl: float = 300.0
    stale_limit: float = 3_600.0
    stale_retry: float = 5.0
    recheck_limit: float = 5.0
    """After a change of access: how long the new grant may take before the session is closed."""
    validations_per_second: float = 40.0
    """The backend is promised at most 50; the rest is for what the network bunches up."""
    backend_timeout: float = 5.0

    redis_deadline: float = 5.0
    redis_timeout: float = 2.0

    def __repr__(self) -> str:
        return f"Settings(backend_url={self.backend_url!r}, origins={sorted(self.origins)!r}, redis_url='[redacted]')"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Raises SettingsError."""
        return cls(
            redis_url=_url(env, "EMS_REDIS_URL", ("redis", "rediss", "unix"), "redis://user:password@localhost:6379/0"),
            backend_url=_url(env, "EMS_BACKEND_URL", ("http", "https"), "http://localhost:8000").rstrip("/"),
            origins=_origins(env, "EMS_WS_ORIGINS"),
            allow_no_origin=_flag(env, "EMS_WS_ALLOW_NO_ORIGIN"),
            trusted_proxies=_networks(env, "EMS_WS_TRUSTED_PROXIES"),
            max_sites=_count(env, "EMS_WS_MAX_SITES", cls.max_sites),
            max_messages=_count(env, "EMS_WS_MAX_MESSAGES", cls.max_messages),
            max_sockets_per_user=_count(env, "EMS_WS_MAX_SOCKETS_PER_USER", cls.max_sockets_per_user),
            max_sockets_per_address=_count(env, "EMS_WS_MAX_SOCKETS_PER_ADDRESS", cls.max_sockets_per_address),
            drain=float(_count(env, "EMS_WS_DRAIN_SECONDS", int(cls.drain), lowest=0)),
        )


def _required(env: Mapping[str, str], name: str, example: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set; set it to something like {example}")
    return value


def _url(env: Mapping[str, str], name: str, schemes: tuple[str, ...], example: str) -> str:
    value = _required(env, name, example)
    if not _is_url(value, schemes):
        # The value itself stays out of the message: it may carry a password.
        raise SettingsError(f"{name} is not a URL with {' or '.join(schemes)}; set it to something like {example}")
    return value


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        readable = parts.port is None or parts.port > 0  # a `/` in a password makes the rest of it look like a port
    except ValueError:
        return False
    return readable and parts.scheme in schemes and bool(parts.hostname or (parts.scheme == "unix" and parts.path))


def _list(env: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in env.get(name, "").split(",")]


def _origins(env: Mapping[str, str], name: str) -> frozenset[str]:
    _required(env, name, "http://localhost:3000")
    origins = {part.rstrip("/").lower() for part in _list(env, name) if part}
    for origin in sorted(origins):
        if not _ORIGIN.match(origin):
            raise SettingsError(
                f"{name}: {origin!r} is not an origin; write scheme, host and port only, such as "
                "https://ems.example.com or http://localhost:3000, and separate several with commas"
            )
    return frozenset(origins)


def _networks(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    networks = tuple(part for part in _list(env, name) if part)
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise SettingsError(
                f"{name}: {network!r} is no address and no network; name the proxies, such as 10.0.0.5 or 10.0.0.0/8 "
                "(whoever is trusted may say to be anybody, so there is no * for all)"
            ) from None
    return networks


def _flag(env: Mapping[str, str], name: str) -> bool:
    value = env.get(name, "0").strip()
    if value not in ("0", "1", ""):
        raise SettingsError(f"{name} is {value!r}; set it to 1 or 0")
    return value == "1"


def _count(env: Mapping[str, str], name: str, default: int, *, lowest: int = 1) -> int:
    value = env.get(name, "").strip()
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or int(value) < lowest:
        raise SettingsError(f"{name} is {value!r}; set it to a whole number of {lowest} or more")
    return int(value)

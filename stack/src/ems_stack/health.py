"""Is a service ready? Each answers on /readyz, which checks what it really depends on."""

from __future__ import annotations

from collections.abc import Callable

import httpx

TIMEOUT = 3.0


def ready_at(url: str) -> Callable[[], bool]:
    """A check that GETs the address and accepts 2xx."""

    def is_ready() -> bool:
        try:
            # trust_env off: a proxy for the outer world must not see what is on this machine.
            return httpx.get(url, timeout=TIMEOUT, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    return is_ready


def why_not(url: str) -> str:
    """What /readyz says is missing, for an error message."""
    try:
        return httpx.get(url, timeout=TIMEOUT, trust_env=False).text[:500]
    except httpx.HTTPError as error:
        return f"no answer ({type(error).__name__})"

"""Limits on logging in: per address, and per account from one address, so that nobody locks a victim out.

Only failures count. The rates are in `settings.REST_FRAMEWORK`.
"""

from __future__ import annotations

import hashlib

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView


class FailureThrottle(SimpleRateThrottle):
    """Refuses while the window is full; `failed()` adds to it."""

    duration: int  # s, from the rate

    def throttle_success(self) -> bool:
        return True

    def failed(self) -> None:
        """Count the request that this throttle let through as a failure."""
        if self.key is not None:
            # Read again: while this one's password was hashed, others of the same caller may have failed.
            history: list[float] = self.cache.get(self.key, [])
            self.cache.set(self.key, [self.now, *history], self.duration)


class LoginByAddress(FailureThrottle):
    scope = "login_address"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class LoginByAccount(FailureThrottle):
    scope = "login_account"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        email = request.data.get("email", "") if isinstance(request.data, dict) else ""
        ident = f"{self.get_ident(request)} {str(email).strip().lower()}"
        return self.cache_format % {"scope": self.scope, "ident": hashlib.sha256(ident.encode()).hexdigest()}

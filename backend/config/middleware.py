"""Around every request: a request id for its log lines and its answer, and one log line at its end."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from config.addresses import client_address

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_QUIET = ("/healthz", "/readyz")

log = structlog.get_logger()


class RequestMiddleware:
    """Takes the caller's `X-Request-ID` if it is well formed, else makes one; echoes it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, address=client_address(request))
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            if request.path not in _QUIET:
                # The path only: a query string may carry what nobody wants in a log.
                log.info(
                    "request",
                    method=request.method,
                    path=request.path,
                    status=response.status_code,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                )
        finally:
            structlog.contextvars.clear_contextvars()  # who called is bound too, and is not the next one
        return response


class AdminActorMiddleware:
    """In the Django admin, says who is acting to the log lines and to the audit log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/admin/") and request.user.is_authenticated:
            structlog.contextvars.bind_contextvars(user=request.user.pk)
        return self.get_response(request)

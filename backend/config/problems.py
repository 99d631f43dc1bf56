"""Errors as problem details (RFC 9457): `{type, title, status, detail, errors?: [{field, message}]}`.

`type` is `urn:ems:problem:<code>`. What exists but is foreign and what does not exist answer alike, so no answer
carries an id or a path. A 5xx or 429 may be retried, any other 4xx may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import redis
import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

import audit

CONTENT_TYPE = "application/problem+json"
NOT_FOUND = "There is nothing here, or nothing that you may see."
FORBIDDEN = "Your role does not allow this."
WHOLE = "request"
"""The field of an error that is about the request as a whole."""

log = structlog.get_logger()


class NotAllowedOn(PermissionDenied):
    """403 on a site that the caller may see; the audit log tells it to the site's organization."""

    def __init__(self, site_id: int, organization_id: int) -> None:
        super().__init__()
        self.site_id, self.organization_id = site_id, organization_id


class Unavailable(exceptions.APIException):
    """A dependency does not answer; the same request may succeed later."""

    status_code = 503
    default_code = "unavailable"


class Conflict(exceptions.APIException):
    """Something stands against it that the caller can change: the detail says what. Always give a code of its own."""

    status_code = 409
    default_code = "conflict"


class TooLarge(exceptions.APIException):
    """Send less at once; retrying does not help."""

    status_code = 413
    default_code = "too_large"


def problem(status: int, detail: str, code: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"urn:ems:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors is not None:
        body["errors"] = errors
    return body


def handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What it does not know stays a 500, with its traceback in the log only."""
    raised = exception
    match exception:
        case Http404():
            exception = exceptions.NotFound(NOT_FOUND)
        case PermissionDenied():
            exception = exceptions.PermissionDenied(str(exception) or FORBIDDEN)
        case RequestDataTooBig():
            limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            exception = TooLarge(f"The body is larger than {limit >> 20} MiB; send less at once.")
        case redis.exceptions.OutOfMemoryError():
            log.error("redis is full")
            exception = Unavailable("Redis is full. Try again in a moment.")
        case redis.ConnectionError() | redis.TimeoutError():
            log.error("redis is not reachable", error=type(exception).__name__)
            exception = Unavailable("Redis is not reachable. Try again in a moment.")
        case OperationalError():
            log.error("the database is not reachable", error=type(exception).__name__)
            exception = Unavailable("The database is not reachable. Try again in a moment.")
    response = exception_handler(exception, context)
    if response is None or not isinstance(exception, exceptions.APIException):
        return None
    if isinstance(exception, exceptions.ValidationError):
        body = problem(400, "Some of the fields are not acceptable.", "invalid", list(_errors(exception.detail)))
    else:
        codes = exception.get_codes()
        code = codes if isinstance(codes, str) else exception.default_code
        body = problem(response.status_code, _sentence(exception), code)
        _tell_denied(response.status_code, code, raised, context)
    response.data = body
    response.content_type = CONTENT_TYPE
    return response


def _tell_denied(status: int, code: str, raised: Exception, context: dict[str, Any]) -> None:
    """A refusal that somebody should know of; of the organization that it is about, where that is known."""
    if status not in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
        return
    request, view = context["request"], context["view"]
    organization = getattr(getattr(view, "organization", None), "pk", None)
    audit.denied(
        "access.denied" if status == HTTPStatus.FORBIDDEN else "access.limited",
        organization_id=raised.organization_id if isinstance(raised, NotAllowedOn) else organization,
        site_id=raised.site_id if isinstance(raised, NotAllowedOn) else None,
        target=_asked(request),
        code=code,
    )


def _asked(request: HttpRequest | Request) -> str:
    """The path only: a query string may carry what nobody wants in a log."""
    return f"{request.method} {request.path}"


def _sentence(exception: exceptions.APIException) -> str:
    detail = exception.detail
    return str(detail["detail"]) if isinstance(detail, dict) and "detail" in detail else str(detail)


def _errors(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested errors -> `{"field": "devices.0.name", "message": "..."}`, one each."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _errors(inner, f"{field}.{own}".strip("."))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _errors(inner, f"{field}.{index}".strip(".") if nested else field)
    else:
        yield {"field": field or WHOLE, "message": str(detail)}


def _plain(status: int, detail: str, code: str) -> JsonResponse:
    return JsonResponse(problem(status, detail, code), status=status, content_type=CONTENT_TYPE)


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """For addresses that no endpoint has."""
    return _plain(404, NOT_FOUND, "not_found")


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return _plain(400, "The request cannot be understood.", "bad_request")


def forbidden(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Outside of the API: the admin, and forms without their token."""
    audit.denied("access.denied", target=_asked(request), code="permission_denied")
    return _plain(403, FORBIDDEN, "permission_denied")


def server_error(request: HttpRequest) -> JsonResponse:
    return _plain(500, "Something failed on our side. The log has the request's id.", "error")

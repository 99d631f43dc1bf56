"""The API's description and its page. Public: the same file is in the repository, and it holds nobody's data."""

from __future__ import annotations

from typing import Any

from django.utils.csp import CSP
from django.utils.decorators import method_decorator
from django.views.decorators.csp import csp_override
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

_POLICY: dict[str, list[str]] = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],  # Swagger UI styles its own elements; scripts stay strict
    "frame-ancestors": [CSP.NONE],
}


class Schema(SpectacularAPIView):
    """The OpenAPI description."""


@method_decorator(csp_override(_POLICY), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """A page to read and try the API; its scripts come from this server."""


def describe_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give every operation its answer for errors, which is the same everywhere (see `problems.py`)."""
    text = {"type": "string"}
    error = {"type": "object", "properties": {"field": text, "message": text}, "required": ["field", "message"]}
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = {
        "type": "object",
        "description": "Problem details (RFC 9457). A 5xx or 429 may be retried, any other 4xx may not.",
        "properties": {
            "type": {"type": "string", "description": "urn:ems:problem:<code>"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "errors": {"type": "array", "items": error},
        },
        "required": ["type", "title", "status", "detail"],
    }
    answer = {
        "description": "Refused, or failed",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = answer
    return result

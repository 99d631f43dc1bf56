"""What the API's description says of every operation without its view repeating it.

A view declares its request, its answers and what only it can refuse: `responses={200: X, **refusals(409)}`. From its
permissions, parameters, body and limits follow the other refusals; the fuzz test proves that there are no more.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from config.examples import example_of
from config.permissions import Public
from config.problems import CONTENT_TYPE

_FIRST_SENTENCE = re.compile(r"\s*(.+?)(?:\.(?:\s|$)|:\s*\n|\n\s*\n|$)", re.DOTALL)
_PROBLEM = {"$ref": "#/components/schemas/Problem"}

REFUSALS: dict[int, tuple[str, str, str]] = {
    400: ("invalid", "A field is not acceptable; `errors` names it", "Some of the fields are not acceptable."),
    401: ("invalid_token", "No valid credential", "The access token is missing, expired or not ours."),
    403: ("permission_denied", "Known, and not allowed", "Your role does not allow this."),
    404: (
        "not_found",
        "It does not exist, or the caller may not see it",
        "There is nothing here, or nothing that you may see.",
    ),
    409: ("conflict", "It contradicts what is there", "This would contradict what is there."),
    413: ("too_large", "The body is too large", "The body is larger than 8 MiB; send less at once."),
    415: ("unsupported_media_type", "The body is not JSON", 'Unsupported media type "text/plain" in request.'),
    429: ("throttled", "Too many attempts; the header Retry-After says when", "Request was throttled."),
    503: ("unavailable", "A dependency does not answer; try again", "Redis is not reachable. Try again in a moment."),
}
"""Status -> (code, what it means, an example of `detail`)."""


def refusals(*statuses: int) -> dict[tuple[int, str], Any]:
    """For `responses`: refusals that do not follow from the view's declarations."""
    return {(status, CONTENT_TYPE): _PROBLEM for status in statuses}


class Described(AutoSchema):
    """Adds the summary and every refusal that the view's declarations imply."""

    def get_summary(self) -> str | None:
        found = _FIRST_SENTENCE.match(self.get_description() or "")
        return " ".join(found[1].split()) if found else None

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            responses = operation["responses"]
            statuses = {int(status) for status in responses} | self._implied(operation)
            operation["responses"] = {
                str(status): _refusal(status) if status in REFUSALS else responses[str(status)]
                for status in sorted(statuses)
            }
            for status, response in operation["responses"].items():
                response["description"] = response["description"] or HTTPStatus(int(status)).phrase
        return operation

    def _implied(self, operation: dict[str, Any]) -> set[int]:
        view: Any = self.view
        implied = {503}
        places = {parameter["in"] for parameter in operation.get("parameters", [])}
        if "requestBody" in operation:
            implied |= {400, 413, 415}
        if "query" in places:
            implied.add(400)
        if "path" in places:
            implied.add(404)
        if not all(issubclass(each, Public) for each in view.permission_classes):
            implied.add(401)
            if not self._open_to_all_credentials():
                implied.add(403)
        if view.throttle_classes:
            implied.add(429)
        return implied

    def _open_to_all_credentials(self) -> bool:
        """Whether a valid credential is enough: reading what is one's own, or what an edge may do."""
        names = {each.__name__ for each in self.view.permission_classes}
        return names <= {"EdgesOnly"} or (names <= {"SignedIn"} and self.method == "GET")


def _refusal(status: int) -> dict[str, Any]:
    code, meaning, detail = REFUSALS[status]
    example: dict[str, Any] = {
        "type": f"urn:ems:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if status == HTTPStatus.BAD_REQUEST:
        example["errors"] = [{"field": "name", "message": "This field may not be blank."}]
    return {"description": meaning, "content": {CONTENT_TYPE: {"schema": _PROBLEM, "example": example}}}


def describe_problems(result: dict[str, Any], generator: SchemaGenerator, **_: Any) -> dict[str, Any]:
    """The one shape of errors (see `problems.py`)."""
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
    return result


def give_examples(result: dict[str, Any], generator: SchemaGenerator, **_: Any) -> dict[str, Any]:
    """An example for every body and answer that has none of its own, made from its schema."""
    schemas = result["components"]["schemas"]
    for methods in result["paths"].values():
        for operation in methods.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            contents = [content for body in bodies for content in body.get("content", {}).items()]
            for media_type, content in contents:
                if "json" in media_type and not {"example", "examples"} & content.keys():
                    content["example"] = example_of(content["schema"], schemas)
    return result

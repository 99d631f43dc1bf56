"""What the API's description says of every operation without its view repeating it.

A view declares its request and its answers. From its permissions, parameters and body follow its refusals; what only
it can refuse its docstring says, with the status and the problem's code: "The last one stays (409 last_admin)." The
matrix and the fuzz test prove that no other status is ever answered.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc

from config.examples import example_of
from config.permissions import Public
from config.problems import CONTENT_TYPE

_TOLD = re.compile(r"\b([45]\d\d)(?: `?(?:urn:ems:problem:)?([a-z]+(?:_[a-z]+)*))?")
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


_VERBS = {"POST": "_create", "PATCH": "_change", "PUT": "_replace", "DELETE": "_delete"}


class Described(AutoSchema):
    """Adds the name, the summary, and every refusal that the view's declarations imply."""

    def get_operation_id(self) -> str:
        """`assets_list`, `asset_create`, `asset`, `asset_change`, `asset_delete`"""
        *_, last = words = self.path.removeprefix("/api/").split("/")
        one = last.startswith("{")
        plural = next(word for word in reversed(words) if not word.startswith("{")).replace("-", "_")
        singular = plural if plural.endswith("ss") else plural.removesuffix("s")
        if self.method == "GET":
            return singular if one else f"{plural}_list"
        return singular + _VERBS[self.method]

    def get_summary(self) -> str | None:
        found = _FIRST_SENTENCE.match(self.get_description() or "")
        return " ".join(found[1].split()) if found else None

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            responses = operation["responses"]
            refused = {status: REFUSALS[status][0] for status in self._implied(operation)} | self._told(operation)
            responses |= {str(status): _refusal(status, code) for status, code in refused.items()}
            operation["responses"] = {status: responses[status] for status in sorted(responses)}
            for status, response in operation["responses"].items():
                response["description"] = response["description"] or HTTPStatus(int(status)).phrase
        return operation

    def get_auth(self) -> list[dict[str, list[str]]]:
        """A credential that is heeded and not needed stands beside none."""
        schemes: list[dict[str, list[str]]] = super().get_auth()
        public = all(isinstance(each, Public) for each in self.view.get_permissions())
        return [*schemes, {}] if public and schemes else schemes

    def _implied(self, operation: dict[str, Any]) -> set[int]:
        implied = {503}
        parameters = operation.get("parameters", [])
        places = {parameter["in"] for parameter in parameters}
        if "requestBody" in operation:
            implied |= {400, 413, 415}
        if "query" in places:
            implied.add(400)
        if "path" in places or any(parameter["name"] == "page" for parameter in parameters):
            implied.add(404)  # a page after the last one is not there either
        permissions: list[Any] = list(self.view.get_permissions())
        if not all(isinstance(each, Public) for each in permissions):
            implied.add(401)
            if not self._open_to_every_credential({type(each).__name__ for each in permissions}):
                implied.add(403)
        return implied

    def _open_to_every_credential(self, permissions: set[str]) -> bool:
        """Whether a valid credential is enough: to do what an edge may, or to read what a platform admin may who must
        set a second factor up first (everything else answers 403 two_factor_needed until then)."""
        reads = permissions <= {"SignedIn"} and self.method == "GET"
        return permissions <= {"EdgesOnly"} or (reads and getattr(self.view, "before_two_factor", False))

    def _told(self, operation: dict[str, Any]) -> dict[int, str]:
        """Status -> code, from the docstrings of the view and of its method."""
        told = {}
        for text in (get_doc(type(self.view)), operation.get("description", "")):
            for status, code in _TOLD.findall(text):
                told[int(status)] = code or REFUSALS[int(status)][0]
        return told


class BodyOnDelete(Described):
    """For `schema` of a view whose DELETE has a body, which drf-spectacular leaves out."""

    def _get_request_body(self, direction: str = "request") -> Any:
        method, self.method = self.method, "POST" if self.method == "DELETE" else self.method
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = method


def _refusal(status: int, code: str) -> dict[str, Any]:
    _, meaning, detail = REFUSALS[status]
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

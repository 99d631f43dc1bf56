"""Who is calling, for edges: `Authorization: Bearer ems_<prefix>_<secret>` -> (EdgeCaller, EdgeKey)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import structlog
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from sites import edge_keys
from sites.models import EdgeKey


class InvalidEdgeKey(AuthenticationFailed):
    """Ask an administrator for a new key; retrying does not help."""

    default_code = "invalid_edge_key"
    default_detail = "The API key is missing, not ours, or revoked."


@dataclass(frozen=True)
class EdgeCaller:
    """Stands where DRF expects a user; it is no user and has no grant."""

    key: EdgeKey
    is_authenticated: Literal[True] = True
    pk: None = None


class EdgeKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[EdgeCaller, EdgeKey]:
        scheme, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        key = edge_keys.find(text) if scheme.lower() == "bearer" else None
        if key is None:
            raise InvalidEdgeKey
        structlog.contextvars.bind_contextvars(edge=key.edge.wire_name)
        return EdgeCaller(key), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="edge"'


class EdgesOnly(BasePermission):
    """An edge with a valid key."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, EdgeKey)


class EdgeKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names it."""

    target_class = "sites.edge_authentication.EdgeKeyAuthentication"
    name = "edgeKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "ems_<prefix>_<secret>"}

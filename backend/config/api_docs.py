"""The API's description and its page. Public: the same file is in the repository, and it holds nobody's data."""

from __future__ import annotations

from typing import Any

from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

_POLICY = {
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

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

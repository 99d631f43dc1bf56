"""The API's description and its page. Public: the same file is in the repository, and it holds nobody's data."""

from __future__ import annotations

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

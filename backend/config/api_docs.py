"""The API's description (`/api/schema`) and the page to read it (`/api/docs`).

In production both are for developers and platform admins, elsewhere for anyone. A browser opens the page without an
`Authorization` header, so the page itself is public and empty: its script trades the refresh cookie for an access
token and asks for the description with it. Everything it needs is below /api/docs, so it works wherever /api does.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import BearerAuthentication
from accounts.permissions import Developers
from config.permissions import Public

_SWAGGER = "drf_spectacular_sidecar/swagger-ui-dist"
FILES = {
    "docs.css": ("api/docs.css", "text/css; charset=utf-8"),
    "docs.js": ("api/docs.js", "text/javascript; charset=utf-8"),
    "inter.woff2": ("admin/ems/inter.woff2", "font/woff2"),
    "icon.svg": ("admin/ems/icon.svg", "image/svg+xml"),
    "swagger-ui.css": (f"{_SWAGGER}/swagger-ui.css", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": (f"{_SWAGGER}/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
}
"""What the page loads: name in the address -> (static file, content type)."""


class Readers(Developers):
    """Developers and platform admins; outside of production anyone."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return settings.ENV.mode != "production" or super().has_permission(request, view)


class Schema(SpectacularAPIView):
    """The OpenAPI description. It names no one and holds no data."""

    authentication_classes = (BearerAuthentication,)
    permission_classes = (Readers,)


class PublicPage(APIView):
    """Public because it is the same for everybody and says nothing of the API."""

    authentication_classes = ()
    permission_classes = (Public,)


class Docs(PublicPage):
    """The page, still empty."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        return render(request._request, "api_docs.html", {"product": settings.PUBLIC_URL})


class DocsFile(PublicPage):
    """One of the page's own files."""

    @extend_schema(exclude=True)
    def get(self, request: Request, name: str) -> FileResponse:
        path, content_type = FILES.get(name, ("", ""))
        found = finders.find(path) if path else None
        if not isinstance(found, str):
            raise Http404
        return FileResponse(
            Path(found).open("rb"),
            content_type=content_type,
            headers={"Cache-Control": "public, max-age=3600"},
        )

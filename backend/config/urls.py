"""The map of addresses. Each app lists its own endpoints; this file says where they begin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from config import api_docs, health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    path("api/auth/", include("accounts.urls")),
    path("api/telemetry/", include("telemetry.urls")),
    path("api/", include("accounts.people_urls")),
    path("api/", include("sites.urls")),
    path("api/", include("invitations.urls")),
    path("api/", include("commands.urls")),
    path("api/testing/", include("testing.urls")),
    path("api/schema", api_docs.Schema.as_view(), name="schema"),
    path("api/docs", api_docs.Docs.as_view(), name="docs"),
    path("api/docs/<str:name>", api_docs.DocsFile.as_view(), name="docs-file"),
]

handler400 = "config.problems.bad_request"
handler403 = "config.admin_errors.forbidden"
handler404 = "config.admin_errors.not_found"
handler500 = "config.problems.server_error"

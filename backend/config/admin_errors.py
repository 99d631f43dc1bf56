"""What a person in the admin sees instead of a problem document, which is for programs."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from config import problems


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _in_admin(request):
        return problems.not_found(request, exception)
    return _page(request, 404, "Not found", "There is nothing at this address. It may have been deleted.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _in_admin(request):
        return problems.forbidden(request, exception)
    return _page(request, 403, "Not possible here", "This cannot be done in the admin, whoever asks.")


def _in_admin(request: HttpRequest) -> bool:
    """And somebody who may be there: strangers learn nothing of its addresses."""
    return request.path.startswith("/admin/") and hasattr(request, "user") and admin.site.has_permission(request)


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "text": text}
    return TemplateResponse(request, "admin/message.html", context, status=status).render()

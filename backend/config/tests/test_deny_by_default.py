"""Every address of the API declares who may use it, and what is public is listed here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from config.permissions import Public, Undeclared
from testing.cast import Cast

PUBLIC = {
    "api/auth/login",
    "api/auth/refresh",
    "api/auth/logout",
    "api/auth/setup",
    "api/auth/password/forgot",
    "api/auth/password/reset",
    "api/auth/invitation",
    "api/auth/invitation/accept",
    "api/docs",
    "api/docs/<str:name>",
}


def views(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, type[APIView]]]:
    for entry in patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if not address.startswith("admin"):
                yield from views(entry.url_patterns, address)
        elif hasattr(entry.callback, "view_class"):
            yield address, entry.callback.view_class


def test_every_endpoint_declares_its_permission() -> None:
    undeclared = [address for address, view in views(get_resolver().url_patterns) if Undeclared in _permissions(view)]
    assert undeclared == []


def test_no_endpoint_is_public_that_is_not_listed() -> None:
    public = {
        address
        for address, view in views(get_resolver().url_patterns)
        if not _permissions(view) or any(issubclass(each, AllowAny) for each in _permissions(view))
    }
    assert public == PUBLIC
    assert issubclass(Public, AllowAny)


def _permissions(view: type[APIView]) -> list[Any]:
    return list(view.permission_classes)


@pytest.mark.parametrize("name", ["alice", "root"])
def test_an_endpoint_without_a_declaration_refuses_even_a_platform_admin(cast: Cast, name: str) -> None:
    class Forgotten(APIView):
        def get(self, request: object) -> Response:
            return Response("secret")

    request = APIRequestFactory().get("/")
    force_authenticate(request, cast.everyone()[name])
    assert Forgotten.as_view()(request).status_code == 403

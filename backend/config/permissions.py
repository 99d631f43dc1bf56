"""Deny by default: an endpoint that declares no permission answers 403 to everyone, and a test finds it.

What signed-in people may do is declared with `accounts.permissions` and `sites.permissions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # the views import this module, through the settings
    from rest_framework.views import APIView


class Undeclared(BasePermission):
    """The default: nobody."""

    message = "This endpoint declares no permission, so nobody may use it."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return False


class Public(AllowAny):
    """Anyone at all. Say why at the view."""

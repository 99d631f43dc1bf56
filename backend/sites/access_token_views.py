"""Integrators' access tokens: one's own, and those of the organizations that one administers."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Access
from accounts.actions.access_tokens import do_revoke
from accounts.authentication import access_in
from accounts.models import AccessToken
from accounts.permissions import LoggedIn, caller_context
from accounts.policy import Role
from config.filters import FilterBackend
from sites.actions.access_tokens import do_make_organizational, do_make_personal
from sites.filters import AccessTokenFilters
from sites.serializers.access_tokens import (
    AccessTokenSerializer,
    MadeAccessTokenSerializer,
    NewAccessTokenSerializer,
)

TAGS = ["access tokens"]


def described(access: Access) -> QuerySet[AccessToken]:
    """What the caller may see, with what the serializer tells of it."""
    rows = AccessToken.objects.visible_to(access).select_related("user")
    return rows.prefetch_related("user__site_accesses")


def open_token(access: Access, pk: int) -> AccessToken:
    """The guarded door of one token. Raises Http404 for a stranger."""
    found = described(access).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


class AccessTokens(ListAPIView[AccessToken]):
    """My own access tokens, and those of the organizations that I administer."""

    permission_classes = (LoggedIn,)
    serializer_class = AccessTokenSerializer
    filter_backends = (FilterBackend,)
    filterset_class = AccessTokenFilters
    queryset = AccessToken.objects.none()

    def get_queryset(self) -> QuerySet[AccessToken]:
        return described(access_in(self.request))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": timezone.now()}

    @extend_schema(tags=TAGS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Access tokens, without their secrets."""
        return super().get(request, *args, **kwargs)

    @extend_schema(tags=TAGS, request=NewAccessTokenSerializer, responses={201: MadeAccessTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make a token; its text is in this answer and nowhere else.

        A token of one's own acts as its owner; an organization's acts through a service account with `role` on `sites`,
        and is made by its org admins. Neither may ever do more than its maker.
        """
        access = access_in(request)
        form = NewAccessTokenSerializer(data=request.data, context=caller_context(request))
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        organization, role = values.pop("organization"), Role(values.pop("role", Role.VIEWER))
        if organization is None:
            token, text = do_make_personal(access, **values)
        else:
            token, text = do_make_organizational(access, organization, role=role, **values)
        context = {"now": timezone.now(), "text": text}
        response = Response(MadeAccessTokenSerializer(open_token(access, token.pk), context=context).data, status=201)
        response["Cache-Control"] = "no-store"
        return response


class OneAccessToken(APIView):
    """One access token."""

    permission_classes = (LoggedIn,)

    @extend_schema(tags=TAGS, responses=AccessTokenSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What it is for, and when it was last used."""
        token = open_token(access_in(request), pk)
        return Response(AccessTokenSerializer(token, context={"now": timezone.now()}).data)

    @extend_schema(tags=TAGS, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Revoke it: it is refused from now on, and its sockets close."""
        do_revoke(open_token(access_in(request), pk))
        return Response(status=204)

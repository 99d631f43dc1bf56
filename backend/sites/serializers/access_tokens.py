"""Access tokens on the wire. The text of one is in the answer that made it, and nowhere else."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import policy
from accounts.models import AccessToken, Organization, User
from accounts.policy import DEFAULT_SCOPES, Role, Scope
from config.strict import NameField, RowField, ShortListField, StrictSerializer
from sites.models import Site
from sites.serializers.choices import ROLES_ON_SITES

MOST_SITES = 200
SCOPES = [scope.value for scope in Scope]


class TokenUserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "name")


class AccessTokenSerializer(serializers.ModelSerializer[AccessToken]):
    """`user` is whom it acts as: its owner, or a service account of `organization`, whose strongest `role` on a site is
    named. `sites` null: all that `user` reaches. `prefix` is the part of the token that may be shown.
    """

    organization = serializers.IntegerField(source="organization_id", allow_null=True)
    user = TokenUserSerializer()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    sites = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    role = serializers.SerializerMethodField()
    active = serializers.SerializerMethodField()

    class Meta:
        model = AccessToken
        fields = (
            "id",
            "name",
            "prefix",
            "organization",
            "role",
            "user",
            "scopes",
            "sites",
            "created",
            "expires",
            "last_used",
            "revoked",
            "active",
        )

    @extend_schema_field(serializers.ChoiceField(choices=ROLES_ON_SITES, allow_null=True))
    def get_role(self, token: AccessToken) -> Role | None:
        if token.organization_id is None:
            return None
        roles = [Role(access.role) for access in token.user.site_accesses.all()]
        return policy.strongest(roles) if roles else None

    def get_active(self, token: AccessToken) -> bool:
        return token.revoked is None and token.expires > self.context["now"]


class MadeAccessTokenSerializer(AccessTokenSerializer):
    """`token` is shown this once."""

    token = serializers.SerializerMethodField()

    class Meta:
        model = AccessToken
        fields = (*AccessTokenSerializer.Meta.fields, "token")

    def get_token(self, token: AccessToken) -> str:
        text: str = self.context["text"]
        return text


class NewAccessTokenSerializer(StrictSerializer[Any]):
    """`organization` null: a token of one's own. `role` on `sites` is for an organization's token, by default viewer.
    `sites` null: all, of an organization's token those that there are now. `expires` at most 366 days ahead.
    """

    name = NameField(max_length=100)
    scopes = ShortListField(
        child=serializers.ChoiceField(choices=SCOPES),
        default=lambda: [scope.value for scope in DEFAULT_SCOPES],
        min_length=1,
        max_length=len(SCOPES),
    )
    sites = ShortListField(child=RowField(Site), allow_null=True, default=None, min_length=1, max_length=MOST_SITES)
    expires = serializers.DateTimeField()
    organization = RowField(Organization, allow_null=True, default=None)
    role = serializers.ChoiceField(choices=ROLES_ON_SITES, required=False)

    def validate_scopes(self, scopes: list[str]) -> list[Scope]:
        return [Scope(scope) for scope in scopes]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["organization"] is None and "role" in attrs:
            raise serializers.ValidationError({"role": "A token of your own has your own roles. Leave this out."})
        return attrs

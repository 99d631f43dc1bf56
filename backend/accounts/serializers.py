"""The shapes of accounts on the wire."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import two_factor
from accounts.models import LoginSession, Membership, User
from config.strict import NameField, StrictModelSerializer, StrictSerializer


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    id = serializers.IntegerField(source="organization_id")
    name = serializers.CharField(source="organization.name")
    sandbox = serializers.BooleanField(source="organization.is_sandbox")

    class Meta:
        model = Membership
        fields = ("id", "name", "role", "sandbox")


class UserSerializer(serializers.ModelSerializer[User]):
    """Oneself. `organizations` are those that are not suspended."""

    platform_admin = serializers.BooleanField(source="is_superuser")
    developer = serializers.BooleanField(source="is_developer")
    two_factor = serializers.SerializerMethodField()
    organizations = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ("id", "email", "name", "platform_admin", "developer", "two_factor", "organizations")

    def get_two_factor(self, user: User) -> bool:
        return two_factor.enabled(user)

    @extend_schema_field(MembershipSerializer(many=True))
    def get_organizations(self, user: User) -> Any:
        own = user.memberships.filter(organization__suspended=None).select_related("organization")
        return MembershipSerializer(own, many=True).data


class MeSerializer(StrictModelSerializer[User]):
    """What people may change about themselves."""

    name = NameField()

    class Meta:
        model = User
        fields = ("name",)


def secret(**options: Any) -> serializers.CharField:
    """A field that is only read, and taken as it is."""
    return serializers.CharField(max_length=200, trim_whitespace=False, write_only=True, **options)


class LoginSerializer(StrictSerializer[Any]):
    """`code`: of the authenticator, or a recovery code, where the account has a second factor."""

    email = serializers.CharField(max_length=254)
    password = secret()
    code = secret(required=False, allow_blank=True, default="")


class SetupSerializer(StrictSerializer[Any]):
    token = secret()
    email = serializers.EmailField()
    name = serializers.CharField(max_length=200)
    password = secret()
    organization = serializers.CharField(max_length=200)


class SessionSerializer(serializers.Serializer[Any]):
    """`expires`: when the access token ends, ms since the epoch."""

    access = serializers.CharField()
    expires = serializers.IntegerField()
    user = UserSerializer()


class PasswordChangeSerializer(StrictSerializer[Any]):
    current = secret()
    new = secret()


class PasswordForgotSerializer(StrictSerializer[Any]):
    email = serializers.EmailField(max_length=254)


class PasswordResetSerializer(StrictSerializer[Any]):
    """`token`: from the fragment of the link."""

    token = secret()
    new = secret()


class LoginSessionSerializer(serializers.ModelSerializer[LoginSession]):
    """`last_used`: when its tokens were last renewed, which is every few minutes; `address` and `user_agent` are from
    then. `current`: the one that asks."""

    last_used = serializers.DateTimeField(source="rotated")
    current = serializers.SerializerMethodField()

    class Meta:
        model = LoginSession
        fields = ("id", "created", "last_used", "address", "user_agent", "current")

    def get_current(self, session: LoginSession) -> bool:
        return bool(session.pk == self.context["current"])


class LoginSessionList(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = LoginSessionSerializer(many=True)


class TwoFactorSerializer(serializers.Serializer[Any]):
    """`required`: a platform admin who has none must set it up before anything else."""

    enabled = serializers.BooleanField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # ours, not DRF's
    recovery_codes_left = serializers.IntegerField()


class EnrolmentSerializer(serializers.Serializer[Any]):
    """`secret` in base32, to type; `uri` the same as otpauth://; `qr` the same as a picture, an SVG element."""

    secret = serializers.CharField()
    uri = serializers.CharField()
    qr = serializers.CharField()


class ConfirmSerializer(StrictSerializer[Any]):
    code = secret()
    password = secret()


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(child=serializers.CharField())


class ProofSerializer(StrictSerializer[Any]):
    """One of the two."""

    password = secret(required=False, allow_blank=True, default="")
    code = secret(required=False, allow_blank=True, default="")

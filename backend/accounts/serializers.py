"""The shapes of accounts on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Membership, User


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    id = serializers.IntegerField(source="organization_id")
    name = serializers.CharField(source="organization.name")

    class Meta:
        model = Membership
        fields = ("id", "name", "role")


class UserSerializer(serializers.ModelSerializer[User]):
    platform_admin = serializers.BooleanField(source="is_superuser")
    developer = serializers.BooleanField(source="is_developer")
    organizations = MembershipSerializer(source="memberships", many=True)

    class Meta:
        model = User
        fields = ("id", "email", "name", "platform_admin", "developer", "organizations")


class LoginSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)


class SetupSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=200, write_only=True)
    email = serializers.EmailField()
    name = serializers.CharField(max_length=200)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    organization = serializers.CharField(max_length=200)


class SessionSerializer(serializers.Serializer[Any]):
    """`expires`: when the access token ends, ms since the epoch."""

    access = serializers.CharField()
    expires = serializers.IntegerField()
    user = UserSerializer()

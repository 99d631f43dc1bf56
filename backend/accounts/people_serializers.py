"""The shapes of organizations, memberships, people and the system settings on the wire."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.access import Access
from accounts.models import Membership, Organization, SystemSettings, User
from config.strict import NameField, RowField, StrictModelSerializer, StrictSerializer
from ems_contract.access import Action

# Organizations ------------------------------------------------------------------------------------------------------


class OrganizationRowSerializer(StrictModelSerializer[Organization]):
    """`role` is the caller's own, null for a platform admin who is no member; `actions` is what the caller may do to
    the organization itself. The counts are for those who administer the organization, null for others.
    `delete_after`: the end of the grace period of a deletion, else null."""

    name = NameField()
    sandbox = serializers.BooleanField(source="is_sandbox", read_only=True)
    role = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()
    sites = serializers.SerializerMethodField()
    members = serializers.SerializerMethodField()

    class Meta:
        model = Organization
        fields = (
            "id",
            "name",
            "sandbox",
            "suspended",
            "delete_after",
            "created",
            "role",
            "actions",
            "sites",
            "members",
        )
        read_only_fields = ("id", "suspended", "delete_after", "created")

    @extend_schema_field(serializers.ChoiceField(choices=Membership.Role.choices, allow_null=True))
    def get_role(self, organization: Organization) -> str | None:
        return self._access.memberships.get(organization.pk)

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=[Action.MANAGE_ORG_USERS.value])))
    def get_actions(self, organization: Organization) -> list[str]:
        return [Action.MANAGE_ORG_USERS.value] if self._access.administers(organization.pk) else []

    def get_sites(self, organization: Organization) -> int | None:
        return self._count(organization, "site_count")

    def get_members(self, organization: Organization) -> int | None:
        return self._count(organization, "member_count")

    def _count(self, organization: Organization, annotation: str) -> int | None:
        return getattr(organization, annotation) if self._access.administers(organization.pk) else None

    @property
    def _access(self) -> Access:
        access: Access = self.context["access"]
        return access


class DeletionSerializer(StrictSerializer[Any]):
    """`name`: the organization's, typed again; a dry run does without."""

    name = serializers.CharField(max_length=200, trim_whitespace=False, required=False, default="")
    dry_run = serializers.BooleanField(default=True)


class DeletionPlanSerializer(serializers.Serializer[Any]):
    """`would_delete`: what goes, by noun. `delete_after`: when, at the earliest."""

    dry_run = serializers.BooleanField()
    would_delete = serializers.DictField(child=serializers.IntegerField())
    delete_after = serializers.DateTimeField()


# Memberships --------------------------------------------------------------------------------------------------------


class MemberSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "name", "is_active")


class OrganizationNameSerializer(serializers.ModelSerializer[Organization]):
    class Meta:
        model = Organization
        fields = ("id", "name")


class MembershipRowSerializer(StrictModelSerializer[Membership]):
    """Only `role` can be changed."""

    user = MemberSerializer(read_only=True)
    organization = OrganizationNameSerializer(read_only=True)
    role = serializers.ChoiceField(choices=Membership.Role.choices)

    class Meta:
        model = Membership
        fields = ("id", "user", "organization", "role")


class NewMembershipSerializer(StrictSerializer[Any]):
    user = RowField(User)
    organization = RowField(Organization)
    role = serializers.ChoiceField(choices=Membership.Role.choices, default=Membership.Role.MEMBER)


# People -------------------------------------------------------------------------------------------------------------


class PersonOrganizationSerializer(serializers.ModelSerializer[Membership]):
    id = serializers.IntegerField(source="organization_id")
    name = serializers.CharField(source="organization.name")
    sandbox = serializers.BooleanField(source="organization.is_sandbox")

    class Meta:
        model = Membership
        fields = ("id", "name", "role", "sandbox")


class PersonSerializer(serializers.ModelSerializer[User]):
    """`organizations`: those that the caller administers or shares with their own account; never all of a stranger's.

    `service`: an account that an organization's access token acts through, not a person.
    """

    platform_admin = serializers.BooleanField(source="is_superuser")
    developer = serializers.BooleanField(source="is_developer")
    two_factor = serializers.BooleanField(source="has_two_factor")
    service = serializers.BooleanField(source="is_service")
    organizations = PersonOrganizationSerializer(source="memberships", many=True)

    class Meta:
        model = User
        fields = (
            "id",
            "email",
            "name",
            "is_active",
            "platform_admin",
            "developer",
            "two_factor",
            "service",
            "erased",
            "created",
            "organizations",
        )


class PersonChangeSerializer(StrictSerializer[Any]):
    """What an org admin may change of a person."""

    name = NameField(required=False)
    is_active = serializers.BooleanField(required=False)


class PlatformPersonChangeSerializer(PersonChangeSerializer):
    """What a platform admin may change of a person."""

    platform_admin = serializers.BooleanField(source="is_superuser", required=False)
    developer = serializers.BooleanField(source="is_developer", required=False)


class EraseSerializer(StrictSerializer[Any]):
    """`email`: the person's, typed again."""

    email = serializers.CharField(max_length=254)


# The installation ---------------------------------------------------------------------------------------------------


class SystemSettingsSerializer(StrictModelSerializer[SystemSettings]):
    """`invitation_days`: how long an invitation is valid. `deletion_grace_days`: how long the deletion of an
    organization can be cancelled."""

    class Meta:
        model = SystemSettings
        fields = ("require_two_factor", "support_email", "invitation_days", "deletion_grace_days")

"""The shapes of invitations on the wire. No answer carries a token."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Membership, Organization
from accounts.people_serializers import OrganizationNameSerializer
from accounts.policy import SITE_ROLES
from config.strict import NameField, RowField, StrictSerializer
from invitations.models import Delivery, Invitation, InvitedSite, State
from sites.models import Site

MOST_SITES = 200
_ROLES = [(role.value, role.value) for role in SITE_ROLES]


class InvitedSiteSerializer(serializers.ModelSerializer[InvitedSite]):
    name = serializers.CharField(source="site.name")

    class Meta:
        model = InvitedSite
        fields = ("site", "name", "role")


class InviterSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    """`delivery` is of the e-mail; `sent` when it left, null while it waits."""

    organization = OrganizationNameSerializer()
    sites = InvitedSiteSerializer(many=True)
    invited_by = InviterSerializer(allow_null=True)
    state = serializers.ChoiceField(choices=State.choices)
    delivery = serializers.ChoiceField(choices=Delivery.choices)

    class Meta:
        model = Invitation
        fields = (
            "id",
            "organization",
            "email",
            "role",
            "sites",
            "invited_by",
            "created",
            "expires",
            "sent",
            "accepted",
            "state",
            "delivery",
        )


class NewInvitedSiteSerializer(StrictSerializer[Any]):
    site = RowField(Site)
    role = serializers.ChoiceField(choices=_ROLES)


class NewInvitationSerializer(StrictSerializer[Any]):
    """`sites`: roles that come with the membership; an org admin has every site and needs none."""

    organization = RowField(Organization)
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=Membership.Role.choices, default=Membership.Role.MEMBER)
    sites = NewInvitedSiteSerializer(
        many=True,
        required=False,
        default=list,
        max_length=MOST_SITES,  # type: ignore[call-arg]  # of the list
    )

    def validate_email(self, email: str) -> str:
        return email.lower()


class TokenSerializer(StrictSerializer[Any]):
    """`token`: from the link, after `#token=`."""

    token = serializers.CharField(max_length=200, write_only=True)


class InvitationLookSerializer(serializers.Serializer[Any]):
    """What the holder of the link is told. With `has_account` they log in to accept, without they choose a password."""

    email = serializers.EmailField()
    organization = serializers.CharField(source="organization.name")
    invited_by = serializers.CharField(source="invited_by.name")
    role = serializers.ChoiceField(choices=Membership.Role.choices)
    expires = serializers.DateTimeField()
    has_account = serializers.SerializerMethodField()

    def get_has_account(self, invitation: Invitation) -> bool:
        known: bool = self.context["has_account"]
        return known


class AcceptSerializer(TokenSerializer):
    """`name` and `password` make the account; who has one already leaves them out."""

    name = NameField(required=False, default="")
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True, required=False, default="")

"""How lists of organizations, memberships and people are narrowed and ordered."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from accounts.access import Access
from accounts.models import Membership, Organization, User
from config.filters import AmongVisible, Filters, Ordering


class OrganizationFilters(Filters):
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    sandbox = django_filters.BooleanFilter(field_name="is_sandbox", label="Holds test data only.")
    suspended = django_filters.BooleanFilter(
        field_name="suspended", lookup_expr="isnull", exclude=True, label="Is suspended."
    )
    deleting = django_filters.BooleanFilter(
        field_name="delete_after", lookup_expr="isnull", exclude=True, label="Its deletion was asked for."
    )
    ordering = Ordering("name", "created")


class MembershipFilters(Filters):
    organization = AmongVisible(Organization)
    user = AmongVisible(User)
    role = django_filters.ChoiceFilter(choices=Membership.Role.choices)
    search = django_filters.CharFilter(method="find", label="Part of the person's name or e-mail address.")
    service = django_filters.BooleanFilter(
        field_name="user__is_service", label="Service accounts of access tokens instead of people."
    )
    ordering = Ordering("role", name="user__name", email="user__email", organization="organization__name")

    def filter_queryset(self, queryset: QuerySet[Membership]) -> QuerySet[Membership]:
        found: QuerySet[Membership] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data["service"] is not None else found.filter(user__is_service=False)

    def find(self, rows: QuerySet[Membership], name: str, value: str) -> QuerySet[Membership]:
        return rows.filter(Q(user__name__icontains=value) | Q(user__email__icontains=value))


class UserFilters(Filters):
    organization = AmongVisible(Organization, method="in_organization")
    search = django_filters.CharFilter(method="find", label="Part of the name or e-mail address.")
    is_active = django_filters.BooleanFilter(label="May log in.")
    platform_admin = django_filters.BooleanFilter(field_name="is_superuser", label="Is a platform admin.")
    developer = django_filters.BooleanFilter(field_name="is_developer", label="Is a developer.")
    service = django_filters.BooleanFilter(
        field_name="is_service", label="Service accounts of access tokens instead of people."
    )
    erased = django_filters.BooleanFilter(field_name="erased", lookup_expr="isnull", exclude=True, label="Was erased.")
    ordering = Ordering("name", "email", "created")

    def filter_queryset(self, queryset: QuerySet[User]) -> QuerySet[User]:
        found: QuerySet[User] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data["service"] is not None else found.filter(is_service=False)

    def find(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return rows.filter(Q(name__icontains=value) | Q(email__icontains=value))

    def in_organization(self, rows: QuerySet[User], name: str, value: Organization) -> QuerySet[User]:
        """By the memberships that the caller sees: only who administers an organization is told who belongs to it."""
        access: Access = self.request.auth  # type: ignore[union-attr]  # DRF's own request
        return rows.filter(memberships__in=Membership.objects.visible_to(access).filter(organization=value))

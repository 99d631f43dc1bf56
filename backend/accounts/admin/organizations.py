"""Organizations: suspended and resumed, and deleted after a grace period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import localtime

from accounts import belongings
from accounts.actions import organizations
from accounts.admin.memberships import MembershipOfOrganizationInline
from accounts.models import Organization
from config.admin_operations import Operation, OperationsAdmin
from config.admin_words import rows_url, state


class TypedName(forms.Form):
    name = forms.CharField(
        label="The organization's name, typed again", max_length=200, widget=forms.TextInput({"autocomplete": "off"})
    )


def _suspend(_: HttpRequest, row: Organization, __: Mapping[str, Any]) -> str:
    organizations.do_suspend(row)
    return f"{row} is suspended."


def _resume(_: HttpRequest, row: Organization, __: Mapping[str, Any]) -> str:
    organizations.do_resume(row)
    return f"{row} is open again."


def _delete(_: HttpRequest, row: Organization, values: Mapping[str, Any]) -> str:
    organizations.check_deletion(row, values["name"])
    organizations.do_schedule_deletion(row)
    return f"{row} will be deleted after {row.delete_after:%Y-%m-%d %H:%M} UTC. Until then this can be cancelled."


def _keep(_: HttpRequest, row: Organization, __: Mapping[str, Any]) -> str:
    organizations.do_cancel_deletion(row)
    return f"{row} will not be deleted."


def _holds(row: Organization) -> dict[str, int]:
    return {noun.replace("_", " "): number for noun, number in belongings.counts(row).items()}


@admin.register(Organization)
class OrganizationAdmin(OperationsAdmin):
    list_display: tuple[str, ...] = ("name", "condition", "people_count", "created")
    list_filter = (
        "is_sandbox",
        ("suspended", admin.EmptyFieldListFilter),
        ("delete_after", admin.EmptyFieldListFilter),
    )
    search_fields = ("name",)
    readonly_fields = ("condition", "suspended", "delete_after", "created")
    fieldsets = (
        (None, {"fields": ("name",)}),
        ("Known", {"fields": (("condition", "created"), ("suspended", "delete_after"))}),
    )
    inlines = (MembershipOfOrganizationInline,)
    operations = (
        Operation(
            name="suspend",
            label="Suspend",
            question="Its people see nothing of it from now on, and open pages close within a second. Its edges go on "
            "measuring and nothing is lost.",
            run=_suspend,
            offered=lambda row: row.suspended is None,
            dangerous=True,
        ),
        Operation(
            name="resume",
            label="Resume",
            question="Its people see everything again, with the roles they had.",
            run=_resume,
            offered=lambda row: row.suspended is not None,
        ),
        Operation(
            name="delete",
            label="Delete after the grace period",
            question="When the grace period is over it is deleted with everything that it holds, for ever. Only the "
            "audit log stays. Nothing is lost before that, and the deletion can be cancelled.",
            run=_delete,
            form=TypedName,
            facts=_holds,
            offered=lambda row: row.delete_after is None,
            dangerous=True,
        ),
        Operation(
            name="keep",
            label="Cancel the deletion",
            question="It will not be deleted. Suspended it stays, if it was.",
            run=_keep,
            offered=lambda row: row.delete_after is not None,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        rows: QuerySet[Organization] = super().get_queryset(request)
        people = Count("memberships", filter=Q(memberships__user__is_service=False), distinct=True)
        return rows.annotate(people_number=people)

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        return False  # the operation has a grace period

    def links(self, row: Organization) -> list[tuple[str, str]]:
        return [("Audit log", rows_url("audit_auditevent", organization_id=row.pk))]

    def save_model(self, request: HttpRequest, obj: Organization, form: forms.ModelForm, change: bool) -> None:
        if change:
            organizations.do_rename(Organization.objects.get(pk=obj.pk), obj.name)
        else:
            obj.pk = organizations.do_create(obj.name).pk

    @admin.display(description="condition", ordering="suspended")
    def condition(self, row: Organization) -> str:
        if row.delete_after is not None:
            return state(f"deleted after {localtime(row.delete_after):%d %b %H:%M}", "bad")
        if row.suspended is not None:
            return state("suspended", "warn")
        return state("sandbox", "accent") if row.is_sandbox else state("open", "good")

    @admin.display(description="people", ordering="people_number")
    def people_count(self, row: Organization) -> int:
        return int(getattr(row, "people_number", 0))

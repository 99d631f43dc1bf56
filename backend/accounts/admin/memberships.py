"""Memberships: on their own list, and inside the pages of organizations and of people. One set of rules for all."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from accounts.actions import memberships
from accounts.models import Membership
from config.admin_operations import OperationsAdmin


def _create(row: Membership) -> Membership:
    memberships.check_create(row.user)
    return memberships.do_create(row.user, row.organization, row.role)


class RuledFormSet(BaseInlineFormSet):
    """Saves through the actions: the last org admin stays, wherever the row is edited."""

    def save_new(self, form: Any, commit: bool = True) -> Membership:
        row: Membership = super().save_new(form, commit=False)
        return _create(row) if commit else row

    def save_existing(self, form: Any, obj: Membership, commit: bool = True) -> Membership:
        return memberships.do_change_role(obj, form.cleaned_data["role"])

    def delete_existing(self, obj: Membership, commit: bool = True) -> None:
        memberships.do_delete(obj)


class _Inline(admin.TabularInline):
    """A row is given to nobody else: only its role can be changed."""

    model = Membership
    formset = RuledFormSet
    extra = 0
    other: str

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        made = super().get_formset(request, obj, **kwargs)
        made.form = fixed_once_made(made.form, self.other)
        return made

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("user", "organization")


def fixed_once_made(form: type[forms.ModelForm], *names: str) -> type[forms.ModelForm]:
    """The form with these fields disabled on rows that exist."""

    class Fixed(form):  # type: ignore[valid-type, misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if self.instance.pk:
                for name in names:
                    self.fields[name].disabled = True

    return Fixed


class MembershipOfUserInline(_Inline):
    autocomplete_fields = ("organization",)
    other = "organization"


class MembershipOfOrganizationInline(_Inline):
    autocomplete_fields = ("user",)
    other = "user"
    verbose_name_plural = "people"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).filter(user__is_service=False)


@admin.register(Membership)
class MembershipAdmin(OperationsAdmin):
    list_display = ("user", "person", "organization", "role")
    list_display_links = ("user",)
    list_filter = ("role", ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name", "organization__name")
    autocomplete_fields = ("user", "organization")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.filter(user__is_service=False)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("user", "organization") if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Membership, form: forms.ModelForm, change: bool) -> None:
        if change:
            memberships.do_change_role(obj, obj.role)
        else:
            obj.pk = _create(obj).pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        memberships.do_delete(obj)

    @admin.display(description="name", ordering="user__name")
    def person(self, row: Membership) -> str:
        return row.user.name

"""People. Nobody is deleted here: an account is disabled, or the person erased, and what they did stays known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import two_factor
from accounts.access import access_of
from accounts.actions import users
from accounts.actions.two_factor import do_disable
from accounts.admin.memberships import MembershipOfUserInline
from accounts.models import LoginSession, User
from config.admin_operations import Operation, OperationsAdmin, PlainForm
from config.admin_words import rows_url, state

RULED = ("name", "is_active", "is_superuser", "is_developer")
"""Changed by the same function as through the API."""


class NewUserForm(PlainForm, AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes = None


class UserForm(PlainForm, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"
        field_classes = None


class TypedAddress(forms.Form):
    email = forms.CharField(
        label="The person's e-mail address, typed again",
        max_length=254,
        widget=forms.TextInput({"autocomplete": "off"}),
    )


def _erase(request: HttpRequest, person: User, values: Mapping[str, Any]) -> str:
    users.check_erase(access_of(acting(request)), person, values["email"])
    return f"Erased. The account is now {users.do_erase(person)}."


def _reset_second_factor(_: HttpRequest, person: User, __: Mapping[str, Any]) -> str:
    do_disable(person)
    return f"{person} logs in with the password alone until a new authenticator is set up."


def acting(request: HttpRequest) -> User:
    """The platform admin who does this."""
    if not isinstance(request.user, User):
        raise TypeError("the admin lets someone in who is not signed in")
    return request.user


class ServiceFilter(admin.SimpleListFilter):
    """Service accounts act for access tokens; one rarely looks for them."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("service", "Service accounts"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        people, *others = super().choices(changelist)
        yield {**people, "display": "People"}
        yield from others

    def queryset(self, request: HttpRequest, rows: QuerySet[User]) -> QuerySet[User]:
        match self.value():
            case "service":
                return rows.filter(is_service=True)
            case "all":
                return rows
            case _:
                return rows.filter(is_service=False)


@admin.register(User)
class UserAdmin(OperationsAdmin, DjangoUserAdmin):
    add_form = NewUserForm
    form = UserForm
    ordering = ("email",)
    list_display = ("email", "name", "account", "standing", "organization_names", "two_factor", "last_seen")
    list_filter = (ServiceFilter, "is_active", "is_superuser", "is_developer", "memberships__role")
    search_fields = ("email", "name", "memberships__organization__name")
    search_help_text = "E-mail, name or organization"
    filter_horizontal = ()
    readonly_fields = ("two_factor", "last_seen", "created", "erased")
    fieldsets = (
        (None, {"fields": (("email", "name"),)}),
        ("Platform", {"fields": (("is_active", "is_superuser", "is_developer"),)}),
        ("Known", {"fields": (("two_factor", "last_seen"), ("created", "erased"))}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": ("email", "name", "usable_password", "password1", "password2"),
                "description": "Who belongs to an organization is better invited, and chooses the password.",
            },
        ),
    )
    inlines: ClassVar[tuple[Any, ...]] = (MembershipOfUserInline,)
    operations = (
        Operation(
            name="reset-second-factor",
            label="Reset second factor",
            question="For somebody who has lost the authenticator and the recovery codes: the password alone is asked "
            "for until a new one is set up. Make sure that it is really this person who asks.",
            run=_reset_second_factor,
            offered=two_factor.enabled,
            dangerous=True,
        ),
        Operation(
            name="erase",
            label="Erase this person",
            question="The person's name and address are replaced by a pseudonym, in the audit log too. Memberships, "
            "roles, sessions and access tokens end. This cannot be undone.",
            run=_erase,
            form=TypedAddress,
            offered=lambda person: person.erased is None and not person.is_service,
            dangerous=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        sessions = LoginSession.objects.filter(user=OuterRef("pk")).order_by("-rotated")
        return rows.prefetch_related("organizations").annotate(
            seen=sessions.values("rotated")[:1],
            second_factor=Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)),
        )

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """A new account has none of it yet."""
        return self.inlines if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        fixed = obj is not None and (obj.is_service or obj.erased is not None)
        return not fixed and super().has_change_permission(request, obj)

    def links(self, row: User) -> list[tuple[str, str]]:
        return [
            ("Sessions", rows_url("accounts_loginsession", user__id__exact=row.pk)),
            ("Set a password", reverse("admin:auth_user_password_change", args=[row.pk])),
        ]

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        person = User.objects.get(pk=obj.pk)  # as it is now; `obj` is what the form makes of it
        fields = {name: form.cleaned_data[name] for name in RULED if name in form.changed_data}
        users.check_change(access_of(acting(request)), person, fields)
        if fields:
            users.do_change(person, fields)
        if "email" in form.changed_data:
            obj.save(update_fields=["email"])

    @admin.display(description="account", ordering="is_active")
    def account(self, user: User) -> str:
        if user.erased is not None:
            return state("erased")
        return state("active", "good") if user.is_active else state("disabled", "warn")

    @admin.display(description="platform")
    def standing(self, user: User) -> str:
        words = [word for word, has in (("admin", user.is_superuser), ("developer", user.is_developer)) if has]
        return state(" & ".join(words), "accent") if words else ""

    @admin.display(description="organizations")
    def organization_names(self, user: User) -> str:
        return ", ".join(organization.name for organization in user.organizations.all())

    @admin.display(description="second factor")
    def two_factor(self, user: User) -> str:
        return state("on", "good") if getattr(user, "second_factor", False) else "–"

    @admin.display(description="last seen", ordering="seen")
    def last_seen(self, user: User) -> Any:
        return getattr(user, "seen", None) or "–"

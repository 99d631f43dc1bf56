"""People in the Django admin, for platform admins."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts.models import LoginSession, Membership, Organization, User


class NewUserForm(BaseUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes = None


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"
        field_classes = None


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = NewUserForm
    form = UserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_superuser", "is_developer", "last_login")
    list_filter = ("is_active", "is_superuser", "is_developer")
    search_fields = ("email", "name")
    filter_horizontal = ()
    readonly_fields = ("last_login", "created")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Access", {"fields": ("is_active", "is_superuser", "is_developer")}),
        ("Dates", {"fields": ("last_login", "created")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "name", "password1", "password2")}),)
    inlines = (MembershipInline,)


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    list_display = ("name", "created")
    search_fields = ("name",)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("user", "organization", "role")
    list_filter = ("role", "organization")
    search_fields = ("user__email", "organization__name")


@admin.register(LoginSession)
class LoginSessionAdmin(admin.ModelAdmin):
    list_display = ("user", "created", "rotated", "expires", "revoked")
    readonly_fields = ("user", "created", "rotated", "expires", "revoked")
    exclude = ("current", "previous")
    search_fields = ("user__email",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


# Roles are the policy's, not Django's groups.
admin.site.unregister(Group)

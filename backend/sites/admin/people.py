"""What sites add to the pages of people and of organizations."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse

from accounts.admin.memberships import fixed_once_made
from accounts.admin.organizations import OrganizationAdmin
from accounts.admin.people import UserAdmin
from accounts.models import Organization, User
from config.admin_words import rows_url
from sites.admin.sites import SiteAccessForm
from sites.admin.who import what_is_seen
from sites.models import SiteAccess


class AccessOfUserInline(admin.TabularInline):
    model = SiteAccess
    form = fixed_once_made(SiteAccessForm, "site")
    fields = ("site", "role")
    extra = 0
    autocomplete_fields = ("site",)
    verbose_name_plural = "roles on sites"


class PersonAdmin(UserAdmin):
    inlines: ClassVar = (*UserAdmin.inlines, AccessOfUserInline)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(what_is_seen)
        return [path("<int:user_id>/sees/", view, name="accounts_user_sees"), *super().get_urls()]

    def links(self, row: User) -> list[tuple[str, str]]:
        return [("What they can see", reverse("admin:accounts_user_sees", args=[row.pk])), *super().links(row)]


class TenantAdmin(OrganizationAdmin):
    list_display = ("name", "condition", "site_count", "people_count", "created")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        return super().get_queryset(request).annotate(site_number=Count("sites", distinct=True))

    def links(self, row: Organization) -> list[tuple[str, str]]:
        return [("Sites", rows_url("sites_site", organization__id__exact=row.pk)), *super().links(row)]

    @admin.display(description="sites", ordering="site_number")
    def site_count(self, row: Organization) -> int:
        return int(getattr(row, "site_number", 0))


for model, page in ((User, PersonAdmin), (Organization, TenantAdmin)):
    admin.site.unregister(model)
    admin.site.register(model, page)

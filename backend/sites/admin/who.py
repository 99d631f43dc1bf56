"""Who can see a site, and what a person can see: each role with its reasons, in the words that the API gives too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.models import User
from config.admin_words import words
from sites.explain import NAMES, Explained, explain, people_of
from sites.models import Site

MOST_SITES = 200
"""On one page; a platform admin sees every site there is."""


def who_can_see(request: HttpRequest, site_id: int) -> HttpResponse:
    """Everyone who has anything to do with the site, those who can see it first."""
    site = Site.objects.select_related("organization").filter(pk=site_id).first()
    if site is None:
        raise Http404
    people = explain(site, list(people_of(site, platform_admins=True)))
    shown = [(one.user, _row(one)) for one in people]
    return _page(request, site, f"Who can see {site}", "sites/who_can_see.html", shown)


def what_is_seen(request: HttpRequest, user_id: int) -> HttpResponse:
    """Every site that the person has anything to do with."""
    person = User.objects.filter(pk=user_id).first()
    if person is None:
        raise Http404
    sites = Site.objects.select_related("organization")
    if not person.is_superuser:
        sites = sites.filter(Q(organization__memberships__user=person) | Q(accesses__user=person)).distinct()
    chosen = list(sites.order_by("organization__name", "name")[: MOST_SITES + 1])
    shown = [(site, _row(explain(site, [person])[0])) for site in chosen[:MOST_SITES]]
    more = len(chosen) > MOST_SITES
    return _page(request, person, f"What {person.name or person} can see", "sites/what_is_seen.html", shown, more)


def _row(one: Explained) -> dict[str, Any]:
    return {
        "role": NAMES[one.role] if one.role is not None else "",
        "actions": [words(action) for action in one.actions],
        "because": one.because,
    }


def _page(
    request: HttpRequest,
    about: Site | User,
    title: str,
    template: str,
    rows: Sequence[tuple[Any, dict[str, Any]]],
    more: bool = False,
) -> HttpResponse:
    """Those who see something come first, in the order they came in."""
    ordered = sorted(rows, key=lambda row: not row[1]["role"])
    context = {
        **admin.site.each_context(request),
        "title": title,
        "opts": about._meta,
        "about": about,
        "rows": ordered,
        "more": more,
        "seeing": sum(bool(row["role"]) for _, row in rows),
    }
    return TemplateResponse(request, f"admin/{template}", context)

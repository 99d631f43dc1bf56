"""Sandboxes: organizations that hold test data only, made and thrown away by developers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from accounts.access import Access
from accounts.actions import organizations
from accounts.models import Membership, Organization, User
from config.guard import unguarded
from config.problems import Conflict, Unavailable
from sites.actions.edge_keys import do_create_key
from sites.actions.points import check_points, do_report_points
from sites.models import Edge, Site
from testing import generated_history
from testing.demo import Simulator, make_edge, make_site
from testing.demo_data import SITES, DemoSite

SITE_KEYS = tuple(site.key for site in SITES)
MOST_SANDBOXES = 5
"""Of one developer at a time; a platform admin has no limit."""
MOST_DAYS = 7
SIMULATOR = Simulator("127.0.0.1", 5020, 47820)
"""Where `ems-simulator` listens by itself."""
POLL_SECONDS = 1.0


class TooManySandboxes(Conflict):
    """Delete one first; then the same request succeeds."""

    default_code = "too_many_sandboxes"


@dataclass(frozen=True)
class NewEdge:
    """`key` is shown this once; `bootstrap` is the file that the edge starts from, with the key in it."""

    edge: Edge
    site: Site
    site_key: str
    key: str = field(repr=False)

    @property
    def bootstrap(self) -> str:
        return f"url: {settings.PUBLIC_URL}\nkey: {self.key}\nstore: ./{self.site.slug}\n"


@dataclass(frozen=True)
class NewSandbox:
    organization: Organization
    edges: list[NewEdge]


def visible_to(access: Access) -> QuerySet[Organization]:
    """The sandboxes whose org admin the caller is; a platform admin's are all. Without those that are going."""
    rows = Organization.objects.visible_to(access).filter(is_sandbox=True, delete_after=None)
    return rows if access.platform_admin else rows.filter(pk__in=access.administered)


def open_sandbox(access: Access, organization_id: int) -> Organization:
    """Raises Http404 for a stranger's and for what is no sandbox, PermissionDenied for one of which one is a member."""
    known = Organization.objects.visible_to(access).filter(is_sandbox=True, delete_after=None, pk=organization_id)
    sandbox = known.first()
    if sandbox is None:
        raise Http404
    if not access.administers(sandbox.pk):
        raise PermissionDenied
    return sandbox


def check_create(access: Access, name: str, sites: Sequence[str], history_days: int) -> None:
    """Raises ValidationError naming the field, TooManySandboxes, or Unavailable without the simulator."""
    if len(set(sites)) != len(sites):
        raise ValidationError({"sites": "A site is named twice; a sandbox has each at most once."})
    organizations.check_name(_full_name(name))
    if not access.platform_admin and visible_to(access).count() >= MOST_SANDBOXES:
        raise TooManySandboxes(f"You have {MOST_SANDBOXES} sandboxes. Delete one that you do not need any more.")
    if history_days and not generated_history.installed():
        raise Unavailable(
            "This server cannot generate history: the package ems-simulator is not installed beside the backend. "
            "Install it, or ask for history_days 0.",
            code="no_simulator",
        )


def do_create(creator: User, name: str, sites: Sequence[str], history_days: int) -> NewSandbox:
    """The creator becomes its org admin. History arrives within seconds: the worker sends it."""
    with transaction.atomic(), unguarded("rows of the sandbox that is being made"):
        organization = Organization.objects.create(name=_full_name(name), is_sandbox=True)
        Membership.objects.create(user=creator, organization=organization, role=Membership.Role.ORG_ADMIN)
        edges = [
            _new_edge(data, organization, index, history_days) for index, data in enumerate(SITES) if data.key in sites
        ]
    return NewSandbox(organization, edges)


def _new_edge(data: DemoSite, organization: Organization, number: int, history_days: int) -> NewEdge:
    site = make_site(data, organization)
    edge = make_edge(data, site, SIMULATOR, number, POLL_SECONDS)
    if generated_history.installed():
        points = generated_history.points(data.key)
        do_report_points(edge, check_points(edge, points), points)
    if history_days:
        generated_history.schedule(edge.pk, data.key, history_days)
    return NewEdge(edge, site, data.key, do_create_key(edge)[1])


def _full_name(name: str) -> str:
    """Nobody takes it for a customer, and it tells nothing of the customers' names."""
    return f"{name} (sandbox)"


def do_delete(sandbox: Organization) -> None:
    """Nobody sees it from now on; the worker removes it, with its history, within a minute. No grace period."""
    if not sandbox.is_sandbox:
        raise ValueError(f"organization {sandbox.pk} is no sandbox")
    with transaction.atomic():
        organizations.do_suspend(sandbox)
        sandbox.delete_after = timezone.now()
        sandbox.save(update_fields=["delete_after"])

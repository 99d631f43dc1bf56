"""The cast of the tests: Alice owns, Bob is on the team, Charlie is an outsider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Membership, Organization, User
from accounts.policy import Role
from sites.actions.edge_keys import do_create_key
from sites.models import Asset, Device, Edge, EdgeKey, Point, Site, SiteAccess

ClientOf = Callable[..., APIClient]
"""The fixture `client_of`: a user, or nothing, -> a client that sends their access token."""

Figures = Callable[..., None]
"""The fixture `figures`: named numbers -> printed though the test passes, and in the report of `--junit-xml`."""


@dataclass(frozen=True)
class Cast:
    """`own` is the site where everyone of Alpha has a role; `other` is Alpha's too; `foreign` is Beta's."""

    alpha: Organization
    beta: Organization
    own: Site
    other: Site
    foreign: Site
    alice: User
    """Org admin of Alpha."""
    bob: User
    """On the team: member of Alpha, viewer of `own`."""
    olga: User
    """Member of Alpha, operator of `own`."""
    max: User
    """Member of Alpha, site manager of `own`."""
    charlie: User
    """Org admin of Beta: an outsider to Alpha."""
    root: User
    """Platform admin, member of nothing."""
    dev: User
    """Developer, member of nothing."""
    password: str

    def everyone(self) -> dict[str, User]:
        names = ("alice", "bob", "olga", "max", "charlie", "root", "dev")
        return {name: getattr(self, name) for name in names}


def make_cast() -> Cast:
    password = "correct horse battery staple"  # noqa: S105 - of accounts that live for one test

    def user(name: str, **flags: bool) -> User:
        return User.objects.create_user(f"{name}@example.com", password, name=name.title(), **flags)

    alpha, beta = (Organization.objects.create(name=name) for name in ("Alpha", "Beta"))
    own, other, foreign = site(alpha, "own"), site(alpha, "other"), site(beta, "foreign")
    team = {"bob": Role.VIEWER, "olga": Role.OPERATOR, "max": Role.SITE_MANAGER}
    members = {name: user(name) for name in team}
    for name, role in team.items():
        Membership.objects.create(user=members[name], organization=alpha)
        SiteAccess.objects.create(user=members[name], site=own, role=role.value)
    alice, charlie = user("alice"), user("charlie")
    for owner, organization in ((alice, alpha), (charlie, beta)):
        Membership.objects.create(user=owner, organization=organization, role=Membership.Role.ORG_ADMIN)
    return Cast(
        alpha=alpha,
        beta=beta,
        own=own,
        other=other,
        foreign=foreign,
        alice=alice,
        charlie=charlie,
        root=user("root", is_superuser=True),
        dev=user("dev", is_developer=True),
        password=password,
        **members,
    )


def site(organization: Organization, name: str) -> Site:
    return Site.objects.create(
        organization=organization,
        name=name.title(),
        slug=name,
        timezone="Europe/Berlin",
        latitude=52.5,
        longitude=13.4,
    )


@dataclass(frozen=True)
class EdgeKit:
    """An edge with one device, one point and a key."""

    edge: Edge
    key: EdgeKey
    text: str = field(repr=False)
    device: Device
    point: Point


def edge_kit(on: Site, device: str = "grid_meter") -> EdgeKit:
    asset = Asset.objects.create(site=on, kind=Asset.Kind.GRID_CONNECTION, name="Grid connection")
    edge = Edge.objects.create(site=on, name="Edge")
    meter = Device.objects.create(
        edge=edge,
        asset=asset,
        key=device,
        name="Grid meter",
        driver="modbus",
        profile="stl_meter",
        connection={"host": "127.0.0.1", "port": 5020, "unit": 1},
    )
    point = Point.objects.create(
        site=on, device=meter, asset=asset, key=f"{device}.active_power", name="Active power", unit="W", adopted=True
    )
    key, text = do_create_key(edge)
    return EdgeKit(edge, key, text, meter, point)


def api_client(user: User | None = None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.start(user).access}")
    return client

"""Makes the demo, or finds it: running it again changes nothing that is as it should be, and keeps ids and keys."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Model

from accounts.models import Membership, Organization, User
from accounts.policy import Role
from sites import edge_keys
from sites.actions.edge_keys import do_create_key, do_revoke_key
from sites.models import Asset, Device, Edge, Site, SiteAccess
from testing.demo_data import ORGANIZATIONS, SITES, USERS, DemoDevice, DemoSite, DemoUser


class DemoAccount(msgspec.Struct, frozen=True):
    email: str
    name: str
    role: str
    organization: str


class DemoEdge(msgspec.Struct, frozen=True):
    """`site_key` is the simulator's name of the site, `key` the whole API key."""

    id: int
    site_id: int
    site_key: str
    site_name: str
    organization: str
    key: str

    def __repr__(self) -> str:
        return f"DemoEdge({self.id}, {self.site_key!r})"


class DemoFile(msgspec.Struct, frozen=True):
    """What is kept between runs, readable by its owner only. `password` opens every account."""

    password: str
    accounts: list[DemoAccount]
    edges: list[DemoEdge]

    def __repr__(self) -> str:
        return f"DemoFile({len(self.accounts)} accounts, {len(self.edges)} edges)"


class BadDemoFile(Exception):
    """The file of an earlier run cannot be read; the message names it and the remedy."""


def read_file(path: Path) -> DemoFile | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=DemoFile)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        remedy = "remove it, and new passwords and keys are made"
        raise BadDemoFile(f"{path}: {error}; repair the file, or {remedy}") from error


def write_file(path: Path, content: DemoFile) -> None:
    """Never readable by others, not even for a moment; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(content)))
    draft.replace(path)


class Simulator(NamedTuple):
    """Where it is. `modbus` is the first site's port, the others follow; `bacnet` the UDP port of its BACnet device."""

    host: str
    modbus: int
    bacnet: int

    def connection(self, device: DemoDevice, site_number: int) -> dict[str, Any]:
        if device.driver == "bacnet":
            # Polled: a change that the device tells between two polls stands in no ledger of answered reads.
            return {"address": f"{self.host}:{self.bacnet}", "device": device.unit}
        return {"host": self.host, "port": self.modbus + site_number, "unit": device.unit}


def make(kept: DemoFile | None, simulator: Simulator, poll_interval: float) -> DemoFile:
    """`poll_interval` in s."""
    password = kept.password if kept else secrets.token_urlsafe(12)
    keys = {edge.site_key: edge.key for edge in kept.edges} if kept else {}
    with transaction.atomic():
        organizations = {name: _ensure(Organization, {"name": name}, {}) for name in ORGANIZATIONS}
        edges, sites = [], {}
        for index, data in enumerate(SITES):
            site = make_site(data, organizations[data.organization])
            edge = make_edge(data, site, simulator, index, poll_interval)
            key = _key(edge, keys.get(data.key, ""))
            sites[data.key] = site
            edges.append(DemoEdge(edge.pk, site.pk, data.key, site.name, data.organization, key))
        shared = _SharedPassword(password)
        for user in USERS:
            _user(user, shared, organizations, sites)
    accounts = [DemoAccount(u.email, u.name, str(u.role), ", ".join(u.organizations)) for u in USERS]
    return DemoFile(password, accounts, edges)


def _ensure[M: Model](model: type[M], key: dict[str, Any], values: dict[str, Any]) -> M:
    """The row with this key, made or corrected only where it differs: a save would tell edges and sessions."""
    row = model._default_manager.filter(**key).first()
    if row is None:
        return model._default_manager.create(**key, **values)
    different = [name for name, value in values.items() if getattr(row, name) != value]
    for name in different:
        setattr(row, name, values[name])
    if different:
        row.save()
    return row


def make_site(data: DemoSite, organization: Organization) -> Site:
    return _ensure(
        Site,
        {"organization": organization, "slug": data.slug},
        {
            "name": data.name,
            "timezone": data.timezone,
            "latitude": data.latitude,
            "longitude": data.longitude,
            "address": data.address,
            "operators_may_control": data.operators_may_control,
        },
    )


def make_edge(data: DemoSite, site: Site, simulator: Simulator, number: int, poll_interval: float) -> Edge:
    """`number` is the site's place among the simulator's."""
    building = _ensure(Asset, {"site": site, "parent": None, "name": data.name}, {"kind": Asset.Kind.BUILDING})
    edge = _ensure(Edge, {"site": site, "name": f"{data.name} edge"}, {"poll_interval": poll_interval})
    for device in data.devices:
        asset = _ensure(Asset, {"site": site, "parent": building, "name": device.asset}, {"kind": device.asset_kind})
        _ensure(
            Device,
            {"site": site, "key": device.key},
            {
                "edge": edge,
                "asset": asset,
                "name": device.name,
                "driver": device.driver,
                "profile": device.profile,
                "connection": simulator.connection(device, number),
            },
        )
    return edge


def _key(edge: Edge, kept: str) -> str:
    """The key of an earlier run, if it still opens this edge. Else a new one; the others may be in anyone's hands."""
    found = edge_keys.find(kept)
    if found is not None and found.edge_id == edge.pk:
        return kept
    for lost in edge.keys.filter(revoked=None):
        do_revoke_key(lost)
    return do_create_key(edge)[1]


class _SharedPassword:
    """One password for every demo account, hashed once: a good hash is slow on purpose."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._good: str | None = None

    def give(self, user: User) -> None:
        """Nothing is written for a user who has it already."""
        if self._good is None and user.has_usable_password() and check_password(self._password, user.password):
            self._good = user.password
        if self._good is None:
            self._good = make_password(self._password)
        if user.password != self._good:
            user.password = self._good
            user.save()


def _user(
    data: DemoUser, password: _SharedPassword, organizations: dict[str, Organization], sites: dict[str, Site]
) -> None:
    flags = {"is_superuser": data.role == Role.PLATFORM_ADMIN, "is_developer": data.role == "developer"}
    user = _ensure(User, {"email": data.email}, {"name": data.name, "is_active": True, **flags})
    password.give(user)
    role = Membership.Role.ORG_ADMIN if data.role == Role.ORG_ADMIN else Membership.Role.MEMBER
    for name in data.organizations:
        _ensure(Membership, {"user": user, "organization": organizations[name]}, {"role": role})
    for key, site_role in data.roles.items():
        _ensure(SiteAccess, {"user": user, "site": sites[key]}, {"role": site_role.value})

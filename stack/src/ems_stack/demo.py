"""The demo: what `manage.py demo` made, and a bootstrap file for each of its edges."""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

from ems_stack.manage import ManageError, manage
from ems_stack.services import Table
from ems_stack.state import write_private


class DemoAccount(msgspec.Struct, frozen=True):
    """`role` is viewer, operator, site_manager, org_admin, platform_admin or developer."""

    email: str
    name: str
    role: str
    organization: str
    password: str

    def __repr__(self) -> str:
        return f"DemoAccount({self.email!r}, {self.role!r}, {self.organization!r})"


class DemoSite(msgspec.Struct, frozen=True):
    """`key` is the simulator's name of the site; `id` and `edge_id` are the database's."""

    key: str
    id: int
    name: str
    organization: str
    edge_id: int


class DemoData(msgspec.Struct, frozen=True):
    accounts: list[DemoAccount]
    sites: list[DemoSite]


class _Person(msgspec.Struct, frozen=True):
    email: str
    name: str
    role: str
    organization: str


class _Edge(msgspec.Struct, frozen=True):
    id: int
    site_id: int
    site_key: str
    site_name: str
    organization: str
    key: str


class _File(msgspec.Struct, frozen=True):
    """What `manage.py demo --out` writes."""

    password: str
    accounts: list[_Person]
    edges: list[_Edge]


def ensure(table: Table) -> DemoData:
    """Make the demo's organizations, sites, users and edges, or find them. Raises ManageError."""
    path = table.state.root / "demo.json"
    options = ["--out", str(path), "--modbus-port", str(table.ports.modbus), "--bacnet-port", str(table.ports.bacnet)]
    options += ["--poll-interval", str(table.options.poll_interval)]
    manage(table.django(), "demo", *options)
    made = msgspec.json.decode(path.read_bytes(), type=_File)
    edges = [edge for edge in made.edges if edge.site_key in table.options.sites]
    for edge in edges:
        write_private(_key_file(table, edge.site_key), edge.key)
    accounts = [
        DemoAccount(one.email, one.name, one.role, one.organization, password=made.password) for one in made.accounts
    ]
    return DemoData(
        accounts, [DemoSite(edge.site_key, edge.site_id, edge.site_name, edge.organization, edge.id) for edge in edges]
    )


def bootstrap(table: Table, site: DemoSite) -> Path:
    """Write the file that the site's edge starts from."""
    path = table.state.edges / f"{site.key}.yaml"
    content = {
        "url": table.url("backend"),
        "key_file": str(_key_file(table, site.key)),
        "store": str(table.state.data / "edges" / site.key),
    }
    write_private(path, yaml.safe_dump(content, sort_keys=False))
    return path


def first_admin_link(table: Table) -> str | None:
    """The one-time link that creates the first admin; None when there are users already."""
    try:
        return manage(table.django(), "first_admin").strip()
    except ManageError:
        return None


def _key_file(table: Table, site_key: str) -> Path:
    return table.state.edges / f"{site_key}.key"

"""The demo: what `manage.py demo` made, and a bootstrap file for each of its edges."""

from __future__ import annotations

import msgspec


class DemoAccount(msgspec.Struct, frozen=True):
    """`role` is one of viewer, operator, site_manager, org_admin, platform_admin."""

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


class _MadeEdge(msgspec.Struct, frozen=True):
    site_key: str
    api_key: str


class _Made(msgspec.Struct, frozen=True):
    accounts: list[DemoAccount]
    sites: list[DemoSite]
    edges: list[_MadeEdge]


def ensure(table: Table) -> DemoData:
    """Make the demo's organizations, sites, users and edges, or find them. Raises ManageError."""
    environment = {**table.django(), "EMS_DEMO_PASSWORD": table.secrets.demo_password}
    words = ["demo", "--poll-interval", str(table.options.poll_interval), "--modbus-port", str(table.ports.modbus)]
    made = msgspec.json.decode(manage(environment, *words), type=_Made)
    for edge in made.edges:
        write_private(table.state.edges / f"{edge.site_key}.key", edge.api_key)
    return DemoData(made.accounts, made.sites)


def bootstrap(table: Table, site: DemoSite) -> Path:
    """Write the file that the site's edge starts from."""
    path = table.state.edges / f"{site.key}.yaml"
    content = {
        "url": table.url("backend"),
        "key_file": str(table.state.edges / f"{site.key}.key"),
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

"""What the commands print: the URL table, the demo logins, the state of the services."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table as Grid

from ems_stack.daemon import Summary
from ems_stack.supervisor import Status


def print_summary(console: Console, summary: Summary, seconds: float | None = None) -> None:
    console.print()
    grid = Grid(title="SimTestLab EMS", title_justify="left", show_header=False, box=None, padding=(0, 2))
    for name, url in summary.urls.items():
        grid.add_row(f"[bold]{name}[/]", url)
    console.print(grid)
    if summary.accounts:
        console.print()
        logins = Grid(title="Demo logins", title_justify="left", box=None, padding=(0, 2), header_style="dim")
        for column in ("E-mail", "Password", "Role", "Organization"):
            logins.add_column(column)
        for account in summary.accounts:
            logins.add_row(account.email, account.password, account.role.replace("_", " "), account.organization)
        console.print(logins)
    if summary.first_admin_link:
        console.print(f"\nCreate the first admin (once, within 24 h): {summary.first_admin_link}", soft_wrap=True)
    took = f"Up in {seconds:.0f} s. " if seconds is not None else "Already up. "
    console.print(f"\n[dim]{took}make logs · make down · make reset[/]")


def print_status(console: Console, statuses: Iterable[Status]) -> None:
    grid = Grid(box=None, padding=(0, 2), header_style="dim")
    for column in ("Service", "State", "Process", "Restarts", "For"):
        grid.add_column(column)
    for one in statuses:
        age = f"{time.time() - one.since:.0f} s"
        grid.add_row(one.name, one.state, str(one.pid or "–"), str(one.restarts), age)
    console.print(grid)

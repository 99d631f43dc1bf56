"""What the commands print: the addresses, the demo logins, the state of the services.

Lines are never wrapped or cut: an address or a password must survive a narrow terminal and a pipe.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from ems_stack.daemon import Summary
from ems_stack.supervisor import Status


def print_summary(console: Console, summary: Summary, seconds: float | None = None) -> None:
    """`seconds` is how long the start took; None says that it was up before."""
    console.print("\n[bold]SimTestLab EMS[/]\n")
    print_grid(console, None, [(name, url) for name, url in summary.urls.items()])
    if summary.accounts:
        console.print("\n[bold]Demo logins[/]\n")
        header = ("E-mail", "Password", "Role", "Organization")
        rows = [(one.email, one.password, one.role.replace("_", " "), one.organization) for one in summary.accounts]
        print_grid(console, header, rows)
    if summary.first_admin_link:
        console.print("\n[bold]Create the first admin[/] (once, within 24 hours)\n")
        console.print(f"  {summary.first_admin_link}", soft_wrap=True, highlight=False)
    took = f"Up in {seconds:.0f} s." if seconds is not None else "Already up."
    console.print(f"\n{took} [dim]make logs · make status · make down · make reset[/]")


def print_status(console: Console, statuses: Iterable[Status]) -> None:
    rows = [
        (one.name, str(one.state), str(one.pid or "–"), str(one.restarts), f"{time.time() - one.since:.0f} s")
        for one in statuses
    ]
    print_grid(console, ("Service", "State", "Process", "Restarts", "For"), rows)


def print_grid(console: Console, header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> None:
    """Left-aligned columns, two blanks apart."""
    shown = [*([header] if header else []), *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*shown, strict=True)]

    def line(row: Sequence[str]) -> str:
        return "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

    if header:
        console.print(Text(line(header), style="dim"), soft_wrap=True)
    for row in rows:
        console.print(Text(line(row)), soft_wrap=True)

"""Which operating system account runs PostgreSQL, and what that account can reach.

PostgreSQL refuses to run as root. As root (a container, a CI machine) the stack therefore starts it as an
existing unprivileged account, and puts its files where that account can go.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    def own(self, path: Path, mode: int = 0o700) -> None:
        """Give a directory or file to this account."""
        os.chown(path, self.uid, self.gid)
        path.chmod(mode)

    @property
    def popen(self) -> dict[str, Any]:
        """Keyword arguments for subprocess that run a command as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def unprivileged() -> Account | None:
    """The account for PostgreSQL; None when the current one will do (it is not root)."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise RuntimeError(
        f"PostgreSQL does not run as root and there is no account {' or '.join(map(repr, CANDIDATES))}; "
        "create one (useradd --system postgres) or run as an ordinary user"
    )


def can_reach(account: Account, path: Path) -> bool:
    """Whether the account may enter every directory down to `path`, asked of the kernel, not guessed."""
    probe = subprocess.run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)], cwd="/", check=False, **account.popen)
    return probe.returncode == 0

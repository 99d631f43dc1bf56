"""Runs `manage.py` words of the backend and reads their answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from ems_stack.paths import BACKEND
from ems_stack.processes import inherited_environment


class ManageError(RuntimeError):
    """A management command failed; the message has its last words."""


def manage(environment: Mapping[str, str], *words: str, secret_input: str | None = None) -> str:
    """Returns what the command printed. Raises ManageError."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=BACKEND,
        env={**inherited_environment(), **environment},
        input=secret_input,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise ManageError(f"manage.py {' '.join(words)} failed:\n{said}")
    return done.stdout

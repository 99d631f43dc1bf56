"""What several files of tests need: a supervisor in a temporary place, and little programs to supervise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ems_stack.processes import Service
from ems_stack.supervisor import Backoff, Supervisor


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    (tmp_path / "logs").mkdir()
    one = Supervisor(tmp_path / "logs", tmp_path / "processes.json", Backoff(first=0.1, longest=0.4))
    yield one
    one.close()


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Service]:
    """program("name", "python source", ready=...) -> a service that runs it."""

    def make(name: str, source: str, **settings: object) -> Service:
        path = tmp_path / f"{name}.py"
        path.write_text(source)
        return Service(name=name, command=[sys.executable, str(path)], cwd=tmp_path, **settings)  # type: ignore[arg-type]

    return make

"""`make test`, `make check` and `make gen`: which commands they are, and one summary at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from ems_stack import browser, peers
from ems_stack.paths import BACKEND, REPOSITORY, WEB

PACKAGES = ("ems_contract", "ems_client", "ems_edge", "ems_realtime", "ems_simulator", "ems_stack", "ems_prove")
GENERATED = (
    REPOSITORY / "contract" / "schema" / "contract.schema.json",
    REPOSITORY / "docs" / "reference" / "openapi.yaml",
    REPOSITORY / "docs" / "reference" / "profile.schema.json",
    REPOSITORY / "docs" / "reference" / "asyncapi.yaml",
    WEB / "src" / "domain" / "contract.gen.ts",
    WEB / "src" / "infrastructure" / "api.gen.ts",
    *sorted((REPOSITORY / "contract" / "fixtures").glob("*.json")),
)
_BIN = Path(sys.executable).parent
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_SERVICES = (sys.executable, "-m", "ems_stack", "services", "--")


ROOMS = ("contract", "simulator", "realtime", "client", "stack", "prove")


@dataclass(frozen=True)
class Task:
    name: str
    command: Sequence[str]
    cwd: Path = REPOSITORY
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """`last` is the command's last line: what pytest and vitest end with."""

    task: Task
    code: int
    seconds: float
    output: str

    @property
    def last(self) -> str:
        lines = [line for line in _ESCAPES.sub("", self.output).splitlines() if line.strip()]
        return lines[-1].strip("= ") if lines else ""


def _python(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *words)


def _npm(word: str) -> Task:
    return Task(f"web: {word}", ["npm", "run", "--silent", word], WEB)


def generators() -> list[Task]:
    """In this order: each reads what the one before wrote."""
    openapi = ["manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", str(GENERATED[1])]
    return [
        Task("contract schema", _python("ems_contract.schema", str(GENERATED[0].parent))),
        Task("golden messages", [sys.executable, "contract/tests/golden.py", "contract/fixtures"]),
        Task("AsyncAPI", _python("ems_contract.asyncapi", "contract/fixtures", str(GENERATED[3]))),
        Task("OpenAPI", [sys.executable, *openapi], BACKEND, {"EMS_ENV": "test"}),
        Task("profile schema", _python("ems_edge.profile_schema", str(GENERATED[2]))),
        _npm("gen"),
    ]


def checkers() -> list[Task]:
    packages = [word for package in PACKAGES for word in ("-p", package)]
    return [
        Task("mypy: backend", _python("mypy", "."), BACKEND),
        Task("mypy: services", _python("mypy", *packages)),
        Task("ruff", [str(_BIN / "ruff"), "check", "."]),
        Task("ruff format", [str(_BIN / "ruff"), "format", "--check", "."]),
        Task("import rules", [str(_BIN / "lint-imports")]),
        Task("locks", _python("ems_stack", "lock-check")),
        Task(
            "migrations", [*_SERVICES, sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"], BACKEND
        ),
        _npm("lint"),
        _npm("typecheck"),
    ]


def tests() -> list[list[Task]]:
    """Groups, one after the other because a browser takes the whole machine; those of a group run at once."""
    pytest = [*_SERVICES, sys.executable, "-m", "pytest"]
    apps = sorted(path.parent.name for path in BACKEND.glob("*/tests"))
    people = [app for app in apps if app in ("accounts", "audit", "invitations", "sites", "testing")]
    return [
        [  # the longest and the others
            Task("the edge", [*pytest, "edge"]),
            Task("contract, simulator, realtime, client, stack, prove", [*pytest, *ROOMS]),
        ],
        [  # each with services of its own, and with its own settings: Django's
            Task("backend: people, sites, audit", [*pytest, *people], BACKEND),
            Task("backend: history and the rest", [*pytest, *(app for app in apps if app not in people)], BACKEND),
        ],
        [Task("web", ["npm", "run", "--silent", "test"], WEB)],
        [Task("browser", [*pytest, "e2e"])],
    ]


def run_generators(console: Console) -> int:
    GENERATED[1].parent.mkdir(parents=True, exist_ok=True)
    for task in generators():
        outcome = _run(task)
        _report(console, outcome)
        if outcome.code:
            return 1
    return 0


def run_checks(console: Console) -> int:
    """Everything, two at a time; the output of what failed comes at the end."""
    started = time.monotonic()
    outcomes = []
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(_run, task) for task in checkers()]:
            outcomes.append(future.result())
            _report(console, outcomes[-1])
    drift = _drift(console)
    failed = [one for one in outcomes if one.code]
    for one in failed:
        console.rule(one.task.name)
        console.print(one.output, markup=False, soft_wrap=True)
    names = [one.task.name for one in failed] + drift
    _close(console, names, f"{len(outcomes) + len(GENERATED)} checks", time.monotonic() - started)
    return 1 if names else 0


def run_tests(console: Console) -> int:
    """What a task prints is shown as it comes; of tasks that run at once, each one's as it ends."""
    started = time.monotonic()
    environment = {"EMS_CHROMIUM": str(browser.find(console.print))}
    peers.prepare(console.print)
    outcomes: list[Outcome] = []
    for group in tests():
        alone = len(group) == 1
        with ThreadPoolExecutor(len(group)) as pool:
            running = [pool.submit(_run, task, environment, show=alone) for task in group]
            console.rule(" and ".join(task.name for task in group))
            for future in as_completed(running):
                outcomes.append(future.result())
                if not alone:
                    console.print(outcomes[-1].output, markup=False, highlight=False, soft_wrap=True)
    console.rule("summary")
    for outcome in outcomes:
        _report(console, outcome, outcome.last)
    failed = [one.task.name for one in outcomes if one.code]
    _close(console, failed, "all tests", time.monotonic() - started)
    return 1 if failed else 0


def _drift(console: Console) -> list[str]:
    """Generate anew and compare with what is there; what was there is put back. Returns the names that differ."""
    before = {path: path.read_bytes() if path.exists() else None for path in GENERATED}
    outcomes: list[Outcome] = []
    try:
        for task in generators():
            outcomes.append(_run(task))
            if outcomes[-1].code:
                _report(console, outcomes[-1])
                console.print(outcomes[-1].output, markup=False, soft_wrap=True)
                return [outcomes[-1].task.name]
        changed = [path for path in GENERATED if not path.exists() or path.read_bytes() != before[path]]
    finally:
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
    names = [str(path.relative_to(REPOSITORY)) for path in changed]
    seconds = sum(one.seconds for one in outcomes)
    told = f"{', '.join(names)} differ from their source; run `make gen`" if names else ""
    _line(console, not names, "generated files", seconds, told)
    return names


def _run(task: Task, environment: dict[str, str] | None = None, *, show: bool = False) -> Outcome:
    started = time.monotonic()
    colours = {"FORCE_COLOR": "1", "PY_COLORS": "1"} if show and sys.stdout.isatty() else {}
    process = subprocess.Popen(
        task.command,
        cwd=task.cwd,
        env={**os.environ, **colours, **task.environment, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None  # noqa: S101 -- a pipe was asked for
    output = "".join(_lines(process.stdout, show=show))
    return Outcome(task, process.wait(), time.monotonic() - started, output)


def _lines(stream: Iterable[str], *, show: bool) -> Iterable[str]:
    for line in stream:
        if show:
            sys.stdout.write(line)
            sys.stdout.flush()
        yield line


def _report(console: Console, outcome: Outcome, told: str = "") -> None:
    _line(console, outcome.code == 0, outcome.task.name, outcome.seconds, told)


def _line(console: Console, good: bool, name: str, seconds: float, told: str = "") -> None:
    mark = "[green]✓[/]" if good else "[red]✗[/]"
    console.print(f"  {mark} {name:<20} [dim]{seconds:6.1f} s[/]  {told}", highlight=False, soft_wrap=True)


def _close(console: Console, failed: list[str], what: str, seconds: float) -> None:
    if failed:
        console.print(f"\n[bold red]Failed:[/] {', '.join(failed)}  [dim]({seconds:.0f} s)[/]", soft_wrap=True)
    else:
        console.print(f"\n[bold green]Passed:[/] {what} [dim]({seconds:.0f} s)[/]")

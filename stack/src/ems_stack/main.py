"""The command line of the stack: `python -m ems_stack WORD`; the Makefile has a target for each."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from ems_stack import browser, checks, daemon, lock, pages, throwaway
from ems_stack.log_view import Follower, show
from ems_stack.options import StackOptions
from ems_stack.progress import ConsoleSink, Progress
from ems_stack.stack import Stack
from ems_stack.state import State, default_state
from ems_stack.supervisor import end_leftovers

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(highlight=False)


@app.callback()
def root() -> None:
    """Start, watch and stop PostgreSQL, Redis and every service of SimTestLab EMS on one machine."""


@app.command()
def up() -> None:
    """Start everything in the background and wait until it is healthy. Harmless when it is up already."""
    StackOptions.from_environment()  # a wrong variable is named here, before anything starts
    state = default_state()
    begun = time.monotonic()
    if daemon.owner(state) is None:
        daemon.launch(state)
    elif known := daemon.read_summary(state):
        pages.print_summary(console, known)
        return
    sink = ConsoleSink(console)
    try:
        for event in daemon.watch_progress(state):
            sink(event)
            if event.kind == "error":
                sink.close()
                _fail(event.text, "Not up.")
    except KeyboardInterrupt:
        sink.close()
        console.print("\nStopping what was started ...")
        _down(state)
        sys.exit(130)
    finally:
        sink.close()
    summary = daemon.read_summary(state)
    if summary is None:
        _fail("the stack went down again; `make logs S=stack` says why", "Not up.")
    pages.print_summary(console, summary, time.monotonic() - begun)


@app.command()
def down() -> None:
    """Stop everything; the data stays."""
    if not _down(default_state()):
        console.print("Nothing was up.")


@app.command()
def reset(force: Annotated[bool, typer.Option(help="Do not ask.")] = False) -> None:
    """Stop everything and delete all data of this clone's stack."""
    state = default_state()
    if not force and os.environ.get("FORCE") != "1":
        console.print(f"This deletes all data in {state.root}: history, users, logs, secrets.")
        if console.input("Type [bold]reset[/] to go on: ").strip() != "reset":
            console.print("Nothing was deleted.")
            sys.exit(1)
    _down(state)
    if state.root.exists():
        state.remove()
    console.print(f"Deleted {state.root}.")


@app.command()
def dev() -> None:
    """The same stack in the foreground with live reload; Ctrl-C stops it."""
    options = StackOptions.from_environment(dev=True)
    state = default_state()
    closing = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    begun = time.monotonic()
    sink = ConsoleSink(console)
    stack = Stack(options, Progress(sink))
    with daemon.exclusive(state):
        follower = Follower(state.logs, lines_before=0)
        list(follower.poll())
        try:
            stack.up()
            sink.close()
            pages.print_summary(console, daemon.summary(stack), time.monotonic() - begun)
            show(console, follower, closing)
        except KeyboardInterrupt:
            console.print()
        finally:
            sink.close()
            stack.down()
            sink.close()


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="One service; all without.")] = None,
    follow: Annotated[bool, typer.Option(help="Go on as lines come.")] = True,
) -> None:
    """Show and follow the logs."""
    state = default_state()
    known = sorted(path.stem for path in state.logs.glob("*.log")) if state.logs.exists() else []
    if not known or (service and service not in known):
        remedy = f"choose from {', '.join(known)}" if known else "`make up` starts the services that write them"
        _fail(f"S: there is no log of {service or 'any service'}; {remedy}")
    closing = threading.Event()
    if not follow:
        closing.set()
    try:
        show(console, Follower(state.logs, service, lines_before=100 if service else 10), closing)
    except KeyboardInterrupt:
        console.print()


@app.command()
def status() -> None:
    """Which services run."""
    state = default_state()
    if daemon.owner(state) is None:
        console.print("The stack is down. `make up` starts it.")
        sys.exit(3)
    pages.print_status(console, daemon.read_status(state))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def services(command: list[str]) -> None:
    """Run a command with a throw-away PostgreSQL and Redis: `services -- pytest backend`."""
    sys.exit(throwaway.run(command))


@app.command()
def test() -> None:
    """All tests of all rooms, with one closing summary."""
    sys.exit(checks.run_tests(console))


@app.command()
def check() -> None:
    """Style, types, import rules, drift of everything generated."""
    sys.exit(checks.run_checks(console))


@app.command()
def gen() -> None:
    """Write everything that is generated: JSON Schema, OpenAPI, TypeScript types."""
    sys.exit(checks.run_generators(console))


@app.command("lock")
def lock_dependencies(upgrade: Annotated[bool, typer.Option(help="Take the newest versions.")] = False) -> None:
    """Compile requirements/*.txt from the rooms' pyproject.toml."""
    lock.compile_all(upgrade=upgrade)


@app.command("lock-check", hidden=True)
def lock_check() -> None:
    found = lock.problems()
    for problem in found:
        console.print(problem)
    sys.exit(bool(found))


@app.command("browser", hidden=True)
def find_browser() -> None:
    """Print the path of a Chromium, installing one if that is possible."""
    console.print(str(browser.find(Console(stderr=True).print)))


@app.command(hidden=True)
def supervise() -> None:
    """The background process of `up`."""
    sys.exit(daemon.supervise())


def _down(state: State) -> bool:
    pid = daemon.owner(state)
    if pid is not None:
        sink = ConsoleSink(console)
        for event in daemon.ask_to_stop(state, pid):
            sink(event)
        sink.close()
    left = end_leftovers(state.run / "processes.json")
    for name in left:
        console.print(f"  ended {name}, which an earlier stack had left running")
    return pid is not None or bool(left)


def _fail(message: str, headline: str = "Error:") -> NoReturn:
    """`message` may hold brackets of its own (an IPv6 address, a wrong value): they are not markup."""
    text = f"[bold red]{headline}[/] {escape(message)}"
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
    sys.exit(1)


def main() -> None:
    try:
        app()
    except (RuntimeError, ValueError, OSError) as error:
        # A sentence for a person; the trace is for EMS_DEBUG.
        if os.environ.get("EMS_DEBUG") == "1":
            raise
        _fail(str(error))

"""The background process of `make up`, and the words that talk to it.

It holds an exclusive lock on run/stack.lock for its life, so "is it up?" is asked of the kernel, not of a process id.
It tells its progress in run/progress.ndjson and, once up, its addresses in run/stack.json.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import IO

import msgspec
import structlog
from ems_contract import logs

from ems_stack.demo import DemoAccount
from ems_stack.options import StackOptions
from ems_stack.processes import last_words, rotate, wait_until
from ems_stack.progress import Event, FileSink, Progress, follow
from ems_stack.stack import Stack
from ems_stack.state import State, write_private
from ems_stack.supervisor import Status

STOP_SECONDS = 120


class AlreadyUpError(RuntimeError):
    """Another stack holds this state directory."""


class Summary(msgspec.Struct, frozen=True):
    """What `make up` prints at the end. Kept 0600: it has the demo's password and, perhaps, the first admin's link."""

    urls: dict[str, str]
    accounts: list[DemoAccount]
    first_admin_link: str | None


@contextlib.contextmanager
def exclusive(state: State) -> Iterator[IO[str]]:
    """Hold the state directory. Raises AlreadyUpError."""
    state.prepare()
    with (state.run / "stack.lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUpError(f"a stack is already up in {state.root}") from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield handle


def owner(state: State) -> int | None:
    """The process id of whoever runs the stack of this state directory."""
    path = state.run / "stack.lock"
    if not path.exists():
        return None
    with path.open("r") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = handle.read().strip()
            return int(text) if text else None
    return None


def launch(state: State) -> None:
    """Start the background process, detached from this terminal."""
    state.prepare()
    log = state.logs / "stack.log"
    rotate(log)
    (state.run / "progress.ndjson").write_bytes(b"")
    with log.open("ab") as output:
        subprocess.Popen(
            [sys.executable, "-m", "ems_stack", "supervise"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "EMS_STATE_DIR": str(state.root)},
        )


def watch_progress(state: State) -> Iterator[Event]:
    """What the background process does, until it is ready or has failed. Raises RuntimeError if it dies silently."""
    if not wait_until(lambda: owner(state) is not None or _said_something(state), 15):
        raise RuntimeError(f"the background process did not start:\n{last_words(state.logs / 'stack.log')}")
    quiet = 0
    for event in follow(state.run / "progress.ndjson"):
        if event is None:
            quiet = quiet + 1 if owner(state) is None else 0
            if quiet > 20:
                raise RuntimeError(f"the background process ended:\n{last_words(state.logs / 'stack.log')}")
            threading.Event().wait(0.1)
            continue
        yield event
        if event.kind in {"ready", "error"}:
            return


def supervise() -> int:
    """The background process itself: bring the stack up, keep it up until SIGTERM, take it down."""
    options = StackOptions.from_environment()
    logs.configure("stack", options.log_level)
    log = structlog.get_logger()
    assert options.state_dir is not None  # noqa: S101 -- from_environment names one
    state = State(options.state_dir)
    closing = threading.Event()

    def close(_: int, __: FrameType | None) -> None:
        if not closing.is_set():
            closing.set()
            if starting:
                raise KeyboardInterrupt  # out of whatever step is under way

    with exclusive(state):
        sink = FileSink(state.run / "progress.ndjson")
        stack = Stack(options, Progress(sink))
        starting = True
        signal.signal(signal.SIGTERM, close)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            stack.up()
        except KeyboardInterrupt:
            sink(Event("error", "stopped while it started"))
            return 0
        except (RuntimeError, OSError, ValueError) as error:
            log.exception("stack did not start")
            sink(Event("error", str(error)))
            return 1
        starting = False
        write_private(state.run / "status.json", msgspec.json.encode(stack.status()))
        write_private(state.run / "stack.json", msgspec.json.encode(summary(stack)))
        sink(Event("ready", "up"))
        log.info("stack is up")
        while not closing.wait(1):
            write_private(state.run / "status.json", msgspec.json.encode(stack.status()))
        stack.down()
        for name in ("stack.json", "status.json"):
            (state.run / name).unlink(missing_ok=True)
        sink(Event("stopped", "down"))
    return 0


def summary(stack: Stack) -> Summary:
    table = stack.table
    urls = {
        "Web": table.url("web"),
        "REST API": f"{table.url('backend')}/api/docs",
        "Django admin": f"{table.url('backend')}/admin/",
        "WebSocket": table.url("ws"),
        "Simulator": f"{table.url('simulator')}/sites",
        "Historian": f"{table.url('historian')}/readyz",
        "Worker": f"{table.url('worker')}/readyz",
        "Redis": table.url("redis"),
    }
    shown = {"Web": "web", "REST API": "backend", "Django admin": "backend", "WebSocket": "realtime"}
    shown |= {"Simulator": "simulator", "Historian": "historian", "Worker": "worker"}
    kept = {name: url for name, url in urls.items() if name not in shown or stack.options.runs(shown[name])}
    return Summary(kept, stack.accounts if stack.demo else [], stack.first_admin_link)


def read_status(state: State) -> list[Status]:
    """As the background process last wrote it."""
    with contextlib.suppress(FileNotFoundError):
        return msgspec.json.decode((state.run / "status.json").read_bytes(), type=list[Status])
    return []


def read_summary(state: State) -> Summary | None:
    with contextlib.suppress(FileNotFoundError):
        return msgspec.json.decode((state.run / "stack.json").read_bytes(), type=Summary)
    return None


def ask_to_stop(state: State, pid: int) -> Iterator[Event]:
    """Send SIGTERM and yield what is said until the process is gone. Raises RuntimeError if it does not go."""
    path = state.run / "progress.ndjson"
    begin = path.stat().st_size
    os.kill(pid, signal.SIGTERM)
    waited = 0.0
    for event in follow(path, begin):
        if event is not None:
            yield event
            continue
        if owner(state) is None:
            return
        waited += 0.1
        if waited > STOP_SECONDS:
            raise RuntimeError(f"process {pid} did not stop within {STOP_SECONDS} s; its log is {state.logs}/stack.log")
        threading.Event().wait(0.1)


def _said_something(state: State) -> bool:
    return (state.run / "progress.ndjson").stat().st_size > 0

"""What happens, in which order, until a stack is up. Long things that do not wait for one another overlap."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol

import httpx

from ems_stack import demo, demo_history, web_build
from ems_stack.health import why_not
from ems_stack.manage import manage
from ems_stack.options import StackOptions
from ems_stack.paths import WEB
from ems_stack.postgres import Postgres
from ems_stack.processes import Service, wait_until
from ems_stack.progress import Progress
from ems_stack.redis_server import RedisServer
from ems_stack.services import Table
from ems_stack.state import State
from ems_stack.supervisor import StartError, Supervisor

FIRST_SAMPLE_SECONDS = 60


class Stack(Protocol):
    """What starting needs of `stack.Stack`; `demo` and `first_admin_link` are set on the way."""

    demo: demo.DemoData | None
    first_admin_link: str | None

    @property
    def options(self) -> StackOptions: ...
    @property
    def progress(self) -> Progress: ...
    @property
    def state(self) -> State: ...
    @property
    def supervisor(self) -> Supervisor: ...
    @property
    def table(self) -> Table: ...
    def client(self, who: str) -> httpx.Client: ...


def run(stack: Stack) -> None:
    """Raises what the failing step raises; the caller stops what runs by then."""
    with ThreadPoolExecutor(thread_name_prefix="startup") as pool:
        building = pool.submit(_build_web, stack)
        try:
            _databases(stack, pool)
            _schema(stack)
            _demo_accounts(stack)
            _services(stack, pool)
            _edges(stack, pool)
            _first_samples(stack)
            if stack.demo:
                demo_history.ensure(stack.demo.sites, stack.table, stack.progress)
            _web(stack, building)
        finally:
            building.cancel()


def _databases(stack: Stack, pool: ThreadPoolExecutor) -> None:
    table = stack.table
    servers = [server for server in (table.postgres, table.redis) if server]

    def bring_up(server: Postgres | RedisServer) -> None:
        with stack.progress.step("PostgreSQL" if isinstance(server, Postgres) else "Redis"):
            server.prepare()
            service = server.service()
            stack.supervisor.add(service)
            stack.supervisor.start(service.name)

    _together(pool, [partial(bring_up, server) for server in servers])
    if table.postgres:
        table.postgres.ensure_database("ems")


def _schema(stack: Stack) -> None:
    with stack.progress.step("Database schema"):
        environment = stack.table.django()
        manage(environment, "migrate", "--no-input")
        if stack.options.history_database_url:
            manage(environment, "migrate", "--no-input", "--database", "history")


def _demo_accounts(stack: Stack) -> None:
    if not stack.options.demo:
        return
    with stack.progress.step("Demo organizations, sites, users") as step:
        stack.demo = demo.ensure(stack.table)
        step.done(f"{len(stack.demo.sites)} sites, {len(stack.demo.accounts)} users")


def _services(stack: Stack, pool: ThreadPoolExecutor) -> None:
    table, options = stack.table, stack.options
    rows = [("backend", table.backend), ("worker", table.worker), ("historian", table.historian)]
    rows += [("realtime", table.realtime), ("simulator", table.simulator)]
    chosen = [make() for name, make in rows if options.runs(name)]
    _together(pool, [partial(start, stack, service) for service in chosen])
    if not options.demo and options.runs("backend"):
        stack.first_admin_link = demo.first_admin_link(table)


def _edges(stack: Stack, pool: ThreadPoolExecutor) -> None:
    if stack.demo is None or not stack.options.runs("edges"):
        return
    with stack.progress.step("Edges"):
        services = [stack.table.edge(site.key, demo.bootstrap(stack.table, site)) for site in stack.demo.sites]
        for service in services:
            stack.supervisor.add(service)
        _together(pool, [partial(stack.supervisor.start, service.name) for service in services])


def start(stack: Stack, service: Service, label: str | None = None) -> None:
    """One step: add, start, wait until ready. The message of a failure says what /readyz misses."""
    with stack.progress.step(label or service.name.capitalize()):
        stack.supervisor.add(service)
        try:
            stack.supervisor.start(service.name)
        except StartError as error:
            if service.health_url:
                raise StartError(f"{error}\n{service.health_url} says: {why_not(service.health_url)}") from None
            raise


def _first_samples(stack: Stack) -> None:
    """Wait until history has a sample of every site that is younger than the start."""
    if stack.demo is None or not {"edges", "simulator", "historian", "backend"} <= stack.options.services:
        return
    since = int(time.time() * 1000) - 2000
    with stack.progress.step("First live sample in history"), stack.client("platform_admin") as client:
        waiting = {site.key: site.id for site in stack.demo.sites}
        last_answer = "nothing"

        def arrived() -> bool:
            nonlocal last_answer
            for key, site in list(waiting.items()):
                answer = client.get(
                    "/api/telemetry/historical",
                    params={
                        "site": site,
                        "points": "grid_meter.active_power",
                        "from": since,
                        "to": int(time.time() * 1000) + 60_000,
                        "resolution": "raw",
                    },
                )
                last_answer = f"{answer.status_code} {answer.text[:300]}"
                if answer.is_success and any(one["ts"] for one in answer.json()["series"]):
                    del waiting[key]
            return not waiting

        if not wait_until(arrived, FIRST_SAMPLE_SECONDS, pause=0.3):
            raise StartError(
                f"no sample of {', '.join(waiting)} reached history within {FIRST_SAMPLE_SECONDS} s; "
                f"the logs of the edges, the historian and the backend in {stack.state.logs} say why. "
                f"The last answer to a history query was: {last_answer}"
            )


def _build_web(stack: Stack) -> Path:
    if not stack.options.runs("web") or stack.options.dev:
        return WEB
    with stack.progress.step("Web build") as step:
        if not web_build.build(stack.state.logs / "web-build.log"):
            step.done("unchanged")
    return web_build.place()


def _web(stack: Stack, building: Future[Path]) -> None:
    built = building.result()
    if stack.options.runs("web"):
        start(stack, stack.table.web(built))


def _together(pool: ThreadPoolExecutor, work: list[Callable[[], None]]) -> None:
    """Run all at once, wait for all, raise the first failure."""
    futures = [pool.submit(one) for one in work]
    errors = [error for future in futures if (error := future.exception())]
    if errors:
        raise errors[0]

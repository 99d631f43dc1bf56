"""One whole stack as an object: `make up` runs one in the background, tests and experiments run their own.

    with Stack(StackOptions(poll_interval=1.0)) as stack:
        stack.url("web"), stack.accounts, stack.site_ids["factory"]
        stack.client("viewer").get("/api/sites")
        stack.kill("redis")                # -9; stays down
        stack.wipe_redis()                 # as if its disk were lost
        stack.start("redis")

Services are named postgres, redis, backend, worker, historian, realtime, web, simulator, edge-factory, edge-office, ...
"""

from __future__ import annotations

import os
import signal
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from types import TracebackType

import httpx
import psycopg
import redis

from ems_stack import client, leftovers, ports, postgres, redis_binary, startup
from ems_stack.demo import DemoAccount, DemoData, DemoSite
from ems_stack.options import StackOptions
from ems_stack.ports import Ports
from ems_stack.postgres import Postgres
from ems_stack.progress import Progress
from ems_stack.redis_server import RedisServer
from ems_stack.services import Table
from ems_stack.state import State
from ems_stack.supervisor import Status, Supervisor, end_leftovers

_PREFIX = "ems-stack-"


class Stack:
    """Not started until `up` (or `with`). Every method may raise StartError, RuntimeError with a plain sentence."""

    def __init__(self, options: StackOptions = StackOptions(), progress: Progress | None = None) -> None:  # noqa: B008
        self.options = options
        self.progress = progress or Progress()
        self._temporary = options.state_dir is None
        if options.state_dir is None:
            self.state = State(leftovers.temporary_place(_PREFIX))
        else:
            self.state = State(options.state_dir)
        self.ports = options.ports or Ports.free()
        self._supervisor: Supervisor | None = None
        self.demo: DemoData | None = None
        self.first_admin_link: str | None = None

    # Life ---------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Stack:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def up(self) -> None:
        """Start everything and return when it is healthy and a live sample of every site is in history.

        On failure everything is stopped again. Raises PortTakenError, StartError, WebBuildError, ManageError.
        """
        self.state.prepare()
        for name in end_leftovers(self._pid_file):
            self.progress.note(f"ended {name}, left over from a stack that was killed")
        self._demand_ports()
        self._supervisor = Supervisor(self.state.logs, self._pid_file)
        try:
            startup.run(self)
        except BaseException:
            self._stop_services()
            raise  # the logs stay for whoever reads the message; a temporary place is swept up by a later stack

    def down(self) -> None:
        """Stop everything, newest first; the data stays (unless the stack is a temporary one)."""
        self._stop_services()
        if self._temporary and not os.environ.get("EMS_KEEP_STATE"):
            self.state.remove()

    def _stop_services(self) -> None:
        supervisor, self._supervisor = self._supervisor, None
        if supervisor:
            for name in reversed(supervisor.names):
                if any(one.name == name and one.pid for one in supervisor.status()):
                    with self.progress.step(f"Stopping {name}") as step:
                        if not supervisor.stop(name):
                            step.done("had to be killed")
            supervisor.close()

    @property
    def supervisor(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("the stack is not up")
        return self._supervisor

    # Where things are ---------------------------------------------------------------------------------------------

    @cached_property
    def table(self) -> Table:
        secrets = self.state.secrets()
        embedded_postgres = embedded_redis = None
        if self.options.database_url is None:
            home, account = postgres.place(self.state.data, self.state.name)
            embedded_postgres = Postgres(
                home=home,
                sockets=self.state.sockets,
                password=secrets.postgres,
                durable=self.options.durable,
                version=self.options.postgres_version,
                account=account,
            )
        if self.options.redis_url is None:
            binary = redis_binary.find(self.progress.note)
            if binary.warning:
                self.progress.warn(binary.warning)
            embedded_redis = RedisServer(
                home=self.state.data / "redis", port=self.ports.redis, passwords=secrets.redis, binary=binary
            )
        return Table(self.options, self.ports, self.state, secrets, embedded_postgres, embedded_redis)

    def url(self, name: str) -> str:
        """web, ws, backend, realtime, historian, worker, simulator, redis: an address without credentials."""
        return self.table.url(name)

    def redis(self, user: str = "stack") -> redis.Redis:
        """A client with the rights of one service; `stack` may do everything."""
        return redis.Redis.from_url(self.table.redis_url(user))

    def database(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection as superuser to the users' database (the history is in the same one unless configured)."""
        return psycopg.connect(self.table.database_url)

    def history_database(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.options.history_database_url or self.table.database_url)

    @property
    def accounts(self) -> list[DemoAccount]:
        return self._demo.accounts

    @property
    def sites(self) -> list[DemoSite]:
        """In the order of the options."""
        return self._demo.sites

    @property
    def site_ids(self) -> dict[str, int]:
        """Simulator site key -> site id."""
        return {site.key: site.id for site in self.sites}

    def account(self, who: str) -> DemoAccount:
        """The first account with this role or e-mail."""
        for account in self.accounts:
            if who in {account.role, account.email}:
                return account
        raise ValueError(f"no demo account is {who!r}; there are {', '.join(a.role for a in self.accounts)}")

    def client(self, who: str = "platform_admin") -> httpx.Client:
        """A REST client logged in as a role or e-mail; relative paths go to the backend. Close it, or use `with`."""
        account = self.account(who)
        return client.logged_in(self.url("backend"), account.email, account.password)

    def token(self, who: str = "platform_admin") -> str:
        """A fresh access token, as for the WebSocket's first message."""
        account = self.account(who)
        return client.LoggedIn(self.url("backend"), account.email, account.password).token()

    def ledger(self, site_key: str) -> Path:
        """The simulator's ledger of a site (NDJSON)."""
        return self.state.data / "ledger" / f"{site_key}.ndjson"

    def log_file(self, service: str) -> Path:
        return self.state.logs / f"{service}.log"

    # Faults -------------------------------------------------------------------------------------------------------

    def start(self, service: str, *, wait: bool = True) -> None:
        self.supervisor.start(service, wait=wait)

    def stop(self, service: str) -> None:
        """As an orderly shutdown would; stays down."""
        self.supervisor.stop(service)

    def kill(self, service: str, number: signal.Signals = signal.SIGKILL, *, revive: bool = False) -> None:
        """End a process with a signal. It stays down until `start`; with `revive` the supervisor restarts it."""
        self.supervisor.kill(service, number, revive=revive)

    def restart(self, service: str) -> None:
        self.supervisor.restart(service)

    def pause(self, service: str) -> None:
        self.supervisor.pause(service)

    def resume(self, service: str) -> None:
        self.supervisor.resume(service)

    def wait_ready(self, service: str, seconds: float | None = None) -> None:
        self.supervisor.wait_ready(service, seconds)

    def wipe_redis(self) -> None:
        """Lose Redis' disk: data and edges' users. It must be down; `start` brings back an empty one."""
        server = self.table.redis
        if server is None:
            raise RuntimeError("an external Redis is not ours to wipe")
        if any(one.name == "redis" and one.pid for one in self.status()):
            raise RuntimeError("redis is running; kill or stop it first")
        server.wipe()
        server.prepare()

    def status(self) -> list[Status]:
        return self.supervisor.status()

    # Inside -------------------------------------------------------------------------------------------------------

    @property
    def _pid_file(self) -> Path:
        return self.state.run / "processes.json"

    @property
    def _demo(self) -> DemoData:
        if self.demo is None:
            raise RuntimeError("the stack has no demo data (or is not up)")
        return self.demo

    def _demand_ports(self) -> None:
        """Ask for every port before anything starts. Raises PortTakenError."""
        needed = {name: name for name in ("web", "backend", "realtime", "historian", "worker", "simulator")}
        needed |= {"modbus": "simulator", "bacnet": "simulator", "edge": "edges"}
        for field in fields(Ports):
            name = field.name
            if name == "redis" and self.options.redis_url:
                continue
            if name in needed and not self.options.runs(needed[name]):
                continue
            for port in self.ports.taken_by(name):
                ports.demand(port, ports.variable(name), name, udp=name in ports.DATAGRAMS)

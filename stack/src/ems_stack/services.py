"""The table of services: what is run for each, with which environment. Pure; who runs it is the supervisor."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ems_stack.health import ready_at
from ems_stack.options import SITES, StackOptions
from ems_stack.paths import BACKEND, REPOSITORY, WEB
from ems_stack.ports import LOOPBACK, Ports
from ems_stack.postgres import Postgres
from ems_stack.processes import Service
from ems_stack.redis_server import RedisServer
from ems_stack.state import Secrets, State
from ems_stack.web_build import NEXT

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Table:
    """Everything a command or an environment depends on."""

    options: StackOptions
    ports: Ports
    state: State
    secrets: Secrets
    postgres: Postgres | None
    redis: RedisServer | None

    # Addresses ----------------------------------------------------------------------------------------------------

    def url(self, name: str) -> str:
        """Where a service answers, e.g. `web` -> http://localhost:3000. Without credentials."""
        match name:
            case "web":
                return f"http://localhost:{self.ports.web}"  # the cookie and the Origin list say localhost
            case "ws":
                return f"ws://localhost:{self.ports.realtime}/ws"
            case "redis":
                return _without_credentials(self.redis_url("stack"))
            case "backend" | "realtime" | "historian" | "worker" | "simulator":
                return f"http://{LOOPBACK}:{getattr(self.ports, name)}"
            case _:
                known = "web, ws, backend, realtime, historian, worker, simulator"
                raise ValueError(f"{name!r} has no address; known are {known}")

    def redis_url(self, user: str) -> str:
        """With the credentials of one service. An external Redis has one URL for all."""
        if self.options.redis_url:
            return self.options.redis_url
        assert self.redis is not None  # noqa: S101 -- embedded, then
        return self.redis.url(user)

    @property
    def database_url(self) -> str:
        if self.options.database_url:
            return self.options.database_url
        assert self.postgres is not None  # noqa: S101 -- embedded, then
        return self.postgres.url("ems")

    # Environments -------------------------------------------------------------------------------------------------

    def django(self, redis_user: str = "backend") -> dict[str, str]:
        """For every process of the backend's code, and for `manage.py`."""
        web = self.url("web")
        history = {"EMS_HISTORY_DATABASE_URL": self.options.history_database_url or ""}
        return {
            "EMS_ENV": "development",
            "EMS_DATABASE_URL": self.database_url,
            "EMS_REDIS_URL": self.redis_url(redis_user),
            "EMS_EDGE_REDIS_URL": self.url("redis"),
            "EMS_SECRET_KEY": self.secrets.django,
            "EMS_ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
            "EMS_CORS_ORIGINS": ",".join(self._origins()),
            "EMS_PUBLIC_URL": web,
            "EMS_TRUSTED_PROXIES": "1",  # the web server, which says who asked it
            "EMS_AUDIT_ANCHORS": str(self.state.data / "audit-anchors"),
            "EMS_LOG_LEVEL": self.options.log_level,
            **({name: value for name, value in history.items() if value}),
        }

    def _origins(self) -> list[str]:
        return [self.url("web"), f"http://{LOOPBACK}:{self.ports.web}"]

    # Services -----------------------------------------------------------------------------------------------------

    def infrastructure(self) -> list[Service]:
        return [server.service() for server in (self.postgres, self.redis) if server]

    def backend(self) -> Service:
        address = f"{LOOPBACK}:{self.ports.backend}"
        serve = [str(BIN / "gunicorn"), "config.wsgi", f"--bind={address}", "--worker-class=gthread", "--workers=2"]
        serve += ["--threads=8", "--timeout=60", "--graceful-timeout=10", "--keep-alive=30"]
        develop = [sys.executable, "manage.py", "runserver", address]
        return self._service("backend", develop if self.options.dev else serve, BACKEND, self.django(), watch=None)

    def historian(self) -> Service:
        environment = {**self.django("historian"), "EMS_HISTORIAN_PORT": str(self.ports.historian)}
        command = [sys.executable, "manage.py", "historian"]
        return self._service("historian", command, BACKEND, environment, watch=["backend", "contract/src"])

    def worker(self) -> Service:
        """Wherever the backend runs: without it no change of access would be announced."""
        environment = {**self.django(), "EMS_WORKER_PORT": str(self.ports.worker)}
        command = [sys.executable, "manage.py", "worker"]
        return self._service("worker", command, BACKEND, environment, watch=["backend", "contract/src"])

    def realtime(self) -> Service:
        command = [str(BIN / "ems-realtime"), "--host", LOOPBACK, "--port", str(self.ports.realtime)]
        environment = {
            "EMS_REDIS_URL": self.redis_url("realtime"),
            "EMS_BACKEND_URL": self.url("backend"),
            "EMS_WS_ORIGINS": ",".join(self._origins()),
            "EMS_LOG_LEVEL": self.options.log_level,
        }
        return self._service("realtime", command, REPOSITORY, environment, watch=["realtime/src", "contract/src"])

    def web(self, built: Path) -> Service:
        """`built` is the directory of a production build; with live reload the sources are served instead."""
        command = ["node", str(NEXT), *(["dev"] if self.options.dev else ["start", str(built)])]
        command += ["-p", str(self.ports.web), "-H", LOOPBACK]
        environment = {
            "EMS_BACKEND_URL": self.url("backend"),
            "EMS_WS_URL": self.url("ws"),
            "EMS_ADMIN_URL": f"http://localhost:{self.ports.backend}/admin/",
            "NEXT_TELEMETRY_DISABLED": "1",
        }
        return Service(
            name="web",
            command=command,
            cwd=WEB,
            environment=environment,
            ready=ready_at(f"http://{LOOPBACK}:{self.ports.web}/healthz"),
            start_seconds=120,
        )

    def simulator(self) -> Service:
        ledger = self.state.data / "ledger"
        command = [str(BIN / "ems-simulator"), "run", "--control-port", str(self.ports.simulator)]
        command += ["--modbus-port", str(self.ports.modbus), "--bacnet-port", str(self.ports.bacnet)]
        command += ["--ledger", str(ledger)]
        command += ["--seed", str(self.options.simulator_seed)]
        environment = {"EMS_LOG_LEVEL": self.options.log_level}
        watch = ["simulator/src", "contract/src"]
        return self._service("simulator", command, REPOSITORY, environment, watch=watch, check="healthz")

    def edge(self, site_key: str, bootstrap: Path) -> Service:
        port = self.edge_port(site_key)
        command = [str(BIN / "ems-edge"), "run", str(bootstrap), "--health-port", str(port)]
        environment = {"EMS_LOG_LEVEL": self.options.log_level}
        watch = ["edge/src", "contract/src"]
        return self._service(edge_service(site_key), command, REPOSITORY, environment, watch=watch, port=port)

    def edge_port(self, site_key: str) -> int:
        return self.ports.edge + SITES.index(site_key)

    def modbus_port(self, site_key: str) -> int:
        """All sites are simulated, also those without an edge here: a site's port never depends on the others."""
        return self.ports.modbus + SITES.index(site_key)

    def _service(
        self,
        name: str,
        command: list[str],
        cwd: Path,
        environment: Mapping[str, str],
        *,
        watch: list[str] | None,
        port: int | None = None,
        check: str = "readyz",
    ) -> Service:
        if self.options.dev and watch:
            command = _reloading(command, watch)
        listening = port or int(getattr(self.ports, name))
        health = f"http://{LOOPBACK}:{listening}/{check}"
        return Service(
            name=name,
            command=command,
            cwd=cwd,
            environment={**environment, **self.options.environment},
            ready=ready_at(health),
            health_url=health,
        )


def edge_service(site_key: str) -> str:
    return f"edge-{site_key.replace('_', '-')}"


def _reloading(command: list[str], watch: list[str]) -> list[str]:
    """The same command, started again whenever a Python or YAML file below `watch` changes."""
    places = [str(REPOSITORY / place) for place in watch]
    return [sys.executable, "-m", "ems_stack.reload", "--watch", *places, "--", *command]


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

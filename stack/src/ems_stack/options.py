"""What a stack is asked to be: from the environment for `make up`, by hand for tests and experiments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ems_simulator.physics import DEFAULT_SEED

from ems_stack.ports import Ports
from ems_stack.postgres import DEFAULT_VERSION

SITES = ("factory", "office", "solar_farm", "warehouse")
"""The simulator's sites, in the order of their Modbus ports."""

SERVICES = ("backend", "historian", "realtime", "web", "simulator", "edges")
"""What may be left out. PostgreSQL and Redis are always there (embedded or external)."""


_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_FORMS = {
    "postgresql": "postgresql://user:password@host:5432/database",
    "redis": "redis://user:password@host:6379/0",
}


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """`state_dir` None: a temporary directory that goes with the stack. `ports` None: free ones.

    `poll_interval` in s. `history_days` of 1 min history are loaded for each site (0: none). `database_url` and
    `redis_url` replace the embedded servers. `durable=False` trades safety against power cuts for speed; a killed
    process loses nothing either way. `environment` are further variables of every service, such as raised limits.
    """

    state_dir: Path | None = None
    ports: Ports | None = None
    services: frozenset[str] = frozenset(SERVICES)
    sites: tuple[str, ...] = SITES
    demo: bool = True
    history_days: int = 0
    poll_interval: float = 1.0
    simulator_seed: int = DEFAULT_SEED
    dev: bool = False
    durable: bool = True
    database_url: str | None = field(default=None, repr=False)
    history_database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    postgres_version: int = DEFAULT_VERSION
    log_level: str = "INFO"
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if unknown := self.services - set(SERVICES):
            raise ValueError(f"services: {', '.join(sorted(unknown))} not known; choose from {', '.join(SERVICES)}")
        if strange := set(self.sites) - set(SITES):
            raise ValueError(f"sites: {', '.join(sorted(strange))} not known; choose from {', '.join(SITES)}")

    def runs(self, service: str) -> bool:
        """The worker belongs to the backend."""
        service = "backend" if service == "worker" else service
        return service in self.services and (self.demo or service not in {"simulator", "edges"})

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, *, dev: bool = False) -> StackOptions:
        """The options of `make up` and `make dev`. Raises ValueError naming the variable that is wrong."""
        from ems_stack.state import default_state

        demo = _flag(environment, "EMS_DEMO", default=True)
        return cls(
            services=_services(environment),
            state_dir=default_state(environment).root,
            ports=Ports.from_environment(environment),
            demo=demo,
            history_days=_number(environment, "EMS_DEMO_DAYS", 30, highest=400) if demo else 0,
            poll_interval=_seconds(environment, "EMS_POLL_INTERVAL", 1.0),
            simulator_seed=_number(environment, "EMS_DEMO_SEED", DEFAULT_SEED, highest=2**31),
            dev=dev,
            database_url=_url(environment, "EMS_DATABASE_URL", "postgresql", "postgres"),
            history_database_url=_url(environment, "EMS_HISTORY_DATABASE_URL", "postgresql", "postgres"),
            redis_url=_url(environment, "EMS_REDIS_URL", "redis", "rediss"),
            postgres_version=_number(environment, "EMS_POSTGRES_VERSION", DEFAULT_VERSION, highest=99),
            log_level=_level(environment),
        )


def _services(environment: Mapping[str, str]) -> frozenset[str]:
    text = environment.get("EMS_SERVICES")
    chosen = frozenset(SERVICES if text is None else filter(None, text.split(",")))
    if unknown := chosen - set(SERVICES):
        raise ValueError(f"EMS_SERVICES: {', '.join(sorted(unknown))} not known; choose from {', '.join(SERVICES)}")
    return chosen


def _level(environment: Mapping[str, str]) -> str:
    level = environment.get("EMS_LOG_LEVEL", "").upper() or "INFO"
    if level not in _LEVELS:
        raise ValueError(f"EMS_LOG_LEVEL={level!r}: choose {', '.join(_LEVELS)}")
    return level


def _url(environment: Mapping[str, str], name: str, *schemes: str) -> str | None:
    """The value may hold a password, so it is not shown."""
    text = environment.get(name, "")
    if text and text.partition("://")[0] not in schemes:
        raise ValueError(f"{name} is not an address of this kind; write {_FORMS[schemes[0]]}")
    return text or None


def _flag(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environment.get(name, "")
    if text not in {"", "0", "1"}:
        raise ValueError(f"{name}={text!r}: choose 0 or 1")
    return default if text == "" else text == "1"


def _number(environment: Mapping[str, str], name: str, default: int, *, highest: int) -> int:
    text = environment.get(name, "")
    if text == "":
        return default
    if not text.isdecimal() or int(text) > highest:
        raise ValueError(f"{name}={text!r}: choose a whole number from 0 to {highest}")
    return int(text)


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3600:
        raise ValueError(f"{name}={text!r}: choose a number of seconds from 0.1 to 3600")
    return value

"""The bootstrap file: where an edge finds its configuration, its Redis and its disk.

With a backend:   {url: http://127.0.0.1:8000, key: ems_... (or key_file: path), store: directory}
Standalone:       {store: directory, site: site_1, edge: edge_1, redis: {url, username, password}, config: {...}}
                  timezone: Europe/Berlin, for schedules; UTC if not said
Both may have:    profiles: a directory of own profiles
                  store_limit: bytes of batches kept, 2 GiB if not said;  store_days: for how long, a year if not said
                  backfill_rate: bytes a second that late batches may take beside live ones, 3.5 MiB if not said

`config` is the contract's EdgeConfig, the same that the backend's session gives. Paths are relative to the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from ems_contract.provisioning import EdgeConfig, RedisAccess, SessionAnswer
from ems_contract.telemetry import MAX_BATCH_BYTES

from ems_edge.config import check_config, check_identity, check_url
from ems_edge.problems import Document
from ems_edge.profile import Profiles

STORE_LIMIT = 2 * 1024**3
STORE_LIMIT_LEAST = 32 * MAX_BATCH_BYTES
STORE_DAYS, STORE_DAYS_MOST = 365.0, 36_500.0
BACKFILL_RATE, BACKFILL_RATE_LEAST = 3_670_016, 1_024
_DAY_MS = 86_400_000
_KEY = re.compile(r"ems_[A-Za-z0-9]+_[A-Za-z0-9_-]+\Z")
_BACKEND_FIELDS = ("url", "key", "key_file")
_STANDALONE_FIELDS = ("site", "edge", "redis", "config", "timezone")


class _Bootstrap(msgspec.Struct, frozen=True):
    store: str | None = None
    store_limit: int = STORE_LIMIT
    store_days: float = STORE_DAYS
    backfill_rate: int = BACKFILL_RATE
    profiles: str | None = None
    url: str | None = None
    key: str | None = None
    key_file: str | None = None
    site: str | None = None
    edge: str | None = None
    redis: RedisAccess | None = None
    config: EdgeConfig | None = None
    timezone: str = "UTC"

    def __repr__(self) -> str:
        return "_Bootstrap([redacted])"


@dataclass(frozen=True)
class Backend:
    """Where the session is opened, and with which API key."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """What `run` needs. `source` is a backend, or the session that a standalone file amounts to.

    `store` is None only for a standalone edge without a disk: it then buffers in memory. `store_age` in ms;
    `backfill_rate` in bytes a second.
    """

    file: str
    store: Path | None
    store_limit: int
    profiles: Profiles
    source: Backend | SessionAnswer
    store_age: int = round(STORE_DAYS * _DAY_MS)
    backfill_rate: int = BACKFILL_RATE


def check_bootstrap(document: Document, folder: Path) -> Settings:
    """`folder` is where the file lies. Raises ConfigError."""
    boot = document.convert(_Bootstrap)
    if boot.store_limit < STORE_LIMIT_LEAST:
        raise document.error("store_limit", f"{boot.store_limit} is too small", f"give {STORE_LIMIT_LEAST} or more")
    if not 0 < boot.store_days <= STORE_DAYS_MOST:
        remedy = f"give a number up to {STORE_DAYS_MOST:g}"
        raise document.error("store_days", f"{boot.store_days} is no number of days", remedy)
    if boot.backfill_rate < BACKFILL_RATE_LEAST:
        remedy = f"give {BACKFILL_RATE_LEAST} bytes a second or more"
        raise document.error("backfill_rate", f"{boot.backfill_rate} is too little", remedy)
    directory = folder / boot.profiles if boot.profiles else None
    if directory is not None and not directory.is_dir():
        raise document.error("profiles", f"{directory} is no directory", "give the directory of your profiles")
    profiles = Profiles(directory)
    given = document.data.keys()
    strangers = [name for name in _STANDALONE_FIELDS if name in given]
    if "url" in given and strangers:
        remedy = f"leave out {' and '.join(strangers)}, or url for a standalone edge"
        raise document.error(strangers[0], "comes from the backend when there is a url", remedy)
    if "url" not in given and not strangers:
        raise document.error("url", "is missing", "give the backend's address, or site, edge, redis and config")
    source = _backend(document, boot, folder) if boot.url is not None else _standalone(document, boot, profiles)
    if boot.store is None and isinstance(source, Backend):
        raise document.error("store", "is missing", "give a directory on this machine's disk")
    store = folder / boot.store if boot.store else None
    age = round(boot.store_days * _DAY_MS)
    return Settings(document.file, store, boot.store_limit, profiles, source, age, boot.backfill_rate)


def _backend(document: Document, boot: _Bootstrap, folder: Path) -> Backend:
    check_url(document, "url", boot.url or "", ("http", "https"))
    if (boot.key is None) == (boot.key_file is None):
        raise document.error("key", "is needed once", "give either key or key_file")
    key = boot.key
    where = "key"
    if boot.key_file is not None:
        where = "key_file"
        try:
            key = (folder / boot.key_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            problem = f"{folder / boot.key_file} cannot be read ({type(error).__name__})"
            raise document.error(where, problem, "give the path of the file that holds the key") from None
    if key is None or not _KEY.match(key):
        raise document.error(where, "is not an API key", "it looks like ems_<prefix>_<secret>; make one in the backend")
    return Backend((boot.url or "").rstrip("/"), key)


def _standalone(document: Document, boot: _Bootstrap, profiles: Profiles) -> SessionAnswer:
    if unused := [name for name in _BACKEND_FIELDS if name in document.data]:
        raise document.error(unused[0], "is for an edge with a backend", "leave it out, or give a url as well")
    if boot.site is None or boot.edge is None or boot.redis is None or boot.config is None:
        missing = next(name for name in ("site", "edge", "redis", "config") if getattr(boot, name) is None)
        raise document.error(missing, "is missing", "a standalone edge needs site, edge, redis and config")
    answer = SessionAnswer(boot.edge, boot.edge, boot.site, boot.site, boot.timezone, boot.redis, boot.config)
    check_identity(document, answer)
    check_config(document.part("config"), profiles)
    return answer

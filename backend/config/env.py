"""The environment, read once and checked: a variable that is missing or wrong is named together with its remedy.

Pure: `read` takes a mapping and returns an `Environment` or raises `BadEnvironment`. What Django does with the
values is in `settings.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal
from urllib.parse import urlsplit

from config.env_urls import BadEnvironment, database, is_origin, mailer, split, without_credentials

Mode = Literal["development", "production", "test"]

MIN_SECRET_LENGTH = 50
REQUIRED_IN_PRODUCTION = (
    "EMS_DATABASE_URL",
    "EMS_REDIS_URL",
    "EMS_SECRET_KEY",
    "EMS_ALLOWED_HOSTS",
    "EMS_PUBLIC_URL",
    "EMS_EMAIL_URL",
    "EMS_EMAIL_FROM",
)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_SECRET_REMEDY = (
    f"set it to at least {MIN_SECRET_LENGTH} random characters, for example the output of "
    "`python -c 'import secrets; print(secrets.token_urlsafe(50))'`"
)
PRIVATE_NETWORKS = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
"""Where a proxy may stand unless told otherwise: never on the open internet."""


@dataclass(frozen=True)
class Environment:
    """What the process was told.

    `trusted_proxies`: how many proxies in front may be believed about the address, each only inside `proxy_networks`.
    `mailer`: one entry of Django's MAILERS.
    """

    mode: Mode
    debug: bool
    log_level: str
    secret_key: str = field(repr=False)
    database: dict[str, Any] = field(repr=False)
    history: dict[str, Any] | None = field(repr=False)
    redis_url: str = field(repr=False)
    edge_redis_url: str
    allowed_hosts: list[str]
    cors_origins: list[str]
    public_url: str
    trusted_proxies: int
    proxy_networks: list[IPv4Network | IPv6Network]
    mailer: dict[str, Any] = field(repr=False)
    email_from: str
    static_root: str | None
    audit_anchors: str | None

    @property
    def https(self) -> bool:
        """True if people reach the product over TLS; cookies are then `Secure`."""
        return self.mode == "production" or self.public_url.startswith("https://")


class _Reader:
    """Reads variables and collects every problem, so that one start shows them all."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self.environ.get(name, "").strip() or default

    def items(self, name: str, default: str = "") -> list[str]:
        return [item.strip() for item in self.text(name, default).split(",") if item.strip()]

    def complain(self, name: str, what: str, remedy: str) -> None:
        self.problems.append(f"{name} {what}: {remedy}")

    def mode(self) -> Mode:
        default = "test" if self.text("EMS_TEST_DATABASE_URL") else "development"
        match self.text("EMS_ENV", default):
            case "development":
                return "development"
            case "test":
                return "test"
            case "production":
                return "production"
            case other:
                self.complain("EMS_ENV", f"is {other!r}", "set it to development, production or test")
                return "production"

    def boolean(self, name: str, default: bool) -> bool:
        text = self.text(name, "1" if default else "0").lower()
        if text not in ("0", "1", "true", "false"):
            self.complain(name, f"is {text!r}", "set it to 1 or 0")
        return text in ("1", "true")

    def count(self, name: str) -> int:
        text = self.text(name, "0")
        if not text.isdecimal():
            self.complain(name, f"is {text!r}", "set it to a whole number, 0 or more")
            return 0
        return int(text)

    def database(self, name: str, default: str) -> dict[str, Any]:
        try:
            return database(self.text(name, default), name)
        except BadEnvironment as problem:
            self.problems.append(str(problem))
            return {}

    def redis(self, name: str, default: str) -> str:
        url = self.text(name, default)
        parts = split(url)
        if parts is None or parts.scheme not in ("redis", "rediss", "unix") or not (parts.netloc or parts.path):
            remedy = "write redis://user:password@host:6379/0, with the password percent-encoded"
            self.complain(name, "is not a Redis URL", remedy)
            return default
        return url

    def networks(self, name: str, default: str) -> list[IPv4Network | IPv6Network]:
        found = []
        for text in self.items(name, default):
            try:
                found.append(ip_network(text))
            except ValueError:
                self.complain(name, f"has {text!r}", "write networks such as 10.0.0.0/8, separated by commas")
        return found

    def mailer(self, name: str) -> dict[str, Any]:
        try:
            return mailer(self.text(name, "console://"))
        except BadEnvironment as problem:
            self.problems.append(f"{name} {problem}")
            return {}

    def mailbox(self, name: str, default: str) -> str:
        text = self.text(name, default)
        if "@" not in parseaddr(text)[1] or "\n" in text or "\r" in text:
            self.complain(name, f"is {text!r}", "write ems@example.com or SimTestLab EMS <ems@example.com>")
        return text


def read(environ: Mapping[str, str]) -> Environment:
    """Check everything, raise `BadEnvironment` with all problems at once."""
    reader = _Reader(environ)
    mode = reader.mode()
    production = mode == "production"
    test_database, test_redis = reader.text("EMS_TEST_DATABASE_URL"), reader.text("EMS_TEST_REDIS_URL")

    debug = reader.boolean("EMS_DEBUG", default=False)
    level = reader.text("EMS_LOG_LEVEL", "INFO").upper()
    if level not in LOG_LEVELS:
        reader.complain("EMS_LOG_LEVEL", f"is {level!r}", f"set it to one of {', '.join(LOG_LEVELS)}")

    if production:
        for name in REQUIRED_IN_PRODUCTION:
            if not reader.text(name):
                reader.complain(name, "is not set", "production has no default for it; set it")
        if debug:
            reader.complain("EMS_DEBUG", "is on", "production never shows a traceback; unset it")

    # Without a key each development process makes its own: nothing that looks like a secret is in the code.
    secret = reader.text("EMS_SECRET_KEY") or secrets.token_urlsafe(MIN_SECRET_LENGTH)
    if production and (len(secret) < MIN_SECRET_LENGTH or len(set(secret)) < 10 or "insecure" in secret):
        reader.complain("EMS_SECRET_KEY", "is too short or guessable", _SECRET_REMEDY)

    hosts = reader.items("EMS_ALLOWED_HOSTS", "" if production else "localhost,127.0.0.1,[::1],testserver")
    if production and any("*" in host for host in hosts):
        reader.complain("EMS_ALLOWED_HOSTS", "contains a wildcard", "list the host names, separated by commas")

    public_url = reader.text("EMS_PUBLIC_URL", "http://localhost:3000").rstrip("/")
    origins = reader.items("EMS_CORS_ORIGINS")
    for name, urls in (("EMS_PUBLIC_URL", [public_url]), ("EMS_CORS_ORIGINS", origins)):
        for url in urls:
            if not is_origin(url):
                reader.complain(name, f"has {url!r}", "write an origin such as https://ems.example.com, without a path")
    if production and not public_url.startswith("https://"):
        reader.complain("EMS_PUBLIC_URL", "is not https", "production cookies are Secure; put TLS in front")

    if mode == "test" and test_database:
        settings = reader.database("EMS_TEST_DATABASE_URL", "")
        history: dict[str, Any] | None = None
    else:
        settings = reader.database("EMS_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/ems")
        history = reader.database("EMS_HISTORY_DATABASE_URL", reader.text("EMS_DATABASE_URL") or "postgresql:///ems")
        if not reader.text("EMS_HISTORY_DATABASE_URL") or history == settings:
            history = None
    redis_name = "EMS_TEST_REDIS_URL" if mode == "test" and test_redis else "EMS_REDIS_URL"
    redis_url = reader.redis(redis_name, "redis://127.0.0.1:6379/0")
    edge_redis_url = reader.redis("EMS_EDGE_REDIS_URL", without_credentials(redis_url))
    if "@" in urlsplit(edge_redis_url).netloc:
        reader.complain(
            "EMS_EDGE_REDIS_URL", "carries credentials", "each edge gets its own; write redis://host:port/0"
        )

    trusted_proxies = reader.count("EMS_TRUSTED_PROXIES")
    proxy_networks = reader.networks("EMS_TRUSTED_PROXY_NETWORKS", PRIVATE_NETWORKS)
    post = reader.mailer("EMS_EMAIL_URL")
    email_from = reader.mailbox("EMS_EMAIL_FROM", "SimTestLab EMS <ems@localhost>")
    if reader.problems:
        raise BadEnvironment("the environment is not usable:\n  - " + "\n  - ".join(reader.problems))
    return Environment(
        mode=mode,
        debug=debug,
        log_level=level,
        secret_key=secret,
        database=settings,
        history=history,
        redis_url=redis_url,
        edge_redis_url=edge_redis_url,
        allowed_hosts=hosts,
        cors_origins=origins,
        public_url=public_url,
        trusted_proxies=trusted_proxies,
        proxy_networks=proxy_networks,
        mailer=post,
        email_from=email_from,
        static_root=reader.text("EMS_STATIC_ROOT") or None,
        audit_anchors=reader.text("EMS_AUDIT_ANCHORS") or None,
    )

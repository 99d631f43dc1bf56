"""The environment is checked at the start; every problem is named with its remedy, all at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.env import REQUIRED_IN_PRODUCTION, read
from config.env_urls import BadEnvironment, database, mailer, without_credentials

SECRET = "k3" * 15 + "Zq8-Lm_0x7Rt5Wv1Yb2Nc4"
PRODUCTION = {
    "EMS_ENV": "production",
    "EMS_DATABASE_URL": "postgresql://ems:pw@db.internal:5432/ems",
    "EMS_REDIS_URL": "redis://backend:pw@redis.internal:6379/0",
    "EMS_SECRET_KEY": SECRET,
    "EMS_ALLOWED_HOSTS": "ems.example.com,backend",
    "EMS_PUBLIC_URL": "https://ems.example.com",
    "EMS_EMAIL_URL": "smtp://ems:p%2Fw@mail.example.com:587",
    "EMS_EMAIL_FROM": "SimTestLab EMS <ems@example.com>",
}


def problems(**changes: str) -> str:
    with pytest.raises(BadEnvironment) as refused:
        read({**PRODUCTION, **changes})
    return str(refused.value)


def test_a_complete_production_environment_is_accepted() -> None:
    env = read(PRODUCTION)
    assert (env.mode, env.debug, env.https, env.history) == ("production", False, True, None)
    assert env.allowed_hosts == ["ems.example.com", "backend"]
    assert env.edge_redis_url == "redis://redis.internal:6379/0"


def test_development_needs_no_variable_and_has_no_built_in_secret() -> None:
    first, second = read({}), read({})
    assert (first.mode, first.debug, first.https) == ("development", False, False)
    assert first.secret_key != second.secret_key


@pytest.mark.parametrize("name", REQUIRED_IN_PRODUCTION)
def test_production_names_each_missing_variable(name: str) -> None:
    assert f"{name} is not set" in problems(**{name: ""})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("EMS_ENV", "prod", "development, production or test"),
        ("EMS_DEBUG", "1", "production never shows a traceback"),
        ("EMS_DEBUG", "maybe", "1 or 0"),
        ("EMS_SECRET_KEY", "short", "at least 50 random characters"),
        ("EMS_SECRET_KEY", "a" * 60, "at least 50 random characters"),
        ("EMS_SECRET_KEY", f"django-insecure-{SECRET}", "at least 50 random characters"),
        ("EMS_ALLOWED_HOSTS", "*", "list the host names"),
        ("EMS_ALLOWED_HOSTS", "ems.example.com,*.example.com", "list the host names"),
        ("EMS_PUBLIC_URL", "http://ems.example.com", "put TLS in front"),
        ("EMS_PUBLIC_URL", "https://ems.example.com/app", "without a path"),
        ("EMS_CORS_ORIGINS", "*", "write an origin"),
        ("EMS_CORS_ORIGINS", "https://*.example.com", "write an origin"),
        ("EMS_REDIS_URL", "localhost:6379", "write redis://"),
        ("EMS_REDIS_URL", "redis://host:port/0", "write redis://"),
        ("EMS_REDIS_URL", "redis://user:p/w@host:6379/0", "percent-encoded"),
        ("EMS_REDIS_URL", "redis://[::1/0", "write redis://"),
        ("EMS_EDGE_REDIS_URL", "redis://[::1/0", "write redis://"),
        ("EMS_PUBLIC_URL", "https://[ems", "write an origin"),
        ("EMS_CORS_ORIGINS", "https://ems:https", "write an origin"),
        ("EMS_EDGE_REDIS_URL", "redis://edge:pw@redis:6379/0", "carries credentials"),
        ("EMS_DATABASE_URL", "mysql://root@db/ems", "write postgresql://"),
        ("EMS_DATABASE_URL", "postgresql://db:port/ems", "write postgresql://"),
        ("EMS_DATABASE_URL", "postgresql://db", "write postgresql://"),
        ("EMS_HISTORY_DATABASE_URL", "nonsense", "write postgresql://"),
        ("EMS_LOG_LEVEL", "LOUD", "DEBUG, INFO"),
        ("EMS_TRUSTED_PROXIES", "-1", "a whole number"),
        ("EMS_TRUSTED_PROXY_NETWORKS", "10.0.0.0/8,the lan", "write networks"),
        ("EMS_EMAIL_URL", "mail.example.com", "write smtp://"),
        ("EMS_EMAIL_URL", "smtp://user:p/w@mail:587", "percent-encoded"),
        ("EMS_EMAIL_URL", "smtp://ems:pw@mail:25?starttls=0", "in clear"),
        ("EMS_EMAIL_URL", "smtp://mail:25?tls=no", "unknown option"),
        ("EMS_EMAIL_FROM", "nobody", "ems@example.com"),
    ],
)
def test_a_bad_value_is_named_with_a_remedy(name: str, value: str, words: str) -> None:
    said = problems(**{name: value})
    assert name in said
    assert words in said


def test_all_problems_are_told_at_once() -> None:
    said = problems(EMS_SECRET_KEY="", EMS_ALLOWED_HOSTS="*", EMS_DEBUG="1")
    assert said.count("\n  - ") >= 3


def test_no_secret_is_in_a_message_or_a_repr() -> None:
    assert "short" not in problems(EMS_SECRET_KEY="short").replace("too short", "")
    said = repr(read(PRODUCTION))
    for secret in (SECRET, ":pw@", "'pw'"):
        assert secret not in said


def test_history_is_its_own_database_only_if_it_is_another_one() -> None:
    other = "postgresql://ems:pw@history.internal:5433/ems"
    assert read({**PRODUCTION, "EMS_HISTORY_DATABASE_URL": PRODUCTION["EMS_DATABASE_URL"]}).history is None
    history = read({**PRODUCTION, "EMS_HISTORY_DATABASE_URL": other}).history
    assert history is not None
    assert (history["HOST"], history["PORT"]) == ("history.internal", "5433")


def test_a_socket_directory_is_a_host() -> None:
    read_back = database("postgresql://ems@/ems?host=/run/postgresql", "X")
    assert (read_back["HOST"], read_back["NAME"], read_back["USER"]) == ("/run/postgresql", "ems", "ems")
    assert read_back["OPTIONS"] == {}


def test_percent_signs_in_a_password_are_read() -> None:
    assert database("postgresql://u:p%40s%2Fs@h/db", "X")["PASSWORD"] == "p@s/s"


def test_credentials_are_taken_off_a_redis_url() -> None:
    assert without_credentials("redis://u:p@host:6379/1") == "redis://host:6379/1"
    assert without_credentials("redis://host:6379") == "redis://host:6379"


@settings(max_examples=50)
@given(
    st.dictionaries(st.sampled_from([*PRODUCTION, "EMS_CORS_ORIGINS", "EMS_DEBUG", "EMS_TRUSTED_PROXIES"]), st.text())
)
def test_junk_is_either_understood_or_refused_in_words(junk: dict[str, str]) -> None:
    complaint = None
    try:
        read({**PRODUCTION, **junk})
    except BadEnvironment as refused:
        complaint = str(refused)
    assert complaint is None or "EMS_" in complaint


@pytest.mark.parametrize(
    ("url", "port", "starttls", "tls"),
    [
        ("smtp://ems:p%2Fw@mail.example.com", 587, True, False),
        ("smtps://ems:p%2Fw@mail.example.com", 465, False, True),
        ("smtp://mail.example.com:25?starttls=0", 25, False, False),
    ],
)
def test_e_mail_is_sent_over_tls_unless_a_relay_without_a_password_is_told_otherwise(
    url: str, port: int, starttls: bool, tls: bool
) -> None:
    options = mailer(url)["OPTIONS"]
    assert (options["host"], options["port"], options["use_tls"], options["use_ssl"]) == (
        "mail.example.com",
        port,
        starttls,
        tls,
    )
    assert options["password"] == ("p/w" if "@" in url else "")


def test_development_writes_e_mails_to_the_log() -> None:
    assert read({}).mailer["BACKEND"].endswith("console.EmailBackend")


def test_no_secret_is_in_a_repr() -> None:
    shown = repr(read(PRODUCTION))
    assert SECRET not in shown
    assert "p/w" not in shown
    assert ":pw@" not in shown

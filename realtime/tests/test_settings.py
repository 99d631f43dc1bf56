"""Settings: a wrong variable is named, and no secret is repeated."""

from __future__ import annotations

import pytest
from ems_realtime.settings import Settings, SettingsError

GOOD = {
    "EMS_REDIS_URL": "redis://realtime:s3cret@localhost:6379/0",
    "EMS_BACKEND_URL": "http://localhost:8000/",
    "EMS_WS_ORIGINS": "http://localhost:3000, https://EMS.example.com/",
}


def test_it_reads_the_environment() -> None:
    settings = Settings.from_env({**GOOD, "EMS_WS_MAX_SITES": "5"})
    assert settings.origins == {"http://localhost:3000", "https://ems.example.com"}
    assert settings.backend_url == "http://localhost:8000"
    assert settings.max_sites == 5
    assert not settings.allow_no_origin
    trusting = Settings.from_env({**GOOD, "EMS_WS_TRUSTED_PROXIES": "10.0.0.0/8, ::1"})
    assert trusting.trusted_proxies == ("10.0.0.0/8", "::1")
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMS_REDIS_URL", ""),
        ("EMS_REDIS_URL", "s3cret@localhost"),
        ("EMS_REDIS_URL", "redis://user:s3cret/x@localhost:6379/0"),
        ("EMS_REDIS_URL", "redis://[::1/0"),
        ("EMS_BACKEND_URL", "localhost:8000"),
        ("EMS_BACKEND_URL", "http://localhost:port"),
        ("EMS_BACKEND_URL", " "),
        ("EMS_WS_ORIGINS", ""),
        ("EMS_WS_ORIGINS", "*"),
        ("EMS_WS_ORIGINS", "null"),
        ("EMS_WS_ORIGINS", "https://ems.example.com/live"),
        ("EMS_WS_ORIGINS", "ems.example.com"),
        ("EMS_WS_ALLOW_NO_ORIGIN", "yes"),
        ("EMS_WS_MAX_SITES", "0"),
        ("EMS_WS_MAX_SITES", "many"),
        ("EMS_WS_TRUSTED_PROXIES", "*"),
        ("EMS_WS_TRUSTED_PROXIES", "10.0.0.1, ingress"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        Settings.from_env({**GOOD, name: value})
    assert "s3cret" not in str(caught.value)

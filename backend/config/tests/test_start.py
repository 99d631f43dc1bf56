"""How the process starts, as its own process: production is clean, and junk stops it in words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

BACKEND = Path(settings.BASE_DIR)
PRODUCTION = {
    "EMS_ENV": "production",
    "EMS_SECRET_KEY": "k3" * 15 + "Zq8-Lm_0x7Rt5Wv1Yb2Nc4",
    "EMS_ALLOWED_HOSTS": "ems.example.com",
    "EMS_PUBLIC_URL": "https://ems.example.com",
    "EMS_DATABASE_URL": "postgresql://ems@127.0.0.1:1/ems",
    "EMS_REDIS_URL": "redis://127.0.0.1:1/0",
    "EMS_EMAIL_URL": "smtp://127.0.0.1:1",
    "EMS_EMAIL_FROM": "ems@example.com",
}


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *words],
        cwd=BACKEND,
        env={"PATH": os.environ["PATH"], **PRODUCTION, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_check_deploy_is_clean_in_production() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_a_bad_environment_stops_every_command_without_a_traceback() -> None:
    done = manage("check", EMS_SECRET_KEY="short", EMS_DEBUG="1")
    assert done.returncode == 1
    assert "EMS_SECRET_KEY" in done.stderr
    assert "EMS_DEBUG" in done.stderr
    assert "Traceback" not in done.stderr

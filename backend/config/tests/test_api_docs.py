"""/api/schema and /api/docs"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from pytest_django import Settings
from rest_framework.test import APIClient

from config.api_docs import FILES
from testing.cast import Cast, ClientOf

COMMITTED = Path(settings.BASE_DIR).parent / "docs" / "reference" / "openapi.yaml"


def test_the_committed_description_is_the_generated_one(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True)
    remedy = "run `manage.py spectacular --file ../docs/reference/openapi.yaml --validate --fail-on-warn`"
    assert made.read_text() == COMMITTED.read_text(), remedy


@pytest.fixture
def production(settings: Settings) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, mode="production")


def test_outside_of_production_anyone_reads_the_description() -> None:
    assert APIClient().get("/api/schema").status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [("root", 200), ("dev", 200), ("alice", 403), ("max", 403), ("olga", 403), ("bob", 403), ("charlie", 403)],
)
def test_in_production_only_developers_and_platform_admins_read_the_description(
    cast: Cast, client_of: ClientOf, production: None, name: str, status: int
) -> None:
    assert client_of(cast.everyone()[name]).get("/api/schema").status_code == status


def test_in_production_a_stranger_is_told_to_sign_in(cast: Cast, production: None) -> None:
    answer = APIClient().get("/api/schema")
    assert answer.status_code == 401
    assert "/api/sites" not in answer.content.decode()


def test_the_page_is_empty_for_everybody(production: None) -> None:
    text = APIClient().get("/api/docs").content.decode()
    assert "openapi" not in text
    assert "/api/sites" not in text


@pytest.mark.parametrize("accept", ["text/html", "*/*", "image/png"])
@pytest.mark.parametrize("url", ["/api/docs", "/api/docs?script="])
def test_the_page_takes_nothing_from_elsewhere_and_runs_no_inline_script(url: str, accept: str) -> None:
    answer = APIClient().get(url, HTTP_ACCEPT=accept)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert re.findall(r"(?:src|href)=\"(?!/api/docs/)", text) == []
    assert "<style" not in text
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert re.findall(r"<script(?! src=)", text) == []


@pytest.mark.parametrize("name", FILES)
def test_its_files_are_below_its_own_address(db: None, name: str) -> None:
    answer = APIClient().get(f"/api/docs/{name}")
    assert answer.status_code == 200
    assert answer.getvalue()
    answer.close()


@pytest.mark.parametrize("name", ["../settings.py", "..%2fsettings.py", "swagger-ui.css.map", "docs.html"])
def test_it_serves_no_other_file(name: str) -> None:
    assert APIClient().get(f"/api/docs/{name}").status_code == 404

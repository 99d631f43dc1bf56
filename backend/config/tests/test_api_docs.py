"""/api/schema and /api/docs"""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from rest_framework.test import APIClient

COMMITTED = Path(settings.BASE_DIR).parent / "docs" / "reference" / "openapi.yaml"


def test_the_committed_description_is_the_generated_one(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True)
    remedy = "run `manage.py spectacular --file ../docs/reference/openapi.yaml --validate --fail-on-warn`"
    assert made.read_text() == COMMITTED.read_text(), remedy


@pytest.mark.parametrize("url", ["/api/docs", "/api/docs?script="])
def test_the_page_takes_nothing_from_elsewhere_and_runs_no_inline_script(url: str) -> None:
    answer = APIClient().get(url)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "//cdn" not in text
    assert "https://" not in text
    policy = answer["Content-Security-Policy"]
    assert "script-src" not in policy  # so default-src 'self' holds for scripts
    assert "default-src 'self'" in policy
    assert "<script>" not in text


def test_its_files_are_served_by_this_process() -> None:
    answer = APIClient().get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css")
    assert answer.status_code == 200
    answer.close()

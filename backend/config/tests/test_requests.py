"""What every answer carries: a request id, strict headers, and problems instead of pages."""

from __future__ import annotations

import json
import logging

import pytest
import redis
from django.db import OperationalError
from django.http import HttpRequest
from pytest_django import Settings
from rest_framework.exceptions import ValidationError
from rest_framework.test import APIClient

from config import problems
from testing.cast import Cast


def test_a_request_id_is_echoed_or_made() -> None:
    client = APIClient()
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1.2"})["X-Request-ID"] == "abc-1.2"
    made = client.get("/healthz")["X-Request-ID"]
    assert len(made) == 32
    assert client.get("/healthz")["X-Request-ID"] != made


@pytest.mark.parametrize("junk", ["", "a b", "x" * 65, 'quote"', "a;b"])
def test_a_malformed_request_id_is_not_taken_over(junk: str) -> None:
    assert APIClient().get("/healthz", headers={"X-Request-ID": junk})["X-Request-ID"] != junk


def test_a_request_is_one_log_line_with_its_id_and_without_its_query(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        APIClient().get("/api/sites?secret=hunter2", headers={"X-Request-ID": "find-me"})
    assert "hunter2" not in caplog.text
    (line,) = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert (line["event"], line["path"], line["status"], line["request_id"]) == (
        "request",
        "/api/sites",
        401,
        "find-me",
    )


def test_headers_are_strict(db: None) -> None:
    answer = APIClient().get("/api/sites")
    assert answer["Content-Security-Policy"].startswith("default-src 'self'")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_only_listed_origins_may_read_answers(db: None, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://ems.example.com"]
    allowed = APIClient().get("/api/sites", HTTP_ORIGIN="https://ems.example.com")
    assert allowed["Access-Control-Allow-Origin"] == "https://ems.example.com"
    for origin in ("https://evil.example.com", "null", "https://ems.example.com.evil.org"):
        assert "Access-Control-Allow-Origin" not in APIClient().get("/api/sites", HTTP_ORIGIN=origin)


def test_nested_errors_become_a_flat_list() -> None:
    error = ValidationError({"devices": [{}, {"name": ["Too long."]}], "non_field_errors": ["Bad pair."]})
    answer = problems.handler(error, {})
    assert answer is not None
    assert answer.data["errors"] == [
        {"field": "devices.1.name", "message": "Too long."},
        {"field": "request", "message": "Bad pair."},
    ]
    assert {"type", "title", "status", "detail"} <= set(answer.data)


def test_a_database_that_is_away_is_a_503_to_retry() -> None:
    answer = problems.handler(OperationalError("connection refused"), {})
    assert answer is not None
    assert (answer.status_code, answer.data["type"]) == (503, "urn:ems:problem:unavailable")
    assert "connection refused" not in json.dumps(answer.data)


def test_a_redis_that_is_full_is_a_503_to_retry(cast: Cast, clean_redis: redis.Redis) -> None:
    clean_redis.config_set("maxmemory", "1")
    try:
        answer = APIClient().post("/api/auth/login", {"email": "alice@example.com", "password": "wrong"}, format="json")
    finally:
        clean_redis.config_set("maxmemory", "0")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:ems:problem:unavailable")


def test_what_is_unknown_stays_unknown() -> None:
    assert problems.handler(ZeroDivisionError(), {}) is None
    answer = problems.server_error(HttpRequest())
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")


def test_a_body_that_is_too_large_is_refused_with_the_limit(cast: Cast) -> None:
    body = b'{"email":"' + b"x" * 9_000_000 + b'"}'
    answer = APIClient().post("/api/auth/login", body, content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:ems:problem:too_large")
    assert "8 MiB" in answer.json()["detail"]


def test_a_body_that_is_not_json_is_refused(cast: Cast) -> None:
    answer = APIClient().post("/api/auth/login", {"email": "x"}, format="multipart")
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:ems:problem:unsupported_media_type")

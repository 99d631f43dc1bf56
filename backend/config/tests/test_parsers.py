"""Bodies that are no JSON, or hold what nothing behind can hold, are refused before anyone reads them."""

from __future__ import annotations

import json
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from config.wsgi import application
from sites.models import Asset
from testing.cast import Cast, ClientOf


def post(client_of: ClientOf, cast: Cast, raw: Any, content_type: str = "application/json") -> Any:
    """As an org admin, to where assets are made."""
    return client_of(cast.alice).generic("POST", "/api/assets", raw, content_type=content_type)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"name": "\xff\xfe"}',
        b'{"name": NaN}',
        b'{"name": -Infinity}',
        b'{"name": "a\\u0000b"}',
        b'{"na\\u0000me": "x"}',
        b'{"name": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'[[["deep", "\\u0000"]]]',
        b"[" * 100_000,
        b'{"name": ' + b"9" * 5_000 + b"}",
        "{'name': 'x'}".encode("utf-16"),
    ],
)
def test_it_is_refused_as_no_json(cast: Cast, client_of: ClientOf, raw: bytes) -> None:
    answer = post(client_of, cast, raw)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert Asset.objects.count() == 0


@pytest.mark.parametrize("raw", [b"null", b"[]", b'"text"', b"1", b"true", b"[1]", b"{}"])
def test_json_of_another_shape_is_refused_with_its_field(cast: Cast, client_of: ClientOf, raw: bytes) -> None:
    answer = post(client_of, cast, raw)
    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "junk"]
)
def test_another_type_of_content_is_refused(cast: Cast, client_of: ClientOf, content_type: str) -> None:
    answer = post(client_of, cast, b"name=x", content_type)
    assert answer.status_code == 415
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "latin-1", "none-such"])
def test_a_body_is_utf_8_whatever_its_header_says(cast: Cast, client_of: ClientOf, charset: str) -> None:
    asset = {"site": cast.own.pk, "kind": "meter", "name": "Zähler 😀"}
    raw = json.dumps(asset, ensure_ascii=False).encode()
    answer = post(client_of, cast, raw, f"application/json; charset={charset}")
    assert answer.status_code == 201
    assert answer.json()["name"] == "Zähler 😀"


@pytest.mark.parametrize("charset", ["zip", "hex", "rot13", "idna", "utf-16", "\x00", '"', "x; a*=b"])
def test_a_codec_of_pythons_in_the_header_is_not_obeyed(held_connection: None, charset: str) -> None:
    environ = {"PATH_INFO": "/healthz", "QUERY_STRING": "x=%C3%A4", "CONTENT_TYPE": f"text/plain; charset={charset}"}
    setup_testing_defaults(environ)
    said: list[str] = []
    start: Any = lambda status, headers: said.append(status)  # noqa: E731
    body = application(environ, start)
    assert (said, b"".join(body)) == (["200 OK"], b'{"status": "ok"}')


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*;q=0.1", "junk", ""])
@pytest.mark.parametrize("query", ["", "?format=xml"])
def test_the_answer_is_json_whatever_was_asked_for(cast: Cast, client_of: ClientOf, accept: str, query: str) -> None:
    answer = client_of(cast.alice).get(f"/api/auth/me{query}", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer \xff",
        "Bearer emt_\xff",
        "Bearer ems_\xff",
        "Basic YTpi",
        "\xff",
        "Bearer ..",
        "Bearer a.b.c",
    ],
)
@pytest.mark.parametrize("url", ["/api/auth/me", "/api/sites"])
def test_a_strange_credential_is_a_401(cast: Cast, client_of: ClientOf, header: str, url: str) -> None:
    assert client_of().get(url, headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize("header", ["Bearer \xff", "Bearer ems_\xff", "Basic YTpi", ""])
def test_a_strange_edge_key_is_a_401(cast: Cast, client_of: ClientOf, header: str) -> None:
    answer = client_of().post("/api/edge/session", {}, format="json", headers={"Authorization": header})
    assert answer.status_code == 401


@pytest.mark.parametrize("cookie", ["", "\x00", "a.b.c", "ü", "x" * 5_000])
def test_a_strange_refresh_cookie_is_a_401(cast: Cast, client_of: ClientOf, cookie: str) -> None:
    client = client_of()
    client.cookies["ems_refresh"] = cookie
    assert client.post("/api/auth/refresh").status_code == 401
    assert client.post("/api/auth/logout").status_code == 204

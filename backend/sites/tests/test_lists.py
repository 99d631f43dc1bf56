"""Every list of sites and what is on them: pages, filters and orders from a list of allowed ones."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from sites.models import Asset
from sites.tests.asking import fields
from testing.cast import Cast, ClientOf, edge_kit

LISTS = ("sites", "site-access", "assets", "edges", "devices", "points")
ON_A_SITE = tuple(each for each in LISTS if each != "sites")


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "order",
    [
        "organization__secret",
        "user__password",
        "site__organization__name",
        "secret_hash",
        "pk",
        "-nonsense",
        "%3F",
        "a,b",
    ],
)
def test_an_order_that_is_not_offered_is_refused(cast: Cast, client_of: ClientOf, name: str, order: str) -> None:
    assert fields(client_of(cast.alice).get(f"/api/{name}?ordering={order}")) == ["ordering"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["organization__name=Beta", "site__organization=1", "nonsense=1", "name__contains=x"])
def test_a_filter_that_is_not_offered_is_refused(cast: Cast, client_of: ClientOf, name: str, query: str) -> None:
    assert fields(client_of(cast.alice).get(f"/api/{name}?{query}")) == [query.partition("=")[0]]


@pytest.mark.parametrize("name", LISTS)
def test_each_row_is_on_exactly_one_page(cast: Cast, client_of: ClientOf, name: str) -> None:
    edge_kit(cast.own, "first")
    edge_kit(cast.other, "second")
    client, order = client_of(cast.root), "role" if name == "site-access" else "name"
    everything = client.get(f"/api/{name}?ordering=-{order}").json()
    assert everything["count"] >= 2
    paged = [
        client.get(f"/api/{name}?ordering=-{order}&page_size=1&page={page}").json()["results"][0]["id"]
        for page in range(1, everything["count"] + 1)
    ]
    assert paged == [row["id"] for row in everything["results"]]


@pytest.mark.parametrize("name", LISTS)
def test_a_page_that_is_not_there_is_a_404(cast: Cast, client_of: ClientOf, name: str) -> None:
    for page in ("0", "99", "x", "9" * 30):
        assert client_of(cast.alice).get(f"/api/{name}?page={page}").status_code == 404


@pytest.mark.parametrize("name", ON_A_SITE)
def test_a_list_holds_the_callers_sites_only(cast: Cast, client_of: ClientOf, name: str) -> None:
    for site in (cast.own, cast.other, cast.foreign):
        edge_kit(site)
    rows = client_of(cast.max).get(f"/api/{name}").json()["results"]
    assert rows
    assert {row["site"] for row in rows} == {cast.own.pk}
    assert client_of(cast.dev).get(f"/api/{name}").json()["count"] == 0


@pytest.mark.parametrize("name", ON_A_SITE)
def test_a_list_takes_the_same_number_of_queries_however_long_it_is(
    cast: Cast, client_of: ClientOf, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        edge_kit(cast.own, f"device_{number}")
    client = client_of(cast.max)
    with django_assert_max_num_queries(8):
        assert len(client.get(f"/api/{name}").json()["results"]) >= 3


@pytest.mark.parametrize("search", ["%25", "_", "\\", "'; DROP TABLE sites_site; --", "x" * 5000])
def test_a_search_is_taken_literally(cast: Cast, client_of: ClientOf, search: str) -> None:
    Asset.objects.create(site=cast.own, kind="meter", name="Meter")
    assert client_of(cast.max).get("/api/assets", {"search": search}).json()["count"] == 0


@pytest.mark.parametrize("name", LISTS)
def test_a_search_with_a_nul_is_refused(cast: Cast, client_of: ClientOf, name: str) -> None:
    assert fields(client_of(cast.max).get(f"/api/{name}?search=a%00b")) == ["search"]

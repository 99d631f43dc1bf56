"""Every endpoint of a site refuses a stranger, and a foreign site is exactly as absent as one that does not exist."""

from __future__ import annotations

import pytest

from sites.models import SiteAccess
from testing.cast import Cast, ClientOf

OF_A_SITE = ("/api/sites/{id}", "/api/sites/{id}/points", "/api/sites/{id}/assets")
SIGNED_IN = ("/api/sites", "/api/organizations", "/api/validate-token", "/api/auth/me")
NOWHERE = (0, 999_999, 2**31, 2**63, 10**30)


@pytest.mark.parametrize("url", [*OF_A_SITE, *SIGNED_IN])
def test_it_requires_a_token(cast: Cast, client_of: ClientOf, url: str) -> None:
    answer = client_of().get(url.format(id=cast.own.pk))
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("url", OF_A_SITE)
@pytest.mark.parametrize("name", ["charlie", "dev"])
def test_a_foreign_site_and_none_at_all_answer_byte_for_byte_alike(
    cast: Cast, client_of: ClientOf, url: str, name: str
) -> None:
    client = client_of(cast.everyone()[name])
    answers = [client.get(url.format(id=number)) for number in (cast.own.pk, *NOWHERE)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    headers = [{k: v for k, v in answer.items() if k != "X-Request-ID"} for answer in answers]
    assert all(each == headers[0] for each in headers)


@pytest.mark.parametrize("url", OF_A_SITE)
def test_another_site_of_the_own_organization_is_foreign_too(cast: Cast, client_of: ClientOf, url: str) -> None:
    for user in (cast.bob, cast.olga, cast.max):
        assert client_of(user).get(url.format(id=cast.own.pk)).status_code == 200
        assert client_of(user).get(url.format(id=cast.other.pk)).status_code == 404


@pytest.mark.parametrize("url", OF_A_SITE)
def test_a_role_without_membership_opens_nothing(cast: Cast, client_of: ClientOf, url: str) -> None:
    cast.bob.memberships.all().delete()
    SiteAccess.objects.create(user=cast.bob, site=cast.own, role="viewer")
    assert client_of(cast.bob).get(url.format(id=cast.own.pk)).status_code == 404


@pytest.mark.parametrize("url", OF_A_SITE)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_viewer_only_reads(cast: Cast, client_of: ClientOf, url: str, method: str) -> None:
    answer = getattr(client_of(cast.bob), method)(url.format(id=cast.own.pk), {}, format="json")
    assert answer.status_code in (403, 405)


@pytest.mark.parametrize(
    "url", ["/api/sites/abc", "/api/sites/-1", "/api/sites/1.5/points", "/api/nothing", "/nothing"]
)
def test_an_address_that_no_endpoint_has_is_a_problem_too(cast: Cast, client_of: ClientOf, url: str) -> None:
    answer = client_of(cast.alice).get(url)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:ems:problem:not_found"

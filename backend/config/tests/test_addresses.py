"""The client's address is what our own proxies saw, whatever the client says."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from config.addresses import client_address, network_of, origin_of

WEB, INGRESS, CLIENT = "10.0.0.5", "10.0.0.6", "203.0.113.7"


def address(peer: str, chain: str | None) -> str | None:
    headers = {} if chain is None else {"X-Forwarded-For": chain}
    return client_address(RequestFactory(REMOTE_ADDR=peer, headers=headers).get("/"))


@pytest.fixture
def proxies(settings: Settings) -> Settings:
    settings.PROXY_NETWORKS = [ip_network("10.0.0.0/8"), ip_network("127.0.0.0/8")]
    return settings


@pytest.mark.parametrize(
    ("hops", "peer", "chain", "expected"),
    [
        # nobody is trusted: the peer is the client
        (0, CLIENT, None, CLIENT),
        (0, CLIENT, "198.51.100.1", CLIENT),
        (0, WEB, "198.51.100.1", WEB),
        # the web server in front: it appends what it saw, the rest was written by the client
        (1, WEB, CLIENT, CLIENT),
        (1, WEB, f"198.51.100.1, {CLIENT}", CLIENT),
        (1, WEB, f"127.0.0.1, 10.1.1.1,{CLIENT}", CLIENT),
        (1, WEB, None, WEB),
        # an ingress in front of the web server
        (2, WEB, f"198.51.100.1, {CLIENT}, {INGRESS}", CLIENT),
        # past the web server, as the admin is reached: one hop less, and still nothing forged is believed
        (2, INGRESS, f"198.51.100.1, {CLIENT}", CLIENT),
        # past every proxy: the header is the client's own
        (1, CLIENT, "198.51.100.1", CLIENT),
        (2, CLIENT, "198.51.100.1, 198.51.100.2", CLIENT),
        # more hops than are configured
        (1, WEB, f"{CLIENT}, {INGRESS}", INGRESS),
        # junk from a trusted proxy is no address, and nothing before it is believed
        (1, WEB, "junk", None),
        (1, WEB, "203.0.113.7:5555", None),
        (2, WEB, f"{CLIENT}, <script>", None),
        (1, WEB, f"{CLIENT}, ", WEB),
        # spellings of the same
        (1, WEB, "fe80::1%eth0", "fe80::1"),
        (1, "::ffff:10.0.0.5", f"::ffff:{CLIENT}", CLIENT),
    ],
)
def test_it_is_read_from_the_end_as_far_as_trusted_hops_reach(
    proxies: Settings, hops: int, peer: str, chain: str | None, expected: str | None
) -> None:
    proxies.TRUSTED_PROXIES = hops
    assert address(peer, chain) == expected


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"])
def test_other_headers_are_never_looked_at(proxies: Settings, header: str) -> None:
    proxies.TRUSTED_PROXIES = 1
    request = RequestFactory(REMOTE_ADDR=WEB, headers={header: "198.51.100.1", "X-Forwarded-For": CLIENT}).get("/")
    assert client_address(request) == CLIENT


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"),
        (None, "unknown"),
    ],
)
def test_limits_count_an_ipv6_network_as_one(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_a_user_agent_is_cut_and_holds_nothing_that_a_database_refuses() -> None:
    origin = origin_of(RequestFactory(headers={"User-Agent": "a\x00" + "b" * 1000}).get("/"))
    assert (len(origin.user_agent), "\x00" in origin.user_agent) == (300, False)

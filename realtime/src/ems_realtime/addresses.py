"""Whom the limits for each address count: one household or company, not one of the addresses that it has plenty of."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

IPV6_NETWORK = 64
"""Bits. Every customer of a provider has at least 2^64 IPv6 addresses."""
LONGEST = 64


def counted(host: str) -> str:
    """`192.0.2.1` -> itself, also where it comes as `::ffff:192.0.2.1`; `2001:db8::1` -> `2001:db8::/64`.

    What is no address (a proxy may say anything) counts as it stands, up to a length.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:LONGEST]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), IPV6_NETWORK), strict=False))


def as_peers(networks: Iterable[str]) -> list[str]:
    """These, and the IPv4 ones also as a socket that hears both families names them: `10.0.0.0/8` as
    `::ffff:10.0.0.0/104`."""
    found = []
    for network in map(ipaddress.ip_network, networks):
        found.append(str(network))
        if isinstance(network, ipaddress.IPv4Network):
            found.append(f"::ffff:{network.network_address}/{96 + network.prefixlen}")
    return found

"""Whom the limits for each address count: one household or company, not one of the addresses that it has plenty of."""

from __future__ import annotations

import ipaddress

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

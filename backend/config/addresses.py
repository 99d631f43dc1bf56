"""Where a request came from. What a caller claims about it is never believed, only what our own proxies say.

Each proxy appends the peer that it saw to `X-Forwarded-For`, so the chain is read from its end: an entry counts only
if the hop that appended it stands in `EMS_TRUSTED_PROXY_NETWORKS`, and at most `EMS_TRUSTED_PROXIES` entries count.
Whatever stands before those was written by the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

LONGEST_AGENT = 300


def client_address(request: HttpRequest | Request) -> str | None:
    """The caller's IP address; None where a trusted proxy's word for it is no address."""
    hop = _address(request.META.get("REMOTE_ADDR", ""))
    chain = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    for _ in range(settings.TRUSTED_PROXIES):
        if hop is None or not chain or not chain[-1].strip():
            break
        if not any(hop in network for network in settings.PROXY_NETWORKS):
            break
        hop = _address(chain.pop())
    return str(hop) if hop is not None else None


def network_of(address: str | None) -> str:
    """What limits count as one caller: an IPv4 address, or the /64 that every IPv6 customer has for themselves."""
    if address is None or ":" not in address:
        return address or "unknown"
    return str(ip_network((address, 64), strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])  # a zone means something to the sender only
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@dataclass(frozen=True)
class Origin:
    """Where somebody called from, as people recognise it in the list of their sessions."""

    address: str | None = None
    user_agent: str = ""


def origin_of(request: HttpRequest | Request) -> Origin:
    agent = request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")
    return Origin(client_address(request), agent[:LONGEST_AGENT])

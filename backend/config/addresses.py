"""Where a request came from."""

from __future__ import annotations

from ipaddress import ip_address

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle


def client_address(request: Request) -> str | None:
    """The caller's IP address, behind as many proxies as are trusted; None where what they say is no address."""
    text = (BaseThrottle().get_ident(request) or "").partition("%")[0]  # a zone means something to the sender only
    try:
        return str(ip_address(text))
    except ValueError:
        return None

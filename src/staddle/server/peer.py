"""From which address a request comes, through the proxies that we trust."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from litestar import Request


def peer_of(request: Request[Any, Any, Any], trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """Give the nearest address that is not one of our own proxies; a header counts only as far as they vouch for it."""
    client = request.scope.get("client")
    address = client[0] if client else ""
    if not trusted:
        return address
    hops = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",") if each.strip()]
    while hops and is_trusted(address, trusted):
        address = hops.pop()
    return address


def is_trusted(address: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Say whether an address is that of one of our proxies."""
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in trusted)

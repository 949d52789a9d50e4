"""From which address a request comes, through the proxies that we trust."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address


def peer_of(address: str, forwarded_for: str, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """Give the nearest address that is not one of our own proxies; the header counts only as far as they vouch for it.

    `forwarded_for` is what X-Forwarded-For says.
    """
    if not trusted:
        return address
    hops = [each.strip() for each in forwarded_for.split(",") if each.strip()]
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

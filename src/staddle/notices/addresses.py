"""Where a webhook may go: a public address by HTTPS, so that nobody makes the desk knock at doors inside its own house.

The name of an endpoint is resolved anew for each delivery and every address that it stands for is checked here; the
delivery then goes to the very address that was checked (server/send.py).
"""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from staddle.errors import InvalidConfig, InvalidWebhookUrl

GLOBAL_UNICAST = ip_network("2000::/3")
REFUSED = [
    # Public by their numbers, but they lead into a cloud's own services or to an address hidden in an address.
    ip_network("168.63.129.16/32"),
    ip_network("192.0.0.0/24"),
    ip_network("192.88.99.0/24"),
    ip_network("2001::/23"),
    ip_network("2002::/16"),
    ip_network("3fff::/20"),
]
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a sandbox may reach besides: hosts as `name:port`, and networks (STADDLE_WEBHOOK_ALLOW)."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, entries: Sequence[str]) -> "Allowed":
        """Read entries such as `localhost:9000`, `127.0.0.1` or `10.0.0.0/8`. Raises InvalidConfig."""
        hosts, networks = set(), []
        for entry in entries:
            try:
                networks.append(ip_network(entry))
            except ValueError:
                host, colon, port = entry.rpartition(":")
                if not colon or not host or not (port.isascii() and port.isdigit()):
                    raise InvalidConfig(
                        f"STADDLE_WEBHOOK_ALLOW holds host:port or networks with commas; {entry[:80]!r} is neither."
                    ) from None
                hosts.add(f"{host.lower()}:{int(port)}")
        return cls(frozenset(hosts), tuple(networks))


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint's URL, taken apart. `host` is as it is resolved; `named` as the Host header says it."""

    is_https: bool
    host: str
    port: int
    named: str
    path: str


def parse_target(url: str) -> Target:
    """Take a URL apart; raises InvalidWebhookUrl for what is not a plain http or https address."""
    if len(url) > 2000 or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidWebhookUrl
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidWebhookUrl from error
    host = (parts.hostname or "").lower()
    if (
        parts.scheme not in ("http", "https")
        or not host
        or "@" in parts.netloc
        or parts.fragment
        or port == 0
    ):
        raise InvalidWebhookUrl
    is_https = parts.scheme == "https"
    is_v6 = ":" in host
    if (is_v6 and _literal(host) is None) or (not is_v6 and not _NAME.fullmatch(host)):
        raise InvalidWebhookUrl
    usual = 443 if is_https else 80
    named = f"[{host}]" if is_v6 else host
    named = named if port in (None, usual) else f"{named}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_https, host, port or usual, named, path)


def check_url(url: str, is_sandbox: bool, allowed: Allowed) -> Target:
    """Check what can be checked of a URL before its name is resolved; raises InvalidWebhookUrl.

    Only a sandbox may do without HTTPS, and reach what it was allowed.
    """
    target = parse_target(url)
    if not is_sandbox and not target.is_https:
        raise InvalidWebhookUrl("The address must begin with https://.")
    literal = _literal(target.host)
    if literal is not None:
        check_address(target, literal, is_sandbox, allowed)
    return target


def check_address(target: Target, address: str, is_sandbox: bool, allowed: Allowed) -> None:
    """Refuse an address that is not public, however it is written; raises InvalidWebhookUrl."""
    number = ip_address(address.partition("%")[0])
    if isinstance(number, IPv6Address) and number.ipv4_mapped is not None:
        number = number.ipv4_mapped
    if is_sandbox and (
        f"{target.host}:{target.port}" in allowed.hosts or any(number in each for each in allowed.networks)
    ):
        return
    if not is_public(number):
        raise InvalidWebhookUrl(f"{target.host} is not a public address.")


def is_public(number: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is one of the public internet's, and leads nowhere else by a detour."""
    if isinstance(number, IPv6Address) and number not in GLOBAL_UNICAST:
        return False
    return number.is_global and not number.is_multicast and not any(number in each for each in REFUSED)


def _literal(host: str) -> str | None:
    """Give the address that a host is instead of a name, in whatever spelling (127.1, 0x7f.1, 2130706433), or None."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None

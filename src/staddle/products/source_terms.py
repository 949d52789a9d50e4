"""The terms of a rate source: where a rate is read, and how far a product follows it (product.md rule 33)."""

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Literal, NoReturn
from urllib.parse import urlsplit

import msgspec

from staddle.errors import InvalidSource
from staddle.money import EXACT, floor_to_unit
from staddle.products.terms import APR_MAX, is_figure

SourceKind = Literal["json", "solana", "ethereum_beacon", "cosmos"]
KINDS: tuple[SourceKind, ...] = ("json", "solana", "ethereum_beacon", "cosmos")
FOLLOWED_SCALE = 6
"""Decimals of a rate that follows the network; what is finer is cut off."""
STALE_HOURS_MAX = 8_760
URL_MAX = 500
PATH_MAX = 200


class SourceTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the network's rate is read, the part that the desk keeps, and how far the product's rate may follow."""

    kind: SourceKind
    url: str
    """Of `json` the document, of a node the address of its API. Operators see it in full."""
    figure_path: str | None = None
    """Of `json` only: JSON Pointer (RFC 6901) to the APR in the document, such as /data/0/apr."""
    time_path: str | None = None
    """Of `json` only: JSON Pointer to the instant of the figure; without one it is taken to be of now."""
    is_percent: bool = False
    """Of `json` only: whether the figure 5 means 5 %, and not 500 %."""
    desk_share: Decimal
    """The part of the network's rate that the desk keeps, 0 to 1."""
    apr_min: Decimal
    """What lies outside apr_min to apr_max is never published by itself."""
    apr_max: Decimal
    step_max: Decimal
    """The most that the APR changes by itself from one day to the next."""
    stale_hours: int = 24
    """Figures that are older than so many hours change nothing."""


def apr_of(terms: SourceTerms, network_apr: Decimal) -> Decimal:
    """Give the customers' part of the network's APR, cut at six decimals."""
    part = EXACT.subtract(Decimal(1), terms.desk_share)
    return floor_to_unit(EXACT.multiply(network_apr, part), 1, FOLLOWED_SCALE)


def stale_after(terms: SourceTerms) -> timedelta:
    """Give the age beyond which figures change nothing."""
    return timedelta(hours=terms.stale_hours)


def check_source(terms: SourceTerms, is_sandbox: bool, http_hosts: Collection[str]) -> None:
    """Refuse terms that do not fit together: InvalidSource names the field. `http_hosts` may be read without TLS."""
    if terms.kind not in KINDS:
        refuse("kind", f"it is one of {', '.join(KINDS)}")
    check_url(terms.url, is_sandbox, http_hosts)
    check_paths(terms)
    for field, largest in (
        ("desk_share", 1),
        ("apr_min", APR_MAX),
        ("apr_max", APR_MAX),
        ("step_max", APR_MAX),
    ):
        if not is_figure(getattr(terms, field), largest):
            refuse(field, f"it is not a decimal from 0 to {largest} with at most twelve decimals")
    if terms.apr_min > terms.apr_max:
        refuse("apr_min", "it is above apr_max")
    if terms.step_max == 0:
        refuse("step_max", "a source whose rate may not change at all is none")
    if not 1 <= terms.stale_hours <= STALE_HOURS_MAX:
        refuse("stale_hours", f"it is not a number of hours from 1 to {STALE_HOURS_MAX}")


def check_url(url: str, is_sandbox: bool, http_hosts: Collection[str]) -> None:
    """A source is read by HTTPS; without TLS only in a sandbox, or from a host that the settings name."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        refuse("url", "it is not a URL")
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url or len(url) > URL_MAX:
        refuse("url", f"it is not a URL of up to {URL_MAX} characters")
    if parts.username is not None or parts.fragment:
        refuse("url", "it holds a user's name or a fragment, which a source has not")
    may_be_plain = is_sandbox or not {parts.netloc.lower(), parts.hostname}.isdisjoint(http_hosts)
    if parts.scheme != "https" and not (parts.scheme == "http" and may_be_plain):
        refuse("url", "it must begin with https://, unless STADDLE_HTTP_HOSTS names its host")


def check_paths(terms: SourceTerms) -> None:
    """Paths into the document, and percent, are for a feed; a node's figures are known."""
    if terms.kind != "json":
        if terms.figure_path is not None or terms.time_path is not None or terms.is_percent:
            refuse("figure_path", f"a source of the kind {terms.kind} needs no paths, and gives fractions")
        return
    if terms.figure_path is None:
        refuse("figure_path", "a feed needs a JSON Pointer to its figure, such as /data/0/apr")
    for field in ("figure_path", "time_path"):
        path: str | None = getattr(terms, field)
        if path is not None and (not path.startswith("/") or not path.isprintable() or len(path) > PATH_MAX):
            refuse(field, "it is not a JSON Pointer such as /data/0/apr")


def refuse(field: str, reason: str) -> NoReturn:
    """Raise InvalidSource with a sentence that names the field."""
    raise InvalidSource(f"{field}: {reason}.", field=field)

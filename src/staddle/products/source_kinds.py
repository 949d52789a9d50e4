"""What each kind of rate source says, and the network's APR in it (product.md rule 33).

These functions ask through `get`, which the caller makes: it sends a GET, or a POST where there is a body, and gives
the JSON document with its numbers as exact decimals. docs/operate/rate-sources.md derives each formula.
Whatever makes no sense is SourceUnreadable.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

from staddle.days import parse_instant
from staddle.errors import InvalidAmount, InvalidTime, SourceUnreadable
from staddle.money import EXACT, ZERO, floor_to_unit, parse_decimal, plain
from staddle.products.source_terms import SourceTerms

Get = Callable[[str, object], Any]
"""Ask a URL, with a body to post or None; raises SourceUnreadable."""
NETWORK_SCALE = 12
DIGITS_MAX = 36
EXPONENT_MAX = 30
SECONDS_IN_YEAR = 365 * 86_400
ETHEREUM_EPOCH_SECONDS = 32 * 12
ETHEREUM_ATTESTING_WEIGHT = 14 + 26 + 14
ETHEREUM_WEIGHT = 64
"""Of 64 parts of a base reward 54 are paid for attesting, 8 for proposing and 2 for sync committees."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was read: the network's APR, in words what it was made from, and of when that is, where it is said."""

    network_apr: Decimal
    told: str
    figure_at: datetime | None


def read_figures(terms: SourceTerms, get: Get) -> Figures:
    """Ask a source for the network's APR. Raises SourceUnreadable."""
    return READERS[terms.kind](terms, get)


def read_feed(terms: SourceTerms, get: Get) -> Figures:
    """A JSON document with the APR at a path."""
    assert terms.figure_path is not None
    document = get(terms.url, None)
    apr = figure(at_path(document, terms.figure_path), terms.figure_path)
    figure_at = (
        None if terms.time_path is None else instant(at_path(document, terms.time_path), terms.time_path)
    )
    fraction = floor_to_unit(apr, 100 if terms.is_percent else 1, NETWORK_SCALE)
    return Figures(fraction, f"{terms.figure_path} = {plain(apr)}", figure_at)


def read_solana(terms: SourceTerms, get: Get) -> Figures:
    """Solana's JSON-RPC: the validators' inflation, shared among the stake that is active.

    APR = inflation for validators x total supply / active stake, before a validator's commission.
    """

    def call(method: str, *parameters: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        return at_path(get(terms.url, body), "/result")

    inflation = figure(at_path(call("getInflationRate"), "/validator"), "validator inflation")
    supply = call("getSupply", {"excludeNonCirculatingAccountsList": True, "commitment": "finalized"})
    total = figure(at_path(supply, "/value/total"), "total supply")
    slot = figure(at_path(supply, "/context/slot"), "slot")
    accounts = call("getVoteAccounts", {"commitment": "finalized"})
    staked = EXACT.add(sum_of(at_path(accounts, "/current")), sum_of(at_path(accounts, "/delinquent")))
    apr = floor_to_unit(EXACT.multiply(inflation, total), above_zero(staked, "active stake"), NETWORK_SCALE)
    told = f"validator inflation {plain(inflation)}, supply {plain(total)}, active stake {plain(staked)} lamports"
    return Figures(apr, told, instant(call("getBlockTime", int(slot)), "block time"))


def read_ethereum_beacon(terms: SourceTerms, get: Get) -> Figures:
    """A beacon node's own figures for the ideal attestation rewards of the last finalized epoch.

    APR = ideal reward / effective balance x 64/54 x epochs in a year: attesting is 54 of the 64 parts of a reward.
    """
    checkpoints = get(below(terms.url, "/eth/v1/beacon/states/head/finality_checkpoints"), None)
    epoch = int(figure(at_path(checkpoints, "/data/finalized/epoch"), "finalized epoch"))
    rewards = get(below(terms.url, f"/eth/v1/beacon/rewards/attestations/{epoch}"), ["0"])
    ideals = at_path(rewards, "/data/ideal_rewards")
    balance, reward = ideal_reward(ideals)
    in_a_year = EXACT.multiply(EXACT.multiply(reward, Decimal(ETHEREUM_WEIGHT)), Decimal(SECONDS_IN_YEAR))
    divisor = EXACT.multiply(balance, Decimal(ETHEREUM_ATTESTING_WEIGHT * ETHEREUM_EPOCH_SECONDS))
    genesis = get(below(terms.url, "/eth/v1/beacon/genesis"), None)
    began_at = instant(at_path(genesis, "/data/genesis_time"), "genesis time")
    told = f"epoch {epoch}: ideal reward {plain(reward)} Gwei of {plain(balance)} Gwei"
    try:
        figure_at = began_at + timedelta(seconds=epoch * ETHEREUM_EPOCH_SECONDS)
    except OverflowError:
        unreadable(f"the epoch {epoch} is beyond the calendar")
    return Figures(floor_to_unit(in_a_year, divisor, NETWORK_SCALE), told, figure_at)


def ideal_reward(ideals: Any) -> tuple[Decimal, Decimal]:
    """Give the largest effective balance of the list, and what attesting without fault pays for it in an epoch."""
    if not isinstance(ideals, list) or not ideals:
        unreadable("it lists no ideal rewards")
    best = max(ideals, key=lambda each: figure(at_path(each, "/effective_balance"), "effective balance"))
    parts = [figure(at_path(best, f"/{part}"), part) for part in ("head", "target", "source")]
    balance = figure(at_path(best, "/effective_balance"), "effective balance")
    return above_zero(balance, "effective balance"), reduce(EXACT.add, parts, ZERO)


def read_cosmos(terms: SourceTerms, get: Get) -> Figures:
    """A Cosmos node's REST API: what is minted in a year, less the community's tax, shared among bonded coins.

    APR = annual provisions x (1 - community tax) / bonded tokens, before a validator's commission; the provisions are
    inflation x supply.
    """
    minted = get(below(terms.url, "/cosmos/mint/v1beta1/annual_provisions"), None)
    provisions = figure(at_path(minted, "/annual_provisions"), "annual provisions")
    parameters = get(below(terms.url, "/cosmos/distribution/v1beta1/params"), None)
    tax = figure(at_path(parameters, "/params/community_tax"), "community tax")
    pool = get(below(terms.url, "/cosmos/staking/v1beta1/pool"), None)
    bonded = above_zero(figure(at_path(pool, "/pool/bonded_tokens"), "bonded tokens"), "bonded tokens")
    if tax > 1:
        unreadable(f"the community tax is {plain(tax)}")
    latest = get(below(terms.url, "/cosmos/base/tendermint/v1beta1/blocks/latest"), None)
    shared = EXACT.multiply(provisions, EXACT.subtract(Decimal(1), tax))
    told = f"annual provisions {plain(provisions)}, community tax {plain(tax)}, bonded {plain(bonded)}"
    figure_at = instant(at_path(latest, "/block/header/time"), "block time")
    return Figures(floor_to_unit(shared, bonded, NETWORK_SCALE), told, figure_at)


READERS: Mapping[str, Callable[[SourceTerms, Get], Figures]] = {
    "json": read_feed,
    "solana": read_solana,
    "ethereum_beacon": read_ethereum_beacon,
    "cosmos": read_cosmos,
}


def below(url: str, path: str) -> str:
    """Give the address of a node's method: the path comes before the query, which may hold a provider's key."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + path))


def at_path(document: Any, path: str) -> Any:
    """Follow a JSON Pointer (RFC 6901)."""
    found = document
    for token in path.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isascii() and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            unreadable(f"there is nothing at {path}")
    return found


def figure(value: Any, name: str) -> Decimal:
    """Read a figure that is not negative: a number, or a plain decimal in quotes as nodes write them."""
    try:
        if isinstance(value, str):
            value = parse_decimal(value)
        if isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
    except InvalidAmount:
        unreadable(f"{name} is not a figure")
    if not isinstance(value, Decimal) or not value.is_finite() or value.is_signed():
        unreadable(f"{name} is not a figure of 0 or more")
    if len(value.as_tuple().digits) > DIGITS_MAX or abs(value.adjusted()) > EXPONENT_MAX:
        unreadable(f"{name} has too many digits")
    return value


def above_zero(value: Decimal, name: str) -> Decimal:
    """Give a figure back that something is divided by."""
    if value == 0:
        unreadable(f"{name} is 0")
    return value


def sum_of(accounts: Any) -> Decimal:
    """Add up the active stake of vote accounts."""
    if not isinstance(accounts, list):
        unreadable("it lists no vote accounts")
    stakes = (figure(at_path(each, "/activatedStake"), "activatedStake") for each in accounts)
    return reduce(EXACT.add, stakes, ZERO)


def instant(value: Any, name: str) -> datetime:
    """Read an instant: seconds since 1970, or RFC 3339."""
    try:
        if isinstance(value, str) and not value.isdecimal():
            return parse_instant(value)
        seconds = figure(value, name)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds))
    except (InvalidTime, OverflowError):
        unreadable(f"{name} is not an instant")


def unreadable(reason: str) -> NoReturn:
    """Raise SourceUnreadable with what is wrong; no rate changes."""
    raise SourceUnreadable(f"The rate source makes no sense: {reason}; no rate was changed.", reason=reason)

"""Money that comes in, goes out, and moves between a customer's own accounts (product.md rule 32).

These acts only need to know that a customer exists; they live here because the ledger knows no customers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeVar

import msgspec

from staddle.customers.find import CUSTOMER_ID_MAX, find_customers_by_id
from staddle.db import Tx
from staddle.errors import (
    AssetNotFound,
    CustomerNotFound,
    InsufficientFunds,
    Invalid,
    InvalidAmount,
    InvalidChoice,
    StaddleError,
    TooManyDecimals,
)
from staddle.ledger import (
    SOURCES,
    AccountKind,
    Asset,
    Command,
    LockedCells,
    Outcome,
    Transfer,
    account_of,
    all_assets,
    answer_commands,
    balances_of,
    cell_of,
    lock_cells,
    post,
)
from staddle.ledger.requests import check_key
from staddle.money import EXACT, SCALE_MAX, ZERO, check_scale, plain
from staddle.notices import Notice, write_notices

Account = Literal["spot", "funding"]


class Deposit(Command, frozen=True, kw_only=True):
    """Coins that came in for a customer; `asset` is the coin's code."""

    asset: str
    account: Account
    amount: Decimal


class Withdraw(Command, frozen=True, kw_only=True):
    """Coins that leave for a customer."""

    asset: str
    account: Account
    amount: Decimal


class TransferBetween(Command, frozen=True, kw_only=True):
    """Coins that a customer moves between their Spot and Funding accounts."""

    asset: str
    source: Account
    destination: Account
    amount: Decimal


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """The transfer that a command became."""

    transfer_id: int
    asset: str
    amount: Decimal
    effective_at: datetime


Asked = TypeVar("Asked", Deposit, Withdraw, TransferBetween)
Ends = tuple[AccountKind, AccountKind]
"""From where to where: debit and credit."""


@dataclass(slots=True)
class Facts:
    """What decides about the commands of one list, moved along as they are decided in order."""

    customers: set[int]
    assets: dict[str, Asset]
    balances: dict[int, Decimal]
    transfers: list[Transfer] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def deposit(tx: Tx, commands: Sequence[Deposit], now: datetime) -> list[Outcome[Moved]]:
    """Credit customers with coins that custody has received.

    Errors: CustomerNotFound, AssetNotFound, InvalidAmount, TooManyDecimals, InvalidChoice, InvalidKey,
    RequestKeyReused.
    """
    return move(tx, "deposit", commands, lambda command: (AccountKind.CUSTODY, SOURCES[command.account]), now)


def withdraw(tx: Tx, commands: Sequence[Withdraw], now: datetime) -> list[Outcome[Moved]]:
    """Debit customers with coins that leave custody; InsufficientFunds, and the errors of `deposit`."""
    return move(
        tx, "withdrawal", commands, lambda command: (SOURCES[command.account], AccountKind.CUSTODY), now
    )


def transfer(tx: Tx, commands: Sequence[TransferBetween], now: datetime) -> list[Outcome[Moved]]:
    """Move coins between Spot and Funding; InsufficientFunds, and the errors of `deposit`."""
    return move(tx, "transfer", commands, _between, now)


def move(
    tx: Tx, kind: str, commands: Sequence[Asked], ends_of: Callable[[Asked], Ends], now: datetime
) -> list[Outcome[Moved]]:
    """Answer a list of commands of one kind: one that is refused never fails its neighbours (rule 15)."""
    wrong = {number: error for number, command in enumerate(commands) if (error := _wrong_key(command))}
    assets = {asset.code: asset for asset in all_assets(tx).values()}
    asked = [_canonical(command, assets) for number, command in enumerate(commands) if number not in wrong]
    locked = lock_cells(tx, {cell_of(command.customer_id) for command in asked})

    def decide(fresh: Sequence[Asked]) -> list[Outcome[Moved]]:
        facts = _read_facts(tx, fresh, kind, assets)
        outcomes = [_decide_one(facts, locked, kind, command, ends_of, now) for command in fresh]
        write_notices(tx, locked, facts.notices, now)
        post(tx, locked, facts.transfers, now)
        return outcomes

    answered = iter(answer_commands(tx, kind, asked, Moved, now, decide) if asked else ())
    return [
        Outcome(error=wrong[number]) if number in wrong else next(answered) for number in range(len(commands))
    ]


def check_amount(amount: Decimal, asset: Asset) -> None:
    """Refuse what is not an amount of this coin above 0: InvalidAmount or TooManyDecimals."""
    if not amount.is_finite() or amount <= 0 or amount.adjusted() >= 30:
        raise InvalidAmount
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2 * SCALE_MAX:
        raise TooManyDecimals
    check_scale(amount, asset.scale)


def _between(command: TransferBetween) -> Ends:
    if command.source == command.destination:
        raise InvalidChoice("Source and destination are the same account.")
    return SOURCES[command.source], SOURCES[command.destination]


def _wrong_key(command: Command) -> StaddleError | None:
    """What cannot even be looked up: a key or a customer's number that the database could not hold."""
    try:
        check_key(command.key)
        if not 0 < command.customer_id <= CUSTOMER_ID_MAX:
            raise CustomerNotFound
    except StaddleError as error:
        return error
    return None


def _canonical(command: Asked, assets: Mapping[str, Asset]) -> Asked:
    """Write the amount with all of the coin's decimals: 1.5 and 1.50 are the same request under one key."""
    asset = assets.get(command.asset)
    try:
        if asset is not None:
            check_amount(command.amount, asset)
            return msgspec.structs.replace(command, amount=EXACT.quantize(command.amount, asset.unit))
    except Invalid:
        # It is refused in its turn, when the commands are decided.
        pass
    return command


def _read_facts(tx: Tx, commands: Sequence[Asked], kind: str, assets: dict[str, Asset]) -> Facts:
    customers = set(find_customers_by_id(tx, {command.customer_id for command in commands}))
    if kind == "deposit":
        return Facts(customers, assets, {})
    accounts = {
        account_of(command.customer_id, assets[command.asset], source)
        for command in commands
        if command.asset in assets
        for source in SOURCES.values()
    }
    return Facts(customers, assets, balances_of(tx, accounts))


def _decide_one(
    facts: Facts,
    locked: LockedCells,
    kind: str,
    command: Asked,
    ends_of: Callable[[Asked], Ends],
    now: datetime,
) -> Outcome[Moved]:
    try:
        if command.customer_id not in facts.customers:
            raise CustomerNotFound
        if command.asset not in facts.assets:
            raise AssetNotFound(f"There is no asset {command.asset[:20]!r}.", asset=command.asset[:20])
        asset = facts.assets[command.asset]
        check_amount(command.amount, asset)
        debit, credit = _accounts(command, asset, ends_of)
        _take(facts, kind, asset, debit, credit, command.amount)
    except StaddleError as error:
        return Outcome(error=error)
    transfer_id = locked.next_transfer(cell_of(command.customer_id))
    facts.transfers.append(
        Transfer(
            transfer_id=transfer_id,
            act_id=transfer_id,
            kind=kind,
            customer_id=command.customer_id,
            debit_account=debit,
            credit_account=credit,
            amount=command.amount,
            request_key=command.key,
        )
    )
    facts.notices.append(_notice_of(kind, command, asset, transfer_id))
    return Outcome(Moved(transfer_id=transfer_id, asset=asset.code, amount=command.amount, effective_at=now))


def _notice_of(
    kind: str, command: Deposit | Withdraw | TransferBetween, asset: Asset, transfer_id: int
) -> Notice:
    """What the customer is told."""
    body = {"transfer_id": transfer_id, "asset": asset.code, "amount": plain(command.amount)}
    if isinstance(command, TransferBetween):
        ends = {"source": command.source, "destination": command.destination}
    else:
        ends = {"account": command.account}
    return Notice(command.customer_id, kind, body | ends)


def _accounts(command: Asked, asset: Asset, ends_of: Callable[[Asked], Ends]) -> tuple[int, int]:
    """Give the debit and credit accounts; custody is the house's."""
    try:
        ends = ends_of(command)
    except KeyError as error:
        raise InvalidChoice("The account is spot or funding.") from error
    debit, credit = (
        account_of(0 if kind == AccountKind.CUSTODY else command.customer_id, asset, kind) for kind in ends
    )
    return debit, credit


def _take(facts: Facts, kind: str, asset: Asset, debit: int, credit: int, amount: Decimal) -> None:
    """Hold the amount against the debit account, as the commands before it in the list have left it."""
    if kind == "deposit":
        return
    balance = facts.balances.get(debit, ZERO)
    if amount > balance:
        held = plain(balance)
        raise InsufficientFunds(f"The account holds {held} {asset.code}.", balance=held)
    facts.balances[debit] = EXACT.subtract(balance, amount)
    facts.balances[credit] = EXACT.add(facts.balances.get(credit, ZERO), amount)

"""Deposits and withdrawals: what custody has received for a customer, and what leaves it (product.md rule 32)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, TypeVar

import msgspec

from staddle import approvals
from staddle.api.bulk import AllAnswered, ItemKey, UpTo1000, answer_items, described_as, read_items
from staddle.api.fields import Account, AmountText, Body, Code, Id, Reference, id_of
from staddle.api.once import once
from staddle.api.operation import Given, answered, writes
from staddle.customers import (
    Customer,
    CustomerMove,
    Deposit,
    Moved,
    Withdraw,
    approve_customer_move,
    deposit,
    find_customer,
    find_customers,
    withdraw,
)
from staddle.errors import ApprovalNotFound, CustomerNotFound, InvalidChoice
from staddle.ledger import Outcome
from staddle.money import parse_decimal
from staddle.server.allow import client, operator
from staddle.server.at import At
from staddle.server.call import check_given, key_by

TAG = "Deposits and withdrawals"
Command = TypeVar("Command", Deposit, Withdraw)


class MoveBody(Body, frozen=True, kw_only=True):
    """What came in for a customer, or goes out: how much of which coin, and of which account."""

    customer: Reference
    asset: Code
    amount: AmountText
    account: Account = "spot"


class CustomerMoveBody(Body, frozen=True, kw_only=True):
    """What an operator asks to be credited or debited."""

    move: Literal["deposit", "withdrawal"]
    customer: Reference
    asset: Code
    amount: AmountText
    account: Account = "spot"


class MoveAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A move that waits for a second person under this number."""

    approval_id: int
    customer: str


class MoveItem(Body, frozen=True, kw_only=True):
    """One of many; it is read by itself, and refused by itself."""

    key: ItemKey
    customer: str
    asset: str
    amount: Annotated[str, msgspec.Meta(examples=["12.5"])]
    account: str = "spot"


class MovesBody(Body, frozen=True, kw_only=True):
    """Many at once."""

    items: Annotated[list[Annotated[msgspec.Raw, described_as(MoveItem)]], UpTo1000]


@writes(
    "POST",
    "/v1/deposits",
    allow=client("deposits"),
    gives=Moved,
    tag=TAG,
    keyed="must",
)
def add_deposit(at: At, body: MoveBody) -> Given:
    """Credit a customer with coins that custody has received."""
    return answered(deposit(at.tx, [command_of(at, body, Deposit)], at.now)[0])


@writes(
    "POST",
    "/v1/withdrawals",
    allow=client("withdrawals"),
    gives=Moved,
    tag=TAG,
    keyed="must",
)
def add_withdrawal(at: At, body: MoveBody) -> Given:
    """Debit a customer with coins that leave custody; never more than the account holds."""
    return answered(withdraw(at.tx, [command_of(at, body, Withdraw)], at.now)[0])


@writes(
    "POST",
    "/v1/deposits/bulk",
    allow=client("deposits"),
    gives=AllAnswered[Moved],
    tag=TAG,
    keyed="no",
)
def add_many_deposits(at: At, body: MovesBody) -> AllAnswered[Moved]:
    """Credit up to 1,000 deposits at once, each under its own key and answered by itself.

    One that is wrong never fails the others. The key of an item is the same as the Idempotency-Key of a single deposit.
    """
    return answer_moves(at, body, Deposit, lambda commands: deposit(at.tx, commands, at.now))


@writes(
    "POST",
    "/v1/withdrawals/bulk",
    allow=client("withdrawals"),
    gives=AllAnswered[Moved],
    tag=TAG,
    keyed="no",
)
def add_many_withdrawals(at: At, body: MovesBody) -> AllAnswered[Moved]:
    """Debit up to 1,000 withdrawals at once, each under its own key and answered by itself, in their order.

    One that is refused never fails the others. The key of an item is the same as the Idempotency-Key of a single
    withdrawal.
    """
    return answer_moves(at, body, Withdraw, lambda commands: withdraw(at.tx, commands, at.now))


@writes(
    "POST",
    "/v1/desk/customer-moves",
    allow=operator("support", "treasury"),
    gives=MoveAsked,
    tag=TAG,
    keyed="must",
)
def ask_for_customer_move(at: At, body: CustomerMoveBody) -> Given:
    """Ask for a deposit or withdrawal by hand; nothing moves before a second person approves.

    Integrators report what custody has done by themselves; a person alone moves no customer's money.
    """
    move = CustomerMove(
        move=body.move,
        customer=body.customer,
        asset=body.asset,
        account=body.account,
        amount=parse_decimal(body.amount),
    )

    def ask() -> MoveAsked:
        return MoveAsked(
            approval_id=approvals.ask_customer_move(at.tx, at.by, move, at.now), customer=body.customer
        )

    return once(at, "ask_customer_move", {"move": body}, ask)


@writes(
    "POST",
    "/v1/desk/customer-moves/{approval_id}/approve",
    allow=operator("treasury"),
    gives=Moved,
    tag=TAG,
    keyed="must",
)
def approve_asked_customer_move(at: At, approval_id: Id) -> Given:
    """Do a deposit or withdrawal that somebody else has asked for, if the account still holds enough."""
    number = id_of(approval_id, ApprovalNotFound)
    return once(
        at,
        "approve_customer_move",
        {"approval_id": number},
        lambda: approve_customer_move(at.tx, at.by, number, at.now),
    )


def command_of(at: At, body: MoveBody, kind: type[Command]) -> Command:
    """Put one deposit or withdrawal together. Raises CustomerNotFound."""
    return kind(
        customer_id=find_customer(at.tx, body.customer).customer_id,
        key=at.key,
        asset=body.asset,
        account=body.account,
        amount=parse_decimal(body.amount),
    )


def answer_moves(
    at: At, body: MovesBody, kind: type[Command], act: Callable[[Sequence[Command]], Sequence[Outcome[Moved]]]
) -> AllAnswered[Moved]:
    """Answer many deposits or withdrawals."""
    items = read_items(body.items, MoveItem)
    known = find_customers(at.tx, [item.customer for item in items if isinstance(item, MoveItem)])
    return answer_items(
        items, lambda item: item.key, lambda item: command_of_item(at, item, known, kind), act
    )


def command_of_item(at: At, item: MoveItem, known: Mapping[str, Customer], kind: type[Command]) -> Command:
    """Put one of many together. Raises InvalidKey, CustomerNotFound, InvalidChoice or InvalidAmount."""
    key = check_given(item.key)
    if item.customer not in known:
        raise CustomerNotFound(f"There is no customer {item.customer[:100]!r}.")
    if item.account not in ("spot", "funding"):
        raise InvalidChoice(f"The account is spot or funding, not {item.account[:40]!r}.", field="account")
    return kind(
        customer_id=known[item.customer].customer_id,
        key=key_by(at.caller, key),
        asset=item.asset,
        account="spot" if item.account == "spot" else "funding",
        amount=parse_decimal(item.amount),
    )

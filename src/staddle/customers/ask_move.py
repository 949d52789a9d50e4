"""A deposit or withdrawal that an operator types: one asks, another approves, and only then it moves.

Integrators report what custody has done and need nobody's approval; a person who could credit a customer alone could
make money by typing.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from staddle import desk
from staddle.customers.deposits import Account, Deposit, Moved, Withdraw, check_amount, deposit, withdraw
from staddle.customers.find import find_customer
from staddle.db import Tx
from staddle.errors import ApprovalNotFound
from staddle.ledger import find_asset
from staddle.money import EXACT

ACT = "move_customer_money"


class CustomerMove(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be credited to a customer, or debited, by reference; `asset` is the coin's code."""

    move: Literal["deposit", "withdrawal"]
    customer: str
    asset: str
    account: Account
    amount: Decimal


def ask_customer_move(tx: Tx, by: str, move: CustomerMove, now: datetime) -> int:
    """Put a deposit or withdrawal before a second person; gives the number of the approval. Nothing moves yet.

    Raises OperatorNotFound, CustomerNotFound, AssetNotFound, InvalidAmount or TooManyDecimals.
    """
    customer = find_customer(tx, move.customer)
    asset = find_asset(tx, move.asset)
    check_amount(move.amount, asset)
    exact = msgspec.structs.replace(move, amount=EXACT.quantize(move.amount, asset.unit))
    subject = f"{move.move} {customer.reference}"
    return desk.ask(tx, by, ACT, subject, msgspec.to_builtins(exact), customer.reference, now)


def approve_customer_move(tx: Tx, by: str, approval_id: int, now: datetime) -> Moved:
    """Do a deposit or withdrawal that somebody else has asked for; the edge rolls back where it is refused.

    Raises ApprovalNotFound, WrongState (decided already), SecondPersonNeeded, OperatorNotFound, or InsufficientFunds:
    then it still waits.
    """
    approval = desk.find_approval(tx, approval_id)
    if approval.act != ACT:
        raise ApprovalNotFound
    asked = msgspec.convert(approval.request, CustomerMove)
    desk.approve(tx, by, approval_id, ACT, asked.customer, now)
    command: dict[str, Any] = {
        "customer_id": find_customer(tx, asked.customer).customer_id,
        "key": f"desk:approval {approval_id}",
        "asset": asked.asset,
        "account": asked.account,
        "amount": asked.amount,
    }
    if asked.move == "deposit":
        return deposit(tx, [Deposit(**command)], now)[0].unwrap()
    return withdraw(tx, [Withdraw(**command)], now)[0].unwrap()

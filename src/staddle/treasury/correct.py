"""Correcting an entry of the books: one operator asks with a reason, another approves, and it is reversed whole.

Nothing is ever edited. A correction is a transfer of its own that runs the other way and names the one it corrects;
what can be corrected is what people or integrators enter: deposits, withdrawals, and moves of a reward pool's coins.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from staddle import desk
from staddle.db import Tx, queries
from staddle.errors import (
    AlreadyExists,
    ApprovalNotFound,
    InsufficientFunds,
    InvalidChoice,
    RewardPoolTooSmall,
    TransferNotFound,
    WrongState,
)
from staddle.ledger import (
    CELL_COUNT,
    HOUSE,
    AccountKind,
    LockedCells,
    Transfer,
    all_assets,
    asset_id_of,
    balances_of,
    kind_of,
    lock_cells,
    pool_left,
    post,
)
from staddle.money import ZERO, plain
from staddle.notices import Notice, write_notices

sql = queries(__package__)
ACT = "correct_transfer"
CORRECTABLE = ("deposit", "withdrawal", "pool_funding", "pool_withdrawal")
REASON_MAX = 300
TRANSFER_ID_END = 2**63


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer that may be corrected; customer 0 is the house. `corrected_by_id` names the correction there is."""

    transfer_id: int
    kind: str
    customer_id: int
    customer: str | None
    """The customer's reference."""
    asset: str
    amount: Decimal
    debit_account: int
    credit_account: int
    effective_at: datetime
    request_key: str
    corrected_by_id: int | None


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """A correction that was made: the transfer that runs the other way, and the one that it corrects."""

    approval_id: int
    transfer_id: int
    corrects_id: int
    kind: str
    asset: str
    amount: Decimal
    effective_at: datetime


def ask_correction(tx: Tx, by: str, transfer_id: int, reason: str, now: datetime) -> int:
    """Ask to reverse a transfer, all of it; gives the number of the approval. Nothing moves yet.

    Raises OperatorNotFound, TransferNotFound, WrongState (a transfer of another kind), AlreadyExists (corrected
    already), InvalidChoice (the reason), or InsufficientFunds and RewardPoolTooSmall where it cannot be taken back.
    """
    if not 1 <= len(reason.strip()) <= REASON_MAX or not reason.isprintable() or len(reason) > REASON_MAX:
        raise InvalidChoice(
            f"A correction needs a reason of 1 to {REASON_MAX} printable characters.", field="reason"
        )
    entry = find_entry(tx, transfer_id)
    check_correctable(entry)
    check_there(tx, entry)
    request = {
        "transfer_id": transfer_id,
        "kind": entry.kind,
        "customer": entry.customer,
        "asset": entry.asset,
        "amount": plain(entry.amount),
        "reason": reason,
    }
    return desk.ask(tx, by, ACT, f"transfer {transfer_id}", request, basis_of_correction(entry), now)


def approve_correction(tx: Tx, by: str, approval_id: int, now: datetime) -> Corrected:
    """Reverse the transfer that somebody else has asked for, and tell the customer.

    Raises ApprovalNotFound, WrongState, SecondPersonNeeded, ApprovalStale (corrected since), or InsufficientFunds and
    RewardPoolTooSmall: then it still waits.
    """
    asked = desk.find_approval(tx, approval_id)
    if asked.act != ACT:
        raise ApprovalNotFound
    transfer_id = int(asked.request["transfer_id"])
    locked = lock_cells(tx, [transfer_id % CELL_COUNT])
    entry = find_entry(tx, transfer_id)
    desk.approve(tx, by, approval_id, ACT, basis_of_correction(entry), now)
    check_correctable(entry)
    check_there(tx, entry)
    at = locked.instant(now)
    number = reverse(tx, locked, entry, f"desk:approval {approval_id}", asked.request["reason"], at)
    return Corrected(
        approval_id=approval_id,
        transfer_id=number,
        corrects_id=transfer_id,
        kind=entry.kind,
        asset=entry.asset,
        amount=entry.amount,
        effective_at=at,
    )


def reverse(tx: Tx, locked: LockedCells, entry: Entry, key: str, reason: str, at: datetime) -> int:
    """Post the transfer that runs the other way; gives its number."""
    number = locked.next_transfer(entry.transfer_id % CELL_COUNT)
    correction = Transfer(
        number,
        number,
        "correction",
        entry.customer_id,
        entry.credit_account,
        entry.debit_account,
        entry.amount,
        key,
        corrects=entry.transfer_id,
    )
    if entry.customer_id != HOUSE:
        body = {
            "transfer_id": number,
            "asset": entry.asset,
            "amount": plain(entry.amount),
            "account": account_of_customer(entry),
            "corrected": entry.kind,
            "corrects_id": entry.transfer_id,
            "reason": reason,
        }
        write_notices(tx, locked, [Notice(entry.customer_id, "correction", body)], at)
    post(tx, locked, [correction], at)
    return number


def find_entry(tx: Tx, transfer_id: int) -> Entry:
    """Read a transfer with what has corrected it; raises TransferNotFound."""
    row = None
    if 0 < transfer_id < TRANSFER_ID_END:
        named = {"cell": transfer_id % CELL_COUNT, "transfer_id": transfer_id}
        row = tx.execute(sql.entry, named).fetchone()
    if row is None:
        raise TransferNotFound(f"There is no transfer {transfer_id}.", transfer=str(transfer_id))
    asset = all_assets(tx)[asset_id_of(row.credit_account)].code
    return Entry(asset=asset, **row._asdict())


def check_correctable(entry: Entry) -> None:
    """Refuse what is reversed by other acts, WrongState, and what has been corrected, AlreadyExists."""
    if entry.kind not in CORRECTABLE:
        kinds = "deposits, withdrawals, and moves between custody and a reward pool"
        raise WrongState(f"This transfer is a {entry.kind}; only {kinds} are corrected.")
    if entry.corrected_by_id is not None:
        raise AlreadyExists(
            f"Transfer {entry.transfer_id} was corrected by transfer {entry.corrected_by_id} already."
        )


def check_there(tx: Tx, entry: Entry) -> None:
    """What is taken back must still be there: InsufficientFunds of a customer, RewardPoolTooSmall of a pool."""
    account = entry.credit_account
    if kind_of(account) == AccountKind.CUSTODY:
        return
    if kind_of(account) == AccountKind.REWARD_POOL:
        left = max(pool_left(tx).get(asset_id_of(account), ZERO), ZERO)
        if entry.amount > left:
            raise RewardPoolTooSmall(f"{plain(left)} {entry.asset} are left in the pool.", left=plain(left))
    held = balance_of(tx, entry)
    if entry.amount > held:
        raise InsufficientFunds(
            f"The account holds {plain(held)} {entry.asset}, less than the {plain(entry.amount)} to be taken back.",
            balance=plain(held),
        )


def balance_of(tx: Tx, entry: Entry) -> Decimal:
    """Read what the account that a correction takes from, or gives to, holds: the customer's, or the cell's pool."""
    account = entry.credit_account
    if kind_of(account) == AccountKind.CUSTODY:
        account = entry.debit_account
    if entry.customer_id != HOUSE:
        return balances_of(tx, [account]).get(account, ZERO)
    rows = tx.execute(sql.house_account, {"account_id": account}).fetchall()
    cell = entry.transfer_id % CELL_COUNT
    return next((row.amount for row in rows if row.cell == cell), ZERO)


def account_of_customer(entry: Entry) -> str:
    """Name the customer's account that the transfer touched: spot or funding."""
    ends = (kind_of(entry.debit_account), kind_of(entry.credit_account))
    return next(end.name.lower() for end in ends if end != AccountKind.CUSTODY)


def basis_of_correction(entry: Entry) -> str:
    """What a request stands upon: the transfer, not corrected yet."""
    return f"transfer {entry.transfer_id}, corrected by {entry.corrected_by_id or 'none'}"

"""The statement of one account of a customer: opening balance, every transfer and reward with the balance after it.

Its rows are those of the customer's statement that change the account. Balances are reckoned back from what the account
holds now, so that they come from the books and not from the page before.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from psycopg import sql as compose

from staddle.db import Tx, queries
from staddle.errors import InvalidChoice
from staddle.ledger import AccountKind, account_of, all_assets, balances_of, find_asset
from staddle.money import EXACT, ZERO
from staddle.positions.facts import distribution_time
from staddle.rewards.statement import Line, Place, Wanted, asked_for, lines

sql = queries(__package__)
CUSTOMER_ACCOUNTS = tuple(kind for kind in AccountKind if kind < AccountKind.CUSTODY)
SUM = """
SELECT coalesce(sum(CASE s.credit_account WHEN %(account_id)s THEN s.amount ELSE -s.amount END), 0) AS amount
  FROM ({}) s
"""
"""What the rows of the statement have changed an account by."""
AHEAD = timedelta(days=400)
"""Nothing takes effect later than this from now."""


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """One row: what the account has more, or less, by it, and the balance after it. `other` is the other account."""

    at: datetime
    type: str
    change: Decimal
    balance: Decimal
    other: str
    product: str | None
    position_id: int | None
    reference: str
    key: str | None
    note: str


class AccountStatement(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of an account in a period, oldest first: `opening` is before the first of them, `closing` at the period's
    end, `balance` now. `next` is None where these are the last.
    """

    asset: str
    account: str
    from_at: datetime
    until_at: datetime
    opening: Decimal
    closing: Decimal
    balance: Decimal
    lines: list[AccountLine]
    next: Place | None


def account_statement(
    tx: Tx,
    customer_id: int,
    asset: str,
    account: str,
    period: tuple[datetime, datetime],
    after: Place | None,
    count: int,
    now: datetime,
) -> AccountStatement:
    """Read up to `count` rows of a period, from its first instant on and before its last, behind a place.

    Raises AssetNotFound, InvalidChoice for what is no account of a customer, or InvalidTime.
    """
    account_id = account_named(tx, customer_id, asset, account)
    wanted, balance = Wanted(account_id=account_id), balances_of(tx, [account_id]).get(account_id, ZERO)
    found = list(lines(tx, customer_id, *period, after, count + 1, wanted))
    opening = EXACT.subtract(balance, changed(tx, customer_id, account_id, period[0], after, now))
    closing = EXACT.subtract(balance, changed(tx, customer_id, account_id, period[1], None, now))
    shown = found[:count]
    return AccountStatement(
        asset=asset,
        account=account,
        from_at=period[0],
        until_at=period[1],
        opening=opening,
        closing=closing,
        balance=balance,
        lines=list(balanced(shown, account, opening)),
        next=shown[-1].place if len(found) > count else None,
    )


def export_account(
    tx: Tx,
    customer_id: int,
    asset: str,
    account: str,
    period: tuple[datetime, datetime],
    now: datetime,
) -> Iterator[AccountLine]:
    """Give all rows of a period, some at a time from the server."""
    account_id = account_named(tx, customer_id, asset, account)
    balance = balances_of(tx, [account_id]).get(account_id, ZERO)
    opening = EXACT.subtract(balance, changed(tx, customer_id, account_id, period[0], None, now))
    wanted = Wanted(account_id=account_id)
    return balanced(lines(tx, customer_id, *period, None, None, wanted), account, opening)


def account_named(tx: Tx, customer_id: int, asset: str, account: str) -> int:
    """Give the id of a customer's account by its name in the chart. Raises AssetNotFound or InvalidChoice."""
    named = {kind.name.lower(): kind for kind in CUSTOMER_ACCOUNTS}
    if account not in named:
        raise InvalidChoice(f"A customer has the accounts {', '.join(named)}.")
    return account_of(customer_id, find_asset(tx, asset), named[account])


def changed(
    tx: Tx, customer_id: int, account_id: int, from_at: datetime, after: Place | None, now: datetime
) -> Decimal:
    """Add up what has changed the account from an instant on, behind a place of it."""
    until_at = max(now, from_at) + AHEAD
    asked = asked_for(
        distribution_time(tx),
        all_assets(tx),
        customer_id,
        (from_at, until_at),
        (after, None),
        Wanted(account_id=account_id),
    )
    statement = compose.SQL(SUM).format(compose.SQL(sql.statement.rstrip(";")))
    row = tx.execute(statement, {**asked, "is_newest_first": False, "count": None}, prepare=False).fetchone()
    assert row is not None
    amount: Decimal = row.amount
    return amount


def balanced(found: Iterator[Line] | list[Line], account: str, opening: Decimal) -> Iterator[AccountLine]:
    """Write the rows with the balance after each."""
    balance = opening
    for line in found:
        row = line.row
        comes = row.credit == account
        change = row.amount if comes else -row.amount
        balance = EXACT.add(balance, change)
        yield AccountLine(
            at=row.at,
            type=row.type,
            change=change,
            balance=balance,
            other=row.debit if comes else row.credit,
            product=row.product,
            position_id=row.position_id,
            reference=row.reference,
            key=row.key,
            note=row.note,
        )

"""The statement of a house account: it moves with every customer's deposits and rewards, so it goes by day and kind."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.errors import InvalidChoice
from staddle.ledger import HOUSE, AccountKind, account_of, find_asset, house_balances
from staddle.money import EXACT, ZERO
from staddle.rewards.closing.show import account_name

sql = queries(__package__)
HOUSE_ACCOUNTS = tuple(kind for kind in AccountKind if kind >= AccountKind.CUSTODY)


class HouseLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of transfer, or the rewards, moved to (`change` above zero) or from the account on a day."""

    kind: str
    other_account: str
    count: int
    change: Decimal


class HouseDay(msgspec.Struct, frozen=True, kw_only=True):
    """One closed day of a house account, over all cells."""

    closed_on: date
    closed_before: date | None
    distributed_at: datetime
    opening: Decimal
    lines: list[HouseLine]
    closing: Decimal


class HouseStatement(msgspec.Struct, frozen=True, kw_only=True):
    """Days of a house account, newest first, what it holds now, and what came since the newest closing of all."""

    asset: str
    account: str
    balance: Decimal
    since_closing: Decimal
    days: list[HouseDay]


def house_statement(
    tx: Tx, asset: str, account: str, count: int, before: date | None = None
) -> HouseStatement:
    """Read up to `count` closed days of a house account by its name in the chart, such as reward_pool.

    Raises AssetNotFound, or InvalidChoice for what is no account of the house.
    """
    kind = house_kind(account)
    coin = find_asset(tx, asset)
    rows = tx.execute(sql.closings, {"count": count, "before": before}).fetchall()
    newest = tx.execute(sql.closings, {"count": 1, "before": None}).fetchall()
    days = sorted(
        {row.closed_on for row in [*rows, *newest]} | {r.closed_before for r in rows if r.closed_before}
    )
    held = {
        row.closed_on: row.amount
        for row in tx.execute(sql.balances_of_closings, {"days": days}).fetchall()
        if row.asset == asset and row.account_kind == kind
    }
    wanted = {"days": [row.closed_on for row in rows], "asset": asset, "account_kind": int(kind)}
    lines: dict[date, list[HouseLine]] = {}
    for row in tx.execute(sql.movements_of_closings, wanted).fetchall():
        comes = row.credit_kind == kind
        line = HouseLine(
            kind=row.kind,
            other_account=account_name(row.debit_kind if comes else row.credit_kind),
            count=row.move_count,
            change=row.amount if comes else -row.amount,
        )
        lines.setdefault(row.closed_on, []).append(line)
    balance = house_balances(tx).get(account_of(HOUSE, coin, kind), ZERO)
    last = held.get(newest[0].closed_on, ZERO) if newest else ZERO
    return HouseStatement(
        asset=asset,
        account=account_name(kind),
        balance=balance,
        since_closing=EXACT.subtract(balance, last),
        days=[
            HouseDay(
                closed_on=row.closed_on,
                closed_before=row.closed_before,
                distributed_at=row.distributed_at,
                opening=ZERO if row.closed_before is None else held.get(row.closed_before, ZERO),
                lines=lines.get(row.closed_on, []),
                closing=held.get(row.closed_on, ZERO),
            )
            for row in rows
        ],
    )


def house_kind(account: str) -> AccountKind:
    """Read the name of a house account; raises InvalidChoice."""
    named = {kind.name.lower(): kind for kind in HOUSE_ACCOUNTS}
    if account not in named:
        raise InvalidChoice(f"The house has the accounts {', '.join(named)}.")
    return named[account]

"""What a customer has done, counted page by page: what was subscribed, redeemed, and how fixed terms have ended."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from staddle.db import Tx, queries
from staddle.positions.holdings import Rows, whose

sql = queries(__package__)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are wanted: of a period, from an instant on and before another, of which `limit` behind `offset`.

    `number` is that of the row itself: of the position, or of the act of a redemption.
    """

    from_at: datetime
    until_at: datetime
    limit: int
    offset: int
    asset: str | None = None
    product: str | None = None
    position_id: int | None = None
    number: int | None = None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A position that was opened: by a subscription, of what came from Spot and from Funding, or by a maturity."""

    position_id: int
    product: str
    asset: str
    term_days: int | None
    amount: Decimal
    from_spot: Decimal
    from_funding: Decimal
    request_key: str
    renewed_from: int | None
    at: datetime


class GivenBack(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption from a flexible product: one act, of however many positions."""

    act_id: int
    product: str
    asset: str
    amount: Decimal
    destination: str
    at: datetime


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A fixed-term position that has ended other than by a renewal. `amount` came back, or went on to flexible;
    `earned` is what it had earned, `forfeited` what was lost of that again.
    """

    position_id: int
    product: str
    asset: str
    term_days: int
    opened_principal: Decimal
    amount: Decimal
    earned: Decimal
    forfeited: Decimal
    ended_by: str
    at: datetime


def opened(tx: Tx, customer_id: int, is_fixed: bool, wanted: Wanted) -> Rows:
    """Read the positions that were opened, newest first."""
    return _read(tx, sql.opened, customer_id, wanted, Opened, is_fixed=is_fixed)


def given_back(tx: Tx, customer_id: int, wanted: Wanted) -> Rows:
    """Read the redemptions from flexible products, newest first."""
    return _read(tx, sql.given_back, customer_id, wanted, GivenBack)


def ended(tx: Tx, customer_id: int, wanted: Wanted) -> Rows:
    """Read the fixed terms that have ended, newest first."""
    return _read(tx, sql.ended, customer_id, wanted, Ended)


def redemption_of(tx: Tx, customer_id: int, key: str) -> int:
    """Find the act of a redemption that was just done under a key."""
    row = tx.execute(sql.redemption_of, {**whose(customer_id), "key": key}).fetchone()
    assert row is not None
    act_id: int = row.act_id
    return act_id


def _read(
    tx: Tx, statement: Any, customer_id: int, wanted: Wanted, kind: type[msgspec.Struct], **more: object
) -> Rows:
    named = msgspec.structs.asdict(wanted)
    rows = tx.execute(statement, {**whose(customer_id), **named, **more}).fetchall()
    fields = kind.__struct_fields__
    found = [kind(**{name: getattr(row, name) for name in fields}) for row in rows if row.at is not None]
    return Rows(found, rows[0].total)

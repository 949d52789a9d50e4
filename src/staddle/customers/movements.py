"""The moves of a customer's coins, newest first: every transfer, but not rewards, which have receipts of their own."""

from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.db import Tx, queries
from staddle.ledger import all_assets, asset_id_of, cell_of, kind_of

sql = queries(__package__)


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer: coins that went from one account to another, by which act and for which position.

    `type` is that of the statement: deposit, withdrawal, transfer, subscription, redemption, accrued_payout,
    forfeiture, correction. Transfers of one act share `act_id`.
    """

    transfer_id: int
    act_id: int
    type: str
    asset: str
    amount: Decimal
    debit: str
    credit: str
    position_id: int | None
    effective_at: datetime
    key: str
    corrects_id: int | None


def movements_of(
    tx: Tx,
    customer_id: int,
    count: int,
    before: int | None = None,
    asset: str | None = None,
    kind: str | None = None,
) -> list[Movement]:
    """Read up to `count` transfers of a customer; `before` is the transfer_id to go on behind."""
    assets = all_assets(tx)
    wanted = {
        "cell": cell_of(customer_id),
        "customer_id": customer_id,
        "before": before,
        "asset_id": next((each.asset_id for each in assets.values() if each.code == asset), 0),
        "is_any_asset": asset is None,
        "kind": kind,
        "count": count,
    }
    return [
        Movement(
            transfer_id=row.transfer_id,
            act_id=row.act_id,
            type=row.kind,
            asset=assets[asset_id_of(row.credit_account)].code,
            amount=row.amount,
            debit=kind_of(row.debit_account).name.lower(),
            credit=kind_of(row.credit_account).name.lower(),
            position_id=row.position_id,
            effective_at=row.effective_at,
            key=row.request_key,
            corrects_id=row.corrects,
        )
        for row in tx.execute(sql.movements_of, wanted).fetchall()
    ]

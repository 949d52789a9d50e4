"""One transfer with its act and its chain: what it corrects, what corrects it, its request, the seal that covers it."""

from datetime import datetime

import msgspec

from staddle.db import Tx, queries
from staddle.errors import TransferNotFound
from staddle.ledger.accounts import cell_of
from staddle.ledger.assets import all_assets
from staddle.ledger.transfers import LedgerTransfer, transfer_row

sql = queries(__package__)
ACT_MAX = 1_000
"""So many transfers of one act are shown."""
ID_MAX = (1 << 63) - 1


class SealShown(msgspec.Struct, frozen=True, kw_only=True):
    """The seal of a block of transfers: its hash follows from the one before it and from what the block says."""

    number: int
    first_transfer_id: int
    last_transfer_id: int
    row_count: int
    previous_hash: str
    hash: str
    sealed_at: datetime


class RequestShown(msgspec.Struct, frozen=True, kw_only=True):
    """Who asked for it: the act and the instants at which the key was answered."""

    act: str
    effective_at: datetime
    recorded_at: datetime


class TransferInFull(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer, all transfers of its act with it, and its chain; `seal` is None until it is sealed."""

    transfer: LedgerTransfer
    act: list[LedgerTransfer]
    corrected_by_id: int | None
    request: RequestShown | None
    seal: SealShown | None


def transfer_of(tx: Tx, transfer_id: int) -> TransferInFull:
    """Read a transfer in full; raises TransferNotFound."""
    if not 0 < transfer_id <= ID_MAX:
        raise TransferNotFound
    named = {"cell": cell_of(transfer_id), "transfer_id": transfer_id}
    row = tx.execute(sql.transfer, named).fetchone()
    if row is None:
        raise TransferNotFound(f"There is no transfer {transfer_id}.")
    assets = all_assets(tx)
    asked = {
        "cell": named["cell"],
        "customer_id": row.customer_id,
        "act_id": row.act_id,
        "effective_at": row.effective_at,
        "request_key": row.request_key,
        "count": ACT_MAX,
    }
    corrected = tx.execute(sql.correction_of, named).fetchone()
    request = tx.execute(sql.request_of_transfer, asked).fetchone()
    sealed = tx.execute(sql.seal_of_transfer, named).fetchone()
    return TransferInFull(
        transfer=transfer_row(row, assets),
        act=[transfer_row(each, assets) for each in tx.execute(sql.transfers_of_act, asked).fetchall()],
        corrected_by_id=None if corrected is None else corrected.transfer_id,
        request=None if request is None else RequestShown(**request._asdict()),
        seal=None
        if sealed is None
        else SealShown(
            number=sealed.number,
            first_transfer_id=sealed.first_transfer,
            last_transfer_id=sealed.last_transfer,
            row_count=sealed.row_count,
            previous_hash=sealed.previous_hash.hex(),
            hash=sealed.hash.hex(),
            sealed_at=sealed.sealed_at,
        ),
    )

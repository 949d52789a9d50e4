"""The books: assets, accounts, balances, transfers, requests, and their proof; it has never heard of staking."""

from staddle.ledger.accounts import (
    CELL_COUNT,
    HOUSE,
    Asset,
    account_of,
    asset_id_of,
    cell_of,
    cell_of_reference,
    customer_of,
    kind_of,
)
from staddle.ledger.answer import answer_commands
from staddle.ledger.assets import add_asset, all_assets, find_asset, scales_of
from staddle.ledger.balances import balances_of, balances_of_customer, house_balances, pool_left
from staddle.ledger.cells import LockedCells, bring_forward, lock_cells, save_cells
from staddle.ledger.chart import MOVES, SOURCES, AccountKind
from staddle.ledger.journal import Transfer, open_balances, post
from staddle.ledger.requests import Command, HouseCommand, Outcome, ask_stored, find_stored, replay, store
from staddle.ledger.transfer import RequestShown, SealShown, TransferInFull, transfer_of
from staddle.ledger.transfers import (
    KINDS,
    LedgerTransfer,
    TransferFilter,
    TransferPage,
    TransferPlace,
    export_transfers,
    transfers_of_desk,
)
from staddle.ledger.turnover import Turnover, turnover

__all__ = [
    "CELL_COUNT",
    "HOUSE",
    "KINDS",
    "MOVES",
    "SOURCES",
    "AccountKind",
    "Asset",
    "Command",
    "HouseCommand",
    "LedgerTransfer",
    "LockedCells",
    "Outcome",
    "RequestShown",
    "SealShown",
    "Transfer",
    "TransferFilter",
    "TransferInFull",
    "TransferPage",
    "TransferPlace",
    "Turnover",
    "account_of",
    "add_asset",
    "all_assets",
    "answer_commands",
    "ask_stored",
    "asset_id_of",
    "balances_of",
    "balances_of_customer",
    "bring_forward",
    "cell_of",
    "cell_of_reference",
    "customer_of",
    "export_transfers",
    "find_asset",
    "find_stored",
    "house_balances",
    "kind_of",
    "lock_cells",
    "open_balances",
    "pool_left",
    "post",
    "replay",
    "save_cells",
    "scales_of",
    "store",
    "transfer_of",
    "transfers_of_desk",
    "turnover",
]

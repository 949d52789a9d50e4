"""Proving the books: small separate checks, each a statement that finds what is wrong and names the row.

These are the checks of the ledger itself, which has never heard of staking; `rewards/audit` adds those of positions,
rewards and runs, and carries all of them out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from staddle.db import queries
from staddle.ledger.chart import MOVES, AccountKind

sql = queries(__package__)
Scope = Literal["all", "cells", "days", "cells and days"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true of the books.

    Its statement gives (cell, table_name, row_name, message) for whatever is not as `purpose` says. `scope` says what
    one statement looks at: everything, a range of cells, a range of days, or both; it is what keeps a large desk's
    audit in flat memory. A check that is only `information` tells what an auditor should know; it is no fault.
    """

    name: str
    purpose: str
    statement: str
    scope: Scope = "cells"
    is_information: bool = False
    given: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: the row, by its table, cell (-1 where it has none) and name, and what is wrong with it."""

    check: str
    cell: int
    table: str
    row: str
    message: str
    is_information: bool = False


_PERMITTED = [(kind, debit, credit) for kind, moves in MOVES.items() for debit, credit in sorted(moves)]
_CHART = {
    "moves": [kind for kind, _, _ in _PERMITTED if kind != "reward"],
    "debits": [int(debit) for kind, debit, _ in _PERMITTED if kind != "reward"],
    "credits": [int(credit) for kind, _, credit in _PERMITTED if kind != "reward"],
}

LEDGER_CHECKS = (
    Check(
        "trial_balance", "The balances of every cell add up to zero in every asset.", sql.audit_trial_balance
    ),
    Check(
        "accounts",
        "Every balance is of an account in the chart, in its cell, not below zero, of its asset's scale.",
        sql.audit_accounts,
        given={"kinds": [int(kind) for kind in AccountKind]},
    ),
    Check(
        "transfer_ids",
        "The transfers of every cell are numbered without a gap, and counted.",
        sql.audit_transfer_ids,
    ),
    Check(
        "acts",
        "The transfers of one act name its first, and share its customer, key and instant.",
        sql.audit_acts,
    ),
    Check(
        "chart", "Every transfer is one that the chart of accounts permits.", sql.audit_chart, given=_CHART
    ),
    Check(
        "corrections", "Every correction is the reverse of the transfer that it names.", sql.audit_corrections
    ),
    Check("seal_chain", "Every seal follows from the one before it.", sql.audit_seal_chain),
    Check(
        "sealed_transfers", "Sealed transfers still have the hash of their seal.", sql.audit_sealed_transfers
    ),
    Check(
        "unsealed_transfers",
        "Transfers since the last sealing.",
        sql.audit_unsealed_transfers,
        is_information=True,
    ),
)

"""History: everything that happened to a customer's coins, newest first, each row typed and linked (rule 29)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from staddle.errors import InvalidTime
from staddle.pages.page import NOTHING_TYPED, Typed, View, Visit, shows
from staddle.pages.periods import instants_of
from staddle.positions import assets_of
from staddle.rewards import Line, Place, StatementRow, Wanted, history_page
from staddle.server.allow import customer
from staddle.server.cursors import read_cursor, write_cursor
from staddle.server.problem import problem_of

ROWS = 50
"""How many rows are on a page."""
TYPES: Mapping[str, Wanted] = {
    "subscription": Wanted(types=("subscription",)),
    "reward": Wanted(types=("reward", "accrual")),
    "accrued_payout": Wanted(types=("accrued_payout",)),
    "redemption": Wanted(types=("redemption",), is_early=False),
    "early_redemption": Wanted(types=("redemption",), is_early=True),
    "forfeiture": Wanted(types=("forfeiture",)),
    "renewal": Wanted(types=("renewal",)),
    "transfer": Wanted(types=("transfer",)),
    "deposit": Wanted(types=("deposit",)),
    "withdrawal": Wanted(types=("withdrawal",)),
    "correction": Wanted(types=("correction",)),
}
"""What can be looked for, and which rows of the statement that is."""
OWN = ("spot", "funding", "earn", "accrued")
"""The accounts that are the customer's."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row as the page shows it; `sign` is empty where coins only went between the customer's own accounts."""

    row: StatementRow
    kind: str
    sign: str
    accounts: Sequence[str]
    receipt: str | None
    renewed_as: str | None


@shows("/history", allow=customer("read"))
def show_history(
    visit: Visit,
    asset: str = "",
    type: str = "",  # noqa: A002  the column's name in statements
    from_on: str = "",
    to_on: str = "",
    cursor: str = "",
    typed: Typed = NOTHING_TYPED,
) -> View:
    """List what happened, by coin, type and days of the viewer's time zone; a page that is older begins at a cursor."""
    asset, kind = asset[:40], type if type in TYPES else ""
    chosen = {"asset": asset, "type": kind, "from_on": from_on, "to_on": to_on}
    rows, older, error = list[HistoryRow](), None, typed.error
    try:
        begins, ends = instants_of(visit, from_on, to_on, visit.look.time_zone)
        rows, older = rows_of(visit, begins, ends, asset, kind, cursor)
    except InvalidTime as refused:
        error = refused
    shown = {
        "rows": rows,
        "older": None if older is None else link_of(chosen | {"cursor": older}),
        "newest": link_of(chosen) if cursor else None,
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "assets": [each.asset for each in assets_of(visit.tx, visit.customer_id)],
        "names": names_of(visit),
        "accounts": accounts_of(visit),
        "typed": Typed(typed.values or chosen, error),
    }
    return View("history.html", shown, 200 if error is None else problem_of(error).status, part="list")


def rows_of(
    visit: Visit, begins: Any, ends: Any, asset: str, kind: str, cursor: str
) -> tuple[list[HistoryRow], str | None]:
    """Read one page of rows, and the cursor of the next, older one where there is any."""
    of_kind = TYPES.get(kind, Wanted())
    wanted = Wanted(types=of_kind.types, is_early=of_kind.is_early, asset=asset or None)
    before = read_cursor(cursor or None, Place)
    found = history_page(visit.tx, visit.customer_id, begins, ends, wanted, before, ROWS + 1)
    some = found[:ROWS]
    return [history_row(line) for line in some], write_cursor(some[-1].place) if len(found) > ROWS else None


def history_row(line: Line) -> HistoryRow:
    """Put together what a row of the page shows."""
    row, run_on = line.row, line.place.run_on
    return HistoryRow(
        row=row,
        kind="early_redemption" if row.type == "redemption" and line.is_early else row.type,
        sign="+" if row.change > 0 else "",
        accounts=[each for each in dict.fromkeys((row.debit, row.credit)) if each in OWN],
        receipt=None if run_on is None else f"/positions/{row.position_id}/receipts/{run_on}",
        renewed_as=str(line.place.number) if row.type == "renewal" else None,
    )


def names_of(visit: Visit) -> dict[str, str]:
    """Name what a row can be, in plain words."""
    return {
        "subscription": visit.say("Staked"),
        "reward": visit.say("Reward"),
        "accrual": visit.say("Reward, paid at the end"),
        "accrued_payout": visit.say("Accrued rewards paid out"),
        "redemption": visit.say("Redeemed"),
        "early_redemption": visit.say("Redeemed early"),
        "forfeiture": visit.say("Rewards taken back"),
        "renewal": visit.say("Renewed"),
        "transfer": visit.say("Transfer"),
        "deposit": visit.say("Deposit"),
        "withdrawal": visit.say("Withdrawal"),
        "correction": visit.say("Correction"),
    }


def accounts_of(visit: Visit) -> dict[str, str]:
    """Name the customer's accounts."""
    return {
        "spot": visit.say("Spot"),
        "funding": visit.say("Funding"),
        "earn": visit.say("Earn"),
        "accrued": visit.say("Accrued"),
    }


def link_of(values: Mapping[str, str]) -> str:
    """Give the address of the history with these filters."""
    kept = {name: value for name, value in values.items() if value}
    return f"/history?{urlencode(kept)}" if kept else "/history"

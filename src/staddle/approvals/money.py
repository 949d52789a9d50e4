"""What requests about money change: a reward pool, a customer's balance, an entry that is corrected."""

from datetime import datetime
from decimal import Decimal

import msgspec

from staddle.approvals.words import Told, changed, days, instant, sum_of
from staddle.customers import CustomerMove, find_customer
from staddle.db import Tx
from staddle.desk import Approval, Difference
from staddle.ledger import HOUSE, SOURCES, AccountKind, account_of, balances_of, find_asset, kind_of
from staddle.money import EXACT, ZERO
from staddle.treasury import Entry, Runway, find_entry, runway
from staddle.treasury.correct import balance_of, basis_of_correction
from staddle.treasury.foresee import days_paid_for
from staddle.treasury.move_pool import basis_of_move

ACCOUNTS = {AccountKind.SPOT: "Spot", AccountKind.FUNDING: "Funding", AccountKind.REWARD_POOL: "Reward pool"}


def of_pool_move(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:
    """Say what the pool holds before and after, and how long it lasts."""
    move, asset = asked.request["move"], asked.request["asset"]
    amount = Decimal(asked.request["amount"])
    pool = pool_of(tx, asset, now)
    change = EXACT.minus(amount) if move == "withdrawal" else amount
    difference, effect = pool_changed(pool, asset, change)
    if move == "income":
        income = ZERO if pool is None else pool.forfeited_income
        after = sum_of(EXACT.subtract(income, amount), asset)
        difference.append(changed("income", "Income from forfeitures", sum_of(income, asset), after))
    return difference, effect


def pool_of(tx: Tx, asset: str, now: datetime) -> Runway | None:
    """Read a reward pool and how long it lasts; None before anything was ever in it."""
    return next((each for each in runway(tx, now) if each.asset == asset), None)


def pool_changed(pool: Runway | None, asset: str, change: Decimal) -> tuple[Told, Told]:
    """Say how a pool changes by an amount, and what that means for its days."""
    left = ZERO if pool is None else pool.left
    after = EXACT.add(left, change)
    day_basis = ZERO if pool is None else pool.day_basis
    cost = ZERO if pool is None else pool.cost_per_day
    lasts = (days(days_paid_for(each, day_basis)) for each in (left, after))
    difference = [changed("pool_left", "Left in the reward pool", sum_of(left, asset), sum_of(after, asset))]
    effect = [
        changed("days_left", f"The {asset} pool lasts", *lasts),
        changed("cost_per_day", "Rewards cost per day", None, sum_of(cost, asset)),
    ]
    return difference, effect


def basis_of_pool_move(tx: Tx, asked: Approval) -> str:
    """What a request for a pool move stands upon."""
    return basis_of_move(tx, find_asset(tx, asked.request["asset"]))


def of_customer_move(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:  # noqa: ARG001
    """Say what the customer's account holds before and after."""
    move = msgspec.convert(asked.request, CustomerMove)
    asset, customer = find_asset(tx, move.asset), find_customer(tx, move.customer)
    account = account_of(customer.customer_id, asset, SOURCES[move.account])
    before = balances_of(tx, [account]).get(account, ZERO)
    change = move.amount if move.move == "deposit" else EXACT.minus(move.amount)
    after = EXACT.add(before, change)
    words = f"{move.account.capitalize()} of {move.customer}"
    difference = [changed(move.account, words, sum_of(before, asset.code), sum_of(after, asset.code))]
    return difference, [touched(move.customer, 1)]


def basis_of_customer_move(tx: Tx, asked: Approval) -> str:
    """What a customer's move stands upon: the customer; what the account holds is looked at when it is done."""
    return find_customer(tx, asked.request["customer"]).reference


def of_correction(tx: Tx, asked: Approval, now: datetime) -> tuple[Told, Told]:
    """Say what the account holds before and after, and which entry is reversed."""
    entry = find_entry(tx, int(asked.request["transfer_id"]))
    gives_back = kind_of(entry.credit_account) == AccountKind.CUSTODY
    change = entry.amount if gives_back else EXACT.minus(entry.amount)
    effect = [
        changed("entry", "Entry that is reversed", f"{entry.kind} of {sum_of(entry.amount, entry.asset)}", "none"),
        changed("effective_at", "It was made at", instant(entry.effective_at), None),
        changed("key", "Its reference", entry.request_key, None),
    ]  # fmt: skip
    if entry.customer_id == HOUSE:
        difference, of_pool = pool_changed(pool_of(tx, entry.asset, now), entry.asset, change)
        return difference, effect + of_pool
    before = balance_of(tx, entry)
    sums = (sum_of(each, entry.asset) for each in (before, EXACT.add(before, change)))
    difference = [changed("balance", f"{account_words(entry)} of {entry.customer}", *sums)]
    return difference, [*effect, touched(entry.customer, 1)]


def account_words(entry: Entry) -> str:
    """Name the account that is not custody."""
    ends = (kind_of(entry.debit_account), kind_of(entry.credit_account))
    return next(ACCOUNTS[end] for end in ends if end in ACCOUNTS)


def touched(customer: str | None, count: int) -> Difference:
    """Say which customer it touches."""
    return changed("customers", "Customers it touches", None, f"{count}: {customer}")


def basis_of_asked_correction(tx: Tx, asked: Approval) -> str:
    """What a request for a correction stands upon."""
    return basis_of_correction(find_entry(tx, int(asked.request["transfer_id"])))

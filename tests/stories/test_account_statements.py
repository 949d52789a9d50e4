"""Reading the ledger: an account's statement against the books, a transfer with its chain, transfers of the desk."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tests.living import START, Living

from staddle import customers, ledger, rewards
from staddle.db import Database
from staddle.errors import InvalidChoice, InvalidTime, TransferNotFound
from staddle.ledger import AccountKind, TransferFilter
from staddle.rewards import AccountStatement

ACCOUNTS = (AccountKind.SPOT, AccountKind.FUNDING, AccountKind.EARN, AccountKind.ACCRUED)


@pytest.fixture
def living(database: Database) -> Living:
    """Anna has lived ten days with everything that an account can be moved by."""
    living = Living(database)
    living.product("FLEX", "USDT", bands=[("0", "500", "0.12"), ("500", None, "0.01")])
    living.product("LOCK", "USDT", apr="0.2", term_days=4, payout="at_maturity", rate_policy="floating")
    living.product("TERM", "USDT", apr="0.5", term_days=30)
    anna = living.customer("anna", USDT="10000")
    living.subscribe(anna, "FLEX", "700.5")
    living.subscribe(anna, "LOCK", "400")
    term = living.subscribe(anna, "TERM", "900")
    for day in range(1, 11):
        living.passes(days=1)
        living.tick()
        living.catch_up()
        if day % 3 == 0:
            living.subscribe(anna, "FLEX", str(10 + day))
            living.redeem(anna, "FLEX", str(5 + day), "spot" if day % 2 else "funding")
        if day == 5:
            living.leave_early(anna, term)
    rewards.seal_all(database, living.now)
    return living


def anna_of(living: Living) -> int:
    with living.database.transaction() as tx:
        return customers.find_customer(tx, "anna").customer_id


def read(
    living: Living,
    account: AccountKind,
    since: datetime = START,
    until: datetime | None = None,
    count: int = 1_000,
) -> AccountStatement:
    period = (since, until or living.now + timedelta(seconds=1))
    with living.database.transaction() as tx:
        name = account.name.lower()
        return rewards.account_statement(tx, anna_of(living), "USDT", name, period, None, count, living.now)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_rows_of_an_account_lead_from_nothing_to_its_balance_in_the_books(
    living: Living, account: AccountKind
) -> None:
    found = read(living, account)
    assert found.opening == 0
    assert found.lines, account
    balance = Decimal(0)
    for line in found.lines:
        balance += line.change
        assert line.balance == balance >= 0
    assert balance == found.closing == found.balance == living.balance(anna_of(living), "USDT", account)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_pages_and_periods_of_an_account_fit_together(living: Living, account: AccountKind) -> None:
    whole = read(living, account)
    middle = START + timedelta(days=5, hours=3)
    early, late = read(living, account, until=middle), read(living, account, since=middle)
    assert early.closing == late.opening
    assert early.lines + late.lines == whole.lines
    paged: list[rewards.AccountLine] = []
    after = None
    while True:
        with living.database.transaction() as tx:
            period = (START, living.now + timedelta(seconds=1))
            name = account.name.lower()
            page = rewards.account_statement(tx, anna_of(living), "USDT", name, period, after, 2, living.now)
        assert page.opening == (paged[-1].balance if paged else 0)
        paged += page.lines
        after = page.next
        if after is None:
            break
    assert paged == whole.lines
    with living.database.transaction() as tx:
        exported = rewards.export_account(tx, anna_of(living), "USDT", name, period, living.now)
        assert list(exported) == whole.lines


def test_what_is_no_account_or_no_period_is_refused(living: Living) -> None:
    anna, now = anna_of(living), living.now
    with living.database.transaction() as tx:
        with pytest.raises(InvalidChoice):
            rewards.account_statement(tx, anna, "USDT", "custody", (START, now), None, 5, now)
        with pytest.raises(InvalidTime):
            rewards.account_statement(tx, anna, "USDT", "spot", (now, START), None, 5, now)


def test_a_forfeiture_is_shown_with_its_act_the_rewards_it_takes_back_and_its_seal(living: Living) -> None:
    with living.database.transaction() as tx:
        wanted = TransferFilter(kind="forfeiture")
        [forfeiture] = ledger.transfers_of_desk(tx, wanted, None, 10, living.now).items
        shown = ledger.transfer_of(tx, forfeiture.transfer_id)
        settled, reversed_ = rewards.rewards_behind(tx, forfeiture)
    assert (forfeiture.debit, forfeiture.credit) == ("earn", "forfeited_rewards")
    assert {each.kind for each in shown.act} == {"redemption", "forfeiture"}
    assert sum(each.amount for each in shown.act) == 900
    assert sum(each.forfeited for each in reversed_) == forfeiture.amount
    assert {each.position_id for each in reversed_} == {forfeiture.position_id}
    assert [each.day for each in reversed_] == list(range(len(reversed_), 0, -1))
    assert all(each.paid_to == "funding" for each in [*settled, *reversed_])
    assert shown.request is not None
    assert shown.request.act == "confirm_leave"
    assert shown.seal is not None
    assert shown.seal.first_transfer_id <= forfeiture.transfer_id <= shown.seal.last_transfer_id
    row = living.rows(
        "SELECT hash, previous_hash FROM seal WHERE number = %s AND cell = %s",
        shown.seal.number,
        forfeiture.transfer_id & 255,
    )[0]
    assert (shown.seal.hash, shown.seal.previous_hash) == (row.hash.hex(), row.previous_hash.hex())


def test_a_redemption_is_shown_with_the_rewards_that_its_act_settled(living: Living) -> None:
    with living.database.transaction() as tx:
        found = ledger.transfers_of_desk(tx, TransferFilter(kind="accrued_payout"), None, 10, living.now)
        [payout] = found.items
        settled, reversed_ = rewards.rewards_behind(tx, payout)
    assert reversed_ == []
    assert [each.day for each in settled if each.product == "LOCK"] == [4, 3]
    assert all(each.paid_to == ("accrued" if each.product == "LOCK" else "funding") for each in settled)


def test_transfers_of_the_desk_come_newest_first_page_by_page_and_are_all_there(living: Living) -> None:
    for number in range(30):
        living.customer(f"somebody {number}", USDT="5")
        living.passes(hours=7 * number % 5, seconds=number)
    for wanted in (
        TransferFilter(),
        TransferFilter(kind="deposit"),
        TransferFilter(kind="redemption"),
        TransferFilter(account="earn"),
        TransferFilter(asset="USDT", account="reward_pool"),
        TransferFilter(customer_id=anna_of(living)),
        TransferFilter(from_at=START + timedelta(days=2), until_at=START + timedelta(days=9)),
    ):
        listed, place = [], None
        while True:
            with living.database.transaction() as tx:
                page = ledger.transfers_of_desk(tx, wanted, place, 3, living.now)
            listed += page.items
            place = page.next
            if place is None:
                break
        with living.database.transaction() as tx:
            exported = list(ledger.export_transfers(tx, wanted, living.now))
        assert listed, wanted
        assert {each.transfer_id for each in listed} == {each.transfer_id for each in exported}
        assert len(listed) == len(exported)
        instants = [each.effective_at for each in listed]
        assert instants == sorted(instants, reverse=True)
    with living.database.transaction() as tx:
        everything = list(ledger.export_transfers(tx, TransferFilter(), living.now))
    assert len(everything) == living.rows("SELECT count(*) FROM transfer")[0].count
    with living.database.transaction() as tx, pytest.raises(InvalidChoice):
        ledger.transfers_of_desk(tx, TransferFilter(kind="gift"), None, 3, living.now)


def test_a_transfer_that_is_not_there_is_not_found(living: Living) -> None:
    with living.database.transaction() as tx:
        for number in (0, -5, 256 * 10**9, 1 << 70):
            with pytest.raises(TransferNotFound):
                ledger.transfer_of(tx, number)


def test_a_transfer_at_the_edge_of_a_stretch_is_told_once(database: Database) -> None:
    """Stretches begin an hour behind the last transfer, and are 1, 4, 16 and 64 minutes long while they are empty."""
    living = Living(database)
    living.asset("USDT")
    living.passes(days=1)
    first = living.customer("anna", USDT="5")
    living.passes(minutes=25)
    second = living.customer("bert", USDT="5")
    with database.transaction() as tx:
        page = ledger.transfers_of_desk(tx, TransferFilter(kind="deposit"), None, 10, living.now)
    assert [each.customer_id for each in page.items] == [second, first]

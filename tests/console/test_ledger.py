"""The ledger in the console: transfers with their chain, accounts to the last digit, closed days; no form writes."""

import csv
import io
import re
from decimal import Decimal

import pytest
from tests.api.world import Service
from tests.console.conftest import Only
from tests.web.visitor import Visitor, rows

from staddle import rewards
from staddle.ledger import house_balances, kind_of


@pytest.fixture
def closed(service: Service) -> str:
    """The desk's days are closed; gives the newest."""
    rewards.close_all(service.database, service.living.now)
    with service.database.transaction() as tx:
        return str(rewards.latest_closings(tx, 1)[0].closed_on)


def table(answer: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer)))


def test_every_transfer_is_listed_and_opens_with_its_act_and_chain(service: Service, ada: Visitor) -> None:
    there = rows(service, "SELECT transfer_id, kind::text AS kind, act_id FROM transfer")
    exported = table(ada.get("/console/ledger.csv").text)
    assert {row["transfer_id"] for row in exported} == {str(row.transfer_id) for row in there}
    for kind in {row.kind for row in there}:
        page = ada.get("/console/ledger", kind=kind).text
        listed = re.findall(r'<td><a href="/console/ledger/transfers/(\d+)">', page)
        assert set(listed) <= {str(row.transfer_id) for row in there if row.kind == kind}
        assert listed
        text = ada.see(f"/console/ledger/transfers/{listed[0]}")
        act = next(row.act_id for row in there if str(row.transfer_id) == listed[0])
        for row in there:
            if row.act_id == act:
                assert str(row.transfer_id) in text
    assert ada.get("/console/ledger/transfers/999999999999").status_code == 404
    assert ada.get("/console/ledger/transfers/none").status_code == 404


def test_transfers_of_one_customer_are_found_by_reference(service: Service, ada: Visitor) -> None:
    there = rows(
        service,
        "SELECT transfer_id FROM transfer WHERE customer_id = %s ORDER BY transfer_id DESC",
        service.customer_id("ada"),
    )
    page = ada.get("/console/ledger", customer="ada").text
    listed = re.findall(r'<td><a href="/console/ledger/transfers/(\d+)">', page)
    assert listed == [str(row.transfer_id) for row in there][:50]
    assert "Nothing is left by these filters" in ada.see("/console/ledger", customer="nobody")


def test_an_accounts_rows_add_up_to_its_balance_to_the_last_digit(service: Service, ada: Visitor) -> None:
    for row in rows(
        service,
        "SELECT account_id, amount FROM balance WHERE account_id >> 19 = %s",
        service.customer_id("ada"),
    ):
        account = kind_of(row.account_id).name.lower()
        asset = rows(service, "SELECT code FROM asset WHERE asset_id = account_asset(%s)", row.account_id)[0]
        address = f"/console/customers/ada/accounts/{asset.code}/{account}"
        lines = table(ada.get(f"{address}/file").text)
        balance = Decimal(0)
        for line in lines:
            balance += Decimal(line["change"])
            assert Decimal(line["balance"]) == balance
        assert balance == row.amount
        assert ada.get(address).status_code == 200
    assert ada.get("/console/customers/ada/accounts/USDT/custody").status_code in (400, 422)


def test_a_closed_day_adds_up_and_its_house_accounts_have_statements(
    service: Service, ada: Visitor, closed: str
) -> None:
    text = ada.see(f"/console/ledger/closings/{closed}")
    assert "adds up to zero" in text
    assert "does not add up" not in text
    lines = table(ada.get(f"/console/ledger/closings/{closed}/file").text)
    for asset in {line["asset"] for line in lines}:
        of_asset = [line for line in lines if line["asset"] == asset]
        debit = sum((Decimal(line["debit"]) for line in of_asset), Decimal(0))
        assert debit == sum((Decimal(line["credit"]) for line in of_asset), Decimal(0))
    assert closed in ada.get("/console/ledger/closings").text
    assert ada.get("/console/ledger/closings/2001-01-01").status_code == 404
    with service.database.transaction() as tx:
        held = house_balances(tx)
    for account in held:
        asset = rows(service, "SELECT code FROM asset WHERE asset_id = account_asset(%s)", account)[0].code
        address = f"/console/ledger/accounts/{asset}/{kind_of(account).name.lower()}"
        assert ada.get(address).status_code == 200
        days = table(ada.get(f"{address}/file").text)
        for day in {line["closed_on"] for line in days}:
            of_day = [line for line in days if line["closed_on"] == day]
            moved = sum((Decimal(line["change"]) for line in of_day), Decimal(of_day[0]["opening"]))
            assert moved == Decimal(of_day[0]["closing"])


def test_a_viewer_reads_all_of_the_ledger_and_no_form_of_it_writes(
    service: Service, only: Only, closed: str
) -> None:
    viewer = only("viewer")
    transfer = rows(service, "SELECT max(transfer_id) AS id FROM transfer")[0].id
    for path in (
        "/console/ledger",
        f"/console/ledger/transfers/{transfer}",
        "/console/ledger/closings",
        f"/console/ledger/closings/{closed}",
        "/console/ledger/accounts/USDT/reward_pool",
        "/console/customers/ada/accounts/USDT/funding",
    ):
        page = viewer.get(path)
        assert page.status_code == 200, path
        posts = re.findall(r'<form[^>]*method="post" action="([^"]*)"', page.text)
        assert set(posts) <= {"/look", "/console/sign-out"}


def test_a_stranger_reads_nothing_of_the_ledger(stranger: Visitor) -> None:
    for path in ("/console/ledger", "/console/ledger.csv", "/console/ledger/closings"):
        assert stranger.get(path).status_code == 303


@pytest.mark.parametrize("chosen", [{"kind": "theft"}, {"account": "pocket"}])
def test_a_page_leaves_out_what_cannot_be_chosen_and_a_file_refuses_it(
    ada: Visitor, chosen: dict[str, str]
) -> None:
    """A file that said nothing of it would be taken for all there is of what was asked for."""
    assert ada.get("/console/ledger", **chosen).status_code == 200
    assert ada.get("/console/ledger.csv", **chosen).status_code == 422

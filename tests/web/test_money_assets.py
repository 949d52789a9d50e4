"""The assets page and the transfer form: every figure is the ledger's, and one form is one act."""
# ruff: noqa: F811  fixtures are imported by their names

import json
import re
from collections import defaultdict
from decimal import Decimal

import pytest
from tests.api.world import Service
from tests.living import assert_audited
from tests.web.money import Browser, ada, balances, browser_of, new_key, query_of, seen, service  # noqa: F401

D = Decimal
ACCOUNTS = ("spot", "funding", "earn", "accrued", "total")


def form(**changed: str) -> dict[str, str]:
    """A form that moves 1.5 USDT from Spot to Funding, unless said otherwise."""
    return {"key": new_key(), "asset": "USDT", "source": "spot", "amount": "1.5"} | changed


# Assets


@pytest.mark.parametrize("reference", ["ada", "ben", "carl"])
def test_every_figure_is_the_ledgers_to_the_last_digit(service: Service, reference: str) -> None:
    page = seen(browser_of(service, reference).get("/assets"))
    held = balances(service, reference)
    rows = [row for row in page.rows if len(row) == 7 and " Rewards: " in row[0]]
    shown = {
        re.findall(r"(\w+)\1 Rewards: ", row[0])[0]: [D(cell.replace(",", "")) for cell in row[1:6]]
        for row in rows
    }
    assert shown == {code: [D(each[name]) for name in ACCOUNTS] for code, each in held.items()}


def test_lifetime_rewards_stand_there_in_the_words_of_the_guide(service: Service, ada: Browser) -> None:
    earned: dict[str, Decimal] = defaultdict(Decimal)
    for reward in service.customer("ada").get("/v1/rewards", limit=1000).json()["items"]:
        earned[reward["asset"]] += D(reward["amount"]) - D(reward["forfeited"])
    text = seen(ada.get("/assets")).text
    assert earned["BTC"] > 0
    assert f"BTC Rewards: {earned['BTC']:.8f}" in text
    assert f"USDT Rewards: {earned['USDT']:.8f}" in text


def test_the_chart_and_its_table_are_the_rewards_of_each_day(service: Service, ada: Browser) -> None:
    by_day: dict[str, Decimal] = defaultdict(Decimal)
    for reward in service.customer("ada").get("/v1/rewards", asset="USDT", limit=1000).json()["items"]:
        by_day[reward["run_on"]] += D(reward["amount"]) - D(reward["forfeited"])
    page = seen(ada.get("/assets", asset="USDT", days="30"))
    [figure] = page.figures
    series = json.loads(figure["data-series"])
    assert len(series["v"]) == len(series["t"]) == 30
    assert [D(value) for value in series["v"] if D(value)] == [
        by_day[day] for day in sorted(by_day) if by_day[day]
    ]
    kept = [D(row[3].replace(",", "")) for row in page.rows if len(row) == 4 and row[3] != "Kept"]
    assert kept == [D(value) for value in reversed(series["v"])]
    assert len(seen(ada.get("/assets", asset="USDT", days="90")).rows) == len(page.rows) + 60


def test_a_length_that_there_is_not_is_the_usual_one(ada: Browser) -> None:
    assert ada.get("/assets", days="1000000", asset="NONE").status_code == 200


def test_whoever_has_nothing_is_told_what_to_do_next(service: Service) -> None:
    page = seen(browser_of(service, "eva").get("/assets"))
    assert "You have no coins yet" in page.text
    assert "Rewards per day" not in page.text
    assert "You have no coins yet" in seen(browser_of(service, "eva").get("/assets/transfer")).text


def test_nobody_sees_anothers_coins(service: Service) -> None:
    page = browser_of(service, "ben").get("/assets")
    assert "BTC" not in page.text
    assert "SOL" not in page.text


@pytest.mark.parametrize("path", ["/assets", "/assets/transfer", "/history", "/statements/statement.csv"])
def test_whoever_is_not_signed_in_signs_in_first_and_comes_back(service: Service, path: str) -> None:
    answer = browser_of(service, None).get(path)
    assert answer.status_code == 303
    assert query_of(answer.headers["location"]) == {"next": path}


def test_pages_with_money_are_never_kept_and_run_no_script_of_their_own(ada: Browser) -> None:
    for path in ("/assets", "/assets/transfer", "/history"):
        page = ada.get(path)
        assert page.headers["cache-control"] == "no-store"
        assert " style=" not in page.text
        assert page.text.count("<script") == page.text.count('<script type="module" src="/static/')


# Transfers


def test_a_transfer_moves_exactly_its_amount_and_says_so(service: Service, ada: Browser) -> None:
    before = balances(service, "ada")["USDT"]
    shown = seen(ada.get("/assets/transfer", asset="USDT", source="spot"))
    answer = ada.send("/assets/transfer", form(key=shown.fields["key"], amount="12.00000001"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/assets")
    after = balances(service, "ada")["USDT"]
    assert D(after["spot"]) == D(before["spot"]) - D("12.00000001")
    assert D(after["funding"]) == D(before["funding"]) + D("12.00000001")
    assert after["total"] == before["total"]
    assert "12.00000001 USDT moved." in seen(ada.get("/assets")).text
    assert_audited(service.database)


def test_the_same_form_sent_twice_moves_once(service: Service, ada: Browser) -> None:
    before, fields = balances(service, "ada")["USDT"], form()
    answers = [ada.send("/assets/transfer", fields) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {303}
    assert D(balances(service, "ada")["USDT"]["spot"]) == D(before["spot"]) - D("1.5")
    other = ada.send("/assets/transfer", fields | {"amount": "2"})
    assert other.status_code == 409
    assert D(balances(service, "ada")["USDT"]["spot"]) == D(before["spot"]) - D("1.5")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"amount": "99999999"}, 409),
        ({"amount": "0.000000001"}, 422),
        ({"amount": "1,5"}, 422),
        ({"amount": "-1"}, 422),
        ({"amount": "1e3"}, 422),
        ({"amount": "0"}, 422),
        ({"amount": ""}, 422),
        ({"amount": "١"}, 422),
        ({"asset": "NONE"}, 404),
        ({"source": "earn"}, 400),
    ],
)
def test_what_cannot_be_moved_is_refused_beside_the_form_with_what_was_typed(
    service: Service, ada: Browser, changed: dict[str, str], status: int
) -> None:
    before = balances(service, "ada")
    answer = ada.send("/assets/transfer", form(**changed))
    page = seen(answer)
    assert answer.status_code == status, answer.text
    assert page.alert
    assert page.fields["amount"] == (changed.get("amount", "1.5"))
    assert balances(service, "ada") == before


def test_the_amount_of_a_refused_form_is_marked(ada: Browser) -> None:
    assert 'aria-invalid="true"' in ada.send("/assets/transfer", form(amount="99999999")).text


def test_a_part_of_the_balance_is_filled_in_without_a_script(service: Service, ada: Browser) -> None:
    held = D(balances(service, "ada")["SOL"]["spot"])
    for percent in (25, 50, 75, 100):
        page = seen(ada.get("/assets/transfer", asset="SOL", source="spot", portion=str(percent)))
        assert D(page.fields["amount"]) == (held * percent * 10**6).to_integral_value("ROUND_FLOOR") / 10**8
    assert seen(ada.get("/assets/transfer", asset="SOL", portion="30")).fields["amount"] == ""


def test_a_form_of_another_site_moves_nothing(service: Service, ada: Browser) -> None:
    before = balances(service, "ada")
    assert ada.send("/assets/transfer", form(), site="cross-site").status_code == 403
    assert balances(service, "ada") == before


def test_what_was_typed_outlives_a_lost_session(service: Service) -> None:
    answer = browser_of(service, None).send("/assets/transfer", form(amount="7"))
    assert answer.status_code == 303
    back = query_of(answer.headers["location"])["next"]
    assert back.startswith("/assets/transfer?")
    assert query_of(back) == {"asset": "USDT", "source": "spot", "amount": "7"}
    shown = seen(browser_of(service, "ada").get(back))
    assert (shown.fields["asset"], shown.fields["amount"]) == ("USDT", "7")

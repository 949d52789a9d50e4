"""History and statements: every row exactly once, nobody else's, and the files hold them all."""
# ruff: noqa: F811  fixtures are imported by their names

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from pypdf import PdfReader
from tests.api.test_large_statements import MANY_TRANSFERS
from tests.api.world import Service
from tests.web.money import Browser, ada, balances, browser_of, seen, service  # noqa: F401

from staddle.errors import InvalidTime
from staddle.rewards import statement_pdf
from staddle.rewards.statement_pdf import latin

D = Decimal
NAMES = {
    "subscription": "Staked",
    "reward": "Reward",
    "accrual": "Reward, paid at the end",
    "redemption": "Redeemed",
    "forfeiture": "Rewards taken back",
    "transfer": "Transfer",
    "deposit": "Deposit",
}
Told = tuple[str, str, Decimal, str]
"""When, in UTC; what; how much; of which coin."""


def told_by_page(browser: Browser, address: str) -> Iterator[list[Told]]:
    """Read the history page by page, from the newest on."""
    while True:
        answer = browser.get(address)
        assert answer.status_code == 200, answer.text
        page = seen(answer)
        rows = []
        for row, titles in zip(page.rows[1:], page.titles[1:], strict=True):
            amount, coin = row[4].split(" ")
            rows.append((titles[0], row[1], abs(D(amount.replace(",", ""))), coin))
        yield rows
        older = [to for to, words in page.links if words == "Older"]
        if not older:
            return
        [address] = older


def told(browser: Browser, address: str = "/history") -> list[Told]:
    return [row for rows in told_by_page(browser, address) for row in rows]


def told_by_api(service: Service, reference: str, **period: str) -> list[dict[str, str]]:
    """Read the statement as the API gives it, newest first."""
    text = service.customer(reference).get("/v1/statement.csv", **period).text
    return list(csv.DictReader(io.StringIO(text)))[::-1]


def as_told(row: dict[str, str], early: str) -> Told:
    when = row["time"].replace("T", " ").replace("Z", " UTC")
    name = (
        "Redeemed early" if row["type"] == "redemption" and row["position"] == early else NAMES[row["type"]]
    )
    return when, name, D(row["amount"]), row["asset"]


def early_position(service: Service) -> str:
    """The position that ada has left early."""
    [lost] = {row["position"] for row in told_by_api(service, "ada") if row["type"] == "forfeiture"}
    return lost


# History


def test_paging_gives_every_row_exactly_once_newest_first(service: Service, ada: Browser) -> None:
    pages = list(told_by_page(ada, "/history"))
    early = early_position(service)
    assert [len(page) for page in pages[:-1]] == [50] * (len(pages) - 1)
    assert len(pages) > 2
    assert [row for page in pages for row in page] == [
        as_told(row, early) for row in told_by_api(service, "ada")
    ]


@pytest.mark.parametrize("asset", ["USDT", "BTC", "SOL", "NONE"])
def test_the_filter_by_coin_gives_exactly_the_rows_of_that_coin(
    service: Service, ada: Browser, asset: str
) -> None:
    early = early_position(service)
    expected = [as_told(row, early) for row in told_by_api(service, "ada") if row["asset"] == asset]
    assert told(ada, f"/history?asset={asset}") == expected
    assert bool(expected) == (asset != "NONE")


def test_the_filters_by_type_give_every_row_exactly_once_in_all(service: Service, ada: Browser) -> None:
    early = early_position(service)
    rows = [as_told(row, early) for row in told_by_api(service, "ada")]
    found = []
    for kind in (
        "subscription", "reward", "accrued_payout", "redemption", "early_redemption", "forfeiture", "renewal",
        "transfer", "deposit", "withdrawal", "correction",
    ):  # fmt: skip
        some = told(ada, f"/history?type={kind}")
        assert len({row[1] for row in some}) <= 1
        found += some
    assert sorted(found) == sorted(rows)
    assert [row[1:] for row in told(ada, "/history?type=early_redemption")] == [
        ("Redeemed early", row[2], "USDT") for row in rows if row[1] == "Redeemed early"
    ]


def test_a_reward_of_a_product_that_pays_at_the_end_is_found_among_rewards(service: Service) -> None:
    names = {row[1] for row in told(browser_of(service, "ben"), "/history?type=reward")}
    assert names == {"Reward", "Reward, paid at the end"}


def test_days_are_those_of_the_viewers_zone_and_both_included(service: Service, ada: Browser) -> None:
    rows = [as_told(row, early_position(service)) for row in told_by_api(service, "ada")]
    ada.http.cookies.set("staddle_look", "en.system.Asia-.Tokyo")

    def in_tokyo(row: Told) -> str:
        instant = datetime.strptime(row[0], "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
        return f"{instant + timedelta(hours=9):%Y-%m-%d}"

    first, last = "2026-01-24", "2026-01-27"
    expected = [row for row in rows if first <= in_tokyo(row) <= last]
    assert expected
    assert told(ada, f"/history?from_on={first}&to_on={last}") == expected
    assert told(ada, f"/history?to_on={first}") == [row for row in rows if in_tokyo(row) <= first]


def test_nobody_sees_anothers_rows(service: Service, ada: Browser) -> None:
    bens = browser_of(service, "ben")
    assert told(bens) == [as_told(row, "") for row in told_by_api(service, "ben")]
    [older] = [to for to, words in seen(ada.get("/history")).links if words == "Older"]
    own = set(told(bens))
    assert set(told(bens, older)) <= own
    assert "/positions/" in bens.get("/history").text
    adas = {row["position"] for row in told_by_api(service, "ada") if row["position"]}
    linked = {to.split("/")[2] for to, _ in seen(bens.get("/history")).links if to.startswith("/positions/")}
    assert linked
    assert not linked & adas


def test_each_reward_is_linked_to_its_receipt_and_its_position(service: Service, ada: Browser) -> None:
    linked = {to for to, _ in seen(ada.get("/history", type="reward")).links}
    newest = next(row for row in told_by_api(service, "ada") if row["type"] == "reward")
    assert {
        f"/positions/{newest['position']}/receipts/{newest['reference'].split('-', 1)[1]}",
        f"/positions/{newest['position']}",
    } <= linked


def test_a_script_is_given_only_the_list(ada: Browser) -> None:
    whole, part = (
        ada.get("/history", type="deposit"),
        ada.get("/history?type=deposit", {"HX-Request": "true"}),
    )
    assert seen(part).rows == seen(whole).rows
    assert "<h1" in whole.text
    assert "<h1" not in part.text


def test_whoever_has_no_rows_is_told_so(service: Service, ada: Browser) -> None:
    assert "Nothing has happened yet" in seen(browser_of(service, "eva").get("/history")).text
    assert "Nothing like this happened" in seen(ada.get("/history", type="correction")).text


@pytest.mark.parametrize("path", ["/history", "/statements/statement.csv", "/statements/statement.pdf"])
@pytest.mark.parametrize(
    ("from_on", "to_on", "sentence"),
    [
        ("2026-02-30", "", "is not a day"),
        ("", "tomorrow", "is not a day"),
        ("0001-01-01", "", "is not a day"),
        ("", "9999-12-31", "is not a day"),
        ("2026-W01-1", "", "is not a day"),
        ("2026-02-02", "2026-02-01", "before the first"),
    ],
)
def test_a_period_that_there_is_not_is_refused_with_what_was_typed(
    ada: Browser, path: str, from_on: str, to_on: str, sentence: str
) -> None:
    answer = ada.get(path, from_on=from_on, to_on=to_on)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    page = seen(answer)
    assert sentence in page.alert
    assert (page.fields["from_on"], page.fields["to_on"]) == (from_on, to_on)
    assert page.rows == []


def test_a_cursor_that_is_none_is_refused(ada: Browser) -> None:
    assert ada.get("/history", cursor="x").status_code == 422


def test_a_file_that_there_is_not_is_not_found(ada: Browser) -> None:
    assert ada.get("/statements/statement.xls").status_code == 404


# Statements


def test_the_csv_has_the_bytes_of_the_apis(service: Service, ada: Browser) -> None:
    whole = ada.get("/statements/statement.csv")
    assert whole.content == service.customer("ada").get("/v1/statement.csv").content
    assert 'filename="statement.csv"' in whole.headers["content-disposition"]
    period = {"from_at": "2026-01-24T00:00:00Z", "until_at": "2026-01-27T00:00:00Z"}
    some = ada.get("/statements/statement.csv", from_on="2026-01-24", to_on="2026-01-26")
    assert some.content == service.customer("ada").get("/v1/statement.csv", **period).content
    assert some.content.count(b"\n") > 1


def text_of(body: bytes) -> str:
    reader = PdfReader(io.BytesIO(body))
    texts = [page.extract_text() for page in reader.pages]
    assert all(f"Page {number} of {len(texts)}" in text for number, text in enumerate(texts, 1))
    return "\n".join(texts)


def cells(row: dict[str, str]) -> str:
    """A row of the PDF as its text has it."""
    time = row["time"].replace("T", " ").replace("Z", "")
    of = f"{row['product']} {row['position']}".strip()
    told = (
        time, row["type"], row["asset"], row["amount"], row["from"], row["to"], row["change"], of, row["reference"],
        row["note"],
    )  # fmt: skip
    return " ".join(part for part in told if part)


@pytest.mark.parametrize("period", [{}, {"from_on": "2026-01-24", "to_on": "2026-01-26"}])
def test_the_pdf_holds_every_row(service: Service, ada: Browser, period: dict[str, str]) -> None:
    answer = ada.get("/statements/statement.pdf", **period)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    asked = {"from_at": "2026-01-24T00:00:00Z", "until_at": "2026-01-27T00:00:00Z"} if period else {}
    rows = [cells(row) for row in told_by_api(service, "ada", **asked)[::-1]]
    lines = [" ".join(line.split()) for line in text_of(answer.content).splitlines()]
    starts = {row[:19] for row in rows}
    assert [line for line in lines if line[:19] in starts] == rows


def test_the_balances_of_the_pdf_are_exact(service: Service, ada: Browser) -> None:
    lines = [line.split() for line in text_of(ada.get("/statements/statement.pdf").content).splitlines()]
    for code, held in balances(service, "ada").items():
        [line] = [line for line in lines if len(line) == 4 and line[0] == code]
        assert (D(line[1]), D(line[3])) == (D(0), D(held["total"]))
        assert D(line[2]) == D(line[3])
    period = {"from_on": "2026-01-24", "to_on": "2026-01-26"}
    lines = [
        line.split() for line in text_of(ada.get("/statements/statement.pdf", **period).content).splitlines()
    ]
    before = told_by_api(service, "ada", until_at="2026-01-24T00:00:00Z")
    [line] = [line for line in lines if len(line) == 4 and line[0] == "USDT"]
    assert D(line[1]) == sum(D(row["change"]) for row in before if row["asset"] == "USDT")
    assert D(line[3]) == D(line[1]) + D(line[2])


def test_the_totals_of_the_pdf_are_those_of_its_rows(service: Service, ada: Browser) -> None:
    rows = told_by_api(service, "ada")
    lines = [
        " ".join(line.split()) for line in text_of(ada.get("/statements/statement.pdf").content).splitlines()
    ]
    for kind, asset in {(row["type"], row["asset"]) for row in rows}:
        amounts = [D(row["amount"]) for row in rows if (row["type"], row["asset"]) == (kind, asset)]
        assert f"{kind} {asset} {len(amounts)} {sum(amounts):.8f}" in lines


def test_the_same_statement_is_the_same_file(ada: Browser) -> None:
    assert ada.get("/statements/statement.pdf").content == ada.get("/statements/statement.pdf").content


def test_a_pdf_of_too_many_rows_is_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("staddle.rewards.statement_pdf"), "ROWS_MAX", 10)
    now = service.living.now
    with service.database.transaction() as tx, pytest.raises(InvalidTime, match="shorter period"):
        statement_pdf(tx, service.customer_id("ada"), "ada", now - timedelta(days=90), now, now)


def test_whoever_has_more_rows_than_a_pdf_holds_is_told_to_choose(service: Service) -> None:
    dora = service.living.customer("dora", USDT="1")
    with service.database.owner() as owner:
        owner.execute(MANY_TRANSFERS, [dora, 20_000])
    browser = browser_of(service, "dora")
    answer = browser.get("/statements/statement.pdf", to_on="2026-03-31")
    assert answer.status_code == 422
    assert "20,000 rows at the most" in seen(answer).alert
    assert browser.get("/statements/statement.pdf", to_on="2026-01-31").status_code == 200
    assert browser.get("/statements/statement.csv", to_on="2026-03-31").content.count(b"\n") == 20_002


def test_an_empty_statement_is_a_file_too(service: Service) -> None:
    assert "Rows: 0" in text_of(browser_of(service, "eva").get("/statements/statement.pdf").content)


def test_names_are_shown_safely_whatever_their_letters(service: Service) -> None:
    assert latin("Zoë Łukasz Őry") == "Zoë Lukasz Ory"
    assert latin("أدا") == "\\u0623\\u062f\\u0627"
    assert latin("a\nb\x00c") == "a b c"
    now = service.living.now
    name = "Zoë \U0001f600 " + "w" * 400
    with service.database.transaction() as tx:
        body = statement_pdf(tx, service.customer_id("carl"), name, now - timedelta(days=90), now, now)
    assert "Zoë \\U0001f600" in text_of(body)

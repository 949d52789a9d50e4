"""Products in the console: who sees and who changes, an editor that marks every field, drafts that are never edited."""

import csv
import io
import re
from decimal import Decimal

import httpx
import pytest
from tests.api.world import Service
from tests.console.conftest import Only
from tests.web.visitor import Visitor, alert_of, rows, text_of

from staddle import desk, products

NEW = {
    "code": "BTC-30D", "asset": "BTC", "kind": "fixed", "name": "Bitcoin, a month", "term_days": "30",
    "amount_min": "0.01", "step": "0.001", "quota": "100", "early_redemption": "forfeit_all", "payout": "daily",
    "at_maturity": "redeem",
}  # fmt: skip
SENDS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/console/products/new", NEW),
    ("/console/products/USDT-FLEX/edit", NEW),
    ("/console/products/USDT-FLEX/discard", {"version": "1"}),
    ("/console/products/USDT-FLEX/ask", {"version": "1"}),
    ("/console/products/USDT-FLEX/pause", {"what": "subscribing", "reason": "Maintenance"}),
    ("/console/products/USDT-FLEX/resume", {"what": "redeeming"}),
    ("/console/products/USDT-FLEX/close", {}),
    ("/console/products/USDT-FLEX/retire", {}),
    ("/console/coins", {"code": "ADA", "name": "Cardano", "decimals": "6"}),
)


def versions(service: Service, code: str) -> list[products.Version]:
    with service.database.transaction() as tx:
        return products.versions_of(tx, products.find_product(tx, code).product_id)


def approve(service: Service, code: str, version: int, by: str = "bob") -> None:
    with service.database.transaction() as tx:
        products.approve_terms(tx, by, code, version, service.living.now)


def problems(page: str) -> dict[str, str]:
    """What stands beside each field of the editor."""
    found = re.findall(r'<p class="wrong" id="(\w+)-wrong"[^>]*?( hidden)?>([^<]*)</p>', page)
    return {name: text for name, hidden, text in found if text and not hidden}


def unescaped(answer: httpx.Response) -> str:
    return answer.text.replace("&#39;", "'")


# Who may


@pytest.mark.parametrize("role", ["viewer", "support", "treasury", "admin"])
def test_whoever_has_not_the_role_sees_all_and_changes_nothing(
    service: Service, only: Only, role: str
) -> None:
    somebody = only(role)
    assert "USDT-FLEX" in somebody.see("/console/products")
    page = somebody.get("/console/products/USDT-FLEX")
    assert "Changing it needs the role product" in text_of(page)
    assert '<form method="post" action="/console/products' not in page.text
    before = rows(service, "SELECT count(*) FROM desk_log")
    for address in (
        "/console/products/new",
        "/console/products/USDT-FLEX/edit",
        "/console/products/USDT-FLEX/pause",
    ):
        assert somebody.get(address).status_code == 403, address
    for address, fields in SENDS:
        answer = somebody.send(address, **fields)
        assert answer.status_code == 403, address
        assert "This needs the role product" in text_of(answer)
    assert rows(service, "SELECT count(*) FROM desk_log") == before


def test_treasury_sets_prices_and_a_viewer_does_not(service: Service, only: Only) -> None:
    price = {"asset": "BTC", "quote": "usd", "price": "64000.5"}
    assert only("viewer").send("/console/coins/prices", **price).status_code == 403
    assert only("treasury").sent("/console/coins/prices", **price) == "/console/coins"
    assert "64,000.50 USD" in only("viewer").see("/console/coins")
    wrong = only("treasury").send("/console/coins/prices", **price | {"price": "much"})
    assert wrong.status_code == 422
    assert "'much' is not a plain decimal" in alert_of(wrong)
    assert 'value="much"' in wrong.text


# The list


def test_the_list_filters_sorts_and_downloads_what_it_shows(ada: Visitor) -> None:
    codes = re.findall(r"<strong>([A-Z0-9-]+)</strong>", ada.get("/console/products").text)
    assert codes == ["BTC-FLEX", "USDT-FLEX", "USDT-30D", "USDT-90D"]
    fixed = ada.get("/console/products", kind="fixed", sort="-headline").text
    assert re.findall(r"<strong>([A-Z0-9-]+)</strong>", fixed) == ["USDT-90D", "USDT-30D"]
    assert "USDT-90D" not in ada.see("/console/products", q="btc")
    assert "Nothing is left by these filters" in ada.see("/console/products", state="retired")
    file = ada.get("/console/products.csv", asset="USDT", sort="principal")
    found = list(csv.DictReader(io.StringIO(file.text)))
    assert [each["product"] for each in found] == ["USDT-90D", "USDT-30D", "USDT-FLEX"]
    assert (found[2]["principal"], found[2]["headline_apr"], found[2]["is_up_to"]) == (
        "1600",
        "0.12",
        "true",
    )


def test_a_long_list_goes_on_from_page_to_page(service: Service, ada: Visitor) -> None:
    with service.database.transaction() as tx:
        for number in range(60):
            name = f"Number {number}"
            terms = products.versions_of(tx, products.find_product(tx, "BTC-FLEX").product_id)[0].terms
            products.draft_product(
                tx, "ada", f"MANY-{number:02}", "BTC", "flexible", name, terms, service.living.now
            )
    first = ada.get("/console/products", q="many").text
    [following] = re.findall(r'href="([^"]*)" data-next-page', first)
    seen = [
        *re.findall(r"<strong>(MANY-\d\d)</strong>", first),
        *re.findall(r"<strong>(MANY-\d\d)</strong>", ada.get(following.replace("&amp;", "&")).text),
    ]
    assert seen == [f"MANY-{number:02}" for number in range(60)]


# The editor


def test_a_draft_with_mistakes_has_each_marked_and_nothing_is_written(service: Service, only: Only) -> None:
    wrong = NEW | {
        "code": "btc",
        "term_days": "4000",
        "step": "3",
        "personal_cap": "0.001",
        "countries_excluded": "xx",
    }
    answer = only("product").send("/console/products/new", **wrong)
    assert answer.status_code == 422
    found = problems(unescaped(answer))
    assert set(found) == {"code", "term_days", "amount_min", "personal_cap", "countries_excluded"}
    assert found["term_days"] == "A fixed product has a term of 1 to 3650 days."
    assert found["amount_min"] == "0.01 is not a multiple of the step 3."
    assert "5 fields need another look" in text_of(answer)
    assert 'value="4000"' in answer.text, "what was typed is still there"
    assert answer.text.count('aria-invalid="true"') == 5
    assert rows(service, "SELECT 1 FROM product WHERE asset_id = 0 OR name = %s", NEW["name"]) == []


def test_a_script_gets_what_changes_as_one_types_and_nothing_is_written(service: Service, only: Only) -> None:
    typing = NEW | {"do": "look", "try_amount": "2", "try_apr": "3.65", "step": ""}
    somebody = only("product")
    somebody.http.headers["HX-Request"] = "true"
    answer = somebody.send("/console/products/new", **typing)
    assert "<html" not in answer.text
    assert 'id="live"' in answer.text
    assert "Bitcoin, a month" in answer.text
    assert "0.006 BTC" in text_of(answer), "2 BTC at 3.65 % are 0.0002 a day, for 30 days"
    assert 'id="term_days-wrong" hx-swap-oob="true" hidden' in answer.text
    assert "1 field is missing or does not fit: Step" in text_of(answer)
    refused = somebody.send("/console/products/new", **typing | {"step": "0.001", "try_amount": "0.0015"})
    assert "Whoever types this amount is told: The minimum is 0.01 BTC." in text_of(refused)
    full = somebody.send("/console/products/new", **typing | {"step": "0.001", "try_amount": "101"})
    assert "Whoever types this amount is told: 100 BTC are left." in text_of(full)
    assert rows(service, "SELECT 1 FROM product WHERE code = 'BTC-30D'") == []


def test_whatever_is_typed_the_preview_never_fails(only: Only) -> None:
    somebody = only("product")
    somebody.http.headers["HX-Request"] = "true"
    for typed in (
        {}, {"kind": "fixed", "term_days": ""}, {"kind": "odd"}, {"quota": "0"}, {"amount_min": "1e400"},
        {"early_redemption": "reduced_apr"}, {"early_redemption": "keep_fraction", "kept_fraction": "150"},
        {"opens_at": "0001-01-01T00:00:00"}, {"opens_at": "9999-12-31T23:59:59", "closes_at": "soon"},
        {"try_amount": "9" * 30, "try_apr": "10000", "try_days": "9999"}, {"try_apr": "-1"}, {"try_amount": "0"},
        {"try_amount": "1", "try_apr": "5", "try_days": "0"}, {"name": "<b>x</b>"}, {"countries_allowed": ",,"},
        {"at_maturity": "to_flexible", "flexible_product": "NONE"}, {"try_apr": "99999999999999999999"},
        {"amount_min": "9" * 30, "step": "9" * 30, "try_amount": "5", "try_apr": "5"},
    ):  # fmt: skip
        answer = somebody.send("/console/products/new", **NEW | {"do": "look"} | typed)
        assert answer.status_code == 200, typed
        assert "<b>x</b>" not in answer.text


def test_a_product_is_drafted_looked_at_and_put_on_sale_by_a_second_person(
    service: Service, only: Only, stranger: Visitor
) -> None:
    to = only("product").sent("/console/products/new", **NEW)
    assert to == "/console/products/BTC-30D"
    [draft] = versions(service, "BTC-30D")
    assert (draft.terms.term_days, draft.terms.quota, draft.terms.rate_policy) == (30, Decimal(100), "locked")
    page = only("viewer").see("/console/products/BTC-30D")
    assert "Version 1 waits" in page
    assert "Smallest subscription" in page
    assert stranger.get("/products/BTC-30D").status_code == 404
    approve(service, "BTC-30D", 1)
    assert "Bitcoin, a month" in stranger.see("/")
    assert "Version 1 waits" not in only("viewer").see("/console/products/BTC-30D")


def test_the_same_form_sent_twice_drafts_once(service: Service, ada: Visitor) -> None:
    fields = NEW | {"code": "TWICE"}
    for _ in range(2):
        answer = ada.send("/console/products/new", key="the same key", **fields)
        assert answer.status_code == 303
    assert len(versions(service, "TWICE")) == 1
    other = ada.send("/console/products/new", key="the same key", **fields | {"code": "OTHER"})
    assert other.status_code == 409


def test_percentages_are_typed_as_such_and_kept_as_fractions(service: Service, ada: Visitor) -> None:
    fields = NEW | {
        "code": "PARTS",
        "early_redemption": "keep_fraction",
        "kept_fraction": "5 %",
        "reduced_apr": "1",
    }
    assert ada.sent("/console/products/new", **fields)
    [draft] = versions(service, "PARTS")
    assert (draft.terms.kept_fraction, draft.terms.reduced_apr) == (Decimal("0.05"), None)
    assert 'value="5"' in ada.get("/console/products/PARTS/edit").text
    wrong = ada.send("/console/products/new", **fields | {"code": "PARTS-2", "kept_fraction": "150"})
    assert problems(wrong.text) == {"kept_fraction": "Type a percentage from 0 to 100."}


# Versions


def filled(page: str) -> dict[str, str]:
    """What the editor's fields hold, as a browser would send them."""
    found = dict(re.findall(r'<input id="(\w+)" name="\w+"[^>]*? value="([^"]*)"', page))
    for name, inside in re.findall(r'<select id="(\w+)".*?>(.*?)</select>', page, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected', inside)
        found[name] = chosen[0] if chosen else ""
    found |= dict(re.findall(r'<input type="hidden" name="(based_on)" value="([^"]*)"', page))
    return found


def test_new_terms_are_the_next_version_and_what_changes_is_shown(service: Service, ada: Visitor) -> None:
    fields = filled(ada.get("/console/products/USDT-90D/edit").text)
    assert (fields["term_days"], fields["payout"]) == ("90", "at_maturity")
    nothing = ada.send("/console/products/USDT-90D/edit", **fields | {"do": "check"})
    assert "Nothing yet." in text_of(nothing)
    look = ada.send(
        "/console/products/USDT-90D/edit", **fields | {"do": "check", "quota": "5000", "amount_min": "2"}
    )
    assert "Smallest subscription1.002" in text_of(look).replace(
        " ", ""
    ) or "Smallest subscription" in text_of(look)
    assert "<del>without limit</del>" in look.text
    assert "<ins>5000</ins>" in look.text
    assert len(versions(service, "USDT-90D")) == 1
    ada.sent("/console/products/USDT-90D/edit", **fields | {"quota": "5000", "amount_min": "2"})
    first, second = versions(service, "USDT-90D")
    assert (first.terms.quota, second.terms.quota, second.terms.opens_at) == (
        None,
        Decimal(5000),
        first.terms.opens_at,
    )
    page = ada.get("/console/products/USDT-90D")
    assert "Version 2 waits" in text_of(page)
    assert "<ins>5000</ins>" in page.text


def test_what_somebody_drafted_meanwhile_is_not_passed_over_unseen(
    service: Service, ada: Visitor, bob: Visitor
) -> None:
    mine = filled(ada.get("/console/products/USDT-30D/edit").text)
    bob.sent("/console/products/USDT-30D/edit", **mine | {"quota": "100"})
    refused = ada.send("/console/products/USDT-30D/edit", **mine | {"quota": "200"})
    assert refused.status_code == 409
    assert "bob has drafted version 2 since you opened this; nothing was saved." in alert_of(refused)
    again = filled(refused.text)
    assert (again["quota"], again["based_on"]) == ("200", "2")
    ada.sent("/console/products/USDT-30D/edit", **again)
    assert [each.terms.quota for each in versions(service, "USDT-30D")] == [None, Decimal(100), Decimal(200)]


def test_a_draft_is_discarded_and_stays_on_record(service: Service, ada: Visitor, only: Only) -> None:
    ada.sent("/console/products/new", **NEW | {"code": "GONE"})
    only("product").sent("/console/products/GONE/discard", version="1")
    assert "GONE" not in ada.see("/console/products")
    assert "GONE" in ada.see("/console/products", state="discarded")
    page = ada.see("/console/products/GONE")
    assert "discarded by only-product" in page
    refused = ada.send("/console/products/USDT-FLEX/discard", version="1")
    assert refused.status_code == 409
    assert "Version 1 of USDT-FLEX was approved" in alert_of(refused)


def test_a_clone_is_the_editor_filled_in_with_another_products_terms(service: Service, ada: Visitor) -> None:
    page = ada.get("/console/products/new", copy="USDT-90D").text
    fields = filled(page)
    assert (fields["code"], fields["term_days"], fields["payout"]) == ("", "90", "at_maturity")
    assert re.search(r'value="fixed" checked', page)
    ada.sent("/console/products/new", **fields | {"code": "USDT-45D", "kind": "fixed", "term_days": "45"})
    [clone] = versions(service, "USDT-45D")
    assert (clone.terms.term_days, clone.terms.payout, clone.terms.closes_at) == (45, "at_maturity", None)
    # As the other kind it is without what only a term has, whatever the hidden fields still hold.
    ada.sent("/console/products/new", **fields | {"code": "USDT-ANY", "kind": "flexible"})
    assert versions(service, "USDT-ANY")[0].terms.term_days is None


# One product, schedule, coins


def test_a_product_says_who_holds_how_much_under_which_version(service: Service, ada: Visitor) -> None:
    page = ada.see("/console/products/USDT-FLEX")
    assert "1,600.00 USDT" in page
    assert "Count them" in page, (
        "a script asks by itself: counting takes longer on a large desk than the page may"
    )
    page = ada.see("/console/products/USDT-FLEX/held")
    [row] = rows(
        service,
        "SELECT count(*) AS positions, sum(principal) AS principal FROM position JOIN product USING (product_id)"
        " WHERE code = 'USDT-FLEX' AND ended_at IS NULL",
    )
    ada.http.headers["HX-Request"] = "true"
    part = ada.get("/console/products/USDT-FLEX/held").text
    assert part.strip().startswith("<tr")
    assert f"{row.positions}{row.principal:,.2f} USDT" in page.replace("> ", ">")
    assert "ada" in page
    assert "bob" in page


def test_a_product_is_closed_and_retired_only_when_nobody_holds_it(service: Service, ada: Visitor) -> None:
    ada.sent("/console/products/new", **NEW | {"code": "SHORT"})
    approve(service, "SHORT", 1)
    early = ada.send("/console/products/SHORT/retire")
    assert early.status_code == 409
    assert "Only a closed product can be retired" in alert_of(early)
    assert "Closed" in ada.see(ada.sent("/console/products/SHORT/close"))
    assert "Retired" in ada.see(ada.sent("/console/products/SHORT/retire"))
    assert "Only a closed" in alert_of(ada.send("/console/products/USDT-FLEX/retire"))


def test_the_schedule_says_what_comes_and_what_would(service: Service, ada: Visitor, only: Only) -> None:
    later = NEW | {"code": "LATER", "opens_at": "2026-02-20T09:00:00", "closes_at": "2026-03-20T09:00:00"}
    ada.sent("/console/products/new", **later)
    page = only("viewer").see("/console/schedule")
    assert "Would open, if version 1 is approved" in page
    approve(service, "LATER", 1)
    page = only("viewer").see("/console/schedule")
    assert "Feb 20, 2026 09:00:00 LATER" in page
    assert "Closes" in page
    assert (
        "Closes"
        not in only("viewer")
        .see("/console/schedule", what="rate")
        .split("Download CSV")[0]
        .split("All coins")[1]
    )
    file = list(csv.DictReader(io.StringIO(ada.get("/console/schedule.csv", asset="BTC").text)))
    assert [(each["at"], each["what"]) for each in file if each["product"] == "LATER"] == [
        ("2026-02-20T09:00:00Z", "opens"),
        ("2026-03-20T09:00:00Z", "closes"),
    ]


def test_a_coin_is_added_once_and_for_all(service: Service, only: Only) -> None:
    somebody = only("product")
    assert somebody.sent("/console/coins", code="ADA", name="Cardano", decimals="6") == "/console/coins"
    assert "Cardano" in somebody.see("/console/coins", q="carda")
    other = somebody.send("/console/coins", code="ADA", name="Cardano", decimals="8")
    assert other.status_code == 409
    for wrong in ("19", "x", "", "-1"):
        assert "0 to 18 decimals" in alert_of(
            somebody.send("/console/coins", code="XRP", name="XRP", decimals=wrong)
        )
    file = list(csv.DictReader(io.StringIO(somebody.get("/console/coins.csv").text)))
    assert {
        "code": "ADA",
        "name": "Cardano",
        "decimals": "6",
        "products": "0",
        "quote": "",
        "price": "",
        "priced_at": "",
    } in file


# Two people


def requests(service: Service, code: str) -> list[desk.Approval]:
    with service.database.transaction() as tx:
        return desk.pending(tx, subject=code)


def test_a_draft_is_put_before_a_second_person_at_once_or_later_and_only_once(
    service: Service, ada: Visitor, only: Only
) -> None:
    to = ada.sent("/console/products/new", **NEW | {"code": "ASKED", "do": "ask"})
    [asked] = requests(service, "ASKED")
    page = only("viewer").get(to).text
    assert f"/console/approvals/{asked.approval_id}" in page
    assert "Ask a second person" not in text_of(ada.get(to))
    ada.sent("/console/products/ASKED/ask", version="1")
    assert [each.approval_id for each in requests(service, "ASKED")] == [asked.approval_id]
    assert asked.difference is not None
    assert {"term_days", "amount_min", "quota"} <= {each.field for each in asked.difference}
    with service.database.transaction() as tx:
        products.approve_asked_terms(tx, "bob", asked.approval_id, service.living.now)
    assert "in force" in ada.see(to)
    # Later: a draft that was only saved.
    fields = filled(ada.get("/console/products/ASKED/edit").text)
    ada.sent("/console/products/ASKED/edit", **fields | {"quota": "7"})
    assert requests(service, "ASKED") == []
    ada.sent("/console/products/ASKED/ask", version="2")
    assert len(requests(service, "ASKED")) == 1
    refused = ada.send("/console/products/ASKED/ask", version="1")
    assert refused.status_code == 409
    # What is discarded waits no more.
    ada.sent("/console/products/ASKED/discard", version="2")
    assert requests(service, "ASKED") == []


def test_a_pause_shows_how_customers_will_read_it_and_waits_for_a_second_person(
    service: Service, ada: Visitor, only: Only, stranger: Visitor
) -> None:
    reason = "The network is being upgraded; back by noon UTC."
    look = ada.see("/console/products/USDT-30D/pause", what="subscribing", reason=reason)
    assert f"Subscribing is paused: {reason}" in look
    assert f"Paused: {reason}" in look, "as it stands on the card"
    assert requests(service, "USDT-30D") == []
    empty = ada.send("/console/products/USDT-30D/pause", what="subscribing", reason=" ")
    assert empty.status_code == 422
    assert "customers see it" in alert_of(empty)
    ada.sent("/console/products/USDT-30D/pause", what="subscribing", reason=reason)
    [asked] = requests(service, "USDT-30D")
    assert "To be paused, once a second person agrees" in only("viewer").see("/console/products/USDT-30D")
    assert reason not in stranger.see("/products/USDT-30D")
    with service.database.transaction() as tx:
        products.approve_halt(tx, "bob", asked.approval_id, service.living.now)
    # Word for word what was shown before.
    assert f"Subscribing is paused: {reason}" in stranger.see("/products/USDT-30D")
    assert f"Paused: {reason}" in stranger.see("/", asset="USDT")
    page = ada.see("/console/products/USDT-30D")
    assert "Ask to resume subscribing" in page
    assert "Pause redeeming" in page, "each has its own switch"
    assert "Subscribing paused" in ada.see("/console/products", state="paused")
    ada.sent("/console/products/USDT-30D/resume", what="subscribing")
    [asked] = requests(service, "USDT-30D")
    with service.database.transaction() as tx:
        products.approve_halt(tx, "bob", asked.approval_id, service.living.now)
    assert reason not in stranger.see("/products/USDT-30D")
    refused = ada.send("/console/products/USDT-30D/resume", what="subscribing")
    assert refused.status_code == 409


def test_redeeming_is_paused_by_its_own_switch(service: Service, ada: Visitor) -> None:
    reason = "Custody is checking a transfer."
    look = ada.see("/console/products/BTC-FLEX/pause", what="redeeming", reason=reason)
    assert f"Redeeming is paused: {reason}" in look
    assert "Subscribing is paused" not in look
    ada.sent("/console/products/BTC-FLEX/pause", what="redeeming", reason=reason)
    [asked] = requests(service, "BTC-FLEX")
    assert asked.request["what"] == "redeeming"

"""What happens at the edges: sold out meanwhile, a new agreement, two tabs, very long numbers, nothing, very much."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import OpenPage, SignIn
from tests.browser.served import Desk, serving_people
from tests.living import Living

from staddle.customers import publish_agreement
from staddle.db import Database, Server

FIRST_PAGE_MAX = 150_000


def open_form(page: Page, product: str, amount: str) -> None:
    """Fill a form to subscribe in, as far as Confirm."""
    page.goto(f"/products/{product}/subscribe")
    page.check("[name=source][value=spot]")
    with page.expect_response(re.compile(r"/preview\?")):
        page.fill("#amount", amount)
    page.check("[name=is_agreed]")


def press_confirm(page: Page) -> None:
    """Send the form to subscribe."""
    page.click("form#subscribe button.main")


def test_sold_out_while_typing_and_a_quota_that_shrinks(desk: Desk, page: Page, sign_in: SignIn) -> None:
    desk.living.product("SMALL", "USDT", apr="0.2", quota="100", amount_min="10", step="1")
    sign_in(page, "carl")
    ada, carl = desk.service.customer_id("ada"), desk.service.customer_id("carl")
    open_form(page, "SMALL", "80")
    expect(page.locator("#preview")).to_contain_text("Left in all after this")
    desk.living.subscribe(ada, "SMALL", "50")
    # The preview says so as soon as the amount is touched again, and so does Confirm.
    page.fill("#amount", "70")
    expect(page.locator("#preview")).to_contain_text("50 USDT are left")
    press_confirm(page)
    expect(page.get_by_role("alert")).to_contain_text("50 USDT are left")
    desk.living.subscribe(ada, "SMALL", "45")
    page.fill("#amount", "50")
    page.check("[name=is_agreed]")
    press_confirm(page)
    expect(page.get_by_role("alert")).to_contain_text("are left")
    expect(page.locator("main")).to_contain_text("sold out")
    assert desk.living.positions_of(carl, "SMALL") == []
    page.goto("/")
    card = page.locator("article", has=page.get_by_role("link", name="SMALL"))
    expect(card).to_contain_text("Sold out")


def test_a_new_agreement_must_be_accepted_afresh(desk: Desk, page: Page, sign_in: SignIn) -> None:
    sign_in(page, "ada")
    open_form(page, "USDT-FLEX", "15")
    with desk.database.transaction() as tx:
        version = publish_agreement(tx, "ada", "Staking service agreement", "A newer text.", desk.living.now)
    desk.living.agreement = version
    press_confirm(page)
    expect(page.get_by_role("alert")).to_contain_text("newer version")
    expect(page.locator("form#subscribe")).to_contain_text(f"version {version}")
    assert page.input_value("#amount") == "15"
    assert not page.is_checked("[name=is_agreed]")
    page.check("[name=is_agreed]")
    press_confirm(page)
    page.wait_for_url(re.compile(r"/positions/\d+$"))


def test_two_tabs_are_two_acts_and_never_more_than_there_is(desk: Desk, page: Page, sign_in: SignIn) -> None:
    sign_in(page, "carl")
    carl = desk.service.customer_id("carl")
    spot = desk.living.spot(carl, "USDT")
    other = page.context.new_page()
    for tab in (page, other):
        open_form(tab, "USDT-FLEX", f"{spot - 10}")
    for tab in (page, other):
        press_confirm(tab)
        tab.wait_for_load_state()
    assert re.search(r"/positions/\d+$", page.url)
    expect(other.get_by_role("alert")).to_contain_text("The account holds 10")
    assert desk.living.spot(carl, "USDT") == 10
    other.close()


def test_very_long_numbers_are_shown_to_their_last_digit(
    desk: Desk, open_page: OpenPage, sign_in: SignIn
) -> None:
    long = Decimal("123456789012345678.12345678")
    ben = desk.service.customer_id("ben")
    desk.living.deposit(ben, "USDT", str(long))
    page = open_page(360, 780)
    sign_in(page, "ben")
    for address in ("/assets", "/products/USDT-FLEX/subscribe"):
        page.goto(address)
        assert f"{desk.living.spot(ben, 'USDT'):,}".rstrip("0") in page.locator("main").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_a_thousand_positions_come_a_page_at_a_time(desk: Desk, page: Page, sign_in: SignIn) -> None:
    ada = desk.service.customer_id("ada")
    asked = [desk.living.subscription(ada, "USDT-FLEX", "1") for _ in range(1000)]
    desk.living.subscribe_all(asked)
    sign_in(page, "ada")
    seen: list[str] = []
    page.goto("/positions?product=USDT-FLEX")
    while True:
        seen += page.locator("article a.whole").evaluate_all("links => links.map(link => link.href)")
        older = page.get_by_role("link", name="Older positions")
        if older.count() == 0:
            break
        older.click()
        page.wait_for_load_state()
    assert len(seen) == len(set(seen)) >= 1000
    page.goto("/products/USDT-FLEX/redeem?how=all")
    expect(page.locator("#arrives")).to_contain_text("Arrives now")


def test_the_first_page_is_light_and_does_not_jump(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(390, 844)
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(answer.request.sizes()["responseBodySize"]))
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert 0 < sum(sizes) < FIRST_PAGE_MAX
    shift = page.evaluate(
        """() => new Promise(done => {
            let sum = 0;
            new PerformanceObserver(list => list.getEntries().forEach(e => { if (!e.hadRecentInput) sum += e.value; }))
                .observe({type: "layout-shift", buffered: true});
            setTimeout(() => done(sum), 500);
        })"""
    )
    assert shift == 0


def test_pages_forbid_inline_scripts_and_are_never_kept(desk: Desk) -> None:
    for address in ("/", "/sign-in", "/products/USDT-FLEX"):
        answer = desk.service.http.get(address)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "<script>" not in answer.text
        assert not re.search(r"\son\w+=|\sstyle=", answer.text)


@pytest.fixture(scope="module")
def bare_desk(server: Server, template: str) -> Iterator[Desk]:
    """A desk with customers and without a single product."""
    name = f"browser_bare_{Path.cwd().stat().st_ino}"
    server.drop(name)
    server.create(name, template)
    with Database(server.dsn_of(name)) as database:
        living = Living(database)
        for customer in ("ada", "ben", "carl"):
            living.customer(customer, USDT="5")
        with serving_people(living) as desk:
            yield desk
    server.drop(name)


def test_a_desk_without_products_says_so(bare_desk: Desk, open_page: OpenPage) -> None:
    page = open_page(base_url=bare_desk.url)
    login = bare_desk.customers["ada"]
    page.goto("/sign-in")
    page.fill("[name=email]", login.email)
    page.fill("[name=password]", login.password)
    page.click("main [type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    for address, words in (
        ("/", "Nothing is on offer yet"),
        ("/positions", "No positions here"),
        ("/history", ""),
        ("/assets", "USDT"),
    ):
        page.goto(address)
        expect(page.locator("main")).to_contain_text(words)
        for _ in both_themes(page):
            assert_accessible(page)


def test_another_site_cannot_even_sign_somebody_in(desk: Desk) -> None:
    """Or a visitor would act, and type secrets, as somebody whom the other site knows."""
    login = desk.customers["ada"]
    form = {"email": login.email, "password": login.password}
    refused = desk.service.http.post("/sign-in", data=form, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers
    taken = desk.service.http.post("/sign-in", data=form, headers={"Origin": desk.url})
    assert taken.status_code == 303


def test_without_a_connection_the_app_says_so_and_has_kept_no_money(
    desk: Desk, page: Page, sign_in: SignIn
) -> None:
    sign_in(page, "ada")
    page.goto("/assets")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("caches.match('/offline').then(found => found !== undefined)")
    kept = page.evaluate(
        """async () => (await Promise.all((await caches.keys()).map(async name =>
            (await (await caches.open(name)).keys()).map(request => new URL(request.url).pathname)))).flat()"""
    )
    assert set(kept) == {each for each in kept if each.startswith("/static/")} | {"/icon.svg", "/offline"}
    page.context.set_offline(True)
    page.goto("/positions")
    expect(page.locator("main")).to_contain_text("No connection")
    expect(page.locator("main")).not_to_contain_text("USDT")
    page.context.set_offline(False)
    page.goto("/positions")
    expect(page.get_by_role("heading", name="Positions")).to_be_visible()

"""A customer in a real browser: the five steps of the guide, then rewards, then the way out, to the last digit."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import OpenPage, SignIn
from tests.browser.served import Desk
from tests.living import assert_audited, halt

AMOUNT = re.compile(r"[\d,]+\.\d+")


def choose(page: Page, product: str, amount: str, source: str = "spot") -> None:
    """Fill the form of a product in, with a look at its preview."""
    page.goto(f"/products/{product}/subscribe")
    page.check(f"[name=source][value={source}]")
    with page.expect_response(re.compile(r"/preview\?")):
        page.fill("#amount", amount)
    expect(page.locator("#preview dl")).to_be_visible()


def confirm(page: Page) -> None:
    """Accept the agreement and confirm."""
    page.check("[name=is_agreed]")
    page.click("form#subscribe button.main")


def subscribe(page: Page, product: str, amount: str, source: str = "spot") -> int:
    """Stake an amount; gives the new position's id."""
    choose(page, product, amount, source)
    confirm(page)
    page.wait_for_url(re.compile(r"/positions/\d+$"))
    return int(page.url.rpartition("/")[2])


def said(page: Page) -> str:
    """What the page says has just happened."""
    return page.locator("main [role=status] .notice").first.inner_text()


def first_amount(text: str) -> Decimal:
    """The first amount in a text."""
    found = AMOUNT.search(text)
    assert found is not None, text
    return Decimal(found[0].replace(",", ""))


def test_the_five_steps_of_the_guide_and_what_comes_after(desk: Desk, page: Page, sign_in: SignIn) -> None:
    ben = desk.service.customer_id("ben")
    sign_in(page, "ben")
    # Step 1: the Assets page, and from there the products of a coin.
    page.goto("/")
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Assets").click()
    page.get_by_role("link", name="Stake USDT").first.click()
    assert page.input_value("#asset") == "USDT"
    # Step 2: the token and the type.
    page.select_option("#kind", "fixed")
    expect(page.get_by_role("link", name="USDT-30D")).to_be_visible()
    expect(page.get_by_role("link", name="BTC-FLEX")).to_have_count(0)
    page.get_by_role("link", name="USDT-30D").click()
    page.wait_for_url("**/products/USDT-30D")
    # Step 3: amount and source account; the preview says what it brings.
    spot, earn = desk.living.spot(ben, "USDT"), desk.living.earn(ben, "USDT")
    form = page.locator("form#subscribe")
    form.locator("[name=source][value=spot]").check()
    form.locator("[name=amount]").fill("1000")
    expect(form.locator("#preview")).to_contain_text("8.00 %")
    expect(form.locator("#preview")).to_contain_text("0.21917808")
    # Step 4: the agreement, then Confirm.
    form.locator("[name=is_agreed]").check()
    form.get_by_role("button", name="Confirm").click()
    page.wait_for_url(re.compile(r"/positions/\d+$"))
    position = int(page.url.rpartition("/")[2])
    assert "1,000.00 USDT" in said(page)
    assert desk.living.spot(ben, "USDT") == spot - 1000
    assert desk.living.earn(ben, "USDT") == earn + 1000
    # Step 5: next distribution, calculation cycle and end date are on the page.
    facts = page.locator("main .facts").first
    for name in ("Next payout", "Calculation cycle", "Ends"):
        expect(facts).to_contain_text(name)
    # Days pass, and rewards arrive by themselves.
    desk.advance(days=3, hours=12)
    page.reload()
    rewards = sum(desk.living.rewards_of(position).values())
    assert rewards == Decimal("0.65753424")
    expect(page.locator("main")).to_contain_text(f"{rewards} USDT")
    expect(page.locator("table").first.locator("tbody tr")).to_have_count(3)
    # Flexible: redeemed, and exactly what the page says arrives.
    flexible = page
    flexible.goto("/products/USDT-FLEX/redeem")
    flexible.check("[name=how][value=amount]")
    flexible.fill("#amount", "150.5")
    flexible.locator("#amount").dispatch_event("change")
    expect(flexible.locator("#arrives")).to_contain_text("150.50 USDT")
    funding = desk.living.funding(ben, "USDT")
    flexible.get_by_role("button", name="Confirm").click()
    flexible.wait_for_url("**/assets")
    assert desk.living.funding(ben, "USDT") == funding + Decimal("150.5")
    # Fixed: left early by the quote, and the money is what the page said.
    funding = desk.living.funding(ben, "USDT")
    page.goto(f"/positions/{position}")
    page.get_by_role("button", name="See what I would get").click()
    lead = page.locator(".lead").inner_text()
    returned = first_amount(lead)
    assert returned == 1000 - rewards
    expect(page.locator("details table tbody tr")).to_have_count(3)
    assert_accessible(page)
    page.get_by_role("button", name="Confirm and leave").click()
    page.wait_for_url(f"**/positions/{position}")
    assert desk.living.funding(ben, "USDT") == funding + returned
    expect(page.locator("main")).to_contain_text("left early")
    assert_audited(desk.database)


def test_every_page_of_staking_is_accessible_in_both_themes(desk: Desk, page: Page, sign_in: SignIn) -> None:
    sign_in(page, "ada")
    first = desk.living.positions_of(desk.service.customer_id("ada"), "USDT-30D")[0].position_id
    run_on = max(desk.living.rewards_of(first))
    for address in (
        "/",
        "/?amount=1000&asset=USDT",
        "/?q=nothing-of-this-name",
        "/products/USDT-FLEX",
        "/products/USDT-90D",
        "/products/USDT-30D/subscribe?amount=10",
        "/products/USDT-FLEX/redeem?amount=10",
        "/positions",
        "/positions?state=all",
        f"/positions/{first}",
        f"/positions/{first}/receipts/{run_on}",
        "/nowhere",
    ):
        page.goto(address)
        for _ in both_themes(page):
            assert_accessible(page)


@pytest.mark.parametrize("width", [360, 390, 1440])
def test_no_page_is_wider_than_its_window(
    desk: Desk, open_page: OpenPage, sign_in: SignIn, width: int
) -> None:
    page = open_page(width, 800)
    sign_in(page, "ada")
    first = desk.living.positions_of(desk.service.customer_id("ada"), "USDT-30D")[0].position_id
    for address in (
        "/",
        "/products/USDT-FLEX",
        "/products/USDT-30D/subscribe",
        f"/positions/{first}",
        "/positions",
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_money_moves_without_a_script(desk: Desk, open_page: OpenPage, sign_in: SignIn) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, "carl")
    carl = desk.service.customer_id("carl")
    before = desk.living.spot(carl, "USDT")
    page.goto("/products/USDT-30D/subscribe")
    page.click("button[name=part][value='50']")
    half = Decimal(page.input_value("#amount"))
    assert half == (before / 2).quantize(Decimal("0.01"))
    page.fill("#amount", "40")
    confirm(page)
    assert re.search(r"/positions/\d+$", page.url)
    assert desk.living.spot(carl, "USDT") == before - 40
    page.get_by_role("button", name="See what I would get").click()
    page.get_by_role("button", name="Confirm and leave").click()
    assert "40.00 USDT" in said(page)


def test_clicking_twice_is_one_subscription(desk: Desk, page: Page, sign_in: SignIn) -> None:
    sign_in(page, "ada")
    ada = desk.service.customer_id("ada")
    before = len(desk.living.positions_of(ada, "USDT-FLEX"))
    choose(page, "USDT-FLEX", "11")
    page.check("[name=is_agreed]")
    with page.expect_navigation(url=re.compile(r"/positions/\d+$")):
        page.evaluate(
            """() => { const b = document.querySelector("form#subscribe button.main"); b.click(); b.click(); }"""
        )
    assert len(desk.living.positions_of(ada, "USDT-FLEX")) == before + 1
    # Going back shows a fresh form, with a key of its own: nothing is sent again by itself.
    page.go_back()
    expect(page.locator("form#subscribe")).to_be_visible()
    assert len(desk.living.positions_of(ada, "USDT-FLEX")) == before + 1


def test_a_rate_revised_meanwhile_is_shown_and_must_be_confirmed_again(
    desk: Desk, page: Page, sign_in: SignIn
) -> None:
    sign_in(page, "ada")
    choose(page, "BTC-FLEX", "0.01")
    # From an hour from now on, another rate; then the hour passes while the form is open.
    desk.living.revise("BTC-FLEX", apr="0.015", at=desk.living.now + timedelta(hours=1))
    desk.advance(hours=2)
    confirm(page)
    expect(page.get_by_role("alert")).to_contain_text("rate has changed")
    expect(page.locator("#preview")).to_contain_text("1.50 %")
    assert page.input_value("#amount") == "0.01"
    confirm(page)
    page.wait_for_url(re.compile(r"/positions/\d+$"))


def test_more_than_there_is_is_refused_beside_the_form_and_nothing_is_lost(
    desk: Desk, page: Page, sign_in: SignIn
) -> None:
    sign_in(page, "carl")
    carl = desk.service.customer_id("carl")
    before = desk.living.spot(carl, "USDT")
    page.goto("/products/USDT-FLEX/subscribe")
    page.check("[name=source][value=spot]")
    page.fill("#amount", "9999")
    expect(page.locator("#preview")).to_contain_text("The account holds")
    confirm(page)
    expect(page.get_by_role("alert")).to_contain_text("The account holds")
    assert page.input_value("#amount") == "9999"
    assert desk.living.spot(carl, "USDT") == before


@pytest.mark.parametrize("typed", ["0", "-5", "1e3", "NaN", "1,000", "abc", "9" * 40, "0.123456789"])
def test_odd_amounts_are_refused_in_words(desk: Desk, page: Page, sign_in: SignIn, typed: str) -> None:
    sign_in(page, "carl")
    carl = desk.service.customer_id("carl")
    before = desk.living.earn(carl, "USDT")
    page.goto("/products/USDT-FLEX/subscribe")
    page.fill("#amount", typed)
    page.check("[name=is_agreed]")
    page.click("form#subscribe button.main")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.input_value("#amount") == typed
    assert desk.living.earn(carl, "USDT") == before


def test_a_session_that_ended_in_mid_form_loses_nothing(desk: Desk, page: Page, sign_in: SignIn) -> None:
    sign_in(page, "ada")
    choose(page, "USDT-FLEX", "12.5")
    page.context.clear_cookies()
    confirm(page)
    page.wait_for_url("**/sign-in?**")
    expect(page.locator("main")).to_contain_text("what you typed is kept")
    login = desk.customers["ada"]
    page.fill("[name=email]", login.email)
    page.fill("[name=password]", login.password)
    page.click("main [type=submit]")
    page.wait_for_url("**/products/USDT-FLEX/subscribe?**")
    assert page.input_value("#amount") == "12.5"
    assert not page.is_checked("[name=is_agreed]")
    confirm(page)
    page.wait_for_url(re.compile(r"/positions/\d+$"))
    assert "12.50 USDT" in said(page)


def test_nobody_sees_anothers_position_or_receipt(desk: Desk, page: Page, sign_in: SignIn) -> None:
    sign_in(page, "ben")
    first = desk.living.positions_of(desk.service.customer_id("ada"), "USDT-30D")[0].position_id
    run_on = max(desk.living.rewards_of(first))
    for address in (f"/positions/{first}", f"/positions/{first}/receipts/{run_on}"):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 404
    page.goto("/positions")
    page.evaluate(
        f"""() => {{ const f = document.createElement("form"); f.method = "post"; f.action = "/positions/{first}/leave";
        document.body.append(f); f.submit(); }}"""
    )
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text("There is nothing here")


def test_a_form_of_another_site_moves_nothing(desk: Desk, page: Page, sign_in: SignIn) -> None:
    sign_in(page, "ada")
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    answer = desk.service.http.post(
        "/products/USDT-FLEX/redeem",
        data={"how": "all", "destination": "spot"},
        headers={"Origin": "https://evil.example", "Cookie": f"staddle={cookies['staddle']}"},
    )
    assert answer.status_code == 403
    assert desk.living.positions_of(desk.service.customer_id("ada"), "USDT-FLEX")


def test_a_halted_redemption_says_why(desk: Desk, page: Page, sign_in: SignIn) -> None:
    sign_in(page, "ada")
    with desk.database.transaction() as tx:
        halt(tx, "BTC-FLEX", "redeeming", "The wallet is being moved.", desk.living.now)
    page.goto("/products/BTC-FLEX/redeem")
    expect(page.locator("main")).to_contain_text("The wallet is being moved.")
    page.fill("#amount", "0.1")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("The wallet is being moved.")
    with desk.database.transaction() as tx:
        halt(tx, "BTC-FLEX", "redeeming", None, desk.living.now)

"""The life of a product in a real browser: drafted with mistakes that are marked at once, seen as customers will see
it, put on sale by a second person, and then subscribed to."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import OpenPage, SignIn
from tests.browser.served import Desk


def wrong(page: Page, name: str) -> Locator:
    """What stands beside a field."""
    return page.locator(f"#{name}-wrong")


def fill_in(page: Page, code: str) -> None:
    """Fill the editor in for a fixed product without a mistake."""
    page.goto("/console/products/new")
    page.check("#kind-fixed")
    page.select_option("#asset", "USDT")
    for name, text in {
        "code": code, "name": f"Tether as {code}", "term_days": "30", "amount_min": "10", "step": "1", "quota": "5000",
    }.items():  # fmt: skip
        page.fill(f"#{name}", text)


def agree(second: Page, asked: Locator) -> None:
    """Let the second person open what a page says is waiting, see what it changes, and approve it."""
    address = asked.get_attribute("href")
    assert address is not None
    second.goto(address)
    expect(second.get_by_role("heading", name="What it changes")).to_be_visible()
    second.get_by_role("button", name="Approve").click()
    expect(second.get_by_text("Approved, and done.")).to_be_visible()


def pause(page: Page, second: Page, code: str, reason: str) -> None:
    """Pause subscribing, with a look at how customers will read the reason."""
    page.goto(f"/console/products/{code}")
    page.get_by_role("link", name="Pause subscribing").click()
    page.fill("#reason", reason)
    expect(page.locator("#as-read")).to_contain_text(f"Subscribing is paused: {reason}")
    expect(page.locator("#as-read article.offer")).to_contain_text(f"Paused: {reason}")
    for _ in both_themes(page):
        assert_accessible(page)
    page.get_by_role("button", name="Ask a second person").click()
    page.wait_for_url(f"**/console/products/{code}")
    agree(second, page.get_by_role("link", name="To be paused, once a second person agrees"))


def card_of(page: Page, name: str) -> str:
    """The text of a product's card on the shelf."""
    return page.locator("article.offer", has=page.get_by_role("heading", name=name)).inner_text()


def test_a_product_from_its_draft_to_a_customers_subscription(
    desk: Desk, page: Page, open_page: OpenPage, sign_in: SignIn, sign_in_operator: SignIn
) -> None:
    sign_in_operator(page, "ada")
    page.goto("/console/products/new")
    expect(page.locator("#term_days")).not_to_be_visible()
    fill_in(page, "usdt 30")
    page.fill("#term_days", "4000")
    page.fill("#step", "3")
    # Each field is marked as one types, and says why.
    expect(wrong(page, "code")).to_contain_text("1 to 40 capital letters")
    expect(wrong(page, "term_days")).to_have_text("A fixed product has a term of 1 to 3650 days.")
    expect(wrong(page, "amount_min")).to_have_text("10 is not a multiple of the step 3.")
    expect(page.locator("#amount_min")).to_have_attribute("aria-invalid", "true")
    expect(wrong(page, "personal_cap")).not_to_be_visible()
    expect(page.locator("#live article.offer")).to_have_count(0)
    for _ in both_themes(page):
        assert_accessible(page)
    page.fill("#code", "USDT-MONTH")
    page.fill("#name", "Tether, a month")
    page.fill("#term_days", "30")
    page.fill("#step", "1")
    expect(wrong(page, "amount_min")).not_to_be_visible()
    expect(page.locator("#amount_min")).not_to_have_attribute("aria-invalid", "true")
    # The card changes with what is typed, and so does what an amount would bring.
    card = page.locator("#live article.offer")
    expect(card).to_contain_text("Tether, a month")
    expect(card).to_contain_text("30 days")
    page.fill("#try_apr", "8")
    page.fill("#try_amount", "1000")
    expect(card).to_contain_text("6.57534246 USDT")
    page.fill("#try_amount", "5")
    expect(page.locator("#would-refuse")).to_contain_text("The minimum is 10 USDT.")
    page.fill("#try_amount", "")
    expect(page.locator("#standing")).to_contain_text("Everything fits together.")
    expect(card).to_contain_text("From")
    as_drafted = card.inner_text()
    for _ in both_themes(page):
        assert_accessible(page)
    page.get_by_role("button", name="Save and ask a second person").click()
    page.wait_for_url("**/console/products/USDT-MONTH")
    expect(page.get_by_role("heading", name="Version 1 waits")).to_be_visible()
    for _ in both_themes(page):
        assert_accessible(page)
    second = open_page()
    sign_in_operator(second, "bob")
    agree(second, page.get_by_role("link", name="Waits for a second person"))
    desk.living.revise("USDT-MONTH", apr="0.08")
    # What customers see is that very card, and they can subscribe to it.
    customer = open_page()
    sign_in(customer, "carl")
    customer.goto("/")
    assert card_of(customer, "Tether, a month") == as_drafted
    customer.goto("/products/USDT-MONTH/subscribe")
    customer.fill("#amount", "100")
    customer.check("[name=is_agreed]")
    customer.click("form#subscribe button.main")
    customer.wait_for_url(re.compile(r"/positions/\d+$"))
    page.reload()
    expect(page.locator("tfoot")).to_contain_text("100.00 USDT")
    pause(page, second, "USDT-MONTH", "The network is being upgraded.")
    customer.goto("/products/USDT-MONTH")
    told = customer.get_by_text("Subscribing is paused: The network is being upgraded.")
    expect(told.locator("visible=true")).to_have_count(1)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_editor_works_without_a_script(
    desk: Desk, open_page: OpenPage, sign_in_operator: SignIn, width: int, height: int
) -> None:
    page = open_page(width, height, java_script_enabled=False)
    sign_in_operator(page, "ada")
    code = f"PLAIN-{width}"
    fill_in(page, code)
    page.fill("#term_days", "0")
    page.fill("#try_amount", "1000")
    page.fill("#try_apr", "8")
    page.get_by_role("button", name="Look it over").click()
    expect(wrong(page, "term_days")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("1 field needs another look")
    assert page.input_value("#name") == f"Tether as {code}"
    page.fill("#term_days", "30")
    page.get_by_role("button", name="Look it over").click()
    expect(page.locator("#live article.offer")).to_contain_text("6.57534246 USDT")
    expect(page.get_by_text("Everything fits together. Nothing was saved yet.")).to_be_visible()
    page.get_by_role("button", name="Save as a draft").last.click()
    page.wait_for_url(f"**/console/products/{code}")
    page.locator("summary", has_text="Discard").click()
    page.get_by_role("button", name="Discard version 1").click()
    expect(page.locator("main [role=status]")).to_contain_text("It stays on record.")


def test_new_terms_show_what_changes_as_one_types(desk: Desk, page: Page, sign_in_operator: SignIn) -> None:
    sign_in_operator(page, "bob")
    page.goto("/console/products/USDT-FLEX/edit")
    changes = page.get_by_role("region", name="What changes", exact=True)
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    page.fill("#amount_min", "25")
    expect(changes).to_contain_text("Smallest subscription")
    expect(changes.locator("ins")).to_have_text("25")
    page.fill("#amount_min", "1")
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    page.fill("#quota", "")
    expect(changes.locator("ins")).to_have_text("without limit")
    for _ in both_themes(page):
        assert_accessible(page)

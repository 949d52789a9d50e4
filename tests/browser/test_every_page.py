"""Every page, walked from the declarations: accessible in both themes, at every width, in every language."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import OpenPage, SignIn
from tests.browser.served import Desk

from staddle.pages.page import pages_of
from staddle.ui.languages import LANGUAGES, direction_of
from staddle.web import edge

NO_PAGES = {
    *("begin_external", "finish_external"),  # they send the browser on
    *("download_receipt", "download_statement"),
    *("show_preview", "show_leaving"),  # a piece of a form, and what follows a form
    *("show_new_account", "show_new_password"),  # they need a link from an e-mail: test_account_sign_up.py
}
assert edge is not None


def addresses(desk: Desk) -> Iterator[str]:
    """The address of every page, of things that ada has."""
    ada = desk.service.customer_id("ada")
    position = desk.living.positions_of(ada, "USDT-30D")[0].position_id
    given = {
        "product": "USDT-FLEX",
        "position": position,
        "run_on": max(desk.living.rewards_of(position)),
        "version": 1,
    }
    for page in pages_of("web"):
        if page.method == "GET" and page.name not in NO_PAGES:
            yield page.path.format(**given)


def test_every_page_is_accessible_in_both_themes(desk: Desk, page: Page, sign_in: SignIn) -> None:
    for address in ("/sign-in", "/sign-up", "/recover", "/"):
        page.goto(address)
        for _ in both_themes(page):
            assert_accessible(page)
    sign_in(page, "ada")
    seen = 0
    for address in addresses(desk):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        for _ in both_themes(page):
            assert_accessible(page)
        seen += 1
    assert seen >= 16


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_a_small_phone_in_every_language(
    desk: Desk, open_page: OpenPage, sign_in: SignIn, language: str
) -> None:
    page = open_page(360, 740, locale=language)
    sign_in(page, "ada")
    for address in addresses(desk):
        page.goto(address)
        html = page.locator("html")
        assert html.get_attribute("lang") == language
        assert html.get_attribute("dir") == direction_of(language)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, f"{address} in {language}"


def test_pages_work_at_twice_the_size_of_letters(desk: Desk, open_page: OpenPage, sign_in: SignIn) -> None:
    page = open_page(640, 800)  # 1280 at 200 %
    sign_in(page, "ada")
    for address in addresses(desk):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 640, address


def test_a_language_is_chosen_by_a_button_and_stays(desk: Desk, page: Page, sign_in: SignIn) -> None:
    page.goto("/")
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    sign_in(page, "ben")
    page.goto("/positions")
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    # It is the customer's own now, wherever they sign in.
    page.context.clear_cookies()
    sign_in(page, "ben")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_all_of_staking_can_be_done_by_keyboard(desk: Desk, page: Page, sign_in: SignIn) -> None:
    sign_in(page, "ada")
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.goto("/products/USDT-FLEX/subscribe")
    page.locator("[name=source][value=spot]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "amount"
    page.keyboard.type("13")
    expect(page.locator("#preview dl")).to_be_visible()
    page.keyboard.press("Enter")  # asks for the box that is not ticked yet, and presses no chip
    assert page.input_value("#amount") == "13"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "is_agreed":
            break
    page.keyboard.press("Space")
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('form#subscribe button.main')"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/positions/\d+$"))
    expect(page.locator("main")).to_contain_text("13.00 USDT")

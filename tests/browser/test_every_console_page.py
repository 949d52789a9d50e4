"""Every page of the console, walked from the declarations: accessible in both themes, on a phone, by keyboard."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from playwright.sync_api import Page, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import OpenPage, SignIn
from tests.browser.served import Desk

from staddle import console
from staddle.ledger import TransferFilter, transfers_of_desk
from staddle.pages.page import pages_of
from staddle.rewards import close_all, latest_closings
from staddle.server.tasks import ask_task, open_task

NO_PAGES = {
    "show_own_authenticator",
    "download_account",
    "download_house_account",
    "download_closing",
    "download_receipt_of_desk",
    "show_move_effect",
    "show_rate_effect",
}
"""Files, pieces of pages, and what follows a form."""
assert console is not None


def addresses(desk: Desk) -> Iterator[str]:
    """The address of every page of the console, of things that there are."""
    named = things(desk)
    for page in pages_of("console"):
        if page.method == "GET" and page.name not in NO_PAGES and not page.path.endswith((".csv", ".json")):
            yield page.path.format(**named)


def things(desk: Desk) -> dict[str, object]:
    """What addresses can name."""
    ada = desk.service.customer_id("ada")
    position = desk.living.positions_of(ada, "USDT-30D")[0].position_id
    close_all(desk.database, desk.living.now)
    with desk.database.transaction() as tx:
        [closing] = latest_closings(tx, 1)
        transfer = transfers_of_desk(tx, TransferFilter(), None, 1, desk.living.now).items[0]
    return {
        "code": "USDT-FLEX",
        "asset": "USDT",
        "position": position,
        "run_on": max(desk.living.rewards_of(position)),
        "reference": "ada",
        "version": 1,
        "task_id": audit_of(desk),
        "account": "funding",
        "house_account": "reward_pool",
        "transfer": transfer.transfer_id,
        "closed_on": closing.closed_on,
        "approval_id": 1,
        "name": "bob",
    }


def audit_of(desk: Desk) -> int:
    """An audit that was asked for."""
    with desk.database.transaction() as tx:
        there = open_task(tx, "audit")
        now = desk.living.now
        return there or ask_task(tx, "ada", "audit", None, now, datetime.now(UTC)).task_id


def test_every_page_is_accessible_in_both_themes(desk: Desk, page: Page, sign_in_operator: SignIn) -> None:
    page.goto("/console/sign-in")
    for _ in both_themes(page):
        assert_accessible(page)
    sign_in_operator(page, "ada")
    for address in addresses(desk):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        for _ in both_themes(page):
            assert_accessible(page)


def test_every_page_fits_a_small_phone(desk: Desk, open_page: OpenPage, sign_in_operator: SignIn) -> None:
    page = open_page(360, 740)
    sign_in_operator(page, "ada")
    for address in addresses(desk):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_the_palette_goes_to_a_page_by_its_name(desk: Desk, page: Page, sign_in_operator: SignIn) -> None:
    sign_in_operator(page, "ada")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "palette-text"
    assert_accessible(page)
    page.keyboard.type("tod")
    expect(page.locator("#palette-found a")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/console$"))


def test_single_keys_can_be_turned_off(desk: Desk, page: Page, sign_in_operator: SignIn) -> None:
    sign_in_operator(page, "ada")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).not_to_be_visible()
    page.locator(".me > summary").click()
    page.locator("[data-shows-keys]").click()
    page.locator("#keys-on").check()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()

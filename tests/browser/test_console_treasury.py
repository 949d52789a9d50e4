"""Treasury and rates in a real browser: a pool funded by two people, a rate revised by two, and what is typed wrong."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import OpenPage, SignIn
from tests.browser.served import Desk

from staddle import treasury
from staddle.desk import pending
from staddle.positions.publish_rate import holders_told


def agree(desk: Desk, open_page: OpenPage, sign_in_operator: SignIn, act: str) -> None:
    """Let bob look at what waits, at a browser of his own, and approve it."""
    with desk.database.transaction() as tx:
        [waiting] = [each for each in pending(tx) if each.act == act]
    page = open_page()
    sign_in_operator(page, "bob")
    page.goto(f"/console/approvals/{waiting.approval_id}")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_be_visible()


def days_left(desk: Desk) -> int:
    with desk.database.transaction() as tx:
        [pool] = [each for each in treasury.runway(tx, desk.living.now) if each.asset == "USDT"]
    assert pool.days_left is not None
    return pool.days_left


def test_treasury_funds_a_pool_and_sees_how_long_it_lasts_before_and_after(
    desk: Desk, page: Page, open_page: OpenPage, sign_in_operator: SignIn
) -> None:
    before = days_left(desk)
    sign_in_operator(page, "ada")
    page.goto("/console/treasury/USDT")
    page.fill("#amount", "12,5")
    expect(page.locator("#effect .notice.bad")).to_contain_text("plain number")
    page.fill("#amount", "99000000000000")
    expect(page.locator("#effect")).to_contain_text("Lasts then")
    for _ in both_themes(page):
        assert_accessible(page)
    foreseen = page.locator("#effect dd strong").inner_text()
    page.fill("#reference", "custody 4711")
    page.get_by_role("button", name="Ask a second person").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing has moved yet")
    expect(page.locator("main")).to_contain_text("custody 4711")
    assert days_left(desk) == before
    agree(desk, open_page, sign_in_operator, "move_pool")
    page.goto("/console/treasury/USDT")
    after = days_left(desk)
    assert f"{after:,} days" == foreseen
    assert after > before
    expect(page.locator(".figures")).to_contain_text(foreseen)


def test_a_wrong_move_is_refused_in_its_place_with_what_was_typed(
    desk: Desk, page: Page, sign_in_operator: SignIn
) -> None:
    sign_in_operator(page, "ada")
    page.goto("/console/treasury/USDT")
    page.select_option("#move-kind", "withdrawal")
    page.fill("#amount", "9" * 25)
    page.get_by_role("button", name="Ask a second person").click()
    expect(page.get_by_role("alert")).to_contain_text("left in the pool")
    assert page.input_value("#amount") == "9" * 25
    for _ in both_themes(page):
        assert_accessible(page)


def test_a_rate_is_revised_with_its_effect_in_sight_and_told_to_holders(
    desk: Desk, page: Page, open_page: OpenPage, sign_in_operator: SignIn
) -> None:
    sign_in_operator(page, "ada")
    page.goto("/console/rates/USDT-FLEX")
    page.get_by_role("link", name="Revise the rate").click()
    page.locator("input[name=apr]").first.fill("abc")
    expect(page.locator("#effect .notice.bad")).to_contain_text("Tier 1")
    page.locator("input[name=apr]").first.fill("13.25")
    expect(page.locator("#effect")).to_contain_text("13.25")
    expect(page.locator(".customer-reads")).to_contain_text("a year from")
    for _ in both_themes(page):
        assert_accessible(page)
    sentence = page.locator(".customer-reads").inner_text()
    page.get_by_role("button", name="Ask a second person").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing is published yet")
    agree(desk, open_page, sign_in_operator, "revise_rate")
    page.reload()
    with desk.database.transaction() as tx:
        told = holders_told(tx, "USDT-FLEX")
    holders = told[max(told)]
    assert holders > 0
    expect(page.locator("main")).to_contain_text(f"{holders} customer")
    expect(page.locator("main")).to_contain_text("announced")
    assert re.search(r"13\.25\s*%", sentence)


def test_a_rate_of_the_past_is_refused_and_the_tiers_stay(
    desk: Desk, page: Page, sign_in_operator: SignIn
) -> None:
    sign_in_operator(page, "ada")
    page.goto("/console/rates/USDT-FLEX/revise")
    page.locator("input[name=apr]").first.fill("3.5")
    page.fill("#effective_at", f"{desk.living.now - timedelta(days=1):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Ask a second person").click()
    expect(page.get_by_role("alert")).to_contain_text("takes effect later")
    assert page.locator("input[name=apr]").first.input_value() == "3.5"


def test_what_if_is_worked_out_while_one_types(desk: Desk, page: Page, sign_in_operator: SignIn) -> None:
    sign_in_operator(page, "ada")
    page.goto("/console/treasury/USDT/what-if")
    expect(page.locator("#outcome")).to_contain_text("It is the same without what is supposed")
    page.fill("#growth", "250000")
    expect(page.locator("#outcome")).to_contain_text("New principal is flexible")
    for _ in both_themes(page):
        assert_accessible(page)


@pytest.mark.parametrize("address", ["/console/treasury/USDT/what-if", "/console/rates/USDT-FLEX/revise"])
def test_the_forms_work_without_a_script(
    desk: Desk, open_page: OpenPage, sign_in_operator: SignIn, address: str
) -> None:
    page = open_page(1280, 900, java_script_enabled=False)
    sign_in_operator(page, "ada")
    page.goto(address)
    if address.endswith("what-if"):
        page.fill("#growth", "10")
        page.get_by_role("button", name="Work it out").click()
        expect(page.locator("#outcome")).to_contain_text("New principal is flexible")
    else:
        page.locator("input[name=apr]").first.fill("9.99")
        page.get_by_role("button", name="See the effect").last.click()
        expect(page.locator("#effect")).to_contain_text("9.99")

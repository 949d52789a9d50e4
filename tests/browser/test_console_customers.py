"""Support at work: a customer found by e-mail from the keyboard, a reward explained, what is known changed."""

import re

import pytest
from playwright.sync_api import Page, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import OpenPage, SignIn
from tests.browser.served import Desk

from staddle.customers import find_customer
from staddle.money import plain
from staddle.rewards import close_all


def newest_reward(desk: Desk) -> tuple[int, str, str]:
    """Give a position of ada's with the run date and the amount of its newest reward."""
    position = desk.living.positions_of(desk.service.customer_id("ada"), "USDT-FLEX")[0].position_id
    run_on, amount = max(desk.living.rewards_of(position).items())
    return position, str(run_on), plain(amount)


def test_support_finds_a_customer_by_email_and_explains_a_reward(
    desk: Desk, page: Page, sign_in_operator: SignIn
) -> None:
    position, run_on, amount = newest_reward(desk)
    sign_in_operator(page, "bob")
    page.keyboard.press("Control+k")
    page.keyboard.type(desk.customers["ada"].email)
    expect(page.locator("#palette-found a[href='/console/customers/ada']")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/customers/ada")
    expect(page.get_by_text(desk.customers["ada"].email)).to_be_visible()
    for _ in both_themes(page):
        assert_accessible(page)
    page.locator(f"a[href='/console/positions/{position}/days/{run_on}']").first.click()
    expect(page.locator("h1")).to_have_text("Why this reward")
    expect(page.locator(".big-figure")).to_contain_text(amount)
    for _ in both_themes(page):
        assert_accessible(page)


def test_a_day_of_any_date_is_explained_from_the_positions_page(
    desk: Desk, page: Page, sign_in_operator: SignIn
) -> None:
    position, _, _ = newest_reward(desk)
    sign_in_operator(page, "bob")
    page.goto(f"/console/positions/{position}")
    page.locator("#run_on").fill("2090-01-01")
    page.get_by_role("button", name="Explain").click()
    page.wait_for_url(re.compile(r"/days/2090-01-01$"))
    expect(page.locator("h1")).to_have_text("Why nothing was paid")
    expect(page.get_by_text("This run is still to come.")).to_be_visible()


def test_what_is_known_is_changed_and_a_refusal_keeps_what_was_typed(
    desk: Desk, page: Page, sign_in_operator: SignIn
) -> None:
    sign_in_operator(page, "ada")
    page.goto("/console/customers/ben")
    page.locator("#name").fill("Ben Bright")
    page.locator("#vip_level").fill("many")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("alert")).to_contain_text("whole number")
    assert page.locator("#name").input_value() == "Ben Bright"
    assert_accessible(page)
    page.locator("#vip_level").fill("3")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("status")).to_contain_text("was changed")
    with desk.database.transaction() as tx:
        assert find_customer(tx, "ben").vip_level == 3


@pytest.mark.parametrize("has_script", [True, False], ids=["with a script", "without"])
def test_transfers_are_filtered_and_opened(
    desk: Desk, open_page: OpenPage, sign_in_operator: SignIn, has_script: bool
) -> None:
    close_all(desk.database, desk.living.now)
    page = open_page(1440, 900, java_script_enabled=has_script)
    sign_in_operator(page, "ada")
    page.goto("/console/ledger")
    page.locator("#by-kind").select_option("deposit")
    if not has_script:
        page.get_by_role("button", name="Filter").click()
    page.wait_for_url(re.compile("kind=deposit"))
    expect(page.locator(".rows tbody tr td:nth-child(3)").first).to_have_text("Deposit")
    page.locator(".rows tbody tr a").first.click()
    expect(page.locator("h1")).to_contain_text("Transfer")
    expect(page.locator("#what")).to_have_text("Deposit")
    page.goto("/console/ledger/closings")
    page.locator(".rows tbody a").first.click()
    expect(page.get_by_text("adds up to zero").first).to_be_visible()

"""Two people in two browsers: one asks, the other sees the same difference and its effect, and approves."""

from datetime import timedelta
from decimal import Decimal

from playwright.sync_api import Page, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import OpenPage, SignIn
from tests.browser.served import Desk

from staddle import approvals, products


def tables_of(page: Page) -> list[str]:
    """What both people see: the difference and the effect, as text."""
    return page.locator("table.differs").all_inner_texts()


def assert_accessible_in_both(page: Page) -> None:
    for _ in both_themes(page):
        assert_accessible(page)


def test_one_asks_and_another_sees_the_same_and_approves(
    desk: Desk, page: Page, open_page: OpenPage, sign_in_operator: SignIn
) -> None:
    now = desk.living.now
    with desk.database.transaction() as tx:
        tiers = [products.Tier(Decimal(0), None, Decimal("0.0425"))]
        number = approvals.ask_rate(tx, "ada", "USDT-FLEX", tiers, now + timedelta(days=3), now)
        stale = approvals.ask_rate(tx, "ada", "USDT-FLEX", tiers, now + timedelta(days=4), now)
    sign_in_operator(page, "ada")
    page.goto("/console/approvals")
    assert_accessible_in_both(page)
    page.get_by_role("link", name=f"Look at request {number}").click()
    expect(page.get_by_text("You have asked for this yourself")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.get_by_role("button", name="Withdraw it")).to_be_visible()
    assert_accessible_in_both(page)
    first = tables_of(page)
    assert "4.25 %" in first[0]
    assert "Cost per day" in first[1]

    other = open_page(1440, 900)
    sign_in_operator(other, "bob")
    other.goto("/console")
    other.get_by_role("navigation", name="Pages of the console").get_by_role("link", name="Approvals").click()
    other.get_by_role("link", name=f"Look at request {number}").click()
    assert tables_of(other) == first
    other.get_by_role("button", name="Approve").click()
    expect(other.get_by_text("Approved, and done.")).to_be_visible()
    expect(other.get_by_text("It was approved by bob")).to_be_visible()

    # The other request was made upon the rate of before.
    other.goto(f"/console/approvals/{stale}")
    expect(other.get_by_text("Close it and ask again")).to_be_visible()
    expect(other.get_by_role("button", name="Approve")).to_have_count(0)
    assert_accessible_in_both(other)
    other.get_by_role("button", name="Decline").click()
    other.wait_for_url("**/console/approvals")
    expect(other.get_by_text("Nothing waits for a second person")).to_be_visible()

    # A script replaces the table alone, and the address says what is filtered.
    other.get_by_label("Kind").select_option("revise_rate")
    other.wait_for_url("**kind=revise_rate**")
    expect(other.get_by_role("region", name="Decided requests")).to_contain_text("approved")


def test_a_role_is_given_by_two_admins_and_all_of_it_is_in_the_log(
    desk: Desk, page: Page, open_page: OpenPage, sign_in_operator: SignIn
) -> None:
    sign_in_operator(page, "ada")
    page.goto("/console/people")
    page.fill("#name", "gil")
    page.get_by_label("treasury moves").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("wait for another admin")
    assert_accessible_in_both(page)
    other = open_page(390, 844)
    sign_in_operator(other, "bob")
    other.goto("/console/people/gil")
    other.get_by_role("link", name="Look at the request").click()
    expect(other.get_by_role("cell", name="viewer, treasury")).to_be_visible()
    other.get_by_role("button", name="Approve").click()
    other.goto("/console/log?subject=gil")
    rows = other.get_by_role("region", name="Audit log").locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("set roles")
    assert_accessible_in_both(other)
    with other.expect_download() as file:
        other.get_by_role("link", name="Download CSV").click()
    assert file.value.path().read_text().count("gil") >= 4

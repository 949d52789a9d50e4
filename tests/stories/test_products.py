"""Rules 8 to 10: terms that fit together, a product's life with two persons, versions for new positions only."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest
from tests.living import halt
from tests.stories.stage import FLEXIBLE, START, fund, on_sale, rate, set_up, subscribe, withdraw_all

from staddle import desk, errors, products
from staddle.db import Database, Tx
from staddle.products import Terms

FIXED = Terms(amount_min=Decimal(1), step=Decimal("0.5"), opens_at=START, term_days=30)
DAY = timedelta(days=1)


def draft(tx: Tx, terms: Terms, kind: str = "fixed", code: str = "P", asset: str = "BTC") -> products.Version:
    return products.draft_product(tx, "ada", code, asset, kind, "Product", terms, START)


def changed(terms: Terms, **fields: Any) -> Terms:
    return msgspec.structs.replace(terms, **fields)


def test_terms_that_say_nothing_else_have_the_usual_defaults(database: Database) -> None:
    with set_up(database).transaction() as tx:
        flexible = draft(tx, FLEXIBLE, "flexible", "F").terms
        fixed = draft(tx, FIXED, "fixed", "X").terms
    assert (flexible.rate_policy, fixed.rate_policy) == ("floating", "locked")
    for terms in (flexible, fixed):
        assert (terms.payout, terms.early_redemption, terms.at_maturity) == ("daily", "forfeit_all", "redeem")
        assert (terms.countries_allowed, terms.countries_excluded, terms.vip_level_min) == (None, (), 0)


def test_every_field_of_the_terms_comes_back_as_it_was_drafted(database: Database) -> None:
    full = Terms(
        amount_min=Decimal("1.5"),
        step=Decimal("0.5"),
        opens_at=START,
        closes_at=START + 9 * DAY,
        amount_max=Decimal(50),
        personal_cap=Decimal(100),
        quota=Decimal(1000),
        term_days=3650,
        new_customer_days=30,
        vip_level_min=2,
        countries_allowed=("DE", "FR"),
        countries_excluded=("US",),
        rate_policy="floating",
        payout="at_maturity",
        early_redemption="reduced_apr",
        reduced_apr=Decimal("0.001"),
        reduced_apr_days_min=7,
        at_maturity="to_flexible",
        flexible_product="F",
    )
    with set_up(database).transaction() as tx:
        draft(tx, FLEXIBLE, "flexible", "F")
        assert draft(tx, full).terms == full
        kept = changed(
            full,
            early_redemption="keep_fraction",
            kept_fraction=Decimal("0.05"),
            reduced_apr=None,
            reduced_apr_days_min=None,
        )
        assert draft(tx, kept, code="P2").terms == kept


WRONG_TERMS: list[tuple[Terms, dict[str, Any], str]] = [
    (FIXED, {"amount_min": Decimal(0)}, "amount_min"),
    (FIXED, {"amount_min": Decimal("-1")}, "amount_min"),
    (FIXED, {"amount_min": Decimal("NaN")}, "amount_min"),
    (FIXED, {"amount_min": Decimal("1.000000001"), "step": Decimal("0.00000001")}, "amount_min"),
    (FIXED, {"amount_min": Decimal("1.25")}, "amount_min"),
    (FIXED, {"step": Decimal(0)}, "step"),
    (FIXED, {"step": Decimal("0.000000001")}, "step"),
    (FIXED, {"amount_max": Decimal("0.5")}, "amount_max"),
    (FIXED, {"amount_max": Decimal("1E+30")}, "amount_max"),
    (FIXED, {"personal_cap": Decimal("0.5")}, "personal_cap"),
    (FIXED, {"quota": Decimal("-1")}, "quota"),
    (FIXED, {"quota": Decimal("0.000000001")}, "quota"),
    (FIXED, {"opens_at": START.replace(tzinfo=None)}, "opens_at"),
    (FIXED, {"closes_at": START.replace(tzinfo=None)}, "opens_at"),
    (FIXED, {"closes_at": START}, "closes_at"),
    (FIXED, {"new_customer_days": 0}, "new_customer_days"),
    (FIXED, {"vip_level_min": -1}, "vip_level_min"),
    (FIXED, {"vip_level_min": 40_000}, "vip_level_min"),
    (FIXED, {"countries_allowed": ()}, "countries_allowed"),
    (FIXED, {"countries_allowed": ("DE", "UK")}, "countries_allowed"),
    (FIXED, {"countries_excluded": ("us",)}, "countries_excluded"),
    (FIXED, {"term_days": None}, "term_days"),
    (FIXED, {"term_days": 0}, "term_days"),
    (FIXED, {"term_days": 3651}, "term_days"),
    (FIXED, {"early_redemption": "keep_fraction"}, "kept_fraction"),
    (FIXED, {"kept_fraction": Decimal("0.5")}, "kept_fraction"),
    (FIXED, {"early_redemption": "keep_fraction", "kept_fraction": Decimal("1.01")}, "kept_fraction"),
    (FIXED, {"early_redemption": "keep_fraction", "kept_fraction": Decimal("-0.1")}, "kept_fraction"),
    (FIXED, {"early_redemption": "reduced_apr", "reduced_apr_days_min": 1}, "reduced_apr"),
    (FIXED, {"early_redemption": "reduced_apr", "reduced_apr": Decimal("0.01")}, "reduced_apr_days_min"),
    (
        FIXED,
        {"early_redemption": "reduced_apr", "reduced_apr": Decimal("0.01"), "reduced_apr_days_min": 31},
        "reduced_apr_days_min",
    ),
    (
        FIXED,
        {"early_redemption": "reduced_apr", "reduced_apr": Decimal("1E-13"), "reduced_apr_days_min": 1},
        "reduced_apr",
    ),
    (FIXED, {"at_maturity": "to_flexible"}, "flexible_product"),
    (FIXED, {"at_maturity": "to_flexible", "flexible_product": "NONE"}, "flexible_product"),
    (FIXED, {"at_maturity": "to_flexible", "flexible_product": "FIXED"}, "flexible_product"),
    (FIXED, {"flexible_product": "USDT-FLEX"}, "flexible_product"),
    (FLEXIBLE, {"term_days": 7}, "term_days"),
    (FLEXIBLE, {"payout": "at_maturity"}, "payout"),
    (FLEXIBLE, {"early_redemption": "not_allowed"}, "early_redemption"),
    (FLEXIBLE, {"reduced_apr_days_min": 1}, "reduced_apr_days_min"),
    (FLEXIBLE, {"at_maturity": "renew"}, "at_maturity"),
    (FLEXIBLE, {"flexible_product": "BTC-FLEX"}, "at_maturity"),
]


def test_terms_that_do_not_fit_together_are_refused_with_the_field(database: Database) -> None:
    with set_up(database).transaction() as tx:
        draft(tx, FLEXIBLE, "flexible", "BTC-FLEX")
        draft(tx, FIXED, "fixed", "FIXED")
        draft(tx, changed(FLEXIBLE, quota=None), "flexible", "USDT-FLEX", "USDT")
        for terms, fields, field in WRONG_TERMS:
            with pytest.raises(errors.InvalidTerms) as caught:
                draft(tx, changed(terms, **fields), "flexible" if terms is FLEXIBLE else "fixed")
            assert caught.value.details["field"] == field, fields
            assert caught.value.message.startswith(f"{field}: "), fields
        # Nothing of all this was left behind.
        assert {offer.code for offer in products.list_products(tx, START, ["draft"])} == {
            "BTC-FLEX",
            "FIXED",
            "USDT-FLEX",
        }


def test_amounts_of_the_coins_last_decimal_and_a_quota_of_nothing_are_fine(database: Database) -> None:
    unit = Decimal("0.00000001")
    with set_up(database).transaction() as tx:
        terms = changed(
            FIXED, amount_min=unit, step=unit, amount_max=unit, personal_cap=unit, quota=Decimal(0)
        )
        assert draft(tx, terms).terms.amount_min == unit


def test_codes_and_names_that_cannot_be_shown_are_refused(database: Database) -> None:
    with set_up(database).transaction() as tx:
        for code in ("", "btc", "-BTC", "BTC FLEX", "B" * 41, "BTC\n", "BTÇ"):
            with pytest.raises(errors.InvalidName):
                draft(tx, FIXED, code=code)
        with pytest.raises(errors.InvalidName):
            products.draft_product(tx, "ada", "P", "BTC", "fixed", "", FIXED, START)
        with pytest.raises(errors.InvalidChoice):
            draft(tx, FIXED, "daily")
        with pytest.raises(errors.AssetNotFound):
            draft(tx, FIXED, asset="DOGE")
        with pytest.raises(errors.OperatorNotFound):
            products.draft_product(tx, "eve", "P", "BTC", "fixed", "Product", FIXED, START)


def test_drafting_the_same_product_again_gives_what_is_there(database: Database) -> None:
    with set_up(database).transaction() as tx:
        first = draft(tx, FIXED)
        assert draft(tx, FIXED) == first
        with pytest.raises(errors.AlreadyExists):
            draft(tx, changed(FIXED, term_days=60))
        with pytest.raises(errors.AlreadyExists):
            products.draft_product(tx, "ada", "P", "BTC", "fixed", "Other name", FIXED, START)
        second = products.draft_version(tx, "ada", "P", changed(FIXED, term_days=60), START)
        assert second.version == 2
        assert products.draft_version(tx, "ada", "P", changed(FIXED, term_days=60), START) == second


def test_a_product_goes_live_only_by_a_second_person(database: Database) -> None:
    with set_up(database).transaction() as tx:
        draft(tx, FIXED)
        with pytest.raises(errors.SecondPersonNeeded):
            products.approve_terms(tx, "ada", "P", 1, START)
        with pytest.raises(errors.ProductNotFound):
            products.approve_terms(tx, "bob", "P", 2, START)
        with pytest.raises(errors.OperatorNotFound):
            products.approve_terms(tx, "eve", "P", 1, START)
        assert products.find_product(tx, "P").state == "draft"
        assert products.approve_terms(tx, "bob", "P", 1, START).state == "live"
        with pytest.raises(errors.WrongState):
            products.approve_terms(tx, "bob", "P", 1, START)
        acts = [(entry.operator, entry.act) for entry in desk.read_log(tx, 2)]
        assert acts == [("bob", "approve_terms"), ("ada", "draft_terms")]


def test_h22_the_database_itself_refuses_terms_approved_by_who_drafted_them(database: Database) -> None:
    with set_up(database).transaction() as tx:
        draft(tx, FIXED)
    with (
        pytest.raises(psycopg.errors.CheckViolation, match="terms_are_approved_by_a_second_person"),
        database.transaction() as tx,
    ):
        tx.execute("UPDATE terms SET approved_by = 'ada', approved_at = now()")


def test_an_older_draft_never_comes_into_force_over_a_newer_version(database: Database) -> None:
    with set_up(database).transaction() as tx:
        draft(tx, FIXED)
        products.draft_version(tx, "ada", "P", changed(FIXED, term_days=60), START)
        products.approve_terms(tx, "bob", "P", 2, START)
        with pytest.raises(errors.WrongState):
            products.approve_terms(tx, "bob", "P", 1, START)
        assert products.find_product(tx, "P").version == 2


def test_h12_a_position_keeps_the_terms_it_was_opened_under(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "P", FIXED, "fixed")
        rate(tx, "P", ("0", None, "0.05"))
        alice = fund(tx, "alice", "BTC", "10")
        old = subscribe(tx, alice, "P", "1")
        products.draft_version(
            tx, "ada", "P", changed(FIXED, term_days=60, early_redemption="not_allowed"), START
        )
        products.approve_terms(tx, "bob", "P", 2, START)
        new = subscribe(tx, alice, "P", "2")
        rows = tx.execute("SELECT position_id, version, term_days FROM position ORDER BY version").fetchall()
        assert rows == [(old.position_id, 1, 30), (new.position_id, 2, 60)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction() as tx:
        tx.execute("UPDATE terms SET term_days = 1")


def test_a_quota_lowered_below_what_was_sold_keeps_what_was_sold_and_sells_no_more(
    database: Database,
) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        rate(tx, "F", ("0", None, "0.05"))
        alice = fund(tx, "alice", "BTC", "20")
        subscribe(tx, alice, "F", "6")
        products.draft_version(tx, "ada", "F", changed(FLEXIBLE, quota=Decimal(4)), START)
        products.approve_terms(tx, "bob", "F", 2, START)
        offer = products.show_product(tx, "F", START)
        assert [offer.quota_total, offer.quota_used, offer.quota_left, offer.status] == [4, 6, 0, "sold_out"]
        with pytest.raises(errors.QuotaFull):
            subscribe(tx, alice, "F", "0.001")
        withdraw_all(tx, alice, "F")
        assert products.show_product(tx, "F", START).quota_left == 4
        products.draft_version(tx, "ada", "F", changed(FLEXIBLE, quota=None), START)
        products.approve_terms(tx, "bob", "F", 3, START)
        assert products.show_product(tx, "F", START).quota_left is None
        subscribe(tx, alice, "F", "14")
        products.draft_version(tx, "ada", "F", changed(FLEXIBLE, quota=Decimal(30)), START)
        products.approve_terms(tx, "bob", "F", 4, START)
        assert products.show_product(tx, "F", START).quota_left == 16


def test_h14_closing_halting_and_selling_out_never_block_redemption(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        rate(tx, "F", ("0", None, "0.05"))
        for name in ("alice", "bert", "carl"):
            subscribe(tx, fund(tx, name, "BTC", "3"), "F", "3")
        alice, bert, carl = (fund(tx, name, "BTC", "3") for name in ("alice", "bert", "carl"))
        products.draft_version(tx, "ada", "F", changed(FLEXIBLE, quota=Decimal(9)), START)
        products.approve_terms(tx, "bob", "F", 2, START)
        assert products.show_product(tx, "F", START).status == "sold_out"
        withdraw_all(tx, alice, "F")
        halt(tx, "F", "subscribing", "Network upgrade", START)
        with pytest.raises(errors.SubscribingHalted, match="Network upgrade"):
            subscribe(tx, alice, "F", "1")
        withdraw_all(tx, bert, "F")
        products.close_product(tx, "ada", "F", START)
        with pytest.raises(errors.ProductClosed):
            subscribe(tx, alice, "F", "1")
        withdraw_all(tx, carl, "F")


def test_h14_redeeming_is_halted_only_by_a_switch_of_its_own(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        rate(tx, "F", ("0", None, "0.05"))
        alice = fund(tx, "alice", "BTC", "3")
        subscribe(tx, alice, "F", "1")
        halt(tx, "F", "redeeming", "Bank holiday", START)
        with pytest.raises(errors.RedeemingHalted, match="Bank holiday"):
            withdraw_all(tx, alice, "F")
        subscribe(tx, alice, "F", "1")
        halt(tx, "F", "redeeming", None, START)
        withdraw_all(tx, alice, "F")


def test_a_halt_has_a_reason_that_customers_see(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        for reason in ("", "  ", "x" * 301, "two\nlines"):
            with pytest.raises(errors.InvalidChoice):
                halt(tx, "F", "subscribing", reason, START)
        halt(tx, "F", "subscribing", "Network upgrade", START)
        offer = products.show_product(tx, "F", START)
        assert (offer.status, offer.subscribe_halt) == ("halted", "Network upgrade")
        halt(tx, "F", "subscribing", None, START)
        assert products.show_product(tx, "F", START).status == "open"
        draft(tx, FIXED)
        with pytest.raises(errors.WrongState):
            halt(tx, "P", "subscribing", "Reason", START)


def test_a_product_on_sale_cannot_be_retired_even_if_nobody_holds_it(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        with pytest.raises(errors.WrongState, match="closed"):
            products.retire_product(tx, "ada", "F", START)
        assert products.find_product(tx, "F").state == "live"


def test_only_a_closed_product_that_nobody_holds_can_be_retired(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F", changed(FLEXIBLE, quota=None))
        rate(tx, "F", ("0", None, "0.05"))
        alice = fund(tx, "alice", "BTC", "3")
        subscribe(tx, alice, "F", "1")
        with pytest.raises(errors.WrongState):
            products.retire_product(tx, "ada", "F", START)
        products.close_product(tx, "ada", "F", START)
        with pytest.raises(errors.WrongState):
            products.close_product(tx, "ada", "F", START)
        with pytest.raises(errors.WrongState, match="hold"):
            products.retire_product(tx, "ada", "F", START)
        withdraw_all(tx, alice, "F")
        assert products.retire_product(tx, "ada", "F", START).state == "retired"
        with pytest.raises(errors.WrongState):
            products.draft_version(tx, "ada", "F", changed(FLEXIBLE, quota=Decimal(7)), START)
        assert products.show_product(tx, "F", START).status == "retired"
        assert products.list_products(tx, START) == []


@pytest.mark.parametrize(
    ("state", "facts", "status"),
    [
        ("draft", {}, "draft"),
        ("draft", {"subscribe_halt": "x"}, "draft"),
        ("live", {}, "open"),
        ("live", {"opens_at": START}, "open"),
        ("live", {"opens_at": START + timedelta(microseconds=1)}, "scheduled"),
        ("live", {"closes_at": START + timedelta(microseconds=1)}, "open"),
        ("live", {"closes_at": START}, "closed"),
        ("live", {"closes_at": START, "subscribe_halt": "x"}, "closed"),
        ("live", {"subscribe_halt": "x"}, "halted"),
        ("live", {"quota_left": Decimal(1)}, "open"),
        ("live", {"quota_left": Decimal("0.99")}, "sold_out"),
        ("live", {"quota_left": Decimal(0), "opens_at": START + DAY}, "scheduled"),
        ("closed", {}, "closed"),
        ("retired", {}, "retired"),
    ],
)
def test_a_product_is_what_its_state_window_halt_and_quota_say(
    state: str, facts: dict[str, Any], status: str
) -> None:
    usual: dict[str, Any] = {
        "subscribe_halt": None,
        "opens_at": START - DAY,
        "closes_at": None,
        "quota_left": None,
        "amount_min": Decimal(1),
        "now": START,
    }
    assert products.product_status(state, **(usual | facts)) == status

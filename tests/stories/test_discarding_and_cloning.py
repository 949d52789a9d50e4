"""Drafts that come to nothing, and products made out of others: nothing is ever edited or deleted (rules 9 and 10)."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import psycopg
import pytest
from tests.stories.stage import FLEXIBLE, START, on_sale, set_up
from tests.stories.test_products import FIXED

from staddle import desk, errors, products
from staddle.db import Database
from staddle.products import newest_of

DAY = timedelta(days=1)
LARGER = msgspec.structs.replace(FLEXIBLE, quota=Decimal(20))


def test_a_discarded_draft_stays_on_record_and_can_never_be_approved(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        products.draft_version(tx, "ada", "F", LARGER, START)
        products.discard_version(tx, "bob", "F", 2, START + DAY)
        product = products.find_product(tx, "F")
        first, second = products.versions_of(tx, product.product_id)
        assert (second.terms.quota, second.discarded_by, second.discarded_at) == (
            Decimal(20),
            "bob",
            START + DAY,
        )
        assert not second.is_waiting
        assert (product.state, product.version) == ("live", 1)
        assert newest_of([first, second]) == first
        with pytest.raises(errors.WrongState, match="discarded by bob"):
            products.approve_terms(tx, "bob", "F", 2, START + DAY)
        with pytest.raises(errors.WrongState, match="already discarded"):
            products.discard_version(tx, "ada", "F", 2, START + DAY)
        assert desk.read_log(tx, 1)[0].act == "discard_terms"
        # The same terms may be drafted again: as another version, for this one is gone.
        assert products.draft_version(tx, "ada", "F", LARGER, START + DAY).version == 3


def test_what_was_approved_cannot_be_discarded(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        with pytest.raises(errors.WrongState, match="approved"):
            products.discard_version(tx, "ada", "F", 1, START)
        with pytest.raises(errors.ProductNotFound):
            products.discard_version(tx, "ada", "F", 2, START)
        with pytest.raises(errors.OperatorNotFound):
            products.discard_version(tx, "eve", "F", 1, START)


def test_the_database_itself_refuses_to_discard_what_was_approved(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
    with pytest.raises(psycopg.errors.CheckViolation), database.transaction() as tx:
        tx.execute("UPDATE terms SET discarded_by = 'ada', discarded_at = %s", [START])
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction() as tx:
        tx.execute("DELETE FROM terms")


def test_a_product_whose_drafts_are_all_discarded_is_gone_until_it_is_drafted_again(
    database: Database,
) -> None:
    with set_up(database).transaction() as tx:
        products.draft_product(tx, "ada", "F", "BTC", "flexible", "Flexibel", FLEXIBLE, START)
        products.draft_version(tx, "ada", "F", LARGER, START)
        assert products.discard_version(tx, "ada", "F", 1, START).state == "draft"
        assert products.discard_version(tx, "ada", "F", 2, START).state == "discarded"
        assert products.list_products(tx, START, ["draft"]) == []
        assert products.show_product(tx, "F", START).status == "discarded"
        assert products.list_products(tx, START) == []
        with pytest.raises(errors.AlreadyExists, match="another code"):
            products.draft_product(tx, "ada", "F", "USDT", "flexible", "Flexible", FLEXIBLE, START)
        again = products.draft_product(tx, "ada", "F", "BTC", "flexible", "Flexible", FLEXIBLE, START)
        assert again.version == 3
        product = products.find_product(tx, "F")
        assert (product.state, product.name) == ("draft", "Flexible")
        assert products.approve_terms(tx, "bob", "F", 3, START).state == "live"


def test_a_clone_takes_over_the_newest_terms_for_another_code(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "X", msgspec.structs.replace(FIXED, early_redemption="not_allowed"), "fixed")
        made = products.clone_product(tx, "ada", "X", "Y", "BTC", "fixed", "Sixty", {"term_days": 60}, START)
        assert made.terms == msgspec.structs.replace(
            FIXED, early_redemption="not_allowed", term_days=60, rate_policy="locked"
        )
        assert products.find_product(tx, "Y").state == "draft"


def test_a_clone_of_another_kind_takes_over_what_fits(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "X", msgspec.structs.replace(FIXED, at_maturity="renew", payout="at_maturity"), "fixed")
        flexible = products.clone_product(tx, "ada", "X", "F", "BTC", "flexible", "F", {}, START)
        assert (flexible.terms.term_days, flexible.terms.payout, flexible.terms.at_maturity) == (
            None,
            "daily",
            "redeem",
        )
        assert (flexible.terms.rate_policy, flexible.terms.amount_min) == ("floating", FIXED.amount_min)
        with pytest.raises(errors.InvalidTerms, match="term_days"):
            products.clone_product(tx, "ada", "F", "X2", "BTC", "fixed", "X2", {}, START)
        fixed = products.clone_product(tx, "ada", "F", "X2", "BTC", "fixed", "X2", {"term_days": 7}, START)
        assert (fixed.terms.term_days, fixed.terms.rate_policy) == (7, "locked")


def test_a_clone_for_another_coin_fits_its_decimals_and_its_products(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        moves = msgspec.structs.replace(
            FIXED, at_maturity="to_flexible", flexible_product="F", step=Decimal("1e-7")
        )
        on_sale(tx, "X", moves, "fixed")
        with pytest.raises(errors.InvalidTerms, match="USDT has 6 decimals"):
            products.clone_product(tx, "ada", "X", "Y", "USDT", "fixed", "Y", {}, START)
        made = products.clone_product(tx, "ada", "X", "Y", "USDT", "fixed", "Y", {"step": "1"}, START)
        assert (made.terms.at_maturity, made.terms.flexible_product) == ("redeem", None)


def test_a_clone_opens_now_where_the_sale_it_is_made_of_has_begun(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "X", msgspec.structs.replace(FIXED, closes_at=START + DAY), "fixed")
        later = START + 2 * DAY
        assert products.cloned_terms(tx, "X", "BTC", "fixed", later).opens_at == later
        assert products.cloned_terms(tx, "X", "BTC", "fixed", later).closes_at is None
        assert products.cloned_terms(tx, "X", "BTC", "fixed", START - DAY).opens_at == START

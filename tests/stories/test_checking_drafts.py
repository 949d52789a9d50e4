"""A draft is looked over before it is one: every problem at once, by its field, in the words of drafting it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.stories.stage import FLEXIBLE, START, on_sale, set_up
from tests.stories.test_products import FIXED, WRONG_TERMS

from staddle import errors, ledger, products
from staddle.db import Database, Tx
from staddle.products import DraftCheck

GOOD = {"amount_min": "10", "step": "0.5", "term_days": "30"}


def check(tx: Tx, asset: str = "BTC", kind: str = "fixed", **fields: Any) -> DraftCheck:
    return products.check_draft(tx, "NEW", asset, kind, "New", {**GOOD, **fields}, START)


def problems(checked: DraftCheck) -> dict[str, str]:
    return {problem.field: problem.reason for problem in checked.problems}


def test_a_draft_without_a_problem_can_be_drafted_as_it_was_read(database: Database) -> None:
    with set_up(database).transaction() as tx:
        checked = check(tx, quota="1000", countries_excluded="US, KP", closes_at="2026-03-01T00:00:00Z")
        assert checked.is_sound
        made = products.draft_product(tx, "ada", "NEW", "BTC", "fixed", "New", checked.terms, START)
        assert made.terms == checked.terms
    assert (made.terms.quota, made.terms.countries_excluded) == (Decimal(1000), ("US", "KP"))
    assert (made.terms.opens_at, made.terms.rate_policy) == (START, "locked")


def test_every_problem_is_said_at_once(database: Database) -> None:
    with set_up(database).transaction() as tx:
        found = products.check_draft(
            tx,
            "new product",
            "DOGE",
            "daily",
            "",
            {"amount_min": "ten", "opens_at": "tomorrow", "vip_level_min": "-1", "payout": "weekly", "colour": "red"},
            START,
        )  # fmt: skip
    said = problems(found)
    assert set(said) == {
        "code", "asset", "kind", "name", "amount_min", "step", "opens_at", "vip_level_min", "payout", "colour",
    }  # fmt: skip
    assert said["amount_min"] == "'ten' is not a plain decimal number such as 12.5"
    assert said["step"] == "it must be given"
    assert said["payout"] == "it is one of daily, at_maturity"
    assert said["vip_level_min"] == "it is not a whole number"
    assert said["kind"] == "A product is flexible or fixed"
    assert "no coin" in said["asset"] or "DOGE" in said["asset"]


def test_the_problems_are_those_that_drafting_refuses_in_the_same_words(database: Database) -> None:
    with set_up(database).transaction() as tx:
        products.draft_product(tx, "ada", "BTC-FLEX", "BTC", "flexible", "Flexible", FLEXIBLE, START)
        products.draft_product(tx, "ada", "FIXED", "BTC", "fixed", "Fixed", FIXED, START)
        on_sale(tx, "USDT-FLEX", msgspec.structs.replace(FLEXIBLE, quota=None), asset="USDT")
        for terms, fields, field in WRONG_TERMS:
            changed = msgspec.structs.replace(terms, **fields)
            kind = "flexible" if terms is FLEXIBLE else "fixed"
            with pytest.raises(errors.InvalidTerms) as caught:
                products.draft_product(tx, "ada", "NEW", "BTC", kind, "New", changed, START)
            written = {name: written_as(each) for name, each in msgspec.structs.asdict(changed).items()}
            found = products.check_draft(tx, "NEW", "BTC", kind, "New", written, START)
            assert not found.is_sound, fields
            if can_be_read(written):
                assert field in problems(found), fields
                assert caught.value.message in {problem.message for problem in found.problems}, fields
        assert products.show_product(tx, "FIXED", START).status == "draft"


def can_be_read(written: dict[str, Any]) -> bool:
    """Whether an edge would hand these terms on at all."""
    try:
        products.make_terms({}, written)
    except errors.Invalid:
        return False
    return True


def written_as(value: Any) -> Any:
    """A term as an edge hands it on: amounts in plain digits, instants as text."""
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def test_nothing_is_said_about_a_field_that_speaks_of_one_which_cannot_be_read(database: Database) -> None:
    with set_up(database).transaction() as tx:
        assert problems(check(tx, amount_min="much", amount_max="1")) == {
            "amount_min": "'much' is not a plain decimal number such as 12.5"
        }
        assert set(problems(check(tx, kind="", term_days=None))) == {"kind"}
        assert set(
            problems(check(tx, asset="", amount_min="0.000000000000000001", step="0.000000000000000001"))
        ) == {"asset"}
        assert set(problems(check(tx, opens_at="soon", closes_at="2020-01-01"))) == {"opens_at"}


def test_a_code_that_is_taken_is_said_unless_all_under_it_was_discarded(database: Database) -> None:
    with set_up(database).transaction() as tx:
        products.draft_product(tx, "ada", "NEW", "BTC", "fixed", "New", FIXED, START)
        assert problems(check(tx)) == {"code": "The product NEW already exists"}
        products.discard_version(tx, "ada", "NEW", 1, START)
        assert check(tx).is_sound


def test_new_terms_of_a_product_are_looked_over_for_its_own_coin_and_kind(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        fields = {"amount_min": "0.001", "step": "0.001", "opens_at": "2026-02-01"}
        assert products.check_version(tx, "F", fields, START).is_sound
        found = products.check_version(tx, "F", {**fields, "term_days": "30", "step": "0.000000001"}, START)
        assert set(problems(found)) == {"term_days", "step"}
        products.close_product(tx, "ada", "F", START + timedelta(days=1))
        assert set(problems(products.check_version(tx, "F", fields, START))) == {"code"}
        with pytest.raises(errors.ProductNotFound):
            products.check_version(tx, "G", fields, START)


def test_what_customers_would_see_needs_no_product(database: Database) -> None:
    with set_up(database).transaction() as tx:
        checked = check(tx, quota="1000", personal_cap="100", opens_at="2026-02-01T00:00:00Z")
        btc = ledger.find_asset(tx, "BTC")
    tiers = [
        products.Tier(Decimal(0), Decimal(10), Decimal("0.05")),
        products.Tier(Decimal(10), None, Decimal("0.01")),
    ]
    offer = products.offer_of_terms("NEW", "New", "fixed", btc, checked.terms, tiers, START)
    assert offer.status == "scheduled"
    assert offer.rate is not None
    assert (offer.rate.headline_apr, offer.rate.is_up_to, offer.can_change) == (Decimal("0.05"), True, False)
    assert (offer.quota_left, offer.quota_used) == (Decimal(1000), Decimal(0))
    assert products.offer_of_terms("NEW", "New", "fixed", btc, checked.terms, [], START).rate is None

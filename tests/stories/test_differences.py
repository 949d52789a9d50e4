"""How two versions of terms differ: what a second person reads before it is in force (rules 8 and 10)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.stories import stage
from tests.stories.stage import START, on_sale, set_up

from staddle import errors, products
from staddle.db import Database
from staddle.products import Terms, differences
from staddle.products.differences import WORDS

OPENS = datetime(2026, 3, 1, tzinfo=UTC)
FLEXIBLE = Terms(
    amount_min=Decimal("0.00100000"),
    step=Decimal("0.001"),
    opens_at=OPENS,
    quota=Decimal("1E+3"),
    rate_policy="floating",
)
FIXED = Terms(
    amount_min=Decimal(10),
    step=Decimal(1),
    opens_at=OPENS,
    term_days=30,
    rate_policy="locked",
    personal_cap=Decimal(500),
)


def said(before: Terms | None, after: Terms) -> list[tuple[str, str | None, str | None]]:
    return [(each.field, each.before, each.after) for each in differences(before, after)]


def test_terms_that_say_the_same_do_not_differ_however_their_zeros_are_written() -> None:
    again = msgspec.structs.replace(FLEXIBLE, amount_min=Decimal("0.001"), quota=Decimal(1000))
    assert differences(FLEXIBLE, again) == []


def test_a_first_version_says_all_that_means_something_for_its_kind() -> None:
    assert said(None, FLEXIBLE) == [
        ("amount_min", None, "0.001"),
        ("amount_max", None, "without limit"),
        ("step", None, "0.001"),
        ("personal_cap", None, "without limit"),
        ("quota", None, "1000"),
        ("opens_at", None, "2026-03-01 00:00:00 UTC"),
        ("closes_at", None, "without end"),
        ("new_customer_days", None, "everybody"),
        ("vip_level_min", None, "any"),
        ("countries_allowed", None, "everywhere"),
        ("countries_excluded", None, "none"),
        ("rate_policy", None, "floating: follows revisions"),
    ]
    fixed = {field: after for field, _, after in said(None, FIXED)}
    assert fixed["term_days"] == "30 days"
    assert (fixed["payout"], fixed["early_redemption"], fixed["at_maturity"]) == (
        "daily",
        "forfeit all rewards",
        "redeem",
    )
    assert "kept_fraction" not in fixed


CHANGES: list[tuple[Terms, dict[str, Any], list[tuple[str, str, str]]]] = [
    (FIXED, {"term_days": 1}, [("term_days", "30 days", "1 day")]),
    (FIXED, {"amount_max": Decimal("1234567.50")}, [("amount_max", "without limit", "1234567.5")]),
    (FIXED, {"personal_cap": None}, [("personal_cap", "500", "without limit")]),
    (FLEXIBLE, {"quota": Decimal(0)}, [("quota", "1000", "0")]),
    (FIXED, {"closes_at": OPENS.replace(month=4)}, [("closes_at", "without end", "2026-04-01 00:00:00 UTC")]),
    (FIXED, {"new_customer_days": 30}, [("new_customer_days", "everybody", "joined less than 30 days ago")]),
    (FIXED, {"vip_level_min": 3}, [("vip_level_min", "any", "3 and above")]),
    (FIXED, {"countries_allowed": ("DE", "FR")}, [("countries_allowed", "everywhere", "DE, FR")]),
    (
        FIXED,
        {"early_redemption": "reduced_apr", "reduced_apr": Decimal("0.005"), "reduced_apr_days_min": 7},
        [
            ("early_redemption", "forfeit all rewards", "rewards at a reduced APR"),
            ("reduced_apr", "none", "0.5 %"),
            ("reduced_apr_days_min", "none", "7 days"),
        ],
    ),
    (
        FIXED,
        {"at_maturity": "to_flexible", "flexible_product": "F"},
        [("at_maturity", "redeem", "to the flexible product"), ("flexible_product", "none", "F")],
    ),
    (
        FIXED,
        {"rate_policy": "floating"},
        [("rate_policy", "locked: the APR at subscription holds to maturity", "floating: follows revisions")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "changed", "expected"), CHANGES)
def test_every_change_is_said_once_and_nothing_else(
    terms: Terms, changed: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert said(terms, msgspec.structs.replace(terms, **changed)) == expected


def test_differences_stand_in_the_order_of_the_rule() -> None:
    every = msgspec.structs.replace(
        FIXED,
        at_maturity="renew",
        quota=Decimal(1),
        amount_min=Decimal(2),
        term_days=60,
        payout="at_maturity",
    )
    assert [field for field, _, _ in said(FIXED, every)] == [
        "term_days",
        "amount_min",
        "quota",
        "payout",
        "at_maturity",
    ]


def test_every_field_of_the_terms_has_its_words() -> None:
    assert set(WORDS) == set(Terms.__struct_fields__)


def test_a_version_is_laid_beside_what_was_in_force_before_it(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        for quota in (20, 30, 40):
            terms = msgspec.structs.replace(stage.FLEXIBLE, quota=Decimal(quota))
            products.draft_version(tx, "ada", "F", terms, START)
        products.approve_terms(tx, "bob", "F", 3, START)

        def of_quota_in(version: int, before: int | None = None) -> tuple[int | None, str | None, str | None]:
            than, found = products.version_differences(tx, "F", version, before)
            [line] = [each for each in found if each.field == "quota"]
            return than, line.before, line.after

        assert of_quota_in(1) == (None, None, "10")
        assert of_quota_in(3) == (1, "10", "30"), "version 2 was never in force"
        assert of_quota_in(4) == (3, "30", "40"), "a draft is held against what is in force"
        assert of_quota_in(2) == (3, "30", "20")
        assert of_quota_in(4, 2) == (2, "20", "40")
        products.approve_terms(tx, "bob", "F", 4, START)
        assert of_quota_in(4) == (3, "30", "40"), "the last one in force before it, not the first"
        assert products.terms_in_force(tx, "F") == products.versions_of(tx, 1)[3].terms
        for version, before in ((5, None), (1, 9)):
            with pytest.raises(errors.ProductNotFound):
                products.version_differences(tx, "F", version, before)

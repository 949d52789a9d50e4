"""What comes: openings, closings and rates, each at its instant, and what would come if somebody approved it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.stories.stage import FLEXIBLE, START, on_sale, rate, set_up

from staddle import errors, products
from staddle.db import Database, Tx

DAY = timedelta(days=1)


def coming(tx: Tx, days: int = 30, after: timedelta = timedelta(0)) -> list[tuple[int, str, str]]:
    found = products.schedule(tx, START + after, days)
    return [((each.at - START) // DAY, each.what, each.product) for each in found]


def terms(**fields: Any) -> products.Terms:
    return msgspec.structs.replace(FLEXIBLE, **fields)


def test_what_comes_is_told_in_the_order_of_its_instants(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "OPEN", terms(closes_at=START + 5 * DAY))
        on_sale(tx, "LATER", terms(opens_at=START + 3 * DAY, closes_at=START + 40 * DAY))
        rate(tx, "OPEN", ("0", None, "0.05"))
        rate(tx, "OPEN", ("0", "1", "0.08"), ("1", None, "0.01"), at=START + 4 * DAY)
        assert coming(tx) == [(3, "opens", "LATER"), (4, "rate", "OPEN"), (5, "closes", "OPEN")]
        assert coming(tx, 40)[-1] == (40, "closes", "LATER")
        change = products.schedule(tx, START, 30)[1]
        assert (change.headline_before, change.headline_apr) == (Decimal("0.05"), Decimal("0.08"))
        assert (change.revision, change.version) == (2, None)


def test_what_has_happened_comes_no_more(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F", terms(opens_at=START + DAY))
        assert coming(tx) == [(1, "opens", "F")]
        assert coming(tx, after=DAY) == []


def test_a_version_opens_later_once_approved_and_would_open_while_it_waits(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        products.draft_version(tx, "ada", "F", terms(opens_at=START + 7 * DAY, quota=Decimal(99)), START)
        assert coming(tx) == [(7, "would_open", "F")]
        products.approve_terms(tx, "bob", "F", 2, START)
        assert coming(tx) == [(7, "opens", "F")]
        assert products.schedule(tx, START, 30)[0].version == 2


def test_what_was_discarded_closed_or_passed_by_does_not_come(database: Database) -> None:
    with set_up(database).transaction() as tx:
        on_sale(tx, "F")
        products.draft_version(tx, "ada", "F", terms(opens_at=START + 7 * DAY), START)
        products.discard_version(tx, "ada", "F", 2, START)
        assert coming(tx) == []
        products.draft_version(tx, "ada", "F", terms(opens_at=START + 8 * DAY), START)
        products.draft_version(tx, "ada", "F", terms(closes_at=START + 9 * DAY), START)
        products.approve_terms(tx, "bob", "F", 4, START)
        assert coming(tx) == [(9, "closes", "F")]
        products.close_product(tx, "ada", "F", START)
        assert coming(tx) == []


def test_a_schedule_is_for_a_number_of_days_that_there_are(database: Database) -> None:
    with set_up(database).transaction() as tx:
        for days in (0, -1, 3651):
            with pytest.raises(errors.InvalidChoice):
                products.schedule(tx, START, days)

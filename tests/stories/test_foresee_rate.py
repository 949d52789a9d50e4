"""Rules 10 and 31: what a new rate changes is known before anybody asks for it, and is then what happens."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.living import Living

from staddle import errors, treasury
from staddle.db import Database
from staddle.products import Tier
from staddle.treasury import RateEffect, Runway

D = Decimal
BANDS = (("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003"))
NEW = (("0", "700", "0.10"), ("700", None, "0.005"))


def foresee(
    living: Living, code: str, *bands: tuple[str, str | None, str], days: int = 1, now: bool = False
) -> RateEffect:
    tiers = [Tier(D(low), None if high is None else D(high), D(apr)) for low, high, apr in bands]
    at = None if now else living.now + timedelta(days=days)
    with living.database.transaction() as tx:
        return treasury.foresee_rate(tx, code, tiers, at, living.now)


def pool(living: Living, asset: str = "USDT") -> Runway:
    with living.database.transaction() as tx:
        return {each.asset: each for each in treasury.runway(tx, living.now)}[asset]


def test_what_a_revision_is_foreseen_to_cost_is_what_a_day_costs_once_it_is_in_force(
    database: Database,
) -> None:
    living = Living(database)
    living.asset("USDT", pool=D("1000"))
    living.product("FLEX", "USDT", bands=BANDS)
    living.product("OTHER", "USDT", apr="0.05")
    anna, ben = living.customer("anna", USDT="20000"), living.customer("ben", USDT="1000")
    for amount in ("450.5", "300", "6000.00000001"):  # the second and third cross bounds, old and new
        living.subscribe(anna, "FLEX", amount)
    living.subscribe(ben, "FLEX", "500")
    living.subscribe(ben, "OTHER", "100")
    effect = foresee(living, "FLEX", *NEW)
    assert (effect.customers, effect.positions) == (2, 4)
    assert effect.principal == D("7250.50000001")
    assert effect.day_basis_after == 700 * D("0.1") + D("6050.50000001") * D("0.005") + 500 * D("0.1")
    assert pool(living).day_basis == EXACT_BEFORE + 100 * D("0.05")
    assert effect.day_basis_before == EXACT_BEFORE
    assert effect.days_left_before == pool(living).days_left
    assert (effect.headline_before, effect.headline_after) == (D("0.12"), D("0.10"))
    assert (effect.is_up_to_before, effect.is_up_to_after) == (True, True)
    assert (effect.locked, effect.is_locked) == (None, False)

    living.revise("FLEX", None, NEW, at=living.now + timedelta(days=1))
    living.passes(days=1)
    lived = pool(living)
    assert lived.cost_per_day == effect.asset_cost_per_day_after
    assert lived.day_basis == effect.day_basis_after + 100 * D("0.05")
    assert lived.days_left == effect.days_left_after


EXACT_BEFORE = (
    500 * D("0.12")
    + 4500 * D("0.008")
    + D("1750.50000001") * D("0.003")  # anna's 6750.50000001
    + 500 * D("0.12")
)


def test_positions_that_keep_their_rate_are_not_touched_and_cost_what_they_then_cost(
    database: Database,
) -> None:
    living = Living(database)
    living.asset("USDT", pool=D("1000"))
    living.product("FIX", "USDT", apr="0.1", term_days=30)  # locked, as fixed products are by default
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FIX", "365")
    living.passes(days=10)
    living.catch_up()
    effect = foresee(living, "FIX", ("0", None, "0.2"))
    assert effect.is_locked
    assert (effect.customers, effect.principal, effect.day_basis_before) == (0, D(0), D(0))
    assert effect.days_left_before == effect.days_left_after
    assert effect.locked is not None
    assert (effect.locked.positions, effect.locked.principal) == (1, D(365))
    assert effect.locked.cost_per_day == D("0.1")
    paid = living.funding(anna, "USDT")
    living.revise("FIX", "0.2", at=living.now + timedelta(days=1))
    living.comes(effect.locked.last_matures_at)
    living.catch_up()
    living.passes(days=1)
    living.catch_up()
    assert living.earn(anna, "USDT") == 0
    assert living.funding(anna, "USDT") - paid - 365 == effect.locked.cost_to_end == D("2.1")


def test_only_positions_that_are_open_when_it_takes_effect_are_touched(database: Database) -> None:
    living = Living(database)
    living.asset("USDT", pool=D("1000"))
    living.product("FLOAT", "USDT", apr="0.1", term_days=30, rate_policy="floating")
    anna, ben = living.customer("anna", USDT="1000"), living.customer("ben", USDT="1000")
    living.subscribe(anna, "FLOAT", "100")
    living.passes(days=20)
    living.subscribe(anna, "FLOAT", "200")
    living.subscribe(ben, "FLOAT", "400")
    living.new_terms("FLOAT", rate_policy="locked")
    living.subscribe(ben, "FLOAT", "300")
    effect = foresee(living, "FLOAT", ("0", None, "0.2"), days=10)
    assert (effect.customers, effect.positions, effect.principal) == (2, 2, D(600))
    assert effect.locked is not None
    assert effect.locked.principal == 300
    soon = foresee(living, "FLOAT", ("0", None, "0.2"), days=9)
    assert (soon.customers, soon.positions, soon.principal) == (2, 3, D(700))
    assert soon.day_basis_after == D(140)
    assert soon.asset_cost_per_day_before == pool(living).cost_per_day


def test_a_first_rate_is_foreseen_and_nonsense_is_refused_as_when_it_is_proposed(database: Database) -> None:
    living = Living(database)
    living.product("NEW", "USDT")
    effect = foresee(living, "NEW", ("0", None, "0.2"), now=True)
    assert (effect.headline_before, effect.headline_after, effect.customers) == (None, D("0.2"), 0)
    assert (effect.days_left_before, effect.days_left_after) == (None, None)
    living.revise("NEW", "0.2", at=None)
    with pytest.raises(errors.NeverBackdated):
        foresee(living, "NEW", ("0", None, "0.2"), days=-1)
    with pytest.raises(errors.InvalidRate):
        foresee(living, "NEW", ("0", "5", "0.2"))
    with pytest.raises(errors.ProductNotFound):
        foresee(living, "NONE", ("0", None, "0.2"))

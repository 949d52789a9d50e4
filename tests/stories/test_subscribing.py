"""Rules 12 to 15: preview, checks, first come first served, idempotency."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.living import START, Living, assert_audited, assert_books_hold, halt

from staddle import customers, errors, products
from staddle.db import Database
from staddle.positions import Redeem, Subscribe, preview, redeem

D = Decimal


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08", amount_min="10", step="5")
    return living


def everything(living: Living) -> dict[str, list[Any]]:
    """Every row of every table that an act could have written to."""
    tables = ("transfer", "balance", "position", "quota", "request", "notice", "consent", "cell", "quote")
    return {table: living.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}


# Rule 12


def test_a_preview_says_what_subscribing_would_answer_and_writes_nothing(living: Living) -> None:
    bands = [("0", "500", "0.12"), ("500", None, "0.01")]
    living.product("SHELF", "USDT", bands=bands, quota="1000", personal_cap="900", term_days=30)
    anna = living.customer("anna", USDT="800")
    living.subscribe(anna, "SHELF", "400")
    command = living.subscription(anna, "SHELF", "200")
    before = everything(living)
    with living.database.transaction() as tx:
        previewed = preview(tx, [command], living.now)[0].unwrap()
    assert everything(living) == before
    answer = living.subscribe_all([command])[0].unwrap()
    assert previewed == type(answer)(
        **{name: getattr(answer, name) for name in answer.__struct_fields__} | {"position_id": 0}
    )
    assert answer.started_at == START
    assert answer.first_day_ends_at == START + timedelta(days=1)
    assert answer.next_payout_at == START.replace(day=24, hour=0, minute=0)
    assert answer.matures_at == START + timedelta(days=30)
    assert answer.blended_apr == D("0.065")  # the upper half of 400..600 lies above 500
    assert answer.daily_estimate == D("0.03561643")
    assert (answer.quota_left, answer.personal_quota_left) == (D(400), D(300))
    assert answer.early_redemption == "forfeit_all"


def test_a_preview_refuses_what_subscribing_refuses(living: Living) -> None:
    anna = living.customer("anna", USDT="20")
    with pytest.raises(errors.InsufficientFunds):
        living.preview(anna, "FLEX", "25")
    with pytest.raises(errors.BelowMinimum):
        living.preview(anna, "FLEX", "5")


def test_previews_in_one_list_see_what_those_before_them_would_take(living: Living) -> None:
    living.product("LAST", "USDT", apr="0.1", quota="100")
    anna = living.customer("anna", USDT="1000")
    commands = [living.subscription(anna, "LAST", amount) for amount in ("60", "60", "40")]
    with living.database.transaction() as tx:
        outcomes = preview(tx, commands, living.now)
    assert [None if o.error is None else o.error.code() for o in outcomes] == [None, "quota_full", None]


# Rule 13: each check has its own error


def refused(living: Living, customer: int, product: str = "FLEX", amount: str = "100", **fields: Any) -> str:
    """Subscribe, expecting a refusal; gives its code, and proves that nothing moved."""
    before = {table: rows for table, rows in everything(living).items() if table != "request"}
    outcome = living.subscribe_all([living.subscription(customer, product, amount, **fields)])[0]
    after = {table: rows for table, rows in everything(living).items() if table != "request"}
    assert after == before
    assert outcome.error is not None
    return outcome.error.code()


def test_each_thing_wrong_with_the_amount_has_its_own_refusal(living: Living) -> None:
    living.product(
        "TIGHT",
        "USDT",
        apr="0.1",
        amount_min="10",
        step="5",
        amount_max="100",
        personal_cap="150",
        quota="300",
    )
    anna = living.customer("anna", USDT="120")
    bert = living.customer("bert", USDT="1000")
    assert refused(living, anna, amount="10.000000001") == "too_many_decimals"
    assert refused(living, anna, "TIGHT", "5") == "below_minimum"
    assert refused(living, anna, "TIGHT", "105") == "above_maximum"
    assert refused(living, anna, "TIGHT", "12") == "not_a_multiple_of_step"
    living.subscribe(anna, "TIGHT", "100")
    assert refused(living, anna, "TIGHT", "55") == "personal_cap_reached"
    assert refused(living, anna, "TIGHT", "50") == "insufficient_funds"
    living.subscribe(bert, "TIGHT", "100")
    cleo = living.customer("cleo", USDT="1000")
    living.subscribe(cleo, "TIGHT", "60")
    assert refused(living, cleo, "TIGHT", "45") == "quota_full"
    living.subscribe(cleo, "TIGHT", "40")
    assert living.quota_used("TIGHT") == 300
    assert refused(living, living.customer("dora", USDT="1000"), "TIGHT", "10") == "quota_full"


@pytest.mark.parametrize("amount", [D(0), D(-10), D("NaN"), D("Infinity"), D("1E+40")])
def test_what_is_no_amount_is_refused_and_never_fails_its_neighbours(living: Living, amount: Decimal) -> None:
    anna = living.customer("anna", USDT="100")
    wrong = Subscribe(customer_id=anna, key="w", product="FLEX", amount=amount, agreement_version=1)
    outcomes = living.subscribe_all([wrong, living.subscription(anna, "FLEX", "10")])
    assert isinstance(outcomes[0].error, errors.InvalidAmount)
    assert outcomes[1].unwrap().amount == 10


def test_who_or_what_is_not_there_is_not_found_and_never_fails_its_neighbours(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    commands = [
        living.subscription(anna, "NOTHING", "10"),
        living.subscription(anna, "BAD\x00CODE", "10"),
        living.subscription(anna + 256, "FLEX", "10"),
        living.subscription(2**60 + 1, "FLEX", "10"),
        living.subscription(-5, "FLEX", "10"),
        living.subscription(anna, "FLEX", "10", key="no\x00key"),
        living.subscription(anna, "FLEX", "10", key=""),
        living.subscription(anna, "FLEX", "10", key="k" * 201),
        living.subscription(anna, "FLEX", "10"),
    ]
    outcomes = living.subscribe_all(commands)
    assert [None if o.error is None else o.error.code() for o in outcomes] == [
        *("product_not_found", "product_not_found", "customer_not_found", "customer_not_found"),
        *("customer_not_found", "invalid_key", "invalid_key", "invalid_key", None),
    ]


def test_the_product_must_be_open(living: Living) -> None:
    anna = living.customer("anna", USDT="1000")
    with living.database.transaction() as tx:
        terms = products.Terms(amount_min=D(1), step=D(1), opens_at=living.now)
        products.draft_product(tx, "ada", "DRAFT", "USDT", "flexible", "Draft", terms, living.now)
    assert refused(living, anna, "DRAFT") == "product_not_open"
    opens, closes = living.now + timedelta(hours=1), living.now + timedelta(hours=2)
    living.product("WINDOW", "USDT", apr="0.1", opens_at=opens, closes_at=closes)
    assert refused(living, anna, "WINDOW") == "product_not_yet_open"
    living.comes(opens - timedelta(microseconds=1))
    assert refused(living, anna, "WINDOW") == "product_not_yet_open"
    living.comes(opens)
    living.subscribe(anna, "WINDOW", "1")
    living.comes(closes - timedelta(microseconds=1))
    living.subscribe(anna, "WINDOW", "1")
    living.comes(closes)
    assert refused(living, anna, "WINDOW") == "product_closed"
    with living.database.transaction() as tx:
        halt(tx, "FLEX", "subscribing", "We are moving house", living.now)
    with pytest.raises(errors.SubscribingHalted, match="We are moving house"):
        living.subscribe(anna, "FLEX", "10")
    with living.database.transaction() as tx:
        halt(tx, "FLEX", "subscribing", None, living.now)
        products.close_product(tx, "ada", "FLEX", living.now)
    assert refused(living, anna) == "product_closed"


def test_the_product_must_be_offered_to_the_customer(living: Living) -> None:
    living.product(
        "CLUB",
        "USDT",
        apr="0.1",
        vip_level_min=2,
        countries_allowed=("DE", "FR"),
        countries_excluded=("FR",),
        new_customer_days=7,
    )
    assert refused(living, living.customer("nowhere", vip_level=5), "CLUB") == "country_not_served"
    assert (
        refused(living, living.customer("elsewhere", country="GB", vip_level=5), "CLUB")
        == "country_not_served"
    )
    assert (
        refused(living, living.customer("excluded", country="FR", vip_level=5), "CLUB")
        == "country_not_served"
    )
    assert (
        refused(living, living.customer("simple", country="DE", vip_level=1), "CLUB") == "vip_level_too_low"
    )
    week = living.now - timedelta(days=7)
    old = living.customer("old", country="DE", vip_level=2, joined_at=week)
    assert refused(living, old, "CLUB") == "new_customers_only"
    new = living.customer("new", country="DE", vip_level=2, joined_at=week + timedelta(seconds=1), USDT="5")
    assert living.subscribe(new, "CLUB", "5")


def test_the_agreement_in_force_must_be_accepted_in_this_request_and_consent_is_kept(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    assert refused(living, anna, agreement_version=None) == "agreement_not_accepted"
    living.subscribe(anna, "FLEX", "10", accepted_from="192.0.2.7")
    with living.database.transaction() as tx:
        living.agreement = customers.publish_agreement(tx, "bob", "Staking", "New words.", living.now)
    assert refused(living, anna, agreement_version=1) == "agreement_outdated"
    living.passes(hours=1)
    living.subscribe(anna, "FLEX", "10", accepted_from="192.0.2.8")
    with living.database.transaction() as tx:
        consents = customers.consents_of(tx, anna)
    assert [(c.version, c.accepted_at, c.accepted_from) for c in consents] == [
        (1, START, "192.0.2.7"),
        (2, START + timedelta(hours=1), "192.0.2.8"),
    ]


def test_there_must_be_a_rate_and_it_must_be_the_one_that_was_shown(living: Living) -> None:
    living.product("BARE", "USDT")
    anna = living.customer("anna", USDT="100")
    assert refused(living, anna, "BARE") == "no_rate"
    living.revise("FLEX", "0.02", at=living.now + timedelta(hours=1))
    living.subscribe(anna, "FLEX", "10", revision_seen=1)
    living.passes(hours=1)
    assert refused(living, anna, revision_seen=1) == "rate_changed"
    living.subscribe(anna, "FLEX", "10", revision_seen=2)


def test_choices_that_are_not_on_offer_are_refused(living: Living) -> None:
    living.product("FIXED", "USDT", apr="0.1", term_days=7)
    anna = living.customer("anna", USDT="100")
    assert refused(living, anna, at_maturity="renew") == "not_a_fixed_position"
    assert refused(living, anna, "FIXED", at_maturity="to_flexible") == "invalid_choice"
    assert refused(living, anna, "FIXED", at_maturity="keep") == "invalid_choice"
    assert refused(living, anna, source="earn") == "invalid_choice"
    assert refused(living, anna, redeem_to="earn") == "invalid_choice"


# Rule 14


def test_first_come_is_first_served_within_a_list_and_one_refusal_never_fails_its_neighbours(
    living: Living,
) -> None:
    living.product("LAST", "USDT", apr="0.1", quota="100")
    people = [living.customer(f"customer {n}", USDT="80") for n in range(4)]
    outcomes = living.subscribe_all(
        [
            living.subscription(person, "LAST", amount)
            for person, amount in zip(people, ("70", "40", "20", "10"), strict=True)
        ]
    )
    assert [None if o.error is None else o.error.code() for o in outcomes] == [None, "quota_full", None, None]
    assert isinstance(outcomes[1].error, errors.QuotaFull)
    assert outcomes[1].error.details == {"left": "30"}
    assert living.quota_used("LAST") == 100
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_from_both_accounts_spot_pays_first_and_the_books_hold(living: Living) -> None:
    anna = living.customer("anna", USDT="30")
    living.deposit(anna, "USDT", "40", "funding")
    both = [living.subscription(anna, "FLEX", amount, source="both") for amount in ("20", "25", "30", "25")]
    outcomes = living.subscribe_all(both)
    assert [type(outcome.error) for outcome in outcomes] == [
        type(None), type(None), errors.InsufficientFunds, type(None),
    ]  # fmt: skip
    assert living.spot(anna, "USDT") == living.funding(anna, "USDT") == 0
    paid = living.rows(
        "SELECT position_id, count(DISTINCT act_id) AS acts,"
        " array_agg(account_kind(debit_account) || ':' || amount::int ORDER BY transfer_id) AS parts"
        " FROM transfer WHERE kind = 'subscription' GROUP BY 1 ORDER BY 1"
    )
    assert [(row.parts, row.acts) for row in paid] == [(["1:20"], 1), (["1:10", "2:15"], 1), (["2:25"], 1)]
    assert_audited(living.database)


def test_one_customers_commands_in_a_list_share_balance_cap_and_tiers(living: Living) -> None:
    living.product("CAPPED", "USDT", bands=[("0", "50", "0.1"), ("50", None, "0.01")], personal_cap="90")
    anna = living.customer("anna", USDT="100")
    outcomes = living.subscribe_all(
        [living.subscription(anna, "CAPPED", amount) for amount in ("50", "40", "1")]
    )
    assert [o.answer.blended_apr if o.answer else None for o in outcomes] == [D("0.1"), D("0.01"), None]
    assert isinstance(outcomes[2].error, errors.PersonalCapReached)
    assert isinstance(
        living.subscribe_all([living.subscription(anna, "FLEX", "15")])[0].error, errors.InsufficientFunds
    )


def test_a_quota_released_by_a_redemption_can_be_sold_again_to_the_last_unit(living: Living) -> None:
    living.product("LAST", "USDT", apr="0.1", quota="100")
    anna, bert = living.customer("anna", USDT="100"), living.customer("bert", USDT="100")
    living.subscribe(anna, "LAST", "100")
    assert refused(living, bert, "LAST", "0.00000001") == "quota_full"
    living.redeem(anna, "LAST", "0.00000001")
    living.subscribe(bert, "LAST", "0.00000001")
    assert living.quota_used("LAST") == 100


def test_a_quota_lowered_below_what_is_sold_sells_nothing_and_redemptions_do_not_reopen_it(
    living: Living,
) -> None:
    living.product("LAST", "USDT", apr="0.1", quota="100")
    anna, bert = living.customer("anna", USDT="100"), living.customer("bert", USDT="100")
    living.subscribe(anna, "LAST", "100")
    living.new_terms("LAST", quota=D(60))
    assert refused(living, bert, "LAST", "1") == "quota_full"
    living.redeem(anna, "LAST", "30")
    assert refused(living, bert, "LAST", "1") == "quota_full"
    living.redeem(anna, "LAST", "20")
    living.subscribe(bert, "LAST", "10")
    assert refused(living, bert, "LAST", "0.00000001") == "quota_full"


def test_a_rush_for_a_quota_is_never_oversold_and_never_undersold(living: Living) -> None:
    living.product("RUSH", "USDT", apr="0.1", quota="100")
    people = [living.customer(f"customer {n}", USDT="10") for n in range(16)]
    commands = [living.subscription(person, "RUSH", "7") for person in people]

    def one(command: Subscribe) -> str:
        outcome = living.subscribe_all([command])[0]
        return "ok" if outcome.error is None else outcome.error.code()

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(one, commands))
    assert sorted(codes) == ["ok"] * 14 + ["quota_full"] * 2
    assert living.quota_used("RUSH") == 98
    with living.database.transaction() as tx:
        assert_books_hold(tx)


# Rule 15


def test_the_same_key_and_body_gets_the_stored_answer_for_ever(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    command = living.subscription(anna, "FLEX", "10")
    first = living.subscribe_all([command])[0]
    before = everything(living)
    living.passes(days=4000)
    again = living.subscribe_all([command])[0]
    assert (again.is_replay, again.answer) == (True, first.answer)
    assert everything(living) == before


def test_the_same_key_with_another_body_or_for_another_act_is_refused(living: Living) -> None:
    anna = living.customer("anna", USDT="100")
    living.subscribe(anna, "FLEX", "10", key="k")
    other = living.subscribe_all([living.subscription(anna, "FLEX", "15", key="k")])[0]
    assert isinstance(other.error, errors.RequestKeyReused)
    with living.database.transaction() as tx:
        act = redeem(tx, [Redeem(customer_id=anna, key="k", product="FLEX")], living.now)[0]
    assert isinstance(act.error, errors.RequestKeyReused)
    assert living.earn(anna, "USDT") == 10


def test_a_key_twice_in_one_list_is_decided_once(living: Living) -> None:
    anna, bert = living.customer("anna", USDT="100"), living.customer("bert", USDT="100")
    twice = living.subscription(anna, "FLEX", "10", key="k")
    outcomes = living.subscribe_all(
        [
            twice,
            living.subscription(bert, "FLEX", "10", key="k"),
            twice,
            living.subscription(anna, "FLEX", "20", key="k"),
        ]
    )
    assert outcomes[2].answer == outcomes[0].answer
    assert [outcome.is_replay for outcome in outcomes] == [False, False, True, False]
    assert isinstance(outcomes[3].error, errors.RequestKeyReused)
    assert (living.earn(anna, "USDT"), living.earn(bert, "USDT")) == (D(10), D(10))


def test_a_refusal_is_replayed_too_so_that_a_late_copy_moves_nothing(living: Living) -> None:
    anna = living.customer("anna", USDT="5")
    command = living.subscription(anna, "FLEX", "50")
    first = living.subscribe_all([command])[0]
    assert isinstance(first.error, errors.InsufficientFunds)
    living.deposit(anna, "USDT", "100")
    again = living.subscribe_all([command])[0]
    assert isinstance(again.error, errors.InsufficientFunds)
    assert (again.is_replay, again.error.message, again.error.details) == (
        True,
        first.error.message,
        first.error.details,
    )
    assert living.earn(anna, "USDT") == 0


def test_what_was_not_even_a_request_is_not_kept_under_its_key(living: Living) -> None:
    command = living.subscription(256 * 77, "FLEX", "10", key="k")
    assert isinstance(living.subscribe_all([command])[0].error, errors.CustomerNotFound)
    assert living.rows("SELECT FROM request WHERE request_key = 'k'") == []


# Rule 10


def test_new_terms_are_for_new_positions_only(living: Living) -> None:
    living.product("FIXED", "USDT", apr="0.365", term_days=10)
    anna = living.customer("anna", USDT="2000")
    old = living.subscribe(anna, "FIXED", "1000")
    living.new_terms("FIXED", term_days=20, early_redemption="not_allowed")
    new = living.subscribe(anna, "FIXED", "1000")
    assert (living.position(old).term_days, living.position(new).term_days) == (10, 20)
    assert living.quote(anna, old).returned == 1000
    with pytest.raises(errors.EarlyRedemptionNotAllowed):
        living.quote(anna, new)


def test_a_locked_position_keeps_its_rate_and_a_floating_one_follows(living: Living) -> None:
    living.product("LOCKED", "USDT", apr="0.365", term_days=4)
    living.product("FLOATS", "USDT", apr="0.365", term_days=4, rate_policy="floating")
    anna = living.customer("anna", USDT="2000")
    held = [living.subscribe(anna, code, "1000") for code in ("LOCKED", "FLOATS")]
    for code in ("LOCKED", "FLOATS"):
        living.revise(code, "0.73", at=living.now + timedelta(days=1, hours=20))
    living.passes(days=5)
    living.catch_up()
    assert [list(living.rewards_of(each).values()) for each in held] == [[1, 1, 1, 1], [1, 1, 2, 2]]


def test_a_rate_in_force_at_the_very_start_of_a_day_is_that_days_rate(living: Living) -> None:
    living.product("ROUND", "USDT", apr="0.365")
    anna = living.customer("anna", USDT="2000")
    punctual = living.subscribe(anna, "ROUND", "1000")
    living.passes(seconds=1)
    later = living.subscribe(anna, "ROUND", "1000")
    living.revise("ROUND", "0.73", at=START + timedelta(days=1))
    living.passes(days=3)
    living.catch_up()
    assert list(living.rewards_of(punctual).values()) == [1, 2]
    assert list(living.rewards_of(later).values()) == [1, 2]
    living.revise("ROUND", "0.365", at=START + timedelta(days=4, microseconds=1))
    living.passes(days=3)
    living.catch_up()
    assert list(living.rewards_of(punctual).values()) == [1, 2, 2, 2, 2]
    assert list(living.rewards_of(later).values()) == [1, 2, 2, 2, 1]

"""Rules 24 and 25: leaving a fixed-term position early, by a quote and its confirmation."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.living import Living, assert_books_hold, halt

from staddle import errors
from staddle.db import Database
from staddle.positions import AskToLeave, ConfirmLeave, ask_to_leave, confirm_leave

D = Decimal


@pytest.fixture
def living(database: Database) -> Living:
    return Living(database)


def staked(living: Living, amount: str = "1000", apr: str = "0.365", **terms: Any) -> tuple[int, int]:
    """Anna with a stake in a 30-day product that earns a thousandth a day; the story is 2.5 days old."""
    living.product("FIXED", "USDT", apr=apr, term_days=30, **terms)
    anna = living.customer("anna", USDT=amount)
    return anna, living.subscribe(anna, "FIXED", amount)


def lived(living: Living, **length: float) -> None:
    living.passes(**length)
    living.catch_up()


def test_forfeit_all_ends_with_exactly_the_original_principal(living: Living) -> None:
    anna, position = staked(living)
    lived(living, days=3, hours=9)
    assert living.funding(anna, "USDT") == 3
    quote = living.leave_early(anna, position)
    assert (quote.principal, quote.returned, quote.rewards) == (D(1000), D(997), D(3))
    assert (quote.rewards_kept, quote.rewards_forfeited, quote.days_held) == (D(0), D(3), 3)
    assert [(each.run_on, each.amount, each.taken_back) for each in quote.payouts] == [
        (f"2026-01-{day}", D(1), D(1)) for day in (24, 25, 26)
    ]
    assert living.funding(anna, "USDT") == 1000
    assert living.position(position).ended_by == "early_redemption"
    assert living.quota_used("FIXED") == 0
    living.passes(days=40)
    living.catch_up()
    assert living.funding(anna, "USDT") == 1000
    with living.database.transaction() as tx:
        assert_books_hold(tx)


def test_days_that_no_distribution_has_paid_yet_are_cancelled(living: Living) -> None:
    anna, position = staked(living)
    lived(living, days=2, hours=0)  # two days done at 15:30, the second not distributed yet
    quote = living.leave_early(anna, position)
    assert (quote.rewards, quote.rewards_cancelled, quote.returned) == (D(1), D(1), D(999))
    assert living.rewards_of(position) == {date(2026, 1, 24): D(1)}
    assert living.funding(anna, "USDT") == 1000


def test_a_late_run_does_not_change_what_leaving_brings(living: Living) -> None:
    anna, position = staked(living, early_redemption="keep_fraction", kept_fraction="0.5")
    living.passes(days=3, hours=9)
    quote = living.leave_early(anna, position)  # no run has been done at all
    assert (quote.rewards, quote.rewards_kept, quote.returned) == (D(3), D("1.5"), D("998.5"))
    assert living.funding(anna, "USDT") == D("1001.5")
    living.catch_up()
    assert living.funding(anna, "USDT") == D("1001.5")


def test_each_reward_taken_back_is_linked_to_the_forfeiture(living: Living) -> None:
    anna, position = staked(living, early_redemption="keep_fraction", kept_fraction="0.25")
    lived(living, days=4, hours=9)
    living.leave_early(anna, position)
    links = living.rows(
        "SELECT f.run_on, f.amount, t.kind::text, t.amount AS whole, t.position_id FROM forfeited_reward f"
        " JOIN transfer t USING (cell, transfer_id) ORDER BY f.run_on"
    )
    # The newest are taken back first: three of four, and the fourth is kept.
    assert [(row.run_on.day, row.amount) for row in links] == [(25, 1), (26, 1), (27, 1)]
    assert {(row.kind, row.whole, row.position_id) for row in links} == {("forfeiture", D(3), position)}


def test_keep_fraction_keeps_the_floor_of_the_fraction(living: Living) -> None:
    anna, position = staked(
        living, "0.1", "0.0365", early_redemption="keep_fraction", kept_fraction="0.333333333333"
    )
    lived(living, days=1, hours=9)
    quote = living.leave_early(anna, position)
    assert (quote.rewards, quote.rewards_kept) == (D("0.00001"), D("0.00000333"))


def test_paid_rewards_above_the_principal_are_not_collected(living: Living) -> None:
    anna, position = staked(living, "100", "91.25")  # a quarter of the principal each day
    lived(living, days=5, hours=9)
    assert living.funding(anna, "USDT") == 125
    quote = living.leave_early(anna, position)
    assert (quote.returned, quote.rewards_forfeited, quote.rewards_kept) == (D(0), D(100), D(25))
    assert [each.taken_back for each in quote.payouts] == [D(0), D(25), D(25), D(25), D(25)]
    assert (living.funding(anna, "USDT"), living.earn(anna, "USDT")) == (D(125), D(0))


def test_rewards_exactly_at_the_principal_return_nothing_and_leave_nothing_uncollected(
    living: Living,
) -> None:
    anna, position = staked(living, "100", "91.25")
    lived(living, days=4, hours=9)
    quote = living.leave_early(anna, position)
    assert (quote.returned, quote.rewards_forfeited, quote.rewards_kept) == (D(0), D(100), D(0))
    assert living.funding(anna, "USDT") == 100


REDUCED: dict[str, Any] = {
    "early_redemption": "reduced_apr",
    "reduced_apr": "0.073",
    "reduced_apr_days_min": 2,
}


def test_reduced_apr_recomputes_all_days_held_at_the_lower_apr_after_its_minimum(living: Living) -> None:
    anna, position = staked(living, **REDUCED)
    lived(living, days=3, hours=1)  # three days done, two distributed
    quote = living.leave_early(anna, position)
    assert (quote.rewards, quote.rewards_kept, quote.rewards_cancelled) == (D(3), D("0.6"), D(0))
    assert living.funding(anna, "USDT") == D("1000.6")


def test_reduced_apr_keeps_nothing_before_its_minimum_of_days(living: Living) -> None:
    anna, position = staked(living, **REDUCED)
    lived(living, days=1, hours=23, minutes=59, seconds=59)
    assert living.quote(anna, position).rewards_kept == 0
    living.passes(seconds=1)
    assert living.quote(anna, position).rewards_kept == D("0.4")


def test_a_reduced_apr_above_the_real_one_gives_no_more_than_was_earned(living: Living) -> None:
    anna, position = staked(living, apr="0.0365", **REDUCED)
    lived(living, days=3, hours=1)
    assert living.leave_early(anna, position).rewards_kept == D("0.3")
    assert living.funding(anna, "USDT") == D("1000.3")


def test_what_accrued_at_maturity_products_lose_comes_out_of_the_accrued(living: Living) -> None:
    anna, position = staked(
        living, payout="at_maturity", early_redemption="keep_fraction", kept_fraction="0.5"
    )
    lived(living, days=4, hours=9)
    assert (living.accrued(anna, "USDT"), living.funding(anna, "USDT")) == (D(4), D(0))
    quote = living.leave_early(anna, position)
    assert (quote.returned, quote.rewards_forfeited, quote.rewards_kept) == (D(1000), D(2), D(2))
    assert (living.accrued(anna, "USDT"), living.funding(anna, "USDT")) == (D(0), D(1002))


def test_leaving_before_anything_was_paid_returns_the_principal(living: Living) -> None:
    anna, position = staked(living)
    assert living.leave_early(anna, position).returned == 1000
    assert living.funding(anna, "USDT") == 1000


def test_the_principal_goes_where_the_customer_chose(living: Living) -> None:
    anna, position = staked(living)
    living.choose(anna, position, "redeem", "spot")
    assert living.leave_early(anna, position).destination == "spot"
    assert living.spot(anna, "USDT") == 1000


# The quote


def test_a_quote_moves_nothing_and_holds_for_five_minutes_to_the_second(living: Living) -> None:
    anna, position = staked(living)
    lived(living, days=2, hours=9)
    quote = living.quote(anna, position)
    assert quote.expires_at == quote.quoted_at + timedelta(minutes=5)
    assert (living.funding(anna, "USDT"), living.earn(anna, "USDT")) == (D(2), D(1000))
    living.passes(minutes=5, microseconds=1)
    with pytest.raises(errors.QuoteExpired):
        living.confirm(anna, quote.quote_id)
    fresh = living.quote(anna, position)
    living.passes(minutes=5)
    assert living.confirm(anna, fresh.quote_id).returned == 998


def test_a_quote_overtaken_by_a_payout_is_refused_with_the_new_quote_which_can_be_confirmed(
    living: Living,
) -> None:
    anna, position = staked(living)
    lived(living, days=2, hours=8, minutes=28)
    quote = living.quote(anna, position)
    assert quote.returned == 999
    living.passes(minutes=3)
    with pytest.raises(errors.QuoteChanged) as refusal:
        living.confirm(anna, quote.quote_id)
    fresh = refusal.value.details["quote"]
    assert isinstance(fresh, dict)
    assert (fresh["returned"], living.earn(anna, "USDT")) == ("998.00000000", D(1000))
    assert living.confirm(anna, int(fresh["quote_id"])).returned == 998


def test_a_quote_whose_destination_changed_is_refused(living: Living) -> None:
    anna, position = staked(living)
    quote = living.quote(anna, position)
    living.choose(anna, position, "redeem", "spot")
    with pytest.raises(errors.QuoteChanged):
        living.confirm(anna, quote.quote_id)


def test_a_quote_is_carried_out_once(living: Living) -> None:
    anna, position = staked(living)
    quote = living.quote(anna, position)
    living.confirm(anna, quote.quote_id)
    with pytest.raises(errors.PositionEnded):
        living.confirm(anna, quote.quote_id)
    with pytest.raises(errors.PositionEnded):
        living.quote(anna, position)
    assert living.funding(anna, "USDT") == 1000


def test_another_customers_quote_or_position_is_not_there(living: Living) -> None:
    anna, position = staked(living)
    quote = living.quote(anna, position)
    stranger = living.customer("stranger", USDT="5")
    cell_mate = anna + 256
    for other in (stranger, cell_mate):
        with pytest.raises(errors.QuoteNotFound):
            living.confirm(other, quote.quote_id)
        with pytest.raises(errors.PositionNotFound):
            living.quote(other, position)
        with pytest.raises(errors.PositionNotFound):
            living.choose(other, position, "redeem")
    with pytest.raises(errors.QuoteNotFound):
        living.confirm(anna, 2**70)
    with pytest.raises(errors.PositionNotFound):
        living.quote(anna, -(2**70))
    assert living.earn(anna, "USDT") == 1000


def test_a_confirmation_repeated_under_its_key_gets_the_same_answer(living: Living) -> None:
    anna, position = staked(living)
    lived(living, days=2, hours=9)
    quote = living.quote(anna, position)
    command = ConfirmLeave(customer_id=anna, key="confirm", quote_id=quote.quote_id)
    answers = []
    for _ in range(2):
        with living.database.transaction() as tx:
            answers.append(confirm_leave(tx, [command, command], living.now))
        living.passes(days=1)
    assert len({str(outcome.answer) for outcomes in answers for outcome in outcomes}) == 1
    assert living.funding(anna, "USDT") == 1000


def test_one_bad_confirmation_never_fails_its_neighbours(living: Living) -> None:
    anna, position = staked(living)
    bert = living.customer("bert", USDT="500")
    other = living.subscribe(bert, "FIXED", "500")
    with living.database.transaction() as tx:
        asked = [
            AskToLeave(customer_id=c, key=f"q{c}{p}", position_id=p)
            for c, p in ((anna, other), (anna, position), (bert, other))
        ]
        outcomes = ask_to_leave(tx, asked, living.now)
        assert [None if o.error is None else o.error.code() for o in outcomes] == [
            "position_not_found",
            None,
            None,
        ]
        quotes = [outcome.unwrap().quote_id for outcome in outcomes[1:]]
        asked_for = [(anna, quotes[1]), (anna, quotes[0]), (bert, quotes[1])]
        commands = [ConfirmLeave(customer_id=c, key=f"c{q}", quote_id=q) for c, q in asked_for]
        confirmed = confirm_leave(tx, commands, living.now)
    assert [None if o.error is None else o.error.code() for o in confirmed] == ["quote_not_found", None, None]
    assert (living.funding(anna, "USDT"), living.funding(bert, "USDT")) == (D(1000), D(500))


# What may not be left


def test_what_cannot_be_left_early_says_why(living: Living) -> None:
    living.product("FLEX", "USDT", apr="0.1")
    living.product("NEVER", "USDT", apr="0.1", term_days=7, early_redemption="not_allowed")
    anna, position = staked(living, "1000")
    bert = living.customer("bert", USDT="100")
    flexible, never = living.subscribe(bert, "FLEX", "50"), living.subscribe(bert, "NEVER", "50")
    with pytest.raises(errors.NotAFixedPosition):
        living.quote(bert, flexible)
    with pytest.raises(errors.EarlyRedemptionNotAllowed):
        living.quote(bert, never)
    quote = living.quote(anna, position)
    with living.database.transaction() as tx:
        halt(tx, "FIXED", "redeeming", "Pause", living.now)
    with pytest.raises(errors.RedeemingHalted):
        living.quote(anna, position)
    with pytest.raises(errors.RedeemingHalted):
        living.confirm(anna, quote.quote_id)
    living.passes(days=30)
    with pytest.raises(errors.PositionMatured):
        living.quote(anna, position)
    assert living.funding(anna, "USDT") == 1030


def test_a_quote_of_before_maturity_cannot_be_confirmed_after_it(living: Living) -> None:
    anna, position = staked(living)
    living.passes(days=29, hours=23, minutes=57)
    quote = living.quote(anna, position)
    living.passes(minutes=3)
    with pytest.raises(errors.PositionMatured):
        living.confirm(anna, quote.quote_id)
    assert living.funding(anna, "USDT") == 1030

"""Two people: each kind of request is asked for by one and decided by another, who sees what the first one saw."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.living import Living, assert_audited

from staddle import approvals, desk, errors, products, rewards, treasury
from staddle.approvals import Deciding
from staddle.customers import CustomerMove
from staddle.db import Database
from staddle.desk import Difference
from staddle.identity import operator_caller

D = Decimal
Told = list[tuple[str, str | None, str | None]]


@pytest.fixture
def living(database: Database) -> Living:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.0365", quota="5000")
    living.subscribe(living.customer("anna", USDT="10000"), "FLEX", "1000")
    with database.transaction() as tx:
        added = desk.add_operator(tx, "ada", "cyd", living.now, ["product", "treasury"])
        desk.approve_roles(tx, "bob", added.grant_asked or 0, living.now)
    return living


def anna(living: Living) -> int:
    """The customer who holds 1,000 USDT."""
    [row] = living.rows("SELECT customer_id FROM customer WHERE reference = 'anna'")
    number: int = row.customer_id
    return number


def approve(living: Living, number: int, by: str = "bob") -> approvals.Approved:
    with living.database.transaction() as tx:
        caller = operator_caller(tx, by)
        return approvals.approve(tx, Deciding(caller, number, living.now, living.now))


def seen(living: Living, number: int) -> approvals.RequestInFull:
    with living.database.transaction() as tx:
        return approvals.show_request(tx, number, living.now)


def refusal(living: Living, number: int, by: str) -> errors.StaddleError | None:
    """Why somebody who has every role cannot approve a request."""
    with living.database.transaction() as tx:
        asked = desk.find_approval(tx, number)
        return approvals.why_not(tx, asked, by, frozenset(desk.ROLES), living.now)


def told(lines: list[Difference] | None) -> Told:
    return [(line.field, line.before, line.after) for line in lines or []]


def pool_move(tx: Any, living: Living, by: str, move: str = "funding", amount: str = "50") -> int:
    command = treasury.AskPoolMove(key=living.key(), by=by, move=move, asset="USDT", amount=D(amount))
    return approvals.ask_pool_move(tx, [command], living.now)[0].unwrap().approval_id


def ask_each(living: Living) -> dict[str, Callable[[Any, str], int]]:
    """How each kind is asked for, by the act; ready to be asked now."""
    mistake = living.deposit(anna(living), "USDT", "7")
    with living.database.transaction() as tx:
        terms = products.versions_of(tx, products.find_product(tx, "FLEX").product_id)[0].terms
        draft = products.draft_version(
            tx, "dan", "FLEX", msgspec.structs.replace(terms, quota=D(6000)), living.now
        )
    source = products.SourceTerms(
        kind="json",
        url="https://node.example.com/feed",
        figure_path="/apr",
        desk_share=D("0.1"),
        apr_min=D("0.01"),
        apr_max=D("0.06"),
        step_max=D("0.005"),
    )
    move = CustomerMove(move="deposit", customer="anna", asset="USDT", account="spot", amount=D(3))
    later, tiers = living.now + timedelta(days=2), [products.Tier(D(0), None, D("0.073"))]
    return {
        "put_in_force": lambda tx, by: approvals.ask_terms(tx, by, "FLEX", draft.version, living.now),
        "revise_rate": lambda tx, by: approvals.ask_rate(tx, by, "FLEX", tiers, later, living.now),
        "set_rate_source": lambda tx, by: approvals.ask_source(tx, by, "FLEX", source, living.now),
        "change_halt": lambda tx, by: approvals.ask_halt(tx, by, "FLEX", "redeeming", "Audit", living.now),
        "move_pool": lambda tx, by: pool_move(tx, living, by),
        "move_customer_money": lambda tx, by: approvals.ask_customer_move(tx, by, move, living.now),
        "correct_transfer": lambda tx, by: approvals.ask_correction(
            tx, by, mistake.transfer_id, "Credited twice", living.now
        ),
    }


EXPECTED: dict[str, tuple[Told, Told]] = {
    "put_in_force": (
        [("version", "1", "2"), ("quota", "5000", "6000")],
        [
            ("customers", None, "1"),
            ("principal", None, "1000 USDT"),
            ("quota_left", "4000 USDT", "5000 USDT"),
            ("rate", None, "3.65 %"),
        ],
    ),
    "revise_rate": (
        [
            ("rate", "3.65 %", "7.3 %"),
            ("effective_at", "2026-01-22T15:30:00Z", "2026-01-24T15:30:00Z"),
        ],
        [
            ("headline", "3.65 %", "7.3 %"),
            ("customers", None, "1"),
            ("principal", None, "1000 USDT"),
            ("cost_per_day", "0.1 USDT", "0.2 USDT"),
            ("days_left", "10000000000000 days", "5000000000000 days"),
        ],
    ),
    "set_rate_source": (
        [
            ("kind", None, "json"),
            ("url", None, "https://node.example.com/feed"),
            ("figure_path", None, "/apr"),
            ("is_percent", None, "no"),
            ("desk_share", None, "10 %"),
            ("apr_min", None, "1 %"),
            ("apr_max", None, "6 %"),
            ("step_max", None, "0.5 %"),
            ("stale_hours", None, "24"),
        ],
        [("customers", None, "1"), ("principal", None, "1000 USDT")],
    ),
    "change_halt": (
        [("redeeming", "goes on", "paused: Audit")],
        [("customers", None, "1"), ("principal", None, "1000 USDT")],
    ),
    "move_pool": (
        [("pool_left", "1000000000000 USDT", "1000000000050 USDT")],
        [
            ("days_left", "10000000000000 days", "10000000000500 days"),
            ("cost_per_day", None, "0.1 USDT"),
        ],
    ),
    "move_customer_money": (
        [("spot", "9007 USDT", "9010 USDT")],
        [("customers", None, "1: anna")],
    ),
    "correct_transfer": (
        [("balance", "9007 USDT", "9000 USDT")],
        [
            ("entry", "deposit of 7 USDT", "none"),
            ("effective_at", "2026-01-22T15:30:00Z", None),
            ("key", "key 4", None),
            ("customers", None, "1: anna"),
        ],
    ),
}


@pytest.mark.parametrize("act", EXPECTED)
def test_both_see_the_same_and_the_second_one_does_it(living: Living, act: str) -> None:
    with living.database.transaction() as tx:
        desk.add_operator(tx, "ada", "dan", living.now)
    ask = ask_each(living)[act]
    with living.database.transaction() as tx:
        number = ask(tx, "ada")
    first = seen(living, number)
    assert (told(first.difference), told(first.effect)) == EXPECTED[act]
    assert (first.state, first.act, first.effect_now) == ("waiting", act, [])
    with pytest.raises(errors.SecondPersonNeeded):
        approve(living, number, "ada")
    with pytest.raises(errors.RoleMissing):
        approve(living, number, "dan")
    assert seen(living, number) == first
    approve(living, number, "cyd")
    after = seen(living, number)
    assert (after.state, after.decided_by) == ("approved", "cyd")
    assert (after.difference, after.effect) == (first.difference, first.effect)
    with pytest.raises(errors.WrongState):
        approve(living, number, "bob")
    assert_audited(living.database)


@pytest.mark.parametrize("act", EXPECTED)
def test_a_request_that_was_withdrawn_or_declined_is_not_approved_any_more(living: Living, act: str) -> None:
    with living.database.transaction() as tx:
        desk.add_operator(tx, "ada", "dan", living.now)
    ask = ask_each(living)[act]
    for by, state in (("ada", "withdrawn"), ("cyd", "declined")):
        with living.database.transaction() as tx:
            number = ask(tx, "ada")
        with living.database.transaction() as tx, pytest.raises(errors.RoleMissing):
            approvals.decline(tx, operator_caller(tx, "dan"), number, living.now)
        with living.database.transaction() as tx:
            approvals.decline(tx, operator_caller(tx, by), number, living.now)
        assert seen(living, number).state == state
        with pytest.raises(errors.WrongState):
            approve(living, number)


@pytest.mark.parametrize("act", [act for act in EXPECTED if act != "move_customer_money"])
def test_a_request_is_stale_once_what_it_was_made_upon_has_changed(living: Living, act: str) -> None:
    with living.database.transaction() as tx:
        desk.add_operator(tx, "ada", "dan", living.now)
    ask = ask_each(living)[act]
    with living.database.transaction() as tx:
        first, second = ask(tx, "ada"), ask(tx, "ada")
    assert seen(living, second).state == "waiting"
    approve(living, first)
    assert seen(living, second).state == "stale"
    with living.database.transaction() as tx:
        assert [(each.approval_id, each.state) for each in approvals.waiting(tx, living.now)] == [
            (second, "stale")
        ]
    assert isinstance(refusal(living, second, "bob"), errors.ApprovalStale)
    with pytest.raises(errors.ApprovalStale):
        approve(living, second)
    assert seen(living, second).decided_by is None


def test_a_rate_whose_instant_has_come_is_stale(living: Living) -> None:
    with living.database.transaction() as tx:
        tiers = [products.Tier(D(0), None, D("0.05"))]
        number = approvals.ask_rate(tx, "ada", "FLEX", tiers, living.now + timedelta(hours=1), living.now)
    living.passes(hours=1)
    assert seen(living, number).state == "stale"
    with pytest.raises(errors.ApprovalStale):
        approve(living, number)


def test_figures_that_move_by_themselves_are_shown_beside_those_of_before(living: Living) -> None:
    with living.database.transaction() as tx:
        number = approvals.ask_halt(tx, "ada", "FLEX", "subscribing", "Maintenance", living.now)
    living.subscribe(anna(living), "FLEX", "500")
    now = seen(living, number)
    assert now.state == "waiting"
    assert told(now.effect) == [
        ("customers", None, "1"),
        ("principal", None, "1000 USDT"),
        ("quota_left", None, "4000 USDT"),
    ]
    assert told(now.effect_now) == [("principal", None, "1500 USDT"), ("quota_left", None, "3500 USDT")]


def test_who_drafted_terms_does_not_approve_them_though_somebody_else_asked(living: Living) -> None:
    with living.database.transaction() as tx:
        terms = products.Terms(amount_min=D(1), step=D(1), opens_at=living.now)
        products.draft_product(tx, "ada", "NEW", "USDT", "flexible", "New", terms, living.now)
        number = approvals.ask_terms(tx, "bob", "NEW", 1, living.now)
    request = seen(living, number)
    assert told(request.difference)[:2] == [("version", None, "1"), ("state", "draft", "on sale")]
    assert isinstance(refusal(living, number, "ada"), errors.SecondPersonNeeded)
    with pytest.raises(errors.SecondPersonNeeded):
        approve(living, number, "ada")
    approve(living, number, "cyd")
    with living.database.transaction() as tx:
        assert products.find_product(tx, "NEW").state == "live"


def test_approving_terms_directly_closes_the_request_for_them(living: Living) -> None:
    with living.database.transaction() as tx:
        for code in ("ONE", "TWO"):
            terms = products.Terms(amount_min=D(1), step=D(1), opens_at=living.now)
            products.draft_product(tx, "ada", code, "USDT", "flexible", code, terms, living.now)
        by_ada = approvals.ask_terms(tx, "ada", "ONE", 1, living.now)
        by_bob = approvals.ask_terms(tx, "bob", "TWO", 1, living.now)
        products.approve_terms(tx, "bob", "ONE", 1, living.now)
        products.approve_terms(tx, "bob", "TWO", 1, living.now)
    assert (seen(living, by_ada).state, seen(living, by_ada).decided_by) == ("approved", "bob")
    assert seen(living, by_bob).state == "withdrawn"


def test_a_held_run_is_released_by_two_and_neither_has_started_it(database: Database) -> None:
    living = Living(database)
    living.asset("USDT", pool=D("0.05"))
    living.product("FLEX", "USDT", apr="0.0365")
    living.subscribe(living.customer("anna", USDT="1000"), "FLEX", "1000")
    living.passes(days=2)
    with database.transaction() as tx:
        added = desk.add_operator(tx, "ada", "cyd", living.now, ["treasury"])
        desk.approve_roles(tx, "bob", added.grant_asked or 0, living.now)
    held = rewards.catch_up(database, "cyd", living.now)[-1]
    assert (held.run_on, held.state) == (date(2026, 1, 24), "held")
    with database.transaction() as tx:
        number = approvals.ask_release(tx, "ada", held.run_on, living.now)
    request = seen(living, number)
    assert told(request.difference) == [("state", "held", "released")]
    assert told(request.effect)[1:] == [
        ("rewards_USDT", None, "1"),
        ("amount_USDT", "0 USDT", "0.1 USDT"),
        ("pool_left_USDT", "0.05 USDT", "-0.05 USDT"),
    ]
    for by in ("ada", "cyd"):
        with pytest.raises(errors.SecondPersonNeeded):
            approve(living, number, by)
    rewards.catch_up(database, "cyd", living.now)  # planned anew, and nothing is other than it was
    released = approve(living, number).done
    assert isinstance(released, rewards.RunReport)
    assert (released.state, released.released_by) == ("released", "bob")
    assert rewards.catch_up(database, "scheduler", living.now)[-1].state == "finished"


def test_a_release_is_stale_once_the_run_goes_on_by_itself(database: Database) -> None:
    living = Living(database)
    living.asset("USDT", pool=D("0.05"))
    living.product("FLEX", "USDT", apr="0.0365")
    living.subscribe(living.customer("anna", USDT="1000"), "FLEX", "1000")
    living.passes(days=2)
    held = living.catch_up()[-1]
    with database.transaction() as tx:
        number = approvals.ask_release(tx, "bob", held.run_on, living.now)
    living.fund_pool("USDT", D(1))
    assert living.catch_up()[-1].state == "finished"
    assert seen(living, number).state == "stale"


# Roles


def test_roles_are_given_by_two_admins_and_taken_away_by_one(living: Living) -> None:
    with living.database.transaction() as tx:
        operator = approvals.set_roles(tx, "ada", "cyd", ["support", "product"], living.now)
        assert operator.roles == ["viewer", "product"]  # treasury is gone at once
        number = operator.grant_asked
        assert number is not None
    assert told(seen(living, number).difference) == [("roles", "viewer, product", "viewer, support, product")]
    assert told(seen(living, number).effect) == [("support", "2", "3")]
    for by in ("ada", "cyd"):
        with pytest.raises((errors.SecondPersonNeeded, errors.RoleMissing)):
            approve(living, number, by)
    approve(living, number, "bob")
    with living.database.transaction() as tx:
        cyd = desk.find_operator(tx, "cyd")
        assert (cyd.roles, cyd.grant_asked) == (["viewer", "support", "product"], None)


def test_who_gains_a_role_does_not_agree_to_it_but_may_ask_for_it(living: Living) -> None:
    with living.database.transaction() as tx:
        desk.set_roles(tx, "ada", "bob", ["admin"], living.now)  # taken away at once
        to_bob = approvals.set_roles(tx, "ada", "bob", ["admin", "treasury"], living.now).grant_asked
    assert to_bob is not None
    assert seen(living, to_bob).barred == "bob"
    with pytest.raises(errors.SecondPersonNeeded):
        approve(living, to_bob, "bob")
    with living.database.transaction() as tx:
        by_bob = approvals.set_roles(tx, "bob", "bob", ["admin", "treasury"], living.now).grant_asked
    assert by_bob is not None
    approve(living, by_bob, "ada")
    assert seen(living, to_bob).state == "stale"


def test_the_only_admin_gives_roles_alone_and_an_alarm_says_so_until_somebody_clears_it(
    living: Living,
) -> None:
    with living.database.transaction() as tx:
        desk.set_active(tx, "ada", "bob", False, living.now)
        added = desk.add_operator(tx, "ada", "eve", living.now, ["admin"])
        assert (added.roles, added.grant_asked) == (["viewer", "admin"], None)
        [alarm] = desk.list_alarms(tx)
        assert (alarm.kind, alarm.subject, alarm.details["by"]) == ("roles_granted_alone", "eve", "ada")
        entry = desk.read_log(tx, 1)[0]
        assert (entry.act, entry.details["is_alone"], entry.details["to"]) == (
            "set_roles", True, ["viewer", "admin"],
        )  # fmt: skip
        # Now there are two, and nobody gives anything alone any more.
        assert desk.add_operator(tx, "ada", "fay", living.now, ["support"]).grant_asked is not None
        assert desk.list_alarms(tx) == [alarm]
    with living.database.transaction() as tx, pytest.raises(errors.SecondPersonNeeded):
        desk.set_active(tx, "ada", "eve", False, living.now)
        desk.set_roles(tx, "ada", "ada", ["admin", "support"], living.now)
        desk.set_roles(tx, "ada", "ada", ["admin", "support", "product"], living.now)


def test_whoever_comes_back_has_the_roles_of_before_once_another_admin_agrees(living: Living) -> None:
    with living.database.transaction() as tx:
        desk.set_active(tx, "ada", "cyd", False, living.now)
        back = desk.set_active(tx, "ada", "cyd", True, living.now)
        assert (back.roles, back.is_active) == (["viewer"], True)
        assert back.grant_asked is not None
        with pytest.raises(errors.SecondPersonNeeded):
            desk.approve_roles(tx, "ada", back.grant_asked, living.now)
    with living.database.transaction() as tx:
        number = desk.set_roles(tx, "ada", "cyd", ["product", "treasury"], living.now).grant_asked
        assert desk.approve_roles(tx, "bob", number or 0, living.now).roles == [
            "viewer", "product", "treasury",
        ]  # fmt: skip


# Corrections


def test_a_deposit_is_reversed_whole_once_and_the_customer_is_told_why(living: Living) -> None:
    who = anna(living)
    mistake = living.deposit(who, "USDT", "7", "funding")
    with living.database.transaction() as tx:
        number = approvals.ask_correction(tx, "ada", mistake.transfer_id, "Credited twice", living.now)
        twin = approvals.ask_correction(tx, "ada", mistake.transfer_id, "Credited twice", living.now)
    done = approve(living, number).done
    assert isinstance(done, treasury.Corrected)
    assert (done.corrects_id, done.amount, living.funding(who, "USDT")) == (mistake.transfer_id, D(7), D(0))
    [row] = living.rows("SELECT kind::text, corrects, amount FROM transfer WHERE corrects IS NOT NULL")
    assert row == ("correction", mistake.transfer_id, D(7))
    [notice] = living.rows("SELECT body FROM notice WHERE kind = 'correction'")
    assert (notice.body["reason"], notice.body["corrected"]) == ("Credited twice", "deposit")
    with pytest.raises(errors.ApprovalStale):
        approve(living, twin)
    with living.database.transaction() as tx, pytest.raises(errors.AlreadyExists):
        treasury.ask_correction(tx, "ada", mistake.transfer_id, "Again", living.now)
    with living.database.transaction() as tx, pytest.raises(errors.WrongState):
        treasury.ask_correction(tx, "ada", done.transfer_id, "The other way", living.now)
    assert_audited(living.database)


def test_what_the_customer_no_longer_has_is_not_taken_back_and_the_request_waits(living: Living) -> None:
    who = anna(living)
    mistake = living.deposit(who, "USDT", "9000")
    with living.database.transaction() as tx:
        number = approvals.ask_correction(tx, "ada", mistake.transfer_id, "Not theirs", living.now)
    living.subscribe(who, "FLEX", "4000")
    spent = living.spot(who, "USDT")
    living.product("SINK", "USDT", apr="0.01")
    living.subscribe(who, "SINK", str(spent - D(1)))
    with pytest.raises(errors.InsufficientFunds):
        approve(living, number)
    assert seen(living, number).state == "waiting"
    with living.database.transaction() as tx, pytest.raises(errors.InsufficientFunds):
        treasury.ask_correction(tx, "ada", mistake.transfer_id, "Not theirs", living.now)
    living.redeem(who, "SINK", None, "spot")
    living.deposit(who, "USDT", "9000")
    approve(living, number)
    assert_audited(living.database)


def test_a_funding_of_a_pool_is_reversed_but_never_what_rewards_have_cost(database: Database) -> None:
    living = Living(database)
    living.asset("USDT", pool=D(0))
    with database.transaction() as tx:
        number = pool_move(tx, living, "ada", amount="100")
    moved = approve(living, number).done
    assert isinstance(moved, treasury.PoolMoved)
    with database.transaction() as tx:
        [transfer_id] = moved.transfer_ids
        number = approvals.ask_correction(tx, "ada", transfer_id, "The wrong coin", living.now)
    assert told(seen(living, number).difference) == [("pool_left", "100 USDT", "0 USDT")]
    with database.transaction() as tx:
        drawn = pool_move(tx, living, "ada", "withdrawal", "1")
    approve(living, drawn)
    with pytest.raises(errors.RewardPoolTooSmall):
        approve(living, number)
    with database.transaction() as tx:
        again = pool_move(tx, living, "ada", amount="1")
    approve(living, again)
    approve(living, number)
    with database.transaction() as tx:
        assert treasury.runway(tx, living.now) == []  # the pool is as it was before
        stale = pool_move(tx, living, "ada", amount="1")
    assert seen(living, stale).state == "waiting"
    assert_audited(database)


def test_what_is_no_entry_that_people_enter_is_not_corrected(living: Living) -> None:
    [subscription] = living.rows("SELECT transfer_id FROM transfer WHERE kind = 'subscription'")
    with living.database.transaction() as tx:
        with pytest.raises(errors.WrongState):
            treasury.ask_correction(tx, "ada", subscription.transfer_id, "Oops", living.now)
        for unknown in (0, -1, 12345 * 256, 2**63, 2**80):
            with pytest.raises(errors.TransferNotFound):
                treasury.ask_correction(tx, "ada", unknown, "Oops", living.now)
        for reason in ("", " ", "x" * 301, "a\nb"):
            with pytest.raises(errors.InvalidChoice):
                treasury.ask_correction(tx, "ada", subscription.transfer_id, reason, living.now)


# The log


def test_the_log_is_read_by_who_what_whom_and_when(living: Living) -> None:
    at = living.now
    living.passes(hours=2)
    with living.database.transaction() as tx:
        number = approvals.ask_halt(tx, "ada", "FLEX", "subscribing", "Pause", living.now)
    approve(living, number)

    def acts(**wanted: Any) -> list[str]:
        with living.database.transaction() as tx:
            return [each.act for each in desk.read_log(tx, 100, None, desk.LogFilter(**wanted))]

    assert acts(from_at=living.now) == ["halt_subscribing", "approved_change_halt", "ask_change_halt"]
    assert acts(operator="ada", from_at=living.now) == ["ask_change_halt"]
    assert acts(subject="FLEX", act="approve_terms") == ["approve_terms"]
    assert acts(before_at=at) == []
    assert set(acts(before_at=at + timedelta(seconds=1))) >= {"add_operator", "approve_terms"}


def test_entries_that_come_late_are_chained_all_the_same(living: Living) -> None:
    rewards.seal_all(living.database, living.now)
    with living.database.transaction() as slow:
        desk.log(slow, "ada", "slow", "x", {}, living.now)
        with living.database.transaction() as quick:
            desk.log(quick, "bob", "quick", "x", {}, living.now)
        rewards.seal_all(living.database, living.now)
    rewards.seal_all(living.database, living.now)
    rewards.seal_all(living.database, living.now)
    links = living.rows(
        "SELECT s.number, l.act FROM desk_log_seal s JOIN desk_log l USING (log_id) ORDER BY s.number"
    )
    assert [link.act for link in links][-2:] == ["quick", "slow"]
    assert [link.number for link in links] == list(range(1, len(links) + 1))
    assert rewards.audit(living.database) == []

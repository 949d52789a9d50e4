"""The desk: set up once, sandbox or production for ever, a clock that only moves forward, second persons."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from staddle import desk, errors
from staddle.db import Database

START = datetime(2026, 1, 10, 15, 30, tzinfo=UTC)


def create(database: Database, *, is_sandbox: bool = True, at: time = time(0)) -> desk.Desk:
    with database.transaction() as tx:
        return desk.create_desk(tx, "Test desk", is_sandbox, at, START)


def staffed(database: Database) -> Database:
    create(database)
    with database.transaction() as tx:
        desk.add_operator(tx, "ada", "ada", START)
        desk.add_operator(tx, "ada", "bob", START)
    return database


def test_a_database_without_a_desk_says_so(database: Database) -> None:
    with database.transaction() as tx, pytest.raises(errors.DeskNotFound):
        desk.find_desk(tx)
    with database.transaction() as tx, pytest.raises(errors.DeskNotFound):
        desk.advance_clock(tx, timedelta(days=1))


def test_a_new_desk_has_256_cells_paid_up_to_the_last_distribution(database: Database) -> None:
    create(database, at=time(16))
    with database.transaction() as tx:
        rows = tx.execute("SELECT count(*), min(watermark_at), max(watermark_at) FROM cell").fetchone()
    assert rows == (256, datetime(2026, 1, 9, 16, tzinfo=UTC), datetime(2026, 1, 9, 16, tzinfo=UTC))


def test_a_distribution_at_this_very_instant_counts_as_the_last_one(database: Database) -> None:
    create(database, at=START.time())
    with database.transaction() as tx:
        row = tx.execute("SELECT DISTINCT watermark_at FROM cell").fetchone()
    assert row == (START,)


def test_a_database_is_sandbox_or_production_once_and_for_all(database: Database) -> None:
    first = create(database)
    assert create(database) == first
    with database.transaction() as tx, pytest.raises(errors.AlreadyExists):
        desk.create_desk(tx, "Test desk", False, time(0), START)
    with database.transaction() as tx:
        assert desk.find_desk(tx).is_sandbox


def test_the_clock_of_a_sandbox_is_its_own_and_only_moves_forward(database: Database) -> None:
    create(database)
    machine = datetime(2031, 1, 1, tzinfo=UTC)
    with database.transaction() as tx:
        assert desk.now_of(tx, machine) == START
        assert desk.advance_clock(tx, timedelta(days=3)) == START + timedelta(days=3)
        assert desk.set_clock(tx, START + timedelta(days=4)) == START + timedelta(days=4)
    with database.transaction() as tx:
        assert desk.now_of(tx, machine) == START + timedelta(days=4)
    with database.transaction() as tx, pytest.raises(errors.InvalidTime):
        desk.set_clock(tx, START)
    with database.transaction() as tx, pytest.raises(errors.InvalidTime):
        desk.advance_clock(tx, timedelta(seconds=-1))
    with database.transaction() as tx, pytest.raises(errors.InvalidTime):
        desk.advance_clock(tx, timedelta(days=3_000_000))


def test_the_clock_of_production_is_the_machines_and_cannot_be_moved(database: Database) -> None:
    create(database, is_sandbox=False)
    machine = datetime(2031, 1, 1, tzinfo=UTC)
    with database.transaction() as tx:
        assert desk.now_of(tx, machine) == machine
    with database.transaction() as tx, pytest.raises(errors.NotASandbox):
        desk.advance_clock(tx, timedelta(days=1))
    with database.transaction() as tx, pytest.raises(errors.NotASandbox):
        desk.set_clock(tx, START + timedelta(days=1))


def test_the_first_operator_adds_themselves_and_strangers_add_nobody(database: Database) -> None:
    create(database)
    with database.transaction() as tx, pytest.raises(errors.OperatorNotFound):
        desk.add_operator(tx, "ada", "bob", START)
    with database.transaction() as tx:
        desk.add_operator(tx, "ada", "ada", START)
        desk.add_operator(tx, "ada", "bob", START)
        assert desk.add_operator(tx, "bob", "ada", START).name == "ada"
        assert [operator.name for operator in desk.list_operators(tx)] == ["ada", "bob"]
    with database.transaction() as tx, pytest.raises(errors.OperatorNotFound):
        desk.add_operator(tx, "eve", "eve", START)
    with database.transaction() as tx, pytest.raises(errors.OperatorNotFound):
        desk.find_operator(tx, "eve\x00")
    with database.transaction() as tx, pytest.raises(errors.InvalidName):
        desk.add_operator(tx, "ada", "Eve", START)


ALL_ROLES = ["viewer", "support", "product", "treasury", "admin"]


def test_the_first_operator_has_every_role_and_the_others_what_an_admin_gives_them(
    database: Database,
) -> None:
    with staffed(database).transaction() as tx:
        assert [operator.roles for operator in desk.list_operators(tx)] == [ALL_ROLES, ["viewer"]]
        assert desk.add_operator(tx, "ada", "cyd", START, ["treasury", "product"]).roles == [
            "viewer", "product", "treasury",
        ]  # fmt: skip
    for by, name, error in [("bob", "dan", errors.RoleMissing), ("cyd", "dan", errors.RoleMissing)]:
        with database.transaction() as tx, pytest.raises(error):
            desk.add_operator(tx, by, name, START)
    with database.transaction() as tx, pytest.raises(errors.InvalidChoice):
        desk.add_operator(tx, "ada", "dan", START, ["root"])


def test_roles_are_an_admins_to_give_and_nobody_gives_themselves_one(database: Database) -> None:
    with staffed(database).transaction() as tx, pytest.raises(errors.RoleMissing):
        desk.set_roles(tx, "bob", "bob", ["treasury"], START)
    with database.transaction() as tx:
        assert desk.set_roles(tx, "ada", "bob", ["admin"], START).roles == ["viewer", "admin"]
        assert desk.set_roles(tx, "bob", "ada", ["support"], START).roles == ["viewer", "support"]
        entry = desk.read_log(tx, 1)[0]
        assert (entry.act, entry.details["from"], entry.details["to"]) == (
            "take_roles", ALL_ROLES, ["viewer", "support"],
        )  # fmt: skip
    with database.transaction() as tx, pytest.raises(errors.SecondPersonNeeded):
        desk.set_roles(tx, "bob", "bob", ["admin", "treasury"], START)
    with database.transaction() as tx, pytest.raises(errors.OperatorNotFound):
        desk.set_roles(tx, "bob", "eve", [], START)


def test_a_desk_is_never_left_without_an_admin(database: Database) -> None:
    staffed(database)
    with database.transaction() as tx, pytest.raises(errors.WrongState):
        desk.set_roles(tx, "ada", "ada", ["viewer"], START)
    with database.transaction() as tx, pytest.raises(errors.WrongState):
        desk.set_active(tx, "ada", "ada", False, START)
    with database.transaction() as tx:
        assert desk.find_operator(tx, "ada").roles == ALL_ROLES


def test_an_operator_who_works_the_desk_no_more_can_do_nothing(database: Database) -> None:
    with staffed(database).transaction() as tx:
        assert not desk.set_active(tx, "ada", "bob", False, START).is_active
    with database.transaction() as tx, pytest.raises(errors.OperatorNotFound):
        desk.ask(tx, "bob", "fund", "BTC", {}, "7", START)
    with database.transaction() as tx:
        assert desk.set_active(tx, "ada", "bob", True, START).is_active
        desk.ask(tx, "bob", "fund", "BTC", {}, "7", START)


def test_nobody_approves_their_own_request(database: Database) -> None:
    with staffed(database).transaction() as tx:
        number = desk.ask(tx, "ada", "fund", "BTC", {"amount": Decimal("1.50")}, "7", START)
    with database.transaction() as tx, pytest.raises(errors.SecondPersonNeeded):
        desk.approve(tx, "ada", number, "fund", "7", START)
    with database.transaction() as tx:
        assert [approval.approval_id for approval in desk.pending(tx)] == [number]
        assert desk.approve(tx, "bob", number, "fund", "7", START) == {"amount": "1.50"}
        assert desk.pending(tx) == []
    with database.transaction() as tx, pytest.raises(errors.WrongState):
        desk.approve(tx, "bob", number, "fund", "7", START)


def test_an_approval_whose_basis_has_changed_is_stale(database: Database) -> None:
    with staffed(database).transaction() as tx:
        number = desk.ask(tx, "ada", "fund", "BTC", {}, "7", START)
    with database.transaction() as tx, pytest.raises(errors.ApprovalStale):
        desk.approve(tx, "bob", number, "fund", "8", START)
    with database.transaction() as tx:
        assert desk.find_approval(tx, number).decision is None


def test_an_approval_is_only_good_for_its_own_act(database: Database) -> None:
    with staffed(database).transaction() as tx:
        number = desk.ask(tx, "ada", "fund", "BTC", {}, "7", START)
    for wrong, act in [(number, "release"), (number + 1, "fund"), (0, "fund"), (2**40, "fund")]:
        with database.transaction() as tx, pytest.raises(errors.ApprovalNotFound):
            desk.approve(tx, "bob", wrong, act, "7", START)


def test_a_declined_request_cannot_be_approved_any_more(database: Database) -> None:
    with staffed(database).transaction() as tx:
        number = desk.ask(tx, "ada", "fund", "BTC", {}, "7", START)
        assert desk.decline(tx, "ada", number, START).decision == "declined"
    with database.transaction() as tx, pytest.raises(errors.WrongState):
        desk.approve(tx, "bob", number, "fund", "7", START)


def test_what_operators_do_is_written_down(database: Database) -> None:
    with staffed(database).transaction() as tx:
        number = desk.ask(tx, "ada", "fund", "BTC", {"amount": Decimal(2)}, "7", START)
        desk.approve(tx, "bob", number, "fund", "7", START)
        changed = desk.change_limits(tx, "bob", Decimal("0.25"), 60, START)
        assert (changed.run_change_max, changed.runway_days_min) == (Decimal("0.25"), 60)
        entries = desk.read_log(tx)
    assert [(entry.operator, entry.act) for entry in reversed(entries)] == [
        ("ada", "add_operator"),
        ("ada", "add_operator"),
        ("ada", "ask_fund"),
        ("bob", "approved_fund"),
        ("bob", "change_limits"),
    ]
    assert entries[0].details["run_change_max"] == {"from": "0.5", "to": "0.25"}


def test_limits_that_no_run_could_be_held_against_are_refused(database: Database) -> None:
    staffed(database)
    for change, days in [(Decimal(0), 1), (Decimal("NaN"), 1), (Decimal(1), -1)]:
        with database.transaction() as tx, pytest.raises(errors.InvalidChoice):
            desk.change_limits(tx, "ada", change, days, START)

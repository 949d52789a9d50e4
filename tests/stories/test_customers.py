"""Customers: added in bulk, once each; found by the integrator's reference; and what they agreed to."""

import time
from datetime import timedelta

import pytest
from tests.stories.stage import START, set_up

from staddle import customers, desk, errors
from staddle.customers import NewCustomer
from staddle.db import Database
from staddle.ledger import cell_of, cell_of_reference


def test_adding_the_same_customer_again_gives_the_one_who_is_there(database: Database) -> None:
    alice = NewCustomer(
        reference="alice", name="Alice", country="DE", vip_level=2, joined_at=START - timedelta(days=9)
    )
    with set_up(database).transaction() as tx:
        first, twin = customers.add_customers(tx, [alice, alice], START)
        assert first.answer == twin.answer
        assert (first.is_replay, twin.is_replay) == (False, True)
    with database.transaction() as tx:
        later = customers.add_customers(tx, [alice], START + timedelta(days=1))[0]
        assert (later.answer, later.is_replay) == (first.answer, True)
        assert customers.find_customer(tx, "alice") == first.answer


def test_a_reference_with_other_content_already_exists(database: Database) -> None:
    with set_up(database).transaction() as tx:
        customers.add_customers(tx, [NewCustomer(reference="alice", country="DE")], START)
        outcomes = customers.add_customers(
            tx,
            [
                NewCustomer(reference="alice", country="FR"),
                NewCustomer(reference="bert"),
                NewCustomer(reference="bert", vip_level=1),
            ],
            START,
        )
        assert [type(outcome.error) for outcome in outcomes] == [
            errors.AlreadyExists,
            type(None),
            errors.AlreadyExists,
        ]


def test_one_bad_customer_never_fails_its_neighbours(database: Database) -> None:
    wrong = [
        NewCustomer(reference=""),
        NewCustomer(reference=" a"),
        NewCustomer(reference="a\x00"),
        NewCustomer(reference="\ud800"),
        NewCustomer(reference="a" * 101),
        NewCustomer(reference="a", name="x" * 201),
        NewCustomer(reference="a", name="line\nbreak"),
        NewCustomer(reference="a", country="UK"),
        NewCustomer(reference="a", country="de"),
        NewCustomer(reference="a", vip_level=-1),
        NewCustomer(reference="a", vip_level=40_000),
        NewCustomer(reference="a", joined_at=START + timedelta(seconds=1)),
        NewCustomer(reference="a", joined_at=START.replace(tzinfo=None)),
    ]
    with set_up(database).transaction() as tx:
        outcomes = customers.add_customers(tx, [*wrong, NewCustomer(reference="b")], START)
        assert all(isinstance(outcome.error, errors.Invalid) for outcome in outcomes[:-1])
        assert outcomes[-1].unwrap().reference == "b"
        assert list(customers.find_customers(tx, ["a", "b", ""])) == ["b"]


def test_a_name_may_be_written_in_any_script(database: Database) -> None:
    names = ["Zoë O’Brien-Łąk", "山田　太郎", "محمد", "क्‍ष", ""]
    with set_up(database).transaction() as tx:
        new = [NewCustomer(reference=f"c{number}", name=name) for number, name in enumerate(names)]
        added = customers.add_customers(tx, new, START)
        assert [outcome.unwrap().name for outcome in added] == names


def test_a_customer_lies_in_the_cell_of_their_reference(database: Database) -> None:
    with set_up(database).transaction() as tx:
        new = [NewCustomer(reference=f"c{number}") for number in range(600)]
        added = [outcome.unwrap() for outcome in customers.add_customers(tx, new, START)]
        assert all(cell_of(each.customer_id) == cell_of_reference(each.reference) for each in added)
        assert len({each.customer_id for each in added}) == 600
        counted = tx.execute("SELECT sum(customer_count) FROM cell").fetchone()
        assert counted == (600,)


def test_twenty_thousand_customers_are_added_in_seconds(database: Database) -> None:
    set_up(database)
    new = [NewCustomer(reference=f"customer-{number}", name="N", country="DE") for number in range(20_000)]
    began = time.monotonic()
    with database.transaction() as tx:
        added = customers.add_customers(tx, new, START)
    assert all(outcome.error is None for outcome in added)
    assert time.monotonic() - began < 10


def test_a_change_of_a_customer_is_written_down(database: Database) -> None:
    with set_up(database).transaction() as tx:
        customers.add_customers(tx, [NewCustomer(reference="alice")], START)
        changed = customers.change_customer(tx, "ada", "alice", "Alice", "CH", 3, START)
        assert customers.find_customer(tx, "alice") == changed
        assert desk.read_log(tx, 1)[0].details["to"]["country"] == "CH"
    with database.transaction() as tx, pytest.raises(errors.CustomerNotFound):
        customers.change_customer(tx, "ada", "nobody", "", None, 0, START)
    with database.transaction() as tx, pytest.raises(errors.InvalidChoice):
        customers.change_customer(tx, "ada", "alice", "", "UK", 0, START)


def test_the_newest_agreement_is_the_one_in_force(database: Database) -> None:
    with set_up(database).transaction() as tx, pytest.raises(errors.AgreementNotFound):
        customers.current_agreement(tx)
    with database.transaction() as tx:
        assert customers.publish_agreement(tx, "ada", "Staking service agreement", "One.", START) == 1
        assert customers.publish_agreement(tx, "ada", "Staking service agreement", "One.", START) == 1
        assert customers.publish_agreement(tx, "ada", "Staking service agreement", "Two.", START) == 2
        assert customers.current_agreement(tx).body == "Two."
        assert customers.find_agreement(tx, 1).body == "One."
    for wrong in (0, 3, 2**40):
        with database.transaction() as tx, pytest.raises(errors.AgreementNotFound):
            customers.find_agreement(tx, wrong)
    with database.transaction() as tx, pytest.raises(errors.OperatorNotFound):
        customers.publish_agreement(tx, "eve", "Title", "Text", START)
    for title, body in [("", "Text"), ("Title", " "), ("Title", "a\x00b"), ("x" * 201, "Text")]:
        with database.transaction() as tx, pytest.raises(errors.InvalidName):
            customers.publish_agreement(tx, "ada", title, body, START)

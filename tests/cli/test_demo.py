"""The demo desk lives and its books are sound; nobody else's desk is ever wiped by it."""

from collections.abc import Iterator

import pytest
from tests.cli.shell import Shell, environment

from staddle.db import Server
from staddle.demo.catalogue import ASSETS, SALES

NAME = "demo_of_a_test"


@pytest.fixture
def at_demo(server: Server, shell: Shell) -> Iterator[Shell]:
    with environment(server.dsn_of(NAME)) as patch:
        patch.setenv("STADDLE_DATABASE", NAME)
        yield shell
    server.drop(NAME)


def test_a_small_demo_lives_and_is_audited(at_demo: Shell) -> None:
    told = at_demo.done("demo", "--customers", "24", "--days", "9", "--seed", "3")
    assert told["audit"]["is_sound"] is True
    assert told["story"]["now_at"] == "2026-01-14T00:00:00Z"
    assert told["story"]["runs"] == 9
    assert all(len(each["left"].split(".")[1]) in {6, 8} for each in told["story"]["runway"])
    assert {each["code"] for each in told["story"]["products"]} == {sale.code for sale in SALES}
    assert {each["asset"] for each in told["story"]["runway"]} == {code for code, _, _ in ASSETS}
    assert sum(told["story"]["acts_done"].values()) > 10
    assert at_demo.done("audit")["is_sound"] is True
    waiting = at_demo.done("approvals", "list")["approvals"]
    assert {each["asked_by"] for each in waiting} == {"alice", "bob", "carol"}
    assert all(each["state"] == "waiting" for each in waiting)
    for each in waiting:
        somebody_else = "bob" if each["asked_by"] != "bob" else "carol"
        at_demo.done("approvals", "approve", str(each["approval_id"]), "--as", somebody_else)
    again = at_demo("demo", "--customers", "24", "--days", "2", "--seed", "3")
    assert again.code == 0
    assert "The books are sound" in again.out
    assert "export STADDLE_DATABASE=" in again.out


def test_the_same_seed_lives_the_same_life(at_demo: Shell) -> None:
    first, second = (at_demo.done("demo", "--customers", "20", "--days", "4") for _ in range(2))
    assert first["story"] == second["story"]


def test_another_desk_is_left_alone(desk: Shell) -> None:
    before = desk("balances", "ann", "--json").out
    problem = desk.refused("already_exists", 4, "demo", "--days", "1", "--database", desk.database)
    assert "left alone" in problem["message"]
    assert desk("balances", "ann", "--json").out == before


def test_the_demo_has_what_a_desk_can_sell() -> None:
    terms = [sale.term_days for sale in SALES]
    assert {None, 7, 14, 30, 60, 90, 120} <= set(terms)
    kinds = [sale.terms for sale in SALES]
    assert {each.get("early_redemption") for each in kinds} >= {"keep_fraction", "reduced_apr", "not_allowed"}
    assert {each.get("at_maturity") for each in kinds} >= {"renew", "to_flexible"}
    assert any(each.get("payout") == "at_maturity" for each in kinds)

"""The acts that are killed: each a list of commands with fixed keys, at a fixed instant, upon the lived-in desk."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from tests.faults.lived import NAMES, NOW, RUN_AT, RUN_ON, customer_of, number_of, position_of, quote_of

from staddle import customers, positions, rewards, treasury
from staddle.db import Database, Tx
from staddle.failpoint import failpoint
from staddle.ledger import Command, Outcome
from staddle.rewards.seal import seal_all
from staddle.rewards.tick import tick

Decide = Callable[[Tx, Sequence[Any], datetime], Sequence[Outcome[Any]]]


def perform(database: Database, name: str) -> str:
    """Do an act, or the run, as an edge would; gives what its caller is answered, as JSON."""
    if name == "run":
        return _plain(rewards.run(database, RUN_ON, "ada", RUN_AT))
    if name == "catch_up":
        return _plain(rewards.catch_up(database, "ada", RUN_AT + timedelta(days=2)))
    if name == "mature":
        return _plain(rewards.mature_all(database, RUN_AT))
    if name == "seal":
        return _plain(seal_all(database, RUN_AT))
    if name == "tick":
        return _plain(tick(database, "ada", RUN_AT).runs)
    act, commands = _COMMANDS[name](database)
    with database.transaction() as tx:
        outcomes = act(tx, commands, NOW)
    failpoint("edge.committed")
    return json.dumps([_answered(outcome) for outcome in outcomes])


def _answered(outcome: Outcome[Any]) -> Any:
    if outcome.error is not None:
        return {"code": outcome.error.code(), "message": outcome.error.message}
    return json.loads(_plain(outcome.answer))


def _plain(answer: object) -> str:
    return msgspec.json.encode(answer).decode()


def _of_all(database: Database, make: Callable[[int], Command]) -> list[Command]:
    return [make(customer_of(database, name)) for name in NAMES]


def _subscribe(database: Database) -> tuple[Decide, list[Command]]:
    commands: list[Command] = [
        positions.Subscribe(
            customer_id=customer_id,
            key=f"subscribe {product}",
            product=product,
            amount=Decimal(amount),
            agreement_version=1,
        )
        for customer_id in (customer_of(database, name) for name in NAMES)
        for product, amount in (("FLEX", "321"), ("AGAIN", "77"), ("OPEN", "0.25"), ("LONG", "1000000"))
    ]
    return positions.subscribe, commands


def _redeem(database: Database) -> tuple[Decide, list[Command]]:
    def some(customer_id: int) -> Command:
        return positions.Redeem(
            customer_id=customer_id, key="redeem", product="FLEX", amount=Decimal(250), destination="spot"
        )

    def the_rest(customer_id: int) -> Command:
        return positions.Redeem(customer_id=customer_id, key="redeem all", product="FLEX")

    return positions.redeem, [*_of_all(database, some), *_of_all(database, the_rest)[:3]]


def _ask(database: Database) -> tuple[Decide, list[Command]]:
    return positions.ask_to_leave, [
        positions.AskToLeave(
            customer_id=customer_of(database, name),
            key="ask",
            position_id=position_of(database, name, "LONG"),
        )
        for name in NAMES
    ]


def _confirm(database: Database) -> tuple[Decide, list[Command]]:
    carl = customer_of(database, "carl")
    confirm = positions.ConfirmLeave(customer_id=carl, key="confirm", quote_id=quote_of(database, "carl"))
    return positions.confirm_leave, [confirm]


def _choose(database: Database) -> tuple[Decide, list[Command]]:
    return positions.choose_at_maturity, [
        positions.ChooseAtMaturity(
            customer_id=customer_of(database, name),
            key="choose",
            position_id=position_of(database, name, "LONG"),
            at_maturity="renew",
            redeem_to="spot",
        )
        for name in NAMES
    ]


def _auto(database: Database) -> tuple[Decide, list[Command]]:
    return positions.set_auto_subscribe, _of_all(
        database,
        lambda customer_id: positions.SetAutoSubscribe(
            customer_id=customer_id, key="auto", product="FLEX", floor=Decimal(100), agreement_version=1
        ),
    )


def _guard(database: Database) -> tuple[Decide, list[Command]]:
    return positions.set_rate_guard, _of_all(
        database,
        lambda customer_id: positions.SetRateGuard(
            customer_id=customer_id, key="guard", product="FLEX", apr_min=Decimal("0.05"), action="redeem"
        ),
    )


def _deposit(database: Database) -> tuple[Decide, list[Command]]:
    return customers.deposit, _of_all(
        database,
        lambda customer_id: customers.Deposit(
            customer_id=customer_id, key="deposit", asset="USDT", account="spot", amount=Decimal("12.5")
        ),
    )


def _withdraw(database: Database) -> tuple[Decide, list[Command]]:
    return customers.withdraw, _of_all(
        database,
        lambda customer_id: customers.Withdraw(
            customer_id=customer_id, key="withdraw", asset="BTC", account="spot", amount=Decimal("1.25")
        ),
    )


def _transfer(database: Database) -> tuple[Decide, list[Command]]:
    return customers.transfer, _of_all(
        database,
        lambda customer_id: customers.TransferBetween(
            customer_id=customer_id,
            key="transfer",
            asset="USDT",
            source="spot",
            destination="funding",
            amount=Decimal("99.99"),
        ),
    )


def _ask_pool(database: Database) -> tuple[Decide, list[Command]]:
    return treasury.ask_pool_move, [
        treasury.AskPoolMove(key=f"ask {move}", by="ada", move=move, asset="USDT", amount=Decimal(1000))
        for move in ("funding", "withdrawal")
    ]


def _approve_pool(database: Database) -> tuple[Decide, list[Command]]:
    number = number_of(database, "SELECT max(approval_id) FROM approval WHERE act = 'move_pool'")
    return treasury.approve_pool_move, [treasury.ApprovePoolMove(key="approve", by="bob", approval_id=number)]


_COMMANDS: dict[str, Callable[[Database], tuple[Decide, list[Command]]]] = {
    "subscribe": _subscribe,
    "redeem": _redeem,
    "ask_to_leave": _ask,
    "confirm_leave": _confirm,
    "choose_at_maturity": _choose,
    "set_auto_subscribe": _auto,
    "set_rate_guard": _guard,
    "deposit": _deposit,
    "withdrawal": _withdraw,
    "transfer": _transfer,
    "ask_pool_move": _ask_pool,
    "approve_pool_move": _approve_pool,
}
"""Every act that is answered under a key, by the name of its failpoints."""

UNKEYED = ("mature", "run", "seal", "tick")
"""They are many transactions, so some of their work stands when they are killed."""

UNANSWERED = ("mature", "seal", "tick", "ask_pool_move")
"""They answer with what they have done themselves, or with a number that the server gives out."""

PLACES: dict[str, tuple[str, ...]] = {
    **{act: (f"{act}.locked", f"{act}.written", f"{act}.stored", "edge.committed") for act in _COMMANDS},
    "mature": ("settle.paid", "settle.changed", "post.moved", "mature.before_commit", "mature.committed"),
    "seal": ("seal.transfers", "seal.transfers#4", "seal.before_commit", "seal.before_commit#3"),
    "tick": (
        "run.piece_committed#2",
        "redeem.stored",
        "subscribe.locked",
        "subscribe.stored#2",
        "seal.transfers#2",
    ),
    "run": (
        "mature.before_commit",
        "settle.changed",
        "mature.committed",
        "run.matured",
        "run.opened",
        "run.worked_out",
        "run.plan_kept",
        "run.planned",
        "run.piece_paid",
        "run.piece_before_commit#2",
        "run.piece_committed",
        "run.piece_committed#3",
        "run.paid",
        "run.before_publishing",
        "run.published",
    ),
}
"""Where each of them is killed; `#2` is the second visit."""
for _act, _more in {
    "subscribe": ("post.moved",),
    "redeem": ("settle.paid", "settle.changed", "settle.paid#2", "post.moved", "post.moved#2"),
    "ask_to_leave": ("settle.paid", "settle.changed"),
    "confirm_leave": ("settle.paid", "settle.changed", "post.moved"),
    "deposit": ("post.moved",),
    "withdrawal": ("post.moved",),
    "transfer": ("post.moved",),
    "approve_pool_move": ("post.moved",),
}.items():
    PLACES[_act] += _more

CASES = [(act, place) for act, places in PLACES.items() for place in places]

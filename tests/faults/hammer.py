"""One of many processes that hammer one desk: `python -m tests.faults.hammer CONNECTION WORKER COUNT INSTANT PRODUCTS`.

Customers' acts in lists, on the same few customers and products, from an instant on. Workers 2n and 2n + 1 are twins:
some of their commands have the same keys, as a client has who repeats what timed out. Prints the answers to those.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from staddle import customers, positions
from staddle.db import Database
from staddle.ledger import Outcome

STEP = Decimal("0.1")
BEGAN = time.time()


class Worker:
    """A process' dice, keys and customers."""

    def __init__(self, database: Database, number: int, at: datetime, products: Sequence[str]) -> None:
        self.at = at
        self.products = products
        self.database = database
        self.number = number
        self.dice = random.Random(number)
        self.twin_dice = random.Random(1000 + number // 2)
        self.answers: dict[str, Any] = {}
        self.count = 0
        with database.transaction() as tx:
            rows = tx.execute("SELECT customer_id FROM customer ORDER BY customer_id").fetchall()
        self.customers = [row.customer_id for row in rows]

    def key(self) -> str:
        self.count += 1
        return f"worker {self.number}: {self.count}"

    def do(self, act: Callable[..., list[Outcome[Any]]], commands: Sequence[Any]) -> list[Outcome[Any]]:
        """One transaction, as an edge does it; the clock goes a hundred times faster than ours."""
        now = self.at + timedelta(seconds=100 * (time.time() - BEGAN))
        with self.database.transaction() as tx:
            return act(tx, commands, now)

    def some(self) -> list[int]:
        return self.dice.choices(self.customers, k=self.dice.randint(1, 5))

    def subscribe(self) -> None:
        self.do(
            positions.subscribe,
            [
                positions.Subscribe(
                    customer_id=customer_id,
                    key=self.key(),
                    product=self.dice.choice(self.products),
                    amount=self.dice.randint(1, 12) * STEP,
                    agreement_version=1,
                )
                for customer_id in self.some()
            ],
        )

    def redeem(self) -> None:
        self.do(
            positions.redeem,
            [
                positions.Redeem(
                    customer_id=customer_id,
                    key=self.key(),
                    product=self.dice.choice(self.products),
                    amount=self.dice.choice([None, self.dice.randint(1, 12) * STEP]),
                    destination="spot",
                )
                for customer_id in self.some()
            ],
        )

    def leave(self) -> None:
        """Ask for a quote of an open fixed position, whoever's, and confirm it."""
        with self.database.transaction() as tx:
            rows = tx.execute(
                "SELECT customer_id, position_id FROM position WHERE ended_at IS NULL AND term_days > 2"
            ).fetchall()
        if not rows:
            return
        row = self.dice.choice(rows)
        ask = positions.AskToLeave(customer_id=row.customer_id, key=self.key(), position_id=row.position_id)
        [asked] = self.do(positions.ask_to_leave, [ask])
        if asked.answer is not None:
            quote_id = asked.answer.quote_id
            confirm = positions.ConfirmLeave(customer_id=row.customer_id, key=self.key(), quote_id=quote_id)
            self.do(positions.confirm_leave, [confirm])

    def move(self) -> None:
        self.do(
            customers.transfer,
            [
                customers.TransferBetween(
                    customer_id=customer_id,
                    key=self.key(),
                    asset="BTC",
                    source="funding",
                    destination="spot",
                    amount=self.dice.randint(1, 9) * STEP,
                )
                for customer_id in self.some()
            ],
        )

    def twin(self) -> None:
        """The same list with the same keys in both processes of a pair."""
        number = self.twin_dice.randint(0, 10**9)
        commands = [
            positions.Subscribe(
                customer_id=customer_id,
                key=f"twin {number} {place}",
                product=self.products[0],
                amount=self.twin_dice.randint(1, 5) * STEP,
                agreement_version=1,
            )
            for place, customer_id in enumerate(self.twin_dice.choices(self.customers, k=3))
        ]
        for command, outcome in zip(commands, self.do(positions.subscribe, commands), strict=True):
            answer = outcome.answer if outcome.error is None else outcome.error.code()
            self.answers[command.key] = json.loads(msgspec.json.encode(answer))

    def work(self, count: int) -> None:
        for turn in range(count):
            if turn % 6 == 5:
                self.twin()
            else:
                self.dice.choice([self.subscribe, self.subscribe, self.redeem, self.leave, self.move])()


def main(dsn: str, number: str, count: str, at: str, products: str) -> None:
    with Database(dsn, connections_max=2) as database:
        worker = Worker(database, int(number), datetime.fromisoformat(at), products.split(","))
        worker.work(int(count))
    print(json.dumps(worker.answers))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What happened at the demo desk, as figures to be shown."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from staddle import customers, desk, positions, products, rewards, treasury
from staddle.db import Database
from staddle.demo.live import Lived
from staddle.money import ZERO


@dataclass(frozen=True, slots=True)
class AssetPaid:
    """The rewards of one coin over all runs, and how many products and rewards there were."""

    asset: str
    products: int
    rewards: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Example:
    """A customer and their assets page."""

    customer: str
    assets: list[positions.ShownAsset]
    open_positions: int


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that the demo ends with."""

    now_at: datetime
    products: list[products.ProductOffer]
    paid: list[AssetPaid]
    last_runs: list[rewards.RunReport]
    examples: list[Example]
    runway: list[treasury.Runway]
    acts_done: dict[str, int]
    refusals: list[dict[str, object]]
    runs: int
    runs_caught_up: int
    runs_released: list[str]
    auto_subscribed: int
    guards_applied: int


def tell_story(database: Database, lived: Lived, references: list[str]) -> Story:
    """Gather what happened."""
    with database.transaction() as tx:
        now = desk.find_desk(tx).clock_at
        assert now is not None
        found = customers.find_customers(tx, references)
        examples = []
        for reference in references:
            customer_id = found[reference].customer_id
            held = positions.positions_of(tx, customer_id, now, count=1_000)
            examples.append(Example(reference, positions.assets_of(tx, customer_id), len(held)))
        refusals = [
            {"act": act, "code": code, "count": count}
            for (act, code), count in sorted(lived.refused.items(), key=lambda each: (each[0][0], -each[1]))
        ]
        return Story(
            now_at=now,
            products=products.list_products(tx, now),
            paid=paid_by_asset(lived.runs),
            last_runs=rewards.latest_runs(tx, 5),
            examples=examples,
            runway=treasury.runway(tx, now),
            acts_done=dict(sorted(lived.done.items())),
            refusals=refusals,
            runs=len(lived.runs),
            runs_caught_up=lived.caught_up,
            runs_released=[str(run_on) for run_on in lived.released],
            auto_subscribed=lived.auto_subscribed,
            guards_applied=lived.guards_applied,
        )


def paid_by_asset(runs: list[rewards.RunReport]) -> list[AssetPaid]:
    """Add the plans of all finished runs up by coin: what was owed was paid, by the run or by an act before it."""
    found: dict[str, AssetPaid] = {}
    seen: dict[str, set[str]] = {}
    for report in runs:
        for line in report.lines:
            before = found.get(line.asset, AssetPaid(line.asset, 0, 0, ZERO))
            seen.setdefault(line.asset, set()).add(line.product)
            found[line.asset] = AssetPaid(
                line.asset,
                len(seen[line.asset]),
                before.rewards + line.rewards_planned,
                before.amount + line.amount_planned,
            )
    return [found[asset] for asset in sorted(found)]

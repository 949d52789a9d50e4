"""What the run works out by set is what the rules say of each position by itself (rules 3, 5 and 6)."""

import random
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from tests.stories.stage import START

from staddle import ledger
from staddle.accrual.rules import Rate, Span, Tier, basis_after, paid_by
from staddle.days import DAY, full_days
from staddle.db import Database, Tx
from staddle.desk import add_operator, create_desk

ORIGIN = START.replace(hour=0, minute=0)
CUTOFFS = [ORIGIN + days * DAY for days in (1, 2, 3, 7, 40)]
INSTANTS = [
    timedelta(0),
    timedelta(hours=12),
    timedelta(hours=23, minutes=59, seconds=59, microseconds=999_999),
]


def random_rates(draw: random.Random, revisions: int) -> list[Rate]:
    """Revisions at any time of day, some of them twice on a day, each with its own tiers."""
    instants = sorted(
        {ORIGIN + draw.randrange(-1, 9) * DAY + draw.choice(INSTANTS) for _ in range(revisions)}
    )
    rates = []
    for number, instant in enumerate(instants, 1):
        bounds = [
            Decimal(0),
            *sorted(
                draw.sample([Decimal("0.5"), Decimal(10), Decimal(500), Decimal(501)], draw.randrange(4))
            ),
        ]
        ends = [*bounds[1:], None]
        tiers = tuple(
            Tier(low, end, Decimal(draw.randrange(200)) / 1000) for low, end in zip(bounds, ends, strict=True)
        )
        rates.append(Rate(number, instant, tiers))
    return rates


def keep_product(owner: Tx, product_id: int, rates: list[Rate]) -> None:
    """A product with these revisions."""
    owner.execute(
        "INSERT INTO product VALUES (%s, %s, %s, 'flexible', 'x', 'draft', NULL, NULL, NULL, %s)",
        (product_id, f"P{product_id}", 1 + product_id % 2, START),
    )
    for rate in rates:
        owner.execute(
            "INSERT INTO rate_revision VALUES (%s, %s, %s, %s, 'ada', 'bob', NULL)",
            (product_id, rate.revision, rate.effective_at, rate.effective_at),
        )
        for tier in rate.tiers:
            owner.execute(
                "INSERT INTO rate_tier VALUES (%s, %s, %s, %s, %s)",
                (product_id, rate.revision, tier.amount_from, tier.amount_to, tier.apr),
            )


def keep_position(
    owner: Tx, draw: random.Random, number: int, assets: list[ledger.Asset], products: dict[int, list[Rate]]
) -> Any:
    """A position somewhere in its life: changed or not, on older principal or not, locked or floating, term or none."""
    product_id = draw.choice(list(products))
    asset = next(asset for asset in assets if asset.asset_id == 1 + product_id % 2)
    term_days = draw.choice([None, 3, 30])
    anchor_days = draw.choice([0, 0, 1, 2])
    principal = Decimal(draw.randrange(1, 10**9)) / 10**asset.scale * draw.choice([1, 1000, 10**6])
    started_at = (
        ORIGIN
        + draw.randrange(-2, 4) * DAY
        + draw.choice([*INSTANTS, timedelta(seconds=draw.randrange(86_400))])
    )
    figures = {
        "id": number * 256,
        "product_id": product_id,
        "started_at": started_at,
        "term_days": term_days,
        "matures_at": None if term_days is None else started_at + term_days * DAY,
        "principal": principal,
        "offset": draw.choice(
            [Decimal(0), Decimal(0), Decimal(1), Decimal(499), Decimal("500.5"), Decimal(501)]
        ),
        "locked": draw.choice([0, draw.choice(products[product_id]).revision]),
        "account": ledger.account_of(256, asset, ledger.AccountKind.FUNDING),
        "anchor_days": anchor_days,
        "anchor_basis": Decimal(draw.randrange(10**6)) / 1000 if anchor_days else Decimal(0),
    }
    owner.execute(
        "INSERT INTO position (cell, position_id, customer_id, product_id, version, request_key, started_at, term_days,"
        " matures_at, opened_principal, opened_offset, locked_revision, reward_account, agreement_version, principal,"
        " tier_offset, anchor_days, anchor_basis, at_maturity, redeem_to)"
        " VALUES (0, %(id)s, 256, %(product_id)s, 1, 'k', %(started_at)s, %(term_days)s, %(matures_at)s, %(principal)s,"
        " %(offset)s, %(locked)s, %(account)s, 1, %(principal)s, %(offset)s, %(anchor_days)s, %(anchor_basis)s,"
        " 'redeem', 'funding')",
        figures,
    )
    return figures | {"scale": asset.scale}


def owed(position: Any, rates: list[Rate], cutoff: datetime) -> tuple[int, Decimal, Decimal] | None:
    """The rules' own answer: day, basis and amount, or None where the position completes no unsettled day."""
    day = full_days(position["started_at"], cutoff)
    if day <= position["anchor_days"] or (position["term_days"] is not None and day > position["term_days"]):
        return None
    if position["locked"]:
        rates = [Rate(1, datetime.min.replace(tzinfo=UTC), rates[position["locked"] - 1].tiers)]
    span = Span(
        position["started_at"],
        position["principal"],
        position["offset"],
        position["anchor_days"],
        position["anchor_basis"],
    )
    before, basis = basis_after(span, day - 1, rates), basis_after(span, day, rates)
    return day, basis, paid_by(basis, position["scale"]) - paid_by(before, position["scale"])


def test_the_run_owes_each_position_exactly_what_the_rules_say(database: Database) -> None:
    draw = random.Random(20260110)
    with database.transaction() as tx:
        create_desk(tx, "Test desk", True, time(0), START)
        add_operator(tx, "ada", "ada", START)
        add_operator(tx, "ada", "bob", START)
        assets = [ledger.add_asset(tx, "BTC", "Bitcoin", 8), ledger.add_asset(tx, "ETH", "Ether", 18)]
    products = {number: random_rates(draw, draw.randrange(1, 7)) for number in range(1, 13)}
    with database.owner() as owner, owner.transaction():
        for product_id, rates in products.items():
            keep_product(owner, product_id, rates)
        positions = [keep_position(owner, draw, number, assets, products) for number in range(1, 801)]
    seen = 0
    with database.transaction() as tx:
        for cutoff in CUTOFFS:
            rows = tx.execute(
                "SELECT position_id, day, basis, amount FROM due_rewards(%s, 0, 255)", (cutoff,)
            ).fetchall()
            found = {row.position_id: (row.day, row.basis, row.amount) for row in rows}
            assert len(found) == len(rows)
            for position in positions:
                expected = owed(position, products[position["product_id"]], cutoff)
                assert found.pop(position["id"], None) == expected, (position, cutoff)
                seen += expected is not None
            assert not found
    assert seen > len(positions)

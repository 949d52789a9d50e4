"""The arithmetic in SQL is that in Python, and both are that of Fractions: properties hold them together."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.living import Living

from staddle.accrual.rules import Span, Tier, basis_after, blended_apr, day_basis, paid_by, reward_of_day
from staddle.days import DAY, days_begun_before, full_days, run_on_of
from staddle.db import Database, Server, Tx
from staddle.products.rates import Rate

MICROSECOND = timedelta(microseconds=1)
ORIGIN = datetime(2026, 2, 27, 13, 5, 7, 123_456, tzinfo=UTC)
PER_TEST = settings(max_examples=60, deadline=None, derandomize=True, database=None)

instants = st.builds(
    lambda length: datetime(2024, 2, 20, tzinfo=UTC) + length,
    st.timedeltas(timedelta(0), timedelta(days=1475)),
)
near = st.builds(
    lambda days, micros: days * DAY + micros * MICROSECOND, st.integers(0, 800), st.integers(-2, 2)
)
"""Lengths of time at the very edges of accrual days."""
amounts = st.one_of(
    st.decimals("0.00000001", "100000", places=8),
    st.sampled_from([Decimal(500), Decimal("499.99999999"), Decimal(5000), Decimal("0.00000001")]),
)
aprs = st.decimals("0", "5", places=6)


@st.composite
def tier_lists(draw: st.DrawFn) -> tuple[Tier, ...]:
    edges = sorted(draw(st.sets(amounts.filter(lambda amount: amount > 0), max_size=4)))
    starts, ends = [Decimal(0), *edges], [*edges, None]
    return tuple(Tier(low, high, draw(aprs)) for low, high in zip(starts, ends, strict=True))


@st.composite
def spans(draw: st.DrawFn) -> Span:
    anchor_days = draw(st.integers(0, 30))
    return Span(
        started_at=ORIGIN + draw(near) + draw(st.timedeltas(timedelta(0), DAY)),
        principal=draw(amounts),
        tier_offset=draw(st.one_of(st.just(Decimal(0)), amounts)),
        anchor_days=anchor_days,
        anchor_basis=draw(st.decimals("0", "10000", places=14)) if anchor_days else Decimal(0),
    )


@pytest.fixture(scope="module")
def desk(server: Server, template: str) -> Iterator[Database]:
    """One database for the whole file; each example gets a product of its own."""
    server.drop("twin")
    server.create("twin", template)
    with Database(server.dsn_of("twin")) as database:
        Living(database, ORIGIN).asset("USDT")
        yield database
    server.drop("twin")


def with_rates(desk: Database, rates: list[Rate]) -> Any:
    """Open the owner's transaction on product 7 with these rates; the example takes it back at its end."""
    owner = desk.owner()
    tx = owner.__enter__()
    tx.execute("BEGIN")
    tx.execute(
        "INSERT INTO product VALUES (7, 'TWIN', 1, 'flexible', 'Twin', 'draft', NULL, NULL, NULL, %s)",
        [ORIGIN],
    )
    for rate in rates:
        tx.execute(
            "INSERT INTO rate_revision VALUES (7, %s, %s, %s, 'ada', 'bob', NULL)",
            [rate.revision, rate.effective_at, rate.effective_at],
        )
        for tier in rate.tiers:
            tx.execute(
                "INSERT INTO rate_tier VALUES (7, %s, %s, %s, %s)",
                [rate.revision, tier.amount_from, tier.amount_to, tier.apr],
            )
    return owner, tx


def scalar(tx: Tx, query: str, *values: object) -> Any:
    row = tx.execute(query, values).fetchone()
    assert row is not None
    return row[0]


@PER_TEST
@given(start=instants, length=near)
@example(start=ORIGIN, length=timedelta(0))
@example(start=ORIGIN, length=DAY - MICROSECOND)
@example(start=ORIGIN, length=DAY)
@example(start=ORIGIN, length=DAY + MICROSECOND)
@example(start=ORIGIN, length=-MICROSECOND)
def test_days_are_counted_alike_to_the_microsecond(
    desk: Database, start: datetime, length: timedelta
) -> None:
    instant = start + length
    with desk.transaction() as tx:
        in_sql = tx.execute(
            "SELECT full_days(%s, %s), days_begun_before(%s, %s)", [start, instant, start, instant]
        ).fetchone()
    completed = len([day for day in range(1, 803) if start + day * DAY <= instant])
    begun = len([day for day in range(1, 803) if start + (day - 1) * DAY < instant])
    assert in_sql == (completed, begun)
    assert (full_days(start, instant), days_begun_before(start, instant)) == (completed, begun)


@PER_TEST
@given(completed_at=instants, hour=st.times())
@example(completed_at=datetime(2026, 3, 1, tzinfo=UTC), hour=time(0))
@example(completed_at=datetime(2026, 3, 1, 18, 30, tzinfo=UTC), hour=time(18, 30))
@example(completed_at=datetime(2026, 3, 1, 18, 30, 0, 1, tzinfo=UTC), hour=time(18, 30))
def test_a_day_is_paid_by_the_first_distribution_at_or_after_its_completion(
    desk: Database, completed_at: datetime, hour: time
) -> None:
    with desk.transaction() as tx:
        in_sql = scalar(tx, "SELECT run_on_of(%s, %s)", completed_at, hour)
    distribution = datetime.combine(in_sql, hour, UTC)
    assert distribution - DAY < completed_at <= distribution
    assert run_on_of(completed_at, hour) == in_sql


@PER_TEST
@given(principal=amounts, offset=st.one_of(st.just(Decimal(0)), amounts), tiers=tier_lists())
@example(
    principal=Decimal(10000),
    offset=Decimal(0),
    tiers=(Tier(Decimal(0), Decimal(500), Decimal("0.12")), Tier(Decimal(500), None, Decimal("0.008"))),
)
def test_tiers_are_filled_like_tax_brackets_above_the_older_principal(
    desk: Database, principal: Decimal, offset: Decimal, tiers: tuple[Tier, ...]
) -> None:
    low, top = Fraction(offset), Fraction(offset) + Fraction(principal)
    parts = []
    for tier in tiers:
        end = top if tier.amount_to is None else min(top, Fraction(tier.amount_to))
        parts.append(max(Fraction(0), end - max(low, Fraction(tier.amount_from))))
    with desk.transaction() as tx:
        in_sql = [
            scalar(
                tx,
                "SELECT amount_in_tier(%s, %s, %s, %s::numeric)",
                principal,
                offset,
                t.amount_from,
                t.amount_to,
            )
            for t in tiers
        ]
    assert [Fraction(part) for part in in_sql] == parts
    assert sum(parts) == Fraction(principal)
    interest = sum((part * Fraction(tier.apr) for part, tier in zip(parts, tiers, strict=True)), Fraction(0))
    assert Fraction(day_basis(principal, offset, tiers)) == interest
    assert Fraction(blended_apr(principal, offset, tiers)) == Fraction(
        floor(interest / Fraction(principal) * 10**8), 10**8
    )


@PER_TEST
@given(basis=st.decimals("0", "1000000000", places=20), scale=st.integers(0, 18))
@example(basis=Decimal(365), scale=0)
@example(basis=Decimal("364.99999999999999999999"), scale=0)
@example(basis=Decimal("0.00000365"), scale=8)
def test_what_is_paid_is_the_sum_divided_once_and_cut_once(
    desk: Database, basis: Decimal, scale: int
) -> None:
    expected = Fraction(floor(Fraction(basis) / 365 * 10**scale), 10**scale)
    with desk.transaction() as tx:
        in_sql = scalar(tx, "SELECT paid_by(%s, %s)", basis, Decimal(1).scaleb(-scale))
    assert Fraction(in_sql) == expected
    assert Fraction(paid_by(basis, scale)) == expected


@settings(PER_TEST, max_examples=40)
@given(
    span=spans(),
    first=tier_lists(),
    later=st.lists(st.tuples(near, tier_lists()), max_size=3, unique_by=lambda each: each[0]),
    days=st.integers(1, 40),
)
def test_the_sum_in_sql_the_sum_in_python_and_the_days_one_by_one_are_the_same(
    desk: Database,
    span: Span,
    first: tuple[Tier, ...],
    later: list[tuple[timedelta, tuple[Tier, ...]]],
    days: int,
) -> None:
    """Revisions fall on the very edges of accrual days; `due_rewards`, `earned_days`, `basis_after` all agree."""
    shifts = sorted((length for length, _ in later if length > timedelta(0)))
    tiers_of = dict(later)
    rates = [Rate(1, span.started_at - DAY, first)]
    rates += [Rate(2 + n, span.started_at + length, tiers_of[length]) for n, length in enumerate(shifts)]
    by_day = Fraction(span.anchor_basis)
    owner, tx = with_rates(desk, rates)
    last = span.anchor_days + days
    arguments = [7, 0, span.started_at, span.principal, span.tier_offset, span.anchor_days, span.anchor_basis]
    try:
        earned = tx.execute(
            "SELECT * FROM earned_days(%s, %s, %s, %s, %s, %s, %s, 0.00000001, %s, %s) ORDER BY day",
            [*arguments, span.anchor_days, last],
        ).fetchall()
        locked = scalar(
            tx, "SELECT basis_after(%s, 1, %s, %s, %s, %s, %s, %s)", arguments[0], *arguments[2:], last
        )
        due = due_of(tx, span, last)
    finally:
        tx.execute("ROLLBACK")
        owner.__exit__(None, None, None)
    total = Decimal(0)
    for row in earned[1:]:
        began = span.started_at + (row.day - 1) * DAY
        rate = [rate for rate in rates if rate.effective_at <= began][-1]
        by_day += Fraction(day_basis(span.principal, span.tier_offset, rate.tiers))
        assert Fraction(row.basis) == by_day
        assert basis_after(span, row.day, rates) == row.basis
        assert reward_of_day(span, row.day, rates, 8) == row.amount
        total += row.amount
    assert total == paid_by(earned[-1].basis, 8) - paid_by(span.anchor_basis, 8)
    assert earned[0].amount == 0
    assert basis_after(span, last, rates[:1]) == locked
    assert due == (last, earned[-1].basis, earned[-1].amount)


def due_of(tx: Tx, span: Span, last: int) -> tuple[int, Decimal, Decimal]:
    """What the run at the completion of the last day finds due for this span."""
    tx.execute(
        """INSERT INTO position (cell, position_id, customer_id, product_id, version, request_key, started_at,
                                 opened_principal, opened_offset, locked_revision, reward_account, agreement_version,
                                 principal, tier_offset, anchor_days, anchor_basis, at_maturity, redeem_to)
           VALUES (9, 265, 521, 7, 1, 'twin', %s, %s, %s, 0, account_of(521, 1::smallint, 8::smallint, 2), 1,
                   %s, %s, %s, %s, 'redeem', 'funding')""",
        [
            *(span.started_at, span.principal, span.tier_offset),
            *(span.principal, span.tier_offset, span.anchor_days, span.anchor_basis),
        ],
    )
    cutoff = span.started_at + last * DAY
    assert tx.execute("SELECT * FROM due_rewards(%s, 10, 255)", [cutoff]).fetchall() == []
    before = tx.execute(
        "SELECT day FROM due_rewards(%s, 0, 9)", [span.started_at + span.anchor_days * DAY]
    ).fetchall()
    assert before == []
    rows = tx.execute("SELECT day, basis, amount FROM due_rewards(%s, 0, 255)", [cutoff]).fetchall()
    assert len(rows) == 1
    for term_days, due in ((last, 1), (last - 1, 0)):
        if term_days > 0:
            matures_at = span.started_at + term_days * DAY
            tx.execute("UPDATE position SET term_days = %s, matures_at = %s", [term_days, matures_at])
            assert len(tx.execute("SELECT FROM due_rewards(%s, 0, 255)", [cutoff]).fetchall()) == due
    return rows[0].day, rows[0].basis, rows[0].amount

"""A customer's rewards: every one over all of history, what they add up to, and the receipt of each."""

from datetime import date
from typing import Any

from staddle.api.fields import Code, Id, id_of
from staddle.api.operation import Given, reads
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.rewards import (
    RewardFilter,
    RewardReceived,
    RewardTotal,
    receipt_json,
    receipt_named,
    reward_totals,
    rewards_received,
)
from staddle.server.allow import customer
from staddle.server.at import At

TAG = "Rewards"
FIRST_DATE, LAST_DATE = date(2000, 1, 1), date(9000, 1, 1)


@reads("/v1/rewards", allow=customer("read"), gives=Page[RewardReceived], tag=TAG)
def list_rewards(
    at: At,
    asset: Code | None = None,
    product: Code | None = None,
    position_id: Id | None = None,
    from_on: date | None = None,
    to_on: date | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[RewardReceived]:
    """List your rewards, newest first, over all of history; `from_on` and `to_on` are run dates, both included."""
    wanted = wanted_rewards(asset, product, position_id, from_on, to_on)
    before = read_cursor(cursor, tuple[date, int])
    found = rewards_received(at.tx, at.customer_id, wanted, before, limit + 1, at.now)
    return page(found, limit, lambda reward: (reward.run_on, reward.position_id))


@reads("/v1/rewards/totals", allow=customer("read"), gives=Page[RewardTotal], tag=TAG)
def total_rewards(
    at: At,
    asset: Code | None = None,
    product: Code | None = None,
    position_id: Id | None = None,
    from_on: date | None = None,
    to_on: date | None = None,
) -> Page[RewardTotal]:
    """Add your rewards up by coin, for the same filters: earned, taken back by early redemptions, and kept."""
    wanted = wanted_rewards(asset, product, position_id, from_on, to_on)
    return Page(items=reward_totals(at.tx, at.customer_id, wanted, at.now))


@reads("/v1/receipts/{receipt}", allow=customer("read"), gives=dict[str, Any], tag=TAG)
def show_receipt(at: At, receipt: str) -> Given:
    """Give the receipt of a reward, as `staddle verify-receipt` reads it: all that it takes to recompute it by hand.

    It is named by the position and the run date, such as 512-2026-01-31. docs/operate/receipts.md describes each field.
    """
    return Given(receipt_json(receipt_named(at.tx, at.customer_id, receipt, at.now)))


def wanted_rewards(
    asset: str | None, product: str | None, position_id: str | None, from_on: date | None, to_on: date | None
) -> RewardFilter:
    """Put the filters together; dates beyond any calendar of a desk are brought within it."""
    return RewardFilter(
        asset=asset,
        product=product,
        position_id=None if position_id is None else id_of(position_id),
        from_on=from_on and max(from_on, FIRST_DATE),
        to_on=to_on and min(max(to_on, FIRST_DATE), LAST_DATE),
    )

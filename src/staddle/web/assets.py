"""Assets: what a customer has of each coin, and what it has earned day by day, all from the ledger (rule 28)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from staddle.days import last_run_on
from staddle.desk import find_desk, prices_of
from staddle.money import ZERO, plain
from staddle.pages.chart import series_of
from staddle.pages.page import View, Visit, shows
from staddle.positions import ShownAsset, assets_of
from staddle.rewards import RewardDay, reward_days
from staddle.server.allow import customer
from staddle.web.worth import worth_of

LENGTHS = (30, 90)
"""How many days the chart can show."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RewardChart:
    """The rewards of one coin on each of the last days, the newest last; `series` is what the script draws."""

    asset: str
    scale: int
    days: Sequence[RewardDay]
    kept: Decimal
    forfeited: Decimal
    series: str


@shows("/assets", allow=customer("read"))
def show_assets(visit: Visit, asset: str = "", days: Literal[30, 90] = 30) -> View:
    """Show what the customer has of each coin, and the rewards of one of them day by day."""
    assets = assets_of(visit.tx, visit.customer_id)
    chosen = chosen_asset(assets, asset)
    chart = None if chosen is None else reward_chart(visit, chosen, days)
    earning = [each.asset for each in assets if each.lifetime_rewards]
    worth = worth_of(assets, prices_of(visit.tx), visit.now)
    money = {"assets": assets, "worth": worth}
    rewards = {"earning": earning, "chart": chart, "days": days, "lengths": LENGTHS}
    return View("assets.html", {**money, **rewards}, part="rewards")


def chosen_asset(assets: Sequence[ShownAsset], wish: str) -> ShownAsset | None:
    """Give the coin whose rewards are shown: the one that is wished for, else the first one that ever earned any."""
    earning = [each for each in assets if each.lifetime_rewards] or list(assets)
    return next((each for each in assets if each.asset == wish), earning[0] if earning else None)


def reward_chart(visit: Visit, asset: ShownAsset, length: int) -> RewardChart:
    """Put the last days of a coin's rewards together; a day without any has a bar of no height."""
    last = last_run_on(visit.now, find_desk(visit.tx).distribution_time)
    first = last - (length - 1) * ONE_DAY
    found = {each.run_on: each for each in reward_days(visit.tx, visit.customer_id, asset.asset, first, last)}
    days = [found.get(on) or no_rewards(on) for on in (first + number * ONE_DAY for number in range(length))]
    instants = [seconds_of(each.run_on) for each in days]
    kept = [plain(each.rewards_kept) for each in days]
    return RewardChart(
        asset=asset.asset,
        scale=asset.scale,
        days=days,
        kept=sum((each.rewards_kept for each in days), ZERO),
        forfeited=sum((each.rewards_forfeited for each in days), ZERO),
        series=series_of(instants, kept, visit.say("Rewards"), asset.asset),
    )


def no_rewards(on: date) -> RewardDay:
    """Make a day on which nothing was earned."""
    return RewardDay(run_on=on, rewards=ZERO, rewards_forfeited=ZERO, rewards_kept=ZERO)


def seconds_of(on: date) -> int:
    """Give the midnight of a date, UTC, as charts count: in seconds."""
    return (datetime.combine(on, time(0), UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)

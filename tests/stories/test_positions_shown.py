"""Rules 26 and 28: the position page and the assets page."""

from datetime import timedelta
from decimal import Decimal

from tests.living import START, Living

from staddle import positions
from staddle.days import DAY
from staddle.db import Database
from staddle.positions import PositionInFull, ShownAsset, ShownPosition

D = Decimal


def page(living: Living, customer_id: int, position_id: int) -> PositionInFull:
    with living.database.transaction() as tx:
        return positions.position_of(tx, customer_id, position_id, living.now)


def listed(living: Living, customer_id: int, **wanted: object) -> list[ShownPosition]:
    with living.database.transaction() as tx:
        return positions.positions_of(tx, customer_id, living.now, **wanted)  # type: ignore[arg-type]


def asset(living: Living, customer_id: int, code: str) -> ShownAsset:
    with living.database.transaction() as tx:
        return {shown.asset: shown for shown in positions.assets_of(tx, customer_id)}[code]


def test_a_running_position_shows_its_days_its_next_payout_and_its_progress(database: Database) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=30)
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FIX", "1000")
    living.comes(START + timedelta(days=2, hours=9))
    living.catch_up()
    shown = page(living, anna, position).position
    assert (shown.state, shown.days_done, shown.days_paid) == ("open", 2, 2)
    assert (shown.progress_seconds, shown.term_seconds) == ((2 * 24 + 9) * 3600, 30 * 86400)
    assert shown.day_ends_at == START + 3 * DAY
    assert shown.next_payout_at == (START + 4 * DAY).replace(hour=0, minute=0)
    assert shown.next_payout == D("0.21917808")  # 0.65753424 after three days
    assert shown.rewards_paid == shown.rewards_earned == D("0.43835616")
    assert shown.rewards_accrued == shown.rewards_due == shown.rewards_forfeited == 0
    assert (shown.headline_apr, shown.blended_apr, shown.matures_at) == (
        D("0.08"),
        D("0.08"),
        START + 30 * DAY,
    )

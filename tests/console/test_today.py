"""Today: green means that all is proved; otherwise the first thing to do stands at the head of the page."""

from datetime import UTC, datetime, timedelta

from tests.api.world import Service
from tests.web.visitor import Visitor, rows

from staddle.desk import clear_alarm, raise_alarm
from staddle.ledger import turnover
from staddle.money import plain
from staddle.rewards import latest_runs
from staddle.server.standing import standing
from staddle.server.tasks import AWAY_AFTER
from staddle.treasury import runway


def test_today_shows_what_the_last_run_paid_and_how_long_each_pool_lasts(
    service: Service, ada: Visitor
) -> None:
    text = ada.see("/console")
    with service.database.transaction() as tx:
        [last] = latest_runs(tx, 1)
        pools = runway(tx, service.living.now)
    paid = {line.asset for line in last.lines if line.amount_planned}
    assert paid
    for asset in paid:
        assert asset in text
    for pool in pools:
        assert f"{plain(pool.left):.6}".split(".")[0][-3:] in text


def test_the_first_thing_to_do_is_the_most_urgent_one(service: Service, ada: Visitor) -> None:
    now = service.living.now
    with service.database.transaction() as tx:
        raise_alarm(tx, "rate_source_failed", "USDT-FLEX", {}, now)
        raise_alarm(tx, "runway_short", "USDT", {}, now)
        raise_alarm(tx, "audit_failed", "books", {}, now)
        kinds = [each.what for each in standing(tx, now, now + timedelta(days=9000)).to_do]
    named = ["audit_failed", "runway_short", "rate_source_failed"]
    assert [kind for kind in kinds if kind in named] == named
    page = ada.get("/console").text
    head = page[page.index('id="verdict"') :]
    assert "All proved" not in page
    assert (
        head.index("wrong in the books") < head.index("pool will not last") < head.index("Rate source failed")
    )
    with service.database.transaction() as tx:
        for kind, subject in (
            ("rate_source_failed", "USDT-FLEX"),
            ("runway_short", "USDT"),
            ("audit_failed", "books"),
        ):
            clear_alarm(tx, kind, subject, now)


def test_a_desk_whose_schedule_nobody_keeps_is_not_called_proved(service: Service, ada: Visitor) -> None:
    now, kept_until = service.living.now, datetime.now(UTC)
    with service.database.transaction() as tx:
        tx.execute(
            "INSERT INTO leader (holder, beat) VALUES ('', 0) ON CONFLICT (is_the_only_one) DO NOTHING"
        )
        tx.execute("UPDATE leader SET holder = 'somebody', recorded_at = %s", (kept_until,))
        kept = standing(tx, now, kept_until + AWAY_AFTER - timedelta(seconds=1))
        left = standing(tx, now, kept_until + AWAY_AFTER)
        tx.execute("UPDATE leader SET holder = ''")
    assert "no_worker" not in {each.what for each in kept.to_do}
    assert left.to_do[0].what == "no_worker"
    assert not left.is_proved
    assert "Nobody keeps the schedule" in ada.see("/console")


def test_what_was_moved_in_a_period_is_the_sum_of_its_transfers(service: Service) -> None:
    until = service.living.now
    with service.database.transaction() as tx:
        found = turnover(tx, until - timedelta(days=20), until, ("subscription", "deposit"))
    expected = rows(
        service,
        """
        SELECT kind, code, count(*) AS n, sum(amount) AS amount
          FROM transfer JOIN asset ON asset_id = account_asset(debit_account)
         WHERE kind IN ('subscription', 'deposit') AND effective_at > %s AND effective_at <= %s
         GROUP BY kind, code ORDER BY kind, code
        """,
        until - timedelta(days=20),
        until,
    )
    assert found
    told = [(each.kind, each.asset, each.transfers, each.amount) for each in found]
    assert sorted(told) == [(row.kind, row.code, row.n, row.amount) for row in expected]

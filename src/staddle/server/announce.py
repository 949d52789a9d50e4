"""What the desk announces by itself: products that open, sell out, halt or close; runs that are finished; alarms."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from staddle.days import format_instant
from staddle.db import Database, Tx
from staddle.desk import Alarm, list_alarms
from staddle.document import document
from staddle.ledger import HOUSE
from staddle.money import plain
from staddle.notices import Notice, announce_changes
from staddle.products import ProductOffer, list_products
from staddle.rewards import RunReport, latest_runs

SHOWN = ("live", "closed", "retired")
RUNS_AT_ONCE = 30
ALARMS_AT_ONCE = 500
CALM = timedelta(minutes=10)
"""A product that is sold out and open by turns, as customers come and go, is called open no more often than this."""
KINDS_OF_STATUS = {
    "open": "product_opened",
    "sold_out": "product_sold_out",
    "halted": "product_halted",
    "closed": "product_closed",
}


def announce(database: Database, now: datetime) -> int:
    """Announce what has changed since it was last looked at; gives how many things. `now` is the desk's clock."""
    with database.transaction() as tx:
        seen = _Seen(tx, now)

        def is_early(before: str, standing: str, announced_at: datetime) -> bool:
            return (before, standing) == ("sold_out", "open") and now - announced_at < CALM

        return announce_changes(tx, seen.standings(), seen.notices_of, now, is_early)


class _Seen:
    """How things stand at one moment, and how a change of each is worded."""

    def __init__(self, tx: Tx, now: datetime) -> None:
        self._products = {offer.code: offer for offer in list_products(tx, now, SHOWN)}
        self._runs = [run for run in latest_runs(tx, RUNS_AT_ONCE) if run.state == "finished"]
        self._alarms = {str(alarm.alarm_id): alarm for alarm in list_alarms(tx, count=ALARMS_AT_ONCE)}

    def standings(self) -> dict[str, str]:
        """Give the standing of each subject."""
        standings: dict[str, str] = {
            f"product {code}": offer.status for code, offer in self._products.items()
        }
        standings |= {
            f"redeeming {code}": f"halted: {offer.redeem_halt}"
            for code, offer in self._products.items()
            if offer.redeem_halt
        }
        standings |= {f"alarm {number}": "open" for number in self._alarms}
        if self._runs:
            standings["runs"] = self._runs[0].run_on.isoformat()
        return standings

    def notices_of(self, subject: str, before: str | None, standing: str) -> Sequence[Notice]:
        """Word what has changed of a subject."""
        what, _, name = subject.partition(" ")
        if what == "product":
            return self._of_product(name, standing)
        if what == "redeeming":
            offer = self._products.get(name)
            if offer is None or offer.redeem_halt is None:
                return [Notice(HOUSE, "redeeming_resumed", {"product": name})]
            return [Notice(HOUSE, "redeeming_halted", {"product": name, "reason": offer.redeem_halt})]
        if what == "alarm":
            alarm = self._alarms.get(name)
            cleared = Notice(HOUSE, "alarm_cleared", {"alarm_id": int(name)})
            return [cleared if alarm is None else _alarm(alarm)]
        since = None if before is None else date.fromisoformat(before)
        new = [run for run in reversed(self._runs) if since is None or run.run_on > since]
        return [notice for run in new for notice in _run(run)]

    def _of_product(self, code: str, standing: str) -> list[Notice]:
        offer = self._products.get(code)
        if offer is None or standing not in KINDS_OF_STATUS:
            return []
        body: dict[str, Any] = {"product": code, "asset": offer.asset, "kind": offer.kind, "name": offer.name}
        if standing == "open":
            body |= _rate(offer)
        if standing == "halted":
            body["reason"] = offer.subscribe_halt
        return [Notice(HOUSE, KINDS_OF_STATUS[standing], body)]


def _rate(offer: ProductOffer) -> dict[str, object]:
    """The headline never goes out without "up to" where some amounts get less (rule 11)."""
    if offer.rate is None:
        return {"headline_apr": None, "is_up_to": False}
    return {"headline_apr": plain(offer.rate.headline_apr), "is_up_to": offer.rate.is_up_to}


def _alarm(alarm: Alarm) -> Notice:
    told = {
        "alarm_id": alarm.alarm_id,
        "kind": alarm.kind,
        "subject": alarm.subject,
        "details": document(alarm.details, {}),
        "raised_at": format_instant(alarm.raised_at),
    }
    return Notice(HOUSE, "alarm", told)


def _run(run: RunReport) -> list[Notice]:
    """Customers are told that rewards were paid, the desk how much."""
    paid = {"run_on": run.run_on.isoformat(), "distributed_at": format_instant(run.distributed_at)}
    products = [
        {
            "product": line.product,
            "asset": line.asset,
            "rewards_paid": line.rewards_paid,
            "amount_paid": plain(line.amount_paid),
        }
        for line in run.lines
    ]
    totals = {"parked_count": run.parked_count, "products": products}
    return [
        Notice(HOUSE, "rewards_distributed", paid),
        Notice(HOUSE, "reward_run_finished", paid | totals),
    ]

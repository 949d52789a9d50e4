"""The desk itself: its settings and limits, its coins and agreement, its log, its alarms, and a sandbox's clock."""

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec

from staddle.api.fields import AmountText, Body, Id, id_of
from staddle.api.once import once
from staddle.api.operation import Given, reads, works, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.customers import PublishedVersion, list_agreements, publish_agreement
from staddle.days import parse_duration
from staddle.desk import (
    Alarm,
    Desk,
    LogEntry,
    LogFilter,
    add_asset,
    change_limits,
    change_redemption_limits,
    count_pending,
    dismiss_alarm,
    find_desk,
    list_alarms,
    now_of,
    read_log,
)
from staddle.desk.log_file import log_file
from staddle.errors import AlarmNotFound, InvalidChoice
from staddle.money import parse_decimal
from staddle.rewards import RunReport, instant_after, move_clock
from staddle.server.allow import ANYBODY, operator
from staddle.server.at import At, OnDatabase
from staddle.server.describe_errors import ErrorDescribed, describe_errors

TAG = "Desk"
ALARMS_MAX = 1_000
LogWord: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)] | None
Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
DaysMin = Annotated[int, msgspec.Meta(description="The reward pool should last this many days.")]


class DeskShown(msgspec.Struct, frozen=True, kw_only=True):
    """The desk's settings, what time it is there, and what waits."""

    now_at: datetime
    desk: Desk
    approvals_waiting: int
    alarms_open: int


class LimitsBody(Body, frozen=True, kw_only=True):
    """The limits of reward runs and of what is usual; what is left out stays."""

    run_change_max: AmountText | None = None
    runway_days_min: DaysMin | None = None
    redemptions_times_max: Annotated[
        AmountText | None,
        msgspec.Meta(description="So many times the average of 30 days are unusual redemptions of a day."),
    ] = None
    redemptions_share_max: Annotated[
        AmountText | None,
        msgspec.Meta(description="This fraction of what is staked is an unusual day of redemptions."),
    ] = None


class AssetBody(Body, frozen=True, kw_only=True):
    """A coin. `scale` is the number of decimals that a balance can hold, for ever."""

    code: Annotated[str, msgspec.Meta(max_length=12, examples=["BTC"])]
    name: Annotated[str, msgspec.Meta(max_length=80)]
    scale: Annotated[int, msgspec.Meta(ge=0, le=18)] = 8


class AgreementBody(Body, frozen=True, kw_only=True):
    """The text of the staking service agreement."""

    title: Annotated[str, msgspec.Meta(max_length=200)]
    body: str


class AgreementPublished(msgspec.Struct, frozen=True, kw_only=True):
    """The version that is in force now."""

    version: int
    title: str


class CoinAdded(msgspec.Struct, frozen=True, kw_only=True):
    """A coin of the desk."""

    asset_id: int
    code: str
    name: str
    scale: int


class ClockBody(Body, frozen=True, kw_only=True):
    """Where a sandbox's clock is to go: `to` an instant, or forward `by` a length of time such as 3d or 36h.

    With `is_lived` it stops at each distribution time on the way, and what is due is done.
    """

    to: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    by: Annotated[str, msgspec.Meta(max_length=40, examples=["1d12h"])] | None = None
    is_lived: bool = False


class ClockMoved(msgspec.Struct, frozen=True, kw_only=True):
    """What time it is now, and the runs on the way; the last may wait for a second person."""

    now_at: datetime
    runs: list[RunReport]


@reads("/v1/desk", allow=operator("viewer"), gives=DeskShown, tag=TAG)
def show_desk(at: At) -> DeskShown:
    """Show the desk's settings, what time it is there, and what waits for somebody."""
    return DeskShown(
        now_at=at.now,
        desk=find_desk(at.tx),
        approvals_waiting=count_pending(at.tx),
        alarms_open=len(list_alarms(at.tx, count=ALARMS_MAX)),
    )


@writes("PATCH", "/v1/desk/limits", allow=operator("treasury"), gives=Desk, tag=TAG)
def change_run_limits(at: At, body: LimitsBody) -> Given:
    """Change the limits outside which a reward run waits for a second person, or something is alarmed."""
    there = find_desk(at.tx)
    change = there.run_change_max if body.run_change_max is None else parse_decimal(body.run_change_max)
    days = there.runway_days_min if body.runway_days_min is None else body.runway_days_min
    times, share = body.redemptions_times_max, body.redemptions_share_max

    def do() -> Desk:
        change_limits(at.tx, at.by, change, days, at.now)
        return change_redemption_limits(
            at.tx,
            at.by,
            None if times is None else parse_decimal(times),
            None if share is None else parse_decimal(share),
            at.now,
        )

    what = {"run_change_max": body.run_change_max, "runway_days_min": body.runway_days_min}
    new = {"redemptions_times_max": times, "redemptions_share_max": share}
    # What was kept under a key before there were the newer limits is still the answer to it.
    what |= {name: each for name, each in new.items() if each is not None}
    return once(at, "change_limits", what, do)


@reads("/v1/desk/log", allow=operator("viewer"), gives=Page[LogEntry], tag=TAG)
def list_log(
    at: At,
    by: LogWord = None,
    act: LogWord = None,
    subject: LogWord = None,
    from_at: Instant | None = None,
    before_at: Instant | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[LogEntry]:
    """List who did what, newest first: all of it, or what one operator did, of one act, about one thing, in a period.

    Nobody can edit it: every entry is chained by hash to those before, and `staddle audit` proves it.
    """
    found = read_log(
        at.tx, limit + 1, read_cursor(cursor, int), LogFilter(by, act, subject, from_at, before_at)
    )
    return page(found, limit, lambda entry: entry.log_id)


@reads("/v1/desk/log.csv", allow=operator("viewer"), gives=bytes, tag=TAG, media_type="text/csv")
def download_log(
    at: At,
    by: LogWord = None,
    act: LogWord = None,
    subject: LogWord = None,
    from_at: Instant | None = None,
    before_at: Instant | None = None,
) -> Given:
    """Download the log as CSV, with the same choices: log_id, at, operator, act, subject, details (JSON)."""
    file = log_file(at.tx, LogFilter(by, act, subject, from_at, before_at))
    headers = {"Content-Disposition": 'attachment; filename="log.csv"'}
    return Given(file, headers=headers, media_type="text/csv")


@writes("POST", "/v1/assets", allow=operator("product"), gives=CoinAdded, tag=TAG)
def add_coin(at: At, body: AssetBody) -> Given:
    """Add a coin; the same one again changes nothing."""

    def add() -> CoinAdded:
        asset = add_asset(at.tx, at.by, body.code, body.name, body.scale, at.now)
        return CoinAdded(asset_id=asset.asset_id, code=asset.code, name=asset.name, scale=asset.scale)

    return once(at, "add_asset", {"asset": body}, add)


@reads("/v1/agreements", allow=operator("viewer"), gives=list[PublishedVersion], tag=TAG)
def list_agreement_versions(at: At) -> list[PublishedVersion]:
    """List the versions of the staking service agreement, oldest first: when each was published, and by whom."""
    return list_agreements(at.tx)


@writes("POST", "/v1/agreements", allow=operator("product"), gives=AgreementPublished, tag=TAG)
def publish_new_agreement(at: At, body: AgreementBody) -> Given:
    """Publish a new version of the agreement, which every subscription from now on must accept."""

    def publish() -> AgreementPublished:
        version = publish_agreement(at.tx, at.by, body.title, body.body, at.now)
        return AgreementPublished(version=version, title=body.title)

    return once(at, "publish_agreement", {"agreement": body}, publish)


@reads("/v1/alarms", allow=operator("viewer"), gives=Page[Alarm], tag="Alarms")
def list_desk_alarms(
    at: At, with_cleared: bool = False, cursor: Cursor = None, limit: Limit = 50
) -> Page[Alarm]:
    """List what somebody must look at, newest first; with `with_cleared` those too that are over."""
    found = list_alarms(at.tx, with_cleared, limit + 1, read_cursor(cursor, int))
    return page(found, limit, lambda alarm: alarm.alarm_id)


@writes(
    "POST",
    "/v1/alarms/{alarm_id}/clear",
    allow=operator("support", "product", "treasury", "admin"),
    gives=Alarm,
    tag="Alarms",
)
def clear_desk_alarm(at: At, alarm_id: Id) -> Given:
    """Clear an alarm by hand; it comes back where its cause is found again."""
    number = id_of(alarm_id, AlarmNotFound)
    return once(
        at, "dismiss_alarm", {"alarm_id": number}, lambda: dismiss_alarm(at.tx, at.by, number, at.now)
    )


@works("POST", "/v1/desk/clock", allow=operator("admin"), gives=ClockMoved, tag="Sandbox", keyed="may")
def move_desk_clock(at: OnDatabase, body: ClockBody) -> ClockMoved:
    """Move a sandbox's clock forward; the desk of a production database has the real one.

    Forward `by` a length of time is done once for its Idempotency-Key. A run outside its limits stops it there.
    """
    if (body.to is None) == (body.by is None):
        raise InvalidChoice("Say either `to` or `by`; the clock was not moved.")
    to = body.to
    if to is None:
        with at.database.transaction() as tx:
            to = instant_after(tx, at.by, parse_duration(body.by or ""), at.key)
    runs = move_clock(at.database, at.by, to, is_lived=body.is_lived)
    with at.database.transaction() as tx:
        return ClockMoved(now_at=now_of(tx, at.machine_now), runs=runs)


@reads("/v1/errors", allow=ANYBODY, gives=list[ErrorDescribed], tag="Errors")
def list_errors(at: At) -> list[ErrorDescribed]:  # noqa: ARG001
    """List every error that can be answered, with its stable code, its status and its sentence."""
    return describe_errors()

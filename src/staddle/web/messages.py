"""Messages: what happened to a customer and what was announced to them, newest first, without what they have muted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import msgspec
from markupsafe import Markup

from staddle.customers import Preferences, find_customers_by_id, preferences_of, set_preferences
from staddle.identity import require_session
from staddle.money import ZERO
from staddle.notices import Told, latest_announcements_to, latest_notices_of
from staddle.notices.read import NEWEST
from staddle.pages.page import Form, GoTo, View, Visit, sends, shows
from staddle.products import ProductOffer, list_products
from staddle.products.offer import STATES
from staddle.server.allow import customer

PAGE = 30


class ReadForm(Form, frozen=True, kw_only=True):
    """The newest message of one's own, and the newest announcement, that were on the page."""

    notice_id: int
    announcement_id: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is shown."""

    told: Told
    is_unread: bool
    product: ProductOffer | None


@dataclass(frozen=True, slots=True)
class Older:
    """Where the page behind this one begins: both kinds of messages are numbered apart."""

    own: int
    shared: int


@shows("/messages", allow=customer("read"))
def show_messages(visit: Visit, own: int = NEWEST, shared: int = NEWEST) -> View:
    """Show messages, newest first, and which of them are new."""
    chosen = preferences_of(visit.tx, visit.customer_id)
    found = read_messages(visit, chosen, within(own), within(shared))
    page = found[:PAGE]
    newest_own = max((told.notice_id for told in page if told.customer_id), default=0)
    newest_shared = max((told.notice_id for told in page if not told.customer_id), default=0)
    products = {offer.code: offer for offer in list_products(visit.tx, visit.now, STATES)}
    shown = {
        "messages": [
            Message(told, is_unread(told, chosen), products.get(told.body.get("product", "")))
            for told in page
        ],
        "older": older_than(page, within(own), within(shared)) if len(found) > PAGE else None,
        "is_first": own == NEWEST and shared == NEWEST,
        "newest_own": max(newest_own, chosen.read_notice_id),
        "newest_shared": max(newest_shared, chosen.read_announcement_id),
        "amount": amounts(visit),
        "is_some": lambda text: text is not None and Decimal(text) > ZERO,
        "apr_of": lambda tiers: visit.formats.apr(max(Decimal(each["apr"]) for each in tiers)),
        "day_of": date.fromisoformat,
        "instant_of": lambda text: visit.formats.instant(datetime.fromisoformat(text)),
    }
    return View("messages.html", shown)


@sends("/messages/read", allow=customer("read"), again=show_messages)
def mark_messages_read(visit: Visit, form: ReadForm) -> GoTo:
    """Remember how far the customer has read; nobody reads further than there are messages."""
    require_session(visit.at.caller)
    chosen = preferences_of(visit.tx, visit.customer_id)
    newest = newest_ids(visit)
    set_preferences(
        visit.tx,
        visit.customer_id,
        read_up_to(
            visit, chosen, Older(min(form.notice_id, newest.own), min(form.announcement_id, newest.shared))
        ),
        visit.at.machine_now,
    )
    return GoTo("/messages")


def read_up_to(visit: Visit, chosen: Preferences, ids: Older) -> Preferences:
    """Give the preferences of a customer who has read so far, never less far than before."""
    if not chosen.is_chosen:
        look = visit.look
        chosen = msgspec.structs.replace(chosen, language=look.language, theme=look.theme, zone=look.zone)
    return msgspec.structs.replace(
        chosen,
        read_notice_id=max(ids.own, chosen.read_notice_id),
        read_announcement_id=max(ids.shared, chosen.read_announcement_id),
    )


def newest_ids(visit: Visit) -> Older:
    """Give the newest message of each kind that there is."""
    own = latest_notices_of(visit.tx, visit.customer_id, count=1)
    shared = latest_announcements_to(visit.tx, visit.customer_id, joined_at(visit), count=1)
    return Older(own[0].notice_id if own else 0, shared[0].notice_id if shared else 0)


def read_messages(visit: Visit, chosen: Preferences, own: int, shared: int) -> list[Told]:
    """Read a page of messages and one more, of both kinds together."""
    muted = chosen.muted
    notices = latest_notices_of(visit.tx, visit.customer_id, own, PAGE + 1, muted)
    announced = latest_announcements_to(
        visit.tx, visit.customer_id, joined_at(visit), shared, PAGE + 1, muted
    )
    # Each kind stays in the order of its own numbers, for that is what the next page goes on by.
    merged: list[Told] = []
    while notices or announced:
        is_own = not announced or (bool(notices) and notices[0].effective_at >= announced[0].effective_at)
        merged.append((notices if is_own else announced).pop(0))
    return merged[: PAGE + 1]


def older_than(page: list[Told], own: int, shared: int) -> Older:
    """Say where the next page begins."""
    return Older(
        min((told.notice_id for told in page if told.customer_id), default=own),
        min((told.notice_id for told in page if not told.customer_id), default=shared),
    )


def is_unread(told: Told, chosen: Preferences) -> bool:
    """Say whether a message came since the customer last looked."""
    return told.notice_id > (chosen.read_notice_id if told.customer_id else chosen.read_announcement_id)


def joined_at(visit: Visit) -> datetime:
    """Give when the customer came: what was announced before does not concern them."""
    [found] = find_customers_by_id(visit.tx, [visit.customer_id]).values()
    return found.joined_at


def amounts(visit: Visit) -> Callable[[str, str | None], Markup]:
    """Give what writes an amount of a message with its coin."""
    return lambda text, asset: visit.formats.amount(Decimal(text), asset or "")


def within(number: int) -> int:
    """Keep a number within what the database can hold."""
    return min(max(number, 0), NEWEST)

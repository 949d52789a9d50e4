"""Settings: how the pages look, what one wants to be told, and the way to everything else about the account."""

from itertools import groupby

import msgspec

from staddle.customers import preferences_of, set_preferences
from staddle.errors import LoginNotFound
from staddle.identity import Login, login_of_customer, require_session
from staddle.notices.kinds import KINDS
from staddle.pages.page import Form, GoTo, View, Visit, sends, shows
from staddle.server.allow import customer
from staddle.ui.look import time_zones

TOLD = tuple(name for name, kind in KINDS.items() if kind.audience != "desk")
"""The kinds of messages that customers are told, in the order of the register."""
OLD_ZONES = ("Etc/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/", "SystemV/")
"""Names of zones that have become second names of others."""


class WishesForm(Form, frozen=True, kw_only=True):
    """Which kinds of messages are wanted; all others are muted."""

    wanted: list[str] = msgspec.field(default_factory=list)


@shows("/settings", allow=customer("read"))
def show_settings(visit: Visit) -> View:
    """Show who is signed in, how the pages look, and what they are told."""
    muted = preferences_of(visit.tx, visit.customer_id).muted
    shown = {
        "login": login_or_none(visit),
        "wanted": [kind for kind in TOLD if kind not in muted],
        "own_kinds": [kind for kind in TOLD if KINDS[kind].audience == "customer"],
        "shared_kinds": [kind for kind in TOLD if KINDS[kind].audience != "customer"],
        "zones": zones_by_region(visit.look.zone),
    }
    return View("settings.html", shown)


@sends("/settings/notifications", allow=customer("read"), again=show_settings)
def change_notifications(visit: Visit, form: WishesForm) -> GoTo:
    """Keep which kinds of messages are wanted; a kind that there is not is left out."""
    require_session(visit.at.caller)
    muted = [kind for kind in TOLD if kind not in form.wanted]
    changed = msgspec.structs.replace(preferences_of(visit.tx, visit.customer_id), muted=muted)
    if not changed.is_chosen:
        look = visit.look
        changed = msgspec.structs.replace(changed, language=look.language, theme=look.theme, zone=look.zone)
    set_preferences(visit.tx, visit.customer_id, changed, visit.at.machine_now)
    return GoTo("/settings", visit.say("Saved: you are told what you have chosen."))


def login_or_none(visit: Visit) -> Login | None:
    """Give the login of whoever is signed in; a customer who comes through an integrator may have none."""
    try:
        return login_of_customer(visit.tx, visit.customer_id)
    except LoginNotFound:
        return None


def zones_by_region(chosen: str) -> list[tuple[str, list[str]]]:
    """Give the time zones by their region; the one that is chosen is among them whatever it is."""
    places = {zone for zone in time_zones() if "/" in zone and not zone.startswith(OLD_ZONES)}
    named = sorted(places | {chosen, "UTC"}, key=lambda zone: ("/" in zone, zone))
    return [(region, list(zones)) for region, zones in groupby(named, lambda zone: zone.partition("/")[0])]

"""Language, theme and time zone: kept in a cookie, and with the customer where one is signed in."""

from typing import Any

import msgspec

from staddle.customers import preferences_of, set_preferences
from staddle.pages.own_path import own_path
from staddle.pages.page import Form, GoTo, Visit, sends
from staddle.server.allow import ANYBODY
from staddle.ui.look import COOKIE, look_with

YEAR_SECONDS = 365 * 24 * 3600


class LookForm(Form, frozen=True, kw_only=True):
    """What is to change, and the page to go back to."""

    language: str | None = None
    theme: str | None = None
    zone: str | None = None
    next: str = "/"


@sends("/look", allow=ANYBODY)
def change_look(visit: Visit, form: LookForm) -> GoTo:
    """Change how the pages look; what there is not stays as it was."""
    look = look_with({"language": form.language, "theme": form.theme, "zone": form.zone}, visit.look)
    customer_id = visit.viewer.customer_id
    if customer_id is not None:
        chosen: dict[str, Any] = {"language": look.language, "theme": look.theme, "zone": look.zone}
        changed = msgspec.structs.replace(preferences_of(visit.tx, customer_id), **chosen)
        set_preferences(visit.tx, customer_id, changed, visit.at.machine_now)
    cookie = f"{COOKIE}={look.as_cookie()}; Path=/; Max-Age={YEAR_SECONDS}; HttpOnly; SameSite=Lax"
    return GoTo(own_path(form.next), headers={"Set-Cookie": cookie})

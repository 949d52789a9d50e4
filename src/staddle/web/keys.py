"""API keys: for programs that act for a customer, by our own API or by Binance's. A key's secret is shown once."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from staddle.customers import Agreement, current_agreement
from staddle.errors import AgreementNotFound, InvalidChoice
from staddle.identity import (
    CUSTOMER_SCOPES,
    NewApiKey,
    accept_for_api_key,
    add_api_key,
    list_api_keys,
    require_session,
    revoke_api_key,
)
from staddle.identity.api_keys import KeyKind
from staddle.identity.signed import BY_PUBLIC_KEY
from staddle.keyring import Keyring
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.server.allow import customer
from staddle.server.shown_once import Made, shown_once

HERE = "/settings/keys"
SCOPES = ("read", "subscribe", "redeem", "transfer")
assert set(SCOPES) == CUSTOMER_SCOPES


class KeyForm(Form, frozen=True, kw_only=True):
    """What the key is to be: `addresses` one a line, `expires_on` the last day on which it is good."""

    name: str
    kind: KeyKind = "bearer"
    public_key: str = ""
    is_agreed: bool = False
    agreement_version: int | None = None
    scopes: list[str] = msgspec.field(default_factory=list)
    addresses: str = ""
    expires_on: str = ""


class KeyAgreementForm(Form, frozen=True, kw_only=True):
    """The version of the agreement that was shown."""

    agreement_version: int


@shows(HERE, allow=customer("read"))
def show_keys(visit: Visit, typed: Typed = NOTHING_TYPED) -> View:
    """Show the API keys, and ask what a new one is to be."""
    require_session(visit.at.caller)
    keys = list_api_keys(visit.tx, visit.customer_id)
    now = visit.at.machine_now
    shown = {
        "typed": typed,
        "keys": [key for key in keys if key.revoked_at is None],
        "revoked": [key for key in keys if key.revoked_at is not None],
        "is_expired": lambda key: key.expires_at is not None and key.expires_at <= now,
        "scopes": SCOPES,
        "agreement": agreement_in_force(visit),
        "first_day": (now.astimezone(visit.look.time_zone) + timedelta(days=1)).date(),
    }
    return View("keys.html", shown)


@sends(HERE, allow=customer("read"), again=show_keys)
def add_key_by_form(visit: Visit, form: KeyForm) -> View:
    """Make an API key, and show its secret this once."""
    at = visit.at
    require_session(at.caller)
    new = NewApiKey(
        name=form.name,
        scopes=form.scopes,
        addresses=form.addresses.replace(",", " ").split(),
        expires_at=_end_of(visit, form.expires_on),
        kind=form.kind,
        public_key=form.public_key.strip() or None if form.kind in BY_PUBLIC_KEY else None,
        agreement_version=form.agreement_version if form.is_agreed else None,
    )

    def do() -> Made:
        added = add_api_key(
            at.tx, Keyring(at.config), at.caller, at.customer_id, new, at.seen, at.machine_now
        )
        return {"api_key": added.api_key}, {"secret": added.secret}

    what = {"customer_id": at.customer_id, "key": form}
    done = shown_once(at.tx, at.caller, "add_api_key", what, at.key, at.now, at.scales, do)
    return View("key_added.html", {"key": done.answer["api_key"], "secret": done.answer["secret"]})


@sends(f"{HERE}/{{api_key_id}}/agreement", allow=customer("read"), again=show_keys)
def accept_for_key_by_form(visit: Visit, api_key_id: str, form: KeyAgreementForm) -> GoTo:
    """Accept the agreement for the subscriptions of a key that has no words for it."""
    at = visit.at
    require_session(at.caller)
    version = form.agreement_version
    key = accept_for_api_key(at.tx, at.caller, at.customer_id, api_key_id, version, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("“%(name)s” subscribes under the agreement in force.", name=key.name))


@sends(f"{HERE}/{{api_key_id}}/revoke", allow=customer("read"), again=show_keys)
def revoke_key_by_form(visit: Visit, api_key_id: str) -> GoTo:
    """Revoke an API key, from this moment on."""
    at = visit.at
    require_session(at.caller)
    key = revoke_api_key(at.tx, at.caller, at.customer_id, api_key_id, at.seen, at.machine_now)
    return GoTo(HERE, visit.say("The key “%(name)s” is revoked: it opens nothing any more.", name=key.name))


def agreement_in_force(visit: Visit) -> Agreement | None:
    """Read the agreement that is in force, None before the first one."""
    try:
        return current_agreement(visit.tx)
    except AgreementNotFound:
        return None


def _end_of(visit: Visit, day: str) -> datetime | None:
    """Give the end of a day where the viewer is; None for no day."""
    if not day:
        return None
    try:
        after = date.fromisoformat(day) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidChoice(
            "The last day of a key is a date such as 2027-01-31.", field="expires_on"
        ) from None
    return datetime.combine(after, time(), visit.look.time_zone).astimezone(UTC)

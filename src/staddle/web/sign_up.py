"""Signing up: an e-mail address is asked for, a link goes there, and behind it are the account's first questions."""

from collections.abc import Callable
from datetime import UTC, datetime

from babel import Locale

from staddle.customers import Preferences, set_preferences
from staddle.desk.countries import COUNTRIES
from staddle.errors import LinkExpired
from staddle.identity import ask_to_sign_up, find_email_link, sign_up
from staddle.notices import latest_announcements_to
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, shows, works
from staddle.pages.refusals import refusal_text
from staddle.server.allow import ANYBODY
from staddle.server.at import OnDatabase
from staddle.server.site import cookie
from staddle.web.letters import NO_REFERRER, is_sign_up_open, require_open_sign_up, sent, sign_up_letter

EVER = datetime(1970, 1, 1, tzinfo=UTC)


class AddressForm(Form, frozen=True, kw_only=True):
    """The address that a link is to go to."""

    email: str


class NewAccountForm(Form, frozen=True, kw_only=True):
    """Who has proved the address by the token of a link."""

    token: str
    name: str
    country: str
    password: str


@shows("/sign-up")
def show_sign_up(visit: Visit, typed: Typed = NOTHING_TYPED) -> View | GoTo:
    """Ask for an e-mail address; whoever is signed in has an account already."""
    if visit.viewer.customer_id is not None:
        return GoTo("/")
    is_open = is_sign_up_open(visit.at.config, visit.viewer.is_sandbox)
    return View("sign_up.html", {"typed": typed, "refusal": refusal_text(visit, typed), "is_open": is_open})


@works("/sign-up", allow=ANYBODY, again=show_sign_up)
def sign_up_by_form(at: OnDatabase, form: AddressForm) -> Callable[[Visit], View]:
    """Send a link to the address; what is answered is the same whether it is known or not."""
    require_open_sign_up(at)
    asked = ask_to_sign_up(at.database, form.email, at.seen, at.machine_now)
    return lambda visit: sent(visit, asked.email, sign_up_letter(visit, asked))


@shows("/sign-up/go-on")
def show_new_account(visit: Visit, token: str = "", typed: Typed = NOTHING_TYPED) -> View:
    """Ask who it is that has followed the link; looking at it uses nothing up."""
    token = str(typed.get("token", token))
    shown = {"typed": typed, "refusal": refusal_text(visit, typed), "token": token, "email": None}
    try:
        shown["email"] = find_email_link(visit.tx, "sign_up", token, visit.at.machine_now).email
    except LinkExpired:
        return View("link_expired.html", {"ask_at": "/sign-up"}, 403)
    names = Locale.parse(visit.look.language).territories
    countries = sorted((names.get(code, code), code) for code in COUNTRIES)
    return View("new_account.html", {**shown, "countries": countries}, headers=NO_REFERRER)


@works("/sign-up/go-on", allow=ANYBODY, again=show_new_account)
def make_account_by_form(at: OnDatabase, form: NewAccountForm) -> Callable[[Visit], GoTo]:
    """Make the customer and their login, and sign them in."""
    require_open_sign_up(at)
    signed_in = sign_up(
        at.database, form.token, form.name, form.country, form.password, at.seen, at.machine_now
    )
    customer_id = signed_in.login.customer_id
    assert customer_id is not None
    seconds = int((signed_in.session.expires_at - signed_in.session.opened_at).total_seconds())
    headers = {"Set-Cookie": cookie(at.config, signed_in.token, seconds)}

    def welcome(visit: Visit) -> GoTo:
        """Keep how they see the pages, and call read what was announced before they came."""
        look = visit.look
        announced = latest_announcements_to(visit.tx, customer_id, EVER, count=1)
        first = Preferences(
            language=look.language,
            zone=look.zone,
            read_announcement_id=announced[0].notice_id if announced else 0,
        )
        set_preferences(visit.tx, customer_id, first, visit.at.machine_now)
        return GoTo("/", headers=headers)

    return welcome

"""A forgotten password: a link goes to the address, and behind it a new password is set."""

from collections.abc import Callable

from staddle.errors import LinkExpired
from staddle.identity import ask_to_recover, find_email_link, recover
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, shows, works
from staddle.pages.refusals import refusal_text
from staddle.server.allow import ANYBODY
from staddle.server.at import OnDatabase
from staddle.web.letters import NO_REFERRER, recover_letter, require_mail, sends_mail, sent
from staddle.web.sign_up import AddressForm


class NewPasswordForm(Form, frozen=True, kw_only=True):
    """The new password of whoever has followed the link."""

    token: str
    password: str


@shows("/recover")
def show_recover(visit: Visit, typed: Typed = NOTHING_TYPED) -> View:
    """Ask for the e-mail address of the account."""
    can_send = sends_mail(visit.at.config, visit.viewer.is_sandbox)
    return View("recover.html", {"typed": typed, "refusal": refusal_text(visit, typed), "can_send": can_send})


@works("/recover", allow=ANYBODY, again=show_recover)
def recover_by_form(at: OnDatabase, form: AddressForm) -> Callable[[Visit], View]:
    """Send a link to the address; what is answered is the same whether it is known or not."""
    require_mail(at)
    asked = ask_to_recover(at.database, form.email, at.seen, at.machine_now)
    return lambda visit: sent(visit, asked.email, recover_letter(visit, asked))


@shows("/recover/go-on")
def show_new_password(visit: Visit, token: str = "", typed: Typed = NOTHING_TYPED) -> View:
    """Ask for the new password; looking at it uses nothing up."""
    token = str(typed.get("token", token))
    try:
        email = find_email_link(visit.tx, "recover", token, visit.at.machine_now).email
    except LinkExpired:
        return View("link_expired.html", {"ask_at": "/recover"}, 403)
    shown = {"typed": typed, "refusal": refusal_text(visit, typed), "token": token, "email": email}
    return View("new_password.html", shown, headers=NO_REFERRER)


@works("/recover/go-on", allow=ANYBODY, again=show_new_password)
def set_new_password_by_form(at: OnDatabase, form: NewPasswordForm) -> Callable[[Visit], GoTo]:
    """Set the new password and end every session; one signs in with it then, and with the code as before."""
    recover(at.database, form.token, form.password, at.seen, at.machine_now)
    said = "The new password is set. You were signed out everywhere; sign in with it now."
    return lambda visit: GoTo("/sign-in", visit.say(said))

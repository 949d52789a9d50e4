"""What is sent by e-mail: a link to sign up or to set a new password, in the viewer's language."""

from urllib.parse import urlencode

from staddle.config import Config
from staddle.desk import find_desk
from staddle.errors import MailNotSet, SignUpClosed
from staddle.identity import LinkAsked
from staddle.pages.page import View, Visit
from staddle.server.at import OnDatabase
from staddle.server.mail import Letter, send_soon
from staddle.server.site import own_url

NO_REFERRER = {"Referrer-Policy": "no-referrer"}
"""An address that holds a token is told to nobody."""


def sends_mail(config: Config, is_sandbox: bool) -> bool:
    """Say whether letters reach somebody: by e-mail, or, in a sandbox, on the page itself."""
    return config.mail_url is not None or is_sandbox


def is_sign_up_open(config: Config, is_sandbox: bool) -> bool:
    """Say whether people can sign up by themselves."""
    chosen = config.sign_up or ("open" if is_sandbox else "closed")
    return chosen == "open" and sends_mail(config, is_sandbox)


def require_mail(at: OnDatabase) -> None:
    """Refuse where this desk sends nothing: MailNotSet."""
    with at.database.transaction() as tx:
        is_sandbox = find_desk(tx).is_sandbox
    if not sends_mail(at.config, is_sandbox):
        raise MailNotSet


def require_open_sign_up(at: OnDatabase) -> None:
    """Refuse where nobody can sign up: SignUpClosed."""
    with at.database.transaction() as tx:
        is_sandbox = find_desk(tx).is_sandbox
    if not is_sign_up_open(at.config, is_sandbox):
        raise SignUpClosed


def sent(visit: Visit, to: str, letter: Letter | None) -> View:
    """Send a letter, if there is one, and say the same whether there is; in a sandbox without mail, show it."""
    config, shown_here = visit.at.config, None
    if config.mail_url is None:
        shown_here = letter or Letter(to, visit.say("No message"), visit.say("There is nothing to send."))
    elif letter is not None:
        send_soon(config, letter)
    return View("letter_sent.html", {"to": to, "shown_here": shown_here})


def sign_up_letter(visit: Visit, asked: LinkAsked) -> Letter:
    """Write to an address that wants to sign up; one that has an account is told so."""
    if asked.token is None:
        text = visit.say(
            "Somebody, perhaps you, wanted to sign up at Staddle with this e-mail address.\n"
            "You have an account already: sign in at\n\n%(address)s\n\n"
            "If you have forgotten your password, you can set a new one there.\n",
            address=own_url(visit.at.config) + "/sign-in",
        )
        return Letter(asked.email, visit.say("You have an account at Staddle"), text)
    text = visit.say(
        "Somebody, hopefully you, wants to sign up at Staddle with this e-mail address.\n"
        "Go on here; the link is good once, for 30 minutes:\n\n%(address)s\n\n"
        "If it was not you, do nothing: no account is made.\n",
        address=_link(visit, "/sign-up/go-on", asked.token),
    )
    return Letter(asked.email, visit.say("Sign up at Staddle"), text)


def recover_letter(visit: Visit, asked: LinkAsked) -> Letter | None:
    """Write to a customer who has lost their password; nothing where the address lets nobody in."""
    if asked.token is None:
        return None
    text = visit.say(
        "Somebody, hopefully you, wants to set a new password for your account at Staddle.\n"
        "Do it here; the link is good once, for 30 minutes:\n\n%(address)s\n\n"
        "If it was not you, do nothing: your password stays as it is.\n",
        address=_link(visit, "/recover/go-on", asked.token),
    )
    return Letter(asked.email, visit.say("A new password for Staddle"), text)


def _link(visit: Visit, path: str, token: str) -> str:
    return f"{own_url(visit.at.config)}{path}?{urlencode({'token': token})}"

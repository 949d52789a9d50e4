"""E-mail that the service sends: handed to the server that STADDLE_MAIL_URL names, on a thread of its own.

Whoever asked is answered without waiting for it: how long sending takes must tell nobody whether there was anything
to send. What could not be sent is logged, without the text, which may hold a link that opens an account.
"""

import logging
import smtplib
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import localtime, make_msgid
from urllib.parse import unquote, urlsplit

from staddle.config import Config

SECONDS = 20
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail in plain text."""

    to: str
    subject: str
    text: str = field(repr=False)


def send_soon(config: Config, letter: Letter) -> None:
    """Send a letter on a thread of its own; a process that ends waits for it."""
    threading.Thread(target=_send_and_tell, args=(config, letter), name="mail").start()


def send(config: Config, letter: Letter) -> None:
    """Hand a letter to the mail server; raises OSError or SMTPException.

    A password is only ever sent through TLS, except to this very machine.
    """
    assert config.mail_url is not None
    assert config.mail_from is not None
    parts = urlsplit(config.mail_url)
    host, context = parts.hostname or "", ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=SECONDS)
    with server:
        if parts.scheme == "smtp":
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
            elif parts.username and host not in LOOPBACK:
                raise smtplib.SMTPNotSupportedError(
                    "The mail server offers no STARTTLS; no password is sent."
                )
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(_message(config.mail_from, letter))


def _message(sender: str, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, letter.to, letter.subject
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    return message


def _send_and_tell(config: Config, letter: Letter) -> None:
    try:
        send(config, letter)
    except (OSError, smtplib.SMTPException) as error:
        log.error("an e-mail could not be sent: %s", type(error).__name__)  # noqa: TRY400  its text may hold the address

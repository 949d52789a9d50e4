"""Signing up and setting a new password by e-mail, over a real mail server: links good once, and no address told."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from tests.api.world import PASSWORD, SEEN, Service, serving
from tests.living import Living
from tests.web.mail_server import MailServer, mail_server
from tests.web.visitor import Visitor, alert_of, rows, text_of, visitor_of

from staddle import identity
from staddle.errors import LinkExpired
from staddle.identity.email_links import find_email_link

NEW_PASSWORD = "lanterns over the salt marsh"


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def service(copied: Living, mail: MailServer) -> Iterator[Service]:
    """A service that sends its e-mail to the test's server."""
    with serving(copied, STADDLE_MAIL_URL=mail.url, STADDLE_MAIL_FROM="earn@example.com") as service:
        yield service


@pytest.fixture(autouse=True)
def _rested(service: Service) -> None:
    """Nobody must wait because of what another test has asked for."""
    with service.database.transaction() as tx:
        tx.execute(b"DELETE FROM throttle")


def link_in(mail: MailServer, to: str) -> str:
    """The path and query of the link in the letter to an address."""
    text = mail.next_letter(to).get_content()
    [link] = re.findall(r"http://\S+(/(?:sign-up|recover)/go-on\?token=\S+)", text)
    return str(link)


def token_of(link: str) -> str:
    return link.partition("token=")[2]


def account(token: str, **more: Any) -> dict[str, Any]:
    """What the page behind the link asks for."""
    return {"token": token, "name": "Nora Noor", "country": "NO", "password": NEW_PASSWORD, **more}


def test_an_account_is_opened_behind_the_link_that_was_sent(
    service: Service, mail: MailServer, somebody: Visitor
) -> None:
    answer = somebody.send("/sign-up", email="Nora@Example.com")
    assert answer.status_code == 200
    assert "go-on" not in answer.text
    link = link_in(mail, "nora@example.com")
    page = somebody.get(link)
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "nora@example.com" in page.text
    assert somebody.sent("/sign-up/go-on", **account(token_of(link))) == "/"
    assert "Signed in as nora@example.com" in somebody.see("/settings")
    [kept] = rows(service, "SELECT reference, name, country FROM customer WHERE name = 'Nora Noor'")
    assert re.fullmatch(r"web-[0-9a-f]{16}", kept.reference)
    assert kept.country == "NO"
    assert "The account was opened" in somebody.see("/settings/security/log")
    assert 'class="badge"' not in somebody.get("/settings").text, "what was announced before is not new"


def test_a_link_is_good_once(mail: MailServer, somebody: Visitor) -> None:
    somebody.send("/sign-up", email="once@example.com")
    link = link_in(mail, "once@example.com")
    assert somebody.sent("/sign-up/go-on", **account(token_of(link))) == "/"
    other = Visitor(somebody.url)
    assert other.get(link).status_code == 403
    again = other.send("/sign-up/go-on", **account(token_of(link), name="Another"))
    assert again.status_code == 403
    assert other.get("/settings").status_code == 303


def test_a_refusal_leaves_the_link_good_and_what_was_typed_in_its_fields(
    mail: MailServer, somebody: Visitor
) -> None:
    somebody.send("/sign-up", email="careful@example.com")
    token = token_of(link_in(mail, "careful@example.com"))
    for wrong in (
        {"password": "short"},
        {"country": "UK"},
        {"name": " "},
        {"password": "careful@example.com"},
    ):
        answer = somebody.send("/sign-up/go-on", **account(token, **wrong))
        assert 400 <= answer.status_code < 500
        assert alert_of(answer)
        assert NEW_PASSWORD not in answer.text
    assert somebody.sent("/sign-up/go-on", **account(token)) == "/"


def test_a_link_is_good_for_half_an_hour(service: Service) -> None:
    now = datetime.now(UTC)
    asked = identity.ask_to_sign_up(service.database, "late@example.com", SEEN, now)
    assert asked.token is not None
    with service.database.transaction() as tx:
        find_email_link(tx, "sign_up", asked.token, now + timedelta(minutes=29))
        for purpose, later in (("sign_up", 30), ("recover", 1)):
            with pytest.raises(LinkExpired):
                find_email_link(tx, purpose, asked.token, now + timedelta(minutes=later))  # type: ignore[arg-type]
    with pytest.raises(LinkExpired):
        identity.sign_up(
            service.database, asked.token, "Late", "NO", NEW_PASSWORD, SEEN, now + timedelta(minutes=30)
        )


def test_the_database_keeps_no_token(service: Service, mail: MailServer, somebody: Visitor) -> None:
    somebody.send("/sign-up", email="hashed@example.com")
    token = token_of(link_in(mail, "hashed@example.com"))
    assert token not in str(rows(service, "SELECT * FROM email_link"))


def test_looking_at_a_link_uses_nothing_up(service: Service, mail: MailServer, somebody: Visitor) -> None:
    somebody.send("/sign-up", email="looker@example.com")
    link = link_in(mail, "looker@example.com")
    before = rows(service, "SELECT * FROM email_link ORDER BY token_hash")
    for _ in range(3):
        assert somebody.get(link).status_code == 200
    assert rows(service, "SELECT * FROM email_link ORDER BY token_hash") == before


@pytest.mark.parametrize("path", ["/sign-up", "/recover"])
def test_the_answer_does_not_tell_whether_an_address_is_known(
    service: Service, mail: MailServer, somebody: Visitor, path: str
) -> None:
    visitor_of(service, "ada")
    known, unknown = (somebody.send(path, email=f"{who}@example.com") for who in ("ada", "xyz"))
    assert known.status_code == unknown.status_code == 200
    assert text_of(known) == text_of(unknown).replace("xyz@", "ada@")
    assert set(known.headers) == set(unknown.headers)
    mail.next_letter("ada@example.com")


def test_an_address_that_has_an_account_is_told_so_by_e_mail(
    service: Service, mail: MailServer, somebody: Visitor
) -> None:
    visitor_of(service, "ben")
    somebody.send("/sign-up", email="ben@example.com")
    letter = mail.next_letter("ben@example.com")
    assert "You have an account already" in letter.get_content()
    assert "token=" not in letter.get_content()


def test_asking_too_often_must_wait(mail: MailServer, somebody: Visitor) -> None:
    for path in ("/sign-up", "/recover"):
        statuses = [somebody.send(path, email="often@example.com").status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]


@pytest.mark.parametrize("email", ["", "nobody", "a b@example.com", "x@example.com\r\nBcc: y@example.com"])
def test_what_is_no_address_is_refused(service: Service, somebody: Visitor, email: str) -> None:
    for path in ("/sign-up", "/recover"):
        answer = somebody.send(path, email=email)
        assert 400 <= answer.status_code < 500
        assert alert_of(answer)


def test_a_new_password_is_set_and_every_session_ends(
    service: Service, mail: MailServer, somebody: Visitor
) -> None:
    carl = visitor_of(service, "carl")
    somebody.send("/recover", email="carl@example.com")
    somebody.send("/recover", email="carl@example.com")
    older, link = link_in(mail, "carl@example.com"), link_in(mail, "carl@example.com")
    assert "carl@example.com" in somebody.see(link)
    weak = somebody.send("/recover/go-on", token=token_of(link), password="short")
    assert "12" in alert_of(weak)
    assert carl.get("/settings").status_code == 200
    assert somebody.sent("/recover/go-on", token=token_of(link), password=NEW_PASSWORD) == "/sign-in"
    assert "The new password is set" in somebody.see("/sign-in")
    assert carl.get("/settings").status_code == 303
    for used in (link, older):
        assert somebody.get(used).status_code == 403
        assert somebody.send("/recover/go-on", token=token_of(used), password=PASSWORD).status_code == 403
    assert somebody.send("/sign-in", email="carl@example.com", password=PASSWORD).status_code == 401
    assert somebody.sent("/sign-in", email="carl@example.com", password=NEW_PASSWORD) == "/"


def test_a_new_password_leaves_the_second_factor(
    service: Service, mail: MailServer, somebody: Visitor
) -> None:
    ada = visitor_of(service, "ada")
    ada.sent("/settings/security/authenticator")
    [secret] = re.findall(r'id="secret">([^<]*)<', ada.get("/settings/security/authenticator").text)
    code = pyotp.TOTP(secret.replace(" ", "")).now()
    assert ada.send("/settings/security/authenticator/confirm", code=code).status_code == 200
    somebody.send("/recover", email="ada@example.com")
    token = token_of(link_in(mail, "ada@example.com"))
    assert somebody.sent("/recover/go-on", token=token, password=NEW_PASSWORD) == "/sign-in"
    answer = somebody.send("/sign-in", email="ada@example.com", password=NEW_PASSWORD)
    assert answer.status_code == 401
    assert 'name="code"' in answer.text
    assert somebody.get("/settings").status_code == 303


def test_a_link_of_one_kind_is_not_good_for_the_other(
    service: Service, mail: MailServer, somebody: Visitor
) -> None:
    visitor_of(service, "ben")
    somebody.send("/recover", email="ben@example.com")
    token = token_of(link_in(mail, "ben@example.com"))
    assert somebody.send("/sign-up/go-on", **account(token)).status_code == 403
    somebody.send("/sign-up", email="kind@example.com")
    token = token_of(link_in(mail, "kind@example.com"))
    assert somebody.send("/recover/go-on", token=token, password=NEW_PASSWORD).status_code == 403


def test_a_login_that_is_closed_gets_no_link(service: Service, mail: MailServer, somebody: Visitor) -> None:
    visitor_of(service, "ben")
    now = datetime.now(UTC)
    by = identity.Caller("operator", operator="ada", roles=frozenset({"support", "admin"}))
    with service.database.transaction() as tx:
        login = identity.find_login_by_email(tx, "customer", "ben@example.com")
        identity.set_login_active(tx, by, login.login_id, False, SEEN, now)
    assert identity.ask_to_recover(service.database, "ben@example.com", SEEN, now).token is None
    with service.database.transaction() as tx:
        identity.set_login_active(tx, by, login.login_id, True, SEEN, now)


def test_a_letter_is_written_as_e_mail_is(mail: MailServer, somebody: Visitor) -> None:
    somebody.send("/sign-up", email="reader@example.com")
    letter = mail.next_letter("reader@example.com")
    assert (letter["From"], letter["Subject"]) == ("earn@example.com", "Sign up at Staddle")
    assert letter["Message-ID"]
    assert letter["Date"]
    assert letter.get_content_type() == "text/plain"


def test_expired_links_are_forgotten(service: Service) -> None:
    now = datetime.now(UTC)
    identity.ask_to_sign_up(service.database, "forgotten@example.com", SEEN, now)
    with service.database.transaction() as tx:
        identity.forget_expired(tx, now + timedelta(hours=1))
        assert tx.execute(b"SELECT 1 FROM email_link").fetchall() == []

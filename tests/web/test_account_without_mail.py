"""Without a mail server: a sandbox shows what it would have sent, and another desk says to whom to write."""

import re
from collections.abc import Iterator

import pytest
from tests.api.world import Service, serving
from tests.living import Living
from tests.web.visitor import Visitor, alert_of, visitor_of

from staddle.config import Config
from staddle.web.letters import is_sign_up_open, sends_mail


def test_a_sandbox_shows_the_letter_clearly_marked_and_its_link_is_good(somebody: Visitor) -> None:
    answer = somebody.send("/sign-up", email="shown@example.com")
    assert "this message was sent to nobody" in answer.text
    [link] = re.findall(r'href="http://localhost:\d+(/sign-up/go-on\?token=[^"]+)"', answer.text)
    assert "shown@example.com" in somebody.see(link)


def test_a_sandbox_shows_the_letter_to_a_known_address(service: Service, somebody: Visitor) -> None:
    visitor_of(service, "ada")
    assert "/recover/go-on?token=" in somebody.send("/recover", email="ada@example.com").text
    assert "There is nothing to send" in somebody.send("/recover", email="xyz@example.com").text


def config(**settings: str) -> Config:
    return Config.from_environ({"HOME": "/home/ana", **settings})


def test_only_a_sandbox_is_open_unless_told_otherwise_and_no_desk_is_without_mail() -> None:
    mail = {"STADDLE_MAIL_URL": "smtp://mail.example.com", "STADDLE_MAIL_FROM": "earn@example.com"}
    assert not sends_mail(config(), False)
    assert sends_mail(config(), True)
    assert sends_mail(config(**mail), False)
    assert is_sign_up_open(config(), True)
    assert not is_sign_up_open(config(STADDLE_SIGN_UP="closed"), True)
    assert not is_sign_up_open(config(**mail), False)
    assert not is_sign_up_open(config(STADDLE_SIGN_UP="open"), False)
    assert is_sign_up_open(config(STADDLE_SIGN_UP="open", **mail), False)


@pytest.fixture
def real(copied: Living) -> Iterator[Service]:
    """A desk that is no sandbox."""
    with copied.database.owner() as owner:
        owner.execute(b"UPDATE desk SET is_sandbox = false, clock_at = NULL")
    with serving(copied) as service:
        yield service


def test_another_desk_says_to_whom_to_write_and_sends_nothing(real: Service) -> None:
    somebody = Visitor(real.url)
    assert "write to support" in somebody.see("/recover")
    assert "Signing up is closed here" in somebody.see("/sign-up")
    for path, status in (("/recover", 503), ("/sign-up", 403)):
        answer = somebody.send(path, email="ada@example.com")
        assert answer.status_code == status
        assert "support" in alert_of(answer)

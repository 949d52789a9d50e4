"""Settings and messages: what is chosen is kept, what is muted stays away, and reading writes nothing."""

import re

import pytest
from tests.api.world import Service
from tests.web.visitor import Visitor, rows

from staddle.notices.kinds import KINDS
from staddle.web.settings import TOLD

PREFERENCE = """
SELECT muted, read_notice_id, read_announcement_id, zone
  FROM preference p JOIN customer c USING (cell, customer_id)
 WHERE c.reference = 'ada'
"""
PAGES = (
    "/settings",
    "/settings/security",
    "/settings/security/log",
    "/settings/keys",
    "/settings/auto-subscribe",
    "/messages",
    "/step-up",
)


def test_settings_say_who_is_signed_in(ada: Visitor) -> None:
    assert "Signed in as ada@example.com" in ada.see("/settings")


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_an_account_are_for_whoever_is_signed_in(somebody: Visitor, path: str) -> None:
    answer = somebody.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={path.replace('/', '%2F')}"


def test_what_is_not_wanted_is_muted_and_nothing_else(service: Service, ada: Visitor) -> None:
    wanted = [kind for kind in TOLD if kind not in ("deposit", "rewards_distributed")]
    assert ada.sent("/settings/notifications", wanted=[*wanted, "no such kind"]) == "/settings"
    [kept] = rows(service, PREFERENCE)
    assert sorted(kept.muted) == ["deposit", "rewards_distributed"]
    unticked = re.findall(r'name="wanted" value="(\w+)"(?! checked)', ada.get("/settings").text)
    assert sorted(unticked) == ["deposit", "rewards_distributed"]
    messages = ada.see("/messages")
    assert "came in to your" not in messages
    assert "have been paid" not in messages
    ada.sent("/settings/notifications", wanted=list(TOLD))
    assert "came in to your" in ada.see("/messages")


def test_the_time_zone_is_kept_with_the_customer(service: Service, ada: Visitor) -> None:
    assert ada.sent("/look", language="en", theme="dark", zone="Asia/Tokyo", next="/settings") == "/settings"
    [kept] = rows(service, PREFERENCE)
    assert kept.zone == "Asia/Tokyo"
    page = ada.get("/settings").text
    assert re.search(r'value="Asia/Tokyo" selected', page)
    assert 'data-theme="dark"' in page


def test_every_kind_that_customers_are_told_has_a_plain_name(ada: Visitor) -> None:
    page = ada.see("/settings")
    assert [kind for kind in TOLD if kind in page.split()] == []
    assert {KINDS[kind].audience for kind in TOLD} == {"customer", "holders", "everybody"}


def test_a_customer_reads_their_own_messages_and_nobody_elses(ada: Visitor, ben: Visitor) -> None:
    assert "You subscribed" in ada.see("/messages")
    of_ada = set(re.findall(r'/positions/(\d+)"', ada.get("/messages").text))
    of_ben = set(re.findall(r'/positions/(\d+)"', ben.get("/messages").text))
    assert of_ada
    assert not of_ada & of_ben


def test_looking_at_messages_writes_nothing_and_the_form_marks_them_read(
    service: Service, ada: Visitor
) -> None:
    assert ada.sent("/look", language="en", next="/messages") == "/messages"
    before = rows(service, PREFERENCE)
    page = ada.get("/messages").text
    assert 'class="unread"' in page
    assert rows(service, PREFERENCE) == before
    own, shared = (
        re.findall(rf'name="{name}" value="(\d+)"', page)[0] for name in ("notice_id", "announcement_id")
    )
    assert ada.sent("/messages/read", notice_id=own, announcement_id=shared) == "/messages"
    page = ada.get("/messages").text
    assert 'class="unread"' not in page
    assert "Mark all as read" not in page


def test_nobody_reads_further_than_there_are_messages(service: Service, ada: Visitor) -> None:
    ada.sent("/messages/read", notice_id=2**62, announcement_id=2**62)
    [kept] = rows(service, PREFERENCE)
    [newest] = rows(service, "SELECT max(notice_id) AS id FROM notice")
    assert kept.read_notice_id <= newest.id
    assert kept.read_announcement_id <= newest.id


def test_older_messages_are_on_the_next_page_each_of_them_once(ada: Visitor) -> None:
    seen: list[str] = []
    path = "/messages"
    for _ in range(20):
        page = ada.get(path).text
        seen += re.findall(r'<time datetime="[^"]*"[^>]*>[^<]*</time>|/positions/\d+"', page)
        older = re.search(r'href="(/messages\?own=[^"]*)"', page)
        if older is None:
            break
        path = older[1].replace("&amp;", "&")
    positions = [each for each in seen if each.startswith("/positions")]
    assert len(positions) == len(set(positions))


def test_a_key_that_may_read_changes_no_settings(service: Service) -> None:
    program = Visitor(service.url)
    program.http.headers["Authorization"] = f"Bearer {service.api_key('ada', ['read']).token}"
    assert program.send("/settings/notifications").status_code == 403
    assert program.send("/messages/read", notice_id=1, announcement_id=1).status_code == 403

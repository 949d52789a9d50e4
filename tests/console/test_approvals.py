"""Approvals, the audit log, people, one's own security and the agreement on the console's pages, role by role."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.api.world import PASSWORD, Service
from tests.console.conftest import Only, operator_of
from tests.web.visitor import Visitor, alert_of, rows, text_of

from staddle import approvals, desk, products
from staddle.approvals import RequestInFull

ROLES = ["viewer", "support", "product", "treasury", "admin"]


def asked_rate(service: Service, apr: str, by: str = "ada") -> int:
    """Ask for a rate of USDT-FLEX in some days."""
    now = service.living.now
    with service.database.transaction() as tx:
        tiers = [products.Tier(Decimal(0), None, Decimal(apr))]
        return approvals.ask_rate(tx, by, "USDT-FLEX", tiers, now + timedelta(days=5), now)


def asked_halt(service: Service, reason: str, by: str = "ada") -> int:
    """Ask for a pause of redeeming from USDT-FLEX."""
    with service.database.transaction() as tx:
        return approvals.ask_halt(tx, by, "USDT-FLEX", "redeeming", reason, service.living.now)


def request(service: Service, number: int) -> RequestInFull:
    """Read a request."""
    with service.database.transaction() as tx:
        return approvals.show_request(tx, number, service.living.now)


def put_away(service: Service, *numbers: int) -> None:
    """Withdraw requests that a test has left."""
    with service.database.transaction() as tx:
        for number in numbers:
            desk.decline(tx, "ada", number, service.living.now)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees_what_waits_and_only_the_one_that_decides_gets_the_button(
    service: Service, only: Only, role: str
) -> None:
    number = asked_rate(service, "0.0525")
    somebody = only(role)
    listed = somebody.see("/console/approvals")
    assert "Revise a rate: USDT-FLEX" in listed
    assert "just now" in listed
    page = somebody.get(f"/console/approvals/{number}")
    assert "5.25 %" in text_of(page)
    button = f'action="/console/approvals/{number}/approve"'
    if role == "product":
        assert button in page.text
    else:
        assert button not in page.text
        assert "This needs the role product." in text_of(page)
        refused = somebody.send(f"/console/approvals/{number}/approve")
        assert refused.status_code == 403
        assert request(service, number).state == "waiting"
    put_away(service, number)


def test_both_see_the_same_difference_and_effect_and_the_second_one_approves(
    service: Service, ada: Visitor, only: Only
) -> None:
    number = asked_rate(service, "0.0525")
    tables = [
        re.findall(
            r'<table class="differs">.*?</table>', each.get(f"/console/approvals/{number}").text, re.DOTALL
        )
        for each in (ada, only("product"))
    ]
    assert tables[0] == tables[1]
    assert len(tables[0]) == 2
    effect = request(service, number).effect
    assert {each.field for each in effect} == {
        "headline", "customers", "principal", "cost_per_day", "days_left",
    }  # fmt: skip
    own = ada.see(f"/console/approvals/{number}")
    assert "You have asked for this yourself; somebody else must approve it." in own
    refused = ada.send(f"/console/approvals/{number}/approve")
    assert (refused.status_code, alert_of(refused)) == (
        409,
        "You have asked for this yourself; somebody else must approve it.",
    )
    assert only("product").sent(f"/console/approvals/{number}/approve") == f"/console/approvals/{number}"
    assert request(service, number).decided_by == "only-product"
    assert "It was approved by only-product" in ada.see(f"/console/approvals/{number}")
    assert str(number) in ada.see("/console/approvals", kind="revise_rate")


def test_a_form_that_is_sent_twice_approves_once(service: Service, bob: Visitor) -> None:
    number = asked_halt(service, "We count the coins.")
    for _ in range(2):
        answer = bob.send(f"/console/approvals/{number}/approve", key="one and the same")
        assert answer.status_code == 303
    with service.database.transaction() as tx:
        assert products.find_product(tx, "USDT-FLEX").redeem_halt == "We count the coins."
        again = approvals.ask_halt(tx, "ada", "USDT-FLEX", "redeeming", None, service.living.now)
    bob.sent(f"/console/approvals/{again}/approve")


def test_a_stale_request_cannot_be_approved_says_why_and_is_put_away(
    service: Service, ada: Visitor, bob: Visitor
) -> None:
    first, second = asked_halt(service, "First."), asked_halt(service, "Second.")
    bob.sent(f"/console/approvals/{first}/approve")
    assert "it must be made again" in bob.see("/console/approvals")
    page = bob.get(f"/console/approvals/{second}")
    assert f"/console/approvals/{second}/approve" not in page.text
    refused = bob.send(f"/console/approvals/{second}/approve")
    assert refused.status_code == 409
    assert "ask again" in alert_of(refused)
    assert bob.sent(f"/console/approvals/{second}/decline") == "/console/approvals"
    assert request(service, second).state == "declined"
    with service.database.transaction() as tx:
        end = approvals.ask_halt(tx, "bob", "USDT-FLEX", "redeeming", None, service.living.now)
    ada.sent(f"/console/approvals/{end}/approve")


def test_whoever_asked_withdraws_and_others_need_the_role_to_decline(
    service: Service, ada: Visitor, only: Only
) -> None:
    number = asked_halt(service, "By mistake.")
    assert only("treasury").send(f"/console/approvals/{number}/decline").status_code == 403
    assert "Withdraw it" in ada.see(f"/console/approvals/{number}")
    ada.sent(f"/console/approvals/{number}/decline")
    assert request(service, number).state == "withdrawn"


def test_requests_are_exported_and_none_is_found_where_there_is_none(service: Service, ada: Visitor) -> None:
    number = asked_halt(service, "For the file.")
    file = ada.get("/console/approvals.csv", kind="change_halt")
    read = list(csv.DictReader(io.StringIO(file.text)))
    assert read[0]["approval_id"] == str(number)
    assert read[0]["changes"] == "Redeeming: goes on -> paused: For the file."
    assert {each["what"] for each in read} == {"Pause or resume"}
    for nothing in ("0", "999999", "99999999999999"):
        assert ada.get(f"/console/approvals/{nothing}").status_code == 404
    put_away(service, number)


# The log


def test_the_log_is_filtered_paged_and_exported(service: Service, only: Only) -> None:
    viewer = only("viewer")
    total = rows(service, "SELECT count(*) AS n FROM desk_log")[0].n
    assert total > 5
    text = viewer.see("/console/log")
    assert "approve terms" in text
    by_bob = viewer.get("/console/log", by="bob", act="approve_terms", subject="USDT-FLEX")
    [row] = re.findall(r"<tbody>(.*?)</tbody>", by_bob.text, re.DOTALL)
    assert (
        row.count("<tr>")
        == rows(
            service,
            "SELECT count(*) AS n FROM desk_log"
            " WHERE operator = 'bob' AND act = 'approve_terms' AND subject = 'USDT-FLEX'",
        )[0].n
    )
    file = viewer.get("/console/log.csv")
    assert file.headers["content-type"].startswith("text/csv")
    read = list(csv.reader(io.StringIO(file.text)))
    assert read[0] == ["log_id", "at", "operator", "act", "subject", "details"]
    assert len(read) - 1 == total
    start = service.living.now.date()
    none = viewer.see("/console/log", from_on=str(start + timedelta(days=4000)))
    assert "Nothing is left by these filters" in none


def test_the_log_goes_on_behind_its_cursor(service: Service, only: Only) -> None:
    with service.database.transaction() as tx:
        for number in range(60):
            desk.log(tx, "ada", "counted", f"thing {number}", {}, service.living.now)
    viewer = only("viewer")
    first = viewer.get("/console/log", act="counted")
    [address] = re.findall(r'href="([^"]*)" data-next-page', first.text)
    second = viewer.get(address.replace("&amp;", "&"))
    seen = [re.findall(r"thing (\d+)", each.text) for each in (first, second)]
    assert [int(each) for each in [*seen[0], *seen[1]]] == list(range(59, -1, -1))


# People


@pytest.mark.parametrize("role", ROLES)
def test_everybody_sees_the_people_and_only_an_admin_changes_what_they_may(only: Only, role: str) -> None:
    somebody = only(role)
    page = somebody.get("/console/people")
    assert "only-treasury" in text_of(page)
    person = somebody.get("/console/people/only-viewer")
    is_admin = role == "admin"
    assert ('action="/console/people"' in page.text and "Add somebody" in page.text) == is_admin
    assert ("/console/people/only-viewer/roles" in person.text) == is_admin
    if not is_admin:
        for address, fields in (
            ("/console/people", {"name": "mallory", "roles": "admin"}),
            ("/console/people/only-viewer/roles", {"roles": "admin"}),
            ("/console/people/only-admin/active", {"is_active": "no"}),
        ):
            assert somebody.send(address, **fields).status_code == 403


def test_a_role_is_asked_for_by_one_admin_and_agreed_to_by_another(
    service: Service, ada: Visitor, only: Only
) -> None:
    assert ada.sent("/console/people", name="gil", roles=["support", "treasury"]) == "/console/people/gil"
    assert "Further roles wait for another admin." in ada.see("/console/people/gil")
    with service.database.transaction() as tx:
        gil = desk.find_operator(tx, "gil")
    assert (gil.roles, gil.grant_asked is not None) == (["viewer"], True)
    admin = only("admin")
    assert "viewer, support, treasury" in admin.see(f"/console/approvals/{gil.grant_asked}")
    admin.sent(f"/console/approvals/{gil.grant_asked}/approve")
    assert "viewer, support, treasury" in ada.see("/console/people/gil")
    ada.sent("/console/people/gil/roles", roles=["support"])
    with service.database.transaction() as tx:
        assert desk.find_operator(tx, "gil").roles == ["viewer", "support"]  # taken away at once
    visitor = operator_of(service, "gil")
    assert "Today" in visitor.see("/console")
    ada.sent("/console/people/gil/active", is_active="no")
    assert visitor.get("/console").status_code == 303
    wrong = ada.send("/console/people", name="Not A Name")
    assert wrong.status_code == 422
    assert "small letters" in alert_of(wrong)
    assert ada.get("/console/people/nobody-there").status_code == 404


# One's own security


def test_an_operator_changes_the_password_sets_the_app_up_and_ends_other_sessions(
    service: Service, only: Only
) -> None:
    support = only("support")
    assert "Authenticator app" in support.see("/console/security")
    wrong = support.send(
        "/console/security/password", old_password=PASSWORD, new_password="a", new_password_again="b"
    )
    assert "two different ways" in alert_of(wrong)
    assert support.sent("/console/security/authenticator") == "/console/security/authenticator"
    proposed = support.get("/console/security/authenticator")
    assert "<svg" in proposed.text
    other = operator_of(service, "only-support")
    assert other.get("/console/security").status_code == 200
    assert support.sent("/console/security/sessions/end-others") == "/console/security"
    assert other.get("/console/security").status_code == 303
    new = "nine old stones in a row"
    support.sent(
        "/console/security/password", old_password=PASSWORD, new_password=new, new_password_again=new
    )
    again = Visitor(service.url)
    entered = again.send("/console/sign-in", email="only-support@desk.example", password=new)
    assert entered.status_code == 303


# The agreement


@pytest.mark.parametrize("role", ROLES)
def test_everybody_reads_the_agreement_and_product_publishes_a_new_version(
    service: Service, only: Only, role: str
) -> None:
    somebody = only(role)
    assert "You may stake" in somebody.see("/console/agreements/1")
    sent = somebody.send("/console/agreements", title=f"By {role}", body="Line one\r\nline two")
    if role != "product":
        assert sent.status_code == 403
        return
    assert sent.status_code == 303
    newest = rows(service, "SELECT version, title, body FROM agreement ORDER BY version DESC LIMIT 1")[0]
    assert (newest.title, newest.body) == ("By product", "Line one\nline two")
    assert somebody.get(f"/console/agreements/{newest.version}").status_code == 200

"""The console's frame: who gets in, what everybody sees, and that it is nobody else's."""

import re

import pytest
from tests.api.world import PASSWORD, ROLES, Service
from tests.console.conftest import Only
from tests.web.visitor import Visitor, rows, text_of, visitor_of

from staddle import console
from staddle.pages.page import pages_of
from staddle.server.allow import ANYBODY

assert console is not None
THINGS = {
    "run_on": "2026-01-31",
    "closed_on": "2026-01-31",
    "code": "USDT-FLEX",
    "asset": "USDT",
    "what": "subscribing",
}
FORMS = {
    *("/console/products/new", "/console/products/{code}/edit", "/console/products/{code}/pause"),
    *("/console/rates/{code}/revise", "/console/rates/{code}/effect", "/console/treasury/{asset}/effect"),
}
"""Pages that are a form and nothing else: for whoever may send it. What they would change is seen elsewhere by all."""


def some_address(path: str) -> str:
    """Fill an address with things that there may be."""
    return re.sub(r"\{(\w+)\}", lambda name: THINGS.get(name[1], "1"), path)


def test_whoever_is_not_signed_in_is_asked_who_they_are_on_every_page(stranger: Visitor) -> None:
    seen = 0
    for page in pages_of("console"):
        if page.allow == ANYBODY:
            continue
        address = some_address(page.path)
        answer = stranger.get(address) if page.method == "GET" else stranger.send(address)
        assert answer.status_code == 303, address
        assert answer.headers["location"].startswith("/console/sign-in?next="), address
        seen += 1
    assert seen >= 3


def test_a_customer_gets_into_no_page_of_the_console(service: Service) -> None:
    ada = visitor_of(service, "ada")
    # Even with the customer's token in the operators' cookie.
    ada.http.cookies.set("staddle_console", ada.http.cookies["staddle"])
    for page in pages_of("console"):
        if page.allow == ANYBODY:
            continue
        address = some_address(page.path)
        answer = ada.get(address) if page.method == "GET" else ada.send(address)
        assert answer.status_code == 403, address


def test_an_operators_session_opens_no_page_of_a_customer(ada: Visitor) -> None:
    ada.http.cookies.set("staddle", ada.http.cookies["staddle_console"])
    assert ada.get("/positions").status_code == 403


def test_an_operator_signs_in_with_a_password_and_out_again(service: Service, ada: Visitor) -> None:
    assert "Today" in ada.see("/console")  # and with that there is a login
    somebody = Visitor(service.url)
    wrong = somebody.send("/console/sign-in", email="ada@desk.example", password="not this one")
    assert wrong.status_code == 401
    to = somebody.sent(
        "/console/sign-in", email="ada@desk.example", password=PASSWORD, next="/console/approvals"
    )
    assert to == "/console/approvals"
    assert "Today" in somebody.see("/console")
    assert somebody.sent("/console/sign-out") == "/console/sign-in"
    assert somebody.get("/console").status_code == 303


@pytest.mark.parametrize("role", ["viewer", "support", "product", "treasury", "admin"])
def test_every_role_sees_today(only: Only, role: str) -> None:
    text = only(role).see("/console")
    assert "Reward pools" in text
    assert "Waiting for a second person" in text


def test_nothing_at_an_address_is_said_on_a_page(ada: Visitor) -> None:
    answer = ada.get("/console/no-such-page")
    assert answer.status_code == 404
    assert "There is nothing here" in text_of(answer)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_can_send_no_form_of_another_role(service: Service, only: Only, role: str) -> None:
    somebody = only(role)
    before = everything_of_the_desk(service)
    refused = 0
    for page in pages_of("console"):
        if page.method != "POST" or page.allow == ANYBODY or page.allow.roles & {role, "viewer"}:
            continue
        answer = somebody.send(some_address(page.path))
        assert answer.status_code == 403, f"{role} may send {page.path}"
        assert "Your role does not include this" in text_of(answer), page.path
        refused += 1
    assert refused >= 10
    assert everything_of_the_desk(service) == before


def test_a_viewer_is_kept_from_no_page_and_finds_no_form_that_changes_anything(only: Only) -> None:
    viewer = only("viewer")
    open_to_all = ("/console/sign-out", "/console/step-up", "/console/security", "/console/audit", "/look")
    for page in pages_of("console"):
        if page.method != "GET" or page.allow == ANYBODY:
            continue
        if "viewer" not in page.allow.roles:
            assert page.path in FORMS, f"{page.path} is not for viewers"
        if "{" in page.path or page.path in FORMS:
            continue
        answer = viewer.get(page.path)
        assert answer.status_code in (200, 303), (
            page.path
        )  # the authenticator is only shown while one is set up
        forms = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', answer.text)
        assert [each for each in forms if not each.startswith(open_to_all)] == [], page.path


def everything_of_the_desk(service: Service) -> list[object]:
    """Read what operators can change, but for who looked when."""
    tables = (
        "desk",
        "operator",
        "approval",
        "desk_log",
        "product",
        "terms",
        "rate_revision",
        "alarm",
        "task",
        "run",
    )
    return [rows(service, f"SELECT t::text FROM {table} t ORDER BY 1") for table in tables]

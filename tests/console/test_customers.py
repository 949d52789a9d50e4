"""Customers in the console: found by e-mail, a reward explained; a viewer changes nothing, and no secret shows."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.world import HERE, PASSWORD_HASH, SEEN, Service
from tests.console.conftest import Only
from tests.web.visitor import Visitor, alert_of, rows, text_of

from staddle import identity
from staddle.customers import find_customer
from staddle.errors import LoginNotFound
from staddle.money import plain

ACTS = ("known", "moves", "lost-factors")


@pytest.fixture
def login(service: Service) -> str:
    """Ada, the customer, has a login; gives its number."""
    now = service.living.now
    with service.database.transaction() as tx:
        customer = find_customer(tx, "ada")
        try:
            return identity.login_of_customer(tx, customer.customer_id).login_id
        except LoginNotFound:
            email = "ada@example.com"
            return identity.add_customer_login(tx, HERE, "ada", email, PASSWORD_HASH, SEEN, now).login_id


def position_of(service: Service) -> int:
    """Give a position of ada's that has been paid."""
    return int(service.living.positions_of(service.customer_id("ada"), "USDT-FLEX")[0].position_id)


def test_support_finds_a_customer_by_email_and_explains_a_reward(
    service: Service, only: Only, login: str
) -> None:
    support = only("support")
    found = support.get("/console/search", q="ADA@example.com").text
    assert '<a href="/console/customers/ada">' in found
    page = support.see("/console/customers/ada")
    assert "ada@example.com" in page
    position = position_of(service)
    run_on, amount = max(service.living.rewards_of(position).items())
    assert f"/console/positions/{position}/days/{run_on}" in support.get("/console/customers/ada").text
    explained = support.see(f"/console/positions/{position}/days/{run_on}")
    assert "Why this reward" in explained
    receipt = support.get(f"/console/positions/{position}/days/{run_on}/receipt").json()
    assert receipt["amount"].rstrip("0") == plain(amount)
    for figure in ("basis_before", "basis_after", "paid_before", "paid_after", "day_basis", "principal"):
        assert receipt[figure] in explained


def test_a_day_without_a_reward_is_explained_too(service: Service, ada: Visitor) -> None:
    position = position_of(service)
    started = service.living.position(position).started_at.date()
    assert "had not completed its first 24 hours" in ada.see(f"/console/positions/{position}/days/{started}")
    assert "still to come" in ada.see(f"/console/positions/{position}/days/2090-01-01")
    ended = rows(service, "SELECT position_id, ended_at FROM position WHERE ended_at IS NOT NULL LIMIT 1")
    for row in ended:
        assert "Why nothing was paid" in ada.see(f"/console/positions/{row.position_id}/days/2090-01-01")
    assert ada.get(f"/console/positions/{position}/days/never").status_code == 422
    assert ada.get("/console/positions/999999999999").status_code == 404


def test_the_list_is_filtered_sorted_paged_and_exported(service: Service, ada: Visitor) -> None:
    everybody = rows(service, 'SELECT reference FROM customer ORDER BY reference COLLATE "C"')
    exported = ada.get("/console/customers.csv", sort="reference").text.splitlines()
    assert [line.split(",")[0] for line in exported[1:]] == [row.reference for row in everybody]
    page = ada.get("/console/customers", reference="ad").text
    assert references_in(page) == {row.reference for row in everybody if row.reference.startswith("ad")}
    assert references_in(ada.get("/console/customers", name="nobody is called so").text) == set()
    assert references_in(ada.get("/console/customers", vip_level="x").text) == set()


def references_in(page: str) -> set[str]:
    return set(re.findall(r'href="/console/customers/([^"/?]+)"', page))


def test_support_changes_what_is_known_and_it_stands_in_the_log(service: Service, only: Only) -> None:
    support = only("support")
    support.sent("/console/customers/ben/known", name="Ben Bright", country="at", vip_level="2")
    with service.database.transaction() as tx:
        changed = find_customer(tx, "ben")
    assert (changed.name, changed.country, changed.vip_level) == ("Ben Bright", "AT", 2)
    log = rows(service, "SELECT operator FROM desk_log WHERE act = 'change_customer' ORDER BY log_id DESC")
    assert log[0].operator == "only-support"
    refused = support.send("/console/customers/ben/known", name="Ben", country="XX1", vip_level="2")
    assert refused.status_code in (400, 422)
    assert alert_of(refused)
    refused = support.send("/console/customers/ben/known", name="Ben", country="AT", vip_level="-1")
    assert "whole number" in alert_of(refused)


def test_a_move_is_only_asked_for_and_twice_the_same_form_asks_once(service: Service, only: Only) -> None:
    support = only("support")
    before = rows(service, "SELECT count(*) AS n FROM transfer")[0].n
    waiting = rows(service, "SELECT count(*) AS n FROM approval")[0].n
    form = {"move": "deposit", "asset": "USDT", "account": "spot", "amount": "12.5"}
    for _ in range(2):
        answer = support.send("/console/customers/ben/moves", key="the same key", **form)
        assert answer.status_code == 303
    assert rows(service, "SELECT count(*) AS n FROM approval")[0].n == waiting + 1
    assert rows(service, "SELECT count(*) AS n FROM transfer")[0].n == before
    refused = support.send("/console/customers/ben/moves", **{**form, "amount": "0"})
    assert refused.status_code >= 400
    assert alert_of(refused)


def test_removing_lost_factors_is_asked_for(service: Service, only: Only, login: str) -> None:
    support = only("support")
    support.sent("/console/customers/ada/lost-factors")
    asked = rows(service, "SELECT act, basis FROM approval ORDER BY approval_id DESC LIMIT 1")[0]
    assert (asked.act, asked.basis) == ("remove_lost_factors", login)


@pytest.mark.parametrize("role", ["viewer", "product"])
def test_who_only_looks_changes_nothing(service: Service, only: Only, login: str, role: str) -> None:
    visitor = only(role)
    text = visitor.see("/console/customers/ada")
    assert "takes the role support" in text
    page = visitor.get("/console/customers/ada").text
    for act in ACTS:
        assert f'action="/console/customers/ada/{act}"' not in page
    before = rows(service, "SELECT count(*) AS n FROM desk_log")[0].n
    for act, form in (
        ("known", {"name": "X", "country": "", "vip_level": "0"}),
        ("moves", {"move": "deposit", "asset": "USDT", "account": "spot", "amount": "1"}),
        ("lost-factors", {}),
    ):
        answer = visitor.send(f"/console/customers/ada/{act}", **form)
        assert answer.status_code == 403, act
    assert rows(service, "SELECT count(*) AS n FROM desk_log")[0].n == before


def test_treasury_may_ask_for_a_move_and_not_change_a_name(only: Only) -> None:
    treasury = only("treasury")
    page = treasury.get("/console/customers/ben").text
    assert 'action="/console/customers/ben/moves"' in page
    assert 'action="/console/customers/ben/known"' not in page
    answer = treasury.send("/console/customers/ben/known", name="X", country="", vip_level="0")
    assert answer.status_code == 403


def test_a_stranger_is_sent_to_sign_in(stranger: Visitor) -> None:
    for path in ("/console/customers", "/console/customers/ada", "/console/positions", "/console/search"):
        answer = stranger.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/console/sign-in")
    assert stranger.get("/console/customers.csv").status_code == 303


def test_no_password_key_or_secret_is_ever_shown(service: Service, ada: Visitor, login: str) -> None:
    """Every page about a customer is searched for whatever the database holds of secrets."""
    secrets = set(secrets_in(service))
    assert PASSWORD_HASH in secrets
    position = position_of(service)
    for path in (
        "/console/customers/ada",
        "/console/search?q=ada",
        f"/console/positions/{position}",
        "/console/customers",
        "/console/ledger?customer=ada",
    ):
        page = ada.get(path).text
        assert "argon2" not in page
        assert [secret for secret in secrets if secret in page] == []


def secrets_in(service: Service) -> Iterator[str]:
    """Give whatever opens a door, as text and in hexadecimal."""
    for statement in (
        "SELECT password_hash AS secret FROM login WHERE password_hash IS NOT NULL",
        "SELECT totp_secret AS secret FROM login WHERE totp_secret IS NOT NULL",
        "SELECT token_hash AS secret FROM session",
        "SELECT secret_hash AS secret FROM api_key WHERE secret_hash IS NOT NULL",
        "SELECT sealed_secret AS secret FROM api_key WHERE sealed_secret IS NOT NULL",
        "SELECT code_hash AS secret FROM recovery_code",
    ):
        for row in rows(service, statement):
            value: Any = row.secret
            yield value if isinstance(value, str) else bytes(value).hex()


def test_positions_are_filtered_sorted_and_exported(service: Service, ada: Visitor) -> None:
    there = rows(
        service,
        "SELECT position_id FROM position WHERE ended_at IS NULL ORDER BY started_at DESC, position_id DESC",
    )
    exported = ada.get("/console/positions.csv").text.splitlines()
    assert [line.split(",")[0] for line in exported[1:]] == [str(row.position_id) for row in there]
    listed = re.findall(r'<td><a href="/console/positions/(\d+)">', ada.get("/console/positions").text)
    assert listed == [str(row.position_id) for row in there][:50]
    turned = re.findall(
        r'<td><a href="/console/positions/(\d+)">', ada.get("/console/positions", sort="started_at").text
    )
    assert turned == listed[::-1] or len(there) > 50
    maturing = rows(
        service,
        "SELECT position_id FROM position WHERE ended_at IS NULL AND term_days IS NOT NULL"
        " ORDER BY matures_at, position_id",
    )
    soonest = ada.get("/console/positions", sort="matures_at").text
    assert (
        re.findall(r'<td><a href="/console/positions/(\d+)">', soonest)
        == [str(row.position_id) for row in maturing][:50]
    )
    of_product = ada.get("/console/positions", product="USDT-30D", state="all").text
    assert "USDT-FLEX</td>" not in of_product
    assert text_of(ada.get("/console/positions", started_from="soon"))
    assert ada.get("/console/positions", started_from="soon").status_code == 422


def test_a_reference_of_any_letters_has_a_page(service: Service, ada: Visitor) -> None:
    service.living.customer("a/b c?d&é")
    page = ada.get("/console/customers", reference="a/b").text
    [address] = re.findall(r'href="(/console/customers/a[^"]+)"', page)
    assert "a/b c?d&é" in ada.see(address)

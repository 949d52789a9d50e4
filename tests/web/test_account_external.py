"""Signing in with another account, as a browser does it: there and back by addresses, with a secret kept meanwhile."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.api.world import Service, keyring, serving
from tests.living import Living
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, PAGE_URI
from tests.web.visitor import Visitor, alert_of, rows

from staddle import identity

ROOT = Path(__file__).parents[2]
PEOPLE = {"ada": {"id_token": {"reference": "ada"}, "userinfo": {}}, "eve": {"id_token": {}, "userinfo": {}}}


@pytest.fixture(scope="module")
def service(copied: Living) -> Iterator[Service]:
    """A service whose own address is the one that the provider sends back to."""
    with serving(copied, STADDLE_PUBLIC_URL=PAGE_URI.removesuffix("/sign-in/external")) as service:
        yield service


@pytest.fixture(scope="module", autouse=True)
def _provider(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A real provider, in a process of its own, that the desk trusts."""
    command = [sys.executable, "-m", "tests.openid_provider", str(tmp_path_factory.mktemp("provider"))]
    with subprocess.Popen(
        [*command, json.dumps(PEOPLE)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        issuer = process.stdout.readline().strip()
        with service.database.transaction() as tx:
            now = datetime.now(UTC)
            identity.set_sign_in_provider(
                tx, keyring(), "ada", issuer, CLIENT_ID, CLIENT_SECRET, "reference", now
            )
        yield
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0


def proved_there(address: str, name: str) -> str:
    """Sign in at the provider, and give where it sends the browser: the path and query on our site."""
    with httpx.Client(follow_redirects=True, timeout=10) as browser:
        form = browser.get(address)
        token = form.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        fields = {"username": name, "password": name * 2, "csrfmiddlewaretoken": token}
        answer = browser.post(form.url, data=fields, follow_redirects=False)
        while answer.next_request is not None and not str(answer.next_request.url).startswith(PAGE_URI):
            answer = browser.send(answer.next_request, follow_redirects=False)
        assert answer.next_request is not None, answer.text
        back = urlsplit(str(answer.next_request.url))
    return f"{back.path}?{back.query}"


def begin(visitor: Visitor, after: str = "/settings/keys") -> str:
    """Go to the provider; gives its address."""
    answer = visitor.get("/sign-in/external/begin", next=after)
    assert answer.status_code == 303
    kept = answer.headers["set-cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=Lax" in kept
    assert "Path=/sign-in/external" in kept
    return answer.headers["location"]


def test_the_sign_in_page_names_the_provider(somebody: Visitor) -> None:
    page = somebody.get("/sign-in", next="/positions").text
    assert "Sign in with 127.0.0.1" in page
    assert 'href="/sign-in/external/begin?next=%2Fpositions"' in page


def test_whoever_comes_back_from_the_provider_is_signed_in_and_goes_where_they_wanted(
    somebody: Visitor,
) -> None:
    back = proved_there(begin(somebody), "ada")
    answer = somebody.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/keys")
    assert somebody.get("/settings").status_code == 200
    assert Visitor(somebody.url).get(back).status_code == 401, "good once, and in this browser alone"


def test_another_browser_cannot_use_what_came_back(service: Service, somebody: Visitor) -> None:
    back = proved_there(begin(somebody), "ada")
    other = Visitor(service.url)
    begin(other)
    answer = other.get(back)
    assert answer.status_code == 401
    assert "did not work" in alert_of(answer)
    assert other.get("/settings").status_code == 303


def test_a_stranger_of_the_provider_is_told_so_on_the_sign_in_page(somebody: Visitor) -> None:
    answer = somebody.get(proved_there(begin(somebody), "eve"))
    assert answer.status_code == 401
    assert "no customer here" in alert_of(answer)


def test_the_way_back_leads_nowhere_else(somebody: Visitor) -> None:
    answer = somebody.get(proved_there(begin(somebody, "https://elsewhere.example/"), "ada"))
    assert answer.headers["location"] == "/"


def test_coming_back_with_nothing_opens_nothing(service: Service, somebody: Visitor) -> None:
    before = rows(service, "SELECT count(*) FROM session")
    for query in ({}, {"state": "0" * 24, "code": "x"}, {"error": "access_denied"}):
        assert somebody.get("/sign-in/external", **query).status_code == 401
    somebody.http.cookies.set("staddle_external", "secret.*not base64*")
    assert somebody.get("/sign-in/external", state="0" * 24, code="x").status_code == 401
    assert rows(service, "SELECT count(*) FROM session") == before

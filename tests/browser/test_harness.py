"""The browser, the desk behind it, and what the tests that use them can rely upon."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.chromium import PICTURES, problems_of
from tests.browser.conftest import OpenPage
from tests.browser.served import Desk

HERE = Path(__file__).parent
GOOD = "<!doctype html><html lang=en><title>Good</title><main><h1>Good</h1><p>Plain words.</p></main></html>"


def test_the_reference_of_a_served_desk_opens_and_is_accessible(desk: Desk, page: Page) -> None:
    answer = page.goto("/docs")
    assert answer is not None
    assert answer.status == 200
    assert "Staddle" in page.title()
    for _ in both_themes(page):
        assert_accessible(page)


def test_a_phone_sees_the_same_desk(desk: Desk, phone_page: Page) -> None:
    phone_page.goto("/docs")
    assert phone_page.evaluate("() => [innerWidth, matchMedia('(pointer: coarse)').matches]") == [390, True]


def test_time_passes_at_the_desk_with_all_that_is_due(desk: Desk) -> None:
    ada = desk.service.customer_id("ada")
    before = desk.living.funding(ada, "USDT")
    now = desk.advance(days=2)
    assert desk.living.now == now
    assert desk.living.funding(ada, "USDT") > before


def test_everybody_has_a_login_that_works(desk: Desk) -> None:
    for kind, people in (("customer", desk.customers), ("operator", desk.operators)):
        for login in people.values():
            body = {"kind": kind, "email": login.email, "password": login.password}
            assert desk.service.http.post("/v1/sign-in", json=body).status_code == 200


def test_a_page_that_is_not_accessible_is_told_so_readably(page: Page) -> None:
    page.set_content(GOOD)
    assert_accessible(page)
    page.set_content(GOOD.replace("<p>", "<p style='color:#ccc;background:#fff'><img src='data:,'>"))
    with pytest.raises(AssertionError) as failed:
        assert_accessible(page)
    told = str(failed.value)
    assert "image-alt (critical)" in told
    assert "color-contrast (serious)" in told
    assert "insufficient color contrast of" in told


def test_both_themes_are_seen(page: Page) -> None:
    page.set_content(GOOD)
    dark = "() => matchMedia('(prefers-color-scheme: dark)').matches"
    assert [(theme, page.evaluate(dark)) for theme in both_themes(page)] == [("light", False), ("dark", True)]


def test_what_goes_wrong_in_a_page_is_remembered(open_page: OpenPage) -> None:
    page = open_page()
    policy = "default-src 'none'; script-src 'self'"
    scripts = "<script>let a = 1</script><script src='/gone.js'></script><script src='/bad.js'></script>"
    answers = {
        "/": (200, "text/html", GOOD.replace("</main>", f"{scripts}</main>")),
        "/gone.js": (404, "text/plain", ""),
        "/bad.js": (200, "text/javascript", "console.error('said'); throw new Error('thrown')"),
    }

    def answer(route: Route, request: Request) -> None:
        status, media_type, body = answers[request.url.removeprefix("http://desk.test")]
        headers = {"Content-Security-Policy": policy, "Content-Type": media_type}
        route.fulfill(status=status, headers=headers, body=body)

    page.route("http://desk.test/**", answer)
    page.goto("http://desk.test/")
    problems = "\n".join(problems_of(page))
    assert "CSP: script-src-elem forbids inline" in problems
    assert "404 GET http://desk.test/gone.js" in problems
    assert "console: said" in problems
    assert "error: thrown" in problems
    with pytest.raises(AssertionError, match="thrown"):
        assert_accessible(page)
    problems_of(page).clear()


def test_a_test_that_fails_leaves_its_picture_and_its_html() -> None:
    picture = PICTURES / "test_that_fails_on_purpose.png"
    picture.unlink(missing_ok=True)
    picture.with_suffix(".html").unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(HERE / "fails_on_purpose.py"),
    ]
    done = subprocess.run(
        command, check=False, cwd=HERE.parents[1], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "on purpose" in done.stdout
    assert str(picture) in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "Left behind" in picture.with_suffix(".html").read_text()
    picture.unlink()
    picture.with_suffix(".html").unlink()

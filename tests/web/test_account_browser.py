"""What needs a script, in a real browser: passkeys by a device of its own, and the page without a connection."""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.api.world import PASSWORD, Service
from tests.web.visitor import visitor_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed here")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """A page of ada's, signed in by password, with an authenticator in the device."""
    visitor_of(service, "ada")
    with browser.new_context(base_url=f"http://localhost:{urlsplit(service.url).port}") as context:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
        device |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
        session.send("WebAuthn.addVirtualAuthenticator", {"options": device})
        page.goto("/sign-in?next=/settings/security")
        page.fill("#email", "ada@example.com")
        page.fill("#password", PASSWORD)
        page.click("main button.main")
        wait_for_path(page, "/settings/security")
        yield page


def wait_for_path(page: Page, path: str) -> None:
    """Wait until the browser is there; an address that only names the path further on is not enough."""
    page.wait_for_url(lambda url: urlsplit(url).path == path)


def test_a_passkey_is_added_proves_again_and_signs_in(page: Page) -> None:
    page.fill("#passkey-name", "Phone")
    page.click("[data-passkey=add]")
    page.get_by_label("Remove Phone").wait_for()
    page.goto("/step-up?next=/settings/keys")
    page.click("[data-passkey=step-up]")
    wait_for_path(page, "/settings/keys")
    page.goto("/settings")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").first.wait_for()
    page.goto("/sign-in?next=/messages")
    page.click("[data-passkey=sign-in]")
    wait_for_path(page, "/messages")


def test_a_passkey_without_a_name_is_asked_for_one(page: Page) -> None:
    page.click("[data-passkey=add]")
    page.get_by_text("Please give the passkey a name first.").wait_for()


def test_without_a_connection_there_is_no_page_but_the_one_that_says_so(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready")
    page.reload()
    kept = page.evaluate(
        """async () => {
          const found = [];
          for (const name of await caches.keys())
            for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
          return found;
        }"""
    )
    assert "/offline" in kept
    assert {path for path in kept if not path.startswith("/static/")} == {"/offline", "/icon.svg"}
    page.context.set_offline(True)
    page.goto("/settings")
    assert page.inner_text("h1") == "No connection"
    assert "ada" not in page.inner_text("body")

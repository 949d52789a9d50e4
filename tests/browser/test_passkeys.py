"""Passkeys, by a device of the browser's own: added, used to prove again who it is, and to sign in."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import OpenPage, SignIn
from tests.browser.served import Desk


@pytest.fixture
def own_page(desk: Desk, open_page: OpenPage, sign_in: SignIn) -> Page:
    """A page of ada's under the name that passkeys are bound to, with an authenticator in the device."""
    page = open_page(base_url=f"http://localhost:{urlsplit(desk.url).port}")
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    device |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    sign_in(page, "ada")
    page.goto("/settings/security")
    return page


def wait_for_path(page: Page, path: str) -> None:
    """Wait until the browser is there; an address that only names the path further on is not enough."""
    page.wait_for_url(lambda url: urlsplit(url).path == path)


def test_a_passkey_is_added_proves_again_and_signs_in(own_page: Page) -> None:
    own_page.fill("#passkey-name", "Phone")
    own_page.click("[data-passkey=add]")
    own_page.get_by_label("Remove Phone").wait_for()
    own_page.goto("/step-up?next=/settings/keys")
    own_page.click("[data-passkey=step-up]")
    wait_for_path(own_page, "/settings/keys")
    own_page.goto("/settings")
    own_page.get_by_role("button", name="Sign out").click()
    own_page.get_by_role("link", name="Sign in").first.wait_for()
    own_page.goto("/sign-in?next=/messages")
    own_page.click("[data-passkey=sign-in]")
    wait_for_path(own_page, "/messages")


def test_a_passkey_without_a_name_is_asked_for_one(own_page: Page) -> None:
    own_page.click("[data-passkey=add]")
    own_page.get_by_text("Please give the passkey a name first.").wait_for()

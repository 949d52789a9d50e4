"""Debian's Chromium, driven by Playwright, which downloads nothing; and pages that remember what went wrong in them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

PROGRAM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURES = Path(__file__).parents[2] / "build" / "browser"
PATIENCE_MS = 10_000
TELL_OF_CSP = """
document.addEventListener("securitypolicyviolation", ({effectiveDirective, blockedURI, sourceFile, lineNumber}) =>
    console.error(`CSP: ${effectiveDirective} forbids ${blockedURI} at ${sourceFile}:${lineNumber}`));
"""
ASKED_BY_THE_TEST = {"document", "xhr", "fetch"}
"""A page that says no (400 to 499) to one of these is what a test may want to see."""

_problems: WeakKeyDictionary[Page, list[str]] = WeakKeyDictionary()


@contextmanager
def launched() -> Iterator[Browser]:
    """Run a browser for the length of a block."""
    assert PROGRAM.exists(), f"{PROGRAM} is missing; on Debian: apt install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def open_watched(browser: Browser, **options: Any) -> Page:
    """Open a page in a context of its own; Playwright's options of a context go over these."""
    told = {"locale": "en-GB", "timezone_id": "UTC", "reduced_motion": "reduce", **options}
    context = browser.new_context(**told)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(TELL_OF_CSP)
    page = context.new_page()
    problems = _problems[page] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            problems.append(f"console: {message.text}")

    def answered(response: Response) -> None:
        is_wanted = response.status < 500 and response.request.resource_type in ASKED_BY_THE_TEST
        if response.status >= 400 and not is_wanted:
            problems.append(f"{response.status} {response.request.method} {response.url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("response", answered)
    return page


def problems_of(page: Page) -> list[str]:
    """Give the errors of the console, violations of the policy and answers of no use that the page has had."""
    return _problems[page]


def take_picture(page: Page, test_name: str, number: int) -> Path:
    """Keep what the page looks like, and its HTML beside it."""
    name = re.sub(r"[^\w.-]+", "-", test_name).strip("-") + (f"-{number}" if number > 1 else "")
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"{name}.png"
    page.screenshot(path=picture, full_page=True)
    picture.with_suffix(".html").write_text(page.content(), encoding="utf-8")
    return picture

"""A test that fails, for test_harness.py: pytest does not collect it by itself."""

from playwright.sync_api import Page


def test_that_fails_on_purpose(page: Page) -> None:
    page.set_content("<!doctype html><html lang=en><title>Red</title><h1>Left behind</h1></html>")
    raise AssertionError("on purpose")

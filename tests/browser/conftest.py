"""A desk in a real browser: served.py has the desk, chromium.py the browser, accessible.py what a page must pass.

    desk            a desk that lived, served for one file of tests (served.py)
    page            a fresh page of 1280 x 800; with `desk` in the test, page.goto("/earn") goes to it
    phone_page      the same at 390 x 844, by touch
    open_page       open_page(width, height, **options of Playwright's context): further pages, others' sessions
    sign_in         sign_in(page, "ada"): as a customer of the desk
    sign_in_operator  sign_in_operator(page, "bob"): as an operator, in the console

A page fails its test for an error in its console, for what its policy had to forbid, and for an answer of 500. A test
that fails leaves pictures of its pages under build/browser.
"""

import copy
import itertools
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.api.lived import live
from tests.browser.chromium import launched, open_watched, problems_of, take_picture
from tests.browser.served import Desk, serving_people
from tests.living import Living

from staddle.db import Database, Server

FOLDER = Path(__file__).parent
PAGES = pytest.StashKey[list[Page]]()
OpenPage = Callable[..., Page]
SignIn = Callable[[Page, str], None]
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put these tests last: while Playwright runs, nobody else in the process can run an event loop."""
    items.sort(key=lambda item: FOLDER in item.path.parents)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of each page of a test that failed."""
    report = yield
    if report.when == "call" and report.failed:
        pages: list[Page] = item.stash.get(PAGES, [])
        for number, page in enumerate(pages, 1):
            report.sections.append(("picture", str(take_picture(page, item.name, number))))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser of this process of the run."""
    with launched() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Opens pages in contexts of their own, and asks at the end whether all went well in them."""
    pages = request.node.stash[PAGES] = []
    base: dict[str, Any] = {}
    if "desk" in request.fixturenames:
        base["base_url"] = request.getfixturevalue("desk").url

    def open_one(width: int = 1280, height: int = 800, **options: Any) -> Page:
        told = {"viewport": {"width": width, "height": height}, **base, **options}
        page = open_watched(browser, **told)
        pages.append(page)
        return page

    yield open_one
    problems = [problem for page in pages for problem in problems_of(page)]
    for page in pages:
        page.context.close()
    assert not problems, "\n".join(problems)


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page as on a desk."""
    return open_page()


@pytest.fixture
def phone_page(open_page: OpenPage) -> Page:
    """A page as in a hand."""
    return open_page(390, 844, has_touch=True, is_mobile=True, device_scale_factor=2)


@pytest.fixture(scope="session")
def lived(server: Server, template: str) -> Iterator[tuple[str, Living]]:
    """The desk of the tests of the API: the database to copy from."""
    name = f"browser_{os.getpid()}"
    server.drop(name)
    server.create(name, template)
    with Database(server.dsn_of(name)) as database:
        living = live(database)
    yield name, living
    server.drop(name)


@pytest.fixture(scope="module")
def desk(server: Server, lived: tuple[str, Living]) -> Iterator[Desk]:
    """A copy of that desk for one file of tests, served, with logins."""
    name = f"browser_{os.getpid()}_{next(_numbers)}"
    server.drop(name)
    server.create(name, lived[0])
    with Database(server.dsn_of(name)) as database:
        living = copy.copy(lived[1])
        living.database = database
        with serving_people(living) as desk:
            yield desk
    server.drop(name)


@pytest.fixture
def sign_in(desk: Desk) -> SignIn:
    """Signs a customer in by the form at /sign-in."""

    def sign_in(page: Page, customer: str) -> None:
        login = desk.customers[customer]
        page.goto("/sign-in")
        form = page.locator("form", has=page.locator("[name=password]"))
        form.locator("[name=email]").fill(login.email)
        form.locator("[name=password]").fill(login.password)
        form.locator("[type=submit]").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)

    return sign_in


@pytest.fixture
def sign_in_operator(desk: Desk) -> SignIn:
    """Signs an operator in by the form of the console; ada and bob have every role."""

    def sign_in_operator(page: Page, name: str) -> None:
        login = desk.operators[name]
        page.goto("/console/sign-in")
        page.locator("[name=email]").fill(login.email)
        page.locator("[name=password]").fill(login.password)
        page.locator("form[action='/console/sign-in'] button").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)

    return sign_in_operator

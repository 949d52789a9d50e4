"""What the front end does in a page by itself: charts where there are any, under the policy of the desk's pages."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

import pytest
from playwright.sync_api import Page, Request, Route, expect
from tests.browser.accessible import assert_accessible, both_themes
from tests.browser.conftest import OpenPage

from staddle.ui.static_files import address_of, file_at

SITE = "http://desk.test"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
COLOURS = """
:root:root:root { --chart-line: rgb(10, 20, 30); --chart-fill: rgb(200, 210, 220) }
:root:root:root { --chart-grid: #ddd; --chart-text: #333 }
@media (prefers-color-scheme: dark) {
  :root:root:root { background: #111; color: #eee }
  :root:root:root { --chart-line: rgb(250, 240, 230); --chart-fill: rgb(90, 80, 70) }
  :root:root:root { --chart-grid: #444; --chart-text: #ccc }
}
figure { margin: 0; inline-size: 60%; font-family: sans-serif }
"""
DAY = 86400
DAYS = [1767225600 + day * DAY for day in range(5)]
SERIES = {
    "t": DAYS,
    "v": ["0.10000000", "0.20000001", "0.15000000", "0.30000000", "0.25000000"],
    "label": "Rewards",
    "unit": "USDT",
}
COUNT_OF = """(colour) => {
    const canvas = document.querySelector("canvas");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const wanted = colour.match(/\\d+/g).map(Number);
    let count = 0;
    for (let at = 0; at < data.length; at += 4)
        if (wanted.every((part, index) => Math.abs(data[at + index] - part) < 3) && data[at + 3] > 250) count++;
    return count;
}"""


def figure(kind: str = "line", **changed: object) -> str:
    return f'<figure data-chart="{kind}" data-series="{escape(json.dumps({**SERIES, **changed}))}"></figure>'


@dataclass
class Site:
    """Pages as the desk will send them, without a desk; `asked` is what the browser has asked for."""

    pages: dict[str, str]
    asked: list[str] = field(default_factory=list)

    def answer(self, route: Route, request: Request) -> None:
        path = request.url.removeprefix(SITE)
        self.asked.append(path)
        static = file_at(path, accepts_gzip=False)  # what is fulfilled here is not decoded
        if static is not None:
            headers = {**static.headers, "Content-Type": static.media_type}
            route.fulfill(body=static.content, headers=headers)
        elif path == "/colours.css":
            route.fulfill(body=COLOURS, content_type="text/css")
        else:
            head = (
                f'<title>Chart</title><link rel="stylesheet" href="{address_of("app.css")}">'
                '<link rel="stylesheet" href="/colours.css">'
                f'<script type="module" src="{address_of("app.js")}"></script>'
            )
            whole = f"<!doctype html><html lang=en><head>{head}</head><body><main><h1>Chart</h1>{self.pages[path]}"
            body = self.pages[path] if "hx-request" in request.headers else whole
            route.fulfill(body=body, headers={"Content-Type": "text/html", "Content-Security-Policy": POLICY})

    def asked_for(self, name: str) -> int:
        return self.asked.count(address_of(name))


@pytest.fixture
def visit(page: Page) -> Callable[..., Site]:
    def visit(body: str, **others: str) -> Site:
        site = Site({"/": body, **{f"/{name}": content for name, content in others.items()}})
        page.route(f"{SITE}/**", site.answer)
        page.goto(f"{SITE}/")
        page.wait_for_load_state("networkidle")
        return site

    return visit


Visit = Callable[..., Site]


def colours_of(page: Page, *colours: str) -> list[bool]:
    """Say which of these colours the chart has in it."""
    return [page.evaluate(COUNT_OF, colour) > 20 for colour in colours]


def test_a_page_without_a_chart_loads_no_charts(page: Page, visit: Visit) -> None:
    site = visit("<p>Nothing to draw.</p>")
    assert site.asked == ["/", address_of("app.css"), "/colours.css", address_of("app.js")]
    assert_accessible(page)


@pytest.mark.parametrize("kind", ["line", "step", "bars"])
def test_a_chart_is_drawn_for_eyes_in_the_colours_of_both_themes(page: Page, visit: Visit, kind: str) -> None:
    site = visit(figure(kind))
    expect(page.locator("figure canvas")).to_be_visible()
    assert page.locator("figure > [aria-hidden=true] canvas").count() == 1
    assert (site.asked_for("charts.js"), site.asked_for("charts.css")) == (1, 1)
    seen = {}
    for theme in both_themes(page):
        page.wait_for_timeout(100)
        seen[theme] = colours_of(page, "10, 20, 30", "250, 240, 230")
        assert_accessible(page)
    assert seen == {"light": [True, False], "dark": [False, True]}


def test_the_legend_shows_the_last_value_and_then_the_one_under_the_pointer_to_the_last_digit(
    page: Page, visit: Visit
) -> None:
    visit(figure())
    legend = page.locator("figure .u-legend")
    expect(legend).to_contain_text("0.25000000 USDT")
    expect(legend).to_contain_text("Jan 5, 2026")
    over = page.locator("figure .u-over")
    box = over.bounding_box()
    assert box is not None
    over.hover(position={"x": box["width"] / 4, "y": 20})
    expect(legend).to_contain_text("0.20000001 USDT")
    expect(legend).to_contain_text("Jan 2, 2026")
    page.mouse.move(0, 0)
    expect(legend).to_contain_text("0.25000000 USDT")


def test_a_chart_grows_and_shrinks_with_its_place(page: Page, visit: Visit) -> None:
    visit(figure())
    canvas = page.locator("figure canvas")
    expect(canvas).to_be_visible()
    wide = page.evaluate("() => document.querySelector('figure .uplot').offsetWidth")
    page.set_viewport_size({"width": 360, "height": 640})
    page.wait_for_timeout(200)
    narrow = page.evaluate("() => document.querySelector('figure .uplot').offsetWidth")
    assert narrow < wide / 2
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    legend = page.locator("figure .u-legend").bounding_box()
    place = page.locator("figure").bounding_box()
    assert legend is not None
    assert place is not None
    assert legend["y"] + legend["height"] <= place["y"] + place["height"] + 1


def test_a_chart_that_htmx_brings_is_drawn(page: Page, visit: Visit) -> None:
    button = '<button hx-get="/part" hx-target="#here">Show</button><div id="here"></div>'
    site = visit(button, part=figure("bars"))
    assert site.asked_for("charts.js") == 0
    page.get_by_role("button").click()
    expect(page.locator("#here canvas")).to_be_visible()
    assert site.asked_for("charts.js") == 1
    page.get_by_role("button").click()
    expect(page.locator("#here canvas")).to_have_count(1)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("#here canvas")).to_have_count(1)


def test_one_value_is_drawn_and_none_leaves_the_page_its_own_words(page: Page, visit: Visit) -> None:
    visit(figure(t=DAYS[:1], v=["1.5"]) + figure("bars", t=[], v=[]) + figure("step", v=["0"] * 5))
    expect(page.locator("figure canvas")).to_have_count(2)


def test_no_page_with_money_on_it_is_kept_by_the_browser(page: Page, visit: Visit) -> None:
    link = '<a href="/next" hx-get="/next" hx-target="main" hx-push-url="true">Next</a>'
    visit(f"<p>1,000 USDT</p>{link}", next="<p>990 USDT</p>")
    page.get_by_role("link").click()
    expect(page.locator("main")).to_contain_text("990 USDT")
    kept = page.evaluate("() => [{...localStorage}, {...sessionStorage}]")
    assert kept == [{}, {"htmx-current-path-for-history": "/next"}]
    page.go_back()
    expect(page.locator("main")).to_contain_text("1,000 USDT")


def test_a_page_says_its_charts_in_the_language_and_time_zone_of_the_page(open_page: OpenPage) -> None:
    page = open_page(timezone_id="Asia/Tokyo")
    site = Site({"/": figure().replace("<figure", '<figure data-time-zone="America/New_York"')})
    page.route(f"{SITE}/**", site.answer)
    page.goto(f"{SITE}/")
    expect(page.locator("figure .u-legend")).to_contain_text("Jan 4, 2026")

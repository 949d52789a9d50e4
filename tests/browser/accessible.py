"""What axe-core finds wrong in a page, as a failure that says where and how; and the two themes to look in."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page
from tests.browser.chromium import problems_of

AXE = Path(__file__).parents[2] / "front" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RUN = """async (rules) => {
    const found = await axe.run(document, {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"]});
    return found.violations;
}"""


def assert_accessible(page: Page) -> None:
    """Check the page as it is now by WCAG 2.2 AA, as far as a machine can, and that nothing has gone wrong in it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe())  # evaluated by the debugger, so that the page's own policy has no say
    violations = page.evaluate(RUN, RULES)
    told = [f"{page.url} is not accessible:", *(line for each in violations for line in lines_of(each))]
    assert violations == [], "\n".join(told)
    assert not problems_of(page), "\n".join(problems_of(page))


def both_themes(page: Page) -> Iterator[Literal["light", "dark"]]:
    """Show the page in the light theme, then in the dark one: `for theme in both_themes(page): ...`."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        yield theme
    page.emulate_media(color_scheme="null")


def lines_of(violation: dict[str, Any]) -> Iterator[str]:
    """Say what is wrong, and of which elements."""
    yield f"- {violation['id']} ({violation['impact']}): {violation['help']}"
    for node in violation["nodes"]:
        yield f"    {' '.join(map(str, node['target']))}: {node['html'][:200]}"
        yield from (f"      {line.strip()}" for line in node["failureSummary"].splitlines())


@cache
def axe() -> str:
    """Read the checker, which came with the front end's packages; it gives nothing back to be serialised."""
    assert AXE.exists(), f"{AXE.name} is missing: run `make front`"
    return f"(() => {{ {AXE.read_text(encoding='utf-8')}\n }})()"

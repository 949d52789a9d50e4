"""Templates: one environment for each language, over the folders of the rooms that have pages."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined

from staddle.ui.components import COMPONENTS
from staddle.ui.formats import Formats
from staddle.ui.languages import LANGUAGES
from staddle.ui.look import Look
from staddle.ui.refusals import sentence_of
from staddle.ui.static_files import address_of


@cache
def environment(language: str, room: str) -> Environment:
    """Make the environment of a room's pages in a language: `ui/x.html` is shared, `x.html` the room's own."""
    made = Environment(
        loader=PrefixLoader(
            {"ui": PackageLoader("staddle.ui"), room: PackageLoader(f"staddle.{room}")}, delimiter="/"
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.install_gettext_translations(Look(language).texts, newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {"static": address_of, "languages": lambda: LANGUAGES, **COMPONENTS}
    return made


def render(
    room: str, template: str, look: Look, formats: Formats, values: Mapping[str, Any], part: str | None = None
) -> str:
    """Write a page of a room, or only one block of it, which is what replaces a part of a page that is there."""
    found = environment(look.language, room).get_template(f"{room}/{template}")
    context = {"look": look, "fmt": formats, "says": partial(sentence_of, look=look), **values}
    if part is None:
        return found.render(context)
    return "".join(found.blocks[part](found.new_context(context)))

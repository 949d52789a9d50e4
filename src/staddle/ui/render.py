"""Templates: one environment for each language, over the folders of the rooms that have pages."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from gettext import NullTranslations
from typing import Any

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from staddle.ui.components import COMPONENTS
from staddle.ui.formats import Formats, safe
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
    made.newstyle_gettext = True  # type: ignore[attr-defined]
    one, many = sayers(Look(language).texts)
    made.globals |= {"_": one, "gettext": one, "ngettext": many}
    made.globals |= {"static": address_of, "languages": lambda: LANGUAGES, **COMPONENTS}
    return made


def sayers(texts: NullTranslations) -> tuple[Callable[..., Markup], Callable[..., Markup]]:
    """Give what says a text, and a text with a plural, in a language; the figures in it are escaped.

    A page says hundreds of texts, and most of them again and again: each is looked up once.
    """
    known: dict[str, Markup] = {}

    def one(text: str, **figures: object) -> Markup:
        said = known.get(text)
        if said is None:
            said = known[text] = safe(texts.gettext(text))
        return said % figures if figures or "%" in text else said

    def many(text: str, texts_of_many: str, number: int, **figures: object) -> Markup:
        return safe(texts.ngettext(text, texts_of_many, number)) % {"num": number, **figures}

    return one, many


def render(
    room: str, template: str, look: Look, formats: Formats, values: Mapping[str, Any], part: str | None = None
) -> str:
    """Write a page of a room, or only one block of it, which is what replaces a part of a page that is there."""
    found = environment(look.language, room).get_template(f"{room}/{template}")
    context = {"look": look, "fmt": formats, "says": partial(sentence_of, look=look), **values}
    if part is None:
        return found.render(context)
    return "".join(found.blocks[part](found.new_context(context)))

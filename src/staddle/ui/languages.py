"""The languages of the pages: which there are, which one a browser asks for, and the texts of each (gettext, by Babel).

English is what stands in the code; every other language has a catalogue, `locales/<language>.po`, which is read as it
is: there is nothing to compile, and a missing text is shown in English.
"""

from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch", "ar": "العربية"}
"""Each language by its code, under its own name."""
RIGHT_TO_LEFT = frozenset({"ar"})


@cache
def texts_of(language: str) -> NullTranslations:
    """Give the texts of a language; English is the texts themselves."""
    catalogue = files(__package__).joinpath("locales", f"{language}.po")
    if language == "en" or not catalogue.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with catalogue.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def direction_of(language: str) -> str:
    """Say in which direction a language is written, as HTML names it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def language_for(accepts: str) -> str:
    """Choose a language by what a browser says it accepts: the first one in its order that there is, else English."""
    for wish in accepts[:200].split(","):
        language = wish.partition(";")[0].strip().partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return "en"

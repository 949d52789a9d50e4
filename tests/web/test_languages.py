"""Every text of the pages in every language, with the same places for figures."""

import re

import pytest
from babel.messages.plurals import get_plural

from staddle.ui.catalogues import (
    brought_up_to_date,
    catalogue_of,
    forms_of,
    missing_in,
    place_of,
    texts,
)
from staddle.ui.languages import LANGUAGES, language_for, texts_of
from staddle.ui.look import Look, look_of

TRANSLATED = [language for language in LANGUAGES if language != "en"]
PLACE = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_text_and_no_other(language: str) -> None:
    assert place_of(language).read_bytes() == brought_up_to_date(language), "run `make texts`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated(language: str) -> None:
    assert missing_in(language) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_loses_no_figure(language: str) -> None:
    """A plural form for one or two may leave the number out; no other may lose what it is to say."""
    for message in catalogue_of(language):
        if isinstance(message.id, str) and message.id:
            assert isinstance(message.string, str)
            assert set(PLACE.findall(message.string)) == set(PLACE.findall(message.id)), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_plural_has_as_many_forms_as_the_language(language: str) -> None:
    for message in catalogue_of(language):
        if isinstance(message.id, tuple):
            assert len(forms_of(message.string)) == get_plural(language).num_plurals, message.id


def test_there_are_three_languages_and_one_is_written_from_right_to_left() -> None:
    assert len(LANGUAGES) >= 3
    assert [Look(language).direction for language in LANGUAGES].count("rtl") == 1
    assert len(texts()) > 300


def test_a_language_is_taken_from_what_the_browser_accepts() -> None:
    assert language_for("de-AT,de;q=0.9,en;q=0.5") == "de"
    assert language_for("fr-FR,ar;q=0.8") == "ar"
    assert language_for("fr") == language_for("") == "en"


def test_a_look_holds_only_what_there_is() -> None:
    assert look_of("xx.pink.Mars-.Base", "de") == Look("de")
    assert look_of("ar.dark.Europe-.Berlin", "en") == Look("ar", "dark", "Europe/Berlin", True)
    assert look_of(Look("de", "light", "Asia/Tokyo", True).as_cookie(), "") == Look(
        "de", "light", "Asia/Tokyo", True
    )


def test_a_catalogue_is_read_as_it_is() -> None:
    assert texts_of("de").gettext("Subscribe") != "Subscribe"
    assert texts_of("en").gettext("Subscribe") == "Subscribe"

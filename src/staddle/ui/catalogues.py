"""Keeps the catalogues of the languages in step with the texts of the pages: `make texts`.

What is shown stands in templates as `_("...")` and `{% trans %}`, in Python as `say("...")` and `mark("...")`, and in
the docstrings of the errors. Each language's catalogue has all of it, in order of the text; what is translated stays.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from staddle.errors import StaddleError
from staddle.ui.languages import LANGUAGES

SOURCE = Path(__file__).parents[1]
ROOMS = ("ui", "pages", "web")
OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true", "silent": "false"}
HEAD = """# {name}
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
IN_PYTHON = ("say", "mark")
Text = str | tuple[str, str]
_PLACE = re.compile(r"%\(\w+\)s")


def texts() -> set[Text]:
    """Gather every text that pages can show; one with a plural is a pair."""
    found: set[Text] = set(of_errors())
    for room in ROOMS:
        for template in sorted((SOURCE / room / "templates").rglob("*.html")):
            found |= set(of_template(template))
        for module in sorted((SOURCE / room).glob("*.py")):
            found |= set(of_module(module))
    return found


def of_template(path: Path) -> Iterator[Text]:
    """Gather the texts of a template."""
    with path.open("rb") as file:
        for _, text, _, _ in extract("jinja2.ext:babel_extract", file, options=OPTIONS):
            yield (str(text[0]), str(text[1])) if isinstance(text, tuple) else str(text)


def of_module(path: Path) -> Iterator[Text]:
    """Gather the texts that a module says or marks."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if name in IN_PYTHON and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def of_errors() -> Iterator[str]:
    """Gather what each kind of error says."""
    waiting: list[type[StaddleError]] = [StaddleError]
    while waiting:
        kind = waiting.pop()
        yield " ".join((kind.__doc__ or "").split())
        waiting += kind.__subclasses__()


def brought_up_to_date(language: str) -> bytes:
    """Write a language's catalogue with all texts there are now, and those of its translations that still have one."""
    old = catalogue_of(language)
    new = Catalog(locale=language)
    for text in sorted(texts(), key=lambda text: text if isinstance(text, str) else text[0]):
        before = old.get(text[0] if isinstance(text, tuple) else text)
        new.add(text, before.string if before is not None else "")
    written = BytesIO()
    write_po(written, new, width=0, no_location=True, omit_header=True)
    head = HEAD.format(name=LANGUAGES[language], language=language, plural=get_plural(language).plural_forms)
    return head.encode() + written.getvalue()


def catalogue_of(language: str) -> Catalog:
    """Read a language's catalogue as it stands."""
    path = place_of(language)
    if not path.is_file():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def place_of(language: str) -> Path:
    """Give where a language's catalogue is kept."""
    return Path(str(files(__package__).joinpath("locales", f"{language}.po")))


def missing_in(language: str) -> list[str]:
    """Name the texts that a language has no translation of, or one with other places for figures."""
    lacking = []
    for message in catalogue_of(language):
        asked = forms_of(message.id)
        places = {place for text in asked for place in _PLACE.findall(text)}
        said = forms_of(message.string)
        if any(asked) and (not all(said) or any(set(_PLACE.findall(text)) - places for text in said)):
            lacking.append(asked[0])
    return lacking


def forms_of(text: str | Sequence[str] | None) -> list[str]:
    """Give the forms of a text: one, or as many as a plural has."""
    return [text or ""] if text is None or isinstance(text, str) else list(text)


if __name__ == "__main__":
    for code in LANGUAGES:
        if code != "en":
            place_of(code).write_bytes(brought_up_to_date(code))
            print(f"{code}: {len(missing_in(code))} texts to translate")  # noqa: T201

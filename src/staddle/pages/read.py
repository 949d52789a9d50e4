"""Reading a request for a page: its address, its query, the form that it carries."""

from collections.abc import Iterable, Mapping
from typing import Any, get_origin
from urllib.parse import parse_qsl, urlencode

import msgspec

from staddle.errors import AddressNotFound, MalformedRequest
from staddle.pages.page import Page
from staddle.server.exchange import Incoming

FIELDS_MAX = 200
SECRETS = ("code", "key", "secret", "token", "is_agreed")
"""What is never carried along in an address, nor are passwords: secrets, the form's key, what must be ticked afresh."""

_SPACES = dict.fromkeys(map(ord, " \u00a0\u202f\u2009"))


def ungrouped(text: str) -> str:
    """Leave out the spaces between groups of digits of a figure, of whichever kind they are."""
    return text.translate(_SPACES)


def read_path(page: Page, request: Incoming) -> dict[str, Any]:
    """Read what stands in the address; raises AddressNotFound."""
    try:
        return _read(page.path_type, dict(request.path_parameters))
    except msgspec.ValidationError:
        raise AddressNotFound from None


def read_query(page: Page, query: Mapping[str, Any]) -> dict[str, Any]:
    """Read the query; what does not fit is left to its default, for an old link must still open."""
    known = {field.name for field in msgspec.structs.fields(page.query_type)}
    given = {name: value for name, value in query.items() if name in known and value != ""}
    while True:
        try:
            return _together(page, _read(page.query_type, given))
        except msgspec.ValidationError as error:
            name = str(error).partition("$.")[2].strip("`").partition("[")[0]
            if name not in given:
                raise AddressNotFound from None
            del given[name]


def _together(page: Page, found: dict[str, Any]) -> dict[str, Any]:
    """Put what belongs to `chosen` together, where the page takes that."""
    if page.chosen_type is None:
        return found
    chosen = {name: found.pop(name) for name in page.chosen_type.__struct_fields__}
    return {**found, "chosen": page.chosen_type(**chosen)}


def query_of(request: Incoming) -> dict[str, str]:
    """Give the query by name, the last one where a name comes twice."""
    return dict(request.query())


def typed_of(request: Incoming) -> dict[str, Any]:
    """Give what an address puts into the fields of its page: a text, or a list where a name comes twice."""
    return _gathered(request.query())


def fields_of(request: Incoming) -> dict[str, Any]:
    """Read the fields of a form as they were sent: a text, or a list where a name came more than once."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != (
        "application/x-www-form-urlencoded"
    ):
        raise MalformedRequest("The form cannot be read; nothing was moved.")
    try:
        pairs = parse_qsl(
            request.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise MalformedRequest("The form cannot be read; nothing was moved.") from None
    return _gathered((name, value if "password" in name else value.strip()) for name, value in pairs)


def read_form(page: Page, fields: Mapping[str, Any]) -> Any:
    """Make the form's type out of its fields; raises MalformedRequest, which names the field."""
    assert page.form_type is not None
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(page.form_type):
        if field.name not in fields:
            continue
        value = fields[field.name]
        if get_origin(field.type) is list and not isinstance(value, list):
            value = [value]
        values[field.name] = value in ("on", "1", "true") if field.type is bool else value
    try:
        return msgspec.convert(values, page.form_type, strict=False)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        refused = MalformedRequest(f"The form cannot be read: {what.replace('`', '')}.")
        refused.field = where.strip("`") or None
        raise refused from None


def with_typed(address: str, fields: Mapping[str, Any]) -> str:
    """Give the address of a page that begins with what was typed; secrets are left out."""
    kept = {
        name: value
        for name, value in fields.items()
        if value and name not in SECRETS and "password" not in name
    }
    return f"{address}?{urlencode(kept, doseq=True)}" if kept else address


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            before = fields[name]
            fields[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            fields[name] = value
    return fields


def _read(kind: type[msgspec.Struct], values: Mapping[str, Any]) -> dict[str, Any]:
    return msgspec.structs.asdict(msgspec.convert(values, kind, strict=False))

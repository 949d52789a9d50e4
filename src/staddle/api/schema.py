"""JSON schemas of what the API takes and gives, made from the types of the acts.

An answer is written by `staddle.document`: amounts and ids are text there, whatever they are in Python. So the schema
of an answer differs from that of its type in just these places.
"""

import functools
import operator
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from staddle.ledger import Asset

Schema = dict[str, Any]
REF = "#/components/schemas/{name}"
DECIMAL = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "examples": ["12.50000000"]}
PLAIN: dict[Any, Schema] = {
    Decimal: DECIMAL,
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "pattern": r"^[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?$"},
    bytes: {"type": "string"},
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Asset: {"type": "string", "examples": ["BTC"]},
    Any: {},
    object: {},
}


class Schemas:
    """Makes schemas, and keeps those of records as named components."""

    def __init__(self) -> None:
        self._made: dict[str, Schema] = {}
        self._records: dict[str, Any] = {}

    def components(self) -> dict[str, Schema]:
        """Give the records that were named on the way."""
        return dict(sorted(self._made.items()))

    def of_request(self, kind: Any) -> Schema:
        """Give the schema of something that is read: msgspec's own, for msgspec reads it."""
        (schema,), made = msgspec.json.schema_components([kind], ref_template=REF)
        self._made.update(made)
        return schema

    def of(self, kind: Any, name: str = "") -> Schema:
        """Give the schema of something that is written by `document`; `name` is that of the field."""
        if kind in PLAIN:
            return self._plain(kind, name)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [each.name.lower() for each in kind]}
        return self._of_generic(kind, name) or self._record(kind)

    def _of_generic(self, kind: Any, name: str) -> Schema | None:
        origin, arguments = get_origin(kind), get_args(kind)
        made: Schema | None = None
        if origin is Annotated:
            made = self.of(arguments[0], name)
        elif origin is Literal:
            made = {"enum": list(arguments)}
        elif origin in (Union, types.UnionType):
            made = {"anyOf": [self.of(each, name) for each in arguments]}
        elif origin in (list, tuple, set, frozenset, Sequence):
            made = {"type": "array", "items": self.of(arguments[0], name.removesuffix("s"))}
        elif origin in (dict, Mapping) or kind is dict:
            made = {"type": "object", "additionalProperties": self.of(arguments[1]) if arguments else {}}
        return made

    def _plain(self, kind: Any, name: str) -> Schema:
        if kind is int and name.endswith("_id"):
            return {"type": "string", "pattern": "^[0-9]+$"}
        return dict(PLAIN[kind])

    def _record(self, kind: Any) -> Schema:
        record, arguments = get_origin(kind) or kind, get_args(kind)
        hints = get_type_hints(record, include_extras=True)
        if arguments:
            filled = dict(zip(record.__parameters__, arguments, strict=True))
            hints = {name: fill(hint, filled) for name, hint in hints.items()}
        name = record.__name__ + "".join(getattr(each, "__name__", "") for each in arguments)
        assert self._records.setdefault(name, record) is record, f"two records are named {name}"
        if name not in self._made:
            self._made[name] = {}  # so that a record that holds itself comes to an end
            names = members_of(record)
            self._made[name] = {
                "type": "object",
                "title": name,
                "description": " ".join((record.__doc__ or "").split()),
                "properties": {each: self.of(hints[each], each) for each in names},
                "required": list(names),
            }
        return {"$ref": REF.format(name=name)}


def members_of(record: Any) -> list[str]:
    """Name the members of a record, as `document` writes them."""
    if is_dataclass(record):
        return [each.name for each in fields(record)]
    if hasattr(record, "__struct_fields__"):
        return list(record.__struct_fields__)
    raise TypeError(f"{record} is no record")


def fill(hint: Any, filled: dict[Any, Any]) -> Any:
    """Put the argument of a generic record where its parameter stands."""
    if isinstance(hint, TypeVar):
        return filled[hint]
    arguments = get_args(hint)
    new = tuple(fill(each, filled) for each in arguments)
    if new == arguments:
        return hint
    origin: Any = get_origin(hint)
    return functools.reduce(operator.or_, new) if origin in (Union, types.UnionType) else origin[new]

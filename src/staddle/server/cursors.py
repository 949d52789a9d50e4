"""Cursors of long lists: an opaque text says where the next page begins, and stays good for ever."""

import base64
from typing import TypeVar

import msgspec

from staddle.errors import InvalidCursor

Item = TypeVar("Item")


def write_cursor(value: object) -> str:
    """Write a position in a list as an opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


def read_cursor(text: str | None, kind: type[Item]) -> Item | None:
    """Read what `write_cursor` wrote; raises InvalidCursor."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=kind)
    except (ValueError, msgspec.MsgspecError):
        raise InvalidCursor from None

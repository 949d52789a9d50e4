"""Pages of long lists: a cursor says where the next one begins, and stays good for ever."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeAlias, TypeVar

import msgspec

from staddle.server.cursors import read_cursor, write_cursor

__all__ = ["Cursor", "Limit", "Page", "page", "read_cursor", "write_cursor"]

Item = TypeVar("Item")
Limit = Annotated[int, msgspec.Meta(ge=1, le=1000, description="How many at most.")]
CursorText = Annotated[
    str, msgspec.Meta(max_length=2000, description="`next_cursor` of the page before; leave it out to begin.")
]
Cursor: TypeAlias = CursorText | None


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """One page; `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None = None


def page(items: Sequence[Item], limit: int, after: Callable[[Item], object]) -> Page[Item]:
    """Make a page of at most `limit` items out of up to one more; `after` says what the next page begins behind."""
    some = list(items[:limit])
    return Page(items=some, next_cursor=write_cursor(after(some[-1])) if len(items) > limit else None)

"""A customer's positions: the list, and one in full with every reward."""

from typing import Literal

from staddle.api.fields import Code, Id, id_of
from staddle.api.operation import reads
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.errors import PositionNotFound
from staddle.positions import PositionInFull, ShownPosition, position_of, positions_of
from staddle.server.allow import customer
from staddle.server.at import At

TAG = "Positions"


@reads("/v1/positions", allow=customer("read"), gives=Page[ShownPosition], tag=TAG)
def list_positions(
    at: At,
    state: Literal["open", "ended", "all"] = "open",
    product: Code | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ShownPosition]:
    """List your positions, newest first."""
    before = read_cursor(cursor, int)
    found = positions_of(at.tx, at.customer_id, at.now, state, product, before, limit + 1)
    return page(found, limit, lambda position: position.position_id)


@reads("/v1/positions/{position_id}", allow=customer("read"), gives=PositionInFull, tag=TAG)
def show_position(at: At, position_id: Id) -> PositionInFull:
    """Show one position in full: principal, rates, progress, next payout, and every reward with its receipt's name."""
    return position_of(at.tx, at.customer_id, id_of(position_id, PositionNotFound), at.now)

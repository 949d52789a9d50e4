"""What a customer chooses beforehand: renewal, where principal goes, and auto-subscribe.

Binance keeps two switches for a fixed term, renewal and where principal goes without it; the engine has one choice.
So what is preferred while renewal is on is kept beside it. A subscription says it in its own key.
"""

from collections.abc import Sequence
from typing import Any

from staddle.binance.asked import Asked
from staddle.binance.endpoint import Document, reads
from staddle.binance.products import offer_of
from staddle.binance.refusal import invalid, missing
from staddle.db import Tx, queries
from staddle.errors import NotAFixedPosition, PositionMatured
from staddle.ledger import cell_of
from staddle.money import ZERO
from staddle.positions import (
    ChooseAtMaturity,
    SetAutoSubscribe,
    choose_at_maturity,
    set_auto_subscribe,
    standing_choices,
)
from staddle.positions.show import standings_of
from staddle.positions.show_position import position_of
from staddle.products import show_product
from staddle.server.at import At

sql = queries(__package__)
TO_FLEXIBLE = "binance:flexible:"
"""How the key of a subscription begins whose principal is to go to flexible, unless it is renewed."""
REDEEM_TO = {"SPOT": False, "FLEXIBLE": True}


def preferred(tx: Tx, positions: Sequence[Any]) -> dict[int, bool]:
    """Say of each position, given by its row, whether its principal is to go to flexible once it is not renewed."""
    said: dict[int, bool] = {each.position_id: each.request_key.startswith(TO_FLEXIBLE) for each in positions}
    if said:
        named = {"cell": cell_of(next(iter(said))), "position_ids": list(said)}
        said |= {row.position_id: row.is_flexible for row in tx.execute(sql.preferred, named).fetchall()}
    return said


@reads("/flexible/setAutoSubscribe", weight=150, method="POST", scope="subscribe")
def flexible_auto(at: At, asked: Asked) -> Document:
    """Switch on or off that idle coins go into a product every day."""
    code, is_on = asked.text("productId"), asked.flag("autoSubscribe")
    offer_of(at, code, "flexible")
    switch_auto(at, code, is_on)
    return {"success": True}


@reads("/locked/setAutoSubscribe", weight=150, method="POST", scope="subscribe", product=-6020)
def locked_auto(at: At, asked: Asked) -> Document:
    """Switch on or off that a position is renewed; switched off, its principal goes where that was last said."""
    row, is_on = row_of(at, asked), asked.flag("autoSubscribe")
    is_flexible = row.at_maturity == "to_flexible" or preferred(at.tx, [row])[row.position_id]
    is_flexible = is_flexible and names_flexible(at, row.product)
    at_maturity = "renew" if is_on else "to_flexible" if is_flexible else "redeem"
    choose(at, row, at_maturity, row.redeem_to, is_flexible)
    return {"success": True}


@reads("/locked/setRedeemOption", weight=50, method="POST", scope="subscribe", product=-6020)
def locked_redeem_option(at: At, asked: Asked) -> Document:
    """Say where a position's principal goes at its end: to Spot, or into the flexible product that its own names."""
    row, is_flexible = row_of(at, asked), asked.choice("redeemTo", REDEEM_TO)
    if is_flexible and not names_flexible(at, row.product):
        raise invalid("redeemTo")
    otherwise = "to_flexible" if is_flexible else "redeem"
    at_maturity = "renew" if row.at_maturity == "renew" else otherwise
    choose(at, row, at_maturity, row.redeem_to if is_flexible else "spot", is_flexible)
    return {"success": True}


def row_of(at: At, asked: Asked) -> Any:
    """Find the fixed-term position that is asked about; refuse one that is not there, not fixed, or has ended."""
    position_id = asked.number("positionId")
    if position_id is None:
        raise missing("positionId")
    shown = position_of(at.tx, at.customer_id, position_id, at.now).position
    if shown.term_days is None:
        raise NotAFixedPosition
    if shown.state != "open":
        raise PositionMatured
    wanted = {"state": "open", "product": None, "position_id": position_id, "before": None, "count": 1}
    return standings_of(at.tx, at.customer_id, at.now, wanted)[0].row


def names_flexible(at: At, code: str) -> bool:
    """Say whether a product names a flexible one that principal can go on to."""
    return show_product(at.tx, code, at.now).terms.flexible_product is not None


def choose(at: At, row: Any, at_maturity: str, redeem_to: str, is_flexible: bool) -> None:
    """Make the choice of a position's end, and keep what is preferred while it is renewed."""
    command = ChooseAtMaturity(
        customer_id=at.customer_id,
        key=at.key,
        position_id=row.position_id,
        at_maturity=at_maturity,
        redeem_to=redeem_to,
    )
    choose_at_maturity(at.tx, [command], at.now)[0].unwrap()
    named = {"cell": cell_of(row.position_id), "position_id": row.position_id, "is_flexible": is_flexible}
    at.tx.execute(sql.prefer, named)


def switch_auto(at: At, code: str, is_on: bool, *, is_asked: bool = True) -> None:
    """Switch auto-subscribe, its source and floor as they were; not asked for, it leaves another product's alone."""
    asset = show_product(at.tx, code, at.now).asset
    found = standing_choices(at.tx, at.customer_id).auto_subscriptions
    standing = next((each for each in found if each.asset == asset), None)
    is_here = standing is not None and standing.is_on and standing.product == code
    is_elsewhere = standing is not None and standing.is_on and standing.product != code
    if is_here == is_on or (is_elsewhere and not is_asked):
        return
    command = SetAutoSubscribe(
        customer_id=at.customer_id,
        key=f"{at.key}:auto",
        product=code,
        source="spot" if standing is None else standing.source,
        floor=ZERO if standing is None else standing.floor,
        agreement_version=at.caller.agreement_version,
        is_on=is_on,
    )
    set_auto_subscribe(at.tx, [command], at.now)[0].unwrap()

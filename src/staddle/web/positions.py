"""A customer's positions: the list, one in full with its rewards and receipts, and what happens at its maturity."""

from typing import Literal

from staddle.errors import PositionNotFound, StaddleError
from staddle.pages.page import NOTHING_TYPED, Download, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.positions import ChooseAtMaturity, choose_at_maturity, position_of, positions_of
from staddle.products import show_product
from staddle.rewards import receipt_json, receipt_named
from staddle.server.allow import customer

PAGE_LENGTH = 50
REWARDS_SHOWN = 30
READS = customer("read")


class ChoiceForm(Form, frozen=True, kw_only=True):
    """What happens at maturity, and where redeemed principal goes."""

    at_maturity: str
    redeem_to: str = "funding"


@shows("/positions", allow=READS)
def show_positions(
    visit: Visit,
    state: Literal["open", "ended", "all"] = "open",
    product: str = "",
    before: int | None = None,
) -> View:
    """List positions, newest first, a page at a time."""
    found = positions_of(
        visit.tx, visit.customer_id, visit.now, state, product or None, before, PAGE_LENGTH + 1
    )
    shown = found[:PAGE_LENGTH]
    older = shown[-1].position_id if len(found) > PAGE_LENGTH else None
    values = {"positions": shown, "older": older, "state": state, "product": product}
    return View("positions.html", values, part="list")


@shows("/positions/{position}", allow=READS)
def show_position(
    visit: Visit, position: str, typed: Typed = NOTHING_TYPED, rewards: Literal["some", "all"] = "some"
) -> View:
    """Show a position in full (rule 26)."""
    full = position_of(visit.tx, visit.customer_id, id_in(position), visit.now)
    offer = show_product(visit.tx, full.position.product, visit.now)
    listed = full.rewards if rewards == "all" else full.rewards[:REWARDS_SHOWN]
    return View(
        "position.html",
        {
            "full": full,
            "it": full.position,
            "offer": offer,
            "typed": typed,
            "listed": listed,
            "has_more": len(listed) < len(full.rewards),
        },
    )


@shows("/positions/{position}/receipts/{run_on}", allow=READS)
def show_receipt(visit: Visit, position: str, run_on: str) -> View:
    """Show a reward's receipt: all that is needed to work it out again with a pencil (rule 27)."""
    receipt = receipt_named(visit.tx, visit.customer_id, f"{id_in(position)}-{run_on}", visit.now)
    return View("receipt.html", {"receipt": receipt})


@shows("/positions/{position}/receipts/{run_on}/file", allow=READS)
def download_receipt(visit: Visit, position: str, run_on: str) -> Download:
    """Give a receipt as the file that `staddle verify-receipt` checks."""
    receipt = receipt_named(visit.tx, visit.customer_id, f"{id_in(position)}-{run_on}", visit.now)
    return Download(receipt_json(receipt), "application/json", f"receipt-{receipt['receipt']}.json")


@sends("/positions/{position}/choice", allow=customer("subscribe"), again=show_position)
def choose_maturity_by_form(visit: Visit, position: str, form: ChoiceForm) -> GoTo | StaddleError:
    """Keep what happens at maturity."""
    command = ChooseAtMaturity(
        customer_id=visit.customer_id,
        key=visit.key,
        position_id=id_in(position),
        at_maturity=form.at_maturity,
        redeem_to=form.redeem_to,
    )
    outcome = choose_at_maturity(visit.tx, [command], visit.now)[0]
    if outcome.error is not None:
        return outcome.error
    return GoTo(f"/positions/{id_in(position)}", visit.say("Your choice for the end of the term is kept."))


def id_in(text: str) -> int:
    """Read a position's id out of an address; what cannot be one raises PositionNotFound."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise PositionNotFound
    return int(text)

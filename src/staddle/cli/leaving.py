"""`staddle quote` and `leave`: early redemption of a fixed-term position, by a quote and its confirmation."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.console import RenderableType

from staddle import positions as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown, document, shown
from staddle.cli.arguments import CustomerRef, PositionId
from staddle.cli.edge import At, Edge, machine_now, works, writes
from staddle.cli.show import amount, card, grid, instant, said
from staddle.customers import find_customer
from staddle.desk import now_of
from staddle.errors import InvalidChoice
from staddle.ledger import Outcome, scales_of


@writes(app.app, "quote")
def quote(at: At, customer: CustomerRef, position_id: PositionId) -> Shown:
    """Ask what leaving a fixed-term position now would bring; the quote holds for five minutes."""
    command = room.AskToLeave(customer_id=at.customer_id(customer), key=at.key, position_id=position_id)
    return shown(room.ask_to_leave(at.tx, [command], at.now)[0], lambda data: _quote_view(data, customer))


def _quote_view(data: Document, customer: str) -> RenderableType:
    confirm = f"Next: staddle leave {customer} --quote {data['quote_id']}"
    return said(
        data["sentence"], *quote_facts(data), f"The quote holds until {instant(data['expires_at'])}.", confirm
    )


def quote_facts(data: Document) -> list[RenderableType]:
    """Show the figures of a quote and every payout taken back."""
    asset = data["asset"]
    facts = {
        name: amount(data[name], asset)
        for name in (
            "principal",
            "returned",
            "rewards",
            "rewards_kept",
            "rewards_forfeited",
            "rewards_cancelled",
        )
    }
    rows = [
        [each["run_on"], amount(each["amount"], asset), amount(each["taken_back"], asset)]
        for each in data["payouts"]
        if Decimal(each["taken_back"]) > 0
    ]
    table = grid("Taken back", ["Paid in the run of", "Amount", "Taken back"], rows) if rows else ""
    return [card({**facts, "days_held": data["days_held"], "returned_to": data["destination"]}), table]


@works(app.app, "leave", "by", "key")
def leave(
    edge: Edge,
    customer: CustomerRef,
    position_id: Annotated[
        int | None, typer.Argument(metavar="[POSITION]", help="Ask about it now; or confirm a --quote.")
    ] = None,
    quote_id: Annotated[int | None, typer.Option("--quote", help="A quote that you have seen.")] = None,
    is_sure: Annotated[bool, typer.Option("--yes", help="Confirm without being asked.")] = False,
) -> Shown:
    """Leave a fixed-term position early: shows what it costs, asks, and does it."""
    if (position_id is None) == (quote_id is None):
        raise InvalidChoice("Give a position to be asked about, or a --quote to confirm.")
    if quote_id is None:
        asked = _ask(edge, customer, position_id or 0)
        if asked.error is not None:
            return shown(asked)
        answer = asked.unwrap()
        if not is_sure and not _is_confirmed(edge, answer):
            return Shown({"left": False, "quote": answer}, lambda _: said("Nothing was moved."))
        quote_id = answer.quote_id
    with edge.transaction() as tx:
        now = now_of(tx, machine_now())
        command = room.ConfirmLeave(
            customer_id=find_customer(tx, customer).customer_id, key=edge.key, quote_id=quote_id
        )
        outcome = room.confirm_leave(tx, [command], now)[0]
    return shown(outcome, lambda data: said(data["quote"]["sentence"], *quote_facts(data["quote"])))


def _ask(edge: Edge, customer: str, position_id: int) -> Outcome[room.EarlyQuote]:
    """Ask for a quote under a key that goes with the confirmation's."""
    with edge.transaction() as tx:
        now = now_of(tx, machine_now())
        customer_id = find_customer(tx, customer).customer_id
        command = room.AskToLeave(
            customer_id=customer_id, key=f"{edge.key[:190]} (quote)", position_id=position_id
        )
        return room.ask_to_leave(tx, [command], now)[0]


def _is_confirmed(edge: Edge, answer: room.EarlyQuote) -> bool:
    """Show the quote to a person and ask; a machine has to say --yes."""
    if edge.is_json or not edge.console.is_terminal:
        raise InvalidChoice("Nobody can be asked here: confirm with --quote, or say --yes.")
    with edge.transaction() as tx:
        data = document(answer, scales_of(tx))
    edge.console.print(said(data["sentence"], *quote_facts(data)))
    return typer.confirm("Leave early, as it stands here?", default=False, err=True)

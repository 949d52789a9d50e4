"""`staddle preview`, `subscribe`, `positions`, `position`, `redeem`."""

from typing import Annotated

import typer
from rich.console import RenderableType

from staddle import positions as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown, shown
from staddle.cli.arguments import (
    Accept,
    AmountText,
    CustomerRef,
    DestinationName,
    PositionId,
    ProductCode,
    SourceName,
)
from staddle.cli.edge import At, reads, writes
from staddle.cli.show import amount, card, grid, instant, percent, said
from staddle.customers import current_agreement
from staddle.errors import AgreementNotFound, InvalidChoice
from staddle.money import parse_decimal

AtMaturity = Annotated[
    str | None, typer.Option("--at-maturity", help="redeem, renew or to_flexible; default: as the terms say.")
]
RevisionSeen = Annotated[
    int | None,
    typer.Option("--revision-seen", help="The rate revision that was shown; another one is refused."),
]


def command_of(
    at: At, customer: str, product: str, quantity: str, source: str, at_maturity: str | None, to: str,
    accept: int | None, revision_seen: int | None,
) -> room.Subscribe:  # fmt: skip
    """Put a subscription together."""
    return room.Subscribe(
        customer_id=at.customer_id(customer),
        key=at.key,
        product=product,
        amount=parse_decimal(quantity),
        source=source,
        agreement_version=accept,
        at_maturity=at_maturity,
        redeem_to=to,
        revision_seen=revision_seen,
        accepted_from="command line",
    )


@reads(app.app, "preview")
def preview(
    at: At,
    customer: CustomerRef,
    product: ProductCode,
    quantity: AmountText,
    source: SourceName = "spot",
    at_maturity: AtMaturity = None,
    to: DestinationName = "funding",
    accept: Accept = None,
) -> Shown:
    """Show what subscribing would bring: clock, estimate, what is left of quotas. Nothing is written."""
    if accept is None:
        accept = agreement_version(at)
    command = command_of(at, customer, product, quantity, source, at_maturity, to, accept, None)
    return shown(
        room.preview(at.tx, [command], at.now)[0], lambda data: _terms_view("Nothing is written yet.", data)
    )


@writes(app.app, "subscribe")
def subscribe(
    at: At,
    customer: CustomerRef,
    product: ProductCode,
    quantity: AmountText,
    accept: Accept = None,
    source: SourceName = "spot",
    at_maturity: AtMaturity = None,
    to: DestinationName = "funding",
    revision_seen: RevisionSeen = None,
) -> Shown:
    """Stake an amount: it accrues from this instant, and is paid every day after its first full day."""
    command = command_of(at, customer, product, quantity, source, at_maturity, to, accept, revision_seen)
    outcome = room.subscribe(at.tx, [command], at.now)[0]
    return shown(outcome, lambda data: _terms_view(f"Subscribed as position {data['position_id']}.", data))


def agreement_version(at: At) -> int | None:
    """Give the version in force, for a preview that asks about money and not about consent."""
    try:
        return current_agreement(at.tx).version
    except AgreementNotFound:
        return None


def _terms_view(sentence: str, data: Document) -> RenderableType:
    asset = data["asset"]
    facts = {
        "product": data["product"],
        "amount": amount(data["amount"], asset),
        "from": data["source"],
        "started_at": data["started_at"],
        "first_full_day_ends": instant(data["first_day_ends_at"]),
        "next_payout_at": data["next_payout_at"],
        "matures_at": data["matures_at"],
        "your APR": f"{percent(data['blended_apr'])} (rate revision {data['revision']})",
        "a day, estimated": f"{amount(data['daily_estimate'], asset)}, not guaranteed",
        "leaving early": data["early_redemption"].replace("_", " "),
        "left of the product": data["quota_left"] and amount(data["quota_left"], asset),
        "left for you": data["personal_quota_left"] and amount(data["personal_quota_left"], asset),
    }
    return said(sentence, card({name: fact for name, fact in facts.items() if fact is not None}))


@writes(app.app, "redeem")
def redeem(
    at: At,
    customer: CustomerRef,
    product: ProductCode,
    quantity: Annotated[
        str | None, typer.Argument(metavar="[AMOUNT]", help="A plain decimal; or --all.")
    ] = None,
    is_all: Annotated[bool, typer.Option("--all", help="All that is held in the product.")] = False,
    to: DestinationName = "funding",
) -> Shown:
    """Take principal back from a flexible product, with the rewards of its completed days."""
    if (quantity is None) == (not is_all):
        raise InvalidChoice("Give an amount, or --all.")
    command = room.Redeem(
        customer_id=at.customer_id(customer),
        key=at.key,
        product=product,
        amount=None if quantity is None else parse_decimal(quantity),
        destination=to,
    )
    return shown(room.redeem(at.tx, [command], at.now)[0], _redeemed_view)


def _redeemed_view(data: Document) -> RenderableType:
    asset = data["asset"]
    sentence = (
        f"{amount(data['amount'], asset)} are in {data['destination']} now, and {amount(data['rewards_paid'], asset)} "
        f"of rewards in funding; {amount(data['left'], asset)} stay in {data['product']}."
    )
    return said(sentence)


@reads(app.app, "positions")
def positions(
    at: At,
    customer: CustomerRef,
    state: Annotated[str, typer.Option(help="open, ended or all.")] = "open",
    product: Annotated[str | None, typer.Option(help="Only of this product.")] = None,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
    before: Annotated[int | None, typer.Option(help="Those before this position: the next page.")] = None,
) -> Shown:
    """List a customer's positions, newest first."""
    found = room.positions_of(at.tx, at.customer_id(customer), at.now, state, product, before, count)
    return Shown({"customer": customer, "positions": found}, _positions_view)


def _positions_view(data: Document) -> RenderableType:
    heads = [
        "Position",
        "Product",
        "Principal",
        "APR",
        "State",
        "Days paid",
        "Rewards",
        "Next payout",
        "Matures",
    ]
    rows = [
        [
            each["position_id"],
            each["product"],
            amount(
                each["principal"] if each["state"] != "ended" else each["opened_principal"], each["asset"]
            ),
            percent(each["blended_apr"]),
            (each["ended_by"] or each["state"]).replace("_", " "),
            str(each["days_paid"]),
            amount(each["rewards_earned"], each["asset"]),
            instant(each["next_payout_at"]),
            instant(each["matures_at"]),
        ]
        for each in data["positions"]
    ]
    if not rows:
        return f"[dim]{data['customer']} has no such positions. Next: staddle preview --help[/]"
    return grid(f"Positions of {data['customer']}", heads, rows)


@reads(app.app, "position")
def position(at: At, customer: CustomerRef, position_id: PositionId) -> Shown:
    """Show one position in full: clock, rates since it started, every reward with its receipt."""
    return Shown(room.position_of(at.tx, at.customer_id(customer), position_id, at.now), _position_view)


def _position_view(data: Document) -> RenderableType:
    each, asset = data["position"], data["asset"]
    facts = {
        "state": (each["ended_by"] or each["state"]).replace("_", " "),
        "principal": f"{amount(each['principal'], asset)} of {amount(each['opened_principal'], asset)}",
        "started_at": each["started_at"],
        "matures_at": each["matures_at"],
        "APR now": percent(each["blended_apr"]),
        "days done": f"{each['days_done']}, of which {each['days_paid']} are paid"
        + (f", of {each['term_days']}" if each["term_days"] else ""),
        "accrual day ends": instant(each["day_ends_at"]),
        "next payout": f"{amount(each['next_payout'], asset)} at {instant(each['next_payout_at'])}",
        "rewards paid": amount(each["rewards_paid"], asset),
        "rewards accrued": amount(each["rewards_accrued"], asset),
        "rewards forfeited": amount(each["rewards_forfeited"], asset),
        "at maturity": None if each["term_days"] is None else each["at_maturity"].replace("_", " "),
        "principal goes to": each["redeem_to"],
    }
    rates = [
        [instant(one["from_at"]), str(one["revision"]), percent(one["blended_apr"]), amount(one["principal"])]
        for one in data["rates"]
    ]
    rewards = [
        [str(one["day"]), one["run_on"], amount(one["amount"], asset), one["receipt"]]
        for one in data["rewards"]
    ]
    parts = [card({name: fact for name, fact in facts.items() if fact is not None})]
    parts.append(grid("Rates", ["From", "Revision", "APR", "Principal"], rates))
    parts.append(
        grid("Rewards", ["Day", "Run", "Amount", "Receipt"], rewards) if rewards else "[dim]No reward yet.[/]"
    )
    return said(f"Position {each['position_id']} in {each['product']}", *parts)

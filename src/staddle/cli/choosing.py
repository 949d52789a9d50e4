"""`staddle choose`, `auto-subscribe`, `guard`: what a customer decides in advance."""

from typing import Annotated

import typer
from rich.console import Group, RenderableType

from staddle import positions as room
from staddle.cli import app
from staddle.cli.answer import Document, Shown, shown
from staddle.cli.arguments import Accept, CustomerRef, DestinationName, PositionId, ProductCode, SourceName
from staddle.cli.edge import At, reads, writes
from staddle.cli.show import listing, said
from staddle.money import ZERO, parse_decimal


@writes(app.app, "choose")
def choose(
    at: At,
    customer: CustomerRef,
    position_id: PositionId,
    at_maturity: Annotated[str, typer.Argument(metavar="WHAT", help="redeem, renew or to_flexible.")],
    to: DestinationName = "funding",
) -> Shown:
    """Choose what happens when a fixed-term position matures."""
    command = room.ChooseAtMaturity(
        customer_id=at.customer_id(customer),
        key=at.key,
        position_id=position_id,
        at_maturity=at_maturity,
        redeem_to=to,
    )
    outcome = room.choose_at_maturity(at.tx, [command], at.now)[0]
    return shown(outcome, lambda _: said(f"At maturity: {at_maturity.replace('_', ' ')}, principal to {to}."))


@writes(app.auto, "set")
def set_auto(
    at: At,
    customer: CustomerRef,
    product: ProductCode,
    accept: Accept = None,
    source: SourceName = "spot",
    floor: Annotated[str, typer.Option(help="What always stays in the account.")] = "0",
) -> Shown:
    """Put the idle balance above a floor into a flexible product, every day after the run."""
    command = room.SetAutoSubscribe(
        customer_id=at.customer_id(customer),
        key=at.key,
        product=product,
        source=source,
        floor=parse_decimal(floor),
        agreement_version=accept,
    )
    outcome = room.set_auto_subscribe(at.tx, [command], at.now)[0]
    return shown(
        outcome, lambda _: said(f"What is idle in {source} above {floor} goes into {product} every day.")
    )


@writes(app.auto, "off")
def auto_off(at: At, customer: CustomerRef, product: ProductCode) -> Shown:
    """Stop auto-subscribe into a product."""
    command = room.SetAutoSubscribe(
        customer_id=at.customer_id(customer), key=at.key, product=product, is_on=False
    )
    outcome = room.set_auto_subscribe(at.tx, [command], at.now)[0]
    return shown(outcome, lambda _: said(f"Nothing goes into {product} by itself any more."))


@reads(app.auto, "list")
def list_auto(at: At, customer: CustomerRef) -> Shown:
    """List a customer's auto-subscriptions and rate guards."""
    standing = room.standing_choices(at.tx, at.customer_id(customer))
    return Shown(standing, _standing_view)


def _standing_view(data: Document) -> RenderableType:
    auto = listing(
        "Auto-subscribe", data["auto_subscriptions"], ["product", "asset", "source", "floor", "is_on", "changed_at"],
        "No auto-subscribe is set.",
    )  # fmt: skip
    guards = listing(
        "Rate guards", data["rate_guards"], ["product", "apr_min", "action", "is_on", "changed_at"],
        "No rate guard is set.",
    )  # fmt: skip
    return Group(auto, guards)


@writes(app.guard, "set")
def set_guard(
    at: At,
    customer: CustomerRef,
    product: ProductCode,
    apr_min: Annotated[
        str, typer.Argument(metavar="APR", help="The lowest APR, as a fraction: 0.03 is 3 %.")
    ],
    action: Annotated[str, typer.Option(help="redeem, or only stop auto-subscribe and renewal.")] = "stop",
) -> Shown:
    """Redeem, or only stop auto-subscribe and renewal, once a rate is revised below the lowest APR."""
    command = room.SetRateGuard(
        customer_id=at.customer_id(customer),
        key=at.key,
        product=product,
        apr_min=parse_decimal(apr_min),
        action=action,
    )
    return shown(
        room.set_rate_guard(at.tx, [command], at.now)[0], lambda _: said(f"{product} is guarded: {action}.")
    )


@writes(app.guard, "off")
def guard_off(at: At, customer: CustomerRef, product: ProductCode) -> Shown:
    """Take a rate guard away."""
    command = room.SetRateGuard(
        customer_id=at.customer_id(customer),
        key=at.key,
        product=product,
        apr_min=ZERO,
        action="stop",
        is_on=False,
    )
    return shown(
        room.set_rate_guard(at.tx, [command], at.now)[0], lambda _: said(f"{product} is guarded no more.")
    )

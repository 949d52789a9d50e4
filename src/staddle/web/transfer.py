"""Moving coins between one's own Spot and Funding accounts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from staddle.customers import Account, Moved, TransferBetween
from staddle.identity.caller import Caller, Seen
from staddle.money import EXACT, floor_to_unit, parse_decimal, plain
from staddle.pages.page import NOTHING_TYPED, Form, GoTo, Typed, View, Visit, batched, shows
from staddle.positions import ShownAsset, assets_of
from staddle.server.allow import customer

OTHER: Mapping[Any, Account] = {"spot": "funding", "funding": "spot"}
PORTIONS = (25, 50, 75, 100)
"""What the chips beside the amount take of the balance, in percent."""


class TransferForm(Form, frozen=True, kw_only=True):
    """What is moved, out of which account; it goes to the other one."""

    asset: str
    source: Account
    amount: str = ""


@shows("/assets/transfer", allow=customer("transfer"))
def show_transfer(
    visit: Visit,
    asset: str = "",
    source: Account = "spot",
    portion: Literal[0, 25, 50, 75, 100] = 0,
    typed: Typed = NOTHING_TYPED,
) -> View:
    """Show the form, with the balances of this moment; `portion` fills in a part of what the account holds."""
    assets = assets_of(visit.tx, visit.customer_id)
    wish, source = str(typed.get("asset", asset)), source_of(typed.get("source", source))
    chosen = next((each for each in assets if each.asset == wish), first_with(assets, source))
    shown: dict[str, Any] = {"assets": assets, "chosen": chosen, "source": source, "to": OTHER[source]}
    if chosen is None:
        return View("transfer.html", {**shown, "typed": typed, "amount": "", "portions": {}})
    held: Decimal = getattr(chosen, source)
    portions = {each: portion_of(held, each, chosen.scale) for each in PORTIONS}
    amount = portions[portion] if portion else str(typed.get("amount", ""))
    return View("transfer.html", {**shown, "typed": typed, "amount": amount, "portions": portions})


def then_assets(visit: Visit, moved: Moved) -> GoTo:
    """Go back to the assets and say what was moved."""
    amount = visit.formats.number(moved.amount)
    return GoTo("/assets", said=visit.say("%(amount)s %(asset)s moved.", amount=amount, asset=moved.asset))


@batched("/assets/transfer", "transfer", allow=customer("transfer"), again=show_transfer, then=then_assets)
def transfer_by_form(caller: Caller, key: str, seen: Seen, form: TransferForm) -> TransferBetween:  # noqa: ARG001
    """Move coins from one of the customer's accounts to the other."""
    assert caller.customer_id is not None
    return TransferBetween(
        customer_id=caller.customer_id,
        key=key,
        asset=form.asset,
        source=form.source,
        destination=OTHER[form.source],
        amount=parse_decimal(form.amount),
    )


def source_of(text: object) -> Account:
    """Read which account coins leave; Spot unless it is Funding."""
    return "funding" if text == "funding" else "spot"


def first_with(assets: list[ShownAsset], source: Account) -> ShownAsset | None:
    """Give the first coin of which the account holds something, else the first one."""
    holding = [each for each in assets if getattr(each, source)]
    return next(iter(holding or assets), None)


def portion_of(held: Decimal, percent: int, scale: int) -> str:
    """Write so many percent of a balance as one types it, cut to the coin's smallest unit."""
    text = plain(floor_to_unit(EXACT.multiply(held, Decimal(percent)), 100, scale))
    return text.rstrip("0").rstrip(".") if "." in text else text

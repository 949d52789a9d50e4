"""What support does for a customer: change what is known of them, and ask for what a second person must decide."""

from staddle.console.customers import show_customer_of_desk
from staddle.console.words import customer_address, customer_in
from staddle.customers import Account, CustomerMove, ask_customer_move, change_customer
from staddle.errors import InvalidChoice
from staddle.identity import ask_to_remove_factors, login_of_customer
from staddle.money import parse_decimal
from staddle.pages.once import once
from staddle.pages.page import Form, GoTo, Visit, sends
from staddle.server.allow import operator

SERVES = operator("support")
ASKS = operator("support", "treasury")


class KnownForm(Form, frozen=True, kw_only=True):
    """What is known of a customer."""

    name: str = ""
    country: str = ""
    vip_level: str = "0"


class MoveForm(Form, frozen=True, kw_only=True):
    """A deposit or withdrawal that is asked for."""

    move: str
    asset: str
    account: str
    amount: str


class NothingForm(Form, frozen=True, kw_only=True):
    """A form without fields."""


@sends("/console/customers/{reference}/known", allow=SERVES, again=show_customer_of_desk)
def change_customer_by_form(visit: Visit, reference: str, form: KnownForm) -> GoTo:
    """Change a customer's name, country and VIP level; positions keep the terms they have."""
    if not (form.vip_level.isdecimal() and len(form.vip_level) < 5):
        raise InvalidChoice("A VIP level is a whole number from 0 on.", field="vip_level")
    reference = customer_in(visit.tx, reference).reference
    name, level = form.name.strip(), int(form.vip_level)
    country = form.country.strip().upper() or None
    what = {"reference": reference, "name": name, "country": country, "vip_level": level}
    once(
        visit,
        "change_customer",
        what,
        lambda: change_customer(visit.tx, visit.at.by, reference, name, country, level, visit.now),
    )
    return GoTo(customer_address(reference), visit.say("What is known of the customer was changed."))


@sends("/console/customers/{reference}/moves", allow=ASKS, again=show_customer_of_desk)
def ask_for_move_by_form(visit: Visit, reference: str, form: MoveForm) -> GoTo:
    """Ask for a deposit or withdrawal by hand; nothing moves before a second person approves."""
    if form.move not in ("deposit", "withdrawal"):
        raise InvalidChoice("This is a deposit or a withdrawal.", field="move")
    reference = customer_in(visit.tx, reference).reference
    account: Account = "spot" if form.account == "spot" else "funding"
    move = CustomerMove(
        move="deposit" if form.move == "deposit" else "withdrawal",
        customer=reference,
        asset=form.asset,
        account=account,
        amount=parse_decimal(form.amount),
    )

    def ask() -> dict[str, int]:
        return {"approval_id": ask_customer_move(visit.tx, visit.at.by, move, visit.now)}

    number = once(visit, "ask_customer_move", {"move": move}, ask)["approval_id"]
    said = visit.say("Request %(number)s waits for a second person; nothing was moved.", number=number)
    return GoTo(customer_address(reference), said)


@sends(
    "/console/customers/{reference}/lost-factors",
    allow=operator("support", "admin"),
    again=show_customer_of_desk,
)
def ask_to_remove_factors_by_form(visit: Visit, reference: str, form: NothingForm) -> GoTo:
    """Ask a second person to take lost second factors away, so that the customer can sign in again."""
    assert form is not None
    customer = customer_in(visit.tx, reference)

    def ask() -> dict[str, int]:
        login = login_of_customer(visit.tx, customer.customer_id)
        number = ask_to_remove_factors(visit.tx, visit.at.caller, login.login_id, visit.at.machine_now)
        return {"approval_id": number}

    number = once(visit, "ask_to_remove_factors", {"reference": customer.reference}, ask)["approval_id"]
    said = visit.say(
        "Request %(number)s waits for a second person; until then nothing changes.", number=number
    )
    return GoTo(customer_address(reference), said)

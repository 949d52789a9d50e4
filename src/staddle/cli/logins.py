"""`staddle logins`: who may sign in, by what, and what they must prove again.

Sign-in goes by the machine's clock, in a sandbox too.
"""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from staddle import approvals
from staddle import identity as room
from staddle.cli import app
from staddle.cli.answer import Shown
from staddle.cli.arguments import ApprovalId, AssetCode, CustomerRef
from staddle.cli.edge import At, Edge, machine_now, reads, works, writes
from staddle.cli.secret import Made, first_line, keyring, with_secret
from staddle.cli.show import listing
from staddle.customers import find_customer
from staddle.db import Tx
from staddle.money import parse_decimal

Who = Annotated[
    str, typer.Argument(metavar="WHO", help="A customer's reference; an operator's name with --operator.")
]
IsOperator = Annotated[bool, typer.Option("--operator", help="It is an operator's login.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file", help="Its first line is the password; - is standard input. Default: one is made."
    ),
]


@works(app.logins, "add", "by", "key")
def add_login(
    edge: Edge,
    who: Who,
    email: Annotated[str, typer.Argument(help="What they sign in with.")],
    is_operator: IsOperator = False,
    password_file: PasswordFile = None,
) -> Shown:
    """Give a customer, or an operator, a login; without a password of your choice one is made and printed once."""
    password, password_hash = _password(password_file, email)

    def do(at: At) -> Made:
        now, by = machine_now(), room.operator_caller(at.tx, at.by)
        if is_operator:
            login = room.add_operator_login(at.tx, at.by, who, email, password_hash, now)
        else:
            login = room.add_customer_login(at.tx, by, who, email, password_hash, room.UNSEEN, now)
        return login, password

    return with_secret(
        edge, "add_login", {"who": who, "email": email, "is_operator": is_operator}, do, "password"
    )


@works(app.logins, "reset", "by", "key")
def reset(edge: Edge, who: Who, is_operator: IsOperator = False, password_file: PasswordFile = None) -> Shown:
    """Give a login a new password in place of a lost one; wherever it is signed in, it is out."""
    with edge.transaction() as tx:
        login = _login(tx, who, is_operator)
    password, password_hash = _password(password_file, login.email or "")

    def do(at: At) -> Made:
        by = room.operator_caller(at.tx, at.by)
        return room.reset_password(
            at.tx, by, login.login_id, password_hash, room.UNSEEN, machine_now()
        ), password

    return with_secret(edge, "reset_password", {"who": who, "is_operator": is_operator}, do, "password")


@writes(app.logins, "deactivate")
def deactivate(at: At, who: Who, is_operator: IsOperator = False) -> Shown:
    """Let a login in no more: its sessions, and a customer's API keys, are refused at once."""
    return _set_active(at, who, is_operator, False)


@writes(app.logins, "activate")
def activate(at: At, who: Who, is_operator: IsOperator = False) -> Shown:
    """Let a login in again."""
    return _set_active(at, who, is_operator, True)


def _set_active(at: At, who: str, is_operator: bool, is_active: bool) -> Shown:
    what: dict[str, object] = {"who": who, "is_operator": is_operator, "is_active": is_active}

    def do() -> object:
        login, by = _login(at.tx, who, is_operator), room.operator_caller(at.tx, at.by)
        return room.set_login_active(at.tx, by, login.login_id, is_active, room.UNSEEN, machine_now())

    return at.once("set_login_active", what, do)


@writes(app.logins, "lost-factors")
def lost_factors(at: At, who: Who, is_operator: IsOperator = False) -> Shown:
    """Ask a second person to take away the second factors of somebody who has lost them."""

    def do() -> object:
        login, by = _login(at.tx, who, is_operator), room.operator_caller(at.tx, at.by)
        number = approvals.ask_to_remove_factors(at.tx, by, login.login_id, machine_now())
        return {"approval_id": number, "login": login}

    return at.once("ask_to_remove_factors", {"who": who, "is_operator": is_operator}, do)


@writes(app.logins, "approve")
def approve(at: At, approval_id: ApprovalId) -> Shown:
    """Approve it: the app, the recovery codes and the passkeys are gone, and every session ends."""

    def do() -> object:
        by = room.operator_caller(at.tx, at.by)
        return room.remove_lost_factors(at.tx, by, approval_id, room.UNSEEN, machine_now())

    return at.once("remove_lost_factors", {"approval_id": approval_id}, do)


@reads(app.logins, "list")
def logins(
    at: At,
    is_operator: Annotated[bool, typer.Option("--operators", help="Those of operators.")] = False,
    after: Annotated[str, typer.Option(help="Go on behind the login of this id.")] = "",
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 100,
) -> Shown:
    """List the logins, in an order that stays."""
    found = room.list_logins(at.tx, "operator" if is_operator else "customer", count, after)
    columns = [
        "login_id",
        "email",
        "operator" if is_operator else "customer_id",
        "is_active",
        "has_code",
        "passkey_count",
    ]
    return Shown({"logins": found}, lambda data: listing("", data["logins"], columns))


@reads(app.logins, "log")
def log(
    at: At,
    reference: CustomerRef,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many entries.")] = 30,
) -> Shown:
    """Show what happened to a customer's access, newest first, as the customer can read it too."""
    found = room.read_security_log(at.tx, at.customer_id(reference), count)
    columns = ["effective_at", "act", "address", "agent"]
    return Shown({"entries": found}, lambda data: listing("", data["entries"], columns))


@writes(app.logins, "step-up")
def step_up(
    at: At,
    asset: AssetCode,
    amount: Annotated[str | None, typer.Argument(metavar="[AMOUNT]", help="Left out: never.")] = None,
) -> Shown:
    """Set from which amount on a customer must prove again who they are before redeeming; an admin's."""
    limit = None if amount is None else parse_decimal(amount)

    def do() -> object:
        room.set_step_up_amount(at.tx, at.by, asset, limit, machine_now())
        return {"asset": asset, "step_up_amount": limit}

    return at.once("set_step_up_amount", {"asset": asset, "amount": limit}, do)


@writes(app.logins, "trust")
def trust(
    at: At,
    issuer: Annotated[str, typer.Argument(help="Such as https://login.example.com.")],
    client_id: Annotated[str, typer.Argument(help="What the provider calls us.")],
    secret_file: Annotated[
        Path,
        typer.Option(help="Its first line is the secret that the provider gave us; - is standard input."),
    ],
    claim: Annotated[
        str | None,
        typer.Option(help="The claim that holds our reference; default: a verified e-mail address."),
    ] = None,
) -> Shown:
    """Let customers sign in by another provider, such as the exchange's own login (OpenID Connect); an admin's."""
    secret = first_line(secret_file)

    def do() -> object:
        return room.set_sign_in_provider(
            at.tx, keyring(), at.by, issuer, client_id, secret, claim, machine_now()
        )

    return at.once("trust", {"issuer": issuer, "client_id": client_id, "claim": claim}, do)


@writes(app.logins, "distrust")
def distrust(at: At) -> Shown:
    """Let nobody sign in by another provider any more; an admin's."""

    def do() -> object:
        room.drop_sign_in_provider(at.tx, at.by, machine_now())
        return {"issuer": None}

    return at.once("distrust", {}, do)


def _password(file: Path | None, email: str) -> tuple[str | None, str]:
    """Give the password that is to be shown, if it was made here, and its hash."""
    if file is not None:
        return None, room.new_password(first_line(file), email)
    password = secrets.token_urlsafe(15)
    return password, room.new_password(password, email)


def _login(tx: Tx, who: str, is_operator: bool) -> room.Login:
    """Find a customer's login by reference, or an operator's by name."""
    if is_operator:
        return room.login_of(tx, room.Caller("operator", operator=who))
    return room.login_of_customer(tx, find_customer(tx, who).customer_id)

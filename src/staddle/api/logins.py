"""Logins of customers and operators, for those who may make and close them; and the rules of sign-in."""

import secrets
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from staddle import approvals
from staddle.api.fields import AmountText, Body, Id, Reference, id_of
from staddle.api.once import once
from staddle.api.operation import Given, reads, works, writes
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.api.secret import Made, once_showing, within
from staddle.customers import find_customer
from staddle.errors import ApprovalNotFound
from staddle.identity import (
    Login,
    SignInProvider,
    add_customer_login,
    add_operator_login,
    drop_sign_in_provider,
    find_login_by_email,
    list_logins,
    login_of,
    login_of_customer,
    new_password,
    operator_caller,
    remove_lost_factors,
    reset_password,
    set_login_active,
    set_sign_in_provider,
    set_step_up_amount,
    step_up_amounts,
)
from staddle.keyring import Keyring
from staddle.money import parse_decimal
from staddle.server.allow import client, either, operator
from staddle.server.at import At, OnDatabase

TAG = "Logins"
SERVE = either(client("customers"), operator("support", "admin"))
SUPPORT = operator("support", "admin")
ADMIN = operator("admin")
Email = Annotated[str, msgspec.Meta(max_length=300, examples=["ann@example.com"])]
OperatorName = Annotated[str, msgspec.Meta(min_length=1, max_length=40, examples=["bob"])]
Password = Annotated[
    str, msgspec.Meta(max_length=1000, description="Left out: one is made and shown this once.")
]


class LoginBody(Body, frozen=True, kw_only=True):
    """What somebody is to sign in with."""

    email: Email
    password: Password | None = None


class ResetBody(Body, frozen=True, kw_only=True):
    """The password in place of a lost one."""

    password: Password | None = None


class ActiveLoginBody(Body, frozen=True, kw_only=True):
    """Whether a login lets anybody in."""

    is_active: bool


class StepUpAmountBody(Body, frozen=True, kw_only=True):
    """From which amount on a redemption needs a step-up; null: it never does."""

    amount: AmountText | None


class ProviderBody(Body, frozen=True, kw_only=True):
    """The provider's issuer, and the id and secret that it has given us.

    `reference_claim` is the claim that holds our reference of the customer; without it a verified e-mail address
    counts.
    """

    issuer: Annotated[str, msgspec.Meta(max_length=500, examples=["https://login.example.com"])]
    client_id: Annotated[str, msgspec.Meta(max_length=200)]
    client_secret: Annotated[str, msgspec.Meta(max_length=500)]
    reference_claim: Annotated[str, msgspec.Meta(max_length=100)] | None = None


class LoginMade(msgspec.Struct, frozen=True, kw_only=True):
    """The login, and the password that was made for it, shown this once."""

    login: Login
    password: str | None


class FactorsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The request that waits for a second person."""

    approval_id: int


class StepUpAmount(msgspec.Struct, frozen=True, kw_only=True):
    """From which amount of a coin on a redemption needs a step-up; null: it never does."""

    asset: str
    amount: str | None


@reads("/v1/logins", allow=operator("viewer"), gives=Page[Login], tag=TAG)
def list_all_logins(
    at: At,
    kind: Literal["customer", "operator"] = "customer",
    email: Email | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[Login]:
    """List the logins, in an order that stays; with `email` only the one of that address."""
    if email is not None:
        return Page(items=[find_login_by_email(at.tx, kind, email)])
    found = list_logins(at.tx, kind, limit + 1, read_cursor(cursor, str) or "")
    return page(found, limit, lambda login: login.login_id)


@works(
    "POST", "/v1/customers/{reference}/login", allow=SERVE, gives=LoginMade, tag=TAG, keyed="may", status=201
)
def add_login_of_customer(at: OnDatabase, reference: Reference, body: LoginBody) -> Given:
    """Give a customer a login."""
    password, password_hash = _password(body.password, body.email)

    def do(at: At) -> Made:
        login = add_customer_login(
            at.tx, at.caller, reference, body.email, password_hash, at.seen, at.machine_now
        )
        return {"login": login}, {"password": password}

    return _once(at, "add_login", {"reference": reference, "email": body.email}, do, 201)


@works(
    "POST", "/v1/customers/{reference}/login/password", allow=SUPPORT, gives=LoginMade, tag=TAG, keyed="may"
)
def reset_login_of_customer(at: OnDatabase, reference: Reference, body: ResetBody) -> Given:
    """Give a customer a new password in place of a lost one; wherever they are signed in, they are out."""
    password, password_hash = _password(body.password, "")

    def do(at: At) -> Made:
        login = login_of_customer(at.tx, find_customer(at.tx, reference).customer_id)
        changed = reset_password(at.tx, at.caller, login.login_id, password_hash, at.seen, at.machine_now)
        return {"login": changed}, {"password": password}

    return _once(at, "reset_password", {"reference": reference}, do)


@writes(
    "POST",
    "/v1/customers/{reference}/login/lost-factors",
    allow=SUPPORT,
    gives=FactorsAsked,
    tag=TAG,
)
def ask_to_remove_factors_of_customer(at: At, reference: Reference) -> Given:
    """Ask a second person to take away the second factors of a customer who has lost them."""

    def do() -> FactorsAsked:
        login = login_of_customer(at.tx, find_customer(at.tx, reference).customer_id)
        number = approvals.ask_to_remove_factors(at.tx, at.caller, login.login_id, at.machine_now)
        return FactorsAsked(approval_id=number)

    return once(at, "ask_to_remove_factors", {"reference": reference}, do)


@writes("POST", "/v1/operators/{name}/login/lost-factors", allow=ADMIN, gives=FactorsAsked, tag=TAG)
def ask_to_remove_factors_of_operator(at: At, name: OperatorName) -> Given:
    """Ask a second admin to take away the second factors of an operator who has lost them."""

    def do() -> FactorsAsked:
        login = login_of(at.tx, operator_caller(at.tx, name))
        number = approvals.ask_to_remove_factors(at.tx, at.caller, login.login_id, at.machine_now)
        return FactorsAsked(approval_id=number)

    return once(at, "ask_to_remove_factors", {"operator": name}, do)


@writes("POST", "/v1/approvals/{approval_id}/remove-factors", allow=SUPPORT, gives=Login, tag=TAG)
def approve_to_remove_factors(at: At, approval_id: Id) -> Given:
    """Approve it: the app, its recovery codes and the passkeys are gone, and every session ends; the password stays."""
    number = id_of(approval_id, ApprovalNotFound)

    def do() -> Login:
        return remove_lost_factors(at.tx, at.caller, number, at.seen, at.machine_now)

    return once(at, "remove_lost_factors", {"approval_id": number}, do)


@writes("PUT", "/v1/customers/{reference}/login/active", allow=SUPPORT, gives=Login, tag=TAG)
def set_login_of_customer_active(at: At, reference: Reference, body: ActiveLoginBody) -> Given:
    """Let a customer in, or no more: their sessions and API keys are refused from this moment on."""

    def do() -> Login:
        login = login_of_customer(at.tx, find_customer(at.tx, reference).customer_id)
        return set_login_active(at.tx, at.caller, login.login_id, body.is_active, at.seen, at.machine_now)

    return once(at, "set_login_active", {"reference": reference, "is_active": body.is_active}, do)


@works("POST", "/v1/operators/{name}/login", allow=ADMIN, gives=LoginMade, tag=TAG, keyed="may", status=201)
def add_login_of_operator(at: OnDatabase, name: OperatorName, body: LoginBody) -> Given:
    """Give an operator a login."""
    password, password_hash = _password(body.password, body.email)

    def do(at: At) -> Made:
        login = add_operator_login(at.tx, at.by, name, body.email, password_hash, at.machine_now)
        return {"login": login}, {"password": password}

    return _once(at, "add_operator_login", {"name": name, "email": body.email}, do, 201)


@works("POST", "/v1/operators/{name}/login/password", allow=ADMIN, gives=LoginMade, tag=TAG, keyed="may")
def reset_login_of_operator(at: OnDatabase, name: OperatorName, body: ResetBody) -> Given:
    """Give an operator a new password in place of a lost one."""
    password, password_hash = _password(body.password, "")

    def do(at: At) -> Made:
        login = login_of(at.tx, operator_caller(at.tx, name))
        changed = reset_password(at.tx, at.caller, login.login_id, password_hash, at.seen, at.machine_now)
        return {"login": changed}, {"password": password}

    return _once(at, "reset_operator_password", {"name": name}, do)


@reads("/v1/step-up-amounts", allow=operator("viewer"), gives=list[StepUpAmount], tag=TAG)
def list_step_up_amounts(at: At) -> list[StepUpAmount]:
    """List from which amounts on a redemption in a session needs a step-up."""
    return [StepUpAmount(asset=asset, amount=str(amount)) for asset, amount in step_up_amounts(at.tx).items()]


@writes("PUT", "/v1/step-up-amounts/{asset}", allow=ADMIN, gives=StepUpAmount, tag=TAG)
def change_step_up_amount(
    at: At, asset: Annotated[str, msgspec.Meta(max_length=12)], body: StepUpAmountBody
) -> Given:
    """Set from which amount on a redemption of a coin needs a step-up."""
    amount = None if body.amount is None else parse_decimal(body.amount)

    def do() -> StepUpAmount:
        set_step_up_amount(at.tx, at.by, asset, amount, at.machine_now)
        return StepUpAmount(asset=asset, amount=body.amount)

    return once(at, "set_step_up_amount", {"asset": asset, "amount": amount}, do)


@writes("PUT", "/v1/sign-in/external", allow=ADMIN, gives=SignInProvider, tag=TAG)
def trust_external_provider(at: At, body: ProviderBody) -> Given:
    """Let customers sign in by another provider, such as the exchange's own login (OpenID Connect)."""

    def do() -> SignInProvider:
        return set_sign_in_provider(
            at.tx,
            Keyring(at.config),
            at.by,
            body.issuer,
            body.client_id,
            body.client_secret,
            body.reference_claim,
            at.machine_now,
        )

    asked = {"issuer": body.issuer, "client_id": body.client_id, "reference_claim": body.reference_claim}
    return once(at, "trust_provider", asked, do)


@writes("DELETE", "/v1/sign-in/external", allow=ADMIN, gives=None, tag=TAG, keyed="no", status=204)
def distrust_external_provider(at: At) -> None:
    """Let nobody sign in by another provider any more."""
    drop_sign_in_provider(at.tx, at.by, at.machine_now)


def _password(given: str | None, email: str) -> tuple[str | None, str]:
    """Give the password that is to be shown, if it was made here, and its hash."""
    if given is not None:
        return None, new_password(given, email)
    password = secrets.token_urlsafe(15)
    return password, new_password(password, email)


def _once(
    at: OnDatabase, act: str, what: dict[str, object], do: Callable[[At], Made], status: int = 200
) -> Given:
    """Do it in a transaction of its own, once for its key: the password was hashed before."""
    with at.database.transaction() as tx:
        inside = within(at, tx)
        return once_showing(inside, act, what, lambda: do(inside), status)

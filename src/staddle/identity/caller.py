"""Who is asking, as every edge knows it, and the three questions that an edge asks about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from staddle.errors import RoleMissing, ScopeMissing, StepUpNeeded, WrongKindOfCaller

Kind = Literal["nobody", "customer", "operator", "client"]

CUSTOMER_SCOPES = frozenset({"read", "subscribe", "redeem", "transfer"})
"""What an API key may be allowed; a customer who has signed in may do all of it."""

CLIENT_SCOPES = frozenset({"customers", "deposits", "withdrawals", "webhooks", "events", "act_for_customers"})
"""What an integrator's client may be allowed."""

STEP_UP_LASTS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Seen:
    """From where a request came: the address of the peer, and what it calls itself."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking. It holds no secret, so it may stand in a log.

    A customer is there by session (`session_id`) or by API key (`api_key_id`); an operator by session, with
    their `roles`; a client is an integrator's back end, with its `scopes`.
    """

    kind: Kind
    customer_id: int | None = None
    operator: str | None = None
    client_id: str | None = None
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    session_id: str | None = None
    api_key_id: str | None = None
    stepped_up_at: datetime | None = None
    agreement_version: int | None = None
    """What the API key's owner has accepted for every subscription by it that has no words for that."""


NOBODY = Caller("nobody")


def require_scope(caller: Caller, scope: str) -> None:
    """Refuse an API key or a client that lacks a scope: ScopeMissing."""
    if scope not in caller.scopes:
        raise ScopeMissing(f"This needs the scope {scope!r}.", scope=scope)


def require_session(caller: Caller) -> None:
    """Refuse a key or a client where only somebody who is signed in themselves may ask: WrongKindOfCaller."""
    if caller.session_id is None:
        raise WrongKindOfCaller("This is for somebody who is signed in, not for a key; nothing was moved.")


def require_role(caller: Caller, role: str) -> None:
    """Refuse an operator who lacks a role: RoleMissing."""
    if role not in caller.roles:
        raise RoleMissing(f"This needs the role {role!r}.", role=role)


def require_step_up(caller: Caller, now: datetime) -> None:
    """Refuse whoever has not just proved again who they are, by password, code or passkey: StepUpNeeded.

    It is good for five minutes. `now` is the machine's clock, as for all that concerns sign-in.
    """
    if caller.stepped_up_at is None or now - caller.stepped_up_at > STEP_UP_LASTS:
        raise StepUpNeeded

"""From what a request carries to who is asking: a token, a session's cookie, or a signature; and for whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from staddle.customers import find_customers
from staddle.db import Tx
from staddle.errors import CustomerNotFound, StaddleError, WrongKindOfCaller
from staddle.identity.caller import CUSTOMER_SCOPES, NOBODY, Caller, Seen, require_scope
from staddle.identity.signed import Signed, who_have_signed
from staddle.identity.who_are import who_are
from staddle.identity.who_is import who_is
from staddle.server.logs import Line, current_line


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request carries: a token or none, from where it came, and the customer a client acts for, by reference.

    One that is `signed` by an API key carries no token.
    """

    token: str | None
    seen: Seen
    for_customer: str | None = None
    line: Line | None = field(default_factory=current_line, compare=False)
    """The request's line in the log, which learns who it is."""
    signed: Signed | None = None

    def __repr__(self) -> str:
        """A token never stands in a log."""
        return f"Credentials({self.seen.address})"


def callers_of(tx: Tx, asking: Sequence[Credentials], machine_now: datetime) -> list[Caller | StaddleError]:
    """Say who each is, or why they cannot be believed; in order."""
    tokens = [(each.token or "", each.seen) for each in asking]
    signed = [(each.signed, each.seen) for each in asking if each.signed is not None]
    by_signature = iter(who_have_signed(tx, signed, machine_now) if signed else ())
    return [
        _for_whom(tx, next(by_signature), each)
        if each.signed is not None
        else NOBODY
        if each.token is None
        else _for_whom(tx, caller, each)
        for each, caller in zip(asking, who_are(tx, tokens, machine_now), strict=True)
    ]


def caller_of(tx: Tx, asking: Credentials, machine_now: datetime) -> Caller:
    """Say who is asking. Raises what `who_is` raises; SignatureNotAccepted; CustomerNotFound or ScopeMissing where a
    client may not act.
    """
    if asking.signed is not None:
        caller = believed(who_have_signed(tx, [(asking.signed, asking.seen)], machine_now)[0])
    else:
        caller = NOBODY if asking.token is None else who_is(tx, asking.token, asking.seen, machine_now)
    return _named(
        caller if asking.for_customer is None else _acting_for(tx, caller, asking.for_customer), asking
    )


def believed(found: Caller | StaddleError) -> Caller:
    """Give who it is, or raise why they are not believed."""
    if isinstance(found, StaddleError):
        raise found
    return found


def _named(caller: Caller, asking: Credentials) -> Caller:
    """Have the request's line in the log say who it is: what they are and by which id, and for whom a client acts."""
    if asking.line is not None:
        who = caller.operator or caller.customer_id or caller.client_id
        is_acting_for = caller.client_id is not None and caller.customer_id is not None
        by = f" by client {caller.client_id}" if is_acting_for else ""
        asking.line.caller = caller.kind if who is None else f"{caller.kind} {who}{by}"
    return caller


def _for_whom(tx: Tx, caller: Caller | StaddleError, asking: Credentials) -> Caller | StaddleError:
    if isinstance(caller, StaddleError):
        return caller
    try:
        return _named(
            caller if asking.for_customer is None else _acting_for(tx, caller, asking.for_customer), asking
        )
    except StaddleError as error:
        return error


def _acting_for(tx: Tx, caller: Caller, reference: str) -> Caller:
    """A client who may act for customers becomes the customer, and stays known as the client."""
    if caller.kind != "client":
        raise WrongKindOfCaller("Only an integrator's client acts for a customer; nothing was moved.")
    require_scope(caller, "act_for_customers")
    found = find_customers(tx, [reference])
    if reference not in found:
        raise CustomerNotFound
    return replace(caller, kind="customer", customer_id=found[reference].customer_id, scopes=CUSTOMER_SCOPES)

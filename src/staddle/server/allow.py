"""Who may do something at an edge: a kind of caller, with a scope or a role. It is declared beside what is done."""

from dataclasses import dataclass

from staddle.errors import RoleMissing, SignInNeeded, WrongKindOfCaller
from staddle.identity.caller import Caller, require_scope


@dataclass(frozen=True, slots=True)
class Allow:
    """Who may call an operation: anybody, or a kind of caller with a scope or one of some roles.

    A customer's own session has every scope; only API keys are limited to theirs.
    """

    kinds: frozenset[str]
    scope: str | None = None
    roles: frozenset[str] = frozenset()

    def check(self, caller: Caller) -> None:
        """Raise SignInNeeded, WrongKindOfCaller, ScopeMissing or RoleMissing unless the caller may."""
        if "nobody" in self.kinds:
            return
        if caller.kind == "nobody":
            raise SignInNeeded
        if caller.kind not in self.kinds:
            raise WrongKindOfCaller
        if self.scope is not None and caller.kind != "operator":
            require_scope(caller, self.scope)
        if caller.kind == "operator" and self.roles and not self.roles & caller.roles:
            needed = sorted(self.roles)
            raise RoleMissing(f"This needs the role {' or '.join(needed)}.", roles=needed)


ANYBODY = Allow(frozenset({"nobody"}))


def customer(scope: str) -> Allow:
    """Customers: by a session, by an API key with the scope, or through an integrator who may act for them."""
    return Allow(frozenset({"customer"}), scope)


def client(scope: str) -> Allow:
    """Integrators whose access token has the scope."""
    return Allow(frozenset({"client"}), scope)


def operator(*roles: str) -> Allow:
    """Operators who have one of the roles; every operator has `viewer`."""
    return Allow(frozenset({"operator"}), None, frozenset(roles))


def either(*allowed: Allow) -> Allow:
    """Several kinds of callers, each under its own condition; no more than one of them by a scope."""
    scopes = [each.scope for each in allowed if each.scope is not None]
    assert len(scopes) <= 1
    kinds = frozenset[str]().union(*(each.kinds for each in allowed))
    roles = frozenset[str]().union(*(each.roles for each in allowed))
    return Allow(kinds, scopes[0] if scopes else None, roles)

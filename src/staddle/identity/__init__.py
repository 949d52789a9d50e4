"""Who is asking: logins, passwords, second factors, sessions, API keys, clients, and what each may do."""

from staddle.identity.caller import (
    CLIENT_SCOPES,
    CUSTOMER_SCOPES,
    NOBODY,
    Caller,
    Seen,
    require_role,
    require_scope,
    require_step_up,
)
from staddle.identity.who_is import who_is

__all__ = [
    "CLIENT_SCOPES",
    "CUSTOMER_SCOPES",
    "NOBODY",
    "Caller",
    "Seen",
    "require_role",
    "require_scope",
    "require_step_up",
    "who_is",
]

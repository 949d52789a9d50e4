"""An operator's or an integrator's write by the API: done once for its idempotency key, answered with its document."""

from collections.abc import Callable, Mapping

from staddle.api.operation import Given, answered
from staddle.server import once as shared
from staddle.server.at import At
from staddle.server.once import actor

__all__ = ["actor", "once"]


def once(at: At, act: str, what: Mapping[str, object], do: Callable[[], object]) -> Given:
    """Do a write unless its key was used, and give the answer that was kept; a repeat says that it is one."""
    return answered(shared.once(at, act, what, do))

"""An operator's or an integrator's write, done once for its idempotency key, whatever the edge (rule 15)."""

from collections.abc import Callable, Mapping

from staddle.document import document
from staddle.identity.caller import Caller
from staddle.ledger import Outcome
from staddle.ledger.once import Written, write_once
from staddle.server.at import At


def once(at: At, act: str, what: Mapping[str, object], do: Callable[[], object]) -> Outcome[Written]:
    """Do a write unless its key was used, and keep the answer; `what` tells a repeat from another request.

    An error is raised, so that nothing is kept under the key: the same request may succeed later.
    """

    def written() -> Written:
        answer = document(do(), at.scales)
        assert isinstance(answer, dict)
        return answer

    return write_once(at.tx, actor(at.caller), act, what, at.key, at.now, written)


def actor(caller: Caller) -> str:
    """Name who acts, as the desk's log does: an operator by name, an integrator's client by `client:` and its id."""
    if caller.operator is not None:
        return caller.operator
    assert caller.client_id is not None
    return f"client:{caller.client_id}"

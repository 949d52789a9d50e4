"""An operator's write by a form, done once for the key that the form carried, as the API does it (rule 15)."""

from collections.abc import Callable, Mapping

from staddle.ledger.once import Written
from staddle.pages.page import Visit
from staddle.server import once as shared


def once(visit: Visit, act: str, what: Mapping[str, object], do: Callable[[], object]) -> Written:
    """Do a write unless the form was sent before; gives what was answered, in JSON's own types.

    `what` tells a repeat from another request under the same key. A refusal is raised and nothing is kept, so that
    the same form may be sent again, put right.
    """
    return shared.once(visit.at, act, what, do).unwrap()

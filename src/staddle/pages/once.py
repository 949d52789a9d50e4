"""An operator's write by a form, done once for the key that the form carried, as the API does it (rule 15)."""

from collections.abc import Callable, Mapping

from staddle.document import document
from staddle.ledger.once import Written, write_once
from staddle.pages.page import Visit


def once(visit: Visit, act: str, what: Mapping[str, object], do: Callable[[], object]) -> Written:
    """Do a write unless the form was sent before; gives what was answered, in JSON's own types.

    `what` tells a repeat from another request under the same key. A refusal is raised and nothing is kept, so that
    the same form may be sent again, put right.
    """

    def written() -> Written:
        answer = document(do(), visit.at.scales)
        assert isinstance(answer, dict)
        return answer

    return write_once(visit.tx, visit.at.by, act, what, visit.key, visit.now, written).unwrap()

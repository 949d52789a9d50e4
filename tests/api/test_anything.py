"""Whatever is sent, by whomever: no answer is a mistake of ours, none is undocumented, and the books stay sound.

Requests are made from the OpenAPI document, good and bad ones, the same in every run.
"""

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.api.world import Caller, Service
from tests.living import assert_audited

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
LEFT_OUT = r"/stream$|/sign-in/external"
"""Answers that go on for ever; and what asks another's server, which is not there."""
SHUTS_A_DOOR = {"sign_out_here", "end_other_sessions"}
"""What would end the sessions that the rest needs."""


@pytest.fixture(scope="module")
def callers(service: Service, operators: dict[str, Caller], client: Caller) -> dict[str, Caller]:
    """Somebody of each kind, with all that their kind may do."""
    return {
        "nobody": service.caller(None),
        "customer": service.customer("ada"),
        "operator": operators["second"],
        "client": client,
    }


MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
EXAMPLES = 2
"""Of each operation, in each mode; each is sent by everybody."""


def tell_wrongs(operation: Any, mode: GenerationMode, callers: dict[str, Caller]) -> list[str]:
    """Send some requests of an operation and tell which answers are wrong."""
    wrongs: list[str] = []

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        for who, caller in callers.items():
            if operation.definition.raw["operationId"] in SHUTS_A_DOOR and who != "nobody":
                continue
            headers = {} if caller.token is None else {"Authorization": f"Bearer {caller.token}"}
            response = case.call(headers=headers, timeout=30)
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as group:
                wrongs.extend(f"{operation.label} as {who}: {each}" for each in group.exceptions)

    with suppress(Unsatisfiable):  # nothing of this operation can be given badly
        send()
    return wrongs


def test_no_answer_is_a_mistake_of_ours_or_undocumented(service: Service, callers: dict[str, Caller]) -> None:
    document = schemathesis.openapi.from_url(f"{service.url}/v1/openapi.json").exclude(path_regex=LEFT_OUT)
    operations: list[Any] = [result.ok() for result in document.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) > 100
    wrongs = [
        wrong for operation in operations for mode in MODES for wrong in tell_wrongs(operation, mode, callers)
    ]
    assert "\n\n".join(sorted(set(wrongs))) == ""


def test_the_books_are_sound_after_all_of_it(service: Service) -> None:
    assert_audited(service.database)

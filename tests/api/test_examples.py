"""Every operation has an example in the OpenAPI document, which is what the service answers and fits its schema."""

import json
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from tests.api.story import Story, as_file, examples_in_file, masked, tell, untold
from tests.api.world import Service

from staddle.api.openapi import openapi
from staddle.api.operation import OPERATIONS


@pytest.fixture(scope="module")
def story(service: Service) -> Story:
    """The story, told again by this test run."""
    return tell(service)


@pytest.fixture(scope="module")
def document(service: Service) -> Any:
    """The document, as the service gives it."""
    return service.http.get("/v1/openapi.json").json()


def test_every_operation_has_an_example(story: Story) -> None:
    assert [operation.name for operation in untold(story)] == [], (
        "add them to a chapter of tests/api/chapters"
    )


def test_the_examples_are_what_the_service_answers(story: Story) -> None:
    assert as_file(story.examples) == examples_in_file(), "run `make docs`"


NOTHING_PRIVILEGED = {
    "audit_books": "it reads",
    "check_product": "it reads",
    "catch_up_runs": "each run that it starts is in the log",
    "do_what_is_due": "so it is here",
    "foresee_new_rate": "it reads",
    "read_rate_source": "what is published within the bounds is in the log as the source's",
    "seal_books": "it chains what is there",
    "suppose": "it reads",
}
"""Writes of an operator that change nothing by themselves, with why."""


def test_every_act_of_an_operator_is_in_the_log(story: Story) -> None:
    unlogged = {name for name, entries in story.logged.items() if entries == 0}
    assert unlogged - set(NOTHING_PRIVILEGED) == set()
    assert set(NOTHING_PRIVILEGED) - unlogged == set()


def test_masks_hide_what_differs_each_time_and_nothing_else() -> None:
    seen = {
        "token": "stds_" + "x" * 43,
        "at": "2027-01-01T00:00:00.123456Z",
        "desk": "2026-02-01T15:30:00Z",
        "id": "509",
        "hash": "ab" * 32,
    }
    hidden = {"token": "stds_...", "at": "2026-09-01T12:00:00Z", "hash": "0" * 64}
    assert masked(seen) == {**seen, **hidden}


def test_the_document_is_openapi(document: Any) -> None:
    schemathesis.openapi.from_dict(document).validate()


def test_every_operation_is_in_the_document_with_its_example(document: Any) -> None:
    told = {each["operationId"]: each for path in document["paths"].values() for each in path.values()}
    assert set(told) == set(OPERATIONS)
    for name, operation in OPERATIONS.items():
        if operation.body_type is not None:
            (content,) = told[name]["requestBody"]["content"].values()
            assert "example" in content, name
        if operation.gives is not None:
            (content,) = told[name]["responses"][str(operation.status)]["content"].values()
            assert "example" in content, name


def test_every_answer_of_the_story_fits_its_schema(story: Story, document: Any) -> None:
    for name, status, answer in story.answers:
        wrong = [each.message for each in schema_of(document, name, status).iter_errors(answer)]
        assert not wrong, f"{name}: {wrong[:3]} in {json.dumps(answer)[:2000]}"


def test_every_request_of_the_examples_fits_its_schema(document: Any) -> None:
    for name, example in json.loads(examples_in_file()).items():
        operation = OPERATIONS[name]
        if not isinstance(example["request"]["body"], dict | list):
            continue
        told = document["paths"][operation.path][operation.method.lower()]
        (content,) = told["requestBody"]["content"].values()
        given = example["request"]["body"]
        wrong = [each.message for each in validator(document, content["schema"]).iter_errors(given)]
        assert not wrong, f"{name}: {wrong}"


def test_the_schema_of_an_answer_says_exactly_which_members_it_has(document: Any) -> None:
    position = document["components"]["schemas"]["ShownPosition"]
    assert position["properties"]["principal"]["type"] == "string"
    assert set(position["required"]) == set(position["properties"])
    assert openapi("https://earn.example.com")["servers"] == [{"url": "https://earn.example.com"}]


def schema_of(document: Any, name: str, status: int) -> jsonschema_rs.Validator:
    """The validator of what an operation answers with a status."""
    operation = OPERATIONS[name]
    told = document["paths"][operation.path][operation.method.lower()]["responses"][str(status)]
    if "$ref" in told:
        told = document["components"]["responses"][told["$ref"].rsplit("/", 1)[1]]
    (content,) = told["content"].values()
    return validator(document, content["schema"])


def validator(document: Any, schema: Any) -> jsonschema_rs.Validator:
    """A validator of one schema of the document, which refuses members that it does not name."""
    whole = {**schema, "components": strict(document["components"])}
    return jsonschema_rs.validator_for(whole)


def strict(components: Any) -> Any:
    """The schemas with every record closed: what it does not name is a mistake of the document."""
    schemas = {
        name: schema | {"additionalProperties": False} if "properties" in schema else schema
        for name, schema in components["schemas"].items()
    }
    return {"schemas": schemas}

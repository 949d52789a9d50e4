"""The OpenAPI 3.1 document, made from the operations and from the types that they take and give."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from staddle import __version__
from staddle.api.operation import FORM, OPERATIONS, Operation, is_form
from staddle.api.schema import Schemas
from staddle.server.problem import Problem

SECURITY: Mapping[str, list[dict[str, list[str]]]] = {
    "customer": [{"bearer": []}, {"session": []}],
    "client": [{"bearer": []}],
    "operator": [{"bearer": []}, {"session": []}],
    "nobody": [],
}
ABOUT = """Amounts and ids are text, instants are RFC 3339 in UTC. Errors are problem details with a stable `code`;
`moved` says whether anything was moved. Every write takes an Idempotency-Key: a repeat is answered as before, for
ever."""
WHO = {"customer": "Customers", "client": "Integrators", "operator": "Operators", "nobody": "Anybody"}


def openapi(public_url: str | None = None) -> dict[str, Any]:
    """Make the document."""
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS.values():
        paths.setdefault(operation.path, {})[operation.method.lower()] = describe(operation, schemas)
    problem = schemas.of(Problem)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Staddle",
            "version": __version__,
            "summary": "The Earn desk of an exchange: products, positions, daily rewards.",
            "description": ABOUT,
        },
        "servers": [{"url": public_url or "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "responses": {
                "Problem": {
                    "description": "What went wrong; nothing was moved unless `moved` says otherwise.",
                    "content": {"application/problem+json": {"schema": problem}},
                }
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A session's token, an API key, or an integrator's access token.",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": "staddle"},
            },
        },
    }


def describe(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    """Describe one operation."""
    kinds = sorted(operation.allow.kinds)
    example = examples().get(operation.name, {})
    request = example.get("request", {})
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{operation.description}\n\n{who(operation)}",
        "tags": [operation.tag],
        "security": [scheme for kind in kinds for scheme in SECURITY[kind]] if kinds != ["nobody"] else [],
        "parameters": [
            *parameters(operation.path_type, "path", schemas, request.get("path", {})),
            *parameters(operation.query_type, "query", schemas, request.get("query", {})),
            *headers(operation),
        ],
        "responses": responses(operation, schemas, example),
    }
    if operation.body_type is not None:
        content = {"application/json": {"schema": schemas.of_request(operation.body_type)}}
        if operation.body_type is bytes:
            content = {
                "text/csv": {"schema": {"type": "string", "description": "A file with a header, in UTF-8."}}
            }
        elif is_form(operation):
            content = {FORM: content["application/json"]}
        if request.get("body") is not None:
            next(iter(content.values()))["example"] = request["body"]
        told["requestBody"] = {"required": True, "content": content}
    return told


def who(operation: Operation) -> str:
    """Say who may call it."""
    allow = operation.allow
    texts = []
    for kind in sorted(allow.kinds):
        text = WHO[kind]
        if kind == "operator" and allow.roles:
            text += f" with the role {' or '.join(f'`{role}`' for role in sorted(allow.roles))}"
        elif kind != "operator" and allow.scope is not None:
            text += f" with the scope `{allow.scope}`"
        texts.append(text)
    return f"For: {'; '.join(texts)}."


@cache
def examples() -> dict[str, Any]:
    """Read the examples, each of which a test executes: `make docs` writes them."""
    text = files(__package__).joinpath("examples.json").read_text(encoding="utf-8")
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def parameters(
    kind: type[msgspec.Struct], place: str, schemas: Schemas, example: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Describe the parameters of one part of the request."""
    told = []
    for field in msgspec.structs.fields(kind):
        schema = schemas.of_request(field.type)
        description = schema.pop("description", None)
        if field.default is not msgspec.NODEFAULT and field.default is not None:
            schema["default"] = field.default
        parameter: dict[str, Any] = {
            "name": field.encode_name,
            "in": place,
            "required": field.required,
            "schema": schema,
        }
        if description:
            parameter["description"] = description
        if field.name in example:
            parameter["example"] = in_type(example[field.name], schema)
        told.append(parameter)
    return told


def in_type(text: str, schema: Mapping[str, Any]) -> Any:
    """Give the example of a parameter in the type of its schema; addresses and queries only know text."""
    kinds = {each.get("type") for each in (schema, *schema.get("anyOf", ()))}
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return int(text) if "integer" in kinds and text.isascii() and text.isdigit() else text


def headers(operation: Operation) -> list[dict[str, Any]]:
    """Describe the headers that an operation reads."""
    told: list[dict[str, Any]] = []
    if operation.keyed != "no":
        told.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": operation.keyed == "must",
                "description": "The same key never does the same thing twice: a repeat gets the first answer again.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 120},
            }
        )
    if "customer" in operation.allow.kinds:
        told.append(
            {
                "name": "Staddle-Customer",
                "in": "header",
                "required": False,
                "description": "The reference of the customer for whom an integrator with `act_for_customers` asks.",
                "schema": {"type": "string"},
            }
        )
    return told


def responses(operation: Operation, schemas: Schemas, example: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what can be answered: each status that the operation can have."""
    done: dict[str, Any] = {"description": "Done."}
    if operation.gives is not None:
        schema = {"type": "string"} if operation.gives is bytes else schemas.of(operation.gives)
        content = {"schema": schema} | ({"example": example["answer"]} if "answer" in example else {})
        done["content"] = {operation.media_type: content}
    if operation.keyed != "no":
        done["headers"] = {
            "Idempotent-Replayed": {
                "description": "`true` where this is the stored answer of an earlier request with the same key.",
                "schema": {"type": "string", "enum": ["true"]},
            }
        }
    told = {str(operation.status): done}
    problem = {"$ref": "#/components/responses/Problem"}
    for status in statuses(operation):
        told[str(status)] = problem
    return told


def statuses(operation: Operation) -> list[int]:
    """List the statuses of what can go wrong."""
    found = {400, 401, 403, 404, 409, 422, 429, 500, 503}
    if operation.body_type is not None:
        found |= {408, 413, 415}
    return sorted(found)

"""What every operation does around its one act: read the request, know the caller, call, write the answer down."""

import logging
import uuid
from base64 import b64decode
from collections.abc import Mapping
from functools import cache, partial
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast, get_args
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from staddle.api.fields import Form
from staddle.api.operation import FORM, Given, Operation, answered, is_form
from staddle.document import document
from staddle.errors import (
    IdempotencyKeyMissing,
    MalformedRequest,
    WrongMediaType,
)
from staddle.server.at import At, OnDatabase
from staddle.server.call import Call, ask_batch, check_given, credentials_of, in_transaction, on_database
from staddle.server.exchange import Incoming, Reply
from staddle.server.logs import name_operation
from staddle.server.problem import MEDIA_TYPE, problem_of
from staddle.server.service import Service

Made = tuple[Given, Mapping[str, int]]
REPLAY_HEADER = "Idempotent-Replayed"
log = logging.getLogger(__name__)


async def answer(operation: Operation, service: Service, request: Incoming) -> Reply:
    """Answer one request; whatever goes wrong becomes problem details."""
    name_operation(operation.name)
    try:
        credentials = credentials_of(service, request)
        key = key_of(operation, request)
        parameters = read(operation, request)
        given, scales = await made_by(operation, Call(service, credentials, operation.allow, key), parameters)
        return respond(operation, given, scales)
    except Exception as error:  # told as problem details, each with its code
        return refuse(error)


def key_of(operation: Operation, request: Incoming) -> str:
    """Read the idempotency key; where it may be left out, one is made. Raises IdempotencyKeyMissing or InvalidKey."""
    key = request.headers.get("idempotency-key")
    if key is None:
        if operation.keyed == "must":
            raise IdempotencyKeyMissing
        return str(uuid.uuid4())
    return check_given(key)


def read(operation: Operation, request: Incoming) -> dict[str, Any]:
    """Read the parameters of an operation out of the address, the query and the body. Raises MalformedRequest."""
    query: dict[str, Any] = {}
    for name, value in request.query():
        if name in query:
            raise MalformedRequest(f"The query gives {name[:40]!r} twice.")
        query[name] = value
    parameters = {
        **_convert(dict(request.path_parameters), operation.path_type, "address"),
        **_convert(query, operation.query_type, "query"),
    }
    if operation.body_type is not None:
        parameters["body"] = read_body(operation, request)
    return parameters


def read_body(operation: Operation, request: Incoming) -> Any:
    """Read the body, JSON or a file of CSV; raises WrongMediaType or MalformedRequest, which names the field."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if operation.body_type is bytes:
        if sent != "text/csv":
            raise WrongMediaType("The body must be sent as text/csv; nothing was moved.")
        return request.body
    if is_form(operation):
        return read_form(operation.body_type, request, sent)
    if sent != "application/json":
        raise WrongMediaType
    try:
        return msgspec.json.decode(request.body, type=operation.body_type)
    except msgspec.ValidationError as error:
        raise at_fault(error, "body") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequest(f"The body is not valid JSON: {str(error)[:120]}.") from None


def read_form(kind: type[Form], request: Incoming, sent: str) -> Form:
    """Read a form; what `Authorization: Basic` says goes before what the form says (RFC 6749, 2.3.1)."""
    if sent != FORM:
        raise WrongMediaType(f"The body must be sent as {FORM}; nothing was moved.")
    try:
        form = dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True, max_num_fields=20))
        scheme, _, basic = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            name, _, secret = b64decode(basic, validate=True).decode().partition(":")
            form |= {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}
        return msgspec.convert(form, kind)
    except msgspec.ValidationError as error:
        raise at_fault(error, "form") from None
    except ValueError:
        raise MalformedRequest("The form cannot be read; nothing was moved.") from None


def _convert(values: dict[str, Any], kind: type[msgspec.Struct], part: str) -> dict[str, Any]:
    if not values and not kind.__struct_fields__:
        return {}
    for name in _integers(kind) & values.keys():
        if not (values[name].isascii() and values[name].isdigit()):
            raise MalformedRequest(f"The {part} cannot be read: {name} is not a plain number.", part=part)
    try:
        return msgspec.structs.asdict(msgspec.convert(values, kind, strict=False))
    except msgspec.ValidationError as error:
        raise at_fault(error, part) from None


@cache
def _integers(kind: type[msgspec.Struct]) -> frozenset[str]:
    """Name the whole numbers among the parameters: they are read from text, where msgspec would take 1e2 for one."""
    return frozenset(
        field.encode_name for field in msgspec.structs.fields(kind) if int in _types_within(field.type)
    )


def _types_within(annotation: Any) -> set[Any]:
    inner = get_args(annotation)
    return {annotation} if not inner else {each for part in inner for each in _types_within(part)}


def at_fault(error: msgspec.ValidationError, part: str) -> MalformedRequest:
    """Tell which field of which part of the request cannot be read."""
    what, _, where = str(error).partition(" - at `$")
    name = where.strip("`").lstrip(".") or None
    refused = MalformedRequest(f"The {part} cannot be read: {what.replace('`', '')}.", part=part)
    if name is not None:
        refused.field = name
    return refused


async def made_by(operation: Operation, call: Call, parameters: dict[str, Any]) -> Made:
    """Call an operation: in a batch, in its one transaction, or on the database."""
    if operation.act is not None:
        run = partial(operation.run, **parameters)
        done = await ask_batch(call, operation.act, run)
        return answered(done.outcome, operation.status), done.scales

    def run_at(at: At | OnDatabase) -> Made:
        return as_given(operation, operation.run(at, **parameters)), at.scales

    if operation.is_one_transaction:
        return await call.service.in_thread(lambda: in_transaction(call, run_at))
    return await call.service.in_thread(lambda: on_database(call, run_at))


def as_given(operation: Operation, value: Any) -> Given:
    """Wrap a bare value."""
    return value if isinstance(value, Given) else Given(value, operation.status)


def respond(operation: Operation, given: Given, scales: Mapping[str, int]) -> Reply:
    """Write an answer down: a document, or the bytes of another kind; money is never cached."""
    headers = {"Cache-Control": "no-store", **given.headers}
    if given.is_replay:
        headers[REPLAY_HEADER] = "true"
    if given.error is not None:
        return refuse(given.error, headers)
    if given.status == 204:
        return Reply(204, b"", headers=headers)
    if isinstance(given.value, bytes):
        return Reply(given.status, given.value, given.media_type, headers)
    if isinstance(given.value, SpooledTemporaryFile):
        return Reply(given.status, b"", given.media_type, headers, cast("IO[bytes]", given.value))
    return Reply(
        given.status, msgspec.json.encode(document(given.value, scales)), operation.media_type, headers
    )


def refuse(error: Exception, headers: Mapping[str, str] | None = None) -> Reply:
    """Write an error down as problem details; our own mistakes are logged with their trace."""
    problem = problem_of(error)
    if problem.status == 500:
        log.error("a request failed", exc_info=error)
    more = {"Cache-Control": "no-store", **(headers or {})}
    wait = problem.details.get("retry_after")
    if problem.status in (429, 503):
        more["Retry-After"] = str(wait or 1)
    if problem.status == 401:
        more["WWW-Authenticate"] = "Bearer"
    return Reply(problem.status, msgspec.json.encode(problem), MEDIA_TYPE, more)

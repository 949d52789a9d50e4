"""What every operation does around its one act: read the request, know the caller, call, write the answer down."""

import logging
import uuid
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast, get_args
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from staddle.api.fields import Form
from staddle.api.operation import FORM, At, Given, OnDatabase, Operation, answered, is_form
from staddle.db import Tx
from staddle.desk import now_of
from staddle.document import document
from staddle.errors import (
    CrossSiteRequest,
    IdempotencyKeyMissing,
    InvalidKey,
    MalformedRequest,
    Unauthenticated,
    WrongMediaType,
)
from staddle.identity.caller import NOBODY, Caller, Seen
from staddle.ledger import Command, scales_of
from staddle.ledger.once import again_if_just_used
from staddle.ledger.requests import check_key
from staddle.server.authenticate import Credentials, caller_of
from staddle.server.exchange import Incoming, Reply
from staddle.server.logs import name_operation
from staddle.server.peer import peer_of
from staddle.server.problem import MEDIA_TYPE, problem_of
from staddle.server.service import Ask, Service, machine_now

Made = tuple[Given, Mapping[str, int]]
KEY_MAX = 120
"""Shorter than what the books can hold, for we put a name before the keys of clients."""
RESERVED = ("auto:", "guard:", "client:", "desk:", "import:", "imported deposit ")
"""What the keys of our own acts begin with: no caller may take one of them, before or after."""
REPLAY_HEADER = "Idempotent-Replayed"
log = logging.getLogger(__name__)


async def answer(operation: Operation, service: Service, request: Incoming) -> Reply:
    """Answer one request; whatever goes wrong becomes problem details."""
    name_operation(operation.name)
    try:
        credentials = credentials_of(service, request)
        key = key_of(operation, request)
        parameters = read(operation, request)
        if operation.act is not None:
            given, scales = await ask_batch(operation, service, credentials, key, parameters)
        else:
            given, scales = await service.in_thread(
                lambda: call(operation, service, credentials, key, parameters)
            )
        return respond(operation, given, scales)
    except Exception as error:  # told as problem details, each with its code
        return refuse(error)


def credentials_of(service: Service, request: Incoming) -> Credentials:
    """Find the token: a bearer's, or the session's cookie, which only counts on requests from our own pages."""
    headers = request.headers
    address = peer_of(request.address, headers.get("x-forwarded-for", ""), service.config.trusted_proxies)
    seen = Seen(address, headers.get("user-agent", "")[:200])
    for_customer = headers.get("staddle-customer")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(token.strip(), seen, for_customer)
    cookie = request.cookie(service.config.cookie_name)
    if cookie is not None and request.method not in ("GET", "HEAD"):
        check_same_site(service, request)
    return Credentials(cookie, seen, for_customer)


def check_same_site(service: Service, request: Incoming) -> None:
    """Refuse a write by cookie that another site's page has sent: CrossSiteRequest.

    Browsers say where a request comes from; one that says nothing is refused too.
    """
    if request.headers.get("sec-fetch-site") == "same-origin":
        return
    origin = request.headers.get("origin")
    own = service.config.public_url or f"{request.scheme}://{request.headers.get('host', '')}"
    if origin is None or origin.rstrip("/") != own.rstrip("/"):
        raise CrossSiteRequest


def key_of(operation: Operation, request: Incoming) -> str:
    """Read the idempotency key; where it may be left out, one is made. Raises IdempotencyKeyMissing or InvalidKey."""
    key = request.headers.get("idempotency-key")
    if key is None:
        if operation.keyed == "must":
            raise IdempotencyKeyMissing
        return str(uuid.uuid4())
    return check_given(key)


def check_given(key: str) -> str:
    """Give back an idempotency key of a caller; raises InvalidKey."""
    check_key(key)
    if len(key) > KEY_MAX or key.startswith(RESERVED):
        raise InvalidKey(
            f"The idempotency key must have 1 to {KEY_MAX} printable characters and not begin with "
            f"{', '.join(RESERVED)}."
        )
    return key


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


def call(
    operation: Operation, service: Service, credentials: Credentials, key: str, parameters: dict[str, Any]
) -> Made:
    """Call an operation, in its one transaction or on the database."""
    if not operation.is_one_transaction:
        return call_on_database(operation, service, credentials, key, parameters)
    return again_if_just_used(lambda: in_transaction(operation, service, credentials, key, parameters))


def in_transaction(
    operation: Operation, service: Service, credentials: Credentials, key: str, parameters: dict[str, Any]
) -> Made:
    """Open the one transaction of an operation, know the caller, check that they may, and call."""
    at = machine_now()
    with service.database.transaction() as tx:
        caller = known(operation, tx, credentials, at)
        scales = scales_of(tx)
        now, own_key = now_of(tx, at), key_by(caller, key)
        context = At(tx, caller, credentials.seen, now, at, own_key, scales, service.config)
        return as_given(operation, operation.run(context, **parameters)), scales


def call_on_database(
    operation: Operation, service: Service, credentials: Credentials, key: str, parameters: dict[str, Any]
) -> Made:
    """Know the caller in a transaction of its own, then call an operation that opens others."""
    at = machine_now()
    with service.database.transaction() as tx:
        caller, scales = known(operation, tx, credentials, at), scales_of(tx)
    context = OnDatabase(service.database, service.config, caller, credentials.seen, at, key_by(caller, key))
    return as_given(operation, operation.run(context, **parameters)), scales


def known(operation: Operation, tx: Tx, credentials: Credentials, at: datetime) -> Caller:
    """Know the caller, who must be one that may call the operation.

    What anybody may call is not refused to whoever comes with an old cookie: how else would they sign in again?
    """
    try:
        caller = caller_of(tx, credentials, at)
    except Unauthenticated:
        if "nobody" not in operation.allow.kinds:
            raise
        return NOBODY
    operation.allow.check(caller)
    return caller


async def ask_batch(
    operation: Operation, service: Service, credentials: Credentials, key: str, parameters: dict[str, Any]
) -> Made:
    """Put the request's command into the next batch of its act and wait for what becomes of it."""
    assert operation.act is not None

    def make(caller: Caller) -> Command:
        operation.allow.check(caller)
        command: Command = operation.run(caller, key_by(caller, key), credentials.seen, **parameters)
        return command

    done = await service.batches[operation.act].ask(Ask(credentials, make))
    return answered(done.outcome, operation.status), done.scales


def key_by(caller: Caller, key: str) -> str:
    """Keep the keys of a client apart from those of the customers whom it concerns."""
    return key if caller.client_id is None else f"client:{caller.client_id}:{key}"


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

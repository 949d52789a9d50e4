"""What every page does around its one act: read the request, know the viewer, call, show or go on."""

import base64
import inspect
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast
from urllib.parse import urlencode

from staddle.errors import InvalidToken, RoleMissing, SessionExpired, SignInNeeded, StaddleError, StepUpNeeded
from staddle.pages.look import cookie_look
from staddle.pages.pack import PACKED_FROM, packed
from staddle.pages.page import PAGES, Download, GoTo, Page, Typed, View, Viewer, Visit
from staddle.pages.read import fields_of, query_of, read_form, read_path, read_query, typed_of, with_typed
from staddle.pages.room import Room
from staddle.server.at import At, OnDatabase
from staddle.server.call import (
    Call,
    ask_batch,
    check_given,
    check_same_site,
    credentials_of,
    in_transaction,
    on_database,
)
from staddle.server.exchange import Incoming, Reply
from staddle.server.logs import name_operation
from staddle.server.problem import problem_of
from staddle.server.service import Service, machine_now
from staddle.ui.formats import Formats
from staddle.ui.look import Look
from staddle.ui.render import render

HTML = "text/html"
"""The framework adds the charset."""
SAID_COOKIE = "staddle_said"
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self), "
    "publickey-credentials-create=(self)",
    "Vary": "Cookie, HX-Request, Accept-Language, Accept-Encoding",
}
MUST_PROVE = (SignInNeeded, SessionExpired, InvalidToken, StepUpNeeded)
"""What sends the viewer away to prove who they are, and back again."""
Answer = View | GoTo | Download
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around a page: how it looks, who sees it, and where it is."""

    room: Room
    look: Look
    formats: Formats
    viewer: Viewer
    path: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for: a page at an address, with what was in the address, and the fields of a form."""

    room: Room
    page: Page
    request: Incoming
    path: str
    parameters: Mapping[str, Any]
    fields: Mapping[str, Any]


async def answer(room: Room, page: Page, service: Service, request: Incoming) -> Reply:
    """Answer one request for a page of a room; whatever goes wrong becomes a page that says so."""
    name_operation(page.name)
    path = address_of(page, request)
    try:
        asked, call = read(room, page, service, request, path)
    except StaddleError as error:
        return failed(room, error, request, path)
    try:
        return await _answered(asked, call)
    except MUST_PROVE as error:
        return prove_first(asked, error)
    except Exception as error:  # shown as a page, each with its sentence
        return await _again(asked, call, error)


def read(room: Room, page: Page, service: Service, request: Incoming, path: str) -> tuple[Asked, Call]:
    """Read what a request asks for, and who says they are asking."""
    fields: Mapping[str, Any] = {}
    if page.method == "POST":
        # Signing in, too: or another site could sign a visitor in as somebody else, and watch what they do there.
        check_same_site(service, request)
        fields = fields_of(request)
    credentials = credentials_of(service, request, room.own)
    asked = Asked(room, page, request, path, read_path(page, request), fields)
    key = check_given(str(fields.get("key") or uuid.uuid4()))
    return asked, Call(service, credentials, page.allow, key)


async def _answered(asked: Asked, call: Call) -> Reply:
    """Do what the page does, in the batch of its act, in its one transaction, or on the database."""
    page = asked.page
    try:
        given = given_to(asked)
    except StaddleError:
        # Whoever may not do this at all is told that, before what is wrong with their form.
        await call.service.in_thread(lambda: in_transaction(call, lambda _: None))
        raise
    if page.act is not None:
        assert page.then is not None
        done = await ask_batch(call, page.act, lambda caller, key, seen: page.run(caller, key, seen, **given))
        outcome, then = done.outcome.unwrap(), page.then
        return await _in_visit(asked, call, lambda visit: then(visit, outcome, **asked.parameters))
    if page.is_one_transaction:
        return await _in_visit(asked, call, lambda visit: page.run(visit, **given))

    def on(at: OnDatabase) -> GoTo | Callable[[Visit], Answer]:
        next_step: GoTo | Callable[[Visit], Answer] = page.run(at, **given)
        return next_step

    next_step = await call.service.in_thread(lambda: on_database(call, on))
    if isinstance(next_step, GoTo):
        return reply_of(next_step, None, asked)
    return await _in_visit(asked, call, next_step)


def given_to(asked: Asked) -> dict[str, Any]:
    """Put together what the page's function takes: out of the address, the form, the query, and a cookie."""
    page, given = asked.page, dict(asked.parameters)
    if page.form_type is not None:
        given["form"] = read_form(page, asked.fields)
    if page.method == "GET":
        given |= read_query(page, query_of(asked.request))
        if page.takes_typed:
            given["typed"] = Typed(typed_of(asked.request))
        if page.cookie is not None:
            given["kept"] = asked.request.cookie(page.cookie) or ""
    return given


async def _in_visit(asked: Asked, call: Call, show: Callable[[Visit], Answer | StaddleError]) -> Reply:
    """Show something in one transaction. A refusal that is given, and not raised, is kept by its key, and then told."""

    def in_one(at: At) -> Reply | StaddleError:
        visit = asked.room.visit_of(at, asked.request, asked.path)
        given = show(visit)
        return given if isinstance(given, StaddleError) else reply_of(given, visit, asked)

    reply = await call.service.in_thread(lambda: in_transaction(call, in_one))
    if isinstance(reply, StaddleError):
        raise reply
    return reply


async def _again(asked: Asked, call: Call, error: Exception) -> Reply:
    """Show the page that the form stood on, with the refusal and all that was typed; else the refusal alone."""
    again = asked.page.again
    if again is None or not isinstance(error, StaddleError) or isinstance(error, RoleMissing):
        return failed(asked.room, error, asked.request, asked.path)
    takes = inspect.signature(again).parameters
    given: dict[str, Any] = {name: value for name, value in asked.parameters.items() if name in takes}
    if "typed" in takes:
        given["typed"] = Typed(asked.fields, error)
    page = PAGES[again]
    if page.chosen_type is not None:
        given["chosen"] = page.chosen_type()
    call = replace(call, allow=page.allow)
    try:
        reply = await _in_visit(asked, call, lambda visit: again(visit, **given))
    except Exception as other:  # the page itself cannot be shown any more
        return failed(asked.room, other, asked.request, asked.path)
    return replace(reply, status=problem_of(error).status) if reply.status == 200 else reply


def reply_of(answer: Answer, visit: Visit | None, asked: Asked) -> Reply:
    """Write down what a page gives."""
    if isinstance(answer, GoTo):
        return go_to(answer, asked.request)
    if isinstance(answer, Download):
        return download(answer)
    assert visit is not None, "a page is shown to a visit"
    frame = Frame(asked.room, visit.look, visit.formats, visit.viewer, visit.path)
    return shown(answer, frame, asked.request)


def download(answer: Download) -> Reply:
    """Send a file; a large one in pieces."""
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{answer.name}"'}
    if isinstance(answer.body, SpooledTemporaryFile):
        return Reply(200, b"", answer.media_type, headers, cast("IO[bytes]", answer.body))
    return Reply(200, answer.body, answer.media_type, headers)


def shown(view: View, frame: Frame, request: Incoming) -> Reply:
    """Write a page, or the part of it that a script has asked for."""
    is_part = (
        request.headers.get("hx-request") == "true" and "hx-history-restore-request" not in request.headers
    )
    said = said_of(request)
    around = {"viewer": frame.viewer, "path": frame.path, "said": said, "new_key": new_key}
    part = view.part if is_part else None
    body = render(frame.room.name, view.template, frame.look, frame.formats, {**around, **view.values}, part)
    headers = {**HEADERS, **view.headers}
    if said is not None and part is None:
        headers["Set-Cookie"] = f"{SAID_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    sent = body.encode()
    if len(sent) >= PACKED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        sent, headers["Content-Encoding"] = packed(sent), "gzip"
    return Reply(view.status, sent, HTML, headers)


def go_to(answer: GoTo, request: Incoming) -> Reply:
    """Send the browser on; a script is told to go there as a whole, for a form's answer is never a piece of a page."""
    headers = {"Cache-Control": "no-store", "Location": answer.address, **answer.headers}
    if answer.said is not None and "Set-Cookie" not in headers:
        said = base64.urlsafe_b64encode(json.dumps(answer.said).encode()).decode()
        headers["Set-Cookie"] = f"{SAID_COOKIE}={said}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
    if request.headers.get("hx-request") == "true":
        del headers["Location"]
        return Reply(200, b"", HTML, {**headers, "HX-Redirect": answer.address})
    return Reply(303, b"", HTML, headers)


def prove_first(asked: Asked, error: StaddleError) -> Reply:
    """Send the viewer to sign in, or to prove again who they are, and then back to the form with what was typed."""
    page, request, back = asked.page, asked.request, asked.path
    if page.method == "GET":
        back += f"?{request.query_string}" if request.query_string else ""
    elif page.again is not None:
        named = {name: str(value) for name, value in asked.parameters.items()}
        back = with_typed(PAGES[page.again].path.format(**named), asked.fields)
    to = asked.room.step_up if isinstance(error, StepUpNeeded) else asked.room.sign_in
    is_lost = "&was=expired" if page.method == "POST" and to == asked.room.sign_in else ""
    return go_to(GoTo(f"{to}?{urlencode({'next': back})}{is_lost}"), request)


def failed(room: Room, error: Exception, request: Incoming, path: str) -> Reply:
    """Show what went wrong on a page of its own: what happened, what it means for the money, what to do."""
    problem = problem_of(error)
    if problem.status == 500:
        log.error("a page failed", exc_info=error)
    look = cookie_look(request)
    headers = {}
    if problem.status in (429, 503):
        headers["Retry-After"] = str(problem.details.get("retry_after") or 1)
    view = View("error.html", {"problem": problem, "error": error}, problem.status, "content", headers)
    return shown(view, Frame(room, look, Formats(look, machine_now()), Viewer(), path), request)


def said_of(request: Incoming) -> str | None:
    """Read what the page before wanted said here, once."""
    cookie = request.cookie(SAID_COOKIE)
    if not cookie:
        return None
    try:
        said = json.loads(base64.urlsafe_b64decode(cookie))
    except ValueError:
        return None
    return said[:500] if isinstance(said, str) else None


def address_of(page: Page, request: Incoming) -> str:
    """Give the path that was asked for."""
    return page.path.format(**request.path_parameters) if request.path_parameters else page.path


def new_key() -> str:
    """Make an idempotency key for a form that is being shown."""
    return str(uuid.uuid4())

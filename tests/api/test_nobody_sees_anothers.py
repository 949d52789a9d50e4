"""Nobody sees another's, and nobody does what they may not: every operation of the OpenAPI document is tried.

The cases are derived from the document, from who an operation is for (Allow), and from the examples, which give each
request its body: an operation that is added is tried without a line here. A new name in an address, or a new id in a
body, fails until `OWNED` or `COMMON` says whose it is.

Each case must be answered 401, 403 or 404, and at the end not a row of the database may be another than before.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.api.story import examples_in_file
from tests.api.world import ROLES, Caller, Service, api_key_of, new_key

from staddle import desk, identity
from staddle.api import routes
from staddle.api.operation import OPERATIONS, Operation, is_form
from staddle.customers import find_customer
from staddle.db import Database
from staddle.ledger.audit import Finding
from staddle.rewards import audit

assert routes.FILES, "the operations are declared by these files"
EXAMPLES = json.loads(examples_in_file())
OWNED = {
    "position_id",
    "quote_id",
    "receipt",
    "session_id",
    "passkey_id",
    "api_key_id",
    "endpoint_id",
    "event",
}
"""Names, in addresses, queries and bodies, of what belongs to somebody; `Owned` has one of each."""
COMMON = {
    "product", "code", "asset", "version", "what", "run_on", "approval_id", "alarm_id", "name", "client_id",
    "reference", "challenge_id",
    "transfer_id", "task_id", "account", "closed_on",
}  # fmt: skip
"""Names of what belongs to nobody, or to the desk: who may name it at all is a matter of roles and scopes."""
IN_SESSIONS_ONLY = {"/v1/sessions", "/v1/password", "/v1/step-up", "/v1/authenticator", "/v1/recovery-codes",
                    "/v1/passkeys", "/v1/api-keys", "/v1/security-log"}  # fmt: skip
"""What concerns one's own access is for whoever has signed in: a key, or a client for a customer, has no part in it."""
FOR_ALL_CUSTOMERS = {"/v1/customers/{reference}/positions/{position_id}"}
"""What an integrator reads of any customer; that a position is not another customer's has a test of its own."""
NOT_MONEY = {"session", "api_key", "access_token", "throttle", "security_log", "challenge", "job", "leader"}
"""Tables that change because somebody asks: when a key was last used, which attempts there were."""


# What is tried


@dataclass(frozen=True)
class Request:
    """A request to an operation, as its example has it."""

    operation: Operation
    path: dict[str, str]
    query: dict[str, str]
    body: Any

    def sent_by(self, caller: Caller) -> httpx.Response:
        """Send it under a key of its own; of a stream only the beginning is read."""
        path = self.operation.path.format(**self.path)
        headers = caller._headers(new_key() if self.operation.keyed != "no" else None)
        given: dict[str, Any] = {"params": self.query, "headers": headers}
        if isinstance(self.body, str):
            given["content"] = self.body.encode()
            headers["Content-Type"] = "text/csv"
        elif is_form(self.operation):
            given["data"] = self.body
        elif self.body is not None:
            given["json"] = self.body
        with caller.http.stream(self.operation.method, path, **given) as answer:
            if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                return answer
            answer.read()
        return answer

    def named(self, owned: dict[str, str]) -> "Request":
        """The same request about what belongs to somebody else."""
        body = self.body
        if isinstance(body, dict):
            body = {name: owned.get(name, each) for name, each in body.items()}
        path = {name: owned.get(name, each) for name, each in self.path.items()}
        return replace(self, path=path, body=body)


def request_of(operation: Operation) -> Request:
    """The request of an operation's example."""
    example = EXAMPLES[operation.name]["request"]
    return Request(operation, example["path"], example["query"], example["body"])


def operations(kind: str | None = None) -> list[Operation]:
    """Every operation that is not for everybody; with a kind of caller, those that are for it."""
    return [
        operation
        for operation in OPERATIONS.values()
        if "nobody" not in operation.allow.kinds and (kind is None or kind in operation.allow.kinds)
    ]


def names_in(value: Any) -> set[str]:
    """All names of members within a document."""
    if isinstance(value, dict):
        return set(value) | {name for each in value.values() for name in names_in(each)}
    return {name for each in value for name in names_in(each)} if isinstance(value, list) else set()


def ids_in(value: Any) -> set[tuple[str, str]]:
    """All that a document says of things that belong to somebody: name and value."""
    if isinstance(value, dict):
        own = {
            (name, str(each)) for name, each in value.items() if name in OWNED and isinstance(each, str | int)
        }
        return own | {found for each in value.values() for found in ids_in(each)}
    return {found for each in value for found in ids_in(each)} if isinstance(value, list) else set()


# The desk on which it is tried


@pytest.fixture(scope="module")
def owned(service: Service, client: Caller) -> dict[str, str]:
    """One of everything that ben, or the client exchange, owns."""
    ben = service.customer("ben")
    held = ben.get("/v1/positions", product="USDT-90D").json()["items"][0]["position_id"]
    quoted = ben.post(f"/v1/positions/{held}/early-redemption-quotes").json()
    key = service.api_key("ben")
    assert key.get("/v1/positions").status_code == 200
    hook = client.post("/v1/webhooks", {"url": "https://example.com/hook", "kinds": ["deposit"]})
    assert hook.status_code == 200, hook.text
    flexible = ben.get("/v1/positions", product="USDT-FLEX").json()["items"][0]["position_id"]
    paid = ben.get(f"/v1/positions/{flexible}").json()["rewards"][0]["receipt"]
    with service.database.transaction() as tx:
        login = identity.login_of_customer(tx, find_customer(tx, "ben").customer_id)
        passkey = {"login_id": login.login_id, "passkey_id": "passkey-of-ben"}
    with service.database.owner() as owner:
        owner.execute(
            "INSERT INTO passkey VALUES (%(passkey_id)s, %(login_id)s, 'Phone', '', 0, '2026-01-01', NULL)",
            passkey,
        )
    return {
        "position_id": held,
        "quote_id": quoted["quote_id"],
        "receipt": paid,
        "session_id": ben.get("/v1/sessions").json()[0]["session_id"],
        "passkey_id": "passkey-of-ben",
        "api_key_id": ben.get("/v1/api-keys").json()[0]["api_key_id"],
        "endpoint_id": hook.json()["endpoint_id"],
        "event": "evt_1",
    }


def digest_of(database: Database) -> dict[str, str]:
    """A digest of every table's rows."""
    with database.owner() as owner:
        tables = owner.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        ).fetchall()
        return {
            name: str(
                owner.execute(
                    f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) AS digest FROM \"{name}\" t"
                ).fetchone()
            )
            for (name,) in tables
            if name not in NOT_MONEY
        }


Case = tuple[Request, Caller]


def refuse_all(service: Service, cases: list[Case], statuses: tuple[int, ...], at_least: int) -> None:
    """Try what must be refused: every hole is told, and not a row may be another than before."""
    assert len(cases) >= at_least
    before = digest_of(service.database)
    holes = []
    for request, caller in cases:
        answer = request.sent_by(caller)
        if answer.status_code not in statuses:
            is_stream = answer.headers.get("Content-Type", "").startswith("text/event-stream")
            told = "(a stream)" if is_stream else answer.text[:200]
            holes.append(f"{request.operation.name} by {caller.name}: {answer.status_code} {told}")
    after = digest_of(service.database)
    assert not holes, "\n".join(holes)
    assert {name for name in before if before[name] != after.get(name)} == set()


# The tests


def test_every_operation_of_the_document_has_a_case(http: Caller) -> None:
    document = http.get("/v1/openapi.json").json()
    told = {each["operationId"]: each for path in document["paths"].values() for each in path.values()}
    assert set(told) == set(OPERATIONS) == set(EXAMPLES)
    for name, operation in OPERATIONS.items():
        assert operation.allow.kinds, name
        in_request = {*operation.path_type.__struct_fields__, *operation.query_type.__struct_fields__}
        in_request |= names_in(EXAMPLES[name]["request"]["body"])
        ids = {each for each in in_request if each.endswith("_id")} | set(
            operation.path_type.__struct_fields__
        )
        assert ids <= OWNED | COMMON, f"{name}: say in OWNED or COMMON whose these are"


def test_without_a_login_nothing_is_answered(service: Service, http: Caller) -> None:
    cases = [(request_of(operation), http) for operation in operations()]
    refuse_all(service, cases, (401,), at_least=100)


@pytest.fixture(scope="module")
def void(service: Service, operators: dict[str, Caller]) -> list[Caller]:
    """Tokens that were good once, or never were, by what is wrong with them."""
    assert operators
    now = datetime.now(UTC)

    def revoked_key() -> Caller:
        secret = api_key_of(service.database, "ada", list(identity.CUSTOMER_SCOPES))
        with service.database.owner() as owner:
            owner.execute("UPDATE api_key SET revoked_at = %s WHERE api_key_id IN "
                          "(SELECT api_key_id FROM api_key ORDER BY added_at DESC LIMIT 1)", [now])  # fmt: skip
        return service.caller(secret, "a revoked key")

    def ended_session() -> Caller:
        caller = service.customer("ada")
        assert caller.post("/v1/sign-out").status_code in (200, 204)
        return replace(caller, name="an ended session")

    def expired_token() -> Caller:
        with service.database.transaction() as tx:
            made = identity.add_client(tx, "ada", "late", "Late", list(identity.CLIENT_SCOPES), now)
            past = now - timedelta(hours=2)
            token = identity.grant_access(tx, "late", made.secret, None, past).token
        return service.caller(token, "an expired token")

    def revoked_client() -> Caller:
        caller = service.client("gone")
        with service.database.transaction() as tx:
            identity.revoke_client(tx, "ada", "gone", now)
        return replace(caller, name="a revoked client")

    def deactivated_operator() -> Caller:
        with service.database.transaction() as tx:
            left = desk.add_operator(tx, "ada", "left", now, ROLES)
            desk.approve_roles(tx, "bob", left.grant_asked or 0, now)
        caller = service.operator("left")
        with service.database.transaction() as tx:
            desk.set_active(tx, "ada", "left", False, now)
        return replace(caller, name="an operator who left")

    def nonsense() -> Caller:
        return service.caller("stds_" + "A" * 43, "nonsense")

    kinds = (revoked_key, ended_session, expired_token, revoked_client, deactivated_operator, nonsense)
    return [make() for make in kinds]


def test_what_was_revoked_has_ended_or_expired_opens_nothing(service: Service, void: list[Caller]) -> None:
    cases = [(request_of(operation), caller) for operation in operations() for caller in void]
    refuse_all(service, cases, (401,), at_least=600)


def test_the_wrong_kind_of_caller_is_refused_everywhere(
    service: Service, operators: dict[str, Caller], client: Caller
) -> None:
    kinds = {"customer": service.customer("carl"), "operator": operators["second"], "client": client}
    cases = [
        (request_of(operation), caller)
        for operation in operations()
        for kind, caller in kinds.items()
        if kind not in operation.allow.kinds
    ]
    refuse_all(service, cases, (403,), at_least=200)


def test_a_key_or_a_client_without_the_scope_is_refused_everywhere(service: Service) -> None:
    keys = {
        scope: service.api_key("carl", identity.CUSTOMER_SCOPES - {scope})
        for scope in identity.CUSTOMER_SCOPES
    }
    clients = {
        scope: service.client(f"without-{scope}".replace("_", "-"), identity.CLIENT_SCOPES - {scope})
        for scope in identity.CLIENT_SCOPES
    }
    cases = []
    for operation in operations():
        scope = operation.allow.scope
        for kind, narrow in (("customer", keys), ("client", clients)):
            if kind in operation.allow.kinds:
                assert scope in narrow, f"{operation.name} asks no scope of a {kind}"
                cases.append(
                    (request_of(operation), replace(narrow[scope], name=f"a {kind} without {scope}"))
                )
    refuse_all(service, cases, (403,), at_least=60)


def test_an_operator_with_a_wrong_role_is_refused_everywhere(
    service: Service, operators: dict[str, Caller]
) -> None:
    cases = []
    for operation in operations("operator"):
        assert operation.allow.roles, f"{operation.name} asks no role"
        for role in ROLES:
            if not operation.allow.roles & {role, "viewer"}:
                cases.append((request_of(operation), replace(operators[role], name=f"a {role}")))
    refuse_all(service, cases, (403,), at_least=150)


def test_a_client_that_may_not_act_for_customers_is_none_of_them(
    service: Service, operators: dict[str, Caller], ada: Caller
) -> None:
    rest = identity.CLIENT_SCOPES - {"act_for_customers"}
    callers = [service.client("not-acting", rest), operators["second"], ada]
    cases = [
        (request_of(operation), caller.acting_for("ben"))
        for operation in operations("customer")
        for caller in callers
    ]
    refuse_all(service, cases, (403,), at_least=60)


def test_ones_own_access_is_a_matter_of_a_session_and_of_no_key_or_client(
    service: Service, client: Caller
) -> None:
    callers = [service.api_key("carl"), client.acting_for("carl")]
    cases = [
        (request_of(operation), caller)
        for operation in operations("customer")
        for caller in callers
        if any(operation.path == path or operation.path.startswith(f"{path}/") for path in IN_SESSIONS_ONLY)
    ]
    refuse_all(service, cases, (403,), at_least=20)


def test_what_belongs_to_another_is_not_there(service: Service, owned: dict[str, str]) -> None:
    """A customer with another's ids, and a client with another client's."""
    strangers = {"customer": service.customer("carl"), "client": service.client("stranger")}
    cases = []
    tried = set()
    for operation in operations():
        request = request_of(operation)
        names = (set(request.path) | names_in(request.body)) & OWNED
        for kind, caller in strangers.items():
            if names and kind in operation.allow.kinds and operation.path not in FOR_ALL_CUSTOMERS:
                cases.append((request.named(owned), replace(caller, name=f"another {kind}")))
                tried |= names
    refuse_all(service, cases, (403, 404), at_least=15)
    assert tried == OWNED


def test_what_one_reads_tells_of_nobody_else(
    service: Service, owned: dict[str, str], ada: Caller, ben: Caller
) -> None:
    mine = {("position_id", owned["position_id"]), ("receipt", owned["receipt"])}
    told_of_ben = told_to(ben, owned)
    assert mine <= told_of_ben, "ben himself is told of them"
    for caller in (service.customer("carl"), ada):
        found = told_to(caller, owned)
        assert found & told_of_ben == set()
    assert told_to(ada, owned), "ada is told of her own"


def told_to(caller: Caller, owned: dict[str, str]) -> set[tuple[str, str]]:
    """All ids in what a customer reads about themselves, with a filter for another's position where there is one."""
    found: set[tuple[str, str]] = set()
    for operation in operations("customer"):
        request = request_of(operation)
        is_list = not set(request.path) & OWNED and operation.media_type == "application/json"
        if operation.method != "GET" or not is_list or operation.path in IN_SESSIONS_ONLY:
            continue
        wide = {name: each for name, each in request.query.items() if name in ("from_at", "until_at")}
        answers = [replace(request, query=wide).sent_by(caller)]
        for name in set(operation.query_type.__struct_fields__) & OWNED:
            answers.append(replace(request, query={name: owned[name]}).sent_by(caller))
        for answer in answers:
            assert answer.status_code in (200, 404), f"{operation.name}: {answer.text[:200]}"
            found |= ids_in(answer.json())
    return found


def test_after_all_of_it_the_books_are_sound(service: Service) -> None:
    findings: list[Finding] = [each for each in audit(service.database) if not each.is_information]
    assert findings == []

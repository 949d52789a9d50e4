"""At the doors: ada signs in, guards her account and makes a key; a customer, an operator and a client are let in."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
from tests.api.story import Story
from tests.api.world import PASSWORD, Caller
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET
from tests.stories.authenticator import Authenticator
from tests.stories.liar import Liar

from staddle.api.operation import OPERATIONS

PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
CREDENTIAL = {
    "id": "cGFzc2tleQ",
    "rawId": "cGFzc2tleQ",
    "type": "public-key",
    "response": {"clientDataJSON": "..."},
}


def tell(story: Story) -> None:
    ada = sign_in(story)
    guard(story, ada)
    use_passkey(story, ada)
    make_keys(story, ada)
    story.call("list_security_log", ada, limit=2)
    story.call("sign_out_here", ada)
    let_people_in(story)
    let_clients_in(story)
    trust(story)


def sign_in(story: Story) -> Caller:
    """Ada signs in, looks where else she is signed in, and changes her password and back again."""
    asked = {"email": "ada@example.com", "password": PASSWORD}
    there = story.call("sign_in_by_password", story.nobody, body=asked)
    ada = story.service.caller(story.call("sign_in_by_password", story.nobody, body=asked)["token"], "ada")
    hidden(story, "list_sessions", ada, instead={})
    story.call("end_session", ada, session_id=there["session"]["session_id"])
    for old, new in [(PASSWORD, "nine stones under the barn"), ("nine stones under the barn", PASSWORD)]:
        story.call("change_own_password", ada, body={"old": old, "new": new})
    hidden(story, "end_other_sessions", ada)
    story.ada = story.service.customer("ada")
    return ada


def guard(story: Story, ada: Caller) -> None:
    """She proves again who she is, sets an authenticator app up, and takes it away again."""
    story.call("prove_again", ada, body={"password": PASSWORD})
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    uri = f"otpauth://totp/Staddle:ada%40example.com?secret={secret}&issuer=Staddle"
    app = pyotp.TOTP(
        hidden(story, "propose_authenticator", ada, instead={"secret": secret, "uri": uri})["secret"]
    )
    codes = {"recovery_codes": [f"abcde{number}-fghijk-mnpqrs" for number in range(2, 10)]}
    hidden(story, "confirm_authenticator", ada, body={"code": app.now()}, instead={"code": "123456", **codes})
    hidden(story, "make_recovery_codes", ada, instead=codes)
    story.call("remove_authenticator", ada)


def use_passkey(story: Story, ada: Caller) -> None:
    """She makes a passkey, signs in by it and proves again who she is, and removes it."""
    origin = f"http://localhost:{urlsplit(story.service.url).port}"
    device = Authenticator(origin=origin, host="localhost")
    options = {"options": {"challenge": "Y2hhbGxlbmdl", "rpId": "localhost", "userVerification": "required"}}
    credential = {"credential": CREDENTIAL, "passkey_id": CREDENTIAL["id"]}

    asked = hidden(story, "propose_passkey", ada, instead=options)
    body = {
        "challenge_id": asked["challenge_id"],
        "name": "Phone",
        "credential": device.make(asked["options"]),
    }
    made = hidden(story, "add_passkey", ada, body=body, instead=credential)
    hidden(story, "list_own_passkeys", ada, replace={made["passkey_id"]: "cGFzc2tleQ"})
    for ask, prove, caller in [
        ("ask_for_passkey", "sign_in_by_passkey", story.nobody),
        ("ask_for_passkey_again", "prove_again_by_passkey", ada),
    ]:
        asked = hidden(story, ask, caller, instead=options)
        body = {"challenge_id": asked["challenge_id"], "credential": device.get(asked["options"])}
        hidden(story, prove, caller, body=body, instead=credential)
    replace = {made["passkey_id"]: "cGFzc2tleQ"}
    hidden(story, "remove_own_passkey", ada, replace=replace, passkey_id=made["passkey_id"])


def make_keys(story: Story, ada: Caller) -> None:
    """She makes an API key, and so does support for ben; both are revoked."""
    body: dict[str, Any] = {"name": "bot", "scopes": ["read", "subscribe"], "addresses": ["203.0.113.0/24"]}
    mine = story.call("add_own_api_key", ada, body=body)["api_key"]
    hidden(story, "list_own_api_keys", ada)
    accepted = {"agreement_version": 2}
    story.call("accept_for_own_api_key", ada, api_key_id=mine["api_key_id"], body=accepted)
    story.call("revoke_own_api_key", ada, api_key_id=mine["api_key_id"])
    body = {"name": "signer", "scopes": ["redeem"], "kind": "ed25519", "public_key": PUBLIC_KEY}
    his = story.call("add_api_key_of_customer", story.first, reference="ben", body=body)["api_key"]
    hidden(story, "list_api_keys_of_customer", story.first, reference="ben")
    story.call("revoke_api_key_of_customer", story.first, reference="ben", api_key_id=his["api_key_id"])


def let_people_in(story: Story) -> None:
    """The integrator gives dora a login; she loses her password, is locked out and let in again. So is an operator."""
    made = {"password": "x7Fq0aB-9kLmN2pQrS3t"}
    body: dict[str, Any] = {"email": "dora@example.com"}
    hidden(story, "add_login_of_customer", story.client, reference="dora", body=body, instead=made)
    hidden(story, "reset_login_of_customer", story.first, reference="dora", body={}, instead=made)
    for is_active in (False, True):
        body = {"is_active": is_active}
        story.call("set_login_of_customer_active", story.first, reference="dora", body=body)
    roles = {"roles": ["support", "product", "treasury"]}
    story.call("set_roles_of_operator", story.first, name="bob", body=roles)
    asked = story.call("ask_to_remove_factors_of_customer", story.first, reference="dora")
    hidden(story, "approve_to_remove_factors", story.second, approval_id=asked["approval_id"])
    story.call("add_desk_operator", story.first, name="lou", body={"roles": ["support"]})
    body = {"email": "lou@desk.example"}
    hidden(story, "add_login_of_operator", story.first, name="lou", body=body, instead=made)
    hidden(story, "reset_login_of_operator", story.first, name="lou", body={}, instead=made)
    asked = story.call("ask_to_remove_factors_of_operator", story.first, name="lou")
    story.call("decline_approval", story.second, approval_id=asked["approval_id"])
    story.call("list_all_logins", story.first, kind="customer", email="dora@example.com")
    story.call("change_step_up_amount", story.first, asset="USDT", body={"amount": "5000"})
    story.call("list_step_up_amounts", story.first)
    story.call("change_step_up_amount", story.first, asset="USDT", body={"amount": None})


def let_clients_in(story: Story) -> None:
    """An admin lets a client in; it trades its secret for a token; it gets another secret, and is out."""
    body = {"client_id": "wallet", "name": "The wallet's back end", "scopes": ["customers", "deposits"]}
    secret = story.call("add_integrator", story.first, body=body)["secret"]
    form = {
        "grant_type": "client_credentials",
        "client_id": "wallet",
        "client_secret": secret,
        "scope": "deposits",
    }
    given = story.service.http.post("/v1/oauth/token", data=form)
    assert given.status_code == 200, given.text
    story.answers.append(("grant_token", 200, given.json()))
    story.note("grant_token", {"path": {}, "query": {}, "body": form}, 200, given.json())
    story.call("rotate_integrator", story.first, client_id="wallet")
    hidden(story, "list_integrators", story.first)
    story.call("revoke_integrator", story.first, client_id="wallet")


def trust(story: Story) -> None:
    """An admin trusts the exchange's own login, by which ada signs in."""
    liar = Liar()  # who tells nothing but the truth today
    issuer = {liar.issuer: "https://login.example.com"}
    try:
        body: dict[str, Any] = {"issuer": liar.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        hidden(
            story,
            "trust_external_provider",
            story.first,
            body={**body, "reference_claim": "reference"},
            replace=issuer,
        )
        hidden(story, "show_external_provider", story.nobody, replace=issuer)
        shown = {
            "address": "https://login.example.com/authorize?response_type=code&client_id=staddle&state=...",
            "browser_secret": "Fv1kq3",
        }
        sent = hidden(story, "ask_external_provider", story.nobody, body={"is_afresh": False}, instead=shown)
        query = {name: values[0] for name, values in parse_qs(urlsplit(sent["address"]).query).items()}
        liar.pages["/token"] = (200, {"id_token": liar.signed(query["nonce"], reference="ada")})
        body = {
            "state": query["state"],
            "code": "SplxlOBeZQQYbYS6WxSbIA",
            "browser_secret": sent["browser_secret"],
        }
        hidden(
            story,
            "sign_in_by_external_account",
            story.nobody,
            body=body,
            instead={"browser_secret": "Fv1kq3"},
        )
        story.call("distrust_external_provider", story.first)
    finally:
        liar.stop()


def hidden(
    story: Story,
    name: str,
    caller: Caller,
    /,
    *,
    body: Any = None,
    instead: dict[str, Any] | None = None,
    replace: dict[str, str] | None = None,
    **named: Any,
) -> Any:
    """Call an operation whose request or answer holds what is random or secret; gives the true answer.

    In the example `instead` stands in the place of members by name, and `replace` in that of texts.
    """
    operation = OPERATIONS[name]
    in_path = set(operation.path_type.__struct_fields__)
    key = f"doors-{name}" if operation.keyed != "no" else None
    query = {each: str(value) for each, value in named.items() if each not in in_path}
    path = operation.path.format(**{each: named[each] for each in in_path})
    given = caller.ask(operation.method, path, query=query, body=body, key=key)
    assert given.status_code == operation.status, f"{name}: {given.status_code} {given.text}"
    answer = given.json() if "json" in given.headers.get("Content-Type", "") else given.text
    if operation.gives is not None:
        story.answers.append((name, given.status_code, answer))
    request = {"path": {each: str(named[each]) for each in sorted(in_path)}, "query": query, "body": body}
    if key is not None:
        request["key"] = key
    text = json.dumps([put(request, instead or {}), put(answer, instead or {})])
    for true, shown in (replace or {}).items():
        text = text.replace(true, shown)
    story.note(name, json.loads(text)[0], given.status_code, json.loads(text)[1])
    return answer


def put(value: Any, instead: dict[str, Any]) -> Any:
    """Put other values in the place of members by name, at any depth."""
    if isinstance(value, dict):
        return {
            name: instead[name] if name in instead else put(each, instead) for name, each in value.items()
        }
    return [put(each, instead) for each in value] if isinstance(value, list) else value

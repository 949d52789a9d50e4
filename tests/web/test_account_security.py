"""Security: stepping up, the password, the app, sessions, keys: each is one's own, and every wrong proof is refused."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.api.world import PASSWORD, Service
from tests.web.visitor import Visitor, alert_of, rows, text_of, visitor_of

SESSIONS = (
    "SELECT session_id FROM session s JOIN login l USING (login_id) WHERE l.email = %s AND ended_at IS NULL"
)
NEW_PASSWORD = "lanterns over the salt marsh"


def forms_to(page: str, ending: str) -> list[str]:
    """The addresses of a page's forms that end so."""
    return re.findall(rf'action="([^"]*{ending})"', page)


def test_what_needs_a_proof_sends_to_the_step_up_and_back_with_what_was_typed(service: Service) -> None:
    ada = visitor_of(service, "ada", stepped_up=False)
    to = ada.sent("/settings/keys", name="bot", scopes=["read", "redeem"], addresses="10.0.0.1")
    assert to.startswith("/step-up?next=%2Fsettings%2Fkeys")
    assert "Confirm that it is you" in ada.see(to)
    back = re.search(r'name="next" value="([^"]*)"', ada.get(to).text)
    assert back is not None
    next_to = back[1].replace("&amp;", "&")
    assert ada.sent("/step-up", password=PASSWORD, next=next_to) == next_to
    page = ada.get(next_to).text
    assert re.search(r'name="name"[^>]* value="bot"', page)
    assert re.findall(r'name="scopes" value="(\w+)" checked', page) == ["read", "redeem"]


def test_a_wrong_password_proves_nothing(service: Service) -> None:
    carl = visitor_of(service, "carl", stepped_up=False)
    answer = carl.send("/step-up", password="not this one", next="/settings")
    assert answer.status_code == 401
    assert "not right" in alert_of(answer)
    assert carl.sent("/settings/keys", name="bot", scopes="read").startswith("/step-up")


@pytest.mark.parametrize(
    "there", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"]
)
def test_a_step_up_leads_nowhere_else(service: Service, there: str) -> None:
    ada = visitor_of(service, "ada", stepped_up=False)
    assert "elsewhere" not in ada.get("/step-up", next=there).text
    assert ada.sent("/step-up", password=PASSWORD, next=there) == "/"


def test_another_sites_form_is_refused(ada: Visitor) -> None:
    ada.http.headers["Origin"] = "https://elsewhere.example"
    assert ada.send("/settings/keys", name="bot", scopes="read").status_code == 403
    assert ada.send("/settings/security/sessions/end-others").status_code == 403


def test_another_site_signs_nobody_in_or_up(service: Service, somebody: Visitor) -> None:
    visitor_of(service, "ben")
    somebody.http.headers["Origin"] = "https://elsewhere.example"
    assert somebody.send("/sign-in", email="ben@example.com", password=PASSWORD).status_code == 403
    assert somebody.send("/sign-up", email="new@example.com").status_code == 403
    assert somebody.get("/settings").status_code == 303


def test_the_password_is_changed_by_the_old_one_and_ends_all_other_sessions(service: Service) -> None:
    carl, elsewhere = visitor_of(service, "carl"), visitor_of(service, "carl")
    form = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "new_password_again": NEW_PASSWORD}
    wrong = carl.send("/settings/security/password", **{**form, "old_password": "not this one"})
    assert (wrong.status_code, alert_of(wrong)) == (401, "The old password is not right.")
    differs = carl.send("/settings/security/password", **{**form, "new_password_again": "another"})
    assert "two different ways" in alert_of(differs)
    weak = carl.send(
        "/settings/security/password", **{**form, "new_password": "short", "new_password_again": "short"}
    )
    assert "12" in alert_of(weak)
    assert PASSWORD not in weak.text
    assert carl.sent("/settings/security/password", **form) == "/settings/security"
    assert "The password is changed" in carl.see("/settings/security")
    assert elsewhere.get("/settings").status_code == 303
    again = {"old_password": NEW_PASSWORD, "new_password": PASSWORD, "new_password_again": PASSWORD}
    assert carl.sent("/settings/security/password", **again) == "/settings/security"


def test_sessions_are_listed_and_one_is_ended(service: Service) -> None:
    ben, other = visitor_of(service, "ben"), visitor_of(service, "ben")
    ends = forms_to(ben.get("/settings/security").text, "/end")
    assert ends
    for address in ends:
        assert ben.sent(address) == "/settings/security"
    assert other.get("/settings").status_code == 303
    assert forms_to(ben.get("/settings/security").text, "/end") == []
    assert "this one" in ben.see("/settings/security")


def test_all_other_sessions_are_ended_at_once(service: Service) -> None:
    ben, others = visitor_of(service, "ben"), [visitor_of(service, "ben") for _ in range(2)]
    assert ben.sent("/settings/security/sessions/end-others") == "/settings/security"
    assert {other.get("/settings").status_code for other in others} == {303}
    assert ben.get("/settings").status_code == 200


def test_nobody_sees_or_ends_anothers_session(service: Service, ada: Visitor, ben: Visitor) -> None:
    of_ben = [row.session_id for row in rows(service, SESSIONS, "ben@example.com")]
    page = ada.get("/settings/security").text
    assert [each for each in of_ben if each in page] == []
    for session_id in of_ben:
        assert ada.send(f"/settings/security/sessions/{session_id}/end").status_code == 404
    assert ben.get("/settings").status_code == 200


def test_an_authenticator_app_is_set_up_used_and_taken_away(service: Service) -> None:
    ada = visitor_of(service, "ada")
    assert ada.sent("/settings/security/authenticator") == "/settings/security/authenticator"
    page = ada.get("/settings/security/authenticator").text
    assert '<svg viewBox="0 0' in page
    assert " style=" not in page
    [secret] = re.findall(r'id="secret">([^<]*)<', page)
    assert secret in ada.get("/settings/security/authenticator").text, "until it is confirmed it is the same"
    wrong = ada.send("/settings/security/authenticator/confirm", code="000000")
    assert (wrong.status_code, secret in wrong.text) == (401, True)
    totp = pyotp.TOTP(secret.replace(" ", ""))
    key = "confirmed once"
    shown = ada.send("/settings/security/authenticator/confirm", code=totp.now(), key=key)
    codes = re.findall(r"\b([a-z2-9]{6}(?:-[a-z2-9]{6}){2})\b", shown.text)
    assert len(codes) == 10
    again = ada.send("/settings/security/authenticator/confirm", code=totp.now(), key=key)
    assert codes[0] not in again.text
    assert ada.get("/settings/security/authenticator").status_code == 303

    needs = Visitor(service.url).send("/sign-in", email="ada@example.com", password=PASSWORD)
    assert 'name="code"' in needs.text
    later = visitor_of(service, "ada", stepped_up=False)
    assert 'name="password"' not in later.get("/step-up").text
    assert later.send("/step-up", password=PASSWORD, next="/settings").status_code == 401
    assert later.send("/step-up", code="123 456", next="/settings").status_code == 401
    assert later.sent("/step-up", code=codes[0], next="/settings") == "/settings"
    assert later.send("/step-up", code=codes[0], next="/settings").status_code == 401, "each is good once"

    fresh = ada.send("/settings/security/recovery-codes").text
    assert codes[1] not in fresh
    assert ada.sent("/settings/security/authenticator/remove") == "/settings/security"
    assert "Set it up" in ada.see("/settings/security")


def test_looking_at_the_pages_of_security_proposes_and_writes_nothing(service: Service, ada: Visitor) -> None:
    kept = "SELECT login_id, totp_proposed, totp_secret FROM login ORDER BY login_id"
    before = rows(service, kept), rows(service, "SELECT count(*) FROM security_log")
    assert ada.get("/settings/security/authenticator").headers["location"] == "/settings/security"
    for path in ("/settings/security", "/settings/security/log", "/settings/keys", "/step-up"):
        assert ada.get(path).status_code == 200
    assert (rows(service, kept), rows(service, "SELECT count(*) FROM security_log")) == before


def test_a_keys_secret_is_shown_once_and_the_key_can_be_revoked(service: Service, ada: Visitor) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    form: dict[str, Any] = {
        "name": "bot of ada",
        "scopes": ["read", "transfer"],
        "addresses": "127.0.0.1",
        "expires_on": tomorrow,
    }
    made = ada.send("/settings/keys", key="made once", **form)
    [secret] = re.findall(r"stdk_[A-Za-z0-9_-]{43}", made.text)
    assert secret not in ada.send("/settings/keys", key="made once", **form).text
    page = ada.get("/settings/keys").text
    assert secret not in page
    assert page.count("<strong>bot of ada</strong>") == 1
    assert service.caller(secret).get("/v1/api-keys").status_code == 403, "a key reads no keys"
    assert service.caller(secret).get("/v1/positions").status_code == 200
    [revoke] = forms_to(page, "/revoke")
    assert ada.sent(revoke) == "/settings/keys"
    assert service.caller(secret).get("/v1/positions").status_code == 401


def test_a_key_that_signs_shows_its_id_and_subscribes_only_under_the_agreement(
    service: Service, ada: Visitor
) -> None:
    form: dict[str, Any] = {"name": "signer", "kind": "hmac", "scopes": ["read", "subscribe"]}
    made = ada.send("/settings/keys", key="signer once", **form)
    [number] = re.findall(r'id="key-id">([0-9a-f]{24})<', made.text)
    [secret] = re.findall(r'id="key-secret">([0-9a-f]{64})<', made.text)
    again = ada.send("/settings/keys", key="signer once", **form).text
    page = ada.get("/settings/keys").text
    assert secret not in again + page
    assert number in page
    [accept] = forms_to(page, "/agreement")
    [version] = re.findall(r'name="agreement_version" value="(\d+)">\s*<span class="small">', page)
    assert ada.sent(accept, agreement_version=version) == "/settings/keys"
    assert forms_to(ada.get("/settings/keys").text, "/agreement") == []


def test_a_key_of_ones_own_is_made_from_its_public_half(ada: Visitor) -> None:
    text = (
        Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    form = {"name": "curve", "kind": "ed25519", "scopes": "read", "public_key": text.decode()}
    assert re.findall(r'id="key-id">([0-9a-f]{24})<', ada.send("/settings/keys", **form).text)
    refused = ada.send("/settings/keys", **{**form, "public_key": "not a key"})
    assert 400 <= refused.status_code < 500
    assert 'name="kind" value="ed25519" checked' in refused.text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"name": ""}, "name"), ({"addresses": "nowhere"}, "addresses"), ({"expires_on": "soon"}, "expires_on")],
)
def test_a_key_that_cannot_be_is_refused_with_all_that_was_typed(
    ada: Visitor, wrong: dict[str, str], field: str
) -> None:
    form: dict[str, Any] = {"name": "bot", "scopes": ["read", "redeem"], "addresses": "10.0.0.1", **wrong}
    answer = ada.send("/settings/keys", **form)
    assert 400 <= answer.status_code < 500
    assert alert_of(answer)
    assert re.findall(r'name="scopes" value="(\w+)" checked', answer.text) == ["read", "redeem"]
    assert str(form["addresses"]) in answer.text


def test_a_key_without_any_scope_is_refused(ada: Visitor) -> None:
    assert ada.send("/settings/keys", name="bot").status_code in (400, 422)


def test_nobody_sees_or_revokes_anothers_key(service: Service, ada: Visitor, ben: Visitor) -> None:
    ben.send("/settings/keys", name="bot of ben", scopes="read")
    [revoke] = forms_to(ben.get("/settings/keys").text, "/revoke")
    assert "bot of ben" not in ada.see("/settings/keys")
    assert ada.send(revoke).status_code == 404
    assert forms_to(ben.get("/settings/keys").text, "/revoke") == [revoke]


def test_the_security_log_tells_what_happened_and_to_nobody_else(ada: Visitor, ben: Visitor) -> None:
    ada.send("/settings/keys", name="told in the log", scopes="read")
    assert "The API key “told in the log” was made" in ada.see("/settings/security/log")
    assert "told in the log" not in ben.see("/settings/security/log")


def test_a_key_or_a_client_does_not_come_to_the_pages_of_security(service: Service, ada: Visitor) -> None:
    made = ada.send("/settings/keys", name="reader", scopes="read")
    [secret] = re.findall(r"stdk_[A-Za-z0-9_-]{43}", made.text)
    program = Visitor(service.url)
    program.http.headers["Authorization"] = f"Bearer {secret}"
    for path in ("/settings/security", "/settings/security/log", "/settings/keys", "/step-up"):
        assert program.get(path).status_code == 403
    assert program.send("/settings/security/sessions/end-others").status_code == 403


def test_signing_in_by_form_too_often_says_how_long_to_wait(somebody: Visitor) -> None:
    for _ in range(6):
        answer = somebody.send(
            "/sign-in", email="nobody@example.com", password="not this one", next="/messages"
        )
    assert answer.status_code == 429
    assert "There were too many attempts. Please try again in" in alert_of(answer)
    assert 'value="nobody@example.com"' in answer.text
    assert 'name="next" value="/messages"' in answer.text


def test_signing_in_and_out_by_form(service: Service) -> None:
    visitor = Visitor(service.url)
    visitor_of(service, "ben")
    to = visitor.sent("/sign-in", email="BEN@example.com ", password=PASSWORD, next="/settings/keys")
    assert to == "/settings/keys"
    assert "Signed in as ben@example.com" in visitor.see("/settings")
    assert visitor.sent("/sign-out") == "/"
    assert visitor.get("/settings").status_code == 303
    assert "Sign in with" not in text_of(visitor.get("/sign-in")).replace("Sign in with a passkey", "")

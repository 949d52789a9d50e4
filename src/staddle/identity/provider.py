"""Talking to a provider of other accounts (OpenID Connect): the only file of the room that uses the network.

Never called within a transaction: a provider that is slow must not hold a row of ours.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from staddle.errors import ExternalSignInFailed, SignInProviderUnavailable

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures by public keys only: with `none` or HMAC, anybody who knows our client's secret could sign."""
SCOPE = "openid email profile"
SKEW_SECONDS = 60
SUBJECT_MAX = 255
"""No provider may have longer ones."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider that the desk trusts, and who we are to it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    reference_claim: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the provider, and must come back."""

    redirect_uri: str
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What the provider has told about somebody, signed: who they are there, when they signed in, and its claims."""

    issuer: str
    subject: str
    signed_in_at: datetime | None
    claims: Mapping[str, Any]


def discover(http: httpx.Client, issuer: str) -> dict[str, Any]:
    """Read the provider's own description; raises SignInProviderUnavailable, also where it speaks for another."""
    found = _json_of(http, "GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise SignInProviderUnavailable("The provider describes itself as another one.")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if urlsplit(str(found.get(name))).scheme not in {"https", urlsplit(issuer).scheme}:
            raise SignInProviderUnavailable(f"The provider's {name} is not an https address.")
    return found


def address_to_sign_in(
    described: Mapping[str, Any], provider: Provider, asked: Asked, state: str, *, afresh: bool
) -> str:
    """Give the address to send the browser to; `afresh`: the provider is to ask who it is, whatever it remembers."""
    proof = hashlib.sha256(asked.verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": asked.redirect_uri,
        "scope": SCOPE,
        "state": state,
        "nonce": asked.nonce,
        "code_challenge": base64.urlsafe_b64encode(proof).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        **({"prompt": "login", "max_age": "0"} if afresh else {}),
    }
    address = str(described["authorization_endpoint"])
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def redeem_code(http: httpx.Client, provider: Provider, asked: Asked, code: str, now: datetime) -> Told:
    """Trade the code for what the provider tells, and verify every word of it.

    Raises ExternalSignInFailed or SignInProviderUnavailable.
    """
    described = discover(http, provider.issuer)
    answer = _trade(http, described, provider, asked, code)
    claims = _verified(http, described, provider, asked, str(answer.get("id_token", "")), now)
    wanted = provider.reference_claim or "email"
    if wanted not in claims and described.get("userinfo_endpoint"):
        bearer = {"Authorization": f"Bearer {answer.get('access_token', '')}"}
        more = _json_of(http, "GET", str(described["userinfo_endpoint"]), headers=bearer)
        if more.get("sub") != claims["sub"]:
            raise ExternalSignInFailed
        claims = {**more, **claims}
    subject = str(claims["sub"])
    if not 1 <= len(subject) <= SUBJECT_MAX or not subject.isprintable():
        raise ExternalSignInFailed
    at = claims.get("auth_time")
    signed_in_at = datetime.fromtimestamp(at, UTC) if isinstance(at, int) and 0 < at < 2**33 else None
    return Told(provider.issuer, subject, signed_in_at, claims)


def _trade(
    http: httpx.Client, described: Mapping[str, Any], provider: Provider, asked: Asked, code: str
) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.redirect_uri,
        "code_verifier": asked.verifier,
    }
    methods = described.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in methods:
        # The two are form-encoded before they become a user and a password (RFC 6749, 2.3.1).
        basic = httpx.BasicAuth(quote(provider.client_id, safe=""), quote(provider.client_secret, safe=""))
        return _json_of(http, "POST", str(described["token_endpoint"]), data=form, auth=basic)
    form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    return _json_of(http, "POST", str(described["token_endpoint"]), data=form)


def _verified(
    http: httpx.Client,
    described: Mapping[str, Any],
    provider: Provider,
    asked: Asked,
    id_token: str,
    now: datetime,
) -> dict[str, Any]:
    """Verify the token's signature, issuer, audience, times and nonce."""
    keys: Any = _json_of(http, "GET", str(described["jwks_uri"]))
    registry = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=SKEW_SECONDS,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": asked.nonce},
    )
    try:
        claims = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
        registry.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise ExternalSignInFailed from error
    audience = claims["aud"]
    is_shared = isinstance(audience, list) and len(audience) > 1
    if (is_shared or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise ExternalSignInFailed
    return dict(claims)


def _json_of(http: httpx.Client, method: str, address: str, **request: Any) -> dict[str, Any]:
    """Ask the provider; a refusal of ours is ExternalSignInFailed, everything else SignInProviderUnavailable."""
    try:
        answer = http.request(method, address, **request)
        told = answer.json() if answer.content else {}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise SignInProviderUnavailable from error
    if answer.status_code in (400, 401, 403):
        raise ExternalSignInFailed
    if not answer.is_success or not isinstance(told, dict):
        raise SignInProviderUnavailable
    return told

"""Signing customers in by their accounts at one other provider (OpenID Connect), such as the exchange's own login.

Authorization code with PKCE, state and nonce. Whoever comes is known by the pair of issuer and subject; at the first
time that is linked to our customer by the claim that holds our reference, or by a verified e-mail address.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from staddle import desk
from staddle.customers import find_customers
from staddle.db import Database, Tx, queries
from staddle.errors import (
    ExternalSignInFailed,
    InvalidChoice,
    InvalidEmail,
    LoginNotFound,
    SignInProviderUnavailable,
)
from staddle.identity.caller import STEP_UP_LASTS, Seen
from staddle.identity.challenges import make_challenge, take_challenge
from staddle.identity.logins import (
    Login,
    canonical_email,
    find_login,
    find_login_by_email,
    login_of_customer,
)
from staddle.identity.provider import Asked, Provider, Told, address_to_sign_in, discover, redeem_code
from staddle.identity.security_log import note
from staddle.identity.sessions import SignedIn, open_session
from staddle.identity.tokens import new_id
from staddle.keyring import Keyring

sql = queries(__package__)
STATE_LASTS = timedelta(minutes=10)
PURPOSE = "sign-in provider"


@dataclass(frozen=True, slots=True)
class SignInProvider:
    """The provider as the desk's people may see it."""

    issuer: str
    client_id: str
    reference_claim: str | None
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class SentElsewhere:
    """Where to send the browser, and the secret that this browser must keep in a cookie until it is back."""

    address: str
    browser_secret: str = field(repr=False)


def set_sign_in_provider(
    tx: Tx,
    keyring: Keyring,
    by: str,
    issuer: str,
    client_id: str,
    client_secret: str,
    reference_claim: str | None,
    now: datetime,
) -> SignInProvider:
    """Trust a provider for the customers' sign-in, in place of any other; an admin's act.

    `reference_claim` is the claim that holds our reference of the customer; without it, customers are known by an
    e-mail address that the provider has verified. Raises RoleMissing or InvalidChoice (no https, but in a sandbox).
    """
    desk.require_admin(tx, by)
    parts = urlsplit(issuer)
    schemes = {"https", "http"} if desk.find_desk(tx).is_sandbox else {"https"}
    if (
        parts.scheme not in schemes
        or not parts.hostname
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise InvalidChoice(
            "The issuer must be an https address such as https://login.example.com.", field="issuer"
        )
    named = (issuer, client_id, reference_claim or "none")
    if not all(each.isprintable() for each in named) or "" in (client_id, client_secret, reference_claim):
        raise InvalidChoice(
            "A provider needs the client's id and secret that it has given us.", field="client_id"
        )
    setting = {
        "issuer": issuer,
        "client_id": client_id,
        "sealed": keyring.seal(client_secret.encode(), PURPOSE),
        "reference_claim": reference_claim,
        "by": by,
        "now": now,
    }
    tx.execute(sql.set_sign_in_provider, setting)
    details = {"client_id": client_id, "reference_claim": reference_claim}
    desk.log(tx, by, "set_sign_in_provider", issuer, details, now)
    found = find_sign_in_provider(tx)
    assert found is not None
    return found


def drop_sign_in_provider(tx: Tx, by: str, now: datetime) -> None:
    """Trust no provider any more; sessions that are open stay. An admin's act."""
    desk.require_admin(tx, by)
    row = tx.execute(sql.drop_sign_in_provider).fetchone()
    if row is not None:
        desk.log(tx, by, "drop_sign_in_provider", row.issuer, {}, now)


def find_sign_in_provider(tx: Tx) -> SignInProvider | None:
    """Read which provider is trusted; None where there is none."""
    row = tx.execute(sql.find_sign_in_provider).fetchone()
    return row and SignInProvider(row.issuer, row.client_id, row.reference_claim, row.set_by, row.set_at)


def begin_external_sign_in(
    database: Database,
    keyring: Keyring,
    http: httpx.Client,
    redirect_uri: str,
    now: datetime,
    *,
    afresh: bool = False,
) -> SentElsewhere:
    """Send a browser to the provider. `afresh` makes it ask again who it is, which counts as a step-up here.

    Raises SignInProviderUnavailable, also where the desk trusts none.
    """
    with database.transaction() as tx:
        provider = _provider(tx, keyring)
    described = discover(http, provider.issuer)
    asked = Asked(redirect_uri, secrets.token_urlsafe(48), secrets.token_urlsafe(24))
    browser_secret = secrets.token_urlsafe(32)
    details = {
        "redirect_uri": redirect_uri,
        "nonce": asked.nonce,
        "issuer": provider.issuer,
        "browser": _hash(browser_secret),
    }
    with database.transaction() as tx:
        secret = asked.verifier.encode()
        state = make_challenge(tx, "external", None, secret, details, now + STATE_LASTS, now)
    return SentElsewhere(address_to_sign_in(described, provider, asked, state, afresh=afresh), browser_secret)


def finish_external_sign_in(
    database: Database,
    keyring: Keyring,
    http: httpx.Client,
    state: str,
    browser_secret: str,
    code: str,
    seen: Seen,
    now: datetime,
) -> SignedIn:
    """Open a session for whoever has come back from the provider with a code, in the browser that was sent there.

    Raises ExternalSignInFailed (whatever is wrong, or there is no such customer here) or SignInProviderUnavailable.
    """
    with database.transaction() as tx:
        challenge = take_challenge(tx, "external", state, now)
        provider = _provider(tx, keyring)
    if challenge is None or challenge.details["issuer"] != provider.issuer:
        raise ExternalSignInFailed
    if not hmac.compare_digest(challenge.details["browser"], _hash(browser_secret)):
        # Somebody was handed the address of another's sign-in: they would work in that other's account.
        raise ExternalSignInFailed
    asked = Asked(challenge.details["redirect_uri"], challenge.secret.decode(), challenge.details["nonce"])
    told = redeem_code(http, provider, asked, code, now)
    with database.transaction() as tx:
        login = _linked(tx, told) or _link(tx, provider, told, seen, now)
        if not login.is_active:
            raise ExternalSignInFailed
        return open_session(tx, login, "external", _stepped_up_at(told, now), seen, now)


def _provider(tx: Tx, keyring: Keyring) -> Provider:
    row = tx.execute(sql.find_sign_in_provider).fetchone()
    if row is None:
        raise SignInProviderUnavailable("This desk has no other provider to sign in with.")
    secret = keyring.open(bytes(row.sealed_secret), PURPOSE).decode()
    return Provider(row.issuer, row.client_id, secret, row.reference_claim)


def _linked(tx: Tx, told: Told) -> Login | None:
    """Give the login that this account was linked to."""
    account = {"issuer": told.issuer, "subject": told.subject}
    row = tx.execute(sql.external_account, account).fetchone()
    return None if row is None else find_login(tx, row.login_id)


def _link(tx: Tx, provider: Provider, told: Told, seen: Seen, now: datetime) -> Login:
    """Link an account that comes for the first time to the customer whom its claims name.

    A customer who is linked to another account of the same provider stays that one's: an address or a reference that
    was given to somebody else must not bring them the coins of the first.
    """
    login = (
        _by_reference(tx, provider.reference_claim, told, now)
        if provider.reference_claim
        else _by_email(tx, told)
    )
    account = {"issuer": told.issuer, "subject": told.subject, "login_id": login.login_id, "now": now}
    tx.execute(sql.link_account, account)
    linked = _linked(tx, told)
    if linked is None or linked.login_id != login.login_id:
        raise ExternalSignInFailed
    if login.customer_id is not None:
        details = {"issuer": told.issuer, "subject": told.subject}
        note(tx, login.customer_id, "link_account", details, seen, now)
    return login


def _by_reference(tx: Tx, claim: str, told: Told, now: datetime) -> Login:
    """Give the login of the customer whose reference the claim holds, made if they have none."""
    reference = told.claims.get(claim)
    found = find_customers(tx, [reference]) if isinstance(reference, str) else {}
    if not found:
        raise ExternalSignInFailed("There is no customer here with this account.")
    [customer] = found.values()
    new = {
        "login_id": new_id(),
        "kind": "customer",
        "email": None,
        "customer_id": customer.customer_id,
        "operator": None,
        "password_hash": None,
        "now": now,
    }
    tx.execute(sql.add_login, new)
    return login_of_customer(tx, customer.customer_id)


def _by_email(tx: Tx, told: Told) -> Login:
    """Give the customer's login under an address that the provider says it has verified."""
    email = told.claims.get("email")
    if not isinstance(email, str) or told.claims.get("email_verified") is not True:
        raise ExternalSignInFailed("The other account has no e-mail address that was verified.")
    try:
        return find_login_by_email(tx, "customer", canonical_email(email))
    except (InvalidEmail, LoginNotFound):
        raise ExternalSignInFailed("There is no customer here with this account.") from None


def _stepped_up_at(told: Told, now: datetime) -> datetime | None:
    """Give when they proved there who they are, if that is fresh enough to count here as well."""
    at = told.signed_in_at
    return min(at, now) if at is not None and now - at < STEP_UP_LASTS else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()

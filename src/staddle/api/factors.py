"""Second factors and passkeys: every change needs a step-up of the last five minutes."""

from typing import Annotated

import msgspec

from staddle.api.fields import Body
from staddle.api.operation import reads, writes
from staddle.api.sign_in import SIGNED_IN, Code, Credential, HexId
from staddle.identity import (
    Passkey,
    PasskeyAsked,
    TotpProposed,
    begin_passkey,
    begin_totp,
    confirm_totp,
    finish_passkey,
    list_passkeys,
    new_recovery_codes,
    remove_passkey,
    remove_totp,
    require_session,
)
from staddle.keyring import Keyring
from staddle.server.at import At
from staddle.server.site import site

TAG = "Second factors"
PasskeyId = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,1400}$")]


class ConfirmBody(Body, frozen=True, kw_only=True):
    """A code of the app that was proposed."""

    code: Code


class NewPasskeyBody(Body, frozen=True, kw_only=True):
    """The passkey that the browser has made, and what you will know it by."""

    challenge_id: HexId
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80, examples=["Phone"])]
    credential: Credential


class RecoveryCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Ten codes, each good once in the place of the app's; shown this once."""

    recovery_codes: list[str]


@writes("POST", "/v1/authenticator", allow=SIGNED_IN, gives=TotpProposed, tag=TAG, keyed="no")
def propose_authenticator(at: At) -> TotpProposed:
    """Begin to set an authenticator app up: its secret, and the same as an address for a QR code."""
    require_session(at.caller)
    return begin_totp(at.tx, Keyring(at.config), at.caller, at.machine_now)


@writes("POST", "/v1/authenticator/confirm", allow=SIGNED_IN, gives=RecoveryCodes, tag=TAG, keyed="no")
def confirm_authenticator(at: At, body: ConfirmBody) -> RecoveryCodes:
    """Turn the authenticator app on by a code of it; from now on signing in needs one."""
    require_session(at.caller)
    codes = confirm_totp(at.tx, Keyring(at.config), at.caller, body.code, at.seen, at.machine_now)
    return RecoveryCodes(recovery_codes=codes)


@writes("DELETE", "/v1/authenticator", allow=SIGNED_IN, gives=None, tag=TAG, keyed="no", status=204)
def remove_authenticator(at: At) -> None:
    """Turn the authenticator app off, with its recovery codes."""
    require_session(at.caller)
    remove_totp(at.tx, at.caller, at.seen, at.machine_now)


@writes("POST", "/v1/recovery-codes", allow=SIGNED_IN, gives=RecoveryCodes, tag=TAG, keyed="no")
def make_recovery_codes(at: At) -> RecoveryCodes:
    """Make ten new recovery codes; the old ones are void."""
    require_session(at.caller)
    codes = new_recovery_codes(at.tx, at.caller, at.seen, at.machine_now)
    return RecoveryCodes(recovery_codes=codes)


@reads("/v1/passkeys", allow=SIGNED_IN, gives=list[Passkey], tag=TAG)
def list_own_passkeys(at: At) -> list[Passkey]:
    """List your passkeys, oldest first."""
    require_session(at.caller)
    return list_passkeys(at.tx, at.caller)


@writes("POST", "/v1/passkeys/options", allow=SIGNED_IN, gives=PasskeyAsked, tag=TAG, keyed="no")
def propose_passkey(at: At) -> PasskeyAsked:
    """Begin to add a passkey: what to ask the browser with."""
    require_session(at.caller)
    return begin_passkey(at.tx, at.caller, site(at.config), at.machine_now)


@writes("POST", "/v1/passkeys", allow=SIGNED_IN, gives=Passkey, tag=TAG, keyed="no", status=201)
def add_passkey(at: At, body: NewPasskeyBody) -> Passkey:
    """Add the passkey that the browser has made."""
    require_session(at.caller)
    return finish_passkey(
        at.tx,
        at.caller,
        body.challenge_id,
        body.name,
        body.credential,
        site(at.config),
        at.seen,
        at.machine_now,
    )


@writes("DELETE", "/v1/passkeys/{passkey_id}", allow=SIGNED_IN, gives=None, tag=TAG, keyed="no", status=204)
def remove_own_passkey(at: At, passkey_id: PasskeyId) -> None:
    """Remove a passkey."""
    require_session(at.caller)
    remove_passkey(at.tx, at.caller, passkey_id, at.seen, at.machine_now)

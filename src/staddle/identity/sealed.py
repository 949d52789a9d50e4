"""Where the secrets lie that the desk must be able to read: all of them sealed, each for its own purpose."""

from staddle.identity.external import PURPOSE
from staddle.identity.signed import purpose_of_key
from staddle.identity.totp import purpose_of_totp
from staddle.keyring import Sealed

SEALED = (
    Sealed("login", "totp_secret", "login_id", "login_id", purpose_of_totp),
    Sealed("login", "totp_proposed", "login_id", "login_id", purpose_of_totp),
    Sealed("api_key", "sealed_secret", "api_key_id", "api_key_id", purpose_of_key),
    Sealed("sign_in_provider", "sealed_secret", "is_the_only_one", "issuer", lambda _: PURPOSE),
)

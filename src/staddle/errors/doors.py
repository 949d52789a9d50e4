"""Unauthenticated and Forbidden: who you are, and what you may."""

from staddle.errors.tree import Forbidden, Unauthenticated


class SignInNeeded(Unauthenticated):
    """Please sign in, or send an API key or access token; nothing was moved."""


class WrongKindOfCaller(Forbidden):
    """This is not for your kind of login; nothing was moved."""


class CrossSiteRequest(Forbidden):
    """This request comes from another site than the one that you signed in to; nothing was moved."""


class SignInFailed(Unauthenticated):
    """The e-mail address, the password or the code is not right."""


class SecondFactorNeeded(Unauthenticated):
    """Please enter the code of your authenticator app, or one of your recovery codes."""


class InvalidToken(Unauthenticated):
    """This token or key is not valid, or is not valid any more."""


class SessionExpired(InvalidToken):
    """You have been signed out; please sign in again."""


class PasskeyNotAccepted(Unauthenticated):
    """The passkey was not accepted; please try again."""


class SignatureNotAccepted(Unauthenticated):
    """The signature does not fit this request and this key."""


class ClientNotAccepted(Unauthenticated):
    """The client's id or its secret is not right."""


class ExternalSignInFailed(Unauthenticated):
    """Signing in with your other account did not work; please try again."""


class LinkExpired(Forbidden):
    """This link was used already, or it is older than half an hour; please ask for a new one."""


class SignUpClosed(Forbidden):
    """Nobody can sign up here by themselves; please ask support for an account."""


class AddressNotAllowed(Forbidden):
    """This key may not be used from this address."""


class ScopeMissing(Forbidden):
    """This key is not allowed to do this."""


class RoleMissing(Forbidden):
    """Your roles do not allow this."""


class StepUpNeeded(Forbidden):
    """Please confirm once more that it is you: by password, code or passkey."""

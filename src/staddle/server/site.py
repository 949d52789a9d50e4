"""What browsers know the service by: its own address, the session's cookie, and the site that passkeys are bound to."""

from staddle.config import Config
from staddle.identity import Site


def cookie(config: Config, token: str, seconds: int, own: str = "") -> str:
    """Write the session's cookie; where the site has HTTPS it goes over nothing else.

    `own` is what the cookie's name ends with.
    """
    secure = "; Secure" if config.cookie_name.startswith("__Host-") else ""
    return f"{config.cookie_name}{own}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def site(config: Config) -> Site:
    """Give the site that passkeys are bound to."""
    return Site(own_url(config), "Staddle")


def own_url(config: Config) -> str:
    """Give what browsers call us; it is not taken from a request, which says what it likes."""
    return config.public_url or f"http://localhost:{config.listen[1]}"

"""A real OpenID provider, django-oauth-toolkit, in a process of its own: it asks for a password, insists on PKCE, and
signs with a key that its JWKS shows.

    python -m tests.openid_provider FOLDER '{"ann": {"id_token": {"email": "ann@example.com"}, "userinfo": {}}}'

It prints its issuer and serves until its standard input ends. Every user's password is their name, twice.
"""

import json
import sys
import threading
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

CLIENT_ID, CLIENT_SECRET = "staddle", "what the provider gave us: %+/"
REDIRECT_URI = "http://127.0.0.1:9/back"
PAGE_URI = "http://127.0.0.1:9/sign-in/external"
"""Where the pages come back to, of a service whose address is told to be this."""
LOGIN = "<form method=post>{% csrf_token %}{{ form }}</form>"
CLAIMS: dict[str, dict[str, Any]] = {}
urlpatterns: list[Any] = []


def configure(folder: Path) -> None:
    """Set Django up with a database in the folder and a fresh signing key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    loader = "django.template.loaders.locmem.Loader"
    settings.configure(
        SECRET_KEY="only here",
        ROOT_URLCONF="tests.openid_provider",
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "provider.sqlite")}
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {"loaders": [(loader, {"registration/login.html": LOGIN})]},
            }
        ],
        LOGIN_URL="/login/",
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": pem,
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "", "email": "", "profile": ""},
            "OAUTH2_VALIDATOR_CLASS": "tests.openid_provider.Claims",
        },
    )
    django.setup()


def fill() -> None:
    """Register us, and the users."""
    from django.contrib.auth.models import User  # noqa: PLC0415  only once Django is set up
    from oauth2_provider.models import Application  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    Application.objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=f"{REDIRECT_URI} {PAGE_URI}",
        algorithm="RS256",
        skip_authorization=True,
    )
    for name in CLAIMS:
        User.objects.create_user(name, password=name * 2)


def routes() -> None:
    """Declare the addresses, and what the provider tells about whom."""
    from django.contrib.auth.views import LoginView  # noqa: PLC0415
    from oauth2_provider import urls  # noqa: PLC0415
    from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: PLC0415

    class Claims(OAuth2Validator):  # type: ignore[misc]  # it has no type hints
        oidc_claim_scope = None

        def get_additional_claims(self, request: Any) -> dict[str, Any]:
            told: dict[str, Any] = CLAIMS[request.user.username]["id_token"]
            return told

        def get_userinfo_claims(self, request: Any) -> dict[str, Any]:
            return {**super().get_userinfo_claims(request), **CLAIMS[request.user.username]["userinfo"]}

    globals()["Claims"] = Claims
    urlpatterns.extend([path("", include(urls)), path("login/", LoginView.as_view())])


class Quiet(WSGIRequestHandler):
    """Does not tell each request."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until standard input ends."""
    CLAIMS.update(json.loads(sys.argv[2]))
    configure(Path(sys.argv[1]))
    routes()
    fill()
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    # Django finds this module by its name, and must find the one that is running.
    sys.modules["tests.openid_provider"] = sys.modules["__main__"]
    main()

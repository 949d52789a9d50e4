"""A provider of accounts (OpenID Connect) that gives whatever token it is told to, over real HTTP."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from tests.openid_provider import CLIENT_ID


class Liar:
    """A provider that gives whatever token it is told to."""

    def __init__(self) -> None:
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer()

            def answer(self) -> None:
                status, body = liar.pages.get(self.path, (404, {}))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.pages: dict[str, tuple[int, Any]] = {
            "/.well-known/openid-configuration": (200, self.described()),
            "/jwks": (200, KeySet([self.key]).as_dict(private=False)),
        }

    def described(self, **other: str) -> dict[str, str]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        own = {name: f"{self.issuer}/{path}" for name, path in names.items()}
        return {"issuer": self.issuer, **own, **other}

    def claims(self, nonce: str, /, **other: Any) -> dict[str, Any]:
        now = int(time.time())
        told = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "1", "nonce": nonce, "iat": now, "exp": now + 60}
        told = {**told, "reference": "c-ann", **other}
        return {name: value for name, value in told.items() if value is not None}

    def signed(self, nonce: str, /, **other: Any) -> str:
        """Give a token that this provider has signed, with claims that are true but for those given; None: left out."""
        return jwt.encode({"alg": "RS256", "kid": "one"}, self.claims(nonce, **other), self.key)

    def stop(self) -> None:
        """Answer nobody any more."""
        self.server.shutdown()
        self.server.server_close()

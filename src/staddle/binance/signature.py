"""From a request to whoever signed it: the key's id in a header, the bytes that were signed, and when.

What is signed are the bytes as they were sent, query and body one behind the other, without the signature itself; so
nothing is decoded before it is verified.
"""

import base64
import binascii
import re
from datetime import datetime, timedelta
from urllib.parse import unquote

from staddle.binance.asked import EPOCH, MILLISECOND, Asked
from staddle.binance.refusal import Refusal, illegal, missing, refuse
from staddle.identity import Signed
from staddle.keyring import Keyring
from staddle.server.exchange import Incoming

KEY = re.compile(r"[0-9a-f]{24}", re.ASCII)
HMAC = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)
WINDOW_DEFAULT, WINDOW_MAX = 5_000, 60_000
AHEAD_MAX = timedelta(seconds=1)
FIELD = b"signature="


def signed_by(request: Incoming, asked: Asked, keyring: Keyring, now: datetime) -> Signed:
    """Give the signature of a request, which is still to be verified; refuse one without it, or out of its time."""
    api_key_id = request.headers.get("x-mbx-apikey", "")
    if not KEY.fullmatch(api_key_id):
        raise refuse(-2014)
    check_time(asked, now)
    asked.text("signature")
    query, body = request.query_string.encode("latin-1"), request.body
    sent = sent_signature(query) or sent_signature(body)
    return Signed(api_key_id, without_signature(query) + without_signature(body), decoded(sent), keyring)


def check_time(asked: Asked, now: datetime) -> None:
    """Refuse a request that was signed too long ago, or comes from the future, by our clock."""
    text, window = asked.text("timestamp"), asked.maybe("recvWindow") or str(WINDOW_DEFAULT)
    for name, value in (("timestamp", text), ("recvWindow", window)):
        if not DIGITS.fullmatch(value):
            raise illegal(name, "^[0-9]{1,20}$")
    if int(window) > WINDOW_MAX:
        raise refuse(-1131)
    at = int(text)
    server = (now - EPOCH) // MILLISECOND
    if at >= server + AHEAD_MAX // MILLISECOND:
        raise Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if server - at > int(window):
        raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def without_signature(part: bytes) -> bytes:
    """Take the signature out of a query or a body, and nothing else."""
    if FIELD not in part:
        return part
    return b"&".join(piece for piece in part.split(b"&") if not piece.startswith(FIELD))


def sent_signature(part: bytes) -> str:
    """Find the signature in a query or a body; empty where there is none. A plus sign means itself."""
    found = (piece[len(FIELD) :] for piece in part.split(b"&") if piece.startswith(FIELD))
    return unquote(next(found, b"").decode("latin-1"))


def decoded(text: str) -> bytes:
    """Read a signature: HMAC in hex, RSA and Ed25519 in base64. One that is neither is nobody's."""
    if not text:
        raise missing("signature")
    if HMAC.fullmatch(text):
        return bytes.fromhex(text)
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise refuse(-1022) from None

"""The files that pages load, as the build of the front end left them in static/ (docs/decisions/0023).

Their names carry a hash of what is in them, so a browser may keep each for ever. All are read once, into memory: an
address is looked up among them and never becomes a path.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from staddle.errors import InvariantBroken

UNDER = "/static/"
NAMED_BY_CONTENT = re.compile(r"[\w.]+-[A-Z0-9]{8}\.\w+")
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent: its bytes, perhaps compressed, its media type, and all other headers."""

    content: bytes
    media_type: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """What was built: addresses by the names that templates use, and files by (address, is compressed)."""

    addresses: Mapping[str, str]
    sent: Mapping[tuple[str, bool], StaticFile]


def address_of(name: str) -> str:
    """Give the address of a file by the name that it has in front/, such as app.js; an unknown one is our mistake."""
    addresses = built().addresses
    if name not in addresses:
        raise InvariantBroken(f"The front end has no {name}, only {', '.join(addresses)}.")
    return addresses[name]


def file_at(path: str, accepts_gzip: bool) -> StaticFile | None:
    """Give the file at an address such as address_of gives; None where there is none."""
    sent = built().sent
    return sent.get((path, accepts_gzip)) or sent.get((path, False))


@cache
def built() -> FrontEnd:
    """Read the files that this installation has, once for each process."""
    return read(files(__package__) / "static")


def read(folder: Traversable) -> FrontEnd:
    """Read what was built into a folder. Raises InvariantBroken where nothing was."""
    try:
        names: dict[str, str] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        contents = {each.name: each.read_bytes() for each in folder.iterdir()}
    except FileNotFoundError:
        raise InvariantBroken(
            "The front end was not built: run `make front`, or install Staddle anew."
        ) from None
    missing = sorted(set(names.values()) - set(contents))
    if missing:
        raise InvariantBroken(f"The front end lacks {', '.join(missing)}: run `make front`.")
    sent = {}
    for name in filter(NAMED_BY_CONTENT.fullmatch, contents):
        media_type = MEDIA_TYPES[PurePosixPath(name).suffix]
        compressed = contents.get(f"{name}.gz")
        headers = KEPT if compressed is None else {**KEPT, "Vary": "Accept-Encoding"}
        sent[UNDER + name, False] = StaticFile(contents[name], media_type, headers)
        if compressed is not None:
            encoded = {**headers, "Content-Encoding": "gzip"}
            sent[UNDER + name, True] = StaticFile(compressed, media_type, encoded)
    return FrontEnd({name: UNDER + hashed for name, hashed in names.items()}, sent)

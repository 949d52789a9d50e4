"""The built front end: the address of each file, and the file at an address. Names change with what is in them."""

import hashlib
import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from staddle.errors import InvariantBroken

FOLDER, ICONS = "static", "icons"
SERVICE_WORKER = "service-worker.js"
KEPT = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent."""

    body: bytes
    media_type: str
    headers: Mapping[str, str]


@cache
def names() -> Mapping[str, str]:
    """Read under which name each file was built; raises InvariantBroken where nothing was."""
    manifest = files(__package__).joinpath(FOLDER, "manifest.json")
    if not manifest.is_file():
        raise InvariantBroken("The front end was not built: install Staddle with pip, or run `make front`.")
    found: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    return found


def address_of(name: str) -> str:
    """Give the address of a file, such as `app.css`."""
    return f"/static/{names()[name]}"


@cache
def file_at(name: str, takes_gzip: bool) -> StaticFile | None:
    """Give a built file by the name in its address, packed where the browser takes that; None where there is none."""
    if name not in known():
        return None
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    folder = files(__package__).joinpath(FOLDER)
    if takes_gzip and f"{name}.gz" in known():
        packed = folder.joinpath(f"{name}.gz").read_bytes()
        return StaticFile(packed, media_type, {**KEPT, "Content-Encoding": "gzip"})
    return StaticFile(folder.joinpath(name).read_bytes(), media_type, KEPT)


@cache
def known() -> frozenset[str]:
    """Name every file that was built; nothing else is ever read."""
    return frozenset(each.name for each in files(__package__).joinpath(FOLDER).iterdir())


@cache
def icon_at(name: str) -> StaticFile | None:
    """Give one of the icons of the site as an app; None where there is none of that name."""
    found = {each.name: each for each in files(__package__).joinpath(ICONS).iterdir()}.get(name)
    if found is None:
        return None
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return StaticFile(found.read_bytes(), media_type, {"Cache-Control": "public, max-age=86400"})


@cache
def service_worker() -> StaticFile:
    """Give the service worker, with the list of the built files that it keeps before it; it is never kept itself."""
    kept = sorted(
        name for name in known() if name.endswith((".js", ".css")) and name != names()[SERVICE_WORKER]
    )
    code = files(__package__).joinpath(FOLDER, names()[SERVICE_WORKER]).read_text(encoding="utf-8")
    version = hashlib.sha256("\n".join([*kept, code]).encode()).hexdigest()[:16]
    told = json.dumps({"version": version, "files": [f"/{FOLDER}/{name}" for name in kept]})
    headers = {
        "Cache-Control": "no-cache",
        "Service-Worker-Allowed": "/",
        "Content-Security-Policy": "default-src 'none'; connect-src 'self'; script-src 'self'",
    }
    return StaticFile(f"self.STADDLE = {told};\n{code}".encode(), "text/javascript", headers)

"""The files that make the site an app on a phone's screen: its icons, and the service worker."""

import hashlib
import json
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

from staddle.ui.static_files import MEDIA_TYPES, StaticFile, built

ICONS = "icons"
SERVICE_WORKER = "service-worker.js"


@cache
def icon_at(name: str) -> StaticFile | None:
    """Give one of the icons of the site as an app; None where there is none of that name."""
    found = {each.name: each for each in files(__package__).joinpath(ICONS).iterdir()}.get(name)
    if found is None:
        return None
    media_type = MEDIA_TYPES[PurePosixPath(name).suffix]
    return StaticFile(found.read_bytes(), media_type, {"Cache-Control": "public, max-age=86400"})


@cache
def service_worker() -> StaticFile:
    """Give the service worker, with the list of the built files that it keeps before it; it is never kept itself."""
    front = built()
    name = front.addresses[SERVICE_WORKER].rpartition("/")[2]
    code = files(__package__).joinpath("static", name).read_text(encoding="utf-8")
    kept = sorted({address for address, _ in front.sent if address.endswith((".js", ".css"))})
    version = hashlib.sha256("\n".join([*kept, code]).encode()).hexdigest()[:16]
    told = json.dumps({"version": version, "files": kept})
    headers = {
        "Cache-Control": "no-cache",
        "Service-Worker-Allowed": "/",
        "Content-Security-Policy": "default-src 'none'; connect-src 'self'; script-src 'self'",
    }
    return StaticFile(f"self.STADDLE = {told};\n{code}".encode(), MEDIA_TYPES[".js"], headers)

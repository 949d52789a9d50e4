"""The site as an app on a phone's screen: its name, its icons, its service worker, the page without a connection."""

import json
from typing import Any

from litestar import Response, get

from staddle.errors import AddressNotFound
from staddle.pages.page import View, Visit, shows
from staddle.ui.app_files import icon_at, service_worker
from staddle.ui.static_files import StaticFile

MANIFEST = {
    "id": "/",
    "name": "Staddle Earn",
    "short_name": "Staddle",
    "start_url": "/",
    "scope": "/",
    "display": "standalone",
    "background_color": "#f7f5ef",
    "theme_color": "#17613f",
    "icons": [
        {"src": "/icon.svg", "sizes": "any", "type": "image/svg+xml"},
        *(
            {
                "src": f"/icons/icon-{size}.png",
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for size in (192, 512)
            for purpose in ("any", "maskable")
        ),
    ],
}


@shows("/offline")
def show_offline(visit: Visit) -> View:  # noqa: ARG001  it is the same for everybody
    """Say that there is no connection; it is kept in browsers, so it shows nobody's name and no money."""
    return View("offline.html")


@get("/manifest.webmanifest", sync_to_thread=False)
def manifest() -> Response[bytes]:
    """Say what the site is called and looks like on a phone's screen."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(json.dumps(MANIFEST).encode(), media_type="application/manifest+json", headers=headers)


@get("/icon.svg", sync_to_thread=False)
def icon_svg() -> Response[bytes]:
    """Give the mark of the house: a staddle stone."""
    return _sent(icon_at("icon.svg"))


@get("/icons/{name:str}", sync_to_thread=False)
def icon_of_size(name: str) -> Response[bytes]:
    """Give the icon in a size that phones ask for."""
    return _sent(icon_at(name))


@get("/service-worker.js", sync_to_thread=False)
def service_worker_at_the_root() -> Response[bytes]:
    """Give the service worker where it may see all addresses."""
    return _sent(service_worker())


ROUTES: list[Any] = [manifest, icon_svg, icon_of_size, service_worker_at_the_root]
"""What is no page."""


def _sent(found: StaticFile | None) -> Response[bytes]:
    if found is None:
        raise AddressNotFound
    return Response(found.content, media_type=found.media_type, headers=dict(found.headers))

"""The site as an app, and the agreement: nothing with money on it is ever kept in a browser."""

import json
import re

from tests.api.world import Service
from tests.web.visitor import Visitor, text_of, visitor_of

from staddle.customers import publish_agreement


def kept_by_the_worker(somebody: Visitor) -> dict[str, object]:
    """What the server tells the service worker to keep."""
    answer = somebody.get("/service-worker.js")
    assert answer.status_code == 200
    assert answer.headers["service-worker-allowed"] == "/"
    assert answer.headers["cache-control"] == "no-cache"
    told: dict[str, object] = json.loads(answer.text.partition("self.STADDLE = ")[2].partition(";\n")[0])
    return told


def test_the_service_worker_keeps_only_built_files(somebody: Visitor) -> None:
    files = kept_by_the_worker(somebody)["files"]
    assert isinstance(files, list)
    assert files
    for address in files:
        assert re.fullmatch(r"/static/[\w-]+\.(js|css)", address)
        assert somebody.get(address).status_code == 200


def test_every_page_says_that_it_must_not_be_kept(ada: Visitor) -> None:
    for path in ("/", "/settings", "/messages", "/settings/security", "/agreement", "/sign-in"):
        assert ada.get(path).headers["cache-control"] == "no-store"


def test_the_manifest_names_icons_that_are_there(somebody: Visitor) -> None:
    answer = somebody.get("/manifest.webmanifest")
    assert answer.headers["content-type"].startswith("application/manifest+json")
    told = answer.json()
    assert {icon["purpose"] for icon in told["icons"] if "purpose" in icon} == {"any", "maskable"}
    for icon in told["icons"]:
        found = somebody.get(icon["src"])
        assert found.status_code == 200
        assert found.headers["content-type"].startswith(icon["type"])
        if icon["type"] == "image/png":
            size = int(icon["sizes"].partition("x")[0])
            assert (int.from_bytes(found.content[16:20]), int.from_bytes(found.content[20:24])) == (
                size,
                size,
            )


def test_there_is_no_other_file_among_the_icons(somebody: Visitor) -> None:
    for name in ("__init__.py", "..%2Flanguages.py", "icon-7.png"):
        assert somebody.get(f"/icons/{name}").status_code == 404


def test_the_page_without_a_connection_is_nobodys(service: Service, somebody: Visitor, ada: Visitor) -> None:
    page = text_of(somebody.get("/offline"))
    assert "need a connection" in page
    assert text_of(ada.get("/offline")) == page
    assert "ada" not in page.lower().split()


def test_the_agreement_is_shown_with_its_versions_and_ones_own_consents(
    service: Service, somebody: Visitor, ada: Visitor
) -> None:
    before = somebody.see("/agreement")
    assert "What you have accepted" not in before
    with service.database.transaction() as tx:
        first = publish_agreement(
            tx, "ada", "Terms", "One <b>bold</b> thing.\n\nAnother\nline.", service.living.now
        )
        second = publish_agreement(tx, "ada", "Terms", "Newer.", service.living.now)
    page = somebody.get(f"/agreement/{first}").text
    assert "One &lt;b&gt;bold&lt;/b&gt; thing." in page
    assert "This is an older version" in page
    assert f'href="/agreement/{second}"' in page
    assert "Newer." in somebody.see("/agreement")
    assert "You have not accepted this version yet" in ada.see("/agreement")
    assert "What you have accepted" in ada.see("/agreement")
    for wrong in (99, "none", 0, -1, 2**70):
        assert somebody.get(f"/agreement/{wrong}").status_code == 404


def test_nobody_sees_anothers_consents(service: Service) -> None:
    accepted = re.compile(r"What you have accepted")
    nobody = visitor_of(service, "carl")
    assert not accepted.search(nobody.see("/agreement"))

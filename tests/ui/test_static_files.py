"""What pages load: named by what is in it, kept for ever, and nothing but what was built can be reached."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from staddle.errors import InvariantBroken
from staddle.ui import static_files
from staddle.ui.static_files import address_of, built, file_at, read

STATIC = Path(static_files.__file__).parent / "static"


def test_an_address_names_the_content() -> None:
    for name in ("app.js", "app.css", "charts.js", "charts.css"):
        stem, ending = name.split(".")
        address = address_of(name)
        assert address.startswith(f"/static/{stem}-")
        assert address.endswith(f".{ending}")
        assert file_at(address, accepts_gzip=False) is not None


def test_a_file_is_kept_for_ever_and_says_what_it_is() -> None:
    script = file_at(address_of("app.js"), accepts_gzip=False)
    styles = file_at(address_of("app.css"), accepts_gzip=False)
    assert script is not None
    assert styles is not None
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert script.media_type == "text/javascript; charset=utf-8"
    assert styles.media_type == "text/css; charset=utf-8"


def test_who_takes_gzip_gets_the_same_in_fewer_bytes() -> None:
    address = address_of("app.js")
    plain, small = file_at(address, accepts_gzip=False), file_at(address, accepts_gzip=True)
    assert plain is not None
    assert small is not None
    assert gzip.decompress(small.content) == plain.content
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
    assert small.media_type == plain.media_type


def test_what_is_not_compressed_is_given_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"icon.png": "icon-ABCD1234.png"}))
    (tmp_path / "icon-ABCD1234.png").write_bytes(b"png")
    front = read(tmp_path)
    assert front.addresses == {"icon.png": "/static/icon-ABCD1234.png"}
    assert [*front.sent] == [("/static/icon-ABCD1234.png", False)]
    assert "Vary" not in front.sent["/static/icon-ABCD1234.png", False].headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/app.js",
        "/static/../static_files.py",
        "/static/..%2fstatic_files.py",
        "/static/manifest.json",
        "/static/made-of.sha256",
        "/etc/passwd",
        "app.js",
        "",
    ],
)
def test_nothing_but_what_was_built_can_be_reached(path: str) -> None:
    assert file_at(path, accepts_gzip=False) is None
    assert file_at(path, accepts_gzip=True) is None


def test_compressed_files_have_no_address_of_their_own() -> None:
    assert file_at(address_of("app.js") + ".gz", accepts_gzip=True) is None


def test_what_was_not_built_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvariantBroken, match="make front"):
        read(tmp_path)
    shutil.copytree(STATIC, tmp_path / "static")
    (tmp_path / "static" / Path(address_of("app.js")).name).unlink()
    with pytest.raises(InvariantBroken, match=r"lacks app-\w{8}\.js"):
        read(tmp_path / "static")


def test_a_name_that_nobody_built_is_our_mistake() -> None:
    with pytest.raises(InvariantBroken, match=r"has no nothing\.js"):
        address_of("nothing.js")


def test_every_file_that_was_built_has_a_media_type_and_the_first_page_stays_light() -> None:
    small = {path: len(file.content) for (path, is_small), file in built().sent.items() if is_small}
    assert small[address_of("app.js")] < 24_000
    assert small[address_of("charts.js")] < 30_000


def test_what_is_bundled_says_whose_it_is() -> None:
    licences = (STATIC / "licences.txt").read_text()
    assert "htmx.org" in licences
    assert "Copyright" in licences
    assert "Leon Sorokin" in licences

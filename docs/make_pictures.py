"""Take the pictures of docs/operate/pictures: the console of a demo desk, as a newcomer sees it.

    .venv/bin/python docs/make_pictures.py

It makes a demo desk in a folder of its own, serves it, signs in as alice with a browser, and looks at the main pages.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "operate" / "pictures"
PROGRAM = Path(sys.executable).parent / "staddle"
CHROMIUM = "/usr/bin/chromium"
PICTURES = {
    "today": "/console",
    "approvals": "/console/approvals",
    "runs": "/console/runs",
    "treasury": "/console/treasury/USDT",
    "products": "/console/products",
    "editor": "/console/products/USDT-30D/edit",
    "rate": "/console/rates/USDT-FLEX",
    "customer": "/console/customers/ada-000",
    "closing": "/console/ledger/closings",
}
PHONE = ("today",)
DARK = ("treasury",)
COLOURS = 64
"""Of a picture: a third of what it takes in full colour, and no eye tells them apart."""
SECONDS_MAX = 300


@contextmanager
def served(home: Path) -> Iterator[tuple[str, str, str]]:
    """Serve a demo desk; gives its address and how alice signs in."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STADDLE_")}
    environ |= {"STADDLE_HOME": str(home), "STADDLE_LISTEN": f"127.0.0.1:{port}", "COLUMNS": "100"}
    output = home / "output"
    with output.open("wb") as written:
        command = [str(PROGRAM), "demo", "--serve", "--quiet"]
        process = subprocess.Popen(command, env=environ, stdout=written, stderr=written)
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/readyz")
        found = re.search(r"(alice@\S+)\s+(\S+)", output.read_text())
        assert found is not None, output.read_text()
        yield f"http://127.0.0.1:{port}", found[1], found[2]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def wait_until_it_answers(url: str) -> None:
    """Wait until the desk has lived and is served."""
    until = time.monotonic() + SECONDS_MAX
    while time.monotonic() < until:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise TimeoutError(url)


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    """Sign in to the console."""
    page.goto(f"{address}/console/sign-in")
    page.fill("[name=email]", email)
    page.fill("[name=password]", password)
    page.click("form[action='/console/sign-in'] button")
    page.wait_for_url("**/console")


def take(page: Page, address: str, path: str, name: str) -> None:
    """Take a picture of a page, once its charts are drawn, and keep it small."""
    answer = page.goto(f"{address}{path}")
    assert answer is not None
    assert answer.ok, f"{path}: {answer.status}"
    page.wait_for_timeout(1000)
    with Image.open(BytesIO(page.screenshot())) as picture:
        picture.quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="staddle-pictures-") as home,
        served(Path(home)) as (address, *alice),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for width, height, theme, names, suffix in (
            (1280, 800, "light", tuple(PICTURES), ""),
            (1280, 800, "dark", DARK, "-dark"),
            (390, 844, "light", PHONE, "-phone"),
        ):
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
            sign_in(page, address, *alice)
            for name in names:
                take(page, address, PICTURES[name], name + suffix)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()

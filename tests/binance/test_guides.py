"""The guide says what is so: the programs of its pages print what they say, and its endpoints are those there are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.api.world import Service
from tests.binance.installed import node, npm_clients, python_clients
from tests.binance.world import hmac_key

from staddle import binance
from staddle.binance.endpoint import ENDPOINTS

DOCS = Path(__file__).parents[2] / "docs" / "integrate" / "binance"
PAGES = sorted(path.stem for path in DOCS.glob("*.md") if path.stem != "README")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (GET|POST) (/\S+) \| (\d+) \| ([^|]+) \|$", re.MULTILINE)


def blocks(page: str) -> dict[str, str]:
    """The blocks of a page by their kind, each of which it has once."""
    found = BLOCK.findall((DOCS / f"{page}.md").read_text())
    assert len({kind for kind, _ in found}) == len(found) == 3
    return dict(found)


def begin(service: Service, page: str) -> "subprocess.Popen[str]":
    """Start a page's program for a customer of its own."""
    name, parts = f"reader of {page}", blocks(page)
    service.living.customer(name, BTC="1")
    key = hmac_key(service.database, name)
    environ = {"ADDRESS": service.url, "API_KEY": key.api_key_id, "API_SECRET": str(key.secret)}
    folder = DOCS
    if "js" in parts:
        folder, command = npm_clients(), [node(), "-e", parts["js"]]
    else:
        lock = "connector" if page == "binance-connector" else "python"
        environ["PYTHONPATH"] = str(python_clients(lock))
        command = [sys.executable, "-W", "ignore", "-c", parts["python"]]
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ}
    return subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def printed(service: Service) -> dict[str, str]:
    """What the program of each page prints, or what went wrong; all are started at once."""
    programs = {page: begin(service, page) for page in PAGES}
    return {page: "".join(program.communicate(timeout=120)) for page, program in programs.items()}


@pytest.mark.parametrize("page", PAGES)
def test_a_pages_program_prints_what_the_page_says(printed: dict[str, str], page: str) -> None:
    assert printed[page] == blocks(page)["text"]


@pytest.mark.parametrize("page", PAGES)
def test_the_lines_that_change_are_lines_of_the_program(page: str) -> None:
    parts = blocks(page)
    program = parts.get("python") or parts["js"]
    new = [line[1:] for line in parts["diff"].splitlines() if line.startswith("+")]
    assert 1 <= len(new) <= 2
    assert all(line in program for line in new)


def test_the_endpoints_of_the_guide_are_those_that_there_are() -> None:
    assert binance.edge is not None
    told = {
        (method, path): (int(weight), scope.strip())
        for method, path, weight, scope in ROW.findall((DOCS / "README.md").read_text())
    }
    there = {
        address: (each.weight, "none, not signed" if each.allow is None else each.allow.scope)
        for address, each in ENDPOINTS.items()
    }
    assert told == there
    assert len([path for _, path in there if "/simple-earn/" in path]) == 24

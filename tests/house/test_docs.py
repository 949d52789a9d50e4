"""The docs say what the code says, and every link in them leads somewhere."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "bench" / "README.md",
]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def test_the_reference_is_what_the_code_says() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in LINK.findall(page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_file_that_the_docs_name_is_there() -> None:
    named = re.compile(
        r"`((?:ledger|desk|products|customers|notices|accrual|positions|rewards|treasury|db|cli)/[\w/.]+)`"
    )
    source = ROOT / "src" / "staddle"
    missing = {
        name for page in PAGES for name in named.findall(page.read_text()) if not (source / name).exists()
    }
    assert missing == set()


def test_every_command_that_the_docs_show_is_a_command() -> None:
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text()
    known = set(re.findall(r"^### (staddle[\w -]*)$", reference, re.MULTILINE))
    shown = {
        match.strip()
        for page in PAGES
        for match in re.findall(r"(?:`|^|/)(staddle(?: [a-z][a-z-]+)+)", page.read_text(), re.MULTILINE)
        if "reference" not in page.parts
    }
    shown.discard("staddle reward receipt")  # the name of a format
    assert {
        command for command in shown if not any(command.startswith(k) and k != "staddle" for k in known)
    } == set()


def test_every_decision_is_in_the_list() -> None:
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text()
    pages = [page.name for page in (ROOT / "docs" / "decisions").glob("0*.md")]
    assert [name for name in pages if name not in listed] == []

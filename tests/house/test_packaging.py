"""What is installed is pinned to the byte, from wherever it comes; and `make` explains itself."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def normal(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_everything_the_project_asks_for_is_pinned_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {normal(re.split(r"[\[<>=!~ ]", text)[0]) for text in asked}
    pins = re.split(r"\n(?=\S)", LOCK.strip())
    pinned = {normal(pin.split("==")[0]) for pin in pins}
    assert names - pinned == set(), "run `make lock`"
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


def test_the_lock_names_no_index_and_no_file() -> None:
    assert re.findall(r"://|--index|--extra-index|--find-links|--trusted|file:", LOCK) == []


def test_make_alone_lists_every_target_with_a_line() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [targets] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    lines = [re.fullmatch(r"make (\S+) +\S.+", line) for line in listed.splitlines()]
    assert [line[1] for line in lines if line] == targets.split()
    assert len(lines) == len(targets.split())


def test_ci_runs_what_a_developer_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "make test"

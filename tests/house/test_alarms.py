"""Every kind of alarm is raised by somebody, and the docs say of each what to do."""

import ast
import re
from pathlib import Path

from staddle.desk.alarms import KINDS
from staddle.server.jobs import jobs

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "staddle"


def test_the_docs_say_of_each_kind_of_alarm_what_to_do() -> None:
    page = (ROOT / "docs" / "operate" / "alarms.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(KINDS)


def test_every_kind_of_alarm_is_raised_by_somebody() -> None:
    said = {
        node.value
        for file in SOURCE.rglob("*.py")
        if file != SOURCE / "desk" / "alarms.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(KINDS) - said == set()


def test_every_kind_of_alarm_says_in_a_sentence_what_has_happened() -> None:
    assert [kind for kind, sentence in KINDS.items() if not re.fullmatch(r"[A-Z].+\.", sentence)] == []


def test_the_docs_list_every_job_of_the_schedule() -> None:
    page = (ROOT / "docs" / "operate" / "schedule.md").read_text()
    assert re.findall(r"^\| ([a-z_]+) \| \d", page, re.MULTILINE) == [job.name for job in jobs()]

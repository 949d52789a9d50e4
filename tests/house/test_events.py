"""Every kind of event that the code writes is registered and documented, with its readers and its members."""

import ast
import re
from pathlib import Path

from staddle.notices import KINDS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "staddle"
PAGE = (ROOT / "docs" / "events.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
KIND_AT = {"Notice": 1, "publish": 1, "publish_to_holders": 2}
"""Where a call names the kind."""
WORDED = {"kind", "KINDS_OF_STATUS[standing]"}
"""Calls that pass a kind on which somebody else has named: see the test below."""


def kinds_in_code() -> set[str]:
    """The kinds that calls name, and the names of kinds in tables and of acts that are kinds."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in KIND_AT and len(node.args) > KIND_AT[name]:
                    kind = node.args[KIND_AT[name]]
                    if isinstance(kind, ast.Constant):
                        found.add(str(kind.value))
                    elif path.parent.name != "notices":
                        assert ast.unparse(kind) in WORDED, f"{path}:{node.lineno}: {ast.unparse(kind)}"
    return found


def test_every_kind_that_is_written_is_registered() -> None:
    assert kinds_in_code() - set(KINDS) == set()


def test_every_kind_that_is_registered_is_written_by_somebody() -> None:
    by_table = {
        "product_opened",
        "product_sold_out",
        "product_halted",
        "product_closed",
    }  # server/announce.py
    by_act = {"deposit", "withdrawal", "transfer"}  # customers/deposits.py: the kind of its transfer
    assert set(KINDS) - kinds_in_code() == by_table | by_act


def test_the_page_says_of_every_kind_who_reads_it_and_what_happened() -> None:
    told = {kind: (audience, sentence) for kind, audience, sentence, _ in ROW.findall(PAGE)}
    assert told == {name: (kind.audience, kind.sentence) for name, kind in KINDS.items()}


def test_every_kind_has_its_members_on_the_page() -> None:
    for kind, _, _, members in ROW.findall(PAGE):
        assert re.fullmatch(r"`\w+`(, `\w+`)*", members), kind

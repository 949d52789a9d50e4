"""Our process is killed at every failpoint of every act and of the run; repeated, it leaves undisturbed books."""

import ast
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.acts import CASES, PLACES, perform
from tests.faults.books import Books, books_of, differences, prove
from tests.faults.conftest import Copy, Undisturbed
from tests.faults.processes import ROOT, finish, start_act

UNKEYED = ("mature", "run")
"""They are many transactions, so some of their work stands when they are killed."""


@pytest.mark.parametrize(("act", "place"), CASES)
def test_killed_and_repeated_leaves_the_books_of_an_undisturbed_one(
    act: str, place: str, copy: Copy, before: Books, undisturbed: Undisturbed
) -> None:
    answer, after = undisturbed(act)
    database = copy()
    code, _ = finish(start_act(database, act, place))
    assert code == -signal.SIGKILL, f"{act} never came to {place}"
    if act not in UNKEYED:
        stands = books_of(database)
        assert differences(stands, after if place == "edge.committed" else before) == {}, "it is half done"
    prove(database)
    again = perform(database, act)
    assert differences(books_of(database), after) == {}
    if act != "mature":
        assert again == answer
    prove(database)


def test_killed_again_and_again_a_run_comes_to_its_end(copy: Copy, undisturbed: Undisturbed) -> None:
    answer, after = undisturbed("run")
    database = copy()
    for place in PLACES["run"]:
        finish(start_act(database, "run", place))
        prove(database)
    assert perform(database, "run") == answer
    assert differences(books_of(database), after) == {}


def test_every_failpoint_of_the_code_is_one_at_which_something_is_killed() -> None:
    killed_at = {place.partition("#")[0] for _, place in CASES} - {"edge.committed"}
    assert killed_at == set(failpoints_of(ROOT / "src" / "staddle"))


def failpoints_of(folder: Path) -> Iterator[str]:
    """The names of all failpoints in the code; those of `answer_commands` once for each act that it answers."""
    calls = [call for path in folder.rglob("*.py") for call in calls_in(path)]
    acts = {name for call in calls for name in act_answered(call)}
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == "failpoint":
            [name] = call.args
            if isinstance(name, ast.Constant):
                yield str(name.value)
            else:
                assert isinstance(name, ast.JoinedStr)
                text = ast.unparse(name)
                assert text.startswith("f'{act}."), text
                yield from (f"{act}.{text[8:-1]}" for act in acts)


def calls_in(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def act_answered(call: ast.Call) -> Iterator[str]:
    """The act's name in `answer_commands(tx, "act", ..)` and in `move(tx, "act", ..)`, which hands it on."""
    if isinstance(call.func, ast.Name) and call.func.id in ("answer_commands", "move") and len(call.args) > 1:
        if isinstance(call.args[1], ast.Constant):
            yield str(call.args[1].value)
        else:
            assert ast.unparse(call.args[1]) == "kind", "an act's name should stand where it is answered"

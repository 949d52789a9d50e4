"""Our process is killed at every failpoint of every act and of the run; repeated, it leaves undisturbed books."""

import ast
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.acts import CASES, PLACES, UNANSWERED, UNKEYED, perform
from tests.faults.books import Books, books_of, differences, prove
from tests.faults.conftest import Copy, Undisturbed
from tests.faults.processes import ROOT, finish, start_act


@pytest.mark.parametrize("act", PLACES)
def test_h01_h02_h03_killed_and_repeated_an_act_leaves_the_books_of_an_undisturbed_one(
    act: str, copy: Copy, before: Books, undisturbed: Undisturbed
) -> None:
    answer, after = undisturbed(act)
    started = [(place, desk, start_act(desk, act, place)) for place in PLACES[act] for desk in [copy()]]
    for place, desk, process in started:
        assert finish(process)[0] == -signal.SIGKILL, f"{act} never came to {place}"
        if act not in UNKEYED:
            standing = after if place == "edge.committed" else before
            assert differences(books_of(desk), standing) == {}, f"{act} is half done after {place}"
        else:
            prove(desk)
        again = perform(desk, act)
        assert differences(books_of(desk), after) == {}, f"{act} was killed at {place}"
        assert act in UNANSWERED or again == answer
        prove(desk)


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

"""The story that makes the examples of the API: every operation is called once, on a desk that is always the same.

`make docs` runs it and writes src/staddle/api/examples.json, from where they come into the OpenAPI document;
test_examples.py runs it again and compares. To add an operation, add a line to a chapter, in any file of chapters/:

    def tell(story: Story) -> None:
        story.call("show_position", story.ada, position_id="509")

The first call of an operation becomes its example, unless it is refused: then the story ends. Names are those of the
operations' functions; what stands in the address or the query is given by name, the body as `body`. `story.call` gives
the answer, for the calls that follow. What is different each time (tokens, ids that are secrets, the machine's clock)
is masked in the file, in requests and answers alike.
"""

import importlib
import json
import pkgutil
import re
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from tests.api import chapters
from tests.api.world import Caller, Service

from staddle.api.operation import OPERATIONS, Operation

Example = dict[str, Any]
MASKS = (
    (re.compile(r"\b(std[a-z])_[A-Za-z0-9_-]{20,}"), r"\1_..."),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]{16,}"), "whsec_..."),
    (re.compile(r"\b[0-9a-f]{64}\b"), "0" * 64),
    (re.compile(r"\b[0-9a-f]{24}\b"), "0" * 24),
    (re.compile(r"\b[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "00000000-0000-4000-8000-000000000000"),
    (re.compile(r"http://localhost:\d+/"), "https://rates.example.com/"),
    (re.compile(r'("process": ")[^"]+'), r"\1host:4711"),
    # The desk's clock stands in the first half of 2026, the machine's never does.
    (re.compile(r"\b20(26-(0[89]|1\d)|2[7-9]|[3-9]\d)[0-9T:.-]*Z"), "2026-09-01T12:00:00Z"),
)
"""What is different each time, and what stands for it."""


@dataclass
class Story:
    """A story as it is told: who is in it, and the examples so far, by operation."""

    service: Service
    nobody: Caller
    ada: Caller
    ben: Caller
    carl: Caller
    client: Caller
    first: Caller
    """The operator ada, who has all roles."""
    second: Caller
    """Another operator who has all roles."""
    examples: dict[str, Example] = field(default_factory=dict)
    answers: list[tuple[str, int, Any]] = field(default_factory=list)
    """Every JSON answer that was given: operation, status, document."""
    logged: dict[str, int] = field(default_factory=dict)
    """How many entries of the operators' log the writes of an operator have made, by operation."""

    def call(self, name: str, caller: Caller, /, *, body: Any = None, expects: int = 0, **named: Any) -> Any:
        """Call an operation, which must answer with its own status (or the one expected); gives the answer.

        `body` is JSON, or text that is sent as CSV. What is given by name stands in the address or in the query.
        """
        operation = OPERATIONS[name]
        in_path = set(operation.path_type.__struct_fields__)
        path = operation.path.format(**{key: named[key] for key in in_path})
        query = {key: as_text(value) for key, value in named.items() if key not in in_path}
        key = f"{name}-{self._count(name)}" if operation.keyed != "no" else None
        entries = self._entries()
        given = caller.ask(operation.method, path, query=query, body=body, key=key)
        if operation.method != "GET" and caller in (self.first, self.second):
            self.logged[name] = self.logged.get(name, 0) + self._entries() - entries
        assert given.status_code == (expects or operation.status), f"{name}: {given.status_code} {given.text}"
        is_json = "json" in given.headers.get("Content-Type", "")
        answer = given.json() if is_json else given.text
        if is_json:
            self.answers.append((name, given.status_code, answer))
        if name not in self.examples and given.status_code < 400:
            request: Example = {
                "path": {each: str(named[each]) for each in sorted(in_path)},
                "query": query,
                "body": body,
            }
            if key is not None:
                request["key"] = key
            self.examples[name] = masked({"request": request, "status": given.status_code, "answer": answer})
        return answer

    def note(self, name: str, request: Example, status: int, answer: Any) -> None:
        """Keep an example that cannot be made by `call`, such as that of a stream."""
        self.examples[name] = masked({"request": request, "status": status, "answer": answer})

    def _entries(self) -> int:
        with self.service.database.transaction() as tx:
            row = tx.execute("SELECT count(*) AS n FROM desk_log").fetchone()
        return 0 if row is None else int(row.n)

    def _count(self, name: str) -> int:
        return 1 + sum(told == name for told, _, _ in self.answers)


def tell(service: Service) -> Story:
    """Tell the story on a lived-in desk that nobody has called yet."""
    story = Story(
        service=service,
        nobody=service.caller(None),
        ada=service.customer("ada"),
        ben=service.customer("ben"),
        carl=service.customer("carl"),
        client=service.client("exchange"),
        first=service.operator("ada"),
        second=service.operator("bob"),
    )
    for chapter in sorted(each.name for each in pkgutil.iter_modules(chapters.__path__)):
        importlib.import_module(f"tests.api.chapters.{chapter}").tell(story)
    return story


def as_text(value: object) -> str:
    """Write a parameter of a query."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def masked(value: Any) -> Any:
    """Put what stands for it in the place of what is different each time."""
    text = json.dumps(value)
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return json.loads(text)


def untold(story: Story) -> list[Operation]:
    """List the operations that the story has no example of."""
    return [operation for name, operation in OPERATIONS.items() if name not in story.examples]


def as_file(examples: dict[str, Example]) -> str:
    """Write the examples as the file has them."""
    return json.dumps(dict(sorted(examples.items())), indent=1, ensure_ascii=False) + "\n"


def examples_in_file() -> str:
    """Read the file."""
    return files("staddle.api").joinpath("examples.json").read_text(encoding="utf-8")

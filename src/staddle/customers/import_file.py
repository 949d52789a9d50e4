"""Importing files of customers and of deposits: millions of lines, once each, all or only the good ones.

`stop` imports the whole file in one transaction, or nothing if any line is bad; the desk waits meanwhile.
`skip` imports the good lines, a chunk a transaction. Either can be killed at any moment and begun again: the
reference of a line is its key for ever.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import BinaryIO, Literal

from staddle.customers.read_csv import CsvFile, Line, Problem
from staddle.db import Tx
from staddle.errors import InvalidFile, StaddleError
from staddle.ledger import CELL_COUNT, lock_cells

CHUNK = 5_000
"""Lines that are imported with one round of statements."""

PROBLEMS_MAX = 1_000
"""So many bad lines are listed; of a file that is to be imported whole, no more are looked for."""

OnError = Literal["stop", "skip"]
Begin = Callable[[], AbstractContextManager[Tx]]
"""How a transaction is opened: an edge's `database.transaction`."""
Progress = Callable[[int, int], None]
"""Called after each chunk with the numbers of lines and of bytes read so far."""


@dataclass(slots=True)
class ImportReport:
    """What became of a file. Lines are counted without the header and empty ones."""

    file: str
    line_count: int = 0
    imported: int = 0
    already_there: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, problems: Sequence[Problem]) -> None:
        """Count these bad lines, and list them as far as there is room."""
        self.problem_count += len(problems)
        self.problems += problems[: PROBLEMS_MAX - len(self.problems)]


@dataclass(slots=True)
class Chunk:
    """What became of some lines."""

    imported: int = 0
    already_there: int = 0
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, line: int, error: StaddleError, column: str | None) -> None:
        """Note a bad line, in the column that the error names, else in the one given."""
        named = error.details.get("field", column)
        column = named if isinstance(named, str) else None
        reason = error.message.removeprefix(f"{column}: ").rstrip(".")
        self.problems.append(Problem(line, column, error.code(), reason))


ImportLines = Callable[[Tx, Sequence[Line], datetime], Chunk]
"""Imports some lines under the locks of all cells."""


def run_import(
    begin: Begin,
    file: CsvFile,
    name: str,
    on_error: OnError,
    import_lines: ImportLines,
    now: datetime,
    progress: Progress | None,
) -> ImportReport:
    """Take a file in, chunk by chunk; raises InvalidFile with `problems` where it is to stop at bad lines."""
    report = ImportReport(name)
    whole = begin() if on_error == "stop" else nullcontext(None)
    with whole as outer:
        lines = iter(file)
        while chunk := list(islice(lines, CHUNK)):
            with nullcontext(outer) if outer is not None else begin() as tx:
                # All cells at once: a later chunk could not lock a lower one without the risk of a deadlock.
                lock_cells(tx, range(CELL_COUNT))
                import_chunk(tx, chunk, report, import_lines, now)
            if progress is not None:
                progress(report.line_count, file.byte_count)
            if on_error == "stop" and report.problem_count >= PROBLEMS_MAX:
                break
        if on_error == "stop" and report.problem_count:
            raise refused(report)
    return report


def import_chunk(
    tx: Tx, chunk: Iterable[Line | Problem], report: ImportReport, import_lines: ImportLines, now: datetime
) -> None:
    """Import the readable lines of a chunk and add what became of all of them to the report."""
    readable = [line for line in chunk if isinstance(line, Line)]
    problems = [problem for problem in chunk if isinstance(problem, Problem)]
    done = import_lines(tx, readable, now)
    report.line_count += len(readable) + len(problems)
    report.imported += done.imported
    report.already_there += done.already_there
    report.add(sorted([*problems, *done.problems], key=lambda problem: problem.line))


def refused(report: ImportReport) -> InvalidFile:
    """Say that nothing of the file was imported, and why."""
    count = report.problem_count
    bad = f"{count}{' or more' if count >= PROBLEMS_MAX else ''} bad line{'' if count == 1 else 's'}"
    return InvalidFile(
        f"{report.file} has {bad}; nothing was imported.",
        file=report.file,
        problem_count=count,
        problems=report.problems,
    )


def open_csv(stream: BinaryIO, name: str, required: Sequence[str], optional: Sequence[str] = ()) -> CsvFile:
    """Read the header of a file; an InvalidFile names the file."""
    try:
        return CsvFile(stream, required, optional)
    except InvalidFile as error:
        raise InvalidFile(
            f"{name}: {error.message} Nothing was imported.", file=name, **error.details
        ) from None

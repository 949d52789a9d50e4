"""What must not be written anywhere: a clock below the edges, a float near money, somebody's machine."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "staddle"
EDGES = {"cli", "db", "demo", "server"}
SQL = [*SOURCE.rglob("queries.sql"), *SOURCE.rglob("migrations/*.sql")]


def code_of(path: Path) -> str:
    """A SQL file without its comments and without literals."""
    return re.sub(r"'[^']*'", "''", re.sub(r"--.*", "", path.read_text()))


def test_money_sql_has_no_clock_of_its_own() -> None:
    clock = re.compile(
        r"\b(now\s*\(|current_(timestamp|date|time)\b|localtime|clock_timestamp|transaction_timestamp)", re.I
    )
    assert [str(path) for path in SQL if clock.search(code_of(path))] == []


def test_the_only_instant_that_the_database_stamps_is_recorded_at() -> None:
    for path in SQL:
        for line in code_of(path).splitlines():
            if "statement_timestamp" in line:
                assert re.match(
                    r"\s*recorded_at timestamptz NOT NULL DEFAULT statement_timestamp\(\)", line
                ), line


def test_no_clock_is_read_below_the_edges() -> None:
    clock = re.compile(
        r"datetime\.(now|utcnow|today)\(|date\.today\(|\btime\.(time|monotonic|perf_counter)\("
    )
    readers = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).parts[0] not in EDGES and clock.search(path.read_text())
    }
    assert readers == set()


def test_no_amount_passes_through_a_float() -> None:
    for path in SOURCE.rglob("*.py"):
        if path.relative_to(SOURCE).parts[0] in EDGES:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Name) and node.id == "float"), f"{path}:{node.lineno}"
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), (
                f"{path}:{node.lineno}"
            )


def test_no_column_of_the_schema_is_a_float() -> None:
    for path in SOURCE.rglob("migrations/*.sql"):
        assert not re.search(r"\b(real|double precision|float\d?|money)\b", code_of(path), re.I), path


def test_nothing_names_a_machine_or_a_registry() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    named = re.compile(
        r"https?://[^\s/]*("
        + "py"
        + r"pi\.|npm"
        + r"js\.|deb"
        + r"ian\.org)|(?<![\w.])/(wo"
        + r"rk|ro"
        + r"ot)/\w"
    )
    found = []
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".png", ".svg"} or not path.is_file():
            continue
        found += [
            f"{name}: {line.strip()[:80]}" for line in path.read_text().splitlines() if named.search(line)
        ]
    assert found == []

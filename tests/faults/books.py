"""Reading the books whole, and holding one desk's against another's."""

import json
from typing import Any

from tests.living import assert_books_hold

from staddle.db import Database
from staddle.rewards.audit import audit

Books = dict[str, list[str]]
"""Every row of every table as text without what GIVEN names, and every index by its definition."""

GIVEN = ["recorded_at", "approval_id", "log_id"]
"""When a row was recorded, and the numbers that the server gives out, of which a killed transaction leaves a gap."""
HASHED = {"desk_log_seal": ["hash"]}
"""What is a hash over such numbers, too: the audit proves it, and no two histories of a killed server share it."""
NOTES = ["due_reward", "run_attempt", "run_attempt_end"]
"""What a run notes for itself and works out again where a crash has taken it, and who executed it, when."""
NAMED = ["{answer,answer,approval_id}", "{details,approval_id}"]
"""Where other rows name such a number."""


def books_of(database: Database) -> Books:
    """Read every table row by row. Nothing but what GIVEN names may differ between two histories of the same desk."""
    with database.transaction() as tx:
        tables = tx.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace AND relname !~ 'yoyo' AND relname <> ALL(%s) ORDER BY 1",
            [NOTES],
        ).fetchall()
        books: Books = {}
        for row in tables:
            as_text = "(to_jsonb(t) - %s::text[] #- %s::text[] #- %s::text[])::text"
            given = [*GIVEN, *HASHED.get(row.relname, ())]
            rows = tx.execute(f"SELECT {as_text} FROM {row.relname} t ORDER BY 1", [given, *NAMED])
            books[row.relname] = [found[0] for found in rows.fetchall()]
        indexes = tx.execute(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        books["(indexes)"] = [found[0] for found in indexes]
    return books


def differences(one: Books, other: Books) -> dict[str, Any]:
    """The rows that only one of them has, by table; empty when they are the same."""
    assert one.keys() == other.keys()
    found = {}
    for table, rows in one.items():
        if rows != other[table]:
            found[table] = {
                "only here": [
                    json.loads(row) if row[:1] == "{" else row for row in rows if row not in other[table]
                ],
                "only there": [
                    json.loads(row) if row[:1] == "{" else row for row in other[table] if row not in rows
                ],
            }
    return found


def prove(database: Database) -> None:
    """The books of a desk hold, whatever has been done to it."""
    with database.transaction() as tx:
        assert_books_hold(tx)
    findings = [finding for finding in audit(database) if not finding.is_information]
    assert findings == [], findings

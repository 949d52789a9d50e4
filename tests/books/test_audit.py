"""The audit finds nothing in sound books, and every damage in a copy of them, by the name of the row."""

import re
from pathlib import Path

import pytest
from psycopg.rows import tuple_row
from tests.living import Living

from staddle import rewards
from staddle.db import Database, queries
from staddle.errors import AuditInProgress
from staddle.ledger.audit import Finding

PIECE = re.compile(r"^-- ([^:\n]+): (\w+)\n((?:(?!^-- ).*\n?)*)", re.MULTILINE)
TEXT = Path(__file__).with_name("damages.sql").read_text(encoding="utf-8")
DAMAGES = {damage: (check, statements) for damage, check, statements in PIECE.findall(TEXT)}
IN_THE_WAY = ("a_position_never_grows", "an_ended_position_holds_nothing", "a_term_has_one_maturity")
"""Constraints that would refuse some of the damage."""


def faults(books: Database) -> list[Finding]:
    return [finding for finding in rewards.audit(books) if not finding.is_information]


def damage(books: Database, statements: str) -> tuple[str, str]:
    """Do the damage; gives the table and the name of the row that must be found."""
    with books.owner() as owner:
        for constraint in IN_THE_WAY:
            owner.execute(f"ALTER TABLE position DROP CONSTRAINT {constraint}".encode())
        for statement in statements.strip().rstrip(";").split(";\n"):
            cursor = owner.cursor(row_factory=tuple_row).execute(statement.encode())
        table, row = cursor.fetchall()[0]
    return table, row


def test_the_books_of_a_lived_in_desk_are_sound(books: Database) -> None:
    assert faults(books) == []


def test_books_without_a_desk_and_a_desk_without_a_customer_are_sound(database: Database) -> None:
    assert rewards.audit(database) == []
    living = Living(database)
    assert faults(database) == []
    rewards.seal_all(database, living.now)
    assert rewards.audit(database) == []


def test_what_is_not_sealed_yet_is_information_and_no_fault(books: Database) -> None:
    assert {finding.check for finding in rewards.audit(books)} == {"unsealed_transfers"}


def test_two_who_audit_for_the_service_do_not_do_it_at_once(books: Database) -> None:
    audit_queries = queries("staddle.rewards.audit")
    with books.transaction() as tx:
        tx.execute(audit_queries.lock_audit)
        with pytest.raises(AuditInProgress):
            rewards.judge_alone(books)
    assert rewards.judge_alone(books).is_sound


def test_every_check_has_a_damage_that_it_finds() -> None:
    finding = {check.name for check in rewards.CHECKS if not check.is_information}
    assert finding == {check for check, _ in DAMAGES.values()}


@pytest.mark.parametrize("kind", DAMAGES)
def test_the_audit_finds_and_names(kind: str, books: Database) -> None:
    check, statements = DAMAGES[kind]
    table, row = damage(books, statements)
    found = faults(books)
    assert (check, table, row) in {(finding.check, finding.table, finding.row) for finding in found}, found

"""The verdict of an audit: sound, or what is wrong, check by check."""

from collections.abc import Callable

import msgspec

from staddle.db import Database, queries
from staddle.errors import AuditInProgress
from staddle.ledger.audit import Finding
from staddle.rewards.audit.audit import CHECKS, AuditProgress, audit

sql = queries(__package__)


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One check, what it proves, and how much it found wrong."""

    check: str
    purpose: str
    findings: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found. Findings that are only information do not make the books unsound."""

    is_sound: bool
    checks: list[Checked]
    findings: list[Finding]


def judge_alone(database: Database, tell: Callable[[AuditProgress], None] = lambda _: None) -> Verdict:
    """Judge the books unless somebody is at it already, on any machine; raises AuditInProgress."""
    with database.transaction() as tx:
        row = tx.execute(sql.lock_audit).fetchone()
        if row is None or not row.is_alone:
            raise AuditInProgress
        return judge(database, tell)


def judge(database: Database, tell: Callable[[AuditProgress], None] = lambda _: None) -> Verdict:
    """Prove the whole ledger again and say whether it is sound."""
    findings = audit(database, tell)
    wrong = [finding.check for finding in findings if not finding.is_information]
    checks = [
        Checked(check=check.name, purpose=check.purpose, findings=wrong.count(check.name)) for check in CHECKS
    ]
    return Verdict(is_sound=not wrong, checks=checks, findings=findings)

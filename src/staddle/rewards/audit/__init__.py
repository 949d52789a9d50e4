"""The audit: everything that must be true of the books, proved anew from the rows alone."""

from staddle.rewards.audit.audit import CHECKS, AuditProgress, audit
from staddle.rewards.audit.verdict import Checked, Verdict, judge, judge_alone

__all__ = ["CHECKS", "AuditProgress", "Checked", "Verdict", "audit", "judge", "judge_alone"]

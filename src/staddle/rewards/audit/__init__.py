"""The audit: everything that must be true of the books, proved anew from the rows alone."""

from staddle.rewards.audit.audit import CHECKS, AuditProgress, audit

__all__ = ["CHECKS", "AuditProgress", "audit"]

"""Auditing with something to look at: progress check by check, and the verdict."""

from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from staddle.cli.answer import Document
from staddle.cli.show import grid
from staddle.db import Database
from staddle.rewards import CHECKS, AuditProgress, audit

FINDINGS_SHOWN = 50
EXIT_FINDINGS = 1


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found: each check with its count, and every finding."""

    is_sound: bool
    checks: list[dict[str, Any]]
    findings: list[Any]

    @property
    def exit_code(self) -> int:
        """Give 0 for sound books, 1 if anything is wrong."""
        return 0 if self.is_sound else EXIT_FINDINGS


def audit_books(database: Database, console: Console, *, is_quiet: bool) -> Audited:
    """Prove the books, with a progress bar where somebody is looking."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, disable=is_quiet or not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("audit", total=len(CHECKS))
        order = {check.name: number for number, check in enumerate(CHECKS)}

        def tell(progress: AuditProgress) -> None:
            done = order[progress.check.name] + progress.slices_done / max(1, progress.slices)
            bar.update(task, completed=done, description=f"audit: {progress.check.name}")

        findings = audit(database, tell)
    wrong = [finding for finding in findings if not finding.is_information]
    checks = [
        {
            "check": check.name,
            "purpose": check.purpose,
            "findings": sum(each.check == check.name for each in wrong),
        }
        for check in CHECKS
    ]
    return Audited(not wrong, checks, findings)


def verdict_of(data: Document) -> RenderableType:
    """Say whether the books are sound, and name what is not."""
    told = [each for each in data["findings"] if each["is_information"]]
    wrong = [each for each in data["findings"] if not each["is_information"]]
    remarks = [f"[dim]{each['check']}: {each['message']}[/]" for each in told[:FINDINGS_SHOWN]]
    if data["is_sound"]:
        return Group(
            f"[bold green]The books are sound:[/] {len(data['checks'])} checks, nothing found.", *remarks
        )
    rows = [[each["check"], each["table"], each["row"], each["message"]] for each in wrong[:FINDINGS_SHOWN]]
    sentence = f"[bold red]The books are not sound:[/] {len(wrong):,} findings."
    return Group(sentence, grid("", ["Check", "Table", "Row", "What is wrong"], rows), *remarks)

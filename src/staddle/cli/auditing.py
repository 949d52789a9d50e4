"""Auditing with something to look at: progress check by check, and the verdict."""

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from staddle.cli.answer import Document
from staddle.cli.show import grid
from staddle.db import Database
from staddle.rewards import CHECKS, AuditProgress, Verdict, judge

FINDINGS_SHOWN = 50
EXIT_FINDINGS = 1


def audit_books(database: Database, console: Console, *, is_quiet: bool) -> Verdict:
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

        return judge(database, tell)


def exit_code_of(verdict: Verdict) -> int:
    """Give 0 for sound books, 1 if anything is wrong."""
    return 0 if verdict.is_sound else EXIT_FINDINGS


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

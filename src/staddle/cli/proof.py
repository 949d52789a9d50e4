"""`staddle audit`, `seal`, `errors`: proof, and what can go wrong."""

from rich.console import Group, RenderableType

from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.auditing import audit_books, exit_code_of, verdict_of
from staddle.cli.edge import Edge, plain, works
from staddle.cli.show import count_of, grid, said
from staddle.rewards import seal_all
from staddle.server.describe_errors import describe_errors


@works(app.app, "seal")
def seal(edge: Edge) -> Shown:
    """Chain by hash whatever was posted and paid since the last time."""
    now = edge.now()
    seals = seal_all(edge.database, now)
    return Shown(
        {"seals": seals, "sealed_at": now}, lambda data: said(f"{count_of(data['seals'], 'seal')} set.")
    )


@works(app.app, "audit")
def audit(edge: Edge) -> Shown:
    """Prove the whole ledger again, from its rows alone; exit 0, or 1 and a list of what is wrong."""
    found = audit_books(edge.database, edge.console, is_quiet=edge.is_json)
    return Shown(found, _audit_view, exit_code=exit_code_of(found))


def _audit_view(data: Document) -> RenderableType:
    rows = [[each["check"], str(each["findings"] or "sound"), each["purpose"]] for each in data["checks"]]
    return Group(grid("", ["Check", "Findings", "What it proves"], rows), verdict_of(data))


@plain(app.errors, "list")
def errors() -> Shown:
    """List every error with its code, exit code and sentence."""
    return Shown({"errors": describe_errors()}, _errors_view)


def _errors_view(data: Document) -> RenderableType:
    rows = [
        [each["code"], each["branch"], str(each["exit_code"]), each["message"]] for each in data["errors"]
    ]
    return grid("", ["Code", "Kind of", "Exit", "What it says"], rows)

"""`staddle settings`: what is in force, and where it comes from."""

import os

from rich.console import RenderableType

from staddle.cli import app
from staddle.cli.answer import Document, Shown
from staddle.cli.edge import plain
from staddle.cli.show import grid
from staddle.config import settings_in_force


@plain(app.app, "settings")
def settings() -> Shown:
    """Show every setting that is in force, with secrets hidden; a mistake in one is named."""
    return Shown({"settings": settings_in_force(os.environ)}, _settings_view)


def _settings_view(data: Document) -> RenderableType:
    rows = [
        [each["name"], each["value"] or "-", "set" if each["is_set"] else "default"]
        for each in data["settings"]
    ]
    return grid("", ["Setting", "In force", "From"], rows)

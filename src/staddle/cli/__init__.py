"""The command line: parse, open one transaction, call one act, render; no rule lives here."""

from staddle.cli.program import main

__all__ = ["main"]

"""A command whose answer holds a secret: it is printed once, and kept under the key is the answer without it."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import RenderableType

from staddle.cli.answer import Document, Shown
from staddle.cli.edge import At, Edge, machine_now
from staddle.cli.show import card, said
from staddle.config import Config
from staddle.desk import now_of
from staddle.errors import InvalidFile
from staddle.keyring import Keyring
from staddle.ledger import scales_of

Made = tuple[object, str | None]
"""What is kept and shown, and the secret that is only shown."""


def with_secret(
    edge: Edge, act: str, what: Mapping[str, object], do: Callable[[At], Made], secret_name: str
) -> Shown:
    """Do a write once for its key, and show the secret that came of it this once; on a repeat it is null."""
    made: list[str | None] = []

    def kept() -> object:
        shown, secret = do(at)
        made.append(secret)
        return shown

    with edge.transaction() as tx:
        at = At(edge, tx, now_of(tx, machine_now()), scales_of(tx))
        answer = at.once(act, dict(what), kept)
    assert isinstance(answer.data, dict)
    data = {**answer.data, secret_name: made[0] if made else None}
    return Shown(data, lambda shown: _secret_view(shown, secret_name), is_replay=answer.is_replay)


def _secret_view(data: Document, secret_name: str) -> RenderableType:
    if data[secret_name] is None:
        return card(data, leave_out=[secret_name])
    return said(f"The {secret_name} is shown this once: keep it safe.", card(data))


def first_line(file: Path) -> str:
    """Read the first line of a file, or of standard input: a secret in the arguments could be seen by others."""
    return (sys.stdin.readline() if str(file) == "-" else text_of(file).partition("\n")[0]).rstrip("\r\n")


def text_of(file: Path) -> str:
    """Read a file of text; raises InvalidFile."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile(f"{file} cannot be read: {error}") from None


def keyring() -> Keyring:
    """Give the keys of the environment."""
    return Keyring(Config.from_environ(os.environ))

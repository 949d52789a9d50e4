"""The settings of the program, read once from the environment; every mistake is named with its setting.

STADDLE_HOME           folder of the embedded PostgreSQL; default ~/.local/share/staddle
STADDLE_DATABASE_URL   a PostgreSQL server of your own (version 15 or newer) instead of the embedded one
STADDLE_DATABASE       name of the database; default `staddle`, or the one the URL names
STADDLE_OPERATOR       the operator who is acting; needed by commands of the desk
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from staddle.errors import InvalidConfig

DEFAULT_DATABASE = "staddle"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_RESERVED = frozenset({"postgres", "template0", "template1"})
_KNOWN = frozenset({"STADDLE_HOME", "STADDLE_DATABASE_URL", "STADDLE_DATABASE", "STADDLE_OPERATOR"})
_TEST_PREFIX = "STADDLE_TEST_"


def check_database_name(name: str, setting: str = "The database name") -> str:
    """Give the name back; raise InvalidConfig unless it is plain and none of PostgreSQL's own."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise InvalidConfig(
            f"{setting} must be 1 to 63 lower-case letters, digits or _, beginning with a letter, and not "
            f"one of PostgreSQL's own names; {name[:80]!r} is not."
        )
    return name


@dataclass(frozen=True, slots=True)
class Config:
    """Where the database is and who is acting. `database_url` None means the embedded server under `home`."""

    home: Path
    database_url: str | None
    database: str | None
    operator: str | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Config":
        """Read the STADDLE_* settings; an empty one counts as not set. Raises InvalidConfig."""
        given = {
            key: value.strip()
            for key, value in environ.items()
            if key.startswith("STADDLE_") and value.strip()
        }
        _refuse_unknown(given)
        name = given.get("STADDLE_DATABASE")
        return cls(
            home=_home(given.get("STADDLE_HOME"), environ),
            database_url=_url(given.get("STADDLE_DATABASE_URL")),
            database=None if name is None else check_database_name(name, "STADDLE_DATABASE"),
            operator=_operator(given.get("STADDLE_OPERATOR")),
        )

    def named(self, database: str) -> "Config":
        """The same settings for another database of the same server."""
        return replace(self, database=check_database_name(database))


def _refuse_unknown(given: Mapping[str, str]) -> None:
    """A misspelt setting would otherwise be silently ignored, and the wrong books opened."""
    unknown = sorted(key for key in given if key not in _KNOWN and not key.startswith(_TEST_PREFIX))
    if unknown:
        raise InvalidConfig(
            f"{unknown[0]} is not a setting of Staddle; there are {', '.join(sorted(_KNOWN))}."
        )


def _home(text: str | None, environ: Mapping[str, str]) -> Path:
    if text is None:
        user_home = environ.get("HOME") or str(Path("~").expanduser())
        path = Path(user_home) / ".local" / "share" / "staddle"
    else:
        path = Path(text).expanduser()
    if not path.is_absolute():
        raise InvalidConfig(f"STADDLE_HOME must be an absolute path; {str(path)!r} is not.")
    if path.exists() and not path.is_dir():
        raise InvalidConfig(f"STADDLE_HOME must be a folder; {str(path)!r} is a file.")
    return path


def _url(text: str | None) -> str | None:
    """Check the form only. The text may hold a password, so no message repeats it."""
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise InvalidConfig("STADDLE_DATABASE_URL is not a valid URL.") from error
    if parts.scheme not in {"postgresql", "postgres"}:
        raise InvalidConfig(
            "STADDLE_DATABASE_URL must look like postgresql://user:password@host:5432/database."
        )
    return text


def _operator(text: str | None) -> str | None:
    if text is not None and (len(text) > 80 or not text.isprintable()):
        raise InvalidConfig("STADDLE_OPERATOR must be 1 to 80 printable characters.")
    return text

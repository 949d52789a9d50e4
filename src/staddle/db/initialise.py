"""Make the embedded server's data folder, once, and wholly or not at all."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from staddle.db.watch import die_with_parent
from staddle.errors import DatabaseUnavailable

SUPERUSER = "postgres"


def initialise(home: Path, bin_dir: Path, become: Sequence[str], *, fsync: bool) -> None:
    """Run initdb into a folder of its own and rename it to `data`: a kill leaves nothing half made.

    The caller holds the watcher's lock, so whatever an earlier, killed initdb left behind can be removed.
    """
    _remove_what_is_left(home)
    made = home / f"data.new-{os.getpid()}"
    # fmt: off
    argv = [
        *become, str(bin_dir / "initdb"), "--pgdata", str(made), "--username", SUPERUSER, "--auth", "trust",
        "--encoding", "UTF8", "--locale", "C", "--data-checksums", *([] if fsync else ["--no-sync"]),
    ]
    # fmt: on
    ended = subprocess.run(
        argv, capture_output=True, text=True, errors="replace", check=False, preexec_fn=die_with_parent
    )
    if ended.returncode != 0:
        shutil.rmtree(made, ignore_errors=True)
        raise DatabaseUnavailable(
            f"The database could not be created under {home}: {_last_line(ended.stderr)}"
        )
    made.rename(home / "data")
    _remove_what_is_left(home)  # a killed one that was still dying may have written on
    _sync_folder(home)


def _remove_what_is_left(home: Path) -> None:
    for left in home.glob("data.new-*"):
        shutil.rmtree(left, ignore_errors=True)


def check_version(home: Path, bin_dir: Path) -> None:
    """Refuse a data folder of another major version, which the server would do only in its log."""
    made_by = (home / "data" / "PG_VERSION").read_text().strip()
    output = subprocess.run(
        [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    ours = output.split()[2].split(".")[0]
    if made_by != ours:
        raise DatabaseUnavailable(
            f"The database under {home} was made by PostgreSQL {made_by}; this is PostgreSQL {ours}. "
            "Please move its contents over with pg_dump and pg_restore."
        )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line or "FATAL" in line]
    return (errors or lines or ["initdb said nothing"])[-1]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

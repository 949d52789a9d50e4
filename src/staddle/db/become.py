"""PostgreSQL refuses to run as root; this finds the prefix under which it runs nevertheless."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from staddle.errors import DatabaseUnavailable

NOBODY = 65534
"""User and group of the server where user namespaces are not permitted (many containers)."""

_NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]


def ordinary(data: Path) -> Sequence[str]:
    """Give what must stand before the server's argv; nothing for an ordinary user.

    As root: a user namespace in which root's files belong to user 1000, so the folder stays root's. Where
    that is not permitted, or was not when the folder was made, nobody's id, with the one capability that lets
    it reach a program or a folder which only root may enter. Raises DatabaseUnavailable.
    """
    if os.geteuid() != 0:
        return []
    owner = data.stat().st_uid if data.exists() else 0
    if owner == 0:
        if is_permitted(_NAMESPACE):
            return _NAMESPACE
        owner = NOBODY
    prefix = as_user(owner)
    if is_permitted(prefix):
        return prefix
    raise DatabaseUnavailable(
        "PostgreSQL does not run as root, and neither a user namespace nor a change of user is permitted "
        "here. Please run Staddle as an ordinary user, or set STADDLE_DATABASE_URL."
    )


def as_user(user: int) -> list[str]:
    """The prefix that runs a program as that user, able to reach root's folders.

    A change of user makes the kernel forget whose death is to be told, so it is said again (watch.py, FAST). Without
    `no_setuid_fixup` the kernel leaves the capability out of account where PostgreSQL's programs ask beforehand
    whether they may run each other, so a checkout below /root would not do.
    """
    ids = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return [
        "setpriv",
        *ids,
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup",
        "--pdeathsig=INT",
        "--",
    ]


def is_permitted(prefix: Sequence[str]) -> bool:
    """Whether a program can be run under this prefix here."""
    return _runs(tuple(prefix))


@cache
def _runs(prefix: tuple[str, ...]) -> bool:
    if shutil.which(prefix[0]) is None:
        return False
    return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0

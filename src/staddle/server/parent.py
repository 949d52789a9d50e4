"""A process and the one that started it: when that one is gone, this one is to end as well."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
_PARENT: list[int] = []
"""The process that forked this one, where it was `staddle serve`."""


class Children:
    """What every process that the first one forks does before anything else."""

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self._is_parent = True

    def prepare(self) -> None:
        """Do it in every child from now on; their own children are theirs."""
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        if not self._is_parent:
            return
        self._is_parent = False
        # Told to stop before it has begun, a child just ends: it has our handlers, and would go on.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        _PARENT.append(self._parent)
        end_with_parent()
        if is_left_behind():
            os._exit(1)


def is_left_behind() -> bool:
    """Say whether the process that forked this one is gone.

    The kernel's word of it is lost where it comes while the server underneath has its handlers, and nothing to stop
    yet: so whoever serves asks this, too, now and then.
    """
    return bool(_PARENT) and os.getppid() != _PARENT[0]


def end_with_parent() -> None:
    """Have the kernel tell this process to stop, in order, when the process that started it is gone (Linux)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)

"""Named places at which a test stops this process dead, to prove that nothing is lost or done twice by it.

`STADDLE_TEST_FAILPOINT=name` kills the process (SIGKILL) when it comes to that place, `name#3` when it comes there
for the third time; with `STADDLE_TEST_FAILPOINT_ACTION=stop` it is stopped (SIGSTOP) instead, so that the test can
kill the server's side of it, and with `raise` something unforeseen goes wrong there. Without the setting it costs one
comparison.
"""

import itertools
import os
import signal
import threading

_ARMED, _, _NUMBER = os.environ.get("STADDLE_TEST_FAILPOINT", "").partition("#")
_ACTION = os.environ.get("STADDLE_TEST_FAILPOINT_ACTION", "kill")
_visits = itertools.count(1)


def failpoint(name: str) -> None:
    """Die here if a test asked for it."""
    if name == _ARMED and next(_visits) == int(_NUMBER or 1):
        if _ACTION == "raise":
            raise ZeroDivisionError("unforeseen, as a test wants it")
        # To this very thread: sent to the process, another one may take it while this one goes a few steps further.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP if _ACTION == "stop" else signal.SIGKILL)

"""Named places at which a test stops this process dead, to prove that nothing is lost or done twice by it.

`STADDLE_TEST_FAILPOINT=name` kills the process (SIGKILL) when it comes to that place, `name#3` when it comes there
for the third time; with `STADDLE_TEST_FAILPOINT_ACTION=stop` it is stopped (SIGSTOP) instead, so that the test can
kill the server's side of it. Without the setting it costs one comparison.
"""

import itertools
import os
import signal

_ARMED, _, _NUMBER = os.environ.get("STADDLE_TEST_FAILPOINT", "").partition("#")
_SIGNAL = signal.SIGSTOP if os.environ.get("STADDLE_TEST_FAILPOINT_ACTION") == "stop" else signal.SIGKILL
_visits = itertools.count(1)


def failpoint(name: str) -> None:
    """Die here if a test asked for it."""
    if name == _ARMED and next(_visits) == int(_NUMBER or 1):
        os.kill(os.getpid(), _SIGNAL)

"""Named places at which a test stops this process dead, to prove that nothing is lost or done twice by it.

`STADDLE_FAILPOINT=name` kills the process (SIGKILL) when it comes to that place; with `STADDLE_FAILPOINT_ACTION=stop`
it is stopped (SIGSTOP) instead, so that the test can kill the server's side of it. Without the setting it costs one
comparison.
"""

import os
import signal

_ARMED = os.environ.get("STADDLE_FAILPOINT")
_SIGNAL = signal.SIGSTOP if os.environ.get("STADDLE_FAILPOINT_ACTION") == "stop" else signal.SIGKILL


def failpoint(name: str) -> None:
    """Die here if a test asked for it."""
    if name == _ARMED:
        os.kill(os.getpid(), _SIGNAL)

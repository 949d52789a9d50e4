"""A process whose parent is gone knows it, even where the kernel's word of it was lost."""

import subprocess
import sys

FAMILY = """
import os, signal, sys, time
from staddle.server.parent import Children, is_left_behind

Children(os.getpid()).prepare()
heard, told = os.pipe()
if os.fork() == 0:
    signal.signal(signal.SIGTERM, lambda *_: None)  # as while the server underneath begins
    os.write(told, b"x")
    os.write(1, b"left behind\\n" if is_left_behind() else b"not yet\\n")
    until = time.monotonic() + 20
    while not is_left_behind() and time.monotonic() < until:
        time.sleep(0.01)
    os.write(1, b"left behind\\n" if is_left_behind() else b"never\\n")
    os._exit(0)
os.read(heard, 1)
time.sleep(0.2)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_knows_when_the_one_that_started_it_is_gone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAMILY], check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == -9
    assert done.stdout.splitlines() == ["not yet", "left behind"]

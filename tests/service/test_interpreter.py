"""A process that serves hands the interpreter over quickly, and does not look for garbage all the time."""

import subprocess
import sys

PROGRAM = """
import gc, sys
from staddle.server.interpreter import share_the_interpreter
share_the_interpreter()
assert sys.getswitchinterval() <= 0.001
assert gc.isenabled() and gc.get_threshold()[0] >= 10_000 and gc.get_freeze_count() > 1_000
"""


def test_a_serving_process_hands_the_interpreter_over_quickly_and_leaves_alone_what_was_loaded() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)

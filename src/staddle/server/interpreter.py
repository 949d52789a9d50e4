"""How a process that serves uses Python's interpreter, which runs one thread at a time."""

import gc
import sys

SWITCH_SECONDS = 0.0005
"""A thread that has heard from the database waits no longer than this for the one that reads and answers requests.

It holds locks meanwhile, and comes back some thirty times for each batch: at Python's own 5 ms it waited longer for
the interpreter than for the database.
"""
OBJECTS_BEFORE_COLLECTING = 20_000
"""Requests leave next to no cycles behind; Python would look for some after every 700 objects, some ten requests."""


def share_the_interpreter() -> None:
    """Do what is to be done once all is loaded: what stands now is not looked through for garbage any more."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTING, 10, 10)

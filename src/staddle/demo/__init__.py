"""A demo desk in a sandbox, made and lived through by the public acts alone, the same on every machine."""

from staddle.demo.doors import Door, Doors, open_doors
from staddle.demo.leave_waiting import leave_waiting
from staddle.demo.live import Lived, live
from staddle.demo.set_up import DESK_NAME, is_demo, set_up
from staddle.demo.tell import Story, tell_story

__all__ = [
    "DESK_NAME",
    "Door",
    "Doors",
    "Lived",
    "Story",
    "is_demo",
    "leave_waiting",
    "live",
    "open_doors",
    "set_up",
    "tell_story",
]

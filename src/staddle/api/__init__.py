"""The REST API, version 1: parse, authenticate, call one act, write down what it gives. No rule lives here."""

from staddle.api.operation import OPERATIONS, Operation
from staddle.api.routes import edge

__all__ = ["OPERATIONS", "Operation", "edge"]

"""The customer's pages: parse, authenticate, call one act, show what it gives. No rule lives here."""

from staddle.web.routes import edge

__all__ = ["edge"]
